//! The line at the top: where rows come from and how that goes, the model, the directory's now.

use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::pen::Pen;
use crate::console::app::App;
use crate::console::theme::Role;
use crate::engine::WatchMode;
use crate::format::{self, end_of, fit};

/// Columns of a model's name where there is little room: `trained to 2026-11-23`.
const MODEL: usize = 21;

/// One fact. Where there is no room for all, each is shortened and then left out, those of low rank first.
struct Fact {
    text: String,
    /// The same in fewer columns; empty where there is no such thing.
    short: String,
    role: Role,
    rank: u8,
    right: bool,
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let mut facts = facts(app);
    let width = usize::from(area.width);
    let space = |facts: &[Fact]| facts.iter().map(|f| f.text.width() + 2).sum::<usize>();
    while facts.len() > 1 && space(&facts) > width {
        let long = (0..facts.len()).filter(|i| !facts[*i].short.is_empty());
        if let Some(least) = long.min_by_key(|i| facts[*i].rank) {
            facts[least].text = std::mem::take(&mut facts[least].short);
            continue;
        }
        let Some(least) = (0..facts.len()).min_by_key(|i| facts[*i].rank) else { break };
        facts.remove(least);
    }
    let right: usize = facts.iter().filter(|f| f.right).map(|f| f.text.width() + 2).sum();
    let mut pen = Pen::new(buffer, app.theme(), area, 0);
    pen.skip(1);
    for fact in facts.iter().filter(|f| !f.right) {
        pen.text(&fact.text, fact.role).skip(2);
    }
    let gap = pen.room().saturating_sub(right.saturating_sub(1));
    pen.skip(gap);
    for fact in facts.iter().filter(|f| f.right) {
        pen.text(&fact.text, fact.role).skip(2);
    }
}

fn facts(app: &App) -> Vec<Fact> {
    let snapshot = &app.snapshot;
    let source = &snapshot.source;
    let ellipsis = app.glyphs().ellipsis();
    let mut facts = Vec::new();
    let mut add = |text: String, short: String, role, rank, right| facts.push(Fact { text, short, role, rank, right });
    let same = String::new;
    add("noctop".to_owned(), same(), Role::Focus, 60, false);
    let last = source.dir.file_name().map_or_else(same, |name| shortened(&name.to_string_lossy(), 16, ellipsis));
    add(shortened(&source.dir.display().to_string(), 32, ellipsis), last, Role::Text, 50, false);
    let (text, role, rank) = feed(app);
    add(text, same(), role, rank, false);
    add(format!("{} file{}", source.files, format::s(source.files as u64)), same(), Role::Text, 20, false);
    if source.rows_per_second > 0.0 {
        let rate = format::units(source.rows_per_second);
        add(format!("{rate} rows/s"), format!("{rate}/s"), Role::Text, 40, false);
    }
    if let Some(age) = app.row_age().filter(|_| app.shows_row_age()) {
        add(format!("lag {}", format::age(age)), same(), Role::Text, 45, false);
    }
    let unwell = source.refused + source.noticed;
    if unwell > 0 {
        let text = match source.refused {
            0 => format!("! {unwell} notice{}", format::s(unwell)),
            n => format!("! {} refused", format::count(n)),
        };
        add(text, format!("! {}", format::count(unwell)), Role::Warning, 55, false);
    }
    let model = &snapshot.model.name;
    let short = if model.width() > MODEL { format!("model {}", in_short(model, app.options.ascii)) } else { same() };
    add(format!("model {model}"), short, Role::Text, 57, true);
    if !snapshot.interfaces.is_empty() {
        let (interfaces, devices) = (snapshot.interfaces.len(), snapshot.devices.len());
        let ends = [format::s(interfaces as u64), format::s(devices as u64)];
        let dot = app.glyphs().dot();
        let text = format!("{interfaces} interface{} {dot} {devices} device{}", ends[0], ends[1]);
        add(text, same(), Role::Text, 30, true);
    }
    if let Some(now) = snapshot.now {
        let (shown, zone) = (app.options.zone.shown(now), app.options.zone.name(now));
        let (long, short) = (format!("{} {zone}", format::minute(shown)), format!("{} {zone}", format::clock(shown)));
        if snapshot.looks_back {
            let mark = app.glyphs().back();
            add(format!("{mark} looking back: {long}"), format!("{mark} looking back {short}"), Role::Back, 95, true);
        } else {
            add(long, short, Role::Strong, 52, true);
        }
    }
    facts
}

/// A model's long name: without the time of day up to which it was trained, and what is too long still is cut.
fn in_short(model: &str, ascii: bool) -> String {
    let is_clock = |end: &str| end.len() == 5 && end.as_bytes()[2] == b':';
    let day = model.rsplit_once(' ').filter(|(_, end)| is_clock(end)).map_or(model, |(day, _)| day);
    fit(day, MODEL, ascii).trim_end().to_owned()
}

/// How the feed is, in a word, and how much that matters.
fn feed(app: &App) -> (String, Role, u8) {
    let glyphs = app.glyphs();
    let source = &app.snapshot.source;
    if app.engine_ended {
        return (format!("{} engine ended", glyphs.stopped()), Role::Alarm, 90);
    }
    if let Some(why) = &source.failure {
        return (format!("{} stopped: {why}", glyphs.stopped()), Role::Alarm, 90);
    }
    if source.unlisted {
        return (format!("{} directory unreadable", glyphs.stopped()), Role::Alarm, 88);
    }
    if let Some(progress) = source.loading {
        let share = if progress.total > 0 { progress.read as f64 / progress.total as f64 } else { 0.0 };
        return (format!("{} reading {:.0} %", glyphs.waiting(), share.clamp(0.0, 1.0) * 100.0), Role::Strong, 80);
    }
    let (Some(age), Some(at)) = (app.row_age(), source.last_row_at) else {
        return (format!("{} waiting for rows", glyphs.waiting()), Role::Text, 80);
    };
    if let Some(now) = app.snapshot.newest.filter(|_| app.is_past()) {
        let at = format::minute(app.options.zone.shown(now));
        return (format!("{} data ends {at}", glyphs.stopped()), Role::Warning, 85);
    }
    if app.snapshot.now.is_some() && age > patience(app) {
        let at = app.wall(at);
        let (clock, zone) = (format::clock(app.options.zone.shown(at)), app.options.zone.name(at));
        return (format!("{} no rows since {clock} {zone}", glyphs.stopped()), Role::Warning, 85);
    }
    match source.mode {
        WatchMode::Events => (format!("{} live", glyphs.running()), Role::Good, 58),
        WatchMode::Polling => (format!("{} polling", glyphs.running()), Role::Good, 58),
    }
}

/// How long a feed may be quiet: three slots, and at least half a minute.
fn patience(app: &App) -> Duration {
    let step = app.fleet.shortest_step.map_or(0, |s| s.seconds().unsigned_abs());
    Duration::from_secs((3 * step).max(30))
}

/// The end of a long path.
fn shortened(path: &str, width: usize, ellipsis: &str) -> String {
    if path.width() <= width {
        return path.to_owned();
    }
    format!("{ellipsis}{}", end_of(path, width - ellipsis.width()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retrained_models_name_is_short_and_whole() {
        let short = |name: &str| in_short(name, false);
        assert_eq!(short("trained to 2026-02-08 23:00"), "trained to 2026-02-08");
        assert_eq!(short("default + core-1 xe-0/0/1 to 2026-02-08 23:00"), "default + core-1 xe-…");
        assert_eq!(short("a name of many words :"), "a name of many words…");
    }
}
