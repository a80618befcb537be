//! What an interface does at the same time of the day, day after day, however far off it is: a
//! backup that starts at two sharp, a batch that ends within one slot.
//!
//! The rhythm follows what is smooth over half an hour. A sharp edge stays an error each night, and
//! since large errors are held down in what is learnt, it would stay one for ever. So the peak of
//! each half-hour of the day is kept apart, for errors and deviations and for each direction: seen
//! on three days it is a habit, and sizes at that time are measured against it until it has stayed
//! away for some days. An incident does not come back at the same half-hour day after day; one that
//! does is no news from the third time on.
//!
//! On a restless interface large errors meet in the same half-hour by chance, and where the rhythm is not
//! that of the day they come at any time. So three days are enough only where half-hours with a
//! count are few; where they are many it takes more days, so many that chance does not bring them.
//!
//! This is about the sizes of rows and changes the score. What whole incidents do at the same hour,
//! and whether they are listed, is the matter of [`super::routine`].

use crate::series::{DAY, Local, Timestamp};

/// Half-hours of a day.
const BINS: usize = 48;
const BIN: i64 = DAY / BINS as i64;
/// A peak of at least so many usual errors can become a habit.
const LARGE: f64 = 4.0;
/// Days on which it has to be seen. Each day without it counts one down, and no more than
/// [`MOST_DAYS`] are counted, so that a habit of the working days outlives a weekend.
const DAYS: u8 = 3;
const MOST_DAYS: u8 = 7;
/// How often chance may bring what looks like a habit of a half-hour or one of its neighbours.
const CHANCE: f64 = 0.01;
/// Seconds after which what is still far off is a shift of the level, and no habit of a time of the day.
const SHIFT: i64 = DAY / 2;
/// What a habit's usual peak counts as, in usual errors: a size that is nothing special.
const ORDINARY: f64 = 1.5;
/// Peaks are kept as sixteenths of an octave.
const PER_OCTAVE: f64 = 16.0;

/// The peak of one half-hour in one direction.
#[derive(Debug, Clone, Copy)]
struct Habit {
    days: u8,
    peak: u8,
}

impl Habit {
    /// Learns the largest size of a day.
    fn learn(&mut self, size: f64) {
        if size <= LARGE {
            self.days = self.days.saturating_sub(1);
        } else if self.days == 0 {
            *self = Self { days: 1, peak: pack(size) };
        } else if self.days < DAYS {
            // The smallest of the first three: two small ones and an incident are no large habit.
            *self = Self { days: self.days + 1, peak: pack(size).min(self.peak) };
        } else {
            let usual = unpack(self.peak);
            let ratio = size / usual;
            let moved = usual * libm::pow(ratio, if ratio > 1.0 { 0.5 } else { 0.25 });
            *self = Self { days: (self.days + 1).min(MOST_DAYS), peak: pack(moved) };
        }
    }
}

fn pack(size: f64) -> u8 {
    (libm::log2(size.max(1.0)) * PER_OCTAVE).round().min(255.0) as u8
}

fn unpack(peak: u8) -> f64 {
    libm::exp2(f64::from(peak) / PER_OCTAVE)
}

/// The four habits of one half-hour: of errors and of deviations, up and down. Days take four bits each.
#[derive(Debug, Clone, Copy, Default)]
struct HalfHour {
    days: u16,
    peaks: [u8; 4],
}

impl HalfHour {
    fn habit(&self, place: usize) -> Habit {
        Habit { days: (self.days >> (4 * place)) as u8 & 15, peak: self.peaks[place] }
    }

    fn learn(&mut self, place: usize, size: f64) {
        let mut habit = self.habit(place);
        habit.learn(size);
        self.days = self.days & !(15 << (4 * place)) | u16::from(habit.days) << (4 * place);
        self.peaks[place] = habit.peak;
    }
}

/// The habits of one interface.
#[derive(Debug, Clone)]
pub struct Habits {
    bins: [HalfHour; BINS],
    /// The half-hour that goes on, counted since the clock showed 1970, and its peaks so far.
    current: Option<(i32, [f32; 4])>,
    /// The newest half-hour that was learnt. Those of an hour that comes twice, since the clock was put back, are learnt
    /// once: a day is one day.
    learnt: i32,
    /// Where deviations are large now, and since when.
    off: Option<(u8, Timestamp)>,
}

