//! Reads directories once, whole, with progress on stderr, and scores their rows.

use std::collections::{HashSet, VecDeque};
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::config::Config;
use crate::engine::Engine;
use crate::ingest::{Batch, Left, Notice, ReadOptions, Refusal, Root, Tailer};
use crate::series::printable;

/// Refused lines, and files that could not be read, that are shown one by one.
pub const SHOWN: usize = 10;
/// Of those that could not be read, so many are in JSON.
const LISTED: usize = 100;
/// For how long packed files are waited for that may still be written, all together. Each is known to be whole two
/// seconds after it was written.
const PACKED_WITHIN: Duration = Duration::from_secs(3);
/// Time between two looks at them.
const LOOKS_APART: Duration = Duration::from_millis(250);
/// The exit code of a command that has done what it could, without what could not be read.
pub const INCOMPLETE: u8 = 3;

/// What was read, besides the rows.
#[derive(Debug, Default)]
pub struct Loaded {
    refusals: VecDeque<Refusal>,
    refused: u64,
    notices: Vec<Notice>,
    /// What was not read.
    pub left: Left,
}

/// What could not be read, ready to be written as JSON.
#[derive(Debug, Serialize)]
pub struct Unread {
    path: String,
    reason: String,
}

impl Unread {
    /// What could not be read of `dir`.
    pub fn of(dir: &Path, notice: &Notice) -> Self {
        Self { path: below(dir, &notice.path), reason: notice.message.clone() }
    }

    /// The first of what could not be read of `dir`.
    pub fn first(dir: &Path, unread: &[Notice]) -> Vec<Self> {
        unread.iter().take(LISTED).map(|notice| Self::of(dir, notice)).collect()
    }
}

/// The path of a file below `dir`.
pub fn below(dir: &Path, path: &Path) -> String {
    let path = path.strip_prefix(dir).ok().filter(|path| !path.as_os_str().is_empty()).unwrap_or(path);
    printable(&path.display().to_string()).into_owned()
}

/// What becomes of a last line that has no newline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastLine {
    /// It is a row: nobody writes on.
    Counts,
    /// It may be half a row: the files are being written.
    Waits,
}

/// Reads `roots` to their end.
pub fn read_all(
    roots: Vec<(Root, PathBuf)>,
    options: ReadOptions,
    last_line: LastLine,
    mut take: impl FnMut(&Batch),
) -> anyhow::Result<Loaded> {
    let names: Vec<String> = roots.iter().map(|(_, dir)| dir.display().to_string()).collect();
    let mut loaded = Loaded::default();
    let mut rows = 0;
    loaded.left = each_batch(roots, options, last_line, |batch| {
        rows += batch.rows.len();
        loaded.refused += batch.refused;
        loaded.refusals.extend(batch.refusals.iter().cloned());
        while loaded.refusals.len() > SHOWN {
            loaded.refusals.pop_front();
        }
        loaded.notices.extend(batch.notices.iter().cloned());
        take(batch);
    })?;
    loaded.tell();
    if rows == 0 {
        let names = names.join(", ");
        let Left { unread, unfinished, others } = &loaded.left;
        if let Some(Notice { path, message }) = unread.iter().chain(unfinished).chain(others).next() {
            anyhow::bail!("{names}: no rows, since {} {message}", path.display());
        }
        anyhow::bail!(
            "{names}: no rows; noctop reads files whose names end in .csv (with --recursive also those of directories below), with the columns timeslot, hostname, ifname, max_metric_value and mean_metric_value"
        );
    }
    Ok(loaded)
}

/// Reads `roots` to their end, with progress on stderr, and gives what was not read. Packed files that may still be
/// written are waited for, and what is written even then is left alone, so that all commands read the same of a
/// directory.
pub fn each_batch(
    roots: Vec<(Root, PathBuf)>,
    options: ReadOptions,
    last_line: LastLine,
    take: impl FnMut(&Batch),
) -> anyhow::Result<Left> {
    each_batch_within(PACKED_WITHIN, roots, options, last_line, take)
}

