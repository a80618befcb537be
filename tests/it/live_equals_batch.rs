//! What is said of rows follows from what stands in the directory, not from how it came there.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use noctop::detect::{IncidentKind, Settings};
use noctop::engine::live::{self, LiveOptions};
use noctop::engine::view::{Surroundings, Viewer};
use noctop::engine::{Command, Engine, Snapshot, Told};
use noctop::ingest::{ReadOptions, Root, Tailer, WatchOptions};
use noctop::model::Model;
use noctop::random::Random;
use noctop::series::{Clock, InterfaceId, InterfaceName};

use crate::support::*;

/// Slots that a row may be late here. With what a piece and a torn line add it stays below the 48
/// up to which a late row is scored as if it had been in time.
const LATE: usize = 24;
/// Slots of a piece.
const PIECE: usize = 7;

/// What a collector with a bad day appends in one go: bytes for each file.
type Piece = BTreeMap<String, Vec<u8>>;

/// Rows in pieces: the first is large, the others of a few slots. Some rows come late, some come
/// wrong and are corrected by a later line, some of these in a file of their own; files end in the
/// middle of a line until the next piece.
fn pieces(rows: &[RawRow], random: &mut Random) -> Vec<Piece> {
    let first = rows[0].time;
    let slot = |row: &RawRow| row.time.since(first) as usize / 3600;
    let slots = slot(rows.last().unwrap()) + 1;
    let mut due: Vec<Vec<(String, String)>> = vec![Vec::new(); slots + LATE];
    for row in rows {
        let file = format!("{}.csv", row.name.host);
        // One sorts before all hosts and one behind them: what they say is outvoted, or stands.
        let aside = ["aa-aside.csv", "zz-aside.csv"][random.below(2)].to_owned();
        let at = slot(row);
        let later = at + 1 + random.below(LATE - 1);
        match random.below(100) {
            0..6 => due[later].push((if random.chance(0.5) { file } else { aside }, row.line())),
            6..10 => {
                let wrong = RawRow { mean: row.mean * 3.0, ..row.clone() };
                due[at].push((file.clone(), wrong.line()));
                due[later].push((if random.chance(0.5) { file } else { aside }, row.line()));
            }
            10..12 => {
                due[at].push((file.clone(), row.line()));
                due[later].push((file, row.line()));
            }
            12..13 => due[at].push((file, row.line().replace(',', ";"))),
            13..14 => {}
            _ => due[at].push((file, row.line())),
        }
    }
    let mut out = Vec::new();
    let mut torn: Piece = BTreeMap::new();
    let mut begun: BTreeMap<String, ()> = BTreeMap::new();
    let mut at = 0;
    while at < due.len() {
        let to = if at == 0 { 150 } else { at + 1 + random.below(PIECE) }.min(due.len());
        let mut piece = std::mem::take(&mut torn);
        let mut lines: Vec<(String, String)> = due[at..to].iter_mut().flat_map(std::mem::take).collect();
        // Not the first: the line that it tears could be of any of its slots.
        if at > 0 && random.chance(0.5) {
            random.shuffle(&mut lines);
        }
        for (file, line) in lines {
            let bytes = piece.entry(file.clone()).or_default();
            if begun.insert(file, ()).is_none() {
                bytes.extend_from_slice(HEADER.as_bytes());
            }
            bytes.extend_from_slice(line.as_bytes());
        }
        if to < due.len() {
            for (file, bytes) in &mut piece {
                if bytes.len() > HEADER.len() && random.chance(0.6) {
                    let keep = bytes.len() - random.below(60.min(bytes.len()));
                    torn.insert(file.clone(), bytes.split_off(keep));
                }
            }
        }
        out.push(piece);
        at = to;
    }
    out
}

/// A directory that grows while an engine reads it, in the end equal to an engine that read it at once.
fn check(seed: u64, threads: usize, bytes_per_turn: usize) {
    let clean = check_rows(&fleet_rows(&plan(seed, 3600, 13, 3, 6)), seed, threads, bytes_per_turn, &built_in());
    assert!(told(&clean).len() > 5, "{} incidents", told(&clean).len());
}

