//! The list of incidents: stories as one line each, folded or not, and what is chosen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::scroll::Scroll;
use super::story::Story;
use crate::engine::{IncidentId, IncidentView, Snapshot, StoryId, Verdict};
use crate::series::Timestamp;

/// One line of the list. Numbers are places in the snapshot's incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// An incident on its own.
    Single(usize),
    /// Incidents that belong together.
    Story {
        /// Which story.
        id: StoryId,
        /// Its incidents that are listed, in the snapshot's order.
        members: Vec<usize>,
        /// Whether they follow as lines of their own.
        unfolded: bool,
    },
    /// An incident of the unfolded story above.
    Member {
        /// Which incident.
        place: usize,
        /// Whether it is the story's last one.
        last: bool,
    },
}

/// Which incidents are lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Listed {
    /// All of them.
    #[default]
    All,
    /// Open ones, and stories with an open one.
    Open,
    /// Closed ones.
    Closed,
}

/// What is chosen, whatever line it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chosen {
    /// An incident.
    Incident(IncidentId),
    /// A story.
    Story(StoryId),
}

/// A line's incidents as one.
#[derive(Debug, Clone)]
pub struct Summary<'a> {
    /// The incident that stands for all: the highest peak.
    pub worst: &'a IncidentView,
    /// How many others there are, listed or not.
    pub others: usize,
    /// The first start.
    pub start: Timestamp,
    /// The last end; none while one is open.
    pub end: Option<Timestamp>,
    /// The last anomalous slot.
    pub latest: Timestamp,
    /// Whether somebody has attended to all that are open (or all, where none is).
    pub acknowledged: bool,
    /// Noise where any is noise.
    pub verdict: Verdict,
    /// Whether any of it calls somebody.
    pub rings: bool,
    /// Story, where it is one.
    pub story: Option<StoryId>,
    /// The device that is down, where that is what it is.
    pub down: Option<&'a str>,
}

/// How many there are of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Open, and nobody has attended to them.
    pub open: usize,
    /// Those of them that ring.
    pub ringing: usize,
    /// Open, and acknowledged, muted or of a retired interface.
    pub acknowledged: usize,
    /// Closed and listed.
    pub closed: usize,
}

/// The list's state.
#[derive(Debug, Default)]
pub struct Anomalies {
    /// Cursor and first visible line.
    pub scroll: Scroll,
    /// Whether nobody is at this list: it shows its top then, since what is new comes there.
    pub unattended: bool,
    lines: Vec<Line>,
    unfolded: BTreeSet<StoryId>,
    chosen: Option<Chosen>,
    letters: BTreeMap<StoryId, char>,
    counts: Counts,
    listed: Listed,
}

impl Anomalies {
    /// Which incidents are lines.
    pub fn listed(&self) -> Listed {
        self.listed
    }

    /// Goes on to the next choice of what is listed.
    pub fn list_next(&mut self, snapshot: &Snapshot, height: usize) {
        self.listed = match self.listed {
            Listed::All => Listed::Open,
            Listed::Open => Listed::Closed,
            Listed::Closed => Listed::All,
        };
        self.arrange(snapshot, height);
    }

    /// The lines in their order.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// How many of each kind there are.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The line of the cursor.
    pub fn cursor(&self) -> Option<usize> {
        (!self.lines.is_empty()).then_some(self.scroll.cursor)
    }

    /// The letter of a story: the same as long as the story is listed.
    pub fn letter(&self, story: StoryId) -> char {
        self.letters.get(&story).copied().unwrap_or('*')
    }

