//! The line at the bottom: the keys of the pane that has them, or the filter while it is typed.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use super::pen::Pen;
use crate::console::app::{App, MUTED_FOR, Typing};
use crate::console::key::Key;
use crate::console::keymap::{self, Action};
use crate::console::theme::Role;
use crate::engine::TrainingView;
use crate::format::{end_of, fit};

const READ_ONLY: &str = "read-only";

/// What is asked before an interface is retired, and columns for the answer and how it is to be.
const GONE: &str = " is gone for good? ";
const ANSWER: usize = 16;

/// What is typed, and the caret. Of a long text the end is seen.
fn typed(app: &App, text: &str, pen: &mut Pen<'_>) {
    let seen = end_of(text, pen.room().saturating_sub(2));
    pen.text(seen, Role::Strong).text(app.glyphs().caret(), Role::Strong);
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let mut pen = Pen::new(buffer, app.theme(), area, 0);
    pen.skip(1);
    match &app.typing {
        Some(Typing::Filter) => {
            pen.text("filter /", Role::Focus);
            typed(app, app.fleet.filter.text(), &mut pen);
            pen.all_or_none(&[("   enter keeps, esc clears", Role::Faint)]);
            pen.all_or_none(&[("   host: if: desc: state:", Role::Faint)]);
            return;
        }
        Some(typing) => {
            let usual = format!("   30m, 2d, 1w; nothing is {MUTED_FOR}");
            let (ask, text, hints) = match typing {
                Typing::Filter => return,
                Typing::Export(name) => (
                    "write to file ".to_owned(),
                    name,
                    ["   enter writes, esc does not", "   .json for JSON, else CSV"],
                ),
                Typing::Note(_, text) => ("note ".to_owned(), text, ["   enter keeps it, esc does not", ""]),
                Typing::Mute(_, time) => ("mute for ".to_owned(), time, [&usual, "   enter mutes, esc does not"]),
                Typing::Retire(name, answer) => {
                    // whatever it is called, the question and the answer are seen
                    let room = pen.room().saturating_sub(GONE.len() + ANSWER);
                    let name = fit(&name.to_string(), room, app.options.ascii);
                    (format!("{}{GONE}", name.trim_end()), answer, ["   type yes", "   esc does nothing"])
                }
            };
            pen.text(&ask, Role::Focus);
            typed(app, text, &mut pen);
            hints.iter().for_each(|hint| {
                pen.all_or_none(&[(hint, Role::Faint)]);
            });
            return;
        }
        None => {}
    }
    let keymap = &app.options.keys;
    let label = |actions: &[Action]| -> Option<(String, &'static str)> {
        let there =
            |action: &Action| keymap.bindings(app.context(), app.options.read_only).find(|(b, _)| b.action == *action);
        let lines: Vec<_> = actions.iter().filter_map(there).collect();
        let keys: Vec<String> = lines.iter().filter_map(|(_, keys)| keys.first().map(Key::to_string)).collect();
        Some((keys.join("/"), lines.first()?.0.short))
    };
    // a run is there to be cancelled, or it can be started
    let running = matches!(app.snapshot.training, TrainingView::Running(_));
    let does_something = |actions: &&&[Action]| match **actions {
        [Action::CancelTraining] => running,
        [Action::Start] | [Action::ChangeBack, _] => !running,
        _ => true,
    };
    let hints = keymap::hints(app.context(), app.detail).iter().filter(does_something);
    let mut labels: Vec<_> = hints.filter_map(|actions| label(actions)).collect();
    let last = [Action::Help, Action::Quit].into_iter().filter_map(|action| label(&[action]));
    let kept = labels.len();
    labels.extend(last);
    let width = |labels: &[(String, &str)]| labels.iter().map(|(k, l)| k.width() + l.width() + 3).sum::<usize>();
    let room = pen.room().saturating_sub(if app.options.read_only { READ_ONLY.len() + 1 } else { 0 });
    // the last two, help and quit, stay longest
    for least in (0..kept).rev() {
        if width(&labels) > room + 2 {
            labels.remove(least);
        }
    }
    while labels.len() > 1 && width(&labels) > room + 2 {
        labels.remove(0);
    }
    for (key, label) in &labels {
        pen.text(key, Role::Accent).text(" ", Role::Text).text(label, Role::Faint).skip(2);
    }
    if app.options.read_only {
        pen.all_or_none(&[(READ_ONLY, Role::Warning)]);
    }
}
