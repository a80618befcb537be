//! Interfaces without rows while others have some.
//!
//! Silence has no rows, so it is not a matter of one interface's state: it follows from the
//! interface's own gaps and from the slots in which the directory had rows at all. It is computed
//! from both whenever it is asked for, so that it is the same whichever rows came first. That the
//! whole feed has stopped is no interface's silence.

use std::collections::BTreeSet;

use super::incident::{EARLY, Incident, IncidentId, IncidentKind, Rise, news};
use super::moments::Moments;
use super::verdict::Verdict;
use crate::series::{DAY, InterfaceName, Step, Timestamp, WEEK};

/// Slots without a row that may be a silence: fewer are lost every day somewhere.
pub const LEAST: i64 = 3;
/// What is taken for known of an interface's gaps before it has shown any: one of that length in so
/// many weeks.
const PRIOR_WEEKS: f64 = 2.0;
/// Past gaps that are looked at; older ones say less.
const PAST: usize = 64;
/// How much longer than its usual gaps a gap has to be, and seconds by which those begin at the same time of the day.
const LONGER: f64 = 2.0;
const ABOUT: i64 = 3600;
/// What each missing slot adds to how rare a silence is, where it is compared with scores (a row is
/// missing once in a hundred or less), and the most that comes of it.
const RARITY_OF_A_SLOT: f64 = 2.0;
const RAREST: f64 = 12.0;
/// Activity is kept in bins of this many seconds at the finest.
const BIN: i64 = 60;

/// Rows that lie further ahead of all others are from a clock that is wrong, unless enough interfaces have such.
const JUMP: i64 = DAY;

/// The moments at which the directory had rows, of whichever interface.
#[derive(Debug, Clone, Default)]
pub struct Activity {
    bins: Moments,
    /// Bins that have rows after more than [`JUMP`] without any.
    starts: BTreeSet<i64>,
    furthest: Option<Timestamp>,
    newest: Option<Timestamp>,
    filled: u64,
}

impl Activity {
    /// Learns that there was a row.
    pub fn learn(&mut self, time: Timestamp) {
        let bin = time.seconds().div_euclid(BIN);
        let new = self.bins.insert(bin);
        self.filled += u64::from(new && Some(time) < self.furthest);
        self.furthest = self.furthest.max(Some(time));
        if new {
            let far = |from: i64, to: i64| (to - from) * BIN > JUMP;
            if self.bins.before(bin).is_some_and(|before| far(before, bin)) {
                self.starts.insert(bin);
            }
            match self.bins.from(bin + 1).next() {
                Some(after) if far(bin, after) => self.starts.insert(after),
                Some(after) => self.starts.remove(&after),
                None => false,
            };
        }
    }

    /// What was learnt of the moments from `time` on.
    pub fn since(&self, time: Timestamp) -> Self {
        let mut since = Self::default();
        let bins = self.bins.from(time.seconds().div_euclid(BIN));
        bins.for_each(|bin| since.learn(Timestamp::from_seconds(bin * BIN)));
        Self { newest: self.newest, furthest: self.furthest, ..since }
    }

    /// Decides what is now, once all rows of a batch are known: the newest slot, but for rows that
    /// lie more than a day ahead of all others and that too few interfaces have. `enough` says
    /// whether enough interfaces have rows at or behind a moment, `before` gives the newest row before one.
    pub fn decide(&mut self, enough: impl Fn(Timestamp) -> bool, before: impl Fn(Timestamp) -> Option<Timestamp>) {
        let moment = |bin: &i64| Timestamp::from_seconds(bin * BIN);
        let ahead = self.starts.iter().rev().map(moment).take_while(|start| !enough(*start)).last();
        let now = ahead.map_or(self.furthest, before);
        // What followed from a later now does not hold any more.
        self.filled += u64::from(now < self.newest);
        self.newest = now;
    }

    /// The directory's newest slot; rows of a clock that is wrong are none. See [`Activity::decide`].
    pub fn newest(&self) -> Option<Timestamp> {
        self.newest
    }

    /// The newest row of all, whatever its clock.
    pub fn furthest(&self) -> Option<Timestamp> {
        self.furthest
    }

    /// The directory's first slot, to the minute.
    pub fn first(&self) -> Option<Timestamp> {
        self.bins.first().map(|bin| Timestamp::from_seconds(bin * BIN))
    }

    /// How often a moment before the newest one turned out to have had rows.
    pub fn filled(&self) -> u64 {
        self.filled
    }

