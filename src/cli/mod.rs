//! The command line: one file for each subcommand, each a thin face on the engine.
//!
//! Data goes to standard output, everything else to standard error.

pub mod check;
pub mod demo;
pub mod evaluate;
pub mod explore;
pub mod handover;
pub mod load;
pub mod look;
mod manual;
mod output;
pub mod plain;
mod refused;
pub mod score;
pub mod simulate;
mod skill;
mod time;
pub mod train;
pub mod triage;
mod values;
pub mod watch;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::error::{ContextKind, ErrorKind};
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use jiff::tz::TimeZone;

use crate::config::Config;
use crate::detect::Settings;
use crate::ingest::{ColumnNames, ReadOptions};
use crate::inventory::Inventory;
use crate::model::Model;
use crate::series::Clock;
use crate::whole::directory;

/// Says something on standard error, line by line without what a terminal obeys, since names of files are in it.
/// Where nobody can hear it any more, as after a hang-up, that is no reason to panic, which is what `eprintln!` would
/// do.
macro_rules! tell {
    ($($words:tt)*) => {{
        use std::io::Write as _;
        for line in format!($($words)*).lines() {
            let _ = writeln!(std::io::stderr(), "{}", crate::series::printable(line));
        }
    }};
}
pub(crate) use tell;

/// What a directory has to hold, for who reads the help only.
const ROWS: &str = "\
Reads every *.csv file of the directory, and what rotation made of one (.csv.1, .csv-20261123, .gz). \
The first line names the columns; these must be among them, in any order: timeslot, hostname, ifname, \
max_metric_value, mean_metric_value.

To see it at work: noctop demo";

/// Watches the load of network interfaces and says which behave unlike themselves.
#[derive(Debug, Parser)]
#[command(name = "noctop", version, max_term_width = 100, args_conflicts_with_subcommands = true, after_help = ROWS)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    watch: watch::WatchArgs,
    /// Configuration file [default: NOCTOP_CONFIG, else noctop/config.toml in the user's configuration directory]
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Watch a directory: what noctop does when no command is given
    Watch(watch::WatchArgs),
    /// Watch a simulated network that has incidents; nothing of it stays on disk
    Demo(demo::DemoArgs),
    /// Say of each file how far it is read and what was refused; exit code 3 where something does not count, or nothing is there
    Check(check::CheckArgs),
    /// Say what is open and how bad it is, and end with an exit code for monitoring: 0 ok, 1 warning, 2 critical, 3 unknown
    Triage(triage::TriageArgs),
    /// Write a shift's story as Markdown: what opened, closed, rang and is still open, and who said what; exit code 3 where files could not be read or used
    Handover(handover::HandoverArgs),
    /// Learn a model from a directory of rows; exit code 3 where files could not be read or used
    Train(train::TrainArgs),
    /// Score every row of a directory, as CSV; exit code 3 where files could not be read or used
    Score(score::ScoreArgs),
    /// Measure scores and incidents against labels, beside simple forecasts; exit code 3 where files could not be read or used
    Evaluate(evaluate::EvaluateArgs),
    /// Tell what the data of a directory is like, before any model of it; exit code 3 where files could not be read or used
    Explore(explore::ExploreArgs),
    /// Write a fleet's rows from a seed, with incidents that are known
    Simulate(simulate::Args),
    /// Write completions for a shell to standard output
    Completions {
        /// Which shell
        shell: clap_complete::Shell,
    },
    /// Write a manual page to standard output: noctop man | man -l -
    Man {
        /// The page of a command [default: the page of noctop]
        command: Option<String>,
    },
}

/// How rows are read.
#[derive(Debug, Args, Clone)]
pub struct ReadArgs {
    /// Character between two fields; \t for a tab [default: ,]
    #[arg(long, value_name = "CHARACTER", value_parser = values::delimiter)]
    delimiter: Option<char>,
    /// Time zone of timeslots that state none, for example Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = values::zone)]
    time_zone: Option<String>,
    /// Read the directories below, too
    #[arg(long)]
    recursive: bool,
}