    /// Takes over a new set of incidents.
    pub fn renew(&mut self, snapshot: &Snapshot, height: usize) {
        let listed: BTreeSet<StoryId> = snapshot.incidents.iter().filter_map(|i| i.story).collect();
        self.letters.retain(|story, _| listed.contains(story));
        self.unfolded.retain(|story| listed.contains(story));
        self.counts = Counts::default();
        for incident in snapshot.incidents.iter() {
            match (incident.end, incident.attended()) {
                (None, false) => {
                    self.counts.open += 1;
                    self.counts.ringing += usize::from(incident.rings);
                }
                (None, true) => self.counts.acknowledged += 1,
                (Some(_), _) => self.counts.closed += 1,
            }
            if let Some(story) = incident.story
                && !self.letters.contains_key(&story)
            {
                let free = ('A'..='Z').chain('a'..='z').find(|c| !self.letters.values().any(|l| l == c));
                self.letters.extend(free.map(|c| (story, c)));
            }
        }
        self.arrange(snapshot, height);
    }

    fn arrange(&mut self, snapshot: &Snapshot, height: usize) {
        let mut members: BTreeMap<StoryId, Vec<usize>> = BTreeMap::new();
        for (place, incident) in snapshot.incidents.iter().enumerate() {
            if let Some(story) = incident.story {
                members.entry(story).or_default().push(place);
            }
        }
        self.lines.clear();
        let open_stories: BTreeSet<StoryId> =
            snapshot.incidents.iter().filter(|i| i.end.is_none()).filter_map(|i| i.story).collect();
        for (place, incident) in snapshot.incidents.iter().enumerate() {
            let open = incident.end.is_none() || incident.story.is_some_and(|story| open_stories.contains(&story));
            if matches!((self.listed, open), (Listed::Open, false) | (Listed::Closed, true)) {
                continue;
            }
            let Some(story) = incident.story else {
                self.lines.push(Line::Single(place));
                continue;
            };
            // a story stands where its first incident stands
            let Some(members) = members.remove(&story) else { continue };
            let unfolded = self.unfolded.contains(&story);
            let places = if unfolded { members.clone() } else { Vec::new() };
            self.lines.push(Line::Story { id: story, members, unfolded });
            let last = places.len().saturating_sub(1);
            self.lines.extend(places.into_iter().enumerate().map(|(n, place)| Line::Member { place, last: n == last }));
        }
        match self.chosen.and_then(|chosen| self.find(chosen, snapshot)) {
            _ if self.unattended => self.scroll = Scroll::default(),
            Some(line) => self.scroll.follow(line, self.lines.len(), height),
            None => self.scroll.show(self.lines.len(), height),
        }
        self.take_cursor(snapshot);
    }

    fn find(&self, chosen: Chosen, snapshot: &Snapshot) -> Option<usize> {
        let has = |place: &usize, id: IncidentId| snapshot.incidents.get(*place).is_some_and(|i| i.id == id);
        let exact = self.lines.iter().position(|line| match (line, chosen) {
            (Line::Single(place) | Line::Member { place, .. }, Chosen::Incident(id)) => has(place, id),
            (Line::Story { id, .. }, Chosen::Story(story)) => *id == story,
            _ => false,
        });
        // an incident may have joined a story that is folded, and a story may have lost its name
        exact.or_else(|| {
            self.lines.iter().position(|line| match (line, chosen) {
                (Line::Story { members, .. }, Chosen::Incident(id)) => members.iter().any(|p| has(p, id)),
                _ => false,
            })
        })
    }

    fn take_cursor(&mut self, snapshot: &Snapshot) {
        self.chosen = self.lines.get(self.scroll.cursor).and_then(|line| match line {
            Line::Single(place) | Line::Member { place, .. } => {
                snapshot.incidents.get(*place).map(|i| Chosen::Incident(i.id))
            }
            Line::Story { id, .. } => Some(Chosen::Story(*id)),
        });
    }

    /// Moves the cursor by lines, and chooses what is there.
    pub fn step(&mut self, lines: isize, snapshot: &Snapshot, height: usize) {
        self.scroll.step(lines, self.lines.len(), height);
        self.take_cursor(snapshot);
    }

