//! All figures of one interface.

use realfft::RealFftPlanner;
use serde::Serialize;

use super::acf::Echoes;
use super::columns::Columns;
use super::course::Course;
use super::grid::{Gaps, Grid, as_text};
use super::profile::Profile;
use super::spread::{BoxPlot, Quantiles};
use crate::series::{InterfaceName, Timestamp};

/// What the values of an interface are like. Without further word they are its mean values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Its device.
    pub hostname: String,
    /// Its name there.
    pub ifname: String,
    /// Rows, one for each moment.
    pub rows: usize,
    /// Rows for a moment for which another row stands.
    pub duplicates: usize,
    /// The step in seconds; none for a single row.
    pub step: Option<i64>,
    /// The first row's moment.
    #[serde(serialize_with = "as_text")]
    pub first: Timestamp,
    /// The last row's moment.
    #[serde(serialize_with = "as_text")]
    pub last: Timestamp,
    /// What is missing in between.
    pub gaps: Gaps,
    /// Quantiles.
    pub quantiles: Quantiles,
    /// The box plot.
    pub box_plot: BoxPlot,
    /// The largest values' column beside the mean values'.
    pub peaks: Peaks,
    /// The share of rows that are zero.
    pub zeros: f64,
    /// Rows below zero.
    pub negative: usize,
    /// Where values do not change.
    pub still: Still,
    /// The share of steps from row to row that go up.
    pub rises: f64,
    /// Autocorrelation of ranks; none for values that are all the same, and for too few rows.
    pub echoes: Option<Echoes>,
    /// What is usual by hour and by weekday.
    pub profile: Profile,
    /// What the level did.
    pub course: Course,
}

/// The largest values beside the mean ones.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Peaks {
    /// The lowest of the largest values.
    pub min: f64,
    /// The highest of them.
    pub max: f64,
    /// The median of largest over mean, where the mean is above zero.
    pub over_mean: Option<f64>,
    /// Rows whose largest value is below their mean.
    pub below_mean: usize,
    /// Rows whose largest value is their mean.
    pub same_as_mean: usize,
}

/// Where values do not change.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Still {
    /// The share of rows that repeat the one before.
    pub share: f64,
    /// Rows of the longest stretch of one value.
    pub longest: usize,
    /// When it begins.
    #[serde(serialize_with = "as_text")]
    pub from: Timestamp,
}

impl Figures {
    /// Those of an interface's rows. The order of arithmetic follows from the rows alone.
    pub fn of(name: &InterfaceName, columns: &Columns, planner: &mut RealFftPlanner<f64>) -> Self {
        let (mean, max) = (columns.mean(), columns.max());
        let mut sorted = mean.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let grid = Grid::of(columns);
        let laid = grid.as_ref().and_then(|grid| Some((grid.lay(mean)?, grid.step)));
        let rows = mean.len();
        let share = |count: usize| if rows > 0 { count as f64 / rows as f64 } else { 0.0 };
        let seconds = |at: Option<i64>| Timestamp::from_seconds(at.unwrap_or(0));
        Self {
            hostname: name.host.to_string(),
            ifname: name.ifname.to_string(),
            rows,
            duplicates: columns.duplicates(),
            step: grid.as_ref().map(|grid| grid.step.seconds()),
            first: seconds(columns.seconds().next()),
            last: seconds(columns.seconds().last()),
            gaps: grid.as_ref().map(Grid::gaps).unwrap_or_default(),
            quantiles: Quantiles::of(&sorted),
            box_plot: BoxPlot::of(&sorted),
            peaks: Peaks::of(max, mean),
            zeros: share(mean.iter().filter(|v| **v == 0.0).count()),
            negative: mean.iter().filter(|v| **v < 0.0).count(),
            still: Still::of(columns),
            rises: mean.windows(2).filter(|w| w[1] > w[0]).count() as f64 / rows.saturating_sub(1).max(1) as f64,
            echoes: laid.and_then(|(values, step)| Echoes::of(&values, step, planner)),
            profile: Profile::of(columns.clock().name(), columns.local().zip(mean.iter().copied())),
            course: Course::of(columns.seconds(), mean),
        }
    }

    /// Seconds from the first row to the last.
    pub fn span(&self) -> i64 {
        self.last.since(self.first)
    }

    /// The share of rows beyond the box plot's whiskers.
    pub fn outlier_share(&self) -> f64 {
        self.box_plot.outliers() as f64 / self.rows.max(1) as f64
    }
}

impl Peaks {
    fn of(max: &[f64], mean: &[f64]) -> Self {
        let both = || max.iter().zip(mean);
        let mut over: Vec<f64> = both().filter(|(_, mean)| **mean > 0.0).map(|(max, mean)| max / mean).collect();
        let middle = over.len() / 2;
        let over_mean = (!over.is_empty()).then(|| *over.select_nth_unstable_by(middle, f64::total_cmp).1);
        Self {
            min: max.iter().copied().reduce(f64::min).unwrap_or(0.0),
            max: max.iter().copied().reduce(f64::max).unwrap_or(0.0),
            over_mean,
            below_mean: both().filter(|(max, mean)| max < mean).count(),
            same_as_mean: both().filter(|(max, mean)| max == mean).count(),
        }
    }
}

impl Still {
    fn of(columns: &Columns) -> Self {
        let values = columns.mean();
        let (mut longest, mut end, mut before) = (0, 0, 0);
        for same in values.chunk_by(|a, b| a == b) {
            before += same.len();
            if same.len() > longest {
                (longest, end) = (same.len(), before);
            }
        }
        let repeats = values.windows(2).filter(|w| w[0] == w[1]).count();
        Self {
            share: repeats as f64 / values.len().saturating_sub(1).max(1) as f64,
            longest,
            from: Timestamp::from_seconds(columns.seconds().nth(end - longest).unwrap_or(0)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figures(max: &[f64], mean: &[f64]) -> Figures {
        let seconds: Vec<i64> = (0..mean.len() as i64).map(|i| i * 300).collect();
        let columns = Columns::in_order(&seconds, max.to_vec(), mean.to_vec());
        Figures::of(&InterfaceName::new("a", "b"), &columns, &mut RealFftPlanner::new())
    }

    #[test]
    fn zeros_stretches_and_columns_that_disagree_are_counted() {
        let mean = [0.0, 0.0, 5.0, 5.0, 5.0, 7.0, -1.0, 8.0];
        let max = [0.0, 1.0, 5.0, 4.0, 6.0, 14.0, 2.0, 8.0];
        let got = figures(&max, &mean);
        assert_eq!((got.zeros, got.negative, got.rises), (0.25, 1, 3.0 / 7.0));
        assert_eq!((got.still.longest, got.still.from.seconds(), got.still.share), (3, 600, 3.0 / 7.0));
        assert_eq!((got.peaks.below_mean, got.peaks.same_as_mean, got.peaks.max), (1, 3, 14.0));
        assert_eq!(got.peaks.over_mean, Some(1.0));
        assert_eq!((got.step, got.span()), (Some(300), 2100));
    }

    #[test]
    fn one_row_has_figures_too() {
        let got = figures(&[3.0], &[2.0]);
        assert_eq!((got.rows, got.step, got.still.longest, got.course), (1, None, 1, Course::Short));
        assert_eq!((got.quantiles.min, got.box_plot.outliers(), got.gaps.count), (2.0, 0, 0));
    }
}
