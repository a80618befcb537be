//! What the list of interfaces is sorted by.

use std::cmp::Ordering;
use std::sync::Arc;

use super::fleet::Lines;
use crate::engine::{DeviceView, InterfaceState, InterfaceView, Snapshot};

/// What the list is sorted by: each column, and the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Worst first.
    #[default]
    Score,
    /// Largest error first, up or down; devices by how many of their interfaces have an open incident.
    Error,
    /// Largest load first.
    Load,
    /// By host.
    Name,
    /// By interface; devices by how many they have.
    Interface,
    /// Worst state first, and of one state what has been in it longest.
    State,
    /// What uses most of its speed first, where the inventory knows that.
    Use,
}

impl Sort {
    /// The next one.
    pub fn next(self) -> Self {
        match self {
            Self::Score => Self::Error,
            Self::Error => Self::Load,
            Self::Load => Self::Name,
            Self::Name => Self::Interface,
            Self::Interface => Self::State,
            Self::State => Self::Use,
            Self::Use => Self::Score,
        }
    }

    /// What it is called.
    pub fn word(self, lines: Lines) -> &'static str {
        match (self, lines) {
            (Self::Score, _) => "score",
            (Self::Error, Lines::Interfaces) => "error",
            (Self::Error, Lines::Devices) => "open",
            (Self::Load, _) => "load",
            (Self::Name, _) => "host",
            (Self::Interface, Lines::Interfaces) => "interface",
            (Self::Interface, Lines::Devices) => "interfaces",
            (Self::State, _) => "state",
            (Self::Use, _) => "use",
        }
    }
}

/// The interface of a device that stands first when the worst is first.
pub fn worst_of<'a>(device: &DeviceView, snapshot: &'a Snapshot) -> Option<&'a InterfaceView> {
    let all = snapshot.interfaces.get(device.interfaces.clone())?;
    let key = |i: &Arc<InterfaceView>| interface_key(Sort::Score, i);
    all.iter().rev().max_by(|a, b| key(a).total_cmp(&key(b))).map(Arc::as_ref)
}

/// What a device is sorted by.
pub(super) fn device_key(sort: Sort, device: &DeviceView, snapshot: &Snapshot) -> f64 {
    match sort {
        Sort::Score => f64::from(device.score) + 100.0 * weight(device.state),
        Sort::State => weight(device.state),
        Sort::Error => device.open as f64,
        Sort::Load => snapshot.load_of(device).last().copied().map_or(f64::NAN, f64::from),
        Sort::Interface => device.interfaces.len() as f64,
        Sort::Name | Sort::Use => 0.0,
    }
}

/// What an interface is sorted by; not so by its name.
pub(super) fn interface_key(sort: Sort, interface: &InterfaceView) -> f64 {
    match sort {
        // an open incident stands above a row that merely scores high
        Sort::Score => f64::from(interface.score) + 100.0 * weight(interface.state),
        Sort::Error => f64::from(interface.error.abs()),
        Sort::Load => interface.last.map_or(f64::NAN, |[_, mean]| mean),
        // what has been so for longest first: a moment is less than 1e12 seconds
        Sort::State => weight(interface.state) - interface.since.map_or(0.0, |t| t.seconds() as f64 / 1e12),
        Sort::Use => interface.utilisation().unwrap_or(f64::NAN),
        Sort::Name | Sort::Interface => 0.0,
    }
}

/// How far up a state belongs when the worst is first.
fn weight(state: InterfaceState) -> f64 {
    match state {
        InterfaceState::Anomalous => 3.0,
        InterfaceState::Silent => 2.0,
        InterfaceState::Acknowledged => 1.0,
        InterfaceState::Warming | InterfaceState::Nominal | InterfaceState::TakenOver | InterfaceState::Flat => 0.0,
    }
}

/// Largest key first, no key last, and by name where keys are the same.
pub(super) fn largest_first(a: &(f64, u32), b: &(f64, u32)) -> Ordering {
    let missing = a.0.is_nan().cmp(&b.0.is_nan());
    missing.then_with(|| b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal)).then(a.1.cmp(&b.1))
}
