//! The list of incidents: what DBSCAN says of each, when, where, what, how rare. A story is one line.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::pen::Pen;
use super::title;
use crate::console::anomalies::{Line, Listed, Summary};
use crate::console::app::App;
use crate::console::keymap::Context;
use crate::console::layout;
use crate::console::theme::Role;
use crate::engine::IncidentKind;
use crate::format::{self, fit};
use crate::series::printable;

/// Widths of the columns; 0 where a column is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    when: usize,
    who: usize,
    what: usize,
    score: usize,
    lasted: usize,
    rarity: usize,
}

/// Cursor, ring, verdict, letter, fold mark and a blank.
const MARKS: usize = 6;
const WHEN: usize = 5;
const SCORE: usize = 4;
const LASTED: usize = 4;

impl Columns {
    fn new(width: usize) -> Self {
        let tries = [
            (WHEN, 40, 24, 10, LASTED, 32),
            (WHEN, 30, 22, 10, LASTED, 26),
            (WHEN, 21, 19, SCORE, LASTED, 16),
            (WHEN, 24, 18, SCORE, LASTED, 0),
            (WHEN, 18, 15, SCORE, 0, 0),
            (WHEN, 15, 12, 0, 0, 0),
            (0, 15, 12, 0, 0, 0),
            (0, 9, 5, 0, 0, 0),
        ];
        for (when, who, what, score, lasted, rarity) in tries {
            let mut columns = Self { when, who, what, score, lasted, rarity };
            let used = columns.used();
            if used <= width {
                // spare room goes to the names, up to what they may need, then to the words at the end
                let spare = width - used;
                let more = spare.min(44_usize.saturating_sub(columns.who)) / 2;
                columns.who += more;
                if columns.rarity > 0 {
                    columns.rarity += spare - more;
                } else {
                    columns.what += spare - more;
                }
                return columns;
            }
        }
        Self { when: 0, who: width.saturating_sub(MARKS), what: 0, score: 0, lasted: 0, rarity: 0 }
    }

    fn used(&self) -> usize {
        let all = [self.when, self.who, self.what, self.score, self.lasted, self.rarity];
        MARKS + all.iter().filter(|w| **w > 0).map(|w| w + 1).sum::<usize>() - 1
    }
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let focused = app.focus == Context::Incidents;
    if layout::title(area) > 0 {
        title(app, area, buffer, "Anomalies", focused, &facts(app));
    }
    let head = layout::title(area);
    let body = Rect { y: area.y + head, height: area.height - head, ..area };
    let list = &app.anomalies;
    if list.lines().is_empty() {
        let text = match list.listed() {
            Listed::All => "      nothing unusual",
            Listed::Open => "      nothing is open",
            Listed::Closed => "      nothing is closed yet",
        };
        Pen::new(buffer, app.theme(), body, 0).text(text, Role::Faint);
        return;
    }
    let columns = Columns::new(usize::from(body.width));
    let visible = list.lines().iter().enumerate().skip(list.scroll.offset);
    for ((row, line), y) in visible.zip(0..body.height) {
        let Some(summary) = list.summary(line, &app.snapshot) else { continue };
        let chosen = list.cursor() == Some(row);
        let mut pen = Pen::new(buffer, app.theme(), body, y);
        if chosen && focused && app.overlay.is_none() {
            pen.whole(Role::Selected);
        }
        incident(app, line, &summary, chosen && focused, &columns, &mut pen);
    }
}

fn facts(app: &App) -> Vec<(String, Role)> {
    let counts = app.anomalies.counts();
    let mut facts = Vec::new();
    match app.anomalies.listed() {
        Listed::All => {}
        Listed::Open => facts.push(("open ones only".to_owned(), Role::Strong)),
        Listed::Closed => facts.push(("closed ones only".to_owned(), Role::Strong)),
    }
    let open = if counts.open > 0 { Role::Alarm } else { Role::Faint };
    facts.push((format!("{} open", counts.open), open));
    if counts.ringing > 0 {
        facts.push((format!("{} ringing", counts.ringing), Role::Alarm));
    }
    if counts.acknowledged > 0 {
        facts.push((format!("{} acknowledged", counts.acknowledged), Role::Faint));
    }
    let unlisted = app.snapshot.incidents_total.saturating_sub(app.snapshot.incidents.len());
    if counts.closed + unlisted > 0 {
        facts.push((format!("{} closed", counts.closed + unlisted), Role::Faint));
    }
    facts
}

