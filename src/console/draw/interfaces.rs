//! The list of interfaces, or of devices: state, name, sparkline, load, error gauge, score.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::Pen;
use super::title;
use super::wrap::wrapped;
use crate::console::app::App;
use crate::console::fleet::{Lines, Row};
use crate::console::keymap::{Action, Context};
use crate::console::layout::{self, list_head};
use crate::console::sort::{Sort, worst_of};
use crate::console::spark;
use crate::console::theme::Role;
use crate::engine::{DeviceView, HEAT, InterfaceState, InterfaceView, SPARK};
use crate::format::{self, fit};

/// Widths of the columns; 0 where a column is left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Columns {
    host: usize,
    name: usize,
    spark: usize,
    now: usize,
    bar: usize,
    error: usize,
    score: usize,
}

const NOW: usize = 6;
const ERROR: usize = 6;
const SCORE: usize = 5;
/// Cursor, state and a blank.
const MARKS: usize = 3;

impl Columns {
    /// As many columns as fit; the least needed are left out first.
    fn new(width: usize, natural: (usize, usize), heat: bool) -> Self {
        let natural = (natural.0.min(24), natural.1.min(24));
        let tries = [
            (SPARK, NOW, 4, ERROR, SCORE, natural),
            (SPARK, NOW, 3, ERROR, SCORE, (natural.0.min(12), natural.1.min(16))),
            (SPARK, NOW, 0, ERROR, SCORE, (natural.0.min(12), natural.1.min(14))),
            (SPARK, NOW, 0, 0, SCORE, (natural.0.min(10), natural.1.min(12))),
            (SPARK / 2, NOW, 0, 0, SCORE, (natural.0.min(10), natural.1.min(12))),
            (SPARK / 2, 0, 0, 0, SCORE, (natural.0.min(8), natural.1.min(10))),
            (0, NOW, 0, 0, SCORE, (natural.0.min(8), natural.1.min(9))),
            (0, 0, 0, 0, SCORE, (natural.0.min(6), natural.1.min(8))),
            (0, 0, 0, 0, 0, (0, 0)),
        ];
        for (spark, now, bar, error, score, (host, name)) in tries {
            let columns = Self { host, name, spark, now, bar, error, score };
            let used = columns.used();
            if used <= width || host == 0 {
                return columns.widened(width.saturating_sub(used), natural, heat);
            }
        }
        Self { host: 0, name: 0, spark: 0, now: 0, bar: 0, error: 0, score: 0 }
    }

    fn used(&self) -> usize {
        let rest = [self.spark, self.now, self.bar + self.error, self.score];
        MARKS + self.host + 1 + self.name + rest.iter().filter(|w| **w > 0).map(|w| w + 1).sum::<usize>()
    }

    /// Spare room goes to the names first, then to the gauge.
    fn widened(mut self, mut spare: usize, natural: (usize, usize), heat: bool) -> Self {
        let more = spare.min(natural.0.saturating_sub(self.host));
        self.host += more;
        spare -= more;
        let more = spare.min(natural.1.saturating_sub(self.name));
        self.name += more;
        spare -= more;
        if heat && self.spark == SPARK {
            let more = spare.min(HEAT - SPARK);
            self.spark += more;
            spare -= more;
        }
        if self.bar > 0 {
            self.bar += spare.min(16);
        }
        self
    }
}

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let fleet = &app.fleet;
    let focused = app.focus == Context::Interfaces;
    if layout::title(area) > 0 {
        let (name, all) = match fleet.lines {
            Lines::Interfaces => ("Interfaces", app.snapshot.interfaces.len()),
            Lines::Devices => ("Devices", app.snapshot.devices.len()),
        };
        title(app, area, buffer, name, focused, &facts(app, all));
    }
    let natural = match fleet.lines {
        Lines::Interfaces => fleet.widths,
        // the worst one's name and how many others there are
        Lines::Devices => (fleet.widths.0, (fleet.widths.1 + 4).max(13)),
    };
    let columns = Columns::new(usize::from(area.width), natural, fleet.shows_heat());
    if list_head(area) > 1 {
        head(app, area, buffer, &columns);
    }
    let body = Rect { y: area.y + list_head(area), height: area.height - list_head(area), ..area };
    if fleet.rows().is_empty() {
        let line = |text| vec![("   ".to_owned(), Role::Text), (text, Role::Faint)];
        let said = nothing(app).into_iter().map(line).collect();
        for (pieces, line) in wrapped(said, usize::from(body.width)).iter().zip(0..body.height) {
            let mut pen = Pen::new(buffer, app.theme(), body, line);
            pieces.iter().for_each(|(text, role)| {
                pen.text(text, *role);
            });
        }
        return;
    }
    let visible = fleet.rows().iter().enumerate().skip(fleet.scroll.offset);
    for ((row, place), line) in visible.zip(0..body.height) {
        let chosen = fleet.cursor() == Some(row) && fleet.cursor_is_on_choice(&app.snapshot);
        let mut pen = Pen::new(buffer, app.theme(), body, line);
        if chosen && focused && app.overlay.is_none() {
            pen.whole(Role::Selected);
        }
        pen.text(if chosen { ">" } else { " " }, if chosen { Role::Strong } else { Role::Text });
        match place {
            Row::Interface(place) => {
                if let Some(view) = app.snapshot.interfaces.get(*place as usize) {
                    interface(app, view, &columns, &mut pen, chosen);
                }
            }
            Row::Device(place) => {
                if let Some(view) = app.snapshot.devices.get(*place as usize) {
                    device(app, view, &columns, &mut pen, chosen);
                }
            }
        }
    }
}

