//! From a forecast and what came to errors, a score, incidents and stories.
//!
//! | file | what it does |
//! |---|---|
//! | [`spread`] | an interface's usual error, by hour: what makes an error of 3 mean the same everywhere |
//! | [`tail`] | how rare a size of error is: a decaying histogram and a tail through its middle |
//! | [`habit`] | what comes at the same time day after day, and is no news |
//! | [`level`] | the level that an interface should be at by its rhythm: what lasts is measured from it |
//! | [`judge`] | one interface's state: errors, deviation, flat runs, score |
//! | [`notice`] | how worth telling a row is, once repeats are taken off |
//! | [`verdict`] | DBSCAN over an interface's error vectors: nominal, recurring or noise |
//! | [`incident`] | anomalous slots merged into one thing, with its kind and its name |
//! | [`silence`] | interfaces without rows while others have some |
//! | [`story`] | DBSCAN over the incidents of all interfaces: which belong together |
//!
//! Rarity raises the alarm; DBSCAN says what kind of thing it is and what belongs together.

pub mod habit;
pub mod incident;
pub mod judge;
pub mod level;
pub mod notice;
pub mod silence;
pub mod spread;
pub mod story;
pub mod tail;
pub mod verdict;

pub use incident::{Direction, Incident, IncidentId, IncidentKind};
pub use judge::{Judge, Judged, Settings};
pub use story::StoryId;
pub use verdict::Verdict;
