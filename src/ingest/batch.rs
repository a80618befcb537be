//! What ingest hands on: rows with where they stood, and what it could not use.

use std::path::PathBuf;
use std::sync::Arc;

use super::naming::Rank;
use super::state::FileState;
pub use crate::series::origin::{FileId, Origin};
use crate::series::{InterfaceId, InterfaceName, Timestamp};

/// What the rows of a directory are for. The order is that of precedence: where rows of both claim
/// a moment, the one of the data directory stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Root {
    /// Context only: learnt from, never reported (`--history`).
    History,
    /// The directory that is watched or scored.
    Data,
}

/// A file that rows come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileSource {
    /// Which directory it lies in.
    pub root: Root,
    /// Its path as opened.
    pub path: Arc<PathBuf>,
    /// What its name says of its precedence.
    pub rank: Rank,
}

impl FileSource {
    /// The file at `path`.
    pub fn new(root: Root, path: Arc<PathBuf>) -> Self {
        Self { root, rank: Rank::of(&path), path }
    }
}

/// One accepted sample: finite values of at most 1e18 in magnitude.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Its timeslot.
    pub time: Timestamp,
    /// Whose it is.
    pub interface: InterfaceId,
    /// The slot's largest value.
    pub max: f64,
    /// The slot's mean value.
    pub mean: f64,
    /// Where it was read.
    pub origin: Origin,
}

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The file.
    pub path: Arc<PathBuf>,
    /// Its line, from 1.
    pub line: u32,
    /// Why, in words that say what to mend.
    pub reason: String,
}

/// Something about a whole file or directory that a person should see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// The file or directory.
    pub path: Arc<PathBuf>,
    /// What is the matter, and what to do.
    pub message: String,
}

/// What stands in the directories and is not read, each with why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// Rows may be in it, and they are missing: files that cannot be read or used, links that lead nowhere, directories
    /// that cannot be listed.
    pub unread: Vec<Notice>,
    /// Packed files that are still being written, by all that can be told.
    pub unfinished: Vec<Notice>,
    /// Tables of something else.
    pub others: Vec<Notice>,
}

/// How far the reading of what stands in the directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Bytes read.
    pub read: u64,
    /// Bytes that stand in the files that are read.
    pub total: u64,
}

/// What one turn of reading brought.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    /// Names not seen before; ids continue those of earlier batches.
    pub names: Vec<InterfaceName>,
    /// Files not seen before; ids continue those of earlier batches.
    pub files: Vec<FileSource>,
    /// Accepted rows, in the order in which they were read.
    pub rows: Vec<Row>,
    /// Lines that were not taken, the newest last; bounded, see `refused`.
    pub refusals: Vec<Refusal>,
    /// How many lines were not taken in this turn (`refusals` may hold fewer).
    pub refused: u64,
    /// Things about whole files.
    pub notices: Vec<Notice>,
    /// Files of which something has changed: how they are now.
    pub states: Vec<FileState>,
    /// Whether a directory cannot be listed now: what comes into it is not seen.
    pub unlisted: bool,
    /// How many files are being read by now.
    pub open_files: usize,
    /// How far the reading is.
    pub progress: Progress,
    /// Whether everything complete that stood in the directory at this scan is read.
    pub caught_up: bool,
}
