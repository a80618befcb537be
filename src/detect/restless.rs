//! How restless an interface is and how little of it is known, and how much rarer its rows have to be for that.
//!
//! On most interfaces a threshold brings about as many alarms as are wanted, and a tenth of them where it
//! is a little higher. Some have many at any threshold that suits the others: one that is idle and carries
//! something for an hour now and then, one whose load bursts whenever people talk of it. Nobody looks at
//! that again and again. So what is listed of an interface that has far more incidents than are
//! wanted is rarer still.
//!
//! Past incidents may be true ones. So an interface may have some before it is said to be restless, and what
//! its threshold rises by is bounded. It may have fewer where its errors have a heavy tail, as those of an
//! idle interface have: what lies beyond the middle of such a tail is the least known.
//!
//! And what comes once a fortnight cannot be told by somebody who has looked for three days. Until an interface has
//! been known for as long as lies between two alarms that are wanted, or for two weeks, its rows have to be rarer: by
//! so much for each tenth of that time. Its first day does not count, since it shows nothing of what is usual at an
//! hour. And days of work say little of what a weekend is like: for the first one they count half.
//!
//! No score changes, and what is not listed is an incident all the same for those who learn from rows. Outages are
//! listed of restless interfaces, and of young ones from their second day on.

use super::tracker::Rules;
use crate::series::{DAY, Local, Step, WEEK};

/// Weeks of rows after which an incident counts for a third.
const WEEKS: f64 = 2.0;
/// Incidents that an interface whose errors have an exponential tail may have a week: such as are true,
/// and so many times what is wanted. Where the tail is heavier they are fewer, by the square of its shape.
const TRUE: f64 = 1.5;
const TIMES: f64 = 6.5;
/// What the threshold rises by for ten times as many, and the most that it rises where the tail is exponential;
/// where it is heavier that is divided by its shape. Bursts come half as often, or a fifth as often, where they are
/// ten times as rare (seen on generated idle interfaces, and on the numbers of messages in `nab`); other incidents
/// a twentieth as often.
const STEEP: f64 = 5.0;
const MOST: f64 = 2.0;
/// What the threshold rises by for each tenth of the time between two wanted alarms for which an interface is
/// known: about as many are listed of generated young interfaces then as are wanted (benches/README.md).
const YOUNG: f64 = 1.4;
/// The time for which it is known at the least, beside its first day, and that which is enough for any wish: both
/// days and weekends have come twice.
const LEAST_KNOWN: i64 = DAY / 4;
const ENOUGH: f64 = 2.0 * WEEK as f64;

/// Where a week, which begins on Monday, has its weekend.
const WEEKEND: i64 = 5 * DAY;

/// For how long an interface has been known, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Since its first row.
    pub all: i64,
    /// The same, with the time before its first row on such a day, one of work or of the weekend, counted by half.
    such_days: i64,
}

impl Known {
    /// Of an interface whose first row came so many seconds before a row.
    pub fn at(row: Local, all: i64) -> Self {
        let now = row.second_of_week();
        let first = (now - all).rem_euclid(WEEK);
        let without = match (first >= WEEKEND, now >= WEEKEND) {
            (false, true) => WEEKEND - first,
            (true, false) => WEEK - first,
            _ => 0,
        };
        Self { all, such_days: all - without / 2 }
    }
}

/// Incidents a week, by those of the last weeks.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Restless(f32);

impl Restless {
    /// Takes note that a row's time has passed.
    pub fn pass(&mut self, step: Step) {
        let share = step.seconds() as f64 / (WEEKS * WEEK as f64);
        self.0 *= (1.0 - share.min(1.0)) as f32;
    }

    /// Takes note of an incident.
    pub fn learn(&mut self) {
        self.0 += (1.0 / WEEKS) as f32;
    }

