//! A line chart in character cells: Braille dots, or one ASCII character a cell.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::Pen;
use crate::console::theme::{Role, Theme};
use crate::engine::DetailPoint;
use crate::series::Timestamp;

/// The dots of a Braille character by row and column, from the top left.
const DOTS: [[u32; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];

/// What a cell shows.
#[derive(Debug, Clone, Copy, Default)]
struct Cell {
    actual: u32,
    expected: u32,
    band: bool,
    anomaly: bool,
    shade: bool,
    cursor: bool,
}

/// A chart of means against time.
#[derive(Debug)]
pub struct Plot {
    width: usize,
    height: usize,
    ascii: bool,
    times: Range<i64>,
    values: Range<f64>,
    cells: Vec<Cell>,
}

impl Plot {
    /// An empty chart of so many cells over these times and values.
    pub fn new(width: u16, height: u16, times: Range<Timestamp>, values: Range<f64>, ascii: bool) -> Self {
        let (width, height) = (usize::from(width), usize::from(height));
        Self {
            width,
            height,
            ascii,
            times: times.start.seconds()..times.end.seconds(),
            values,
            cells: vec![Cell::default(); width * height],
        }
    }

    /// Dots of a cell: columns and rows.
    fn grain(&self) -> (usize, usize) {
        if self.ascii { (1, 1) } else { (2, 4) }
    }

    fn columns(&self) -> usize {
        self.width * self.grain().0
    }

    fn rows(&self) -> usize {
        self.height * self.grain().1
    }

    /// The dot column of a moment; none outside.
    fn x(&self, time: Timestamp) -> Option<usize> {
        let span = self.times.end - self.times.start;
        let since = time.seconds() - self.times.start;
        if self.width == 0 || span <= 0 || since < 0 || since > span {
            return None;
        }
        Some((since as f64 / span as f64 * (self.columns() - 1) as f64).round() as usize)
    }

    /// The dot row of a value, counted from the top; values outside go to the edge.
    fn y(&self, value: f64) -> usize {
        let share = (value - self.values.start) / (self.values.end - self.values.start);
        let share = if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 };
        let last = self.rows().saturating_sub(1);
        last - (share * last as f64).round() as usize
    }

    /// The cell column of a moment.
    pub fn column(&self, time: Timestamp) -> Option<usize> {
        self.x(time).map(|x| x / self.grain().0)
    }

    fn dot(&mut self, x: usize, y: usize, actual: bool, anomaly: bool) {
        let (columns, rows) = self.grain();
        let Some(cell) = self.cells.get_mut(y / rows * self.width + x / columns) else { return };
        let bit = DOTS[y % rows][x % columns];
        if actual {
            cell.actual |= bit;
            cell.anomaly |= anomaly;
        } else {
            cell.expected |= bit;
        }
    }

    /// Marks the time of an incident.
    pub fn shade(&mut self, from: Timestamp, to: Timestamp) {
        let (start, end) = (Timestamp::from_seconds(self.times.start), Timestamp::from_seconds(self.times.end));
        if from > end || to < start {
            return;
        }
        let columns = self.column(from.max(start)).zip(self.column(to.min(end)));
        let Some((first, last)) = columns else { return };
        for row in self.cells.chunks_mut(self.width.max(1)) {
            row[first..=last].iter_mut().for_each(|cell| cell.shade = true);
        }
    }

    /// Marks a moment with a line from top to bottom.
    pub fn cursor(&mut self, at: Timestamp) {
        let Some(column) = self.column(at) else { return };
        for row in self.cells.chunks_mut(self.width.max(1)) {
            row[column].cursor = true;
        }
    }

    /// Draws all rows. Two rows that lie more than one and a half steps apart are not joined.
    pub fn rows_of(&mut self, points: &[DetailPoint], step: i64) {
        for (i, point) in points.iter().enumerate() {
            let before = i.checked_sub(1).map(|b| &points[b]);
            let before = before.filter(|b| 2 * point.time.since(b.time) <= 3 * step);
            let Some(x) = self.x(point.time) else { continue };
            let from = before.and_then(|b| Some((self.x(b.time)?, b)));
            if let Some(band) = point.band {
                let first = from.map_or(x, |(x0, _)| x0);
                for column in first / self.grain().0..=x / self.grain().0 {
                    self.band(column, band);
                }
            }
            if let Some(expected) = point.expected {
                let from = from.and_then(|(x0, b)| Some((x0, b.expected?[1])));
                self.join(from, (x, expected[1]), false, false);
            }
            self.join(from.map(|(x0, b)| (x0, b.actual[1])), (x, point.actual[1]), true, point.anomaly);
            // several rows as one reach from the lowest to the highest
            for y in self.y(point.range[1])..=self.y(point.range[0]) {
                self.dot(x, y, true, point.anomaly);
            }
        }
    }

    fn band(&mut self, column: usize, [low, high]: [f64; 2]) {
        let rows = self.grain().1;
        let (top, bottom) = (self.y(high) / rows, self.y(low) / rows);
        for row in top..=bottom {
            if let Some(cell) = self.cells.get_mut(row * self.width + column) {
                cell.band = true;
            }
        }
    }

    /// A line between two points, or a dot where there is only one.
    fn join(&mut self, from: Option<(usize, f64)>, to: (usize, f64), actual: bool, anomaly: bool) {
        let (x1, y1) = (to.0, self.y(to.1));
        let (x0, y0) = from.map_or((x1, y1), |(x, value)| (x, self.y(value)));
        let mut last = y0;
        for x in x0..=x1 {
            let share = if x1 == x0 { 1.0 } else { (x - x0) as f64 / (x1 - x0) as f64 };
            let y = (y0 as f64 + share * (y1 as f64 - y0 as f64)).round() as usize;
            // the expected line is dotted: a shape of its own
            if actual || x % 3 == 0 {
                let rows = if actual { last.min(y)..=last.max(y) } else { y..=y };
                for row in rows {
                    self.dot(x, row, actual, anomaly && share > 0.5);
                }
            }
            last = y;
        }
    }

    /// Writes the chart into `area`.
    pub fn draw(&self, area: Rect, theme: Theme, buffer: &mut Buffer) {
        let mut text = [0; 4];
        for (row, y) in self.cells.chunks(self.width.max(1)).zip(0..area.height) {
            let mut pen = Pen::new(buffer, theme, area, y);
            for cell in row {
                let (symbol, role) = self.symbol(cell, y == 0);
                pen.text(symbol.encode_utf8(&mut text), role);
            }
        }
    }

    fn symbol(&self, cell: &Cell, top: bool) -> (char, Role) {
        let role = match cell {
            Cell { anomaly: true, .. } => Role::Alarm,
            Cell { actual: 1.., .. } => Role::Load,
            Cell { cursor: true, .. } => Role::Back,
            Cell { shade: true, .. } if top => Role::Shade,
            Cell { expected: 1.., .. } => Role::Expected,
            Cell { band: true, .. } => Role::Band,
            _ => Role::Text,
        };
        let symbol = match (role, self.ascii) {
            (Role::Alarm, true) => '#',
            (Role::Load, true) => '*',
            (Role::Expected, true) => '-',
            (Role::Back, ascii) => {
                if ascii {
                    '|'
                } else {
                    '┊'
                }
            }
            (Role::Shade, ascii) => {
                if ascii {
                    '^'
                } else {
                    '▀'
                }
            }
            (Role::Band, true) => ':',
            (Role::Band, false) => '░',
            (Role::Text, _) => ' ',
            _ => char::from_u32(0x2800 + (cell.actual | cell.expected)).unwrap_or(' '),
        };
        (symbol, role)
    }
}

