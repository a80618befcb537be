//! The whole console from outside: scripted keys, pictures and sizes on a screen in memory.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::app::{App, Overlay};
use super::event::{Effect, Event};
use super::fixture;
use super::key::Key;
use super::keymap::Context;
use super::screen::Screen;
use super::session::{End, Host, Input, drive};
use super::theme::Colors;
use super::{Options, draw};
use crate::engine::{Command, IncidentId, Snapshot, TrainingOutcome, TrainingView, pair};
use crate::series::Timestamp;

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

fn frame(app: &App) -> Buffer {
    let mut buffer = Buffer::empty(app.area());
    draw::draw(app, &mut buffer);
    buffer
}

fn lines(app: &App) -> Vec<String> {
    let buffer = frame(app);
    (0..buffer.area.height)
        .map(|y| {
            let line: String = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol()).collect();
            line.trim_end().to_owned()
        })
        .collect()
}

fn text(app: &App) -> String {
    lines(app).join("\n")
}

fn press(app: &mut App, keys: &str) -> Vec<Effect> {
    keys.chars().flat_map(|c| key(app, Key::Char(c))).collect()
}

fn key(app: &mut App, key: Key) -> Vec<Effect> {
    let now = app.now;
    app.update(Event::Key(key), now)
}

fn show(app: &mut App, snapshot: Snapshot) -> Vec<Effect> {
    let now = app.now;
    app.update(Event::Snapshot(Arc::new(snapshot)), now)
}

fn chosen(app: &App) -> String {
    let id = app.fleet.selected().unwrap();
    app.fleet.interface(&app.snapshot, id).unwrap().name.to_string()
}

mod pictures {
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
        press(&mut app, "t");
        insta::assert_snapshot!("devices_80x24", text(&app));
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
}

mod looks {
    use super::*;

    /// The style of the first cell of `what` in the line that holds `line`.
    fn style(app: &App, line: &str, what: &str) -> (Color, Modifier) {
        let y = lines(app).iter().position(|l| l.contains(line)).unwrap_or_else(|| panic!("no {line}"));
        let buffer = frame(app);
        let width = usize::from(buffer.area.width);
        let cells: Vec<&str> =
            (0..buffer.area.width).map(|x| buffer[(x, u16::try_from(y).unwrap())].symbol()).collect();
        let x = (0..width).find(|x| cells[*x..].concat().starts_with(what)).unwrap_or_else(|| panic!("no {what}"));
        let cell = &buffer[(u16::try_from(x).unwrap(), u16::try_from(y).unwrap())];
        (cell.fg, cell.modifier)
    }

    #[test]
    fn colour_and_shape_say_the_same() {
        let mut app = app(80, 24);
        // away from the lines that are looked at
        press(&mut app, "jjjjjjj");
        assert_eq!(style(&app, "edge-7 ge-0/0/2", "▼").0, Color::Red);
        assert_eq!(style(&app, "core-2 xe-0/1/3  ", "▲").0, Color::Red);
        assert_eq!(style(&app, "edge-9 ge-0/0/7", "!").0, Color::Yellow);
        assert_eq!(style(&app, "+2", "●").0, Color::Red);
        assert!(style(&app, "level shift", "●").1.contains(Modifier::DIM), "acknowledged is dimmed");
        assert!(style(&app, "live", "●").0 == Color::Green);
    }

    #[test]
    fn the_chosen_line_is_marked_twice() {
        let mut app = app(80, 24);
        press(&mut app, "j");
        let marked: Vec<_> = lines(&app).into_iter().filter(|l| l.starts_with('>')).collect();
        assert_eq!(marked.len(), 1);
        assert!(marked[0].contains("xe-0/1/4"), "{marked:?}");
        assert!(style(&app, &marked[0], "core-2").1.contains(Modifier::REVERSED));
    }

    #[test]
    fn without_colours_no_cell_has_one_and_nothing_is_lost() {
        let options = Options { colors: Colors::None, ..Options::default() };
        for (width, height) in [(80, 24), (200, 50)] {
            let mut snapshot = fixture::snapshot();
            snapshot.training = fixture::training();
            let plain = app_of(snapshot.clone(), options, width, height);
            let buffer = frame(&plain);
            assert!(buffer.content.iter().all(|c| c.fg == Color::Reset && c.bg == Color::Reset));
            assert_eq!(text(&plain), text(&app_of(snapshot, Options::default(), width, height)));
        }
    }

