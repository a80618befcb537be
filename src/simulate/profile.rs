//! How an interface behaves when nothing is the matter.

use super::burst::Burst;
use super::device::{Audience, Device, Hump, Tier};
use super::noise::{Lattice, key, purpose};
use crate::random::Random;
use crate::series::{DAY, Step, Timestamp};

/// What an interface is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    /// Follows people's day and week; some carry a nightly backup as well.
    Busy,
    /// The same, with ups and downs that are nearly as large.
    Rough,
    /// Little, and far more at a fixed hour each night.
    Backup,
    /// Hardly moves, day or night.
    Steady,
    /// Exactly the same for days.
    Keepalive,
    /// Nothing, or a handful; now and then something.
    Idle,
}

/// What a slot's two values are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sample {
    pub(super) mean: f64,
    pub(super) max: f64,
}

/// A slot's place in time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// Its number from the fleet's first slot.
    pub(super) slot: i64,
    /// Its begin.
    pub(super) time: Timestamp,
    /// Seconds from the fleet's first slot.
    pub(super) since: i64,
    pub(super) step: Step,
}

/// One interface.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) ifname: String,
    pub(super) nature: Nature,
    /// Load at the busiest hour; an idle interface's load when there is some.
    pub(super) base: f64,
    ahead: i64,
    /// Share of the base that stays at night.
    floor: f64,
    /// The two busy times of the day.
    humps: [Hump; 2],
    /// Load at the weekend.
    weekend: f64,
    /// Growth in a week.
    growth: f64,
    /// Spread of the logarithm.
    sigma: f64,
    /// How far the maximum lies above the mean, usually.
    above: f64,
    /// A slot is missing where its normal number is above this.
    gap_above: f64,
    burst: Option<Burst>,
    /// A backup that was not there from the start.
    pub(super) new_backup: Option<Burst>,
    white: Lattice,
    peak_noise: Lattice,
    hours: Lattice,
    half_days: Lattice,
    days: Lattice,
    gaps: Lattice,
}

/// Missing slots: 0.2 % on most interfaces.
const USUAL_GAPS: f64 = 2.878;

impl Profile {
    /// The interface at `index` of its device; `place` is its number in the whole fleet.
    pub(super) fn draw(
        seed: u64,
        place: usize,
        index: usize,
        device: &Device,
        nature: Nature,
        carries_burst: bool,
    ) -> Self {
        let id = place as u64;
        let random = &mut Random::new(key(&[seed, purpose::INTERFACE, id]));
        let (low, high) = match nature {
            Nature::Keepalive | Nature::Idle => (1e3, 3e4),
            Nature::Steady => (1e4, 1e6),
            _ => device.tier.load(),
        };
        let base = low * libm::exp(random.unit() * libm::log(high / low));
        let (floor, weekend) = match device.audience {
            Audience::Office => (random.between(0.12, 0.3), random.between(0.3, 0.6)),
            Audience::Home => (random.between(0.2, 0.4), random.between(1.0, 1.2)),
            Audience::Mixed => (random.between(0.3, 0.5), random.between(0.75, 0.95)),
        };
        let sigma = match nature {
            Nature::Rough => random.between(0.18, 0.22),
            Nature::Steady => random.between(0.001, 0.008),
            _ => random.between(0.04, 0.1),
        };
        let above = match nature {
            Nature::Steady => random.between(0.005, 0.03),
            Nature::Keepalive => random.between(0.01, 0.05),
            _ => random.between(0.06, 0.8),
        };
        let gap_above = if random.chance(0.07) { random.between(1.5, 2.0) } else { USUAL_GAPS };
        let burst = match nature {
            Nature::Backup => Some(random.between(0.8, 1.0) * base),
            Nature::Busy if carries_burst => Some(random.between(1.0, 2.5) * base),
            _ => None,
        }
        .map(|extra| Burst::draw(random, extra, -1));
        let noise = |lane| Lattice::new(key(&[seed, purpose::INTERFACE, id, lane]));
        Self {
            ifname: ifname(device.tier, base, index),
            nature,
            base,
            ahead: device.ahead,
            floor,
            humps: device.audience.humps().map(|usual| usual.varied(random)),
            weekend,
            growth: random.between(-0.005, 0.012),
            sigma,
            above,
            gap_above,
            burst,
            new_backup: None,
            white: noise(1),
            peak_noise: noise(2),
            hours: noise(3),
            half_days: noise(4),
            days: noise(5),
            gaps: noise(6),
        }
    }

