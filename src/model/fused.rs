//! A product and a sum rounded once, on processors that have no instruction for it.
//!
//! Newer processors multiply and add in one step and round once. What that gives is fixed to the
//! last bit (IEEE 754, fusedMultiplyAdd), so it can be had without the instruction as well, only
//! slower: the standard library does it number by number, this does it for whole vectors.

/// x·y + z, rounded once: the same bits as [`f32::mul_add`].
///
/// In double precision the product of two floats is exact, and what the sum loses is known (Knuth's
/// two-sum). Where something is lost, the sum is rounded to odd: of the two doubles beside the true
/// value, that whose last digit is 1. It then tells on which side of a float's halfway point the true
/// value lies, and rounding it to a float is the one rounding that counts (Boldo and Melquiond,
/// Emulation of FMA and correctly rounded sums, 2008).
#[inline(always)]
pub(super) fn fused(x: f32, y: f32, z: f32) -> f32 {
    let (product, z) = (f64::from(x) * f64::from(y), f64::from(z));
    let sum = product + z;
    let of_z = sum - product;
    let lost = (product - (sum - of_z)) + (z - of_z);
    // All ones where something is lost. What is no number or infinite has lost nothing.
    let inexact = 0u64.wrapping_sub(u64::from(lost.abs() > 0.0));
    // 1 where the sum was rounded away from zero.
    let away = (lost.to_bits() ^ sum.to_bits()) >> 63;
    f64::from_bits(sum.to_bits().wrapping_sub(away & inexact) | (1 & inexact)) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn check(x: f32, y: f32, z: f32) {
        let (got, want) = (fused(x, y, z), x.mul_add(y, z));
        let same = got.to_bits() == want.to_bits() || (got.is_nan() && want.is_nan());
        assert!(same, "{x:e} · {y:e} + {z:e} = {want:e}, not {got:e}");
    }

    #[test]
    fn it_is_what_the_instruction_gives() {
        let mut random = Random::new(1);
        let mut any = || f32::from_bits(random.below(1 << 32) as u32);
        for _ in 0..1_000_000 {
            check(any(), any(), any());
        }
        // Sizes at which the sum's digits overlap with the product's, or cancel them.
        let mut near = |bits: u32| {
            let exponent = 127 - 30 + random.below(60) as u32;
            f32::from_bits((random.below(2) as u32) << 31 | exponent << 23 | random.below(1 << 23) as u32 & bits)
        };
        for i in 0..2_000_000u32 {
            // Few digits make products and sums that lie halfway between two floats, and just beside.
            let bits = [0x7f_ffff, 0x7f_f000, 0x40_0001, 0x00_0003][i as usize % 4];
            let (x, y, z) = (near(bits), near(bits), near(0x7f_ffff));
            check(x, y, z);
            check(x, y, -(x * y));
            check(x, y, x * y * 16_777_216.0);
        }
    }

    #[test]
    fn halfway_is_decided_by_what_lies_far_behind() {
        let (one, half) = (1.0f32, f32::EPSILON / 2.0);
        for tiny in [f32::MIN_POSITIVE, 1e-45, 1e-30] {
            for sign in [1.0, -1.0] {
                // 1 + half an ulp lies halfway; a product beside it decides, however small.
                check(tiny, sign, one + f32::EPSILON);
                check(half, one + f32::EPSILON * sign, one);
                check(half * (1.0 + f32::EPSILON), one + sign * tiny, one + f32::EPSILON);
                check(sign * half, one, one);
                check(sign * half, one, one + f32::EPSILON);
            }
        }
    }

    #[test]
    fn ends_of_the_range_and_what_is_no_number() {
        let all = [
            0.0,
            -0.0,
            1.0,
            -1.0,
            1e-45,
            -1e-45,
            f32::MIN_POSITIVE,
            f32::MAX,
            f32::MIN,
            f32::EPSILON,
            3.0e-23,
            f32::INFINITY,
            f32::NEG_INFINITY,
            f32::NAN,
        ];
        for x in all {
            for y in all {
                for z in all {
                    check(x, y, z);
                }
            }
        }
    }
}
