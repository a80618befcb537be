//! The reader's thread: scans when something seems to have happened, and now and then in any case.
//!
//! Events of the operating system are hints and nothing else. They can be lost, they do not come at
//! all from network file systems, and they say nothing about what is complete; so a scan at a fixed
//! interval stands behind them, and what a scan finds is what counts. Where all that they say is that
//! known files were written, and these have grown, those files alone are read on at once.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, never, select};

use super::batch::{Batch, Root};
use super::error::IngestError;
use super::hints::{Events, MakeWatcher};
use super::options::ReadOptions;
use super::tailer::{ReadOn, Tailer};
use crate::series::InterfaceName;

/// Scans that events ask for, and readings of single files, are at least this far apart.
const LEAST_APART: Duration = Duration::from_millis(100);
/// After a scan that found nothing, or a reading of single files, as many times its own time pass before the next
/// one: a directory with very many files is not looked through all the time.
const REST: u32 = 4;
/// Batches that may wait for the engine.
const QUEUE: usize = 4;
/// How long dropping a [`Watch`] waits for its thread.
const LONGEST_GOODBYE: Duration = Duration::from_secs(1);

/// How changes of the directory are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WatchMode {
    /// The operating system's events wake the reader, and a slow scan stands behind them.
    Events,
    /// Scans alone.
    #[default]
    Polling,
}

/// How a directory is watched.
#[derive(Debug, Clone, Default)]
pub struct WatchOptions {
    /// How its files are read.
    pub read: ReadOptions,
    /// Time between two scans when no event comes; none for 2 s with events and 1 s without.
    pub poll: Option<Duration>,
    /// Do without events, as on network file systems, where none come.
    pub polling_only: bool,
}

impl WatchOptions {
    fn interval(&self, mode: WatchMode) -> Duration {
        let usual = match mode {
            WatchMode::Events => Duration::from_secs(2),
            WatchMode::Polling => Duration::from_secs(1),
        };
        self.poll.unwrap_or(usual).max(LEAST_APART)
    }
}

/// What the reader's thread says.
#[derive(Debug)]
pub enum Feed {
    /// What is new. The first one comes even when it is empty; later ones only when they have
    /// something new, or when being caught up has changed.
    Batch(Batch),
    /// How changes are noticed from now on.
    Mode(WatchMode),
    /// The thread has ended by a fault of ours; no more rows come.
    Failed(String),
}

/// A directory that is being watched. Dropping it ends the watching.
#[derive(Debug)]
pub struct Watch {
    /// What the thread says; disconnected when it has ended.
    pub feed: Receiver<Feed>,
    /// Dropped to end the thread.
    stop: Option<Sender<()>>,
    /// Disconnected by the thread's end.
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

/// Watches `dir` on a thread of its own: all rows that stand there, then those that come.
///
/// # Errors
/// When the directory does not exist or cannot be listed, when the options contradict themselves,
/// or when there can be no thread.
pub fn watch(dir: PathBuf, options: WatchOptions) -> Result<Watch, IngestError> {
    watch_again(dir, options, &[])
}

/// The same once more, from the start, by one who knows these interfaces already ([`Tailer::knowing`]).
///
/// # Errors
/// As [`watch()`].
pub fn watch_again(dir: PathBuf, options: WatchOptions, names: &[InterfaceName]) -> Result<Watch, IngestError> {
    let make: MakeWatcher = Box::new(|handler| Some(Box::new(notify::recommended_watcher(handler).ok()?)));
    watch_with(dir, options, names, make)
}

/// The same with a watcher of the caller's.
pub(super) fn watch_with(
    dir: PathBuf,
    options: WatchOptions,
    names: &[InterfaceName],
    make: MakeWatcher,
) -> Result<Watch, IngestError> {
    let tailer = Tailer::new(vec![(Root::Data, dir.clone())], options.read.clone())?.knowing(names);
    let (feed_sender, feed) = bounded(QUEUE);
    let (stop, stop_receiver) = bounded(0);
    let (ending, ended) = bounded(0);
    let outlet = Outlet { feed: feed_sender, stop: stop_receiver };
    let thread = std::thread::Builder::new()
        .name("ingest".into())
        .spawn(move || {
            let _ending: Sender<()> = ending;
            guarded(&outlet, || run(&dir, tailer, &options, make, &outlet));
        })
        .map_err(|source| IngestError::Thread { source })?;
    Ok(Watch { feed, stop: Some(stop), ended, thread: Some(thread) })
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Nothing is ever sent; what is waited for is the disconnection. A thread that hangs in a
        // dead network file system is left behind: it holds nothing that anybody waits for.
        let hangs =
            matches!(self.ended.recv_timeout(LONGEST_GOODBYE), Err(crossbeam_channel::RecvTimeoutError::Timeout));
        if let Some(thread) = self.thread.take()
            && !hangs
        {
            // Its panics were caught and told already.
            let _ = thread.join();
        }
    }
}

/// The watching has been ended from the other side.
struct Stopped;

/// The way out of the thread.
struct Outlet {
    feed: Sender<Feed>,
    stop: Receiver<()>,
}

impl Outlet {
    /// Sends, however long the other side takes, unless it ends the watching.
    fn send(&self, feed: Feed) -> Result<(), Stopped> {
        select! {
            send(self.feed, feed) -> sent => sent.map_err(|_| Stopped),
            recv(self.stop) -> _ => Err(Stopped),
        }
    }