    #[test]
    fn in_ascii_every_pane_is_ascii() {
        let options = Options { ascii: true, ..Options::default() };
        for (width, height) in [(80, 24), (200, 50), (40, 12)] {
            for keys in ["", "t", "?", "!", "/x"] {
                let mut app = app_of(fixture::snapshot(), options, width, height);
                press(&mut app, keys);
                assert!(text(&app).is_ascii(), "{width}x{height} {keys}\n{}", text(&app));
            }
        }
    }
}

mod sessions {
    use super::*;

    #[test]
    fn moving_chooses_and_asks_for_the_detail_once() {
        let mut app = app(80, 24);
        assert_eq!(chosen(&app), "core-2 xe-0/1/3");
        let effects = press(&mut app, "j");
        assert_eq!(chosen(&app), "core-2 xe-0/1/4");
        let id = fixture::id_of(&app.snapshot, "core-2 xe-0/1/4");
        assert_eq!(effects, [Effect::Send(Command::Select { interface: Some(id), points: 146 })]);
        assert_eq!(show(&mut app, fixture::snapshot()), []);
        assert_eq!(chosen(&app), "core-2 xe-0/1/4", "data does not move the choice");
        key(&mut app, Key::End);
        assert!(lines(&app).iter().any(|l| l.starts_with('>')));
        key(&mut app, Key::Home);
        assert_eq!(chosen(&app), "core-2 xe-0/1/3");
    }

    #[test]
    fn a_command_that_was_not_taken_is_asked_again() {
        let mut app = app(80, 24);
        let effects = press(&mut app, "j");
        let [Effect::Send(command)] = &effects[..] else { panic!("{effects:?}") };
        let now = app.now;
        assert_eq!(app.update(Event::NotTaken(command.clone()), now), []);
        assert_eq!(app.update(Event::Tick, now), effects);
        app.update(Event::NotTaken(Command::Retrain), now);
        assert!(text(&app).contains("the engine is busy"));
    }

    #[test]
    fn a_filter_narrows_while_it_is_typed_and_escape_clears_it() {
        let mut app = app(80, 24);
        press(&mut app, "/edge");
        assert!(text(&app).contains("filter /edge"), "{}", text(&app));
        assert!(text(&app).contains("5 of 12"));
        assert_eq!(press(&mut app, "q"), [], "letters are text now");
        key(&mut app, Key::Backspace);
        key(&mut app, Key::Enter);
        press(&mut app, "j");
        assert!(chosen(&app).starts_with("edge"));
        key(&mut app, Key::Esc);
        assert!(!text(&app).contains(" of 12"));
        press(&mut app, "/state:silent");
        assert!(text(&app).contains("1 of 12"));
        key(&mut app, Key::Esc);
        assert!(!text(&app).contains(" of 12") && app.typing.is_none());
        press(&mut app, "/");
        assert_eq!(key(&mut app, Key::Ctrl('c')), [Effect::Quit]);
    }

    #[test]
    fn sorting_is_shown_and_turned_round() {
        let mut app = app(80, 24);
        assert!(text(&app).contains("sort score ▼"));
        press(&mut app, "sss");
        assert!(text(&app).contains("sort name ▼"));
        press(&mut app, "S");
        assert!(text(&app).contains("sort name ▲"));
        let first = app.fleet.rows()[0] as usize;
        assert_eq!(first, app.snapshot.interfaces.len() - 1);
    }

    #[test]
    fn an_incident_chooses_its_interface_and_opens_its_detail() {
        let mut app = app(80, 24);
        key(&mut app, Key::Tab);
        press(&mut app, "j");
        assert_eq!(chosen(&app), "core-2 xe-0/1/3", "on a narrow screen only enter chooses");
        let effects = key(&mut app, Key::Enter);
        assert_eq!(chosen(&app), "edge-7 ge-0/0/2");
        assert!(app.detail);
        assert!(matches!(effects[..], [Effect::Send(Command::Select { .. })]), "{effects:?}");
        press(&mut app, "j");
        assert_eq!(chosen(&app), "edge-9 ge-0/0/7", "the open detail follows");
        key(&mut app, Key::Esc);
        assert!(!app.detail);
    }

