//! The Embed-LSTM's forward pass for one window.
//!
//! Every sum has one fixed order that does not depend on how many windows are scored together, on
//! how many threads, or on the vectors that the processor has, so a score is the same to the last
//! bit in a batch, live, and on another machine.

use super::body::{Asked, Body};
use super::instructions::Instructions;
use super::lanes::{Gates, LANES, Lanes, rows};
use super::lstm::Lstm;
pub use super::lstm::TOGETHER;
use crate::series::window::{Window, WindowSlot};

/// Inputs of the LSTM in each slot, besides the embeddings.
pub const INPUTS: usize = 9;
/// Of these, those that were measured, which come first; the others say whether and when.
pub(super) const MEASURED: usize = 6;
/// Units of the LSTM.
pub const HIDDEN: usize = 32;
/// The same in blocks of sixteen.
pub(super) const BLOCKS: usize = HIDDEN / LANES;
/// The four gates of all units: input, forget, cell, output.
pub const GATES: usize = 4 * HIDDEN;
/// Inputs of the head, besides the LSTM's last state: what the past says about the slot to come.
pub const SIDE: usize = 28;
/// Units of the head.
pub const HEAD: usize = 32;
/// Outputs: forecast of maximum and mean, and the logarithm of the spread of each.
pub const OUTPUTS: usize = 4;
/// Length of a host's embedding and of an interface's.
pub const HOST_EMBEDDING: usize = 4;
/// Length of an interface's embedding.
pub const INTERFACE_EMBEDDING: usize = 8;
/// Length of both together.
pub const EMBEDDING: usize = HOST_EMBEDDING + INTERFACE_EMBEDDING;

/// A window as the network takes it: its slots, oldest first, of [`INPUTS`] numbers each. The
/// weights do not depend on how many there are.
pub type Sequence = [[f32; INPUTS]];

/// The weights that all interfaces share.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// Slot inputs to gates: [INPUTS][GATES].
    pub input: Vec<f32>,
    /// Embedding to gates: [EMBEDDING][GATES].
    pub embedding: Vec<f32>,
    /// State to gates: [HIDDEN][GATES].
    pub recurrent: Vec<f32>,
    /// Gates' bias: [GATES].
    pub bias: Vec<f32>,
    /// State and side inputs to the head: [HIDDEN + SIDE][HEAD].
    pub head: Vec<f32>,
    /// Head's bias: [HEAD].
    pub head_bias: Vec<f32>,
    /// Head to outputs: [HEAD][OUTPUTS].
    pub output: Vec<f32>,
    /// Outputs' bias: [OUTPUTS].
    pub output_bias: Vec<f32>,
}

/// What an embedding adds to every gate in every slot: computed once for an interface.
#[derive(Debug, Clone)]
pub struct GateBias(Box<Gates<BLOCKS>>);

/// What is asked of the network: one window.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// What the interface's embedding adds to the gates.
    pub bias: &'a GateBias,
    /// The window.
    pub sequence: &'a Sequence,
    /// What the past says about the slot to come.
    pub side: &'a [f32; SIDE],
    /// Another last layer than the network's.
    pub output: Option<&'a OutputLayer>,
}

/// The weights in the form that scoring takes: aligned, in the order in which they are read, and
/// with the constant factors of the squashes folded in.
#[derive(Debug, Clone)]
pub struct Kernel {
    body: Body<INPUTS, BLOCKS, SIDE, { HEAD / LANES }>,
    embedding: Box<[Gates<BLOCKS>; EMBEDDING]>,
    bias: Gates<BLOCKS>,
    output: OutputLayer,
    instructions: Instructions,
}

/// The last layer: that of the network, or one that a device or an interface has for itself.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputLayer {
    /// Head to outputs.
    pub weights: Box<[[f32; OUTPUTS]; HEAD]>,
    /// Outputs' bias.
    pub bias: [f32; OUTPUTS],
}

impl OutputLayer {
    /// From [HEAD][OUTPUTS] weights and [OUTPUTS] biases, row by row; what is missing is 0.
    pub fn from_slices(weights: &[f32], bias: &[f32]) -> Self {
        let mut layer = Self { weights: Box::new([[0.0; OUTPUTS]; HEAD]), bias: [0.0; OUTPUTS] };
        for (row, values) in layer.weights.iter_mut().zip(weights.chunks_exact(OUTPUTS)) {
            row.copy_from_slice(values);
        }
        layer.bias.iter_mut().zip(bias).for_each(|(to, value)| *to = *value);
        layer
    }

