//! A fleet: the row of any interface in any slot, and the truth about what happened.

use std::ops::Range;

use super::device::Device;
use super::error::SimulateError;
use super::kind::{Incident, Kind};
use super::noise::{key, purpose};
use super::plan::Plan;
use super::profile::{Moment, Nature, Profile, Sample};
use super::schedule::{NIGHTS_LABELLED, Schedule, backup_days, is_outage, slots_touched, time_of};
use crate::random::Random;
use crate::series::{InterfaceName, Timestamp};

/// What fifteen interfaces are like, and whether a busy one carries a nightly burst. Fleets are
/// dealt from such decks, so that small ones have the rare natures, too.
const DECK: [(Nature, bool); 15] = [
    (Nature::Busy, false),
    (Nature::Busy, false),
    (Nature::Busy, false),
    (Nature::Busy, false),
    (Nature::Busy, false),
    (Nature::Busy, false),
    (Nature::Busy, false),
    (Nature::Busy, false),
    (Nature::Busy, true),
    (Nature::Busy, true),
    (Nature::Rough, false),
    (Nature::Backup, false),
    (Nature::Steady, false),
    (Nature::Keepalive, false),
    (Nature::Idle, false),
];

/// One row that a collector would have written. Values are rounded to two decimals, as in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SimRow {
    /// The interface: its place in [`Fleet::interfaces`].
    pub interface: usize,
    /// The slot's begin.
    pub time: Timestamp,
    /// Largest value in the slot, bits a second.
    pub max: f64,
    /// Mean value of the slot, bits a second.
    pub mean: f64,
}

/// Something that truly happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Whose.
    pub name: InterfaceName,
    /// First slot that differs.
    pub start: Timestamp,
    /// Last slot that differs, or the last one there is, where that comes first.
    pub end: Timestamp,
    /// What.
    pub kind: Kind,
    /// Number of the story that it belongs to, where it hit several interfaces.
    pub story: Option<u32>,
}

/// One night of a backup that was not there from the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repeat {
    /// Whose.
    pub name: InterfaceName,
    /// Which night it is, from 1.
    pub night: u32,
    /// First slot that it touches.
    pub start: Timestamp,
    /// Last slot that it touches.
    pub end: Timestamp,
}

/// A fleet that behaves as planned, now and for ever.
#[derive(Debug, Clone)]
pub struct Fleet {
    plan: Plan,
    names: Vec<InterfaceName>,
    devices: Vec<Device>,
    profiles: Vec<Profile>,
    schedule: Schedule,
    /// The slot that was looked up last, and whether the collector was out: one draw for all interfaces.
    outage: Option<(u64, bool)>,
}

impl Fleet {
    /// The fleet of a plan.
    ///
    /// # Errors
    /// When the plan makes no sense.
    pub fn new(plan: &Plan) -> Result<Self, SimulateError> {
        plan.check()?;
        let devices: Vec<Device> = (0..plan.devices as usize).map(|i| Device::draw(plan.seed, i)).collect();
        let random = &mut Random::new(key(&[plan.seed, purpose::NATURES]));
        let mut deck = Vec::new();
        let mut names = Vec::new();
        let mut profiles = Vec::new();
        for device in &devices {
            for index in 0..plan.interfaces as usize {
                if deck.is_empty() {
                    deck.extend_from_slice(&DECK);
                    random.shuffle(&mut deck);
                }
                let (nature, burst) = deck.pop().unwrap_or(DECK[0]);
                let profile = Profile::draw(plan.seed, profiles.len(), index, device, nature, burst);
                names.push(InterfaceName::new(&device.host, &profile.ifname));
                profiles.push(profile);
            }
        }
        start_backups(plan, &mut profiles);
        let schedule = Schedule::new(plan, &profiles);
        let mut fleet = Self { plan: plan.clone(), names, devices, profiles, schedule, outage: None };
        fleet.label_first_nights();
        Ok(fleet)
    }

    /// What it was made from.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// All interfaces, device by device.
    pub fn interfaces(&self) -> &[InterfaceName] {
        &self.names
    }

    /// The hosts, in order.
    pub fn hosts(&self) -> impl ExactSizeIterator<Item = &str> {
        self.devices.iter().map(|device| device.host.as_str())
    }

