//! One interface's judge: from a forecast and what came to errors and a score.
//!
//! Five things are looked at, each as −log10 of the probability of its size on this interface:
//! the one-step error, which sees what is sudden; the deviation from the level that the rhythm
//! says ([`super::level`]), which sees what lasts; the mean of the last three deviations; and the
//! running means of errors and of deviations over some twelve rows, which see what is small and
//! goes on. Their weighted mean is the score, or what goes on alone, where that is rarer: a mean
//! with errors that are long back to normal would dilute it. Runs of one repeated value are judged
//! by how often that value usually repeats ([`super::flat`]), rows near nothing by how often the interface goes there
//! ([`super::outage`]).

use std::ops::Range;

use super::flat::{self, Flat};
use super::habit::Habits;
use super::level::{Distances, Level, LevelRates};
use super::outage::Outages;
use super::restless::{Known, Restless};
use super::spread::Spread;
use super::tail::{BINS, RUNNING, TAILS, Tails};
use super::tracker::Rules;
use crate::model::{Expert, Forecast};
use crate::series::{Local, Move, Pair, Scale, Step};

/// What a component weighs in the score: one-step error, deviation, mean deviation, running error. Chosen for what
/// they find on several labelled and generated sets at the same number of false alarms (benches/README.md).
const PARTS: [f64; 4] = [0.45, 0.25, 0.15, 0.15];
/// What the running deviation counts alone.
const LASTING: f64 = 0.85;
/// What a row counts at most in the running means, in usual errors.
const RUNNING_CLIP: f64 = 8.0;
/// Rows that an alarm that chance brings has, where a slot is an hour: what is off stays off for some rows, so
/// there are fewer alarms than rows that are as rare. Of shorter slots it takes more, by this power of
/// their number in an hour (seen on generated fleets without incidents, at an hour and at 5 minutes).
const ROWS_PER_ALARM: f64 = 3.0;
const ROWS_BY_SLOTS: f64 = 0.25;
/// What the threshold rises by for a tenth of the alarms. A score is a mean of rarities, and that
/// all are large at once is rarer than that one is: .92 at 5 minutes and .78 at an hour on generated fleets without
/// incidents, but for interfaces that are [`super::restless`].
const FALL: f64 = 0.85;
/// Rows after which half of a score is believed.
const HALF_BELIEVED: f64 = 24.0;
/// Rows that a calibration from a model counts as.
pub const CALIBRATED_ROWS: f64 = 400.0;
/// What a row of a long incident counts in the tails that measure the level. At 1, a day of it would
/// be a twentieth of what is known of a young interface, and be usual; at 0, a restless interface
/// would never learn that it is one.
const LASTING_SHARE: f64 = 0.125;
/// Those of the tails that measure the level.
const OF_LEVEL: Range<usize> = 2..6;
/// Numbers of a calibration.
pub const CALIBRATION: usize = TAILS * BINS + 4;

/// Seconds of an hour.
const HOUR: i64 = 3600;

/// What decides alarms.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Alarms wanted for each interface and week.
    pub alarms_per_week: f64,
    /// Rings wanted a day, for all interfaces together.
    pub rings_per_day: f64,
    /// Hours for which a shifted level must be stable to be the new normal; none for never.
    pub shift_accepted_after: Option<f64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { alarms_per_week: 1.0, rings_per_day: 10.0, shift_accepted_after: Some(48.0) }
    }
}

impl Settings {
    /// The score from which a row begins an incident, for rows that are a `step` apart: so rare that
    /// chance alone brings the wanted number a week. It is listed from here on, too, but for interfaces that are
    /// [`super::restless`].
    pub fn threshold(&self, step: Step) -> f64 {
        let weekly = libm::log10((step.slots_in(crate::series::WEEK) / rows_per_alarm(step)).max(10.0));
        (weekly - FALL * libm::log10(self.alarms_per_week)).max(1.0)
    }

    /// What decides when an incident begins and when its level is the new normal.
    pub fn rules(&self, step: Step) -> Rules {
        let accepted_after = self.shift_accepted_after.map(|hours| (hours * 3600.0) as i64);
        Rules { threshold: self.threshold(step), alarms_per_week: self.alarms_per_week, accepted_after }
    }
}

