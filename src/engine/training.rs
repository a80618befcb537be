//! A training run as the engine does it: learn, calibrate, compare with the present model.

use std::ops::ControlFlow;

use super::chain::Chain;
use super::track::Track;
use crate::detect::judge::CALIBRATION;
use crate::model::Model;
use crate::model::skill::held_out_skill;
use crate::model::train::{self, LEAST_ROWS, Options, Series, TrainError, Trained, TrainingProgress};
use crate::series::scale::quantile;
use crate::series::{History, InterfaceName};

/// Trains a model and gives it the error calibrations that its own forecasts show.
pub fn train(
    series: &[Series<'_>],
    options: &Options,
    mut report: impl FnMut(&TrainingProgress) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let mut trained = train::train(series, options, |p| {
        // Calibration comes after the training and takes about a tenth of the time.
        report(&TrainingProgress { fraction: 0.9 * p.fraction, ..p.clone() })
    })?;
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

fn calibrate(name: &InterfaceName, history: &History, model: &Model) -> Option<Vec<f32>> {
    if history.len() < LEAST_ROWS {
        return None;
    }
    Chain::build(name, history, 0, history.len(), model).map(|chain| chain.judge.calibration())
}

/// Median over the interfaces of the mix's error on held-out rows, in units of each interface's
/// spread, for two models on the same rows. None where no interface has held-out rows.
pub fn compare(new: &Model, old: &Model, series: &[Series<'_>]) -> Option<(f64, f64)> {
    let (mut news, mut olds) = (Vec::new(), Vec::new());
    for s in series {
        if let (Some(n), Some(o)) = (held_out_skill(new, *s), held_out_skill(old, *s)) {
            news.push(n.mix);
            olds.push(o.mix);
        }
    }
    (!news.is_empty()).then(|| (quantile(&mut news, 0.5), quantile(&mut olds, 0.5)))
}

/// A copy of an interface's rows that a training run can keep while new rows come in.
#[derive(Debug, Clone)]
pub struct Copy {
    /// Its name.
    pub name: InterfaceName,
    /// Its rows that are kept.
    pub history: History,
    /// The place of the first of them in its own history.
    pub first: usize,
    /// Its revision when it was copied.
    pub revision: u64,
}

impl From<&Track> for Copy {
    fn from(track: &Track) -> Self {
        let first = track.history().places().start;
        Self { name: track.name().clone(), history: track.history().tail(first), first, revision: track.revision() }
    }
}
