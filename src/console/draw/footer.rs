//! The line at the bottom: the keys of the pane that has them, or the filter while it is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::pen::Pen;
use crate::console::app::App;
use crate::console::keymap;
use crate::console::theme::Role;

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let mut pen = Pen::new(buffer, app.theme(), area, 0);
    pen.skip(1);
    if app.typing {
        pen.text("filter /", Role::Focus)
            .text(app.fleet.filter.text(), Role::Strong)
            .text(app.glyphs().caret(), Role::Strong);
        pen.all_or_none(&[("   enter keeps, esc clears", Role::Faint)]);
        pen.all_or_none(&[("   host: if: state:", Role::Faint)]);
        return;
    }
    let mut labels: Vec<(String, &str)> = keymap::bindings(app.context(), app.options.read_only)
        .filter_map(|b| Some((b.keys.first()?.to_string(), b.short?)))
        .collect();
    let width = |labels: &[(String, &str)]| labels.iter().map(|(k, l)| k.width() + l.width() + 3).sum::<usize>();
    // the last two, help and quit, stay longest
    while labels.len() > 1 && width(&labels) > pen.room() + 2 {
        let least = if labels.len() > 2 { labels.len() - 3 } else { 0 };
        labels.remove(least);
    }
    for (key, label) in &labels {
        pen.text(key, Role::Accent).text(" ", Role::Text).text(label, Role::Faint).skip(2);
    }
    if app.options.read_only {
        pen.all_or_none(&[("read-only", Role::Warning)]);
    }
}
