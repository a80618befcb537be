//! The engine on a thread of its own, between ingest and a face.
//!
//! Rows come in batches; a training run is one job in one slot; snapshots go out at most ten times
//! a second, and at once after a command. Nothing here waits for a face. How it starts on a directory
//! stands in `loading.rs` and `again.rs`, what becomes of a training run in `retrain.rs`, what can be chosen in
//! `options.rs`.

mod again;
mod loading;
mod options;
mod retrain;
mod telling;

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, never, select};

use self::again::Again;
pub use self::options::LiveOptions;
use self::telling::Telling;
use crate::engine::core::{Engine, Memory};
use crate::engine::handle::{Handle, Publisher, pair};
use crate::engine::job::{Job, Said};
use crate::engine::portrait::Sitting;
use crate::engine::snapshot::*;
use crate::engine::succession::Succession;
use crate::engine::view::{Surroundings, Viewer};
use crate::ingest::{Batch, Feed, FileStates, IngestError, Notice, Progress, Watch, WatchOptions, watch};
use crate::journal::{Journal, Keeper};
use crate::model::train::Options as TrainOptions;
use crate::series::{InterfaceId, Timestamp};

/// Time between two snapshots that no command asked for.
const PUBLISH: Duration = Duration::from_millis(100);
/// The same while what stood in the directory is read and scored: what is shown then is provisional, and a picture
/// that changes all the time helps nobody.
const PUBLISH_LOADING: Duration = Duration::from_millis(200);
/// And where nothing but the rate of rows has changed.
const PUBLISH_RATE: Duration = Duration::from_secs(1);
/// How long rows are scored before others are heard.
const SLICE: Duration = Duration::from_millis(50);
/// Refused lines and notices that a snapshot holds.
const REMEMBERED: usize = 200;
/// Time over which rows a second are counted.
const RATE_SPAN: Duration = Duration::from_secs(10);

/// Starts to watch. The thread ends with [`Command::Stop`] or when all handles are gone.
///
/// # Errors
/// When the directory cannot be watched.
pub fn start(options: LiveOptions) -> Result<(Handle, JoinHandle<()>), IngestError> {
    let watch = watch(options.dir.clone(), options.watch.clone())?;
    let mut live = Live::new(options).map_err(|source| IngestError::Thread { source })?;
    let (handle, publisher) = pair(live.snapshot());
    let thread = std::thread::Builder::new().name("engine".into()).spawn(move || live.run(watch, &publisher));
    let thread = thread.map_err(|source| IngestError::Thread { source })?;
    Ok((handle, thread))
}

struct Live {
    engine: Engine,
    /// The newest days on their own, which are shown until all of history is scored.
    preview: Option<Engine>,
    /// More stands in the directory than is kept in memory: only the newest rows are kept before all is read again.
    skims: bool,
    /// The second reading. The preview has the first.
    again: Option<Again>,
    watch: WatchOptions,
    memory: Memory,
    models: Succession,
    viewer: Viewer,
    around: Surroundings,
    touched: HashSet<InterfaceId>,
    files: FileStates,
    job: Option<Job>,
    train: TrainOptions,
    journal: Option<Journal>,
    keeper: Keeper,
    telling: Telling,
    /// All that stood in the directory at the start is read; until then nothing is scored.
    read_through: bool,
    /// Rows that wait from which on there is a preview.
    worth_a_preview: usize,
    arrivals: VecDeque<(Instant, u64)>,
    changed: bool,
    /// What has changed is what somebody waits for at the start.
    awaited: bool,
    /// The rate of rows has changed, or may have.
    rate_changed: bool,
    sitting: Sitting,
}

