//! Owns the series, the model and the detector; takes rows and commands, gives snapshots and events.
//!
//! [`Engine`] is plain and synchronous: batch runs and tests drive it directly. [`live`] puts it on
//! a thread of its own behind bounded channels, for the console and for plain lines.

pub mod handle;
pub mod snapshot;

pub use handle::{Handle, Publisher, pair};
pub use snapshot::*;
