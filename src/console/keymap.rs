//! The one table of keys. The footer and the help overlay are made from it.

use super::key::Key;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// The keys go to the next pane.
    NextPane,
    /// The keys go to the pane before.
    PreviousPane,
    /// Opens what is chosen.
    Open,
    /// Folds or unfolds a story.
    Fold,
    /// One step back: overlay, detail, filter, message.
    Back,
    /// Starts to type a filter.
    Filter,
    /// Sorts by the next column.
    Sort,
    /// Turns the order round.
    Reverse,
    /// Devices or interfaces.
    Devices,
    /// Acknowledges, or takes that back.
    Acknowledge,
    /// Starts a training run.
    Retrain,
    /// Cancels the training run.
    CancelTraining,
    /// Shows refused rows and notices.
    Notices,
    /// Shows all keys.
    Help,
    /// Draws everything again.
    Repaint,
    /// Stops the program until the shell continues it.
    Suspend,
    /// Closes an overlay.
    Close,
    /// Ends.
    Quit,
    /// Ends, whatever is open.
    QuitNow,
}

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// The list of interfaces or devices.
    Interfaces,
    /// The list of incidents.
    Incidents,
    /// Help or notices.
    Overlay,
}

/// All contexts.
pub const CONTEXTS: [Context; 3] = [Context::Interfaces, Context::Incidents, Context::Overlay];

/// One line of the table.
#[derive(Debug)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// The keys that do it; the first one is the one that is shown.
    pub keys: &'static [Key],
    /// Where it does it.
    pub contexts: &'static [Context],
    /// What the footer calls it; nothing where the footer leaves it out.
    pub short: Option<&'static str>,
    /// What help says of it.
    pub long: &'static str,
    /// Whether it changes something outside of this screen: not there in a read-only console.
    pub changes: bool,
}

const LISTS: &[Context] = &[Context::Interfaces, Context::Incidents];
const ALL: &[Context] = &CONTEXTS;

const fn look(
    action: Action,
    keys: &'static [Key],
    contexts: &'static [Context],
    short: Option<&'static str>,
    long: &'static str,
) -> Binding {
    Binding { action, keys, contexts, short, long, changes: false }
}

const fn change(
    action: Action,
    keys: &'static [Key],
    contexts: &'static [Context],
    short: Option<&'static str>,
    long: &'static str,
) -> Binding {
    Binding { action, keys, contexts, short, long, changes: true }
}

/// All keys, in the order of help and footer.
pub const BINDINGS: &[Binding] = &[
    look(Action::Up, &[Key::Up, Key::Char('k')], ALL, None, "one line up"),
    look(Action::Down, &[Key::Down, Key::Char('j')], ALL, None, "one line down"),
    look(Action::PageUp, &[Key::PageUp, Key::Ctrl('b')], ALL, None, "one page up"),
    look(Action::PageDown, &[Key::PageDown, Key::Ctrl('f')], ALL, None, "one page down"),
    look(Action::First, &[Key::Home, Key::Char('g')], ALL, None, "to the first line"),
    look(Action::Last, &[Key::End, Key::Char('G')], ALL, None, "to the last line"),
    look(
        Action::NextPane,
        &[Key::Tab, Key::Right, Key::Char('l')],
        LISTS,
        Some("pane"),
        "between the interfaces and the anomalies",
    ),
    look(Action::PreviousPane, &[Key::BackTab, Key::Left, Key::Char('h')], LISTS, None, "the same, backwards"),
    look(
        Action::Open,
        &[Key::Enter],
        LISTS,
        Some("open"),
        "a chart in full; a device's interfaces; an anomaly's chart",
    ),
    look(Action::Fold, &[Key::Char(' ')], &[Context::Incidents], Some("fold"), "fold or unfold a story"),
    look(Action::Back, &[Key::Esc, Key::Backspace], LISTS, None, "back: close what is open, clear message and filter"),
    change(
        Action::Acknowledge,
        &[Key::Char('a')],
        LISTS,
        Some("ack"),
        "acknowledge an anomaly or story, or take it back",
    ),
    look(
        Action::Filter,
        &[Key::Char('/')],
        LISTS,
        Some("filter"),
        "filter while you type: text, host:text, if:text, state:word",
    ),
    change(
        Action::Retrain,
        &[Key::Char('r')],
        LISTS,
        Some("retrain"),
        "train a new model on all history, in the background",
    ),
    look(Action::Sort, &[Key::Char('s')], LISTS, Some("sort"), "sort by score, error, load, name"),
    look(Action::Reverse, &[Key::Char('S')], LISTS, None, "turn the order round"),
    look(Action::Devices, &[Key::Char('t')], LISTS, Some("devices"), "devices or interfaces"),
    change(Action::CancelTraining, &[Key::Char('c')], LISTS, None, "cancel the training run"),
    look(Action::Notices, &[Key::Char('!'), Key::Char('R')], ALL, None, "refused rows and notices about files"),
    look(Action::Help, &[Key::Char('?'), Key::F(1)], ALL, Some("help"), "this help"),
    look(Action::Repaint, &[Key::Ctrl('l')], ALL, None, "draw everything again"),
    look(Action::Suspend, &[Key::Ctrl('z')], ALL, None, "stop until the shell continues it (fg)"),
    look(
        Action::Close,
        &[Key::Esc, Key::Char('q'), Key::Enter, Key::Backspace],
        &[Context::Overlay],
        Some("close"),
        "close this",
    ),
    look(Action::Quit, &[Key::Char('q')], LISTS, Some("quit"), "quit"),
    look(Action::QuitNow, &[Key::Ctrl('c')], ALL, None, "quit, whatever is open"),
];

