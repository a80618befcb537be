//! How the engine starts on a directory.
//!
//! Where much stands there, its newest days are scored first, on an engine of
//! their own. What that says is provisional and shown as long as the reading goes on; then the engine
//! that has scored all of history takes its place. Where more stands there than is kept in memory, all
//! of it is read twice for that (`again.rs`).

use super::again::{self, Again};
use super::{Live, note};
use crate::engine::core::Engine;
use crate::engine::snapshot::HEAT;
use crate::ingest::{Batch, Feed, Notice, Progress, Watch};
use crate::series::{DAY, WARM_UP};

/// Rows that wait at the start from which the newest days are scored first, on their own: some hundredths of a
/// second of work.
pub(super) const WORTH_A_PREVIEW: usize = 8000;
/// The seconds of these days, with half a day to get to know the interface; the rows of each interface at
/// least, which is what a line shows behind a warm-up (an hourly one has few in these days); and how many of all
/// of them at the most, so that all of a large fleet is seen within some seconds.
const PREVIEW: i64 = 5 * DAY / 2;
pub(super) const PREVIEW_ROWS: usize = HEAT + WARM_UP;
const PREVIEW_MOST: usize = 1_500_000;
impl Live {
    /// Before all is read: where more stands there than can be kept unscored, the newest rows stay.
    pub(super) fn skim(&mut self) {
        self.skims |= self.engine.kept() > again::most_unscored(self.memory);
        if self.skims {
            self.engine.skim(PREVIEW, PREVIEW_ROWS);
        }
    }

    /// Before all is read: how far that is with this batch, and what comes next once it is.
    pub(super) fn read_on(&mut self, batch: &Batch) {
        // Reading is the first half of the work, scoring the second.
        self.read_through = batch.caught_up;
        // Where there is nothing to score, as in an empty directory, reading was all of it.
        let done = batch.caught_up && !self.engine.is_due();
        self.around.source.loading = (!done).then_some(Progress { total: 2 * batch.progress.total, ..batch.progress });
        self.awaited |= done;
        if self.read_through && (self.skims || self.engine.waiting() >= self.worth_a_preview) {
            self.preview = Some(self.engine.recent(PREVIEW, PREVIEW_ROWS, PREVIEW_MOST));
            self.viewer.forget();
        }
        if self.read_through && self.skims {
            self.read_again();
        }
    }

    /// What the second reading says.
    pub(super) fn take_again(&mut self, feed: Feed) {
        self.changed = true;
        if let Some(again) = &mut self.again {
            match again.take(feed, &mut self.engine) {
                Ok(()) => self.around.source.loading = Some(again.progress()),
                Err(why) => self.around.source.failure = Some(why),
            }
        }
    }

    /// All is read, and only the newest rows were kept: it is read again, and scored while it is.
    fn read_again(&mut self) {
        let (settings, threads) = (self.engine.settings().clone(), self.engine.threads());
        let mut engine = Engine::new(self.models.clone(), settings, threads).with_memory(self.memory);
        engine.mark(self.keeper.marks().clone());
        engine.describe(self.engine.inventory().clone());
        let dir = self.around.source.dir.clone();
        match Again::begin(dir.clone(), self.watch.clone(), &self.engine, &mut engine) {
            Ok(again) => (self.engine, self.again) = (engine, Some(again)),
            Err(e) => {
                let message = format!("cannot be read again ({e}): only its newest rows are scored");
                note(&mut self.around.source, &[Notice { path: dir.into(), message }]);
                self.engine = self.engine.recent(PREVIEW, PREVIEW_ROWS, PREVIEW_MOST).with_memory(self.memory);
            }
        }
    }

    /// The second reading is through, and all that it has read is scored: it goes on where the first was.
    pub(super) fn swap(&mut self) -> Option<Watch> {
        self.again.as_ref().filter(|again| again.is_through() && !self.engine.is_due())?;
        let (watch, files, mode) = self.again.take()?.end();
        self.files = files;
        let source = &mut self.around.source;
        (source.states, source.gone) = (self.files.by_path().into(), self.files.gone());
        (source.mode, source.loading) = (mode, None);
        self.preview = None;
        self.viewer.forget();
        self.count();
        self.changed = true;
        Some(watch)
    }

    /// How far what was read is scored: reading was the first half of the work. An answer to somebody does not say
    /// that anew, so that a picture which stands still does so.
    pub(super) fn tell_progress(&mut self) {
        if !self.read_through || self.again.is_some() {
            return;
        }
        let share = self.engine.share_settled();
        if let Some(loading) = &mut self.around.source.loading {
            let half = loading.total / 2;
            loading.read = half + (half as f64 * share) as u64;
        }
    }
}
