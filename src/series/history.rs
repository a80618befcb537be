//! All rows of one interface, one for each moment, in time order.

use super::origin::Origin;
use super::time::Timestamp;

/// Rows from which on columns grow by an eighth instead of to twice their length.
const LARGE: usize = 1024;

/// The rows of one interface in columns, sorted by time, at most one row a moment: 32 bytes each.
///
/// Where two rows claim one moment the caller's rule says which one stands (the later line of a
/// file, and between files the one whose name sorts last), so that what stands here follows from
/// the rows alone and not from the order in which they came.
///
/// The oldest rows can be let go of ([`History::let_go`]). Every row keeps its place, counted from the
/// first row that ever stood here; the places of rows that are still here are [`History::places`].
#[derive(Debug, Default, Clone)]
pub struct History {
    /// Rows that were let go of.
    gone: usize,
    /// The first moment of all, also of rows that are not here any more.
    begin: Option<i64>,
    /// The first moment with a value below zero.
    below_zero: Option<i64>,
    times: Vec<i64>,
    max: Vec<f64>,
    mean: Vec<f64>,
    origins: Vec<Origin>,
}

/// What a row did to a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// A new newest row.
    Appended,
    /// A new row before others; its place.
    Between(usize),
    /// The row that stood at this place has other values now.
    Corrected(usize),
    /// The same values stood there already.
    Same,
    /// Another row for this moment takes precedence; nothing changed.
    Outvoted,
    /// It is older than all that is kept, where older rows were let go of: nobody knows whether it stood there.
    Forgotten,
}

impl History {
    /// Puts a row in its place. `wins(new, old)` says whether a row from `new` replaces one from `old`.
    pub fn insert(
        &mut self,
        time: Timestamp,
        max: f64,
        mean: f64,
        origin: Origin,
        wins: impl FnOnce(Origin, Origin) -> bool,
    ) -> Inserted {
        let t = time.seconds();
        if self.times.last().is_none_or(|last| *last < t) {
            self.make_room();
            self.times.push(t);
            self.max.push(max);
            self.mean.push(mean);
            self.origins.push(origin);
            self.begin.get_or_insert(t);
            self.note_sign(t, [max, mean]);
            return Inserted::Appended;
        }
        match self.times.binary_search(&t) {
            Ok(i) => {
                if !wins(origin, self.origins[i]) {
                    return Inserted::Outvoted;
                }
                self.origins[i] = origin;
                if self.max[i].to_bits() == max.to_bits() && self.mean[i].to_bits() == mean.to_bits() {
                    return Inserted::Same;
                }
                self.max[i] = max;
                self.mean[i] = mean;
                if self.below_zero == Some(t) {
                    self.below_zero = self.first_below_zero(0);
                }
                self.note_sign(t, [max, mean]);
                Inserted::Corrected(self.gone + i)
            }
            Err(0) if self.gone > 0 => {
                self.begin = self.begin.min(Some(t));
                Inserted::Forgotten
            }
            Err(i) => {
                self.make_room();
                self.times.insert(i, t);
                self.max.insert(i, max);
                self.mean.insert(i, mean);
                self.origins.insert(i, origin);
                self.begin = self.begin.min(Some(t));
                self.note_sign(t, [max, mean]);
                Inserted::Between(self.gone + i)
            }
        }
    }

    /// Takes note of a row that is below zero. Rows that were let go of are older than all that can change.
    fn note_sign(&mut self, t: i64, values: [f64; 2]) {
        if values.iter().any(|v| *v < 0.0) && self.below_zero.is_none_or(|first| t < first) {
            self.below_zero = Some(t);
        }
    }

    /// The first moment with a value below zero among the rows from `from` on, of those that are here.
    fn first_below_zero(&self, from: usize) -> Option<i64> {
        (from..self.times.len()).find(|i| self.max[*i] < 0.0 || self.mean[*i] < 0.0).map(|i| self.times[i])
    }

    /// A value that was expected at `time`, as it is shown: not below zero where no row was until then. Forecasts
    /// are not held to that, since scores follow from how far they are off.
    pub fn above_zero(&self, time: Timestamp, expected: f64) -> f64 {
        let never = self.below_zero.is_none_or(|first| time.seconds() < first);
        if never && expected < 0.0 { 0.0 } else { expected }
    }

