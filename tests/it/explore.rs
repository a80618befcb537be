//! `noctop explore` from outside: what it says of rows that are known, and of bad input.

use std::fs;
use std::path::{Path, PathBuf};

use noctop::explore::{Explored, Gathering, advice};
use noctop::ingest::{ReadOptions, Root, Tailer};
use serde_json::Value;

use crate::support::*;

fn explored(dir: &Path, threads: usize) -> Explored {
    let mut tailer = Tailer::new(vec![(Root::Data, dir.to_owned())], ReadOptions::default()).unwrap();
    let mut gathering = Gathering::default();
    loop {
        let batch = tailer.finish();
        gathering.take(&batch);
        if batch.caught_up {
            break;
        }
    }
    Explored::of(gathering.settle(), threads, &|_, _| {})
}

#[test]
fn a_real_switch_has_its_known_gaps_rhythm_and_range() {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let dir = std::env::var_os("NOCTOP_SHARED_DATA").map_or_else(beside, PathBuf::from).join("switch");
    if !dir.is_dir() {
        eprintln!("skipped: {} is not there; set NOCTOP_SHARED_DATA", dir.display());
        return;
    }
    let found = explored(&dir, 2);
    assert_eq!((found.read.interfaces, found.read.rows, found.read.steps.as_slice()), (10, 7410, &[(3600, 10)][..]));
    assert!(found.interfaces.iter().all(|f| (f.gaps.missing, f.gaps.slots, f.gaps.count) == (57, 798, 4)));
    let gaps: Vec<(i64, usize, String)> =
        found.shared_gaps.iter().map(|s| (s.gap.slots, s.interfaces, s.gap.from.to_string())).collect();
    let want = [
        (30, "2025-06-26 04:00:00"),
        (25, "2025-06-27 11:00:00"),
        (1, "2025-07-08 07:00:00"),
        (1, "2025-07-22 10:00:00"),
    ];
    assert_eq!(gaps, want.map(|(slots, from)| (slots, 10, from.to_owned())));
    let strongest = found.interfaces.iter().filter_map(|f| Some(f.echoes.as_ref()?.strongest()?.slots));
    assert_eq!(strongest.filter(|slots| *slots == 24).count(), 9);
    // What follows from them.
    let advice = advice::of(&found);
    let flag = |about| advice.iter().find(|a| a.about == about).and_then(|a| a.flag.as_deref());
    assert_eq!(flag("scale"), Some("noctop train --scale interface"));
    assert_eq!(flag("window"), Some("noctop train --window 24"));
    assert_eq!(flag("model"), Some("noctop train --scope global"));
    assert!(advice.iter().any(|a| a.about == "gaps" && a.text.contains("57 slots in all")), "{advice:#?}");
    let low = found.interfaces.iter().map(|f| f.peaks.min.min(f.quantiles.min)).fold(f64::INFINITY, f64::min);
    let high = found.interfaces.iter().map(|f| f.peaks.max).fold(0.0, f64::max);
    assert!((low - 352.136).abs() < 0.001 && (high / 5.493_763_827e9 - 1.0).abs() < 1e-9, "{low} to {high}");
}

#[test]
fn hours_are_those_of_the_clock_that_scores_follow() {
    let place = Place::new();
    // One hour of each day is busy: 23:00 UTC, which is 8 in the morning in Tokyo.
    place.put("r.csv", &rhythm("a", "if", 14 * 24, 3, |i, v| if i % 24 == 23 { 5.0 * v } else { v }));
    let busiest = |args: &[&str]| {
        let out = place.run([&["explore", "rows", "--json"], args].concat()).fine().out;
        let json: Value = serde_json::from_str(&out).unwrap();
        let profile = &json["interfaces"][0]["profile"];
        let hours = profile["hours"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap());
        let hour = hours.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0;
        (hour, profile["clock"].as_str().unwrap().to_owned())
    };
    assert_eq!(busiest(&[]), (23, "UTC".to_owned()));
    assert_eq!(busiest(&["--clock", "Asia/Tokyo"]), (8, "Asia/Tokyo".to_owned()));
    // Timeslots of that zone are those of its clock.
    assert_eq!(busiest(&["--time-zone", "Asia/Tokyo"]), (23, "Asia/Tokyo".to_owned()));
    fs::write(place.join("c.toml"), "clock = 'Asia/Tokyo'\n").unwrap();
    assert_eq!(busiest(&["--config", "c.toml"]).0, 8);
    let full = place.run("explore rows --interface a/if --clock Asia/Tokyo --html page.html".split(' ')).fine().out;
    assert!(full.contains("\nUSUAL by hour of day (Asia/Tokyo) and by weekday"), "{full}");
    assert!(fs::read_to_string(place.join("page.html")).unwrap().contains("weekday, Asia/Tokyo.</p>"));
}

