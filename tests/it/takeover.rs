//! A model that took over scores the rows behind its slot, whenever they come and however often noctop starts.

use std::collections::BTreeMap;
use std::sync::Arc;

use noctop::detect::Settings;
use noctop::engine::track::Track;
use noctop::engine::training;
use noctop::engine::{Engine, Succession};
use noctop::ingest::{Batch, ReadOptions, Root, Tailer};
use noctop::model::Model;
use noctop::model::train::{Options, Series};
use noctop::series::InterfaceId;

use crate::live_equals_batch::compare;
use crate::support::*;

fn read(tailer: &mut Tailer, engine: &mut Engine) {
    while {
        let batch: Batch = tailer.scan();
        engine.absorb(&batch);
        !batch.caught_up
    } {}
    engine.settle();
}

/// A model that has learnt the rows so far, and the chains that were built for it, as a retraining has them.
fn trained(engine: &Engine) -> (Arc<Model>, BTreeMap<InterfaceId, Option<noctop::engine::track::Prepared>>) {
    let tracks = engine.tracks();
    let series: Vec<Series<'_>> = tracks.iter().map(|t| Series { name: t.name(), history: t.history() }).collect();
    let options = Options { epochs: 1, max_windows: 500, ..Options::default() };
    let model = training::train(&series, &options, |_| std::ops::ControlFlow::Continue(())).unwrap().model;
    let prepared = tracks.iter().enumerate().filter_map(|(i, t)| {
        let chain = Track::prepare(t.name(), t.history(), 0, t.revision(), &model)?;
        Some((InterfaceId::from_index(i), Some(chain)))
    });
    let prepared = prepared.collect();
    (Arc::new(model), prepared)
}

#[test]
fn a_restart_tells_the_same_story_as_the_run_in_which_models_took_over() {
    let place = Place::new();
    let rows = fleet_rows(&plan(41, 3600, 30, 2, 4));
    let of_slot = rows.len() / (30 * 24);
    // Lost rows aside there are as many in each slot, more or less.
    let (first, second, third) = (400 * of_slot, 420 * of_slot, 560 * of_slot);
    let text = |from: usize, to: usize, skip: &dyn Fn(usize) -> bool| {
        (from..to).filter(|i| !skip(*i)).map(|i| rows[i].line()).collect::<String>()
    };
    // Of the last twenty slots before the first change every fifth row comes after it, up to 20 slots late; one
    // interface has none of those slots by then.
    let laggard = rows[0].name.clone();
    let is_late = |i: usize| (380 * of_slot..first).contains(&i) && (i.is_multiple_of(5) || rows[i].name == laggard);
    let path = place.rows().join("rows.csv");
    let mut tailer = Tailer::new(vec![(Root::Data, place.rows())], ReadOptions::default()).unwrap();
    let mut live = Engine::new(built_in(), Settings::default(), 1);
    let mut models: Succession = built_in().into();

    append(&path, (HEADER.to_owned() + &text(0, first - 100, &is_late)).as_bytes());
    read(&mut tailer, &mut live);
    // The model learns while rows go on to come.
    let (model, prepared) = trained(&live);
    append(&path, text(first - 100, first, &is_late).as_bytes());
    read(&mut tailer, &mut live);
    models.take_over(live.now().unwrap(), model.clone());
    live.adopt(model.clone(), prepared);
    append(&path, text(380 * of_slot, first, &|i| !is_late(i)).as_bytes());
    read(&mut tailer, &mut live);
    append(&path, text(first, second, &|_| false).as_bytes());
    read(&mut tailer, &mut live);
    assert_eq!(live.counts().late, 0, "the test is wrong");
    // Twice in one slot, and once more later: each for what comes behind it.
    let untrained = Arc::new(Model::untrained());
    for model in [model, untrained.clone()] {
        models.take_over(live.now().unwrap(), model.clone());
        live.adopt(model, BTreeMap::new());
    }
    append(&path, text(second, third, &|_| false).as_bytes());
    read(&mut tailer, &mut live);
    models.take_over(live.now().unwrap(), built_in());
    live.adopt(built_in(), BTreeMap::new());
    append(&path, text(third, rows.len(), &|_| false).as_bytes());
    read(&mut tailer, &mut live);

    // One that says the same of all interfaces, whatever it is called, changes nothing.
    let mut same = Model::built_in().unwrap();
    "another name".clone_into(&mut same.name);
    let built = built_in();
    assert!(live.tracks().iter().all(|track| same.agrees_on(track.name(), &built)));
    assert!(!untrained.agrees_on(&laggard, &built) && !models.model().agrees_on(&laggard, &untrained));

    let restart = |models: Succession| {
        let mut engine = Engine::new(models, Settings::default(), 2);
        let mut tailer = Tailer::new(vec![(Root::Data, place.rows())], ReadOptions::default()).unwrap();
        read(&mut tailer, &mut engine);
        engine
    };
    assert_eq!(models.count(), 4);
    compare(&live, &restart(models), "after a restart");
    assert_ne!(said(&live), said(&restart(built_in().into())), "the models matter");
    assert_ne!(said(&live), said(&restart(untrained.into())), "the models matter");
}
