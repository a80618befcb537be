//! What is remembered of the bytes that were read, to notice that they were rewritten.
//!
//! A file that grows is checked at both ends only, since it grows all the time. A file that was
//! touched without growing is read again and compared as a whole, up to a size.

use std::fs::File;
use std::hash::{DefaultHasher, Hasher};
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes after the header that are kept. Headers of different files are the same, so they alone
/// would tell nothing.
const HEAD: usize = 1024;
/// Bytes before the position that are kept.
const TAIL: usize = 256;
/// A header is kept up to this length.
const HEADER: usize = 16 << 10;
/// What is compared as a whole at the most.
const WHOLE: u64 = 64 << 20;

/// How closely to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Check {
    /// Nothing suggests a change.
    Nothing,
    /// Both ends of what was read.
    Ends,
    /// All of what was read, where it is not too much.
    Whole,
}

/// What is remembered of the bytes that were read.
#[derive(Debug)]
pub(super) struct Witness {
    head: Vec<u8>,
    head_limit: usize,
    tail: Vec<u8>,
    digest: DefaultHasher,
    taken: u64,
}

impl Default for Witness {
    fn default() -> Self {
        Self { head: Vec::new(), head_limit: HEADER, tail: Vec::new(), digest: DefaultHasher::new(), taken: 0 }
    }
}

impl Witness {
    /// Remembers the next bytes of the file.
    pub(super) fn take(&mut self, bytes: &[u8]) {
        // What is kept must hang together: once something was left out, nothing is added.
        if self.head.len() as u64 == self.taken {
            let room = self.head_limit.saturating_sub(self.head.len());
            self.head.extend_from_slice(&bytes[..room.min(bytes.len())]);
        }
        self.taken += bytes.len() as u64;
        if bytes.len() >= TAIL {
            self.tail.clear();
            self.tail.extend_from_slice(&bytes[bytes.len() - TAIL..]);
        } else {
            let excess = (self.tail.len() + bytes.len()).saturating_sub(TAIL);
            self.tail.drain(..excess);
            self.tail.extend_from_slice(bytes);
        }
        self.digest.write(bytes);
    }

    /// Says that what was taken so far is the header.
    pub(super) fn header_ends(&mut self) {
        self.head_limit = self.head.len() + HEAD;
    }

    /// Whether `file` still begins with the bytes that were taken. `scratch` is overwritten.
    pub(super) fn holds(&self, file: &File, check: Check, scratch: &mut Vec<u8>) -> io::Result<bool> {
        if check == Check::Nothing {
            return Ok(true);
        }
        for (at, kept) in [(0, &self.head), (self.taken - self.tail.len() as u64, &self.tail)] {
            scratch.resize(scratch.len().max(kept.len()), 0);
            let now = &mut scratch[..kept.len()];
            if !read_all(file, now, at)? || now != kept.as_slice() {
                return Ok(false);
            }
        }
        if check == Check::Ends || self.taken > WHOLE {
            return Ok(true);
        }
        scratch.resize(scratch.len().max(64 << 10), 0);
        let mut digest = DefaultHasher::new();
        let mut at = 0;
        while at < self.taken {
            let length = scratch.len().min(usize::try_from(self.taken - at).unwrap_or(usize::MAX));
            if !read_all(file, &mut scratch[..length], at)? {
                return Ok(false);
            }
            digest.write(&scratch[..length]);
            at += length as u64;
        }
        Ok(digest.finish() == self.digest.finish())
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

    #[test]
    fn any_changed_byte_is_seen_and_the_pieces_do_not_matter() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let content: Vec<u8> = (0..5000u32).map(|i| (i * i / 7) as u8).collect();
        for piece in [1, 7, 255, 256, 257, 5000] {
            let mut witness = Witness::default();
            witness.take(&content[..100]);
            witness.header_ends();
            content[100..].chunks(piece).for_each(|c| witness.take(c));
            assert_eq!((witness.head.len(), witness.tail.len()), (100 + HEAD, TAIL), "pieces of {piece}");
            let holds = |content: &[u8], check| {
                std::fs::write(&path, content).unwrap();
                witness.holds(&File::open(&path).unwrap(), check, &mut Vec::new()).unwrap()
            };
            let mut longer = content.clone();
            longer.push(b'x');
            assert!(holds(&longer, Check::Whole) && holds(&longer, Check::Ends));
            assert!(!holds(&content[..4999], Check::Ends));
            for (at, seen_at_ends) in
                [(0, true), (1123, true), (1124, false), (3000, false), (4744, true), (4999, true)]
            {
                let mut changed = content.clone();
                changed[at] ^= 1;
                assert!(!holds(&changed, Check::Whole), "byte {at}");
                assert_eq!(!holds(&changed, Check::Ends), seen_at_ends, "byte {at}");
            }
        }
    }

    #[test]
    fn a_header_that_is_too_long_to_keep_does_no_harm() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let content: Vec<u8> = (0..HEADER as u32 + 5000).map(|i| (i % 251) as u8).collect();
        std::fs::write(&path, &content).unwrap();
        let mut witness = Witness::default();
        witness.take(&content[..HEADER + 4000]);
        witness.header_ends();
        witness.take(&content[HEADER + 4000..]);
        assert_eq!(witness.head.len(), HEADER);
        assert!(witness.holds(&File::open(&path).unwrap(), Check::Whole, &mut Vec::new()).unwrap());
    }
}
