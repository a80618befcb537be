//! Makes snapshots of an engine. What did not change since the last one is shared with it.
//!
//! A snapshot can also be one of an earlier moment: each interface then as its rows up to that moment
//! have it, and the incidents that were open then as open ones.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::back::as_of;
use super::book::Book;
use super::core::{Engine, Told};
use super::detail::detail;
use super::shared::SharedList;
use super::snapshot::*;
use super::strip::strip;
use super::track::Track;
use crate::detect::Incident;
use crate::detect::judge::larger;
use crate::inventory::Known;
use crate::model::Expert;
use crate::series::{InterfaceId, InterfaceName, Step, Timestamp, WARM_UP, WEEK};

/// Closed incidents that a snapshot lists.
const CLOSED: usize = 400;
/// Seconds for which it is shown that a level was taken over.
const TAKEN_OVER_SHOWN: i64 = WEEK;

/// Keeps what the last snapshot was made of.
#[derive(Debug, Default)]
pub struct Viewer {
    /// By id: what is known of each interface's view.
    kept: Vec<Kept>,
    /// What views were made for.
    moment: Moment,
    /// Ids in the order of names.
    order: Vec<InterfaceId>,
    interfaces: SharedList<InterfaceView>,
    devices: SharedList<DeviceView>,
    /// Interfaces that have no view yet.
    fresh: Vec<InterfaceId>,
    /// Interfaces whose views change by themselves as time goes on.
    passing: BTreeSet<InterfaceId>,
    incidents: Arc<[Arc<IncidentView>]>,
    most_closed: usize,
    /// The states of book and marks that all this was made from; none for those of an earlier moment.
    seen: Option<(u64, u64)>,
    revision: u64,
}

/// What is known of an interface's view.
#[derive(Debug, Clone, Default)]
struct Kept {
    /// Its place in the order of names, and that of its device.
    place: usize,
    device: usize,
    standing: Option<Standing>,
}

/// How an interface stands, by its incidents and by what people said of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Standing {
    state: InterfaceState,
    direction: Option<Direction>,
    since: Option<Timestamp>,
    muted: Option<Timestamp>,
    retired: bool,
}

impl Standing {
    /// Before anything is known.
    const NEW: Self = Self::of(InterfaceState::Warming);

    const fn of(state: InterfaceState) -> Self {
        Self { state, direction: None, since: None, muted: None, retired: false }
    }

    /// Without any incident.
    fn at_rest(engine: &Engine, track: &Track, moment: Moment) -> Self {
        let state = match track.chain() {
            Some(_) if moment.rows(track) <= WARM_UP => InterfaceState::Warming,
            Some(chain) if chain.forecaster.scale()[1].is_flat() => InterfaceState::Flat,
            Some(_) => InterfaceState::Nominal,
            None => InterfaceState::Warming,
        };
        let (marks, name) = (engine.marks(), track.name());
        Self { muted: marks.muted_interface(name), retired: marks.retired(name), ..Self::of(state) }
    }

    /// With one more of its incidents, which come in the order of starts.
    fn with(self, incident: &Incident, attended: bool, moment: Moment) -> Self {
        let state = match (attended, incident.kind, incident.end) {
            (_, _, Some(end)) => {
                let recent = moment.now.is_some_and(|now| now.since(end) < TAKEN_OVER_SHOWN);
                let shown = incident.taken_over && recent && self.state >= InterfaceState::TakenOver;
                return if shown { Self { state: InterfaceState::TakenOver, since: Some(end), ..self } } else { self };
            }
            (true, ..) => InterfaceState::Acknowledged,
            (false, IncidentKind::Silence, _) => InterfaceState::Silent,
            (false, ..) => InterfaceState::Anomalous,
        };
        Self { state, direction: incident.direction, since: Some(incident.start), ..self }
    }
}

/// What a snapshot shows that the engine does not know.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// The feed.
    pub source: SourceView,
    /// The model.
    pub model: ModelView,
    /// The training run.
    pub training: TrainingView,
    /// What is pinned.
    pub pins: Arc<[InterfaceName]>,
    /// The interface asked for in detail, and what of it.
    pub look: Option<Look>,
    /// Its portrait, once there is one.
    pub portrait: Option<Arc<PortraitView>>,
    /// The moment that is looked back to.
    pub back_to: Option<Timestamp>,
    /// Whether all closed incidents are listed, rather than some hundreds.
    pub all_closed: bool,
}

impl Viewer {
    /// Forgets what the last snapshot was made of: the next one is of another engine.
    pub fn forget(&mut self) {
        *self = Self { revision: self.revision, ..Self::default() };
    }

