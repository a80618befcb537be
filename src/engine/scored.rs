//! What was said of the rows of one interface, in the order of its history.

use std::collections::VecDeque;

use crate::detect::{IncidentId, Verdict};
use crate::series::{DAY, History, Pair, Timestamp};

/// Rows from which on the list grows by an eighth instead of to twice its length.
const LARGE: usize = 1024;

/// Whether a row belongs to an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Belongs {
    /// To none.
    No,
    /// To this one, which is listed.
    To(IncidentId),
    /// To this one, which was too little to be listed so far: it is told where its device has the same.
    Aside(IncidentId),
}

impl Belongs {
    /// Which one.
    pub fn id(self) -> Option<IncidentId> {
        match self {
            Self::No => None,
            Self::To(id) | Self::Aside(id) => Some(id),
        }
    }
}

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
    pub incident: Belongs,
    /// DBSCAN's verdict.
    pub verdict: Verdict,
    /// Whether it is an anomaly.
    pub anomaly: bool,
    /// Whether an incident was open once this row was known, listed or aside, also where the row is a calm one.
    pub open: bool,
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
            incident: Belongs::No,
            open: false,
        }
    }
}

/// What was said of each row, by the places of the rows in their [`History`]; 80 bytes each. As there, the
/// oldest can be let go of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoredRows {
    /// Rows that were let go of.
    gone: usize,
    rows: Vec<Scored>,
    /// The highest scores of the day before the first row that is here: none is followed by one that is as
    /// high, so they are few.
    peaks: VecDeque<(Timestamp, f64)>,
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

    /// Whether a row at or after `since`, which is at most a day before the newest one, scored as much.
    pub(super) fn reached(&self, score: f64, since: Timestamp, history: &History) -> bool {
        self.peaks.iter().any(|(time, peak)| *time >= since && *peak >= score)
            || self.from(history.first_at_or_after(since)).any(|(_, scored)| scored.score >= score)
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

    /// Lets go of what was said of the rows before a place in their history.
    pub(super) fn let_go(&mut self, before: usize, history: &History) {
        let n = before.saturating_sub(self.gone).min(self.rows.len());
        let Some(last) = n.checked_sub(1).map(|last| history.time(self.gone + last)) else { return };
        for (i, scored) in self.rows.drain(..n).enumerate() {
            while self.peaks.back().is_some_and(|(_, peak)| *peak <= scored.score) {
                self.peaks.pop_back();
            }
            self.peaks.push_back((history.time(self.gone + i), scored.score));
        }
        self.gone += n;
        while self.peaks.front().is_some_and(|(time, _)| last.since(*time) > DAY) {
            self.peaks.pop_front();
        }
    }

    /// Makes room at once for what will be said of rows up to a place.
    pub(super) fn expect(&mut self, len: usize) {
        let more = len.saturating_sub(self.len());
        if more > self.rows.len() / 8 {
            self.rows.reserve_exact(more);
        }
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

    use crate::series::{FileId, Origin};

    /// Hourly rows with these scores.
    fn rows(scores: &[f64]) -> (ScoredRows, History) {
        let (mut rows, mut history) = (ScoredRows::default(), History::default());
        let origin = Origin { file: FileId::from_index(0), line: 1 };
        for (i, score) in scores.iter().enumerate() {
            history.insert(at(i), 0.0, 0.0, origin, |_, _| true);
            rows.push(Scored { score: *score, ..Scored::warming([i as f64; 2]) });
        }
        (rows, history)
    }

    fn at(hour: usize) -> Timestamp {
        Timestamp::from_seconds(3600 * hour as i64)
    }

    #[test]
    fn what_was_said_keeps_its_place_when_older_rows_are_let_go_of() {
        let (mut rows, history) = rows(&[0.0; 10]);
        rows.let_go(4, &history);
        assert_eq!((rows.places(), rows.is_empty(), rows.get(3)), (4..10, false, None));
        assert_eq!((rows[4].expected[0], rows.get(10)), (4.0, None));
        rows.insert(5, Scored::warming([50.0; 2]));
        let from = |place| rows.from(place).map(|(i, s)| (i, s.expected[0])).collect::<Vec<_>>();
        assert_eq!((from(0)[..2].to_vec(), from(9)), (vec![(4, 4.0), (5, 50.0)], vec![(9, 8.0), (10, 9.0)]));
        rows.truncate(5);
        assert_eq!(rows.places(), 4..5);
        rows.let_go(100, &history);
        assert!(rows.places().is_empty() && rows.len() == 5);
        assert_eq!(size_of::<Scored>(), 80, "as its description says");
    }

    #[test]
    fn how_high_rows_scored_is_known_for_a_day_when_they_are_let_go_of() {
        let mut random = crate::random::Random::new(9);
        let scores: Vec<f64> = (0..300).map(|_| (8.0 * random.unit()).floor()).collect();
        let (whole, history) = rows(&scores);
        let mut kept = whole.clone();
        for gone in (0..290).step_by(7) {
            kept.let_go(gone, &history);
            assert!(kept.peaks.len() <= 8, "{:?}", kept.peaks);
            for hour in gone..290 {
                let since = at(hour).plus(-DAY);
                for score in 0..8 {
                    let score = f64::from(score);
                    assert_eq!(kept.reached(score, since, &history), whole.reached(score, since, &history), "{hour}");
                }
            }
        }
    }
}
