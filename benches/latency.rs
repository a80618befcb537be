//! How long one fresh row takes to its score in the snapshot that a face draws.
//!
//! ```text
//! cargo bench --bench latency [-- INTERFACES]
//! ```
//!
//! A generated fleet (10,000 interfaces unless told otherwise, three days, hourly) is watched as the
//! console watches it. Then slot after slot comes: some rows one at a time, a fifth of a second apart,
//! the first one alone in its slot and each tenth far off, so that it opens an incident; then the rest of the
//! slot at once. Two times are taken for each single row: from before the write to the snapshot that holds
//! the row's score, all threads included; and the engine's own part on another engine, with nothing in
//! between. At the end nearly all interfaces fall silent, which is thousands of incidents at once. Criterion
//! shows means; what matters to a person are the slow ones, so percentiles are printed. Figures that were
//! seen stand in `benches/README.md`.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use noctop::detect::Settings;
use noctop::engine::live::{LiveOptions, start};
use noctop::engine::view::{Surroundings, Viewer};
use noctop::engine::{Command, Engine, Handle, InterfaceView, Snapshot};
use noctop::ingest::{ReadOptions, Root, Tailer};
use noctop::model::Model;
use noctop::series::{InterfaceName, Timestamp};
use noctop::simulate::files::write_history;
use noctop::simulate::{Fleet, Plan, Target};

/// Slots that come, and the rows of each that are measured.
const SLOTS: usize = 10;
const ROWS: usize = 20;
/// Slots at the end in which nearly all interfaces are silent.
const SILENT_SLOTS: usize = 12;
/// Time between two rows: longer than snapshots are apart.
const APART: Duration = Duration::from_millis(220);

fn main() {
    // `cargo bench` hands on a flag of its own.
    let interfaces = std::env::args().skip(1).find_map(|a| a.parse::<u32>().ok()).unwrap_or(10_000);
    let place = tempfile::tempdir().expect("room for temporary files");
    let dir = place.path().join("rows");
    let plan = Plan { devices: interfaces / 10, interfaces: 10, days: 3, quiet_days: 2, ..Plan::default() };
    let target = Target { rows: dir.clone(), labels: None, force: false };
    let mut fleet = Fleet::new(&plan).expect("a sound plan");
    write_history(&mut fleet, &target, &mut |_, _| {}).expect("rows can be written");
    let names = fleet.interfaces().to_vec();
    let model = Arc::new(Model::built_in().expect("the built-in model is sound"));

    let mut tail = Tail::new(&dir, &names, &model);
    let options = LiveOptions { threads: 2, ..LiveOptions::new(dir.clone(), model) };
    let (handle, engine) = start(options).expect("the directory can be watched");
    let read = until(&handle, Duration::from_secs(600), |s| s.source.loading.is_none());
    let mut now = read.now.expect("the fleet has rows");
    let (mut whole, mut own, mut busy, mut slots) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for slot in 0..SLOTS {
        now = now.plus(3600);
        let mut single = HashSet::new();
        for i in 0..ROWS {
            std::thread::sleep(APART);
            let name = &names[(slot * ROWS + i) * 7919 % names.len()];
            if !single.insert(name) {
                continue;
            }
            let before = of(&handle.snapshot(), name).map(|v| said(&v));
            let value = tail.usual(name) * if i % 10 == 5 { 9.0 } else { 1.0 };
            let begun = Instant::now();
            tail.append(&name.host, &line(name, now, value));
            until(&handle, Duration::from_secs(30), |s| {
                // What is said has changed: the row is not only there, but scored.
                let there = |v: &Arc<InterfaceView>| v.span.is_some_and(|(_, newest)| newest == now);
                of(s, name).is_some_and(|v| there(&v) && Some(said(&v)) != before)
            });
            whole.push(begun.elapsed());
            let (by_clock, of_processor) = tail.engine_alone();
            own.push(by_clock);
            busy.push(of_processor);
        }
        for of_host in names.chunk_by(|a, b| a.host == b.host) {
            let rest = of_host.iter().filter(|name| !single.contains(name));
            let lines: String = rest.map(|name| line(name, now, tail.usual(name))).collect();
            tail.append(&of_host[0].host, &lines);
        }
        let rows = tail.engine.counts().rows + (names.len() - single.len()) as u64;
        until(&handle, Duration::from_secs(60), |s| s.source.rows == rows);
        slots.push(tail.engine_alone().0);
    }
    // In the end nearly all fall silent at once: one in a hundred has rows, slot after slot.
    let mut silent = Vec::new();
    for _ in 0..SILENT_SLOTS {
        now = now.plus(3600);
        for name in names.iter().step_by(100) {
            tail.append(&name.host, &line(name, now, tail.usual(name)));
        }
        silent.push(tail.engine_alone().1);
    }
    handle.send(Command::Stop);
    drop(handle);
    engine.join().expect("the engine's thread ends well");
    println!("{} interfaces, {} single rows", names.len(), whole.len());
    tell("engine alone: taken, scored, in a snapshot", own);
    tell("the same, processor time of its thread", busy);
    tell("from the write to the snapshot", whole);
    tell("engine alone: a whole slot", slots);
    tell("engine alone: a slot while nearly all are silent, processor time of its thread", silent);
}

