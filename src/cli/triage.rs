//! `noctop triage`: the console's first screen without a console, for a jump host, cron or a
//! monitoring agent. The first line and the exit code are those of a monitoring plugin.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use clap::Args;
use serde::Serialize;
use unicode_width::UnicodeWidthStr;

use super::load::{Unread, below};
use super::look::Looked;
use super::output;
use super::refused::Lately;
use super::time::parse_duration;
use super::values;
use crate::config::{Config, Triage};
use crate::console::app::STALE;
use crate::console::theme::Surroundings;
use crate::engine::{IncidentForm, IncidentKind, IncidentView, InterfaceState, InterfaceView};
use crate::engine::{Snapshot, StoryId};
use crate::format::{count, fit, how_rare, minute, s, span, units, what_within};
use crate::ingest::Notice;
use crate::series::{DAY, Step, Timestamp, printable};

/// Columns of the text.
const WIDTH: usize = 80;
/// Columns for what happened.
const WHAT: usize = 18;
/// A feed that is this many slots behind the clock has stopped: a row carries the begin of its slot and
/// comes behind its end.
const STALE_SLOTS: i64 = 3;

/// Lines for what could not be read.
const UNREAD: usize = 3;

/// What is older than this many seconds may well be an archive.
const ARCHIVE: i64 = 2 * DAY;

/// What `triage` is told.
#[derive(Debug, Args)]
pub struct TriageArgs {
    #[command(flatten)]
    look: super::look::LookArgs,
    /// Print one JSON object instead of the text
    #[arg(long)]
    json: bool,
    /// Lines of each list at the most
    #[arg(long, value_name = "N", default_value_t = 10, allow_negative_numbers = true, value_parser = values::count)]
    top: usize,
    /// Warning from so many open incidents on; a story counts once, what is acknowledged, muted or retired does not count; 0 for never [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::count)]
    warning: Option<usize>,
    /// Critical from so many open ones that ring on; 0 for never [default: 1]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::count)]
    critical: Option<usize>,
    /// Age of the newest row from which the feed has stopped, which is unknown: 30m, 4h; never for an archive [default: 3 slots, at least 15m]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = stale)]
    stale: Option<Stale>,
    /// ASCII characters only [default: where the locale is not UTF-8]
    #[arg(long)]
    ascii: bool,
}

impl TriageArgs {
    /// Whether JSON is wanted.
    pub(super) fn json(&self) -> bool {
        self.json
    }
}

/// When a feed has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stale {
    /// Whatever the clock says: the end of the data is taken for now.
    Never,
    /// When its newest row is this old.
    After(Duration),
}

fn stale(text: &str) -> Result<Stale, String> {
    match text {
        "never" => Ok(Stale::Never),
        _ => parse_duration(text).map(Stale::After).map_err(|e| format!("{e}; or never")),
    }
}

/// How things stand, as monitoring plugins say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Warning,
    Critical,
    Unknown,
}

impl Status {
    /// The exit code.
    fn code(self) -> i32 {
        self as i32
    }