impl Default for Habits {
    fn default() -> Self {
        Self { bins: [HalfHour::default(); BINS], current: None, learnt: i32::MIN, off: None }
    }
}

impl Habits {
    /// What the signed sizes of an error and of a deviation at a moment are to be divided by: 1 where
    /// nothing of the kind is a habit at about this time of the day.
    pub fn temper(&self, now: Local, sizes: [f64; 2]) -> [f64; 2] {
        let bin = (now.second_of_day() / BIN) as usize;
        places(sizes).map(|place| {
            let near = [BINS - 1, 0, 1].map(|o| self.bins[(bin + o) % BINS].habit(place));
            if near.iter().all(|habit| habit.days < DAYS) {
                return 1.0;
            }
            let days = self.days_beyond_chance(place);
            let habits = near.iter().filter(|habit| f64::from(habit.days) >= days);
            habits.fold(1.0, |most, habit| f64::max(most, unpack(habit.peak) / ORDINARY))
        })
    }

    /// Days that a habit has to have. A count goes up on a day with a large peak and down on one without, so
    /// where peaks come by chance a share of about r^n of the half-hours has a count of n and more. What r is
    /// shows in those that are no habits: in how many of them have a count at all.
    fn days_beyond_chance(&self, place: usize) -> f64 {
        let counts = self.bins.iter().map(|bin| bin.habit(place).days);
        let (some, all) =
            counts.filter(|days| *days < DAYS).fold((0, 0), |(some, all), days| (some + u32::from(days > 0), all + 1));
        match (some, all) {
            (_, 0) => f64::INFINITY,
            (0, _) => f64::from(DAYS),
            _ if some == all => f64::INFINITY,
            _ => (libm::log(CHANCE / 3.0) / libm::log(f64::from(some) / f64::from(all))).ceil().max(f64::from(DAYS)),
        }
    }

    /// Learns the signed sizes of a row's error and deviation, as they were before they were divided.
    pub fn learn(&mut self, now: Local, sizes: [f64; 2]) {
        // Half-hours of a hundred thousand years fit.
        let half_hour = now.wall().div_euclid(BIN) as i32;
        let ended = self.current.take_if(|(bin, _)| *bin != half_hour);
        if let Some((bin, peaks)) = ended.filter(|(bin, _)| *bin > self.learnt) {
            self.learnt = bin;
            let habits = &mut self.bins[bin.rem_euclid(BINS as i32) as usize];
            (0..).zip(peaks).for_each(|(place, peak)| habits.learn(place, f64::from(peak)));
        }
        let [error, deviation] = places(sizes);
        let large = sizes[1].abs() > LARGE;
        let place = deviation as u8;
        self.off = large.then(|| self.off.filter(|(off, _)| *off == place).unwrap_or((place, now.time())));
        let (_, peaks) = self.current.get_or_insert((half_hour, [0.0; 4]));
        peaks[error] = peaks[error].max(sizes[0].abs() as f32);
        if self.off.is_none_or(|(_, since)| now.time().since(since) < SHIFT) {
            peaks[deviation] = peaks[deviation].max(sizes[1].abs() as f32);
        }
    }
}

