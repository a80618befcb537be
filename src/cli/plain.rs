//! Plain output of what the console would show: one line for each incident that opens or closes.

use std::io::{self, IsTerminal as _, Write};
use std::time::Duration;

use anyhow::Context as _;
use crossbeam_channel::{Receiver, bounded, never, select};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::engine::track::LATE_SLOTS;
use crate::engine::{Event, Handle, News, NewsForm, SourceView};
use crate::ingest::Refusal;
use crate::series::{InterfaceName, printable};

/// How long the program may take to end after a signal.
const GRACE: Duration = Duration::from_millis(1500);

/// Prints until the reader of the lines has gone, a signal comes, or the feed has failed.
///
/// # Errors
/// When standard output cannot be written to.
pub fn run(handle: &Handle, news: &Receiver<News>, json: bool) -> anyhow::Result<()> {
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
    let mut heard = Heard::default();
    loop {
        let snapshot = handle.snapshot();
        heard.tell(&snapshot.source);
        // what a snapshot has to tell was said before it was there
        match print(news, json, &mut io::stdout().lock()) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
            other => other.context("standard output")?,
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
    late: u64,
}

impl Heard {
    /// Says each notice once. Refused lines and late rows may be many: they are said as often as they have doubled.
    fn tell(&mut self, source: &SourceView) {
        let new = usize::try_from(source.noticed - self.notices).unwrap_or(usize::MAX);
        for notice in source.notices.iter().skip(source.notices.len().saturating_sub(new)) {
            super::tell!("{}: {}", notice.path.display(), notice.message);
        }
        self.notices = source.noticed;
        if source.loading.is_some() {
            return;
        }
        let doubled = |now: u64, before: &mut u64| {
            let doubled = now >= (2 * *before).max(1);
            *before = if doubled { now } else { *before };
            doubled
        };
        if doubled(source.late, &mut self.late) {
            let (n, rows) = (source.late, if source.late == 1 { "row came" } else { "rows came" });
            super::tell!("{n} {rows} more than {LATE_SLOTS} slots late, into history only: not scored");
        }
        if !doubled(source.refused, &mut self.refused) {
            return;
        }
        if let Some(Refusal { path, line, reason }) = source.refusals.last() {
            let (n, lines) = (source.refused, if source.refused == 1 { "line was" } else { "lines were" });
            super::tell!("{n} {lines} refused, the last one at {}:{line}: {reason}", path.display());
        }
    }
}

/// Prints what there is to tell. That somebody acknowledged an incident is seen where that was done.
fn print(news: &Receiver<News>, json: bool, out: &mut dyn Write) -> io::Result<()> {
    for news in news.try_iter().filter(|news| news.event != Event::Acknowledged) {
        write_line(&news, json, out)?;
    }
    out.flush()
}

fn write_line(news: &News, json: bool, out: &mut dyn Write) -> io::Result<()> {
    let News { event, incident, was, .. } = news;
    if json {
        serde_json::to_writer(&mut *out, &NewsForm::new(*event, news))?;
        return writeln!(out);
    }
    let event = match event {
        Event::Opened => "OPENED",
        Event::Reopened => "REOPENED",
        Event::Rings => "RINGS",
        Event::Acknowledged => "ACKNOWLEDGED",
        Event::Closed => "CLOSED",
        Event::Withdrawn => "WITHDRAWN",
        Event::Moved => "MOVED",
    };
    let kind = incident.kind.word();
    let what = [Some(kind), incident.direction.map(|d| d.word()).filter(|_| !kind.starts_with("drop"))];
    let what = what.into_iter().flatten().collect::<Vec<_>>().join(" ");
    let until = match incident.end {
        None => incident.state().to_owned(),
        Some(end) if incident.taken_over => format!("until {end}  {}", incident.state()),
        Some(end) => format!("until {end}"),
    };
    let was = was.map_or(String::new(), |was| format!("  was {was}"));
    let ring = if incident.rings { "  rings" } else { "" };
    let story = incident.story.map_or(String::new(), |s| format!("  story {s} of {}", incident.story_size));
    let InterfaceName { host, ifname } = &incident.name;
    let (host, ifname) = (printable(host), printable(ifname));
    writeln!(
        out,
        "{event:9} {}  {host} {ifname}  {what}  score {:.1}  since {}  {until}{story}{ring}{was}",
        incident.id, incident.peak, incident.start
    )
}
