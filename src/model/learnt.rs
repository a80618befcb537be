//! The model: everything that is learnt, ready to score.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::file::{self, ModelError};
use super::forecast::Outlook;
use super::kernel::{HOST_EMBEDDING, INTERFACE_EMBEDDING, Kernel, OutputLayer, Weights};
use super::linear::{Coefficients, FEATURES};
use super::network::Embeddings;
use super::settings::{ModelSettings, Scope};
use super::skill::Skill;
use crate::series::scale::quantile;
use crate::series::{Clock, InterfaceName, Pair, Scale, Step};

/// Distance from the trained median, in trained spreads, beyond which a name is taken to have
/// another load behind it than the one that was learnt.
const FAMILIAR: f64 = 3.0;

static BUILT_IN: &[u8] = include_bytes!("../../models/default.safetensors");

/// What a model learnt of one interface.
#[derive(Debug, Clone)]
pub struct KnownInterface {
    /// Its name.
    pub name: InterfaceName,
    /// Its step.
    pub step: Step,
    /// Its own scales, of maxima and of means: those that it is forecast on, unless the model has one for all.
    pub scale: [Scale; 2],
    /// Whether rows are scored on its scales as well; where it was learnt for too short a time, these are found out as
    /// a stranger's are.
    pub settled: bool,
    /// Its linear coefficients.
    pub linear: Coefficients,
    /// Place of its last layer among [`Parts::layers`]; none where the shared one is used.
    pub layer: Option<usize>,
    /// What its errors are usually like, in numbers that `detect` made and reads; none where that is not known.
    pub calibration: Option<Vec<f32>>,
    /// How the forecasts did, where enough rows were held out.
    pub skill: Option<Skill>,
}

impl KnownInterface {
    /// One of which nothing was learnt yet.
    pub(super) fn unlearnt(name: InterfaceName) -> Self {
        Self {
            name,
            step: Step::SECOND,
            scale: [Scale { knee: 1.0, middle: 0.0, spread: 1.0 }; 2],
            settled: false,
            linear: [[0.0; FEATURES]; 2],
            layer: None,
            calibration: None,
            skill: None,
        }
    }
}

/// Everything that is learnt, ready to score.
#[derive(Debug, Clone)]
pub struct Model {
    /// What to call it.
    pub name: String,
    /// Seed that it was trained with.
    pub seed: u64,
    /// What it was told that a retraining is told again.
    pub settings: ModelSettings,
    /// The clock that loads follow. Its file does not say: what is learnt is relative to the rhythm, and serves where
    /// people live by another clock as well.
    clock: Clock,
    /// The shared network, and the same as scoring takes it.
    pub(super) weights: Weights,
    kernel: Kernel,
    /// Whether the LSTM takes part in the mix.
    pub lstm: bool,
    pub(super) embeddings: Embeddings,
    pub(super) hosts: Vec<Arc<str>>,
    pub(super) known: Vec<KnownInterface>,
    pub(super) pooled: Coefficients,
    pub(super) common_scale: Option<[Scale; 2]>,
    pub(super) layers: Vec<Arc<OutputLayer>>,
    pub(super) host_layers: Vec<Option<usize>>,
    /// What errors are usually like on an interface that is not known.
    pub pooled_calibration: Vec<f32>,
    /// The file of its trial.
    pub(super) trial: Option<Arc<[u8]>>,
    index: HashMap<InterfaceName, usize>,
    host_index: HashMap<Arc<str>, usize>,
    outlooks: Vec<Arc<Outlook>>,
    stranger: Arc<Outlook>,
}

/// What a model is put together from.
#[derive(Debug)]
pub struct Parts {
    /// What to call it.
    pub name: String,
    /// Seed.
    pub seed: u64,
    /// What it was told.
    pub settings: ModelSettings,
    /// The clock that loads follow.
    pub clock: Clock,
    /// The shared network.
    pub weights: Weights,
    /// Embeddings; entry 0 of each is the unknown one, host `i` has entry `i + 1`, and so has interface `i`.
    pub embeddings: Embeddings,
    /// Hosts in the order of their entries.
    pub hosts: Vec<Arc<str>>,
    /// Interfaces in the order of their entries.
    pub known: Vec<KnownInterface>,
    /// Linear coefficients for an interface that is not known.
    pub pooled: Coefficients,
    /// The scale of all interfaces, where there is one.
    pub common_scale: Option<[Scale; 2]>,
    /// Last layers beside the shared one.
    pub layers: Vec<OutputLayer>,
    /// Of each host, the place of its last layer among them: for its interfaces that are not known.
    pub host_layers: Vec<Option<usize>>,
}

