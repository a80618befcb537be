//! Who would have been called: what rang, against the labels.
//!
//! Rings have a budget of their own, for the whole directory and day. A ring is true where a labelled
//! interval explains its incident, as in [`super::listed`]. Of a story one ring is enough: it is known
//! of when something of it rang.

use std::collections::BTreeMap;

use serde::Serialize;

use super::case::Case;
use super::events::share;
use super::listed::{Match, Rate};
use super::poisson;
use crate::series::DAY;

/// Seconds that the rows count for at least.
const LEAST: i64 = 3600;

/// What rang, against the labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RingFigures {
    /// Rings that were asked for, for the whole directory and day.
    pub asked_per_day: f64,
    /// Days from the directory's first row to its last.
    pub days: f64,
    /// Incidents that rang in that time.
    pub rings: usize,
    /// The same for each day.
    pub per_day: Rate,
    /// Those of them that a labelled interval explains.
    pub true_rings: usize,
    /// Their share. None where no interval is labelled.
    pub share_true: Option<f64>,
    /// Labelled stories of two or more intervals.
    pub stories: usize,
    /// Those of which something rang.
    pub stories_rung: usize,
    /// Their share.
    pub share_stories_rung: Option<f64>,
}

/// The figures. `explained` says of each listed incident whether a labelled interval explains it.
pub(super) fn figures(case: &Case, matches: &[Match<'_>], explained: &[bool]) -> RingFigures {
    let first = case.series.iter().filter_map(|s| s.times.first()).min();
    let last = case.series.iter().filter_map(|s| s.times.last()).max();
    let seconds = first.zip(last).map_or(0, |(first, last)| last.since(*first));
    let days = seconds.max(LEAST) as f64 / DAY as f64;
    // One that was there before the rows are rang before them, if it did.
    let rang = |i: usize| case.listed[i].rings && first.is_some_and(|first| case.listed[i].start >= *first);
    let rung: Vec<usize> = (0..case.listed.len()).filter(|i| rang(*i)).collect();
    let true_rings = rung.iter().filter(|i| explained[**i]).count();
    let mut of: BTreeMap<&str, (usize, bool)> = BTreeMap::new();
    for found in matches {
        if let Some(story) = &found.known.story {
            let (members, known) = of.entry(story).or_default();
            *members += 1;
            *known |= found.by.iter().any(|i| rang(*i));
        }
    }
    of.retain(|_, (members, _)| *members > 1);
    let stories_rung = of.values().filter(|(_, known)| *known).count();
    let (low, high) = poisson::interval(rung.len());
    RingFigures {
        asked_per_day: case.rings_per_day,
        days,
        rings: rung.len(),
        per_day: Rate { value: rung.len() as f64 / days, low: low / days, high: high / days },
        true_rings,
        share_true: share(true_rings, rung.len()).filter(|_| !matches.is_empty()),
        stories: of.len(),
        stories_rung,
        share_stories_rung: share(stories_rung, of.len()),
    }
}
