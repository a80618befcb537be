//! The console's state and how events change it. Nothing here reads or writes anything outside:
//! what is to be done comes back as effects.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::layout::Rect;

use super::Options;
use super::anomalies::Anomalies;
use super::event::{Effect, Event};
use super::filter::Filter;
use super::fleet::{Fleet, Lines, Sort};
use super::format;
use super::glyph::Glyphs;
use super::key::Key;
use super::keymap::{self, Action, Context};
use super::layout::{Panes, Wish};
use super::theme::Theme;
use crate::engine::{Act, Command, IncidentView, Look, Snapshot, TrainingView};
use crate::series::Timestamp;

/// What lies over the panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// All keys.
    Help,
    /// Refused rows, and notices about files.
    Notices,
}

/// Everything that the screen is drawn from.
#[derive(Debug)]
pub struct App {
    /// As the console was started.
    pub options: Options,
    /// The newest picture.
    pub snapshot: Arc<Snapshot>,
    /// The list of interfaces or devices.
    pub fleet: Fleet,
    /// The list of incidents.
    pub anomalies: Anomalies,
    /// The list that has the keys.
    pub focus: Context,
    /// What lies over the panes.
    pub overlay: Option<Overlay>,
    /// First line of the overlay.
    pub overlay_offset: usize,
    /// Whether the detail was opened in full.
    pub detail: bool,
    /// Whether a filter is being typed.
    pub typing: bool,
    /// Something that a person should read once.
    pub message: Option<String>,
    /// Whether the engine's thread has ended.
    pub engine_ended: bool,
    /// The moment of the newest event.
    pub now: Instant,
    /// Whether the outcome of the last training run was put away.
    outcome_read: bool,
    size: (u16, u16),
    started: (Instant, Timestamp),
    asked: Option<Look>,
}

impl App {
    /// A console of this size over `snapshot`. `now` and `wall` are the same moment.
    pub fn new(options: Options, snapshot: Arc<Snapshot>, size: (u16, u16), now: Instant, wall: Timestamp) -> Self {
        let mut app = Self {
            options,
            snapshot,
            fleet: Fleet::new(),
            anomalies: Anomalies::default(),
            focus: Context::Interfaces,
            overlay: None,
            overlay_offset: 0,
            detail: false,
            typing: false,
            message: None,
            engine_ended: false,
            now,
            outcome_read: false,
            size,
            started: (now, wall),
            asked: None,
        };
        let panes = app.panes();
        app.fleet.renew(&app.snapshot, panes.list_lines());
        app.anomalies.renew(&app.snapshot, panes.incident_lines());
        app
    }

    /// The characters to draw with.
    pub fn glyphs(&self) -> Glyphs {
        Glyphs { ascii: self.options.ascii }
    }

    /// The looks to draw with.
    pub fn theme(&self) -> Theme {
        Theme { colors: self.options.colors }
    }

    /// The whole screen.
    pub fn area(&self) -> Rect {
        Rect::new(0, 0, self.size.0, self.size.1)
    }

    /// How the screen is divided now.
    pub fn panes(&self) -> Panes {
        Panes::new(
            self.area(),
            Wish {
                focus: self.focus,
                detail: self.detail,
                status: self.message.is_some() || self.shows_training(),
                incidents: self.anomalies.lines().len(),
            },
        )
    }

    /// Whether the training run, or how it ended, is on the screen.
    pub fn shows_training(&self) -> bool {
        match self.snapshot.training {
            TrainingView::Idle => false,
            TrainingView::Running(_) => true,
            TrainingView::Ended(_) => !self.outcome_read,
        }
    }

    /// The context of the next key.
    pub fn context(&self) -> Context {
        if self.overlay.is_some() { Context::Overlay } else { self.focus }
    }

    /// How long ago the last new row came.
    pub fn row_age(&self) -> Option<Duration> {
        self.snapshot.source.last_row_at.map(|at| self.now.saturating_duration_since(at))
    }

    /// The clock's time at a moment.
    pub fn wall(&self, at: Instant) -> Timestamp {
        let (instant, wall) = self.started;
        let seconds = |d: Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
        if at >= instant {
            wall.plus(seconds(at.duration_since(instant)))
        } else {
            wall.plus(-seconds(instant.duration_since(at)))
        }
    }

    /// How long until time alone changes what is on the screen.
    pub fn next_tick(&self) -> Option<Duration> {
        self.row_age().map(format::age_changes_in)
    }