    /// The outputs for what the head says.
    #[inline(always)]
    pub fn outputs<'a>(&self, head: impl IntoIterator<Item = &'a f32>) -> [f32; OUTPUTS] {
        let mut out = self.bias;
        for (h, row) in head.into_iter().zip(self.weights.iter()) {
            for (sum, w) in out.iter_mut().zip(row) {
                *sum += h * w;
            }
        }
        out
    }
}

impl Weights {
    /// Weights of a network that says nothing.
    pub fn zero() -> Self {
        Self {
            input: vec![0.0; INPUTS * GATES],
            embedding: vec![0.0; EMBEDDING * GATES],
            recurrent: vec![0.0; HIDDEN * GATES],
            bias: vec![0.0; GATES],
            head: vec![0.0; (HIDDEN + SIDE) * HEAD],
            head_bias: vec![0.0; HEAD],
            output: vec![0.0; HEAD * OUTPUTS],
            output_bias: vec![0.0; OUTPUTS],
        }
    }

    /// The last layer alone.
    pub fn output_layer(&self) -> OutputLayer {
        OutputLayer::from_slices(&self.output, &self.output_bias)
    }

    /// These weights for scoring, with the widest instructions of this processor.
    pub fn kernel(&self) -> Kernel {
        self.kernel_for(Instructions::widest())
    }

    /// The same with certain instructions. What they score is the same to the last bit.
    pub fn kernel_for(&self, instructions: Instructions) -> Kernel {
        let lstm = Lstm::new(&self.input, &self.recurrent);
        let gates = |row: &[f32]| Lstm::<INPUTS, BLOCKS>::constant(row);
        Kernel {
            body: Body::new(lstm, &self.head, &self.head_bias),
            embedding: rows(self.embedding.chunks_exact(GATES).map(gates), [[Lanes::ZERO; 4]; BLOCKS]),
            bias: gates(&self.bias),
            output: self.output_layer(),
            instructions,
        }
    }
}

impl Kernel {
    /// The gates' bias for an interface with this embedding.
    pub fn gate_bias(&self, embedding: &[f32; EMBEDDING]) -> GateBias {
        let mut gates = Box::new(self.bias);
        for (e, row) in embedding.iter().zip(self.embedding.iter()) {
            for (sum, weights) in gates.as_flattened_mut().iter_mut().zip(row.as_flattened()) {
                sum.0.iter_mut().zip(&weights.0).for_each(|(sum, w)| *sum += e * w);
            }
        }
        GateBias(gates)
    }

    /// The four outputs for one window: forecasts and log-spreads in units of the plain forecast's usual error.
    pub fn forward(&self, given: &Given<'_>) -> [f32; OUTPUTS] {
        let [out] = self.forward_together([given]);
        out
    }

    /// The same for as many windows as share one pass over the weights. Each gets what it gets alone.
    pub fn forward_some(&self, given: [&Given<'_>; TOGETHER]) -> [[f32; OUTPUTS]; TOGETHER] {
        self.forward_together(given)
    }

    fn forward_together<const W: usize>(&self, given: [&Given<'_>; W]) -> [[f32; OUTPUTS]; W] {
        let heads = self.body.says(self.instructions, given.map(Given::asked));
        std::array::from_fn(|w| given[w].output.unwrap_or(&self.output).outputs(heads[w].as_flattened()))
    }

    /// What the last layer is given.
    pub fn head(&self, given: &Given<'_>) -> [f32; HEAD] {
        let [head] = self.body.says(self.instructions, [given.asked()]);
        let mut out = [0.0; HEAD];
        out.copy_from_slice(head.as_flattened());
        out
    }
}

impl Given<'_> {
    fn asked(&self) -> Asked<'_, INPUTS, BLOCKS, SIDE> {
        Asked { constant: &self.bias.0, window: self.sequence, side: self.side }
    }
}

/// The network's view of a window: values relative to the last one, surprises and deviations,
/// each held to a range that no single slot can leave.
pub fn sequence(window: &Window, into: &mut Vec<[f32; INPUTS]>) {
    let last = window.value_back(0);
    into.clear();
    into.extend(window.slots().map(|slot| inputs(&slot, last)));
}