/// The same with these rows; gives the engine that read them at once.
fn check_rows(rows: &[RawRow], seed: u64, threads: usize, bytes_per_turn: usize, model: &Arc<Model>) -> Engine {
    let place = Place::new();
    let mut random = Random::new(seed);
    let pieces = pieces(rows, &mut random);
    let mut engine = Engine::new(model.clone(), Settings::default(), threads);
    let options = ReadOptions { bytes_per_turn, ..ReadOptions::default() };
    let mut tailer = Tailer::new(vec![(Root::Data, place.rows())], options).unwrap();
    let halfway = random.below(pieces.len());
    let mut viewer = Onlooker::default();
    for (n, piece) in pieces.iter().enumerate() {
        put(&place.rows(), piece);
        // As on the live thread: nothing is scored until all that stood there at the start is read.
        while !read(&mut tailer, &mut engine) {
            if n > 0 && random.chance(0.2) {
                engine.settle();
            }
        }
        engine.settle();
        viewer.check(&engine, &mut random, &format!("seed {seed}, piece {n} of {}", pieces.len()));
        assert_eq!(engine.counts().late, 0, "rows that were too late to be scored: the test is wrong");
        if n == halfway {
            let mut clean = Engine::new(model.clone(), Settings::default(), 1);
            let mut again = Tailer::new(vec![(Root::Data, place.rows())], ReadOptions::default()).unwrap();
            while !read(&mut again, &mut clean) {}
            clean.settle();
            compare(&engine, &clean, &format!("seed {seed}, piece {n} of {}", pieces.len()));
        }
    }
    let counts = engine.counts();
    assert!(counts.corrected > 50 && counts.repeated > 20 && counts.refused > 20, "{counts:?}");
    let clean = Engine::new(model.clone(), Settings::default(), 3 - threads);
    let clean = read_into(clean, &place.rows(), ReadOptions::default());
    compare(&engine, &clean, &format!("seed {seed}"));
    clean
}

/// Looks at an engine again and again, each time only at what has changed.
#[derive(Default)]
struct Onlooker {
    viewer: Viewer,
    rows: BTreeMap<usize, Vec<Bits>>,
    held: Vec<Snapshot>,
}

impl Onlooker {
    /// What it shows is what somebody sees who looks for the first time.
    fn check(&mut self, engine: &Engine, random: &mut Random, what: &str) {
        let mut touched = HashSet::new();
        for (i, track) in engine.tracks().iter().enumerate() {
            let rows: Vec<Bits> = track.scored().from(0).map(|(i, s)| bits(track.history().time(i), s)).collect();
            if self.rows.get(&i) != Some(&rows) {
                touched.insert(InterfaceId::from_index(i));
                self.rows.insert(i, rows);
            }
        }
        let earlier = engine.now().map(|now| now.plus(-40 * 3600)).filter(|_| random.chance(0.1));
        let around = Surroundings { back_to: earlier, ..Surroundings::default() };
        let got = self.viewer.snapshot(engine, &around, &touched);
        let want = Viewer::default().snapshot(engine, &around, &HashSet::new());
        let seen = |s: &Snapshot| format!("{:#?}", Snapshot { revision: 0, ..s.clone() });
        assert_eq!(seen(&got), seen(&want), "{what}");
        // Faces hold some of them for a while.
        self.held.push(got);
        self.held.drain(..self.held.len().saturating_sub(random.below(4)));
    }
}

fn put(dir: &Path, piece: &Piece) {
    piece.iter().for_each(|(file, bytes)| append(&dir.join(file), bytes));
}

fn read(tailer: &mut Tailer, engine: &mut Engine) -> bool {
    let batch = tailer.scan();
    engine.absorb(&batch);
    batch.caught_up
}

