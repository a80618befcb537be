//! The sample and its scores, and how well incidents are found: on the sample and on other fleets.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use noctop::engine::Engine;
use noctop::series::{InterfaceName, Timestamp};
use noctop::simulate::{Fleet, Plan};

use crate::support::*;

const AGAIN: &str = "If scores are meant to change, write them again:\n    \
    cargo run --release -- score datasets/sample --output datasets/sample-scores.csv";
/// Columns that are numbers of a model: the last digits may differ between machines.
const NUMBERS: std::ops::Range<usize> = 5..11;

fn datasets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets")
}

#[test]
fn the_sample_scores_as_its_example_says() {
    let path = datasets().join("sample-scores.csv");
    let want = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}. {AGAIN}", path.display()));
    let place = Place::new();
    let got = place.run(["score".as_ref(), datasets().join("sample").as_os_str()]).fine().out;
    assert_eq!(got.lines().count(), want.lines().count(), "rows. {AGAIN}");
    for (n, (got, want)) in got.lines().zip(want.lines()).enumerate() {
        let close = |(column, (a, b)): (usize, (&str, &str))| {
            if a == b {
                return true;
            }
            let numbers = NUMBERS.contains(&column).then(|| Some((a.parse::<f64>().ok()?, b.parse::<f64>().ok()?)));
            numbers.flatten().is_some_and(|(a, b)| (a - b).abs() <= 1e-9 + 1e-6 * a.abs().max(b.abs()))
        };
        assert_eq!(got.split(',').count(), want.split(',').count());
        assert!(
            got.split(',').zip(want.split(',')).enumerate().all(close),
            "line {}:\n{want}\nis now\n{got}\n{AGAIN}",
            n + 1
        );
    }
}

#[test]
fn nothing_is_expected_below_zero_where_nothing_ever_was() {
    let text = std::fs::read_to_string(datasets().join("sample-scores.csv")).unwrap();
    let rows = table(&text);
    let below = |name: &str| rows.iter().filter(|row| row[name].parse::<f64>().unwrap() < 0.0).count();
    assert_eq!((below("mean_metric_value"), below("max_expected"), below("mean_expected")), (0, 0, 0));
    // The forecasts themselves are not held to that: errors say what they were.
    let zero = |row: &BTreeMap<String, String>| row["mean_expected"] == "0" && row["mean_metric_value"] == "0";
    let off = |row: &&BTreeMap<String, String>| zero(row) && row["mean_error"].parse::<f64>().unwrap() > 0.0;
    assert!(rows.iter().filter(off).count() > 0);
}

/// Something that truly happened.
struct Truth {
    name: InterfaceName,
    start: Timestamp,
    end: Timestamp,
    kind: String,
}

/// How many of what truly happened were raised, and what else was, in words; and whether it is enough.
fn quality(what: &str, engine: &Engine, truths: &[Truth], plan: &Plan) -> (bool, String) {
    let step = plan.step.seconds();
    let raised: Vec<(&InterfaceName, Timestamp, Timestamp, &str)> = engine
        .incidents()
        .iter()
        .map(|t| {
            let i = &t.incident;
            (engine.tracks()[t.interface.index()].name(), i.start, i.end.unwrap_or(i.latest), i.kind.name())
        })
        .collect();
    let mut kinds: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for truth in truths {
        let until = truth.end.plus(3 * step);
        let hit = raised.iter().any(|(n, start, end, _)| **n == truth.name && *start <= until && *end >= truth.start);
        let [hits, all] = kinds.entry(&truth.kind).or_default();
        (*hits, *all) = (*hits + usize::from(hit), *all + 1);
    }
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, start, end, kind) in &raised {
        let explained = truths.iter().any(|truth| {
            truth.name == **name && *start <= truth.end.plus(24 * step) && *end >= truth.start.plus(-3 * step)
        });
        *others.entry(*kind).or_default() += usize::from(!explained);
    }
    let (hits, all): (usize, usize) = kinds.values().fold((0, 0), |sum, [h, a]| (sum.0 + h, sum.1 + a));
    let weeks = f64::from(plan.devices * plan.interfaces * plan.days) / 7.0;
    let wrong: usize = others.values().sum();
    let (share, rate) = (hits as f64 / all as f64, wrong as f64 / weeks);
    let mut text = format!("{what}: {hits} of {all} raised ({:.0} %), {rate:.2} others a week\n", 100.0 * share);
    for (kind, [h, a]) in kinds {
        let _ = writeln!(text, "    {kind:14} {h:3} of {a:3} raised");
    }
    for (kind, n) in others {
        let _ = writeln!(text, "    {kind:14} {n:3} others");
    }
    (all >= 10 && share >= 0.8 && rate <= 1.5, text)
}

#[test]
fn most_incidents_of_the_sample_are_raised_and_few_others() {
    let labels = std::fs::read_to_string(datasets().join("sample-labels.csv")).unwrap();
    let time = |text: &str| {
        Timestamp::from_seconds(format!("{}Z", text.replace(' ', "T")).parse::<jiff::Timestamp>().unwrap().as_second())
    };
    let truths: Vec<Truth> = table(&labels)
        .iter()
        .map(|row| Truth {
            name: InterfaceName::new(&row["hostname"], &row["ifname"]),
            start: time(&row["start"]),
            end: time(&row["end"]),
            kind: row["kind"].clone(),
        })
        .collect();
    let (enough, text) = quality("the sample", &scored(&datasets().join("sample"), 2), &truths, &Plan::default());
    println!("{text}");
    assert!(enough, "{text}");
}

fn other_fleet(seed: u64) {
    let place = Place::new();
    let plan = Plan { seed, ..Plan::default() };
    write_rows(&place.rows(), &fleet_rows(&plan));
    let labels = Fleet::new(&plan).unwrap().labels(plan.slots());
    let truths: Vec<Truth> = labels
        .into_iter()
        .map(|l| Truth { name: l.name, start: l.start, end: l.end, kind: l.kind.to_string() })
        .collect();
    let (enough, text) = quality(&format!("seed {seed}"), &scored(&place.rows(), 2), &truths, &plan);
    println!("{text}");
    assert!(enough, "{text}");
}

#[test]
fn and_those_of_a_fleet_that_it_never_saw() {
    other_fleet(101);
}

#[test]
fn and_of_a_second_one() {
    other_fleet(102);
}

#[test]
fn and_of_a_third_one() {
    other_fleet(103);
}
