//! `noctop score`: every row of a directory with its score, as CSV.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::load::ScoringArgs;
use super::output::whole;
use crate::config::Config;
use crate::engine::{Engine, Told};

/// What `score` is told.
#[derive(Debug, Args)]
pub struct ScoreArgs {
    #[command(flatten)]
    scoring: ScoringArgs,
    /// File for the scores [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// File for the incidents, silences included [default: none is written]
    #[arg(long, value_name = "FILE")]
    pub incidents: Option<PathBuf>,
}

/// Columns of the scores.
pub const COLUMNS: [&str; 16] = [
    "timeslot",
    "hostname",
    "ifname",
    "max_metric_value",
    "mean_metric_value",
    "max_expected",
    "mean_expected",
    "max_error",
    "mean_error",
    "score",
    "notify",
    "verdict",
    "cluster",
    "anomaly",
    "incident",
    "story",
];

/// Columns of the incidents.
pub const INCIDENT_COLUMNS: [&str; 12] =
    ["hostname", "ifname", "id", "kind", "start", "end", "peak", "direction", "story", "verdict", "state", "rings"];

/// Runs it.
///
/// # Errors
/// When a directory cannot be read, the model is none, or an output cannot be written.
pub fn run(args: &ScoreArgs, config: &Config) -> anyhow::Result<()> {
    for (flag, file) in [("--output", &args.output), ("--incidents", &args.incidents)] {
        args.scoring.refuse_output(flag, file.as_ref(), config)?;
    }
    let engine = args.scoring.engine(config)?;
    let incidents = engine.incidents();
    let done = match &args.output {
        Some(path) => whole(path, |out| write_scores(&engine, &incidents, out)),
        None => write_scores(&engine, &incidents, &mut io::stdout().lock())
            .or_else(fine_if_closed)
            .context("standard output"),
    };
    done?;
    if let Some(path) = &args.incidents {
        whole(path, |out| write_incidents(&engine, &incidents, out))?;
    }
    Ok(())
}

/// Who pipes into `head` has read enough.
fn fine_if_closed(e: csv::Error) -> Result<(), csv::Error> {
    match e.kind() {
        csv::ErrorKind::Io(io) if io.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        _ => Err(e),
    }
}

/// Writes one row for each row of the data directory, by interface and then by time.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_scores(engine: &Engine, incidents: &[Told], out: &mut dyn Write) -> Result<(), csv::Error> {
    let stories: std::collections::HashMap<_, _> =
        incidents.iter().filter_map(|t| Some((t.incident.id, t.story?.0))).collect();
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(COLUMNS)?;
    for (_, track) in engine.by_name() {
        let name = track.name();
        for (i, s) in track.scored().from(0).filter(|(i, _)| engine.is_data(track, *i)) {
            let [max, mean] = track.history().values(i);
            let story = s.incident.and_then(|id| stories.get(&id));
            csv.write_record([
                track.history().time(i).to_string().as_str(),
                &name.host,
                &name.ifname,
                &max.to_string(),
                &mean.to_string(),
                &s.expected[0].to_string(),
                &s.expected[1].to_string(),
                &s.error[0].to_string(),
                &s.error[1].to_string(),
                &s.score.to_string(),
                &s.notify.to_string(),
                s.verdict.word(),
                &s.cluster.to_string(),
                if s.anomaly { "1" } else { "0" },
                &s.incident.map(|i| i.to_string()).unwrap_or_default(),
                &story.map(ToString::to_string).unwrap_or_default(),
            ])?;
        }
    }
    csv.flush()?;
    Ok(())
}

/// Writes one row for each incident that reaches into the data directory's rows, in the order of starts.
///
/// # Errors
/// When `out` cannot be written to.
pub fn write_incidents(engine: &Engine, incidents: &[Told], out: &mut dyn Write) -> Result<(), csv::Error> {
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(INCIDENT_COLUMNS)?;
    for told in incidents {
        let (track, incident) = (&engine.tracks()[told.interface.index()], &told.incident);
        let first = track.history().places().find(|i| engine.is_data(track, *i)).map(|i| track.history().time(i));
        if first.is_none_or(|first| incident.latest < first) {
            continue;
        }
        csv.write_record([
            &*track.name().host,
            &track.name().ifname,
            &incident.id.to_string(),
            incident.kind.name(),
            &incident.start.to_string(),
            &incident.end.map(|e| e.to_string()).unwrap_or_default(),
            &incident.peak.to_string(),
            incident.direction.map_or("", |d| d.word()),
            &told.story.map(|(s, _)| s.to_string()).unwrap_or_default(),
            incident.verdict.word(),
            incident.state(),
            if told.rings { "1" } else { "0" },
        ])?;
    }
    csv.flush()?;
    Ok(())
}
