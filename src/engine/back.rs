//! Incidents as they stood at an earlier moment.

use super::core::Told;
use super::scored::Scored;
use super::track::Track;
use crate::series::Timestamp;

/// The incidents as they stood at a moment: none that began later, and open what ended later, or with the row of that
/// moment: only what was taken over was known to be over with it. How far one had risen by then is read from its rows again.
pub(super) fn as_of(at: Timestamp, told: &[Told], tracks: &[Track]) -> Vec<Told> {
    let begun = told.iter().filter(|t| t.incident.start <= at);
    let then = begun.map(|t| {
        let mut t = t.clone();
        let incident = &mut t.incident;
        let goes_on = |end| if incident.taken_over { end > at } else { end >= at };
        if incident.end.is_none_or(goes_on) {
            (incident.end, incident.taken_over) = (None, false);
            let track = &tracks[t.interface.index()];
            let history = track.history();
            let rows = history.first_at_or_after(incident.start)..history.first_at_or_after(at.plus(1));
            let anomalies = rows.filter_map(|i| Some((i, track.scored().get(i).filter(|s| s.anomaly)?)));
            let (mut worst, mut latest): (Option<(usize, &Scored)>, _) = (None, incident.start);
            for (i, scored) in anomalies {
                latest = history.time(i);
                if worst.is_none_or(|(_, w)| scored.score > w.score) {
                    worst = Some((i, scored));
                }
            }
            incident.latest = latest;
            if let Some((i, scored)) = worst.filter(|_| incident.peak_at > at) {
                (incident.peak, incident.peak_at) = (scored.score, history.time(i));
                (incident.peak_value, incident.peak_expected) = (history.values(i)[1], scored.expected[1]);
            }
        }
        t
    });
    then.collect()
}
