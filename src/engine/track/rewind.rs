//! The way back: states before earlier rows, for one that comes late.

use super::scoring::put;
use super::{LATE_SLOTS, MOST_DENSE, State, Track};
use crate::engine::succession::Succession;

/// The state before a row, to go back to.
#[derive(Debug)]
pub(super) struct Checkpoint {
    pub(super) row: usize,
    pub(super) state: State,
    incidents: usize,
    hushed: usize,
    gaps: usize,
}

impl Track {
    /// Keeps the state before a row, and of the earlier ones those that a row which is late may need.
    pub(super) fn keep_checkpoint(&mut self, row: usize) {
        let time = self.history.time(row);
        let step = self.step();
        let is_far = |c: &Checkpoint| {
            let slots = step.map_or(i64::MAX, |step| step.slots_between(self.history.time(c.row), time));
            slots > LATE_SLOTS || c.row + MOST_DENSE < row
        };
        while self.checkpoints.get(1).is_some_and(is_far) {
            self.checkpoints.pop_front();
        }
        let (incidents, hushed, gaps) = (self.incidents.len(), self.hushed.len(), self.gaps.len());
        self.checkpoints.push_back(Checkpoint { row, state: self.now.clone(), incidents, hushed, gaps });
    }

    /// Goes back to the state before row `to`, or an earlier one. Where there is none any more, nothing changes.
    pub(super) fn rewind(&mut self, to: usize, models: &Succession) {
        let time = self.history.time(to);
        // A model may have taken over behind a slot for which this row comes late.
        let is_ahead = |c: &Checkpoint| c.state.chain.as_ref().is_some_and(|chain| models.is_ahead(chain.term, time));
        let found = self.checkpoints.iter().rposition(|c| c.row <= to && !is_ahead(c));
        let (row, incidents, hushed, gaps) = match found {
            Some(place) => {
                let checkpoint = &self.checkpoints[place];
                self.now = checkpoint.state.clone();
                (checkpoint.row, checkpoint.incidents, checkpoint.hushed, checkpoint.gaps)
            }
            None if self.scored.places().start > 0 => return,
            None => {
                self.now = State::default();
                (0, 0, 0, 0)
            }
        };
        self.checkpoints.truncate(found.map_or(0, |place| place + 1));
        self.scored.truncate(row);
        self.incidents.truncate(incidents);
        self.hushed.truncate(hushed);
        self.gaps.truncate(gaps);
        // One that was over then may have gone on since.
        if let Some(resting) = self.now.tracker.resting() {
            self.incidents.truncate(incidents.saturating_sub(1));
            self.incidents.push(resting.clone());
        }
        if let Some(resting) = self.now.tracker.resting_hushed() {
            put(&mut self.hushed, resting.clone());
        }
    }

    /// Whether there is a state before this row to go back to: the first of all, or a checkpoint.
    pub(super) fn can_rewind(&self, place: usize) -> bool {
        self.scored.places().start == 0 || self.checkpoints.front().is_some_and(|c| c.row <= place)
    }
}
