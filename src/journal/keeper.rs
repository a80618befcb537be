//! Keeps the marks of one process and those of all others the same.
//!
//! A thread of its own writes and reads the log, so that a slow disk or another process's lock holds
//! nothing up. What somebody says here is in force at once, and stands in the log a moment later; what
//! others say there is in force within a second.

use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded, never, select, tick};

use super::entry::{Act, Entry};
use super::log::{Log, News};
use super::marks::Marks;
use super::place::Journal;
use crate::detect::IncidentId;
use crate::ingest::Notice;
use crate::series::{InterfaceName, Timestamp};

/// Time between two looks at what others wrote.
const LOOK: Duration = Duration::from_secs(1);
/// What may wait to be written, as often as something was said: more than a person has keys for.
const QUEUE: usize = 256;
/// How long the end of the program waits for what is still to be written.
const GOODBYE: Duration = Duration::from_secs(3);

/// What becomes of what cannot be written.
const KEPT: &str = "it is in force here, and forgotten when noctop ends";

/// What the thread says.
#[derive(Debug)]
pub enum Said {
    /// What is new in the log.
    News(News),
    /// The log cannot be read, for this reason.
    Unread(String),
    /// An entry could not be written, for this reason.
    Unwritten(String),
}

/// The marks in force, and the way to the log.
#[derive(Debug)]
pub struct Keeper {
    marks: Marks,
    /// What stands in the log.
    firm: Marks,
    /// What was said here and was not read back yet.
    pending: Vec<Entry>,
    who: String,
    read_only: bool,
    path: Arc<PathBuf>,
    thread: Option<Writer>,
    nothing: Receiver<Said>,
    trouble: Option<String>,
}

#[derive(Debug)]
struct Writer {
    entries: Option<Sender<Vec<Entry>>>,
    said: Receiver<Said>,
    ended: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// A keeper of this place's log, and what a person should read of it; without a place what is said
    /// is forgotten with the process.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn new(journal: Option<&Journal>) -> std::io::Result<(Self, Vec<Notice>)> {
        let mut keeper = Self {
            marks: Marks::default(),
            firm: Marks::default(),
            pending: Vec::new(),
            who: journal.map_or_else(String::new, |j| j.who().to_owned()),
            read_only: journal.is_some_and(Journal::is_read_only),
            path: Arc::new(journal.map(Journal::log).unwrap_or_default()),
            thread: None,
            nothing: never(),
            trouble: None,
        };
        let mut notices = Vec::new();
        if let Some(journal) = journal {
            let mut log = Log::new(journal.log());
            // What stands there already is in force from the first picture on.
            let said = match log.read() {
                Ok(news) => Said::News(news),
                Err(e) => Said::Unread(e.to_string()),
            };
            notices = keeper.hear(said);
            keeper.thread = Some(Writer::start(log)?);
        }
        Ok((keeper, notices))
    }

    /// The marks that are in force.
    pub fn marks(&self) -> &Marks {
        &self.marks
    }

    /// What the operator of this process has pinned, in the order of names.
    pub fn pins(&self) -> Arc<[InterfaceName]> {
        self.marks.pinned(&self.who).cloned().collect()
    }

    /// Where the thread speaks.
    pub fn said(&self) -> &Receiver<Said> {
        self.thread.as_ref().map_or(&self.nothing, |thread| &thread.said)
    }

    /// Puts what is said at once in force and writes it down. Gives what a person should read, where it could
    /// not be written.
    pub fn say(&mut self, acts: Vec<Act>, clock: Timestamp) -> Option<Notice> {
        if self.read_only {
            return Some(self.notice("read-only: nothing is written down".to_owned()));
        }
        let entry = |act| Entry { at: clock, who: self.who.clone(), act };
        let said: Vec<Entry> = acts.into_iter().map(entry).collect();
        said.iter().for_each(|entry| self.marks.learn(entry));
        let Some(Writer { entries: Some(entries), .. }) = &self.thread else { return None };
        let sent = entries.try_send(said.clone()).is_ok();
        self.pending.extend(said);
        (!sent).then(|| self.notice(format!("too much waits to be written; {KEPT}")))
    }

    /// Lets what is said of incidents go on under their new names, each given behind the one so far. Gives what a person
    /// should read, or nothing at all where nothing was said of any. Who writes nothing down knows it all the same.
    pub fn carry(&mut self, moved: &[(IncidentId, IncidentId)], clock: Timestamp) -> Option<Vec<Notice>> {
        let said = moved.iter().filter(|(from, _)| self.marks.has(*from));
        let acts: Vec<Act> = said.map(|(from, to)| Act::Move { incident: *from, to: *to }).collect();
        if acts.is_empty() {
            return None;
        }
        if !self.read_only {
            return Some(self.say(acts, clock).into_iter().collect());
        }
        for act in acts {
            let entry = Entry { at: clock, who: self.who.clone(), act };
            self.marks.learn(&entry);
            self.pending.push(entry);
        }
        Some(Vec::new())
    }

    /// Takes in what the thread says. Gives what a person should read.
    pub fn hear(&mut self, said: Said) -> Vec<Notice> {
        match said {
            Said::News(news) => {
                self.trouble = None;
                self.learn(news)
            }
            Said::Unread(why) => {
                // The same trouble is said once.
                let new = self.trouble.as_ref() != Some(&why);
                let notice = self.notice(format!("{why}; acknowledgements of others are not seen"));
                self.trouble = Some(why);
                if new { vec![notice] } else { Vec::new() }
            }
            Said::Unwritten(why) => vec![self.notice(format!("{why}; {KEPT}"))],
        }
    }

    fn notice(&self, message: String) -> Notice {
        Notice { path: self.path.clone(), message }
    }

    /// Drops mutes that have ended. Whether there were any.
    pub fn expire(&mut self, clock: Timestamp) -> bool {
        self.firm.expire(clock);
        self.marks.expire(clock)
    }

    fn learn(&mut self, news: News) -> Vec<Notice> {
        if news.anew {
            self.firm = Marks::default();
        }
        let mut notices = news.notices(&self.path);
        // What stood there before this process is no news.
        let is_fresh = self.thread.is_some() && !news.anew;
        for entry in &news.entries {
            self.firm.learn(entry);
            match (self.pending.iter().position(|p| p == entry), &entry.act) {
                (Some(own), _) => _ = self.pending.remove(own),
                (None, Act::Model { name, .. }) if is_fresh => {
                    let who = &entry.who;
                    notices.push(self.notice(format!(
                        "{who} put the model {name:?} in force in another console: here the present one goes on scoring"
                    )));
                }
                _ => {}
            }
        }
        self.marks = self.firm.clone();
        self.pending.iter().for_each(|entry| self.marks.learn(entry));
        notices
    }
}

