//! The dialog for a new model: what to choose, how far a run is, and how the last one ended.

use super::training::ended;
use super::wrap::Line;
use crate::console::app::App;
use crate::console::keymap::Action;
use crate::console::spark;
use crate::console::theme::Role;
use crate::engine::{Beside, HeldOut, Run, TrainingOutcome, TrainingView};
use crate::format;

/// The rule that decides between two models.
const RULE: [&str; 2] = [
    "The new model takes over where its median error is no larger on the last",
    "fifth of each interface's rows, measured before they are learnt as well.",
];
/// Columns of the bar.
const BAR: usize = 40;

pub(super) fn lines(app: &App) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    match &app.snapshot.training {
        TrainingView::Running(run) => running(app, run, &mut lines),
        TrainingView::Ended(outcome) => {
            figures(outcome, &mut lines);
            lines.push(Vec::new());
            choice(app, &mut lines);
        }
        TrainingView::Idle => choice(app, &mut lines),
    }
    lines.push(Vec::new());
    let model = &app.snapshot.model;
    let skill = model.skill.map(|s| format!(", {:+.0} % against the best simple forecast", s * 100.0));
    lines.push(vec![
        ("present model  ".to_owned(), Role::Faint),
        (format!("{}{}", model.name, skill.unwrap_or_default()), Role::Text),
    ]);
    lines.extend(RULE.map(|text| vec![(text.to_owned(), Role::Faint)]));
    lines
}

fn choice(app: &App, lines: &mut Vec<Line>) {
    let choice = &app.retraining;
    let keys = &app.options.keys;
    for (line, name, word) in choice.lines(app.chosen_name()) {
        let here = line == choice.line;
        let mark = if here { ">" } else { " " };
        let role = if here { Role::Selected } else { Role::Text };
        lines.push(vec![(format!("{mark} {name:<10}  "), Role::Strong), (format!(" {word} "), role)]);
    }
    let key = |action| keys.key_of(action);
    let hint = format!(
        "{} starts   {}/{} and {}/{} choose",
        key(Action::Start),
        key(Action::Up),
        key(Action::Down),
        key(Action::ChangeBack),
        key(Action::Change)
    );
    lines.push(vec![(hint, Role::Accent)]);
}

fn running(app: &App, run: &Run, lines: &mut Vec<Line>) {
    let (ascii, progress) = (app.options.ascii, &run.progress);
    let fraction = progress.fraction.clamp(0.0, 1.0);
    let stage = match progress.epochs {
        0 => progress.stage.to_owned(),
        epochs => format!("{}, epoch {} of {epochs}", progress.stage, progress.epoch),
    };
    lines.push(vec![(format!("{stage}, for {}", run.whose), Role::Strong)]);
    let mut bar = String::new();
    spark::bar(fraction, BAR, ascii, &mut bar);
    let ends = if ascii { ["[", "]"] } else { ["▕", "▏"] };
    lines.push(vec![
        (ends[0].to_owned(), Role::Rule),
        (bar, Role::Good),
        (ends[1].to_owned(), Role::Rule),
        (format!(" {:.0} %", fraction * 100.0), Role::Strong),
    ]);
    let left = (fraction > 0.02).then(|| progress.elapsed.mul_f64((1.0 - fraction) / fraction));
    let left = left.map(|left| format!(", about {} left", format::elapsed(left)));
    lines.push(vec![(format!("{} so far{}", format::elapsed(progress.elapsed), left.unwrap_or_default()), Role::Text)]);
    if let (Some(first), Some(last)) = (progress.losses.first(), progress.losses.last()) {
        let newest = progress.losses.len().saturating_sub(BAR / 2);
        let mut line = String::new();
        spark::spark(&progress.losses[newest..], ascii, &mut line);
        lines.push(vec![
            (format!("loss on rows kept back  {first:.3} "), Role::Text),
            (line, Role::Load),
            (format!(" {last:.3}"), Role::Strong),
        ]);
    }
    if let Some(beside) = &run.so_far {
        table(beside, ["new so far", "present"], lines);
    }
    let cancel = format!("{} cancels, the present model stays", app.options.keys.key_of(Action::CancelTraining));
    lines.push(vec![(cancel, Role::Accent)]);
}

/// Both models' figures on the same rows, and what came of it.
fn figures(outcome: &TrainingOutcome, lines: &mut Vec<Line>) {
    match outcome {
        TrainingOutcome::Swapped { beside, .. } => table(beside, ["new model", "before"], lines),
        TrainingOutcome::KeptOld(beside) => table(beside, ["new model", "present"], lines),
        TrainingOutcome::Cancelled | TrainingOutcome::Failed(_) => {}
    }
    let (text, role) = match outcome {
        TrainingOutcome::Swapped { saved: Ok(_), .. } => ("The new model scores now.".to_owned(), Role::Good),
        TrainingOutcome::KeptOld(_) => ("The present model was better and stays.".to_owned(), Role::Warning),
        _ => ended(outcome),
    };
    lines.push(vec![(text, role)]);
    if let TrainingOutcome::Swapped { learnt, .. } = outcome {
        lines.extend(learnt.remark().map(|remark| vec![(remark, Role::Warning)]));
    }
}

/// Two models on the same held-out rows.
fn table(beside: &Beside, [new, old]: [&str; 2], lines: &mut Vec<Line>) {
    let plural = |n: usize, one: &str| format!("{} {one}{}", format::count(n as u64), format::s(n as u64));
    let of = format!("on {} of {}", plural(beside.rows, "held-out row"), plural(beside.interfaces, "interface"));
    lines.push(vec![(format!("{:<12}median error   skill   {of}", ""), Role::Faint)]);
    let errors = format::apart(4, [beside.new.error, beside.old.error]);
    for ((name, HeldOut { skill, .. }), error) in [(new, beside.new), (old, beside.old)].into_iter().zip(errors) {
        let skill = skill.map_or_else(String::new, |s| format!("{:+.0} %", s * 100.0));
        lines.push(vec![(format!("{name:<12}"), Role::Faint), (format!("{error:>12} {skill:>7}"), Role::Strong)]);
    }
}
