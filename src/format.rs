//! Numbers, times and rarities in few characters, the way an operator says them.

use std::time::Duration;

use crate::engine::{Direction, IncidentKind, IncidentView, Verdict};
use crate::series::{DAY, Step, Timestamp, WEEK, printable};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// A value with a decimal unit (k, M, G, T, P, E) in at most six characters: `3.9G`, `812M`, `0`.
pub fn units(value: f64) -> String {
    if !value.is_finite() {
        return "-".to_owned();
    }
    let magnitude = value.abs();
    if magnitude == 0.0 {
        return "0".to_owned();
    }
    if magnitude < 0.01 {
        return format!("{value:.0e}");
    }
    let mut scaled = magnitude;
    let mut unit = 0;
    // 999.5 would be written as 1000
    while scaled >= 999.5 && unit < UNITS.len() - 1 {
        scaled /= 1000.0;
        unit += 1;
    }
    let sign = if value < 0.0 { "-" } else { "" };
    match scaled {
        s if s >= 9.95 => format!("{sign}{s:.0}{}", UNITS[unit]),
        s if unit > 0 || s >= 0.995 => format!("{sign}{s:.1}{}", UNITS[unit]),
        s => format!("{sign}{s:.2}"),
    }
}

const UNITS: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];

/// A count with a unit from 10,000 on: `9999`, `12k`.
pub fn count(n: u64) -> String {
    if n < 10_000 { n.to_string() } else { units(n as f64) }
}

/// Two numbers with as many decimals, from `digits` to six, as tell them apart.
pub fn apart(digits: usize, numbers: [f64; 2]) -> [String; 2] {
    let with = |digits: usize| numbers.map(|n| format!("{n:.digits$}"));
    (digits..=6).map(with).find(|[a, b]| a != b).unwrap_or_else(|| with(digits))
}

/// What a word ends in that stands behind a number.
pub fn s(n: u64) -> &'static str {
    if n == 1 { "" } else { "s" }
}

/// `14:05`, UTC.
pub fn clock(time: Timestamp) -> String {
    let s = time.second_of_utc_day();
    format!("{:02}:{:02}", s / 3600, s / 60 % 60)
}

/// `14:05:09`, UTC.
pub fn clock_seconds(time: Timestamp) -> String {
    format!("{}:{:02}", clock(time), time.second_of_utc_day() % 60)
}

/// `2026-11-23 14:05`, UTC.
pub fn minute(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(..16).unwrap_or(&text).to_owned()
}

/// Five characters that say when, as seen from `now`: `13:50` on the same day, else `11-22`.
pub fn when(time: Timestamp, now: Option<Timestamp>) -> String {
    match now {
        Some(now) if now.seconds().div_euclid(DAY) != time.seconds().div_euclid(DAY) => day(time),
        _ => clock(time),
    }
}

/// `11-22`: month and day.
pub fn day(time: Timestamp) -> String {
    let text = time.to_string();
    text.get(5..10).unwrap_or(&text).to_owned()
}

/// Seconds in one unit: `45 s`, `15 min`, `3 h`, `9 d`, `12 w`.
pub fn span(seconds: i64) -> String {
    let (n, unit) = in_one_unit(seconds);
    format!("{n} {}", if unit == "m" { "min" } else { unit })
}

/// Seconds in one unit and at most four columns: `45s`, `15m`, `3h`, `9d`, `12w`.
pub fn short_span(seconds: i64) -> String {
    let (n, unit) = in_one_unit(seconds);
    format!("{n}{unit}")
}

fn in_one_unit(seconds: i64) -> (i64, &'static str) {
    match seconds.max(0) {
        s if s < 100 => (s, "s"),
        s if s < 100 * 60 => (s / 60, "m"),
        s if s < 48 * 3600 => (s / 3600, "h"),
        s if s < 14 * DAY => (s / DAY, "d"),
        s => (s / WEEK, "w"),
    }
}

