//! The command line: one file for each subcommand, each a thin face on the engine.
//!
//! Data goes to standard output, everything else to standard error.

pub mod demo;
pub mod load;
pub mod plain;
pub mod score;
pub mod simulate;
pub mod train;
pub mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};

use crate::detect::Settings;
use crate::ingest::ReadOptions;
use crate::model::Model;

/// Watches the load of network interfaces and says which behave unlike themselves.
#[derive(Debug, Parser)]
#[command(name = "noctop", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    watch: watch::WatchArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch a directory in the console; plain lines where there is no terminal. Without a command, this
    Watch(watch::WatchArgs),
    /// Watch a simulated network with incidents
    Demo(demo::DemoArgs),
    /// Learn a model from a directory of rows
    Train(train::TrainArgs),
    /// Score every row of a directory, as CSV
    Score(score::ScoreArgs),
    /// Write a fleet's rows from a seed, with incidents that are known
    Simulate(simulate::Args),
}

/// How rows are read.
#[derive(Debug, Args, Clone)]
pub struct ReadArgs {
    /// What stands between two fields
    #[arg(long, default_value = ",", value_name = "CHARACTER")]
    delimiter: char,
    /// Zone of timeslots that do not name one, e.g. Europe/Berlin
    #[arg(long, default_value = "UTC", value_name = "ZONE")]
    time_zone: String,
}

impl ReadArgs {
    fn options(&self) -> anyhow::Result<ReadOptions> {
        let delimiter = u8::try_from(self.delimiter).ok().filter(u8::is_ascii);
        Ok(ReadOptions {
            delimiter: delimiter
                .with_context(|| format!("--delimiter {:?}: name one ASCII character", self.delimiter))?,
            time_zone: jiff::tz::TimeZone::get(&self.time_zone)
                .with_context(|| format!("--time-zone {}: name a zone such as UTC or Europe/Berlin", self.time_zone))?,
            ..ReadOptions::default()
        })
    }
}

/// What decides alarms.
#[derive(Debug, Args, Clone)]
pub struct AlarmArgs {
    /// Alarms wanted for each interface and week, by chance alone
    #[arg(long, default_value_t = 1.0, value_name = "N")]
    alarms_per_week: f64,
}

impl AlarmArgs {
    fn settings(&self) -> anyhow::Result<Settings> {
        let n = self.alarms_per_week;
        anyhow::ensure!(n > 0.0 && n <= 1000.0, "--alarms-per-week {n}: name a number above 0 and up to 1000");
        Ok(Settings { alarms_per_week: n })
    }
}

/// Reads the arguments and runs what they ask for.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let result = match &cli.command {
        None => watch::run(&cli.watch),
        Some(Command::Watch(args)) => watch::run(args),
        Some(Command::Demo(args)) => demo::run(args),
        Some(Command::Train(args)) => train::run(args),
        Some(Command::Score(args)) => score::run(args),
        Some(Command::Simulate(args)) => simulate::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            if let Some(Quiet(code)) = e.downcast_ref() {
                return ExitCode::from(*code);
            }
            eprintln!("noctop: {e:#}");
            ExitCode::FAILURE
        }
    }
}

/// An end with this exit code and without a word, as after a signal. It goes up to [`main`] rather
/// than ending the process where it happens, so that what a command made is tidied away.
#[derive(Debug, thiserror::Error)]
#[error("exit code {0}")]
struct Quiet(u8);

impl Quiet {
    fn with(code: i32) -> Self {
        Self(u8::try_from(code).unwrap_or(1))
    }
}

fn model(path: Option<&Path>) -> anyhow::Result<Model> {
    Ok(match path {
        Some(path) => Model::load(path)?,
        None => Model::built_in()?,
    })
}

fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// An output in a directory that is read would be read as input one day.
fn refuse_output_in(dir: &Path, file: &Path, flag: &str) -> anyhow::Result<()> {
    let parent = match file.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_owned(),
        _ => PathBuf::from("."),
    };
    let same = matches!((dir.canonicalize(), parent.canonicalize()), (Ok(a), Ok(b)) if a == b);
    anyhow::ensure!(
        !same,
        "{flag} {}: lies in the directory that rows are read from; name a file elsewhere",
        file.display()
    );
    Ok(())
}
