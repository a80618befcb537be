//! From complete records to rows, quickly.
//!
//! Nearly all files hold no quote at all. There a field ends at the next delimiter and a record at
//! the next newline, so lines are split where they stand. Every other piece goes through the csv
//! crate; both ways give the same rows.
//!
//! Rows of a collector look like the rows before them: the slot is that of the last row, or the
//! interface is the one that followed the last one the time before. Such guesses are compared with
//! what the row says, and spare most of the work.

use std::io::Read;

use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::header::{Layout, Unfit};
use super::lines;
use super::options::{ColumnNames, ReadOptions};
use super::record::{self, Line, Record};
use super::timeslot::TimeslotReader;
use crate::series::{InterfaceId, InterfaceName, Names, Timestamp};

/// A record's values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Values {
    pub(super) time: Timestamp,
    pub(super) interface: InterfaceId,
    pub(super) max: f64,
    pub(super) mean: f64,
}

/// Makes rows of records.
#[derive(Debug)]
pub(super) struct RowReader {
    slots: TimeslotReader,
    columns: ColumnNames,
    delimiter: u8,
    names: Names,
    /// The timeslot that was read last, as it was written.
    slot: (String, Option<Timestamp>),
    last: Option<InterfaceId>,
    /// The interface that followed each one the last time.
    follower: Vec<Option<InterfaceId>>,
    /// Kept to be used again.
    ends: Vec<usize>,
    record: ByteRecord,
}

impl RowReader {
    /// The same reader, to which these interfaces are known already, by the ids that their order gives.
    pub(super) fn knowing(mut self, names: &[InterfaceName]) -> Self {
        for name in names {
            self.names.intern(&name.host, &name.ifname);
        }
        self
    }

    /// A reader that knows no interface yet.
    pub(super) fn new(options: &ReadOptions) -> Self {
        Self {
            slots: TimeslotReader::new(options.time_zone.clone()),
            columns: options.columns.clone(),
            delimiter: options.delimiter,
            names: Names::default(),
            slot: (String::new(), None),
            last: None,
            follower: Vec::new(),
            ends: Vec::new(),
            record: ByteRecord::new(),
        }
    }

    /// The interfaces that were seen.
    pub(super) fn names(&self) -> &Names {
        &self.names
    }

    /// The layout that the first of these complete records gives as a header, or why it gives none;
    /// nothing where it is blank.
    pub(super) fn header(&mut self, bytes: &[u8]) -> Option<Result<Layout, Unfit>> {
        let any = records(bytes, bytes.len(), self.delimiter).read_byte_record(&mut self.record);
        let found = matches!(any, Ok(true)) && !record::is_blank(&self.record);
        found.then(|| Layout::of(&self.record, &self.columns, self.delimiter))
    }

    /// Reads complete records, the first of which stands in line `line`. Each row, or why it is
    /// none, goes to `take` with its line.
    pub(super) fn read(
        &mut self,
        bytes: &[u8],
        line: u32,
        layout: &Layout,
        take: impl FnMut(u32, Result<Values, String>),
    ) {
        match std::str::from_utf8(bytes) {
            Ok(text) if memchr::memchr(b'"', bytes).is_none() => self.read_plain(text, line, layout, take),
            _ => self.read_any(bytes, line, layout, take),
        }
    }

    fn read_plain(
        &mut self,
        text: &str,
        mut line: u32,
        layout: &Layout,
        mut take: impl FnMut(u32, Result<Values, String>),
    ) {
        let bytes = text.as_bytes();
        let mut ends = std::mem::take(&mut self.ends);
        let mut start = 0;
        ends.clear();
        for mark in memchr::memchr2_iter(b'\n', self.delimiter, bytes).chain([bytes.len()]) {
            if bytes.get(mark) == Some(&self.delimiter) {
                ends.push(mark - start);
                continue;
            }
            if start == bytes.len() {
                break;
            }
            ends.push(mark - start);
            // Both ends are ASCII characters, or those of the text.
            let record = Line { text: &text[start..mark], ends: &ends };
            if !record::is_blank(&record) {
                take(line, self.values(&record, layout));
            }
            ends.clear();
            line = line.saturating_add(1);
            start = mark + 1;
        }
        self.ends = ends;
    }

    fn read_any(
        &mut self,
        bytes: &[u8],
        mut line: u32,
        layout: &Layout,
        mut take: impl FnMut(u32, Result<Values, String>),
    ) {
        // The reader drops a byte order mark that it begins with. In the middle of a file it is no such thing.
        let lead = usize::from(bytes.starts_with(b"\xef\xbb\xbf"));
        let mut reader = records(b"\n"[..lead].chain(bytes), bytes.len(), self.delimiter);
        let mut record = std::mem::take(&mut self.record);
        let mut counted = 0;
        loop {
            let more = reader.read_byte_record(&mut record);
            if matches!(more, Ok(false)) {
                break;
            }
            // The reader passes over empty lines; the record starts after them.
            let at = |p: &csv::Position| usize::try_from(p.byte()).unwrap_or(bytes.len()).saturating_sub(lead);
            let mut start = record.position().map_or(counted, at);
            while bytes.get(start) == Some(&b'\n') {
                start += 1;
            }
            line = line.saturating_add(lines::newlines(&bytes[counted..start]));
            counted = start;
            if let Err(error) = more {
                take(line, Err(error.to_string()));
                break;
            }
            if !record::is_blank(&record) {
                take(line, self.values(&record, layout));
            }
        }
        self.record = record;
    }

