//! The reader's thread and the whole process under faults: polling alone, and kill -9 at random moments.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::time::Duration;

use noctop::engine::Command;
use noctop::ingest::WatchOptions;
use noctop::random::Random;
use rustix::process::Signal;

use crate::live_equals_batch::listed;
use crate::support::*;

const SOON: Duration = Duration::from_secs(20);

fn lines(seed: u64) -> Vec<String> {
    fleet_rows(&plan(seed, 3600, 12, 3, 5)).iter().map(RawRow::line).collect()
}

/// Incidents as one run over the directory writes them.
fn batch(place: &Place) -> Vec<BTreeMap<String, String>> {
    place.run(["score", "rows", "--output", "scores.csv", "--incidents", "incidents.csv"]).fine();
    table(&fs::read_to_string(place.join("incidents.csv")).unwrap())
}

#[test]
fn polling_alone_through_rotations() {
    let place = Place::new();
    let (lines, mut random) = (lines(51), Random::new(51));
    let path = place.put("rows.csv", &lines[..1500].concat());
    let (handle, thread) = watching(
        &place,
        WatchOptions { poll: Some(Duration::from_millis(100)), polling_only: true, ..WatchOptions::default() },
    );
    wait_for("the first rows", SOON, || handle.snapshot().source.loading.is_none().then_some(()));
    for (n, piece) in lines[1500..].chunks(150).enumerate() {
        let text = piece.concat();
        let (left, right) = text.split_at(random.below(text.len()));
        append(&path, left.as_bytes());
        std::thread::sleep(Duration::from_millis(random.below(150) as u64));
        append(&path, right.as_bytes());
        if n % 2 == 0 {
            fs::rename(&path, place.rows().join(format!("old-{n}.csv"))).unwrap();
        } else {
            fs::copy(&path, place.rows().join(format!("old-{n}.csv"))).unwrap();
            File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
        }
        append(&path, HEADER.as_bytes());
    }
    batch(&place);
    let file = fs::read_to_string(place.join("incidents.csv")).unwrap();
    let mut want: Vec<String> = file.lines().skip(1).map(str::to_owned).collect();
    want.sort();
    assert!(want.len() > 5, "{file}");
    wait_for("the same incidents as in one run", SOON, || (listed(&handle.snapshot()) == want).then_some(()));
    assert_eq!(handle.snapshot().source.late, 0, "rows that were too late: the test is wrong");
    handle.send(Command::Stop);
    thread.join().unwrap();
}

/// The open incidents that the last of several readers tells, each of the others killed at a random moment, are
/// those of one run over the directory, to the last digit.
#[test]
fn killed_at_random_moments_and_started_again() {
    let place = Place::new();
    let (lines, mut random) = (lines(52), Random::new(52));
    let path = place.put("rows.csv", &lines[..1500].concat());
    let start = || {
        let mut command = place.noctop();
        command.args(["rows", "--json"]);
        Process::start(command)
    };
    for (n, piece) in lines[1500..].chunks(150).enumerate() {
        let reader = start();
        std::thread::sleep(Duration::from_millis(random.below(120) as u64));
        append(&path, piece.concat().as_bytes());
        std::thread::sleep(Duration::from_millis(random.below(300) as u64));
        reader.signal(Signal::KILL);
        drop(reader);
        if n % 3 == 0 {
            fs::rename(&path, place.rows().join(format!("old-{n}.csv"))).unwrap();
            append(&path, HEADER.as_bytes());
        }
    }
    let want: BTreeMap<String, (String, String, u64)> = batch(&place)
        .into_iter()
        .filter(|row| row["end"].is_empty())
        .map(|row| {
            (
                row["id"].clone(),
                (row["kind"].clone(), row["start"].clone(), row["peak"].parse::<f64>().unwrap().to_bits()),
            )
        })
        .collect();
    assert!(!want.is_empty(), "no incident is open at the end: the test shows nothing");
    let reader = start();
    let mut got = BTreeMap::new();
    while got.len() < want.len() {
        let line = reader.line(SOON, |_| true);
        let told: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!((&told["event"], &told["end"]), (&"opened".into(), &serde_json::Value::Null), "{line}");
        let text = |key: &str| told[key].as_str().unwrap().to_owned();
        // From the text: serde_json reads the last digit of a number only nearly.
        let score = line.split("\"score\":").nth(1).and_then(|rest| rest.split([',', '}']).next()).unwrap();
        got.insert(text("id"), (text("kind"), text("start"), score.parse::<f64>().unwrap().to_bits()));
    }
    assert_eq!(got, want);
}

/// A run that is killed leaves its output as it was, or whole.
#[test]
fn a_killed_run_leaves_no_half_output() {
    let place = Place::new();
    let lines = lines(53);
    place.put("rows.csv", &lines.concat());
    let run = || {
        let mut command = place.noctop();
        command.args(["score", "rows", "--output", "scores.csv"]);
        Process::start(command)
    };
    run().end(LONG).fine();
    let whole = fs::read(place.join("scores.csv")).unwrap();
    for wait in [5, 20, 60, 120, 200] {
        let reader = run();
        std::thread::sleep(Duration::from_millis(wait));
        reader.signal(Signal::KILL);
        drop(reader);
        assert!(fs::read(place.join("scores.csv")).unwrap() == whole, "killed after {wait} ms");
    }
}
