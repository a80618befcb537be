//! `noctop simulate`: a fleet's rows from a seed, at once or on a clock.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};

use super::time::{parse_duration, parse_time};
use super::values::senseless;
use crate::series::{Step, Timestamp};
use crate::simulate::live::{LiveFleet, WallClock, ending_at};
use crate::simulate::{Fleet, Kind, Plan, SimulateError, Summary, Target, files};

/// Arguments of `noctop simulate`.
#[derive(Debug, Clone, clap::Args)]
pub struct Args {
    /// Directory for the rows: one CSV file for each device
    #[arg(long, value_name = "DIR")]
    output: PathBuf,
    /// File for the true incidents, outside that directory [default: none is written]
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Everything that is random follows from this number
    #[arg(long, default_value_t = 4)]
    seed: u64,
    /// Time from one slot to the next, for example 10s, 5m or 1h; divides a day, at most 6h
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_duration)]
    step: Duration,
    /// Days of history
    #[arg(long, default_value_t = 35)]
    days: u32,
    /// Devices
    #[arg(long, default_value_t = 5)]
    devices: u32,
    /// Interfaces of each device
    #[arg(long, default_value_t = 6)]
    interfaces: u32,
    /// First slot, UTC: a date, or date and time [default: 2026-01-05; with --live, so that history ends now]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    start: Option<Timestamp>,
    /// Labelled incidents: none, few (0.1), normal (0.3), many (0.7), or how many for each interface and week, up to 1
    #[arg(long, value_name = "RATE", default_value = "normal", value_parser = parse_rate)]
    incidents: f64,
    /// Incidents that hit several interfaces of a device, for each device and week, up to 1 [default: two thirds of --incidents]
    #[arg(long, value_name = "RATE")]
    stories: Option<f64>,
    /// Kinds of incidents, separated by commas [default: all of spike, microburst, drop-to-zero, flatline, level-shift, drift, silence]
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    kinds: Vec<Kind>,
    /// Days at the start without labelled incidents [default: two fifths of --days, at most 14]
    #[arg(long, value_name = "DAYS")]
    quiet_days: Option<u32>,
    /// Incidents in those days, which get no label, for each interface and week, up to 1
    #[arg(long, value_name = "RATE", default_value_t = 0.0)]
    unlabelled: f64,
    /// Share of interfaces that get a nightly backup at some day after those; its first three nights are labelled
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    new_backups: f64,
    /// Share of the labelled incidents of single interfaces that come again 3 to 6 days later, about as strong
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    repeats: f64,
    /// After the history, append the next slot's rows on a clock, until ctrl-c
    #[arg(long)]
    live: bool,
    /// Time between two slots of --live, for example 500ms or 2s [default: the step, as in reality]
    #[arg(long, value_name = "DURATION", requires = "live", value_parser = parse_duration)]
    every: Option<Duration>,
    /// End --live after this many slots
    #[arg(long, value_name = "N", requires = "live")]
    slots: Option<u64>,
    /// Write although there are CSV files: those of the same name are replaced, others stay
    #[arg(long)]
    force: bool,
}

impl Args {
    fn plan(&self, now: Timestamp) -> anyhow::Result<Plan> {
        let step = i64::try_from(self.step.as_secs())
            .ok()
            .filter(|_| self.step.subsec_nanos() == 0)
            .and_then(Step::from_seconds)
            .ok_or_else(|| senseless("a step is at least one second, and whole seconds"))?;
        let usual = Plan::default();
        let start = match self.start {
            Some(start) => start,
            None if self.live => ending_at(now, step.seconds(), self.days),
            None => usual.start,
        };
        Ok(Plan {
            seed: self.seed,
            start,
            step,
            days: self.days,
            devices: self.devices,
            interfaces: self.interfaces,
            rate: self.incidents,
            stories: self.stories.unwrap_or(Plan::stories_for(self.incidents)),
            quiet_days: self.quiet_days.unwrap_or((self.days.saturating_mul(2) / 5).min(usual.quiet_days)),
            unlabelled: self.unlabelled,
            kinds: if self.kinds.is_empty() { usual.kinds } else { self.kinds.clone() },
            new_backups: self.new_backups,
            repeats: self.repeats,
            script: usual.script,
        })
    }
}

