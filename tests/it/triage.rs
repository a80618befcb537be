//! `noctop triage` as a monitoring agent calls it: one answer, one exit code.

use noctop::journal::log::Log;
use noctop::journal::{Act, Entry, Journal, Named};
use noctop::series::Timestamp;

use crate::support::*;

/// Rows of two interfaces, of which one is down at the end.
fn outage(place: &Place) {
    let down = rhythm("edge-1", "ge-0|a\u{1b}[31m", 400, 8, |i, v| if i >= 394 { 0.0 } else { v });
    place.put("r.csv", &(down + &rhythm("edge-1", "ge-1", 400, 9, |_, v| v)));
}

fn triage(place: &Place, args: &[&str]) -> (i32, Vec<String>) {
    let ended = place.run([&["triage", "rows", "--stale", "never"], args].concat());
    assert!(!ended.err.contains("panicked"), "{}", ended.err);
    (ended.status.code().unwrap(), ended.out.lines().map(str::to_owned).collect())
}

#[test]
fn an_outage_that_rings_is_critical_and_the_thresholds_can_be_set() {
    let place = Place::new();
    outage(&place);
    let (code, lines) = triage(&place, &["--alarms-per-week", "0.05"]);
    assert_eq!(code, 2, "{lines:#?}");
    assert_eq!(lines[0], "NOCTOP CRITICAL: 1 rings, 1 open | ringing=1;;1 open=1;1");
    assert!(lines.iter().all(|l| l.chars().count() <= 80 && !l.contains(char::is_control)), "{lines:#?}");
    let open = lines.iter().find(|l| l.starts_with("! ")).unwrap_or_else(|| panic!("{lines:#?}"));
    assert!(open.contains(&hour(394).to_string()[5..16]) && open.contains("drop to zero"), "{open}");
    assert!(lines.iter().any(|l| l.contains("ge-1") && l.ends_with("nominal")), "{lines:#?}");
    let code = |args: &[&str]| triage(&place, &[&["--alarms-per-week", "0.05"], args].concat()).0;
    assert_eq!(code(&["--critical", "2"]), 1);
    assert_eq!(code(&["--critical", "0"]), 1);
    assert_eq!(code(&["--critical", "0", "--warning", "2"]), 0);
    assert_eq!(code(&["--critical", "0", "--warning", "0"]), 0);
    std::fs::write(place.join("c.toml"), "[triage]\ncritical = 0\n").unwrap();
    assert_eq!(code(&["--config", "c.toml"]), 1);
    assert_eq!(code(&["--config", "c.toml", "--critical", "1"]), 2);
    std::fs::write(place.join("c.toml"), "[triage]\nstale = 'soon'\n").unwrap();
    assert_eq!(code(&["--config", "c.toml"]), 3);
}

#[test]
fn the_same_as_json() {
    let place = Place::new();
    outage(&place);
    let (code, lines) = triage(&place, &["--json", "--top", "1"]);
    let answer: serde_json::Value = serde_json::from_str(&lines.join("\n")).unwrap();
    assert_eq!((code, &answer["status"], &answer["code"]), (2, &"critical".into(), &2.into()));
    assert_eq!(answer["now"], hour(399).to_string());
    let incident = &answer["groups"][0]["incidents"][0];
    assert_eq!((&incident["kind"], &incident["ring"]), (&"drop-to-zero".into(), &true.into()));
    assert_eq!(answer["worst"].as_array().unwrap().len(), 1);
}

#[test]
fn it_says_which_model_scored_and_how_old_the_rows_are() {
    let place = Place::new();
    outage(&place);
    let about = |args: &[&str]| {
        let (_, lines) = triage(&place, args);
        lines.into_iter().skip(1).take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
    };
    // The rows end on 2026-01-21, and it is later than that for ever.
    let age = |line: &str| line.rsplit_once(" old").and_then(|(to, _)| to.rsplit_once(", ")).unwrap().1.to_owned();
    let built_in = about(&[]);
    assert!(built_in.starts_with("2 interfaces, 1 device; data to 2026-01-21 15:00 UTC, "), "{built_in}");
    assert!(built_in.ends_with(" old; model default"), "{built_in}");
    let weeks: u32 = age(&built_in).strip_suffix(" w").unwrap().parse().unwrap();
    assert!(weeks >= 20, "{built_in}");
    // The one that was retrained for the directory scores without being asked for, as in the console.
    let journal = Journal::under(&place.state().join("noctop"), &place.rows());
    let named = |name: &str| {
        let mut model = noctop::model::Model::built_in().unwrap();
        model.name = name.into();
        model
    };
    let path = journal.keep(&named("2026-01-20 08:00")).unwrap();
    let file = path.file_name().unwrap().to_str().unwrap().to_owned();
    let act = Act::Model { slot: Some(hour(390)), name: "2026-01-20 08:00".into(), file: Some(file) };
    Log::new(journal.log()).append(&Entry { at: Timestamp::from_seconds(0), who: "ann".into(), act }).unwrap();
    assert!(about(&[]).ends_with("model 2026-01-20 08:00"), "{}", about(&[]));
    // One that is named goes before it; a long name has a line of its own rather than being cut off.
    let long = "all of the north, four weeks up to Friday, at night";
    named(long).save(&place.join("m")).unwrap();
    assert!(about(&["--model", "m"]).ends_with(&format!(" old\nmodel {long}")), "{}", about(&["--model", "m"]));
    let json: serde_json::Value =
        serde_json::from_str(&triage(&place, &["--model", "m", "--json"]).1.join("\n")).unwrap();
    assert!(json["model"] == long && json["age_seconds"].as_i64().unwrap() > 20 * 7 * 86_400, "{json}");
}

