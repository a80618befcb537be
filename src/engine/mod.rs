//! Owns the series, the model and the detector; takes rows and commands, gives snapshots and events.
//!
//! [`Engine`] is plain and synchronous: batch runs and tests drive it directly. [`live`] puts it on
//! a thread of its own behind bounded channels, for the console and for plain lines.

mod back;
pub mod book;
pub mod chain;
pub mod core;
mod detail;
pub mod form;
pub mod handle;
pub mod herald;
pub mod hook;
pub mod job;
pub mod live;
mod moved;
mod portrait;
pub mod retraining;
pub mod scored;
mod settle;
mod shared;
mod skill;
pub mod snapshot;
mod strip;
pub mod succession;
pub mod track;
pub mod training;
pub mod view;

pub use core::{Counts, Engine, Memory, Told};
pub use form::IncidentForm;
pub use handle::{Handle, Publisher, pair};
pub use herald::{Event, News, NewsForm};
pub use scored::{Belongs, Scored, ScoredRows};
pub use snapshot::*;
pub use succession::Succession;

/// Threads that catch their own panics and tell of them in a snapshot: the reader of files, and the
/// training run. A panic there is no reason to end the program.
pub const THREADS_THAT_CATCH: [&str; 2] = ["ingest", "trainer"];
