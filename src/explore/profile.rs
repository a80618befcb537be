//! What is usual at an hour of the day and on a day of the week.

use serde::Serialize;

use crate::series::scale::median;
use crate::series::{DAY, Timestamp};

/// Medians by hour of day and by day of week, UTC.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// From 00:00 on; none where an hour has no row.
    pub hours: [Option<f64>; 24],
    /// From Monday on.
    pub weekdays: [Option<f64>; 7],
}

/// The hour of the day of a moment, 0 to 23.
pub fn hour(seconds: i64) -> usize {
    (seconds.rem_euclid(DAY) / 3600) as usize
}

fn weekday(seconds: i64) -> usize {
    (Timestamp::from_seconds(seconds).second_of_utc_week() / DAY) as usize
}

impl Profile {
    /// That of rows: their moments in seconds, and their values.
    pub fn of(rows: impl Iterator<Item = (i64, f64)>) -> Self {
        let mut hours: [Vec<f64>; 24] = Default::default();
        let mut weekdays: [Vec<f64>; 7] = Default::default();
        for (seconds, value) in rows {
            hours[hour(seconds)].push(value);
            weekdays[weekday(seconds)].push(value);
        }
        let usual = |mut values: Vec<f64>| (!values.is_empty()).then(|| median(&mut values));
        Self { hours: hours.map(usual), weekdays: weekdays.map(usual) }
    }

    /// How alike two days are: the correlation of the ranks of their hours (Spearman). None where fewer
    /// than twelve hours are known of both, or one of them is flat.
    pub fn likeness(&self, other: &Self) -> Option<f64> {
        let both = self.hours.iter().zip(&other.hours).filter_map(|(a, b)| Some(((*a)?, (*b)?)));
        let (a, b): (Vec<f64>, Vec<f64>) = both.unzip();
        if a.len() < 12 {
            return None;
        }
        super::together::pearson(&super::acf::ranks(&a), &super::acf::ranks(&b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_weekdays_have_their_medians() {
        // 2026-01-05 is a Monday.
        let monday = 1_767_571_200;
        let rows = (0..14 * 24).map(|i| (monday + i * 3600, (i % 24 + 100 * (i / 24 % 7)) as f64));
        let profile = Profile::of(rows);
        assert_eq!(profile.hours[5], Some(305.0));
        assert_eq!(profile.weekdays[6], Some(611.5));
        assert_eq!(profile.likeness(&profile), Some(1.0));
    }

    #[test]
    fn what_is_not_known_or_flat_is_not_compared() {
        let flat = Profile::of((0..24).map(|i| (i * 3600, 1.0)));
        let short = Profile::of((0..6).map(|i| (i * 3600, i as f64)));
        assert_eq!(short.hours[7], None);
        assert_eq!(flat.likeness(&flat), None);
        assert_eq!(short.likeness(&short), None);
    }
}
