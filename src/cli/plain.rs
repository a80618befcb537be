//! Plain output of what the console would show: one line for each incident that opens or closes.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, bounded, never, select};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use serde::Serialize;

use crate::engine::{Handle, IncidentForm, IncidentId, IncidentView, Snapshot, SourceView};
use crate::ingest::Refusal;
use crate::series::{InterfaceName, Timestamp, printable};

/// How long the program may take to end after a signal.
const GRACE: Duration = Duration::from_millis(1500);

/// What happened to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Event {
    Opened,
    /// It became so rare that it rings, after it was told of.
    Rings,
    Closed,
    /// A late or corrected row took it back.
    Withdrawn,
}

/// One line.
#[derive(Debug, Serialize)]
struct Line {
    event: Event,
    #[serde(flatten)]
    incident: IncidentForm,
}

/// Prints until the reader of the lines has gone, a signal comes, or the feed has failed.
///
/// # Errors
/// When standard output cannot be written to.
pub fn run(handle: &Handle, json: bool) -> anyhow::Result<()> {
    let (signal, signalled) = bounded::<i32>(1);
    let mut signals = signal_hook::iterator::Signals::new([
        signal_hook::consts::SIGINT,
        signal_hook::consts::SIGTERM,
        signal_hook::consts::SIGHUP,
    ])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        if let Some(number) = signals.forever().next() {
            let _ = signal.send(number);
            // A directory on a dead file system must not keep the program alive.
            std::thread::sleep(GRACE);
            signal_hook::low_level::exit(128 + number);
        }
    })?;
    let gone = reader_gone()?;
    let mut known = Known::default();
    let mut heard = Heard::default();
    loop {
        let snapshot = handle.snapshot();
        heard.tell(&snapshot.source);
        if snapshot.source.loading.is_none() {
            match known.print(&snapshot, json, &mut io::stdout().lock()) {
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
                other => other.context("standard output")?,
            }
        }
        if let Some(why) = &snapshot.source.failure {
            anyhow::bail!("the reading of {} has stopped: {why}", snapshot.source.dir.display());
        }
        select! {
            recv(handle.wake()) -> woken => if woken.is_err() { anyhow::bail!("the engine has ended") },
            recv(signalled) -> number => match number {
                Ok(number) => return Err(super::Quiet::with(128 + number).into()),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            },
            recv(gone) -> _ => return Ok(()),
        }
    }
}

/// Says when nobody reads the lines any more: of a pipe, that would else be known with the next line only, and
/// that may be in weeks. A terminal that goes away sends a signal.
fn reader_gone() -> io::Result<Receiver<()>> {
    if io::stdout().is_terminal() {
        return Ok(never());
    }
    let (say, gone) = bounded(1);
    std::thread::Builder::new().name("reader".into()).spawn(move || {
        loop {
            // errors and hang-ups come unasked, and nothing else is asked for
            match poll(&mut [PollFd::new(&io::stdout(), PollFlags::empty())], None) {
                Ok(0) | Err(Errno::INTR) => {}
                Ok(_) => {
                    let _ = say.send(());
                    return;
                }
                // it will be known with the next line
                Err(_) => std::thread::park(),
            }
        }
    })?;
    Ok(gone)
}

/// What was said on standard error.
#[derive(Debug, Default)]
struct Heard {
    notices: u64,
    refused: u64,
}

impl Heard {
    /// Says each notice once. Refused lines may be many: the newest is said as often as they have doubled.
    fn tell(&mut self, source: &SourceView) {
        let new = usize::try_from(source.noticed - self.notices).unwrap_or(usize::MAX);
        for notice in source.notices.iter().skip(source.notices.len().saturating_sub(new)) {
            super::tell!("{}: {}", notice.path.display(), notice.message);
        }
        self.notices = source.noticed;
        if source.loading.is_some() || source.refused < (2 * self.refused).max(1) {
            return;
        }
        self.refused = source.refused;
        if let Some(Refusal { path, line, reason }) = source.refusals.last() {
            let (n, lines) = (source.refused, if source.refused == 1 { "line was" } else { "lines were" });
            super::tell!("{n} {lines} refused, the last one at {}:{line}: {reason}", path.display());
        }
    }
}

/// Incidents that were told of and were open then.
#[derive(Debug, Default)]
struct Known {
    open: HashMap<IncidentId, Arc<IncidentView>>,
    /// Slots up to here were told of; what closed before the first snapshot is history.
    started: bool,
    newest: Option<Timestamp>,
}

impl Known {
    fn print(&mut self, snapshot: &Snapshot, json: bool, out: &mut dyn Write) -> io::Result<()> {
        let listed: HashMap<IncidentId, &Arc<IncidentView>> = snapshot.incidents.iter().map(|i| (i.id, i)).collect();
        let mut lines: Vec<(Event, Arc<IncidentView>)> = Vec::new();
        for (id, before) in &self.open {
            match listed.get(id) {
                Some(now) => {
                    if now.rings && !before.rings {
                        lines.push((Event::Rings, Arc::clone(now)));
                    }
                    if now.end.is_some() {
                        lines.push((Event::Closed, Arc::clone(now)));
                    }
                }
                None => lines.push((Event::Withdrawn, before.clone())),
            }
        }
        for incident in snapshot.incidents.iter().filter(|i| !self.open.contains_key(&i.id)) {
            let fresh = self.newest.is_some_and(|newest| incident.latest > newest);
            if incident.end.is_none() {
                lines.push((Event::Opened, incident.clone()));
            } else if self.started && fresh {
                // It opened and closed between two snapshots.
                lines.push((Event::Opened, incident.clone()));
                lines.push((Event::Closed, incident.clone()));
            }
        }
        lines.sort_by(|a, b| (a.1.start, &a.1.name, a.0 as u8).cmp(&(b.1.start, &b.1.name, b.0 as u8)));
        for (event, incident) in &lines {
            write_line(*event, incident, json, out)?;
        }
        self.open = snapshot.incidents.iter().filter(|i| i.end.is_none()).map(|i| (i.id, i.clone())).collect();
        (self.started, self.newest) = (true, snapshot.now);
        out.flush()
    }
}

fn write_line(event: Event, incident: &IncidentView, json: bool, out: &mut dyn Write) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, &Line { event, incident: incident.into() })?;
        return writeln!(out);
    }
    let event = match event {
        Event::Opened => "OPENED",
        Event::Rings => "RINGS",
        Event::Closed => "CLOSED",
        Event::Withdrawn => "WITHDRAWN",
    };
    let kind = incident.kind.word();
    let what = [Some(kind), incident.direction.map(|d| d.word()).filter(|_| !kind.starts_with("drop"))];
    let what = what.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let until = match incident.end {
        None => incident.state().to_owned(),
        Some(end) if incident.taken_over => format!("until {end}  {}", incident.state()),
        Some(end) => format!("until {end}"),
    };
    let ring = if incident.rings { "  rings" } else { "" };
    let story = incident.story.map_or(String::new(), |s| format!("  story {s} of {}", incident.story_size));
    let InterfaceName { host, ifname } = &incident.name;
    let (host, ifname) = (printable(host), printable(ifname));
    writeln!(
        out,
        "{event:9} {}  {host} {ifname}  {what}  score {:.1}  since {}  {until}{story}{ring}",
        incident.id, incident.peak, incident.start
    )
}