#[track_caller]
pub(crate) fn compare(live: &Engine, batch: &Engine, what: &str) {
    let (got, want) = (said(live), said(batch));
    assert_eq!(got.keys().collect::<Vec<_>>(), want.keys().collect::<Vec<_>>(), "{what}");
    for (name, rows) in &want {
        for (i, (got, want)) in got[name].iter().zip(rows).enumerate() {
            assert_eq!(got, want, "{what}: {name}, row {i}");
        }
        assert_eq!(got[name].len(), rows.len(), "{what}: {name}");
    }
    assert_eq!(told(live), told(batch), "{what}");
}

#[test]
fn with_one_thread() {
    check(21, 1, ReadOptions::default().bytes_per_turn);
    check(22, 1, 900);
}

#[test]
fn the_same_by_a_clock_that_is_changed_meanwhile() {
    let clock = Clock::of(&jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
    let by_clock = Arc::new(Model::built_in().unwrap().following(clock));
    let mut rows = fleet_rows(&plan(27, 3600, 13, 3, 6));
    // From 2026-03-23: the change is on the sixth day.
    rows.iter_mut().for_each(|row| row.time = row.time.plus(11 * 7 * 24 * 3600));
    let clean = check_rows(&rows, 27, 1, ReadOptions::default().bytes_per_turn, &by_clock);
    assert!(!told(&clean).is_empty());
}

#[test]
fn with_two_threads() {
    check(23, 2, 5_000);
    check(24, 2, 100);
}

/// Six weeks of three devices: interfaces with a backup each night from the third week on,
/// and ones whose level shifts for good and that are silent for a night.
fn a_long_story() -> Vec<RawRow> {
    let mut random = Random::new(3);
    let mut rows = Vec::new();
    for i in 0..24 * 42usize {
        let day = libm::sin(i as f64 * std::f64::consts::TAU / 24.0);
        for (host, ifname) in [("a", "backup"), ("a", "shift"), ("b", "backup"), ("b", "shift"), ("c", "shift")] {
            let usual = 1000.0 + 300.0 * day + 20.0 * random.normal();
            let mean = match (ifname, i % 24) {
                ("backup", 2 | 3) if i >= 24 * 14 => usual + 2000.0,
                ("shift", _) if i >= 24 * 25 => 1.8 * usual,
                _ => usual,
            };
            if ifname == "backup" || !(400..412).contains(&i) {
                rows.push(RawRow { name: InterfaceName::new(host, ifname), time: hour(i), max: 1.3 * mean, mean });
            }
        }
    }
    rows
}

#[test]
fn with_routines_a_level_that_is_taken_over_a_silence_and_rings() {
    let clean = check_rows(&a_long_story(), 26, 1, ReadOptions::default().bytes_per_turn, &built_in());
    let all = clean.incidents();
    let any = |what: &dyn Fn(&Told) -> bool| all.iter().any(what);
    assert!(any(&|t| t.incident.taken_over), "{all:#?}");
    assert!(any(&|t| t.incident.kind == IncidentKind::Silence), "{all:#?}");
    assert!(any(&|t| t.rings) && any(&|t| !t.rings), "{all:#?}");
    // Most nights of a backup are not listed: those with rows that are lost or wrong may be.
    let nights = |from: usize, to: usize| {
        let backup = |t: &&Told| &*clean.tracks()[t.interface.index()].name().ifname == "backup";
        let times = all.iter().filter(backup).map(|t| t.incident.start);
        times.filter(|t| hour(24 * from) <= *t && *t < hour(24 * to) && t.second_of_utc_day() == 2 * 3600).count()
    };
    assert!(nights(14, 17) >= 4 && nights(18, 42) <= 12, "{} and {} of 48", nights(14, 17), nights(18, 42));
}

/// Six weeks of a device that goes dark for two hours now and then. The load of one of its interfaces is noise.
fn dark_hours() -> Vec<RawRow> {
    let mut random = Random::new(4);
    let mut rows = Vec::new();
    for i in 0..24 * 42usize {
        let day = libm::sin(i as f64 * std::f64::consts::TAU / 24.0);
        for ifname in ["calm", "calmer", "noisy"] {
            let usual = 1000.0 + 300.0 * day + 20.0 * random.normal();
            let noise = if ifname == "noisy" { libm::exp(0.4 * random.normal()) } else { 1.0 };
            let mean = if i >= 300 && i % 61 < 2 { 0.0 } else { usual * noise };
            rows.push(RawRow { name: InterfaceName::new("h", ifname), time: hour(i), max: 1.3 * mean, mean });
        }
    }
    rows
}

#[test]
fn with_what_is_told_for_its_company() {
    let clean = check_rows(&dark_hours(), 28, 1, ReadOptions::default().bytes_per_turn, &built_in());
    let all = clean.incidents();
    let company = all.iter().filter(|t| t.incident.usual).count();
    assert!(company > 0 && all.iter().all(|t| !t.incident.usual || t.story.is_some()), "{company} of {all:#?}");
}

#[test]
fn on_the_live_thread() {
    let place = Place::new();
    let mut random = Random::new(25);
    let pieces = pieces(&fleet_rows(&plan(25, 3600, 13, 3, 6)), &mut random);
    put(&place.rows(), &pieces[0]);
    let (handle, thread) = live::start(LiveOptions {
        watch: WatchOptions { poll: Some(Duration::from_millis(200)), ..WatchOptions::default() },
        threads: 2,
        ..live_options(place.rows())
    })
    .unwrap();
    wait_for("the first rows", Duration::from_secs(20), || {
        let snapshot = handle.snapshot();
        (snapshot.source.loading.is_none() && snapshot.source.rows > 0).then_some(())
    });
    for piece in &pieces[1..] {
        put(&place.rows(), piece);
        std::thread::sleep(Duration::from_millis(random.below(60) as u64));
    }
    place.run(["score", "rows", "--output", "scores.csv", "--incidents", "incidents.csv"]).fine();
    let file = std::fs::read_to_string(place.join("incidents.csv")).unwrap();
    let mut want: Vec<String> = file.lines().skip(1).map(str::to_owned).collect();
    want.sort();
    assert!(want.len() > 5, "{file}");
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    loop {
        let snapshot = handle.snapshot();
        let got = listed(&snapshot);
        if got == want {
            assert_eq!(snapshot.incidents_total, want.len());
            break;
        }
        if std::time::Instant::now() > deadline {
            assert_eq!(snapshot.source.late, 0, "rows that were too late: the test is wrong");
            assert_eq!(got, want);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    handle.send(Command::Stop);
    thread.join().unwrap();
}

/// The incidents of a snapshot as `score --incidents` writes them.
pub(crate) fn listed(snapshot: &Snapshot) -> Vec<String> {
    let line = |i: &noctop::engine::IncidentView| {
        [
            i.name.host.to_string(),
            i.name.ifname.to_string(),
            i.id.to_string(),
            i.kind.name().to_owned(),
            i.start.to_string(),
            i.end.map(|end| end.to_string()).unwrap_or_default(),
            i.peak.to_string(),
            i.direction.map(|d| d.word().to_owned()).unwrap_or_default(),
            i.story.map(|s| s.to_string()).unwrap_or_default(),
            i.verdict.word().to_owned(),
            i.state_name().to_owned(),
            u8::from(i.rings).to_string(),
        ]
        .join(",")
    };
    let mut lines: Vec<String> = snapshot.incidents.iter().map(|i| line(i)).collect();
    lines.sort();
    lines
}

#[test]
fn rows_that_are_all_there_are_no_reading_for_ever() {
    // A directory without a single row is read through at once, too.
    let place = Place::new();
    let (handle, thread) = watching(&place, WatchOptions::default());
    wait_for("the end of reading", Duration::from_secs(5), || handle.snapshot().source.loading.is_none().then_some(()));
    handle.send(Command::Stop);
    thread.join().unwrap();
}