fn incident(app: &App, line: &Line, summary: &Summary<'_>, chosen: bool, columns: &Columns, pen: &mut Pen<'_>) {
    let ascii = app.options.ascii;
    let worst = summary.worst;
    let open = summary.end.is_none();
    let quiet = summary.acknowledged || !open;
    let text = match (quiet, chosen) {
        (_, true) => Role::Strong,
        (true, false) => Role::Faint,
        (false, false) => Role::Text,
    };
    let glyphs = app.glyphs();
    let (mark, role) = glyphs.verdict(summary.verdict);
    let role = if quiet { Role::Faint } else { role };
    pen.text(if chosen { ">" } else { " " }, if chosen { Role::Strong } else { Role::Text });
    pen.text(if summary.rings { glyphs.rings() } else { " " }, Role::Alarm);
    match line {
        Line::Single(_) => {
            pen.text(mark, role).text("   ", text);
        }
        Line::Story { id, unfolded, .. } => {
            let letter = app.anomalies.letter(*id).to_string();
            pen.text(mark, role).text(&letter, role).text(if *unfolded { "- " } else { "+ " }, text);
        }
        Line::Member { last, .. } => {
            pen.text(" ", text).text(mark, role).text(glyphs.branch(*last), Role::Faint).text(" ", text);
        }
    }
    if columns.when > 0 {
        pen.text(&fit(&app.when(summary.start), columns.when, ascii), text).skip(1);
    }
    let (who, what) = match &summary.down {
        Some(host) => {
            let all = format!("all {} interfaces down", summary.others + 1);
            // that it is down stands before it already
            let all = if all.width() > columns.what { all.replace(" down", "") } else { all };
            (fit(&format!("{host} down"), columns.who, ascii), all)
        }
        None => (who(summary, columns.who, ascii), format::what_within(worst, columns.what, ascii)),
    };
    pen.text(&who, if quiet || chosen { text } else { Role::Strong }).skip(1);
    if columns.what > 0 {
        pen.text(&fit(&what, columns.what, ascii), text).skip(1);
    }
    // silence has no rows, and so no score
    let score = match worst.kind {
        IncidentKind::Silence => glyphs.none().to_owned(),
        _ => format!("{:.1}", worst.peak),
    };
    match columns.score {
        0 => {}
        SCORE => {
            pen.text(&format!("{score:>SCORE$}"), text).skip(1);
        }
        width => {
            pen.text(&fit(&format!("score {score}"), width, ascii), text).skip(1);
        }
    }
    if columns.lasted > 0 {
        let end = summary.end.unwrap_or_else(|| app.snapshot.now.unwrap_or(summary.latest).max(summary.latest));
        // one slot has no length of its own
        let lasted = match end.since(summary.start) {
            0 => "slot".to_owned(),
            seconds => format::short_span(seconds),
        };
        pen.text(&format!("{lasted:>LASTED$}"), text).skip(1);
    }
    if columns.rarity > 0 {
        pen.text(&fit(&remark(app, summary, columns.rarity, ascii), columns.rarity, ascii), text);
    }
}

/// Whose it is, with how many others; the number of others is never cut off.
fn who(summary: &Summary<'_>, width: usize, ascii: bool) -> String {
    let name = printable(&summary.worst.name.to_string()).into_owned();
    if summary.others == 0 {
        return fit(&name, width, ascii);
    }
    let more =
        if name.width() + 12 <= width { format!(" +{} more", summary.others) } else { format!(" +{}", summary.others) };
    let room = width.saturating_sub(more.len());
    fit(&format!("{}{more}", fit(&name, room.min(name.width()), ascii)), width, ascii)
}

/// What there is to say at the end of a line: how it stands, and how rare it is.
fn remark(app: &App, summary: &Summary<'_>, width: usize, ascii: bool) -> String {
    let worst = summary.worst;
    let step = app.fleet.interface(&app.snapshot, worst.interface).and_then(|i| i.step);
    let mut words = Vec::new();
    if worst.retired {
        words.push("retired".to_owned());
    } else if let Some(until) = worst.muted {
        words.push(format!("muted to {}", app.until(until)));
    } else if summary.acknowledged {
        words.push("acknowledged".to_owned());
    }
    if !worst.notes.is_empty() {
        words.push("noted".to_owned());
    }
    if let Some(end) = summary.end {
        let state = if worst.taken_over { "taken over" } else { "closed" };
        words.push(format!("{state} {}", app.when(end)));
    }
    words.extend(format::how_rare(worst, summary.verdict, step));
    let dot = app.glyphs().dot();
    let mut out = String::new();
    for word in words {
        let longer = if out.is_empty() { word } else { format!("{out} {dot} {word}") };
        // one whole remark rather than two cut ones
        if longer.width() > width && !out.is_empty() {
            break;
        }
        out = longer;
    }
    if ascii { out.replace('×', "x") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_at_every_width() {
        for width in 1..300 {
            let c = Columns::new(width);
            assert!(c.used() <= width.max(MARKS), "{width}: {c:?}");
        }
        let c = Columns::new(80);
        assert!(c.rarity >= 15 && c.lasted > 0 && c.score > 0, "{c:?}");
    }
}
