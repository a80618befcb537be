//! Runs of one repeated value: how rare it is that a value stays where it is.
//!
//! A run of r repeats scores r·−log10 of the chance, learnt before the run began, that such a value is followed by
//! itself, less what speaks against a stuck value before any row. The chance depends on the value. An interface that is
//! idle at 0 for half of the day repeats it for hours, and is stuck all the same when its busy values, which never come
//! twice, stand still for an hour. Where values are coarse, the small ones among them often meet by chance. So the
//! values that did repeat and come again are counted one by one, a few of them, and all others together.
//!
//! What was stuck once, or for little of the time, may have been an incident, and says nothing about the next one.

use std::num::NonZeroU32;

use crate::random::fnv1a;
use crate::series::Pair;

/// The most that a flat run can score.
const MOST: f64 = 6.0;
/// What a run has to be rarer by than other things that are told, as a power of ten: one in fifty of them is a value
/// that is stuck, and values that are coarse meet by chance every day.
const AGAINST: f64 = 1.7;
/// Rows without which nothing is known about repeats.
const TRIAL: u32 = 48;
/// Rows after which all counts are halved: an old habit of repeating is forgotten.
const AGE: u32 = 2048;
/// Values that are counted by themselves.
const PLACES: usize = 8;
/// Rows that what is known of all other values counts as, beside what is known of a part.
const OTHERS: f32 = 5.0;
/// Repeats of a short run. How often one repeat is followed by another is seen in short runs: a longer one may be an
/// incident.
const SHORT: u32 = 5;
/// Long runs of values that came once say how long such runs go on if they are so many, or make up such a share of the
/// rows. Fewer may be incidents.
const RUNS: usize = 3;
const SHARE: f32 = 0.05;
/// Range of the chance.
const CHANCE: [f32; 2] = [0.02, 0.999];

/// A pair of values by a number of its own. Two pairs share one in four milliards.
pub(super) type Name = NonZeroU32;

/// The name of what came.
pub(super) fn name(raw: Pair) -> Name {
    let mut bytes = [0; 16];
    for (place, value) in bytes.chunks_exact_mut(8).zip(raw) {
        place.copy_from_slice(&value.to_bits().to_le_bytes());
    }
    let hash = fnv1a(&bytes);
    NonZeroU32::new((hash ^ hash >> 32) as u32).unwrap_or(NonZeroU32::MIN)
}

/// A value that repeated: its rows so far, and how many of them were followed by itself.
#[derive(Debug, Clone, Copy)]
struct Known {
    name: Name,
    rows: u16,
    repeats: u16,
    /// Whether it came back after its first run.
    again: bool,
}

/// One interface's runs of repeated values.
#[derive(Debug, Clone, Default)]
pub(super) struct Flat {
    last: Option<Name>,
    run: u32,
    /// The chance when the run began; none where too little was known then.
    chance: Option<f32>,
    /// The value of the last run: what an interface comes back to is where it rests, not where it is stuck.
    rest: Option<Name>,
    rows: u32,
    /// Values that repeated.
    known: [Option<Known>; PLACES],
    /// Of all other values: rows outside runs, and how many of them were followed by themselves.
    others: [u16; 2],
    /// Rows of their short runs, and how many of these were followed by one more.
    short: [u16; 2],
}

impl Flat {
    fn repeated(&self, name: Name) -> bool {
        self.last == Some(name)
    }

    fn known(&self, name: Name) -> Option<&Known> {
        self.known.iter().flatten().find(|known| known.name == name)
    }

    fn known_mut(&mut self, name: Name) -> Option<&mut Known> {
        self.known.iter_mut().flatten().find(|known| known.name == name)
    }

    /// What a row of the values of that name scores for repeating the one before it.
    pub(super) fn score(&self, name: Name) -> f64 {
        match self.chance {
            Some(chance) if self.repeated(name) && self.rest != Some(name) => {
                (f64::from(self.run + 1) * -libm::log10(f64::from(chance)) - AGAINST).clamp(0.0, MOST)
            }
            _ => 0.0,
        }
    }

