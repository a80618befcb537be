//! `noctop evaluate`: how good scores and incidents are, against labels.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;

use super::load::ScoringArgs;
use super::output::{print, whole};
use crate::config::Config;
use crate::evaluate::report::Wanted;
use crate::evaluate::{Case, Labels, Report, curves, picture};

/// What `evaluate` is told.
#[derive(Debug, Args)]
pub struct EvaluateArgs {
    #[command(flatten)]
    scoring: ScoringArgs,
    /// File of the intervals that are truly anomalous: hostname, ifname, start, end, and, if known, kind and story
    #[arg(long, value_name = "FILE")]
    labels: PathBuf,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
    /// Also the scores of the Numenta benchmark; noctop's are those of the notify column
    #[arg(long)]
    nab: bool,
    /// SVG file for a picture: precision and recall, and recall against false alarms
    #[arg(long, value_name = "FILE")]
    picture: Option<PathBuf>,
}

/// Runs it.
///
/// # Errors
/// When a directory or the labels cannot be read, the model is none, a label is about an interface
/// without rows, or the picture cannot be written.
pub fn run(args: &EvaluateArgs, config: &Config) -> anyhow::Result<()> {
    args.scoring.refuse_output("--picture", args.picture.as_ref(), config)?;
    // Before the rows, which take longer: a wrong label is told of at once.
    let labels = Labels::read(&args.labels, &args.scoring.read_options(config)?)?;
    let (engine, loaded) = args.scoring.engine(config)?;
    let case = Case::new(&engine, &labels)?;
    let (report, curves) = Report::new(&case, Wanted { nab: args.nab, curves: args.picture.is_some() });
    if let Some(path) = &args.picture {
        let svg = picture::svg(&curves, curves::setting(&report.listed))?;
        whole(path, |out| out.write_all(svg.as_bytes()))?;
    }
    let mut text = Vec::new();
    if args.json {
        serde_json::to_writer_pretty(&mut text, &report)?;
        writeln!(text)?;
    } else {
        report.write_table(&mut text)?;
    }
    print(&text)?;
    loaded.complete()
}
