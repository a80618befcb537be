//! Simple forecasts as scores, and a random one: what a figure is worth is seen beside them.
//!
//! A forecast's score is the size of its error on the mean value, in units of the error that was
//! usual on the rows before: 1.4826 times the median absolute deviation.

use std::collections::BTreeMap;

use super::case::Series;
use crate::random::Random;
use crate::series::scale::quantile;
use crate::series::{Clock, Local, Timestamp};

/// With so few earlier rows or fewer, a series' own first rows stand in for them.
const TOO_FEW: usize = 5;
/// How many of its own that are: a share of them, within limits.
const OWN: f64 = 0.15;
const LEAST_OWN: usize = 50;
const MOST_OWN: usize = 750;
/// An error spread below this is none.
const LEAST_SPREAD: f64 = 1e-9;

/// A score that anybody could have made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// The forecast is the last value.
    LastValue,
    /// The forecast is the median of the same hour of the week; of the same hour of the day where
    /// that hour of the week was not seen.
    HourOfWeek,
    /// No forecast: a random number for each row.
    Random,
}

impl Baseline {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::LastValue, Self::HourOfWeek, Self::Random];

    /// Its name, on screen and in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::LastValue => "last value",
            Self::HourOfWeek => "hour of week",
            Self::Random => "random",
        }
    }

    /// A score for each row of a series. The random one follows from `seed` and the series' name.
    pub fn scores(self, series: &Series, seed: u64) -> Vec<f64> {
        match self {
            Self::LastValue => last_value(series),
            Self::HourOfWeek => hour_of_week(series),
            Self::Random => {
                let mut random = Random::for_purpose(seed, &series.name.to_string());
                series.values.iter().map(|_| random.unit()).collect()
            }
        }
    }
}

/// The rows that a forecast learns from: those before the series, else the series' own first ones.
fn learnt_from(series: &Series) -> Vec<(Timestamp, f64)> {
    if series.earlier.len() > TOO_FEW {
        series.earlier.clone()
    } else {
        let own = ((series.values.len() as f64 * OWN) as usize).clamp(LEAST_OWN, MOST_OWN);
        series.times.iter().copied().zip(series.values.iter().copied()).take(own).collect()
    }
}

fn last_value(series: &Series) -> Vec<f64> {
    let earlier: Vec<f64> = learnt_from(series).into_iter().map(|(_, v)| v).collect();
    let usual = spread(earlier.windows(2).map(|w| w[1] - w[0]).collect());
    let mut before = series.earlier.last().map(|(_, v)| *v);
    let error = |value: &f64| (value - before.replace(*value).unwrap_or(*value)).abs() / usual;
    series.values.iter().map(error).collect()
}

fn hour_of_week(series: &Series) -> Vec<f64> {
    let earlier = learnt_from(series);
    let profile = Profile::of(&earlier, &series.clock);
    let usual = spread(earlier.iter().map(|(time, v)| v - profile.expect(series.clock.at(*time))).collect());
    let error = |(time, value): (&Timestamp, &f64)| (value - profile.expect(series.clock.at(*time))).abs() / usual;
    series.times.iter().zip(&series.values).map(error).collect()
}

/// Medians by hour of the week, by hour of the day, and over all.
struct Profile {
    week: BTreeMap<i64, f64>,
    day: BTreeMap<i64, f64>,
    all: f64,
}

impl Profile {
    fn of(rows: &[(Timestamp, f64)], clock: &Clock) -> Self {
        let rows: Vec<(Local, f64)> = rows.iter().map(|(time, value)| (clock.at(*time), *value)).collect();
        Self {
            week: medians(&rows, hour_in_week),
            day: medians(&rows, hour_in_day),
            all: medians(&rows, |_| 0).get(&0).copied().unwrap_or(0.0),
        }
    }

    fn expect(&self, now: Local) -> f64 {
        let known = self.week.get(&hour_in_week(now)).or_else(|| self.day.get(&hour_in_day(now)));
        known.copied().unwrap_or(self.all)
    }
}

fn hour_in_week(now: Local) -> i64 {
    now.second_of_week() / 3600
}

fn hour_in_day(now: Local) -> i64 {
    now.second_of_day() / 3600
}

fn medians(rows: &[(Local, f64)], slot: impl Fn(Local) -> i64) -> BTreeMap<i64, f64> {
    let mut of: BTreeMap<i64, Vec<f64>> = BTreeMap::new();
    rows.iter().for_each(|(now, value)| of.entry(slot(*now)).or_default().push(*value));
    of.into_iter().map(|(slot, mut values)| (slot, quantile(&mut values, 0.5))).collect()
}

/// The usual size of errors: 1.4826 times the median absolute deviation from their median.
fn spread(mut errors: Vec<f64>) -> f64 {
    let middle = quantile(&mut errors, 0.5);
    errors.iter_mut().for_each(|e| *e = (*e - middle).abs());
    (1.4826 * quantile(&mut errors, 0.5)).max(LEAST_SPREAD)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Truth;
    use crate::series::InterfaceName;

    fn series(earlier: &[f64], values: &[f64]) -> Series {
        // From a Monday.
        let time = |i: usize| Timestamp::from_seconds(1_767_571_200 + i as i64 * 3600);
        Series {
            name: InterfaceName::new("h", "i"),
            step: None,
            clock: Clock::UTC,
            earlier: earlier.iter().enumerate().map(|(i, v)| (time(i), *v)).collect(),
            times: (0..values.len()).map(|i| time(earlier.len() + i)).collect(),
            values: values.to_vec(),
            truth: Truth::new(values.len(), Vec::new()),
        }
    }

    #[test]
    fn a_jump_stands_out_from_the_last_value_and_a_wrong_hour_from_the_profile() {
        let of_day = |i: usize| if i % 24 == 3 { 100.0 } else { 10.0 + (i * i % 11) as f64 * 0.1 };
        let earlier: Vec<f64> = (0..24 * 7).map(of_day).collect();
        let mut values: Vec<f64> = (0..48).map(of_day).collect();
        values[27] = 10.0;
        let series = series(&earlier, &values);
        let highest = |baseline: Baseline| {
            let scores = baseline.scores(&series, 1);
            (0..48).max_by(|a, b| scores[*a].total_cmp(&scores[*b]))
        };
        // Up at the third hour and down again; on the second day it stays where it is, and that is wrong.
        assert!(matches!(highest(Baseline::LastValue), Some(3 | 4)));
        assert_eq!(highest(Baseline::HourOfWeek), Some(27));
    }

    #[test]
    fn every_score_is_finite_whatever_there_is() {
        for values in [vec![], vec![5.0], vec![7.0; 100], vec![1e18, -1e18, 0.0]] {
            let series = series(&[], &values);
            for baseline in Baseline::ALL {
                let scores = baseline.scores(&series, 1);
                assert_eq!(scores.len(), values.len());
                assert!(scores.iter().all(|s| s.is_finite()), "{baseline:?} {scores:?}");
            }
        }
    }

    #[test]
    fn the_random_score_follows_from_the_seed_and_the_name() {
        let one = series(&[], &[0.0; 9]);
        let other = Series { name: InterfaceName::new("h", "j"), ..series(&[], &[0.0; 9]) };
        let draw = |s: &Series, seed| Baseline::Random.scores(s, seed);
        assert_eq!(draw(&one, 3), draw(&one, 3));
        assert_ne!(draw(&one, 3), draw(&one, 4));
        assert_ne!(draw(&one, 3), draw(&other, 3));
    }
}
