//! Training: what is learnt from what.
//!
//! The rows of each interface are cut by time. The first 72 % are learnt from, the next 8 % decide
//! when to stop, and the last 20 % are held out: every figure of skill is measured on them alone.
//! The linear coefficients are learnt first; the network then learns what they leave over. Where
//! there are more windows than [`Options::max_windows`], each interface gives an equal share,
//! drawn at random: a large fleet is learnt from in bounded time.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_nn::{Optimizer, ParamsAdamW};

use super::adam::Adam;
use super::file::{KnownInterface, Model, Parts, Skill};
use super::forecast::{Forecast, Forecaster, Outlook};
use super::kernel::{self, EMBEDDING, Kernel, Weights};
use super::linear::{self, Coefficients, FEATURES};
use super::mix::EXPERTS;
use super::network::{Embeddings, Network, Sample, Shown};
use crate::random::{Random, fnv1a};
use crate::series::scale::sorted_quantile;
use crate::series::{History, InterfaceName, Scale, Step, WINDOW, step};

/// Share of the rows that the network learns from, and share before the held-out rows.
const LEARNT: f64 = 0.72;
/// Share of the rows before the held-out ones.
pub const BEFORE_HELD_OUT: f64 = 0.8;
/// Rows below which an interface is not learnt from: two windows.
pub const LEAST_ROWS: usize = 2 * WINDOW;
/// Samples of one gradient step: at most so many, and in small fleets fewer, so that an epoch has
/// steps enough, but never less than this.
const BATCH: usize = 256;
const LEAST_BATCH: usize = 32;
const STEPS: usize = 100;
/// Epochs, after the best one was found, in which the rows that decided are learnt as well: they
/// are the youngest. The learning rate is lower by this.
const LAST_EPOCHS: usize = 2;
const LAST_RATE: f64 = 0.3;
/// A row whose error is larger than so many usual ones is taken for part of an incident; it and so
/// many rows after it are left out of what the network learns.
const FAR: f64 = 8.0;
const AFTERMATH: usize = 3;
/// Epochs without a better loss after which training stops.
const PATIENCE: usize = 3;
/// Chance that a sample's names are hidden, which is what trains the unknown entries.
const HIDE: f64 = 0.25;
/// The network's target is held to this, in units of the linear forecast's usual error.
const TARGET_LIMIT: f64 = 8.0;

/// One interface to learn from.
#[derive(Debug, Clone, Copy)]
pub struct Series<'a> {
    /// Its name.
    pub name: &'a InterfaceName,
    /// Its rows.
    pub history: &'a History,
}

/// How to train.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// The same seed gives the same model for the same rows.
    pub seed: u64,
    /// Epochs at the most.
    pub epochs: usize,
    /// Windows learnt from at the most.
    pub max_windows: usize,
    /// Adam's learning rate at the start; it falls to nothing along a cosine.
    pub learning_rate: f64,
    /// What to call the model.
    pub name: String,
}

impl Default for Options {
    fn default() -> Self {
        Self { seed: 1, epochs: 8, max_windows: 100_000, learning_rate: 2e-3, name: "trained".into() }
    }
}

/// Why there is no new model.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// Somebody cancelled it.
    #[error("training was cancelled")]
    Cancelled,
    /// There is too little to learn from.
    #[error(
        "no interface has the {LEAST_ROWS} rows that learning takes; the longest has {longest}: wait for more rows, or name a directory with more history"
    )]
    TooFewRows {
        /// Rows of the longest interface.
        longest: usize,
    },
    /// The network's arithmetic failed.
    #[error("the network could not be trained: {0}")]
    Network(#[from] candle_core::Error),
    /// The loss is no number.
    #[error("the loss became {0} in epoch {1}: nothing was learnt; try a smaller --learning-rate")]
    Diverged(f32, usize),
}

