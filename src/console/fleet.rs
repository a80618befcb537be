//! The list of interfaces, or of devices with theirs: what is in it, in which order, and what is chosen.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::filter::Filter;
use super::ranking::Ranking;
use super::scroll::Scroll;
use super::sort::{Sort, device_key, largest_first, worst_of};
use crate::engine::{DeviceView, InterfaceView, Snapshot};
use crate::series::{InterfaceId, InterfaceName, Step, printable};
use unicode_width::UnicodeWidthStr;

/// What the list is one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lines {
    /// Interfaces.
    #[default]
    Interfaces,
    /// Devices, which unfold to their interfaces.
    Devices,
}

/// One line: a place in the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// A device.
    Device(u32),
    /// An interface.
    Interface(u32),
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
    /// Cursor and first visible line.
    pub scroll: Scroll,
    /// Widest host and interface name of all, in columns.
    pub widths: (usize, usize),
    /// The shortest step of all interfaces.
    pub shortest_step: Option<Step>,
    /// How many interfaces or devices the filter lets through.
    pub shown: usize,
    /// Interfaces that stay on top, by name, and as the engine told of them last.
    pinned: BTreeSet<InterfaceName>,
    told_pinned: Arc<[InterfaceName]>,
    /// The same, as far as they are there.
    pinned_ids: HashSet<InterfaceId>,
    ranking: Ranking,
    /// Devices whose interfaces follow them.
    unfolded: HashSet<Arc<str>>,
    /// Whether what the lines show is the other one: heat for interfaces, loads for devices.
    other_strip: bool,
    /// The chosen interface.
    selected: Option<InterfaceId>,
    /// The chosen device, where the cursor is on one.
    selected_device: Option<Arc<str>>,
    /// Whether nobody has moved the cursor yet: the worst line is chosen then.
    untouched: bool,
    /// The lines in their order.
    rows: Vec<Row>,
    /// Place of each interface in the snapshot, by id.
    places: Vec<u32>,
}

const NOWHERE: u32 = u32::MAX;
/// Columns for the names of hosts and interfaces before there are any: those of the headings.
const NO_NAMES: (usize, usize) = (4, 9);

impl Fleet {
    /// An empty list that follows the worst line until somebody moves.
    pub fn new() -> Self {
        Self { untouched: true, widths: NO_NAMES, ..Self::default() }
    }

    /// The lines in their order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The chosen interface, in the list or not.
    pub fn selected(&self) -> Option<InterfaceId> {
        self.selected
    }

    /// Whether an interface stays on top.
    pub fn is_pinned(&self, id: InterfaceId) -> bool {
        self.pinned_ids.contains(&id)
    }

    /// Whether a device's interfaces follow it.
    pub fn is_unfolded(&self, host: &str) -> bool {
        self.unfolded.contains(host)
    }

    /// Whether lines show heat instead of loads.
    pub fn shows_heat(&self) -> bool {
        self.other_strip != (self.lines == Lines::Devices)
    }

    /// Heat instead of loads, or the other way round.
    pub fn toggle_heat(&mut self) {
        self.other_strip = !self.other_strip;
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
        match self.rows.get(self.scroll.cursor) {
            Some(Row::Interface(place)) => snapshot.interfaces.get(*place as usize).map(|i| i.id) == self.selected,
            Some(Row::Device(place)) => {
                snapshot.devices.get(*place as usize).map(|d| &d.host) == self.selected_device.as_ref()
            }
            None => false,
        }
    }

    /// Takes over a new set of interfaces.
    pub fn renew(&mut self, snapshot: &Snapshot, height: usize) {
        let news = self.ranking.update(&snapshot.interfaces, self.sort, &self.filter);
        if news.names {
            self.learn_names(snapshot);
        }
        if news.steps {
            self.shortest_step = snapshot.interfaces.iter().filter_map(|i| i.step).min();
        }
        if !Arc::ptr_eq(&self.told_pinned, &snapshot.pins) {
            self.told_pinned = snapshot.pins.clone();
            self.pinned = snapshot.pins.iter().cloned().collect();
            self.find_pinned(snapshot);
        } else if news.names {
            self.find_pinned(snapshot);
        }
        self.arrange(snapshot, height);
    }

