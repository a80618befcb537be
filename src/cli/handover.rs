//! `noctop handover`: a shift's story for who comes next, as Markdown or JSON.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;
use serde::Serialize;

use super::load::{SHOWN, Unread, incomplete};
use super::look::Looked;
use super::output;
use super::time::{parse_duration, parse_time};
use super::values::senseless;
use crate::config::Config;
use crate::engine::{IncidentForm, IncidentId, IncidentView};
use crate::format::{how_rare, minute, s, span, what};
use crate::journal::{Act, Entry, Subject};
use crate::series::{Step, Timestamp, printable};

/// Slots without a row of any interface from which on they are told of.
const GAP_SLOTS: i64 = 2;

/// The longest shift: older than any row that somebody wants to hear of.
const LONGEST: Duration = Duration::from_secs(3660 * 86_400);

/// What `handover` is told.
#[derive(Debug, Args)]
pub struct HandoverArgs {
    #[command(flatten)]
    look: super::look::LookArgs,
    /// Begin of the shift: so long before the newest slot (8h, 90m, 2d), or a moment (2026-01-05T14:00, UTC)
    #[arg(long, value_name = "WHEN", default_value = "8h", allow_hyphen_values = true, value_parser = since)]
    since: Since,
    /// Print one JSON object instead of Markdown
    #[arg(long)]
    json: bool,
}

/// When a shift began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// So long ago.
    Ago(Duration),
    /// Then.
    At(Timestamp),
}

fn since(text: &str) -> Result<Since, String> {
    parse_duration(text)
        .and_then(|ago| if ago <= LONGEST { Ok(Since::Ago(ago)) } else { Err(String::new()) })
        .or_else(|_| parse_time(text).map(Since::At))
        .map_err(|_| "write how long ago, such as 8h, 90m or 2d, or a moment, such as 2026-01-05T14:00".to_owned())
}

/// Runs it.
///
/// # Errors
/// When the directory cannot be read, the model is none, or standard output cannot be written to.
pub fn run(args: &HandoverArgs, config: &Config) -> anyhow::Result<()> {
    let clock = Timestamp::from(SystemTime::now());
    let looked = args.look.look(config, clock, true)?;
    let shift = Shift::new(&looked, args.since, clock);
    let (from, to) = shift.rows;
    if from > to {
        return Err(senseless(format!("--since {}: is yet to come, it is {} UTC", minute(from), minute(to))));
    }
    let text = if args.json { serde_json::to_string_pretty(&shift.json())? + "\n" } else { shift.markdown() };
    output::print(text.as_bytes())?;
    incomplete(&looked.left.unread)
}

/// What happened, by the rows' clock for incidents and by the wall's for what people said.
#[derive(Debug)]
struct Shift<'a> {
    looked: &'a Looked,
    /// Begin and end of the shift, in the rows.
    rows: (Timestamp, Timestamp),
    /// Incidents that were open at some time of the shift, oldest first.
    incidents: Vec<Arc<IncidentView>>,
    /// What was said in the shift, in its order.
    said: Vec<&'a Entry>,
    /// Stretches of the shift in which no interface had a row: last row before, first row behind.
    gaps: Vec<(Timestamp, Timestamp)>,
    /// How far the newest row lies behind the clock, in seconds, where that is more than usual.
    stopped: Option<i64>,
}

