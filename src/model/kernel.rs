//! The Embed-LSTM's forward pass for one window.
//!
//! Every sum has one fixed order that does not depend on how many windows are scored together or
//! on how many threads, so a score is the same to the last bit in a batch and live. The loops run
//! over contiguous rows of the weights so that the compiler vectorises them without changing that order.

use crate::series::window::{WINDOW, Window, WindowSlot};

/// Inputs of the LSTM in each slot, besides the embeddings.
pub const INPUTS: usize = 9;
/// Units of the LSTM.
pub const HIDDEN: usize = 32;
/// The four gates of all units: input, forget, cell, output.
pub const GATES: usize = 4 * HIDDEN;
/// Inputs of the head, besides the LSTM's last state: what the past says about the slot to come.
pub const SIDE: usize = 20;
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

/// A window as the network takes it: [`WINDOW`] slots, oldest first, of [`INPUTS`] numbers.
pub type Sequence = [[f32; INPUTS]; WINDOW];

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
pub struct GateBias(Box<[f32; GATES]>);

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

    /// The gates' bias for an interface with this embedding.
    pub fn gate_bias(&self, embedding: &[f32; EMBEDDING]) -> GateBias {
        let mut gates = Box::new([0.0; GATES]);
        gates.copy_from_slice(&self.bias);
        for (k, e) in embedding.iter().enumerate() {
            axpy(&mut gates, *e, &self.embedding[k * GATES..(k + 1) * GATES]);
        }
        GateBias(gates)
    }

    /// The four outputs for one window: forecasts and log-spreads in units of the plain forecast's usual error.
    pub fn forward(&self, bias: &GateBias, sequence: &Sequence, side: &[f32; SIDE]) -> [f32; OUTPUTS] {
        let mut state = [0.0f32; HIDDEN];
        let mut cell = [0.0f32; HIDDEN];
        for slot in sequence {
            let mut gates: [f32; GATES] = *bias.0;
            for (k, x) in slot.iter().enumerate() {
                axpy(&mut gates, *x, &self.input[k * GATES..(k + 1) * GATES]);
            }
            for (k, h) in state.iter().enumerate() {
                axpy(&mut gates, *h, &self.recurrent[k * GATES..(k + 1) * GATES]);
            }
            let (input, rest) = gates.split_at(HIDDEN);
            let (forget, rest) = rest.split_at(HIDDEN);
            let (candidate, output) = rest.split_at(HIDDEN);
            for u in 0..HIDDEN {
                cell[u] = sigmoid(forget[u]) * cell[u] + sigmoid(input[u]) * tanh(candidate[u]);
                state[u] = sigmoid(output[u]) * tanh(cell[u]);
            }
        }
        let mut head = [0.0f32; HEAD];
        head.copy_from_slice(&self.head_bias);
        for (k, x) in state.iter().chain(side).enumerate() {
            for (sum, w) in head.iter_mut().zip(&self.head[k * HEAD..(k + 1) * HEAD]) {
                *sum += x * w;
            }
        }
        let mut out = [0.0f32; OUTPUTS];
        out.copy_from_slice(&self.output_bias);
        for (k, h) in head.iter().enumerate() {
            let h = tanh(*h);
            for (sum, w) in out.iter_mut().zip(&self.output[k * OUTPUTS..(k + 1) * OUTPUTS]) {
                *sum += h * w;
            }
        }
        out
    }
}

#[inline(always)]
fn axpy(sums: &mut [f32; GATES], x: f32, weights: &[f32]) {
    for (sum, w) in sums.iter_mut().zip(weights) {
        *sum += x * w;
    }
}

/// e^x as 2^(x·log2 e): the whole part goes into the exponent, a degree-6 polynomial (Taylor's, on
/// half a unit to each side) does the rest. Held to ±87, where a float ends.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding 1.5·2^23 leaves the nearest whole number in the low bits of the mantissa.
    const ROUNDER: f32 = 12_582_912.0;
    let y = x.clamp(-87.0, 87.0) * std::f32::consts::LOG2_E;
    let shifted = y + ROUNDER;
    let whole = shifted - ROUNDER;
    let f = (y - whole) * std::f32::consts::LN_2;
    let p = 1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f * (1.0 / 120.0 + f * (1.0 / 720.0))))));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000));
    p * power
}

/// 1/(1 + e^−x).
#[inline(always)]
fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    2.0 / (1.0 + exp(-2.0 * x)) - 1.0
}

/// The network's view of a window: values relative to the last one, surprises and deviations,
/// each held to a range that no single slot can leave.
pub fn sequence(window: &Window) -> Sequence {
    let last = window.value_back(0);
    let mut out = [[0.0; INPUTS]; WINDOW];
    for (row, slot) in out.iter_mut().zip(window.slots()) {
        *row = inputs(slot, last);
    }
    out
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

    #[test]
    fn the_activations_are_as_exact_as_a_float_allows() {
        for i in -4000..4000 {
            let x = i as f32 * 0.005;
            let s = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid(x)) - s).abs() < 2e-7, "sigmoid({x})");
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 4e-7, "tanh({x})");
        }
        for x in [-1e9, 1e9] {
            assert!(sigmoid(x).is_finite() && tanh(x).is_finite());
        }
        assert_eq!((sigmoid(1e9), sigmoid(0.0), tanh(0.0)), (1.0, 0.5, 0.0));
    }
}
