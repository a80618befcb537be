//! Keys and pictures one after the other, and what comes of them.

use super::*;
use crate::console::decode::{Mouse, Pointed};
use crate::engine::Retraining;
use crate::journal::{Named, Subject};

/// The interfaces of the fixture's story.
fn story_interfaces(app: &App) -> Vec<crate::series::InterfaceId> {
    ["core-2 xe-0/1/3", "core-2 xe-0/1/4", "core-2 xe-0/1/5"].map(|name| fixture::id_of(&app.snapshot, name)).to_vec()
}

#[test]
fn moving_chooses_and_asks_for_the_detail_once() {
    let mut app = app(80, 24);
    assert_eq!(chosen(&app), "core-2 xe-0/1/3");
    let effects = press(&mut app, "j");
    assert_eq!(chosen(&app), "core-2 xe-0/1/4");
    let id = fixture::id_of(&app.snapshot, "core-2 xe-0/1/4");
    assert_eq!(
        effects,
        [Effect::Send(Command::Look(Some(Look {
            interface: id,
            span: Some(86_400),
            until: None,
            points: 146,
            with: story_interfaces(&app),
            portrait: false,
        })))]
    );
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
    app.update(Event::NotTaken(Command::Retrain(Retraining::default())), now);
    assert!(text(&app).contains("the engine is busy"));
    press(&mut app, "j");
    assert!(!text(&app).contains("the engine is busy"), "the next key was taken");
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
    press(&mut app, "/state:opne");
    let said = lines(&app);
    let at = said.iter().position(|l| l.contains("nothing fits: esc clears the filter")).unwrap();
    assert!(said[at + 1].contains("there is no state opne: write anomalous, acknowledged"), "{}", text(&app));
    assert!(said[at + 2].contains("flat or nominal"), "{}", text(&app));
    key(&mut app, Key::Esc);
    press(&mut app, "/");
    assert_eq!(key(&mut app, Key::Ctrl('c')), [Effect::Quit]);
}

#[test]
fn sorting_is_shown_and_turned_round() {
    let mut app = app(80, 24);
    assert!(text(&app).contains("sort score ▼"));
    press(&mut app, "sss");
    assert!(text(&app).contains("sort host ▼"));
    press(&mut app, "S");
    assert!(text(&app).contains("sort host ▲"));
    let last = u32::try_from(app.snapshot.interfaces.len() - 1).unwrap();
    assert_eq!(app.fleet.rows()[0], crate::console::fleet::Row::Interface(last));
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
    assert!(matches!(effects[..], [Effect::Send(Command::Look(_))]), "{effects:?}");
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
    let ack = |ids: &[u64], acknowledged| {
        let act = |incident| match acknowledged {
            true => Act::Acknowledge { incident },
            false => Act::Unacknowledge { incident },
        };
        [Effect::Send(Command::Mark(ids.iter().map(|n| act(IncidentId(*n))).collect()))]
    };
    assert_eq!(press(&mut app, "a"), ack(&[1, 2, 3], true), "in one command, however many they are");
    let mut snapshot = fixture::snapshot();
    let done = |i: &Arc<_>| {
        let mut i = crate::engine::IncidentView::clone(i);
        i.acknowledged = (i.id.0 <= 3).then(fixture::signed);
        Arc::new(i)
    };
    snapshot.incidents = snapshot.incidents.iter().map(done).collect();
    show(&mut app, snapshot);
    assert!(text(&app).contains("3 acknowledged"));
    assert_eq!(press(&mut app, "a"), ack(&[1, 2, 3], false));
    press(&mut app, " j");
    assert_eq!(press(&mut app, "a"), ack(&[1], false), "one of an unfolded story");
}

#[test]
fn acknowledging_from_the_list_takes_the_interfaces_open_incident() {
    let mut app = app(80, 24);
    assert_eq!(press(&mut app, "a"), [Effect::Send(Command::Mark(vec![Act::Acknowledge { incident: IncidentId(1) }]))]);
    key(&mut app, Key::End);
    assert_eq!(press(&mut app, "a"), []);
    assert!(text(&app).contains("nothing to acknowledge here"));
}

