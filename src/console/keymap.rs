//! The one table of keys. The footer and the help overlay are made from it, and the configuration
//! changes the keys of a line by its name.

use std::collections::BTreeMap;
use std::sync::Arc;

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
    /// The next incident of the list, wherever the keys go.
    NextIncident,
    /// The one before.
    PreviousIncident,
    /// The worst thing that is open.
    Worst,
    /// Shows what a story's incidents share, and its interfaces alone.
    Story,
    /// The time cursor one column back.
    Earlier,
    /// The time cursor one column on.
    Later,
    /// The time cursor ten columns back.
    MuchEarlier,
    /// The time cursor ten columns on.
    MuchLater,
    /// Less time in the chart.
    ZoomIn,
    /// More time in the chart.
    ZoomOut,
    /// The whole screen as it stood at the time cursor, or back to now.
    LookBack,
    /// All incidents, open ones, or closed ones.
    Listed,
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
    /// Notes something on an anomaly.
    Note,
    /// Mutes an anomaly or an interface for a time, or takes that back.
    Mute,
    /// Says that an interface is gone for good, or takes that back.
    Retire,
    /// Opens the dialog for a new model.
    Retrain,
    /// In the dialog: the choice before.
    ChangeBack,
    /// In the dialog: the next choice.
    Change,
    /// In the dialog: starts the training run.
    Start,
    /// Closes the dialog.
    Leave,
    /// Cancels the training run.
    CancelTraining,
    /// Copies what is chosen in a line of text.
    Copy,
    /// Writes what is seen into a file.
    Export,
    /// Marks the chosen interface, so that it stays on top.
    Pin,
    /// Loads or heat in the list.
    Heat,
    /// Shows what the chosen interface is like.
    Figures,
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
    /// The dialog for a new model.
    Dialog,
}

/// All contexts.
pub const CONTEXTS: [Context; 4] = [Context::Interfaces, Context::Incidents, Context::Overlay, Context::Dialog];

/// One line of the table.
#[derive(Debug)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// What the configuration calls it.
    pub name: &'static str,
    /// The keys that do it by default; the first one is the one that is shown.
    pub keys: &'static [Key],
    /// Where it does it.
    pub contexts: &'static [Context],
    /// What the footer calls it.
    pub short: &'static str,
    /// What help says of it.
    pub long: &'static str,
    /// Whether it changes something outside of this screen: not there in a read-only console.
    pub changes: bool,
}

const LISTS: &[Context] = &[Context::Interfaces, Context::Incidents];
const LISTS_AND_OVERLAY: &[Context] = &[Context::Interfaces, Context::Incidents, Context::Overlay];
const ALL: &[Context] = &CONTEXTS;
const DIALOG: &[Context] = &[Context::Dialog];

const fn look(
    action: Action,
    name: &'static str,
    keys: &'static [Key],
    contexts: &'static [Context],
    short: &'static str,
    long: &'static str,
) -> Binding {
    Binding { action, name, keys, contexts, short, long, changes: false }
}

const fn change(
    action: Action,
    name: &'static str,
    keys: &'static [Key],
    contexts: &'static [Context],
    short: &'static str,
    long: &'static str,
) -> Binding {
    Binding { action, name, keys, contexts, short, long, changes: true }
}

use Action as A;
use Key::Char as C;

