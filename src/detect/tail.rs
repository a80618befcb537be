//! How rare a size is: a decaying histogram, and a tail through its middle.

use crate::series::running::rate;
use crate::series::{DAY, Step};

/// Bins: half-octaves from 2^-6 to 2^8; sizes outside are in the first and the last one.
pub const BINS: usize = 28;
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

/// What sizes an interface usually shows: weights in bins of equal ratio.
#[derive(Debug, Clone, PartialEq)]
pub struct Tail {
    bins: [f32; BINS],
    /// What a new row weighs; it grows instead of all bins shrinking.
    weight: f64,
    growth: f64,
    fitted: Weibull,
    /// Rows until the tail is fitted again.
    wait: u32,
    every: u32,
}

/// P(size > x) = exp(−(x/scale)^shape) (Weibull, 1951).
#[derive(Debug, Clone, Copy, PartialEq)]
struct Weibull {
    scale: f64,
    shape: f64,
}

impl Tail {
    /// Starts from `prior`: weights of a histogram that other interfaces, or this one's past, have
    /// made. It counts as some rows until enough own ones came.
    pub fn new(step: Step, prior: &[f32; BINS], prior_rows: Option<f64>) -> Self {
        let day = step.slots_in(DAY);
        let total: f32 = prior.iter().sum();
        let rows = prior_rows.unwrap_or(PRIOR_ROWS) as f32;
        let mut tail = Self {
            bins: if total > 0.0 { prior.map(|b| b / total * rows) } else { laplace().map(|b| b * rows) },
            weight: 1.0,
            growth: 1.0 / (1.0 - rate((DAYS * day).max(100.0))),
            fitted: Weibull { scale: 1.0, shape: 1.0 },
            wait: 0,
            every: (day / 4.0).clamp(6.0, 500.0) as u32,
        };
        tail.fit();
        tail
    }

    /// The histogram, to be kept with a model; its weights sum to 1.
    pub fn histogram(&self) -> [f32; BINS] {
        let total: f32 = self.bins.iter().sum();
        self.bins.map(|b| b / total)
    }

    /// −log10 of the probability of a size of at least `size`.
    pub fn rarity(&self, size: f64) -> f64 {
        let rarity = libm::pow(size.abs() / self.fitted.scale, self.fitted.shape) * std::f64::consts::LOG10_E;
        if rarity > EVIDENCE { EVIDENCE * (1.0 + libm::log(rarity / EVIDENCE)) } else { rarity }
    }

    /// Learns a size.
    pub fn learn(&mut self, size: f64) {
        self.bins[bin(size.abs())] += self.weight as f32;
        self.weight *= self.growth;
        if self.weight > 1e4 {
            self.bins = self.bins.map(|b| b * 1e-4);
            self.weight *= 1e-4;
        }
        if self.wait == 0 {
            self.fit();
            self.wait = self.every;
        }
        self.wait -= 1;
    }

    fn fit(&mut self) {
        let middle = self.quantile(MIDDLE).max(LEAST_MIDDLE);
        let high = self.quantile(HIGH).max(LEAST_HIGH);
        // ln 2 and ln(1/0.05) are what (x/scale)^shape has to be at the two quantiles.
        let (at_middle, at_high) = (-libm::log(1.0 - MIDDLE), -libm::log(1.0 - HIGH));
        let shape = libm::log(at_high / at_middle) / libm::log((high / middle).max(1.0 + 1e-6));
        let shape = shape.clamp(SHAPE[0], SHAPE[1]);
        self.fitted = Weibull { scale: high / libm::pow(at_high, 1.0 / shape), shape };
    }

    fn quantile(&self, p: f64) -> f64 {
        let total: f64 = self.bins.iter().map(|b| f64::from(*b)).sum();
        let mut left = p * total;
        for (i, b) in self.bins.iter().enumerate() {
            let b = f64::from(*b);
            if left <= b {
                return edge(i as f64 + if b > 0.0 { left / b } else { 0.0 });
            }
            left -= b;
        }
        edge(BINS as f64)
    }
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

    fn tail(draw: impl Fn(&mut Random) -> f64, rows: usize, incidents: usize) -> Tail {
        let mut random = Random::new(4);
        let mut t = Tail::new(Step::from_seconds(300).unwrap(), &[0.0; BINS], None);
        for i in 0..rows {
            t.learn(if incidents > 0 && i % (rows / incidents) == 7 { 200.0 } else { draw(&mut random) });
        }
        t
    }

    #[test]
    fn rarity_is_that_of_the_distribution_that_the_rows_came_from() {
        let exponential = tail(|r| -libm::log(1.0 - r.unit()), 8000, 0);
        for (size, want) in [(4.6, 2.0), (6.9, 3.0), (9.2, 4.0)] {
            let got = exponential.rarity(size);
            assert!((got / want - 1.0).abs() < 0.15, "size {size}: {got} instead of {want}");
        }
    }

    #[test]
    fn incidents_in_history_hide_nothing() {
        let clean = tail(|r| r.normal().abs(), 8000, 0);
        let dirty = tail(|r| r.normal().abs(), 8000, 80);
        let (a, b) = (clean.rarity(6.0), dirty.rarity(6.0));
        assert!((a / b - 1.0).abs() < 0.2, "{a} without incidents, {b} with");
    }

    #[test]
    fn a_constant_series_has_finite_rarities_that_grow() {
        let t = tail(|_| 0.0, 3000, 0);
        assert!(t.rarity(0.0) == 0.0 && t.rarity(1.0) < t.rarity(2.0) && t.rarity(1e6).is_finite());
    }

    #[test]
    fn few_rows_do_not_overrule_the_prior() {
        let t = tail(|_| 0.01, 5, 0);
        assert!(t.rarity(2.0) < 2.0, "{}", t.rarity(2.0));
    }
}
