//! `--on-incident`: a program is run when an incident rings, is acknowledged and closes.

use std::path::Path;
use std::time::Duration;

use noctop::journal::log::Log;
use noctop::journal::{Act, Entry, Journal};
use noctop::series::Timestamp;
use rustix::process::{Pid, Signal, test_kill_process_group};

use crate::support::*;

const SOON: Duration = Duration::from_secs(20);

/// Rows of an interface with an outage at hour 396: before it, and behind its begin.
fn rows() -> (String, String, String) {
    let all = rhythm("edge-1", "ge-0", 420, 8, |i, v| if (396..400).contains(&i) { 0.0 } else { v });
    let lines: Vec<&str> = all.split_inclusive('\n').collect();
    (lines[..396].concat(), lines[396..400].concat(), lines[400..].concat())
}

#[test]
fn a_program_hears_of_an_incident_from_its_ring_to_its_end() {
    let place = Place::new();
    let (before, outage, behind) = rows();
    let file = place.put("r.csv", &before);
    let calls = || -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(place.join("calls")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let heard = |n: usize| wait_for("the call", SOON, || Some(calls()).filter(|c| c.len() >= n));
    let mut command = place.noctop();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.args(["rows", "--plain", "--alarms-per-week", "0.05", "--on-incident", "cat >> calls"]);
    let process = Process::start(command);
    append(&file, outage.as_bytes());
    let first = heard(1)[0].clone();
    assert_eq!((&first["event"], &first["ifname"], &first["ring"]), (&"rings".into(), &"ge-0".into(), &true.into()));
    // Another operator looks after it.
    let log = Log::new(Journal::under(&place.state().join("noctop"), &place.rows()).log());
    let incident = first["id"].as_str().unwrap().parse().unwrap();
    let at = Timestamp::from(std::time::SystemTime::now());
    log.append(&Entry { at, who: "ann".into(), act: Act::Acknowledge { incident } }).unwrap();
    let second = heard(2)[1].clone();
    assert_eq!((&second["event"], &second["acknowledged_by"]), (&"acknowledged".into(), &"ann".into()));
    append(&file, behind.as_bytes());
    let third = heard(3)[2].clone();
    assert_eq!((&third["event"], &third["id"], &third["state"]), (&"closed".into(), &first["id"], &"closed".into()));
    process.signal(Signal::TERM);
    process.end(Duration::from_secs(5));
    assert_eq!(calls().len(), 3, "each once");
}

/// A process in which a program writes down for what it is called, beside lines of JSON.
struct Called<'a> {
    place: &'a Place,
    process: Process,
}

impl<'a> Called<'a> {
    /// Starts it on a place with this file, and waits until that is read and scored.
    #[track_caller]
    fn start(place: &'a Place, file: &Path) -> Self {
        append(file, b"no row\n");
        let mut command = place.noctop();
        command.env("PATH", std::env::var_os("PATH").unwrap());
        // One that is slow to say that somebody is called must not be overtaken by the end of it.
        let slow = "call=$(cat); case $call in *rings\\\"*) sleep 0.2;; esac; echo \"$call\" >> calls";
        command.args(["rows", "--json", "--alarms-per-week", "0.05", "--on-incident", slow]);
        let process = Process::start(command);
        // This is said once all has been read.
        wait_for("the start", SOON, || process.errors().contains("1 line was refused").then_some(()));
        Self { place, process }
    }

    /// Waits for a line of this event and interface, and gives it.
    #[track_caller]
    fn line(&self, event: &str, ifname: &str) -> serde_json::Value {
        let (event, ifname) = (format!("\"event\":\"{event}\""), format!("\"ifname\":\"{ifname}\""));
        let line = self.process.line(SOON, |line| line.contains(&event) && line.contains(&ifname));
        serde_json::from_str(&line).unwrap()
    }

    /// Ends it, and gives what the program was called for, in the order in which it wrote that down.
    #[track_caller]
    fn end(self) -> (Vec<String>, Ended) {
        self.process.signal(Signal::TERM);
        let ended = self.process.end(Duration::from_secs(5));
        let text = std::fs::read_to_string(self.place.join("calls")).unwrap_or_default();
        let calls = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        (calls.map(|call| call["event"].as_str().unwrap().to_owned()).collect(), ended)
    }
}

