//! One interface's way from a row to a score: forecast, error, score, in one state that can be copied.

use super::succession::Term;
use crate::detect::restless::Known;
use crate::detect::tracker::{Closed, Rules, Seen, is_nothing};
use crate::detect::{Judge, Judged, Standing};
use crate::model::forecast::Forecast;
use crate::model::kernel::{Given, Kernel, OUTPUTS, Sequence};
use crate::model::{Forecaster, Model};
use crate::series::{DAY, History, InterfaceName, Local, Move, Pair, Scale, Step, Timestamp, WARM_UP, step};

/// Rows behind which the scale of an interface that is unknown, or was learnt too briefly, is fitted no more; before,
/// whenever its rows have doubled. Where it comes out about the same all goes on as it is, since all rows would have to
/// be learnt again on another one.
const SCALE_ROWS: usize = 12_288;

/// The state of one interface from its window up to its score.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The forecast's state.
    pub forecaster: Forecaster,
    /// The score's state.
    pub judge: Judge,
    /// Whether the model learnt from this interface.
    pub known: bool,
    /// Whose time the model is, where one takes over from another.
    pub(super) term: Term,
    /// First row of the history that it was built from.
    from: usize,
    /// Row before which the scale is fitted again.
    refit: usize,
    /// The level before the last shift that was taken over, as long as that is remembered.
    former: Option<Box<Former>>,
}

/// Days for which the level before a shift that was taken over is remembered.
const REMEMBERED: i64 = 28 * DAY;
/// How near to it a row is that is back there, as a share of the shift.
const NEAR: f64 = 1.0 / 3.0;

/// A level that was usual before.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Former {
    /// How the levels of maximum and mean have moved since.
    moved: [Move; 2],
    /// When that was taken over.
    at: Timestamp,
}

/// A row with what is expected of it, but for what the network says.
#[derive(Debug, Clone)]
pub struct Begun {
    at: Local,
    raw: Pair,
    z: Pair,
    forecast: Forecast,
}

impl Begun {
    /// What the network is to be asked.
    pub fn given<'a>(&'a self, chain: &'a Chain, sequence: &'a Sequence) -> Given<'a> {
        chain.forecaster.given(&self.forecast, sequence)
    }
}

/// A row with what was expected and what was said of it.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was expected, in raw units.
    pub expected: Pair,
    /// What is usual for this hour, in raw units.
    pub usual: Pair,
    /// The judgement.
    pub judged: Judged,
    at: Local,
    raw: Pair,
    z: Pair,
    forecast: Forecast,
}

impl Outcome {
    /// What was expected, by each expert.
    pub(super) fn forecast(&self) -> &Forecast {
        &self.forecast
    }
}

impl Chain {
    /// A chain that has seen nothing, and knows of the interface what its forecaster knows. It keeps its scale.
    pub(super) fn new(forecaster: Forecaster) -> Self {
        let judge = Judge::new(forecaster.step(), forecaster.scale(), &[], false);
        Self { forecaster, judge, known: true, term: 0, from: 0, refit: usize::MAX, former: None }
    }

    /// The chain of the interface called `name` as it is before row `to` of its history, built
    /// from the rows since `from`. At least 24 rows lie between. None where they show no step.
    pub fn build(name: &InterfaceName, history: &History, from: usize, to: usize, model: &Model) -> Option<Self> {
        let times: Vec<_> = (from..to.min(from + WARM_UP)).map(|i| history.time(i)).collect();
        Some(Self::with_step(name, history, from, to, model, step::infer(&times)?))
    }

    /// The same for a step that is known.
    pub fn with_step(
        name: &InterfaceName,
        history: &History,
        from: usize,
        to: usize,
        model: &Model,
        step: Step,
    ) -> Self {
        let first: Vec<Pair> = (from..to.min(from + WARM_UP)).map(|i| history.values(i)).collect();
        let recognised = model.recognise(name, step, &first);
        // What was learnt too briefly is forecast as it was learnt, and measured as a stranger.
        let own = recognised.as_ref().map(|(known, _)| *known).filter(|known| known.settled);
        let known = recognised.is_some();
        let outlook = recognised.as_ref().map_or_else(|| model.stranger(&name.host), |(_, outlook)| outlook.clone());
        let common = model.common_scale();
        let (scale, calibration, refit) = match own {
            Some(known) => {
                (common.unwrap_or(known.scale), known.calibration.as_deref().unwrap_or_default(), usize::MAX)
            }
            None => {
                let scale = common.unwrap_or_else(|| fit(history, from, to));
                (scale, &model.pooled_calibration[..], next_refit(from, to))
            }
        };
        let judge = Judge::new(step, &scale, calibration, own.is_some());
        let forecaster = Forecaster::new(step, scale, outlook);
        let mut chain = Self { forecaster, judge, known, term: 0, from, refit, former: None };
        for i in from..to {
            if i == from {
                chain.start(history, i);
            } else {
                chain.replay(history, i, model);
            }
        }
        chain
    }