    fn values(&mut self, record: &impl Record, layout: &Layout) -> Result<Values, String> {
        let (slots, slot) = (&self.slots, &mut self.slot);
        let time = |text: &str| {
            if slot.0 != text {
                slot.1 = slots.read(text);
                slot.0.clear();
                slot.0.push_str(text);
            }
            slot.1
        };
        let fields = record::read(record, layout, &self.columns, time)?;
        let interface = self.interface(fields.host, fields.ifname);
        Ok(Values { time: fields.time, interface, max: fields.max, mean: fields.mean })
    }

    fn interface(&mut self, host: &str, ifname: &str) -> InterfaceId {
        let before = self.last.map(InterfaceId::index);
        let guess = before.and_then(|before| self.follower.get(before).copied().flatten());
        if let Some(id) = guess {
            let name = &self.names.all()[id.index()];
            if *name.ifname == *ifname && *name.host == *host {
                self.last = guess;
                return id;
            }
        }
        let id = self.names.intern(host, ifname);
        if let Some(before) = before {
            if self.follower.len() <= before {
                self.follower.resize(self.names.all().len(), None);
            }
            self.follower[before] = Some(id);
        }
        self.last = Some(id);
        id
    }
}

/// A reader of complete records, `length` bytes of them.
fn records<R: Read>(bytes: R, length: usize, delimiter: u8) -> csv::Reader<R> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(length.clamp(64, 64 << 10))
        .from_reader(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LAYOUT: Layout = Layout { at: [0, 1, 2, 3, 4], fields: 5 };

    type Got = Vec<(u32, Result<(i64, String, u64, u64), String>)>;

    fn read(text: &str, any: bool, delimiter: u8) -> Got {
        let mut reader = RowReader::new(&ReadOptions { delimiter, ..ReadOptions::default() });
        let mut got: Vec<(u32, Result<Values, String>)> = Vec::new();
        let take = |line, values| got.push((line, values));
        if any {
            reader.read_any(text.as_bytes(), 7, &LAYOUT, take)
        } else {
            reader.read_plain(text, 7, &LAYOUT, take)
        }
        let name = |v: &Values| reader.names.all()[v.interface.index()].to_string();
        let row = |v: Values| (v.time.seconds(), name(&v), v.max.to_bits(), v.mean.to_bits());
        got.into_iter().map(|(line, values)| (line, values.map(row))).collect()
    }

    proptest! {
        /// Splitting lines where they stand gives what the csv crate gives.
        #[test]
        fn both_ways_give_the_same(
            rows in prop::collection::vec(prop_oneof![
                4 => ("2026-11-2[0-9] 14:0[0-9]:00", "[ab]", "[xy]").prop_map(|(t, h, i)| format!("{t},{h},{i},1.5,-2e3")),
                1 => ("2026-11-23[ T]14:05(:00)?Z?", "[a-cé ]{0,3}", "[x-z]{0,2}", "-?[0-9]{0,20}(\\.[0-9]{0,20})?(e-?[0-9]{1,3})?", "\\PC{0,3}")
                    .prop_filter("no quote", |(_, _, _, _, e)| !e.contains('"'))
                    .prop_map(|(t, h, i, m, e)| format!("{t},{h},{i},{m},{e}")),
                1 => "[ \t\r,a;]{0,9}",
            ], 0..12),
            crlf in any::<bool>(),
            newline in any::<bool>(),
            delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t')],
        ) {
            let end = if crlf { "\r\n" } else { "\n" };
            let mut text = rows.join(end);
            if newline {
                text.push_str(end);
            }
            let text = text.replace(',', &char::from(delimiter).to_string());
            prop_assert_eq!(read(&text, false, delimiter), read(&text, true, delimiter));
        }
    }

    #[test]
    fn guesses_are_checked() {
        let row = |t: &str, host: &str, ifname: &str| format!("{t},{host},{ifname},1,1\n");
        let (t, u) = ("2026-11-23 14:05:00", "2026-11-23 14:10:00");
        let order =
            [(t, "a", "x"), (t, "a", "y"), (t, "b", "x"), (u, "a", "x"), (u, "b", "x"), (u, "a", "y"), (t, "a", "x")];
        let text: String = order.iter().map(|(t, h, i)| row(t, h, i)).collect();
        let got = read(&text, false, b',');
        for ((_, values), (t, host, ifname)) in got.iter().zip(order) {
            let (seconds, name, ..) = values.as_ref().unwrap();
            assert_eq!(
                (Timestamp::from_seconds(*seconds).to_string(), name.clone()),
                (t.to_owned(), format!("{host} {ifname}"))
            );
        }
    }
}
