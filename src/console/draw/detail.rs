//! One interface in full: actual against expected with its band, the error under it, and words.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::Pen;
use super::plot::{Plot, round_up};
use super::title;
use crate::console::app::App;
use crate::console::layout::{self, AXIS};
use crate::console::spark;
use crate::console::theme::Role;
use crate::engine::{DetailPoint, DetailView, Expert, InterfaceState, InterfaceView};
use crate::format;
use crate::series::{DAY, Timestamp, WEEK};

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
    let story = app.story();
    if let Some(story) = story.as_ref().filter(|s| app.story_alone && app.detail && s.members.len() > 1) {
        let axis = u16::from(body.height >= 4 && detail.is_some());
        super::story::draw(app, story, detail, Rect { height: body.height - axis, ..body }, buffer);
        if let Some(detail) = detail.filter(|_| axis > 0) {
            let line = Rect { y: body.bottom() - 1, height: 1, ..body };
            time_axis(app, detail.span.0..detail.span.1, line, buffer);
        }
        return;
    }
    let words = words(app, view, detail);
    let lines = match body.height {
        0..=4 => u16::from(detail.is_none()),
        5..=8 => 1,
        9..=20 => 2,
        _ => 4,
    };
    let lines = lines.min(u16::try_from(words.len()).unwrap_or(0));
    let small = body.height < 7;
    let lines = if small && story.is_some() { 0 } else { lines };
    let told = match &story {
        Some(_) if small => (body.height / 2).min(2),
        // the sentence, and as many of its interfaces as leave two thirds to the chart
        Some(story) => {
            let wanted = u16::try_from(super::story::wanted(app, story, detail, body.width)).unwrap_or(u16::MAX);
            wanted.min(body.height / 3)
        }
        None => 0,
    };
    body.height -= (lines + told).min(body.height);
    let below = Rect { y: body.bottom(), height: lines, ..body };
    for (line, y) in words.iter().take(usize::from(lines)).zip(0..) {
        let mut pen = Pen::new(buffer, app.theme(), below, y);
        pen.skip(1);
        for (n, (text, role)) in line.iter().enumerate() {
            // a fact that does not fit whole is left out; of the first one there is what fits
            if n == 0 {
                pen.text(text, *role);
            } else if !pen.all_or_none(&[(text, *role)]) {
                break;
            }
        }
    }
    if let Some(story) = story.as_ref().filter(|_| told > 0) {
        super::story::draw(app, story, detail, Rect { y: below.bottom(), height: told, ..body }, buffer);
    }
    match detail {
        Some(detail) if detail.points.len() > 1 => chart(app, detail, body, buffer),
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
    let (mark, role) = app.glyphs().state(view.state, view.direction);
    let mut facts = Vec::new();
    let state = format!("{mark} {}", view.state.word());
    let since = view.since.map(|t| format!(" since {}", app.when(t)));
    facts.push((format!("{}{}", state.trim_start(), since.unwrap_or_default()), role));
    if let Some(description) = &view.description {
        facts.push((description.to_string(), Role::Strong));
    }
    if view.retired {
        facts.push(("retired".to_owned(), Role::Warning));
    } else if let Some(until) = view.muted {
        facts.push((format!("muted to {}", app.until(until)), Role::Warning));
    }
    facts.push((app.viewpoint.word(view.step).to_owned(), Role::Faint));
    facts.push((
        if app.options.ascii {
            "* actual  - expected  : usual  ^ anomaly".to_owned()
        } else {
            "⣀ actual  ⠠ expected  ░ usual  ▀ anomaly".to_owned()
        },
        Role::Faint,
    ));
    facts
}

