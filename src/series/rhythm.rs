//! The rhythm of day and week: what an interface did a day and a week before, and what it usually
//! does at this half-hour of the day and of the week. Where it repeats itself otherwise
//! ([`super::period`]), that takes the place of the day. Days, weeks and half-hours are those of a [`Clock`].

use super::clock::{Clock, Local};
use super::period;
use super::scale::median;
use super::time::{DAY, Step, Timestamp, WEEK};
use crate::random::fnv1a;

/// Finest slot that the ring of the past week keeps; finer steps are averaged into it, so that ring and
/// profiles stay within 8 KB.
const FINEST_BIN: i64 = 600;
/// What a clock that is put back makes a week longer by at the most.
const PUT_BACK: i64 = 3600;
/// Half-hours of a week and of a day: the profiles' bins.
const WEEK_BINS: usize = 336;
const DAY_BINS: usize = 48;
/// What an update of a profile is held to, in scaled units: an incident must not become usual.
const CLIP: f64 = 3.0;
/// Weeks that a profile's bin averages over.
const WEEKS_AVERAGED: f64 = 4.0;
/// Scaled values are kept in the ring as sixteen-bit numbers in units of 1/512.
const RING_UNIT: f64 = 512.0;
const NOTHING: i16 = i16::MIN;

/// Maximum and mean, scaled. NaN where there is none.
pub type Pair = [f64; 2];
/// No value for either channel.
pub const NONE: Pair = [f64::NAN; 2];

/// What the past says about one moment, in scaled units. NaN where it says nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Echo {
    /// The value a day before, or the youngest of two to six days before where that is missing. Here and
    /// below a day is a period of the interface's own, where it has one.
    pub day_before: Pair,
    /// The value a week before.
    pub week_before: Pair,
    /// The usual value at this half-hour of the week.
    pub week_profile: Pair,
    /// The usual value at this half-hour of the day.
    pub day_profile: Pair,
    /// The two profiles in one: the week's, once enough weeks are in it; with a period of its own the
    /// median of the last seven.
    pub profile: Pair,
    /// The median of this time on the last three days, of those that were seen.
    pub three_days: Pair,
    /// The median of this time on the last seven days, of those that were seen: no single day, and
    /// no incident that lasted up to three of them, moves it far.
    pub seven_days: Pair,
}

impl Echo {
    /// The past says nothing.
    pub const SILENT: Self = Self {
        day_before: NONE,
        week_before: NONE,
        week_profile: NONE,
        day_profile: NONE,
        profile: NONE,
        three_days: NONE,
        seven_days: NONE,
    };
}

/// What an echo said of one slot, kept to tell the change into the next one. Single precision holds
/// all of it, since ring and profiles have no more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Faded {
    /// The value a day before.
    pub day_before: [f32; 2],
    /// The value a week before.
    pub week_before: [f32; 2],
    /// The usual value at this half-hour of the week.
    pub week_profile: [f32; 2],
    /// The usual value at this half-hour of the day.
    pub day_profile: [f32; 2],
    /// The median of this time on the last seven days.
    pub seven_days: [f32; 2],
}

impl From<&Echo> for Faded {
    fn from(echo: &Echo) -> Self {
        let short = |pair: Pair| pair.map(|v| v as f32);
        Self {
            day_before: short(echo.day_before),
            week_before: short(echo.week_before),
            week_profile: short(echo.week_profile),
            day_profile: short(echo.day_profile),
            seven_days: short(echo.seven_days),
        }
    }
}

/// The past week on a ring and the profiles of day and week, learnt row by row.
#[derive(Debug, Clone)]
pub struct Rhythm {
    clock: Clock,
    bin: i64,
    /// Bins of a week. The ring has some more where a week can be longer by the clock.
    week: usize,
    ring: Box<[[i16; 2]]>,
    /// The newest bin (counted since 1970), what is in it so far, and what stood there a week ago.
    newest: Option<i64>,
    filling: [f64; 2],
    filled: f64,
    week_ago: Pair,
    profiles: Box<Profiles>,
    rows_per_bin: f64,
    /// Its own period in bins, where that is not the day. It is looked for once a day; where in the day
    /// differs between interfaces, so that a large fleet does not do it all at once.
    period: Option<f32>,
    search_at: i64,
}