    /// A snapshot; `touched` are the interfaces that had rows since the last one, or whose rows were scored.
    pub fn snapshot(&mut self, engine: &Engine, around: &Surroundings, touched: &HashSet<InterfaceId>) -> Snapshot {
        let book = engine.book();
        let back_to = around.back_to.filter(|at| engine.now().is_some_and(|now| *at < now));
        let step = engine.usual_step();
        let threshold = step.map_or(0.0, |s| engine.settings().threshold(s));
        let moment = Moment { now: back_to.or(engine.now()), looks_back: back_to.is_some(), step, threshold };
        self.revision += 1;
        let then = back_to.map(|at| as_of(at, book.told(), engine.tracks()));
        self.put_in_order(engine);
        let redo = match &then {
            Some(told) => self.redo_then(engine, told, moment, touched),
            None => self.redo_now(engine, &book, moment, touched),
        };
        self.update(engine, moment, redo);
        let seen = (book.revision(), engine.marked());
        let most_closed = if around.all_closed { usize::MAX } else { CLOSED };
        match &then {
            Some(told) => self.incidents = incidents(engine, ends(told, most_closed), &HashMap::new()),
            None if self.seen != Some(seen) || self.most_closed != most_closed => {
                // People's marks are part of what is shown.
                let same_marks = self.seen.is_some_and(|(_, marked)| marked == engine.marked());
                let kept = self.incidents.iter().filter(|_| same_marks);
                let kept = kept.map(|view| ((view.interface, view.id), view)).collect();
                self.incidents = incidents(engine, book.newest(engine.tracks(), most_closed), &kept);
            }
            None => {}
        }
        self.most_closed = most_closed;
        self.seen = then.is_none().then_some(seen);
        let look = around.look.as_ref();
        let detail = match &then {
            Some(told) => look.and_then(|look| {
                let own = told.iter().filter(|t| t.interface == look.interface).map(|t| &t.incident);
                detail(engine, own, look, moment.now)
            }),
            None => look.and_then(|look| detail(engine, book.of(look.interface), look, moment.now)),
        };
        Snapshot {
            revision: self.revision,
            source: around.source.clone(),
            model: around.model.clone(),
            now: moment.now,
            newest: engine.now(),
            looks_back: moment.looks_back,
            step: moment.step,
            interfaces: self.interfaces.share(),
            devices: self.devices.share(),
            incidents_total: then.as_ref().map_or(book.listed(), Vec::len),
            incidents: self.incidents.clone(),
            detail: detail.map(Arc::new),
            portrait: around.portrait.clone(),
            training: around.training.clone(),
            pins: around.pins.clone(),
            threshold: moment.threshold,
        }
    }

    /// Gives new interfaces their places.
    fn put_in_order(&mut self, engine: &Engine) {
        let tracks = engine.tracks();
        if self.order.len() == tracks.len() {
            return;
        }
        self.order = engine.by_name().into_iter().map(|(id, _)| id).collect();
        self.kept.resize_with(tracks.len(), Kept::default);
        let mut device = 0;
        let mut before: Option<InterfaceId> = None;
        let mut views = Vec::with_capacity(tracks.len());
        for (place, id) in self.order.iter().enumerate() {
            let host = |id: InterfaceId| &tracks[id.index()].name().host;
            device += usize::from(before.is_some_and(|before| host(before) != host(*id)));
            before = Some(*id);
            let kept = &mut self.kept[id.index()];
            let old = kept.standing.and_then(|_| self.interfaces.items().get(kept.place)).cloned();
            (kept.place, kept.device) = (place, device);
            views.push(old.unwrap_or_else(|| {
                let known = engine.inventory().get(tracks[id.index()].name());
                Arc::new(interface_view(*id, &tracks[id.index()], self.moment, Standing::NEW, known))
            }));
            if kept.standing.is_none() {
                self.fresh.push(*id);
            }
        }
        self.interfaces.refill(views);
        self.devices.refill(devices(self.interfaces.items()));
    }

    /// The interfaces whose views may have changed, each with how it stands, in a snapshot of now.
    fn redo_now(
        &mut self,
        engine: &Engine,
        book: &Book,
        moment: Moment,
        touched: &HashSet<InterfaceId>,
    ) -> Vec<(InterfaceId, Standing)> {
        let moved = moment.now != self.moment.now;
        let standing = |id: InterfaceId| {
            let rest = Standing::at_rest(engine, &engine.tracks()[id.index()], moment);
            book.of(id).fold(rest, |all, i| all.with(i, engine.attended(id, i), moment))
        };
        let Some((revision, marked)) = self.seen.filter(|_| moment.like(self.moment)) else {
            return self.order.iter().map(|id| (*id, standing(*id))).collect();
        };
        let mut redo: BTreeSet<InterfaceId> = touched.iter().copied().collect();
        redo.extend(book.changed_since(revision));
        if moved {
            redo.extend(&self.passing);
        }
        redo.extend(&self.fresh);
        if marked != engine.marked() {
            // People say something rarely, and it may be of any interface.
            let all = self.kept.iter().enumerate().map(|(i, kept)| (InterfaceId::from_index(i), kept));
            redo.extend(all.filter(|(id, kept)| kept.standing != Some(standing(*id))).map(|(id, _)| id));
        }
        redo.into_iter().map(|id| (id, standing(id))).collect()
    }

