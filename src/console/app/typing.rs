//! What is typed: the filter, which is in force at once, and answers to a question in the footer.

use std::path::{Path, PathBuf};

use super::App;
use crate::console::event::Effect;
use crate::console::export;
use crate::console::key::Key;
use crate::engine::{Act, Command, IncidentId};
use crate::format;
use crate::journal::{Named, Subject};
use crate::series::InterfaceName;
use crate::whole::directory;

/// For how long something is muted where nothing is typed.
pub const MUTED_FOR: &str = "8h";

/// What is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typing {
    /// The filter, which is in force while it is typed.
    Filter,
    /// The name of a file.
    Export(String),
    /// A note on an incident.
    Note(IncidentId, String),
    /// For how long these are muted; empty for [`MUTED_FOR`].
    Mute(Vec<Subject>, String),
    /// Whether an interface is gone for good.
    Retire(InterfaceName, String),
}

impl App {
    pub(super) fn type_key(&mut self, key: Key, effects: &mut Vec<Effect>) {
        let Some(mut typing) = self.typing.take() else { return };
        let text = match &mut typing {
            Typing::Filter => {
                self.typing = Some(Typing::Filter);
                return self.type_filter(key, effects);
            }
            Typing::Export(text) | Typing::Note(_, text) | Typing::Mute(_, text) | Typing::Retire(_, text) => text,
        };
        match key {
            Key::Ctrl('c') => return effects.push(Effect::Quit),
            Key::Ctrl('z') => effects.push(Effect::Suspend),
            Key::Esc => return,
            Key::Enter => return self.finish(typing, effects),
            Key::Backspace => {
                text.pop();
            }
            Key::Ctrl('u') => text.clear(),
            Key::Char(c) => text.push(c),
            _ => {}
        }
        self.typing = Some(typing);
    }

    /// Whether a file would lie in the watched directory, and be read as rows one day.
    pub(super) fn is_watched(&self, path: &Path) -> bool {
        let source = &self.snapshot.source;
        let (parent, dir) = (directory(path).canonicalize(), source.dir.canonicalize());
        matches!((parent, dir), (Ok(a), Ok(b)) if a == b || (source.recursive && a.starts_with(&b)))
    }

    pub(super) fn type_filter(&mut self, key: Key, effects: &mut Vec<Effect>) {
        let mut text = self.fleet.filter.text().to_owned();
        match key {
            Key::Ctrl('c') => return effects.push(Effect::Quit),
            Key::Ctrl('z') => return effects.push(Effect::Suspend),
            Key::Enter => {
                self.typing = None;
                return;
            }
            Key::Esc => {
                self.typing = None;
                text.clear();
            }
            Key::Backspace => {
                if text.pop().is_none() {
                    self.typing = None;
                }
            }
            Key::Ctrl('u') => text.clear(),
            Key::Up | Key::Down => {
                let lines = if key == Key::Up { -1 } else { 1 };
                return self.step(lines);
            }
            Key::Char(c) => text.push(c),
            _ => return,
        }
        self.set_filter(&text);
    }

    /// What was typed is done.
    pub(super) fn finish(&mut self, typing: Typing, effects: &mut Vec<Effect>) {
        let mut mark = |acts| effects.push(Effect::Send(Command::Mark(acts)));
        match typing {
            Typing::Filter => {}
            Typing::Export(name) if name.is_empty() => {}
            Typing::Export(name) => {
                let path = PathBuf::from(name);
                if self.is_watched(&path) {
                    self.message =
                        Some("that is the directory that rows are read from: name a file elsewhere".to_owned());
                } else {
                    let text = export::text(self, &path);
                    effects.push(Effect::Export { path, text });
                }
            }
            Typing::Note(incident, text) => {
                let text = text.trim().to_owned();
                if !text.is_empty() {
                    mark(vec![Act::Note { incident, text }]);
                }
            }
            Typing::Mute(subjects, time) => match format::seconds_of(if time.is_empty() { MUTED_FOR } else { &time }) {
                Some(seconds) => {
                    let until = self.wall(self.now).plus(seconds);
                    mark(subjects.into_iter().map(|what| Act::Mute { what, until }).collect());
                }
                None => self.message = Some(format!("{time:?} is no time: write 30m, 8h, 2d or 1w")),
            },
            Typing::Retire(name, answer) if answer == "yes" => {
                mark(vec![Act::Retire { interface: Named::from(&name) }]);
            }
            Typing::Retire(name, _) => self.message = Some(format!("{name} was not retired")),
        }
    }
}
