//! A file of labelled intervals: one closed interval of an interface in each line.
//!
//! Columns are found by name, in any order: `hostname`, `ifname`, `start`, `end`, and, where they
//! are there, `kind` (what truly happened) and `story` (which labels belong together).

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::{ByteRecord, ReaderBuilder};

use crate::columns::complaint_of_doubled;
use crate::ingest::{ReadOptions, TimeslotReader};
use crate::series::{InterfaceName, Timestamp};

/// One labelled interval.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Label {
    /// Whose.
    pub name: InterfaceName,
    /// First slot.
    pub start: Timestamp,
    /// Last slot.
    pub end: Timestamp,
    /// What truly happened, where the file says so.
    pub kind: Option<String>,
    /// What it belongs to, where the file says so.
    pub story: Option<String>,
    /// Its line in the file; the header is line 1.
    pub line: u64,
}

/// The labels of a file, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    /// Where they were read.
    pub path: PathBuf,
    /// The intervals.
    pub all: Vec<Label>,
    /// Lines that say the same as an earlier one, and are left out.
    pub doubled: usize,
}

/// Why labels cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// The file cannot be read.
    #[error("{}: {source}: name a file of labels, such as noctop simulate --labels writes", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The header lacks a column.
    #[error("{}:1: has no column {missing}; it has {found}; {mend}", path.display())]
    Column {
        /// The file.
        path: PathBuf,
        /// What is missing.
        missing: String,
        /// The columns that there are.
        found: String,
        /// What to do.
        mend: String,
    },
    /// A line says something that cannot be.
    #[error("{}:{line}: {reason}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: u64,
        /// What is wrong, and what to mend.
        reason: String,
    },
}

/// Columns that every file of labels has.
const COLUMNS: [&str; 4] = ["hostname", "ifname", "start", "end"];

impl Labels {
    /// Reads the labels of a file. Delimiter, time zone and the names of the columns `hostname`
    /// and `ifname` are those of the rows; the two usual names are known as well.
    ///
    /// # Errors
    /// When the file cannot be read, a column is missing or there twice, a field cannot be read, or an interval
    /// ends before it starts.
    pub fn read(path: &Path, options: &ReadOptions) -> Result<Self, LabelError> {
        let io = |source| LabelError::Io { path: path.to_owned(), source };
        let mut text = Vec::new();
        std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut text)).map_err(io)?;
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&text);
        let mut csv =
            ReaderBuilder::new().delimiter(options.delimiter).has_headers(false).flexible(true).from_reader(text);
        let slots = TimeslotReader::new(options.time_zone.clone());
        let mut record = ByteRecord::new();
        let mut layout = None;
        let (mut all, mut said, mut doubled) = (Vec::new(), HashSet::new(), 0);
        loop {
            let at_line = |line: u64, reason| LabelError::Line { path: path.to_owned(), line, reason };
            match csv.read_byte_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(e) => return Err(at_line(csv.position().line(), e.to_string())),
            }
            if record.len() == 1 && record[0].trim_ascii().is_empty() {
                continue;
            }
            let line = record.position().map_or(0, |place| line_of(place, text));
            match &layout {
                None => layout = Some(Layout::of(&record, path, options)?),
                Some(layout) => {
                    let label = layout.label(&record, line, &slots).map_err(|why| at_line(line, why))?;
                    if said.insert(Label { line: 0, ..label.clone() }) {
                        all.push(label);
                    } else {
                        doubled += 1;
                    }
                }
            }
        }
        if layout.is_none() {
            Layout::of(&record, path, options)?;
        }
        Ok(Self { path: path.to_owned(), all, doubled })
    }

    /// The error that a label cannot be used, with its line.
    pub fn refuse(&self, label: &Label, reason: String) -> LabelError {
        LabelError::Line { path: self.path.clone(), line: label.line, reason }
    }
}

