//! Makes snapshots of an engine. What did not change since the last one is shared with it.
//!
//! A snapshot can also be one of an earlier moment: each interface then as its rows up to that moment
//! have it, and the incidents that were open then as open ones.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::core::{Engine, Told};
use super::detail::detail;
use super::snapshot::*;
use super::track::{Scored, Track};
use crate::inventory::Known;
use crate::model::Expert;
use crate::series::{InterfaceId, Step, Timestamp, WARM_UP, WEEK};

/// Closed incidents that a snapshot lists.
const CLOSED: usize = 400;
/// Seconds for which it is shown that a level was taken over.
const TAKEN_OVER_SHOWN: i64 = WEEK;

/// Keeps what the last snapshot was made of.
#[derive(Debug, Default)]
pub struct Viewer {
    views: Vec<Option<Arc<InterfaceView>>>,
    /// What views were made for: the moment, and how each interface stood.
    moment: Moment,
    standings: Vec<Standing>,
    /// Interfaces whose names stand in order, and the snapshot's list of them.
    order: Vec<InterfaceId>,
    revision: u64,
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
    /// The interface asked for in detail, and what of it.
    pub look: Option<Look>,
    /// The moment that is looked back to.
    pub back_to: Option<Timestamp>,
    /// Whether all closed incidents are listed, rather than some hundreds.
    pub all_closed: bool,
}

impl Viewer {
    /// A snapshot; `touched` are the interfaces that had rows since the last one.
    pub fn snapshot(&mut self, engine: &Engine, around: &Surroundings, touched: &HashSet<InterfaceId>) -> Snapshot {
        let book = engine.book();
        let tracks = engine.tracks();
        let back_to = around.back_to.filter(|at| engine.now().is_some_and(|now| *at < now));
        let told = match back_to {
            Some(at) => as_of(at, book.told(), tracks),
            None => Cow::Borrowed(book.told()),
        };
        let moment = Moment { now: back_to.or(engine.now()), looks_back: back_to.is_some(), step: engine.usual_step() };
        let standings = standings(engine, &told, moment);
        self.views.resize(tracks.len(), None);
        self.standings.resize(tracks.len(), Standing::NEW);
        let moved = moment != self.moment;
        for (i, track) in tracks.iter().enumerate() {
            let id = InterfaceId::from_index(i);
            if moved || touched.contains(&id) || self.views[i].is_none() || self.standings[i] != standings[i] {
                self.views[i] = Some(Arc::new(interface_view(
                    id,
                    track,
                    moment,
                    standings[i],
                    engine.inventory().get(track.name()),
                )));
            }
        }
        (self.moment, self.standings) = (moment, standings);
        if self.order.len() != tracks.len() {
            self.order = engine.by_name().into_iter().map(|(id, _)| id).collect();
        }
        let interfaces: Arc<[Arc<InterfaceView>]> =
            self.order.iter().filter_map(|id| self.views[id.index()].clone()).collect();
        self.revision += 1;
        Snapshot {
            revision: self.revision,
            source: around.source.clone(),
            model: around.model.clone(),
            now: moment.now,
            looks_back: moment.looks_back,
            step: moment.step,
            devices: devices(&interfaces),
            incidents_total: told.len(),
            incidents: incidents(engine, &told, if around.all_closed { usize::MAX } else { CLOSED }),
            detail: around.look.as_ref().and_then(|look| detail(engine, &told, look, moment.now)).map(Arc::new),
            training: around.training.clone(),
            threshold: moment.step.map_or(0.0, |s| engine.settings().threshold(s)),
            interfaces,
        }
    }
}

/// When a snapshot is of.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Moment {
    now: Option<Timestamp>,
    looks_back: bool,
    step: Option<Step>,
}

impl Moment {
    /// How many of an interface's rows there were.
    fn rows(self, track: &Track) -> usize {
        match self.now.filter(|_| self.looks_back) {
            Some(at) => track.history().first_at_or_after(at.plus(1)),
            None => track.history().len(),
        }
    }
}

