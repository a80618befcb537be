//! A screen as a picture: SVG with real text in a fixed grid, made by the code that draws the console.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::Options;
use super::app::App;
use super::draw;
use super::event::{Effect, Event};
use super::key::Key;
use crate::engine::{Command, Snapshot};
use crate::series::Timestamp;

/// Width of a cell.
const CELL: (f64, f64) = (8.4, 18.0);
/// Around the screen.
const MARGIN: f64 = 12.0;
const BACKGROUND: &str = "#16181d";
const FOREGROUND: &str = "#d4d7dd";

/// A console without a terminal, to make a picture of.
#[derive(Debug)]
pub struct Still {
    app: App,
    now: Instant,
}

impl Still {
    /// A console of so many columns and rows.
    pub fn new(options: Options, snapshot: Arc<Snapshot>, width: u16, height: u16) -> Self {
        let now = Instant::now();
        let wall = snapshot.now.unwrap_or(Timestamp::from_seconds(0));
        Self { app: App::new(options, snapshot, (width, height), now, wall), now }
    }

    /// Shows a newer picture. Gives what the console asks the engine for: with the answer to that in
    /// the next picture, the detail is filled.
    pub fn show(&mut self, snapshot: Arc<Snapshot>) -> Vec<Command> {
        self.update(Event::Snapshot(snapshot))
    }

    /// Presses a key.
    pub fn press(&mut self, key: Key) -> Vec<Command> {
        self.update(Event::Key(key))
    }

    fn update(&mut self, event: Event) -> Vec<Command> {
        let effects = self.app.update(event, self.now);
        let command = |effect| if let Effect::Send(command) = effect { Some(command) } else { None };
        effects.into_iter().filter_map(command).collect()
    }

    /// The screen as SVG.
    pub fn svg(&self) -> String {
        let mut buffer = Buffer::empty(self.app.area());
        draw::draw(&self.app, &mut buffer);
        svg(&buffer)
    }
}

/// A buffer as SVG.
pub fn svg(buffer: &Buffer) -> String {
    let (columns, rows) = (f64::from(buffer.area.width), f64::from(buffer.area.height));
    let (width, height) = (columns * CELL.0 + 2.0 * MARGIN, rows * CELL.1 + 2.0 * MARGIN);
    let mut out = String::new();
    // writing to a string does not fail
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.1} {height:.1}\" role=\"img\" xml:space=\"preserve\" font-size=\"14\" \
         font-family=\"'DejaVu Sans Mono', 'Noto Sans Mono', Menlo, Consolas, monospace\">"
    );
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACKGROUND}\"/>");
    for y in buffer.area.top()..buffer.area.bottom() {
        row(buffer, y, &mut out);
    }
    out.push_str("</svg>\n");
    out
}

/// Cells of one look, side by side.
fn row(buffer: &Buffer, y: u16, out: &mut String) {
    let mut x = buffer.area.left();
    while x < buffer.area.right() {
        let look = Look::of(&buffer[(x, y)]);
        let start = x;
        let mut text = String::new();
        let mut columns = 0;
        while x < buffer.area.right() && Look::of(&buffer[(x, y)]) == look {
            let symbol = buffer[(x, y)].symbol();
            // a wide character covers the cell after it
            let width = symbol.width().max(1);
            text.push_str(symbol);
            columns += width;
            x = x.saturating_add(u16::try_from(width).unwrap_or(1));
        }
        let left = MARGIN + f64::from(start - buffer.area.left()) * CELL.0;
        let top = MARGIN + f64::from(y - buffer.area.top()) * CELL.1;
        let width = columns as f64 * CELL.0;
        if let Some(background) = look.background {
            let height = CELL.1;
            let _ = writeln!(
                out,
                "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{background}\"/>"
            );
        }
        if text.trim().is_empty() {
            continue;
        }
        let weight = if look.bold { " font-weight=\"bold\"" } else { "" };
        let opacity = if look.dim { " opacity=\"0.6\"" } else { "" };
        let line = if look.underlined { " text-decoration=\"underline\"" } else { "" };
        let _ = writeln!(
            out,
            "<text x=\"{left:.1}\" y=\"{:.1}\" textLength=\"{width:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
             fill=\"{}\"{weight}{opacity}{line}>{}</text>",
            top + 13.5,
            look.foreground,
            escaped(&text)
        );
    }
}

/// How a run of cells looks.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    foreground: &'static str,
    background: Option<&'static str>,
    bold: bool,
    dim: bool,
    underlined: bool,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (mut foreground, mut background) = (hex(cell.fg), hex(cell.bg));
        if cell.modifier.contains(Modifier::REVERSED) {
            (foreground, background) = (Some(background.unwrap_or(BACKGROUND)), Some(foreground.unwrap_or(FOREGROUND)));
        }
        Self {
            foreground: foreground.unwrap_or(FOREGROUND),
            background,
            bold: cell.modifier.contains(Modifier::BOLD),
            dim: cell.modifier.contains(Modifier::DIM),
            underlined: cell.modifier.contains(Modifier::UNDERLINED),
        }
    }
}

/// The sixteen colours of the theme on a dark ground; none for the terminal's own.
fn hex(color: Color) -> Option<&'static str> {
    Some(match color {
        Color::Black => "#16181d",
        Color::Red => "#ff6b6b",
        Color::Green => "#7fce7a",
        Color::Yellow => "#e5c07b",
        Color::Blue => "#6aa5f7",
        Color::Magenta => "#c792ea",
        Color::Cyan => "#56c7d6",
        Color::Gray => "#b8bcc4",
        Color::DarkGray => "#6c7280",
        Color::LightRed => "#ff8f8f",
        Color::LightGreen => "#a5e3a0",
        Color::LightYellow => "#f3d99a",
        Color::LightBlue => "#93c0ff",
        Color::LightMagenta => "#dcb3f5",
        Color::LightCyan => "#8fe3ee",
        Color::White => "#ffffff",
        _ => return None,
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    #[test]
    fn a_buffer_becomes_text_in_its_place_and_colour() {
        let mut buffer = Buffer::empty(Rect::new(0, 0, 6, 2));
        buffer.set_string(0, 0, "ab", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        buffer.set_string(1, 1, "<&", Style::new().add_modifier(Modifier::REVERSED));
        let svg = svg(&buffer);
        assert!(svg.contains("<text x=\"12.0\" y=\"25.5\" textLength=\"16.8\""), "{svg}");
        assert!(svg.contains("fill=\"#ff6b6b\" font-weight=\"bold\">ab</text>"), "{svg}");
        assert!(svg.contains("<rect x=\"20.4\" y=\"30.0\" width=\"16.8\" height=\"18.0\" fill=\"#d4d7dd\"/>"), "{svg}");
        assert!(svg.contains(">&lt;&amp;</text>"), "{svg}");
        assert_eq!(svg.matches("<text").count(), 2);
    }

    #[test]
    fn a_still_asks_for_the_detail_and_shows_it() {
        let snapshot = Arc::new(fixture::snapshot());
        let mut still = Still::new(Options::default(), snapshot.clone(), 160, 40);
        let worst = fixture::id_of(&snapshot, "core-2 xe-0/1/3");
        let asked = still.show(snapshot);
        assert!(matches!(asked[..], [Command::Select { interface: Some(id), .. }] if id == worst), "{asked:?}");
        assert!(still.press(Key::Char('?')).is_empty());
        assert!(still.svg().contains("[Help]"));
    }
}
