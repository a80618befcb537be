//! Teaching the network: batches, when to stop, the last rows, and many networks made into one.
//!
//! Every time that a sample is shown, its numbers are blurred: small networks on few rows otherwise learn
//! the rows by heart (training with noise is a ridge on the function's slopes: Bishop, Neural Computation,
//! 1995). Rows that decide when to stop are not learnt from, so once that is known they are learnt as well.
//!
//! Where there are few rows, networks that differ by nothing but their first weights say different things
//! of the same row, and their mean is better than each of them. So several are taught, on all rows, and one
//! network is then taught to say what they say on the average (Hinton, Vinyals and Dean, Distilling the
//! Knowledge in a Neural Network, 2015): it costs no more to ask than any other.

use candle_core::Tensor;
use candle_nn::{Optimizer, ParamsAdamW};

use super::adam::Adam;
use super::kernel::MEASURED;
use super::network::{Network, Sample, Shown};
use super::train::{Options, TrainError};
use crate::random::Random;

/// Samples of one gradient step: at most so many, and in small fleets fewer, so that a pass over the rows
/// has steps enough, but never less than this.
const BATCH: usize = 256;
const LEAST_BATCH: usize = 32;
const STEPS_OF_PASS: usize = 100;
/// Steps of an epoch, about, at the least: it is several passes over the rows where they are few.
const STEPS_OF_EPOCH: f64 = 200.0;
/// Passes of an epoch at the most: what there is to learn of a few hundred windows is learnt by then.
const MOST_PASSES: f64 = 4.0;
/// Epochs, after the best one was found, in which the rows that decided are learnt as well: they
/// are the youngest. The learning rate is lower by this.
const LAST_EPOCHS: usize = 2;
const LAST_RATE: f64 = 0.3;
/// Epochs without a better loss after which training stops.
const PATIENCE: usize = 3;
/// Chance that a sample's names are hidden, which is what trains the unknown entries.
const HIDE: f64 = 0.25;
/// Standard deviation of the blur, in units of a usual error or of a usual spread, for up to so many
/// windows. With more of them its square falls as their number rises: the ridge that it amounts to stays
/// the same.
const BLUR: f64 = 0.4;
const BLURRED_WINDOWS: f64 = 10_000.0;
/// What one network learns of others is free of noise, and may be learnt so many times as fast.
const FASTER: f64 = 2.0;
/// Networks whose mean one network learns: at most so many, and only as many as are shown so many windows
/// in a pass between them, so that no training takes much longer than one with many windows does.
const MEMBERS: usize = 8;
const MEMBERS_WINDOWS: usize = 25_000;

/// Epochs of the others and of the one at the most, or as many as the first network took where it took more: with a
/// large limit it is the first that finds out when to stop.
const LATER_EPOCHS: usize = 8;

/// What it is doing: teaching the first network, the others, and one to be all of them.
pub(super) const FIRST: &str = "training the LSTM";
const MORE: &str = "training more LSTMs";
const ONE: &str = "making one of them";

/// How far the teaching is.
pub(super) struct Heard<'a> {
    /// What it is doing.
    pub(super) stage: &'static str,
    /// Epochs of the first network that are done.
    pub(super) epoch: usize,
    /// Share of the whole that is done.
    pub(super) share: f64,
    /// Losses of the first network on the rows that decide, before its first epoch and after each.
    pub(super) losses: &'a [f32],
}

/// Is told how far it is; an error ends the training.
pub(super) type Tell<'a> = dyn FnMut(Heard<'_>) -> Result<(), TrainError> + 'a;

/// What the teaching of a network came to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Taught {
    /// The epoch that did best on the rows that decide; 0 where none did better than a network that says nothing.
    pub(super) best_epoch: usize,
    /// Networks that it was made of, and the epochs of each.
    members: usize,
    epochs: usize,
}

