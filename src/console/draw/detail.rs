//! One interface in full: actual against expected with its band, the error under it, and words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::Pen;
use super::plot::{Plot, round_up};
use super::title;
use crate::console::app::App;
use crate::console::filter::state_word;
use crate::console::format;
use crate::console::layout::{self, AXIS};
use crate::console::spark;
use crate::console::theme::Role;
use crate::engine::{DetailPoint, DetailView, Expert, InterfaceState, InterfaceView};
use crate::series::{DAY, Timestamp};

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let chosen = app.fleet.selected();
    let Some(view) = chosen.and_then(|id| app.fleet.interface(&app.snapshot, id)) else {
        title(app, area, buffer, "Detail", false, &[]);
        Pen::new(buffer, app.theme(), area, 1).text("no interface is chosen", Role::Faint);
        return;
    };
    let head = layout::title(area);
    if head > 0 {
        title(app, area, buffer, &view.name.to_string(), app.detail, &facts(app, view));
    }
    let mut body = Rect { y: area.y + head, height: area.height - head, ..area };
    let detail = app.snapshot.detail.as_deref().filter(|d| d.id == view.id);
    let words = words(view, detail);
    let lines = match body.height {
        0..=4 => u16::from(detail.is_none()),
        5..=8 => 1,
        9..=12 => 2,
        _ => 4,
    };
    let lines = lines.min(u16::try_from(words.len()).unwrap_or(0));
    body.height -= lines.min(body.height);
    for (line, y) in words.iter().take(usize::from(lines)).zip(0..) {
        let below = Rect { x: body.x, y: body.y + body.height, width: body.width, height: lines };
        let mut pen = Pen::new(buffer, app.theme(), below, y);
        pen.skip(1);
        for (text, role) in line {
            // a fact that does not fit whole is left out
            if !pen.all_or_none(&[(text, *role)]) {
                break;
            }
        }
    }
    match detail {
        Some(detail) if detail.points.len() > 1 => chart(app, view, detail, body, buffer),
        Some(_) => {
            Pen::new(buffer, app.theme(), body, 0).text(" too few rows for a chart", Role::Faint);
        }
        None => {
            let text = format!(" reading its rows {}", app.glyphs().ellipsis());
            Pen::new(buffer, app.theme(), body, 0).text(&text, Role::Faint);
        }
    }
}

fn facts(app: &App, view: &InterfaceView) -> Vec<(String, Role)> {
    let (mark, role) = app.glyphs().state(view.state, view.error);
    let mut facts = Vec::new();
    let state = format!("{mark} {}", state_word(view.state));
    let since = view.since.map(|t| format!(" since {}", format::when(t, app.snapshot.now)));
    facts.push((format!("{}{}", state.trim_start(), since.unwrap_or_default()), role));
    facts.push((
        if app.options.ascii {
            "* actual  - expected  : usual".to_owned()
        } else {
            "⣀ actual  ⠠ expected  ░ usual".to_owned()
        },
        Role::Faint,
    ));
    facts
}

fn chart(app: &App, view: &InterfaceView, detail: &DetailView, body: Rect, buffer: &mut Buffer) {
    if body.width <= AXIS || body.height < 2 {
        return;
    }
    let points = &detail.points;
    let step = view.step.map_or(1, |s| s.seconds());
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
    // a silent interface's rows end before now: the chart does not
    let end = app.snapshot.now.map_or(last.time, |now| now.max(last.time));
    let times = first.time..end;
    let below = match body.height {
        0..=2 => 0,
        3..=4 => 1,
        _ => 2,
    };
    let area = Rect { x: body.x + AXIS, width: body.width - AXIS, height: body.height - below, ..body };
    let values = scale(points);
    let mut plot = Plot::new(area.width, area.height, times.clone(), values.clone(), app.options.ascii);
    plot.rows_of(points, step);
    plot.draw(area, app.theme(), buffer);
    axis(app, body, area.height, &values, buffer);
    if below > 1 {
        errors(app, points, &plot, area, buffer);
    }
    if below > 0 {
        let line = Rect { y: body.y + body.height - 1, height: 1, ..area };
        time_axis(app, times, line, buffer);
    }
}

