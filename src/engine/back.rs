//! Incidents as they stood at an earlier moment.

use std::collections::{HashMap, HashSet};

use super::core::Told;
use super::scored::Belongs;
use super::track::Track;
use crate::detect::{Incident, IncidentId, IncidentKind, silence};
use crate::series::{InterfaceId, Step, Timestamp};

/// The incidents as they stood at a moment: none that began later or was not listed yet; open what was open once the
/// row of that moment was known, also where it was over soon after, and closed what went on again later. How far one
/// had risen by then is read from its rows again. A silence is there once as many slots are missing as take the least
/// patience; of an interface that often has gaps it was known later.
pub(super) fn as_of<'a>(at: Timestamp, told: impl Iterator<Item = &'a Told> + Clone, tracks: &[Track]) -> Vec<Told> {
    let is_silence = |t: &&Told| t.incident.kind == IncidentKind::Silence;
    let known_after = |t: &Told| match tracks[t.interface.index()].step() {
        Some(step) if is_silence(&t) => silence::LEAST * step.seconds(),
        _ => 0,
    };
    let begun = || told.clone().filter(|t| t.incident.start.plus(known_after(t)) <= at);
    let silent: HashSet<InterfaceId> =
        begun().filter(is_silence).filter(|t| reaches(&t.incident, at)).map(|t| t.interface).collect();
    let mut open: HashMap<InterfaceId, Option<IncidentId>> = HashMap::new();
    let then = begun().filter_map(|t| {
        let mut t = t.clone();
        let track = &tracks[t.interface.index()];
        let is_open = if is_silence(&&t) || !is_kept(track, &t.incident) {
            reaches(&t.incident, at)
        } else {
            let then = *open.entry(t.interface).or_insert_with(|| open_at(at, track));
            then == Some(t.incident.id) && !silent.contains(&t.interface)
        };
        if is_silence(&&t) {
            // The row of that moment may have been on its way.
            let step = track.step().map_or(0, Step::seconds);
            t.incident.latest = t.incident.latest.min(at.plus(-step));
        } else if t.incident.latest > at && !take_back(&mut t.incident, at, track) {
            return None;
        }
        if is_open {
            (t.incident.end, t.incident.taken_over) = (None, false);
        } else if t.incident.end.is_none_or(|end| end > at) {
            (t.incident.end, t.incident.taken_over) = (Some(t.incident.latest), false);
        }
        Some(t)
    });
    then.collect()
}

/// Whether it goes on behind a moment, as far as its end says: only what was taken over was known to be over with its
/// last row.
fn reaches(incident: &Incident, at: Timestamp) -> bool {
    incident.end.is_none_or(|end| if incident.taken_over { end > at } else { end >= at })
}

/// Whether all that was said of its rows is still in memory.
fn is_kept(track: &Track, incident: &Incident) -> bool {
    track.history().first_at_or_after(incident.start) >= track.scored().places().start
}

/// The incident that was open once the row at or before a moment was known.
fn open_at(at: Timestamp, track: &Track) -> Option<IncidentId> {
    let rows = track.scored().places().start..track.history().first_at_or_after(at.plus(1));
    let last = rows.clone().next_back().and_then(|i| track.scored().get(i));
    last.filter(|scored| scored.open)?;
    rows.rev().find_map(|i| track.scored().get(i)?.incident.id())
}

/// Brings an incident that went on behind a moment back to how far it had come. False where it was not listed by then.
fn take_back(incident: &mut Incident, at: Timestamp, track: &Track) -> bool {
    let history = track.history();
    let rows = history.first_at_or_after(incident.start)..history.first_at_or_after(at.plus(1));
    let known = rows.filter_map(|i| Some((i, track.scored().get(i)?)));
    let mut worst: Option<(usize, f64)> = None;
    let mut latest = None;
    for (i, scored) in known {
        let of_it = match scored.incident {
            Belongs::To(id) => id == incident.id,
            Belongs::Aside(id) => incident.usual && id == incident.id,
            Belongs::No => false,
        };
        if of_it {
            latest = Some(history.time(i));
        }
        if (scored.anomaly || of_it && incident.usual) && worst.is_none_or(|(_, w)| scored.score > w) {
            worst = Some((i, scored.score));
        }
    }
    if latest.is_none() && is_kept(track, incident) {
        return false;
    }
    incident.latest = latest.unwrap_or(incident.start);
    if let Some((i, score)) = worst.filter(|_| incident.peak_at > at) {
        (incident.peak, incident.peak_at) = (score, history.time(i));
        (incident.peak_value, incident.peak_expected) = (history.values(i)[1], track.scored()[i].expected[1]);
    }
    true
}
