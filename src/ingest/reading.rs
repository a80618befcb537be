//! Reading a file on from where it was.

use std::fs::File;
use std::io;

use super::batch::{Batch, FileId, FileSource, Notice, Origin, Refusal, Row};
use super::file::{Followed, State, Tail};
use super::header::{Content, Layout, Unfit};
use super::lines::{self, Found};
use super::listing::Identity;
use super::options::ReadOptions;
use super::rows::RowReader;
use super::source::{self, Source};
use super::witness::{Check, Holds};

/// Bytes that are read in one piece.
const CHUNK: usize = 256 << 10;
/// The longest record, with its line end.
const LONGEST: usize = 1 << 20;
/// Refusals that a batch holds.
pub(super) const MOST_REFUSALS: usize = 100;

const TOO_LONG: &str = "is longer than 1 MiB: no row is that long, look for missing line ends";
const UNCLOSED: &str = "a quote that opens here is not closed within 64 lines and 1 MiB, nor at the end of the file: \
                        close it, or double it where it is meant as a character";
const REWRITTEN: &str = "was rewritten: it is read again from its start, and what it says now takes precedence";
const SHORTENED: &str = "is shorter than what was read of it: it is read again from its start";
const NO_HEADER: &str = "does not begin with a header line: name the columns in its first line";
const UTF16: &str = "is UTF-16: write it as UTF-8";

/// What reading needs beside the file, and where it puts what it reads.
pub(super) struct Turn<'a> {
    /// How to read.
    pub(super) options: &'a ReadOptions,
    /// Makes rows of records.
    pub(super) rows: &'a mut RowReader,
    /// How many files have an id.
    pub(super) file_count: &'a mut usize,
    /// What this turn brings.
    pub(super) batch: &'a mut Batch,
    /// Bytes of the file; kept to be used again.
    pub(super) bytes: &'a mut Vec<u8>,
    /// Whether a last line without a newline counts as complete.
    pub(super) finishing: bool,
}

enum Step {
    Took(usize),
    Waits,
}

impl Followed {
    /// Reads on, about `budget` bytes and at least one record. Gives the number of bytes read.
    pub(super) fn read(&mut self, turn: &mut Turn<'_>, budget: usize) -> usize {
        let mut left = budget;
        let before = (self.position, self.counts.clone(), self.trouble.clone());
        match self.read_on(turn, &mut left) {
            Ok(()) => self.trouble = None,
            // It went away between the look and now; the next look says so.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) if self.is_packed() && is_damage(&e) => self.set_damaged(turn.batch, &e),
            Err(e) => {
                let message = format!("cannot be read ({e}): let this user read it; it is tried again");
                if self.trouble.as_ref() != Some(&message) {
                    self.notice(turn.batch, message.clone());
                }
                self.trouble = Some(message);
            }
        }
        self.news |= before.0 != self.position || before.1 != self.counts || before.2 != self.trouble;
        budget - left
    }