    fn learn_names(&mut self, snapshot: &Snapshot) {
        self.places.clear();
        let (mut host, mut name) = NO_NAMES;
        for (place, interface) in snapshot.interfaces.iter().enumerate() {
            let index = interface.id.index();
            if index >= self.places.len() {
                self.places.resize(index + 1, NOWHERE);
            }
            self.places[index] = u32::try_from(place).unwrap_or(NOWHERE);
            host = host.max(printable(&interface.name.host).width());
            name = name.max(printable(&interface.name.ifname).width());
        }
        self.widths = (host, name);
    }

    fn find_pinned(&mut self, snapshot: &Snapshot) {
        let all = &snapshot.interfaces;
        let place = |name: &InterfaceName| all.binary_search_by(|view| view.name.cmp(name)).ok();
        self.pinned_ids = self.pinned.iter().filter_map(place).map(|place| all[place].id).collect();
    }

    /// Filters and sorts again, and stays on what was chosen.
    pub fn arrange(&mut self, snapshot: &Snapshot, height: usize) {
        self.ranking.update(&snapshot.interfaces, self.sort, &self.filter);
        self.rows.clear();
        match self.lines {
            Lines::Interfaces => {
                let order = self.turned(self.ranking.order().to_vec());
                self.shown = order.len();
                self.rows.extend(order.into_iter().map(Row::Interface));
            }
            Lines::Devices => self.arrange_devices(snapshot),
        }
        if self.untouched {
            self.scroll = Scroll::default();
            self.take_cursor(snapshot);
            return;
        }
        match self.line_of_choice(snapshot) {
            Some(line) => self.scroll.follow(line, self.rows.len(), height),
            None => self.scroll.show(self.rows.len(), height),
        }
    }

    /// The line of the chosen device or interface; of a folded interface, its device's.
    fn line_of_choice(&self, snapshot: &Snapshot) -> Option<usize> {
        let device = |line: &Row, host: &str| match line {
            Row::Device(place) => snapshot.devices.get(*place as usize).is_some_and(|d| &*d.host == host),
            Row::Interface(_) => false,
        };
        if let (Some(host), Lines::Devices) = (&self.selected_device, self.lines) {
            return self.rows.iter().position(|row| device(row, host));
        }
        let place = self.place(self.selected?)?;
        let own = self.rows.iter().position(|row| matches!(row, Row::Interface(p) if *p as usize == place));
        own.or_else(|| self.rows.iter().position(|row| device(row, &snapshot.interfaces[place].name.host)))
    }

    /// Interfaces in the order that was asked for, pinned ones first.
    fn turned(&self, mut order: Vec<u32>) -> Vec<u32> {
        if self.reversed {
            order.reverse();
        }
        if !self.pinned_ids.is_empty() {
            let pinned: HashSet<usize> = self.pinned_ids.iter().filter_map(|id| self.place(*id)).collect();
            order.sort_by_key(|place| !pinned.contains(&(*place as usize)));
        }
        order
    }

