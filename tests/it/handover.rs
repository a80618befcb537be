//! `noctop handover`: what a shift leaves behind.

use noctop::journal::log::Log;
use noctop::journal::{Act, Entry, Journal};
use noctop::series::Timestamp;

use crate::support::*;

/// One outage that closed before the shift, one that closed in it, one that is still open; and three
/// hours in which nobody had a row.
fn place() -> Place {
    let place = Place::new();
    let down = |at: std::ops::Range<usize>| move |i: usize, v: f64| if at.contains(&i) { 0.0 } else { v };
    let rows = [
        rhythm("edge-1", "old", 400, 1, down(300..304)),
        rhythm("edge-2", "closed_*", 400, 2, down(380..384)),
        rhythm("edge-3", "open", 400, 3, down(396..400)),
    ];
    let gap = [hour(389).to_string(), hour(390).to_string(), hour(391).to_string()];
    let kept = |line: &&str| !gap.iter().any(|time| line.starts_with(time.as_str()));
    place.put("r.csv", &rows.concat().split_inclusive('\n').filter(kept).collect::<String>());
    place
}

fn handover(place: &Place, args: &[&str]) -> String {
    place.run([&["handover", "rows", "--alarms-per-week", "0.05"], args].concat()).fine().out
}

#[test]
fn a_shift_is_told_as_markdown_and_as_json() {
    let place = place();
    let json = |args: &[&str]| -> serde_json::Value {
        serde_json::from_str(&handover(&place, &[&["--json", "--since", "24h"], args].concat())).unwrap()
    };
    let names = |answer: &serde_json::Value, what: &str| -> Vec<String> {
        let list = answer[what].as_array().unwrap().iter();
        list.map(|i| format!("{} {}", i["ifname"].as_str().unwrap(), i["kind"].as_str().unwrap())).collect()
    };
    let first = json(&[]);
    assert_eq!(names(&first, "closed"), ["closed_* drop-to-zero"]);
    assert_eq!(names(&first, "open"), ["open drop-to-zero"]);
    assert_eq!(names(&first, "opened").len(), 2);
    assert_eq!(first["gaps"][0]["after"], hour(388).to_string());
    assert_eq!(first["gaps"].as_array().unwrap().len(), 1);
    assert!(first["stopped_seconds"].as_i64().unwrap() > 86_400, "the rows are old");
    // Somebody acknowledges the open one, notes something, and another model is put in force.
    let incident = first["open"][0]["id"].as_str().unwrap().parse().unwrap();
    let log = Log::new(Journal::under(&place.state().join("noctop"), &place.rows()).log());
    let at = Timestamp::from(std::time::SystemTime::now());
    let say = |who: &str, act| log.append(&Entry { at, who: who.into(), act }).unwrap();
    say("ann", Act::Acknowledge { incident });
    say("bob", Act::Note { incident, text: "fibre *cut*\nat km 12".into() });
    say("ann", Act::Model { slot: Some(hour(399)), name: "trained".into(), file: None });
    log.append(&Entry { at: at.plus(-90_000), who: "cyd".into(), act: Act::Unacknowledge { incident } }).unwrap();
    log.append(&Entry { at, who: "ann".into(), act: Act::Acknowledge { incident } }).unwrap();
    let then = json(&[]);
    assert_eq!(then["open"][0]["acknowledged_by"], "ann");
    assert_eq!(then["said"].as_array().unwrap().len(), 4, "what was said before the shift is left out: {then}");
    let text = handover(&place, &["--since", "24h"]);
    assert!(text.starts_with(&format!("# Handover, {}", &hour(375).to_string()[..16])), "{text}");
    for wanted in [
        "2 opened, 1 closed, 1 still open",
        "\n## Still open\n\n- **edge-3 open** drop to zero, since ",
        ", acknowledged by ann at ",
        "\n## Closed\n\n- **edge-2 closed\\_\\*** drop to zero",
        " ann acknowledged edge-3 open `",
        " bob noted on edge-3 open `",
        "fibre \\*cut\\*",
        "\n## Models\n\n",
        "\"trained\" in force, for rows behind ",
        "\n## Gaps in the feed\n\n- no rows between ",
        "**The newest row is ",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("edge-1"), "{text}");
    // A shift in which nothing happened says so.
    let quiet = handover(&place, &["--since", "2026-03-01"]);
    assert!(quiet.starts_with("# Handover, 2026-03-01 00:00 to 2"), "{quiet}");
    let until = &quiet["# Handover, 2026-03-01 00:00 to ".len()..][..16];
    assert!(until > "2026-03-01 00:00", "it does not end before it began: {until}");
    assert!(quiet.contains("0 opened") && quiet.contains("## Closed\n\nNone."), "{quiet}");
    let why = place.run(["handover", "rows", "--since", "lately"]);
    assert_eq!(why.status.code(), Some(2));
    assert!(why.err.contains("8h"), "{}", why.err);
}
