//! How rare sizes are: decaying histograms, and a tail through the middle of each.

use std::ops::Range;

use crate::series::running::rate;
use crate::series::{DAY, Short, Step};

/// Kinds of size that are looked at side by side: one-step errors and deviations of both channels, then the mean of
/// three deviations, a running deviation and a running error.
pub const TAILS: usize = 7;
/// Weight of a new row in the running means: that of the last twelve rows or so.
pub const RUNNING: f64 = 2.0 / 13.0;
/// What each kind makes of independent noise of size 1: the mean of three rows 1/√3 of it, a running mean of rate r
/// √(r/(2 − r)), here 1/√12 (Roberts, Technometrics, 1959). Sizes are measured by that, since the floors below are
/// those of single rows: a running mean that had to reach them was rare in nobody's eyes.
const NOISE: [f64; TAILS] = [1.0, 1.0, 1.0, 1.0, 0.577, 0.289, 0.289];
/// Bins: half-octaves from 2^-6 to 2^8; sizes outside are in the first and the last one.
pub const BINS: usize = 28;
/// Bins that are kept as one: all of what is in the first three is below [`LEAST_MIDDLE`], and so where
/// in them a quantile lies is nothing to the tail.
const LOW: usize = 3;
const KEPT: usize = BINS - LOW + 1;
const LOWEST: f64 = -6.0;
/// Days after which a row counts half.
const DAYS: f64 = 28.0;
/// Rows that the history of other interfaces counts as, on an interface that is not known.
const PRIOR_ROWS: f64 = 60.0;
/// Range of the tail's shape: 1 is an exponential, .3 very heavy. Load has no lighter tail: where
/// the middle looks like one, that is chance or a bound that the next incident breaks.
const SHAPE: [f64; 2] = [0.3, 1.0];
/// Rarity beyond which there is no evidence: four weeks of five-minute rows are 10^3.9. Sizes keep
/// their order from there on, but no number such as 10^-400 is claimed.
const EVIDENCE: f64 = 4.0;
/// The least that the two quantiles count, in usual errors: on an interface whose errors are nearly
/// all at the floor, a small one is no rarity. The middle's is small, since a large one makes the
/// tail of an interface that is mostly idle look steep and its usual bursts rare.
const LEAST_MIDDLE: f64 = 0.05;
const LEAST_HIGH: f64 = 1.5;
/// Quantiles that the tail is laid through. History holds incidents, so the largest sizes, which
/// they make, have no say: up to 5 % of the rows may be anomalous without moving it.
const MIDDLE: f64 = 0.5;
const HIGH: f64 = 0.95;

/// What sizes an interface usually shows: for each kind of size, weights in bins of equal ratio and the
/// tail that they make. All kinds learn every row, and so they forget and are fitted together.
#[derive(Debug, Clone, PartialEq)]
pub struct Tails {
    bins: [[Short; KEPT]; TAILS],
    fitted: [Weibull; TAILS],
    /// What a new row weighs; it grows instead of all bins shrinking.
    weight: f64,
    growth: f64,
    /// Rows until the tails are fitted again.
    wait: u16,
    every: u16,
    rows: u32,
}

/// What was seen so far: rows, and what a new one weighs beside all of them once they are many.
#[derive(Debug, Clone, Copy)]
pub(super) struct Experience {
    pub(super) rows: u32,
    pub(super) rate: f64,
}

/// P(size > x) = exp(−(x/scale)^shape) (Weibull, 1951).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Weibull {
    scale: f32,
    shape: f32,
}

impl Tails {
    /// Starts from `priors`: weights of histograms that other interfaces, or this one's past, have
    /// made. They count as some rows until enough own ones came.
    pub fn new(step: Step, priors: &[[f32; BINS]; TAILS], prior_rows: Option<f64>) -> Self {
        let day = step.slots_in(DAY);
        let rows = prior_rows.unwrap_or(PRIOR_ROWS) as f32;
        let bins = priors.map(|prior| {
            let total: f32 = prior.iter().sum();
            kept(&if total > 0.0 { prior.map(|b| b / total * rows) } else { laplace().map(|b| b * rows) })
        });
        Self {
            bins,
            fitted: std::array::from_fn(|i| fit(&bins[i])),
            weight: 1.0,
            growth: 1.0 / (1.0 - rate((DAYS * day).max(100.0))),
            rows: 0,
            wait: 0,
            every: (day / 4.0).clamp(6.0, 500.0) as u16,
        }
    }

