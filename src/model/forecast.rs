//! One interface's forecast: several experts, mixed by how well each did of late.
//!
//! The experts and the rule of the mix are those that did best when they were measured on real
//! series: no single forecast is best everywhere, and an online mix follows whichever is. Weights
//! are exp(−12·(L − Lmin)/(Lmin + 0.001)) with L an expert's mean absolute error of the last day
//! (exponentially weighted forecasters: Cesa-Bianchi and Lugosi, Prediction, Learning, and Games, 2006).

use std::sync::Arc;

use super::kernel::{self, GateBias, Kernel, OUTPUTS, SIDE};
use super::linear::{self, Coefficients, Features};
use crate::series::rhythm::{Echo, NONE, Pair};
use crate::series::running::{Running, rate};
use crate::series::window::circle;
use crate::series::{DAY, Move, Scale, Step, Timestamp, WEEK, Window};

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
    /// A robust linear regression.
    Linear,
    /// The Embed-LSTM.
    Lstm,
}

impl Expert {
    /// All of them, in the order of their places in a [`Forecast`].
    pub const ALL: [Self; EXPERTS] = [
        Self::LastValue,
        Self::DayBefore,
        Self::WeekBefore,
        Self::WeekProfile,
        Self::DayProfile,
        Self::DayShifted,
        Self::ProfileShifted,
        Self::Linear,
        Self::Lstm,
    ];

    /// What people call it.
    pub fn label(self) -> &'static str {
        match self {
            Self::LastValue => "last value",
            Self::DayBefore => "day before",
            Self::WeekBefore => "week before",
            Self::WeekProfile => "hour of week",
            Self::DayProfile => "hour of day",
            Self::DayShifted => "day before, shifted",
            Self::ProfileShifted => "profile, shifted",
            Self::Linear => "linear",
            Self::Lstm => "LSTM",
        }
    }
}

/// How many experts there are.
pub const EXPERTS: usize = 9;
pub(super) const LINEAR: usize = 7;
const LSTM: usize = 8;
/// Rows after which an expert takes part.
const TRIAL: f64 = 6.0;
/// What an error counts at the most, in scaled units.
const WORST: f64 = 8.0;
/// The linear forecast's error before it is known, and the least that it counts.
const USUAL: f64 = 0.3;
const LEAST_USUAL: f64 = 0.02;
/// What the network may add, in units of the linear forecast's usual error.
const REACH: f64 = 4.0;
/// Range of the network's log-spread.
const LOG_SPREAD: f64 = 1.5;

/// What a model knows of one interface, or of one that it never saw.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// Coefficients of the linear forecast.
    pub linear: Coefficients,
    /// The embedding's part in the gates.
    pub gates: GateBias,
}

/// What is expected of a row, before it is looked at. All values in scaled units.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The mix: what is expected.
    pub expected: Pair,
    /// The mix without the LSTM, for comparison.
    pub plain: Pair,
    /// Every expert's forecast of each channel; NaN where it has none.
    pub experts: [Pair; EXPERTS],
    /// The network's spread, relative: the error that it expects over the linear forecast's usual one.
    pub spread: Pair,
    /// The usual value for this hour.
    pub profile: Pair,
    /// Slots without a sample since the last row.
    pub missing: usize,
    /// What the network was given.
    pub side: [f32; SIDE],
    /// What the linear regression was given.
    pub features: Features,
    /// The linear forecast's usual error.
    pub usual: Pair,
    echo: Echo,
}

/// One interface's forecast state. It learns row by row, and what it says of a row depends on
/// earlier rows only.
#[derive(Debug, Clone)]
pub struct Forecaster {
    step: Step,
    scale: [Scale; 2],
    outlook: Arc<Outlook>,
    rhythm: crate::series::Rhythm,
    window: Window,
    echo_last: Echo,
    /// The level's distance from the profile, and from the day before.
    bias: [[Running; 2]; 2],
    level: [Running; 2],
    losses: [[Running; 2]; EXPERTS],
    range: [[f64; 2]; 2],
    rates: Rates,
}

