//! When a shifted level is the new normal: once it has been stable for long enough.

use std::collections::VecDeque;

use super::tracker::Seen;
use crate::series::{Move, Step, Timestamp};

/// Parts that the time of stability is looked at in.
const PARTS: i64 = 8;
/// The two halves of that time may differ by this share of the shift.
const STABLE: f64 = 1.0 / 3.0;
/// What still grows lies further off than half of that time before, by this share of the shift, and in each part: a
/// slow rise that is taken over would be told once, and then no more however far it goes.
const GROWING: f64 = 0.05;
/// Between these factors of the usual a shift is one by a factor; else it is one by an amount.
const FACTORS: std::ops::Range<f64> = 0.01..100.0;

/// One part of an incident.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    rows: u32,
    on: u32,
    /// Sums of deviations in scaled units, of raw values, and of what was usual for them.
    off: [f32; 2],
    raw: [f32; 2],
    usual: [f32; 2],
}

/// Looks at how stable an incident's level is.
#[derive(Debug, Clone)]
pub struct Acceptance {
    start: Timestamp,
    length: i64,
    wanted: usize,
    /// Rows that a whole part has at least half of.
    slots: u32,
    parts: VecDeque<Part>,
    newest: i64,
}

impl Acceptance {
    /// For an incident since `start`, whose level is normal after so many stable seconds.
    pub fn new(start: Timestamp, after: i64, step: Step) -> Self {
        let length = (after / PARTS).max(step.seconds());
        Self {
            start,
            length,
            wanted: (after / length).clamp(2, PARTS) as usize,
            slots: (length / step.seconds()).max(1) as u32,
            parts: VecDeque::new(),
            newest: -1,
        }
    }

    /// Sees a row of the incident; `on` says whether it is anomalous. Gives how the
    /// levels of maximum and mean have moved, once that is clear.
    pub fn see(&mut self, row: &Seen, on: bool) -> Option<[Move; 2]> {
        let part = row.at.time().since(self.start) / self.length;
        let mut accepted = None;
        if part != self.newest {
            if part == self.newest + 1 && self.parts.len() == self.wanted {
                accepted = self.accept();
            }
            if part > self.newest + 1 {
                // Without rows nobody knows how stable it was.
                self.parts.clear();
            }
            if self.parts.len() == self.wanted {
                self.parts.pop_front();
            }
            self.parts.push_back(Part::default());
            self.newest = part;
        }
        if let Some(part) = self.parts.back_mut() {
            part.rows += 1;
            part.on += u32::from(on);
            for c in 0..2 {
                part.off[c] += row.judged.off[c] as f32;
                part.raw[c] += row.raw[c] as f32;
                part.usual[c] += row.usual[c] as f32;
            }
        }
        accepted
    }

    /// Bytes that it takes besides its own fields.
    pub fn heap(&self) -> usize {
        self.parts.capacity() * size_of::<Part>()
    }

    /// How the levels have moved where there is nothing any more.
    pub fn nothing() -> [Move; 2] {
        [Move::Times(FACTORS.start); 2]
    }

    fn accept(&self) -> Option<[Move; 2]> {
        let whole = self.parts.iter().all(|p| p.rows * 2 >= self.slots && p.on * 2 >= p.rows);
        let sum = |parts: std::ops::Range<usize>| {
            self.parts.range(parts).fold(Part::default(), |mut sum, p| {
                sum.rows += p.rows;
                for c in 0..2 {
                    sum.off[c] += p.off[c];
                    sum.raw[c] += p.raw[c];
                    sum.usual[c] += p.usual[c];
                }
                sum
            })
        };
        let (first, last) = (sum(0..self.wanted / 2), sum(self.wanted / 2..self.wanted));
        let mean = |part: &Part, c: usize| f64::from(part.off[c]) / f64::from(part.rows.max(1));
        // The channel that is further off is the one that has to be stable.
        let c = if mean(&last, 0).abs() > mean(&last, 1).abs() { 0 } else { 1 };
        let (a, b) = (mean(&first, c), mean(&last, c));
        let stable = (a - b).abs() <= STABLE * a.abs().max(b.abs());
        // Each part beside that of the same hours of the day before, where a half is a day.
        let pairs = self.parts.iter().zip(self.parts.range(self.wanted / 2..));
        let further = pairs.map(|(before, now)| (mean(now, c) - mean(before, c)) * b.signum());
        let grows = (b - a) * b.signum() > GROWING * b.abs() && further.fold(f64::MAX, f64::min) > 0.0;
        (whole && stable && !grows).then(|| {
            [0, 1].map(|c| {
                let factor = f64::from(last.raw[c]) / f64::from(last.usual[c]);
                if FACTORS.contains(&factor) {
                    Move::Times(factor)
                } else if factor.abs() < FACTORS.start {
                    // What is nothing is so at every hour.
                    Move::Times(FACTORS.start)
                } else {
                    Move::Plus(mean(&last, c))
                }
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::judge::Judged;
    use crate::random::Random;
    use crate::series::Clock;

    const HOUR: i64 = 3600;

    /// The hours after which a level that lies so far off is taken over as the new normal.
    fn accepted(off: impl Fn(i64) -> f64, hours: i64) -> Vec<i64> {
        let start = Timestamp::from_seconds(1_767_571_200);
        let mut acceptance = Acceptance::new(start, 48 * HOUR, Step::from_seconds(HOUR).unwrap());
        (0..hours)
            .filter(|hour| {
                let mut judged = Judged::of(0.1, 3.0, 3.0, 3.0);
                judged.off = [off(*hour); 2];
                let row = Seen {
                    at: Clock::UTC.at(start.plus(hour * HOUR)),
                    judged,
                    raw: [100.0 + off(*hour); 2],
                    usual: [100.0; 2],
                    nothing: false,
                    back: false,
                    history: 28 * 86_400,
                    bar: 3.0,
                };
                acceptance.see(&row, true).is_some()
            })
            .collect()
    }

    #[test]
    fn a_level_is_taken_over_after_two_days_however_its_days_look() {
        for seed in 0..20 {
            let mut random = Random::new(seed);
            let noise: Vec<f64> = (0..100).map(|_| random.normal()).collect();
            let day = |hour: i64| 3.0 * libm::sin(hour as f64 * std::f64::consts::TAU / 24.0);
            let hours = accepted(|hour| -12.0 + day(hour) + noise[hour as usize], 100);
            assert_eq!(hours.first(), Some(&48), "seed {seed}: {hours:?}");
        }
    }

    #[test]
    fn what_still_grows_is_no_new_normal_until_it_stands() {
        let week = 168;
        let hours = accepted(|hour| hour.min(week) as f64, 300);
        let first = *hours.first().unwrap();
        assert!((week + 6..=week + 48).contains(&first), "{hours:?}");
        let falls = accepted(|hour| -hour.min(week) as f64, 300);
        assert_eq!(falls, hours, "downwards as upwards");
    }
}
