//! The engine itself: rows in, scores and incidents out. No thread, no clock, no terminal.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::book::Book;
use super::settle::settle;
use super::succession::Succession;
use super::track::{LEAST_KEPT, Taken, Track};
use crate::detect::silence::Activity;
use crate::detect::{Incident, IncidentId, Settings, StoryId};
use crate::ingest::{Batch, FileSource, Root, outranks};
use crate::inventory::Inventory;
use crate::journal::Marks;
use crate::model::Model;
use crate::series::{InterfaceId, InterfaceName, Step, Timestamp};

/// Rows below which one thread is as quick as two.
const WORTH_A_THREAD: usize = 16;

/// Owns every interface, the model and the settings.
#[derive(Debug)]
pub struct Engine {
    tracks: Vec<Track>,
    files: Vec<FileSource>,
    activity: Activity,
    models: Succession,
    settings: Settings,
    threads: usize,
    marks: Marks,
    /// How often other marks were put in force.
    marked: u64,
    inventory: Arc<Inventory>,
    book: Mutex<Book>,
    /// Interfaces with rows that wait to be scored.
    due: BTreeSet<InterfaceId>,
    /// The step of each interface, by id, and how many interfaces have which.
    steps: Vec<Option<Step>>,
    of_step: BTreeMap<Step, usize>,
    counts: Counts,
    memory: Memory,
    /// Interfaces that are not scored before all of the directory is read, by name and by id.
    held: HashSet<InterfaceName>,
    held_ids: HashSet<InterfaceId>,
}

/// How many rows are kept in memory once they are scored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Memory {
    /// All of them, for who reads once.
    #[default]
    All,
    /// About so many, the newest ones of each interface, and of each interface at least
    /// [`LEAST_KEPT`]. Of an interface that the model did not learn from, or too briefly, the first 12,288 rows stay
    /// until there are more, since its scale is fitted to them again. What follows from rows that are not kept stays:
    /// the state that scores the next row, and incidents.
    Rows(usize),
}

impl Memory {
    /// Bytes of a row with what was said of it.
    pub const BYTES_OF_ROW: usize = 112;

    /// As many rows as there is room for in so many bytes.
    pub fn of_bytes(bytes: usize) -> Self {
        Self::Rows(bytes / Self::BYTES_OF_ROW)
    }

    /// Rows of each of so many interfaces.
    fn of_each(self, interfaces: usize) -> usize {
        match self {
            Self::All => usize::MAX / 4,
            Self::Rows(rows) => (rows / interfaces.max(1)).max(LEAST_KEPT),
        }
    }
}

/// What became of all rows so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows that ingest accepted.
    pub rows: u64,
    /// Rows that came more than 48 slots late: they stand in history and were not scored.
    pub late: u64,
    /// Rows that changed a row which stood there.
    pub corrected: u64,
    /// Rows that changed nothing: repeats, and rows over which another takes precedence.
    pub repeated: u64,
    /// Rows that changed nothing since they are older than those that are kept in memory: repeats,
    /// corrections or new ones, nobody knows. The next start does.
    pub forgotten: u64,
    /// Lines that were refused.
    pub refused: u64,
}

/// An incident with whose it is and where it belongs.
#[derive(Debug, Clone)]
pub struct Told {
    /// Whose.
    pub interface: InterfaceId,
    /// The incident.
    pub incident: Incident,
    /// Its story, and how many incidents that has; none where it is alone.
    pub story: Option<(StoryId, usize)>,
    /// Whether it calls somebody: a story does so once, with one of its incidents.
    pub rings: bool,
}

impl Engine {
    /// An engine without rows: one model, or those that were in force in turn. `threads` of them score; the
    /// scores do not depend on how many.
    pub fn new(models: impl Into<Succession>, settings: Settings, threads: usize) -> Self {
        Self {
            tracks: Vec::new(),
            files: Vec::new(),
            activity: Activity::default(),
            models: models.into(),
            settings,
            threads: threads.max(1),
            marks: Marks::default(),
            marked: 0,
            inventory: Arc::default(),
            book: Mutex::default(),
            due: BTreeSet::new(),
            steps: Vec::new(),
            of_step: BTreeMap::new(),
            counts: Counts::default(),
            memory: Memory::All,
            held: HashSet::new(),
            held_ids: HashSet::new(),
        }
    }

    /// Keeps no more rows than this in memory.
    #[must_use]
    pub fn with_memory(self, memory: Memory) -> Self {
        Self { memory, ..self }
    }