/// How far a training run is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TrainingProgress {
    /// What it is doing.
    pub stage: &'static str,
    /// Epochs done.
    pub epoch: usize,
    /// Epochs at the most.
    pub epochs: usize,
    /// Share of the whole work done, 0 to 1.
    pub fraction: f64,
    /// Loss on the rows that decide when to stop, after each epoch.
    pub losses: Vec<f32>,
    /// Time since the start.
    pub elapsed: Duration,
}

/// What a training run learnt, besides the model.
#[derive(Debug)]
pub struct Trained {
    /// The model. Its error calibrations are still empty.
    pub model: Model,
    /// Interfaces that had too few rows.
    pub left_out: usize,
    /// Windows that the network learnt from.
    pub windows: usize,
    /// Epoch whose weights were kept, from 1; 0 where none was better than the untrained network.
    pub best_epoch: usize,
    /// How the run went.
    pub progress: TrainingProgress,
}

/// An interface on its way through training.
struct Pupil<'a> {
    series: Series<'a>,
    step: Step,
    scale: [Scale; 2],
    host: usize,
    entry: usize,
}

impl Pupil<'_> {
    fn cut(&self, share: f64) -> usize {
        (self.series.history.len() as f64 * share) as usize
    }

    /// Runs the forecaster over the rows, causally; `see` is shown each row after the first with
    /// what was expected of it and the state before it was learnt.
    fn run(
        &self,
        outlook: Arc<Outlook>,
        network: Option<&Kernel>,
        rows: usize,
        see: impl FnMut(usize, &Forecaster, &Forecast),
    ) {
        let state = Forecaster::new(self.step, self.scale, outlook);
        run(self.series.history, state, network, rows, see);
    }
}

