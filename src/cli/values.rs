//! What a value of an argument has to be. Where it is none, that is said with the arguments' usage, exit code 2.

use clap::CommandFactory as _;
use clap::error::ErrorKind;

use super::Cli;
use crate::config::nearest;
use crate::console::theme;

/// The most false alarms for each interface and week.
pub(super) const MOST_ALARMS: f64 = 1000.0;
/// The most rings a day.
pub(super) const MOST_RINGS: f64 = 1e6;
/// Hours after which a shift can be accepted.
pub(super) const HOURS: std::ops::RangeInclusive<f64> = 1.0..=8760.0;
/// The largest learning rate.
pub(super) const MOST_RATE: f64 = 0.1;

/// The arguments make no sense together, or not with what is read.
pub(super) fn senseless(why: impl std::fmt::Display) -> anyhow::Error {
    let mut whole = Cli::command();
    whole.build();
    let used = std::env::args().nth(1).and_then(|name| whole.find_subcommand(name).cloned());
    used.unwrap_or(whole).error(ErrorKind::ValueValidation, why).into()
}

/// Reads a number above 0 and up to `most`.
pub(super) fn above_nothing(most: f64) -> impl Fn(&str) -> Result<f64, String> + Clone {
    move |text| {
        let number = text.parse().ok().filter(|n| is_above_nothing(*n, most));
        number.ok_or_else(|| format!("name a number above 0 and up to {most}"))
    }
}

/// Whether a number is above 0 and up to `most`.
pub(super) fn is_above_nothing(number: f64, most: f64) -> bool {
    number > 0.0 && number <= most
}

/// Reads a number of things, at least one.
pub(super) fn some(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|n| *n > 0).ok_or_else(|| "name a whole number above 0".to_owned())
}

/// Reads a number of things, also none.
pub(super) fn count(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "name a whole number, 0 or more".to_owned())
}

/// Reads a number of hours; `never` is 0.
pub(super) fn hours(text: &str) -> Result<f64, String> {
    match text.parse().ok() {
        Some(hours) if hours == 0.0 || HOURS.contains(&hours) => Ok(hours),
        None if text == "never" => Ok(0.0),
        _ => Err(format!("name a number from {} to {}, or never", HOURS.start(), HOURS.end())),
    }
}

/// Reads the character between two fields.
pub(super) fn delimiter(text: &str) -> Result<char, String> {
    let mut characters = text.chars();
    match (characters.next(), characters.next(), text) {
        (_, _, r"\t") => Ok('\t'),
        (Some(one), None, _) if one.is_ascii() && !matches!(one, '"' | '\n' | '\r') => Ok(one),
        _ => Err(r"name one ASCII character that is neither a quote nor a line end, or \t".to_owned()),
    }
}

/// Reads the name of a time zone.
pub(super) fn zone(text: &str) -> Result<String, String> {
    match jiff::tz::TimeZone::get(text) {
        Ok(_) => Ok(text.to_owned()),
        Err(e) => Err(format!("name a zone such as UTC or Europe/Berlin: {e}")),
    }
}

/// Reads the name of a theme.
pub(super) fn theme(text: &str) -> Result<String, String> {
    match theme::Palette::named(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err(format!("name one of {}", theme::Palette::names())),
    }
}

/// What to say to somebody who named a directory that is none and may have meant a command.
pub(super) fn command_like(dir: &std::path::Path) -> Option<String> {
    let word = dir.to_str().filter(|word| !word.contains('/') && !word.starts_with('-') && !dir.exists())?;
    let whole = Cli::command();
    let near = nearest(word, whole.get_subcommands().map(clap::Command::get_name)).filter(|near| *near != word)?;
    Some(format!("there is no directory {word}, and no such command: did you mean noctop {near}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_or_refused() {
        let alarms = above_nothing(MOST_ALARMS);
        assert_eq!((alarms("0.25"), alarms("1000")), (Ok(0.25), Ok(1000.0)));
        for bad in ["0", "-1", "1001", "nan", "inf", "1e400", "", "one"] {
            assert!(alarms(bad).is_err(), "{bad}");
        }
        assert_eq!((hours("never"), hours("0"), hours("48")), (Ok(0.0), Ok(0.0), Ok(48.0)));
        for bad in ["-4", "0.5", "8761", "nan", "always"] {
            assert!(hours(bad).is_err(), "{bad}");
        }
        assert_eq!((delimiter(";"), delimiter("\t"), delimiter(r"\t")), (Ok(';'), Ok('\t'), Ok('\t')));
        for bad in ["", ";;", "é", r"\n", "\n", "\""] {
            assert!(delimiter(bad).is_err(), "{bad}");
        }
        assert_eq!((count("0"), count("12"), count("-1").is_err()), (Ok(0), Ok(12), true));
        assert_eq!((some("3"), some("0").is_err(), some("-3").is_err()), (Ok(3), true, true));
        assert!(zone("Europe/Berlin").is_ok() && zone("Mars/X").is_err());
        assert!(theme("dark").is_ok() && theme("darkest").unwrap_err().contains("light"));
    }

    #[test]
    fn a_command_that_was_misspelt_is_found() {
        let said = command_like(std::path::Path::new("handovr"));
        assert!(said.is_some_and(|said| said.ends_with("did you mean noctop handover?")));
        for dir in ["./handovr", "handover", "--scor", "src", "/var/lib/collector", "metrics-of-site-7"] {
            assert_eq!(command_like(std::path::Path::new(dir)), None, "{dir}");
        }
    }
}