/// Usual values by half-hour of week and day, with the rows that made them.
#[derive(Debug, Clone)]
struct Profiles {
    week: [[f32; 2]; WEEK_BINS],
    day: [[f32; 2]; DAY_BINS],
    day_rows: [u16; DAY_BINS],
    week_rows: [u8; WEEK_BINS],
}

impl Profiles {
    const EMPTY: Self = Self {
        week: [[0.0; 2]; WEEK_BINS],
        day: [[0.0; 2]; DAY_BINS],
        day_rows: [0; DAY_BINS],
        week_rows: [0; WEEK_BINS],
    };
}

impl Rhythm {
    /// Nothing learnt yet, for rows that are a `step` apart and whose load follows a clock.
    pub fn new(step: Step, clock: Clock) -> Self {
        let bin = step.seconds().max(FINEST_BIN);
        let week = ((WEEK + bin - 1) / bin).max(1) as usize;
        // One more, since a bin that is filling has taken the place of the oldest.
        let longer = if clock.is_local() { (PUT_BACK + bin - 1) / bin + 1 } else { 0 };
        Self {
            clock,
            bin,
            week,
            ring: vec![[NOTHING; 2]; week + longer as usize].into(),
            newest: None,
            filling: [0.0; 2],
            filled: 0.0,
            week_ago: NONE,
            profiles: Box::new(Profiles::EMPTY),
            rows_per_bin: (1800.0 / step.seconds() as f64).max(1.0),
            period: None,
            search_at: 0,
        }
    }

    /// Seconds after which the interface repeats itself, where that is not the day.
    pub fn period(&self) -> Option<f64> {
        self.period.map(|bins| f64::from(bins) * self.bin as f64)
    }

    /// What the rows learnt so far say about a moment that is not before any of them.
    pub fn echo(&self, now: Local) -> Echo {
        let Some(newest) = self.newest else { return Echo::SILENT };
        let here = self.bin_of(now.time());
        // A day that a clock leaves out altogether has none before it.
        let at = |then: Timestamp| {
            Some(self.bin_of(then)).filter(|bin| *bin < here).map_or(NONE, |bin| self.bin_value(bin, newest))
        };
        let week_before = match self.clock.days_before(now, 7) {
            then if now.time().since(then) != WEEK => at(then),
            _ if here == newest => self.week_ago,
            _ => self.bin_value(here - self.week as i64, newest),
        };
        let mut days = [week_before; 7];
        match self.period() {
            None => {
                for (day, pair) in (1..).zip(&mut days[..6]) {
                    *pair = at(self.clock.days_before(now, day));
                }
            }
            Some(period) => {
                for (repeat, pair) in (1..).zip(&mut days) {
                    let back = (f64::from(repeat) * period).round() as i64;
                    *pair = self.bin_value(self.bin_of(now.time().plus(-back)), newest);
                }
            }
        }
        let day_before = days.into_iter().find(|pair| !pair[0].is_nan()).unwrap_or(NONE);
        let (w, d) = (week_bin(now), day_bin(now));
        let profiles = &*self.profiles;
        let (week_rows, day_rows) = (f64::from(profiles.week_rows[w]), f64::from(profiles.day_rows[d]));
        let week_profile = if week_rows > 0.0 { profiles.week[w].map(f64::from) } else { NONE };
        let day_profile = if day_rows > 0.0 { profiles.day[d].map(f64::from) } else { NONE };
        let trust = week_rows / (week_rows + 2.0 * self.rows_per_bin);
        let profile = match (week_rows > 0.0, day_rows > 0.0) {
            (true, true) => [0, 1].map(|c| trust * week_profile[c] + (1.0 - trust) * day_profile[c]),
            (true, false) => week_profile,
            _ => day_profile,
        };
        let (three_days, seven_days) = (medians(&days[..3]), medians(&days));
        // Where the day does not repeat, what is usual at this time of the day is not what is usual now.
        let profile = if self.period.is_some() { seven_days } else { profile };
        Echo { day_before, week_before, week_profile, day_profile, profile, three_days, seven_days }
    }