    /// The same in a snapshot of an earlier moment, in which `told` stand.
    fn redo_then(
        &mut self,
        engine: &Engine,
        told: &[Told],
        moment: Moment,
        touched: &HashSet<InterfaceId>,
    ) -> Vec<(InterfaceId, Standing)> {
        let tracks = engine.tracks().iter();
        let mut standings: Vec<Standing> = tracks.map(|t| Standing::at_rest(engine, t, moment)).collect();
        for t in told {
            let standing = &mut standings[t.interface.index()];
            *standing = standing.with(&t.incident, engine.is_attended(t), moment);
        }
        let all = moment != self.moment;
        let standings = standings.into_iter().enumerate().map(|(i, standing)| (InterfaceId::from_index(i), standing));
        standings
            .filter(|(id, standing)| all || touched.contains(id) || self.kept[id.index()].standing != Some(*standing))
            .collect()
    }

    /// Makes the views of `redo` anew.
    fn update(&mut self, engine: &Engine, moment: Moment, redo: Vec<(InterfaceId, Standing)>) {
        let mut of_devices: BTreeSet<usize> = BTreeSet::new();
        for (id, standing) in redo {
            let track = &engine.tracks()[id.index()];
            let known = engine.inventory().get(track.name());
            let view = interface_view(id, track, moment, standing, known);
            let kept = &mut self.kept[id.index()];
            kept.standing = Some(standing);
            if standing.state == InterfaceState::TakenOver || (view.strip.is_at_once() && view.rows > 0) {
                self.passing.insert(id)
            } else {
                self.passing.remove(&id)
            };
            self.interfaces.set(kept.place, view);
            of_devices.insert(kept.device);
        }
        for device in of_devices {
            let range = self.devices.items()[device].interfaces.clone();
            let view = device_view(range.start, &self.interfaces.items()[range]);
            self.devices.set(device, view);
        }
        self.fresh.clear();
        self.moment = moment;
    }
}

/// When a snapshot is of.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Moment {
    now: Option<Timestamp>,
    looks_back: bool,
    step: Option<Step>,
    threshold: f64,
}

impl Moment {
    /// Whether views for the one can be those of the other, but for time.
    fn like(self, other: Self) -> bool {
        (self.looks_back, self.step) == (other.looks_back, other.step)
    }

    /// How many of an interface's rows there were.
    fn rows(self, track: &Track) -> usize {
        match self.now.filter(|_| self.looks_back) {
            Some(at) => track.history().first_at_or_after(at.plus(1)),
            None => track.history().len(),
        }
    }
}

fn interface_view(
    id: InterfaceId,
    track: &Track,
    moment: Moment,
    standing: Standing,
    known: Option<&Known>,
) -> InterfaceView {
    let history = track.history();
    let rows = moment.rows(track);
    let places = history.places();
    // Of an earlier moment there may be no row in memory any more.
    let last = rows.checked_sub(1).filter(|i| places.contains(i));
    let scored = last.and_then(|i| track.scored().get(i.min(track.scored().len().saturating_sub(1))));
    let scored = scored.filter(|s| s.verdict != Verdict::Warming);
    let newest = last.map(|i| history.time(i));
    InterfaceView {
        id,
        name: track.name().clone(),
        strip: strip(track, rows, moment.now, moment.step, moment.threshold),
        last: last.map(|i| history.values(i)),
        expected: scored.zip(newest).map(|(s, time)| s.expected.map(|e| history.above_zero(time, e))),
        error: scored.map_or(0.0, |s| larger(s.error) as f32),
        score: scored.map_or(0.0, |s| s.score as f32),
        state: standing.state,
        direction: standing.direction,
        since: standing.since,
        rows,
        span: newest.map(|newest| (history.time(places.start), newest)),
        step: track.step(),
        known: track.chain().is_some_and(|c| c.known),
        leading: leading(track),
        muted: standing.muted,
        retired: standing.retired,
        description: known.and_then(|k| k.description.clone()),
        speed: known.and_then(|k| k.speed),
    }
}

fn leading(track: &Track) -> Expert {
    let weights = track.chain().map(|c| c.forecaster.weights()).unwrap_or_default();
    weights.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(Expert::LastValue, |(expert, _)| expert)
}

