//! What is odd about an interface, in words with a figure.

use std::fmt;

use serde::{Serialize, Serializer};

use super::course::Course;
use super::figures::Figures;
use crate::model::train::LEAST_ROWS;
use crate::series::{DAY, Step, Timestamp, WARM_UP, WEEK};

/// Missing slots, outliers, repeats and zeros that are worth a word: shares.
const GAPS: f64 = 0.05;
const OUTLIERS: f64 = 0.05;
const REPEATS: f64 = 0.9;
const IDLE: f64 = 0.5;
/// Steps from row to row that go up, from which on values look like a counter's.
const RISES: f64 = 0.95;
/// Days that are needed before a rhythm of the day can be missed.
const DAYS: i64 = 4;

/// What is usual among the interfaces of a directory: what all have is not odd about one of them.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usual {
    /// The commonest step in seconds.
    pub step: Option<i64>,
    /// The median share of missing slots.
    pub missing: f64,
}

/// Something odd.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Finding {
    /// Fewer rows than can be learnt from.
    Short(usize),
    /// Values that only rise: a counter, not a rate.
    Counter(f64),
    /// Rows whose largest value is below their mean, as a share.
    MaxBelowMean(f64),
    /// Largest and mean value are the same in every row.
    MaxIsMean,
    /// Values that repeat themselves, as a share of rows.
    Flat(f64),
    /// Zero most of the time, as a share of rows.
    Idle(f64),
    /// Rows below zero.
    Negative(usize),
    /// Rows that are nearer to a slot which another row has.
    OffGrid(usize),
    /// Another step than most interfaces, in seconds.
    OtherStep(i64),
    /// Missing slots, as a share.
    Gaps(f64),
    /// The level went from one to another.
    Shift(Timestamp, f64, f64),
    /// The level rises or falls all along.
    Trend(f64, f64),
    /// Values beyond the box plot's whiskers, as a share.
    Outliers(f64),
    /// The strongest period is neither a day nor a week: its seconds.
    OtherPeriod(i64),
    /// There is no period above chance.
    NoPeriod,
    /// Rows that were told twice or more.
    Duplicates(usize),
}

impl Finding {
    /// All about an interface, the gravest first.
    pub fn of(f: &Figures, usual: Usual) -> Vec<Self> {
        let rows = f.rows.max(1) as f64;
        let when = |odd: bool, finding: Self| odd.then_some(finding);
        let short = f.rows < LEAST_ROWS;
        let flat = !short && f.still.share >= REPEATS;
        let idle = !short && !flat && f.zeros >= IDLE;
        let counter = !short && f.rises >= RISES;
        let all_same = f.peaks.same_as_mean == f.rows && f.quantiles.min < f.quantiles.max;
        let long = f.span() >= DAYS * DAY && f.step.is_some_and(|step| step < DAY / 2);
        let period = f.echoes.as_ref().map(|e| e.strongest().map(|p| p.seconds));
        let rhythmic =
            |seconds: i64| f.step.is_some_and(|step| is_near(seconds, DAY, step) || is_near(seconds, WEEK, step));
        let all = [
            when(short, Self::Short(f.rows)),
            when(counter, Self::Counter(f.rises)),
            when(f.peaks.below_mean > 0, Self::MaxBelowMean(f.peaks.below_mean as f64 / rows)),
            when(all_same && !short, Self::MaxIsMean),
            when(flat, Self::Flat(f.still.share)),
            when(idle, Self::Idle(f.zeros)),
            when(f.negative > 0, Self::Negative(f.negative)),
            when(f.gaps.crowded > 0, Self::OffGrid(f.gaps.crowded)),
            f.step.filter(|own| usual.step.is_some_and(|usual| usual != *own)).map(Self::OtherStep),
            when(f.gaps.share() >= GAPS.max(2.0 * usual.missing), Self::Gaps(f.gaps.share())),
            match f.course {
                Course::Shift { at, before, after } => Some(Self::Shift(at, before, after)),
                Course::Trend { from, to, .. } => Some(Self::Trend(from, to)),
                Course::Short | Course::Steady => None,
            },
            when(f.outlier_share() >= OUTLIERS && !flat && !idle && !short, Self::Outliers(f.outlier_share())),
            match period {
                Some(None) if long && !flat && !counter => Some(Self::NoPeriod),
                Some(Some(seconds)) if long && !flat && !counter && !rhythmic(seconds) => {
                    Some(Self::OtherPeriod(seconds))
                }
                _ => None,
            },
            when(f.duplicates > 0, Self::Duplicates(f.duplicates)),
        ];
        all.into_iter().flatten().collect()
    }

