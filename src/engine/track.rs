//! One interface: its rows, what was said of each, its incidents, and the way back when a row comes late.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::chain::{Begun, Chain};
use crate::detect::notice::Notices;
use crate::detect::silence::{Activity, Gap, silences};
use crate::detect::tracker::{Change, Rules, Seen, Tracker, is_nothing};
use crate::detect::verdict::{ErrorSpace, look};
use crate::detect::{Incident, IncidentId, Judge, Settings, Standing, Verdict};
use crate::ingest::{Origin, Row};
use crate::model::kernel::{Given, INPUTS, OUTPUTS, Sequence};
use crate::model::{Forecaster, Model};
use crate::series::{DAY, History, Inserted, InterfaceName, Pair, Step, Timestamp, WARM_UP, step};

/// Slots that a row may be late, and be scored as if it had been in time.
pub const LATE_SLOTS: i64 = 48;
/// Rows between two points that can be gone back to.
const CHECKPOINT_ROWS: usize = 64;
/// Gaps of fewer missing slots are of no interest to anybody.
const GAP_SLOTS: i64 = 3;

/// What was said of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// What was expected: maximum and mean.
    pub expected: Pair,
    /// Signed errors in units of the interface's usual error.
    pub error: Pair,
    /// −log10 of the probability of such a row here.
    pub score: f64,
    /// The score once repeats of the same incident are damped.
    pub notify: f64,
    /// The error of the mean that the model expects, in scaled units.
    pub band: f64,
    /// DBSCAN's verdict.
    pub verdict: Verdict,
    /// DBSCAN's label; −1 is none.
    pub cluster: i32,
    /// Whether it is an anomaly.
    pub anomaly: bool,
    /// The incident that it belongs to.
    pub incident: Option<IncidentId>,
}

impl Scored {
    fn warming(expected: Pair) -> Self {
        Self {
            expected,
            error: [0.0; 2],
            score: 0.0,
            notify: 0.0,
            band: 0.0,
            verdict: Verdict::Warming,
            cluster: -1,
            anomaly: false,
            incident: None,
        }
    }
}

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
}

