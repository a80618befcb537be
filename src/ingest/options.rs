//! How files are to be read: names of columns, delimiter, time zone, size of a turn.

use std::time::Duration;

use jiff::tz::TimeZone;

use super::error::IngestError;

/// What the five columns are called in the files' headers. Case and surrounding blanks do not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnNames {
    /// When the slot is.
    pub timeslot: String,
    /// The device.
    pub hostname: String,
    /// The interface on that device.
    pub ifname: String,
    /// The slot's largest value.
    pub max_metric_value: String,
    /// The slot's mean value.
    pub mean_metric_value: String,
}

impl Default for ColumnNames {
    fn default() -> Self {
        Self {
            timeslot: "timeslot".into(),
            hostname: "hostname".into(),
            ifname: "ifname".into(),
            max_metric_value: "max_metric_value".into(),
            mean_metric_value: "mean_metric_value".into(),
        }
    }
}

impl ColumnNames {
    /// All five, in the order in which rows are taken apart.
    pub(super) fn all(&self) -> [&str; 5] {
        [&self.timeslot, &self.hostname, &self.ifname, &self.max_metric_value, &self.mean_metric_value]
    }
}

/// How files are read.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// Names of the columns.
    pub columns: ColumnNames,
    /// What stands between two fields: one byte.
    pub delimiter: u8,
    /// The zone of timeslots that do not state one. Where clocks go back, a time that comes twice
    /// means the first; where they go forward, a time that is left out means as much later.
    pub time_zone: TimeZone,
    /// Bytes that one turn reads at the most (and one record more, so that it always gets on).
    pub bytes_per_turn: usize,
    /// Whether the directories below are read too.
    pub recursive: bool,
    /// How long a file must not have been written for its last line to count without a newline.
    pub grace: Duration,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self {
            columns: ColumnNames::default(),
            delimiter: b',',
            time_zone: TimeZone::UTC,
            bytes_per_turn: 4 << 20,
            recursive: false,
            grace: Duration::from_secs(60),
        }
    }
}

impl ReadOptions {
    /// Refuses what cannot work before anything is read.
    pub(crate) fn check(&self) -> Result<(), IngestError> {
        if matches!(self.delimiter, b'"' | b'\n' | b'\r') || !self.delimiter.is_ascii() {
            return Err(IngestError::Delimiter { delimiter: char::from(self.delimiter) });
        }
        let names = self.columns.all();
        for (i, name) in names.iter().enumerate() {
            if names[..i].iter().any(|other| other.trim().eq_ignore_ascii_case(name.trim())) {
                return Err(IngestError::SameColumn { name: (*name).to_owned() });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_work_is_refused_before_reading() {
        assert!(ReadOptions::default().check().is_ok());
        assert!(ReadOptions { delimiter: b';', ..ReadOptions::default() }.check().is_ok());
        let quote = ReadOptions { delimiter: b'"', ..ReadOptions::default() }.check().unwrap_err();
        assert!(quote.to_string().contains("the delimiter cannot be '\"'"), "{quote}");
        let columns = ColumnNames { hostname: " IfName".into(), ..ColumnNames::default() };
        let same = ReadOptions { columns, ..ReadOptions::default() }.check().unwrap_err();
        assert!(matches!(same, IngestError::SameColumn { .. }), "{same}");
    }
}
