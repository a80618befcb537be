//! Training: what is learnt from what.
//!
//! The rows of each interface are cut by time. The first 72 % are learnt from, the next 8 % decide
//! when to stop, and the last 20 % are held out: every figure of skill is measured on them alone.
//! The linear coefficients are learnt first (from all rows before the held-out ones: nothing decides when
//! they stop); the network then learns what the mix of the other forecasts leaves over, and once it is
//! known that it can, from the rows that decided that as well. That is the trial. What scores is learnt from
//! all rows, the newest fifth too, since they say most of the rows to come; the trial stays with it, so that a later
//! model can be compared with it on rows that neither learnt from. Where there are more windows than
//! [`Options::max_windows`], each interface gives an equal share,
//! drawn at random: a large fleet is learnt from in bounded time.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::file::ModelError;
use super::forecast::Outlook;
use super::learnt::Model;
use super::lesson::{Lesson, Roster};
use super::network::Network;
use super::scopes::{as_tried, try_out};
use super::settings::{ModelSettings, Scaling, Scope};
use super::skill::{HeldOut, Measure, Skill};
use super::teach::{FIRST, Heard, learn, learn_more};
use crate::random::Random;
use crate::series::{Clock, History, InterfaceName, WARM_UP};

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
    /// The clock that loads follow.
    pub clock: Clock,
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
            clock: Clock::UTC,
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
    /// The model makes no file.
    #[error(transparent)]
    Model(#[from] ModelError),
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
    /// The model, learnt from all rows. Its error calibrations are still empty.
    pub model: Model,
    /// The same, learnt without the held-out rows: that of which skill was measured.
    pub trial: Model,
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

    let all = series.len();
    let roster = Roster::of(series);
    let lesson = Lesson::prepare(&roster, BEFORE_HELD_OUT, options, &mut |stage, share| {
        tell(&mut progress, stage, 0.1 * share)
    })?;
    let mut random = Random::for_purpose(options.seed, "network");
    let network = lesson.network(&roster, options, &mut random)?;
    let samples = [&lesson.learnt[..], &lesson.deciding];
    let taught = learn(&network, samples, options, &mut random, &mut |heard: Heard<'_>| {
        if heard.losses.len() > progress.losses.len() && options.glimpse > 0 {
            progress.glimpses = glimpses(&lesson, &network, options, measure)?;
        }
        progress.epoch = heard.epoch;
        // The others' epochs are not its own, and no loss is told of them.
        progress.epochs = if heard.stage == FIRST { options.epochs } else { 0 };
        progress.losses = heard.losses.to_vec();
        tell(&mut progress, heard.stage, 0.1 + 0.4 * heard.share)
    })?;
    progress.epochs = 0;
    tell(&mut progress, "own last layers", 0.5)?;
    // A network that learnt nothing has nothing to tune.
    let scope = if taught.best_epoch > 0 { options.model.scope } else { Scope::Global };
    let (trial, learners) = lesson.model(&roster, &network, scope, options)?;
    let trial = try_out(trial, &learners, options.model.scope, measure, &mut |stage, share| {
        tell(&mut progress, stage, 0.5 + 0.1 * share)
    })?;
    drop(lesson);

    // What was measured is known; now the newest rows, which say most of those to come, are learnt as well.
    let lesson =
        Lesson::prepare(&roster, 1.0, options, &mut |stage, share| tell(&mut progress, stage, 0.6 + 0.1 * share))?;
    let samples = [&lesson.learnt[..], &lesson.deciding];
    learn_more(&network, samples, &taught, options, &mut random, &mut |share| {
        tell(&mut progress, "learning the newest rows", 0.7 + 0.25 * share)
    })?;
    tell(&mut progress, "own last layers", 0.95)?;
    let (model, learners) = lesson.model(&roster, &network, scope, options)?;
    let model = as_tried(model, &trial, &learners)?;
    tell(&mut progress, "done", 1.0)?;
    let (windows, left_out) = (lesson.learnt.len() + lesson.deciding.len(), all - lesson.pupils.len());
    Ok(Trained { left_out, windows, best_epoch: taught.best_epoch, own_scales: None, progress, model, trial })
}

/// How the network as it is does on held-out rows: of as many interfaces, evenly spread, as have no more
/// rows together than there may be, and of one at least.
fn glimpses(
    lesson: &Lesson<'_>,
    network: &Network,
    options: &Options,
    measure: Measure,
) -> Result<Vec<Glimpse>, TrainError> {
    let (kernel, embeddings) = (network.weights()?.kernel(), network.embeddings()?);
    let (pupils, own) = (&lesson.pupils, &lesson.own);
    let rows: usize = pupils.iter().map(|p| p.series.history.len()).sum();
    let every = rows.div_ceil(options.glimpse).clamp(1, pupils.len());
    let seen = pupils.iter().zip(own).step_by(every).filter_map(|(pupil, linear)| {
        let (first, step) = super::skill::held_out(pupil.series.history)?;
        let outlook = Outlook {
            window: options.model.window,
            scale: Some(pupil.scale),
            ..Outlook::new(*linear, kernel.gate_bias(&embeddings.of(pupil.host, pupil.entry)), options.clock.clone())
        };
        let held = HeldOut { network: Some(&kernel), outlook: Arc::new(outlook), series: pupil.series, first, step };
        let skill = measure(&held);
        Some(Glimpse { name: pupil.series.name.clone(), skill })
    });
    Ok(seen.collect())
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
    fn what_scores_has_learnt_the_newest_rows_and_its_trial_has_not() {
        let of = |newest: f64| {
            let fleet: Vec<(InterfaceName, History)> = (1..4)
                .map(|i| {
                    let more = |row: usize| if row >= 560 && row % 8 == 3 { newest } else { 0.0 };
                    (InterfaceName::new("a", &i.to_string()), history(700, i, 1.0, more))
                })
                .collect();
            let series: Vec<Series<'_>> = fleet.iter().map(|(name, history)| Series { name, history }).collect();
            let options = Options { epochs: 2, ..Options::default() };
            train(&series, &options, measure, |_| ControlFlow::Continue(())).unwrap()
        };
        let [a, b] = [0.0, 300.0].map(of);
        let alike = |a: &Model, b: &Model| {
            [
                a.weights == b.weights,
                a.known()[0].linear == b.known()[0].linear,
                a.known()[0].scale == b.known()[0].scale,
            ]
        };
        assert_eq!(alike(&a.trial, &b.trial), [true; 3]);
        assert_eq!(alike(&a.model, &b.model), [false; 3]);
        for Trained { model, trial, .. } in [a, b] {
            let model = Arc::new(model);
            let kept = model.trial().unwrap();
            assert_eq!(alike(&kept, &trial), [true; 3]);
            let skill = |of: &Model| of.known()[2].skill.map(|skill| skill.mix);
            assert!(skill(&trial).is_some());
            assert_eq!([skill(&model), skill(&kept)], [skill(&trial); 2], "skill is that of the trial");
            assert!(Arc::ptr_eq(&kept.trial().unwrap(), &kept), "a trial is its own");
        }
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
