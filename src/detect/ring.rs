//! Who is called: which incidents ring, so that about as many a day do as somebody wants to hear.
//!
//! An incident rings when it has become rarer than the bar of that day. The bar is what would have
//! let through the wanted number in the week before, so it follows from rows alone: it is the same
//! live and batch, and after a restart. When more happens than in that week, as many of the last 24
//! hours as are wanted are rarer, and what is less rare than these does not ring. On a day on which
//! more than enough has rung the bar rises, and so a storm, or a first day, does not ring all day.

use std::collections::{BTreeMap, BTreeSet};

use super::incident::{EARLY, Incident};
use super::story::StoryId;
use crate::series::{DAY, Step, Timestamp};

/// Days before from which the bar is made.
pub const DAYS: i64 = 7;
/// The least that the bar is, as a rarity in time and not in rows: a row that an interface has once in these seconds,
/// three days and a half. Who is called counts in days, whatever the step. At 5 minutes it is once in 1,000 rows, which
/// would be six weeks at an hour, and less than three hours at 10 seconds.
const SELDOM: i64 = 1000 * 300;
/// Rows of which it is at least one, as with what is listed: a day's row is rare for its step, too.
const FEWEST: f64 = 10.0;
/// By how much it rises when as much has rung as was wanted, and by as much again for each further
/// time: what comes on top has to be a hundred times rarer.
const RISE: f64 = 2.0;

/// An incident as rings see it.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// The incident; they are in the order of their starts.
    pub incident: &'a Incident,
    /// Its story, where it has one.
    pub story: Option<StoryId>,
    /// Its interface's step.
    pub step: Step,
}

/// The least score that rings, for rows that are a `step` apart. Scores are compared by what they have above it: so
/// interfaces of different steps by how seldom such a row comes.
fn least(step: Step) -> f64 {
    libm::log10(step.slots_in(SELDOM).max(FEWEST))
}

