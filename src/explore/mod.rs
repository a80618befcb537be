//! What the data of a directory is like, before any model of it. No terminal and no arguments here.
//!
//! | file | what it does |
//! |---|---|
//! | [`gather`], [`columns`] | rows by interface, in 16 bytes each |
//! | [`grid`] | an interface's step, and what is missing on its grid |
//! | [`spread`] | quantiles and box plot |
//! | [`acf`] | autocorrelation on ranks, and the periods that it shows |
//! | [`profile`] | the usual by hour of day and by weekday |
//! | [`course`] | whether the level stays: a shift, a trend, or neither |
//! | [`ks`], [`alike`] | Kolmogorov–Smirnov tests, and which pairs they are made for |
//! | [`together`] | which interfaces of a device move together |
//! | [`figures`] | all of this for one interface |
//! | [`portrait`] | one interface beside the others of its device, for a person who looks at it |
//! | [`findings`] | what is odd about it, in words |
//! | [`explored`] | all of this for a directory |
//! | [`advice`] | what follows from it: settings with their flag, and rows to look into |
//!
//! Time and memory grow with the rows and with the number of interfaces, never with its square: what
//! is said of pairs has a bound for each device ([`explored::BESIDE_EACH_OTHER`]) and one for the
//! directory ([`alike::TESTED`]). All rows are held, since quantiles and ranks are exact.

pub mod acf;
pub mod advice;
pub mod alike;
pub mod columns;
pub mod course;
pub mod explored;
pub mod figures;
pub mod findings;
pub mod gather;
pub mod grid;
pub mod ks;
pub mod portrait;
pub mod profile;
pub mod spread;
pub mod together;

pub use columns::Columns;
pub use explored::Explored;
pub use figures::Figures;
pub use gather::{Gathered, Gathering};
pub use portrait::Portrait;
