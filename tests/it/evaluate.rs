//! `noctop evaluate` from outside: what it says, what it writes, what it refuses.

use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::support::*;

const LABELS: &str = "hostname,ifname,start,end,kind,story\n";

/// Two interfaces over four weeks, with spikes of fifty times the usual on one of them; the first two
/// weeks lie apart as history. Gives the labels.
fn spikes(place: &Place) -> String {
    let hit = |i: usize| i >= 400 && i % 60 < 2;
    let rows = rhythm("a", "hit", 672, 1, |i, v| if hit(i) { 50.0 * v } else { v });
    let quiet = rhythm("a", "quiet", 672, 2, |_, v| v);
    let (mut old, mut new) = (String::new(), String::new());
    for text in [&rows, &quiet] {
        let lines: Vec<&str> = text.lines().collect();
        lines[..336].iter().for_each(|line| old += &format!("{line}\n"));
        lines[336..].iter().for_each(|line| new += &format!("{line}\n"));
    }
    place.put("new.csv", &new);
    fs::create_dir(place.join("old")).unwrap();
    fs::write(place.join("old/old.csv"), format!("{HEADER}{old}")).unwrap();
    let mut labels = LABELS.to_owned();
    for i in (0..671).filter(|i| hit(*i) && hit(i + 1)) {
        let _ = writeln!(labels, "a,hit,{},{},spike,", hour(i), hour(i + 1));
    }
    labels
}

