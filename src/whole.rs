//! Files that are written whole or not at all, whoever else writes at that moment.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use crate::special::is_special;

/// Links that are followed one after the other, as by the system.
const LINKS: usize = 40;
/// Names beside a file that are tried for the new one: others may be left there by who was killed.
const NAMES: usize = 100;

/// Writes to a new file beside `path`, on disk before it takes that name. Where a link stands there it is what that
/// leads to which is written, and a file that is replaced keeps its mode. A device or a pipe is written into as it is,
/// and so is what is open already, as `/dev/stdout` is: behind what stands in it.
///
/// # Errors
/// Those of `write`, and when the file cannot be made or written. Nothing is left of it then.
pub(crate) fn write<E: From<io::Error>>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<(), E> {
    let path = match target(path)? {
        Target::Open(1) => return into(io::stdout().lock(), write),
        Target::Open(_) => return into(File::options().append(true).open(path)?, write),
        Target::At(path) if is_special(&path) => return into(File::options().write(true).open(path)?, write),
        Target::At(path) => path,
    };
    let (file, beside) = begin(&path)?;
    let written = fill(file, write).and_then(|()| Ok(fs::rename(&beside, &path)?));
    written.inspect_err(|_| drop(fs::remove_file(&beside)))?;
    // That it has its name stands on disk, too, where the file system can say so.
    let _ = File::open(directory(&path)).and_then(|directory| directory.sync_all());
    Ok(())
}

/// Writes a file that must not be there yet.
///
/// # Errors
/// When it is there, or cannot be made or written. Nothing is left of it then.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(path)?;
    fill(file, |out| out.write_all(bytes)).inspect_err(|_| drop(fs::remove_file(path)))
}

/// Whether [`write`] could make the file.
///
/// # Errors
/// What is in the way.
pub(crate) fn can_be_written(path: &Path) -> io::Result<()> {
    match target(path)? {
        Target::Open(_) => Ok(()),
        Target::At(path) if is_special(&path) => Ok(()),
        Target::At(path) if path.is_dir() => Err(ErrorKind::IsADirectory.into()),
        Target::At(path) => fs::remove_file(begin(&path)?.1),
    }
}

/// Whether what is written to `path` goes to standard output, as it does at `/dev/stdout`.
pub(crate) fn is_standard_output(path: &Path) -> bool {
    target(path).is_ok_and(|target| target == Target::Open(1))
}

/// What a path leads to.
#[derive(Debug, PartialEq)]
enum Target {
    /// The open file of this process that has this number.
    Open(u32),
    /// What stands there, or is to stand there.
    At(PathBuf),
}

/// Follows links.
fn target(path: &Path) -> io::Result<Target> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        if [Path::new("/proc/self/fd"), Path::new("/dev/fd")].contains(&directory(&path))
            && let Some(number) = path.file_name().and_then(|name| name.to_str()?.parse().ok())
        {
            return Ok(Target::Open(number));
        }
        match fs::read_link(&path) {
            Ok(link) => path = directory(&path).join(link),
            Err(_) => return Ok(Target::At(path)),
        }
    }
    Err(io::Error::other("too many links, one to the other"))
}

