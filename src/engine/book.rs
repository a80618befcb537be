//! The book of incidents: all of them in the order of their starts, each with its story and whether
//! it rings.
//!
//! It is kept up to date instead of made anew: what did not change since is left as it is, so that
//! a batch of rows costs as much after a year as on the first day. What it says follows from the
//! incidents alone, in whatever order they became known.

use std::collections::{BTreeMap, BTreeSet};

use super::core::Told;
use super::moved::Missing;
use super::track::Track;
use crate::detect::incident::EARLY;
use crate::detect::ring::{self, Caller};
use crate::detect::silence::Activity;
use crate::detect::story::{Crowd, Part, run_end, stories};
use crate::detect::{Incident, IncidentId, IncidentKind, Settings};
use crate::series::{DAY, InterfaceId, InterfaceName, Step, Timestamp, WEEK};

/// Slots after an interface's last row before which it cannot be silent.
const NEVER_SILENT: i64 = 3;

/// All incidents, told.
#[derive(Debug, Default)]
pub struct Book {
    /// All that there are, those that are not listed included.
    told: Vec<Told>,
    /// Those that are listed.
    listed: usize,
    /// Where in it a run of stories begins ([`crate::detect::story`]).
    runs: Vec<usize>,
    /// What each interface had when it was looked at last.
    of: Vec<Shelf>,
    /// Interfaces that have to be looked at, since they had rows or were settled.
    noted: BTreeSet<InterfaceId>,
    /// When interfaces have to be looked at, since they may be silent then. One whose shelf has another time
    /// is not meant any more.
    alarms: BTreeMap<Timestamp, Vec<InterfaceId>>,
    silent: BTreeSet<InterfaceId>,
    /// Open incidents that are listed.
    open: BTreeSet<Place>,
    /// Closed ones in the order of their last anomalous slots.
    closed: BTreeSet<(Timestamp, Place)>,
    /// Interfaces with the revision in which their incidents changed last.
    changes: BTreeSet<(u64, InterfaceId)>,
    revision: u64,
    now: Option<Timestamp>,
    filled: u64,
    first: Option<Timestamp>,
    bars: BTreeMap<i64, f64>,
    /// Names of incidents that begin elsewhere now, with their new ones, in the order in which that became known.
    moved: Vec<(IncidentId, IncidentId)>,
}

/// Where an incident stands in the book, but for the name of its interface.
type Place = (Timestamp, IncidentId, InterfaceId);

/// One interface's incidents, and its state when they were looked at.
#[derive(Debug, Default)]
struct Shelf {
    news: Option<u64>,
    step: Option<Step>,
    newest: Option<Timestamp>,
    alarm: Option<Timestamp>,
    /// The book's revision in which its incidents changed last.
    changed: u64,
    incidents: Vec<Incident>,
    /// Too little to be listed …
    hushed: Vec<Incident>,
    /// … but for these, which are told with others of their device.
    company: Vec<Incident>,
    missing: Missing,
}

impl Book {
    /// All incidents that are listed, in the order of their starts.
    pub fn told(&self) -> impl Iterator<Item = &Told> + Clone {
        self.told.iter().filter(|told| told.is_listed())
    }

    /// How many these are.
    pub fn listed(&self) -> usize {
        self.listed
    }

    /// One interface's incidents: those that are listed for themselves in the order of their starts, then the others.
    pub fn of(&self, interface: InterfaceId) -> impl Iterator<Item = &Incident> {
        let shelf = self.of.get(interface.index());
        shelf.into_iter().flat_map(|shelf| shelf.incidents.iter().chain(&shelf.company))
    }

    /// The open incidents in the order of their starts, and at most so many closed ones: those that
    /// ended last, the last one first.
    pub fn newest(&self, tracks: &[Track], closed: usize) -> (Vec<&Told>, Vec<&Told>) {
        let find = |place: &Place| self.find(place, tracks);
        let mut open: Vec<usize> = self.open.iter().filter_map(find).collect();
        open.sort_unstable();
        let newest = self.closed.iter().rev().take(closed).filter_map(|(_, place)| find(place));
        (open.into_iter().map(|i| &self.told[i]).collect(), newest.map(|i| &self.told[i]).collect())
    }

