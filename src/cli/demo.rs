//! `noctop demo`: a simulated live network in a temporary directory, in the console.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use clap::Args;

use super::time::parse_duration;
use super::watch::{FaceArgs, show};
use crate::config::Config;
use crate::engine::live::LiveOptions;
use crate::journal::Journal;
use crate::model::Model;
use crate::series::Timestamp;
use crate::simulate::live::{LiveFleet, WallClock};
use crate::simulate::{Plan, Target};

/// What `demo` is told.
#[derive(Debug, Args)]
pub struct DemoArgs {
    // Not the sample's seed: the built-in model has learnt from that fleet, and a model that is
    // trained on the demo would rarely be better.
    /// Everything that is random follows from this number
    #[arg(long, default_value_t = 5)]
    seed: u64,
    /// Time from one simulated hour to the next, for example 500ms or 2s; a number alone is milliseconds
    #[arg(long, default_value = "2s", value_name = "DURATION", value_parser = every)]
    every: Duration,
    #[command(flatten)]
    face: FaceArgs,
}

/// A time that can pass between two hours of the demo.
fn every(text: &str) -> Result<Duration, String> {
    let every = match text.parse() {
        Ok(milliseconds) => Duration::from_millis(milliseconds),
        Err(_) => parse_duration(text)?,
    };
    let range = Duration::from_millis(50)..=Duration::from_secs(3600);
    range.contains(&every).then_some(every).ok_or_else(|| "name a time from 50ms to 1h".to_owned())
}

/// Runs it.
///
/// # Errors
/// When there is no room for temporary files, or the terminal fails.
pub fn run(args: &DemoArgs, config: &Config) -> anyhow::Result<()> {
    let place = Place::new()?;
    let plan = Plan::demo(args.seed, Timestamp::from(SystemTime::now()));
    let rows = place.0.join("rows");
    let target = Target { rows: rows.clone(), labels: Some(place.0.join("labels.csv")), force: false };
    let mut fleet = LiveFleet::create(&plan, target, &mut |_, _| {})?;

    let stop = Arc::new(AtomicBool::new(false));
    let (stopped, every) = (stop.clone(), args.every);
    let writer = std::thread::Builder::new()
        .name("network".into())
        .spawn(move || fleet.run(every, None, &stopped, &WallClock::start()))?;
    let shown = show(
        LiveOptions {
            journal: Some(Journal::under(&place.0, &rows)),
            threads: super::threads(),
            ..LiveOptions::new(rows, Model::built_in()?)
        },
        &args.face,
        &args.face.over(config),
    );
    stop.store(true, Ordering::Relaxed);
    let written = writer.join().map_err(|_| anyhow::anyhow!("the simulated network has failed"))?;
    shown?;
    written.context("the simulated network")
}

/// A temporary directory that is gone with the demo.
struct Place(PathBuf);

impl Place {
    fn new() -> anyhow::Result<Self> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.subsec_nanos());
        let dir = std::env::temp_dir().join(format!("noctop-demo-{}-{nanos}", std::process::id()));
        std::fs::create_dir(&dir).with_context(|| format!("cannot create {}", dir.display()))?;
        Ok(Self(dir))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_of_the_demo_takes_a_time_or_so_many_milliseconds() {
        let read = ["300", "300ms", "2s", "1h"].map(|text| every(text).unwrap().as_millis());
        assert_eq!(read, [300, 300, 2000, 3_600_000]);
        for bad in ["", "0", "10ms", "2h", "soon", "-5"] {
            assert!(every(bad).is_err(), "{bad}");
        }
    }
}
