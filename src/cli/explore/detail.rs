//! One interface in full, with its pictures.

use std::io::{self, Write};

use super::draw::{Axis, box_plot, columns, curve};
use super::summary::{later, many};
use crate::console::spark::bar;
use crate::explore::course::Course;
use crate::explore::findings::{length, percent};
use crate::explore::{Columns, Explored, Figures};
use crate::format::{minute, units};
use crate::series::{DAY, WEEK, printable};

/// Columns of a picture, and of the marks left of it.
const PICTURE: usize = 70;
const HEIGHT: usize = 10;
const MARKS: usize = 8;
/// Relatives and gaps that are listed.
const LISTED: usize = 10;
const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/// Writes all about one interface.
pub(super) fn write(explored: &Explored, interface: usize, ascii: bool, out: &mut dyn Write) -> io::Result<()> {
    let (f, rows) = (&explored.interfaces[interface], &explored.data.interfaces[interface].1);
    figures(f, out)?;
    let findings = &explored.findings[interface];
    if !findings.is_empty() {
        let words: Vec<String> = findings.iter().map(ToString::to_string).collect();
        let words = words.join(", ");
        writeln!(out, "odd         {}", if ascii { words.replace('×', "x") } else { words })?;
    }
    gaps(f, out)?;
    series(f, rows, ascii, out)?;
    writeln!(out, "\nBOX PLOT\n")?;
    let axis = Axis::over([&f.quantiles]);
    writeln!(out, "{:MARKS$} {}", "", box_plot(&f.box_plot, &f.quantiles, axis, PICTURE))?;
    let (low, high) = (units(axis.value(0.0)), units(axis.value(1.0)));
    writeln!(out, "{:MARKS$} {low}{high:>1$}", "", PICTURE - low.len())?;
    echoes(f, ascii, out)?;
    profile(f, ascii, out)?;
    relatives(explored, interface, out)
}

fn figures(f: &Figures, out: &mut dyn Write) -> io::Result<()> {
    let q = &f.quantiles;
    writeln!(out, "{} {}\n", printable(&f.hostname), printable(&f.ifname))?;
    let days = f.span() as f64 / DAY as f64;
    writeln!(out, "rows        {}, {} to {} UTC ({days:.1} days)", f.rows, minute(f.first), minute(f.last))?;
    let step = f.step.map_or("unknown".to_owned(), length);
    writeln!(
        out,
        "step        {step}; {} of {} slots missing ({}), {} duplicate, {} off the grid",
        f.gaps.missing,
        f.gaps.slots,
        percent(f.gaps.share()),
        f.duplicates,
        f.gaps.crowded
    )?;
    let said = |values: &[(&str, f64)]| {
        let words: Vec<String> = values.iter().map(|(name, v)| format!("{name} {}", units(*v))).collect();
        words.join("  ")
    };
    writeln!(
        out,
        "quantiles   {}",
        said(&[("min", q.min), ("1%", q.q01), ("5%", q.q05), ("25%", q.q25), ("50%", q.median)])
    )?;
    writeln!(out, "            {}", said(&[("75%", q.q75), ("95%", q.q95), ("99%", q.q99), ("max", q.max)]))?;
    let plot = &f.box_plot;
    writeln!(
        out,
        "outliers    {} below {}, {} above {} ({} of rows; whiskers at 1.5 boxes)",
        plot.below,
        units(plot.low),
        plot.above,
        units(plot.high),
        percent(f.outlier_share())
    )?;
    writeln!(
        out,
        "values      {} zero, {} repeat the last; {} below zero",
        percent(f.zeros),
        percent(f.still.share),
        many(f.negative, "row")
    )?;
    writeln!(out, "constant    {} at the longest, from {}", many(f.still.longest, "row"), minute(f.still.from))?;
    let over = f.peaks.over_mean.map_or("unknown".to_owned(), |r| format!("median {r:.2} times the mean"));
    writeln!(
        out,
        "max column  {} to {}, {over}; below the mean in {}",
        units(f.peaks.min),
        units(f.peaks.max),
        many(f.peaks.below_mean, "row")
    )?;
    let course = match f.course {
        Course::Short => "too few days to say".to_owned(),
        Course::Steady => "steady: no lasting shift, no trend".to_owned(),
        Course::Shift { at, before, after } => {
            format!("shifted from {} to {} on {}", units(before), units(after), &minute(at)[..10])
        }
        Course::Trend { from, to, tau } => {
            format!(
                "{} from {} to {} (tau {tau:.2})",
                if to > from { "rises" } else { "falls" },
                units(from),
                units(to)
            )
        }
    };
    writeln!(out, "level       {course}")
}

fn gaps(f: &Figures, out: &mut dyn Write) -> io::Result<()> {
    if f.gaps.count == 0 {
        return Ok(());
    }
    let mut longest = f.gaps.named.clone();
    longest.sort_by_key(|gap| (std::cmp::Reverse(gap.slots), gap.from));
    longest.truncate(LISTED);
    longest.sort_by_key(|gap| gap.from);
    let more = if f.gaps.count > longest.len() {
        format!(", the longest {} of {}", longest.len(), f.gaps.count)
    } else {
        String::new()
    };
    writeln!(out, "\nGAPS{more}: first and last missing slot, UTC\n")?;
    for gap in longest {
        let slots = if gap.slots == 1 { "slot" } else { "slots" };
        writeln!(out, "{:>7} {slots:5}  {} to {}", gap.slots, minute(gap.from), minute(gap.to))?;
    }
    Ok(())
}

