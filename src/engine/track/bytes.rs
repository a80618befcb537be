//! What an interface takes of memory.

use super::{State, Track};
use crate::detect::Judge;
use crate::detect::notice::Notices;
use crate::detect::tracker::Tracker;
use crate::detect::verdict::ErrorSpace;
use crate::model::Forecaster;

/// Bytes of what is carried from row to row, each part with all that it has on the heap. Ring and profiles
/// stay within 8 KB, the rest within 4 KB where windows have 24 slots, an open incident within 720 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bytes {
    /// The ring of the past week and the profiles of day and week.
    pub seasons: usize,
    /// The forecast's state besides: window, blends, mix.
    pub forecast: usize,
    /// The score's state.
    pub judge: usize,
    /// DBSCAN's sample.
    pub space: usize,
    /// Routines of incidents.
    pub tracker: usize,
    /// Past peaks.
    pub notices: usize,
    /// Places in the history, and what holds the parts together.
    pub rest: usize,
    /// The open incident, with what forecasts were trusted for before it; 0 where there is none.
    pub open: usize,
}

impl Bytes {
    /// All but ring and profiles, and but an open incident.
    pub fn scoring(&self) -> usize {
        self.forecast + self.judge + self.space + self.tracker + self.notices + self.rest
    }
}

impl Track {
    /// Bytes that are carried from row to row.
    pub fn bytes(&self) -> Bytes {
        let chain = self.now.chain.as_deref();
        let [seasons, long, forecast] = chain.map_or([0; 3], |c| c.forecaster.bytes());
        let judge = chain.map_or(0, |c| c.judge.bytes());
        // Each part is counted with all that it has on the heap; what is left are a few own numbers.
        let parts = size_of::<Forecaster>() + size_of::<Judge>();
        let chain_rest = chain.map_or(0, |c| c.bytes() - parts);
        let rest = size_of::<State>() - size_of::<ErrorSpace>() - size_of::<Notices>() - size_of::<Tracker>();
        Bytes {
            seasons,
            forecast,
            judge,
            space: self.now.space.as_ref().map_or(size_of::<ErrorSpace>(), ErrorSpace::bytes),
            tracker: self.now.tracker.bytes(),
            notices: size_of::<Notices>(),
            rest: chain_rest + rest,
            open: self.now.tracker.open_bytes() + long,
        }
    }
}
