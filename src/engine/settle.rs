//! Scores what is due: several interfaces side by side, a row of each at a time.
//!
//! An interface's rows are scored one after the other, since each is learnt before the next. So that
//! one pass over the network's weights serves more than one row, some interfaces go on together, and
//! the next one takes the place of one that is done. What is said of a row does not depend on who is
//! beside it.

use super::succession::{Succession, Term};
use super::track::{Pending, RuleBook, Track};
use crate::detect::Settings;
use crate::model::kernel::{Given, INPUTS, OUTPUTS, TOGETHER};
use crate::series::{InterfaceId, Step};

/// One interface on its way.
struct Settling<'a> {
    track: &'a mut Track,
    /// Rows that were scored before, and the step then.
    since: usize,
    step: Option<Step>,
    /// The row that waits for what the network says of it, and the window before it.
    row: Option<Pending>,
    sequence: Vec<[f32; INPUTS]>,
}

impl<'a> Settling<'a> {
    fn start(track: &'a mut Track, models: &Succession) -> Self {
        let step = track.step();
        track.start_settling(models);
        Self { since: track.scored().len(), step, row: None, sequence: Vec::new(), track }
    }

    /// Begins with the next row; says whether there is one. Where there is none, no more than `keep` rows stay.
    fn begin(&mut self, models: &Succession, keep: usize, enough: impl Fn() -> bool) -> bool {
        self.row = self.track.begin_row(models, self.since, enough);
        match &self.row {
            Some(row) => row.sequence(&mut self.sequence),
            None => {
                self.track.end_settling(models, self.step);
                self.track.let_go(keep);
            }
        }
        self.row.is_some()
    }

    fn given(&self) -> Option<Given<'_>> {
        Some(self.row.as_ref()?.given(&self.sequence))
    }

    fn finish(&mut self, out: Option<&[f32; OUTPUTS]>, rules: &mut RuleBook<'_>) {
        if let Some(row) = self.row.take() {
            self.track.finish_row(row, out, rules);
        }
    }
}

/// Scores the rows of the interfaces that `next` gives, as many side by side as share a pass over the weights,
/// until there are none or `enough`. `next` is told how many are in hand. Gives those of which rows were scored.
pub(super) fn settle<'a>(
    mut next: impl FnMut(usize) -> Option<(InterfaceId, &'a mut Track)>,
    models: &Succession,
    settings: &Settings,
    keep: usize,
    enough: impl Fn() -> bool,
) -> Vec<InterfaceId> {
    let (mut settled, mut rules) = (Vec::new(), RuleBook::new(settings));
    let mut some: Vec<Settling<'a>> = Vec::with_capacity(TOGETHER);
    loop {
        while some.len() < TOGETHER && !enough() {
            let Some((id, track)) = next(some.len()) else { break };
            settled.push(id);
            let mut one = Settling::start(track, models);
            if one.begin(models, keep, &enough) {
                some.push(one);
            }
        }
        if some.is_empty() {
            return settled;
        }
        let outs = ask(models, &some);
        for (one, out) in some.iter_mut().zip(&outs) {
            one.finish(out.as_ref(), &mut rules);
        }
        some.retain_mut(|one| one.begin(models, keep, &enough));
    }
}

/// What the network says of the rows that wait, in one pass over its weights where there are enough and one
/// model is in force for all of them.
fn ask(models: &Succession, some: &[Settling<'_>]) -> [Option<[f32; OUTPUTS]>; TOGETHER] {
    let terms: [Option<Term>; TOGETHER] = std::array::from_fn(|i| some.get(i)?.row.as_ref().map(Pending::term));
    let given: [Option<Given<'_>>; TOGETHER] = std::array::from_fn(|i| some.get(i)?.given());
    let network = |i: usize| models.of(terms[i]?)?.network();
    match &given {
        [Some(a), Some(b), Some(c), Some(d)] if terms.iter().all(|term| *term == terms[0]) => {
            network(0).map_or([None; TOGETHER], |network| network.forward_some([a, b, c, d]).map(Some))
        }
        few => std::array::from_fn(|i| Some(network(i)?.forward(few[i].as_ref()?))),
    }
}
