//! The same code, compiled for the instructions that processors have.
//!
//! A program built for every x86-64 machine may use vectors of 4 floats and no instruction that
//! multiplies and adds at once. Newer processors work on 8 (AVX2) or 16 (AVX-512) at a time and
//! have it, and whether they do is known only when the program runs. So the hot loops are plain
//! Rust that is compiled once for each, and the widest that the processor has is called. Every
//! product that goes into a sum is rounded with that sum, once, and sums have one order: all
//! variants give the same bits.

use super::lanes::{LANES, Lanes};

/// Work that is compiled for each set of instructions. Its `run` must be `#[inline(always)]`, and
/// so must whatever it calls in a hot loop: only inlined code takes on the caller's instructions.
pub(super) trait Work {
    /// What it gives.
    type Output;
    /// Does it.
    fn run<A: Arithmetic>(self) -> Self::Output;
}

/// What a set of instructions does with sixteen floats. All of it but [`Arithmetic::fused`] rounds as
/// single operations do.
pub(super) trait Arithmetic {
    /// Sixteen floats in registers.
    type Vector: Copy;
    /// Whether there are registers for the sums of four gates of four windows.
    const WIDE: bool;
    /// From memory.
    fn load(lanes: &Lanes) -> Self::Vector;
    /// To memory.
    fn store(vector: Self::Vector) -> Lanes;
    /// Sixteen times the same.
    fn splat(x: f32) -> Self::Vector;
    /// x·y + z, rounded once.
    fn fused(x: Self::Vector, y: Self::Vector, z: Self::Vector) -> Self::Vector;
    /// x + y.
    fn add(x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// x − y.
    fn subtract(x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// x·y.
    fn multiply(x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// x/y.
    fn divide(x: Self::Vector, y: Self::Vector) -> Self::Vector;
    /// x held to ±`most`; what is no number stays none.
    fn hold(x: Self::Vector, most: f32) -> Self::Vector;
    /// The nearest whole number, the even one of two, for x up to ±2^22.
    fn whole(x: Self::Vector) -> Self::Vector;
    /// x·2^n, for whole n and where x and x·2^n are normal numbers.
    fn scale(x: Self::Vector, n: Self::Vector) -> Self::Vector;
}

/// A set of vector instructions that this processor has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instructions(Set);

/// Private, so that no [`Instructions`] can be made without asking the processor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
}

impl Instructions {
    /// Those that the program was compiled for.
    pub const PORTABLE: Self = Self(Set::Portable);

    /// All sets that this processor has, the widest last.
    pub fn available() -> Vec<Self> {
        let mut all = vec![Self::PORTABLE];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("fma") {
            if is_x86_feature_detected!("avx2") {
                all.push(Self(Set::Avx2));
            }
            if is_x86_feature_detected!("avx512f") {
                all.push(Self(Set::Avx512));
            }
        }
        all
    }

    /// The widest that this processor has.
    pub fn widest() -> Self {
        Self::available().pop().unwrap_or(Self::PORTABLE)
    }

    /// What people call them.
    pub fn label(self) -> &'static str {
        match self.0 {
            Set::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "AVX-512",
        }
    }

    /// Does `work` with them.
    #[cfg_attr(target_arch = "x86_64", allow(unsafe_code, reason = "calls code for instructions found at run time"))]
    pub(super) fn run<W: Work>(self, work: W) -> W::Output {
        match self.0 {
            Set::Portable => work.run::<Portable>(),
            // SAFETY: what is called is safe code; all that it asks for is that the processor has the
            // instructions it was compiled for. `available` alone makes these values, after asking.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { x86::with_avx2(work) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { x86::with_avx512(work) },
        }
    }
}

/// What every processor has that the program was compiled for.
struct Portable;

impl Portable {
    /// Whether the compiler has an instruction for [`f32::mul_add`]; without one it calls a function.
    const FUSES: bool = cfg!(any(
        target_feature = "fma",
        target_arch = "aarch64",
        target_arch = "powerpc64",
        target_arch = "riscv64",
        target_arch = "s390x"
    ));
}

/// 1.5·2^23: a float of that size has no room for a fraction.
const ROUNDER: f32 = 12_582_912.0;

impl Arithmetic for Portable {
    type Vector = Lanes;
    const WIDE: bool = false;