fn facts(app: &App, all: usize) -> Vec<(String, Role)> {
    let fleet = &app.fleet;
    let mut facts = Vec::new();
    facts.push(if fleet.shown == all {
        (format!("{all}"), Role::Faint)
    } else {
        (format!("{} of {all}", fleet.shown), Role::Strong)
    });
    if !fleet.filter.is_empty() {
        facts.push((format!("filter /{}", fleet.filter.text()), Role::Strong));
    }
    facts.push((format!("sort {} {}", fleet.sort.word(fleet.lines), app.glyphs().order(fleet.reversed)), Role::Faint));
    let open = app.anomalies.counts().open;
    if app.panes().incidents.is_empty() && open > 0 {
        facts.insert(0, (format!("{open} open"), Role::Alarm));
    }
    facts
}

fn nothing(app: &App) -> Vec<String> {
    let source = &app.snapshot.source;
    if !app.fleet.filter.is_empty() {
        let described = app.snapshot.interfaces.iter().any(|view| view.description.is_some());
        let mut said = vec!["nothing fits: esc clears the filter".to_owned()];
        said.extend(app.fleet.filter.doubt(described));
        said
    } else if source.loading.is_some() {
        vec!["reading the directory".to_owned()]
    } else if source.refused > 0 || !source.notices.is_empty() {
        vec![format!("no row could be read: {} says why", app.options.keys.key_of(Action::Notices))]
    } else {
        vec!["no interface yet: rows are read as soon as they come".to_owned()]
    }
}

fn head(app: &App, area: Rect, buffer: &mut Buffer, columns: &Columns) {
    let mut pen = Pen::new(buffer, app.theme(), area, 1);
    let ascii = app.options.ascii;
    let names = match app.fleet.lines {
        Lines::Interfaces => ["HOST", "INTERFACE"],
        Lines::Devices => ["DEVICE", "WORST"],
    };
    pen.skip(MARKS);
    pen.text(&fit(names[0], columns.host, ascii), Role::Faint).skip(1);
    pen.text(&fit(names[1], columns.name, ascii), Role::Faint).skip(1);
    if columns.spark > 0 {
        let name = if app.fleet.shows_heat() { "HEAT" } else { "LOAD" };
        let long = format!("{name}, LAST {} SLOTS", columns.spark);
        let text = if long.len() <= columns.spark { &long } else { name };
        pen.text(&fit(text, columns.spark, ascii), Role::Faint).skip(1);
    }
    if columns.now > 0 {
        let name = if app.fleet.sort == Sort::Use { "USE" } else { "NOW" };
        pen.text(&format!("{name:>NOW$}"), Role::Faint).skip(1);
    }
    if columns.error > 0 {
        let gauge = columns.bar + columns.error;
        let word = if app.fleet.lines == Lines::Interfaces { "ERROR" } else { "OPEN" };
        pen.text(&format!("{word:>gauge$}"), Role::Faint).skip(1);
    }
    if columns.score > 0 {
        pen.text(&format!("{:>SCORE$}", "SCORE"), Role::Faint);
    }
}