/// All that is known of one interface.
#[derive(Debug)]
pub struct Track {
    name: InterfaceName,
    history: History,
    scored: Vec<Scored>,
    now: State,
    incidents: Vec<Incident>,
    gaps: Vec<Gap>,
    checkpoints: VecDeque<Checkpoint>,
    /// First row that has to be scored again.
    dirty: Option<usize>,
    /// First row that the present model scored: what an earlier one said is not taken back.
    floor: usize,
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

/// A chain that was built elsewhere for another model, from the first `rows` rows of a history.
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
            scored: Vec::new(),
            now: State::default(),
            incidents: Vec::new(),
            gaps: Vec::new(),
            checkpoints: VecDeque::new(),
            dirty: None,
            floor: 0,
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
    pub fn scored(&self) -> &[Scored] {
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
            Inserted::Appended => return Taken::Scored,
            Inserted::Same | Inserted::Outvoted => return Taken::Nothing,
            Inserted::Between(i) | Inserted::Corrected(i) => i,
        };
        self.revision += 1;
        let corrected = matches!(inserted, Inserted::Corrected(_));
        if place >= self.scored.len() {
            return if corrected { Taken::Corrected } else { Taken::Scored };
        }
        // The row stands in the history already, so what was scored reaches one place further.
        let scored = self.scored.len() - usize::from(corrected);
        let newest = self.newest_in_time(scored.min(self.history.len() - 1));
        let late = self.step().map_or(0, |step| step.slots_between(row.time, newest));
        if late > LATE_SLOTS || place < self.floor {
            if !corrected {
                self.scored.insert(place, Scored::warming(self.history.values(place)));
                self.floor += usize::from(self.floor > place);
                self.checkpoints.iter_mut().for_each(|c| c.row += usize::from(c.row > place));
                self.dirty = self.dirty.map(|d| d + usize::from(d >= place));
            }
            // Its history may have begun earlier than was thought.
            self.news += 1;
            return Taken::HistoryOnly;
        }
        self.dirty = Some(self.dirty.map_or(place, |d| d.min(place)));
        if !corrected {
            // Keeps rows and what was said of them side by side until this one is scored.
            self.scored.insert(place, Scored::warming(self.history.values(place)));
        }
        if corrected { Taken::Corrected } else { Taken::Scored }
    }

    /// The moment of row `last`, against which others are late; that of the row before a jump of more
    /// than a day and 48 slots where one lies at most 48 rows back. A clock that was wrong once would
    /// otherwise make everything that follows late.
    fn newest_in_time(&self, last: usize) -> Timestamp {
        let Some(step) = self.step() else { return self.history.time(last) };
        let jump = DAY.max(LATE_SLOTS * step.seconds());
        let first = last.saturating_sub(LATE_SLOTS as usize);
        let jumps = |i: &usize| self.history.time(i + 1).since(self.history.time(*i)) > jump;
        let before = (first..last).find(jumps).unwrap_or(last);
        self.history.time(before)
    }

    /// Goes back to before the first row that has to be scored again.
    pub(super) fn start_settling(&mut self) {
        if let Some(dirty) = self.dirty.take() {
            self.rewind(dirty);
            self.news += 1;
        }
    }

    /// Begins with the next row that is due: [`Track::finish_row`] scores it. None where none is, or where
    /// `is_late`, asked now and then, says to stop; rows that only warm up are dealt with on the way.
    pub(super) fn begin_row(&mut self, model: &Model, since: usize, is_late: impl Fn() -> bool) -> Option<Pending> {
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
            if i >= WARM_UP && self.now.chain.is_none() {
                self.now.chain = Chain::build(&self.name, &self.history, 0, i, model).map(Box::new);
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

    /// Silences are measured in steps: takes note where it is another one than before.
    pub(super) fn end_settling(&mut self, before: Option<Step>) {
        self.news += u64::from(self.step() != before);
    }

    fn keep_checkpoint(&mut self, row: usize) {
        if self.checkpoints.len() == 2 {
            self.checkpoints.pop_front();
        }
        let (incidents, gaps) = (self.incidents.len(), self.gaps.len());
        self.checkpoints.push_back(Checkpoint { row, state: self.now.clone(), incidents, gaps });
    }

    fn rewind(&mut self, to: usize) {
        while self.checkpoints.back().is_some_and(|c| c.row > to) {
            self.checkpoints.pop_back();
        }
        let (row, incidents, gaps) = match self.checkpoints.back() {
            Some(checkpoint) => {
                self.now = checkpoint.state.clone();
                (checkpoint.row, checkpoint.incidents, checkpoint.gaps)
            }
            None => {
                self.now = State::default();
                (0, 0, 0)
            }
        };
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
        let history = time.since(self.history.time(0));
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
        let repeat = || scored_as_much(history, scored, judged.score, time);
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
            let first = self.history.time(0);
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

    /// The chain that `model` gives this interface, built from a copy of its history on any thread.
    pub fn prepare(name: &InterfaceName, history: &History, revision: u64, model: &Model) -> Option<Prepared> {
        let rows = history.len();
        let chain = if rows >= WARM_UP { Chain::build(name, history, 0, rows, model)? } else { return None };
        Some(Prepared { chain, rows, revision })
    }

    /// Goes on with another model: later rows are scored with it, earlier scores stay as they were.
    /// A prepared chain is brought up to date with the rows that came since; without one, or where
    /// rows were corrected since, it is built anew.
    pub fn adopt(&mut self, prepared: Option<Prepared>, model: &Model) {
        let Some(now) = &mut self.now.chain else { return };
        let done = self.scored.len();
        let fitting = prepared.filter(|p| p.revision == self.revision && p.rows <= done);
        let chain = match fitting {
            Some(mut prepared) => {
                for i in prepared.rows..done {
                    let outcome = prepared.chain.advance(&self.name, &self.history, i, model);
                    prepared.chain.learn(&outcome, Standing::Usual);
                }
                Some(prepared.chain)
            }
            None => Chain::build(&self.name, &self.history, 0, done, model),
        };
        if let Some(chain) = chain {
            now.start_again(chain);
            self.checkpoints.clear();
            self.keep_checkpoint(done);
            self.floor = done;
            // Another model may see another step, and silences follow from that.
            self.news += 1;
        }
    }
}

/// Whether a row of the day before `time` scored as much.
fn scored_as_much(history: &History, scored: &[Scored], score: f64, time: Timestamp) -> bool {
    scored[history.first_at_or_after(time.plus(-DAY))..].iter().any(|s| s.score >= score)
}
