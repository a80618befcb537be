//! Training: what is learnt from what.
//!
//! The rows of each interface are cut by time. The first 72 % are learnt from, the next 8 % decide
//! when to stop, and the last 20 % are held out: every figure of skill is measured on them alone.
//! The linear coefficients are learnt first (from all rows before the held-out ones: nothing decides when
//! they stop); the network then learns what the mix of the other forecasts leaves over, and once it is
//! known that it can, from the rows that decided that as well. Where there are more windows than
//! [`Options::max_windows`], each interface gives an equal share,
//! drawn at random: a large fleet is learnt from in bounded time.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::forecast::Outlook;
use super::learnt::{KnownInterface, Model, Parts};
use super::linear::{self, Coefficients};
use super::network::{Embeddings, Network};
use super::pupil::{Pupil, Quota, blank};
use super::scopes::{Entries, compare_scopes, own_layers};
use super::settings::{ModelSettings, Scaling, Scope};
use super::skill::{HeldOut, Measure, Skill};
use super::teach::{FIRST, Heard, learn};
use crate::random::Random;
use crate::series::{History, InterfaceName, Scale, WARM_UP};

/// Share of the rows before the held-out ones.
pub const BEFORE_HELD_OUT: f64 = 0.8;
/// Rows below which an interface is not learnt from: twice its warm-up.
pub const LEAST_ROWS: usize = 2 * WARM_UP;
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
    /// Epochs at the most: passes over the rows, or several of them where there are few.
    pub epochs: usize,
    /// Windows learnt from at the most.
    pub max_windows: usize,
    /// Adam's learning rate at the start; it falls to nothing along a cosine.
    pub learning_rate: f64,
    /// What to call the model.
    pub name: String,
    /// Rows on which it is looked how the network does, after each epoch, for who watches: at most so many
    /// for all interfaces that are looked at together. It decides nothing.
    pub glimpse: usize,
    /// What stays with the model.
    pub model: ModelSettings,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            epochs: 8,
            max_windows: 100_000,
            learning_rate: 3e-3,
            name: "trained".into(),
            glimpse: 0,
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
    /// How the network of the last epoch does on some interfaces' held-out rows.
    pub glimpses: Vec<Glimpse>,
    /// Time since the start.
    pub elapsed: Duration,
}

/// One interface's held-out rows, forecast by a network that still learns.
#[derive(Debug, Clone, PartialEq)]
pub struct Glimpse {
    /// Which interface.
    pub name: InterfaceName,
    /// How it did.
    pub skill: Skill,
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
    /// Epoch that did best on the rows kept back, from 1; 0 where none was better than the untrained network.
    pub best_epoch: usize,
    /// Where one scale was fitted for all: the median error on held-out rows that the same training
    /// reached with each interface's own.
    pub own_scales: Option<f64>,
    /// How the run went.
    pub progress: TrainingProgress,
}

