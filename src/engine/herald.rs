//! What there is to tell of incidents as they come and go: to the program that is called, and in lines.
//!
//! It looks at the book from time to time and finds what is new since the last look, however much has come
//! meanwhile. What was told of whom is known here alone, so that calls and lines say the same, each thing once.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::Serialize;

use super::core::{Engine, Told};
use super::form::IncidentForm;
use super::snapshot::{IncidentId, IncidentView, StoryId};
use super::track::LATE_SLOTS;
use super::view::incident_view;
use crate::series::Timestamp;

/// Names of incidents that have rung which are remembered for certain; of more, those that are still in the book.
const RUNG: usize = 10_000;

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Event {
    /// It is new, or was open when noctop started.
    Opened,
    /// It had ended, and goes on.
    Reopened,
    /// It became so rare that it calls somebody, after it was told of.
    Rings,
    /// Somebody has acknowledged it. Of a story that is acknowledged at once it is told of one incident.
    Acknowledged,
    /// It has ended.
    Closed,
    /// A late or corrected row took it back.
    Withdrawn,
    /// Such a row lets it begin elsewhere: it has another name now.
    Moved,
}

/// One thing to tell.
#[derive(Debug, Clone)]
pub struct News {
    /// What happened.
    pub event: Event,
    /// Whether somebody is to be called for it now: once for each incident, and once for each story.
    pub calls: bool,
    /// Whether somebody was called for it before, or told that it is acknowledged.
    pub called: bool,
    /// The incident. It rings where it has rung here.
    pub incident: Arc<IncidentView>,
    /// Of one that has moved, the name under which it was told of last.
    pub was: Option<IncidentId>,
}

/// The same, ready to be written as JSON.
#[derive(Debug, Clone, Serialize)]
pub struct NewsForm {
    event: Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    was: Option<String>,
    #[serde(flatten)]
    incident: IncidentForm,
}

impl NewsForm {
    /// That this happened to the incident of some news.
    pub fn new(event: Event, news: &News) -> Self {
        Self { event, was: news.was.map(|id| id.to_string()), incident: (&*news.incident).into() }
    }
}

/// Finds what is new.
#[derive(Debug, Default)]
pub struct Herald {
    /// The states of book and marks at the last look; none before the first one.
    seen: Option<(u64, u64)>,
    looks: u64,
    known: HashMap<IncidentId, Known>,
    /// Incidents for which somebody was called, or would have been before noctop started.
    rung: HashSet<IncidentId>,
    /// Stories of these, as of this look.
    rung_stories: HashSet<StoryId>,
    /// Newest rows when something was new last, by interface, and that of all at the last look.
    newest: Vec<Option<Timestamp>>,
    now: Option<Timestamp>,
}

/// What was told of an incident that is in the book.
#[derive(Debug)]
struct Known {
    /// The last look that found it there.
    look: u64,
    open: bool,
    latest: Timestamp,
    acknowledged: bool,
    /// Somebody was called for it, or told that it is acknowledged.
    called: bool,
    /// The name under which it was told of last, where it has another one since.
    was: Option<IncidentId>,
    /// As it was told of last, while it is open.
    view: Option<Arc<IncidentView>>,
}

impl Herald {
    /// What is new since the last look, in the order of starts. At the first one that is what is open: what ended
    /// before is history. Of later ones, what is new and has ended already is told of where its rows came since,
    /// or are up to 48 slots older.
    pub fn look(&mut self, engine: &Engine) -> Vec<News> {
        let book = engine.book();
        let seen = (book.revision(), engine.marked());
        if self.seen == Some(seen) {
            self.now = engine.now();
            return Vec::new();
        }
        let starts = self.seen.replace(seen).is_none();
        self.looks += 1;
        let rung = book.told().filter(|told| self.rung.contains(&told.incident.id));
        self.rung_stories = rung.filter_map(|told| Some(told.story?.0)).collect();
        let (mut news, mut acknowledged) = (Vec::new(), Vec::new());
        for told in book.told() {
            self.look_at(told, starts, engine, &mut news);
            if self.is_newly_acknowledged(told, engine) {
                match self.known.get_mut(&told.incident.id) {
                    // somebody was told of it before noctop started
                    Some(known) if starts => known.called = true,
                    _ => acknowledged.push(told),
                }
            }
        }
        for told in one_of_each_story(acknowledged, |id| self.rung.contains(&id)) {
            news.push(self.news(Event::Acknowledged, [false, false], told, engine));
            if let Some(known) = self.known.get_mut(&told.incident.id) {
                known.called = true;
            }
        }
        let look = self.looks;
        self.known.retain(|_, known| {
            let withdrawn = known.view.take_if(|_| known.look != look);
            let tell =
                |incident| News { event: Event::Withdrawn, calls: false, called: known.called, incident, was: None };
            news.extend(withdrawn.map(tell));
            known.look == look
        });
        if self.rung.len() > RUNG {
            self.rung.retain(|id| self.known.contains_key(id));
        }
        self.now = engine.now();
        self.newest = engine.tracks().iter().map(|track| track.history().newest()).collect();
        drop(book);
        // One that begins elsewhere now is taken back before it is told anew.
        let place = |news: &News| (news.event != Event::Withdrawn, news.incident.start);
        news.sort_by(|a, b| place(a).cmp(&place(b)).then_with(|| a.incident.name.cmp(&b.incident.name)));
        news
    }