impl<'a> Shift<'a> {
    fn new(looked: &'a Looked, since: Since, clock: Timestamp) -> Self {
        let now = looked.snapshot.now.unwrap_or(clock);
        let seconds = |ago: Duration| i64::try_from(ago.as_secs()).unwrap_or(i64::MAX / 2);
        // What people said stands by the clock, rows by their slots. In an archive these are far apart,
        // and a shift that is so long is as long in both.
        let (from, said_from) = match since {
            Since::Ago(ago) => (now.plus(-seconds(ago)), clock.plus(-seconds(ago))),
            Since::At(at) => (at, at),
        };
        let mut incidents: Vec<Arc<IncidentView>> = looked.snapshot.incidents.to_vec();
        incidents.retain(|i| i.end.is_none_or(|end| end >= from));
        incidents.sort_by_key(|i| (i.start, i.name.clone(), i.id));
        let step = looked.snapshot.step.map_or(3600, Step::seconds);
        let late = clock.since(now);
        Self {
            // a shift that began behind the newest row has had none
            rows: (from, if from > now { clock } else { now }),
            incidents,
            said: looked.entries.iter().filter(|e| e.at >= said_from && !e.act.is_personal()).collect(),
            gaps: gaps(&looked.moments(from), step),
            stopped: (late > 3 * step.max(300)).then_some(late),
            looked,
        }
    }

    fn opened(&self, incident: &IncidentView) -> bool {
        incident.start >= self.rows.0
    }

    fn of(&self, wanted: impl Fn(&IncidentView) -> bool) -> Vec<&IncidentView> {
        self.incidents.iter().map(Arc::as_ref).filter(|i| wanted(i)).collect()
    }

    fn still_open(&self) -> Vec<&IncidentView> {
        let mut open = self.of(|i| i.end.is_none());
        open.sort_by_key(|i| (!i.calls(), i.attended()));
        open
    }

    fn closed(&self) -> Vec<&IncidentView> {
        self.of(|i| i.end.is_some())
    }

    fn rang(&self) -> Vec<&IncidentView> {
        self.of(|i| i.rings && self.opened(i))
    }

    fn markdown(&self) -> String {
        let (from, to) = self.rows;
        let mut out = format!("# Handover, {} to {} UTC\n\n", minute(from), minute(to));
        let opened = self.of(|i| self.opened(i)).len();
        let facts = [
            (opened, "opened"),
            (self.closed().len(), "closed"),
            (self.still_open().len(), "still open"),
            (self.rang().len(), "rang"),
        ];
        let facts: Vec<String> = facts.iter().map(|(n, word)| format!("{n} {word}")).collect();
        let source = &self.looked.snapshot;
        let _ = writeln!(
            out,
            "{}. {} interface{}; model {}.",
            facts.join(", "),
            source.interfaces.len(),
            s(source.interfaces.len() as u64),
            escape(&source.model.name)
        );
        if let Some(late) = self.stopped {
            let _ = writeln!(out, "\n**The newest row is {} old:** what came since is not known here.", span(late));
        }
        let unread = &self.looked.left.unread;
        for notice in unread.iter().take(SHOWN) {
            let (path, why) = (escape(&notice.path.display().to_string()), escape(&notice.message));
            let _ = writeln!(out, "\n**The rows of {path} are missing here:** it {why}.");
        }
        if let Some(more @ 1..) = unread.len().checked_sub(SHOWN) {
            let _ = writeln!(out, "\n**And so are those of {more} more.**");
        }
        self.section(&mut out, "Still open", &self.still_open());
        self.section(&mut out, "Closed", &self.closed());
        out.push_str("\n## Said\n\n");
        let names: HashMap<IncidentId, &IncidentView> =
            self.looked.snapshot.incidents.iter().map(|i| (i.id, i.as_ref())).collect();
        let said: Vec<&&Entry> = self.said.iter().filter(|e| !matches!(e.act, Act::Model { .. })).collect();
        if said.is_empty() {
            out.push_str("Nothing.\n");
        }
        for entry in said {
            let (who, words) = (escape(&entry.who), words(&entry.act, &names));
            let _ = writeln!(out, "- {} {who} {words}", minute(entry.at));
        }
        let models = self.said.iter().filter_map(|e| match &e.act {
            Act::Model { slot, name, .. } => Some((e, slot, name)),
            _ => None,
        });
        let models: Vec<String> = models
            .map(|(entry, slot, name)| {
                let behind = slot.map_or(String::new(), |slot| format!(", for rows behind {}", minute(slot)));
                format!("- {} {} put \"{}\" in force{behind}\n", minute(entry.at), escape(&entry.who), escape(name))
            })
            .collect();
        if !models.is_empty() {
            let _ = write!(out, "\n## Models\n\n{}", models.concat());
        }
        if !self.gaps.is_empty() {
            out.push_str("\n## Gaps in the feed\n\n");
            for (after, before) in &self.gaps {
                let length = span(before.since(*after));
                let _ = writeln!(out, "- no rows between {} and {} ({length})", minute(*after), minute(*before));
            }
        }
        out
    }

