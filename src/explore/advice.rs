//! What follows from the figures: settings with the flag that makes them, and rows to look into.

use serde::Serialize;

use super::explored::Explored;
use super::figures::Figures;
use super::findings::{Finding, is_near, length, percent};
use super::profile::Profile;
use crate::model::train::LEAST_ROWS;
use crate::series::scale::median;
use crate::series::{DAY, WARM_UP, WEEK, WindowLength, printable};

/// Times that the busiest interface's median is of the idlest one's, above which one scale for all would
/// press the small ones flat.
const WIDE: f64 = 10.0;
/// Likeness of days within a device over that between devices, from which on devices have a rhythm of their own.
const OF_ITS_OWN: f64 = 0.2;
/// Interfaces whose days are compared; of more, this many evenly in the order of names.
const COMPARED: usize = 200;
/// Interfaces that are named in one piece of advice.
const NAMED: usize = 3;
/// The default window.
const WINDOW: usize = 24;
/// A good history, in seconds.
const GOOD: i64 = 2 * WEEK;

/// One piece of advice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Advice {
    /// What it is about.
    pub about: &'static str,
    /// The figures, and what follows from them.
    pub text: String,
    /// What to add to a command, where a flag follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
}

fn advice(about: &'static str, text: String, flag: Option<&str>) -> Advice {
    Advice { about, text, flag: flag.map(str::to_owned) }
}

/// All advice on a directory: settings first, then what looks wrong.
pub fn of(explored: &Explored) -> Vec<Advice> {
    let settings = [scale(explored), scope(explored), window(explored), seasons(explored)];
    let rows = [history(explored), flat(explored), silent_hours(explored), steps(explored)];
    let columns = [counters(explored), peaks(explored), negative(explored), labels(explored), lines(explored)];
    settings.into_iter().chain(rows).chain(columns).flatten().collect()
}

/// Interfaces that an advice is about: how many of how many, and some by name.
fn who(explored: &Explored, is_meant: impl Fn(&Figures, &[Finding]) -> bool) -> Option<(usize, String)> {
    let all = explored.interfaces.iter().zip(&explored.findings);
    let meant: Vec<&Figures> = all.filter(|(f, findings)| is_meant(f, findings)).map(|(f, _)| f).collect();
    let names: Vec<String> =
        meant.iter().take(NAMED).map(|f| format!("{}/{}", printable(&f.hostname), printable(&f.ifname))).collect();
    let more = if meant.len() > NAMED { format!(" and {} more", meant.len() - NAMED) } else { String::new() };
    let of = format!("{} of {} interfaces ({}{more})", meant.len(), explored.interfaces.len(), names.join(", "));
    (!meant.is_empty()).then_some((meant.len(), of))
}

/// Interfaces that settings can be advised for: of a few rows nothing is known.
fn known(explored: &Explored) -> Vec<&Figures> {
    explored.interfaces.iter().filter(|f| f.rows >= LEAST_ROWS).collect()
}

/// So many interfaces, as they are called where only those are counted that settings are advised for.
fn so_many(known: &[&Figures], explored: &Explored) -> String {
    let some = if known.len() < explored.interfaces.len() { " that have enough rows" } else { "" };
    format!("{} interfaces{some}", known.len())
}

fn has(finding: impl Fn(&Finding) -> bool) -> impl Fn(&Figures, &[Finding]) -> bool {
    move |_, findings| findings.iter().any(&finding)
}

