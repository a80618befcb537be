//! What is at a path where a file is to be written whole: a new file that takes the name of a device
//! or a pipe would replace it.

use std::path::Path;

/// Whether there is something at `path` that is no regular file, as `/dev/null`: it is written into,
/// and never replaced.
pub(crate) fn is_special(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| !m.is_file() && !m.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_special_and_a_file_a_directory_and_nothing_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.csv");
        std::fs::write(&file, "x").unwrap();
        assert!(is_special(Path::new("/dev/null")));
        assert!(!is_special(&file) && !is_special(dir.path()) && !is_special(&dir.path().join("none")));
    }
}