    fn section(&self, out: &mut String, title: &str, incidents: &[&IncidentView]) {
        let _ = writeln!(out, "\n## {title}\n");
        if incidents.is_empty() {
            out.push_str("None.\n");
            return;
        }
        let mut told: HashSet<IncidentId> = HashSet::new();
        for incident in incidents {
            if told.contains(&incident.id) {
                continue;
            }
            // A story stands where its first incident stands.
            let story: Vec<&&IncidentView> = match incident.story {
                Some(_) => incidents.iter().filter(|i| i.story == incident.story).collect(),
                None => vec![incident],
            };
            if story.len() > 1 {
                let _ = writeln!(out, "- one story, {} interfaces:", story.len());
            }
            let indent = if story.len() > 1 { "  " } else { "" };
            for member in story {
                told.insert(member.id);
                let _ = writeln!(out, "{indent}- {}", self.line(member));
                for note in &member.notes {
                    let (who, text) = (escape(&note.signed.who), escape(&note.text));
                    let _ = writeln!(out, "{indent}  - {} {who}: {text}", minute(note.signed.at));
                }
            }
        }
    }

    /// One incident in a line.
    fn line(&self, incident: &IncidentView) -> String {
        let (host, ifname) = (escape(&incident.name.host), escape(&incident.name.ifname));
        let description = incident.description.as_ref().map_or(String::new(), |text| format!(" ({})", escape(text)));
        let what = what(incident, false);
        let mut line = format!("**{host} {ifname}**{description} {what}, since {}", minute(incident.start));
        if let Some(end) = incident.end {
            let _ = write!(line, " until {}", minute(end));
        }
        if incident.taken_over {
            line.push_str(", its level taken over as the new normal");
        }
        let step = self.looked.step_of(incident.interface);
        if let Some(rare) = how_rare(incident, incident.verdict, step) {
            let _ = write!(line, ", score {:.1} ({rare})", incident.peak);
        }
        let speed = self.looked.snapshot.interfaces.iter().find(|v| v.id == incident.interface).and_then(|v| v.speed);
        if let Some(speed) = speed.filter(|_| incident.peak > 0.0) {
            let _ = write!(line, ", {:.0} % of its speed at the peak", 100.0 * incident.peak_value / speed);
        }
        if incident.rings {
            line.push_str(if self.opened(incident) { ", **rang**" } else { ", rang before" });
        }
        if let Some(signed) = &incident.acknowledged {
            let _ = write!(line, ", acknowledged by {} at {}", escape(&signed.who), minute(signed.at));
        }
        if let Some(until) = incident.muted {
            let _ = write!(line, ", muted until {}", minute(until));
        }
        if incident.retired {
            line.push_str(", interface retired");
        }
        let _ = write!(line, " `{}`", incident.id);
        line
    }

    fn json(&self) -> serde_json::Value {
        let forms = |list: Vec<&IncidentView>| list.into_iter().map(IncidentForm::from).collect::<Vec<_>>();
        #[derive(Serialize)]
        struct Gap {
            after: String,
            before: String,
        }
        let gaps = self.gaps.iter().map(|(a, b)| Gap { after: a.to_string(), before: b.to_string() });
        serde_json::json!({
            "since": self.rows.0.to_string(),
            "until": self.rows.1.to_string(),
            "stopped_seconds": self.stopped,
            "model": self.looked.snapshot.model.name,
            "interfaces": self.looked.snapshot.interfaces.len(),
            "opened": forms(self.of(|i| self.opened(i))),
            "closed": forms(self.closed()),
            "open": forms(self.still_open()),
            "rang": forms(self.rang()),
            "said": self.said,
            "gaps": gaps.collect::<Vec<_>>(),
            "unread": Unread::first(&self.looked.dir, &self.looked.left.unread),
            "unread_count": self.looked.left.unread.len(),
        })
    }
}

