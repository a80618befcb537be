//! Where the bytes of a file come from: the file itself, or what is packed in it.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

/// Opens a file for reading, and does not wait for anybody: were it a pipe by now, that would be for ever.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits();
    OpenOptions::new().read(true).custom_flags(i32::try_from(flags).unwrap_or(0)).open(path)
}

/// How a file is unpacked.
#[derive(Debug)]
pub(super) enum Source {
    /// It is not packed: any place of it can be read at any time.
    Plain,
    /// It is packed, and read from its start to its end once.
    Gzip(Gzip),
}

/// Unpacking, from the first byte on. The file is held open only while it is under way.
#[derive(Debug, Default)]
pub(super) struct Gzip {
    decoder: Option<Box<MultiGzDecoder<BufReader<Counted>>>>,
    /// Unpacked bytes that were not taken yet.
    held: Vec<u8>,
    ended: bool,
}

/// A file, and how much of it was read.
#[derive(Debug)]
struct Counted {
    file: File,
    read: u64,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read += n as u64;
        Ok(n)
    }
}

impl Gzip {
    /// Puts up to `goal` bytes that were not taken yet into `bytes`. Gives how many there are, and
    /// whether the end is among them.
    ///
    /// # Errors
    /// When the file cannot be read or unpacked, or ends too early.
    pub(super) fn fill(&mut self, file: &File, bytes: &mut Vec<u8>, goal: usize) -> io::Result<(usize, bool)> {
        if self.decoder.is_none() && !self.ended {
            let counted = Counted { file: file.try_clone()?, read: 0 };
            self.decoder = Some(Box::new(MultiGzDecoder::new(BufReader::new(counted))));
        }
        while self.held.len() < goal
            && let Some(decoder) = &mut self.decoder
        {
            let missing = (goal - self.held.len()) as u64;
            if decoder.by_ref().take(missing).read_to_end(&mut self.held)? < missing as usize {
                (self.decoder, self.ended) = (None, true);
            }
        }
        let n = goal.min(self.held.len());
        bytes.resize(bytes.len().max(n), 0);
        bytes[..n].copy_from_slice(&self.held[..n]);
        Ok((n, self.ended && n == self.held.len()))
    }

    /// Takes bytes that were filled in.
    pub(super) fn take(&mut self, n: usize) {
        self.held.drain(..n);
    }

    /// Whether all of it was taken.
    pub(super) fn is_over(&self) -> bool {
        self.ended && self.held.is_empty()
    }

    /// Gives up: nothing more comes.
    pub(super) fn give_up(&mut self) {
        *self = Self { decoder: None, held: Vec::new(), ended: true };
    }

    /// How many bytes of the file itself were read.
    pub(super) fn packed(&self) -> Option<u64> {
        self.decoder.as_ref().map(|decoder| decoder.get_ref().get_ref().read)
    }
}

/// Puts bytes of a plain file from `at` on into `bytes[have..goal]`.
pub(super) fn fill(file: &File, bytes: &mut Vec<u8>, have: usize, goal: usize, at: u64) -> io::Result<()> {
    bytes.resize(bytes.len().max(goal), 0);
    file.read_exact_at(&mut bytes[have..goal], at + have as u64)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn packed_bytes_come_out_in_any_pieces_and_members_follow_each_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("f");
        let content: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
        let mut packed = Vec::new();
        for part in content.chunks(40_000) {
            let mut encoder = GzEncoder::new(&mut packed, Compression::fast());
            encoder.write_all(part).unwrap();
            encoder.finish().unwrap();
        }
        std::fs::write(&path, packed).unwrap();
        for (goal, taken) in [(1000, 700), (300_000, 1), (50_000, 50_000)] {
            let (mut gzip, mut bytes, mut got) = (Gzip::default(), Vec::new(), Vec::new());
            while !gzip.is_over() && got.len() < 200_000 {
                let (n, _) = gzip.fill(&open(&path).unwrap(), &mut bytes, goal).unwrap();
                let n = if goal == 300_000 { n } else { n.min(taken) };
                got.extend_from_slice(&bytes[..n]);
                gzip.take(n);
            }
            assert!(got == content, "{goal}");
        }
    }
}
