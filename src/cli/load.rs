//! Reads directories once, whole, with progress on stderr, and scores their rows.

use std::collections::VecDeque;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use crate::config::Config;
use crate::engine::Engine;
use crate::ingest::{Batch, Notice, ReadOptions, Refusal, Root, Tailer};
use crate::series::printable;

/// Refused lines, and files that could not be read, that are shown one by one.
pub const SHOWN: usize = 10;
/// For how long a packed file is waited for that may still be written: gzip needs no longer for a day of rows.
const PACKED_WITHIN: Duration = Duration::from_secs(10);
/// Time between two looks at it.
const LOOKS_APART: Duration = Duration::from_millis(100);
/// The exit code of a command that has done what it could, without what could not be read.
pub const INCOMPLETE: u8 = 3;

/// What was read, besides the rows.
#[derive(Debug, Default)]
pub struct Loaded {
    refusals: VecDeque<Refusal>,
    refused: u64,
    notices: Vec<Notice>,
    /// What could not be read or used, though rows may be in it.
    pub unread: Vec<Notice>,
}

/// What could not be read, ready to be written as JSON.
#[derive(Debug, Serialize)]
pub struct Unread {
    path: String,
    reason: String,
}

impl From<&Notice> for Unread {
    fn from(notice: &Notice) -> Self {
        Self { path: printable(&notice.path.display().to_string()).into_owned(), reason: notice.message.clone() }
    }
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
    loaded.unread = each_batch(roots, options, last_line, |batch| {
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
        if let Some(Notice { path, message }) = loaded.unread.first() {
            anyhow::bail!("{names}: no rows, since {} {message}", path.display());
        }
        anyhow::bail!(
            "{names}: no rows; noctop reads files whose names end in .csv (with --recursive also those of directories below), with the columns timeslot, hostname, ifname, max_metric_value and mean_metric_value"
        );
    }
    Ok(loaded)
}

/// Reads `roots` to their end, with progress on stderr, and gives what could not be read. A packed file that may still
/// be written is waited for, so that all commands read the same of a directory.
pub fn each_batch(
    roots: Vec<(Root, PathBuf)>,
    options: ReadOptions,
    last_line: LastLine,
    mut take: impl FnMut(&Batch),
) -> anyhow::Result<Vec<Notice>> {
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
        if tailer.is_packing() && waits_since.get_or_insert_with(Instant::now).elapsed() < PACKED_WITHIN {
            std::thread::sleep(LOOKS_APART);
        } else if finishing || last_line == LastLine::Waits {
            break;
        } else {
            finishing = true;
        }
    }
    bar.finish_and_clear();
    Ok(tailer.unread())
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
        incomplete(&self.unread)
    }

    fn tell(&self) {
        for notice in &self.notices {
            super::tell!("{}: {}", notice.path.display(), notice.message);
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
