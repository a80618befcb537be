//! What the console makes of its terminal, its settings and its keys, in the real binary.

use std::time::Duration;

use crate::pty::{SOON, Terminal};
use crate::support::*;

/// Hourly rows of two interfaces; the first has three times its usual load in its last three hours.
fn place() -> Place {
    let place = Place::new();
    place.put("a.csv", &rhythm("core-1", "xe-0", 400, 1, |i, v| if i >= 397 { 3.0 * v } else { v }));
    place.put("b.csv", &rhythm("core-1", "xe-1", 400, 2, |_, v| v));
    place
}

#[test]
fn one_key_tells_what_is_wrong_and_another_writes_it_down() {
    let place = place();
    let mut terminal = Terminal::start(&place, (80, 24), &["rows"]);
    terminal.shows("an open anomaly", SOON, |text| text.contains("1 open"));
    terminal.press("w");
    terminal.shows("its story", SOON, |text| text.contains("core-1 xe-0: ") && text.contains("since"));
    terminal.press("e");
    terminal.shows("the question", SOON, |text| text.contains("write to file"));
    terminal.press("chart.csv\r");
    terminal.shows("that it is written", SOON, |text| text.contains("written to chart.csv"));
    let written = std::fs::read_to_string(place.path().join("chart.csv")).unwrap();
    assert!(written.starts_with("timeslot,hostname,ifname,") && written.lines().count() > 50, "{written}");
    terminal.press("erows/x.csv\r");
    terminal.shows("that rows are not written to", SOON, |text| text.contains("name a file elsewhere"));
    terminal.press("q");
    assert_eq!(terminal.end(Duration::from_secs(3)), 0);
}

/// Whether a sequence sets a colour of text or ground.
fn coloured(sent: &str) -> bool {
    sent.split("\x1b[").any(|part| {
        let code = part.split('m').next().unwrap_or_default();
        code.split(';').any(|n| n.parse::<u8>().is_ok_and(|n| (30..=38).contains(&n) || (40..=48).contains(&n)))
            && code.chars().all(|c| c.is_ascii_digit() || c == ';')
    })
}

#[test]
fn without_colours_none_is_sent_and_without_unicode_all_is_ascii() {
    let place = place();
    for (environment, has_colours, is_ascii) in [
        (&[][..], true, false),
        (&[("NO_COLOR", "1")], false, false),
        (&[("LANG", "C")], true, true),
        (&[("LANG", "C.UTF-8"), ("LC_ALL", "C"), ("NO_COLOR", "1")], false, true),
    ] {
        let mut terminal = Terminal::start_in(&place, (80, 24), environment, &["rows"]);
        terminal.shows("an open anomaly", SOON, |text| text.contains("1 open"));
        terminal.press("w");
        let text = terminal.shows("its story", SOON, |text| text.contains("core-1 xe-0: "));
        assert_eq!(text.is_ascii(), is_ascii, "{environment:?}\n{text}");
        assert_eq!(coloured(&terminal.sent()), has_colours, "{environment:?}");
        terminal.press("q");
        assert_eq!(terminal.end(Duration::from_secs(3)), 0);
        terminal.is_given_back();
    }
}

#[test]
fn where_no_screen_can_be_drawn_there_are_plain_lines() {
    let place = place();
    let piped = format!("'{}' rows | cat", env!("CARGO_BIN_EXE_noctop"));
    let started = [
        Terminal::start_in(&place, (80, 24), &[("TERM", "dumb")], &["rows"]),
        Terminal::start_program(&place, (80, 24), &[], std::path::Path::new("/bin/sh"), &["-c", &piped]),
    ];
    for mut terminal in started {
        terminal.shows("the anomaly", SOON, |text| text.contains("core-1 xe-0"));
        let sent = terminal.sent();
        assert!(!sent.contains('\x1b'), "{sent}");
        // the line is not the console's: ctrl-c is a signal
        terminal.press("\x03");
        terminal.end_of_any_kind(Duration::from_secs(3));
    }
}

#[test]
fn theme_zone_and_keys_are_heard_from_flags_and_configuration() {
    let place = place();
    std::fs::write(place.path().join("c.toml"), "[console]\ntheme = 'dark'\n[keys]\nquit = ['x']\n").unwrap();
    let args = ["watch", "rows", "--config", "c.toml", "--display-zone", "Asia/Tokyo", "--slow-line"];
    let mut terminal = Terminal::start(&place, (80, 24), &args);
    let text = terminal.shows("the zone", SOON, |text| text.contains("JST") && text.contains("1 open"));
    assert!(text.contains("x quit") && !text.contains("lag"), "{text}");
    assert!(terminal.sent().contains("38;5;203"), "the theme's red");
    terminal.press("qx");
    assert_eq!(terminal.end(Duration::from_secs(3)), 0);
}

