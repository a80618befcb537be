//! How much of what came lately was refused: a feed of which half cannot be read is not known to be quiet.

use std::path::PathBuf;
use std::sync::Arc;

use crate::ingest::{FileStates, Lines};
use crate::series::Timestamp;

/// From so many refused lines on, where they are a tenth of all, nobody knows what is open: one torn line, or some,
/// are no reason to wake anybody.
const SOME: u64 = 10;
const PART: u64 = 10;

/// Lines of the last day.
#[derive(Debug, Default)]
pub(super) struct Lately {
    /// Those that were refused.
    pub(super) refused: u64,
    /// All of them.
    pub(super) lines: u64,
    /// Whether so many are refused, of all files or of one, that what is open there is not known.
    pub(super) is_much: bool,
    /// The file with most of them, how many they are, and of how many lines.
    pub(super) worst: Option<(Arc<PathBuf>, u64, u64)>,
}

impl Lately {
    /// Counts them, as of the directory's newest slot: what a long file lacks of a bad week long ago is no news, and
    /// what it says in full of the years before makes today's lines no better.
    pub(super) fn of(files: &FileStates, now: Option<Timestamp>) -> Self {
        let mut lately = Self::default();
        for file in files.by_path() {
            let Some(now) = now else { continue };
            let Lines { rows, refused } = file.recent.of_day(now);
            let lines = rows + refused;
            (lately.refused, lately.lines) = (lately.refused + refused, lately.lines + lines);
            lately.is_much |= is_much(refused, lines);
            if refused > lately.worst.as_ref().map_or(0, |(_, most, _)| *most) {
                lately.worst = Some((file.path.clone(), refused, lines));
            }
        }
        lately.is_much |= is_much(lately.refused, lately.lines);
        lately
    }
}

fn is_much(refused: u64, lines: u64) -> bool {
    refused >= SOME && PART * refused >= lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_is_not_much_and_a_tenth_of_many_is() {
        assert!(!is_much(0, 0) && !is_much(1, 1) && !is_much(9, 20) && !is_much(10, 101) && !is_much(50, 10_000));
        assert!(is_much(10, 100) && is_much(44, 100) && is_much(10, 10));
    }
}
