//! Without a terminal: a line for each incident that opens and closes.

use std::time::Duration;

use rustix::process::Signal;

use crate::support::*;

const SOON: Duration = Duration::from_secs(20);
/// A name that would paint a terminal, were it written as it is.
const EVIL: &str = "if\u{1b}[31m\u{7}";

/// Rows of an interface with an outage at hour 300, in three pieces: before, in, behind it.
fn pieces() -> [String; 3] {
    let rows = rhythm("host", EVIL, 380, 8, |i, v| if (300..304).contains(&i) { 0.0 } else { v });
    let lines: Vec<&str> = rows.split_inclusive('\n').collect();
    [lines[..300].concat(), lines[300..304].concat(), lines[304..].concat()]
}

#[test]
fn an_outage_opens_and_closes_an_incident() {
    let place = Place::new();
    let [before, outage, behind] = pieces();
    let file = place.put("r.csv", &before);
    let mut command = place.noctop();
    command.arg("rows");
    let process = Process::start(command);
    append(&file, outage.as_bytes());
    let since = format!("since {}", hour(300));
    let opened = process.line(SOON, |line| line.starts_with("OPENED") && line.contains(&since));
    assert!(opened.contains(r"host if\u{1b}[31m\u{7}  "), "{opened:?}");
    assert!(!opened.trim_end().contains(char::is_control), "{opened:?}");
    let id = opened.split_whitespace().nth(1).unwrap().to_owned();
    append(&file, behind.as_bytes());
    let closed = process.line(SOON, |line| line.contains(&id) && !line.starts_with("OPENED"));
    assert!(closed.starts_with("CLOSED") && closed.contains("until 2026-01-"), "{closed:?}");
    assert!(closed.contains("  drop to zero  "), "the hours behind an outage do not rename it: {closed:?}");
    process.signal(Signal::TERM);
    let ended = process.end(Duration::from_secs(2));
    assert_eq!((ended.status.code(), ended.err.as_str()), (Some(143), ""));
}

#[test]
fn the_same_as_json() {
    let place = Place::new();
    let [before, outage, behind] = pieces();
    let file = place.put("r.csv", &before);
    let mut command = place.noctop();
    command.args(["watch", "rows", "--json", "--poll", "1"]);
    let process = Process::start(command);
    append(&file, outage.as_bytes());
    let parse = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    let start = hour(300).to_string();
    let opened = parse(&process.line(SOON, |line| {
        let line = parse(line);
        line["event"] == "opened" && line["start"] == start.as_str()
    }));
    assert_eq!((&opened["hostname"], &opened["ifname"]), (&"host".into(), &EVIL.into()));
    assert!(opened["end"].is_null() && opened["score"].as_f64().unwrap() > 3.0, "{opened}");
    assert!(opened["expected"].as_f64().unwrap() > 500.0, "{opened}");
    append(&file, behind.as_bytes());
    let closed = parse(&process.line(SOON, |line| {
        let line = parse(line);
        line["id"] == opened["id"] && line["event"] != "opened"
    }));
    assert_eq!(closed["event"], "closed");
    assert!(closed["end"].as_str().unwrap() >= hour(303).to_string().as_str(), "{closed}");
    process.signal(Signal::INT);
    assert_eq!(process.end(Duration::from_secs(2)).status.code(), Some(130));
}

#[test]
fn it_waits_for_rows_of_a_directory_that_has_none() {
    let place = Place::new();
    let mut command = place.noctop();
    command.args(["rows", "--plain"]);
    let process = Process::start(command);
    std::thread::sleep(Duration::from_millis(300));
    let [before, outage, _] = pieces();
    // As a collector does that writes whole files: under another name first.
    std::fs::write(place.join("new"), format!("{HEADER}{before}{outage}")).unwrap();
    std::fs::rename(place.join("new"), place.rows().join("r.csv")).unwrap();
    let since = format!("since {}", hour(300));
    process.line(SOON, |line| line.starts_with("OPENED") && line.contains(&since));
    // What cannot be used is told on standard error, while it goes on.
    std::fs::write(place.rows().join("bad.csv"), "a,b\n1,2\n").unwrap();
    wait_for("the notice", SOON, || process.errors().contains("bad.csv").then_some(()));
    process.signal(Signal::HUP);
    assert_eq!(process.end(Duration::from_secs(2)).status.code(), Some(129));
}

#[test]
fn the_demo_without_a_terminal_leaves_nothing_behind() {
    let place = Place::new();
    let mut command = place.noctop();
    command.args(["demo", "--every", "100"]);
    let process = Process::start(command);
    process.line(SOON, |line| line.starts_with("OPENED"));
    assert_eq!(std::fs::read_dir(place.temporary()).unwrap().count(), 1);
    process.signal(Signal::TERM);
    assert_eq!(process.end(Duration::from_secs(2)).status.code(), Some(143));
    assert_eq!(std::fs::read_dir(place.temporary()).unwrap().count(), 0);
}

/// A program that does not outlive its test.
struct Running(std::process::Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
    }
}

#[test]
fn it_ends_when_nobody_reads_its_lines_any_more() {
    let place = Place::new();
    let [before, outage, _] = pieces();
    place.put("r.csv", &format!("{before}{outage}"));
    let mut command = place.noctop();
    command.args(["rows", "--plain"]).stdout(std::process::Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut lines = std::io::BufReader::new(running.0.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut lines, &mut line).unwrap();
    assert!(line.starts_with("OPENED"), "{line}");
    drop(lines);
    // no row comes any more, and so no line
    let status = wait_for("the end", Duration::from_secs(10), || running.0.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}

#[test]
fn refused_lines_and_every_notice_are_told_of() {
    let place = Place::new();
    place.put("a.csv", &rhythm("host", "if", 30, 1, |_, v| v));
    let file = place.rows().join("evil\u{1b}[31m.csv");
    std::fs::write(&file, format!("{HEADER}bad\n{}", "worse\n".repeat(2))).unwrap();
    let mut command = place.noctop();
    command.args(["rows", "--poll", "1"]);
    let process = Process::start(command);
    // More of them than a snapshot holds.
    for i in 0..230 {
        std::fs::write(place.rows().join(format!("no{i:03}.csv")), "name,value\n").unwrap();
    }
    let until = |words: &str| wait_for(words, SOON, || process.errors().contains(words).then_some(()));
    until("rows/no229.csv: skipped");
    until("3 lines were refused");
    std::fs::write(place.rows().join("last.csv"), "name,value\n").unwrap();
    until("rows/last.csv: skipped");
    append(&file, b"worst\nworst\nworst\n");
    until("6 lines were refused");
    process.signal(Signal::TERM);
    let ended = process.end(Duration::from_secs(2));
    assert_eq!(ended.status.code(), Some(143));
    assert!(!ended.err.contains('\u{1b}'), "{}", ended.err);
    let told: Vec<&str> = ended.err.lines().filter(|line| line.contains("refused")).collect();
    assert!(told[0].starts_with("3 lines were refused, the last one at rows/evil\\u{1b}[31m.csv:4: "), "{told:?}");
    assert!(told[1].starts_with("6 lines were refused") && told.len() == 2, "{told:?}");
}
