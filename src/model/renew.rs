//! Learning anew for some interfaces of a model, from their rows alone.
//!
//! The network's body, and all that the model knows of other interfaces, stay as they are to the last bit.
//! What is learnt anew is what an interface has for itself: its scale, its linear coefficients, and a last
//! layer of the network, one for all that are renewed together or one for each. Interfaces that the
//! model did not know become known, with the embedding of an unknown one.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use super::forecast::Outlook;
use super::heads;
use super::kernel::OutputLayer;
use super::learnt::{KnownInterface, Model, Parts};
use super::lesson::Tell;
use super::linear::{self, Coefficients};
use super::network::{Embeddings, Sample};
use super::pupil::{Pupil, Quota, blank};
use super::scopes::{Learner, as_tried, try_out};
use super::settings::{ModelSettings, Scope};
use super::skill::Measure;
use super::train::{BEFORE_HELD_OUT, LEAST_ROWS, Options, Series, TrainError, Trained, TrainingProgress};

/// The present model with these interfaces learnt anew: a last layer for all of them with
/// [`Scope::Device`], and one for each with [`Scope::Interface`]; skill is what `measure` says of the `trial` of the
/// present one with the same learnt anew without the held-out rows. `report` is told of every step and can end
/// the run.
///
/// # Errors
/// Where none of them has enough rows, and where `report` ends it.
pub fn renew(
    [present, trial]: [&Model; 2],
    series: &[Series<'_>],
    scope: Scope,
    options: &Options,
    measure: Measure,
    mut report: impl FnMut(&TrainingProgress) -> ControlFlow<()>,
) -> Result<Trained, TrainError> {
    let start = Instant::now();
    let mut progress = TrainingProgress::default();
    let mut tell = |stage: &'static str, fraction: f64| {
        (progress.stage, progress.fraction, progress.elapsed) = (stage, fraction, start.elapsed());
        if report(&progress).is_break() { Err(TrainError::Cancelled) } else { Ok(()) }
    };
    let Renewed { model: trial, learners, .. } =
        once(trial, series, BEFORE_HELD_OUT, scope, options, &mut |stage, share| tell(stage, 0.4 * share))?;
    let trial = try_out(trial, &learners, scope, measure, &mut |stage, share| tell(stage, 0.4 + 0.2 * share))?;
    let Renewed { model, learners, windows } =
        once(present, series, 1.0, scope, options, &mut |stage, share| tell(stage, 0.6 + 0.4 * share))?;
    let model = as_tried(model, &trial, &learners)?;
    tell("done", 1.0)?;
    let left_out = series.len() - learners.len();
    Ok(Trained { left_out, windows, best_epoch: 0, own_scales: None, progress, model, trial })
}

/// A model with some interfaces learnt anew; which last layers they use is left open.
struct Renewed<'a> {
    model: Model,
    learners: Vec<Learner<'a>>,
    windows: usize,
}

/// Learns some interfaces of a model anew, from the first `share` of their rows.
fn once<'a>(
    present: &Model,
    series: &[Series<'a>],
    share: f64,
    scope: Scope,
    options: &Options,
    tell: &mut Tell<'_>,
) -> Result<Renewed<'a>, TrainError> {
    tell("reading rhythms", 0.0)?;
    let mut roll = Roll::of(present);
    let enough = series.iter().filter(|s| s.history.len() >= LEAST_ROWS);
    let pupils: Vec<Pupil<'_>> = enough
        .filter_map(|s| {
            let (host, entry) = roll.enter(*s);
            Pupil::enrol(*s, share, host, present.common_scale).map(|pupil| pupil.with_entry(entry))
        })
        .collect();
    if pupils.is_empty() {
        return Err(TrainError::TooFewRows { longest: series.iter().map(|s| s.history.len()).max().unwrap_or(0) });
    }
    let model = ModelSettings { scope, ..present.settings };
    let quota = Quota::new(options, pupils.len());
    let part = |from: f64, i: usize| from + 0.4 * i as f64 / pupils.len() as f64;
    let blank = blank(model.window, present.clock());
    let mut own: Vec<Coefficients> = Vec::with_capacity(pupils.len());
    for (i, pupil) in pupils.iter().enumerate() {
        tell("linear forecast", part(0.0, i))?;
        let rows = pupil.changes(&blank, &quota);
        let fit = |c: usize| linear::fit_own(&rows[c], &present.pooled[c]).unwrap_or(present.pooled[c]);
        own.push([fit(0), fit(1)]);
    }
    let mut windows: Vec<[Vec<Sample>; 2]> = Vec::with_capacity(pupils.len());
    for (i, pupil) in pupils.iter().enumerate() {
        tell("cutting windows", part(0.4, i))?;
        let [mut learnt, mut deciding] = [Vec::new(), Vec::new()];
        let outlook = Arc::new(Outlook { linear: own[i], ..(*blank).clone() });
        pupil.windows(outlook, &quota, &mut learnt, &mut deciding);
        windows.push([learnt, deciding]);
    }
    tell("own last layers", 0.8)?;
    let of = match scope {
        _ if present.network().is_none() => vec![None; pupils.len()],
        Scope::Interface => windows.iter().map(|own| roll.layer(std::slice::from_ref(own), present)).collect(),
        Scope::Device | Scope::Global => vec![roll.layer(&windows, present); pupils.len()],
    };
    if scope == Scope::Device {
        // for the device's interfaces that have too few rows yet
        for (pupil, layer) in pupils.iter().zip(&of) {
            roll.host_layers[pupil.host - 1] = *layer;
        }
    }
    for (pupil, linear) in pupils.iter().zip(&own) {
        let known = &mut roll.known[pupil.entry - 1];
        (known.step, known.scale, known.settled, known.linear) = (pupil.step, pupil.own, true, *linear);
    }
    let layers = |layer| if scope == Scope::Interface { [None, layer] } else { [layer, None] };
    let learner = |(pupil, layer): (&Pupil<'a>, Option<usize>)| Learner {
        place: pupil.entry - 1,
        series: pupil.series,
        layers: layers(layer),
    };
    let learners = pupils.iter().zip(of).map(learner).collect();
    let windows = windows.iter().flatten().map(Vec::len).sum();
    Ok(Renewed { model: roll.into_model(present, options.name.clone()), learners, windows })
}

