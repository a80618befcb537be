//! `noctop train`: learn a model from a directory of rows.

use std::ops::ControlFlow;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};

use super::load::{LastLine, bar, read_all};
use super::skill::report;
use super::values;
use crate::config::Config;
use crate::engine::{Engine, Learnt, Whose, training};
use crate::ingest::Root;
use crate::model::train::{Options, Series};
use crate::model::{Model, ModelSettings, Scaling, Scope};
use crate::series::WindowLength;

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
    /// At most so many epochs: passes over the rows, or several where they are few; training stops earlier
    /// when the loss no longer falls
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub epochs: u16,
    /// Slots that the LSTM sees, 4 to 96
    #[arg(long, default_value = "24", value_name = "SLOTS", value_parser = window)]
    pub window: WindowLength,
    /// For whom the network's last layer is learnt: one for all, one for each device, or one for each
    /// interface. The rest of the network is shared; where a layer of its own does worse on rows
    /// that it did not learn from, the shared one is used
    #[arg(long, default_value = "global", value_parser = PossibleValuesParser::new(Scope::ALL.map(Scope::label)).map(|word| word.parse::<Scope>().unwrap_or_default()))]
    pub scope: Scope,
    /// Whose rows the scale of an interface is fitted on: its own, or those of all interfaces. With
    /// global the model is trained both ways, to tell what that costs
    #[arg(long, default_value = "interface", value_parser = PossibleValuesParser::new(Scaling::ALL.map(Scaling::label)).map(|word| word.parse::<Scaling>().unwrap_or_default()))]
    pub scale: Scaling,
    /// At most so many windows to learn from; each interface gives an equal share
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = values::some)]
    pub max_windows: usize,
    /// Adam's learning rate at the start
    #[arg(long, default_value_t = 3e-3, value_name = "RATE", allow_negative_numbers = true, value_parser = values::above_nothing(values::MOST_RATE))]
    pub learning_rate: f64,
    /// What the console calls the model [default: the file's name without its ending]
    #[arg(long)]
    pub name: Option<String>,
    #[command(flatten)]
    clock: super::ClockArgs,
    #[command(flatten)]
    read: super::ReadArgs,
}

/// A length that a window can have.
fn window(word: &str) -> Result<WindowLength, String> {
    let range = WindowLength::RANGE;
    let slots = word.parse::<usize>().ok().and_then(WindowLength::new);
    slots.ok_or_else(|| format!("name a number from {} to {}", range.start(), range.end()))
}

/// Runs it.
///
/// # Errors
/// When the directory cannot be read, has too few rows, or the model cannot be written.
pub fn run(args: &TrainArgs, config: &Config) -> anyhow::Result<()> {
    super::output::place("--model", &args.model)?;
    super::refuse_output_in(&args.dir, args.read.recursive(config), &args.model, "--model")?;
    let clock = args.clock.clock(&args.read, config)?;
    // Nothing is scored here, so any model serves.
    let mut engine = Engine::new(Model::untrained(), Default::default(), 1);
    let roots = vec![(Root::Data, args.dir.clone())];
    let loaded = read_all(roots, args.read.options(config)?, LastLine::Counts, |batch| {
        engine.absorb(batch);
    })?;
    Model::can_be_saved(&args.model)?;
    let series: Vec<Series<'_>> =
        engine.tracks().iter().map(|t| Series { name: t.name(), history: t.history() }).collect();
    let stem = args.model.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let options = Options {
        glimpse: 0,
        seed: args.seed,
        epochs: args.epochs.into(),
        max_windows: args.max_windows,
        learning_rate: args.learning_rate,
        name: args.name.clone().unwrap_or(stem),
        model: ModelSettings { scope: args.scope, window: args.window, scaling: args.scale },
        clock,
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
    super::output::print(&text)?;
    super::tell!(
        "{} windows, best epoch {}, {:.1} s",
        trained.windows,
        trained.best_epoch,
        trained.progress.elapsed.as_secs_f64()
    );
    if let Some(remark) = Learnt::of(&trained.model, &Whose::All).remark() {
        super::tell!("{remark}");
    }
    super::tell!("model written to {}", args.model.display());
    loaded.complete()
}