impl ReadArgs {
    /// The settings with these arguments over them.
    fn over(&self, config: &Config) -> Config {
        let mut config = config.clone();
        config.input.delimiter = self.delimiter.or(config.input.delimiter);
        config.input.time_zone = self.time_zone.clone().or(config.input.time_zone);
        config.input.recursive = self.recursive.then_some(true).or(config.input.recursive);
        config
    }

    fn recursive(&self, config: &Config) -> bool {
        self.recursive || config.input.recursive == Some(true)
    }

    /// The zone of timeslots that state none.
    fn time_zone(&self, config: &Config) -> anyhow::Result<TimeZone> {
        let zone = self.time_zone.as_deref().or(config.input.time_zone.as_deref()).unwrap_or("UTC");
        let flagged = self.time_zone.is_some();
        zone_of("time zone", zone, || if flagged { String::new() } else { config.whence("input", "time_zone") })
    }

    fn options(&self, config: &Config) -> anyhow::Result<ReadOptions> {
        let delimiter = self.delimiter.or(config.input.delimiter).unwrap_or(',');
        let byte = u8::try_from(delimiter).ok().filter(u8::is_ascii);
        // a flag has no place in the file
        let whence = |flagged: bool, key| if flagged { String::new() } else { config.whence("input", key) };
        let (own, usual) = (&config.input.columns, ColumnNames::default());
        let named = |own: &Option<String>, usual: String| own.clone().unwrap_or(usual);
        let options = ReadOptions {
            delimiter: byte.with_context(|| {
                let whence = whence(self.delimiter.is_some(), "delimiter");
                format!("{whence}delimiter {delimiter:?}: name one ASCII character")
            })?,
            time_zone: self.time_zone(config)?,
            columns: ColumnNames {
                timeslot: named(&own.timeslot, usual.timeslot),
                hostname: named(&own.hostname, usual.hostname),
                ifname: named(&own.ifname, usual.ifname),
                max_metric_value: named(&own.max_metric_value, usual.max_metric_value),
                mean_metric_value: named(&own.mean_metric_value, usual.mean_metric_value),
            },
            recursive: self.recursive(config),
            ..ReadOptions::default()
        };
        options.check().with_context(|| format!("{}[input]", config.whence("input", "columns")))?;
        Ok(options)
    }
}

/// The zone that a setting names; where there is none of that name, `whence` says where the name stands.
fn zone_of(setting: &str, name: &str, whence: impl FnOnce() -> String) -> anyhow::Result<TimeZone> {
    let complaint = || format!("{}{setting} {name}: name a zone such as UTC or Europe/Berlin", whence());
    TimeZone::get(name).with_context(complaint)
}

/// Whose clock loads follow.
#[derive(Debug, Args, Clone)]
pub struct ClockArgs {
    /// Zone whose clock the load follows, as Europe/Berlin: by it the hours of days and weeks are told [default: the zone of --time-zone, else UTC]
    #[arg(long, value_name = "ZONE", value_parser = values::zone)]
    clock: Option<String>,
}

impl ClockArgs {
    /// The settings with these arguments over them.
    fn over(&self, config: &Config) -> Config {
        Config { clock: self.clock.clone().or(config.clock.clone()), ..config.clone() }
    }

    /// That of these arguments, else of the settings, else that of timeslots that state no zone.
    fn clock(&self, read: &ReadArgs, config: &Config) -> anyhow::Result<Clock> {
        let Some(zone) = self.clock.as_deref().or(config.clock.as_deref()) else {
            return Ok(Clock::of(&read.time_zone(config)?));
        };
        let flagged = self.clock.is_some();
        let whence = || if flagged { String::new() } else { config.whence("", "clock") };
        Ok(Clock::of(&zone_of("clock", zone, whence)?))
    }
}

