//! What stands in a directory: the files that may hold rows, and who they are.

use std::fs::{self, FileType, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirEntryExt, FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::naming::RowFile;

/// Directories below the one that is watched.
const DEEPEST: usize = 32;
/// What a file system keeps for its own repairs: nobody but root may enter it, and no rows are in it.
const REPAIRS: &[u8] = b"lost+found";

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
    /// What is passed over: directories below it that cannot be listed, and what is named as a file of rows and is none.
    pub(super) passed: Vec<Passed>,
}

/// Something that is passed over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Passed {
    /// What.
    pub(super) path: PathBuf,
    /// Why, and what to do.
    pub(super) why: String,
    /// Whether rows may be in it, which are missing then.
    pub(super) rows: bool,
}

/// The regular files of `dir` that are named as files of rows, and those whose inode is known, by
/// name; with `recursive` those of the directories below it too. Links to files are followed, and
/// come last, so that a file is known by its own name. Links to directories are not: they may lead
/// in a circle.
pub(super) fn list(dir: &Path, recursive: bool, known: impl Fn(u64) -> bool) -> io::Result<Listing> {
    let mut found = Found::default();
    let mut below = Vec::new();
    read(dir, &known, &mut found, recursive.then_some(&mut below))?;
    let mut depth = 1;
    while !below.is_empty() && depth <= DEEPEST {
        for path in std::mem::take(&mut below) {
            match read(&path, &known, &mut found, Some(&mut below)) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    let why = format!("cannot be listed ({e}): let this user read and enter it; it is tried again");
                    found.passed.push(Passed { path, why, rows: true });
                }
                _ => {}
            }
        }
        depth += 1;
    }
    let too_deep =
        || format!("lies more than {DEEPEST} directories deep: it is passed over; name it as a directory of its own");
    found.passed.extend(below.into_iter().map(|path| Passed { path, why: too_deep(), rows: false }));
    let Found { mut entries, passed } = found;
    entries.sort_by(|(a_link, a), (b_link, b)| (a_link, &a.path).cmp(&(b_link, &b.path)));
    Ok(Listing { entries: entries.into_iter().map(|(_, entry)| entry).collect(), passed })
}

/// What was found so far: files, each with whether it is a link to one, and what is passed over.
#[derive(Default)]
struct Found {
    entries: Vec<(bool, Entry)>,
    passed: Vec<Passed>,
}

/// Why something that is no regular file is passed over; nothing is said of a directory.
fn passed_over(kind: FileType) -> Option<&'static str> {
    match kind {
        kind if kind.is_dir() => None,
        kind if kind.is_fifo() => Some("is a pipe: it is passed over, since nobody may ever write into it"),
        kind if kind.is_socket() => Some("is a socket: it is passed over"),
        _ => Some("is a device: it is passed over, since it may never end"),
    }
}

/// Adds what stands in `dir` itself.
fn read(
    dir: &Path,
    known: &impl Fn(u64) -> bool,
    found: &mut Found,
    mut below: Option<&mut Vec<PathBuf>>,
) -> io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type().ok();
        if let Some(below) = &mut below
            && kind.is_some_and(|kind| kind.is_dir())
            && !entry.file_name().as_bytes().starts_with(b".")
        {
            if entry.file_name().as_bytes() != REPAIRS {
                below.push(entry.path());
            }
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
            Err(_) if link => {
                let why = "is a link to nowhere, or in a circle: it is passed over until it leads to a file".to_owned();
                found.passed.push(Passed { path, why, rows: true });
                continue;
            }
            // It vanished since it was listed.
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            // Nothing in the directory can be looked at: it may be listed, but not entered.
            Err(e) => return Err(e),
        };
        // A pipe or a device would be waited for, or never end.
        if !metadata.is_file() {
            let why = passed_over(metadata.file_type());
            found.passed.extend(why.map(|why| Passed { path, why: why.to_owned(), rows: false }));
            continue;
        }
        let (wanted, gzip) = (named.is_some(), named.is_some_and(|named| named.gzip));
        found.entries.push((link, Entry::new(path, &metadata, wanted, gzip)));
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
        std::os::unix::fs::symlink("/dev/zero", dir.path().join("2.csv")).unwrap();
        std::os::unix::fs::symlink("3.csv", dir.path().join("3.csv")).unwrap();
        std::os::unix::fs::symlink("nothing", dir.path().join("4.txt")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(dir.path().join("5.csv")).unwrap();
        assert_eq!(names(dir.path(), false, 0), ["a.CSV", "b.csv", "e.csv.gz", "f.csv.1", "0.csv"]);
        let mut passed = list(dir.path(), false, |_| false).unwrap().passed;
        passed.sort_by(|a, b| a.path.cmp(&b.path));
        let names_of: Vec<_> = passed.iter().map(|p| p.path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names_of, ["1.csv", "2.csv", "3.csv", "5.csv"]);
        let words = ["link to nowhere", "device", "in a circle", "socket"];
        assert!(passed.iter().zip(words).all(|(p, word)| p.why.contains(word)), "{passed:?}");
        let rows: Vec<bool> = passed.iter().map(|p| p.rows).collect();
        assert_eq!(rows, [true, false, true, false], "what a link leads to may come back, a device never held rows");
        let known = fs::metadata(dir.path().join("d.csv.old")).unwrap().ino();
        assert_eq!(names(dir.path(), false, known)[2], "d.csv.old");
    }

    #[test]
    fn directories_below_are_gone_through_where_that_is_wanted_and_links_to_them_are_not() {
        let dir = tempfile::tempdir().unwrap();
        for path in ["x/y", ".hidden", "z.csv", "x/lost+found"] {
            fs::create_dir_all(dir.path().join(path)).unwrap();
        }
        for name in ["a.csv", "x/b.csv", "x/y/c.csv", ".hidden/d.csv", "z.csv/e.csv", "x/lost+found/f.csv"] {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        std::os::unix::fs::symlink(dir.path(), dir.path().join("x/circle")).unwrap();
        assert_eq!(names(dir.path(), true, 0), ["a.csv", "x/b.csv", "x/y/c.csv", "z.csv/e.csv"]);
        assert_eq!(names(dir.path(), false, 0), ["a.csv"]);
    }

    #[test]
    fn what_lies_too_deep_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let deep: PathBuf = std::iter::repeat_n("d", DEEPEST + 1).collect();
        fs::create_dir_all(dir.path().join(&deep)).unwrap();
        let up = deep.parent().unwrap();
        for path in [up, &deep] {
            fs::write(dir.path().join(path).join("a.csv"), "x").unwrap();
        }
        let listing = list(dir.path(), true, |_| false).unwrap();
        let passed: Vec<&PathBuf> = listing.passed.iter().map(|p| &p.path).collect();
        assert_eq!(passed, [&dir.path().join(&deep)]);
        assert_eq!(names(dir.path(), true, 0), [up.join("a.csv").to_str().unwrap()]);
        assert!(!listing.passed[0].rows && listing.passed[0].why.contains("more than 32 directories deep"));
    }
}
