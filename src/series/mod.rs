//! What is known of one interface before any model: its name, its rows on their own grid, its
//! scale, its rhythm of day and week, and the window of its last slots.

pub mod history;
pub mod id;
pub mod time;

pub use history::{History, Inserted};
pub use id::{InterfaceId, InterfaceName, Names};
pub use time::{DAY, Step, Timestamp, WEEK};