/// Teaches the network from windows to learn from and others that decide, and in the end from all of them. One that
/// does no better than a network that says nothing is left to be that.
pub(super) fn learn(
    network: &Network,
    [learnt, deciding]: [&[Sample]; 2],
    options: &Options,
    random: &mut Random,
    tell: &mut Tell<'_>,
) -> Result<Taught, TrainError> {
    let (epochs, rate) = (options.epochs, options.learning_rate);
    let members = (MEMBERS_WINDOWS / learnt.len().max(1)).min(MEMBERS);
    let mut taught = Taught { best_epoch: 0, members, epochs: epochs.min(LATER_EPOCHS) };
    if learnt.is_empty() || deciding.is_empty() {
        return Ok(taught);
    }
    let early: Vec<&Sample> = learnt.iter().collect();
    let mut class = Class::new(learnt.len(), random);

    let mut best = (mean_loss(network, deciding)?, 0, snapshot(network)?);
    let mut losses = vec![best.0];
    let whole = epochs as f64 + taught.later();
    let mut told = |stage: &'static str, done: f64, losses: &[f32]| {
        tell(Heard { stage, epoch: losses.len() - 1, share: (done / whole).min(1.0), losses })
    };
    told(FIRST, 0.0, &losses)?;
    let mut course = Course::new(network, &class, early.len(), epochs, rate)?;
    for epoch in 1..=epochs {
        let done = (epoch - 1) as f64;
        course
            .epoch(&mut class, &early, &|shown| network.loss(shown), &mut |share| told(FIRST, done + share, &losses))?;
        let loss = finite(mean_loss(network, deciding)?, epoch)?;
        losses.push(loss);
        if loss < best.0 {
            best = (loss, epoch, snapshot(network)?);
        }
        told(FIRST, epoch as f64, &losses)?;
        if epoch >= best.1 + PATIENCE {
            break;
        }
    }
    set(network, &best.2)?;
    taught.best_epoch = best.1;
    taught.epochs = epochs.min((losses.len() - 1).max(LATER_EPOCHS));
    let told = &mut |stage: &'static str, done: f64| told(stage, epochs as f64 + done, &losses);
    go_on(network, &mut class, [learnt, deciding], &taught, rate, told)?;
    Ok(taught)
}

/// Teaches a network more rows than those that it was taught first, among them these: without a question when to
/// stop, since that is known. `tell` hears the share that is done.
pub(super) fn learn_more(
    network: &Network,
    windows: [&[Sample]; 2],
    taught: &Taught,
    options: &Options,
    random: &mut Random,
    tell: &mut dyn FnMut(f64) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let mut class = Class::new(windows.iter().map(|some| some.len()).sum(), random);
    let told = &mut |_: &'static str, done: f64| tell((done / taught.later()).min(1.0));
    go_on(network, &mut class, windows, taught, options.learning_rate, told)
}

/// What is taught once it is known when to stop: all rows, to several networks that are made one, or to the one.
fn go_on(
    network: &Network,
    class: &mut Class<'_>,
    windows: [&[Sample]; 2],
    taught: &Taught,
    rate: f64,
    told: &mut dyn FnMut(&'static str, f64) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    if taught.best_epoch == 0 {
        return Ok(());
    }
    let all: Vec<&Sample> = windows.into_iter().flatten().collect();
    if taught.members > 1 {
        of_many(network, class, &all, taught.members, (taught.epochs, rate), told)?;
    } else {
        let last = (LAST_EPOCHS, LAST_RATE * rate);
        teach(network, class, &all, last, &|shown| network.loss(shown), &mut |done| told(FIRST, done))?;
    }
    finite(mean_loss(network, windows[1])?, taught.epochs)?;
    Ok(())
}

impl Taught {
    /// What comes once it is known when to stop, in epochs.
    fn later(&self) -> f64 {
        if self.members > 1 {
            self.epochs as f64 * (self.members as f64 + of_one(self.members))
        } else {
            LAST_EPOCHS as f64
        }
    }
}

