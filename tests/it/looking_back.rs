//! What the screen shows of an earlier moment is what it showed at that moment.

use std::collections::HashSet;

use noctop::detect::Settings;
use noctop::engine::view::{Surroundings, Viewer};
use noctop::engine::{Engine, Look, Snapshot};
use noctop::series::{InterfaceId, Timestamp};

use crate::support::*;

/// One interface that has its level shifted for thirty hours, and one that falls silent for a day.
fn engine(rows: usize) -> Engine {
    let place = Place::new();
    let shifted = |i: usize, v: f64| if (500..530).contains(&i) { 2.5 * v } else { v };
    place.put("a.csv", &rhythm("h", "shifts", rows, 5, shifted));
    let whole = rhythm("h", "rests", rows, 6, |_, v| v);
    let lines = whole.split_inclusive('\n').enumerate();
    place.put("b.csv", &lines.filter(|(i, _)| !(540..564).contains(i)).map(|(_, line)| line).collect::<String>());
    scored_with(&place.rows(), 1, Settings::default())
}

fn snapshot(engine: &Engine, back_to: Option<Timestamp>, look: Option<Look>) -> Snapshot {
    Viewer::default().snapshot(engine, &Surroundings { back_to, look, ..Surroundings::default() }, &HashSet::new())
}

/// All that must be the same then and now.
fn seen(snapshot: &Snapshot) -> String {
    let interfaces = snapshot.interfaces.iter().map(|i| {
        let (load, heat) = (i.strip.load(snapshot.now), i.strip.heat(snapshot.now));
        format!("{} {load:?} {:?} {:?} {:.4} {:?} {:?}\n", i.name, &heat[..], i.last, i.score, i.state, i.since)
    });
    let open = snapshot.incidents.iter().filter(|i| i.end.is_none());
    let open = open.map(|i| format!("{} {} {} {} {:.4} {}\n", i.name, i.id, i.start, i.latest, i.peak, i.peak_at));
    interfaces.chain(open).collect()
}

#[test]
fn an_earlier_moment_looks_as_it_did() {
    let whole = engine(600);
    let mut open = 0;
    for rows in [200, 501, 515, 529, 530, 541, 542, 543, 544, 545, 550, 563, 564, 565, 566, 570, 599] {
        let then = snapshot(&engine(rows), None, None);
        let back = snapshot(&whole, then.now, None);
        assert!(back.looks_back && !then.looks_back);
        assert_eq!(seen(&back), seen(&then), "after {rows} rows");
        open += back.incidents.iter().filter(|i| i.end.is_none()).count();
    }
    assert!(open >= 3, "some of them had an open incident");
    let ahead = snapshot(&whole, Some(hour(5000)), None);
    assert!(!ahead.looks_back, "nobody looks ahead");
}

#[test]
fn what_was_calm_by_then_or_not_listed_yet_is_shown_as_it_was() {
    let place = Place::new();
    // A spike of one row, a shift that pauses for some hours and goes on, and a drift.
    let change = |i: usize, v: f64| match i {
        300 => 3.0 * v,
        400..408 | 413..420 => 2.5 * v,
        470..490 => v * (1.0 + 0.08 * (i - 469) as f64),
        _ => v,
    };
    let rows = rhythm("h", "i", 520, 5, change);
    let of = |n: usize| {
        place.put("a.csv", &rows.split_inclusive('\n').take(n).collect::<String>());
        scored_with(&place.rows(), 1, Settings::default())
    };
    let whole = of(520);
    let (mut open, mut ended, mut differ) = (0, 0, Vec::new());
    for n in (300..308).chain(400..428).chain(470..500) {
        let then = snapshot(&of(n), None, None);
        let back = snapshot(&whole, then.now, None);
        // All incidents, with how far they had come.
        let all = |s: &Snapshot| s.incidents.iter().map(|i| (i.id, i.start, i.end, i.latest)).collect::<Vec<_>>();
        if seen(&back) != seen(&then) || all(&back) != all(&then) {
            differ.push((n, all(&then), all(&back)));
        }
        open += usize::from(then.incidents.iter().any(|i| i.end.is_none() && i.latest < then.now.unwrap()));
        ended += usize::from(then.incidents.iter().any(|i| i.end.is_some()));
    }
    assert_eq!(differ, []);
    assert!(open >= 4 && ended > 20, "{open} calm moments of open incidents, {ended} with one that is over");
}

#[test]
fn who_has_rows_seldom_shows_the_newest_until_the_next_is_due() {
    let place = Place::new();
    place.put("slow.csv", &rhythm("h", "slow", 72, 5, |i, v| if i == 71 { 1234.0 } else { v }));
    let minutes = |last: i64| -> String {
        let times = (0..=last).map(|i| hour(60).plus(300 * i));
        times.map(|time| format!("{time},h,quick,{0},{0}\n", 100 + time.seconds() / 300 % 7)).collect()
    };
    // What the slow one shows as its newest slots, where the quick one's last row is so many minutes later.
    let slots = |later: i64| {
        place.put("quick.csv", &minutes(11 * 12 + later / 5));
        place.put("new.csv", &format!("{},h,new,7,7\n", hour(71).plus(60 * later)));
        let shown = snapshot(&scored_with(&place.rows(), 1, Settings::default()), None, None);
        let of = |name: &str| shown.interfaces.iter().find(|i| &*i.name.ifname == name).unwrap();
        let [.., before, last] = of("slow").strip.load(shown.now);
        assert_eq!(of("new").strip.load(shown.now).last(), Some(&7.0), "one row is shown, too");
        (before, last)
    };
    // A row carries the begin of its slot: the one of the next hour is there when that is over.
    assert!([0, 5, 30, 55, 60, 115].iter().all(|later| slots(*later).1 == 1234.0));
    let (before, last) = slots(120);
    assert!(before == 1234.0 && last.is_nan(), "{before} {last}");
}

#[test]
fn all_history_fits_into_a_few_points_and_loses_no_anomaly() {
    let engine = engine(600);
    let look = |span, until, points| Look {
        interface: InterfaceId::from_index(0),
        span,
        until,
        points,
        with: vec![],
        portrait: false,
    };
    let all = snapshot(&engine, None, Some(look(None, None, 60))).detail.unwrap();
    assert!(all.points.len() <= 61, "{}", all.points.len());
    assert!(all.points.iter().any(|p| p.anomaly));
    assert!(all.points.windows(2).all(|w| w[0].time < w[1].time));
    let rows = snapshot(&engine, None, Some(look(Some(20 * 3600), Some(hour(510)), 100))).detail.unwrap();
    assert_eq!((rows.points.len(), rows.spacing, rows.span), (21, 3600, (hour(490), hour(510))));
    let highest = |points: &[noctop::engine::DetailPoint]| points.iter().map(|p| p.range[1]).fold(f64::MIN, f64::max);
    let every = snapshot(&engine, None, Some(look(None, None, 10_000))).detail.unwrap();
    assert_eq!((every.points.len(), highest(&every.points)), (600, highest(&all.points)));
    let beside = Look { with: vec![InterfaceId::from_index(1)], ..look(None, None, 60) };
    let beside = snapshot(&engine, None, Some(beside)).detail.unwrap();
    assert_eq!(beside.companions.len(), 1);
    assert!(beside.companions[0].load.len() == 30 && !beside.companions[0].anomaly.is_empty());
}
