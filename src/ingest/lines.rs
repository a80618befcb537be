//! Where records end: at a newline that is not inside quotes.
//!
//! The rules are those by which the csv crate takes a record apart afterwards: a quote opens a
//! quoted field only as its first character, and a doubled quote inside stands for one.

/// Lines that one record may span. A quote that is opened by mistake would otherwise hold back
/// everything that is appended after it.
pub(super) const MOST_LINES: usize = 64;

/// What stands at the start of a piece of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Complete records, and where the last one of them ends.
    Complete(usize),
    /// A record without its end; whether a quoted field is open in it.
    Open {
        /// Whether what comes next is inside quotes.
        quoted: bool,
    },
    /// A record whose quoted field goes over too many lines.
    Runaway,
}

/// What `bytes`, which start with a record, hold.
pub(super) fn complete(bytes: &[u8], delimiter: u8) -> Found {
    if memchr::memchr(b'"', bytes).is_none() {
        return match memchr::memrchr(b'\n', bytes) {
            Some(last) => Found::Complete(last + 1),
            None => Found::Open { quoted: false },
        };
    }
    let mut end = 0;
    while end < bytes.len() {
        match first(&bytes[end..], delimiter) {
            Found::Complete(length) => end += length,
            other if end == 0 => return other,
            _ => break,
        }
    }
    Found::Complete(end)
}

/// The first record of `bytes`: complete with its length, or not.
pub(super) fn first(bytes: &[u8], delimiter: u8) -> Found {
    #[derive(Clone, Copy)]
    enum At {
        FieldStart,
        Field,
        Quoted,
        AfterQuote,
    }
    let mut at = At::FieldStart;
    let mut lines = 1;
    for (i, byte) in bytes.iter().enumerate() {
        at = match (at, *byte) {
            (At::Quoted, b'"') => At::AfterQuote,
            (At::Quoted, b'\n') if lines == MOST_LINES => return Found::Runaway,
            (At::Quoted, b'\n') => {
                lines += 1;
                At::Quoted
            }
            (At::Quoted, _) | (At::FieldStart | At::AfterQuote, b'"') => At::Quoted,
            (_, b'\n') => return Found::Complete(i + 1),
            (_, other) if other == delimiter => At::FieldStart,
            _ => At::Field,
        };
    }
    Found::Open { quoted: matches!(at, At::Quoted) }
}

/// How many line ends there are.
pub(super) fn newlines(bytes: &[u8]) -> u32 {
    let count = memchr::memchr_iter(b'\n', bytes).count();
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_end_at_newlines_outside_quotes() {
        let of = |text: &str| complete(text.as_bytes(), b',');
        assert_eq!(of(""), Found::Open { quoted: false });
        assert_eq!(of("a,b"), Found::Open { quoted: false });
        assert_eq!(of("a,b\nc"), Found::Complete(4));
        assert_eq!(of("a,\"b\nc"), Found::Open { quoted: true });
        assert_eq!(of("a,\"b\nc\"\nd"), Found::Complete(8));
        assert_eq!(of("a,\"b\"\"\nc\"\nd"), Found::Complete(10));
        assert_eq!(of("\n\"\n"), Found::Complete(1));
        // A quote within a plain field is a character like any other.
        assert_eq!(of("a,b\"c\nd"), Found::Complete(6));
        assert_eq!(of("\"a\"b\"\nc"), Found::Complete(6));
    }

    #[test]
    fn a_quote_over_too_many_lines_is_told() {
        let fits = format!("\"{}\"\n", "\n".repeat(MOST_LINES - 1));
        assert_eq!(complete(fits.as_bytes(), b','), Found::Complete(fits.len()));
        let over = format!("\"{}\"\n", "\n".repeat(MOST_LINES));
        assert_eq!(complete(over.as_bytes(), b','), Found::Runaway);
        assert_eq!(complete(format!("x\n{over}").as_bytes(), b','), Found::Complete(2));
    }

    proptest::proptest! {
        /// The csv crate sees the same records.
        #[test]
        fn the_csv_crate_agrees(text in "[a\",;\r\n]{0,40}") {
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false).flexible(true).terminator(csv::Terminator::Any(b'\n')).from_reader(text.as_bytes());
            let theirs: Vec<Vec<String>> = reader.byte_records()
                .map(|r| r.unwrap().iter().map(|f| String::from_utf8(f.to_vec()).unwrap()).collect()).collect();
            let mut ours = Vec::new();
            let mut rest = text.as_bytes();
            while !rest.is_empty() {
                let n = match first(rest, b',') { Found::Complete(n) => n, _ => rest.len() };
                let mut one = csv::ReaderBuilder::new()
                    .has_headers(false).flexible(true).terminator(csv::Terminator::Any(b'\n')).from_reader(&rest[..n]);
                ours.extend(one.byte_records()
                    .map(|r| r.unwrap().iter().map(|f| String::from_utf8(f.to_vec()).unwrap()).collect::<Vec<_>>()));
                rest = &rest[n..];
            }
            proptest::prop_assert_eq!(ours, theirs);
        }
    }
}
