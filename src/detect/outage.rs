//! How often an interface goes to nothing.
//!
//! On a noisy interface zero is no large error: a load that falls by half within minutes every day has errors nearly
//! as large as all of it. But where there was something in every row of two weeks, a row near nothing is what has not
//! come in two weeks, whatever errors are usual. So the times that an interface went to nothing are counted, and such
//! a row is as rare as they are. It is for as long as there is nothing: that it stays there makes it no more usual.
//!
//! An interface that is at nothing for much of the time rests there, and none of that is an outage.

use super::tail::Experience;
use crate::series::Short;

/// What is taken for seen before anything was: half a time (Jeffreys' prior, of a rate).
const UNSEEN: f64 = 0.5;
/// Rows with something after which it is another time that an interface goes to nothing: what flaps does it once.
const APART: u8 = 3;
/// Share of the rows up to which nothing may be an outage: one of two days in four weeks has more.
const RESTS: f64 = 0.05;
/// Rarities are kept as hundredths.
const HUNDREDTHS: f64 = 100.0;

/// The times that one interface went to nothing. Kept small, since every interface has them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outages {
    /// The share of rows with which it did, and that of rows near nothing.
    times: Short,
    nothing: Short,
    /// What a row that goes to nothing is less rare than the share says: one alarm is made of so many rare rows.
    less: u8,
    /// Rows since the last one near nothing, 0 where that was the last row; and how rare it was to go there.
    since: u8,
    rarity: u16,
}

impl Outages {
    /// For rows of which an alarm that chance brings has `rows_per_alarm`.
    pub(super) fn new(rows_per_alarm: f64) -> Self {
        let less = (HUNDREDTHS * libm::log10(rows_per_alarm)).round() as u8;
        Self { times: Short::default(), nothing: Short::default(), less, since: u8::MAX, rarity: 0 }
    }

    /// What a row scores for being near nothing, behind the rows that were `seen`.
    pub(super) fn score(&self, nothing: bool, seen: Experience) -> f64 {
        let rarity = match nothing {
            false => 0,
            true if self.since <= APART => self.rarity,
            true => self.rarity_of_one_more(seen),
        };
        f64::from(rarity) / HUNDREDTHS
    }

    fn rarity_of_one_more(&self, seen: Experience) -> u16 {
        if self.nothing.get() > RESTS {
            return 0;
        }
        let rows = f64::from(seen.rows).min(1.0 / seen.rate);
        let share = (self.times.get() * rows + UNSEEN) / (rows + 1.0);
        (-HUNDREDTHS * libm::log10(share) - f64::from(self.less)).max(0.0) as u16
    }

    /// Takes over that there is nothing any more: it is no outage until there is something again.
    pub(super) fn rest(&mut self) {
        self.rarity = 0;
    }

    /// Learns whether a row was near nothing, behind the rows that were `seen`.
    pub(super) fn learn(&mut self, nothing: bool, seen: Experience) {
        let again = nothing && self.since > APART;
        if again {
            self.rarity = self.rarity_of_one_more(seen);
        }
        let rate = seen.rate.max(1.0 / (f64::from(seen.rows) + 1.0));
        for (share, is) in [(&mut self.times, again), (&mut self.nothing, nothing)] {
            let before = share.get();
            *share = Short::new(before + (f64::from(u8::from(is)) - before) * rate, seen.rows);
        }
        self.since = if nothing { 0 } else { self.since.saturating_add(1) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What slots of 5 minutes that count half after 28 days forget in a row.
    const RATE: f64 = 1.0 / 11_634.0;

    /// Outages behind rows that are near nothing or not.
    fn behind(rows: impl IntoIterator<Item = bool>) -> (Outages, Experience) {
        let (mut outages, mut seen) = (Outages::new(5.0), Experience { rows: 0, rate: RATE });
        for nothing in rows {
            outages.learn(nothing, seen);
            seen.rows += 1;
        }
        (outages, seen)
    }

    fn score((outages, seen): (Outages, Experience)) -> f64 {
        outages.score(true, seen)
    }

    #[test]
    fn what_was_never_at_nothing_is_rarer_the_longer_it_is_known() {
        let known = [100, 1000, 50_000].map(|rows| score(behind((0..rows).map(|_| false))));
        assert!((known[1] - known[0] - 1.0).abs() < 0.02, "{known:?}");
        assert!((known[0] + libm::log10(5.0) - 2.3).abs() < 0.02, "half a time in a hundred rows: {known:?}");
        assert!(known[2] < known[1] + 1.2, "old rows are forgotten: {known:?}");
    }

    #[test]
    fn what_often_is_at_nothing_is_no_news() {
        let every = |every: usize| score(behind((1..9000_usize).map(|row| row.is_multiple_of(every))));
        assert!((every(288) - libm::log10(288.0 / 5.0)).abs() < 0.1, "{}", every(288));
        assert_eq!(every(8), 0.0, "an eighth of the rows: it rests there");
        // For half of each day: it goes there once a day, and rests.
        assert_eq!(score(behind((0..9000).map(|row| row % 288 < 144))), 0.0);
    }

    #[test]
    fn an_outage_is_as_rare_as_its_first_row_and_one_that_flaps_is_one() {
        let (mut outages, mut seen) = behind((0..5000).map(|_| false));
        let first = outages.score(true, seen);
        assert!(first > 2.5 && outages.score(false, seen) == 0.0, "{first}");
        for row in 0..400 {
            assert_eq!(outages.score(true, seen), first, "in row {row}");
            outages.learn(row % 4 == 0, seen);
            seen.rows += 1;
        }
        for _ in 0..5000 {
            outages.learn(false, seen);
            seen.rows += 1;
        }
        let second = outages.score(true, seen);
        assert!((first - 0.4..first).contains(&second), "{second} the second time, {first} the first");
    }

    #[test]
    fn one_that_was_taken_over_is_usual_until_it_is_over() {
        let (mut outages, seen) = behind((0..5050).map(|row| row >= 5000));
        assert!(outages.score(true, seen) > 2.5);
        outages.rest();
        (0..50).for_each(|_| outages.learn(true, seen));
        assert_eq!(outages.score(true, seen), 0.0);
        (0..5).for_each(|_| outages.learn(false, seen));
        assert!(outages.score(true, seen) > 2.0);
    }
}
