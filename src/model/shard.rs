//! The LSTM over whole sequences for a handful of samples, forward and backward.
//!
//! A batch is cut into shards of [`SAMPLES`]: large enough that the weights' gradients stay in
//! registers while a shard's samples stream by, small enough that its activations stay in the
//! processor's own cache. A shard's numbers depend on nothing outside it, so shards may be worked
//! on by any number of threads.

use super::instructions::Work;
use super::kernel::{GATES, INPUTS, Sequence};
use super::lanes::{BLOCKS, GIVEN, GateRow, LANES, Lanes, UnitRow, add_scaled, add_scaled_row, gate_sums, power, tanh};

/// Samples in a shard at the most.
pub(super) const SAMPLES: usize = 32;
/// Samples whose states' gradients are summed side by side: sums enough to hide an addition's latency.
const TOGETHER: usize = 4;
const ZERO_GATES: GateRow = [Lanes::ZERO; GATES / LANES];
const ZERO_UNITS: UnitRow = [Lanes::ZERO; BLOCKS];

/// What one shard was given, what it did, and the gradients of that.
#[derive(Debug)]
pub(super) struct Shard {
    /// Samples in it.
    len: usize,
    /// Slots of each.
    slots: usize,
    /// Of each slot and sample: inputs, then the state before.
    given: Vec<[[f32; GIVEN]; SAMPLES]>,
    /// Of each slot and sample: the squashed gates; after the backward pass the gradients of their sums.
    gates: Vec<[GateRow; SAMPLES]>,
    /// Of each slot and sample: the cells before it.
    cells: Vec<[UnitRow; SAMPLES]>,
    /// Gates' constants, folded; after the backward pass the gradients of them, plain.
    constant: Box<[GateRow; SAMPLES]>,
    /// The last state; before the backward pass the gradient of it.
    state: Box<[UnitRow; SAMPLES]>,
    /// Gradients of input and recurrent weights.
    weights: Box<[GateRow; GIVEN]>,
}

impl Shard {
    /// An empty one, for sequences of that many slots.
    pub(super) fn new(slots: usize) -> Self {
        Self {
            len: 0,
            slots,
            given: vec![[[0.0; GIVEN]; SAMPLES]; slots],
            gates: vec![[ZERO_GATES; SAMPLES]; slots],
            cells: vec![[ZERO_UNITS; SAMPLES]; slots + 1],
            constant: Box::new([ZERO_GATES; SAMPLES]),
            state: Box::new([ZERO_UNITS; SAMPLES]),
            weights: Box::new([ZERO_GATES; GIVEN]),
        }
    }

    /// Takes other samples, [`SAMPLES`] at the most.
    pub(super) fn fill<'a>(&mut self, sequences: impl Iterator<Item = &'a Sequence>) {
        self.len = 0;
        for (s, sequence) in sequences.take(SAMPLES).enumerate() {
            for (given, slot) in self.given.iter_mut().zip(sequence) {
                given[s][..INPUTS].copy_from_slice(slot);
            }
            self.len = s + 1;
        }
    }

    /// Samples in it.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The gates' constants: folded, to be set before a forward pass.
    pub(super) fn constant_mut(&mut self) -> &mut [GateRow] {
        &mut self.constant[..self.len]
    }

    /// Each sample's gradient of the gates' constants, after a backward pass.
    pub(super) fn constant(&self) -> &[GateRow] {
        &self.constant[..self.len]
    }

    /// Each sample's last state, after a forward pass.
    pub(super) fn state(&self) -> &[UnitRow] {
        &self.state[..self.len]
    }

    /// Each sample's gradient of the last state: to be set before a backward pass.
    pub(super) fn state_mut(&mut self) -> &mut [UnitRow] {
        &mut self.state[..self.len]
    }

    /// The gradients of input and recurrent weights, after a backward pass.
    pub(super) fn weights(&self) -> &[GateRow; GIVEN] {
        &self.weights
    }
}

/// The forward pass: from constants and inputs to the last state.
pub(super) struct Forward<'a> {
    /// The shard.
    pub(super) shard: &'a mut Shard,
    /// Input and recurrent weights, folded.
    pub(super) weights: &'a [GateRow; GIVEN],
}

impl Work for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Shard { len, slots, given, gates, cells, constant, state, .. } = self.shard;
        given[0][..*len].iter_mut().for_each(|given| given[INPUTS..].fill(0.0));
        cells[0][..*len].fill(ZERO_UNITS);
        for t in 0..*slots {
            for s in 0..*len {
                let [i0, i1, f0, f1, c0, c1, o0, o1] = gate_sums(&constant[s], self.weights, &given[t][s]);
                let (mut cell, mut h) = (cells[t][s], ZERO_UNITS);
                let [i0, f0, c0, o0] = squash([&i0, &f0, &c0, &o0], &mut cell[0], &mut h[0]);
                let [i1, f1, c1, o1] = squash([&i1, &f1, &c1, &o1], &mut cell[1], &mut h[1]);
                gates[t][s] = [i0, i1, f0, f1, c0, c1, o0, o1];
                cells[t + 1][s] = cell;
                if let Some(next) = given.get_mut(t + 1) {
                    for (to, h) in next[s][INPUTS..].chunks_exact_mut(LANES).zip(&h) {
                        to.copy_from_slice(&h.0);
                    }
                } else {
                    state[s] = h;
                }
            }
        }
    }
}