    /// Learns a row; rows come in time order.
    pub fn learn(&mut self, now: Local, z: Pair) {
        self.remember(now.time(), z);
        self.average(now, z);
    }

    /// Puts what the profiles say where `to` says.
    pub fn remap(&mut self, to: impl Fn(Pair) -> Pair) {
        let profiles = &mut *self.profiles;
        for bin in profiles.week.iter_mut().chain(profiles.day.iter_mut()) {
            *bin = to(bin.map(f64::from)).map(|v| v as f32);
        }
    }

    fn average(&mut self, now: Local, z: Pair) {
        let (w, d) = (week_bin(now), day_bin(now));
        let cap = (WEEKS_AVERAGED * self.rows_per_bin).clamp(2.0, 250.0);
        let profiles = &mut *self.profiles;
        let rows = (f64::from(profiles.week_rows[w]) + 1.0).min(cap);
        profiles.week_rows[w] = rows as u8;
        average(&mut profiles.week[w], z, rows);
        let rows = (f64::from(profiles.day_rows[d]) + 1.0).min(cap * 7.0);
        profiles.day_rows[d] = rows as u16;
        average(&mut profiles.day[d], z, rows);
    }

    /// Bytes of the ring and the profiles, and of what leads them.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + size_of_val(&*self.ring) + size_of_val(&*self.profiles)
    }

    /// Remembers what came on the ring of the past week; the profiles do not learn it.
    pub fn remember(&mut self, time: Timestamp, z: Pair) {
        let here = self.bin_of(time);
        let bins = self.ring.len() as i64;
        match self.newest {
            Some(newest) if newest == here => {}
            Some(newest) => {
                self.week_ago = self.bin_value(here - self.week as i64, newest);
                // What lies between was not seen: last week's values must not pass for this week's.
                for missed in (newest + 1..here).take(self.ring.len()) {
                    self.ring[missed.rem_euclid(bins) as usize] = [NOTHING; 2];
                }
                (self.filling, self.filled) = ([0.0; 2], 0.0);
            }
            None => {}
        }
        if self.newest != Some(here) {
            self.look_for_period(here, z);
        }
        self.newest = Some(here);
        self.filled += 1.0;
        let mut kept = [NOTHING; 2];
        for c in 0..2 {
            self.filling[c] += z[c];
            kept[c] = (self.filling[c] / self.filled * RING_UNIT).round().clamp(-32_767.0, 32_767.0) as i16;
        }
        self.ring[here.rem_euclid(bins) as usize] = kept;
    }

    /// Looks for a period of its own as a bin begins, once a day; `z` is the row that begins it.
    fn look_for_period(&mut self, here: i64, z: Pair) {
        let day = DAY as f64 / self.bin as f64;
        let Some(newest) = self.newest else {
            // Any moment of the day does, as long as it is not everybody's.
            self.search_at = (fnv1a(&z[1].to_bits().to_le_bytes()) % DAY as u64) as i64 / self.bin;
            return;
        };
        let days = |bin: i64| (bin - self.search_at).div_euclid((day as i64).max(1));
        if days(here) != days(newest) {
            let week: Vec<f64> =
                (newest - self.week as i64 + 1..=newest).map(|bin| self.bin_value(bin, newest)[1]).collect();
            self.period = period::find(&week, day).map(|bins| bins as f32);
        }
    }

    fn bin_of(&self, time: Timestamp) -> i64 {
        time.seconds().div_euclid(self.bin)
    }

    /// The value of bin `wanted` (counted since 1970) where it lies within the week up to `newest`.
    /// A week before the bin that follows the newest one is still there, since it is not yet overwritten.
    fn bin_value(&self, wanted: i64, newest: i64) -> Pair {
        let bins = self.ring.len() as i64;
        if wanted > newest || wanted <= newest - bins {
            return NONE;
        }
        match self.ring[wanted.rem_euclid(bins) as usize] {
            [NOTHING, _] => NONE,
            kept => kept.map(|v| f64::from(v) / RING_UNIT),
        }
    }
}

fn week_bin(now: Local) -> usize {
    (now.second_of_week() / 1800) as usize
}

