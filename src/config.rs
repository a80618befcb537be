//! Settings: default, then configuration file, then flag; the later one wins.
//!
//! The file is `$XDG_CONFIG_HOME/noctop/config.toml`, else `~/.config/noctop/config.toml`, or the
//! one that `--config` or `NOCTOP_CONFIG` names. A setting that noctop does not know is an error
//! that names file, line and key: a misspelt setting must not be a silent one.
//!
//! A new setting is a field of [`Config`] and a line in [`SETTINGS`]. `--print-config` and the tests
//! do the rest: what is printed can be read again, and no field is without its line.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Everything that can stand in the file. What does not stand there keeps its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The directory to watch.
    pub dir: Option<PathBuf>,
    /// The model that watches.
    pub model: Option<PathBuf>,
    /// Alarms wanted for each interface and week.
    pub alarms_per_week: Option<f64>,
    /// Rings wanted a day, for the whole directory.
    pub rings_per_day: Option<f64>,
    /// Hours for which a shifted level must be stable to be the new normal; 0 for never.
    pub shift_accepted_after: Option<f64>,
    /// Seconds between two looks at the directory, without file events.
    pub poll: Option<u64>,
    /// Zone whose clock the load follows.
    pub clock: Option<String>,
    /// MiB of memory for rows.
    pub memory: Option<usize>,
    /// ASCII characters only.
    pub ascii: Option<bool>,
    /// Whether nothing can be changed from the console.
    pub read_only: Option<bool>,
    /// Name to stand under acknowledgements and notes.
    pub who: Option<String>,
    /// Program to run when an incident rings, is acknowledged, closes, reopens, is moved or withdrawn.
    pub on_incident: Option<String>,
    /// File with descriptions and speeds of interfaces.
    pub inventory: Option<PathBuf>,
    /// How rows are read.
    pub input: Input,
    /// When `triage` raises an alarm.
    pub triage: Triage,
    /// How the console looks and behaves.
    pub console: Console,
    /// Other keys for the console's actions, by the names of the actions.
    pub keys: BTreeMap<String, Vec<String>>,
    /// The file that all this was read from.
    #[serde(skip)]
    pub(crate) origin: Origin,
}

/// The file of the settings with its text; none where there was none. Settings from two files can be the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin(Option<Arc<(PathBuf, String)>>);

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// The `[console]` table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Console {
    /// Its colours: `terminal`, `dark`, `light`, `high-contrast`, `colour-blind`.
    pub theme: Option<String>,
    /// Zone of the times on the screen.
    pub display_zone: Option<String>,
    /// Rings the terminal's bell when an incident rings.
    pub bell: Option<bool>,
    /// Sends as little as can be.
    pub slow_line: Option<bool>,
    /// Takes the mouse.
    pub mouse: Option<bool>,
}

/// The `[input]` table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// What stands between two fields.
    pub delimiter: Option<char>,
    /// Zone of timeslots that do not name one.
    pub time_zone: Option<String>,
    /// Whether the directories below are read too.
    pub recursive: Option<bool>,
    /// What the columns are called in the files.
    pub columns: Columns,
}

/// The `[input.columns]` table: noctop's name of a column to that of the files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// Column of the timeslot.
    pub timeslot: Option<String>,
    /// Column of the host.
    pub hostname: Option<String>,
    /// Column of the interface.
    pub ifname: Option<String>,
    /// Column of the slot's largest value.
    pub max_metric_value: Option<String>,
    /// Column of the slot's mean value.
    pub mean_metric_value: Option<String>,
}

/// The `[triage]` table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Triage {
    /// Warning from so many open incidents on; 0 for never.
    pub warning: Option<usize>,
    /// Critical from so many ringing ones on; 0 for never.
    pub critical: Option<usize>,
    /// Age of the newest row from which the feed has stopped, as it would be typed.
    pub stale: Option<String>,
}

/// What is printed of a setting.
#[derive(Debug)]
pub struct Setting {
    /// Its table; empty for the top one.
    pub table: &'static str,
    /// Its key there.
    pub key: &'static str,
    /// What it does, in a line.
    pub about: &'static str,
    /// What stands behind `key =` where it is not set: the default, or an example of what could stand there.
    pub usual: &'static str,
}

const fn setting(table: &'static str, key: &'static str, usual: &'static str, about: &'static str) -> Setting {
    Setting { table, key, about, usual }
}

