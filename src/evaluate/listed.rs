//! What the engine lists at the alarm rate in force: not what some threshold could bring, but what
//! somebody in front of the console is told.
//!
//! A labelled interval is caught where an incident of its interface has an anomalous row in it, or
//! at most [`SLACK`] slots behind it; that an older incident is still open then is not enough. A
//! silence, which has no rows, catches what it overlaps. An incident that catches nothing and is
//! farther than that many slots from every interval is a false alarm.
//!
//! A silence behind the last row of its interface is neither. That there are no more rows is true, and the
//! time behind them, which could only be silent, is not among the weeks that false alarms are counted in.

use std::collections::BTreeMap;

use serde::Serialize;

use super::case::{Case, Known, Listed, Series};
use super::events::{SLACK, interface_weeks, share};
use super::poisson;
use super::rung::{self, RingFigures};
use super::stories::{self, Stories};
use crate::detect::IncidentKind;
use crate::series::Timestamp;
use crate::series::scale::quantile;

/// What is listed, against the labels.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ListedFigures {
    /// False alarms that were asked for, for each interface and week.
    pub asked_per_interface_week: f64,
    /// Incidents that reach into the rows.
    pub incidents: usize,
    /// Those of them that no labelled interval explains, silences behind an interface's last row apart.
    pub false_alarms: usize,
    /// Silences behind the last row of their interface that no labelled interval explains.
    pub ended: usize,
    /// The same for each interface and week.
    pub false_per_interface_week: Rate,
    /// Share of the incidents that a labelled interval explains, of all but those that have ended. None where no
    /// interval is labelled.
    pub precision: Option<f64>,
    /// Labelled intervals, also those without rows.
    pub intervals: usize,
    /// Those of them that were caught.
    pub caught: usize,
    /// Their share.
    pub recall: Option<f64>,
    /// Slots from an interval's start to the first anomalous row in it, in the median.
    pub delay_slots: Option<f64>,
    /// By what truly happened, where the labels say so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kinds: Vec<KindFigures>,
    /// Stories, where the labels have some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stories: Option<Stories>,
    /// What rang.
    pub rings: RingFigures,
}

/// A counted rate with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// The rate.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
}

/// What becomes of one kind of truth.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindFigures {
    /// The labels' word.
    pub kind: String,
    /// Labelled intervals of that kind.
    pub intervals: usize,
    /// Those that were caught.
    pub caught: usize,
    /// Their share.
    pub recall: Option<f64>,
    /// Share of the caught ones whose incident has the same word for it. A microburst is a spike
    /// of the maximum, so `spike` is right for it. None where incidents have no such word.
    pub same_word: Option<f64>,
    /// The words that their incidents have, and how often.
    pub called: BTreeMap<&'static str, usize>,
}

/// A labelled interval and the incidents that catch it.
pub(super) struct Match<'a> {
    pub(super) known: &'a Known,
    /// Places among the listed incidents.
    pub(super) by: Vec<usize>,
    /// When the first of them saw it.
    first: Option<Timestamp>,
}

