//! What outlives the process: a retrained model lies in the state directory of its data directory
//! and scores there from the next start on.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use noctop::engine::live::{self, LiveOptions};
use noctop::engine::{Command, Handle, Learnt, Retraining, Succession, TrainingOutcome, TrainingView};
use noctop::journal::Journal;
use noctop::model::Model;
use noctop::model::train::Options as TrainOptions;

use crate::live_equals_batch::listed;
use crate::pty::{SOON, Terminal};
use crate::support::*;

/// A running engine on the place's rows.
fn start(place: &Place, models: Succession) -> (Handle, std::thread::JoinHandle<()>) {
    let (handle, thread) = live::start(LiveOptions {
        models,
        train: TrainOptions { epochs: 1, ..TrainOptions::default() },
        journal: Some(journal(place)),
        threads: 2,
        ..live_options(place.rows())
    })
    .unwrap();
    wait_for("the rows", SOON, || handle.snapshot().source.loading.is_none().then_some(()));
    (handle, thread)
}

fn journal(place: &Place) -> Journal {
    Journal::under(&place.state().join("noctop"), &place.rows())
}

/// Retrains on the place's rows, of which more come then. Gives the file of the new model and what is said in the end.
fn retrain(place: &Place) -> (PathBuf, Story) {
    // A model that knows nothing: what was learnt is no worse.
    let (handle, thread) = start(place, Model::untrained().into());
    assert_eq!(handle.snapshot().model.path, None);
    assert!(handle.send(Command::Retrain(Retraining::default())));
    let outcome = wait_for("the end of the training", LONG, || match &handle.snapshot().training {
        TrainingView::Ended(outcome) => Some(outcome.clone()),
        _ => None,
    });
    let TrainingOutcome::Swapped { beside, learnt, saved } = outcome else { panic!("{outcome:?}") };
    assert!(beside.is_no_worse() && beside.interfaces == 2, "{beside:?}");
    assert_eq!(learnt, Learnt { interfaces: 2, brief: 2 }, "360 rows are too few for a calibration");
    let kept = saved.unwrap();
    assert!(kept.starts_with(place.state()), "{kept:?}");
    let snapshot = handle.snapshot();
    assert!(snapshot.model.name.starts_with("trained to 2026-01-"), "{}", snapshot.model.name);
    assert_eq!((&snapshot.model.path, snapshot.model.interfaces), (&Some(kept.clone()), 2));
    // Rows are scored on with it.
    append(&place.rows().join("core-1.csv"), lines(360..400).as_bytes());
    wait_for("more rows", SOON, || (handle.snapshot().source.rows == 800).then_some(()));
    let story = told(&handle);
    handle.send(Command::Stop);
    thread.join().unwrap();
    assert_eq!(Model::load(&kept).unwrap().name, snapshot.model.name);
    (kept, story)
}

/// Each interface's newest score and error, to the bit, and all incidents.
type Story = (Vec<[u32; 2]>, Vec<String>);

fn told(handle: &Handle) -> Story {
    let snapshot = handle.snapshot();
    let newest = snapshot.interfaces.iter().map(|i| [i.score.to_bits(), i.error.to_bits()]).collect();
    (newest, listed(&snapshot))
}

/// Two interfaces with a rhythm that can be learnt.
fn place() -> Place {
    let place = Place::new();
    place.put("core-1.csv", &rows());
    place
}

fn rows() -> String {
    lines(0..360)
}

/// Some hours of them, in which the one interface is down twice.
fn lines(hours: std::ops::Range<usize>) -> String {
    let down = |i: usize, v: f64| if (300..304).contains(&i) || (380..384).contains(&i) { 0.0 } else { v };
    let of = |ifname: &str, seed, change: &dyn Fn(usize, f64) -> f64| {
        let text = rhythm("core-1", ifname, hours.end, seed, change);
        text.split_inclusive('\n').skip(hours.start).collect::<String>()
    };
    of("xe-0", 1, &down) + &of("xe-1", 2, &|_, v| 3.0 * v)
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
    let (model, _) = retrain(&place);
    let bytes = std::fs::read(&model).unwrap();
    std::fs::write(&model, &bytes[..bytes.len() / 2]).unwrap();
    let mut terminal = Terminal::start(&place, (120, 30), &["rows"]);
    terminal.shows("the built-in model", SOON, |text| text.contains("model default") && text.contains("1 notice"));
    terminal.press("!");
    terminal.shows("why", SOON, |text| text.contains("cannot be used"));
    let mut command = place.noctop();
    command.args(["rows", "--plain"]);
    let process = Process::start(command);
    wait_for("the notice", SOON, || process.errors().contains("scores instead").then_some(()));
    assert!(process.errors().contains("model-"), "{}", process.errors());
    assert_eq!(std::fs::read(&model).unwrap().len(), bytes.len() / 2, "nobody touched it");
}

#[test]
fn a_restart_scores_each_row_with_the_model_that_scored_it_first() {
    let place = place();
    let (kept, story) = retrain(&place);
    assert!(story.1.len() >= 2, "{story:?}");
    let (changes, before) = (journal(&place).changes(&journal(&place).entries().0), hour(359));
    assert_eq!(changes.iter().map(|c| (c.slot, &c.path)).collect::<Vec<_>>(), [(Some(before), &kept)]);
    let after_restart = |models: Succession| {
        let (handle, thread) = start(&place, models);
        let story = told(&handle);
        handle.send(Command::Stop);
        thread.join().unwrap();
        story
    };
    let mut models = Succession::from(Model::untrained());
    models.take_over(before, Arc::new(Model::load(&kept).unwrap()));
    assert_eq!(after_restart(models), story);
    assert_ne!(after_restart(Model::untrained().into()), story, "the models matter");
    assert_ne!(after_restart(Model::load(&kept).unwrap().into()), story, "their slot matters");
}