fn run(
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

/// Trains a model on `series`. `report` is told of every step and can end the run.
pub fn train(
    series: &[Series<'_>],
    options: &Options,
    mut report: impl FnMut(&TrainingProgress) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let start = Instant::now();
    let mut progress = TrainingProgress { epochs: options.epochs, ..Default::default() };
    let mut tell = |progress: &mut TrainingProgress, stage: &'static str, fraction: f64| {
        progress.stage = stage;
        progress.fraction = fraction;
        progress.elapsed = start.elapsed();
        if report(progress).is_break() { Err(TrainError::Cancelled) } else { Ok(()) }
    };

    let mut series: Vec<Series<'_>> = series.to_vec();
    series.sort_unstable_by_key(|s| s.name);
    let hosts: Vec<Arc<str>> =
        series.iter().map(|s| s.name.host.clone()).collect::<BTreeSet<_>>().into_iter().collect();
    let all = series.len();
    let longest = series.iter().map(|s| s.history.len()).max().unwrap_or(0);
    let pupils: Vec<Pupil<'_>> = series
        .into_iter()
        .filter(|s| s.history.len() >= LEAST_ROWS)
        .filter_map(|s| enrol(s, &hosts))
        .enumerate()
        .map(|(i, p)| Pupil { entry: i + 1, ..p })
        .collect();
    if pupils.is_empty() {
        return Err(TrainError::TooFewRows { longest });
    }
    let quota = Quota { rows: options.max_windows.div_ceil(pupils.len()), seed: options.seed };

    // First pass: what the linear forecast learns from.
    let silent = Weights::zero().kernel().gate_bias(&[0.0; EMBEDDING]);
    let blank = Arc::new(Outlook { linear: [[0.0; FEATURES]; 2], gates: silent });
    let mut rows: [Vec<linear::Rows>; 2] = Default::default();
    for (i, pupil) in pupils.iter().enumerate() {
        tell(&mut progress, "reading rhythms", 0.08 * i as f64 / pupils.len() as f64)?;
        let mut own: [linear::Rows; 2] = Default::default();
        let mut keep = quota.of(pupil, "linear");
        pupil.run(blank.clone(), None, pupil.cut(BEFORE_HELD_OUT), |row, state, forecast| {
            if row >= WINDOW && keep() {
                let (z, last) = (state.forward(pupil.series.history.values(row)), state.window().last());
                for (c, own) in own.iter_mut().enumerate() {
                    own.features.push(forecast.features[c].map(|v| v as f32));
                    own.targets.push((z[c] - last.map_or(0.0, |(_, z)| z[c])) as f32);
                }
            }
        });
        for (rows, own) in rows.iter_mut().zip(own) {
            rows.push(own);
        }
    }
    tell(&mut progress, "linear forecast", 0.08)?;
    let [(pooled_max, own_max), (pooled_mean, own_mean)] = rows.map(|rows| linear::fit(&rows));
    let pooled: Coefficients = [pooled_max, pooled_mean];
    let own: Vec<Coefficients> =
        own_max.into_iter().zip(own_mean).map(|(a, b)| [a.unwrap_or(pooled[0]), b.unwrap_or(pooled[1])]).collect();

    // Second pass: windows, and what the linear forecast leaves over.
    let (mut learnt, mut deciding) = (Vec::new(), Vec::new());
    for (i, pupil) in pupils.iter().enumerate() {
        tell(&mut progress, "cutting windows", 0.1 + 0.1 * i as f64 / pupils.len() as f64)?;
        let outlook = Arc::new(Outlook { linear: own[i], gates: blank.gates.clone() });
        let mut keep = quota.of(pupil, "windows");
        let (end, mut disturbed) = (pupil.cut(LEARNT), 0);
        pupil.run(outlook, None, pupil.cut(BEFORE_HELD_OUT), |row, state, forecast| {
            let calm = calm(&mut disturbed, state, forecast, pupil.series.history.values(row));
            if row >= WINDOW && calm && keep() {
                let sample = sample(pupil, state, forecast, row);
                if row < end { learnt.push(sample) } else { deciding.push(sample) }
            }
        });
    }
    let mut random = Random::for_purpose(options.seed, "network");
    let network = Network::new(hosts.len(), pupils.len(), &mut random)?;
    let best_epoch = learn(&network, &learnt, &deciding, options, &mut random, &mut |epoch, share, losses| {
        progress.epoch = epoch;
        progress.losses = losses.to_vec();
        let fraction = 0.2 + 0.7 * (epoch as f64 + share) / options.epochs.max(1) as f64;
        tell(&mut progress, "training the LSTM", fraction.min(0.9))
    })?;

    let known = pupils
        .iter()
        .zip(&own)
        .map(|(p, own)| KnownInterface {
            name: p.series.name.clone(),
            step: p.step,
            scale: p.scale,
            linear: *own,
            calibration: Vec::new(),
            skill: None,
        })
        .collect();
    let embeddings: Embeddings = network.embeddings()?;
    let parts = Parts {
        name: options.name.clone(),
        seed: options.seed,
        weights: network.weights()?,
        embeddings,
        hosts,
        known,
        pooled,
    };
    let mut model = Model::new(parts);
    for (i, pupil) in pupils.iter().enumerate() {
        tell(&mut progress, "measuring skill", 0.9 + 0.1 * i as f64 / pupils.len() as f64)?;
        let skill = held_out_skill(&model, pupil.series);
        model.known_mut()[i].skill = skill;
    }
    tell(&mut progress, "done", 1.0)?;
    Ok(Trained { left_out: all - pupils.len(), windows: learnt.len(), best_epoch, progress, model })
}

fn enrol<'a>(series: Series<'a>, hosts: &[Arc<str>]) -> Option<Pupil<'a>> {
    let times: Vec<_> = series.history.times().collect();
    let before = (series.history.len() as f64 * BEFORE_HELD_OUT) as usize;
    let scale = [0, 1].map(|c| Scale::fit(&(0..before).map(|i| series.history.values(i)[c]).collect::<Vec<f64>>()));
    let host = hosts.binary_search(&series.name.host).map_or(0, |i| i + 1);
    Some(Pupil { series, step: step::infer(&times)?, scale, host, entry: 0 })
}

/// Which rows of an interface are taken, where there are more than its share.
struct Quota {
    rows: usize,
    seed: u64,
}

