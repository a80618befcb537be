//! A picture with something of everything, for tests: every state, a story, gaps, closed incidents.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::engine::view::devices;
use crate::engine::{
    Beside, CompanionView, DetailPoint, DetailView, Direction, Expert, HEAT, HeldOut, IncidentId, IncidentKind,
    IncidentView, InterfaceState, InterfaceView, Learnt, ModelView, NO_HEAT, Run, SPARK, Signed, Snapshot, SourceView,
    StoryId, Strip, TrainingOutcome, TrainingProgress, TrainingView, Verdict, WatchMode, Whose,
};
use crate::ingest::{Notice, Refusal};
use crate::series::{InterfaceId, InterfaceName, Step, Timestamp, WEEK};

/// 2026-11-23 14:05 UTC.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_795_392_000 + 14 * 3600 + 5 * 60);
const STEP: i64 = 300;

/// Host, interface, base load, state, signed error, score.
const FLEET: [(&str, &str, f64, InterfaceState, f32, f32); 12] = [
    ("agg-1", "xe-1/0/0", 8.1e8, InterfaceState::Nominal, 0.4, 0.3),
    ("agg-1", "xe-1/0/1", 7.4e8, InterfaceState::Nominal, -0.8, 0.5),
    ("agg-3", "xe-1/0/1", 3.0e9, InterfaceState::Acknowledged, 5.2, 3.8),
    ("core-2", "xe-0/1/3", 3.9e9, InterfaceState::Anomalous, 11.4, 6.1),
    ("core-2", "xe-0/1/4", 3.8e9, InterfaceState::Anomalous, 10.9, 6.0),
    ("core-2", "xe-0/1/5", 3.7e9, InterfaceState::Anomalous, 9.8, 5.7),
    ("core-2", "xe-0/2/0", 1.2e4, InterfaceState::Flat, 0.1, 0.1),
    ("edge-7", "ge-0/0/1", 5.5e6, InterfaceState::TakenOver, 1.2, 0.9),
    ("edge-7", "ge-0/0/2", 4.2e8, InterfaceState::Anomalous, -7.7, 4.2),
    ("edge-9", "ge-0/0/7", 1.1e6, InterfaceState::Silent, 0.0, 0.0),
    ("edge-9", "ge-0/0/8", 2.2e6, InterfaceState::Warming, 0.0, 0.0),
    ("edge-9", "ge-0/0/9", 2.5e6, InterfaceState::Nominal, -0.2, 0.1),
];

fn interface(place: usize) -> InterfaceView {
    let (host, ifname, base, state, error, score) = FLEET[place];
    let mut load = [0.0_f32; SPARK];
    for (slot, value) in load.iter_mut().enumerate() {
        let day = libm::sin((slot + 3 * place) as f64 / SPARK as f64 * std::f64::consts::TAU);
        *value = (base * (0.35 + 0.15 * day)) as f32;
    }
    match state {
        InterfaceState::Anomalous if error > 0.0 => load[SPARK - 3..].fill(base as f32),
        InterfaceState::Anomalous => load[SPARK - 3..].fill(0.0),
        InterfaceState::Silent => load[8..].fill(f32::NAN),
        InterfaceState::Warming => load[..SPARK - 7].fill(f32::NAN),
        InterfaceState::TakenOver => load[5..8].fill(f32::NAN),
        InterfaceState::Flat => load.fill(base as f32),
        _ => {}
    }
    let newest = f64::from(load[SPARK - 1]);
    let last = newest.is_finite().then_some([newest * 1.2, newest]);
    InterfaceView {
        // ids in another order than names, as in life
        id: InterfaceId::from_index((place * 5 + 3) % FLEET.len()),
        name: InterfaceName::new(host, ifname),
        strip: Strip::at_once(load, heat(place, state, score)),
        last,
        expected: (score > 0.0).then_some([base * 0.55, base * 0.42]),
        error,
        score,
        state,
        direction: (state == InterfaceState::Anomalous).then_some(if error > 0.0 {
            Direction::Up
        } else {
            Direction::Down
        }),
        since: (state != InterfaceState::Nominal).then_some(NOW.plus(-840)),
        rows: if state == InterfaceState::Warming { 7 } else { 18_000 },
        span: Some((NOW.plus(-9 * WEEK), NOW)),
        step: Step::from_seconds(STEP),
        known: place != 10,
        muted: None,
        retired: false,
        description: None,
        speed: None,
        leading: if place.is_multiple_of(2) { Expert::Lstm } else { Expert::WeekProfile },
    }
}

