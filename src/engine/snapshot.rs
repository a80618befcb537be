//! What the faces of noctop see: a picture of everything, taken between two batches.
//!
//! A snapshot is immutable and cheap to hand over: what did not change since the last one is shared.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

pub use super::retraining::*;
use crate::detect::incident::{state_name, state_word};
pub use crate::detect::{Direction, IncidentId, IncidentKind, StoryId, Verdict};
use crate::explore::Portrait;
pub use crate::ingest::WatchMode;
use crate::ingest::{FileState, Gone, Notice, Progress, Refusal};
pub use crate::journal::{Act, Note, Signed};
pub use crate::model::Expert;
use crate::model::Model;
pub use crate::model::settings::Scope;
pub use crate::model::train::TrainingProgress;
use crate::series::{InterfaceId, InterfaceName, Step, Timestamp};

/// Slots that a sparkline shows: the model's window.
pub const SPARK: usize = 24;
/// Slots that a heat strip shows.
pub const HEAT: usize = 48;
/// In a heat strip: no sample in this slot.
pub const NO_HEAT: u8 = u8::MAX;
/// Interfaces that can be drawn together with the one in detail.
pub const COMPANIONS: usize = 16;

/// Everything there is to see.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Grows with every snapshot.
    pub revision: u64,
    /// Where rows come from and how that goes.
    pub source: SourceView,
    /// The model that scores.
    pub model: ModelView,
    /// The directory's newest slot; where somebody looks back, the slot that is looked back to.
    pub now: Option<Timestamp>,
    /// The directory's newest slot, also where somebody looks back.
    pub newest: Option<Timestamp>,
    /// Whether somebody looks back: values, states and incidents are then as they stood at `now`. Kinds,
    /// stories and rings are as they are known today.
    pub looks_back: bool,
    /// The commonest step of the interfaces: the slots of heat strips.
    pub step: Option<Step>,
    /// All interfaces, ordered by host and name.
    pub interfaces: Arc<[Arc<InterfaceView>]>,
    /// All devices, ordered by host.
    pub devices: Arc<[Arc<DeviceView>]>,
    /// Incidents: open ones that ring and nobody has acknowledged, then other open ones, then closed ones, each newest first; at most some hundreds of closed ones.
    pub incidents: Arc<[Arc<IncidentView>]>,
    /// How many incidents there were in all, those no longer listed included.
    pub incidents_total: usize,
    /// The interfaces that this console's operator has pinned, in the order of names.
    pub pins: Arc<[InterfaceName]>,
    /// The interface that was asked for with [`Command::Look`].
    pub detail: Option<Arc<DetailView>>,
    /// Its portrait, where that was asked for; it is a few seconds behind at the most.
    pub portrait: Option<Arc<PortraitView>>,
    /// The training run, if there is or was one.
    pub training: TrainingView,
    /// The score from which a row is an anomaly, for the step of most interfaces.
    pub threshold: f64,
}

impl Snapshot {
    /// A device's load in the last slots, oldest first: the sum of its interfaces' means, a NaN where any is
    /// missing.
    pub fn load_of(&self, device: &DeviceView) -> [f32; SPARK] {
        let mut load = [0.0f32; SPARK];
        for view in self.interfaces_of(device) {
            load.iter_mut().zip(view.strip.load(self.now)).for_each(|(sum, v)| *sum += v);
        }
        load
    }

    /// The largest of its interfaces' heat in each of the last slots; [`NO_HEAT`] where none has a sample.
    pub fn heat_of(&self, device: &DeviceView) -> [u8; HEAT] {
        let mut heat = [NO_HEAT; HEAT];
        for view in self.interfaces_of(device) {
            for (all, own) in heat.iter_mut().zip(view.strip.heat(self.now)).filter(|(_, own)| *own != NO_HEAT) {
                *all = if *all == NO_HEAT { own } else { own.max(*all) };
            }
        }
        heat
    }

    /// The interfaces of a device.
    pub fn interfaces_of(&self, device: &DeviceView) -> &[Arc<InterfaceView>] {
        self.interfaces.get(device.interfaces.clone()).unwrap_or_default()
    }
}

