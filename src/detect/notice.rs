//! How worth telling a row is: its score, once what the interface has shown of late is taken off.
//!
//! A score says how rare a row is among rows. Who is told of it wants to know how rare it is among
//! the things that they were told of: the fifth repeat within an hour is no news, nor is the
//! fortieth burst of a month on an interface that bursts, nor what looks like things that came
//! before. This is apart from the score, so that what is anomalous stays so.

use crate::series::{DAY, Short, Timestamp};

/// What a repeat within a day is damped to. Nothing below it is told.
const DAMPED: f64 = 1.5;
/// Rows of one thing are at most so far apart.
const APART: i64 = 3 * 3600;
/// Days after which a past peak counts half.
const DAYS: f64 = 28.0;
/// Peaks are counted in bins of a quarter of a unit of score.
const PER_UNIT: f64 = 4.0;
/// Peaks from here on are one.
const HIGHEST: f64 = 12.0;
/// None is counted that would not be told.
const LOWEST: usize = (DAMPED * PER_UNIT) as usize;
const BINS: usize = (HIGHEST * PER_UNIT) as usize - LOWEST;

/// The peaks of what an interface has shown, by size.
#[derive(Debug, Clone)]
pub struct Notices {
    peaks: [Short; BINS],
    /// Until when the peaks have been discounted.
    to: Timestamp,
    /// The peak of what goes on, and when it was last seen.
    current: Option<(f64, Timestamp)>,
}

impl Notices {
    /// Nothing shown yet, at `time`.
    pub fn new(time: Timestamp) -> Self {
        Self { peaks: [Short::default(); BINS], to: time, current: None }
    }

    /// How worth telling a row of this `score` at `time` is. It is a `repeat` where a row of the
    /// day before scored as much. Of n earlier peaks as high, log10(1 + n) is taken off: one in a month
    /// stays what it is, ten are a unit less rare. So it is where rows of n earlier incidents look like
    /// it, which `alike` says: an incident of another sort is news, however often there was one as high.
    /// Both are asked only of scores that would be told.
    pub fn see(
        &mut self,
        time: Timestamp,
        score: f64,
        repeat: impl FnOnce() -> bool,
        alike: impl FnOnce() -> u8,
    ) -> f64 {
        if score <= DAMPED || repeat() {
            return score.min(DAMPED);
        }
        if let Some((peak, _)) = self.current.take_if(|(_, last)| time.since(*last) > APART) {
            let peaks = &mut self.peaks[bin(peak)];
            *peaks = Short::new(peaks.get() + 1.0, time.seconds() as u32);
        }
        self.discount(time);
        let as_high: f64 = self.peaks[bin(score)..].iter().map(|n| n.get()).sum();
        let peak = self.current.map_or(score, |(peak, _)| peak.max(score));
        self.current = Some((peak, time));
        let seen = libm::log10(1.0 + as_high) + libm::log10(1.0 + f64::from(alike()));
        (score - seen).max(DAMPED)
    }

    fn discount(&mut self, time: Timestamp) {
        let kept = libm::exp2(-(time.since(self.to).max(0) as f64) / (DAYS * DAY as f64));
        self.peaks.iter_mut().for_each(|n| *n = Short::new(n.get() * kept, time.seconds() as u32));
        self.to = self.to.max(time);
    }
}

fn bin(score: f64) -> usize {
    ((score * PER_UNIT) as usize).saturating_sub(LOWEST).min(BINS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_seconds(1_767_571_200 + hour * 3600)
    }

    #[test]
    fn a_first_peak_is_told_in_full_and_its_repeats_are_not() {
        let mut notices = Notices::new(at(0));
        assert_eq!(notices.see(at(1), 4.0, || false, || 0), 4.0);
        assert_eq!(notices.see(at(2), 3.0, || true, || 0), DAMPED);
        assert_eq!(notices.see(at(3), 0.7, || false, || 0), 0.7);
        assert_eq!(
            notices.see(at(4), 5.0, || false, || 0),
            5.0,
            "a higher peak of the same thing is not counted against it"
        );
    }

    #[test]
    fn what_came_often_is_less_worth_telling_and_more_again_when_it_has_stayed_away() {
        let mut notices = Notices::new(at(0));
        (0..9).for_each(|day| {
            notices.see(at(day * 24), 4.0, || false, || 0);
        });
        let tenth = notices.see(at(9 * 24), 4.0, || false, || 0);
        assert!((3.0..3.2).contains(&tenth), "{tenth}");
        assert_eq!(notices.see(at(9 * 24 + 12), 7.0, || false, || 0), 7.0, "a higher one is as rare as ever");
        let later = notices.see(at(200 * 24), 4.0, || false, || 0);
        assert!(later > 3.8, "{later}");
    }

    #[test]
    fn what_looks_like_things_that_came_before_is_less_worth_telling() {
        let mut notices = Notices::new(at(0));
        assert_eq!(notices.see(at(0), 4.0, || false, || 9), 3.0);
        assert_eq!(notices.see(at(24), 1.6, || false, || 9), DAMPED);
        // What is not told anyway is not looked up.
        assert_eq!(notices.see(at(48), 0.7, || false, || unreachable!()), 0.7);
        assert_eq!(notices.see(at(48), 3.0, || true, || unreachable!()), DAMPED);
    }
}
