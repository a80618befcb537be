//! `noctop watch`: the console on a directory, or plain lines where there is no terminal.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use crossbeam_channel::unbounded;

use super::{output, plain, values};
use crate::config::Config;
use crate::console::keymap::{self, Keymap};
use crate::console::zone::Zone;
use crate::console::{self, theme};
use crate::engine::live::{self, LiveOptions};
use crate::engine::{Command, Handle, Memory, Succession};
use crate::ingest::{Notice, WatchOptions};
use crate::journal::{Change, Entry, Journal};
use crate::model::Model;
use crate::model::train::Options as TrainOptions;
use crate::series::{Clock, Timestamp};

/// Where the sample lies in a checkout.
const SAMPLE: &str = "datasets/sample";

/// MiB for rows, where nothing else is said.
pub const MEMORY: usize = 768;

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
    /// MiB of memory for rows: the newest of each interface are kept for charts, looking back and retraining [default: 768]
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u32).range(1..=1_048_576))]
    memory: Option<u32>,
    /// Print all settings as they are in force, as a configuration file with comments, and end
    #[arg(long)]
    print_config: bool,
    /// Name to stand under acknowledgements and notes [default: the user's]
    #[arg(long, value_name = "NAME")]
    who: Option<String>,
    /// Program to run when an incident rings, is acknowledged, closes, reopens, is moved or withdrawn, with the incident as
    /// JSON on its standard input
    #[arg(long, value_name = "COMMAND")]
    on_incident: Option<String>,
    #[command(flatten)]
    inventory: super::InventoryArgs,
    #[command(flatten)]
    face: FaceArgs,
    #[command(flatten)]
    alarms: super::AlarmArgs,
    #[command(flatten)]
    clock: super::ClockArgs,
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
    /// Colours: terminal (the terminal's own sixteen), dark, light, high-contrast, colour-blind [default: terminal]
    #[arg(long, value_name = "NAME", value_parser = values::theme)]
    theme: Option<String>,
    /// Time zone of all times on the screen, for example Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = values::zone)]
    display_zone: Option<String>,
    /// Ring the terminal's bell when an incident rings
    #[arg(long)]
    bell: bool,
    /// For a slow line: send new data every two seconds at most, and nothing that only tells the time
    #[arg(long)]
    slow_line: bool,
    /// Choose with the mouse and scroll with its wheel; most terminals then select text with shift held
    #[arg(long)]
    mouse: bool,
    /// Take away the keys that change something: acknowledge, retrain, cancel, export; nothing is written into the state directory
    #[arg(long)]
    read_only: bool,
}

impl FaceArgs {
    /// The settings with these arguments over them.
    pub(super) fn over(&self, config: &Config) -> Config {
        let own = &config.console;
        let console = crate::config::Console {
            theme: self.theme.clone().or(own.theme.clone()),
            display_zone: self.display_zone.clone().or(own.display_zone.clone()),
            bell: self.bell.then_some(true).or(own.bell),
            slow_line: self.slow_line.then_some(true).or(own.slow_line),
            mouse: self.mouse.then_some(true).or(own.mouse),
        };
        Config {
            ascii: self.ascii.then_some(true).or(config.ascii),
            read_only: self.read_only.then_some(true).or(config.read_only),
            console,
            ..config.clone()
        }
    }

    /// How the console is to look: the environment, then the settings.
    fn look(&self, config: &Config, surroundings: theme::Surroundings) -> anyhow::Result<console::Options> {
        let mut look = console::Options::for_surroundings(surroundings);
        let own = &config.console;
        look.ascii |= config.ascii == Some(true);
        look.read_only = config.read_only == Some(true);
        if self.no_color {
            look.colors = theme::Colors::None;
        }
        if let Some(name) = &own.theme {
            let whence = if self.theme.is_none() { config.whence("console", "theme") } else { String::new() };
            look.palette = theme::Palette::named(name)
                .with_context(|| format!("{whence}theme {name}: name one of {}", theme::Palette::names()))?;
        }
        if let Some(zone) = &own.display_zone {
            let flagged = self.display_zone.is_some();
            let whence = || if flagged { String::new() } else { config.whence("console", "display_zone") };
            look.zone = Zone::new(super::zone_of("display zone", zone, whence)?);
        }
        look.bell = own.bell == Some(true);
        look.slow_line = own.slow_line == Some(true);
        look.mouse = own.mouse == Some(true);
        let keys = Keymap::with(&config.keys);
        look.keys = keys.map_err(|e| anyhow::anyhow!("{}{e}", config.whence("keys", e.name())))?;
        Ok(look)
    }
}

impl WatchArgs {
    /// The settings with these arguments over them.
    fn over(&self, config: &Config) -> Config {
        let config = self.face.over(&self.alarms.over(&self.clock.over(&self.read.over(config))));
        Config {
            dir: self.dir.clone().or(config.dir),
            model: self.model.clone().or(config.model),
            poll: self.poll.or(config.poll),
            memory: self.memory.map(|mib| mib as usize).or(config.memory),
            who: self.who.clone().or(config.who),
            on_incident: self.on_incident.clone().or(config.on_incident),
            inventory: self.inventory.inventory.clone().or(config.inventory),
            ..config
        }
    }
}

