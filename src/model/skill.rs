//! How forecasts do on rows that they were not learnt from.

use std::sync::Arc;

use super::forecast::{Forecast, Forecaster, Outlook};
use super::kernel::Kernel;
use super::learnt::Model;
use super::mix::{EXPERTS, Expert};
use super::settings::Scope;
use super::train::{BEFORE_HELD_OUT, Series};
use crate::series::scale::sorted_quantile;
use crate::series::{History, Scale, Step, WARM_UP, step};

/// Rows that have to be held out for a figure of skill.
const LEAST_HELD_OUT: usize = 12;

/// How forecasts did on one interface's held-out rows: mean absolute error of the mean value over
/// the interface's spread, which is the larger of its interquartile range and a quarter of q95 − q5.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Skill {
    /// Rows that it was measured on.
    pub rows: usize,
    /// Of each expert, in the order of [`super::Expert::ALL`]; NaN for one that never had a forecast.
    pub experts: [f64; EXPERTS],
    /// Of the mix.
    pub mix: f64,
    /// Of the mix without the LSTM.
    pub plain: f64,
    /// Of the mix with the last layer of each scope, in the order of [`Scope::ALL`]; NaN where none was learnt.
    pub scopes: [f64; 3],
    /// Whose last layer is used: that which the model was told, or the shared one where that did better.
    pub scope: Scope,
}

impl Skill {
    /// 1 − error of the mix / error of the best simple forecast; None where that is 0.
    pub fn over_best_simple(&self) -> Option<f64> {
        let errors = Expert::SIMPLE.into_iter().map(|e| self.experts[e as usize]);
        let best = errors.filter(|e| e.is_finite()).fold(f64::INFINITY, f64::min);
        (best > 0.0 && best.is_finite()).then(|| 1.0 - self.mix / best)
    }
}

/// Runs a forecaster over rows, causally; `see` is shown each row after the first with what was
/// expected of it and the state before it was learnt.
pub(super) fn run(
    history: &History,
    mut state: Forecaster,
    network: Option<&Kernel>,
    rows: usize,
    mut see: impl FnMut(usize, &Forecaster, &Forecast),
) {
    for i in 0..rows.min(history.len()) {
        let (now, z) = (state.local(history.time(i)), state.forward(history.values(i)));
        if i == 0 {
            state.start(now, z);
            continue;
        }
        let forecast = state.expect(network, now);
        see(i, &state, &forecast);
        state.learn(now, z, &forecast);
    }
}

/// One interface's held-out rows, and what is tried on them.
#[derive(Debug, Clone)]
pub struct HeldOut<'a> {
    /// The network; none where the LSTM takes no part.
    pub network: Option<&'a Kernel>,
    /// What is known of the interface.
    pub outlook: Arc<Outlook>,
    /// Its rows.
    pub series: Series<'a>,
    /// The first row that is held out: a fifth of them is.
    pub first: usize,
    /// The step of the rows before.
    pub step: Step,
}

/// Who goes through rows causally and tells how the forecasts did on those that are held out.
///
/// What a forecast is depends on what was learnt of the rows before, and incidents are learnt otherwise than what
/// is usual. Nobody here knows incidents: [`measure`] learns all rows alike, and who knows better takes its place.
pub type Measure = fn(&HeldOut<'_>) -> Skill;

impl<'a> HeldOut<'a> {
    /// The last fifth of an interface's rows for a model. An interface that it does not know is forecast as a
    /// stranger, on the scale of its earlier rows. None where fewer than 12 rows are held out or the step is unknown.
    pub fn of(model: &'a Model, series: Series<'a>) -> Option<Self> {
        let (first, step) = held_out(series.history)?;
        let early: Vec<[f64; 2]> = (0..WARM_UP).map(|i| series.history.values(i)).collect();
        let outlook = match model.recognise(series.name, step, &early) {
            Some((_, outlook)) => outlook,
            None => model.stranger(&series.name.host),
        };
        Some(Self { network: model.network(), outlook, series, first, step })
    }

    /// A forecaster that has seen nothing yet. Where no scale is known it is fitted to the rows before.
    pub fn forecaster(&self) -> Forecaster {
        let before = |c: usize| (0..self.first).map(|i| self.series.history.values(i)[c]).collect::<Vec<f64>>();
        let scale = self.outlook.scale.unwrap_or_else(|| [0, 1].map(|c| Scale::fit(&before(c))));
        Forecaster::new(self.step, scale, self.outlook.clone())
    }
}

/// Sums up errors in units of the interface's spread before the held-out rows.
#[derive(Debug, Clone)]
pub struct Meter<'a> {
    held: &'a HeldOut<'a>,
    scale: Scale,
    unit: f64,
    experts: [(f64, usize); EXPERTS],
    mix: f64,
    plain: f64,
    rows: usize,
}

