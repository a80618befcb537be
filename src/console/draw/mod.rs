//! The screen, one file per pane. Drawing reads the state and writes cells; it changes nothing.

pub mod detail;
pub mod files;
pub mod footer;
pub mod header;
pub mod help;
pub mod incidents;
pub mod interfaces;
pub mod notices;
pub mod pen;
pub mod plot;
pub mod portrait;
pub mod retrain;
pub mod story;
pub mod training;
mod wrap;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::app::{App, Overlay};
use super::glyph::Glyphs;
use super::keymap::Action;
use super::theme::Role;
use pen::Pen;
use wrap::{Line, wrapped};

/// Draws everything.
pub fn draw(app: &App, buffer: &mut Buffer) {
    let area = app.area().intersection(buffer.area);
    buffer.reset();
    buffer.set_style(area, Style::new());
    let panes = app.panes();
    if !panes.header.is_empty() {
        header::draw(app, panes.header, buffer);
    }
    if !panes.list.is_empty() {
        interfaces::draw(app, panes.list, buffer);
    }
    if !panes.list.is_empty() && !panes.detail.is_empty() {
        wall(app, panes.list, buffer);
    }
    if !panes.detail.is_empty() {
        detail::draw(app, panes.detail, buffer);
    }
    if !panes.incidents.is_empty() {
        incidents::draw(app, panes.incidents, buffer);
    }
    if !panes.status.is_empty() {
        training::draw(app, panes.status, buffer);
    }
    if !panes.footer.is_empty() {
        footer::draw(app, panes.footer, buffer);
    }
    if let Some(which) = app.overlay {
        let (name, lines) = content(app, which);
        overlay(app, area, buffer, name, &lines, app.overlay_offset);
    }
}

/// An overlay's name and lines, no wider than the screen where they are text.
fn content(app: &App, which: Overlay) -> (&'static str, Vec<Line>) {
    let room = usize::from(app.area().width.saturating_sub(BORDERS));
    match which {
        Overlay::Help => ("Help", wrapped(help::lines(app), room.min(READABLE))),
        Overlay::Notices => ("Refused rows and notices", wrapped(notices::lines(app), room)),
        Overlay::Figures => ("Figures", portrait::lines_of_choice(app)),
        Overlay::Retrain => ("A new model", wrapped(retrain::lines(app), room)),
    }
}

/// Lines of an overlay that are seen at once, of `all`.
fn seen(all: usize, area: Rect) -> usize {
    all.min(usize::from(area.height.saturating_sub(2)).max(1))
}

/// The farthest that what lies over the panes can be scrolled: its last line is the last one seen.
pub fn last_offset(app: &App) -> usize {
    let lines = app.overlay.map_or(0, |which| content(app, which).1.len());
    lines - seen(lines, app.area())
}

/// The line between list and detail.
fn wall(app: &App, list: Rect, buffer: &mut Buffer) {
    let glyphs = app.glyphs();
    let column = Rect::new(list.x + list.width, list.y, 1, list.height);
    for line in 0..list.height {
        Pen::new(buffer, app.theme(), column, line).text(glyphs.wall(), Role::Rule);
    }
}

/// A pane's title in a line of its own; the pane that has the keys has its name in brackets.
fn title(app: &App, area: Rect, buffer: &mut Buffer, name: &str, focused: bool, facts: &[(String, Role)]) {
    let rule = app.glyphs().rule();
    let mut pen = Pen::new(buffer, app.theme(), area, 0);
    pen.text(rule, Role::Rule);
    if focused {
        pen.text("[", Role::Focus).text(name, Role::Focus).text("]", Role::Focus);
    } else {
        pen.text(" ", Role::Rule).text(name, Role::Title).text(" ", Role::Rule);
    }
    for (fact, role) in facts {
        pen.all_or_none(&[(rule, Role::Rule), (" ", Role::Rule), (fact, *role), (" ", Role::Rule)]);
    }
    pen.fill(rule, Role::Rule);
}

/// Columns of a line of prose that is still easy to read.
const READABLE: usize = 96;

/// Columns of an overlay's frame, with the space beside its walls.
const BORDERS: u16 = 4;

/// An overlay's text in a frame over the middle of the screen. `offset` is the first line wanted.
fn overlay(app: &App, area: Rect, buffer: &mut Buffer, name: &str, lines: &[Line], offset: usize) {
    use unicode_width::UnicodeWidthStr;
    let text = lines.iter().map(|l| l.iter().map(|(t, _)| t.width()).sum::<usize>()).max().unwrap_or(0);
    let width = u16::try_from(text).unwrap_or(u16::MAX).saturating_add(BORDERS).max(30).min(area.width);
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX).min(area.height);
    let frame = Rect::new(area.x + (area.width - width) / 2, area.y + (area.height - height) / 2, width, height);
    for y in frame.top()..frame.bottom() {
        for x in frame.left()..frame.right() {
            buffer[(x, y)].reset();
        }
        // a wide character that begins before the frame would cover its wall
        if let Some(x) = frame.left().checked_sub(1).filter(|x| *x >= area.left())
            && buffer[(x, y)].symbol().width() > 1
        {
            buffer[(x, y)].set_symbol(" ");
        }
    }
    if frame.height < 3 || frame.width < 5 {
        for (line, y) in lines.iter().skip(offset.min(lines.len().saturating_sub(1))).zip(0..frame.height) {
            let mut pen = Pen::new(buffer, app.theme(), frame, y);
            line.iter().for_each(|(text, role)| {
                pen.text(text, *role);
            });
        }
        return;
    }
    let visible = seen(lines.len(), area);
    let offset = offset.min(lines.len() - visible);
    let more = lines.len() > visible;
    let place = format!("{}-{} of {}", offset + 1, (offset + visible).min(lines.len()), lines.len());
    let mut facts = vec![(format!("{} closes", app.options.keys.key_of(Action::Close)), Role::Accent)];
    if more {
        facts.push((place, Role::Faint));
    }
    title(app, frame, buffer, name, true, &facts);
    for (line, y) in lines.iter().skip(offset).zip(1..=frame.height - 2) {
        let inside = Rect { x: frame.x + 2, width: frame.width - 3, ..frame };
        let mut pen = Pen::new(buffer, app.theme(), inside, y);
        for (text, role) in line {
            pen.text(text, *role);
        }
    }
    let glyphs: Glyphs = app.glyphs();
    for y in 1..frame.height - 1 {
        Pen::new(buffer, app.theme(), frame, y).text(glyphs.wall(), Role::Rule);
        let right = Rect { x: frame.right() - 1, width: 1, ..frame };
        Pen::new(buffer, app.theme(), right, y).text(glyphs.wall(), Role::Rule);
    }
    Pen::new(buffer, app.theme(), frame, frame.height - 1).fill(glyphs.rule(), Role::Rule);
}