    #[inline(always)]
    fn load(lanes: &Lanes) -> Lanes {
        *lanes
    }

    #[inline(always)]
    fn store(vector: Lanes) -> Lanes {
        vector
    }

    #[inline(always)]
    fn splat(x: f32) -> Lanes {
        Lanes([x; LANES])
    }

    #[inline(always)]
    fn fused(x: Lanes, y: Lanes, mut z: Lanes) -> Lanes {
        for ((z, x), y) in z.0.iter_mut().zip(&x.0).zip(&y.0) {
            *z = Self::fused_one(*x, *y, *z);
        }
        z
    }

    #[inline(always)]
    fn add(x: Lanes, y: Lanes) -> Lanes {
        each(x, y, |x, y| x + y)
    }

    #[inline(always)]
    fn subtract(x: Lanes, y: Lanes) -> Lanes {
        each(x, y, |x, y| x - y)
    }

    #[inline(always)]
    fn multiply(x: Lanes, y: Lanes) -> Lanes {
        each(x, y, |x, y| x * y)
    }

    #[inline(always)]
    fn divide(x: Lanes, y: Lanes) -> Lanes {
        each(x, y, |x, y| x / y)
    }

    #[inline(always)]
    fn hold(x: Lanes, most: f32) -> Lanes {
        each(x, x, |x, _| x.clamp(-most, most))
    }

    #[inline(always)]
    fn whole(x: Lanes) -> Lanes {
        each(x, x, |x, _| (x + ROUNDER) - ROUNDER)
    }

    #[inline(always)]
    fn scale(x: Lanes, n: Lanes) -> Lanes {
        // With that added the whole number stands in the low bits; it goes into the exponent of 1.
        each(x, n, |x, n| x * f32::from_bits(((n + ROUNDER).to_bits() << 23).wrapping_add(0x3f80_0000)))
    }
}

impl Portable {
    #[inline(always)]
    fn fused_one(x: f32, y: f32, z: f32) -> f32 {
        if Self::FUSES { x.mul_add(y, z) } else { super::fused::fused(x, y, z) }
    }
}

/// `of` each two lanes.
#[inline(always)]
fn each(x: Lanes, y: Lanes, of: impl Fn(f32, f32) -> f32) -> Lanes {
    let mut out = Lanes::ZERO;
    for ((out, x), y) in out.0.iter_mut().zip(&x.0).zip(&y.0) {
        *out = of(*x, *y);
    }
    out
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "vector instructions are unsafe where the processor may not have them")]
mod x86 {
    //! `Avx2` and `Avx512` can be named in this module alone, and only in the functions whose callers
    //! have promised that the processor has the instructions. So wherever their methods run, it has.

    use std::arch::x86_64::*;

    use super::{Arithmetic, Lanes, Work};

    struct Avx2;
    struct Avx512;

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn with_avx2<W: Work>(work: W) -> W::Output {
        work.run::<Avx2>()
    }

    #[target_feature(enable = "avx512f,fma")]
    pub(super) fn with_avx512<W: Work>(work: W) -> W::Output {
        work.run::<Avx512>()
    }

    impl Arithmetic for Avx2 {
        type Vector = [__m256; 2];
        const WIDE: bool = false;

        #[inline(always)]
        fn load(lanes: &Lanes) -> [__m256; 2] {
            let (low, high) = lanes.0.split_at(8);
            // SAFETY: the processor has AVX2, see above; each half holds the eight floats that are read.
            unsafe { [_mm256_loadu_ps(low.as_ptr()), _mm256_loadu_ps(high.as_ptr())] }
        }

        #[inline(always)]
        fn store(vector: [__m256; 2]) -> Lanes {
            let mut lanes = Lanes::ZERO;
            let (low, high) = lanes.0.split_at_mut(8);
            // SAFETY: the processor has AVX2, see above; each half has room for the eight floats.
            unsafe {
                _mm256_storeu_ps(low.as_mut_ptr(), vector[0]);
                _mm256_storeu_ps(high.as_mut_ptr(), vector[1]);
            }
            lanes
        }

