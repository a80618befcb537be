//! What the reader of files gives, put together by interface.

use super::columns::{Arriving, Columns};
use crate::ingest::{Batch, FileSource, Refusal};
use crate::series::{Clock, InterfaceName};

/// Refused lines that are kept as examples: the first ones.
const EXAMPLES: usize = 5;

/// Rows of a directory while it is read.
#[derive(Debug, Default)]
pub struct Gathering {
    names: Vec<InterfaceName>,
    arriving: Vec<Arriving>,
    files: Vec<FileSource>,
    refused: u64,
    refusals: Vec<Refusal>,
    clock: Clock,
}

/// Rows of a directory that was read to its end.
#[derive(Debug, Default)]
pub struct Gathered {
    /// Interfaces and their rows, in the order of names.
    pub interfaces: Vec<(InterfaceName, Columns)>,
    /// Files that rows came from.
    pub files: usize,
    /// Lines that were refused.
    pub refused: u64,
    /// The first of them.
    pub refusals: Vec<Refusal>,
}

impl Gathering {
    /// Nothing yet, and hours and weekdays by this clock.
    pub fn by(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// Takes what a turn of reading brought.
    pub fn take(&mut self, batch: &Batch) {
        self.names.extend(batch.names.iter().cloned());
        self.files.extend(batch.files.iter().cloned());
        self.arriving.resize_with(self.names.len(), Arriving::default);
        for row in &batch.rows {
            self.arriving[row.interface.index()].push(row);
        }
        self.refused += batch.refused;
        let room = EXAMPLES - self.refusals.len();
        self.refusals.extend(batch.refusals.iter().take(room).cloned());
    }

    /// Brings the rows of each interface into order.
    pub fn settle(self) -> Gathered {
        let Self { names, arriving, files, refused, refusals, clock } = self;
        let settle = |rows: Arriving| rows.settle(&files).by(clock.clone());
        let rows = names.into_iter().zip(arriving).map(|(name, rows)| (name, settle(rows)));
        let mut interfaces: Vec<_> = rows.collect();
        interfaces.sort_by(|a, b| a.0.cmp(&b.0));
        Gathered { interfaces, files: files.len(), refused, refusals }
    }
}