#[test]
fn a_read_only_console_changes_nothing() {
    let mut app = app_of(fixture::snapshot(), Options { read_only: true, ..Options::default() }, 80, 24);
    assert_eq!(press(&mut app, "arc"), []);
    let text = text(&app);
    assert!(!text.contains("r retrain") && text.contains("read-only"), "{text}");
}

#[test]
fn a_device_unfolds_to_its_interfaces_and_closes_again() {
    let mut app = app(80, 24);
    press(&mut app, "t");
    assert!(text(&app).contains("[Devices]") && text(&app).contains("HEAT"), "{}", text(&app));
    key(&mut app, Key::Enter);
    assert!(text(&app).contains("core-2 4 interfaces"), "{}", text(&app));
    key(&mut app, Key::Left);
    assert!(!text(&app).contains("4 interfaces"));
    key(&mut app, Key::Right);
    press(&mut app, "j");
    key(&mut app, Key::Enter);
    assert!(app.detail && chosen(&app) == "core-2 xe-0/1/3");
    key(&mut app, Key::Esc);
    key(&mut app, Key::Esc);
    assert!(text(&app).contains("Interfaces"));
}

#[test]
fn a_common_event_is_a_column_of_heat() {
    let mut app = app(200, 50);
    press(&mut app, "jjjjt");
    let shown = lines(&app);
    let of = |host: &str| {
        let line = shown.iter().find(|l| l.contains(host) && l.contains('·')).unwrap_or_else(|| panic!("{host}"));
        line.chars().position(|c| c == '░').unwrap_or_else(|| panic!("{line}"))
    };
    assert_eq!(of("agg-1"), of("core-2"));
    assert_eq!(of("agg-1"), of("edge-7"));
    press(&mut app, "m");
    assert!(text(&app).contains("LOAD"));
}

#[test]
fn the_mouse_chooses_opens_and_scrolls() {
    let mut app = app(80, 24);
    let point = |app: &mut App, what, column, row| {
        let now = app.now;
        app.update(Event::Mouse(Mouse { what, column, row }), now);
    };
    let row_of = |app: &App, words: &str| {
        u16::try_from(lines(app).iter().position(|l| l.contains(words)).unwrap_or_else(|| panic!("{words}"))).unwrap()
    };
    let row = row_of(&app, "edge-7 ge-0/0/2  ");
    point(&mut app, Pointed::Press, 20, row);
    assert_eq!((chosen(&app).as_str(), app.detail), ("edge-7 ge-0/0/2", false));
    point(&mut app, Pointed::WheelDown, 20, row);
    assert_eq!(app.fleet.cursor(), Some(6));
    point(&mut app, Pointed::WheelUp, 0, row);
    assert_eq!(chosen(&app), "edge-7 ge-0/0/2");
    // a title, and a place without a line, are nothing to choose
    point(&mut app, Pointed::Press, 20, 0);
    point(&mut app, Pointed::Press, 20, 1);
    assert_eq!((chosen(&app).as_str(), app.focus), ("edge-7 ge-0/0/2", Context::Interfaces));
    let row = row_of(&app, "silence");
    point(&mut app, Pointed::Press, 3, row);
    assert_eq!((app.focus, app.detail), (Context::Incidents, false));
    point(&mut app, Pointed::Press, 3, row);
    assert_eq!((chosen(&app).as_str(), app.detail), ("edge-9 ge-0/0/7", true), "pressed again it opens");
    press(&mut app, "w");
    point(&mut app, Pointed::Press, 40, 5);
    let at = app.viewpoint.cursor().expect("the chart's time cursor");
    point(&mut app, Pointed::WheelUp, 40, 5);
    assert!(app.viewpoint.cursor().unwrap() < at);
    press(&mut app, "?");
    point(&mut app, Pointed::WheelDown, 40, 5);
    assert_eq!(app.overlay_offset, 3);
    point(&mut app, Pointed::Press, 40, 5);
    assert_eq!(app.overlay, Some(Overlay::Help), "a press behind an overlay is nothing");
    press(&mut app, "qe");
    point(&mut app, Pointed::Press, 20, 3);
    assert!(app.typing.is_some());
}

