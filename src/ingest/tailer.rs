//! Goes through the directories, turn by turn.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::batch::{Batch, Left, Notice, Progress, Root};
use super::error::IngestError;
use super::file::{Followed, Glance};
use super::listing::{self, Entry, Identity, Passed};
use super::naming::Rank;
use super::options::ReadOptions;
use super::reading::Turn;
use super::rows::RowReader;
use crate::series::InterfaceName;

/// Looks that a file may be missing in before it is forgotten: a listing that is made while a file
/// is renamed can lack both of its names.
const MOST_MISSED: u8 = 3;

/// A look at the directories that takes this long is made less often while there is much to read.
const LONG_LOOK: Duration = Duration::from_millis(5);
/// Files that were written shortly before a look are compared at the next one, as the system's clock for files is
/// coarse: of one look about so many, so that a row which comes meanwhile does not wait for all of a large directory.
const SETTLED_AT_ONCE: usize = 100;
/// As many times the time of such a look pass before the next one.
const LOOKS_APART: u32 = 8;

/// Reads directories of CSV files, on and on: each call gives what is new since the last one.
#[derive(Debug)]
pub struct Tailer {
    options: ReadOptions,
    rows: RowReader,
    roots: Vec<Directory>,
    file_count: usize,
    turns: usize,
    bytes: Vec<u8>,
    /// When the directories were looked at last, and how long that took.
    looked: Option<(Instant, Duration)>,
    long_look: Duration,
    clock: Clock,
    /// What the last scan said of all files together.
    open_files: usize,
    progress: Progress,
    caught_up: bool,
}

/// What came of reading on in some files without a look at the directory.
#[derive(Debug)]
pub(super) enum ReadOn {
    /// This is new.
    New(Box<Batch>),
    /// Nothing is.
    Nothing,
    /// What has happened takes a scan.
    Unclear,
}

/// What says how long ago a file was written.
#[derive(Debug, Clone, Copy, Default)]
enum Clock {
    #[default]
    System,
    /// One that stands still.
    #[cfg(test)]
    Stands(SystemTime),
}

impl Clock {
    fn now(self) -> SystemTime {
        match self {
            Self::System => SystemTime::now(),
            #[cfg(test)]
            Self::Stands(now) => now,
        }
    }
}

#[derive(Debug)]
struct Directory {
    root: Root,
    path: Arc<PathBuf>,
    recursive: bool,
    /// In the order of their ranks, which is mostly the order of time.
    files: Vec<Followed>,
    /// Files that were ever seen.
    seen: u32,
    /// Looks at it.
    looks: usize,
    /// What was said about the directory itself while it could not be listed.
    trouble: Option<String>,
    /// What is passed over, by path.
    passed: BTreeMap<PathBuf, Passed>,
}

impl Tailer {
    /// A reader of these directories from their start.
    ///
    /// # Errors
    /// When a directory does not exist, is none, or cannot be listed; when the options contradict
    /// themselves. What happens to a directory later is a [`Notice`].
    pub fn new(roots: Vec<(Root, PathBuf)>, options: ReadOptions) -> Result<Self, IngestError> {
        options.check()?;
        let mut roots: Vec<Directory> = roots
            .into_iter()
            .map(|(root, path)| {
                require_directory(&path)?;
                Ok(Directory::new(root, path, options.recursive))
            })
            .collect::<Result<_, IngestError>>()?;
        // History is the older part of time, and rows are cheapest to take in the order of time.
        roots.sort_by_key(|directory| directory.root);
        Ok(Self {
            rows: RowReader::new(&options),
            options,
            roots,
            file_count: 0,
            turns: 0,
            bytes: Vec::new(),
            looked: None,
            long_look: LONG_LOOK,
            clock: Clock::default(),
            open_files: 0,
            progress: Progress::default(),
            caught_up: false,
        })
    }

