//! The figures of `evaluate` equal those of the reference programs (see `tests/vectors/make.py`).

use noctop::evaluate::baseline::Baseline;
use noctop::evaluate::events::{Part, Sweep, at_threshold};
use noctop::evaluate::nab::{self, LOW_FN, LOW_FP, STANDARD};
use noctop::evaluate::period::window;
use noctop::evaluate::points::Ranking;
use noctop::evaluate::vus::vus_pr;
use noctop::evaluate::{Series, Span, Truth};
use noctop::series::{Clock, InterfaceName, Timestamp};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vectors {
    series: Vec<Scored>,
    budgets: Vec<Budget>,
    nab: Nab,
    baselines: Baselines,
}

#[derive(Deserialize)]
struct Scored {
    name: String,
    values: Vec<f64>,
    spans: Vec<(usize, usize)>,
    scores: Vec<f64>,
    window: Option<usize>,
    vus_pr: Option<f64>,
    auc_pr: Option<f64>,
    best_f1: Option<f64>,
}

#[derive(Deserialize)]
struct Budget {
    per_week: f64,
    recall: f64,
    false_alarms: usize,
    delay: Option<f64>,
    threshold: Option<f64>,
}

#[derive(Deserialize)]
struct Nab {
    standard: f64,
    low_fp: f64,
    low_fn: f64,
}

#[derive(Deserialize)]
struct Baselines {
    earlier_times: Vec<i64>,
    earlier: Vec<f64>,
    times: Vec<i64>,
    values: Vec<f64>,
    last_value: Vec<f64>,
    hour_of_week: Vec<f64>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../vectors/evaluate.json")).unwrap()
}

impl Scored {
    fn truth(&self) -> Truth {
        let spans = self.spans.iter().map(|(first, last)| Span { first: *first, last: *last }).collect();
        Truth::new(self.values.len(), spans)
    }
}

#[track_caller]
fn same(what: &str, got: Option<f64>, want: Option<f64>) {
    match (got, want) {
        (Some(got), Some(want)) => assert!((got - want).abs() < 1e-6, "{what}: {got}, reference {want}"),
        (got, want) => assert_eq!(got, want, "{what}"),
    }
}

#[test]
fn the_figures_of_a_series_are_those_of_the_reference() {
    for s in &vectors().series {
        let truth = s.truth();
        let ranking = Ranking::new(&truth, &s.scores);
        let window = window(&s.values);
        assert_eq!(truth.is_labelled().then_some(window), s.window, "{}", s.name);
        same(&s.name, vus_pr(&truth, &s.scores, window), s.vus_pr);
        same(&s.name, ranking.average_precision(), s.auc_pr);
        same(&s.name, ranking.best_f1(), s.best_f1);
    }
}

#[test]
fn the_figures_at_a_budget_are_those_of_the_reference() {
    let vectors = vectors();
    let truths: Vec<Truth> = vectors.series.iter().map(Scored::truth).collect();
    let parts: Vec<Part<'_>> = vectors
        .series
        .iter()
        .zip(&truths)
        .map(|(s, truth)| Part { truth, scores: &s.scores, seconds: 3600 * (s.values.len() as i64 - 1) })
        .collect();
    let sweep = Sweep::new(&parts);
    for budget in &vectors.budgets {
        let at = at_threshold(&parts, sweep.threshold_for(budget.per_week));
        let what = format!("{} a week", budget.per_week);
        same(&what, at.recall(), Some(budget.recall));
        same(&what, at.delay, budget.delay);
        same(&what, at.threshold.is_finite().then_some(at.threshold), budget.threshold);
        assert_eq!(at.false_alarms, budget.false_alarms, "{what}");
    }
}

#[test]
fn the_numenta_scores_are_those_of_the_reference() {
    let vectors = vectors();
    let kept: Vec<_> = vectors.series.iter().filter(|s| s.name != "intervals that overlap").collect();
    let truths: Vec<Truth> = kept.iter().map(|s| s.truth()).collect();
    let parts: Vec<_> = truths.iter().zip(kept.iter().map(|s| s.scores.as_slice())).collect();
    for (profile, want) in
        [(STANDARD, vectors.nab.standard), (LOW_FP, vectors.nab.low_fp), (LOW_FN, vectors.nab.low_fn)]
    {
        same("Numenta", nab::score(&parts, profile), Some(want));
    }
}

