//! One interface: its rows, what was said of each, its incidents, and the way back when a row comes late.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::chain::{Begun, Chain};
use super::scored::{Scored, ScoredRows};
use super::succession::{Succession, Term};
use crate::detect::notice::Notices;
use crate::detect::silence::{Activity, Gap, silences};
use crate::detect::tracker::{Change, Rules, Seen, Tracker, is_nothing};
use crate::detect::verdict::{ErrorSpace, look};
use crate::detect::{Incident, Judge, Settings, Verdict};
use crate::ingest::{Origin, Row};
use crate::model::kernel::{Given, INPUTS, OUTPUTS, Sequence};
use crate::model::{Forecaster, Model};
use crate::series::{DAY, History, Inserted, InterfaceName, Step, Timestamp, WARM_UP, step};

/// Slots that a row may be late, and be scored as if it had been in time.
pub const LATE_SLOTS: i64 = 48;
/// Rows between two points that can be gone back to.
const CHECKPOINT_ROWS: usize = 64;
/// Rows that can be gone back at the most, where rows are denser than the step says.
const MOST_DENSE: usize = 4 * CHECKPOINT_ROWS;
/// Gaps of fewer missing slots are of no interest to anybody.
const GAP_SLOTS: i64 = 3;
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

/// Bytes of what is carried from row to row, each part with all that it has on the heap. Ring and profiles
/// stay within 8 KB, the rest within 4 KB where windows have 24 slots, an open incident within 576 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes {
    /// The ring of the past week and the profiles of day and week.
    pub seasons: usize,
    /// The forecast's state besides: window, blends, mix.
    pub forecast: usize,
    /// The score's state.
    pub judge: usize,
    /// DBSCAN's sample.
    pub space: usize,
    /// Routines of incidents.
    pub tracker: usize,
    /// Past peaks.
    pub notices: usize,
    /// Places in the history, and what holds the parts together.
    pub rest: usize,
    /// The open incident; 0 where there is none.
    pub open: usize,
}

impl Bytes {
    /// All but ring and profiles, and but an open incident.
    pub fn scoring(&self) -> usize {
        self.forecast + self.judge + self.space + self.tracker + self.notices + self.rest
    }
}

/// The state before a row, to go back to.
#[derive(Debug)]
struct Checkpoint {
    row: usize,
    state: State,
    incidents: usize,
    gaps: usize,
}

/// A chain that was built elsewhere for another model, from the rows that were kept, before row `rows`.
#[derive(Debug)]
pub struct Prepared {
    chain: Chain,
    rows: usize,
    revision: u64,
}

/// A row that was begun and waits for what the network says. It holds the interface's chain until then.
#[derive(Debug)]
pub(super) struct Pending {
    chain: Box<Chain>,
    begun: Begun,
}

impl Pending {
    /// Whose time it is of the models.
    pub(super) fn term(&self) -> Term {
        self.chain.term
    }

    /// The window as the network takes it.
    pub(super) fn sequence(&self, into: &mut Vec<[f32; INPUTS]>) {
        self.chain.forecaster.sequence(into);
    }

    /// What the network is to be asked.
    pub(super) fn given<'a>(&'a self, sequence: &'a Sequence) -> Given<'a> {
        self.begun.given(&self.chain, sequence)
    }
}

/// The rules for the step that was asked for last: working them out takes longer than much of a row.
pub(super) struct RuleBook<'a> {
    settings: &'a Settings,
    latest: Option<(Step, Rules)>,
}

impl<'a> RuleBook<'a> {
    pub(super) fn new(settings: &'a Settings) -> Self {
        Self { settings, latest: None }
    }

    fn of(&mut self, step: Step) -> Rules {
        let known = self.latest.filter(|(of, _)| *of == step);
        self.latest.insert(known.unwrap_or_else(|| (step, self.settings.rules(step)))).1
    }
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