/// The figures of a case.
pub fn figures(case: &Case) -> ListedFigures {
    let mut of: Vec<Vec<usize>> = vec![Vec::new(); case.series.len()];
    case.listed.iter().enumerate().for_each(|(i, listed)| of[listed.series].push(i));
    let mut explained = vec![false; case.listed.len()];
    let mut matches = Vec::new();
    let mut delays = Vec::new();
    for known in &case.known {
        let step = case.series[known.series].step.map_or(0, |s| s.seconds());
        let slack = step * SLACK as i64;
        let mut found = Match { known, by: Vec::new(), first: None };
        for i in of[known.series].iter().copied() {
            let listed = &case.listed[i];
            let sight = sight(listed, known.start, known.end.plus(slack));
            if let Some(at) = sight {
                found.by.push(i);
                found.first = Some(found.first.map_or(at, |first: Timestamp| first.min(at)));
            }
            explained[i] |=
                sight.is_some() || (listed.start <= known.end.plus(slack) && listed.end >= known.start.plus(-slack));
        }
        if let Some(first) = found.first {
            delays.push(if step > 0 { first.since(known.start) as f64 / step as f64 } else { 0.0 });
        }
        matches.push(found);
    }
    let weeks = interface_weeks(case.series.iter().map(|s| s.seconds()));
    let unexplained = case.listed.iter().zip(&explained).filter(|(_, explained)| !**explained);
    let (ended, wrong): (Vec<_>, Vec<_>) =
        unexplained.map(|(listed, _)| listed).partition(|listed| is_behind(listed, &case.series[listed.series]));
    let false_alarms = wrong.len();
    let judged = case.listed.len() - ended.len();
    let (low, high) = poisson::interval(false_alarms);
    let rate = |n: f64| if weeks > 0.0 { n / weeks } else { 0.0 };
    ListedFigures {
        asked_per_interface_week: case.alarms_per_week,
        incidents: case.listed.len(),
        false_alarms,
        false_per_interface_week: Rate { value: rate(false_alarms as f64), low: rate(low), high: rate(high) },
        ended: ended.len(),
        precision: share(judged - false_alarms, judged).filter(|_| !matches.is_empty()),
        intervals: matches.len(),
        caught: delays.len(),
        recall: share(delays.len(), matches.len()),
        delay_slots: (!delays.is_empty()).then(|| quantile(&mut delays, 0.5)),
        kinds: kinds(&matches, &case.listed),
        stories: stories::figures(&matches, &case.listed),
        rings: rung::figures(case, &matches, &explained),
    }
}

/// Whether an incident began behind the last row of its interface.
fn is_behind(listed: &Listed, series: &Series) -> bool {
    series.times.last().is_some_and(|last| listed.start > *last)
}

/// When an incident first shows between two moments.
fn sight(listed: &Listed, from: Timestamp, to: Timestamp) -> Option<Timestamp> {
    if listed.moments.is_empty() {
        return (listed.start <= to && listed.end >= from).then(|| listed.start.max(from));
    }
    listed.moments.iter().copied().find(|t| *t >= from).filter(|t| *t <= to)
}

/// Whether incidents can be called `kind`.
fn is_word(kind: &str, listed: &[Listed]) -> bool {
    use IncidentKind::{Drift, Drop, DropToZero, Flatline, LevelShift, Silence, Spike};
    let known = [Spike, Drop, DropToZero, Flatline, LevelShift, Drift, Silence];
    known.iter().any(|k| k.name() == kind) || listed.iter().any(|l| l.kind == kind)
}

