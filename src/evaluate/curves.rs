//! Precision and recall as curves: one threshold for all interfaces, from the highest down.

use super::case::Case;
use super::events::Sweep;
use super::listed::ListedFigures;
use super::points::descending;

/// Points of a curve are at least so far apart in recall …
const APART: f64 = 0.0025;
/// … or in the number of rows, as a factor.
const FACTOR: f64 = 1.15;

/// The curves of one score.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    /// Whose score.
    pub name: String,
    /// Recall and precision over the rows of all interfaces.
    pub precision: Vec<(f64, f64)>,
    /// False alarms for each interface and week, and the share of intervals that are caught then.
    pub recall: Vec<(f64, f64)>,
}

impl Curve {
    /// The curves of `scores`, which `sweep` has swept over.
    pub fn new(name: &str, case: &Case, scores: &[Vec<f64>], sweep: &Sweep) -> Self {
        Self { name: name.to_owned(), precision: precision(case, scores), recall: recall(sweep) }
    }
}

/// What the engine lists, as a point among the curves of recall: false alarms and recall.
pub fn setting(listed: &ListedFigures) -> Option<(f64, f64)> {
    Some((listed.false_per_interface_week.value, listed.recall?))
}

fn precision(case: &Case, scores: &[Vec<f64>]) -> Vec<(f64, f64)> {
    let of = |(series, scores): (&super::Series, &Vec<f64>)| {
        scores.iter().copied().zip(series.truth.mask()).collect::<Vec<(f64, bool)>>()
    };
    let mut rows: Vec<(f64, bool)> = case.series.iter().zip(scores).flat_map(of).collect();
    let labelled = rows.iter().filter(|r| r.1).count();
    if labelled == 0 {
        return Vec::new();
    }
    rows.sort_unstable_by(|a, b| descending(a.0, b.0));
    let (mut seen, mut found) = (0, 0);
    let (mut last_recall, mut last_seen) = (-1.0, 0.0);
    let mut out = Vec::new();
    for same in rows.chunk_by(|a, b| a.0 == b.0) {
        seen += same.len();
        found += same.iter().filter(|r| r.1).count();
        let recall = found as f64 / labelled as f64;
        if recall - last_recall >= APART || seen as f64 >= last_seen * FACTOR || seen == rows.len() {
            out.push((recall, found as f64 / seen as f64));
            (last_recall, last_seen) = (recall, seen as f64);
        }
    }
    out
}

/// False alarms may become fewer where events grow together; a budget counts the most so far.
fn recall(sweep: &Sweep) -> Vec<(f64, f64)> {
    if sweep.intervals() == 0 || sweep.weeks() <= 0.0 {
        return Vec::new();
    }
    let mut most = 0;
    let point = |step: &super::events::SweepStep| {
        most = most.max(step.false_alarms);
        (most as f64 / sweep.weeks(), step.caught as f64 / sweep.intervals() as f64)
    };
    sweep.steps().iter().map(point).collect()
}