#[test]
fn figures_are_the_same_on_any_number_of_threads_and_in_any_cut_of_the_files() {
    let place = Place::new();
    let rows = fleet_rows(&plan(3, 3600, 12, 2, 3));
    write_rows(&place.rows(), &rows);
    let by_file = explored(&place.rows(), 1);
    fs::create_dir(place.join("days")).unwrap();
    for row in &rows {
        let file = place.join(&format!("days/{}.csv", &row.time.to_string()[..10]));
        if !file.exists() {
            fs::write(&file, HEADER).unwrap();
        }
        append(&file, row.line().as_bytes());
    }
    let by_day = explored(&place.join("days"), 3);
    assert_eq!(by_file.interfaces, by_day.interfaces);
    assert_eq!((&by_file.alike, &by_file.together), (&by_day.alike, &by_day.together));
    assert_eq!(by_file.data.interfaces, by_day.data.interfaces);
    assert!(by_file.read.rows == rows.len() && by_day.read.files == 12);
}

#[test]
fn json_has_every_interface_and_the_refused_lines() {
    let place = Place::new();
    let mut text = rhythm("a", "calm", 400, 1, |_, v| v);
    text += &rhythm("a", "off", 400, 2, |i, v| if i < 200 { v } else { 4.0 * v });
    // A line that is told again, one that is refused, and an interface that is too short.
    text += &format!("{},a,calm,1500,1200\n{},a,calm,NaN,1\n", hour(7), hour(8));
    text += &rhythm("b", "new", 10, 3, |_, v| v);
    place.put("rows.csv", &text);
    let ended = place.run(["explore", "rows", "--json"]).fine();
    assert!(ended.err.contains("rows.csv:803"), "{}", ended.err);
    let got: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(got["read"]["refusals"][0]["line"], 803);
    assert_eq!((&got["read"]["duplicates"], &got["read"]["rows"]), (&Value::from(1), &Value::from(810)));
    let of = |i: usize| got["interfaces"][i].clone();
    assert_eq!((&of(0)["ifname"], &of(1)["ifname"], &of(2)["ifname"]), (&"calm".into(), &"off".into(), &"new".into()));
    assert_eq!(of(0)["echoes"]["periods"][0]["slots"], 24);
    assert_eq!(of(1)["course"]["kind"], "shift");
    assert_eq!(of(2)["findings"][0], "10 rows: too few to be judged");
    let about: Vec<&str> = got["advice"].as_array().unwrap().iter().map(|a| a["about"].as_str().unwrap()).collect();
    assert_eq!(about, ["scale", "window", "season", "history", "lines"]);
    assert_eq!(got["advice"][1]["flag"], "noctop train --window 24");
    assert_eq!(got["alike"]["tested"].as_array().unwrap().len(), 2);
    let one = place.run(["explore", "rows", "--json", "--interface", "a/off"]).fine();
    let one: Value = serde_json::from_str(&one.out).unwrap();
    assert_eq!(one["interfaces"].as_array().unwrap().len(), 1);
    assert_eq!(one["interfaces"][0]["autocorrelation"][0], 1.0);
}

#[test]
fn the_report_fits_eighty_columns_and_one_interface_can_be_asked_for() {
    let place = Place::new();
    let rows = fleet_rows(&plan(8, 3600, 14, 5, 6));
    write_rows(&place.rows(), &rows);
    let name = &rows[0].name;
    let asked = format!("{}/{}", name.host, name.ifname);
    for args in
        [&["explore", "rows"][..], &["explore", "rows", "--top", "3"], &["explore", "rows", "--interface", &asked]]
    {
        let ended = place.run(args).fine();
        let wide: Vec<&str> = ended.out.lines().filter(|line| line.chars().count() > 80).collect();
        assert!(wide.is_empty() && ended.out.lines().count() > 30, "{args:?}: {wide:#?}");
    }
}

#[test]
fn the_page_has_its_pictures_and_asks_for_nothing() {
    let place = Place::new();
    write_rows(&place.rows(), &fleet_rows(&plan(8, 3600, 14, 2, 4)));
    place.run(["explore", "rows", "--html", "page.html"]).fine();
    let page = fs::read_to_string(place.join("page.html")).unwrap();
    // Box plots, two heat maps, and three pictures for each of eight interfaces.
    assert_eq!(page.matches("<svg").count(), 3 + 3 * 8);
    assert!(page.contains("default-src 'none'") && page.ends_with("</html>\n"));
    let elsewhere = ["<script", "<link", "<img", "@import", "url(", "src=", "href="];
    assert!(elsewhere.iter().all(|word| !page.contains(word)));
    place.put("odd.csv", &rhythm("a\x1b[31m", "x\u{202e}y", 60, 1, |_, v| v));
    place.run(["explore", "rows", "--html", "page.html"]).fine();
    let odd = fs::read_to_string(place.join("page.html")).unwrap();
    assert!(odd.matches(r"a\u{1b}[31m x\u{202e}y").count() >= 3, "in the table, in pictures and over them");
    assert!(!odd.contains(['\x1b', '\u{202e}']));
    let inside = place.run(["explore", "rows", "--html", "rows/page.html"]).refused();
    assert!(inside.contains("--html rows/page.html"), "{inside}");
}

