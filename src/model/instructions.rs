//! The same code, compiled for the instructions that processors have.
//!
//! A program built for every x86-64 machine may use vectors of 4 floats. Newer processors work on
//! 8 (AVX2) or 16 (AVX-512) at a time, and whether they do is known only when the program runs.
//! So the hot loops are plain Rust that is compiled once for each, and the widest that the
//! processor has is called. No variant contracts a product and a sum into one rounding or changes
//! an order of summation, so all of them give the same bits.

/// Work that is compiled for each set of instructions. Its `run` must be `#[inline(always)]`, and
/// so must whatever it calls in a hot loop: only inlined code takes on the caller's instructions.
pub(super) trait Work {
    /// What it gives.
    type Output;
    /// Does it.
    fn run(self) -> Self::Output;
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
        {
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
            Set::Portable => work.run(),
            // SAFETY: what is called is safe code; all that it asks for is that the processor has the
            // instructions it was compiled for. `available` alone makes these values, after asking.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { with_avx2(work) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => unsafe { with_avx512(work) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn with_avx2<W: Work>(work: W) -> W::Output {
    work.run()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
fn with_avx512<W: Work>(work: W) -> W::Output {
    work.run()
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
}
