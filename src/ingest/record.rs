//! From one complete record to the values of a row, or to the reason why it is none.

use std::str::Utf8Error;

use csv::ByteRecord;

use super::header::Layout;
use super::options::ColumnNames;
use crate::series::Timestamp;

/// The largest magnitude that is taken for a load.
const LARGEST: f64 = 1e18;

/// A record's values, names still as text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Fields<'r> {
    /// Its timeslot.
    pub(super) time: Timestamp,
    /// The device.
    pub(super) host: &'r str,
    /// The interface there.
    pub(super) ifname: &'r str,
    /// The slot's largest value.
    pub(super) max: f64,
    /// The slot's mean value.
    pub(super) mean: f64,
}

/// The fields of a record, however they were found.
pub(super) trait Record {
    /// How many there are.
    fn count(&self) -> usize;
    /// The text of one.
    fn text(&self, at: usize) -> Option<Result<&str, Utf8Error>>;
    /// Whether there is nothing in it.
    fn is_empty_at(&self, at: usize) -> bool;
}

impl Record for ByteRecord {
    fn count(&self) -> usize {
        self.len()
    }

    fn text(&self, at: usize) -> Option<Result<&str, Utf8Error>> {
        self.get(at).map(std::str::from_utf8)
    }

    fn is_empty_at(&self, at: usize) -> bool {
        self.get(at).is_none_or(|field| field.trim_ascii().is_empty())
    }
}

/// A line without quotes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line<'a> {
    /// All of it.
    pub(super) text: &'a str,
    /// Where each field ends.
    pub(super) ends: &'a [usize],
}

impl<'a> Line<'a> {
    fn field(&self, at: usize) -> Option<&'a str> {
        let end = *self.ends.get(at)?;
        // Behind the delimiter of the field before.
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before] + 1);
        self.text.get(start..end)
    }
}

impl Record for Line<'_> {
    fn count(&self) -> usize {
        self.ends.len()
    }

    fn text(&self, at: usize) -> Option<Result<&str, Utf8Error>> {
        self.field(at).map(Ok)
    }

    fn is_empty_at(&self, at: usize) -> bool {
        self.field(at).is_none_or(|field| field.as_bytes().trim_ascii().is_empty())
    }
}

/// Whether the record is an empty line, which is neither a row nor an error.
pub(super) fn is_blank(record: &impl Record) -> bool {
    record.count() == 0 || (record.count() == 1 && record.is_empty_at(0))
}

/// Takes a record apart; `time` makes a moment of a timeslot. The error says what is wrong with it
/// and, where that helps, what to mend.
pub(super) fn read<'r>(
    record: &'r impl Record,
    layout: &Layout,
    names: &ColumnNames,
    time: impl FnOnce(&str) -> Option<Timestamp>,
) -> Result<Fields<'r>, String> {
    // A delimiter too many moves values into the wrong columns, where they may well be readable.
    if record.count() > layout.fields && (layout.fields..record.count()).any(|at| !record.is_empty_at(at)) {
        return Err(format!(
            "has {} fields where the header has {}: quote a field that holds the delimiter",
            record.count(),
            layout.fields
        ));
    }
    let names = names.all();
    let text = |column: usize| field(record, layout.at[column], names[column]);

    let timeslot = text(0)?;
    let time = time(timeslot)
        .ok_or_else(|| format!("{} is {}: not a time such as 2026-11-23 14:05:00", names[0], shortened(timeslot)))?;
    Ok(Fields {
        time,
        host: text(1)?,
        ifname: text(2)?,
        max: number(text(3)?, names[3])?,
        mean: number(text(4)?, names[4])?,
    })
}

fn field<'r>(record: &'r impl Record, at: usize, name: &str) -> Result<&'r str, String> {
    let text = match record.text(at) {
        Some(Ok(text)) => text,
        Some(Err(_)) => return Err(format!("{name} is not valid UTF-8: write the file as UTF-8")),
        None => {
            let fields = record.count();
            let noun = if fields == 1 { "field" } else { "fields" };
            return Err(format!("has {fields} {noun}, too few: {name} would be field {}", at + 1));
        }
    };
    match trimmed(text) {
        "" => Err(format!("{name} is empty")),
        text => Ok(text),
    }
}

/// The text without blanks around it; quick where there are none.
fn trimmed(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if first.is_ascii_graphic() && last.is_ascii_graphic() => text,
        _ => text.trim(),
    }
}