fn inputs(slot: &WindowSlot, last: [f32; 2]) -> [f32; INPUTS] {
    let change = |c: usize| (slot.value[c] - last[c]).clamp(-8.0, 8.0);
    [
        change(0),
        change(1),
        slot.surprise[0].clamp(-4.0, 4.0),
        slot.surprise[1].clamp(-4.0, 4.0),
        slot.deviation[0].clamp(-8.0, 8.0),
        slot.deviation[1].clamp(-8.0, 8.0),
        if slot.present { 1.0 } else { 0.0 },
        slot.hour[0],
        slot.hour[1],
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// The formulas as they stand in a book, in double precision.
    fn by_the_book(w: &Weights, embedding: &[f32], sequence: &Sequence, side: &[f32]) -> [f64; OUTPUTS] {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let sum = |start: f32, x: &[f64], matrix: &[f32], columns: usize, j: usize| {
            x.iter().enumerate().fold(f64::from(start), |sum, (k, x)| sum + x * f64::from(matrix[k * columns + j]))
        };
        let double = |v: &[f32]| v.iter().map(|v| f64::from(*v)).collect::<Vec<f64>>();
        let (mut state, mut cell) = (vec![0.0; HIDDEN], vec![0.0; HIDDEN]);
        for slot in sequence {
            let gates: Vec<f64> = (0..GATES)
                .map(|j| {
                    sum(w.bias[j], &double(embedding), &w.embedding, GATES, j)
                        + sum(0.0, &double(slot), &w.input, GATES, j)
                        + sum(0.0, &state, &w.recurrent, GATES, j)
                })
                .collect();
            for u in 0..HIDDEN {
                let gate = |g: usize| gates[g * HIDDEN + u];
                cell[u] = sigmoid(gate(1)) * cell[u] + sigmoid(gate(0)) * gate(2).tanh();
                state[u] = sigmoid(gate(3)) * f64::tanh(cell[u]);
            }
        }
        state.extend(double(side));
        let head: Vec<f64> = (0..HEAD).map(|j| sum(w.head_bias[j], &state, &w.head, HEAD, j).tanh()).collect();
        std::array::from_fn(|j| sum(w.output_bias[j], &head, &w.output, OUTPUTS, j))
    }

    fn weights(random: &mut Random) -> Weights {
        let mut weights = Weights::zero();
        let Weights { input, embedding, recurrent, bias, head, head_bias, output, output_bias } = &mut weights;
        for matrix in [input, embedding, recurrent, bias, head, head_bias, output, output_bias] {
            matrix.iter_mut().for_each(|w| *w = random.normal() as f32 * 0.4);
        }
        weights
    }

    #[test]
    fn every_set_of_instructions_gives_the_same_bits_and_those_are_what_the_book_says() {
        let mut random = Random::new(11);
        for (size, slots) in [(0.3, 24), (1.0, 4), (8.0, 96)] {
            let weights = weights(&mut random);
            let mut draw = |n: usize| (0..n).map(|_| random.normal() as f32 * size).collect::<Vec<f32>>();
            let (embedding, side): ([f32; EMBEDDING], [f32; SIDE]) =
                (draw(EMBEDDING).try_into().unwrap(), draw(SIDE).try_into().unwrap());
            let sequence: Vec<[f32; INPUTS]> = (0..slots).map(|_| draw(INPUTS).try_into().unwrap()).collect();
            let scores: Vec<[u32; OUTPUTS]> = Instructions::available()
                .into_iter()
                .map(|instructions| {
                    let kernel = weights.kernel_for(instructions);
                    let bias = kernel.gate_bias(&embedding);
                    let given = Given { bias: &bias, sequence: &sequence, side: &side, output: None };
                    let out = kernel.forward(&given).map(f32::to_bits);
                    // Beside others: those of another length, and those of its own.
                    let (shorter, other) =
                        (Given { sequence: &sequence[1..], ..given }, Given { side: &[0.5; SIDE], ..given });
                    for beside in [&shorter, &other] {
                        let [first, second, ..] = kernel.forward_some([beside, &given, beside, beside]);
                        assert_eq!(second.map(f32::to_bits), out, "{}", instructions.label());
                        assert_eq!(first, kernel.forward(beside), "{}", instructions.label());
                    }
                    out
                })
                .collect();
            assert!(scores.iter().all(|s| *s == scores[0]), "{scores:x?}");
            for (got, want) in scores[0].iter().zip(by_the_book(&weights, &embedding, &sequence, &side)) {
                let got = f64::from(f32::from_bits(*got));
                assert!((got - want).abs() < 1e-4 * want.abs().max(1.0), "kernel {got}, by the book {want}");
            }
        }
    }
}