    /// The same reader, to which these interfaces are known already: their ids are their places, and no batch
    /// names them.
    #[must_use]
    pub fn knowing(self, names: &[InterfaceName]) -> Self {
        Self { rows: self.rows.knowing(names), ..self }
    }

    /// Takes this for the moment that it is: a test is not to depend on how busy the machine is.
    #[cfg(test)]
    pub(super) fn set_clock(&mut self, now: SystemTime) {
        self.clock = Clock::Stands(now);
    }

    /// The same reader, which looks at the directories in each turn, however long that takes: a test is not to depend
    /// on how busy the machine is.
    #[cfg(test)]
    pub(super) fn looking_always(self) -> Self {
        Self { long_look: Duration::MAX, ..self }
    }

    /// Looks at the directories and reads on: complete lines, at most about
    /// [`ReadOptions::bytes_per_turn`] bytes. Call it again at once while the batch is not caught up.
    pub fn scan(&mut self) -> Batch {
        self.turn(false)
    }

    /// As [`Tailer::scan`], but takes a last line without a newline at once: for those who read once.
    /// Call it again while the batch is not caught up. A packed file that may still be written is left alone here, too.
    pub fn finish(&mut self) -> Batch {
        self.turn(true)
    }

    fn turn(&mut self, finishing: bool) -> Batch {
        let mut batch = Batch::default();
        let known_names = self.rows.names().all().len();
        if !self.reads_on() {
            let begun = Instant::now();
            for directory in &mut self.roots {
                directory.look(self.clock.now(), &mut batch);
            }
            self.looked = Some((Instant::now(), begun.elapsed()));
        }
        self.read(&mut batch, finishing);
        self.tell(&mut batch, known_names);
        batch
    }

    /// Whether there is more to read of what the last look has shown, and that look took so long that
    /// another one has to wait.
    fn reads_on(&self) -> bool {
        let soon = |(at, took): (Instant, Duration)| took >= self.long_look && at.elapsed() < took * LOOKS_APART;
        !self.caught_up && self.looked.is_some_and(soon)
    }

