//! What a file's first line says: where the five columns are, or why its rows cannot be used.

use csv::ByteRecord;
use jiff::tz::TimeZone;

use super::options::ColumnNames;
use super::timeslot::TimeslotReader;
use crate::columns::complaint_of_doubled;

/// Places of the five columns in a record, in the order of [`ColumnNames::all`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Each column's place.
    pub(super) at: [usize; 5],
    /// Fields of the header.
    pub(super) fields: usize,
}

/// Why a file's rows cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unfit {
    /// A sentence about the file that says what to do.
    pub(super) why: String,
    /// What it holds instead, as far as can be told.
    pub(super) content: Content,
}

/// What a file holds whose rows cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Rows, perhaps: they are missing then.
    Rows,
    /// What noctop itself wrote, or labels.
    Own,
    /// A table of something else, since no column is one of times.
    Others,
    /// Something packed that ends too early: it may still be written.
    Torn,
}

/// What a file begins with that is packed with gzip.
const GZIP: [u8; 2] = [0x1f, 0x8b];

impl Layout {
    /// The layout that `header` gives, or why it gives none.
    pub(super) fn of(header: &ByteRecord, names: &ColumnNames, delimiter: u8) -> Result<Self, Unfit> {
        let found: Vec<String> =
            header.iter().map(|field| String::from_utf8_lossy(field).trim().to_lowercase()).collect();
        let has = |name: &str| found.iter().any(|f| f == name);
        let place = |name: &str| found.iter().position(|f| *f == name.trim().to_lowercase());

        if has("score") && has("verdict") && has("max_expected") {
            let why = "holds scores that noctop wrote, not samples: write scores to another directory";
            return Err(Unfit { why: why.into(), content: Content::Own });
        }
        if has("start") && has("end") && has("hostname") && place(&names.timeslot).is_none() {
            let why = "holds incidents or labels, not samples: keep such files in another directory";
            return Err(Unfit { why: why.into(), content: Content::Own });
        }

        let wanted = names.all();
        let places = wanted.map(place);
        let timed = places[0].is_some();
        if let Some(why) = complaint_of_doubled(&found, wanted).filter(|_| timed) {
            return Err(Unfit { why, content: Content::Rows });
        }
        let missing: Vec<&str> = wanted.iter().zip(places).filter(|(_, p)| p.is_none()).map(|(n, _)| *n).collect();
        match places {
            [Some(a), Some(b), Some(c), Some(d), Some(e)] => Ok(Self { at: [a, b, c, d, e], fields: header.len() }),
            _ => Err(complaint(&missing, timed, header, delimiter)),
        }
    }
}

fn complaint(missing: &[&str], timed: bool, header: &ByteRecord, delimiter: u8) -> Unfit {
    if header.get(0).is_some_and(|field| field.starts_with(&GZIP)) {
        return Unfit { why: "is packed with gzip: let its name end in .csv.gz".to_owned(), content: Content::Rows };
    }
    if header.iter().any(|field| field.contains(&0)) {
        return Unfit { why: "holds no text: keep such files in another directory".to_owned(), content: Content::Rows };
    }
    let shown: Vec<String> =
        header.iter().take(20).map(|field| super::record::shortened(&String::from_utf8_lossy(field))).collect();
    let more = if header.len() > shown.len() { ", …" } else { "" };
    let columns = if missing.len() == 1 { "column" } else { "columns" };
    let other = [b',', b';', b'\t', b'|'].into_iter().find(|d| *d != delimiter && header.iter().any(|f| f.contains(d)));
    let (mend, content) = match other {
        Some(other) if header.len() == 1 => {
            let other = char::from(other);
            let mend = format!(
                "its delimiter seems to be {other:?}: name it with --delimiter {other:?}, or in the configuration"
            );
            (mend, Content::Rows)
        }
        _ if is_row(header) => {
            ("its first line seems to be a row: name the columns in a line before it".to_owned(), Content::Rows)
        }
        _ => {
            let mend = "rename a column, or map its name under [input.columns] in the configuration".to_owned();
            (mend, if timed { Content::Rows } else { Content::Others })
        }
    };
    let why = format!("has no {columns} {}: it has {}{more}; {mend}", missing.join(", "), shown.join(", "));
    Unfit { why, content }
}

