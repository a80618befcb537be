//! A training run as the engine does it: learn, calibrate, compare with the present model.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::thread;

use super::chain::Chain;
use super::retraining::Beside;
use super::skill::as_scored;
use super::track::Track;
use crate::detect::judge::{CALIBRATED_ROWS, CALIBRATION};
use crate::model::skill::{HeldOut, Skill};
use crate::model::train::{self, Glimpse, LEAST_ROWS, Options, Series, TrainError, Trained, TrainingProgress};
use crate::model::{Model, Scope, renew};
use crate::series::{DAY, History, InterfaceName};

/// Seconds of rows from which an interface's own errors say what is usual on it: before, its day was not seen twice. And
/// there have to be as many rows as its calibration counts as.
const CALIBRATED_SPAN: i64 = 2 * DAY;

/// Whether an interface has too few rows for a calibration of its own: a model that was learnt from a single day and
/// believed what it had seen there found less than one that had never seen the interface.
fn is_brief(history: &History) -> bool {
    let span = history.begin().zip(history.times().next_back()).map_or(0, |(begin, end)| end.since(begin));
    (history.len() as f64) < CALIBRATED_ROWS || span < CALIBRATED_SPAN
}

/// Trains a model and gives it the error calibrations that its own forecasts show.
pub fn train(
    series: &[Series<'_>],
    options: &Options,
    mut report: impl FnMut(&TrainingProgress) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let mut trained = train::train(series, options, as_scored, |p| report(&before_calibration(p)))?;
    let mut found = calibrate(series, &trained, report)?;
    let count = found.len().max(1) as f32;
    let mut pooled = vec![0.0f32; CALIBRATION];
    for calibration in trained.model.known().iter().filter_map(|known| found.get(&known.name)) {
        pooled.iter_mut().zip(calibration).for_each(|(sum, v)| *sum += v / count);
    }
    take(&mut trained.model, series, &mut found);
    trained.model.pooled_calibration = pooled;
    Ok(trained)
}

/// The same for some interfaces of a model and its trial: what they know of others stays as it is.
pub fn renew(
    present: [&Model; 2],
    series: &[Series<'_>],
    scope: Scope,
    options: &Options,
    mut report: impl FnMut(&TrainingProgress) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let mut trained = renew::renew(present, series, scope, options, as_scored, |p| report(&before_calibration(p)))?;
    let mut found = calibrate(series, &trained, report)?;
    take(&mut trained.model, series, &mut found);
    Ok(trained)
}

/// Gives the interfaces that were learnt their calibrations, where they have rows enough.
fn take(model: &mut Model, series: &[Series<'_>], found: &mut BTreeMap<&InterfaceName, Vec<f32>>) {
    let brief: BTreeSet<&InterfaceName> = series.iter().filter(|s| is_brief(s.history)).map(|s| s.name).collect();
    for known in model.known_mut() {
        if let Some(calibration) = found.remove(&known.name) {
            known.calibration = Some(calibration).filter(|_| !brief.contains(&known.name));
        }
        // A model says no more of it than its file does.
        known.settled = known.calibration.is_some();
    }
}

/// Share of the work that is done before the errors are calibrated.
const BEFORE: f64 = 0.9;

fn before_calibration(progress: &TrainingProgress) -> TrainingProgress {
    TrainingProgress { fraction: BEFORE * progress.fraction, ..progress.clone() }
}

/// What the errors of each of these interfaces are usually like, as far as the model knows it and there are rows
/// enough: on all processors, some at a time.
fn calibrate<'a>(
    series: &[Series<'a>],
    trained: &Trained,
    mut report: impl FnMut(&TrainingProgress) -> ControlFlow<()>,
) -> Result<BTreeMap<&'a InterfaceName, Vec<f32>>, TrainError> {
    // Errors on rows that were learnt are smaller than those to come; the trial did not learn the newest fifth.
    let mut model = trained.trial.clone().on_scales_of(&trained.model);
    // What errors are like is to be told by these rows alone.
    model.known_mut().iter_mut().for_each(|known| known.calibration = None);
    let model = &model;
    let known: BTreeSet<&InterfaceName> = model.known().iter().map(|known| &known.name).collect();
    let mut of: Vec<&Series<'a>> = series.iter().filter(|s| s.history.len() >= LEAST_ROWS).collect();
    of.retain(|s| known.contains(s.name));
    let mut found = BTreeMap::new();
    for some in of.chunks(thread::available_parallelism().map_or(1, usize::from)) {
        let fraction = BEFORE + (1.0 - BEFORE) * found.len() as f64 / of.len() as f64;
        let progress = TrainingProgress { stage: "calibrating errors", fraction, ..trained.progress.clone() };
        if report(&progress).is_break() {
            return Err(TrainError::Cancelled);
        }
        let calibration = |s: &Series<'a>| {
            let chain = Chain::build(s.name, s.history, 0, s.history.len(), model)?;
            Some((s.name, chain.judge.calibration()))
        };
        // Under this thread's name: where a panic of it is caught and told, one of theirs is, too.
        let name = thread::current().name().unwrap_or_default().to_owned();
        thread::scope(|scope| {
            let makers = some.iter().map(|s| {
                let maker = thread::Builder::new().name(name.clone()).spawn_scoped(scope, move || calibration(s));
                (s, maker)
            });
            for (s, maker) in makers.collect::<Vec<_>>() {
                found.extend(match maker {
                    Ok(maker) => maker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                    // Where there can be no thread, this one does it.
                    Err(_) => calibration(s),
                });
            }
        });
    }
    Ok(found)
}

/// Two models on the same held-out rows. None where no interface has any.
pub fn compare(new: &Model, old: &Model, series: &[Series<'_>]) -> Option<Beside> {
    let skill = |model, s: &Series<'_>| Some(as_scored(&HeldOut::of(model, *s)?));
    let of = |s: &Series<'_>| Some((skill(new, s)?, skill(old, s)?));
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
                Some(as_scored(&HeldOut::of(present, *own)?))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Learnt, Whose};
    use crate::random::Random;
    use crate::series::{FileId, Origin, Timestamp};

    /// Rows at 5 minutes with a rhythm of two hours, `wide` times as wide as usual.
    fn history(rows: i64, wide: f64) -> History {
        let (mut history, mut random) = (History::default(), Random::new(7));
        for i in 0..rows {
            let wave = libm::sin(i as f64 * std::f64::consts::TAU / 24.0);
            let mean = 1000.0 + wide * (200.0 * wave + 30.0 * random.normal());
            let origin = Origin { file: FileId::from_index(0), line: 1 };
            history.insert(Timestamp::from_seconds(1_767_571_200 + i * 300), 1.2 * mean, mean, origin, |_, _| true);
        }
        history
    }

    #[test]
    fn what_was_learnt_of_a_single_day_is_measured_as_a_stranger() {
        let names = ["brief", "long"].map(|name| InterfaceName::new("a", name));
        let histories = [history(288, 1.0), history(864, 1.0)];
        let series: Vec<Series<'_>> =
            names.iter().zip(&histories).map(|(name, history)| Series { name, history }).collect();
        let options = Options { epochs: 1, max_windows: 300, ..Options::default() };
        let model = train(&series, &options, |_| ControlFlow::Continue(())).unwrap().model;
        let place = tempfile::tempdir().unwrap();
        model.save(&place.path().join("m")).unwrap();
        for model in [&model, &Model::load(&place.path().join("m")).unwrap()] {
            assert_eq!([0, 1].map(|i| model.known()[i].calibration.is_some()), [false, true]);
            assert_eq!(Learnt::of(model, &Whose::All), Learnt { interfaces: 2, brief: 1 });
            let long = Learnt::of(model, &Whose::Interface(names[1].clone()));
            assert_eq!((long.interfaces, long.remark()), (1, None));
            // Rows that are told from the learnt ones by their spread alone.
            let fresh = history(200, 1.6);
            let chains = names.each_ref().map(|name| Chain::build(name, &fresh, 0, 200, model).unwrap());
            assert!(chains.iter().all(|chain| chain.known), "both are forecast as they were learnt");
            let learnt = [0, 1].map(|i| *chains[i].forecaster.scale() == model.known()[i].scale);
            assert_eq!(learnt, [false, true], "the brief one's scale is that of the fresh rows");
            let judges = chains.each_ref().map(|chain| chain.judge.calibration());
            assert!(judges[0] != judges[1]);
        }
        // What no calibration was found for is not settled either: its file could not say so.
        let mut model = model;
        model.known_mut()[1].calibration = None;
        take(&mut model, &series, &mut BTreeMap::new());
        assert!(!model.known()[1].settled);
    }
}
