//! From a forecast and what came to errors, a score, incidents and stories.
//!
//! | file | what it does |
//! |---|---|
//! | [`spread`] | an interface's usual error, by hour: what makes an error of 3 mean the same everywhere |
//! | [`tail`] | how rare a size of error is: a decaying histogram and a tail through its middle |
//! | [`habit`] | rows: errors that come at the same half-hour day after day are measured against their usual size |
//! | [`level`] | the level that an interface should be at by its rhythm: what lasts is measured from it |
//! | `flat` | runs of one repeated value, by how often that value repeats |
//! | `outage` | rows near nothing, by how often the interface goes there |
//! | [`judge`] | one interface's state: errors, deviation, flat runs, score |
//! | [`notice`] | how worth telling a row is, once repeats are taken off |
//! | [`verdict`] | DBSCAN over an interface's error vectors: nominal, recurring or noise |
//! | [`incident`] | what an incident is: its kind, its name, its course |
//! | [`tracker`] | anomalous slots of one interface merged into incidents |
//! | [`routine`] | incidents: what came at the same hour on several days is known, and not listed |
//! | [`restless`] | interfaces with far more incidents than are wanted: what is listed of them is rarer |
//! | [`normal`] | when a shifted level is the new normal |
//! | [`ring`] | which incidents call somebody |
//! | [`silence`] | interfaces without rows while others have some |
//! | `moments` | the minutes at which there were rows |
//! | `cluster` | DBSCAN: a label for each point |
//! | [`nearby`] | neighbours for DBSCAN, along one axis |
//! | [`story`] | DBSCAN over the incidents of all interfaces: which belong together |
//!
//! Rarity raises the alarm; DBSCAN says what kind of thing it is and what belongs together.
//!
//! Two files know what comes every day, at different places of that way. A [`habit`] belongs to the score: it
//! sees rows one by one, whether or not an incident is open, and makes an error that comes each day at
//! that half-hour a small one, so that no incident begins. A [`routine`] belongs to the tracker: it sees whole
//! incidents, by their hour, direction, extent and length, weekly ones too, and keeps one that did begin off
//! the list. The score does not know of it.

mod cluster;
mod flat;
pub mod habit;
pub mod incident;
pub mod judge;
pub mod level;
mod moments;
mod nearby;
pub mod normal;
pub mod notice;
mod outage;
pub mod restless;
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
