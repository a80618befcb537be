//! From a directory of CSV files to rows.
//!
//! The directory is the log: what is true is what a scan of it says, and file events are only a
//! hint to scan. [`Tailer`] knows where it is in each file, takes complete lines only, and gives
//! what is new as [`Batch`]es; [`watch`] runs one on a thread of its own.

pub mod batch;

pub use batch::{Batch, FileId, FileSource, Notice, Origin, Progress, Refusal, Root, Row};
