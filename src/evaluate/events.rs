//! Alarms as events, under one threshold for all interfaces.
//!
//! Rows that reach the threshold are one event as long as no more than [`SLACK`] rows lie from one
//! to the next. An event is a false alarm where it is farther than that from every labelled
//! interval; an interval is caught where a row in it, or at most that many rows behind it, reaches
//! the threshold.

use super::points::descending;
use super::truth::Truth;
use crate::series::DAY;
use crate::series::scale::{quantile, sorted_quantile};

/// Rows that are still together, or still beside an interval.
pub const SLACK: usize = 3;
/// Seconds that a series counts for at least.
const LEAST: i64 = 3600;
/// Quantiles of all scores at which thresholds are tried: evenly spread ones below this …
const MIDDLE: f64 = 0.97;
const MIDDLE_STEPS: usize = 60;
/// … and above it ones that close in on the highest score, evenly spread in their logarithm.
const TAIL_STEPS: usize = 400;

/// One interface's part in a case.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// Which rows are labelled.
    pub truth: &'a Truth,
    /// The score of each row.
    pub scores: &'a [f64],
    /// Seconds from the first row to the last.
    pub seconds: i64,
}

/// Weeks that the parts cover together. A part counts for an hour at least.
pub fn interface_weeks(seconds: impl IntoIterator<Item = i64>) -> f64 {
    let days = |s: i64| s.max(LEAST) as f64 / DAY as f64;
    seconds.into_iter().map(days).sum::<f64>() / 7.0
}

/// What one threshold brings.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AtThreshold {
    /// The threshold; infinite where none is within the budget.
    pub threshold: f64,
    /// Labelled intervals.
    pub intervals: usize,
    /// Those that were caught.
    pub caught: usize,
    /// Events that touch an interval or its surroundings.
    pub hits: usize,
    /// Events that do not.
    pub false_alarms: usize,
    /// Rows from an interval's start to its first caught row, in the median.
    pub delay: Option<f64>,
}

impl AtThreshold {
    /// Share of the intervals that were caught. None where there are none.
    pub fn recall(&self) -> Option<f64> {
        share(self.caught, self.intervals)
    }

    /// Share of the events that touch an interval. None where there was no event, or no interval to touch.
    pub fn precision(&self) -> Option<f64> {
        share(self.hits, self.hits + self.false_alarms).filter(|_| self.intervals > 0)
    }
}

/// `part` of `all`, where there is anything.
pub(super) fn share(part: usize, all: usize) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

/// What happens while one threshold for all parts comes down: false alarms and caught intervals at
/// each of some 460 thresholds.
#[derive(Debug, Clone)]
pub struct Sweep {
    steps: Vec<SweepStep>,
    intervals: usize,
    weeks: f64,
}

/// One threshold of a sweep.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SweepStep {
    /// Rows reach it with this score or more.
    pub threshold: f64,
    /// False alarms then.
    pub false_alarms: usize,
    /// Caught intervals then.
    pub caught: usize,
}

