//! How a series is like itself some slots earlier: autocorrelation, and the periods that it shows.
//!
//! Reckoned on ranks: a value counts by its place among all values of its interface. One burst, or a
//! fall to zero, would outweigh weeks of rhythm otherwise, and ranks need no choice of a logarithm
//! that zeros and negative values do not have.

use realfft::{FftError, RealFftPlanner};
use serde::Serialize;

use crate::series::{DAY, Step, WEEK};

/// Lags are looked at up to this long.
const LONGEST: i64 = 15 * DAY;
/// How far the curve has to fall before a peak counts as a peak: neighbours are always alike, and on
/// that slope every ripple has a top.
const FALL: f64 = 0.1;
/// Periods that are named.
const NAMED: usize = 3;

/// The autocorrelation of slots at lags 0, 1, 2 … `lags`. A missing value (NaN) counts for nothing: the
/// mean, and each sum of products, is over what is there. The sums are not scaled up for the fewer pairs
/// of a long lag (the usual estimate, statsmodels' default), so that of two lags that are equally good
/// the shorter one has the higher figure. Nothing for values that are all the same.
pub fn autocorrelation(values: &[f64], lags: usize, planner: &mut RealFftPlanner<f64>) -> Option<Vec<f64>> {
    let present = || values.iter().filter(|v| !v.is_nan());
    let rows = present().count();
    let mean = present().sum::<f64>() / rows as f64;
    let lags = lags.min(values.len().saturating_sub(1));
    // Zeros behind the values keep its end from meeting its start.
    let size = (values.len() + lags).max(2).next_power_of_two();
    let mut padded = vec![0.0; size];
    for (to, v) in padded.iter_mut().zip(values) {
        *to = if v.is_nan() { 0.0 } else { v - mean };
    }
    if padded.iter().all(|v| v.abs() <= 1e-12 * mean.abs()) {
        return None;
    }
    let whole: Result<Vec<f64>, FftError> = (|| {
        let forward = planner.plan_fft_forward(size);
        let mut spectrum = forward.make_output_vec();
        forward.process(&mut padded, &mut spectrum)?;
        for bin in &mut spectrum {
            *bin = bin.norm_sqr().into();
        }
        planner.plan_fft_inverse(size).process(&mut spectrum, &mut padded)?;
        Ok(padded)
    })();
    // The only errors are lengths that do not fit, and both come from the planner itself.
    let products = whole.ok()?;
    let all = products[0];
    (all > 0.0).then(|| products[..=lags].iter().map(|sum| sum / all).collect())
}

/// The place of each value among all of them, from 1; equal values share the mean of their places.
/// NaN stays NaN.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, u32)> = (0..).zip(values).filter(|(_, v)| !v.is_nan()).map(|(i, v)| (*v, i)).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![f64::NAN; values.len()];
    let mut before = 0;
    // -0.0 and 0.0 are one value.
    for equal in order.chunk_by(|a, b| a.0 == b.0) {
        let rank = before as f64 + (equal.len() + 1) as f64 / 2.0;
        equal.iter().for_each(|(_, place)| ranks[*place as usize] = rank);
        before += equal.len();
    }
    ranks
}

/// A lag at which a series is like itself.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Period {
    /// The lag in slots.
    pub slots: usize,
    /// The lag in seconds.
    pub seconds: i64,
    /// The autocorrelation there.
    pub correlation: f64,
}

/// What autocorrelation says of an interface.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Echoes {
    /// The strongest periods, the strongest first: tops of the curve, above what chance gives, behind a fall.
    pub periods: Vec<Period>,
    /// Autocorrelation at a day, where that is a whole number of slots and was looked at.
    pub day: Option<f64>,
    /// Autocorrelation at a week.
    pub week: Option<f64>,
    /// The first lag, in slots, at which it is below one half.
    pub half: Option<usize>,
    /// What a period has to exceed: in 95 of 100 series without memory no lag of all that are looked at
    /// comes up to this.
    pub chance: f64,
    /// The curve from lag 0, of ranks.
    #[serde(skip)]
    pub curve: Vec<f64>,
}