    /// Folds or unfolds the story of the cursor's line. False where that is none.
    pub fn fold(&mut self, snapshot: &Snapshot, height: usize) -> bool {
        let story = match self.lines.get(self.scroll.cursor) {
            Some(Line::Story { id, .. }) => Some(*id),
            Some(Line::Member { place, .. }) => snapshot.incidents.get(*place).and_then(|i| i.story),
            _ => None,
        };
        let Some(story) = story else { return false };
        if !self.unfolded.remove(&story) {
            self.unfolded.insert(story);
        }
        self.chosen = Some(Chosen::Story(story));
        self.arrange(snapshot, height);
        true
    }

    /// Unfolds the story of the cursor's line, if it is a folded one.
    pub fn unfold(&mut self, snapshot: &Snapshot, height: usize) {
        if matches!(self.lines.get(self.scroll.cursor), Some(Line::Story { unfolded: false, .. })) {
            self.fold(snapshot, height);
        }
    }

    /// Puts the cursor on the line of the worst thing that is open and that nobody has acknowledged: what
    /// rings, else what is rarest. False where there is none.
    pub fn to_worst(&mut self, snapshot: &Snapshot, height: usize) -> bool {
        if self.listed == Listed::Closed {
            self.listed = Listed::All;
            self.arrange(snapshot, height);
        }
        let rank = |line: &Line| {
            let summary = self.summary(line, snapshot)?;
            (summary.end.is_none() && !summary.acknowledged).then_some((summary.rings, summary.worst.peak))
        };
        let lines = self.lines.iter().enumerate().filter(|(_, line)| !matches!(line, Line::Member { .. }));
        let ranked = lines.filter_map(|(n, line)| Some((n, rank(line)?)));
        let worst = ranked.max_by(|(n, a), (m, b)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(m.cmp(n)));
        let Some((line, _)) = worst else { return false };
        self.scroll.cursor = line;
        self.scroll.show(self.lines.len(), height);
        self.take_cursor(snapshot);
        true
    }

    /// All incidents that are lines, or in a line, in the order of the list.
    pub fn all_listed<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a IncidentView> {
        let lines = self.lines.iter().filter(|line| !matches!(line, Line::Member { .. }));
        lines.flat_map(|line| incidents_of(line, snapshot)).collect()
    }

    /// The incidents of the cursor's line.
    pub fn at_cursor<'a>(&self, snapshot: &'a Snapshot) -> Vec<&'a IncidentView> {
        self.lines.get(self.scroll.cursor).map_or_else(Vec::new, |line| incidents_of(line, snapshot))
    }

    /// A line in short.
    pub fn summary<'a>(&self, line: &Line, snapshot: &'a Snapshot) -> Option<Summary<'a>> {
        let all = incidents_of(line, snapshot);
        let worst = all.iter().copied().max_by(|a, b| {
            let open = |i: &IncidentView| i.end.is_none();
            open(a).cmp(&open(b)).then(a.peak.total_cmp(&b.peak)).then_with(|| b.name.cmp(&a.name))
        })?;
        let any_open = all.iter().any(|i| i.end.is_none());
        let story = if let Line::Story { id, .. } = line { Some(*id) } else { None };
        let size = if story.is_some() { worst.story_size.max(all.len()) } else { 1 };
        Some(Summary {
            worst,
            others: size - 1,
            start: all.iter().map(|i| i.start).min()?,
            end: if any_open { None } else { all.iter().filter_map(|i| i.end).max() },
            latest: all.iter().map(|i| i.latest).max()?,
            acknowledged: all.iter().filter(|i| !any_open || i.end.is_none()).all(|i| i.attended()),
            rings: all.iter().any(|i| i.calls()),
            verdict: all.iter().map(|i| i.verdict).max_by_key(|v| gravity(*v))?,
            story,
            down: story.and_then(|_| Story::from_members(all)?.device_down(snapshot)),
        })
    }
}