    /// Takes over that the last value is where the interface rests.
    pub(super) fn rest(&mut self) {
        self.rest = self.last;
    }

    pub(super) fn learn(&mut self, name: Name) {
        let repeated = self.repeated(name);
        self.rows = self.rows.saturating_add(1);
        if self.rows.is_multiple_of(AGE) {
            self.age();
        }
        if let Some(last) = self.last {
            self.count(last, repeated);
        }
        if repeated {
            self.run += 1;
            return;
        }
        if let Some(last) = self.last.filter(|_| self.run > 0) {
            self.remember(last);
        }
        if self.run >= 2 {
            self.rest = self.last;
        }
        if let Some(known) = self.known_mut(name) {
            known.again = true;
        }
        self.chance = (self.rows > TRIAL).then(|| self.chance_of(name));
        (self.last, self.run) = (Some(name), 0);
    }

    /// Counts whether a value was followed by itself. A run of a new value is counted at its end.
    fn count(&mut self, last: Name, repeated: bool) {
        let repeat = u16::from(repeated);
        if let Some(known) = self.known_mut(last) {
            (known.rows, known.repeats) = (known.rows.saturating_add(1), known.repeats.saturating_add(repeat));
        } else if self.run == 0 {
            add(&mut self.others, [1, repeat]);
        }
    }

    /// Remembers a value whose first run is over, in place of the one that repeated least. The repeat by which it
    /// was found is the others'.
    fn remember(&mut self, last: Name) {
        if self.known(last).is_some() {
            return;
        }
        let rows = self.run.min(AGE) as u16;
        if self.run <= SHORT {
            add(&mut self.short, [rows, rows - 1]);
        }
        let new = Known { name: last, rows, repeats: rows - 1, again: false };
        let held = |place: &Option<Known>| place.map_or((0, 0), |known| (known.repeats + 1, known.rows));
        if let Some(place) = self.known.iter_mut().min_by_key(|place| held(place)) {
            *place = Some(new);
        }
    }

    fn age(&mut self) {
        for known in self.known.iter_mut().flatten() {
            (known.rows, known.repeats) = (known.rows / 2, known.repeats / 2);
        }
        self.known.iter_mut().for_each(|place| *place = place.filter(|known| known.rows > 0));
        (self.others, self.short) = (self.others.map(|count| count / 2), self.short.map(|count| count / 2));
    }

    /// The chance that a value is followed by itself.
    fn chance_of(&self, name: Name) -> f32 {
        let [[rows, repeats], short] = [self.others, self.short].map(|counts| counts.map(f32::from));
        let any = chance(repeats, rows);
        let beside = |[rows, repeats]: [f32; 2], others: f32| (repeats + OTHERS * others) / (rows + OTHERS);
        let others = any.max(beside(short, any)).max(self.goes_on());
        let chance =
            self.known(name).map_or(others, |known| beside([known.rows, known.repeats].map(f32::from), others));
        chance.clamp(CHANCE[0], CHANCE[1])
    }

    /// The chance that a run of a new value goes on, by those of values that came once.
    fn goes_on(&self) -> f32 {
        let once = || self.known.iter().flatten().filter(|known| !known.again && known.repeats > 0);
        let sum = |of: fn(&Known) -> u16| once().map(|known| f32::from(of(known))).sum::<f32>();
        let (rows, repeats) = (sum(|known| known.rows), sum(|known| known.repeats));
        let all =
            self.known.iter().flatten().map(|known| f32::from(known.rows)).sum::<f32>() + f32::from(self.others[0]);
        if once().count() >= RUNS || repeats >= SHARE * all { chance(repeats, rows) } else { 0.0 }
    }
}

