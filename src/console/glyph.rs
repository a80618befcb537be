//! The characters that carry meaning, in Unicode and in plain ASCII.

use super::theme::Role;
use crate::engine::{InterfaceState, Verdict};

/// One set of characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glyphs {
    /// Whether they are all ASCII.
    pub ascii: bool,
}

impl Glyphs {
    fn pick(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.ascii { ascii } else { unicode }
    }

    /// A horizontal line.
    pub fn rule(self) -> &'static str {
        self.pick("─", "-")
    }

    /// A vertical line.
    pub fn wall(self) -> &'static str {
        self.pick("│", "|")
    }

    /// The corner of a chart's axes.
    pub fn corner(self) -> &'static str {
        self.pick("└", "+")
    }

    /// A mark on an axis.
    pub fn tick(self) -> &'static str {
        self.pick("┤", "+")
    }

    /// Between two facts.
    pub fn dot(self) -> &'static str {
        self.pick("·", "-")
    }

    /// Largest first, or smallest first.
    pub fn order(self, reversed: bool) -> &'static str {
        if reversed { self.pick("▲", "^") } else { self.pick("▼", "v") }
    }

    /// Where no value is.
    pub fn none(self) -> &'static str {
        self.pick("—", "-")
    }

    /// Something still goes on.
    pub fn ellipsis(self) -> &'static str {
        self.pick("…", "...")
    }

    /// Rows are coming.
    pub fn running(self) -> &'static str {
        self.pick("●", "*")
    }

    /// Waiting, or reading.
    pub fn waiting(self) -> &'static str {
        self.pick("◌", "~")
    }

    /// Nothing comes any more.
    pub fn stopped(self) -> &'static str {
        self.pick("■", "#")
    }

    /// The place of a text cursor.
    pub fn caret(self) -> &'static str {
        self.pick("▏", "_")
    }

    /// What stands for a state, and how it looks. Each state has a shape of its own.
    pub fn state(self, state: InterfaceState, error: f32) -> (&'static str, Role) {
        match state {
            InterfaceState::Anomalous if error >= 1.0 => (self.pick("▲", "^"), Role::Alarm),
            InterfaceState::Anomalous if error <= -1.0 => (self.pick("▼", "v"), Role::Alarm),
            InterfaceState::Anomalous => (self.pick("◆", "*"), Role::Alarm),
            InterfaceState::Acknowledged => (self.pick("✓", "a"), Role::Known),
            InterfaceState::Silent => ("!", Role::Silent),
            InterfaceState::Warming => (self.pick("◌", "~"), Role::Faint),
            InterfaceState::TakenOver => (self.pick("≡", "="), Role::Text),
            InterfaceState::Nominal => (" ", Role::Text),
            InterfaceState::Flat => (self.pick("–", "-"), Role::Faint),
        }
    }

    /// What stands for DBSCAN's verdict.
    pub fn verdict(self, verdict: Verdict) -> (&'static str, Role) {
        match verdict {
            Verdict::Noise => (self.pick("●", "*"), Role::Alarm),
            Verdict::Recurring => (self.pick("○", "o"), Role::Warning),
            Verdict::Nominal => (self.pick("·", "."), Role::Text),
            Verdict::Warming => (self.pick("◌", "~"), Role::Text),
        }
    }

    /// What calls somebody.
    pub fn rings(self) -> &'static str {
        self.pick("»", "!")
    }

    /// Before an incident of an unfolded story.
    pub fn branch(self, last: bool) -> &'static str {
        if last { self.pick("└", "`") } else { self.pick("├", "|") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use unicode_width::UnicodeWidthStr;

    #[test]
    fn every_state_and_every_verdict_has_a_shape_of_its_own() {
        for ascii in [false, true] {
            let g = Glyphs { ascii };
            let states = [
                g.state(InterfaceState::Anomalous, 5.0),
                g.state(InterfaceState::Anomalous, -5.0),
                g.state(InterfaceState::Anomalous, 0.0),
                g.state(InterfaceState::Acknowledged, 0.0),
                g.state(InterfaceState::Silent, 0.0),
                g.state(InterfaceState::Warming, 0.0),
                g.state(InterfaceState::TakenOver, 0.0),
                g.state(InterfaceState::Nominal, 0.0),
                g.state(InterfaceState::Flat, 0.0),
            ];
            let verdicts =
                [Verdict::Noise, Verdict::Recurring, Verdict::Nominal, Verdict::Warming].map(|v| g.verdict(v));
            for set in [&states[..], &verdicts[..]] {
                let shapes: HashSet<_> = set.iter().map(|(shape, _)| *shape).collect();
                assert_eq!(shapes.len(), set.len());
                assert!(shapes.iter().all(|s| s.width() == 1 && (!ascii || s.is_ascii())));
            }
        }
    }
}
