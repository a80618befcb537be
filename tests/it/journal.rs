//! What people say of incidents outlives the process, and reaches whoever watches the same directory.

use std::process::Command as Program;
use std::sync::Arc;
use std::time::Duration;

use noctop::engine::live::{self, LiveOptions};
use noctop::engine::{Act, Command, Handle, IncidentId, IncidentView};
use noctop::journal::{Journal, Marks, Subject};
use noctop::series::Timestamp;

use crate::pty::{SOON, Terminal};
use crate::support::*;

/// In the environment of a process that is to write, and nothing else: the base of the state directory.
const WRITER: &str = "NOCTOP_TEST_WRITER";
/// Entries that each writing process writes.
const EACH: u64 = 50;

/// Rows of an interface that is down at the end.
fn place() -> Place {
    let place = Place::new();
    let down = rhythm("edge-1", "ge-0", 400, 8, |i, v| if i >= 396 { 0.0 } else { v });
    place.put("r.csv", &(down + &rhythm("edge-1", "ge-1", 400, 9, |_, v| v)));
    place
}

fn journal(place: &Place) -> Journal {
    Journal::under(&place.state().join("noctop"), &place.rows())
}

/// A running engine that has read and scored the rows.
struct Running(Handle, Option<std::thread::JoinHandle<()>>);

impl Running {
    fn start(place: &Place, journal: Journal) -> Self {
        let (handle, thread) =
            live::start(LiveOptions { journal: Some(journal), ..live_options(place.rows()) }).unwrap();
        wait_for("the rows", SOON, || handle.snapshot().source.loading.is_none().then_some(()));
        Self(handle, Some(thread))
    }

    fn outage(&self) -> Arc<IncidentView> {
        let snapshot = self.0.snapshot();
        let mut down = snapshot.incidents.iter().filter(|i| &*i.name.ifname == "ge-0" && i.end.is_none());
        down.next().cloned().expect("an open incident")
    }

