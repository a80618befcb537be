//! Random numbers that can be asked for by place, in any order.
//!
//! A generator with a memory (an autoregression, say) would make slot n depend on all slots before
//! it. Here noise with a memory is drawn as points on a coarse grid with a smooth curve between
//! them, so that every slot stands on its own and the same process can be seen at any step.

use crate::random::Random;

/// Places of a lattice that are drawn together.
const BLOCK: usize = 32;

/// The first part of a key: what it is for, so that no two draws share a stream.
pub(super) mod purpose {
    pub(in super::super) const DEVICE: u64 = 1;
    pub(in super::super) const INTERFACE: u64 = 2;
    pub(in super::super) const WEEK: u64 = 3;
    pub(in super::super) const OUTAGE: u64 = 4;
    pub(in super::super) const SCRIPT: u64 = 5;
    pub(in super::super) const NATURES: u64 = 6;
    pub(in super::super) const BACKUPS: u64 = 7;
}

/// One key of several numbers: each of them changes all of it (the finaliser of SplitMix64).
pub(super) fn key(parts: &[u64]) -> u64 {
    parts.iter().fold(0x6e6f_6374_6f70, |key, part| {
        let mut z = (key ^ part).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// Independent standard normal numbers, one for each whole number. It remembers the last block that
/// was asked for, which changes nothing but the time it takes.
#[derive(Debug, Clone)]
pub(super) struct Lattice {
    key: u64,
    block: Option<i64>,
    values: [f64; BLOCK],
}

impl Lattice {
    pub(super) fn new(key: u64) -> Self {
        Self { key, block: None, values: [0.0; BLOCK] }
    }

    /// The number at place `i`.
    pub(super) fn at(&mut self, i: i64) -> f64 {
        let size = BLOCK as i64;
        let block = i.div_euclid(size);
        if self.block != Some(block) {
            let mut random = Random::new(key(&[self.key, block as u64]));
            self.values.fill_with(|| random.normal());
            self.block = Some(block);
        }
        self.values[i.rem_euclid(size) as usize]
    }

    /// A smooth curve over time through the lattice's numbers, one every `spacing` seconds.
    pub(super) fn smooth(&mut self, seconds: i64, spacing: i64) -> f64 {
        let i = seconds.div_euclid(spacing);
        let x = seconds.rem_euclid(spacing) as f64 / spacing as f64;
        let left = self.at(i);
        left + (self.at(i + 1) - left) * x * x * (3.0 - 2.0 * x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_its_number_in_whatever_order_places_are_asked_for() {
        let mut forward = Lattice::new(5);
        let mut jumping = Lattice::new(5);
        let numbers: Vec<f64> = (-40..100).map(|i| forward.at(i)).collect();
        for i in (-40..100).rev().chain([63, -33, 64, 0]) {
            assert_eq!(jumping.at(i).to_bits(), numbers[usize::try_from(i + 40).unwrap()].to_bits());
        }
        assert_ne!(Lattice::new(6).at(0), numbers[40]);
    }

    #[test]
    fn the_curve_passes_through_the_numbers_without_jumps() {
        let mut lattice = Lattice::new(1);
        for i in 0..70 {
            assert_eq!(lattice.smooth(i * 3600, 3600), lattice.at(i));
        }
        let far: f64 =
            (0..7200).map(|t| (lattice.smooth(t + 1, 3600) - lattice.smooth(t, 3600)).abs()).fold(0.0, f64::max);
        assert!(far < 0.003, "{far}");
    }

    #[test]
    fn each_part_of_a_key_counts() {
        let keys = [key(&[1, 2]), key(&[2, 1]), key(&[1, 3]), key(&[1]), key(&[1, 2, 0])];
        for (i, a) in keys.iter().enumerate() {
            assert!(keys[..i].iter().all(|b| a != b));
        }
    }
}
