//! The scale of an interface: raw values to numbers around 0 with a spread near 1, and back.

/// Magnitude that a scaled value is held to; far beyond anything that a real interface shows.
const LIMIT: f64 = 60.0;
/// The least spread: some 3 % of the usual value.
const LEAST_SPREAD: f64 = 0.01;

/// z = (asinh(x/c) − m)/s: linear near the usual values, logarithmic far above, and defined for
/// zero and for negative values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    /// Where linear turns into logarithmic, in raw units: three times the median magnitude.
    pub knee: f64,
    /// Median of asinh(x/c).
    pub middle: f64,
    /// Robust spread of asinh(x/c).
    pub spread: f64,
}

/// How far apart two scales that say the same may put a value that is usual for one of them.
const SAME: f64 = 0.2;

/// How a level has moved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Move {
    /// Raw values are this many times what they were.
    Times(f64),
    /// Scaled values are this much more than they were.
    Plus(f64),
}

impl Move {
    /// The way back.
    #[must_use]
    pub fn reverse(self) -> Self {
        match self {
            Self::Times(factor) => Self::Times(1.0 / factor),
            Self::Plus(amount) => Self::Plus(-amount),
        }
    }

    /// This move and `next` in one; none where they are not of a kind.
    pub fn then(self, next: Self) -> Option<Self> {
        match (self, next) {
            (Self::Times(a), Self::Times(b)) => Some(Self::Times(a * b)),
            (Self::Plus(a), Self::Plus(b)) => Some(Self::Plus(a + b)),
            _ => None,
        }
    }
}

impl Scale {
    /// Where a scaled value lies once its level has moved.
    pub fn moved(&self, scaled: f64, by: Move) -> f64 {
        match by {
            Move::Times(factor) => self.forward(self.back(scaled) * factor),
            Move::Plus(amount) => (scaled + amount).clamp(-LIMIT, LIMIT),
        }
    }

    /// The scale of `values`: from quantiles, so that a few incidents among them change little.
    ///
    /// The spread is at least a hundredth (some 3 % of the usual value), so that a near-constant
    /// interface does not turn its last digit into an alarm, and a tenth where most values are
    /// zero. An interface that has only shown zeros has no size yet: its scale is one raw unit.
    pub fn fit(values: &[f64]) -> Self {
        let mut magnitudes: Vec<f64> = values.iter().map(|v| v.abs()).filter(|v| *v > 0.0).collect();
        if magnitudes.is_empty() {
            return Self { knee: 1.0, middle: 0.0, spread: 1.0 };
        }
        let idle = magnitudes.len() * 2 < values.len();
        let knee = 3.0 * quantile(&mut magnitudes, 0.5);
        let mut bent: Vec<f64> = values.iter().map(|v| bend(*v, knee)).collect();
        bent.sort_unstable_by(f64::total_cmp);
        let q = |p| sorted_quantile(&bent, p);
        let spread = ((q(0.75) - q(0.25)) / 1.349).max((q(0.98) - q(0.02)) / 8.2);
        Self { knee, middle: q(0.5), spread: spread.max(if idle { 0.1 } else { LEAST_SPREAD }) }
    }

    /// Whether what is usual on another scale is about as usual on this one: its middle, and one spread to either side.
    pub fn says_the_same_as(&self, other: &Self) -> bool {
        let near = |z: f64| (self.forward(other.back(z)) - z).abs() <= SAME;
        self.is_flat() == other.is_flat() && [-1.0, 0.0, 1.0].into_iter().all(near)
    }

    /// Whether it shows one and the same value, give or take some per cent, or nothing at all.
    pub fn is_flat(&self) -> bool {
        self.spread <= LEAST_SPREAD || (self.middle == 0.0 && self.spread == 1.0 && self.knee == 1.0)
    }

    /// The median magnitude of the values that are not zero, in raw units.
    pub fn size(&self) -> f64 {
        self.knee / 3.0
    }

    /// Raw to scaled.
    pub fn forward(&self, value: f64) -> f64 {
        ((bend(value, self.knee) - self.middle) / self.spread).clamp(-LIMIT, LIMIT)
    }

    /// Scaled to raw.
    pub fn back(&self, scaled: f64) -> f64 {
        self.knee * libm::sinh((scaled * self.spread + self.middle).clamp(-LIMIT, LIMIT))
    }

    /// The smallest error spread that counts, in scaled units: one per cent of the usual value, and never less than a hundredth of the scale's own spread. On an idle interface, whose
    /// median is nothing, it is the size of its usual activity: that it wakes up is no error.
    pub fn floor(&self) -> f64 {
        let idle = if self.middle == 0.0 { self.forward(self.knee / 3.0) } else { 0.0 };
        (0.003 / self.spread).max(0.01).max(idle)
    }
}