    /// How many rows were learnt, and how they are forgotten.
    pub(super) fn seen(&self) -> Experience {
        Experience { rows: self.rows, rate: 1.0 - 1.0 / self.growth }
    }

    /// The histograms, to be kept with a model; the weights of each sum to 1.
    pub fn histograms(&self) -> [[f32; BINS]; TAILS] {
        self.bins.map(|bins| {
            let total: f64 = bins.iter().map(|bin| bin.get()).sum();
            std::array::from_fn(|i| (i + 1).checked_sub(LOW).map_or(0.0, |i| (bins[i].get() / total) as f32))
        })
    }

    /// −log10 of the probability of a size of kind `i` of at least `size`.
    pub fn rarity(&self, i: usize, size: f64) -> f64 {
        let Weibull { scale, shape } = self.fitted[i];
        let rarity = libm::pow(size.abs() / NOISE[i] / f64::from(scale), f64::from(shape)) * std::f64::consts::LOG10_E;
        if rarity > EVIDENCE { EVIDENCE * (1.0 + libm::log(rarity / EVIDENCE)) } else { rarity }
    }

    /// The shape of the tail of sizes of kind `i`: 1 is an exponential one, less a heavier one.
    pub fn shape(&self, i: usize) -> f64 {
        f64::from(self.fitted[i].shape)
    }

    /// Learns a row's sizes, one of each kind. Those in `part` count so much of a row, 0 to 1.
    pub fn learn(&mut self, sizes: &[f64; TAILS], part: Range<usize>, share: f64) {
        for (i, (bins, size)) in self.bins.iter_mut().zip(sizes).enumerate() {
            let weight = self.weight * if part.contains(&i) { share } else { 1.0 };
            let bin = &mut bins[(bin(size.abs() / NOISE[i]) + 1).saturating_sub(LOW)];
            *bin = Short::new(bin.get() + weight, self.rows);
        }
        self.rows = self.rows.wrapping_add(1);
        self.weight *= self.growth;
        if self.weight > 1e4 {
            self.bins.as_flattened_mut().iter_mut().for_each(|b| *b = Short::new(b.get() * 1e-4, self.rows));
            self.weight *= 1e-4;
        }
        if self.wait == 0 {
            for (fitted, bins) in self.fitted.iter_mut().zip(&self.bins) {
                *fitted = fit(bins);
            }
            self.wait = self.every;
        }
        self.wait -= 1;
    }
}

/// The bins that are kept of a whole histogram.
fn kept(bins: &[f32; BINS]) -> [Short; KEPT] {
    let mut kept = [0.0; KEPT];
    for (i, weight) in bins.iter().enumerate() {
        kept[(i + 1).saturating_sub(LOW)] += weight;
    }
    kept.map(|weight| Short::new(f64::from(weight), 0))
}

fn fit(bins: &[Short; KEPT]) -> Weibull {
    let middle = quantile(bins, MIDDLE).max(LEAST_MIDDLE);
    let high = quantile(bins, HIGH).max(LEAST_HIGH);
    // ln 2 and ln(1/0.05) are what (x/scale)^shape has to be at the two quantiles.
    let (at_middle, at_high) = (-libm::log(1.0 - MIDDLE), -libm::log(1.0 - HIGH));
    let shape = libm::log(at_high / at_middle) / libm::log((high / middle).max(1.0 + 1e-6));
    let shape = shape.clamp(SHAPE[0], SHAPE[1]);
    Weibull { scale: (high / libm::pow(at_high, 1.0 / shape)) as f32, shape: shape as f32 }
}

