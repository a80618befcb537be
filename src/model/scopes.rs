//! Whose last layer is used: which are learnt, and which do better than the shared one.

use super::file::ModelError;
use super::heads;
use super::kernel::{OutputLayer, Weights};
use super::learnt::Model;
use super::lesson::Tell;
use super::network::{Embeddings, Sample};
use super::settings::Scope;
use super::skill::{self, HeldOut, Measure, Skill};
use super::train::{Series, TrainError};

/// Last layers beside the shared one, and whose they are.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) all: Vec<OutputLayer>,
    /// Of each interface: that of its device, and its own.
    pub(super) of: Vec<[Option<usize>; 2]>,
    /// Of each host, where the model was told to have one for each.
    pub(super) hosts: Vec<Option<usize>>,
}

/// An interface that was learnt: its place in the model, its rows, and the last layers that were learnt for it, that
/// of its device and its own.
pub(super) struct Learner<'a> {
    pub(super) place: usize,
    pub(super) series: Series<'a>,
    pub(super) layers: [Option<usize>; 2],
}

/// Places of an interface and its host in the embeddings; 0 is unknown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entries {
    pub(super) host: usize,
    pub(super) interface: usize,
}

/// Learns a last layer for each device, and for each interface, as far as `scope` asks.
pub(super) fn own_layers(
    scope: Scope,
    weights: &Weights,
    embeddings: &Embeddings,
    hosts: usize,
    entries: &[Entries],
    [learnt, deciding]: [&[Sample]; 2],
) -> Layers {
    let mut layers = Layers { all: Vec::new(), of: vec![[None; 2]; entries.len()], hosts: vec![None; hosts] };
    if scope == Scope::Global {
        return layers;
    }
    let (kernel, shared) = (weights.kernel(), weights.output_layer());
    let gates = |s: &Sample| kernel.gate_bias(&embeddings.of(s.host as usize, s.interface as usize));
    let mut teach = |learnt: &[&Sample], deciding: &[&Sample]| {
        let layer = heads::learn(&kernel, &shared, learnt, deciding, &gates)?;
        layers.all.push(layer);
        Some(layers.all.len() - 1)
    };
    let host = |s: &Sample| s.host as usize;
    let (a, b) = (grouped(learnt, hosts, host), grouped(deciding, hosts, host));
    let of_hosts: Vec<Option<usize>> = (1..=hosts).map(|host| teach(&a[host], &b[host])).collect();
    let mut own = vec![None; entries.len()];
    if scope == Scope::Interface {
        let entry = |s: &Sample| s.interface as usize;
        let (a, b) = (grouped(learnt, entries.len(), entry), grouped(deciding, entries.len(), entry));
        own.iter_mut().zip(entries).for_each(|(own, e)| *own = teach(&a[e.interface], &b[e.interface]));
    }
    let of_host = |e: &Entries| e.host.checked_sub(1).and_then(|host| of_hosts[host]);
    layers.of = entries.iter().zip(own).map(|(e, own)| [of_host(e), own]).collect();
    if scope == Scope::Device {
        layers.hosts = of_hosts;
    }
    layers
}

/// Samples by an entry of theirs, from 0 to `most`.
fn grouped(samples: &[Sample], most: usize, entry: impl Fn(&Sample) -> usize) -> Vec<Vec<&Sample>> {
    let mut groups = vec![Vec::new(); most + 1];
    samples.iter().for_each(|sample| groups[entry(sample)].push(sample));
    groups
}

/// A trial with the skill of each interface that it learnt, and with the last layer that is to be used there.
///
/// # Errors
/// What `tell` says.
pub(super) fn try_out(
    mut trial: Model,
    learners: &[Learner<'_>],
    scope: Scope,
    measure: Measure,
    tell: &mut Tell<'_>,
) -> Result<Model, TrainError> {
    for (i, learner) in learners.iter().enumerate() {
        tell("measuring skill", i as f64 / learners.len() as f64)?;
        let (skill, layer) = compare_scopes(&trial, scope, learner, measure);
        let known = &mut trial.known_mut()[learner.place];
        (known.skill, known.layer) = (skill, layer);
    }
    Ok(trial.settled())
}

/// What learnt all rows, with what its trial was like on the interfaces that both learnt.
///
/// # Errors
/// Where the trial makes no file.
pub(super) fn as_tried(mut model: Model, trial: &Model, learners: &[Learner<'_>]) -> Result<Model, ModelError> {
    learners.iter().for_each(|learner| model.heed(trial, learner.place, learner.layers));
    model.tried(trial)
}

/// The skill of an interface with each last layer that was learnt for it, and the layer to use:
/// that of the scope, unless the shared one did better on the held-out rows.
fn compare_scopes(
    model: &Model,
    scope: Scope,
    learner: &Learner<'_>,
    measure: Measure,
) -> (Option<Skill>, Option<usize>) {
    let Learner { place, series, layers: [device, own] } = *learner;
    let Some((first, step)) = skill::held_out(series.history) else { return (None, None) };
    let of = |layer| {
        let outlook = model.outlook_with(place, layer);
        measure(&HeldOut { network: model.network(), outlook, series, first, step })
    };
    let global = of(None);
    let places = [None, device, own];
    let skills = [None, device, own].map(|layer| layer.map(|layer| of(Some(layer))));
    let wanted = scope as usize;
    let (mut chosen, layer) = match skills[wanted] {
        Some(skill) if skill.mix <= global.mix => (Skill { scope, ..skill }, places[wanted]),
        _ => (global, None),
    };
    // Where nothing was gained by a layer of its own, the scope's forecast is the shared one.
    let asked = |at: Scope| at <= scope;
    chosen.scopes = [global.mix, f64::NAN, f64::NAN];
    for at in [Scope::Device, Scope::Interface].into_iter().filter(|at| asked(*at)) {
        chosen.scopes[at as usize] = skills[at as usize].map_or(global.mix, |skill| skill.mix);
    }
    (Some(chosen), layer)
}
