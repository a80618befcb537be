//! A fleet's rows from a seed, with incidents that are known.
//!
//! It stands beside the way of a row: what it writes is read like a collector's export, and nothing
//! of the rest knows that rows were made here. A row is a function of the seed, the interface and
//! the slot alone, so that any part of a fleet can be made again, on any machine, to the same bytes,
//! and a live fleet goes on exactly where its history ends.
//!
//! | file | what it decides |
//! |---|---|
//! | [`plan`] | what can be asked for, and what is nonsense |
//! | `noise`, `device`, `burst`, `profile` | how one interface behaves when nothing is the matter |
//! | `kind`, `schedule` | what can happen to it, and when it does |
//! | [`fleet`] | both together: the row of an interface in a slot, and the truth about it |
//! | [`files`], [`live`] | rows and labels on disk, at once or on a clock |

mod burst;
mod device;
pub mod error;
pub mod files;
pub mod fleet;
mod kind;
pub mod live;
mod noise;
pub mod plan;
mod profile;
mod schedule;

pub use error::SimulateError;
pub use files::{Summary, Target};
pub use fleet::{Fleet, Label, Repeat, SimRow};
pub use kind::Kind;
pub use live::LiveFleet;
pub use plan::{Plan, Scripted};