/// All settings in the order in which they are printed; those of a table stand together.
pub const SETTINGS: &[Setting] = &[
    setting("", "dir", "'./datasets/sample'", "The directory that `noctop` alone watches"),
    setting(
        "",
        "model",
        "'m.safetensors'",
        "Model of watch, triage and handover; by default the retrained one of the directory, else the built-in one",
    ),
    setting("", "alarms_per_week", "1.0", "False alarms accepted for each interface and week: decides what is listed"),
    setting("", "rings_per_day", "10.0", "Incidents a day that may ring, in the whole directory"),
    setting("", "shift_accepted_after", "48.0", "Hours until a stable new level is normal; 0 for never"),
    setting(
        "",
        "poll",
        "10",
        "Seconds between two looks at the directory; only where file events do not work (none by default)",
    ),
    setting(
        "",
        "clock",
        "'UTC'",
        "Zone whose clock the load follows: by it the hours of days and weeks are told; by default that of time_zone below",
    ),
    setting(
        "",
        "memory",
        "768",
        "MiB of memory for rows: the newest of each interface are kept for charts, looking back and retraining",
    ),
    setting("", "ascii", "false", "Draw with ASCII characters only; by default where the locale is not UTF-8"),
    setting("", "read_only", "false", "Take away the keys that change something, and write nothing"),
    setting("", "who", "'ann'", "Name to stand under acknowledgements and notes; the user's by default"),
    setting(
        "",
        "on_incident",
        "'page-somebody'",
        "Program to run when an incident rings, is acknowledged, closes, reopens, is moved or withdrawn, as JSON on its input",
    ),
    setting(
        "",
        "inventory",
        "'/etc/noctop/interfaces.csv'",
        "CSV file with hostname, ifname, description and speed of interfaces",
    ),
    setting("input", "delimiter", "','", "What stands between two fields"),
    setting("input", "time_zone", "'UTC'", "Zone of timeslots that state none"),
    setting("input", "recursive", "false", "Whether the directories below are read too"),
    setting("input.columns", "timeslot", "'timeslot'", "What the columns are called in your files"),
    setting("input.columns", "hostname", "'hostname'", ""),
    setting("input.columns", "ifname", "'ifname'", ""),
    setting("input.columns", "max_metric_value", "'max_metric_value'", ""),
    setting("input.columns", "mean_metric_value", "'mean_metric_value'", ""),
    setting("triage", "warning", "1", "Warning from so many open incidents on; 0 for never"),
    setting("triage", "critical", "1", "Critical from so many open ones that ring on; 0 for never"),
    setting(
        "triage",
        "stale",
        "'15m'",
        "Age of the newest row from which the feed has stopped; 3 slots and at least 15m by default",
    ),
    setting("console", "theme", "'terminal'", "Colours: terminal, dark, light, high-contrast, colour-blind"),
    setting("console", "display_zone", "'UTC'", "Zone of all times on the screen"),
    setting("console", "bell", "false", "Ring the terminal's bell when an incident rings"),
    setting("console", "slow_line", "false", "For a slow line: new data every two seconds at most"),
    setting(
        "console",
        "mouse",
        "false",
        "Choose with the mouse and scroll with its wheel; the terminal then selects text with shift held",
    ),
];

/// Why the settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}: name a configuration file, such as noctop --print-config writes")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It does not say what it should.
    #[error("{path}:{line}: {message}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// Which line of it, from 1.
        line: usize,
        /// Key and what is wrong with it.
        message: String,
    },
}

impl Config {
    /// The settings of the file that was named; else of the usual one, where there is one.
    ///
    /// # Errors
    /// When a named file is not there, or the file cannot be read or says something unknown.
    pub fn load(named: Option<&Path>) -> Result<Self, ConfigError> {
        match (named, usual_path()) {
            (Some(path), _) => Self::read(path),
            (None, Some(path)) if path.exists() => Self::read(&path),
            (None, _) => Ok(Self::default()),
        }
    }

    fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Io { path: path.to_owned(), source })?;
        let read = toml::from_str(&text).map_err(|e| {
            let at = e.span().map_or(0, |span| span.start).min(text.len());
            let line = text[..at].matches('\n').count() + 1;
            let message = complaint(e.message(), text.lines().nth(line - 1).unwrap_or_default());
            ConfigError::Content { path: path.to_owned(), line, message }
        });
        let config: Self = read?;
        Ok(Self { origin: Origin(Some(Arc::new((path.to_owned(), text)))), ..config })
    }

    /// Where a setting of the file stands, to begin a complaint about it with: `config.toml:3: `. Nothing where
    /// the settings are from no file.
    pub fn whence(&self, table: &str, key: &str) -> String {
        let Some((path, text)) = self.origin.0.as_deref() else { return String::new() };
        let (mut within, dotted) = ("", format!("{table}.{key}"));
        for (line, number) in text.lines().zip(1..) {
            let line = line.trim();
            let name = line.split('=').next().unwrap_or_default().trim();
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
                within = name.trim();
            } else if (within == table && name == key) || (within.is_empty() && name == dotted) {
                return format!("{}:{number}: ", path.display());
            }
        }
        format!("{}: ", path.display())
    }

    /// The settings as a file that can be read again, each with what it does. What is not set stands
    /// there as a comment, with its default.
    ///
    /// # Errors
    /// When a path is no text, so that it cannot stand in the file.
    pub fn print(&self) -> Result<String, toml::ser::Error> {
        let values = toml::Table::try_from(self)?;
        let mut out = String::from(
            "# Settings of noctop. A line that begins with # and a key is not set: its default stands there.\n",
        );
        let mut table = "";
        for setting in SETTINGS {
            if setting.table != table {
                table = setting.table;
                let _ = write!(out, "\n[{table}]\n");
            }
            if !setting.about.is_empty() {
                let _ = write!(out, "\n# {}\n", setting.about);
            }
            let mut inner = table.split('.').filter(|name| !name.is_empty());
            let within = inner.try_fold(&values, |at, name| at.get(name)?.as_table());
            let _ = match within.and_then(|at| at.get(setting.key)) {
                Some(value) => writeln!(out, "{} = {value}", setting.key),
                None => writeln!(out, "#{} = {}", setting.key, setting.usual),
            };
        }
        out.push_str(
            "\n[keys]\n\n# Other keys for the console's actions, by their names: retrain = ['F5', 'ctrl-r']\n",
        );
        for (action, keys) in &self.keys {
            let _ = writeln!(out, "{action} = {}", toml::Value::try_from(keys)?);
        }
        Ok(out)
    }
}

/// The one of the known words that somebody may have meant.
pub(crate) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known
        .map(|known| (strsim::damerau_levenshtein(word, known), known))
        .filter(|(distance, known)| *distance <= known.len() / 2);
    near.min().map(|(_, known)| known)
}

/// What is wrong, with the key that it is about, and the nearest one that there is, in another table if need be.
fn complaint(said: &str, line: &str) -> String {
    let mut quoted = said.split('`').skip(1).step_by(2);
    if let (true, Some(unknown)) = (said.starts_with("unknown field"), quoted.next()) {
        let here: Vec<&str> = quoted.collect();
        let known = nearest(unknown, here.iter().copied().chain(SETTINGS.iter().map(|setting| setting.key)));
        let Some(known) = known else {
            return format!("unknown setting {unknown}: noctop --print-config lists all of them");
        };
        let elsewhere = SETTINGS.iter().find(|setting| setting.key == known && !here.contains(&known));
        let place = match elsewhere.map(|setting| setting.table) {
            None => String::new(),
            Some("") => " before all tables".to_owned(),
            Some(table) => format!(" in [{table}]"),
        };
        return format!("unknown setting {unknown}: did you mean {known}{place}?");
    }
    // the words of the language that this is written in are nobody's
    let whole = "expected a whole number, not below 0";
    let said = [("expected f64", "expected a number"), ("expected usize", whole), ("expected u64", whole)]
        .iter()
        .fold(said.to_owned(), |said, (theirs, ours)| said.replace(theirs, ours));
    match line.split_once('=') {
        Some((key, _)) if !key.trim().is_empty() => format!("{}: {said}", key.trim()),
        _ => said,
    }
}