    /// Gives it a backup from `first_day` on.
    pub(super) fn start_backup(&mut self, random: &mut Random, first_day: i64) {
        let extra = random.between(1.5, 3.0) * self.base;
        self.new_backup = Some(Burst::draw(random, extra, first_day));
    }

    /// Whether it can get a new backup that is one: not where there is one, nor beside large ups and downs.
    pub(super) fn can_start_backup(&self) -> bool {
        self.nature == Nature::Busy && self.burst.is_none()
    }

    /// Whether rows are missing so often that a silence would be nothing new.
    pub(super) fn often_missing(&self) -> bool {
        self.gap_above < USUAL_GAPS
    }

    /// The smallest factor that its own ups and downs do not reach.
    pub(super) fn least_spike(&self) -> f64 {
        libm::exp(6.0 * self.sigma).clamp(2.2, 5.0)
    }

    /// Whether a burst that is normal here can fall into the time from `from` until before `to`.
    pub(super) fn bursts_between(&self, from: Timestamp, to: Timestamp) -> bool {
        [&self.burst, &self.new_backup].into_iter().flatten().any(|burst| burst.can_touch(from, to))
    }

    /// Whether a slot's row is missing for no reason.
    pub(super) fn misses(&mut self, slot: i64) -> bool {
        self.gaps.at(slot) > self.gap_above
    }

    /// What a slot brings when nothing is the matter. `common` is the device's part of the noise.
    pub(super) fn usual(&mut self, moment: &Moment, common: f64) -> Sample {
        let white = self.white.at(moment.slot);
        let sample = match self.nature {
            Nature::Idle => return self.idle(moment, white),
            Nature::Keepalive => {
                // A new value once in four days or so: another timer was set.
                let mean = self.base * (1.0 + 0.02 * self.days.at(moment.since.div_euclid(4 * DAY)));
                return Sample { mean, max: mean * (1.0 + self.above) };
            }
            Nature::Steady => {
                let mean = self.base * libm::exp(self.sigma * white);
                Sample { mean, max: mean * (1.0 + self.above * libm::exp(0.3 * self.peak_noise.at(moment.slot))) }
            }
            Nature::Busy | Nature::Rough | Nature::Backup => {
                let weeks = moment.since as f64 / (7 * DAY) as f64;
                let level = match self.nature {
                    Nature::Backup => self.base / 25.0 * (0.6 + 0.4 * self.day(moment.time)),
                    _ => self.base * self.day(moment.time) * self.week(moment.time),
                };
                // Tails a little heavier than normal ones.
                let white = white * (1.0 + 0.03 * white * white);
                let noise = 0.6 * white
                    + 0.45 * self.hours.smooth(moment.since, 2 * 3600)
                    + 0.5 * self.half_days.smooth(moment.since, DAY / 2)
                    + 0.6 * self.days.smooth(moment.since, 3 * DAY / 2)
                    + 0.3 * common;
                let mean = level * libm::exp(self.growth * weeks + self.sigma * noise);
                let above = self.above * libm::exp(0.3 * self.peak_noise.at(moment.slot));
                Sample { mean, max: mean * (1.0 + above) }
            }
        };
        [&mut self.burst, &mut self.new_backup].into_iter().flatten().fold(sample, |sum, burst| burst.add(moment, sum))
    }

    /// An idle interface's slot: activity comes by the hour.
    fn idle(&mut self, moment: &Moment, white: f64) -> Sample {
        let mean = if self.hours.at(moment.since.div_euclid(3600)) > 1.9 {
            self.base * libm::exp(0.4 * white)
        } else if white > 0.8 {
            30.0 + 40.0 * (white - 0.8)
        } else {
            0.0
        };
        Sample { mean, max: mean * (1.5 + 0.5 * self.peak_noise.at(moment.slot).abs()) }
    }