/// One slot for sixteen units, keeping the squashed gates that the way back needs.
#[inline(always)]
fn squash(sums: [&Lanes; 4], cell: &mut Lanes, state: &mut Lanes) -> [Lanes; 4] {
    let [i, f, g, o] = sums;
    let [mut i_gate, mut f_gate, mut g_gate, mut o_gate] = [Lanes::ZERO; 4];
    for l in 0..LANES {
        let i = 1.0 / (1.0 + power(i.0[l]));
        let f = 1.0 / (1.0 + power(f.0[l]));
        let g = power(g.0[l]);
        let g = (1.0 - g) / (1.0 + g);
        let o = 1.0 / (1.0 + power(o.0[l]));
        let c = f * cell.0[l] + i * g;
        i_gate.0[l] = i;
        f_gate.0[l] = f;
        g_gate.0[l] = g;
        o_gate.0[l] = o;
        cell.0[l] = c;
        state.0[l] = o * tanh(c);
    }
    [i_gate, f_gate, g_gate, o_gate]
}

/// The backward pass, after a forward pass: from the gradient of the last state to those of
/// constants and weights.
pub(super) struct Backward<'a> {
    /// The shard.
    pub(super) shard: &'a mut Shard,
    /// Gates to the state before them: the recurrent weights turned, not folded.
    pub(super) turned: &'a [UnitRow; GATES],
}

impl Work for Backward<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Shard { len, slots, given, gates, cells, constant, state, weights } = self.shard;
        let mut cell_gradient = [ZERO_UNITS; SAMPLES];
        constant.fill(ZERO_GATES);
        weights.fill(ZERO_GATES);
        for t in (0..*slots).rev() {
            for s in 0..*len {
                let [i0, i1, f0, f1, c0, c1, o0, o1] = &mut gates[t][s];
                let ([h0, h1], [d0, d1]) = (&state[s], &mut cell_gradient[s]);
                let (before, after) = (cells[t][s], cells[t + 1][s]);
                unsquash([i0, f0, c0, o0], h0, d0, &before[0], &after[0]);
                unsquash([i1, f1, c1, o1], h1, d1, &before[1], &after[1]);
                add_scaled_row(&mut constant[s], 1.0, &gates[t][s]);
            }
            for (k, sums) in weights.iter_mut().enumerate() {
                add_products(sums, k, &given[t][..*len], &gates[t][..*len]);
            }
            if t > 0 {
                // Samples past the last one of a shard that is not full are computed and never looked at.
                for s in (0..*len).step_by(TOGETHER) {
                    let (gates, state) = (&gates[t][s..s + TOGETHER], &mut state[s..s + TOGETHER]);
                    turn_back(gates, self.turned, state);
                }
            }
        }
    }
}

/// From squashed gates to the gradients of their sums, and one slot back along the cells.
#[inline(always)]
fn unsquash(gates: [&mut Lanes; 4], state_gradient: &Lanes, cell_gradient: &mut Lanes, before: &Lanes, after: &Lanes) {
    let [i_gate, f_gate, g_gate, o_gate] = gates;
    for l in 0..LANES {
        let (i, f, g, o) = (i_gate.0[l], f_gate.0[l], g_gate.0[l], o_gate.0[l]);
        let (dh, c) = (state_gradient.0[l], tanh(after.0[l]));
        let dc = cell_gradient.0[l] + dh * o * (1.0 - c * c);
        i_gate.0[l] = dc * g * i * (1.0 - i);
        f_gate.0[l] = dc * before.0[l] * f * (1.0 - f);
        g_gate.0[l] = dc * i * (1.0 - g * g);
        o_gate.0[l] = dh * c * o * (1.0 - o);
        cell_gradient.0[l] = dc * f;
    }
}

/// Adds to the gradients of weight row `k` what a slot's samples bring. Half a row at a time, so
/// that the sums fit into the sixteen registers of AVX2.
#[inline(always)]
fn add_products(sums: &mut GateRow, k: usize, given: &[[f32; GIVEN]], gates: &[GateRow]) {
    for half in [0, 4] {
        let [mut a, mut b, mut c, mut d] = [sums[half], sums[half + 1], sums[half + 2], sums[half + 3]];
        for (given, gates) in given.iter().zip(gates) {
            add_scaled(&mut a, given[k], &gates[half]);
            add_scaled(&mut b, given[k], &gates[half + 1]);
            add_scaled(&mut c, given[k], &gates[half + 2]);
            add_scaled(&mut d, given[k], &gates[half + 3]);
        }
        [sums[half], sums[half + 1], sums[half + 2], sums[half + 3]] = [a, b, c, d];
    }
}

/// The gradients of [`TOGETHER`] samples' states before a slot, from those of its gates.
#[inline(always)]
fn turn_back(gates: &[GateRow], turned: &[UnitRow; GATES], state: &mut [UnitRow]) {
    let [mut a0, mut a1, mut b0, mut b1, mut c0, mut c1, mut d0, mut d1] = ZERO_GATES;
    for (block, turned) in turned.chunks_exact(LANES).enumerate() {
        for (l, [low, high]) in turned.iter().enumerate() {
            let [a, b, c, d] = [0, 1, 2, 3].map(|s: usize| gates[s][block].0[l]);
            add_scaled(&mut a0, a, low);
            add_scaled(&mut a1, a, high);
            add_scaled(&mut b0, b, low);
            add_scaled(&mut b1, b, high);
            add_scaled(&mut c0, c, low);
            add_scaled(&mut c1, c, high);
            add_scaled(&mut d0, d, low);
            add_scaled(&mut d1, d, high);
        }
    }
    state.copy_from_slice(&[[a0, a1], [b0, b1], [c0, c1], [d0, d1]]);
}