    /// How many rows are kept in memory.
    pub(super) fn memory(&self) -> Memory {
        self.memory
    }

    /// Does not score these interfaces before [`Engine::release`].
    pub(super) fn hold(&mut self, names: HashSet<InterfaceName>) {
        self.held = names;
    }

    /// Scores all interfaces from now on.
    pub(super) fn release(&mut self) {
        (self.held, self.held_ids) = (HashSet::new(), HashSet::new());
    }

    /// Interfaces of which a row came so late, before any was scored, that they can only be scored once
    /// all rows are known.
    pub(super) fn with_strays(&self) -> HashSet<InterfaceName> {
        self.tracks.iter().filter(|track| track.has_strays()).map(|track| track.name().clone()).collect()
    }

    /// Before any row is scored: keeps the rows of the last `span` seconds of each interface, and at
    /// least the newest `least`.
    pub(super) fn skim(&mut self, span: i64, least: usize) {
        self.tracks.iter_mut().for_each(|track| track.skim(span, least));
    }

    /// Rows that are in memory.
    pub fn kept(&self) -> usize {
        self.tracks.iter().map(|track| track.history().places().len()).sum()
    }

    /// Another engine with the newest rows alone: those of the last `span` seconds, and at least `least`
    /// of each interface; fewer seconds where that is more than `most` rows of all. None of them is scored.
    /// What it will say of them is provisional, since it knows nothing of what came before.
    pub fn recent(&self, span: i64, least: usize, most: usize) -> Self {
        let since = self.now().map_or(Timestamp::from_seconds(0), |now| now.plus(-span));
        let rows = least..=(most / self.tracks.len().max(1)).max(least);
        let tracks: Vec<Track> = self.tracks.iter().map(|track| track.recent(since, rows.clone())).collect();
        let due = (0..).zip(&tracks).filter(|(_, t)| t.is_due()).map(|(i, _)| InterfaceId::from_index(i)).collect();
        Self {
            tracks,
            due,
            files: self.files.clone(),
            activity: self.activity.since(since),
            marks: self.marks.clone(),
            inventory: self.inventory.clone(),
            counts: self.counts,
            ..Self::new(self.model().clone(), self.settings.clone(), self.threads)
        }
    }

    /// Rows that wait to be scored, of interfaces that are not held.
    pub fn waiting(&self) -> usize {
        self.to_score().map(|id| self.tracks[id.index()].due()).sum()
    }

    /// Takes the rows of a batch into their histories. They are scored by [`Engine::settle`].
    /// Gives the interfaces that rows came for.
    pub fn absorb(&mut self, batch: &Batch) -> Vec<InterfaceId> {
        self.files.extend(batch.files.iter().cloned());
        let known = self.tracks.len();
        self.tracks.extend(batch.names.iter().cloned().map(Track::new));
        if !self.held.is_empty() {
            let held = batch.names.iter().enumerate().filter(|(_, name)| self.held.contains(name));
            self.held_ids.extend(held.map(|(i, _)| InterfaceId::from_index(known + i)));
        }
        self.counts.refused += batch.refused;
        self.counts.rows += batch.rows.len() as u64;
        let mut touched: Vec<InterfaceId> = Vec::new();
        for row in &batch.rows {
            let Some(track) = self.tracks.get_mut(row.interface.index()) else { continue };
            let taken = track.take(row, |new, old| outranks(&self.files, new, old));
            match taken {
                Taken::Scored => {}
                Taken::HistoryOnly => self.counts.late += 1,
                Taken::Corrected => self.counts.corrected += 1,
                Taken::Nothing => self.counts.repeated += 1,
                Taken::Forgotten => self.counts.forgotten += 1,
            }
            if taken == Taken::Nothing {
                continue;
            }
            // What comes too late to be scored closes no gap of its interface, and so it says of none that others
            // had rows: else all would have been silent whose rows are made up for.
            if taken != Taken::HistoryOnly {
                self.activity.learn(row.time);
            }
            touched.push(row.interface);
        }
        self.decide_now();
        touched.sort_unstable();
        touched.dedup();
        for id in &touched {
            if self.tracks[id.index()].is_due() {
                self.due.insert(*id);
            }
            let newest = self.tracks[id.index()].history().newest();
            self.book.get_mut().unwrap_or_else(PoisonError::into_inner).note(*id, newest);
        }
        touched
    }

