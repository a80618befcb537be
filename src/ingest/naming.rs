//! Which names are those of files of rows, and what their order is.
//!
//! A collector writes `rows.csv`; rotation leaves `rows.csv.1`, `rows.csv-20261123`, and packed ones
//! with a `.gz` behind them. All of them hold rows. Between two of one series the newer one takes
//! precedence, and that is the one that was rotated last: `rows.csv.2` is older than `rows.csv.1`,
//! and `rows.csv` the newest.

use std::cmp::Reverse;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Where a file's name stands among others. The last one wins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank {
    /// The name without what rotation added.
    base: Box<[u8]>,
    rotation: Rotation,
}

/// What rotation made of a file; in the order from old to new.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Rotation {
    /// `.1`, `.2` and so on.
    Numbered(Reverse<u64>),
    /// `-20261123` and the like.
    Dated(Box<[u8]>),
    /// It is still where its writer writes it.
    Current,
}

impl Rank {
    /// The rank of the file at `path`.
    pub fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().as_bytes();
        RowFile::named(OsStr::from_bytes(name)).map_or_else(
            || Self { base: name.into(), rotation: Rotation::Current },
            |file| Self { base: name[..file.base].into(), rotation: file.rotation },
        )
    }
}

/// What the name of a file of rows says.
#[derive(Debug)]
pub(super) struct RowFile {
    /// Whether it is packed.
    pub(super) gzip: bool,
    /// Bytes of the name up to and with `.csv`.
    base: usize,
    rotation: Rotation,
}

impl RowFile {
    /// What `name` says, if it is that of a file of rows: not hidden, `.csv`, then perhaps a number
    /// or a date, then perhaps `.gz`.
    pub(super) fn named(name: &OsStr) -> Option<Self> {
        let name = name.as_bytes();
        if name.starts_with(b".") {
            return None;
        }
        let packed = name.len() > 3 && name[name.len() - 3..].eq_ignore_ascii_case(b".gz");
        let plain = if packed { &name[..name.len() - 3] } else { name };
        if let Some(rotation) = rotation_behind(plain, plain.len()) {
            return Some(Self { gzip: packed, base: plain.len(), rotation });
        }
        let added = plain.iter().rposition(|b| !(b.is_ascii_digit() || *b == b'-'))?;
        // A date begins with a minus, which is one of the added bytes; a number stands behind a point.
        let base = if plain[added] == b'.' { added } else { added + 1 };
        Some(Self { gzip: packed, base, rotation: rotation_behind(plain, base)? })
    }
}

/// The rotation of `name`, whose base has `base` bytes; none where it is no file of rows.
fn rotation_behind(name: &[u8], base: usize) -> Option<Rotation> {
    let (stem, added) = name.split_at(base);
    if stem.len() <= 4 || !stem[stem.len() - 4..].eq_ignore_ascii_case(b".csv") {
        return None;
    }
    match added {
        [] => Some(Rotation::Current),
        [b'.', number @ ..] => std::str::from_utf8(number).ok()?.parse().ok().map(|n| Rotation::Numbered(Reverse(n))),
        [b'-', date @ ..] if date.len() >= 8 => Some(Rotation::Dated(date.into())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_of_rows() {
        let gzip = |name: &str| RowFile::named(OsStr::new(name)).map(|file| file.gzip);
        for name in ["a.csv", "a.CSV", "a.b.csv", "a.csv.1", "a.csv.12", "a.csv-20261123", "a.csv-2026-11-23"] {
            assert_eq!(gzip(name), Some(false), "{name}");
            assert_eq!(gzip(&format!("{name}.gz")), Some(true), "{name}.gz");
        }
        for name in [
            "a",
            "a.txt",
            ".csv",
            ".a.csv",
            ".csv.gz",
            "a.gz",
            "a.csv.old",
            "a.csv.",
            "a.csv.1.2",
            "a.csv-1",
            "a.csv.gz.part",
            "a.csv.-1",
            "1",
            "-",
            "",
            "a.csv.99999999999999999999999",
        ] {
            assert_eq!(gzip(name), None, "{name}");
        }
    }

    #[test]
    fn rotated_files_are_older_the_farther_they_were_rotated() {
        let order =
            ["a.csv.10.gz", "a.csv.2", "a.csv.1", "a.csv-20251231.gz", "a.csv-20260101", "a.csv", "b.csv.3", "b.csv"];
        let ranks: Vec<Rank> = order.iter().map(|name| Rank::of(&Path::new("d").join(name))).collect();
        assert!(ranks.is_sorted(), "{ranks:?}");
        assert!(ranks.windows(2).all(|w| w[0] != w[1]));
    }
}
