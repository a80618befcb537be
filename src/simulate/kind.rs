//! What can happen to an interface: how it is called, how long it takes, how strong it is, and
//! what it does to a row.

use std::fmt;
use std::str::FromStr;

use super::profile::{Nature, Profile, Sample};
use crate::random::Random;
use crate::series::{DAY, Step};

/// A kind of incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Mean and maximum 2.2 to 5 times as high, for a few slots.
    Spike,
    /// The maximum alone 4 to 7 times as high, for a few slots.
    Microburst,
    /// Mean and maximum 0, for 2 to 12 slots.
    DropToZero,
    /// The values of the slot before it again and again, for 6 to 24 slots.
    Flatline,
    /// 0.4, 1.8 or 2.5 times the usual for 2 to 5 days; it ends with the level's return.
    LevelShift,
    /// A slow rise to 2 to 3 times the usual within 10 to 17 hours; it ends with the fall back.
    Drift,
    /// No rows, for 3 to 24 slots.
    Silence,
    /// One of the first nights of a nightly backup that was not there before.
    Backup,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 8] = [
        Self::Spike,
        Self::Microburst,
        Self::DropToZero,
        Self::Flatline,
        Self::LevelShift,
        Self::Drift,
        Self::Silence,
        Self::Backup,
    ];

    /// Those that occur by chance.
    pub const BY_CHANCE: [Self; 7] =
        [Self::Spike, Self::Microburst, Self::DropToZero, Self::Flatline, Self::LevelShift, Self::Drift, Self::Silence];

    /// Those that a story over several interfaces of a device is made of.
    pub(super) const OF_STORIES: [Self; 2] = [Self::Spike, Self::DropToZero];

    /// Its name in labels: lower case, words joined by hyphens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Microburst => "microburst",
            Self::DropToZero => "drop-to-zero",
            Self::Flatline => "flatline",
            Self::LevelShift => "level-shift",
            Self::Drift => "drift",
            Self::Silence => "silence",
            Self::Backup => "backup",
        }
    }

    /// Whether it lasts so long that gaps and collector outages may fall into it without hiding it.
    pub(super) fn is_long(self) -> bool {
        matches!(self, Self::LevelShift | Self::Drift)
    }

    /// Slots that it takes.
    pub(super) fn draw_slots(self, step: Step, random: &mut Random) -> u64 {
        let hours = |low, high, random: &mut Random| {
            let slots = step.slots_in(3600) * random.between(low, high);
            (slots.round() as u64).max(2)
        };
        let within = |low: usize, high: usize, random: &mut Random| (low + random.below(high - low + 1)) as u64;
        match self {
            Self::Spike | Self::Microburst => within(1, if step.seconds() >= 1800 { 3 } else { 6 }, random),
            Self::DropToZero => within(2, 12, random),
            Self::Flatline => within(6, 24, random),
            Self::LevelShift => hours(48.0, 120.0, random),
            Self::Drift => hours(10.0, 17.0, random),
            Self::Silence => within(3, 24, random),
            Self::Backup => 1,
        }
    }

    /// How strong it is: a factor for those kinds that have one. `lowest` (0 to 1) cuts off the
    /// weaker part of the range.
    pub(super) fn draw_amount(self, profile: &Profile, lowest: f64, random: &mut Random) -> f64 {
        let share = random.between(lowest, 1.0);
        let within = |low: f64, high: f64| low + (high - low) * share;
        match self {
            Self::Spike => within(profile.least_spike(), 5.0),
            Self::Microburst => within(4.0, 7.0),
            Self::LevelShift => [1.8, 0.4, 2.5][(share * 3.0) as usize % 3],
            Self::Drift => within(2.0, 3.0),
            Self::DropToZero | Self::Flatline | Self::Silence | Self::Backup => 1.0,
        }
    }

    /// Slots of an incident of `slots` that must be seen to make it one: where the rows end before
    /// that, it gets no label.
    pub(super) fn seen_after(self, slots: u64) -> u64 {
        match self {
            Self::Drift => slots.div_ceil(2),
            Self::Flatline => 6,
            Self::Silence => 3,
            Self::DropToZero => 2,
            Self::Spike | Self::Microburst | Self::LevelShift | Self::Backup => 1,
        }
    }

    /// Whether it can be told from usual behaviour on an interface of this nature.
    pub(super) fn suits(self, nature: Nature) -> bool {
        match nature {
            Nature::Busy => true,
            // Its own ups and downs are as large as the smaller shifts.
            Nature::Rough => !matches!(self, Self::LevelShift | Self::Drift),
            // Next to its own nightly jumps a spike of some times its low load is nothing.
            Nature::Backup => matches!(self, Self::DropToZero | Self::LevelShift | Self::Silence),
            Nature::Steady => self != Self::Flatline,
            Nature::Keepalive => !matches!(self, Self::Flatline | Self::Drift),
            Nature::Idle => matches!(self, Self::Spike | Self::Silence),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.name() == text).ok_or_else(|| {
            let names: Vec<&str> = Self::BY_CHANCE.into_iter().map(Self::name).collect();
            format!("no such kind; there are {}", names.join(", "))
        })
    }
}

