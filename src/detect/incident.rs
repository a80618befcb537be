//! An incident: one thing that happened to one interface, with a start, an end, a peak and a kind.

use std::fmt;

use super::verdict::Verdict;
use crate::random::fnv1a;
use crate::series::{InterfaceName, Pair, Timestamp};

/// What happened to an interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IncidentKind {
    /// Short and up.
    Spike,
    /// Short and down, not to nothing.
    Drop,
    /// Down to nothing.
    DropToZero,
    /// The same value again and again where that is unusual.
    Flatline,
    /// A lasting change of level.
    LevelShift,
    /// A slow departure from the usual.
    Drift,
    /// No rows, while others have some.
    Silence,
}

impl IncidentKind {
    /// Its name in files: lower case, words joined by hyphens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Drop => "drop",
            Self::DropToZero => "drop-to-zero",
            Self::Flatline => "flatline",
            Self::LevelShift => "level-shift",
            Self::Drift => "drift",
            Self::Silence => "silence",
        }
    }

    /// The words for it, on screen and in plain lines.
    pub fn word(self) -> &'static str {
        match self {
            Self::Spike => "spike",
            Self::Drop => "drop",
            Self::DropToZero => "drop to zero",
            Self::Flatline => "flatline",
            Self::LevelShift => "level shift",
            Self::Drift => "slow drift",
            Self::Silence => "silence",
        }
    }
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// More than expected.
    Up,
    /// Less than expected.
    Down,
}

impl Direction {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// An incident's name: the same for the same rows and model, in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IncidentId(pub u64);

impl IncidentId {
    /// The name of the incident of `interface` that starts at `start`. Silence, which has no rows,
    /// has names of its own.
    pub fn new(interface: &InterfaceName, start: Timestamp, silence: bool) -> Self {
        let class = if silence { "silence" } else { "rows" };
        let text = format!("{}\n{}\n{}\n{class}", interface.host, interface.ifname, start.seconds());
        // 40 bits, eight letters: a console has thousands of incidents, not billions.
        Self(fnv1a(text.as_bytes()) & 0xff_ffff_ffff)
    }
}

/// Eight letters and digits, easy to read out (Crockford's base 32: no I, L, O or U).
impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        for shift in (0..8).rev() {
            let letter = LETTERS[(self.0 >> (5 * shift)) as usize & 31];
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

/// Anomalous slots of one interface, merged into one thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// Its name.
    pub id: IncidentId,
    /// What happened.
    pub kind: IncidentKind,
    /// Up or down; none for silence and flatlines.
    pub direction: Option<Direction>,
    /// Its first slot.
    pub start: Timestamp,
    /// Its last slot; none while it is open.
    pub end: Option<Timestamp>,
    /// Whether it ended because its level was taken over as the new normal.
    pub taken_over: bool,
    /// Whether it is what this interface does at this hour anyway: not listed, and it never rings.
    pub usual: bool,
    /// Its last anomalous slot so far.
    pub latest: Timestamp,
    /// The largest score.
    pub peak: f64,
    /// When that was.
    pub peak_at: Timestamp,
    /// The largest score of its first six hours: what decides whether it rings.
    pub early: f64,
    /// The mean value then (that of the maximum, where only the maximum was off).
    pub peak_value: f64,
    /// What was usual for that value at that time.
    pub peak_expected: f64,
    /// DBSCAN's verdict at the peak.
    pub verdict: Verdict,
    /// Signed rarity of the one-step errors in the first slot.
    pub onset: Pair,
    /// Seconds of history that stood behind it when it started.
    pub history: i64,
}
