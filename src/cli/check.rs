//! `noctop check`: of each file of a directory, how far it is read, what came of it and what was refused.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use clap::Args;
use serde::Serialize;

use super::load::{INCOMPLETE, LastLine, Unread, below, each_batch};
use super::output::print;
use crate::config::Config;
use crate::engine::{Counts, Engine};
use crate::format::s;
use crate::ingest::{Batch, FileState, FileStates, Notice, Refusal, Root};
use crate::model::Model;
use crate::series::{Timestamp, printable};

/// Interfaces with a wrong clock that are named.
const SHOWN: usize = 10;

/// What `check` is told.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Directory of CSV files
    pub dir: PathBuf,
    /// One JSON object instead of the table
    #[arg(long)]
    json: bool,
    /// How many refused lines to show, the last ones
    #[arg(long, value_name = "N", default_value_t = 10)]
    refusals: usize,
    #[command(flatten)]
    read: super::ReadArgs,
}

/// Runs it.
///
/// # Errors
/// When the directory cannot be read. [`super::Quiet`] where lines were refused, files cannot be used, or there is no row.
pub fn run(args: &CheckArgs, config: &Config) -> anyhow::Result<()> {
    let found = Found::read(&args.dir, args.read.options(config)?, args.refusals)?;
    let report = found.report(&args.dir, SystemTime::now());
    let text = if args.json { format!("{}\n", serde_json::to_string(&report)?) } else { report.table() };
    print(text.as_bytes())?;
    if report.is_clean() { Ok(()) } else { Err(super::Quiet(INCOMPLETE).into()) }
}

/// What was read.
struct Found {
    engine: Engine,
    states: FileStates,
    refusals: VecDeque<Refusal>,
    notices: Vec<Notice>,
    unread: Vec<Notice>,
    first: Option<Timestamp>,
}

impl Found {
    /// Reads what is complete in the directory. It may be written meanwhile, so a line that is
    /// being written waits here as it does for the console.
    fn read(dir: &Path, options: crate::ingest::ReadOptions, most: usize) -> anyhow::Result<Self> {
        let mut found = Self {
            // Nothing is scored here, so any model serves.
            engine: Engine::new(Model::untrained(), Default::default(), 1),
            states: FileStates::default(),
            refusals: VecDeque::new(),
            notices: Vec::new(),
            unread: Vec::new(),
            first: None,
        };
        let roots = vec![(Root::Data, dir.to_owned())];
        let left = each_batch(roots, options, LastLine::Waits, |batch| found.take(batch, most))?;
        // Nothing was said yet of what was left alone.
        let untold = |notice: &Notice| found.notices.iter().all(|said| said.path != notice.path);
        let unfinished: Vec<Notice> = left.unfinished.into_iter().filter(untold).collect();
        found.notices.extend(unfinished);
        found.unread = left.unread;
        Ok(found)
    }

    fn take(&mut self, batch: &Batch, most: usize) {
        self.engine.absorb(batch);
        self.states.take(batch);
        self.refusals.extend(batch.refusals.iter().cloned());
        self.refusals.drain(..self.refusals.len().saturating_sub(most));
        self.notices.extend(batch.notices.iter().cloned());
        self.first = self.first.into_iter().chain(batch.rows.iter().map(|row| row.time)).min();
    }

    fn report(&self, dir: &Path, now: SystemTime) -> Report {
        let Counts { rows, corrected, repeated, refused, .. } = self.engine.counts();
        let newest = self.engine.now();
        Report {
            directory: dir.display().to_string(),
            files: self.states.by_path().iter().map(|state| File::of(dir, state, newest, now)).collect(),
            interfaces: self.engine.tracks().len(),
            rows,
            repeated,
            corrected,
            refused,
            ahead: self.engine.ahead().map(|track| printable(&track.name().to_string()).into_owned()).collect(),
            first: self.first.map(|first| first.to_string()),
            newest: newest.map(|newest| newest.to_string()),
            refusals: self.refusals.iter().map(|refusal| Refused::of(dir, refusal)).collect(),
            notices: self.notices.iter().map(|notice| Said::of(dir, notice)).collect(),
            unread: self.unread.iter().map(|notice| Unread::of(dir, notice)).collect(),
        }
    }
}

/// All that is printed.
#[derive(Debug, Serialize)]
struct Report {
    directory: String,
    files: Vec<File>,
    interfaces: usize,
    rows: u64,
    /// Rows that changed nothing: the same again, or outvoted by another file.
    repeated: u64,
    /// Rows that changed one that stood there.
    corrected: u64,
    refused: u64,
    /// Interfaces with rows more than a day ahead of all others.
    ahead: Vec<String>,
    first: Option<String>,
    newest: Option<String>,
    refusals: Vec<Refused>,
    notices: Vec<Said>,
    /// What could not be read or used, though rows may be in it.
    unread: Vec<Unread>,
}