/// Stretches between two moments that are more than [`GAP_SLOTS`] slots apart.
fn gaps(moments: &BTreeSet<Timestamp>, step: i64) -> Vec<(Timestamp, Timestamp)> {
    let pairs = moments.iter().zip(moments.iter().skip(1));
    pairs.filter(|(a, b)| b.since(**a) > GAP_SLOTS * step).map(|(a, b)| (*a, *b)).collect()
}

/// What somebody said, as the end of a sentence.
fn words(act: &Act, incidents: &HashMap<IncidentId, &IncidentView>) -> String {
    let incident = |id: &IncidentId| match incidents.get(id) {
        Some(i) => format!("{} {} `{id}`", escape(&i.name.host), escape(&i.name.ifname)),
        None => format!("`{id}`"),
    };
    let subject = |what: &Subject| match what {
        Subject::Incident { incident: id } => incident(id),
        Subject::Interface(named) => format!("{} {}", escape(&named.hostname), escape(&named.ifname)),
    };
    match act {
        Act::Acknowledge { incident: id } => format!("acknowledged {}", incident(id)),
        Act::Unacknowledge { incident: id } => format!("took back the acknowledgement of {}", incident(id)),
        Act::Note { incident: id, text } => format!("noted on {}: {}", incident(id), escape(text)),
        Act::Move { incident: id, to } => format!("carried what was said of `{id}` over to {}", incident(to)),
        Act::Mute { what, until } => format!("muted {} until {}", subject(what), minute(*until)),
        Act::Unmute { what } => format!("unmuted {}", subject(what)),
        Act::Retire { interface } => format!("retired {} {}", escape(&interface.hostname), escape(&interface.ifname)),
        Act::Unretire { interface } => {
            format!("took {} {} back", escape(&interface.hostname), escape(&interface.ifname))
        }
        Act::Pin { interface } => format!("pinned {} {}", escape(&interface.hostname), escape(&interface.ifname)),
        Act::Unpin { interface } => format!("unpinned {} {}", escape(&interface.hostname), escape(&interface.ifname)),
        Act::Model { name, .. } => format!("put \"{}\" in force", escape(name)),
    }
}

/// A text that stays a text in Markdown and on a terminal.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in printable(text).chars() {
        if "\\`*_[]<>#|".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_begins_some_time_ago_or_at_a_moment() {
        assert_eq!(since("8h"), Ok(Since::Ago(Duration::from_secs(8 * 3600))));
        let at = Timestamp::from_seconds(1_767_621_600);
        assert_eq!(since("2026-01-05T14:00"), Ok(Since::At(at)));
        assert!(since("yesterday").unwrap_err().contains("8h"));
    }

    #[test]
    fn a_gap_is_where_two_slots_and_more_have_no_row_at_all() {
        let t = |slot: i64| Timestamp::from_seconds(slot * 300);
        let moments: BTreeSet<Timestamp> = [0, 1, 2, 4, 7, 8].map(t).into();
        assert_eq!(gaps(&moments, 300), [(t(4), t(7))]);
        assert_eq!(gaps(&BTreeSet::new(), 300), []);
    }

    #[test]
    fn names_cannot_write_markdown_or_move_a_cursor() {
        assert_eq!(escape("a*b_[c](d)`\u{1b}[2J"), r"a\*b\_\[c\](d)\`\\u{1b}\[2J");
        assert_eq!(escape("xe-0/0/1"), "xe-0/0/1");
    }
}