/// What people know of interfaces.
#[derive(Debug, Args, Clone)]
pub struct InventoryArgs {
    /// CSV file with the columns hostname, ifname, description and speed (in the unit of the rows; 10G, 2.5M) [default: the configuration's, else none]
    #[arg(long, value_name = "FILE")]
    inventory: Option<PathBuf>,
}

impl InventoryArgs {
    fn read(&self, config: &Config) -> anyhow::Result<Inventory> {
        if let Some(path) = &self.inventory {
            return Ok(Inventory::read(path)?);
        }
        let read = config.inventory.as_ref().map(|path| Inventory::read(path)).transpose();
        Ok(read.with_context(|| format!("{}inventory", config.whence("", "inventory")))?.unwrap_or_default())
    }
}

/// What decides alarms.
#[derive(Debug, Args, Clone)]
pub struct AlarmArgs {
    /// False alarms to put up with, for each interface and week: decides how rare a row must be to be an anomaly [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::above_nothing(values::MOST_ALARMS))]
    alarms_per_week: Option<f64>,
    /// How many incidents a day may ring, in the whole directory: the bar follows from the days before [default: 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::above_nothing(values::MOST_RINGS))]
    rings_per_day: Option<f64>,
    /// Hours for which a shifted level must be stable to be taken over as the new normal; 0 or never for never [default: 48]
    #[arg(long, value_name = "HOURS", allow_negative_numbers = true, value_parser = values::hours)]
    shift_accepted_after: Option<f64>,
}

impl AlarmArgs {
    /// The settings with these arguments over them.
    fn over(&self, config: &Config) -> Config {
        Config {
            alarms_per_week: self.alarms_per_week.or(config.alarms_per_week),
            rings_per_day: self.rings_per_day.or(config.rings_per_day),
            shift_accepted_after: self.shift_accepted_after.or(config.shift_accepted_after),
            ..config.clone()
        }
    }

    fn settings(&self, config: &Config) -> anyhow::Result<Settings> {
        // what is wrong here is the file's: the flags were looked at before
        let usual = Settings::default();
        let n = self.alarms_per_week.or(config.alarms_per_week).unwrap_or(usual.alarms_per_week);
        let most = values::MOST_ALARMS;
        anyhow::ensure!(
            values::is_above_nothing(n, most),
            "{}alarms per week {n}: name a number above 0 and up to {most}",
            config.whence("", "alarms_per_week")
        );
        let rings = self.rings_per_day.or(config.rings_per_day).unwrap_or(usual.rings_per_day);
        let most = values::MOST_RINGS;
        anyhow::ensure!(
            values::is_above_nothing(rings, most),
            "{}rings per day {rings}: name a number above 0 and up to {most}",
            config.whence("", "rings_per_day")
        );
        let hours = self.shift_accepted_after.or(config.shift_accepted_after);
        let hours = hours.or(usual.shift_accepted_after).filter(|hours| *hours != 0.0);
        if let Some(hours) = hours {
            anyhow::ensure!(
                values::HOURS.contains(&hours),
                "{}a shift accepted after {hours} hours: name a number from {} to {}, or 0 for never",
                config.whence("", "shift_accepted_after"),
                values::HOURS.start(),
                values::HOURS.end()
            );
        }
        Ok(Settings { alarms_per_week: n, rings_per_day: rings, shift_accepted_after: hours })
    }
}

/// Reads the arguments and runs what they ask for.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => return usage(&told_better(e)),
    };
    match run(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            if let Some(Quiet(code)) = e.downcast_ref() {
                return ExitCode::from(*code);
            }
            if let Some(e) = e.downcast_ref::<clap::Error>() {
                return usage(e);
            }
            if let Some(Command::Triage(args)) = &cli.command {
                return ExitCode::from(triage::unknown(&whole_story(&e), args.json()));
            }
            tell!("noctop: {}", whole_story(&e));
            ExitCode::FAILURE
        }
    }
}

