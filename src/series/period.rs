//! A period of its own, where an interface's rhythm is not that of the day.
//!
//! A poller that works every seven hours, a batch every fifty minutes, a clock that is off: what
//! repeats then is neither a day nor a week old. The period is the lag at which the past week is
//! most like itself (autocorrelation; Box, Jenkins and Reinsel, Time Series Analysis, 1994). Where the
//! day does about as well the answer is none: the day is what people and their jobs keep to, and what
//! looks like another period beside it is most often chance.

/// Units of a scaled value, and what it is held to: an incident must not be what repeats.
const UNITS: f64 = 64.0;
const HELD: f64 = 3.0;
/// The shortest lag: neighbours are always alike.
const SHORTEST: usize = 4;
/// Repeats that have to be seen.
const REPEATS: usize = 3;
/// Autocorrelation that a period has at least, and how far it stands above what lies between.
const LEAST: f64 = 0.35;
const PROMINENCE: f64 = 0.25;
/// A peak is the highest within this part of its lag to either side; chance makes ripples on a broad one.
const AROUND: usize = 8;
/// Share of the best autocorrelation that is as good: of several lags the shortest is taken, and the
/// day before all of them.
const AS_GOOD: f64 = 0.9;
/// How near to a multiple of a day a period is one.
const SAME: f64 = 0.03;

/// The period in slots of `values`, in time order, scaled, NaN where there is none; `day` is a day's
/// slots. None where nothing repeats, where the day does, or where too little was seen.
pub fn find(values: &[f64], day: f64) -> Option<f64> {
    let first = values.iter().position(|v| !v.is_nan())?;
    let seen = Seen::new(&values[first..]);
    let longest = seen.len() / REPEATS;
    let likeness: Vec<f64> = (0..=longest).map(|lag| seen.likeness(lag)).collect();
    let mut lowest = f64::INFINITY;
    let mut peaks = Vec::new();
    for lag in 1..longest {
        let here = likeness[lag];
        if lag >= SHORTEST && here >= LEAST && here - lowest >= PROMINENCE {
            let reach = (lag / AROUND).max(1);
            let around = &likeness[lag - reach..=(lag + reach).min(longest)];
            if around.iter().all(|nearby| *nearby <= here) {
                peaks.push(lag);
            }
        }
        lowest = lowest.min(here);
    }
    let best = peaks.iter().map(|lag| likeness[*lag]).fold(0.0, f64::max);
    let lag = *peaks.iter().find(|lag| likeness[**lag] >= AS_GOOD * best)?;
    if seen.near(day, 1) >= AS_GOOD * best {
        return None;
    }
    let period = seen.refine(lag, best);
    let days = period / day;
    let whole = days.round();
    (whole < 1.0 || (days - whole).abs() > SAME * whole).then_some(period)
}

/// Values as small integers, 0 where there is none, and where there is one: sums of products are exact
/// then, whatever their order, and fast.
struct Seen {
    values: Vec<i16>,
    /// None where nothing is missing.
    present: Option<Vec<i16>>,
    power: f64,
}

