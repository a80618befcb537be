//! Jumps that are normal for their hour.

use super::noise::Lattice;
use super::profile::{Moment, Sample};
use crate::random::Random;
use crate::series::{DAY, Timestamp};

/// A jump at the same hour each night.
#[derive(Debug, Clone)]
pub(super) struct Burst {
    /// Seconds after midnight UTC.
    at: i64,
    /// Seconds that it takes.
    length: i64,
    /// What it adds to the load.
    extra: f64,
    /// Its first day, counted from the fleet's start; from ever where negative.
    pub(super) first_day: i64,
    nights: Lattice,
}

/// Seconds by which a night's burst may begin too early or too late.
const JITTER: i64 = 240;

impl Burst {
    /// One that adds about `extra`, from `first_day` on.
    pub(super) fn draw(random: &mut Random, extra: f64, first_day: i64) -> Self {
        let length = if random.chance(0.6) { 2700 } else { 6300 };
        let at = random.below(5) as i64 * 3600 + 450;
        Self { at, length, extra, first_day, nights: Lattice::new(random.bits()) }
    }

    /// Begin and end of the burst that belongs to the calendar day of `time`, and its strength;
    /// nothing where there is none yet. The fleet started `since` seconds before `time`.
    pub(super) fn night(&mut self, time: Timestamp, since: i64) -> Option<(Timestamp, Timestamp, f64)> {
        let days = |t: Timestamp| t.seconds().div_euclid(DAY);
        let day = days(time) - days(time.plus(-since));
        if day < self.first_day {
            return None;
        }
        let late = (self.nights.at(2 * day) * 90.0) as i64;
        let start = time.plus(self.at - time.second_of_utc_day() + late.clamp(-JITTER, JITTER));
        Some((start, start.plus(self.length), libm::exp(0.06 * self.nights.at(2 * day + 1))))
    }

    /// What a slot is with it.
    pub(super) fn add(&mut self, moment: &Moment, to: Sample) -> Sample {
        let Some((start, end, strength)) = self.night(moment.time, moment.since) else { return to };
        let overlap = end.min(moment.time.plus(moment.step.seconds())).since(start.max(moment.time));
        if overlap <= 0 {
            return to;
        }
        let share = overlap as f64 / moment.step.seconds() as f64;
        let extra = self.extra * strength;
        Sample { mean: to.mean + extra * share, max: to.max.max(to.mean + 1.15 * extra) }
    }

    /// Whether one of its nights can touch the time from `from` until before `to`.
    pub(super) fn can_touch(&self, from: Timestamp, to: Timestamp) -> bool {
        let (at, length) = (self.at - JITTER, self.length + 2 * JITTER);
        let midnight = from.plus(-from.second_of_utc_day());
        (0..=to.since(midnight).div_euclid(DAY)).any(|day| {
            let start = midnight.plus(day * DAY + at);
            start < to && start.plus(length) > from
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Step;

    const MONDAY: i64 = 1_767_571_200;

    fn moment(slot: i64, step: i64) -> Moment {
        Moment {
            slot,
            time: Timestamp::from_seconds(MONDAY + slot * step),
            since: slot * step,
            step: Step::from_seconds(step).unwrap(),
        }
    }

    #[test]
    fn it_comes_each_night_at_its_hour_from_its_day_on() {
        for seed in 0..20 {
            for step in [300, 3600] {
                let mut burst = Burst::draw(&mut Random::new(seed), 500.0, 3);
                let per_day = DAY / step;
                for day in 0..10 {
                    let rest = Sample { mean: 100.0, max: 120.0 };
                    let mut touched = Vec::new();
                    for slot in day * per_day..(day + 1) * per_day {
                        let now = moment(slot, step);
                        let with = burst.add(&now, rest);
                        if with != rest {
                            assert!(with.mean > rest.mean && with.max >= with.mean);
                            assert!(burst.can_touch(now.time, now.time.plus(step)));
                            touched.push(slot);
                        }
                    }
                    assert_eq!(!touched.is_empty(), day >= 3, "day {day}");
                    let whole = touched.windows(2).all(|pair| pair[1] == pair[0] + 1);
                    assert!(whole && touched.len() as i64 <= 2 * 3600 / step + 1, "{touched:?}");
                }
                let noon = moment(12 * 3600 / step, step);
                assert!(!burst.can_touch(noon.time, noon.time.plus(step)));
            }
        }
    }
}
