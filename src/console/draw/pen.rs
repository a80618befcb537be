//! Writing text into one line of a buffer, piece by piece.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use crate::console::theme::{Role, Theme};
use crate::format::fit;
use crate::series::printable;

/// A place in a line, and its end.
pub struct Pen<'a> {
    buffer: &'a mut Buffer,
    theme: Theme,
    /// One style for all that is written, where the whole line has one.
    whole: Option<Style>,
    x: u16,
    y: u16,
    end: u16,
}

impl<'a> Pen<'a> {
    /// At the start of line `line` of `area`. Nothing is written where the area has no such line.
    pub fn new(buffer: &'a mut Buffer, theme: Theme, area: Rect, line: u16) -> Self {
        let area = area.intersection(buffer.area);
        let inside = line < area.height;
        Self {
            theme,
            whole: None,
            x: area.x,
            y: area.y + line,
            end: if inside { area.x + area.width } else { area.x },
            buffer,
        }
    }

    /// All that is written from now on has this one look, and the rest of the line too.
    pub fn whole(&mut self, role: Role) {
        let style = self.theme.style(role);
        self.whole = Some(style);
        if self.x < self.end {
            self.buffer.set_style(Rect::new(self.x, self.y, self.end - self.x, 1), style);
        }
    }

    /// Columns that are left.
    pub fn room(&self) -> usize {
        usize::from(self.end.saturating_sub(self.x))
    }

    /// Writes as much of `text` as there is room for.
    pub fn text(&mut self, text: &str, role: Role) -> &mut Self {
        if self.x < self.end {
            let style = self.whole.unwrap_or_else(|| self.theme.style(role));
            let (x, _) = self.buffer.set_stringn(self.x, self.y, printable(text), self.room(), style);
            self.x = x;
        }
        self
    }

    /// Writes `text`, or as much of it as there is room for with a mark that it goes on.
    pub fn cut(&mut self, text: &str, role: Role, ascii: bool) -> &mut Self {
        let (room, text) = (self.room(), &*printable(text));
        if text.width() <= room { self.text(text, role) } else { self.text(&fit(text, room, ascii), role) }
    }

    /// Writes all pieces, or none where there is no room for all of them.
    pub fn all_or_none(&mut self, pieces: &[(&str, Role)]) -> bool {
        let fits = pieces.iter().map(|(text, _)| printable(text).width()).sum::<usize>() <= self.room();
        if fits {
            for (text, role) in pieces {
                self.text(text, *role);
            }
        }
        fits
    }

    /// Leaves so many columns as they are.
    pub fn skip(&mut self, columns: usize) -> &mut Self {
        self.x = self.x.saturating_add(u16::try_from(columns).unwrap_or(u16::MAX)).min(self.end);
        self
    }

    /// Fills the rest of the line.
    pub fn fill(&mut self, symbol: &str, role: Role) {
        while self.x < self.end {
            self.text(symbol, role);
        }
    }
}