/// The feed.
#[derive(Debug, Clone, Default)]
pub struct SourceView {
    /// The watched directory.
    pub dir: PathBuf,
    /// Whether the directories below are read, too.
    pub recursive: bool,
    /// How changes are noticed.
    pub mode: WatchMode,
    /// Whether the directory cannot be listed now.
    pub unlisted: bool,
    /// Files that are read.
    pub files: usize,
    /// Each file, in the order of paths.
    pub states: Arc<[Arc<FileState>]>,
    /// Files that are gone; their rows stay known until the next start.
    pub gone: Gone,
    /// Rows accepted since the start.
    pub rows: u64,
    /// Accepted rows a second, of late.
    pub rows_per_second: f64,
    /// Lines refused since the start.
    pub refused: u64,
    /// The newest refused lines, newest last; bounded.
    pub refusals: Arc<[Refusal]>,
    /// What is the matter with whole files, newest last; bounded.
    pub notices: Arc<[Notice]>,
    /// Notices since the start.
    pub noticed: u64,
    /// Rows that came too late to be scored; they entered history only.
    pub late: u64,
    /// Rows that changed one that stood there.
    pub corrected: u64,
    /// Rows that changed nothing: the same again, or outvoted.
    pub repeated: u64,
    /// Rows that changed nothing, since they are older than those that are kept in memory.
    pub forgotten: u64,
    /// Rows that are in memory; fewer than were accepted where older ones were let go of.
    pub kept: usize,
    /// Interfaces with rows more than a day ahead of all others: their clocks are wrong.
    pub ahead: usize,
    /// How far the reading of what stood there is; none once it is read.
    pub loading: Option<Progress>,
    /// When the last new row came.
    pub last_row_at: Option<Instant>,
    /// Whether it came after all that stood there was read.
    pub fresh: bool,
    /// Why ingest stopped, where it did.
    pub failure: Option<String>,
}

/// The model that scores.
#[derive(Debug, Clone, Default)]
pub struct ModelView {
    /// What to call it: `default` for the built-in one, else when it was trained.
    pub name: String,
    /// Its file, where it is not the built-in one.
    pub path: Option<PathBuf>,
    /// Interfaces that it learnt from.
    pub interfaces: usize,
    /// Its median skill against the best simple forecast on rows that it did not learn from:
    /// 1 − error/error of that forecast; positive is better.
    pub skill: Option<f64>,
}

impl ModelView {
    /// What there is to say of a model, and the file that it came from.
    pub fn of(model: &Model, path: Option<PathBuf>) -> Self {
        Self { name: model.name.clone(), path, interfaces: model.known().len(), skill: model.median_skill() }
    }
}

/// What state an interface is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InterfaceState {
    /// An incident is open and nobody has acknowledged it.
    Anomalous,
    /// An incident is open, and somebody has attended to it: acknowledged or muted it, or retired the interface.
    Acknowledged,
    /// No data, while others have some; since the slot after its last.
    Silent,
    /// Too few rows to judge it.
    Warming,
    /// A shifted level was taken over as the new normal within the last week; since the end of the shift.
    TakenOver,
    /// As usual.
    Nominal,
    /// As usual, and what is usual is one and the same value.
    Flat,
}

impl InterfaceState {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Anomalous => "anomalous",
            Self::Acknowledged => "acknowledged",
            Self::Silent => "silent",
            Self::Warming => "warming",
            Self::Nominal => "nominal",
            Self::TakenOver => "taken over",
            Self::Flat => "flat",
        }
    }

    /// The same for files and programs: without a blank.
    pub fn name(self) -> String {
        self.word().replace(' ', "-")
    }
}

/// What a line shows of an interface's last slots. It stands still while time goes on: how long ago its
/// slots are is reckoned by whoever looks at it, so that a new slot changes only the interfaces that have
/// rows in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    load: [f32; SPARK],
    heat: [u8; HEAT],
    /// The slot at its end, and the step between its slots; none where it is as of one moment alone.
    end: Option<(Timestamp, Step)>,
}

impl Strip {
    /// A strip as of one moment. Mean values, oldest first, NaN where there is no sample; and the largest
    /// score in each slot in tenths, [`NO_HEAT`] where there is no sample.
    pub fn at_once(load: [f32; SPARK], heat: [u8; HEAT]) -> Self {
        Self { load, heat, end: None }
    }

    /// The same with `end` as its last slot, whose slots are a `step` apart.
    pub fn ending(load: [f32; SPARK], heat: [u8; HEAT], end: Timestamp, step: Step) -> Self {
        Self { load, heat, end: Some((end, step)) }
    }

    /// Whether it is as of one moment alone, and has to be made anew for each other one.
    pub fn is_at_once(&self) -> bool {
        self.end.is_none()
    }

    /// Mean values of the last slots up to `now`, oldest first; NaN where there is no sample. The newest row counts as
    /// that of now until the next one is due.
    pub fn load(&self, now: Option<Timestamp>) -> [f32; SPARK] {
        let mut load = [f32::NAN; SPARK];
        let by = self.slots_ago(now, Step::slots_missing).min(SPARK);
        load[..SPARK - by].copy_from_slice(&self.load[by..]);
        load
    }

