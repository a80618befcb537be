//! The log on disk: JSON lines that are only ever appended to.
//!
//! Several processes write and read it at once, since two operators watch one directory. A writer
//! holds the file's lock, so lines never mix, and the order of the lines is the same for all. A line
//! that a crash cut short is closed by the next writer; it is said and skipped by every reader.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::entry::Entry;
use crate::ingest::Notice;

/// How long a writer waits for another one's lock. It is held for a single line.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes that are read in one go; what is beyond is read the next time.
const TURN: u64 = 4 << 20;
/// Bytes of what was read last by which the file is known again: some lines.
const SEAM: usize = 512;

/// The log, and how far it was read.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    /// Device and number of the file that was read.
    file: Option<(u64, u64)>,
    position: u64,
    /// The last bytes before the position.
    seam: Vec<u8>,
    lines: u64,
    rest: Vec<u8>,
}

/// What is new in the log.
#[derive(Debug, Default, PartialEq)]
pub struct News {
    /// The file is another one than before, or shorter: all that was read from it does not count.
    pub anew: bool,
    /// Entries in their order.
    pub entries: Vec<Entry>,
    /// Lines that are none, by their number, with why.
    pub damaged: Vec<(u64, String)>,
}

impl News {
    /// What a person should read of the log at `path`.
    pub fn notices(&self, path: &Arc<PathBuf>) -> Vec<Notice> {
        let notice = |(line, why): &(u64, String)| Notice {
            path: path.clone(),
            message: format!("line {line} is skipped, since it is no entry: {why}"),
        };
        self.damaged.iter().map(notice).collect()
    }
}

impl Log {
    /// The log at `path`, which need not be there yet, from its start.
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: None, position: 0, seam: Vec::new(), lines: 0, rest: Vec::new() }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads what was added since the last time.
    ///
    /// # Errors
    /// When there is a file that cannot be read.
    pub fn read(&mut self) -> io::Result<News> {
        let mut news = News::default();
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                news.anew = self.position > 0;
                self.forget();
                return Ok(news);
            }
            Err(e) => return Err(e),
        };
        let metadata = file.metadata()?;
        let mut size = metadata.len();
        let this = Some((metadata.dev(), metadata.ino()));
        let is_other = self.file.is_some_and(|before| Some(before) != this);
        if self.position > 0 && (is_other || size < self.position || !self.is_at_its_seam(&mut file)?) {
            news.anew = true;
            self.forget();
        }
        self.file = this;
        file.seek(SeekFrom::Start(self.position))?;
        while self.position < size {
            let mut bytes = Vec::new();
            let n = (&mut file).take(TURN).read_to_end(&mut bytes)?;
            if n == 0 {
                size = self.position;
            }
            self.position += n as u64;
            let kept = (self.seam.len() + n).saturating_sub(SEAM);
            self.seam = self.seam.iter().chain(&bytes).skip(kept).copied().collect();
            self.rest.extend(bytes);
            self.take_lines(&mut news);
        }
        Ok(news)
    }

    /// Whether what was read last still stands before the position: a file that took another one's place may have
    /// its number, and one that was rewritten has.
    fn is_at_its_seam(&self, file: &mut File) -> io::Result<bool> {
        let mut there = vec![0; self.seam.len()];
        file.seek(SeekFrom::Start(self.position - there.len() as u64))?;
        file.read_exact(&mut there)?;
        Ok(there == self.seam)
    }

    fn forget(&mut self) {
        (self.file, self.position, self.lines) = (None, 0, 0);
        self.seam.clear();
        self.rest.clear();
    }

    fn take_lines(&mut self, news: &mut News) {
        let Some(end) = self.rest.iter().rposition(|b| *b == b'\n') else { return };
        let whole: Vec<u8> = self.rest.drain(..=end).collect();
        for line in whole.split_inclusive(|b| *b == b'\n') {
            self.lines += 1;
            if line.trim_ascii().is_empty() {
                continue;
            }
            match serde_json::from_slice(line) {
                Ok(entry) => news.entries.push(entry),
                Err(e) => {
                    // it counts lines of its own, and there is one
                    let why = e.to_string();
                    let why = why.rsplit_once(" at line ").map_or(&*why, |(why, _)| why).to_owned();
                    news.damaged.push((self.lines, why));
                }
            }
        }
    }

    /// Appends an entry: when this returns, it is on disk, whole, behind what others wrote.
    ///
    /// # Errors
    /// When it cannot be written, or another process keeps the lock.
    pub fn append(&self, entry: &Entry) -> io::Result<()> {
        self.append_all(std::slice::from_ref(entry))
    }

    /// The same with several entries at once: all of them, or none.
    ///
    /// # Errors
    /// As [`Log::append`].
    pub fn append_all(&self, entries: &[Entry]) -> io::Result<()> {
        if let Some(dir) = self.path.parent() {
            fs::create_dir_all(dir)?;
        }
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
        lock(&file)?;
        let mut lines = Vec::new();
        if ends_within_a_line(&mut file)? {
            lines.push(b'\n');
        }
        for entry in entries {
            serde_json::to_writer(&mut lines, entry)?;
            lines.push(b'\n');
        }
        let before = file.metadata()?.len();
        let written = file.write_all(&lines).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half a line, as on a full disk, is taken back.
            let _ = file.set_len(before);
        }
        written
        // The lock ends with the file.
    }
}

fn lock(file: &File) -> io::Result<()> {
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(e)) => return Err(e),
            Err(TryLockError::WouldBlock) if start.elapsed() > PATIENCE => {
                return Err(io::Error::new(io::ErrorKind::TimedOut, "another process keeps it locked"));
            }
            Err(TryLockError::WouldBlock) => sleep(Duration::from_millis(5)),
        }
    }
}

