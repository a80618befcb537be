//! A judged row, as incidents see it.

use crate::detect::judge::Judged;
use crate::series::{Local, Pair};

/// A value below this share of the usual one is nothing.
const NOTHING: f64 = 0.02;

/// A judged row, as incidents see it.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Its slot.
    pub at: Local,
    /// What was said of it.
    pub judged: Judged,
    /// Maximum and mean.
    pub raw: Pair,
    /// What is usual for this hour, in raw units.
    pub usual: Pair,
    /// Whether it is near nothing where there usually is something.
    pub nothing: bool,
    /// Whether it lies where the level was before a shift that was taken over.
    pub back: bool,
    /// Seconds of history before it.
    pub history: i64,
    /// The score from which it is an anomaly that is listed: at least that from which an incident begins.
    pub bar: f64,
}

impl Seen {
    /// The rarest one-step error and the rarest deviation in a direction; 0 where there is none.
    pub(super) fn rarest(&self, up: bool) -> [f64; 2] {
        let sign = if up { 1.0 } else { -1.0 };
        let [a, b, c, d] = self.judged.vector.map(|v| (sign * v).max(0.0));
        [a.max(b), c.max(d)]
    }

    /// How far the mean is from its usual value, as a share of the larger of the two: signed.
    pub(super) fn relative(&self) -> f64 {
        let (raw, usual) = (self.raw[1], self.usual[1]);
        let larger = raw.abs().max(usual.abs());
        if larger > 0.0 { (raw - usual) / larger } else { 0.0 }
    }

    /// Whether it lies above the usual level, by the channel that is further from it.
    pub(super) fn side(&self) -> bool {
        self.away() >= 0.0
    }

    /// How far it is from the usual level, on the channel that is further: signed, in usual deviations.
    pub(super) fn away(&self) -> f64 {
        let [max, mean] = self.judged.deviation;
        if max.abs() > mean.abs() { max } else { mean }
    }
}

/// Whether a value is near nothing where there usually is something.
pub fn is_nothing(value: f64, usual: f64) -> bool {
    value.abs() <= NOTHING * usual.abs() && usual != 0.0
}
