//! A new model: how it is asked for, what is told while it is learnt, and how it ends.

use super::*;
use crate::engine::{Retraining, Whose};

#[test]
fn retraining_shows_progress_can_be_cancelled_and_says_how_it_ended() {
    let mut app = app(80, 24);
    assert_eq!(press(&mut app, "c"), []);
    assert_eq!(press(&mut app, "r"), []);
    let start = Effect::Send(Command::Retrain(Retraining::default()));
    assert_eq!(key(&mut app, Key::Enter), [start]);
    key(&mut app, Key::Esc);
    let mut snapshot = fixture::snapshot();
    snapshot.training = fixture::training();
    show(&mut app, snapshot.clone());
    let line = lines(&app)[22].clone();
    for part in ["38 %", "epoch 7/40", "loss █▅▄▄▃▃▃ 0.530", "12 s", "c cancels"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    press(&mut app, "r");
    assert_eq!(key(&mut app, Key::Enter), []);
    key(&mut app, Key::Esc);
    assert!(text(&app).contains("under way"));
    key(&mut app, Key::Esc);
    assert_eq!(press(&mut app, "c"), [Effect::Send(Command::CancelTraining)]);
    let ends = [
        (TrainingOutcome::Cancelled, "cancelled: the old model stays"),
        (TrainingOutcome::KeptOld(fixture::beside(0.9, 0.8)), "the old model stays, it is better"),
        (TrainingOutcome::Failed("no rows".to_owned()), "failed, the old model stays: no rows"),
        (fixture::swapped(0.7, 0.8, 0), "0.700 instead of 0.800"),
        (fixture::swapped(0.16792, 0.16804, 0), "0.1679 instead of 0.1680"),
        (fixture::swapped(0.168, 0.168, 0), "median error 0.168, as before"),
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
fn the_dialog_for_a_new_model_asks_shows_and_tells() {
    let mut app = app(80, 24);
    press(&mut app, "r");
    for part in ["as the present model", "all history", "present model", "no larger on the last"] {
        assert!(text(&app).contains(part), "{part}\n{}", text(&app));
    }
    press(&mut app, "jljll");
    let history = Some(26 * crate::series::WEEK);
    let asked = |whose, scope| [Effect::Send(Command::Retrain(Retraining { whose, scope, history }))];
    assert_eq!(key(&mut app, Key::Enter), asked(Whose::All, Some(crate::engine::Scope::Device)));
    press(&mut app, "kkl");
    assert!(text(&app).contains("this device: core-2") && !text(&app).contains("last layer"), "{}", text(&app));
    assert_eq!(key(&mut app, Key::Enter), asked(Whose::Device("core-2".into()), None));
    press(&mut app, "l");
    assert!(text(&app).contains("this interface: core-2 xe-0/1/3"), "{}", text(&app));
    let name = app.chosen_name().unwrap().clone();
    assert_eq!(key(&mut app, Key::Enter), asked(Whose::Interface(name), None));
    press(&mut app, "l");
    let mut snapshot = fixture::snapshot();
    snapshot.training = fixture::training();
    show(&mut app, snapshot.clone());
    let told =
        ["learning, epoch 7 of 40, for all interfaces", "38 %", "12 s so far, about 19 s left", "1.900", "0.530"];
    let beside =
        ["new so far        0.4600   +54 %", "present           0.4400   +56 %", "3437 held-out rows of 30 interfaces"];
    for part in told.into_iter().chain(beside).chain(["c cancels"]) {
        assert!(text(&app).contains(part), "{part}\n{}", text(&app));
    }
    assert_eq!(press(&mut app, "c"), [Effect::Send(Command::CancelTraining)]);
    snapshot.training = TrainingView::Ended(TrainingOutcome::KeptOld(fixture::beside(0.91, 0.87)));
    show(&mut app, snapshot);
    for part in ["new model         0.9100    +9 %", "0.8700", "was better and stays", "one for each device"] {
        assert!(text(&app).contains(part), "{part}\n{}", text(&app));
    }
    assert_eq!(press(&mut app, "q"), [], "q closes the dialog");
    assert_eq!(app.overlay, None);
}

#[test]
fn the_dialog_says_of_how_many_interfaces_the_new_model_saw_too_little() {
    for (width, height) in [(80, 24), (200, 50)] {
        let mut app = app(width, height);
        press(&mut app, "r");
        for (brief, words) in [(0, None), (1, Some("1 of 30 interfaces has")), (30, Some("30 of 30 interfaces have"))] {
            let mut snapshot = fixture::snapshot();
            snapshot.training = TrainingView::Ended(fixture::swapped(0.41, 0.44, brief));
            show(&mut app, snapshot);
            let drawn = text(&app);
            assert_eq!(words.is_some_and(|words| drawn.contains(words)), brief > 0, "{brief}\n{drawn}");
            assert_eq!(drawn.contains("less than two days"), brief > 0, "{brief}\n{drawn}");
            // What was there is there still, the last line of the dialog included.
            for part in ["0.4100", "scores now", "train for", "enter starts", "as well."] {
                assert!(drawn.contains(part), "{width}x{height} {part}\n{drawn}");
            }
        }
    }
}