    fn word(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// Runs it. Ends with the status as the exit code.
///
/// # Errors
/// The exit code where the status is not OK; and when the directory cannot be read or the model is none.
pub fn run(args: &TriageArgs, config: &Config) -> anyhow::Result<()> {
    let limits = Limits::of(args, &config.triage);
    // nothing else of them can be wrong
    let limits = limits.map_err(|e| anyhow::anyhow!("{}{e}", config.whence("triage", "stale")))?;
    let clock = Timestamp::from(SystemTime::now());
    let looked = args.look.look(config, clock, false)?;
    let report = Report::new(&looked, &limits, clock);
    let text = if args.json {
        serde_json::to_string_pretty(&report.json(args.top))? + "\n"
    } else {
        let ascii = args.ascii || config.ascii == Some(true) || Surroundings::read(|name| std::env::var_os(name)).ascii;
        report.text(args.top, ascii)
    };
    output::print(text.as_bytes())?;
    match report.status {
        Status::Ok => Ok(()),
        status => Err(super::Quiet::with(status.code()).into()),
    }
}

/// Says why nothing can be said, in the form of all other answers, and gives the exit code for that.
pub(super) fn unknown(why: &str, json: bool) -> u8 {
    let status = Status::Unknown;
    let text = match json {
        true => serde_json::json!({ "status": status, "code": status.code(), "summary": why }).to_string(),
        false => format!("NOCTOP UNKNOWN: {why}"),
    };
    if let Err(e) = output::print((text + "\n").as_bytes()) {
        // that may be why
        match e.root_cause().to_string() {
            cause if why.ends_with(&cause) => super::tell!("noctop: {why}"),
            cause => super::tell!("noctop: {why}; standard output: {cause}"),
        }
    }
    status as u8
}

/// What decides the status.
#[derive(Debug, Clone, Copy)]
struct Limits {
    warning: usize,
    critical: usize,
    stale: Option<Stale>,
}

impl Limits {
    fn of(args: &TriageArgs, config: &Triage) -> anyhow::Result<Self> {
        let configured = config.stale.as_deref().map(stale).transpose();
        let configured = configured.map_err(|e| anyhow::anyhow!("triage.stale: {e}"))?;
        Ok(Self {
            warning: args.warning.or(config.warning).unwrap_or(1),
            critical: args.critical.or(config.critical).unwrap_or(1),
            stale: args.stale.or(configured),
        })
    }
}

/// Open incidents that are one thing: a story's, or one alone.
#[derive(Debug)]
struct Group<'a> {
    /// The highest peak first.
    members: Vec<&'a IncidentView>,
    /// Whether any of it rings and nobody has attended to it.
    rings: bool,
    /// Whether somebody has attended to all of it.
    attended: bool,
    /// Its first slot.
    start: Timestamp,
}

impl<'a> Group<'a> {
    fn new(mut members: Vec<&'a IncidentView>) -> Option<Self> {
        members.sort_by(|a, b| b.peak.total_cmp(&a.peak).then_with(|| a.name.cmp(&b.name)));
        let start = members.iter().map(|i| i.start).min()?;
        let rings = members.iter().any(|i| i.calls());
        let attended = members.iter().all(|i| i.attended());
        Some(Self { members, rings, attended, start })
    }

    /// Whose it is, in a few words.
    fn place(&self) -> String {
        let first = &self.members[0].name;
        let hosts: HashSet<&str> = self.members.iter().map(|i| &*i.name.host).collect();
        match (self.members.len(), hosts.len()) {
            (1, _) => format!("{} {}", printable(&first.host), printable(&first.ifname)),
            (n, 1) => format!("{}: {n} interfaces", printable(&first.host)),
            (n, hosts) => format!("{n} interfaces, {hosts} devices"),
        }
    }

    fn mark(&self) -> char {
        match (self.attended, self.rings) {
            (true, _) => 'a',
            (false, true) => '!',
            (false, false) => '*',
        }
    }
}

/// What there is to say.
#[derive(Debug)]
struct Report<'a> {
    looked: &'a Looked,
    snapshot: &'a Snapshot,
    /// What could not be read: nobody knows what is open there.
    unread: &'a [Notice],
    /// What was refused lately.
    lately: Lately,
    status: Status,
    /// Why the status is unknown.
    unknown: Option<String>,
    /// Seconds that the newest slot lies behind the clock.
    age: Option<i64>,
    groups: Vec<Group<'a>>,
    limits: Limits,
}

