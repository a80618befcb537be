//! Keys, and how the bytes of a terminal become keys.
//!
//! The console reads the terminal itself instead of through crossterm's event reader: that one loops
//! for ever at full speed inside a call once the terminal has gone away, where nothing can stop it.
//! A plain blocking read ends with an error or with nothing instead, and what a console needs of the
//! keyboard is small.

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

/// Bytes that no key starts with for so long are not a sequence but rubbish.
const LONGEST_SEQUENCE: usize = 32;

/// Turns bytes into keys. A sequence may come in pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
}

/// What the bytes at the front are.
enum Parsed {
    /// So many bytes make this key; none where they mean nothing to the console.
    Key(usize, Option<Key>),
    /// More bytes are needed.
    Incomplete,
}

impl Decoder {
    /// Adds bytes and takes out the keys that are complete.
    pub fn feed(&mut self, bytes: &[u8], keys: &mut Vec<Key>) {
        self.pending.extend_from_slice(bytes);
        while !self.pending.is_empty() {
            match parse(&self.pending) {
                Parsed::Key(len, key) => {
                    keys.extend(key);
                    self.pending.drain(..len);
                }
                Parsed::Incomplete if self.pending.len() >= LONGEST_SEQUENCE => {
                    self.pending.drain(..LONGEST_SEQUENCE);
                }
                Parsed::Incomplete => break,
            }
        }
    }