/// Where the habits of an error and of a deviation with these signs are kept.
fn places([error, deviation]: [f64; 2]) -> [usize; 2] {
    [usize::from(error < 0.0), 2 + usize::from(deviation < 0.0)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::Clock;

    fn at(day: i64, minute: i64) -> Local {
        Clock::UTC.at(Timestamp::from_seconds(1_767_571_200 + day * DAY + minute * 60))
    }

    /// Every five minutes of a day, an error of `size` at two o'clock and of 1 else.
    fn live(habits: &mut Habits, day: i64, size: f64) {
        for minute in (0..24 * 60).step_by(5) {
            habits.learn(at(day, minute), [if minute == 120 { size } else { 1.0 }, 1.0]);
        }
    }

    #[test]
    fn the_third_night_makes_a_habit_of_that_time_direction_and_size() {
        let mut habits = Habits::default();
        for day in 0..3 {
            assert_eq!(habits.temper(at(day, 120), [9.0, 1.0]), [1.0, 1.0], "night {day}");
            live(&mut habits, day, 12.0);
        }
        let [error, deviation] = habits.temper(at(3, 125), [12.0, 1.0]);
        assert!((error - 8.0).abs() < 0.4, "{error}");
        assert_eq!(deviation, 1.0, "of deviations there is no habit");
        assert_eq!(habits.temper(at(3, 125), [-12.0, 1.0])[0], 1.0, "the other way is news");
        assert_eq!(habits.temper(at(3, 600), [12.0, 1.0])[0], 1.0, "and so is another time");
    }

    #[test]
    fn a_habit_outlives_a_weekend_and_not_a_fortnight() {
        let mut habits = Habits::default();
        (0..5).for_each(|day| live(&mut habits, day, 12.0));
        (5..7).for_each(|day| live(&mut habits, day, 1.0));
        assert!(habits.temper(at(7, 120), [12.0, 1.0])[0] > 1.0, "a weekend");
        (7..21).for_each(|day| live(&mut habits, day, 1.0));
        assert_eq!(habits.temper(at(21, 120), [12.0, 1.0])[0], 1.0, "a fortnight");
    }

    #[test]
    fn a_level_that_has_shifted_for_days_is_no_habit() {
        let mut habits = Habits::default();
        for minute in (0..10 * 24 * 60).step_by(5) {
            habits.learn(at(0, minute), [0.5, 9.0]);
        }
        let tempered = (0..24).filter(|hour| habits.temper(at(10, hour * 60), [0.5, 9.0])[1] > 1.0);
        assert_eq!(tempered.count(), 0);
    }

    #[test]
    fn what_chance_brings_together_on_a_restless_interface_is_no_habit() {
        let (mut habits, mut random) = (Habits::default(), crate::random::Random::new(5));
        let (mut tempered, mut nightly) = (0, 0);
        for day in 0..60 {
            for half_hour in 0..48 {
                let time = at(day, 30 * half_hour);
                let usual = habits.temper(time, [9.0, 1.0])[0] > 1.0;
                let is_night = (3..=5).contains(&half_hour);
                tempered += i32::from(usual && !is_night);
                nightly += i32::from(usual && half_hour == 4 && day >= 20);
                let large = half_hour == 4 || random.unit() < 0.25;
                habits.learn(time, [if large { 9.0 } else { 1.0 }, 1.0]);
            }
        }
        assert!(tempered < 60 * 45 / 20, "{tempered} of {} by chance", 60 * 45);
        assert!(nightly > 35, "what does come each night still is one: {nightly} of 40 nights");
    }

    #[test]
    fn an_hour_that_comes_twice_is_learnt_once() {
        let clock = Clock::of(&jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
        // 2026-10-25 01:00 UTC, when it is two o'clock in Berlin for the second time.
        let back = 1_792_890_000;
        let mut habits = Habits::default();
        let live = |habits: &mut Habits, from: i64, to: i64| {
            for minute in from..to {
                let now = clock.at(Timestamp::from_seconds(back + 300 * minute));
                let night = now.second_of_day() / BIN == 4;
                habits.learn(now, [if night { 12.0 } else { 1.0 }, 1.0]);
            }
        };
        // The night before, and that of the change with both of its hours.
        live(&mut habits, -300, 48);
        let two = clock.at(Timestamp::from_seconds(back + DAY));
        assert_eq!(two.second_of_day(), 2 * 3600);
        assert_eq!(habits.temper(two, [12.0, 1.0])[0], 1.0, "two nights are no habit");
        live(&mut habits, 48, 288 + 48);
        assert!(habits.temper(two, [12.0, 1.0])[0] > 1.0, "three are");
    }

    #[test]
    fn days_apart_make_no_habit() {
        let mut habits = Habits::default();
        (0..60).for_each(|day| live(&mut habits, day, if day % 3 == 0 { 12.0 } else { 1.0 }));
        assert_eq!(habits.temper(at(60, 120), [12.0, 1.0])[0], 1.0);
    }
}
