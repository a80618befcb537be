//! Makes snapshots of an engine. What did not change since the last one is shared with it.

use std::collections::HashSet;
use std::sync::Arc;

use super::core::{Engine, Told};
use super::snapshot::*;
use super::track::Track;
use crate::model::Expert;
use crate::model::skill::Skill;
use crate::series::{InterfaceId, Timestamp};

/// Closed incidents that a snapshot lists.
const CLOSED: usize = 400;
/// Expected errors on each side of the expected value that make the band on screen.
const BAND: f64 = 2.5;

/// Keeps what the last snapshot was made of.
#[derive(Debug, Default)]
pub struct Viewer {
    views: Vec<Option<Arc<InterfaceView>>>,
    /// What views were made for: the directory's newest slot and each interface's state.
    now: Option<Timestamp>,
    states: Vec<(InterfaceState, Option<Timestamp>)>,
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
    /// The interface asked for in detail, and how many rows of it.
    pub selected: Option<(InterfaceId, usize)>,
}

impl Viewer {
    /// A snapshot; `touched` are the interfaces that had rows since the last one.
    pub fn snapshot(&mut self, engine: &Engine, around: &Surroundings, touched: &HashSet<InterfaceId>) -> Snapshot {
        let book = engine.book();
        let told = book.told();
        let states = states(engine, told);
        let tracks = engine.tracks();
        self.views.resize(tracks.len(), None);
        self.states.resize(tracks.len(), (InterfaceState::Warming, None));
        let moved = engine.now() != self.now;
        for (i, track) in tracks.iter().enumerate() {
            let id = InterfaceId::from_index(i);
            if moved || touched.contains(&id) || self.views[i].is_none() || self.states[i] != states[i] {
                self.views[i] = Some(Arc::new(interface_view(id, track, engine.now(), states[i])));
            }
        }
        (self.now, self.states) = (engine.now(), states);
        if self.order.len() != tracks.len() {
            self.order = engine.by_name().into_iter().map(|(id, _)| id).collect();
        }
        let interfaces: Arc<[Arc<InterfaceView>]> =
            self.order.iter().filter_map(|id| self.views[id.index()].clone()).collect();
        self.revision += 1;
        let step = engine.usual_step();
        Snapshot {
            revision: self.revision,
            source: around.source.clone(),
            model: around.model.clone(),
            now: engine.now(),
            devices: devices(&interfaces),
            incidents_total: told.len(),
            incidents: incidents(engine, told),
            detail: around
                .selected
                .and_then(|(id, rows)| Some(Arc::new(detail(engine, id, tracks.get(id.index())?, rows)))),
            training: around.training.clone(),
            threshold: step.map_or(0.0, |s| engine.settings().threshold(s)),
            interfaces,
        }
    }
}

/// Each interface's state and since when, by id.
fn states(engine: &Engine, told: &[Told]) -> Vec<(InterfaceState, Option<Timestamp>)> {
    let mut states: Vec<(InterfaceState, Option<Timestamp>)> = engine
        .tracks()
        .iter()
        .map(|t| if t.chain().is_some() { (InterfaceState::Nominal, None) } else { (InterfaceState::Warming, None) })
        .collect();
    for t in told.iter().filter(|t| t.incident.end.is_none()) {
        let state = match (engine.is_acknowledged(t.incident.id), t.incident.kind) {
            (true, _) => InterfaceState::Acknowledged,
            (false, IncidentKind::Silence) => InterfaceState::Silent,
            (false, _) => InterfaceState::Anomalous,
        };
        states[t.interface.index()] = (state, Some(t.incident.start));
    }
    states
}

fn interface_view(
    id: InterfaceId,
    track: &Track,
    now: Option<Timestamp>,
    (state, since): (InterfaceState, Option<Timestamp>),
) -> InterfaceView {
    let history = track.history();
    let last = history.len().checked_sub(1);
    let scored = track.scored().last().filter(|_| track.chain().is_some());
    let mut load = [f32::NAN; SPARK];
    if let (Some(step), Some(now)) = (track.step_so_far(), now) {
        for i in (0..history.len()).rev() {
            let back = step.slots_between(history.time(i), now);
            if back >= SPARK as i64 {
                break;
            }
            let place = SPARK - 1 - back.max(0) as usize;
            if load[place].is_nan() {
                load[place] = history.values(i)[1] as f32;
            }
        }
    }
    InterfaceView {
        id,
        name: track.name().clone(),
        load,
        last: last.map(|i| history.values(i)),
        expected: scored.map(|s| s.expected),
        error: scored.map_or(0.0, |s| larger(s.error) as f32),
        score: scored.map_or(0.0, |s| s.score as f32),
        state,
        since,
        rows: history.len(),
        span: last.map(|i| (history.time(0), history.time(i))),
        step: track.step(),
        known: track.chain().is_some_and(|c| c.known),
        leading: leading(track),
    }
}