/// Rows that an alarm that chance brings has, for rows that are a `step` apart.
fn rows_per_alarm(step: Step) -> f64 {
    ROWS_PER_ALARM * libm::pow(step.slots_in(HOUR).max(1.0), ROWS_BY_SLOTS)
}

/// What a row is for those who learn from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is the matter, or what comes at this hour anyway.
    Usual,
    /// It belongs to an open incident: the level does not follow it.
    Incident,
    /// It belongs to an incident that has gone on for long: profiles and spreads do not learn it either.
    Lasting {
        /// Whether it may become the new normal. Where no level is ever taken over, nothing that measures the level
        /// learns it.
        accepted: bool,
        /// Whether it lies on a level, which forecasts can be good or bad at: not stuck, and not near nothing.
        level: bool,
    },
}

/// What is said of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Judged {
    /// One-step errors of maximum and mean, signed, in units of the interface's usual error.
    pub error: Pair,
    /// Deviations from the usual level, signed, in units of the usual deviation.
    pub deviation: Pair,
    /// Signed rarity of the one-step errors and of the deviations: the vector that DBSCAN sees.
    pub vector: [f64; 4],
    /// −log10 of the probability of such a row here.
    pub score: f64,
    /// The flat run's part in it; 0 where the value changed.
    pub flat: f64,
    /// Whether it is near nothing for this interface, at whatever time.
    low: bool,
    /// The part of that in the score; 0 where there is something, or usually is nothing.
    pub outage: f64,
    /// The error of the mean that the model itself expects, in scaled units: what the band on screen is made of.
    pub band: f64,
    /// Deviations from the usual level in scaled units.
    pub off: Pair,
    /// Whether it was measured against something large that comes at this time on most days.
    pub habitual: bool,
    /// Error and deviation, measured against what is a habit at this time.
    tempered: [Pair; 2],
    /// The mean of the last three deviations, of the channel where it is larger.
    pub mean_deviation: f64,
    running: [Pair; 2],
    distances: [Distances; 2],
    /// Of what came before scaling.
    name: flat::Name,
    relative: Pair,
    /// The usual errors and deviations at this time.
    usual: [Pair; 2],
}

/// One interface's errors so far. What it says of a row depends on earlier rows only.
#[derive(Debug, Clone)]
pub struct Judge {
    errors: Spread,
    deviations: Spread,
    levels: [Level; 2],
    level_rates: LevelRates,
    habits: Habits,
    recent: [[f32; 2]; 2],
    /// Running means of deviations and of errors.
    running: [[f32; 2]; 2],
    /// Of one-step errors and deviations of both channels, mean deviation, running deviation, running error.
    tails: Tails,
    flat: Flat,
    outages: Outages,
    /// How many incidents there have been.
    pub restless: Restless,
    rows: f32,
}

impl Judge {
    /// A judge that has seen nothing. `calibration` is what a model knows: of this interface
    /// (`own`), or of interfaces in general.
    pub fn new(step: Step, scale: &[Scale; 2], calibration: &[f32], own: bool) -> Self {
        let known = calibration.len() == CALIBRATION;
        let prior = |i: usize| {
            let mut bins = [0.0; BINS];
            if known {
                bins.copy_from_slice(&calibration[4 + i * BINS..4 + (i + 1) * BINS]);
            }
            bins
        };
        let own = known && own;
        let rows = own.then_some(CALIBRATED_ROWS);
        let mut judge = Self {
            errors: Spread::new(step, scale.map(|s| s.floor())),
            deviations: Spread::new(step, scale.map(|s| s.floor())),
            levels: Default::default(),
            level_rates: LevelRates::new(step),
            habits: Habits::default(),
            recent: [[0.0; 2]; 2],
            running: [[0.0; 2]; 2],
            tails: Tails::new(step, &std::array::from_fn(prior), rows),
            flat: Flat::default(),
            outages: Outages::new(rows_per_alarm(step)),
            restless: Restless::default(),
            rows: rows.unwrap_or(0.0) as f32,
        };
        if own {
            let usual = |i: usize| [f64::from(calibration[i]), f64::from(calibration[i + 1])];
            judge.errors.prime(usual(0), CALIBRATED_ROWS);
            judge.deviations.prime(usual(2), CALIBRATED_ROWS);
        }
        judge
    }