#[test]
fn the_simple_forecasts_score_as_the_reference_does() {
    let b = vectors().baselines;
    let times = |seconds: &[i64]| seconds.iter().map(|s| Timestamp::from_seconds(*s)).collect::<Vec<_>>();
    let series = Series {
        name: InterfaceName::new("h", "i"),
        step: None,
        clock: Clock::UTC,
        earlier: times(&b.earlier_times).into_iter().zip(b.earlier).collect(),
        times: times(&b.times),
        truth: Truth::new(b.values.len(), Vec::new()),
        values: b.values,
    };
    for (baseline, want) in [(Baseline::LastValue, b.last_value), (Baseline::HourOfWeek, b.hour_of_week)] {
        let got = baseline.scores(&series, 1);
        assert_eq!(got.len(), want.len());
        got.into_iter().zip(want).for_each(|(got, want)| same(baseline.name(), Some(got), Some(want)));
    }
}

/// The definition of VUS-PR taken word for word: every threshold and every tolerance on its own.
fn plain_vus(truth: &Truth, scores: &[f64], window: usize) -> f64 {
    let (n, spans, mask) = (scores.len(), truth.stretches(), truth.mask());
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let mut volume = 0.0;
    for w in 0..=window {
        let ramp = |row: usize| {
            let far = spans.iter().map(|s| if row < s.first { s.first - row } else { row.saturating_sub(s.last) });
            let sum: f64 = far.filter(|d| *d <= w / 2).map(|d| (1.0 - d as f64 / w.max(1) as f64).sqrt()).sum();
            sum.min(1.0)
        };
        let weight: Vec<f64> = (0..n).map(|row| if mask[row] { 1.0 } else { ramp(row) }).collect();
        let mut groups: Vec<(usize, usize)> = Vec::new();
        for s in &spans {
            let (first, last) = (s.first.saturating_sub(w / 2), (s.last + w / 2).min(n - 1));
            match groups.last_mut() {
                Some(group) if first <= group.1 => group.1 = last,
                _ => groups.push((first, last)),
            }
        }
        let mut before = 0.0;
        for k in 0..250 {
            let place = if k == 249 { n - 1 } else { (k as f64 * ((n - 1) as f64 / 249.0)) as usize };
            let hot: Vec<bool> = scores.iter().map(|s| *s >= sorted[place]).collect();
            let hits: f64 = (0..n).filter(|i| hot[*i]).map(|i| weight[i]).sum();
            let beside: f64 = (0..n).filter(|i| hot[*i] && !mask[*i]).map(|i| weight[i]).sum();
            let labelled = mask.iter().filter(|m| **m).count() as f64;
            let met = groups.iter().filter(|(a, b)| hot[*a..=*b].contains(&true)).count() as f64;
            let recall = (hits / (labelled + beside / 2.0)).min(1.0) * met / groups.len() as f64;
            volume += (recall - before) * hits / hot.iter().filter(|h| **h).count() as f64;
            before = recall;
        }
    }
    volume / (window + 1) as f64
}

#[test]
fn vus_is_its_definition_on_any_labels() {
    let mut random = noctop::random::Random::new(12);
    for case in 0..40 {
        let n = 1 + random.below(120);
        let scores: Vec<f64> = (0..n).map(|_| random.below(if case % 2 == 0 { 5 } else { 1000 }) as f64).collect();
        let spans = (0..1 + random.below(12)).map(|_| {
            let first = random.below(n);
            Span { first, last: (first + random.below(8)).min(n - 1) }
        });
        let truth = Truth::new(n, spans.collect());
        let window = random.below(40);
        let want = plain_vus(&truth, &scores, window);
        same(&format!("case {case}"), vus_pr(&truth, &scores, window), Some(want));
    }
}

#[test]
fn large_and_odd_series_take_no_time_and_do_no_harm() {
    let n = 200_000;
    let mut random = noctop::random::Random::new(3);
    let scores: Vec<f64> = (0..n).map(|_| random.unit()).collect();
    let every_other = (0..n / 2).map(|i| Span { first: 2 * i, last: 2 * i }).collect();
    let everything = vec![Span { first: 0, last: n - 1 }];
    for spans in [Vec::new(), everything, every_other] {
        let truth = Truth::new(n, spans);
        for scores in [&scores, &vec![0.0; n]] {
            let found = vus_pr(&truth, scores, 303);
            assert_eq!(found.is_some(), truth.is_labelled());
            assert!(found.is_none_or(|v| (0.0..=1.0 + 1e-9).contains(&v)), "{found:?}");
            let part = Part { truth: &truth, scores, seconds: 300 * n as i64 };
            let threshold = Sweep::new(&[part]).threshold_for(1.0);
            assert!(at_threshold(&[part], threshold).false_alarms < n);
        }
    }
    let one = Truth::new(1, vec![Span { first: 0, last: 0 }]);
    assert_eq!(vus_pr(&one, &[1.0], window(&[5.0])), Some(1.0));
}
