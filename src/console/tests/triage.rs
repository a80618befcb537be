//! From "something is red" to what it is, since when and how rare, in a key or two.

use super::*;
use crate::engine::IncidentView;
use crate::series::DAY;

fn look(effects: &[Effect]) -> Look {
    let asked = effects.iter().rev().find_map(|effect| match effect {
        Effect::Send(Command::Look(Some(look))) => Some(look.clone()),
        _ => None,
    });
    asked.unwrap_or_else(|| panic!("nothing was asked for: {effects:?}"))
}

#[test]
fn one_key_tells_the_story_of_the_worst() {
    for (width, height) in [(80, 24), (120, 36), (200, 50), (40, 12)] {
        let mut app = app(width, height);
        press(&mut app, "w");
        assert_eq!(chosen(&app), "core-2 xe-0/1/3");
        assert_eq!(app.story().unwrap().interfaces().len(), 3);
        let said = text(&app);
        assert!(width >= 80 || said.contains("3 interfaces of core-2: spike up"), "{width}x{height}\n{said}");
        if width >= 80 {
            for half in ["3 interfaces of core-2: spike up ×2.4", "since 13:50, for 15 min, never in 9 weeks"] {
                assert!(said.contains(half), "{width}x{height}\n{said}");
            }
        }
    }
}

#[test]
fn a_sentence_that_does_not_fit_says_so() {
    let mut app = app(40, 10);
    press(&mut app, "w");
    let said = text(&app);
    let line = said.lines().find(|line| line.contains("3 interfaces of")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.contains("×2.4") || line.contains('…'), "{said}");
    let line = said.lines().find(|line| line.contains("since 13:50")).unwrap_or_else(|| panic!("{said}"));
    assert!(line.contains("9 weeks") || line.contains('…'), "{said}");
}

#[test]
fn a_mute_ends_at_a_time_within_a_day_and_on_a_date_beyond() {
    for (hours, want) in [(8, "muted to 22:"), (30, "muted to 11-24")] {
        let mut snapshot = fixture::snapshot();
        let muted = |i: &Arc<IncidentView>| {
            let muted = Some(fixture::NOW.plus(3600 * hours));
            Arc::new(IncidentView { muted, ..i.as_ref().clone() })
        };
        snapshot.incidents = snapshot.incidents.iter().map(muted).collect();
        let mut app = app_of(snapshot, Options::default(), 120, 36);
        key(&mut app, Key::Tab);
        assert!(text(&app).contains(want), "{want}\n{}", text(&app));
    }
}

#[test]
fn next_and_previous_go_through_all_incidents_with_their_time() {
    let mut app = app(80, 24);
    press(&mut app, "n");
    assert_eq!((chosen(&app).as_str(), app.detail), ("core-2 xe-0/1/3", true), "the first one comes first");
    press(&mut app, "n");
    assert_eq!(chosen(&app), "edge-7 ge-0/0/2");
    press(&mut app, "N");
    assert_eq!(chosen(&app), "core-2 xe-0/1/3");
    // a closed one, of six days ago: the chart goes there
    let effects = press(&mut app, "nnnnnnn");
    assert_eq!(chosen(&app), "agg-1 xe-1/0/0");
    let asked = look(&effects);
    let (start, until) = (fixture::NOW.plus(-515_000), asked.until.expect("not now"));
    assert!(until > start && until.plus(-asked.span.unwrap()) < start, "{asked:?}");
    assert!(text(&app).contains("agg-1 xe-1/0/0: drop ×0.3 from 11-17 to 11-17"), "{}", text(&app));
    press(&mut app, "n");
    assert_eq!(chosen(&app), "agg-1 xe-1/0/0", "the last one");
}

#[test]
fn incidents_can_be_narrowed_to_open_or_closed_ones() {
    let mut app = app(80, 24);
    let all = app.anomalies.lines().len();
    press(&mut app, "o");
    let open = app.anomalies.lines().len();
    assert!(text(&app).contains("open ones only"));
    press(&mut app, "o");
    assert!(text(&app).contains("closed ones only"));
    assert_eq!(open + app.anomalies.lines().len(), all);
    press(&mut app, "w");
    assert_eq!(chosen(&app), "core-2 xe-0/1/3", "the worst is shown whatever was listed");
    assert_eq!(app.anomalies.lines().len(), all);
}

#[test]
fn the_chart_zooms_from_a_day_to_all_history_and_its_cursor_reads_values() {
    let mut app = app(80, 24);
    key(&mut app, Key::Enter);
    assert!(text(&app).contains("1 day"));
    let mut spans = Vec::new();
    for _ in 0..5 {
        spans.extend(look(&press(&mut app, "-")).span);
    }
    assert_eq!(spans, [3 * DAY, 7 * DAY, 28 * DAY, 91 * DAY]);
    assert!(text(&app).contains("all history"));
    press(&mut app, "+++++");
    key(&mut app, Key::Left);
    assert_eq!(app.viewpoint.cursor(), Some(fixture::NOW.plus(-300)));
    assert!(text(&app).contains("11-23 14:00  5.4G, expected 2.2G"), "{}", text(&app));
    // Where a point is several rows, what is read is that of one of them, and so is its time.
    let mut thinned = app.snapshot.as_ref().clone();
    let mut detail = thinned.detail.as_deref().unwrap().clone();
    detail.spacing = 1200;
    detail.points.retain(|point| point.time.seconds() != fixture::NOW.plus(-300).seconds());
    thinned.detail = Some(Arc::new(detail));
    show(&mut app, thinned);
    assert!(text(&app).contains(" 11-23 14:05  3.9G") || text(&app).contains(" 11-23 13:55  "), "{}", text(&app));
    assert!(!text(&app).contains(" 11-23 14:00  "), "{}", text(&app));
    show(&mut app, fixture::snapshot());
    press(&mut app, "{{{{");
    press(&mut app, "hhh");
    assert!(text(&app).contains("no sample"), "a gap is a gap\n{}", text(&app));
    key(&mut app, Key::Esc);
    assert_eq!((app.detail, app.viewpoint.cursor()), (false, None));
}

