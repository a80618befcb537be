//! How long one fresh row takes to its score in the snapshot that a face draws.
//!
//! ```text
//! cargo bench --bench latency [-- INTERFACES]
//! ```
//!
//! A generated fleet (10,000 interfaces unless told otherwise, three days, hourly) is watched as the
//! console watches it. Then rows are appended to its files one at a time, at least a fifth of a second
//! apart, each tenth the first of a new slot. Two times are taken for each: from the return of the
//! write to the snapshot that holds the row's score, all threads included; and the engine's own part
//! on another engine, with nothing in between. Criterion shows means; what matters to a person are the
//! slow ones, so percentiles are printed. Figures that were seen stand in `benches/README.md`.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use noctop::detect::Settings;
use noctop::engine::live::{LiveOptions, start};
use noctop::engine::view::{Surroundings, Viewer};
use noctop::engine::{Command, Engine, Handle, InterfaceView, Snapshot};
use noctop::ingest::{ReadOptions, Root, Tailer, WatchOptions};
use noctop::model::Model;
use noctop::model::train::Options as TrainOptions;
use noctop::series::{InterfaceName, Timestamp};
use noctop::simulate::files::write_history;
use noctop::simulate::{Fleet, Plan, Target};

/// Fresh rows that are measured.
const ROWS: usize = 200;
/// Rows of one slot before the next one begins.
const OF_A_SLOT: usize = 10;
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
    let options = LiveOptions {
        dir: dir.clone(),
        watch: WatchOptions::default(),
        model,
        model_path: None,
        settings: Settings::default(),
        train: TrainOptions::default(),
        journal: None,
        threads: 2,
        notices: Vec::new(),
    };
    let (handle, engine) = start(options).expect("the directory can be watched");
    let read = until(&handle, Duration::from_secs(600), |s| s.source.loading.is_none());
    let mut now = read.now.expect("the fleet has rows");
    let (mut whole, mut own) = (Vec::new(), Vec::new());
    for i in 0..ROWS {
        std::thread::sleep(APART);
        if i % OF_A_SLOT == 0 {
            now = now.plus(3600);
        }
        let name = &names[i * 7919 % names.len()];
        let before = of(&handle.snapshot(), name).map(|v| said(&v));
        eprintln!("{i} {name} {now} {before:?} {:?}", of(&handle.snapshot(), name));
        tail.append(name, now);
        let begun = Instant::now();
        until(&handle, Duration::from_secs(5), |s| {
            // What is said has changed: the row is not only there, but scored.
            let there = |v: &Arc<InterfaceView>| v.span.is_some_and(|(_, newest)| newest == now);
            of(s, name).is_some_and(|v| there(&v) && Some(said(&v)) != before)
        });
        whole.push(begun.elapsed());
        own.push(tail.engine_alone());
    }
    handle.send(Command::Stop);
    drop(handle);
    engine.join().expect("the engine's thread ends well");
    println!("{} interfaces, {ROWS} fresh rows", names.len());
    tell("engine alone: taken, scored, in a snapshot", own);
    tell("from the write to the snapshot", whole);
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
        assert!(!left.is_zero(), "no such snapshot within {most:?}: {:?} {:?}", snapshot.source, snapshot.interfaces.iter().find(|v| v.name.ifname.as_ref() == "ge-0/0/7" && v.name.host.as_ref() == "edge-3"));
        // A lapse is seen at the next turn.
        let _ = handle.wake().recv_timeout(left);
    }
}

fn of(snapshot: &Snapshot, name: &InterfaceName) -> Option<Arc<InterfaceView>> {
    let place = snapshot.interfaces.binary_search_by(|v| v.name.cmp(name)).ok()?;
    Some(snapshot.interfaces[place].clone())
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

/// The directory's writer, and an engine of its own on the same rows.
struct Tail {
    dir: PathBuf,
    tailer: Tailer,
    engine: Engine,
    viewer: Viewer,
}

impl Tail {
    fn new(dir: &Path, names: &[InterfaceName], model: &Arc<Model>) -> Self {
        let roots = vec![(Root::Data, dir.to_owned())];
        let tailer = Tailer::new(roots, ReadOptions::default()).expect("the directory exists");
        let engine = Engine::new(model.clone(), Settings::default(), 2);
        let mut tail = Self { dir: dir.to_owned(), tailer, engine, viewer: Viewer::default() };
        loop {
            let batch = tail.tailer.scan();
            tail.engine.absorb(&batch);
            if batch.caught_up {
                break;
            }
        }
        tail.engine.settle();
        assert_eq!(tail.engine.tracks().len(), names.len());
        tail.viewer.snapshot(&tail.engine, &Surroundings::default(), &HashSet::new());
        tail
    }

    fn append(&self, name: &InterfaceName, time: Timestamp) {
        let path = self.dir.join(format!("{}.csv", name.host));
        let mut file = File::options().append(true).open(path).expect("the device has a file");
        let line = format!("{time},{},{},1000.5,900.25\n", name.host, name.ifname);
        file.write_all(line.as_bytes()).expect("a row can be appended");
    }

    /// Reads what was appended; then the time from the batch to its snapshot.
    fn engine_alone(&mut self) -> Duration {
        let batch = self.tailer.scan();
        assert_eq!(batch.rows.len(), 1, "one row was appended");
        let begun = Instant::now();
        let touched = self.engine.absorb(&batch).into_iter().collect();
        self.engine.settle();
        let snapshot = self.viewer.snapshot(&self.engine, &Surroundings::default(), &touched);
        let taken = begun.elapsed();
        drop(snapshot);
        taken
    }
}
