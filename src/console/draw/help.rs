//! All keys, from the key table, and what the marks mean.

use super::wrap::Line;
use crate::console::app::App;
use crate::console::key::Key;
use crate::console::keymap::Context;
use crate::console::theme::Role;
use crate::engine::{Direction, InterfaceState, Verdict};

pub(super) fn lines(app: &App) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for (binding, keys) in app.options.keys.lines(app.options.read_only) {
        if binding.contexts == [Context::Overlay] {
            continue;
        }
        let keys: Vec<String> = keys.iter().map(Key::to_string).collect();
        lines.push(vec![(format!("{:<17}", keys.join(" ")), Role::Accent), (binding.long.to_owned(), Role::Text)]);
    }
    let glyphs = app.glyphs();
    lines.push(Vec::new());
    lines.push(vec![("Interfaces".to_owned(), Role::Title)]);
    let states = [
        (InterfaceState::Anomalous, Some(Direction::Up), "anomalous: more than usual"),
        (InterfaceState::Anomalous, Some(Direction::Down), "anomalous: less than usual"),
        (InterfaceState::Anomalous, None, "anomalous, but neither way, as a flatline; or a device"),
        (InterfaceState::Acknowledged, None, "anomalous, acknowledged"),
        (InterfaceState::Silent, None, "silent: no rows while others have some"),
        (InterfaceState::Warming, None, "warming up: too few rows to judge it"),
        (InterfaceState::TakenOver, None, "as usual at a new level, which was taken over within the last week"),
        (InterfaceState::Flat, None, "flat by nature: as usual, and that is one and the same value"),
        (InterfaceState::Nominal, None, "nominal: as usual"),
    ];
    for (state, direction, text) in states {
        let (mark, role) = glyphs.state(state, direction);
        lines.push(vec![(format!("{mark:<3}"), role), (text.to_owned(), Role::Text)]);
    }
    lines.push(vec![("Anomalies".to_owned(), Role::Title)]);
    let verdicts = [
        (Verdict::Noise, "noise: like nothing before on this interface"),
        (Verdict::Recurring, "recurring: in a small cluster that was seen before"),
        (Verdict::Nominal, "in the dense region of usual errors"),
        (Verdict::Warming, "too few rows to say"),
    ];
    for (verdict, text) in verdicts {
        let (mark, role) = glyphs.verdict(verdict);
        lines.push(vec![(format!("{mark:<3}"), role), (text.to_owned(), Role::Text)]);
    }
    let ring = (format!("{:<3}", glyphs.rings()), Role::Alarm);
    lines.push(vec![ring, ("rings: one of the few a day that call somebody".to_owned(), Role::Text)]);
    let letter = ("A+ ".to_owned(), Role::Strong);
    lines.push(vec![letter, ("a story: incidents that DBSCAN puts together".to_owned(), Role::Text)]);
    lines.push(vec![("Numbers".to_owned(), Role::Title)]);
    let numbers = [
        ("error", "what came minus what was expected, in units of the interface's own spread"),
        ("score", "3: once in 1,000 rows of this interface; 6: once in 1,000,000"),
    ];
    for (name, text) in numbers {
        lines.push(vec![(format!("{name:<7}"), Role::Strong), (text.to_owned(), Role::Text)]);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::keymap::BINDINGS;
    use crate::console::tests::app;

    #[test]
    fn every_binding_is_told_and_a_read_only_console_leaves_some_out() {
        let mut app = app(80, 24);
        let text = |app: &App| lines(app).into_iter().flatten().map(|(t, _)| t).collect::<String>();
        for binding in BINDINGS.iter().filter(|b| b.contexts != [Context::Overlay]) {
            assert!(text(&app).contains(binding.long), "{:?}", binding.action);
        }
        app.options.read_only = true;
        assert!(!text(&app).contains("acknowledge an anomaly or"));
    }
}
