//! A pseudo-terminal with a program in it, and a screen that is made of what the program sends.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::*;

/// How long a screen may take on a machine with other work.
pub(crate) const SOON: Duration = Duration::from_secs(20);

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
        Self::start_program(place, size, environment, Path::new(env!("CARGO_BIN_EXE_noctop")), args)
    }

    /// The same with another program: a shell, or this test's own binary.
    pub(crate) fn start_program<S: AsRef<OsStr>>(
        place: &Place,
        size: (u16, u16),
        environment: &[(&str, &str)],
        program: &Path,
        args: &[S],
    ) -> Self {
        let (cols, rows) = size;
        let pair = native_pty_system().openpty(pty_size(size)).unwrap();
        let mut command = CommandBuilder::new(program);
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

    /// Gives it another size; the program is told so.
    pub(crate) fn resize(&self, size: (u16, u16)) {
        let (cols, rows) = size;
        self.seen
            .lock()
            .unwrap()
            .0
            .screen_mut()
            .set_size(NonZeroU16::new(rows).unwrap(), NonZeroU16::new(cols).unwrap());
        self.master.as_ref().unwrap().resize(pty_size(size)).unwrap();
    }

    /// Closes this side of it, as when a connection is lost.
    pub(crate) fn hang_up(&mut self) {
        // the line is down when the last handle on this side is closed; the reader's goes with its next
        // bytes, and a repaint brings some
        self.hung_up.store(true, Ordering::Relaxed);
        self.press("\x0c");
        self.reader.take().unwrap().join().unwrap();
        self.keys = None;
        self.master = None;
    }

    /// The modes of the line.
    pub(crate) fn modes(&self) -> String {
        format!("{:?}", self.master.as_ref().unwrap().get_termios())
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(self.child.process_id().unwrap() as i32).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the end; gives the exit code.
    #[track_caller]
    pub(crate) fn end(&mut self, limit: Duration) -> u32 {
        let status = self.end_of_any_kind(limit);
        assert_eq!(status.signal(), None, "ended by a signal rather than by itself");
        status.exit_code()
    }

    /// Waits for the end, be it by a signal that nobody handled.
    #[track_caller]
    pub(crate) fn end_of_any_kind(&mut self, limit: Duration) -> ExitStatus {
        let until = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                if let Some(reader) = self.reader.take() {
                    reader.join().unwrap();
                }
                return status;
            }
            assert!(Instant::now() < until, "still running after {limit:?}\n{}", self.text());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether the terminal was given back: the screen that was there, a cursor, colours as they were.
    #[track_caller]
    pub(crate) fn is_given_back(&self) {
        assert_eq!(self.is_given_back_with(), "", "something was left on the normal screen");
    }

    /// The same; gives what stands on the screen.
    #[track_caller]
    pub(crate) fn is_given_back_with(&self) -> String {
        let seen = self.seen.lock().unwrap();
        assert!(!seen.0.screen().alternate_screen(), "the alternate screen is still shown");
        assert!(!seen.0.screen().hide_cursor(), "the cursor is still hidden");
        let last = |sequence: &[u8]| seen.1.windows(sequence.len()).rposition(|bytes| bytes == sequence);
        let (entered, left) = (last(b"\x1b[?1049h").unwrap(), last(b"\x1b[?1049l").expect("left"));
        let (hidden, shown) = (last(b"\x1b[?25l").unwrap(), last(b"\x1b[?25h").expect("shown"));
        assert!(entered < left && hidden < shown);
        assert!(last(b"\x1b[?1000h").is_none(), "the mouse stays the user's");
        seen.0.screen().contents().trim().to_owned()
    }
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