/// The incidents as they stood at a moment: none that began later, and open what ended later. How far
/// one had risen by then is read from its rows again.
fn as_of(at: Timestamp, told: &[Told], tracks: &[Track]) -> Cow<'static, [Told]> {
    let begun = told.iter().filter(|t| t.incident.start <= at);
    let then = begun.map(|t| {
        let mut t = t.clone();
        let incident = &mut t.incident;
        if incident.end.is_none_or(|end| end > at) {
            (incident.end, incident.taken_over) = (None, false);
            let track = &tracks[t.interface.index()];
            let history = track.history();
            let rows = history.first_at_or_after(incident.start)..history.first_at_or_after(at.plus(1));
            let anomalies = rows.filter_map(|i| Some((i, track.scored().get(i).filter(|s| s.anomaly)?)));
            let (mut worst, mut latest): (Option<(usize, &Scored)>, _) = (None, incident.start);
            for (i, scored) in anomalies {
                latest = history.time(i);
                if worst.is_none_or(|(_, w)| scored.score > w.score) {
                    worst = Some((i, scored));
                }
            }
            incident.latest = latest;
            if let Some((i, scored)) = worst.filter(|_| incident.peak_at > at) {
                (incident.peak, incident.peak_at) = (scored.score, history.time(i));
                (incident.peak_value, incident.peak_expected) = (history.values(i)[1], scored.expected[1]);
            }
        }
        t
    });
    Cow::Owned(then.collect())
}

/// How an interface stands, by its incidents and by what people said of it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Standing {
    state: InterfaceState,
    since: Option<Timestamp>,
    muted: Option<Timestamp>,
    retired: bool,
}

impl Standing {
    /// Before anything is known.
    const NEW: Self = Self { state: InterfaceState::Warming, since: None, muted: None, retired: false };
}

/// How each interface stands, by id.
fn standings(engine: &Engine, told: &[Told], moment: Moment) -> Vec<Standing> {
    let resting = |t: &Track| match t.chain() {
        Some(_) if moment.rows(t) <= WARM_UP => InterfaceState::Warming,
        Some(chain) if chain.forecaster.scale()[1].is_flat() => InterfaceState::Flat,
        Some(_) => InterfaceState::Nominal,
        None => InterfaceState::Warming,
    };
    let marks = engine.marks();
    let at_rest = |t: &Track| Standing {
        state: resting(t),
        since: None,
        muted: marks.muted_interface(t.name()),
        retired: marks.retired(t.name()),
    };
    let mut all: Vec<Standing> = engine.tracks().iter().map(at_rest).collect();
    for t in told {
        let state = match (engine.is_attended(t), t.incident.kind, t.incident.end) {
            (_, _, Some(end)) => {
                let recent = moment.now.is_some_and(|now| now.since(end) < TAKEN_OVER_SHOWN);
                let standing = &mut all[t.interface.index()];
                if t.incident.taken_over && recent && standing.state >= InterfaceState::TakenOver {
                    (standing.state, standing.since) = (InterfaceState::TakenOver, Some(end));
                }
                continue;
            }
            (true, ..) => InterfaceState::Acknowledged,
            (false, IncidentKind::Silence, _) => InterfaceState::Silent,
            (false, ..) => InterfaceState::Anomalous,
        };
        let standing = &mut all[t.interface.index()];
        (standing.state, standing.since) = (state, Some(t.incident.start));
    }
    all
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
    let last = rows.checked_sub(1);
    let scored = last.and_then(|i| track.scored().get(i.min(track.scored().len().saturating_sub(1))));
    let scored = scored.filter(|s| s.verdict != Verdict::Warming);
    let (mut load, mut heat) = ([f32::NAN; SPARK], [NO_HEAT; HEAT]);
    if let (Some(step), Some(now)) = (track.step_so_far(), moment.now) {
        let usual = moment.step.unwrap_or(step);
        for i in (0..rows).rev() {
            let time = history.time(i);
            // a little more than is shown of each, so that the slot at the edge is whole
            let (back, hot) = (step.slots_between(time, now), usual.slots_between(time, now));
            if back >= SPARK as i64 && hot >= HEAT as i64 {
                break;
            }
            if let Some(place) = place_of(back, SPARK).filter(|p| load[*p].is_nan()) {
                load[place] = history.values(i)[1] as f32;
            }
            if let (Some(place), Some(scored)) = (place_of(hot, HEAT), track.scored().get(i)) {
                // tenths; what is beyond 25 looks like 25
                let tenths = (scored.score * 10.0).clamp(0.0, 250.0) as u8;
                heat[place] = if heat[place] == NO_HEAT { tenths } else { heat[place].max(tenths) };
            }
        }
    }
    InterfaceView {
        id,
        name: track.name().clone(),
        load,
        heat,
        last: last.map(|i| history.values(i)),
        expected: scored.map(|s| s.expected),
        error: scored.map_or(0.0, |s| larger(s.error) as f32),
        score: scored.map_or(0.0, |s| s.score as f32),
        state: standing.state,
        since: standing.since,
        rows,
        span: last.map(|i| (history.time(0), history.time(i))),
        step: track.step(),
        known: track.chain().is_some_and(|c| c.known),
        leading: leading(track),
        muted: standing.muted,
        retired: standing.retired,
        description: known.and_then(|k| k.description.clone()),
        speed: known.and_then(|k| k.speed),
    }
}