impl Quota {
    fn of(&self, pupil: &Pupil<'_>, purpose: &str) -> impl FnMut() -> bool + use<> {
        let name = fnv1a(pupil.series.name.to_string().as_bytes());
        let mut random = Random::for_purpose(self.seed ^ name, purpose);
        let share = self.rows as f64 / pupil.cut(BEFORE_HELD_OUT).max(1) as f64;
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

fn sample(pupil: &Pupil<'_>, state: &Forecaster, forecast: &Forecast, row: usize) -> Sample {
    let z = state.forward(pupil.series.history.values(row));
    let target = [0, 1].map(|c| ((z[c] - forecast.plain[c]) / forecast.usual[c]).clamp(-TARGET_LIMIT, TARGET_LIMIT) as f32);
    Sample {
        sequence: Box::new(kernel::sequence(state.window())),
        side: forecast.side,
        target,
        host: pupil.host as u32,
        interface: pupil.entry as u32,
    }
}

/// Is told the epoch, the share of it that is done and the losses so far; an error ends the training.
type Tell<'a> = dyn FnMut(usize, f64, &[f32]) -> Result<(), TrainError> + 'a;

/// Teaches the network, keeps the weights of the epoch that did best on `deciding`, and says which.
fn learn(
    network: &Network,
    learnt: &[Sample],
    deciding: &[Sample],
    options: &Options,
    random: &mut Random,
    tell: &mut Tell<'_>,
) -> Result<usize, TrainError> {
    if learnt.is_empty() || deciding.is_empty() {
        return Ok(0);
    }
    let variables = network.variables();
    let parameters = ParamsAdamW { lr: options.learning_rate, weight_decay: 1e-4, ..Default::default() };
    let mut adam = Adam::new(variables.clone(), parameters.clone())?;
    let mut best = (mean_loss(network, deciding)?, 0, snapshot(&variables)?);
    let mut losses = vec![best.0];
    tell(0, 0.0, &losses)?;
    let size = (learnt.len() / STEPS).clamp(LEAST_BATCH, BATCH);
    let steps = options.epochs * learnt.len().div_ceil(size);
    let mut step = 0;
    let mut order: Vec<usize> = (0..learnt.len()).collect();
    for epoch in 1..=options.epochs {
        random.shuffle(&mut order);
        for (b, batch) in order.chunks(size).enumerate() {
            let shown: Vec<Shown<'_>> = batch.iter().map(|i| hide(&learnt[*i], random)).collect();
            let loss = network.loss(&shown)?;
            let angle = std::f64::consts::PI * step as f64 / steps as f64;
            adam.set_learning_rate(options.learning_rate * 0.5 * (1.0 + libm::cos(angle)));
            adam.backward_step(&loss)?;
            step += 1;
            if b % 8 == 0 {
                tell(epoch - 1, (b * size) as f64 / learnt.len() as f64, &losses)?;
            }
        }
        let loss = mean_loss(network, deciding)?;
        if !loss.is_finite() {
            return Err(TrainError::Diverged(loss, epoch));
        }
        losses.push(loss);
        if loss < best.0 {
            best = (loss, epoch, snapshot(&variables)?);
        }
        tell(epoch, 0.0, &losses)?;
        if epoch >= best.1 + PATIENCE {
            break;
        }
    }
    for (variable, value) in variables.iter().zip(&best.2) {
        variable.set(value)?;
    }
    if best.1 > 0 {
        let all: Vec<&Sample> = learnt.iter().chain(deciding).collect();
        let (epochs, mut order) = (losses.len() - 1, (0..all.len()).collect::<Vec<usize>>());
        let mut adam = Adam::new(variables, parameters)?;
        let (mut step, steps) = (0, LAST_EPOCHS * all.len().div_ceil(size));
        for _ in 0..LAST_EPOCHS {
            random.shuffle(&mut order);
            for batch in order.chunks(size) {
                let shown: Vec<Shown<'_>> = batch.iter().map(|i| hide(all[*i], random)).collect();
                let loss = network.loss(&shown)?;
                adam.set_learning_rate(LAST_RATE * options.learning_rate * (1.0 - step as f64 / steps as f64));
                adam.backward_step(&loss)?;
                step += 1;
                if step % 8 == 0 {
                    tell(epochs, 0.0, &losses)?;
                }
            }
        }
    }
    Ok(best.1)
}

/// Hides a sample's interface, and every other time its host too.
fn hide<'a>(sample: &'a Sample, random: &mut Random) -> Shown<'a> {
    let mut shown = Shown::from(sample);
    if random.chance(HIDE) {
        shown.interface = 0;
        if random.chance(0.5) {
            shown.host = 0;
        }
    }
    shown
}