impl<'a> Report<'a> {
    fn new(looked: &'a Looked, limits: &Limits, clock: Timestamp) -> Self {
        let (snapshot, unread) = (&looked.snapshot, &looked.left.unread);
        let groups = groups(snapshot);
        let age = snapshot.now.map(|now| clock.since(now));
        let lately = Lately::of(&looked.files, snapshot.now);
        let unknown = unknown_for(snapshot, limits.stale, age);
        let reached = |limit: usize, n: usize| limit > 0 && n >= limit;
        let count = |wanted: fn(&Group<'_>) -> bool| groups.iter().filter(|g| wanted(g)).count();
        let status = match () {
            () if unknown.is_some() => Status::Unknown,
            () if reached(limits.critical, count(|g| g.rings)) => Status::Critical,
            () if reached(limits.warning, count(|g| !g.attended)) => Status::Warning,
            // What is known to be open stays what it is. That nothing is would be a guess.
            () if !unread.is_empty() || lately.is_much => Status::Unknown,
            () => Status::Ok,
        };
        Self { looked, snapshot, unread, lately, status, unknown, age, groups, limits: *limits }
    }

    fn ringing(&self) -> usize {
        self.groups.iter().filter(|g| g.rings).count()
    }

    fn open(&self) -> usize {
        self.groups.iter().filter(|g| !g.attended).count()
    }

    fn attended(&self) -> usize {
        self.groups.len() - self.open()
    }

    /// Status and counts in words.
    fn summary(&self) -> String {
        let ringing = match self.ringing() {
            1 => "1 rings".to_owned(),
            n => format!("{n} ring"),
        };
        let attended = match self.attended() {
            0 => String::new(),
            n => format!(", {n} attended to"),
        };
        let unread = match self.unread.len() {
            0 => String::new(),
            1 => ", 1 file not read".to_owned(),
            n => format!(", {n} files not read"),
        };
        let refused = match self.lately.refused {
            0 => String::new(),
            n => format!(", {} line{} refused", count(n), s(n)),
        };
        let counts = format!("{ringing}, {} open{attended}{unread}{refused}", self.open());
        match &self.unknown {
            Some(why) => format!("{why}; then: {counts}"),
            None => counts,
        }
    }

    /// Interfaces in the order in which one would look at them, without those that are gone for good.
    fn worst(&self) -> Vec<&'a InterfaceView> {
        let all = self.snapshot.interfaces.iter().map(Arc::as_ref);
        let mut all: Vec<&InterfaceView> = all.filter(|v| !v.retired).collect();
        let quiet = |v: &InterfaceView| {
            v.muted.is_some() || matches!(v.state, InterfaceState::Acknowledged | InterfaceState::Warming)
        };
        // The last score before a silence may be weeks old, and the silence itself stands above.
        let score = |v: &InterfaceView| if v.state == InterfaceState::Silent { 0.0 } else { v.score };
        let worse = |a: &InterfaceView, b: &InterfaceView| quiet(a).cmp(&quiet(b)).then(score(b).total_cmp(&score(a)));
        all.sort_by(|a, b| worse(a, b).then_with(|| a.name.cmp(&b.name)));
        all
    }

