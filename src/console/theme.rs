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
    /// Two hundred and fifty-six.
    Many,
    /// Sixteen.
    #[default]
    Sixteen,
    /// None: bold, reversed and underlined only.
    None,
}

/// Which look the colours make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Palette {
    /// The terminal's own sixteen colours, so that its theme is kept.
    #[default]
    Terminal,
    /// Muted colours for a dark ground.
    Dark,
    /// Deep colours for a light ground.
    Light,
    /// Nothing dim; alarms on a ground of their own.
    HighContrast,
    /// No meaning between red and green: the colours of Okabe and Ito (2008), which people with any
    /// sight of colours can tell apart.
    ColourBlind,
}

impl Palette {
    /// All of them with their names.
    pub const ALL: [(Self, &'static str); 5] = [
        (Self::Terminal, "terminal"),
        (Self::Dark, "dark"),
        (Self::Light, "light"),
        (Self::HighContrast, "high-contrast"),
        (Self::ColourBlind, "colour-blind"),
    ];

    /// The one with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, own)| *own == name).map(|(palette, _)| palette)
    }

    /// All names, for a message.
    pub fn names() -> String {
        Self::ALL.map(|(_, name)| name).join(", ")
    }
}

/// The style of each role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Theme {
    /// Colours that may be used.
    pub colors: Colors,
    /// Their look.
    pub palette: Palette,
}

impl Theme {
    /// How `role` looks.
    pub fn style(self, role: Role) -> Style {
        let many = self.colors == Colors::Many;
        match (self.colors, self.palette) {
            (Colors::None, _) => mono(role),
            (_, Palette::Terminal) => sixteen(role),
            (_, Palette::Dark) => {
                if many {
                    paint(role, &DARK)
                } else {
                    sixteen(role)
                }
            }
            (_, Palette::Light) => paint(role, if many { &LIGHT } else { &LIGHT_SIXTEEN }),
            (_, Palette::HighContrast) => contrast(role),
            (_, Palette::ColourBlind) => paint(role, if many { &COLOUR_BLIND } else { &COLOUR_BLIND_SIXTEEN }),
        }
    }
}

/// The colours of a look, as places in the terminal's table.
struct Paints {
    accent: u8,
    alarm: u8,
    warning: u8,
    good: u8,
    load: u8,
    expected: u8,
    band: u8,
    faint: u8,
    rule: u8,
    back: u8,
    /// The ground of the chosen line.
    selected: u8,
}

const DARK: Paints = Paints {
    accent: 80,
    alarm: 203,
    warning: 215,
    good: 114,
    load: 80,
    expected: 75,
    band: 60,
    faint: 246,
    rule: 240,
    back: 176,
    selected: 238,
};
const LIGHT: Paints = Paints {
    accent: 25,
    alarm: 160,
    warning: 130,
    good: 28,
    load: 25,
    expected: 97,
    band: 146,
    faint: 242,
    rule: 249,
    back: 90,
    selected: 253,
};
const LIGHT_SIXTEEN: Paints = Paints {
    accent: 4,
    alarm: 1,
    warning: 5,
    good: 2,
    load: 4,
    expected: 5,
    band: 8,
    faint: 8,
    rule: 8,
    back: 5,
    selected: 7,
};
const COLOUR_BLIND: Paints = Paints {
    accent: 74,
    alarm: 166,
    warning: 220,
    good: 74,
    load: 74,
    expected: 175,
    band: 60,
    faint: 246,
    rule: 240,
    back: 175,
    selected: 238,
};
const COLOUR_BLIND_SIXTEEN: Paints = Paints {
    accent: 6,
    alarm: 11,
    warning: 3,
    good: 4,
    load: 6,
    expected: 5,
    band: 8,
    faint: 7,
    rule: 8,
    back: 13,
    selected: 8,
};

fn paint(role: Role, paints: &Paints) -> Style {
    let plain = Style::new();
    let with = |colour: u8| plain.fg(Color::Indexed(colour));
    match role {
        Role::Text => plain,
        Role::Strong | Role::Title => plain.add_modifier(Modifier::BOLD),
        Role::Faint | Role::Known => with(paints.faint),
        Role::Rule => with(paints.rule),
        Role::Accent => with(paints.accent),
        Role::Focus => with(paints.accent).add_modifier(Modifier::BOLD),
        Role::Selected => plain.bg(Color::Indexed(paints.selected)).add_modifier(Modifier::BOLD),
        Role::Alarm => with(paints.alarm).add_modifier(Modifier::BOLD),
        Role::Warning | Role::Silent => with(paints.warning),
        Role::Good => with(paints.good),
        Role::Load => with(paints.load),
        Role::Expected => with(paints.expected),
        Role::Band => with(paints.band),
        Role::Shade => with(paints.alarm),
        Role::Back => with(paints.back).add_modifier(Modifier::BOLD),
    }
}

