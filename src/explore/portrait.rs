//! One interface for a person who looks at it: its figures, where its newest value lies among all of
//! them, and its closest relatives on its device.

use realfft::RealFftPlanner;

use super::columns::Columns;
use super::figures::Figures;
use super::grid::Grid;
use super::together::Residue;
use crate::series::InterfaceName;

/// Bars of the histogram.
pub const BARS: usize = 24;

/// Another interface of the device, beside this one.
#[derive(Debug, Clone, PartialEq)]
pub struct Relative {
    /// Its name.
    pub name: InterfaceName,
    /// The correlation of what the hour of the day does not explain.
    pub correlation: f64,
    /// Slots by which it runs behind.
    pub lag: i64,
}

/// How often values are how large. The bars are equally wide and reach from the 1 % to the 99 % quantile;
/// what lies beyond counts in the outermost ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Histogram {
    /// Where the first bar begins and the last one ends.
    pub range: [f64; 2],
    /// Values in each bar.
    pub counts: [usize; BARS],
}

impl Histogram {
    fn of(values: &[f64], range: [f64; 2]) -> Self {
        let mut all = Self { range, counts: [0; BARS] };
        values.iter().for_each(|v| all.counts[all.bar(*v)] += 1);
        all
    }

    /// The bar that a value is in.
    pub fn bar(&self, value: f64) -> usize {
        let [low, high] = self.range;
        // Where all are one value the quotient is no number, and that is the first bar.
        (((value - low) / (high - low) * BARS as f64) as usize).min(BARS - 1)
    }
}

/// An interface, looked at closely.
#[derive(Debug, Clone, PartialEq)]
pub struct Portrait {
    /// All its figures.
    pub figures: Figures,
    /// Its newest value.
    pub newest: f64,
    /// The share of rows that are below the newest value.
    pub below: f64,
    /// How its values are spread.
    pub histogram: Histogram,
    /// Those it was compared with and of which something can be said, the closest first.
    pub relatives: Vec<Relative>,
}

impl Portrait {
    /// That of an interface beside `others`. None where it has no row. It takes time for each of the
    /// others: the caller bounds their number and their rows.
    pub fn of(name: &InterfaceName, columns: &Columns, others: &[(InterfaceName, Columns)]) -> Option<Self> {
        let newest = *columns.mean().last()?;
        let figures = Figures::of(name, columns, &mut RealFftPlanner::new());
        let residue = |columns: &Columns| Residue::of(columns, &Grid::of(columns)?);
        let mine = if others.is_empty() { None } else { residue(columns) };
        let beside = |(name, columns): &(InterfaceName, Columns)| {
            let (correlation, lag) = mine.as_ref()?.beside(&residue(columns)?)?;
            Some(Relative { name: name.clone(), correlation, lag })
        };
        let mut relatives: Vec<Relative> = others.iter().filter_map(beside).collect();
        relatives.sort_by(|x, y| y.correlation.abs().total_cmp(&x.correlation.abs()));
        let below = columns.mean().iter().filter(|v| **v < newest).count();
        Some(Self {
            newest,
            below: below as f64 / figures.rows as f64,
            histogram: Histogram::of(columns.mean(), [figures.quantiles.q01, figures.quantiles.q99]),
            relatives,
            figures,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn columns(values: Vec<f64>) -> Columns {
        let seconds: Vec<i64> = (0..values.len() as i64).map(|i| i * 3600).collect();
        Columns::in_order(&seconds, values.clone(), values)
    }

    #[test]
    fn the_newest_value_has_a_place_and_the_closest_relative_comes_first() {
        let mut random = Random::new(3);
        let own: Vec<f64> = (0..480).map(|_| random.normal()).chain([9.0]).collect();
        let twin = own.iter().map(|v| 3.0 * v + 0.1 * random.normal()).collect();
        let stranger = (0..481).map(|_| random.normal()).collect();
        let name = |n: &str| InterfaceName::new("a", n);
        let others = [(name("stranger"), columns(stranger)), (name("twin"), columns(twin))];
        let got = Portrait::of(&name("own"), &columns(own), &others).unwrap();
        assert_eq!(got.histogram.counts.iter().sum::<usize>(), 481);
        assert_eq!((got.histogram.bar(got.newest), got.histogram.bar(-99.0)), (BARS - 1, 0));
        assert_eq!(got.below, 480.0 / 481.0);
        assert_eq!((got.relatives.len(), &*got.relatives[0].name.ifname, got.relatives[0].lag), (2, "twin", 0));
        assert!(got.relatives[0].correlation > 0.9 && got.relatives[1].correlation.abs() < 0.3);
    }

    #[test]
    fn one_value_and_none_are_no_trouble() {
        let name = InterfaceName::new("a", "b");
        assert!(Portrait::of(&name, &columns(vec![]), &[]).is_none());
        let flat = Portrait::of(&name, &columns(vec![5.0; 60]), &[(name.clone(), columns(vec![1.0]))]).unwrap();
        assert_eq!((flat.histogram.counts[0], flat.below, flat.relatives.len()), (60, 0.0, 0));
    }
}
