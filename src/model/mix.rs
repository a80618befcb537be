//! The forecasts that are mixed, and how: by how well each did of late.
//!
//! No single forecast is best everywhere, and an online mix follows whichever is. Weights are
//! exp(−20·(L − Lmin)/(Lmin + 0.001)) with L a forecast's mean absolute error: half of it over some
//! six hours, so that a new level is followed at once, and half over three days, so that one lucky
//! hour decides nothing (exponentially weighted forecasters: Cesa-Bianchi and Lugosi, Prediction,
//! Learning, and Games, 2006).

use crate::series::Short;
use crate::series::rhythm::Pair;

/// The forecasts that are mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Expert {
    /// The same as the last value.
    #[default]
    LastValue,
    /// The same as a day before.
    DayBefore,
    /// The same as a week before.
    WeekBefore,
    /// The usual value of this half-hour of the week.
    WeekProfile,
    /// The usual value of this half-hour of the day.
    DayProfile,
    /// A day before, shifted by the level's change since.
    DayShifted,
    /// The profile, shifted by the level's distance from it.
    ProfileShifted,
    /// The median of this time on the last seven days.
    SevenDays,
    /// The median of the last five slots.
    Level,
    /// A robust linear regression.
    Linear,
    /// A regression on those above, learnt while the rows come.
    Blend,
    /// The Embed-LSTM: what it adds to the mix of those above.
    Lstm,
    /// A regression on the LSTM and the others, learnt while the rows come.
    LstmBlend,
}

impl Expert {
    /// All of them, in the order of their places in a [`Forecast`](super::Forecast).
    pub const ALL: [Self; EXPERTS] = [
        Self::LastValue,
        Self::DayBefore,
        Self::WeekBefore,
        Self::WeekProfile,
        Self::DayProfile,
        Self::DayShifted,
        Self::ProfileShifted,
        Self::SevenDays,
        Self::Level,
        Self::Linear,
        Self::Blend,
        Self::Lstm,
        Self::LstmBlend,
    ];

    /// The simple ones: what the mix has to beat.
    pub const SIMPLE: [Self; 3] = [Self::LastValue, Self::DayBefore, Self::WeekProfile];

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::LastValue => "last value",
            Self::DayBefore => "day before",
            Self::WeekBefore => "week before",
            Self::WeekProfile => "hour of week",
            Self::DayProfile => "hour of day",
            Self::DayShifted => "day before, shifted",
            Self::ProfileShifted => "hour of week, shifted",
            Self::Linear => "linear",
            Self::Lstm => "LSTM",
            Self::SevenDays => "seven days",
            Self::Level => "level",
            Self::Blend => "blend",
            Self::LstmBlend => "LSTM blend",
        }
    }
}

/// How many experts there are.
pub const EXPERTS: usize = 13;
/// How many of them do without the LSTM: those before it.
pub(super) const PLAIN: usize = Expert::Lstm as usize;
/// Rows after which an expert takes part.
const TRIAL: f64 = 6.0;
/// What an error counts at the most, in scaled units.
const WORST: f64 = 8.0;
/// How sharply a larger error lowers a weight.
const SHARPNESS: f64 = 20.0;
/// An error that is as good as none, in scaled units.
const SLACK: f64 = 1e-3;

/// The weights of a row in the two means of a loss.
#[derive(Debug, Clone, Copy)]
pub(super) struct LossRates {
    /// For some six hours.
    pub(super) fast: f32,
    /// For three days.
    pub(super) slow: f32,
}

/// The longest half-life of a loss, in rows: they are counted in sixteen bits, and the weight of a row
/// in the mean that they make must fall to its own. Three days of rows that are six seconds apart.
pub(super) const MOST_ROWS: f64 = 45_000.0;

/// A forecast's mean absolute error of late for each channel, over two half-lives. Plain means until
/// enough rows have come.
#[derive(Debug, Clone, Copy, Default)]
struct Loss {
    fast: [Short; 2],
    slow: [Short; 2],
    rows: u16,
}