/// All keys, in the order of help.
pub const BINDINGS: &[Binding] = &[
    look(A::Up, "up", &[Key::Up, C('k')], ALL, "up", "one line up"),
    look(A::Down, "down", &[Key::Down, C('j')], ALL, "down", "one line down"),
    look(A::PageUp, "page-up", &[Key::PageUp, Key::Ctrl('b')], ALL, "page up", "one page up"),
    look(A::PageDown, "page-down", &[Key::PageDown, Key::Ctrl('f')], ALL, "page down", "one page down"),
    look(A::First, "first", &[Key::Home, C('g')], ALL, "first", "to the first line"),
    look(A::Last, "last", &[Key::End, C('G')], ALL, "last", "to the last line"),
    look(A::NextPane, "next-pane", &[Key::Tab], LISTS, "pane", "between the interfaces and the anomalies"),
    look(A::PreviousPane, "previous-pane", &[Key::BackTab], LISTS, "pane", "the same, backwards"),
    look(
        A::Open,
        "open",
        &[Key::Enter],
        LISTS,
        "open",
        "open: an interface's or anomaly's chart with its story; unfold",
    ),
    look(A::Fold, "fold", &[C(' ')], LISTS, "fold", "fold or unfold a story or a device"),
    look(
        A::Back,
        "back",
        &[Key::Esc, Key::Backspace],
        LISTS,
        "back",
        "back: to now, close what is open, clear message and filter",
    ),
    look(A::Worst, "worst", &[C('w')], LISTS, "worst", "the worst thing that is open, with its time and story"),
    look(A::NextIncident, "next-incident", &[C('n')], LISTS, "next", "the next anomaly, with its time and story"),
    look(A::PreviousIncident, "previous-incident", &[C('N'), C('p')], LISTS, "previous", "the anomaly before"),
    look(A::Story, "story", &[C('v')], LISTS, "story", "a story alone: what is shared, its interfaces drawn together"),
    look(A::Listed, "listed", &[C('o')], LISTS, "listed", "anomalies: all, open ones only, closed ones only"),
    look(
        A::Earlier,
        "earlier",
        &[Key::Left, C('h'), C('[')],
        LISTS,
        "time",
        "the time cursor of the chart, one column back; fold a device",
    ),
    look(
        A::Later,
        "later",
        &[Key::Right, C('l'), C(']')],
        LISTS,
        "time",
        "one column on; where no chart is shown, open",
    ),
    look(A::MuchEarlier, "much-earlier", &[C('{'), C('H')], LISTS, "time", "ten columns back"),
    look(A::MuchLater, "much-later", &[C('}'), C('L')], LISTS, "time", "ten columns on"),
    look(A::ZoomIn, "zoom-in", &[C('+'), C('=')], LISTS, "zoom", "less time in the chart"),
    look(A::ZoomOut, "zoom-out", &[C('-')], LISTS, "zoom", "more time in the chart, up to all history"),
    look(
        A::LookBack,
        "look-back",
        &[C('b')],
        LISTS,
        "look back",
        "the whole screen as it stood at the time cursor; again: now",
    ),
    change(A::Acknowledge, "acknowledge", &[C('a')], LISTS, "ack", "acknowledge an anomaly or story, or take it back"),
    change(
        A::Note,
        "note",
        &[C('i')],
        LISTS,
        "note",
        "note something on an anomaly, for the others and the next shift",
    ),
    change(
        A::Mute,
        "mute",
        &[C('u')],
        LISTS,
        "mute",
        "mute an anomaly, or in the list its interface, for a time; again: take it back",
    ),
    change(A::Retire, "retire", &[C('X')], LISTS, "retire", "the interface is gone for good; again: it is back"),
    look(
        A::Filter,
        "filter",
        &[C('/')],
        LISTS,
        "filter",
        "filter while you type: text, host:text, if:text, state:word",
    ),
    change(
        A::Retrain,
        "retrain",
        &[C('r')],
        LISTS,
        "retrain",
        "train a new model in the background: for whom, from how much history",
    ),
    change(
        A::CancelTraining,
        "cancel-training",
        &[C('c')],
        &[Context::Interfaces, Context::Incidents, Context::Dialog],
        "cancel",
        "cancel the training run",
    ),
    look(A::Sort, "sort", &[C('s')], LISTS, "sort", "sort by the next column"),
    look(A::Reverse, "reverse", &[C('S')], LISTS, "reverse", "turn the order round"),
    look(A::Devices, "devices", &[C('t')], LISTS, "devices", "devices or interfaces"),
    look(
        A::Heat,
        "heat",
        &[C('m')],
        LISTS,
        "heat",
        "loads or heat: how rare each slot was, so that a common event is a column",
    ),
    look(A::Pin, "pin", &[C('*')], LISTS, "pin", "pin the chosen interface to the top, or let it go"),
    look(
        A::Figures,
        "figures",
        &[C('f')],
        LISTS_AND_OVERLAY,
        "figures",
        "what the interface is like: day, week, echoes, spread, relatives",
    ),
    look(A::Copy, "copy", &[C('y')], LISTS, "copy", "copy what is chosen, as a sentence (OSC 52: over SSH, too)"),
    change(
        A::Export,
        "export",
        &[C('e')],
        LISTS,
        "export",
        "write what is seen to a file: the list, or the chart's rows",
    ),
    look(A::Notices, "notices", &[C('!'), C('R')], ALL, "notices", "refused rows and notices about files"),
    look(A::Help, "help", &[C('?'), Key::F(1)], ALL, "help", "this help"),
    look(A::Repaint, "repaint", &[Key::Ctrl('l')], ALL, "repaint", "draw everything again"),
    look(A::Suspend, "suspend", &[Key::Ctrl('z')], ALL, "stop", "stop until the shell continues it (fg)"),
    look(
        A::Close,
        "close",
        &[Key::Esc, C('q'), Key::Enter, Key::Backspace],
        &[Context::Overlay],
        "close",
        "close this",
    ),
    change(A::Start, "start", &[Key::Enter], DIALOG, "start", "in the dialog for a new model: start"),
    look(A::ChangeBack, "change-back", &[Key::Left, C('h')], DIALOG, "choose", "in the dialog: the choice before"),
    look(A::Change, "change", &[Key::Right, C('l'), C(' ')], DIALOG, "choose", "in the dialog: the next choice"),
    look(A::Leave, "leave", &[Key::Esc, C('q'), C('r')], DIALOG, "close", "close the dialog; a run goes on"),
    look(A::Quit, "quit", &[C('q')], LISTS, "quit", "quit"),
    look(A::QuitNow, "quit-now", &[Key::Ctrl('c')], ALL, "quit", "quit, whatever is open"),
];

