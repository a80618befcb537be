//! The last slots of an interface: what the LSTM sees, and what the linear forecast looks back on.

use super::clock::Local;
use super::rhythm::Pair;
use super::time::{DAY, Timestamp};

/// Rows before an interface is scored: it warms up. No matter how long the window is.
pub const WARM_UP: usize = 24;
/// Slots that are always kept, since the linear forecast looks back so far.
pub const LOOK_BACK: usize = 24;

/// How many slots the LSTM sees: 24, or from 4 to 96.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLength(u8);

impl WindowLength {
    /// The fewest and the most.
    pub const RANGE: std::ops::RangeInclusive<usize> = 4..=96;

    /// A length within [`Self::RANGE`]; else none.
    pub fn new(slots: usize) -> Option<Self> {
        Self::RANGE.contains(&slots).then_some(Self(slots as u8))
    }

    /// In slots.
    pub fn slots(self) -> usize {
        usize::from(self.0)
    }
}

impl Default for WindowLength {
    fn default() -> Self {
        Self(24)
    }
}

/// One slot of a window, in scaled units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WindowSlot {
    /// Maximum and mean; in a gap those of the slot before.
    pub value: [f32; 2],
    /// What came minus what a plain forecast had expected, in units of that forecast's usual error; up to 8.
    pub surprise: [f32; 2],
    /// Distance from the profile of day and week; up to 8.
    pub deviation: [f32; 2],
    /// Whether there was a sample.
    pub present: bool,
    /// Its place in the day: sine and cosine.
    pub hour: [f32; 2],
}

/// A slot as it is kept. Values are exact, since differences of them are looked at; all else is only
/// given to the LSTM, which is content with four digits.
#[derive(Debug, Clone, Copy, Default)]
struct Kept {
    value: [f32; 2],
    surprise: [i16; 2],
    deviation: [i16; 2],
    /// A point on the circle; the circle's middle where there was no sample.
    hour: [i16; 2],
}

/// What surprises and deviations are held to. The LSTM is given no more of them.
const HELD: f32 = 8.0;
/// Units of a surprise or a deviation, and of a place on the circle, in sixteen bits.
const UNITS: f32 = 32_767.0 / HELD;
const CIRCLE_UNITS: f32 = 32_767.0;

impl Kept {
    fn slot(&self) -> WindowSlot {
        let Self { value, surprise, deviation, hour } = *self;
        // All at once, so that they are divided side by side.
        let kept = [surprise[0], surprise[1], deviation[0], deviation[1], hour[0], hour[1], 0, 0].map(f32::from);
        const OF: [f32; 8] = [UNITS, UNITS, UNITS, UNITS, CIRCLE_UNITS, CIRCLE_UNITS, 1.0, 1.0];
        let [a, b, c, d, e, f, ..]: [f32; 8] = std::array::from_fn(|i| kept[i] / OF[i]);
        WindowSlot { value, surprise: [a, b], deviation: [c, d], present: hour != [0; 2], hour: [e, f] }
    }
}

/// A ring of the last slots. A gap is in it as a gap.
#[derive(Debug, Clone)]
pub struct Window {
    slots: Box<[Kept]>,
    length: WindowLength,
    next: u8,
    last: Option<(Timestamp, Pair)>,
}

impl Default for Window {
    fn default() -> Self {
        Self::new(WindowLength::default())
    }
}

impl Window {
    /// An empty one, of which the LSTM sees the last `length` slots.
    pub fn new(length: WindowLength) -> Self {
        let kept = length.slots().max(LOOK_BACK);
        Self { slots: vec![Kept::default(); kept].into(), length, next: 0, last: None }
    }

    /// The newest row: its moment and its scaled values.
    pub fn last(&self) -> Option<(Timestamp, Pair)> {
        self.last
    }

    /// Adds `missing` slots without a sample, then a sample.
    pub fn push(&mut self, missing: usize, now: Local, z: Pair, surprise: Pair, deviation: Pair) {
        let before = self.last.map_or([0.0; 2], |(_, z)| z.map(|v| v as f32));
        for _ in 0..missing.min(self.slots.len()) {
            self.put(Kept { value: before, ..Kept::default() });
        }
        // What is no number becomes 0.
        let held = |pair: Pair| pair.map(|v| ((v as f32).clamp(-HELD, HELD) * UNITS).round() as i16);
        self.put(Kept {
            value: z.map(|v| v as f32),
            surprise: held(surprise),
            deviation: held(deviation),
            hour: circle(now.second_of_day(), DAY).map(|v| (v * CIRCLE_UNITS).round() as i16),
        });
        self.last = Some((now.time(), z));
    }

