//! What outlives the process: for each watched directory a place in the state directory
//! (`$XDG_STATE_HOME/noctop`, else `~/.local/state/noctop`), with the model that was retrained there.

use std::env;
use std::path::{Path, PathBuf};

use crate::random::fnv1a;

/// The place of one watched directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    dir: PathBuf,
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
        Self { dir: base.join(format!("{name}-{:016x}", fnv1a(whole.as_os_str().as_encoded_bytes()))) }
    }

    /// Where the retrained model lies.
    pub fn model(&self) -> PathBuf {
        self.dir.join("model.safetensors")
    }
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
        assert!(of(&a).model().starts_with(base.path()));
    }
}