/// Trains a model on `series`; skill is what `measure` says. `report` is told of every step and can end the run.
pub fn train(
    series: &[Series<'_>],
    options: &Options,
    measure: Measure,
    mut report: impl FnMut(&TrainingProgress) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    if options.model.scaling == Scaling::Interface {
        return train_once(series, options, measure, &mut report);
    }
    // What one scale for all costs is known only from the same training without it.
    let own = ModelSettings { scaling: Scaling::Interface, ..options.model };
    let half = |p: &TrainingProgress, from: f64| TrainingProgress { fraction: from + 0.5 * p.fraction, ..p.clone() };
    let other =
        train_once(series, &Options { model: own, ..options.clone() }, measure, &mut |p| report(&half(p, 0.0)))?;
    let trained = train_once(series, options, measure, &mut |p| report(&half(p, 0.5)))?;
    Ok(Trained { own_scales: other.model.median_error(), ..trained })
}

fn train_once(
    series: &[Series<'_>],
    options: &Options,
    measure: Measure,
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
    let host_of = |s: &Series<'_>| hosts.binary_search(&s.name.host).map_or(0, |i| i + 1);
    let pupils: Vec<Pupil<'_>> = series
        .into_iter()
        .filter_map(|s| Pupil::enrol(s, host_of(&s), common_scale))
        .enumerate()
        .map(|(i, p)| Pupil { entry: i + 1, ..p })
        .collect();
    if pupils.is_empty() {
        return Err(TrainError::TooFewRows { longest });
    }
    let quota = Quota::new(options, pupils.len());

    // First pass: what the linear forecast learns from.
    let blank = blank(options.model.window);
    let mut rows: [Vec<linear::Rows>; 2] = Default::default();
    for (i, pupil) in pupils.iter().enumerate() {
        tell(&mut progress, "reading rhythms", 0.08 * i as f64 / pupils.len() as f64)?;
        let own = pupil.changes(&blank, &quota);
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
        pupil.windows(outlook, &quota, &mut learnt, &mut deciding);
    }
    let mut random = Random::for_purpose(options.seed, "network");
    let network = Network::new(hosts.len(), pupils.len(), options.model.window, &mut random)?;
    let best_epoch = learn(&network, &learnt, &deciding, options, &mut random, &mut |heard: Heard<'_>| {
        if heard.losses.len() > progress.losses.len() && options.glimpse > 0 {
            progress.glimpses = glimpses(&pupils, &own, &network, options, measure)?;
        }
        progress.epoch = heard.epoch;
        // The others' epochs are not its own, and no loss is told of them.
        progress.epochs = if heard.stage == FIRST { options.epochs } else { 0 };
        progress.losses = heard.losses.to_vec();
        tell(&mut progress, heard.stage, 0.2 + 0.7 * heard.share)
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
    tell(&mut progress, "own last layers", 0.9)?;
    let entries: Vec<Entries> = pupils.iter().map(|p| Entries { host: p.host, interface: p.entry }).collect();
    // A network that learnt nothing has nothing to tune.
    let scope = if best_epoch > 0 { options.model.scope } else { Scope::Global };
    let layers = own_layers(scope, &weights, &embeddings, hosts.len(), &entries, [&learnt, &deciding]);
    let parts = Parts {
        name: options.name.clone(),
        seed: options.seed,
        settings: options.model,
        weights,
        embeddings,
        hosts,
        known,
        pooled,
        common_scale,
        layers: layers.all,
        host_layers: layers.hosts,
    };
    let mut model = Model::new(parts);
    for (i, pupil) in pupils.iter().enumerate() {
        tell(&mut progress, "measuring skill", 0.9 + 0.1 * i as f64 / pupils.len() as f64)?;
        let (skill, layer) = compare_scopes(&model, options.model.scope, i, pupil.series, layers.of[i], measure);
        model.known_mut()[i].skill = skill;
        model.known_mut()[i].layer = layer;
    }
    let model = model.settled();
    tell(&mut progress, "done", 1.0)?;
    Ok(Trained { left_out: all - pupils.len(), windows: learnt.len(), best_epoch, own_scales: None, progress, model })
}

/// How the network as it is does on held-out rows: of as many interfaces, evenly spread, as have no more
/// rows together than there may be, and of one at least.
fn glimpses(
    pupils: &[Pupil<'_>],
    own: &[Coefficients],
    network: &Network,
    options: &Options,
    measure: Measure,
) -> Result<Vec<Glimpse>, TrainError> {
    let (kernel, embeddings) = (network.weights()?.kernel(), network.embeddings()?);
    let rows: usize = pupils.iter().map(|p| p.series.history.len()).sum();
    let every = rows.div_ceil(options.glimpse).clamp(1, pupils.len());
    let seen = pupils.iter().zip(own).step_by(every).filter_map(|(pupil, linear)| {
        let (first, step) = super::skill::held_out(pupil.series.history)?;
        let outlook = Outlook {
            window: options.model.window,
            scale: Some(pupil.scale),
            ..Outlook::new(*linear, kernel.gate_bias(&embeddings.of(pupil.host, pupil.entry)))
        };
        let held = HeldOut { network: Some(&kernel), outlook: Arc::new(outlook), series: pupil.series, first, step };
        let skill = measure(&held);
        Some(Glimpse { name: pupil.series.name.clone(), skill })
    });
    Ok(seen.collect())
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

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::skill::measure;
    use crate::series::{FileId, Origin, Step, Timestamp, WindowLength};

    /// Hourly rows of a day's rhythm; what is added to each hour is up to `more`.
    pub(in crate::model) fn history(rows: usize, seed: u64, size: f64, more: impl Fn(usize) -> f64) -> History {
        let (mut history, mut random) = (History::default(), Random::new(seed));
        for i in 0..rows {
            let day = libm::sin(i as f64 * std::f64::consts::TAU / 24.0);
            let mean = size * (1000.0 + 300.0 * day + 40.0 * random.normal() + more(i));
            let origin = Origin { file: FileId::from_index(0), line: 1 };
            let time = Timestamp::from_seconds(1_767_571_200 + i as i64 * 3600);
            history.insert(time, 1.2 * mean, mean, origin, |_, _| true);
        }
        history
    }

    pub(in crate::model) fn fleet() -> Vec<(InterfaceName, History)> {
        let repeats = |i: usize| if i % 8 == 3 { 300.0 } else { 0.0 };
        vec![
            (InterfaceName::new("a", "1"), history(700, 1, 1.0, |_| 0.0)),
            (InterfaceName::new("a", "2"), history(700, 2, 50.0, repeats)),
            (InterfaceName::new("b", "1"), history(700, 3, 4000.0, |_| 0.0)),
        ]
    }

    fn trained(model: ModelSettings) -> Trained {
        let fleet = fleet();
        let series: Vec<Series<'_>> = fleet.iter().map(|(name, history)| Series { name, history }).collect();
        let options = Options { epochs: 2, model, ..Options::default() };
        train(&series, &options, measure, |_| ControlFlow::Continue(())).unwrap()
    }

    #[test]
    fn a_scope_gives_layers_of_their_own_where_they_help_and_the_shared_one_elsewhere() {
        let of = |scope| trained(ModelSettings { scope, ..ModelSettings::default() }).model;
        let global = of(Scope::Global);
        assert!(global.layers.is_empty() && global.known().iter().all(|k| k.layer.is_none()));
        for scope in [Scope::Device, Scope::Interface] {
            let model = of(scope);
            assert_eq!((model.settings.scope, &model.weights), (scope, &global.weights), "the body is shared");
            for (known, shared) in model.known().iter().zip(global.known()) {
                let (skill, shared) = (known.skill.unwrap(), shared.skill.unwrap());
                assert_eq!(skill.scopes[0], shared.mix, "the shared layer's skill is told beside it");
                assert!(skill.mix <= shared.mix, "{skill:?}");
                assert_eq!(skill.scopes[1].is_nan(), scope < Scope::Device);
                assert_eq!(skill.scopes[2].is_nan(), scope < Scope::Interface);
                assert_eq!(known.layer.is_some(), skill.scope == scope);
            }
        }
    }

    #[test]
    fn the_window_is_that_which_was_asked_for() {
        let of = |slots| {
            let window = WindowLength::new(slots).unwrap();
            trained(ModelSettings { window, ..ModelSettings::default() }).model
        };
        let (short, long) = (of(4), of(48));
        assert_ne!(short.weights, long.weights);
        assert_eq!([&short, &long].map(|m| m.settings.window.slots()), [4, 48]);
    }

    #[test]
    fn one_scale_for_all_is_used_by_all_and_its_cost_is_told() {
        let trained = trained(ModelSettings { scaling: Scaling::Global, ..ModelSettings::default() });
        let (model, fleet) = (&trained.model, fleet());
        let scale = model.common_scale.unwrap();
        for (name, history) in &fleet {
            let early: Vec<[f64; 2]> = (0..WARM_UP).map(|i| history.values(i)).collect();
            let (known, outlook) = model.recognise(name, Step::from_seconds(3600).unwrap(), &early).unwrap();
            assert_eq!(outlook.scale, Some(scale));
            assert_ne!(known.scale, scale, "its own is kept, to know the interface by");
        }
        assert_eq!(model.stranger("c").scale, Some(scale));
        let own = self::trained(ModelSettings::default());
        assert_eq!(trained.own_scales, own.model.median_error());
        assert_ne!(trained.own_scales, model.median_error());
    }
}
