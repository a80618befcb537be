//! Why reading cannot even start. Everything that happens later is a notice or a refusal.

use std::path::PathBuf;

/// Why a directory cannot be read at all.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// There is nothing at the path.
    #[error("{} does not exist: name the directory into which the CSV files are written", path.display())]
    Missing {
        /// The path that was given.
        path: PathBuf,
    },
    /// There is something else than a directory.
    #[error("{} is not a directory: name the directory in which the CSV files lie", path.display())]
    NotADirectory {
        /// The path that was given.
        path: PathBuf,
    },
    /// The operating system does not let us list it.
    #[error("{} cannot be listed ({source}): let this user read and enter it", path.display())]
    Unreadable {
        /// The directory.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The delimiter cannot delimit.
    #[error(
        "the delimiter cannot be {delimiter:?}: choose one that is neither a quote nor a line end, such as ',' or ';'"
    )]
    Delimiter {
        /// What was asked for.
        delimiter: char,
    },
    /// Two of the five columns are mapped to one name.
    #[error("two columns are mapped to the name {name:?}: give each of the five its own")]
    SameColumn {
        /// That name.
        name: String,
    },
    /// The reader's thread could not be started.
    #[error("the reader's thread could not be started ({source}): raise the limit of threads or end other programs")]
    Thread {
        /// What the operating system said.
        source: std::io::Error,
    },
}