impl Loss {
    /// Learns what came where `said` was said, if anything was.
    fn learn(&mut self, z: Pair, said: Pair, rates: LossRates, throw: u32) {
        if !said.iter().all(|said| said.is_finite()) {
            return;
        }
        self.rows = self.rows.saturating_add(1);
        let least = 1.0 / f64::from(self.rows);
        for c in 0..2 {
            let error = (z[c] - said[c]).abs().min(WORST);
            let move_by = |mean: Short, rate: f32| {
                Short::new(mean.get() + (error - mean.get()) * f64::from(rate).max(least), throw)
            };
            self.fast[c] = move_by(self.fast[c], rates.fast);
            self.slow[c] = move_by(self.slow[c], rates.slow);
        }
    }

    /// None while it is on trial.
    fn mean(&self, c: usize) -> Option<f64> {
        (f64::from(self.rows) >= TRIAL).then(|| 0.5 * (self.fast[c].get() + self.slow[c].get()))
    }
}

/// How well each expert did of late, and the mix without the LSTM.
#[derive(Debug, Clone, Default)]
struct Losses {
    experts: [Loss; EXPERTS],
    plain: Loss,
}

impl Losses {
    fn learn(&mut self, z: Pair, experts: &[Pair; EXPERTS], plain: Pair, rates: LossRates, row: u32) {
        self.experts.iter_mut().zip(experts).for_each(|(loss, said)| loss.learn(z, *said, rates, row));
        self.plain.learn(z, plain, rates, row);
    }
}

/// Who is trusted how far, and the range of what was seen.
#[derive(Debug, Clone)]
pub(super) struct Mix {
    losses: Losses,
    /// Those of before a long incident, for when it is over.
    before: Option<Box<Losses>>,
    range: [[f32; 2]; 2],
}

impl Default for Mix {
    fn default() -> Self {
        Self { losses: Losses::default(), before: None, range: [[f32::INFINITY, f32::NEG_INFINITY]; 2] }
    }
}

impl Mix {
    /// Learns what came where `experts` said what they said, and the mix without the LSTM `plain`; `row`
    /// counts the rows. Behind a long incident all are trusted as they were before it.
    pub(super) fn learn(&mut self, z: Pair, experts: &[Pair; EXPERTS], plain: Pair, rates: LossRates, row: u32) {
        if let Some(before) = self.before.take() {
            self.losses = *before;
        }
        self.losses.learn(z, experts, plain, rates, row);
    }

    /// The same for a row of a long incident: whoever does well on it is trusted for as long as it goes on.
    pub(super) fn learn_apart(&mut self, z: Pair, experts: &[Pair; EXPERTS], plain: Pair, rates: LossRates, row: u32) {
        self.before.get_or_insert_with(|| Box::new(self.losses.clone()));
        self.losses.learn(z, experts, plain, rates, row);
    }

    /// Bytes on the heap, which it takes in a long incident alone.
    pub(super) fn heap(&self) -> usize {
        self.before.as_ref().map_or(0, |_| size_of::<Losses>())
    }

    /// Takes note of what came, as something that may come.
    pub(super) fn saw(&mut self, z: Pair) {
        self.range = [0, 1].map(|c| [self.range[c][0].min(z[c] as f32), self.range[c][1].max(z[c] as f32)]);
    }

    /// The mix without the LSTM for channel `c`.
    pub(super) fn plain(&self, experts: &[Pair; EXPERTS], c: usize) -> f64 {
        let shares = self.shares(|e| experts[e][c].is_finite(), c);
        let of: [f64; PLAIN] = std::array::from_fn(|e| experts[e][c]);
        self.held(mean(&shares, &of).unwrap_or(of[Expert::LastValue as usize]), c)
    }

    /// The mix of that with what the LSTM says. Three that say much the same, mixed on their own:
    /// among all experts at once, a small gain would be thinned by those that are clearly worse.
    pub(super) fn whole(&self, experts: &[Pair; EXPERTS], plain: f64, c: usize) -> f64 {
        let said = [plain, experts[Expert::Lstm as usize][c], experts[Expert::LstmBlend as usize][c]];
        self.held(mean(&self.upper_shares(c), &said).unwrap_or(plain), c)
    }

