//! Taking the terminal, and giving it back as it was found, whatever happens.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::panic::{self, PanicHookInfo};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use std::thread;
use std::time::{Duration, Instant};

use crossterm::cursor::{Hide, Show};
use crossterm::queue;
use crossterm::style::ResetColor;
use crossterm::terminal::{
    BeginSynchronizedUpdate, EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
    enable_raw_mode,
};

use crate::engine::THREADS_THAT_CATCH;

/// Presses and the wheel, with numbers for places; not every move of the mouse, as crossterm would ask for.
const TAKE_MOUSE: &[u8] = b"\x1b[?1000h\x1b[?1006h";
const GIVE_MOUSE_BACK: &[u8] = b"\x1b[?1006l\x1b[?1000l";
/// What a shell sees of a Rust program that panicked.
const PANICKED: i32 = 101;
/// How long a frame that is being sent may hold up the giving back.
const PATIENCE: Duration = Duration::from_millis(100);

/// The terminal, for every thread that may have to give it back.
#[derive(Debug)]
pub struct Terminal {
    file: File,
    /// Whether the mouse is taken with it.
    mouse: bool,
    taken: AtomicBool,
    sending: Mutex<()>,
}

impl Terminal {
    /// The terminal on standard output. Its own handle and not the shared one of the standard
    /// library: that one has a lock that a thread may hold for as long as the line is stuck.
    pub fn open(mouse: bool) -> io::Result<Arc<Self>> {
        let file = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(Arc::new(Self { file, mouse, taken: AtomicBool::new(false), sending: Mutex::new(()) }))
    }

    /// Takes it: keys come one by one, and what was on the screen is put aside.
    pub fn take(&self) -> io::Result<()> {
        // after a stop the shell has changed the modes, and crossterm does not know
        disable_raw_mode()?;
        enable_raw_mode()?;
        self.taken.store(true, Ordering::SeqCst);
        let mut bytes = Vec::new();
        queue!(bytes, EnterAlternateScreen, Hide)?;
        if self.mouse {
            bytes.extend_from_slice(TAKE_MOUSE);
        }
        (&self.file).write_all(&bytes)
    }

    /// Gives it back, if it is taken. It may be gone: then there is nobody to give it back to.
    pub fn give_back(&self) {
        if !self.taken.swap(false, Ordering::SeqCst) {
            return;
        }
        let _nothing_is_sent = self.wait_for_frame();
        let mut bytes = Vec::new();
        if self.mouse {
            bytes.extend_from_slice(GIVE_MOUSE_BACK);
        }
        // writing to memory does not fail
        let _ = queue!(bytes, EndSynchronizedUpdate, ResetColor, Show, LeaveAlternateScreen);
        let _ = (&self.file).write_all(&bytes);
        let _ = disable_raw_mode();
    }

    fn wait_for_frame(&self) -> Option<MutexGuard<'_, ()>> {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.sending.try_lock() {
                Ok(guard) => return Some(guard),
                Err(TryLockError::Poisoned(guard)) => return Some(guard.into_inner()),
                Err(TryLockError::WouldBlock) if Instant::now() >= until => return None,
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(5)),
            }
        }
    }

    /// Sends bytes in one piece, unless the terminal is somebody else's by now.
    pub fn send(&self, bytes: &[u8]) -> io::Result<()> {
        let _sending = self.sending.lock();
        if !self.taken.load(Ordering::SeqCst) {
            return Ok(());
        }
        (&self.file).write_all(bytes)
    }
}

/// Collects a frame and sends it as one synchronized update.
#[derive(Debug)]
pub struct Frames {
    terminal: Arc<Terminal>,
    bytes: Vec<u8>,
}

impl Frames {
    /// Frames for this terminal.
    pub fn new(terminal: Arc<Terminal>) -> Self {
        Self { terminal, bytes: Vec::new() }
    }
}

impl Write for Frames {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.is_empty() {
            queue!(self.bytes, BeginSynchronizedUpdate)?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        queue!(self.bytes, EndSynchronizedUpdate)?;
        let sent = self.terminal.send(&self.bytes);
        self.bytes.clear();
        sent
    }
}

type Hook = Arc<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// Holds the terminal. Gives it back when dropped, and before a panic of any thread is printed; such
/// a panic ends the program, since a console on a screen that is given back is no console. Only the
/// engine's helpers that catch their own panics go on being helpers.
pub struct Guard {
    terminal: Arc<Terminal>,
    before: Hook,
}

impl Guard {
    /// Takes the terminal.
    pub fn take(terminal: Arc<Terminal>) -> io::Result<Self> {
        let before: Hook = Arc::from(panic::take_hook());
        let (own, then) = (terminal.clone(), before.clone());
        panic::set_hook(Box::new(move |info| {
            if thread::current().name().is_some_and(|name| THREADS_THAT_CATCH.contains(&name)) {
                // it is caught there and comes with a snapshot, in words
                return;
            }
            own.give_back();
            then(info);
            signal_hook::low_level::exit(PANICKED);
        }));
        let guard = Self { terminal, before };
        guard.terminal.take()?;
        Ok(guard)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.terminal.give_back();
        if !thread::panicking() {
            let before = self.before.clone();
            panic::set_hook(Box::new(move |info| before(info)));
        }
    }
}
