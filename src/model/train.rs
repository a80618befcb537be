//! Training: what is learnt from what.
//!
//! The rows of each interface are cut by time. The first 72 % are learnt from, the next 8 % decide
//! when to stop, and the last 20 % are held out: every figure of skill is measured on them alone.
//! The linear coefficients are learnt first (from all rows before the held-out ones: nothing decides when
//! they stop); the network then learns what the mix of the other forecasts leaves over. Where
//! there are more windows than [`Options::max_windows`], each interface gives an equal share,
//! drawn at random: a large fleet is learnt from in bounded time.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_nn::{Optimizer, ParamsAdamW};

use super::adam::Adam;
use super::heads;
use super::learnt::{KnownInterface, Model, Parts};
use super::forecast::{Forecast, Forecaster, Outlook};
use super::kernel::{self, EMBEDDING, Kernel, OutputLayer, Weights};
use super::linear::{self, Coefficients, FEATURES};
use super::network::{Embeddings, Network, Sample, Shown};
use super::settings::{ModelSettings, Scaling, Scope};
use super::skill::{self, Skill};
use crate::random::{Random, fnv1a};
use crate::series::{History, InterfaceName, Scale, Step, WARM_UP, step};

/// Share of the rows that the network learns from, and share before the held-out rows.
const LEARNT: f64 = 0.72;
/// Share of the rows before the held-out ones.
pub const BEFORE_HELD_OUT: f64 = 0.8;
/// Rows below which an interface is not learnt from: twice its warm-up.
pub const LEAST_ROWS: usize = 2 * WARM_UP;
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
    /// What stays with the model.
    pub model: ModelSettings,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 8,
            max_windows: 100_000,
            learning_rate: 2e-3,
            name: "trained".into(),
            model: ModelSettings::default(),
        }
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
    /// Where one scale was fitted for all: the median error on held-out rows that the same training
    /// reached with each interface's own.
    pub own_scales: Option<f64>,
    /// How the run went.
    pub progress: TrainingProgress,
}

/// An interface on its way through training.
struct Pupil<'a> {
    series: Series<'a>,
    step: Step,
    /// That which it is forecast on, and its own.
    scale: [Scale; 2],
    own: [Scale; 2],
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
        skill::run(self.series.history, state, network, rows, see);
    }
}