/// The line of a record that is read from `place` on: empty lines before it are passed over.
fn line_of(place: &csv::Position, text: &[u8]) -> u64 {
    let rest = text.get(place.byte() as usize..).unwrap_or_default();
    let passed = rest.iter().take_while(|b| matches!(b, b'\n' | b'\r')).filter(|b| **b == b'\n').count();
    place.line() + passed as u64
}

/// Places of the columns in a record.
struct Layout {
    at: [usize; 4],
    kind: Option<usize>,
    story: Option<usize>,
}

impl Layout {
    fn of(header: &ByteRecord, path: &Path, options: &ReadOptions) -> Result<Self, LabelError> {
        let found: Vec<String> = header.iter().map(|f| String::from_utf8_lossy(f).trim().to_lowercase()).collect();
        let place = |name: &str| found.iter().position(|f| *f == name.trim().to_lowercase());
        let own = [Some(&options.columns.hostname), Some(&options.columns.ifname), None, None];
        let mut at = [0; 4];
        let mut missing = Vec::new();
        for (i, usual) in COLUMNS.into_iter().enumerate() {
            match own[i].and_then(|name| place(name)).or_else(|| place(usual)) {
                Some(found) => at[i] = found,
                None => missing.push(usual),
            }
        }
        if missing.is_empty() {
            let (kind, story) = (place("kind"), place("story"));
            let read = at.into_iter().chain(kind).chain(story).map(|at| found[at].as_str());
            return match complaint_of_doubled(&found, read) {
                Some(reason) => Err(LabelError::Line { path: path.to_owned(), line: 1, reason }),
                None => Ok(Self { at, kind, story }),
            };
        }
        let other = [',', ';', '\t', '|'].into_iter().find(|d| found.len() == 1 && found[0].contains(*d));
        Err(LabelError::Column {
            path: path.to_owned(),
            missing: missing.join(", "),
            found: if found.is_empty() { "nothing".into() } else { format!("{:?}", found.join(", ")) },
            mend: match other {
                Some(other) => format!("its delimiter seems to be {other:?}: set that with --delimiter"),
                None => "labels need hostname, ifname, start and end (first and last slot)".into(),
            },
        })
    }

    fn label(&self, record: &ByteRecord, line: u64, slots: &TimeslotReader) -> Result<Label, String> {
        let [host, ifname, start, end] = self.at;
        let time = |at: usize, name: &str| -> Result<Timestamp, String> {
            let text = field(record, at, name)?;
            slots.read(text).ok_or_else(|| format!("{name} is {text:?}: not a time such as 2026-11-23 14:05:00"))
        };
        let optional = |at: Option<usize>| {
            let text = at.and_then(|at| record.get(at)).map(|f| String::from_utf8_lossy(f).trim().to_owned());
            text.filter(|text| !text.is_empty())
        };
        let (from, to) = (time(start, "start")?, time(end, "end")?);
        if to < from {
            return Err(format!(
                "the interval ends ({to}) before it starts ({from}): write its first slot as start and its last as end"
            ));
        }
        Ok(Label {
            name: InterfaceName::new(field(record, host, "hostname")?, field(record, ifname, "ifname")?),
            start: from,
            end: to,
            kind: optional(self.kind),
            story: optional(self.story),
            line,
        })
    }
}

