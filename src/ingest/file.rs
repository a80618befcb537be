//! One file and how far it is read: what the directory says of it, and what that means for what was read.

use std::fs::Metadata;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::batch::{FileId, Left, Notice, Root};
use super::header::{Content, Layout, Unfit};
use super::listing::{Entry, Identity};
use super::recent::Recent;
use super::source::{Gzip, Source};
use super::state::{Condition, FileState};
use super::witness::{Check, Witness};
use crate::series::Timestamp;

/// A file that was written this recently may be written again without a later time of change.
const CLOCK_GRAIN: Duration = Duration::from_millis(100);
/// Packed files are finished ones. One that was written this recently is not.
const PACKING: Duration = Duration::from_secs(2);
/// One that ends too early and was written this recently may still be written by somebody slow.
const UNFINISHED: Duration = Duration::from_secs(600);
/// What is compared as a whole for no other reason than that.
const SMALL: u64 = 1 << 20;

/// One file and how far it is read.
#[derive(Debug)]
pub(super) struct Followed {
    /// Tells it from all others.
    key: u32,
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
    pub(super) wanted: bool,
    /// Whether it stood in its directory at the first look at it.
    pub(super) early: bool,
    pub(super) size: u64,
    modified: SystemTime,
    /// When it was last seen to be another than before; as old as it was at first sight.
    changed: Instant,
    /// It was written so shortly before the last look that a later write may leave the same time.
    unsettled: bool,
    pub(super) check: Check,
    /// Everything complete up to `size` is read.
    pub(super) at_end: bool,
    pub(super) state: State,
    pub(super) source: Source,
    pub(super) position: u64,
    /// The line at `position`.
    pub(super) line: u32,
    /// `position` is inside a line that is too long and was refused already.
    pub(super) skipping: bool,
    pub(super) tail: Tail,
    /// The size at which a quote that was open at the end was given up. What comes later may close it.
    pub(super) gave_up: Option<u64>,
    pub(super) witness: Witness,
    pub(super) trouble: Option<String>,
    pub(super) counts: Counts,
    /// Rows of it as it was before it was rewritten.
    before: u64,
    /// Something is to be told of it.
    pub(super) news: bool,
    /// It was told that there is more of it to read.
    told_behind: bool,
}

/// What a glance at a file shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Glance {
    /// Something was appended to it.
    Grown,
    /// Nothing that is not known.
    Same,
    /// Something that takes a look at the whole directory.
    Other,
}

/// What came of a file's lines.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Counts {
    pub(super) rows: u64,
    pub(super) refused: u64,
    pub(super) newest: Option<Timestamp>,
    pub(super) recent: Recent,
}

/// What is at the end of a file behind its last newline.
#[derive(Debug, Clone)]
pub(super) enum Tail {
    /// Nothing that is known of.
    None,
    /// A line that waits for its newline.
    Waits,
    /// A line that was taken without its newline; what was counted before it. It is read again
    /// when the file changes, so that a line that is completed after all replaces it.
    Taken(Counts),
}

#[derive(Debug, Clone)]
pub(super) enum State {
    /// Its header is not read yet.
    Header,
    /// Its rows are read.
    Rows(FileId, Layout),
    /// It was said why its rows cannot be used.
    Unusable(Unfit),
}

impl Followed {
    /// A file of which nothing is read yet.
    pub(super) fn new(key: u32, root: Root, entry: &Entry, now: SystemTime) -> Self {
        Self {
            key,
            root,
            identity: entry.identity,
            path: Arc::new(entry.path.clone()),
            here: true,
            missed: 0,
            live: false,
            stranger: false,
            wanted: true,
            early: false,
            size: entry.size,
            modified: entry.modified,
            changed: written(entry, now),
            unsettled: is_unsettled(entry.modified, now),
            check: Check::Nothing,
            // Nothing that is packed is as short as that.
            at_end: entry.size == 0 && !entry.gzip,
            state: State::Header,
            source: if entry.gzip { Source::Gzip(Gzip::default()) } else { Source::Plain },
            position: 0,
            line: 1,
            skipping: false,
            tail: Tail::None,
            gave_up: None,
            witness: Witness::default(),
            trouble: None,
            counts: Counts::default(),
            before: 0,
            news: true,
            told_behind: false,
        }
    }