    /// How grave: what makes an interface useless or its rows wrong weighs most.
    pub fn weight(&self) -> f64 {
        match self {
            Self::Counter(_) | Self::Short(_) => 8.0,
            Self::MaxBelowMean(share) => 4.0 + 4.0 * share,
            Self::Flat(_) | Self::MaxIsMean => 4.0,
            Self::Shift(..) | Self::OtherStep(_) => 3.0,
            Self::Trend(..) | Self::Negative(_) => 2.0,
            Self::Idle(_) => 1.5,
            Self::Gaps(share) | Self::Outliers(share) => 1.0 + 4.0 * share,
            Self::NoPeriod | Self::OtherPeriod(_) => 1.0,
            Self::OffGrid(_) | Self::Duplicates(_) => 0.5,
        }
    }
}

/// Whether a period is this one: to the slot, and where slots are finer, to a forty-eighth of it (half an
/// hour of a day), since the top of a smooth curve moves a little with noise.
pub fn is_near(seconds: i64, period: i64, step: i64) -> bool {
    (seconds - period).abs() < step.max(period / 48)
}

/// The order in which interfaces are shown when not all are: the oddest first.
pub fn oddest_first(findings: &[Vec<Finding>]) -> Vec<usize> {
    let weight = |i: &usize| findings[*i].iter().map(Finding::weight).sum::<f64>();
    let mut order: Vec<usize> = (0..findings.len()).collect();
    order.sort_by(|a, b| weight(b).total_cmp(&weight(a)).then(a.cmp(b)));
    order
}

/// A change of level, as people say it.
fn change(from: f64, to: f64) -> String {
    let factor = to / from;
    if factor.is_finite() && factor > 0.0 { format!("×{factor:.2}") } else { format!("from {from:.3e} to {to:.3e}") }
}

/// A share in per cent; what is there but small is not nothing.
pub fn percent(share: f64) -> String {
    match (100.0 * share).max(0.0) {
        0.0 => "0 %".to_owned(),
        p if p < 0.1 => "<0.1 %".to_owned(),
        p if p < 10.0 => format!("{p:.1} %"),
        p => format!("{p:.0} %"),
    }
}

/// Seconds in the largest unit that they are a whole number of, or in hours or days and a tenth where that
/// would be a long number.
pub fn length(seconds: i64) -> String {
    match seconds {
        s if s >= 2 * DAY && s % DAY != 0 => format!("{:.1} d", s as f64 / DAY as f64),
        s if s >= 2 * 3600 && s % 3600 != 0 => format!("{:.1} h", s as f64 / 3600.0),
        s => Step::from_seconds(s).map_or_else(|| "0 s".to_owned(), |step| step.to_string()),
    }
}

