//! One interface's forecast state: what each expert says of the row to come, and what they learn
//! from the row that came.

use std::sync::Arc;

use super::blend::Blend;
use super::inputs::{HELD, LSTM_BLENDED, PLAIN_BLENDED, lstm_blended, plain_blended, side};
use super::kernel::{self, GateBias, Given, INPUTS, Kernel, OUTPUTS, OutputLayer, SIDE, Sequence};
use super::linear::{self, Coefficients, Features};
use super::mix::{EXPERTS, Expert, LossRates, MOST_ROWS, Mix};
use crate::series::rhythm::{Echo, Faded, NONE, Pair};
use crate::series::running::{Running, rate};
use crate::series::scale::median;
use crate::series::{Clock, DAY, Local, Move, Rhythm, Scale, Step, Timestamp, WARM_UP, Window, WindowLength};

const LSTM: usize = Expert::Lstm as usize;
const BLEND: usize = Expert::Blend as usize;
const LSTM_BLEND: usize = Expert::LstmBlend as usize;
/// The usual error before it is known and the rows that this guess is worth, and the least that it counts.
const GUESS: (f64, f64) = (0.3, 6.0);
const LEAST_USUAL: f64 = 0.02;
/// What the network may add, in units of the usual error.
const REACH: f64 = 4.0;
/// Range of the network's log-spread.
const LOG_SPREAD: f64 = 1.5;
/// Slots whose median is the level.
const LEVEL_SLOTS: usize = 5;
/// Days after which the blend has forgotten half.
const BLEND_DAYS: f64 = 7.0;

type PlainBlend = Blend<PLAIN_BLENDED, 36>;
type LstmBlend = Blend<LSTM_BLENDED, 21>;

/// What a model knows of one interface, or of one that it never saw.
#[derive(Debug, Clone)]
pub struct Outlook {
    /// Coefficients of the linear forecast.
    pub linear: Coefficients,
    /// The embedding's part in the gates.
    pub gates: GateBias,
    /// The last layer; none for the network's own.
    pub layer: Option<Arc<OutputLayer>>,
    /// Slots that the network sees.
    pub window: WindowLength,
    /// The clock that the load follows.
    pub clock: Clock,
    /// The scales to forecast on; none where they are to be fitted on the interface's own rows.
    pub scale: Option<[Scale; 2]>,
}

impl Outlook {
    /// With the shared last layer, the usual window and the interface's own scales.
    pub fn new(linear: Coefficients, gates: GateBias, clock: Clock) -> Self {
        Self { linear, gates, layer: None, window: WindowLength::default(), clock, scale: None }
    }
}

/// What is expected of a row, before it is looked at. All values in scaled units.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The mix: what is expected.
    pub expected: Pair,
    /// The mix without the LSTM, which the network's part is added to.
    pub plain: Pair,
    /// Every expert's forecast of each channel; NaN where it has none.
    pub experts: [Pair; EXPERTS],
    /// The network's spread, relative: the error that it expects over the usual one.
    pub spread: Pair,
    /// The usual value for this hour.
    pub profile: Pair,
    /// Slots without a sample since the last row.
    pub missing: usize,
    /// What the network was given.
    pub side: [f32; SIDE],
    /// What the linear regression was given.
    pub features: Features,
    /// The usual error of the mix without the LSTM.
    pub usual: Pair,
    /// What the blends combine for each channel: without the LSTM, and with it.
    combined: [[f64; PLAIN_BLENDED]; 2],
    combined_with_lstm: [[f64; LSTM_BLENDED]; 2],
    echo: Echo,
}

/// One interface's forecast state. It learns row by row, and what it says of a row depends on
/// earlier rows only.
#[derive(Debug, Clone)]
pub struct Forecaster {
    step: Step,
    scale: [Scale; 2],
    outlook: Arc<Outlook>,
    rhythm: Rhythm,
    window: Window,
    echo_last: Faded,
    /// The level's distance from the profile, and from the day before.
    bias: [[Running; 2]; 2],
    level: [Running; 2],
    /// Of each channel: without the LSTM, and with it.
    blends: [PlainBlend; 2],
    lstm_blends: [LstmBlend; 2],
    usual: [Running; 2],
    mix: Mix,
    rows: u32,
    rates: Rates,
}

