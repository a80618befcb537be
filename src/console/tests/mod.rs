//! The whole console from outside: scripted keys, pictures and sizes on a screen in memory.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

mod looks;
mod names;
mod overlays;
mod pictures;
mod retraining;
mod sessions;
mod the_loop;
mod triage;

use super::app::{App, Overlay};
use super::event::{Effect, Event};
use super::fixture;
use super::key::Key;
use super::keymap::Context;
use super::screen::Screen;
use super::session::{End, Host, Input, drive};
use super::theme::Colors;
use super::{Options, draw};
use crate::engine::{Act, Command, IncidentId, InterfaceView, Look, Snapshot, TrainingOutcome, TrainingView, pair};
use crate::series::{InterfaceName, Timestamp};

/// A console over the fixture.
pub(super) fn app(width: u16, height: u16) -> App {
    app_of(fixture::snapshot(), Options::default(), width, height)
}

fn app_of(mut snapshot: Snapshot, options: Options, width: u16, height: u16) -> App {
    let now = Instant::now();
    snapshot.source.last_row_at = Some(now);
    let mut app = App::new(options, Arc::new(snapshot), (width, height), now, fixture::NOW.plus(9));
    app.update(Event::Tick, now + Duration::from_secs(4));
    app
}

pub(super) fn frame(app: &App) -> Buffer {
    let mut buffer = Buffer::empty(app.area());
    draw::draw(app, &mut buffer);
    buffer
}

pub(super) fn lines(app: &App) -> Vec<String> {
    let buffer = frame(app);
    (0..buffer.area.height)
        .map(|y| {
            let line: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
            line.trim_end().to_owned()
        })
        .collect()
}

pub(super) fn text(app: &App) -> String {
    lines(app).join("\n")
}

pub(super) fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    keys.chars().flat_map(|c| key(app, Key::Char(c))).collect()
}

pub(super) fn key(app: &mut App, key: Key) -> Vec<Effect> {
    let now = app.now;
    app.update(Event::Key(key), now)
}

pub(super) fn show(app: &mut App, snapshot: Snapshot) -> Vec<Effect> {
    let now = app.now;
    app.update(Event::Snapshot(Arc::new(snapshot)), now)
}

fn chosen(app: &App) -> String {
    let id = app.fleet.selected().unwrap();
    app.fleet.interface(&app.snapshot, id).unwrap().name.to_string()
}

#[test]
fn no_size_and_no_state_panics() {
    let keys = [
        "", "t", "?", "!", "/co", "\t", "\t \r", "\r", "r", "sS", "w", "wvn", "whh-{{+", "oo", "b", "t ", "mt\r",
        "e/x", "*y", "f",
    ];
    let mut snapshot = fixture::snapshot();
    snapshot.training = fixture::training();
    let mut empty = fixture::snapshot();
    (empty.interfaces, empty.devices, empty.incidents) = (Arc::new([]), Arc::new([]), Arc::new([]));
    empty.detail = None;
    for (n, script) in keys.iter().enumerate() {
        let ascii = n % 2 == 1;
        let mut app = app_of(snapshot.clone(), Options { ascii, ..Options::default() }, 80, 24);
        for c in script.chars() {
            key(
                &mut app,
                match c {
                    '\t' => Key::Tab,
                    '\r' => Key::Enter,
                    c => Key::Char(c),
                },
            );
        }
        for height in (1..=30).chain([50, 100]) {
            for width in (1..=130).chain([200, 300]) {
                let now = app.now;
                app.update(Event::Resize(width, height), now);
                let buffer = frame(&app);
                if width >= 20 && height >= 6 && script.is_empty() {
                    assert!(buffer.content.iter().any(|c| c.symbol() == "▲"), "{width}x{height} shows nothing");
                }
            }
        }
        show(&mut app, empty.clone());
        for (width, height) in [(1, 1), (20, 6), (80, 24), (200, 50)] {
            let now = app.now;
            app.update(Event::Resize(width, height), now);
            frame(&app);
            press(&mut app, "jkG");
        }
    }
}

#[test]
fn each_file_can_be_seen_with_what_is_the_matter_first() {
    use crate::ingest::{Condition, FileState, Root};
    let mut snapshot = fixture::snapshot();
    let file = |key, name: &str, refused, condition| FileState {
        key,
        root: Root::Data,
        path: Arc::new(snapshot.source.dir.join(name)),
        read: 750,
        size: 1000,
        rows: 12_345,
        before: 0,
        refused,
        newest: snapshot.now,
        recent: Default::default(),
        modified: std::time::SystemTime::UNIX_EPOCH,
        pending: None,
        condition,
    };
    let files = [
        file(1, "a.csv", 0, Condition::Read),
        file(2, "b.csv", 3, Condition::Behind),
        file(3, "other.csv", 0, Condition::Skipped("no column".into())),
    ];
    snapshot.source.states = files.into_iter().map(Arc::new).collect();
    let mut app = app_of(snapshot, Options::default(), 80, 40);
    press(&mut app, "!");
    let lines = lines(&app);
    let at = |words: &str| {
        lines.iter().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {lines:#?}"))
    };
    assert!(at("b.csv  ") < at("a.csv  ") && at("other.csv  ") < at("a.csv  "));
    assert!(lines[at("b.csv  ")].contains("12k       3  75 %   0s"), "{}", lines[at("b.csv  ")]);
    assert!(lines[at("other.csv  ")].contains("skipped"));
}