    /// The largest score in each of the last slots of the fleet's usual step up to `now`, oldest first, in
    /// tenths: [`NO_HEAT`] where there is no sample.
    pub fn heat(&self, now: Option<Timestamp>) -> [u8; HEAT] {
        let mut heat = [NO_HEAT; HEAT];
        let by = self.slots_ago(now, Step::slots_between).min(HEAT);
        heat[..HEAT - by].copy_from_slice(&self.heat[by..]);
        heat
    }

    /// How many slots its end lies before `now`, counted so.
    fn slots_ago(&self, now: Option<Timestamp>, count: fn(Step, Timestamp, Timestamp) -> i64) -> usize {
        let ago = self.end.zip(now).map(|((end, step), now)| count(step, end, now));
        ago.map_or(0, |ago| usize::try_from(ago).unwrap_or(0))
    }
}

/// One interface, as a line of the list.
#[derive(Debug, Clone)]
pub struct InterfaceView {
    /// Its id.
    pub id: InterfaceId,
    /// Its name.
    pub name: InterfaceName,
    /// What its line shows of the last slots.
    pub strip: Strip,
    /// Its newest row: maximum and mean.
    pub last: Option<[f64; 2]>,
    /// What was expected of that row: maximum and mean.
    pub expected: Option<[f64; 2]>,
    /// What came minus what was expected in units of the interface's own error spread: the larger of maximum's and mean's.
    pub error: f32,
    /// The newest row's score: −log10 of the probability of such an error here.
    pub score: f32,
    /// Its state.
    pub state: InterfaceState,
    /// Which way its newest open incident goes. The newest row may be on the other side of what was
    /// expected of it: forecasts follow.
    pub direction: Option<Direction>,
    /// Since when it is in a state other than nominal.
    pub since: Option<Timestamp>,
    /// Rows that stand in its history.
    pub rows: usize,
    /// Its first and newest slot.
    pub span: Option<(Timestamp, Timestamp)>,
    /// Its step, once settled.
    pub step: Option<Step>,
    /// Whether the model learnt from this interface.
    pub known: bool,
    /// The forecast that weighs most for it now.
    pub leading: Expert,
    /// Until when all its incidents are muted, by the clock.
    pub muted: Option<Timestamp>,
    /// Whether it is gone for good, as somebody said: nothing of it is an alarm.
    pub retired: bool,
    /// What it is there for, by the inventory.
    pub description: Option<Arc<str>>,
    /// The largest load that it can have, by the inventory: above zero.
    pub speed: Option<f64>,
}

impl InterfaceView {
    /// The newest mean as a part of the speed: 1 is full. None where either is not known.
    pub fn utilisation(&self) -> Option<f64> {
        Some(self.last?[1] / self.speed?)
    }
}

/// A device: all interfaces of one host.
#[derive(Debug, Clone)]
pub struct DeviceView {
    /// The host.
    pub host: Arc<str>,
    /// Places of its interfaces in [`Snapshot::interfaces`].
    pub interfaces: std::ops::Range<usize>,
    /// The worst score of its interfaces.
    pub score: f32,
    /// The worst state of its interfaces.
    pub state: InterfaceState,
    /// Interfaces with an open incident.
    pub open: usize,
}

/// Anomalous slots of one interface, merged into one thing.
#[derive(Debug, Clone)]
pub struct IncidentView {
    /// Its name.
    pub id: IncidentId,
    /// Whose it is.
    pub interface: InterfaceId,
    /// That interface's name.
    pub name: InterfaceName,
    /// What happened.
    pub kind: IncidentKind,
    /// Up or down; none for silence and flatlines.
    pub direction: Option<Direction>,
    /// Its first slot.
    pub start: Timestamp,
    /// Its last slot; none while it is open.
    pub end: Option<Timestamp>,
    /// Its last anomalous slot so far.
    pub latest: Timestamp,
    /// The largest score.
    pub peak: f64,
    /// When that was.
    pub peak_at: Timestamp,
    /// Mean value then, and what was expected of it.
    pub peak_value: f64,
    /// What was expected of that value.
    pub peak_expected: f64,
    /// DBSCAN's verdict at the peak.
    pub verdict: Verdict,
    /// The story it belongs to, with at least one other incident.
    pub story: Option<StoryId>,
    /// How many incidents that story has.
    pub story_size: usize,
    /// Whether it calls somebody: a story does so once, with one of its incidents.
    pub rings: bool,
    /// Whether it ended because its level was taken over as the new normal.
    pub taken_over: bool,
    /// How much history stood behind it when it started, in seconds: a rarity is capped at this.
    pub history: i64,
    /// Who has acknowledged it, and when by the clock.
    pub acknowledged: Option<Signed>,
    /// What people noted on it, oldest first.
    pub notes: Vec<Note>,
    /// Until when it is muted by the clock, itself or with all of its interface.
    pub muted: Option<Timestamp>,
    /// Whether its interface is retired.
    pub retired: bool,
    /// What its interface is there for, by the inventory.
    pub description: Option<Arc<str>>,
}

