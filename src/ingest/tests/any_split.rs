//! Whatever way rows are split over files, pieces and moments: the final history is the same.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::ingest::outranks;
use crate::series::History;

/// A line of a file: which row, and with which value.
#[derive(Debug, Clone)]
struct Claim {
    file: usize,
    minute: usize,
    interface: usize,
    value: u8,
}

const FILES: [&str; 5] = ["a.csv.2", "a.csv.1", "a.csv", "b.csv-20260101", "c.csv"];

fn claims() -> impl Strategy<Value = Vec<Claim>> {
    let claim = (0..FILES.len(), 0..20usize, 0..3usize, 0..4u8).prop_map(|(file, minute, interface, value)| Claim {
        file,
        minute,
        interface,
        value,
    });
    prop::collection::vec(claim, 1..60)
}

/// What stands of all claims: of each moment of each interface the last line of the last file that has one.
fn expected(claims: &[Claim]) -> BTreeMap<(String, String), f64> {
    let mut won: BTreeMap<(String, String), (usize, f64)> = BTreeMap::new();
    for claim in claims {
        let key = (format!("core xe-{}", claim.interface), format!("2026-11-23 14:{:02}:00", claim.minute));
        let entry = won.entry(key).or_insert((claim.file, 0.0));
        if claim.file >= entry.0 {
            *entry = (claim.file, f64::from(claim.value));
        }
    }
    won.into_iter().map(|(key, (_, value))| (key, value)).collect()
}

/// The histories of everything that was read.
#[derive(Default)]
struct Histories {
    names: Vec<InterfaceName>,
    files: Vec<FileSource>,
    all: Vec<History>,
}

impl Histories {
    fn take(&mut self, batch: &Batch) {
        self.names.extend(batch.names.iter().cloned());
        self.files.extend(batch.files.iter().cloned());
        self.all.resize_with(self.names.len(), History::default);
        for row in &batch.rows {
            let wins = |new, old| outranks(&self.files, new, old);
            self.all[row.interface.index()].insert(row.time, row.max, row.mean, row.origin, wins);
        }
    }

    fn rows(&self) -> BTreeMap<(String, String), f64> {
        let of = |(name, history): (&InterfaceName, &History)| {
            let row = |i| ((name.to_string(), history.time(i).to_string()), history.values(i)[1]);
            (0..history.len()).map(row).collect::<Vec<_>>()
        };
        self.names.iter().zip(&self.all).flat_map(of).collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn any_split_of_any_rows_gives_the_same_history(
        claims in claims(),
        order in Just((0..FILES.len()).collect::<Vec<_>>()).prop_shuffle(),
        pieces in prop::collection::vec((0..FILES.len(), 1..200usize), 0..40),
        bytes_per_turn in prop_oneof![Just(1usize), Just(70), Just(4 << 20)],
    ) {
        let mut left: Vec<Vec<u8>> = vec![HEADER.as_bytes().to_vec(); FILES.len()];
        for Claim { file, minute, interface, value } in &claims {
            let line = format!("2026-11-23 14:{minute:02}:00,core,xe-{interface},9,{value}\n");
            left[*file].extend_from_slice(line.as_bytes());
        }
        let dir = tempfile::tempdir().unwrap();
        let options = ReadOptions { bytes_per_turn, ..ReadOptions::default() };
        let mut tailer = Tailer::new(vec![(Root::Data, dir.path().to_owned())], options).unwrap();
        let mut histories = Histories::default();
        // Pieces of files in any order, then the rest of each, file by file.
        let rest = order.iter().map(|file| (*file, usize::MAX));
        for (file, length) in pieces.into_iter().chain(rest) {
            let length = length.min(left[file].len());
            let piece: Vec<u8> = left[file].drain(..length).collect();
            let mut to = OpenOptions::new().append(true).create(true).open(dir.path().join(FILES[file])).unwrap();
            to.write_all(&piece).unwrap();
            loop {
                let batch = tailer.scan();
                histories.take(&batch);
                if batch.caught_up {
                    break;
                }
            }
        }
        prop_assert_eq!(histories.rows(), expected(&claims));
    }
}
