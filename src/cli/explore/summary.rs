//! The report for people: what was read, what is odd, and the figures of some interfaces.

use std::io::{self, Write};

use super::draw::{Axis, box_plot};
use crate::explore::explored::BESIDE_EACH_OTHER;
use crate::explore::findings::{Finding, is_near, length, percent};
use crate::explore::{Explored, advice};
use crate::format::{count, fit, minute, units};
use crate::series::scale::{quantile, sorted_quantile};
use crate::series::{DAY, WEEK, printable};

/// Columns of a name, and of a picture beside it.
const NAME: usize = 26;
const PICTURE: usize = 52;
/// Lines of a table that is there to give an idea.
const SOME: usize = 10;
/// Interfaces on a side of the heat map.
const HEAT: usize = 16;

struct Report<'a> {
    explored: &'a Explored,
    ascii: bool,
    /// Places of the interfaces that are shown one by one.
    shown: Vec<usize>,
}

/// Writes all of it, with the interfaces at these places one by one.
pub(super) fn write(explored: &Explored, shown: Vec<usize>, ascii: bool, out: &mut dyn Write) -> io::Result<()> {
    let all = explored.interfaces.len();
    let report = Report { explored, ascii, shown };
    report.read(out)?;
    report.gaps(out)?;
    if all > report.shown.len() {
        report.across(out)?;
    }
    report.odd(out)?;
    report.table(out)?;
    report.boxes(out)?;
    report.rhythm(out)?;
    report.alike(out)?;
    report.together(out)?;
    report.advice(out)
}

/// `one interface`, `3 interfaces`.
pub(super) fn many(n: usize, word: &str) -> String {
    format!("{} {word}{}", grouped(n as u64), if n == 1 { "" } else { "s" })
}

/// By how much the second of two runs behind the first, where it does.
pub(super) fn later(slots: i64) -> String {
    let said = many(slots.unsigned_abs() as usize, "slot");
    match slots {
        0 => String::new(),
        1.. => format!("  {said} later"),
        _ => format!("  {said} earlier"),
    }
}

/// A whole number in groups of three digits.
fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