/// Lines of an interface's hours, with nothing in those for which `off` holds.
fn hours(ifname: &str, rows: usize, seed: u64, off: impl Fn(usize) -> bool) -> Vec<String> {
    let all = rhythm("edge-1", ifname, rows, seed, |i, v| if off(i) { 0.0 } else { v });
    all.split_inclusive('\n').map(str::to_owned).collect()
}

#[test]
fn what_flaps_rings_once_and_is_told_to_go_on() {
    let place = Place::new();
    let lines = hours("ge-0", 430, 8, |i| (396..402).contains(&i) || (407..412).contains(&i));
    let file = place.put("r.csv", &lines[..396].concat());
    let called = Called::start(&place, &file);
    let mut told = Vec::new();
    for (hours, event) in [(396..402, "opened"), (402..407, "closed"), (407..412, "reopened"), (412..430, "closed")] {
        append(&file, lines[hours].concat().as_bytes());
        let line = called.line(event, "ge-0");
        assert_eq!(line["ring"], true, "{line}");
        told.push(line["id"].clone());
    }
    assert!(told.iter().all(|id| *id == told[0]), "{told:?}");
    assert_eq!(called.end().0, ["rings", "closed", "reopened", "closed"]);
}

#[test]
fn one_that_a_late_row_lets_begin_earlier_goes_on_acknowledged_and_rings_no_more() {
    let place = Place::new();
    let lines = hours("ge-0", 420, 8, |i| (396..402).contains(&i));
    let file = place.put("r.csv", &lines[..396].concat());
    let called = Called::start(&place, &file);
    append(&file, lines[397..399].concat().as_bytes());
    let first = called.line("opened", "ge-0")["id"].clone();
    let log = Log::new(Journal::under(&place.state().join("noctop"), &place.rows()).log());
    let incident = first.as_str().unwrap().parse().unwrap();
    let at = Timestamp::from(std::time::SystemTime::now());
    log.append(&Entry { at, who: "ann".into(), act: Act::Acknowledge { incident } }).unwrap();
    let calls = || std::fs::read_to_string(place.join("calls")).unwrap_or_default();
    wait_for("the acknowledgement", SOON, || calls().contains("acknowledged\",").then_some(()));
    append(&file, lines[396].as_bytes());
    let moved = called.line("moved", "ge-0");
    assert_eq!((&moved["was"], &moved["acknowledged_by"], &moved["ring"]), (&first, &"ann".into(), &true.into()));
    assert!(moved["id"] != first, "{moved}");
    append(&file, lines[399..].concat().as_bytes());
    assert_eq!(called.line("closed", "ge-0")["id"], moved["id"]);
    assert_eq!(called.end().0, ["rings", "acknowledged", "moved", "closed"]);
}

#[test]
fn what_begins_and_ends_in_one_batch_is_told() {
    let place = Place::new();
    let lines = hours("ge-0", 412, 8, |i| (398..402).contains(&i));
    let called = Called::start(&place, &place.put("a.csv", &lines[..396].concat()));
    std::fs::write(place.join("b"), format!("{HEADER}{}", lines[396..].concat())).unwrap();
    std::fs::rename(place.join("b"), place.rows().join("b.csv")).unwrap();
    assert_eq!(called.line("opened", "ge-0")["ring"], true);
    called.line("closed", "ge-0");
    assert_eq!(called.end().0, ["rings", "closed"]);
}

#[test]
fn what_came_while_the_collector_was_down_is_told_and_what_is_too_old_is_counted() {
    let place = Place::new();
    let of = |ifname, seed| hours(ifname, 412, seed, move |i| ifname == "ge-0" && (390..395).contains(&i));
    let (one, other) = (of("ge-0", 8), of("ge-1", 9));
    let both = |hours: std::ops::Range<usize>| one[hours.clone()].concat() + &other[hours].concat();
    let file = place.put("r.csv", &(both(0..300) + &both(301..386) + &both(402..410)));
    let called = Called::start(&place, &file);
    append(&file, both(410..411).as_bytes());
    append(&file, both(386..402).as_bytes());
    assert_eq!(called.line("opened", "ge-0")["ring"], true);
    called.line("closed", "ge-0");
    append(&file, both(300..301).as_bytes());
    let late = "2 rows came more than 48 slots late, into history only: not scored";
    wait_for("the late rows", SOON, || called.process.errors().contains(late).then_some(()));
    assert_eq!(called.end().0, ["rings", "closed"]);
}