    /// Changes whenever something in it does.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// The interfaces with an open incident.
    pub fn with_open(&self) -> impl Iterator<Item = InterfaceId> + '_ {
        self.open.iter().map(|(.., interface)| *interface)
    }

    /// The interfaces whose incidents have changed since a revision.
    pub fn changed_since(&self, revision: u64) -> impl Iterator<Item = InterfaceId> + '_ {
        self.changes.range((revision + 1, InterfaceId::from_index(0))..).map(|(_, interface)| *interface)
    }

    /// Names of incidents that begin elsewhere since this was asked last, with their new ones.
    pub fn take_moved(&mut self) -> Vec<(IncidentId, IncidentId)> {
        std::mem::take(&mut self.moved)
    }

    /// Notes that an interface had rows, the newest of them at `newest`, or that some of them were scored.
    pub fn note(&mut self, interface: InterfaceId, newest: Option<Timestamp>) {
        if interface.index() >= self.of.len() {
            self.of.resize_with(interface.index() + 1, Default::default);
        }
        self.of[interface.index()].newest = newest;
        self.noted.insert(interface);
    }

    /// Brings it up to date with what the interfaces have now.
    pub fn update(&mut self, tracks: &[Track], activity: &Activity, settings: &Settings) {
        let (now, filled, first) = (activity.newest(), activity.filled(), activity.first());
        let begins_earlier = first != self.first;
        // That others had rows in a gap after all may make it a silence.
        let all = filled != self.filled || begins_earlier;
        let moved = now != self.now;
        // A clock that was wrong had moved it: nothing that followed from it holds.
        let moved_back = now < self.now;
        (self.now, self.filled, self.first) = (now, filled, first);
        self.of.resize_with(tracks.len(), Default::default);
        let mut look = std::mem::take(&mut self.noted);
        look.retain(|id| self.silent.contains(id) || self.is_news(*id, tracks));
        if moved {
            self.silent_since(now, &mut look);
        }
        if all || moved_back {
            let may_be_silent = |shelf: &Shelf| shelf.earliest_silence().is_some_and(|at| Some(at) <= now);
            let some = tracks
                .iter()
                .zip(&self.of)
                .enumerate()
                .filter(|(_, (track, shelf))| moved_back || track.has_gaps() || may_be_silent(shelf));
            look.extend(some.map(|(i, _)| InterfaceId::from_index(i)));
        }
        let mut write = begins_earlier.then(|| Timestamp::from_seconds(i64::MIN / 4));
        let mut ring = write;
        let mut rewritten = BTreeSet::new();
        for id in look {
            let changed = self.look(id, tracks, activity, settings);
            if changed.write.is_some() {
                rewritten.insert(id);
            }
            write = [write, changed.write].into_iter().flatten().min();
            ring = [ring, changed.ring].into_iter().flatten().min();
        }
        if let Some(from) = write {
            let written = self.write(from, &rewritten, tracks);
            ring = [ring, Some(written)].into_iter().flatten().min();
        }
        if let (Some(from), Some(first)) = (ring, first) {
            self.ring(from, first, settings.rings_per_day);
            self.revision += 1;
        }
    }

    fn is_news(&self, id: InterfaceId, tracks: &[Track]) -> bool {
        self.of[id.index()].news != Some(tracks[id.index()].news())
    }

    /// Adds the interfaces that may be silent, or are no longer.
    fn silent_since(&mut self, now: Option<Timestamp>, look: &mut BTreeSet<InterfaceId>) {
        look.extend(&self.silent);
        while let Some((time, ids)) = self.alarms.pop_first() {
            if Some(time) > now {
                self.alarms.insert(time, ids);
                break;
            }
            for id in ids {
                let shelf = &mut self.of[id.index()];
                if shelf.alarm != Some(time) {
                    continue;
                }
                shelf.alarm = shelf.earliest_silence().filter(|next| *next > time);
                match shelf.alarm {
                    Some(next) => self.alarms.entry(next).or_default().push(id),
                    None => _ = look.insert(id),
                }
            }
        }
    }

    /// Looks at one interface's incidents.
    fn look(&mut self, id: InterfaceId, tracks: &[Track], activity: &Activity, settings: &Settings) -> Changed {
        let track = &tracks[id.index()];
        let step = track.step();
        let all = if step.is_some() { track.incidents(activity, settings.alarms_per_week) } else { Vec::new() };
        let (hushed, fresh): (Vec<_>, Vec<_>) = all.into_iter().partition(|incident| incident.usual);
        let shelf = &mut self.of[id.index()];
        let same_step = shelf.step == step;
        let old = std::mem::take(&mut shelf.incidents);
        let old_hushed = std::mem::take(&mut shelf.hushed);
        self.moved.extend(shelf.missing.follow(&old, &fresh, !track.is_due()));
        (shelf.news, shelf.step, shelf.newest) = (Some(track.news()), step, track.history().newest());
        // Silence is looked for again whenever now moves, once it may be there.
        let silent = fresh.iter().any(|i| i.kind == IncidentKind::Silence && i.end.is_none());
        let next = shelf.earliest_silence().filter(|_| !silent).map(|t| t.max(self.now.map_or(t, |n| n.plus(1))));
        if shelf.alarm != next {
            next.into_iter().for_each(|next| self.alarms.entry(next).or_default().push(id));
            shelf.alarm = next;
        }
        if silent {
            self.silent.insert(id)
        } else {
            self.silent.remove(&id)
        };
        let mut changed = self.renew(id, &old_hushed, &hushed, same_step, tracks);
        self.of[id.index()].hushed = hushed;
        if old == fresh && same_step {
            self.of[id.index()].incidents = old;
            return changed;
        }
        self.touch(id);
        old.iter().for_each(|incident| self.strike(id, incident));
        fresh.iter().for_each(|incident| self.list(id, incident));
        let listed = self.renew(id, &old, &fresh, same_step, tracks);
        changed.write = [changed.write, listed.write].into_iter().flatten().min();
        changed.ring = [changed.ring, listed.ring].into_iter().flatten().min();
        self.of[id.index()].incidents = fresh;
        changed
    }

    /// Brings what is told up to date where an interface's incidents changed in ways that do not matter to their
    /// stories, and says from when on more has to be done.
    fn renew(
        &mut self,
        id: InterfaceId,
        old: &[Incident],
        fresh: &[Incident],
        same_step: bool,
        tracks: &[Track],
    ) -> Changed {
        let joins = |a: &Incident, b: &Incident| same_step && joins_the_same(a, b);
        let alike = old.iter().zip(fresh).take_while(|(a, b)| joins(a, b)).count();
        let mut changed = Changed::default();
        for (before, incident) in old.iter().zip(fresh).take(alike).filter(|(a, b)| a != b) {
            let Some(place) = self.find(&(incident.start, incident.id, id), tracks) else { continue };
            self.told[place].incident = incident.clone();
            if !self.told[place].is_listed() {
                continue;
            }
            if incident.usual {
                self.part(id, before);
                self.accompany(id, incident);
            }
            if before.rise != incident.rise {
                changed.ring = changed.ring.or(Some(incident.start));
            }
        }
        changed.write = old.get(alike).into_iter().chain(fresh.get(alike)).map(|i| i.start).min();
        changed
    }

    /// Takes note that an interface's incidents have changed.
    fn touch(&mut self, id: InterfaceId) {
        self.revision += 1;
        self.changes.remove(&(self.of[id.index()].changed, id));
        self.changes.insert((self.revision, id));
        self.of[id.index()].changed = self.revision;
    }

    /// Lists one that is told for its company.
    fn accompany(&mut self, id: InterfaceId, incident: &Incident) {
        self.list(id, incident);
        self.of[id.index()].company.push(incident.clone());
        self.touch(id);
    }

    /// It is told no longer, or not as it was.
    fn part(&mut self, id: InterfaceId, incident: &Incident) {
        self.strike(id, incident);
        self.of[id.index()].company.retain(|other| other.id != incident.id);
        self.touch(id);
    }

    fn list(&mut self, id: InterfaceId, incident: &Incident) {
        let place = (incident.start, incident.id, id);
        match incident.end {
            None => self.open.insert(place),
            Some(_) => self.closed.insert((incident.latest, place)),
        };
    }

    fn strike(&mut self, id: InterfaceId, incident: &Incident) {
        let place = (incident.start, incident.id, id);
        match incident.end {
            None => self.open.remove(&place),
            Some(_) => self.closed.remove(&(incident.latest, place)),
        };
    }

    fn find(&self, &(start, id, interface): &Place, tracks: &[Track]) -> Option<usize> {
        let wanted = (start, tracks[interface.index()].name(), id);
        let place = self.told.partition_point(|t| t.key(tracks) < wanted);
        self.told.get(place).is_some_and(|t| t.incident.id == id).then_some(place)
    }

    /// Writes everything anew that starts at `from` or later, and what may be in one story with it; who
    /// is called is then to be decided again from the moment that it gives. The incidents of the
    /// interfaces in `changed` are taken from their shelves.
    fn write(&mut self, from: Timestamp, changed: &BTreeSet<InterfaceId>, tracks: &[Track]) -> Timestamp {
        // Runs before the one of the last incident that started earlier stay as they are.
        let before = self.told.partition_point(|t| t.incident.start < from);
        let whole = self.runs.partition_point(|run| *run < before).saturating_sub(1);
        let keep = self.runs.get(whole).copied().unwrap_or(0);
        self.runs.truncate(whole);
        let mut fresh = self.told.split_off(keep);
        self.listed -= fresh.iter().filter(|t| t.is_listed()).count();
        fresh.iter().filter(|t| t.is_company()).for_each(|t| self.part(t.interface, &t.incident));
        fresh.retain(|t| !changed.contains(&t.interface));
        let after = self.told.last().map(|t| t.key(tracks));
        for id in changed {
            let name = tracks[id.index()].name();
            let shelf = &self.of[id.index()];
            for own in [&shelf.incidents, &shelf.hushed] {
                let begin = own.partition_point(|i| Some((i.start, name, i.id)) <= after);
                fresh.extend(own[begin..].iter().map(|incident| Told {
                    interface: *id,
                    incident: incident.clone(),
                    story: None,
                    rings: false,
                }));
            }
        }
        fresh.sort_by(|a, b| a.key(tracks).cmp(&b.key(tracks)));
        let part = |t: &Told| {
            let track = &tracks[t.interface.index()];
            track.step().map(|step| (track.name(), step))
        };
        // One without a step has no incidents.
        fresh.retain(|t| part(t).is_some());
        let parts: Vec<Part<'_>> = fresh
            .iter()
            .filter_map(|t| part(t).map(|(name, step)| Part { incident: &t.incident, name, step }))
            .collect();
        let mut begin = 0;
        while begin < parts.len() {
            self.runs.push(keep + begin);
            begin = run_end(&parts, begin);
        }
        let written = fresh.first().map_or(from, |t| from.min(t.incident.start));
        let mut crowd = Crowd::new(self.first.unwrap_or(written));
        let week = self.told.partition_point(|t| t.incident.start < written.plus(-WEEK));
        self.told[week..].iter().filter(|t| t.begins()).for_each(|t| crowd.learn(&t.incident));
        let found = stories(&parts, &mut crowd);
        fresh.iter_mut().zip(found).for_each(|(t, story)| t.story = story);
        fresh.iter().filter(|t| t.is_company()).for_each(|t| self.accompany(t.interface, &t.incident));
        self.listed += fresh.iter().filter(|t| t.is_listed()).count();
        self.told.extend(fresh);
        written
    }

    /// Decides who is called of all that started at `from` or later, and of what may depend on it.
    fn ring(&mut self, from: Timestamp, first: Timestamp, rings_per_day: f64) {
        self.bars.retain(|day, _| *day <= from.seconds().div_euclid(DAY));
        let since = |time: Timestamp| self.told.partition_point(|t| t.incident.start < time);
        // What started within the hours before may still rise, and what rises depends on what rang by
        // then. The bar of its day depends on the week before.
        let redo = since(from.plus(-EARLY));
        let base = since(from.plus(-EARLY - (ring::DAYS + 3) * DAY));
        let listed = |t: &&Told| t.is_listed();
        let rung: Vec<bool> = self.told[base..redo].iter().filter(listed).map(|t| t.rings).collect();
        let callers = self.told[base..].iter().filter(listed);
        let callers = callers.map(|t| Caller {
            incident: &t.incident,
            story: t.story.map(|(id, _)| id),
            // One without a step has no incidents.
            step: self.of[t.interface.index()].step.unwrap_or(Step::SECOND),
        });
        let callers: Vec<Caller<'_>> = callers.collect();
        let ring = ring::rings(&callers, rung.len(), &rung, first, rings_per_day, &mut self.bars);
        let callers = self.told[redo..].iter_mut().filter(|t| t.is_listed());
        callers.zip(ring).for_each(|(t, rings)| t.rings = rings);
    }
}