    /// Reads on in the files with these paths, where lines were appended to them since they were read to
    /// their end, and all else stands as it was at the last scan. Which files there are, and what else has
    /// become of them, is for the next scan to say.
    pub(super) fn read_on<'a>(&mut self, paths: impl IntoIterator<Item = &'a PathBuf>) -> ReadOn {
        if !self.caught_up {
            return ReadOn::Unclear;
        }
        let now = self.clock.now();
        let mut grown = Vec::new();
        let mut unclear = false;
        for path in paths {
            let same = |file: &&mut Followed| file.path.as_os_str() == path.as_os_str();
            let Some(file) = self.roots.iter_mut().flat_map(|directory| &mut directory.files).find(same) else {
                unclear = true;
                continue;
            };
            let before = file.progress().unwrap_or_default();
            match std::fs::metadata(path).map(|metadata| file.glance(&metadata, now)) {
                Ok(Glance::Grown) => grown.push((file.identity, before)),
                Ok(Glance::Same) => {}
                Ok(Glance::Other) | Err(_) => unclear = true,
            }
        }
        if unclear || grown.is_empty() {
            return if unclear { ReadOn::Unclear } else { ReadOn::Nothing };
        }
        let mut batch = Batch::default();
        let known_names = self.rows.names().all().len();
        let files = self.roots.iter_mut().flat_map(|directory| &mut directory.files);
        let mut turn = Turn {
            options: &self.options,
            rows: &mut self.rows,
            file_count: &mut self.file_count,
            batch: &mut batch,
            bytes: &mut self.bytes,
            finishing: false,
        };
        let mut left = self.options.bytes_per_turn.max(2);
        let of = |file: &Followed| grown.iter().find(|(identity, _)| *identity == file.identity);
        for (file, (read, total)) in files.filter_map(|file| of(file).map(|(_, before)| (file, *before))) {
            if left > 0 {
                left = left.saturating_sub(file.read(&mut turn, left));
            }
            let told = file.tell();
            turn.batch.states.extend(told);
            let (read_now, total_now) = file.progress().unwrap_or_default();
            self.progress.read = self.progress.read + read_now - read;
            self.progress.total = self.progress.total + total_now - total;
            self.caught_up &= !file.is_behind();
        }
        batch.names = self.rows.names().all()[known_names..].to_vec();
        (batch.open_files, batch.progress, batch.caught_up) = (self.open_files, self.progress, self.caught_up);
        batch.unlisted = self.is_unlisted();
        ReadOn::New(Box::new(batch))
    }

    /// What stood in the directories at the last scan and is not read. What noctop wrote and labels are not among it.
    pub fn left(&self) -> Left {
        let mut left = Left::default();
        self.roots.iter().for_each(|directory| directory.leave(&mut left));
        left
    }

    /// Whether a packed file that was there at the first look was written so shortly ago that it is not read yet. One
    /// that came later is not waited for: where many come, that would have no end.
    pub fn is_packing(&self) -> bool {
        let mut files = self.roots.iter().flat_map(|directory| &directory.files);
        files.any(|file| file.early && file.is_awaited())
    }

    fn is_unlisted(&self) -> bool {
        self.roots.iter().any(|directory| directory.trouble.is_some())
    }

    /// Adds what there is to say of all files and names.
    fn tell(&mut self, batch: &mut Batch, known_names: usize) {
        batch.names = self.rows.names().all()[known_names..].to_vec();
        for file in self.roots.iter_mut().flat_map(|directory| &mut directory.files) {
            batch.states.extend(file.tell());
            batch.open_files += usize::from(file.is_open());
            if let Some((read, total)) = file.progress() {
                batch.progress = Progress { read: batch.progress.read + read, total: batch.progress.total + total };
            }
        }
        batch.unlisted = self.is_unlisted();
        batch.caught_up = !self.roots.iter().flat_map(|directory| &directory.files).any(Followed::is_behind);
        (self.open_files, self.progress, self.caught_up) = (batch.open_files, batch.progress, batch.caught_up);
    }

    /// Files that were read to their end before share up to half of the turn, each turn beginning
    /// with another one. The rest goes to the others in their order.
    fn read(&mut self, batch: &mut Batch, finishing: bool) {
        let grace = self.options.grace;
        let files = self.roots.iter_mut().flat_map(|directory| &mut directory.files);
        let due = files.filter(|file| file.is_due(finishing, grace));
        let (mut live, backlog): (Vec<_>, Vec<_>) = due.partition(|file| file.live);
        self.turns = self.turns.wrapping_add(1);
        if !live.is_empty() {
            let first = self.turns % live.len();
            live.rotate_left(first);
        }
        let mut turn = Turn {
            options: &self.options,
            rows: &mut self.rows,
            file_count: &mut self.file_count,
            batch,
            bytes: &mut self.bytes,
            finishing,
        };
        let all = self.options.bytes_per_turn.max(2);
        let mut read = 0;
        let live_share = if backlog.is_empty() { all } else { all / 2 };
        for (files, share) in [(live, live_share), (backlog, all)] {
            for file in files {
                if read >= share {
                    break;
                }
                read += file.read(&mut turn, share - read);
            }
        }
    }
}

impl Directory {
    fn new(root: Root, path: PathBuf, recursive: bool) -> Self {
        let (files, passed) = (Vec::new(), BTreeMap::new());
        Self { root, path: Arc::new(path), recursive, files, seen: 0, looks: 0, trouble: None, passed }
    }

