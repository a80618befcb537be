//! What the interfaces of a device have in common: what it is for, and who uses it when.

use super::noise::{Lattice, key, purpose};
use crate::random::Random;

/// When people use a device.
#[derive(Debug, Clone, Copy)]
pub(super) enum Audience {
    Office,
    Home,
    Mixed,
}

impl Audience {
    /// Its two busy times.
    pub(super) fn humps(self) -> [Hump; 2] {
        let hump = |centre, narrow, height| Hump { centre, narrow, height };
        match self {
            Self::Office => [hump(10.5, 4.0, 0.85), hump(14.8, 4.0, 0.9)],
            Self::Home => [hump(12.5, 1.6, 0.45), hump(20.5, 4.0, 0.85)],
            Self::Mixed => [hump(11.5, 2.2, 0.6), hump(18.5, 2.2, 0.65)],
        }
    }
}

/// A busy time of the day.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hump {
    /// Its middle, in hours.
    centre: f64,
    narrow: f64,
    height: f64,
}

impl Hump {
    /// One like it, for one interface.
    pub(super) fn varied(self, random: &mut Random) -> Self {
        Self {
            centre: self.centre + random.between(-1.0, 1.0),
            narrow: self.narrow * random.between(0.5, 1.2),
            height: self.height * random.between(0.7, 1.1),
        }
    }

    /// How busy this hour is because of it.
    pub(super) fn at(self, hour: f64) -> f64 {
        let angle = std::f64::consts::TAU * (hour - self.centre) / 24.0;
        self.height * libm::exp(self.narrow * (libm::cos(angle) - 1.0))
    }
}

/// A device: what its interfaces have in common.
#[derive(Debug, Clone)]
pub(super) struct Device {
    pub(super) host: String,
    pub(super) tier: Tier,
    pub(super) audience: Audience,
    /// Seconds by which its people are ahead of UTC.
    pub(super) ahead: i64,
    common: Lattice,
}

/// What a device is for, which decides how much it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    Core,
    Aggregation,
    Edge,
    Vpn,
}

/// The order in which a fleet is filled; any number of devices has a likely mixture.
const TIERS: [Tier; 8] =
    [Tier::Core, Tier::Aggregation, Tier::Edge, Tier::Edge, Tier::Vpn, Tier::Edge, Tier::Aggregation, Tier::Edge];

impl Tier {
    fn name(self) -> &'static str {
        match self {
            Self::Core => "core",
            Self::Aggregation => "agg",
            Self::Edge => "edge",
            Self::Vpn => "vpn",
        }
    }

    /// Bits a second at the busiest hour, from and to.
    pub(super) fn load(self) -> (f64, f64) {
        match self {
            Self::Core => (2e8, 9e9),
            Self::Aggregation => (2e7, 1e9),
            Self::Edge => (5e5, 5e7),
            Self::Vpn => (2e4, 2e6),
        }
    }
}

impl Device {
    /// The device at `index` of the fleet of `seed`.
    pub(super) fn draw(seed: u64, index: usize) -> Self {
        let random = &mut Random::new(key(&[seed, purpose::DEVICE, index as u64]));
        let tier = TIERS[index % TIERS.len()];
        let like_it = (0..=index).filter(|i| TIERS[i % TIERS.len()] == tier).count();
        let audience = match (tier, random.below(3)) {
            (Tier::Core | Tier::Aggregation, 0) | (Tier::Edge, 0) => Audience::Mixed,
            (Tier::Vpn, _) | (Tier::Edge, 1) | (Tier::Aggregation, 1) => Audience::Office,
            _ => Audience::Home,
        };
        Self {
            host: format!("{}-{like_it}", tier.name()),
            tier,
            audience,
            ahead: (random.below(5) as i64 - 2) * 3600,
            common: Lattice::new(key(&[seed, purpose::DEVICE, index as u64, 1])),
        }
    }

    /// What moves all interfaces of the device together, as a normal number.
    pub(super) fn common(&mut self, since: i64) -> f64 {
        self.common.smooth(since, 3 * 3600)
    }
}
