//! The console's state and how events change it. Nothing here reads or writes anything outside:
//! what is to be done comes back as effects.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::layout::Rect;

use super::Options;
use super::anomalies::Anomalies;
use super::event::{Effect, Event};
use super::export;
use super::filter::{Filter, state_word};
use super::fleet::{Fleet, Lines};
use super::format;
use super::glyph::Glyphs;
use super::key::Key;
use super::keymap::{Action, Context};
use super::layout::{Panes, Wish};
use super::retrain::Choice;
use super::story::Story;
use super::theme::Theme;
use super::viewpoint::Viewpoint;
use crate::engine::{Act, COMPANIONS, Command, IncidentId, IncidentView, InterfaceView, Look, Snapshot, TrainingView};
use crate::journal::{Named, Subject};
use crate::series::{InterfaceName, Step, Timestamp};

/// What lies over the panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overlay {
    /// All keys.
    Help,
    /// Refused rows, and notices about files.
    Notices,
    /// What the chosen interface is like.
    Figures,
    /// The dialog for a new model.
    Retrain,
}

/// What is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typing {
    /// The filter, which is in force while it is typed.
    Filter,
    /// The name of a file.
    Export(String),
    /// A note on an incident.
    Note(IncidentId, String),
    /// For how long these are muted.
    Mute(Vec<Subject>, String),
    /// Whether an interface is gone for good.
    Retire(InterfaceName, String),
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
    /// Whether the detail shows the story alone.
    pub story_alone: bool,
    /// Which time the detail shows.
    pub viewpoint: Viewpoint,
    /// What is being typed.
    pub typing: Option<Typing>,
    /// Something that a person should read once.
    pub message: Option<String>,
    /// What the dialog for a new model has chosen.
    pub retraining: Choice,
    /// Whether the engine's thread has ended.
    pub engine_ended: bool,
    /// The moment of the newest event.
    pub now: Instant,
    /// Whether the outcome of the last training run was put away.
    outcome_read: bool,
    /// Incidents that have rung.
    rung: HashSet<IncidentId>,
    size: (u16, u16),
    started: (Instant, Timestamp),
    asked: Option<Look>,
}

impl App {
    /// A console of this size over `snapshot`. `now` and `wall` are the same moment.
    pub fn new(options: Options, snapshot: Arc<Snapshot>, size: (u16, u16), now: Instant, wall: Timestamp) -> Self {
        let rung = ringing(&snapshot).collect();
        let mut app = Self {
            options,
            snapshot,
            fleet: Fleet::new(),
            anomalies: Anomalies::default(),
            focus: Context::Interfaces,
            overlay: None,
            overlay_offset: 0,
            detail: false,
            story_alone: false,
            viewpoint: Viewpoint::default(),
            typing: None,
            message: None,
            retraining: Choice::default(),
            engine_ended: false,
            now,
            outcome_read: false,
            rung,
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
        Theme { colors: self.options.colors, palette: self.options.palette }
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
        match self.overlay {
            Some(Overlay::Retrain) => Context::Dialog,
            Some(_) => Context::Overlay,
            None => self.focus,
        }
    }

    /// A moment in few characters, in the zone of the screen.
    pub fn when(&self, time: Timestamp) -> String {
        let zone = &self.options.zone;
        format::when(zone.shown(time), self.snapshot.now.map(|now| zone.shown(now)))
    }

    /// The newest moment that is shown.
    fn newest(&self) -> Timestamp {
        self.snapshot.now.unwrap_or(Timestamp::from_seconds(0))
    }

    /// The step of the chosen interface, once it is known.
    pub fn step_of_choice(&self) -> Option<Step> {
        self.choice().and_then(|i| i.step)
    }

    fn choice(&self) -> Option<&InterfaceView> {
        self.fleet.selected().and_then(|id| self.fleet.interface(&self.snapshot, id))
    }

    /// What the chosen interface is shown in: the incidents of the cursor's line, where the keys go
    /// there, else the interface's own open incident; with those of its story.
    pub fn story(&self) -> Option<Story<'_>> {
        let chosen = self.fleet.selected()?;
        let first = match self.focus {
            Context::Incidents => self.anomalies.at_cursor(&self.snapshot).into_iter().next()?,
            _ => {
                let mut own = self.snapshot.incidents.iter().map(Arc::as_ref).filter(|i| i.interface == chosen);
                own.find(|i| i.end.is_none())?
            }
        };
        let story = match first.story {
            Some(id) => Story::of(id, &self.snapshot)?,
            None => Story::from_members(vec![first])?,
        };
        story.interfaces().contains(&chosen).then_some(story)
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
        // on a slow line the age is not shown: only when there were no rows for too long
        let wait = |age| if self.options.slow_line { Duration::from_secs(30) } else { format::age_changes_in(age) };
        self.row_age().map(wait)
    }