#[derive(Debug, Clone, Copy)]
struct Rates {
    quarter_day: f64,
    day: f64,
    week: f64,
}

impl Forecaster {
    /// A state that has seen nothing yet.
    pub fn new(step: Step, scale: [Scale; 2], outlook: Arc<Outlook>) -> Self {
        let day = step.slots_in(DAY);
        Self {
            step,
            scale,
            outlook,
            rhythm: crate::series::Rhythm::new(step),
            window: Window::default(),
            echo_last: Echo::SILENT,
            bias: Default::default(),
            level: Default::default(),
            losses: Default::default(),
            range: [[f64::INFINITY, f64::NEG_INFINITY]; 2],
            rates: Rates {
                quarter_day: rate((day / 4.0).max(3.0)),
                day: rate(day.max(12.0)),
                week: rate(day.max(4.0) * 7.0),
            },
        }
    }

    /// Its step.
    pub fn step(&self) -> Step {
        self.step
    }

    /// Its scales: of maxima and of means.
    pub fn scale(&self) -> &[Scale; 2] {
        &self.scale
    }

    /// The window of its last slots.
    pub fn window(&self) -> &Window {
        &self.window
    }

    /// Raw to scaled.
    pub fn forward(&self, raw: Pair) -> Pair {
        [0, 1].map(|c| self.scale[c].forward(raw[c]))
    }

    /// Scaled to raw.
    pub fn back(&self, scaled: Pair) -> Pair {
        [0, 1].map(|c| self.scale[c].back(scaled[c]))
    }

    /// What is expected of the row at `time`, which lies after all rows learnt so far. Without
    /// `network` the LSTM is left out.
    pub fn expect(&self, network: Option<&Kernel>, time: Timestamp) -> Forecast {
        let (last_time, last) = self.window.last().unwrap_or((time, [0.0; 2]));
        let missing = (self.step.slots_between(last_time, time) - 1).clamp(0, 1_000_000) as usize;
        let echo = self.rhythm.echo(time);
        let bias = self.bias.map(|pair| pair.map(|r| r.mean()));
        let features = linear::features(&self.window, last, &echo, &self.echo_last, bias);
        let change = linear::predict(&self.outlook.linear, &features);
        let linear = [0, 1].map(|c| last[c] + change[c]);
        let usual = [0, 1].map(|c| self.usual(c));
        let side = side(&echo, linear, last, usual, bias, time);

        let add = |base: Pair, by: Pair| [base[0] + by[0], base[1] + by[1]];
        let mut experts = [
            last,
            echo.day_before,
            echo.week_before,
            echo.week_profile,
            echo.day_profile,
            add(echo.day_before, bias[1]),
            add(echo.profile, bias[0]),
            linear,
            NONE,
        ];
        let mut spread = [1.0; 2];
        if let Some(network) = network {
            let out = network.forward(&self.outlook.gates, &kernel::sequence(&self.window), &side);
            experts[LSTM] = lstm(&out, linear, usual);
            spread = [0, 1].map(|c| libm::exp(f64::from(out[2 + c]).clamp(-LOG_SPREAD, LOG_SPREAD)));
        }
        let profile = [0, 1].map(|c| if echo.profile[c].is_nan() { self.level[c].mean() } else { echo.profile[c] });
        Forecast {
            expected: [0, 1].map(|c| self.mix(&experts, c)),
            plain: [0, 1].map(|c| self.mix(&experts[..LSTM], c)),
            experts,
            spread,
            profile,
            missing,
            side,
            features,
            usual,
            echo,
        }
    }

    /// Learns what came where `forecast` was expected.
    pub fn learn(&mut self, time: Timestamp, z: Pair, forecast: &Forecast) {
        self.rhythm.learn(time, z);
        self.follow(time, z, forecast);
    }

    /// Learns a row of an incident that has gone on for long: the profiles leave it out.
    pub fn learn_apart(&mut self, time: Timestamp, z: Pair, forecast: &Forecast) {
        self.rhythm.remember(time, z);
        self.follow(time, z, forecast);
    }

