//! A model that is learnt anew for one interface or one device, while all is watched.

use std::sync::Arc;
use std::time::Duration;

use noctop::detect::Settings;
use noctop::engine::live::{self, LiveOptions};
use noctop::engine::{
    Command, DetailPoint, Engine, Handle, Learnt, Look, Retraining, TrainingOutcome, TrainingView, Whose,
};
use noctop::ingest::ReadOptions;
use noctop::journal::Journal;
use noctop::model::Model;
use noctop::series::{InterfaceId, InterfaceName};

use crate::support::*;

const SOON: Duration = Duration::from_secs(20);
const ROWS: usize = 1200;

/// Rows that swing about a daily rhythm with no period: what comes next follows from the last two, which no simple
/// forecast knows and training finds.
fn swinging(host: &str, ifname: &str, seed: u64) -> String {
    let (mut before, mut last) = (0.0, 0.0);
    let mut swings = Vec::new();
    for i in 0..=ROWS as u64 {
        let push = ((i * i + 17 * seed * i + seed) * 7919 % 1009) as f64 / 1009.0 - 0.5;
        (before, last) = (last, 1.6 * last - 0.9 * before + push);
        swings.push(last);
    }
    rhythm(host, ifname, ROWS + 1, seed, |i, v| v * (1.0 + 0.15 * swings[i]).max(0.1))
}

/// Three interfaces of two devices, and one with few rows.
fn place() -> Place {
    let place = Place::new();
    for (host, ifname, seed) in [("core-1", "xe-0", 1), ("core-1", "xe-1", 2), ("edge-1", "ge-0", 3)] {
        let rows = swinging(host, ifname, seed);
        let but_one: String = rows.split_inclusive('\n').take(ROWS).collect();
        place.put(&format!("{host}-{ifname}.csv"), &but_one);
    }
    place.put("new-1.csv", &rhythm("new-1", "xe-0", 30, 4, |_, v| v));
    place
}

/// Watches with a model that knows nothing, so that what is learnt is no worse.
fn start(place: &Place) -> Handle {
    start_with(place, None)
}

/// The same, and keeps models there.
fn start_with(place: &Place, journal: Option<Journal>) -> Handle {
    let options = LiveOptions { models: Model::untrained().into(), journal, ..live_options(place.rows()) };
    let (handle, _) = live::start(options).unwrap();
    wait_for("the rows", SOON, || handle.snapshot().source.loading.is_none().then_some(()));
    handle
}

fn retrain(handle: &Handle, whose: Whose) -> TrainingOutcome {
    assert!(handle.send(Command::Retrain(Retraining { whose, ..Retraining::default() })));
    wait_for("the end of the training", LONG, || match &handle.snapshot().training {
        TrainingView::Ended(outcome) => Some(outcome.clone()),
        _ => None,
    })
}

/// What was said of an interface's newest row, once there are so many.
fn newest(handle: &Handle, name: &InterfaceName, rows: usize) -> DetailPoint {
    let id = |handle: &Handle| handle.snapshot().interfaces.iter().find(|i| i.name == *name).map(|i| i.id);
    let interface: InterfaceId = id(handle).unwrap();
    let look = Look { interface, span: None, until: None, points: 2 * ROWS, with: Vec::new(), portrait: false };
    assert!(handle.send(Command::Look(Some(look))));
    wait_for("its newest row", SOON, || {
        let snapshot = handle.snapshot();
        let detail = snapshot.detail.as_ref().filter(|d| d.id == interface && d.points.len() == rows)?;
        detail.points.last().copied()
    })
}

