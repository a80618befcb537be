//! Pictures of the figures as SVG: box plots, a heat map, a series over time, autocorrelation, usual hours.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::draw::Axis;
use crate::evaluate::picture::PictureError;
use crate::explore::alike::{Alike, LEVEL, Tests};
use crate::explore::findings::length;
use crate::explore::{Columns, Figures};
use crate::format::{minute, units};
use crate::series::{DAY, Timestamp, WEEK, printable};

const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(228, 228, 228);
const BLUE: RGBColor = RGBColor(0, 114, 178);
const PALE: RGBColor = RGBColor(170, 205, 226);
const RED: RGBColor = RGBColor(213, 94, 0);
const FONT: &str = "sans-serif";
/// Width of a picture, and of the names left of it.
const WIDTH: u32 = 1000;
const NAMES: u32 = 250;
/// Height of a line with a name.
const LINE: u32 = 22;
/// Characters of a name that fit.
const NAME: usize = 36;
/// Columns of a series over time.
const COLUMNS: usize = 860;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;

fn drawn(height: u32, draw: impl FnOnce(&Area<'_>) -> Result<(), PictureError>) -> Result<String, PictureError> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, (WIDTH, height)).into_drawing_area();
        draw(&area)?;
        area.present()?;
    }
    Ok(text)
}

fn words(size: u32, h: HPos, v: VPos) -> TextStyle<'static> {
    (FONT, size).into_font().color(&INK).pos(Pos::new(h, v))
}

/// The name of an interface; of a long one the end, which tells it apart.
pub(super) fn name(f: &Figures) -> String {
    let name = printable(&format!("{} {}", f.hostname, f.ifname)).into_owned();
    let length = name.chars().count();
    if length <= NAME {
        return name;
    }
    std::iter::once('…').chain(name.chars().skip(length - NAME + 1)).collect()
}

/// The box plots of some interfaces on one axis.
pub(super) fn boxes(shown: &[&Figures]) -> Result<String, PictureError> {
    let axis = Axis::over(shown.iter().map(|f| &f.quantiles));
    let height = shown.len() as u32 * LINE + 34;
    drawn(height, |area| {
        let (left, right) = (i32::try_from(NAMES).unwrap_or(0), (WIDTH - NAMES - 20) as f64);
        let x = |value: f64| left + (axis.place(value) * right) as i32;
        let bottom = (shown.len() as u32 * LINE) as i32;
        for k in 0..=6 {
            let value = axis.value(f64::from(k) / 6.0);
            area.draw(&PathElement::new([(x(value), 0), (x(value), bottom + 4)], GRID))?;
            area.draw(&Text::new(units(value), (x(value), bottom + 8), words(12, HPos::Center, VPos::Top)))?;
        }
        for (i, f) in (0..).zip(shown) {
            let (middle, plot) = (i * LINE as i32 + LINE as i32 / 2, &f.box_plot);
            area.draw(&Text::new(name(f), (left - 8, middle), words(12, HPos::Right, VPos::Center)))?;
            area.draw(&PathElement::new([(x(plot.low), middle), (x(plot.high), middle)], INK))?;
            let edges = [(x(plot.q25), middle - 6), (x(plot.q75).max(x(plot.q25) + 1), middle + 6)];
            area.draw(&Rectangle::new(edges, PALE.filled()))?;
            area.draw(&Rectangle::new(edges, BLUE))?;
            for end in [plot.low, plot.high] {
                area.draw(&PathElement::new([(x(end), middle - 4), (x(end), middle + 4)], INK))?;
            }
            area.draw(&PathElement::new(
                [(x(plot.median), middle - 6), (x(plot.median), middle + 6)],
                INK.stroke_width(3),
            ))?;
            for (outliers, value) in [(plot.below, f.quantiles.min), (plot.above, f.quantiles.max)] {
                if outliers > 0 {
                    area.draw(&Circle::new((x(value), middle), 3, RED.stroke_width(1)))?;
                }
            }
        }
        Ok(())
    })
}

