//! How good the scores and the incidents are, against labels. No terminal and no arguments here.
//!
//! | file | what it does |
//! |---|---|
//! | [`labels`] | a file of labelled intervals, by the names of its columns |
//! | [`truth`] | which rows of a series are labelled |
//! | [`case`] | the engine's rows and scores brought together with the labels |
//! | [`baseline`] | simple forecasts as scores, and a random one: what any figure has to beat |
//! | [`points`] | rows in the order of their scores: average precision, best F1 |
//! | [`vus`], [`period`] | VUS-PR, and the length of the window that it is measured with |
//! | [`events`] | alarms and caught intervals under one threshold for all interfaces |
//! | [`nab`] | the three profiles of the Numenta benchmark |
//! | [`figures`] | all of these for one score |
//! | [`listed`], [`stories`] | what the engine itself lists at the alarm rate in force, and how it groups it |
//! | [`rung`] | what rings, and of what somebody is called |
//! | [`poisson`] | how exact a counted rate is |
//! | [`report`] | everything, ready to be printed or written as JSON |
//! | [`curves`], [`picture`] | precision and recall as curves, and these as SVG |
//!
//! There is no point adjustment anywhere: an interval does not count as found in full because one
//! of its rows was. With that adjustment even random scores look good.

pub mod baseline;
pub mod case;
pub mod curves;
pub mod events;
pub mod figures;
pub mod labels;
pub mod listed;
pub mod nab;
pub mod period;
pub mod picture;
pub mod points;
pub mod poisson;
pub mod report;
pub mod rung;
pub mod stories;
pub mod truth;
pub mod vus;

pub use case::{Case, Series};
pub use labels::{LabelError, Labels};
pub use report::Report;
pub use truth::{Span, Truth};