    /// Slots of `step` between two moments, both excluded, in which there were rows; at most `enough`.
    fn slots(&self, after: Timestamp, before: Timestamp, step: Step, enough: i64) -> i64 {
        let mut slots = 0;
        let mut from = after.seconds() + step.seconds() / 2;
        while slots < enough {
            let first = from.div_euclid(BIN) + 1;
            let end = before.seconds().div_euclid(BIN);
            if first >= end {
                break;
            }
            let Some(bin) = self.bins.from(first).next().filter(|bin| *bin < end) else { break };
            // A bin holds several slots where these are shorter. It is counted once.
            slots += (BIN / step.seconds()).max(1);
            from = (bin * BIN).max(from) + (step.seconds() - BIN).max(0);
        }
        slots.min(enough)
    }
}

/// A stretch between two rows of an interface that are three slots apart or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// The last row before it.
    pub after: Timestamp,
    /// The first row behind it.
    pub before: Timestamp,
}

/// Slots after which a gap is as rare as is wanted, on an interface that had gaps of `past` slots within
/// so many weeks. Outages have no usual length: one that is twice as long is about half as frequent
/// (a Pareto law with exponent 1), so that a past gap of l slots speaks for min(1, l/n) gaps of n and more.
fn patience(past: &[(Timestamp, i64)], weeks: f64, alarms_per_week: f64) -> i64 {
    let wanted = alarms_per_week * (weeks + PRIOR_WEEKS);
    let expected = |slots: i64| {
        let share = |length: i64| (length as f64 / slots as f64).min(1.0);
        share(LEAST) + past.iter().map(|(_, length)| share(*length)).sum::<f64>()
    };
    // Where each counts by its share the sum is that of the lengths over n: no more than that is needed.
    let all: i64 = LEAST + past.iter().map(|(_, length)| length).sum::<i64>();
    let (mut short, mut enough) = (LEAST - 1, LEAST.max((all as f64 / wanted).ceil() as i64));
    while enough - short > 1 {
        let middle = short + (enough - short) / 2;
        if expected(middle) <= wanted { enough = middle } else { short = middle }
    }
    enough
}

/// The longest gap that came twice about this time of the day: what is shut each night has such. That an interface had
/// two outages says nothing of the third.
fn usual_gap(past: &[(Timestamp, i64)], after: Timestamp, step: Step) -> i64 {
    let about = ABOUT.max(step.seconds());
    let same_time = |start: Timestamp| (after.since(start) + about).rem_euclid(DAY) <= 2 * about;
    let mut longest = [0, 0];
    for (_, missed) in past.iter().rev().take(PAST).filter(|(start, _)| same_time(*start)) {
        longest = if *missed > longest[0] { [*missed, longest[0]] } else { [longest[0], longest[1].max(*missed)] };
    }
    longest[1]
}

/// The silences of an interface: of `gaps` (in time order) those in which others had rows and that
/// are longer than is usual here, and the open one since `last` if there is one. How long that is follows
/// from the gaps before and from how many alarms a week are wanted.
pub fn silences(
    name: &InterfaceName,
    step: Step,
    first: Timestamp,
    last: Timestamp,
    gaps: &[Gap],
    activity: &Activity,
    alarms_per_week: f64,
) -> Vec<Incident> {
    let mut out = Vec::new();
    // The newest slot does not count: rows of other interfaces are there, this one's may be on its way.
    let open = activity.newest.filter(|now| *now > last).map(|now| (last, now, true));
    let mut before_that: Vec<i64> = Vec::new();
    let mut past: Vec<(Timestamp, i64)> = Vec::new();
    for (after, before, open) in gaps.iter().map(|g| (g.after, g.before, false)).chain(open) {
        let length = step.slots_between(after, before) - 1;
        let usual = LEAST.max((LONGER * usual_gap(&past, after, step) as f64).ceil() as i64);
        let most = usual.max(step.slots_in(DAY) as i64);
        // Slots in which nobody had rows say nothing of this interface.
        let mut missed = activity.slots(after, before, step, length.min(most));
        let mut enough = usual;
        if missed >= usual {
            let recent = &past[past.len().saturating_sub(PAST)..];
            let since = recent.first().filter(|_| past.len() > PAST).map_or(first, |(start, _)| *start);
            let weeks = after.since(since) as f64 / WEEK as f64;
            enough = usual.max(patience(recent, weeks, alarms_per_week));
            if enough > most {
                missed = activity.slots(after, before, step, length.min(enough));
            }
        }
        if missed >= enough {
            let again = alike(&before_that, missed) > 0;
            let rise = rise(&before_that, missed, enough, step);
            before_that.push(missed);
            let start = after.plus(step.seconds());
            let end = before.plus(-step.seconds());
            out.push(Incident {
                end: (!open).then_some(end),
                latest: end,
                rise,
                verdict: if again { Verdict::Recurring } else { Verdict::Noise },
                history: start.since(first),
                ..Incident::new(IncidentId::new(name, start, true), IncidentKind::Silence, start)
            });
        }
        if missed >= LEAST {
            past.push((after, missed));
        }
    }
    out
}