/// Reads a time such as `30m`, `8h`, `2d` or `1w`: its seconds, at most a year.
pub fn seconds_of(text: &str) -> Option<i64> {
    let text = text.trim();
    let unit = match text.chars().last()? {
        'm' => 60,
        'h' => 3600,
        'd' => DAY,
        'w' => WEEK,
        _ => return None,
    };
    let number: i64 = text[..text.len() - 1].trim().parse().ok()?;
    let seconds = number.checked_mul(unit)?;
    (1..=366 * DAY).contains(&seconds).then_some(seconds)
}

/// Seconds in full words: `9 weeks`, `1 day`.
pub fn words(seconds: i64) -> String {
    let (n, unit) = match seconds.max(0) {
        s if s >= 2 * WEEK => (s / WEEK, "week"),
        s if s >= DAY => (s / DAY, "day"),
        s if s >= 3600 => (s / 3600, "hour"),
        s => (s / 60, "minute"),
    };
    format!("{n} {unit}{}", s(n.unsigned_abs()))
}

/// An age that changes seldom, so that a line at rest stays quiet: by the second up to ten, then by
/// ten seconds, then by minute, then by hour.
pub fn age(age: Duration) -> String {
    match age.as_secs() {
        s if s < 10 => format!("{s}s"),
        s if s < 60 => format!("{}s", s / 10 * 10),
        s if s < 3600 => format!("{}m", s / 60),
        s if s < 48 * 3600 => format!("{}h", s / 3600),
        s => format!("{}d", s / 86_400),
    }
}

/// How long until [`age`] says something else.
pub fn age_changes_in(age: Duration) -> Duration {
    let grain = match age.as_secs() {
        s if s < 10 => 1,
        s if s < 60 => 10,
        s if s < 3600 => 60,
        _ => 3600,
    };
    Duration::from_secs((age.as_secs() / grain + 1) * grain).saturating_sub(age)
}

/// Time spent: `4 s`, `2:05 min`.
pub fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        s if s < 100 => format!("{s} s"),
        s => format!("{}:{:02} min", s / 60, s % 60),
    }
}

/// A score as a rarity on this interface: `once in 3 weeks`; capped at the history that was seen:
/// `never in 9 weeks`.
pub fn rarity(score: f64, step: Option<Step>, history: i64) -> String {
    let step = step.map_or(1, Step::seconds) as f64;
    let seconds = libm::exp10(score.clamp(0.0, 18.0)) * step;
    if history > 0 && seconds >= history as f64 {
        return format!("never in {}", words(history));
    }
    // below 1e18 times a step there is no overflow: `as` saturates
    format!("once in {}", words(seconds as i64))
}

/// How rare an incident is, as far as its verdict lets that be said: what was seen before is not also rarer
/// than anything. Nothing of a silence, which has no rows.
pub fn how_rare(incident: &IncidentView, verdict: Verdict, step: Option<Step>) -> Option<String> {
    match (incident.kind, verdict) {
        (IncidentKind::Silence, _) => None,
        (_, Verdict::Recurring) => Some("seen before".to_owned()),
        _ => Some(rarity(incident.peak, step, incident.history)),
    }
}

/// What happened, with its direction and size: `spike up ×2.4`, `drop to zero`.
pub fn what(incident: &IncidentView, ascii: bool) -> String {
    said(incident, ["level shift", "slow drift"], ascii)
}

/// The same in so many columns, as far as that can be: the figure is worth more than the whole name of a kind.
pub fn what_within(incident: &IncidentView, width: usize, ascii: bool) -> String {
    let long = what(incident, ascii);
    if long.width() <= width { long } else { said(incident, ["shift", "drift"], ascii) }
}

