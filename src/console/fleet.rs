//! The list of interfaces, or of devices: what is in it, in which order, and what is chosen.

use std::cmp::Ordering;
use std::sync::Arc;

use super::filter::Filter;
use super::scroll::Scroll;
use crate::engine::{InterfaceView, Snapshot};
use crate::series::{InterfaceId, Step};
use unicode_width::UnicodeWidthStr;

/// What the list's lines are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lines {
    /// Interfaces.
    #[default]
    Interfaces,
    /// Devices.
    Devices,
}

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// Worst first.
    #[default]
    Score,
    /// Largest error first, up or down.
    Error,
    /// Largest load first.
    Load,
    /// By name.
    Name,
}

impl Sort {
    /// The next one.
    pub fn next(self) -> Self {
        match self {
            Self::Score => Self::Error,
            Self::Error => Self::Load,
            Self::Load => Self::Name,
            Self::Name => Self::Score,
        }
    }

    /// What it is called.
    pub fn word(self) -> &'static str {
        match self {
            Self::Score => "score",
            Self::Error => "error",
            Self::Load => "load",
            Self::Name => "name",
        }
    }
}

/// The list's state.
#[derive(Debug, Default)]
pub struct Fleet {
    /// Interfaces or devices.
    pub lines: Lines,
    /// Sorted by.
    pub sort: Sort,
    /// Whether the order is turned round.
    pub reversed: bool,
    /// Narrowed down to.
    pub filter: Filter,
    /// Only this device's interfaces.
    pub device: Option<Arc<str>>,
    /// Cursor and first visible line.
    pub scroll: Scroll,
    /// Widest host and interface name of all, in columns.
    pub widths: (usize, usize),
    /// The shortest step of all interfaces.
    pub shortest_step: Option<Step>,
    /// The chosen interface.
    selected: Option<InterfaceId>,
    /// The chosen device.
    selected_device: Option<Arc<str>>,
    /// Whether nobody has moved the cursor yet: the worst line is chosen then.
    untouched: bool,
    /// Places in the snapshot's interfaces or devices, in the order of the list.
    rows: Vec<u32>,
    /// Place of each interface in the snapshot, by id.
    places: Vec<u32>,
}

const NOWHERE: u32 = u32::MAX;

impl Fleet {
    /// An empty list that follows the worst line until somebody moves.
    pub fn new() -> Self {
        Self { untouched: true, ..Self::default() }
    }

    /// Places in the snapshot's interfaces (or devices), in the order of the list.
    pub fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// The chosen interface, in the list or not.
    pub fn selected(&self) -> Option<InterfaceId> {
        self.selected
    }

    /// The place of an interface in the snapshot's list.
    pub fn place(&self, id: InterfaceId) -> Option<usize> {
        self.places.get(id.index()).filter(|p| **p != NOWHERE).map(|p| *p as usize)
    }

