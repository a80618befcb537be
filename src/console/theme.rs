//! Which part of the screen looks how. Colour underlines a meaning; a shape or a word always carries it.

use std::ffi::OsString;

use ratatui::style::{Color, Modifier, Style};

/// What a piece of the screen is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Plain text.
    Text,
    /// Text that may be overlooked.
    Faint,
    /// Text that should be seen first where nothing is wrong.
    Strong,
    /// The name of the program, and keys.
    Accent,
    /// A pane's title.
    Title,
    /// The title of the pane that has the keys.
    Focus,
    /// Lines between panes.
    Rule,
    /// The chosen line.
    Selected,
    /// Anomalous, or unlike anything before.
    Alarm,
    /// Anomalous in a known way, or something that a person should look at.
    Warning,
    /// Acknowledged.
    Known,
    /// No data.
    Silent,
    /// Running well.
    Good,
    /// A load's line.
    Load,
    /// What was expected.
    Expected,
    /// The band of usual values.
    Band,
    /// Behind the time of an incident.
    Shade,
    /// The time cursor, and that an earlier moment is shown.
    Back,
}

/// How many colours there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Colors {
    /// The terminal's own sixteen, so that its theme is kept.
    #[default]
    Sixteen,
    /// None: bold, reversed and underlined only.
    None,
}

/// The style of each role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Theme {
    /// Colours that may be used.
    pub colors: Colors,
}

impl Theme {
    /// How `role` looks.
    pub fn style(self, role: Role) -> Style {
        match self.colors {
            Colors::Sixteen => sixteen(role),
            Colors::None => mono(role),
        }
    }
}

fn sixteen(role: Role) -> Style {
    let plain = Style::new();
    match role {
        Role::Text => plain,
        Role::Faint | Role::Rule => plain.add_modifier(Modifier::DIM),
        Role::Strong => plain.add_modifier(Modifier::BOLD),
        Role::Accent => plain.fg(Color::Cyan),
        Role::Title => plain.add_modifier(Modifier::BOLD),
        Role::Focus => plain.fg(Color::Cyan).add_modifier(Modifier::BOLD),
        Role::Selected => plain.add_modifier(Modifier::REVERSED),
        Role::Alarm => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
        Role::Warning | Role::Silent => plain.fg(Color::Yellow),
        Role::Known => plain.add_modifier(Modifier::DIM),
        Role::Good => plain.fg(Color::Green),
        Role::Load => plain.fg(Color::Cyan),
        Role::Expected => plain.fg(Color::Blue),
        Role::Band => plain.fg(Color::Blue).add_modifier(Modifier::DIM),
        Role::Shade => plain.fg(Color::Red),
        Role::Back => plain.fg(Color::Magenta).add_modifier(Modifier::BOLD),
    }
}

fn mono(role: Role) -> Style {
    let plain = Style::new();
    match role {
        Role::Text | Role::Load | Role::Good | Role::Expected | Role::Silent | Role::Shade => plain,
        Role::Faint | Role::Rule | Role::Known | Role::Band => plain.add_modifier(Modifier::DIM),
        Role::Strong | Role::Accent | Role::Title | Role::Warning | Role::Alarm => plain.add_modifier(Modifier::BOLD),
        Role::Focus => plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        Role::Selected | Role::Back => plain.add_modifier(Modifier::REVERSED),
    }
}

/// What the environment says of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Surroundings {
    /// Colours that are wanted (`NO_COLOR`, see no-color.org).
    pub colors: Colors,
    /// Whether only ASCII can be shown (`LC_ALL`, `LC_CTYPE`, `LANG`).
    pub ascii: bool,
    /// Whether the terminal can address its cells at all (`TERM`).
    pub full_screen: bool,
}

impl Surroundings {
    /// Reads them through `get`, for instance [`std::env::var_os`].
    pub fn read(get: impl Fn(&str) -> Option<OsString>) -> Self {
        let set = |name: &str| get(name).filter(|v| !v.is_empty());
        let term = set("TERM");
        let full_screen = term.as_ref().is_some_and(|t| t != "dumb");
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set);
        // no locale at all is usual in containers, whose terminals are UTF-8 all the same
        let utf8 = locale.is_none_or(|l| {
            let l = l.to_string_lossy().to_ascii_lowercase();
            l.contains("utf-8") || l.contains("utf8")
        });
        let colors = if set("NO_COLOR").is_some() || !full_screen { Colors::None } else { Colors::Sixteen };
        Self { colors, ascii: !utf8, full_screen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Surroundings {
        Surroundings::read(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| OsString::from(v)))
    }

    #[test]
    fn the_environment_is_heard() {
        let usual = read(&[("TERM", "xterm"), ("LANG", "en_US.UTF-8")]);
        assert_eq!(usual, Surroundings { colors: Colors::Sixteen, ascii: false, full_screen: true });
        assert_eq!(read(&[("TERM", "xterm"), ("NO_COLOR", "1")]).colors, Colors::None);
        assert_eq!(read(&[("TERM", "xterm"), ("NO_COLOR", "")]).colors, Colors::Sixteen);
        assert!(read(&[("TERM", "xterm"), ("LANG", "en_US.UTF-8"), ("LC_ALL", "C")]).ascii);
        assert!(!read(&[("TERM", "dumb")]).full_screen);
        assert!(!read(&[]).full_screen);
        assert!(!read(&[("TERM", "xterm")]).ascii);
    }

    #[test]
    fn without_colours_no_role_has_one_and_what_must_stand_out_does() {
        let theme = Theme { colors: Colors::None };
        for role in [Role::Text, Role::Alarm, Role::Warning, Role::Selected, Role::Band, Role::Load, Role::Focus] {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        for role in [Role::Alarm, Role::Selected, Role::Focus] {
            assert_ne!(theme.style(role), theme.style(Role::Text), "{role:?}");
        }
    }
}