    /// Share of the base at this time of the day: about 1 at the busiest hour, `floor` at the quietest.
    fn day(&self, time: Timestamp) -> f64 {
        let hour = (time.second_of_utc_day() + self.ahead) as f64 / 3600.0;
        let hump: f64 = self.humps.iter().map(|hump| hump.at(hour)).sum();
        self.floor + (1.0 - self.floor) * hump.min(1.15)
    }

    /// The weekend's factor, which comes and goes within some hours around midnight.
    pub(super) fn week(&self, time: Timestamp) -> f64 {
        let hour = time.plus(self.ahead).second_of_utc_week() as f64 / 3600.0;
        // Counted from Wednesday noon, so that the weekend lies in one piece.
        let hour = if hour < 60.0 { hour + 168.0 } else { hour };
        let ramp = |from: f64| {
            let x = ((hour - from) / 6.0).clamp(0.0, 1.0);
            x * x * (3.0 - 2.0 * x)
        };
        // From Friday 21:00 to Saturday 3:00, and from Sunday 21:00 to Monday 3:00.
        1.0 + (self.weekend - 1.0) * (ramp(117.0) - ramp(165.0))
    }
}

/// A name of the usual form that fits the load: `et-0/1/3` for 100 Gbit/s, `xe` for 10, `ge` for 1.
fn ifname(tier: Tier, base: f64, index: usize) -> String {
    if tier == Tier::Vpn {
        return format!("tun-{index}");
    }
    let speed = match base {
        b if b > 8e8 => "et",
        b if b > 8e7 => "xe",
        _ => "ge",
    };
    format!("{speed}-{}/{}/{}", index / 16, index / 8 % 2, index % 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY: i64 = 1_767_571_200;

    fn moment(slot: i64, step: i64) -> Moment {
        Moment {
            slot,
            time: Timestamp::from_seconds(MONDAY + slot * step),
            since: slot * step,
            step: Step::from_seconds(step).unwrap(),
        }
    }

    fn profile(seed: u64, nature: Nature, burst: bool) -> Profile {
        Profile::draw(seed, 0, 0, &Device::draw(seed, 2), nature, burst)
    }

    #[test]
    fn a_maximum_is_never_below_its_mean_and_nothing_is_negative() {
        for nature in [Nature::Busy, Nature::Rough, Nature::Backup, Nature::Steady, Nature::Keepalive, Nature::Idle] {
            for seed in 0..20 {
                let mut p = profile(seed, nature, true);
                for slot in 0..500 {
                    let s = p.usual(&moment(slot, 3600), 0.3);
                    assert!(s.mean >= 0.0 && s.max >= s.mean && s.max.is_finite(), "{nature:?} {s:?}");
                }
            }
        }
    }

    #[test]
    fn a_busy_interface_has_a_day_and_a_week() {
        let mut p = profile(4, Nature::Busy, false);
        p.humps = Audience::Office.humps();
        p.weekend = 0.5;
        p.ahead = 0;
        let mut mean = |day: i64, hour: i64| p.usual(&moment(day * 24 + hour, 3600), 0.0).mean;
        assert!(mean(1, 14) > 2.0 * mean(1, 2));
        assert!(mean(5, 14) < 0.8 * mean(1, 14));
        // No jump at midnight between Sunday and Monday.
        assert!((p.week(Timestamp::from_seconds(MONDAY - 1)) - p.week(Timestamp::from_seconds(MONDAY))).abs() < 1e-3);
    }

    #[test]
    fn a_keepalive_stays_exactly_the_same_for_days() {
        let mut p = profile(6, Nature::Keepalive, false);
        let values: Vec<f64> = (0..960).map(|slot| p.usual(&moment(slot, 3600), 0.5).mean).collect();
        let changes = values.windows(2).filter(|w| w[0] != w[1]).count();
        assert!((5..=10).contains(&changes), "{changes}");
    }

    #[test]
    fn names_are_those_of_their_speed_and_differ() {
        assert_eq!(ifname(Tier::Core, 2e9, 3), "et-0/0/3");
        assert_eq!(ifname(Tier::Edge, 1e7, 9), "ge-0/1/1");
        let mut all: Vec<String> = (0..500).map(|i| ifname(Tier::Aggregation, 5e8, i)).collect();
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 500);
    }
}