fn number(text: &str, name: &str) -> Result<f64, String> {
    let why = match text.parse::<f64>() {
        Ok(value) if value.abs() <= LARGEST => return Ok(value),
        Ok(_) if text.bytes().any(|b| b.is_ascii_digit()) => "over 1e18 in magnitude",
        Ok(_) => "not a finite number",
        Err(_) if text.contains(',') => "not a number; write it with a decimal point and without separators",
        Err(_) => "not a number",
    };
    Err(format!("{name} is {}: {why}", shortened(text)))
}

/// A field for a message: in quotes, control characters spelled out, long ones cut.
pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::ingest::TimeslotReader;

    const LAYOUT: Layout = Layout { at: [0, 1, 2, 3, 4], fields: 5 };

    fn check(record: &ByteRecord) -> Result<(String, String, f64, f64), String> {
        let slots = TimeslotReader::new(TimeZone::UTC);
        read(record, &LAYOUT, &ColumnNames::default(), |text| slots.read(text))
            .map(|f| (f.time.to_string(), format!("{} {}", f.host, f.ifname), f.max, f.mean))
    }

    fn values(max: &str, mean: &str) -> Result<(f64, f64), String> {
        check(&ByteRecord::from(vec!["2026-11-23 14:00:00", "a", "b", max, mean])).map(|r| (r.2, r.3))
    }

    #[test]
    fn a_row_is_read_and_blanks_around_fields_do_not_matter() {
        let row = check(&ByteRecord::from(vec![" 2026-11-23T14:00Z ", " core-1", "xe-0/1 ", " 2.5e3", "-1\r"]));
        assert_eq!(row, Ok(("2026-11-23 14:00:00".into(), "core-1 xe-0/1".into(), 2500.0, -1.0)));
    }

    #[test]
    fn negative_values_and_the_largest_are_data() {
        assert_eq!(values("-5", "-1e18"), Ok((-5.0, -1e18)));
        assert_eq!(values("1e18", "0"), Ok((1e18, 0.0)));
    }

    #[test]
    fn what_is_refused_says_why() {
        for (max, why) in [
            ("NaN", "max_metric_value is \"NaN\": not a finite number"),
            ("-inf", "max_metric_value is \"-inf\": not a finite number"),
            ("1.1e18", "max_metric_value is \"1.1e18\": over 1e18 in magnitude"),
            ("-1e999", "max_metric_value is \"-1e999\": over 1e18 in magnitude"),
            ("abc", "max_metric_value is \"abc\": not a number"),
            ("0x10", "max_metric_value is \"0x10\": not a number"),
            ("1,5", "max_metric_value is \"1,5\": not a number; write it with a decimal point and without separators"),
            ("", "max_metric_value is empty"),
            ("  ", "max_metric_value is empty"),
            ("\u{1b}[31m", "max_metric_value is \"\\u{1b}[31m\": not a number"),
        ] {
            assert_eq!(values(max, "1"), Err(why.to_owned()), "{max:?}");
        }
        assert!(values("1", "nan").unwrap_err().starts_with("mean_metric_value is"));
        assert!(values("1", &"9z".repeat(100)).unwrap_err().len() < 100);
    }

    #[test]
    fn fields_that_are_missing_empty_or_too_many_are_named() {
        let why = |fields: Vec<&[u8]>| check(&ByteRecord::from(fields)).unwrap_err();
        let time: &[u8] = b"2026-11-23 14:00:00";
        assert_eq!(why(vec![time, b"", b"b", b"1", b"1"]), "hostname is empty");
        assert_eq!(why(vec![time, b"a", b" ", b"1", b"1"]), "ifname is empty");
        assert_eq!(why(vec![time, b"a", b"b", b"1"]), "has 4 fields, too few: mean_metric_value would be field 5");
        assert_eq!(why(vec![time]), "has 1 field, too few: hostname would be field 2");
        assert_eq!(why(vec![time, b"\xff", b"b", b"1", b"1"]), "hostname is not valid UTF-8: write the file as UTF-8");
        assert_eq!(
            why(vec![b"noon", b"a", b"b", b"1", b"1"]),
            "timeslot is \"noon\": not a time such as 2026-11-23 14:05:00"
        );
        let split = why(vec![time, b"a", b"b", b"1", b"5", b"0", b"7"]);
        assert!(split.starts_with("has 7 fields where the header has 5"), "{split}");
        assert!(check(&ByteRecord::from(vec![time, b"a", b"b", b"1", b"5", b"", b" \r"])).is_ok());
    }
}