/// The same, with so much time for packed files.
fn each_batch_within(
    patience: Duration,
    roots: Vec<(Root, PathBuf)>,
    options: ReadOptions,
    last_line: LastLine,
    mut take: impl FnMut(&Batch),
) -> anyhow::Result<Left> {
    let mut tailer = Tailer::new(roots, options)?;
    let bar = bar("reading", true);
    let mut finishing = false;
    let mut waits_since: Option<Instant> = None;
    loop {
        let batch = if finishing { tailer.finish() } else { tailer.scan() };
        bar.set_length(batch.progress.total);
        bar.set_position(batch.progress.read);
        take(&batch);
        if !batch.caught_up {
            continue;
        }
        if finishing {
            break;
        }
        if tailer.is_packing() && waits_since.get_or_insert_with(Instant::now).elapsed() < patience {
            std::thread::sleep(LOOKS_APART);
        } else if last_line == LastLine::Waits {
            break;
        } else {
            finishing = true;
        }
    }
    bar.finish_and_clear();
    Ok(tailer.left())
}

/// What is scored, and how: the same for every command that scores a directory once.
#[derive(Debug, Args)]
pub struct ScoringArgs {
    /// Directory of CSV files to score
    pub dir: PathBuf,
    /// Model to score with [default: the built-in one, also where the console retrained one]
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Directory of earlier rows: they are learnt from and not judged
    #[arg(long, value_name = "DIR")]
    pub history: Option<PathBuf>,
    #[command(flatten)]
    alarms: super::AlarmArgs,
    #[command(flatten)]
    clock: super::ClockArgs,
    #[command(flatten)]
    read: super::ReadArgs,
}

impl ScoringArgs {
    /// How rows are read.
    pub fn read_options(&self, config: &Config) -> anyhow::Result<ReadOptions> {
        self.read.options(config)
    }

    /// Refuses an output that cannot be made, or in a directory that is read.
    pub fn refuse_output(&self, flag: &str, file: Option<&PathBuf>, config: &Config) -> anyhow::Result<()> {
        let Some(file) = file else { return Ok(()) };
        super::output::place(flag, file)?;
        let recursive = self.read.recursive(config);
        [Some(&self.dir), self.history.as_ref()]
            .into_iter()
            .flatten()
            .try_for_each(|dir| super::refuse_output_in(dir, recursive, file, flag))
    }

    /// Reads the directories, and scores every row.
    pub fn engine(&self, config: &Config) -> anyhow::Result<(Engine, Loaded)> {
        let model = super::model(self.model.as_deref())?.following(self.clock.clock(&self.read, config)?);
        let mut engine = Engine::new(model, self.alarms.settings(config)?, super::threads());
        let mut roots = vec![(Root::Data, self.dir.clone())];
        roots.extend(self.history.iter().map(|dir| (Root::History, dir.clone())));
        let loaded = read_all(roots, self.read_options(config)?, LastLine::Counts, |batch| {
            engine.absorb(batch);
        })
        .context("cannot read the rows")?;
        engine.settle();
        Ok((engine, loaded))
    }
}

impl Loaded {
    /// Ends a command that has done its work: with [`INCOMPLETE`] where rows may be missing in it.
    ///
    /// # Errors
    /// [`super::Quiet`] where something could not be read.
    pub fn complete(&self) -> anyhow::Result<()> {
        incomplete(&self.left.unread)
    }

    /// What is to be told of files and directories: first of those that count, and at last of what was left alone, of
    /// which nothing was said yet.
    fn news(&self) -> Vec<&Notice> {
        let unread: HashSet<&Path> = self.left.unread.iter().map(|notice| notice.path.as_path()).collect();
        let said: HashSet<&Path> = self.notices.iter().map(|notice| notice.path.as_path()).collect();
        let (mut news, others): (Vec<_>, Vec<_>) =
            self.notices.iter().partition(|notice| unread.contains(notice.path.as_path()));
        news.extend(self.left.unfinished.iter().filter(|notice| !said.contains(notice.path.as_path())));
        news.extend(others);
        news
    }

    fn tell(&self) {
        let news = self.news();
        for notice in news.iter().take(SHOWN) {
            super::tell!("{}: {}", notice.path.display(), notice.message);
        }
        if let Some(more @ 1..) = news.len().checked_sub(SHOWN) {
            super::tell!("and {more} more such notices: noctop check shows all");
        }
        if self.refused > 0 {
            match self.refused {
                1 => super::tell!("1 line was refused:"),
                n => super::tell!("{n} lines were refused; the last of them:"),
            }
            for refusal in &self.refusals {
                super::tell!("  {}:{}: {}", refusal.path.display(), refusal.line, refusal.reason);
            }
        }
    }
}

