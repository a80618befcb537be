//! What forecasts become where they are inputs: of the blends, and of the network.

use super::blend::held;
use super::kernel::SIDE;
use super::linear::{self, Features};
use super::mix::{EXPERTS, Expert};
use crate::series::rhythm::Pair;
use crate::series::window::circle;
use crate::series::{DAY, Local, WEEK};

/// Forecasts that are combined without the LSTM and with it.
pub(super) const PLAIN_BLENDED: usize = 8;
pub(super) const LSTM_BLENDED: usize = 6;
/// What a scaled value is held to where it is an input.
pub(super) const HELD: f64 = 8.0;
/// Side inputs of each channel; the rest is the moment's place in day and week.
const SIDE_OF_CHANNEL: usize = (SIDE - 4) / 2;

/// What the blend without the LSTM combines for channel `c`.
pub(super) fn plain_blended(experts: &[Pair; EXPERTS], features: &Features, c: usize) -> [f64; PLAIN_BLENDED] {
    let relative = |e: Expert| experts[e as usize][c] - experts[Expert::LastValue as usize][c];
    held([
        relative(Expert::Linear),
        relative(Expert::Level),
        relative(Expert::DayBefore),
        relative(Expert::WeekProfile),
        relative(Expert::ProfileShifted),
        relative(Expert::SevenDays),
        features[c][linear::MEAN_OF_SIX],
        1.0,
    ])
}

/// What the blend with the LSTM combines for channel `c`: few, since most of it is in them.
pub(super) fn lstm_blended(experts: &[Pair; EXPERTS], plain: Pair, c: usize) -> [f64; LSTM_BLENDED] {
    let last = experts[Expert::LastValue as usize][c];
    let relative = |e: Expert| experts[e as usize][c] - last;
    held([
        relative(Expert::Lstm),
        plain[c] - last,
        relative(Expert::Linear),
        relative(Expert::ProfileShifted),
        relative(Expert::SevenDays),
        1.0,
    ])
}

/// What the past says about the slot to come, relative to the mix without the LSTM and in units of its usual error.
pub(super) fn side(experts: &[Pair; EXPERTS], plain: Pair, usual: Pair, bias: [Pair; 2], now: Local) -> [f32; SIDE] {
    let mut out = [0.0f32; SIDE];
    let input = |v: f64| if v.is_finite() { v.clamp(-HELD, HELD) as f32 } else { 0.0 };
    for (c, out) in out.chunks_exact_mut(SIDE_OF_CHANNEL).enumerate().take(2) {
        let relative = |e: Expert| input((experts[e as usize][c] - plain[c]) / usual[c]);
        out.copy_from_slice(&[
            relative(Expert::DayBefore),
            relative(Expert::WeekBefore),
            relative(Expert::WeekProfile),
            relative(Expert::DayProfile),
            relative(Expert::LastValue),
            relative(Expert::SevenDays),
            relative(Expert::Level),
            relative(Expert::Linear),
            relative(Expert::Blend),
            input(bias[0][c]),
            input(bias[1][c]),
            input(libm::log(usual[c])),
        ]);
    }
    let [day, week] = [circle(now.second_of_day(), DAY), circle(now.second_of_week(), WEEK)];
    out[2 * SIDE_OF_CHANNEL..].copy_from_slice(&[day[0], day[1], week[0], week[1]]);
    out
}