impl Writer {
    fn start(log: Log) -> std::io::Result<Self> {
        let (entries, queue) = bounded(QUEUE);
        let (speak, said) = bounded(16);
        let (ending, ended) = bounded::<()>(0);
        let thread = std::thread::Builder::new().name("journal".into()).spawn(move || {
            let _ending = ending;
            keep(log, &queue, &speak);
        })?;
        Ok(Self { entries: Some(entries), said, ended, thread: Some(thread) })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.entries.take());
        // Makes room for what it still says, and waits for what it still writes, but not for a dead disk.
        let end = Instant::now() + GOODBYE;
        loop {
            while self.said.try_recv().is_ok() {}
            match self.ended.recv_timeout(Duration::from_millis(10)) {
                Err(RecvTimeoutError::Disconnected) => break,
                _ if Instant::now() > end => return,
                _ => {}
            }
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The thread: writes what comes, and looks for what others wrote.
fn keep(mut log: Log, queue: &Receiver<Vec<Entry>>, speak: &Sender<Said>) {
    let looks = tick(LOOK);
    loop {
        let mut next = None;
        select! {
            recv(queue) -> entries => match entries {
                Ok(entries) => next = Some(entries),
                Err(_) => return,
            },
            recv(looks) -> _ => {}
        }
        if let Some(entries) = next
            && let Err(e) = log.append_all(&entries)
        {
            let why = format!("what was said cannot be written down: {e}");
            if speak.send(Said::Unwritten(why)).is_err() {
                return;
            }
        }
        let said = match log.read() {
            Ok(news) if news == News::default() => continue,
            Ok(news) => Said::News(news),
            Err(e) => Said::Unread(e.to_string()),
        };
        if speak.send(said).is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(dir: &tempfile::TempDir, who: &str) -> Journal {
        Journal::under(dir.path(), dir.path()).by(who)
    }

    fn clock() -> Timestamp {
        Timestamp::from_seconds(1_795_392_000)
    }

    /// Takes in what the thread says until `enough`.
    fn until(keeper: &mut Keeper, enough: impl Fn(&Marks) -> bool) -> Vec<Notice> {
        let mut notices = Vec::new();
        while !enough(keeper.marks()) || !keeper.pending.is_empty() {
            let said = keeper.said().recv_timeout(Duration::from_secs(20)).unwrap();
            notices.extend(keeper.hear(said));
        }
        notices
    }

    #[test]
    fn what_one_says_is_in_force_at_once_and_the_other_sees_it() {
        let dir = tempfile::tempdir().unwrap();
        let mut ann = Keeper::new(Some(&journal(&dir, "ann"))).unwrap().0;
        let mut bob = Keeper::new(Some(&journal(&dir, "bob"))).unwrap().0;
        let incident = IncidentId(7);
        let who = |k: &Keeper| k.marks().acknowledged(incident).map(|s| s.who.clone());
        assert_eq!(ann.say(vec![Act::Acknowledge { incident }], clock()), None);
        assert_eq!((who(&ann), who(&bob)), (Some("ann".into()), None));
        ann.say(vec![Act::Note { incident, text: "fibre cut".into() }], clock());
        until(&mut ann, |m| m.notes(incident).len() == 1);
        until(&mut bob, |m| m.notes(incident).len() == 1);
        assert_eq!((who(&ann), who(&bob)), (Some("ann".into()), Some("ann".into())));
        bob.say(vec![Act::Unacknowledge { incident }], clock());
        until(&mut bob, |_| true);
        until(&mut ann, |m| m.acknowledged(incident).is_none());
        // What was said last is on disk when the keeper has gone, and a new one has all of it at once.
        bob.say(vec![Act::Acknowledge { incident }], clock());
        drop((ann, bob));
        let again = Keeper::new(Some(&journal(&dir, "cyd"))).unwrap().0;
        assert_eq!((who(&again), again.marks().notes(incident).len()), (Some("bob".into()), 1));
    }

    #[test]
    fn the_others_are_told_of_a_new_model_and_those_that_come_later_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let mut ann = Keeper::new(Some(&journal(&dir, "ann"))).unwrap().0;
        let mut bob = Keeper::new(Some(&journal(&dir, "bob"))).unwrap().0;
        let incident = IncidentId(7);
        ann.say(vec![Act::Model { slot: Some(clock()), name: "new".into(), file: None }], clock());
        ann.say(vec![Act::Acknowledge { incident }], clock());
        let told = until(&mut bob, |m| m.acknowledged(incident).is_some());
        assert!(
            matches!(&told[..], [one] if one.message.starts_with("ann put the model \"new\" in force")),
            "{told:?}"
        );
        assert_eq!(until(&mut ann, |m| m.acknowledged(incident).is_some()), []);
        assert_eq!(Keeper::new(Some(&journal(&dir, "cyd"))).unwrap().1, []);
    }

    #[test]
    fn a_read_only_one_sees_and_writes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let log = journal(&dir, "ann").log();
        let mut reader = Keeper::new(Some(&journal(&dir, "bob").read_only())).unwrap().0;
        let incident = IncidentId(7);
        assert!(reader.say(vec![Act::Acknowledge { incident }], clock()).is_some());
        assert!(!log.exists() && reader.marks().acknowledged(incident).is_none());
        let mut ann = Keeper::new(Some(&journal(&dir, "ann"))).unwrap().0;
        ann.say(vec![Act::Acknowledge { incident }], clock());
        let hear = |reader: &mut Keeper, id| {
            while reader.marks().acknowledged(id).is_none() {
                let said = reader.said().recv_timeout(Duration::from_secs(20)).unwrap();
                reader.hear(said);
            }
        };
        hear(&mut reader, incident);
        // A name that has changed is known to it, whatever the log says of it meanwhile.
        let to = IncidentId(8);
        assert_eq!(reader.carry(&[(to, incident)], clock()), None, "nothing was said of it");
        assert_eq!(reader.carry(&[(incident, to)], clock()), Some(Vec::new()));
        ann.say(vec![Act::Acknowledge { incident: IncidentId(9) }], clock());
        hear(&mut reader, IncidentId(9));
        assert!(reader.marks().has(to) && !reader.marks().has(incident));
        drop((reader, ann));
        let text = std::fs::read_to_string(log).unwrap();
        assert!(!text.contains("move"), "{text}");
    }

    #[test]
    fn what_goes_on_under_a_new_name_does_so_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let mut ann = Keeper::new(Some(&journal(&dir, "ann"))).unwrap().0;
        let [from, to] = [7, 8].map(IncidentId);
        ann.say(vec![Act::Acknowledge { incident: from }], clock());
        assert_eq!(ann.carry(&[(from, to)], clock()), Some(Vec::new()));
        drop(ann);
        let again = Keeper::new(Some(&journal(&dir, "bob"))).unwrap().0;
        assert!(again.marks().acknowledged(to).is_some() && !again.marks().has(from));
    }

    #[test]
    fn what_cannot_be_written_is_in_force_and_told() {
        let dir = tempfile::tempdir().unwrap();
        let journal = journal(&dir, "ann");
        // A file stands where the directory would have to be.
        std::fs::write(journal.log().parent().unwrap(), "").unwrap();
        let mut ann = Keeper::new(Some(&journal)).unwrap().0;
        let incident = IncidentId(7);
        ann.say(vec![Act::Acknowledge { incident }], clock());
        let notices = loop {
            let said = ann.said().recv_timeout(Duration::from_secs(20)).unwrap();
            let notices = ann.hear(said);
            if notices.iter().any(|n| n.message.contains("forgotten when noctop ends")) {
                break notices;
            }
        };
        assert!(notices.iter().any(|n| n.path.ends_with("journal.jsonl")), "{notices:?}");
        assert!(ann.marks().acknowledged(incident).is_some());
    }

    #[test]
    fn without_a_place_marks_last_as_long_as_the_process() {
        let mut keeper = Keeper::new(None).unwrap().0;
        let incident = IncidentId(7);
        assert_eq!(keeper.say(vec![Act::Acknowledge { incident }], clock()), None);
        assert!(keeper.marks().acknowledged(incident).is_some());
    }
}
