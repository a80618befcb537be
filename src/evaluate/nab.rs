//! The scores of the Numenta Anomaly Benchmark (Lavin and Ahmad 2015).
//!
//! A row that raises an alarm in a labelled window earns the more the earlier it lies there; only
//! the best row of a window counts. A row outside costs, the more the farther it lies behind the
//! last window. A window without an alarm costs too. One threshold for all series is chosen so
//! that the sum is best; 0 is what no alarm at all would get, 100 what is perfect. The first rows
//! of each series, in which a detector may learn, do not count.

use super::points::descending;
use super::truth::Truth;

/// Share of a series that is not judged, and the most rows that this can be.
const PROBATION: f64 = 0.15;
const MOST_PROBATION: f64 = 750.0;

/// What an application minds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Profile {
    /// What a false alarm costs at the most.
    pub false_positive: f64,
    /// What a window costs that was missed.
    pub false_negative: f64,
}

/// Both alike.
pub const STANDARD: Profile = Profile { false_positive: 0.11, false_negative: 1.0 };
/// Reward few false alarms.
pub const LOW_FP: Profile = Profile { false_positive: 0.22, false_negative: 1.0 };
/// Reward few misses.
pub const LOW_FN: Profile = Profile { false_positive: 0.11, false_negative: 2.0 };

/// What an alarm at a row brings.
#[derive(Debug, Clone, Copy)]
struct Worth {
    score: f64,
    value: f64,
    /// The window that it lies in.
    window: Option<usize>,
}

/// The score of `parts`, each with the scores of its rows. None where no window is labelled.
pub fn score(parts: &[(&Truth, &[f64])], profile: Profile) -> Option<f64> {
    let mut rows: Vec<Worth> = Vec::new();
    let mut windows = 0;
    for (truth, scores) in parts {
        let worth = worth_of_rows(truth, windows, profile);
        let probation = (PROBATION * truth.rows() as f64).min(MOST_PROBATION) as usize;
        let judged = worth.into_iter().zip(*scores).skip(probation);
        rows.extend(judged.map(|((value, window), score)| Worth { score: *score, value, window }));
        windows += truth.spans().len();
    }
    if windows == 0 {
        return None;
    }
    rows.sort_by(|a, b| descending(a.score, b.score));
    let missed = profile.false_negative * windows as f64;
    let mut best_of = vec![-profile.false_negative; windows];
    let (mut sum, mut best) = (-missed, -missed);
    for same in rows.chunk_by(|a, b| a.score == b.score) {
        for row in same {
            match row.window {
                None => sum += row.value,
                Some(window) if row.value > best_of[window] => {
                    sum += row.value - best_of[window];
                    best_of[window] = row.value;
                }
                Some(_) => {}
            }
        }
        best = best.max(sum);
    }
    Some(100.0 * (best + missed) / (windows as f64 + missed))
}

/// What an alarm at each row brings, and in which window it lies, counted from `first`.
fn worth_of_rows(truth: &Truth, first: usize, profile: Profile) -> Vec<(f64, Option<usize>)> {
    let mut worth = vec![(-profile.false_positive, None); truth.rows()];
    let spans = truth.spans();
    for (i, span) in spans.iter().enumerate() {
        let rows = span.rows() as f64;
        for (row, worth) in worth.iter_mut().enumerate().take(span.last + 1).skip(span.first) {
            let place = -((span.last - row + 1) as f64) / rows;
            *worth = (sigmoid(place) / sigmoid(-1.0), Some(first + i));
        }
        let next = spans.get(i + 1).map_or(truth.rows(), |next| next.first);
        let length = (span.last - span.first).max(1) as f64;
        for (row, worth) in worth.iter_mut().enumerate().take(next).skip(span.last + 1) {
            // Where windows overlap, what lies behind one of them may lie in another.
            if worth.1.is_none() {
                worth.0 = profile.false_positive * sigmoid((row - span.last) as f64 / length);
            }
        }
    }
    worth
}

/// From 1 far before a window's end to −1 far behind it.
fn sigmoid(place: f64) -> f64 {
    if place > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * place).exp()) - 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Span;

    #[test]
    fn an_alarm_at_a_windows_first_row_is_perfect_and_none_is_nothing() {
        let truth = Truth::new(100, vec![Span { first: 40, last: 60 }]);
        let mut scores = vec![0.0; 100];
        scores[40] = 1.0;
        for profile in [STANDARD, LOW_FP, LOW_FN] {
            assert_eq!(score(&[(&truth, &scores)], profile), Some(100.0));
        }
        // What sees only the rows far behind does best without a word.
        let late: Vec<f64> = (0..100).map(f64::from).collect();
        let got = score(&[(&truth, &late)], STANDARD).unwrap();
        assert!((0.0..30.0).contains(&got), "{got}");
        assert_eq!(score(&[(&Truth::new(5, Vec::new()), &[0.0; 5])], STANDARD), None);
    }
}
