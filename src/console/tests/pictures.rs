//! Every pane and overlay as text, at the usual sizes; the whole screen at the small ones.

use super::*;

/// What is pressed for each picture: `\t` and `\r` are the tabulator and enter.
const PANES: [(&str, &str); 17] = [
    ("screen", ""),
    ("devices", "t "),
    ("heat", "m"),
    ("incidents", "\t "),
    ("closed", "oo"),
    ("detail", "\r"),
    ("triage", "whh"),
    ("story", "wv"),
    ("help", "?"),
    ("notices", "!"),
    ("retrain", "r"),
    ("filter", "/edge"),
    ("export", "we"),
    ("note", "\tialready called"),
    ("mute", "\tu"),
    ("retire", "X"),
    ("pinned", "jjjj*g"),
];
/// Those that have to make do with little room.
const SMALL: [&str; 8] = ["screen", "devices", "incidents", "detail", "triage", "story", "help", "retrain"];

fn press_all(app: &mut App, keys: &str) {
    for c in keys.chars() {
        key(
            app,
            match c {
                '\t' => Key::Tab,
                '\r' => Key::Enter,
                c => Key::Char(c),
            },
        );
    }
}

#[test]
fn every_pane_at_the_usual_sizes() {
    for (name, keys) in PANES {
        for (width, height) in [(80, 24), (200, 50)] {
            let mut app = app(width, height);
            press_all(&mut app, keys);
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&app));
        }
    }
}

#[test]
fn the_whole_screen_at_small_sizes() {
    for (name, keys) in PANES.into_iter().filter(|(name, _)| SMALL.contains(name)) {
        for (width, height) in [(40, 12), (20, 6)] {
            let mut app = app(width, height);
            press_all(&mut app, keys);
            let text = text(&app);
            assert!(text.lines().filter(|l| !l.trim().is_empty()).count() >= 3, "{name} {width}x{height}\n{text}");
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text);
        }
    }
}

/// The fixture with something else in it, at both sizes.
fn pictures(name: &str, keys: &str, change: impl Fn(&mut Snapshot)) {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut snapshot = fixture::snapshot();
        change(&mut snapshot);
        let mut app = app_of(snapshot, Options::default(), width, height);
        press_all(&mut app, keys);
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&app));
    }
}

#[test]
fn figures() {
    let portrait = |snapshot: &mut Snapshot| {
        let id = fixture::id_of(snapshot, "core-2 xe-0/1/3");
        snapshot.portrait = Some(Arc::new(fixture::portrait(id)));
    };
    pictures("figures", "f", portrait);
    let mut snapshot = fixture::snapshot();
    portrait(&mut snapshot);
    let mut app = app_of(snapshot, Options { ascii: true, ..Options::default() }, 80, 24);
    press(&mut app, "f");
    assert!(text(&app).is_ascii(), "{}", text(&app));
    insta::assert_snapshot!("figures_ascii_80x24", text(&app));
}

#[test]
fn a_training_run_and_how_it_ended() {
    pictures("training", "", |snapshot| snapshot.training = fixture::training());
    pictures("retraining", "r", |snapshot| snapshot.training = fixture::training());
    let ends = [
        ("better", fixture::swapped(0.41, 0.44, 0)),
        ("worse", TrainingOutcome::KeptOld(fixture::beside(0.46, 0.44))),
        ("failed", TrainingOutcome::Failed("no interface has the 48 rows that learning takes".to_owned())),
    ];
    for (name, outcome) in ends {
        let ended = |snapshot: &mut Snapshot| snapshot.training = TrainingView::Ended(outcome.clone());
        pictures(&format!("ended_{name}"), "", ended);
        pictures(&format!("retrained_{name}"), "r", ended);
    }
    let brief = TrainingView::Ended(fixture::swapped(0.41, 0.44, 12));
    pictures("retrained_brief", "r", |snapshot| snapshot.training = brief.clone());
}

#[test]
fn training_in_ascii() {
    let mut snapshot = fixture::snapshot();
    snapshot.training = fixture::training();
    let app = app_of(snapshot, Options { ascii: true, ..Options::default() }, 80, 24);
    let text = text(&app);
    assert!(text.is_ascii(), "{text}");
    insta::assert_snapshot!("training_ascii_80x24", text);
}

#[test]
fn an_earlier_moment() {
    pictures("looking_back", "wh", |snapshot| {
        (snapshot.now, snapshot.looks_back) = (Some(fixture::NOW.plus(-300)), true);
    });
}

#[test]
fn nothing_yet() {
    pictures("empty", "", |snapshot| {
        snapshot.interfaces = Arc::new([]);
        snapshot.devices = Arc::new([]);
        snapshot.incidents = Arc::new([]);
        (snapshot.incidents_total, snapshot.now, snapshot.detail) = (0, None, None);
        snapshot.source.loading = Some(crate::ingest::Progress { read: 43, total: 100 });
    });
}

#[test]
fn nothing_is_wrong() {
    pictures("calm", "", |snapshot| {
        for name in ["core-2 xe-0/1/3", "core-2 xe-0/1/4", "core-2 xe-0/1/5", "edge-7 ge-0/0/2", "agg-3 xe-1/0/1"] {
            *snapshot = fixture::calmed(snapshot, name);
        }
        (snapshot.incidents, snapshot.incidents_total) = (Arc::new([]), 0);
    });
}