    /// Takes over that the level of maximum and mean has moved: what is usual moves with it.
    pub fn take_over(&mut self, by: &[Move; 2]) {
        let scale = self.scale;
        self.rhythm.remap(|pair| [0, 1].map(|c| scale[c].moved(pair[c], by[c])));
        // The distance from the profile was that of the old one.
        self.bias[0] = Default::default();
    }

    fn follow(&mut self, time: Timestamp, z: Pair, forecast: &Forecast) {
        let mut surprise = [0.0; 2];
        for c in 0..2 {
            for (losses, expert) in self.losses.iter_mut().zip(&forecast.experts) {
                if expert[c].is_finite() {
                    losses[c].learn((z[c] - expert[c]).abs().min(WORST), self.rates.day);
                }
            }
            surprise[c] = (z[c] - forecast.experts[LINEAR][c]) / forecast.usual[c];
            for (bias, base) in self.bias.iter_mut().zip([forecast.echo.profile, forecast.echo.day_before]) {
                if base[c].is_finite() {
                    bias[c].learn((z[c] - base[c]).clamp(-WORST, WORST), self.rates.quarter_day);
                }
            }
            self.level[c].learn(z[c], self.rates.week);
            self.range[c] = [self.range[c][0].min(z[c]), self.range[c][1].max(z[c])];
        }
        let deviation = [0, 1].map(|c| z[c] - forecast.profile[c]);
        self.window.push(forecast.missing, time, z, surprise, deviation);
        self.echo_last = forecast.echo;
    }

    /// Learns the first row, before which nothing can be expected.
    pub fn start(&mut self, time: Timestamp, z: Pair) {
        let nothing = self.expect(None, time);
        // No expert said anything that could count for or against it.
        self.learn(time, z, &Forecast { experts: [NONE; EXPERTS], profile: z, ..nothing });
    }

    /// The weights of the experts for means, those that take part; they sum to 1.
    pub fn weights(&self) -> Vec<(Expert, f32)> {
        let all = [[0.0; 2]; EXPERTS];
        let weights: Vec<f64> = self.shares(&all, 1).collect();
        let total: f64 = weights.iter().sum();
        Expert::ALL.iter().zip(&weights).filter(|(_, w)| **w > 0.0).map(|(e, w)| (*e, (w / total) as f32)).collect()
    }

    fn usual(&self, c: usize) -> f64 {
        let known = &self.losses[LINEAR][c];
        if known.rows() < TRIAL { USUAL } else { known.mean().max(LEAST_USUAL) }
    }

    /// Unnormalised weights for channel `c`; 0 for an expert without a forecast or still on trial.
    fn shares<'a>(&'a self, experts: &'a [Pair], c: usize) -> impl Iterator<Item = f64> + 'a {
        let takes_part = move |e: usize| experts[e][c].is_finite() && self.losses[e][c].rows() >= TRIAL;
        let best = (0..experts.len())
            .filter(|e| takes_part(*e))
            .map(|e| self.losses[e][c].mean())
            .fold(f64::INFINITY, f64::min);
        (0..experts.len()).map(move |e| {
            if takes_part(e) { libm::exp(-12.0 * (self.losses[e][c].mean() - best) / (best + 1e-3)) } else { 0.0 }
        })
    }

    fn mix(&self, experts: &[Pair], c: usize) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for (weight, expert) in self.shares(experts, c).zip(experts) {
            if weight > 0.0 {
                sum += weight * expert[c];
                total += weight;
            }
        }
        let mixed = if total > 0.0 { sum / total } else { experts[0][c] };
        // No forecast goes far beyond what was ever seen here: sinh would make absurd values of it.
        let [low, high] = self.range[c];
        if low <= high { mixed.clamp(low - 2.0, high + 2.0) } else { mixed }
    }
}

/// The network's forecast from its outputs.
fn lstm(out: &[f32; OUTPUTS], linear: Pair, usual: Pair) -> Pair {
    [0, 1].map(|c| linear[c] + f64::from(out[c]).clamp(-REACH, REACH) * usual[c])
}

