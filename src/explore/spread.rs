//! How values are spread: quantiles, the box plot's bounds and its outliers.

use serde::Serialize;

use crate::series::scale::sorted_quantile;

/// Exact quantiles, linear between neighbours (NumPy's and SciPy's usual method).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Quantiles {
    /// The lowest value.
    pub min: f64,
    /// The 1 % quantile.
    pub q01: f64,
    /// The 5 % quantile.
    pub q05: f64,
    /// The lower quartile.
    pub q25: f64,
    /// The median.
    pub median: f64,
    /// The upper quartile.
    pub q75: f64,
    /// The 95 % quantile.
    pub q95: f64,
    /// The 99 % quantile.
    pub q99: f64,
    /// The highest value.
    pub max: f64,
}

impl Quantiles {
    /// Those of ascending values; zeros where there is none.
    pub fn of(sorted: &[f64]) -> Self {
        let q = |p| sorted_quantile(sorted, p);
        Self {
            min: q(0.0),
            q01: q(0.01),
            q05: q(0.05),
            q25: q(0.25),
            median: q(0.5),
            q75: q(0.75),
            q95: q(0.95),
            q99: q(0.99),
            max: q(1.0),
        }
    }
}

/// Tukey's box plot: whiskers reach to the last value within one and a half boxes of the box.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct BoxPlot {
    /// End of the lower whisker.
    pub low: f64,
    /// The box's lower edge: the lower quartile.
    pub q25: f64,
    /// The line in the box.
    pub median: f64,
    /// The box's upper edge.
    pub q75: f64,
    /// End of the upper whisker.
    pub high: f64,
    /// Values below the lower whisker.
    pub below: usize,
    /// Values above the upper whisker.
    pub above: usize,
}

impl BoxPlot {
    /// That of ascending values; zeros where there is none.
    pub fn of(sorted: &[f64]) -> Self {
        let q = |p| sorted_quantile(sorted, p);
        let (q25, q75) = (q(0.25), q(0.75));
        let reach = 1.5 * (q75 - q25);
        let first = sorted.partition_point(|v| *v < q25 - reach);
        let end = sorted.partition_point(|v| *v <= q75 + reach);
        // A quartile between two values may have no value between itself and its fence: the whisker
        // then ends at the box.
        let low = sorted.get(first).map_or(q25, |v| v.min(q25));
        let high = end.checked_sub(1).and_then(|last| sorted.get(last)).map_or(q75, |v| v.max(q75));
        Self { low, q25, median: q(0.5), q75, high, below: first, above: sorted.len() - end }
    }

    /// Values beyond the whiskers.
    pub fn outliers(&self) -> usize {
        self.below + self.above
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiskers_end_at_values_and_what_lies_beyond_is_counted() {
        let values = [-50.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 40.0, 41.0];
        let plot = BoxPlot::of(&values);
        assert_eq!((plot.low, plot.high, plot.below, plot.above), (1.0, 7.0, 1, 2));
        assert_eq!(plot.outliers(), 3);
    }

    #[test]
    fn a_box_without_height_and_one_without_values_stand() {
        let flat = BoxPlot::of(&[7.0; 5]);
        assert_eq!((flat.low, flat.q25, flat.high, flat.outliers()), (7.0, 7.0, 7.0, 0));
        assert_eq!(BoxPlot::of(&[]).outliers(), 0);
        assert_eq!(Quantiles::of(&[]).max, 0.0);
    }
}
