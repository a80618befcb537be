//! What was said of the rows of one interface, in the order of its history.

use crate::detect::{IncidentId, Verdict};
use crate::series::Pair;

/// Rows from which on the list grows by an eighth instead of to twice its length.
const LARGE: usize = 1024;

/// What was said of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// What was expected: maximum and mean.
    pub expected: Pair,
    /// Signed errors in units of the interface's usual error.
    pub error: Pair,
    /// −log10 of the probability of such a row here.
    pub score: f64,
    /// The score once repeats of the same incident are damped.
    pub notify: f64,
    /// The error of the mean that the model expects, in scaled units.
    pub band: f64,
    /// DBSCAN's label; −1 is none.
    pub cluster: i32,
    /// The incident that it belongs to.
    pub incident: Option<IncidentId>,
    /// DBSCAN's verdict.
    pub verdict: Verdict,
    /// Whether it is an anomaly.
    pub anomaly: bool,
}

impl Scored {
    pub(super) fn warming(expected: Pair) -> Self {
        Self {
            expected,
            error: [0.0; 2],
            score: 0.0,
            notify: 0.0,
            band: 0.0,
            verdict: Verdict::Warming,
            cluster: -1,
            anomaly: false,
            incident: None,
        }
    }
}

/// What was said of each row, by the places of the rows in their [`crate::series::History`]; 80 bytes each.
/// As there, the oldest can be let go of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoredRows {
    /// Rows that were let go of.
    gone: usize,
    rows: Vec<Scored>,
}

impl ScoredRows {
    /// The place behind the last row of which something was said.
    pub fn len(&self) -> usize {
        self.gone + self.rows.len()
    }

    /// Whether nothing was said of any row yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The places of which it is known what was said.
    pub fn places(&self) -> std::ops::Range<usize> {
        self.gone..self.len()
    }

    /// What was said of the row at a place; none before it is scored, and once it was let go of.
    pub fn get(&self, place: usize) -> Option<&Scored> {
        self.rows.get(place.checked_sub(self.gone)?)
    }

    /// Places and what was said, from a place on.
    pub fn from(&self, place: usize) -> impl Iterator<Item = (usize, &Scored)> {
        let first = place.saturating_sub(self.gone).min(self.rows.len());
        self.rows[first..].iter().enumerate().map(move |(i, scored)| (self.gone + first + i, scored))
    }

    pub(super) fn push(&mut self, scored: Scored) {
        self.make_room();
        self.rows.push(scored);
    }

    pub(super) fn insert(&mut self, place: usize, scored: Scored) {
        self.make_room();
        self.rows.insert(place - self.gone, scored);
    }

    /// Makes room for a row before all of which is known what was said: their places move.
    pub(super) fn move_by_one(&mut self) {
        self.gone += 1;
    }

    pub(super) fn truncate(&mut self, place: usize) {
        self.rows.truncate(place.saturating_sub(self.gone));
    }

    pub(super) fn let_go(&mut self, before: usize) {
        let n = before.saturating_sub(self.gone).min(self.rows.len());
        self.rows.drain(..n);
        self.gone += n;
    }

    fn make_room(&mut self) {
        let n = self.rows.len();
        if n >= LARGE && n == self.rows.capacity() {
            self.rows.reserve_exact(n / 8);
        }
    }
}

impl std::ops::Index<usize> for ScoredRows {
    type Output = Scored;

    /// What was said of the row at a place.
    ///
    /// # Panics
    /// Where [`ScoredRows::get`] gives none.
    fn index(&self, place: usize) -> &Scored {
        &self.rows[place - self.gone]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_keeps_its_place_when_older_rows_are_let_go_of() {
        let mut rows = ScoredRows::default();
        (0..10).for_each(|i| rows.push(Scored::warming([f64::from(i); 2])));
        rows.let_go(4);
        assert_eq!((rows.places(), rows.is_empty(), rows.get(3)), (4..10, false, None));
        assert_eq!((rows[4].expected[0], rows.get(10)), (4.0, None));
        rows.insert(5, Scored::warming([50.0; 2]));
        let from = |place| rows.from(place).map(|(i, s)| (i, s.expected[0])).collect::<Vec<_>>();
        assert_eq!((from(0)[..2].to_vec(), from(9)), (vec![(4, 4.0), (5, 50.0)], vec![(9, 8.0), (10, 9.0)]));
        rows.truncate(5);
        assert_eq!(rows.places(), 4..5);
        rows.let_go(100);
        assert!(rows.places().is_empty() && rows.len() == 5);
        assert_eq!(size_of::<Scored>(), 80, "as its description says");
    }
}
