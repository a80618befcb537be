//! Settings: default, then configuration file, then flag; the later one wins.
//!
//! The file is `$XDG_CONFIG_HOME/noctop/config.toml`, else `~/.config/noctop/config.toml`, or the
//! one that `--config` or `NOCTOP_CONFIG` names. A setting that noctop does not know is an error
//! that names file, line and key: a misspelt setting must not be a silent one.

use std::env;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Everything that can stand in the file. What does not stand there keeps its default.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// The directory to watch.
    pub dir: Option<PathBuf>,
    /// Alarms wanted for each interface and week.
    pub alarms_per_week: Option<f64>,
    /// Rings wanted a day, for the whole directory.
    pub rings_per_day: Option<f64>,
    /// Hours for which a shifted level must be stable to be the new normal; 0 for never.
    pub shift_accepted_after: Option<f64>,
    /// Seconds between two looks at the directory, without file events.
    pub poll: Option<u64>,
    /// ASCII characters only.
    pub ascii: bool,
    /// Name to stand under acknowledgements and notes.
    pub who: Option<String>,
    /// How rows are read.
    pub input: Input,
}

/// The `[input]` table.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Input {
    /// What stands between two fields.
    pub delimiter: Option<char>,
    /// Zone of timeslots that do not name one.
    pub time_zone: Option<String>,
    /// Whether the directories below are read too.
    pub recursive: bool,
    /// What the columns are called in the files.
    pub columns: Columns,
}

/// The `[input.columns]` table: noctop's name of a column to that of the files.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
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

/// Why the settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It does not say what it should.
    #[error("{path}: {message}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// Line, key and what is wrong with it.
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
        toml::from_str(&text).map_err(|e| ConfigError::Content { path: path.to_owned(), message: e.to_string() })
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
    fn every_setting_can_be_set() {
        let config = read(
            "dir = '/rows'\nalarms_per_week = 0.5\nrings_per_day = 5\nshift_accepted_after = 0\npoll = 30\nascii = true\n[input]\ndelimiter = ';'\n\
             time_zone = 'Europe/Berlin'\nrecursive = true\n[input.columns]\ntimeslot = 'ts'\nhostname = 'h'\nifname = 'i'\n\
             max_metric_value = 'max'\nmean_metric_value = 'avg'\n",
        )
        .unwrap();
        assert_eq!((config.dir, config.alarms_per_week, config.poll), (Some("/rows".into()), Some(0.5), Some(30)));
        assert_eq!((config.rings_per_day, config.shift_accepted_after), (Some(5.0), Some(0.0)));
        assert!(config.ascii && config.input.recursive);
        assert_eq!((config.input.delimiter, config.input.columns.mean_metric_value), (Some(';'), Some("avg".into())));
        assert_eq!(read("").unwrap(), Config::default());
    }

    #[test]
    fn what_is_wrong_is_named_with_file_line_and_key() {
        let said = read("poll = 3\nalarm_per_week = 2\n").unwrap_err().to_string();
        assert!(said.contains("config.toml") && said.contains("line 2") && said.contains("alarm_per_week"), "{said}");
        let said = read("poll = 'often'\n").unwrap_err().to_string();
        assert!(said.contains("line 1") && said.contains("poll"), "{said}");
        let said = Config::load(Some(Path::new("/nowhere/config.toml"))).unwrap_err().to_string();
        assert!(said.starts_with("/nowhere/config.toml: "), "{said}");
    }
}
