//! The engine on a thread of its own, between ingest and a face.
//!
//! Rows come in batches; a training run is one job in one slot; snapshots go out at most ten times
//! a second, and at once after a command. Nothing here waits for a face.
//!
//! Where much stands in the directory at the start, its newest days are scored first, on an engine of
//! their own. What that says is provisional and shown as long as the reading goes on; then the engine
//! that has scored all of history takes its place. Where more stands there than is kept in memory, all
//! of it is read twice for that (`again.rs`).

use std::collections::{HashSet, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, never, select};

use super::again::{self, Again};
use super::core::{Engine, Memory};
use super::handle::{Handle, Publisher, pair};
use super::hook::Hook;
use super::job::{Ended, Job, Said};
use super::portrait::Sitting;
use super::snapshot::*;
use super::succession::Succession;
use super::view::{Surroundings, Viewer};
use crate::detect::Settings;
use crate::ingest::{Batch, Feed, FileStates, IngestError, Notice, Progress, Watch, WatchOptions, watch};
use crate::inventory::Inventory;
use crate::journal::{Journal, Keeper};
use crate::model::settings::ModelSettings;
use crate::model::train::Options as TrainOptions;
use crate::series::{DAY, InterfaceId, Timestamp, WARM_UP};

/// Time between two snapshots that no command asked for.
const PUBLISH: Duration = Duration::from_millis(100);
/// The same where nothing but the rate of rows has changed.
const PUBLISH_RATE: Duration = Duration::from_secs(1);
/// How long rows are scored before others are heard.
const SLICE: Duration = Duration::from_millis(50);
/// The same while what stood in the directory is read and scored: what is shown then is provisional, and a picture
/// that changes all the time helps nobody.
const PUBLISH_LOADING: Duration = Duration::from_millis(200);
/// Rows that wait at the start from which the newest days are scored first, on their own: some hundredths of a
/// second of work.
const WORTH_A_PREVIEW: usize = 8000;
/// The seconds of these days, with half a day to get to know the interface; the rows of each interface at
/// least, which is what a line shows behind a warm-up (an hourly one has few in these days); and how many of all
/// of them at the most, so that all of a large fleet is seen within some seconds.
const PREVIEW: i64 = 5 * DAY / 2;
const PREVIEW_ROWS: usize = HEAT + WARM_UP;
const PREVIEW_MOST: usize = 1_500_000;
/// Rows on which it is looked after each epoch how a network that learns does: a fraction of a second.
const GLIMPSE: usize = 20_000;
/// Refused lines and notices that a snapshot holds.
const REMEMBERED: usize = 200;
/// Time over which rows a second are counted.
const RATE_SPAN: Duration = Duration::from_secs(10);

/// What to watch, and how.
#[derive(Debug)]
pub struct LiveOptions {
    /// The directory.
    pub dir: PathBuf,
    /// How it is read.
    pub watch: WatchOptions,
    /// The models that were in force in turn; often it is one.
    pub models: Succession,
    /// The file of the newest of them; none for the built-in one.
    pub model_path: Option<PathBuf>,
    /// How many rows are kept in memory.
    pub memory: Memory,
    /// What decides alarms.
    pub settings: Settings,
    /// How a retraining trains.
    pub train: TrainOptions,
    /// Where a retrained model is kept; none to keep none.
    pub journal: Option<Journal>,
    /// Threads that score.
    pub threads: usize,
    /// What the shell runs when an incident rings, closes or is acknowledged.
    pub on_incident: Option<String>,
    /// What people know of interfaces.
    pub inventory: Arc<Inventory>,
    /// Said once at the start, beside the notices of ingest.
    pub notices: Vec<Notice>,
}