/// From zero (or the lowest value below it) to a round number above the highest.
fn scale(points: &[DetailPoint]) -> std::ops::Range<f64> {
    let means = points.iter().flat_map(|p| [Some(p.actual[1]), p.expected.map(|e| e[1])]).flatten();
    let (mut low, mut high) = (0.0_f64, 0.0_f64);
    for value in means.filter(|v| v.is_finite()) {
        low = low.min(value);
        high = high.max(value);
    }
    let low = if low < 0.0 { -round_up(-low) } else { 0.0 };
    let high = if high > 0.0 || low == 0.0 { round_up(high) } else { 0.0 };
    low..high
}

fn axis(app: &App, body: Rect, height: u16, values: &std::ops::Range<f64>, buffer: &mut Buffer) {
    let glyphs = app.glyphs();
    for y in 0..height {
        let share = 1.0 - f64::from(y) / f64::from(height.saturating_sub(1).max(1));
        let labelled = y == 0 || y == height - 1 || (height >= 5 && y == (height - 1) / 2 && height % 2 == 1);
        let label =
            if labelled { format::units(values.start + share * (values.end - values.start)) } else { String::new() };
        let mark = if labelled { glyphs.tick() } else { glyphs.wall() };
        let mut pen = Pen::new(buffer, app.theme(), Rect { width: AXIS, ..body }, y);
        pen.text(&format!("{label:>6}"), Role::Faint).text(mark, Role::Rule);
    }
}

/// The size of the error in each column; what the model calls an anomaly stands out.
fn errors(app: &App, points: &[DetailPoint], plot: &Plot, area: Rect, buffer: &mut Buffer) {
    let mut columns = vec![(f32::NAN, false); usize::from(area.width)];
    for point in points {
        if let Some((error, anomaly)) = plot.column(point.time).and_then(|c| columns.get_mut(c)) {
            *error = error.max(point.error.abs());
            *anomaly |= point.anomaly;
        }
    }
    // fewer rows than columns: the columns between two rows show the later one
    let step = usize::from(area.width) / points.len().max(1);
    if step > 1 {
        for i in (0..columns.len()).rev() {
            if columns[i].0.is_nan() {
                let next = (i + 1..columns.len()).take(step).find(|n| columns[*n].0.is_finite());
                columns[i] = next.map_or(columns[i], |n| columns[n]);
            }
        }
    }
    let mut line = String::new();
    let sizes: Vec<f32> = columns.iter().map(|(error, _)| *error).collect();
    spark::spark(&sizes, app.options.ascii, &mut line);
    let whole = Rect { x: area.x - AXIS, y: area.y + area.height, width: area.width + AXIS, height: 1 };
    let mut pen = Pen::new(buffer, app.theme(), whole, 0);
    pen.text(&format!("{:>6} ", "error"), Role::Faint);
    let mut text = [0; 4];
    for (symbol, (_, anomaly)) in line.chars().zip(&columns) {
        pen.text(symbol.encode_utf8(&mut text), if *anomaly { Role::Alarm } else { Role::Text });
    }
}

fn time_axis(app: &App, times: std::ops::Range<Timestamp>, line: Rect, buffer: &mut Buffer) {
    let span = times.end.since(times.start);
    let label = |t: Timestamp| match span {
        s if s <= 36 * 3600 => format::clock(t),
        s if s <= 14 * DAY => format!("{} {}", format::day(t), format::clock(t)),
        _ => format::day(t),
    };
    let width = usize::from(line.width);
    let (first, last) = (label(times.start), format!("{} UTC", label(times.end)));
    let mut text = format::fit(&first, width, app.options.ascii);
    if first.len() + last.len() < width {
        let gap = width - first.len() - last.len();
        let middle = label(times.start.plus(span / 2));
        let at = (width / 2).saturating_sub(middle.len() / 2);
        text = first.clone();
        if middle.len() + 4 < gap && at > first.len() && at + middle.len() + 1 < width - last.len() {
            text.push_str(&" ".repeat(at - first.len()));
            text.push_str(&middle);
        }
        text.push_str(&" ".repeat(width - last.len() - text.len()));
        text.push_str(&last);
    }
    Pen::new(buffer, app.theme(), line, 0).text(&text, Role::Faint);
}

