//! Where what outlives the process lies, and who writes there.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::Entry;
use super::log::Log;
use crate::ingest::Notice;
use crate::random::fnv1a;

/// The place of one watched directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    dir: PathBuf,
    who: String,
    read_only: bool,
}

impl Journal {
    /// The place for `data`; none where the system names no home.
    pub fn of(data: &Path) -> Option<Self> {
        let state = env::var_os("XDG_STATE_HOME")
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
            .or_else(|| env::home_dir().map(|home| home.join(".local/state")))?;
        Some(Self::under(&state.join("noctop"), data))
    }

    /// The place for `data` below `base`: the directory's own name, so that people find it, and a
    /// hash of its whole path, so that no two share one.
    pub fn under(base: &Path, data: &Path) -> Self {
        let whole = data.canonicalize().unwrap_or_else(|_| data.to_owned());
        let name = whole.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let dir = base.join(format!("{name}-{:016x}", fnv1a(whole.as_os_str().as_encoded_bytes())));
        Self { dir, who: user(), read_only: false }
    }

    /// The same place, written to in this name.
    #[must_use]
    pub fn by(self, who: &str) -> Self {
        Self { who: who.to_owned(), ..self }
    }

    /// The same place, in which nothing is written.
    #[must_use]
    pub fn read_only(self) -> Self {
        Self { read_only: true, ..self }
    }

    /// Who writes.
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Whether nothing is written.
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// All that stands in the log, in its order, and what a person should read of it.
    pub fn entries(&self) -> (Vec<Entry>, Vec<Notice>) {
        let path = Arc::new(self.log());
        match Log::new(self.log()).read() {
            Ok(news) => {
                let notices = news.notices(&path);
                (news.entries, notices)
            }
            Err(e) => (Vec::new(), vec![Notice { path, message: format!("cannot be read: {e}") }]),
        }
    }

    /// Where the log lies.
    pub fn log(&self) -> PathBuf {
        self.dir.join("journal.jsonl")
    }

    /// Where the models lie.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }
}

/// Who runs this: the person behind `sudo`, where there is one.
fn user() -> String {
    let named =
        ["SUDO_USER", "USER", "LOGNAME"].into_iter().find_map(|name| env::var(name).ok().filter(|v| !v.is_empty()));
    named.unwrap_or_else(|| format!("user {}", rustix::process::getuid().as_raw()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_directory_has_a_place_of_its_own_that_is_found_again() {
        let base = tempfile::tempdir().unwrap();
        let (a, b) = (base.path().join("x/rows"), base.path().join("y/rows"));
        std::fs::create_dir_all(&a).unwrap();
        std::fs::create_dir_all(&b).unwrap();
        let of = |dir: &Path| Journal::under(base.path(), dir);
        assert_eq!(of(&a), of(&a.join("../rows")));
        assert_ne!(of(&a), of(&b));
        assert!(of(&a).log().starts_with(base.path()));
    }
}
