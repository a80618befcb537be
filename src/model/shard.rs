//! The LSTM over whole windows for a handful of samples, forward and backward.
//!
//! A batch is cut into shards of [`SAMPLES`]: large enough that the weights' gradients stay in
//! registers while a shard's samples stream by, small enough that its activations stay in the
//! processor's own cache. A shard's numbers depend on nothing outside it, so shards may be worked
//! on by any number of threads.

use super::instructions::{Arithmetic, Work};
use super::lanes::{Gates, LANES, Lanes, Quad, Units, add_rows, load, power, store, tanh};
use super::lstm::{Lstm, TOGETHER};

/// Samples in a shard at the most.
pub(super) const SAMPLES: usize = 32;
const ZERO: Quad = [Lanes::ZERO; 4];

const _: () = assert!(SAMPLES.is_multiple_of(TOGETHER), "samples are worked on some at a time");

/// What one shard was given, what it did, and the gradients of that. What is made of arrays of
/// `BLOCKS` lies by blocks of sixteen units, so that what streams by lies in one piece.
#[derive(Debug)]
pub(super) struct Shard<const INPUTS: usize, const BLOCKS: usize> {
    /// Samples in it.
    len: usize,
    /// Slots of each.
    slots: usize,
    /// Of each slot and sample.
    inputs: Vec<[[f32; INPUTS]; SAMPLES]>,
    /// Of each slot and sample: the state before it; at the end the last one.
    states: Vec<[Units<BLOCKS>; SAMPLES]>,
    /// Of each slot and sample: the squashed gates; after the backward pass the gradients of their sums.
    gates: Vec<[[Quad; SAMPLES]; BLOCKS]>,
    /// Of each slot and sample: the cells before it; at the end the last ones.
    cells: Vec<[[Lanes; SAMPLES]; BLOCKS]>,
    /// Gates' constants, folded; after the backward pass the gradients of them, plain.
    constants: Box<[[Quad; SAMPLES]; BLOCKS]>,
    /// The gradient of the last state; during the backward pass that of the state before a slot.
    state_gradient: Box<[[Lanes; SAMPLES]; BLOCKS]>,
    /// Gradients of the input weights and of the recurrent weights.
    input_gradient: Box<[[Quad; INPUTS]; BLOCKS]>,
    recurrent_gradient: Box<[[[Quad; LANES]; BLOCKS]; BLOCKS]>,
}

impl<const INPUTS: usize, const BLOCKS: usize> Shard<INPUTS, BLOCKS> {
    /// An empty one, for windows of that many slots.
    pub(super) fn new(slots: usize) -> Self {
        Self {
            len: 0,
            slots,
            inputs: vec![[[0.0; INPUTS]; SAMPLES]; slots],
            states: vec![[[[0.0; LANES]; BLOCKS]; SAMPLES]; slots + 1],
            gates: vec![[[ZERO; SAMPLES]; BLOCKS]; slots],
            cells: vec![[[Lanes::ZERO; SAMPLES]; BLOCKS]; slots + 1],
            constants: Box::new([[ZERO; SAMPLES]; BLOCKS]),
            state_gradient: Box::new([[Lanes::ZERO; SAMPLES]; BLOCKS]),
            input_gradient: Box::new([[ZERO; INPUTS]; BLOCKS]),
            recurrent_gradient: Box::new([[[ZERO; LANES]; BLOCKS]; BLOCKS]),
        }
    }

