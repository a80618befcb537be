//! Which interfaces of a device move together.
//!
//! What all have in common, the rhythm of the day, is taken off first: what is left of each is the rank
//! of a value less the usual rank at that hour. So two interfaces are not relatives because both sleep
//! at night, and one burst that both had does not make them so either.

use serde::Serialize;

use super::acf::ranks;
use super::columns::Columns;
use super::grid::Grid;
use super::profile::hour;
use crate::series::Step;
use crate::series::scale::median;

/// Slots by which one may run behind the other.
pub const LAGS: i64 = 2;
/// Slots that both must have for a word about them.
const LEAST: usize = 48;

/// Slots of these in which each has to be off its usual. An interface that hardly ever changes is at its usual in
/// nearly all slots, and one event that it had beside another would make the two correlate by 1 or −1.
const MOVES: usize = 24;

/// The correlation of two equally long rows of numbers (Pearson). None where one of them does not change.
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    correlation(a.iter().copied().zip(b.iter().copied()), 2)
}

fn correlation(pairs: impl Iterator<Item = (f64, f64)> + Clone, least: usize) -> Option<f64> {
    let (mut n, mut sums) = (0.0, [0.0; 2]);
    for (x, y) in pairs.clone() {
        n += 1.0;
        sums = [sums[0] + x, sums[1] + y];
    }
    if n < least as f64 {
        return None;
    }
    let mean = sums.map(|s| s / n);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        let (x, y) = (x - mean[0], y - mean[1]);
        (xx, yy, xy) = (xx + x * x, yy + y * y, xy + x * y);
    }
    let r = xy / (xx.sqrt() * yy.sqrt());
    r.is_finite().then(|| r.clamp(-1.0, 1.0))
}

/// What is left of an interface once the usual of the hour is off, by slot since 1970; NaN where none.
#[derive(Debug, Clone)]
pub struct Residue {
    step: Step,
    first: i64,
    values: Vec<f32>,
}

impl Residue {
    /// That of an interface. None where its rows have no grid or do not change.
    pub fn of(columns: &Columns, grid: &Grid) -> Option<Self> {
        let ranks = ranks(columns.mean());
        let scale = 1.0 / ranks.len() as f64;
        let mut hours: [Vec<f64>; 24] = Default::default();
        for (now, rank) in columns.local().zip(&ranks) {
            hours[hour(now)].push(*rank);
        }
        let usual = hours.map(|mut ranks| median(&mut ranks));
        let left: Vec<f64> = columns.local().zip(&ranks).map(|(now, rank)| (rank - usual[hour(now)]) * scale).collect();
        let values = grid.lay(&left)?.into_iter().map(|v| v as f32).collect();
        let step = grid.step;
        Some(Self { step, first: (grid.first.seconds() + step.seconds() / 2).div_euclid(step.seconds()), values })
    }

    /// How two interfaces move together: the correlation that is farthest from nothing among lags of up to
    /// [`LAGS`] slots. None where they have different steps, or too few slots in common.
    pub fn beside(&self, other: &Self) -> Option<(f64, i64)> {
        if self.step != other.step {
            return None;
        }
        let lags = std::iter::once(0).chain((1..=LAGS).flat_map(|lag| [lag, -lag]));
        let found = lags.filter_map(|lag| Some((self.at(other, lag)?, lag)));
        found.reduce(|best, next| if next.0.abs() > best.0.abs() { next } else { best })
    }

    /// The correlation with `other` as it is `lag` slots later.
    fn at(&self, other: &Self, lag: i64) -> Option<f64> {
        let offset = self.first + lag - other.first;
        let (mine, its) = (usize::try_from(-offset).unwrap_or(0), usize::try_from(offset).unwrap_or(0));
        let (a, b) = (self.values.get(mine..)?, other.values.get(its..)?);
        let pairs = a.iter().zip(b).filter(|(x, y)| !x.is_nan() && !y.is_nan());
        let moves =
            pairs.clone().fold([0; 2], |[a, b], (x, y)| [a + usize::from(*x != 0.0), b + usize::from(*y != 0.0)]);
        if moves.iter().any(|n| *n < MOVES) {
            return None;
        }
        correlation(pairs.map(|(x, y)| (f64::from(*x), f64::from(*y))), LEAST)
    }
}

/// Two interfaces that move together, by their places in the order of names.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Pair {
    /// The first one.
    pub a: usize,
    /// The second one.
    pub b: usize,
    /// The correlation of what the hour of the day does not explain.
    pub correlation: f64,
    /// Slots by which the second one runs behind the first.
    pub lag: i64,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn residue(from: i64, values: Vec<f64>) -> Residue {
        let seconds: Vec<i64> = (from..).take(values.len()).map(|i| i * 3600).collect();
        let columns = Columns::in_order(&seconds, values.clone(), values);
        Residue::of(&columns, &Grid::of(&columns).unwrap()).unwrap()
    }

    #[test]
    fn what_moves_together_one_slot_later_is_found_and_a_common_day_is_nothing() {
        let mut random = Random::new(11);
        let common: Vec<f64> = (0..600).map(|_| random.normal()).collect();
        let day = |i: usize| 50.0 * (i as f64 * std::f64::consts::TAU / 24.0).sin();
        let mut own = |i: usize, shared: f64| 200.0 + day(i) + 3.0 * shared + random.normal();
        let a = residue(0, (0..600).map(|i| own(i, common[i])).collect());
        // The same one hour later; its rows begin ten hours later.
        let b = residue(10, (10..600).map(|i| own(i, common[i - 1])).collect());
        let c = residue(0, (0..600).map(|i| own(i, 0.0)).collect());
        let (r, lag) = a.beside(&b).unwrap();
        assert!(r > 0.8 && lag == 1, "{r} {lag}");
        assert_eq!(b.beside(&a).unwrap().1, -1);
        assert!(a.beside(&c).unwrap().0.abs() < 0.2);
    }

    #[test]
    fn one_event_of_two_that_hardly_change_makes_no_relatives() {
        let at = |event: std::ops::Range<usize>, value: f64| {
            residue(0, (0..2000).map(|i| if event.contains(&i) { value } else { 5.0 }).collect())
        };
        assert_eq!(at(700..702, 9.0).beside(&at(700..702, 1.0)), None, "would be -1");
        let (r, _) = at(700..760, 9.0).beside(&at(700..760, 1.0)).unwrap();
        assert!(r < -0.9, "what lasts is more than one event: {r}");
    }

    #[test]
    fn too_little_in_common_says_nothing() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i % 7)).collect();
        assert_eq!(residue(0, values.clone()).beside(&residue(90, values)), None);
        assert_eq!(pearson(&[1.0, 1.0], &[1.0, 2.0]), None);
    }
}
