//! How the console begins, goes on and ends in a real terminal: by key, by signal, with its terminal, stopped and
//! continued, and by a panic. Whatever it was, the terminal is given back and no process is left.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use noctop::console::{self, Options};
use noctop::engine::{Snapshot, pair};
use noctop::ingest::WatchOptions;
use noctop::series::Timestamp;
use rustix::process::Signal;

use crate::pty::{SOON, Terminal};
use crate::support::*;

/// How long the end may take once there is a reason for it.
const GONE: Duration = Duration::from_secs(2);
const SHELL: &str = "/bin/sh";
/// Names the place of a console with a fault to the process that is to be one.
const FAULTY: &str = "NOCTOP_TEST_FAULTY";

/// Hourly rows of a few quiet interfaces.
fn place() -> Place {
    let place = Place::new();
    let rows: String = (0..4).map(|n| rhythm("core-1", &format!("xe-{n}"), 100, n, |_, v| v)).collect();
    place.put("r.csv", &rows);
    place
}

/// Whether all rows are on the screen.
fn settled(text: &str) -> bool {
    text.contains("xe-3") && text.contains("data ends 2026-01-") && text.contains("quit")
}

/// The console on those rows, once all of them are on the screen.
fn started(size: (u16, u16)) -> (Place, Terminal) {
    let place = place();
    let terminal = Terminal::start(&place, size, &["rows"]);
    terminal.shows("the interfaces", SOON, settled);
    (place, terminal)
}

#[test]
fn a_frame_stands_a_key_is_answered_and_a_key_ends_it() {
    for size in [(80, 24), (200, 50)] {
        let place = place();
        let mut terminal = Terminal::start(&place, size, &["rows"]);
        terminal.shows("the first frame", SOON, settled);
        let marked = |text: &str| text.lines().position(|line| line.starts_with('>'));
        let first = marked(&terminal.text()).expect("a line is chosen");
        terminal.press("j");
        terminal.shows("the next line is chosen", SOON, |text| marked(text) == Some(first + 1));
        terminal.press("q");
        assert_eq!(terminal.end(GONE), 0);
        terminal.is_given_back();
    }
}

#[test]
fn the_modes_of_the_line_are_as_before() {
    let (_place, mut terminal) = started((100, 30));
    let raw = terminal.modes();
    assert!(raw.contains("Some") && !raw.contains("ECHO |"), "{raw}");
    terminal.press("q");
    assert_eq!(terminal.end(GONE), 0);
    terminal.is_given_back();
    let restored = terminal.modes();
    assert!(restored.contains("ECHO |") && restored.contains("ICANON"), "{restored}");
}

#[test]
fn a_signal_ends_it_and_gives_the_terminal_back() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130), (Signal::QUIT, 131)] {
        let place = Place::new();
        let mut terminal = Terminal::start(&place, (80, 24), &["demo", "--every", "300"]);
        terminal.shows("a frame with rows", SOON, |text| text.contains("xe-") || text.contains("ge-"));
        terminal.signal(signal);
        assert_eq!(terminal.end(GONE), code);
        terminal.is_given_back();
        assert_eq!(std::fs::read_dir(place.temporary()).unwrap().count(), 0, "the demo leaves no files");
    }
    let (_place, mut terminal) = started((80, 24));
    terminal.press("\x03");
    assert_eq!(terminal.end(GONE), 0, "ctrl-c is a key");
    terminal.is_given_back();
}

#[test]
fn it_ends_when_the_terminal_goes_away() {
    let place = Place::new();
    let mut terminal = Terminal::start(&place, (80, 24), &["demo", "--every", "200"]);
    terminal.shows("a frame with rows", SOON, |text| text.contains("xe-") || text.contains("ge-"));
    terminal.hang_up();
    assert_eq!(terminal.end(GONE), 129);
    assert_eq!(std::fs::read_dir(place.temporary()).unwrap().count(), 0, "the demo leaves no files");
}

#[test]
fn it_ends_with_its_terminal_where_nobody_hears_the_hang_up() {
    let place = place();
    // as under nohup, and in a session whose leader ignores the signal
    let command = format!("trap '' HUP; exec '{}' rows", env!("CARGO_BIN_EXE_noctop"));
    let mut terminal = Terminal::start_program(&place, (80, 24), &[], Path::new(SHELL), &["-c", &command]);
    terminal.shows("the interfaces", SOON, settled);
    terminal.hang_up();
    assert_eq!(terminal.end(GONE), 129);
}