#[test]
fn a_pinned_interface_is_marked() {
    let mut app = app(80, 24);
    key(&mut app, Key::End);
    let name = chosen(&app);
    press(&mut app, "*");
    key(&mut app, Key::Home);
    assert_eq!(chosen(&app), name);
    assert!(lines(&app).iter().any(|l| l.starts_with(">◌•")), "{}", text(&app));
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
    let mut archive = snapshot.clone();
    archive.now = snapshot.now.map(|now| now.plus(-2 * 86_400));
    archive.newest = archive.now;
    let header = lines(&app_of(archive.clone(), Options::default(), 120, 24))[0].clone();
    assert!(header.contains("■ data ends 2026-11-21 14:05") && !header.contains("lag"), "{header}");
    // Who looks back in an archive does not see it live, nor one who looks back for days a feed that has stopped.
    (archive.now, archive.looks_back) = (archive.now.map(|now| now.plus(-86_400)), true);
    let header = lines(&app_of(archive.clone(), Options::default(), 120, 24))[0].clone();
    assert!(header.contains("■ data ends 2026-11-21 14:05") && header.contains("looking back"), "{header}");
    archive.newest = snapshot.now;
    let header = lines(&app_of(archive, Options::default(), 120, 24))[0].clone();
    assert!(header.contains("● live") && header.contains("looking back"), "{header}");
    app.update(Event::Tick, now + Duration::from_secs(16 * 60));
    assert!(lines(&app)[0].contains("■ no rows since 14:05 UTC"), "{}", lines(&app)[0]);
    // A collector that stopped before the console started: what was read then is not live.
    let mut stopped = snapshot.clone();
    (stopped.source.fresh, stopped.newest) = (false, snapshot.newest.map(|newest| newest.plus(-1000)));
    let header = lines(&app_of(stopped.clone(), Options::default(), 120, 24))[0].clone();
    assert!(header.contains("■ data ends 2026-11-23 13:48") && !header.contains("lag"), "{header}");
    // Its rows come, though they say so late: the zone may be another one.
    stopped.source.fresh = true;
    assert!(lines(&app_of(stopped, Options::default(), 120, 24))[0].contains("● live"));
    app.update(Event::EngineEnded, now);
    assert!(lines(&app)[0].contains("engine ended"));
    let mut unlisted = snapshot.clone();
    unlisted.source.unlisted = true;
    let header = lines(&app_of(unlisted, Options::default(), 80, 24))[0].clone();
    assert!(header.contains("■ directory unreadable") && !header.contains("live"), "{header}");
    snapshot.source.failure = Some("the directory is gone".to_owned());
    let app = app_of(snapshot, Options::default(), 120, 24);
    assert!(lines(&app)[0].contains("stopped: the directory is gone"));
}

#[test]
fn what_is_typed_is_seen_however_little_room_there_is() {
    let mut app = app(40, 5);
    press(&mut app, "/");
    press(&mut app, &"x".repeat(60));
    press(&mut app, "end");
    assert!(lines(&app)[4].starts_with(" filter /xxx") && lines(&app)[4].contains("xend▏"), "{}", text(&app));
    let mut snapshot = fixture::snapshot();
    let mut interfaces: Vec<InterfaceView> = snapshot.interfaces.iter().map(|view| (**view).clone()).collect();
    interfaces.iter_mut().for_each(|view| view.name = InterfaceName::new(&"h".repeat(90), &view.name.ifname));
    snapshot.interfaces = interfaces.into_iter().map(Arc::new).collect();
    let mut app = app_of(snapshot, Options::default(), 80, 24);
    press(&mut app, "X");
    press(&mut app, "yes");
    assert!(lines(&app)[23].contains("… is gone for good? yes▏   type yes"), "{}", text(&app));
}

