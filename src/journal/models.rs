//! The models that were retrained for a directory: each in a file of its own, named by what is in it, and
//! in the log which of them took over behind which slot. So a restart scores each row with the model that
//! scored it first.

use std::fs;
use std::path::{Path, PathBuf};

use super::entry::{Act, Entry};
use super::place::Journal;
use crate::model::{Model, ModelError};
use crate::random::fnv1a;
use crate::series::Timestamp;

/// Models that are kept, the newest.
pub const KEPT: usize = 4;

/// A model that took over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The directory's newest slot then: it scores the rows behind it. None where there was no row.
    pub slot: Option<Timestamp>,
    /// What it is called.
    pub name: String,
    /// Where it is kept.
    pub path: PathBuf,
}

impl Journal {
    /// Keeps a model that takes over, and gives its path. Of those that the log names before, the oldest is removed
    /// where there would be more than [`KEPT`].
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep(&self, model: &Model) -> Result<PathBuf, ModelError> {
        let mut earlier: Vec<PathBuf> = self.changes(&self.entries().0).into_iter().map(|change| change.path).collect();
        let path = self.dir().join(file_name(model)?);
        model.save(&path)?;
        earlier.retain(|old| *old != path);
        let too_old = earlier.len().saturating_sub(KEPT - 1);
        // One that cannot be removed takes up room, no more.
        earlier[..too_old].iter().for_each(|old| drop(fs::remove_file(old)));
        Ok(path)
    }

    /// The changes of model that entries tell of whose models were kept, at most the newest [`KEPT`], in
    /// their order.
    pub fn changes(&self, entries: &[Entry]) -> Vec<Change> {
        let mut changes: Vec<Change> = entries.iter().filter_map(|entry| self.change(entry)).collect();
        changes.drain(..changes.len().saturating_sub(KEPT));
        changes
    }

    fn change(&self, entry: &Entry) -> Option<Change> {
        let Act::Model { slot, name, file: Some(file) } = &entry.act else { return None };
        // A name and nothing else: nobody is to be led elsewhere by a line of the log.
        let plain = Path::new(file).file_name().is_some_and(|name| name == file.as_str());
        plain.then(|| Change { slot: *slot, name: name.clone(), path: self.dir().join(file) })
    }
}

/// The file name of a model: two are the same where the models are.
fn file_name(model: &Model) -> Result<String, ModelError> {
    Ok(format!("model-{:016x}.safetensors", fnv1a(&model.bytes()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Model {
        let mut model = Model::untrained();
        model.name = name.into();
        model
    }

    #[test]
    fn the_newest_models_are_kept_and_found_by_the_log() {
        let place = tempfile::tempdir().unwrap();
        let journal = Journal::under(place.path(), place.path());
        let at = |slot: i64| Timestamp::from_seconds(1_795_392_000 + slot);
        let log = super::super::log::Log::new(journal.log());
        let mut files = Vec::new();
        for slot in 0..6 {
            let model = named(&format!("number {slot}"));
            let path = journal.keep(&model).unwrap();
            assert_eq!(Model::load(&path).unwrap().name, model.name);
            let file = path.file_name().unwrap().to_str().unwrap().to_owned();
            let act = Act::Model { slot: Some(at(slot)), name: model.name, file: Some(file) };
            log.append(&Entry { at: at(slot), who: "ann".into(), act }).unwrap();
            files.push(path);
        }
        let act = Act::Model { slot: None, name: "elsewhere".into(), file: Some("../model".into()) };
        log.append(&Entry { at: at(9), who: "ann".into(), act }).unwrap();
        let there: Vec<bool> = files.iter().map(|file| file.exists()).collect();
        assert_eq!(there, [false, false, true, true, true, true]);
        let changes = journal.changes(&journal.entries().0);
        let found: Vec<_> = changes.into_iter().map(|c| (c.slot, c.path)).collect();
        let want: Vec<_> = (2..6).map(|slot| (Some(at(slot)), files[slot as usize].clone())).collect();
        assert_eq!(found, want);
        // The same once more takes no second file, and no room of another.
        assert_eq!(journal.keep(&named("number 5")).unwrap(), files[5]);
        assert!(files[3].exists());
    }
}