        #[inline(always)]
        fn splat(x: f32) -> [__m256; 2] {
            // SAFETY: the processor has AVX2, see above.
            [unsafe { _mm256_set1_ps(x) }; 2]
        }

        #[inline(always)]
        fn fused(x: [__m256; 2], y: [__m256; 2], z: [__m256; 2]) -> [__m256; 2] {
            // SAFETY: the processor has FMA, see above.
            unsafe { [_mm256_fmadd_ps(x[0], y[0], z[0]), _mm256_fmadd_ps(x[1], y[1], z[1])] }
        }

        #[inline(always)]
        fn add(x: [__m256; 2], y: [__m256; 2]) -> [__m256; 2] {
            // SAFETY: the processor has AVX2, see above.
            unsafe { [_mm256_add_ps(x[0], y[0]), _mm256_add_ps(x[1], y[1])] }
        }

        #[inline(always)]
        fn subtract(x: [__m256; 2], y: [__m256; 2]) -> [__m256; 2] {
            // SAFETY: the processor has AVX2, see above.
            unsafe { [_mm256_sub_ps(x[0], y[0]), _mm256_sub_ps(x[1], y[1])] }
        }

        #[inline(always)]
        fn multiply(x: [__m256; 2], y: [__m256; 2]) -> [__m256; 2] {
            // SAFETY: the processor has AVX2, see above.
            unsafe { [_mm256_mul_ps(x[0], y[0]), _mm256_mul_ps(x[1], y[1])] }
        }

        #[inline(always)]
        fn divide(x: [__m256; 2], y: [__m256; 2]) -> [__m256; 2] {
            // SAFETY: the processor has AVX2, see above.
            unsafe { [_mm256_div_ps(x[0], y[0]), _mm256_div_ps(x[1], y[1])] }
        }

        #[inline(always)]
        fn hold(x: [__m256; 2], most: f32) -> [__m256; 2] {
            let [low, high] = [Self::splat(-most)[0], Self::splat(most)[0]];
            // Of a number and what is none, these give the second.
            // SAFETY: the processor has AVX2, see above.
            unsafe { [_mm256_min_ps(high, _mm256_max_ps(low, x[0])), _mm256_min_ps(high, _mm256_max_ps(low, x[1]))] }
        }

        #[inline(always)]
        fn whole(x: [__m256; 2]) -> [__m256; 2] {
            const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
            // SAFETY: the processor has AVX2, see above.
            unsafe { [_mm256_round_ps::<NEAREST>(x[0]), _mm256_round_ps::<NEAREST>(x[1])] }
        }

