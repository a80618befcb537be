//! Runs a program when an incident rings, is acknowledged, closes or is taken back, with the incident
//! as JSON on its standard input.
//!
//! Nothing waits for it: calls go through a bounded queue to a few threads, a program that takes too
//! long is killed with all that it started, and what goes wrong is told as a notice.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Serialize;

use super::core::Engine;
use super::form::IncidentForm;
use super::snapshot::{IncidentId, IncidentView};
use super::view::incident_view;
use crate::ingest::Notice;

/// Programs that run at once.
const AT_ONCE: usize = 2;
/// Calls that may wait.
const QUEUE: usize = 64;
/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How long it may take once noctop ends: less than the second and a half that a signal leaves noctop, or what it
/// started would be left behind.
const GOODBYE: Duration = Duration::from_secs(1);
/// Time between two looks whether a program has ended.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of its complaints that are shown.
const SHOWN: usize = 200;

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// It calls somebody: also once for each that does so when noctop starts.
    Rings,
    /// Somebody has acknowledged it.
    Acknowledged,
    /// It has ended, after it was told of in one of the ways above.
    Closed,
    /// A late or corrected row took it back, after it was told of.
    Withdrawn,
}

/// What a program reads.
#[derive(Debug, Clone, Serialize)]
struct Call {
    event: Event,
    #[serde(flatten)]
    incident: IncidentForm,
}

/// Finds what there is to tell, and hands it on.
#[derive(Debug)]
pub struct Hook {
    calls: Option<Sender<Call>>,
    failures: Receiver<String>,
    /// By when all must have ended, once noctop ends.
    end: Arc<OnceLock<Instant>>,
    threads: Vec<JoinHandle<()>>,
    open: HashMap<IncidentId, Known>,
    path: Arc<PathBuf>,
}

/// What was told of an open incident.
#[derive(Debug)]
struct Known {
    /// As it was when something was told of it last; none before.
    told: Option<IncidentView>,
    rang: bool,
    acknowledged: bool,
}

impl Hook {
    /// Runs `command` with the shell for each event.
    ///
    /// # Errors
    /// When there can be no threads.
    pub fn start(command: &str) -> std::io::Result<Self> {
        Self::with_limit(command, LIMIT)
    }

    fn with_limit(command: &str, limit: Duration) -> std::io::Result<Self> {
        let (calls, queue) = bounded::<Call>(QUEUE);
        let (fail, failures) = bounded(QUEUE);
        let end = Arc::new(OnceLock::new());
        let mut threads = Vec::new();
        for _ in 0..AT_ONCE {
            let (command, queue, fail, end) = (command.to_owned(), queue.clone(), fail.clone(), end.clone());
            let work = move || {
                for call in queue {
                    if end.get().is_some_and(|end| Instant::now() >= *end) {
                        return;
                    }
                    let mut json = serde_json::to_vec(&call).unwrap_or_default();
                    json.push(b'\n');
                    let failed = run(&command, json, limit, &end);
                    // Where failures are not fetched there are enough of them already.
                    failed.map(|why| fail.try_send(why));
                }
            };
            threads.push(std::thread::Builder::new().name("on-incident".into()).spawn(work)?);
        }
        let path = Arc::new(PathBuf::from("--on-incident"));
        Ok(Self { calls: Some(calls), failures, end, threads, open: HashMap::new(), path })
    }

    /// Tells what has happened since the last time. Gives a word where there was too much.
    pub fn see(&mut self, engine: &Engine) -> Option<Notice> {
        let mut dropped = 0;
        let mut tell = |event: Event, incident: &IncidentView| {
            let call = Call { event, incident: incident.into() };
            let sent = self.calls.as_ref().is_some_and(|calls| calls.try_send(call).is_ok());
            dropped += usize::from(!sent);
        };
        let mut before = std::mem::take(&mut self.open);
        let book = engine.book();
        for told in book.told() {
            let id = told.incident.id;
            if told.incident.end.is_some() {
                if before.remove(&id).is_some_and(|known| known.told.is_some()) {
                    tell(Event::Closed, &incident_view(engine, told));
                }
                continue;
            }
            let acknowledged = engine.marks().acknowledged(id).is_some();
            let rings = told.rings && !engine.is_attended(told);
            let mut known = before.remove(&id).unwrap_or(Known { told: None, rang: false, acknowledged: false });
            let news =
                [(Event::Rings, rings && !known.rang), (Event::Acknowledged, acknowledged && !known.acknowledged)];
            known.rang |= rings;
            known.acknowledged = acknowledged;
            for (event, _) in news.into_iter().filter(|(_, new)| *new) {
                let view = incident_view(engine, told);
                tell(event, &view);
                known.told = Some(view);
            }
            self.open.insert(id, known);
        }
        drop(book);
        before.values().filter_map(|known| known.told.as_ref()).for_each(|view| tell(Event::Withdrawn, view));
        let too_many = (dropped > 0).then(|| format!("{dropped} calls were left out: {QUEUE} wait already"));
        too_many.map(|message| self.notice(message))
    }