fn json(place: &Place, more: &[&str]) -> Value {
    let args = ["evaluate", "rows", "--labels", "labels.csv", "--json"];
    let ended = place.run(args.iter().chain(more)).fine();
    assert_eq!(ended.err, "");
    serde_json::from_str(&ended.out).unwrap()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

#[test]
fn what_nobody_can_miss_is_found_and_chance_finds_nothing() {
    let place = Place::new();
    fs::write(place.join("labels.csv"), spikes(&place)).unwrap();
    let got = json(&place, &["--history", "old", "--nab"]);
    let on = &got["measured_on"];
    assert_eq!(
        (on["interfaces"].as_u64(), on["rows"].as_u64(), on["intervals"].as_u64()),
        (Some(2), Some(672), Some(5))
    );
    let names: Vec<&str> = got["scores"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["noctop", "last value", "hour of week", "random"]);
    let (own, random) = (&got["scores"][0], &got["scores"][3]);
    // The way back from a spike is unusual too, and not labelled.
    assert!(number(&own["auc_pr"]) > 0.9 && number(&own["best_f1"]) > 0.85 && number(&own["vus_pr"]) > 0.8, "{own}");
    for budget in ["per_week", "per_month"] {
        assert_eq!((number(&own[budget]["recall"]), number(&own[budget]["delay_slots"])), (1.0, 0.0));
    }
    // Ten of 336 rows are labelled.
    assert!(number(&random["auc_pr"]) < 0.15 && number(&random["best_f1"]) < 0.3, "{random}");
    assert!(number(&own["nab"]["standard"]) > 70.0 && number(&random["nab"]["standard"]) < 40.0, "{got}");
    let listed = &got["listed"];
    assert_eq!((number(&listed["recall"]), listed["caught"].as_u64()), (1.0, Some(5)));
    assert_eq!((&listed["kinds"][0]["kind"], number(&listed["kinds"][0]["same_word"])), (&"spike".into(), 1.0));
}

#[test]
fn without_labels_there_are_counts_and_nothing_to_be_right_about() {
    let place = Place::new();
    place.put("r.csv", &rhythm("a", "if", 500, 3, |i, v| if (400..404).contains(&i) { 0.0 } else { v }));
    std::fs::write(place.join("labels.csv"), "hostname,ifname,start,end\n").unwrap();
    let got = json(&place, &[]);
    assert!(number(&got["listed"]["incidents"]) > 0.0 && number(&got["listed"]["rings"]["rings"]) > 0.0, "{got}");
    let figures = [&got["listed"]["precision"], &got["listed"]["recall"], &got["listed"]["rings"]["share_true"]];
    assert!(figures.iter().all(|figure| figure.is_null()), "{got}");
    let table = place.run(["evaluate", "rows", "--labels", "labels.csv"]).fine().out;
    assert!(table.starts_with("1 interface, 500 rows, 3.0 interface-weeks; no labelled intervals: "), "{table}");
    assert!(!table.contains("0.000") && table.contains("\nprecision          -\n"), "{table}");
    let label = "a,if,2026-01-21 16:00:00,2026-01-21 19:00:00\n";
    std::fs::write(place.join("labels.csv"), format!("hostname,ifname,start,end\n{label}{label}")).unwrap();
    let table = place.run(["evaluate", "rows", "--labels", "labels.csv"]).fine().out;
    assert!(table.contains("; 1 labelled interval, 4 rows in them, on 1 interface\n"), "{table}");
    assert!(table.contains("\n1 label says what an earlier one says, and counts for nothing\n"), "{table}");
    assert!(table.contains(" 1 of 1 labelled interval\n"), "{table}");
}

#[test]
fn the_table_says_what_the_json_says() {
    let place = Place::new();
    let fleet =
        ["--seed", "3", "--devices", "2", "--interfaces", "5", "--days", "28", "--incidents", "1", "--stories", "1"];
    place.run(["simulate", "--output", "rows", "--labels", "labels.csv"].iter().chain(&fleet)).fine();
    let got = json(&place, &["--nab"]);
    let table = place.run(["evaluate", "rows", "--labels", "labels.csv", "--nab"]).fine().out;
    for score in got["scores"].as_array().unwrap() {
        let name = score["name"].as_str().unwrap();
        let line = table.lines().find(|l| l.starts_with(name)).unwrap_or_else(|| panic!("{name}: {table}"));
        let [week, month] = [&score["per_week"], &score["per_month"]];
        let nab = &score["nab"];
        let three = [&score["vus_pr"], &score["auc_pr"], &score["best_f1"], &week["recall"], &month["recall"]];
        for figure in three.map(|v| format!("{:.3}", number(v))) {
            assert!(line.contains(&figure), "{figure}: {line}");
        }
        for figure in [&nab["standard"], &nab["low_fp"], &nab["low_fn"]].map(|v| format!("{:.1}", number(v))) {
            assert!(line.contains(&figure), "{figure}: {line}");
        }
    }
    let listed = &got["listed"];
    assert!(table.contains(&format!("recall         {:.3}", number(&listed["recall"]))), "{table}");
    assert!(table.contains(&format!("{} of {} labelled intervals", listed["caught"], listed["intervals"])), "{table}");
    assert!(table.contains("asked for 1\n") && table.contains("with 95 % confidence"), "{table}");
    let kinds = listed["kinds"].as_array().unwrap();
    assert!(kinds.len() >= 6, "{kinds:?}");
    for kind in kinds {
        let line = table.lines().find(|l| l.starts_with(kind["kind"].as_str().unwrap())).unwrap();
        assert!(line.contains(&format!("{:.3}", number(&kind["recall"]))), "{line}");
    }
    let stories = &listed["stories"];
    assert!(stories["stories"].as_u64().unwrap() > 2, "{stories}");
    assert!(
        table.contains(&format!("{} of {} with two or more caught members", stories["whole"], stories["raised"])),
        "{table}"
    );
    let rings = &listed["rings"];
    assert!(table.contains(&format!("{} of {} rings are explained", rings["true_rings"], rings["rings"])), "{table}");
    assert!(
        table.contains(&format!("{} of {} labelled stories have", rings["stories_rung"], rings["stories"])),
        "{table}"
    );
    assert!(number(&rings["share_true"]) > 0.5 && number(&rings["share_stories_rung"]) > 0.5, "{rings}");
    let none = json(&place, &["--rings-per-day", "0.1"]);
    assert!(none["listed"]["rings"]["rings"].as_u64() < rings["rings"].as_u64(), "{none}");
    assert_eq!(number(&none["listed"]["rings"]["asked_per_day"]), 0.1);
    // As many false alarms as there are incidents without a label, at another rate too.
    let few = json(&place, &["--alarms-per-week", "0.1"]);
    assert!(few["listed"]["incidents"].as_u64() < listed["incidents"].as_u64());
    assert_eq!(number(&few["listed"]["asked_per_interface_week"]), 0.1);
    assert_eq!(few["scores"][1], json(&place, &[])["scores"][1], "a baseline does not depend on the rate");
}

#[test]
fn the_picture_is_a_whole_svg_outside_the_rows() {
    let place = Place::new();
    fs::write(place.join("labels.csv"), spikes(&place)).unwrap();
    json(&place, &["--history", "old", "--picture", "p.svg"]);
    let svg = fs::read_to_string(place.join("p.svg")).unwrap();
    assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
    for words in ["noctop", "last value", "hour of week", "random", "precision", "false alarms", "1 a week"] {
        assert!(svg.contains(words), "{words}");
    }
    assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    for inside in ["rows/p.svg", "old/p.svg"] {
        let args = ["evaluate", "rows", "--history", "old", "--labels", "labels.csv", "--picture", inside];
        let why = place.run(args).refused();
        assert!(why.contains(&format!("--picture {inside}")) && why.contains("name a file elsewhere"), "{why}");
        assert!(!place.join(inside).exists());
    }
}

#[test]
fn labels_that_cannot_be_are_told_of_with_file_line_and_mend() {
    let place = Place::new();
    place.put("r.csv", &rhythm("a", "b", 60, 1, |_, v| v));
    let why = |text: &str| {
        fs::write(place.join("labels.csv"), text).unwrap();
        let ended = place.run(["evaluate", "rows", "--labels", "labels.csv"]);
        assert_eq!(ended.out, "");
        ended.refused()
    };
    for (text, words) in [
        ("hostname,ifname,start\n", ["labels.csv:1: has no column end", "first and last slot"]),
        ("hostname;ifname;start;end\n", ["labels.csv:1:", "set that with --delimiter"]),
        (
            "hostname,ifname,start,end\na,b,2026-01-06 01:00:00,2026-01-06 00:00:00\n",
            ["labels.csv:2: the interval ends", "before it starts"],
        ),
        (
            "hostname,ifname,start,end\n\na,c,2026-01-06 00:00:00,2026-01-06 01:00:00\n",
            ["labels.csv:3: there are no rows of interface \"c\" on host \"a\"", "correct the name"],
        ),
        (
            "hostname,ifname,start,end\nx,b,2026-01-06 00:00:00,2026-01-06 01:00:00\n",
            ["labels.csv:2: there are no rows", "no row has that host"],
        ),
        (
            "hostname,ifname,start,end\na,b,soon,2026-01-06 00:00:00\n",
            ["labels.csv:2: start is \"soon\"", "not a time"],
        ),
    ] {
        let said = why(text);
        assert!(words.iter().all(|w| said.contains(w)), "{said}");
    }
    let gone = place.run(["evaluate", "rows", "--labels", "gone.csv"]).refused();
    assert!(gone.contains("gone.csv: No such file"), "{gone}");
    let none = place.run(["evaluate", "rows"]);
    assert_eq!(none.status.code(), Some(2), "{}", none.err);
    assert!(none.err.contains("--labels"), "{}", none.err);
}

#[test]
fn odd_rows_and_labels_are_measured_as_far_as_they_can_be() {
    let place = Place::new();
    let one = rhythm("one", "row", 1, 1, |_, v| v);
    let same = rhythm("same", "value", 100, 1, |_, _| 7.0);
    let all = rhythm("all", "labelled", 100, 2, |_, v| v);
    place.put("r.csv", &[one, same, all].concat());
    let check = |labels: &str, intervals: u64, outside: u64| {
        fs::write(place.join("labels.csv"), format!("{LABELS}{labels}")).unwrap();
        let got = json(&place, &["--nab", "--picture", "p.svg"]);
        assert_eq!(got["measured_on"]["intervals"].as_u64(), Some(intervals), "{got}");
        assert_eq!(got["measured_on"]["labels_outside"].as_u64(), Some(outside), "{got}");
        place.run(["evaluate", "rows", "--labels", "labels.csv"]).fine();
        got
    };
    let nothing = check("", 0, 0);
    let own = &nothing["scores"][0];
    assert_eq!((&own["vus_pr"], &own["per_week"]["recall"], &own["nab"]), (&Value::Null, &Value::Null, &Value::Null));
    let (first, last) = (hour(0), hour(99));
    let everything = check(&format!("all,labelled,{first},{last},,\none,row,{first},{first},,\n"), 2, 0);
    assert_eq!(number(&everything["scores"][3]["auc_pr"]), 1.0, "where all is labelled, all is right");
    assert!((number(&everything["scores"][3]["vus_pr"]) - 1.0).abs() < 1e-9, "{everything}");
    let constant = check(
        &format!("same,value,{},{},,\nsame,value,2025-01-01 00:00:00,2025-01-02 00:00:00,,\n", hour(3), hour(4)),
        1,
        1,
    );
    assert!(number(&constant["scores"][0]["vus_pr"]) < 0.5, "{constant}");
}
