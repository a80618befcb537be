//! An incident as one JSON object: the same in every output that has incidents as JSON.

use serde::Serialize;

use super::snapshot::{IncidentView, Note};
use crate::detect::IncidentKind;

/// An incident, ready to be written. Times are UTC, `2026-11-23 14:05:00`; kinds and states are the words of files.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentForm {
    id: String,
    hostname: String,
    ifname: String,
    description: Option<String>,
    kind: &'static str,
    direction: Option<&'static str>,
    start: String,
    /// None while it is open.
    end: Option<String>,
    /// The largest score.
    score: f64,
    /// The mean value then; none of a silence, which has no rows.
    value: Option<f64>,
    /// What was expected of that value.
    expected: Option<f64>,
    verdict: &'static str,
    story: Option<String>,
    story_size: usize,
    ring: bool,
    state: &'static str,
    acknowledged: bool,
    /// By whom, where it is.
    acknowledged_by: Option<String>,
    muted_until: Option<String>,
    retired: bool,
    notes: Vec<NoteForm>,
}

/// A note on an incident.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct NoteForm {
    at: String,
    who: String,
    text: String,
}

impl From<&Note> for NoteForm {
    fn from(note: &Note) -> Self {
        Self { at: note.signed.at.to_string(), who: note.signed.who.clone(), text: note.text.clone() }
    }
}

impl From<&IncidentView> for IncidentForm {
    fn from(incident: &IncidentView) -> Self {
        let of_rows = incident.kind != IncidentKind::Silence;
        Self {
            id: incident.id.to_string(),
            hostname: incident.name.host.to_string(),
            ifname: incident.name.ifname.to_string(),
            description: incident.description.as_deref().map(str::to_owned),
            kind: incident.kind.name(),
            direction: incident.direction.map(|d| d.word()),
            start: incident.start.to_string(),
            end: incident.end.map(|e| e.to_string()),
            score: incident.peak,
            value: of_rows.then_some(incident.peak_value),
            expected: of_rows.then_some(incident.peak_expected),
            verdict: incident.verdict.word(),
            story: incident.story.map(|s| s.to_string()),
            story_size: incident.story_size,
            ring: incident.rings,
            state: incident.state_name(),
            acknowledged: incident.acknowledged.is_some(),
            acknowledged_by: incident.acknowledged.as_ref().map(|s| s.who.clone()),
            muted_until: incident.muted.map(|t| t.to_string()),
            retired: incident.retired,
            notes: incident.notes.iter().map(NoteForm::from).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::detect::IncidentKind;
    use crate::detect::incident::state_name;

    #[test]
    fn what_machines_read_has_no_blanks() {
        use IncidentKind::*;
        let kinds = [Spike, Drop, DropToZero, Flatline, LevelShift, Drift, Silence].map(IncidentKind::name);
        assert_eq!(kinds, ["spike", "drop", "drop-to-zero", "flatline", "level-shift", "drift", "silence"]);
        let states = [(false, false), (true, false), (true, true)].map(|(ended, taken)| state_name(ended, taken));
        assert_eq!(states, ["open", "closed", "taken-over"]);
    }
}