    /// The score from which a row is listed, on an interface that has been known for so long and whose errors have a
    /// tail of such a shape ([`super::tail`]). Where there is `nothing` any more, an interface being
    /// restless or young is no reason to be silent of it: bursts say nothing of outages. But on its first day
    /// nobody knows whether it always rests at this hour.
    pub fn bar(self, rules: &Rules, known: Known, shape: f64, nothing: bool) -> f64 {
        if nothing && known.all >= DAY {
            return rules.threshold;
        }
        // Of an interface that has been known for a week, the weeks before do not speak for calm.
        let weeks = known.all.max(DAY) as f64 / (WEEKS * WEEK as f64);
        let a_week = f64::from(self.0) / (1.0 - libm::exp(-weeks));
        let allowed = (TRUE + TIMES * rules.alarms_per_week) * shape * shape;
        let restless = (STEEP * libm::log10(a_week / allowed)).clamp(0.0, MOST / shape);
        let between = (WEEK as f64 / rules.alarms_per_week).min(ENOUGH);
        let young = YOUNG * libm::log10(between / (known.such_days - DAY).max(LEAST_KNOWN) as f64).max(0.0);
        rules.threshold + restless + young
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::series::{Clock, Timestamp};

    const HOUR: i64 = 3600;

    /// Known for so many seconds, all of which were such days.
    fn for_seconds(all: i64) -> Known {
        Known { all, such_days: all }
    }

    fn rules(alarms_per_week: f64) -> Rules {
        Rules { threshold: 3.0, alarms_per_week, accepted_after: None }
    }

    /// What the bar of an interface that is known for long rises by, after so many weeks with so many incidents.
    fn rises(a_week: u32, weeks: u32, wanted: f64, shape: f64) -> f64 {
        let restless = with(a_week, weeks);
        restless.bar(&rules(wanted), for_seconds(60 * DAY), shape, false) - 3.0
    }

    fn with(a_week: u32, weeks: u32) -> Restless {
        let hour = Step::from_seconds(HOUR).unwrap();
        let mut restless = Restless::default();
        for row in 0..weeks * 168 {
            restless.pass(hour);
            if row % (168 / a_week) == 0 {
                restless.learn();
            }
        }
        restless
    }

    #[test]
    fn only_far_more_than_is_wanted_raises_the_bar_and_not_without_bound() {
        assert_eq!([1, 4, 7].map(|a_week| rises(a_week, 8, 1.0, 1.0)), [0.0; 3]);
        assert_eq!([1, 3].map(|a_week| rises(a_week, 8, 0.25, 1.0)), [0.0; 2]);
        let (some, many) = (rises(6, 8, 0.25, 1.0), rises(14, 8, 0.25, 1.0));
        assert!(some > 0.5 && some < many, "{some} at six a week, {many} at fourteen");
        assert_eq!([many, rises(84, 8, 0.25, 1.0)], [MOST; 2]);
    }

    #[test]
    fn a_heavy_tail_is_believed_less() {
        assert_eq!(rises(3, 8, 0.25, 1.0), 0.0);
        assert!(rises(3, 8, 0.25, 0.5) > 1.0);
        assert_eq!(rises(84, 8, 0.25, 0.5), 2.0 * MOST);
        assert_eq!(rises(1, 8, 1.0, 0.5), 0.0, "but few incidents are no matter");
    }

    #[test]
    fn it_is_learnt_within_weeks_and_forgotten() {
        assert!(rises(8, 1, 0.25, 1.0) < rises(8, 4, 0.25, 1.0));
        let hour = Step::from_seconds(HOUR).unwrap();
        let mut restless = Restless(8.0);
        (0..8 * 168).for_each(|_| restless.pass(hour));
        assert!(restless.0 < 0.2, "{restless:?}");
    }

    #[test]
    fn of_a_young_interface_what_came_so_far_is_its_rate() {
        let after = |weeks: u32| {
            let known = i64::from(weeks) * WEEK;
            let bars =
                [Restless::default(), with(12, weeks)].map(|of| of.bar(&rules(0.25), for_seconds(known), 1.0, false));
            bars[1] - bars[0]
        };
        let (one, eight) = (after(1), after(8));
        assert!(one > 1.5 && (one - eight).abs() < 0.3, "{one} after a week, {eight} after eight");
    }

    #[test]
    fn an_outage_is_listed_however_restless_or_young_the_interface_is() {
        let bars =
            |known| [false, true].map(|nothing| Restless(80.0).bar(&rules(1.0), for_seconds(known), 1.0, nothing));
        assert_eq!(bars(30 * DAY), [5.0, 3.0]);
        assert_eq!(bars(DAY)[1], 3.0);
        assert!(bars(DAY - 1)[1] > 4.0, "what rests on its first day may do so each day");
    }

    #[test]
    fn what_is_known_for_shorter_than_an_alarm_is_wanted_takes_rarer_rows() {
        let above =
            |days: i64, wanted: f64| Restless::default().bar(&rules(wanted), for_seconds(days * DAY), 1.0, false) - 3.0;
        assert_eq!([8, 30].map(|days| above(days, 1.0)), [0.0; 2]);
        assert_eq!(above(15, 0.25), 0.0);
        assert!((above(8, 0.25) - YOUNG * libm::log10(2.0)).abs() < 1e-9);
        let days = [0, 2, 3, 5, 9].map(|days| above(days, 0.25));
        assert!(days.is_sorted_by(|a, b| a > b) && days[0] < 3.0, "{days:?}");
        assert_eq!(above(0, 1.0), above(1, 1.0), "the first day says nothing");
        assert_eq!(above(5, 0.25), above(5, 0.01), "two weeks are enough for any wish");
    }

    #[test]
    fn days_of_work_say_half_of_what_the_first_weekend_is_like() {
        // 2026-01-05 was a Monday.
        let monday = Timestamp::from_seconds(1_767_571_200);
        let known = |first_day: i64, day: i64, hour: i64| {
            let all = (day - first_day) * DAY + hour * HOUR;
            Known::at(Clock::UTC.at(monday.plus(day * DAY + hour * HOUR)), all)
        };
        let such = |first_day, day, hour| known(first_day, day, hour).such_days as f64 / DAY as f64;
        assert_eq!([such(0, 4, 12), such(0, 5, 0), such(0, 6, 12)], [4.5, 2.5, 4.0]);
        assert_eq!([such(0, 7, 12), such(0, 12, 0)], [7.5, 9.5]);
        assert_eq!([such(5, 6, 12), such(5, 7, 0), such(5, 12, 0)], [1.5, 1.0, 7.0]);
        let bar = |day, nothing| Restless::default().bar(&rules(1.0), known(0, day, 12), 1.0, nothing);
        assert!(bar(5, false) > bar(4, false) + 0.2 && bar(12, false) == bar(11, false));
        assert_eq!(bar(5, true), 3.0, "an outage is one on any day");
    }
}
