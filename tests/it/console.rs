//! The console in a real terminal: a pseudo-terminal, and a screen that is made of its bytes.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::*;

const SOON: Duration = Duration::from_secs(20);

/// A terminal with noctop in it. Dropping it kills the program.
pub(crate) struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    seen: Arc<Mutex<(vt100::Parser, Vec<u8>)>>,
    hung_up: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    pub(crate) fn start(place: &Place, size: (u16, u16), args: &[&str]) -> Self {
        Self::start_in(place, size, &[], args)
    }

    /// The same with other things in the environment.
    pub(crate) fn start_in(place: &Place, size: (u16, u16), environment: &[(&str, &str)], args: &[&str]) -> Self {
        let (cols, rows) = size;
        let size = PtySize { rows, cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_noctop"));
        command.env_clear();
        place.environment().into_iter().for_each(|(name, value)| command.env(name, value));
        command.env("TERM", "xterm-256color");
        environment.iter().for_each(|(name, value)| command.env(name, value));
        command.cwd(place.path());
        command.args(args);
        let child = pair.slave.spawn_command(command).unwrap();
        let (rows, cols) = (NonZeroU16::new(rows).unwrap(), NonZeroU16::new(cols).unwrap());
        let seen = Arc::new(Mutex::new((vt100::Parser::new(rows, cols, 0), Vec::new())));
        let hung_up = Arc::new(AtomicBool::new(false));
        let mut output = pair.master.try_clone_reader().unwrap();
        let (screen, stop) = (seen.clone(), hung_up.clone());
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            while let Ok(n @ 1..) = output.read(&mut buffer) {
                let mut screen = screen.lock().unwrap();
                screen.0.process(&buffer[..n]);
                screen.1.extend_from_slice(&buffer[..n]);
                if stop.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { child, master: Some(pair.master), keys: Some(keys), seen, hung_up, reader: Some(reader) }
    }

    pub(crate) fn text(&self) -> String {
        self.seen.lock().unwrap().0.screen().contents()
    }

    /// All that was sent so far.
    pub(crate) fn sent(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap().1).into_owned()
    }

    /// Waits until the screen is as wanted, and gives its text.
    #[track_caller]
    pub(crate) fn shows(&self, what: &str, limit: Duration, wanted: impl Fn(&str) -> bool) -> String {
        let until = Instant::now() + limit;
        loop {
            let text = self.text();
            if wanted(&text) {
                return text;
            }
            assert!(Instant::now() < until, "{what}: not within {limit:?}, but\n{text}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn press(&mut self, key: &str) {
        let keys = self.keys.as_mut().unwrap();
        keys.write_all(key.as_bytes()).unwrap();
        keys.flush().unwrap();
    }

    fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.process_id().unwrap() as i32).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the end; gives the exit code.
    #[track_caller]
    pub(crate) fn end(&mut self, limit: Duration) -> u32 {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                if let Some(reader) = self.reader.take() {
                    reader.join().unwrap();
                }
                assert_eq!(status.signal(), None, "ended by a signal rather than by itself");
                return status.exit_code();
            }
            assert!(Instant::now() < until, "still running after {limit:?}\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether the terminal was given back: the screen that was there, a cursor, colours as they were.
    #[track_caller]
    fn is_given_back(&self) {
        let seen = self.seen.lock().unwrap();
        assert!(!seen.0.screen().alternate_screen(), "the alternate screen is still shown");
        assert!(!seen.0.screen().hide_cursor(), "the cursor is still hidden");
        assert_eq!(seen.0.screen().contents().trim(), "", "something was left on the normal screen");
        let last = |sequence: &[u8]| seen.1.windows(sequence.len()).rposition(|bytes| bytes == sequence);
        let (entered, left) = (last(b"\x1b[?1049h").unwrap(), last(b"\x1b[?1049l").expect("left"));
        let (hidden, shown) = (last(b"\x1b[?25l").unwrap(), last(b"\x1b[?25h").expect("shown"));
        assert!(entered < left && hidden < shown);
        assert!(last(b"\x1b[?1000h").is_none(), "the mouse stays the user's");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

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
fn the_modes_of_the_line_are_as_before() {
    let place = Place::new();
    place.put("r.csv", &rhythm("core-1", "xe-0", 100, 1, |_, v| v));
    let mut terminal = Terminal::start(&place, (100, 30), &["rows"]);
    terminal.shows("the interface", SOON, |text| text.contains("core-1") && text.contains("data ends 2026-01-"));
    let modes = |terminal: &Terminal| format!("{:?}", terminal.master.as_ref().unwrap().get_termios());
    let raw = modes(&terminal);
    assert!(raw.contains("Some") && !raw.contains("ECHO |"), "{raw}");
    terminal.press("q");
    assert_eq!(terminal.end(Duration::from_secs(3)), 0);
    terminal.is_given_back();
    let restored = modes(&terminal);
    assert!(restored.contains("ECHO |") && restored.contains("ICANON"), "{restored}");
}

#[test]
fn a_signal_ends_it_and_gives_the_terminal_back() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let place = Place::new();
        let mut terminal = Terminal::start(&place, (80, 24), &["demo", "--every", "300"]);
        terminal.shows("a frame with rows", SOON, |text| text.contains("xe-") || text.contains("ge-"));
        terminal.signal(signal);
        assert_eq!(terminal.end(Duration::from_secs(3)), code);
        terminal.is_given_back();
        assert_eq!(std::fs::read_dir(place.temporary()).unwrap().count(), 0, "the demo leaves no files");
    }
}

#[test]
fn it_ends_when_the_terminal_goes_away() {
    let place = Place::new();
    let mut terminal = Terminal::start(&place, (80, 24), &["demo", "--every", "200"]);
    terminal.shows("a frame with rows", SOON, |text| text.contains("xe-") || text.contains("ge-"));
    // The line is down when the last handle on this side is closed; the reader's goes with its next bytes.
    terminal.hung_up.store(true, Ordering::Relaxed);
    terminal.reader.take().unwrap().join().unwrap();
    terminal.keys = None;
    terminal.master = None;
    assert_eq!(terminal.end(Duration::from_secs(3)), 129);
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
