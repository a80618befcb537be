//! Anomalous slots of one interface merged into one thing with a start, an end, a peak and a kind.

use std::fmt;

use super::judge::Judged;
use super::verdict::Verdict;
use crate::random::fnv1a;
use crate::series::{InterfaceName, Pair, Step, Timestamp};

/// Calm slots after which an incident is over.
const CALM: i64 = 3;
/// Share of the threshold that keeps an open incident open.
const HOLD: f64 = 0.5;
/// Anomalous slots from which a change is lasting rather than a spike or a drop.
const LASTING: usize = 6;
/// A value below this share of the usual one is nothing.
const NOTHING: f64 = 0.02;
/// A lasting change that begins with less than this share of its largest deviation is a drift.
const GRADUAL: f64 = 0.5;

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
    /// Its last anomalous slot so far.
    pub latest: Timestamp,
    /// The largest score.
    pub peak: f64,
    /// When that was.
    pub peak_at: Timestamp,
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

/// A judged row, as incidents see it.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Its slot.
    pub time: Timestamp,
    /// What was said of it.
    pub judged: Judged,
    /// Maximum and mean.
    pub raw: Pair,
    /// What is usual for this hour, in raw units.
    pub usual: Pair,
    /// DBSCAN's verdict.
    pub verdict: Verdict,
    /// Seconds of history before it.
    pub history: i64,
}

/// What a row did to the incidents of its interface.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// There is none, and there was none.
    None,
    /// One is open.
    Open,
    /// The open one is over, with the vectors of its first and its worst row.
    Closed(Box<Incident>, [[f64; 4]; 2]),
}

/// Merges anomalous rows of one interface into incidents.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    open: Option<Open>,
}

#[derive(Debug, Clone)]
struct Open {
    incident: Incident,
    vectors: [[f64; 4]; 2],
    /// Rows so far, and those of them that are anomalies by themselves.
    rows: usize,
    hot: usize,
    zero: usize,
    /// Rows up to the last one near nothing.
    until_zero: usize,
    flat: usize,
    until_flat: usize,
    /// Rows above usual less those below.
    signs: i32,
    first_away: f64,
    most_away: f64,
    most_away_at: usize,
}

impl Tracker {
    /// The open incident.
    pub fn open(&self) -> Option<&Incident> {
        self.open.as_ref().map(|open| &open.incident)
    }

    /// Sees a row. Rows whose score reaches `threshold` open an incident; it stays open while the
    /// score or what lasts stays above half of that, and is over after three calm slots.
    pub fn see(&mut self, name: &InterfaceName, row: &Seen, step: Step, threshold: f64) -> Change {
        let hot = row.judged.score >= threshold;
        let Some(open) = &mut self.open else {
            if hot {
                self.open = Some(Open::new(name, row, threshold));
                return Change::Open;
            }
            return Change::None;
        };
        let lasting = row.judged.vector[2].abs().max(row.judged.vector[3].abs()) >= HOLD * threshold;
        let still = row.judged.vector.iter().fold(row.judged.score, |a, v| a.max(v.abs())) >= HOLD * threshold;
        let apart = step.slots_between(open.incident.latest, row.time);
        // The way back looks like an error the other way round, since what was expected had followed:
        // it ends an incident. Only what also lies on the other side of the usual is another one.
        let same_way = (away(row) >= 0.0) == (open.first_away >= 0.0) || row.judged.flat > 0.0;
        let another = hot && !same_way && lasting;
        if apart <= CALM && same_way && (hot || still) {
            open.add(row, threshold);
            return Change::Open;
        }
        if apart < CALM && !another {
            return Change::Open;
        }
        let closed = self.close();
        if hot && (same_way || another) {
            self.open = Some(Open::new(name, row, threshold));
        }
        closed.map_or(Change::None, |(incident, vectors)| Change::Closed(Box::new(incident), vectors))
    }

    fn close(&mut self) -> Option<(Incident, [[f64; 4]; 2])> {
        self.open.take().map(|open| {
            let end = Some(open.incident.latest);
            (Incident { end, ..open.incident }, open.vectors)
        })
    }
}

