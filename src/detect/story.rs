//! Stories: incidents of several interfaces that DBSCAN puts together, because they start together
//! and look alike.

use std::fmt;

use super::incident::{Incident, IncidentId, IncidentKind};
use super::verdict::cluster;
use crate::series::Step;

/// Starts that are this many seconds apart are one unit of distance; a step, where that is longer.
const TOGETHER: i64 = 900;
/// Rarities that are this far apart are one unit of distance.
const ALIKE: f64 = 4.0;
/// Incidents that are clustered at once; DBSCAN is quadratic.
const MOST: usize = 2000;
/// Larger than any distance that could join two incidents.
const APART: f64 = 100.0;

/// A story's name: that of its first incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoryId(pub u64);

impl fmt::Display for StoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IncidentId(self.0).fmt(f)
    }
}

/// The stories of `incidents`, which are sorted by start and then by name of the interface: for
/// each the story that it belongs to, with how many incidents are in it; none for one alone.
///
/// What starts more than one unit after everything before it cannot be joined to it, so incidents
/// are clustered in the runs between such pauses, each on its own: what is added later changes no
/// earlier story. Runs beyond 2,000 incidents are cut.
pub fn stories(incidents: &[(&Incident, Step)]) -> Vec<Option<(StoryId, usize)>> {
    let unit = |step: &Step| step.seconds().max(TOGETHER);
    let mut out = vec![None; incidents.len()];
    let mut from = 0;
    while from < incidents.len() {
        let mut to = from + 1;
        let mut widest = unit(&incidents[from].1);
        while to < incidents.len() && to - from < MOST {
            widest = widest.max(unit(&incidents[to].1));
            if incidents[to].0.start.since(incidents[to - 1].0.start) > widest {
                break;
            }
            to += 1;
        }
        if to - from > 1 {
            join(&incidents[from..to], &mut out[from..to], unit);
        }
        from = to;
    }
    out
}

fn join(run: &[(&Incident, Step)], out: &mut [Option<(StoryId, usize)>], unit: impl Fn(&Step) -> i64) {
    let origin = run[0].0.start;
    let points: Vec<[f64; 4]> = run
        .iter()
        .map(|(incident, step)| {
            let place = incident.start.since(origin) as f64 / unit(step) as f64;
            let silent = if incident.kind == IncidentKind::Silence { APART } else { 0.0 };
            // Rarities far out differ by much and mean the same.
            let onset = incident.onset.map(|v| v.clamp(-3.0 * ALIKE, 3.0 * ALIKE) / ALIKE);
            [place, onset[0], onset[1], silent]
        })
        .collect();
    // A start that is one slot off is still together.
    let labels = cluster(&points, 2, 1.0 + 1e-9);
    for (i, label) in labels.iter().enumerate() {
        let Some(label) = label else { continue };
        let members = labels.iter().filter(|l| **l == Some(*label)).count();
        let first = labels.iter().position(|l| *l == Some(*label)).unwrap_or(i);
        out[i] = (members > 1).then_some((StoryId(run[first].0.id.0), members));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Verdict;
    use crate::series::{InterfaceName, Timestamp};

    fn incident(ifname: &str, start: i64, onset: f64, kind: IncidentKind) -> Incident {
        let start = Timestamp::from_seconds(1_000_000 + start);
        Incident {
            id: IncidentId::new(&InterfaceName::new("h", ifname), start, false),
            kind,
            direction: None,
            start,
            end: None,
            taken_over: false,
            usual: false,
            latest: start,
            peak: 4.0,
            peak_at: start,
            early: 4.0,
            peak_value: 0.0,
            peak_expected: 0.0,
            verdict: Verdict::Noise,
            onset: [onset; 2],
            history: 0,
        }
    }

    #[test]
    fn what_starts_together_and_looks_alike_is_one_story() {
        use IncidentKind::{Drop, Silence, Spike};
        let all = [
            incident("a", 0, 5.0, Spike),
            incident("b", 0, 6.0, Spike),
            incident("c", 0, -5.0, Drop),
            incident("d", 300, 5.5, Spike),
            incident("e", 300, 0.0, Silence),
            incident("f", 90_000, 5.0, Spike),
        ];
        let step = Step::from_seconds(300).unwrap();
        let with: Vec<_> = all.iter().map(|i| (i, step)).collect();
        let got = stories(&with);
        let first = Some((StoryId(all[0].id.0), 3));
        assert_eq!(got, [first, first, None, first, None, None]);
        assert_eq!(stories(&with[..5]), got[..5], "what comes later changes no earlier story");
    }

    #[test]
    fn a_storm_is_cut_and_not_lost() {
        let storm: Vec<Incident> = (0..4500).map(|i| incident(&i.to_string(), 0, 5.0, IncidentKind::Spike)).collect();
        let step = Step::from_seconds(300).unwrap();
        let got = stories(&storm.iter().map(|i| (i, step)).collect::<Vec<_>>());
        assert!(got.iter().all(|s| s.is_some_and(|(_, n)| n >= 500)));
    }
}
