//! The console's state and how events change it. Nothing here reads or writes anything outside:
//! what is to be done comes back as effects. Here is the state and how the engine's pictures change it; what keys do
//! is in a file for each reason to do it.

mod acts;
mod mouse;
mod moves;
mod typing;

pub use typing::{MUTED_FOR, Typing};

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ratatui::layout::Rect;

use super::Options;
use super::anomalies::Anomalies;
use super::event::{Effect, Event};
use super::filter::Filter;
use super::fleet::Fleet;
use super::glyph::Glyphs;
use super::keymap::Context;
use super::layout::{Panes, Wish};
use super::retrain::Choice;
use super::story::Story;
use super::theme::Theme;
use super::viewpoint::Viewpoint;
use crate::engine::{
    COMPANIONS, Command, IncidentId, IncidentView, InterfaceView, Look, Snapshot, StoryId, TrainingView,
};
use crate::format;
use crate::series::{DAY, InterfaceName, Step, Timestamp};

/// Seconds after which a feed has stopped at the earliest, as `triage` has it.
pub const STALE: i64 = 900;
/// What is said where the engine does not take a command.
const BUSY: &str = "the engine is busy: press the key again";

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
        let rung = ringing(&snapshot).map(|incident| incident.id).collect();
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
                typing: self.typing.is_some(),
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

    /// A moment that is yet to come, by the clock: its time, where that is within a day.
    pub fn until(&self, time: Timestamp) -> String {
        let shown = self.options.zone.shown(time);
        if time.since(self.wall(self.now)) < DAY { format::clock(shown) } else { format::day(shown) }
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

    /// The name of the chosen interface.
    pub fn chosen_name(&self) -> Option<&InterfaceName> {
        self.choice().map(|i| &i.name)
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
        // where the age is not shown, what time changes is that there were no rows for too long, or that
        // what is newest is of another day
        let wait = |age| if self.shows_row_age() { format::age_changes_in(age) } else { Duration::from_secs(30) };
        self.row_age().map(wait)
    }

    /// Whether it is shown how long ago the last new row came: not on a slow line, not while the directory is
    /// read, and not where its rows end in the past.
    pub fn shows_row_age(&self) -> bool {
        !self.options.slow_line && self.snapshot.source.loading.is_none() && !self.is_past()
    }

    /// Whether the newest slot lies in the past: an archive is looked at, or a collector stopped before the console
    /// started. Where rows do come, though their times are those of another zone, only what is a day old is past.
    pub fn is_past(&self) -> bool {
        let step = self.fleet.shortest_step.map_or(0, Step::seconds);
        let most = if self.snapshot.source.fresh { DAY } else { STALE };
        let old = |now| self.wall(self.now).since(now) > most.max(3 * step);
        self.snapshot.newest.is_some_and(old)
    }

    /// Takes in an event.
    pub fn update(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        self.now = now;
        let mut effects = Vec::new();
        let before = self.panes();
        if matches!(event, Event::Key(_)) {
            // the key is pressed again, or another one
            self.message.take_if(|message| message == BUSY);
        }
        match event {
            Event::Snapshot(snapshot) => self.take_snapshot(snapshot, &mut effects),
            Event::EngineEnded => self.engine_ended = true,
            Event::Key(key) if self.typing.is_some() => self.type_key(key, &mut effects),
            Event::Key(key) => {
                if let Some(action) = self.options.keys.action(key, self.context(), self.options.read_only) {
                    self.act(action, &mut effects);
                }
            }
            Event::Mouse(mouse) => self.point(mouse),
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
            Event::NotTaken(_) => self.message = Some(BUSY.to_owned()),
        }
        // the panes may have another height now, by another size or since a chart was opened or closed
        let panes = self.panes();
        self.fleet.scroll.grow(panes.list_lines().saturating_sub(before.list_lines()));
        self.anomalies.scroll.grow(panes.incident_lines().saturating_sub(before.incident_lines()));
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
            || !Arc::ptr_eq(&before.pins, &self.snapshot.pins)
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
        let with_one_that_rang = self.snapshot.incidents.iter().filter(|i| self.rung.contains(&i.id));
        let stories: HashSet<StoryId> = with_one_that_rang.filter_map(|i| i.story).collect();
        let mut fresh = false;
        for incident in ringing(&self.snapshot) {
            let told = incident.story.is_some_and(|story| stories.contains(&story));
            fresh |= self.rung.insert(incident.id) && !told;
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

    fn set_filter(&mut self, text: &str) {
        self.fleet.filter = Filter::new(text);
        self.arrange();
    }

    fn arrange(&mut self) {
        let lines = self.panes().list_lines();
        self.fleet.arrange(&self.snapshot, lines);
    }
}

/// Incidents that call somebody.
fn ringing(snapshot: &Snapshot) -> impl Iterator<Item = &IncidentView> {
    snapshot.incidents.iter().map(Arc::as_ref).filter(|i| i.calls())
}
