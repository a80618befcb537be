//! Which model scores which rows, where one has taken over from another.

use std::sync::Arc;

use crate::model::Model;
use crate::series::Timestamp;

/// The models of a directory in the order in which they took over: each scores the rows behind the slot
/// that was the directory's newest one when it took over, up to that of the next.
#[derive(Debug, Clone)]
pub struct Succession {
    first: Arc<Model>,
    /// Their slots only rise.
    later: Vec<Takeover>,
    /// How many there ever were besides the first.
    serial: Term,
}

impl From<Arc<Model>> for Succession {
    fn from(first: Arc<Model>) -> Self {
        Self { first, later: Vec::new(), serial: 0 }
    }
}

impl From<Model> for Succession {
    fn from(first: Model) -> Self {
        Arc::new(first).into()
    }
}

/// Tells the times of the models apart: no two models ever have the same one in one succession.
pub(super) type Term = u32;

#[derive(Debug, Clone)]
struct Takeover {
    behind: Timestamp,
    model: Arc<Model>,
    term: Term,
}

impl Succession {
    /// Another model takes over for the rows behind `slot`. What was to take over behind that slot or a
    /// later one does not.
    pub fn take_over(&mut self, behind: Timestamp, model: Arc<Model>) {
        self.later.retain(|takeover| takeover.behind < behind);
        self.serial += 1;
        self.later.push(Takeover { behind, model, term: self.serial });
    }

    /// The newest model.
    pub fn model(&self) -> &Arc<Model> {
        self.later.last().map_or(&self.first, |takeover| &takeover.model)
    }

    /// How many models there are: one at the least.
    pub fn count(&self) -> usize {
        1 + self.later.len()
    }

    /// The model that scores a row of this moment.
    pub(super) fn at(&self, time: Timestamp) -> (Term, &Model) {
        let takeover = self.later.iter().rev().find(|takeover| takeover.behind < time);
        takeover.map_or((0, &*self.first), |takeover| (takeover.term, &*takeover.model))
    }

    /// The model of a term; none where another one has taken its place.
    pub(super) fn of(&self, term: Term) -> Option<&Model> {
        if term == 0 {
            return Some(&self.first);
        }
        self.later.iter().find(|takeover| takeover.term == term).map(|takeover| &*takeover.model)
    }

    /// The newest model's term, and the slot behind which it scores; none for all slots.
    pub(super) fn newest(&self) -> (Term, Option<Timestamp>) {
        self.later.last().map_or((0, None), |takeover| (takeover.term, Some(takeover.behind)))
    }

    /// Whether the model of a term scores no row of this moment.
    pub(super) fn is_ahead(&self, term: Term, time: Timestamp) -> bool {
        term > self.at(time).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_model_scores_the_rows_behind_its_slot() {
        let at = Timestamp::from_seconds;
        let model = |name: &str| {
            let mut model = Model::untrained();
            model.name = name.into();
            Arc::new(model)
        };
        let mut models = Succession::from(model("first"));
        let name = |models: &Succession, time| models.at(at(time)).1.name.clone();
        models.take_over(at(100), model("b"));
        models.take_over(at(200), model("c"));
        let names = [50, 100, 101, 200, 201, 900].map(|time| name(&models, time));
        assert_eq!(names, ["first", "first", "b", "b", "c", "c"]);
        assert_eq!((models.model().name.as_str(), models.count()), ("c", 3));
        let (old, _) = models.at(at(900));
        assert!(models.is_ahead(old, at(150)) && !models.is_ahead(old, at(900)));
        // Behind the same slot, and, since now has moved back, behind an earlier one.
        models.take_over(at(200), model("d"));
        assert_eq!((name(&models, 150), name(&models, 900)), ("b".to_owned(), "d".to_owned()));
        assert_ne!(models.at(at(900)).0, old);
        models.take_over(at(100), model("e"));
        assert_eq!((name(&models, 100), name(&models, 150), models.count()), ("first".to_owned(), "e".to_owned(), 2));
    }
}