#[test]
fn settings_that_make_no_sense_are_refused_before_the_terminal_is_taken() {
    let place = place();
    for (file, text) in [
        ("c.toml", "[keys]\nquit = ['r']\n"),
        ("t.toml", "[console]\n# a comment\ntheme = 'blue'\n"),
        ("z.toml", "input.time_zone = 'Mars/Olympus'\n"),
    ] {
        std::fs::write(place.path().join(file), text).unwrap();
    }
    for (args, code, said) in [
        (&["watch", "rows", "--theme", "blue"][..], 2, ": name one of terminal, dark, light"),
        (&["watch", "rows", "--display-zone", "Mars/Olympus"], 2, ": name a zone"),
        (&["watch", "rows", "--config", "c.toml"], 1, "c.toml:2: keys.quit: r is the key of retrain already"),
        (&["watch", "rows", "--config", "t.toml"], 1, "t.toml:3: theme blue: name one of terminal"),
        (&["watch", "rows", "--config", "z.toml"], 1, "z.toml:1: time zone Mars/Olympus: name a zone"),
    ] {
        let mut terminal = Terminal::start(&place, (120, 24), args);
        assert_eq!(terminal.end(Duration::from_secs(5)), code);
        let sent = terminal.sent();
        assert!(sent.contains(said) && !sent.contains("\x1b[?1049h"), "{args:?}\n{sent}");
    }
}

#[test]
fn what_is_pinned_is_pinned_after_a_restart() {
    let place = place();
    let first = |text: &str| text.lines().find(|line| line.contains("core-1")).unwrap_or_default().to_owned();
    let mut terminal = Terminal::start(&place, (80, 24), &["rows"]);
    terminal.shows("the worst first", SOON, |text| text.contains("1 open") && first(text).contains("xe-0"));
    terminal.press("j*");
    terminal.shows("the other one pinned", SOON, |text| first(text).contains("xe-1"));
    terminal.press("q");
    assert_eq!(terminal.end(Duration::from_secs(3)), 0);
    let mut terminal = Terminal::start(&place, (80, 24), &["rows"]);
    terminal.shows("it is pinned still", SOON, |text| text.contains("1 open") && first(text).contains("xe-1"));
    terminal.press("g*q");
    assert_eq!(terminal.end(Duration::from_secs(3)), 0);
    // another operator has pins of their own
    let terminal = Terminal::start(&place, (80, 24), &["rows", "--who", "eve"]);
    terminal.shows("the worst first", SOON, |text| text.contains("1 open") && first(text).contains("xe-0"));
}

#[test]
fn the_mouse_is_taken_where_that_is_asked_for_and_given_back() {
    let place = place();
    std::fs::write(place.path().join("mouse.toml"), "[console]\nmouse = true\n").unwrap();
    for args in [&["rows", "--mouse"][..], &["rows", "--config", "mouse.toml"]] {
        let mut terminal = Terminal::start(&place, (80, 24), args);
        let text = terminal.shows("an open anomaly", SOON, |text| text.contains("1 open"));
        let line = 1 + text.lines().position(|line| line.contains("xe-1")).unwrap();
        terminal.press(&format!("\x1b[<0;20;{line}M\x1b[<0;20;{line}m"));
        let chosen = |text: &str| text.lines().any(|line| line.starts_with('>') && line.contains("xe-1"));
        terminal.shows("the line that was pressed is chosen", SOON, chosen);
        terminal.press("q");
        assert_eq!(terminal.end(Duration::from_secs(3)), 0);
        let sent = terminal.sent();
        let last = |sequence| sent.rfind(sequence).unwrap_or_else(|| panic!("{sequence:?} was not sent"));
        assert!(last("\x1b[?1000h") < last("\x1b[?1000l") && last("\x1b[?1006h") < last("\x1b[?1006l"));
    }
    let mut terminal = Terminal::start(&place, (80, 24), &["rows"]);
    terminal.shows("an open anomaly", SOON, |text| text.contains("1 open"));
    terminal.press("q");
    assert_eq!(terminal.end(Duration::from_secs(3)), 0);
    assert!(!terminal.sent().contains("\x1b[?100"), "the mouse stays the user's");
}
