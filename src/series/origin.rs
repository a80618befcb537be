//! Where a row was read: what decides between two rows that claim one moment.

/// One reading of one file. A file that was replaced or rewritten is read again under a new id,
/// which takes precedence over the old one where both have a row for the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u32);

impl FileId {
    /// The file at `index` of the table that grows with the batches of ingest.
    ///
    /// # Panics
    /// When there were more than 2^32 files.
    pub fn from_index(index: usize) -> Self {
        Self(u32::try_from(index).expect("fewer than 2^32 files: each has a name in memory"))
    }

    /// Its place in that table.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// Where a row was read: which file, and which line of it (the header is line 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The file.
    pub file: FileId,
    /// Its line, from 1.
    pub line: u32,
}