/// Distances of all pairs tested: the darker, the farther apart.
pub(super) fn heat(alike: &Alike, tests: &Tests, interfaces: &[Figures]) -> Result<String, PictureError> {
    let n = alike.interfaces.len();
    let cell = (700 / n.max(1)).clamp(12, 44) as i32;
    let side = cell * n as i32;
    let left = i32::try_from(NAMES).unwrap_or(0);
    drawn(side as u32 + 30, |area| {
        for (i, a) in alike.interfaces.iter().enumerate() {
            let y = i as i32 * cell;
            let size = (cell as u32 * 2 / 3).clamp(9, 12);
            let at = (left - 8, y + cell / 2);
            area.draw(&Text::new(name(&interfaces[*a]), at, words(size, HPos::Right, VPos::Center)))?;
            for j in 0..n {
                let Some(place) = alike.place(i, j) else { continue };
                let (d, x) = (tests.distance[place], left + j as i32 * cell);
                let shade = |from: u8, to: u8| (f64::from(from) + d * (f64::from(to) - f64::from(from))) as u8;
                let colour = RGBColor(shade(245, 8), shade(248, 48), shade(252, 107));
                area.draw(&Rectangle::new([(x, y), (x + cell - 1, y + cell - 1)], colour.filled()))?;
                let ink = if d > 0.5 { WHITE } else { INK };
                let said = match (tests.p[place] >= LEVEL, cell >= 26) {
                    (true, _) => "=".to_owned(),
                    (false, true) => format!("{d:.2}"),
                    (false, false) => continue,
                };
                let style = (FONT, 11).into_font().color(&ink).pos(Pos::new(HPos::Center, VPos::Center));
                area.draw(&Text::new(said, (x + cell / 2, y + cell / 2), style))?;
            }
        }
        let said = "D from 0 (pale) to 1 (dark); = where the distributions do not differ";
        area.draw(&Text::new(said, (left, side + 8), words(12, HPos::Left, VPos::Top)))?;
        Ok(())
    })
}

/// A frame for curves, with marks on both axes: their places (0 to 1) and words. Gives where a point of the
/// unit square lies.
fn frame(
    area: &Area<'_>,
    height: u32,
    x_marks: &[(f64, String)],
    y_marks: &[(f64, String)],
) -> Result<impl Fn(f64, f64) -> (i32, i32) + use<>, PictureError> {
    let (left, top, right, bottom) = (70.0, 8.0, f64::from(WIDTH) - 20.0, f64::from(height) - 26.0);
    let at = move |x: f64, y: f64| ((left + x * (right - left)) as i32, (bottom - y * (bottom - top)) as i32);
    for (y, word) in y_marks {
        area.draw(&PathElement::new([at(0.0, *y), at(1.0, *y)], GRID))?;
        area.draw(&Text::new(word.clone(), (62, at(0.0, *y).1), words(12, HPos::Right, VPos::Center)))?;
    }
    for (x, word) in x_marks {
        let foot = at(*x, 0.0);
        area.draw(&PathElement::new([foot, (foot.0, foot.1 + 4)], INK))?;
        let side = if *x > 0.95 {
            HPos::Right
        } else if *x < 0.05 {
            HPos::Left
        } else {
            HPos::Center
        };
        area.draw(&Text::new(word.clone(), (foot.0, foot.1 + 7), words(12, side, VPos::Top)))?;
    }
    area.draw(&PathElement::new([at(0.0, 1.0), at(0.0, 0.0), at(1.0, 0.0)], INK))?;
    Ok(at)
}

/// Mean values over time: in each column from the lowest to the highest of its slots; gaps stay empty.
pub(super) fn series(f: &Figures, rows: &Columns) -> Result<String, PictureError> {
    let axis = Axis::over([&f.quantiles]);
    let span = f.span().max(1);
    let x_marks: Vec<(f64, String)> = (0..=4)
        .map(|k| (f64::from(k) / 4.0, minute(Timestamp::from_seconds(f.first.seconds() + span * i64::from(k) / 4))))
        .collect();
    let y_marks: Vec<(f64, String)> =
        (0..=4).map(|k| (f64::from(k) / 4.0, units(axis.value(f64::from(k) / 4.0)))).collect();
    drawn(220, |area| {
        let at = frame(area, 220, &x_marks, &y_marks)?;
        let mut before: Option<usize> = None;
        let mut pieces: Vec<Vec<(usize, f64, f64)>> = Vec::new();
        let reach = f.step.map_or(1, |step| (COLUMNS as i64 * step / span) as usize + 1);
        for (seconds, value) in rows.seconds().zip(rows.mean()) {
            let column = ((seconds - f.first.seconds()) as f64 / span as f64 * (COLUMNS - 1) as f64) as usize;
            let place = axis.place(*value);
            match pieces.last_mut() {
                Some(piece) if before.is_some_and(|last| column - last <= reach) => match piece.last_mut() {
                    Some(last) if last.0 == column => (last.1, last.2) = (last.1.min(place), last.2.max(place)),
                    _ => piece.push((column, place, place)),
                },
                _ => pieces.push(vec![(column, place, place)]),
            }
            before = Some(column);
        }
        for piece in pieces {
            let x = |column: usize| column as f64 / (COLUMNS - 1) as f64;
            let points: Vec<(i32, i32)> =
                piece.iter().flat_map(|(column, low, high)| [at(x(*column), *low), at(x(*column), *high)]).collect();
            area.draw(&PathElement::new(points, BLUE.stroke_width(1)))?;
        }
        Ok(())
    })
}