/// Quiet but for the last slots; a common warm spell 20 slots ago.
fn heat(place: usize, state: InterfaceState, score: f32) -> [u8; HEAT] {
    let mut heat = [0; HEAT];
    heat.iter_mut().enumerate().for_each(|(slot, heat)| *heat = u8::try_from((slot * 7 + place * 3) % 12).unwrap_or(0));
    heat[HEAT - 21..HEAT - 19].fill(24);
    heat[HEAT - 3..].fill((score * 10.0) as u8);
    match state {
        InterfaceState::Silent => heat[HEAT - 16..].fill(NO_HEAT),
        InterfaceState::Warming => heat[..HEAT - 7].fill(NO_HEAT),
        _ => {}
    }
    heat
}

struct Told {
    place: usize,
    kind: IncidentKind,
    direction: Option<Direction>,
    /// Seconds before now.
    start: i64,
    end: Option<i64>,
    factor: f64,
    verdict: Verdict,
    story: Option<u64>,
    rings: bool,
    acknowledged: bool,
}

fn incident(number: u64, told: Told, interfaces: &[Arc<InterfaceView>]) -> Arc<IncidentView> {
    let of = &interfaces[told.place];
    let expected = FLEET[told.place].2 / 2.4;
    Arc::new(IncidentView {
        id: IncidentId(number),
        interface: of.id,
        name: of.name.clone(),
        kind: told.kind,
        direction: told.direction,
        start: NOW.plus(-told.start),
        end: told.end.map(|s| NOW.plus(-s)),
        latest: told.end.map_or(NOW, |s| NOW.plus(-s)),
        peak: if of.score > 1.0 { f64::from(of.score) } else { 3.4 },
        peak_at: NOW.plus(-told.start),
        peak_value: expected * told.factor,
        peak_expected: expected,
        verdict: told.verdict,
        story: told.story.map(StoryId),
        story_size: if told.story.is_some() { 3 } else { 0 },
        rings: told.rings,
        taken_over: false,
        history: 9 * WEEK,
        acknowledged: told.acknowledged.then(signed),
        notes: Vec::new(),
        muted: None,
        retired: false,
        description: None,
    })
}

/// Somebody's name under an acknowledgement.
pub(super) fn signed() -> Signed {
    Signed { who: "ann".to_owned(), at: NOW.plus(-600) }
}

fn incidents(interfaces: &[Arc<InterfaceView>]) -> Vec<Arc<IncidentView>> {
    let up = |place, start| Told {
        place,
        kind: IncidentKind::Spike,
        direction: Some(Direction::Up),
        start,
        end: None,
        factor: 2.4,
        verdict: Verdict::Noise,
        story: Some(7),
        rings: false,
        acknowledged: false,
    };
    let all = [
        Told { rings: true, ..up(3, 900) },
        up(4, 900),
        up(5, 600),
        Told {
            kind: IncidentKind::DropToZero,
            direction: Some(Direction::Down),
            factor: 0.0,
            story: None,
            ..up(8, 600)
        },
        Told { kind: IncidentKind::Silence, direction: None, verdict: Verdict::Warming, story: None, ..up(9, 840) },
        Told { kind: IncidentKind::LevelShift, story: None, acknowledged: true, ..up(2, 9900) },
        Told {
            kind: IncidentKind::Flatline,
            direction: None,
            verdict: Verdict::Recurring,
            end: Some(20_000),
            story: None,
            ..up(7, 30_000)
        },
        Told { kind: IncidentKind::Drift, end: Some(110_000), story: None, ..up(1, 250_000) },
        Told {
            kind: IncidentKind::Drop,
            direction: Some(Direction::Down),
            factor: 0.31,
            verdict: Verdict::Recurring,
            end: Some(510_000),
            story: None,
            ..up(0, 515_000)
        },
    ];
    all.into_iter().zip(1..).map(|(told, number)| incident(number, told, interfaces)).collect()
}

