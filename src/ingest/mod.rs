//! From a directory of CSV files to rows.
//!
//! The directory is the log: what is true is what a scan of it says, and file events are only a
//! hint to scan. [`Tailer`] knows where it is in each file, takes complete lines only, and gives
//! what is new as [`Batch`]es; [`watch()`] runs one on a thread of its own.
//!
//! # What it promises
//!
//! *Every complete row that stays in the directory counts exactly once; what is shown follows from
//! what stands in the directory, not from when or in which pieces it came; nothing is invented, and
//! what was refused is shown.* `tests/it/faults.rs` holds each line of it against one clean reading.
//!
//! - **Which files.** `*.csv`, and what rotation made of one: `.csv.1`, `.csv-20261123`, each also
//!   with `.gz`. Directories below only with [`ReadOptions::recursive`]. Pipes, devices, links in a
//!   circle and hidden files are passed over. A file that cannot be used (a column is missing, no
//!   permission, noctop's own output) is named in one notice, and the other files go on.
//! - **Lines.** Each complete line comes out once: as a row, or as a refusal with file, line and
//!   reason. A half-written line waits for its newline; it counts without one where the file was not
//!   written for [`ReadOptions::grace`], or at once for who reads once ([`Tailer::finish`]). Were it
//!   completed after all, it is read again and replaces what it was taken for.
//! - **Rows.** A row is its timeslot, host and interface. The same again changes nothing. Other
//!   values are a correction: the later line of a file wins, then the file that sorts last, of a
//!   rotated series the newest; [`outranks`] says it. Negative values are data; NaN, infinities and
//!   magnitudes over 1e18 are refused. A time that clocks going back let come twice means the first.
//! - **Identity.** A file is its device and inode, and checksums of what was read. One that is
//!   renamed is read on where it was. One that was replaced, cut short or rewritten, or that got the
//!   inode of another, is read again as a new [`FileId`], and a [`Notice`] says so; rows that are the
//!   same as before change nothing.
//! - **Events are hints.** Lost ones, errors and overflows cost the time to the next scan. On network
//!   mounts, and where no watch can be had, scans are all there is, and [`WatchMode`] says so.
//! - **Bounds.** One turn reads [`ReadOptions::bytes_per_turn`] bytes and compares as many; a line has
//!   at most 1 MiB; one file is open at a time, and each packed one that is under way; a batch holds
//!   100 refusals, and 4 batches wait. Files that were read to their end before come first, so that a
//!   large file that has just been dropped in does not hold up the live ones; the others are read one
//!   after the other in the order of their names, since that is mostly the order of time.
//!
//! # What it does not cover
//!
//! - Rows that are no longer in a file that was rewritten, or whose file was deleted, stay known
//!   until the next start.
//! - A file that was renamed keeps the precedence of the name under which it was first read until
//!   the next start. Rotation leaves that as it should be.
//! - A value that is changed in place in the middle of a file that grows at that moment is noticed
//!   late: after as many further writes as the file has pieces of 16 KiB. Near the end it is noticed
//!   at once.
//! - Rows that two writers mix within a line are refused or, where they make sense, believed.
//! - A last line that was taken without its newline, cut within the name of an interface, has made
//!   that interface known until the next start.
//! - Packed files are read once they are whole; one that is being packed is not.
//! - The number of interfaces is not bounded: each has its name in memory.
//! - Encodings other than UTF-8 are not read. Unix only: a file's identity is its device and inode.

pub mod batch;
mod error;
mod file;
mod filesystem;
mod header;
mod lines;
mod listing;
mod naming;
mod options;
mod precedence;
mod reading;
mod record;
mod rows;
mod source;
mod state;
mod tailer;
#[cfg(test)]
mod tests;
mod timeslot;
pub mod watch;
mod witness;

pub use batch::{Batch, FileId, FileSource, Notice, Origin, Progress, Refusal, Root, Row};
pub use error::IngestError;
pub use naming::Rank;
pub use options::{ColumnNames, ReadOptions};
pub use precedence::outranks;
pub use state::{Condition, FileState, FileStates};
pub use tailer::Tailer;
pub use timeslot::TimeslotReader;
pub use watch::{Feed, Watch, WatchMode, WatchOptions, watch, watch_again};