    #[test]
    fn on_a_wide_screen_the_detail_follows_the_incidents() {
        let mut app = app(200, 50);
        key(&mut app, Key::Tab);
        press(&mut app, "j");
        assert_eq!(chosen(&app), "edge-7 ge-0/0/2");
        let marked: Vec<_> = lines(&app).into_iter().filter(|l| l.starts_with('>')).collect();
        assert_eq!(marked.len(), 2, "in the list and among the incidents: {marked:?}");
    }

    #[test]
    fn acknowledging_a_story_acknowledges_all_of_it_and_takes_it_back() {
        let mut app = app(80, 24);
        key(&mut app, Key::Tab);
        let ack = |n, acknowledged| Effect::Send(Command::Acknowledge { incident: IncidentId(n), acknowledged });
        assert_eq!(press(&mut app, "a"), [ack(1, true), ack(2, true), ack(3, true)]);
        let mut snapshot = fixture::snapshot();
        let done = |i: &Arc<_>| {
            let mut i = crate::engine::IncidentView::clone(i);
            i.acknowledged = i.id.0 <= 3;
            Arc::new(i)
        };
        snapshot.incidents = snapshot.incidents.iter().map(done).collect();
        show(&mut app, snapshot);
        assert!(text(&app).contains("3 acknowledged"));
        assert_eq!(press(&mut app, "a"), [ack(1, false), ack(2, false), ack(3, false)]);
        press(&mut app, " j");
        assert_eq!(press(&mut app, "a"), [ack(1, false)], "one of an unfolded story");
    }

    #[test]
    fn acknowledging_from_the_list_takes_the_interfaces_open_incident() {
        let mut app = app(80, 24);
        assert_eq!(
            press(&mut app, "a"),
            [Effect::Send(Command::Acknowledge { incident: IncidentId(1), acknowledged: true })]
        );
        key(&mut app, Key::End);
        assert_eq!(press(&mut app, "a"), []);
        assert!(text(&app).contains("nothing to acknowledge here"));
    }

    #[test]
    fn retraining_shows_progress_can_be_cancelled_and_says_how_it_ended() {
        let mut app = app(80, 24);
        assert_eq!(press(&mut app, "c"), []);
        assert_eq!(press(&mut app, "r"), [Effect::Send(Command::Retrain)]);
        let mut snapshot = fixture::snapshot();
        snapshot.training = fixture::training();
        show(&mut app, snapshot.clone());
        let line = lines(&app)[22].clone();
        for part in ["38 %", "epoch 7/40", "loss █▅▄▄▃▃▃ 0.530", "12 s", "c cancels"] {
            assert!(line.contains(part), "{part}: {line}");
        }
        assert_eq!(press(&mut app, "r"), []);
        assert!(text(&app).contains("under way"));
        key(&mut app, Key::Esc);
        assert_eq!(press(&mut app, "c"), [Effect::Send(Command::CancelTraining)]);
        let ends = [
            (TrainingOutcome::Cancelled, "cancelled: the old model stays"),
            (TrainingOutcome::KeptOld { new: 0.9, old: 0.8 }, "the old model stays, it is better"),
            (TrainingOutcome::Failed("no rows".to_owned()), "failed, the old model stays: no rows"),
            (TrainingOutcome::Swapped { new: 0.7, old: 0.8, saved: Ok("m".into()) }, "0.700 instead of 0.800"),
        ];
        for (outcome, words) in ends {
            snapshot.training = fixture::training();
            show(&mut app, snapshot.clone());
            snapshot.training = TrainingView::Ended(outcome);
            show(&mut app, snapshot.clone());
            assert!(text(&app).contains(words), "{words}\n{}", text(&app));
            key(&mut app, Key::Esc);
            assert!(!text(&app).contains(words));
        }
    }

    #[test]
    fn a_read_only_console_changes_nothing() {
        let mut app = app_of(fixture::snapshot(), Options { read_only: true, ..Options::default() }, 80, 24);
        assert_eq!(press(&mut app, "arc"), []);
        let text = text(&app);
        assert!(!text.contains("r retrain") && text.contains("read-only"), "{text}");
    }