#[derive(Debug, Clone, Copy)]
struct Rates {
    quarter_day: f32,
    day: f32,
    week: f32,
    blend: f32,
    losses: LossRates,
}

impl Forecaster {
    /// A state that has seen nothing yet.
    pub fn new(step: Step, scale: [Scale; 2], outlook: Arc<Outlook>) -> Self {
        let day = step.slots_in(DAY);
        let rate = |rows: f64| rate(rows) as f32;
        let window = Window::new(outlook.window);
        let rhythm = Rhythm::new(step, outlook.clock.clone());
        Self {
            step,
            scale,
            outlook,
            rhythm,
            window,
            echo_last: Faded::from(&Echo::SILENT),
            bias: Default::default(),
            level: Default::default(),
            blends: Default::default(),
            lstm_blends: Default::default(),
            usual: [Running::at(GUESS.0, GUESS.1); 2],
            mix: Mix::default(),
            rows: 0,
            rates: Rates {
                quarter_day: rate((day / 4.0).max(3.0)),
                day: rate(day.max(12.0)),
                week: rate(day.max(4.0) * 7.0),
                blend: rate(day.max(24.0) * BLEND_DAYS),
                losses: LossRates { fast: rate((day / 4.0).max(3.0)), slow: rate((day * 3.0).clamp(12.0, MOST_ROWS)) },
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

    /// A moment by the clock that its load follows.
    pub fn local(&self, time: Timestamp) -> Local {
        self.outlook.clock.at(time)
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

    /// What is expected of the row at a moment that lies after all rows learnt so far. Without
    /// `network` the LSTM is left out.
    pub fn expect(&self, network: Option<&Kernel>, now: Local) -> Forecast {
        let mut forecast = self.expect_plainly(now);
        if let Some(network) = network {
            let mut sequence = Vec::new();
            self.sequence(&mut sequence);
            let out = network.forward(&self.given(&forecast, &sequence));
            self.add_network(&mut forecast, &out);
        }
        forecast
    }

    /// The window as the network takes it.
    pub fn sequence(&self, into: &mut Vec<[f32; INPUTS]>) {
        kernel::sequence(&self.window, into);
    }

    /// What the network is asked, to be added to what is expected without it.
    pub fn given<'a>(&'a self, forecast: &'a Forecast, sequence: &'a Sequence) -> Given<'a> {
        let Outlook { gates, layer, .. } = &*self.outlook;
        Given { bias: gates, sequence, side: &forecast.side, output: layer.as_deref() }
    }

    /// Adds what the network says to what is expected without it.
    pub fn add_network(&self, forecast: &mut Forecast, out: &[f32; OUTPUTS]) {
        let Forecast { plain, usual, experts, .. } = forecast;
        let last = experts[Expert::LastValue as usize];
        experts[LSTM] = lstm(out, *plain, *usual);
        forecast.spread = [0, 1].map(|c| libm::exp(f64::from(out[2 + c]).clamp(-LOG_SPREAD, LOG_SPREAD)));
        forecast.combined_with_lstm = [0, 1].map(|c| lstm_blended(experts, *plain, c));
        let combined = &forecast.combined_with_lstm;
        experts[LSTM_BLEND] = [0, 1].map(|c| last[c] + self.lstm_blends[c].predict(&combined[c]));
        forecast.expected = [0, 1].map(|c| self.mix.whole(experts, plain[c], c));
    }

    /// What is expected without the LSTM.
    pub fn expect_plainly(&self, now: Local) -> Forecast {
        let time = now.time();
        let (last_time, last) = self.window.last().unwrap_or((time, [0.0; 2]));
        let missing = (self.step.slots_between(last_time, time) - 1).clamp(0, 1_000_000) as usize;
        let echo = self.rhythm.echo(now);
        let bias = self.bias.map(|pair| pair.map(|r| r.mean()));
        let features = linear::features(&self.window, last, &echo, &self.echo_last, bias);
        let change = linear::predict(&self.outlook.linear, &features);
        let linear = [0, 1].map(|c| last[c] + change[c]);
        let usual = self.usual.map(|usual| usual.mean().max(LEAST_USUAL));
        let level = [0, 1].map(|c| {
            let mut slots: [f64; LEVEL_SLOTS] = std::array::from_fn(|i| f64::from(self.window.value_back(i)[c]));
            median(&mut slots)
        });
        let add = |base: Pair, by: Pair| [base[0] + by[0], base[1] + by[1]];
        let mut experts = [
            last,
            echo.day_before,
            echo.week_before,
            echo.week_profile,
            echo.day_profile,
            add(echo.day_before, bias[1]),
            add(echo.profile, bias[0]),
            echo.seven_days,
            level,
            linear,
            NONE,
            NONE,
            NONE,
        ];
        let combined = [0, 1].map(|c| plain_blended(&experts, &features, c));
        experts[BLEND] = [0, 1].map(|c| last[c] + self.blends[c].predict(&combined[c]));
        let plain = [0, 1].map(|c| self.mix.plain(&experts, c));
        let side = side(&experts, plain, usual, bias, now);
        let profile = [0, 1].map(|c| if echo.profile[c].is_nan() { self.level[c].mean() } else { echo.profile[c] });
        Forecast {
            expected: plain,
            plain,
            experts,
            spread: [1.0; 2],
            profile,
            missing,
            side,
            features,
            usual,
            combined,
            combined_with_lstm: [[0.0; LSTM_BLENDED]; 2],
            echo,
        }
    }

    /// Learns what came where `forecast` was expected.
    pub fn learn(&mut self, now: Local, z: Pair, forecast: &Forecast) {
        self.rhythm.learn(now, z);
        self.mix.learn(z, &forecast.experts, forecast.plain, self.rates.losses, self.rows);
        self.follow(now, z, forecast);
    }

    /// Learns a row of an incident that has gone on for long: the profiles leave it out. How the forecasts do on a
    /// `level` counts while it goes on, and behind it no more: those that know the rhythm err by all of it, and would
    /// be trusted for days less than the last value, which knows no morning. What is stuck or near nothing is no
    /// level, and says nothing of forecasts.
    pub fn learn_apart(&mut self, now: Local, z: Pair, forecast: &Forecast, level: bool) {
        self.rhythm.remember(now.time(), z);
        if level {
            self.mix.learn_apart(z, &forecast.experts, forecast.plain, self.rates.losses, self.rows);
        }
        self.follow(now, z, forecast);
    }

    /// Takes over that the level of maximum and mean has moved: what is usual moves with it.
    pub fn take_over(&mut self, by: &[Move; 2]) {
        let scale = self.scale;
        self.rhythm.remap(|pair| [0, 1].map(|c| scale[c].moved(pair[c], by[c])));
        // The distance from the profile was that of the old one.
        self.bias[0] = Default::default();
    }

    fn follow(&mut self, now: Local, z: Pair, forecast: &Forecast) {
        let mut surprise = [0.0; 2];
        self.mix.saw(z);
        self.rows = self.rows.saturating_add(1);
        for c in 0..2 {
            if self.rows as usize > WARM_UP {
                let last = forecast.experts[Expert::LastValue as usize][c];
                let (change, forget, rate) = (z[c] - last, f64::from(self.rates.blend), f64::from(self.rates.day));
                self.blends[c].learn(&forecast.combined[c], change, forget, rate);
                self.lstm_blends[c].learn(&forecast.combined_with_lstm[c], change, forget, rate);
            }
            let error = z[c] - forecast.plain[c];
            surprise[c] = error / forecast.usual[c];
            if error.is_finite() {
                self.usual[c].learn(error.abs().min(HELD), f64::from(self.rates.day));
            }
            for (bias, base) in self.bias.iter_mut().zip([forecast.echo.profile, forecast.echo.day_before]) {
                if base[c].is_finite() {
                    bias[c].learn((z[c] - base[c]).clamp(-HELD, HELD), f64::from(self.rates.quarter_day));
                }
            }
            self.level[c].learn(z[c], f64::from(self.rates.week));
        }
        let deviation = [0, 1].map(|c| z[c] - forecast.profile[c]);
        self.window.push(forecast.missing, now, z, surprise, deviation);
        self.echo_last = Faded::from(&forecast.echo);
    }

    /// Learns the first row, before which nothing can be expected.
    pub fn start(&mut self, now: Local, z: Pair) {
        let nothing = self.expect_plainly(now);
        // No expert said anything that could count for or against it.
        self.learn(now, z, &Forecast { experts: [NONE; EXPERTS], plain: NONE, profile: z, ..nothing });
    }

    /// Bytes of its state: of the ring and the profiles of day and week, of what a long incident takes while it
    /// goes on, and of all else. What a model knows is not counted, since interfaces share it.
    pub fn bytes(&self) -> [usize; 3] {
        let own = size_of::<Self>() - size_of::<Rhythm>();
        [self.rhythm.bytes(), self.mix.heap(), own + self.window.bytes()]
    }

    /// The weights of the experts for means, those that take part; they sum to 1.
    pub fn weights(&self) -> Vec<(Expert, f32)> {
        self.mix.weights(1)
    }
}

/// The network's forecast from its outputs.
fn lstm(out: &[f32; OUTPUTS], plain: Pair, usual: Pair) -> Pair {
    [0, 1].map(|c| plain[c] + f64::from(out[c]).clamp(-REACH, REACH) * usual[c])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::kernel::{EMBEDDING, Weights};

    fn at(seconds: i64) -> Local {
        Clock::UTC.at(Timestamp::from_seconds(seconds))
    }

    fn forecaster(step: i64) -> Forecaster {
        let gates = Weights::zero().kernel().gate_bias(&[0.0; EMBEDDING]);
        let outlook = Outlook::new([[0.0; linear::FEATURES]; 2], gates, Clock::UTC);
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
            let time = at(1_767_571_200 + h * 3600);
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

    /// Ten days of office hours, of which the ninth stays on one level: how far off the forecast is at the end of
    /// that day, and on the morning after.
    fn errors_of_a_still_day(apart: bool) -> [f64; 2] {
        let mut f = forecaster(3600);
        let value = |h: i64| if (9..18).contains(&(h % 24)) { 1600.0 } else { 700.0 };
        let mut errors = [0.0; 2];
        for h in 0..24 * 10 {
            let still = h / 24 == 8;
            let raw = [if still { 1100.0 } else { value(h) }; 2];
            let (time, z) = (at(1_767_571_200 + h * 3600), f.forward(raw));
            if h == 0 {
                f.start(time, z);
                continue;
            }
            let forecast = f.expect(None, time);
            for (error, _) in errors.iter_mut().zip([24 * 8 + 22, 24 * 9 + 9]).filter(|(_, at)| *at == h) {
                *error = (f.back(forecast.expected)[1] - raw[1]).abs();
            }
            if still && apart { f.learn_apart(time, z, &forecast, true) } else { f.learn(time, z, &forecast) }
        }
        errors
    }

    #[test]
    fn a_still_day_does_not_cost_the_trust_in_those_that_know_the_day() {
        let [[_, within], [_, apart]] = [false, true].map(errors_of_a_still_day);
        assert!(within > 600.0 && apart < 100.0, "{within} and {apart}");
    }

    #[test]
    fn on_a_still_day_who_knows_the_level_is_trusted() {
        let [still, _] = errors_of_a_still_day(true);
        assert!(still < 20.0, "{still}");
    }

    #[test]
    fn forecasts_stay_finite_and_near_what_was_seen() {
        let mut f = forecaster(300);
        let mut wild = (*f.outlook).clone();
        wild.linear = [[50.0; linear::FEATURES]; 2];
        f.outlook = Arc::new(wild);
        for (i, raw) in [1000.0, 1e18, -1e18, 0.0].into_iter().cycle().take(400).enumerate() {
            let time = at(i as i64 * 300 * (1 + (i as i64 % 3)));
            let z = f.forward([raw; 2]);
            let forecast = f.expect(Some(&Weights::zero().kernel()), time);
            assert!(f.back(forecast.expected).iter().all(|v| v.is_finite() && v.abs() < 1e26), "row {i}");
            if i == 0 { f.start(time, z) } else { f.learn(time, z, &forecast) }
        }
    }

    #[test]
    fn a_blank_network_says_what_is_said_without_it() {
        let mut f = forecaster(300);
        f.start(at(0), [0.4, 0.3]);
        let forecast = f.expect(Some(&Weights::zero().kernel()), at(300));
        assert_eq!(forecast.experts[LSTM], forecast.plain);
        assert_eq!(forecast.spread, [1.0; 2]);
    }

    #[test]
    fn the_state_is_small() {
        for step in [10, 300, 3600] {
            let [rhythm, _, rest] = forecaster(step).bytes();
            assert!(rhythm <= 8192 && rest <= 1664, "{step} s: {rhythm} and {rest} bytes");
        }
    }
}