/// A round number that is at least `value`: for the end of an axis.
pub fn round_up(value: f64) -> f64 {
    if !value.is_finite() || value <= 0.0 {
        return 1.0;
    }
    let power = libm::pow(10.0, libm::floor(libm::log10(value)));
    let steps = [1.0, 1.2, 1.6, 2.0, 2.4, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0];
    let share = value / power;
    steps.iter().find(|s| **s >= share - 1e-9).map_or(value, |s| s * power)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(time: i64, value: f64) -> DetailPoint {
        DetailPoint {
            time: Timestamp::from_seconds(time),
            actual: [value, value],
            range: [value; 2],
            expected: Some([5.0, 5.0]),
            band: Some([4.0, 6.0]),
            error: 0.0,
            score: 0.0,
            anomaly: value > 9.0,
        }
    }

    fn lines(points: &[DetailPoint], ascii: bool) -> Vec<String> {
        let times = Timestamp::from_seconds(0)..Timestamp::from_seconds(90);
        let mut plot = Plot::new(10, 5, times, 0.0..10.0, ascii);
        plot.rows_of(points, 10);
        let area = Rect::new(0, 0, 10, 5);
        let mut buffer = Buffer::empty(area);
        plot.draw(area, Theme::default(), &mut buffer);
        (0..5).map(|y| (0..10).map(|x| buffer[(x, y)].symbol().to_owned()).collect()).collect()
    }

    #[test]
    fn a_gap_stays_a_gap_and_an_anomaly_has_its_own_shape() {
        let mut points: Vec<_> = (0..10).map(|i| point(i * 10, 1.0)).collect();
        points[9] = point(90, 10.0);
        points.drain(4..6);
        let plain = lines(&points, true);
        assert_eq!(plain[4], "****  ***#", "{plain:#?}");
        assert_eq!(plain[0], "         #");
        let braille = lines(&points, false);
        assert!(braille.iter().all(|l| l.chars().nth(4) == Some(' ')), "{braille:#?}");
        assert!(braille.iter().any(|l| l.contains('░')));
    }

    #[test]
    fn nothing_and_one_row_can_be_drawn() {
        assert!(lines(&[], false).iter().all(|l| l.trim().is_empty()));
        assert!(lines(&[point(0, 3.0)], false).iter().any(|l| !l.trim().is_empty()));
        lines(&[point(0, f64::MAX), point(10, f64::MIN)], false);
        Plot::new(0, 0, Timestamp::from_seconds(0)..Timestamp::from_seconds(0), 0.0..0.0, false)
            .rows_of(&[point(0, 1.0)], 10);
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (value, want) in [(3.9e9, 4e9), (1.0, 1.0), (1.3, 1.6), (0.0, 1.0), (99.0, 100.0), (f64::NAN, 1.0)] {
            let got = round_up(value);
            assert!((got - want).abs() < 1e-6 * want, "{value}: {got}");
        }
    }
}
