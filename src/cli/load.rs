//! Reads directories once, whole, with progress on stderr, and scores their rows.

use std::collections::VecDeque;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use crate::config::Config;
use crate::engine::Engine;
use crate::ingest::{Batch, Notice, ReadOptions, Refusal, Root, Tailer};

/// Refused lines that are shown one by one.
const SHOWN: usize = 10;

/// What was read, besides the rows.
#[derive(Debug, Default)]
pub struct Loaded {
    refusals: VecDeque<Refusal>,
    refused: u64,
    notices: Vec<Notice>,
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
    let mut tailer = Tailer::new(roots, options)?;
    let bar = bar("reading", true);
    let mut loaded = Loaded::default();
    let mut rows = 0;
    loop {
        let batch = match last_line {
            LastLine::Counts => tailer.finish(),
            LastLine::Waits => tailer.scan(),
        };
        bar.set_length(batch.progress.total);
        bar.set_position(batch.progress.read);
        rows += batch.rows.len();
        loaded.refused += batch.refused;
        loaded.refusals.extend(batch.refusals.iter().cloned());
        while loaded.refusals.len() > SHOWN {
            loaded.refusals.pop_front();
        }
        loaded.notices.extend(batch.notices.iter().cloned());
        take(&batch);
        if batch.caught_up {
            break;
        }
    }
    bar.finish_and_clear();
    loaded.tell();
    if rows == 0 {
        anyhow::bail!(
            "{}: no rows; noctop reads files whose names end in .csv, with the columns timeslot, hostname, ifname, max_metric_value and mean_metric_value",
            names.join(", ")
        );
    }
    Ok(loaded)
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
    pub fn engine(&self, config: &Config) -> anyhow::Result<Engine> {
        let model = super::model(self.model.as_deref())?.following(self.clock.clock(&self.read, config)?);
        let mut engine = Engine::new(model, self.alarms.settings(config)?, super::threads());
        let mut roots = vec![(Root::Data, self.dir.clone())];
        roots.extend(self.history.iter().map(|dir| (Root::History, dir.clone())));
        read_all(roots, self.read_options(config)?, LastLine::Counts, |batch| {
            engine.absorb(batch);
        })
        .context("cannot read the rows")?;
        engine.settle();
        Ok(engine)
    }
}

impl Loaded {
    fn tell(&self) {
        for notice in &self.notices {
            super::tell!("{}: {}", notice.path.display(), notice.message);
        }
        if self.refused > 0 {
            super::tell!("{} lines were refused; the last of them:", self.refused);
            for refusal in &self.refusals {
                super::tell!("  {}:{}: {}", refusal.path.display(), refusal.line, refusal.reason);
            }
        }
    }
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
