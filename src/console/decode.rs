//! How the bytes of a terminal become keys, and what a mouse did.
//!
//! The console reads the terminal itself instead of through crossterm's event reader: that one loops
//! for ever at full speed inside a call once the terminal has gone away, where nothing can stop it.
//! A plain blocking read ends with an error or with nothing instead, and what a console needs of the
//! keyboard is small.

use super::key::Key;

/// What somebody did at the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stroke {
    /// Pressed a key.
    Key(Key),
    /// Used the mouse.
    Mouse(Mouse),
}

/// Something that was done with a mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// What.
    pub what: Pointed,
    /// Where: the column, from 0.
    pub column: u16,
    /// The row, from 0.
    pub row: u16,
}

/// What can be done with a mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pointed {
    /// Its first button was pressed.
    Press,
    /// Its wheel was turned away from who turned it.
    WheelUp,
    /// Its wheel was turned towards who turned it.
    WheelDown,
}

/// Bytes that no key starts with for so long are not a sequence but rubbish.
const LONGEST_SEQUENCE: usize = 32;

/// Turns bytes into strokes. A sequence may come in pieces.
#[derive(Debug, Default)]
pub struct Decoder {
    pending: Vec<u8>,
}

/// What the bytes at the front are.
enum Parsed {
    /// So many bytes make this key; none where they mean nothing to the console.
    Key(usize, Option<Key>),
    /// So many bytes tell of the mouse.
    Mouse(usize, Option<Mouse>),
    /// More bytes are needed.
    Incomplete,
}

impl Decoder {
    /// Adds bytes and takes out the strokes that are complete.
    pub fn feed(&mut self, bytes: &[u8], strokes: &mut Vec<Stroke>) {
        self.pending.extend_from_slice(bytes);
        while !self.pending.is_empty() {
            match parse(&self.pending) {
                Parsed::Key(len, key) => {
                    strokes.extend(key.map(Stroke::Key));
                    self.pending.drain(..len);
                }
                Parsed::Mouse(len, mouse) => {
                    strokes.extend(mouse.map(Stroke::Mouse));
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
    pub fn flush(&mut self, strokes: &mut Vec<Stroke>) {
        if self.pending.first() == Some(&0x1b) && self.pending.len() == 1 {
            strokes.push(Stroke::Key(Key::Esc));
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
    if let Some(report) = bytes[2..end].strip_prefix(b"<") {
        return Parsed::Mouse(end + 1, mouse(report, bytes[end] == b'M'));
    }
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

/// `button ; column ; row` of a mouse, both from 1. Releases, other buttons and what is pressed together with a
/// key mean nothing to the console.
fn mouse(report: &[u8], pressed: bool) -> Option<Mouse> {
    let mut numbers = std::str::from_utf8(report).ok()?.split(';').map(str::parse::<u16>);
    let mut next = || numbers.next()?.ok();
    let (button, column, row) = (next()?, next()?.checked_sub(1)?, next()?.checked_sub(1)?);
    let what = match button {
        0 if pressed => Pointed::Press,
        64 => Pointed::WheelUp,
        65 => Pointed::WheelDown,
        _ => return None,
    };
    Some(Mouse { what, column, row })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        strokes(bytes)
            .into_iter()
            .map(|stroke| match stroke {
                Stroke::Key(key) => key,
                Stroke::Mouse(mouse) => panic!("{mouse:?} is no key"),
            })
            .collect()
    }

    fn strokes(bytes: &[u8]) -> Vec<Stroke> {
        let mut decoder = Decoder::default();
        let mut strokes = Vec::new();
        decoder.feed(bytes, &mut strokes);
        decoder.flush(&mut strokes);
        strokes
    }

    #[test]
    fn a_mouse_tells_what_it_did_and_where() {
        let at = |what, column, row| Stroke::Mouse(Mouse { what, column, row });
        assert_eq!(
            strokes(b"\x1b[<0;12;3M\x1b[<0;12;3m\x1b[<64;1;1Mj\x1b[<65;200;50M"),
            [
                at(Pointed::Press, 11, 2),
                at(Pointed::WheelUp, 0, 0),
                Stroke::Key(Key::Char('j')),
                at(Pointed::WheelDown, 199, 49)
            ]
        );
        assert_eq!(strokes(b"\x1b[<2;1;1M\x1b[<0;0;1M\x1b[<0;1M\x1b[<;;M\x1b[<35;4;4M"), []);
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
    fn a_sequence_in_pieces_is_one_key_and_a_lone_escape_is_escape() {
        let mut decoder = Decoder::default();
        let mut keys = Vec::new();
        for byte in b"\x1b[1;5B" {
            decoder.feed(&[*byte], &mut keys);
        }
        assert_eq!(keys, [Stroke::Key(Key::Down)]);
        decoder.feed(b"\x1b", &mut keys);
        assert!(decoder.is_waiting());
        decoder.flush(&mut keys);
        assert_eq!(keys, [Key::Down, Key::Esc].map(Stroke::Key));
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