impl Model {
    /// Puts a model together. It has no error calibration for strangers until one is set.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            name,
            seed,
            settings,
            clock,
            weights,
            embeddings,
            hosts,
            known,
            pooled,
            common_scale,
            layers,
            host_layers,
        } = parts;
        let kernel = weights.kernel();
        let stranger = Outlook {
            linear: pooled,
            gates: kernel.gate_bias(&embeddings.of(0, 0)),
            layer: None,
            window: settings.window,
            clock: clock.clone(),
            scale: common_scale,
        };
        let mut model = Self {
            stranger: Arc::new(stranger),
            index: known.iter().enumerate().map(|(i, k)| (k.name.clone(), i)).collect(),
            host_index: hosts.iter().enumerate().map(|(i, h)| (h.clone(), i + 1)).collect(),
            outlooks: Vec::new(),
            pooled_calibration: Vec::new(),
            trial: None,
            lstm: true,
            name,
            seed,
            settings,
            clock,
            weights,
            kernel,
            embeddings,
            hosts,
            known,
            pooled,
            common_scale,
            layers: layers.into_iter().map(Arc::new).collect(),
            host_layers,
        };
        model.outlooks = (0..model.known.len()).map(|i| Arc::new(model.outlook(i, model.known[i].layer))).collect();
        model
    }

    /// What it knows of known interface `i`, with the last layer at place `layer`, or the shared one.
    fn outlook(&self, i: usize, layer: Option<usize>) -> Outlook {
        let known = &self.known[i];
        let embedding = self.embeddings.of(self.host_entry(&known.name.host), i + 1);
        Outlook {
            linear: known.linear,
            gates: self.kernel.gate_bias(&embedding),
            layer: self.layer(layer),
            window: self.settings.window,
            clock: self.clock.clone(),
            scale: Some(self.common_scale.unwrap_or(known.scale)),
        }
    }

    fn layer(&self, place: Option<usize>) -> Option<Arc<OutputLayer>> {
        place.and_then(|place| self.layers.get(place)).cloned()
    }

    /// The same after interfaces have got their last layers.
    pub(super) fn settled(mut self) -> Self {
        self.outlooks = (0..self.known.len()).map(|i| self.outlook_with(i, self.known[i].layer)).collect();
        self
    }

    /// The same model as it was when its skill was measured, before it learnt the newest fifth of the rows. One that
    /// was written without a trial did not learn them, and is its own.
    ///
    /// # Errors
    /// Where the trial is damaged.
    pub fn trial(self: &Arc<Self>) -> Result<Arc<Self>, ModelError> {
        let Some(bytes) = &self.trial else { return Ok(Arc::clone(self)) };
        let trial = file::read(bytes, Path::new(&format!("the trial of the model {}", self.name)))?;
        Ok(Arc::new(trial.following(self.clock.clone())))
    }

    /// Takes from its trial what that was like on known interface `i`: where it did well with a last layer of its
    /// own, so does this, with that of `layers`, the device's and its own.
    pub(super) fn heed(&mut self, trial: &Self, i: usize, [device, own]: [Option<usize>; 2]) {
        let Some(tried) = trial.index.get(&self.known[i].name).map(|place| &trial.known[*place]) else { return };
        self.known[i].skill = tried.skill;
        self.known[i].layer = match tried.skill.filter(|_| tried.layer.is_some()).map(|skill| skill.scope) {
            Some(Scope::Device) => device,
            Some(Scope::Interface) => own,
            Some(Scope::Global) | None => None,
        };
    }

    /// The same forecasts on another model's scales, so that their errors are in its units.
    pub fn on_scales_of(mut self, other: &Self) -> Self {
        self.common_scale = other.common_scale;
        for known in &mut self.known {
            if let Some(place) = other.index.get(&known.name) {
                known.scale = other.known[*place].scale;
            }
        }
        self.settled()
    }

    /// The same after interfaces have got their last layers; its trial stays with it.
    pub(super) fn tried(mut self, trial: &Self) -> Result<Self, ModelError> {
        self.trial = Some(trial.bytes()?.into());
        Ok(self.settled())
    }

    /// The same for loads that follow another clock.
    pub fn following(mut self, clock: Clock) -> Self {
        if self.clock == clock {
            return self;
        }
        self.stranger = Arc::new(Outlook { clock: clock.clone(), ..(*self.stranger).clone() });
        self.clock = clock;
        self.settled()
    }

    /// The clock that loads follow.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What it knows of known interface `i` with another last layer, to compare them.
    pub(super) fn outlook_with(&self, i: usize, layer: Option<usize>) -> Arc<Outlook> {
        Arc::new(self.outlook(i, layer))
    }

    /// Whether it says the same of an interface as another model: a part of a model may have been learnt anew.
    pub fn agrees_on(&self, name: &InterfaceName, other: &Self) -> bool {
        let own = |model: &Self| {
            let entry = model.index.get(name).copied();
            let known = entry.map(|i| &model.known[i]);
            let host = model.host_entry(&name.host);
            let host_layer = host.checked_sub(1).and_then(|host| model.host_layers.get(host).copied().flatten());
            (
                known.map(|known| (known.step, known.scale, known.settled, known.calibration.clone())),
                known.map_or(model.pooled, |known| known.linear),
                model.layer(known.map_or(host_layer, |known| known.layer)),
                model.embeddings.of(host, entry.map_or(0, |i| i + 1)),
            )
        };
        let calibrated = self.index.get(name).is_some_and(|i| self.known[*i].calibration.is_some());
        let shared = |model: &Self| (model.lstm, model.settings.window, model.common_scale, model.clock.clone());
        shared(self) == shared(other)
            && own(self) == own(other)
            && (calibrated || self.pooled_calibration == other.pooled_calibration)
            && self.weights == other.weights
    }

    /// A model that has learnt nothing: the simple forecasts alone, for every interface a stranger.
    pub fn untrained() -> Self {
        let parts = Parts {
            name: "untrained".into(),
            seed: 0,
            settings: ModelSettings::default(),
            clock: Clock::UTC,
            weights: Weights::zero(),
            embeddings: Embeddings { host: vec![0.0; HOST_EMBEDDING], interface: vec![0.0; INTERFACE_EMBEDDING] },
            hosts: Vec::new(),
            known: Vec::new(),
            pooled: [[0.0; FEATURES]; 2],
            common_scale: None,
            layers: Vec::new(),
            host_layers: Vec::new(),
        };
        Self { lstm: false, ..Self::new(parts) }
    }

    /// The model that is built into the program.
    pub fn built_in() -> Result<Self, ModelError> {
        file::read(BUILT_IN, Path::new("the built-in model"))
    }

    /// The interfaces that it learnt from.
    pub fn known(&self) -> &[KnownInterface] {
        &self.known
    }

    /// Their calibrations, to be set.
    pub fn known_mut(&mut self) -> &mut [KnownInterface] {
        &mut self.known
    }

    /// The shared network where the LSTM takes part.
    pub fn network(&self) -> Option<&Kernel> {
        self.lstm.then_some(&self.kernel)
    }

    /// What it knows of an interface with this name and step whose first rows are `rows`: nothing
    /// where the name is new, or where the load behind the name is another one than it learnt (an
    /// interface of the same name in another network, or one that was put to another use).
    pub fn recognise(
        &self,
        name: &InterfaceName,
        step: Step,
        rows: &[Pair],
    ) -> Option<(&KnownInterface, Arc<Outlook>)> {
        let i = *self.index.get(name)?;
        let known = &self.known[i];
        let familiar = (0..2).all(|c| {
            let mut distance: Vec<f64> = rows.iter().map(|r| known.scale[c].forward(r[c]).abs()).collect();
            quantile(&mut distance, 0.5) <= FAMILIAR
        });
        (known.step == step && familiar).then(|| (known, self.outlooks[i].clone()))
    }

    /// The scale of all interfaces, where there is one for all.
    pub fn common_scale(&self) -> Option<[Scale; 2]> {
        self.common_scale
    }

    /// What it says of an interface that it does not know: the unknown interface of a known host,
    /// or of an unknown one.
    pub fn stranger(&self, host: &str) -> Arc<Outlook> {
        match self.host_entry(host) {
            0 => self.stranger.clone(),
            entry => Arc::new(Outlook {
                gates: self.kernel.gate_bias(&self.embeddings.of(entry, 0)),
                layer: self.layer(self.host_layers.get(entry - 1).copied().flatten()),
                ..(*self.stranger).clone()
            }),
        }
    }

    /// Median over the interfaces of 1 − error of the mix / error of the best simple forecast
    /// (last value, day before, hour of week), on held-out rows.
    pub fn median_skill(&self) -> Option<f64> {
        let mut skills: Vec<f64> =
            self.known.iter().filter_map(|k| k.skill.as_ref()).filter_map(Skill::over_best_simple).collect();
        (!skills.is_empty()).then(|| quantile(&mut skills, 0.5))
    }

    /// Median over the interfaces of the mix's error on held-out rows.
    pub fn median_error(&self) -> Option<f64> {
        let mut errors: Vec<f64> = self.known.iter().filter_map(|k| k.skill.as_ref()).map(|s| s.mix).collect();
        (!errors.is_empty()).then(|| quantile(&mut errors, 0.5))
    }

    fn host_entry(&self, host: &str) -> usize {
        self.host_index.get(host).copied().unwrap_or(0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::model::kernel::{HEAD, OUTPUTS};
    use crate::model::mix::EXPERTS;
    use crate::model::network::Network;
    use crate::model::settings::Scaling;
    use crate::random::Random;
    use crate::series::WindowLength;

    /// A model that knows one interface and whose network was not trained.
    pub(crate) fn model() -> Model {
        let network = Network::new(1, 1, WindowLength::default(), &mut Random::new(1)).unwrap();
        let known = KnownInterface {
            name: InterfaceName::new("core-1", "xe-0"),
            step: Step::from_seconds(3600).unwrap(),
            scale: [Scale { knee: 3e6, middle: 0.32, spread: 0.3 }; 2],
            settled: true,
            linear: [[0.01; FEATURES]; 2],
            layer: Some(0),
            calibration: Some(vec![0.5; 3]),
            skill: Some(Skill {
                rows: 9,
                experts: [f64::NAN; EXPERTS],
                mix: 0.4,
                plain: 0.5,
                scopes: [0.45, f64::NAN, 0.4],
                scope: Scope::Interface,
            }),
        };
        let mut model = Model::new(Parts {
            name: "test".into(),
            seed: 1,
            settings: ModelSettings {
                scope: Scope::Interface,
                window: WindowLength::new(12).unwrap(),
                scaling: Scaling::Interface,
            },
            clock: Clock::UTC,
            weights: network.weights().unwrap(),
            embeddings: network.embeddings().unwrap(),
            hosts: vec!["core-1".into()],
            known: vec![known],
            pooled: [[0.0; FEATURES]; 2],
            common_scale: None,
            layers: vec![OutputLayer::from_slices(&[0.25; HEAD * OUTPUTS], &[0.5; OUTPUTS])],
            host_layers: vec![Some(0)],
        });
        model.pooled_calibration = vec![0.25; 3];
        model
    }

    #[test]
    fn a_name_is_recognised_only_with_its_step_and_its_load() {
        let model = model();
        let name = InterfaceName::new("core-1", "xe-0");
        let hour = Step::from_seconds(3600).unwrap();
        let rows = |v: f64| vec![[v, v]; 24];
        assert!(model.recognise(&name, hour, &rows(1e6)).is_some());
        assert!(model.recognise(&name, hour, &rows(1e9)).is_none(), "another load");
        assert!(model.recognise(&name, Step::from_seconds(60).unwrap(), &rows(1e6)).is_none(), "another step");
        assert!(model.recognise(&InterfaceName::new("core-1", "xe-1"), hour, &rows(1e6)).is_none());
    }

    #[test]
    fn each_gets_its_own_last_layer_and_the_settings_reach_the_outlook() {
        let model = model();
        let hour = Step::from_seconds(3600).unwrap();
        let (_, known) = model.recognise(&InterfaceName::new("core-1", "xe-0"), hour, &vec![[1e6; 2]; 24]).unwrap();
        assert_eq!(known.layer.as_ref().unwrap().bias, [0.5; OUTPUTS]);
        assert_eq!((known.window.slots(), known.scale), (12, Some(model.known()[0].scale)));
        assert!(model.stranger("core-1").layer.is_some(), "that of its device");
        assert!(model.stranger("core-2").layer.is_none());
        assert!(model.outlook_with(0, None).layer.is_none());
    }
    #[test]
    fn all_that_it_says_of_interfaces_goes_by_the_clock_that_it_follows() {
        let clock = Clock::of(&jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
        let (utc, model) = (model(), model().following(clock.clone()));
        let (name, hour) = (InterfaceName::new("core-1", "xe-0"), Step::from_seconds(3600).unwrap());
        let (_, known) = model.recognise(&name, hour, &vec![[1e6; 2]; 24]).unwrap();
        for outlook in [known, model.stranger("core-1"), model.stranger("core-2"), model.outlook_with(0, None)] {
            assert_eq!(outlook.clock, clock);
        }
        assert!(!model.agrees_on(&name, &utc) && utc.following(clock).agrees_on(&name, &model));
        let file = tempfile::tempdir().unwrap();
        model.save(&file.path().join("m")).unwrap();
        assert_eq!(Model::load(&file.path().join("m")).unwrap().clock(), &Clock::UTC, "a file knows none");
    }
}
