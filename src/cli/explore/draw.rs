//! Pictures in characters: box plots, columns over time, a curve of autocorrelation.

use crate::explore::spread::{BoxPlot, Quantiles};

/// Where a value lies on an axis from 0 to 1, the same for several pictures.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    /// Where linear turns into logarithmic; none for an axis that is linear throughout.
    knee: Option<f64>,
}

/// Times that the highest value is of the lowest above zero, from which on an axis is logarithmic.
const WIDE: f64 = 50.0;

impl Axis {
    /// An axis on which values with these quantiles fit: where they reach over orders of magnitude it is
    /// logarithmic, but linear around zero, so that zeros and negative values have a place too.
    pub(super) fn over<'a>(quantiles: impl IntoIterator<Item = &'a Quantiles>) -> Self {
        let of = |q: &Quantiles| [q.min, q.q05, q.q25, q.median, q.q75, q.q95, q.max];
        let values: Vec<f64> = quantiles.into_iter().flat_map(of).collect();
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let smallest = values.iter().map(|v| v.abs()).filter(|v| *v > 0.0).reduce(f64::min);
        Self { low, high, knee: smallest.filter(|knee| low.abs().max(high.abs()) > WIDE * knee) }
    }

    /// Whether it is logarithmic.
    pub(super) fn is_logarithmic(self) -> bool {
        self.knee.is_some()
    }

    fn bend(self, value: f64) -> f64 {
        self.knee.map_or(value, |knee| (value / knee).asinh())
    }

    /// The share of the axis at which a value lies.
    pub(super) fn place(self, value: f64) -> f64 {
        let (low, high) = (self.bend(self.low), self.bend(self.high));
        let share = (self.bend(value) - low) / (high - low);
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 }
    }

    /// The value at a share of the axis.
    pub(super) fn value(self, share: f64) -> f64 {
        let (low, high) = (self.bend(self.low), self.bend(self.high));
        match (self.knee, share) {
            (_, 0.0) => self.low,
            (_, 1.0) => self.high,
            (Some(knee), _) => knee * (low + share * (high - low)).sinh(),
            (None, _) => low + share * (high - low),
        }
    }
}

/// A box plot in `width` characters: box, median, whiskers, and the farthest outlier on each side.
pub(super) fn box_plot(plot: &BoxPlot, q: &Quantiles, axis: Axis, width: usize) -> String {
    let cell = |v: f64| ((axis.place(v) * (width - 1) as f64).round() as usize).min(width - 1);
    let mut cells = vec![' '; width];
    cells[cell(plot.low)..=cell(plot.high)].fill('-');
    cells[cell(plot.q25)..=cell(plot.q75)].fill('=');
    cells[cell(plot.low)] = '|';
    cells[cell(plot.high)] = '|';
    cells[cell(plot.q25)] = '[';
    cells[cell(plot.q75)] = ']';
    cells[cell(plot.median)] = '#';
    for (outliers, value) in [(plot.below, q.min), (plot.above, q.max)] {
        if outliers > 0 && cells[cell(value)] == ' ' {
            cells[cell(value)] = 'o';
        }
    }
    cells.into_iter().collect::<String>().trim_end().to_owned()
}

/// Columns from the bottom line up, one for each pair of shares of the height (from, to); none is blank.
pub(super) fn columns(spans: &[Option<(f64, f64)>], height: usize, ascii: bool) -> Vec<String> {
    let full = if ascii { '#' } else { '█' };
    let row = |line: usize| {
        let cell = |span: &Option<(f64, f64)>| {
            let Some((from, to)) = span else { return ' ' };
            let level = |share: f64| ((share * height as f64) as usize).min(height - 1);
            if (level(*from)..=level(*to)).contains(&line) { full } else { ' ' }
        };
        spans.iter().map(cell).collect::<String>().trim_end().to_owned()
    };
    (0..height).rev().map(row).collect()
}

/// A curve around zero: columns from the zero line up or down, in `height` lines above and as many below as
/// its lowest value needs.
pub(super) fn curve(values: &[f64], height: usize, ascii: bool) -> Vec<(f64, String)> {
    let full = if ascii { '#' } else { '█' };
    let lowest = values.iter().copied().fold(0.0, f64::min);
    let below = ((-lowest * height as f64) - 0.5).ceil().max(0.0) as usize;
    let line = |middle: f64| {
        let filled = |v: &f64| if middle > 0.0 { *v >= middle } else { *v <= middle };
        let cells: String = values.iter().map(|v| if filled(v) { full } else { ' ' }).collect();
        (middle, cells.trim_end().to_owned())
    };
    let above = (0..height).rev().map(|i| (i as f64 + 0.5) / height as f64);
    let under = (0..below).map(|i| -(i as f64 + 0.5) / height as f64);
    above.chain(under).map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: &[f64]) -> Axis {
        Axis::over([&Quantiles::of(values)])
    }

    #[test]
    fn a_box_plot_has_its_parts_where_they_belong() {
        let sorted: Vec<f64> = (20..=60).map(f64::from).chain([100.0]).collect();
        let wide = axis(&[0.0, 100.0]);
        let drawn = box_plot(&BoxPlot::of(&sorted), &Quantiles::of(&sorted), wide, 21);
        assert_eq!(drawn, "    |-[=#=]-|       o");
    }

    #[test]
    fn an_axis_is_logarithmic_where_values_are_far_apart_and_zero_has_a_place() {
        let log = axis(&[1.0, 1e4]);
        assert!(log.is_logarithmic() && (log.place(100.0) - 0.5).abs() < 0.02);
        assert!((log.value(log.place(100.0)) - 100.0).abs() < 1e-9);
        let zeros = axis(&[0.0, 5.0, 1e9]);
        assert!(zeros.is_logarithmic() && zeros.place(0.0) == 0.0 && zeros.place(1e5) > 0.4);
        assert!(!axis(&[70.0, 100.0]).is_logarithmic() && axis(&[5.0, 5.0]).place(5.0) == 0.5);
        assert!(Axis::over([]).place(0.3).is_finite());
    }

    #[test]
    fn columns_and_curves_fill_what_they_reach() {
        assert_eq!(columns(&[Some((0.0, 0.9)), None, Some((0.5, 0.5))], 2, true), ["# #", "#"]);
        let drawn: Vec<String> = curve(&[1.0, 0.3, -0.6], 2, true).into_iter().map(|(_, line)| line).collect();
        assert_eq!(drawn, ["#", "##", "  #"]);
    }
}