impl Live {
    fn new(options: LiveOptions) -> std::io::Result<Self> {
        let (keeper, told) = Keeper::new(options.journal.as_ref())?;
        let mut around = Surroundings {
            pins: keeper.pins(),
            model: ModelView::of(options.models.model(), options.model_path),
            source: SourceView {
                dir: options.dir,
                recursive: options.watch.read.recursive,
                loading: Some(Progress::default()),
                ..SourceView::default()
            },
            ..Surroundings::default()
        };
        let notices: Vec<Notice> = options.notices.into_iter().chain(told).collect();
        note(&mut around.source, &notices);
        let models = options.models;
        let mut engine = Engine::new(models.clone(), options.settings, options.threads).with_memory(options.memory);
        engine.mark(keeper.marks().clone());
        engine.describe(options.inventory);
        let telling = Telling::new(options.on_incident.as_deref(), options.news)?;
        Ok(Self {
            engine,
            preview: None,
            skims: false,
            again: None,
            watch: options.watch,
            memory: options.memory,
            models,
            viewer: Viewer::default(),
            around,
            touched: HashSet::new(),
            files: FileStates::default(),
            job: None,
            train: options.train,
            journal: options.journal,
            keeper,
            telling,
            read_through: false,
            worth_a_preview: loading::WORTH_A_PREVIEW,
            arrivals: VecDeque::new(),
            changed: true,
            awaited: false,
            rate_changed: false,
            sitting: Sitting::default(),
        })
    }

    fn snapshot(&mut self) -> Snapshot {
        let shown = self.preview.as_ref().unwrap_or(&self.engine);
        let snapshot = self.viewer.snapshot(shown, &self.around, &self.touched);
        self.touched.clear();
        (self.changed, self.awaited, self.rate_changed) = (false, false, false);
        snapshot
    }

    fn run(mut self, mut watch: Watch, publisher: &Publisher) {
        let nothing = never();
        let failed = self.telling.failures();
        let mut publish_from = Instant::now() + self.pause();
        let mut rate_published = Instant::now();
        let mut feed_ended = false;
        let mut journal_ended = false;
        loop {
            let due = self.is_due();
            let wait = if due { Duration::ZERO } else { self.idle_until(publish_from, rate_published) };
            let said: &Receiver<Said> = self.job.as_ref().map_or(&nothing, |job| &job.said);
            let feed = if feed_ended { &never() } else { &watch.feed };
            let kept = if journal_ended { &never() } else { self.keeper.said() };
            let again = self.again.as_ref().map_or_else(never, |again| again.feed(&self.engine));
            let mut at_once = false;
            select! {
                recv(feed) -> fed => match fed {
                    Ok(fed) => self.take(fed),
                    Err(_) => feed_ended = true,
                },
                recv(again) -> fed => match (fed, &mut self.again) {
                    (Ok(fed), _) => self.take_again(fed),
                    (Err(_), again) => again.iter_mut().for_each(Again::has_ended),
                },
                recv(publisher.commands) -> command => match command {
                    Ok(Command::Stop) | Err(_) => return,
                    Ok(command) => {
                        self.obey(command);
                        at_once = true;
                    }
                },
                recv(said) -> said => if let Ok(said) = said { self.hear(said) },
                recv(failed) -> why => if let Ok(why) = why {
                    note(&mut self.around.source, self.telling.failed(why).as_slice());
                    self.changed = true;
                },
                recv(kept) -> said => match said {
                    Ok(said) => {
                        let notices = self.keeper.hear(said);
                        self.remark(&notices);
                    }
                    Err(_) => journal_ended = true,
                },
                default(wait) => {}
            }
            // Also what has just come: a fresh row is not shown before it is scored. At the start there is more to
            // score than somebody who asks for something should wait for.
            let loading = self.around.source.loading.is_some();
            if self.is_due() && !(at_once && loading) {
                self.settle(|| loading && !publisher.commands.is_empty());
            }
            if let Some(other) = self.swap() {
                watch = other;
                feed_ended = false;
            }
            self.count_arrivals(Instant::now());
            self.paint(Instant::now());
            if self.keeper.expire(clock()) {
                self.remark(&[]);
            }
            // A snapshot of the rate alone does not hold up one of rows.
            let in_turn = self.awaited || (self.changed && Instant::now() >= publish_from);
            let rows = at_once || in_turn;
            if in_turn {
                self.tell_progress();
            }
            if rows || (self.rate_changed && rate_published.elapsed() >= PUBLISH_RATE) {
                self.call_out();
                let pause = self.pause();
                let snapshot = Arc::new(self.snapshot());
                rate_published = Instant::now();
                publish_from = if rows { rate_published + pause } else { publish_from };
                if !publisher.publish(snapshot) {
                    return;
                }
            }
        }
    }