fn rows_of(n: usize) -> String {
    format!("{n} row{}", if n == 1 { "" } else { "s" })
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Short(rows) if *rows < WARM_UP => write!(f, "{}: too few to be judged", rows_of(*rows)),
            Self::Short(rows) => write!(f, "{}: too few to learn from", rows_of(*rows)),
            Self::Counter(share) => write!(f, "rises in {} of steps: a counter?", percent(*share)),
            Self::MaxBelowMean(share) => write!(f, "max below mean in {} of rows", percent(*share)),
            Self::MaxIsMean => write!(f, "max is mean in every row"),
            Self::Flat(share) => write!(f, "flat: {} of rows repeat", percent(*share)),
            Self::Idle(share) => write!(f, "idle: {} of rows are zero", percent(*share)),
            Self::Negative(rows) => write!(f, "{} below zero", rows_of(*rows)),
            Self::OffGrid(rows) => write!(f, "{} off the grid", rows_of(*rows)),
            Self::OtherStep(step) => write!(f, "step {}", length(*step)),
            Self::Gaps(share) => write!(f, "{} missing", percent(*share)),
            Self::Shift(at, from, to) => {
                write!(f, "level {} since {}", change(*from, *to), at.to_string().get(..10).unwrap_or_default())
            }
            Self::Trend(from, to) => write!(f, "trend {} over the span", change(*from, *to)),
            Self::Outliers(share) => write!(f, "{} outliers", percent(*share)),
            Self::OtherPeriod(seconds) => write!(f, "period {}", length(*seconds)),
            Self::NoPeriod => write!(f, "no period"),
            Self::Duplicates(rows) => write!(f, "{} told again", rows_of(*rows)),
        }
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use realfft::RealFftPlanner;

    use super::*;
    use crate::explore::Columns;
    use crate::random::Random;
    use crate::series::InterfaceName;

    fn findings(seconds: impl Fn(i64) -> i64, values: impl Fn(usize, f64) -> [f64; 2], rows: usize) -> Vec<String> {
        let mut random = Random::new(5);
        let pairs: Vec<[f64; 2]> = (0..rows).map(|i| values(i, random.normal())).collect();
        let times: Vec<i64> = (0..rows as i64).map(seconds).collect();
        let (max, mean) = pairs.into_iter().map(|[max, mean]| (max, mean)).unzip();
        let columns = Columns::in_order(&times, max, mean);
        let figures = Figures::of(&InterfaceName::new("h", "i"), &columns, &mut RealFftPlanner::new());
        Finding::of(&figures, Usual { step: Some(3600), missing: 0.0 }).iter().map(ToString::to_string).collect()
    }

    fn load(i: usize, noise: f64) -> f64 {
        100.0 + 40.0 * (i as f64 * std::f64::consts::TAU / 24.0).sin() + 3.0 * noise
    }

    #[test]
    fn an_ordinary_interface_has_none() {
        assert!(findings(|i| i * 3600, |i, n| [1.2 * load(i, n), load(i, n)], 400).is_empty());
    }

    #[test]
    fn each_oddity_is_named_with_its_figure() {
        let hourly = |i: i64| i * 3600;
        let f = |values: fn(usize, f64) -> [f64; 2]| findings(hourly, values, 400);
        assert_eq!(f(|i, _| [i as f64 + 1.0, i as f64])[0], "rises in 100 % of steps: a counter?");
        assert_eq!(f(|i, n| [0.8 * load(i, n), load(i, n)]), ["max below mean in 100 % of rows"]);
        assert_eq!(f(|i, n| [load(i, n); 2]), ["max is mean in every row"]);
        assert_eq!(f(|_, _| [2.0, 1.0]), ["flat: 100 % of rows repeat"]);
        assert_eq!(f(|_, n| [9.0 + n, 5.0 + 0.1 * n]), ["no period"]);
        let shift = f(|i, n| if i < 192 { [200.0, load(i, n)] } else { [900.0, 3.0 * load(i, n)] });
        assert!(shift[0].starts_with("level ×2.9") && shift[0].ends_with("since 1970-01-09"), "{shift:?}");
        assert_eq!(findings(hourly, |i, n| [200.0, load(i, n)], 30)[0], "30 rows: too few to learn from");
        assert_eq!(findings(|i| i * 300, |i, n| [200.0, load(i, n)], 400)[0], "step 5 min");
        assert_eq!(
            findings(|i| if i > 100 { i + 40 } else { i } * 3600, |i, n| [200.0, load(i, n)], 400)[0],
            "9.1 % missing"
        );
    }

    #[test]
    fn a_day_is_a_day_to_the_slot_and_lengths_are_short() {
        assert!(is_near(DAY, DAY, 3600) && !is_near(DAY - 3600, DAY, 3600));
        assert!(is_near(DAY - 1500, DAY, 300) && !is_near(DAY - 1800, DAY, 300));
        assert_eq!(
            [300, 3600, 5700, 84_900, DAY, 18_940 * 60].map(length),
            ["5 min", "1 h", "95 min", "23.6 h", "1 d", "13.2 d"]
        );
    }

    #[test]
    fn the_gravest_interface_comes_first() {
        let findings = [vec![], vec![Finding::NoPeriod], vec![Finding::Short(3)], vec![]];
        assert_eq!(oddest_first(&findings), [2, 1, 0, 3]);
    }
}
