//! Which keys do what: the table of keys with what the configuration changes in it.

use std::collections::BTreeMap;
use std::sync::Arc;

pub use super::bindings::{Action, BINDINGS, Binding, CONTEXTS, Context, hints};
use super::key::Key;

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

impl KeymapError {
    /// The name in the configuration that it is about.
    pub fn name(&self) -> &str {
        match self {
            Self::NoAction { name } => name,
            Self::NoKey { name, .. } | Self::Empty { name } | Self::Taken { name, .. } => name,
        }
    }
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
