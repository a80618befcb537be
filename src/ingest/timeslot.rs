//! Reading a timeslot.
//!
//! Nearly every row of a collector has the one form `YYYY-MM-DD HH:MM:SS`, so that one is read with
//! plain arithmetic; every other form, and every time zone, goes through jiff.

use jiff::civil;
use jiff::tz::{Offset, TimeZone};

use crate::series::{DAY, Timestamp};

/// Days from 0001-01-01 to 1970-01-01.
const DAYS_TO_1970: i64 = 719_162;
/// Days of a common year before each month.
const DAYS_BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
/// Days of each month of a common year.
const DAYS_IN_MONTH: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Reads timeslots; knows the zone of those that do not state one.
#[derive(Debug)]
pub struct TimeslotReader {
    zone: TimeZone,
    utc: bool,
}

impl TimeslotReader {
    /// A reader that takes times without an offset to be in `zone`.
    pub fn new(zone: TimeZone) -> Self {
        Self { utc: zone == TimeZone::UTC, zone }
    }

    /// The moment that `text` names, where it has a form that is known: date and time with a blank
    /// or a `T` between them, seconds and their fraction optional (the fraction is cut off), and
    /// optionally `Z` or an offset.
    pub fn read(&self, text: &str) -> Option<Timestamp> {
        if self.utc
            && let Some(seconds) = common_form(text.as_bytes())
        {
            return Some(Timestamp::from_seconds(seconds));
        }
        self.any_form(text.as_bytes())
    }

    fn any_form(&self, text: &[u8]) -> Option<Timestamp> {
        let (date_time, rest) = civil_time(text)?;
        let at = match rest.trim_ascii_start() {
            [] => self.zone.to_timestamp(date_time).ok()?,
            [b'Z' | b'z'] => Offset::UTC.to_timestamp(date_time).ok()?,
            offset => read_offset(offset)?.to_timestamp(date_time).ok()?,
        };
        Some(Timestamp::from_seconds(at.as_second()))
    }
}

/// `YYYY-MM-DD HH:MM:SS` (or with a `T`) in UTC as seconds since 1970, from the year 1 to [`Timestamp::LAST`]: what
/// lies behind it could be taken in, but not be written again.
fn common_form(text: &[u8]) -> Option<i64> {
    let text: &[u8; 19] = text.try_into().ok()?;
    let marks = [text[4], text[7], text[13], text[16]];
    if marks != *b"--::" || !matches!(text[10], b' ' | b'T') {
        return None;
    }
    let year = digits(&text[..4])?;
    let (month, day) = (digits(&text[5..7])?, digits(&text[8..10])?);
    let (hour, minute, second) = (digits(&text[11..13])?, digits(&text[14..16])?, digits(&text[17..])?);
    if year < 1 || !(1..=12).contains(&month) || day < 1 || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let index = month as usize - 1;
    if day > DAYS_IN_MONTH[index] + i64::from(leap && month == 2) {
        return None;
    }
    let past = year - 1;
    let days = past * 365 + past / 4 - past / 100 + past / 400 - DAYS_TO_1970
        + DAYS_BEFORE_MONTH[index]
        + i64::from(leap && month > 2)
        + day
        - 1;
    let seconds = days * DAY + hour * 3600 + minute * 60 + second;
    (seconds <= Timestamp::LAST.seconds()).then_some(seconds)
}

/// Date and time up to whole seconds, and what stands after them.
fn civil_time(text: &[u8]) -> Option<(civil::DateTime, &[u8])> {
    let (head, mut rest) = text.split_at_checked(16)?;
    if [head[4], head[7], head[13]] != *b"--:" || !matches!(head[10], b' ' | b'T' | b't') {
        return None;
    }
    let mut second = 0;
    if let [b':', tens, ones, after @ ..] = rest {
        second = digits(&[*tens, *ones])?;
        rest = after;
        if let [b'.' | b',', fraction @ ..] = rest {
            let places = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if places == 0 {
                return None;
            }
            rest = &fraction[places..];
        }
    }
    let small = |range: std::ops::Range<usize>| digits(&head[range]).and_then(|n| i8::try_from(n).ok());
    let year = i16::try_from(digits(&head[..4])?).ok()?;
    let second = i8::try_from(second).ok()?;
    let date_time = civil::DateTime::new(year, small(5..7)?, small(8..10)?, small(11..13)?, small(14..16)?, second, 0);
    Some((date_time.ok()?, rest))
}

