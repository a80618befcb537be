//! `noctop watch`: the console on a directory, or plain lines where there is no terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;

use super::plain;
use crate::config::Config;
use crate::console::{self, theme};
use crate::engine::live::{self, LiveOptions};
use crate::engine::{Command, Handle};
use crate::ingest::{Notice, WatchOptions};
use crate::journal::Journal;
use crate::model::Model;
use crate::model::train::Options as TrainOptions;

/// Where the sample lies in a checkout.
const SAMPLE: &str = "datasets/sample";

/// What `watch` is told.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Directory of CSV files to watch [default: the configuration's, else ./datasets/sample]
    pub dir: Option<PathBuf>,
    /// Model to score with [default: the one that was retrained in the console for this directory, else the built-in one]
    #[arg(long, value_name = "FILE")]
    pub model: Option<PathBuf>,
    /// Look for new rows every so many seconds, without file events: for NFS and other network mounts
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub poll: Option<u64>,
    /// Name to stand under acknowledgements and notes [default: the user's]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    #[command(flatten)]
    face: FaceArgs,
    #[command(flatten)]
    alarms: super::AlarmArgs,
    #[command(flatten)]
    read: super::ReadArgs,
}

/// How it is shown.
#[derive(Debug, Args, Clone)]
pub struct FaceArgs {
    /// Print a line for each incident that opens or closes, instead of the console [default: where there is no terminal]
    #[arg(long)]
    plain: bool,
    /// The same lines as JSON: one object on each line
    #[arg(long)]
    json: bool,
    /// Draw with ASCII characters only [default: where the locale is not UTF-8]
    #[arg(long)]
    ascii: bool,
    /// No colours (also with NO_COLOR in the environment)
    #[arg(long)]
    no_color: bool,
    /// Take away the keys that change something: acknowledge, retrain, cancel; nothing is written into the state directory
    #[arg(long)]
    read_only: bool,
}

/// Runs it.
///
/// # Errors
/// When the directory cannot be watched, the model is none, or the terminal fails.
pub fn run(args: &WatchArgs, config: &Config) -> anyhow::Result<()> {
    let dir = directory(args.dir.as_deref(), config)?;
    let poll = args.poll.or(config.poll);
    anyhow::ensure!(poll != Some(0), "poll 0: name a number of seconds above 0");
    let mut face = args.face.clone();
    face.ascii |= config.ascii;
    let journal = Journal::of(&dir).map(|journal| match args.who.as_deref().or(config.who.as_deref()) {
        Some(who) => journal.by(who),
        None => journal,
    });
    let journal = journal.map(|journal| if args.face.read_only { journal.read_only() } else { journal });
    let (model, model_path, notices) = choose_model(args.model.as_deref(), journal.as_ref())?;
    let options = LiveOptions {
        watch: WatchOptions {
            read: args.read.options(config)?,
            poll: poll.map(Duration::from_secs),
            polling_only: poll.is_some(),
        },
        dir,
        model: Arc::new(model),
        model_path,
        settings: args.alarms.settings(config)?,
        train: TrainOptions::default(),
        journal,
        threads: super::threads(),
        notices,
    };
    show(options, &face)
}

/// The directory that was named, else the configuration's, else the sample's in a checkout.
pub(super) fn directory(named: Option<&Path>, config: &Config) -> anyhow::Result<PathBuf> {
    match named.or(config.dir.as_deref()) {
        Some(dir) => Ok(dir.to_owned()),
        None if Path::new(SAMPLE).is_dir() => Ok(PathBuf::from(SAMPLE)),
        None => anyhow::bail!(
            "which directory? Name the one that your collector writes CSV files into: noctop DIR (or see noctop demo)"
        ),
    }
}

/// Watches, and shows it in the console or as plain lines.
///
/// # Errors
/// When the directory cannot be watched or the terminal fails.
pub fn show(options: LiveOptions, face: &FaceArgs) -> anyhow::Result<()> {
    let (handle, engine) = live::start(options)?;
    let surroundings = theme::Surroundings::read(|name| std::env::var_os(name));
    let screen_works = std::io::stdout().is_terminal() && surroundings.full_screen;
    let ended = if face.plain || face.json || !screen_works {
        plain::run(&handle, face.json)
    } else {
        let mut look = console::Options::for_surroundings(surroundings);
        look.ascii |= face.ascii;
        look.read_only = face.read_only;
        if face.no_color {
            look.colors = theme::Colors::None;
        }
        screen(handle.clone(), look)
    };
    handle.send(Command::Stop);
    drop(handle);
    // A thread that panicked has been told of by the panic itself.
    let _ = engine.join();
    ended
}

fn screen(handle: Handle, look: console::Options) -> anyhow::Result<()> {
    match console::run(handle, look) {
        Err(e) if e.is_silent() => Err(super::Quiet::with(e.exit_code()).into()),
        other => other.context("the console"),
    }
}

/// The model that was named; else the retrained one of this directory, unless it cannot be read,
/// which is said and is no reason not to watch; else the built-in one.
pub(super) fn choose_model(
    named: Option<&Path>,
    journal: Option<&Journal>,
) -> anyhow::Result<(Model, Option<PathBuf>, Vec<Notice>)> {
    if let Some(path) = named {
        return Ok((Model::load(path)?, Some(path.to_owned()), Vec::new()));
    }
    let mut notices = Vec::new();
    if let Some(path) = journal.map(Journal::model).filter(|path| path.exists()) {
        match Model::load(&path) {
            Ok(model) => return Ok((model, Some(path), notices)),
            Err(e) => notices.push(Notice {
                path: Arc::new(path),
                message: format!("the retrained model cannot be used, the built-in one scores instead: {e}"),
            }),
        }
    }
    Ok((Model::built_in()?, None, notices))
}
