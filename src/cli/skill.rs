//! The skill table of `noctop train`.

use std::io::{self, Write};

use crate::model::skill::Skill;
use crate::model::train::{LEAST_ROWS, Trained};
use crate::model::{Expert, Model, Scaling, Scope};
use crate::series::printable;
use crate::series::scale::median;

/// Characters of an interface's name.
const NAME: usize = 34;

/// A column of figures: its heading and what it shows; NaN is shown as a dash.
struct Column {
    heading: &'static str,
    of: Box<dyn Fn(&Skill) -> f64>,
}

fn column(heading: &'static str, of: impl Fn(&Skill) -> f64 + 'static) -> Column {
    Column { heading, of: Box::new(of) }
}

/// The columns for a model of this scope. The simple forecasts come first.
fn columns(scope: Scope) -> Vec<Column> {
    let of = |e: Expert| column(e.label(), move |s: &Skill| s.experts[e as usize]);
    let mut columns: Vec<Column> = Expert::SIMPLE.into_iter().map(of).collect();
    columns.extend([of(Expert::Linear), of(Expert::Lstm)]);
    columns.push(column("no LSTM", |s| s.plain));
    columns.push(column("mix", |s| s.mix));
    if scope != Scope::Global {
        for at in Scope::ALL.into_iter().filter(|at| *at <= scope) {
            columns.push(column(at.label(), move |s| s.scopes[at as usize]));
        }
    }
    columns
}

/// Writes the table: held-out error of the simple forecasts and of the mix, for each interface.
pub(super) fn report(trained: &Trained, out: &mut impl Write) -> io::Result<()> {
    let model = &trained.model;
    writeln!(
        out,
        "Mean absolute error of the mean value on held-out rows (the last fifth of each interface, learnt from only"
    )?;
    writeln!(out, "once this was measured), in units of the interface's own spread. * is the best simple forecast.")?;
    writeln!(out)?;
    table(model, out)?;
    notes(trained, out)
}

fn table(model: &Model, out: &mut impl Write) -> io::Result<()> {
    let columns = columns(model.settings.scope);
    write!(out, "{:NAME$} {:>6}", "interface", "rows")?;
    for c in &columns {
        write!(out, " {:>12}", c.heading)?;
    }
    writeln!(out, " {:>9}{}", "skill", if model.settings.scope == Scope::Global { "" } else { "  layer" })?;
    let mut figures: Vec<Vec<f64>> = vec![Vec::new(); columns.len()];
    let (mut gains, mut better, mut all) = (Vec::new(), 0, 0);
    for known in model.known() {
        let Some(skill) = &known.skill else { continue };
        let values: Vec<f64> = columns.iter().map(|c| (c.of)(skill)).collect();
        let simple = &values[..Expert::SIMPLE.len()];
        let best = simple.iter().copied().filter(|v| v.is_finite()).fold(f64::INFINITY, f64::min);
        write!(out, "{:NAME$} {:>6}", shorten(&printable(&known.name.to_string()), NAME), skill.rows)?;
        for (i, v) in values.iter().enumerate() {
            let mark = if i < simple.len() && *v == best { "*" } else { "" };
            write!(out, " {:>12}", if v.is_finite() { format!("{}{mark}", figure(*v)) } else { "-".into() })?;
            figures[i].extend(v.is_finite().then_some(*v));
        }
        let gain = skill.over_best_simple();
        write!(out, " {:>9}", gain.map_or("-".into(), |g| format!("{:+.1} %", 100.0 * g)))?;
        match model.settings.scope {
            Scope::Global => writeln!(out)?,
            _ if skill.scope == model.settings.scope => writeln!(out, "  {}", skill.scope)?,
            _ => writeln!(out, "  global, which is no worse")?,
        }
        all += 1;
        better += usize::from(gain.is_some_and(|g| g > 0.0));
        gains.extend(gain);
    }
    if all > 0 {
        write!(out, "{:NAME$} {:>6}", "median", "")?;
        for mut values in figures {
            write!(out, " {:>12.4}", median(&mut values))?;
        }
        writeln!(out, " {:>9}", format!("{:+.1} %", 100.0 * median(&mut gains)))?;
        writeln!(out)?;
        writeln!(out, "The mix beats the best simple forecast on {better} of {all} interfaces.")?;
    }
    Ok(())
}

/// What else is to be said of a training run.
fn notes(trained: &Trained, out: &mut impl Write) -> io::Result<()> {
    let settings = trained.model.settings;
    if settings.scope != Scope::Global {
        let skills: Vec<&Skill> = trained.model.known().iter().filter_map(|k| k.skill.as_ref()).collect();
        let own = skills.iter().filter(|skill| skill.scope == settings.scope).count();
        writeln!(
            out,
            "{own} of {} interfaces use a last layer of their {}; the others use the shared one.",
            skills.len(),
            if settings.scope == Scope::Device { "device" } else { "own" }
        )?;
    }
    if settings.scaling == Scaling::Global
        && let (Some(own), Some(one)) = (trained.own_scales, trained.model.median_error())
    {
        writeln!(
            out,
            "One scale for all interfaces: median error {one:.4}; with each interface's own it is {own:.4} ({:+.1} %).",
            100.0 * (one / own - 1.0)
        )?;
    }
    if trained.left_out > 0 {
        writeln!(
            out,
            "{} interfaces have fewer than {LEAST_ROWS} rows and were left out; they will be watched as unknown ones.",
            trained.left_out
        )?;
    }
    if trained.best_epoch == 0 {
        writeln!(
            out,
            "The LSTM learnt nothing that holds on rows kept back: it adds nothing, and the mix does without it."
        )?;
    }
    Ok(())
}

/// Four digits behind the point, or the magnitude where the unit of an idle interface makes them silly.
fn figure(v: f64) -> String {
    if v < 1e4 { format!("{v:.4}") } else { format!("{v:.1e}") }
}

/// A name in at most `width` characters; the end of an interface's name says more than its start.
fn shorten(name: &str, width: usize) -> String {
    let long = name.chars().count();
    if long <= width {
        name.to_owned()
    } else {
        format!("…{}", name.chars().skip(long - width + 1).collect::<String>())
    }
}