/// Whether the last line has no end: a writer was killed in the middle of it.
fn ends_within_a_line(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

#[cfg(test)]
mod tests {
    use super::super::entry::Act;
    use super::*;
    use crate::detect::IncidentId;
    use crate::series::Timestamp;

    fn entry(n: u64) -> Entry {
        Entry {
            at: Timestamp::from_seconds(1_795_392_000),
            who: "ann".into(),
            act: Act::Acknowledge { incident: IncidentId(n) },
        }
    }

    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/down/journal.jsonl");
        (dir, path)
    }

    #[test]
    fn what_one_writes_another_reads() {
        let (_dir, path) = place();
        let (one, mut other) = (Log::new(path.clone()), Log::new(path));
        assert_eq!(other.read().unwrap(), News::default());
        one.append(&entry(1)).unwrap();
        one.append(&entry(2)).unwrap();
        assert_eq!(other.read().unwrap().entries, [entry(1), entry(2)]);
        other.append(&entry(3)).unwrap();
        assert_eq!(other.read().unwrap().entries, [entry(3)]);
        assert_eq!(other.read().unwrap(), News::default());
    }

    #[test]
    fn a_damaged_line_is_said_and_what_stands_around_it_counts() {
        let (_dir, path) = place();
        let log = Log::new(path.clone());
        log.append(&entry(1)).unwrap();
        // Somebody's editor, and a writer that was killed.
        let good = fs::read_to_string(&path).unwrap();
        for cut in 1..good.len() {
            fs::write(&path, format!("{good}nonsense\n\n{}", &good[..cut])).unwrap();
            log.append(&entry(2)).unwrap();
            let news = Log::new(path.clone()).read().unwrap();
            assert_eq!(news.entries.first(), Some(&entry(1)));
            assert_eq!(news.entries.last(), Some(&entry(2)), "cut at {cut}");
            assert_eq!(news.damaged[0].0, 2);
            // A line that lacks nothing but its end is whole.
            assert_eq!(news.damaged.len(), if cut == good.len() - 1 { 1 } else { 2 }, "cut at {cut}");
        }
    }

    #[test]
    fn half_a_line_waits_for_its_end() {
        let (_dir, path) = place();
        let log = Log::new(path.clone());
        log.append(&entry(1)).unwrap();
        let line = fs::read(&path).unwrap();
        let mut reader = Log::new(path.clone());
        fs::write(&path, &line[..20]).unwrap();
        assert_eq!(reader.read().unwrap(), News::default());
        fs::write(&path, &line).unwrap();
        assert_eq!(reader.read().unwrap().entries, [entry(1)]);
    }

    #[test]
    fn a_log_that_is_gone_or_shorter_is_read_anew() {
        let (_dir, path) = place();
        let mut log = Log::new(path.clone());
        (1..4).for_each(|n| log.append(&entry(n)).unwrap());
        log.read().unwrap();
        fs::remove_file(&path).unwrap();
        assert_eq!(log.read().unwrap(), News { anew: true, ..News::default() });
        assert_eq!(log.read().unwrap(), News::default());
        log.append(&entry(9)).unwrap();
        assert_eq!(log.read().unwrap().entries, [entry(9)]);
    }

    #[test]
    fn a_log_that_another_file_replaces_is_read_anew_however_long_that_is() {
        let (dir, path) = place();
        let mut log = Log::new(path.clone());
        log.append(&entry(1)).unwrap();
        log.read().unwrap();
        let other = Log::new(dir.path().join("other"));
        (2..5).for_each(|n| other.append(&entry(n)).unwrap());
        fs::copy(other.path(), dir.path().join("copy")).unwrap();
        fs::rename(other.path(), &path).unwrap();
        let want = News { anew: true, entries: (2..5).map(entry).collect(), ..News::default() };
        assert_eq!(log.read().unwrap(), want);
        assert_eq!(log.read().unwrap(), News::default());
        // Rewritten where it stands: the file is the same, and longer.
        let text = fs::read(&path).unwrap();
        fs::write(&path, [b"\n", &text[..]].concat()).unwrap();
        assert_eq!(log.read().unwrap(), want);
        // Gone, and back as another one before anybody has looked.
        fs::remove_file(&path).unwrap();
        fs::rename(dir.path().join("copy"), &path).unwrap();
        assert_eq!(log.read().unwrap(), want);
    }

    #[test]
    fn several_entries_are_appended_at_once() {
        let (_dir, path) = place();
        let log = Log::new(path.clone());
        let all: Vec<Entry> = (0..150).map(entry).collect();
        log.append_all(&all).unwrap();
        assert_eq!(Log::new(path).read().unwrap().entries, all);
    }

    #[test]
    fn writers_at_once_lose_nothing() {
        let (_dir, path) = place();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let log = Log::new(path.clone());
                scope.spawn(move || (0..25).for_each(|n| log.append(&entry(100 * writer + n)).unwrap()));
            }
        });
        let news = Log::new(path).read().unwrap();
        let mut seen: Vec<u64> = news
            .entries
            .iter()
            .filter_map(|e| if let Act::Acknowledge { incident } = e.act { Some(incident.0) } else { None })
            .collect();
        seen.sort_unstable();
        assert_eq!((seen.len(), news.damaged.len()), (100, 0));
        assert_eq!(seen, (0..4).flat_map(|w| (0..25).map(move |n| 100 * w + n)).collect::<Vec<_>>());
    }
}