    /// The status line, then at most `top` lines of each list.
    fn text(&self, top: usize, ascii: bool) -> String {
        let of = |limit: usize| if limit == 0 { String::new() } else { limit.to_string() };
        let mut out = format!(
            "NOCTOP {}: {} | ringing={};;{} open={};{}\n",
            self.status.word(),
            self.summary(),
            self.ringing(),
            of(self.limits.critical),
            self.open(),
            of(self.limits.warning),
        );
        let snapshot = self.snapshot;
        let until = match (snapshot.now, self.age) {
            (Some(now), Some(age)) if age >= 0 => format!("data to {} UTC, {} old", minute(now), span(age)),
            (Some(now), _) => format!("data to {} UTC", minute(now)),
            (None, _) => "no rows".to_owned(),
        };
        let mut line = |text: String| {
            out.push_str(fit(&text, WIDTH, ascii).trim_end());
            out.push('\n');
        };
        let (interfaces, devices) = (snapshot.interfaces.len() as u64, snapshot.devices.len() as u64);
        let (n, m) = (count(interfaces), count(devices));
        let about = format!("{n} interface{}, {m} device{}; {until}", s(interfaces), s(devices));
        let model = format!("model {}", printable(&snapshot.model.name));
        // which model it is takes a line of its own rather than being cut off
        match format!("{about}; {model}") {
            all if all.width() <= WIDTH => line(all),
            _ => [about, model].into_iter().for_each(&mut line),
        }
        let archived = self.limits.stale != Some(Stale::Never) && self.age.is_some_and(|age| age > ARCHIVE);
        for Notice { path, message } in self.unread.iter().take(UNREAD) {
            line(format!("not read: {}: {}", below(&self.looked.dir, path), printable(message)));
        }
        if let Some(more @ 1..) = self.unread.len().checked_sub(UNREAD) {
            line(format!("not read: {more} more, see noctop check"));
        }
        if let Some((path, refused, lines)) = &self.lately.worst {
            let (file, lines) = (below(&self.looked.dir, path), count(*lines));
            line(format!("refused: {} of a day's {lines} lines of {file}, see noctop check", count(*refused)));
        }
        if let [first, others @ ..] = &self.looked.left.unfinished[..] {
            let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
            line(format!("still being written: {}{more}", below(&self.looked.dir, &first.path)));
        }
        if self.unknown.is_some() && archived {
            line("An archive? --stale never takes its end for now.".to_owned());
        }
        if !self.groups.is_empty() {
            line(String::new());
            line(format!("  {:11} {:24} {:WHAT$} {:>5} {}", "SINCE", "OPEN", "WHAT", "SCORE", "RARITY"));
            for group in self.groups.iter().take(top) {
                line(self.group_line(group, ascii));
                if let [IncidentView { description: Some(text), .. }] = group.members[..] {
                    line(format!("  {:11} {}", "", printable(text)));
                }
            }
            if let Some(more @ 1..) = self.groups.len().checked_sub(top) {
                line(format!("  and {more} more"));
            }
        }
        let worst = self.worst();
        if !worst.is_empty() {
            line(String::new());
            // Room for a part of the speed, where any is known.
            let used = worst.iter().take(top).any(|v| v.utilisation().is_some());
            let (names, title) = if used { (14, " USED") } else { (16, "") };
            line(format!(
                "  {:names$} {:names$} {:>7}{title} {:>8} {:>7} {:>5} {}",
                "WORST", "INTERFACE", "NOW", "EXPECTED", "ERROR", "SCORE", "STATE"
            ));
            for view in worst.iter().take(top) {
                line(interface_line(view, names, used, ascii));
            }
        }
        out
    }

    fn group_line(&self, group: &Group<'_>, ascii: bool) -> String {
        let worst = group.members[0];
        let step = self.step_of(worst);
        // Silence has no rows, and so no score.
        let (score, rare) = match worst.kind {
            IncidentKind::Silence => ("-".to_owned(), String::new()),
            _ => (format!("{:.1}", worst.peak), how_rare(worst, worst.verdict, step).unwrap_or_default()),
        };
        let since = minute(group.start);
        format!(
            "{} {:11} {} {} {score:>5} {rare}",
            group.mark(),
            since.get(5..).unwrap_or(&since),
            fit(&group.place(), 24, ascii),
            fit(&what_within(worst, WHAT, ascii), WHAT, ascii),
        )
    }

    fn step_of(&self, incident: &IncidentView) -> Option<Step> {
        self.snapshot.interfaces.iter().find(|v| v.id == incident.interface).and_then(|v| v.step)
    }