#[test]
fn one_interface_or_device_is_learnt_anew_and_all_others_are_scored_as_before() {
    let [own, beside, other] =
        [("core-1", "xe-0"), ("core-1", "xe-1"), ("edge-1", "ge-0")].map(|(h, i)| InterfaceName::new(h, i));
    for (whose, renewed) in
        [(Whose::Interface(own.clone()), vec![&own]), (Whose::Device("core-1".into()), vec![&own, &beside])]
    {
        let place = place();
        let handle = start(&place);
        let outcome = retrain(&handle, whose.clone());
        let TrainingOutcome::Swapped { beside: measured, learnt, .. } = &outcome else {
            panic!("{whose}: {outcome:?}")
        };
        assert_eq!(measured.interfaces, renewed.len(), "measured on its own rows alone");
        assert_eq!(*learnt, Learnt { interfaces: renewed.len(), brief: 0 }, "four days are enough");
        assert!(measured.is_no_worse() && measured.rows >= 200 * renewed.len(), "{measured:?}");
        let name = handle.snapshot().model.name.clone();
        assert!(name.starts_with(&format!("untrained + {whose} to 2026-02-")), "{name}");
        for name in [&own, &beside, &other] {
            let rows = swinging(&name.host, &name.ifname, 9);
            let last = rows.lines().last().unwrap();
            append(&place.rows().join(format!("{}-{}.csv", name.host, name.ifname)), format!("{last}\n").as_bytes());
        }
        let untrained = Engine::new(Arc::new(Model::untrained()), Settings::default(), 1);
        let plain = read_into(untrained, &place.rows(), ReadOptions::default());
        for name in [&own, &beside, &other] {
            let now = newest(&handle, name, ROWS + 1);
            let (_, track) = plain.by_name().into_iter().find(|(_, t)| t.name() == name).unwrap();
            let was = track.scored()[track.scored().len() - 1];
            assert_eq!(now.expected == Some(was.expected), !renewed.contains(&name), "{whose}: {name}");
        }
        handle.send(Command::Stop);
    }
}

#[test]
fn a_place_for_models_that_does_not_answer_holds_up_no_row() {
    let place = place();
    let journal = Journal::under(&place.state(), &place.rows());
    let handle = start_with(&place, Some(journal.clone()));
    let name = InterfaceName::new("edge-1", "ge-0");
    // Who opens it waits until somebody writes into it, as on a disk that has gone.
    let log = journal.log();
    std::fs::create_dir_all(log.parent().unwrap()).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&log).status().unwrap().success());
    assert!(handle.send(Command::Retrain(Retraining { whose: Whose::Interface(name.clone()), ..Default::default() })));
    let rows = rhythm(&name.host, &name.ifname, ROWS + 30, 9, |_, v| v);
    for (i, row) in rows.split_inclusive('\n').enumerate().skip(ROWS) {
        append(&place.rows().join("edge-1-ge-0.csv"), row.as_bytes());
        newest(&handle, &name, i + 1);
        std::thread::sleep(Duration::from_millis(100));
    }
    let training = handle.snapshot().training.clone();
    assert!(matches!(training, TrainingView::Running(_)), "it cannot be kept, and the rows came: {training:?}");
    let answer = std::fs::OpenOptions::new().read(true).write(true).open(&log).unwrap();
    std::fs::remove_file(&log).unwrap();
    drop(answer);
    wait_for("the new model", LONG, || match &handle.snapshot().training {
        TrainingView::Ended(TrainingOutcome::Swapped { .. }) => Some(()),
        _ => None,
    });
    handle.send(Command::Stop);
}

#[test]
fn what_cannot_be_learnt_says_why_and_changes_nothing() {
    let place = place();
    let handle = start(&place);
    for whose in [
        Whose::Device("new-1".into()),
        Whose::Interface(InterfaceName::new("new-1", "xe-0")),
        Whose::Interface(InterfaceName::new("not", "there")),
    ] {
        let TrainingOutcome::Failed(why) = retrain(&handle, whose.clone()) else { panic!("{whose} cannot be learnt") };
        assert!(why.contains("rows that learning takes"), "{why}");
        assert_eq!(handle.snapshot().model.name, "untrained");
    }
    handle.send(Command::Stop);
}
