//! What is learnt from a share of each interface's rows: all that stands around the network, and its windows.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::forecast::Outlook;
use super::learnt::{KnownInterface, Model, Parts};
use super::linear::{self, Coefficients};
use super::network::{Network, Sample};
use super::pupil::{Pupil, Quota, blank};
use super::scopes::{Entries, Learner, own_layers};
use super::settings::{Scaling, Scope};
use super::train::{LEAST_ROWS, Options, Series, TrainError};
use crate::random::Random;
use crate::series::Scale;

/// The interfaces that are learnt from, by name, and all hosts.
pub(super) struct Roster<'a> {
    series: Vec<Series<'a>>,
    hosts: Vec<Arc<str>>,
    /// Rows of the longest, those included that have too few.
    longest: usize,
}

impl<'a> Roster<'a> {
    /// Those that have rows enough.
    pub(super) fn of(series: &[Series<'a>]) -> Self {
        let hosts = series.iter().map(|s| s.name.host.clone()).collect::<BTreeSet<_>>().into_iter().collect();
        let longest = series.iter().map(|s| s.history.len()).max().unwrap_or(0);
        let mut series: Vec<Series<'a>> = series.to_vec();
        series.retain(|s| s.history.len() >= LEAST_ROWS);
        series.sort_unstable_by_key(|s| s.name);
        Self { series, hosts, longest }
    }
}

/// What is told while it is prepared: a stage, and the share of the preparation that is done.
pub(super) type Tell<'a> = dyn FnMut(&'static str, f64) -> Result<(), TrainError> + 'a;

/// What is learnt from a share of each interface's rows.
pub(super) struct Lesson<'a> {
    /// The interfaces; the places are the same whatever the share.
    pub(super) pupils: Vec<Pupil<'a>>,
    common_scale: Option<[Scale; 2]>,
    /// Linear coefficients of each interface, and of one that is not known.
    pub(super) own: Vec<Coefficients>,
    pooled: Coefficients,
    /// Windows to learn from, and those that decide when to stop, with what the linear forecast leaves over.
    pub(super) learnt: Vec<Sample>,
    pub(super) deciding: Vec<Sample>,
}

impl<'a> Lesson<'a> {
    /// Learns scales and linear coefficients from the first `share` of each interface's rows, and cuts windows.
    ///
    /// # Errors
    /// Where no interface has enough rows, and what `tell` says.
    pub(super) fn prepare(
        roster: &Roster<'a>,
        share: f64,
        options: &Options,
        tell: &mut Tell<'_>,
    ) -> Result<Self, TrainError> {
        let Roster { series, hosts, .. } = roster;
        let global = options.model.scaling == Scaling::Global && !series.is_empty();
        let common_scale = global.then(|| common_scale(series, share));
        let host_of = |s: &Series<'_>| hosts.binary_search(&s.name.host).map_or(0, |i| i + 1);
        let pupils: Vec<Pupil<'a>> = series
            .iter()
            .filter_map(|s| Pupil::enrol(*s, share, host_of(s), common_scale))
            .enumerate()
            .map(|(i, pupil)| pupil.with_entry(i + 1))
            .collect();
        if pupils.is_empty() {
            return Err(TrainError::TooFewRows { longest: roster.longest });
        }
        let quota = Quota::new(options, pupils.len());
        let part = |i: usize| i as f64 / pupils.len() as f64;

        let blank = blank(options.model.window, &options.clock);
        let mut rows: [Vec<linear::Rows>; 2] = Default::default();
        for (i, pupil) in pupils.iter().enumerate() {
            tell("reading rhythms", 0.4 * part(i))?;
            let own = pupil.changes(&blank, &quota);
            for (rows, own) in rows.iter_mut().zip(own) {
                rows.push(own);
            }
        }
        tell("linear forecast", 0.4)?;
        let [(pooled_max, own_max), (pooled_mean, own_mean)] = rows.map(|rows| linear::fit(&rows));
        let pooled: Coefficients = [pooled_max, pooled_mean];
        let own: Vec<Coefficients> =
            own_max.into_iter().zip(own_mean).map(|(a, b)| [a.unwrap_or(pooled[0]), b.unwrap_or(pooled[1])]).collect();

        let (mut learnt, mut deciding) = (Vec::new(), Vec::new());
        for (i, pupil) in pupils.iter().enumerate() {
            tell("cutting windows", 0.5 + 0.5 * part(i))?;
            let outlook = Arc::new(Outlook { linear: own[i], ..(*blank).clone() });
            pupil.windows(outlook, &quota, &mut learnt, &mut deciding);
        }
        Ok(Self { pupils, common_scale, own, pooled, learnt, deciding })
    }

    /// A network that has learnt nothing yet, with a place for each of them.
    pub(super) fn network(
        &self,
        roster: &Roster<'_>,
        options: &Options,
        random: &mut Random,
    ) -> candle_core::Result<Network> {
        Network::new(roster.hosts.len(), self.pupils.len(), options.model.window, random)
    }

    /// The model with this network, and the interfaces with the last layers that were learnt for them, as far as
    /// `scope` asks. None of these is used yet.
    pub(super) fn model(
        &self,
        roster: &Roster<'_>,
        network: &Network,
        scope: Scope,
        options: &Options,
    ) -> candle_core::Result<(Model, Vec<Learner<'a>>)> {
        let known = self
            .pupils
            .iter()
            .zip(&self.own)
            .map(|(p, own)| KnownInterface {
                name: p.series.name.clone(),
                step: p.step,
                scale: p.own,
                settled: true,
                linear: *own,
                layer: None,
                calibration: None,
                skill: None,
            })
            .collect();
        let (weights, embeddings) = (network.weights()?, network.embeddings()?);
        let entries: Vec<Entries> = self.pupils.iter().map(|p| Entries { host: p.host, interface: p.entry }).collect();
        let windows = [&self.learnt[..], &self.deciding];
        let layers = own_layers(scope, &weights, &embeddings, roster.hosts.len(), &entries, windows);
        let parts = Parts {
            name: options.name.clone(),
            seed: options.seed,
            settings: options.model,
            clock: options.clock.clone(),
            weights,
            embeddings,
            hosts: roster.hosts.clone(),
            known,
            pooled: self.pooled,
            common_scale: self.common_scale,
            layers: layers.all,
            host_layers: layers.hosts,
        };
        let learners = (0..).zip(&self.pupils).zip(layers.of);
        let learners = learners.map(|((place, p), layers)| Learner { place, series: p.series, layers }).collect();
        Ok((Model::new(parts), learners))
    }
}

/// One scale for all interfaces, each channel's from the first `share` of rows; each interface gives at most so
/// many, evenly spaced.
fn common_scale(series: &[Series<'_>], share: f64) -> [Scale; 2] {
    const MOST: usize = 2000;
    let mut values: [Vec<f64>; 2] = Default::default();
    for s in series {
        let rows = (s.history.len() as f64 * share) as usize;
        for i in (0..rows).step_by(rows.div_ceil(MOST).max(1)) {
            let row = s.history.values(i);
            values.iter_mut().zip(row).for_each(|(values, v)| values.push(v));
        }
    }
    values.map(|values| Scale::fit(&values))
}