    /// Forgets what was read of it: it is read from its start.
    pub(super) fn start_over(&mut self) {
        self.before += self.counts.rows;
        self.source = match self.source {
            Source::Plain => Source::Plain,
            Source::Gzip(_) => Source::Gzip(Gzip::default()),
        };
        (self.check, self.at_end, self.live) = (Check::Nothing, self.size == 0 && !self.is_packed(), false);
        (self.state, self.position, self.line, self.skipping) = (State::Header, 0, 1, false);
        (self.tail, self.gave_up) = (Tail::None, None);
        (self.witness, self.trouble, self.counts) = (Witness::default(), None, Counts::default());
        // It is being written: the next look compares.
        (self.unsettled, self.news) = (true, true);
    }

    /// Takes note of what the directory says about the file at `now`. `settles` says whether it is its turn to be
    /// compared where all that there is against it is that it was written shortly before the last look.
    pub(super) fn look(&mut self, entry: &Entry, now: SystemTime, settles: bool) {
        self.wanted = entry.wanted;
        self.stranger = !self.wanted && self.position == 0;
        let renamed = *self.path != entry.path;
        let touched = entry.size != self.size || entry.modified != self.modified;
        if renamed {
            self.path = Arc::new(entry.path.clone());
        }
        let check = if self.is_packed() {
            // Packed files are finished: another one is there where anything has changed.
            if touched { Check::Whole } else { Check::Nothing }
        } else if renamed {
            // It may be another file: the system gives a deleted file's identity to a new one.
            Check::Whole
        } else if entry.size > self.size {
            Check::Ends
        } else if touched {
            Check::Whole
        } else if self.unsettled && settles {
            if self.position <= SMALL { Check::Whole } else { Check::Ends }
        } else {
            Check::Nothing
        };
        if check == Check::Whole {
            self.witness.compare_again();
        }
        // A check that a turn did not come to stays due.
        self.check = self.check.max(check);
        if touched {
            // Whoever packs a file gives it its time when it is whole. Others may keep a time while they write.
            self.changed = if self.is_packed() { written(entry, now) } else { Instant::now() };
            if let Tail::Taken(before) = &mut self.tail {
                // It counts as it is now.
                self.counts = std::mem::take(before);
                self.tail = Tail::Waits;
            }
        }
        (self.size, self.modified) = (entry.size, entry.modified);
        let waits = self.unsettled && check == Check::Nothing;
        self.unsettled = waits || is_unsettled(entry.modified, now);
        // One miss is counted before each look.
        self.news |= renamed || touched || self.missed > 1;
        (self.here, self.missed) = (true, 0);
        if check != Check::Nothing {
            self.at_end = false;
        }
    }

    /// Takes note of what is said about the file alone, without a look at the directory, at `now`. It is
    /// taken only where the file was read to its end and is the same but for lines that were appended.
    pub(super) fn glance(&mut self, metadata: &Metadata, now: SystemTime) -> Glance {
        let entry = Entry::new(self.path.to_path_buf(), metadata, self.wanted, self.is_packed());
        let reads_rows = matches!(self.state, State::Rows(..)) && self.wanted && !self.is_packed();
        let is_done = self.here && self.live && self.at_end && self.trouble.is_none();
        if !(metadata.is_file() && entry.identity == self.identity && reads_rows && is_done) {
            return Glance::Other;
        }
        if entry.size > self.size {
            self.look(&entry, now, true);
            return Glance::Grown;
        }
        let same = (entry.size, entry.modified) == (self.size, self.modified);
        if same { Glance::Same } else { Glance::Other }
    }

    /// Takes note that it was not found.
    pub(super) fn miss(&mut self) {
        (self.here, self.missed) = (false, self.missed.saturating_add(1));
    }

    /// Whether it was not written for so long that its last line may count as it is.
    pub(super) fn is_quiet(&self, grace: Duration) -> bool {
        self.changed.elapsed() >= grace
    }

    /// Whether it has to be opened: there may be something new, or a last line that now counts.
    pub(super) fn is_due(&self, finishing: bool, grace: Duration) -> bool {
        let tail = matches!(self.tail, Tail::Waits) && (finishing || self.is_quiet(grace));
        let more = !self.at_end && !self.is_being_packed();
        self.here && !self.stranger && (more || self.trouble.is_some() || tail)
    }

    /// Whether its bytes are packed ones.
    pub(super) fn is_packed(&self) -> bool {
        matches!(self.source, Source::Gzip(_))
    }

