//! One training run on a thread of its own: progress, cancel, and at the end a model or a reason.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::core::Engine;
use super::retraining::{Beside, Learnt, Run, Whose};
use super::track::{Prepared, Track};
use super::training::{self, Copy, Onlooker};
use crate::journal::Journal;
use crate::model::train::{Options, Series, TrainError, TrainingProgress};
use crate::model::{Model, Scope};
use crate::series::{History, InterfaceId, Timestamp};

/// How long the end of a run is waited for: it looks several times a second whether it is to end.
const GOODBYE: Duration = Duration::from_secs(3);

/// What a run says.
#[derive(Debug)]
pub enum Said {
    /// How far it is.
    Progress(Run),
    /// It has ended.
    Ended(Box<Ended>),
}

/// How a run ended.
#[derive(Debug)]
pub enum Ended {
    /// The new model is no worse on the held-out rows.
    Better {
        /// The new model.
        model: Arc<Model>,
        /// The interfaces that go on with it otherwise than before, each with its chain, where it has
        /// enough rows for one.
        prepared: BTreeMap<InterfaceId, Option<Prepared>>,
        /// Both models on the same rows.
        beside: Beside,
        /// How much of the interfaces was there to learn.
        learnt: Learnt,
        /// Where it is kept, or why not.
        saved: Result<PathBuf, String>,
    },
    /// The present model is better.
    Worse(Beside),
    /// Somebody cancelled it.
    Cancelled,
    /// It failed.
    Failed(String),
}

/// What a run is to do.
#[derive(Debug)]
struct Task {
    copies: Vec<(InterfaceId, Copy)>,
    whose: Whose,
    since: Option<Timestamp>,
    present: Arc<Model>,
    options: Options,
    /// Where a model that takes over is kept.
    journal: Option<Journal>,
}

/// A run that is under way. Dropping it cancels it.
#[derive(Debug)]
pub struct Job {
    /// What it says; bounded, old progress is dropped.
    pub said: Receiver<Said>,
    cancel: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Job {
    /// Starts a run for `whose` interfaces, on those of their rows that the engine has now, from `since` on
    /// where that is named. What is better than the present model is kept in `journal`: here, since nobody should
    /// wait for a slow disk.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start(
        engine: &Engine,
        whose: Whose,
        options: Options,
        since: Option<Timestamp>,
        journal: Option<Journal>,
    ) -> std::io::Result<Self> {
        let all = engine.tracks().iter().enumerate().filter(|(_, track)| whose.has(track.name()));
        let copies = all.map(|(i, track)| (InterfaceId::from_index(i), Copy::from(track))).collect();
        let task = Task { copies, whose, since, present: engine.model().clone(), options, journal };
        let (say, said) = bounded(4);
        let cancel = Arc::new(AtomicBool::new(false));
        let stop = cancel.clone();
        let work = move || {
            let run = std::panic::AssertUnwindSafe(|| run(&task, &stop, &say));
            let ended = std::panic::catch_unwind(run).unwrap_or_else(|panic| {
                let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
                Ended::Failed(format!("a fault in noctop: {}", text.unwrap_or("no message")))
            });
            // Nobody listens when the engine has gone.
            let _ = say.send(Said::Ended(Box::new(ended)));
        };
        let thread = std::thread::Builder::new().name("trainer".into()).spawn(work)?;
        Ok(Self { said, cancel, thread: Some(thread) })
    }

    /// Asks it to end; it says so within a second or so.
    pub fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        self.cancel();
        // Empties the channel so that its last word does not hold it up, but waits for no dead disk.
        let end = Instant::now() + GOODBYE;
        let last = loop {
            if let Err(e) = self.said.recv_deadline(end) {
                break e;
            }
        };
        if let (RecvTimeoutError::Disconnected, Some(thread)) = (last, self.thread.take()) {
            let _ = thread.join();
        }
    }
}

fn run(task: &Task, stop: &AtomicBool, say: &Sender<Said>) -> Ended {
    let Task { copies, whose, since, present, options, journal } = task;
    let flow = || if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let cut: Vec<Cow<'_, History>> = copies
        .iter()
        .map(|(_, c)| since.map_or(Cow::Borrowed(&c.history), |since| Cow::Owned(c.history.since(since))))
        .collect();
    let named = copies.iter().zip(&cut);
    let series: Vec<Series<'_>> = named.map(|((_, c), history)| Series { name: &c.name, history }).collect();
    let tried = match present.trial() {
        Ok(tried) => tried,
        Err(e) => return Ended::Failed(e.to_string()),
    };
    let mut onlooker = Onlooker::default();
    let mut seen: (usize, Option<Beside>) = (0, None);
    let report = |progress: &TrainingProgress| {
        if progress.losses.len() > seen.0 {
            seen = (progress.losses.len(), onlooker.look(&progress.glimpses, &tried, &series));
        }
        let run = Run { whose: whose.clone(), progress: progress.clone(), so_far: seen.1 };
        let _ = say.try_send(Said::Progress(run));
        flow()
    };
    let trained = match whose {
        Whose::All => training::train(&series, options, report),
        Whose::Device(_) => training::renew([present, &tried], &series, Scope::Device, options, report),
        Whose::Interface(_) => training::renew([present, &tried], &series, Scope::Interface, options, report),
    };
    let trained = match trained {
        Ok(trained) => trained,
        Err(TrainError::Cancelled) => return Ended::Cancelled,
        Err(e) => return Ended::Failed(e.to_string()),
    };
    let Some(beside) = training::compare(&trained.trial, &tried, &series) else {
        return Ended::Failed("too few rows to compare it with the present model".into());
    };
    if !beside.is_no_worse() {
        return Ended::Worse(beside);
    }
    let mut prepared = BTreeMap::new();
    for (id, copy) in copies {
        if flow().is_break() {
            return Ended::Cancelled;
        }
        prepared.insert(*id, Track::prepare(&copy.name, &copy.history, copy.first, copy.revision, &trained.model));
    }
    if flow().is_break() {
        return Ended::Cancelled;
    }
    let saved = match journal {
        Some(journal) if journal.is_read_only() => Err("read-only: it is not kept".into()),
        Some(journal) => journal.keep(&trained.model).map_err(|e| e.to_string()),
        None => Err("there is no state directory to keep it in".into()),
    };
    let learnt = Learnt::of(&trained.model, whose);
    Ended::Better { model: Arc::new(trained.model), prepared, beside, learnt, saved }
}
