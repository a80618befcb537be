//! Where results go: files that are written whole or not at all, and standard output.

use std::error::Error;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;

use crate::whole::{self, directory};

/// Writes a text to standard output. Who pipes into `head` has read enough.
pub(super) fn print(text: &[u8]) -> anyhow::Result<()> {
    let mut out = io::stdout();
    read_enough(out.write_all(text).and_then(|()| out.flush())).context("standard output")
}

/// Who pipes into `head` has read enough: what was written to standard output is no error then.
pub(super) fn read_enough<E: Error + 'static>(written: Result<(), E>) -> Result<(), E> {
    let is_closed = |e: &E| {
        let e: &(dyn Error + 'static) = e;
        let of_csv = e.downcast_ref::<csv::Error>().and_then(|e| match e.kind() {
            csv::ErrorKind::Io(io) => Some(io),
            _ => None,
        });
        of_csv.or(e.downcast_ref()).is_some_and(|io: &io::Error| io.kind() == io::ErrorKind::BrokenPipe)
    };
    written.or_else(|e| if is_closed(&e) { Ok(()) } else { Err(e) })
}

/// Refuses a file that cannot be made where it is to be, before anything is reckoned for it.
pub(super) fn place(flag: &str, file: &Path) -> anyhow::Result<()> {
    anyhow::ensure!(!file.is_dir(), "{flag} {}: is a directory: name a file", file.display());
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty() && !parent.is_dir());
    match parent {
        Some(parent) => anyhow::bail!("{flag} {}: there is no directory {}", file.display(), parent.display()),
        None => Ok(()),
    }
}

/// Whether two paths, of files that may not be there yet, are one file.
pub(super) fn is_same(a: &Path, b: &Path) -> bool {
    let whole = |path: &Path| {
        path.canonicalize().ok().or_else(|| Some(directory(path).canonicalize().ok()?.join(path.file_name()?)))
    };
    a == b || whole(a).is_some_and(|a| whole(b).is_some_and(|b| a == b))
}

/// Writes a file whole or not at all; into a device or a pipe as it is.
pub(super) fn whole<E>(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<(), E>) -> anyhow::Result<()>
where
    E: Error + From<io::Error> + Send + Sync + 'static,
{
    let written = whole::write(path, write);
    let written = if whole::is_standard_output(path) { read_enough(written) } else { written };
    written.with_context(|| format!("cannot write {}", path.display()))
}