/// The brightest of the sixteen colours, and grounds under what must be seen.
fn contrast(role: Role) -> Style {
    let plain = Style::new();
    match role {
        Role::Text | Role::Faint | Role::Known | Role::Rule => plain,
        Role::Strong | Role::Title => plain.add_modifier(Modifier::BOLD),
        Role::Accent => plain.fg(Color::LightCyan).add_modifier(Modifier::BOLD),
        Role::Focus => plain.fg(Color::LightCyan).add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
        Role::Selected => plain.add_modifier(Modifier::REVERSED),
        Role::Alarm => plain.fg(Color::White).bg(Color::Red).add_modifier(Modifier::BOLD),
        Role::Warning | Role::Silent => plain.fg(Color::LightYellow).add_modifier(Modifier::BOLD),
        Role::Good => plain.fg(Color::LightGreen).add_modifier(Modifier::BOLD),
        Role::Load => plain.fg(Color::LightCyan),
        Role::Expected | Role::Band => plain.fg(Color::LightBlue),
        Role::Shade => plain.fg(Color::LightRed),
        Role::Back => plain.fg(Color::Black).bg(Color::LightMagenta),
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
        let many = |v: OsString| {
            let v = v.to_string_lossy().into_owned();
            v.contains("256color") || v.contains("direct") || v == "truecolor" || v == "24bit"
        };
        let colors = match (set("NO_COLOR").is_some() || !full_screen, term.is_some_and(many)) {
            (true, _) => Colors::None,
            (false, false) if set("COLORTERM").is_none_or(|v| !many(v)) => Colors::Sixteen,
            (false, _) => Colors::Many,
        };
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
        assert_eq!(read(&[("TERM", "screen-256color")]).colors, Colors::Many);
        assert_eq!(read(&[("TERM", "xterm"), ("COLORTERM", "truecolor")]).colors, Colors::Many);
        assert_eq!(read(&[("TERM", "xterm-256color"), ("NO_COLOR", "1")]).colors, Colors::None);
        assert!(read(&[("TERM", "xterm"), ("LANG", "en_US.UTF-8"), ("LC_ALL", "C")]).ascii);
        assert!(!read(&[("TERM", "dumb")]).full_screen);
        assert!(!read(&[]).full_screen);
        assert!(!read(&[("TERM", "xterm")]).ascii);
    }

    #[test]
    fn without_colours_no_role_has_one_and_what_must_stand_out_does() {
        let theme = Theme { colors: Colors::None, palette: Palette::Dark };
        for role in [Role::Text, Role::Alarm, Role::Warning, Role::Selected, Role::Band, Role::Load, Role::Focus] {
            let style = theme.style(role);
            assert_eq!((style.fg, style.bg), (None, None), "{role:?}");
        }
        for role in [Role::Alarm, Role::Selected, Role::Focus] {
            assert_ne!(theme.style(role), theme.style(Role::Text), "{role:?}");
        }
    }

    #[test]
    fn in_every_look_what_matters_differs_from_what_does_not() {
        for (palette, name) in Palette::ALL {
            assert_eq!(Palette::named(name), Some(palette));
            for colors in [Colors::Many, Colors::Sixteen] {
                let style = |role| Theme { colors, palette }.style(role);
                for calm in [Role::Text, Role::Faint, Role::Known, Role::Good, Role::Load, Role::Warning, Role::Band] {
                    assert_ne!(style(Role::Alarm), style(calm), "{name} {colors:?} {calm:?}");
                }
                for other in [Role::Expected, Role::Band, Role::Text] {
                    assert_ne!(style(Role::Load), style(other), "{name} {colors:?} {other:?}");
                }
                assert_ne!(style(Role::Selected), style(Role::Text), "{name}");
            }
        }
        let contrast = |role| Theme { colors: Colors::Many, palette: Palette::HighContrast }.style(role);
        for role in [Role::Faint, Role::Rule, Role::Known, Role::Band] {
            assert!(!contrast(role).add_modifier.contains(Modifier::DIM), "{role:?}");
        }
        for colors in [Colors::Many, Colors::Sixteen] {
            let theme = Theme { colors, palette: Palette::ColourBlind };
            for role in [Role::Alarm, Role::Good, Role::Warning] {
                let red_or_green = [Color::Indexed(1), Color::Indexed(2), Color::Indexed(9), Color::Indexed(10)];
                assert!(theme.style(role).fg.is_some_and(|c| !red_or_green.contains(&c)), "{role:?}");
            }
        }
        assert_eq!(Palette::named("blue"), None);
    }
}
