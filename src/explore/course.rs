//! Whether the level of an interface stays where it is, in plain words: a shift, a trend, or neither.

use serde::Serialize;

use super::grid::as_text;
use crate::series::scale::median;
use crate::series::{DAY, Timestamp};

/// Blocks that a course is looked at in: days, or as many days as keep to this number.
const MOST_BLOCKS: i64 = 200;
/// Blocks on each side of a shift, and half of those that are needed to speak of a course at all.
const SIDE: usize = 3;
/// A level that became this many times what it was, or that part of it, is another level.
const FACTOR: f64 = 1.25;
/// Spreads of the blocks around their own side's level that a shift has to exceed.
const SPREADS: f64 = 4.0;
/// Kendall's tau of blocks and time from which on there is a trend.
const TAU: f64 = 0.5;

/// What the level did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Course {
    /// Fewer than six days with rows: nothing can be said.
    Short,
    /// It stayed.
    Steady,
    /// It went from one level to another.
    Shift {
        /// The first day on the new level.
        #[serde(serialize_with = "as_text")]
        at: Timestamp,
        /// The median of the daily medians before.
        before: f64,
        /// The same after.
        after: f64,
    },
    /// It rose or fell all along.
    Trend {
        /// The level at the start, on the line.
        from: f64,
        /// The level at the end.
        to: f64,
        /// Kendall's tau: 1 where each day is above all earlier ones.
        tau: f64,
    },
}

impl Course {
    /// The course of rows: their moments in seconds, ascending, and their values.
    pub fn of(seconds: impl Iterator<Item = i64>, values: &[f64]) -> Self {
        let blocks = blocks(seconds, values);
        if blocks.len() < 2 * SIDE {
            return Self::Short;
        }
        let levels: Vec<f64> = blocks.iter().map(|b| b.level).collect();
        let (at, before, after, missed) = best_split(&levels);
        let shift = Self::Shift { at: Timestamp::from_seconds(blocks[at].start), before, after };
        let spread = missed / levels.len() as f64 * 1.25;
        let is_shift = moved(before, after) && (after - before).abs() > SPREADS * spread;
        let places: Vec<f64> = blocks.iter().map(|b| b.start as f64 / DAY as f64).collect();
        let slope = theil_sen(&places, &levels);
        let middle = median(&mut levels.iter().zip(&places).map(|(y, x)| y - slope * x).collect::<Vec<_>>());
        let line = |x: f64| middle + slope * x;
        let (from, to) = (line(places[0]), line(places[places.len() - 1]));
        let tau = kendall(&levels);
        let is_trend = tau.abs() >= TAU && moved(from, to);
        let beside: f64 = levels.iter().zip(&places).map(|(y, x)| (y - line(*x)).abs()).sum();
        match (is_shift, is_trend) {
            (true, true) if beside < missed => Self::Trend { from, to, tau },
            (true, _) => shift,
            (false, true) => Self::Trend { from, to, tau },
            (false, false) => Self::Steady,
        }
    }
}

struct Block {
    start: i64,
    level: f64,
}

/// The medians of days, or of several days each where there are very many. A day counts when it has
/// at least half as many rows as the fullest one.
fn blocks(seconds: impl Iterator<Item = i64>, values: &[f64]) -> Vec<Block> {
    let mut days: Vec<(i64, usize, usize)> = Vec::new();
    let (mut length, mut first_day) = (DAY, 0);
    let times: Vec<i64> = seconds.collect();
    if let (Some(first), Some(last)) = (times.first(), times.last()) {
        let span = (last - first) / DAY + 1;
        length = DAY * ((span + MOST_BLOCKS - 1) / MOST_BLOCKS);
        first_day = first.div_euclid(DAY) * DAY;
    }
    for (i, t) in times.iter().enumerate() {
        let start = first_day + (t - first_day).div_euclid(length) * length;
        match days.last_mut() {
            Some((day, _, end)) if *day == start => *end = i + 1,
            _ => days.push((start, i, i + 1)),
        }
    }
    let fullest = days.iter().map(|(_, from, end)| end - from).max().unwrap_or(0);
    let full = days.into_iter().filter(|(_, from, end)| 2 * (end - from) >= fullest);
    full.map(|(start, from, end)| Block { start, level: median(&mut values[from..end].to_vec()) }).collect()
}

