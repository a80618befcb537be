//! What the operating system's events hint at: that something may have happened, and which files were written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crossbeam_channel::{Receiver, Sender, bounded};
use notify::event::{AccessKind, AccessMode};
use notify::{Event, EventKind, RecursiveMode, Watcher};

use super::batch::Notice;
use super::filesystem;
use super::listing::Identity;
use super::watch::{WatchMode, WatchOptions};

/// Files that were written which are told one by one; with more of them all are looked at.
const MOST_WRITTEN: usize = 256;

/// What notify calls for each event.
pub(super) type Handler = Box<dyn FnMut(notify::Result<Event>) + Send>;
/// Makes a watcher, where one can be had.
pub(super) type MakeWatcher = Box<dyn Fn(Handler) -> Option<Box<dyn Watcher + Send>> + Send>;

/// The operating system's events about one directory, as far as they can be had.
pub(super) struct Events {
    dir: PathBuf,
    wanted: bool,
    depth: RecursiveMode,
    make: MakeWatcher,
    /// Says something when something may have happened.
    pub(super) wake: Receiver<()>,
    waker: Sender<()>,
    /// What that was.
    heard: Arc<Mutex<Heard>>,
    watcher: Option<(Box<dyn Watcher + Send>, Identity)>,
    /// The directory that is known to send no events, and for which that was said.
    mute: Option<Identity>,
    /// Something to be said of it.
    pub(super) notice: Option<Notice>,
    /// Says something when the watch on the directory itself is lost.
    lost: Receiver<()>,
    lose: Sender<()>,
}

impl Events {
    /// Events about `dir`; none are asked for before [`Events::arm`].
    pub(super) fn new(dir: &Path, options: &WatchOptions, make: MakeWatcher) -> Self {
        let (waker, wake) = bounded(1);
        let (lose, lost) = bounded(1);
        let depth = if options.read.recursive { RecursiveMode::Recursive } else { RecursiveMode::NonRecursive };
        let (watcher, mute, notice) = (None, None, None);
        Self {
            dir: dir.to_owned(),
            wanted: !options.polling_only,
            depth,
            make,
            wake,
            waker,
            heard: Arc::default(),
            watcher,
            mute,
            notice,
            lost,
            lose,
        }
    }

    /// Sees to it that the directory which now has our path is the one that is watched.
    pub(super) fn arm(&mut self) -> WatchMode {
        if !self.wanted {
            return WatchMode::Polling;
        }
        let identity = std::fs::metadata(&self.dir).ok().map(|metadata| Identity::of(&metadata));
        let lost = self.lost.try_recv().is_ok();
        if lost || self.watcher.as_ref().map(|(_, watched)| *watched) != identity {
            self.watcher = identity.and_then(|identity| Some((self.begin(identity)?, identity)));
        }
        if self.watcher.is_some() { WatchMode::Events } else { WatchMode::Polling }
    }

    fn begin(&mut self, identity: Identity) -> Option<Box<dyn Watcher + Send>> {
        if self.mute == Some(identity) {
            return None;
        }
        if let Some(name) = filesystem::without_events(&self.dir) {
            self.mute = Some(identity);
            let message = format!("lies on {name}, which does not tell when a file was written: it is polled");
            self.notice = Some(Notice { path: self.dir.clone().into(), message });
            return None;
        }
        let (waker, lose, dir) = (self.waker.clone(), self.lose.clone(), self.dir.clone());
        // Events name files by their whole path, our listings by the path that we were given.
        let whole = std::path::absolute(&self.dir).ok()?;
        let heard = self.heard.clone();
        let mut watcher = (self.make)(Box::new(move |event: notify::Result<Event>| {
            // A full channel says the same already.
            if loses_directory(&event, &dir) {
                let _ = lose.try_send(());
            }
            if is_a_hint(&event) {
                heard.lock().unwrap_or_else(PoisonError::into_inner).take(&event, &whole, &dir);
                let _ = waker.try_send(());
            }
        }))?;
        watcher.watch(&self.dir, self.depth).ok()?;
        Some(watcher)
    }

    /// What happened so far is covered by the scan that follows.
    pub(super) fn forget(&self) {
        let _ = self.wake.try_recv();
        *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Heard::default();
    }

