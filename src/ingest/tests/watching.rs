//! The reader's thread, seen through its channel.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use notify::event::{EventKind, Flag};
use notify::{Config, Event, RecursiveMode, Watcher, WatcherKind};

use super::*;
use crate::ingest::hints::Handler;
use crate::ingest::watch::watch_with;
use crate::ingest::{Feed, IngestError, Watch, WatchMode, WatchOptions, watch};

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// Receives until `enough` says so of all batches so far; gives them and the modes.
fn receive(watch: &Watch, enough: impl Fn(&[Batch]) -> bool) -> (Vec<Batch>, Vec<WatchMode>) {
    let (mut batches, mut modes) = (Vec::new(), Vec::new());
    let end = Instant::now() + PATIENCE;
    loop {
        match watch.feed.recv_deadline(end).expect("the feed says enough in time") {
            Feed::Batch(batch) => batches.push(batch),
            Feed::Mode(mode) => modes.push(mode),
            Feed::Failed(message) => panic!("{message}"),
        }
        if enough(&batches) {
            return (batches, modes);
        }
    }
}

fn means(batches: &[Batch]) -> Vec<f64> {
    batches.iter().flat_map(|b| &b.rows).map(|r| r.mean).collect()
}

fn append(path: &Path, content: &str) {
    OpenOptions::new().append(true).open(path).unwrap().write_all(content.as_bytes()).unwrap();
}

/// Rows that stand there and rows that are appended arrive; an idle directory says nothing.
fn delivers(options: WatchOptions) -> WatchMode {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    fs::write(&path, format!("{HEADER}{}", rows(0..3))).unwrap();
    let watch = watch(dir.path().to_owned(), options).unwrap();
    let (first, modes) = receive(&watch, |b| b.last().is_some_and(|b| b.caught_up));
    assert_eq!(means(&first), numbers(0..3));
    let text = rows(3..6);
    append(&path, &text[..text.len() - 5]);
    append(&path, &text[text.len() - 5..]);
    let (more, _) = receive(&watch, |b| means(b).len() >= 3);
    assert_eq!(means(&more), numbers(3..6));
    assert!(watch.feed.recv_timeout(Duration::from_millis(350)).is_err(), "nothing new, yet something was sent");
    modes[0]
}

#[test]
fn polling_delivers() {
    let poll = Some(Duration::from_millis(100));
    let mode = delivers(WatchOptions { poll, polling_only: true, ..WatchOptions::default() });
    assert_eq!(mode, WatchMode::Polling);
}

#[test]
fn events_deliver_long_before_the_next_scan() {
    let mode = delivers(WatchOptions { poll: Some(Duration::from_secs(3600)), ..WatchOptions::default() });
    if mode == WatchMode::Polling {
        eprintln!("no events to be had here: nothing was shown about them");
    }
}

#[test]
fn an_empty_directory_is_caught_up_and_says_so_once() {
    let dir = tempfile::tempdir().unwrap();
    let options = WatchOptions { poll: Some(Duration::from_millis(100)), ..WatchOptions::default() };
    let watch = watch(dir.path().to_owned(), options).unwrap();
    let (batches, _) = receive(&watch, |b| !b.is_empty());
    assert!(batches[0].caught_up && batches[0].rows.is_empty());
    assert!(watch.feed.recv_timeout(Duration::from_millis(350)).is_err());
}

#[test]
fn what_stands_there_is_read_on_without_waiting() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), format!("{HEADER}{}", rows(0..2000))).unwrap();
    let read = ReadOptions { bytes_per_turn: 1000, ..ReadOptions::default() };
    let poll = Some(Duration::from_secs(3600));
    let watch = watch(dir.path().to_owned(), WatchOptions { read, poll, polling_only: true }).unwrap();
    let (batches, _) = receive(&watch, |b| b.last().is_some_and(|b| b.caught_up));
    assert_eq!(means(&batches), numbers(0..2000));
    assert!(batches.len() > 50);
}