/// The action of a key in a context.
pub fn action(key: Key, context: Context, read_only: bool) -> Option<Action> {
    bindings(context, read_only).find(|b| b.keys.contains(&key)).map(|b| b.action)
}

/// The keys of a context.
pub fn bindings(context: Context, read_only: bool) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |b| b.contexts.contains(&context) && !(read_only && b.changes))
}

/// The name of the first key that does this, for texts that mention it.
pub fn key_of(action: Action) -> String {
    BINDINGS.iter().find(|b| b.action == action).and_then(|b| b.keys.first()).map_or_else(String::new, Key::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTIONS: [Action; 25] = [
        Action::Up,
        Action::Down,
        Action::PageUp,
        Action::PageDown,
        Action::First,
        Action::Last,
        Action::NextPane,
        Action::PreviousPane,
        Action::Open,
        Action::Fold,
        Action::Back,
        Action::Filter,
        Action::Sort,
        Action::Reverse,
        Action::Devices,
        Action::Acknowledge,
        Action::Retrain,
        Action::CancelTraining,
        Action::Notices,
        Action::Help,
        Action::Repaint,
        Action::Suspend,
        Action::Close,
        Action::Quit,
        Action::QuitNow,
    ];

    #[test]
    fn every_action_has_a_key_and_one_line() {
        for action in ACTIONS {
            let lines: Vec<_> = BINDINGS.iter().filter(|b| b.action == action).collect();
            assert_eq!(lines.len(), 1, "{action:?}");
            assert!(!lines[0].keys.is_empty() && !lines[0].contexts.is_empty(), "{action:?}");
        }
        assert_eq!(BINDINGS.len(), ACTIONS.len());
    }

    #[test]
    fn no_two_actions_share_a_key_in_one_context() {
        for context in CONTEXTS {
            let mut seen = std::collections::HashMap::new();
            for binding in bindings(context, false) {
                for key in binding.keys {
                    if let Some(other) = seen.insert(*key, binding.action) {
                        panic!("{key} is {other:?} and {:?} in {context:?}", binding.action);
                    }
                }
            }
        }
    }

    #[test]
    fn a_read_only_console_has_no_key_that_changes_something() {
        for (key, full) in [('a', Action::Acknowledge), ('r', Action::Retrain), ('c', Action::CancelTraining)] {
            assert_eq!(action(Key::Char(key), Context::Incidents, false), Some(full));
            assert_eq!(action(Key::Char(key), Context::Incidents, true), None);
        }
        assert_eq!(action(Key::Char('q'), Context::Incidents, true), Some(Action::Quit));
    }

    #[test]
    fn every_context_can_be_left() {
        for context in CONTEXTS {
            assert_eq!(action(Key::Ctrl('c'), context, true), Some(Action::QuitNow));
            assert_eq!(action(Key::Ctrl('z'), context, true), Some(Action::Suspend));
        }
    }
}
