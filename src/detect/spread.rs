//! An interface's usual error, as a whole and by hour of the day.

use crate::series::running::{Running, rate};
use crate::series::{DAY, Step, Timestamp};

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
    floor: f64,
    whole: Running,
    hours: [f32; HOURS],
    /// Rows of each hour, as far as they matter.
    rows: [u16; HOURS],
    whole_rate: f64,
    hour_rate: f64,
}

impl Spread {
    /// A spread that has seen nothing yet; it never falls below `floor`.
    pub fn new(step: Step, floor: f64) -> Self {
        let day = step.slots_in(DAY);
        Self {
            floor,
            whole: Running::default(),
            hours: [0.0; HOURS],
            rows: [0; HOURS],
            whole_rate: rate((WHOLE_DAYS * day).max(8.0)),
            hour_rate: rate((HOUR_DAYS * day / HOURS as f64).max(4.0)),
        }
    }

    /// Starts from a usual error that is known from elsewhere, as if it came from `rows` rows.
    pub fn prime(&mut self, usual: f64, rows: f64) {
        self.whole = Running::at(usual, rows);
    }

    /// The usual error as a whole, 0 before any row.
    pub fn whole(&self) -> f64 {
        self.whole.mean()
    }

    /// The usual error at this time of the day.
    pub fn at(&self, time: Timestamp) -> f64 {
        let whole = self.whole.mean();
        let (mean, rows) = (self.hours[hour(time)], self.rows[hour(time)]);
        let usual = if f64::from(rows) < TRIAL { whole } else { libm::sqrt(whole * f64::from(mean)) };
        usual.max(self.floor)
    }

    /// Learns the size of an error.
    pub fn learn(&mut self, time: Timestamp, size: f64) {
        // The first rows have nothing to be clipped by.
        let size = if self.whole.rows() < 8.0 { size } else { size.min(CLIP * self.at(time)) };
        self.whole.learn(size, self.whole_rate);
        let (mean, rows) = (&mut self.hours[hour(time)], &mut self.rows[hour(time)]);
        *rows = rows.saturating_add(1);
        let before = f64::from(*mean);
        *mean = (before + (size - before) * self.hour_rate.max(1.0 / f64::from(*rows))) as f32;
    }
}

fn hour(time: Timestamp) -> usize {
    (time.second_of_day() / 3600) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_seconds(1_767_571_200 + hour * 3600)
    }

    #[test]
    fn quiet_hours_have_a_smaller_spread_and_an_incident_moves_it_little() {
        let mut s = Spread::new(Step::from_seconds(3600).unwrap(), 1e-3);
        let size = |h: i64| if h % 24 < 8 { 0.1 } else { 1.0 };
        (0..24 * 20).for_each(|h| s.learn(at(h), size(h)));
        let (night, day) = (s.at(at(3)), s.at(at(15)));
        assert!(night < 0.4 * day, "night {night}, day {day}");
        (480..486).for_each(|h| s.learn(at(h), 1e6));
        assert!(s.at(at(15)) < 1.6 * day, "{} after an incident, {day} before", s.at(at(15)));
    }

    #[test]
    fn nothing_falls_below_the_floor() {
        let mut s = Spread::new(Step::from_seconds(300).unwrap(), 0.02);
        (0..1000).for_each(|h| s.learn(at(h), 0.0));
        assert_eq!(s.at(at(0)), 0.02);
    }
}
