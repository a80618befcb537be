//! What outlives the process: a retrained model lies in the state directory of its data directory
//! and scores there from the next start on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use noctop::engine::live::{self, LiveOptions};
use noctop::engine::{Command, Retraining, TrainingOutcome, TrainingView};
use noctop::journal::Journal;
use noctop::model::Model;
use noctop::model::train::Options as TrainOptions;

use crate::pty::{SOON, Terminal};
use crate::support::*;

/// Retrains on the place's rows and gives the file of the new model.
fn retrain(place: &Place) -> PathBuf {
    let journal = Journal::under(&place.state().join("noctop"), &place.rows());
    let (handle, thread) = live::start(LiveOptions {
        // A model that knows nothing: what was learnt is no worse.
        model: Arc::new(Model::untrained()),
        train: TrainOptions { epochs: 1, ..TrainOptions::default() },
        journal: Some(journal.clone()),
        threads: 2,
        ..live_options(place.rows())
    })
    .unwrap();
    wait_for("the rows", SOON, || handle.snapshot().source.loading.is_none().then_some(()));
    assert_eq!(handle.snapshot().model.path, None);
    assert!(handle.send(Command::Retrain(Retraining::default())));
    let outcome = wait_for("the end of the training", LONG, || match &handle.snapshot().training {
        TrainingView::Ended(outcome) => Some(outcome.clone()),
        _ => None,
    });
    let TrainingOutcome::Swapped { beside, saved } = outcome else { panic!("{outcome:?}") };
    assert!(beside.is_no_worse() && beside.interfaces == 2, "{beside:?}");
    assert_eq!(saved.unwrap(), journal.model());
    let snapshot = handle.snapshot();
    assert!(snapshot.model.name.starts_with("trained to 2026-01-"), "{}", snapshot.model.name);
    assert_eq!((&snapshot.model.path, snapshot.model.interfaces), (&Some(journal.model()), 2));
    // Rows are scored on with it.
    let rows = snapshot.source.rows;
    append(&place.rows().join("core-1.csv"), b"2026-02-01 00:00:00,core-1,new,5,5\n");
    wait_for("one more row", SOON, || (handle.snapshot().source.rows == rows + 1).then_some(()));
    handle.send(Command::Stop);
    thread.join().unwrap();
    assert_eq!(Model::load(&journal.model()).unwrap().name, snapshot.model.name);
    journal.model()
}

/// Two interfaces with a rhythm that can be learnt.
fn place() -> Place {
    let place = Place::new();
    place.put("core-1.csv", &rows());
    place
}

fn rows() -> String {
    rhythm("core-1", "xe-0", 360, 1, |_, v| v) + &rhythm("core-1", "xe-1", 360, 2, |_, v| 3.0 * v)
}

#[test]
fn a_retrained_model_scores_from_the_next_start_on() {
    let place = place();
    retrain(&place);
    let header = |args: &[&str]| {
        let mut terminal = Terminal::start(&place, (120, 30), args);
        let text = terminal.shows("the rows", SOON, |text| text.contains("core-1") && text.contains("model "));
        terminal.press("q");
        assert_eq!(terminal.end(Duration::from_secs(3)), 0);
        text.lines().next().unwrap().to_owned()
    };
    assert!(header(&["rows"]).contains("model trained to 2026-01-"), "{}", header(&["rows"]));
    // The same directory by another way, and another directory.
    assert!(header(&["watch", "./rows/../rows"]).contains("model trained to"));
    std::fs::create_dir(place.join("others")).unwrap();
    std::fs::write(place.join("others/core-1.csv"), format!("{HEADER}{}", rows())).unwrap();
    assert!(header(&["others"]).contains("model default"));
    // What is named wins.
    let built_in = concat!(env!("CARGO_MANIFEST_DIR"), "/models/default.safetensors");
    assert!(header(&["rows", "--model", built_in]).contains("model default"));
}

#[test]
fn a_damaged_one_is_told_of_and_the_built_in_one_scores() {
    let place = place();
    let model = retrain(&place);
    let bytes = std::fs::read(&model).unwrap();
    std::fs::write(&model, &bytes[..bytes.len() / 2]).unwrap();
    let mut terminal = Terminal::start(&place, (120, 30), &["rows"]);
    terminal.shows("the built-in model", SOON, |text| text.contains("model default") && text.contains("1 notice"));
    terminal.press("!");
    terminal.shows("why", SOON, |text| text.contains("cannot be used"));
    let mut command = place.noctop();
    command.args(["rows", "--plain"]);
    let process = Process::start(command);
    wait_for("the notice", SOON, || process.errors().contains("the built-in one scores instead").then_some(()));
    assert!(process.errors().contains("model.safetensors"), "{}", process.errors());
    assert_eq!(std::fs::read(&model).unwrap().len(), bytes.len() / 2, "nobody touched it");
}