/// Makes the network one that says what `members` others say on the average, all of them taught on `rows` for so
/// many epochs and at such a rate.
fn of_many(
    network: &Network,
    class: &mut Class<'_>,
    rows: &[&Sample],
    members: usize,
    (epochs, rate): (usize, f64),
    told: &mut dyn FnMut(&'static str, f64) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let mut teachers = Vec::with_capacity(members);
    for member in 0..members {
        let teacher = network.another(class.random)?;
        let told = &mut |done| told(MORE, (member * epochs) as f64 + done);
        teach(&teacher, class, rows, (epochs, rate), &|shown| teacher.loss(shown), told)?;
        teachers.push(teacher);
    }
    // It starts afresh: what it learnt without the last rows would only be in the way.
    set(network, &snapshot(&network.another(class.random)?)?)?;
    let told = &mut |done| told(ONE, (members * epochs) as f64 + of_one(members) * done);
    teach(network, class, rows, (epochs, FASTER * rate), &|shown| distance(network, &teachers, shown), told)
}

/// Teaches a network a loss on `rows`, for so many epochs and at such a rate; `tell` hears how many are done.
fn teach(
    network: &Network,
    class: &mut Class<'_>,
    rows: &[&Sample],
    (epochs, rate): (usize, f64),
    loss: &dyn Fn(&[Shown<'_>]) -> candle_core::Result<Tensor>,
    tell: &mut dyn FnMut(f64) -> Result<(), TrainError>,
) -> Result<(), TrainError> {
    let mut course = Course::new(network, class, rows.len(), epochs, rate)?;
    (0..epochs).try_for_each(|epoch| course.epoch(class, rows, loss, &mut |share| tell(epoch as f64 + share)))
}

/// What an epoch costs in which so many others are asked, in epochs without: a forward pass is a third of it.
fn of_one(members: usize) -> f64 {
    1.0 + members as f64 / 3.0
}

/// What all networks of a training are taught with.
struct Class<'a> {
    /// Samples of a step.
    size: usize,
    /// Passes over the rows in an epoch.
    passes: usize,
    /// Standard deviation of the blur.
    blur: f64,
    random: &'a mut Random,
}

impl<'a> Class<'a> {
    fn new(windows: usize, random: &'a mut Random) -> Self {
        let size = (windows / STEPS_OF_PASS).clamp(LEAST_BATCH, BATCH);
        let passes = (STEPS_OF_EPOCH / windows.div_ceil(size) as f64).round().clamp(1.0, MOST_PASSES) as usize;
        let blur = BLUR * libm::sqrt((BLURRED_WINDOWS / windows as f64).min(1.0));
        Self { size, passes, blur, random }
    }
}

/// What one network is taught: its optimiser, with a rate that falls along a cosine.
struct Course {
    adam: Adam,
    rate: f64,
    step: usize,
    steps: usize,
}

impl Course {
    fn new(network: &Network, class: &Class<'_>, rows: usize, epochs: usize, rate: f64) -> Result<Self, TrainError> {
        let parameters = ParamsAdamW { lr: rate, weight_decay: 1e-4, ..Default::default() };
        let steps = epochs * class.passes * rows.div_ceil(class.size);
        Ok(Self { adam: Adam::new(network.variables(), parameters)?, rate, step: 0, steps })
    }

    /// One epoch on `rows`; `tell` hears the share of it that is done.
    fn epoch(
        &mut self,
        class: &mut Class<'_>,
        rows: &[&Sample],
        loss: &dyn Fn(&[Shown<'_>]) -> candle_core::Result<Tensor>,
        tell: &mut dyn FnMut(f64) -> Result<(), TrainError>,
    ) -> Result<(), TrainError> {
        let mut order = rows.to_vec();
        for pass in 0..class.passes {
            class.random.shuffle(&mut order);
            for (b, batch) in order.chunks(class.size).enumerate() {
                let blurred: Vec<Sample> = batch.iter().map(|sample| blur(sample, class.blur, class.random)).collect();
                let shown: Vec<Shown<'_>> = blurred.iter().map(|sample| hide(sample, class.random)).collect();
                let angle = std::f64::consts::PI * self.step as f64 / self.steps as f64;
                self.adam.set_learning_rate(self.rate * 0.5 * (1.0 + libm::cos(angle)));
                self.adam.backward_step(&loss(&shown)?)?;
                self.step += 1;
                if b % 8 == 0 {
                    let of_pass = (b * class.size) as f64 / rows.len() as f64;
                    tell((pass as f64 + of_pass) / class.passes as f64)?;
                }
            }
        }
        Ok(())
    }
}

/// How far a network is from what its teachers say on the average.
fn distance(network: &Network, teachers: &[Network], shown: &[Shown<'_>]) -> candle_core::Result<Tensor> {
    let said: Vec<Tensor> = teachers.iter().map(|teacher| teacher.said(shown)).collect::<candle_core::Result<_>>()?;
    let mean = Tensor::stack(&said, 0)?.mean(0)?;
    (network.forward(shown)? - mean)?.sqr()?.mean_all()
}

/// A sample with its numbers blurred: those that its slots measure, and all about the slot to come, its place in
/// day and week too. The noise is uniform, since four such numbers come out of one draw.
fn blur(sample: &Sample, by: f64, random: &mut Random) -> Sample {
    let width = (by * libm::sqrt(12.0) / 65_536.0) as f32;
    let mut out = sample.clone();
    let slots = out.sequence.iter_mut().flat_map(|slot| &mut slot[..MEASURED]);
    let mut numbers: Vec<&mut f32> = slots.chain(&mut out.side).collect();
    for four in numbers.chunks_mut(4) {
        let bits = random.bits();
        for (i, number) in four.iter_mut().enumerate() {
            let drawn = (bits >> (16 * i)) & 0xFFFF;
            **number += width * (drawn as f32 - 32_767.5);
        }
    }
    out
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
    Ok((sum / samples.len().max(1) as f64) as f32)
}

fn finite(loss: f32, epoch: usize) -> Result<f32, TrainError> {
    if loss.is_finite() { Ok(loss) } else { Err(TrainError::Diverged(loss, epoch)) }
}

fn snapshot(network: &Network) -> Result<Vec<Tensor>, TrainError> {
    Ok(network.variables().iter().map(|v| v.as_tensor().copy()).collect::<Result<_, _>>()?)
}

fn set(network: &Network, values: &[Tensor]) -> Result<(), TrainError> {
    Ok(network.variables().iter().zip(values).try_for_each(|(variable, value)| variable.set(value))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::{INPUTS, SIDE};
    use crate::series::WindowLength;

    const SLOTS: usize = 4;

    /// Samples whose answer is half of the first number that the past says, and noise as large as that.
    fn samples(count: usize, seed: u64) -> Vec<Sample> {
        let mut random = Random::new(seed);
        let of = |random: &mut Random| {
            let mut side = [0.0; SIDE];
            side.iter_mut().for_each(|v| *v = random.normal() as f32);
            let mut sequence = vec![[0.0; INPUTS]; SLOTS].into_boxed_slice();
            sequence.iter_mut().flatten().for_each(|v| *v = random.normal() as f32);
            let target = [0, 1].map(|_| (0.5 * f64::from(side[0]) + 0.5 * random.normal()) as f32);
            Sample { sequence, side, target, host: 1, interface: 1 }
        };
        (0..count).map(|_| of(&mut random)).collect()
    }

    fn network(seed: u64) -> Network {
        Network::new(1, 1, WindowLength::new(SLOTS).unwrap(), &mut Random::new(seed)).unwrap()
    }

    /// Teaches a network on `count` windows: the network, the best epoch, and what was told.
    fn taught(count: usize, seed: u64) -> (Network, usize, Vec<(&'static str, f64)>) {
        let (network, all, mut heard) = (network(seed), samples(count, 1), Vec::new());
        let (learnt, deciding) = all.split_at(count * 9 / 10);
        let options = Options { epochs: 2, ..Options::default() };
        let best = learn(&network, [learnt, deciding], &options, &mut Random::new(seed), &mut |h: Heard<'_>| {
            heard.push((h.stage, h.share));
            Ok(())
        });
        (network, best.unwrap().best_epoch, heard)
    }

    #[test]
    fn of_few_rows_several_networks_are_made_one_and_seeds_say_much_the_same() {
        let fresh = samples(500, 2);
        let (a, best, heard) = taught(600, 1);
        assert!(best > 0);
        let before = mean_loss(&network(1), &fresh).unwrap();
        let after = mean_loss(&a, &fresh).unwrap();
        assert!(after < 0.8 * before, "{before} to {after}");
        let (b, ..) = taught(600, 2);
        let shown: Vec<Shown<'_>> = fresh.iter().map(Shown::from).collect();
        let apart = distance(&a, &[b], &shown).unwrap().to_scalar::<f32>().unwrap();
        assert!(apart < 0.03, "{apart}");
        assert!(heard.is_sorted_by(|a, b| a.1 <= b.1) && heard.iter().all(|h| h.1 <= 1.0), "{heard:?}");
        for stage in [FIRST, MORE, ONE] {
            assert!(heard.iter().any(|h| h.0 == stage), "{stage}");
        }
    }

    #[test]
    fn of_many_rows_one_network_learns_alone() {
        let (_, best, heard) = taught(MEMBERS_WINDOWS, 1);
        assert!(best > 0 && heard.iter().all(|h| h.0 == FIRST && h.1 <= 1.0));
    }

    #[test]
    fn a_blur_moves_neither_what_the_slots_are_nor_what_is_to_be_learnt() {
        let (all, mut random) = (samples(300, 3), Random::new(4));
        let (mut sum, mut squares, mut count) = (0.0, 0.0, 0.0);
        for sample in &all {
            let blurred = blur(sample, 0.4, &mut random);
            for (a, b) in blurred.sequence.iter().zip(&sample.sequence) {
                assert_eq!(a[MEASURED..], b[MEASURED..]);
            }
            assert_eq!(blurred.target, sample.target);
            let slots = blurred.sequence.iter().zip(&sample.sequence).flat_map(|(a, b)| a.iter().zip(b).take(MEASURED));
            for (a, b) in slots.chain(blurred.side.iter().zip(&sample.side)) {
                let by = f64::from(a - b);
                (sum, squares, count) = (sum + by, squares + by * by, count + 1.0);
            }
        }
        let deviation = (squares / count).sqrt();
        assert!((sum / count).abs() < 0.01 && (deviation - 0.4).abs() < 0.01, "{} {deviation}", sum / count);
    }
}