impl IncidentView {
    /// Whether somebody has attended to it: it is acknowledged or muted, or its interface is retired.
    pub fn attended(&self) -> bool {
        self.acknowledged.is_some() || self.muted.is_some() || self.retired
    }

    /// Whether it calls somebody now: it rings, it is open, and nobody has attended to it.
    pub fn calls(&self) -> bool {
        self.rings && self.end.is_none() && !self.attended()
    }

    /// How it stands, in words: `open`, `closed`, or `taken over` where its level is the new normal.
    pub fn state(&self) -> &'static str {
        state_word(self.end.is_some(), self.taken_over)
    }

    /// The same in files and JSON: `taken-over`.
    pub fn state_name(&self) -> &'static str {
        state_name(self.end.is_some(), self.taken_over)
    }
}

/// What an interface is like, by all its rows up to now (of very many, the newest ones).
#[derive(Debug, Clone)]
pub struct PortraitView {
    /// Which one.
    pub id: InterfaceId,
    /// What it is like.
    pub portrait: Portrait,
    /// Others of its device that it was compared with.
    pub compared: usize,
    /// Interfaces of its device.
    pub device: usize,
}

/// One interface in full.
#[derive(Debug, Clone)]
pub struct DetailView {
    /// Which one.
    pub id: InterfaceId,
    /// The time that was asked for, as far as there are rows: first and last moment.
    pub span: (Timestamp, Timestamp),
    /// Its rows in that time, oldest first; where there are more of them than points were asked for,
    /// a point stands for the rows of [`DetailView::spacing`] seconds.
    pub points: Vec<DetailPoint>,
    /// Seconds between two points.
    pub spacing: i64,
    /// Its incidents in that time: first slot, and last one (none while it is open).
    pub incidents: Vec<(IncidentId, Timestamp, Option<Timestamp>)>,
    /// Other interfaces over the same time, as many as were asked for.
    pub companions: Vec<CompanionView>,
    /// Skill of the mix against each simple forecast on held-out rows, where the model knows it.
    pub skill: Vec<(Expert, f64)>,
    /// Error of the mix on those rows, in units of the interface's spread, and that of the mix without the LSTM.
    pub held_out: Option<[f64; 2]>,
    /// Weights of the forecasts now, those that take part.
    pub weights: Vec<(Expert, f32)>,
}

/// An interface beside the one in detail.
#[derive(Debug, Clone, PartialEq)]
pub struct CompanionView {
    /// Which one.
    pub id: InterfaceId,
    /// Mean values in equal parts of the detail's time, oldest first; NaN where there is no sample.
    pub load: Vec<f32>,
    /// Whether one of its rows there is an anomaly.
    pub anomaly: Vec<bool>,
}

/// One row with what was said of it, or several rows as one.
#[derive(Debug, Clone, Copy)]
pub struct DetailPoint {
    /// Its slot; of several rows that of the worst one.
    pub time: Timestamp,
    /// Maximum and mean; of several rows the largest maximum, and the mean of the worst one.
    pub actual: [f64; 2],
    /// The lowest and the highest mean of the rows.
    pub range: [f64; 2],
    /// What was expected; none while warming up.
    pub expected: Option<[f64; 2]>,
    /// The band of usual means: lower and upper end; none while warming up.
    pub band: Option<[f64; 2]>,
    /// Signed error in units of the spread.
    pub error: f32,
    /// Score.
    pub score: f32,
    /// Whether it is an anomaly.
    pub anomaly: bool,
}

/// What a face wants to see of one interface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Which one.
    pub interface: InterfaceId,
    /// Seconds of its history up to `until`; none for all of it.
    pub span: Option<i64>,
    /// The last moment; none for now.
    pub until: Option<Timestamp>,
    /// Points at the most.
    pub points: usize,
    /// Interfaces to be drawn together with it; the first [`COMPANIONS`] count.
    pub with: Vec<InterfaceId>,
    /// Whether its portrait is wanted, too.
    pub portrait: bool,
}

/// What a face can ask of the engine.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Put an interface's detail into the snapshots; none for no detail.
    Look(Option<Look>),
    /// Look back: make snapshots of how everything stood at this moment; none for now.
    LookBack(Option<Timestamp>),
    /// Say something of incidents or interfaces, all of it at once: acknowledge, note, mute, retire, or take
    /// back. It is in force at once and written into the journal.
    Mark(Vec<Act>),
    /// Start a training run, unless one is running.
    Retrain(Retraining),
    /// Cancel the training run.
    CancelTraining,
    /// End the engine's thread.
    Stop,
}