    fn arrange_devices(&mut self, snapshot: &Snapshot) {
        let all = snapshot.devices.iter().enumerate();
        let fitting = all.filter(|(_, d)| self.filter.is_empty() || self.ranking.any_fits(d.interfaces.clone()));
        let mut keyed: Vec<(f64, u32)> = fitting
            .filter_map(|(place, d)| Some((device_key(self.sort, d, snapshot), u32::try_from(place).ok()?)))
            .collect();
        keyed.sort_unstable_by(largest_first);
        if self.reversed {
            keyed.reverse();
        }
        self.shown = keyed.len();
        for (_, place) in keyed {
            self.rows.push(Row::Device(place));
            let device = &snapshot.devices[place as usize];
            if self.unfolded.contains(&device.host) {
                let own = self.turned(self.ranking.among(device.interfaces.clone()));
                self.rows.extend(own.into_iter().map(Row::Interface));
            }
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
        (self.selected, self.selected_device) = (Some(id), None);
        if let Some(line) = self.line_of_choice(snapshot) {
            self.scroll.follow(line, self.rows.len(), height);
        }
    }

    /// Interfaces or devices, and stays on what is chosen.
    pub fn toggle_lines(&mut self, snapshot: &Snapshot, height: usize) {
        self.lines = match self.lines {
            Lines::Interfaces => Lines::Devices,
            Lines::Devices => Lines::Interfaces,
        };
        self.selected_device = None;
        self.arrange(snapshot, height);
        self.take_cursor(snapshot);
    }

    /// Folds or unfolds the device of the cursor's line. False where the list is not one of devices.
    pub fn fold(&mut self, snapshot: &Snapshot, height: usize) -> bool {
        if self.lines != Lines::Devices {
            return false;
        }
        let host = match self.rows.get(self.scroll.cursor) {
            Some(Row::Device(place)) => snapshot.devices.get(*place as usize).map(|d| d.host.clone()),
            Some(Row::Interface(place)) => snapshot.interfaces.get(*place as usize).map(|i| i.name.host.clone()),
            None => None,
        };
        let Some(host) = host else { return false };
        self.untouched = false;
        if !self.unfolded.remove(&host) {
            self.unfolded.insert(host.clone());
        }
        self.selected_device = Some(host);
        self.arrange(snapshot, height);
        self.take_cursor(snapshot);
        true
    }

    /// The device on the cursor's line.
    pub fn device_at_cursor<'a>(&self, snapshot: &'a Snapshot) -> Option<&'a DeviceView> {
        match self.rows.get(self.scroll.cursor)? {
            Row::Device(place) => snapshot.devices.get(*place as usize).map(Arc::as_ref),
            Row::Interface(_) => None,
        }
    }

    /// Pins the chosen interface, or lets it go. Gives which one that was, and whether it is pinned now.
    pub fn pin(&mut self, snapshot: &Snapshot, height: usize) -> Option<(InterfaceName, bool)> {
        let name = self.interface(snapshot, self.selected?)?.name.clone();
        let pinned = !self.pinned.remove(&name);
        if pinned {
            self.pinned.insert(name.clone());
        }
        self.find_pinned(snapshot);
        self.untouched = false;
        self.arrange(snapshot, height);
        Some((name, pinned))
    }

    fn take_cursor(&mut self, snapshot: &Snapshot) {
        match self.rows.get(self.scroll.cursor) {
            Some(Row::Interface(place)) => {
                self.selected = snapshot.interfaces.get(*place as usize).map(|i| i.id);
                self.selected_device = None;
            }
            Some(Row::Device(place)) => {
                let device = snapshot.devices.get(*place as usize);
                self.selected_device = device.map(|d| d.host.clone());
                // the detail shows the device's worst interface
                if let Some(worst) = device.and_then(|d| worst_of(d, snapshot)) {
                    self.selected = Some(worst.id);
                }
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;

    fn names(fleet: &Fleet, snapshot: &Snapshot) -> Vec<String> {
        let name = |row: &Row| match row {
            Row::Interface(place) => snapshot.interfaces[*place as usize].name.to_string(),
            Row::Device(place) => snapshot.devices[*place as usize].host.to_string(),
        };
        fleet.rows().iter().map(name).collect()
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
        for _ in 0..7 {
            fleet.sort = sort;
            fleet.renew(&snapshot, 10);
            first.push(names(&fleet, &snapshot)[0].clone());
            sort = sort.next();
        }
        assert_eq!(sort, Sort::Score);
        assert_eq!(first[3], snapshot.interfaces[0].name.to_string());
        fleet.sort = Sort::Load;
        fleet.arrange(&snapshot, 10);
        let load = |row: &Row| match row {
            Row::Interface(place) => snapshot.interfaces[*place as usize].last.map_or(f64::NAN, |l| l[1]),
            Row::Device(_) => panic!("a device among interfaces"),
        };
        let loads: Vec<_> = fleet.rows().iter().map(load).collect();
        assert!(loads.windows(2).all(|w| w[1].is_nan() || w[0] >= w[1]), "{loads:?}");
        assert!(loads.last().unwrap().is_nan(), "no load comes last");
        fleet.sort = Sort::Interface;
        fleet.arrange(&snapshot, 10);
        assert_eq!(names(&fleet, &snapshot)[0], "edge-7 ge-0/0/1");
        fleet.sort = Sort::State;
        fleet.arrange(&snapshot, 10);
        assert_eq!(names(&fleet, &snapshot)[4..6], ["edge-9 ge-0/0/7", "agg-3 xe-1/0/1"], "silent, then acknowledged");
    }

    #[test]
    fn a_device_unfolds_to_its_interfaces_and_folds_again() {
        let snapshot = fixture::snapshot();
        let mut fleet = Fleet::new();
        fleet.renew(&snapshot, 10);
        assert!(!fleet.fold(&snapshot, 10), "an interface does not fold");
        fleet.toggle_lines(&snapshot, 10);
        assert_eq!(names(&fleet, &snapshot), ["core-2", "edge-7", "edge-9", "agg-3", "agg-1"]);
        assert!(fleet.fold(&snapshot, 10));
        let unfolded = names(&fleet, &snapshot);
        assert_eq!(unfolded[..3], ["core-2", "core-2 xe-0/1/3", "core-2 xe-0/1/4"]);
        assert_eq!((unfolded.len(), fleet.scroll.cursor), (9, 0));
        fleet.step(2, &snapshot, 10);
        assert_eq!(fleet.selected(), Some(fixture::id_of(&snapshot, "core-2 xe-0/1/4")));
        fleet.fold(&snapshot, 10);
        assert_eq!((fleet.rows().len(), fleet.scroll.cursor), (5, 0), "its interface folds the device");
        fleet.filter = Filter::new("if:ge");
        fleet.arrange(&snapshot, 10);
        assert_eq!(names(&fleet, &snapshot), ["edge-7", "edge-9"]);
    }

    #[test]
    fn a_pinned_interface_stays_on_top_in_every_order() {
        let snapshot = fixture::snapshot();
        let mut fleet = Fleet::new();
        fleet.renew(&snapshot, 10);
        fleet.choose(fixture::id_of(&snapshot, "edge-9 ge-0/0/9"), &snapshot, 10);
        let name = InterfaceName::new("edge-9", "ge-0/0/9");
        assert_eq!(fleet.pin(&snapshot, 10), Some((name.clone(), true)));
        for sort in [Sort::Score, Sort::Load, Sort::Name, Sort::State] {
            for reversed in [false, true] {
                (fleet.sort, fleet.reversed) = (sort, reversed);
                fleet.arrange(&snapshot, 10);
                assert_eq!(names(&fleet, &snapshot)[0], "edge-9 ge-0/0/9", "{sort:?}");
            }
        }
        assert_eq!(fleet.scroll.cursor, 0, "the cursor goes with it");
        assert_eq!(fleet.pin(&snapshot, 10), Some((name, false)));
        assert_ne!(names(&fleet, &snapshot)[0], "edge-9 ge-0/0/9");
    }

    #[test]
    fn what_was_pinned_before_is_pinned_and_what_others_pin_comes() {
        let mut snapshot = fixture::snapshot();
        let pin = |snapshot: &mut Snapshot, names: &[&str]| {
            let name = |text: &&str| {
                let (host, ifname) = text.split_once(' ').unwrap();
                InterfaceName::new(host, ifname)
            };
            snapshot.pins = names.iter().map(name).collect();
        };
        pin(&mut snapshot, &["edge-9 ge-0/0/8", "gone xe-0"]);
        let mut fleet = Fleet::new();
        fleet.renew(&snapshot, 10);
        assert_eq!(names(&fleet, &snapshot)[..2], ["edge-9 ge-0/0/8", "core-2 xe-0/1/3"]);
        fleet.choose(fixture::id_of(&snapshot, "agg-1 xe-1/0/0"), &snapshot, 10);
        fleet.pin(&snapshot, 10);
        fleet.renew(&snapshot.clone(), 10);
        let own = ["agg-1 xe-1/0/0", "edge-9 ge-0/0/8"];
        assert_eq!(names(&fleet, &snapshot)[..2], own, "a picture from before does not take it back");
        pin(&mut snapshot, &["agg-1 xe-1/0/0"]);
        fleet.renew(&snapshot, 10);
        assert_eq!(names(&fleet, &snapshot)[..2], ["agg-1 xe-1/0/0", "core-2 xe-0/1/3"]);
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