impl Open {
    fn new(name: &InterfaceName, row: &Seen, threshold: f64) -> Self {
        let incident = Incident {
            id: IncidentId::new(name, row.time, false),
            kind: IncidentKind::Spike,
            direction: None,
            start: row.time,
            end: None,
            latest: row.time,
            peak: f64::NEG_INFINITY,
            peak_at: row.time,
            peak_value: 0.0,
            peak_expected: 0.0,
            verdict: row.verdict,
            onset: [row.judged.vector[0], row.judged.vector[1]],
            history: row.history,
        };
        let mut open = Self {
            incident,
            vectors: [row.judged.vector; 2],
            rows: 0,
            hot: 0,
            zero: 0,
            until_zero: 0,
            flat: 0,
            until_flat: 0,
            signs: 0,
            first_away: away(row),
            most_away: 0.0,
            most_away_at: 0,
        };
        open.add(row, threshold);
        open
    }

    fn add(&mut self, row: &Seen, threshold: f64) {
        let hot = row.judged.score >= threshold;
        self.rows += 1;
        self.hot += usize::from(hot);
        self.incident.latest = row.time;
        let near_nothing = row.raw[1].abs() <= NOTHING * row.usual[1].abs() && row.usual[1] != 0.0;
        if near_nothing && (hot || self.zero > 0) {
            (self.zero, self.until_zero) = (self.zero + 1, self.rows);
        }
        if row.judged.flat >= row.judged.score && row.judged.flat > 0.0 {
            (self.flat, self.until_flat) = (self.flat + 1, self.rows);
        }
        let away = away(row);
        self.signs += if away >= 0.0 { 1 } else { -1 };
        if away.abs() > self.most_away.abs() {
            (self.most_away, self.most_away_at) = (away, self.rows);
        }
        if row.judged.score > self.incident.peak {
            // The channel that is further from usual is the one to tell of.
            let c = if row.judged.error[0].abs() > 2.0 * row.judged.error[1].abs() { 0 } else { 1 };
            self.incident.peak = row.judged.score;
            self.incident.peak_at = row.time;
            self.incident.peak_value = row.raw[c];
            self.incident.peak_expected = row.usual[c];
            self.incident.verdict = row.verdict;
            self.vectors[1] = row.judged.vector;
        }
        (self.incident.kind, self.incident.direction) = self.kind();
    }

    /// What it is and which way. Behind an outage or a spike the level that is compared with is still
    /// pulled off by it, and calm rows look like the opposite for some hours: they say nothing of what
    /// happened. So an outage is judged up to its last row, and what is short by how it began.
    fn kind(&self) -> (IncidentKind, Option<Direction>) {
        let most = |count: usize, until: usize| count * 2 > until && count * 2 >= self.hot;
        let (way, sign) = if self.first_away >= 0.0 { (Direction::Up, 1) } else { (Direction::Down, -1) };
        let lasting = self.rows >= LASTING && i64::from(sign * self.signs) * 5 >= self.rows as i64 * 4;
        if most(self.zero, self.until_zero) {
            (IncidentKind::DropToZero, Some(Direction::Down))
        } else if most(self.flat, self.until_flat) {
            // A value that stays where it is has no direction.
            (IncidentKind::Flatline, None)
        } else if lasting {
            let gradual = self.first_away.abs() < GRADUAL * self.most_away.abs() && self.most_away_at >= LASTING / 2;
            (if gradual { IncidentKind::Drift } else { IncidentKind::LevelShift }, Some(way))
        } else {
            (if way == Direction::Up { IncidentKind::Spike } else { IncidentKind::Drop }, Some(way))
        }
    }
}

/// How far a row is from the usual level, on the channel that is further: signed, in usual deviations.
fn away(row: &Seen) -> f64 {
    let [max, mean] = row.judged.deviation;
    if max.abs() > mean.abs() { max } else { mean }
}
