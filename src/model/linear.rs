//! A robust linear regression for the change from the last value: Huber's weights, ridge towards
//! coefficients that are pooled over all interfaces.

use super::regress::{Normal, residual};
use crate::series::rhythm::{Echo, Faded, Pair};
use crate::series::window::{LOOK_BACK, Window};

/// Features of the regression.
pub const FEATURES: usize = 25;
/// Place of the last six slots' mean among them.
pub(super) const MEAN_OF_SIX: usize = 6;
/// What a feature or a target is held to, in scaled units.
const CLIP: f64 = 8.0;
/// Weight of the pooled coefficients against an interface's own rows.
const RIDGE: f64 = 20.0;
/// Rows below which an interface gets no coefficients of its own.
const OWN_ROWS: usize = 100;
const ROUNDS: usize = 3;

/// Features of both channels for one forecast.
pub type Features = [[f64; FEATURES]; 2];
/// Coefficients of both channels.
pub type Coefficients = [[f64; FEATURES]; 2];

/// What is known before a row comes, relative to the last value, for each channel: earlier values,
/// running means, the other channel, and what the past says about this slot and about the change
/// into it. What is missing is 0. `bias` is the level's distance from profile and from the day before.
pub fn features(window: &Window, last: Pair, echo: &Echo, echo_last: &Faded, bias: [Pair; 2]) -> Features {
    let mut out = [[0.0; FEATURES]; 2];
    let newest = window.newest();
    // Up to each slot, so that one pass serves all means.
    let mut sums = [[0.0; 2]; LOOK_BACK];
    let mut sum = [0.0; 2];
    for (so_far, value) in sums.iter_mut().zip(&newest) {
        sum = [0, 1].map(|c| sum[c] + f64::from(value[c]));
        *so_far = sum;
    }
    for c in 0..2 {
        let y = last[c];
        let back = |slots: usize| f64::from(newest[slots - 1][c]);
        let mean = |slots: usize| sums[slots - 1][c] / slots as f64;
        let other = 1 - c;
        let raw = [
            back(2) - y,
            back(3) - y,
            back(4) - y,
            back(6) - y,
            back(12) - y,
            back(24) - y,
            mean(6) - y,
            mean(12) - y,
            mean(24) - y,
            last[other] - y,
            last[other] - f64::from(newest[1][other]),
            echo.day_before[c] - y,
            echo.day_before[c] - f64::from(echo_last.day_before[c]),
            echo.week_before[c] - y,
            echo.week_before[c] - f64::from(echo_last.week_before[c]),
            echo.week_profile[c] - y,
            echo.week_profile[c] - f64::from(echo_last.week_profile[c]),
            echo.day_profile[c] - y,
            echo.day_profile[c] - f64::from(echo_last.day_profile[c]),
            bias[0][c],
            bias[1][c],
            1.0,
            echo.three_days[c] - y,
            echo.seven_days[c] - y,
            echo.seven_days[c] - f64::from(echo_last.seven_days[c]),
        ];
        out[c] = raw.map(|v| if v.is_finite() { v.clamp(-CLIP, CLIP) } else { 0.0 });
    }
    out
}

/// The change from the last value that `coefficients` expect.
pub fn predict(coefficients: &Coefficients, features: &Features) -> Pair {
    [0, 1].map(|c| coefficients[c].iter().zip(&features[c]).map(|(b, x)| b * x).sum())
}

/// Rows of one interface to learn one channel from.
#[derive(Debug, Default, Clone)]
pub struct Rows {
    /// Features, a row each.
    pub features: Vec<[f32; FEATURES]>,
    /// Change from the last value.
    pub targets: Vec<f32>,
}

/// Sums over rows, each weighted by Huber's weight of its residual under `now`, over `scale`.
fn sums(rows: &Rows, now: &[f64; FEATURES], scale: f64) -> Normal<FEATURES> {
    let mut sums = Normal::zero();
    for (x, y) in rows.features.iter().zip(&rows.targets) {
        sums.learn(x, f64::from(*y).clamp(-CLIP, CLIP), now, scale);
    }
    sums
}