/// Autocorrelation by lag, up to a little more than a week, with day, week and what chance gives.
pub(super) fn echoes(f: &Figures) -> Result<Option<String>, PictureError> {
    let (Some(echoes), Some(step)) = (&f.echoes, f.step) else { return Ok(None) };
    let lags = (((WEEK + DAY / 2) / step).max(1) as usize).min(echoes.curve.len() - 1).max(1);
    let lowest = echoes.curve[..=lags].iter().copied().fold(-0.2, f64::min);
    let y = |r: f64| (r - lowest) / (1.0 - lowest);
    let days = (1..=8).map(|d| (d * DAY / step, length(d * DAY))).filter(|(lag, _)| *lag as usize <= lags);
    let mut x_marks: Vec<(f64, String)> = days.map(|(lag, word)| (lag as f64 / lags as f64, word)).collect();
    if x_marks.is_empty() {
        x_marks.push((1.0, length(lags as i64 * step)));
    }
    let y_marks: Vec<(f64, String)> = [0.0, 0.5, 1.0].map(|r| (y(r), format!("{r:.1}"))).to_vec();
    let svg = drawn(170, |area| {
        let at = frame(area, 170, &x_marks, &y_marks)?;
        let points: Vec<(i32, i32)> =
            (0..=lags).map(|lag| at(lag as f64 / lags as f64, y(echoes.curve[lag]))).collect();
        area.draw(&PathElement::new([at(0.0, y(echoes.chance)), at(1.0, y(echoes.chance))], RED))?;
        area.draw(&PathElement::new(points, BLUE.stroke_width(2)))?;
        for period in echoes.periods.iter().filter(|p| p.slots <= lags) {
            area.draw(&Circle::new(at(period.slots as f64 / lags as f64, y(period.correlation)), 4, RED.filled()))?;
        }
        Ok(())
    })?;
    Ok(Some(svg))
}

/// The usual by hour of day and by weekday, as bars from zero.
pub(super) fn profile(f: &Figures) -> Result<String, PictureError> {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let all: Vec<Option<f64>> = f.profile.hours.iter().chain(&f.profile.weekdays).copied().collect();
    let low = all.iter().flatten().copied().fold(0.0, f64::min);
    let high = all.iter().flatten().copied().fold(low, f64::max);
    let share = |v: f64| if high > low { (v - low) / (high - low) } else { 0.0 };
    // A blank stands between hours and weekdays.
    let slot = |i: usize| (i + usize::from(i >= 24)) as f64 / 32.0;
    let marks = (0..24).step_by(3).map(|hour| (hour, format!("{hour:02}:00")));
    let days = (24..31).map(|i| (i, DAYS[i - 24].to_owned()));
    let x_marks: Vec<(f64, String)> = marks.chain(days).map(|(i, word)| (slot(i) + 0.4 / 32.0, word)).collect();
    let y_marks: Vec<(f64, String)> = [low, f64::midpoint(low, high), high].map(|v| (share(v), units(v))).to_vec();
    drawn(150, |area| {
        let at = frame(area, 150, &x_marks, &y_marks)?;
        for (i, value) in all.iter().enumerate() {
            if let Some(value) = value {
                let corners = [at(slot(i), share(0.0_f64.clamp(low, high))), at(slot(i) + 0.8 / 32.0, share(*value))];
                area.draw(&Rectangle::new(corners, PALE.filled()))?;
            }
        }
        Ok(())
    })
}
