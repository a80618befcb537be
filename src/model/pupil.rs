//! One interface on its way through training: which of its rows are learnt from, and what they give.

use std::sync::Arc;

use super::forecast::{Forecast, Forecaster, Outlook};
use super::kernel::{EMBEDDING, Weights};
use super::linear::{self, FEATURES};
use super::network::Sample;
use super::skill;
use super::train::{Options, Series};
use crate::random::{Random, fnv1a};
use crate::series::{Clock, Scale, Step, WARM_UP, WindowLength, step};

/// Share of its rows that the network learns from; the others decide when to stop.
const LEARNT: f64 = 0.9;
/// A row whose error is larger than so many usual ones is taken for part of an incident; it and so
/// many rows after it are left out of what the network learns.
const FAR: f64 = 8.0;
const AFTERMATH: usize = 3;
/// The network's target is held to this, in units of the linear forecast's usual error.
const TARGET_LIMIT: f64 = 8.0;

/// An interface on its way through training.
pub(super) struct Pupil<'a> {
    pub(super) series: Series<'a>,
    /// How many of its rows are learnt from: the first ones.
    rows: usize,
    pub(super) step: Step,
    /// That which it is forecast on, and its own.
    pub(super) scale: [Scale; 2],
    pub(super) own: [Scale; 2],
    /// Entries of its host and of itself among the embeddings; 0 is unknown.
    pub(super) host: usize,
    pub(super) entry: usize,
}

impl<'a> Pupil<'a> {
    /// An interface that is learnt from its first `share` of rows, as it is forecast on its own scale or on one
    /// for all. None where its rows show no step. Its own entry is that of an unknown one.
    pub(super) fn enrol(series: Series<'a>, share: f64, host: usize, common: Option<[Scale; 2]>) -> Option<Self> {
        let times: Vec<_> = series.history.times().collect();
        let rows = (series.history.len() as f64 * share) as usize;
        let own = [0, 1].map(|c| Scale::fit(&(0..rows).map(|i| series.history.values(i)[c]).collect::<Vec<f64>>()));
        Some(Self { series, rows, step: step::infer(&times)?, scale: common.unwrap_or(own), own, host, entry: 0 })
    }

    /// The same with an entry of its own.
    pub(super) fn with_entry(self, entry: usize) -> Self {
        Self { entry, ..self }
    }

    /// Runs the forecaster without the network over the rows that are learnt from, causally; `see` is shown each row
    /// after the first with what was expected of it and the state before it was learnt.
    fn run(&self, outlook: Arc<Outlook>, see: impl FnMut(usize, &Forecaster, &Forecast)) {
        let state = Forecaster::new(self.step, self.scale, outlook);
        skill::run(self.series.history, state, None, self.rows, see);
    }

    /// What the linear forecast learns from: features and changes, of maxima and of means.
    pub(super) fn changes(&self, blank: &Arc<Outlook>, quota: &Quota) -> [linear::Rows; 2] {
        let mut own: [linear::Rows; 2] = Default::default();
        let mut keep = quota.of(self, "linear");
        self.run(blank.clone(), |row, state, forecast| {
            if row >= WARM_UP && keep() {
                let (z, last) = (state.forward(self.series.history.values(row)), state.window().last());
                for (c, own) in own.iter_mut().enumerate() {
                    own.features.push(forecast.features[c].map(|v| v as f32));
                    own.targets.push((z[c] - last.map_or(0.0, |(_, z)| z[c])) as f32);
                }
            }
        });
        own
    }

    /// What the network learns from, and what decides when it stops: windows, and what the linear
    /// forecast of `outlook` leaves over.
    pub(super) fn windows(
        &self,
        outlook: Arc<Outlook>,
        quota: &Quota,
        learnt: &mut Vec<Sample>,
        deciding: &mut Vec<Sample>,
    ) {
        let mut keep = quota.of(self, "windows");
        let (end, mut disturbed) = ((self.rows as f64 * LEARNT) as usize, 0);
        self.run(outlook, |row, state, forecast| {
            let calm = calm(&mut disturbed, state, forecast, self.series.history.values(row));
            if row >= WARM_UP && calm && keep() {
                let sample = self.sample(state, forecast, row);
                if row < end { learnt.push(sample) } else { deciding.push(sample) }
            }
        });
    }

    fn sample(&self, state: &Forecaster, forecast: &Forecast, row: usize) -> Sample {
        let z = state.forward(self.series.history.values(row));
        let target =
            [0, 1].map(|c| ((z[c] - forecast.plain[c]) / forecast.usual[c]).clamp(-TARGET_LIMIT, TARGET_LIMIT) as f32);
        let mut sequence = Vec::new();
        state.sequence(&mut sequence);
        Sample {
            sequence: sequence.into(),
            side: forecast.side,
            target,
            host: self.host as u32,
            interface: self.entry as u32,
        }
    }
}

/// What is known before anything is learnt.
pub(super) fn blank(window: WindowLength, clock: &Clock) -> Arc<Outlook> {
    let silent = Weights::zero().kernel().gate_bias(&[0.0; EMBEDDING]);
    Arc::new(Outlook { window, ..Outlook::new([[0.0; FEATURES]; 2], silent, clock.clone()) })
}

/// Which rows of an interface are taken, where there are more than its share.
pub(super) struct Quota {
    rows: usize,
    seed: u64,
}

impl Quota {
    /// An equal share for each of so many.
    pub(super) fn new(options: &Options, pupils: usize) -> Self {
        Self { rows: options.max_windows.div_ceil(pupils), seed: options.seed }
    }

    fn of(&self, pupil: &Pupil<'_>, purpose: &str) -> impl FnMut() -> bool + use<> {
        let name = fnv1a(pupil.series.name.to_string().as_bytes());
        let mut random = Random::for_purpose(self.seed ^ name, purpose);
        let share = self.rows as f64 / pupil.rows.max(1) as f64;
        move || share >= 1.0 || random.chance(share)
    }
}

/// Whether a row is neither part of an incident nor just behind one; `disturbed` counts the rows that are left of it.
fn calm(disturbed: &mut usize, state: &Forecaster, forecast: &Forecast, raw: [f64; 2]) -> bool {
    let z = state.forward(raw);
    if (0..2).any(|c| (z[c] - forecast.plain[c]).abs() > FAR * forecast.usual[c]) {
        *disturbed = AFTERMATH + 1;
    }
    let calm = *disturbed == 0;
    *disturbed = disturbed.saturating_sub(1);
    calm
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::train::tests::history;

    #[test]
    fn a_row_of_an_incident_and_those_behind_it_are_left_out() {
        let gates = Weights::zero().kernel().gate_bias(&[0.0; EMBEDDING]);
        let rows = history(300, 5, 1.0, |i| if i == 200 { 5000.0 } else { 0.0 });
        let scale = [Scale { knee: 3000.0, middle: 0.33, spread: 0.08 }; 2];
        let outlook = Arc::new(Outlook::new([[0.0; FEATURES]; 2], gates, Clock::UTC));
        let (mut disturbed, mut left_out) = (0, Vec::new());
        let state = Forecaster::new(Step::from_seconds(3600).unwrap(), scale, outlook);
        skill::run(&rows, state, None, 300, |row, state, forecast| {
            if row > 100 && !calm(&mut disturbed, state, forecast, rows.values(row)) {
                left_out.push(row);
            }
        });
        assert!(left_out.contains(&200) && left_out.iter().all(|row| (200..=208).contains(row)), "{left_out:?}");
        assert!(left_out.len() > AFTERMATH, "{left_out:?}");
    }
}