    /// Where what went wrong with a program is told.
    pub fn failures(&self) -> &Receiver<String> {
        &self.failures
    }

    /// What went wrong, for a person to read.
    pub fn notice(&self, message: String) -> Notice {
        Notice { path: self.path.clone(), message }
    }
}

impl Drop for Hook {
    fn drop(&mut self) {
        drop(self.calls.take());
        let _ = self.end.set(Instant::now() + GOODBYE);
        self.threads.drain(..).for_each(|thread| drop(thread.join()));
    }
}

/// Runs the program once. Gives what went wrong.
fn run(command: &str, json: Vec<u8>, limit: Duration, end: &OnceLock<Instant>) -> Option<String> {
    let mut program = Command::new("/bin/sh");
    program.args(["-c", command]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    // A group of its own: it ends whole, and a key for the terminal's own group does not reach it.
    program.process_group(0);
    let mut child = match program.spawn() {
        Ok(child) => child,
        Err(e) => return Some(format!("{command}: {e}")),
    };
    // A program that does not read, or leaves a child with the pipe, must hold up nobody.
    if let Some(mut stdin) = child.stdin.take() {
        std::thread::spawn(move || drop(stdin.write_all(&json)));
    }
    let (said, complaints) = bounded(1);
    if let Some(stderr) = child.stderr.take() {
        std::thread::spawn(move || {
            let mut text = Vec::new();
            let _ = stderr.take(SHOWN as u64).read_to_end(&mut text);
            let _ = said.send(String::from_utf8_lossy(&text).trim().replace('\n', " "));
        });
    }
    let ended = wait(&mut child, limit, end);
    let why = match ended {
        Ok(status) if status.success() => return None,
        Ok(status) => status.to_string(),
        Err(why) => why,
    };
    let complaint = complaints.recv_timeout(LOOK * 10).unwrap_or_default();
    let colon = if complaint.is_empty() { "" } else { ": " };
    Some(format!("{command}: {why}{colon}{complaint}"))
}

/// Waits for its end, and kills it when its time is up.
fn wait(child: &mut Child, limit: Duration, end: &OnceLock<Instant>) -> Result<std::process::ExitStatus, String> {
    let until = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
            return Ok(status);
        }
        if Instant::now() >= end.get().map_or(until, |end| until.min(*end)) {
            // Its first process leads the group and is not waited for yet, so the number is still its own.
            let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
            let _ = child.wait();
            return Err("killed, since it took too long".to_owned());
        }
        std::thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: Duration = Duration::from_millis(300);

    fn run(command: &str, json: &[u8], limit: Duration) -> Option<String> {
        super::run(command, json.to_vec(), limit, &OnceLock::new())
    }

    #[test]
    fn a_program_reads_the_incident() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("got");
        assert_eq!(run(&format!("cat > '{}'", file.display()), b"{\"a\":1}\n", LIMIT), None);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "{\"a\":1}\n");
    }

    #[test]
    fn one_that_fails_is_told_of_with_what_it_said() {
        let why = run("echo no such pager >&2; exit 3", b"{}", LIMIT).unwrap();
        assert!(why.contains("exit status: 3") && why.ends_with(": no such pager"), "{why}");
        assert!(run("/no/such/program", b"{}", LIMIT).unwrap().contains("127"));
    }

    #[test]
    fn one_that_takes_too_long_is_killed_with_what_it_started() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pid");
        let start = Instant::now();
        let why = run(&format!("sleep 600 & echo $! > '{}'; wait", file.display()), b"{}", QUICK).unwrap();
        assert!(why.contains("killed") && start.elapsed() < Duration::from_secs(20), "{why}");
        let pid: i32 = std::fs::read_to_string(&file).unwrap().trim().parse().unwrap();
        // Gone, or dead and not yet waited for by whoever takes orphans. A killed process takes a moment to die.
        let state = || std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let is_dead = |state: &str| state.is_empty() || state.contains(") Z ");
        while !is_dead(&state()) {
            assert!(start.elapsed() < Duration::from_secs(30), "still there: {}", state());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    #[test]
    fn one_that_does_not_read_or_keeps_the_pipes_holds_nobody_up() {
        let large = vec![b'x'; 1 << 20];
        assert_eq!(run("exit 0", &large, LIMIT), None);
        let why = run("sleep 600", &large, QUICK).unwrap();
        assert!(why.contains("killed"), "{why}");
    }

    #[test]
    fn when_noctop_ends_a_program_has_little_time_left() {
        let end = OnceLock::new();
        end.set(Instant::now()).unwrap();
        let start = Instant::now();
        assert!(super::run("sleep 600", Vec::new(), LIMIT, &end).unwrap().contains("killed"));
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}
