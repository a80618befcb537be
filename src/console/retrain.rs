//! What the dialog for a new model asks: for whom, and from how much history.

use crate::engine::{Retraining, Scope};
use crate::series::WEEK;

/// Choices of history.
const HISTORIES: [(Option<i64>, &str); 6] = [
    (None, "all history"),
    (Some(26 * WEEK), "26 weeks"),
    (Some(13 * WEEK), "13 weeks"),
    (Some(4 * WEEK), "4 weeks"),
    (Some(2 * WEEK), "2 weeks"),
    (Some(WEEK), "1 week"),
];
/// Choices of scope.
const SCOPES: [(Option<Scope>, &str); 4] = [
    (None, "as the present model"),
    (Some(Scope::Global), "one for all"),
    (Some(Scope::Device), "one for each device"),
    (Some(Scope::Interface), "one for each interface"),
];

/// What is chosen, and which line has the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Choice {
    /// The line of the history, rather than that of the scope.
    pub on_history: bool,
    scope: usize,
    history: usize,
}

impl Choice {
    /// As words: scope and history.
    pub fn words(&self) -> [&'static str; 2] {
        [SCOPES[self.scope].1, HISTORIES[self.history].1]
    }

    /// What to ask the engine for.
    pub fn wanted(&self) -> Retraining {
        Retraining { scope: SCOPES[self.scope].0, history: HISTORIES[self.history].0 }
    }

    /// The next choice of the cursor's line, or the one before.
    pub fn change(&mut self, on: bool) {
        let (place, len) = match self.on_history {
            true => (&mut self.history, HISTORIES.len()),
            false => (&mut self.scope, SCOPES.len()),
        };
        *place = (*place + if on { 1 } else { len - 1 }) % len;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_go_round() {
        let mut choice = Choice::default();
        assert_eq!(choice.wanted(), Retraining::default());
        choice.change(true);
        choice.change(true);
        choice.on_history = true;
        choice.change(false);
        assert_eq!(choice.words(), ["one for each device", "1 week"]);
        assert_eq!(choice.wanted(), Retraining { scope: Some(Scope::Device), history: Some(WEEK) });
        choice.change(true);
        assert_eq!(choice.wanted().history, None);
    }
}