/// A plan that makes no sense is one of the arguments'.
fn told(e: SimulateError) -> anyhow::Error {
    match e {
        SimulateError::Plan(why) => senseless(why),
        other => other.into(),
    }
}

/// Runs `noctop simulate`.
///
/// # Errors
/// When the arguments make no sense together or something cannot be written.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?.as_secs();
    let plan = args.plan(Timestamp::from_seconds(i64::try_from(now)?))?;
    let target = Target { rows: args.output.clone(), labels: args.labels.clone(), force: args.force };
    let bar = progress_bar();
    let mut progress = |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    };
    if !args.live {
        let summary = files::write_history(&mut Fleet::new(&plan).map_err(told)?, &target, &mut progress)?;
        bar.finish_and_clear();
        super::tell!("{}", describe(&summary));
        return Ok(());
    }
    let mut live = LiveFleet::create(&plan, target, &mut progress).map_err(told)?;
    bar.finish_and_clear();
    let every = args.every.unwrap_or(args.step);
    super::tell!("{}", describe(live.summary()));
    super::tell!("live: the slot of {} comes in {every:?}, then one every {every:?}; ctrl-c ends it", live.next_time());
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register(signal, stop.clone()).context("cannot listen to signals")?;
    }
    live.run(every, args.slots, &stop, &WallClock::start())?;
    super::tell!("{}", describe(&live.finish()?));
    Ok(())
}

/// A bar on a terminal; nothing elsewhere.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:30} {percent}% of the rows, {eta} left");
    ProgressBar::new(1).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What was written, in a line.
fn describe(summary: &Summary) -> String {
    let Summary { rows, bytes, incidents, stories } = summary;
    let all: u64 = incidents.values().sum();
    let kinds: Vec<String> =
        incidents.iter().filter(|(_, count)| **count > 0).map(|(kind, count)| format!("{count} {kind}")).collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    format!("{rows} rows, {bytes} bytes; labelled incidents: {all}{kinds}; stories: {}", stories.len())
}

/// Reads a rate or its name.
fn parse_rate(text: &str) -> Result<f64, String> {
    match text {
        "none" => Ok(0.0),
        "few" => Ok(0.1),
        "normal" => Ok(0.3),
        "many" => Ok(0.7),
        _ => text.parse().map_err(|_| "write none, few, normal, many, or a number from 0 to 1".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Whole {
        #[command(flatten)]
        args: Args,
    }

    fn args(line: &str) -> Args {
        Whole::parse_from(line.split(' ')).args
    }

    #[test]
    fn without_flags_it_is_the_plan_of_the_sample_whatever_the_hour() {
        for now in [0, 1_800_000_123] {
            assert_eq!(args("simulate --output x").plan(Timestamp::from_seconds(now)).unwrap(), Plan::default());
        }
    }

    #[test]
    fn live_history_ends_with_the_slot_of_now() {
        let now = Timestamp::from_seconds(1_800_000_123);
        let plan = args("simulate --output x --live --step 5m --days 3").plan(now).unwrap();
        let end = plan.start.plus(3 * 86_400);
        assert!(end <= now && now.since(end) < 300 && end.seconds() % 300 == 0);
    }

    #[test]
    fn flags_reach_the_plan() {
        let line =
            "simulate --output x --incidents many --kinds spike,drift --days 10 --step 10s --start 2026-02-03T04:00";
        let plan = args(line).plan(Timestamp::from_seconds(0)).unwrap();
        assert_eq!((plan.rate, plan.quiet_days, plan.step.seconds()), (0.7, 4, 10));
        assert_eq!(plan.kinds, [Kind::Spike, Kind::Drift]);
        assert_eq!(plan.start.to_string(), "2026-02-03 04:00:00");
    }

    #[test]
    fn rates_are_read_or_refused() {
        assert_eq!(parse_rate("0.25"), Ok(0.25));
        assert!(parse_rate("lots").is_err());
    }

    #[test]
    fn every_needs_live() {
        assert!(Whole::try_parse_from("simulate --output x --every 2s".split(' ')).is_err());
    }
}
