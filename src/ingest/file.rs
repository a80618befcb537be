//! One file that is read on from where it was.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use csv::{ByteRecord, ReaderBuilder, Terminator};

use super::batch::{Batch, FileId, FileSource, Notice, Origin, Refusal, Root, Row};
use super::header::Layout;
use super::lines::{self, Found};
use super::listing::{Entry, Identity};
use super::options::ReadOptions;
use super::record;
use super::timeslot::TimeslotReader;
use super::witness::{Check, Witness};
use crate::series::Names;

/// Bytes that are read in one piece.
const CHUNK: usize = 256 << 10;
/// The longest record, with its line end.
const LONGEST: usize = 1 << 20;
/// Refusals that a batch holds.
pub(super) const MOST_REFUSALS: usize = 100;
/// A file that was written this recently may be written again without a later time of change.
const CLOCK_GRAIN: Duration = Duration::from_millis(100);
/// What is compared as a whole for no other reason than that.
const SMALL: u64 = 1 << 20;

const TOO_LONG: &str = "is longer than 1 MiB: no row is that long, look for missing line ends";
const UNCLOSED: &str = "a quote that opens here is not closed within 64 lines and 1 MiB, nor at the end of the file: \
                        close it, or double it where it is meant as a character";
const REWRITTEN: &str = "was rewritten: it is read again from its start, and what it says now takes precedence";
const SHORTENED: &str = "is shorter than what was read of it: it is read again from its start";

/// What reading needs beside the file, and where it puts what it reads.
pub(super) struct Turn<'a> {
    /// How to read.
    pub(super) options: &'a ReadOptions,
    /// Reads timeslots.
    pub(super) slots: &'a TimeslotReader,
    /// Names of interfaces.
    pub(super) names: &'a mut Names,
    /// How many files have an id.
    pub(super) file_count: &'a mut usize,
    /// What this turn brings.
    pub(super) batch: &'a mut Batch,
    /// Bytes of the file; kept to be used again.
    pub(super) bytes: &'a mut Vec<u8>,
    /// A record's fields; kept to be used again.
    pub(super) record: &'a mut ByteRecord,
    /// Whether a last line without a newline counts as complete.
    pub(super) finishing: bool,
}

/// One file and how far it is read.
#[derive(Debug)]
pub(super) struct Followed {
    /// What its directory is for.
    pub(super) root: Root,
    /// Which file it is.
    pub(super) identity: Identity,
    /// Its path by now.
    pub(super) path: Arc<PathBuf>,
    /// Whether it stood in the directory at the last look.
    pub(super) here: bool,
    /// How many looks in a row did not find it.
    pub(super) missed: u8,
    /// Whether it was once read to its end.
    pub(super) live: bool,
    /// Whether it turned out to be another file, one that is not named as a file of rows.
    pub(super) stranger: bool,
    wanted: bool,
    size: u64,
    modified: SystemTime,
    /// It was written so shortly before the last look that a later write may leave the same time.
    unsettled: bool,
    check: Check,
    /// Everything complete up to `size` is read.
    at_end: bool,
    state: State,
    position: u64,
    /// The line at `position`.
    line: u32,
    /// `position` is inside a line that is too long and was refused already.
    skipping: bool,
    witness: Witness,
    trouble: Option<String>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Its header is not read yet.
    Header,
    /// Its rows are read.
    Rows(FileId, Layout),
    /// It was said why its rows cannot be used.
    Unusable,
}

enum Step {
    Took(usize),
    Waits,
}

impl Followed {
    /// A file of which nothing is read yet.
    pub(super) fn new(root: Root, entry: &Entry, now: SystemTime) -> Self {
        let path = Arc::new(entry.path.clone());
        let unsettled = is_unsettled(entry.modified, now);
        Self { unsettled, ..Self::from_start(root, entry.identity, path, entry.size, entry.modified) }
    }

    fn from_start(root: Root, identity: Identity, path: Arc<PathBuf>, size: u64, modified: SystemTime) -> Self {
        Self {
            root,
            identity,
            path,
            here: true,
            missed: 0,
            live: false,
            stranger: false,
            wanted: true,
            size,
            modified,
            unsettled: true,
            check: Check::Nothing,
            at_end: size == 0,
            state: State::Header,
            position: 0,
            line: 1,
            skipping: false,
            witness: Witness::default(),
            trouble: None,
        }
    }

    /// Takes note of what the directory says about the file at `now`.
    pub(super) fn look(&mut self, entry: &Entry, now: SystemTime) {
        self.wanted = entry.wanted;
        self.stranger = !self.wanted && self.position == 0;
        let check = if *self.path != entry.path {
            // It may be another file: the system gives a deleted file's identity to a new one.
            self.path = Arc::new(entry.path.clone());
            Check::Whole
        } else if entry.size > self.size {
            Check::Ends
        } else if entry.size != self.size || entry.modified != self.modified {
            Check::Whole
        } else if self.unsettled {
            if self.position <= SMALL { Check::Whole } else { Check::Ends }
        } else {
            Check::Nothing
        };
        // A check that a turn did not come to stays due.
        self.check = self.check.max(check);
        (self.size, self.modified) = (entry.size, entry.modified);
        self.unsettled = is_unsettled(entry.modified, now);
        (self.here, self.missed) = (true, 0);
        if check != Check::Nothing {
            self.at_end = false;
        }
    }