    /// Takes other samples, [`SAMPLES`] at the most.
    pub(super) fn fill<'a>(&mut self, windows: impl Iterator<Item = &'a [[f32; INPUTS]]>) {
        self.len = 0;
        for (s, window) in windows.take(SAMPLES).enumerate() {
            for (inputs, slot) in self.inputs.iter_mut().zip(window) {
                inputs[s] = *slot;
            }
            self.len = s + 1;
        }
    }

    /// Samples in it.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Sets the samples' constants of the gates, folded, before a forward pass.
    pub(super) fn set_constants(&mut self, of_each: impl Iterator<Item = Gates<BLOCKS>>) {
        for (sample, gates) in of_each.take(self.len).enumerate() {
            for (of_block, quad) in self.constants.iter_mut().zip(&gates) {
                of_block[sample] = *quad;
            }
        }
    }

    /// A sample's gradient of the gates' constants, after a backward pass.
    pub(super) fn constant_gradient(&self, sample: usize) -> Gates<BLOCKS> {
        self.constants.each_ref().map(|of_block| of_block[sample])
    }

    /// Each sample's last state, after a forward pass.
    pub(super) fn last_states(&self) -> &[Units<BLOCKS>] {
        &self.states[self.slots][..self.len]
    }

    /// Sets the samples' gradients of the last state, before a backward pass.
    pub(super) fn set_state_gradients<'a>(&mut self, of_each: impl Iterator<Item = &'a [f32]>) {
        for (sample, units) in of_each.take(self.len).enumerate() {
            for (of_block, units) in self.state_gradient.iter_mut().zip(units.chunks_exact(LANES)) {
                of_block[sample].0.copy_from_slice(units);
            }
        }
    }

    /// The gradients of the weights, after a backward pass: those of each input, then those of each unit's state.
    pub(super) fn weight_gradients(&self) -> impl Iterator<Item = Gates<BLOCKS>> {
        let inputs = (0..INPUTS).map(|k| self.input_gradient.each_ref().map(|of_block| of_block[k]));
        let row = |k: usize| self.recurrent_gradient.each_ref().map(|of_block| of_block.as_flattened()[k]);
        inputs.chain((0..BLOCKS * LANES).map(row))
    }
}

/// The forward pass: from constants and inputs to the last states.
pub(super) struct Forward<'a, const INPUTS: usize, const BLOCKS: usize> {
    /// The shard.
    pub(super) shard: &'a mut Shard<INPUTS, BLOCKS>,
    /// The weights.
    pub(super) lstm: &'a Lstm<INPUTS, BLOCKS>,
}

impl<const INPUTS: usize, const BLOCKS: usize> Work for Forward<'_, INPUTS, BLOCKS> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(mut self) {
        self.shard.cells[0] = [[Lanes::ZERO; SAMPLES]; BLOCKS];
        for slot in 0..self.shard.slots {
            for block in 0..BLOCKS {
                // Samples past the last one of a shard that is not full are computed and never looked at.
                for s in (0..self.shard.len).step_by(if A::WIDE { TOGETHER } else { 1 }) {
                    if A::WIDE {
                        self.advance::<A, TOGETHER>(slot, block, s);
                    } else {
                        self.advance::<A, 1>(slot, block, s);
                    }
                }
            }
        }
    }
}

impl<const INPUTS: usize, const BLOCKS: usize> Forward<'_, INPUTS, BLOCKS> {
    /// One slot of sixteen units of `W` samples from the `first` on.
    #[inline(always)]
    fn advance<A: Arithmetic, const W: usize>(&mut self, slot: usize, block: usize, first: usize) {
        let Shard { inputs, states, gates, cells, constants, .. } = &mut *self.shard;
        let constants = std::array::from_fn(|w| [&constants[block][first + w]]);
        let inputs = std::array::from_fn(|w| &inputs[slot][first + w]);
        let before = (slot > 0).then(|| std::array::from_fn(|w| &states[slot][first + w]));
        let sums = self.lstm.sums::<A, 1, W>(block, constants, inputs, before);
        for (w, [sums]) in sums.iter().enumerate() {
            let s = first + w;
            let mut cell = cells[slot][block][s];
            gates[slot][block][s] = squash::<A>(*sums, &mut cell, &mut states[slot + 1][s][block]);
            cells[slot + 1][block][s] = cell;
        }
    }
}

/// One slot for sixteen units, keeping the squashed gates that the way back needs. Two gates share one
/// division.
#[inline(always)]
fn squash<A: Arithmetic>(sums: [A::Vector; 4], cell: &mut Lanes, state: &mut [f32; LANES]) -> Quad {
    let one = A::splat(1.0);
    let [i, f, g, o] = sums;
    let (i, f) = (A::add(one, power::<A>(i)), A::add(one, power::<A>(f)));
    let (g, o) = (power::<A>(g), A::add(one, power::<A>(o)));
    let with_g = A::add(one, g);
    let (both, others) = (A::divide(one, A::multiply(i, f)), A::divide(one, A::multiply(with_g, o)));
    let (i, f) = (A::multiply(both, f), A::multiply(both, i));
    let (g, o) = (A::multiply(A::subtract(one, g), A::multiply(others, o)), A::multiply(others, with_g));
    let new = A::fused(f, A::load(cell), A::multiply(i, g));
    *cell = A::store(new);
    *state = A::store(A::multiply(o, tanh::<A>(new))).0;
    [A::store(i), A::store(f), A::store(g), A::store(o)]
}

