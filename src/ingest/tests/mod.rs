//! Directories on disk, seen through the public end of ingest.

mod any_split;
mod changes;
mod reading;
mod watching;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Batch, FileSource, FileStates, ReadOptions, Root, Tailer};
use crate::series::InterfaceName;

const HEADER: &str = "timeslot,hostname,ifname,max_metric_value,mean_metric_value\n";

/// Row `i` of a file: another minute, one of three interfaces, values that tell it apart.
fn row(i: usize) -> String {
    format!("2026-11-{:02} {:02}:{:02}:00,core-1,xe-{},{}.5,{i}\n", 1 + i / 1440, i / 60 % 24, i % 60, i % 3, 2 * i)
}

fn rows(range: std::ops::Range<usize>) -> String {
    range.map(row).collect()
}

/// A directory and everything that was read of it so far, in the engine's manner.
struct Read {
    dir: TempDir,
    tailer: Tailer,
    names: Vec<InterfaceName>,
    files: Vec<FileSource>,
    /// `file id:line time host ifname max mean`
    rows: Vec<String>,
    /// `file name:line reason`
    refusals: Vec<String>,
    refused: u64,
    /// `file name message`
    notices: Vec<String>,
    states: FileStates,
}

impl Read {
    fn new() -> Self {
        Self::with(ReadOptions::default())
    }

    fn with(options: ReadOptions) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let tailer = Tailer::new(vec![(Root::Data, dir.path().to_owned())], options).unwrap().looking_always();
        Self {
            dir,
            tailer,
            names: vec![],
            files: vec![],
            rows: vec![],
            refusals: vec![],
            refused: 0,
            notices: vec![],
            states: FileStates::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    fn append(&self, name: &str, content: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.path(name)).unwrap();
        file.write_all(content.as_ref()).unwrap();
    }

    /// One turn.
    fn scan(&mut self) -> Batch {
        let batch = self.tailer.scan();
        self.take(&batch);
        batch
    }

    /// Turns until everything is read. Gives the last batch.
    fn all(&mut self) -> Batch {
        self.turns(Tailer::scan)
    }

    fn finish(&mut self) -> Batch {
        self.turns(Tailer::finish)
    }

    fn turns(&mut self, turn: impl Fn(&mut Tailer) -> Batch) -> Batch {
        for _ in 0..100_000 {
            let batch = turn(&mut self.tailer);
            self.take(&batch);
            if batch.caught_up {
                return batch;
            }
        }
        panic!("never caught up");
    }

    fn take(&mut self, batch: &Batch) {
        self.states.take(batch);
        self.names.extend(batch.names.iter().cloned());
        self.files.extend(batch.files.iter().cloned());
        for r in &batch.rows {
            let name = &self.names[r.interface.index()];
            let (file, line) = (r.origin.file.index(), r.origin.line);
            assert!(file < self.files.len());
            self.rows.push(format!("{file}:{line} {} {name} {} {}", r.time, r.max, r.mean));
        }
        let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        self.refusals.extend(batch.refusals.iter().map(|r| format!("{}:{} {}", name(&r.path), r.line, r.reason)));
        self.refused += batch.refused;
        self.notices.extend(batch.notices.iter().map(|n| format!("{} {}", name(&n.path), n.message)));
    }

    /// The mean values of all rows: for [`rows`] they are the numbers of the rows.
    fn means(&self) -> Vec<f64> {
        self.rows.iter().map(|r| r.rsplit(' ').next().unwrap().parse().unwrap()).collect()
    }
}

fn numbers(range: std::ops::Range<usize>) -> Vec<f64> {
    range.map(|i| i as f64).collect()
}

/// Makes a file look as if it had been written long ago.
fn age(read: &Read, name: &str) {
    let file = fs::File::options().write(true).open(read.path(name)).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