fn day_bin(now: Local) -> usize {
    (now.second_of_day() / 1800) as usize
}

/// Each channel's median over those days that have a value.
fn medians(days: &[Pair]) -> Pair {
    [0, 1].map(|c| {
        let mut seen = [0.0; 7];
        let mut n = 0;
        for day in days.iter().filter(|day| !day[c].is_nan()) {
            seen[n] = day[c];
            n += 1;
        }
        if n > 0 { median(&mut seen[..n]) } else { f64::NAN }
    })
}

fn average(bin: &mut [f32; 2], z: Pair, rows: f64) {
    for c in 0..2 {
        let old = f64::from(bin[c]);
        // The first row is taken as it is; later ones move the average by a bounded amount.
        let change = if rows <= 1.0 { z[c] } else { (z[c] - old).clamp(-CLIP, CLIP) };
        bin[c] = (old + change / rows) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: i64 = 1_767_571_200; // a Monday, 00:00

    fn at(seconds: i64) -> Local {
        Clock::UTC.at(Timestamp::from_seconds(seconds))
    }

    fn hourly(hours: std::ops::Range<i64>, skip: &[i64]) -> Rhythm {
        let mut r = Rhythm::new(Step::from_seconds(3600).unwrap(), Clock::UTC);
        for h in hours.filter(|h| !skip.contains(h)) {
            r.learn(at(T0 + h * 3600), [h as f64 / 8.0; 2]);
        }
        r
    }

    fn close(got: f64, want: f64) {
        assert!((got - want).abs() < 0.01, "{got} instead of {want}");
    }

    #[test]
    fn a_day_and_a_week_before_are_found() {
        let r = hourly(0..200, &[]);
        let echo = r.echo(at(T0 + 200 * 3600));
        close(echo.day_before[1], 176.0 / 8.0);
        close(echo.week_before[1], 32.0 / 8.0);
    }

    #[test]
    fn a_gap_is_not_filled_with_an_older_week_and_the_day_falls_back() {
        let r = hourly(0..300, &[276, 108]);
        let echo = r.echo(at(T0 + 300 * 3600));
        close(echo.day_before[1], 252.0 / 8.0);
        let later = hourly(0..200, &[]).echo(at(T0 + 600 * 3600));
        assert!(later.day_before[0].is_nan() && later.week_before[0].is_nan(), "{later:?}");
    }

    #[test]
    fn one_strange_day_does_not_move_the_median_of_the_days() {
        let mut r = Rhythm::new(Step::from_seconds(3600).unwrap(), Clock::UTC);
        for h in 0..24 * 7 {
            let value = if (24 * 6..24 * 7).contains(&h) { 40.0 } else { f64::from((h % 24) as i32) };
            r.learn(at(T0 + h * 3600), [value; 2]);
        }
        let echo = r.echo(at(T0 + 24 * 7 * 3600));
        close(echo.day_before[0], 40.0);
        close(echo.three_days[0], 0.0);
        close(echo.seven_days[1], 0.0);
        let gone = r.echo(at(T0 + 24 * 30 * 3600));
        assert!(gone.three_days[0].is_nan() && gone.seven_days[0].is_nan(), "{gone:?}");
    }

    #[test]
    fn a_long_gap_clears_what_it_passed() {
        let mut r = hourly(0..100, &[]);
        r.learn(at(T0 + 300 * 3600), [0.0; 2]);
        let echo = r.echo(at(T0 + 301 * 3600));
        assert!(echo.week_before[0].is_nan() && echo.day_before[0].is_nan(), "{echo:?}");
    }

    #[test]
    fn finer_steps_are_averaged_into_the_ring_and_a_week_ago_is_read_before_it_is_overwritten() {
        let mut r = Rhythm::new(Step::from_seconds(60).unwrap(), Clock::UTC);
        let week_minutes = 7 * 24 * 60;
        for m in 0..=week_minutes {
            r.learn(at(T0 + m * 60), [(m % 5) as f64; 2]);
        }
        let echo = r.echo(at(T0 + (week_minutes + 1) * 60));
        close(echo.week_before[0], 2.0);
        close(echo.day_before[0], 2.0);
    }

    #[test]
    fn a_period_of_its_own_takes_the_place_of_the_day() {
        let wave = |h: i64| libm::sin(h as f64 / 7.0 * std::f64::consts::TAU);
        let mut r = Rhythm::new(Step::from_seconds(3600).unwrap(), Clock::UTC);
        for h in 0..200 {
            r.learn(at(T0 + h * 3600), [wave(h); 2]);
        }
        assert!((r.period().unwrap() / 3600.0 - 7.0).abs() < 0.05, "{:?}", r.period());
        for h in 200..207 {
            let echo = r.echo(at(T0 + h * 3600));
            let told = [echo.day_before, echo.three_days, echo.seven_days, echo.profile];
            assert!(told.iter().all(|pair| (pair[1] - wave(h)).abs() < 0.25), "{h}: {echo:?}, {}", wave(h));
        }
        assert_eq!(hourly(0..0, &[]).period(), None);
    }

    #[test]
    fn one_incident_moves_a_profile_by_a_bounded_amount() {
        let mut r = hourly(0..0, &[]);
        let week_later = |week: i64| at(T0 + week * WEEK);
        for week in 0..4 {
            r.learn(week_later(week), [1.0; 2]);
        }
        r.learn(week_later(4), [50.0; 2]);
        let profile = r.echo(week_later(5)).week_profile[0];
        assert!((1.5..=1.76).contains(&profile), "{profile}");
    }

    /// The Monday before 2026-03-29 and the one before 2026-10-25, on which clocks are changed in Berlin.
    const CHANGES: [i64; 2] = [1_774_224_000, 1_792_368_000];

    /// What a load of office hours says, that follow a clock: the hour of the week that it shows.
    fn of_week(now: Local) -> f64 {
        now.second_of_week() as f64 / 3600.0 / 8.0
    }

    #[test]
    fn days_and_weeks_before_are_those_of_the_clock_across_its_change() {
        let clock = Clock::of(&jiff::tz::TimeZone::get("Europe/Berlin").unwrap());
        for (monday, step) in CHANGES.into_iter().flat_map(|monday| [(monday, 3600), (monday, 300)]) {
            let mut r = Rhythm::new(Step::from_seconds(step).unwrap(), clock.clone());
            for slot in -14 * DAY / step..21 * DAY / step {
                let now = clock.at(Timestamp::from_seconds(monday + slot * step));
                let echo = r.echo(now);
                // At night there is an hour that had none the day before, or two.
                let (hour, day) = (now.second_of_day() / 3600, now.second_of_week() / DAY);
                if slot * step > 0 && (4..23).contains(&hour) {
                    let want = of_week(now);
                    let slack = 0.02 + if step < FINEST_BIN { 600.0 / 3600.0 / 8.0 } else { 0.0 };
                    let near = |said: f64, want: f64| (said - want).abs() < slack;
                    assert!(near(echo.week_before[0], want), "{}: {echo:?} and {want}", now.time());
                    assert!(near(echo.week_profile[1], want), "{}: {echo:?} and {want}", now.time());
                    let before = if day > 0 { want - 3.0 } else { want + 18.0 };
                    assert!(near(echo.day_before[1], before), "{}: {echo:?} and {before}", now.time());
                }
                r.learn(now, [of_week(now); 2]);
            }
            assert!(r.bytes() <= 8192, "{}", r.bytes());
        }
    }

    #[test]
    fn a_day_that_was_left_out_altogether_has_no_day_before_and_none_is_the_row_itself() {
        // Samoa had no 2011-12-30: a day before its 31st is the 31st.
        let clock = Clock::of(&jiff::tz::TimeZone::get("Pacific/Apia").unwrap());
        let first: i64 = 1_325_239_200 - 5 * DAY;
        let mut r = Rhythm::new(Step::from_seconds(600).unwrap(), clock.clone());
        for slot in 0..5 * 144 + 1 {
            r.learn(clock.at(Timestamp::from_seconds(first + slot * 600)), [slot as f64 / 128.0; 2]);
        }
        let now = clock.at(Timestamp::from_seconds(first + 5 * DAY));
        close(r.echo(now).day_before[0], (4.0 * 144.0) / 128.0);
    }
}