fn scale(explored: &Explored) -> Option<Advice> {
    let known = known(explored);
    let medians = known.iter().map(|f| f.quantiles.median.abs()).filter(|m| *m > 0.0);
    let (low, high) = medians.fold((f64::INFINITY, 0.0_f64), |(low, high), m| (low.min(m), high.max(m)));
    if known.len() < 2 || high == 0.0 {
        return None;
    }
    let times = high / low;
    Some(if times >= WIDE {
        let text = format!(
            "medians of interfaces reach from {low:.3e} to {high:.3e}, {times:.0} times as much: with one scale for all \
             the small ones would be flat. Each interface's own scale is the default"
        );
        advice("scale", text, Some("noctop train --scale interface"))
    } else {
        let text = format!(
            "medians of interfaces are within {times:.1} times of each other: one scale for all loses little. Each \
             interface's own is the default and no worse"
        );
        advice("scale", text, Some("noctop train --scale global"))
    })
}

/// How alike the days of interfaces are, within devices and between them: medians.
fn likeness(explored: &Explored) -> (Option<f64>, Option<f64>) {
    let known = known(explored);
    let all = known.len();
    let some = all.min(COMPARED);
    let places = (0..some).map(|k| k * all / some.max(1));
    let compared: Vec<(&str, &Profile)> = places.map(|i| (known[i].hostname.as_str(), &known[i].profile)).collect();
    let (mut within, mut between) = (Vec::new(), Vec::new());
    for (i, (host, profile)) in compared.iter().enumerate() {
        for (other, its) in &compared[i + 1..] {
            let Some(likeness) = profile.likeness(its) else { continue };
            if host == other { within.push(likeness) } else { between.push(likeness) }
        }
    }
    let middle = |mut values: Vec<f64>| (!values.is_empty()).then(|| median(&mut values));
    (middle(within), middle(between))
}

fn scope(explored: &Explored) -> Option<Advice> {
    let shapes = explored.alike.shapes.median_distance();
    let tests = format!("distributions over their own median are D = {shapes:.2} apart at the median");
    let (text, flag) = match likeness(explored) {
        (Some(within), Some(between)) if within - between >= OF_ITS_OWN => (
            format!(
                "days are alike to {within:.2} within a device and {between:.2} between devices (rank correlation by \
                 hour, median): devices have a rhythm of their own, so let each have a last layer of its own; {tests}"
            ),
            "noctop train --scope device",
        ),
        (within, Some(between)) => {
            let within = within.map_or(String::new(), |within| format!("{within:.2} within a device and "));
            (
                format!(
                    "days are alike to {within}{between:.2} between devices (rank correlation by hour, median): devices \
                     are no families, one global model serves them; {tests}"
                ),
                "noctop train --scope global",
            )
        }
        (Some(within), None) if explored.read.devices == 1 => (
            format!(
                "there is one device, on which days are alike to {within:.2} (rank correlation by hour, median): one \
                 model for it is one global model; {tests}"
            ),
            "noctop train --scope global",
        ),
        _ => return None,
    };
    Some(advice("model", text + ". The skill table of train decides", Some(flag)))
}

/// The step that most interfaces have.
fn step(explored: &Explored) -> Option<i64> {
    explored.read.steps.first().map(|(step, _)| *step)
}

fn window(explored: &Explored) -> Option<Advice> {
    let known = known(explored);
    let step = step(explored).filter(|_| !known.is_empty())?;
    let in_a_day = DAY / step;
    let range = WindowLength::RANGE;
    let of = |f: &Figures| f.echoes.as_ref()?.half;
    let mut halves: Vec<f64> = known.iter().filter_map(|f| of(f)).map(|half| half as f64).collect();
    let half = median(&mut halves);
    if DAY % step == 0 && range.contains(&(in_a_day as usize)) {
        let with = known.iter().filter(|f| strongest(f).is_some_and(|p| is_near(p, DAY, step))).count();
        let text = format!(
            "a day is {in_a_day} slots of {}, and the strongest period on {with} of {}: a window of one day",
            length(step),
            so_many(&known, explored)
        );
        return Some(advice("window", text, Some(&format!("noctop train --window {in_a_day}"))));
    }
    if halves.is_empty() {
        return None;
    }
    let slots = (half.ceil() as usize).clamp(WINDOW, *range.end());
    let text = format!(
        "a day is {in_a_day} slots of {}, more than the {} that a window holds (the day and the week before are inputs \
         of their own); autocorrelation falls below one half after {half:.0} slots at the median: a window of {slots}",
        length(step),
        range.end()
    );
    Some(advice("window", text, Some(&format!("noctop train --window {slots}"))))
}

