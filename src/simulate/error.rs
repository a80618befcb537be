//! What can go wrong, and how to mend it.

use std::io;
use std::path::{Path, PathBuf};

/// Why rows were not made or not written.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The plan asks for something that makes no sense.
    #[error("{0}")]
    Plan(String),
    /// The calendar ends.
    #[error(
        "the next slot would lie behind {}, the last time that can be written: choose an earlier start",
        crate::series::Timestamp::LAST
    )]
    End,
    /// The labels would lie where rows are read from.
    #[error(
        "the labels file {labels} lies inside the rows' directory {rows}, where it would be read as rows: put it elsewhere, for example beside that directory",
        labels = .labels.display(), rows = .rows.display()
    )]
    LabelsInside {
        /// The labels file.
        labels: PathBuf,
        /// The rows' directory.
        rows: PathBuf,
    },
    /// Something is there already.
    #[error(
        "{found} is there already: choose another place, or say --force to replace files of the same name and leave others",
        found = .0.display()
    )]
    Occupied(PathBuf),
    /// The system refused something.
    #[error("{path}: cannot {action}: {reason}", path = .path.display())]
    Io {
        /// What was not possible.
        action: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system said.
        reason: io::Error,
    },
}

/// Makes an error of the system into one that names the file, for use with `map_err`.
pub(super) fn io_error<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> SimulateError + 'a {
    move |reason| SimulateError::Io { action, path: path.to_owned(), reason }
}
