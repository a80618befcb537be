//! The book of incidents: all of them in the order of their starts, each with its story and whether
//! it rings.
//!
//! It is kept up to date instead of made anew: what did not change since is left as it is, so that
//! a batch of rows costs as much after a year as on the first day. What it says follows from the
//! incidents alone, in whatever order they became known.

use std::collections::BTreeMap;

use super::core::Told;
use super::track::Track;
use crate::detect::incident::EARLY;
use crate::detect::ring::{self, Caller};
use crate::detect::silence::Activity;
use crate::detect::story::{Part, stories, unit};
use crate::detect::{Incident, IncidentKind, Settings, StoryId};
use crate::series::{DAY, InterfaceId, InterfaceName, Step, Timestamp};

/// All incidents, told.
#[derive(Debug, Default)]
pub struct Book {
    told: Vec<Told>,
    /// What each interface had when it was looked at last, and its state then.
    of: Vec<(Option<u64>, Vec<Incident>)>,
    now: Option<Timestamp>,
    filled: u64,
    first: Option<Timestamp>,
    bars: BTreeMap<i64, f64>,
}

impl Book {
    /// All incidents in the order of their starts.
    pub fn told(&self) -> &[Told] {
        &self.told
    }

    /// Brings it up to date with what the interfaces have now.
    pub fn update(&mut self, tracks: &[Track], activity: &Activity, settings: &Settings) {
        let (now, filled) = (activity.newest(), activity.filled());
        let all = filled != self.filled || activity.first() != self.first;
        let moved = now != self.now;
        (self.now, self.filled) = (now, filled);
        self.of.resize_with(tracks.len(), Default::default);
        let mut changed: Option<Timestamp> =
            (activity.first() != self.first).then(|| Timestamp::from_seconds(i64::MIN / 4));
        self.first = activity.first();
        for (i, track) in tracks.iter().enumerate() {
            let seen = self.of[i].0 == Some(track.settled());
            // One that has no rows for now may have fallen silent.
            let silent = moved && track.history().newest() < now;
            if seen && !silent && !all {
                continue;
            }
            let fresh =
                if track.step().is_some() { track.incidents(activity, settings.alarms_per_week) } else { Vec::new() };
            let old = std::mem::take(&mut self.of[i].1);
            let same = old.iter().zip(&fresh).take_while(|(a, b)| weighs_the_same(a, b)).count();
            for (before, incident) in old.iter().zip(&fresh).take(same).filter(|(a, b)| a != b) {
                if let Some(place) = self.find(before.start, track.name(), tracks, incident) {
                    self.told[place].incident = incident.clone();
                }
            }
            let from = old.get(same).into_iter().chain(fresh.get(same)).map(|i| i.start).min();
            changed = [changed, from].into_iter().flatten().min();
            self.of[i] = (Some(track.settled()), fresh);
        }
        if let (Some(from), Some(first)) = (changed, self.first) {
            self.write(from, first, tracks, settings.rings_per_day);
        }
    }

    fn find(&self, start: Timestamp, name: &InterfaceName, tracks: &[Track], incident: &Incident) -> Option<usize> {
        let key = |t: &Told| (t.incident.start, tracks[t.interface.index()].name(), t.incident.id);
        let place = self.told.partition_point(|t| key(t) < (start, name, incident.id));
        self.told.get(place).is_some_and(|t| t.incident.id == incident.id).then_some(place)
    }

    /// Writes everything anew that starts at `from` or later, and what may be in one story with it.
    fn write(&mut self, from: Timestamp, first: Timestamp, tracks: &[Track], rings_per_day: f64) {
        let mut keep = self.told.partition_point(|t| t.incident.start < from);
        // No story reaches over a pause that is longer than any interface's unit.
        let widest = tracks.iter().filter_map(Track::step).map(unit).max().unwrap_or(0);
        let mut next = from;
        while keep > 0 && next.since(self.told[keep - 1].incident.start) <= widest {
            keep -= 1;
            next = self.told[keep].incident.start;
        }
        self.told.truncate(keep);
        let after = self.told.last().map(|t| t.incident.start);
        let of = std::mem::take(&mut self.of);
        let mut fresh: Vec<Fresh<'_>> = Vec::new();
        for (i, (track, (_, own))) in tracks.iter().zip(&of).enumerate() {
            let Some(step) = track.step() else { continue };
            let begin = own.partition_point(|incident| Some(incident.start) <= after);
            let interface = InterfaceId::from_index(i);
            fresh.extend(own[begin..].iter().map(|incident| Fresh { interface, name: track.name(), step, incident }));
        }
        fresh.sort_by(|a, b| (a.incident.start, a.name, a.incident.id).cmp(&(b.incident.start, b.name, b.incident.id)));
        let parts = fresh.iter().map(|f| Part { incident: f.incident, name: f.name, step: f.step });
        let found = stories(&parts.collect::<Vec<_>>());
        let ring = self.ring(from.min(next), &fresh, &found, first, rings_per_day);
        let (again, ring) = ring.split_at(ring.len() - fresh.len());
        let redo = self.told.len() - again.len();
        self.told[redo..].iter_mut().zip(again).for_each(|(t, rings)| t.rings = *rings);
        let more = fresh.iter().zip(found).zip(ring).map(|((f, story), rings)| Told {
            interface: f.interface,
            incident: f.incident.clone(),
            story,
            rings: *rings,
            acknowledged: false,
        });
        let more: Vec<Told> = more.collect();
        self.told.extend(more);
        self.of = of;
    }

    /// Which incidents ring: of those that are kept the ones that may still change, and all fresh ones.
    fn ring(
        &mut self,
        from: Timestamp,
        fresh: &[Fresh<'_>],
        found: &[Option<(StoryId, usize)>],
        first: Timestamp,
        rings_per_day: f64,
    ) -> Vec<bool> {
        self.bars.retain(|day, _| *day <= from.seconds().div_euclid(DAY));
        let since = |time: Timestamp| self.told.partition_point(|t| t.incident.start < time);
        // What started within the hours before may still rise, and what rises depends on what rang by
        // then. The bar of its day depends on the week before.
        let redo = since(from.plus(-EARLY));
        let base = since(from.plus(-EARLY - (ring::DAYS + 3) * DAY));
        let rung: Vec<bool> = self.told[base..redo].iter().map(|t| t.rings).collect();
        let known =
            self.told[base..].iter().map(|t| Caller { incident: &t.incident, story: t.story.map(|(id, _)| id) });
        let story = |story: &Option<(StoryId, usize)>| story.map(|(id, _)| id);
        let new = fresh.iter().zip(found).map(|(f, s)| Caller { incident: f.incident, story: story(s) });
        let callers: Vec<Caller<'_>> = known.chain(new).collect();
        ring::rings(&callers, redo - base, &rung, first, rings_per_day, &mut self.bars)
    }
}

/// An incident that is to be written into the book.
struct Fresh<'a> {
    interface: InterfaceId,
    name: &'a InterfaceName,
    step: Step,
    incident: &'a Incident,
}

/// Whether two states of an incident are the same for its story and for who is called.
fn weighs_the_same(a: &Incident, b: &Incident) -> bool {
    let silent = |i: &Incident| i.kind == IncidentKind::Silence;
    a.id == b.id && a.start == b.start && a.onset == b.onset && a.rise == b.rise && silent(a) == silent(b)
}
