//! Numbers in sixteen bits, where every interface has hundreds of them.

/// A number from 0 to some four milliards, with ten binary digits and six bits for its size.
///
/// A running mean moves by less than a last digit with most rows, and would stand still if it were
/// rounded to the nearest. So it is rounded up or down by a die, in proportion: what is lost is
/// nothing on the average (stochastic rounding; Croci et al., 2022). The die is the golden ratio's
/// multiples, which are spread evenly, and depends on nothing but what the caller counts: the same
/// rows give the same numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Short(u16);

/// Binary digits of a single-precision number that are dropped.
const DROPPED: u32 = 13;
/// The bits of 2^−32: what is smaller is 0.
const LEAST: u32 = (127 - 32) << 23;

impl Short {
    /// The number.
    pub fn get(self) -> f64 {
        if self.0 == 0 { 0.0 } else { f64::from(f32::from_bits((u32::from(self.0) << DROPPED) + LEAST)) }
    }

    /// `value` (0 if it is negative or no number), rounded by throw `throw` of the die.
    pub fn new(value: f64, throw: u32) -> Self {
        let die = throw.wrapping_mul(0x9E37_79B9) >> (32 - DROPPED);
        let bits = if value > 0.0 { (value as f32).to_bits() } else { 0 };
        Self(((bits + die).saturating_sub(LEAST) >> DROPPED).min(u32::from(u16::MAX)) as u16)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_kept_to_a_thousandth() {
        for value in [1e-9, 0.003, 0.3, 1.0, 7.77, 65_536.0, 4e9] {
            for throw in 0..50 {
                let kept = Short::new(value, throw).get();
                assert!((kept / value - 1.0).abs() < 1e-3, "{value} as {kept}");
            }
        }
        for nothing in [0.0, -1.0, f64::NAN, 1e-30] {
            assert_eq!(Short::new(nothing, 7).get(), 0.0);
        }
        let most = Short::new(f64::INFINITY, u32::MAX).get();
        assert!(most > 4e9 && most.is_finite(), "{most}");
        assert_eq!(size_of::<[Short; 3]>(), 6);
    }

    #[test]
    fn a_slow_mean_moves_by_what_it_should() {
        let mut mean = Short::new(1.0, 0);
        // Each row moves it by far less than its last digit.
        for row in 1..=20_000u32 {
            let before = mean.get();
            mean = Short::new(before + (2.0 - before) * 5e-5, row);
        }
        let wanted = 2.0 - libm::exp(-1.0);
        assert!((mean.get() - wanted).abs() < 0.02, "{} instead of {wanted}", mean.get());
    }
}