    fn becomes(&self, what: &str, wanted: impl Fn(&IncidentView) -> bool) -> Arc<IncidentView> {
        wait_for(what, SOON, || Some(self.outage()).filter(|i| wanted(i)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.send(Command::Stop);
        if let Some(thread) = self.1.take() {
            thread.join().unwrap();
        }
    }
}

#[test]
fn what_was_said_stands_after_a_restart_and_reaches_the_other_operator() {
    let place = place();
    let ann = Running::start(&place, journal(&place).by("ann"));
    let bob = Running::start(&place, journal(&place).by("bob"));
    let id = ann.outage().id;
    assert!(ann.0.send(Command::Mark(vec![Act::Acknowledge { incident: id }])));
    assert!(ann.0.send(Command::Mark(vec![Act::Note { incident: id, text: "fibre cut".into() }])));
    let seen = bob.becomes("the note", |i| i.notes.len() == 1);
    assert_eq!((seen.id, seen.acknowledged.as_ref().map(|s| s.who.as_str())), (id, Some("ann")));
    assert!(seen.attended() && !seen.calls() && seen.rings);
    let state = |r: &Running| r.0.snapshot().interfaces.iter().find(|v| &*v.name.ifname == "ge-0").unwrap().clone();
    assert_eq!(state(&bob).state, noctop::engine::InterfaceState::Acknowledged);
    // A mute that ends, and an interface that is retired.
    let until = Timestamp::from(std::time::SystemTime::now()).plus(2);
    let interface = noctop::journal::Named { hostname: "edge-1".into(), ifname: "ge-0".into() };
    bob.0.send(Command::Mark(vec![Act::Mute { what: Subject::Interface(interface.clone()), until }]));
    assert_eq!(bob.becomes("muted", |i| i.muted.is_some()).muted, Some(until));
    bob.becomes("the mute's end", |i| i.muted.is_none());
    bob.0.send(Command::Mark(vec![Act::Retire { interface }]));
    bob.becomes("retired", |i| i.retired);
    drop((ann, bob));
    let again = Running::start(&place, journal(&place).by("cyd"));
    let outage = again.outage();
    assert_eq!((outage.id, outage.notes[0].text.as_str(), outage.retired), (id, "fibre cut", true));
    assert_eq!(outage.acknowledged.as_ref().map(|s| s.who.as_str()), Some("ann"));
    assert!(state(&again).retired);
    // What a script asks sees it too.
    let triage = place.run(["triage", "rows", "--stale", "never", "--alarms-per-week", "0.05"]).fine();
    assert!(triage.out.starts_with("NOCTOP OK: 0 ring, 0 open, 1 attended to"), "{}", triage.out);
}

#[test]
fn the_key_writes_it_and_two_consoles_agree() {
    let place = place();
    let open = |args: &[&str]| {
        let terminal = Terminal::start(&place, (120, 30), args);
        terminal.shows("the incident", SOON, |text| text.contains("drop to zero"));
        terminal
    };
    let (mut ann, mut bob) = (open(&["rows", "--who", "ann"]), open(&["rows", "--read-only"]));
    let acknowledged = |text: &str| text.contains(" 1 acknowledged");
    bob.press("a");
    ann.press("\t");
    ann.press("a");
    ann.shows("acknowledged", SOON, acknowledged);
    bob.shows("acknowledged by ann", SOON, acknowledged);
    ann.press("q");
    assert_eq!(ann.end(Duration::from_secs(5)), 0);
    let (entries, notices) = journal(&place).entries();
    assert_eq!((entries.len(), entries[0].who.as_str(), notices.len()), (1, "ann", 0), "{entries:?}");
    let again = open(&["rows"]);
    again.shows("acknowledged before", SOON, acknowledged);
}

#[test]
fn a_damaged_line_is_told_and_the_others_count() {
    let place = place();
    let incident = {
        let ann = Running::start(&place, journal(&place).by("ann"));
        let incident = ann.outage().id;
        ann.0.send(Command::Mark(vec![Act::Acknowledge { incident }]));
        incident
    };
    append(&journal(&place).log(), b"{\"at\":\"yesterday\"}\n{\"at\":");
    let bob = Running::start(&place, journal(&place).by("bob"));
    assert!(bob.outage().acknowledged.is_some());
    let notices = bob.0.snapshot().source.notices.clone();
    assert!(notices.iter().any(|n| n.path.ends_with("journal.jsonl") && n.message.contains("line 2")), "{notices:?}");
    bob.0.send(Command::Mark(vec![Act::Note { incident, text: "seen".into() }]));
    wait_for("the note", SOON, || {
        let marks: Marks = journal(&place).entries().0.iter().collect();
        (marks.notes(incident).len() == 1 && marks.acknowledged(incident).is_some()).then_some(())
    });
}

#[test]
fn processes_that_write_at_once_lose_nothing() {
    let place = place();
    let program = std::env::current_exe().unwrap();
    let writers: Vec<_> = (0..3)
        .map(|n| {
            let mut command = Program::new(&program);
            command.args(["--exact", "journal::a_process_that_writes", "--nocapture"]);
            command.envs(place.environment()).env(WRITER, format!("{n}"));
            Process::start(command)
        })
        .collect();
    writers.into_iter().for_each(|writer| drop(writer.end(LONG).fine()));
    let (entries, notices) = journal(&place).entries();
    assert!(notices.is_empty(), "{notices:?}");
    for n in 0..3 {
        let own: Vec<_> = entries.iter().filter(|e| e.who == n.to_string()).map(|e| e.act.clone()).collect();
        let want: Vec<_> = (0..EACH).map(|i| Act::Acknowledge { incident: IncidentId(i) }).collect();
        assert_eq!(own, want, "all of one writer, in its order");
    }
}

/// One of the processes of the test above; on its own it has nothing to do.
#[test]
fn a_process_that_writes() {
    let Ok(who) = std::env::var(WRITER) else { return };
    let state = std::path::PathBuf::from(std::env::var_os("XDG_STATE_HOME").unwrap());
    let rows = state.parent().and_then(|home| home.parent()).unwrap().join("rows");
    let log = noctop::journal::log::Log::new(Journal::under(&state.join("noctop"), &rows).log());
    for i in 0..EACH {
        let act = Act::Acknowledge { incident: IncidentId(i) };
        log.append(&noctop::journal::Entry { at: Timestamp::from_seconds(0), who: who.clone(), act }).unwrap();
    }
}
