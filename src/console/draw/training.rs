//! The line above the keys: how far a training run is, how it ended, or a message.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::pen::Pen;
use crate::console::app::App;
use crate::console::keymap::Action;
use crate::console::spark;
use crate::console::theme::Role;
use crate::engine::{Beside, Run, TrainingOutcome, TrainingView};
use crate::format;

pub(super) fn draw(app: &App, area: Rect, buffer: &mut Buffer) {
    let mut pen = Pen::new(buffer, app.theme(), area, 0);
    pen.skip(1);
    if let Some(message) = &app.message {
        pen.cut(message, Role::Warning, app.options.ascii);
        pen.all_or_none(&[("   esc", Role::Faint)]);
        return;
    }
    match &app.snapshot.training {
        TrainingView::Running(run) => running(app, run, &mut pen),
        TrainingView::Ended(outcome) => {
            let (text, role) = ended(outcome);
            pen.text("training ", Role::Title).cut(&text, role, app.options.ascii);
            if let TrainingOutcome::Swapped { saved: Ok(path), .. } = outcome {
                pen.all_or_none(&[(&format!("; kept in {}", path.display()), role)]);
            }
            pen.all_or_none(&[("   esc", Role::Faint)]);
        }
        TrainingView::Idle => {}
    }
}

fn running(app: &App, run: &Run, pen: &mut Pen<'_>) {
    let (ascii, progress) = (app.options.ascii, &run.progress);
    pen.text("training ", Role::Title);
    let mut bar = String::new();
    spark::bar(progress.fraction, if pen.room() > 90 { 24 } else { 8 }, ascii, &mut bar);
    let share = format!("{:>3.0} %", progress.fraction.clamp(0.0, 1.0) * 100.0);
    pen.text(if ascii { "[" } else { "▕" }, Role::Rule)
        .text(&bar, Role::Good)
        .text(if ascii { "]" } else { "▏" }, Role::Rule)
        .text(&share, Role::Strong);
    if !app.options.read_only {
        let cancel = format!("  {} cancels", app.options.keys.key_of(Action::CancelTraining));
        pen.all_or_none(&[(&cancel, Role::Accent)]);
    }
    if progress.epochs > 0 {
        pen.all_or_none(&[(&format!("  epoch {}/{}", progress.epoch, progress.epochs), Role::Text)]);
    } else {
        pen.all_or_none(&[(&format!("  {}", progress.stage), Role::Text)]);
    }
    if let Some(loss) = progress.losses.last() {
        let newest = progress.losses.len().saturating_sub(24);
        let mut line = String::new();
        spark::spark(&progress.losses[newest..], ascii, &mut line);
        pen.all_or_none(&[("  loss ", Role::Text), (&line, Role::Load), (&format!(" {loss:.3}"), Role::Strong)]);
    }
    pen.all_or_none(&[(&format!("  {}", format::elapsed(progress.elapsed)), Role::Faint)]);
    if progress.epochs > 0 {
        pen.all_or_none(&[("  ", Role::Faint), (progress.stage, Role::Faint)]);
    }
}

/// The new model's median error and the old one's.
fn errors(beside: &Beside) -> [String; 2] {
    format::apart(3, [beside.new.error, beside.old.error])
}

/// How a training run ended, in one sentence.
pub(super) fn ended(outcome: &TrainingOutcome) -> (String, Role) {
    match outcome {
        TrainingOutcome::Swapped { beside, saved, .. } => {
            let [new, old] = errors(beside);
            let errors = if new == old { format!("{new}, as before") } else { format!("{new} instead of {old}") };
            match saved {
                Ok(_) => (format!("done: the new model scores now, median error {errors}"), Role::Good),
                Err(why) => {
                    (format!("done: the new model scores now ({errors}) but is lost at the end: {why}"), Role::Warning)
                }
            }
        }
        TrainingOutcome::KeptOld(beside) => {
            let [new, old] = errors(beside);
            let text = format!(
                "done: the old model stays, it is better on the same rows: median error {old}, the new one's {new}"
            );
            (text, Role::Warning)
        }
        TrainingOutcome::Cancelled => ("cancelled: the old model stays".to_owned(), Role::Text),
        TrainingOutcome::Failed(why) => (format!("failed, the old model stays: {why}"), Role::Alarm),
    }
}