/// What the footer shows, the most needed first; help and quit always come last. Actions that stand
/// together are one hint. `detail` is whether the chart is open in full.
pub fn hints(context: Context, detail: bool) -> &'static [&'static [Action]] {
    match context {
        Context::Overlay => &[&[A::Close], &[A::Up, A::Down]],
        Context::Dialog => &[&[A::Start], &[A::ChangeBack, A::Change], &[A::CancelTraining], &[A::Leave]],
        _ if detail => &[
            &[A::NextIncident, A::PreviousIncident],
            &[A::Earlier, A::Later],
            &[A::ZoomIn, A::ZoomOut],
            &[A::LookBack],
            &[A::Acknowledge],
            &[A::Back],
            &[A::Story],
            &[A::Figures],
        ],
        Context::Interfaces => &[
            &[A::Open],
            &[A::Worst],
            &[A::NextPane],
            &[A::Filter],
            &[A::Devices],
            &[A::Acknowledge],
            &[A::Sort],
            &[A::Retrain],
        ],
        Context::Incidents => &[
            &[A::Open],
            &[A::Fold],
            &[A::NextPane],
            &[A::Acknowledge],
            &[A::Story],
            &[A::Listed],
            &[A::Filter],
            &[A::Retrain],
        ],
    }
}

/// A key that the configuration cannot have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeymapError {
    /// There is no such action.
    #[error("keys.{name}: there is no such action; there are {}", names())]
    NoAction {
        /// As it was written.
        name: String,
    },
    /// It is the name of no key.
    #[error(
        "keys.{name}: {key:?} is no key: write one character, ctrl-x, F1 to F12, or up, down, left, right, home, end, pgup, pgdn, tab, shift-tab, enter, esc, space, backspace, del"
    )]
    NoKey {
        /// The action.
        name: &'static str,
        /// As it was written.
        key: String,
    },
    /// An action without a key could not be called any more.
    #[error("keys.{name}: name at least one key")]
    Empty {
        /// The action.
        name: &'static str,
    },
    /// One key, two actions.
    #[error("keys.{name}: {key} is the key of {other} already; give that one another key, too")]
    Taken {
        /// The action.
        name: &'static str,
        /// The key.
        key: Key,
        /// The other action.
        other: &'static str,
    },
}

/// All actions with their names and keys, as comments for a configuration file.
pub fn listing() -> String {
    let line = |b: &Binding| {
        let keys: Vec<String> = b.keys.iter().map(|key| format!("{:?}", key.to_string())).collect();
        format!("# {} = [{}]  # {}\n", b.name, keys.join(", "), b.long)
    };
    BINDINGS.iter().map(line).collect()
}

fn names() -> String {
    BINDINGS.iter().map(|b| b.name).collect::<Vec<_>>().join(", ")
}

/// Which keys do what: the table, with what the configuration changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    /// The keys of each line of the table.
    keys: Arc<[Vec<Key>]>,
}

impl Default for Keymap {
    fn default() -> Self {
        Self { keys: BINDINGS.iter().map(|b| b.keys.to_vec()).collect() }
    }
}

impl Keymap {
    /// The table with other keys for some actions, by their names.
    ///
    /// # Errors
    /// Where there is no such action or key, and where two actions have one key in one place.
    pub fn with(changes: &BTreeMap<String, Vec<String>>) -> Result<Self, KeymapError> {
        let mut keys: Vec<Vec<Key>> = BINDINGS.iter().map(|b| b.keys.to_vec()).collect();
        for (name, wanted) in changes {
            let place = BINDINGS.iter().position(|b| b.name == name);
            let place = place.ok_or_else(|| KeymapError::NoAction { name: name.clone() })?;
            let name = BINDINGS[place].name;
            let parsed =
                wanted.iter().map(|key| key.parse().map_err(|()| KeymapError::NoKey { name, key: key.clone() }));
            keys[place] = parsed.collect::<Result<_, _>>()?;
            if keys[place].is_empty() {
                return Err(KeymapError::Empty { name });
            }
        }
        for (place, binding) in BINDINGS.iter().enumerate() {
            for (other, rest) in BINDINGS.iter().enumerate().skip(place + 1) {
                let together = binding.contexts.iter().any(|c| rest.contexts.contains(c));
                let shared = keys[place].iter().find(|key| together && keys[other].contains(key));
                if let Some(key) = shared {
                    // the one that was changed is the one to blame
                    let (name, other) = if changes.contains_key(binding.name) {
                        (binding.name, rest.name)
                    } else {
                        (rest.name, binding.name)
                    };
                    return Err(KeymapError::Taken { name, key: *key, other });
                }
            }
        }
        Ok(Self { keys: keys.into() })
    }