/// Whether what stands in the place of the header is a row: no column is called by a time, nor two of them by numbers.
fn is_row(header: &ByteRecord) -> bool {
    let times = TimeslotReader::new(TimeZone::UTC);
    let fields = || header.iter().filter_map(|field| std::str::from_utf8(field).ok()).map(str::trim);
    fields().any(|text| times.read(text).is_some()) || fields().filter(|text| text.parse::<f64>().is_ok()).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(header: &[&str]) -> Result<Layout, String> {
        Layout::of(&ByteRecord::from(header.to_vec()), &ColumnNames::default(), b',').map_err(|unfit| unfit.why)
    }

    #[test]
    fn columns_are_found_in_any_order_and_case() {
        let layout = of(&["note", " HostName", "mean_metric_value", "IFNAME ", "Timeslot", "max_metric_value"]);
        assert_eq!(layout, Ok(Layout { at: [4, 1, 3, 5, 2], fields: 6 }));
    }

    #[test]
    fn what_is_missing_and_what_there_is_are_named() {
        let message = of(&["timeslot", "hostname", "interface", "max_metric_value"]).unwrap_err();
        assert!(message.contains("has no columns ifname, mean_metric_value"), "{message}");
        assert!(message.contains("\"interface\""), "{message}");
        let message = of(&["timeslot;hostname;ifname;max_metric_value;mean_metric_value"]).unwrap_err();
        assert!(message.ends_with("delimiter seems to be ';': name it with --delimiter ';', or in the configuration"));
        let message = of(&["2026-11-23 14:05:00", "core-1", "xe-0", "1", "1"]).unwrap_err();
        assert!(message.contains("first line seems to be a row"), "{message}");
        let packed = ByteRecord::from(vec![&b"\x1f\x8b\x08\0"[..]]);
        let unfit = Layout::of(&packed, &ColumnNames::default(), b',').unwrap_err();
        assert_eq!(unfit.why, "is packed with gzip: let its name end in .csv.gz");
        assert_eq!(of(&["\u{1}\0", "x"]).unwrap_err(), "holds no text: keep such files in another directory");
    }

    #[test]
    fn a_column_that_is_there_twice_is_refused_and_others_may_be() {
        let usual = ["timeslot", "hostname", "ifname", "max_metric_value", "mean_metric_value"];
        let with = |more: &[&'static str]| of(&[&usual[..], more].concat());
        let message = with(&["note", "Mean_Metric_Value "]).unwrap_err();
        assert!(message.starts_with("has the column mean_metric_value more than once: rename"), "{message}");
        assert!(with(&["note", "note"]).is_ok(), "what is not read does no harm");
    }

    #[test]
    fn a_table_of_something_else_has_no_column_of_times_and_is_no_row() {
        let names = ColumnNames { timeslot: "Time".into(), ..ColumnNames::default() };
        let content = |header: &[&str]| {
            Layout::of(&ByteRecord::from(header.to_vec()), &names, b',').map_err(|unfit| unfit.content).unwrap_err()
        };
        for header in
            [&["name", "value"][..], &["hostname", "ifname", "speed"], &["name"], &["timeslot", "mtu", "1500"]]
        {
            assert_eq!(content(header), Content::Others, "{header:?}");
        }
        assert_eq!(content(&["hostname", "hostname"]), Content::Others, "a column twice makes no rows of it");
        let rows = [
            &["time", "hostname"][..],
            &["time", "time", "hostname", "ifname", "max_metric_value", "mean_metric_value"],
            &["ts;hostname;ifname"],
            &["2026-11-23 14:05:00", "core-1", "xe-0"],
            &["1767571200", "core-1", "xe-0", "1", "1"],
            &["\u{1}\0", "x"],
        ];
        for header in rows {
            assert_eq!(content(header), Content::Rows, "{header:?}");
        }
        assert_eq!(content(&["hostname", "ifname", "start", "end"]), Content::Own);
    }

    #[test]
    fn own_outputs_are_known_by_their_columns() {
        let scores = of(&[
            "timeslot",
            "hostname",
            "ifname",
            "max_metric_value",
            "mean_metric_value",
            "max_expected",
            "score",
            "verdict",
        ]);
        assert!(scores.unwrap_err().contains("scores that noctop wrote"));
        assert!(of(&["hostname", "ifname", "start", "end", "kind", "story"]).unwrap_err().contains("labels"));
        // Rows that also say when something started and ended are still rows.
        assert!(
            of(&["timeslot", "hostname", "ifname", "max_metric_value", "mean_metric_value", "start", "end"]).is_ok()
        );
    }

    #[test]
    fn names_can_be_mapped() {
        let names = ColumnNames { timeslot: "Time".into(), ..ColumnNames::default() };
        let header = ByteRecord::from(vec!["time", "hostname", "ifname", "max_metric_value", "mean_metric_value"]);
        assert_eq!(Layout::of(&header, &names, b','), Ok(Layout { at: [0, 1, 2, 3, 4], fields: 5 }));
    }
}