impl Sweep {
    /// Sweeps over the thresholds, from the highest.
    pub fn new(parts: &[Part<'_>]) -> Self {
        let mut rows: Vec<(f64, u32, u32)> = Vec::new();
        for (p, part) in parts.iter().enumerate() {
            rows.extend(part.scores.iter().enumerate().map(|(i, s)| (*s, p as u32, i as u32)));
        }
        rows.sort_unstable_by(|a, b| descending(a.0, b.0));
        let mut peaks: Vec<f64> = parts.iter().flat_map(peaks).collect();
        peaks.sort_unstable_by(|a, b| descending(*a, *b));
        let mut fields: Vec<Events> = parts.iter().map(Events::new).collect();
        let (mut row, mut peak, mut false_alarms) = (0, 0, 0i64);
        let mut steps = Vec::new();
        for threshold in thresholds(&rows) {
            while let Some((_, p, i)) = rows.get(row).filter(|(score, ..)| *score >= threshold) {
                false_alarms += fields[*p as usize].add(*i as usize);
                row += 1;
            }
            while peaks.get(peak).is_some_and(|score| *score >= threshold) {
                peak += 1;
            }
            let false_alarms = usize::try_from(false_alarms).unwrap_or(0);
            steps.push(SweepStep { threshold, false_alarms, caught: peak });
        }
        Self { steps, intervals: peaks.len(), weeks: interface_weeks(parts.iter().map(|p| p.seconds)) }
    }

    /// The thresholds, from the highest.
    pub fn steps(&self) -> &[SweepStep] {
        &self.steps
    }

    /// Labelled intervals of all parts.
    pub fn intervals(&self) -> usize {
        self.intervals
    }

    /// Weeks that the parts cover together.
    pub fn weeks(&self) -> f64 {
        self.weeks
    }

    /// The lowest threshold down to which false alarms stay within `per_week` for each interface
    /// and week. Infinite where there is none.
    pub fn threshold_for(&self, per_week: f64) -> f64 {
        let most = self.weeks * per_week;
        let within = self.steps.iter().take_while(|step| step.false_alarms as f64 <= most);
        within.last().map_or(f64::INFINITY, |step| step.threshold)
    }
}

/// What `threshold` brings over all parts.
pub fn at_threshold(parts: &[Part<'_>], threshold: f64) -> AtThreshold {
    let mut out = AtThreshold { threshold, intervals: 0, caught: 0, hits: 0, false_alarms: 0, delay: None };
    let mut delays = Vec::new();
    for part in parts {
        for span in part.truth.spans() {
            let end = (span.last + SLACK + 1).min(part.scores.len());
            out.intervals += 1;
            delays.extend(part.scores[span.first..end].iter().position(|s| *s >= threshold).map(|d| d as f64));
        }
        let near = part.truth.near(SLACK);
        let mut event: Option<(usize, bool)> = None;
        let mut close = |event: Option<(usize, bool)>| match event {
            Some((_, true)) => out.hits += 1,
            Some((_, false)) => out.false_alarms += 1,
            None => {}
        };
        for row in (0..part.scores.len()).filter(|row| part.scores[*row] >= threshold) {
            event = match event {
                Some((last, hit)) if row - last <= SLACK => Some((row, hit || near[row])),
                before => {
                    close(before);
                    Some((row, near[row]))
                }
            };
        }
        close(event);
    }
    out.caught = delays.len();
    out.delay = (!delays.is_empty()).then(|| quantile(&mut delays, 0.5));
    out
}

/// For each interval of a part the highest threshold that catches it.
fn peaks(part: &Part<'_>) -> Vec<f64> {
    let peak = |first: usize, last: usize| {
        let end = (last + SLACK + 1).min(part.scores.len());
        part.scores[first..end].iter().copied().fold(f64::NEG_INFINITY, f64::max)
    };
    part.truth.spans().iter().map(|s| peak(s.first, s.last)).collect()
}

/// The thresholds that are tried, from the highest: quantiles of all scores.
fn thresholds(descending: &[(f64, u32, u32)]) -> Vec<f64> {
    let ascending: Vec<f64> = descending.iter().rev().map(|(score, ..)| *score).collect();
    if ascending.is_empty() {
        return Vec::new();
    }
    let spaced = |from: f64, to: f64, n: usize, i: usize| from + i as f64 * ((to - from) / (n - 1) as f64);
    let middle = (0..MIDDLE_STEPS).map(|i| spaced(0.5, MIDDLE, MIDDLE_STEPS, i));
    let (near, far) = ((1.0 - MIDDLE).log10(), (2.0 / ascending.len() as f64).log10());
    let tail = (0..TAIL_STEPS).map(|i| 1.0 - 10f64.powf(spaced(near, far, TAIL_STEPS, i)));
    let mut out: Vec<f64> = middle.chain(tail).map(|q| sorted_quantile(&ascending, q)).collect();
    out.sort_unstable_by(|a, b| super::points::descending(*a, *b));
    out.dedup();
    out
}

/// The events of one part while rows are added in any order.
struct Events {
    near: Vec<bool>,
    /// Rows that were added: each points to another one of its event, the last one to itself.
    parent: Vec<u32>,
    /// For the row that stands for an event, whether the event is no false alarm.
    hit: Vec<bool>,
}

/// Stands for a row that was not added.
const ABSENT: u32 = u32::MAX;

impl Events {
    fn new(part: &Part<'_>) -> Self {
        let near = part.truth.near(SLACK);
        Self { parent: vec![ABSENT; near.len()], hit: near.clone(), near }
    }

    /// Adds a row; gives by how many the false alarms have changed.
    ///
    /// Only rows that were added can touch an interval's surroundings: these are longer than any
    /// pause within an event, except at the ends of the series, which no event reaches beyond.
    fn add(&mut self, row: usize) -> i64 {
        self.parent[row] = row as u32;
        let mut change = i64::from(!self.near[row]);
        let before = (row.saturating_sub(SLACK)..row).rev();
        let after = row + 1..(row + SLACK + 1).min(self.parent.len());
        let neighbours = [
            before.into_iter().find(|i| self.parent[*i] != ABSENT),
            after.into_iter().find(|i| self.parent[*i] != ABSENT),
        ];
        for neighbour in neighbours.into_iter().flatten() {
            let (a, b) = (self.root(row), self.root(neighbour));
            if a != b {
                change -= i64::from(!self.hit[a] || !self.hit[b]);
                self.parent[a] = b as u32;
                self.hit[b] |= self.hit[a];
            }
        }
        change
    }

    fn root(&mut self, mut row: usize) -> usize {
        while self.parent[row] as usize != row {
            // Halves the way for the next one.
            self.parent[row] = self.parent[self.parent[row] as usize];
            row = self.parent[row] as usize;
        }
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Span;
    use crate::random::Random;

    #[test]
    fn events_are_runs_with_short_pauses() {
        let truth = Truth::new(40, vec![Span { first: 10, last: 12 }, Span { first: 38, last: 39 }]);
        let mut scores = vec![0.0; 40];
        // One event beside the first interval, one false one with a pause of two rows, one more.
        for row in [15, 20, 23, 27] {
            scores[row] = 1.0;
        }
        let part = Part { truth: &truth, scores: &scores, seconds: 39 * 300 };
        let at = at_threshold(&[part], 1.0);
        assert_eq!((at.hits, at.false_alarms, at.caught, at.delay), (1, 2, 1, Some(5.0)));
        assert_eq!((at.recall(), at.precision()), (Some(0.5), Some(1.0 / 3.0)));
        let none = at_threshold(&[part], f64::INFINITY);
        assert_eq!((none.recall(), none.precision(), none.delay), (Some(0.0), None, None));
    }

    #[test]
    fn the_sweep_counts_what_each_threshold_brings() {
        let mut random = Random::new(5);
        let truth = Truth::new(
            600,
            vec![Span { first: 0, last: 3 }, Span { first: 300, last: 300 }, Span { first: 590, last: 599 }],
        );
        let quiet = Truth::new(500, Vec::new());
        let scores: Vec<Vec<f64>> = [600, 500]
            .map(|n| (0..n).map(|_| (random.unit() * 30.0).floor() + random.below(2) as f64 / 2.0).collect())
            .into();
        let part = |truth, i: usize| Part { truth, scores: scores[i].as_slice(), seconds: 86_400 };
        let parts = [part(&truth, 0), part(&quiet, 1)];
        let sweep = Sweep::new(&parts);
        assert!(sweep.steps().len() > 20);
        for step in sweep.steps() {
            let at = at_threshold(&parts, step.threshold);
            assert_eq!((step.false_alarms, step.caught), (at.false_alarms, at.caught), "{step:?}");
        }
        let most = sweep.steps().iter().map(|s| s.false_alarms).max().unwrap();
        assert!(most > 10 && at_threshold(&parts, sweep.threshold_for(7.0)).false_alarms <= 2);
    }

    #[test]
    fn nothing_to_sweep_over_is_no_harm() {
        assert_eq!(Sweep::new(&[]).threshold_for(1.0), f64::INFINITY);
        let truth = Truth::new(1, Vec::new());
        let one = Sweep::new(&[Part { truth: &truth, scores: &[3.0], seconds: 0 }]);
        assert_eq!((one.steps().len(), one.weeks()), (1, 1.0 / 168.0));
        assert_eq!(one.threshold_for(1000.0), 3.0);
    }
}
