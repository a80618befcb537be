//! The one table of keys. The footer and the help overlay are made from it, and the configuration
//! changes the keys of a line by its name ([`super::keymap`]).

use super::key::Key;

/// What a key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// The keys go to the next pane.
    NextPane,
    /// The keys go to the pane before.
    PreviousPane,
    /// Opens what is chosen.
    Open,
    /// The next incident of the list, wherever the keys go.
    NextIncident,
    /// The one before.
    PreviousIncident,
    /// The worst thing that is open.
    Worst,
    /// Shows what a story's incidents share, and its interfaces alone.
    Story,
    /// The time cursor one column back.
    Earlier,
    /// The time cursor one column on.
    Later,
    /// The time cursor ten columns back.
    MuchEarlier,
    /// The time cursor ten columns on.
    MuchLater,
    /// Less time in the chart.
    ZoomIn,
    /// More time in the chart.
    ZoomOut,
    /// The whole screen as it stood at the time cursor, or back to now.
    LookBack,
    /// All incidents, open ones, or closed ones.
    Listed,
    /// Folds or unfolds a story.
    Fold,
    /// One step back: overlay, detail, filter, message.
    Back,
    /// Starts to type a filter.
    Filter,
    /// Sorts by the next column.
    Sort,
    /// Turns the order round.
    Reverse,
    /// Devices or interfaces.
    Devices,
    /// Acknowledges, or takes that back.
    Acknowledge,
    /// Notes something on an anomaly.
    Note,
    /// Mutes an anomaly or an interface for a time, or takes that back.
    Mute,
    /// Says that an interface is gone for good, or takes that back.
    Retire,
    /// Opens the dialog for a new model.
    Retrain,
    /// In the dialog: the choice before.
    ChangeBack,
    /// In the dialog: the next choice.
    Change,
    /// In the dialog: starts the training run.
    Start,
    /// Closes the dialog.
    Leave,
    /// Cancels the training run.
    CancelTraining,
    /// Copies what is chosen in a line of text.
    Copy,
    /// Writes what is seen into a file.
    Export,
    /// Marks the chosen interface, so that it stays on top.
    Pin,
    /// Loads or heat in the list.
    Heat,
    /// Shows what the chosen interface is like.
    Figures,
    /// Shows refused rows and notices.
    Notices,
    /// Shows all keys.
    Help,
    /// Draws everything again.
    Repaint,
    /// Stops the program until the shell continues it.
    Suspend,
    /// Closes an overlay.
    Close,
    /// Ends.
    Quit,
    /// Ends, whatever is open.
    QuitNow,
}

/// Where the keys go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Context {
    /// The list of interfaces or devices.
    Interfaces,
    /// The list of incidents.
    Incidents,
    /// Help or notices.
    Overlay,
    /// The dialog for a new model.
    Dialog,
}

/// All contexts.
pub const CONTEXTS: [Context; 4] = [Context::Interfaces, Context::Incidents, Context::Overlay, Context::Dialog];

/// One line of the table.
#[derive(Debug)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// What the configuration calls it.
    pub name: &'static str,
    /// The keys that do it by default; the first one is the one that is shown.
    pub keys: &'static [Key],
    /// Where it does it.
    pub contexts: &'static [Context],
    /// What the footer calls it.
    pub short: &'static str,
    /// What help says of it.
    pub long: &'static str,
    /// Whether it changes something outside of this screen: not there in a read-only console.
    pub changes: bool,
}

const LISTS: &[Context] = &[Context::Interfaces, Context::Incidents];
const LISTS_AND_OVERLAY: &[Context] = &[Context::Interfaces, Context::Incidents, Context::Overlay];
const ALL: &[Context] = &CONTEXTS;
const DIALOG: &[Context] = &[Context::Dialog];

const fn look(
    action: Action,
    name: &'static str,
    keys: &'static [Key],
    contexts: &'static [Context],
    short: &'static str,
    long: &'static str,
) -> Binding {
    Binding { action, name, keys, contexts, short, long, changes: false }
}

const fn change(
    action: Action,
    name: &'static str,
    keys: &'static [Key],
    contexts: &'static [Context],
    short: &'static str,
    long: &'static str,
) -> Binding {
    Binding { action, name, keys, contexts, short, long, changes: true }
}

use Action as A;
use Key::Char as C;