impl Echoes {
    /// Those of values by slot (NaN where none). Nothing where they are all the same, or fewer than eight.
    pub fn of(values: &[f64], step: Step, planner: &mut RealFftPlanner<f64>) -> Option<Self> {
        let rows = values.iter().filter(|v| !v.is_nan()).count();
        if rows < 8 {
            return None;
        }
        let lags = (values.len() / 2).min((LONGEST / step.seconds()).max(1) as usize);
        let curve = autocorrelation(&ranks(values), lags, planner)?;
        // One-sided: half of exp(-z²/2) bounds a normal tail, and the bounds of all lags are added up.
        let chance = (2.0 * libm::log(10.0 * curve.len() as f64) / rows as f64).sqrt();
        let at = |seconds: i64| {
            let whole = seconds % step.seconds() == 0;
            whole.then(|| curve.get((seconds / step.seconds()) as usize).copied()).flatten()
        };
        Some(Self {
            periods: periods(&curve, step, chance),
            day: at(DAY),
            week: at(WEEK),
            half: curve.iter().position(|r| *r < 0.5),
            chance,
            curve,
        })
    }

    /// The strongest period.
    pub fn strongest(&self) -> Option<&Period> {
        self.periods.first()
    }
}

fn periods(curve: &[f64], step: Step, chance: f64) -> Vec<Period> {
    let mut lowest = f64::INFINITY;
    let mut tops: Vec<Period> = Vec::new();
    for lag in 1..curve.len().saturating_sub(1) {
        let here = curve[lag];
        let is_top = here > curve[lag - 1] && here >= curve[lag + 1];
        if is_top && here > chance && here - lowest >= FALL.max(chance) {
            tops.push(Period { slots: lag, seconds: lag as i64 * step.seconds(), correlation: here });
        }
        lowest = lowest.min(here);
    }
    tops.sort_by(|a, b| b.correlation.total_cmp(&a.correlation).then(a.slots.cmp(&b.slots)));
    // Ripples on one hill are one period.
    let mut named: Vec<Period> = Vec::new();
    for top in tops {
        if named.iter().all(|known| top.slots.abs_diff(known.slots) * 8 > known.slots) {
            named.push(top);
        }
        if named.len() == NAMED {
            break;
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn hour() -> Step {
        Step::from_seconds(3600).unwrap()
    }

    fn echoes(values: &[f64]) -> Option<Echoes> {
        Echoes::of(values, hour(), &mut RealFftPlanner::new())
    }

    #[test]
    fn it_is_the_plain_sum_of_products_also_with_values_missing() {
        let mut random = Random::new(4);
        let mut values: Vec<f64> = (0..90).map(|_| random.normal()).collect();
        values[20..31].fill(f64::NAN);
        let mean = values.iter().filter(|v| !v.is_nan()).sum::<f64>() / 79.0;
        let product = |lag: usize| -> f64 {
            let pair = |i: usize| (values[i] - mean) * (values[i + lag] - mean);
            (0..90 - lag).map(pair).filter(|p| !p.is_nan()).sum()
        };
        let got = autocorrelation(&values, 60, &mut RealFftPlanner::new()).unwrap();
        assert_eq!(got.len(), 61);
        for (lag, r) in got.iter().enumerate() {
            assert!((r - product(lag) / product(0)).abs() < 1e-12, "lag {lag}");
        }
    }

    #[test]
    fn a_day_is_the_strongest_period_under_bursts_and_gaps() {
        let mut random = Random::new(9);
        let mut values: Vec<f64> = (0..800)
            .map(|i| {
                let load = 100.0 + 40.0 * (f64::from(i) * std::f64::consts::TAU / 24.0).sin() + 10.0 * random.normal();
                if i % 97 == 0 { 1e6 } else { load }
            })
            .collect();
        values[300..330].fill(f64::NAN);
        let found = echoes(&values).unwrap();
        assert_eq!(found.strongest().unwrap().slots, 24, "{:?}", found.periods);
        assert!(found.day.unwrap() > 0.7 && found.half.unwrap() < 12);
    }

    #[test]
    fn noise_a_slope_and_a_constant_have_no_period() {
        let mut random = Random::new(1);
        let noise: Vec<f64> = (0..2000).map(|_| random.normal()).collect();
        assert!(echoes(&noise).unwrap().strongest().is_none());
        let slope: Vec<f64> = (0..2000).map(f64::from).collect();
        assert!(echoes(&slope).unwrap().strongest().is_none());
        assert!(echoes(&[5.0; 100]).is_none() && echoes(&[1.0, 2.0]).is_none() && echoes(&[f64::NAN; 50]).is_none());
    }

    #[test]
    fn equal_values_share_their_places() {
        let got = ranks(&[3.0, f64::NAN, 1.0, 3.0, -0.0, 0.0]);
        assert!(got[1].is_nan());
        assert_eq!([got[0], got[2], got[3], got[4], got[5]], [4.5, 3.0, 4.5, 1.5, 1.5]);
    }
}