    /// Time between a snapshot and the next one.
    fn pause(&self) -> Duration {
        if self.around.source.loading.is_some() { PUBLISH_LOADING } else { PUBLISH }
    }

    /// How long nothing has to be done: until the next snapshot may go out, or until the rate of
    /// rows falls because the oldest of them leave its span.
    fn idle_until(&self, publish_from: Instant, rate_published: Instant) -> Duration {
        let now = Instant::now();
        if self.changed {
            return publish_from.saturating_duration_since(now);
        }
        if self.rate_changed {
            return (rate_published + PUBLISH_RATE).saturating_duration_since(now);
        }
        let shown = self.preview.as_ref().unwrap_or(&self.engine);
        let portrait = self.sitting.due_in(shown, self.around.look.as_ref(), now);
        let oldest = self.arrivals.front().map(|(at, _)| *at + RATE_SPAN + Duration::from_millis(1));
        let wait = oldest.map_or(Duration::from_secs(3600), |then| then.saturating_duration_since(now));
        let wait = portrait.map_or(wait, |due| wait.min(due));
        let mute = self.keeper.marks().next_end().map(|end| end.since(clock()).max(0).unsigned_abs());
        mute.map_or(wait, |seconds| wait.min(Duration::from_secs(seconds.max(1))))
    }

    /// Makes the portrait that somebody looks at, where it is due.
    fn paint(&mut self, now: Instant) {
        let shown = self.preview.as_ref().unwrap_or(&self.engine);
        let due = self.sitting.due_in(shown, self.around.look.as_ref(), now);
        if let (Some(Duration::ZERO), Some(look)) = (due, &self.around.look) {
            self.around.portrait = self.sitting.make(shown, look.interface, now).map(Arc::new);
            self.changed = true;
        }
    }

    /// Tells what has happened to incidents. What stood in the directory is read through first, or all that ever
    /// rang would ring again.
    fn call_out(&mut self) {
        if self.around.source.loading.is_none() {
            let moved = self.engine.take_moved();
            if let Some(notices) = self.keeper.carry(&moved, clock()) {
                self.remark(&notices);
            }
            self.telling.follow(&moved);
            let notices = self.telling.tell(&self.engine);
            note(&mut self.around.source, &notices);
        }
    }

    /// Puts the keeper's marks in force, and shows what it has to say.
    fn remark(&mut self, notices: &[Notice]) {
        note(&mut self.around.source, notices);
        for engine in [Some(&mut self.engine), self.preview.as_mut()].into_iter().flatten() {
            engine.mark(self.keeper.marks().clone());
        }
        let pins = self.keeper.pins();
        if pins != self.around.pins {
            self.around.pins = pins;
        }
        self.changed = true;
    }

    fn take(&mut self, feed: Feed) {
        self.changed = true;
        match feed {
            Feed::Batch(batch) => self.absorb(&batch),
            Feed::Mode(mode) => self.around.source.mode = mode,
            Feed::Failed(why) => self.around.source.failure = Some(why),
        }
    }