/// How many of those `before` were about as long as so many slots: half to twice of it.
fn alike(before: &[i64], slots: i64) -> usize {
    before.iter().filter(|n| **n <= 2 * slots && slots <= 2 * **n).count()
}

/// How a silence of so many slots became rare: from when it was long enough. Each moment is compared with those
/// `before` by how long it had been silent then, so that what rang is not taken back when it goes on.
fn rise(before: &[i64], missed: i64, enough: i64, step: Step) -> Rise {
    let mut rise = Rise::default();
    for slots in enough..=missed.min(enough.max((RAREST / RARITY_OF_A_SLOT) as i64)) {
        let after = ((slots - 1) * step.seconds()).min(EARLY - 1);
        rise.learn(after, news((RARITY_OF_A_SLOT * slots as f64).min(RAREST), alike(before, slots)));
    }
    rise
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(slot: i64) -> Timestamp {
        Timestamp::from_seconds(1_000_200 + slot * 300)
    }

    fn activity(slots: impl Iterator<Item = i64>) -> Activity {
        let mut a = Activity::default();
        slots.for_each(|s| a.learn(t(s)));
        a.decide(|_| true, Some);
        a
    }

    fn found(gaps: &[(i64, i64)], last: i64, activity: &Activity) -> Vec<(i64, Option<i64>)> {
        let gaps: Vec<Gap> = gaps.iter().map(|(a, b)| Gap { after: t(*a), before: t(*b) }).collect();
        let step = Step::from_seconds(300).unwrap();
        let slot = |time: Timestamp| (time.seconds() - 1_000_200) / 300;
        silences(&InterfaceName::new("a", "b"), step, t(0), t(last), &gaps, activity, 1.0)
            .iter()
            .map(|i| (slot(i.start), i.end.map(slot)))
            .collect()
    }

    #[test]
    fn a_gap_is_a_silence_only_while_others_have_rows() {
        assert_eq!(found(&[(10, 16)], 99, &activity(0..100)), [(11, Some(15))]);
        assert_eq!(found(&[(10, 16)], 99, &activity((0..11).chain(16..100))), []);
        assert_eq!(found(&[(10, 13)], 99, &activity(0..100)), [], "two missing slots are none");
    }

    #[test]
    fn what_few_have_far_ahead_is_not_now() {
        // In whatever order the rows come.
        for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let slots = [0, 200, 900, 2000];
            let mut a = Activity::default();
            order.iter().for_each(|i| a.learn(t(slots[*i])));
            let now = |a: &mut Activity, supported: i64| {
                let before = |from: Timestamp| slots.iter().rev().map(|s| t(*s)).find(|time| *time < from);
                a.decide(|from| from <= t(supported), before);
                a.newest()
            };
            assert_eq!([2000, 900, 200].map(|s| now(&mut a, s)), [2000, 900, 200].map(|s| Some(t(s))));
        }
    }

    #[test]
    fn an_interface_that_has_stopped_is_silent_until_now() {
        assert_eq!(found(&[], 90, &activity(0..100)), [(91, None)]);
        assert_eq!(found(&[], 95, &activity(0..100)), [(96, None)]);
        assert_eq!(found(&[], 96, &activity(0..100)), [], "97 and 98 are missing, the row of 99 may still come");
        assert_eq!(found(&[], 99, &activity(0..100)), []);
    }

    #[test]
    fn one_minute_with_rows_is_no_hour_with_rows() {
        let mut activity = Activity::default();
        [0, 1800, 3600].iter().for_each(|s| activity.learn(t(0).plus(*s)));
        let slots = |step| activity.slots(t(0), t(0).plus(3600), Step::from_seconds(step).unwrap(), 1000);
        assert_eq!([10, 20, 45, 60, 300].map(slots), [6, 3, 1, 1, 1]);
    }

    #[test]
    fn how_long_a_gap_must_be_follows_from_those_before_and_from_what_is_wanted() {
        let past = |lengths: &[i64]| lengths.iter().map(|length| (t(0), *length)).collect::<Vec<_>>();
        assert_eq!([1.0, 0.25].map(|wanted| patience(&[], 0.0, wanted)), [3, 6], "nothing is known yet");
        assert_eq!([1.0, 0.25].map(|wanted| patience(&[], 4.0, wanted)), [3, 3], "none in four weeks");
        assert_eq!([1.0, 0.25].map(|wanted| patience(&past(&[3]), 2.0, wanted)), [3, 6]);
        assert_eq!(patience(&past(&[3; 28]), 4.0, 1.0), 15, "three slots are lost every day");
        let long = patience(&past(&[24, 3, 3]), 4.0, 0.25);
        assert!((15..=24).contains(&long), "{long}: about as long as the longest in a month");
        assert!(patience(&past(&[3, 4, 9]), 1.0, 0.1) > patience(&past(&[3, 4, 9]), 1.0, 0.3));
    }

    #[test]
    fn the_third_outage_is_told_like_the_first_and_what_is_shut_each_night_is_usual() {
        // In four weeks of hours: at odd times, and at about the same one.
        let odd = [(30, 50), (250, 269), (420, 435), (640, 655)];
        let nightly = [(30, 40), (149, 158), (246, 257), (414, 424), (535, 575)];
        let step = Step::from_seconds(3600).unwrap();
        let hour = |hour: i64| Timestamp::from_seconds(1_767_571_200 + 3600 * hour);
        let mut all = Activity::default();
        (0..672).for_each(|i| all.learn(hour(i)));
        all.decide(|_| true, Some);
        let found = |gaps: &[(i64, i64)], wanted: f64| -> Vec<i64> {
            let gaps: Vec<Gap> = gaps.iter().map(|(a, b)| Gap { after: hour(*a), before: hour(*b) }).collect();
            let name = InterfaceName::new("a", "b");
            let silences = silences(&name, step, hour(-672), hour(671), &gaps, &all, wanted);
            silences.iter().map(|i| i.start.since(hour(0)) / 3600).collect()
        };
        assert_eq!(found(&odd, 1.0), [31, 251, 421, 641]);
        assert!(found(&odd, 0.1).len() <= 2, "not where one in ten weeks is wanted: {:?}", found(&odd, 0.1));
        assert_eq!(found(&nightly, 1.0), [31, 150, 536], "the last one is far longer");
    }

    #[test]
    fn a_silence_like_an_earlier_one_calls_somebody_if_less_and_what_rang_is_not_taken_back() {
        let step = Step::from_seconds(300).unwrap();
        let steps =
            |before: &[i64], missed: i64| -> Vec<(i64, f64)> { rise(before, missed, 3, step).steps().collect() };
        let rarest = |before: &[i64]| rise(before, 12, 3, step).rarest();
        assert_eq!(rarest(&[]), RAREST);
        assert!((RAREST - 1.0..RAREST).contains(&rarest(&[12])), "{}", rarest(&[12]));
        assert!((rarest(&[12; 9]) - RAREST + 2.0).abs() < 1e-6, "each tenth takes off two: {}", rarest(&[12; 9]));
        for before in [&[][..], &[20], &[4, 20], &[8; 5]] {
            let whole = steps(before, 40);
            (3..40).for_each(|missed| assert!(whole.starts_with(&steps(before, missed)), "{before:?} after {missed}"));
        }
        let all = activity(0..300);
        let gaps = [(50, 63), (200, 213)].map(|(a, b)| Gap { after: t(a), before: t(b) });
        let found = silences(&InterfaceName::new("a", "b"), step, t(-8000), t(299), &gaps, &all, 1.0);
        assert_eq!(found.iter().map(|i| i.verdict).collect::<Vec<_>>(), [Verdict::Noise, Verdict::Recurring]);
        assert!(found[1].rise.rarest() > 10.0, "{:?}", found[1].rise);
    }

    #[test]
    fn gaps_that_are_usual_here_are_no_news() {
        let gaps = [(10, 16), (30, 36), (50, 56), (70, 90)];
        assert_eq!(found(&gaps, 99, &activity(0..100)), [(11, Some(15)), (31, Some(35)), (71, Some(89))]);
    }
}
