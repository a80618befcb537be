//! What lies over the panes: all of its text can be read, and scrolled to and fro. What is typed in the footer.

use super::*;
use crate::ingest::Notice;

/// What is seen of an overlay while it is scrolled from its top to its end, as one text without its walls.
fn read_through(app: &mut App) -> String {
    let mut seen: Vec<String> = Vec::new();
    for _ in 0..200 {
        for line in lines(app) {
            let Some((_, line)) = line.split_once('│') else { continue };
            let inside = line.rsplit_once('│').map_or(line, |(inside, _)| inside).trim().to_owned();
            if !seen.contains(&inside) {
                seen.push(inside);
            }
        }
        key(app, Key::Down);
    }
    seen.join(" ")
}

#[test]
fn all_of_the_help_can_be_read_at_every_usual_width() {
    for (width, height) in [(80, 24), (60, 20), (40, 12)] {
        let mut app = app(width, height);
        press(&mut app, "?");
        let help = read_through(&mut app);
        for end in ["chart with its story", "for the others and the next shift", "6: once in 1,000,000"] {
            assert!(help.contains(end), "{width}x{height}: {end}\n{help}");
        }
    }
}

#[test]
fn the_end_of_an_overlay_is_where_scrolling_ends() {
    let mut app = app(80, 24);
    press(&mut app, "?");
    key(&mut app, Key::End);
    let end = text(&app);
    key(&mut app, Key::Down);
    assert_eq!(text(&app), end);
    key(&mut app, Key::Up);
    assert_ne!(text(&app), end, "the first key back is seen");
    key(&mut app, Key::Home);
    key(&mut app, Key::PageDown);
    let page = |app: &App| lines(app).into_iter().filter(|l| l.starts_with('│')).collect::<Vec<_>>();
    let second = page(&app);
    key(&mut app, Key::PageUp);
    assert_eq!(page(&app).last(), second.first(), "a page less one line");
}

#[test]
fn why_a_file_is_left_out_can_be_read_to_its_end() {
    let mut snapshot = fixture::snapshot();
    let mut notice: Notice = snapshot.source.notices[0].clone();
    notice.message = "skipped: has no column max_metric_value: its delimiter seems to be ';': set that".to_owned();
    snapshot.source.notices = vec![notice].into();
    let mut app = app_of(snapshot, Options::default(), 80, 24);
    press(&mut app, "!");
    let all = read_through(&mut app);
    assert!(all.contains("max_metric_value: its delimiter seems to be ';': set that"), "{all}");
}

#[test]
fn a_directory_of_which_nothing_can_be_read_says_where_to_look() {
    let mut snapshot = fixture::snapshot();
    (snapshot.interfaces, snapshot.devices, snapshot.incidents) = Default::default();
    let mut app = app_of(snapshot.clone(), Options::default(), 80, 24);
    assert!(text(&app).contains("no row could be read: ! says why"), "{}", text(&app));
    (snapshot.source.refused, snapshot.source.notices) = (0, Default::default());
    show(&mut app, snapshot);
    assert!(text(&app).contains("rows are read as soon as they come"), "{}", text(&app));
}

#[test]
fn a_message_that_is_longer_than_the_screen_says_so() {
    let mut app = app(80, 24);
    app.message = Some("words ".repeat(20));
    assert!(text(&app).contains("words …"), "{}", text(&app));
    app.message = Some("few words".to_owned());
    assert!(text(&app).contains(" few words   esc"), "{}", text(&app));
}

#[test]
fn nothing_is_written_where_rows_are_read_from() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("below")).unwrap();
    for (recursive, file, written) in [
        (false, "list.csv", false),
        (true, "list.csv", false),
        (false, "below/list.csv", true),
        (true, "below/list.csv", false),
    ] {
        let mut snapshot = fixture::snapshot();
        (snapshot.source.dir, snapshot.source.recursive) = (dir.path().to_owned(), recursive);
        let mut app = app_of(snapshot, Options::default(), 80, 24);
        press(&mut app, &format!("e{}", dir.path().join(file).display()));
        let effects = key(&mut app, Key::Enter);
        assert_eq!(matches!(effects[..], [Effect::Export { .. }]), written, "{recursive} {file}: {effects:?}");
        assert_eq!(text(&app).contains("name a file elsewhere"), !written);
    }
}
