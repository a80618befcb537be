//! What goes dark before it is rare: an outage begins with its first row near nothing. And one that never gets
//! rare enough to be listed by itself may be part of one that its whole device has.

use super::HOLD;
use super::Rules;
use super::open::{CALM, STILL_OFF, lasting};
use super::seen::Seen;
use crate::detect::incident::{Direction, Incident, IncidentId, IncidentKind};
use crate::detect::verdict::Verdict;
use crate::series::{InterfaceName, Local, Step, Timestamp};

/// Rows near nothing that are off, but not rare enough yet to open an incident: where it does open,
/// the outage began with them.
#[derive(Debug, Clone)]
pub(super) struct Dark {
    pub(super) first: Local,
    latest: Timestamp,
    /// Signed rarity of the first one's one-step errors.
    pub(super) onset: [f32; 2],
    /// What it is told as where the device goes dark with it.
    pub(super) hushed: Option<Box<Incident>>,
}

impl Dark {
    /// Whether a row is dark and off.
    pub(super) fn is_dark(row: &Seen) -> bool {
        row.nothing && row.rarest(false)[1] >= STILL_OFF
    }

    /// Begins with a dark row. `fresh`: the row before was none. What begins with a row that is not half as rare as
    /// one that opens an incident is not told, whatever others do.
    pub(super) fn begin(name: &InterfaceName, row: &Seen, rules: &Rules, fresh: bool) -> Self {
        let (first, start, onset) = (row.at, row.at.time(), [row.judged.vector[0], row.judged.vector[1]]);
        let told = || Incident {
            usual: true,
            direction: Some(Direction::Down),
            onset,
            history: row.history,
            ..Incident::new(IncidentId::new(name, start, false), IncidentKind::DropToZero, start)
        };
        let hushed = (fresh && row.judged.score >= HOLD * rules.threshold).then(|| Box::new(told()));
        let mut dark = Self { first, latest: start, onset: onset.map(|v| v as f32), hushed };
        dark.add(row);
        dark
    }

    /// Goes on with another row.
    pub(super) fn add(&mut self, row: &Seen) {
        self.latest = row.at.time();
        if let Some(incident) = &mut self.hushed {
            incident.latest = self.latest;
            if row.judged.score > incident.peak {
                (incident.peak, incident.peak_at) = (row.judged.score, self.latest);
                (incident.peak_value, incident.peak_expected) = (row.raw[1], row.usual[1]);
            }
        }
    }

    /// Takes note of what its worst row looks like.
    pub(super) fn recognise(&mut self, at: Timestamp, verdict: Verdict) {
        self.hushed
            .iter_mut()
            .filter(|incident| incident.peak_at == at)
            .for_each(|incident| incident.verdict = verdict);
    }

    /// Bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.hushed.as_ref().map_or(0, |_| size_of::<Incident>())
    }

    /// Whether it goes on in a row. What has been dark for longer than a short incident takes without
    /// being rare is how this interface is.
    pub(super) fn reaches(&self, row: &Seen, step: Step) -> bool {
        let slots = |since| step.slots_between(since, row.at.time());
        slots(self.latest) <= CALM && slots(self.first.time()) <= lasting(step)
    }
}