    /// The interface with this id.
    pub fn interface<'a>(&self, snapshot: &'a Snapshot, id: InterfaceId) -> Option<&'a InterfaceView> {
        snapshot.interfaces.get(self.place(id)?).map(Arc::as_ref)
    }

    /// The line of the cursor, where what is chosen is in the list.
    pub fn cursor(&self) -> Option<usize> {
        (!self.rows.is_empty()).then_some(self.scroll.cursor)
    }

    /// Whether the cursor's line is what is chosen: not so while a filter hides that.
    pub fn cursor_is_on_choice(&self, snapshot: &Snapshot) -> bool {
        let Some(place) = self.rows.get(self.scroll.cursor).map(|p| *p as usize) else { return false };
        match self.lines {
            Lines::Interfaces => snapshot.interfaces.get(place).map(|i| i.id) == self.selected,
            Lines::Devices => snapshot.devices.get(place).map(|d| &d.host) == self.selected_device.as_ref(),
        }
    }

    /// Takes over a new set of interfaces.
    pub fn renew(&mut self, snapshot: &Snapshot, height: usize) {
        self.places.clear();
        let (mut host, mut name) = (4, 9);
        for (place, interface) in snapshot.interfaces.iter().enumerate() {
            let index = interface.id.index();
            if index >= self.places.len() {
                self.places.resize(index + 1, NOWHERE);
            }
            self.places[index] = u32::try_from(place).unwrap_or(NOWHERE);
            host = host.max(interface.name.host.width());
            name = name.max(interface.name.ifname.width());
        }
        self.widths = (host, name);
        self.shortest_step = snapshot.interfaces.iter().filter_map(|i| i.step).min();
        self.arrange(snapshot, height);
    }

    /// Filters and sorts again, and stays on what was chosen.
    pub fn arrange(&mut self, snapshot: &Snapshot, height: usize) {
        self.rows.clear();
        match self.lines {
            Lines::Interfaces => self.arrange_interfaces(snapshot),
            Lines::Devices => self.arrange_devices(snapshot),
        }
        if self.untouched {
            self.scroll = Scroll::default();
            self.take_cursor(snapshot);
            return;
        }
        let place = match self.lines {
            Lines::Interfaces => self.selected.and_then(|id| {
                let place = self.place(id)?;
                self.rows.iter().position(|row| *row as usize == place)
            }),
            Lines::Devices => self
                .selected_device
                .as_ref()
                .and_then(|host| self.rows.iter().position(|row| snapshot.devices[*row as usize].host == *host)),
        };
        match place {
            Some(place) => self.scroll.follow(place, self.rows.len(), height),
            None => self.scroll.show(self.rows.len(), height),
        }
    }

    fn arrange_interfaces(&mut self, snapshot: &Snapshot) {
        let all = &snapshot.interfaces;
        let range = match &self.device {
            None => 0..all.len(),
            Some(host) => snapshot.devices.iter().find(|d| d.host == *host).map_or(0..0, |d| d.interfaces.clone()),
        };
        let range = range.start.min(all.len())..range.end.min(all.len());
        let fitting = range.filter(|place| self.filter.fits(&all[*place]));
        if self.sort == Sort::Name {
            // the snapshot is in the order of names already
            self.rows.extend(fitting.filter_map(|place| u32::try_from(place).ok()));
        } else {
            let mut keyed: Vec<(f64, u32)> = fitting
                .filter_map(|place| Some((interface_key(self.sort, &all[place]), u32::try_from(place).ok()?)))
                .collect();
            keyed.sort_unstable_by(largest_first);
            self.rows.extend(keyed.iter().map(|(_, place)| *place));
        }
        if self.reversed {
            self.rows.reverse();
        }
    }

    fn arrange_devices(&mut self, snapshot: &Snapshot) {
        let fits = |range: &std::ops::Range<usize>| {
            snapshot.interfaces.get(range.clone()).is_some_and(|all| all.iter().any(|i| self.filter.fits(i)))
        };
        let mut keyed: Vec<(f64, u32)> = snapshot
            .devices
            .iter()
            .enumerate()
            .filter(|(_, d)| self.filter.is_empty() || fits(&d.interfaces))
            .filter_map(|(place, d)| {
                let key = match self.sort {
                    Sort::Score | Sort::Error => f64::from(d.score),
                    Sort::Load => d.load.last().copied().map_or(f64::NAN, f64::from),
                    Sort::Name => 0.0,
                };
                Some((key, u32::try_from(place).ok()?))
            })
            .collect();
        keyed.sort_unstable_by(largest_first);
        self.rows = keyed.into_iter().map(|(_, place)| place).collect();
        if self.reversed {
            self.rows.reverse();
        }
    }

    /// Moves the cursor by lines, and chooses what is there.
    pub fn step(&mut self, lines: isize, snapshot: &Snapshot, height: usize) {
        self.untouched = false;
        self.scroll.step(lines, self.rows.len(), height);
        self.take_cursor(snapshot);
    }

    /// Back to the first line, and follow the worst one again.
    pub fn to_top(&mut self, snapshot: &Snapshot) {
        self.untouched = true;
        self.scroll = Scroll::default();
        self.take_cursor(snapshot);
    }

    /// Chooses an interface, whether it is in the list or not.
    pub fn choose(&mut self, id: InterfaceId, snapshot: &Snapshot, height: usize) {
        self.untouched = false;
        self.selected = Some(id);
        if self.lines == Lines::Interfaces {
            self.arrange(snapshot, height);
        }
    }

    /// The device on the cursor's line, where the list is one of devices.
    pub fn device_at_cursor(&self, snapshot: &Snapshot) -> Option<Arc<str>> {
        if self.lines != Lines::Devices {
            return None;
        }
        let place = *self.rows.get(self.scroll.cursor)? as usize;
        snapshot.devices.get(place).map(|d| d.host.clone())
    }

    fn take_cursor(&mut self, snapshot: &Snapshot) {
        let Some(place) = self.rows.get(self.scroll.cursor).map(|p| *p as usize) else { return };
        match self.lines {
            Lines::Interfaces => self.selected = snapshot.interfaces.get(place).map(|i| i.id),
            Lines::Devices => {
                self.selected_device = snapshot.devices.get(place).map(|d| d.host.clone());
                // the detail shows the device's worst interface
                let worst = snapshot.devices.get(place).and_then(|d| {
                    let all = snapshot.interfaces.get(d.interfaces.clone())?;
                    all.iter().max_by(|a, b| interface_key(Sort::Score, a).total_cmp(&interface_key(Sort::Score, b)))
                });
                if let Some(worst) = worst {
                    self.selected = Some(worst.id);
                }
            }
        }
    }
}