/// `+hh:mm`, `+hhmm` or `+hh`.
fn read_offset(text: &[u8]) -> Option<Offset> {
    let (sign, text) = match text {
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match text {
        [a, b] => (digits(&[*a, *b])?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (digits(&[*a, *b])?, digits(&[*c, *d])?),
        _ => return None,
    };
    if hours > 23 || minutes > 59 {
        return None;
    }
    Offset::from_seconds(sign * i32::try_from(hours * 3600 + minutes * 60).ok()?).ok()
}

/// The number that consists of these digits and nothing else.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + i64::from(b - b'0')))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn utc(text: &str) -> Option<String> {
        TimeslotReader::new(TimeZone::UTC).read(text).map(|t| t.to_string())
    }

    #[test]
    fn all_forms_of_one_moment() {
        for text in [
            "2026-11-23 14:05:00",
            "2026-11-23T14:05:00",
            "2026-11-23 14:05",
            "2026-11-23T14:05Z",
            "2026-11-23T14:05:00Z",
            "2026-11-23 14:05:00.999999999999",
            "2026-11-23T14:05:00.5Z",
            "2026-11-23 15:05:00+01:00",
            "2026-11-23 15:05:00 +0100",
            "2026-11-23T09:35:00.25-04:30",
            "2026-11-23T13:05-01",
        ] {
            assert_eq!(utc(text).as_deref(), Some("2026-11-23 14:05:00"), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "2026-11-23",
            "14:05:00",
            "1795442700",
            "2026-02-29 00:00:00",
            "2026-13-01 00:00:00",
            "2026-00-01 00:00:00",
            "2026-01-00 00:00:00",
            "2026-01-32 00:00:00",
            "2026-01-01 24:00:00",
            "2026-01-01 00:60:00",
            "2026-01-01 00:00:60",
            "2026-01-01 00:00:0",
            "2026-01-01 00:00:00.",
            "2026-01-01 00:00:00+24:00",
            "2026-01-01 00:00:00+1",
            "2026-01-01 00:00:00 noon",
            "2026/01/01 00:00:00",
            "2026-01-01x00:00:00",
            "2026-01-0é 00:00:00",
            "23.11.2026 14:05:00",
            // As some write what has no end: no calendar shows it.
            "9999-12-31 23:59:59",
            "9999-12-31T23:59:59Z",
        ] {
            assert_eq!(utc(text), None, "{text}");
        }
        assert_eq!(utc("9999-12-30 22:00:00").as_deref(), Some("9999-12-30 22:00:00"));
    }

    #[test]
    fn a_time_without_an_offset_is_in_the_zone_of_the_options() {
        let reader = TimeslotReader::new(TimeZone::get("Europe/Amsterdam").unwrap());
        let read = |text| reader.read(text).map(|t| t.to_string());
        assert_eq!(read("2026-07-01 12:00:00").as_deref(), Some("2026-07-01 10:00:00"));
        assert_eq!(read("2026-01-01T12:00").as_deref(), Some("2026-01-01 11:00:00"));
        assert_eq!(read("2026-07-01 12:00:00Z").as_deref(), Some("2026-07-01 12:00:00"));
        // Clocks go back on 2026-10-25: 02:30 comes twice and means the first.
        assert_eq!(read("2026-10-25 02:30:00").as_deref(), Some("2026-10-25 00:30:00"));
    }

    #[test]
    fn a_fraction_before_1970_is_cut_off_too() {
        assert_eq!(utc("1969-12-31 23:59:58.9").as_deref(), Some("1969-12-31 23:59:58"));
    }

    proptest! {
        #[test]
        fn the_common_form_is_what_jiff_says(
            year in 0u16..=9999, month in 0u8..=13, day in 0u8..=32, hour in 0u8..=24, minute in 0u8..=60, second in 0u8..60,
            t in any::<bool>(),
        ) {
            let text = format!("{year:04}-{month:02}-{day:02}{}{hour:02}:{minute:02}:{second:02}", if t { 'T' } else { ' ' });
            let want = text.parse::<civil::DateTime>().ok().filter(|_| year > 0).and_then(|d| TimeZone::UTC.to_timestamp(d).ok());
            prop_assert_eq!(common_form(text.as_bytes()), want.map(|t| t.as_second()));
        }

        #[test]
        fn both_ways_agree_and_none_panics(text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(:[0-9]{2})?(\\.[0-9]{0,3})?(Z|[+-][0-9]{2}:?[0-9]{2})?|\\PC{0,24}") {
            let reader = TimeslotReader::new(TimeZone::UTC);
            prop_assert_eq!(reader.read(&text), reader.any_form(text.as_bytes()));
        }
    }
}
