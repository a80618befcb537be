//! How many lines of a file were taken and refused lately: a refused line has no slot that could be trusted, so it
//! counts with the row that stands before it.

use std::collections::BTreeMap;

use crate::series::{DAY, Timestamp};

/// Seconds that are counted as one.
const PERIOD: i64 = DAY / 4;
/// Periods that are remembered: far more than are asked for, so that a clock which is ahead for days drives none out.
const KEPT: usize = 64;

/// Lines of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    /// Those that were taken.
    pub rows: u64,
    /// Those that were refused.
    pub refused: u64,
}

/// Lines by the slots of their rows, of the newest slots.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recent {
    periods: BTreeMap<i64, Lines>,
    /// The period of the last row; none before the first one.
    last: Option<i64>,
    /// What was counted since that row's period began to be the last.
    open: Lines,
}

impl Recent {
    /// Counts a row.
    pub(super) fn take(&mut self, time: Timestamp) {
        let period = time.seconds().div_euclid(PERIOD);
        if self.last != Some(period) {
            self.close();
            self.last = Some(period);
        }
        self.open.rows += 1;
    }

    /// Counts a line that was refused. Before the first row it counts with that one.
    pub(super) fn refuse(&mut self) {
        self.open.refused += 1;
    }

    fn close(&mut self) {
        let Some(last) = self.last else { return };
        let lines = self.periods.entry(last).or_default();
        let open = std::mem::take(&mut self.open);
        *lines = Lines { rows: lines.rows + open.rows, refused: lines.refused + open.refused };
        if self.periods.len() > KEPT {
            self.periods.pop_first();
        }
    }

    /// Lines of the day that ends at `now`, to six hours. Slots ahead of it are none of that day.
    pub fn of_day(&self, now: Timestamp) -> Lines {
        let last = now.seconds().div_euclid(PERIOD);
        let day = last - DAY / PERIOD + 1..=last;
        let open = self.last.filter(|last| day.contains(last)).map(|_| self.open);
        let all = self.periods.range(day.clone()).map(|(_, lines)| *lines).chain(open);
        all.fold(Lines::default(), |sum, lines| Lines {
            rows: sum.rows + lines.rows,
            refused: sum.refused + lines.refused,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hour(hour: i64) -> Timestamp {
        Timestamp::from_seconds(hour * 3600)
    }

    /// Hours from `from` to `to`, each with so many refused lines behind it.
    fn run(recent: &mut Recent, hours: std::ops::Range<i64>, refused: u64) {
        for h in hours {
            recent.take(hour(h));
            (0..refused).for_each(|_| recent.refuse());
        }
    }

    #[test]
    fn what_was_refused_long_ago_is_forgotten_and_what_is_refused_now_counts_in_full() {
        let mut recent = Recent::default();
        run(&mut recent, 0..168, 5);
        assert_eq!(recent.of_day(hour(167)), Lines { rows: 24, refused: 120 });
        run(&mut recent, 168..2400, 0);
        assert_eq!(recent.of_day(hour(2399)), Lines { rows: 24, refused: 0 });
        run(&mut recent, 2400..2410, 2);
        assert_eq!(recent.of_day(hour(2409)), Lines { rows: 22, refused: 20 });
        assert_eq!(recent.of_day(hour(9000)), Lines::default());
    }

    #[test]
    fn files_that_go_through_the_days_again_and_again_count_all_of_the_last() {
        let mut recent = Recent::default();
        recent.refuse();
        for _ in 0..3 {
            run(&mut recent, 0..240, 1);
        }
        assert_eq!(recent.of_day(hour(239)), Lines { rows: 72, refused: 72 });
    }

    #[test]
    fn a_clock_that_is_ahead_drives_nothing_out() {
        let mut recent = Recent::default();
        for h in 0..240 {
            run(&mut recent, h..h + 1, 1);
            run(&mut recent, 9000 + h..9001 + h, 0);
        }
        assert_eq!(recent.of_day(hour(239)), Lines { rows: 24, refused: 24 });
    }
}