impl LiveOptions {
    /// To watch a directory with these models: all else as it comes, on one thread, and nothing is kept.
    pub fn new(dir: PathBuf, models: impl Into<Succession>) -> Self {
        Self {
            dir,
            watch: WatchOptions::default(),
            models: models.into(),
            model_path: None,
            memory: Memory::default(),
            settings: Settings::default(),
            train: TrainOptions::default(),
            journal: None,
            threads: 1,
            on_incident: None,
            inventory: Arc::default(),
            notices: Vec::new(),
        }
    }
}

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
    hook: Option<Hook>,
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
        let around = Surroundings {
            pins: keeper.pins(),
            model: ModelView::of(options.models.model(), options.model_path),
            source: SourceView {
                dir: options.dir,
                loading: Some(Progress::default()),
                notices: options.notices.into_iter().chain(told).collect(),
                ..SourceView::default()
            },
            ..Surroundings::default()
        };
        let models = options.models;
        let mut engine = Engine::new(models.clone(), options.settings, options.threads).with_memory(options.memory);
        engine.mark(keeper.marks().clone());
        engine.describe(options.inventory);
        let hook = options.on_incident.as_deref().map(Hook::start).transpose()?;
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
            hook,
            read_through: false,
            worth_a_preview: WORTH_A_PREVIEW,
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
        let (nothing, no_failure) = (never(), never());
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
            let failed = self.hook.as_ref().map_or(&no_failure, Hook::failures);
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
                recv(failed) -> why => if let (Ok(why), Some(hook)) = (why, &self.hook) {
                    extend(&mut self.around.source.notices, &[hook.notice(why)]);
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

    /// Tells the program that is to be called what has happened. What stood in the directory is read
    /// through first, or all that ever rang would ring again.
    fn call_out(&mut self) {
        if self.around.source.loading.is_some() {
            return;
        }
        let notice = self.hook.as_mut().and_then(|hook| hook.see(&self.engine));
        extend(&mut self.around.source.notices, notice.as_slice());
    }

    /// Puts the keeper's marks in force, and shows what it has to say.
    fn remark(&mut self, notices: &[Notice]) {
        extend(&mut self.around.source.notices, notices);
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

    /// What the second reading says.
    fn take_again(&mut self, feed: Feed) {
        self.changed = true;
        if let Some(again) = &mut self.again {
            match again.take(feed, &mut self.engine) {
                Ok(()) => self.around.source.loading = Some(again.progress()),
                Err(why) => self.around.source.failure = Some(why),
            }
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
            self.skims |= self.engine.kept() > again::most_unscored(self.memory);
            if self.skims {
                self.engine.skim(PREVIEW, PREVIEW_ROWS);
            }
        }
        self.count();
        let source = &mut self.around.source;
        source.files = batch.open_files;
        if self.files.take(batch) {
            source.states = self.files.by_path().into();
            source.gone = self.files.gone();
        }
        extend(&mut source.refusals, &batch.refusals);
        extend(&mut source.notices, &batch.notices);
        if !batch.rows.is_empty() {
            let now = Instant::now();
            source.last_row_at = Some(now);
            if self.read_through {
                self.arrivals.push_back((now, batch.rows.len() as u64));
            }
        }
        if !self.read_through {
            // Reading is the first half of the work, scoring the second.
            self.read_through = batch.caught_up;
            // Where there is nothing to score, as in an empty directory, reading was all of it.
            let done = batch.caught_up && !self.engine.is_due();
            source.loading = (!done).then_some(Progress { total: 2 * batch.progress.total, ..batch.progress });
            self.awaited |= done;
            if self.read_through && (self.skims || self.engine.waiting() >= self.worth_a_preview) {
                self.preview = Some(self.engine.recent(PREVIEW, PREVIEW_ROWS, PREVIEW_MOST));
                self.viewer.forget();
            }
            if self.read_through && self.skims {
                self.read_again();
            }
        }
    }

    /// All is read, and only the newest rows were kept: it is read again, and scored while it is.
    fn read_again(&mut self) {
        let (settings, threads) = (self.engine.settings().clone(), self.engine.threads());
        let mut engine = Engine::new(self.models.clone(), settings, threads).with_memory(self.memory);
        engine.mark(self.keeper.marks().clone());
        engine.describe(self.engine.inventory().clone());
        let dir = self.around.source.dir.clone();
        match Again::begin(dir.clone(), self.watch.clone(), &self.engine, &mut engine) {
            Ok(again) => (self.engine, self.again) = (engine, Some(again)),
            Err(e) => {
                let message = format!("cannot be read again ({e}): only its newest rows are scored");
                extend(&mut self.around.source.notices, &[Notice { path: dir.into(), message }]);
                self.engine = self.engine.recent(PREVIEW, PREVIEW_ROWS, PREVIEW_MOST).with_memory(self.memory);
            }
        }
    }

    /// The second reading is through, and all that it has read is scored: it goes on where the first was.
    fn swap(&mut self) -> Option<Watch> {
        self.again.as_ref().filter(|again| again.is_through() && !self.engine.is_due())?;
        let (watch, files, mode) = self.again.take()?.end();
        self.files = files;
        let source = &mut self.around.source;
        (source.states, source.gone) = (self.files.by_path().into(), self.files.gone());
        (source.mode, source.loading) = (mode, None);
        self.preview = None;
        self.viewer.forget();
        self.count();
        self.changed = true;
        Some(watch)
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

    /// How far what was read is scored: reading was the first half of the work. An answer to somebody does not say
    /// that anew, so that a picture which stands still does so.
    fn tell_progress(&mut self) {
        if !self.read_through || self.again.is_some() {
            return;
        }
        let share = self.engine.share_settled();
        if let Some(loading) = &mut self.around.source.loading {
            let half = loading.total / 2;
            loading.read = half + (half as f64 * share) as u64;
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
            Command::Mark(act) => {
                let notice = self.keeper.say(act, clock());
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

    fn retrain(&mut self, wanted: Retraining) {
        let newest = self.engine.now().map_or_else(String::new, |now| now.to_string());
        let present = self.engine.model().settings;
        let since = wanted.history.zip(self.engine.now()).map(|(span, now)| now.plus(-span));
        let newest = newest.get(..16).unwrap_or(&newest);
        let name = match &wanted.whose {
            Whose::All => format!("trained to {newest}"),
            // a part that was learnt anew is named behind the whole; the newest one stands for all of them
            whose => {
                let whole = self.engine.model().name.split(" + ").next().unwrap_or_default();
                format!("{whole} + {whose} to {newest}")
            }
        };
        let options = TrainOptions {
            name,
            glimpse: GLIMPSE,
            model: ModelSettings { scope: wanted.scope.unwrap_or(present.scope), ..present },
            ..self.train.clone()
        };
        self.around.training = match Job::start(&self.engine, wanted.whose.clone(), options, since) {
            Ok(job) => {
                self.job = Some(job);
                let progress = TrainingProgress { stage: "starting", ..TrainingProgress::default() };
                TrainingView::Running(Run { whose: wanted.whose, progress, so_far: None })
            }
            Err(e) => TrainingView::Ended(TrainingOutcome::Failed(format!("no thread to train on: {e}"))),
        };
    }

    fn hear(&mut self, said: Said) {
        self.changed = true;
        let ended = match said {
            Said::Progress(run) => {
                self.around.training = TrainingView::Running(run);
                return;
            }
            Said::Ended(ended) => *ended,
        };
        self.job = None;
        self.around.training = TrainingView::Ended(match ended {
            Ended::Better { model, prepared, beside } => {
                let saved = match &self.journal {
                    Some(journal) if journal.is_read_only() => Err("read-only: it is not kept".into()),
                    Some(journal) => journal.keep(&model).map_err(|e| e.to_string()),
                    None => Err("there is no state directory to keep it in".into()),
                };
                let name_of = |path: &PathBuf| Some(path.file_name()?.to_str()?.to_owned());
                let file = saved.as_ref().ok().and_then(name_of);
                let act = Act::Model { slot: self.engine.now(), name: model.name.clone(), file };
                let notice = self.keeper.say(act, clock());
                self.remark(notice.as_slice());
                self.around.model = ModelView::of(&model, saved.as_ref().ok().cloned());
                self.engine.adopt(model, prepared);
                self.touched.extend((0..self.engine.tracks().len()).map(InterfaceId::from_index));
                TrainingOutcome::Swapped { beside, saved }
            }
            Ended::Worse(beside) => TrainingOutcome::KeptOld(beside),
            Ended::Cancelled => TrainingOutcome::Cancelled,
            Ended::Failed(why) => TrainingOutcome::Failed(why),
        });
    }
}

/// What the clock says.
fn clock() -> Timestamp {
    SystemTime::now().into()
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
    use crate::ingest::{ReadOptions, Root, Tailer};
    use crate::model::Model;
    use crate::simulate::files::write_history;
    use crate::simulate::{Fleet, Plan, Target};

    #[test]
    fn who_asks_while_history_is_scored_waits_for_nothing_and_sees_no_other_progress() {
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("rows");
        let plan = Plan { devices: 1, interfaces: 2, days: 12, ..Plan::default() };
        let target = Target { rows: dir.clone(), labels: None, force: false };
        write_history(&mut Fleet::new(&plan).unwrap(), &target, &mut |_, _| {}).unwrap();
        let batch = Tailer::new(vec![(Root::Data, dir.clone())], ReadOptions::default()).unwrap().scan();
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
        let place = tempfile::tempdir().unwrap();
        let dir = place.path().join("rows");
        let plan = Plan { devices: 2, interfaces: 3, days: 12, ..Plan::default() };
        let target = Target { rows: dir.clone(), labels: None, force: false };
        write_history(&mut Fleet::new(&plan).unwrap(), &target, &mut |_, _| {}).unwrap();
        let batch = Tailer::new(vec![(Root::Data, dir.clone())], ReadOptions::default()).unwrap().scan();
        assert!(batch.caught_up);
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
                assert!(rows.clone().count() > 3 && rows.max() == Some(PREVIEW_ROWS));
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
