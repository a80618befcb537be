//! One interface in full: its rows over any time, thinned where they are more than can be shown, its
//! incidents, and others beside it.

use super::core::Engine;
use super::snapshot::*;
use super::track::Track;
use crate::detect::Incident;
use crate::detect::judge::larger;
use crate::model::Expert;
use crate::model::skill::Skill;
use crate::series::{InterfaceId, Scale, Timestamp};

/// Expected errors on each side of the expected value that make the band on screen.
const BAND: f64 = 2.5;

/// What was asked for, as far as the rows go; none where there is no such interface or no row.
/// `own` are its incidents.
pub(super) fn detail<'a>(
    engine: &Engine,
    own: impl Iterator<Item = &'a Incident>,
    look: &Look,
    now: Option<Timestamp>,
) -> Option<DetailView> {
    let track = engine.tracks().get(look.interface.index())?;
    let history = track.history();
    if history.is_empty() {
        return None;
    }
    let (kept, said) = (history.places(), track.scored().places());
    let first = history.time(kept.start);
    let until = look.until.or(now).or(history.newest())?.max(first);
    let from = look.span.map_or(first, |span| until.plus(-span)).clamp(first, until);
    let rows = history.first_at_or_after(from).max(said.start)..history.first_at_or_after(until.plus(1)).min(said.end);
    let step = track.step_so_far().map_or(1, |s| s.seconds());
    let most = i64::try_from(look.points.max(2)).unwrap_or(i64::MAX);
    // whole steps, so that each point stands for about as many rows
    let spacing = step.saturating_mul((until.since(from) / step + most) / most).max(step);
    let scale = track.chain().map(|c| c.forecaster.scale()[1]);
    let mut points: Vec<DetailPoint> = Vec::new();
    for i in rows {
        let next = point(track, i, scale.as_ref());
        let part = |time: Timestamp| time.since(from) / spacing;
        match points.last_mut() {
            Some(last) if spacing > step && part(last.time) == part(next.time) => merge(last, next),
            _ => points.push(next),
        }
    }
    let known = engine.model().known().iter().find(|k| k.name == *track.name());
    let skill = known.filter(|_| track.chain().is_some_and(|c| c.known)).and_then(|k| k.skill.as_ref());
    let incidents = own.filter(|i| i.start <= until && i.end.is_none_or(|end| end >= from));
    let parts = (look.points / 2).clamp(1, 512);
    let beside = look.with.iter().take(COMPANIONS);
    Some(DetailView {
        id: look.interface,
        span: (from, until),
        points,
        spacing,
        incidents: incidents.map(|i| (i.id, i.start, i.end)).collect(),
        companions: beside.filter_map(|id| companion(engine, *id, from, until, parts)).collect(),
        skill: skill.map(against).unwrap_or_default(),
        held_out: skill.map(|skill| [skill.mix, skill.plain]),
        weights: track.chain().map(|c| c.forecaster.weights()).unwrap_or_default(),
    })
}

fn point(track: &Track, i: usize, scale: Option<&Scale>) -> DetailPoint {
    let (history, s) = (track.history(), &track.scored()[i]);
    let said = scale.filter(|_| s.verdict != Verdict::Warming);
    let (time, actual) = (history.time(i), history.values(i));
    let shown = |expected: f64| history.above_zero(time, expected);
    DetailPoint {
        time,
        actual,
        range: [actual[1]; 2],
        expected: said.map(|_| s.expected.map(shown)),
        band: said.map(|scale| {
            let middle = scale.forward(s.expected[1]);
            [scale.back(middle - BAND * s.band), scale.back(middle + BAND * s.band)].map(shown)
        }),
        error: larger(s.error) as f32,
        score: s.score as f32,
        anomaly: s.anomaly,
    }
}

/// Makes one point of two: that of the worse row, over the values of both.
fn merge(into: &mut DetailPoint, next: DetailPoint) {
    let range = [into.range[0].min(next.range[0]), into.range[1].max(next.range[1])];
    let max = into.actual[0].max(next.actual[0]);
    let band = match (into.band, next.band) {
        (Some(a), Some(b)) => Some([a[0].min(b[0]), a[1].max(b[1])]),
        (a, b) => a.or(b),
    };
    let anomaly = into.anomaly || next.anomaly;
    if next.score > into.score {
        *into = next;
    }
    (into.range, into.actual[0], into.band, into.anomaly) = (range, max, band, anomaly);
}

fn companion(
    engine: &Engine,
    id: InterfaceId,
    from: Timestamp,
    until: Timestamp,
    parts: usize,
) -> Option<CompanionView> {
    let track = engine.tracks().get(id.index())?;
    let history = track.history();
    let step = track.step_so_far().map_or(1, |s| s.seconds());
    // no more parts than slots: a line of its own slots has no holes
    let slots = usize::try_from(until.since(from) / step + 1).unwrap_or(1);
    let parts = parts.min(slots);
    let span = until.since(from).max(1) as f64;
    let (mut sums, mut counts, mut anomaly) = (vec![0.0f64; parts], vec![0u32; parts], vec![false; parts]);
    for i in history.first_at_or_after(from)..history.first_at_or_after(until.plus(1)) {
        let place = (history.time(i).since(from) as f64 / span * (parts - 1) as f64).round() as usize;
        let place = place.min(parts - 1);
        sums[place] += history.values(i)[1];
        counts[place] += 1;
        anomaly[place] |= track.scored().get(i).is_some_and(|s| s.anomaly);
    }
    let load = sums.iter().zip(&counts).map(|(sum, n)| (*sum / f64::from(*n)) as f32).collect();
    Some(CompanionView { id, load, anomaly })
}

/// 1 − error of the mix / error of each forecast of the skill table that there was on the held-out rows.
fn against(skill: &Skill) -> Vec<(Expert, f64)> {
    let shown = Expert::SIMPLE.into_iter().chain([Expert::Linear]);
    let pairs = shown.map(|expert| (expert, skill.experts[expert as usize]));
    pairs.filter(|(_, e)| e.is_finite() && *e > 0.0).map(|(expert, e)| (expert, 1.0 - skill.mix / e)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: i64, value: f64, score: f32) -> DetailPoint {
        DetailPoint {
            time: Timestamp::from_seconds(time),
            actual: [value + 1.0, value],
            range: [value; 2],
            expected: None,
            band: Some([value - 1.0, value + 1.0]),
            error: score,
            score,
            anomaly: score > 3.0,
        }
    }

    #[test]
    fn several_rows_as_one_keep_the_worst_and_both_ends() {
        let mut one = at(0, 5.0, 0.5);
        merge(&mut one, at(10, 90.0, 6.0));
        merge(&mut one, at(20, 2.0, 0.1));
        assert_eq!((one.time.seconds(), one.actual, one.range), (10, [91.0, 90.0], [2.0, 90.0]));
        assert_eq!((one.score, one.anomaly, one.band), (6.0, true, Some([1.0, 91.0])));
    }
}
