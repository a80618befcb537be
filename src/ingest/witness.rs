//! What is remembered of the bytes that were read, to notice that they were rewritten.
//!
//! A checksum for each block of 16 KiB. A file that was touched without growing is compared as a
//! whole. One that grows does so all the time, so then the first block, the end of what was read and
//! one further block are compared, another one each time: what a writer changes of its last rows is
//! seen at once, and what is changed anywhere else after as many writes as there are blocks.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use crc32fast::Hasher;

/// Bytes of a block.
const BLOCK: usize = 16 << 10;
/// Blocks that are read in one go.
const BLOCKS: usize = 16;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Check {
    /// Nothing suggests a change.
    Nothing,
    /// Both ends of what was read, and one block between them.
    Ends,
    /// All of what was read.
    Whole,
}

/// Whether a file still begins with the bytes that were taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// There is more to compare than the budget allowed: ask again.
    Later,
}

/// What is remembered of the bytes that were read.
#[derive(Debug, Default)]
pub(super) struct Witness {
    blocks: Vec<u32>,
    partial: Hasher,
    partial_length: usize,
    /// How far a comparison of all of it is.
    compared: usize,
    /// The block that the next look at a file that grows compares, beside its ends.
    next: usize,
}

impl Witness {
    /// Remembers the next bytes of the file.
    pub(super) fn take(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(BLOCK - self.partial_length));
            self.partial.update(now);
            self.partial_length += now.len();
            if self.partial_length == BLOCK {
                self.blocks.push(std::mem::take(&mut self.partial).finalize());
                self.partial_length = 0;
            }
            bytes = later;
        }
    }

    /// Begins a comparison of all of it anew.
    pub(super) fn compare_again(&mut self) {
        self.compared = 0;
    }

    /// Whether `file` still begins with the bytes that were taken. `scratch` is overwritten; what is
    /// read comes off `budget`.
    pub(super) fn holds(
        &mut self,
        file: &File,
        check: Check,
        scratch: &mut Vec<u8>,
        budget: &mut usize,
    ) -> io::Result<Holds> {
        let all = self.blocks.len();
        let same = match check {
            Check::Nothing => true,
            Check::Ends => {
                let last = all.saturating_sub(1);
                let next = if self.next < last { self.next.max(1) } else { 1 };
                self.next = next + 1;
                self.matches(file, 0..all.min(1), scratch)?
                    && (next >= last || self.matches(file, next..next + 1, scratch)?)
                    && (last == 0 || self.matches(file, last..all, scratch)?)
                    && self.end_matches(file, scratch)?
            }
            Check::Whole => {
                while self.compared < all {
                    if *budget == 0 {
                        return Ok(Holds::Later);
                    }
                    let some = self.compared..(self.compared + BLOCKS).min(all);
                    *budget = budget.saturating_sub(some.len() * BLOCK);
                    if !self.matches(file, some.clone(), scratch)? {
                        return Ok(Holds::No);
                    }
                    self.compared = some.end;
                }
                self.end_matches(file, scratch)?
            }
        };
        Ok(if same { Holds::Yes } else { Holds::No })
    }

    fn matches(&self, file: &File, blocks: std::ops::Range<usize>, scratch: &mut Vec<u8>) -> io::Result<bool> {
        let length = blocks.len() * BLOCK;
        scratch.resize(scratch.len().max(length), 0);
        Ok(read_all(file, &mut scratch[..length], (blocks.start * BLOCK) as u64)?
            && scratch[..length]
                .chunks(BLOCK)
                .zip(&self.blocks[blocks])
                .all(|(now, then)| crc32fast::hash(now) == *then))
    }

    /// The same for the bytes behind the last whole block.
    fn end_matches(&self, file: &File, scratch: &mut Vec<u8>) -> io::Result<bool> {
        let length = self.partial_length;
        scratch.resize(scratch.len().max(length), 0);
        Ok(read_all(file, &mut scratch[..length], (self.blocks.len() * BLOCK) as u64)?
            && crc32fast::hash(&scratch[..length]) == self.partial.clone().finalize())
    }
}

/// Fills `bytes`; false where the file is too short by now.
fn read_all(file: &File, bytes: &mut [u8], at: u64) -> io::Result<bool> {
    match file.read_exact_at(bytes, at) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(witness: &mut Witness, path: &std::path::Path, check: Check) -> Holds {
        witness.compare_again();
        let mut budget = usize::MAX;
        witness.holds(&File::open(path).unwrap(), check, &mut Vec::new(), &mut budget).unwrap()
    }

    #[test]
    fn any_changed_byte_is_seen_and_the_pieces_do_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let content: Vec<u8> = (0..5 * BLOCK as u64 + 100).map(|i| (i * i / 7) as u8).collect();
        for piece in [1, 255, BLOCK - 1, BLOCK, BLOCK + 1, content.len()] {
            let mut witness = Witness::default();
            content.chunks(piece).for_each(|c| witness.take(c));
            let mut holds = |content: &[u8], check| {
                std::fs::write(&path, content).unwrap();
                look(&mut witness, &path, check)
            };
            let mut longer = content.clone();
            longer.push(b'x');
            assert_eq!([holds(&longer, Check::Whole), holds(&longer, Check::Ends)], [Holds::Yes; 2]);
            assert_eq!(holds(&content[..content.len() - 1], Check::Ends), Holds::No);
            for at in [0, BLOCK - 1, BLOCK, 3 * BLOCK + 7, 4 * BLOCK, content.len() - 1] {
                let mut changed = longer.clone();
                changed[at] ^= 1;
                assert_eq!(holds(&changed, Check::Whole), Holds::No, "byte {at}");
                // The ends at once, any other block within as many looks as there are.
                let seen = (1..=3).find(|_| holds(&changed, Check::Ends) == Holds::No);
                assert!(seen.is_some(), "byte {at}, pieces of {piece}");
                if !(BLOCK..4 * BLOCK).contains(&at) {
                    assert_eq!(seen, Some(1), "byte {at}");
                }
            }
        }
    }

    #[test]
    fn a_comparison_of_all_of_it_keeps_to_its_budget() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let content = vec![7; 100 * BLOCK];
        std::fs::write(&path, &content).unwrap();
        let mut witness = Witness::default();
        witness.take(&content);
        let file = File::open(&path).unwrap();
        let mut looks = 1;
        let mut look = || {
            let mut budget = 1;
            witness.holds(&file, Check::Whole, &mut Vec::new(), &mut budget).unwrap()
        };
        while look() == Holds::Later {
            looks += 1;
        }
        assert_eq!(looks, 100usize.div_ceil(BLOCKS));
    }
}
