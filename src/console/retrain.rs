//! What the dialog for a new model asks: for whom, from how much history, and with which last layers.

use crate::engine::{Retraining, Scope, Whose};
use crate::series::{InterfaceName, WEEK};

/// Choices of history.
const HISTORIES: [(Option<i64>, &str); 6] = [
    (None, "all history"),
    (Some(26 * WEEK), "26 weeks"),
    (Some(13 * WEEK), "13 weeks"),
    (Some(4 * WEEK), "4 weeks"),
    (Some(2 * WEEK), "2 weeks"),
    (Some(WEEK), "1 week"),
];
/// Choices of last layers, where the model is one for all interfaces.
const SCOPES: [(Option<Scope>, &str); 4] = [
    (None, "as the present model"),
    (Some(Scope::Global), "one for all"),
    (Some(Scope::Device), "one for each device"),
    (Some(Scope::Interface), "one for each interface"),
];

/// A line of the dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Line {
    /// For whom.
    #[default]
    Whose,
    /// From how much history.
    History,
    /// Whose last layers.
    Layers,
}

/// For whom, before it is said of which interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum For {
    #[default]
    All,
    Device,
    Interface,
}

/// What is chosen, and which line has the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// The line that has the cursor.
    pub line: Line,
    whose: For,
    history: usize,
    layers: usize,
}

impl Choice {
    /// The lines with what is chosen in them; `interface` is the one that the console's cursor is on.
    pub fn lines(&self, interface: Option<&InterfaceName>) -> Vec<(Line, &'static str, String)> {
        let whose = match self.wanted(interface).whose {
            Whose::All => "all interfaces".to_owned(),
            Whose::Device(host) => format!("this device: {host}"),
            Whose::Interface(name) => format!("this interface: {name}"),
        };
        let mut lines = vec![
            (Line::Whose, "train for", whose),
            (Line::History, "learn from", HISTORIES[self.history].1.to_owned()),
        ];
        if self.whose == For::All {
            lines.push((Line::Layers, "last layer", SCOPES[self.layers].1.to_owned()));
        }
        lines
    }

    /// What to ask the engine for.
    pub fn wanted(&self, interface: Option<&InterfaceName>) -> Retraining {
        let whose = match (self.whose, interface) {
            (For::All, _) | (_, None) => Whose::All,
            (For::Device, Some(name)) => Whose::Device(name.host.clone()),
            (For::Interface, Some(name)) => Whose::Interface(name.clone()),
        };
        let scope = if whose == Whose::All { SCOPES[self.layers].0 } else { None };
        Retraining { whose, scope, history: HISTORIES[self.history].0 }
    }

    /// To the next line, or the one before.
    pub fn step(&mut self, on: bool) {
        self.line = match (self.line, on) {
            (Line::Whose, true) | (Line::Layers, false) => Line::History,
            (Line::History, true) if self.whose == For::All => Line::Layers,
            (Line::History, false) => Line::Whose,
            (line, _) => line,
        };
    }

    /// The next choice of the cursor's line, or the one before.
    pub fn change(&mut self, on: bool) {
        let next = |place: usize, len: usize| (place + if on { 1 } else { len - 1 }) % len;
        match self.line {
            Line::History => self.history = next(self.history, HISTORIES.len()),
            Line::Layers => self.layers = next(self.layers, SCOPES.len()),
            Line::Whose => {
                const ALL: [For; 3] = [For::All, For::Device, For::Interface];
                self.whose = ALL[next(self.whose as usize, ALL.len())];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_go_round() {
        let name = InterfaceName::new("core-1", "xe-0");
        let wanted = |choice: &Choice| choice.wanted(Some(&name));
        let mut choice = Choice::default();
        assert_eq!(wanted(&choice), Retraining::default());
        choice.change(true);
        assert_eq!(wanted(&choice).whose, Whose::Device("core-1".into()));
        choice.step(true);
        choice.change(false);
        assert_eq!(wanted(&choice).history, Some(WEEK));
        choice.step(true);
        assert_eq!(choice.line, Line::History, "a device has no choice of last layers");
        choice.step(false);
        choice.change(true);
        assert_eq!(wanted(&choice).whose, Whose::Interface(name.clone()));
        assert_eq!(choice.wanted(None).whose, Whose::All, "there is no interface to train for");
        choice.change(true);
        choice.step(true);
        choice.step(true);
        choice.change(true);
        choice.change(true);
        let want = Retraining { whose: Whose::All, scope: Some(Scope::Device), history: Some(WEEK) };
        assert_eq!(wanted(&choice), want);
        let words: Vec<String> = choice.lines(Some(&name)).into_iter().map(|(.., word)| word).collect();
        assert_eq!(words, ["all interfaces", "1 week", "one for each device"]);
    }
}