/// The recurrent weights turned and not folded, to go back from gates to the states before them: for
/// each two blocks of units the gates' weights, gates by blocks.
#[derive(Debug)]
pub(super) struct Turned(Vec<[Lanes; 2]>);

impl Turned {
    /// From [UNITS][4·UNITS], row by row. The number of units is a multiple of 32.
    pub(super) fn new(recurrent: &[f32], units: usize) -> Self {
        let gates = 4 * units;
        let pairs = (0..units).step_by(2 * LANES);
        let blocks = || (0..units).step_by(LANES);
        let each = pairs.flat_map(|pair| {
            blocks().flat_map(move |block| {
                (0..4 * LANES).map(move |i| {
                    let column = i / LANES * units + block + i % LANES;
                    let lanes = |from: usize| Lanes(std::array::from_fn(|l| recurrent[(from + l) * gates + column]));
                    [lanes(pair), lanes(pair + LANES)]
                })
            })
        });
        Self(each.collect())
    }
}

/// The backward pass, after a forward pass: from the gradients of the last states to those of
/// constants and weights.
pub(super) struct Backward<'a, const INPUTS: usize, const BLOCKS: usize> {
    /// The shard.
    pub(super) shard: &'a mut Shard<INPUTS, BLOCKS>,
    /// Gates to the states before them.
    pub(super) turned: &'a Turned,
}

impl<const INPUTS: usize, const BLOCKS: usize> Work for Backward<'_, INPUTS, BLOCKS> {
    type Output = ();

    #[inline(always)]
    fn run<A: Arithmetic>(mut self) {
        let Shard { slots, constants, input_gradient, recurrent_gradient, .. } = &mut *self.shard;
        **constants = [[ZERO; SAMPLES]; BLOCKS];
        **input_gradient = [[ZERO; INPUTS]; BLOCKS];
        recurrent_gradient.fill([[ZERO; LANES]; BLOCKS]);
        let mut cell_gradient = [[Lanes::ZERO; SAMPLES]; BLOCKS];
        for slot in (0..*slots).rev() {
            self.unsquash::<A>(slot, &mut cell_gradient);
            self.add_products::<A>(slot);
            if slot > 0 {
                self.turn_back::<A>(slot);
            }
        }
    }
}

impl<const INPUTS: usize, const BLOCKS: usize> Backward<'_, INPUTS, BLOCKS> {
    /// From squashed gates to the gradients of their sums, and one slot back along the cells.
    #[inline(always)]
    fn unsquash<A: Arithmetic>(&mut self, slot: usize, cell_gradient: &mut [[Lanes; SAMPLES]; BLOCKS]) {
        let Shard { len, gates, cells, constants, state_gradient, .. } = &mut *self.shard;
        for block in 0..BLOCKS {
            for s in 0..*len {
                let (quad, constant) = (&mut gates[slot][block][s], &mut constants[block][s]);
                let (before, after) = (&cells[slot][block][s], &cells[slot + 1][block][s]);
                unsquash::<A>(quad, &state_gradient[block][s], &mut cell_gradient[block][s], before, after);
                for (sum, gradient) in constant.iter_mut().zip(&*quad) {
                    *sum = A::store(A::add(A::load(sum), A::load(gradient)));
                }
            }
        }
    }

    /// Adds to the gradients of the weights what a slot's samples bring.
    #[inline(always)]
    fn add_products<A: Arithmetic>(&mut self, slot: usize) {
        let Shard { len, inputs, states, gates, input_gradient, recurrent_gradient, .. } = &mut *self.shard;
        let (inputs, states) = (&inputs[slot][..*len], &states[slot][..*len]);
        for block in 0..BLOCKS {
            let gates = &gates[slot][block][..*len];
            add_products::<A>(&mut input_gradient[block], inputs.iter().map(|inputs| &inputs[..]), gates);
            // The states before the first slot are zero.
            if slot > 0 {
                let sums = recurrent_gradient[block].as_flattened_mut();
                add_products::<A>(sums, states.iter().map(|units| units.as_flattened()), gates);
            }
        }
    }

    /// The gradients of the states before a slot, from those of its gates.
    #[inline(always)]
    fn turn_back<A: Arithmetic>(&mut self, slot: usize) {
        for pair in 0..BLOCKS / 2 {
            for s in (0..self.shard.len).step_by(if A::WIDE { TOGETHER } else { 2 }) {
                if A::WIDE {
                    self.turn_some::<A, TOGETHER>(slot, pair, s);
                } else {
                    self.turn_some::<A, 2>(slot, pair, s);
                }
            }
        }
    }

    /// The same for two blocks of units of `W` samples from the `first` on.
    #[inline(always)]
    fn turn_some<A: Arithmetic, const W: usize>(&mut self, slot: usize, pair: usize, first: usize) {
        let Shard { gates, state_gradient, .. } = &mut *self.shard;
        let mut sums = [[[A::splat(0.0); 2]; 1]; W];
        let rows = 4 * LANES * BLOCKS;
        let mut turned = self.turned.0[pair * rows..][..rows].chunks_exact(LANES);
        for gates in &gates[slot] {
            for (gate, turned) in turned.by_ref().take(4).enumerate() {
                add_rows::<A, 2, 1, W>(&mut sums, [turned], std::array::from_fn(|w| &gates[first + w][gate].0[..]));
            }
        }
        for (w, [sums]) in sums.into_iter().enumerate() {
            for (half, sums) in sums.into_iter().enumerate() {
                state_gradient[2 * pair + half][first + w] = A::store(sums);
            }
        }
    }
}