/// The rows of one interface: a daily wave with a gap and an anomaly at its end.
pub(crate) fn detail(snapshot: &Snapshot, id: InterfaceId, points: usize) -> DetailView {
    let base = snapshot.interfaces.iter().find(|i| i.id == id).map_or(1e6, |i| base_of(i));
    let rows = (0..points).filter(|back| !(40..52).contains(back)).rev();
    let points = rows.map(|back| {
        let time = NOW.plus(-STEP * i64::try_from(back).unwrap_or(0));
        let day = time.second_of_utc_day() as f64 / 86_400.0 * std::f64::consts::TAU;
        let expected = base * (0.4 - 0.2 * libm::cos(day));
        let ripple = 1.0 + 0.05 * libm::sin(back as f64 * 1.7);
        let anomaly = back < 3;
        let actual = if anomaly { expected * 2.4 } else { expected * ripple };
        let error = ((actual - expected) / (base * 0.05)) as f32;
        DetailPoint {
            time,
            actual: [actual * 1.2, actual],
            range: [actual; 2],
            expected: Some([expected * 1.2, expected]),
            band: Some([expected * 0.8, expected * 1.2]),
            error,
            score: if anomaly { 6.1 } else { error.abs() * 0.5 },
            anomaly,
        }
    });
    let points: Vec<DetailPoint> = points.collect();
    let own = snapshot.incidents.iter().filter(|i| i.interface == id);
    let beside = snapshot.interfaces.iter().filter(|i| i.name.host.starts_with("core")).take(3);
    DetailView {
        id,
        span: (points.first().map_or(NOW, |p| p.time), NOW),
        points,
        spacing: STEP,
        incidents: own.map(|i| (i.id, i.start, i.end)).collect(),
        companions: beside
            .map(|i| CompanionView {
                id: i.id,
                load: i.strip.load(Some(NOW)).to_vec(),
                anomaly: (0..SPARK).map(|slot| slot >= SPARK - 3).collect(),
            })
            .collect(),
        skill: vec![(Expert::LastValue, 0.31), (Expert::DayBefore, 0.42), (Expert::WeekProfile, 0.12)],
        held_out: Some([0.43, 0.45]),
        weights: vec![(Expert::Lstm, 0.7), (Expert::WeekProfile, 0.3)],
    }
}

fn base_of(interface: &InterfaceView) -> f64 {
    let is = |entry: &&(&str, &str, f64, InterfaceState, f32, f32)| {
        entry.0 == &*interface.name.host && entry.1 == &*interface.name.ifname
    };
    FLEET.iter().find(is).map_or(1e6, |entry| entry.2)
}

/// The picture, with the detail of its worst interface.
pub(crate) fn snapshot() -> Snapshot {
    let interfaces: Vec<_> = (0..FLEET.len()).map(|place| Arc::new(interface(place))).collect();
    let path = Arc::new(PathBuf::from("datasets/sample/links.csv"));
    let refusal = |line, reason: &str| Refusal { path: path.clone(), line, reason: reason.to_owned() };
    let notice = Notice {
        path: Arc::new(PathBuf::from("datasets/sample/other.csv")),
        message: "no column mean_metric_value: rename one, or map it".to_owned(),
    };
    let mut snapshot = Snapshot {
        revision: 1,
        source: SourceView {
            dir: PathBuf::from("datasets/sample"),
            mode: WatchMode::Events,
            files: 3,
            rows: 18_412,
            rows_per_second: 12.0,
            refused: 2,
            refusals: vec![
                refusal(17, "max_metric_value is not a number: \"n/a\""),
                refusal(912, "timeslot cannot be read"),
            ]
            .into(),
            notices: vec![notice].into(),
            noticed: 1,
            fresh: true,
            late: 4,
            ..SourceView::default()
        },
        model: ModelView { name: "default".to_owned(), path: None, interfaces: 30, skill: Some(0.31) },
        now: Some(NOW),
        newest: Some(NOW),
        looks_back: false,
        step: Step::from_seconds(STEP),
        devices: devices(&interfaces).into(),
        incidents: incidents(&interfaces).into(),
        interfaces: interfaces.into(),
        incidents_total: 9,
        detail: None,
        portrait: None,
        training: TrainingView::Idle,
        pins: Arc::new([]),
        threshold: 3.3,
    };
    let worst = id_of(&snapshot, "core-2 xe-0/1/3");
    snapshot.detail = Some(Arc::new(detail(&snapshot, worst, 400)));
    snapshot
}

