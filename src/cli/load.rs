//! Reads directories once, whole, into an engine, with progress on stderr.

use std::collections::VecDeque;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};

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

/// Reads `roots` to their end.
pub fn read_all(
    roots: Vec<(Root, PathBuf)>,
    options: ReadOptions,
    mut take: impl FnMut(&Batch),
) -> anyhow::Result<Loaded> {
    let names: Vec<String> = roots.iter().map(|(_, dir)| dir.display().to_string()).collect();
    let mut tailer = Tailer::new(roots, options)?;
    let bar = bar("reading", true);
    let mut loaded = Loaded::default();
    let mut rows = 0;
    loop {
        let batch = tailer.finish();
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

/// Reads `roots` into `engine` and scores them.
pub fn load(engine: &mut Engine, roots: Vec<(Root, PathBuf)>, options: ReadOptions) -> anyhow::Result<()> {
    read_all(roots, options, |batch| {
        engine.absorb(batch);
    })
    .context("cannot read the rows")?;
    Ok(())
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
