//! The loop itself, on a terminal in memory.

use super::*;
use crate::engine::{IncidentView, StoryId};

/// A terminal in memory and a clock that stands still until somebody moves it.
struct Stage {
    now: Instant,
    sizes: VecDeque<(u16, u16)>,
    stops: usize,
    takes: usize,
    said: Vec<String>,
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

    fn ring(&mut self) -> Result<(), Infallible> {
        self.said.push("bell".to_owned());
        Ok(())
    }

    fn copy(&mut self, text: &str) -> Result<(), Infallible> {
        self.said.push(format!("copy {text}"));
        Ok(())
    }

    fn export(&mut self, path: &std::path::Path, text: &str) -> Result<(), String> {
        self.said.push(format!("export {} {}", path.display(), text.lines().count()));
        if path.starts_with("/full") { Err("no space".to_owned()) } else { Ok(()) }
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
    let mut stage = Stage { now: Instant::now(), sizes: VecDeque::new(), stops: 0, takes: 0, said: Vec::new() };
    let end = drive(&mut screen, &mut app, &inputs, &handle, &mut stage).unwrap();
    (end, lines(&app), publisher.commands.try_iter().collect(), stage)
}

#[test]
fn the_loop_runs_keys_and_ends() {
    let (end, lines, commands, _) = run_loop(|inputs| {
        for c in "jr\rqq".chars() {
            inputs.send(Input::Key(if c == '\r' { Key::Enter } else { Key::Char(c) })).unwrap();
        }
    });
    assert_eq!(end, End::Quit);
    assert!(lines.iter().any(|l| l.starts_with('>') && l.contains("xe-0/1/4")));
    assert!(matches!(commands[..], [Command::Look(_), Command::Retrain(_)]), "{commands:?}");
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
    let mut stage = Stage { now: Instant::now(), sizes: VecDeque::new(), stops: 0, takes: 0, said: Vec::new() };
    let end = drive(&mut screen, &mut app, &inputs, &handle, &mut stage).unwrap();
    engine.join().unwrap();
    assert_eq!(end, End::Quit);
    let shown: String = screen.frame().content.iter().map(|c| c.symbol()).collect();
    assert!(shown.contains("00:00 UTC") && shown.contains("engine ended"), "{shown}");
}

#[test]
fn what_is_seen_is_copied_and_exported_to_a_named_file() {
    let keys = |inputs: &Sender<Input>, text: &str| {
        for c in text.chars() {
            let key = if c == '\r' { Key::Enter } else { Key::Char(c) };
            inputs.send(Input::Key(key)).unwrap();
        }
    };
    let (_, lines, _, stage) = run_loop(|inputs| keys(inputs, "ye/tmp/a.csv\re/full/b.json\r"));
    let said = &stage.said;
    assert!(said[0].starts_with("copy 3 interfaces of core-2: spike up"), "{said:?}");
    assert_eq!(said[1..], ["export /tmp/a.csv 13", "export /full/b.json 1"]);
    assert!(lines.iter().any(|l| l.contains("/full/b.json: no space")), "{lines:?}");
}

#[test]
fn the_bell_rings_once_for_what_rings_and_only_where_it_is_wanted() {
    for (bell, want) in [(true, 1), (false, 0)] {
        let options = Options { bell, ..Options::default() };
        let mut app = app_of(fixture::snapshot(), options, 80, 24);
        let mut next = fixture::snapshot();
        let mut incident = fixture::another_incident(&next).as_ref().clone();
        incident.rings = true;
        next.incidents = std::iter::once(Arc::new(incident)).chain(next.incidents.iter().cloned()).collect();
        let rung = |effects: Vec<Effect>| effects.iter().filter(|e| **e == Effect::Ring).count();
        assert_eq!(rung(show(&mut app, fixture::snapshot())), 0, "what was there at the start does not ring");
        assert_eq!(rung(show(&mut app, next.clone())), want);
        assert_eq!(rung(show(&mut app, next.clone())), 0);
        // One that belongs to it rings in its place from now on.
        let mut other = next.incidents[0].as_ref().clone();
        other.id = IncidentId(77);
        let story =
            |incident: &IncidentView, rings| IncidentView { story: Some(StoryId(77)), rings, ..incident.clone() };
        let both = [story(&other, true), story(&next.incidents[0], false)].map(Arc::new);
        next.incidents = both.into_iter().chain(next.incidents.iter().skip(1).cloned()).collect();
        assert_eq!(rung(show(&mut app, next)), 0, "a story rings once");
    }
}