/// Runs it.
///
/// # Errors
/// When the directory cannot be watched, the model is none, or the terminal fails.
pub fn run(args: &WatchArgs, config: &Config) -> anyhow::Result<()> {
    let config = &args.over(config);
    if args.print_config {
        let keys = keymap::listing();
        return output::print((config.print().context("the settings")? + &keys).as_bytes());
    }
    let dir = directory(None, config)?;
    if let Some(why) = args.dir.as_deref().and_then(values::command_like) {
        return Err(values::senseless(why));
    }
    let poll = config.poll;
    anyhow::ensure!(poll != Some(0), "{}poll 0: name a number of seconds above 0", config.whence("", "poll"));
    let memory = config.memory.unwrap_or(MEMORY);
    anyhow::ensure!(memory > 0, "{}memory 0: name a number of MiB above 0", config.whence("", "memory"));
    let journal = Journal::of(&dir).map(|journal| match config.who.as_deref() {
        Some(who) => journal.by(who),
        None => journal,
    });
    let journal = journal.map(|journal| if config.read_only == Some(true) { journal.read_only() } else { journal });
    let entries = journal.as_ref().map(|journal| journal.entries().0).unwrap_or_default();
    let clock = args.clock.clock(&args.read, config)?;
    let (models, model_path, notices) =
        choose_models(args.model.as_deref(), config, &clock, journal.as_ref(), &entries)?;
    let options = LiveOptions {
        watch: WatchOptions {
            read: args.read.options(config)?,
            poll: poll.map(Duration::from_secs),
            polling_only: poll.is_some(),
        },
        dir,
        models,
        model_path,
        memory: Memory::of_bytes(memory << 20),
        settings: args.alarms.settings(config)?,
        train: TrainOptions::default(),
        journal,
        threads: super::threads(),
        notices,
        on_incident: config.on_incident.clone(),
        news: None,
        inventory: args.inventory.read(config)?.into(),
    };
    show(options, &args.face, config)
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
pub fn show(options: LiveOptions, face: &FaceArgs, config: &Config) -> anyhow::Result<()> {
    let surroundings = theme::Surroundings::read(|name| std::env::var_os(name));
    // what is wrong with the settings is said before anything starts
    let look = face.look(config, surroundings)?;
    let screen_works = std::io::stdout().is_terminal() && surroundings.full_screen;
    let in_lines = face.plain || face.json || !screen_works;
    let (tell, news) = unbounded();
    let options = LiveOptions { news: in_lines.then_some(tell), ..options };
    let (handle, engine) = live::start(options)?;
    let ended = if in_lines { plain::run(&handle, &news, face.json) } else { screen(handle.clone(), look) };
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

/// The model that was named for all rows; else the built-in one, and the retrained ones of this directory
/// each for the rows that it scored first. One that cannot be read, which is said, is no reason not to watch: its
/// rows are scored by the next that can. All go by one clock.
pub(super) fn choose_models(
    named: Option<&Path>,
    config: &Config,
    clock: &Clock,
    journal: Option<&Journal>,
    entries: &[Entry],
) -> anyhow::Result<(Succession, Option<PathBuf>, Vec<Notice>)> {
    if let Some(path) = named.or(config.model.as_deref()) {
        let model = Model::load(path).map_err(|e| match named {
            Some(_) => e.into(),
            None => anyhow::Error::new(e).context(format!("{}model", config.whence("", "model"))),
        })?;
        return Ok((model.following(clock.clone()).into(), Some(path.to_owned()), Vec::new()));
    }
    let mut notices = Vec::new();
    let changes = journal.map(|journal| journal.changes(entries)).unwrap_or_default();
    let mut models = Succession::from(Model::built_in()?.following(clock.clone()));
    let mut newest = None;
    // Behind which slot the next one scores, where the one that did so is lost.
    let mut behind: Option<Timestamp> = None;
    for Change { slot, name, path } in changes {
        let slot = slot.unwrap_or(Timestamp::from_seconds(i64::MIN / 4));
        let from = behind.take().map_or(slot, |earlier| earlier.min(slot));
        match Model::load(&path) {
            Ok(model) => {
                models.take_over(from, Arc::new(model.following(clock.clone())));
                newest = Some(path);
            }
            Err(e) => {
                behind = Some(from);
                // The next one does; behind the newest, the one before it or the built-in one.
                let (why, file) = (e.to_string(), format!("{}: ", path.display()));
                let why = why.strip_prefix(&file).unwrap_or(&why);
                let message = format!("cannot be used, another model scores instead of {name}: {why}");
                notices.push(Notice { path: Arc::new(path), message });
            }
        }
    }
    Ok((models, newest, notices))
}