/// The directory in which a file stands, or is to stand.
pub(crate) fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file beside `path`, with the mode and, where that may be, the owner of what is there.
fn begin(path: &Path) -> io::Result<(File, PathBuf)> {
    let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
    let old = fs::metadata(path).ok();
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    // Nobody may read meanwhile what nobody may read in the end.
    options.mode(old.as_ref().map_or(0o666, |old| old.mode() & 0o600));
    for n in 0.. {
        let mut own = name.to_owned();
        own.push(format!(".{}-{n}.part", std::process::id()));
        let beside = path.with_file_name(own);
        match options.open(&beside) {
            Ok(file) => {
                if let Some(old) = old {
                    let _ = fchown(&file, Some(old.uid()), Some(old.gid()));
                    file.set_permissions(old.permissions()).inspect_err(|_| drop(fs::remove_file(&beside)))?;
                }
                return Ok((file, beside));
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists && n < NAMES => {}
            Err(e) => return Err(e),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Writes into what is there.
fn into<E: From<io::Error>>(out: impl Write, write: impl FnOnce(&mut dyn Write) -> Result<(), E>) -> Result<(), E> {
    let mut out = BufWriter::new(out);
    write(&mut out)?;
    Ok(out.flush()?)
}

fn fill<E: From<io::Error>>(file: File, write: impl FnOnce(&mut dyn Write) -> Result<(), E>) -> Result<(), E> {
    let mut out = BufWriter::new(file);
    write(&mut out)?;
    out.flush()?;
    Ok(out.get_ref().sync_all()?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    fn put(path: &Path, text: &str) -> io::Result<()> {
        write(path, |out| out.write_all(text.as_bytes()))
    }

    fn names(dir: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
        let mut names: Vec<String> = fs::read_dir(dir).unwrap().map(name).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn what_is_open_already_is_written_into_behind_what_stands_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, "kept,").unwrap();
        let open = File::open(&path).unwrap();
        let own = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&open));
        can_be_written(Path::new(&own)).unwrap();
        put(Path::new(&own), "rows").unwrap();
        assert_eq!((fs::read_to_string(&path).unwrap().as_str(), names(dir.path()).len()), ("kept,rows", 1));
        assert_eq!(target(Path::new("/dev/stdout")).unwrap(), Target::Open(1));
        assert_eq!(target(&path).unwrap(), Target::At(path));
    }

    #[test]
    fn writers_at_once_do_not_mix_and_leave_one_of_their_files() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.csv");
        let texts: Vec<String> = (0..8).map(|n| format!("{n}\n").repeat(50_000)).collect();
        std::thread::scope(|scope| {
            for text in &texts {
                scope.spawn(|| put(&path, text).unwrap());
            }
        });
        assert!(texts.contains(&fs::read_to_string(&path).unwrap()));
        assert_eq!(names(dir.path()), ["x.csv"]);
    }

    #[test]
    fn what_is_others_stays_and_what_failed_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.csv");
        let others = [".part".to_owned(), format!(".{}-0.part", std::process::id())];
        let others = others.map(|end| dir.path().join(format!("p.csv{end}")));
        others.iter().for_each(|other| fs::write(other, "mine").unwrap());
        put(&path, "rows").unwrap();
        others.iter().for_each(|other| assert_eq!(fs::read_to_string(other).unwrap(), "mine"));
        let failed = write(&path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("no more"))
        });
        assert!(failed.is_err() && fs::read_to_string(&path).unwrap() == "rows");
        assert_eq!(names(dir.path()).len(), 3);
        assert!(write_new(&path, b"x").is_err_and(|e| e.kind() == ErrorKind::AlreadyExists));
        write_new(&dir.path().join("n"), b"x").unwrap();
        assert!(put(&dir.path().join("no/p"), "x").is_err() && put(dir.path(), "x").is_err());
        assert_eq!(names(dir.path()).len(), 4);
        can_be_written(&path).unwrap();
        assert!(can_be_written(dir.path()).is_err() && can_be_written(&dir.path().join("no/p")).is_err());
        assert_eq!((names(dir.path()).len(), fs::read_to_string(&path).unwrap()), (4, "rows".to_owned()));
    }

    #[test]
    fn a_link_stays_one_and_a_mode_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let [file, link, far, loose] = ["file", "link", "far", "loose"].map(|name| dir.path().join(name));
        fs::write(&file, "old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink("file", &link).unwrap();
        symlink(&link, &far).unwrap();
        put(&far, "new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(fs::metadata(&file).unwrap().mode() & 0o777, 0o640);
        symlink("later", &loose).unwrap();
        put(&loose, "there").unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("later")).unwrap(), "there");
        assert!([&link, &far, &loose].iter().all(|link| link.is_symlink()));
        let (a, b) = (dir.path().join("a"), dir.path().join("b"));
        symlink(&a, &b).unwrap();
        symlink(&b, &a).unwrap();
        assert!(put(&a, "x").is_err());
        put(Path::new("/dev/null"), "x").unwrap();
        can_be_written(Path::new("/dev/null")).unwrap();
    }
}