fn mean_loss(network: &Network, samples: &[Sample]) -> Result<f32, TrainError> {
    let mut sum = 0.0;
    for batch in samples.chunks(BATCH) {
        let loss = network.loss(&batch.iter().map(Shown::from).collect::<Vec<_>>())?.to_scalar::<f32>()?;
        sum += f64::from(loss) * batch.len() as f64;
    }
    Ok((sum / samples.len() as f64) as f32)
}

fn snapshot(variables: &[candle_core::Var]) -> Result<Vec<candle_core::Tensor>, TrainError> {
    Ok(variables.iter().map(|v| v.as_tensor().copy()).collect::<Result<_, _>>()?)
}

/// The unit of errors where the quantiles have no width: the mean distance from the median, a
/// hundredth of a constant, or 1 where there was nothing but zeros.
fn idle_unit(sorted: &[f64]) -> f64 {
    let middle = sorted_quantile(sorted, 0.5);
    let distance = sorted.iter().map(|v| (v - middle).abs()).sum::<f64>() / sorted.len().max(1) as f64;
    [distance, 0.01 * middle.abs()].into_iter().find(|unit| *unit > 0.0).unwrap_or(1.0)
}

/// How a model's forecasts do on the last fifth of an interface's rows, in units of the interface's
/// spread before that. An interface that the model does not know is forecast as a stranger, on the
/// scale of its earlier rows. None where fewer than 12 rows are held out or the step is unknown.
pub fn held_out_skill(model: &Model, series: Series<'_>) -> Option<Skill> {
    let history = series.history;
    let n = history.len();
    let first = (n as f64 * BEFORE_HELD_OUT) as usize;
    if n < first + 12 || first < WINDOW {
        return None;
    }
    let times: Vec<_> = history.times().take(first).collect();
    let step = step::infer(&times)?;
    let early: Vec<[f64; 2]> = (0..WINDOW).map(|i| history.values(i)).collect();
    let (scale, outlook) = match model.recognise(series.name, step, &early) {
        Some((known, outlook)) => (known.scale, outlook),
        None => {
            let fit = |c: usize| Scale::fit(&(0..first).map(|i| history.values(i)[c]).collect::<Vec<f64>>());
            ([fit(0), fit(1)], model.stranger(&series.name.host))
        }
    };
    let mut means: Vec<f64> = (0..first).map(|i| history.values(i)[1]).collect();
    means.sort_unstable_by(f64::total_cmp);
    let q = |p| sorted_quantile(&means, p);
    let unit = (q(0.75) - q(0.25)).max(0.25 * (q(0.95) - q(0.05)));
    let unit = if unit > 0.0 { unit } else { idle_unit(&means) };

    let mut sums = [(0.0, 0usize); EXPERTS];
    let (mut mix, mut plain, mut rows) = (0.0, 0.0, 0);
    let error = |z: f64, row: usize| (scale[1].back(z) - history.values(row)[1]).abs() / unit;
    run(history, Forecaster::new(step, scale, outlook), model.network(), n, |row, _, forecast| {
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
    Some(Skill { rows, experts: sums.map(|(s, n)| mean(s, n)), mix: mean(mix, rows), plain: mean(plain, rows) })
}
