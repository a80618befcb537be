//! Time as the rows have it: whole seconds, a step, and places in the day and in the week of UTC.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds of a day.
pub const DAY: i64 = 86_400;
/// Seconds of a week.
pub const WEEK: i64 = 7 * DAY;

/// A moment: seconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last moment that has a name, a day before the end of 9999: what lies behind it cannot be written.
    pub const LAST: Self = Self(253_402_207_200);

    /// The moment `seconds` after 1970-01-01 00:00 UTC.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Seconds since 1970-01-01 00:00 UTC.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// The moment `seconds` later (earlier where negative).
    pub const fn plus(self, seconds: i64) -> Self {
        Self(self.0 + seconds)
    }

    /// Seconds from `earlier` to this moment.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0 - earlier.0
    }

    /// Seconds since midnight UTC, 0 to 86,399. What load has to do with the hour goes by [`super::Local`] instead.
    pub const fn second_of_utc_day(self) -> i64 {
        self.0.rem_euclid(DAY)
    }

    /// Seconds since Monday 00:00 UTC, 0 to 604,799 (1970-01-01 was a Thursday).
    pub const fn second_of_utc_week(self) -> i64 {
        (self.0 + 3 * DAY).rem_euclid(WEEK)
    }
}

/// What a clock says, to the second; a clock that stands before 1970 says 1970.
impl From<SystemTime> for Timestamp {
    fn from(clock: SystemTime) -> Self {
        let seconds = clock.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        Self(i64::try_from(seconds).unwrap_or(i64::MAX))
    }
}

/// `2026-11-23 14:05:00`, in UTC: the form of a collector's export.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(t) => write!(f, "{}", t.strftime("%Y-%m-%d %H:%M:%S")),
            Err(_) => write!(f, "{} s", self.0),
        }
    }
}

/// The distance between two slots of an interface: whole seconds, at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step(i64);

impl Step {
    /// The shortest one.
    pub const SECOND: Self = Self(1);

    /// A step of `seconds`, or nothing where that is not a positive number.
    pub const fn from_seconds(seconds: i64) -> Option<Self> {
        if seconds > 0 { Some(Self(seconds)) } else { None }
    }

    /// Its seconds.
    pub const fn seconds(self) -> i64 {
        self.0
    }

    /// How many slots `later` lies after `earlier`, to the nearest slot. Rows that are off the grid
    /// count at the slot they are nearest to.
    pub const fn slots_between(self, earlier: Timestamp, later: Timestamp) -> i64 {
        (later.since(earlier) + self.0 / 2).div_euclid(self.0)
    }

    /// How many slots are missing at `now` behind a row of `newest`. A row carries the begin of its slot and comes
    /// behind its end, so the next one is due two steps later.
    pub const fn slots_missing(self, newest: Timestamp, now: Timestamp) -> i64 {
        let passed = now.since(newest).div_euclid(self.0);
        if passed > 1 { passed - 1 } else { 0 }
    }

    /// Slots in `seconds`, as a real number.
    pub fn slots_in(self, seconds: i64) -> f64 {
        seconds as f64 / self.0 as f64
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            s if s % DAY == 0 => write!(f, "{} d", s / DAY),
            s if s % 3600 == 0 => write!(f, "{} h", s / 3600),
            s if s % 60 == 0 => write!(f, "{} min", s / 60),
            s => write!(f, "{s} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_week_starts_on_monday() {
        // 2026-11-23 is a Monday.
        let monday = Timestamp::from_seconds(1_795_392_000);
        assert_eq!(monday.to_string(), "2026-11-23 00:00:00");
        assert_eq!((monday.second_of_utc_week(), monday.second_of_utc_day()), (0, 0));
        assert_eq!(monday.plus(-1).second_of_utc_week(), WEEK - 1);
    }

    #[test]
    fn the_last_moment_is_the_last_one_with_a_name() {
        assert_eq!(Timestamp::LAST.seconds(), jiff::Timestamp::MAX.as_second());
        assert_eq!(Timestamp::LAST.to_string(), "9999-12-30 22:00:00");
    }

    #[test]
    fn slots_are_counted_to_the_nearest() {
        let step = Step::from_seconds(300).unwrap();
        let t = Timestamp::from_seconds(1_000_000);
        assert_eq!(step.slots_between(t, t.plus(300)), 1);
        assert_eq!(step.slots_between(t, t.plus(440)), 1);
        assert_eq!(step.slots_between(t, t.plus(460)), 2);
        assert_eq!(step.slots_between(t, t.plus(20)), 0);
        let missing = |later| step.slots_missing(t, t.plus(later));
        assert_eq!([-400, 0, 300, 599, 600, 899, 900].map(missing), [0, 0, 0, 0, 1, 1, 2]);
        assert_eq!(Step::from_seconds(0), None);
    }
}
