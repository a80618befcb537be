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
    /// Whether it is what noctop itself wrote, or labels: no rows are lost then.
    pub(super) own: bool,
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
            return Err(Unfit { why: why.into(), own: true });
        }
        if has("start") && has("end") && has("hostname") && place(&names.timeslot).is_none() {
            let why = "holds incidents or labels, not samples: keep such files in another directory";
            return Err(Unfit { why: why.into(), own: true });
        }

        let wanted = names.all();
        let places = wanted.map(place);
        if let Some(why) = complaint_of_doubled(&found, wanted) {
            return Err(Unfit { why: format!("line 1 {why}"), own: false });
        }
        let missing: Vec<&str> = wanted.iter().zip(places).filter(|(_, p)| p.is_none()).map(|(n, _)| *n).collect();
        match places {
            [Some(a), Some(b), Some(c), Some(d), Some(e)] => Ok(Self { at: [a, b, c, d, e], fields: header.len() }),
            _ => Err(Unfit { why: complaint(&missing, header, delimiter), own: false }),
        }
    }
}

fn complaint(missing: &[&str], header: &ByteRecord, delimiter: u8) -> String {
    if header.get(0).is_some_and(|field| field.starts_with(&GZIP)) {
        return "is packed with gzip: let its name end in .csv.gz".to_owned();
    }
    if header.iter().any(|field| field.contains(&0)) {
        return "holds no text: keep such files in another directory".to_owned();
    }
    let shown: Vec<String> =
        header.iter().take(20).map(|field| super::record::shortened(&String::from_utf8_lossy(field))).collect();
    let more = if header.len() > shown.len() { ", …" } else { "" };
    let columns = if missing.len() == 1 { "column" } else { "columns" };
    let other = [b',', b';', b'\t', b'|'].into_iter().find(|d| *d != delimiter && header.iter().any(|f| f.contains(d)));
    let mend = match other {
        Some(other) if header.len() == 1 => {
            let other = char::from(other);
            format!("its delimiter seems to be {other:?}: name it with --delimiter {other:?}, or in the configuration")
        }
        _ if is_row(header) => "its first line seems to be a row: name the columns in a line before it".to_owned(),
        _ => "rename a column, or map its name under [input.columns] in the configuration".to_owned(),
    };
    format!("has no {columns} {}: it has {}{more}; {mend}", missing.join(", "), shown.join(", "))
}

/// Whether what stands in the place of the header is a row: no column is called by a time.
fn is_row(header: &ByteRecord) -> bool {
    let times = TimeslotReader::new(TimeZone::UTC);
    header.iter().any(|field| std::str::from_utf8(field).is_ok_and(|text| times.read(text.trim()).is_some()))
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
        assert!(message.starts_with("line 1 has the column mean_metric_value more than once: rename"), "{message}");
        assert!(with(&["note", "note"]).is_ok(), "what is not read does no harm");
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
