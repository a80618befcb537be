//! What an interface's line shows of its last slots: its load, and how rare each slot was.

use super::snapshot::{HEAT, NO_HEAT, SPARK, Strip};
use super::track::Track;
use crate::series::{Step, Timestamp};

/// The score from which heat is full: ten times as many tenths are a byte that is not [`NO_HEAT`].
const HOTTEST: f64 = 25.0;

/// What the line shows of the last of the first `rows` rows as of `now`, where `usual` is the fleet's step. Of a
/// single row the step is not known: it is taken to be that.
pub(super) fn strip(track: &Track, rows: usize, now: Option<Timestamp>, usual: Option<Step>, threshold: f64) -> Strip {
    let history = track.history();
    let (mut load, mut heat) = ([f32::NAN; SPARK], [NO_HEAT; HEAT]);
    let places = history.places();
    let newest = rows.checked_sub(1).filter(|i| places.contains(i)).map(|i| history.time(i));
    let (Some(now), Some(newest)) = (now, newest) else { return Strip::at_once(load, heat) };
    let step = track.step_so_far().or(usual).unwrap_or(Step::SECOND);
    let usual = usual.unwrap_or(step);
    let shown = |to: Timestamp, time: Timestamp| {
        // a little more than is shown of each, so that the slot at the edge is whole
        step.slots_between(time, to) <= SPARK as i64 || usual.slots_between(time, to) < HEAT as i64
    };
    // Rows that are whole steps apart move as one.
    let mut times = (places.start..rows).rev().map(|i| history.time(i)).take_while(|time| shown(newest, *time));
    let even = step == usual && newest <= now && times.all(|time| newest.since(time) % step.seconds() == 0);
    let end = if even { newest } else { now };
    // Whose rows come seldom, or between those of others, is not behind before its next one is due.
    let behind = step.slots_missing(newest, end);
    let slots_back = |time: Timestamp| match newest <= now {
        true => step.slots_between(time, newest) + behind,
        false => step.slots_between(time, end),
    };
    for i in (places.start..rows).rev() {
        let time = history.time(i);
        if !shown(end, time) {
            break;
        }
        if let Some(place) = place_of(slots_back(time), SPARK).filter(|p| load[*p].is_nan()) {
            load[place] = history.values(i)[1] as f32;
        }
        if let (Some(place), Some(scored)) = (place_of(usual.slots_between(time, end), HEAT), track.scored().get(i)) {
            // what is no anomaly, since much on this interface is as rare, stays below what looks like one
            let most = if scored.anomaly { HOTTEST } else { threshold - 0.1 };
            let tenths = (scored.score.min(most).clamp(0.0, HOTTEST) * 10.0) as u8;
            heat[place] = if heat[place] == NO_HEAT { tenths } else { heat[place].max(tenths) };
        }
    }
    if even { Strip::ending(load, heat, newest, step) } else { Strip::at_once(load, heat) }
}

/// The place, oldest first, of what lies so many slots back among the last `slots`.
fn place_of(back: i64, slots: usize) -> Option<usize> {
    let back = usize::try_from(back.max(0)).ok()?;
    (slots - 1).checked_sub(back)
}