/// Where a word that is no command was taken for the directory, what follows it makes no sense: the word is told of,
/// not what follows. So is a second directory, which is taken for a command.
fn told_better(e: clap::Error) -> clap::Error {
    if !e.use_stderr() {
        return e;
    }
    let first = std::env::args_os().nth(1).unwrap_or_default();
    let whole = |why: String| Cli::command().error(ErrorKind::ValueValidation, why);
    if let Some(why) = values::command_like(Path::new(&first)) {
        return whole(why);
    }
    match (e.kind(), e.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::ArgumentConflict, Some(word)) => {
            whole(format!("{word} is one too many: one directory is watched at a time"))
        }
        _ => e,
    }
}

/// Says how the arguments are to be, or the help that was asked for.
fn usage(e: &clap::Error) -> ExitCode {
    let printed = e.print().and_then(|()| io::stdout().flush());
    ExitCode::from(match e.use_stderr() {
        // The help is data. Who pipes it into `head` has read enough.
        false => match printed {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                tell!("noctop: standard output: {e}");
                1
            }
            _ => 0,
        },
        // Where nobody can be told, the exit code says it.
        // A monitoring agent takes 2 for critical.
        true if std::env::args_os().nth(1).is_some_and(|first| first == "triage") => 3,
        true => 2,
    })
}

fn run(cli: &Cli) -> anyhow::Result<()> {
    // a variable that is empty names nothing, as those of the XDG directories
    let set = std::env::var_os("NOCTOP_CONFIG").filter(|path| !path.is_empty());
    let named = cli.config.clone().or(set.map(PathBuf::from));
    let config = Config::load(named.as_deref())?;
    match &cli.command {
        None => watch::run(&cli.watch, &config),
        Some(Command::Watch(args)) => watch::run(args, &config),
        Some(Command::Demo(args)) => demo::run(args, &config),
        Some(Command::Check(args)) => check::run(args, &config),
        Some(Command::Triage(args)) => triage::run(args, &config),
        Some(Command::Train(args)) => train::run(args, &config),
        Some(Command::Score(args)) => score::run(args, &config),
        Some(Command::Evaluate(args)) => evaluate::run(args, &config),
        Some(Command::Explore(args)) => explore::run(args, &config),
        Some(Command::Simulate(args)) => simulate::run(args),
        Some(Command::Handover(args)) => handover::run(args, &config),
        Some(Command::Completions { shell }) => manual::completions(&mut Cli::command(), *shell),
        Some(Command::Man { command }) => manual::page(Cli::command(), command.as_deref()),
    }
}

/// An error and its causes in one line. Many an error says its cause itself: that is not said again.
fn whole_story(e: &anyhow::Error) -> String {
    e.chain().map(ToString::to_string).fold(String::new(), |said, cause| match said {
        said if said.is_empty() => cause,
        said if said.contains(&cause) => said,
        said => format!("{said}: {cause}"),
    })
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
fn refuse_output_in(dir: &Path, recursive: bool, file: &Path, flag: &str) -> anyhow::Result<()> {
    let read = matches!(
        (dir.canonicalize(), directory(file).canonicalize()),
        (Ok(dir), Ok(parent)) if parent == dir || (recursive && parent.starts_with(&dir))
    );
    anyhow::ensure!(
        !read,
        "{flag} {}: lies in the directory that rows are read from; name a file elsewhere",
        file.display()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let e = Model::load(Path::new("no/such/model")).map(drop).context("outer").unwrap_err();
        let text = whole_story(&e);
        assert!(text.starts_with("outer: no/such/model: "), "{text}");
        assert_eq!(text.matches("os error").count(), 1, "{text}");
    }

    #[test]
    fn the_arguments_are_sound() {
        Cli::command().debug_assert();
    }
}
