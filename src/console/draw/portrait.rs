//! What the chosen interface is like: its day and week, its echoes, where its newest value lies, its
//! relatives. The figures come with the snapshot.

use super::wrap::Line;
use crate::console::app::App;
use crate::console::theme::Role;
use crate::engine::PortraitView;
use crate::explore::figures::Figures;
use crate::explore::portrait::BARS;
use crate::format::{self, fit};

/// Lines that are no charts: the first one, a title and an axis for each of three charts, a title and
/// five relatives.
const OTHER_LINES: u16 = 1 + 3 * 2 + 1 + 5;
const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// How large things are drawn.
#[derive(Clone, Copy)]
struct Size {
    /// Columns of an hour, and of a bar of the histogram.
    hour: usize,
    /// Columns of a weekday.
    day: usize,
    /// Lines of a chart.
    height: usize,
    ascii: bool,
}

impl Size {
    /// Columns of a chart.
    fn chart(self) -> usize {
        BARS * self.hour
    }
}

/// Charts, which are as wide as they are.
pub(super) fn lines_of_choice(app: &App) -> Vec<Line> {
    let area = app.area();
    let chosen = app.fleet.selected();
    let view = app.snapshot.portrait.as_deref().filter(|view| Some(view.id) == chosen);
    let (hour, day) = if area.width >= 180 { (5, 7) } else { (2, 3) };
    let height = usize::from(area.height.saturating_sub(2 + OTHER_LINES) / 3).clamp(1, 8);
    let size = Size { hour, day, height, ascii: app.options.ascii };
    match (view, chosen) {
        (Some(view), _) => lines(app, view, size),
        (None, Some(_)) => vec![vec![("reckoning (without rows there is nothing to reckon)".to_owned(), Role::Faint)]],
        (None, None) => vec![vec![("no interface is chosen".to_owned(), Role::Faint)]],
    }
}

fn lines(app: &App, view: &PortraitView, size: Size) -> Vec<Line> {
    let f = &view.portrait.figures;
    let step = f.step.map_or_else(String::new, |step| format!(", step {}", format::words(step)));
    let about = format!("  {} rows{step}, {} to {}", f.rows, app.when(f.first), app.when(f.last));
    let name = fit(&format!("{} {}", f.hostname, f.ifname), size.chart() / 2 + 6, size.ascii);
    let mut lines = vec![vec![(name, Role::Strong), (about, Role::Text)]];
    rhythm(f, size, &mut lines);
    echoes(f, size, &mut lines);
    spread(view, size, &mut lines);
    relatives(app, view, size, &mut lines);
    lines
}

fn rhythm(f: &Figures, size: Size, lines: &mut Vec<Line>) {
    let gap = "   ";
    let chart = size.chart();
    lines.push(vec![
        (
            format!("{}{gap}", fit(&format!("Usual by hour of day ({})", f.profile.clock), chart, size.ascii)),
            Role::Title,
        ),
        ("By weekday".to_owned(), Role::Title),
    ]);
    let hours = bars(&scaled(&f.profile.hours), size.hour, size);
    let days = bars(&scaled(&f.profile.weekdays), size.day, size);
    lines.extend(hours.into_iter().zip(days).map(|(hours, days)| vec![(format!("{hours}{gap}{days}"), Role::Load)]));
    let quarter = size.hour * 6;
    let hours: String = ["00", "06", "12", "18"].iter().map(|hour| format!("{hour:quarter$}")).collect();
    let days: String = DAYS.iter().map(|day| format!("{day:width$}", width = size.day)).collect();
    lines.push(vec![(format!("{hours}{gap}{days}"), Role::Faint)]);
}

fn echoes(f: &Figures, size: Size, lines: &mut Vec<Line>) {
    let chart = size.chart();
    let mut said = Vec::new();
    let mut curve = vec![None; chart];
    let mut longest = String::new();
    match (&f.echoes, f.step) {
        (Some(echoes), Some(step)) => {
            let len = echoes.curve.len();
            for (column, top) in curve.iter_mut().enumerate() {
                let from = (column * len / chart).min(len - 1);
                let to = ((column + 1) * len / chart).clamp(from + 1, len);
                *top = echoes.curve[from..to].iter().copied().reduce(f64::max);
            }
            longest = format::words((len as i64 - 1) * step);
            said.extend(echoes.periods.iter().enumerate().map(|(place, period)| {
                let strongest = if place == 0 { "strongest " } else { "" };
                format!("{strongest}{} {:.2}", format::words(period.seconds), period.correlation)
            }));
            if said.is_empty() {
                said.push("no period".to_owned());
            }
        }
        _ => said.push("too few or equal".to_owned()),
    }
    lines.push(vec![("Like itself so long before (autocorrelation of ranks, 0 to 1)".to_owned(), Role::Title)]);
    beside(bars(&curve, 1, size), said, lines);
    lines.push(vec![(format!("0{longest:>width$}", width = chart - 1), Role::Faint)]);
}

