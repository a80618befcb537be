//! One training run on a thread of its own: progress, cancel, and at the end a model or a reason.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded};

use super::core::Engine;
use super::track::{Prepared, Track};
use super::training::{self, Copy};
use crate::model::Model;
use crate::model::train::{Options, Series, TrainError, TrainingProgress};
use crate::series::{History, InterfaceId, Timestamp};

/// What a run says.
#[derive(Debug)]
pub enum Said {
    /// How far it is.
    Progress(TrainingProgress),
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
        /// Chains for it, one for each interface with enough rows.
        prepared: BTreeMap<InterfaceId, Prepared>,
        /// Median held-out errors: of the new model and of the present one.
        errors: (f64, f64),
    },
    /// The present model is better; its median held-out error is the second one.
    Worse((f64, f64)),
    /// Somebody cancelled it.
    Cancelled,
    /// It failed.
    Failed(String),
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
    /// Starts a run on the rows that the engine has now, those from `since` on where that is named.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn start(engine: &Engine, options: Options, since: Option<Timestamp>) -> std::io::Result<Self> {
        let copies: Vec<Copy> = engine.tracks().iter().map(Copy::from).collect();
        let present = engine.model().clone();
        let (say, said) = bounded(4);
        let cancel = Arc::new(AtomicBool::new(false));
        let stop = cancel.clone();
        let work = move || {
            let run = std::panic::AssertUnwindSafe(|| run(&copies, since, &present, &options, &stop, &say));
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
        // Empties the channel so that its last word does not hold it up.
        while self.said.recv().is_ok() {}
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run(
    copies: &[Copy],
    since: Option<Timestamp>,
    present: &Model,
    options: &Options,
    stop: &AtomicBool,
    say: &Sender<Said>,
) -> Ended {
    let flow = || if stop.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let cut: Vec<Cow<'_, History>> = copies
        .iter()
        .map(|c| since.map_or(Cow::Borrowed(&c.history), |since| Cow::Owned(c.history.since(since))))
        .collect();
    let named = copies.iter().zip(&cut);
    let series: Vec<Series<'_>> = named.map(|(c, history)| Series { name: &c.name, history }).collect();
    let trained = training::train(&series, options, |progress| {
        let _ = say.try_send(Said::Progress(progress.clone()));
        flow()
    });
    let trained = match trained {
        Ok(trained) => trained,
        Err(TrainError::Cancelled) => return Ended::Cancelled,
        Err(e) => return Ended::Failed(e.to_string()),
    };
    let Some(errors) = training::compare(&trained.model, present, &series) else {
        return Ended::Failed("too few rows to compare it with the present model".into());
    };
    // As good is good enough; NaN is not.
    let no_worse = errors.0 <= errors.1;
    if !no_worse {
        return Ended::Worse(errors);
    }
    let mut prepared = BTreeMap::new();
    for (i, copy) in copies.iter().enumerate() {
        if flow().is_break() {
            return Ended::Cancelled;
        }
        if let Some(chain) = Track::prepare(&copy.name, &copy.history, copy.first, copy.revision, &trained.model) {
            prepared.insert(InterfaceId::from_index(i), chain);
        }
    }
    Ended::Better { model: Arc::new(trained.model), prepared, errors }
}
