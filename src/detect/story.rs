//! Stories: incidents of several interfaces that DBSCAN puts together, because they start together
//! and look alike.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::cluster::cluster;
use super::incident::{Incident, IncidentId, IncidentKind};
use super::verdict::bend;
use crate::series::{InterfaceName, Step};

/// Starts that are this many seconds apart are one unit of distance on one device; a step, where that
/// is longer. Across devices it is a step: in a large fleet something starts in any quarter of an hour.
const TOGETHER: i64 = 900;
/// What begins everywhere at once is off enough to be told in one slot here and in the next one there. A quarter of an
/// hour has room for that where slots are short. So three or more are together that start within a unit of this many
/// steps, too; two that start a slot apart are a coincidence that each device has where slots are hours.
const STEPS: i64 = 2;
const SEVERAL: usize = 3;
/// Bent rarities that are this far apart are one unit of distance.
const ALIKE: f64 = 4.0;
/// Devices on which something alike starts at once for it to be one story across them. Two are a
/// coincidence that a large fleet has every day.
const DEVICES: usize = 3;
/// Incidents that are clustered at once; DBSCAN is quadratic.
const MOST: usize = 2000;
/// Incidents with which a run ends behind its slot. A large fleet has something in each slot, and its runs would have
/// no end: what opens now would be clustered with hours that are over.
const ENOUGH: usize = 500;
/// From so many on, what is clustered across devices counts rarities to this part of a unit: the incidents of a storm
/// are then few points that many share, and sharing costs nothing.
const STORM: usize = 300;
const FINEST: f64 = 0.25;
/// A start that is one unit off is still together.
const REACH: f64 = 1.0 + 1e-9;
/// Larger than any distance that could join two incidents.
const APART: f64 = 100.0;

/// An incident as stories see it.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The incident.
    pub incident: &'a Incident,
    /// Whose.
    pub name: &'a InterfaceName,
    /// Its interface's step.
    pub step: Step,
}

/// A story's name: that of its first incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoryId(pub u64);

impl fmt::Display for StoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        IncidentId(self.0).fmt(f)
    }
}

