//! An LSTM (Hochreiter and Schmidhuber, 1997) of any shape over whole windows.
//!
//! Each sum starts with a gate's constant and takes the inputs and then the states of the slot
//! before in their order, whoever is scored beside. Weights lie in the order in which they are read:
//! for sixteen units, all that is given to them, and of each the four gates. Several windows share
//! one pass over them where the registers hold the sums: a wide layer's weights do not fit into the
//! first-level cache.

use super::instructions::Arithmetic;
pub use super::lanes::{Gates, LANES, Lanes, Quad, Units};
use super::lanes::{add_rows, load, power, rows};

/// Windows that share one pass over the weights.
pub const TOGETHER: usize = 4;

/// The weights of an LSTM of 16·`BLOCKS` units that is given `INPUTS` numbers in each slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Lstm<const INPUTS: usize, const BLOCKS: usize> {
    /// For each block of units: of each input the four gates, folded.
    input: Box<[[Quad; INPUTS]; BLOCKS]>,
    /// The same of each unit's last state.
    recurrent: Box<[[[Quad; LANES]; BLOCKS]; BLOCKS]>,
}

/// A row of gates as a matrix has it (all units' input gates, forget gates, candidates, output gates)
/// in the order of the arithmetic.
fn gates<const BLOCKS: usize>(row: &[f32]) -> Gates<BLOCKS> {
    let units = BLOCKS * LANES;
    std::array::from_fn(|block| {
        std::array::from_fn(|gate| Lanes(std::array::from_fn(|l| row[gate * units + block * LANES + l])))
    })
}

/// The gates' weights with the factor that turns e^−x into a power of two folded in: −log2 e, and
/// twice that for candidates, whose squash is a tanh.
fn fold<const BLOCKS: usize>(mut row: Gates<BLOCKS>) -> Gates<BLOCKS> {
    for (gate, lanes) in row.iter_mut().flat_map(|quad| quad.iter_mut().enumerate()) {
        let factor = if gate == 2 { 2.0 } else { 1.0 };
        lanes.0.iter_mut().for_each(|v| *v *= -factor * std::f32::consts::LOG2_E);
    }
    row
}

impl<const INPUTS: usize, const BLOCKS: usize> Lstm<INPUTS, BLOCKS> {
    /// Units.
    pub const UNITS: usize = BLOCKS * LANES;
    /// Gates: four for each unit.
    pub const GATES: usize = 4 * Self::UNITS;

    /// From input weights, `[INPUTS][GATES]`, and recurrent ones, `[UNITS][GATES]`, row by row. Gates are
    /// in the order input, forget, candidate, output, each of all units. What is missing is 0.
    pub fn new(input: &[f32], recurrent: &[f32]) -> Self {
        let zero = Lanes::ZERO;
        let mut lstm = Self {
            input: Box::new([[[zero; 4]; INPUTS]; BLOCKS]),
            recurrent: rows(std::iter::empty(), [[[zero; 4]; LANES]; BLOCKS]),
        };
        for (k, row) in input.chunks_exact(Self::GATES).take(INPUTS).enumerate() {
            for (block, quad) in fold::<BLOCKS>(gates(row)).into_iter().enumerate() {
                lstm.input[block][k] = quad;
            }
        }
        for (k, row) in recurrent.chunks_exact(Self::GATES).take(Self::UNITS).enumerate() {
            for (block, quad) in fold::<BLOCKS>(gates(row)).into_iter().enumerate() {
                lstm.recurrent[block].as_flattened_mut()[k] = quad;
            }
        }
        lstm
    }

    /// What a bias, `[GATES]`, adds to every gate in every slot, in the form that scoring takes.
    pub fn constant(bias: &[f32]) -> Gates<BLOCKS> {
        fold(gates(bias))
    }

    /// The gates' sums of `P` blocks of units from the `first` on for `W` windows: constants, inputs, and
    /// the states of the slot before where there was one.
    #[inline(always)]
    pub(super) fn sums<A: Arithmetic, const P: usize, const W: usize>(
        &self,
        first: usize,
        constants: [[&Quad; P]; W],
        inputs: [&[f32; INPUTS]; W],
        before: Option<[&Units<BLOCKS>; W]>,
    ) -> [[[A::Vector; 4]; P]; W] {
        let mut sums = [[[A::splat(0.0); 4]; P]; W];
        for w in 0..W {
            for p in 0..P {
                load::<A, 4>(&mut sums[w][p], constants[w][p]);
            }
        }
        let of_input = std::array::from_fn(|p| &self.input[first + p][..]);
        add_rows::<A, 4, P, W>(&mut sums, of_input, inputs.map(|inputs| &inputs[..]));
        if let Some(before) = before {
            let of_state = std::array::from_fn(|p| self.recurrent[first + p].as_flattened());
            add_rows::<A, 4, P, W>(&mut sums, of_state, before.map(|units| units.as_flattened()));
        }
        sums
    }