    fn read_on(&mut self, turn: &mut Turn<'_>, left: &mut usize) -> io::Result<()> {
        let file = source::open(&self.path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() || Identity::of(&metadata) != self.identity {
            // Another file has this name since the look; the next look sorts that out.
            return Ok(());
        }
        self.at_end = false;
        if !self.still_holds(&file, turn, *left)? {
            return Ok(());
        }
        self.check = Check::Nothing;
        loop {
            if self.is_read() {
                self.tail = Tail::None;
                break;
            }
            if *left == 0 {
                return Ok(());
            }
            match self.step(&file, turn, *left)? {
                Step::Took(n) => *left = left.saturating_sub(n),
                Step::Waits => break,
            }
        }
        (self.at_end, self.live) = (true, true);
        Ok(())
    }

    /// Sees to it that what was read still stands in the file. False where that takes another turn.
    /// What is compared does not count as read, or a file that is touched all the time would never
    /// be read on; it is held to as many bytes again.
    fn still_holds(&mut self, file: &File, turn: &mut Turn<'_>, mut budget: usize) -> io::Result<bool> {
        if self.is_packed() {
            if self.check != Check::Nothing && (self.is_started() || matches!(self.state, State::Unusable(_))) {
                self.start_again(turn.batch, REWRITTEN);
            }
            return Ok(true);
        }
        if self.size < self.position {
            self.start_again(turn.batch, SHORTENED);
        } else if self.gave_up.is_some_and(|size| self.size > size) {
            self.start_again(turn.batch, REWRITTEN);
        } else {
            match self.witness.holds(file, self.check, turn.bytes, &mut budget)? {
                Holds::Yes => {}
                Holds::No => self.start_again(turn.batch, REWRITTEN),
                Holds::Later => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Whether nothing of it is left to read.
    fn is_read(&self) -> bool {
        if matches!(self.state, State::Unusable(_)) {
            return true;
        }
        match &self.source {
            Source::Plain => self.position >= self.size,
            Source::Gzip(gzip) => gzip.is_over(),
        }
    }

    fn start_again(&mut self, batch: &mut Batch, why: &str) {
        if !self.wanted {
            let unfit = Unfit { why: String::new(), content: Content::Rows };
            (self.stranger, self.state) = (true, State::Unusable(unfit));
            return;
        }
        self.notice(batch, why.to_owned());
        self.start_over();
        self.at_end = false;
    }

    /// Sees to it that `goal` bytes from the position on are in `bytes`, of which `have` are there.
    /// Gives how many there are, and whether the file's end is among them.
    fn fill(&mut self, file: &File, bytes: &mut Vec<u8>, have: usize, goal: usize) -> io::Result<(usize, bool)> {
        match &mut self.source {
            Source::Plain => {
                let remaining = usize::try_from(self.size.saturating_sub(self.position)).unwrap_or(usize::MAX);
                let goal = goal.min(remaining);
                source::fill(file, bytes, have, goal, self.position)?;
                Ok((goal, goal == remaining))
            }
            Source::Gzip(gzip) => gzip.fill(file, bytes, goal),
        }
    }

    /// One piece: complete records, or a line that has to be passed over.
    fn step(&mut self, file: &File, turn: &mut Turn<'_>, budget: usize) -> io::Result<Step> {
        // At the start, enough for a byte order mark.
        let mut want = budget.clamp(4, CHUNK);
        let mut filled = 0;
        loop {
            let is_end;
            (filled, is_end) = self.fill(file, turn.bytes, filled, want)?;
            if filled == 0 {
                // Of a packed file it is known only now that nothing follows.
                return Ok(Step::Took(0));
            }
            let bytes = &turn.bytes[..filled];
            if self.skipping {
                let end = memchr::memchr(b'\n', bytes);
                self.skipping = end.is_none();
                let length = end.map_or(filled, |i| i + 1);
                self.consume(&turn.bytes[..length]);
                return Ok(Step::Took(length));
            }
            if self.position == 0 {
                if bytes.starts_with(b"\xef\xbb\xbf") {
                    self.consume(&turn.bytes[..3]);
                    return Ok(Step::Took(3));
                }
                if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
                    self.consume(&turn.bytes[..2]);
                    self.skip(turn.batch, Unfit { why: UTF16.into(), content: Content::Rows });
                    return Ok(Step::Took(2));
                }
            }
            match lines::complete(bytes, turn.options.delimiter) {
                Found::Complete(end) => return Ok(Step::Took(self.take(turn, end))),
                Found::Runaway => return Ok(Step::Took(self.refuse_line(turn, filled, UNCLOSED))),
                Found::Open { quoted } if filled >= LONGEST && !is_end => {
                    let reason = if quoted { UNCLOSED } else { TOO_LONG };
                    return Ok(Step::Took(self.refuse_line(turn, filled, reason)));
                }
                Found::Open { quoted } if is_end => return Ok(self.take_tail(turn, filled, quoted)),
                Found::Open { .. } => want = (want * 2).min(LONGEST),
            }
        }
    }

    /// What stands at the end without a newline.
    fn take_tail(&mut self, turn: &mut Turn<'_>, filled: usize, quoted: bool) -> Step {
        if matches!(self.tail, Tail::Taken(_)) {
            return Step::Waits;
        }
        let packed = self.is_packed();
        let counts = turn.finishing || packed || self.is_quiet(turn.options.grace);
        match (counts, quoted, self.state.clone()) {
            (true, true, _) => {
                self.gave_up = Some(self.size);
                Step::Took(self.refuse_line(turn, filled, UNCLOSED))
            }
            (true, false, State::Rows(..)) if packed => Step::Took(self.take(turn, filled)),
            (true, false, State::Rows(id, layout)) => {
                // The position stays before it: were it completed after all, it is read again.
                let before = self.counts.clone();
                self.take_rows(turn, filled, id, &layout);
                self.tail = Tail::Taken(before);
                Step::Waits
            }
            (true, false, State::Header) if !turn.finishing && !packed => self.take_lone_header(turn, filled),
            (true, false, _) if turn.finishing || packed => Step::Took(self.take(turn, filled)),
            _ => {
                self.news |= !matches!(self.tail, Tail::Waits);
                self.tail = Tail::Waits;
                Step::Waits
            }
        }
    }

    /// What may be half a header, and has been for a while. It is told what is wrong with it, and read again were it
    /// completed after all. As a header that is as it should be it waits: there are no rows behind it.
    fn take_lone_header(&mut self, turn: &mut Turn<'_>, filled: usize) -> Step {
        if let Some(Err(_)) = turn.rows.header(&turn.bytes[..filled]) {
            self.gave_up = Some(self.size);
            return Step::Took(self.take(turn, filled));
        }
        self.tail = Tail::Taken(self.counts.clone());
        Step::Waits
    }

    /// Takes complete records that end at `end`; gives how many bytes of them.
    fn take(&mut self, turn: &mut Turn<'_>, end: usize) -> usize {
        match self.state.clone() {
            State::Rows(id, layout) => {
                self.take_rows(turn, end, id, &layout);
                self.consume(&turn.bytes[..end]);
                end
            }
            State::Header => self.take_header(turn, end),
            // It is not read on.
            State::Unusable(_) => end,
        }
    }

    fn take_header(&mut self, turn: &mut Turn<'_>, end: usize) -> usize {
        let length = match lines::first(&turn.bytes[..end], turn.options.delimiter) {
            Found::Complete(length) => length,
            _ => end,
        };
        let layout = turn.rows.header(&turn.bytes[..length]);
        self.consume(&turn.bytes[..length]);
        match layout {
            None => {}
            Some(Ok(layout)) => {
                let id = FileId::from_index(*turn.file_count);
                *turn.file_count += 1;
                turn.batch.files.push(FileSource::new(self.root, self.path.clone()));
                self.state = State::Rows(id, layout);
            }
            Some(Err(unfit)) => {
                self.skip(turn.batch, unfit);
            }
        }
        length
    }

    fn take_rows(&mut self, turn: &mut Turn<'_>, end: usize, file: FileId, layout: &Layout) {
        let Turn { rows, batch, bytes, .. } = turn;
        let path = &self.path;
        let counts = &mut self.counts;
        rows.read(&bytes[..end], self.line, layout, |line, values| match values {
            Ok(values) => {
                counts.rows += 1;
                counts.newest = counts.newest.max(Some(values.time));
                counts.recent.take(values.time);
                batch.rows.push(Row {
                    time: values.time,
                    interface: values.interface,
                    max: values.max,
                    mean: values.mean,
                    origin: Origin { file, line },
                });
            }
            Err(reason) => {
                counts.refused += 1;
                counts.recent.refuse();
                refuse(batch, Refusal { path: path.clone(), line, reason });
            }
        });
    }

    /// Refuses the line at the position and passes over it, or over what is there of it.
    fn refuse_line(&mut self, turn: &mut Turn<'_>, filled: usize, reason: &str) -> usize {
        if matches!(self.state, State::Header) {
            self.skip(turn.batch, Unfit { why: NO_HEADER.into(), content: Content::Rows });
            self.consume(&turn.bytes[..filled]);
            return filled;
        }
        self.counts.refused += 1;
        self.counts.recent.refuse();
        refuse(turn.batch, Refusal { path: self.path.clone(), line: self.line, reason: reason.to_owned() });
        let end = memchr::memchr(b'\n', &turn.bytes[..filled]);
        self.skipping = end.is_none();
        let length = end.map_or(filled, |i| i + 1);
        self.consume(&turn.bytes[..length]);
        length
    }

    /// A packed file that cannot be unpacked further: what came of it stays, and it is left alone
    /// until it changes.
    fn set_damaged(&mut self, batch: &mut Batch, e: &io::Error) {
        let unfit = if e.kind() == io::ErrorKind::UnexpectedEof {
            let why = "ends before what is packed in it does: it is read again when it is whole".to_owned();
            Unfit { why, content: Content::Torn }
        } else {
            let why = format!(
                "cannot be unpacked ({e}): pack it again with gzip, or take .gz off its name where it is not packed; it is read again when it changes"
            );
            Unfit { why, content: Content::Rows }
        };
        self.notice(batch, unfit.why.clone());
        self.set_aside(unfit);
        (self.at_end, self.trouble, self.check) = (true, None, Check::Nothing);
    }

    /// None of its rows count. Its condition says that it is skipped, a notice has to.
    fn skip(&mut self, batch: &mut Batch, unfit: Unfit) {
        self.notice(batch, format!("skipped: {}", unfit.why));
        self.set_aside(unfit);
    }

    fn set_aside(&mut self, unfit: Unfit) {
        (self.state, self.news) = (State::Unusable(unfit), true);
        if let Source::Gzip(gzip) = &mut self.source {
            gzip.give_up();
        }
    }

    fn notice(&self, batch: &mut Batch, message: String) {
        batch.notices.push(Notice { path: self.path.clone(), message });
    }

    fn consume(&mut self, bytes: &[u8]) {
        self.position += bytes.len() as u64;
        self.line = self.line.saturating_add(lines::newlines(bytes));
        match &mut self.source {
            Source::Plain => self.witness.take(bytes),
            Source::Gzip(gzip) => gzip.take(bytes.len()),
        }
    }
}

/// Whether the error says that packed bytes are wrong rather than that they cannot be had.
fn is_damage(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData)
}

/// Keeps the newest refusals.
fn refuse(batch: &mut Batch, refusal: Refusal) {
    batch.refused += 1;
    if batch.refusals.len() == MOST_REFUSALS {
        batch.refusals.remove(0);
    }
    batch.refusals.push(refusal);
}