fn leading(track: &Track) -> Expert {
    let weights = track.chain().map(|c| c.forecaster.weights()).unwrap_or_default();
    weights.into_iter().max_by(|a, b| a.1.total_cmp(&b.1)).map_or(Expert::LastValue, |(expert, _)| expert)
}

fn larger(pair: [f64; 2]) -> f64 {
    if pair[0].abs() > pair[1].abs() { pair[0] } else { pair[1] }
}

fn devices(interfaces: &[Arc<InterfaceView>]) -> Arc<[Arc<DeviceView>]> {
    let mut out = Vec::new();
    let mut from = 0;
    for of_host in interfaces.chunk_by(|a, b| a.name.host == b.name.host) {
        let mut load = [0.0f32; SPARK];
        for view in of_host {
            load.iter_mut().zip(&view.load).for_each(|(sum, v)| *sum += v);
        }
        let open = |v: &&Arc<InterfaceView>| matches!(v.state, InterfaceState::Anomalous | InterfaceState::Silent);
        out.push(Arc::new(DeviceView {
            host: of_host[0].name.host.clone(),
            interfaces: from..from + of_host.len(),
            load,
            score: of_host.iter().map(|v| v.score).fold(0.0, f32::max),
            state: of_host.iter().map(|v| v.state).min().unwrap_or(InterfaceState::Nominal),
            open: of_host.iter().filter(open).count(),
        }));
        from += of_host.len();
    }
    out.into()
}

/// Open incidents first, of these the ones that ring, then closed ones, each newest first.
fn incidents(engine: &Engine, told: &[Told]) -> Arc<[Arc<IncidentView>]> {
    let (mut open, mut closed): (Vec<&Told>, Vec<&Told>) = told.iter().partition(|t| t.incident.end.is_none());
    open.reverse();
    open.sort_by_key(|t| !t.rings || engine.is_acknowledged(t.incident.id));
    // The ones that ended last are kept, however long ago they began; then as the others, newest first.
    let latest = |t: &&Told| std::cmp::Reverse((t.incident.latest, t.incident.start, t.incident.id));
    if closed.len() > CLOSED {
        closed.select_nth_unstable_by_key(CLOSED, latest);
        closed.truncate(CLOSED);
    }
    closed.sort_by_key(|t| std::cmp::Reverse((t.incident.start, t.incident.id)));
    let view = |t: &Told| {
        let i = &t.incident;
        Arc::new(IncidentView {
            id: i.id,
            interface: t.interface,
            name: engine.tracks()[t.interface.index()].name().clone(),
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
            acknowledged: engine.is_acknowledged(i.id),
        })
    };
    open.into_iter().chain(closed).map(view).collect()
}

fn detail(engine: &Engine, id: InterfaceId, track: &Track, rows: usize) -> DetailView {
    let history = track.history();
    let from = history.len().saturating_sub(rows.max(1));
    let scale = track.chain().map(|c| c.forecaster.scale()[1]);
    let points = (from..track.scored().len())
        .map(|i| {
            let s = &track.scored()[i];
            let said = scale.filter(|_| s.verdict != Verdict::Warming);
            DetailPoint {
                time: history.time(i),
                actual: history.values(i),
                expected: said.map(|_| s.expected),
                band: said.map(|scale| {
                    let middle = scale.forward(s.expected[1]);
                    [scale.back(middle - BAND * s.band), scale.back(middle + BAND * s.band)]
                }),
                error: larger(s.error) as f32,
                score: s.score as f32,
                anomaly: s.anomaly,
            }
        })
        .collect();
    let known = engine.model().known().iter().find(|k| k.name == *track.name());
    let skill = known.filter(|_| track.chain().is_some_and(|c| c.known)).and_then(|k| k.skill.as_ref());
    DetailView {
        id,
        points,
        skill: skill.map(against).unwrap_or_default(),
        held_out: skill.map(|skill| [skill.mix, skill.plain]),
        weights: track.chain().map(|c| c.forecaster.weights()).unwrap_or_default(),
    }
}

/// 1 − error of the mix / error of each forecast of the skill table that there was on the held-out rows.
fn against(skill: &Skill) -> Vec<(Expert, f64)> {
    let shown = Expert::SIMPLE.into_iter().chain([Expert::Linear]);
    let pairs = shown.map(|expert| (expert, skill.experts[expert as usize]));
    pairs.filter(|(_, e)| e.is_finite() && *e > 0.0).map(|(expert, e)| (expert, 1.0 - skill.mix / e)).collect()
}