    /// Scores every row that is due.
    pub fn settle(&mut self) {
        self.settle_until(|| false);
    }

    /// Scores rows that are due until it is `enough`, which is asked every 64 rows of an interface and by each thread.
    /// Gives the interfaces of which rows were scored.
    pub fn settle_until(&mut self, enough: impl Fn() -> bool + Sync) -> Vec<InterfaceId> {
        let enough = &enough;
        let ids: Vec<InterfaceId> = self.to_score().collect();
        let keep = self.memory.of_each(self.tracks.len());
        let mut due = pick(&mut self.tracks, &ids);
        // Long ones first, so that the threads end together.
        due.sort_by_key(|(_, t)| std::cmp::Reverse(t.due()));
        let rows: usize = due.iter().map(|(_, t)| t.due()).sum();
        let threads = if rows < WORTH_A_THREAD { 1 } else { self.threads.min(due.len()).max(1) };
        let (models, settings) = (&self.models, &self.settings);
        let queue = Mutex::new(due.into_iter());
        // Nobody takes more side by side than a fair share of what is left: the last ones are for all threads.
        let next = |in_hand: usize| {
            let mut queue = queue.lock().unwrap_or_else(PoisonError::into_inner);
            if in_hand < queue.len().div_ceil(threads) { queue.next() } else { None }
        };
        let work = || settle(next, models, settings, keep, enough);
        let mut settled = std::thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut settled = work();
            for other in others {
                match other.join() {
                    Ok(more) => settled.extend(more),
                    // A fault in one interface's scoring is a fault of the engine.
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            settled
        });
        drop(queue);
        settled.sort_unstable();
        settled.iter().for_each(|id| self.follow(*id));
        settled
    }

    /// Brings what is known of all interfaces up to date with one that was settled.
    fn follow(&mut self, id: InterfaceId) {
        let track = &self.tracks[id.index()];
        if !track.is_due() {
            self.due.remove(&id);
        }
        self.steps.resize(self.tracks.len(), None);
        let (old, new) = (std::mem::replace(&mut self.steps[id.index()], track.step()), track.step());
        if old != new {
            if let Some(count) = old.and_then(|step| self.of_step.get_mut(&step)) {
                *count -= 1;
            }
            new.into_iter().for_each(|step| *self.of_step.entry(step).or_default() += 1);
        }
        let newest = self.tracks[id.index()].history().newest();
        self.book.get_mut().unwrap_or_else(PoisonError::into_inner).note(id, newest);
    }

    /// Whether rows wait to be scored, of interfaces that are not held.
    pub fn is_due(&self) -> bool {
        self.to_score().next().is_some()
    }

