//! A story: what its incidents share in one sentence, and its interfaces drawn together over one time.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::pen::Pen;
use crate::console::app::App;
use crate::console::layout::AXIS;
use crate::console::spark;
use crate::console::story::Story;
use crate::console::theme::Role;
use crate::engine::{CompanionView, DetailView, IncidentView};
use crate::format::{self, fit};

/// Columns of a member's name, and of what happened to it, where there is room for that.
const NAME: usize = 22;
const WHAT: usize = 28;
/// Columns from which what happened stands behind the line.
const WIDE: u16 = 90;

/// The sentence, in one line or two.
fn sentence(app: &App, story: &Story<'_>, width: u16) -> Vec<String> {
    let [what, when] = story.halves(app);
    if what.width() + when.width() + 2 <= usize::from(width) {
        vec![format!("{what} {when}")]
    } else {
        vec![what, when]
    }
}

/// Lines that a story would like to have: its sentence and one for each interface that is drawn.
pub(super) fn wanted(app: &App, story: &Story<'_>, detail: Option<&DetailView>, width: u16) -> usize {
    sentence(app, story, width).len()
        + if story.members.len() > 1 { detail.map_or(0, |d| d.companions.len()) } else { 0 }
}

pub(super) fn draw(app: &App, story: &Story<'_>, detail: Option<&DetailView>, area: Rect, buffer: &mut Buffer) {
    let quiet = story.end().is_some() || story.members.iter().all(|i| i.attended());
    let mut head = 0;
    for (line, text) in (0..area.height).zip(sentence(app, story, area.width)) {
        let role = if quiet { Role::Text } else { Role::Strong };
        let mut pen = Pen::new(buffer, app.theme(), area, line);
        pen.skip(1);
        let room = pen.room();
        pen.text(fit(&text, room, app.options.ascii).trim_end(), role);
        head = line + 1;
    }
    let (Some(detail), true) = (detail, story.members.len() > 1) else { return };
    let chosen = app.fleet.selected();
    for (line, beside) in (head..area.height).zip(&detail.companions) {
        let Some(member) = story.members.iter().find(|i| i.interface == beside.id) else { continue };
        let mut pen = Pen::new(buffer, app.theme(), area, line);
        member_line(app, member, beside, chosen == Some(beside.id), area.width, &mut pen);
    }
    let shown = detail.companions.len();
    if shown < story.size {
        let more = format!(" and {} more", story.size - shown);
        let line = head.saturating_add(u16::try_from(shown).unwrap_or(u16::MAX));
        Pen::new(buffer, app.theme(), area, line).text(&more, Role::Faint);
    }
}

fn member_line(app: &App, member: &IncidentView, beside: &CompanionView, chosen: bool, width: u16, pen: &mut Pen<'_>) {
    let ascii = app.options.ascii;
    let text = if chosen { Role::Strong } else { Role::Text };
    let open = member.end.is_none() && !member.attended();
    let (mark, role) = app.glyphs().verdict(member.verdict);
    pen.text(if chosen { ">" } else { " " }, text).text(mark, if open { role } else { Role::Faint }).skip(1);
    let wide = width >= WIDE;
    let name = if wide { NAME } else { usize::from(AXIS) + 10 };
    let whole = member.name.to_string();
    pen.text(&fit(&whole, name, ascii), text).skip(1);
    let room = pen.room().saturating_sub(if wide { WHAT + 6 } else { 5 });
    let load = stretched(&beside.load, room);
    let mut line = String::new();
    spark::spark(&load, ascii, &mut line);
    let mut cell = [0; 4];
    let parts = beside.anomaly.len().max(1);
    for (place, symbol) in line.chars().enumerate() {
        let anomaly = beside.anomaly.get(place * parts / room.max(1)).is_some_and(|a| *a);
        pen.text(symbol.encode_utf8(&mut cell), if anomaly { Role::Alarm } else { Role::Load });
    }
    pen.skip(1);
    if wide {
        pen.text(&fit(&format::what(member, ascii), WHAT, ascii), text).skip(1);
    }
    pen.text(&format!("{:>4.1}", member.peak), text);
}

/// `values` in `columns` parts: each value as often as it takes, or the largest of several.
fn stretched(values: &[f32], columns: usize) -> Vec<f32> {
    let len = values.len();
    if len == 0 {
        return Vec::new();
    }
    let part = |column: usize| {
        let from = column * len / columns;
        let to = ((column + 1) * len / columns).max(from + 1).min(len);
        values[from..to].iter().copied().fold(f32::NAN, f32::max)
    };
    (0..columns).map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_as_wide_as_there_is_room() {
        assert_eq!(stretched(&[1.0, 3.0, 2.0, 4.0], 2), [3.0, 4.0]);
        assert_eq!(stretched(&[1.0, 3.0], 4), [1.0, 1.0, 3.0, 3.0]);
        assert!(stretched(&[f32::NAN], 2).iter().all(|v| v.is_nan()));
        assert!(stretched(&[], 2).is_empty());
    }
}
