//! The statistics of `explore` equal those of SciPy and statsmodels (see `tests/vectors/make_explore.py`).

use noctop::explore::spread::{BoxPlot, Quantiles};
use noctop::explore::together::pearson;
use noctop::explore::{acf, course, ks};
use realfft::RealFftPlanner;
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    spread: Vec<Sample>,
    pairs: Vec<Pair>,
    holm: Vec<f64>,
    limit: Vec<Limit>,
    curves: Vec<Curve>,
    lines: Lines,
}

#[derive(Deserialize)]
struct Sample {
    name: String,
    values: Vec<f64>,
    quantiles: [f64; 9],
    whiskers: [f64; 2],
    outliers: [usize; 2],
    ranks: Vec<f64>,
    kendall: Option<f64>,
}

#[derive(Deserialize)]
struct Pair {
    a: String,
    b: String,
    statistic: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Limit {
    x: f64,
    p: f64,
}

#[derive(Deserialize)]
struct Curve {
    name: String,
    values: Vec<Option<f64>>,
    acf: Vec<f64>,
    acf_of_ranks: Vec<f64>,
}

#[derive(Deserialize)]
struct Lines {
    x: Vec<f64>,
    y: Vec<f64>,
    theil_sen: f64,
    pearson: f64,
    spearman: f64,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/explore.json")).unwrap()
}

/// To 1e-6 of the reference's size.
#[track_caller]
fn same(what: &str, got: f64, want: f64) {
    assert!((got - want).abs() <= 1e-6 * want.abs().max(1.0), "{what}: {got}, reference {want}");
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values
}

#[test]
fn quantiles_box_plots_ranks_and_tau_are_those_of_the_reference() {
    for s in vectors().spread {
        let ascending = sorted(&s.values);
        let q = Quantiles::of(&ascending);
        let got = [q.min, q.q01, q.q05, q.q25, q.median, q.q75, q.q95, q.q99, q.max];
        got.into_iter().zip(s.quantiles).for_each(|(got, want)| same(&s.name, got, want));
        let plot = BoxPlot::of(&ascending);
        [plot.low, plot.high].into_iter().zip(s.whiskers).for_each(|(got, want)| same(&s.name, got, want));
        assert_eq!([plot.below, plot.above], s.outliers, "{}", s.name);
        assert_eq!(acf::ranks(&s.values), s.ranks, "{}", s.name);
        same(&s.name, course::kendall(&s.values), s.kendall.unwrap_or(0.0));
    }
}

#[test]
fn the_tests_of_pairs_are_those_of_the_reference() {
    let v = vectors();
    let sample = |name: &str| sorted(&v.spread.iter().find(|s| s.name == name).unwrap().values);
    for pair in &v.pairs {
        let (a, b) = (sample(&pair.a), sample(&pair.b));
        let what = format!("{} and {}", pair.a, pair.b);
        let d = ks::statistic(&a, &b);
        same(&what, d, pair.statistic);
        // Smaller samples are never tested: the limit is not meant for them.
        if a.len() * b.len() < 20 * (a.len() + b.len()) {
            continue;
        }
        let p = ks::p_value(d, a.len(), b.len());
        assert!((p - pair.p).abs() < 1e-3, "{what}: p {p}, reference {}", pair.p);
    }
    for limit in &v.limit {
        same(&format!("the limit at {}", limit.x), ks::kolmogorov(limit.x), limit.p);
    }
    let p: Vec<f64> = v.pairs.iter().map(|pair| pair.p).collect();
    ks::holm(&p).into_iter().zip(&v.holm).for_each(|(got, want)| same("Holm", got, *want));
}

#[test]
fn autocorrelation_is_that_of_the_reference_with_and_without_gaps() {
    let mut planner = RealFftPlanner::new();
    for curve in vectors().curves {
        let values: Vec<f64> = curve.values.iter().map(|v| v.unwrap_or(f64::NAN)).collect();
        for (values, want) in [(acf::ranks(&values), &curve.acf_of_ranks), (values, &curve.acf)] {
            let got = acf::autocorrelation(&values, want.len() - 1, &mut planner).unwrap();
            assert_eq!(got.len(), want.len(), "{}", curve.name);
            got.into_iter().zip(want).for_each(|(got, want)| same(&curve.name, got, *want));
        }
    }
}

#[test]
fn slopes_and_correlations_are_those_of_the_reference() {
    let l = vectors().lines;
    same("Theil and Sen", course::theil_sen(&l.x, &l.y), l.theil_sen);
    same("Pearson", pearson(&l.x, &l.y).unwrap(), l.pearson);
    same("Spearman", pearson(&acf::ranks(&l.x), &acf::ranks(&l.y)).unwrap(), l.spearman);
}
