//! An interface's usual errors of maximum and mean, as a whole and by hour of the day.

use crate::series::running::{Running, rate};
use crate::series::{DAY, Local, Pair, Short, Step};

const HOURS: usize = 24;
/// Days after which an error counts half, in the whole and in an hour's own mean.
const WHOLE_DAYS: f64 = 10.0;
const HOUR_DAYS: f64 = 30.0;
/// An error counts at most as this many usual ones: an incident must not make errors usual.
const CLIP: f64 = 4.0;
/// Rows before an hour's own mean says anything.
const TRIAL: f64 = 3.0;

/// The mean size of errors: the geometric mean of what is usual over days and what is usual at
/// this hour, so that a night's quiet is not judged by the day's noise.
#[derive(Debug, Clone)]
pub struct Spread {
    floor: [f32; 2],
    whole: [Running; 2],
    hours: [[Short; 2]; HOURS],
    /// Rows of each hour, as far as they matter.
    rows: [u16; HOURS],
    whole_rate: f32,
    hour_rate: f32,
}

impl Spread {
    /// A spread that has seen nothing yet; it never falls below `floor`.
    pub fn new(step: Step, floor: Pair) -> Self {
        let day = step.slots_in(DAY);
        Self {
            floor: floor.map(|v| v as f32),
            whole: [Running::default(); 2],
            hours: [[Short::default(); 2]; HOURS],
            rows: [0; HOURS],
            whole_rate: rate((WHOLE_DAYS * day).max(8.0)) as f32,
            hour_rate: rate((HOUR_DAYS * day / HOURS as f64).max(4.0)) as f32,
        }
    }

    /// Starts from a usual error that is known from elsewhere, as if it came from `rows` rows.
    pub fn prime(&mut self, usual: Pair, rows: f64) {
        self.whole = usual.map(|usual| Running::at(usual, rows));
    }

    /// The usual errors as a whole, 0 before any row.
    pub fn whole(&self) -> Pair {
        self.whole.map(|whole| whole.mean())
    }

    /// The usual errors at this time of the day.
    pub fn at(&self, now: Local) -> Pair {
        let (means, rows) = (self.hours[hour(now)], self.rows[hour(now)]);
        [0, 1].map(|c| {
            let whole = self.whole[c].mean();
            let usual = if f64::from(rows) < TRIAL { whole } else { libm::sqrt(whole * means[c].get()) };
            usual.max(f64::from(self.floor[c]))
        })
    }

    /// Learns the sizes of errors. `usual` is what [`Self::at`] says for this time.
    pub fn learn(&mut self, now: Local, sizes: Pair, usual: Pair) {
        let (means, rows) = (&mut self.hours[hour(now)], &mut self.rows[hour(now)]);
        *rows = rows.saturating_add(1);
        let hour_rate = f64::from(self.hour_rate).max(1.0 / f64::from(*rows));
        for c in 0..2 {
            let whole = &mut self.whole[c];
            // The first rows have nothing to be clipped by.
            let size = if whole.rows() < 8.0 { sizes[c] } else { sizes[c].min(CLIP * usual[c]) };
            whole.learn(size, f64::from(self.whole_rate));
            let before = means[c].get();
            means[c] = Short::new(before + (size - before) * hour_rate, now.time().seconds() as u32);
        }
    }
}

fn hour(now: Local) -> usize {
    (now.second_of_day() / 3600) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{Clock, Timestamp};

    fn at(hour: i64) -> Local {
        Clock::UTC.at(Timestamp::from_seconds(1_767_571_200 + hour * 3600))
    }

    fn learn(s: &mut Spread, hour: i64, size: f64) {
        let usual = s.at(at(hour));
        s.learn(at(hour), [size, 2.0 * size], usual);
    }

    #[test]
    fn quiet_hours_have_a_smaller_spread_and_an_incident_moves_it_little() {
        let mut s = Spread::new(Step::from_seconds(3600).unwrap(), [1e-3; 2]);
        let size = |h: i64| if h % 24 < 8 { 0.1 } else { 1.0 };
        (0..24 * 20).for_each(|h| learn(&mut s, h, size(h)));
        let ([night, of_mean], [day, _]) = (s.at(at(3)), s.at(at(15)));
        assert!(night < 0.4 * day, "night {night}, day {day}");
        assert!((of_mean / night - 2.0).abs() < 0.01, "each channel has its own: {of_mean} beside {night}");
        (480..486).for_each(|h| learn(&mut s, h, 1e6));
        assert!(s.at(at(15))[0] < 1.6 * day, "{} after an incident, {day} before", s.at(at(15))[0]);
    }

    #[test]
    fn nothing_falls_below_the_floor() {
        let mut s = Spread::new(Step::from_seconds(300).unwrap(), [0.02, 0.03]);
        (0..1000).for_each(|h| learn(&mut s, h, 0.0));
        assert!((s.at(at(0))[0] - 0.02).abs() < 1e-8 && (s.at(at(0))[1] - 0.03).abs() < 1e-8);
    }
}