/// What the model knows, with room for more.
struct Roll {
    hosts: Vec<Arc<str>>,
    known: Vec<KnownInterface>,
    embeddings: Embeddings,
    layers: Vec<OutputLayer>,
    host_layers: Vec<Option<usize>>,
}

impl Roll {
    fn of(present: &Model) -> Self {
        // layers that nobody uses any more are left behind
        let mut layers = Vec::new();
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        let mut keep = |layer: Option<usize>| {
            let from = present.layers.get(layer?)?;
            Some(*places.entry(layer?).or_insert_with(|| {
                layers.push(OutputLayer::clone(from));
                layers.len() - 1
            }))
        };
        let mut known = present.known.clone();
        known.iter_mut().for_each(|known| known.layer = keep(known.layer));
        let host_layers = present.host_layers.iter().map(|layer| keep(*layer)).collect();
        Self { hosts: present.hosts.clone(), known, embeddings: present.embeddings.clone(), layers, host_layers }
    }

    /// The entries of an interface and its host; where they are new, they get those of unknown ones.
    fn enter(&mut self, series: Series<'_>) -> (usize, usize) {
        let name = series.name;
        let host = self.hosts.iter().position(|host| *host == name.host).unwrap_or_else(|| {
            self.hosts.push(name.host.clone());
            self.host_layers.push(None);
            self.embeddings.add_unknown_host();
            self.hosts.len() - 1
        });
        let interface = self.known.iter().position(|known| known.name == *name).unwrap_or_else(|| {
            self.known.push(KnownInterface::unlearnt(name.clone()));
            self.embeddings.add_unknown_interface();
            self.known.len() - 1
        });
        (host + 1, interface + 1)
    }

    /// Learns a last layer from these windows; none where the shared one is as good.
    fn layer(&mut self, windows: &[[Vec<Sample>; 2]], present: &Model) -> Option<usize> {
        let kernel = present.network()?;
        let [learnt, deciding] = [0, 1].map(|part| windows.iter().flat_map(|w| &w[part]).collect::<Vec<&Sample>>());
        let embeddings = &self.embeddings;
        let gates = |s: &Sample| kernel.gate_bias(&embeddings.of(s.host as usize, s.interface as usize));
        let layer = heads::learn(kernel, &present.weights.output_layer(), &learnt, &deciding, &gates)?;
        self.layers.push(layer);
        Some(self.layers.len() - 1)
    }