    fn absorb(&mut self, batch: &Batch) {
        if self.again.is_none() {
            self.touched.extend(self.engine.absorb(batch));
        }
        if let Some(preview) = &mut self.preview {
            preview.absorb(batch);
        }
        if !self.read_through {
            self.skim();
        }
        self.count();
        let source = &mut self.around.source;
        (source.files, source.unlisted) = (batch.open_files, batch.unlisted);
        if self.files.take(batch) {
            source.states = self.files.by_path().into();
            source.gone = self.files.gone();
        }
        extend(&mut source.refusals, &batch.refusals);
        note(source, &batch.notices);
        if !batch.rows.is_empty() {
            let now = Instant::now();
            source.last_row_at = Some(now);
            source.fresh = self.read_through;
            if self.read_through {
                self.arrivals.push_back((now, batch.rows.len() as u64));
            }
        }
        if !self.read_through {
            self.read_on(batch);
        }
    }

    /// What became of rows, as far as they were read by the reading that is shown.
    fn count(&mut self) {
        let shown = self.preview.as_ref().filter(|_| self.again.is_some()).unwrap_or(&self.engine);
        let (counts, source) = (shown.counts(), &mut self.around.source);
        (source.rows, source.refused, source.late) = (counts.rows, counts.refused, counts.late);
        (source.corrected, source.repeated, source.forgotten) = (counts.corrected, counts.repeated, counts.forgotten);
        (source.ahead, source.kept) = (shown.ahead().count(), shown.kept());
    }

    /// Whether there are rows to be scored now.
    fn is_due(&self) -> bool {
        self.read_through && (self.engine.is_due() || self.preview.as_ref().is_some_and(Engine::is_due))
    }

    /// Scores rows for a while, or until `interrupted`.
    fn settle(&mut self, interrupted: impl Fn() -> bool + Sync) {
        self.changed = true;
        let begun = Instant::now();
        let enough = || begun.elapsed() >= SLICE || interrupted();
        match &mut self.preview {
            Some(preview) if preview.is_due() => {
                self.touched.extend(preview.settle_until(enough));
                self.awaited |= !preview.is_due();
                return;
            }
            // The preview stays as it is until all of it can be replaced.
            Some(_) => _ = self.engine.settle_until(enough),
            None => self.touched.extend(self.engine.settle_until(enough)),
        }
        if self.again.is_none() && !self.engine.is_due() {
            let loaded = self.around.source.loading.take().is_some();
            if self.preview.take().is_some() {
                self.viewer.forget();
            } else {
                self.awaited |= loaded;
            }
        }
    }

    fn count_arrivals(&mut self, now: Instant) {
        let before = self.arrivals.len();
        while self.arrivals.front().is_some_and(|(at, _)| now.duration_since(*at) > RATE_SPAN) {
            self.arrivals.pop_front();
        }
        let rows: u64 = self.arrivals.iter().map(|(_, n)| n).sum();
        let rate = rows as f64 / RATE_SPAN.as_secs_f64();
        if before != self.arrivals.len() || rate != self.around.source.rows_per_second {
            self.around.source.rows_per_second = rate;
            self.rate_changed = true;
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Look(look) => self.around.look = look,
            Command::LookBack(to) => self.around.back_to = to,
            Command::Mark(acts) => {
                let notice = self.keeper.say(acts, clock());
                self.remark(notice.as_slice());
            }
            Command::Retrain(_) if self.preview.is_some() => {
                let why = "history is still being read: try again when that is done";
                self.around.training = TrainingView::Ended(TrainingOutcome::Failed(why.into()));
            }
            Command::Retrain(wanted) if self.job.is_none() => self.retrain(wanted),
            Command::CancelTraining => {
                if let Some(job) = &self.job {
                    job.cancel();
                }
            }
            Command::Retrain(_) | Command::Stop => {}
        }
    }
}

/// What the clock says.
fn clock() -> Timestamp {
    SystemTime::now().into()
}

/// Shows notices, of which only the newest are kept.
fn note(source: &mut SourceView, notices: &[Notice]) {
    source.noticed += notices.len() as u64;
    extend(&mut source.notices, notices);
}

