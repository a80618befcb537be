//! A training run as the engine does it: learn, calibrate, compare with the present model.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::chain::Chain;
use super::retraining::Beside;
use super::track::Track;
use crate::detect::judge::CALIBRATION;
use crate::model::skill::{Skill, held_out_skill};
use crate::model::train::{self, Glimpse, LEAST_ROWS, Options, Series, TrainError, Trained, TrainingProgress};
use crate::model::{Model, Scope, renew};
use crate::series::{History, InterfaceName};

/// Trains a model and gives it the error calibrations that its own forecasts show.
pub fn train(
    series: &[Series<'_>],
    options: &Options,
    mut report: impl FnMut(&TrainingProgress) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let mut trained = train::train(series, options, |p| report(&before_calibration(p)))?;
    let mut calibrations = Vec::new();
    let known = trained.model.known().len();
    for i in 0..known {
        let progress = TrainingProgress {
            stage: "calibrating errors",
            fraction: 0.9 + 0.1 * i as f64 / known as f64,
            ..trained.progress.clone()
        };
        if report(&progress).is_break() {
            return Err(TrainError::Cancelled);
        }
        let name = &trained.model.known()[i].name;
        let history = series.iter().find(|s| s.name == name).map(|s| s.history);
        calibrations.push(history.and_then(|h| calibrate(name, h, &trained.model)));
    }
    let mut pooled = vec![0.0f32; CALIBRATION];
    let found = calibrations.iter().flatten().count().max(1) as f32;
    for calibration in calibrations.iter().flatten() {
        pooled.iter_mut().zip(calibration).for_each(|(sum, v)| *sum += v / found);
    }
    for (known, calibration) in trained.model.known_mut().iter_mut().zip(calibrations) {
        known.calibration = calibration.unwrap_or_else(|| pooled.clone());
    }
    trained.model.pooled_calibration = pooled;
    Ok(trained)
}

/// The same for some interfaces of a model: what it knows of others stays as it is.
pub fn renew(
    present: &Model,
    series: &[Series<'_>],
    scope: Scope,
    options: &Options,
    mut report: impl FnMut(&TrainingProgress) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let mut trained = renew::renew(present, series, scope, options, |p| report(&before_calibration(p)))?;
    for s in series {
        let progress = TrainingProgress { stage: "calibrating errors", fraction: 0.95, ..trained.progress.clone() };
        if report(&progress).is_break() {
            return Err(TrainError::Cancelled);
        }
        let calibration = calibrate(s.name, s.history, &trained.model);
        let known = trained.model.known_mut().iter_mut().find(|known| known.name == *s.name);
        if let (Some(known), Some(calibration)) = (known, calibration) {
            known.calibration = calibration;
        }
    }
    Ok(trained)
}

/// Calibration comes after the training and takes about a tenth of the time.
fn before_calibration(progress: &TrainingProgress) -> TrainingProgress {
    TrainingProgress { fraction: 0.9 * progress.fraction, ..progress.clone() }
}

fn calibrate(name: &InterfaceName, history: &History, model: &Model) -> Option<Vec<f32>> {
    if history.len() < LEAST_ROWS {
        return None;
    }
    Chain::build(name, history, 0, history.len(), model).map(|chain| chain.judge.calibration())
}

/// Two models on the same held-out rows. None where no interface has any.
pub fn compare(new: &Model, old: &Model, series: &[Series<'_>]) -> Option<Beside> {
    let of = |s: &Series<'_>| Some((held_out_skill(new, *s)?, held_out_skill(old, *s)?));
    Beside::of(&series.iter().filter_map(of).collect::<Vec<_>>())
}

/// What is seen of the present model beside one that still learns: each of its figures is reckoned once.
#[derive(Debug, Default)]
pub struct Onlooker {
    /// The present model's skill on interfaces that were glimpsed at.
    seen: BTreeMap<InterfaceName, Option<Skill>>,
}

impl Onlooker {
    /// The network of the last epoch beside the present model.
    pub fn look(&mut self, glimpses: &[Glimpse], present: &Model, series: &[Series<'_>]) -> Option<Beside> {
        let mut of = |glimpse: &Glimpse| {
            let old = self.seen.entry(glimpse.name.clone()).or_insert_with(|| {
                let own = series.iter().find(|s| *s.name == glimpse.name)?;
                held_out_skill(present, *own)
            });
            Some((glimpse.skill, (*old)?))
        };
        Beside::of(&glimpses.iter().filter_map(&mut of).collect::<Vec<_>>())
    }
}

/// A copy of an interface's rows that a training run can keep while new rows come in.
#[derive(Debug, Clone)]
pub struct Copy {
    /// Its name.
    pub name: InterfaceName,
    /// Its rows.
    pub history: History,
    /// Its revision when it was copied.
    pub revision: u64,
}

impl From<&Track> for Copy {
    fn from(track: &Track) -> Self {
        Self { name: track.name().clone(), history: track.history().clone(), revision: track.revision() }
    }
}