    /// Lists the directory and brings what is known of its files up to date.
    fn look(&mut self, now: SystemTime, batch: &mut Batch) {
        self.files.retain(|file| !file.stranger);
        let known: HashMap<Identity, usize> = self.files.iter().enumerate().map(|(i, f)| (f.identity, i)).collect();
        let inodes: HashSet<u64> = known.keys().map(|identity| identity.inode()).collect();
        let listing = match listing::list(&self.path, self.recursive, |inode| inodes.contains(&inode)) {
            Ok(listing) => listing,
            Err(e) => {
                self.files.iter_mut().for_each(|file| file.here = false);
                let message = format!("cannot be listed ({e}): its rows so far stay, and it is tried again");
                if self.trouble.is_none() {
                    batch.notices.push(self.notice(message.clone()));
                }
                self.trouble = Some(message);
                return;
            }
        };
        if self.trouble.take().is_some() {
            batch.notices.push(self.notice("can be listed again".into()));
        }
        let new = listing.passed.iter().filter(|passed| !self.passed.contains_key(&passed.path));
        batch.notices.extend(new.map(notice_of));
        self.passed = listing.passed.into_iter().map(|passed| (passed.path.clone(), passed)).collect();
        let entries = listing.entries;
        self.files.iter_mut().for_each(Followed::miss);
        let parts = self.files.len().div_ceil(SETTLED_AT_ONCE).max(1);
        self.looks = self.looks.wrapping_add(1);
        // A name that still leads to the same file comes first: of several names of one file, the
        // one that we know is not a new one.
        for same_name in [true, false] {
            for entry in &entries {
                let Some(i) = known.get(&entry.identity).copied() else { continue };
                let file = &mut self.files[i];
                if !file.here && (*file.path == entry.path) == same_name {
                    file.look(entry, now, i % parts == self.looks % parts);
                }
            }
        }
        self.add_new(&entries, &known, now, batch);
        batch.states.extend(self.files.iter().filter(|file| file.missed >= MOST_MISSED).map(Followed::farewell));
        self.files.retain(|file| file.missed < MOST_MISSED);
    }

    fn add_new(&mut self, entries: &[Entry], known: &HashMap<Identity, usize>, now: SystemTime, batch: &mut Batch) {
        let mut added = HashSet::new();
        for entry in entries.iter().filter(|entry| entry.wanted && !known.contains_key(&entry.identity)) {
            if !added.insert(entry.identity) {
                continue;
            }
            let mut new = Followed::new(self.seen, self.root, entry, now);
            new.early = self.looks == 1;
            self.seen += 1;
            let replaced = self.files.iter().position(|file| !file.here && *file.path == entry.path);
            if let Some(old) = replaced {
                if self.files[old].is_started() {
                    let message =
                        "was replaced by another file: it is read from its start, and what it says takes precedence";
                    batch.notices.push(Notice { path: self.files[old].path.clone(), message: message.into() });
                }
                batch.states.push(self.files[old].farewell());
                self.files[old] = new;
            } else {
                self.files.push(new);
            }
        }
        if !added.is_empty() {
            self.files.sort_by_cached_key(|file| (Rank::of(&file.path), file.path.clone()));
        }
    }

    fn notice(&self, message: String) -> Notice {
        Notice { path: self.path.clone(), message }
    }

    /// Adds what stands in it and is not read.
    fn leave(&self, left: &mut Left) {
        left.unread.extend(self.trouble.iter().map(|message| self.notice(message.clone())));
        left.unread.extend(self.passed.values().filter(|passed| passed.rows).map(notice_of));
        self.files.iter().for_each(|file| file.leave(left));
    }
}

fn notice_of(passed: &Passed) -> Notice {
    Notice { path: Arc::new(passed.path.clone()), message: passed.why.clone() }
}

/// An error where `path` is not a directory that can be listed.
fn require_directory(path: &Path) -> Result<(), IngestError> {
    let unreadable = |source| IngestError::Unreadable { path: path.to_owned(), source };
    match std::fs::metadata(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(IngestError::Missing { path: path.to_owned() }),
        Err(e) => Err(unreadable(e)),
        Ok(metadata) if !metadata.is_dir() => Err(IngestError::NotADirectory { path: path.to_owned() }),
        Ok(_) => std::fs::read_dir(path).map(|_| ()).map_err(unreadable),
    }
}
