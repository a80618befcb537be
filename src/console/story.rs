//! What incidents share, said in one sentence: the device, the direction, the start, how rare.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::app::App;
use crate::engine::{Direction, IncidentKind, IncidentView, Snapshot, StoryId};
use crate::format;
use crate::series::{InterfaceId, Timestamp};

/// Incidents that are one thing: those of a story, or one on its own.
#[derive(Debug, Clone)]
pub struct Story<'a> {
    /// At least one, in the order of the snapshot.
    pub members: Vec<&'a IncidentView>,
    /// How many there are, listed or not.
    pub size: usize,
}

impl<'a> Story<'a> {
    /// All listed incidents of a story; none where none is listed.
    pub fn of(id: StoryId, snapshot: &'a Snapshot) -> Option<Self> {
        Self::from_members(snapshot.incidents.iter().map(Arc::as_ref).filter(|i| i.story == Some(id)).collect())
    }

    /// These incidents; none where there are none.
    pub fn from_members(members: Vec<&'a IncidentView>) -> Option<Self> {
        let size = members.iter().map(|i| i.story_size).max()?.max(members.len());
        Some(Self { members, size })
    }

    /// Its interfaces, each once, in the order of the members.
    pub fn interfaces(&self) -> Vec<InterfaceId> {
        let mut seen = BTreeSet::new();
        self.members.iter().map(|i| i.interface).filter(|id| seen.insert(*id)).collect()
    }

    fn hosts(&self) -> BTreeSet<&Arc<str>> {
        self.members.iter().map(|i| &i.name.host).collect()
    }

    /// The first start.
    pub fn start(&self) -> Timestamp {
        self.members.iter().map(|i| i.start).min().unwrap_or(self.members[0].start)
    }

    /// The last end; none while one is open.
    pub fn end(&self) -> Option<Timestamp> {
        self.members.iter().map(|i| i.end).max_by_key(|end| end.map_or(i64::MAX, Timestamp::seconds))?
    }

    /// The device that is down: all its interfaces have fallen silent or to nothing.
    pub fn device_down(&self, snapshot: &Snapshot) -> Option<&'a str> {
        let host = &self.members[0].name.host;
        let nothing = |i: &&IncidentView| {
            i.name.host == *host && matches!(i.kind, IncidentKind::Silence | IncidentKind::DropToZero)
        };
        if !self.members.iter().all(nothing) {
            return None;
        }
        let place = snapshot.devices.binary_search_by(|d| d.host.cmp(host)).ok()?;
        let all = snapshot.devices[place].interfaces.len();
        (all > 1 && self.interfaces().len() == all).then_some(&**host)
    }

    /// What it is: the kind that all have, else the direction, with the median of how many times the
    /// usual value they have.
    fn what(&self, ascii: bool) -> String {
        let first = self.members[0];
        let kind = self.members.iter().all(|i| i.kind == first.kind).then_some(first.kind);
        let direction = first.direction.filter(|d| self.members.iter().all(|i| i.direction == Some(*d)));
        let way = direction.map(Direction::word);
        let mut words = match (kind, way) {
            (Some(kind @ (IncidentKind::Drop | IncidentKind::DropToZero)), _) => kind.word().to_owned(),
            (Some(kind), Some(way)) => format!("{} {way}", kind.word()),
            (Some(kind), None) => kind.word().to_owned(),
            (None, Some(way)) => format!("{way}, of several kinds"),
            (None, None) => "of several kinds".to_owned(),
        };
        let mut factors: Vec<f64> = self.members.iter().map(|i| i.peak_value / i.peak_expected).collect();
        factors.retain(|f| f.is_finite() && *f > 0.0);
        factors.sort_by(f64::total_cmp);
        let telling = !matches!(kind, Some(IncidentKind::Silence | IncidentKind::Flatline | IncidentKind::DropToZero));
        if let Some(factor) = factors.get(factors.len() / 2).filter(|_| telling) {
            words.push_str(&format::factor(*factor, ascii));
        }
        words
    }

    /// One sentence: `3 interfaces of core-2: spike up ×2.4 since 13:50, for 15 min, never in 9 weeks`.
    pub fn sentence(&self, app: &App) -> String {
        let [what, when] = self.halves(app);
        format!("{what} {when}")
    }

    /// The sentence in two halves: who and what; when and how rare.
    pub fn halves(&self, app: &App) -> [String; 2] {
        let (snapshot, ascii) = (&app.snapshot, app.options.ascii);
        let (interfaces, hosts) = (self.interfaces(), self.hosts());
        let down = self.device_down(snapshot);
        let who = match (down, interfaces.len().max(self.size), hosts.len()) {
            (Some(host), n, _) => format!("{host} is down, all its {n} interfaces"),
            (None, 1, _) => self.members[0].name.to_string(),
            (None, n, 1) => format!("{n} interfaces of {}", self.members[0].name.host),
            (None, n, devices) => format!("{n} interfaces of {devices} devices"),
        };
        let newest = snapshot.now.unwrap_or_else(|| self.start());
        let start = app.when(self.start());
        let time = match self.end() {
            None => format!("since {start}, for {}", lasted(newest.since(self.start()))),
            Some(end) => format!("from {start} to {}, {}", app.when(end), lasted(end.since(self.start()))),
        };
        let worst = self.members.iter().max_by(|a, b| a.peak.total_cmp(&b.peak));
        let rarity = worst.and_then(|worst| {
            let step = app.fleet.interface(snapshot, worst.interface).and_then(|i| i.step);
            format::how_rare(worst, worst.verdict, step).map(|rare| format!(", {rare}"))
        });
        [format!("{who}: {}", self.what(ascii)), format!("{time}{}", rarity.unwrap_or_default())]
    }
}

/// How long: an incident that starts and ends in one slot has no length that could be said in seconds.
fn lasted(seconds: i64) -> String {
    if seconds <= 0 { "one slot".to_owned() } else { format::span(seconds) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::tests::app;

    #[test]
    fn a_sentence_says_what_is_shared() {
        let app = app(80, 24);
        let story = Story::of(StoryId(7), &app.snapshot).unwrap();
        assert_eq!(
            story.sentence(&app),
            "3 interfaces of core-2: spike up ×2.4 since 13:50, for 15 min, never in 9 weeks"
        );
        assert_eq!(story.device_down(&app.snapshot), None);
        assert!(Story::of(StoryId(8), &app.snapshot).is_none());
        let closed = Story::from_members(vec![&app.snapshot.incidents[6]]).unwrap();
        assert_eq!(closed.sentence(&app), "edge-7 ge-0/0/1: flatline from 05:45 to 08:31, 2 h, seen before");
    }

    #[test]
    fn a_device_is_down_when_all_its_interfaces_are() {
        let app = app(80, 24);
        let edge: Vec<_> = app.snapshot.interfaces.iter().filter(|i| &*i.name.host == "edge-9").collect();
        let silent: Vec<IncidentView> = edge
            .iter()
            .map(|i| {
                let mut incident = app.snapshot.incidents[4].as_ref().clone();
                (incident.interface, incident.name) = (i.id, i.name.clone());
                incident
            })
            .collect();
        let all = Story::from_members(silent.iter().collect()).unwrap();
        assert_eq!(all.device_down(&app.snapshot), Some("edge-9"));
        let said = all.sentence(&app);
        assert!(said.starts_with("edge-9 is down, all its 3 interfaces: silence since 13:51"), "{said}");
        let some = Story::from_members(silent[1..].iter().collect()).unwrap();
        assert_eq!(some.device_down(&app.snapshot), None);
    }
}
