//! `noctop` is to a network's load what `htop` is to a machine.
//!
//! A collector drops CSV rows into a directory; noctop says which interfaces behave unlike
//! themselves, since when, how badly, and which of them belong together. The rooms of the house
//! follow the way of a row, and each imports only the ones above it in this list:
//!
//! | room | what it does |
//! |---|---|
//! | [`series`] | names, time, an interface's history on its own grid, its scale, its rhythm, its window |
//! | [`ingest`] | which files, where we are in each, complete records only; rows, and what was refused and why |
//! | [`model`] | the Embed-LSTM and the plain forecasts it must beat; training; the model file |
//! | [`detect`] | errors, score, incidents, DBSCAN's verdicts and stories |
//! | [`explore`] | what the data is like: gaps, distributions, rhythm, and which settings follow |
//! | [`journal`] | what outlives the process: acknowledgements, notes, mutes, retrained models |
//! | [`engine`] | owns all of it; takes rows and commands, gives snapshots and events |
//! | [`evaluate`] | scores and incidents against labels, beside simple forecasts |
//! | [`format`](mod@format) | how numbers, times and rarities are said, on the screen and in plain output |
//! | [`console`] and [`cli`] | two thin faces on the same engine: the screen, and plain output |
//!
//! [`config`] holds every setting, and `columns` what tables of people's own have in common; `whole` writes files whole
//! or not at all. [`inventory`] and [`simulate`] stand beside them: what people know of interfaces, and a fleet from a
//! seed, with incidents that are known.
//!
//! What a batch run prints and what the screen shows for the same rows is the same to the last
//! digit, because both are the same [`engine::Engine`] fed by the same [`ingest::Tailer`].

pub mod cli;
mod columns;
pub mod config;
pub mod console;
pub mod detect;
pub mod engine;
pub mod evaluate;
pub mod explore;
pub mod format;
pub mod ingest;
pub mod inventory;
pub mod journal;
pub mod model;
pub mod random;
pub mod series;
pub mod simulate;
mod special;
mod whole;