fn interface_key(sort: Sort, interface: &InterfaceView) -> f64 {
    match sort {
        // an open incident stands above a row that merely scores high
        Sort::Score => f64::from(interface.score) + 100.0 * weight(interface),
        Sort::Error => f64::from(interface.error.abs()),
        Sort::Load => interface.last.map_or(f64::NAN, |[_, mean]| mean),
        Sort::Name => 0.0,
    }
}

/// How far up a state belongs when the worst is first.
fn weight(interface: &InterfaceView) -> f64 {
    use crate::engine::InterfaceState as State;
    match interface.state {
        State::Anomalous => 3.0,
        State::Silent => 2.0,
        State::Acknowledged => 1.0,
        State::Warming | State::Nominal | State::TakenOver | State::Flat => 0.0,
    }
}

/// Largest key first, no key last, and by name where keys are the same.
fn largest_first(a: &(f64, u32), b: &(f64, u32)) -> Ordering {
    let missing = a.0.is_nan().cmp(&b.0.is_nan());
    missing.then_with(|| b.0.partial_cmp(&a.0).unwrap_or(Ordering::Equal)).then(a.1.cmp(&b.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;

    fn names(fleet: &Fleet, snapshot: &Snapshot) -> Vec<String> {
        fleet.rows().iter().map(|p| snapshot.interfaces[*p as usize].name.to_string()).collect()
    }

    #[test]
    fn the_worst_is_first_and_is_chosen_until_somebody_moves() {
        let snapshot = fixture::snapshot();
        let mut fleet = Fleet::new();
        fleet.renew(&snapshot, 10);
        let names = names(&fleet, &snapshot);
        assert_eq!(names[0], "core-2 xe-0/1/3");
        assert_eq!(fleet.selected(), Some(fixture::id_of(&snapshot, "core-2 xe-0/1/3")));
        let calm = fixture::calmed(&snapshot, "core-2 xe-0/1/3");
        fleet.renew(&calm, 10);
        assert_ne!(fleet.selected(), Some(fixture::id_of(&snapshot, "core-2 xe-0/1/3")));
    }

    #[test]
    fn the_choice_stays_on_its_interface_when_the_order_changes() {
        let snapshot = fixture::snapshot();
        let mut fleet = Fleet::new();
        fleet.renew(&snapshot, 10);
        fleet.step(1, &snapshot, 10);
        let chosen = fleet.selected();
        let calm = fixture::calmed(&snapshot, "core-2 xe-0/1/3");
        fleet.renew(&calm, 10);
        assert_eq!(fleet.selected(), chosen);
        assert_eq!(fleet.scroll.cursor, 0);
    }

    #[test]
    fn sorting_by_each_column_and_round() {
        let snapshot = fixture::snapshot();
        let mut fleet = Fleet::new();
        let mut sort = Sort::Score;
        let mut first = Vec::new();
        for _ in 0..4 {
            fleet.sort = sort;
            fleet.renew(&snapshot, 10);
            first.push(names(&fleet, &snapshot)[0].clone());
            sort = sort.next();
        }
        assert_eq!(sort, Sort::Score);
        assert_eq!(first[3], snapshot.interfaces[0].name.to_string());
        fleet.sort = Sort::Load;
        fleet.arrange(&snapshot, 10);
        let loads: Vec<_> =
            fleet.rows().iter().map(|p| snapshot.interfaces[*p as usize].last.map_or(f64::NAN, |l| l[1])).collect();
        assert!(loads.windows(2).all(|w| w[1].is_nan() || w[0] >= w[1]), "{loads:?}");
        assert!(loads.last().unwrap().is_nan(), "no load comes last");
    }

    #[test]
    fn a_device_has_its_own_interfaces() {
        let snapshot = fixture::snapshot();
        let mut fleet = Fleet::new();
        fleet.lines = Lines::Devices;
        fleet.renew(&snapshot, 10);
        assert_eq!(fleet.device_at_cursor(&snapshot).as_deref(), Some("core-2"));
        fleet.device = fleet.device_at_cursor(&snapshot);
        fleet.lines = Lines::Interfaces;
        fleet.arrange(&snapshot, 10);
        assert!(!fleet.rows().is_empty());
        assert!(names(&fleet, &snapshot).iter().all(|n| n.starts_with("core-2 ")));
    }

    #[test]
    fn what_is_chosen_may_be_hidden() {
        let snapshot = fixture::snapshot();
        let mut fleet = Fleet::new();
        fleet.renew(&snapshot, 10);
        fleet.step(1, &snapshot, 10);
        let chosen = fleet.selected();
        fleet.filter = Filter::new("nothing-like-this");
        fleet.arrange(&snapshot, 10);
        assert_eq!((fleet.rows().len(), fleet.cursor(), fleet.selected()), (0, None, chosen));
        fleet.filter = Filter::default();
        fleet.arrange(&snapshot, 10);
        assert_eq!(fleet.scroll.cursor, 1);
    }
}
