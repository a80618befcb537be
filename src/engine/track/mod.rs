//! One interface: its rows, what was said of each, its incidents, and the way back when a row comes late.
//!
//! How rows are taken and let go of stands here, how they are scored in `scoring.rs`, the way back in `rewind.rs`.

mod bytes;
mod rewind;
mod scoring;

use std::collections::VecDeque;
use std::ops::RangeInclusive;

pub use self::bytes::Bytes;
use self::rewind::Checkpoint;
pub(super) use self::scoring::{Pending, RuleBook};
use super::chain::Chain;
use super::scored::{Scored, ScoredRows};
use crate::detect::Incident;
use crate::detect::notice::Notices;
use crate::detect::silence::{Activity, Gap, silences};
use crate::detect::tracker::Tracker;
use crate::detect::verdict::ErrorSpace;
use crate::ingest::{Origin, Row};
use crate::model::Model;
use crate::series::{DAY, History, Inserted, InterfaceName, Step, Timestamp, WARM_UP, step};

/// Slots that a row may be late, and be scored as if it had been in time.
pub const LATE_SLOTS: i64 = 48;
/// Rows between two points that can be gone back to.
const CHECKPOINT_ROWS: usize = 64;
/// Rows that can be gone back at the most, where rows are denser than the step says.
const MOST_DENSE: usize = 4 * CHECKPOINT_ROWS;
/// Rows that are kept at the least, whatever the memory: those that the next score may need.
pub const LEAST_KEPT: usize = MOST_DENSE + CHECKPOINT_ROWS;

/// What became of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It will be scored.
    Scored,
    /// It came too late to be scored and stands in history only.
    HistoryOnly,
    /// It changed a row that stood there.
    Corrected,
    /// It changed nothing: the same row stood there, or one that takes precedence.
    Nothing,
    /// It is older than the rows that are kept, and changed nothing: whether it is new, a repeat or a
    /// correction is not known any more.
    Forgotten,
}

/// All that is known of one interface.
#[derive(Debug)]
pub struct Track {
    name: InterfaceName,
    history: History,
    scored: ScoredRows,
    now: State,
    incidents: Vec<Incident>,
    /// Those that are over and were too little to be listed. One that went on since stands here as it was.
    hushed: Vec<Incident>,
    gaps: Vec<Gap>,
    checkpoints: VecDeque<Checkpoint>,
    /// First row that has to be scored again.
    dirty: Option<usize>,
    /// A chain for the model that takes over, until it has done so.
    prepared: Option<Box<Prepared>>,
    /// The slot behind which the model scores that has taken over already, though no row has come since.
    followed: Option<Timestamp>,
    /// Before any row was scored, one came so late that others may have to be scored after it.
    strays: bool,
    /// Changes whenever its incidents may have.
    news: u64,
    /// Changes with every row that was put before others or corrected.
    revision: u64,
}

/// What is carried from row to row.
#[derive(Debug, Clone, Default)]
struct State {
    chain: Option<Box<Chain>>,
    space: Option<ErrorSpace>,
    notices: Option<Notices>,
    tracker: Tracker,
}

/// A chain that was built elsewhere for another model, from the rows that were kept, before row `rows`.
#[derive(Debug)]
pub struct Prepared {
    chain: Chain,
    rows: usize,
    revision: u64,
}

impl Track {
    /// An interface without rows.
    pub fn new(name: InterfaceName) -> Self {
        Self {
            name,
            history: History::default(),
            scored: ScoredRows::default(),
            now: State::default(),
            incidents: Vec::new(),
            hushed: Vec::new(),
            gaps: Vec::new(),
            checkpoints: VecDeque::new(),
            dirty: None,
            prepared: None,
            followed: None,
            strays: false,
            news: 0,
            revision: 0,
        }
    }

    /// The same interface with its rows from `since` on, and so many of the newest at least and at most. None is scored.
    pub(super) fn recent(&self, since: Timestamp, rows: RangeInclusive<usize>) -> Self {
        let history = &self.history;
        let newest = |rows: usize| history.len().saturating_sub(rows);
        let from = history.first_at_or_after(since).min(newest(*rows.start())).max(newest(*rows.end()));
        Self { history: history.tail(from), ..Self::new(self.name.clone()) }
    }

    /// Its name.
    pub fn name(&self) -> &InterfaceName {
        &self.name
    }

    /// Its rows.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What was said of each row, in the order of the history; shorter than it while rows are due.
    pub fn scored(&self) -> &ScoredRows {
        &self.scored
    }

