//! Sixteen floats that are worked on together, and rows of them.
//!
//! Sums over many rows of weights are kept in registers while the weights stream by, and are squashed
//! there. What handles registers has no closure in it, which would be compiled for another set of
//! instructions wherever it is not inlined.

use super::instructions::Arithmetic;

/// Floats in one [`Lanes`]: a vector register of AVX-512, two of AVX2.
pub const LANES: usize = 16;

/// Sixteen floats, aligned to a cache line so that no load touches two.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes(pub [f32; LANES]);

/// A number for each of the four gates of sixteen units: input, forget, candidate, output.
pub type Quad = [Lanes; 4];
/// A number for each gate of all units, by blocks of sixteen units.
pub type Gates<const BLOCKS: usize> = [Quad; BLOCKS];
/// A number for each unit, by blocks of sixteen.
pub type Units<const BLOCKS: usize> = [[f32; LANES]; BLOCKS];

impl Lanes {
    /// Sixteen zeros.
    pub const ZERO: Self = Self([0.0; LANES]);
}

/// `values` in lanes.
pub(super) fn lanes<const N: usize>(values: &[f32]) -> [Lanes; N] {
    let mut out = [Lanes::ZERO; N];
    for (lanes, values) in out.iter_mut().zip(values.chunks_exact(LANES)) {
        lanes.0.copy_from_slice(values);
    }
    out
}

/// The rows of a matrix in lanes; rows that are missing are 0.
pub(super) fn rows<T: Copy, const N: usize>(of: impl Iterator<Item = T>, zero: T) -> Box<[T; N]> {
    let mut out = Box::new([zero; N]);
    out.iter_mut().zip(of).for_each(|(to, row)| *to = row);
    out
}

/// Lanes into registers.
#[inline(always)]
pub(super) fn load<A: Arithmetic, const N: usize>(to: &mut [A::Vector; N], from: &[Lanes; N]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = A::load(from);
    }
}

/// Registers into lanes.
#[inline(always)]
pub(super) fn store<A: Arithmetic, const N: usize>(to: &mut [Lanes; N], from: [A::Vector; N]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = A::store(from);
    }
}

/// sums += Σ given · weights: of `N` lanes of `P` matrices, for `W` that are given something, in the
/// order of the rows.
#[inline(always)]
pub(super) fn add_rows<A: Arithmetic, const N: usize, const P: usize, const W: usize>(
    sums: &mut [[[A::Vector; N]; P]; W],
    weights: [&[[Lanes; N]]; P],
    given: [&[f32]; W],
) {
    let rows = weights[0].len();
    let (weights, given) = (weights.map(|weights| &weights[..rows]), given.map(|given| &given[..rows]));
    for k in 0..rows {
        for p in 0..P {
            for n in 0..N {
                let weights = A::load(&weights[p][k][n]);
                for w in 0..W {
                    sums[w][p][n] = A::fused(A::splat(given[w][k]), weights, sums[w][p][n]);
                }
            }
        }
    }
}

/// 2^x, held to ±40: the whole part goes into the exponent, a polynomial of degree 5 does the rest.
/// Within these bounds a product of three such numbers is still a float, and 1 + 2^40 is 2^40, so a
/// squashed gate reaches its ends all the same.
///
/// The polynomial is 1 at 0 and else that whose largest relative error on half a unit to each side is
/// the least: 9.2e-8, and 1.6e-7 in single precision.
#[inline(always)]
pub(super) fn power<A: Arithmetic>(x: A::Vector) -> A::Vector {
    let x = A::hold(x, 40.0);
    let whole = A::whole(x);
    let f = A::subtract(x, whole);
    let p = A::fused(f, A::splat(0.001_326_472_7), A::splat(0.009_671_513));
    let p = A::fused(f, p, A::splat(0.055_507_336));
    let p = A::fused(f, p, A::splat(0.240_222_42));
    let p = A::fused(f, p, A::splat(std::f32::consts::LN_2 - 1.8e-7));
    let p = A::fused(f, p, A::splat(1.0));
    A::scale(p, whole)
}

/// The hyperbolic tangent.
#[inline(always)]
pub(super) fn tanh<A: Arithmetic>(x: A::Vector) -> A::Vector {
    let one = A::splat(1.0);
    let e = power::<A>(A::multiply(x, A::splat(-2.0 * std::f32::consts::LOG2_E)));
    A::divide(A::subtract(one, e), A::add(one, e))
}

#[cfg(test)]
mod tests {
    use super::super::instructions::{Instructions, Work};
    use super::*;

    /// The logistic function and the hyperbolic tangent.
    struct Squashes(f32);

    impl Work for Squashes {
        type Output = [f32; 2];

        fn run<A: Arithmetic>(self) -> [f32; 2] {
            let one = A::splat(1.0);
            let power = power::<A>(A::splat(-self.0 * std::f32::consts::LOG2_E));
            [A::divide(one, A::add(one, power)), tanh::<A>(A::splat(self.0))].map(|v| A::store(v).0[3])
        }
    }

    #[test]
    fn the_squashes_are_as_exact_as_a_float_allows() {
        let squashes = |x: f32| Instructions::PORTABLE.run(Squashes(x));
        for i in -4000..4000 {
            let x = i as f32 * 0.005;
            let [s, t] = squashes(x);
            assert!((f64::from(s) - 1.0 / (1.0 + (-f64::from(x)).exp())).abs() < 2e-7, "sigmoid({x})");
            assert!((f64::from(t) - f64::from(x).tanh()).abs() < 4e-7, "tanh({x})");
        }
        assert_eq!(
            [squashes(-1e9), squashes(0.0), squashes(1e9)],
            [[f32::powi(2.0, -40), -1.0], [0.5, 0.0], [1.0, 1.0]]
        );
    }

    #[test]
    fn rows_are_added_in_their_order_whoever_is_beside() {
        struct Add<const W: usize>(Vec<[Lanes; 2]>, [Vec<f32>; W]);
        impl<const W: usize> Work for Add<W> {
            type Output = [[Lanes; 4]; W];

            #[inline(always)]
            fn run<A: Arithmetic>(self) -> Self::Output {
                let mut sums = [[[A::splat(0.5); 2]; 2]; W];
                add_rows::<A, 2, 2, W>(&mut sums, [&self.0, &self.0], std::array::from_fn(|w| &self.1[w][..]));
                sums.map(|[[a, b], [c, d]]| [a, b, c, d].map(A::store))
            }
        }
        let mut random = crate::random::Random::new(2);
        let mut draw = || random.normal() as f32;
        let weights: Vec<[Lanes; 2]> = (0..13).map(|_| [0; 2].map(|_| Lanes([0; LANES].map(|_| draw())))).collect();
        let given: [Vec<f32>; 3] = [0; 3].map(|_| (0..13).map(|_| draw()).collect());
        let want = |w: usize, n: usize, l: usize| {
            given[w].iter().zip(&weights).fold(0.5f32, |sum, (x, row)| x.mul_add(row[n % 2].0[l], sum))
        };
        for instructions in Instructions::available() {
            let sums = instructions.run(Add(weights.clone(), given.clone()));
            for (w, sums) in sums.iter().enumerate() {
                let alone = instructions.run(Add(weights.clone(), [given[w].clone()]));
                assert_eq!(alone[0], *sums, "{}", instructions.label());
                for (n, sums) in sums.iter().enumerate() {
                    assert_eq!(sums.0, std::array::from_fn(|l| want(w, n, l)), "{}", instructions.label());
                }
            }
        }
    }
}