#[test]
fn a_story_rings_once_though_its_rows_come_one_by_one_and_is_acknowledged_once() {
    let place = Place::new();
    let names = ["ge-3", "ge-2", "ge-1", "ge-0"];
    let all = names.map(|name| hours(name, 400, 8, |i| i >= 396));
    let file = place.put("r.csv", &all.iter().map(|lines| lines[..396].concat()).collect::<String>());
    let called = Called::start(&place, &file);
    let mut ids = Vec::new();
    for (name, lines) in names.iter().zip(&all) {
        append(&file, lines[396].as_bytes());
        let line = called.line("opened", name);
        assert_eq!(line["ring"], *name == "ge-3", "{line}");
        ids.push(line["id"].as_str().unwrap().parse().unwrap());
    }
    for hour in 397..400 {
        append(&file, all.iter().map(|lines| lines[hour].as_str()).collect::<String>().as_bytes());
    }
    let log = Log::new(Journal::under(&place.state().join("noctop"), &place.rows()).log());
    let at = Timestamp::from(std::time::SystemTime::now());
    let entry = |incident: &_| Entry { at, who: "ann".into(), act: Act::Acknowledge { incident: *incident } };
    log.append_all(&ids.iter().map(entry).collect::<Vec<_>>()).unwrap();
    let calls = || std::fs::read_to_string(place.join("calls")).unwrap_or_default();
    wait_for("the acknowledgement", SOON, || calls().contains("acknowledged\",").then_some(()));
    assert_eq!(called.end().0, ["rings", "acknowledged"]);
}

#[test]
fn one_that_fails_is_told_of_and_one_that_hangs_holds_nothing_up() {
    let place = Place::new();
    let (before, outage, _) = rows();
    place.put("r.csv", &(before + &outage));
    let mut command = place.noctop();
    command.args(["rows", "--plain", "--on-incident", "echo no pager >&2; exit 4"]);
    let process = Process::start(command);
    // What rings when noctop starts is told of: nobody may have heard of it.
    wait_for("the failure", SOON, || process.errors().contains("exit status: 4: no pager").then_some(()));
    let mut command = place.noctop();
    command.env("PATH", std::env::var_os("PATH").unwrap());
    command.args(["rows", "--plain", "--on-incident", "echo $$ >> started; exec sleep 600"]);
    let hangs = Process::start(command);
    hangs.line(SOON, |line| line.starts_with("OPENED"));
    let started = || std::fs::read_to_string(place.join("started")).ok().filter(|pids| pids.ends_with('\n'));
    wait_for("the program", SOON, started);
    hangs.signal(Signal::TERM);
    hangs.end(Duration::from_secs(5));
    // Nothing of it is left behind.
    for pid in started().unwrap().lines() {
        let pid = Pid::from_raw(pid.parse().unwrap()).unwrap();
        wait_for("its end", SOON, || test_kill_process_group(pid).is_err().then_some(()));
    }
}

#[test]
fn an_inventory_gives_names_and_per_cents() {
    let place = Place::new();
    let (before, outage, _) = rows();
    place.put("r.csv", &(before + &outage + &rhythm("edge-1", "ge-1", 400, 9, |_, v| v)));
    let list = "hostname,ifname,description,speed\nedge-1,ge-0,uplink to ams-7,2k\nedge-1,ge-1,\"a | b\",2k\n";
    std::fs::write(place.join("i.csv"), list).unwrap();
    let look = |command: &str, more: &[&str]| {
        place.run([&[command, "rows", "--inventory", "i.csv", "--alarms-per-week", "0.05"], more].concat())
    };
    let text = look("triage", &["--stale", "never"]).out;
    assert!(text.contains("\n              uplink to ams-7\n") && text.contains(" USED "), "{text}");
    assert!(text.lines().all(|l| l.chars().count() <= 80), "{text}");
    let answer: serde_json::Value = serde_json::from_str(&look("triage", &["--stale", "never", "--json"]).out).unwrap();
    assert_eq!(answer["groups"][0]["incidents"][0]["description"], "uplink to ams-7");
    assert!(answer["worst"].as_array().unwrap().iter().any(|w| w["utilisation"].as_f64().unwrap() > 0.2), "{answer}");
    let told = look("handover", &[]).fine().out;
    assert!(told.contains("**edge-1 ge-0** (uplink to ams-7) drop to zero"), "{told}");
    assert!(told.contains(" 0 % of its speed at the peak"), "{told}");
    std::fs::write(place.join("i.csv"), "hostname,ifname,speed\nedge-1,ge-0,fast\n").unwrap();
    assert!(look("handover", &[]).refused().contains("i.csv:2: speed fast"));
}