    /// Its chain, once it has warmed up.
    pub fn chain(&self) -> Option<&Chain> {
        self.now.chain.as_deref()
    }

    /// Its step, once it is settled.
    pub fn step(&self) -> Option<Step> {
        self.chain().map(|c| c.forecaster.step())
    }

    /// Its step, or what its few rows show of it.
    pub fn step_so_far(&self) -> Option<Step> {
        self.step().or_else(|| step::infer(&self.history.times().take(WARM_UP).collect::<Vec<_>>()))
    }

    /// Whether rows wait to be scored.
    pub fn is_due(&self) -> bool {
        self.dirty.is_some() || self.scored.len() < self.history.len()
    }

    /// Rows that wait to be scored.
    pub fn due(&self) -> usize {
        self.history.len() - self.dirty.unwrap_or(self.scored.len())
    }

    /// Changes whenever its incidents may have changed, but for a silence that has not ended.
    pub fn news(&self) -> u64 {
        self.news
    }

    /// Whether it had gaps.
    pub fn has_gaps(&self) -> bool {
        !self.gaps.is_empty()
    }

    /// Counts the corrections and late rows of its history.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Takes a row. `wins` says whether a row from the first origin replaces one from the second.
    pub fn take(&mut self, row: &Row, wins: impl FnOnce(Origin, Origin) -> bool) -> Taken {
        let inserted = self.history.insert(row.time, row.max, row.mean, row.origin, wins);
        let place = match inserted {
            Inserted::Appended => {
                let place = self.history.len() - 1;
                if Some(row.time) <= self.followed && self.can_rewind(place) {
                    // A model has taken over behind a slot that this interface had not reached yet.
                    self.score_again(place);
                }
                return Taken::Scored;
            }
            Inserted::Same | Inserted::Outvoted => return Taken::Nothing,
            Inserted::Forgotten => {
                self.strays |= self.scored.is_empty();
                // Its history may have begun earlier than was thought.
                self.news += 1;
                return Taken::Forgotten;
            }
            Inserted::Between(i) | Inserted::Corrected(i) => i,
        };
        self.revision += 1;
        let corrected = matches!(inserted, Inserted::Corrected(_));
        if place >= self.scored.len() {
            self.strays |= self.scored.is_empty() && !self.is_near_the_end(row.time);
            return if corrected { Taken::Corrected } else { Taken::Scored };
        }
        // The row stands in the history already, so what was scored reaches one place further.
        let scored = self.scored.len() - usize::from(corrected);
        let newest = self.newest_in_time(scored.min(self.history.len() - 1));
        let late = self.step().map_or(0, |step| step.slots_between(row.time, newest));
        if late > LATE_SLOTS || !self.can_rewind(place) {
            if !corrected {
                if place >= self.scored.places().start {
                    self.scored.insert(place, Scored::warming(self.history.values(place)));
                } else {
                    self.scored.move_by_one();
                }
                self.checkpoints.iter_mut().for_each(|c| c.row += usize::from(c.row > place));
                self.dirty = self.dirty.map(|d| d + usize::from(d >= place));
            }
            // Its history may have begun earlier than was thought.
            self.news += 1;
            return Taken::HistoryOnly;
        }
        self.score_again(place);
        if !corrected {
            // Keeps rows and what was said of them side by side until this one is scored.
            self.scored.insert(place, Scored::warming(self.history.values(place)));
        }
        if corrected { Taken::Corrected } else { Taken::Scored }
    }

    fn score_again(&mut self, place: usize) {
        self.dirty = Some(self.dirty.map_or(place, |d| d.min(place)));
    }

    /// Whether a moment lies so few rows before the newest one that scoring would not have missed it.
    /// It errs towards no.
    fn is_near_the_end(&self, time: Timestamp) -> bool {
        let (places, near) = (self.history.places(), LATE_SLOTS as usize / 2);
        let last = places.end - 1;
        if last < places.start + 1 {
            return true;
        }
        let [newest, before] = [last, last - 1].map(|i| self.history.time(i));
        newest.since(time) <= near as i64 * newest.since(before) && self.history.first_at_or_after(time) + near >= last
    }

    /// Whether a row came so late, before any was scored, that not all of them would have been scored in
    /// their order had scoring gone along with the reading.
    pub(super) fn has_strays(&self) -> bool {
        self.strays
    }