    /// The interfaces of the device at this place of [`Fleet::hosts`].
    pub fn interfaces_of(&self, device: usize) -> Range<usize> {
        let each = self.plan.interfaces as usize;
        device * each..(device + 1) * each
    }

    /// The begin of a slot; slots are counted from the plan's start.
    pub fn time(&self, slot: u64) -> Timestamp {
        time_of(&self.plan, slot)
    }

    /// All rows of a slot, which may lie beyond the plan's days.
    pub fn slot(&mut self, slot: u64) -> impl Iterator<Item = SimRow> {
        (0..self.profiles.len()).filter_map(move |interface| self.row(interface, slot))
    }

    /// The row of an interface in a slot; nothing where it is missing.
    pub fn row(&mut self, interface: usize, slot: u64) -> Option<SimRow> {
        let incident = self.schedule.at(interface, slot, &self.profiles);
        if self.is_outage(slot)
            || (self.profiles[interface].misses(slot as i64) && !self.schedule.needs_rows(interface, slot))
        {
            return None;
        }
        let mut sample = self.usual(interface, slot);
        if let Some(incident) = incident {
            let before = match incident.kind {
                Kind::Flatline => Some(self.usual(interface, incident.start - 1)),
                _ => None,
            };
            sample = incident.change(slot, &self.profiles[interface], sample, || before.unwrap_or(sample))?;
        }
        let round = |value: f64| (value * 100.0).round() / 100.0;
        Some(SimRow { interface, time: self.time(slot), max: round(sample.max), mean: round(sample.mean) })
    }

    /// What truly happened in the first `slots` slots and can be seen in their rows, in time order.
    /// What happened in the quiet part has no label.
    pub fn labels(&mut self, slots: u64) -> Vec<Label> {
        let mut seen: Vec<Incident> =
            self.schedule.before(slots, &self.profiles).filter(|incident| is_seen(incident, slots)).copied().collect();
        seen.sort_by_key(|incident| (incident.start, incident.interface));
        seen.iter().map(|incident| self.label(incident, slots)).collect()
    }

    /// The labels of what ended in a slot; of what was still going on in it, where it is the `last` one.
    pub(super) fn labels_ending(&mut self, slot: u64, last: bool) -> Vec<Label> {
        (0..self.names.len())
            .filter_map(|interface| {
                let incident = self.schedule.at(interface, slot, &self.profiles)?;
                ((incident.end == slot) != last && is_seen(&incident, slot + 1))
                    .then(|| self.label(&incident, slot + 1))
            })
            .collect()
    }

    /// The nights of backups that were not there from the start, among the first `slots` slots.
    pub fn repeats(&mut self, slots: u64) -> Vec<Repeat> {
        let nights = self.nights(slots);
        nights
            .into_iter()
            .map(|(interface, night, start, end)| Repeat {
                name: self.names[interface].clone(),
                night,
                start: self.time(start),
                end: self.time(end),
            })
            .collect()
    }

    /// The same by numbers: interface, night, first and last slot.
    fn nights(&mut self, slots: u64) -> Vec<(usize, u32, u64, u64)> {
        let mut nights = Vec::new();
        for (interface, profile) in self.profiles.iter_mut().enumerate() {
            let Some(backup) = &mut profile.new_backup else { continue };
            let mut night = 0;
            for first in (0..slots).step_by(usize::try_from(self.plan.slots_per_day()).unwrap_or(usize::MAX)) {
                let time = time_of(&self.plan, first);
                let Some((from, to, _)) = backup.night(time, time.since(self.plan.start)) else { continue };
                night += 1;
                let (start, end) = slots_touched(&self.plan, from, to);
                if end < slots {
                    nights.push((interface, night, start, end));
                }
            }
        }
        nights
    }

    /// Puts the first nights of new backups into the schedule, from where they come into the labels.
    fn label_first_nights(&mut self) {
        for (interface, night, start, end) in self.nights(self.plan.slots()) {
            if night <= NIGHTS_LABELLED {
                let kind = Kind::Backup;
                self.schedule.add(Incident { interface, kind, start, end, amount: 1.0, story: None, labelled: true });
            }
        }
    }

