//! Ten minutes of a busy directory. It is run by hand:
//!
//! ```text
//! cargo test --release --test it soak -- --ignored --nocapture
//! ```

use std::fs;
use std::time::{Duration, Instant};

use noctop::engine::live::{self, LiveOptions};
use noctop::engine::training;
use noctop::engine::{Command, Handle, Memory};
use noctop::model::Model;
use noctop::model::train::{Options as TrainOptions, Series};
use noctop::random::Random;
use noctop::series::{FileId, History, InterfaceName, Origin, Timestamp};
use rustix::process::Signal;

use crate::live_equals_batch::listed;
use crate::support::*;

const INTERFACES: usize = 200;

/// Seconds that it takes; 600 unless `NOCTOP_SOAK_SECONDS` says otherwise.
fn seconds() -> usize {
    std::env::var("NOCTOP_SOAK_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(600)
}

/// Resident memory of a process in kB.
fn resident(pid: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Mean load of an interface in a second.
fn load(interface: usize, second: usize, random: &mut Random) -> f64 {
    1000.0 + 300.0 * libm::sin(second as f64 / 40.0 + interface as f64) + 20.0 * random.normal()
}

/// A model that has learnt these interfaces, so that no row has to be kept for a scale that is fitted again.
fn model(random: &mut Random) -> Model {
    let histories: Vec<(InterfaceName, History)> = (0..INTERFACES)
        .map(|interface| {
            let mut history = History::default();
            for second in 0..200 {
                let mean = load(interface, second, random);
                let (time, origin) = (at(second).plus(-1000), Origin { file: FileId::from_index(0), line: 1 });
                history.insert(time, mean * 1.3, mean, origin, |_, _| true);
            }
            (InterfaceName::new(&format!("host-{}", interface / 10), &format!("if-{}", interface % 10)), history)
        })
        .collect();
    let series: Vec<Series<'_>> = histories.iter().map(|(name, history)| Series { name, history }).collect();
    let options = TrainOptions { epochs: 1, max_windows: 2_000, ..TrainOptions::default() };
    training::train(&series, &options, |_| std::ops::ControlFlow::Continue(())).unwrap().model
}

fn at(second: usize) -> Timestamp {
    Timestamp::from_seconds(1_795_392_000 + second as i64)
}

fn rows(handle: &Handle) -> usize {
    handle.snapshot().interfaces.iter().map(|interface| interface.rows).sum()
}

/// 200 interfaces, a slot a second, rotation every minute, and no more rows in memory than have to be; a reader that is killed at random moments and
/// started again, and one that reads all the time. In the end each row is there once and scored once, and what the
/// one says that read all the time is what one clean run says.
#[test]
#[ignore = "takes ten minutes"]
fn ten_minutes_of_rotation_and_restarts() {
    let place = Place::new();
    let mut random = Random::new(61);
    let path = place.rows().join("rows.csv");
    fs::write(&path, HEADER).unwrap();
    let model = model(&mut random);
    model.save(&place.join("model.safetensors")).unwrap();
    let (handle, thread) =
        live::start(LiveOptions { memory: Memory::Rows(0), ..LiveOptions::new(place.rows(), model) }).unwrap();
    let start_reader = || {
        let mut command = place.noctop();
        command.args(["rows", "--json"]);
        Process::start(command)
    };
    let mut reader = Some(start_reader());
    let (begin, mut written, mut restarts, mut rotations) = (Instant::now(), 0, 0, 0);
    let (mut kill_at, total) = (5 + random.below(25), seconds());
    for second in 0..total {
        let time = at(second);
        let mut text = String::new();
        for interface in 0..INTERFACES {
            let usual = load(interface, second, &mut random);
            let outage = interface % 20 == 3 && (300..330).contains(&(second % 400));
            let mean = if outage { 0.0 } else { usual };
            text.push_str(&format!(
                "{time},host-{},if-{},{:.2},{mean:.2}\n",
                interface / 10,
                interface % 10,
                mean * 1.3
            ));
        }
        // In two pieces, cut anywhere.
        let (left, right) = text.split_at(random.below(text.len()));
        append(&path, left.as_bytes());
        std::thread::sleep(Duration::from_millis(random.below(300) as u64));
        append(&path, right.as_bytes());
        written += INTERFACES;
        if second % 60 == 59 {
            for number in (1..=rotations).rev() {
                let old = |n: usize| place.rows().join(format!("rows.csv.{n}"));
                fs::rename(old(number), old(number + 1)).unwrap();
            }
            fs::rename(&path, place.rows().join("rows.csv.1")).unwrap();
            append(&path, HEADER.as_bytes());
            rotations += 1;
            println!(
                "{:4} s: {written} rows written, {} rows seen, {} in memory, {} kB resident, {restarts} restarts",
                second + 1,
                rows(&handle),
                handle.snapshot().source.kept,
                resident("self")
            );
        }
        if second == kill_at {
            if let Some(reader) = reader.take() {
                reader.signal(Signal::KILL);
            }
            reader = Some(start_reader());
            restarts += 1;
            kill_at = second + 2 + random.below(40);
        }
        let due = Duration::from_secs(second as u64 + 1);
        std::thread::sleep(due.saturating_sub(begin.elapsed()));
    }
    drop(reader);
    wait_for("all rows", LONG, || (rows(&handle) == written).then_some(()));
    place
        .run([
            "score",
            "rows",
            "--model",
            "model.safetensors",
            "--output",
            "scores.csv",
            "--incidents",
            "incidents.csv",
        ])
        .fine();
    let scores = fs::read_to_string(place.join("scores.csv")).unwrap().lines().count() - 1;
    assert_eq!(scores, written, "rows in, rows scored");
    let file = fs::read_to_string(place.join("incidents.csv")).unwrap();
    let mut want: Vec<String> = file.lines().skip(1).map(str::to_owned).collect();
    want.sort();
    let source = handle.snapshot().source.clone();
    println!("{written} rows, {} incidents, {} late, {} refused", want.len(), source.late, source.refused);
    wait_for("the incidents of one clean run", LONG, || (listed(&handle.snapshot()) == want).then_some(()));
    assert_eq!((source.late, source.refused), (0, 0));
    handle.send(Command::Stop);
    thread.join().unwrap();
}