fn moved(from: f64, to: f64) -> bool {
    let (low, high) = (from.abs().min(to.abs()), from.abs().max(to.abs()));
    high > 0.0 && (high >= FACTOR * low || (from < 0.0) != (to < 0.0))
}

/// The split in two that leaves the least distance to the medians of both sides: where it is, both
/// medians, and that distance in all.
fn best_split(levels: &[f64]) -> (usize, f64, f64, f64) {
    let side = |part: &[f64]| {
        let level = median(&mut part.to_vec());
        (level, part.iter().map(|v| (v - level).abs()).sum::<f64>())
    };
    let at = |k: usize| {
        let ((before, left), (after, right)) = (side(&levels[..k]), side(&levels[k..]));
        (k, before, after, left + right)
    };
    let rest = (SIDE + 1..=levels.len() - SIDE).map(at);
    rest.fold(at(SIDE), |best, next| if next.3 < best.3 { next } else { best })
}

/// The median slope between all pairs of points (Theil and Sen). 0 for fewer than two.
pub fn theil_sen(x: &[f64], y: &[f64]) -> f64 {
    let points: Vec<(f64, f64)> = x.iter().copied().zip(y.iter().copied()).collect();
    let mut slopes = Vec::with_capacity(points.len() * points.len() / 2);
    for (i, a) in points.iter().enumerate() {
        slopes.extend(points[i + 1..].iter().filter(|b| b.0 != a.0).map(|b| (b.1 - a.1) / (b.0 - a.0)));
    }
    median(&mut slopes)
}

/// Kendall's tau-b of values and their order. 0 where all values are the same.
pub fn kendall(values: &[f64]) -> f64 {
    let (mut balance, mut untied, mut pairs) = (0.0, 0.0, 0.0_f64);
    for (i, a) in values.iter().enumerate() {
        for b in &values[i + 1..] {
            pairs += 1.0;
            if a != b {
                untied += 1.0;
                balance += if b > a { 1.0 } else { -1.0 };
            }
        }
    }
    if untied > 0.0 { balance / (pairs * untied).sqrt() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// Four weeks, hourly, with a rhythm of day and noise; `level` by hour.
    fn course(level: impl Fn(f64) -> f64) -> Course {
        let mut random = Random::new(7);
        let values: Vec<f64> = (0..672)
            .map(|i| {
                let day = (f64::from(i) * std::f64::consts::TAU / 24.0).sin();
                level(f64::from(i)) * (1.0 + 0.4 * day + 0.05 * random.normal())
            })
            .collect();
        Course::of((0..672).map(|i| i * 3600), &values)
    }

    #[test]
    fn a_rhythm_is_steady() {
        assert_eq!(course(|_| 100.0), Course::Steady);
        let weekend = |hour: f64| if (hour / 24.0) as i64 % 7 >= 5 { 40.0 } else { 100.0 };
        assert_eq!(course(weekend), Course::Steady);
    }

    #[test]
    fn a_shift_is_told_with_its_day_and_levels() {
        let Course::Shift { at, before, after } = course(|hour| if hour < 480.0 { 100.0 } else { 250.0 }) else {
            panic!("no shift");
        };
        assert_eq!(at.seconds(), 480 * 3600);
        assert!((before - 100.0).abs() < 8.0 && (after - 250.0).abs() < 20.0);
    }

    #[test]
    fn a_trend_is_told_and_is_no_shift() {
        let Course::Trend { from, to, tau } = course(|hour| 100.0 + hour / 4.0) else { panic!("no trend") };
        assert!(from < 115.0 && to > 240.0 && tau > 0.9, "{from} {to} {tau}");
    }

    #[test]
    fn few_days_say_nothing_and_many_are_put_together() {
        assert_eq!(Course::of((0..100).map(|i| i * 3600), &[1.0; 100]), Course::Short);
        assert_eq!(Course::of([].into_iter(), &[]), Course::Short);
        let rows = 24 * 1000;
        assert_eq!(Course::of((0..rows).map(|i| i * 3600), &vec![5.0; rows as usize]), Course::Steady);
    }
}