/// Something that happens to one interface in a closed interval of slots.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Incident {
    pub(super) interface: usize,
    pub(super) kind: Kind,
    /// First slot.
    pub(super) start: u64,
    /// Last slot.
    pub(super) end: u64,
    pub(super) amount: f64,
    pub(super) story: Option<u32>,
    pub(super) labelled: bool,
}

impl Incident {
    pub(super) fn covers(&self, slot: u64) -> bool {
        (self.start..=self.end).contains(&slot)
    }

    /// What `usual` becomes in `slot`; nothing where there is no row. `before` gives what stood in
    /// the slot before the incident.
    pub(super) fn change(
        &self,
        slot: u64,
        profile: &Profile,
        usual: Sample,
        before: impl FnOnce() -> Sample,
    ) -> Option<Sample> {
        let times = |factor: f64| Sample { mean: usual.mean * factor, max: usual.max * factor };
        match self.kind {
            Kind::Spike if profile.nature == Nature::Idle => {
                // A multiple of nothing is nothing: here it is a multiple of the usual activity.
                let extra = 4.0 * self.amount * profile.base;
                Some(Sample { mean: usual.mean + extra, max: usual.max + 1.3 * extra })
            }
            Kind::Spike | Kind::LevelShift => Some(times(self.amount)),
            Kind::Microburst => Some(Sample { mean: usual.mean, max: usual.max * self.amount }),
            Kind::DropToZero => Some(times(0.0)),
            Kind::Flatline => Some(before()),
            Kind::Drift => {
                let done = (slot - self.start + 1) as f64 / (self.end - self.start + 1) as f64;
                Some(times(1.0 + (self.amount - 1.0) * done))
            }
            Kind::Silence => None,
            // The jump is part of the profile, which has it every night from then on.
            Kind::Backup => Some(usual),
        }
    }
}

/// Seconds that must lie between two incidents of one interface.
pub(super) const APART: i64 = 3 * DAY;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_is_found_by_its_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("drop".parse::<Kind>().unwrap_err().contains("drop-to-zero"));
    }

    #[test]
    fn lengths_lie_within_what_is_promised() {
        let mut random = Random::new(3);
        for (seconds, kind, low, high) in [
            (3600, Kind::Spike, 1, 3),
            (300, Kind::Spike, 1, 6),
            (300, Kind::DropToZero, 2, 12),
            (3600, Kind::Flatline, 6, 24),
            (3600, Kind::LevelShift, 48, 120),
            (300, Kind::Drift, 120, 204),
            (3600, Kind::Silence, 3, 24),
        ] {
            let step = Step::from_seconds(seconds).unwrap();
            let all: Vec<u64> = (0..2000).map(|_| kind.draw_slots(step, &mut random)).collect();
            assert_eq!((all.iter().min(), all.iter().max()), (Some(&low), Some(&high)), "{kind} {seconds}");
        }
    }
}