    fn usual(&mut self, interface: usize, slot: u64) -> Sample {
        let time = self.time(slot);
        let moment = Moment { slot: slot as i64, time, since: time.since(self.plan.start), step: self.plan.step };
        let common = self.devices[interface / self.plan.interfaces as usize].common(moment.since);
        self.profiles[interface].usual(&moment, common)
    }

    fn is_outage(&mut self, slot: u64) -> bool {
        match self.outage {
            Some((known, out)) if known == slot => out,
            _ => {
                let out = is_outage(&self.plan, slot);
                self.outage = Some((slot, out));
                out
            }
        }
    }

    fn label(&self, incident: &Incident, slots: u64) -> Label {
        Label {
            name: self.names[incident.interface].clone(),
            start: self.time(incident.start),
            end: self.time(incident.end.min(slots - 1)),
            kind: incident.kind,
            story: incident.story,
        }
    }
}

/// Whether an incident gets a label, where rows end after `slots` slots.
fn is_seen(incident: &Incident, slots: u64) -> bool {
    let length = incident.end - incident.start + 1;
    let needed = incident.kind.seen_after(length).min(length);
    incident.labelled && incident.start + needed <= slots
}

/// Chooses the interfaces that get a new backup, and its first day.
fn start_backups(plan: &Plan, profiles: &mut [Profile]) {
    let random = &mut Random::new(key(&[plan.seed, purpose::BACKUPS]));
    let wanted = (plan.new_backups * profiles.len() as f64).round() as usize;
    let mut able: Vec<usize> = (0..profiles.len()).filter(|i| profiles[*i].can_start_backup()).collect();
    random.shuffle(&mut able);
    let days = backup_days(plan);
    for &i in able.iter().take(wanted) {
        let day = days.start + random.below((days.end - days.start) as usize) as i64;
        profiles[i].start_backup(random, day);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{DAY, Step};
    use std::collections::{HashMap, HashSet};

    /// Enough incidents of each kind to say something about all of them.
    fn many(seed: u64, step: i64) -> Plan {
        let step = Step::from_seconds(step).unwrap();
        Plan { seed, step, devices: 8, rate: 0.8, stories: 0.5, quiet_days: 10, days: 28, ..Plan::default() }
    }

    fn all_rows(fleet: &mut Fleet) -> Vec<SimRow> {
        (0..fleet.plan().slots()).flat_map(|slot| fleet.slot(slot).collect::<Vec<_>>()).collect()
    }

    /// Rows by interface and time.
    fn by_place(fleet: &mut Fleet) -> HashMap<(InterfaceName, Timestamp), SimRow> {
        let names = fleet.interfaces().to_vec();
        all_rows(fleet).into_iter().map(|row| ((names[row.interface].clone(), row.time), row)).collect()
    }

    #[test]
    fn slots_are_the_same_in_any_order_and_for_any_seed_its_own() {
        let plan = many(3, 3600);
        let mut forward = Fleet::new(&plan).unwrap();
        let mut backward = Fleet::new(&plan).unwrap();
        let rows = all_rows(&mut forward);
        let mut back: Vec<SimRow> = (0..plan.slots())
            .rev()
            .flat_map(|slot| {
                let mut rows: Vec<SimRow> = backward.slot(slot).collect();
                rows.reverse();
                rows
            })
            .collect();
        back.reverse();
        assert_eq!(rows, back);
        let other = all_rows(&mut Fleet::new(&many(4, 3600)).unwrap());
        assert!(rows.iter().zip(&other).filter(|(a, b)| a.mean == b.mean).count() < rows.len() / 10);
    }

    #[test]
    fn names_differ_and_loads_span_six_decades() {
        let mut fleet = Fleet::new(&Plan { devices: 40, days: 2, ..Plan::default() }).unwrap();
        let names: HashSet<_> = fleet.interfaces().iter().cloned().collect();
        assert_eq!(names.len(), 240);
        let busiest: Vec<f64> = fleet.slot(12).map(|row| row.mean).filter(|mean| *mean > 0.0).collect();
        let low = busiest.iter().copied().fold(f64::MAX, f64::min);
        let high = busiest.iter().copied().fold(0.0, f64::max);
        assert!(low < 5e3 && high > 2e9, "{low} {high}");
    }

    #[test]
    fn every_kind_occurs_after_the_quiet_part_and_inside_the_span() {
        for (seed, step) in [(1, 3600), (2, 300)] {
            let mut fleet = Fleet::new(&many(seed, step)).unwrap();
            let slots = fleet.plan().slots();
            let labels = fleet.labels(slots);
            let kinds: HashSet<Kind> = labels.iter().map(|label| label.kind).collect();
            assert_eq!(kinds, HashSet::from(Kind::BY_CHANCE));
            let (from, to) = (fleet.plan().start.plus(10 * DAY), fleet.time(slots - 1));
            for label in &labels {
                assert!(from <= label.start && label.start <= label.end && label.end <= to, "{label:?}");
            }
            // At least some days apart on one interface.
            for a in &labels {
                for b in labels.iter().filter(|b| b.name == a.name && b.start > a.start) {
                    assert!(b.start.since(a.end) > 3 * DAY, "{a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn a_story_is_one_kind_on_three_or_more_interfaces_of_a_device_at_once() {
        let mut fleet = Fleet::new(&many(5, 300)).unwrap();
        let slots = fleet.plan().slots();
        let mut stories: HashMap<u32, Vec<Label>> = HashMap::new();
        for label in fleet.labels(slots) {
            if let Some(story) = label.story {
                stories.entry(story).or_default().push(label);
            }
        }
        assert!(stories.len() >= 5, "{}", stories.len());
        for members in stories.values() {
            let first = &members[0];
            assert!((3..=6).contains(&members.len()), "{}", members.len());
            for other in members {
                assert_eq!((&other.name.host, other.start, other.kind), (&first.name.host, first.start, first.kind));
            }
        }
    }

    #[test]
    fn a_story_is_as_large_in_a_large_fleet() {
        let mut fleet = Fleet::new(&Plan { devices: 100, interfaces: 20, days: 21, ..Plan::default() }).unwrap();
        let slots = fleet.plan().slots();
        let mut members: HashMap<u32, usize> = HashMap::new();
        fleet
            .labels(slots)
            .iter()
            .filter_map(|label| label.story)
            .for_each(|story| *members.entry(story).or_default() += 1);
        assert!(members.len() > 10 && members.values().all(|n| (3..=6).contains(n)), "{members:?}");
    }

    /// What each label promises is what the rows have, compared with the same fleet left in peace.
    #[test]
    fn labels_are_where_rows_differ_and_nowhere_else() {
        for (seed, step) in [(6, 3600), (7, 300)] {
            let plan = many(seed, step);
            let mut fleet = Fleet::new(&plan).unwrap();
            let labels = fleet.labels(plan.slots());
            let rows = by_place(&mut fleet);
            let calm = by_place(&mut Fleet::new(&Plan { rate: 0.0, stories: 0.0, ..plan.clone() }).unwrap());
            let mut covered = HashSet::new();
            for label in &labels {
                let place = |time| (label.name.clone(), time);
                let before = rows.get(&place(label.start.plus(-step)));
                let mut time = label.start;
                while time <= label.end {
                    covered.insert(place(time));
                    let row = rows.get(&place(time));
                    let Some(usual) = calm.get(&place(time)) else {
                        time = time.plus(step);
                        continue;
                    };
                    match (label.kind, row) {
                        (Kind::Silence, row) => assert_eq!(row, None, "{label:?}"),
                        (kind, None) => assert!(kind.is_long(), "{label:?}"),
                        (Kind::DropToZero, Some(row)) => assert_eq!((row.mean, row.max), (0.0, 0.0)),
                        (Kind::Flatline, Some(row)) => {
                            if let Some(before) = before {
                                assert_eq!((row.mean, row.max), (before.mean, before.max), "{label:?}");
                            }
                        }
                        (Kind::Spike, Some(row)) => {
                            assert!(row.mean >= 2.19 * usual.mean && row.mean > 1000.0, "{label:?} {row:?} {usual:?}");
                        }
                        (Kind::Microburst, Some(row)) => {
                            assert_eq!(row.mean, usual.mean);
                            assert!(row.max > 3.99 * usual.max && row.max < 7.01 * usual.max);
                        }
                        (Kind::LevelShift, Some(row)) => {
                            let factor = row.mean / usual.mean;
                            assert!([0.4, 1.8, 2.5].iter().any(|f| (factor / f - 1.0).abs() < 1e-3), "{factor}");
                        }
                        (Kind::Drift, Some(row)) => assert!(row.mean >= usual.mean && row.mean <= 3.01 * usual.mean),
                        (Kind::Backup, Some(_)) => panic!("no new backup was asked for"),
                    }
                    time = time.plus(step);
                }
            }
            // Elsewhere a row differs only in being there, beside an incident. The last day is left out:
            // what begins there may be cut off before it can be seen, and has no label then.
            let end = fleet.time(plan.slots()).plus(-DAY);
            for (place, row) in rows.iter().filter(|(place, _)| place.1 < end && !covered.contains(*place)) {
                if let Some(usual) = calm.get(place) {
                    assert_eq!(row, usual, "{place:?}");
                }
            }
            assert!(
                calm.keys().filter(|place| place.1 < end && !covered.contains(*place)).all(|p| rows.contains_key(p))
            );
        }
    }

    #[test]
    fn a_quiet_fleet_has_no_labels_and_some_gaps() {
        let mut fleet = Fleet::new(&Plan { rate: 0.0, stories: 0.0, ..Plan::default() }).unwrap();
        let slots = fleet.plan().slots();
        assert_eq!(fleet.labels(slots), []);
        let all = slots * fleet.interfaces().len() as u64;
        let missing = all - all_rows(&mut fleet).len() as u64;
        assert!(missing > all / 1000 && missing < all / 30, "{missing} of {all}");
        let outages = (0..slots).filter(|slot| fleet.slot(*slot).next().is_none()).count();
        assert!((1..=10).contains(&outages), "{outages}");
    }

    #[test]
    fn what_happens_in_the_quiet_part_has_no_label() {
        let plan = Plan { unlabelled: 0.8, rate: 0.0, stories: 0.0, ..Plan::default() };
        let mut fleet = Fleet::new(&plan).unwrap();
        assert_eq!(fleet.labels(plan.slots()), []);
        let calm = by_place(&mut Fleet::new(&Plan { unlabelled: 0.0, ..plan.clone() }).unwrap());
        let rows = by_place(&mut fleet);
        let end = plan.start.plus(i64::from(plan.quiet_days) * DAY);
        let differ: Vec<Timestamp> =
            rows.iter().filter(|(at, row)| calm.get(at) != Some(row)).map(|(at, _)| at.1).collect();
        assert!(differ.len() > 100);
        assert!(differ.iter().all(|time| *time < end && *time >= plan.start.plus(DAY)));
    }

    #[test]
    fn a_new_backup_comes_every_night_and_its_first_three_are_labelled() {
        let plan = Plan { new_backups: 0.2, rate: 0.0, stories: 0.0, ..Plan::default() };
        let mut fleet = Fleet::new(&plan).unwrap();
        let labels = fleet.labels(plan.slots());
        let repeats = fleet.repeats(plan.slots());
        assert_eq!(labels.len(), 6 * 3);
        assert!(repeats.len() > 6 * 5);
        let calm = by_place(&mut Fleet::new(&Plan { new_backups: 0.0, ..plan.clone() }).unwrap());
        let rows = by_place(&mut fleet);
        for repeat in &repeats {
            let at = (repeat.name.clone(), repeat.start);
            if let (Some(row), Some(usual)) = (rows.get(&at), calm.get(&at)) {
                assert!(row.mean > 1.5 * usual.mean, "{repeat:?}");
            }
            let label = labels.iter().find(|l| l.name == repeat.name && l.start == repeat.start && l.end == repeat.end);
            assert_eq!(label.is_some(), repeat.night <= 3);
        }
    }

    #[test]
    fn a_longer_plan_begins_with_the_shorter_one() {
        let long = many(8, 3600);
        let short = Plan { days: 20, ..long.clone() };
        let (mut a, mut b) = (Fleet::new(&short).unwrap(), Fleet::new(&long).unwrap());
        assert_eq!(
            all_rows(&mut a),
            (0..short.slots()).flat_map(|s| b.slot(s).collect::<Vec<_>>()).collect::<Vec<_>>()
        );
        assert_eq!(a.labels(short.slots()), b.labels(short.slots()));
    }
}
