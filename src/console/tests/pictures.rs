//! Every pane and overlay as text, at several sizes.

use super::*;

#[test]
fn the_whole_screen_at_the_usual_sizes() {
    for (width, height) in [(80, 24), (200, 50), (40, 12), (20, 6)] {
        insta::assert_snapshot!(format!("screen_{width}x{height}"), text(&app(width, height)));
    }
}

#[test]
fn detail_and_unfolded_story() {
    let mut app = app(80, 24);
    key(&mut app, Key::Tab);
    key(&mut app, Key::Enter);
    insta::assert_snapshot!("detail_80x24", text(&app));
}

#[test]
fn devices() {
    let mut app = app(80, 24);
    press(&mut app, "t ");
    insta::assert_snapshot!("devices_80x24", text(&app));
}

#[test]
fn every_pane_on_a_large_screen_too() {
    for (name, keys) in [("detail", "\r"), ("story", "wv"), ("devices", "t "), ("help", "?"), ("notices", "!")] {
        let mut app = app(200, 50);
        for c in keys.chars() {
            key(&mut app, if c == '\r' { Key::Enter } else { Key::Char(c) });
        }
        insta::assert_snapshot!(format!("{name}_200x50"), text(&app));
    }
}

#[test]
fn figures() {
    for (width, height, ascii) in [(80, 24, false), (200, 50, false), (80, 24, true)] {
        let mut snapshot = fixture::snapshot();
        let id = fixture::id_of(&snapshot, "core-2 xe-0/1/3");
        snapshot.portrait = Some(Arc::new(fixture::portrait(id)));
        let mut app = app_of(snapshot, Options { ascii, ..Options::default() }, width, height);
        press(&mut app, "f");
        let text = text(&app);
        assert!(!ascii || text.is_ascii(), "{text}");
        insta::assert_snapshot!(format!("figures{}_{width}x{height}", if ascii { "_ascii" } else { "" }), text);
    }
}

#[test]
fn a_new_model() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut app = app(width, height);
        press(&mut app, "r");
        insta::assert_snapshot!(format!("retrain_{width}x{height}"), text(&app));
        let mut snapshot = fixture::snapshot();
        snapshot.training = fixture::training();
        show(&mut app, snapshot);
        insta::assert_snapshot!(format!("retraining_{width}x{height}"), text(&app));
    }
}

#[test]
fn triage() {
    let mut app = app(80, 24);
    press(&mut app, "whh");
    insta::assert_snapshot!("triage_80x24", text(&app));
    press(&mut app, "v");
    insta::assert_snapshot!("story_80x24", text(&app));
    press(&mut app, "e");
    insta::assert_snapshot!("export_80x24", text(&app));
    let mut small = super::app(40, 12);
    press(&mut small, "w");
    insta::assert_snapshot!("triage_40x12", text(&small));
}

#[test]
fn overlays() {
    let mut app = app(80, 24);
    press(&mut app, "?");
    insta::assert_snapshot!("help_80x24", text(&app));
    press(&mut app, "q!");
    insta::assert_snapshot!("notices_80x24", text(&app));
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
fn nothing_yet() {
    let mut snapshot = fixture::snapshot();
    snapshot.interfaces = Arc::new([]);
    snapshot.devices = Arc::new([]);
    snapshot.incidents = Arc::new([]);
    (snapshot.incidents_total, snapshot.now, snapshot.detail) = (0, None, None);
    snapshot.source.loading = Some(crate::ingest::Progress { read: 43, total: 100 });
    let app = app_of(snapshot, Options::default(), 80, 24);
    insta::assert_snapshot!("empty_80x24", text(&app));
}
