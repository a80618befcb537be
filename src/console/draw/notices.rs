//! Refused rows, what is the matter with whole files, and how each file is.

use super::wrap::Line;
use crate::console::app::App;
use crate::console::theme::Role;
use crate::format;

pub(super) fn lines(app: &App) -> Vec<Line> {
    let source = &app.snapshot.source;
    let mut lines = Vec::new();
    for notice in source.notices.iter().rev() {
        lines.push(vec![
            (format!("{}: ", notice.path.display()), Role::Strong),
            (notice.message.clone(), Role::Warning),
        ]);
    }
    if !lines.is_empty() {
        lines.push(Vec::new());
    }
    let refused = match source.refused {
        0 => "no line was refused".to_owned(),
        n => format!("{} refused, the newest first", if n == 1 { "1 line".to_owned() } else { format!("{n} lines") }),
    };
    lines.push(vec![(refused, Role::Title)]);
    for refusal in source.refusals.iter().rev() {
        lines.push(vec![
            (format!("{}:{} ", refusal.path.display(), refusal.line), Role::Text),
            (refusal.reason.clone(), Role::Warning),
        ]);
    }
    if source.late > 0 {
        let text = format!("{} rows came too late to be scored: they count as history", format::count(source.late));
        lines.push(Vec::new());
        lines.push(vec![(text, Role::Text)]);
    }
    if source.corrected + source.repeated > 0 {
        let (corrected, repeated) = (format::count(source.corrected), format::count(source.repeated));
        let text = format!("{corrected} rows were corrected by later ones, {repeated} said nothing new");
        lines.push(Vec::new());
        lines.push(vec![(text, Role::Text)]);
    }
    let mut say = |text: String| lines.push(vec![(text, Role::Text)]);
    let count = format::count;
    let distinct = source.rows.saturating_sub(source.corrected + source.repeated + source.forgotten);
    if (1..distinct).contains(&(source.kept as u64)) {
        say(String::new());
        say(format!(
            "{} of {} rows are in memory: each interface's newest",
            count(source.kept as u64),
            count(distinct)
        ));
    }
    if source.forgotten > 0 {
        say(String::new());
        say(format!("{} rows are older than those in memory: the next start compares them", count(source.forgotten)));
    }
    let rewritten: u64 = source.states.iter().map(|file| file.before).sum();
    if source.gone.rows + rewritten > 0 {
        let gone = source.gone;
        say(String::new());
        say(format!(
            "{} rows of {} files that are gone, {} of files before they were",
            count(gone.rows),
            count(gone.files),
            count(rewritten)
        ));
        say("rewritten: those that stand in no file any more count until the next start".to_owned());
    }
    if source.ahead > 0 {
        let n = source.ahead;
        let who = if n == 1 { "1 interface has".to_owned() } else { format!("{n} interfaces have") };
        let text = format!("{who} rows more than a day ahead of all others: look at their clocks");
        lines.push(Vec::new());
        lines.push(vec![(text, Role::Warning)]);
    }
    let files = super::files::lines(app);
    if !files.is_empty() {
        lines.push(Vec::new());
        lines.extend(files);
    }
    lines
}