    /// Waits until `wake` says something, at the longest for `time`. Whether it did.
    fn wait(&self, wake: &Receiver<()>, time: Duration) -> Result<bool, Stopped> {
        select! {
            recv(wake) -> _ => Ok(true),
            recv(self.stop) -> _ => Err(Stopped),
            default(time) => Ok(false),
        }
    }
}

/// Does `work` and tells the other side if it panics.
fn guarded(outlet: &Outlet, work: impl FnOnce() -> Stopped) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(work)) {
        // Whether anybody still listens does not matter any more.
        let _ = outlet.send(Feed::Failed(format!("the reader failed: {}", panic_message(panic.as_ref()))));
    }
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("for an unknown reason")
}

fn run(dir: &Path, mut tailer: Tailer, options: &WatchOptions, make: MakeWatcher, outlet: &Outlet) -> Stopped {
    let end = follow(dir, &mut tailer, options, make, outlet);
    match end {
        Err(stopped) => stopped,
        Ok(never) => match never {},
    }
}

fn follow(
    dir: &Path,
    tailer: &mut Tailer,
    options: &WatchOptions,
    make: MakeWatcher,
    outlet: &Outlet,
) -> Result<std::convert::Infallible, Stopped> {
    let mut events = Events::new(dir, options, make);
    let mut told_mode = None;
    let mut last = Told::default();
    loop {
        // Before the scan, so that nothing comes between the two unseen.
        let mode = events.arm();
        if told_mode != Some(mode) {
            outlet.send(Feed::Mode(mode))?;
            told_mode = Some(mode);
        }
        events.forget();
        let scanned = Instant::now();
        let mut batch = tailer.scan();
        batch.notices.extend(events.notice.take());
        let caught_up = batch.caught_up;
        let told = Told::of(&batch);
        let moved = told.read != last.read || !batch.rows.is_empty();
        let rest = if moved { LEAST_APART } else { LEAST_APART.max(scanned.elapsed() * REST) };
        if is_news(&batch) || told.differs(&last) {
            outlet.send(Feed::Batch(batch))?;
        }
        last = told;
        if caught_up {
            let until = Instant::now() + options.interval(mode);
            read_on(tailer, &events, until, &mut last, outlet)?;
        } else if moved {
            // More stands there: read on, unless the other side has had enough.
            outlet.wait(&never(), Duration::ZERO)?;
            continue;
        }
        outlet.wait(&never(), rest.saturating_sub(scanned.elapsed()))?;
    }
}

/// Until the next scan is due. What is appended to files meanwhile is read at once, where that is all that
/// has happened: a directory of very many files takes its time to be looked through.
fn read_on(
    tailer: &mut Tailer,
    events: &Events,
    until: Instant,
    last: &mut Told,
    outlet: &Outlet,
) -> Result<(), Stopped> {
    while outlet.wait(&events.wake, until.saturating_duration_since(Instant::now()))? {
        let Some(written) = events.written() else { break };
        let begun = Instant::now();
        match tailer.read_on(&written) {
            ReadOn::New(batch) => {
                let told = Told::of(&batch);
                let caught_up = batch.caught_up;
                if is_news(&batch) || told.differs(last) {
                    outlet.send(Feed::Batch(*batch))?;
                }
                *last = told;
                if !caught_up {
                    break;
                }
                // Who writes row by row without a pause is read in pieces all the same.
                outlet.wait(&never(), LEAST_APART.max(begun.elapsed() * REST))?;
            }
            ReadOn::Nothing => {}
            ReadOn::Unclear => break,
        }
    }
    Ok(())
}

/// What the other side knows without looking at rows.
#[derive(Default)]
struct Told {
    /// None before the first batch.
    caught_up: Option<bool>,
    open_files: usize,
    read: u64,
}

impl Told {
    fn of(batch: &Batch) -> Self {
        Self { caught_up: Some(batch.caught_up), open_files: batch.open_files, read: batch.progress.read }
    }

    fn differs(&self, other: &Self) -> bool {
        (self.caught_up, self.open_files) != (other.caught_up, other.open_files)
    }
}

fn is_news(batch: &Batch) -> bool {
    let Batch { names, files, rows, refused, notices, states, .. } = batch;
    let any = !names.is_empty() || !files.is_empty() || !rows.is_empty() || !notices.is_empty() || !states.is_empty();
    any || *refused > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_told_to_the_other_side() {
        for (boom, want) in [("plain", "the reader failed: plain"), ("formatted", "the reader failed: formatted 1")] {
            let (feed_sender, feed) = bounded(1);
            let (_keep, stop) = bounded::<()>(0);
            guarded(&Outlet { feed: feed_sender, stop }, || {
                if boom == "plain" { panic!("plain") } else { panic!("{boom} {}", 1) }
            });
            assert!(matches!(feed.try_recv(), Ok(Feed::Failed(message)) if message == want));
        }
    }

    #[test]
    fn the_interval_depends_on_the_mode_unless_it_is_set() {
        let usual = WatchOptions::default();
        assert_eq!(usual.interval(WatchMode::Events), Duration::from_secs(2));
        assert_eq!(usual.interval(WatchMode::Polling), Duration::from_secs(1));
        // Never so short that it would be a busy loop.
        let zero = WatchOptions { poll: Some(Duration::ZERO), ..WatchOptions::default() };
        assert_eq!(zero.interval(WatchMode::Events), LEAST_APART);
    }
}