/// What the past says about the slot to come, relative to the linear forecast and in units of its usual error.
fn side(echo: &Echo, linear: Pair, last: Pair, usual: Pair, bias: [Pair; 2], time: Timestamp) -> [f32; SIDE] {
    let mut out = [0.0f32; SIDE];
    let held = |v: f64| if v.is_finite() { v.clamp(-WORST, WORST) as f32 } else { 0.0 };
    for c in 0..2 {
        let relative = |base: Pair| held((base[c] - linear[c]) / usual[c]);
        let values = [
            relative(echo.day_before),
            relative(echo.week_before),
            relative(echo.week_profile),
            relative(echo.day_profile),
            relative(last),
            held(bias[0][c]),
            held(bias[1][c]),
            held(libm::log(usual[c])),
        ];
        out[c * 8..c * 8 + 8].copy_from_slice(&values);
    }
    out[16..18].copy_from_slice(&circle(time.second_of_day(), DAY));
    out[18..20].copy_from_slice(&circle(time.second_of_week(), WEEK));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::{EMBEDDING, Weights};

    fn forecaster(step: i64) -> Forecaster {
        let outlook = Outlook {
            linear: [[0.0; linear::FEATURES]; 2],
            gates: Weights::zero().kernel().gate_bias(&[0.0; EMBEDDING]),
        };
        let scale = Scale { knee: 3000.0, middle: 0.32, spread: 0.2 };
        Forecaster::new(Step::from_seconds(step).unwrap(), [scale; 2], Arc::new(outlook))
    }

    #[test]
    fn the_mix_follows_the_day_where_the_day_repeats() {
        let mut f = forecaster(3600);
        let blank = Weights::zero().kernel();
        let value = |h: i64| {
            1000.0 + 400.0 * libm::sin(h as f64 * std::f64::consts::TAU / 24.0) + if h % 24 == 3 { 900.0 } else { 0.0 }
        };
        let (mut mix, mut last) = (0.0, 0.0);
        for h in 0..24 * 9 {
            let time = Timestamp::from_seconds(1_767_571_200 + h * 3600);
            let z = f.forward([value(h); 2]);
            if h == 0 {
                f.start(time, z);
                continue;
            }
            let forecast = f.expect(Some(&blank), time);
            if h > 24 * 7 {
                mix += (f.back(forecast.expected)[1] - value(h)).abs();
                last += (value(h - 1) - value(h)).abs();
            }
            f.learn(time, z, &forecast);
        }
        assert!(mix < 0.1 * last, "the mix's error {mix}, the last value's {last}");
        assert_ne!(f.weights().iter().max_by(|a, b| a.1.total_cmp(&b.1)).unwrap().0, Expert::LastValue);
    }

    #[test]
    fn forecasts_stay_finite_and_near_what_was_seen() {
        let mut f = forecaster(300);
        let mut wild = (*f.outlook).clone();
        wild.linear = [[50.0; linear::FEATURES]; 2];
        f.outlook = Arc::new(wild);
        for (i, raw) in [1000.0, 1e18, -1e18, 0.0].into_iter().cycle().take(400).enumerate() {
            let time = Timestamp::from_seconds(i as i64 * 300 * (1 + (i as i64 % 3)));
            let z = f.forward([raw; 2]);
            let forecast = f.expect(Some(&Weights::zero().kernel()), time);
            assert!(f.back(forecast.expected).iter().all(|v| v.is_finite() && v.abs() < 1e26), "row {i}");
            if i == 0 { f.start(time, z) } else { f.learn(time, z, &forecast) }
        }
    }

    #[test]
    fn a_blank_network_says_what_the_linear_forecast_says() {
        let mut f = forecaster(300);
        f.start(Timestamp::from_seconds(0), [0.4, 0.3]);
        let forecast = f.expect(Some(&Weights::zero().kernel()), Timestamp::from_seconds(300));
        assert_eq!(forecast.experts[LSTM], forecast.experts[LINEAR]);
        assert_eq!(forecast.spread, [1.0; 2]);
    }
}
