//! All figures of one score.

use serde::Serialize;

use super::case::Case;
use super::events::{AtThreshold, Part, Sweep, at_threshold};
use super::nab;
use super::period;
use super::points::Ranking;
use super::vus::vus_pr;

/// False alarms for each interface and week that the figures at one a week stand at.
const WEEKLY: f64 = 1.0;
/// And those at one a month of four weeks.
const MONTHLY: f64 = 0.25;

/// What is measured of one score. Means are over the interfaces that have labelled rows; a figure
/// that cannot be measured is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Whose score.
    pub name: String,
    /// Volume under the surface of precision, recall and tolerance.
    pub vus_pr: Option<f64>,
    /// Average precision.
    pub auc_pr: Option<f64>,
    /// The best harmonic mean of precision and recall.
    pub best_f1: Option<f64>,
    /// At one false alarm for each interface and week.
    pub per_week: AtBudget,
    /// At one for each interface and four weeks.
    pub per_month: AtBudget,
    /// The scores of the Numenta benchmark, where they were asked for and windows are labelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nab: Option<NabScores>,
}

/// What one threshold for all interfaces brings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AtBudget {
    /// Share of the labelled intervals that are caught.
    pub recall: Option<f64>,
    /// Share of the alarms that touch a labelled interval.
    pub precision: Option<f64>,
    /// Alarms that do not.
    pub false_alarms: usize,
    /// Rows from an interval's start to its first alarm, in the median.
    pub delay_slots: Option<f64>,
    /// The threshold; none where no threshold is within the budget.
    pub threshold: Option<f64>,
}

/// The three scores of the Numenta benchmark: 0 is what silence gets, 100 is perfect.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct NabScores {
    /// False alarms and misses alike.
    pub standard: f64,
    /// Reward few false alarms.
    pub low_fp: f64,
    /// Reward few misses.
    pub low_fn: f64,
}

/// What is the same for every score of a case.
#[derive(Debug, Clone)]
pub struct Measure<'a> {
    case: &'a Case,
    /// Lengths of the windows for VUS, for the series that have labelled rows.
    windows: Vec<Option<usize>>,
    with_nab: bool,
}

impl<'a> Measure<'a> {
    /// Ready to measure scores of `case`.
    pub fn new(case: &'a Case, with_nab: bool) -> Self {
        let window = |s: &super::Series| s.truth.is_labelled().then(|| period::window(&s.values));
        Self { case, windows: case.series.iter().map(window).collect(), with_nab }
    }

    /// The figures of `scores`, one list for each series, and the sweep that they come from.
    /// `notify` are the scores that the Numenta benchmark sees.
    pub fn figures(&self, name: &str, scores: &[Vec<f64>], notify: &[Vec<f64>]) -> (Figures, Sweep) {
        let mut sums = [Mean::default(); 3];
        for ((series, scores), window) in self.case.series.iter().zip(scores).zip(&self.windows) {
            let Some(window) = window else { continue };
            let ranking = Ranking::new(&series.truth, scores);
            sums[0].add(vus_pr(&series.truth, scores, *window));
            sums[1].add(ranking.average_precision());
            sums[2].add(ranking.best_f1());
        }
        let parts = self.parts(scores);
        let sweep = Sweep::new(&parts);
        let at = |per_week: f64| at_threshold(&parts, sweep.threshold_for(per_week)).into();
        let [vus_pr, auc_pr, best_f1] = sums.map(|sum| sum.value());
        let figures = Figures {
            name: name.to_owned(),
            vus_pr,
            auc_pr,
            best_f1,
            per_week: at(WEEKLY),
            per_month: at(MONTHLY),
            nab: if self.with_nab { self.nab(notify) } else { None },
        };
        (figures, sweep)
    }

    fn parts<'s>(&'s self, scores: &'s [Vec<f64>]) -> Vec<Part<'s>> {
        let part = |(series, scores): (&'s super::Series, &'s Vec<f64>)| Part {
            truth: &series.truth,
            scores,
            seconds: series.seconds(),
        };
        self.case.series.iter().zip(scores).map(part).collect()
    }

    fn nab(&self, scores: &[Vec<f64>]) -> Option<NabScores> {
        let parts: Vec<_> = self.case.series.iter().map(|s| &s.truth).zip(scores.iter().map(Vec::as_slice)).collect();
        Some(NabScores {
            standard: nab::score(&parts, nab::STANDARD)?,
            low_fp: nab::score(&parts, nab::LOW_FP)?,
            low_fn: nab::score(&parts, nab::LOW_FN)?,
        })
    }
}

impl From<AtThreshold> for AtBudget {
    fn from(at: AtThreshold) -> Self {
        Self {
            recall: at.recall(),
            precision: at.precision(),
            false_alarms: at.false_alarms,
            delay_slots: at.delay,
            threshold: at.threshold.is_finite().then_some(at.threshold),
        }
    }
}

/// A mean of what there is.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.sum += value;
            self.count += 1;
        }
    }

    fn value(self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }
}