/// Trains a model on `series`. `report` is told of every step and can end the run.
pub fn train(
    series: &[Series<'_>],
    options: &Options,
    mut report: impl FnMut(&TrainingProgress) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    if options.model.scaling == Scaling::Interface {
        return train_once(series, options, &mut report);
    }
    // What one scale for all costs is known only from the same training without it.
    let own = ModelSettings { scaling: Scaling::Interface, ..options.model };
    let half = |p: &TrainingProgress, from: f64| TrainingProgress { fraction: from + 0.5 * p.fraction, ..p.clone() };
    let other = train_once(series, &Options { model: own, ..options.clone() }, &mut |p| report(&half(p, 0.0)))?;
    let trained = train_once(series, options, &mut |p| report(&half(p, 0.5)))?;
    Ok(Trained { own_scales: other.model.median_error(), ..trained })
}

fn train_once(
    series: &[Series<'_>],
    options: &Options,
    report: &mut dyn FnMut(&TrainingProgress) -> ControlFlow<()>,
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
    series.retain(|s| s.history.len() >= LEAST_ROWS);
    let common_scale = (options.model.scaling == Scaling::Global && !series.is_empty()).then(|| common_scale(&series));
    let pupils: Vec<Pupil<'_>> = series
        .into_iter()
        .filter_map(|s| enrol(s, &hosts, common_scale))
        .enumerate()
        .map(|(i, p)| Pupil { entry: i + 1, ..p })
        .collect();
    if pupils.is_empty() {
        return Err(TrainError::TooFewRows { longest });
    }
    let quota = Quota { rows: options.max_windows.div_ceil(pupils.len()), seed: options.seed };

    // First pass: what the linear forecast learns from.
    let silent = Weights::zero().kernel().gate_bias(&[0.0; EMBEDDING]);
    let blank = Arc::new(Outlook {
        linear: [[0.0; FEATURES]; 2],
        gates: silent,
        layer: None,
        window: options.model.window,
        scale: None,
    });
    let mut rows: [Vec<linear::Rows>; 2] = Default::default();
    for (i, pupil) in pupils.iter().enumerate() {
        tell(&mut progress, "reading rhythms", 0.08 * i as f64 / pupils.len() as f64)?;
        let mut own: [linear::Rows; 2] = Default::default();
        let mut keep = quota.of(pupil, "linear");
        pupil.run(blank.clone(), None, pupil.cut(BEFORE_HELD_OUT), |row, state, forecast| {
            if row >= WARM_UP && keep() {
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
        let outlook = Arc::new(Outlook { linear: own[i], ..(*blank).clone() });
        let mut keep = quota.of(pupil, "windows");
        let (end, mut disturbed) = (pupil.cut(LEARNT), 0);
        pupil.run(outlook, None, pupil.cut(BEFORE_HELD_OUT), |row, state, forecast| {
            let calm = calm(&mut disturbed, state, forecast, pupil.series.history.values(row));
            if row >= WARM_UP && calm && keep() {
                let sample = sample(pupil, state, forecast, row);
                if row < end { learnt.push(sample) } else { deciding.push(sample) }
            }
        });
    }
    let mut random = Random::for_purpose(options.seed, "network");
    let network = Network::new(hosts.len(), pupils.len(), options.model.window, &mut random)?;
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
            scale: p.own,
            linear: *own,
            layer: None,
            calibration: Vec::new(),
            skill: None,
        })
        .collect();
    let embeddings: Embeddings = network.embeddings()?;
    let weights = network.weights()?;
    let none = Layers { all: Vec::new(), of: [vec![None; pupils.len()], vec![None; pupils.len()]], hosts: Vec::new() };
    let layers = if best_epoch > 0 {
        tell(&mut progress, "own last layers", 0.9)?;
        own_layers(options.model.scope, &weights, &embeddings, hosts.len(), &pupils, [&learnt, &deciding])
    } else {
        none
    };
    let parts = Parts {
        name: options.name.clone(),
        seed: options.seed,
        settings: options.model,
        weights,
        embeddings,
        host_layers: if layers.hosts.is_empty() { vec![None; hosts.len()] } else { layers.hosts },
        hosts,
        known,
        pooled,
        common_scale,
        layers: layers.all,
    };
    let mut model = Model::new(parts);
    for (i, pupil) in pupils.iter().enumerate() {
        tell(&mut progress, "measuring skill", 0.9 + 0.1 * i as f64 / pupils.len() as f64)?;
        let [device, own] = [layers.of[0][i], layers.of[1][i]];
        let (skill, layer) = compare_scopes(&model, i, pupil, options.model.scope, device, own);
        model.known_mut()[i].skill = skill;
        model.known_mut()[i].layer = layer;
    }
    let model = model.settled();
    tell(&mut progress, "done", 1.0)?;
    Ok(Trained { left_out: all - pupils.len(), windows: learnt.len(), best_epoch, own_scales: None, progress, model })
}

/// Last layers beside the shared one, and whose they are.
struct Layers {
    all: Vec<OutputLayer>,
    /// Of each interface: that of its device, and its own.
    of: [Vec<Option<usize>>; 2],
    /// Of each host, where the model was told to have one for each.
    hosts: Vec<Option<usize>>,
}

/// Learns a last layer for each device, and for each interface, as far as `scope` asks.
fn own_layers(
    scope: Scope,
    weights: &Weights,
    embeddings: &Embeddings,
    hosts: usize,
    pupils: &[Pupil<'_>],
    [learnt, deciding]: [&[Sample]; 2],
) -> Layers {
    let mut layers = Layers { all: Vec::new(), of: [vec![None; pupils.len()], vec![None; pupils.len()]], hosts: Vec::new() };
    if scope == Scope::Global {
        return layers;
    }
    let (kernel, shared) = (weights.kernel(), weights.output_layer());
    let gates = |s: &Sample| kernel.gate_bias(&embeddings.of(s.host as usize, s.interface as usize));
    let mut teach = |learnt: &[&Sample], deciding: &[&Sample]| {
        let layer = heads::learn(&kernel, &shared, learnt, deciding, &gates)?;
        layers.all.push(layer);
        Some(layers.all.len() - 1)
    };
    let host = |s: &Sample| s.host as usize;
    let (a, b) = (grouped(learnt, hosts, host), grouped(deciding, hosts, host));
    let of_hosts: Vec<Option<usize>> = (1..=hosts).map(|host| teach(&a[host], &b[host])).collect();
    let mut own = vec![None; pupils.len()];
    if scope == Scope::Interface {
        let entry = |s: &Sample| s.interface as usize;
        let (a, b) = (grouped(learnt, pupils.len(), entry), grouped(deciding, pupils.len(), entry));
        own.iter_mut().zip(pupils).for_each(|(own, p)| *own = teach(&a[p.entry], &b[p.entry]));
    }
    layers.of = [pupils.iter().map(|p| p.host.checked_sub(1).and_then(|host| of_hosts[host])).collect(), own];
    if scope == Scope::Device {
        layers.hosts = of_hosts;
    }
    layers
}

/// Samples by an entry of theirs, from 0 to `most`.
fn grouped(samples: &[Sample], most: usize, entry: impl Fn(&Sample) -> usize) -> Vec<Vec<&Sample>> {
    let mut groups = vec![Vec::new(); most + 1];
    samples.iter().for_each(|sample| groups[entry(sample)].push(sample));
    groups
}

/// The skill of interface `i` with each last layer that was learnt for it, and the layer to use:
/// that of `scope`, unless the shared one did better on the held-out rows.
fn compare_scopes(
    model: &Model,
    i: usize,
    pupil: &Pupil<'_>,
    scope: Scope,
    device: Option<usize>,
    own: Option<usize>,
) -> (Option<Skill>, Option<usize>) {
    let history = pupil.series.history;
    let Some((first, step)) = skill::held_out(history) else { return (None, None) };
    let of = |layer| skill::measure(model.network(), model.outlook_with(i, layer), history, first, step);
    let global = of(None);
    let places = [None, device, own];
    let skills = [None, device, own].map(|layer| layer.map(|layer| of(Some(layer))));
    let wanted = scope as usize;
    let (mut chosen, layer) = match skills[wanted] {
        Some(skill) if skill.mix <= global.mix => (Skill { scope, ..skill }, places[wanted]),
        _ => (global, None),
    };
    // Where nothing was gained by a layer of its own, the scope's forecast is the shared one.
    let asked = |at: Scope| at <= scope;
    chosen.scopes = [global.mix, f64::NAN, f64::NAN];
    for at in [Scope::Device, Scope::Interface].into_iter().filter(|at| asked(*at)) {
        chosen.scopes[at as usize] = skills[at as usize].map_or(global.mix, |skill| skill.mix);
    }
    (Some(chosen), layer)
}

/// One scale for all interfaces, each channel's from the rows before the held-out ones; each
/// interface gives at most so many, evenly spaced.
fn common_scale(series: &[Series<'_>]) -> [Scale; 2] {
    const MOST: usize = 2000;
    let mut values: [Vec<f64>; 2] = Default::default();
    for s in series {
        let before = (s.history.len() as f64 * BEFORE_HELD_OUT) as usize;
        for i in (0..before).step_by(before.div_ceil(MOST).max(1)) {
            let row = s.history.values(i);
            values.iter_mut().zip(row).for_each(|(values, v)| values.push(v));
        }
    }
    values.map(|values| Scale::fit(&values))
}

fn enrol<'a>(series: Series<'a>, hosts: &[Arc<str>], common: Option<[Scale; 2]>) -> Option<Pupil<'a>> {
    let times: Vec<_> = series.history.times().collect();
    let before = (series.history.len() as f64 * BEFORE_HELD_OUT) as usize;
    let own = [0, 1].map(|c| Scale::fit(&(0..before).map(|i| series.history.values(i)[c]).collect::<Vec<f64>>()));
    let host = hosts.binary_search(&series.name.host).map_or(0, |i| i + 1);
    Some(Pupil { series, step: step::infer(&times)?, scale: common.unwrap_or(own), own, host, entry: 0 })
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
        sequence: kernel::sequence(state.window()),
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