    /// Takes in an event.
    pub fn update(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        self.now = now;
        let mut effects = Vec::new();
        match event {
            Event::Snapshot(snapshot) => self.take_snapshot(snapshot, &mut effects),
            Event::EngineEnded => self.engine_ended = true,
            Event::Key(key) if self.typing.is_some() => self.type_key(key, &mut effects),
            Event::Key(key) => {
                if let Some(action) = self.options.keys.action(key, self.context(), self.options.read_only) {
                    self.act(action, &mut effects);
                }
            }
            Event::Resize(width, height) => self.size = (width, height),
            Event::Tick => {}
            Event::Exported { path, result } => {
                self.message = Some(match result {
                    Ok(()) => format!("written to {}", path.display()),
                    Err(why) => format!("{}: {why}", path.display()),
                });
            }
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

    fn take_snapshot(&mut self, snapshot: Arc<Snapshot>, effects: &mut Vec<Effect>) {
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
            self.ring(effects);
        }
    }

    /// Rings for what has begun to ring; not for what is read at the start, nor for the past.
    fn ring(&mut self, effects: &mut Vec<Effect>) {
        let mut fresh = false;
        for id in ringing(&self.snapshot) {
            fresh |= self.rung.insert(id);
        }
        if fresh && self.options.bell && self.snapshot.source.loading.is_none() && !self.snapshot.looks_back {
            effects.push(Effect::Ring);
        }
    }

    /// Asks for the chosen interface's rows, where that was not asked yet.
    fn ask_detail(&mut self, panes: &Panes, effects: &mut Vec<Effect>) {
        let Some(interface) = self.fleet.selected() else { return };
        let with = self.story().filter(|s| s.members.len() > 1).map(|s| s.interfaces()).unwrap_or_default();
        let wanted = Look {
            interface,
            span: self.viewpoint.span(self.step_of_choice()),
            until: self.viewpoint.end(),
            points: panes.points(self.area()),
            with: with.into_iter().take(COMPANIONS).collect(),
            portrait: self.overlay == Some(Overlay::Figures),
        };
        if self.asked.as_ref() != Some(&wanted) && !self.engine_ended {
            self.asked = Some(wanted.clone());
            effects.push(Effect::Send(Command::Look(Some(wanted))));
        }
    }

    fn type_key(&mut self, key: Key, effects: &mut Vec<Effect>) {
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
    fn is_watched(&self, path: &Path) -> bool {
        let parent = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let (parent, dir) = (parent.canonicalize(), self.snapshot.source.dir.canonicalize());
        matches!((parent, dir), (Ok(a), Ok(b)) if a == b)
    }

    fn type_filter(&mut self, key: Key, effects: &mut Vec<Effect>) {
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
            Action::Fold => self.fold(),
            Action::Back => self.back(effects),
            Action::Worst => self.worst(),
            Action::NextIncident => self.next_incident(1),
            Action::PreviousIncident => self.next_incident(-1),
            Action::Story => self.toggle_story(),
            Action::Listed => {
                let lines = self.panes().incident_lines();
                self.anomalies.list_next(&self.snapshot, lines);
                self.focus = Context::Incidents;
            }
            Action::Earlier => self.step_time(-1),
            Action::Later => self.step_time(1),
            Action::MuchEarlier => self.step_time(-10),
            Action::MuchLater => self.step_time(10),
            Action::ZoomIn => self.viewpoint.zoom(false, self.step_of_choice(), self.newest()),
            Action::ZoomOut => self.viewpoint.zoom(true, self.step_of_choice(), self.newest()),
            Action::LookBack => self.look_back(effects),
            Action::Filter => {
                self.focus = Context::Interfaces;
                self.detail = false;
                self.typing = Some(Typing::Filter);
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
            Action::Retrain => {
                self.outcome_read |= matches!(self.snapshot.training, TrainingView::Ended(_));
                self.show(Overlay::Retrain);
            }
            Action::ChangeBack => self.retraining.change(false),
            Action::Change => self.retraining.change(true),
            Action::Start => self.retrain(effects),
            Action::Leave => self.overlay = None,
            Action::Note => self.begin_note(),
            Action::Mute => self.mute(effects),
            Action::Retire => self.retire(effects),
            Action::CancelTraining => {
                if matches!(self.snapshot.training, TrainingView::Running(_)) {
                    effects.push(Effect::Send(Command::CancelTraining));
                }
            }
            Action::Copy => effects.extend(self.words_of_choice().map(Effect::Copy)),
            Action::Export => self.typing = Some(Typing::Export(String::new())),
            Action::Pin => {
                let lines = self.panes().list_lines();
                self.fleet.pin(&self.snapshot, lines);
            }
            Action::Heat => self.fleet.toggle_heat(),
            Action::Notices => self.show(Overlay::Notices),
            Action::Figures => self.show(Overlay::Figures),
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
            Context::Overlay | Context::Dialog => usize::from(self.size.1 / 2),
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
            Context::Dialog => self.retraining.on_history = lines > 0,
            // drawing stops at the overlay's end
            Context::Overlay => self.overlay_offset = self.overlay_offset.saturating_add_signed(lines).min(9_999),
        }
    }

    fn first(&mut self) {
        match self.context() {
            Context::Interfaces => self.fleet.to_top(&self.snapshot),
            Context::Incidents | Context::Overlay | Context::Dialog => self.step(isize::MIN),
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

    /// Chooses the interface of the incident that the cursor is on, and its time.
    fn choose_incident(&mut self) {
        let line = self.anomalies.cursor().and_then(|line| self.anomalies.lines().get(line));
        let summary = line.and_then(|line| self.anomalies.summary(line, &self.snapshot));
        if let Some((interface, at)) = summary.map(|s| (s.worst.interface, s.worst.peak_at)) {
            let lines = self.panes().list_lines();
            self.fleet.choose(interface, &self.snapshot, lines);
            self.viewpoint.put(at, self.step_of_choice(), self.newest());
        }
    }

    /// Shows the incident that the cursor is on: its interface, its time, its story.
    fn show_incident(&mut self) {
        self.focus = Context::Incidents;
        self.choose_incident();
        // beside the list there is a detail already
        self.detail = self.detail || self.panes().detail.is_empty();
    }

    fn worst(&mut self) {
        let lines = self.panes().incident_lines();
        if self.anomalies.to_worst(&self.snapshot, lines) {
            self.show_incident();
        } else {
            self.message = Some("nothing is open that nobody has acknowledged".to_owned());
        }
    }

    fn next_incident(&mut self, lines: isize) {
        let height = self.panes().incident_lines();
        // where nobody was at the list, its first line is the next one
        if self.focus == Context::Incidents || lines < 0 {
            self.anomalies.step(lines, &self.snapshot, height);
        }
        if self.anomalies.cursor().is_some() {
            self.show_incident();
        }
    }

    /// What is chosen, as a sentence that makes sense elsewhere.
    fn words_of_choice(&mut self) -> Option<String> {
        let words = match self.story() {
            Some(story) => {
                let ids: Vec<String> = story.members.iter().take(3).map(|i| i.id.to_string()).collect();
                format!("{} ({})", story.sentence(self), ids.join(" "))
            }
            None => {
                let view = self.choice()?;
                let now = view.last.map_or_else(|| "no rows".to_owned(), |[_, mean]| format::units(mean));
                let expected = view.expected.map(|[_, e]| format!(", expected {}", format::units(e)));
                format!("{}: {}, {now}{}", view.name, state_word(view.state), expected.unwrap_or_default())
            }
        };
        self.message = Some(format!("copied, where the terminal can: {words}"));
        Some(words)
    }

    fn toggle_story(&mut self) {
        if self.detail && self.story_alone {
            self.story_alone = false;
        } else if self.focus == Context::Incidents && self.anomalies.cursor().is_some() {
            self.choose_incident();
            (self.detail, self.story_alone) = (true, true);
        } else if self.story().is_some() {
            (self.detail, self.story_alone) = (true, true);
        } else {
            self.message = Some("no anomaly is open on this interface".to_owned());
        }
    }

    /// Moves the time cursor by columns of the chart; where none is shown, opens or folds.
    fn step_time(&mut self, columns: i64) {
        if self.panes().detail.is_empty() {
            let device = self.fleet.device_at_cursor(&self.snapshot);
            let unfolded = device.is_some_and(|d| self.fleet.is_unfolded(&d.host));
            match (self.focus, columns > 0, device.is_some()) {
                (Context::Interfaces, opens, true) if opens != unfolded => self.fold(),
                (Context::Interfaces, false, false) | (Context::Incidents, false, _) => self.fold(),
                (_, true, false) | (Context::Incidents, true, true) => self.open(),
                _ => {}
            }
            return;
        }
        let detail = self.snapshot.detail.as_deref().filter(|d| Some(d.id) == self.fleet.selected());
        let spacing = detail.map(|d| d.spacing).or(self.step_of_choice().map(Step::seconds));
        let (Some(spacing), Some((first, _))) = (spacing, self.choice().and_then(|i| i.span)) else { return };
        let newest = self.newest();
        self.viewpoint.step(columns * spacing, first, self.step_of_choice(), newest);
    }

    fn look_back(&mut self, effects: &mut Vec<Effect>) {
        if self.snapshot.looks_back {
            effects.push(Effect::Send(Command::LookBack(None)));
            return;
        }
        match self.viewpoint.cursor().filter(|at| *at < self.newest()) {
            Some(at) => effects.push(Effect::Send(Command::LookBack(Some(at)))),
            None => {
                let key = |action| self.options.keys.key_of(action);
                let (earlier, open) = (key(Action::Earlier), key(Action::Open));
                self.message =
                    Some(format!("put the time cursor first: {open} opens a chart, {earlier} goes back in it"));
            }
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
                self.show_incident();
                self.detail = true;
            }
            _ if self.fleet.device_at_cursor(&self.snapshot).is_some() && !self.detail => self.fold(),
            _ => self.detail = !self.detail && self.fleet.selected().is_some(),
        }
    }

    fn fold(&mut self) {
        let panes = self.panes();
        if self.focus == Context::Incidents {
            self.anomalies.fold(&self.snapshot, panes.incident_lines());
        } else {
            self.fleet.fold(&self.snapshot, panes.list_lines());
        }
    }

    fn back(&mut self, effects: &mut Vec<Effect>) {
        if self.snapshot.looks_back {
            effects.push(Effect::Send(Command::LookBack(None)));
        } else if self.detail && self.story_alone {
            self.story_alone = false;
        } else if self.detail {
            self.detail = false;
            self.viewpoint.follow();
        } else if self.viewpoint.follow() {
            // the time cursor beside the list is put away
        } else if self.message.is_some() {
            self.message = None;
        } else if matches!(self.snapshot.training, TrainingView::Ended(_)) && !self.outcome_read {
            self.outcome_read = true;
        } else if !self.fleet.filter.is_empty() {
            self.set_filter("");
        } else if self.fleet.lines == Lines::Devices {
            self.toggle_devices();
        }
    }

    fn toggle_devices(&mut self) {
        self.detail = false;
        self.focus = Context::Interfaces;
        let lines = self.panes().list_lines();
        self.fleet.toggle_lines(&self.snapshot, lines);
    }

    /// The incidents of the cursor's line, or the chosen interface's open ones.
    fn incidents_of_choice(&self) -> Vec<&IncidentView> {
        match self.focus {
            Context::Incidents => self.anomalies.at_cursor(&self.snapshot),
            _ if self.fleet.device_at_cursor(&self.snapshot).is_some() && !self.detail => Vec::new(),
            _ => {
                let chosen = self.fleet.selected();
                let all = self.snapshot.incidents.iter().map(Arc::as_ref);
                all.filter(|i| i.end.is_none() && Some(i.interface) == chosen).collect()
            }
        }
    }

    fn begin_note(&mut self) {
        let worst = self.incidents_of_choice().into_iter().max_by(|a, b| a.peak.total_cmp(&b.peak)).map(|i| i.id);
        match worst {
            Some(id) => self.typing = Some(Typing::Note(id, String::new())),
            None => self.message = Some("no anomaly to note something on".to_owned()),
        }
    }

    fn mute(&mut self, effects: &mut Vec<Effect>) {
        let subjects: Vec<(Subject, bool)> = match self.focus {
            Context::Incidents => {
                let incident = |i: &IncidentView| (Subject::Incident { incident: i.id }, i.muted.is_some());
                self.incidents_of_choice().into_iter().map(incident).collect()
            }
            _ => {
                let interface = |i: &InterfaceView| (Subject::Interface(Named::from(&i.name)), i.muted.is_some());
                self.choice().map(interface).into_iter().collect()
            }
        };
        if !subjects.is_empty() && subjects.iter().all(|(_, muted)| *muted) {
            let unmute = |(what, _)| Effect::Send(Command::Mark(Act::Unmute { what }));
            effects.extend(subjects.into_iter().map(unmute));
        } else if !subjects.is_empty() {
            let subjects = subjects.into_iter().map(|(what, _)| what).collect();
            self.typing = Some(Typing::Mute(subjects, "8h".to_owned()));
        }
    }

    fn retire(&mut self, effects: &mut Vec<Effect>) {
        let Some(view) = self.choice() else { return };
        let (name, retired) = (view.name.clone(), view.retired);
        if retired {
            effects.push(Effect::Send(Command::Mark(Act::Unretire { interface: Named::from(&name) })));
        } else {
            self.typing = Some(Typing::Retire(name, String::new()));
        }
    }

    /// What was typed is done.
    fn finish(&mut self, typing: Typing, effects: &mut Vec<Effect>) {
        let mut mark = |act| effects.push(Effect::Send(Command::Mark(act)));
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
                    mark(Act::Note { incident, text });
                }
            }
            Typing::Mute(subjects, time) => match format::seconds_of(&time) {
                Some(seconds) => {
                    let until = self.wall(self.now).plus(seconds);
                    subjects.into_iter().for_each(|what| mark(Act::Mute { what, until }));
                }
                None => self.message = Some(format!("{time:?} is no time: write 30m, 8h, 2d or 1w")),
            },
            Typing::Retire(name, answer) if answer == "yes" => mark(Act::Retire { interface: Named::from(&name) }),
            Typing::Retire(name, _) => self.message = Some(format!("{name} was not retired")),
        }
    }

    fn acknowledge(&mut self, effects: &mut Vec<Effect>) {
        if self.snapshot.looks_back {
            self.message = Some("this is how it was: go back to now before you acknowledge".to_owned());
            return;
        }
        let incidents = self.incidents_of_choice();
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
            let key = self.options.keys.key_of(Action::CancelTraining);
            self.message = Some(format!("a training run is under way: {key} cancels it"));
        } else {
            self.outcome_read = true;
            effects.push(Effect::Send(Command::Retrain(self.retraining.wanted())));
        }
    }
}

/// Incidents that call somebody.
fn ringing(snapshot: &Snapshot) -> impl Iterator<Item = IncidentId> + '_ {
    snapshot.incidents.iter().filter(|i| i.calls()).map(|i| i.id)
}
