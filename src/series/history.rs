//! All rows of one interface, one for each moment, in time order.

use super::origin::Origin;
use super::time::Timestamp;

/// The rows of one interface in columns, sorted by time, at most one row a moment.
///
/// Where two rows claim one moment the caller's rule says which one stands (the later line of a
/// file, and between files the one whose name sorts last), so that what stands here follows from
/// the rows alone and not from the order in which they came.
#[derive(Debug, Default, Clone)]
pub struct History {
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
            self.times.push(t);
            self.max.push(max);
            self.mean.push(mean);
            self.origins.push(origin);
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
                Inserted::Corrected(i)
            }
            Err(i) => {
                self.times.insert(i, t);
                self.max.insert(i, max);
                self.mean.insert(i, mean);
                self.origins.insert(i, origin);
                Inserted::Between(i)
            }
        }
    }

    /// A history of the rows from place `from` on.
    pub fn tail(&self, from: usize) -> Self {
        Self {
            times: self.times[from..].to_vec(),
            max: self.max[from..].to_vec(),
            mean: self.mean[from..].to_vec(),
            origins: self.origins[from..].to_vec(),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Whether there is no row yet.
    pub fn is_empty(&self) -> bool {
        self.times.is_empty()
    }

    /// The moment of row `i`.
    pub fn time(&self, i: usize) -> Timestamp {
        Timestamp::from_seconds(self.times[i])
    }

    /// Maximum and mean value of row `i`.
    pub fn values(&self, i: usize) -> [f64; 2] {
        [self.max[i], self.mean[i]]
    }

    /// Where row `i` was read.
    pub fn origin(&self, i: usize) -> Origin {
        self.origins[i]
    }

    /// The moments of all rows.
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

    /// The place of the first row at or after `time`.
    pub fn first_at_or_after(&self, time: Timestamp) -> usize {
        self.times.partition_point(|t| *t < time.seconds())
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
}
