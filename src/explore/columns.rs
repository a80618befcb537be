//! The rows of one interface, compactly, while a directory is read once and after.

use crate::ingest::{FileSource, Row, outranks};
use crate::series::{Clock, FileId, Local, Origin, Timestamp};

/// Moments that follow one another at one distance: a regular series is a few of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Run {
    first: i64,
    step: i64,
    rows: u32,
}

/// Moments in seconds, as runs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Times(Vec<Run>);

impl Times {
    fn push(&mut self, time: i64) {
        if let Some(run) = self.0.last_mut() {
            if run.rows == 1 && time > run.first {
                (run.step, run.rows) = (time - run.first, 2);
                return;
            }
            if run.rows > 1 && run.rows < u32::MAX && time == run.first + run.step * i64::from(run.rows) {
                run.rows += 1;
                return;
            }
        }
        self.0.push(Run { first: time, step: 0, rows: 1 });
    }

    fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        self.0.iter().flat_map(|run| (0..i64::from(run.rows)).map(|i| run.first + run.step * i))
    }

    fn ascend(&self) -> bool {
        // Within a run they do.
        let last = |run: &Run| run.first + run.step * (i64::from(run.rows) - 1);
        self.0.windows(2).all(|pair| last(&pair[0]) < pair[1].first)
    }
}

/// Rows as they come: 16 bytes each, and 24 more for each break in the rhythm of their times.
#[derive(Debug, Clone, Default)]
pub(super) struct Arriving {
    times: Times,
    max: Vec<f64>,
    mean: Vec<f64>,
    /// How many rows came from which file, in the order in which they came.
    files: Vec<(FileId, u32)>,
}

impl Arriving {
    /// Takes a row.
    pub(super) fn push(&mut self, row: &Row) {
        self.times.push(row.time.seconds());
        self.max.push(row.max);
        self.mean.push(row.mean);
        match self.files.last_mut() {
            Some((file, rows)) if *file == row.origin.file && *rows < u32::MAX => *rows += 1,
            _ => self.files.push((row.origin.file, 1)),
        }
    }

    /// Puts the rows in the order of time. Where several claim a moment, the one stands that ingest's
    /// rule says: the later line of a file, and between files the one that [`outranks`] the others.
    pub(super) fn settle(self, files: &[FileSource]) -> Columns {
        let rows = self.max.len();
        if self.times.ascend() {
            let Self { times, mut max, mut mean, .. } = self;
            max.shrink_to_fit();
            mean.shrink_to_fit();
            return Columns { times, max, mean, ..Columns::default() };
        }
        let origins = self.files.iter().flat_map(|(file, rows)| std::iter::repeat_n(*file, *rows as usize));
        let all: Vec<(i64, FileId)> = self.times.iter().zip(origins).collect();
        let mut order: Vec<usize> = (0..rows).collect();
        // Rows of one file keep the order in which they came, which is that of its lines.
        order.sort_by_key(|row| all[*row].0);
        let mut settled = Columns::default();
        for same in order.chunk_by(|a, b| all[*a].0 == all[*b].0) {
            let origin = |row: usize| Origin { file: all[row].1, line: 0 };
            let stands = same.iter().copied().reduce(
                |old, new| {
                    if outranks(files, origin(new), origin(old)) { new } else { old }
                },
            );
            let Some(row) = stands else { continue };
            settled.times.push(all[row].0);
            settled.max.push(self.max[row]);
            settled.mean.push(self.mean[row]);
            settled.duplicates += same.len() - 1;
        }
        settled
    }
}

/// The rows of one interface in the order of time, at most one for a moment.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Columns {
    times: Times,
    max: Vec<f64>,
    mean: Vec<f64>,
    duplicates: usize,
    clock: Clock,
}

impl Columns {
    /// The same, with hours and weekdays by this clock rather than by UTC.
    #[must_use]
    pub fn by(self, clock: Clock) -> Self {
        Self { clock, ..self }
    }

    /// By whose clock hours and weekdays are told.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Their moments, with what the clock shows then.
    pub fn local(&self) -> impl Iterator<Item = Local> + '_ {
        self.seconds().map(|seconds| self.clock.at(Timestamp::from_seconds(seconds)))
    }

    /// Their moments, in seconds since 1970.
    pub fn seconds(&self) -> impl Iterator<Item = i64> + '_ {
        self.times.iter()
    }

    /// Their largest values, in the order of time.
    pub fn max(&self) -> &[f64] {
        &self.max
    }

    /// Their mean values, in the order of time.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// Rows for a moment for which another row stands.
    pub fn duplicates(&self) -> usize {
        self.duplicates
    }

    /// Columns from rows that are in order already: moments in seconds, largest and mean values.
    ///
    /// # Panics
    /// When the moments do not ascend, or the three are not of one length.
    pub fn in_order(seconds: &[i64], max: Vec<f64>, mean: Vec<f64>) -> Self {
        assert!(seconds.is_sorted_by(|a, b| a < b) && seconds.len() == max.len() && max.len() == mean.len());
        let mut times = Times::default();
        seconds.iter().for_each(|t| times.push(*t));
        Self { times, max, mean, ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::ingest::Root;
    use crate::series::InterfaceId;

    fn settled(rows: &[(i64, f64, usize)]) -> Columns {
        let file = |name: &str| FileSource::new(Root::Data, Arc::new(PathBuf::from(name)));
        let mut arriving = Arriving::default();
        for (line, (time, value, file)) in rows.iter().enumerate() {
            arriving.push(&Row {
                time: Timestamp::from_seconds(*time),
                interface: InterfaceId::from_index(0),
                max: 2.0 * value,
                mean: *value,
                origin: Origin { file: FileId::from_index(*file), line: line as u32 + 2 },
            });
        }
        arriving.settle(&[file("d/b.csv"), file("d/a.csv")])
    }

    #[test]
    fn a_regular_series_is_one_run_and_a_gap_begins_another() {
        let rows: Vec<(i64, f64, usize)> = (0..50).map(|i| (i * 60 + if i > 30 { 600 } else { 0 }, 1.0, 0)).collect();
        let columns = settled(&rows);
        assert_eq!(columns.times.0.len(), 2);
        assert!(columns.seconds().eq(rows.iter().map(|r| r.0)));
    }

    #[test]
    fn the_later_line_and_the_later_name_stand_in_any_order_of_arrival() {
        let a = settled(&[(60, 1.0, 0), (120, 2.0, 0), (60, 3.0, 0), (120, 9.0, 1), (0, 5.0, 1)]);
        assert_eq!((a.mean(), a.duplicates()), (&[5.0, 3.0, 2.0][..], 2));
        let b = settled(&[(120, 9.0, 1), (0, 5.0, 1), (60, 1.0, 0), (120, 2.0, 0), (60, 3.0, 0)]);
        assert_eq!(a, b);
        assert_eq!(a.max(), [10.0, 6.0, 4.0]);
    }

    #[test]
    fn times_that_jitter_or_run_back_are_kept_as_they_are() {
        let mut times = Times::default();
        let odd = [5, 3, 3, 4, 5, 7, 100, 90, 91];
        odd.into_iter().for_each(|t| times.push(t));
        assert!(times.iter().eq(odd));
        assert!(!times.ascend());
    }
}