    /// Whether it has to be opened: there may be something new, or a last line that now counts.
    pub(super) fn is_due(&self, finishing: bool) -> bool {
        let waits = self.position < self.size && !matches!(self.state, State::Unusable);
        self.here && !self.stranger && (!self.at_end || self.trouble.is_some() || (finishing && waits))
    }

    /// Whether it holds up that everything is read. A file that cannot be read does not.
    pub(super) fn is_behind(&self) -> bool {
        self.here && !self.stranger && !self.at_end && self.trouble.is_none()
    }

    /// Bytes read and bytes there, where its rows are read.
    pub(super) fn progress(&self) -> Option<(u64, u64)> {
        match self.state {
            State::Unusable => None,
            _ if self.is_behind() => Some((self.position, self.size.max(self.position))),
            _ => Some((self.position, self.position)),
        }
    }

    /// Whether anything of it was read.
    pub(super) fn is_started(&self) -> bool {
        self.position > 0
    }

    /// Whether its rows are read.
    pub(super) fn is_open(&self) -> bool {
        self.here && matches!(self.state, State::Rows(..))
    }

    /// Reads on, about `budget` bytes and at least one record. Gives the number of bytes read.
    pub(super) fn read(&mut self, turn: &mut Turn<'_>, budget: usize) -> usize {
        let before = self.position;
        match self.read_on(turn, budget) {
            Ok(()) => self.trouble = None,
            // It went away between the look and now; the next look says so.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => {
                let message = format!("cannot be read ({e}): let this user read it; it is tried again");
                if self.trouble.as_ref() != Some(&message) {
                    self.notice(turn.batch, message.clone());
                }
                self.trouble = Some(message);
            }
        }
        usize::try_from(self.position.saturating_sub(before)).unwrap_or(usize::MAX)
    }

    fn read_on(&mut self, turn: &mut Turn<'_>, budget: usize) -> io::Result<()> {
        let file = File::open(&*self.path)?;
        if Identity::of(&file.metadata()?) != self.identity {
            // Another file has this name since the look; the next look sorts that out.
            return Ok(());
        }
        if self.size < self.position {
            self.start_again(turn.batch, SHORTENED);
        } else if !self.witness.holds(&file, self.check, turn.bytes)? {
            self.start_again(turn.batch, REWRITTEN);
        }
        self.check = Check::Nothing;
        self.at_end = false;
        let mut left = budget;
        loop {
            if matches!(self.state, State::Unusable) || self.position >= self.size {
                break;
            }
            if left == 0 {
                return Ok(());
            }
            match self.step(&file, turn, left)? {
                Step::Took(n) => left = left.saturating_sub(n),
                Step::Waits => break,
            }
        }
        (self.at_end, self.live) = (true, true);
        Ok(())
    }

    fn start_again(&mut self, batch: &mut Batch, why: &str) {
        if !self.wanted {
            (self.stranger, self.state) = (true, State::Unusable);
            return;
        }
        self.notice(batch, why.to_owned());
        *self = Self::from_start(self.root, self.identity, self.path.clone(), self.size, self.modified);
    }

    /// One piece: complete records, or a line that has to be passed over.
    fn step(&mut self, file: &File, turn: &mut Turn<'_>, budget: usize) -> io::Result<Step> {
        let remaining = usize::try_from(self.size - self.position).unwrap_or(usize::MAX);
        // At the start, enough for a byte order mark.
        let mut want = budget.clamp(4, CHUNK);
        let mut filled = 0;
        loop {
            let goal = want.min(remaining);
            turn.bytes.resize(turn.bytes.len().max(goal), 0);
            file.read_exact_at(&mut turn.bytes[filled..goal], self.position + filled as u64)?;
            filled = goal;
            let bytes = &turn.bytes[..filled];
            if self.skipping {
                let end = bytes.iter().position(|b| *b == b'\n');
                self.skipping = end.is_none();
                let length = end.map_or(filled, |i| i + 1);
                self.consume(&bytes[..length]);
                return Ok(Step::Took(length));
            }
            if self.position == 0 {
                if bytes.starts_with(b"\xef\xbb\xbf") {
                    self.consume(&bytes[..3]);
                    return Ok(Step::Took(3));
                }
                if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
                    self.consume(&bytes[..2]);
                    self.set_aside(turn.batch, "is UTF-16: it is skipped; write it as UTF-8".into());
                    return Ok(Step::Took(2));
                }
            }
            match lines::complete(bytes, turn.options.delimiter) {
                Found::Complete(end) => return Ok(Step::Took(self.take(turn, end))),
                Found::Runaway => return Ok(Step::Took(self.refuse_line(turn, filled, UNCLOSED))),
                Found::Open { quoted } => {
                    if filled == LONGEST && remaining > LONGEST {
                        let reason = if quoted { UNCLOSED } else { TOO_LONG };
                        return Ok(Step::Took(self.refuse_line(turn, filled, reason)));
                    }
                    if filled == remaining {
                        return Ok(match (turn.finishing, quoted) {
                            (false, _) => Step::Waits,
                            (true, false) => Step::Took(self.take(turn, filled)),
                            (true, true) => Step::Took(self.refuse_line(turn, filled, UNCLOSED)),
                        });
                    }
                    want = (want * 2).min(LONGEST);
                }
            }
        }
    }

    /// Takes complete records that end at `end`; gives how many bytes of them.
    fn take(&mut self, turn: &mut Turn<'_>, end: usize) -> usize {
        match self.state {
            State::Rows(id, layout) => {
                self.take_rows(turn, end, id, &layout);
                self.consume(&turn.bytes[..end]);
                end
            }
            State::Header => self.take_header(turn, end),
            // It is not read on.
            State::Unusable => end,
        }
    }

    fn take_header(&mut self, turn: &mut Turn<'_>, end: usize) -> usize {
        let delimiter = turn.options.delimiter;
        let length = match lines::first(&turn.bytes[..end], delimiter) {
            Found::Complete(length) => length,
            _ => end,
        };
        let any = records(&turn.bytes[..length], delimiter).read_byte_record(turn.record);
        self.consume(&turn.bytes[..length]);
        if !matches!(any, Ok(true)) || record::is_blank(turn.record) {
            return length;
        }
        self.witness.header_ends();
        match Layout::of(turn.record, &turn.options.columns, delimiter) {
            Ok(layout) => {
                let id = FileId::from_index(*turn.file_count);
                *turn.file_count += 1;
                turn.batch.files.push(FileSource { root: self.root, path: self.path.clone() });
                self.state = State::Rows(id, layout);
            }
            Err(message) => self.set_aside(turn.batch, message),
        }
        length
    }

    fn take_rows(&mut self, turn: &mut Turn<'_>, end: usize, id: FileId, layout: &Layout) {
        let Turn { options, slots, names, batch, bytes, record, .. } = turn;
        let bytes = &bytes[..end];
        let mut reader = records(bytes, options.delimiter);
        let (mut line, mut counted) = (self.line, 0);
        loop {
            let more = reader.read_byte_record(record);
            if matches!(more, Ok(false)) {
                return;
            }
            // The reader passes over empty lines; the record starts after them.
            let mut start = record.position().map_or(counted, |p| usize::try_from(p.byte()).unwrap_or(end));
            while bytes.get(start) == Some(&b'\n') {
                start += 1;
            }
            line = line.saturating_add(lines::newlines(&bytes[counted..start]));
            counted = start;
            if let Err(error) = more {
                self.refuse(batch, line, error.to_string());
                return;
            }
            if record::is_blank(record) {
                continue;
            }
            match record::read(record, layout, &options.columns, slots) {
                Ok(fields) => batch.rows.push(Row {
                    time: fields.time,
                    interface: names.intern(fields.host, fields.ifname),
                    max: fields.max,
                    mean: fields.mean,
                    origin: Origin { file: id, line },
                }),
                Err(reason) => self.refuse(batch, line, reason),
            }
        }
    }

    /// Refuses the line at the position and passes over it, or over what is there of it.
    fn refuse_line(&mut self, turn: &mut Turn<'_>, filled: usize, reason: &str) -> usize {
        if matches!(self.state, State::Header) {
            let message = "does not begin with a header line: it is skipped; name the columns in its first line";
            self.set_aside(turn.batch, message.into());
            self.consume(&turn.bytes[..filled]);
            return filled;
        }
        self.refuse(turn.batch, self.line, reason.to_owned());
        let bytes = &turn.bytes[..filled];
        let end = bytes.iter().position(|b| *b == b'\n');
        self.skipping = end.is_none();
        let length = end.map_or(filled, |i| i + 1);
        self.consume(&bytes[..length]);
        length
    }

    fn refuse(&self, batch: &mut Batch, line: u32, reason: String) {
        batch.refused += 1;
        if batch.refusals.len() == MOST_REFUSALS {
            batch.refusals.remove(0);
        }
        batch.refusals.push(Refusal { path: self.path.clone(), line, reason });
    }

    fn set_aside(&mut self, batch: &mut Batch, why: String) {
        self.notice(batch, why);
        self.state = State::Unusable;
    }

    fn notice(&self, batch: &mut Batch, message: String) {
        batch.notices.push(Notice { path: self.path.clone(), message });
    }

    fn consume(&mut self, bytes: &[u8]) {
        self.position += bytes.len() as u64;
        self.line = self.line.saturating_add(lines::newlines(bytes));
        self.witness.take(bytes);
    }
}

fn is_unsettled(modified: SystemTime, now: SystemTime) -> bool {
    now.duration_since(modified).is_ok_and(|age| age < CLOCK_GRAIN)
}

/// A reader of complete records.
fn records(bytes: &[u8], delimiter: u8) -> csv::Reader<&[u8]> {
    ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .terminator(Terminator::Any(b'\n'))
        .buffer_capacity(bytes.len().clamp(64, 64 << 10))
        .from_reader(bytes)
}