/// All keys, in the order of help.
pub const BINDINGS: &[Binding] = &[
    look(A::Up, "up", &[Key::Up, C('k')], ALL, "scroll", "one line up"),
    look(A::Down, "down", &[Key::Down, C('j')], ALL, "scroll", "one line down"),
    look(A::PageUp, "page-up", &[Key::PageUp, Key::Ctrl('b')], ALL, "page up", "one page up"),
    look(A::PageDown, "page-down", &[Key::PageDown, Key::Ctrl('f')], ALL, "page down", "one page down"),
    look(A::First, "first", &[Key::Home, C('g')], ALL, "first", "to the first line"),
    look(A::Last, "last", &[Key::End, C('G')], ALL, "last", "to the last line"),
    look(A::NextPane, "next-pane", &[Key::Tab], LISTS, "pane", "between the interfaces and the anomalies"),
    look(A::PreviousPane, "previous-pane", &[Key::BackTab], LISTS, "pane", "the same, backwards"),
    look(
        A::Open,
        "open",
        &[Key::Enter],
        LISTS,
        "open",
        "open: an interface's or anomaly's chart with its story; unfold",
    ),
    look(A::Fold, "fold", &[C(' ')], LISTS, "fold", "fold or unfold a story or a device"),
    look(
        A::Back,
        "back",
        &[Key::Esc, Key::Backspace],
        LISTS,
        "back",
        "back: to now, close what is open, clear message and filter",
    ),
    look(A::Worst, "worst", &[C('w')], LISTS, "worst", "the worst thing that is open, with its time and story"),
    look(A::NextIncident, "next-incident", &[C('n')], LISTS, "next", "the next anomaly, with its time and story"),
    look(A::PreviousIncident, "previous-incident", &[C('N'), C('p')], LISTS, "previous", "the anomaly before"),
    look(A::Story, "story", &[C('v')], LISTS, "story", "a story alone: what is shared, its interfaces drawn together"),
    look(A::Listed, "listed", &[C('o')], LISTS, "listed", "anomalies: all, open ones only, closed ones only"),
    look(
        A::Earlier,
        "earlier",
        &[Key::Left, C('h'), C('[')],
        LISTS,
        "time",
        "the time cursor of the chart, one column back; fold a device",
    ),
    look(
        A::Later,
        "later",
        &[Key::Right, C('l'), C(']')],
        LISTS,
        "time",
        "one column on; where no chart is shown, open",
    ),
    look(A::MuchEarlier, "much-earlier", &[C('{'), C('H')], LISTS, "time", "ten columns back"),
    look(A::MuchLater, "much-later", &[C('}'), C('L')], LISTS, "time", "ten columns on"),
    look(A::ZoomIn, "zoom-in", &[C('+'), C('=')], LISTS, "zoom", "less time in the chart"),
    look(A::ZoomOut, "zoom-out", &[C('-')], LISTS, "zoom", "more time in the chart, up to all history"),
    look(
        A::LookBack,
        "look-back",
        &[C('b')],
        LISTS,
        "look back",
        "the whole screen as it stood at the time cursor; again: now",
    ),
    change(A::Acknowledge, "acknowledge", &[C('a')], LISTS, "ack", "acknowledge an anomaly or story, or take it back"),
    change(
        A::Note,
        "note",
        &[C('i')],
        LISTS,
        "note",
        "note something on an anomaly, for the others and the next shift",
    ),
    change(
        A::Mute,
        "mute",
        &[C('u')],
        LISTS,
        "mute",
        "mute an anomaly, or in the list its interface, for a time; again: take it back",
    ),
    change(A::Retire, "retire", &[C('X')], LISTS, "retire", "the interface is gone for good; again: it is back"),
    look(
        A::Filter,
        "filter",
        &[C('/')],
        LISTS,
        "filter",
        "filter while you type: text, host:text, if:text, desc:text, state:anomalous (or acknowledged, silent, warming, taken, flat, nominal)",
    ),
    change(
        A::Retrain,
        "retrain",
        &[C('r')],
        LISTS,
        "retrain",
        "train a new model in the background: for whom, from how much history",
    ),
    change(
        A::CancelTraining,
        "cancel-training",
        &[C('c')],
        &[Context::Interfaces, Context::Incidents, Context::Dialog],
        "cancel",
        "cancel the training run",
    ),
    look(A::Sort, "sort", &[C('s')], LISTS, "sort", "sort by the next column"),
    look(A::Reverse, "reverse", &[C('S')], LISTS, "reverse", "turn the order round"),
    look(A::Devices, "devices", &[C('t')], LISTS, "devices", "devices or interfaces"),
    look(
        A::Heat,
        "heat",
        &[C('m')],
        LISTS,
        "heat",
        "loads or heat: how rare each slot was, so that a common event is a column",
    ),
    look(A::Pin, "pin", &[C('*')], LISTS, "pin", "pin the chosen interface to the top, or let it go"),
    look(
        A::Figures,
        "figures",
        &[C('f')],
        LISTS_AND_OVERLAY,
        "figures",
        "what the interface is like: day, week, echoes, spread, relatives",
    ),
    look(A::Copy, "copy", &[C('y')], LISTS, "copy", "copy what is chosen, as a sentence (OSC 52: over SSH, too)"),
    change(
        A::Export,
        "export",
        &[C('e')],
        LISTS,
        "export",
        "write what is seen to a file: the list, or the chart's rows",
    ),
    look(A::Notices, "notices", &[C('!'), C('R')], ALL, "notices", "refused rows and notices about files"),
    look(A::Help, "help", &[C('?'), Key::F(1)], ALL, "help", "this help"),
    look(A::Repaint, "repaint", &[Key::Ctrl('l')], ALL, "repaint", "draw everything again"),
    look(A::Suspend, "suspend", &[Key::Ctrl('z')], ALL, "stop", "stop until the shell continues it (fg)"),
    look(
        A::Close,
        "close",
        &[Key::Esc, C('q'), Key::Enter, Key::Backspace],
        &[Context::Overlay],
        "close",
        "close this",
    ),
    change(A::Start, "start", &[Key::Enter], DIALOG, "start", "in the dialog for a new model: start"),
    look(A::ChangeBack, "change-back", &[Key::Left, C('h')], DIALOG, "choose", "in the dialog: the choice before"),
    look(A::Change, "change", &[Key::Right, C('l'), C(' ')], DIALOG, "choose", "in the dialog: the next choice"),
    look(A::Leave, "leave", &[Key::Esc, C('q'), C('r')], DIALOG, "close", "close the dialog; a run goes on"),
    look(A::Quit, "quit", &[C('q')], LISTS, "quit", "quit"),
    look(A::QuitNow, "quit-now", &[Key::Ctrl('c')], ALL, "quit", "quit, whatever is open"),
];