fn kinds(matches: &[Match<'_>], listed: &[Listed]) -> Vec<KindFigures> {
    let mut of: BTreeMap<&str, Vec<&Match<'_>>> = BTreeMap::new();
    for found in matches {
        if let Some(kind) = &found.known.kind {
            of.entry(kind).or_default().push(found);
        }
    }
    let figures = |(kind, matches): (&str, Vec<&Match<'_>>)| {
        let right = if kind == "microburst" { "spike" } else { kind };
        let mut called: BTreeMap<&'static str, usize> = BTreeMap::new();
        for found in &matches {
            // Of several incidents the one that covers most of the interval says what it is called.
            let best = found.by.iter().map(|i| &listed[*i]).min_by_key(|l| -overlap(l, found.known));
            if let Some(best) = best {
                *called.entry(best.kind).or_default() += 1;
            }
        }
        let caught = called.values().sum();
        KindFigures {
            kind: kind.to_owned(),
            intervals: matches.len(),
            caught,
            recall: share(caught, matches.len()),
            same_word: share(called.get(right).copied().unwrap_or(0), caught).filter(|_| is_word(right, listed)),
            called,
        }
    };
    of.into_iter().map(figures).collect()
}

/// Seconds that an incident and a labelled interval have in common; below 0 where they are apart.
fn overlap(listed: &Listed, known: &Known) -> i64 {
    listed.end.min(known.end).since(listed.start.max(known.start))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::StoryId;
    use crate::evaluate::Truth;
    use crate::series::{InterfaceName, Step};

    /// The `i`th slot of five minutes.
    fn slot(i: i64) -> Timestamp {
        Timestamp::from_seconds(1_767_571_200 + 300 * i)
    }

    /// A week of one interface, and the same of another one.
    fn case(known: Vec<Known>, listed: Vec<Listed>) -> Case {
        let series = |ifname: &str| Series {
            name: InterfaceName::new("h", ifname),
            step: Step::from_seconds(300),
            clock: crate::series::Clock::UTC,
            earlier: Vec::new(),
            times: (0..=2016).map(slot).collect(),
            values: vec![1.0; 2017],
            truth: Truth::new(2017, Vec::new()),
        };
        let zeros = vec![vec![0.0; 2017]; 2];
        Case {
            series: vec![series("a"), series("b")],
            scores: zeros.clone(),
            notify: zeros,
            known,
            outside: 0,
            doubled: 0,
            listed,
            alarms_per_week: 1.0,
            rings_per_day: 2.0,
        }
    }

    fn known(series: usize, (start, end): (i64, i64), kind: &str, story: &str) -> Known {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Known { series, start: slot(start), end: slot(end), kind: some(kind), story: some(story) }
    }

    fn listed(series: usize, kind: &'static str, (start, end): (i64, i64), story: Option<u64>) -> Listed {
        let moments = if kind == "silence" { Vec::new() } else { vec![slot(start), slot(end)] };
        Listed { series, kind, start: slot(start), end: slot(end), moments, story: story.map(StoryId), rings: false }
    }

    #[test]
    fn an_interval_is_caught_by_an_anomalous_row_and_not_by_an_old_incident_that_is_still_open() {
        let all =
            [known(0, (100, 110), "spike", ""), known(0, (500, 505), "drop", ""), known(1, (700, 720), "silence", "")];
        let alarms = [
            // Three slots behind the end still count.
            listed(0, "spike", (113, 114), None),
            // Open over the second interval, with nothing anomalous in it.
            listed(0, "level-shift", (400, 600), None),
            listed(1, "silence", (705, 715), None),
            // On the other interface nothing happened then.
            listed(1, "spike", (102, 103), None),
        ];
        let got = figures(&case(all.into(), alarms.into()));
        assert_eq!((got.intervals, got.caught, got.incidents, got.false_alarms), (3, 2, 4, 1));
        assert_eq!((got.precision, got.delay_slots), (Some(0.75), Some(9.0)));
        assert!((got.false_per_interface_week.value - 0.5).abs() < 1e-9, "{:?}", got.false_per_interface_week);
        assert!((got.false_per_interface_week.high - 5.5716 / 2.0).abs() < 1e-3);
    }

    #[test]
    fn a_silence_behind_the_last_row_is_no_false_alarm_and_catches_what_it_overlaps() {
        let silence = |series| listed(series, "silence", (2017, 2100), None);
        let within = listed(0, "silence", (900, 930), None);
        let alone = figures(&case(Vec::new(), vec![within.clone(), silence(0), silence(1)]));
        assert_eq!((alone.incidents, alone.false_alarms, alone.ended, alone.precision), (3, 1, 2, None));
        let got = figures(&case(vec![known(1, (2050, 2080), "silence", "")], vec![within, silence(0), silence(1)]));
        assert_eq!((got.caught, got.false_alarms, got.ended, got.precision), (1, 1, 1, Some(0.5)));
    }

    #[test]
    fn kinds_are_compared_word_by_word() {
        let all = [
            known(0, (100, 110), "level-shift", ""),
            known(0, (300, 310), "level-shift", ""),
            known(0, (500, 501), "microburst", ""),
            known(0, (700, 701), "new backup", ""),
        ];
        let alarms = [
            listed(0, "spike", (100, 101), None),
            listed(0, "level-shift", (103, 110), None),
            listed(0, "spike", (500, 501), None),
            listed(0, "spike", (700, 701), None),
        ];
        let got = figures(&case(all.into(), alarms.into())).kinds;
        assert_eq!((got[0].kind.as_str(), got[0].recall, got[0].same_word), ("level-shift", Some(0.5), Some(1.0)));
        assert_eq!((got[1].kind.as_str(), got[1].recall, got[1].same_word), ("microburst", Some(1.0), Some(1.0)));
        assert_eq!((got[2].recall, got[2].same_word), (Some(1.0), None), "no incident is called a new backup");
        assert_eq!(got[0].called, BTreeMap::from([("level-shift", 1)]));
    }

    #[test]
    fn a_story_comes_out_as_one_or_not_and_strangers_are_counted() {
        let all = [
            known(0, (100, 102), "", "1"),
            known(1, (100, 102), "", "1"),
            known(0, (400, 402), "", "2"),
            known(1, (400, 402), "", "2"),
            known(0, (800, 802), "", "3"),
            known(1, (800, 802), "", "3"),
            known(0, (900, 902), "", "alone"),
        ];
        let alarms = [
            listed(0, "spike", (100, 101), Some(7)),
            listed(1, "spike", (100, 101), Some(7)),
            listed(1, "spike", (106, 107), Some(7)),
            listed(0, "spike", (400, 401), None),
            listed(1, "spike", (400, 401), None),
            listed(0, "spike", (800, 801), None),
        ];
        let got = figures(&case(all.into(), alarms.into())).stories.unwrap();
        assert_eq!((got.stories, got.raised, got.whole), (3, 2, 1));
        assert_eq!((got.members, got.members_told, got.told_incidents, got.strangers), (4, 2, 3, 1));
        assert_eq!(figures(&case(Vec::new(), Vec::new())).stories, None);
    }

    #[test]
    fn rings_are_counted_by_day_by_truth_and_by_story() {
        let all = [
            known(0, (100, 102), "", "1"),
            known(1, (100, 102), "", "1"),
            known(0, (400, 402), "", "2"),
            known(1, (400, 402), "", "2"),
            known(0, (900, 902), "", "alone"),
        ];
        let rung = |series, slots, story| Listed { rings: true, ..listed(series, "spike", slots, story) };
        let alarms = [
            // It began, and rang, before the rows.
            rung(0, (-9, 0), None),
            // One ring tells of the whole story.
            rung(0, (100, 101), Some(7)),
            listed(1, "spike", (100, 101), Some(7)),
            listed(0, "spike", (400, 401), None),
            rung(0, (900, 901), None),
            rung(1, (1500, 1501), None),
        ];
        let got = figures(&case(all.into(), alarms.into())).rings;
        assert_eq!((got.asked_per_day, got.days, got.rings, got.true_rings), (2.0, 7.0, 3, 2));
        assert!((got.per_day.value - 3.0 / 7.0).abs() < 1e-9 && got.per_day.low < 3.0 / 7.0, "{got:?}");
        assert_eq!((got.stories, got.stories_rung, got.share_stories_rung), (2, 1, Some(0.5)));
        let none = figures(&case(Vec::new(), Vec::new())).rings;
        assert_eq!((none.rings, none.share_true, none.share_stories_rung), (0, None, None));
    }

    #[test]
    fn without_labels_and_incidents_there_is_little_to_say() {
        let got = figures(&case(Vec::new(), Vec::new()));
        assert_eq!((got.recall, got.precision, got.delay_slots), (None, None, None));
        assert_eq!((got.false_per_interface_week.value, got.false_per_interface_week.low), (0.0, 0.0));
    }
}
