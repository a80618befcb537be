//! Tells what happens to incidents: to the program that is called, and to who tells it in lines.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, never};

use crate::engine::core::Engine;
use crate::engine::herald::{Herald, News};
use crate::engine::hook::Hook;
use crate::engine::snapshot::IncidentId;
use crate::ingest::Notice;

/// For how long nothing is told while there are rows that wait to be scored.
const HALF_SCORED: Duration = Duration::from_secs(2);
/// News that may wait to be told in lines: more than there are interfaces.
const MOST: usize = 100_000;

/// Who is told, and of what they were.
#[derive(Debug)]
pub(super) struct Telling {
    herald: Herald,
    hook: Option<Hook>,
    lines: Option<Sender<News>>,
    /// When it was looked last whether there is something.
    looked: Instant,
}

impl Telling {
    /// Calls the program `on_incident`, and tells `lines`.
    ///
    /// # Errors
    /// When there can be no threads.
    pub(super) fn new(on_incident: Option<&str>, lines: Option<Sender<News>>) -> std::io::Result<Self> {
        let hook = on_incident.map(Hook::start).transpose()?;
        Ok(Self { herald: Herald::default(), hook, lines, looked: Instant::now() })
    }

    /// What went wrong with the program.
    pub(super) fn failures(&self) -> Receiver<String> {
        self.hook.as_ref().map_or_else(never, |hook| hook.failures().clone())
    }

    /// The same for a person to read.
    pub(super) fn failed(&self, why: String) -> Option<Notice> {
        self.hook.as_ref().map(|hook| hook.notice(why))
    }

    /// Takes note of incidents that have another name now, each given behind the one so far.
    pub(super) fn follow(&mut self, moved: &[(IncidentId, IncidentId)]) {
        moved.iter().for_each(|(from, to)| self.herald.follow(*from, *to));
    }

    /// Tells what is new since the last time, and gives what could not be told. Of what is scored in part only
    /// nothing is said, unless that takes long: a story would be told before all of it is known.
    pub(super) fn tell(&mut self, engine: &Engine) -> Vec<Notice> {
        let nobody = self.hook.is_none() && self.lines.is_none();
        if nobody || (engine.is_due() && self.looked.elapsed() < HALF_SCORED) {
            return Vec::new();
        }
        self.looked = Instant::now();
        let news = self.herald.look(engine);
        let mut notices: Vec<Notice> = self.hook.iter().filter_map(|hook| hook.tell(&news)).collect();
        let Some(lines) = &self.lines else { return notices };
        let mut left = 0;
        for news in news {
            let told = lines.len() < MOST && lines.send(news).is_ok();
            left += usize::from(!told);
        }
        if left > 0 {
            let message = format!("{left} lines are left out: nobody reads those before them");
            notices.push(Notice { path: Arc::new(PathBuf::from("standard output")), message });
        }
        notices
    }
}
