//! Signals: the end, a new size, stop and continue; and a clock that ends a program that hangs.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::{Handle, Signals};

use super::session::Input;
use super::terminal::Terminal;

/// How long the program may take to end by itself.
const GRACE: Duration = Duration::from_millis(1500);
/// How long giving the terminal back may take after that: a line that is stuck takes no bytes.
const LAST_GRACE: Duration = Duration::from_millis(200);

/// Listens until it is dropped.
#[derive(Debug)]
pub struct Listener {
    handle: Handle,
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.handle.close();
    }
}

/// Starts to listen on a thread of its own, which never waits for the one that draws.
pub fn listen(inputs: Sender<Input>, terminal: Arc<Terminal>) -> io::Result<Listener> {
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH])?;
    let handle = signals.handle();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let input = match signal {
                SIGWINCH => Input::Resized,
                SIGCONT => Input::Continued,
                SIGTSTP => Input::Stop,
                _ => {
                    end_soon(128 + signal, terminal.clone());
                    Input::Signal(signal)
                }
            };
            // where the thread that draws hangs and its channel is full, the clock is what ends it
            let _ = inputs.try_send(input);
        }
    })?;
    Ok(Listener { handle })
}

/// Ends the process with `code` in a moment, if it has not ended by itself until then.
pub fn end_soon(code: i32, terminal: Arc<Terminal>) {
    let clock = thread::Builder::new().name("end".to_owned()).spawn(move || {
        thread::sleep(GRACE);
        let (done, wait) = bounded(1);
        let restorer = thread::Builder::new().name("restore".to_owned()).spawn(move || {
            terminal.give_back();
            let _ = done.send(());
        });
        if restorer.is_ok() {
            let _ = wait.recv_timeout(LAST_GRACE);
        }
        signal_hook::low_level::exit(code);
    });
    if clock.is_err() {
        signal_hook::low_level::exit(code);
    }
}

/// Whether somebody would continue this process if it stopped: a shell with job control.
///
/// The kernel does not let the default action of SIGTSTP stop a process group that nobody can
/// continue; a program that handles the signal has to look for itself. Where there is no `/proc` to
/// look into, a shell is assumed.
pub fn can_be_continued() -> bool {
    let Some(own) = Stat::of("self") else { return true };
    let mut parent = own.parent;
    // a wrapper such as `sh -c` or `time` is in the same group: its parent counts
    for _ in 0..64 {
        let Some(stat) = Stat::of(&parent.to_string()) else { return false };
        if stat.session != own.session {
            return false;
        }
        if stat.group != own.group {
            return true;
        }
        parent = stat.parent;
    }
    false
}

/// A few fields of `/proc/PID/stat`.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: u32,
    group: u32,
    session: u32,
}

impl Stat {
    fn of(pid: &str) -> Option<Self> {
        Self::parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(text: &str) -> Option<Self> {
        // the name stands in brackets and may hold anything
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace().skip(1);
        let mut next = || fields.next()?.parse().ok();
        Some(Self { parent: next()?, group: next()?, session: next()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_may_hold_brackets() {
        let want = Stat { parent: 12, group: 34, session: 56 };
        assert_eq!(Stat::parse("99 (a) b (c)) S 12 34 56 0 -1"), Some(want));
        assert_eq!(Stat::parse("99 nothing"), None);
    }
}
