//! When something happens, to which interface.
//!
//! Incidents are placed week by week, each week from a stream of its own, so that a longer plan or a
//! live run has the same incidents as a shorter one and then some more.

use std::ops::Range;

use super::kind::{APART, Incident, Kind};
use super::noise::{key, purpose};
use super::plan::Plan;
use super::profile::{Nature, Profile};
use crate::random::Random;
use crate::series::{DAY, Timestamp};

/// Places that are tried before an incident is given up: a full fleet has no room left.
const TRIES: usize = 300;
/// Of these, how many insist on a moment when nothing else starts, so that incidents that have
/// nothing to do with each other do not look like one story.
const LONELY_TRIES: usize = 150;
/// Seconds between two such starts.
const LONELY: i64 = 3600;

/// Days after which an incident comes again, where it does.
const AGAIN: Range<f64> = 3.1..6.0;

/// Days for which one outage of the collector is drawn; it happens three times out of four.
const OUTAGE_DAYS: u64 = 15;

/// All that happens, as far as it was asked for.
#[derive(Debug, Clone)]
pub(super) struct Schedule {
    plan: Plan,
    /// Of each interface, in time order, no two touching.
    of: Vec<Vec<Incident>>,
    /// Starts of everything, for stories to stay alone.
    starts: Vec<u64>,
    /// Kinds still to be dealt before the deck is shuffled again: so that each kind gets its share.
    deck: Vec<Kind>,
    weeks: u64,
    stories: u32,
}

/// What happens, and when; not yet to whom.
struct What {
    kind: Kind,
    start: u64,
    end: u64,
}

impl What {
    fn on(&self, interface: usize, amount: f64, story: Option<u32>, labelled: bool) -> Incident {
        Incident { interface, kind: self.kind, start: self.start, end: self.end, amount, story, labelled }
    }
}

impl Schedule {
    pub(super) fn new(plan: &Plan, profiles: &[Profile]) -> Self {
        let mut new = Self {
            plan: plan.clone(),
            of: vec![Vec::new(); profiles.len()],
            starts: Vec::new(),
            deck: Vec::new(),
            weeks: 0,
            stories: 0,
        };
        new.follow_script(profiles);
        new
    }

    /// Puts an incident in its place.
    pub(super) fn add(&mut self, incident: Incident) {
        let list = &mut self.of[incident.interface];
        let at = list.partition_point(|other| other.start < incident.start);
        list.insert(at, incident);
        self.starts.push(incident.start);
    }

    /// What happens to an interface in a slot.
    pub(super) fn at(&mut self, interface: usize, slot: u64, profiles: &[Profile]) -> Option<Incident> {
        self.extend_to(slot, profiles);
        self.find(interface, slot)
    }

    /// The same, where the schedule reaches that far.
    fn find(&self, interface: usize, slot: u64) -> Option<Incident> {
        let list = &self.of[interface];
        let after = list.partition_point(|incident| incident.start <= slot);
        list[..after].last().copied().filter(|incident| incident.covers(slot))
    }

    /// Whether a short incident is going on, or begins or ends right beside the slot: there no row
    /// goes missing by chance, or it could not be seen.
    pub(super) fn needs_rows(&self, interface: usize, slot: u64) -> bool {
        (slot.saturating_sub(1)..=slot + 1).any(|s| self.find(interface, s).is_some_and(|i| !i.kind.is_long()))
    }

    /// Everything that starts before `slot`, by interface.
    pub(super) fn before(&mut self, slot: u64, profiles: &[Profile]) -> impl Iterator<Item = &Incident> {
        self.extend_to(slot, profiles);
        self.of.iter().flatten().filter(move |incident| incident.start < slot)
    }

    fn extend_to(&mut self, slot: u64, profiles: &[Profile]) {
        while self.weeks * 7 * self.plan.slots_per_day() <= slot {
            self.fill_week(self.weeks, profiles);
            self.weeks += 1;
        }
    }

    /// Draws one week's incidents: what gets no label first, then what gets one.
    fn fill_week(&mut self, week: u64, profiles: &[Profile]) {
        let per_day = self.plan.slots_per_day();
        let all = week * 7 * per_day..(week + 1) * 7 * per_day;
        let quiet_end = (u64::from(self.plan.quiet_days) * per_day).clamp(all.start, all.end);
        let random = &mut Random::new(key(&[self.plan.seed, purpose::WEEK, week]));
        let interfaces = profiles.len() as f64;
        let devices = f64::from(self.plan.devices);
        // A whole number for a whole fleet, so that small fleets get their share, too.
        let count = |rate: f64, of: f64, part: &Range<u64>, random: &mut Random| {
            let expected = rate * of * (part.end - part.start) as f64 / (all.end - all.start) as f64;
            libm::floor(expected + random.unit()) as usize
        };
        // The first day stays as it is: nobody could say what is unusual there.
        let unlabelled = all.start.max(per_day).min(quiet_end)..quiet_end;
        for _ in 0..count(self.plan.unlabelled, interfaces, &unlabelled, random) {
            self.place_single(&unlabelled, false, profiles, random);
        }
        let labelled = quiet_end.max(per_day.min(all.end))..all.end;
        for _ in 0..count(self.plan.stories, devices, &labelled, random) {
            self.place_story(&labelled, profiles, random);
        }
        for _ in 0..count(self.plan.rate, interfaces, &labelled, random) {
            self.place_single(&labelled, true, profiles, random);
        }
    }