    /// Bytes that are carried from row to row.
    pub fn bytes(&self) -> Bytes {
        let chain = self.now.chain.as_deref();
        let [seasons, forecast] = chain.map_or([0; 2], |c| c.forecaster.bytes());
        let judge = chain.map_or(0, |c| c.judge.bytes());
        // Each part is counted with all that it has on the heap; what is left are a few own numbers.
        let parts = size_of::<Forecaster>() + size_of::<Judge>();
        let chain_rest = chain.map_or(0, |c| c.bytes() - parts);
        let rest = size_of::<State>() - size_of::<ErrorSpace>() - size_of::<Notices>() - size_of::<Tracker>();
        Bytes {
            seasons,
            forecast,
            judge,
            space: self.now.space.as_ref().map_or(size_of::<ErrorSpace>(), ErrorSpace::bytes),
            tracker: self.now.tracker.bytes(),
            notices: size_of::<Notices>(),
            rest: chain_rest + rest,
            open: self.now.tracker.open_bytes(),
        }
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

    /// Whether there is a state before this row to go back to: the first of all, or a checkpoint.
    fn can_rewind(&self, place: usize) -> bool {
        self.scored.places().start == 0 || self.checkpoints.front().is_some_and(|c| c.row <= place)
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

    /// Goes back to before the first row that has to be scored again.
    pub(super) fn start_settling(&mut self, models: &Succession) {
        if let Some(dirty) = self.dirty.take() {
            self.rewind(dirty, models);
            self.news += 1;
        }
        self.scored.expect(self.history.len());
    }

    /// Begins with the next row that is due: [`Track::finish_row`] scores it. None where none is, or where
    /// `is_late`, asked now and then, says to stop; rows that only warm up are dealt with on the way.
    pub(super) fn begin_row(
        &mut self,
        models: &Succession,
        since: usize,
        is_late: impl Fn() -> bool,
    ) -> Option<Pending> {
        while self.scored.len() < self.history.len() {
            let i = self.scored.len();
            if i.is_multiple_of(CHECKPOINT_ROWS) {
                if i > since && is_late() {
                    return None;
                }
                if self.checkpoints.back().is_none_or(|c| c.row != i) {
                    self.keep_checkpoint(i);
                }
            }
            let (term, model) = models.at(self.history.time(i));
            self.follow(models, term, model, i);
            if i >= WARM_UP && self.now.chain.is_none() && self.history.places().start == 0 {
                self.now.chain = Chain::build(&self.name, &self.history, 0, i, model).map(Box::new);
                self.now.chain.iter_mut().for_each(|chain| chain.term = term);
            }
            match self.now.chain.take() {
                Some(mut chain) => {
                    let begun = chain.begin(&self.name, &self.history, i, model);
                    return Some(Pending { chain, begun });
                }
                None => self.scored.push(Scored::warming(self.history.values(i.saturating_sub(1)))),
            }
        }
        None
    }

    /// Ends what was started. Silences are measured in steps: takes note where it is another one than before.
    pub(super) fn end_settling(&mut self, models: &Succession, before: Option<Step>) {
        if !self.is_due() {
            // Nobody has to wait for the next row to see the model that will score it.
            let (term, behind) = models.newest();
            self.follow(models, term, models.model(), self.scored.len());
            self.followed = behind;
        }
        self.news += u64::from(self.step() != before);
    }

    /// Goes on with the model of another term before row `i`: earlier scores stay as they were, and so do later
    /// ones where that model says the same of this interface. Where a prepared chain fits, it is brought up to
    /// date with the rows that came since; else one is built.
    fn follow(&mut self, models: &Succession, term: Term, model: &Model, i: usize) {
        let Some(now) = self.now.chain.as_mut().filter(|chain| chain.term != term) else { return };
        if models.of(now.term).is_some_and(|before| model.agrees_on(&self.name, before)) {
            now.term = term;
            return;
        }
        let fits = |p: &Prepared| p.revision == self.revision && p.rows <= i && p.chain.known;
        let chain = match self.prepared.take().filter(|p| fits(p)) {
            Some(mut prepared) => {
                (prepared.rows..i).for_each(|row| prepared.chain.replay(&self.history, row, model));
                Some(prepared.chain)
            }
            None => Chain::build(&self.name, &self.history, self.history.places().start, i, model),
        };
        now.term = term;
        if let Some(chain) = chain {
            now.start_again(chain);
            // Another model may see another step, and silences follow from that.
            self.news += 1;
        }
    }

    /// Keeps the state before a row, and of the earlier ones those that a row which is late may need.
    fn keep_checkpoint(&mut self, row: usize) {
        let time = self.history.time(row);
        let step = self.step();
        let is_far = |c: &Checkpoint| {
            let slots = step.map_or(i64::MAX, |step| step.slots_between(self.history.time(c.row), time));
            slots > LATE_SLOTS || c.row + MOST_DENSE < row
        };
        while self.checkpoints.get(1).is_some_and(is_far) {
            self.checkpoints.pop_front();
        }
        let (incidents, gaps) = (self.incidents.len(), self.gaps.len());
        self.checkpoints.push_back(Checkpoint { row, state: self.now.clone(), incidents, gaps });
    }

    /// Goes back to the state before row `to`, or an earlier one. Where there is none any more, nothing changes.
    fn rewind(&mut self, to: usize, models: &Succession) {
        let time = self.history.time(to);
        // A model may have taken over behind a slot for which this row comes late.
        let is_ahead = |c: &Checkpoint| c.state.chain.as_ref().is_some_and(|chain| models.is_ahead(chain.term, time));
        let found = self.checkpoints.iter().rposition(|c| c.row <= to && !is_ahead(c));
        let (row, incidents, gaps) = match found {
            Some(place) => {
                let checkpoint = &self.checkpoints[place];
                self.now = checkpoint.state.clone();
                (checkpoint.row, checkpoint.incidents, checkpoint.gaps)
            }
            None if self.scored.places().start > 0 => return,
            None => {
                self.now = State::default();
                (0, 0, 0)
            }
        };
        self.checkpoints.truncate(found.map_or(0, |place| place + 1));
        self.scored.truncate(row);
        self.incidents.truncate(incidents);
        self.gaps.truncate(gaps);
        // One that was over then may have gone on since.
        if let Some(resting) = self.now.tracker.resting() {
            self.incidents.truncate(incidents.saturating_sub(1));
            self.incidents.push(resting.clone());
        }
    }

    /// Scores the row that was begun, with what the network says where there is one.
    pub(super) fn finish_row(&mut self, row: Pending, out: Option<&[f32; OUTPUTS]>, rules: &mut RuleBook<'_>) {
        let i = self.scored.len();
        let (time, raw) = (self.history.time(i), self.history.values(i));
        let state = &mut self.now;
        let chain = state.chain.insert(row.chain);
        let outcome = chain.finish(row.begun, out);
        let (judged, step) = (outcome.judged, chain.forecaster.step());
        let before = i.checked_sub(1).map(|i| self.history.time(i));
        if let Some(after) = before.filter(|after| step.slots_between(*after, time) > GAP_SLOTS) {
            self.gaps.push(Gap { after, before: time });
            self.news += 1;
        }
        let rules = rules.of(step);
        let space = state.space.get_or_insert_with(|| ErrorSpace::new(step));
        let anomaly = judged.score >= rules.threshold;
        let nothing = is_nothing(raw[1], outcome.usual[1]);
        let history = time.since(self.history.begin().unwrap_or(time));
        let back = chain.is_back(&outcome);
        let seen = Seen { time, judged, raw, usual: outcome.usual, nothing, back, history };
        let change = state.tracker.see(&self.name, &seen, step, &rules);
        let look = look(&judged.vector, judged.flat, nothing, state.tracker.lasts(step));
        let usual_row = !anomaly && judged.vector.iter().all(|v| v.abs() < 1.0);
        let of = state.tracker.open().filter(|open| open.latest == time).map(|open| open.start);
        let started = of.unwrap_or(time);
        let (verdict, cluster) = if usual_row { (Verdict::Nominal, 0) } else { space.verdict(started, &look, anomaly) };
        if of.is_some() {
            let known = if anomaly { verdict } else { space.verdict(started, &look, true).0 };
            state.tracker.recognise(&seen, &look, known, step);
        }
        chain.learn(&outcome, state.tracker.standing(step));
        self.news += u64::from(change != Change::None);
        match change {
            Change::None => space.learn_quiet(&look),
            Change::Open => {}
            // It was among those that are over, as the last one.
            Change::Resumed => _ = self.incidents.pop(),
            Change::Closed(closed) => {
                chain.judge.calm_down();
                space.learn_incident(closed.incident.start, &closed.looks, closed.of_hour);
                if let Some(normal) = &closed.normal {
                    chain.take_over(normal, time);
                }
                if closed.returned {
                    chain.give_back();
                }
                if !closed.incident.usual {
                    self.incidents.push(closed.incident);
                }
            }
        }
        let listed = |open: &&Incident| open.latest == time && !open.usual;
        let incident = state.tracker.open().filter(listed).map(|open| open.id);
        let (history, scored) = (&self.history, &self.scored);
        let repeat = || scored.reached(judged.score, time.plus(-DAY), history);
        let notify = self.now.notices.get_or_insert_with(|| Notices::new(time)).see(time, judged.score, repeat);
        self.scored.push(Scored {
            expected: outcome.expected,
            error: judged.error,
            score: judged.score,
            notify,
            band: judged.band,
            verdict,
            cluster,
            anomaly,
            incident,
        });
    }

    /// Its incidents in the order of their starts: closed ones, the open one, and silences, of which about
    /// so many a week are wanted at the most.
    pub fn incidents(&self, activity: &Activity, alarms_per_week: f64) -> Vec<Incident> {
        let mut all: Vec<Incident> =
            self.incidents.iter().chain(self.now.tracker.open().filter(|i| !i.usual)).cloned().collect();
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
