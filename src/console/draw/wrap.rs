//! Lines of text in as many lines as they take.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::console::theme::Role;
use crate::series::printable;

/// A line's pieces.
pub(super) type Line = Vec<(String, Role)>;

/// `lines` in at most `width` columns. What does not fit goes on below, under the second piece of its line, or
/// two columns in where that would leave less than half of the room.
pub(super) fn wrapped(lines: Vec<Line>, width: usize) -> Vec<Line> {
    let mut out = Vec::with_capacity(lines.len());
    for mut line in lines {
        for (text, _) in &mut line {
            *text = printable(text).into_owned();
        }
        if line.iter().map(|(text, _)| text.width()).sum::<usize>() <= width {
            out.push(line);
        } else {
            wrap(&line, width.max(1), &mut out);
        }
    }
    out
}

fn wrap(line: &[(String, Role)], width: usize, out: &mut Vec<Line>) {
    let first = line.first().map_or(0, |(text, _)| text.width());
    let indent = if line.len() > 1 && first <= width / 2 { first } else { 2.min(width / 4) };
    let mut here: Line = Vec::new();
    let mut used = 0;
    for (text, role) in line {
        for token in text.split_inclusive(' ') {
            let word = token.trim_end();
            if used + word.width() > width && used > indent {
                out.push(std::mem::replace(&mut here, vec![(" ".repeat(indent), Role::Text)]));
                used = indent;
            }
            // a word that is longer than a line is cut where the line ends
            for c in word.chars() {
                let columns = c.width().unwrap_or(0);
                if used + columns > width && used > indent {
                    out.push(std::mem::replace(&mut here, vec![(" ".repeat(indent), Role::Text)]));
                    used = indent;
                }
                add(&mut here, c, *role);
                used += columns;
            }
            // a space at an end would only be seen where it is drawn in reverse
            if word.len() < token.len() && used < width {
                add(&mut here, ' ', *role);
                used += 1;
            }
        }
    }
    out.push(here);
}

fn add(line: &mut Line, c: char, role: Role) {
    match line.last_mut() {
        Some((text, last)) if *last == role => text.push(c),
        _ => line.push((c.to_string(), role)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(lines: &[Line]) -> Vec<String> {
        lines.iter().map(|l| l.iter().map(|(t, _)| t.as_str()).collect::<String>().trim_end().to_owned()).collect()
    }

    fn of(pieces: &[&str]) -> Line {
        let roles = [Role::Accent, Role::Text, Role::Warning];
        pieces.iter().zip(roles).map(|(text, role)| ((*text).to_owned(), role)).collect()
    }

    #[test]
    fn what_does_not_fit_goes_on_under_the_second_piece() {
        let lines = wrapped(vec![of(&["n   ", "the next anomaly, with its story"]), of(&["q   ", "quit"])], 20);
        assert_eq!(text(&lines), ["n   the next", "    anomaly, with", "    its story", "q   quit"]);
        assert_eq!(lines[0].last().map(|(_, role)| *role), Some(Role::Text));
        assert_eq!(lines[3], of(&["q   ", "quit"]), "what fits stays as it is");
    }

    #[test]
    fn a_long_first_piece_leaves_the_room_to_the_second() {
        let lines = wrapped(vec![of(&["a/rather/long/path.csv:17 ", "no time"])], 20);
        assert_eq!(text(&lines), ["a/rather/long/path.c", "  sv:17 no time"]);
    }

    #[test]
    fn nothing_is_lost_or_wider_than_the_room() {
        let long = of(&["名前名前 ", "max_metric_value is \"n/a\": ", "no number, and so the line is left out"]);
        for width in 1..60 {
            let lines = wrapped(vec![long.clone()], width);
            let squeezed = |lines: &[Line]| text(lines).concat().replace(' ', "");
            assert_eq!(squeezed(&lines), squeezed(std::slice::from_ref(&long)), "{width}");
            let most = if width > 2 { width } else { 2 };
            assert!(text(&lines).iter().all(|l| l.width() <= most), "{width}: {:?}", text(&lines));
        }
    }
}
