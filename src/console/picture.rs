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
         viewBox=\"0 0 {width:.1} {height:.1}\" role=\"img\" font-size=\"14\" \
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
    let top = MARGIN + f64::from(y - buffer.area.top()) * CELL.1;
    let mut x = buffer.area.left();
    while x < buffer.area.right() {
        let look = Look::of(&buffer[(x, y)]);
        let start = x;
        let mut run = Run::default();
        while x < buffer.area.right() && Look::of(&buffer[(x, y)]) == look {
            let symbol = buffer[(x, y)].symbol();
            // a wide character covers the cell after it
            let width = symbol.width().max(1);
            run.add(symbol, width, MARGIN + f64::from(x - buffer.area.left()) * CELL.0, top);
            x = x.saturating_add(u16::try_from(width).unwrap_or(1));
        }
        run.end_word();
        let left = MARGIN + f64::from(start - buffer.area.left()) * CELL.0;
        look.write(&run, left, top, f64::from(x.min(buffer.area.right()) - start) * CELL.0, out);
    }
}

/// What a run of cells shows: words, and what is drawn rather than written. Sparklines, charts and
/// lines are drawn, since few fonts have all their characters in the width of a cell.
#[derive(Debug, Default)]
struct Run {
    /// Left end, columns, text.
    words: Vec<(f64, usize, String)>,
    word: Option<(f64, usize, String)>,
    blanks: usize,
    solid: String,
    shaded: String,
}

impl Run {
    fn add(&mut self, symbol: &str, width: usize, x: f64, y: f64) {
        if symbol.trim().is_empty() {
            self.blanks += width;
            return;
        }
        if let Some(shape) = shape(symbol, x, y) {
            self.end_word();
            self.solid.push_str(&shape);
            return;
        }
        if symbol == "░" {
            self.end_word();
            self.shaded.push_str(&rectangle(x, y, CELL.0, CELL.1));
            return;
        }
        // darker shades are drawn as stripes of the cell
        if let Some(stripe) = ["▒", "▓"].iter().position(|s| *s == symbol) {
            self.end_word();
            let height = [2.2, 3.4][stripe];
            let stripes = (0..4).map(|n| rectangle(x, y + f64::from(n) * CELL.1 / 4.0, CELL.0, height));
            self.solid.extend(stripes);
            return;
        }
        // one blank is part of a text; more of them would be lost in it
        if self.blanks > 1 {
            self.end_word();
        }
        let (_, columns, text) = self.word.get_or_insert_with(|| (x, 0, String::new()));
        if self.blanks == 1 && *columns > 0 {
            text.push(' ');
            *columns += 1;
        }
        self.blanks = 0;
        text.push_str(symbol);
        *columns += width;
    }

    fn end_word(&mut self) {
        self.blanks = 0;
        self.words.extend(self.word.take());
    }
}

/// Part of an SVG path: a rectangle.
fn rectangle(x: f64, y: f64, width: f64, height: f64) -> String {
    format!("M{x:.1} {y:.1}h{width:.2}v{height:.2}h-{width:.2}z")
}

/// Blocks, bars, Braille dots and lines as part of an SVG path.
fn shape(symbol: &str, x: f64, y: f64) -> Option<String> {
    let (width, height) = CELL;
    let (middle, centre) = (x + width / 2.0, y + height / 2.0);
    let code = u32::from(symbol.chars().next()?);
    Some(match code {
        // eighths from below: ▁ to █
        0x2581..=0x2588 => {
            let filled = f64::from(code - 0x2580) / 8.0 * height;
            rectangle(x, y + height - filled, width, filled)
        }
        // eighths from the left: ▉ to ▏
        0x2589..=0x258f => rectangle(x, y, f64::from(0x2590 - code) / 8.0 * width, height),
        0x2595 => rectangle(x + width * 7.0 / 8.0, y, width / 8.0, height),
        0x2800..=0x28ff => dots(code - 0x2800, x, y),
        0x2500 => rectangle(x, centre - 0.5, width, 1.0),
        0x2502 => rectangle(middle - 0.5, y, 1.0, height),
        // a dotted line, and the upper half
        0x250a => (0..4).map(|n| rectangle(middle - 0.7, y + f64::from(n) * height / 4.0 + 1.0, 1.4, 2.4)).collect(),
        0x2580 => rectangle(x, y, width, height / 2.0),
        0x2524 => rectangle(middle - 0.5, y, 1.0, height) + &rectangle(x, centre - 0.5, width / 2.0, 1.0),
        _ => return None,
    })
}

/// The dots of a Braille character.
fn dots(bits: u32, x: f64, y: f64) -> String {
    let mut out = String::new();
    let order = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
    for (bit, (column, row)) in order.into_iter().enumerate() {
        if bits & (1 << bit) != 0 {
            let (left, top) = (f64::from(column) * CELL.0 / 2.0, f64::from(row) * CELL.1 / 4.0);
            out.push_str(&rectangle(x + left + 1.0, y + top + 1.2, 2.2, 2.2));
        }
    }
    out
}

/// How a run of cells looks.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    foreground: String,
    background: Option<String>,
    bold: bool,
    dim: bool,
    underlined: bool,
}

