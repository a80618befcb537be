//! What outlives a change of model, and an interface's scale that is fitted again: incidents that are
//! open, and levels that were taken over.

use std::collections::BTreeMap;

use noctop::detect::{Incident, IncidentKind, Settings};
use noctop::engine::Engine;
use noctop::ingest::{ReadOptions, Root, Tailer};
use noctop::model::Model;

use crate::support::*;

/// The level of hourly rows shifts for `hours` from row `from` on, and a model is adopted before row
/// `adopted`: state, first and last hour of the lasting incidents that are listed from then on.
fn shifts(from: usize, hours: usize, adopted: usize) -> Vec<(&'static str, i64, i64)> {
    let place = Place::new();
    let text = rhythm("h", "i", 900, 5, |i, v| if (from..from + hours).contains(&i) { 1.8 * v } else { v });
    let at = text.match_indices('\n').nth(adopted - 1).unwrap().0 + 1;
    let path = place.rows().join("r.csv");
    let mut live = Engine::new(built_in(), Settings::default(), 1);
    let mut tailer = Tailer::new(vec![(Root::Data, place.rows())], ReadOptions::default()).unwrap();
    for (n, piece) in [format!("{HEADER}{}", &text[..at]), text[at..].to_owned()].iter().enumerate() {
        append(&path, piece.as_bytes());
        while {
            let batch = tailer.scan();
            live.absorb(&batch);
            !batch.caught_up
        } {}
        live.settle();
        if n == 0 {
            // Another one, though one that knows nothing better.
            let mut other = Model::built_in().unwrap();
            other.pooled_calibration[0] += 1e-3;
            live.adopt(other.into(), BTreeMap::new());
        }
    }
    let hours = |t: noctop::series::Timestamp| t.since(hour(0)) / 3600;
    let lasting = |i: &Incident| matches!(i.kind, IncidentKind::LevelShift | IncidentKind::Drift);
    let all = live.incidents().into_iter().map(|t| t.incident).filter(|i| i.latest >= hour(from) && lasting(i));
    all.map(|i| (i.state(), hours(i.start), hours(i.latest))).collect()
}

#[test]
fn an_open_incident_stays_open_when_another_model_takes_over() {
    for adopted in [505, 512, 525] {
        assert_eq!(shifts(500, 30, adopted), [("closed", 500, 529)], "adopted before row {adopted}");
    }
}

#[test]
fn a_level_that_was_taken_over_stays_so() {
    for adopted in [520, 560, 600] {
        assert_eq!(shifts(500, 400, adopted), [("taken over", 500, 548)], "adopted before row {adopted}");
    }
    // Before row 768 the scale of an interface that the model does not know is fitted again. What
    // comes behind that may look odd for some hours; the shift is not declared anew.
    let found = shifts(700, 200, 701);
    assert_eq!(found[0], ("taken over", 700, 748));
    assert!(found[1..].iter().all(|(state, from, to)| *state == "closed" && to - from <= 12), "{found:?}");
}