/// Waits for a snapshot that is as wanted.
fn until(handle: &Handle, most: Duration, wanted: impl Fn(&Snapshot) -> bool) -> Arc<Snapshot> {
    let end = Instant::now() + most;
    loop {
        let snapshot = handle.snapshot();
        if wanted(&snapshot) {
            return snapshot;
        }
        let left = end.saturating_duration_since(Instant::now());
        assert!(!left.is_zero(), "no such snapshot within {most:?}");
        // A lapse is seen at the next turn.
        let _ = handle.wake().recv_timeout(left);
    }
}

fn of(snapshot: &Snapshot, name: &InterfaceName) -> Option<Arc<InterfaceView>> {
    let place = snapshot.interfaces.binary_search_by(|v| v.name.cmp(name)).ok()?;
    Some(snapshot.interfaces[place].clone())
}

fn line(name: &InterfaceName, time: Timestamp, value: f64) -> String {
    format!("{time},{},{},{},{value}\n", name.host, name.ifname, 1.1 * value)
}

fn said(view: &InterfaceView) -> (Option<[f64; 2]>, f32, f32) {
    (view.expected, view.error, view.score)
}

fn tell(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize].as_secs_f64() * 1e3;
    println!(
        "{what}: median {:.2} ms, 90 % {:.2} ms, 99 % {:.2} ms, most {:.2} ms",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}

/// Processor time that this thread has had.
fn busy_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

/// The directory's writer, and an engine of its own on the same rows.
struct Tail {
    dir: PathBuf,
    tailer: Tailer,
    engine: Engine,
    viewer: Viewer,
    places: HashMap<InterfaceName, usize>,
}

impl Tail {
    fn new(dir: &Path, names: &[InterfaceName], model: &Arc<Model>) -> Self {
        let roots = vec![(Root::Data, dir.to_owned())];
        let tailer = Tailer::new(roots, ReadOptions::default()).expect("the directory exists");
        let engine = Engine::new(model.clone(), Settings::default(), 2);
        let mut tail = Self { dir: dir.to_owned(), tailer, engine, viewer: Viewer::default(), places: HashMap::new() };
        loop {
            let batch = tail.tailer.scan();
            tail.engine.absorb(&batch);
            if batch.caught_up {
                break;
            }
        }
        tail.engine.settle();
        tail.places = tail.engine.tracks().iter().enumerate().map(|(i, t)| (t.name().clone(), i)).collect();
        assert_eq!(tail.places.len(), names.len());
        tail.viewer.snapshot(&tail.engine, &Surroundings::default(), &HashSet::new());
        tail
    }

    fn append(&self, host: &str, lines: &str) {
        let path = self.dir.join(format!("{host}.csv"));
        let mut file = File::options().append(true).open(path).expect("the device has a file");
        file.write_all(lines.as_bytes()).expect("rows can be appended");
    }

    /// The mean value a day ago.
    fn usual(&self, name: &InterfaceName) -> f64 {
        let track = &self.engine.tracks()[self.places[name]];
        let history = track.history();
        history.values(history.len().saturating_sub(24))[1]
    }

    /// Reads what was appended; then the time from the batch to its snapshot: by the clock, and of the processor
    /// that this thread had, which other work on the machine does not lengthen.
    fn engine_alone(&mut self) -> (Duration, Duration) {
        let batch = self.tailer.scan();
        assert!(batch.caught_up && !batch.rows.is_empty(), "what was appended is read in one turn");
        let (begun, busy) = (Instant::now(), busy_time());
        let touched = self.engine.absorb(&batch).into_iter().collect();
        self.engine.settle();
        let snapshot = self.viewer.snapshot(&self.engine, &Surroundings::default(), &touched);
        let taken = (begun.elapsed(), busy_time().saturating_sub(busy));
        drop(snapshot);
        taken
    }
}