/// The bar grows with the logarithm of the error: full at 31 spreads.
fn gauge(error: f64) -> f64 {
    libm::log2(1.0 + error.abs()) / 5.0
}

fn interface(app: &App, view: &InterfaceView, columns: &Columns, pen: &mut Pen<'_>, chosen: bool) {
    let ascii = app.options.ascii;
    let (mark, role) = app.glyphs().state(view.state, view.direction);
    let text = if chosen { Role::Strong } else { line_role(view.state) };
    let pin = if app.fleet.is_pinned(view.id) { app.glyphs().pin() } else { " " };
    pen.text(mark, role).text(pin, Role::Accent);
    if columns.host == 0 {
        let rest = pen.room();
        pen.text(&fit(&view.name.to_string(), rest, ascii), text);
        return;
    }
    let host = match app.fleet.lines {
        Lines::Interfaces => &*view.name.host,
        // its device stands above it
        Lines::Devices => "",
    };
    pen.text(&fit(host, columns.host, ascii), text).skip(1);
    pen.text(&fit(&view.name.ifname, columns.name, ascii), text).skip(1);
    let load = view.strip.load(app.snapshot.now);
    strip(app, &load, || view.strip.heat(app.snapshot.now), view.state, columns, pen);
    if columns.now > 0 {
        let now = load[SPARK - 1];
        let now = match (app.fleet.sort, view.utilisation()) {
            (Sort::Use, Some(used)) if now.is_finite() => format!("{:.0} %", used * 100.0),
            (Sort::Use, _) => app.glyphs().none().to_owned(),
            _ if now.is_finite() => format::units(f64::from(now)),
            _ => app.glyphs().none().to_owned(),
        };
        pen.text(&format!("{now:>NOW$}"), text).skip(1);
    }
    if columns.error > 0 {
        let width = columns.bar + columns.error;
        match view.state {
            InterfaceState::Silent => {
                let since = match (view.since, app.snapshot.now) {
                    (Some(since), Some(now)) => silent_for(now.since(since), width),
                    _ => "silent".to_owned(),
                };
                pen.text(&fit(&since, width, ascii), role).skip(1);
            }
            InterfaceState::Warming => {
                pen.text(&fit(&format!("{} row{}", view.rows, format::s(view.rows as u64)), width, ascii), role)
                    .skip(1);
            }
            _ => {
                let mut bar = String::new();
                spark::bar(gauge(f64::from(view.error)), columns.bar, ascii, &mut bar);
                pen.text(&bar, role).text(&signed(view.error), text).skip(1);
            }
        }
    }
    if columns.score > 0 {
        let score = match view.state {
            InterfaceState::Silent | InterfaceState::Warming => app.glyphs().none().to_owned(),
            _ => format!("{:.1}", view.score),
        };
        pen.text(&format!("{score:>SCORE$}"), text);
    }
}

/// For how long there were no rows, in so many columns: the mark says already that it is silent.
fn silent_for(seconds: i64, width: usize) -> String {
    let short = format::short_span(seconds);
    let words = [format!("silent {}", format::span(seconds)), format!("silent {short}")];
    words.into_iter().find(|words| words.len() <= width).unwrap_or(short)
}

/// An error with its sign in six columns.
fn signed(error: f32) -> String {
    match error {
        e if e.abs() >= 999.5 => format!("{:>+6.0e}", e),
        e if e.abs() >= 99.5 => format!("{e:>+6.0}"),
        // minus nothing is nothing
        e if e.abs() < 0.05 => format!("{:>6}", "0.0"),
        e => format!("{e:>+6.1}"),
    }
}