    /// Before any row is scored: keeps the rows of the last `span` seconds, and at least the newest `least`.
    pub(super) fn skim(&mut self, span: i64, least: usize) {
        let Some(newest) = self.history.newest().filter(|_| self.scored.is_empty()) else { return };
        let places = self.history.places();
        let from = self.history.first_at_or_after(newest.plus(-span)).min(places.end.saturating_sub(least));
        // Not for a few: what stays has to be moved.
        if from > places.start + places.len() / 4 {
            self.history.let_go(from);
        }
    }

    /// Lets go of all but the newest `keep` rows, and those that the next score may need. Not for a few:
    /// there are up to a quarter more, and always an eighth.
    pub(super) fn let_go(&mut self, keep: usize) {
        let keep = keep.max(LEAST_KEPT);
        let needed = self.checkpoints.front().map_or(0, |oldest| oldest.row.saturating_sub(1));
        let before = self.history.len().saturating_sub(keep + keep / 8).min(needed);
        if before > self.scored.places().start + keep / 8 {
            self.scored.let_go(before, &self.history);
        }
        // A scale that is fitted again needs all rows once more.
        let chains = self.checkpoints.iter().map(|c| c.state.chain.as_deref()).chain([self.now.chain.as_deref()]);
        let before =
            chains.map(|chain| chain.map_or(0, Chain::needs_from)).fold(self.scored.places().start, usize::min);
        if before > self.history.places().start + keep / 8 {
            self.history.let_go(before);
        }
    }

    /// The moment of row `last`, against which others are late; that of the row before a jump of more
    /// than a day and 48 slots where one lies at most 48 rows back. A clock that was wrong once would
    /// otherwise make everything that follows late.
    fn newest_in_time(&self, last: usize) -> Timestamp {
        let Some(step) = self.step() else { return self.history.time(last) };
        let jump = DAY.max(LATE_SLOTS * step.seconds());
        let first = last.saturating_sub(LATE_SLOTS as usize).max(self.history.places().start);
        let jumps = |i: &usize| self.history.time(i + 1).since(self.history.time(*i)) > jump;
        let before = (first..last).find(jumps).unwrap_or(last);
        self.history.time(before)
    }

    /// Its incidents in the order of their starts: closed ones, the open one, and silences, of which about
    /// so many a week are wanted at the most. Those that are [`Incident::usual`] are too little to be listed.
    pub fn incidents(&self, activity: &Activity, alarms_per_week: f64) -> Vec<Incident> {
        let tracker = &self.now.tracker;
        let open = tracker.open().filter(|i| !i.usual).or_else(|| tracker.hushed());
        let goes_on = |start: Timestamp| open.is_some_and(|open| open.start == start);
        let listed = |start: &Timestamp| self.incidents.binary_search_by_key(start, |i| i.start).is_ok();
        let hushed = self.hushed.iter().filter(|i| !goes_on(i.start) && !listed(&i.start));
        let mut all: Vec<Incident> = self.incidents.iter().chain(hushed).chain(open).cloned().collect();
        if let (Some(step), Some(newest)) = (self.step(), self.history.newest()) {
            // An incident whose interface has fallen silent has ended with its last row.
            let first = self.history.begin().unwrap_or(newest);
            let silent = silences(&self.name, step, first, newest, &self.gaps, activity, alarms_per_week);
            if let Some(open) = all.last_mut().filter(|i| i.end.is_none())
                && silent.iter().any(|s| s.end.is_none())
            {
                open.end = Some(open.latest);
            }
            all.extend(silent);
        }
        all.sort_by_key(|i| (i.start, i.id));
        all
    }

    /// The chain that `model` gives this interface, built from a copy of its history on any thread. The
    /// copy's first row stands at place `first` of the interface's own history.
    pub fn prepare(
        name: &InterfaceName,
        history: &History,
        first: usize,
        revision: u64,
        model: &Model,
    ) -> Option<Prepared> {
        let rows = history.len();
        let mut chain = if rows >= WARM_UP { Chain::build(name, history, 0, rows, model)? } else { return None };
        chain.move_by(first);
        Some(Prepared { chain, rows: first + rows, revision })
    }

    /// Takes note that another model scores the rows behind `slot`. The next settling goes on with it.
    pub fn adopt(&mut self, slot: Timestamp, prepared: Option<Prepared>) {
        self.prepared = prepared.map(Box::new);
        // Rows of a clock that is wrong, and those for which a model took over behind the same slot.
        let behind = self.history.first_at_or_after(slot.plus(1));
        if behind < self.scored.len() && self.can_rewind(behind) {
            self.score_again(behind);
        }
    }
}
