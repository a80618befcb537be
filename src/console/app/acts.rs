//! What each action of the table of keys does, and all that changes something outside of the screen.

use std::sync::Arc;

use super::{App, Overlay, Typing};
use crate::console::event::Effect;
use crate::console::keymap::{Action, Context};
use crate::engine::{Act, Command, IncidentView, InterfaceView, TrainingView};
use crate::format;
use crate::journal::{Named, Subject};
use crate::series::printable;

impl App {
    pub(super) fn act(&mut self, action: Action, effects: &mut Vec<Effect>) {
        let page = self.page();
        // in the list of anomalies the cursor says which interface is meant, also where no detail shows it
        let of_an_interface = [Action::Copy, Action::Pin, Action::Figures, Action::Retire, Action::Retrain];
        if self.context() == Context::Incidents && of_an_interface.contains(&action) {
            self.choose_interface_of_incident();
        }
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
            Action::Pin => self.pin(effects),
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
    pub(super) fn show(&mut self, overlay: Overlay) {
        self.overlay = if self.overlay == Some(overlay) { None } else { Some(overlay) };
        self.overlay_offset = 0;
    }

    /// What is chosen, as a sentence that makes sense elsewhere.
    pub(super) fn words_of_choice(&mut self) -> Option<String> {
        let words = match self.story() {
            Some(story) => {
                let ids: Vec<String> = story.members.iter().take(3).map(|i| i.id.to_string()).collect();
                format!("{} ({})", story.sentence(self), ids.join(" "))
            }
            None => {
                let view = self.choice()?;
                let now = view.last.map_or_else(|| "no rows".to_owned(), |[_, mean]| format::units(mean));
                let expected = view.expected.map(|[_, e]| format!(", expected {}", format::units(e)));
                format!("{}: {}, {now}{}", view.name, view.state.word(), expected.unwrap_or_default())
            }
        };
        // it may be put into a shell
        let words = printable(&words).into_owned();
        self.message = Some(format!("copied, where the terminal can: {words}"));
        Some(words)
    }

    /// The incidents of the cursor's line, or the chosen interface's open ones.
    pub(super) fn incidents_of_choice(&self) -> Vec<&IncidentView> {
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

    pub(super) fn begin_note(&mut self) {
        let worst = self.incidents_of_choice().into_iter().max_by(|a, b| a.peak.total_cmp(&b.peak)).map(|i| i.id);
        match worst {
            Some(id) => self.typing = Some(Typing::Note(id, String::new())),
            None => self.message = Some("no anomaly to note something on".to_owned()),
        }
    }

    pub(super) fn mute(&mut self, effects: &mut Vec<Effect>) {
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
            let acts = subjects.into_iter().map(|(what, _)| Act::Unmute { what }).collect();
            effects.push(Effect::Send(Command::Mark(acts)));
        } else if !subjects.is_empty() {
            let subjects = subjects.into_iter().map(|(what, _)| what).collect();
            self.typing = Some(Typing::Mute(subjects, String::new()));
        }
    }

    pub(super) fn retire(&mut self, effects: &mut Vec<Effect>) {
        let Some(view) = self.choice() else { return };
        let (name, retired) = (view.name.clone(), view.retired);
        if retired {
            let act = Act::Unretire { interface: Named::from(&name) };
            effects.push(Effect::Send(Command::Mark(vec![act])));
        } else {
            self.typing = Some(Typing::Retire(name, String::new()));
        }
    }

    pub(super) fn acknowledge(&mut self, effects: &mut Vec<Effect>) {
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
        let meant = incidents.iter().filter(|i| i.acknowledged.is_some() == acknowledged);
        effects.push(Effect::Send(Command::Mark(meant.map(|i| act(i.id)).collect())));
    }

    pub(super) fn retrain(&mut self, effects: &mut Vec<Effect>) {
        if matches!(self.snapshot.training, TrainingView::Running(_)) {
            let key = self.options.keys.key_of(Action::CancelTraining);
            self.message = Some(format!("a training run is under way: {key} cancels it"));
        } else {
            self.outcome_read = true;
            effects.push(Effect::Send(Command::Retrain(self.retraining.wanted(self.chosen_name()))));
        }
    }

    /// Pins the chosen interface, or lets it go. A read-only console does so for itself alone.
    pub(super) fn pin(&mut self, effects: &mut Vec<Effect>) {
        let lines = self.panes().list_lines();
        let Some((name, pinned)) = self.fleet.pin(&self.snapshot, lines) else { return };
        let interface = Named::from(&name);
        if !self.options.read_only {
            let act = if pinned { Act::Pin { interface } } else { Act::Unpin { interface } };
            effects.push(Effect::Send(Command::Mark(vec![act])));
        }
    }
}