/// From squashed gates to the gradients of their sums, and one slot back along the cells, for sixteen units.
#[inline(always)]
fn unsquash<A: Arithmetic>(
    gates: &mut Quad,
    state_gradient: &Lanes,
    cell_gradient: &mut Lanes,
    before: &Lanes,
    after: &Lanes,
) {
    let one = A::splat(1.0);
    let [i, f, g, o] = [A::load(&gates[0]), A::load(&gates[1]), A::load(&gates[2]), A::load(&gates[3])];
    let (dh, c) = (A::load(state_gradient), tanh::<A>(A::load(after)));
    let zero = A::splat(0.0);
    let dc = A::fused(A::multiply(dh, o), A::fused(A::subtract(zero, c), c, one), A::load(cell_gradient));
    let to_i = A::multiply(A::multiply(A::multiply(dc, g), i), A::subtract(one, i));
    let to_f = A::multiply(A::multiply(A::multiply(dc, A::load(before)), f), A::subtract(one, f));
    let to_g = A::multiply(A::multiply(dc, i), A::fused(A::subtract(zero, g), g, one));
    let to_o = A::multiply(A::multiply(A::multiply(dh, c), o), A::subtract(one, o));
    *gates = [A::store(to_i), A::store(to_f), A::store(to_g), A::store(to_o)];
    *cell_gradient = A::store(A::multiply(dc, f));
}

/// Adds to the gradients of weight rows what samples bring that were given these rows and whose gates
/// have these gradients.
#[inline(always)]
fn add_products<'a, A: Arithmetic>(sums: &mut [Quad], given: impl Iterator<Item = &'a [f32]> + Clone, gates: &[Quad]) {
    let mut k = 0;
    if A::WIDE {
        while k + TOGETHER <= sums.len() {
            add_some::<A, TOGETHER>(sums, k, given.clone(), gates);
            k += TOGETHER;
        }
    }
    while k < sums.len() {
        add_some::<A, 1>(sums, k, given.clone(), gates);
        k += 1;
    }
}

/// The same for `W` rows from row `k` on: their sums stay in registers.
#[inline(always)]
fn add_some<'a, A: Arithmetic, const W: usize>(
    sums: &mut [Quad],
    k: usize,
    given: impl Iterator<Item = &'a [f32]>,
    gates: &[Quad],
) {
    let sums = &mut sums[k..k + W];
    let mut rows = [[A::splat(0.0); 4]; W];
    for (row, sums) in rows.iter_mut().zip(&*sums) {
        load::<A, 4>(row, sums);
    }
    for (given, gates) in given.zip(gates) {
        let (given, mut quad) = (&given[k..k + W], [A::splat(0.0); 4]);
        load::<A, 4>(&mut quad, gates);
        for w in 0..W {
            let x = A::splat(given[w]);
            for gate in 0..4 {
                rows[w][gate] = A::fused(x, quad[gate], rows[w][gate]);
            }
        }
    }
    for (sums, row) in sums.iter_mut().zip(rows) {
        store::<A, 4>(sums, row);
    }
}
