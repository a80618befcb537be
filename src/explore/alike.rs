//! Whose values are distributed alike: a Kolmogorov–Smirnov test for each pair of some interfaces.
//!
//! Twice: on the values as they are, and on each interface's values over its own median, which asks
//! whether two interfaces of different size have one shape.

use serde::Serialize;

use super::ks;

/// Interfaces that are tested against each other. Pairs grow with the square: 10,000 interfaces would
/// be fifty million. So of more than these, this many are taken, evenly along the order of their
/// medians, the lowest and the highest among them.
pub const TESTED: usize = 48;
/// The level at which two distributions are called different.
pub const LEVEL: f64 = 0.05;

/// The tests of one kind, for all pairs of the interfaces tested.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Tests {
    /// The distance of each pair, from 0 to 1: (0, 1), (0, 2) … (1, 2) …
    pub distance: Vec<f64>,
    /// The p-value of each pair, corrected for their number (Holm).
    pub p: Vec<f64>,
}

/// Which interfaces were tested, and what came out.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Alike {
    /// Places of the interfaces tested, from the lowest median to the highest.
    pub interfaces: Vec<usize>,
    /// On the values as they are.
    pub values: Tests,
    /// On values over their own median.
    pub shapes: Tests,
}

impl Tests {
    fn of(samples: &[Vec<f64>]) -> Self {
        let mut distance = Vec::new();
        let mut p = Vec::new();
        for (i, a) in samples.iter().enumerate() {
            for b in &samples[i + 1..] {
                let d = ks::statistic(a, b);
                distance.push(d);
                p.push(ks::p_value(d, a.len(), b.len()));
            }
        }
        Self { distance, p: ks::holm(&p) }
    }

    /// Pairs whose distributions differ at [`LEVEL`].
    pub fn different(&self) -> usize {
        self.p.iter().filter(|p| **p < LEVEL).count()
    }

    /// The median distance; 0 where there is no pair.
    pub fn median_distance(&self) -> f64 {
        crate::series::scale::median(&mut self.distance.clone())
    }
}

/// Of interfaces with these medians (none: not to be tested), the places of those to be tested.
pub fn chosen(medians: impl Iterator<Item = Option<f64>>) -> Vec<usize> {
    let known = medians.enumerate().filter_map(|(i, m)| Some((m?, i)));
    let mut order: Vec<(f64, usize)> = known.collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let last = order.len().saturating_sub(1);
    if order.len() > TESTED {
        order = (0..TESTED).map(|k| order[k * last / (TESTED - 1)]).collect();
    }
    order.into_iter().map(|(_, i)| i).collect()
}

impl Alike {
    /// Tests all pairs of these interfaces, whose values are given in any order.
    pub fn of(interfaces: Vec<usize>, values: impl Fn(usize) -> Vec<f64>) -> Self {
        let sorted = |i: &usize| {
            let mut own = values(*i);
            own.sort_unstable_by(f64::total_cmp);
            own
        };
        let samples: Vec<Vec<f64>> = interfaces.iter().map(sorted).collect();
        let shape = |sample: &Vec<f64>| {
            let median = crate::series::scale::sorted_quantile(sample, 0.5).abs();
            let size = if median > 0.0 { median } else { 1.0 };
            sample.iter().map(|v| v / size).collect()
        };
        let shapes: Vec<Vec<f64>> = samples.iter().map(shape).collect();
        Self { interfaces, values: Tests::of(&samples), shapes: Tests::of(&shapes) }
    }

    /// The place of a pair of tested interfaces in the tests' lists.
    pub fn place(&self, a: usize, b: usize) -> Option<usize> {
        let (a, b) = (a.min(b), a.max(b));
        let n = self.interfaces.len();
        (a < b && b < n).then(|| a * (2 * n - a - 1) / 2 + b - a - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn of_many_the_chosen_span_the_medians() {
        let medians = |n: usize| (0..n).map(move |i| Some((i * 7919 % n) as f64));
        assert_eq!(chosen(medians(5)).len(), 5);
        let some = chosen(medians(10_000));
        let of: Vec<usize> = some.iter().map(|i| i * 7919 % 10_000).collect();
        assert_eq!((some.len(), of[0], of[TESTED - 1]), (TESTED, 0, 9999));
        assert!(of.is_sorted());
        assert_eq!(chosen([Some(3.0), None, Some(1.0)].into_iter()), [2, 0]);
    }

    #[test]
    fn sizes_differ_and_shapes_do_not() {
        let mut random = Random::new(2);
        let mut sample = |size: f64| -> Vec<f64> { (0..400).map(|_| size * (10.0 + random.normal())).collect() };
        let samples = [sample(1.0), sample(1.0), sample(1000.0)];
        let alike = Alike::of(vec![0, 1, 2], |i| samples[i].clone());
        assert_eq!((alike.values.different(), alike.shapes.different()), (2, 0));
        assert_eq!([(0, 1), (2, 0), (1, 2)].map(|(a, b)| alike.place(a, b)), [Some(0), Some(1), Some(2)]);
        assert_eq!((alike.place(1, 1), alike.place(0, 3)), (None, None));
        assert_eq!(alike.values.distance[1], 1.0);
    }
}
