//! What colours and shapes carry.

use super::*;

/// The style of the first cell of `what` in the line that holds `line`.
fn style(app: &App, line: &str, what: &str) -> (Color, Modifier) {
    let y = lines(app).iter().position(|l| l.contains(line)).unwrap_or_else(|| panic!("no {line}"));
    let buffer = frame(app);
    let width = usize::from(buffer.area.width);
    let cells: Vec<&str> = (0..buffer.area.width).map(|x| buffer[(x, u16::try_from(y).unwrap())].symbol()).collect();
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
        let plain = app_of(snapshot.clone(), options.clone(), width, height);
        let buffer = frame(&plain);
        assert!(buffer.content.iter().all(|c| c.fg == Color::Reset && c.bg == Color::Reset));
        assert_eq!(text(&plain), text(&app_of(snapshot, Options::default(), width, height)));
    }
}

#[test]
fn in_ascii_every_pane_is_ascii() {
    let options = Options { ascii: true, ..Options::default() };
    for (width, height) in [(80, 24), (200, 50), (40, 12)] {
        for keys in ["", "t", "?", "!", "/x", "w", "wv", "whhh+--", "o"] {
            let mut app = app_of(fixture::snapshot(), options.clone(), width, height);
            press(&mut app, keys);
            assert!(text(&app).is_ascii(), "{width}x{height} {keys}\n{}", text(&app));
        }
    }
}

#[test]
fn how_the_feed_is_has_a_colour_and_a_word() {
    let snapshot = fixture::snapshot();
    let mut app = app_of(snapshot.clone(), Options::default(), 120, 24);
    assert_eq!(style(&app, "live", "● live").0, Color::Green);
    let now = app.now;
    app.update(Event::Tick, now + Duration::from_secs(16 * 60));
    assert_eq!(style(&app, "no rows since", "■").0, Color::Yellow);
    app.update(Event::EngineEnded, now);
    assert_eq!(style(&app, "engine ended", "■").0, Color::Red);
    let mut back = snapshot;
    back.looks_back = true;
    let app = app_of(back, Options::default(), 120, 24);
    assert_ne!(style(&app, "looking back", "◀").0, Color::Reset);
}

#[test]
fn in_the_chart_what_is_anomalous_stands_out_by_colour_and_by_a_mark() {
    let mut app = app(80, 24);
    key(&mut app, Key::Enter);
    let buffer = frame(&app);
    let chart = app.panes().detail;
    let cells = |wanted: &dyn Fn(&ratatui::buffer::Cell) -> bool| {
        chart.positions().filter(|at| wanted(&buffer[*at])).map(|at| at.x).collect::<Vec<u16>>()
    };
    let braille = |c: &ratatui::buffer::Cell| c.symbol().chars().all(|c| ('\u{2801}'..='\u{28ff}').contains(&c));
    let anomalous = cells(&|c| braille(c) && c.fg == Color::Red);
    let usual = cells(&|c| braille(c) && c.fg != Color::Red);
    assert!(!anomalous.is_empty() && usual.len() > 5 * anomalous.len(), "{} {}", anomalous.len(), usual.len());
    // at the end, where the error under it stands out as well
    assert!(anomalous.iter().min() > usual.iter().min());
    assert_eq!(style(&app, " error ", "█"), style(&app, " score ", "█"));
    assert_eq!((style(&app, " error ", "█").0, style(&app, " error ", "▁").0), (Color::Red, Color::Reset));
}

#[test]
fn verdicts_and_those_that_ring_or_are_over_differ_in_shape_and_look() {
    let mut app = app(80, 24);
    press(&mut app, "jjjjjjj");
    let marks = ["spike up", "silence", "flatline"].map(|line| {
        let text = lines(&app).into_iter().find(|l| l.contains(line)).unwrap();
        text.chars().find(|c| "●◌○".contains(*c)).unwrap()
    });
    assert_eq!(marks, ['●', '◌', '○']);
    assert_eq!(style(&app, "spike up", "»").0, Color::Red, "it rings");
    assert_ne!(style(&app, "flatline", "○"), style(&app, "drop to zero", "●"), "it is over");
}
