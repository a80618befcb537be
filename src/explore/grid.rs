//! An interface's rows on its own grid, and the gaps in it.

use serde::{Serialize, Serializer};

use super::columns::Columns;
use crate::series::{Step, Timestamp, step};

/// Slots for each row beyond which a series is too thin to be laid on its grid: a row of yesterday and
/// one of last year at a step of ten seconds would be three million slots.
const SLOTS_PER_ROW: i64 = 50;
/// Gaps that are named; the longest ones.
pub const GAPS_NAMED: usize = 20;

/// Slots in a row without a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Gap {
    /// The first missing slot.
    #[serde(serialize_with = "as_text")]
    pub from: Timestamp,
    /// The last missing slot.
    #[serde(serialize_with = "as_text")]
    pub to: Timestamp,
    /// How many are missing.
    pub slots: i64,
}

/// Writes a moment as rows have it.
pub(super) fn as_text<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(time)
}

/// What is missing of a series between its first row and its last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Gaps {
    /// How many gaps there are.
    pub count: usize,
    /// How many slots are in them, of [`Gaps::slots`].
    pub missing: i64,
    /// Slots from the first row to the last, both included.
    pub slots: i64,
    /// Rows that are nearer to a slot which another row has: they are off the grid.
    pub crowded: usize,
    /// The longest of the gaps, in the order of time.
    pub named: Vec<Gap>,
}

impl Gaps {
    /// The share of slots that are missing.
    pub fn share(&self) -> f64 {
        if self.slots > 0 { self.missing as f64 / self.slots as f64 } else { 0.0 }
    }

    /// The longest gap.
    pub fn longest(&self) -> Option<&Gap> {
        self.named.iter().max_by_key(|gap| (gap.slots, -gap.from.seconds()))
    }
}

/// Which slot each row stands in, counted from the first row's.
#[derive(Debug, Clone)]
pub struct Grid {
    /// The step from slot to slot.
    pub step: Step,
    /// The first row's moment.
    pub first: Timestamp,
    slots: Vec<u32>,
    length: Option<usize>,
}

impl Grid {
    /// The grid that the rows themselves show. Nothing where there are fewer than two, or where the
    /// span is more slots than can be counted.
    pub fn of(columns: &Columns) -> Option<Self> {
        let times: Vec<Timestamp> = columns.seconds().map(Timestamp::from_seconds).collect();
        let step = step::infer(&times)?;
        let (first, last) = (*times.first()?, *times.last()?);
        let length = step.slots_between(first, last) + 1;
        u32::try_from(length).ok()?;
        let slots = times.iter().map(|t| step.slots_between(first, *t) as u32).collect();
        let dense = length <= SLOTS_PER_ROW.saturating_mul(times.len() as i64);
        Some(Self { step, first, slots, length: dense.then_some(length as usize) })
    }

    /// The slot of each row.
    pub fn slots(&self) -> &[u32] {
        &self.slots
    }

    /// Values by slot, one for each row; NaN where there is no row. Nothing where rows are so thin
    /// that the grid would be mostly empty.
    pub fn lay(&self, values: &[f64]) -> Option<Vec<f64>> {
        let mut laid = vec![f64::NAN; self.length?];
        for (slot, value) in self.slots.iter().zip(values) {
            laid[*slot as usize] = *value;
        }
        Some(laid)
    }

    /// What is missing.
    pub fn gaps(&self) -> Gaps {
        let at = |slot: i64| self.first.plus(slot * self.step.seconds());
        let mut gaps = Gaps { slots: self.slots.last().map_or(0, |s| i64::from(*s) + 1), ..Gaps::default() };
        for pair in self.slots.windows(2) {
            let (before, after) = (i64::from(pair[0]), i64::from(pair[1]));
            let missing = after - before - 1;
            gaps.crowded += usize::from(missing < 0);
            if missing > 0 {
                gaps.count += 1;
                gaps.missing += missing;
                gaps.named.push(Gap { from: at(before + 1), to: at(after - 1), slots: missing });
                if gaps.named.len() > 4 * GAPS_NAMED {
                    keep_longest(&mut gaps.named);
                }
            }
        }
        keep_longest(&mut gaps.named);
        gaps
    }
}

fn keep_longest(gaps: &mut Vec<Gap>) {
    gaps.sort_by_key(|gap| (-gap.slots, gap.from));
    gaps.truncate(GAPS_NAMED);
    gaps.sort_by_key(|gap| gap.from);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(seconds: &[i64]) -> Columns {
        let values = vec![1.0; seconds.len()];
        Columns::in_order(seconds, values.clone(), values)
    }

    #[test]
    fn gaps_are_counted_named_and_left_empty() {
        let seconds: Vec<i64> = (0..100).filter(|i| !(20..25).contains(i) && *i != 60).map(|i| i * 300).collect();
        let grid = Grid::of(&columns(&seconds)).unwrap();
        let gaps = grid.gaps();
        assert_eq!((gaps.count, gaps.missing, gaps.slots, gaps.crowded), (2, 6, 100, 0));
        let longest = gaps.longest().unwrap();
        assert_eq!((longest.from.seconds(), longest.to.seconds(), longest.slots), (6000, 7200, 5));
        let laid = grid.lay(&vec![7.0; seconds.len()]).unwrap();
        assert_eq!(laid.iter().filter(|v| v.is_nan()).count(), 6);
        assert!(laid[22].is_nan() && laid[59] == 7.0);
    }

    #[test]
    fn jitter_is_no_gap_and_a_second_row_in_a_slot_is_counted() {
        let grid = Grid::of(&columns(&[0, 301, 598, 905, 1199, 1210, 1500])).unwrap();
        assert_eq!(grid.step.seconds(), 300);
        let gaps = grid.gaps();
        assert_eq!((gaps.count, gaps.crowded), (0, 1));
    }

    #[test]
    fn the_longest_gaps_are_named_in_the_order_of_time() {
        let mut time = 0;
        let mut seconds = vec![0, 60, 120];
        for gap in 1..200_i64 {
            time = 180 + time + 60 * (gap % 50);
            seconds.extend([time, time + 60, time + 120]);
        }
        seconds.sort_unstable();
        let gaps = Grid::of(&columns(&seconds)).unwrap().gaps();
        assert_eq!(gaps.named.len(), GAPS_NAMED);
        assert!(gaps.named.is_sorted_by_key(|g| g.from) && gaps.named.iter().all(|g| g.slots >= 45));
    }

    #[test]
    fn rows_too_thin_for_a_grid_are_not_laid() {
        let grid = Grid::of(&columns(&[0, 10, 20, 100_000_000])).unwrap();
        assert!(grid.lay(&[1.0; 4]).is_none());
        assert_eq!(grid.gaps().missing, 9_999_997);
        assert!(Grid::of(&columns(&[5])).is_none());
    }
}
