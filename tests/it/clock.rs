//! Loads follow the clock on the wall, which is changed twice a year.

use std::fmt::Write as _;

use noctop::random::Random;
use noctop::series::{Clock, Timestamp};

use crate::support::*;

/// Monday 2026-02-16 00:00 UTC, and the change of the clocks in Berlin, 2026-03-29 01:00 UTC.
const FIRST: i64 = 1_771_200_000;
const CHANGE: i64 = 1_774_746_000;
const HOUR: i64 = 3600;
const ZONE: &str = "Europe/Berlin";

/// Seven weeks of hourly rows of four interfaces whose office hours are Berlin's, with the timeslots that `slot`
/// writes.
fn offices(slot: impl Fn(Timestamp) -> String) -> String {
    let clock = Clock::of(&jiff::tz::TimeZone::get(ZONE).unwrap());
    let mut random = Random::new(4);
    let mut rows = String::new();
    for hour in 0..49 * 24 {
        let now = clock.at(Timestamp::from_seconds(FIRST + hour * HOUR));
        let (day, hour) = (now.second_of_week() / 86_400, now.second_of_day() / HOUR);
        let busy = match hour {
            _ if day >= 5 => 1.0,
            7 | 17 => 4.0,
            8..17 => 8.0,
            _ => 1.0,
        };
        for office in 1..5 {
            let mean = 1e6 * f64::from(office) * busy * (1.0 + 0.04 * random.normal());
            let _ = writeln!(rows, "{},office,ge-{office},{:.0},{mean:.0}", slot(now.time()), 1.2 * mean);
        }
    }
    rows
}

/// The listed incidents that begin in the week of the change, and the scores, of a run with these arguments.
fn scored(place: &Place, args: &[&str]) -> (Vec<String>, String) {
    let scores =
        place.run([&["score", "rows", "--incidents", "i.csv", "--alarms-per-week", ".25"], args].concat()).fine().out;
    let [from, to] = [0, 7 * 24].map(|h| Timestamp::from_seconds(CHANGE + h * HOUR).to_string());
    let incidents = table(&std::fs::read_to_string(place.join("i.csv")).unwrap());
    let within = incidents.iter().filter(|i| (from.as_str()..to.as_str()).contains(&i["start"].as_str()));
    (within.map(|i| format!("{} {} {}", i["ifname"], i["kind"], i["start"])).collect(), scores)
}

#[test]
fn office_hours_that_follow_a_clock_are_usual_across_its_change_where_it_is_named() {
    let place = Place::new();
    place.put("r.csv", &offices(|time| time.to_string()));
    let (without, in_utc) = scored(&place, &[]);
    assert!(without.len() > 8, "the test is too easy: {without:?}");
    let (with, by_clock) = scored(&place, &["--clock", ZONE]);
    // four interfaces at a quarter a week: one is what was asked for
    assert!(with.len() <= 2, "{with:?} with it, {without:?} without it");
    assert_eq!(scored(&place, &["--clock", "UTC"]).1, in_utc);
    // the configuration says the same, and a flag wins over it
    std::fs::write(place.join("c.toml"), format!("clock = '{ZONE}'\n")).unwrap();
    assert_eq!(scored(&place, &["--config", "c.toml"]), (with.clone(), by_clock.clone()));
    assert_eq!(scored(&place, &["--config", "c.toml", "--clock", "Etc/UTC"]).1, in_utc);
    std::fs::write(place.join("c.toml"), "\nclock = 'Mars/X'\n").unwrap();
    let why = place.run(["score", "rows", "--config", "c.toml"]).refused();
    assert!(why.contains("c.toml:2: clock Mars/X: name a zone such as UTC or Europe/Berlin"), "{why}");
    // timeslots of that zone: its clock is taken without being asked for, unless another one is
    let zone = jiff::tz::TimeZone::get(ZONE).unwrap();
    let local = |time: Timestamp| {
        let time = jiff::Timestamp::from_second(time.seconds()).unwrap();
        zone.to_datetime(time).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    place.put("r.csv", &offices(local));
    assert!(scored(&place, &["--time-zone", ZONE]) == (with, by_clock));
    assert!(scored(&place, &["--time-zone", ZONE, "--clock", "UTC"]).1 == in_utc);
}

#[test]
fn a_model_that_was_trained_by_a_clock_knows_its_hours() {
    let place = Place::new();
    place.put("r.csv", &offices(|time| time.to_string()));
    // Office hours that move by one are seen in the last fifth, which is held out.
    let error = |args: &[&str]| {
        let words = [&["train", "rows", "--model", "m", "--epochs", "1"], args].concat();
        let table = place.run(words).fine().out;
        let median =
            table.lines().find(|line| line.trim_start().starts_with("median")).unwrap_or_else(|| panic!("{table}"));
        median.to_owned()
    };
    assert_ne!(error(&[]), error(&["--clock", ZONE]));
}
