//! `noctop train`: learn a model from a directory of rows.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;

use super::load::{bar, read_all};
use super::plain::printable;
use crate::config::Config;
use crate::engine::{Engine, training};
use crate::ingest::Root;
use crate::model::train::{Options, Series, Trained};
use crate::model::{Expert, Model};

/// What `train` is told.
#[derive(Debug, Args)]
pub struct TrainArgs {
    /// Directory of CSV files to learn from
    pub dir: PathBuf,
    /// File to write the model to; one that is there stays until the new one is complete
    #[arg(long, value_name = "FILE")]
    pub model: PathBuf,
    /// The same seed gives the same model for the same rows
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// At most so many passes over the rows; training stops earlier when the loss no longer falls
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub epochs: u16,
    /// At most so many windows of 24 slots to learn from; each interface gives an equal share
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub max_windows: usize,
    /// Adam's learning rate at the start
    #[arg(long, default_value_t = 2e-3, value_name = "RATE")]
    pub learning_rate: f64,
    /// What the console calls the model [default: the file's name without its ending]
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    read: super::ReadArgs,
}

/// Runs it.
///
/// # Errors
/// When the directory cannot be read, has too few rows, or the model cannot be written.
pub fn run(args: &TrainArgs, config: &Config) -> anyhow::Result<()> {
    anyhow::ensure!(
        args.learning_rate > 0.0 && args.learning_rate <= 0.1,
        "--learning-rate {}: name a rate above 0 and up to 0.1",
        args.learning_rate
    );
    super::refuse_output_in(&args.dir, &args.model, "--model")?;
    // Nothing is scored here, so any model serves.
    let mut engine = Engine::new(Model::untrained().into(), Default::default(), 1);
    read_all(vec![(Root::Data, args.dir.clone())], args.read.options(config)?, |batch| {
        engine.absorb(batch);
    })?;
    let series: Vec<Series<'_>> =
        engine.tracks().iter().map(|t| Series { name: t.name(), history: t.history() }).collect();
    let stem = args.model.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let options = Options {
        seed: args.seed,
        epochs: args.epochs.into(),
        max_windows: args.max_windows.max(1),
        learning_rate: args.learning_rate,
        name: args.name.clone().unwrap_or(stem),
    };
    let progress = bar("training", false);
    progress.set_length(1000);
    let mut told = 0;
    let trained = training::train(&series, &options, |p| {
        progress.set_position((p.fraction * 1000.0) as u64);
        progress.set_message(p.stage);
        if p.losses.len() > told {
            told = p.losses.len();
            if let Some(loss) = p.losses.last() {
                progress
                    .suspend(|| super::tell!("epoch {} of {}: loss {loss:.4} on rows kept back", p.epoch, p.epochs));
            }
        }
        ControlFlow::Continue(())
    })?;
    progress.finish_and_clear();
    trained.model.save(&args.model)?;
    let mut text = Vec::new();
    report(&trained, &mut text)?;
    match io::stdout().write_all(&text) {
        // Who pipes into `head` has read enough; the model is written.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {}
        other => other.context("standard output")?,
    }
    super::tell!(
        "{} windows, best epoch {}, {:.1} s",
        trained.windows,
        trained.best_epoch,
        trained.progress.elapsed.as_secs_f64()
    );
    super::tell!("model written to {}", args.model.display());
    Ok(())
}

/// The skill table: held-out error of the simple forecasts and of the mix, per interface.
fn report(trained: &Trained, out: &mut impl Write) -> io::Result<()> {
    let shown = [Expert::LastValue, Expert::DayBefore, Expert::WeekProfile, Expert::Linear, Expert::Lstm, Expert::LstmBlend];
    let place = |e: Expert| Expert::ALL.iter().position(|x| *x == e).unwrap_or(0);
    writeln!(
        out,
        "Mean absolute error of the mean value on held-out rows (the last fifth of each interface, which was not"
    )?;
    writeln!(
        out,
        "learnt from), in units of the interface's own spread. * is the best simple forecast; lower is better."
    )?;
    writeln!(out)?;
    write!(out, "{:34} {:>6}", "interface", "rows")?;
    for e in shown {
        write!(out, " {:>12}", e.label())?;
    }
    writeln!(out, " {:>8} {:>8} {:>7}", "mix", "no LSTM", "skill")?;
    let mut better = 0;
    let mut all = 0;
    let mut columns: Vec<Vec<f64>> = vec![Vec::new(); shown.len() + 3];
    for known in trained.model.known() {
        let Some(skill) = &known.skill else { continue };
        let values: Vec<f64> = shown.iter().map(|e| skill.experts[place(*e)]).collect();
        let best = values[..3].iter().copied().filter(|v| v.is_finite()).fold(f64::INFINITY, f64::min);
        write!(out, "{:34} {:>6}", shorten(&printable(&known.name.to_string()), 34), skill.rows)?;
        for (i, v) in values.iter().enumerate() {
            let mark = if i < 3 && *v == best { "*" } else { "" };
            write!(out, " {:>12}", if v.is_finite() { format!("{}{mark}", figure(*v)) } else { "-".into() })?;
            columns[i].push(*v);
        }
        let gain = skill.over_best_simple();
        writeln!(
            out,
            " {:>8} {:>8} {:>7}",
            figure(skill.mix),
            figure(skill.plain),
            gain.map_or("-".into(), |g| format!("{:+.1} %", 100.0 * g))
        )?;
        let n = shown.len();
        columns[n].push(skill.mix);
        columns[n + 1].push(skill.plain);
        columns[n + 2].extend(gain);
        all += 1;
        better += usize::from(gain.is_some_and(|g| g > 0.0));
    }
    if all > 0 {
        let mut medians = columns.into_iter().map(|mut c| {
            c.retain(|v| v.is_finite());
            crate::series::scale::quantile(&mut c, 0.5)
        });
        write!(out, "{:34} {:>6}", "median", "")?;
        for m in medians.by_ref().take(shown.len()) {
            write!(out, " {m:>12.4}")?;
        }
        let rest: Vec<f64> = medians.collect();
        writeln!(out, " {:>8.4} {:>8.4} {:>7}", rest[0], rest[1], format!("{:+.1} %", 100.0 * rest[2]))?;
        writeln!(out)?;
        writeln!(out, "The mix beats the best simple forecast on {better} of {all} interfaces.")?;
    }
    if trained.left_out > 0 {
        writeln!(
            out,
            "{} interfaces have fewer than 48 rows and were left out; they will be watched as unknown ones.",
            trained.left_out
        )?;
    }
    if trained.best_epoch == 0 {
        writeln!(
            out,
            "The LSTM learnt nothing that holds on rows kept back: it adds nothing, and the mix does without it."
        )?;
    }
    Ok(())
}

/// Four digits behind the point, or the magnitude where the unit of an idle interface makes them silly.
fn figure(v: f64) -> String {
    if v < 1e4 { format!("{v:.4}") } else { format!("{v:.1e}") }
}

/// A name in at most `width` characters; the end of an interface's name says more than its start.
fn shorten(name: &str, width: usize) -> String {
    let long = name.chars().count();
    if long <= width {
        name.to_owned()
    } else {
        format!("…{}", name.chars().skip(long - width + 1).collect::<String>())
    }
}