fn spread(view: &PortraitView, size: Size, lines: &mut Vec<Line>) {
    let (portrait, chart) = (&view.portrait, size.chart());
    let histogram = &portrait.histogram;
    let rank = format!("above {:.0} % of all", portrait.below * 100.0);
    lines.push(vec![
        ("How often how large  ".to_owned(), Role::Title),
        (format!("newest {}, {rank}", format::units(portrait.newest)), Role::Strong),
    ]);
    let counts = histogram.counts.map(|n| Some(n as f64));
    let (b, q) = (&portrait.figures.box_plot, &portrait.figures.quantiles);
    let said = vec![
        format!("median {}", format::units(q.median)),
        format!("half {} to {}", format::units(q.q25), format::units(q.q75)),
        format!("{} outliers", b.outliers()),
        format!("whiskers {} to {}", format::units(b.low), format::units(b.high)),
        format!("all {} to {}", format::units(q.min), format::units(q.max)),
    ];
    beside(bars(&scaled(&counts), size.hour, size), said, lines);
    let place = histogram.bar(portrait.newest) * size.hour;
    let [low, high] = histogram.range.map(format::units);
    // an end gives way to the mark as a whole: half a number is another one
    let room = chart.saturating_sub(place + size.hour);
    let low = if low.len() < place { low } else { String::new() };
    let high = if high.len() < room { high } else { String::new() };
    lines.push(vec![
        (format!("{low:<place$}"), Role::Faint),
        ("^".repeat(size.hour), Role::Warning),
        (format!("{high:>room$}"), Role::Faint),
    ]);
}

fn relatives(app: &App, view: &PortraitView, size: Size, lines: &mut Vec<Line>) {
    let bound = match view.device - 1 {
        0 => "  none: it is alone on its device".to_owned(),
        others if others == view.compared => format!("  of {others} on its device, without the hour of day"),
        others => format!("  of the {} busiest of {others} on its device", view.compared),
    };
    lines.push(vec![("Closest relatives".to_owned(), Role::Title), (bound, Role::Faint)]);
    let room = usize::from(app.area().height).saturating_sub(2 + lines.len()).max(3);
    for relative in view.portrait.relatives.iter().take(room) {
        let name = fit(&relative.name.ifname, size.chart() / 2, size.ascii);
        let lag = match relative.lag {
            0 => String::new(),
            lag if lag > 0 => format!("  {lag} slots later"),
            lag => format!("  {} slots earlier", -lag),
        };
        lines.push(vec![
            (format!("{:>5.2}  ", relative.correlation), Role::Strong),
            (name, Role::Text),
            (lag.replace("  1 slots", "  1 slot"), Role::Faint),
        ]);
    }
    if view.compared > 0 && view.portrait.relatives.is_empty() {
        lines.push(vec![("too few slots in common".to_owned(), Role::Faint)]);
    }
}

/// A chart with words beside it, as many of them as it has lines.
fn beside(chart: Vec<String>, words: Vec<String>, lines: &mut Vec<Line>) {
    let words = words.into_iter().chain(std::iter::repeat(String::new()));
    lines.extend(
        chart
            .into_iter()
            .zip(words)
            .map(|(bars, words)| vec![(bars, Role::Load), ("   ".to_owned(), Role::Text), (words, Role::Text)]),
    );
}

/// Values as shares of the largest one; of what lies between them where one is below zero.
fn scaled(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let known = || values.iter().flatten().copied();
    let low = known().fold(0.0, f64::min);
    let high = known().fold(low, f64::max);
    let share = |v: f64| if high > low { (v - low) / (high - low) } else { 0.0 };
    values.iter().map(|v| v.map(share)).collect()
}

/// Upright bars of shares, line by line from the top.
fn bars(shares: &[Option<f64>], width: usize, size: Size) -> Vec<String> {
    const BLOCKS: [&str; 9] = [" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
    const ASCII: [&str; 4] = [" ", ".", ":", "#"];
    let symbols: &[&str] = if size.ascii { &ASCII } else { &BLOCKS };
    let parts = symbols.len() - 1;
    let line = |from_top: usize| {
        let below = (size.height - 1 - from_top) * parts;
        let cell = |share: &Option<f64>| {
            let filled = share.map_or(0, |s| (s.clamp(0.0, 1.0) * (size.height * parts) as f64).round() as usize);
            // Bars that have columns to spare stand apart.
            let bar = symbols[filled.saturating_sub(below).min(parts)];
            if width > 2 { bar.repeat(width - 1) + " " } else { bar.repeat(width) }
        };
        shares.iter().map(cell).collect()
    };
    (0..size.height).map(line).collect()
}
