//! The Embed-LSTM in Candle, to be trained.
//!
//! An LSTM (Hochreiter and Schmidhuber, 1997) over a window, to which the embeddings of host and
//! interface are given in every slot; its last state and what the past says about the slot to come
//! go through one hidden layer to a forecast and a spread for maximum and mean. Entry 0 of each
//! embedding is for names that were never seen; it is trained by hiding names at random.

use std::sync::Arc;

use candle_core::{DType, Device, Result, Tensor, Var};

use super::dense::{Squash, dense};
use super::kernel::{
    BLOCKS, EMBEDDING, GATES, HEAD, HIDDEN, HOST_EMBEDDING, INPUTS, INTERFACE_EMBEDDING, OUTPUTS, SIDE, Sequence,
    Weights,
};
use super::recurrent::Workshop;
use crate::random::Random;
use crate::series::WindowLength;

/// Weight of the spread's loss beside the forecast's.
const SPREAD_WEIGHT: f64 = 0.2;

/// One window with its answer.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The window.
    pub sequence: Box<Sequence>,
    /// What the past says about the slot to come.
    pub side: [f32; SIDE],
    /// What the mix of the other forecasts left over, in units of its usual error: of maximum and mean.
    pub target: [f32; 2],
    /// Entry of the host in its embedding; 0 is unknown.
    pub host: u32,
    /// Entry of the interface in its embedding; 0 is unknown.
    pub interface: u32,
}

/// A sample as it is shown to the network: under its own names, or with names hidden.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The sample.
    pub sample: &'a Sample,
    /// Entry of the host; 0 where it is hidden.
    pub host: u32,
    /// Entry of the interface; 0 where it is hidden.
    pub interface: u32,
}

impl<'a> From<&'a Sample> for Shown<'a> {
    fn from(sample: &'a Sample) -> Self {
        Self { sample, host: sample.host, interface: sample.interface }
    }
}

/// The embeddings' tables, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Embeddings {
    /// [hosts + 1][HOST_EMBEDDING].
    pub host: Vec<f32>,
    /// [interfaces + 1][INTERFACE_EMBEDDING].
    pub interface: Vec<f32>,
}

impl Embeddings {
    /// The embedding of one interface; entries that do not exist are unknown.
    pub fn of(&self, host: usize, interface: usize) -> [f32; EMBEDDING] {
        let mut out = [0.0; EMBEDDING];
        let (h, i) = out.split_at_mut(HOST_EMBEDDING);
        h.copy_from_slice(&self.host[host * HOST_EMBEDDING..][..HOST_EMBEDDING]);
        i.copy_from_slice(&self.interface[interface * INTERFACE_EMBEDDING..][..INTERFACE_EMBEDDING]);
        out
    }
}

impl Embeddings {
    /// One more host, with the embedding of an unknown one.
    pub(super) fn add_unknown_host(&mut self) {
        self.host.extend_from_within(..HOST_EMBEDDING);
    }

    /// One more interface, with the embedding of an unknown one.
    pub(super) fn add_unknown_interface(&mut self) {
        self.interface.extend_from_within(..INTERFACE_EMBEDDING);
    }
}

/// The network's variables.
#[derive(Debug)]
pub struct Network {
    embedding: Var,
    embedding_host: Var,
    embedding_interface: Var,
    bias: Var,
    head: Var,
    head_bias: Var,
    input: Var,
    output: Var,
    output_bias: Var,
    recurrent: Var,
    device: Device,
    workshop: Arc<Workshop<INPUTS, BLOCKS>>,
}

impl Network {
    /// A network for `hosts` and `interfaces` names besides the unknown ones and windows of `window` slots; initial weights are
    /// drawn from `random` alone, in a fixed order, so a seed gives the same network again.
    pub fn new(hosts: usize, interfaces: usize, window: WindowLength, random: &mut Random) -> Result<Self> {
        Self::drawn(hosts, interfaces, Arc::new(Workshop::new(window.slots())), random)
    }

    /// Another network of the same shape, with initial weights of its own. They share threads and memory.
    pub(super) fn another(&self, random: &mut Random) -> Result<Self> {
        let names = |of: &Var| of.dim(0).map(|entries| entries - 1);
        let (hosts, interfaces) = (names(&self.embedding_host)?, names(&self.embedding_interface)?);
        Self::drawn(hosts, interfaces, Arc::clone(&self.workshop), random)
    }

