//! Sixteen floats that are worked on together, and the LSTM's gates as rows of them.
//!
//! Everything here is plain code over arrays of a fixed length, in a form that the compiler turns
//! into vector instructions: sums of all gates stay in registers while the weights stream by, and
//! each loop over lanes has no call and no branch in it.

use super::kernel::{GATES, HEAD, HIDDEN, INPUTS};

/// Floats in one [`Lanes`]: a vector register of AVX-512, two of AVX2.
pub(super) const LANES: usize = 16;
/// [`Lanes`] that hold one number for every unit.
pub(super) const BLOCKS: usize = HIDDEN / LANES;
/// What a unit is given in each slot: inputs, then the state of the slot before.
pub(super) const GIVEN: usize = INPUTS + HIDDEN;

/// Sixteen floats, aligned to a cache line so that no load touches two.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub(super) [f32; LANES]);

/// A number for each gate: all units' input gates, then forget gates, candidates, output gates.
pub(super) type GateRow = [Lanes; GATES / LANES];
/// A number for each unit.
pub(super) type UnitRow = [Lanes; BLOCKS];

const _: () = assert!(HIDDEN == 2 * LANES && HEAD == HIDDEN, "the loops are written out for two blocks of units");

impl Lanes {
    /// Sixteen zeros.
    pub(super) const ZERO: Self = Self([0.0; LANES]);
}

/// `values` in lanes.
pub(super) fn lanes<const N: usize>(values: &[f32]) -> [Lanes; N] {
    let mut out = [Lanes::ZERO; N];
    for (lanes, values) in out.iter_mut().zip(values.chunks_exact(LANES)) {
        lanes.0.copy_from_slice(values);
    }
    out
}

/// The gates' weights with the factor that turns e^−x into a power of two folded in: −log2 e, and
/// twice that for candidates, whose squash is a tanh.
pub(super) fn fold(mut row: GateRow) -> GateRow {
    for (i, lanes) in row.iter_mut().enumerate() {
        let factor = if i / BLOCKS == 2 { 2.0 } else { 1.0 };
        lanes.0.iter_mut().for_each(|v| *v *= -factor * std::f32::consts::LOG2_E);
    }
    row
}

/// sums += x · weights, for sixteen lanes.
#[inline(always)]
pub(super) fn add_scaled(sums: &mut Lanes, x: f32, weights: &Lanes) {
    for l in 0..LANES {
        sums.0[l] += x * weights.0[l];
    }
}

/// sums += x · weights, for all gates.
///
/// The calls are written out: a loop over the row's lanes would be vectorised across them instead
/// of along them.
#[inline(always)]
pub(super) fn add_scaled_row(sums: &mut GateRow, x: f32, weights: &GateRow) {
    let [a, b, c, d, e, f, g, h] = sums;
    add_scaled(a, x, &weights[0]);
    add_scaled(b, x, &weights[1]);
    add_scaled(c, x, &weights[2]);
    add_scaled(d, x, &weights[3]);
    add_scaled(e, x, &weights[4]);
    add_scaled(f, x, &weights[5]);
    add_scaled(g, x, &weights[6]);
    add_scaled(h, x, &weights[7]);
}

/// The gates' sums: the bias, then what each of the numbers in `given` brings, in their order.
#[inline(always)]
pub(super) fn gate_sums(bias: &GateRow, weights: &[GateRow; GIVEN], given: &[f32; GIVEN]) -> GateRow {
    let mut sums = *bias;
    for (row, x) in weights.iter().zip(given) {
        add_scaled_row(&mut sums, *x, row);
    }
    sums
}

/// 2^x, held to ±60: the whole part goes into the exponent, a degree-6 polynomial (Taylor's, on
/// half a unit to each side) does the rest. Within these bounds a product of two such numbers is
/// still a float, and 1 + 2^60 is 2^60, so a squashed gate reaches its ends all the same.
#[inline(always)]
pub(super) fn power(x: f32) -> f32 {
    // Adding 1.5·2^23 leaves the nearest whole number in the low bits of the mantissa.
    const ROUNDER: f32 = 12_582_912.0;
    const LN_2: f32 = std::f32::consts::LN_2;
    let x = x.clamp(-60.0, 60.0);
    let shifted = x + ROUNDER;
    let f = (x - (shifted - ROUNDER)) * LN_2;
    let p = 1.0 + f * (1.0 + f * (0.5 + f * (1.0 / 6.0 + f * (1.0 / 24.0 + f * (1.0 / 120.0 + f * (1.0 / 720.0))))));
    p * f32::from_bits((shifted.to_bits() << 23).wrapping_add(0x3f80_0000))
}

/// The hyperbolic tangent.
#[inline(always)]
pub(super) fn tanh(x: f32) -> f32 {
    let e = power(x * (-2.0 * std::f32::consts::LOG2_E));
    (1.0 - e) / (1.0 + e)
}

/// One slot of the LSTM for sixteen units: from the folded sums of the four gates and the cells to
/// the new cells and the state. Products of squashed gates share one division.
#[inline(always)]
pub(super) fn advance(sums: [&Lanes; 4], cell: &mut Lanes, state: &mut Lanes) {
    let [i, f, g, o] = sums;
    for l in 0..LANES {
        let (i, f, g, o) = (power(i.0[l]), power(f.0[l]), power(g.0[l]), power(o.0[l]));
        let new = cell.0[l] / (1.0 + f) + (1.0 - g) / ((1.0 + i) * (1.0 + g));
        cell.0[l] = new;
        let c = power(new * (-2.0 * std::f32::consts::LOG2_E));
        state.0[l] = (1.0 - c) / ((1.0 + o) * (1.0 + c));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_squashes_are_as_exact_as_a_float_allows() {
        let sigmoid = |x: f32| 1.0 / (1.0 + power(-x * std::f32::consts::LOG2_E));
        for i in -4000..4000 {
            let x = i as f32 * 0.005;
            let s = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid(x)) - s).abs() < 2e-7, "sigmoid({x})");
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 4e-7, "tanh({x})");
        }
        for x in [-1e9, 1e9] {
            assert!(sigmoid(x).is_finite() && tanh(x).is_finite());
        }
        assert_eq!((sigmoid(1e9), sigmoid(0.0), tanh(0.0), tanh(1e9)), (1.0, 0.5, 0.0, 1.0));
    }

    #[test]
    fn a_slot_at_the_ends_of_the_squashes_stays_finite() {
        for sum in [-1e30, 1e30] {
            let (mut cell, mut state) = (Lanes([24.0; LANES]), Lanes::ZERO);
            let all = Lanes([sum; LANES]);
            advance([&all, &all, &all, &all], &mut cell, &mut state);
            assert!(cell.0.iter().chain(&state.0).all(|v| v.is_finite()), "{cell:?} {state:?}");
        }
    }
}
