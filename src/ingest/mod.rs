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
//! what was refused is shown.* `tests/it/faults.rs` and `faults_live.rs` hold it against one clean
//! reading of the same directory, to the last bit of scores and incidents; what shows each line is named behind it.
//!
//! - **Which files.** `*.csv`, and what rotation made of one: `.csv.1`, `.csv-20261123`, each also
//!   with `.gz` (`naming`, `rotation_with_numbers_and_packing`). Directories below only with
//!   [`ReadOptions::recursive`] (`directories_below_…`). Pipes, devices and links in a circle are
//!   passed over with a word, hidden files without one (`things_that_are_no_files_of_rows`, `listing`). A file that cannot be used
//!   (a column is missing, no permission, noctop's own output) is named in one notice, and the other
//!   files go on (`a_file_without_a_column_…`, `a_file_that_may_not_be_read_…`, `outputs_of_noctop_…`).
//! - **Lines.** Each complete line comes out once: as a row, or as a refusal with file, line and
//!   reason (`any_split_into_pieces_…`, `a_row_torn_at_every_byte`, the fuzz target in `fuzz/`). A
//!   half-written line waits for its newline; it counts without one where the file was not written
//!   for [`ReadOptions::grace`], or at once for who reads once ([`Tailer::finish`]). Were it completed
//!   after all, it is read again and replaces what it was taken for (`a_last_line_without_its_newline_…`,
//!   `a_quote_at_the_end_…`).
//! - **Rows.** A row is its timeslot, host and interface. The same again changes nothing. Other
//!   values are a correction: the later line of a file wins, then the file that sorts last, of a
//!   rotated series the newest; [`outranks`] says it (`any_split_of_any_rows_gives_the_same_history`,
//!   `a_rewrite_with_one_changed_value`, `two_files_with_the_same_rows_in_any_order`). Negative values are
//!   data; NaN, infinities and magnitudes over 1e18 are refused (`odd_bytes_between_rows`, `record`). A
//!   time that clocks going back let come twice means the first (`slots_that_are_not_as_they_should_be`).
//! - **Identity.** A file is its device and inode, and checksums of what was read. One that is
//!   renamed is read on where it was (`rotation_by_rename_…`). One that was replaced, cut short or
//!   rewritten, or that got the inode of another, is read again as a new [`FileId`], and a [`Notice`]
//!   says so; rows that are the same as before change nothing (`rotation_by_copy_and_truncate`,
//!   `a_new_file_with_the_inode_of_a_deleted_one`, `witness`).
//! - **Events are hints.** Lost ones, errors and overflows cost the time to the next scan
//!   (`a_queue_that_overflowed_…`, `an_event_that_was_lost_…`). On network mounts, and where no watch can
//!   be had, scans are all there is, and [`WatchMode`] says so (`polling_alone_through_rotations`, `filesystem`).
//! - **Bounds.** One turn reads [`ReadOptions::bytes_per_turn`] bytes and compares as many (`witness`,
//!   `tiny_turns_…`); a line has at most 1 MiB (`a_line_of_a_gigabyte`); one file is open at a time, and each
//!   packed one that is under way; a batch holds 100 refusals (`refusals_are_bounded_and_counted`), and 4
//!   batches wait. Files that were read to their end before come first, so that a large file that has just
//!   been dropped in does not hold up the live ones; the others are read one after the other in the order
//!   of their names, since that is mostly the order of time (`a_large_new_file_…`). What is kept of rows in
//!   memory is the engine's to say ([`crate::engine::Memory`]).
//!
//! # What it does not cover
//!
//! - **Rows that are taken away.** Rows that are no longer in a file that was rewritten, or whose file
//!   was deleted, stay known until the next start: a rotation that deletes its oldest file must not make
//!   the console forget while somebody looks at it. Only the next start says what follows from what
//!   stands there then. [`FileStates::gone`] and [`FileState::before`] count them, and the console's `!`
//!   says them (`a_file_that_vanishes_…`). A row over which such a row took precedence is hidden by it as long.
//! - A file that was renamed keeps the precedence of the name under which it was first read until
//!   the next start. Rotation leaves that as it should be.
//! - A value that is changed in place in the middle of a file that grows at that moment is noticed
//!   late: after as many further writes as the file has pieces of 16 KiB. Near the end it is noticed
//!   at once (`a_value_that_was_changed_in_place_while_the_file_grows_…`).
//! - Rows that two writers mix within a line are refused or, where they make sense, believed.
//! - A last line that was taken without its newline, cut within the name of an interface, has made
//!   that interface known until the next start.
//! - Packed files are read once they are whole; one that is being packed is not ([`Left::unfinished`]).
//! - The number of interfaces and of files is not bounded: each has its name in memory.
//! - Encodings other than UTF-8 are not read. Unix only: a file's identity is its device and inode.

pub mod batch;
mod error;
mod file;
mod filesystem;
mod header;
mod hints;
mod lines;
mod listing;
mod naming;
mod options;
mod precedence;
mod reading;
mod recent;
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

pub use batch::{Batch, FileId, FileSource, Left, Notice, Origin, Progress, Refusal, Root, Row};
pub use error::IngestError;
pub use naming::Rank;
pub use options::{ColumnNames, ReadOptions};
pub use precedence::outranks;
pub use recent::{Lines, Recent};
pub use state::{Condition, FileState, FileStates, Gone};
pub use tailer::Tailer;
pub use timeslot::TimeslotReader;
pub use watch::{Feed, Watch, WatchMode, WatchOptions, watch, watch_again};