    /// Takes in an event.
    pub fn update(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        self.now = now;
        let mut effects = Vec::new();
        match event {
            Event::Snapshot(snapshot) => self.take_snapshot(snapshot),
            Event::EngineEnded => self.engine_ended = true,
            Event::Key(key) if self.typing => self.type_filter(key, &mut effects),
            Event::Key(key) => {
                if let Some(action) = keymap::action(key, self.context(), self.options.read_only) {
                    self.act(action, &mut effects);
                }
            }
            Event::Resize(width, height) => self.size = (width, height),
            Event::Tick => {}
            Event::NotTaken(Command::Look(_)) => {
                // asked again with the next event
                self.asked = None;
                return effects;
            }
            Event::NotTaken(_) => self.message = Some("the engine is busy: press the key again".to_owned()),
        }
        // the panes may have another height now
        let panes = self.panes();
        self.fleet.scroll.show(self.fleet.rows().len(), panes.list_lines());
        self.anomalies.scroll.show(self.anomalies.lines().len(), panes.incident_lines());
        self.ask_detail(&panes, &mut effects);
        effects
    }

    fn take_snapshot(&mut self, snapshot: Arc<Snapshot>) {
        let before = std::mem::replace(&mut self.snapshot, snapshot);
        if matches!(self.snapshot.training, TrainingView::Running(_)) {
            self.outcome_read = false;
        }
        let panes = self.panes();
        if !Arc::ptr_eq(&before.interfaces, &self.snapshot.interfaces)
            || !Arc::ptr_eq(&before.devices, &self.snapshot.devices)
        {
            self.fleet.renew(&self.snapshot, panes.list_lines());
        }
        if !Arc::ptr_eq(&before.incidents, &self.snapshot.incidents) {
            self.anomalies.unattended = self.focus != Context::Incidents;
            self.anomalies.renew(&self.snapshot, panes.incident_lines());
        }
    }

    /// Asks for the chosen interface's rows, where that was not asked yet.
    fn ask_detail(&mut self, panes: &Panes, effects: &mut Vec<Effect>) {
        let Some(interface) = self.fleet.selected() else { return };
        let points = panes.points(self.area());
        let step = self.fleet.interface(&self.snapshot, interface).and_then(|i| i.step);
        let span = step.map(|step| step.seconds() * i64::try_from(points).unwrap_or(i64::MAX));
        let wanted = Look { interface, span, until: None, points, with: Vec::new() };
        if self.asked.as_ref() != Some(&wanted) && !self.engine_ended {
            self.asked = Some(wanted.clone());
            effects.push(Effect::Send(Command::Look(Some(wanted))));
        }
    }

