//! Runs a program when an incident rings, is acknowledged, closes, goes on or is taken back, with the incident
//! as JSON on its standard input.
//!
//! Nothing waits for it: calls go through a bounded queue to a few threads, a program that takes too
//! long is killed with all that it started, and what goes wrong is told as a notice.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use rustix::process::{Pid, Signal, kill_process_group};

use super::herald::{Event, News, NewsForm};
use crate::ingest::Notice;
use crate::random::fnv1a;

/// Programs that run at once.
const AT_ONCE: usize = 2;
/// Calls that may wait for each.
const QUEUE: usize = 500;
/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(30);
/// How long it may take once noctop ends: less than the second and a half that a signal leaves noctop, or what it
/// started would be left behind.
const GOODBYE: Duration = Duration::from_secs(1);
/// Time between two looks whether a program has ended.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of its complaints that are shown.
const SHOWN: usize = 200;

/// Hands on what there is to tell.
#[derive(Debug)]
pub struct Hook {
    /// A queue for each thread. All of one interface is in one of them: a pager must not hear of an end first.
    calls: Vec<Sender<NewsForm>>,
    failures: Receiver<String>,
    /// By when all must have ended, once noctop ends.
    end: Arc<OnceLock<Instant>>,
    threads: Vec<JoinHandle<()>>,
    path: Arc<PathBuf>,
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
        let (fail, failures) = bounded(QUEUE);
        let end = Arc::new(OnceLock::new());
        let (mut threads, mut calls) = (Vec::new(), Vec::new());
        for _ in 0..AT_ONCE {
            let (call, queue) = bounded::<NewsForm>(QUEUE);
            calls.push(call);
            let (command, fail, end) = (command.to_owned(), fail.clone(), end.clone());
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
        Ok(Self { calls, failures, end, threads, path })
    }

    /// Calls the program for what is new: where somebody is to be called, where one is acknowledged, and for what
    /// becomes of those that it was told of. What is open comes first: it is what somebody can mend. Gives a word
    /// where there was too much.
    pub fn tell(&self, news: &[News]) -> Option<Notice> {
        let event = |news: &News| match news.event {
            _ if news.calls => Some(Event::Rings),
            Event::Acknowledged => Some(Event::Acknowledged),
            event @ (Event::Reopened | Event::Closed | Event::Withdrawn | Event::Moved) => news.called.then_some(event),
            Event::Opened | Event::Rings => None,
        };
        let (open, over): (Vec<&News>, Vec<&News>) = news.iter().partition(|news| news.incident.end.is_none());
        let is_left_out = |news: &&&News| {
            let Some(event) = event(news) else { return false };
            let name = fnv1a(news.incident.name.to_string().as_bytes());
            let queue = self.calls.get(name as usize % AT_ONCE);
            queue.is_none_or(|queue| queue.try_send(NewsForm::new(event, news)).is_err())
        };
        let dropped = open.iter().chain(&over).filter(is_left_out).count();
        (dropped > 0).then(|| self.notice(format!("{dropped} calls were left out: {QUEUE} wait already")))
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
        self.calls.clear();
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
            let (mut stderr, mut text) = (stderr, Vec::new());
            let _ = stderr.by_ref().take(SHOWN as u64).read_to_end(&mut text);
            let _ = said.send(String::from_utf8_lossy(&text).trim().replace('\n', " "));
            // A program that writes on would be killed by a pipe that nobody reads.
            let _ = std::io::copy(&mut stderr, &mut std::io::sink());
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
    fn one_that_says_much_is_not_killed_for_it_and_its_beginning_is_told() {
        let much = "for i in $(seq 4000); do echo 'a page that says much'; done >&2";
        assert_eq!(run(much, b"{}", LIMIT), None);
        let why = run(&format!("{much}; exit 3"), b"{}", LIMIT).unwrap();
        assert!(why.contains("exit status: 3: a page that says much a page") && why.len() < 400, "{why}");
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