    /// What it knows, to be kept with a model: usual errors and deviations, then the tails' histograms.
    pub fn calibration(&self) -> Vec<f32> {
        let usual = [&self.errors, &self.deviations].into_iter().flat_map(Spread::whole).map(|whole| whole as f32);
        usual.chain(self.tails.histograms().into_iter().flatten()).collect()
    }

    /// The score from which a row is an anomaly that is listed, on an interface that has been known for so
    /// long. `nothing`: it is near nothing where there usually is something.
    pub fn bar(&self, rules: &Rules, known: Known, nothing: bool) -> f64 {
        self.restless.bar(rules, known, self.tails.shape(0).max(self.tails.shape(1)), nothing)
    }

    /// Bytes of its state. All of it is in its own fields.
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
    }

    /// Takes note that an incident is over: the means of the last rows, which it has made, say nothing
    /// of what comes. The way back would be told as an incident of its own.
    pub fn calm_down(&mut self) {
        self.recent = Default::default();
        self.running = Default::default();
    }

    /// Goes on with what another judge of the same rows was told, and is known to it alone: runs of repeated values,
    /// outages, and incidents.
    pub fn keep_told(&mut self, of: &Self) {
        self.flat = of.flat.clone();
        self.outages = of.outages;
        self.restless = of.restless;
    }

    /// Takes over that the level has moved: what went before says nothing of what comes.
    pub fn take_over(&mut self, scale: &[Scale; 2], by: &[Move; 2]) {
        self.recent = Default::default();
        self.running[0] = Default::default();
        self.flat.rest();
        self.outages.rest();
        for c in 0..2 {
            self.levels[c].take_over(|level| scale[c].moved(level, by[c]));
        }
    }

    /// Judges a row: `z` came where `forecast` was expected, `raw` is what came before scaling.
    pub fn judge(&self, now: Local, forecast: &Forecast, z: Pair, raw: Pair) -> Judged {
        // After a gap the last value is older, and an error says less.
        let stale = libm::sqrt((1.0 + forecast.missing as f64).min(4.0));
        let relative = [0, 1].map(|c| (z[c] - forecast.expected[c]) / stale);
        // Not over the network's spread: that grows in an incident and hides how long it lasts
        // (measured on real series: .81 of the incidents instead of .87 at the same false alarms).
        let usual = [self.errors.at(now), self.deviations.at(now)];
        let error = [0, 1].map(|c| relative[c] / usual[0][c]);
        let day = forecast.experts[Expert::DayProfile as usize];
        let distances = [0, 1].map(|c| self.levels[c].distances(z[c], forecast.profile[c], day[c]));
        let off = [0, 1].map(|c| self.levels[c].deviation(&distances[c]));
        let deviation = [0, 1].map(|c| off[c] / usual[1][c]);
        // What comes every day at this time is measured against what it usually is.
        let [by_error, by_deviation] = self.habits.temper(now, [larger(error), larger(deviation)]);
        let (u, v) = (error.map(|e| e / by_error), deviation.map(|d| d / by_deviation));
        let mean_deviation =
            larger([0, 1].map(|c| (v[c] + f64::from(self.recent[0][c]) + f64::from(self.recent[1][c])) / 3.0));
        let follow = |mean: f32, new: f64| {
            let mean = f64::from(mean);
            mean + (new.clamp(-RUNNING_CLIP, RUNNING_CLIP) - mean) * RUNNING
        };
        let running =
            [[0, 1].map(|c| follow(self.running[0][c], v[c])), [0, 1].map(|c| follow(self.running[1][c], u[c]))];

        let rarity = |i: usize, size: f64| self.tails.rarity(i, size);
        let sudden = [rarity(0, u[0]), rarity(1, u[1])];
        let lasting = [rarity(2, v[0]), rarity(3, v[1])];
        let parts = [
            sudden[0].max(sudden[1]),
            lasting[0].max(lasting[1]),
            rarity(4, mean_deviation),
            rarity(6, larger(running[1])),
        ];
        let mean: f64 = PARTS.iter().zip(parts).map(|(w, p)| w * p).sum();
        let rows = f64::from(self.rows);
        let believed = rows / (rows + HALF_BELIEVED);
        let score = mean.max(LASTING * rarity(5, larger(running[0]))) * believed;
        let name = flat::name(raw);
        let flat = self.flat.score(name);
        Judged {
            error,
            deviation,
            vector: [
                sudden[0].copysign(error[0]),
                sudden[1].copysign(error[1]),
                lasting[0].copysign(deviation[0]),
                lasting[1].copysign(deviation[1]),
            ],
            score: score.max(flat),
            flat,
            low: false,
            outage: 0.0,
            band: forecast.spread[1] * forecast.usual[1] * stale,
            off,
            tempered: [u, v],
            habitual: by_error > 1.0 || by_deviation > 1.0,
            mean_deviation,
            running,
            distances,
            name,
            relative,
            usual,
        }
    }

    /// Takes into a row's judgement whether it is near nothing: for this interface (`low`), and where there usually
    /// is something (`missing`).
    pub fn weigh_nothing(&self, row: &mut Judged, low: bool, missing: bool) {
        (row.low, row.outage) = (low, self.outages.score(low && missing, self.tails.seen()));
        row.score = row.score.max(row.outage);
    }

    /// Learns a row that was judged. While an incident is open the level stays where it was: what
    /// lasts is measured against it, and a long incident must not become its own normal.
    pub fn learn(&mut self, now: Local, row: &Judged, standing: Standing) {
        let lasting = matches!(standing, Standing::Lasting { .. });
        let [errors, deviations] = row.usual;
        self.errors.learn(now, row.relative.map(f64::abs), errors);
        if !lasting {
            self.deviations.learn(now, row.off.map(f64::abs), deviations);
        }
        if standing == Standing::Usual {
            for ((level, distances), unit) in self.levels.iter_mut().zip(&row.distances).zip(deviations) {
                level.learn(distances, unit, &self.level_rates);
            }
        }
        let [running_deviation, running_error] = row.running.map(larger);
        let ([error_max, error_mean], [max, mean]) = (row.error, row.deviation);
        // As they came, not as tempered: a habit must not make all else rare.
        let sizes = [error_max, error_mean, max, mean, row.mean_deviation, running_deviation, running_error];
        let share = match standing {
            Standing::Usual | Standing::Incident => 1.0,
            Standing::Lasting { accepted: true, .. } => LASTING_SHARE,
            Standing::Lasting { accepted: false, .. } => 0.0,
        };
        self.outages.learn(row.low, self.tails.seen());
        self.tails.learn(&sizes, OF_LEVEL, share);
        self.habits.learn(now, [larger(row.error), larger(row.deviation)]);
        self.recent = [row.tempered[1].map(|v| v as f32), self.recent[0]];
        self.running = row.running.map(|pair| pair.map(|v| v as f32));
        self.flat.learn(row.name);
        self.rows += 1.0;
    }
}