/// What happened, with these words for what lasts.
fn said(incident: &IncidentView, [shift, drift]: [&str; 2], ascii: bool) -> String {
    let kind = match incident.kind {
        IncidentKind::Spike => "spike",
        IncidentKind::Drop => "drop",
        IncidentKind::DropToZero => return "drop to zero".to_owned(),
        IncidentKind::Flatline => return "flatline".to_owned(),
        IncidentKind::LevelShift => shift,
        IncidentKind::Drift => drift,
        IncidentKind::Silence => return "silence".to_owned(),
    };
    // "drop down" says it twice
    let direction = match (incident.kind, incident.direction) {
        (IncidentKind::Drop, _) | (_, None) => "",
        (_, Some(Direction::Up)) => " up",
        (_, Some(Direction::Down)) => " down",
    };
    let times = incident.peak_value / incident.peak_expected;
    // The mean value may lie on the other side of what was expected of it where the maximum is what was off.
    let agrees = match incident.direction {
        Some(Direction::Up) => times > 1.0,
        Some(Direction::Down) => times < 1.0,
        None => true,
    };
    format!("{kind}{direction}{}", if agrees { factor(times, ascii) } else { String::new() })
}

/// How many times the usual value it is, with a blank before it: ` ×2.4`. Nothing where that says nothing:
/// a ratio means something only between values of one sign, and only where it is not nearly one.
pub fn factor(factor: f64, ascii: bool) -> String {
    let times = if ascii { 'x' } else { '×' };
    match factor {
        f if !f.is_finite() || f <= 0.0 || (0.95..1.05).contains(&f) => String::new(),
        f if f >= 99.5 => format!(" {times}{}", units(f)),
        f if f >= 9.95 => format!(" {times}{f:.0}"),
        f if f >= 0.095 => format!(" {times}{f:.1}"),
        f => format!(" {times}{f:.2}"),
    }
}

/// Printable `text` in exactly `width` columns: padded, or cut with a mark at its end.
pub fn fit(text: &str, width: usize, ascii: bool) -> String {
    let text = &*printable(text);
    let natural = text.width();
    if natural <= width {
        let mut out = String::with_capacity(text.len() + width - natural);
        out.push_str(text);
        out.extend(std::iter::repeat_n(' ', width - natural));
        return out;
    }
    if width == 0 {
        return String::new();
    }
    let mut out = String::new();
    let mut used = 0;
    for c in text.chars() {
        let w = c.width().unwrap_or(0);
        if used + w > width - 1 {
            break;
        }
        out.push(c);
        used += w;
    }
    out.push(if ascii { '~' } else { '…' });
    out.extend(std::iter::repeat_n(' ', width - 1 - used));
    out
}