fn chart(app: &App, detail: &DetailView, body: Rect, buffer: &mut Buffer) {
    if body.width <= AXIS || body.height < 2 {
        return;
    }
    let points = &detail.points;
    let times = detail.span.0..detail.span.1;
    // errors, scores and the time
    let below = match body.height {
        0..=2 => 0,
        3..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    let area = Rect { x: body.x + AXIS, width: body.width - AXIS, height: body.height - below, ..body };
    let values = scale(points);
    let mut plot = Plot::new(area.width, area.height, times.clone(), values.clone(), app.options.ascii);
    plot.rows_of(points, detail.spacing);
    for (_, start, end) in &detail.incidents {
        plot.shade(*start, end.unwrap_or(times.end));
    }
    if let Some(at) = app.viewpoint.cursor() {
        plot.cursor(at);
    }
    plot.draw(area, app.theme(), buffer);
    axis(app, body, area.height, &values, buffer);
    if below > 1 {
        under(app, points, &plot, "error", |p| p.error.abs(), Rect { y: area.bottom(), height: 1, ..area }, buffer);
    }
    if below > 2 {
        under(app, points, &plot, "score", |p| p.score, Rect { y: area.bottom() + 1, height: 1, ..area }, buffer);
    }
    if below > 0 {
        let line = Rect { y: body.y + body.height - 1, height: 1, ..area };
        time_axis(app, times, line, buffer);
    }
}

/// From zero (or the lowest value below it) to a round number above the highest.
fn scale(points: &[DetailPoint]) -> std::ops::Range<f64> {
    // what was expected below zero where nothing ever was there is no reason for an axis below zero
    let lows = points.iter().map(|p| p.range[0]);
    let highs = points.iter().flat_map(|p| [Some(p.range[1]), p.expected.map(|e| e[1])]).flatten();
    let low = lows.filter(|v| v.is_finite()).fold(0.0, f64::min);
    let high = highs.filter(|v| v.is_finite()).fold(0.0, f64::max);
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

/// One number of each column as a line of its own; what the model calls an anomaly stands out.
fn under(
    app: &App,
    points: &[DetailPoint],
    plot: &Plot,
    name: &str,
    number: impl Fn(&DetailPoint) -> f32,
    area: Rect,
    buffer: &mut Buffer,
) {
    let mut columns = vec![(f32::NAN, false); usize::from(area.width)];
    for point in points {
        if let Some((size, anomaly)) = plot.column(point.time).and_then(|c| columns.get_mut(c)) {
            *size = size.max(number(point));
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
    let sizes: Vec<f32> = columns.iter().map(|(size, _)| *size).collect();
    spark::spark(&sizes, app.options.ascii, &mut line);
    let whole = Rect { x: area.x - AXIS, width: area.width + AXIS, ..area };
    let mut pen = Pen::new(buffer, app.theme(), whole, 0);
    pen.text(&format!("{name:>6} "), Role::Faint);
    let cursor = app.viewpoint.cursor().and_then(|at| plot.column(at));
    let mut text = [0; 4];
    for (column, (symbol, (_, anomaly))) in line.chars().zip(&columns).enumerate() {
        let role = match anomaly {
            _ if cursor == Some(column) => Role::Back,
            true => Role::Alarm,
            false => Role::Text,
        };
        pen.text(symbol.encode_utf8(&mut text), role);
    }
}

/// Distances between two marks of the time axis.
const MARKS: [i64; 14] =
    [300, 600, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, DAY, 2 * DAY, WEEK, 2 * WEEK, 4 * WEEK, 13 * WEEK];
/// Columns that a mark has.
const MARK: i64 = 9;

/// Round times of the screen's zone at their places, and the zone at the end.
fn time_axis(app: &App, times: std::ops::Range<Timestamp>, line: Rect, buffer: &mut Buffer) {
    let zone = &app.options.zone;
    let name = zone.name(times.end);
    let width = i64::from(line.width);
    let span = times.end.since(times.start).max(1);
    let mark = MARKS.into_iter().find(|m| span / m <= width / MARK).unwrap_or(52 * WEEK);
    let (first, last) = (zone.shown(times.start), zone.shown(times.end));
    let mut text = String::new();
    // days begin at midnight of the zone, weeks on a Monday
    let origin = Timestamp::from_seconds(4 * DAY);
    let mut at = first.plus(-(first.since(origin).rem_euclid(mark)));
    let end = width - i64::try_from(name.len()).unwrap_or(0) - 1;
    while at <= last {
        let label = if mark >= DAY || at.second_of_utc_day() == 0 { format::day(at) } else { format::clock(at) };
        let column = at.since(first) * (width - 1) / span - 2;
        let free = i64::try_from(text.len()).unwrap_or(i64::MAX);
        if column >= free && column + 6 <= end {
            text.extend(std::iter::repeat_n(' ', usize::try_from(column - free).unwrap_or(0)));
            text.push_str(&label);
            text.push(' ');
        }
        at = at.plus(mark);
    }
    Pen::new(buffer, app.theme(), line, 0).text(&text, Role::Faint);
    let zone_at = Rect { x: line.x + u16::try_from(end.max(0)).unwrap_or(0) + 1, ..line };
    let room = Rect { width: line.right().saturating_sub(zone_at.x), ..zone_at };
    Pen::new(buffer, app.theme(), room, 0).text(&name, Role::Faint);
}

type Words = Vec<(String, Role)>;

/// The row under the time cursor, in words.
fn row_at_cursor(app: &App, view: &InterfaceView, detail: Option<&DetailView>) -> Option<Words> {
    let at = app.viewpoint.cursor()?;
    let detail = detail?;
    let near = |p: &&DetailPoint| p.time.since(at).abs();
    let point = detail.points.iter().min_by_key(near).filter(|p| 2 * near(p) <= detail.spacing);
    // a point of several rows is the worst of them, which has a time of its own
    let shown = app.options.zone.shown(point.map_or(at, |p| p.time));
    let time = if detail.spacing < 60 { format::clock_seconds(shown) } else { format::clock(shown) };
    let mut line = vec![(format!("{} {time} ", format::day(shown)), Role::Back)];
    let Some(point) = point else {
        line.push((" no sample".to_owned(), Role::Text));
        return Some(line);
    };
    line.push((format!(" {}", format::units(point.actual[1])), Role::Strong));
    if let Some([_, expected]) = point.expected {
        line.push((format!(", expected {}", format::units(expected)), Role::Strong));
        let role = if point.anomaly { Role::Alarm } else { Role::Text };
        line.push((format!("  error {:+.1}  score {:.1}", point.error, point.score), role));
        let history = view.span.map_or(0, |(first, _)| point.time.since(first));
        line.push((format!("  {}", format::rarity(f64::from(point.score), view.step, history)), Role::Text));
    }
    if let Some([low, high]) = point.band {
        line.push((format!("  usually {} to {}", format::units(low), format::units(high)), Role::Text));
    }
    line.push((format!("  max {}", format::units(point.actual[0])), Role::Faint));
    Some(line)
}

fn words(app: &App, view: &InterfaceView, detail: Option<&DetailView>) -> Vec<Words> {
    let mut lines = Vec::new();
    let at_cursor = row_at_cursor(app, view, detail);
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
        InterfaceState::Silent => {
            let since = view.since.map_or_else(String::new, |t| format!(" since {}", app.when(t)));
            line.push((format!("  silent{since}"), Role::Silent));
        }
        InterfaceState::Warming => {
            line.push((format!("  warming up: {} row{} so far", view.rows, format::s(view.rows as u64)), Role::Text))
        }
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
    if let Some(used) = view.utilisation() {
        line.push((format!("  {:.0} % of {}", used * 100.0, format::units(view.speed.unwrap_or(0.0))), Role::Text));
    }
    if let Some([max, _]) = view.last {
        line.push((format!("  max {}", format::units(max)), Role::Faint));
    }
    lines.push(at_cursor.unwrap_or(line));
    let noted = app.story().into_iter().flat_map(|story| {
        let notes: Vec<_> = story.members.iter().flat_map(|i| &i.notes).collect();
        notes.into_iter().max_by_key(|note| note.signed.at).cloned()
    });
    for note in noted {
        let by = format!("{} {}: ", note.signed.who, app.when(note.signed.at));
        lines.push(vec![(by, Role::Faint), (note.text, Role::Strong)]);
    }
    let mut line: Words = Vec::new();
    let weights = detail.map(|d| d.weights.as_slice()).unwrap_or_default();
    // Rows do not remember how forecasts were mixed for them.
    let looks_elsewhere = app.snapshot.looks_back || app.viewpoint.cursor().is_some();
    let heading = if looks_elsewhere { "forecast as mixed today: " } else { "forecast: " };
    if weights.is_empty() {
        line.push((format!("{heading}{}", expert(view.leading)), Role::Text));
    } else {
        let mut sorted = weights.to_vec();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
        let shares = sorted.iter().take(3).map(|(e, w)| format!("{} {:.0} %", expert(*e), w * 100.0));
        line.extend(listed(heading, shares, Role::Text));
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
        let [mix, plain] = format::apart(2, [mix, plain]);
        line.push((format!("  held-out error {mix}, without the LSTM {plain}"), Role::Faint));
    }
    lines.push(line);
    let skill = detail.map(|d| d.skill.as_slice()).unwrap_or_default();
    if !skill.is_empty() {
        let all = skill.iter().map(|(e, s)| format!("{} {:+.0} %", expert(*e), s * 100.0));
        lines.push(listed("error less than that of: ", all, Role::Faint).collect());
    }
    lines
}

/// Items behind their heading, each one whole or left out.
fn listed(heading: &str, items: impl Iterator<Item = String>, role: Role) -> impl Iterator<Item = (String, Role)> {
    let before = std::iter::once(heading).chain(std::iter::repeat(", "));
    before.zip(items).map(move |(before, item)| (format!("{before}{item}"), role))
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