    /// The files that were written since it was asked last; none where anything else may have happened.
    pub(super) fn written(&self) -> Option<BTreeSet<PathBuf>> {
        let heard = std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner));
        (!heard.else_too).then_some(heard.written)
    }
}

/// What events said.
#[derive(Debug, Default)]
struct Heard {
    /// Files that were written.
    written: BTreeSet<PathBuf>,
    /// Something else may have happened, too.
    else_too: bool,
}

impl Heard {
    /// Takes a hint that names files below `whole`, which listings call `dir`.
    fn take(&mut self, event: &notify::Result<Event>, whole: &Path, dir: &Path) {
        let written = event.as_ref().ok().filter(|event| is_a_write(event) && event.paths.len() == 1);
        match written.and_then(|event| event.paths[0].strip_prefix(whole).ok()) {
            Some(file) if self.written.len() < MOST_WRITTEN => _ = self.written.insert(dir.join(file)),
            _ => self.else_too = true,
        }
    }
}

/// Whether it says that a file was written, and nothing else.
fn is_a_write(event: &Event) -> bool {
    let kind = matches!(
        event.kind,
        EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Modify(notify::event::ModifyKind::Data(_))
    );
    kind && !event.need_rescan()
}

/// Whether something may have been written. That files were opened or read is no hint: our own
/// scans do that, and would wake themselves for ever. An error may stand for events that were lost.
fn is_a_hint(event: &notify::Result<Event>) -> bool {
    match event {
        Ok(event) => match event.kind {
            EventKind::Access(access) => access == AccessKind::Close(AccessMode::Write),
            _ => true,
        },
        Err(_) => true,
    }
}

fn loses_directory(event: &notify::Result<Event>, dir: &Path) -> bool {
    event.as_ref().is_ok_and(|event| {
        let gone = matches!(event.kind, EventKind::Remove(_) | EventKind::Modify(notify::event::ModifyKind::Name(_)));
        gone && event.paths.iter().any(|path| path == dir)
    })
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind, DataChange, ModifyKind};

    use super::*;

    #[test]
    fn reading_a_file_is_no_hint_and_a_lost_event_is_one() {
        let event = |kind| Ok(Event::new(kind));
        assert!(!is_a_hint(&event(EventKind::Access(AccessKind::Open(AccessMode::Any)))));
        assert!(!is_a_hint(&event(EventKind::Access(AccessKind::Close(AccessMode::Read)))));
        assert!(is_a_hint(&event(EventKind::Access(AccessKind::Close(AccessMode::Write)))));
        assert!(is_a_hint(&event(EventKind::Modify(ModifyKind::Data(DataChange::Any)))));
        assert!(is_a_hint(&event(EventKind::Create(CreateKind::File))));
        assert!(is_a_hint(&event(EventKind::Other)));
        assert!(is_a_hint(&Err(notify::Error::generic("overflow"))));
    }

    #[test]
    fn writes_are_told_by_file_and_all_else_leads_to_a_scan() {
        let (whole, dir) = (Path::new("/data/rows"), Path::new("rows"));
        let event = |kind, path: &str| Event::new(kind).add_path(path.into());
        let write = EventKind::Modify(ModifyKind::Data(DataChange::Any));
        let heard = |event: Event| {
            let mut heard = Heard::default();
            heard.take(&Ok(event), whole, dir);
            (heard.written.into_iter().next(), heard.else_too)
        };
        assert_eq!(heard(event(write, "/data/rows/a.csv")), (Some("rows/a.csv".into()), false));
        let closed = EventKind::Access(AccessKind::Close(AccessMode::Write));
        assert_eq!(heard(event(closed, "/data/rows/b/a.csv")), (Some("rows/b/a.csv".into()), false));
        assert_eq!(heard(event(write, "/data/a.csv")), (None, true));
        assert_eq!(heard(event(EventKind::Create(CreateKind::File), "/data/rows/a.csv")), (None, true));
        assert_eq!(heard(event(write, "/data/rows/a.csv").set_flag(notify::event::Flag::Rescan)), (None, true));
        let mut many = Heard::default();
        (0..=MOST_WRITTEN).for_each(|i| many.take(&Ok(event(write, &format!("/data/rows/{i}"))), whole, dir));
        assert!(many.else_too, "so many are looked at together");
        many = Heard::default();
        many.take(&Err(notify::Error::generic("overflow")), whole, dir);
        assert!(many.else_too);
    }
}
