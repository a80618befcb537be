//! How each file is: how far it is read, what came of it, how far it lies behind.

use std::path::Path;

use crate::console::app::App;
use crate::console::theme::Role;
use crate::format;
use crate::ingest::{Condition, FileState};

/// Files that are shown: those with something the matter first.
const MOST: usize = 500;
/// Columns of a file's name.
const NAME: usize = 26;

/// The lines of all files; none where no file was seen yet.
pub(super) fn lines(app: &App) -> Vec<Vec<(String, Role)>> {
    let source = &app.snapshot.source;
    if source.states.is_empty() {
        return Vec::new();
    }
    let mut files: Vec<&FileState> = source.states.iter().map(AsRef::as_ref).collect();
    files.sort_by_key(|file| !is_unwell(file));
    let ascii = app.glyphs().ascii;
    let heading = format!("{:NAME$} {:>9} {:>7} {:>5} {:>4}", "file", "rows", "refused", "read", "lag");
    let mut lines = vec![vec![(heading, Role::Title)]];
    lines.extend(files.iter().take(MOST).map(|file| line(app, &source.dir, file, ascii)));
    if files.len() > MOST {
        let more = format!("and {} more: noctop check lists all", format::count((files.len() - MOST) as u64));
        lines.push(vec![(more, Role::Faint)]);
    }
    lines
}

fn is_unwell(file: &FileState) -> bool {
    file.refused > 0 || matches!(file.condition, Condition::Skipped(_) | Condition::Unreadable(_))
}

fn line(app: &App, dir: &Path, file: &FileState, ascii: bool) -> Vec<(String, Role)> {
    let name = file.path.strip_prefix(dir).unwrap_or(&file.path).display().to_string();
    let name = format::fit(&name, NAME, ascii);
    if file.condition.reason().is_some() {
        return vec![(format!("{name} "), Role::Text), (file.condition.word().to_owned(), Role::Warning)];
    }
    let lag = app.snapshot.now.zip(file.newest).map(|(now, newest)| format::short_span(now.since(newest).max(0)));
    let numbers = format!(
        "{name} {:>9} {:>7} {:>5} {:>4}",
        format::count(file.rows),
        format::count(file.refused),
        format!("{} %", file.read * 100 / file.size.max(file.read).max(1)),
        lag.unwrap_or_default()
    );
    let mut line = vec![(numbers, if file.refused > 0 { Role::Warning } else { Role::Text })];
    if let Some(since) = file.pending {
        line.push((
            format!("  waits for a line's end {}", format::age(app.now.saturating_duration_since(since))),
            Role::Faint,
        ));
    }
    line
}