    fn drawn(
        hosts: usize,
        interfaces: usize,
        workshop: Arc<Workshop<INPUTS, BLOCKS>>,
        random: &mut Random,
    ) -> Result<Self> {
        let device = Device::Cpu;
        let mut draw = |rows: usize, columns: usize, bound: f64| {
            let values: Vec<f32> = (0..rows * columns).map(|_| random.between(-bound, bound) as f32).collect();
            Var::from_vec(values, (rows, columns), &device)
        };
        let fan = |inputs: usize| libm::sqrt(3.0 / inputs as f64);
        let mut gate_bias = vec![0.0f32; GATES];
        // A forget gate that starts open lets the gradient reach back (Jozefowicz et al., 2015).
        gate_bias[HIDDEN..2 * HIDDEN].fill(1.0);
        Ok(Self {
            embedding: draw(EMBEDDING, GATES, 0.5 * fan(EMBEDDING))?,
            embedding_host: draw(hosts + 1, HOST_EMBEDDING, 0.1)?,
            embedding_interface: draw(interfaces + 1, INTERFACE_EMBEDDING, 0.1)?,
            head: draw(HIDDEN + SIDE, HEAD, 0.7 * fan(HIDDEN + SIDE))?,
            input: draw(INPUTS, GATES, 0.7 * fan(INPUTS))?,
            recurrent: draw(HIDDEN, GATES, 1.0 / libm::sqrt(HIDDEN as f64))?,
            bias: Var::from_vec(gate_bias, (1, GATES), &device)?,
            head_bias: Var::zeros((1, HEAD), DType::F32, &device)?,
            output: Var::zeros((HEAD, OUTPUTS), DType::F32, &device)?,
            output_bias: Var::zeros((1, OUTPUTS), DType::F32, &device)?,
            device,
            workshop,
        })
    }

    /// All variables, in the order of their names.
    pub fn variables(&self) -> Vec<Var> {
        [
            &self.bias,
            &self.embedding,
            &self.embedding_host,
            &self.embedding_interface,
            &self.head,
            &self.head_bias,
            &self.input,
            &self.output,
            &self.output_bias,
            &self.recurrent,
        ]
        .map(Clone::clone)
        .to_vec()
    }