    fn place_single(&mut self, within: &Range<u64>, labelled: bool, profiles: &[Profile], random: &mut Random) {
        if self.deck.is_empty() {
            self.deck.clone_from(&self.plan.kinds);
            random.shuffle(&mut self.deck);
        }
        let Some(kind) = self.deck.pop() else { return };
        for attempt in 0..TRIES {
            let interface = random.below(profiles.len());
            let what = self.draw(kind, within, random);
            let amount = kind.draw_amount(&profiles[interface], 0.0, random);
            if !labelled && what.end >= within.end {
                continue;
            }
            if self.fits(interface, &what, self.apart(), profiles)
                && self.stands_out(interface, &what, profiles)
                && (attempt >= LONELY_TRIES || self.is_lonely(what.start))
            {
                self.add(what.on(interface, amount, None, labelled));
                if labelled && self.plan.repeats > 0.0 && random.chance(self.plan.repeats) {
                    self.repeat(interface, &what, amount, profiles, random);
                }
                return;
            }
        }
    }

    /// The same thing once more on the same interface, some days later.
    fn repeat(&mut self, interface: usize, first: &What, amount: f64, profiles: &[Profile], random: &mut Random) {
        for _ in 0..TRIES {
            let later = (DAY as f64 * random.between(AGAIN.start, AGAIN.end)) as i64 / self.plan.step.seconds();
            let start = first.end + later.unsigned_abs();
            let what = What { kind: first.kind, start, end: start + first.end - first.start };
            if self.fits(interface, &what, self.apart(), profiles) && self.stands_out(interface, &what, profiles) {
                self.add(what.on(interface, amount * random.between(0.95, 1.05), None, true));
                return;
            }
        }
    }

    fn place_story(&mut self, within: &Range<u64>, profiles: &[Profile], random: &mut Random) {
        let kinds: Vec<Kind> = Kind::OF_STORIES.into_iter().filter(|kind| self.plan.kinds.contains(kind)).collect();
        if kinds.is_empty() {
            return;
        }
        let kind = kinds[random.below(kinds.len())];
        for attempt in 0..TRIES {
            let device = random.below(self.plan.devices as usize);
            let what = self.draw(kind, within, random);
            let mut fit: Vec<usize> = self
                .interfaces_of(device)
                .filter(|i| self.fits(*i, &what, self.apart(), profiles) && self.stands_out(*i, &what, profiles))
                .collect();
            if fit.len() < 3 || (attempt < LONELY_TRIES && !self.is_lonely(what.start)) {
                continue;
            }
            random.shuffle(&mut fit);
            fit.truncate(3 + random.below(fit.len().min(6) - 2));
            self.add_all(&fit, &what, 0.0, profiles, random);
            return;
        }
    }

    /// Places what was asked for: where it stands out best, then on interfaces that little happened to.
    fn follow_script(&mut self, profiles: &[Profile]) {
        let random = &mut Random::new(key(&[self.plan.seed, purpose::SCRIPT]));
        let space = self.plan.slots_per_day() / 4;
        for wanted in self.plan.script.clone() {
            let start = self.plan.slots() + wanted.after;
            let slots = match wanted.kind {
                // Those that are shown on request are short: one wants to see the end, too.
                Kind::DropToZero | Kind::Silence => 5,
                Kind::Flatline => 9,
                kind => kind.draw_slots(self.plan.step, random),
            };
            let what = What { kind: wanted.kind, start, end: start + slots - 1 };
            let mut devices: Vec<usize> = (0..self.plan.devices as usize).collect();
            random.shuffle(&mut devices);
            let worse = |i: &usize| (!self.stands_out(*i, &what, profiles), self.of[*i].len());
            let best = devices
                .into_iter()
                .filter_map(|device| {
                    let mut fit: Vec<usize> = self
                        .interfaces_of(device)
                        .filter(|i| profiles[*i].nature == Nature::Busy && self.fits(*i, &what, space, profiles))
                        .collect();
                    fit.sort_by_key(worse);
                    fit.truncate(wanted.interfaces as usize);
                    (fit.len() == wanted.interfaces as usize).then_some(fit)
                })
                .min_by_key(|fit| fit.iter().map(worse).max());
            if let Some(fit) = best {
                self.add_all(&fit, &what, 0.5, profiles, random);
            }
        }
    }

