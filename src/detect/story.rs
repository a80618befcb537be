//! Stories: incidents of several interfaces that DBSCAN puts together, because they start together
//! and look alike.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;

use super::cluster::cluster;
use super::incident::{Incident, IncidentId, IncidentKind};
use super::judge::larger;
use super::verdict::bend;
use crate::series::{DAY, InterfaceName, Step, Timestamp, WEEK};

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
/// Devices on which something alike starts at once for it to be one story across them, at the least: two are a
/// coincidence. So are more of them the more begins anyway …
const DEVICES: usize = 3;
/// … and what begins beside another one by chance is that many at the most: the mean, and three times the
/// deviation of a number that chance makes.
const CHANCE: f64 = 3.0;
/// Slots within a unit of one: before it, its own, and behind it.
const NEAR: f64 = 3.0;
/// Others of a device with which something that is too little to be listed is told.
const COMPANY: usize = 2;
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

/// Ways in which something can begin: up, down, and without rows.
const WAYS: usize = 3;

/// How much has begun in the week before, of all devices: what begins at once by chance follows from it.
#[derive(Debug)]
pub struct Crowd {
    first: Timestamp,
    starts: [VecDeque<Timestamp>; WAYS],
}

impl Crowd {
    /// One of a directory whose rows begin at `first`.
    pub fn new(first: Timestamp) -> Self {
        Self { first, starts: Default::default() }
    }

    /// Learns that an incident began, alone or as the first one of its story. They come in the order of their starts.
    pub fn learn(&mut self, incident: &Incident) {
        self.starts[Self::way(incident)].push_back(incident.start);
    }

    fn way(incident: &Incident) -> usize {
        if incident.kind == IncidentKind::Silence { 2 } else { usize::from(larger(incident.onset) < 0.0) }
    }

    /// Devices on which something has to begin at once to be one story.
    fn least(&mut self, way: usize, at: Timestamp, step: Step) -> usize {
        let starts = &mut self.starts[way];
        while starts.front().is_some_and(|start| at.since(*start) > WEEK) {
            starts.pop_front();
        }
        let seconds = at.since(self.first).clamp(DAY, WEEK);
        let beside = starts.len() as f64 * NEAR * step.seconds() as f64 / seconds as f64;
        let most = beside + CHANCE * libm::sqrt(beside);
        DEVICES.max(1 + libm::ceil(most) as usize)
    }
}

