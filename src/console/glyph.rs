//! The characters that carry meaning, in Unicode and in plain ASCII.

use super::theme::Role;
use crate::engine::{Direction, InterfaceState, NO_HEAT, Verdict};

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

    /// An earlier moment is shown.
    pub fn back(self) -> &'static str {
        self.pick("◀", "<")
    }

    /// The place of a text cursor.
    pub fn caret(self) -> &'static str {
        self.pick("▏", "_")
    }

    /// What stands for a state, and how it looks. Each state has a shape of its own.
    pub fn state(self, state: InterfaceState, direction: Option<Direction>) -> (&'static str, Role) {
        match state {
            InterfaceState::Anomalous => match direction {
                Some(Direction::Up) => (self.pick("▲", "^"), Role::Alarm),
                Some(Direction::Down) => (self.pick("▼", "v"), Role::Alarm),
                None => (self.pick("◆", "*"), Role::Alarm),
            },
            InterfaceState::Acknowledged => (self.pick("✓", "a"), Role::Known),
            InterfaceState::Silent => ("!", Role::Silent),
            InterfaceState::Warming => (self.pick("◌", "~"), Role::Faint),
            InterfaceState::TakenOver => (self.pick("≡", "="), Role::Text),
            InterfaceState::Nominal => (" ", Role::Text),
            InterfaceState::Flat => (self.pick("–", "-"), Role::Faint),
        }
    }

    /// What stands for how rare a slot was, in tenths of a score: the fuller, the rarer; full from half as
    /// rare again as an anomaly has to be. Nothing where there was no sample.
    pub fn heat(self, tenths: u8, threshold: f64) -> (char, Role) {
        if tenths == NO_HEAT {
            return (' ', Role::Text);
        }
        let share = f64::from(tenths) / 10.0 / threshold.max(0.1);
        let steps = [0.5, 0.75, 1.0, 1.5];
        let level = steps.iter().filter(|step| share >= **step).count();
        let symbol = if self.ascii { ['.', '-', '+', 'x', '#'] } else { ['·', '░', '▒', '▓', '█'] };
        let role = [Role::Faint, Role::Faint, Role::Warning, Role::Alarm, Role::Alarm];
        (symbol[level], role[level])
    }

    /// Before a device: its interfaces follow, or could.
    pub fn fold(self, unfolded: bool) -> &'static str {
        if unfolded { "-" } else { "+" }
    }

    /// Before a pinned interface.
    pub fn pin(self) -> &'static str {
        self.pick("•", "*")
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
                g.state(InterfaceState::Anomalous, Some(Direction::Up)),
                g.state(InterfaceState::Anomalous, Some(Direction::Down)),
                g.state(InterfaceState::Anomalous, None),
                g.state(InterfaceState::Acknowledged, None),
                g.state(InterfaceState::Silent, None),
                g.state(InterfaceState::Warming, None),
                g.state(InterfaceState::TakenOver, None),
                g.state(InterfaceState::Nominal, None),
                g.state(InterfaceState::Flat, None),
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

    #[test]
    fn heat_grows_to_full_and_no_sample_is_nothing() {
        for ascii in [false, true] {
            let shapes: Vec<char> = [0, 15, 25, 30, 60].map(|t| Glyphs { ascii }.heat(t, 3.0).0).to_vec();
            assert_eq!(shapes.iter().collect::<HashSet<_>>().len(), 5);
            assert_eq!(Glyphs { ascii }.heat(NO_HEAT, 3.0).0, ' ');
        }
        assert_eq!(Glyphs { ascii: false }.heat(29, 3.0).1, Role::Warning, "below the threshold is no alarm");
        assert_eq!(Glyphs { ascii: false }.heat(30, 3.0).1, Role::Alarm);
    }
}
