//! What comes to the console, and what it asks for in return.

use std::path::PathBuf;
use std::sync::Arc;

use super::decode::Mouse;
use super::key::Key;
use crate::engine::{Command, Snapshot};

/// Something happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The engine has a newer picture.
    Snapshot(Arc<Snapshot>),
    /// The engine's thread has ended; no newer picture will come.
    EngineEnded,
    /// A key was pressed.
    Key(Key),
    /// Something was done with the mouse.
    Mouse(Mouse),
    /// The terminal has this size now: columns and rows.
    Resize(u16, u16),
    /// Nothing but time passed.
    Tick,
    /// A file was written, or why not.
    Exported {
        /// Which file.
        path: PathBuf,
        /// What came of it.
        result: Result<(), String>,
    },
    /// The engine did not take this command.
    NotTaken(Command),
}

/// Something to be done outside of the console's state.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Ask the engine.
    Send(Command),
    /// Ring the bell.
    Ring,
    /// Copy a text to where the terminal is.
    Copy(String),
    /// Write a new file.
    Export {
        /// Which file.
        path: PathBuf,
        /// What is to be in it.
        text: String,
    },
    /// Give the terminal back and stop, as Ctrl-Z means it.
    Suspend,
    /// Draw everything again, whatever the terminal shows.
    Repaint,
    /// End.
    Quit,
}