/// What an interface of the device would be like that has a day, a week and a relative.
pub(crate) fn portrait(id: InterfaceId) -> crate::engine::PortraitView {
    use crate::explore::{Columns, Portrait};
    let start = NOW.seconds() - 671 * 3600;
    let columns = |shift: f64, factor: f64| {
        let times: Vec<i64> = (0..672).map(|i| start + i * 3600).collect();
        let value = |(i, t): (usize, &i64)| {
            let day = (*t as f64 / 86_400.0 * std::f64::consts::TAU).sin();
            let weekend = if (t / 86_400 + 3) % 7 >= 5 { 0.5 } else { 1.0 };
            let noise = (i * 7919 % 101) as f64 / 101.0 + shift * ((i * 6007 % 97) as f64 / 97.0);
            factor * weekend * (2.0 - day + noise)
        };
        let values: Vec<f64> = times.iter().enumerate().map(value).collect();
        Columns::in_order(&times, values.clone(), values)
    };
    let name = |ifname: &str| InterfaceName::new("core-2", ifname);
    let others = [(name("xe-0/1/4"), columns(0.2, 2e9)), (name("lag-1"), columns(3.0, 5e8))];
    let portrait = Portrait::of(&name("xe-0/1/3"), &columns(0.0, 1e9), &others).expect("it has rows");
    crate::engine::PortraitView { id, portrait, compared: 2, device: 5 }
}

/// A training run in its seventh epoch.
pub(crate) fn training() -> TrainingView {
    let progress = TrainingProgress {
        stage: "learning",
        epoch: 7,
        epochs: 40,
        fraction: 0.38,
        losses: vec![1.9, 1.2, 0.9, 0.7, 0.6, 0.55, 0.53],
        glimpses: Vec::new(),
        elapsed: Duration::from_secs(12),
    };
    TrainingView::Running(Run { whose: Whose::All, progress, so_far: Some(beside(0.46, 0.44)) })
}

/// Two models on the same held-out rows, by their errors.
pub(crate) fn beside(new: f64, old: f64) -> Beside {
    let of = |error: f64| HeldOut { error, skill: Some(1.0 - error) };
    Beside { new: of(new), old: of(old), interfaces: 30, rows: 3437 }
}

/// A model that took over, by its error and that of the one before, and of how many interfaces it saw too little.
pub(crate) fn swapped(new: f64, old: f64, brief: usize) -> TrainingOutcome {
    let learnt = Learnt { interfaces: 30, brief };
    TrainingOutcome::Swapped { beside: beside(new, old), learnt, saved: Ok("state/model".into()) }
}

/// The id of an interface, by `host name`.
pub(crate) fn id_of(snapshot: &Snapshot, name: &str) -> InterfaceId {
    snapshot.interfaces.iter().find(|i| i.name.to_string() == name).expect("an interface of the fixture").id
}

/// The same picture with one interface back to its usual.
pub(crate) fn calmed(snapshot: &Snapshot, name: &str) -> Snapshot {
    let mut next = snapshot.clone();
    next.revision += 1;
    let interfaces: Vec<_> = snapshot
        .interfaces
        .iter()
        .map(|i| {
            let mut view = i.as_ref().clone();
            if view.name.to_string() == name {
                (view.state, view.score, view.error, view.since) = (InterfaceState::Nominal, 0.1, 0.1, None);
            }
            Arc::new(view)
        })
        .collect();
    next.interfaces = interfaces.into();
    next
}

/// An open incident that is newer than all others.
pub(crate) fn another_incident(snapshot: &Snapshot) -> Arc<IncidentView> {
    let told = Told {
        place: 6,
        kind: IncidentKind::Spike,
        direction: Some(Direction::Up),
        start: 0,
        end: None,
        factor: 8.0,
        verdict: Verdict::Noise,
        story: None,
        rings: false,
        acknowledged: false,
    };
    incident(99, told, &snapshot.interfaces)
}