    #[test]
    fn a_device_opens_to_its_interfaces_and_closes_again() {
        let mut app = app(80, 24);
        press(&mut app, "t");
        key(&mut app, Key::Enter);
        assert!(text(&app).contains("device core-2"), "{}", text(&app));
        assert!(text(&app).contains("4 of 12"));
        key(&mut app, Key::Esc);
        assert!(text(&app).contains("Devices"));
        key(&mut app, Key::Esc);
        assert!(text(&app).contains("Interfaces"));
    }

    #[test]
    fn keys_of_the_panes_do_nothing_under_an_overlay() {
        let mut app = app(80, 24);
        press(&mut app, "?");
        assert_eq!(app.overlay, Some(Overlay::Help));
        assert_eq!(press(&mut app, "ra"), []);
        press(&mut app, "?");
        assert_eq!(app.overlay, None);
        press(&mut app, "!");
        assert_eq!(press(&mut app, "q"), [], "q closes what is open first");
        assert_eq!((app.overlay, app.context()), (None, Context::Interfaces));
        assert_eq!(press(&mut app, "q"), [Effect::Quit]);
        assert_eq!(key(&mut app, Key::Ctrl('z')), [Effect::Suspend]);
        assert_eq!(key(&mut app, Key::Ctrl('l')), [Effect::Repaint]);
    }

    #[test]
    fn what_is_the_matter_with_the_feed_is_said() {
        let mut snapshot = fixture::snapshot();
        let mut app = app_of(snapshot.clone(), Options::default(), 120, 24);
        assert!(lines(&app)[0].contains("● live") && lines(&app)[0].contains("lag 4s"), "{}", lines(&app)[0]);
        let now = app.now;
        app.update(Event::Tick, now + Duration::from_secs(16 * 60));
        assert!(lines(&app)[0].contains("■ no rows since 14:05 UTC"), "{}", lines(&app)[0]);
        app.update(Event::EngineEnded, now);
        assert!(lines(&app)[0].contains("engine ended"));
        snapshot.source.failure = Some("the directory is gone".to_owned());
        let app = app_of(snapshot, Options::default(), 120, 24);
        assert!(lines(&app)[0].contains("stopped: the directory is gone"));
    }

    #[test]
    fn time_ticks_only_as_often_as_its_text_changes() {
        let mut app = app(80, 24);
        assert_eq!(app.next_tick(), Some(Duration::from_secs(1)));
        let now = app.now;
        app.update(Event::Tick, now + Duration::from_secs(3600));
        assert!(app.next_tick().unwrap() > Duration::from_secs(3000));
        let mut snapshot = fixture::snapshot();
        snapshot.source.last_row_at = None;
        show(&mut app, snapshot);
        assert_eq!(app.next_tick(), None);
    }
}