/// What a directory of these rows is advised, about one thing: each time with its flag.
fn advised(rows: &str, about: &str) -> Vec<(String, Option<String>)> {
    let place = Place::new();
    place.put("rows.csv", rows);
    let found = advice::of(&explored(&place.rows(), 2));
    found.into_iter().filter(|a| a.about == about).map(|a| (a.text, a.flag)).collect()
}

#[test]
fn advice_follows_the_figures() {
    let alike = rhythm("a", "x", 400, 1, |_, v| v) + &rhythm("a", "y", 400, 2, |_, v| 2.0 * v);
    let large = format!("{alike}{}", rhythm("a", "z", 400, 3, |_, v| 1e6 * v));
    let flag = |rows: &str, about| advised(rows, about)[0].1.clone().unwrap();
    assert_eq!(flag(&alike, "scale"), "noctop train --scale global");
    assert_eq!(flag(&large, "scale"), "noctop train --scale interface");
    assert_eq!(flag(&alike, "model"), "noctop train --scope global");
    // Two devices whose days have nothing in common.
    let night = |i: usize, v: f64| v + 900.0 * libm::sin(i as f64 * std::f64::consts::TAU / 12.0);
    let own = format!("{alike}{}{}", rhythm("b", "x", 400, 4, night), rhythm("b", "y", 400, 5, night));
    assert_eq!(flag(&own, "model"), "noctop train --scope device");
    // Columns and labels that are wrong.
    let swapped = alike.lines().map(|line| {
        let f: Vec<&str> = line.split(',').collect();
        format!("{},{},{},{},{}\n", f[0], f[1], f[2], f[4], f[3])
    });
    let (text, flag) = advised(&swapped.collect::<String>(), "column").remove(0);
    assert!(text.contains("columns are swapped") && flag.unwrap().contains("input.columns"), "{text}");
    // In half of the rows: it is not the names of the columns that are wrong.
    let half = alike.lines().enumerate().map(|(i, line)| {
        let f: Vec<&str> = line.split(',').collect();
        let [max, mean] = if i % 2 == 0 { [f[3], f[4]] } else { [f[4], f[3]] };
        format!("{},{},{},{max},{mean}\n", f[0], f[1], f[2])
    });
    let (text, flag) = advised(&half.collect::<String>(), "column").remove(0);
    assert!(text.contains("look at how the collector makes the two columns") && flag.is_none(), "{text}");
    let counter = rhythm("a", "x", 400, 1, |i, _| 1000.0 * i as f64);
    assert!(advised(&counter, "column")[0].0.contains("that is a counter"));
    let twice = format!("{alike}{}", rhythm("A", "x", 400, 6, |_, v| v));
    assert!(advised(&twice, "label")[0].0.contains("\"A/x\" and \"a/x\""));
    assert!(advised(&alike, "label").is_empty() && advised(&alike, "column").is_empty());
}

#[test]
fn of_a_few_rows_it_says_that_they_are_too_few() {
    let about = |rows: &str| -> Vec<(&'static str, String)> {
        let place = Place::new();
        place.put("rows.csv", rows);
        advice::of(&explored(&place.rows(), 1)).into_iter().map(|a| (a.about, a.text)).collect()
    };
    for rows in [1, 2, 47] {
        let few = rhythm("a", "x", rows, 1, |_, v| v) + &rhythm("b", "y", rows, 2, |_, v| 1e6 * v);
        let said = about(&few);
        assert!(said.len() == 1 && said[0].0 == "history", "{rows}: {said:?}");
        assert!(said[0].1.contains("2 of 2") && said[0].1.contains("too little to advise settings"), "{said:?}");
    }
    // Beside one that has enough, one with a row counts for nothing.
    let one = rhythm("a", "x", 400, 1, |_, v| v) + &rhythm("b", "y", 1, 2, |_, v| 1e6 * v);
    let said = about(&one);
    assert_eq!(said.iter().map(|(about, _)| *about).collect::<Vec<_>>(), ["window", "season", "history"]);
    assert!(said[0].1.contains("on 1 of 1 interfaces that have enough rows"), "{said:?}");
    assert!(said[2].1.contains("1 of 2 interfaces (b/y) have fewer than 48 rows") && !said[2].1.contains("too little"));
}

#[test]
fn what_cannot_be_explored_is_told() {
    let place = Place::new();
    let no_rows = place.run(["explore", "rows"]);
    assert!(!no_rows.status.success() && no_rows.err.contains("no rows"), "{}", no_rows.err);
    place.put("rows.csv", &rhythm("a", "x/0", 30, 1, |_, v| v));
    let unknown = place.run(["explore", "rows", "--interface", "a/x/1"]);
    assert!(unknown.err.contains("no interface a/x/1") && unknown.err.contains("a/x/0"), "{}", unknown.err);
    assert!(place.run(["explore", "rows", "--interface", "a/x/0"]).fine().out.starts_with("a x/0"));
}