/// The place, oldest first, of what lies so many slots back among the last `slots`.
fn place_of(back: i64, slots: usize) -> Option<usize> {
    let back = usize::try_from(back.max(0)).ok()?;
    (slots - 1).checked_sub(back)
}

fn leading(track: &Track) -> Expert {
    let weights = track.chain().map(|c| c.forecaster.weights()).unwrap_or_default();
    weights.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(Expert::LastValue, |(expert, _)| expert)
}

pub(super) fn larger(pair: [f64; 2]) -> f64 {
    if pair[0].abs() > pair[1].abs() { pair[0] } else { pair[1] }
}

fn devices(interfaces: &[Arc<InterfaceView>]) -> Arc<[Arc<DeviceView>]> {
    let mut out = Vec::new();
    let mut from = 0;
    for of_host in interfaces.chunk_by(|a, b| a.name.host == b.name.host) {
        let (mut load, mut heat) = ([0.0f32; SPARK], [NO_HEAT; HEAT]);
        for view in of_host {
            load.iter_mut().zip(&view.load).for_each(|(sum, v)| *sum += v);
            for (all, own) in heat.iter_mut().zip(view.heat).filter(|(_, own)| *own != NO_HEAT) {
                *all = if *all == NO_HEAT { own } else { own.max(*all) };
            }
        }
        let open = |v: &&Arc<InterfaceView>| matches!(v.state, InterfaceState::Anomalous | InterfaceState::Silent);
        out.push(Arc::new(DeviceView {
            host: of_host[0].name.host.clone(),
            interfaces: from..from + of_host.len(),
            load,
            heat,
            score: of_host.iter().map(|v| v.score).fold(0.0, f32::max),
            state: of_host.iter().map(|v| v.state).min().unwrap_or(InterfaceState::Nominal),
            open: of_host.iter().filter(open).count(),
        }));
        from += of_host.len();
    }
    out.into()
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
        peak_expected: i.peak_expected,
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

/// Open incidents first, of these the ones that ring, then closed ones, each newest first.
fn incidents(engine: &Engine, told: &[Told], most_closed: usize) -> Arc<[Arc<IncidentView>]> {
    let (mut open, mut closed): (Vec<&Told>, Vec<&Told>) = told.iter().partition(|t| t.incident.end.is_none());
    open.reverse();
    open.sort_by_key(|t| !t.rings || engine.is_attended(t));
    // The ones that ended last are kept, however long ago they began; then as the others, newest first.
    let latest = |t: &&Told| std::cmp::Reverse((t.incident.latest, t.incident.start, t.incident.id));
    if closed.len() > most_closed {
        closed.select_nth_unstable_by_key(most_closed, latest);
        closed.truncate(most_closed);
    }
    closed.sort_by_key(|t| std::cmp::Reverse((t.incident.start, t.incident.id)));
    open.into_iter().chain(closed).map(|t| Arc::new(incident_view(engine, t))).collect()
}
