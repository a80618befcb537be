//! The screen: what the engine says, drawn on a terminal, and keys that ask the engine for something.
//!
//! One state ([`app`]), one kind of event ([`event`]), one table of keys ([`bindings`]). Events change
//! the state and give effects back; drawing ([`draw`]) reads the state and changes nothing. Neither
//! touches a terminal or a clock, so tests script keys, pictures, sizes and time, and look at every
//! cell. What does touch them stands at the edge: [`terminal`] takes it and gives it back, [`input`]
//! and [`signals`] listen, [`session`] is the loop, [`screen`] sends only what changed.

pub mod anomalies;
pub mod app;
pub mod bindings;
pub mod clipboard;
pub mod decode;
pub mod draw;
pub mod event;
pub mod export;
pub mod filter;
pub mod fleet;
pub mod glyph;
pub mod input;
pub mod key;
pub mod keymap;
pub mod layout;
pub mod picture;
pub mod ranking;
pub mod retrain;
pub mod screen;
pub mod scroll;
pub mod session;
pub mod signals;
pub mod sort;
pub mod spark;
pub mod story;
pub mod terminal;
pub mod theme;
pub mod viewpoint;
pub mod zone;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use crossbeam_channel::bounded;
use ratatui::backend::CrosstermBackend;

use crate::engine::Handle;
use app::App;
use keymap::Keymap;
use screen::Screen;
use session::{End, Host};
use terminal::{Frames, Guard, Terminal};
use theme::{Colors, Palette, Surroundings};
use zone::Zone;

/// How the console is to look and what it may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Options {
    /// Only ASCII characters.
    pub ascii: bool,
    /// Which colours.
    pub colors: Colors,
    /// Which look of them.
    pub palette: Palette,
    /// Whether an incident that rings rings the terminal's bell.
    pub bell: bool,
    /// Whether as little as can be is sent.
    pub slow_line: bool,
    /// Whether the mouse is the console's, which takes the selection of text from the terminal.
    pub mouse: bool,
    /// No key changes anything outside of the screen.
    pub read_only: bool,
    /// Which keys do what.
    pub keys: Keymap,
    /// The zone of all times on the screen.
    pub zone: Zone,
}

impl Options {
    /// As the environment of the terminal asks for.
    pub fn for_surroundings(surroundings: Surroundings) -> Self {
        Self { ascii: surroundings.ascii, colors: surroundings.colors, ..Self::default() }
    }
}

/// Why a console ended other than by a key.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// Standard output is a file or a pipe.
    #[error("standard output is not a terminal: ask for plain lines instead")]
    NotATerminal,
    /// The terminal could not be read, written or set up.
    #[error("the terminal does not work: {0}")]
    Terminal(#[from] io::Error),
    /// The terminal went away.
    #[error("the terminal is gone")]
    Gone,
    /// A signal ended it.
    #[error("ended by signal {0}")]
    Signal(i32),
}

impl ConsoleError {
    /// The exit code that a shell expects.
    pub fn exit_code(&self) -> i32 {
        match self {
            Self::NotATerminal | Self::Terminal(_) => 1,
            Self::Gone => 128 + signal_hook::consts::SIGHUP,
            Self::Signal(signal) => 128 + signal,
        }
    }

    /// Whether there is anything to tell somebody: not so where somebody asked for the end.
    pub fn is_silent(&self) -> bool {
        matches!(self, Self::Signal(_) | Self::Gone)
    }
}

/// Runs the console on the terminal until somebody quits. The terminal is given back as it was found
/// however this ends, and a panic of any thread ends the program.
///
/// # Errors
/// Where there is no terminal, where it fails or goes away, and where a signal ended the console.
pub fn run(handle: Handle, options: Options) -> Result<(), ConsoleError> {
    if !io::stdout().is_terminal() {
        return Err(ConsoleError::NotATerminal);
    }
    let terminal = Terminal::open(options.mouse)?;
    let (sender, inputs) = bounded(1024);
    let _signals = signals::listen(sender.clone(), terminal.clone())?;
    let guard = Guard::take(terminal.clone())?;
    input::listen(sender)?;
    let mut host = System { terminal: terminal.clone() };
    let size = host.size()?;
    let mut app = App::new(options, handle.snapshot(), size, Instant::now(), SystemTime::now().into());
    let mut screen = Screen::new(CrosstermBackend::new(Frames::new(terminal.clone())));
    let end = session::drive(&mut screen, &mut app, &inputs, &handle, &mut host);
    if matches!(end, Ok(End::Gone) | Err(_)) {
        // whatever hangs on to the terminal now must not keep the program alive
        signals::end_soon(ConsoleError::Gone.exit_code(), terminal);
    }
    drop(guard);
    match end {
        Ok(End::Quit) => Ok(()),
        Ok(End::Signal(signal)) => Err(ConsoleError::Signal(signal)),
        Ok(End::Gone) => Err(ConsoleError::Gone),
        // Whether the reader or a write is the first to notice is a matter of chance.
        Err(e) if is_hang_up(&e) => Err(ConsoleError::Gone),
        Err(e) => Err(e.into()),
    }
}

/// What a read or a write says of a terminal whose other end is closed.
fn is_hang_up(error: &io::Error) -> bool {
    let said = error.raw_os_error().map(rustix::io::Errno::from_raw_os_error);
    matches!(said, Some(rustix::io::Errno::IO | rustix::io::Errno::NXIO | rustix::io::Errno::PIPE))
}

/// The real terminal, clock and process.
struct System {
    terminal: Arc<Terminal>,
}

impl Host for System {
    type Error = io::Error;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn size(&mut self) -> io::Result<(u16, u16)> {
        let (width, height) = crossterm::terminal::size()?;
        // a terminal that does not know its size says 0
        Ok(if width == 0 || height == 0 { (80, 24) } else { (width, height) })
    }

    fn take(&mut self) -> io::Result<()> {
        self.terminal.take()
    }

    fn ring(&mut self) -> io::Result<()> {
        self.terminal.send(b"\x07")
    }

    fn copy(&mut self, text: &str) -> io::Result<()> {
        self.terminal.send(clipboard::osc52(text).as_bytes())
    }

    fn export(&mut self, path: &Path, text: &str) -> Result<(), String> {
        export::write(path, text)
    }

    fn ask_to_stop(&mut self) {
        // comes back as a signal; where it cannot be sent, nothing stops
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    }

    fn stop(&mut self) -> bool {
        if !signals::can_be_continued() {
            return false;
        }
        self.terminal.give_back();
        signal_hook::low_level::emulate_default_handler(signal_hook::consts::SIGTSTP).is_ok()
    }
}