type Words = Vec<(String, Role)>;

fn words(view: &InterfaceView, detail: Option<&DetailView>) -> Vec<Words> {
    let mut lines = Vec::new();
    let mut line: Words = Vec::new();
    match (view.last, view.expected) {
        (Some([_, mean]), Some([_, expected])) => {
            let text = format!("now {}, expected {}", format::units(mean), format::units(expected));
            line.push((text, Role::Strong));
        }
        (Some([_, mean]), None) => line.push((format!("now {}", format::units(mean)), Role::Strong)),
        (None, _) => line.push(("no rows".to_owned(), Role::Text)),
    }
    match view.state {
        InterfaceState::Silent => line.push(("  silent".to_owned(), Role::Silent)),
        InterfaceState::Warming => line.push((format!("  warming up: {} rows so far", view.rows), Role::Text)),
        _ => {
            let role = if view.state == InterfaceState::Anomalous { Role::Alarm } else { Role::Text };
            line.push((format!("  error {:+.1}  score {:.1}", view.error, view.score), role));
            let history = view.span.map_or(0, |(first, newest)| newest.since(first));
            line.push((format!("  {}", format::rarity(f64::from(view.score), view.step, history)), Role::Text));
        }
    }
    if let Some([low, high]) = detail.and_then(|d| d.points.last()).and_then(|p| p.band) {
        line.push((format!("  usually {} to {}", format::units(low), format::units(high)), Role::Text));
    }
    if let Some([max, _]) = view.last {
        line.push((format!("  max {}", format::units(max)), Role::Faint));
    }
    lines.push(line);
    let mut line: Words = Vec::new();
    let weights = detail.map(|d| d.weights.as_slice()).unwrap_or_default();
    if weights.is_empty() {
        line.push((format!("forecast: {}", expert(view.leading)), Role::Text));
    } else {
        let mut sorted = weights.to_vec();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
        let shares: Vec<String> =
            sorted.iter().take(3).map(|(e, w)| format!("{} {:.0} %", expert(*e), w * 100.0)).collect();
        line.push((format!("forecast: {}", shares.join(", ")), Role::Text));
    }
    if !view.known {
        line.push(("  not learnt by this model".to_owned(), Role::Warning));
    }
    lines.push(line);
    let mut line: Words = Vec::new();
    if let Some(step) = view.step {
        line.push((format!("a row every {step}"), Role::Faint));
    }
    if let Some((first, newest)) = view.span {
        let text = format!("  {} rows in {}", format::count(view.rows as u64), format::words(newest.since(first)));
        line.push((text, Role::Faint));
    }
    if let Some([mix, plain]) = detail.and_then(|d| d.held_out) {
        // Measured on rows that the model did not learn from, in units of the interface's spread.
        line.push((format!("  held-out error {mix:.2}, without the LSTM {plain:.2}"), Role::Faint));
    }
    lines.push(line);
    let skill = detail.map(|d| d.skill.as_slice()).unwrap_or_default();
    if !skill.is_empty() {
        let all: Vec<String> = skill.iter().map(|(e, s)| format!("{} {:+.0} %", expert(*e), s * 100.0)).collect();
        lines.push(vec![(format!("error less than that of: {}", all.join(", ")), Role::Faint)]);
    }
    lines
}

/// A forecast's name.
fn expert(expert: Expert) -> &'static str {
    match expert {
        Expert::LastValue => "last value",
        Expert::DayBefore => "day before",
        Expert::WeekBefore => "week before",
        Expert::WeekProfile => "hour of week",
        Expert::DayProfile => "hour of day",
        Expert::DayShifted => "day before, shifted",
        Expert::ProfileShifted => "hour of week, shifted",
        Expert::Linear => "linear",
        Expert::Lstm => "LSTM",
        Expert::SevenDays => "seven days",
        Expert::Level => "level",
        Expert::Blend => "blend",
        Expert::LstmBlend => "LSTM blend",
    }
}
