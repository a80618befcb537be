//! Which rows of a series are labelled.

/// Rows from `first` to `last`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// First row.
    pub first: usize,
    /// Last row, not before the first.
    pub last: usize,
}

impl Span {
    /// Its number of rows.
    pub fn rows(self) -> usize {
        self.last - self.first + 1
    }
}

/// The labelled intervals of a series as places in its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    rows: usize,
    spans: Vec<Span>,
}

impl Truth {
    /// The truth about so many rows. Spans may overlap; they are put in the order of their starts.
    ///
    /// # Panics
    /// When a span ends before it starts or reaches beyond the rows.
    pub fn new(rows: usize, mut spans: Vec<Span>) -> Self {
        assert!(spans.iter().all(|s| s.first <= s.last && s.last < rows), "every span lies within the rows");
        // Stable, so that spans with one start keep the order of the file.
        spans.sort_by_key(|s| s.first);
        Self { rows, spans }
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The labelled intervals as they were given, in the order of their starts.
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whether any row is labelled.
    pub fn is_labelled(&self) -> bool {
        !self.spans.is_empty()
    }

    /// For each row whether it is labelled.
    pub fn mask(&self) -> Vec<bool> {
        self.near(0)
    }

    /// For each row whether it is labelled or at most `slack` rows away from one that is.
    pub fn near(&self, slack: usize) -> Vec<bool> {
        let mut mask = vec![false; self.rows];
        for span in &self.spans {
            let end = (span.last + slack + 1).min(self.rows);
            mask[span.first.saturating_sub(slack)..end].fill(true);
        }
        mask
    }

    /// The labelled rows as stretches that do not touch, in order: overlapping spans are one.
    pub fn stretches(&self) -> Vec<Span> {
        let mut out: Vec<Span> = Vec::new();
        for span in &self.spans {
            match out.last_mut() {
                Some(before) if span.first <= before.last + 1 => before.last = before.last.max(span.last),
                _ => out.push(*span),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(pairs: &[(usize, usize)]) -> Vec<Span> {
        pairs.iter().map(|(first, last)| Span { first: *first, last: *last }).collect()
    }

    #[test]
    fn overlapping_spans_are_one_stretch_and_neighbours_too() {
        let truth = Truth::new(12, spans(&[(7, 7), (0, 2), (1, 1), (3, 4), (9, 11)]));
        assert_eq!(truth.stretches(), spans(&[(0, 4), (7, 7), (9, 11)]));
        let mask: Vec<usize> = truth.mask().into_iter().map(usize::from).collect();
        assert_eq!(mask, [1, 1, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1]);
        assert_eq!(truth.spans().len(), 5);
    }

    #[test]
    fn near_ends_with_the_rows() {
        let truth = Truth::new(6, spans(&[(0, 0), (5, 5)]));
        assert_eq!(truth.near(1), [true, true, false, false, true, true]);
        assert_eq!(truth.near(100), [true; 6]);
    }
}