/// The devices of interfaces that are in the order of names.
pub(crate) fn devices(interfaces: &[Arc<InterfaceView>]) -> Vec<Arc<DeviceView>> {
    let mut from = 0;
    let of_hosts = interfaces.chunk_by(|a, b| a.name.host == b.name.host);
    let views = of_hosts.map(|of_host| {
        let view = device_view(from, of_host);
        from = view.interfaces.end;
        Arc::new(view)
    });
    views.collect()
}

/// The device whose interfaces stand at `from` and behind it.
fn device_view(from: usize, of_host: &[Arc<InterfaceView>]) -> DeviceView {
    let open = |v: &&Arc<InterfaceView>| matches!(v.state, InterfaceState::Anomalous | InterfaceState::Silent);
    DeviceView {
        host: of_host[0].name.host.clone(),
        interfaces: from..from + of_host.len(),
        score: of_host.iter().map(|v| v.score).fold(0.0, f32::max),
        state: of_host.iter().map(|v| v.state).min().unwrap_or(InterfaceState::Nominal),
        open: of_host.iter().filter(open).count(),
    }
}

/// The open incidents in the order of starts, and the closed ones that ended last.
fn ends(told: &[Told], most_closed: usize) -> (Vec<&Told>, Vec<&Told>) {
    let (open, mut closed): (Vec<&Told>, Vec<&Told>) = told.iter().partition(|t| t.incident.end.is_none());
    let latest = |t: &&Told| std::cmp::Reverse((t.incident.latest, t.incident.start, t.incident.id));
    if closed.len() > most_closed {
        closed.select_nth_unstable_by_key(most_closed, latest);
        closed.truncate(most_closed);
    }
    (open, closed)
}

/// What was expected at an incident's peak, as it is shown.
fn peak_expected(engine: &Engine, t: &Told) -> f64 {
    engine.tracks()[t.interface.index()].history().above_zero(t.incident.peak_at, t.incident.peak_expected)
}

/// An incident as it is shown.
pub(super) fn incident_view(engine: &Engine, t: &Told) -> IncidentView {
    let marks = engine.marks();
    let (i, name) = (&t.incident, engine.tracks()[t.interface.index()].name().clone());
    IncidentView {
        id: i.id,
        interface: t.interface,
        kind: i.kind,
        direction: i.direction,
        start: i.start,
        end: i.end,
        latest: i.latest,
        peak: i.peak,
        peak_at: i.peak_at,
        peak_value: i.peak_value,
        peak_expected: peak_expected(engine, t),
        verdict: i.verdict,
        story: t.story.map(|(s, _)| s),
        story_size: t.story.map_or(1, |(_, n)| n),
        rings: t.rings,
        taken_over: i.taken_over,
        history: i.history,
        acknowledged: marks.acknowledged(i.id).cloned(),
        notes: marks.notes(i.id).to_vec(),
        muted: marks.muted(i.id, &name),
        retired: marks.retired(&name),
        description: engine.inventory().get(&name).and_then(|known| known.description.clone()),
        name,
    }
}

/// Open incidents first, of these the ones that ring, then the closed ones that ended last, each newest first.
/// Those in `kept` that are as they were are taken from there.
fn incidents(
    engine: &Engine,
    (mut open, mut closed): (Vec<&Told>, Vec<&Told>),
    kept: &HashMap<(InterfaceId, IncidentId), &Arc<IncidentView>>,
) -> Arc<[Arc<IncidentView>]> {
    open.reverse();
    open.sort_by_cached_key(|t| !t.rings || engine.is_attended(t));
    closed.sort_by_key(|t| std::cmp::Reverse((t.incident.start, t.incident.id)));
    let view = |t: &Told| match kept.get(&(t.interface, t.incident.id)) {
        Some(view) if is_as_it_was(view, t, engine) => (*view).clone(),
        _ => Arc::new(incident_view(engine, t)),
    };
    open.into_iter().chain(closed).map(view).collect()
}

/// Whether a view of an incident shows it as it is, but for people's marks.
fn is_as_it_was(view: &IncidentView, t: &Told, engine: &Engine) -> bool {
    let i = &t.incident;
    let story = t.story.map_or((None, 1), |(story, size)| (Some(story), size));
    (view.kind, view.direction, view.start, view.end, view.latest, view.peak_at)
        == (i.kind, i.direction, i.start, i.end, i.latest, i.peak_at)
        && (view.peak, view.peak_value, view.peak_expected) == (i.peak, i.peak_value, peak_expected(engine, t))
        && (view.verdict, view.taken_over, view.history) == (i.verdict, i.taken_over, i.history)
        && (view.story, view.story_size, view.rings) == (story.0, story.1, t.rings)
}
