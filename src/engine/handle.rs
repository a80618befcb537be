//! The two ends between the engine's thread and a face: newest snapshot one way, commands the other.

use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};

use super::snapshot::{Command, Snapshot};

/// A face's end: reads the newest snapshot, sends commands. It never waits for the engine.
#[derive(Debug, Clone)]
pub struct Handle {
    newest: Arc<Mutex<Arc<Snapshot>>>,
    wake: Receiver<()>,
    commands: Sender<Command>,
}

/// The engine's end: publishes snapshots, receives commands.
#[derive(Debug)]
pub struct Publisher {
    newest: Arc<Mutex<Arc<Snapshot>>>,
    wake: Sender<()>,
    /// What the face asked for.
    pub commands: Receiver<Command>,
}

/// Both ends, with `first` as the snapshot until another one is published.
pub fn pair(first: Snapshot) -> (Handle, Publisher) {
    let newest = Arc::new(Mutex::new(Arc::new(first)));
    let (wake_tx, wake_rx) = bounded(1);
    let (command_tx, command_rx) = bounded(64);
    (
        Handle { newest: newest.clone(), wake: wake_rx, commands: command_tx },
        Publisher { newest, wake: wake_tx, commands: command_rx },
    )
}

impl Handle {
    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Receives something once for each time, or several times, that a new snapshot was published;
    /// disconnected when the engine has ended.
    pub fn wake(&self) -> &Receiver<()> {
        &self.wake
    }

    /// Sends a command. False when the engine is gone or has 64 unanswered ones.
    pub fn send(&self, command: Command) -> bool {
        self.commands.try_send(command).is_ok()
    }
}

impl Publisher {
    /// Makes `snapshot` the newest one. False when no face is left.
    pub fn publish(&self, snapshot: Arc<Snapshot>) -> bool {
        *self.newest.lock().unwrap_or_else(PoisonError::into_inner) = snapshot;
        !matches!(self.wake.try_send(()), Err(TrySendError::Disconnected(())))
    }
}