/// As much of the end of `text` as there are columns for.
pub fn end_of(text: &str, width: usize) -> &str {
    let mut used = 0;
    let first = text.char_indices().rev().take_while(|(_, c)| {
        used += c.width().unwrap_or(0);
        used <= width
    });
    first.last().map_or("", |(at, _)| &text[at..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_units_and_stay_short() {
        let cases = [
            (0.0, "0"),
            (3.94e9, "3.9G"),
            (8.12e8, "812M"),
            (999.6, "1.0k"),
            (12_345.0, "12k"),
            (0.5, "0.50"),
            (-2_400.0, "-2.4k"),
            (1e-7, "1e-7"),
            (9.99e17, "999P"),
            (1e18, "1.0E"),
            (7.0, "7.0"),
        ];
        for (value, want) in cases {
            assert_eq!(units(value), want);
        }
        for exponent in -20..=18 {
            for mantissa in [1.0, 9.949, 9.951, 99.9, 9.9999] {
                let text = units(-mantissa * libm::exp10(f64::from(exponent)));
                assert!(text.len() <= 6, "{text}");
            }
        }
        assert_eq!(units(f64::NAN), "-");
    }

    #[test]
    fn a_rarity_is_capped_at_the_history_that_was_seen() {
        let step = Step::from_seconds(300);
        assert_eq!(rarity(6.1, step, 9 * WEEK), "never in 9 weeks");
        assert_eq!(rarity(3.0, step, 9 * WEEK), "once in 3 days");
        assert_eq!(rarity(4.0, step, 9 * WEEK), "once in 4 weeks");
        assert_eq!(rarity(f64::INFINITY, None, 0), "once in 1653439153439 weeks");
    }

    #[test]
    fn what_happened_is_said_in_fewer_words_rather_than_cut() {
        let mut incident = IncidentView::clone(&crate::console::fixture::snapshot().incidents[0]);
        let mut said = |kind, direction, width| {
            let value = if direction == Direction::Up { 2400.0 } else { 40.0 };
            (incident.peak_value, incident.peak_expected) = (value, 1000.0);
            (incident.kind, incident.direction) = (kind, Some(direction));
            what_within(&incident, width, false)
        };
        assert_eq!(said(IncidentKind::LevelShift, Direction::Down, 22), "level shift down ×0.04");
        assert_eq!(said(IncidentKind::LevelShift, Direction::Down, 18), "shift down ×0.04");
        assert_eq!(said(IncidentKind::Drift, Direction::Up, 18), "slow drift up ×2.4");
        assert_eq!(said(IncidentKind::Drift, Direction::Up, 15), "drift up ×2.4");
        assert_eq!(said(IncidentKind::Spike, Direction::Up, 3), "spike up ×2.4");
    }

    #[test]
    fn a_rise_is_not_said_to_be_a_part_of_what_was_expected() {
        let mut incident = IncidentView::clone(&crate::console::fixture::snapshot().incidents[0]);
        (incident.kind, incident.direction) = (IncidentKind::Spike, Some(Direction::Up));
        (incident.peak_value, incident.peak_expected) = (900.0, 1000.0);
        assert_eq!(what(&incident, false), "spike up");
        (incident.kind, incident.direction) = (IncidentKind::LevelShift, Some(Direction::Down));
        (incident.peak_value, incident.peak_expected) = (1200.0, 1000.0);
        assert_eq!(what(&incident, false), "level shift down");
    }

    #[test]
    fn ages_change_seldom_and_say_when() {
        for (secs, text, next) in [(4, "4s", 1), (37, "30s", 3), (60, "1m", 60), (7300, "2h", 3500)] {
            let d = Duration::from_secs(secs);
            assert_eq!((age(d), age_changes_in(d)), (text.to_owned(), Duration::from_secs(next)));
            assert_ne!(age(d + age_changes_in(d)), text);
        }
    }

    #[test]
    fn times_are_read() {
        let read = ["30m", " 8h ", "2 d", "1w", "0h", "h", "8", "-1h", "9999999999999999w", "8x", ""].map(seconds_of);
        assert_eq!(read[..4], [Some(1800), Some(8 * 3600), Some(2 * DAY), Some(WEEK)]);
        assert!(read[4..].iter().all(Option::is_none), "{read:?}");
    }

    #[test]
    fn text_is_cut_and_padded_by_columns() {
        assert_eq!(fit("core-2", 8, false), "core-2  ");
        assert_eq!(fit("core-2", 4, false), "cor…");
        assert_eq!(fit("核心-2", 4, true), "核~ ");
        assert_eq!(fit("a\tb", 5, false), "a\\tb ");
        assert_eq!(fit("x", 0, false), "");
    }

    #[test]
    fn the_end_of_a_text_is_as_wide_as_there_is_room() {
        assert_eq!([end_of("core-2", 9), end_of("core-2", 2), end_of("core-2", 0)], ["core-2", "-2", ""]);
        assert_eq!([end_of("a核心", 4), end_of("a核心", 3)], ["核心", "心"]);
    }

    #[test]
    fn moments_are_short() {
        let t = Timestamp::from_seconds(1_795_392_000 + 14 * 3600 + 5 * 60 + 9);
        assert_eq!(clock(t), "14:05");
        assert_eq!(clock_seconds(t), "14:05:09");
        assert_eq!(minute(t), "2026-11-23 14:05");
        assert_eq!(when(t, Some(t.plus(60))), "14:05");
        assert_eq!(when(t, Some(t.plus(DAY))), "11-23");
        assert_eq!([span(45), span(900), span(3 * 3600), span(20 * DAY)], ["45 s", "15 min", "3 h", "2 w"]);
        assert_eq!([short_span(45), short_span(900), short_span(20 * DAY)], ["45s", "15m", "2w"]);
    }
}
