//! The console in a real terminal: from its first frame to its end.

use std::time::{Duration, Instant};

use crate::pty::{SOON, Terminal};
use crate::support::*;

/// Whether the list of anomalies has an open one; closed ones are in it from the start.
fn has_open_incident(text: &str) -> bool {
    let title = text.split("Anomalies").nth(1).unwrap_or_default();
    let open = title.split(" open").next().unwrap_or_default();
    open.trim_matches(|c: char| !c.is_ascii_digit()).parse().is_ok_and(|n: u32| n > 0)
}

/// The demo from its first frame to its end by key, in a terminal of this size.
fn demo(size: (u16, u16)) {
    let place = Place::new();
    let start = Instant::now();
    let mut terminal = Terminal::start(&place, size, &["demo", "--every", "300"]);
    terminal.shows("a first frame", Duration::from_secs(5), |text| text.contains("noctop") && text.contains("quit"));
    let text = terminal.shows("an incident", SOON, has_open_incident);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    assert!(text.contains("model default") && text.contains("ERROR") && text.contains("HOST"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= usize::from(size.0)));
    terminal.press("?");
    terminal.shows("help", SOON, |text| text.contains("train a new model") || text.contains("one line up"));
    terminal.press("q");
    terminal.shows("the lists", SOON, |text| text.contains("Anomalies"));
    terminal.press("r");
    terminal.shows("the choice", SOON, |text| text.contains("all history"));
    terminal.press("\r");
    // The demo ends today, and so its rows, and which of the two models is better, differ from day to day.
    terminal.shows("what came of the training", Duration::from_secs(90), |text| text.contains("training done"));
    terminal.press("q");
    terminal.shows("no dialog any more", SOON, |text| !text.contains("all history"));
    terminal.press("q");
    assert_eq!(terminal.end(Duration::from_secs(3)), 0);
    terminal.is_given_back();
    assert_eq!(std::fs::read_dir(place.temporary()).unwrap().count(), 0, "the demo leaves no files");
}

#[test]
fn the_demo_in_a_small_terminal() {
    demo((80, 24));
}

#[test]
fn the_demo_in_a_large_terminal() {
    demo((200, 50));
}

/// A key retrains while rows go on, and the header says which model scores.
fn retrain(size: (u16, u16)) {
    let place = Place::new();
    let rows = rhythm("core-1", "xe-0", 361, 1, |_, v| v);
    let lines: Vec<&str> = rows.split_inclusive('\n').collect();
    let file = place.put("r.csv", &(rhythm("core-1", "xe-1", 360, 2, |_, v| 3.0 * v) + &lines[..360].concat()));
    let mut terminal = Terminal::start(&place, size, &["watch", "rows"]);
    terminal.shows("the rows", SOON, |text| text.contains("core-1") && text.contains("model default"));
    terminal.press("r\r");
    append(&file, lines[360].as_bytes());
    // Both at once: a frame comes in pieces, and the screen may be looked at between two of them.
    let came = |text: &str| text.contains("model trained to 2026-01-") && text.contains("training done");
    terminal.shows("the new model, and what came of it", LONG, came);
    terminal.press("qq");
    assert_eq!(terminal.end(Duration::from_secs(3)), 0);
    terminal.is_given_back();
}

#[test]
fn a_key_retrains_in_a_small_terminal() {
    retrain((80, 24));
}

#[test]
fn a_key_retrains_in_a_large_terminal() {
    retrain((200, 50));
}

#[test]
fn a_directory_without_rows_waits_for_them() {
    let place = Place::new();
    let mut terminal = Terminal::start(&place, (80, 24), &["rows"]);
    terminal.shows("that it waits", SOON, |text| text.contains("waiting for rows"));
    place.put("r.csv", &rhythm("core-1", "xe-0", 60, 1, |_, v| v));
    terminal.shows("the interface", SOON, |text| text.contains("core-1") && text.contains("data ends 2026-01-"));
    terminal.press("q");
    assert_eq!(terminal.end(Duration::from_secs(3)), 0);
}