/// The stories of `parts`, which are sorted by start and then by name of the interface: for each
/// the story that it belongs to, with how many incidents are in it; none for one alone. `crowd` has learnt what
/// began before, and learns what begins here. Incidents that are [`Incident::usual`] are told in company only.
///
/// What starts more than one unit after everything before it cannot be joined to it, so incidents
/// are clustered in the runs between such pauses, each on its own: what is added later changes no
/// earlier story. A run of 500 incidents ends behind its slot, and one of 2,000 within it.
pub fn stories(parts: &[Part<'_>], crowd: &mut Crowd) -> Vec<Option<(StoryId, usize)>> {
    let mut out = vec![None; parts.len()];
    let mut from = 0;
    while from < parts.len() {
        let to = run_end(parts, from);
        join(&parts[from..to], crowd, &mut out[from..to]);
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

fn join(run: &[Part<'_>], crowd: &mut Crowd, out: &mut [Option<(StoryId, usize)>]) {
    let origin = run[0].incident.start;
    let point = |part: &Part<'_>, unit: i64| {
        let place = part.incident.start.since(origin) as f64 / unit as f64;
        let silent = if part.incident.kind == IncidentKind::Silence { APART } else { 0.0 };
        let [max, mean] = likeness(part.incident);
        [place, max, mean, silent]
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
    let (hushed, listed): (Vec<usize>, Vec<usize>) = (0..run.len()).partition(|i| run[*i].incident.usual);
    let on_devices = |unit: fn(Step) -> i64| -> Vec<_> {
        let place = |i: &usize| {
            let [place, onset_max, onset_mean, silent] = point(&run[*i], unit(run[*i].step));
            [hosts[*i] as f64 * APART, place, onset_max, onset_mean, silent]
        };
        listed.iter().map(place).collect()
    };
    let mut group: Vec<usize> = (0..run.len()).collect();
    gather(&cluster(&on_devices(unit), 2, REACH), &listed, &mut group);
    if listed.iter().any(|i| wide_unit(run[*i].step) > unit(run[*i].step)) {
        gather(&cluster(&on_devices(wide_unit), SEVERAL, REACH), &listed, &mut group);
    }
    // Then across devices, each group by its first member.
    for way in 0..WAYS {
        let goes = |i: &usize| group[*i] == *i && Crowd::way(run[*i].incident) == way;
        let firsts: Vec<usize> = listed.iter().copied().filter(goes).collect();
        let across = |i: &usize| {
            let [place, onset_max, onset_mean, silent] = point(&run[*i], run[*i].step.seconds());
            let [onset_max, onset_mean] = [onset_max, onset_mean].map(|onset| match firsts.len() {
                ..STORM => onset,
                _ => (onset / FINEST).round() * FINEST,
            });
            [place, onset_max, onset_mean, silent]
        };
        let points: Vec<_> = firsts.iter().map(across).collect();
        let least = firsts.iter().map(|i| crowd.least(way, origin, run[*i].step)).max().unwrap_or(DEVICES);
        let labels = cluster(&points, least, REACH);
        let mut devices: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
        for (label, i) in labels.iter().zip(&firsts) {
            label.map(|label| devices.entry(label).or_default().insert(hosts[*i]));
        }
        let several = |label: &usize| devices.get(label).is_some_and(|hosts| hosts.len() >= least);
        let labels: Vec<Option<usize>> = labels.into_iter().map(|label| label.filter(several)).collect();
        gather(&labels, &firsts, &mut group);
    }
    listed.iter().filter(|i| group[**i] == **i).for_each(|i| crowd.learn(run[*i].incident));
    keep_company(run, &hosts, &listed, &hushed, &mut group);
    let mut sizes = vec![0; run.len()];
    group.iter().for_each(|first| sizes[*first] += 1);
    for (out, first) in out.iter_mut().zip(group) {
        *out = (sizes[first] > 1).then(|| (StoryId(run[first].incident.id.0), sizes[first]));
    }
}

/// What onsets look like: those of two incidents that are alike are a unit apart at the most.
fn likeness(incident: &Incident) -> [f64; 2] {
    incident.onset.map(|v| bend(v) / ALIKE)
}

/// Puts each incident that is too little to be listed into the story that two or more others of its device tell which
/// begin in its very slot, if it is like one of them. By itself it would be one of the many that nobody wants to hear of.
fn keep_company(run: &[Part<'_>], hosts: &[usize], listed: &[usize], hushed: &[usize], group: &mut [usize]) {
    let slot = |i: usize| (hosts[i], run[i].incident.start);
    let mut begin: HashMap<_, BTreeMap<usize, Vec<usize>>> = HashMap::new();
    for i in listed.iter().filter(|i| run[**i].incident.kind != IncidentKind::Silence) {
        begin.entry(slot(*i)).or_default().entry(group[*i]).or_default().push(*i);
    }
    for i in hushed {
        let own = likeness(run[*i].incident);
        let alike = |other: &usize| {
            let other = likeness(run[*other].incident);
            libm::hypot(own[0] - other[0], own[1] - other[1]) <= REACH
        };
        let mut stories = begin.get(&slot(*i)).into_iter().flatten();
        if let Some((first, _)) = stories.find(|(_, with)| with.len() >= COMPANY && with.iter().any(alike)) {
            group[*i] = *first;
        }
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
        let mut crowd = Crowd::new(Timestamp::from_seconds(1_000_000));
        stories(&all.iter().map(|(name, incident)| Part { incident, name, step }).collect::<Vec<_>>(), &mut crowd)
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

    /// Drops of so many devices within a slot, on the tenth day of a directory in which as many others of `each`
    /// way begin in every slot of the week before.
    fn at_once(devices: usize, [ups, downs]: [usize; 2]) -> usize {
        let name = |i: usize| InterfaceName::new(&format!("h{i}"), "x");
        let slot = 3600;
        let begin = 9 * DAY / slot;
        let mut crowd = Crowd::new(Timestamp::from_seconds(1_000_000));
        for i in begin - 168..begin {
            for onset in [vec![5.0; ups], vec![-5.0; downs]].concat() {
                crowd.learn(&incident("x", i * slot, onset, IncidentKind::Spike));
            }
        }
        let all: Vec<_> =
            (0..devices).map(|i| (name(i), incident("x", begin * slot, -6.0, IncidentKind::Drop))).collect();
        let parts: Vec<_> = all
            .iter()
            .map(|(name, incident)| Part { incident, name, step: Step::from_seconds(slot).unwrap() })
            .collect();
        stories(&parts, &mut crowd).iter().flatten().count()
    }

    #[test]
    fn where_much_begins_anyway_it_takes_more_devices_for_a_story() {
        assert_eq!([2, 3].map(|devices| at_once(devices, [0, 0])), [0, 3]);
        // Two an hour: six beside each by chance, and fourteen now and then.
        assert_eq!([3, 14, 15, 30].map(|devices| at_once(devices, [0, 2])), [0, 0, 15, 30]);
        assert_eq!(at_once(3, [2, 0]), 3, "what goes the other way says nothing of it");
    }

    #[test]
    fn what_is_too_little_to_be_listed_is_told_with_two_of_its_device() {
        use IncidentKind::{Drop, Silence, Spike};
        let hushed = |(name, incident): (InterfaceName, Incident)| (name, Incident { usual: true, ..incident });
        let pair = [on("h", incident("a", 0, -5.0, Drop)), on("h", incident("b", 0, -6.0, Drop))];
        let with = |one: (InterfaceName, Incident)| told(&[pair[0].clone(), pair[1].clone(), hushed(one)])[2];
        let both = Some((StoryId(pair[0].1.id.0), 3));
        assert_eq!(with(on("h", incident("c", 0, -3.0, Drop))), both);
        assert_eq!(with(on("h", incident("c", 300, -3.0, Drop))), None, "a slot later");
        assert_eq!(with(on("h", incident("c", 0, 3.0, Spike))), None, "the other way");
        assert_eq!(with(on("g", incident("c", 0, -3.0, Drop))), None, "on another device");
        let small = hushed(on("h", incident("c", 0, -3.0, Drop)));
        let tell = |all: &[_]| told(all).iter().map(|story| story.map_or(0, |(_, n)| n)).collect::<Vec<_>>();
        assert_eq!(tell(&[pair[0].clone(), small.clone()]), [0, 0], "one is no company");
        let silent = on("h", incident("b", 0, 0.0, Silence));
        assert_eq!(tell(&[pair[0].clone(), silent, small.clone()]), [0; 3]);
        let third = hushed(on("h", incident("d", 0, -4.0, Drop)));
        assert_eq!(tell(&[small.clone(), third.clone()]), [0; 2], "nor do such tell each other");
        assert_eq!(tell(&[pair[0].clone(), small.clone(), third.clone()]), [0; 3]);
        // It changes nothing of what others are, though it comes before them.
        let got = told(&[small, pair[0].clone(), pair[1].clone()]);
        assert_eq!(got, [both; 3]);
        assert_eq!(tell(&[pair[0].clone(), third, on("h", incident("b", 300, -5.0, Drop))]), [2, 0, 2]);
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
