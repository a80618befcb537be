//! What stands in a directory: the files that may hold rows, and who they are.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::naming::RowFile;

/// Directories below the one that is watched.
const DEEPEST: usize = 32;

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
    /// so that a file is read to its end after it was renamed to `x.old`.
    pub(super) wanted: bool,
    /// Whether its name says that it is packed.
    pub(super) gzip: bool,
}

impl Entry {
    /// The regular file with this path and metadata.
    pub(super) fn new(path: PathBuf, metadata: &Metadata, wanted: bool, gzip: bool) -> Self {
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Self { path, identity: Identity::of(metadata), size: metadata.len(), modified, wanted, gzip }
    }
}

/// What a directory holds.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// Its files.
    pub(super) entries: Vec<Entry>,
    /// Directories below it that cannot be listed, and why.
    pub(super) closed: Vec<(PathBuf, io::Error)>,
}

/// The regular files of `dir` that are named as files of rows, and those whose inode is known, by
/// name; with `recursive` those of the directories below it too. Links to files are followed, and
/// come last, so that a file is known by its own name. Links to directories are not: they may lead
/// in a circle.
pub(super) fn list(dir: &Path, recursive: bool, known: impl Fn(u64) -> bool) -> io::Result<Listing> {
    let mut found: Vec<(bool, Entry)> = Vec::new();
    let mut below = Vec::new();
    read(dir, &known, &mut found, recursive.then_some(&mut below))?;
    let mut closed = Vec::new();
    let mut depth = 1;
    while !below.is_empty() && depth <= DEEPEST {
        for path in std::mem::take(&mut below) {
            match read(&path, &known, &mut found, Some(&mut below)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => closed.push((path, e)),
                _ => {}
            }
        }
        depth += 1;
    }
    found.sort_by(|(a_link, a), (b_link, b)| (a_link, &a.path).cmp(&(b_link, &b.path)));
    Ok(Listing { entries: found.into_iter().map(|(_, entry)| entry).collect(), closed })
}

/// Adds what stands in `dir` itself.
fn read(
    dir: &Path,
    known: &impl Fn(u64) -> bool,
    found: &mut Vec<(bool, Entry)>,
    mut below: Option<&mut Vec<PathBuf>>,
) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type().ok();
        if let Some(below) = &mut below
            && kind.is_some_and(|kind| kind.is_dir())
            && !entry.file_name().as_bytes().starts_with(b".")
        {
            below.push(entry.path());
            continue;
        }
        let named = RowFile::named(&entry.file_name());
        if named.is_none() && !known(entry.ino()) {
            continue;
        }
        let path = entry.path();
        let link = kind.is_some_and(|kind| kind.is_symlink());
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            // It vanished since it was listed, or is a link to nowhere.
            Err(e) if link || e.kind() == io::ErrorKind::NotFound => continue,
            // Nothing in the directory can be looked at: it may be listed, but not entered.
            Err(e) => return Err(e),
        };
        // A pipe or a device would be waited for, or never end.
        if !metadata.is_file() {
            continue;
        }
        let (wanted, gzip) = (named.is_some(), named.is_some_and(|named| named.gzip));
        found.push((link, Entry::new(path, &metadata, wanted, gzip)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path, recursive: bool, known: u64) -> Vec<String> {
        let listing = list(dir, recursive, |inode| inode == known).unwrap();
        let name = |e: &Entry| e.path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
        listing.entries.iter().map(name).collect()
    }

    #[test]
    fn only_visible_regular_files_of_rows_and_known_ones() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.csv", "a.CSV", ".h.csv", "c.txt", "d.csv.old", ".csv", "e.csv.gz", "f.csv.1"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        fs::create_dir(dir.path().join("g.csv")).unwrap();
        std::os::unix::fs::symlink("b.csv", dir.path().join("0.csv")).unwrap();
        std::os::unix::fs::symlink("nothing", dir.path().join("1.csv")).unwrap();
        assert_eq!(names(dir.path(), false, 0), ["a.CSV", "b.csv", "e.csv.gz", "f.csv.1", "0.csv"]);
        let known = fs::metadata(dir.path().join("d.csv.old")).unwrap().ino();
        assert_eq!(names(dir.path(), false, known)[2], "d.csv.old");
    }

    #[test]
    fn directories_below_are_gone_through_where_that_is_wanted_and_links_to_them_are_not() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["x/y", ".hidden", "z.csv"] {
            fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        for name in ["a.csv", "x/b.csv", "x/y/c.csv", ".hidden/d.csv", "z.csv/e.csv"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        std::os::unix::fs::symlink(dir.path(), dir.path().join("x/circle")).unwrap();
        assert_eq!(names(dir.path(), true, 0), ["a.csv", "x/b.csv", "x/y/c.csv", "z.csv/e.csv"]);
        assert_eq!(names(dir.path(), false, 0), ["a.csv"]);
    }
}