    /// The last state of one window.
    #[inline(always)]
    pub(super) fn state<A: Arithmetic>(&self, constants: &Gates<BLOCKS>, window: &[[f32; INPUTS]]) -> Units<BLOCKS> {
        // Two blocks of units side by side, where there are registers: sums enough to hide what one takes.
        let [state] = if A::WIDE {
            self.states::<A, 2, 1>([constants], [window])
        } else {
            self.states::<A, 1, 1>([constants], [window])
        };
        state
    }

    /// The last states of `W` windows of as many slots, `P` blocks of units at a time.
    #[inline(always)]
    pub(super) fn states<A: Arithmetic, const P: usize, const W: usize>(
        &self,
        constants: [&Gates<BLOCKS>; W],
        windows: [&[[f32; INPUTS]]; W],
    ) -> [Units<BLOCKS>; W] {
        const { assert!(BLOCKS.is_multiple_of(P), "blocks of units are taken P at a time") };
        let (mut cells, mut states) = ([[Lanes::ZERO; BLOCKS]; W], [[[0.0; LANES]; BLOCKS]; W]);
        let slots = windows[0].len();
        let windows = windows.map(|window| &window[..slots]);
        #[expect(clippy::needless_range_loop, reason = "several windows are gone through at once")]
        for slot in 0..slots {
            let before = states;
            let inputs = std::array::from_fn(|w| &windows[w][slot]);
            for first in (0..BLOCKS).step_by(P) {
                let constants = constants.map(|constants| std::array::from_fn(|p| &constants[first + p]));
                // The states before the first slot are zero and bring nothing.
                let before = (slot > 0).then(|| before.each_ref());
                let sums = self.sums::<A, P, W>(first, constants, inputs, before);
                for w in 0..W {
                    for p in 0..P {
                        states[w][first + p] = advance::<A>(sums[w][p], &mut cells[w][first + p]);
                    }
                }
            }
        }
        states
    }
}

/// One slot for sixteen units: from the folded sums of the four gates and the cells to the new cells
/// and the state. With p = 2^sum a gate is 1/(1 + p), a candidate (1 − p)/(1 + p); the products of
/// squashed gates share one division.
#[inline(always)]
fn advance<A: Arithmetic>(sums: [A::Vector; 4], cell: &mut Lanes) -> [f32; LANES] {
    let one = A::splat(1.0);
    let [i, f, g, o] = sums;
    let (i, f, g, o) = (power::<A>(i), power::<A>(f), power::<A>(g), power::<A>(o));
    let (of_forget, of_both) = (A::add(one, f), A::multiply(A::add(one, i), A::add(one, g)));
    let new = A::fused(A::load(cell), of_both, A::multiply(A::subtract(one, g), of_forget));
    let new = A::divide(new, A::multiply(of_forget, of_both));
    *cell = A::store(new);
    let c = power::<A>(A::multiply(new, A::splat(-2.0 * std::f32::consts::LOG2_E)));
    A::store(A::divide(A::subtract(one, c), A::multiply(A::add(one, o), A::add(one, c)))).0
}

#[cfg(test)]
mod tests {
    use super::super::instructions::{Instructions, Work};
    use super::*;

    #[test]
    fn a_slot_at_the_ends_of_the_squashes_stays_finite() {
        struct Ends(f32);
        impl Work for Ends {
            type Output = (Lanes, [f32; LANES]);

            fn run<A: Arithmetic>(self) -> Self::Output {
                let mut cell = Lanes([96.0; LANES]);
                let state = advance::<A>([A::splat(self.0); 4], &mut cell);
                (cell, state)
            }
        }
        for instructions in Instructions::available() {
            for sum in [-1e30, 1e30] {
                let (cell, state) = instructions.run(Ends(sum));
                assert!(cell.0.iter().chain(&state).all(|v| v.is_finite()), "{cell:?} {state:?}");
            }
        }
    }
}