fn strongest(f: &Figures) -> Option<i64> {
    f.echoes.as_ref().and_then(|e| e.strongest()).map(|p| p.seconds)
}

fn seasons(explored: &Explored) -> Option<Advice> {
    let known = known(explored);
    let near = |f: &Figures, period: i64| {
        f.step.zip(strongest(f)).is_some_and(|(step, seconds)| is_near(seconds, period, step))
    };
    let count = |period: i64| known.iter().filter(|f| near(f, period)).count();
    let (day, week) = (count(DAY), count(WEEK));
    let at = |lag: fn(&Figures) -> Option<f64>| {
        let mut all: Vec<f64> = known.iter().filter_map(|f| lag(f)).collect();
        if all.is_empty() { "unknown".to_owned() } else { format!("{:.2}", median(&mut all)) }
    };
    let (r_day, r_week) =
        (at(|f| f.echoes.as_ref().and_then(|e| e.day)), at(|f| f.echoes.as_ref().and_then(|e| e.week)));
    let none = who(explored, has(|f| matches!(f, Finding::NoPeriod | Finding::OtherPeriod(_))));
    let rest = none.map_or(String::new(), |(_, who)| format!("; neither on {who}"));
    let text = format!(
        "the strongest period is a day on {day} and a week on {week} of {} (autocorrelation of ranks {r_day} and {r_week} \
         at the median). noctop always looks at the day and the week before{rest}",
        so_many(&known, explored)
    );
    (!known.is_empty()).then(|| advice("season", text, None))
}

fn history(explored: &Explored) -> Option<Advice> {
    let short = who(explored, has(|f| matches!(f, Finding::Short(_))));
    let young = explored.interfaces.iter().filter(|f| f.span() < GOOD).count();
    let text = match (short, young) {
        (None, 0) => return None,
        (None, young) => format!("{young} of {} interfaces have less than two weeks", explored.interfaces.len()),
        (Some((short, who)), _) => {
            let nothing = if short == explored.interfaces.len() { ", too little to advise settings" } else { "" };
            format!("{who} have fewer than {LEAST_ROWS} rows and are not learnt from{nothing}")
        }
    };
    let rest = format!(
        "; judging begins after {WARM_UP} rows, and two weeks are a good history: keep older rows with --history"
    );
    Some(advice("history", text + &rest, Some("noctop score --history DIR")))
}

fn flat(explored: &Explored) -> Option<Advice> {
    let (_, who) = who(explored, has(|f| matches!(f, Finding::Flat(_))))?;
    let text = format!("{who} hardly change: there is nothing to learn, and any change will be rare. Are they in use?");
    Some(advice("flat", text, None))
}

fn silent_hours(explored: &Explored) -> Option<Advice> {
    let all = explored.interfaces.len();
    let common: Vec<_> = explored.shared_gaps.iter().filter(|s| 2 * s.interfaces > all && s.interfaces > 1).collect();
    let longest = common.iter().max_by_key(|s| s.gap.slots)?;
    let slots: i64 = common.iter().map(|s| s.gap.slots).sum();
    let text = format!(
        "{} the same on most interfaces, {slots} slot{} in all, the longest from {} to {} UTC ({}): the \
         collector was away, not the interfaces. Gaps are never filled and scored",
        if common.len() == 1 { "1 gap is".to_owned() } else { format!("{} gaps are", common.len()) },
        if slots == 1 { "" } else { "s" },
        longest.gap.from,
        longest.gap.to,
        if longest.gap.slots == 1 { "1 slot".to_owned() } else { format!("{} slots", longest.gap.slots) }
    );
    Some(advice("gaps", text, None))
}

