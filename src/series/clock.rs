//! The clock that people live by: which hour of the day and of the week it is where the load comes from.
//!
//! Load follows the clock on the wall, and twice a year many walls change theirs. What compares an hour of the day
//! with the same hour of another day takes a [`Local`], which only a [`Clock`] makes: a [`Timestamp`] alone knows no
//! hour but that of UTC, and says so.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::time::{DAY, Timestamp, WEEK};

/// Changes behind this moment (the year 2300) are not looked for: the clock stays as it is then.
const LAST: i64 = 10_413_792_000;

/// The clock of a zone. It costs nothing to clone, and that of UTC nothing to ask.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clock(Option<Arc<Zone>>);

/// A zone's name, and what its clock shows from when on.
#[derive(Debug, PartialEq, Eq)]
struct Zone {
    name: String,
    spans: Vec<Span>,
}

/// How far a clock is ahead of UTC, in seconds, from a moment on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    from: i64,
    ahead: i32,
}

/// A moment, and what the clock on the wall shows then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Local {
    time: Timestamp,
    wall: i64,
}

impl Clock {
    /// That of UTC.
    pub const UTC: Self = Self(None);

    /// That of a zone, with all its changes.
    pub fn of(zone: &TimeZone) -> Self {
        let first = Span { from: i64::MIN, ahead: zone.to_offset(jiff::Timestamp::MIN).seconds() };
        let changes = zone
            .following(jiff::Timestamp::MIN)
            .map(|change| Span { from: change.timestamp().as_second(), ahead: change.offset().seconds() });
        let mut spans: Vec<Span> = std::iter::once(first).chain(changes.take_while(|span| span.from < LAST)).collect();
        // A change of the zone's name alone moves no hand.
        spans.dedup_by_key(|span| span.ahead);
        let name = zone.iana_name().unwrap_or("local").to_owned();
        Self((spans.len() > 1 || first.ahead != 0).then(|| Arc::new(Zone { name, spans })))
    }

    /// The name of its zone.
    pub fn name(&self) -> &str {
        self.0.as_ref().map_or("UTC", |zone| &zone.name)
    }

    /// What it shows at a moment.
    pub fn at(&self, time: Timestamp) -> Local {
        Local { time, wall: time.seconds() + self.ahead(time) }
    }

    /// The moment so many days before at which it showed the same time of the day. Where that was left out, since the
    /// clock went forward then, it is as much later; where it came twice, it is the second.
    pub fn days_before(&self, now: Local, days: i64) -> Timestamp {
        let then = now.time.plus(-days * DAY);
        then.plus(now.wall - now.time.seconds() - self.ahead(then))
    }

    /// Whether it is another one than that of UTC.
    pub fn is_local(&self) -> bool {
        self.0.is_some()
    }

    fn ahead(&self, time: Timestamp) -> i64 {
        self.0.as_ref().map_or(0, |zone| {
            let spans = &zone.spans;
            let behind = spans.partition_point(|span| span.from <= time.seconds());
            // The first one begins before all moments.
            spans[behind.max(1) - 1].ahead.into()
        })
    }
}

impl Local {
    /// The moment.
    pub const fn time(self) -> Timestamp {
        self.time
    }

    /// What the clock on the wall shows, as seconds since it showed 1970-01-01 00:00. They come twice, or are left
    /// out, where it changes: for comparing times of days, not for how long something took.
    pub const fn wall(self) -> i64 {
        self.wall
    }

    /// Seconds since the clock showed midnight, 0 to 86,399.
    pub const fn second_of_day(self) -> i64 {
        self.wall.rem_euclid(DAY)
    }

