//! One look at a directory as the console would have it: its retrained model, its rows up to now, what
//! people said. For the commands that say something once and are gone.

use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Args;

use super::load::{LastLine, read_all};
use super::watch;
use crate::config::Config;
use crate::engine::view::{Surroundings, Viewer};
use crate::engine::{Engine, ModelView, Snapshot};
use crate::ingest::{FileStates, Left, Root};
use crate::journal::{Entry, Journal, Marks};
use crate::series::{InterfaceId, Step, Timestamp};

/// What is looked at.
#[derive(Debug, Args)]
pub struct LookArgs {
    /// Directory of CSV files to look at [default: the configuration's, else ./datasets/sample]
    dir: Option<PathBuf>,
    /// Model to score with [default: the one that was retrained in the console for this directory, else the built-in one]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    #[command(flatten)]
    inventory: super::InventoryArgs,
    #[command(flatten)]
    alarms: super::AlarmArgs,
    #[command(flatten)]
    clock: super::ClockArgs,
    #[command(flatten)]
    read: super::ReadArgs,
}

/// What was seen.
#[derive(Debug)]
pub struct Looked {
    /// All there is to see.
    pub snapshot: Snapshot,
    /// All that was said, in its order.
    pub entries: Vec<Entry>,
    /// What was not read.
    pub left: Left,
    /// What came of each file.
    pub files: FileStates,
    /// Where.
    pub dir: PathBuf,
    engine: Engine,
}

impl LookArgs {
    /// Reads the directory and its place in the state directory, and scores every row. The snapshot lists
    /// all closed incidents, or some hundreds.
    ///
    /// # Errors
    /// When there is no directory, it cannot be read or has no rows, or the model is none.
    pub fn look(&self, config: &Config, today: Timestamp, all_closed: bool) -> anyhow::Result<Looked> {
        let dir = watch::directory(self.dir.as_deref(), config)?;
        let journal = Journal::of(&dir);
        let (entries, damaged) = journal.as_ref().map(Journal::entries).unwrap_or_default();
        let clock = self.clock.clock(&self.read, config)?;
        let (models, model_path, mut notices) =
            watch::choose_models(self.model.as_deref(), config, &clock, journal.as_ref(), &entries)?;
        notices.extend(damaged);
        for notice in &notices {
            super::tell!("{}: {}", notice.path.display(), notice.message);
        }
        let inventory = self.inventory.read(config)?;
        let model_view = ModelView::of(models.model(), model_path);
        let mut engine = Engine::new(models, self.alarms.settings(config)?, super::threads());
        let mut files = FileStates::default();
        // The directory is written to: half a line is not a row.
        let loaded = read_all(vec![(Root::Data, dir.clone())], self.read.options(config)?, LastLine::Waits, |batch| {
            files.take(batch);
            drop(engine.absorb(batch));
        })
        .context("cannot read the rows")?;
        engine.settle();
        let mut marks: Marks = entries.iter().collect();
        marks.expire(today);
        engine.mark(marks);
        engine.describe(Arc::new(inventory));
        let around = Surroundings { model: model_view, all_closed, ..Surroundings::default() };
        let snapshot = Viewer::default().snapshot(&engine, &around, &HashSet::new());
        Ok(Looked { snapshot, entries, left: loaded.left, files, dir, engine })
    }
}

impl Looked {
    /// The step of an interface, once it is settled.
    pub fn step_of(&self, interface: InterfaceId) -> Option<Step> {
        self.engine.tracks().get(interface.index()).and_then(|track| track.step())
    }

    /// All moments since `from` at which any interface has a row, and the last one before.
    pub fn moments(&self, from: Timestamp) -> BTreeSet<Timestamp> {
        let mut moments = BTreeSet::new();
        let mut before: Option<Timestamp> = None;
        for history in self.engine.tracks().iter().map(|t| t.history()) {
            let first = history.first_at_or_after(from);
            before = before.max(first.checked_sub(1).filter(|i| history.places().contains(i)).map(|i| history.time(i)));
            moments.extend((first..history.len()).map(|i| history.time(i)));
        }
        moments.extend(before);
        moments
    }
}