    fn json(&self, top: usize) -> serde_json::Value {
        let snapshot = self.snapshot;
        let groups = self.groups.iter().take(top).map(|group| {
            let incidents: Vec<IncidentForm> = group.members.iter().map(|i| IncidentForm::from(*i)).collect();
            serde_json::json!({
                "story": group.members[0].story.map(|s| s.to_string()),
                "start": group.start.to_string(),
                "rings": group.rings,
                "attended": group.attended,
                "incidents": incidents,
            })
        });
        let worst = self.worst().into_iter().take(top).map(|view| {
            serde_json::json!({
                "hostname": &*view.name.host,
                "ifname": &*view.name.ifname,
                "value": view.last.map(|v| v[1]),
                "expected": view.expected.map(|v| v[1]),
                "description": view.description.as_deref(),
                "utilisation": view.utilisation(),
                "error": view.error,
                "score": view.score,
                "state": view.state.name(),
                "since": view.since.map(|t| t.to_string()),
            })
        });
        serde_json::json!({
            "status": self.status,
            "code": self.status.code(),
            "summary": self.summary(),
            "now": snapshot.now.map(|now| now.to_string()),
            "age_seconds": self.age,
            "model": snapshot.model.name,
            "interfaces": snapshot.interfaces.len(),
            "devices": snapshot.devices.len(),
            "ringing": self.ringing(),
            "open": self.open(),
            "attended": self.attended(),
            "unread": Unread::first(&self.looked.dir, self.unread),
            "unread_count": self.unread.len(),
            "refused": self.lately.refused,
            "lines": self.lately.lines,
            "groups": groups.collect::<Vec<_>>(),
            "worst": worst.collect::<Vec<_>>(),
        })
    }
}

/// Open incidents as one for each story: what rings first, what is attended to last, each newest first.
fn groups(snapshot: &Snapshot) -> Vec<Group<'_>> {
    let mut stories: BTreeMap<StoryId, Vec<&IncidentView>> = BTreeMap::new();
    let mut groups = Vec::new();
    for incident in snapshot.incidents.iter().filter(|i| i.end.is_none()) {
        match incident.story {
            Some(story) => stories.entry(story).or_default().push(incident),
            None => groups.extend(Group::new(vec![incident])),
        }
    }
    groups.extend(stories.into_values().filter_map(Group::new));
    groups.sort_by_key(|g| (!g.rings, g.attended, std::cmp::Reverse(g.start), g.members[0].name.clone()));
    groups
}

/// Why the status cannot be known, if so.
fn unknown_for(snapshot: &Snapshot, stale: Option<Stale>, age: Option<i64>) -> Option<String> {
    let (Some(now), Some(age)) = (snapshot.now, age) else { return Some("there are no rows".to_owned()) };
    if snapshot.interfaces.iter().all(|v| v.state == InterfaceState::Warming) {
        return Some("no interface has enough rows to be judged, which are 25".to_owned());
    }
    let usual = || snapshot.step.map_or(0, |step| STALE_SLOTS * step.seconds()).max(STALE);
    let limit = match stale {
        Some(Stale::Never) => return None,
        Some(Stale::After(limit)) => i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        None => usual(),
    };
    match age {
        _ if age > limit => Some(format!("no rows since {}", minute(now))),
        _ if age < -usual() => Some(format!("rows are {} ahead of the clock", span(-age))),
        _ => None,
    }
}

fn interface_line(view: &InterfaceView, names: usize, used: bool, ascii: bool) -> String {
    let value = |pair: Option<[f64; 2]>| pair.map_or("-".to_owned(), |v| units(v[1]));
    let (error, score) = match view.expected {
        Some(_) => (format!("{:+.1}", view.error), format!("{:.1}", view.score)),
        None => ("-".to_owned(), "-".to_owned()),
    };
    let used = match view.utilisation() {
        _ if !used => String::new(),
        Some(part) => format!(" {:>3.0}%", 100.0 * part),
        None => "     ".to_owned(),
    };
    format!(
        "  {} {} {:>7}{used} {:>8} {error:>7} {score:>5} {}",
        fit(&printable(&view.name.host), names, ascii),
        fit(&printable(&view.name.ifname), names, ascii),
        value(view.last),
        value(view.expected),
        view.state.word(),
    )
}