    /// The action of a key in a context.
    pub fn action(&self, key: Key, context: Context, read_only: bool) -> Option<Action> {
        self.bindings(context, read_only).find(|(_, keys)| keys.contains(&key)).map(|(b, _)| b.action)
    }

    /// The lines of a context with their keys.
    pub fn bindings(&self, context: Context, read_only: bool) -> impl Iterator<Item = (&'static Binding, &[Key])> {
        self.lines(read_only).filter(move |(b, _)| b.contexts.contains(&context))
    }

    /// All lines with their keys.
    pub fn lines(&self, read_only: bool) -> impl Iterator<Item = (&'static Binding, &[Key])> {
        BINDINGS.iter().zip(self.keys.iter().map(Vec::as_slice)).filter(move |(b, _)| !(read_only && b.changes))
    }

    /// The name of the first key that does this, for texts that mention it.
    pub fn key_of(&self, action: Action) -> String {
        let line = self.lines(false).find(|(b, _)| b.action == action);
        line.and_then(|(_, keys)| keys.first()).map_or_else(String::new, Key::to_string)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_keys_one_line_and_a_name_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for binding in BINDINGS {
            assert!(
                seen.insert(format!("{:?}", binding.action)) && seen.insert(binding.name.to_owned()),
                "{}",
                binding.name
            );
            assert!(!binding.keys.is_empty() && !binding.contexts.is_empty() && !binding.short.is_empty());
        }
        for context in CONTEXTS {
            for action in hints(context, false).iter().chain(hints(context, true)).copied().flatten() {
                assert!(BINDINGS.iter().any(|b| b.action == *action), "{action:?}");
            }
        }
    }

    #[test]
    fn the_listing_can_be_taken_into_a_configuration() {
        for line in listing().lines() {
            let changes: BTreeMap<String, Vec<String>> = toml::from_str(line.strip_prefix("# ").unwrap()).unwrap();
            assert_eq!(Keymap::with(&changes), Ok(Keymap::default()), "{line}");
        }
    }

    fn changed(name: &str, keys: &[&str]) -> Result<Keymap, KeymapError> {
        Keymap::with(&BTreeMap::from([(name.to_owned(), keys.iter().map(|k| (*k).to_owned()).collect())]))
    }

    #[test]
    fn keys_can_be_changed_and_what_makes_no_sense_is_refused() {
        let keys = changed("retrain", &["F5", "ctrl-t"]).unwrap();
        assert_eq!(keys.action(Key::F(5), Context::Interfaces, false), Some(Action::Retrain));
        assert_eq!(keys.action(Key::Char('r'), Context::Interfaces, false), None);
        assert_eq!(keys.key_of(Action::Retrain), "F5");
        let said = |name, keys: &[&str]| changed(name, keys).unwrap_err().to_string();
        assert!(said("retrian", &["x"]).contains("keys.retrian: there is no such action; there are up, down"));
        assert!(said("quit", &["ctlr-q"]).starts_with("keys.quit: \"ctlr-q\" is no key"));
        assert!(said("quit", &["r"]).contains("keys.quit: r is the key of retrain already"));
        assert!(said("quit", &[]).contains("at least one key"));
        // in different places one key may have two meanings
        assert!(changed("close", &["x", "q", "enter"]).is_ok());
    }

    #[test]
    fn no_two_actions_share_a_key_in_one_context() {
        for context in CONTEXTS {
            let mut seen = std::collections::HashMap::new();
            let keymap = Keymap::default();
            for (binding, keys) in keymap.bindings(context, false) {
                for key in keys {
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
            assert_eq!(Keymap::default().action(Key::Char(key), Context::Incidents, false), Some(full));
            assert_eq!(Keymap::default().action(Key::Char(key), Context::Incidents, true), None);
        }
        assert_eq!(Keymap::default().action(Key::Char('q'), Context::Incidents, true), Some(Action::Quit));
    }

    #[test]
    fn every_context_can_be_left() {
        for context in CONTEXTS {
            assert_eq!(Keymap::default().action(Key::Ctrl('c'), context, true), Some(Action::QuitNow));
            assert_eq!(Keymap::default().action(Key::Ctrl('z'), context, true), Some(Action::Suspend));
        }
    }
}
