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
        let (time, z) = (history.time(i), state.forward(history.values(i)));
        if i == 0 {
            state.start(time, z);
            continue;
        }
        let forecast = state.expect(network, time);
        see(i, &state, &forecast);
        state.learn(time, z, &forecast);
    }
}

/// How a model's forecasts do on the last fifth of an interface's rows, in units of the interface's
/// spread before that. An interface that the model does not know is forecast as a stranger, on the
/// scale of its earlier rows. None where fewer than 12 rows are held out or the step is unknown.
pub fn held_out_skill(model: &Model, series: Series<'_>) -> Option<Skill> {
    let history = series.history;
    let (first, step) = held_out(history)?;
    let early: Vec<[f64; 2]> = (0..WARM_UP).map(|i| history.values(i)).collect();
    let outlook = match model.recognise(series.name, step, &early) {
        Some((_, outlook)) => outlook,
        None => model.stranger(&series.name.host),
    };
    Some(measure(model.network(), outlook, history, first, step))
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

/// The skill on the rows since `first` of what `outlook` knows.
pub(super) fn measure(
    network: Option<&Kernel>,
    outlook: Arc<Outlook>,
    history: &History,
    first: usize,
    step: Step,
) -> Skill {
    let scale = outlook
        .scale
        .unwrap_or_else(|| [0, 1].map(|c| Scale::fit(&(0..first).map(|i| history.values(i)[c]).collect::<Vec<f64>>())));
    let unit = unit(history, first);
    let mut sums = [(0.0, 0usize); EXPERTS];
    let (mut mix, mut plain, mut rows) = (0.0, 0.0, 0);
    let error = |z: f64, row: usize| (scale[1].back(z) - history.values(row)[1]).abs() / unit;
    run(history, Forecaster::new(step, scale, outlook), network, history.len(), |row, _, forecast| {
        if row < first {
            return;
        }
        for (sum, expert) in sums.iter_mut().zip(&forecast.experts) {
            if expert[1].is_finite() {
                *sum = (sum.0 + error(expert[1], row), sum.1 + 1);
            }
        }
        mix += error(forecast.expected[1], row);
        plain += error(forecast.plain[1], row);
        rows += 1;
    });
    let mean = |sum: f64, rows: usize| if rows > 0 { sum / rows as f64 } else { f64::NAN };
    let (mix, plain) = (mean(mix, rows), mean(plain, rows));
    let experts = sums.map(|(sum, rows)| mean(sum, rows));
    Skill { rows, experts, mix, plain, scopes: [mix, f64::NAN, f64::NAN], scope: Scope::Global }
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