/// asinh(value / knee), finite also where the quotient is not: values may be 10^300 times the usual one.
fn bend(value: f64, knee: f64) -> f64 {
    libm::asinh((value / knee).clamp(f64::MIN, f64::MAX))
}

/// The `p` quantile of values in any order (they are sorted); linear between neighbours. 0 for none.
pub fn quantile(values: &mut [f64], p: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    sorted_quantile(values, p)
}

/// The median of a few values in any order (they are sorted); the mean of the middle two. 0 for none.
pub fn median(values: &mut [f64]) -> f64 {
    quantile(values, 0.5)
}

/// The `p` quantile of ascending values; linear between neighbours. 0 for none.
pub fn sorted_quantile(sorted: &[f64], p: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let place = p.clamp(0.0, 1.0) * last as f64;
    let below = place as usize;
    let above = (below + 1).min(last);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forward_and_back_are_inverse_over_many_orders_of_magnitude() {
        let values: Vec<f64> = (0..500).map(|i| 1e6 * (2.0 + (f64::from(i) / 20.0).sin())).collect();
        let s = Scale::fit(&values);
        for x in [-3e6, 0.0, 1.0, 1e6, 3.3e6, 1e8] {
            let back = s.back(s.forward(x));
            assert!((back - x).abs() <= 1e-9 * x.abs().max(1e3), "{x} came back as {back}");
        }
    }

    #[test]
    fn a_few_incidents_change_little() {
        let clean: Vec<f64> = (0..400).map(|i| 100.0 + f64::from(i % 21)).collect();
        let mut dirty = clean.clone();
        dirty[..4].fill(1e9);
        let (a, b) = (Scale::fit(&clean), Scale::fit(&dirty));
        assert!((a.knee / b.knee - 1.0).abs() < 0.02 && (a.spread / b.spread - 1.0).abs() < 0.05, "{a:?} {b:?}");
    }

    #[test]
    fn scales_say_the_same_where_the_usual_is_the_same() {
        let day = |days: usize, by: f64| -> Scale {
            let value = |i: usize| by * (1000.0 + 300.0 * (i as f64 / 24.0 * std::f64::consts::TAU).sin());
            Scale::fit(&(0..24 * days).map(value).collect::<Vec<f64>>())
        };
        assert!(day(2, 1.0).says_the_same_as(&day(4, 1.0)));
        assert!(!day(2, 1.0).says_the_same_as(&day(4, 1.5)), "another middle");
        let flat = Scale::fit(&[1000.0; 48]);
        assert!(flat.says_the_same_as(&flat) && !flat.says_the_same_as(&day(2, 1.0)));
    }

    #[test]
    fn flat_idle_and_empty_interfaces_have_floors() {
        let flat = Scale::fit(&[1000.0; 50]);
        assert!(flat.forward(1001.0) < 0.2 && flat.forward(2000.0) > 10.0, "{flat:?}");
        let mut idle = vec![0.0; 100];
        idle[..2].fill(500.0);
        let idle = Scale::fit(&idle);
        assert!((2.0..6.0).contains(&idle.forward(500.0)), "{}", idle.forward(500.0));
        let none = Scale::fit(&[0.0; 30]);
        assert!(none.forward(0.0) == 0.0 && none.forward(2.0) < 2.0 && none.forward(1e9).is_finite());
    }

    #[test]
    fn values_that_are_nothing_beside_others_have_a_finite_scale() {
        for large in 1..25 {
            let mut values = [1e-300; 50];
            values[..large].fill(1e17);
            let s = Scale::fit(&values);
            assert!(s.spread.is_finite() && s.middle.is_finite(), "{large}: {s:?}");
            assert!([0.0, 1e-300, 1e17].iter().all(|v| s.back(s.forward(*v)).is_finite()), "{large}: {s:?}");
        }
    }

    #[test]
    fn a_level_moves_by_a_factor_or_by_an_amount() {
        let s = Scale { knee: 3000.0, middle: 0.3, spread: 0.2 };
        let moved = s.back(s.moved(s.forward(800.0), Move::Times(2.5)));
        assert!((moved - 2000.0).abs() < 1e-6, "{moved}");
        assert!((s.moved(1.0, Move::Plus(0.5)) - 1.5).abs() < 1e-12);
        assert_eq!(s.moved(1.0, Move::Plus(1e9)), LIMIT);
    }

    #[test]
    fn quantiles_are_linear_between_neighbours() {
        assert_eq!(quantile(&mut [4.0, 1.0, 3.0, 2.0], 0.5), 2.5);
        assert_eq!(quantile(&mut [], 0.5), 0.0);
    }
}