    /// Long columns grow by an eighth: to twice their length would be too much memory for nothing.
    fn make_room(&mut self) {
        let n = self.times.len();
        if n >= LARGE && n == self.times.capacity() {
            self.times.reserve_exact(n / 8);
            self.max.reserve_exact(n / 8);
            self.mean.reserve_exact(n / 8);
            self.origins.reserve_exact(n / 8);
        }
    }

    /// Lets go of all rows before this place. Later ones keep theirs.
    pub fn let_go(&mut self, before: usize) {
        let n = before.saturating_sub(self.gone).min(self.times.len());
        self.times.drain(..n);
        self.max.drain(..n);
        self.mean.drain(..n);
        self.origins.drain(..n);
        self.gone += n;
    }

    /// A history of the rows from place `from` on, as if there had been no others.
    pub fn tail(&self, from: usize) -> Self {
        let from = from.saturating_sub(self.gone);
        Self {
            gone: 0,
            begin: self.times.get(from).copied(),
            below_zero: self.first_below_zero(from),
            times: self.times[from..].to_vec(),
            max: self.max[from..].to_vec(),
            mean: self.mean[from..].to_vec(),
            origins: self.origins[from..].to_vec(),
        }
    }

    /// How many rows there were: the place behind the newest one.
    pub fn len(&self) -> usize {
        self.gone + self.times.len()
    }

    /// Whether there was no row yet.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The places of the rows that are here.
    pub fn places(&self) -> std::ops::Range<usize> {
        self.gone..self.len()
    }

    /// The first moment of all, also of rows that were let go of.
    pub fn begin(&self) -> Option<Timestamp> {
        self.begin.map(Timestamp::from_seconds)
    }

    /// The moment of the row at place `i`, one of [`History::places`].
    pub fn time(&self, i: usize) -> Timestamp {
        Timestamp::from_seconds(self.times[i - self.gone])
    }

    /// Maximum and mean value of the row at place `i`.
    pub fn values(&self, i: usize) -> [f64; 2] {
        [self.max[i - self.gone], self.mean[i - self.gone]]
    }

    /// Where the row at place `i` was read.
    pub fn origin(&self, i: usize) -> Origin {
        self.origins[i - self.gone]
    }