#[derive(Debug, Serialize)]
struct File {
    file: String,
    state: &'static str,
    reason: Option<String>,
    bytes_read: u64,
    bytes: u64,
    rows: u64,
    refused: u64,
    newest: Option<String>,
    /// How far its newest slot lies behind the directory's.
    lag_seconds: Option<i64>,
    /// Seconds since it was written.
    age_seconds: Option<u64>,
    /// For how long a line at its end has been waiting for its newline.
    pending_seconds: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Refused {
    file: String,
    line: u32,
    reason: String,
}

#[derive(Debug, Serialize)]
struct Said {
    path: String,
    message: String,
}

impl File {
    fn of(dir: &Path, state: &Arc<FileState>, newest: Option<Timestamp>, now: SystemTime) -> Self {
        Self {
            file: below(dir, &state.path),
            state: state.condition.word(),
            reason: state.condition.reason().map(str::to_owned),
            bytes_read: state.read,
            bytes: state.size,
            rows: state.rows,
            refused: state.refused,
            newest: state.newest.map(|newest| newest.to_string()),
            lag_seconds: newest.zip(state.newest).map(|(all, own)| all.since(own).max(0)),
            age_seconds: now.duration_since(state.modified).ok().map(|age| age.as_secs()),
            pending_seconds: state.pending.map(|since| since.elapsed().as_secs()),
        }
    }
}

impl Refused {
    fn of(dir: &Path, refusal: &Refusal) -> Self {
        Self { file: below(dir, &refusal.path), line: refusal.line, reason: refusal.reason.clone() }
    }
}

impl Said {
    fn of(dir: &Path, notice: &Notice) -> Self {
        Self { path: below(dir, &notice.path), message: notice.message.clone() }
    }
}

impl Report {
    /// Whether everything counts, and there is something.
    fn is_clean(&self) -> bool {
        self.refused == 0 && self.unread.is_empty() && self.rows > 0
    }

    fn table(&self) -> String {
        let mut out = String::new();
        let width = self.files.iter().map(|file| file.file.chars().count()).max().unwrap_or(0).max(4);
        // A String takes everything.
        if self.files.is_empty() {
            let _ = writeln!(out, "no file has a name that ends in .csv, or in what rotation makes of that");
        } else {
            let _ = writeln!(
                out,
                "{:width$} {:>12} {:>12} {:>10} {:>8}  {:19} {:>6}  state",
                "file", "bytes read", "of", "rows", "refused", "newest slot", "lag"
            );
        }
        for file in &self.files {
            let newest = file.newest.as_deref().unwrap_or("-");
            let lag = file.lag_seconds.map_or("-".to_owned(), short);
            let mut state = file.state.to_owned();
            if let Some(reason) = &file.reason {
                let _ = write!(state, ": {reason}");
            }
            if let Some(seconds) = file.pending_seconds {
                let _ = write!(state, ", a line has waited for its newline for {}", short(seconds as i64));
            }
            let _ = writeln!(
                out,
                "{:width$} {:>12} {:>12} {:>10} {:>8}  {newest:19} {lag:>6}  {state}",
                file.file, file.bytes_read, file.bytes, file.rows, file.refused
            );
        }
        let span = match (&self.first, &self.newest) {
            (Some(first), Some(newest)) => format!(", from {first} to {newest}"),
            _ => String::new(),
        };
        let Self { rows, interfaces, repeated, corrected, refused, .. } = self;
        let ends = [s(*rows), s(*interfaces as u64)];
        let _ = writeln!(out, "\n{rows} row{} of {interfaces} interface{}{span}", ends[0], ends[1]);
        let _ = writeln!(out, "{repeated} repeated, {corrected} corrected, {refused} refused");
        for name in self.ahead.iter().take(SHOWN) {
            let _ = writeln!(out, "{name} has rows more than a day ahead of all others: look at its clock");
        }
        if self.ahead.len() > SHOWN {
            let _ = writeln!(out, "and {} more interfaces do", self.ahead.len() - SHOWN);
        }
        if !self.refusals.is_empty() {
            let _ = writeln!(out, "\nthe last refused lines:");
        }
        for Refused { file, line, reason } in &self.refusals {
            let _ = writeln!(out, "  {file}:{line}: {reason}");
        }
        for Said { path, message } in self.notices.iter().filter(|said| !self.is_in_table(said)) {
            let _ = writeln!(out, "\n{path}: {message}");
        }
        out
    }

    /// Whether a file's line says it already.
    fn is_in_table(&self, said: &Said) -> bool {
        let says = |file: &File| file.reason.as_ref().is_some_and(|reason| said.message.ends_with(reason.as_str()));
        self.files.iter().any(|file| file.file == said.path && says(file))
    }
}

/// A stretch of time in its largest whole unit.
fn short(seconds: i64) -> String {
    match seconds {
        s if s >= 2 * 86_400 => format!("{} d", s / 86_400),
        s if s >= 2 * 3600 => format!("{} h", s / 3600),
        s if s >= 120 => format!("{} min", s / 60),
        s => format!("{s} s"),
    }
}
