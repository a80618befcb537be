//! From one row to the next: what is begun, asked of the network by others, and finished.

use std::cell::LazyCell;

use super::{CHECKPOINT_ROWS, Prepared, Track};
use crate::detect::notice::Notices;
use crate::detect::silence::Gap;
use crate::detect::tracker::{Change, Rules};
use crate::detect::verdict::{ErrorSpace, Recognised, look};
use crate::detect::{Incident, Settings, Verdict};
use crate::engine::chain::{Begun, Chain};
use crate::engine::scored::{Belongs, Scored};
use crate::engine::succession::{Succession, Term};
use crate::model::Model;
use crate::model::kernel::{Given, INPUTS, OUTPUTS, Sequence};
use crate::series::{DAY, Step, WARM_UP};

/// Gaps of fewer missing slots are of no interest to anybody.
const GAP_SLOTS: i64 = 3;

/// A row that was begun and waits for what the network says. It holds the interface's chain until then.
#[derive(Debug)]
pub(in crate::engine) struct Pending {
    chain: Box<Chain>,
    begun: Begun,
}

impl Pending {
    /// Whose time it is of the models.
    pub(in crate::engine) fn term(&self) -> Term {
        self.chain.term
    }

    /// The window as the network takes it.
    pub(in crate::engine) fn sequence(&self, into: &mut Vec<[f32; INPUTS]>) {
        self.chain.forecaster.sequence(into);
    }

    /// What the network is to be asked.
    pub(in crate::engine) fn given<'a>(&'a self, sequence: &'a Sequence) -> Given<'a> {
        self.begun.given(&self.chain, sequence)
    }
}

/// The rules for the step that was asked for last: working them out takes longer than much of a row.
pub(in crate::engine) struct RuleBook<'a> {
    settings: &'a Settings,
    latest: Option<(Step, Rules)>,
}

impl<'a> RuleBook<'a> {
    pub(in crate::engine) fn new(settings: &'a Settings) -> Self {
        Self { settings, latest: None }
    }

    fn of(&mut self, step: Step) -> Rules {
        let known = self.latest.filter(|(of, _)| *of == step);
        self.latest.insert(known.unwrap_or_else(|| (step, self.settings.rules(step)))).1
    }
}

impl Track {
    /// Goes back to before the first row that has to be scored again.
    pub(in crate::engine) fn start_settling(&mut self, models: &Succession) {
        if let Some(dirty) = self.dirty.take() {
            self.rewind(dirty, models);
            self.news += 1;
        }
        self.scored.expect(self.history.len());
    }

    /// Begins with the next row that is due: [`Track::finish_row`] scores it. None where none is, or where
    /// `enough`, asked now and then, says to stop; rows that only warm up are dealt with on the way.
    pub(in crate::engine) fn begin_row(
        &mut self,
        models: &Succession,
        since: usize,
        enough: impl Fn() -> bool,
    ) -> Option<Pending> {
        while self.scored.len() < self.history.len() {
            let i = self.scored.len();
            if i.is_multiple_of(CHECKPOINT_ROWS) {
                if i > since && enough() {
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
    pub(in crate::engine) fn end_settling(&mut self, models: &Succession, before: Option<Step>) {
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

    /// Scores the row that was begun, with what the network says where there is one.
    pub(in crate::engine) fn finish_row(
        &mut self,
        row: Pending,
        out: Option<&[f32; OUTPUTS]>,
        rules: &mut RuleBook<'_>,
    ) {
        let i = self.scored.len();
        let time = self.history.time(i);
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
        let seen = chain.seen(&outcome, &rules, time.since(self.history.begin().unwrap_or(time)));
        let anomaly = judged.score >= seen.bar;
        let change = state.tracker.see(&self.name, &seen, step, &rules);
        let look = look(&judged.vector, judged.flat, seen.nothing, state.tracker.lasts(step));
        let usual_row = !anomaly && judged.vector.iter().all(|v| v.abs() < 1.0);
        let of = state.tracker.open().filter(|open| open.latest == time).map(|open| open.start);
        let started = chain.forecaster.local(of.unwrap_or(time));
        let (verdict, cluster) = if usual_row { (Verdict::Nominal, 0) } else { space.verdict(started, &look, anomaly) };
        let as_incident = of.map(|_| if anomaly { verdict } else { space.verdict(started, &look, true).0 });
        // Before this row, or an incident that it ends, is among what came before.
        let alike = LazyCell::new(|| space.alike(started, &look));
        if let Some(verdict) = as_incident {
            state.tracker.recognise(&seen, &look, Recognised { verdict, alike: *alike }, step);
        } else {
            state.tracker.recognise_dark(time, verdict);
        }
        chain.learn(&outcome, state.tracker.standing(step));
        let passed = state.tracker.passed();
        self.news += u64::from(change != Change::None || passed.is_some() || state.tracker.hushed().is_some());
        passed.into_iter().for_each(|incident| put(&mut self.hushed, *incident));
        let (history, scored) = (&self.history, &self.scored);
        let repeat = || scored.reached(judged.score, time.plus(-DAY), history);
        let notices = state.notices.get_or_insert_with(|| Notices::new(time));
        let notify = notices.see(time, judged.score, repeat, || *alike);
        match change {
            Change::None => space.learn_quiet(&look),
            Change::Open => {}
            // Where it was listed it was among those that are over, as the last one.
            Change::Resumed { listed } => _ = listed.then(|| self.incidents.pop()),
            Change::Closed(closed) => {
                chain.close(&closed, time);
                space.learn_incident(chain.forecaster.local(closed.incident.start), &closed.looks, closed.of_hour);
                if closed.hushed {
                    put(&mut self.hushed, closed.incident);
                } else if !closed.incident.usual {
                    self.incidents.push(closed.incident);
                }
            }
        }
        let listed = state.tracker.open().filter(|open| !open.usual).map(|open| (open, Belongs::To(open.id)));
        let open = listed.or_else(|| state.tracker.hushed().map(|open| (open, Belongs::Aside(open.id))));
        let incident = open.filter(|(open, _)| open.latest == time).map_or(Belongs::No, |(_, belongs)| belongs);
        let open = open.is_some();
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
            open,
        });
    }
}

/// Puts one that is over among others. Where it had been over before, and went on, it takes its own place.
pub(super) fn put(hushed: &mut Vec<Incident>, incident: Incident) {
    match hushed.iter().rposition(|other| other.start <= incident.start) {
        Some(place) if hushed[place].start == incident.start => hushed[place] = incident,
        _ => hushed.push(incident),
    }
}
