//! `--on-incident`: a program is run when an incident rings, is acknowledged and closes.

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
