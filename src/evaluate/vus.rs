//! VUS-PR: the volume under the surface of precision, recall and tolerance (Paparrizos, Boniol,
//! Palpanas, Tsay, Elmore and Franklin 2022), with the conventions of the TSB-AD benchmark.
//!
//! Labels are widened by a ramp on both sides: a row `d` rows away from a labelled stretch counts
//! as √(1 − d/w) of a labelled one, as far as half of the tolerance w. For each w from 0 to the
//! window an area under precision and recall is taken over 250 thresholds; the volume is the mean
//! of the areas.
//!
//! Done plainly that costs rows x thresholds x tolerances. Three facts make it cheap:
//!
//! - Whether a row is above a threshold is known from its *level*, the first of the falling
//!   thresholds that it reaches. All sums over rows above a threshold are running sums over levels.
//! - A ramp is at least √½ high wherever it is not 0, so where two of them meet they add up to the
//!   full 1 that it is capped at. A row is thus described by the distances to the nearest and the
//!   second nearest stretch, and rows with the same level and nearest distance are the same: they
//!   are counted in a table that changes by a few rows when the reach of the ramps grows by one.
//! - Which widened stretches have an alarm in them follows from the lowest level in each, which
//!   changes by two rows for each further row of reach.
//!
//! So the cost is that of sorting the rows, plus thresholds x window² / 4.

use super::points::order;
use super::truth::{Span, Truth};

/// Thresholds of one area.
const THRESHOLDS: usize = 250;

/// VUS-PR of `scores`, one for each row, with tolerances from 0 to `window` rows. None where no
/// row is labelled. Where all rows are (which the benchmark's own program cannot take), they are
/// one stretch like any other.
pub fn vus_pr(truth: &Truth, scores: &[f64], window: usize) -> Option<f64> {
    let stretches = truth.stretches();
    if stretches.is_empty() {
        return None;
    }
    let levels = levels(scores);
    let mut alarms = counts(levels.iter().copied());
    accumulate(&mut alarms);
    let mut inside = counts(stretches.iter().flat_map(|s| &levels[s.first..=s.last]).copied());
    accumulate(&mut inside);

    let mut ramps = Ramps::new(&stretches, &levels, window / 2);
    let mut groups = Groups::new(&stretches, &levels);
    let mut sum = 0.0;
    for tolerance in 0..=window {
        if tolerance / 2 > ramps.reach {
            ramps.widen();
            groups.widen(&levels);
        }
        let mut caught = counts(groups.all.iter().map(|g| g.level));
        accumulate(&mut caught);
        let beside = ramps.weights(tolerance);
        let labelled: usize = stretches.iter().map(|s| s.rows()).sum();
        let mut before = 0.0;
        for k in 0..THRESHOLDS {
            let hits = inside[k] as f64 + beside[k];
            // Halfway between the labelled rows and those together with the ramps that were hit.
            let wanted = labelled as f64 + beside[k] / 2.0;
            let recall = (hits / wanted).min(1.0) * caught[k] as f64 / groups.all.len() as f64;
            sum += (recall - before) * hits / alarms[k] as f64;
            before = recall;
        }
    }
    Some(sum / (window + 1) as f64)
}

/// For each row the first threshold that it reaches. The thresholds are the scores at 250 places,
/// evenly spread over the rows from the highest score to the lowest.
fn levels(scores: &[f64]) -> Vec<usize> {
    let order = order(scores);
    let last = scores.len() - 1;
    let apart = last as f64 / (THRESHOLDS - 1) as f64;
    let place = |k: usize| if k == THRESHOLDS - 1 { last } else { (k as f64 * apart) as usize };
    let mut levels = vec![0; scores.len()];
    let mut level = 0;
    for row in order.iter().copied() {
        while scores[row] < scores[order[place(level)]] {
            level += 1;
        }
        levels[row] = level;
    }
    levels
}

/// How many rows there are of each level.
fn counts(levels: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut counts = vec![0; THRESHOLDS];
    levels.for_each(|level| counts[level] += 1);
    counts
}

/// Makes counts of levels into counts of rows above each threshold.
fn accumulate(counts: &mut [usize]) {
    let mut sum = 0;
    for count in counts {
        sum += *count;
        *count = sum;
    }
}

