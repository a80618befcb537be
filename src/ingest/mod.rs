//! From a directory of CSV files to rows.
//!
//! The directory is the log: what is true is what a scan of it says, and file events are only a
//! hint to scan. [`Tailer`] knows where it is in each file, takes complete lines only, and gives
//! what is new as [`Batch`]es; [`watch()`] runs one on a thread of its own.
//!
//! # What it promises
//!
//! - Each complete line of each `*.csv` comes out once: as a row, or as a refusal with file, line
//!   and reason. A half-written line waits for its newline. In what pieces a file was written, and
//!   how many bytes a turn may read, changes nothing in the rows and their lines.
//! - A file that is renamed is read on where it was, under whatever name it has in the directory.
//!   A file that was replaced, cut short or rewritten is read again as a new [`FileId`], and a
//!   [`Notice`] says so.
//! - A file that cannot be used (a column is missing, no permission, noctop's own output) is named
//!   in one notice, and the other files go on.
//! - One turn is bounded in bytes; files that were read to their end before come first, so that a
//!   large file that has just been dropped in does not hold up the live ones. The others are read
//!   one after the other in the order of their names, since that is mostly the order of time.
//!
//! Two rows for one moment both come out; [`outranks`] says which one stands.
//!
//! # What it does not cover
//!
//! - Rows that are no longer in a file that was rewritten, or whose file was deleted, stay known
//!   until the next start.
//! - A file that was renamed keeps the precedence of the name under which it was first read until
//!   the next start.
//! - A value that is changed in place, in the middle of a file that grows in the same moment, or in
//!   the middle of a file of more than 64 MiB, is not noticed; nor are rows that two writers mix
//!   within a line.
//! - Subdirectories, compressed files and encodings other than UTF-8 are not read.
//! - Unix only: a file's identity is its device and inode.

pub mod batch;
mod error;
mod file;
mod header;
mod lines;
mod listing;
mod options;
mod precedence;
mod record;
mod tailer;
#[cfg(test)]
mod tests;
mod timeslot;
pub mod watch;
mod witness;

pub use batch::{Batch, FileId, FileSource, Notice, Origin, Progress, Refusal, Root, Row};
pub use error::IngestError;
pub use options::{ColumnNames, ReadOptions};
pub use precedence::outranks;
pub use tailer::Tailer;
pub use timeslot::TimeslotReader;
pub use watch::{Feed, Watch, WatchMode, WatchOptions, watch};