    /// Takes note that an incident has another name now: what was told of it was told of that one.
    pub fn follow(&mut self, from: IncidentId, to: IncidentId) {
        if self.known.contains_key(&to) {
            return;
        }
        if let Some(known) = self.known.remove(&from) {
            let was = known.was.or(Some(from)).filter(|was| *was != to);
            self.known.insert(to, Known { was, ..known });
        }
        if self.rung.remove(&from) {
            self.rung.insert(to);
        }
    }

    /// Looks at one incident of the book.
    fn look_at(&mut self, told: &Told, starts: bool, engine: &Engine, news: &mut Vec<News>) {
        let (id, latest, open) = (told.incident.id, told.incident.latest, told.incident.end.is_none());
        if let Some(known) = self.known.get_mut(&id).filter(|known| !known.open && !open && latest <= known.latest) {
            // most there are: they are over, and nothing more is to be told
            known.look = self.looks;
            return;
        }
        let known = self.known.remove(&id);
        let before = known.as_ref().map(|known| (known.open, known.latest));
        let acknowledged = known.as_ref().is_some_and(|known| known.acknowledged);
        let events: &[Event] = match (before, open) {
            (None, true) => &[Event::Opened],
            (None, false) if !starts && self.came_since(told, engine) => &[Event::Opened, Event::Closed],
            (Some((false, _)), true) => &[Event::Reopened],
            (Some((true, _)), false) => &[Event::Closed],
            // it went on and ended within one look
            (Some((false, before)), false) if latest > before => &[Event::Reopened, Event::Closed],
            (None | Some(_), _) => &[],
        };
        if starts && !open && told.rings {
            self.ring(told);
        }
        let is_told = open || !events.is_empty();
        let calls = is_told && told.rings && !engine.is_attended(told) && !self.has_rung(told);
        let called = known.as_ref().map_or(self.rung.contains(&id), |known| known.called);
        if calls {
            self.ring(told);
        }
        let rings: &[Event] = if calls && matches!(events, [] | [Event::Closed]) { &[Event::Rings] } else { &[] };
        let (mut was, mut view) = known.map_or((None, None), |known| (known.was, known.view));
        // Of one that had ended it is told once there is more to tell.
        if (view.is_some() || !events.is_empty()) && was.is_some() {
            let moved = News { was: was.take(), ..self.news(Event::Moved, [false, called], told, engine) };
            view = Some(moved.incident.clone());
            news.push(moved);
        }
        for (i, event) in rings.iter().chain(events).enumerate() {
            let fresh = self.news(*event, [calls && i == 0, called || (calls && i > 0)], told, engine);
            view = Some(fresh.incident.clone());
            news.push(fresh);
        }
        view = view.filter(|_| open);
        let known = Known { look: self.looks, open, latest, acknowledged, called: called || calls, was, view };
        self.known.insert(id, known);
    }

    /// What happened to an incident, with whether somebody is called for it now, or was before.
    fn news(&self, event: Event, [calls, called]: [bool; 2], told: &Told, engine: &Engine) -> News {
        let rings = self.rung.contains(&told.incident.id);
        let incident = Arc::new(IncidentView { rings, ..incident_view(engine, told) });
        News { event, calls, called, incident, was: None }
    }

    /// Whether it has rung, or another one of its story.
    fn has_rung(&self, told: &Told) -> bool {
        self.rung.contains(&told.incident.id) || told.story.is_some_and(|(story, _)| self.rung_stories.contains(&story))
    }

    fn ring(&mut self, told: &Told) {
        self.rung.insert(told.incident.id);
        self.rung_stories.extend(told.story.map(|(story, _)| story));
    }

    /// Whether its rows came since the last look, or were up to 48 slots late then.
    fn came_since(&self, told: &Told, engine: &Engine) -> bool {
        let track = &engine.tracks()[told.interface.index()];
        let before = self.newest.get(told.interface.index()).copied().flatten().or(self.now);
        let reach = track.step().map_or(0, |step| LATE_SLOTS * step.seconds());
        before.is_some_and(|before| told.incident.latest >= before.plus(-reach))
    }

    /// Whether it is open and was acknowledged since the last look.
    fn is_newly_acknowledged(&mut self, told: &Told, engine: &Engine) -> bool {
        let id = told.incident.id;
        let open = told.incident.end.is_none();
        let Some(known) = open.then(|| self.known.get_mut(&id)).flatten() else { return false };
        let before = std::mem::replace(&mut known.acknowledged, engine.marks().acknowledged(id).is_some());
        known.acknowledged && !before
    }
}

/// Those that stand alone, and of each story the one that has rung, else the first.
fn one_of_each_story(mut told: Vec<&Told>, has_rung: impl Fn(IncidentId) -> bool) -> Vec<&Told> {
    told.sort_by_key(|told| !has_rung(told.incident.id));
    let mut stories = HashSet::new();
    told.retain(|told| told.story.is_none_or(|(story, _)| stories.insert(story)));
    told
}