/// The value of the channel that is further off.
pub(crate) fn larger([max, mean]: Pair) -> f64 {
    if max.abs() > mean.abs() { max } else { mean }
}

#[cfg(test)]
impl Judged {
    /// One with such signed rarities, of errors and of deviations, and such a deviation on both channels.
    pub(crate) fn of(sudden: f64, lasting: f64, deviation: f64, score: f64) -> Self {
        let none = [0.0; 2];
        let distances = Level::default().distances(0.0, 0.0, 0.0);
        Self {
            error: [sudden; 2],
            deviation: [deviation; 2],
            vector: [sudden, sudden, lasting, lasting],
            score,
            flat: 0.0,
            low: false,
            outage: 0.0,
            band: 1.0,
            off: none,
            habitual: false,
            tempered: [none; 2],
            mean_deviation: deviation,
            running: [none; 2],
            distances: [distances; 2],
            name: flat::name(none),
            relative: none,
            usual: [[1.0; 2]; 2],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Forecaster;
    use crate::model::forecast::Outlook;
    use crate::model::kernel::EMBEDDING;
    use crate::model::linear::FEATURES;
    use crate::random::Random;
    use crate::series::{Clock, Timestamp};
    use std::sync::Arc;

    fn run(values: &[f64]) -> Vec<Judged> {
        let blank = crate::model::kernel::Weights::zero().kernel();
        let outlook = Arc::new(Outlook::new([[0.0; FEATURES]; 2], blank.gate_bias(&[0.0; EMBEDDING]), Clock::UTC));
        let step = Step::from_seconds(3600).unwrap();
        let scale = [Scale::fit(values); 2];
        let (mut f, mut j) = (Forecaster::new(step, scale, outlook), Judge::new(step, &scale, &[], false));
        let mut out = Vec::new();
        for (i, v) in values.iter().enumerate() {
            let now = f.local(Timestamp::from_seconds(1_767_571_200 + i as i64 * 3600));
            let z = f.forward([*v; 2]);
            if i == 0 {
                f.start(now, z);
                continue;
            }
            let forecast = f.expect(None, now);
            let judged = j.judge(now, &forecast, z, [*v; 2]);
            j.learn(now, &judged, Standing::Usual);
            f.learn(now, z, &forecast);
            out.push(judged);
        }
        out
    }

    fn load(hours: usize) -> Vec<f64> {
        let mut random = Random::new(6);
        let day = |h: usize| libm::sin(h as f64 * std::f64::consts::TAU / 24.0);
        (0..hours).map(|h| 1000.0 + 300.0 * day(h) + 25.0 * random.normal()).collect()
    }

    #[test]
    fn a_spike_and_an_outage_stand_far_above_quiet_rows() {
        let mut values = load(24 * 28);
        values[600] *= 2.5;
        values[640..646].fill(0.0);
        let judged = run(&values);
        let threshold = Settings::default().threshold(Step::from_seconds(3600).unwrap());
        assert!(judged[599].score > threshold && judged[599].error[1] > 0.0, "spike {}", judged[599].score);
        assert!(judged[639].score > threshold && judged[639].error[1] < 0.0, "outage {}", judged[639].score);
        assert!(judged[642].deviation[1] < -3.0, "an outage's deviation lasts: {}", judged[642].deviation[1]);
        let quiet = judged[200..595].iter().filter(|j| j.score > threshold).count();
        assert!(quiet <= 5, "{quiet} of 395 quiet rows");
    }

    #[test]
    fn a_flat_run_is_rare_where_values_change_and_usual_where_they_repeat() {
        let mut values = load(400);
        let held = values[300];
        values[300..310].fill(held);
        let judged = run(&values);
        assert!(judged[304].flat > 3.0, "{}", judged[304].flat);
        assert_eq!(judged[312].flat, 0.0);
        let resting: Vec<f64> = (0..400).map(|i| if i % 37 < 2 { 900.0 } else { 0.0 }).collect();
        assert!(run(&resting).iter().all(|j| j.flat == 0.0), "an idle interface rests at nothing");
        let constant = run(&[5.0; 400]);
        assert!(constant.iter().all(|j| j.score < 1.0 && j.score.is_finite()), "a constant interface is no alarm");
        let steps: Vec<f64> = (0..6000).map(|i| 5.0 + f64::from(i / 1500)).collect();
        let most = run(&steps).iter().map(|j| j.flat).fold(0.0, f64::max);
        assert!(most < 2.0, "nor is one that moves every few days: {most}");
    }

    #[test]
    fn a_calibration_goes_through_a_file_and_primes_a_judge() {
        let step = Step::from_seconds(3600).unwrap();
        let scale = [Scale { knee: 1.0, middle: 0.0, spread: 1.0 }; 2];
        let mut judge = Judge::new(step, &scale, &[], false);
        assert_eq!(judge.calibration().len(), CALIBRATION);
        judge.errors.prime([0.7, 0.2], 50.0);
        let primed = Judge::new(step, &scale, &judge.calibration(), true);
        assert!((primed.errors.whole()[0] - 0.7).abs() < 1e-6);
        assert_eq!(f64::from(primed.rows), CALIBRATED_ROWS);
    }
}
