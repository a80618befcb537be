//! Names of any kind: with hidden characters, with wide ones, with line ends.

use super::*;

#[test]
fn hidden_characters_of_names_are_shown_and_columns_stay_in_line() {
    let mut snapshot = fixture::snapshot();
    let mut interfaces: Vec<InterfaceView> = snapshot.interfaces.iter().map(|view| (**view).clone()).collect();
    interfaces[0].name = InterfaceName::new("a\u{1b}[31m", "x\ty\u{202e}z");
    snapshot.interfaces = interfaces.into_iter().map(Arc::new).collect();
    let mut app = app_of(snapshot, Options::default(), 110, 24);
    press(&mut app, "/");
    press(&mut app, "[31m");
    key(&mut app, Key::Enter);
    let shown = lines(&app);
    let head = shown.iter().find(|line| line.contains("INTERFACE")).unwrap();
    let line = shown.iter().find(|line| line.contains(r"a\u{1b}[31m")).unwrap();
    let column = |line: &str, what: &str| line.find(what).map(|at| line[..at].chars().count());
    assert_eq!(column(head, "INTERFACE"), column(line, r"x\ty\u{202e}z"), "{head}\n{line}");
    let copied = press(&mut app, "y");
    assert!(matches!(&copied[..], [Effect::Copy(words)] if words.starts_with(r"a\u{1b}[31m x\ty")), "{copied:?}");
}

#[test]
fn an_overlay_has_its_wall_beside_wide_characters() {
    let mut snapshot = fixture::snapshot();
    let mut interfaces: Vec<InterfaceView> = snapshot.interfaces.iter().map(|view| (**view).clone()).collect();
    interfaces.iter_mut().for_each(|view| view.name = InterfaceName::new(&"核".repeat(20), &view.name.ifname));
    snapshot.interfaces = interfaces.into_iter().map(Arc::new).collect();
    // Whether the wall is at an odd column or an even one.
    for width in [80, 82, 81, 83] {
        let mut app = app_of(snapshot.clone(), Options::default(), width, 24);
        press(&mut app, "r");
        let buffer = frame(&app);
        let walls = |y: u16| {
            let wall = |x: &u16| buffer[(*x, y)].symbol() == "│";
            (0..width).find(wall).map(|x| x == 0 || buffer[(x - 1, y)].symbol().chars().all(|c| c != '核'))
        };
        assert!((0..24).filter_map(walls).count() > 5 && (0..24).filter_map(walls).all(|free| free), "{}", text(&app));
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
