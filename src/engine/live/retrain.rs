//! A training run: begun by a command, and what becomes of the model that comes out.

use std::path::PathBuf;

use super::{Live, clock};
use crate::engine::job::{Ended, Job, Said};
use crate::engine::snapshot::*;
use crate::model::settings::ModelSettings;
use crate::model::train::Options as TrainOptions;
use crate::series::InterfaceId;

/// Rows on which it is looked after each epoch how a network that learns does: a fraction of a second.
const GLIMPSE: usize = 20_000;

impl Live {
    /// Begins a run.
    pub(super) fn retrain(&mut self, wanted: Retraining) {
        let newest = self.engine.now().map_or_else(String::new, |now| now.to_string());
        let present = self.engine.model().settings;
        let since = wanted.history.zip(self.engine.now()).map(|(span, now)| now.plus(-span));
        let newest = newest.get(..16).unwrap_or(&newest);
        let name = match &wanted.whose {
            Whose::All => format!("trained to {newest}"),
            // a part that was learnt anew is named behind the whole; the newest one stands for all of them
            whose => {
                let whole = self.engine.model().name.split(" + ").next().unwrap_or_default();
                format!("{whole} + {whose} to {newest}")
            }
        };
        let options = TrainOptions {
            name,
            glimpse: GLIMPSE,
            model: ModelSettings { scope: wanted.scope.unwrap_or(present.scope), ..present },
            clock: self.engine.model().clock().clone(),
            ..self.train.clone()
        };
        self.around.training =
            match Job::start(&self.engine, wanted.whose.clone(), options, since, self.journal.clone()) {
                Ok(job) => {
                    self.job = Some(job);
                    let progress = TrainingProgress { stage: "starting", ..TrainingProgress::default() };
                    TrainingView::Running(Run { whose: wanted.whose, progress, so_far: None })
                }
                Err(e) => TrainingView::Ended(TrainingOutcome::Failed(format!("no thread to train on: {e}"))),
            };
    }

    /// What a run says.
    pub(super) fn hear(&mut self, said: Said) {
        self.changed = true;
        let ended = match said {
            Said::Progress(run) => {
                self.around.training = TrainingView::Running(run);
                return;
            }
            Said::Ended(ended) => *ended,
        };
        self.job = None;
        self.around.training = TrainingView::Ended(match ended {
            Ended::Better { model, prepared, beside, learnt, saved } => {
                let name_of = |path: &PathBuf| Some(path.file_name()?.to_str()?.to_owned());
                let file = saved.as_ref().ok().and_then(name_of);
                let act = Act::Model { slot: self.engine.now(), name: model.name.clone(), file };
                let notice = self.keeper.say(vec![act], clock());
                self.remark(notice.as_slice());
                self.around.model = ModelView::of(&model, saved.as_ref().ok().cloned());
                self.engine.adopt(model, prepared);
                self.touched.extend((0..self.engine.tracks().len()).map(InterfaceId::from_index));
                TrainingOutcome::Swapped { beside, learnt, saved }
            }
            Ended::Worse(beside) => TrainingOutcome::KeptOld(beside),
            Ended::Cancelled => TrainingOutcome::Cancelled,
            Ended::Failed(why) => TrainingOutcome::Failed(why),
        });
    }
}