impl Look {
    /// Writes a run that begins at `left` and is `width` wide.
    fn write(&self, run: &Run, left: f64, top: f64, width: f64, out: &mut String) {
        let fill = &self.foreground;
        let opacity = if self.dim { " opacity=\"0.6\"" } else { "" };
        if let Some(background) = &self.background {
            let _ = writeln!(out, "<path d=\"{}\" fill=\"{background}\"/>", rectangle(left, top, width, CELL.1));
        }
        if !run.shaded.is_empty() {
            let _ = writeln!(out, "<path d=\"{}\" fill=\"{fill}\" fill-opacity=\"0.25\"/>", run.shaded);
        }
        if !run.solid.is_empty() {
            let _ = writeln!(out, "<path d=\"{}\" fill=\"{fill}\"{opacity}/>", run.solid);
        }
        let weight = if self.bold { " font-weight=\"bold\"" } else { "" };
        let line = if self.underlined { " text-decoration=\"underline\"" } else { "" };
        for (x, columns, text) in &run.words {
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{:.1}\" lengthAdjust=\"spacingAndGlyphs\" \
                 fill=\"{fill}\"{weight}{opacity}{line}>{}</text>",
                top + 13.5,
                *columns as f64 * CELL.0,
                escaped(text)
            );
        }
    }

    fn of(cell: &Cell) -> Self {
        let (mut foreground, mut background) = (hex(cell.fg), hex(cell.bg));
        if cell.modifier.contains(Modifier::REVERSED) {
            let own = |color: Option<String>, usual: &str| Some(color.unwrap_or_else(|| usual.to_owned()));
            (foreground, background) = (own(background, BACKGROUND), own(foreground, FOREGROUND));
        }
        Self {
            foreground: foreground.unwrap_or_else(|| FOREGROUND.to_owned()),
            background,
            bold: cell.modifier.contains(Modifier::BOLD),
            dim: cell.modifier.contains(Modifier::DIM),
            underlined: cell.modifier.contains(Modifier::UNDERLINED),
        }
    }
}

/// The sixteen colours on a dark ground, then the cube and the greys that all terminals have; none for
/// the terminal's own.
fn hex(color: Color) -> Option<String> {
    const SIXTEEN: [&str; 16] = [
        "#16181d", "#ff6b6b", "#7fce7a", "#e5c07b", "#6aa5f7", "#c792ea", "#56c7d6", "#b8bcc4", "#6c7280", "#ff8f8f",
        "#a5e3a0", "#f3d99a", "#93c0ff", "#dcb3f5", "#8fe3ee", "#ffffff",
    ];
    let place = match color {
        Color::Black => 0,
        Color::Red => 1,
        Color::Green => 2,
        Color::Yellow => 3,
        Color::Blue => 4,
        Color::Magenta => 5,
        Color::Cyan => 6,
        Color::Gray => 7,
        Color::DarkGray => 8,
        Color::LightRed => 9,
        Color::LightGreen => 10,
        Color::LightYellow => 11,
        Color::LightBlue => 12,
        Color::LightMagenta => 13,
        Color::LightCyan => 14,
        Color::White => 15,
        Color::Indexed(place) => place,
        _ => return None,
    };
    Some(match place {
        0..16 => SIXTEEN[usize::from(place)].to_owned(),
        16..232 => {
            let level = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let cube = place - 16;
            format!("#{:02x}{:02x}{:02x}", level(cube / 36), level(cube / 6 % 6), level(cube % 6))
        }
        grey => {
            let level = 8 + 10 * (grey - 232);
            format!("#{level:02x}{level:02x}{level:02x}")
        }
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
        let mut buffer = Buffer::empty(Rect::new(0, 0, 12, 2));
        buffer.set_string(0, 0, "ab c   d", Style::new().fg(Color::Red).add_modifier(Modifier::BOLD));
        buffer.set_string(1, 1, "<&", Style::new().add_modifier(Modifier::REVERSED));
        buffer.set_string(4, 1, "█⠁░", Style::new().fg(Color::Cyan));
        let svg = svg(&buffer);
        for part in [
            // a single blank stays in a text, more of them end it
            "<text x=\"12.0\" y=\"25.5\" textLength=\"33.6\"",
            "fill=\"#ff6b6b\" font-weight=\"bold\">ab c</text>",
            "<text x=\"70.8\" y=\"25.5\" textLength=\"8.4\"",
            "<path d=\"M20.4 30.0h16.80v18.00h-16.80z\" fill=\"#d4d7dd\"/>",
            "fill=\"#16181d\">&lt;&amp;</text>",
            // the block and the dot are drawn in one, the shade apart
            "<path d=\"M45.6 30.0h8.40v18.00h-8.40zM55.0 31.2h2.20v2.20h-2.20z\" fill=\"#56c7d6\"/>",
            "fill=\"#56c7d6\" fill-opacity=\"0.25\"/>",
        ] {
            assert!(svg.contains(part), "{part}\n{svg}");
        }
        assert_eq!(svg.matches("<text").count(), 3);
    }

    #[test]
    fn colours_of_the_table_are_those_of_terminals() {
        let hex = |place| hex(Color::Indexed(place)).unwrap();
        assert_eq!(
            [hex(9), hex(16), hex(166), hex(231), hex(238)],
            ["#ff8f8f", "#000000", "#d75f00", "#ffffff", "#444444"]
        );
        assert_eq!(super::hex(Color::Reset), None);
    }

    #[test]
    fn a_still_asks_for_the_detail_and_shows_it() {
        let snapshot = Arc::new(fixture::snapshot());
        let mut still = Still::new(Options::default(), snapshot.clone(), 160, 40);
        let worst = fixture::id_of(&snapshot, "core-2 xe-0/1/3");
        let asked = still.show(snapshot);
        assert!(matches!(&asked[..], [Command::Look(Some(look))] if look.interface == worst), "{asked:?}");
        assert!(still.press(Key::Char('?')).is_empty());
        assert!(still.svg().contains("[Help]"));
    }
}
