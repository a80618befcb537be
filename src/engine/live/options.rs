//! What can be chosen of how a directory is watched.

use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::Sender;

use crate::detect::Settings;
use crate::engine::core::Memory;
use crate::engine::herald::News;
use crate::engine::succession::Succession;
use crate::ingest::{Notice, WatchOptions};
use crate::inventory::Inventory;
use crate::journal::Journal;
use crate::model::train::Options as TrainOptions;

/// What to watch, and how.
#[derive(Debug)]
pub struct LiveOptions {
    /// The directory.
    pub dir: PathBuf,
    /// How it is read.
    pub watch: WatchOptions,
    /// The models that were in force in turn; often it is one.
    pub models: Succession,
    /// The file of the newest of them; none for the built-in one.
    pub model_path: Option<PathBuf>,
    /// How many rows are kept in memory.
    pub memory: Memory,
    /// What decides alarms.
    pub settings: Settings,
    /// How a retraining trains.
    pub train: TrainOptions,
    /// Where a retrained model is kept; none to keep none.
    pub journal: Option<Journal>,
    /// Threads that score.
    pub threads: usize,
    /// What the shell runs when an incident rings, is acknowledged, closes, reopens, is moved or withdrawn.
    pub on_incident: Option<String>,
    /// Where all that there is to tell of incidents is said, for who tells it in lines; none where nobody does.
    pub news: Option<Sender<News>>,
    /// What people know of interfaces.
    pub inventory: Arc<Inventory>,
    /// Said once at the start, beside the notices of ingest.
    pub notices: Vec<Notice>,
}

impl LiveOptions {
    /// To watch a directory with these models: all else as it comes, on one thread, and nothing is kept.
    pub fn new(dir: PathBuf, models: impl Into<Succession>) -> Self {
        Self {
            dir,
            watch: WatchOptions::default(),
            models: models.into(),
            model_path: None,
            memory: Memory::default(),
            settings: Settings::default(),
            train: TrainOptions::default(),
            journal: None,
            threads: 1,
            on_incident: None,
            news: None,
            inventory: Arc::default(),
            notices: Vec::new(),
        }
    }
}