        #[inline(always)]
        fn scale(x: [__m256; 2], n: [__m256; 2]) -> [__m256; 2] {
            let mut powers = x;
            for half in 0..2 {
                // SAFETY: the processor has AVX2, see above.
                powers[half] = unsafe {
                    let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n[half]), _mm256_set1_epi32(127));
                    _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent))
                };
            }
            Self::multiply(x, powers)
        }
    }

    impl Arithmetic for Avx512 {
        type Vector = __m512;
        const WIDE: bool = true;

        #[inline(always)]
        fn load(lanes: &Lanes) -> __m512 {
            // SAFETY: the processor has AVX-512, see above; there are sixteen floats to read.
            unsafe { _mm512_loadu_ps(lanes.0.as_ptr()) }
        }

        #[inline(always)]
        fn store(vector: __m512) -> Lanes {
            let mut lanes = Lanes::ZERO;
            // SAFETY: the processor has AVX-512, see above; there is room for the sixteen floats.
            unsafe { _mm512_storeu_ps(lanes.0.as_mut_ptr(), vector) };
            lanes
        }

        #[inline(always)]
        fn splat(x: f32) -> __m512 {
            // SAFETY: the processor has AVX-512, see above.
            unsafe { _mm512_set1_ps(x) }
        }

        #[inline(always)]
        fn fused(x: __m512, y: __m512, z: __m512) -> __m512 {
            // SAFETY: the processor has AVX-512, see above.
            unsafe { _mm512_fmadd_ps(x, y, z) }
        }

        #[inline(always)]
        fn add(x: __m512, y: __m512) -> __m512 {
            // SAFETY: the processor has AVX-512, see above.
            unsafe { _mm512_add_ps(x, y) }
        }

        #[inline(always)]
        fn subtract(x: __m512, y: __m512) -> __m512 {
            // SAFETY: the processor has AVX-512, see above.
            unsafe { _mm512_sub_ps(x, y) }
        }

        #[inline(always)]
        fn multiply(x: __m512, y: __m512) -> __m512 {
            // SAFETY: the processor has AVX-512, see above.
            unsafe { _mm512_mul_ps(x, y) }
        }

        #[inline(always)]
        fn divide(x: __m512, y: __m512) -> __m512 {
            // SAFETY: the processor has AVX-512, see above.
            unsafe { _mm512_div_ps(x, y) }
        }

        #[inline(always)]
        fn hold(x: __m512, most: f32) -> __m512 {
            // Of a number and what is none, these give the second.
            // SAFETY: the processor has AVX-512, see above.
            unsafe { _mm512_min_ps(_mm512_set1_ps(most), _mm512_max_ps(_mm512_set1_ps(-most), x)) }
        }

        #[inline(always)]
        fn whole(x: __m512) -> __m512 {
            const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
            // SAFETY: the processor has AVX-512, see above.
            unsafe { _mm512_roundscale_ps::<NEAREST>(x) }
        }

        #[inline(always)]
        fn scale(x: __m512, n: __m512) -> __m512 {
            // SAFETY: the processor has AVX-512, see above.
            unsafe { _mm512_scalef_ps(x, n) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portable_set_is_always_there_and_the_widest_is_the_last() {
        let all = Instructions::available();
        assert_eq!(all[0], Instructions::PORTABLE);
        assert_eq!(all.last(), Some(&Instructions::widest()));
        assert_eq!(all.len(), all.iter().map(|i| i.label()).collect::<std::collections::BTreeSet<_>>().len());
    }

    /// What each operation gives for x, y and z.
    struct All([Lanes; 3]);

    impl Work for All {
        type Output = [[f32; 16]; 8];

        #[inline(always)]
        fn run<A: Arithmetic>(self) -> Self::Output {
            let [x, y, z] = self.0.each_ref().map(A::load);
            let whole = A::whole(A::hold(x, 40.0));
            [
                A::fused(x, y, z),
                A::add(x, y),
                A::subtract(x, y),
                A::multiply(x, y),
                A::divide(x, y),
                A::hold(x, 0.7),
                whole,
                A::scale(y, whole),
            ]
            .map(|v| A::store(v).0)
        }
    }

    #[test]
    fn all_sets_give_the_same_and_round_a_product_and_its_sum_once() {
        let mut random = crate::random::Random::new(4);
        for i in 0..3000 {
            let size = [1.0, 30.0, 1e-3][i % 3];
            let mut draw = || Lanes(std::array::from_fn(|_| (random.normal() * size) as f32));
            let [mut x, y, z] = [draw(), draw(), draw()];
            // Halfway between two whole numbers the even one is the nearest.
            x.0[0] = (x.0[0] * 4.0).round() / 2.0;
            let each = |of: &dyn Fn(f32, f32, f32) -> f32| std::array::from_fn(|l| of(x.0[l], y.0[l], z.0[l]));
            let whole = |x: f32| x.clamp(-40.0, 40.0).round_ties_even();
            let want: [[f32; 16]; 8] = [
                each(&f32::mul_add),
                each(&|x, y, _| x + y),
                each(&|x, y, _| x - y),
                each(&|x, y, _| x * y),
                each(&|x, y, _| x / y),
                each(&|x, _, _| x.clamp(-0.7, 0.7)),
                each(&|x, _, _| whole(x)),
                each(&|x, y, _| y * whole(x).exp2()),
            ];
            for instructions in Instructions::available() {
                assert_eq!(instructions.run(All([x, y, z])), want, "{}", instructions.label());
            }
        }
    }
}