    /// The moments of the rows that are here.
    pub fn times(&self) -> impl ExactSizeIterator<Item = Timestamp> + DoubleEndedIterator + '_ {
        self.times.iter().map(|t| Timestamp::from_seconds(*t))
    }

    /// The newest moment.
    pub fn newest(&self) -> Option<Timestamp> {
        self.times.last().map(|t| Timestamp::from_seconds(*t))
    }

    /// The rows at or after `time`, as a history of their own.
    pub fn since(&self, time: Timestamp) -> Self {
        self.tail(self.first_at_or_after(time))
    }

    /// The place of the first row at or after `time`, of those that are here.
    pub fn first_at_or_after(&self, time: Timestamp) -> usize {
        self.gone + self.times.partition_point(|t| *t < time.seconds())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::FileId;

    fn origin(file: usize, line: u32) -> Origin {
        Origin { file: FileId::from_index(file), line }
    }

    fn put(h: &mut History, t: i64, v: f64, o: Origin) -> Inserted {
        h.insert(Timestamp::from_seconds(t), v, v, o, |new, old| new >= old)
    }

    #[test]
    fn rows_stand_in_time_order_and_the_winner_is_the_same_in_any_order() {
        let rows = [(10, 1.0, origin(0, 2)), (30, 3.0, origin(0, 3)), (20, 2.0, origin(1, 2)), (20, 9.0, origin(0, 9))];
        let mut want = None;
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let mut h = History::default();
            for i in order {
                put(&mut h, rows[i].0, rows[i].1, rows[i].2);
            }
            let got: Vec<_> = (0..h.len()).map(|i| (h.time(i).seconds(), h.values(i)[1])).collect();
            assert_eq!(*want.get_or_insert(got.clone()), got);
        }
        assert_eq!(want.unwrap(), [(10, 1.0), (20, 2.0), (30, 3.0)]);
    }

    #[test]
    fn what_a_row_did_is_told() {
        let mut h = History::default();
        assert_eq!(put(&mut h, 10, 1.0, origin(0, 2)), Inserted::Appended);
        assert_eq!(put(&mut h, 10, 1.0, origin(0, 3)), Inserted::Same);
        assert_eq!(put(&mut h, 10, 2.0, origin(0, 2)), Inserted::Outvoted);
        assert_eq!(put(&mut h, 10, 2.0, origin(0, 4)), Inserted::Corrected(0));
        assert_eq!(put(&mut h, 5, 2.0, origin(0, 5)), Inserted::Between(0));
        assert_eq!((h.len(), h.newest().unwrap().seconds()), (2, 10));
    }

    #[test]
    fn rows_keep_their_places_when_older_ones_are_let_go_of() {
        let mut h = History::default();
        for t in 1..=10 {
            put(&mut h, 10 * t, t as f64, origin(0, t as u32));
        }
        h.let_go(4);
        assert_eq!((h.places(), h.len(), h.is_empty()), (4..10, 10, false));
        assert_eq!((h.time(4).seconds(), h.values(9)[1], h.origin(5)), (50, 10.0, origin(0, 6)));
        let at = |seconds| h.first_at_or_after(Timestamp::from_seconds(seconds));
        assert_eq!((at(0), at(55), at(1000)), (4, 5, 10));
        assert_eq!(h.begin().unwrap().seconds(), 10);
        assert_eq!((h.tail(0).places(), h.tail(6).places()), (0..6, 0..4));
        assert_eq!(put(&mut h, 20, 2.0, origin(0, 2)), Inserted::Forgotten, "even if it is the same as before");
        assert_eq!(put(&mut h, 5, 2.0, origin(0, 11)), Inserted::Forgotten);
        assert_eq!((h.begin().unwrap().seconds(), h.len()), (5, 10), "that there was one is remembered");
        assert_eq!(put(&mut h, 65, 2.0, origin(0, 12)), Inserted::Between(6));
        assert_eq!(put(&mut h, 50, 2.0, origin(0, 13)), Inserted::Corrected(4));
        assert_eq!(put(&mut h, 200, 2.0, origin(0, 14)), Inserted::Appended);
        h.let_go(3);
        assert_eq!((h.places(), h.time(11).seconds()), (4..12, 200));
    }

    #[test]
    fn nothing_is_expected_below_zero_where_nothing_was_in_any_order() {
        let mut h = History::default();
        let shown = |h: &History, t| h.above_zero(Timestamp::from_seconds(t), -5.0);
        [(10, 1.0), (20, 0.0), (30, -0.0), (40, -1.0), (50, 2.0)].iter().for_each(|(t, v)| {
            put(&mut h, *t, *v, origin(0, *t as u32));
        });
        assert_eq!([10, 39, 40, 60].map(|t| shown(&h, t)), [0.0, 0.0, -5.0, -5.0]);
        assert_eq!(h.above_zero(Timestamp::from_seconds(10), 5.0), 5.0);
        put(&mut h, 25, -1.0, origin(0, 60));
        assert_eq!(([24, 25].map(|t| shown(&h, t)), shown(&h.tail(4), 39)), ([0.0, -5.0], 0.0));
        // Corrections take both back.
        put(&mut h, 25, 1.0, origin(0, 61));
        assert_eq!([25, 40].map(|t| shown(&h, t)), [0.0, -5.0]);
        h.let_go(5);
        assert_eq!(shown(&h, 50), -5.0, "what is not here any more is remembered");
    }

    #[test]
    fn a_long_history_takes_little_more_than_its_rows() {
        let mut h = History::default();
        for t in 0..20_000 {
            put(&mut h, t, 0.0, origin(0, 1));
        }
        assert!(h.times.capacity() <= 20_000 * 9 / 8 + 1, "{}", h.times.capacity());
        assert_eq!([h.max.capacity(), h.mean.capacity(), h.origins.capacity()], [h.times.capacity(); 3]);
    }
}
