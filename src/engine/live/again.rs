//! Reading a directory a second time, where it holds more rows than are kept in memory.
//!
//! Rows are scored in the order of time, and a directory says only once it is read through what that
//! order is. Where its rows fit into memory, they are all read, then scored. Where they do not, the first
//! reading keeps the newest days of each interface, which are shown at once, and finds the interfaces
//! whose rows come in order, as nearly all do. A second one then goes through the directory from its
//! start: rows are scored as they come and let go of, but for the few interfaces whose rows come in
//! disorder, which are held until it ends. So what it says is what one reading of everything says, and
//! what it needs does not grow with the directory. The first reading goes on meanwhile with the rows that come.

use std::path::PathBuf;

use crossbeam_channel::{Receiver, never};

use crate::engine::core::{Engine, Memory};
use crate::ingest::{Batch, Feed, FileStates, IngestError, Progress, Watch, WatchMode, WatchOptions, watch_again};
use crate::series::InterfaceName;

/// Part of the rows that may be in memory unscored, and rows at the most, that wait to be scored from which on
/// the second reading waits.
const BACKLOG: (usize, usize) = (32, 200_000);

/// Rows that may be in memory while none is scored: such a row takes less than a third of a scored one.
pub(super) fn most_unscored(memory: Memory) -> usize {
    match memory {
        Memory::All => usize::MAX,
        Memory::Rows(rows) => rows.saturating_mul(3),
    }
}

/// The second reading.
#[derive(Debug)]
pub(super) struct Again {
    watch: Watch,
    files: FileStates,
    mode: WatchMode,
    read_through: bool,
    /// The reader's thread has ended, as it does where it has failed.
    ended: bool,
    progress: Progress,
    backlog: usize,
}

impl Again {
    /// Begins it, for `engine`, which has no row yet. `first` has skimmed the directory.
    ///
    /// # Errors
    /// As [`watch_again`].
    pub(super) fn begin(
        dir: PathBuf,
        options: WatchOptions,
        first: &Engine,
        engine: &mut Engine,
    ) -> Result<Self, IngestError> {
        let names: Vec<InterfaceName> = first.tracks().iter().map(|track| track.name().clone()).collect();
        let watch = watch_again(dir, options, &names)?;
        engine.hold(first.with_strays());
        engine.absorb(&Batch { names, ..Batch::default() });
        let (files, mode, progress) = (FileStates::default(), WatchMode::default(), Progress::default());
        let backlog = (most_unscored(engine.memory()) / BACKLOG.0).min(BACKLOG.1);
        Ok(Self { watch, files, mode, read_through: false, ended: false, progress, backlog })
    }

    /// What it reads; nothing while enough rows wait to be scored.
    pub(super) fn feed(&self, engine: &Engine) -> Receiver<Feed> {
        if self.ended || engine.waiting() > self.backlog { never() } else { self.watch.feed.clone() }
    }

    /// Takes note that nothing more comes.
    pub(super) fn has_ended(&mut self) {
        self.ended = true;
    }

    /// Takes in what it has read. A fault of the reader's thread is given back.
    pub(super) fn take(&mut self, feed: Feed, engine: &mut Engine) -> Result<(), String> {
        match feed {
            Feed::Batch(batch) => {
                engine.absorb(&batch);
                self.files.take(&batch);
                self.progress = batch.progress;
                if batch.caught_up && !self.read_through {
                    self.read_through = true;
                    engine.release();
                }
            }
            Feed::Mode(mode) => self.mode = mode,
            Feed::Failed(why) => return Err(why),
        }
        Ok(())
    }

    /// Whether all that stood in the directory is read.
    pub(super) fn is_through(&self) -> bool {
        self.read_through
    }

    /// How far it is, behind a first reading of as much.
    pub(super) fn progress(&self) -> Progress {
        let Progress { read, total } = self.progress;
        Progress { read: total + read, total: 2 * total }
    }

    /// What goes on with the directory from now on.
    pub(super) fn end(self) -> (Watch, FileStates, WatchMode) {
        (self.watch, self.files, self.mode)
    }
}
