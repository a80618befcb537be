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
//! | [`incident`] | what an incident is: its kind, its name, its course |
//! | [`tracker`] | anomalous slots of one interface merged into incidents |
//! | [`routine`] | what an interface does at the same hour on several days: known, not listed |
//! | [`normal`] | when a shifted level is the new normal |
//! | [`ring`] | which incidents call somebody |
//! | [`silence`] | interfaces without rows while others have some |
//! | [`story`] | DBSCAN over the incidents of all interfaces: which belong together |
//!
//! Rarity raises the alarm; DBSCAN says what kind of thing it is and what belongs together.

pub mod habit;
pub mod incident;
pub mod judge;
pub mod level;
pub mod normal;
pub mod notice;
pub mod ring;
pub mod routine;
pub mod silence;
pub mod spread;
pub mod story;
pub mod tail;
pub mod tracker;
pub mod verdict;

pub use incident::{Direction, Incident, IncidentId, IncidentKind};
pub use judge::{Judge, Judged, Settings, Standing};
pub use story::StoryId;
pub use verdict::Verdict;
