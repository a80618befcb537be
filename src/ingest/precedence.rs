//! Which of two rows for one moment stands.

use super::batch::{FileSource, Origin};

/// Whether a row from `new` replaces one from `old`.
///
/// The data directory wins over history; then the file whose name sorts last (of a series that is
/// rotated, the newest), then the path that does; then the later reading of the same file, then the
/// later line. So the outcome follows from what stands in the directory and not from the order in
/// which it was read. An origin replaces itself. `files` is the table that grows with
/// [`super::Batch::files`]; it holds the name under which a file was first read, so a file that is
/// renamed keeps its precedence until the next start. (Rotation does not change what it should be.)
///
/// # Panics
/// When `files` lacks a file of either origin.
pub fn outranks(files: &[FileSource], new: Origin, old: Origin) -> bool {
    if new.file == old.file {
        return new.line >= old.line;
    }
    let rank = |origin: Origin| {
        let source = &files[origin.file.index()];
        (source.root, &source.rank, source.path.as_os_str(), origin.file)
    };
    rank(new) > rank(old)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::ingest::{FileId, Root};

    #[test]
    fn root_then_name_then_path_then_reading_then_line() {
        let file = |root, path: &str| FileSource::new(root, Arc::new(PathBuf::from(path)));
        let files = [
            file(Root::History, "h/z.csv"),
            file(Root::Data, "d/b.csv"),
            file(Root::Data, "d/a.csv"),
            file(Root::Data, "e/a.csv"),
            file(Root::Data, "e/a.csv"),
            file(Root::Data, "e/a.csv.1"),
        ];
        let at = |file, line| Origin { file: FileId::from_index(file), line };
        // From the lowest to the highest.
        let order = [at(0, 9), at(5, 8), at(2, 8), at(3, 7), at(4, 2), at(4, 6), at(1, 5)];
        for (i, low) in order.iter().enumerate() {
            assert!(outranks(&files, *low, *low), "{low:?}");
            for high in &order[i + 1..] {
                assert!(outranks(&files, *high, *low), "{high:?} over {low:?}");
                assert!(!outranks(&files, *low, *high), "{low:?} over {high:?}");
            }
        }
    }
}