    /// Whether the start of a sequence waits for its rest.
    pub fn is_waiting(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Nothing more came: a lone escape was the escape key; anything else was cut off and is dropped.
    pub fn flush(&mut self, keys: &mut Vec<Key>) {
        if self.pending.first() == Some(&0x1b) && self.pending.len() == 1 {
            keys.push(Key::Esc);
        }
        self.pending.clear();
    }
}

fn parse(bytes: &[u8]) -> Parsed {
    match bytes[0] {
        0x1b => parse_escape(bytes),
        b'\r' | b'\n' => Parsed::Key(1, Some(Key::Enter)),
        b'\t' => Parsed::Key(1, Some(Key::Tab)),
        0x7f | 0x08 => Parsed::Key(1, Some(Key::Backspace)),
        c @ 0x01..=0x1a => Parsed::Key(1, Some(Key::Ctrl(char::from(c - 1 + b'a')))),
        c if c < 0x20 => Parsed::Key(1, None),
        c if c < 0x80 => Parsed::Key(1, Some(Key::Char(char::from(c)))),
        _ => parse_utf8(bytes),
    }
}

fn parse_utf8(bytes: &[u8]) -> Parsed {
    let len = match bytes[0] {
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => return Parsed::Key(1, None),
    };
    if bytes.len() < len {
        return Parsed::Incomplete;
    }
    match std::str::from_utf8(&bytes[..len]) {
        Ok(text) => Parsed::Key(len, text.chars().next().map(Key::Char)),
        Err(_) => Parsed::Key(1, None),
    }
}

fn parse_escape(bytes: &[u8]) -> Parsed {
    match bytes.get(1) {
        None => Parsed::Incomplete,
        Some(b'[') => parse_csi(bytes),
        Some(b'O') => match bytes.get(2) {
            None => Parsed::Incomplete,
            Some(last) => Parsed::Key(3, final_key(*last)),
        },
        // two escapes in a row: the first one was the key
        Some(0x1b) => Parsed::Key(1, Some(Key::Esc)),
        // Alt and a key: nothing is bound to it
        Some(_) => Parsed::Key(2, None),
    }
}

/// `ESC [ parameters final`.
fn parse_csi(bytes: &[u8]) -> Parsed {
    let Some(end) = bytes[2..].iter().position(|b| (0x40..=0x7e).contains(b)).map(|i| i + 2) else {
        return Parsed::Incomplete;
    };
    // the Linux console sends `ESC [ [ A` for F1
    if bytes[end] == b'[' && end == 2 {
        return match bytes.get(3) {
            None => Parsed::Incomplete,
            Some(c @ b'A'..=b'E') => Parsed::Key(4, Some(Key::F(c - b'A' + 1))),
            Some(_) => Parsed::Key(4, None),
        };
    }
    let key = match bytes[end] {
        b'~' => {
            let number = bytes[2..end].split(|b| *b == b';').next().unwrap_or_default();
            match number {
                b"1" | b"7" => Some(Key::Home),
                b"3" => Some(Key::Delete),
                b"4" | b"8" => Some(Key::End),
                b"5" => Some(Key::PageUp),
                b"6" => Some(Key::PageDown),
                b"11" => Some(Key::F(1)),
                b"12" => Some(Key::F(2)),
                b"13" => Some(Key::F(3)),
                b"14" => Some(Key::F(4)),
                b"15" => Some(Key::F(5)),
                b"17" => Some(Key::F(6)),
                b"18" => Some(Key::F(7)),
                b"19" => Some(Key::F(8)),
                b"20" => Some(Key::F(9)),
                b"21" => Some(Key::F(10)),
                b"23" => Some(Key::F(11)),
                b"24" => Some(Key::F(12)),
                _ => None,
            }
        }
        b'Z' => Some(Key::BackTab),
        last => final_key(last),
    };
    Parsed::Key(end + 1, key)
}

fn final_key(last: u8) -> Option<Key> {
    match last {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'C' => Some(Key::Right),
        b'D' => Some(Key::Left),
        b'H' => Some(Key::Home),
        b'F' => Some(Key::End),
        b'M' => Some(Key::Enter),
        c @ b'P'..=b'S' => Some(Key::F(c - b'P' + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        let mut keys = Vec::new();
        decoder.feed(bytes, &mut keys);
        decoder.flush(&mut keys);
        keys
    }

    #[test]
    fn bytes_become_keys() {
        assert_eq!(
            keys(b"jG \r\t\x7f"),
            [Key::Char('j'), Key::Char('G'), Key::Char(' '), Key::Enter, Key::Tab, Key::Backspace]
        );
        assert_eq!(
            keys(b"\x1b[A\x1bOB\x1b[5~\x1b[6;5~\x1b[H\x1b[4~\x1b[Z"),
            [Key::Up, Key::Down, Key::PageUp, Key::PageDown, Key::Home, Key::End, Key::BackTab]
        );
        assert_eq!(keys("é→".as_bytes()), [Key::Char('é'), Key::Char('→')]);
        assert_eq!(keys(b"\x03\x1a"), [Key::Ctrl('c'), Key::Ctrl('z')]);
    }

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

    #[test]
    fn a_sequence_in_pieces_is_one_key_and_a_lone_escape_is_escape() {
        let mut decoder = Decoder::default();
        let mut keys = Vec::new();
        for byte in b"\x1b[1;5B" {
            decoder.feed(&[*byte], &mut keys);
        }
        assert_eq!(keys, [Key::Down]);
        decoder.feed(b"\x1b", &mut keys);
        assert!(decoder.is_waiting());
        decoder.flush(&mut keys);
        assert_eq!(keys, [Key::Down, Key::Esc]);
        assert!(!decoder.is_waiting());
    }

    #[test]
    fn what_is_no_key_is_dropped_and_does_not_hide_what_follows() {
        assert_eq!(keys(b"\x1b[200~x\x1b[?1;2cy"), [Key::Char('x'), Key::Char('y')]);
        assert_eq!(keys(b"\xffz\xc3"), [Key::Char('z')]);
        assert_eq!(keys(&[0x1b, b'[', b'1', b'1', b'1', b'1']), []);
        let mut long = vec![0x1b, b'['];
        long.resize(100, b'1');
        assert_eq!(keys(&long).len(), 100 - LONGEST_SEQUENCE);
    }
}
