//! How each file is: how far it is read, what came of it, and what is the matter with it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use super::batch::{Batch, Root};
use super::recent::Recent;
use crate::series::Timestamp;

/// A file as it is by now.
#[derive(Debug, Clone, PartialEq)]
pub struct FileState {
    /// Tells it from all others, whatever its name.
    pub key: u32,
    /// What its directory is for.
    pub root: Root,
    /// Its path.
    pub path: Arc<PathBuf>,
    /// Bytes of it that were read; of a packed file, of the packed ones.
    pub read: u64,
    /// Bytes that it has.
    pub size: u64,
    /// Rows that were taken from it.
    pub rows: u64,
    /// Rows that were taken from it before it was rewritten, and read again from its start.
    pub before: u64,
    /// Lines of it that were refused.
    pub refused: u64,
    /// Its newest slot.
    pub newest: Option<Timestamp>,
    /// Lines of its newest slots.
    pub recent: Recent,
    /// When it was written last, by its file system's clock.
    pub modified: SystemTime,
    /// Since when a line at its end waits for its newline.
    pub pending: Option<Instant>,
    /// Whether its rows count.
    pub condition: Condition,
}

/// Whether a file's rows count, and if not, why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// There is more of it to read.
    Behind,
    /// What is complete of it is read.
    Read,
    /// Its rows cannot be used: in words.
    Skipped(String),
    /// It is no file of rows, but one that noctop wrote, or labels: in words.
    Own(String),
    /// It cannot be read now, and is tried again: in words.
    Unreadable(String),
    /// It stands in the directory no more; the rows that were read of it stay.
    Gone,
}

impl Condition {
    /// One word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Behind => "reading",
            Self::Read => "read",
            Self::Skipped(_) | Self::Own(_) => "skipped",
            Self::Unreadable(_) => "unreadable",
            Self::Gone => "gone",
        }
    }

    /// Why its rows do not count.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Skipped(why) | Self::Own(why) | Self::Unreadable(why) => Some(why),
            Self::Behind | Self::Read | Self::Gone => None,
        }
    }
}

/// All files that stand in the directories, in the order of their paths.
#[derive(Debug, Clone, Default)]
pub struct FileStates {
    all: Vec<Arc<FileState>>,
    /// Where each stands, by its key.
    places: HashMap<u32, usize>,
    gone: Gone,
}

/// Files that stood in the directories and do so no more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gone {
    /// How many they are.
    pub files: u64,
    /// Rows that were read of them. Those that no other file has are known until the next start.
    pub rows: u64,
}

impl FileStates {
    /// Takes what a batch says of files. Whether that was anything.
    pub fn take(&mut self, batch: &Batch) -> bool {
        let mut moved = false;
        for state in &batch.states {
            let gone = state.condition == Condition::Gone;
            if gone && state.rows + state.before > 0 {
                self.gone.files += 1;
                self.gone.rows += state.rows + state.before;
            }
            match self.places.get(&state.key) {
                Some(place) => {
                    moved |= gone || self.all[*place].path != state.path;
                    self.all[*place] = Arc::new(state.clone());
                }
                None if gone => {}
                None => {
                    self.places.insert(state.key, self.all.len());
                    self.all.push(Arc::new(state.clone()));
                    moved = true;
                }
            }
        }
        if moved {
            self.all.retain(|state| state.condition != Condition::Gone);
            self.all.sort_by(|a, b| (a.root, a.path.as_os_str()).cmp(&(b.root, b.path.as_os_str())));
            self.places = self.all.iter().enumerate().map(|(place, state)| (state.key, place)).collect();
        }
        !batch.states.is_empty()
    }

    /// The files that are gone.
    pub fn gone(&self) -> Gone {
        self.gone
    }

    /// The files in the order of their paths.
    pub fn by_path(&self) -> &[Arc<FileState>] {
        &self.all
    }
}
