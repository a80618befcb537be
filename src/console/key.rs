//! Keys and their names.

use std::fmt;
use std::str::FromStr;

/// One key as pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character, with shift where it needs it.
    Char(char),
    /// Control and a letter, in lower case.
    Ctrl(char),
    /// Cursor up.
    Up,
    /// Cursor down.
    Down,
    /// Cursor left.
    Left,
    /// Cursor right.
    Right,
    /// Page up.
    PageUp,
    /// Page down.
    PageDown,
    /// Home.
    Home,
    /// End.
    End,
    /// Tab.
    Tab,
    /// Shift and tab.
    BackTab,
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// A function key.
    F(u8),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Char(' ') => "space",
            Self::Char(c) => return write!(f, "{c}"),
            Self::Ctrl(c) => return write!(f, "ctrl-{c}"),
            Self::F(n) => return write!(f, "F{n}"),
            Self::Up => "up",
            Self::Down => "down",
            Self::Left => "left",
            Self::Right => "right",
            Self::PageUp => "pgup",
            Self::PageDown => "pgdn",
            Self::Home => "home",
            Self::End => "end",
            Self::Tab => "tab",
            Self::BackTab => "shift-tab",
            Self::Enter => "enter",
            Self::Esc => "esc",
            Self::Backspace => "backspace",
            Self::Delete => "del",
        };
        f.write_str(name)
    }
}

/// Reads what [`Key`]'s `Display` writes.
impl FromStr for Key {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let named =
            [Self::Up, Self::Down, Self::Left, Self::Right, Self::PageUp, Self::PageDown, Self::Home, Self::End]
                .into_iter()
                .chain([
                    Self::Tab,
                    Self::BackTab,
                    Self::Enter,
                    Self::Esc,
                    Self::Backspace,
                    Self::Delete,
                    Self::Char(' '),
                ]);
        if let Some(key) = named.into_iter().find(|key| key.to_string() == text) {
            return Ok(key);
        }
        if let Some(letter) = text.strip_prefix("ctrl-") {
            let mut letters = letter.chars();
            return match (letters.next(), letters.next()) {
                // the others are sent as backspace, tab and enter
                (Some(c), None) if c.is_ascii_lowercase() && !"hijm".contains(c) => Ok(Self::Ctrl(c)),
                _ => Err(()),
            };
        }
        if let Some(n) = text.strip_prefix('F').and_then(|n| n.parse().ok()) {
            return if (1..=12).contains(&n) { Ok(Self::F(n)) } else { Err(()) };
        }
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if !c.is_control() => Ok(Self::Char(c)),
            _ => Err(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let all =
            [Key::Char('x'), Key::Char(' '), Key::Char('Ä'), Key::Ctrl('x'), Key::F(1), Key::F(12), Key::PageDown];
        for key in all.into_iter().chain([Key::BackTab, Key::Esc, Key::Delete, Key::Left]) {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        for text in ["", "xy", "ctrl-", "ctrl-X", "ctrl-i", "F13", "F0", "\t"] {
            assert_eq!(text.parse::<Key>(), Err(()), "{text:?}");
        }
    }
}
