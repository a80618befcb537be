//! What outlives the process: for each watched directory a place in the state directory
//! (`$XDG_STATE_HOME/noctop`, else `~/.local/state/noctop`), with the models that were retrained there,
//! and a log of what people and noctop said of incidents, interfaces and models.
//!
//! | file | what it does |
//! |---|---|
//! | [`place`] | where it lies, who writes, and whether anybody may |
//! | [`entry`] | one line of the log: acknowledged, noted, muted, retired, another model |
//! | [`log`] | the file: appended to under a lock, read as it grows |
//! | [`marks`] | what the lines come to |
//! | [`models`] | the retrained models: kept in files, and which was in force when |
//! | [`keeper`] | the marks of this process, kept the same as those of all others |
//!
//! An incident's id follows from its interface and its start, so what was said of it still fits after
//! a restart. Two operators who watch one directory share its place: each sees the other's marks within
//! a second or so.

pub mod entry;
pub mod keeper;
pub mod log;
pub mod marks;
pub mod models;
pub mod place;

pub use entry::{Act, Entry, Named, Subject};
pub use keeper::Keeper;
pub use marks::{Marks, Note, Signed};
pub use models::Change;
pub use place::Journal;