    /// Seconds since the clock showed Monday 00:00, 0 to 604,799 (1970-01-01 was a Thursday).
    pub const fn second_of_week(self) -> i64 {
        (self.wall + 3 * DAY).rem_euclid(WEEK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(zone: &str) -> Clock {
        Clock::of(&TimeZone::get(zone).unwrap())
    }

    fn utc(text: &str) -> Timestamp {
        Timestamp::from_seconds(text.parse::<jiff::Timestamp>().unwrap().as_second())
    }

    /// Day of the week from 0 (Monday), hour and minute that a clock shows.
    fn shown(clock: &Clock, text: &str) -> (i64, i64, i64) {
        let now = clock.at(utc(text));
        assert_eq!(now.second_of_week() % DAY, now.second_of_day());
        (now.second_of_week() / DAY, now.second_of_day() / 3600, now.second_of_day() / 60 % 60)
    }

    #[test]
    fn it_shows_what_hangs_on_the_wall() {
        let berlin = clock("Europe/Berlin");
        assert_eq!(shown(&berlin, "2026-03-29T00:59:59Z"), (6, 1, 59));
        assert_eq!(shown(&berlin, "2026-03-29T01:00:00Z"), (6, 3, 0), "put forward");
        assert_eq!(shown(&berlin, "2026-10-25T00:59:59Z"), (6, 2, 59));
        assert_eq!(shown(&berlin, "2026-10-25T01:00:00Z"), (6, 2, 0), "put back");
        assert_eq!(shown(&berlin, "2026-03-29T22:30:00Z"), (0, 0, 30), "Monday has begun there");
        // the other way round down there
        let auckland = clock("Pacific/Auckland");
        assert_eq!(shown(&auckland, "2026-04-04T13:59:00Z"), (6, 2, 59));
        assert_eq!(shown(&auckland, "2026-04-04T14:00:00Z"), (6, 2, 0));
        assert_eq!(shown(&auckland, "2026-09-26T14:00:00Z"), (6, 3, 0));
        // half an hour only, between half hours
        let lord_howe = clock("Australia/Lord_Howe");
        assert_eq!(shown(&lord_howe, "2026-04-04T14:59:00Z"), (6, 1, 59));
        assert_eq!(shown(&lord_howe, "2026-04-04T15:00:00Z"), (6, 1, 30));
        assert_eq!(shown(&clock("Asia/Kolkata"), "2026-03-29T20:00:00Z"), (0, 1, 30));
        assert_eq!(shown(&clock("Asia/Tokyo"), "2026-03-29T20:00:00Z"), (0, 5, 0));
        // rules hold on
        assert_eq!(shown(&berlin, "2099-07-01T12:00:00Z").1, 14);
        assert_eq!(shown(&berlin, "1890-01-01T12:00:00Z").1, 12, "and what was before all rules, to the minute");
    }

    #[test]
    fn that_of_utc_is_none_and_shows_what_the_moment_says() {
        for zone in ["UTC", "Etc/UTC", "GMT"] {
            assert_eq!(clock(zone), Clock::UTC, "{zone}");
        }
        assert!(!Clock::UTC.is_local() && clock("Europe/Berlin").is_local());
        assert_eq!([Clock::UTC.name(), clock("GMT").name(), clock("Asia/Tokyo").name()], ["UTC", "UTC", "Asia/Tokyo"]);
        for seconds in [-1, 0, 1_795_392_000, 1_795_392_000 + 5 * DAY + 17] {
            let time = Timestamp::from_seconds(seconds);
            let now = Clock::UTC.at(time);
            assert_eq!(now.second_of_day(), time.second_of_utc_day());
            assert_eq!(now.second_of_week(), time.second_of_utc_week());
            assert_eq!((now.wall(), Clock::UTC.days_before(now, 3)), (seconds, time.plus(-3 * DAY)));
        }
    }

    #[test]
    fn a_day_before_is_the_same_time_on_the_wall() {
        let before = |zone: &str, now: &str, days: i64| {
            let clock = clock(zone);
            clock.days_before(clock.at(utc(now)), days)
        };
        let berlin = |now: &str, days: i64| before("Europe/Berlin", now, days);
        // nine in the morning
        assert_eq!(berlin("2026-03-29T07:00:00Z", 1), utc("2026-03-28T08:00:00Z"));
        assert_eq!(berlin("2026-03-31T07:00:00Z", 1), utc("2026-03-30T07:00:00Z"));
        assert_eq!(berlin("2026-03-31T07:00:00Z", 7), utc("2026-03-24T08:00:00Z"));
        assert_eq!(berlin("2026-10-26T08:00:00Z", 1), utc("2026-10-25T08:00:00Z"));
        assert_eq!(berlin("2026-10-26T08:00:00Z", 7), utc("2026-10-19T07:00:00Z"));
        // half past two, which was left out: an hour later; and the one that comes twice
        assert_eq!(berlin("2026-03-30T00:30:00Z", 1), utc("2026-03-29T01:30:00Z"));
        assert_eq!(berlin("2026-10-26T01:30:00Z", 1), utc("2026-10-25T01:30:00Z"));
        assert_eq!(berlin("2026-10-25T00:30:00Z", 1), utc("2026-10-24T00:30:00Z"));
        assert_eq!(berlin("2026-10-25T01:30:00Z", 1), utc("2026-10-24T00:30:00Z"));
        assert_eq!(before("Australia/Lord_Howe", "2026-04-06T00:00:00Z", 2), utc("2026-04-03T23:30:00Z"));
        assert_eq!(before("Pacific/Auckland", "2026-04-06T00:00:00Z", 2), utc("2026-04-03T23:00:00Z"));
        assert_eq!(before("Asia/Kolkata", "2026-03-30T00:00:00Z", 7), utc("2026-03-23T00:00:00Z"));
        // and wherever that time was shown, it was shown then
        for zone in ["Europe/Berlin", "America/New_York", "Pacific/Auckland", "Australia/Lord_Howe"] {
            let clock = clock(zone);
            for quarter in 0..366 * 96 {
                let now = clock.at(utc("2026-01-01T00:00:00Z").plus(quarter * 900));
                let then = clock.at(clock.days_before(now, 1));
                let later = then.second_of_day() - now.second_of_day();
                assert!([0, 1800, 3600].contains(&later), "{zone}: {} and {}", now.time(), then.time());
                assert!(now.time().since(then.time()) >= 82_800, "{zone}: {}", now.time());
                let left_out = clock.at(then.time().plus(-3600)).wall() + 3600 < then.wall();
                assert!(later == 0 || left_out, "{zone}: {} and {}", now.time(), then.time());
            }
        }
    }
}