/// What the footer shows, the most needed first; help and quit always come last. Actions that stand
/// together are one hint. `detail` is whether the chart is open in full.
pub fn hints(context: Context, detail: bool) -> &'static [&'static [Action]] {
    match context {
        Context::Overlay => &[&[A::Close], &[A::Up, A::Down]],
        Context::Dialog => &[&[A::Start], &[A::ChangeBack, A::Change], &[A::CancelTraining], &[A::Leave]],
        _ if detail => &[
            &[A::NextIncident, A::PreviousIncident],
            &[A::Earlier, A::Later],
            &[A::ZoomIn, A::ZoomOut],
            &[A::LookBack],
            &[A::Acknowledge],
            &[A::Back],
            &[A::Story],
            &[A::Figures],
        ],
        Context::Interfaces => &[
            &[A::Open],
            &[A::Worst],
            &[A::NextPane],
            &[A::Filter],
            &[A::Devices],
            &[A::Acknowledge],
            &[A::Sort],
            &[A::Retrain],
        ],
        Context::Incidents => &[
            &[A::Open],
            &[A::Fold],
            &[A::NextPane],
            &[A::Acknowledge],
            &[A::Story],
            &[A::Listed],
            &[A::Filter],
            &[A::Retrain],
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_has_keys_one_line_and_a_name_of_its_own() {
        let mut seen = std::collections::HashSet::new();
        for binding in BINDINGS {
            assert!(
                seen.insert(format!("{:?}", binding.action)) && seen.insert(binding.name.to_owned()),
                "{}",
                binding.name
            );
            assert!(!binding.keys.is_empty() && !binding.contexts.is_empty() && !binding.short.is_empty());
        }
        for context in CONTEXTS {
            for action in hints(context, false).iter().chain(hints(context, true)).copied().flatten() {
                assert!(BINDINGS.iter().any(|b| b.action == *action), "{action:?}");
            }
        }
    }
}
