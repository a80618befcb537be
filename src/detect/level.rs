//! The level that an interface should be at by now, whatever it did in the last slots: what an
//! error that lasts is measured against.
//!
//! A one-step forecast follows a lasting incident within a few slots and then finds nothing wrong
//! with it. So the deviation is measured from what the rhythm says, plus a level that moves by
//! days. Which rhythm is right differs: the week's profile, the day's, or none at all, on a series
//! whose period is neither. The three are mixed by how well each has done of late, softly, since
//! their errors are those of a forecast far ahead and say little about the next one.

use crate::model::mix::{mean, shares};
use crate::series::running::{Running, rate};
use crate::series::{DAY, Step};

/// What may be the reference: the profile of the week (and day), the profile of the day, no rhythm.
const REFERENCES: usize = 3;
/// Days after which a row counts half in the slow level that is added to a reference.
const SLOW_DAYS: f64 = 2.0;
/// A row counts at most as this many usual deviations in the slow level: an incident of some hours
/// must not become the level, one of days has to.
const SLOW_CLIP: f64 = 1.5;
/// Days after which a deviation counts half in what a reference is weighted by.
const LOSS_DAYS: f64 = 3.0;
/// How sharply a larger deviation lowers a weight.
const SHARPNESS: f64 = 2.0;
/// Rows after which a reference takes part.
const TRIAL: f64 = 8.0;
/// What a deviation counts at the most in a loss, in scaled units.
const WORST: f64 = 8.0;

/// The references with what was learnt of each, for one channel; nothing at first.
#[derive(Debug, Clone, Copy, Default)]
pub struct Level {
    slow: [Running; REFERENCES],
    losses: [Running; REFERENCES],
}

/// The weights of a row in the slow levels and in the losses: the same for both channels.
#[derive(Debug, Clone, Copy)]
pub struct LevelRates {
    slow: f32,
    loss: f32,
}

impl LevelRates {
    /// For rows that are a `step` apart.
    pub fn new(step: Step) -> Self {
        let day = step.slots_in(DAY);
        Self { slow: rate((SLOW_DAYS * day).max(4.0)) as f32, loss: rate((LOSS_DAYS * day).max(8.0)) as f32 }
    }
}

/// How far a row is from each reference and its slow level; NaN where there is no reference.
pub type Distances = [f64; REFERENCES];

impl Level {
    /// How far `z` is from the references: `profile`, and `day`, the profile of the day alone (NaN
    /// where there is none).
    pub fn distances(&self, z: f64, profile: f64, day: f64) -> Distances {
        let references = [profile, day, 0.0];
        std::array::from_fn(|r| z - references[r] - self.slow[r].mean())
    }

    /// The deviation: the distances, mixed.
    pub fn deviation(&self, distances: &Distances) -> f64 {
        let takes_part = |r: usize| distances[r].is_finite() && self.losses[r].rows() >= TRIAL;
        let losses = std::array::from_fn(|r| takes_part(r).then(|| self.losses[r].mean()));
        let alone = || Some(distances[0]).filter(|d| d.is_finite()).unwrap_or(0.0);
        mean(&shares(losses, SHARPNESS), distances).unwrap_or_else(alone)
    }

    /// Takes over that the level has moved. The profiles move by themselves; what is measured from
    /// no rhythm is the level itself.
    pub fn take_over(&mut self, moved: impl Fn(f64) -> f64) {
        let flat = &mut self.slow[REFERENCES - 1];
        *flat = Running::at(moved(flat.mean()), flat.rows());
    }

    /// Learns a row's distances; `unit` is the usual deviation.
    pub fn learn(&mut self, distances: &Distances, unit: f64, rates: &LevelRates) {
        for (r, distance) in distances.iter().enumerate().filter(|(_, d)| d.is_finite()) {
            let slow = &mut self.slow[r];
            // The first rows have nothing to be clipped by.
            let held =
                if slow.rows() < TRIAL { *distance } else { distance.clamp(-SLOW_CLIP * unit, SLOW_CLIP * unit) };
            slow.learn(slow.mean() + held, f64::from(rates.slow));
            self.losses[r].learn(distance.abs().min(WORST), f64::from(rates.loss));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The deviations of `values`, for a profile that is `profile` and no day's profile.
    fn deviations(values: impl Iterator<Item = f64>, profile: impl Fn(usize) -> f64) -> Vec<f64> {
        let (mut level, rates) = (Level::default(), LevelRates::new(Step::from_seconds(3600).unwrap()));
        values
            .enumerate()
            .map(|(i, z)| {
                let distances = level.distances(z, profile(i), f64::NAN);
                let deviation = level.deviation(&distances);
                level.learn(&distances, 0.1, &rates);
                deviation
            })
            .collect()
    }

    #[test]
    fn what_lasts_for_hours_stays_a_deviation_and_what_lasts_for_weeks_becomes_the_level() {
        let got = deviations((0..1200).map(|i| if i >= 300 { 1.0 } else { 0.0 }), |_| 0.0);
        assert!(got[300..330].iter().all(|d| *d > 0.5), "after 30 hours {}", got[329]);
        assert!(got[1100].abs() < 0.2, "after a month {}", got[1100]);
    }

    #[test]
    fn a_rhythm_that_is_wrong_is_left_out() {
        let wave = |i: usize| libm::sin(i as f64 / 3.0);
        let right = deviations((0..600).map(wave), wave);
        assert!(right[500..].iter().all(|d| d.abs() < 0.1), "{:?}", &right[590..]);
        // The profile goes against the values: the flat level is nearer.
        let wrong = deviations((0..600).map(wave), |i| -3.0 * wave(i));
        assert!(wrong[500..].iter().all(|d| d.abs() < 1.6), "{:?}", &wrong[590..]);
    }
}
