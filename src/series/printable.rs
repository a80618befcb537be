//! Names as they may be shown, wherever that is.

use std::borrow::Cow;

/// Text without characters that a terminal or a log obeys, or that make one name look like another: such names
/// come from files.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let escape = |c: char| if is_hidden(c) { c.escape_default().to_string() } else { c.to_string() };
    Cow::Owned(text.chars().map(escape).collect())
}

/// Control characters, those that have no width, and those that turn the direction of writing. What joins letters
/// is seen by what it joins.
fn is_hidden(c: char) -> bool {
    let has_no_width = matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2065}' | '\u{feff}');
    let turns = matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    c.is_control() || has_no_width || turns || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_characters_are_escaped_and_others_are_not() {
        for name in ["xe-0/0/1 zürich", "核心-2", "عربي", "👩\u{200d}👧", "e\u{301}"] {
            assert_eq!(printable(name), name);
        }
        assert_eq!(printable("a\x1b[2Jb\n\u{9b}c"), "a\\u{1b}[2Jb\\n\\u{9b}c");
        assert_eq!(printable("a\u{202e}b\u{200b}"), "a\\u{202e}b\\u{200b}");
    }
}