fn device(app: &App, view: &DeviceView, columns: &Columns, pen: &mut Pen<'_>, chosen: bool) {
    let ascii = app.options.ascii;
    let (mark, role) = app.glyphs().state(view.state, None);
    let text = if chosen { Role::Strong } else { line_role(view.state) };
    pen.text(mark, role).text(app.glyphs().fold(app.fleet.is_unfolded(&view.host)), Role::Faint);
    if columns.host == 0 {
        let rest = pen.room();
        pen.text(&fit(&view.host, rest, ascii), text);
        return;
    }
    pen.text(&fit(&view.host, columns.host, ascii), text).skip(1);
    let worst = if app.fleet.is_unfolded(&view.host) {
        format!("{} interfaces", view.interfaces.len())
    } else {
        let others = view.interfaces.len().saturating_sub(1);
        let more = if others > 0 { format!(" +{others}") } else { String::new() };
        let name = worst_of(view, &app.snapshot).map_or("", |i| &i.name.ifname);
        // the number of others is never cut off
        fit(name, columns.name.saturating_sub(more.len()), ascii).trim_end().to_owned() + &more
    };
    pen.text(&fit(&worst, columns.name, ascii), text).skip(1);
    let load = app.snapshot.load_of(view);
    strip(app, &load, || app.snapshot.heat_of(view), view.state, columns, pen);
    if columns.now > 0 {
        let now = load[SPARK - 1];
        let now = if now.is_finite() { format::units(f64::from(now)) } else { app.glyphs().none().to_owned() };
        pen.text(&format!("{now:>NOW$}"), text).skip(1);
    }
    if columns.error > 0 {
        let width = columns.bar + columns.error;
        let open = if view.open > 0 { format!("{} open", view.open) } else { String::new() };
        pen.text(&format!("{open:>width$}"), role).skip(1);
    }
    if columns.score > 0 {
        pen.text(&format!("{:>SCORE$.1}", view.score), text);
    }
}

/// The line's own time: its load, or how rare each slot was.
fn strip(
    app: &App,
    load: &[f32; SPARK],
    heat: impl Fn() -> [u8; HEAT],
    state: InterfaceState,
    columns: &Columns,
    pen: &mut Pen<'_>,
) {
    if columns.spark == 0 {
        return;
    }
    if app.fleet.shows_heat() {
        let mut text = [0; 4];
        for tenths in &heat()[HEAT - columns.spark.min(HEAT)..] {
            let (symbol, role) = app.glyphs().heat(*tenths, app.snapshot.threshold);
            pen.text(symbol.encode_utf8(&mut text), role);
        }
        pen.skip(1);
        return;
    }
    let mut line = String::new();
    spark::spark(&load[SPARK - columns.spark.min(SPARK)..], app.options.ascii, &mut line);
    let role = match state {
        InterfaceState::Warming => Role::Faint,
        _ => Role::Load,
    };
    pen.text(&line, role).skip(1);
}

fn line_role(state: InterfaceState) -> Role {
    match state {
        InterfaceState::Anomalous => Role::Strong,
        InterfaceState::Acknowledged | InterfaceState::Warming => Role::Faint,
        InterfaceState::Silent | InterfaceState::Nominal | InterfaceState::TakenOver | InterfaceState::Flat => {
            Role::Text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_fit_and_go_in_order() {
        let mut before = 5;
        for width in (1..=220).rev() {
            let c = Columns::new(width, (10, 14), width % 2 == 0);
            assert!(c.used() <= width || c.host == 0, "{width}: {c:?}");
            let shown = [c.spark, c.now, c.bar, c.error, c.score].iter().filter(|w| **w > 0).count();
            assert!(shown <= before + 1, "{width}: {c:?}");
            before = shown;
        }
        let c = Columns::new(80, (8, 12), false);
        assert_eq!((c.spark, c.now, c.error, c.score), (SPARK, NOW, ERROR, SCORE));
        assert!(c.bar >= 5, "{c:?}");
    }

    #[test]
    fn how_long_it_is_silent_is_never_cut() {
        let silent = |width| silent_for(11 * 3600, width);
        assert_eq!([11, 10, 6].map(silent), ["silent 11 h", "silent 11h", "11h"]);
    }

    #[test]
    fn errors_have_a_sign_and_six_columns() {
        for (error, want) in
            [(11.4, " +11.4"), (-7.7, "  -7.7"), (0.01, "   0.0"), (-250.0, "  -250"), (12_345.0, "  +1e4")]
        {
            assert_eq!(signed(error), want);
        }
        assert!(gauge(1.0) < gauge(3.0) && gauge(-31.0) == 1.0);
    }
}