/// The stories of `parts`, which are sorted by start and then by name of the interface: for each
/// the story that it belongs to, with how many incidents are in it; none for one alone.
///
/// What starts more than one unit after everything before it cannot be joined to it, so incidents
/// are clustered in the runs between such pauses, each on its own: what is added later changes no
/// earlier story. A run of 500 incidents ends behind its slot, and one of 2,000 within it.
pub fn stories(parts: &[Part<'_>]) -> Vec<Option<(StoryId, usize)>> {
    let mut out = vec![None; parts.len()];
    let mut from = 0;
    while from < parts.len() {
        let to = run_end(parts, from);
        if to - from > 1 {
            join(&parts[from..to], &mut out[from..to]);
        }
        from = to;
    }
    out
}

/// What is one unit of distance on one device between two parts of this step.
fn unit(step: Step) -> i64 {
    step.seconds().max(TOGETHER)
}

/// The same where several are looked at: the longest pause that a story can have before a part of this step.
fn wide_unit(step: Step) -> i64 {
    unit(step).max(STEPS * step.seconds())
}

/// Where the run that begins at `from` ends: its parts are clustered on their own.
pub fn run_end(parts: &[Part<'_>], from: usize) -> usize {
    let mut to = from + 1;
    let mut widest = wide_unit(parts[from].step);
    while to < parts.len() && to - from < MOST {
        widest = widest.max(wide_unit(parts[to].step));
        let pause = parts[to].incident.start.since(parts[to - 1].incident.start);
        if pause > widest || (pause > 0 && to - from >= ENOUGH) {
            break;
        }
        to += 1;
    }
    to
}

fn join(run: &[Part<'_>], out: &mut [Option<(StoryId, usize)>]) {
    let origin = run[0].incident.start;
    let point = |part: &Part<'_>, unit: i64| {
        let place = part.incident.start.since(origin) as f64 / unit as f64;
        let silent = if part.incident.kind == IncidentKind::Silence { APART } else { 0.0 };
        let onset = part.incident.onset.map(|v| bend(v) / ALIKE);
        [place, onset[0], onset[1], silent]
    };
    // First on each device, which are so far apart that nothing joins them: groups, by the place of their
    // first member.
    let mut known: HashMap<&str, usize> = HashMap::new();
    let hosts: Vec<usize> = run
        .iter()
        .map(|part| {
            let new = known.len();
            *known.entry(&part.name.host).or_insert(new)
        })
        .collect();
    let on_devices = |unit: fn(Step) -> i64| -> Vec<_> {
        let place = |(part, host): (&Part<'_>, &usize)| {
            let [place, onset_max, onset_mean, silent] = point(part, unit(part.step));
            [*host as f64 * APART, place, onset_max, onset_mean, silent]
        };
        run.iter().zip(&hosts).map(place).collect()
    };
    let all: Vec<usize> = (0..run.len()).collect();
    let mut group = all.clone();
    gather(&cluster(&on_devices(unit), 2, REACH), &all, &mut group);
    if run.iter().any(|part| wide_unit(part.step) > unit(part.step)) {
        gather(&cluster(&on_devices(wide_unit), SEVERAL, REACH), &all, &mut group);
    }
    // Then across devices, each group by its first member.
    let firsts: Vec<usize> = (0..run.len()).filter(|i| group[*i] == *i).collect();
    let across = |i: &usize| {
        let [place, onset_max, onset_mean, silent] = point(&run[*i], run[*i].step.seconds());
        let [onset_max, onset_mean] = [onset_max, onset_mean].map(|onset| match firsts.len() {
            ..STORM => onset,
            _ => (onset / FINEST).round() * FINEST,
        });
        [place, onset_max, onset_mean, silent]
    };
    let points: Vec<_> = firsts.iter().map(across).collect();
    let labels = cluster(&points, DEVICES, REACH);
    let mut devices: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for (label, i) in labels.iter().zip(&firsts) {
        label.map(|label| devices.entry(label).or_default().insert(&run[*i].name.host));
    }
    let several = |label: &usize| devices.get(label).is_some_and(|hosts| hosts.len() >= DEVICES);
    let labels: Vec<Option<usize>> = labels.into_iter().map(|label| label.filter(several)).collect();
    gather(&labels, &firsts, &mut group);
    let mut sizes = vec![0; run.len()];
    group.iter().for_each(|first| sizes[*first] += 1);
    for (out, first) in out.iter_mut().zip(group) {
        *out = (sizes[first] > 1).then(|| (StoryId(run[first].incident.id.0), sizes[first]));
    }
}

/// Puts the groups of all `members` of one label together. A group is named by the place of its first member.
fn gather(labels: &[Option<usize>], members: &[usize], group: &mut [usize]) {
    let mut firsts: BTreeMap<usize, usize> = BTreeMap::new();
    for (label, member) in labels.iter().zip(members) {
        if let Some(label) = label {
            let first = *firsts.entry(*label).or_insert(*member);
            let [a, b] = [first, *member].map(|place| named(group, place));
            group[a.max(b)] = a.min(b);
        }
    }
    (0..group.len()).for_each(|i| group[i] = named(group, i));
}

/// The first member of a place's group.
fn named(group: &[usize], mut place: usize) -> usize {
    while group[place] != place {
        place = group[place];
    }
    place
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{InterfaceName, Timestamp};

    fn incident(ifname: &str, start: i64, onset: f64, kind: IncidentKind) -> Incident {
        let start = Timestamp::from_seconds(1_000_000 + start);
        let id = IncidentId::new(&InterfaceName::new("h", ifname), start, false);
        Incident { peak: 4.0, onset: [onset; 2], ..Incident::new(id, kind, start) }
    }

    fn told(all: &[(InterfaceName, Incident)]) -> Vec<Option<(StoryId, usize)>> {
        told_at(300, all)
    }

    fn told_at(step: i64, all: &[(InterfaceName, Incident)]) -> Vec<Option<(StoryId, usize)>> {
        let step = Step::from_seconds(step).unwrap();
        stories(&all.iter().map(|(name, incident)| Part { incident, name, step }).collect::<Vec<_>>())
    }

    fn on(host: &str, incident: Incident) -> (InterfaceName, Incident) {
        (InterfaceName::new(host, "x"), incident)
    }

    #[test]
    fn what_starts_together_and_looks_alike_is_one_story() {
        use IncidentKind::{Drop, Silence, Spike};
        let all = [
            on("h", incident("a", 0, 5.0, Spike)),
            on("h", incident("b", 0, 16.0, Spike)),
            on("h", incident("c", 0, -5.0, Drop)),
            on("h", incident("d", 300, 5.5, Spike)),
            on("h", incident("e", 300, 0.0, Silence)),
            on("h", incident("f", 90_000, 5.0, Spike)),
        ];
        let got = told(&all);
        let first = Some((StoryId(all[0].1.id.0), 3));
        assert_eq!(got, [first, first, None, first, None, None]);
        assert_eq!(told(&all[..5]), got[..5], "what comes later changes no earlier story");
    }

    #[test]
    fn what_begins_one_long_slot_later_is_the_same_story_where_several_are_alike() {
        for step in [900, 3600, 21_600] {
            let at = |ifname: &str, slot: i64, onset: f64| {
                on(
                    "h",
                    incident(
                        ifname,
                        slot * step,
                        onset,
                        if onset > 0.0 { IncidentKind::Spike } else { IncidentKind::Drop },
                    ),
                )
            };
            let sizes = |all: &[(InterfaceName, Incident)]| -> Vec<usize> {
                told_at(step, all).iter().map(|story| story.map_or(0, |(_, n)| n)).collect()
            };
            let evening = [("a", 0), ("b", 0), ("c", 1), ("d", 1), ("e", 2), ("f", 2)];
            assert_eq!(sizes(&evening.map(|(ifname, slot)| at(ifname, slot, -5.0 - slot as f64))), [6; 6], "{step} s");
            assert_eq!(sizes(&[at("a", 0, 4.0), at("b", 0, 5.0), at("c", 1, 3.0)]), [3; 3], "{step} s");
            let two = [at("a", 0, 4.0), at("b", 1, 5.0)];
            assert_eq!(sizes(&two), [0; 2], "two are a coincidence at {step} s");
            let late = [at("a", 0, 4.0), at("b", 0, 4.0), at("c", 2, 5.0), at("d", 2, 5.0)];
            assert_eq!(sizes(&late), [2; 4], "two slots later is another one at {step} s");
            let ways = [at("a", 0, 4.0), at("b", 0, 4.0), at("c", 1, -4.0), at("d", 1, -4.0)];
            assert_eq!(sizes(&ways), [2; 4], "so is what goes the other way at {step} s");
        }
    }

    #[test]
    fn across_devices_two_are_a_coincidence_and_three_are_a_story() {
        use IncidentKind::Drop;
        let at = |host: &str, ifname: &str, start| on(host, incident(ifname, start, -6.0, Drop));
        let mut all = vec![at("a", "1", 0), at("a", "2", 0), at("b", "1", 0)];
        assert_eq!(told(&all).iter().map(|s| s.map(|s| s.1)).collect::<Vec<_>>(), [Some(2), Some(2), None]);
        all.push(at("c", "1", 300));
        assert!(told(&all).iter().all(|s| *s == Some((StoryId(all[0].1.id.0), 4))), "{:?}", told(&all));
        all[3] = at("c", "1", 900);
        assert_eq!(told(&all)[3], None, "a quarter of an hour later elsewhere");
    }

    #[test]
    fn what_has_no_pause_is_cut_between_slots() {
        let one = |i: i64| {
            let start = i / 40 * 300;
            on(&format!("h{}", i % 40), incident(&i.to_string(), start, 5.0, IncidentKind::Spike))
        };
        let all: Vec<_> = (0..1600).map(one).collect();
        let sizes: Vec<_> = told(&all).iter().map(|story| story.map_or(0, |(_, n)| n)).collect();
        // Thirteen slots of 40 are the first 500, and the last run is what is left.
        assert_eq!(sizes, [vec![520; 1560], vec![40; 40]].concat());
    }

    #[test]
    fn a_storm_is_cut_and_not_lost() {
        let one = |i: i32| on("h", incident(&i.to_string(), 0, 5.0, IncidentKind::Spike));
        let storm: Vec<_> = (0..4500).map(one).collect();
        assert!(told(&storm).iter().all(|s| s.is_some_and(|(_, n)| n >= 500)));
    }
}