#[test]
fn a_feed_that_has_stopped_is_unknown() {
    let place = Place::new();
    outage(&place);
    let ended = place.run(["triage", "rows"]);
    assert_eq!(ended.status.code(), Some(3), "{}", ended.err);
    assert!(ended.out.starts_with("NOCTOP UNKNOWN: no rows since 2026-01-21 15:00; then: 1 rings"), "{}", ended.out);
    assert_eq!(place.run(["triage", "rows", "--stale", "1m"]).status.code(), Some(3));
    assert_eq!(place.run(["triage", "rows", "--stale", "99999d"]).status.code(), Some(2));
}

#[test]
fn where_nothing_can_be_said_it_is_unknown_and_says_why() {
    let place = Place::new();
    let says = |args: &[&str], why: &str| {
        let ended = place.run(args);
        assert_eq!(ended.status.code(), Some(3), "{args:?}: {}", ended.err);
        let first = ended.out.lines().next().unwrap_or_default();
        assert!(first.starts_with("NOCTOP UNKNOWN: ") && first.contains(why), "{args:?}: {}{}", ended.out, ended.err);
    };
    says(&["triage", "rows"], "no rows");
    says(&["triage", "nowhere"], "nowhere does not exist");
    says(&["triage", "rows", "--model", "none"], "none: No such file");
    says(&["triage", "rows", "--config", "none.toml"], "none.toml");
    place.put("r.csv", &rhythm("a", "b", 20, 1, |_, v| v));
    says(&["triage", "rows", "--stale", "never"], "enough rows");
    let json = place.run(["triage", "nowhere", "--json"]);
    let answer: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((json.status.code(), &answer["status"]), (Some(3), &"unknown".into()));
    // A monitoring agent takes 2, the code for arguments that make no sense, for critical.
    let wrong = place.run(["triage", "--nonsense"]);
    assert_eq!(wrong.status.code(), Some(3), "{}", wrong.err);
    assert_eq!(place.run(["triage", "--help"]).status.code(), Some(0));
    assert_eq!(place.run(["score", "--nonsense"]).status.code(), Some(2));
}

#[test]
fn half_a_row_is_not_taken_for_one() {
    let place = Place::new();
    let file = place.put("r.csv", &rhythm("a", "b", 100, 1, |_, v| v));
    append(&file, format!("{},a,b,1300,1", hour(100)).as_bytes());
    let (_, lines) = triage(&place, &["--json"]);
    let answer: serde_json::Value = serde_json::from_str(&lines.join("\n")).unwrap();
    assert_eq!(answer["now"], hour(99).to_string());
}

#[test]
fn a_story_counts_once_and_a_retired_interface_does_not_count() {
    let place = Place::new();
    let down = |i: usize, v: f64| if i >= 394 { 0.0 } else { v };
    let rows: String = (0..4).map(|n| rhythm("edge-1", &format!("ge-{n}"), 400, 20 + n, down)).collect();
    place.put("r.csv", &(rows + &rhythm("edge-2", "ge-0", 400, 9, |_, v| v)));
    let (code, lines) = triage(&place, &["--alarms-per-week", "0.05"]);
    assert_eq!((code, lines[0].as_str()), (2, "NOCTOP CRITICAL: 1 rings, 1 open | ringing=1;;1 open=1;1"));
    assert!(lines.iter().any(|l| l.contains("edge-1: 4 interfaces")), "{lines:#?}");
    let log = Log::new(Journal::under(&place.state().join("noctop"), &place.rows()).log());
    for n in 0..4 {
        let interface = Named { hostname: "edge-1".into(), ifname: format!("ge-{n}") };
        let act = Act::Retire { interface };
        log.append(&Entry { at: Timestamp::from_seconds(0), who: "ann".into(), act }).unwrap();
    }
    let (code, lines) = triage(&place, &["--alarms-per-week", "0.05"]);
    assert_eq!((code, lines[0].as_str()), (0, "NOCTOP OK: 0 ring, 0 open, 1 attended to | ringing=0;;1 open=0;1"));
    // Nor is it among the worst, whatever it scored before it was gone.
    let from = lines.iter().position(|line| line.starts_with("  WORST")).unwrap();
    assert!(lines.len() == from + 2 && lines[from + 1].starts_with("  edge-2"), "{lines:#?}");
}

#[test]
fn one_that_is_silent_does_not_stand_before_live_ones_for_what_it_scored_weeks_ago() {
    let place = Place::new();
    let last = rhythm("edge-1", "gone", 300, 4, |i, v| if i == 299 { 9.0 * v } else { v });
    place.put("r.csv", &(last + &rhythm("edge-2", "live", 600, 9, |_, v| v)));
    let (_, lines) = triage(&place, &[]);
    let from = lines.iter().position(|line| line.starts_with("  WORST")).unwrap();
    let worst: Vec<&str> = lines[from + 1..].iter().filter_map(|line| line.split_whitespace().nth(1)).collect();
    assert_eq!(worst, ["live", "gone"], "{lines:#?}");
    assert!(lines[from + 2].ends_with("silent"), "{lines:#?}");
}