    /// The interfaces with rows that can be scored now.
    fn to_score(&self) -> impl Iterator<Item = InterfaceId> + '_ {
        self.due.iter().filter(|id| !self.held_ids.contains(id)).copied()
    }

    /// Share of all rows that is scored.
    pub fn share_settled(&self) -> f64 {
        let rows: usize = self.tracks.iter().map(|t| t.history().len()).sum();
        if rows == 0 { 1.0 } else { 1.0 - self.waiting() as f64 / rows as f64 }
    }

    /// All interfaces, in the order of their ids.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// All interfaces, in the order of their names.
    pub fn by_name(&self) -> Vec<(InterfaceId, &Track)> {
        let mut all: Vec<_> = self.tracks.iter().enumerate().map(|(i, t)| (InterfaceId::from_index(i), t)).collect();
        all.sort_by(|a, b| a.1.name().cmp(b.1.name()));
        all
    }

    /// Whether a row of an interface came from the data directory rather than from `--history`.
    pub fn is_data(&self, track: &Track, row: usize) -> bool {
        self.files.get(track.history().origin(row).file.index()).is_some_and(|f| f.root == Root::Data)
    }

    /// The directory's newest slot.
    pub fn now(&self) -> Option<Timestamp> {
        self.activity.newest()
    }

    /// Interfaces with rows more than a day ahead of all others, too few to be believed: their clocks
    /// are wrong, and [`Engine::now`] leaves them out.
    pub fn ahead(&self) -> impl Iterator<Item = &Track> {
        let now = self.activity.newest().filter(|now| Some(*now) < self.activity.furthest());
        let tracks: &[Track] = if now.is_some() { &self.tracks } else { &[] };
        tracks.iter().filter(move |track| track.history().newest() > now)
    }

    fn decide_now(&mut self) {
        let tracks = &self.tracks;
        // A tenth of them, and where there are others, more than one.
        let least = tracks.len().div_ceil(10).max(if tracks.len() > 2 { 2 } else { 1 });
        let reaches = |track: &&Track, from| track.history().newest() >= Some(from);
        self.activity.decide(
            |from| tracks.iter().filter(|track| reaches(track, from)).take(least).count() == least,
            |from| {
                let last = |track: &Track| {
                    let behind = track.history().first_at_or_after(from);
                    behind
                        .checked_sub(1)
                        .filter(|i| track.history().places().contains(i))
                        .map(|i| track.history().time(i))
                };
                tracks.iter().filter_map(last).max()
            },
        );
    }

    /// What became of the rows.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The model that scores the newest rows.
    pub fn model(&self) -> &Arc<Model> {
        self.models.model()
    }

    /// What decides alarms.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The commonest step of the interfaces.
    pub fn usual_step(&self) -> Option<Step> {
        let counts = self.of_step.iter().filter(|(_, n)| **n > 0);
        counts.max_by_key(|(_, n)| **n).map(|(step, _)| *step)
    }

    /// Every incident in the order of starts, with its story and whether it rings.
    pub fn incidents(&self) -> Vec<Told> {
        self.book().told().cloned().collect()
    }

    /// The book of incidents, up to date.
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        book.update(&self.tracks, &self.activity, &self.settings);
        book
    }

    /// Incidents that a late or corrected row lets begin elsewhere since this was asked last: their names so far, and
    /// those that they have now.
    pub(super) fn take_moved(&self) -> Vec<(IncidentId, IncidentId)> {
        self.book().take_moved()
    }

    /// Threads that score.
    pub fn threads(&self) -> usize {
        self.threads
    }

    /// What people know of interfaces.
    pub fn inventory(&self) -> &Arc<Inventory> {
        &self.inventory
    }

    /// Takes over what people know of interfaces. Scores and incidents do not depend on it.
    pub fn describe(&mut self, inventory: Arc<Inventory>) {
        self.inventory = inventory;
    }

    /// What people said of incidents and interfaces.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// Puts other marks in force. Scores and incidents do not depend on them.
    pub fn mark(&mut self, marks: Marks) {
        self.marks = marks;
        self.marked += 1;
    }

    /// How often other marks were put in force.
    pub(super) fn marked(&self) -> u64 {
        self.marked
    }

    /// Whether somebody has attended to an incident: it was acknowledged, or it or its interface is
    /// muted, or its interface is retired.
    pub fn is_attended(&self, told: &Told) -> bool {
        self.attended(told.interface, &told.incident)
    }

    /// The same of an incident of this interface.
    pub(super) fn attended(&self, interface: InterfaceId, incident: &Incident) -> bool {
        self.marks.attended(incident.id, self.tracks[interface.index()].name())
    }

    /// Goes on with another model for the rows behind now, the newest slot: a row that comes late is scored by
    /// the model that was in force at its time. An interface of which it says the same as the present one goes
    /// on as it is; `prepared` holds chains that were built for it elsewhere, as far as there are any.
    pub fn adopt(&mut self, model: Arc<Model>, mut prepared: BTreeMap<InterfaceId, Option<super::track::Prepared>>) {
        self.settle();
        let slot = self.now().unwrap_or(Timestamp::from_seconds(i64::MIN / 4));
        self.models.take_over(slot, model);
        for i in 0..self.tracks.len() {
            let id = InterfaceId::from_index(i);
            self.tracks[i].adopt(slot, prepared.remove(&id).flatten());
        }
        let keep = self.memory.of_each(self.tracks.len());
        let mut all = self.tracks.iter_mut().enumerate().map(|(i, track)| (InterfaceId::from_index(i), track));
        for id in settle(|_| all.next(), &self.models, &self.settings, keep, || false) {
            self.follow(id);
        }
    }
}

/// The interfaces with these ids, which are in order.
fn pick<'a>(tracks: &'a mut [Track], ids: &[InterfaceId]) -> Vec<(InterfaceId, &'a mut Track)> {
    let (mut rest, mut passed) = (tracks, 0);
    let mut picked = Vec::with_capacity(ids.len());
    for id in ids {
        let from = std::mem::take(&mut rest).get_mut(id.index() - passed..);
        let Some((track, more)) = from.and_then(<[Track]>::split_first_mut) else { break };
        picked.push((*id, track));
        (rest, passed) = (more, id.index() + 1);
    }
    picked
}
