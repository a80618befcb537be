//! What the tests share: places that vanish, processes that are waited for and killed, rows on disk.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use noctop::detect::Settings;
use noctop::engine::Scored;
use noctop::engine::live::{self, LiveOptions};
use noctop::engine::{Belongs, Engine, Handle, Told, Verdict};
use noctop::ingest::{ReadOptions, Root, Tailer, WatchOptions};
use noctop::model::Model;
use noctop::series::{InterfaceName, Step, Timestamp};
use noctop::simulate::{Fleet, Plan};
use rustix::process::{Pid, Signal, kill_process};

/// How long a process that has an end may take on a machine with other work.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// First line of a file of rows.
pub(crate) const HEADER: &str = "timeslot,hostname,ifname,max_metric_value,mean_metric_value\n";

/// A directory that is gone with the test, with a home and a directory of rows in it.
pub(crate) struct Place(tempfile::TempDir);

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        for dir in [place.rows(), place.home(), place.temporary()] {
            std::fs::create_dir(dir).unwrap();
        }
        place
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    pub(crate) fn rows(&self) -> PathBuf {
        self.join("rows")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.join("home")
    }

    pub(crate) fn temporary(&self) -> PathBuf {
        self.join("temporary")
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.home().join("state")
    }

    /// All that a process may know of its surroundings.
    pub(crate) fn environment(&self) -> [(&'static str, PathBuf); 5] {
        [
            ("HOME", self.home()),
            ("XDG_STATE_HOME", self.state()),
            ("XDG_CONFIG_HOME", self.home().join("config")),
            ("TMPDIR", self.temporary()),
            ("LANG", "C.UTF-8".into()),
        ]
    }

    /// The binary, with nothing of the surroundings of these tests.
    pub(crate) fn noctop(&self) -> Command {
        self.program(Path::new(env!("CARGO_BIN_EXE_noctop")))
    }

    pub(crate) fn program(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(self.environment()).current_dir(self.path());
        command
    }

    /// Runs the binary to its end.
    pub(crate) fn run<I: AsRef<std::ffi::OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Ended {
        let mut command = self.noctop();
        command.args(args);
        Process::start(command).end(LONG)
    }

    /// Writes a file of rows.
    pub(crate) fn put(&self, file: &str, rows: &str) -> PathBuf {
        let path = self.rows().join(file);
        std::fs::write(&path, format!("{HEADER}{rows}")).unwrap();
        path
    }
}

/// How a process ended, and what it said.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Its output, where it succeeded.
    #[track_caller]
    pub(crate) fn fine(self) -> Self {
        assert!(self.status.success(), "{}: {}", self.status, self.err);
        self
    }

    /// What it complained of, where it failed as a program should: code 1 and no panic.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        assert_eq!(self.status.code(), Some(1), "{}", self.err);
        assert!(self.err.contains("noctop: ") && !self.err.contains("panicked"), "{}", self.err);
        self.err
    }

    /// What it said of arguments that make no sense: code 2.
    #[track_caller]
    pub(crate) fn misused(self) -> String {
        assert_eq!(self.status.code(), Some(2), "{}", self.err);
        assert!(self.err.starts_with("error: "), "{}", self.err);
        self.err
    }
}

/// A process whose output is read as it comes, and which is killed with this.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    err: Arc<Mutex<String>>,
    readers: Vec<JoinHandle<()>>,
}

impl Process {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A binary that was just copied is busy while a process that another test started at that moment holds the
        // copy's descriptor.
        let mut child = wait_for("a binary that is not busy", LONG, || match command.spawn() {
            Err(e) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => None,
            other => Some(other.unwrap()),
        });
        let (sender, lines) = channel();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let reader = std::thread::spawn(move || {
            let mut line = Vec::new();
            while out.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
                let text = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                if sender.send(text).is_err() {
                    return;
                }
            }
        });
        let err = Arc::new(Mutex::new(String::new()));
        let (mut errors, said) = (child.stderr.take().unwrap(), err.clone());
        let listener = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = errors.read(&mut buffer) {
                said.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..n]));
            }
        });
        Self { child, lines, err, readers: vec![reader, listener] }
    }

    /// The next line of its standard output for which `wanted` holds.
    #[track_caller]
    pub(crate) fn line(&self, limit: Duration, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + limit;
        loop {
            match self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) if wanted(&line) => return line,
                Ok(_) => {}
                Err(e) => panic!("no such line ({e}); standard error: {}", self.errors()),
            }
        }
    }

    pub(crate) fn errors(&self) -> String {
        self.err.lock().unwrap().clone()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn end(mut self, limit: Duration) -> Ended {
        let until = Instant::now() + limit;
        let mut out = String::new();
        let status = loop {
            out.extend(self.lines.try_iter());
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < until, "still running after {limit:?}: {}", self.errors());
            std::thread::sleep(Duration::from_millis(5));
        };
        // The pipes are closed with the process.
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        out.extend(self.lines.try_iter());
        Ended { status, out, err: self.errors() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Looks until `found` gives something.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut found: impl FnMut() -> Option<T>) -> T {
    let until = Instant::now() + limit;
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < until, "{what}: not within {limit:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One row as a collector has it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RawRow {
    pub(crate) name: InterfaceName,
    pub(crate) time: Timestamp,
    pub(crate) max: f64,
    pub(crate) mean: f64,
}

impl RawRow {
    pub(crate) fn line(&self) -> String {
        let Self { name, time, max, mean } = self;
        format!("{time},{},{},{max},{mean}\n", name.host, name.ifname)
    }
}

/// A plan's whole history, slot by slot.
pub(crate) fn fleet_rows(plan: &Plan) -> Vec<RawRow> {
    let mut fleet = Fleet::new(plan).unwrap();
    let names = fleet.interfaces().to_vec();
    (0..plan.slots())
        .flat_map(|slot| fleet.slot(slot).collect::<Vec<_>>())
        .map(|row| RawRow { name: names[row.interface].clone(), time: row.time, max: row.max, mean: row.mean })
        .collect()
}

/// A small plan with a step of so many seconds.
pub(crate) fn plan(seed: u64, step: i64, days: u32, devices: u32, interfaces: u32) -> Plan {
    Plan {
        seed,
        step: Step::from_seconds(step).unwrap(),
        days,
        devices,
        interfaces,
        quiet_days: days / 3,
        rate: 1.0,
        stories: 0.7,
        ..Plan::default()
    }
}

/// Writes rows, one file for each host, in the order in which they are given.
pub(crate) fn write_rows<'a>(dir: &Path, rows: impl IntoIterator<Item = &'a RawRow>) {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for row in rows {
        files.entry(&row.name.host).or_insert_with(|| HEADER.to_owned()).push_str(&row.line());
    }
    std::fs::create_dir_all(dir).unwrap();
    for (host, text) in files {
        std::fs::write(dir.join(format!("{host}.csv")), text).unwrap();
    }
}