/// Which of `callers` ring, from `from` on: for those before it `rung` says it already. `first` is the
/// directory's first slot. `bars` keeps what was worked out for each day; the days after the one on which the
/// caller at `from` starts are worked out again.
pub fn rings(
    callers: &[Caller<'_>],
    from: usize,
    rung: &[bool],
    first: Timestamp,
    per_day: f64,
    bars: &mut BTreeMap<i64, f64>,
) -> Vec<bool> {
    let Some(start) = callers.get(from).map(|c| c.incident.start) else { return Vec::new() };
    // What is decided anew may depend on what rang on the same day, that on the 24 hours before it, and
    // all of it on what rose up to six hours after its start.
    let begin = callers[..from].partition_point(|c| c.incident.start < start.plus(-EARLY - 2 * DAY));
    bars.retain(|day, _| *day <= day_of(start));
    let mut events: Vec<(Timestamp, usize, f64)> = Vec::new();
    for (i, caller) in callers.iter().enumerate().skip(begin) {
        let least = least(caller.step);
        let steps = caller.incident.rise.steps();
        events.extend(steps.map(|(after, score)| (caller.incident.start.plus(after), i, score - least)));
    }
    events.sort_by_key(|(time, caller, _)| (*time, *caller));
    let mut out: Vec<bool> = (begin..callers.len()).map(|i| i < from && rung[i]).collect();
    let mut stories = BTreeSet::new();
    let mut on_day: BTreeMap<i64, usize> = BTreeMap::new();
    let mut done = BTreeSet::new();
    // Of each story the last moment and score at which it was one too many: what is no rarer then is, too.
    let mut too_many: BTreeMap<StoryId, (Timestamp, f64)> = BTreeMap::new();
    for (n, &(time, i, score)) in events.iter().enumerate() {
        // What was decided before stands; it is gone through for the count of its day.
        if i < from && !rung[i] {
            continue;
        }
        let day = day_of(time);
        let caller = &callers[i];
        if done.contains(&i) || caller.story.is_some_and(|story| stories.contains(&story)) {
            continue;
        }
        let bar = *bars.entry(day).or_insert_with(|| bar(callers, day, first, per_day));
        let count = on_day.entry(day).or_default();
        let over = (*count as f64 / per_day - 1.0).max(0.0);
        if score < bar + RISE * over {
            continue;
        }
        let known = caller.story.and_then(|story| too_many.get(&story));
        if known.is_some_and(|(then, most)| *then == time && score <= *most) {
            continue;
        }
        if is_one_too_many(callers, &events[..=n], per_day) {
            caller.story.map(|story| too_many.insert(story, (time, score)));
        } else {
            *count += 1;
            done.insert(i);
            stories.extend(caller.story);
            out[i - begin] = true;
        }
    }
    out.split_off(from - begin)
}

/// Whether so many other stories and single incidents became as rare as the last of `events` in the 24 hours
/// before it.
fn is_one_too_many(callers: &[Caller<'_>], events: &[(Timestamp, usize, f64)], per_day: f64) -> bool {
    let mut others = BTreeSet::new();
    let Some((&(now, caller, score), before)) = events.split_last() else { return false };
    let whose = |i: usize| callers[i].story.map_or((None, i), |story| (Some(story), 0));
    let own = whose(caller);
    let enough = |others: &BTreeSet<_>| others.len() as f64 >= per_day;
    for (_, i, _) in before.iter().rev().take_while(|(time, ..)| now.since(*time) < DAY).filter(|(.., s)| *s >= score) {
        if enough(&others) {
            break;
        }
        let other = whose(*i);
        if other != own {
            others.insert(other);
        }
    }
    enough(&others)
}

/// The score above the least that as many stories and single incidents reached in the days before as are wanted.
fn bar(callers: &[Caller<'_>], day: i64, first: Timestamp, per_day: f64) -> f64 {
    // What started less than six hours before may still rise.
    let end = Timestamp::from_seconds(day * DAY - EARLY);
    let start = first.max(end.plus(-DAYS * DAY));
    let days = end.since(start) as f64 / DAY as f64;
    let from = callers.partition_point(|c| c.incident.start < start);
    let to = callers.partition_point(|c| c.incident.start < end);
    let mut alone: Vec<f64> = Vec::new();
    let mut stories: BTreeMap<StoryId, f64> = BTreeMap::new();
    for caller in callers.get(from..to).unwrap_or_default() {
        let rarest = caller.incident.rise.rarest() - least(caller.step);
        match caller.story {
            Some(story) => {
                let most = stories.entry(story).or_default();
                *most = most.max(rarest);
            }
            None => alone.push(rarest),
        }
    }
    alone.extend(stories.into_values());
    alone.sort_by(|a, b| b.total_cmp(a));
    let wanted = (per_day * days.max(0.0)).round() as usize;
    // Just above the first one too many; with less than a day behind it nobody knows.
    if days < 1.0 { 0.0 } else { alone.get(wanted).map_or(0.0, |one| one.max(0.0)) }
}

fn day_of(time: Timestamp) -> i64 {
    time.seconds().div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::{IncidentId, IncidentKind};
    use crate::random::Random;
    use crate::series::InterfaceName;

    const T0: i64 = 1_767_571_200;
    const MINUTES: Step = seconds(300);

    const fn seconds(of: i64) -> Step {
        Step::from_seconds(of).expect("a step is positive")
    }

    fn incident(seconds: i64, steps: &[(i64, f64)]) -> Incident {
        let start = Timestamp::from_seconds(T0 + seconds);
        let mut rise = crate::detect::incident::Rise::default();
        steps.iter().for_each(|(after, score)| rise.learn(*after, *score));
        let id = IncidentId::new(&InterfaceName::new("h", "i"), start, false);
        Incident { peak: rise.rarest(), rise, onset: [5.0; 2], ..Incident::new(id, IncidentKind::Spike, start) }
    }

    fn decide(all: &[Incident], per_day: f64) -> Vec<bool> {
        let callers: Vec<_> = all.iter().map(|incident| Caller { incident, story: None, step: MINUTES }).collect();
        rings(&callers, 0, &[], Timestamp::from_seconds(T0), per_day, &mut BTreeMap::new())
    }

    fn fleet(days: i64, a_day: i64, seed: u64) -> Vec<Incident> {
        let mut random = Random::new(seed);
        let score = |r: &mut Random| 3.3 - libm::log10(1.0 - r.unit());
        (0..days * a_day).map(|i| incident(i * DAY / a_day, &[(0, score(&mut random))])).collect()
    }

    #[test]
    fn about_as_many_a_day_ring_as_are_wanted() {
        let all = fleet(40, 60, 1);
        let rung = decide(&all, 10.0);
        let later = rung[10 * 60..].iter().filter(|r| **r).count() as f64 / 30.0;
        assert!((7.0..=12.0).contains(&later), "{later} a day");
        let first = rung[..60].iter().filter(|r| **r).count();
        assert!(first <= 25, "{first} on the first day");
    }

    #[test]
    fn a_busier_week_than_the_last_one_rings_too_much_on_its_first_day_only() {
        let mut all = fleet(20, 20, 3);
        let busy = fleet(10, 120, 4);
        all.extend(busy.into_iter().map(|i| {
            let steps = [(0, i.rise.rarest() + 3.0)];
            incident(i.start.seconds() - T0 + 20 * DAY, &steps)
        }));
        let rung = decide(&all, 10.0);
        let on = |day: usize| rung[400 + 120 * day..520 + 120 * day].iter().filter(|r| **r).count();
        assert!(on(0) <= 40, "{}", on(0));
        let later: Vec<usize> = (1..10).map(on).collect();
        assert!(later.iter().all(|n| (4..=18).contains(n)) && later.iter().sum::<usize>() <= 9 * 12, "{later:?}");
    }

    #[test]
    fn what_is_decided_stays_decided_whatever_comes_later() {
        let all = fleet(12, 40, 2);
        let whole = decide(&all, 5.0);
        for cut in [30, 200, 333, 479] {
            assert_eq!(decide(&all[..cut], 5.0), whole[..cut], "the first {cut}");
        }
        // Piece by piece, as a live engine does it.
        let callers: Vec<_> = all.iter().map(|incident| Caller { incident, story: None, step: MINUTES }).collect();
        let (mut bars, mut rung) = (BTreeMap::new(), Vec::new());
        for to in (0..=all.len()).step_by(7).chain([all.len()]) {
            let from = rung.len();
            let more = rings(&callers[..to], from, &rung, Timestamp::from_seconds(T0), 5.0, &mut bars);
            rung.extend(more);
        }
        assert_eq!(rung, whole);
    }

    #[test]
    fn a_story_rings_once_and_a_rise_rings_when_it_reaches_the_bar() {
        let all = [incident(0, &[(0, 3.4), (3600, 9.0)]), incident(60, &[(0, 8.0)]), incident(120, &[(0, 2.0)])];
        let story = Some(StoryId(all[0].id.0));
        let callers: Vec<_> = all.iter().map(|incident| Caller { incident, story, step: MINUTES }).collect();
        let first = Timestamp::from_seconds(T0);
        assert_eq!(rings(&callers, 0, &[], first, 10.0, &mut BTreeMap::new()), [true, false, false]);
        assert_eq!(decide(&all, 10.0), [true, true, false]);
        assert_eq!(decide(&[incident(0, &[])], 10.0), [false], "what comes at its hour has no rise");
    }

    #[test]
    fn what_rings_is_as_rare_in_time_at_each_step() {
        let at = |of: i64, score: f64| {
            let all = [incident(0, &[(0, score)])];
            let callers = [Caller { incident: &all[0], story: None, step: seconds(of) }];
            rings(&callers, 0, &[], Timestamp::from_seconds(T0), 10.0, &mut BTreeMap::new())[0]
        };
        // Of rows that are 10 seconds, 5 minutes, an hour, six hours and a day apart.
        for (step, least) in [(10, 4.48), (300, 3.0), (3600, 1.93), (21_600, 1.15), (86_400, 1.0)] {
            assert_eq!([at(step, least - 0.02), at(step, least + 0.02)], [false, true], "{step} s");
        }
    }

    #[test]
    fn interfaces_of_different_steps_are_compared_by_how_seldom_it_comes() {
        let steps = [10, 3600].map(seconds);
        let all = fleet(20, 10, 7);
        let callers: Vec<_> =
            all.iter().enumerate().map(|(i, incident)| Caller { incident, story: None, step: steps[i % 2] }).collect();
        let rung = rings(&callers, 0, &[], Timestamp::from_seconds(T0), 3.0, &mut BTreeMap::new());
        // Of the last ten days, in which each of the two has five a day, as rare among its rows.
        let of = |which: usize| rung.iter().skip(100 + which).step_by(2).filter(|rings| **rings).count();
        assert!(of(0) <= 2 && of(1) >= 15, "{} of ten seconds, {} of an hour", of(0), of(1));
    }
}
