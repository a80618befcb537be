//! The loop: waits for keys, pictures, signals and time; takes all that has come; draws once.

use std::path::Path;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, after, never, select};
use ratatui::backend::Backend;

use super::app::App;
use super::decode::Mouse;
use super::event::{Effect, Event};
use super::key::Key;
use super::screen::Screen;
use crate::engine::Handle;

/// The least time between two frames that only new data asks for.
const DATA_FRAME: Duration = Duration::from_millis(100);
/// The same on a slow line.
const SLOW_DATA_FRAME: Duration = Duration::from_secs(2);

/// What comes from the terminal and from the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Input {
    /// A key.
    Key(Key),
    /// Something done with the mouse.
    Mouse(Mouse),
    /// The terminal has another size.
    Resized,
    /// Somebody asked the program to stop for a while.
    Stop,
    /// It goes on after a stop.
    Continued,
    /// A signal that ends the program.
    Signal(i32),
    /// There is no terminal any more.
    Gone,
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Somebody asked for it with a key.
    Quit,
    /// A signal.
    Signal(i32),
    /// The terminal went away.
    Gone,
}

/// What the loop needs of the system around it.
pub trait Host {
    /// What can go wrong: the same as with the backend.
    type Error;
    /// The moment.
    fn now(&self) -> Instant;
    /// The terminal's columns and rows.
    fn size(&mut self) -> Result<(u16, u16), Self::Error>;
    /// Takes the terminal.
    fn take(&mut self) -> Result<(), Self::Error>;
    /// Rings the terminal's bell.
    fn ring(&mut self) -> Result<(), Self::Error>;
    /// Asks the terminal to copy a text.
    fn copy(&mut self, text: &str) -> Result<(), Self::Error>;
    /// Writes a new file. What went wrong with it comes in words, and ends nothing.
    fn export(&mut self, path: &Path, text: &str) -> Result<(), String>;
    /// Asks that this program and those it was started together with stop, as Ctrl-Z does.
    fn ask_to_stop(&mut self);
    /// Gives the terminal back and stops. False, and the terminal is not given back, where nobody
    /// could continue the program.
    fn stop(&mut self) -> bool;
}

/// The loop's state besides the console's own.
struct Loop<'a, B: Backend, H> {
    screen: &'a mut Screen<B>,
    app: &'a mut App,
    handle: &'a Handle,
    host: &'a mut H,
    /// Whether something has happened since the last frame that has to be seen at once.
    urgent: bool,
    /// Whether there is a picture that was not taken yet.
    fresh: bool,
    /// From when on the next picture may be drawn.
    data_from: Instant,
}

/// Runs the console until it ends.
pub fn drive<B, H>(
    screen: &mut Screen<B>,
    app: &mut App,
    inputs: &Receiver<Input>,
    handle: &Handle,
    host: &mut H,
) -> Result<End, B::Error>
where
    B: Backend,
    H: Host<Error = B::Error>,
{
    let now = host.now();
    let mut state = Loop { screen, app, handle, host, urgent: false, fresh: false, data_from: now };
    state.screen.draw(state.app)?;
    // the first thing to ask for is the first detail
    state.event(Event::Tick)?;
    let gone = never();
    let mut wake = handle.wake();
    loop {
        let now = state.host.now();
        if state.fresh && now >= state.data_from {
            state.fresh = false;
            let pause = if state.app.options.slow_line { SLOW_DATA_FRAME } else { DATA_FRAME };
            state.data_from = now + pause;
            state.event(Event::Snapshot(handle.snapshot()))?;
            state.urgent = true;
        }
        if state.urgent {
            state.urgent = false;
            state.screen.draw(state.app)?;
        }
        let timer = state.timer(now);
        select! {
            recv(inputs) -> input => {
                // all senders gone is the same as the terminal gone
                let mut next = Some(input.unwrap_or(Input::Gone));
                while let Some(input) = next {
                    if let Some(end) = state.input(input)? {
                        return Ok(end);
                    }
                    next = inputs.try_recv().ok();
                }
            }
            recv(wake) -> message => match message {
                Ok(()) => state.fresh = true,
                Err(_) => {
                    wake = &gone;
                    // its last picture may not have been taken
                    state.event(Event::Snapshot(handle.snapshot()))?;
                    state.event(Event::EngineEnded)?;
                    state.urgent = true;
                }
            },
            recv(timer) -> _ => {
                state.event(Event::Tick)?;
                state.urgent = true;
            }
        }
    }
}

impl<B, H> Loop<'_, B, H>
where
    B: Backend,
    H: Host<Error = B::Error>,
{
    /// Until when to wait at the most.
    fn timer(&self, now: Instant) -> Receiver<Instant> {
        let data = self.fresh.then(|| self.data_from.saturating_duration_since(now));
        // a little late, so that the text has changed by then
        let tick = self.app.next_tick().map(|d| d + Duration::from_millis(5));
        data.into_iter().chain(tick).min().map_or_else(never, after)
    }

    fn input(&mut self, input: Input) -> Result<Option<End>, B::Error> {
        match input {
            Input::Key(key) => {
                self.urgent = true;
                if self.event(Event::Key(key))? {
                    return Ok(Some(End::Quit));
                }
            }
            Input::Mouse(mouse) => {
                self.urgent = true;
                self.event(Event::Mouse(mouse))?;
            }
            Input::Resized => self.resized()?,
            Input::Stop => {
                if !self.host.stop() {
                    self.app.message = Some("there is no shell that could continue this program".to_owned());
                    self.urgent = true;
                }
            }
            Input::Continued => {
                self.host.take()?;
                self.screen.forget();
                self.resized()?;
            }
            Input::Signal(signal) => return Ok(Some(End::Signal(signal))),
            Input::Gone => return Ok(Some(End::Gone)),
        }
        Ok(None)
    }

    fn resized(&mut self) -> Result<(), B::Error> {
        let (width, height) = self.host.size()?;
        self.event(Event::Resize(width, height))?;
        self.urgent = true;
        Ok(())
    }

    /// Gives an event to the console and does what it asks for. True where that is to end.
    fn event(&mut self, event: Event) -> Result<bool, B::Error> {
        let now = self.host.now();
        for effect in self.app.update(event, now) {
            match effect {
                Effect::Quit => return Ok(true),
                Effect::Suspend => self.host.ask_to_stop(),
                Effect::Repaint => self.screen.forget(),
                Effect::Ring => self.host.ring()?,
                Effect::Copy(text) => self.host.copy(&text)?,
                Effect::Export { path, text } => {
                    let result = self.host.export(&path, &text);
                    self.app.update(Event::Exported { path, result }, now);
                }
                Effect::Send(command) => {
                    // the answer to a key is not held back
                    self.data_from = now;
                    if !self.handle.send(command.clone()) {
                        self.app.update(Event::NotTaken(command), now);
                    }
                }
            }
        }
        Ok(false)
    }
}