/// Median absolute residual as a standard deviation.
fn residual_scale(rows: &Rows, now: &[f64; FEATURES]) -> f64 {
    let mut sizes: Vec<f64> =
        rows.features.iter().zip(&rows.targets).map(|(x, y)| residual(x, f64::from(*y), now).abs()).collect();
    (crate::series::scale::quantile(&mut sizes, 0.5) * 1.4826).max(1e-3)
}

/// Learns one channel: pooled coefficients from all interfaces, each given the same say (less where it
/// has few rows), and then
/// each interface's own, held to the pooled ones by a ridge. None for an interface with few rows.
pub fn fit(interfaces: &[Rows]) -> ([f64; FEATURES], Vec<Option<[f64; FEATURES]>>) {
    let mut pooled = [0.0; FEATURES];
    for _ in 0..ROUNDS {
        let mut all = Normal::zero();
        for rows in interfaces.iter().filter(|rows| !rows.targets.is_empty()) {
            // Weighed by the size of its changes, not of what is left of them: else an interface that
            // happens to fit well would gain weight from round to round until it alone decides.
            let changes = residual_scale(rows, &[0.0; FEATURES]);
            let n = rows.targets.len() as f64;
            let weight = (n / OWN_ROWS as f64).min(1.0) / (changes * changes * n);
            all.add(&sums(rows, &pooled, residual_scale(rows, &pooled)), weight);
        }
        pooled = all.solve(1e-3, &[0.0; FEATURES]);
    }
    let own = interfaces.iter().map(|rows| fit_own(rows, &pooled)).collect();
    (pooled, own)
}

/// One interface's own coefficients of one channel, held to the pooled ones by a ridge. None where it has
/// few rows.
pub fn fit_own(rows: &Rows, pooled: &[f64; FEATURES]) -> Option<[f64; FEATURES]> {
    (rows.targets.len() >= OWN_ROWS)
        .then(|| (0..ROUNDS).fold(*pooled, |now, _| sums(rows, &now, residual_scale(rows, &now)).solve(RIDGE, pooled)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn rows(n: usize, slope: f64, outliers: usize, seed: u64) -> Rows {
        let mut random = Random::new(seed);
        let mut rows = Rows::default();
        for i in 0..n {
            let mut x = [0.0f32; FEATURES];
            x[0] = random.normal() as f32;
            x[1] = random.normal() as f32;
            let y = slope * f64::from(x[0]) - 0.3 * f64::from(x[1]) + 0.05 * random.normal();
            rows.features.push(x);
            rows.targets.push(if i < outliers { 8.0 } else { y as f32 });
        }
        rows
    }

    #[test]
    fn coefficients_are_found_in_spite_of_outliers() {
        let (_, own) = fit(&[rows(2000, 0.7, 60, 1)]);
        let own = own[0].unwrap();
        assert!((own[0] - 0.7).abs() < 0.05 && (own[1] + 0.3).abs() < 0.05, "{:?}", &own[..2]);
    }

    #[test]
    fn few_rows_get_the_pooled_coefficients_and_many_their_own() {
        let (pooled, own) = fit(&[rows(2000, 0.9, 0, 1), rows(2000, 0.5, 0, 2), rows(50, 0.1, 0, 3)]);
        assert!((0.15..0.85).contains(&pooled[0]), "{} lies between theirs", pooled[0]);
        assert!((own[0].unwrap()[0] - 0.9).abs() < 0.05 && (own[1].unwrap()[0] - 0.5).abs() < 0.05);
        assert!(own[2].is_none());
    }

    #[test]
    fn no_rows_give_zero() {
        assert_eq!(fit(&[]).0, [0.0; FEATURES]);
    }
}