#[test]
fn a_directory_that_goes_and_comes_back_is_watched_again() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().join("data");
    fs::create_dir(&dir).unwrap();
    let watch =
        watch(dir.clone(), WatchOptions { poll: Some(Duration::from_millis(100)), ..WatchOptions::default() }).unwrap();
    receive(&watch, |b| !b.is_empty());
    fs::remove_dir(&dir).unwrap();
    let (gone, _) = receive(&watch, |b| b.iter().any(|b| !b.notices.is_empty()));
    assert!(gone.iter().all(|b| b.caught_up));
    fs::create_dir(&dir).unwrap();
    fs::write(dir.join("a.csv"), format!("{HEADER}{}", rows(0..2))).unwrap();
    let (back, _) = receive(&watch, |b| means(b).len() == 2);
    assert!(back.iter().flat_map(|b| &b.notices).any(|n| n.message.contains("again")));
}

#[test]
fn dropping_ends_the_thread_even_when_nobody_receives() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.csv"), format!("{HEADER}{}", rows(0..2000))).unwrap();
    let read = ReadOptions { bytes_per_turn: 100, ..ReadOptions::default() };
    let poll = Some(Duration::from_secs(3600));
    let watch = watch(dir.path().to_owned(), WatchOptions { read, poll, ..WatchOptions::default() }).unwrap();
    // The channel is full by then and the thread waits in it.
    while !watch.feed.is_full() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let feed = watch.feed.clone();
    let start = Instant::now();
    drop(watch);
    // It does not wait for the next look, which is far away, nor for who would receive.
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
    // The sender is gone: the thread has ended.
    while feed.try_recv().is_ok() {}
    assert_eq!(feed.try_recv().unwrap_err(), crossbeam_channel::TryRecvError::Disconnected);
}

#[test]
fn a_directory_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let missing = watch(dir.path().join("nowhere"), WatchOptions::default());
    assert!(matches!(missing, Err(IngestError::Missing { .. })));
}

/// A watcher that says what the test wants.
struct Puppet;

impl Watcher for Puppet {
    fn new<F: notify::EventHandler>(_: F, _: Config) -> notify::Result<Self> {
        Ok(Self)
    }

    fn watch(&mut self, _: &Path, _: RecursiveMode) -> notify::Result<()> {
        Ok(())
    }

    fn unwatch(&mut self, _: &Path) -> notify::Result<()> {
        Ok(())
    }

    fn kind() -> WatcherKind {
        WatcherKind::NullWatcher
    }
}

/// Rows are appended, and `said` is all that comes of it; they arrive all the same.
fn arrive_after(poll: Duration, said: Option<notify::Result<Event>>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    fs::write(&path, format!("{HEADER}{}", rows(0..3))).unwrap();
    let strings: Arc<Mutex<Option<Handler>>> = Arc::default();
    let held = strings.clone();
    let options = WatchOptions { poll: Some(poll), ..WatchOptions::default() };
    let make = move |handler| {
        *held.lock().unwrap() = Some(handler);
        Some(Box::new(Puppet) as Box<dyn Watcher + Send>)
    };
    let watch = watch_with(dir.path().to_owned(), options, &[], Box::new(make)).unwrap();
    let (_, modes) = receive(&watch, |b| b.last().is_some_and(|b| b.caught_up));
    assert_eq!(modes, [WatchMode::Events]);
    append(&path, &rows(3..6));
    if let Some(said) = said {
        let mut held = strings.lock().unwrap();
        let handler = held.as_mut().unwrap();
        handler(said);
    }
    let (more, _) = receive(&watch, |b| means(b).len() >= 3);
    assert_eq!(means(&more), numbers(3..6));
}

#[test]
fn a_queue_that_overflowed_leads_to_a_scan() {
    arrive_after(Duration::from_secs(3600), Some(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan))));
    arrive_after(Duration::from_secs(3600), Some(Err(notify::Error::generic("overflow"))));
}

#[test]
fn an_event_that_was_lost_is_made_up_for_by_the_next_scan() {
    arrive_after(Duration::from_millis(200), None);
}
