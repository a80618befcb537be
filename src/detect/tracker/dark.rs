//! What goes dark before it is rare: an outage begins with its first row near nothing.

use super::open::{CALM, LASTING, STILL_OFF};
use super::seen::Seen;
use crate::series::{Local, Step, Timestamp};

/// Rows near nothing that are off, but not rare enough yet to open an incident: where it does open,
/// the outage began with them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dark {
    pub(super) first: Local,
    latest: Timestamp,
    /// Signed rarity of the first one's one-step errors.
    pub(super) onset: [f32; 2],
}

impl Dark {
    /// What is dark behind a row that opens nothing.
    pub(super) fn follow(before: Option<&Self>, row: &Seen, step: Step) -> Option<Self> {
        let onset = [0, 1].map(|c| row.judged.vector[c] as f32);
        let off = row.nothing && row.rarest(false)[1] >= STILL_OFF;
        let alone = Self { first: row.at, latest: row.at.time(), onset };
        let longer = |dark: &Self| Self { latest: row.at.time(), ..*dark };
        off.then(|| before.filter(|dark| dark.reaches(row, step)).map_or(alone, longer))
    }

    /// Whether it goes on in a row. What has been dark for longer than a short incident takes without
    /// being rare is how this interface is.
    pub(super) fn reaches(&self, row: &Seen, step: Step) -> bool {
        step.slots_between(self.latest, row.at.time()) <= CALM && row.at.time().since(self.first.time()) <= LASTING
    }
}