fn add(counts: &mut [u16; 2], more: [u16; 2]) {
    counts.iter_mut().zip(more).for_each(|(count, more)| *count = count.saturating_add(more));
}

/// The chance that a value repeats, where so many of `rows` did. Nothing is known to repeat at first, as if ten
/// had not; the more did, the less that counts, since what rests for days would else be stuck after three.
fn chance(repeats: f32, rows: f32) -> f32 {
    (repeats + 0.5) / (rows + 0.5 + 9.5 / (1.0 + repeats / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    /// What each row scores.
    fn run(values: impl IntoIterator<Item = f64>) -> Vec<f64> {
        let mut flat = Flat::default();
        let one = |value: f64| {
            let name = name([value; 2]);
            let score = flat.score(name);
            flat.learn(name);
            score
        };
        values.into_iter().map(one).collect()
    }

    fn most(scores: &[f64]) -> f64 {
        scores.iter().copied().fold(0.0, f64::max)
    }

    /// Busy by day, and at nothing by night, for so many days of hours.
    fn office(days: usize, random: &mut Random) -> Vec<f64> {
        (0..24 * days).map(|hour| if hour % 24 < 14 { 0.0 } else { 50.0 + 5.0 * random.normal() }).collect()
    }

    #[test]
    fn a_busy_value_is_stuck_though_the_interface_is_idle_by_night() {
        let mut random = Random::new(3);
        let mut values = office(60, &mut random);
        let noon = 24 * 50 + 15;
        assert!(most(&run(values.clone())[24 * 10..]) < 1.0, "a night is nothing special");
        let stuck = values[noon];
        values[noon..noon + 6].fill(stuck);
        let scores = run(values);
        assert!(scores[noon + 4] > 3.0, "{:?}", &scores[noon..noon + 6]);
    }

    #[test]
    fn coarse_values_meet_by_chance() {
        let mut random = Random::new(4);
        // Small numbers: each of the usual ones repeats in one row of five or so.
        let values: Vec<f64> = (0..20_000).map(|_| (4.0 + 1.8 * random.normal()).round().max(0.0)).collect();
        let told = run(values.clone()).iter().filter(|score| **score >= 2.5).count();
        assert!(told <= 3, "{told} rows of ten weeks");
        // The same where values are fine, each as often beside others as it likes.
        let mut fine: Vec<f64> = values.iter().map(|value| value + random.unit()).collect();
        let held = fine[9000];
        fine[9000..9006].fill(held);
        assert!(run(fine)[9003] > 3.0);
    }

    #[test]
    fn one_that_was_stuck_once_is_stuck_the_next_time_too() {
        let mut random = Random::new(5);
        let mut values: Vec<f64> = (0..4000).map(|_| random.normal()).collect();
        for at in [2000, 2600] {
            let held = values[at];
            values[at..at + 24].fill(held);
        }
        let scores = run(values);
        assert!(scores[2004] > 3.0 && scores[2604] > 3.0, "{} and {}", scores[2004], scores[2604]);
    }

    #[test]
    fn what_rests_for_days_at_one_value_after_the_other_is_not_stuck() {
        let steps = run((0..9000).map(|i| 5.0 + f64::from(i / 700)));
        assert!(most(&steps) < 2.5, "{}", most(&steps));
        // Nor is one that is asked twice as often as it has news.
        let twice = run((0..4000).map(|i| f64::from(i / 2)));
        assert!(most(&twice[200..]) < 1.0, "{}", most(&twice[200..]));
    }

    #[test]
    fn an_old_habit_of_repeating_is_forgotten() {
        let mut random = Random::new(6);
        let mut values: Vec<f64> = (0..2000).map(|i| f64::from(i / 10)).collect();
        values.extend((0..20_000).map(|_| random.normal()));
        let held = values[21_000];
        values[21_000..21_006].fill(held);
        assert!(run(values)[21_004] > 3.0);
    }
}