#[test]
fn a_shell_stops_and_continues_it() {
    let place = place();
    let environment = [("PS1", "prompt> "), ("ENV", "")];
    let mut terminal = Terminal::start_program(&place, (80, 24), &environment, Path::new(SHELL), &["-i"]);
    terminal.shows("a prompt", SOON, |text| text.contains("prompt>"));
    terminal.press(&format!("set -m; '{}' rows\r", env!("CARGO_BIN_EXE_noctop")));
    for _ in 0..2 {
        terminal.shows("the interfaces", SOON, settled);
        terminal.press("\x1a");
        terminal.shows("the prompt again", SOON, |text| text.contains("prompt>") && !text.contains("xe-3"));
        terminal.is_given_back_with();
        let cooked = terminal.modes();
        terminal.press("fg\r");
        terminal.shows("the interfaces again", SOON, settled);
        assert_ne!(terminal.modes(), cooked, "keys come one by one again");
    }
    terminal.press("q");
    terminal.shows("the prompt at last", SOON, |text| text.contains("prompt>") && !text.contains("xe-3"));
    terminal.is_given_back_with();
    terminal.press("exit $?\r");
    assert_eq!(terminal.end(SOON), 0);
}

#[test]
fn where_no_shell_could_continue_it_it_does_not_stop() {
    let (_place, mut terminal) = started((80, 24));
    terminal.press("\x1a");
    terminal.shows("that it goes on", SOON, |text| text.contains("no shell that could continue"));
    terminal.press("q");
    assert_eq!(terminal.end(GONE), 0);
    terminal.is_given_back();
}

#[test]
fn a_storm_of_sizes_ends_in_a_whole_screen() {
    let (_place, mut terminal) = started((80, 24));
    for n in 0..200_u16 {
        terminal.resize((1 + n * 37 % 180, 1 + n * 23 % 60));
        if n % 10 == 0 {
            terminal.press("j");
        }
    }
    terminal.resize((100, 30));
    let whole = |text: &str| {
        let lines: Vec<&str> = text.lines().collect();
        lines.len() == 30 && lines[0].contains("noctop") && lines[29].contains("quit") && settled(text)
    };
    // what this side took in between two sizes may be cut: a repaint is what it must look like
    terminal.shows("the last size", SOON, |text| text.lines().count() == 30 || text.contains("quit"));
    terminal.press("\x0c");
    let text = terminal.shows("a whole screen", SOON, whole);
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    terminal.press("q");
    assert_eq!(terminal.end(GONE), 0);
    terminal.is_given_back();
}

/// A console with a fault: a program for the test below, which starts this binary in a terminal. Whatever name is in
/// the environment names where the fault is; it comes once a file says so, so that the console stands by then.
#[test]
#[ignore = "a program that another test starts in a terminal"]
fn a_console_with_a_fault() {
    let Some(whose) = std::env::var_os(FAULTY) else { return };
    let come = || wait_for("the word for it", LONG, || Path::new("fault").exists().then_some(()));
    let (handle, _engine) = watching_dir("rows".into(), WatchOptions::default());
    if whose == "drawing" {
        // what it draws is made by this test: in the end a moment that cannot be subtracted from
        let (own, publisher) = pair(handle.snapshot().as_ref().clone());
        std::thread::spawn(move || {
            wait_for("all rows", SOON, || handle.snapshot().source.loading.is_none().then_some(()));
            publisher.publish(handle.snapshot());
            come();
            let never = Timestamp::from_seconds(i64::MIN);
            publisher.publish(Arc::new(Snapshot { now: Some(never), ..handle.snapshot().as_ref().clone() }));
            // the console must not end because nobody is at the other end
            std::thread::sleep(SOON);
        });
        console::run(own, Options::default()).unwrap();
    } else {
        std::thread::spawn(move || {
            come();
            panic!("a fault that was asked for");
        });
        console::run(handle, Options::default()).unwrap();
    }
    panic!("the console ended by itself");
}

#[test]
fn a_panic_gives_the_terminal_back_and_is_told_whichever_thread_it_is_in() {
    let binary = std::env::current_exe().unwrap();
    let args = ["--ignored", "--exact", "life::a_console_with_a_fault", "--nocapture"];
    for (whose, said) in [("drawing", "overflow"), ("other", "a fault that was asked for")] {
        let place = place();
        let mut terminal = Terminal::start_program(&place, (100, 24), &[(FAULTY, whose)], &binary, &args);
        terminal.shows("the interfaces", SOON, settled);
        std::fs::write(place.join("fault"), "").unwrap();
        assert_eq!(terminal.end(GONE), 101, "{whose}");
        let left = terminal.is_given_back_with();
        assert!(left.contains("panicked at") && left.contains(said), "{whose}: {left}");
        let modes = terminal.modes();
        assert!(modes.contains("ECHO |") && modes.contains("ICANON"), "{whose}: {modes}");
    }
}