    /// Learns a row on which no judgement is wanted.
    pub(super) fn replay(&mut self, history: &History, i: usize, model: &Model) {
        let outcome = self.look(history, i, model.network());
        self.learn(&outcome, Standing::Usual);
    }

    /// The first row that it may want to see again.
    pub(super) fn needs_from(&self) -> usize {
        if self.refit == usize::MAX { usize::MAX } else { self.from }
    }

    /// Takes note that the rows which it was built from stand so many places further.
    pub(super) fn move_by(&mut self, places: usize) {
        self.from += places;
        self.refit = self.refit.saturating_add(places);
    }

    pub(super) fn start(&mut self, history: &History, i: usize) {
        let z = self.forecaster.forward(history.values(i));
        self.forecaster.start(self.forecaster.local(history.time(i)), z);
    }

    /// Judges row `i`, which is then to be learnt.
    pub fn advance(&mut self, name: &InterfaceName, history: &History, i: usize, model: &Model) -> Outcome {
        self.prepare(name, history, i, model);
        self.look(history, i, model.network())
    }

    /// Begins with row `i`: [`Chain::finish`] judges it. Where the scale or the step has to change first,
    /// the chain is built again from rows before `i`; what was said of those stays as it was said.
    pub fn begin(&mut self, name: &InterfaceName, history: &History, i: usize, model: &Model) -> Begun {
        self.prepare(name, history, i, model);
        let (at, raw) = (self.forecaster.local(history.time(i)), history.values(i));
        Begun { at, raw, z: self.forecaster.forward(raw), forecast: self.forecaster.expect_plainly(at) }
    }

    /// Judges a row that was begun, with what the network says where there is one.
    pub fn finish(&self, begun: Begun, out: Option<&[f32; OUTPUTS]>) -> Outcome {
        let Begun { at, raw, z, mut forecast } = begun;
        if let Some(out) = out {
            self.forecaster.add_network(&mut forecast, out);
        }
        self.judge(at, raw, z, forecast)
    }

    fn prepare(&mut self, name: &InterfaceName, history: &History, i: usize, model: &Model) {
        let step = self.forecaster.step();
        if i >= self.from + 2 * WARM_UP && (i - self.from).is_multiple_of(WARM_UP) {
            let times: Vec<_> = (i - WARM_UP..i).map(|i| history.time(i)).collect();
            if let Some(step) = step::changed(&times, step) {
                self.start_again(Self::with_step(name, history, i - WARM_UP, i, model, step));
            }
        }
        // A row that came too late to be scored moves the places of all later ones.
        if i >= self.refit {
            if model.common_scale().is_some() || self.fits(&fit(history, self.from, i)) {
                // All that was learnt was learnt on a scale that still holds.
                self.refit = next_refit(self.from, i);
            } else {
                self.start_again(Self::with_step(name, history, self.from, i, model, self.forecaster.step()));
            }
        }
    }

    fn fits(&self, fitted: &[Scale; 2]) -> bool {
        self.forecaster.scale().iter().zip(fitted).all(|(own, fitted)| own.says_the_same_as(fitted))
    }

    /// Goes on as another chain of the same rows.
    pub fn start_again(&mut self, mut other: Self) {
        other.judge.keep_told(&self.judge);
        other.term = self.term;
        *self = other;
    }

    /// Learns a row that was judged.
    pub fn learn(&mut self, outcome: &Outcome, standing: Standing) {
        self.judge.learn(outcome.at, &outcome.judged, standing);
        match standing {
            Standing::Lasting { level, .. } => {
                self.forecaster.learn_apart(outcome.at, outcome.z, &outcome.forecast, level);
            }
            Standing::Usual | Standing::Incident => {
                self.forecaster.learn(outcome.at, outcome.z, &outcome.forecast);
            }
        }
    }