fn usual_path() -> Option<PathBuf> {
    let base = env::var_os("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|p| p.is_absolute())
        .or_else(|| env::home_dir().map(|home| home.join(".config")))?;
    Some(base.join("noctop/config.toml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Config::load(Some(&path))
    }

    #[test]
    fn a_setting_is_found_in_its_file() {
        let config = read("dir = 'x'\n\n# theme = 'no'\n[console]\n  theme = 'blue'\n[ keys ]\nquit=['x']\n").unwrap();
        let whence = |table, key| config.whence(table, key).rsplit_once("config.toml").unwrap().1.to_owned();
        assert_eq!([whence("", "dir"), whence("console", "theme"), whence("keys", "quit")], [":1: ", ":5: ", ":7: "]);
        assert_eq!(whence("console", "bell"), ": ", "at least the file");
        assert_eq!(Config::default().whence("", "dir"), "");
    }

    #[test]
    fn every_setting_can_be_set_and_is_printed_as_it_was_set() {
        let config = read(
            "dir = '/rows'\nmodel = 'm'\nread_only = true\nalarms_per_week = 0.5\nrings_per_day = 5\nshift_accepted_after = 0\npoll = 30\nmemory = 64\nascii = true\n\
             clock = 'Europe/Berlin'\nwho = \"ann\"\non_incident = 'page'\ninventory = 'i.csv'\n[input]\ndelimiter = ';'\ntime_zone = 'Europe/Berlin'\nrecursive = true\n[input.columns]\ntimeslot = 'ts'\n\
             hostname = 'h'\nifname = 'i'\nmax_metric_value = 'max'\nmean_metric_value = 'avg'\n\
             [triage]\nwarning = 0\ncritical = 2\nstale = '2h'\n\
             [console]\ntheme = 'light'\ndisplay_zone = 'Europe/Berlin'\nbell = true\nslow_line = true\nmouse = true\n\
             [keys]\nquit = ['x', 'ctrl-x']\n",
        )
        .unwrap();
        assert_eq!(
            (config.dir.clone(), config.alarms_per_week, config.poll),
            (Some("/rows".into()), Some(0.5), Some(30))
        );
        assert_eq!(config.memory, Some(64));
        assert_eq!((config.rings_per_day, config.shift_accepted_after), (Some(5.0), Some(0.0)));
        assert_eq!((config.console.theme.as_deref(), config.console.bell), (Some("light"), Some(true)));
        assert_eq!(config.keys["quit"], ["x", "ctrl-x"]);
        assert_eq!((config.ascii, config.who.as_deref()), (Some(true), Some("ann")));
        assert_eq!(config.input.recursive, Some(true));
        let columns = &config.input.columns;
        assert_eq!((config.input.delimiter, columns.mean_metric_value.as_deref()), (Some(';'), Some("avg")));
        let printed = config.print().unwrap();
        assert!(!printed.lines().any(|l| l.starts_with('#') && !l.starts_with("# ")), "{printed}");
        assert_eq!(read(&printed).unwrap(), config);
        assert_eq!(read("").unwrap(), Config::default());
    }

    #[test]
    fn the_printed_defaults_are_the_defaults() {
        let printed = Config::default().print().unwrap();
        assert_eq!(read(&printed).unwrap(), Config::default(), "{printed}");
        // What stands there as a comment can be set as it stands.
        let set: String = printed
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned() + "\n")
            .collect();
        let all = toml::Table::try_from(read(&set).unwrap()).unwrap();
        assert_eq!(leaves(&all), SETTINGS.len(), "{set}");
    }

    fn leaves(table: &toml::Table) -> usize {
        table.values().map(|value| value.as_table().map_or(1, leaves)).sum()
    }

    #[test]
    fn no_setting_is_without_its_line() {
        let mut tables: Vec<&str> = SETTINGS.iter().map(|s| s.table).collect();
        tables.dedup();
        for table in tables {
            let head = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
            let said = toml::from_str::<Config>(&format!("{head}no-such-key = 1\n")).unwrap_err();
            let known: Vec<&str> = said.message().split('`').skip(1).step_by(2).skip(1).collect();
            assert!(!known.is_empty(), "{said}");
            for key in known {
                let listed = SETTINGS.iter().any(|s| s.table == table && s.key == key);
                let inner = if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") };
                // the names of keys are the console's: what is set is printed
                let known = listed || inner == "keys" || SETTINGS.iter().any(|s| s.table == inner);
                assert!(known, "{table} {key} has no line");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_file_line_and_key() {
        let said = |text: &str| read(text).unwrap_err().to_string();
        let near = said("poll = 3\nalarm_per_week = 2\n");
        assert!(
            near.ends_with("config.toml:2: unknown setting alarm_per_week: did you mean alarms_per_week?"),
            "{near}"
        );
        let near = said("[input.columns]\n\nhost = 'x'\n");
        assert!(near.ends_with("config.toml:3: unknown setting host: did you mean hostname?"), "{near}");
        let elsewhere = [
            ("delimeter = ';'\n", "delimeter: did you mean delimiter in [input]?"),
            ("theme = 'dark'\n", "theme: did you mean theme in [console]?"),
            ("[console]\npoll = 3\n", "poll: did you mean poll before all tables?"),
        ];
        for (text, end) in elsewhere {
            assert!(said(text).ends_with(end), "{}", said(text));
        }
        let far = said("background = 2\n");
        assert!(far.contains("config.toml:1: unknown setting background") && far.contains("--print-config"), "{far}");
        let kind = said("\npoll = 'often'\n");
        assert!(kind.contains("config.toml:2: poll: invalid type"), "{kind}");
        assert!(kind.ends_with("expected a whole number, not below 0"), "{kind}");
        let number = said("rings_per_day = 'many'\n");
        assert!(number.ends_with("rings_per_day: invalid type: string \"many\", expected a number"), "{number}");
        let syntax = said("poll = 3\nascii = \n");
        assert!(syntax.contains("config.toml:2: ascii: "), "{syntax}");
        let missing = Config::load(Some(Path::new("/nowhere/config.toml"))).unwrap_err().to_string();
        assert!(missing.starts_with("/nowhere/config.toml: "), "{missing}");
    }
}
