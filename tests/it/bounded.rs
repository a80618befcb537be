//! How many rows are kept in memory changes nothing of what is said.

use std::collections::BTreeMap;
use std::fs;

use noctop::detect::Settings;
use noctop::engine::live::{self, LiveOptions};
use noctop::engine::track::LEAST_KEPT;
use noctop::engine::{Command, Engine, Memory};
use noctop::ingest::{ReadOptions, Root, Tailer};
use noctop::random::Random;
use noctop::series::{InterfaceName, Timestamp};

use crate::live_equals_batch::listed;
use crate::support::*;

/// Rows a piece has at the most.
const PIECE: usize = 900;

/// Rows of 5 minutes with a rhythm, an outage of two hours now and then, and a level that shifts for good.
fn lines(ifname: &str, rows: usize, seed: u64) -> Vec<String> {
    let mut random = Random::new(seed);
    let line = |i: usize| {
        let time = Timestamp::from_seconds(1_767_571_200 + 300 * i as i64);
        let day = libm::sin(i as f64 * std::f64::consts::TAU / 288.0);
        let usual = (1000.0 + 300.0 * day + 20.0 * random.normal()) * if i > rows * 2 / 3 { 1.7 } else { 1.0 };
        let mean = if i % 1500 > 1476 { 0.0 } else { usual };
        format!("{time},h,{ifname},{:.2},{mean:.2}\n", 1.3 * mean)
    };
    (0..rows).map(line).collect()
}

#[test]
fn rows_that_are_let_go_of_leave_scores_and_incidents_as_they_are() {
    let place = Place::new();
    let mut random = Random::new(5);
    let options = ReadOptions::default();
    let mut tailer = Tailer::new(vec![(Root::Data, place.rows())], options).unwrap();
    let mut engine = Engine::new(built_in(), Settings::default(), 1).with_memory(Memory::Rows(0));
    let mut all: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    // Behind 12,288 rows the scale of an unknown interface is fitted no more, and its first rows can go, too.
    all.insert("long", lines("long", 14_500, 1));
    all.insert("short", lines("short", 4_000, 2));
    let paths: BTreeMap<_, _> = all.keys().map(|name| (*name, place.rows().join(format!("{name}.csv")))).collect();
    paths.values().for_each(|path| append(path, HEADER.as_bytes()));
    while all.values().any(|lines| !lines.is_empty()) {
        for (name, lines) in &mut all {
            let n = (100 + random.below(PIECE - 100)).min(lines.len());
            let mut piece: Vec<String> = lines.drain(..n).collect();
            // Rows that come up to 40 slots late, within the piece and with the next one.
            for _ in 0..10 {
                let from = random.below(n.max(1));
                if from + 40 < piece.len() {
                    let late = piece.remove(from);
                    piece.insert(from + random.below(40), late);
                }
            }
            if piece.len() > 30 && !lines.is_empty() {
                lines.splice(..0, piece.pop());
                lines.swap(0, 1);
            }
            append(&paths[name], piece.concat().as_bytes());
        }
        while {
            let batch = tailer.scan();
            engine.absorb(&batch);
            !batch.caught_up
        } {}
        engine.settle();
        for track in engine.tracks() {
            let (said, rows) = (track.scored().places(), track.history().places());
            assert!(said.len() <= LEAST_KEPT * 5 / 4 + PIECE, "{}: {said:?}", track.name());
            assert!(rows.end < 12_500 || rows.start > 0, "{}: {rows:?}", track.name());
        }
    }
    let counts = engine.counts();
    assert_eq!((counts.late, counts.forgotten), (0, 0), "rows that were too late to be scored: the test is wrong");
    let clean = scored(&place.rows(), 1);
    assert_eq!(told(&engine), told(&clean));
    assert!(told(&clean).len() > 5);
    let mut compared = 0;
    for (kept, whole) in engine.tracks().iter().zip(clean.tracks()) {
        assert_eq!((kept.name(), kept.history().len()), (whole.name(), whole.history().len()));
        assert!(kept.scored().places().start > 3_000);
        for (i, s) in kept.scored().from(0) {
            let (time, other) = (kept.history().time(i), whole.history().time(i));
            assert_eq!(bits(time, s), bits(other, &whole.scored()[i]), "{} row {i}", kept.name());
            compared += 1;
        }
    }
    assert!(compared >= 2 * LEAST_KEPT);

    // An old file is read again with other values in it: nobody knows any more what they were, and that is counted.
    let path = &paths["long"];
    let text = fs::read_to_string(path).unwrap();
    let changed = text.replacen(",h,long,", ",h,long,1", 1);
    fs::write(path, &changed).unwrap();
    let before = (told(&engine), engine.kept());
    while {
        let batch = tailer.scan();
        engine.absorb(&batch);
        !batch.caught_up
    } {}
    engine.settle();
    let counts = engine.counts();
    assert_eq!((told(&engine), engine.kept()), before);
    assert!(counts.forgotten > 1000 && counts.corrected == 0, "{counts:?}");
    assert_eq!(counts.rows - clean.counts().rows, 14_500);
}

#[test]
fn a_directory_of_more_rows_than_are_kept_is_read_twice_and_says_the_same() {
    let place = Place::new();
    let (plain, strays) = (lines("plain", 5_000, 3), lines("strays", 5_000, 4));
    place.put("a.csv", &(plain.concat() + "no row\n"));
    // Half of its older rows stand in a file that sorts last, so that it can only be scored once all is read.
    let (late, early): (Vec<_>, Vec<_>) = strays.into_iter().enumerate().partition(|(i, _)| i % 2 == 0 && *i < 3_000);
    let concat = |rows: Vec<(usize, String)>| rows.into_iter().map(|(_, line)| line).collect::<String>();
    place.put("b.csv", &concat(early));
    place.put("z.csv", &concat(late));
    let more = lines("more", 5_000, 6);
    place.put("c.csv", &more[..4_990].concat());
    let (handle, thread) =
        live::start(LiveOptions { memory: Memory::Rows(3_000), threads: 2, ..live_options(place.rows()) }).unwrap();
    wait_for("all rows", LONG, || handle.snapshot().source.loading.is_none().then_some(()));
    append(&place.rows().join("c.csv"), more[4_990..].concat().as_bytes());
    let rows = |name: &InterfaceName| {
        let snapshot = handle.snapshot();
        snapshot.interfaces.iter().find(|i| i.name == *name).map(|i| i.rows)
    };
    for name in ["plain", "strays", "more"] {
        wait_for(name, LONG, || (rows(&InterfaceName::new("h", name)) == Some(5_000)).then_some(()));
    }
    place.run(["score", "rows", "--output", "scores.csv", "--incidents", "incidents.csv"]).fine();
    let file = fs::read_to_string(place.join("incidents.csv")).unwrap();
    let mut want: Vec<String> = file.lines().skip(1).map(str::to_owned).collect();
    want.sort();
    assert!(want.len() > 8, "{file}");
    wait_for("what one clean run says", LONG, || (listed(&handle.snapshot()) == want).then_some(()));
    let source = handle.snapshot().source.clone();
    assert_eq!((source.rows, source.refused, source.refusals.len(), source.late), (15_000, 1, 1, 0));
    assert_eq!((source.states.len(), source.files, source.notices.len()), (4, 4, 0));
    handle.send(Command::Stop);
    thread.join().unwrap();
}
