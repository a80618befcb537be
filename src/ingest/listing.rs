//! What stands in a directory: the files that may hold rows, and who they are.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Which file it is, whatever its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    /// The identity of the file with this metadata.
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Its number within its file system.
    pub(super) fn inode(self) -> u64 {
        self.inode
    }
}

/// A regular file of a directory.
#[derive(Debug)]
pub(super) struct Entry {
    /// Its path.
    pub(super) path: PathBuf,
    /// Which file it is.
    pub(super) identity: Identity,
    /// Its bytes.
    pub(super) size: u64,
    /// When it was written last.
    pub(super) modified: SystemTime,
    /// Whether it is named as a file of rows. Others are listed only where they are known already,
    /// so that a file is read to its end after it was renamed to `x.csv.1`.
    pub(super) wanted: bool,
}

/// The regular files of `dir` that are named `*.csv` and not hidden, and those whose inode is known,
/// by name. Links are followed, and come last, so that a file is known by its own name.
pub(super) fn list(dir: &Path, known: impl Fn(u64) -> bool) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let wanted = is_row_file(&entry.file_name());
        if !wanted && !known(entry.ino()) {
            continue;
        }
        let path = entry.path();
        let link = entry.file_type().is_ok_and(|t| t.is_symlink());
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            // It vanished since it was listed, or is a link to nowhere.
            Err(e) if link || e.kind() == io::ErrorKind::NotFound => continue,
            // Nothing in the directory can be looked at: it may be listed, but not entered.
            Err(e) => return Err(e),
        };
        if !metadata.is_file() {
            continue;
        }
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let identity = Identity::of(&metadata);
        entries.push((link, Entry { path, identity, size: metadata.len(), modified, wanted }));
    }
    entries.sort_by(|(a_link, a), (b_link, b)| (a_link, &a.path).cmp(&(b_link, &b.path)));
    Ok(entries.into_iter().map(|(_, entry)| entry).collect())
}

fn is_row_file(name: &OsStr) -> bool {
    let name = name.as_bytes();
    !name.starts_with(b".") && name.len() > 4 && name[name.len() - 4..].eq_ignore_ascii_case(b".csv")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_visible_regular_csv_files_and_known_ones() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.CSV", ".h.csv", "c.txt", "d.csv.1", ".csv"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::create_dir(dir.path().join("e.csv")).unwrap();
        std::os::unix::fs::symlink("b.csv", dir.path().join("0.csv")).unwrap();
        std::os::unix::fs::symlink("nothing", dir.path().join("1.csv")).unwrap();
        let names = |known: u64| -> Vec<_> {
            let entries = list(dir.path(), |inode| inode == known).unwrap();
            entries.iter().map(|e| e.path.file_name().unwrap().to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(0), ["a.CSV", "b.csv", "0.csv"]);
        let known = fs::metadata(dir.path().join("d.csv.1")).unwrap().ino();
        assert_eq!(names(known), ["a.CSV", "b.csv", "d.csv.1", "0.csv"]);
    }
}