    /// What a row that was judged is for incidents, on an interface that has been known for so many seconds. Its time
    /// has passed then for how restless the interface is: once for each row.
    pub(super) fn seen(&mut self, outcome: &Outcome, rules: &Rules, known: i64) -> Seen {
        self.judge.restless.pass(self.forecaster.step());
        let Outcome { at, judged, raw, usual, .. } = *outcome;
        let nothing = is_nothing(raw[1], usual[1]);
        let bar = self.judge.bar(rules, Known::at(at, known), nothing);
        Seen { at, judged, raw, usual, nothing, back: self.is_back(outcome), history: known, bar }
    }

    /// Learns that an incident is over, at `time`.
    pub(super) fn close(&mut self, closed: &Closed, time: Timestamp) {
        self.judge.calm_down();
        if closed.counts {
            self.judge.restless.learn();
        }
        if let Some(normal) = &closed.normal {
            self.take_over(normal, time);
        }
        if closed.returned {
            self.give_back();
        }
    }

    /// Takes a level over as the new normal at `time`. What was normal is remembered.
    pub fn take_over(&mut self, normal: &[Move; 2], time: Timestamp) {
        self.shift(normal);
        let before = self.former.take().filter(|former| time.since(former.at) <= REMEMBERED);
        let since = |c: usize| match before.as_ref().map(|former| former.moved[c]) {
            // One that came in two parts is left by one way back.
            Some(earlier) => earlier.then(normal[c]).unwrap_or(normal[c]),
            None => normal[c],
        };
        self.former = Some(Box::new(Former { moved: [since(0), since(1)], at: time }));
    }

    /// Takes over that the level is back where it was before the last shift.
    pub fn give_back(&mut self) {
        if let Some(former) = self.former.take() {
            self.shift(&former.moved.map(Move::reverse));
        }
    }

    fn shift(&mut self, by: &[Move; 2]) {
        self.judge.take_over(self.forecaster.scale(), by);
        self.forecaster.take_over(by);
    }

    /// Whether a row lies where the level was before the last shift that was taken over.
    pub fn is_back(&self, outcome: &Outcome) -> bool {
        let Some(former) = self.former.as_ref().filter(|f| outcome.at.time().since(f.at) <= REMEMBERED) else {
            return false;
        };
        let scale = self.forecaster.scale();
        let distances = [0, 1].map(|c| {
            let level = outcome.z[c] - outcome.judged.off[c];
            let before = scale[c].moved(level, former.moved[c].reverse());
            [before - level, outcome.z[c] - before]
        });
        // On the channel that has moved further.
        let [max, mean] = distances;
        let [shift, off] = if max[0].abs() > mean[0].abs() { max } else { mean };
        off.abs() <= NEAR * shift.abs()
    }

    /// Judges row `i`, whatever scale or step would suit it better.
    pub(super) fn look(&self, history: &History, i: usize, network: Option<&Kernel>) -> Outcome {
        let (at, raw) = (self.forecaster.local(history.time(i)), history.values(i));
        let z = self.forecaster.forward(raw);
        self.judge(at, raw, z, self.forecaster.expect(network, at))
    }

    fn judge(&self, at: Local, raw: Pair, z: Pair, forecast: Forecast) -> Outcome {
        let mut judged = self.judge.judge(at, &forecast, z, raw);
        let level = [0, 1].map(|c| z[c] - judged.off[c]);
        let usual = self.forecaster.back(level);
        let low = is_nothing(raw[1], self.forecaster.scale()[1].size());
        self.judge.weigh_nothing(&mut judged, low, is_nothing(raw[1], usual[1]));
        Outcome { expected: self.forecaster.back(forecast.expected), usual, judged, at, raw, z, forecast }
    }

    /// Bytes that it takes, but for what forecaster and judge have on the heap.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.former.as_ref().map_or(0, |_| size_of::<Former>())
    }
}

/// The row before which a scale that was fitted to the rows from `from` to `to` is looked at again: when they have doubled.
fn next_refit(from: usize, to: usize) -> usize {
    if to - from >= SCALE_ROWS { usize::MAX } else { from + 2 * (to - from) }
}

/// The scales of both channels by the rows before `to`: those since `from`, and not more than are wanted.
fn fit(history: &History, from: usize, to: usize) -> [Scale; 2] {
    let from = to.saturating_sub(SCALE_ROWS).max(from);
    [0, 1].map(|c| Scale::fit(&(from..to).map(|i| history.values(i)[c]).collect::<Vec<f64>>()))
}
