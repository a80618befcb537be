//! The last slots of an interface: what the LSTM sees, and what the linear forecast looks back on.

use super::rhythm::Pair;
use super::time::Timestamp;

/// Rows before an interface is scored: it warms up. No matter how long the window is.
pub const WARM_UP: usize = 24;
/// Slots that are always kept, since the linear forecast looks back so far.
const LOOK_BACK: usize = 24;

/// How many slots the LSTM sees: 24, or from 4 to 96.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLength(usize);

impl WindowLength {
    /// The fewest and the most.
    pub const RANGE: std::ops::RangeInclusive<usize> = 4..=96;

    /// A length within [`Self::RANGE`]; else none.
    pub fn new(slots: usize) -> Option<Self> {
        Self::RANGE.contains(&slots).then_some(Self(slots))
    }

    /// In slots.
    pub fn slots(self) -> usize {
        self.0
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
    /// What came minus what a plain forecast had expected, in units of that forecast's usual error.
    pub surprise: [f32; 2],
    /// Distance from the profile of day and week.
    pub deviation: [f32; 2],
    /// Whether there was a sample.
    pub present: bool,
    /// Its place in the day: sine and cosine.
    pub hour: [f32; 2],
}

impl WindowSlot {
    const EMPTY: Self =
        Self { value: [0.0; 2], surprise: [0.0; 2], deviation: [0.0; 2], present: false, hour: [0.0; 2] };
}

/// A ring of the last slots. A gap is in it as a gap.
#[derive(Debug, Clone)]
pub struct Window {
    slots: Box<[WindowSlot]>,
    length: WindowLength,
    next: usize,
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
        Self { slots: vec![WindowSlot::EMPTY; kept].into(), length, next: 0, last: None }
    }

    /// The newest row: its moment and its scaled values.
    pub fn last(&self) -> Option<(Timestamp, Pair)> {
        self.last
    }

    /// Adds `missing` slots without a sample, then a sample.
    pub fn push(&mut self, missing: usize, time: Timestamp, z: Pair, surprise: Pair, deviation: Pair) {
        let before = self.last.map_or([0.0; 2], |(_, z)| z.map(|v| v as f32));
        for _ in 0..missing.min(self.slots.len()) {
            self.put(WindowSlot { value: before, ..WindowSlot::EMPTY });
        }
        let finite = |pair: Pair| pair.map(|v| if v.is_finite() { v as f32 } else { 0.0 });
        self.put(WindowSlot {
            value: z.map(|v| v as f32),
            surprise: finite(surprise),
            deviation: finite(deviation),
            present: true,
            hour: circle(time.second_of_day(), super::time::DAY),
        });
        self.last = Some((time, z));
    }

    /// Bytes of its slots.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.slots)
    }

    fn put(&mut self, slot: WindowSlot) {
        self.slots[self.next] = slot;
        self.next = (self.next + 1) % self.slots.len();
    }

    /// The slots that the LSTM sees, oldest first.
    pub fn slots(&self) -> impl ExactSizeIterator<Item = &WindowSlot> {
        let (kept, seen) = (self.slots.len(), self.length.slots());
        (kept - seen..kept).map(move |i| &self.slots[(self.next + i) % kept])
    }

    /// The value `back` slots before the newest one (0 is the newest), that of the slot before it in a gap.
    pub fn value_back(&self, back: usize) -> [f32; 2] {
        let kept = self.slots.len();
        self.slots[(self.next + 2 * kept - 1 - back.min(kept - 1)) % kept].value
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

    #[test]
    fn slots_come_oldest_first_and_gaps_stay_gaps() {
        let mut w = Window::default();
        for i in 0..30 {
            w.push(0, Timestamp::from_seconds(i * 60), [i as f64; 2], [0.0; 2], [f64::NAN; 2]);
        }
        w.push(3, Timestamp::from_seconds(33 * 60), [99.0; 2], [0.0; 2], [0.0; 2]);
        let got: Vec<(f32, bool)> = w.slots().map(|s| (s.value[0], s.present)).collect();
        assert_eq!(got.len(), 24);
        assert_eq!(got[0], (10.0, true));
        assert_eq!(got[19..], [(29.0, true), (29.0, false), (29.0, false), (29.0, false), (99.0, true)]);
        assert_eq!((w.value_back(0)[0], w.value_back(4)[0], w.value_back(5)[0]), (99.0, 29.0, 28.0));
        assert!(w.slots().all(|s| s.deviation[0].is_finite()));
    }

    #[test]
    fn the_network_sees_as_many_slots_as_it_was_told_and_the_look_back_stays() {
        for slots in [4, 24, 96] {
            let mut w = Window::new(WindowLength::new(slots).unwrap());
            for i in 0..200 {
                w.push(0, Timestamp::from_seconds(i * 60), [i as f64; 2], [0.0; 2], [0.0; 2]);
            }
            let seen: Vec<f32> = w.slots().map(|s| s.value[0]).collect();
            assert_eq!((seen.len(), seen[0], seen[slots - 1]), (slots, (200 - slots) as f32, 199.0));
            assert_eq!((w.value_back(0)[0], w.value_back(23)[0]), (199.0, 176.0));
        }
        assert!(WindowLength::new(3).is_none() && WindowLength::new(97).is_none());
    }
}
