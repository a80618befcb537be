//! Rows in the order of their scores, and what follows from it.
//!
//! Ties are broken by time: of rows with one score the earlier comes first. A score that says the
//! same of every row is therefore judged as if it had put the rows in order of time.

use super::truth::Truth;

/// The rows of one series, highest score first, with what is labelled among them.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// Labelled rows among the first 1, 2, 3 … rows.
    found: Vec<usize>,
}

impl Ranking {
    /// Ranks rows by `scores`, one for each row.
    pub fn new(truth: &Truth, scores: &[f64]) -> Self {
        let mask = truth.mask();
        let mut found = 0;
        let count = |row: usize| {
            found += usize::from(mask[row]);
            found
        };
        Self { found: order(scores).into_iter().map(count).collect() }
    }

    fn labelled(&self) -> usize {
        self.found.last().copied().unwrap_or(0)
    }

    /// Mean over the labelled rows of the precision at the place of each: the area under the
    /// precision-recall curve, without interpolation. None where nothing is labelled.
    pub fn average_precision(&self) -> Option<f64> {
        let mut before = 0;
        let mut sum = 0.0;
        for (place, found) in self.found.iter().enumerate() {
            if *found > before {
                sum += *found as f64 / (place + 1) as f64;
                before = *found;
            }
        }
        (before > 0).then(|| sum / before as f64)
    }

    /// The best harmonic mean of precision and recall over all places to cut at. None where
    /// nothing is labelled.
    pub fn best_f1(&self) -> Option<f64> {
        let all = self.labelled();
        let f1 = |(place, found): (usize, &usize)| 2.0 * *found as f64 / (place + 1 + all) as f64;
        (all > 0).then(|| self.found.iter().enumerate().map(f1).fold(0.0, f64::max))
    }
}

/// Rows from the highest score to the lowest; of equal ones the earlier first.
pub(super) fn order(scores: &[f64]) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..scores.len()).collect();
    rows.sort_by(|a, b| descending(scores[*a], scores[*b]));
    rows
}

/// Higher scores first. Zero is zero, whatever its sign.
pub(super) fn descending(a: f64, b: f64) -> std::cmp::Ordering {
    (b + 0.0).total_cmp(&(a + 0.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::Span;

    fn ranked(rows: usize, at: usize, scores: &[f64]) -> Ranking {
        Ranking::new(&Truth::new(rows, vec![Span { first: at, last: at }]), scores)
    }

    #[test]
    fn the_one_labelled_row_at_the_third_place() {
        let ranking = ranked(4, 2, &[3.0, 4.0, 2.0, 1.0]);
        assert_eq!((ranking.average_precision(), ranking.best_f1()), (Some(1.0 / 3.0), Some(0.5)));
    }

    #[test]
    fn equal_scores_rank_by_time_and_signs_of_zero_do_not_matter() {
        assert_eq!(ranked(3, 1, &[0.0, 0.0, -0.0]).average_precision(), Some(0.5));
        assert_eq!(ranked(3, 1, &[-0.0, 0.0, 0.0]).average_precision(), Some(0.5));
    }

    #[test]
    fn without_labels_there_is_nothing_to_say() {
        let ranking = Ranking::new(&Truth::new(2, Vec::new()), &[1.0, 2.0]);
        assert_eq!((ranking.average_precision(), ranking.best_f1()), (None, None));
        let empty = Ranking::new(&Truth::new(0, Vec::new()), &[]);
        assert_eq!((empty.average_precision(), empty.best_f1()), (None, None));
    }
}
