//! Going about: through the lists, from an incident to its interface, through time, into things and back.

use super::App;
use crate::console::draw;
use crate::console::event::Effect;
use crate::console::fleet::Lines;
use crate::console::keymap::{Action, Context};
use crate::engine::{Command, TrainingView};
use crate::series::{Step, Timestamp};

impl App {
    pub(super) fn page(&self) -> isize {
        let panes = self.panes();
        let lines = match self.context() {
            Context::Interfaces => panes.list_lines(),
            Context::Incidents => panes.incident_lines(),
            Context::Overlay | Context::Dialog => usize::from(self.size.1.saturating_sub(2)),
        };
        isize::try_from(lines.saturating_sub(1).max(1)).unwrap_or(1)
    }

    pub(super) fn step(&mut self, lines: isize) {
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
            Context::Dialog => self.retraining.step(lines > 0),
            Context::Overlay => {
                let wanted = self.overlay_offset.saturating_add_signed(lines);
                self.overlay_offset = wanted.min(draw::last_offset(self));
            }
        }
    }

    pub(super) fn first(&mut self) {
        match self.context() {
            Context::Interfaces => self.fleet.to_top(&self.snapshot),
            Context::Incidents | Context::Overlay | Context::Dialog => self.step(isize::MIN),
        }
    }

    pub(super) fn next_pane(&mut self) {
        self.focus = match self.focus {
            Context::Interfaces => Context::Incidents,
            _ => Context::Interfaces,
        };
        if self.focus == Context::Incidents && !self.panes().detail.is_empty() {
            self.choose_incident();
        }
    }

    /// Chooses the interface of the incident that the cursor is on, and its time.
    pub(super) fn choose_incident(&mut self) {
        if let Some(at) = self.choose_interface_of_incident() {
            self.viewpoint.put(at, self.step_of_choice(), self.newest());
        }
    }

    /// Chooses the interface of the incident that the cursor is on, and says when that was at its worst.
    pub(super) fn choose_interface_of_incident(&mut self) -> Option<Timestamp> {
        let line = self.anomalies.lines().get(self.anomalies.cursor()?)?;
        let worst = self.anomalies.summary(line, &self.snapshot)?.worst;
        let (interface, at) = (worst.interface, worst.peak_at);
        let lines = self.panes().list_lines();
        self.fleet.choose(interface, &self.snapshot, lines);
        Some(at)
    }

    /// Shows the incident that the cursor is on: its interface, its time, its story.
    pub(super) fn show_incident(&mut self) {
        self.focus = Context::Incidents;
        self.choose_incident();
        // beside the list there is a detail already
        self.detail = self.detail || self.panes().detail.is_empty();
    }

    pub(super) fn worst(&mut self) {
        let lines = self.panes().incident_lines();
        if self.anomalies.to_worst(&self.snapshot, lines) {
            self.show_incident();
        } else {
            self.message = Some("nothing is open that nobody has acknowledged".to_owned());
        }
    }

    pub(super) fn next_incident(&mut self, lines: isize) {
        let height = self.panes().incident_lines();
        // where nobody was at the list, its first line is the next one
        if self.focus == Context::Incidents || lines < 0 {
            self.anomalies.step(lines, &self.snapshot, height);
        }
        if self.anomalies.cursor().is_some() {
            self.show_incident();
        }
    }

    /// Shows the story of what is chosen alone, or its chart again.
    pub(super) fn toggle_story(&mut self) {
        if self.detail && self.story_alone {
            self.story_alone = false;
            return;
        }
        if self.focus == Context::Incidents {
            self.choose_incident();
        }
        let Some(members) = self.story().map(|story| story.members.len()) else {
            self.message = Some("no anomaly is open on this interface".to_owned());
            return;
        };
        (self.detail, self.story_alone) = (true, members > 1);
        if members == 1 {
            self.message = Some("this anomaly is in no story: it stands alone".to_owned());
        }
    }

    /// Moves the time cursor by columns of the chart; where none is shown, opens or folds.
    pub(super) fn step_time(&mut self, columns: i64) {
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

    pub(super) fn look_back(&mut self, effects: &mut Vec<Effect>) {
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

    pub(super) fn open(&mut self) {
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

    pub(super) fn fold(&mut self) {
        let panes = self.panes();
        if self.focus == Context::Incidents {
            self.anomalies.fold(&self.snapshot, panes.incident_lines());
        } else {
            self.fleet.fold(&self.snapshot, panes.list_lines());
        }
    }

    pub(super) fn back(&mut self, effects: &mut Vec<Effect>) {
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

    pub(super) fn toggle_devices(&mut self) {
        self.detail = false;
        self.focus = Context::Interfaces;
        let lines = self.panes().list_lines();
        self.fleet.toggle_lines(&self.snapshot, lines);
    }
}
