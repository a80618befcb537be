//! Everything that was measured, as a table or as JSON.

use std::io::{self, Write};

use serde::Serialize;

use super::baseline::Baseline;
use super::case::Case;
use super::curves::Curve;
use super::events::interface_weeks;
use super::figures::{AtBudget, Figures, Measure};
use super::listed::{self, ListedFigures};
use super::rung::RingFigures;
use crate::series::printable;

/// The seed of the random score: the same case has the same report.
const SEED: u64 = 1;

/// What is measured beside the usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The scores of the Numenta benchmark.
    pub nab: bool,
    /// The curves for a picture.
    pub curves: bool,
}

/// Everything that was measured of a case.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// What it was measured on.
    pub measured_on: MeasuredOn,
    /// noctop's score, and simple ones beside it.
    pub scores: Vec<Figures>,
    /// What the engine lists at the alarm rate in force.
    pub listed: ListedFigures,
}

/// What the figures were measured on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MeasuredOn {
    /// Interfaces with rows.
    pub interfaces: usize,
    /// Those with labelled rows.
    pub labelled_interfaces: usize,
    /// Rows.
    pub rows: usize,
    /// Labelled rows.
    pub labelled_rows: usize,
    /// From each interface's first row to its last, together.
    pub interface_weeks: f64,
    /// Labelled intervals that reach into the rows.
    pub intervals: usize,
    /// Those that cover no row, as silences do: scores cannot catch them, incidents can.
    pub intervals_without_rows: usize,
    /// Labels that lie outside the rows and count for nothing.
    pub labels_outside: usize,
    /// Lines that say of labels what an earlier one says, and count for nothing.
    pub labels_doubled: usize,
}

impl Report {
    /// Measures a case. Where curves are wanted, those of all scores come with it, in the order of the scores.
    pub fn new(case: &Case, wanted: Wanted) -> (Self, Vec<Curve>) {
        let measure = Measure::new(case, wanted.nab);
        let mut curves = Vec::new();
        let mut figures = |name: &str, scores: &[Vec<f64>], notify: &[Vec<f64>]| {
            let (figures, sweep) = measure.figures(name, scores, notify);
            if wanted.curves {
                curves.push(Curve::new(name, case, scores, &sweep));
            }
            figures
        };
        let mut scores = vec![figures("noctop", &case.scores, &case.notify)];
        for baseline in Baseline::ALL {
            let own: Vec<Vec<f64>> = case.series.iter().map(|s| baseline.scores(s, SEED)).collect();
            scores.push(figures(baseline.name(), &own, &own));
        }
        let report = Self { measured_on: MeasuredOn::of(case), scores, listed: listed::figures(case) };
        (report, curves)
    }

    /// Writes it for people.
    ///
    /// # Errors
    /// When `out` cannot be written to.
    pub fn write_table(&self, out: &mut dyn Write) -> io::Result<()> {
        self.measured_on.write(out)?;
        writeln!(out)?;
        write_scores(&self.scores, out)?;
        writeln!(out)?;
        write_listed(&self.listed, out)?;
        writeln!(out)?;
        write_rings(&self.listed.rings, out)
    }
}

impl MeasuredOn {
    fn of(case: &Case) -> Self {
        let labelled = case.series.iter().map(|s| s.truth.mask().into_iter().filter(|l| *l).count());
        let with_rows: usize = case.series.iter().map(|s| s.truth.spans().len()).sum();
        Self {
            interfaces: case.series.len(),
            labelled_interfaces: case.series.iter().filter(|s| s.truth.is_labelled()).count(),
            rows: case.series.iter().map(|s| s.values.len()).sum(),
            labelled_rows: labelled.sum(),
            interface_weeks: interface_weeks(case.series.iter().map(|s| s.seconds())),
            intervals: case.known.len(),
            intervals_without_rows: case.known.len() - with_rows,
            labels_outside: case.outside,
            labels_doubled: case.doubled,
        }
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let (interfaces, rows) = (many(self.interfaces, "interface"), many(self.rows, "row"));
        write!(out, "{interfaces}, {rows}, {:.1} interface-weeks; ", self.interface_weeks)?;
        match self.intervals {
            0 => writeln!(out, "no labelled intervals: there is nothing to be right or wrong about, only counts")?,
            n => writeln!(
                out,
                "{}, {} in them, on {}",
                many(n, "labelled interval"),
                many(self.labelled_rows, "row"),
                many(self.labelled_interfaces, "interface")
            )?,
        }
        if self.intervals_without_rows > 0 {
            let (intervals, have) = match self.intervals_without_rows {
                1 => ("1 interval".to_owned(), "has"),
                n => (many(n, "interval"), "have"),
            };
            writeln!(
                out,
                "{intervals} {have} no rows, as silences: such count among what is listed, not among the scores"
            )?;
        }
        let for_nothing = [
            (self.labels_outside, ["lies outside the rows and counts", "lie outside the rows and count"]),
            (
                self.labels_doubled,
                ["says what an earlier one says, and counts", "say what an earlier one says, and count"],
            ),
        ];
        for (n, [one, more]) in for_nothing.into_iter().filter(|(n, _)| *n > 0) {
            writeln!(out, "{} {} for nothing", many(n, "label"), if n == 1 { one } else { more })?;
        }
        Ok(())
    }
}

