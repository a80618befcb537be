//! Any bytes as a file of rows: nothing panics, no row is more than its line, and the pieces in which the bytes
//! came change neither rows nor refusals.
#![no_main]
#![allow(dead_code, unused_imports, unreachable_pub, reason = "whole rooms are taken, and a part of them is used")]

#[path = "../../src/ingest/mod.rs"]
mod ingest;
#[path = "../../src/random.rs"]
mod random;
#[path = "../../src/series/mod.rs"]
mod series;

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

use ingest::{Batch, ReadOptions, Root, Tailer};
use libfuzzer_sys::fuzz_target;

const HEADER: &[u8] = b"timeslot,hostname,ifname,max_metric_value,mean_metric_value\n";

/// All that came of a file, in a form that can be compared.
#[derive(Debug, Default, PartialEq)]
struct Seen {
    names: Vec<String>,
    rows: Vec<(u32, i64, usize, u64, u64)>,
    refused: u64,
    notices: usize,
}

impl Seen {
    fn take(&mut self, batch: &Batch) {
        self.names.extend(batch.names.iter().map(ToString::to_string));
        for row in &batch.rows {
            assert!(row.max.abs() <= 1e18 && row.mean.abs() <= 1e18);
            let bits = (row.max.to_bits(), row.mean.to_bits());
            self.rows.push((row.origin.line, row.time.seconds(), row.interface.index(), bits.0, bits.1));
        }
        self.refused += batch.refused;
        self.notices += batch.notices.len();
    }
}

fn read(tailer: &mut Tailer, seen: &mut Seen, turn: impl Fn(&mut Tailer) -> Batch) {
    loop {
        let batch = turn(tailer);
        seen.take(&batch);
        if batch.caught_up {
            return;
        }
    }
}

/// What comes of `content` when it is written up to each of `cuts`, and read each time.
fn seen(dir: &Path, content: &[u8], cuts: &[usize], options: ReadOptions) -> Seen {
    let path = dir.join("a.csv");
    drop(File::create(&path));
    let mut file = OpenOptions::new().append(true).open(&path).expect("a place to write");
    let mut tailer = Tailer::new(vec![(Root::Data, dir.to_owned())], options).expect("a directory");
    let (mut seen, mut from) = (Seen::default(), 0);
    for cut in cuts {
        file.write_all(&content[from..*cut]).expect("room");
        from = *cut;
        read(&mut tailer, &mut seen, Tailer::scan);
    }
    file.write_all(&content[from..]).expect("room");
    read(&mut tailer, &mut seen, Tailer::scan);
    read(&mut tailer, &mut seen, Tailer::finish);
    seen
}

fuzz_target!(|data: &[u8]| {
    let [way, first, second, content @ ..] = data else { return };
    let mut bytes = if way & 1 == 0 { HEADER.to_vec() } else { Vec::new() };
    bytes.extend_from_slice(content);
    let options = |bytes_per_turn| ReadOptions {
        delimiter: if way & 2 == 0 { b',' } else { b';' },
        bytes_per_turn,
        ..ReadOptions::default()
    };
    let at = |part: u8| usize::from(part) * bytes.len() / 255;
    let mut cuts = [at(*first), at(*second)];
    cuts.sort_unstable();
    let base = Path::new("/dev/shm");
    let dir = if base.is_dir() { tempfile::tempdir_in(base) } else { tempfile::tempdir() }.expect("a temporary directory");
    let whole = seen(dir.path(), &bytes, &[], options(4 << 20));
    let lines = bytes.iter().filter(|b| **b == b'\n').count() as u64 + 1;
    assert!(whole.rows.len() as u64 + whole.refused <= lines);
    let turn = [1, 7, 64, 4 << 20][usize::from(way >> 2 & 3)];
    assert_eq!(seen(dir.path(), &bytes, &cuts, options(turn)), whole);
});