fn gravity(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Warming => 0,
        Verdict::Nominal => 1,
        Verdict::Recurring => 2,
        Verdict::Noise => 3,
    }
}

fn incidents_of<'a>(line: &Line, snapshot: &'a Snapshot) -> Vec<&'a IncidentView> {
    let at = |place: &usize| snapshot.incidents.get(*place).map(Arc::as_ref);
    match line {
        Line::Single(place) | Line::Member { place, .. } => at(place).into_iter().collect(),
        Line::Story { members, .. } => members.iter().filter_map(at).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;

    fn list() -> (Anomalies, Snapshot) {
        let snapshot = fixture::snapshot();
        let mut list = Anomalies::default();
        list.renew(&snapshot, 10);
        (list, snapshot)
    }

    #[test]
    fn a_story_is_one_line_and_unfolds() {
        let (mut list, snapshot) = list();
        let folded = list.lines().len();
        let Line::Story { ref members, unfolded: false, .. } = list.lines()[0] else { panic!("{:?}", list.lines()[0]) };
        let members = members.len();
        assert_eq!(members, 3);
        assert_eq!(list.at_cursor(&snapshot).len(), 3);
        assert!(list.fold(&snapshot, 10));
        assert_eq!(list.lines().len(), folded + members);
        assert_eq!(list.lines()[members], Line::Member { place: members - 1, last: true });
        list.step(2, &snapshot, 10);
        assert!(list.fold(&snapshot, 10), "a member folds its story");
        assert_eq!((list.lines().len(), list.scroll.cursor), (folded, 0));
        list.step(isize::MAX, &snapshot, 10);
        assert!(!list.fold(&snapshot, 10), "a single incident does not fold");
    }

    #[test]
    fn a_summary_says_the_worst_and_the_whole_time() {
        let (list, snapshot) = list();
        let summary = list.summary(&list.lines()[0], &snapshot).unwrap();
        assert_eq!((summary.worst.name.to_string().as_str(), summary.others), ("core-2 xe-0/1/3", 2));
        assert_eq!(summary.start, snapshot.incidents[..3].iter().map(|i| i.start).min().unwrap());
        assert_eq!((summary.end, summary.verdict), (None, Verdict::Noise));
    }

    #[test]
    fn the_choice_stays_on_its_incident_and_letters_stay_with_their_story() {
        let (mut list, snapshot) = list();
        let letter = list.letter(snapshot.incidents[0].story.unwrap());
        list.step(1, &snapshot, 10);
        let chosen = list.at_cursor(&snapshot)[0].id;
        let mut next = snapshot.clone();
        let mut incidents = vec![fixture::another_incident(&snapshot)];
        incidents.extend(snapshot.incidents.iter().cloned());
        next.incidents = incidents.into();
        list.renew(&next, 10);
        assert_eq!(list.at_cursor(&next)[0].id, chosen);
        assert_eq!((list.scroll.cursor, list.scroll.offset), (2, 0));
        assert_eq!(list.letter(snapshot.incidents[0].story.unwrap()), letter);
    }

    #[test]
    fn a_list_that_nobody_is_at_shows_what_is_new() {
        let (mut list, snapshot) = list();
        list.unattended = true;
        let mut next = snapshot.clone();
        let newer = (0..30).map(|_| fixture::another_incident(&snapshot));
        next.incidents = newer.chain(snapshot.incidents.iter().cloned()).collect();
        list.renew(&next, 10);
        assert_eq!((list.scroll.cursor, list.scroll.offset), (0, 0));
        assert_eq!(list.at_cursor(&next)[0].id, next.incidents[0].id);
    }

    #[test]
    fn counts_are_of_incidents_not_of_lines() {
        let (list, snapshot) = list();
        let counts = list.counts();
        assert_eq!(counts.open + counts.acknowledged + counts.closed, snapshot.incidents.len());
        assert_eq!((counts.open, counts.acknowledged), (5, 1));
    }
}