/// Appends to a file that may not be there yet.
pub(crate) fn append(path: &Path, text: &[u8]) {
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    file.write_all(text).unwrap();
}

/// Hourly rows of one interface with a daily rhythm and some noise, and `change` on each mean.
pub(crate) fn rhythm(host: &str, ifname: &str, rows: usize, seed: u64, change: impl Fn(usize, f64) -> f64) -> String {
    let mut random = noctop::random::Random::new(seed);
    let mut text = String::new();
    for i in 0..rows {
        let time = hour(i);
        let day = libm::sin(i as f64 * std::f64::consts::TAU / 24.0);
        let mean = change(i, 1000.0 + 300.0 * day + 20.0 * random.normal());
        let _ = writeln!(text, "{time},{host},{ifname},{:.3},{mean:.3}", mean * 1.3);
    }
    text
}

/// The `i`th hour from Monday 2026-01-05.
pub(crate) fn hour(i: usize) -> Timestamp {
    Timestamp::from_seconds(1_767_571_200 + i as i64 * 3600)
}

pub(crate) fn built_in() -> Arc<Model> {
    Arc::new(Model::built_in().unwrap())
}

/// Watches a place's rows with the built-in model, and keeps nothing.
pub(crate) fn watching(place: &Place, watch: WatchOptions) -> (Handle, JoinHandle<()>) {
    watching_dir(place.rows(), watch)
}

/// The same with any directory.
pub(crate) fn watching_dir(dir: PathBuf, watch: WatchOptions) -> (Handle, JoinHandle<()>) {
    live::start(LiveOptions { watch, ..live_options(dir) }).unwrap()
}

/// To watch a directory with the built-in model and one thread, and keep nothing.
pub(crate) fn live_options(dir: PathBuf) -> LiveOptions {
    LiveOptions::new(dir, built_in())
}

/// An engine that has read a directory once and scored all of it.
pub(crate) fn scored(dir: &Path, threads: usize) -> Engine {
    scored_with(dir, threads, Settings::default())
}

/// The same with these settings.
pub(crate) fn scored_with(dir: &Path, threads: usize, settings: Settings) -> Engine {
    read_into(Engine::new(built_in(), settings, threads), dir, ReadOptions::default())
}

/// The same, read in this way.
pub(crate) fn scored_as(dir: &Path, threads: usize, options: ReadOptions) -> Engine {
    read_into(Engine::new(built_in(), Settings::default(), threads), dir, options)
}

pub(crate) fn read_into(mut engine: Engine, dir: &Path, options: ReadOptions) -> Engine {
    let mut tailer = Tailer::new(vec![(Root::Data, dir.to_owned())], options).unwrap();
    loop {
        let batch = tailer.finish();
        engine.absorb(&batch);
        if batch.caught_up {
            break;
        }
    }
    engine.settle();
    engine
}

/// What was said of a row, to the last bit.
pub(crate) type Bits = (Timestamp, [u64; 7], Verdict, i32, bool, Belongs);

pub(crate) fn bits(time: Timestamp, s: &Scored) -> Bits {
    let numbers = [s.expected[0], s.expected[1], s.error[0], s.error[1], s.score, s.notify, s.band];
    (time, numbers.map(f64::to_bits), s.verdict, s.cluster, s.anomaly, s.incident)
}

/// All that an engine said of rows, by interface.
pub(crate) fn said(engine: &Engine) -> BTreeMap<InterfaceName, Vec<Bits>> {
    let of = |track: &noctop::engine::track::Track| {
        assert_eq!(track.scored().len(), track.history().len());
        track.scored().from(0).map(|(i, s)| bits(track.history().time(i), s)).collect()
    };
    engine.by_name().into_iter().map(|(_, track)| (track.name().clone(), of(track))).collect()
}

/// All incidents of an engine with their interface and story; numbers print to the last bit.
pub(crate) fn told(engine: &Engine) -> Vec<String> {
    let line =
        |t: Told| format!("{} {:?} {:?} {}", engine.tracks()[t.interface.index()].name(), t.incident, t.story, t.rings);
    engine.incidents().into_iter().map(line).collect()
}

/// The rows of a CSV text as maps from column to field.
pub(crate) fn table(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    reader.deserialize().map(Result::unwrap).collect()
}