impl<'a> Meter<'a> {
    /// One that has seen no errors yet, for forecasts on these scales.
    pub fn new(held: &'a HeldOut<'a>, [_, scale]: [Scale; 2]) -> Self {
        let unit = unit(held.series.history, held.first);
        Self { held, scale, unit, experts: [(0.0, 0); EXPERTS], mix: 0.0, plain: 0.0, rows: 0 }
    }

    /// Sees what was expected of a row. It counts where the row is held out.
    pub fn see(&mut self, row: usize, forecast: &Forecast) {
        if row < self.held.first {
            return;
        }
        let came = self.held.series.history.values(row)[1];
        let error = |z: f64| (self.scale.back(z) - came).abs() / self.unit;
        for (sum, expert) in self.experts.iter_mut().zip(&forecast.experts).filter(|(_, e)| e[1].is_finite()) {
            *sum = (sum.0 + error(expert[1]), sum.1 + 1);
        }
        self.mix += error(forecast.expected[1]);
        self.plain += error(forecast.plain[1]);
        self.rows += 1;
    }

    /// The mean errors.
    pub fn skill(&self) -> Skill {
        let mean = |sum: f64, rows: usize| if rows > 0 { sum / rows as f64 } else { f64::NAN };
        let (mix, plain) = (mean(self.mix, self.rows), mean(self.plain, self.rows));
        let experts = self.experts.map(|(sum, rows)| mean(sum, rows));
        Skill { rows: self.rows, experts, mix, plain, scopes: [mix, f64::NAN, f64::NAN], scope: Scope::Global }
    }
}

/// The first row that is held out, and the step of the rows before.
pub(super) fn held_out(history: &History) -> Option<(usize, Step)> {
    let n = history.len();
    let first = (n as f64 * BEFORE_HELD_OUT) as usize;
    if n < first + LEAST_HELD_OUT || first < WARM_UP {
        return None;
    }
    let times: Vec<_> = history.times().take(first).collect();
    Some((first, step::infer(&times)?))
}

/// How forecasts do where all rows are learnt alike, whatever they are.
pub fn measure(held: &HeldOut<'_>) -> Skill {
    let (history, forecaster) = (held.series.history, held.forecaster());
    let mut meter = Meter::new(held, *forecaster.scale());
    run(history, forecaster, held.network, history.len(), |row, _, forecast| meter.see(row, forecast));
    meter.skill()
}

/// The unit of errors: the spread of the mean values before row `first`.
fn unit(history: &History, first: usize) -> f64 {
    let mut means: Vec<f64> = (0..first).map(|i| history.values(i)[1]).collect();
    means.sort_unstable_by(f64::total_cmp);
    let q = |p| sorted_quantile(&means, p);
    let unit = (q(0.75) - q(0.25)).max(0.25 * (q(0.95) - q(0.05)));
    if unit > 0.0 { unit } else { idle_unit(&means) }
}

/// The unit of errors where the quantiles have no width: the mean distance from the median, a
/// hundredth of a constant, or 1 where there was nothing but zeros.
fn idle_unit(sorted: &[f64]) -> f64 {
    let middle = sorted_quantile(sorted, 0.5);
    let distance = sorted.iter().map(|v| (v - middle).abs()).sum::<f64>() / sorted.len().max(1) as f64;
    [distance, 0.01 * middle.abs()].into_iter().find(|unit| *unit > 0.0).unwrap_or(1.0)
}
