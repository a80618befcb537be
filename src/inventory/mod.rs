//! What people know of interfaces: a CSV file with a description and a speed for each.
//!
//! It stands beside the way of a row. Scores do not depend on it; it only gives names and per cents to
//! what is shown. The columns `hostname` and `ifname` must be there, `description` and `speed` may be,
//! in any order; other columns are ignored. A speed is in the unit of the rows' values, with k, M, G or
//! T for a thousand, a million and so on.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::columns::{complaint_of_doubled, is_called};
use crate::series::InterfaceName;

/// What is known of each interface.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Inventory {
    entries: HashMap<InterfaceName, Known>,
}

/// What is known of one interface.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Known {
    /// What it is there for.
    pub description: Option<Arc<str>>,
    /// The largest load that it can have, in the unit of the rows' values; above zero.
    pub speed: Option<f64>,
}

/// Why an inventory cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum InventoryError {
    /// The file cannot be read.
    #[error("{path}: {source}: name a CSV file with the columns hostname and ifname")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is no inventory.
    #[error("{path}:{line}: {message}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// Which line of it, from 1.
        line: u64,
        /// What is wrong, and what to write instead.
        message: String,
    },
}

impl Inventory {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, lacks a column or has one twice, or has a line that makes no sense. Where two lines name
    /// one interface, that is an error too: one of them is wrong.
    pub fn read(path: &Path) -> Result<Self, InventoryError> {
        let text = std::fs::read(path).map_err(|source| InventoryError::Io { path: path.to_owned(), source })?;
        Self::parse(&text).map_err(|(line, message)| InventoryError::Content { path: path.to_owned(), line, message })
    }

    fn parse(text: &[u8]) -> Result<Self, (u64, String)> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text);
        let at = |e: &csv::Error| e.position().map_or(1, csv::Position::line);
        let header = &reader.headers().map_err(|e| (at(&e), complaint(&e)))?.clone();
        let found: Vec<&str> = header.iter().collect();
        if let Some(why) = complaint_of_doubled(&found, ["hostname", "ifname", "description", "speed"]) {
            return Err((1, why));
        }
        let column = |name: &'static str| found.iter().position(|field| is_called(field, name));
        let needed = |name: &'static str| {
            column(name).ok_or_else(|| (1, format!("there is no column {name}: name it in the first line")))
        };
        let (host, ifname) = (needed("hostname")?, needed("ifname")?);
        let (description, speed) = (column("description"), column("speed"));
        let mut entries = HashMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| (at(&e), complaint(&e)))?;
            let line = record.position().map_or(0, csv::Position::line);
            let field = |column: Option<usize>| column.and_then(|c| record.get(c)).filter(|text| !text.is_empty());
            let name =
                InterfaceName::new(field(Some(host)).unwrap_or_default(), field(Some(ifname)).unwrap_or_default());
            let speed = field(speed).map(|text| {
                parse_speed(text).ok_or_else(|| {
                    (line, format!("speed {text}: write a number above 0 such as 1000000000, 10G or 2.5M"))
                })
            });
            let known = Known { description: field(description).map(Arc::from), speed: speed.transpose()? };
            if entries.insert(name.clone(), known).is_some() {
                return Err((line, format!("{name} has two lines: leave one")));
            }
        }
        Ok(Self { entries })
    }

    /// What is known of an interface.
    pub fn get(&self, name: &InterfaceName) -> Option<&Known> {
        self.entries.get(name)
    }
}

/// What is wrong with a line as CSV.
fn complaint(e: &csv::Error) -> String {
    match e.kind() {
        csv::ErrorKind::Utf8 { .. } => "is no text: write it as UTF-8".to_owned(),
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("has {len} fields where the first line has {expected_len}: put quotes around a text with a comma")
        }
        _ => e.to_string(),
    }
}

/// A positive number with an optional unit.
fn parse_speed(text: &str) -> Option<f64> {
    let text = text.trim_end_matches("bit/s").trim_end_matches("bps").trim_end();
    let (digits, unit) = match text.char_indices().last()? {
        (at, 'k' | 'K') => (&text[..at], 1e3),
        (at, 'm' | 'M') => (&text[..at], 1e6),
        (at, 'g' | 'G') => (&text[..at], 1e9),
        (at, 't' | 'T') => (&text[..at], 1e12),
        _ => (text, 1.0),
    };
    let value: f64 = digits.trim_end().parse().ok()?;
    Some(value * unit).filter(|speed| speed.is_finite() && *speed > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(text: &str, host: &str, ifname: &str) -> Option<Known> {
        Inventory::parse(text.as_bytes()).unwrap().get(&InterfaceName::new(host, ifname)).cloned()
    }

    #[test]
    fn columns_come_in_any_order_and_may_be_empty() {
        let text =
            "\u{feff}Speed, ifname,site,hostname,description\n10G,xe-0,fra,core-1,\"uplink, ams-7\"\n,ge-1,,core-1,\n";
        let uplink = Known { description: Some("uplink, ams-7".into()), speed: Some(1e10) };
        assert_eq!(known(text, "core-1", "xe-0"), Some(uplink));
        assert_eq!(known(text, "core-1", "ge-1"), Some(Known::default()));
        assert_eq!(known(text, "core-2", "ge-1"), None);
        assert_eq!(known("hostname,ifname\na,b\n", "a", "b"), Some(Known::default()));
    }

    #[test]
    fn speeds_have_units() {
        let cases = [("1000", 1e3), ("2.5M", 2.5e6), ("10 G", 1e10), ("1 Gbit/s", 1e9), ("100Mbps", 1e8), ("1e9", 1e9)];
        for (text, speed) in cases {
            assert_eq!(parse_speed(text), Some(speed), "{text}");
        }
        for text in ["", "fast", "0", "-1G", "inf", "NaN", "G", "1x", "10µ"] {
            assert_eq!(parse_speed(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let wrong = |text: &str| Inventory::parse(text.as_bytes()).unwrap_err();
        assert_eq!(wrong("host,ifname\n"), (1, "there is no column hostname: name it in the first line".to_owned()));
        let (line, message) = wrong("hostname,ifname,speed,Speed\na,b,1G,2G\n");
        assert!(line == 1 && message.contains("column speed more than once"), "{line}: {message}");
        let (line, message) = wrong("hostname,ifname,speed\na,b,1G\na,c,fast\n");
        assert!(line == 3 && message.contains("fast") && message.contains("10G"), "{line}: {message}");
        let (line, message) = wrong("hostname,ifname\na,b\nc,d\na,b\n");
        assert!(line == 4 && message.contains("a b has two lines"), "{line}: {message}");
        let (line, message) = wrong("hostname,ifname\na,b,c\n");
        assert!(line == 2 && message.contains("has 3 fields where the first line has 2"), "{line}: {message}");
        let (line, message) = Inventory::parse(b"hostname,ifname\na,b\n\xff,c\n").unwrap_err();
        assert!(line == 3 && message.contains("UTF-8"), "{line}: {message}");
    }
}
