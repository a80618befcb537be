//! What is known of one interface before any model: its name, its rows on their own grid, its
//! scale, its rhythm of day and week, and the window of its last slots.

pub mod clock;
pub mod history;
pub mod id;
pub mod origin;
pub mod period;
pub mod printable;
pub mod rhythm;
pub mod running;
pub mod scale;
pub mod short;
pub mod step;
pub mod time;
pub mod window;

pub use clock::{Clock, Local};
pub use history::{History, Inserted};
pub use id::{InterfaceId, InterfaceName, Names};
pub use origin::{FileId, Origin};
pub use printable::printable;
pub use rhythm::{Echo, Pair, Rhythm};
pub use running::Running;
pub use scale::{Move, Scale};
pub use short::Short;
pub use time::{DAY, Step, Timestamp, WEEK};
pub use window::{WARM_UP, Window, WindowLength};