impl Seen {
    fn new(values: &[f64]) -> Self {
        let mut known: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        let middle = super::scale::median(&mut known);
        let held = |v: f64| (v - middle).clamp(-HELD, HELD);
        let mean = known.iter().map(|v| held(*v)).sum::<f64>() / known.len().max(1) as f64;
        let small = |v: &f64| if v.is_nan() { 0 } else { ((held(*v) - mean) * UNITS).round() as i16 };
        let mut seen = Self {
            values: values.iter().map(small).collect(),
            present: (known.len() < values.len()).then(|| values.iter().map(|v| i16::from(!v.is_nan())).collect()),
            power: 1.0,
        };
        seen.power = seen.mean_product(0).unwrap_or(0.0);
        seen
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    /// The mean product of values that are `lag` apart; none where a third of the pairs is missing.
    fn mean_product(&self, lag: usize) -> Option<f64> {
        let pairs = self.len().checked_sub(lag).filter(|pairs| *pairs > 0)?;
        let beside = |all: &[i16]| f64::from(dot(&all[..pairs], &all[lag..]));
        let known = self.present.as_deref().map_or(pairs as f64, beside);
        (known > 2.0 / 3.0 * pairs as f64).then(|| beside(&self.values) / known)
    }

    /// Autocorrelation.
    fn likeness(&self, lag: usize) -> f64 {
        if self.power > 0.0 { self.mean_product(lag).map_or(0.0, |mean| mean / self.power) } else { 0.0 }
    }

    /// The best autocorrelation within `reach` slots of a lag.
    fn near(&self, lag: f64, reach: usize) -> f64 {
        let lag = lag.round() as usize;
        (lag.saturating_sub(reach)..=lag + reach).map(|lag| self.likeness(lag)).fold(0.0, f64::max)
    }

    /// A period to a fraction of a slot: that of which the farthest repeats are whole multiples.
    fn refine(&self, lag: usize, best: f64) -> f64 {
        let mut period = lag as f64;
        for repeats in 2.. {
            let middle = (period * f64::from(repeats)).round() as usize;
            if middle + 2 > self.len() * 2 / 3 {
                break;
            }
            let nearby = (middle - 2..=middle + 2).max_by(|a, b| self.likeness(*a).total_cmp(&self.likeness(*b)));
            match nearby {
                Some(lag) if self.likeness(lag) >= 0.5 * best => period = lag as f64 / f64::from(repeats),
                _ => break,
            }
        }
        period
    }
}

/// The sum of products. Values are at most 6·64 and there are some thousand of them: it fits, and is not
/// checked for that, since checks keep it from being vectorised.
fn dot(a: &[i16], b: &[i16]) -> i32 {
    a.iter().zip(b).fold(0, |sum: i32, (a, b)| sum.wrapping_add(i32::from(*a) * i32::from(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn wave(n: usize, period: f64, noise: f64, seed: u64) -> Vec<f64> {
        let mut random = Random::new(seed);
        (0..n).map(|i| libm::sin(i as f64 / period * std::f64::consts::TAU) + noise * random.normal()).collect()
    }

    #[test]
    fn a_period_is_found_to_a_fraction_of_a_slot() {
        for (period, n) in [(50.0, 1008), (100.8, 1008), (7.3, 168), (33.3, 168)] {
            let found = find(&wave(n, period, 0.4, 1), n as f64 / 7.0).unwrap();
            assert!((found / period - 1.0).abs() < 0.02, "{found} instead of {period}");
        }
    }

    #[test]
    fn the_day_and_its_multiples_and_parts_that_the_day_repeats_are_none() {
        for period in [144.0, 288.0, 72.0, 12.0] {
            assert_eq!(find(&wave(1008, period, 0.3, 2), 144.0), None, "{period}");
        }
    }

    #[test]
    fn noise_a_ramp_a_constant_and_too_little_have_none() {
        let mut random = Random::new(3);
        assert_eq!(find(&(0..1008).map(|_| random.normal()).collect::<Vec<_>>(), 144.0), None);
        assert_eq!(find(&(0..1008).map(|i| f64::from(i) * 0.01).collect::<Vec<_>>(), 144.0), None);
        assert_eq!(find(&[1.0; 1008], 144.0), None);
        assert_eq!(find(&[f64::NAN; 1008], 144.0), None);
        assert_eq!(find(&[], 144.0), None);
        assert_eq!(find(&wave(100, 50.0, 0.1, 4), 144.0), None, "two repeats");
    }

    #[test]
    fn gaps_and_incidents_do_not_hide_it() {
        let mut values = wave(1008, 50.0, 0.2, 5);
        values[100..160].fill(f64::NAN);
        values[400..410].fill(60.0);
        let found = find(&values, 144.0).unwrap();
        assert!((found - 50.0).abs() < 0.5, "{found}");
    }
}