/// From when on something has to be done again, since an interface's incidents have changed.
#[derive(Debug, Default)]
struct Changed {
    /// The book has to be written.
    write: Option<Timestamp>,
    /// Who is called has to be decided.
    ring: Option<Timestamp>,
}

impl Shelf {
    /// The first moment at which the interface can be silent, by its newest row; none where it is not judged.
    fn earliest_silence(&self) -> Option<Timestamp> {
        Some(self.newest?.plus(NEVER_SILENT * self.step?.seconds()))
    }
}

impl Told {
    fn key<'a>(&self, tracks: &'a [Track]) -> (Timestamp, &'a InterfaceName, IncidentId) {
        (self.incident.start, tracks[self.interface.index()].name(), self.incident.id)
    }

    /// Whether it is rare enough by itself, or told for its company.
    fn is_listed(&self) -> bool {
        !self.incident.usual || self.story.is_some()
    }

    fn is_company(&self) -> bool {
        self.incident.usual && self.story.is_some()
    }

    /// Whether it is listed for itself, and alone or the first one of its story.
    fn begins(&self) -> bool {
        !self.incident.usual && self.story.is_none_or(|(story, _)| story.0 == self.incident.id.0)
    }
}

/// Whether two states of an incident are the same for its story.
fn joins_the_same(a: &Incident, b: &Incident) -> bool {
    let silent = |i: &Incident| i.kind == IncidentKind::Silence;
    a.id == b.id && a.start == b.start && a.onset == b.onset && silent(a) == silent(b) && a.usual == b.usual
}