/// Adds to a bounded list; the oldest go.
fn extend<T: Clone>(list: &mut Arc<[T]>, more: &[T]) {
    if !more.is_empty() {
        let all = list.len() + more.len();
        *list = list.iter().chain(more).skip(all.saturating_sub(REMEMBERED)).cloned().collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Settings;
    use crate::ingest::{ReadOptions, Root, Tailer};
    use crate::model::Model;
    use crate::simulate::files::write_history;
    use crate::simulate::{Fleet, Plan, Target};

    /// Twelve days of a fleet in a directory, and all that one reading of it says.
    fn written(devices: u32, interfaces: u32) -> (tempfile::TempDir, Batch) {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().to_owned();
        let plan = Plan { devices, interfaces, days: 12, ..Plan::default() };
        let target = Target { rows: dir.clone(), labels: None, force: false };
        write_history(&mut Fleet::new(&plan).unwrap(), &target, &mut |_, _| {}).unwrap();
        let batch = Tailer::new(vec![(Root::Data, dir)], ReadOptions::default()).unwrap().scan();
        assert!(batch.caught_up);
        (place, batch)
    }

    #[test]
    fn who_asks_while_history_is_scored_waits_for_nothing_and_sees_no_other_progress() {
        let (place, batch) = written(1, 2);
        let dir = place.path().to_owned();
        let mut live = Live::new(LiveOptions::new(dir, Arc::new(Model::built_in().unwrap()))).unwrap();
        live.absorb(&batch);
        let (waiting, read) = (live.engine.waiting(), |live: &Live| live.around.source.loading.map(|p| p.read));
        live.settle(|| true);
        assert_eq!(live.engine.waiting(), waiting, "interrupted before the first row");
        let begin = read(&live);
        // Some rows, not all.
        let asked = std::sync::atomic::AtomicU32::new(0);
        live.settle(|| asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed) > 4);
        assert!((1..waiting).contains(&live.engine.waiting()), "{} of {waiting}", live.engine.waiting());
        assert_eq!(read(&live), begin);
        live.tell_progress();
        assert!(read(&live) > begin);
    }

    #[test]
    fn the_newest_days_are_shown_first_and_in_the_end_all_is_as_if_read_at_once() {
        let (place, batch) = written(2, 3);
        let dir = place.path().to_owned();
        let model = Arc::new(Model::built_in().unwrap());
        let mut live = Live::new(LiveOptions::new(dir, model.clone())).unwrap();
        live.worth_a_preview = 1000;
        live.absorb(&batch);
        let (mut revision, mut previews) = (0, 0);
        while live.engine.is_due() {
            live.settle(|| false);
            let snapshot = live.snapshot();
            assert!(snapshot.revision > revision);
            revision = snapshot.revision;
            if live.preview.as_ref().is_some_and(|preview| !preview.is_due()) {
                previews += 1;
                assert!(snapshot.source.loading.is_some(), "what is provisional is shown as such");
                assert_eq!(snapshot.interfaces.len(), 6);
                let fresh = |view: &InterfaceView| view.span.map(|(_, newest)| Some(newest)) == Some(snapshot.now);
                let rows = snapshot.interfaces.iter().filter(|i| fresh(i)).map(|i| i.rows);
                assert!(rows.clone().count() > 3 && rows.max() == Some(loading::PREVIEW_ROWS));
                assert!(snapshot.interfaces.iter().any(|i| i.expected.is_some() && i.score > 0.0));
            }
        }
        assert!(previews > 0 && live.preview.is_none() && live.around.source.loading.is_none());
        let mut clean = Engine::new(model, Settings::default(), 2);
        clean.absorb(&batch);
        clean.settle();
        let want = Viewer::default().snapshot(&clean, &live.around, &HashSet::new());
        let seen = |s: Snapshot| format!("{:#?}", Snapshot { revision: 0, ..s });
        assert_eq!(seen(live.snapshot()), seen(want));
    }
}
