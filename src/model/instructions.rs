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

/// What a set of instructions does with sixteen floats. Loops that go along the lanes of one
/// [`Lanes`] need no more than [`Arithmetic::fused_one`]: the compiler makes vectors of them. Sums
/// that have to stay in registers while weights stream by are written in vectors.
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
    /// x·y + z, rounded once.
    fn fused_one(x: f32, y: f32, z: f32) -> f32;
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
    fn fused_one(x: f32, y: f32, z: f32) -> f32 {
        if Self::FUSES { x.mul_add(y, z) } else { super::fused::fused(x, y, z) }
    }
}

#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code, reason = "vector instructions are unsafe where the processor may not have them")]
mod x86 {
    //! `Avx2` and `Avx512` can be named in this module alone, and only in the functions whose callers
    //! have promised that the processor has the instructions. So wherever their methods run, it has.

    use std::arch::x86_64::{
        __m256, __m512, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps, _mm512_fmadd_ps,
        _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
    };

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
        fn fused_one(x: f32, y: f32, z: f32) -> f32 {
            x.mul_add(y, z)
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
        fn fused_one(x: f32, y: f32, z: f32) -> f32 {
            x.mul_add(y, z)
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

    /// x·y + z for sixteen lanes, in both ways.
    struct Fused([Lanes; 3]);

    impl Work for Fused {
        type Output = [[f32; 16]; 2];

        #[inline(always)]
        fn run<A: Arithmetic>(self) -> Self::Output {
            let [x, y, z] = &self.0;
            let vectors =
                A::store(A::fused(A::load(x), A::fused(A::splat(1.0), A::load(y), A::splat(0.0)), A::load(z)));
            [vectors.0, std::array::from_fn(|l| A::fused_one(x.0[l], y.0[l], z.0[l]))]
        }
    }

    #[test]
    fn all_sets_round_a_product_and_its_sum_once() {
        let mut random = crate::random::Random::new(4);
        let mut draw = || Lanes(std::array::from_fn(|_| random.normal() as f32));
        for _ in 0..1000 {
            let [x, y, z] = [draw(), draw(), draw()];
            let want: [f32; 16] = std::array::from_fn(|l| x.0[l].mul_add(y.0[l], z.0[l]));
            for instructions in Instructions::available() {
                assert_eq!(instructions.run(Fused([x, y, z])), [want; 2], "{}", instructions.label());
            }
        }
    }
}