#[test]
fn what_a_small_screen_hides_comes_back_with_a_larger_one() {
    let mut app = app(80, 24);
    press(&mut app, "jjjj");
    let before = lines(&app);
    let now = app.now;
    app.update(Event::Resize(20, 5), now);
    assert_ne!(app.fleet.scroll.offset, 0);
    app.update(Event::Resize(80, 24), now);
    assert_eq!(lines(&app), before);
    key(&mut app, Key::Enter);
    assert!(app.detail);
    key(&mut app, Key::Esc);
    assert_eq!(lines(&app), before, "nor does a chart that was open keep the worst ones out of sight");
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

#[test]
fn notes_mutes_and_retirements_are_said_to_the_engine() {
    let mut app = app(80, 24);
    let mark = |act| vec![Effect::Send(Command::Mark(vec![act]))];
    key(&mut app, Key::Tab);
    press(&mut app, "icarrier calledX");
    key(&mut app, Key::Backspace);
    let note = Act::Note { incident: IncidentId(1), text: "carrier called".to_owned() };
    assert_eq!(key(&mut app, Key::Enter), mark(note));
    press(&mut app, "ju");
    assert!(text(&app).contains("nothing is 8h"), "{}", text(&app));
    press(&mut app, "2d");
    let what = Subject::Incident { incident: IncidentId(4) };
    let until = app.wall(app.now).plus(2 * crate::series::DAY);
    assert_eq!(key(&mut app, Key::Enter), mark(Act::Mute { what, until }));
    press(&mut app, "u");
    let until = app.wall(app.now).plus(8 * 3600);
    let what = Subject::Incident { incident: IncidentId(4) };
    assert_eq!(key(&mut app, Key::Enter), mark(Act::Mute { what, until }), "nothing typed is the usual time");
    press(&mut app, "ux");
    assert_eq!(key(&mut app, Key::Enter), []);
    assert!(text(&app).contains("is no time"), "{}", text(&app));
    key(&mut app, Key::Tab);
    key(&mut app, Key::End);
    press(&mut app, "Xno");
    assert_eq!(key(&mut app, Key::Enter), []);
    press(&mut app, "Xyes");
    let interface = Named { hostname: "edge-9".to_owned(), ifname: "ge-0/0/8".to_owned() };
    assert_eq!(key(&mut app, Key::Enter), mark(Act::Retire { interface: interface.clone() }));
    let mut snapshot = fixture::snapshot();
    let gone = |i: &Arc<crate::engine::InterfaceView>| {
        let mut i = i.as_ref().clone();
        (i.retired, i.muted) = (&*i.name.ifname == "ge-0/0/8", Some(fixture::NOW));
        Arc::new(i)
    };
    snapshot.interfaces = snapshot.interfaces.iter().map(gone).collect();
    show(&mut app, snapshot);
    assert_eq!(press(&mut app, "X"), mark(Act::Unretire { interface: interface.clone() }));
    assert_eq!(press(&mut app, "u"), mark(Act::Unmute { what: Subject::Interface(interface) }));
}

#[test]
fn figures_are_asked_for_while_they_are_looked_at_and_no_longer() {
    let asks = |effects: &[Effect]| match effects {
        [Effect::Send(Command::Look(Some(look)))] => Some((look.interface, look.portrait)),
        _ => None,
    };
    let mut app = app(80, 24);
    let id = app.fleet.selected().unwrap();
    assert_eq!(asks(&press(&mut app, "f")), Some((id, true)));
    assert!(text(&app).contains("reckoning"));
    let mut snapshot = fixture::snapshot();
    snapshot.portrait = Some(Arc::new(fixture::portrait(id)));
    assert_eq!(show(&mut app, snapshot.clone()), []);
    assert!(text(&app).contains("strongest 7 days") && text(&app).contains('^'), "{}", text(&app));
    // those of another interface are not shown as this one's
    snapshot.portrait = Some(Arc::new(fixture::portrait(fixture::id_of(&snapshot, "core-2 xe-0/1/4"))));
    show(&mut app, snapshot);
    assert!(text(&app).contains("reckoning"));
    assert_eq!(asks(&press(&mut app, "f")), Some((id, false)));
    assert_eq!(app.overlay, None);
}