impl Report<'_> {
    fn name(&self, i: usize, width: usize) -> String {
        let f = &self.explored.interfaces[i];
        let one_device = self.explored.read.devices == 1;
        let name = if one_device { f.ifname.clone() } else { format!("{} {}", f.hostname, f.ifname) };
        fit(&name, width, self.ascii)
    }

    fn read(&self, out: &mut dyn Write) -> io::Result<()> {
        let (read, interfaces) = (&self.explored.read, &self.explored.interfaces);
        let device = match interfaces.first() {
            Some(first) if read.devices == 1 => format!("one device ({})", printable(&first.hostname)),
            _ => many(read.devices, "device"),
        };
        let files = many(read.files, "file");
        writeln!(out, "{} on {device}, {} from {files}", many(read.interfaces, "interface"), many(read.rows, "row"))?;
        let days = read.last.since(read.first) as f64 / DAY as f64;
        let steps: Vec<String> = read
            .steps
            .iter()
            .take(3)
            .map(|(step, n)| match read.steps.len() {
                1 => length(*step),
                _ => format!("{} on {}", length(*step), grouped(*n as u64)),
            })
            .collect();
        let steps = if steps.is_empty() { "unknown".to_owned() } else { steps.join(", ") };
        writeln!(out, "{} to {} UTC ({days:.1} days), step {steps}", minute(read.first), minute(read.last))?;
        let of = |value: fn(&crate::explore::Figures) -> f64, pick: fn(f64, f64) -> f64| {
            units(interfaces.iter().map(value).reduce(pick).unwrap_or(0.0))
        };
        writeln!(
            out,
            "mean values {} to {}, max values {} to {}",
            of(|f| f.quantiles.min, f64::min),
            of(|f| f.quantiles.max, f64::max),
            of(|f| f.peaks.min, f64::min),
            of(|f| f.peaks.max, f64::max)
        )?;
        writeln!(
            out,
            "{} of {} slots missing ({}), {}, {}",
            grouped(read.missing.unsigned_abs()),
            grouped(read.slots.unsigned_abs()),
            percent(read.missing as f64 / read.slots.max(1) as f64),
            many(read.duplicates, "duplicate row"),
            many(read.refused as usize, "refused line")
        )
    }

    fn advice(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\nADVICE\n")?;
        for piece in advice::of(self.explored) {
            let mut line = format!("{:8}", piece.about);
            for word in piece.text.split(' ') {
                if line.chars().count() + word.chars().count() + 1 > 80 {
                    writeln!(out, "{}", line.trim_end())?;
                    line = " ".repeat(8);
                }
                line.push(' ');
                line.push_str(word);
            }
            writeln!(out, "{line}")?;
            if let Some(flag) = &piece.flag {
                writeln!(out, "{:8} -> {flag}", "")?;
            }
        }
        Ok(())
    }

    fn gaps(&self, out: &mut dyn Write) -> io::Result<()> {
        let all = self.explored.interfaces.len();
        let mut gaps = self.explored.shared_gaps.clone();
        if gaps.is_empty() {
            return Ok(());
        }
        gaps.sort_by_key(|s| (std::cmp::Reverse(s.gap.slots.saturating_mul(s.interfaces as i64)), s.gap));
        gaps.truncate(SOME);
        gaps.sort_by_key(|s| s.gap);
        writeln!(out, "\nGAPS, the ones with most missing slots: first and last missing slot, UTC\n")?;
        writeln!(out, "{:>7}  {:16}  {:16}  on", "slots", "from", "to")?;
        for shared in gaps {
            let on = match shared.interfaces {
                n if n == all && all > 1 => format!("all {} interfaces", grouped(n as u64)),
                1 => self.lone(&shared.gap).unwrap_or_else(|| "1 interface".to_owned()),
                n => format!("{} of {} interfaces", grouped(n as u64), grouped(all as u64)),
            };
            let gap = shared.gap;
            writeln!(out, "{:>7}  {}  {}  {on}", gap.slots, minute(gap.from), minute(gap.to))?;
        }
        Ok(())
    }

    fn lone(&self, gap: &crate::explore::grid::Gap) -> Option<String> {
        let place = self.explored.interfaces.iter().position(|f| f.gaps.named.contains(gap))?;
        Some(self.name(place, NAME + 6).trim_end().to_owned())
    }

    /// How figures are spread over the interfaces, where there are too many to show.
    fn across(&self, out: &mut dyn Write) -> io::Result<()> {
        let interfaces = &self.explored.interfaces;
        writeln!(out, "\nACROSS ALL INTERFACES\n")?;
        writeln!(out, "{:26} {:>9} {:>9} {:>9} {:>9} {:>9}", "", "lowest", "25 %", "median", "75 %", "highest")?;
        let mut line = |what: &str, mut values: Vec<f64>, say: fn(f64) -> String| {
            let _ = quantile(&mut values, 0.5);
            let at = [0.0, 0.25, 0.5, 0.75, 1.0].map(|p| say(sorted_quantile(&values, p)));
            let [a, b, c, d, e] = at;
            if values.is_empty() {
                return Ok(());
            }
            writeln!(out, "{what:26} {a:>9} {b:>9} {c:>9} {d:>9} {e:>9}")
        };
        let of = |figure: fn(&crate::explore::Figures) -> f64| interfaces.iter().map(figure).collect::<Vec<_>>();
        let known =
            |figure: fn(&crate::explore::Figures) -> Option<f64>| interfaces.iter().filter_map(figure).collect();
        let two = |v: f64| format!("{v:.2}");
        line("rows", of(|f| f.rows as f64), |v| grouped(v as u64))?;
        line("missing slots", of(|f| f.gaps.share()), percent)?;
        line("median value", of(|f| f.quantiles.median), units)?;
        line(
            "highest over median",
            known(|f| (f.quantiles.median > 0.0).then(|| f.quantiles.max / f.quantiles.median)),
            units,
        )?;
        line("outliers", of(|f| f.outlier_share()), percent)?;
        line("zeros", of(|f| f.zeros), percent)?;
        line("rows that repeat the last", of(|f| f.still.share), percent)?;
        line("max over mean, median", known(|f| f.peaks.over_mean), two)?;
        line("autocorrelation at a day", known(|f| f.echoes.as_ref()?.day), two)?;
        line("autocorrelation at a week", known(|f| f.echoes.as_ref()?.week), two)
    }

    fn odd(&self, out: &mut dyn Write) -> io::Result<()> {
        let odd: Vec<usize> = self.shown.iter().copied().filter(|i| !self.explored.findings[*i].is_empty()).collect();
        let all = self.explored.findings.iter().filter(|f| !f.is_empty()).count();
        if odd.is_empty() {
            return writeln!(out, "\nNothing odd about any interface.");
        }
        let of = if all > odd.len() {
            format!(", {} of {} with something", odd.len(), grouped(all as u64))
        } else {
            String::new()
        };
        writeln!(out, "\nODD{of}\n")?;
        for i in odd {
            let words: Vec<String> = self.explored.findings[i].iter().map(Finding::to_string).collect();
            self.wrapped(&self.name(i, NAME), &words, out)?;
        }
        Ok(())
    }

    /// A name and words behind it, in lines of eighty columns.
    fn wrapped(&self, name: &str, words: &[String], out: &mut dyn Write) -> io::Result<()> {
        let mut line = format!("{name}  ");
        let mut begun = false;
        for word in words {
            let width = line.chars().count() + word.chars().count() + 2;
            if begun && width > 80 {
                writeln!(out, "{},", line.trim_end())?;
                line = " ".repeat(NAME + 2);
                begun = false;
            }
            if begun {
                line.push_str(", ");
            }
            let plain = if self.ascii { word.replace('×', "x") } else { word.clone() };
            line.push_str(&plain);
            begun = true;
        }
        writeln!(out, "{line}")
    }

    fn table(&self, out: &mut dyn Write) -> io::Result<()> {
        let all = self.explored.interfaces.len();
        let of = match all - self.shown.len() {
            0 => String::new(),
            _ => format!(": the oddest {} of {} (--top N)", self.shown.len(), grouped(all as u64)),
        };
        writeln!(out, "\nINTERFACES{of}; one in full: --interface HOST/IF\n")?;
        writeln!(
            out,
            "{:NAME$} {:>6} {:>7} {:>6} {:>6} {:>6} {:>7} {:>8}",
            "interface", "rows", "missing", "min", "median", "max", "zeros", "outliers"
        )?;
        for i in &self.shown {
            let f = &self.explored.interfaces[*i];
            writeln!(
                out,
                "{} {:>6} {:>7} {:>6} {:>6} {:>6} {:>7} {:>8}",
                self.name(*i, NAME),
                count(f.rows as u64),
                percent(f.gaps.share()),
                units(f.quantiles.min),
                units(f.quantiles.median),
                units(f.quantiles.max),
                percent(f.zeros),
                percent(f.outlier_share())
            )?;
        }
        Ok(())
    }

    fn boxes(&self, out: &mut dyn Write) -> io::Result<()> {
        let interfaces = &self.explored.interfaces;
        let axis = Axis::over(self.shown.iter().map(|i| &interfaces[*i].quantiles));
        let kind = if axis.is_logarithmic() { "logarithmic" } else { "linear" };
        writeln!(out, "\nBOX PLOTS, {kind}: [ ] quartiles, # median, | whiskers, o farthest outlier\n")?;
        for i in &self.shown {
            let f = &interfaces[*i];
            writeln!(out, "{} {}", self.name(*i, NAME), box_plot(&f.box_plot, &f.quantiles, axis, PICTURE))?;
        }
        let marks: Vec<String> = [0.0, 1.0 / 3.0, 2.0 / 3.0].iter().map(|share| units(axis.value(*share))).collect();
        let third = (PICTURE - 6) / 3;
        let marks: String = marks.iter().map(|mark| format!("{mark:third$}")).collect();
        writeln!(out, "{:NAME$} {marks}{:>6}", "", units(axis.value(1.0)))
    }

    fn rhythm(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut counts = [0; 4];
        for f in &self.explored.interfaces {
            let kind = match (f.echoes.as_ref().and_then(|e| e.strongest()), f.step) {
                (Some(p), Some(step)) if is_near(p.seconds, DAY, step) => 0,
                (Some(p), Some(step)) if is_near(p.seconds, WEEK, step) => 1,
                (Some(_), _) => 2,
                (None, _) => 3,
            };
            counts[kind] += 1;
        }
        let all = self.explored.interfaces.len();
        writeln!(out, "\nRHYTHM, by autocorrelation of ranks (bursts and zeros do not outweigh the rest)\n")?;
        writeln!(
            out,
            "strongest period: a day on {} of {}, a week on {}, another on {}, none on {}\n",
            counts[0], all, counts[1], counts[2], counts[3]
        )?;
        writeln!(out, "{:NAME$} {:>14} {:>6} {:>6}   others", "interface", "strongest", "day", "week")?;
        let two = |v: Option<f64>| v.map_or("-".to_owned(), |v| format!("{v:.2}"));
        for i in &self.shown {
            let Some(echoes) = &self.explored.interfaces[*i].echoes else {
                writeln!(out, "{} {:>14}", self.name(*i, NAME), "no values to compare")?;
                continue;
            };
            let said: Vec<String> =
                echoes.periods.iter().map(|p| format!("{} {:.2}", length(p.seconds), p.correlation)).collect();
            let strongest = said.first().map_or("none", String::as_str);
            let others = said.get(1..).unwrap_or_default().join(", ");
            let (day, week) = (two(echoes.day), two(echoes.week));
            let line = format!("{} {strongest:>14} {day:>6} {week:>6}   {others}", self.name(*i, NAME));
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn alike(&self, out: &mut dyn Write) -> io::Result<()> {
        let alike = &self.explored.alike;
        let tested = alike.interfaces.len();
        if tested < 2 {
            return Ok(());
        }
        let pairs = alike.values.distance.len();
        let all = self.explored.interfaces.len();
        writeln!(out, "\nDISTRIBUTIONS, two-sample Kolmogorov-Smirnov tests over pairs of interfaces\n")?;
        if tested < all {
            writeln!(out, "{tested} of {} interfaces, evenly along their medians", grouped(all as u64))?;
        }
        for (tests, what) in [(&alike.values, "values as they are"), (&alike.shapes, "values over their own median")] {
            writeln!(
                out,
                "{what}: {} of {pairs} pairs differ, median D {:.2}",
                tests.different(),
                tests.median_distance()
            )?;
        }
        writeln!(out, "Different: p < 0.05, corrected by Holm. Rows of one interface depend on each")?;
        writeln!(out, "other, so p is too small: look at D, the largest distance, from 0 to 1.\n")?;
        let places: Vec<usize> = if tested > HEAT {
            (0..HEAT).map(|k| k * (tested - 1) / (HEAT - 1)).collect()
        } else {
            (0..tested).collect()
        };
        writeln!(out, "D in tenths: above the diagonal of values, below of shapes; = not different")?;
        for a in &places {
            let cell = |b: &usize| {
                let Some(place) = alike.place(*a, *b) else { return "  .".to_owned() };
                let tests = if b > a { &alike.values } else { &alike.shapes };
                match (tests.distance[place], tests.p[place]) {
                    (_, p) if p >= crate::explore::alike::LEVEL => "  =".to_owned(),
                    (d, _) => format!("{:>3.0}", (10.0 * d).floor()),
                }
            };
            let cells: String = places.iter().map(cell).collect();
            writeln!(out, "{}{cells}", self.name(alike.interfaces[*a], NAME))?;
        }
        Ok(())
    }

    fn together(&self, out: &mut dyn Write) -> io::Result<()> {
        let explored = self.explored;
        if explored.pairs == 0 {
            return Ok(());
        }
        writeln!(out, "\nTOGETHER, interfaces of a device by what the hour of the day does not explain\n")?;
        writeln!(
            out,
            "{} of {} looked at (of the {BESIDE_EACH_OTHER} busiest of a device) have |r| of 0.5 or more\n",
            grouped(explored.together.len() as u64),
            many(explored.pairs, "pair")
        )?;
        for pair in explored.together.iter().take(SOME) {
            let lag = later(pair.lag);
            writeln!(
                out,
                "{:>6.2}  {}  {}{lag}",
                pair.correlation,
                self.name(pair.a, NAME),
                self.name(pair.b, NAME).trim_end()
            )?;
        }
        Ok(())
    }
}
