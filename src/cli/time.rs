//! Times and lengths of time as they are typed.

use std::time::Duration;

use crate::series::Timestamp;

/// Reads `500ms`, `10s`, `5m`, `1h` or `1d`.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a whole number and a unit: 500ms, 10s, 5m, 1h, 1d".to_owned();
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let milliseconds: u64 = match &text[digits..] {
        "ms" => 1,
        "s" => 1000,
        "m" | "min" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    match number.checked_mul(milliseconds) {
        Some(0) => Err("must be more than nothing".to_owned()),
        Some(all) => Ok(Duration::from_millis(all)),
        None => Err("is too long".to_owned()),
    }
}

/// Reads a date, or date and time, as UTC.
pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    let civil: jiff::civil::DateTime =
        text.parse().map_err(|_| "write a date, 2026-01-05, or date and time, 2026-01-05T14:00".to_owned())?;
    let beyond = |_| format!("the last time that can be written is {}", Timestamp::LAST);
    let time = jiff::tz::TimeZone::UTC.to_timestamp(civil).map_err(beyond)?;
    Ok(Timestamp::from_seconds(time.as_second()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_times_are_read_or_refused() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("250ms"), Ok(Duration::from_millis(250)));
        for bad in ["", "5", "m", "-3s", "1.5h", "0s", "3w", "99999999999999999999s", "18446744073709551615h"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_time("2026-01-05T14:00").map(|t| t.to_string()), Ok("2026-01-05 14:00:00".to_owned()));
        assert!(parse_time("yesterday").is_err());
        assert!(parse_time("9999-12-31").unwrap_err().ends_with("is 9999-12-30 22:00:00"));
    }
}