    fn type_filter(&mut self, key: Key, effects: &mut Vec<Effect>) {
        let mut text = self.fleet.filter.text().to_owned();
        match key {
            Key::Ctrl('c') => return effects.push(Effect::Quit),
            Key::Ctrl('z') => return effects.push(Effect::Suspend),
            Key::Enter => {
                self.typing = false;
                return;
            }
            Key::Esc => {
                self.typing = false;
                text.clear();
            }
            Key::Backspace => {
                if text.pop().is_none() {
                    self.typing = false;
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

    fn set_filter(&mut self, text: &str) {
        self.fleet.filter = Filter::new(text);
        self.arrange();
    }

    fn arrange(&mut self) {
        let lines = self.panes().list_lines();
        self.fleet.arrange(&self.snapshot, lines);
    }

    fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        let page = self.page();
        match action {
            Action::Up => self.step(-1),
            Action::Down => self.step(1),
            Action::PageUp => self.step(-page),
            Action::PageDown => self.step(page),
            Action::First => self.first(),
            Action::Last => self.step(isize::MAX),
            Action::NextPane | Action::PreviousPane => self.next_pane(),
            Action::Open => self.open(),
            Action::Fold => {
                let lines = self.panes().incident_lines();
                self.anomalies.fold(&self.snapshot, lines);
            }
            Action::Back => self.back(),
            Action::Filter => {
                self.focus = Context::Interfaces;
                self.detail = false;
                self.typing = true;
            }
            Action::Sort => {
                self.fleet.sort = self.fleet.sort.next();
                self.fleet.reversed = false;
                self.arrange();
            }
            Action::Reverse => {
                self.fleet.reversed = !self.fleet.reversed;
                self.arrange();
            }
            Action::Devices => self.toggle_devices(),
            Action::Acknowledge => self.acknowledge(effects),
            Action::Retrain => self.retrain(effects),
            Action::CancelTraining => {
                if matches!(self.snapshot.training, TrainingView::Running(_)) {
                    effects.push(Effect::Send(Command::CancelTraining));
                }
            }
            Action::Notices => self.show(Overlay::Notices),
            Action::Help => self.show(Overlay::Help),
            Action::Close => self.overlay = None,
            Action::Repaint => effects.push(Effect::Repaint),
            Action::Suspend => effects.push(Effect::Suspend),
            Action::Quit | Action::QuitNow => effects.push(Effect::Quit),
        }
    }

    /// The same key that opens an overlay closes it.
    fn show(&mut self, overlay: Overlay) {
        self.overlay = if self.overlay == Some(overlay) { None } else { Some(overlay) };
        self.overlay_offset = 0;
    }

    fn page(&self) -> isize {
        let panes = self.panes();
        let lines = match self.context() {
            Context::Interfaces => panes.list_lines(),
            Context::Incidents => panes.incident_lines(),
            Context::Overlay => usize::from(self.size.1 / 2),
        };
        isize::try_from(lines.saturating_sub(1).max(1)).unwrap_or(1)
    }

    fn step(&mut self, lines: isize) {
        let panes = self.panes();
        match self.context() {
            Context::Interfaces => self.fleet.step(lines, &self.snapshot, panes.list_lines()),
            Context::Incidents => {
                self.anomalies.step(lines, &self.snapshot, panes.incident_lines());
                // the detail beside the list shows what is walked through
                if !panes.detail.is_empty() {
                    self.choose_incident();
                }
            }
            // drawing stops at the overlay's end
            Context::Overlay => self.overlay_offset = self.overlay_offset.saturating_add_signed(lines).min(9_999),
        }
    }

    fn first(&mut self) {
        match self.context() {
            Context::Interfaces => self.fleet.to_top(&self.snapshot),
            Context::Incidents | Context::Overlay => self.step(isize::MIN),
        }
    }

    fn next_pane(&mut self) {
        self.focus = match self.focus {
            Context::Interfaces => Context::Incidents,
            _ => Context::Interfaces,
        };
        if self.focus == Context::Incidents && !self.panes().detail.is_empty() {
            self.choose_incident();
        }
    }

    /// Chooses the interface of the incident that the cursor is on.
    fn choose_incident(&mut self) {
        let line = self.anomalies.cursor().and_then(|line| self.anomalies.lines().get(line));
        let summary = line.and_then(|line| self.anomalies.summary(line, &self.snapshot));
        if let Some(interface) = summary.map(|s| s.worst.interface) {
            let lines = self.panes().list_lines();
            self.fleet.choose(interface, &self.snapshot, lines);
        }
    }

    fn open(&mut self) {
        match self.focus {
            Context::Incidents => {
                if self.anomalies.cursor().is_none() {
                    return;
                }
                let lines = self.panes().incident_lines();
                self.anomalies.unfold(&self.snapshot, lines);
                self.choose_incident();
                // beside the list there is a detail already
                self.detail = self.detail || self.panes().detail.is_empty();
            }
            _ => match self.fleet.device_at_cursor(&self.snapshot) {
                Some(host) => {
                    self.fleet.device = Some(host);
                    self.fleet.lines = Lines::Interfaces;
                    self.arrange();
                }
                None => self.detail = !self.detail && self.fleet.selected().is_some(),
            },
        }
    }

    fn back(&mut self) {
        if self.detail {
            self.detail = false;
        } else if self.message.is_some() {
            self.message = None;
        } else if matches!(self.snapshot.training, TrainingView::Ended(_)) && !self.outcome_read {
            self.outcome_read = true;
        } else if !self.fleet.filter.is_empty() {
            self.set_filter("");
        } else if self.fleet.device.take().is_some() {
            self.fleet.lines = Lines::Devices;
            self.arrange();
        } else if self.fleet.lines == Lines::Devices {
            self.toggle_devices();
        }
    }

    fn toggle_devices(&mut self) {
        self.detail = false;
        self.focus = Context::Interfaces;
        self.fleet.device = None;
        self.fleet.lines = match self.fleet.lines {
            Lines::Interfaces => Lines::Devices,
            Lines::Devices => Lines::Interfaces,
        };
        if self.fleet.lines == Lines::Devices && self.fleet.sort == Sort::Error {
            self.fleet.sort = Sort::Score;
        }
        self.arrange();
        if self.fleet.lines == Lines::Devices {
            self.fleet.to_top(&self.snapshot);
        }
    }

    fn acknowledge(&mut self, effects: &mut Vec<Effect>) {
        let incidents: Vec<&IncidentView> = match self.focus {
            Context::Incidents => self.anomalies.at_cursor(&self.snapshot),
            _ if self.fleet.lines == Lines::Devices => Vec::new(),
            _ => {
                let chosen = self.fleet.selected();
                let all = self.snapshot.incidents.iter().map(Arc::as_ref);
                all.filter(|i| i.end.is_none() && Some(i.interface) == chosen).collect()
            }
        };
        if incidents.is_empty() {
            self.message = Some("nothing to acknowledge here".to_owned());
            return;
        }
        let acknowledged = incidents.iter().all(|i| i.acknowledged.is_some());
        let act = |incident| match acknowledged {
            true => Act::Unacknowledge { incident },
            false => Act::Acknowledge { incident },
        };
        effects.extend(
            incidents
                .iter()
                .filter(|i| i.acknowledged.is_some() == acknowledged)
                .map(|i| Effect::Send(Command::Mark(act(i.id)))),
        );
    }

    fn retrain(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.snapshot.training, TrainingView::Running(_)) {
            let key = keymap::key_of(Action::CancelTraining);
            self.message = Some(format!("a training run is under way: {key} cancels it"));
        } else {
            self.outcome_read = true;
            effects.push(Effect::Send(Command::Retrain));
        }
    }
}
