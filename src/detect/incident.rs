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

/// Crockford's base 32: no I, L, O or U.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Eight letters and digits, easy to read out.
impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for shift in (0..8).rev() {
            let letter = LETTERS[(self.0 >> (5 * shift)) as usize & 31];
            write!(f, "{}", char::from(letter))?;
        }
        Ok(())
    }
}

/// A text that is no incident's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an incident's name has eight letters and digits, without i, l, o and u")]
pub struct NoIncidentId;

/// Reads what is displayed; upper and lower case are the same.
impl std::str::FromStr for IncidentId {
    type Err = NoIncidentId;

    fn from_str(text: &str) -> Result<Self, NoIncidentId> {
        if text.len() != 8 {
            return Err(NoIncidentId);
        }
        text.bytes()
            .try_fold(0, |id, byte| {
                let digit =
                    LETTERS.iter().position(|letter| *letter == byte.to_ascii_lowercase()).ok_or(NoIncidentId)?;
                Ok(id << 5 | digit as u64)
            })
            .map(Self)
    }
}

/// Powers of ten by which what looks like n earlier ones has to be rarer to call somebody, for each of 1 + n: once
/// to be as rare as the first was, and once more since it is no news.
const NO_NEWS: f64 = 2.0;

/// What a score counts for who is called, where so many like it came before.
pub(super) fn news(score: f64, alike: usize) -> f64 {
    score - NO_NEWS * libm::log10(1.0 + alike as f64)
}

/// How rare an incident became, and when: its first score and each later one that is at least ten times
/// rarer, in its first six hours, less where the like came before. Later ones do not matter to who is
/// called, and so what is decided from them stays decided.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Rise {
    steps: [(i32, f32); RISES],
    len: u8,
}

/// Steps of a rise that are kept: from once in 10^3 to once in 10^9, and what is beyond is as rare as that.
const RISES: usize = 6;
/// Seconds of an incident that count.
pub const EARLY: i64 = 6 * 3600;

impl Rise {
    /// Learns a score that came so many seconds after the start.
    pub fn learn(&mut self, seconds: i64, score: f64) {
        let place = usize::from(self.len);
        if seconds < EARLY && place < RISES && (place == 0 || score >= self.rarest() + 1.0) {
            self.steps[place] = (seconds as i32, score as f32);
            self.len += 1;
        }
    }

    /// The steps: seconds after the start, and the score.
    pub fn steps(&self) -> impl Iterator<Item = (i64, f64)> + '_ {
        self.steps[..usize::from(self.len)].iter().map(|(seconds, score)| (i64::from(*seconds), f64::from(*score)))
    }

    /// The last and largest of them; 0 where there is none.
    pub fn rarest(&self) -> f64 {
        self.steps().last().map_or(0.0, |(_, score)| score)
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
    /// Whether it is what this interface does at this hour anyway, or too little for one that is so restless:
    /// not listed, and it never rings.
    pub usual: bool,
    /// Its last anomalous slot so far.
    pub latest: Timestamp,
    /// The largest score.
    pub peak: f64,
    /// When that was.
    pub peak_at: Timestamp,
    /// How rare it became in its first hours: what decides whether it rings.
    pub rise: Rise,
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

impl Incident {
    /// One that is open since `start`: not rare yet, like nothing before, and of no direction.
    pub fn new(id: IncidentId, kind: IncidentKind, start: Timestamp) -> Self {
        Self {
            id,
            kind,
            direction: None,
            start,
            end: None,
            taken_over: false,
            usual: false,
            latest: start,
            peak: 0.0,
            peak_at: start,
            rise: Rise::default(),
            peak_value: 0.0,
            peak_expected: 0.0,
            verdict: Verdict::Noise,
            onset: [0.0; 2],
            history: 0,
        }
    }

    /// How it stands, in words: `open`, `closed`, or `taken over` where its level is the new normal.
    pub fn state(&self) -> &'static str {
        state_word(self.end.is_some(), self.taken_over)
    }

    /// The same in files: `taken-over`.
    pub fn state_name(&self) -> &'static str {
        state_name(self.end.is_some(), self.taken_over)
    }
}

/// How an incident stands, in files: lower case, words joined by hyphens.
pub fn state_name(ended: bool, taken_over: bool) -> &'static str {
    match (ended, taken_over) {
        (true, true) => "taken-over",
        _ => state_word(ended, taken_over),
    }
}

/// The words for how an incident stands.
pub fn state_word(ended: bool, taken_over: bool) -> &'static str {
    match (ended, taken_over) {
        (false, _) => "open",
        (true, true) => "taken over",
        (true, false) => "closed",
    }
}