fn write_scores(scores: &[Figures], out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "SCORES, row by row, without point adjustment. VUS-PR, AUC-PR and F1 are means over the interfaces with"
    )?;
    writeln!(
        out,
        "labels; the rest has one threshold for all interfaces, which allows one false alarm for each of them and"
    )?;
    writeln!(out, "week, or month of four weeks. Delay in slots.")?;
    writeln!(out)?;
    let nab = scores.iter().any(|f| f.nab.is_some());
    let budgets = format!("{:>36}  | {:^25}  | {:^25}", "best", "1 a week", "1 a month");
    let above = if nab { budgets + "  | NAB's score" } else { budgets };
    writeln!(out, "{}", above.trim_end())?;
    write!(out, "{:12} {:>7} {:>7} {:>7}", "score", "VUS-PR", "AUC-PR", "F1")?;
    for _ in 0..2 {
        write!(out, "  | {:>7} {:>9} {:>7}", "recall", "precision", "delay")?;
    }
    writeln!(out, "{}", if nab { "  | standard low FP low FN" } else { "" })?;
    for f in scores {
        write!(out, "{:12} {:>7} {:>7} {:>7}", f.name, three(f.vus_pr), three(f.auc_pr), three(f.best_f1))?;
        for AtBudget { recall, precision, delay_slots, .. } in [&f.per_week, &f.per_month] {
            write!(out, "  | {:>7} {:>9} {:>7}", three(*recall), three(*precision), one(*delay_slots))?;
        }
        if let Some(nab) = f.nab {
            write!(out, "  | {:>8.1} {:>6.1} {:>6.1}", nab.standard, nab.low_fp, nab.low_fn)?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_listed(listed: &ListedFigures, out: &mut dyn Write) -> io::Result<()> {
    let rate = listed.false_per_interface_week;
    writeln!(out, "LISTED, incident by incident, at the alarm rate in force.")?;
    writeln!(out)?;
    writeln!(out, "incidents     {:>6}", listed.incidents)?;
    writeln!(out, "precision     {:>6}", three(listed.precision))?;
    writeln!(
        out,
        "recall        {:>6}   {} of {}",
        three(listed.recall),
        listed.caught,
        many(listed.intervals, "labelled interval")
    )?;
    writeln!(out, "delay         {:>6}   slots, median", one(listed.delay_slots))?;
    writeln!(
        out,
        "false alarms  {:>6.2}   for each interface and week ({:.2} to {:.2} with 95 % confidence; {} of them); asked for {}",
        rate.value, rate.low, rate.high, listed.false_alarms, listed.asked_per_interface_week
    )?;
    if listed.ended > 0 {
        writeln!(
            out,
            "ended         {:>6}   silences behind the last row of an interface: neither true nor false",
            listed.ended
        )?;
    }
    if !listed.kinds.is_empty() {
        writeln!(out)?;
        writeln!(out, "{:14} {:>9} {:>7} {:>9}   called", "true kind", "intervals", "recall", "same word")?;
        for kind in &listed.kinds {
            let called: Vec<String> = kind.called.iter().map(|(word, n)| format!("{word} {n}")).collect();
            writeln!(
                out,
                "{:14} {:>9} {:>7} {:>9}   {}",
                printable(&kind.kind),
                kind.intervals,
                three(kind.recall),
                three(kind.same_word),
                called.join(", ")
            )?;
        }
    }
    if let Some(stories) = &listed.stories {
        writeln!(out)?;
        writeln!(
            out,
            "stories       {:>6}   {} of {} with two or more caught members come out as one told story; it has {} of their {} members",
            three(stories.share_whole),
            stories.whole,
            stories.raised,
            stories.members_told,
            stories.members
        )?;
        writeln!(
            out,
            "strangers     {:>6}   {} of {} incidents in those told stories do not belong there",
            three(stories.share_strangers),
            stories.strangers,
            stories.told_incidents
        )?;
    }
    Ok(())
}

fn write_rings(rings: &RingFigures, out: &mut dyn Write) -> io::Result<()> {
    let rate = rings.per_day;
    writeln!(out, "RINGS, of which one is enough for a story, at the rate in force.")?;
    writeln!(out)?;
    writeln!(
        out,
        "rings         {:>6.1}   a day ({:.1} to {:.1} with 95 % confidence; {} in {:.1} days); asked for {}",
        rate.value, rate.low, rate.high, rings.rings, rings.days, rings.asked_per_day
    )?;
    let shares = [
        ("true rings", rings.share_true, rings.true_rings, rings.rings, "rings are explained by a labelled interval"),
        (
            "stories rung",
            rings.share_stories_rung,
            rings.stories_rung,
            rings.stories,
            "labelled stories have an incident that rang",
        ),
    ];
    for (name, share, part, all, words) in shares {
        if share.is_some() {
            writeln!(out, "{name:13} {:>6}   {part} of {all} {words}", three(share))?;
        }
    }
    Ok(())
}

/// `1 row`, `2 rows`.
fn many(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

fn three(value: Option<f64>) -> String {
    value.map_or("-".into(), |v| format!("{v:.3}"))
}

fn one(value: Option<f64>) -> String {
    value.map_or("-".into(), |v| format!("{v:.1}"))
}