fn steps(explored: &Explored) -> Option<Advice> {
    let (_, who) = who(explored, has(|f| matches!(f, Finding::OtherStep(_))))?;
    let usual = length(step(explored)?);
    let text = format!("the usual step is {usual}; another one on {who}. Each is judged on its own step");
    Some(advice("step", text, None))
}

fn counters(explored: &Explored) -> Option<Advice> {
    let (_, who) = who(explored, has(|f| matches!(f, Finding::Counter(_))))?;
    let text =
        format!("values only rise on {who}: that is a counter. Export the difference from slot to slot, as a rate");
    Some(advice("column", text, None))
}

/// The share of rows with a largest value below the mean from which the two columns are swapped. Where it is less than
/// nearly all, the values are what is wrong, not their names.
const SWAPPED: f64 = 0.95;

fn peaks(explored: &Explored) -> Option<Advice> {
    let rows: usize = explored.interfaces.iter().map(|f| f.peaks.below_mean).sum();
    if let Some((_, who)) = who(explored, |f, _| f.peaks.below_mean > 0) {
        let share = rows as f64 / explored.read.rows.max(1) as f64;
        let (what, flag) = if share > SWAPPED {
            (", so the two columns are swapped: map them", Some("[input.columns] in the configuration"))
        } else {
            (", which cannot be: look at how the collector makes the two columns", None)
        };
        let text = format!("the largest value is below the mean in {rows} rows ({}), on {who}{what}", percent(share));
        return Some(advice("column", text, flag));
    }
    let (count, who) = who(explored, has(|f| matches!(f, Finding::MaxIsMean)))?;
    let text = format!("the largest value is the mean in every row on {who}: short bursts are not seen there");
    (2 * count >= explored.interfaces.len()).then(|| advice("column", text, None))
}

fn negative(explored: &Explored) -> Option<Advice> {
    let rows: usize = explored.interfaces.iter().map(|f| f.negative).sum();
    let (_, who) = who(explored, |f, _| f.negative > 0)?;
    let text =
        format!("{rows} rows are below zero, on {who}: for a load that is a counter that wrapped, or a wrong column");
    Some(advice("column", text, None))
}

/// Names that are one name to a person: they differ in case or in blanks.
fn labels(explored: &Explored) -> Option<Advice> {
    let plain = |f: &Figures| format!("{}\n{}", f.hostname.trim(), f.ifname.trim()).to_lowercase();
    let mut names: Vec<(String, &Figures)> = explored.interfaces.iter().map(|f| (plain(f), f)).collect();
    names.sort_by(|a, b| a.0.cmp(&b.0));
    let twins = names.windows(2).filter(|w| w[0].0 == w[1].0);
    let first = twins.clone().next()?;
    let said = |f: &Figures| format!("{:?}", format!("{}/{}", f.hostname, f.ifname));
    let text = format!(
        "{} names differ from another one in case or blanks only, as {} and {}: they are two interfaces to noctop",
        twins.count(),
        said(first[0].1),
        said(first[1].1)
    );
    Some(advice("label", text, None))
}

fn lines(explored: &Explored) -> Option<Advice> {
    let read = &explored.read;
    let all = read.refused + (read.rows + read.duplicates) as u64;
    let mut said = Vec::new();
    if let Some(first) = read.refusals.first() {
        let share = percent(read.refused as f64 / all as f64);
        said.push(format!(
            "{} {} refused ({share}), the first {}:{}: {}",
            read.refused,
            if read.refused == 1 { "line was" } else { "lines were" },
            printable(&first.file),
            first.line,
            printable(&first.reason)
        ));
    }
    if read.duplicates > 0 {
        said.push(format!("{} rows are for a moment that has another one, which stands", read.duplicates));
    }
    (!said.is_empty()).then(|| advice("lines", said.join("; "), None))
}