#[test]
fn no_size_and_no_state_panics() {
    let keys = ["", "t", "?", "!", "/co", "\t", "\t \r", "\r", "r", "sS"];
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
fn names_may_be_anything() {
    let mut snapshot = fixture::snapshot();
    let rename = |i: &Arc<crate::engine::InterfaceView>| {
        let mut i = i.as_ref().clone();
        i.name = crate::series::InterfaceName::new("核心\u{1b}[31m路由器\n", "x\u{200d}\t名");
        Arc::new(i)
    };
    snapshot.interfaces = snapshot.interfaces.iter().map(rename).collect();
    for (width, height) in [(80, 24), (200, 50), (20, 6), (7, 9)] {
        let mut app = app_of(snapshot.clone(), Options::default(), width, height);
        frame(&app);
        press(&mut app, "t");
        let buffer = frame(&app);
        assert!(buffer.content.iter().all(|c| !c.symbol().contains(char::is_control)));
    }
}

/// A terminal in memory and a clock that stands still until somebody moves it.
struct Stage {
    now: Instant,
    sizes: VecDeque<(u16, u16)>,
    stops: usize,
    takes: usize,
}

impl Host for Stage {
    type Error = Infallible;

    fn now(&self) -> Instant {
        self.now
    }

    fn size(&mut self) -> Result<(u16, u16), Infallible> {
        Ok(self.sizes.pop_front().unwrap_or((80, 24)))
    }

    fn take(&mut self) -> Result<(), Infallible> {
        self.takes += 1;
        Ok(())
    }

    fn ask_to_stop(&mut self) {
        self.stops += 1;
    }

    fn stop(&mut self) -> bool {
        false
    }
}

fn run_loop(script: impl FnOnce(&Sender<Input>)) -> (End, Vec<String>, Vec<Command>, Stage) {
    let (handle, publisher) = pair(fixture::snapshot());
    let (sender, inputs) = bounded(64);
    script(&sender);
    drop(sender);
    let mut app = app(80, 24);
    let mut screen = Screen::new(TestBackend::new(80, 24));
    let mut stage = Stage { now: Instant::now(), sizes: VecDeque::new(), stops: 0, takes: 0 };
    let end = drive(&mut screen, &mut app, &inputs, &handle, &mut stage).unwrap();
    (end, lines(&app), publisher.commands.try_iter().collect(), stage)
}

#[test]
fn the_loop_runs_keys_and_ends() {
    let (end, lines, commands, _) = run_loop(|inputs| {
        for c in "jr?q".chars() {
            inputs.send(Input::Key(Key::Char(c))).unwrap();
        }
        inputs.send(Input::Key(Key::Char('q'))).unwrap();
    });
    assert_eq!(end, End::Quit);
    assert!(lines.iter().any(|l| l.starts_with('>') && l.contains("xe-0/1/4")));
    assert!(matches!(commands[..], [Command::Select { .. }, Command::Retrain]), "{commands:?}");
}

#[test]
fn the_loop_ends_with_its_terminal_and_by_signals() {
    assert_eq!(run_loop(|inputs| inputs.send(Input::Gone).unwrap()).0, End::Gone);
    assert_eq!(run_loop(|inputs| inputs.send(Input::Signal(15)).unwrap()).0, End::Signal(15));
    assert_eq!(run_loop(|_| ()).0, End::Gone, "nobody can send any more");
}

#[test]
fn a_stop_is_asked_of_the_system_and_the_terminal_is_taken_again_after_it() {
    let (_, lines, _, stage) = run_loop(|inputs| {
        inputs.send(Input::Key(Key::Ctrl('z'))).unwrap();
        inputs.send(Input::Stop).unwrap();
        inputs.send(Input::Continued).unwrap();
    });
    assert_eq!((stage.stops, stage.takes), (1, 1));
    assert!(lines.iter().any(|l| l.contains("no shell that could continue")), "{lines:?}");
}

#[test]
fn new_pictures_are_drawn_and_the_end_of_the_engine_is_said() {
    let (handle, publisher) = pair(fixture::snapshot());
    let (sender, inputs) = bounded(64);
    let mut app = app(80, 24);
    let mut screen = Screen::new(TestBackend::new(80, 24));
    let engine = std::thread::spawn(move || {
        let mut next = fixture::snapshot();
        next.now = Some(Timestamp::from_seconds(0));
        publisher.publish(Arc::new(next));
        drop(publisher);
        std::thread::sleep(Duration::from_millis(300));
        sender.send(Input::Key(Key::Char('q'))).unwrap();
    });
    let mut stage = Stage { now: Instant::now(), sizes: VecDeque::new(), stops: 0, takes: 0 };
    let end = drive(&mut screen, &mut app, &inputs, &handle, &mut stage).unwrap();
    engine.join().unwrap();
    assert_eq!(end, End::Quit);
    let shown: String = screen.frame().content.iter().map(|c| c.symbol()).collect();
    assert!(shown.contains("00:00 UTC") && shown.contains("engine ended"), "{shown}");
}

#[test]
fn twenty_thousand_interfaces_are_arranged_and_drawn_quickly() {
    let mut snapshot = fixture::snapshot();
    let one = snapshot.interfaces[0].as_ref().clone();
    snapshot.interfaces = (0..20_000)
        .map(|n| {
            let mut view = one.clone();
            view.id = crate::series::InterfaceId::from_index(n);
            view.name = crate::series::InterfaceName::new(&format!("host-{:04}", n / 40), &format!("xe-{}", n % 40));
            view.score = (n * 7919 % 1000) as f32 / 250.0;
            Arc::new(view)
        })
        .collect();
    let mut app = app_of(snapshot.clone(), Options::default(), 200, 50);
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let mut next = snapshot.clone();
        next.interfaces = next.interfaces.iter().cloned().collect();
        let start = Instant::now();
        show(&mut app, next);
        frame(&app);
        best = best.min(start.elapsed());
    }
    // far above what it takes, far below what a person would notice
    assert!(best < Duration::from_millis(100), "{best:?}");
}