    fn is_being_packed(&self) -> bool {
        self.is_packed() && !self.is_quiet(PACKING)
    }

    /// Whether it is left alone for now, since it may still be packed.
    pub(super) fn is_awaited(&self) -> bool {
        self.here && !self.stranger && !self.at_end && self.is_being_packed()
    }

    /// Whether it was written so shortly ago that it may not be all there yet, by its file system's clock, which may
    /// be ahead of ours.
    fn is_recent(&self) -> bool {
        let now = SystemTime::now();
        now.duration_since(self.modified).unwrap_or_else(|ahead| ahead.duration()) < UNFINISHED
    }

    /// Adds it to what is not read, where it is not.
    pub(super) fn leave(&self, left: &mut Left) {
        if !self.here || self.stranger {
            return;
        }
        let (list, why) = match (&self.state, &self.trouble) {
            _ if self.is_awaited() => {
                (&mut left.unfinished, "is still being written: it is left for the next run".to_owned())
            }
            (State::Unusable(Unfit { why, content }), _) => match content {
                Content::Own => return,
                Content::Others => (&mut left.others, why.clone()),
                Content::Torn if self.is_recent() => (&mut left.unfinished, why.clone()),
                Content::Torn | Content::Rows => (&mut left.unread, why.clone()),
            },
            (_, Some(why)) => (&mut left.unread, why.clone()),
            _ if self.counts.rows == 0 && self.counts.refused > 0 => {
                let why = "has no line that could be read as a row: noctop check says what is wrong with the last ones";
                (&mut left.unread, why.to_owned())
            }
            _ => return,
        };
        list.push(Notice { path: self.path.clone(), message: why });
    }

    /// Whether it holds up that everything is read. A file that cannot be read does not.
    pub(super) fn is_behind(&self) -> bool {
        self.here && !self.stranger && !self.at_end && self.trouble.is_none() && !self.is_being_packed()
    }

    /// Bytes read and bytes there, where its rows are read.
    pub(super) fn progress(&self) -> Option<(u64, u64)> {
        let read = self.bytes_read();
        match self.state {
            State::Unusable(_) => None,
            _ if self.is_behind() => Some((read, self.size.max(read))),
            _ => Some((read, read)),
        }
    }

    fn bytes_read(&self) -> u64 {
        match &self.source {
            Source::Plain => self.position,
            // Unpacking reads ahead.
            Source::Gzip(gzip) => match gzip.packed() {
                Some(packed) => packed.min(self.size),
                None if self.position == 0 => 0,
                None => self.size,
            },
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

    /// How it is, where there is news of it.
    pub(super) fn tell(&mut self) -> Option<FileState> {
        let behind = self.is_behind();
        let news = std::mem::take(&mut self.news) || behind != self.told_behind;
        self.told_behind = behind;
        news.then(|| self.as_it_is(self.condition()))
    }

    fn condition(&self) -> Condition {
        match (&self.state, &self.trouble) {
            _ if self.stranger => Condition::Gone,
            (State::Unusable(Unfit { why, content: Content::Own }), _) => Condition::Own(why.clone()),
            (State::Unusable(Unfit { why, .. }), _) => Condition::Skipped(why.clone()),
            (_, Some(why)) => Condition::Unreadable(why.clone()),
            _ if self.is_behind() || self.is_being_packed() => Condition::Behind,
            _ => Condition::Read,
        }
    }

    /// How it was, now that it is gone.
    pub(super) fn farewell(&self) -> FileState {
        self.as_it_is(Condition::Gone)
    }

    fn as_it_is(&self, condition: Condition) -> FileState {
        let Counts { rows, refused, newest, recent } = self.counts.clone();
        FileState {
            key: self.key,
            root: self.root,
            path: self.path.clone(),
            read: self.bytes_read(),
            size: self.size,
            rows,
            before: self.before,
            refused,
            newest,
            recent,
            modified: self.modified,
            pending: matches!(self.tail, Tail::Waits).then_some(self.changed),
            condition,
        }
    }
}

/// When a file was written last, by its own account. One from the future was written just now.
fn written(entry: &Entry, now: SystemTime) -> Instant {
    let instant = Instant::now();
    instant.checked_sub(now.duration_since(entry.modified).unwrap_or_default()).unwrap_or(instant)
}

fn is_unsettled(modified: SystemTime, now: SystemTime) -> bool {
    now.duration_since(modified).is_ok_and(|age| age < CLOCK_GRAIN)
}
