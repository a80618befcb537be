//! A set of whole numbers that mostly lie close together: the minutes at which there were rows.

use std::collections::BTreeMap;

/// Numbers that share an entry.
const SHARE: i64 = 64;

/// Sixty-four numbers to an entry, a bit for each.
#[derive(Debug, Clone, Default)]
pub(super) struct Moments {
    entries: BTreeMap<i64, u64>,
    /// The entry that was looked at last, with what was in it then: rows come in the order of their time.
    last: (i64, u64),
}

impl Moments {
    /// Adds one; says whether it is new.
    pub(super) fn insert(&mut self, moment: i64) -> bool {
        let (entry, bit) = place(moment);
        if self.last.0 == entry && self.last.1 & bit != 0 {
            return false;
        }
        let bits = self.entries.entry(entry).or_default();
        let new = *bits & bit == 0;
        *bits |= bit;
        self.last = (entry, *bits);
        new
    }

    /// The first one.
    pub(super) fn first(&self) -> Option<i64> {
        self.from(i64::MIN).next()
    }

    /// Those from one on, in their order.
    pub(super) fn from(&self, moment: i64) -> impl Iterator<Item = i64> {
        let (first, _) = place(moment);
        let of = |(entry, bits): (&i64, &u64)| {
            let (start, mut bits) = (entry * SHARE, *bits);
            std::iter::from_fn(move || {
                let place = i64::from(bits.trailing_zeros());
                // Takes the lowest bit away.
                bits &= bits.checked_sub(1)?;
                Some(start + place)
            })
        };
        self.entries.range(first..).flat_map(of).skip_while(move |one| *one < moment)
    }

    /// The last one before another.
    pub(super) fn before(&self, moment: i64) -> Option<i64> {
        let (entry, bit) = place(moment);
        let last = |entry: i64, bits: u64| Some(entry * SHARE + i64::from(bits.checked_ilog2()?));
        let here = self.entries.get(&entry).and_then(|bits| last(entry, bits & (bit - 1)));
        here.or_else(|| self.entries.range(..entry).next_back().and_then(|(entry, bits)| last(*entry, *bits)))
    }
}

fn place(moment: i64) -> (i64, u64) {
    (moment.div_euclid(SHARE), 1 << moment.rem_euclid(SHARE))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn it_is_a_set_in_order() {
        let mut random = crate::random::Random::new(3);
        let (mut moments, mut plain) = (Moments::default(), BTreeSet::new());
        assert!(moments.first().is_none() && moments.before(5).is_none());
        for round in 0..4000 {
            let moment = random.below(3000) as i64 * if round % 3 == 0 { 97 } else { 1 } - 1500;
            assert_eq!(moments.insert(moment), plain.insert(moment));
            let at = random.below(3000) as i64 - 1500;
            assert_eq!(moments.first(), plain.first().copied());
            assert_eq!(moments.before(at), plain.range(..at).next_back().copied(), "before {at}");
            assert!(moments.from(at).take(90).eq(plain.range(at..).take(90).copied()), "from {at}");
        }
        assert!(moments.from(i64::MIN).eq(plain));
    }
}