/// The mean values over time: in each column from the lowest to the highest of its slots.
fn series(f: &Figures, rows: &Columns, ascii: bool, out: &mut dyn Write) -> io::Result<()> {
    let axis = Axis::over([&f.quantiles]);
    let span = f.span().max(1) as f64;
    let mut spans: Vec<Option<(f64, f64)>> = vec![None; PICTURE];
    for (seconds, value) in rows.seconds().zip(rows.mean()) {
        let column = ((seconds - f.first.seconds()) as f64 / span * (PICTURE - 1) as f64).round() as usize;
        let place = axis.place(*value);
        let (low, high) = spans[column].unwrap_or((place, place));
        spans[column] = Some((low.min(place), high.max(place)));
    }
    let kind = if axis.is_logarithmic() { ", logarithmic" } else { "" };
    writeln!(out, "\nMEAN VALUES over time, lowest to highest in each column{kind}\n")?;
    for (i, line) in columns(&spans, HEIGHT, ascii).iter().enumerate() {
        let share = 1.0 - i as f64 / (HEIGHT - 1) as f64;
        let mark = if i % 3 == 0 { units(axis.value(share)) } else { String::new() };
        writeln!(out, "{}", format!("{mark:>MARKS$} {line}").trim_end())?;
    }
    let (first, last) = (minute(f.first), minute(f.last));
    writeln!(out, "{:MARKS$} {first}{last:>1$}", "", PICTURE - first.len())
}

fn echoes(f: &Figures, ascii: bool, out: &mut dyn Write) -> io::Result<()> {
    let Some(echoes) = &f.echoes else {
        return writeln!(out, "\nNo autocorrelation: the values are all the same, or too few.");
    };
    let periods: Vec<String> = echoes
        .periods
        .iter()
        .map(|p| format!("{} {:.2} ({} slots)", length(p.seconds), p.correlation, p.slots))
        .collect();
    let periods = if periods.is_empty() { "no period above chance".to_owned() } else { periods.join(", ") };
    writeln!(out, "\nAUTOCORRELATION of ranks\n\n{periods}")?;
    let two = |v: Option<f64>| v.map_or("unknown".to_owned(), |v| format!("{v:.2}"));
    writeln!(out, "a day {}, a week {}; chance gives up to {:.2}\n", two(echoes.day), two(echoes.week), echoes.chance)?;
    // As many lags as there are columns, up to a little more than a week, or all there are.
    let step = f.step.unwrap_or(1);
    let lags = ((WEEK + DAY / 2) / step).max(1) as usize;
    let lags = lags.min(echoes.curve.len() - 1).max(1);
    let strip: Vec<f64> = (0..PICTURE)
        .map(|column| {
            let (from, to) =
                (column * lags / PICTURE, ((column + 1) * lags / PICTURE).max(column * lags / PICTURE + 1));
            // The value farthest from zero: a peak that is narrower than a column stays.
            let here = echoes.curve[from..to.min(echoes.curve.len())].iter().copied();
            here.reduce(|a, b| if b.abs() > a.abs() { b } else { a }).unwrap_or(0.0)
        })
        .collect();
    for (middle, line) in curve(&strip, 4, ascii) {
        writeln!(out, "{}", format!("{middle:>MARKS$.2} {line}").trim_end())?;
    }
    let (first, last) = ("0", length(lags as i64 * step));
    writeln!(out, "{:MARKS$} {first}{last:>1$}", "", PICTURE - first.len())
}

fn profile(f: &Figures, ascii: bool, out: &mut dyn Write) -> io::Result<()> {
    let highest = f.profile.hours.iter().chain(&f.profile.weekdays).flatten().copied().fold(0.0, f64::max);
    let line = |value: &Option<f64>, width: usize| {
        let mut text = String::new();
        bar(value.unwrap_or(0.0) / highest, width, ascii, &mut text);
        format!("{:>7} {text}", value.map_or("-".to_owned(), units))
    };
    writeln!(out, "\nUSUAL by hour of day ({}) and by weekday: medians\n", f.profile.clock)?;
    for (hour, value) in f.profile.hours.iter().enumerate() {
        let left = format!("{hour:02}:00 {}", line(value, 24));
        let right = WEEKDAYS.get(hour).map(|day| format!("{day} {}", line(&f.profile.weekdays[hour], 24)));
        writeln!(out, "{}", format!("{left}   {}", right.unwrap_or_default()).trim_end())?;
    }
    Ok(())
}

fn relatives(explored: &Explored, interface: usize, out: &mut dyn Write) -> io::Result<()> {
    let relatives = explored.relatives(interface);
    if relatives.is_empty() {
        return writeln!(out, "\nNo interface of the device moves with it (|r| of 0.5 or more).");
    }
    writeln!(out, "\nMOVES TOGETHER WITH, by what the hour of the day does not explain\n")?;
    for (other, correlation, lag) in relatives.into_iter().take(LISTED) {
        let f = &explored.interfaces[other];
        let behind = later(lag);
        writeln!(out, "{correlation:>6.2}  {} {}{behind}", printable(&f.hostname), printable(&f.ifname))?;
    }
    Ok(())
}
