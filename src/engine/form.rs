//! An incident as one JSON object: the same in every output that has incidents as JSON.

use serde::Serialize;

use super::snapshot::IncidentView;

/// An incident, ready to be written. Times are UTC, `2026-11-23 14:05:00`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentForm {
    id: String,
    hostname: String,
    ifname: String,
    kind: &'static str,
    direction: Option<&'static str>,
    start: String,
    /// None while it is open.
    end: Option<String>,
    /// The largest score.
    score: f64,
    /// The mean value then.
    value: f64,
    /// What was expected of that value.
    expected: f64,
    verdict: &'static str,
    story: Option<String>,
    story_size: usize,
    ring: bool,
    state: &'static str,
    acknowledged: bool,
}

impl From<&IncidentView> for IncidentForm {
    fn from(incident: &IncidentView) -> Self {
        Self {
            id: incident.id.to_string(),
            hostname: incident.name.host.to_string(),
            ifname: incident.name.ifname.to_string(),
            kind: incident.kind.word(),
            direction: incident.direction.map(|d| d.word()),
            start: incident.start.to_string(),
            end: incident.end.map(|e| e.to_string()),
            score: incident.peak,
            value: incident.peak_value,
            expected: incident.peak_expected,
            verdict: incident.verdict.word(),
            story: incident.story.map(|s| s.to_string()),
            story_size: incident.story_size,
            ring: incident.rings,
            state: incident.state(),
            acknowledged: incident.acknowledged,
        }
    }
}
