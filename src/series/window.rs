//! The last 24 slots of an interface: what the LSTM sees.

use super::rhythm::Pair;
use super::time::Timestamp;

/// Slots in a window.
pub const WINDOW: usize = 24;

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

/// A ring of the last [`WINDOW`] slots. A gap is in it as a gap.
#[derive(Debug, Clone)]
pub struct Window {
    slots: [WindowSlot; WINDOW],
    next: usize,
    last: Option<(Timestamp, Pair)>,
}

impl Default for Window {
    fn default() -> Self {
        Self { slots: [WindowSlot::EMPTY; WINDOW], next: 0, last: None }
    }
}

impl Window {
    /// The newest row: its moment and its scaled values.
    pub fn last(&self) -> Option<(Timestamp, Pair)> {
        self.last
    }

    /// Adds `missing` slots without a sample, then a sample.
    pub fn push(&mut self, missing: usize, time: Timestamp, z: Pair, surprise: Pair, deviation: Pair) {
        let before = self.last.map_or([0.0; 2], |(_, z)| z.map(|v| v as f32));
        for _ in 0..missing.min(WINDOW) {
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

    fn put(&mut self, slot: WindowSlot) {
        self.slots[self.next] = slot;
        self.next = (self.next + 1) % WINDOW;
    }

    /// The slots, oldest first.
    pub fn slots(&self) -> impl Iterator<Item = &WindowSlot> {
        let (newer, older) = self.slots.split_at(self.next);
        older.iter().chain(newer)
    }

    /// The value `back` slots before the newest one (0 is the newest), that of the slot before it in a gap.
    pub fn value_back(&self, back: usize) -> [f32; 2] {
        self.slots[(self.next + 2 * WINDOW - 1 - back) % WINDOW].value
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
        assert_eq!(got.len(), WINDOW);
        assert_eq!(got[0], (10.0, true));
        assert_eq!(got[19..], [(29.0, true), (29.0, false), (29.0, false), (29.0, false), (99.0, true)]);
        assert_eq!((w.value_back(0)[0], w.value_back(4)[0], w.value_back(5)[0]), (99.0, 29.0, 28.0));
        assert!(w.slots().all(|s| s.deviation[0].is_finite()));
    }
}