    fn into_model(self, present: &Model, name: String) -> Model {
        let Self { hosts, known, embeddings, layers, host_layers } = self;
        let mut model = Model::new(Parts {
            name,
            seed: present.seed,
            settings: present.settings,
            clock: present.clock().clone(),
            weights: present.weights.clone(),
            embeddings,
            hosts,
            known,
            pooled: present.pooled,
            common_scale: present.common_scale,
            layers,
            host_layers,
        });
        model.lstm = present.lstm;
        model.pooled_calibration.clone_from(&present.pooled_calibration);
        model
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::skill::{HeldOut, measure};
    use crate::model::train::{
        self,
        tests::{fleet, history},
    };
    use crate::series::{Clock, History, InterfaceName};

    fn of<'a>(fleet: &'a [(InterfaceName, History)]) -> Vec<Series<'a>> {
        fleet.iter().map(|(name, history)| Series { name, history }).collect()
    }

    /// A model and its trial.
    type Both = [Model; 2];

    fn present() -> Both {
        let options = Options { epochs: 2, ..Options::default() };
        let trained = train::train(&of(&fleet()), &options, measure, |_| ControlFlow::Continue(())).unwrap();
        [trained.model, trained.trial]
    }

    fn renewed([present, trial]: &Both, series: &[Series<'_>], scope: Scope) -> Both {
        let options = Options { name: "renewed".into(), ..Options::default() };
        let trained = renew([present, trial], series, scope, &options, measure, |_| ControlFlow::Continue(())).unwrap();
        [trained.model, trained.trial]
    }

    #[test]
    fn what_is_not_renewed_stays_as_it_is_to_the_last_bit() {
        let (present, fleet) = (present(), fleet());
        let changed = vec![(fleet[1].0.clone(), history(900, 9, 50.0, |i| if i % 6 == 2 { 500.0 } else { 0.0 }))];
        for scope in [Scope::Device, Scope::Interface] {
            for (model, present) in renewed(&present, &of(&changed), scope).iter().zip(&present) {
                assert_eq!((&model.weights, model.known().len()), (&present.weights, present.known().len()));
                for s in of(&fleet) {
                    let [before, after] =
                        [present, model].map(|m| HeldOut::of(m, s).map(|held| measure(&held).mix.to_bits()));
                    assert_eq!(before == after, *s.name != changed[0].0, "{scope:?} {}", s.name);
                }
                let fresh = of(&changed)[0];
                let [before, after] = [present, model].map(|m| measure(&HeldOut::of(m, fresh).unwrap()).mix);
                assert!(after < 1.01 * before, "{scope:?}: {after} is learnt from its rows, {before} is not");
            }
        }
    }

    #[test]
    fn an_interface_that_was_not_known_becomes_known() {
        let present = present();
        let new = vec![
            (InterfaceName::new("c", "1"), history(700, 7, 10.0, |i| if i % 8 == 3 { 300.0 } else { 0.0 })),
            (InterfaceName::new("c", "2"), history(40, 8, 10.0, |_| 0.0)),
        ];
        let [model, trial] = renewed(&present, &of(&new), Scope::Device);
        assert_eq!(
            [&model, &trial].map(|m| m.known().len()),
            [present[0].known().len() + 1; 2],
            "few rows are left out"
        );
        let known = model.known().last().unwrap();
        assert_eq!((&known.name, known.skill.is_some()), (&new[0].0, true));
        // and comes back from a file
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("m");
        let mut model = model;
        model.pooled_calibration = vec![0.5; 2];
        model.known_mut().iter_mut().for_each(|k| k.calibration = Some(vec![0.25; 2]));
        model.save(&path).unwrap();
        let again = Arc::new(Model::load(&path).unwrap());
        let s = of(&new)[0];
        for (before, after) in [(&model, &again), (&trial, &again.trial().unwrap())] {
            let [before, after] = [before, after].map(|m| measure(&HeldOut::of(m, s).unwrap()).mix.to_bits());
            assert_eq!(before, after);
        }
        // learnt again and again, it does not grow
        let once = [Model::load(&path).unwrap(), trial];
        let [twice, tried] = renewed(&renewed(&once, &of(&new), Scope::Device), &of(&new), Scope::Device);
        assert_eq!((twice.known().len(), twice.layers.len()), (again.known().len(), again.layers.len()));
        assert_eq!((tried.known().len(), tried.layers.len()), (again.known().len(), once[1].layers.len()));
    }

    #[test]
    fn too_few_rows_and_an_end_by_who_watches_leave_no_model() {
        let [model, trial] = &present();
        let both = [model, trial];
        let few = vec![(InterfaceName::new("a", "1"), history(40, 7, 10.0, |_| 0.0))];
        let none =
            renew(both, &of(&few), Scope::Interface, &Options::default(), measure, |_| ControlFlow::Continue(()));
        assert!(matches!(none, Err(TrainError::TooFewRows { longest: 40 })), "{none:?}");
        let ended = renew(both, &of(&fleet()), Scope::Device, &Options::default(), measure, |p| match p.stage {
            "cutting windows" => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        });
        assert!(matches!(ended, Err(TrainError::Cancelled)));
    }
    #[test]
    fn what_is_trained_and_renewed_and_their_trials_go_by_the_same_clock() {
        let clock = Clock::of(&jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
        let options = Options { epochs: 1, clock: clock.clone(), ..Options::default() };
        let trained = train::train(&of(&fleet()), &options, measure, |_| ControlFlow::Continue(())).unwrap();
        let [model, trial] = renewed(&[trained.model, trained.trial], &of(&fleet()[..1]), Scope::Interface);
        let model = Arc::new(model);
        for known in [&*model, &trial, &*model.trial().unwrap()] {
            assert_eq!(known.clock(), &clock);
            assert_eq!(known.stranger("a").clock, clock);
        }
    }
}