#[test]
fn the_screen_looks_back_and_comes_back() {
    let mut app = app(80, 24);
    assert_eq!(press(&mut app, "b"), []);
    assert!(text(&app).contains("put the time cursor first"));
    press(&mut app, "w");
    press(&mut app, "hhhhhhhhhh");
    let at = app.viewpoint.cursor().unwrap();
    assert_eq!(press(&mut app, "b")[0], Effect::Send(Command::LookBack(Some(at))));
    let mut then = fixture::snapshot();
    (then.now, then.looks_back) = (Some(at), true);
    show(&mut app, then);
    assert!(lines(&app)[0].contains("◀ looking back 13:"), "{}", lines(&app)[0]);
    assert!(text(&app).contains("forecast as mixed today: "), "{}", text(&app));
    assert_eq!(press(&mut app, "a"), [], "what was cannot be acknowledged");
    assert!(text(&app).contains("this is how it was"));
    assert_eq!(key(&mut app, Key::Esc)[0], Effect::Send(Command::LookBack(None)));
}

#[test]
fn a_story_alone_has_a_line_for_each_of_its_interfaces() {
    let mut app = app(80, 24);
    press(&mut app, "wv");
    let shown = lines(&app);
    for name in ["xe-0/1/3", "xe-0/1/4", "xe-0/1/5"] {
        assert!(shown.iter().any(|l| l.contains(name) && l.contains('█')), "{name}\n{}", shown.join("\n"));
    }
    assert!(!shown.iter().any(|l| l.contains('┤')), "no chart");
    press(&mut app, "v");
    assert!(text(&app).contains('┤'));
    key(&mut app, Key::End);
    key(&mut app, Key::Esc);
    key(&mut app, Key::Tab);
    key(&mut app, Key::End);
    assert!(app.story().is_none());
    press(&mut app, "v");
    assert!(text(&app).contains("no anomaly is open on this interface"));
}

#[test]
fn an_anomaly_in_no_story_keeps_its_chart() {
    let mut app = app(80, 24);
    press(&mut app, "wn");
    assert!(app.story().is_some_and(|story| story.members.len() == 1));
    press(&mut app, "v");
    assert!(text(&app).contains("forecast as mixed today:"), "{}", text(&app));
    assert!(text(&app).contains("in no story"), "{}", text(&app));
    // from a story on to what has none
    press(&mut app, "wv");
    assert!(!text(&app).contains("forecast as mixed today:"));
    press(&mut app, "n");
    assert!(text(&app).contains("forecast as mixed today:"), "{}", text(&app));
}

#[test]
fn keys_in_the_list_of_anomalies_are_for_the_anomaly_under_the_cursor() {
    let mut app = app(80, 24);
    key(&mut app, Key::Tab);
    key(&mut app, Key::Down);
    press(&mut app, "X");
    assert!(text(&app).contains("edge-7 ge-0/0/2 is gone for good?"), "{}", text(&app));
    key(&mut app, Key::Esc);
    key(&mut app, Key::Down);
    let [Effect::Copy(words), ..] = &press(&mut app, "y")[..] else { panic!("nothing is copied") };
    assert!(words.starts_with("edge-9 ge-0/0/7: silence"), "{words}");
    press(&mut app, "r");
    key(&mut app, Key::Left);
    assert!(text(&app).contains("this interface: edge-9 ge-0/0/7"), "{}", text(&app));
}

#[test]
fn a_device_that_is_down_is_one_line() {
    let mut snapshot = fixture::snapshot();
    let silence = snapshot.incidents[4].as_ref().clone();
    let edge: Vec<_> = snapshot.interfaces.iter().filter(|i| &*i.name.host == "edge-9").cloned().collect();
    let down = edge.iter().zip(200..).map(|(interface, id)| {
        let mut incident = silence.clone();
        (incident.id, incident.interface, incident.name) = (IncidentId(id), interface.id, interface.name.clone());
        (incident.story, incident.story_size) = (Some(crate::engine::StoryId(200)), 3);
        Arc::new(incident)
    });
    snapshot.incidents = down.chain(snapshot.incidents.iter().cloned()).collect();
    let app = app_of(snapshot, Options::default(), 80, 24);
    let shown: Vec<_> = lines(&app).into_iter().filter(|l| l.contains("edge-9 down")).collect();
    assert_eq!(shown.len(), 1, "{}", text(&app));
    assert!(shown[0].contains("all 3 interfaces"), "{}", shown[0]);
}

#[test]
fn times_are_those_of_the_zone_that_is_asked_for() {
    let zone = super::super::zone::Zone::new(jiff::tz::TimeZone::get("Asia/Tokyo").unwrap());
    let mut app = app_of(fixture::snapshot(), Options { zone, ..Options::default() }, 80, 24);
    assert!(lines(&app)[0].ends_with("23:05 JST"), "{}", lines(&app)[0]);
    key(&mut app, Key::Enter);
    let said = text(&app);
    assert!(said.contains("since 22:50") && !said.contains("UTC"), "{said}");
}