/// A quantile; one among the lowest sizes is given as their upper edge.
fn quantile(bins: &[Short; KEPT], p: f64) -> f64 {
    let total: f64 = bins.iter().map(|b| b.get()).sum();
    let mut left = p * total;
    for (i, b) in bins.iter().enumerate() {
        let b = b.get();
        if left <= b {
            let within = if i == 0 { 1.0 } else { left / b };
            return edge((i + LOW - 1) as f64 + if b > 0.0 { within } else { 0.0 });
        }
        left -= b;
    }
    edge(BINS as f64)
}

fn edge(bin: f64) -> f64 {
    libm::exp2(LOWEST + 0.5 * bin)
}

fn bin(size: f64) -> usize {
    let place = (libm::log2(size.max(1e-9)) - LOWEST) * 2.0;
    place.clamp(0.0, (BINS - 1) as f64) as usize
}

/// The histogram of a Laplace density of mean size 1: what errors look like before any are known.
fn laplace() -> [f32; BINS] {
    let mut below = 0.0;
    std::array::from_fn(|i| {
        let to = if i + 1 == BINS { 1.0 } else { 1.0 - libm::exp(-edge((i + 1) as f64)) };
        let mass = to - below;
        below = to;
        mass as f32
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn tail(draw: impl Fn(&mut Random) -> f64, rows: usize, incidents: usize) -> Tails {
        let mut random = Random::new(4);
        let mut t = Tails::new(Step::from_seconds(300).unwrap(), &[[0.0; BINS]; TAILS], None);
        for i in 0..rows {
            let size = if incidents > 0 && i % (rows / incidents) == 7 { 200.0 } else { draw(&mut random) };
            t.learn(&[size; TAILS], 0..0, 1.0);
        }
        t
    }

    #[test]
    fn kinds_are_measured_by_the_noise_of_the_means_that_they_are() {
        let [three, deviation, error] = [4, 5, 6].map(|i| NOISE[i]);
        assert!((three - (1.0f64 / 3.0).sqrt()).abs() < 1e-3);
        let running = (RUNNING / (2.0 - RUNNING)).sqrt();
        assert!((deviation - running).abs() < 1e-3 && (error - running).abs() < 1e-3, "{running}");
    }

    #[test]
    fn rarity_is_that_of_the_distribution_that_the_rows_came_from() {
        let exponential = tail(|r| -libm::log(1.0 - r.unit()), 8000, 0);
        for (size, want) in [(4.6, 2.0), (6.9, 3.0), (9.2, 4.0)] {
            let got = exponential.rarity(0, size);
            assert!((got / want - 1.0).abs() < 0.15, "size {size}: {got} instead of {want}");
        }
    }

    #[test]
    fn incidents_in_history_hide_nothing() {
        let clean = tail(|r| r.normal().abs(), 8000, 0);
        let dirty = tail(|r| r.normal().abs(), 8000, 80);
        let (a, b) = (clean.rarity(0, 6.0), dirty.rarity(0, 6.0));
        assert!((a / b - 1.0).abs() < 0.2, "{a} without incidents, {b} with");
    }

    #[test]
    fn a_constant_series_has_finite_rarities_that_grow() {
        let t = tail(|_| 0.0, 3000, 0);
        assert!(t.rarity(0, 0.0) == 0.0 && t.rarity(0, 1.0) < t.rarity(0, 2.0) && t.rarity(0, 1e6).is_finite());
    }

    #[test]
    fn a_histogram_goes_through_a_file_and_makes_the_same_tail() {
        let t = tail(|r| r.normal().abs() * 0.3, 4000, 40);
        let again = Tails::new(Step::from_seconds(300).unwrap(), &t.histograms(), Some(400.0));
        assert!((t.histograms()[2].iter().sum::<f32>() - 1.0).abs() < 1e-5);
        for size in [0.5, 2.0, 9.0] {
            // The tail was last fitted some rows before its histogram was taken.
            assert!((again.rarity(0, size) / t.rarity(0, size) - 1.0).abs() < 0.02, "size {size}");
        }
    }

    #[test]
    fn few_rows_do_not_overrule_the_prior() {
        let t = tail(|_| 0.01, 5, 0);
        assert!(t.rarity(0, 2.0) < 2.0, "{}", t.rarity(0, 2.0));
    }
}
