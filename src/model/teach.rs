//! Teaching the network: batches, when to stop, and the last rows.

use candle_nn::{Optimizer, ParamsAdamW};

use super::adam::Adam;
use super::network::{Network, Sample, Shown};
use super::train::{Options, TrainError};
use crate::random::Random;

/// Samples of one gradient step: at most so many, and in small fleets fewer, so that an epoch has
/// steps enough, but never less than this.
const BATCH: usize = 256;
const LEAST_BATCH: usize = 32;
const STEPS: usize = 100;
/// Epochs, after the best one was found, in which the rows that decided are learnt as well: they
/// are the youngest. The learning rate is lower by this.
const LAST_EPOCHS: usize = 2;
const LAST_RATE: f64 = 0.3;
/// Epochs without a better loss after which training stops.
const PATIENCE: usize = 3;
/// Chance that a sample's names are hidden, which is what trains the unknown entries.
const HIDE: f64 = 0.25;

/// Is told the epoch, the share of it that is done and the losses so far; an error ends the training.
pub(super) type Tell<'a> = dyn FnMut(usize, f64, &[f32]) -> Result<(), TrainError> + 'a;

/// Teaches the network, keeps the weights of the epoch that did best on `deciding`, and says which.
pub(super) fn learn(
    network: &Network,
    learnt: &[Sample],
    deciding: &[Sample],
    options: &Options,
    random: &mut Random,
    tell: &mut Tell<'_>,
) -> Result<usize, TrainError> {
    if learnt.is_empty() || deciding.is_empty() {
        return Ok(0);
    }
    let variables = network.variables();
    let parameters = ParamsAdamW { lr: options.learning_rate, weight_decay: 1e-4, ..Default::default() };
    let mut adam = Adam::new(variables.clone(), parameters.clone())?;
    let mut best = (mean_loss(network, deciding)?, 0, snapshot(&variables)?);
    let mut losses = vec![best.0];
    tell(0, 0.0, &losses)?;
    let size = (learnt.len() / STEPS).clamp(LEAST_BATCH, BATCH);
    let steps = options.epochs * learnt.len().div_ceil(size);
    let mut step = 0;
    let mut order: Vec<usize> = (0..learnt.len()).collect();
    for epoch in 1..=options.epochs {
        random.shuffle(&mut order);
        for (b, batch) in order.chunks(size).enumerate() {
            let shown: Vec<Shown<'_>> = batch.iter().map(|i| hide(&learnt[*i], random)).collect();
            let loss = network.loss(&shown)?;
            let angle = std::f64::consts::PI * step as f64 / steps as f64;
            adam.set_learning_rate(options.learning_rate * 0.5 * (1.0 + libm::cos(angle)));
            adam.backward_step(&loss)?;
            step += 1;
            if b % 8 == 0 {
                tell(epoch - 1, (b * size) as f64 / learnt.len() as f64, &losses)?;
            }
        }
        let loss = mean_loss(network, deciding)?;
        if !loss.is_finite() {
            return Err(TrainError::Diverged(loss, epoch));
        }
        losses.push(loss);
        if loss < best.0 {
            best = (loss, epoch, snapshot(&variables)?);
        }
        tell(epoch, 0.0, &losses)?;
        if epoch >= best.1 + PATIENCE {
            break;
        }
    }
    for (variable, value) in variables.iter().zip(&best.2) {
        variable.set(value)?;
    }
    if best.1 > 0 {
        let all: Vec<&Sample> = learnt.iter().chain(deciding).collect();
        let (epochs, mut order) = (losses.len() - 1, (0..all.len()).collect::<Vec<usize>>());
        let mut adam = Adam::new(variables, parameters)?;
        let (mut step, steps) = (0, LAST_EPOCHS * all.len().div_ceil(size));
        for _ in 0..LAST_EPOCHS {
            random.shuffle(&mut order);
            for batch in order.chunks(size) {
                let shown: Vec<Shown<'_>> = batch.iter().map(|i| hide(all[*i], random)).collect();
                let loss = network.loss(&shown)?;
                adam.set_learning_rate(LAST_RATE * options.learning_rate * (1.0 - step as f64 / steps as f64));
                adam.backward_step(&loss)?;
                step += 1;
                if step % 8 == 0 {
                    tell(epochs, 0.0, &losses)?;
                }
            }
        }
    }
    Ok(best.1)
}

/// Hides a sample's interface, and every other time its host too.
fn hide<'a>(sample: &'a Sample, random: &mut Random) -> Shown<'a> {
    let mut shown = Shown::from(sample);
    if random.chance(HIDE) {
        shown.interface = 0;
        if random.chance(0.5) {
            shown.host = 0;
        }
    }
    shown
}

fn mean_loss(network: &Network, samples: &[Sample]) -> Result<f32, TrainError> {
    let mut sum = 0.0;
    for batch in samples.chunks(BATCH) {
        let loss = network.loss(&batch.iter().map(Shown::from).collect::<Vec<_>>())?.to_scalar::<f32>()?;
        sum += f64::from(loss) * batch.len() as f64;
    }
    Ok((sum / samples.len() as f64) as f32)
}

fn snapshot(variables: &[candle_core::Var]) -> Result<Vec<candle_core::Tensor>, TrainError> {
    Ok(variables.iter().map(|v| v.as_tensor().copy()).collect::<Result<_, _>>()?)
}