    /// No forecast goes far beyond what was ever seen here: sinh would make absurd values of it.
    fn held(&self, mixed: f64, c: usize) -> f64 {
        let [low, high] = self.range[c].map(f64::from);
        if low <= high { mixed.clamp(low - 2.0, high + 2.0) } else { mixed }
    }

    /// The experts for channel `c` that take part, with their weights, which sum to 1.
    pub(super) fn weights(&self, c: usize) -> Vec<(Expert, f32)> {
        let lower = normal(self.shares(|_| true, c));
        let [plain, lstm, blend] = normal(self.upper_shares(c));
        let simple = Expert::ALL.into_iter().zip(lower.map(|w| w * if lstm + blend > 0.0 { plain } else { 1.0 }));
        let all = simple.chain([(Expert::Lstm, lstm), (Expert::LstmBlend, blend)]);
        all.filter(|(_, w)| *w > 0.0).map(|(e, w)| (e, w as f32)).collect()
    }

    /// Weights of the experts without the LSTM for channel `c`, as long as they speak.
    fn shares(&self, speaks: impl Fn(usize) -> bool, c: usize) -> [f64; PLAIN] {
        shares(std::array::from_fn(|e| if speaks(e) { self.losses.experts[e].mean(c) } else { None }), SHARPNESS)
    }

    /// Weights of the mix without the LSTM, the LSTM, and the blend with it.
    fn upper_shares(&self, c: usize) -> [f64; 3] {
        let of = |e: Expert| self.losses.experts[e as usize].mean(c);
        shares([self.losses.plain.mean(c), of(Expert::Lstm), of(Expert::LstmBlend)], SHARPNESS)
    }
}

/// Unnormalised weights by losses; 0 for who says nothing or is still on trial.
pub(crate) fn shares<const N: usize>(losses: [Option<f64>; N], sharpness: f64) -> [f64; N] {
    let best = losses.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    losses.map(|loss| loss.map_or(0.0, |loss| libm::exp(-sharpness * (loss - best) / (best + SLACK))))
}

/// The weighted mean; None where nothing has a weight. What has none may be no number.
pub(crate) fn mean<const N: usize>(weights: &[f64; N], said: &[f64; N]) -> Option<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for (weight, said) in weights.iter().zip(said).filter(|(weight, _)| **weight > 0.0) {
        sum += weight * said;
        total += weight;
    }
    (total > 0.0).then(|| sum / total)
}

/// Weights that sum to 1, or all 0.
fn normal<const N: usize>(weights: [f64; N]) -> [f64; N] {
    let total: f64 = weights.iter().sum();
    weights.map(|w| if total > 0.0 { w / total } else { 0.0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::rhythm::NONE;
    use crate::series::running::rate;

    #[test]
    fn every_expert_stands_in_its_place() {
        for (place, expert) in Expert::ALL.into_iter().enumerate() {
            assert_eq!(expert as usize, place);
        }
    }

    #[test]
    fn the_mix_goes_over_to_whoever_becomes_best_and_leaves_out_who_says_nothing() {
        let mut mix = Mix::default();
        let rates = LossRates { fast: rate(6.0) as f32, slow: rate(24.0) as f32 };
        let says = |day: f64, profile: f64| {
            let mut experts = [NONE; EXPERTS];
            experts[Expert::LastValue as usize] = [5.0; 2];
            experts[Expert::DayBefore as usize] = [day; 2];
            experts[Expert::WeekProfile as usize] = [profile; 2];
            experts
        };
        assert_eq!(mix.plain(&says(1.0, 2.0), 0), 5.0, "nobody has shown anything yet");
        (0..48).for_each(|row| mix.learn([0.0; 2], &says(0.1, 1.0), NONE, rates, row));
        assert!((mix.plain(&says(0.1, 1.0), 1) - 0.1).abs() < 0.01);
        assert_eq!(mix.weights(0)[0].0, Expert::DayBefore);
        let alone = mix.plain(&says(f64::NAN, 1.0), 1);
        assert!((alone - 1.0).abs() < 0.01, "{alone}");
        (48..148).for_each(|row| mix.learn([0.0; 2], &says(1.0, 0.1), NONE, rates, row));
        assert!((mix.plain(&says(1.0, 0.1), 1) - 0.1).abs() < 0.01);
    }
}