    /// The same thing at the same time on some interfaces; one story, where there is more than one.
    fn add_all(&mut self, interfaces: &[usize], what: &What, lowest: f64, profiles: &[Profile], random: &mut Random) {
        let story = (interfaces.len() > 1).then(|| {
            self.stories += 1;
            self.stories
        });
        for &interface in interfaces {
            let amount = what.kind.draw_amount(&profiles[interface], lowest, random);
            self.add(what.on(interface, amount, story, true));
        }
    }

    fn interfaces_of(&self, device: usize) -> Range<usize> {
        let each = self.plan.interfaces as usize;
        device * each..(device + 1) * each
    }

    fn draw(&self, kind: Kind, within: &Range<u64>, random: &mut Random) -> What {
        let slots = usize::try_from(within.end - within.start).unwrap_or(usize::MAX);
        let start = within.start + random.below(slots) as u64;
        What { kind, start, end: start + kind.draw_slots(self.plan.step, random) - 1 }
    }

    /// Slots between two incidents of one interface.
    fn apart(&self) -> u64 {
        (APART / self.plan.step.seconds()).unsigned_abs()
    }

    /// Whether it can happen to an interface, with `space` slots to anything else.
    fn fits(&self, interface: usize, what: &What, space: u64, profiles: &[Profile]) -> bool {
        let What { kind, start, end } = *what;
        let profile = &profiles[interface];
        let in_a_burst = || {
            matches!(kind, Kind::Spike | Kind::Microburst)
                && profile.bursts_between(self.time(start), self.time(end + 1))
        };
        let in_an_outage =
            || !kind.is_long() && (start.saturating_sub(2)..=end + 2).any(|slot| is_outage(&self.plan, slot));
        kind.suits(profile.nature)
            && !(kind == Kind::Silence && profile.often_missing())
            && self.of[interface].iter().all(|other| end + space < other.start || other.end + space < start)
            && !in_a_burst()
            && !in_an_outage()
    }

    /// Whether it looks like nothing usual: where weekends are quiet, a weekend's rise would look
    /// like any working day.
    fn stands_out(&self, interface: usize, what: &What, profiles: &[Profile]) -> bool {
        !matches!(what.kind, Kind::Spike | Kind::Microburst | Kind::Drift)
            || [what.start, what.end].into_iter().all(|slot| profiles[interface].week(self.time(slot)) > 0.8)
    }

    /// Whether nothing else starts around that slot.
    fn is_lonely(&self, start: u64) -> bool {
        let around = (LONELY / self.plan.step.seconds()).unsigned_abs().max(1);
        self.starts.iter().all(|other| other.abs_diff(start) > around)
    }

    fn time(&self, slot: u64) -> Timestamp {
        time_of(&self.plan, slot)
    }
}

/// The begin of a slot.
pub(super) fn time_of(plan: &Plan, slot: u64) -> Timestamp {
    plan.start.plus(slot as i64 * plan.step.seconds())
}

/// Whether the collector is out in a slot, so that nobody has a row.
pub(super) fn is_outage(plan: &Plan, slot: u64) -> bool {
    // While a script is played, it is not spoilt.
    if plan.script.iter().any(|s| plan.slots() + s.after + plan.slots_per_day() > slot) && slot >= plan.slots() {
        return false;
    }
    let block_slots = OUTAGE_DAYS * plan.slots_per_day();
    let random = &mut Random::new(key(&[plan.seed, purpose::OUTAGE, slot / block_slots]));
    if !random.chance(0.75) {
        return false;
    }
    let longest = plan.step.slots_in(3 * 3600);
    let length = (random.between(0.1, 1.0) * longest).round().max(1.0) as u64;
    let first = plan.slots_per_day();
    let start = first + random.below(usize::try_from(block_slots - first - length).unwrap_or(0)) as u64;
    (start..start + length).contains(&(slot % block_slots))
}

/// Days of the fleet on which a new backup may begin: after the quiet part, early enough to be seen
/// as a habit before the history ends.
pub(super) fn backup_days(plan: &Plan) -> Range<i64> {
    let first = i64::from(plan.quiet_days) + 1;
    let last = i64::from(plan.days) - 5;
    first..last.max(first + 1)
}

/// The slots that a time from `from` until before `to` touches.
pub(super) fn slots_touched(plan: &Plan, from: Timestamp, to: Timestamp) -> (u64, u64) {
    let step = plan.step.seconds();
    let first = from.since(plan.start).div_euclid(step).max(0);
    let last = (to.since(plan.start) - 1).div_euclid(step).max(first);
    (first.unsigned_abs(), last.unsigned_abs())
}

/// Nights of a new backup that are labelled.
pub(super) const NIGHTS_LABELLED: u32 = 3;