    /// Outputs for a batch of samples: [batch][OUTPUTS].
    pub fn forward(&self, batch: &[Shown<'_>]) -> Result<Tensor> {
        let n = batch.len();
        let ids =
            |of: fn(&Shown<'_>) -> u32| Tensor::from_vec(batch.iter().map(of).collect::<Vec<u32>>(), n, &self.device);
        let embedding = Tensor::cat(
            &[
                self.embedding_host.index_select(&ids(|s| s.host)?, 0)?,
                self.embedding_interface.index_select(&ids(|s| s.interface)?, 0)?,
            ],
            1,
        )?;
        let constant = dense(&embedding, &self.embedding, &self.bias, Squash::None)?;
        let sequences = batch.iter().map(|s| &*s.sample.sequence);
        let state = self.workshop.last_state(&self.input, &self.recurrent, &constant, sequences)?;
        let side: Vec<f32> = batch.iter().flat_map(|s| s.sample.side).collect();
        let features = Tensor::cat(&[state, Tensor::from_vec(side, (n, SIDE), &self.device)?], 1)?;
        let head = dense(&features, &self.head, &self.head_bias, Squash::Tanh)?;
        dense(&head, &self.output, &self.output_bias, Squash::None)
    }

    /// The same as numbers that nothing is learnt from.
    pub(super) fn said(&self, batch: &[Shown<'_>]) -> Result<Tensor> {
        Ok(self.forward(batch)?.detach())
    }

    /// The batch's loss: Huber's for the forecast, so that an incident among the rows pulls no
    /// harder than a bad forecast; for the spread the negative logarithm of a Laplace density,
    /// with the forecast held fixed.
    pub fn loss(&self, batch: &[Shown<'_>]) -> Result<Tensor> {
        let out = self.forward(batch)?;
        let target: Vec<f32> = batch.iter().flat_map(|s| s.sample.target).collect();
        let target = Tensor::from_vec(target, (batch.len(), 2), &self.device)?;
        let size = (target - out.narrow(1, 0, 2)?)?.abs()?;
        let near = size.clamp(0f32, 1f32)?;
        let huber = (&near * (&size - (&near * 0.5)?)?)?.mean_all()?;
        let log_spread = out.narrow(1, 2, 2)?;
        let fit = ((size.detach().clamp(0f32, 8f32)? * log_spread.neg()?.exp()?)? + log_spread)?.mean_all()?;
        huber + (fit * SPREAD_WEIGHT)?
    }

    /// The weights that all interfaces share, for the kernel.
    pub fn weights(&self) -> Result<Weights> {
        Ok(Weights {
            input: values(&self.input)?,
            embedding: values(&self.embedding)?,
            recurrent: values(&self.recurrent)?,
            bias: values(&self.bias)?,
            head: values(&self.head)?,
            head_bias: values(&self.head_bias)?,
            output: values(&self.output)?,
            output_bias: values(&self.output_bias)?,
        })
    }

    /// The embeddings' tables.
    pub fn embeddings(&self) -> Result<Embeddings> {
        Ok(Embeddings { host: values(&self.embedding_host)?, interface: values(&self.embedding_interface)? })
    }
}

fn values(of: &Var) -> Result<Vec<f32>> {
    of.flatten_all()?.to_vec1()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::{GateBias, Given};

    fn sample(random: &mut Random) -> Sample {
        let mut sequence = vec![[0.0; INPUTS]; 24].into_boxed_slice();
        sequence.iter_mut().flatten().for_each(|v| *v = random.normal() as f32);
        let mut side = [0.0; SIDE];
        side.iter_mut().for_each(|v| *v = random.normal() as f32);
        Sample { sequence, side, target: [0.3, -0.2], host: random.below(3) as u32, interface: random.below(5) as u32 }
    }

    #[test]
    fn the_kernel_says_what_candle_says() {
        let mut random = Random::new(3);
        let network = Network::new(2, 4, WindowLength::default(), &mut random).unwrap();
        // A trained output layer is not zero.
        let output: Vec<f32> = (0..HEAD * OUTPUTS).map(|_| random.normal() as f32 * 0.3).collect();
        network.output.set(&Tensor::from_vec(output, (HEAD, OUTPUTS), &Device::Cpu).unwrap()).unwrap();
        let samples: Vec<Sample> = (0..7).map(|_| sample(&mut random)).collect();
        let refs: Vec<Shown<'_>> = samples.iter().map(Shown::from).collect();
        let candle: Vec<Vec<f32>> = network.forward(&refs).unwrap().to_vec2().unwrap();
        let (kernel, embeddings) = (network.weights().unwrap().kernel(), network.embeddings().unwrap());
        for (s, want) in samples.iter().zip(candle) {
            let bias: GateBias = kernel.gate_bias(&embeddings.of(s.host as usize, s.interface as usize));
            let got = kernel.forward(&Given { bias: &bias, sequence: &s.sequence, side: &s.side, output: None });
            for (g, w) in got.iter().zip(&want) {
                assert!((g - w).abs() < 2e-5, "kernel {g}, Candle {w}");
            }
        }
    }

    #[test]
    fn a_seed_gives_the_same_network_and_a_new_one_changes_nothing_yet() {
        let network = |seed| Network::new(2, 4, WindowLength::default(), &mut Random::new(seed)).unwrap();
        assert_eq!(network(1).weights().unwrap(), network(1).weights().unwrap());
        assert_ne!(network(1).weights().unwrap(), network(2).weights().unwrap());
        let s = sample(&mut Random::new(9));
        assert_eq!(network(1).forward(&[(&s).into()]).unwrap().to_vec2::<f32>().unwrap(), [[0.0; OUTPUTS]]);
    }

    #[test]
    fn the_gradient_is_that_of_finite_differences() {
        let mut random = Random::new(5);
        let network = Network::new(2, 4, WindowLength::default(), &mut random).unwrap();
        let output: Vec<f32> = (0..HEAD * OUTPUTS).map(|_| random.normal() as f32 * 0.3).collect();
        network.output.set(&Tensor::from_vec(output, (HEAD, OUTPUTS), &Device::Cpu).unwrap()).unwrap();
        let samples: Vec<Sample> = (0..4).map(|_| sample(&mut random)).collect();
        let refs: Vec<Shown<'_>> = samples.iter().map(Shown::from).collect();
        let loss = || f64::from(network.loss(&refs).unwrap().to_scalar::<f32>().unwrap());
        let gradients = network.loss(&refs).unwrap().backward().unwrap();
        // The spread's loss holds the forecast fixed, so only the spread's own outputs may be compared with it;
        // the recurrent weights reach the loss through both, so they are checked with the forecast's part alone.
        for variable in [&network.output_bias] {
            let gradient: Vec<f32> = gradients.get(variable).unwrap().flatten_all().unwrap().to_vec1().unwrap();
            let start: Vec<f32> = values(variable).unwrap();
            for i in 2..OUTPUTS {
                let at = |by: f32| {
                    let mut moved = start.clone();
                    moved[i] += by;
                    variable.set(&Tensor::from_vec(moved, variable.shape(), &Device::Cpu).unwrap()).unwrap();
                    loss()
                };
                let slope = (at(1e-2) - at(-1e-2)) / 2e-2;
                variable.set(&Tensor::from_vec(start.clone(), variable.shape(), &Device::Cpu).unwrap()).unwrap();
                assert!((slope - f64::from(gradient[i])).abs() < 1e-3, "{slope} against {}", gradient[i]);
            }
        }
        assert!(gradients.get(&network.recurrent).is_some() && gradients.get(&network.embedding_host).is_some());
    }
}