/// The rows beside the labelled stretches, by level and distance, for ramps of a growing reach.
struct Ramps {
    reach: usize,
    /// Rows with one ramp on them: `single[level][distance - 1]`.
    single: Vec<Vec<u32>>,
    /// Rows with more than one on them, by level.
    full: Vec<usize>,
    /// For each distance the rows whose nearest stretch is that far, and those whose second nearest is.
    nearest: Vec<Vec<Beside>>,
    second: Vec<Vec<Beside>>,
}

/// A row beside a labelled stretch.
#[derive(Clone, Copy)]
struct Beside {
    level: usize,
    /// Distance to the nearest stretch.
    distance: usize,
}

impl Ramps {
    fn new(stretches: &[Span], levels: &[usize], most: usize) -> Self {
        let mut ramps = Self {
            reach: 0,
            single: vec![vec![0; most]; THRESHOLDS],
            full: vec![0; THRESHOLDS],
            nearest: vec![Vec::new(); most + 1],
            second: vec![Vec::new(); most + 1],
        };
        let mut place = 0;
        for (row, level) in levels.iter().copied().enumerate() {
            while stretches.get(place).is_some_and(|s| s.last < row) {
                place += 1;
            }
            if stretches.get(place).is_some_and(|s| s.first <= row) {
                continue;
            }
            // The two nearest of all are among the two on either side.
            let after = stretches[place..].iter().take(2).map(|s| s.first - row);
            let before = stretches[..place].iter().rev().take(2).map(|s| row - s.last);
            let mut distances: Vec<usize> = after.chain(before).filter(|d| *d <= most).collect();
            distances.sort_unstable();
            let Some(distance) = distances.first().copied() else { continue };
            let beside = Beside { level, distance };
            ramps.nearest[distance].push(beside);
            if let Some(second) = distances.get(1) {
                ramps.second[*second].push(beside);
            }
        }
        ramps
    }

    /// Ramps that reach one row further.
    fn widen(&mut self) {
        self.reach += 1;
        for beside in &self.nearest[self.reach] {
            self.single[beside.level][beside.distance - 1] += 1;
        }
        for beside in &self.second[self.reach] {
            self.single[beside.level][beside.distance - 1] -= 1;
            self.full[beside.level] += 1;
        }
    }

    /// The sum of the ramps' heights over the rows above each threshold.
    fn weights(&self, tolerance: usize) -> Vec<f64> {
        let height = |distance: usize| (1.0 - distance as f64 / tolerance as f64).sqrt();
        let heights: Vec<f64> = (1..=self.reach).map(height).collect();
        let mut sum = 0.0;
        let of_level = |(single, full): (&Vec<u32>, &usize)| {
            let weighted: f64 = single.iter().zip(&heights).map(|(n, height)| f64::from(*n) * height).sum();
            sum += weighted + *full as f64;
            sum
        };
        self.single.iter().zip(&self.full).map(of_level).collect()
    }
}

/// Labelled stretches that were widened until some of them met, each with its lowest level.
struct Groups {
    all: Vec<Group>,
}

struct Group {
    span: Span,
    level: usize,
}

impl Groups {
    fn new(stretches: &[Span], levels: &[usize]) -> Self {
        let group = |span: &Span| Group { span: *span, level: lowest(&levels[span.first..=span.last]) };
        Self { all: stretches.iter().map(group).collect() }
    }

    /// Takes in one more row on either side; those that share a row then are one.
    fn widen(&mut self, levels: &[usize]) {
        for group in &mut self.all {
            let first = group.span.first.saturating_sub(1);
            let last = (group.span.last + 1).min(levels.len() - 1);
            group.span = Span { first, last };
            group.level = group.level.min(levels[first]).min(levels[last]);
        }
        self.all.dedup_by(|later, kept| {
            let meet = later.span.first <= kept.span.last;
            if meet {
                kept.span.last = later.span.last;
                kept.level = kept.level.min(later.level);
            }
            meet
        });
    }
}

fn lowest(levels: &[usize]) -> usize {
    levels.iter().copied().min().unwrap_or(THRESHOLDS - 1)
}
