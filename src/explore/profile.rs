//! What is usual at an hour of the day and on a day of the week.

use serde::Serialize;

use crate::series::scale::median;
use crate::series::{DAY, Local};

/// Medians by hour of day and by day of week.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    /// The zone by whose clock they are told.
    pub clock: String,
    /// From 00:00 on; none where an hour has no row.
    pub hours: [Option<f64>; 24],
    /// From Monday on.
    pub weekdays: [Option<f64>; 7],
}

/// The hour of the day of a moment, 0 to 23.
pub fn hour(now: Local) -> usize {
    (now.second_of_day() / 3600) as usize
}

fn weekday(now: Local) -> usize {
    (now.second_of_week() / DAY) as usize
}

impl Profile {
    /// That of rows, their moments and their values, by the clock of the zone of this name.
    pub fn of(clock: &str, rows: impl Iterator<Item = (Local, f64)>) -> Self {
        let mut hours: [Vec<f64>; 24] = Default::default();
        let mut weekdays: [Vec<f64>; 7] = Default::default();
        for (now, value) in rows {
            hours[hour(now)].push(value);
            weekdays[weekday(now)].push(value);
        }
        let usual = |mut values: Vec<f64>| (!values.is_empty()).then(|| median(&mut values));
        Self { clock: clock.to_owned(), hours: hours.map(usual), weekdays: weekdays.map(usual) }
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
    use crate::series::{Clock, Timestamp};

    /// Hourly rows from a moment on.
    fn profile(clock: &Clock, from: i64, hours: i64, value: impl Fn(i64) -> i64) -> Profile {
        let at = |i: i64| clock.at(Timestamp::from_seconds(from + i * 3600));
        Profile::of(clock.name(), (0..hours).map(|i| (at(i), value(i) as f64)))
    }

    #[test]
    fn hours_and_weekdays_have_their_medians() {
        // 2026-01-05 is a Monday.
        let (monday, value) = (1_767_571_200, |i| i % 24 + 100 * (i / 24 % 7));
        let utc = profile(&Clock::UTC, monday, 14 * 24, value);
        assert_eq!((utc.hours[5], utc.weekdays[6], utc.clock.as_str()), (Some(305.0), Some(611.5), "UTC"));
        assert_eq!(utc.likeness(&utc), Some(1.0));
        let tokyo = Clock::of(&jiff::tz::TimeZone::get("Asia/Tokyo").unwrap());
        let tokyo = profile(&tokyo, monday, 14 * 24, value);
        assert_eq!((tokyo.hours[5 + 9], tokyo.clock.as_str()), (Some(305.0), "Asia/Tokyo"));
    }

    #[test]
    fn what_is_not_known_or_flat_is_not_compared() {
        let flat = profile(&Clock::UTC, 0, 24, |_| 1);
        let short = profile(&Clock::UTC, 0, 6, |i| i);
        assert_eq!(short.hours[7], None);
        assert_eq!(flat.likeness(&flat), None);
        assert_eq!(short.likeness(&short), None);
    }
}