fn field<'r>(record: &'r ByteRecord, at: usize, name: &str) -> Result<&'r str, String> {
    let bytes = record.get(at).ok_or_else(|| format!("has too few fields: {name} would be field {}", at + 1))?;
    let text = std::str::from_utf8(bytes).map_err(|_| format!("{name} is not valid UTF-8: write the file as UTF-8"))?;
    match text.trim() {
        "" => Err(format!("{name} is empty")),
        text => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_with(text: &str, options: &ReadOptions) -> Result<Vec<Label>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.csv");
        std::fs::write(&path, text).unwrap();
        Labels::read(&path, options).map(|l| l.all).map_err(|e| e.to_string())
    }

    fn read(text: &str) -> Result<Vec<Label>, String> {
        read_with(text, &ReadOptions::default())
    }

    #[test]
    fn columns_are_found_in_any_order_and_the_last_two_may_be_missing() {
        let text =
            "story,End,note, start ,HOSTNAME,ifname,kind\n7,2026-01-01 02:00:00,x,2026-01-01T01:00,a,b,spike\n\n";
        let all = read(text).unwrap();
        assert_eq!(all.len(), 1);
        let label = &all[0];
        assert_eq!((label.name.clone(), label.line), (InterfaceName::new("a", "b"), 2));
        assert_eq!((label.kind.as_deref(), label.story.as_deref()), (Some("spike"), Some("7")));
        assert_eq!(label.end.since(label.start), 3600);
        let plain = read("hostname,ifname,start,end\na,b,2026-01-01 00:00:00,2026-01-01 00:00:00\n").unwrap();
        assert_eq!((&plain[0].kind, &plain[0].story), (&None, &None));
        assert_eq!(read("hostname,ifname,start,end\n"), Ok(Vec::new()));
    }

    #[test]
    fn a_line_that_is_there_twice_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("labels.csv");
        let line = "a,b,2026-01-01 00:00:00,2026-01-01 00:00:00,spike\n";
        let other = line.replace("spike", "drop");
        std::fs::write(&path, format!("hostname,ifname,start,end,kind\n{line}{other}{line}{line}")).unwrap();
        let labels = Labels::read(&path, &ReadOptions::default()).unwrap();
        let lines: Vec<u64> = labels.all.iter().map(|label| label.line).collect();
        assert_eq!((lines, labels.doubled), (vec![2, 3], 2));
    }

    #[test]
    fn a_column_that_is_there_twice_is_refused() {
        for header in ["hostname,ifname,start,end,END", "hostname,ifname,start,end,kind,kind"] {
            let message = read(&format!("{header}\n")).unwrap_err();
            assert!(
                message.contains("labels.csv:1: has the column") && message.contains("more than once"),
                "{message}"
            );
        }
        assert_eq!(read("hostname,ifname,start,end,note,note\n"), Ok(Vec::new()));
    }

    #[test]
    fn delimiter_zone_and_mapped_names_are_those_of_the_rows() {
        let mut options = ReadOptions { delimiter: b';', ..ReadOptions::default() };
        options.time_zone = jiff::tz::TimeZone::get("Europe/Berlin").unwrap();
        options.columns.hostname = "device".into();
        let text = "device;ifname;start;end\na;b;2026-07-01 02:00:00;2026-07-01 02:00:00\n";
        assert_eq!(read_with(text, &options).unwrap()[0].start.to_string(), "2026-07-01 00:00:00");
    }

    #[test]
    fn what_is_wrong_names_file_line_and_mend() {
        let rows = |line: &str| read(&format!("hostname,ifname,start,end\n{line}\n")).unwrap_err();
        for (said, parts) in [
            (read("hostname,ifname,begin,end\n").unwrap_err(), ["labels.csv:1: has no column start;", "begin"]),
            (read("hostname;ifname;start;end\n").unwrap_err(), ["delimiter seems to be ';'", "--delimiter"]),
            (read("").unwrap_err(), ["has no column hostname, ifname, start, end", "it has nothing"]),
            (
                rows("a,b,2026-01-02 00:00:00,2026-01-01 00:00:00"),
                ["labels.csv:2: the interval ends", "first slot as start"],
            ),
            (rows("a,b,noon,2026-01-01 00:00:00"), ["labels.csv:2: start is \"noon\"", "2026-11-23 14:05:00"]),
            (rows("a,,2026-01-01 00:00:00,2026-01-01 00:00:00"), ["labels.csv:2: ifname is empty", ""]),
            (rows("a,b,2026-01-01 00:00:00"), ["labels.csv:2: has too few fields", "end would be field 4"]),
        ] {
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        }
        let gone = Labels::read(Path::new("/nowhere/l.csv"), &ReadOptions::default()).unwrap_err().to_string();
        assert!(gone.starts_with("/nowhere/l.csv: ") && gone.contains("simulate --labels"), "{gone}");
    }
}