    /// Bytes of its slots.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }

    fn put(&mut self, slot: Kept) {
        self.slots[usize::from(self.next)] = slot;
        self.next = (self.next + 1) % self.slots.len() as u8;
    }

    /// The values of the last slots, newest first.
    pub fn newest(&self) -> [[f32; 2]; LOOK_BACK] {
        let (newer, older) = self.slots.split_at(usize::from(self.next));
        let mut values = [[0.0; 2]; LOOK_BACK];
        for (to, slot) in values.iter_mut().zip(newer.iter().rev().chain(older.iter().rev())) {
            *to = slot.value;
        }
        values
    }

    /// The slots that the LSTM sees, oldest first.
    pub fn slots(&self) -> impl Iterator<Item = WindowSlot> {
        let unseen = self.slots.len() - self.length.slots();
        let (newer, older) = self.slots.split_at(usize::from(self.next));
        let (older, newer) = match older.get(unseen..) {
            Some(older) => (older, newer),
            None => (&[][..], &newer[unseen - older.len()..]),
        };
        older.iter().chain(newer).map(Kept::slot)
    }

    /// The value `back` slots before the newest one (0 is the newest), that of the slot before it in a gap.
    pub fn value_back(&self, back: usize) -> [f32; 2] {
        let kept = self.slots.len();
        self.slots[(usize::from(self.next) + 2 * kept - 1 - back.min(kept - 1)) % kept].value
    }
}

/// A place on a circle of `period`: sine and cosine.
pub fn circle(place: i64, period: i64) -> [f32; 2] {
    let angle = std::f64::consts::TAU * place as f64 / period as f64;
    [libm::sin(angle) as f32, libm::cos(angle) as f32]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Clock;

    fn at(seconds: i64) -> Local {
        Clock::UTC.at(Timestamp::from_seconds(seconds))
    }

    #[test]
    fn slots_come_oldest_first_and_gaps_stay_gaps() {
        let mut w = Window::default();
        for i in 0..30 {
            w.push(0, at(i * 60), [i as f64; 2], [0.0; 2], [f64::NAN; 2]);
        }
        w.push(3, at(33 * 60), [99.0; 2], [0.0; 2], [0.0; 2]);
        let got: Vec<(f32, bool)> = w.slots().map(|s| (s.value[0], s.present)).collect();
        assert_eq!(got.len(), 24);
        assert_eq!(got[0], (10.0, true));
        assert_eq!(got[19..], [(29.0, true), (29.0, false), (29.0, false), (29.0, false), (99.0, true)]);
        assert_eq!((w.value_back(0)[0], w.value_back(4)[0], w.value_back(5)[0]), (99.0, 29.0, 28.0));
        assert!(w.slots().all(|s| s.deviation[0].is_finite()));
    }

    #[test]
    fn what_is_kept_short_is_kept_to_four_digits() {
        let (mut w, now) = (Window::default(), at(5 * 3600 + 17));
        w.push(0, now, [1.0; 2], [0.1234, -3.9], [7.77, 1e9]);
        let slot = w.slots().last().unwrap();
        let near = |a: [f32; 2], b: [f32; 2]| (0..2).all(|c| (a[c] - b[c]).abs() < 2e-4);
        assert!(near(slot.surprise, [0.1234, -3.9]) && near(slot.deviation, [7.77, 8.0]), "{slot:?}");
        assert!(near(slot.hour, circle(now.second_of_day(), 86_400)), "{slot:?}");
    }

    #[test]
    fn the_network_sees_as_many_slots_as_it_was_told_and_the_look_back_stays() {
        for slots in [4, 24, 96] {
            let mut w = Window::new(WindowLength::new(slots).unwrap());
            for i in 0..200 {
                w.push(0, at(i * 60), [i as f64; 2], [0.0; 2], [0.0; 2]);
            }
            let seen: Vec<f32> = w.slots().map(|s| s.value[0]).collect();
            assert_eq!((seen.len(), seen[0], seen[slots - 1]), (slots, (200 - slots) as f32, 199.0));
            assert_eq!((w.value_back(0)[0], w.value_back(23)[0]), (199.0, 176.0));
        }
        assert!(WindowLength::new(3).is_none() && WindowLength::new(97).is_none());
    }
}