/// Says that rows may be missing in what a command has done, where something could not be read, and ends with
/// [`INCOMPLETE`].
///
/// # Errors
/// [`super::Quiet`] where there is something.
pub fn incomplete(unread: &[Notice]) -> anyhow::Result<()> {
    let Some(first) = unread.first() else { return Ok(()) };
    let more = match unread.len() - 1 {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    super::tell!("noctop: without the rows of {}{more}, so the exit code is {INCOMPLETE}", first.path.display());
    Err(super::Quiet(INCOMPLETE).into())
}

/// A progress bar on stderr, where that is a terminal.
pub fn bar(what: &'static str, bytes: bool) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template =
        if bytes { "{msg} {wide_bar} {bytes}/{total_bytes}  {eta}" } else { "{msg} {wide_bar} {percent} %  {elapsed}" };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    let bar = ProgressBar::new(0).with_style(style).with_message(what);
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::io::Write as _;
    use std::time::SystemTime;

    use super::*;

    const ROW: &str = "timeslot,hostname,ifname,max_metric_value,mean_metric_value\n2026-11-23 14:05:00,a,b,1,1\n";

    /// Writes a file as if that had been so long ago.
    fn write(path: &Path, bytes: &[u8], ago: Duration) {
        fs::write(path, bytes).unwrap();
        File::options().write(true).open(path).unwrap().set_modified(SystemTime::now() - ago).unwrap();
    }

    fn packed() -> Vec<u8> {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(ROW.as_bytes()).unwrap();
        packed.finish().unwrap()
    }

    /// Rows that are read, what is unread and what is unfinished.
    fn read(dir: &Path, patience: Duration, last_line: LastLine, mut with: impl FnMut()) -> [usize; 3] {
        let mut rows = 0;
        let roots = vec![(Root::Data, dir.to_owned())];
        let left = each_batch_within(patience, roots, ReadOptions::default(), last_line, |batch| {
            rows += batch.rows.len();
            with();
        });
        let left = left.unwrap();
        [rows, left.unread.len(), left.unfinished.len()]
    }

    #[test]
    fn packed_files_that_were_just_written_are_waited_for_and_then_left() {
        const SOME: Duration = Duration::from_millis(1700);
        let (long, none) = (Duration::from_secs(60), Duration::ZERO);
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        for last_line in [LastLine::Counts, LastLine::Waits] {
            write(&path("a.csv.gz"), &packed(), Duration::ZERO);
            assert_eq!(read(dir.path(), none, last_line, || ()), [0, 0, 1], "{last_line:?}: who cannot wait leaves it");
            write(&path("a.csv.gz"), &packed(), SOME);
            assert_eq!(read(dir.path(), long, last_line, || ()), [1, 0, 0], "{last_line:?}");
        }
        // What comes later is not waited for, however much patience there is.
        let begun = Instant::now();
        let later = || write(&path("b.csv.gz"), &packed(), Duration::ZERO);
        assert_eq!(read(dir.path(), long, LastLine::Counts, later), [1, 0, 1]);
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    }

    #[test]
    fn a_packed_file_that_ends_too_early_is_unfinished_while_it_is_young() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let minutes = |n: u64| Duration::from_secs(60 * n);
        let half = &packed()[..30];
        let left = |ago| {
            write(&path("a.csv.gz"), half, ago);
            write(&path("b.csv.gz"), b"", ago);
            read(dir.path(), Duration::ZERO, LastLine::Counts, || ())
        };
        assert_eq!(left(Duration::ZERO), [0, 0, 2]);
        assert_eq!(left(minutes(9)), [0, 0, 2]);
        assert_eq!(left(minutes(11)), [0, 2, 0]);
    }

    #[test]
    fn what_is_told_of_files_begins_with_those_that_count() {
        let notice = |name: &str| Notice { path: PathBuf::from(name).into(), message: name.to_owned() };
        let left = Left {
            unread: vec![notice("lost"), notice("refused")],
            unfinished: vec![notice("young"), notice("torn")],
            others: vec![notice("other")],
        };
        let notices = ["other", "torn", "lost"].map(notice).to_vec();
        let loaded = Loaded { notices, left, ..Loaded::default() };
        let news: Vec<&str> = loaded.news().iter().map(|notice| notice.message.as_str()).collect();
        assert_eq!(news, ["lost", "young", "other", "torn"]);
    }
}
