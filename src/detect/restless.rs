//! How restless an interface is, and how much rarer its rows have to be for that.
//!
//! On most interfaces a threshold brings about as many alarms as are wanted, and a tenth of them where it
//! is a little higher. Some have many at any threshold that suits the others: one that is idle and carries
//! something for an hour now and then, one whose load bursts whenever people talk of it. Nobody looks at
//! that again and again. So what is listed of an interface that has far more incidents than are
//! wanted is rarer still.
//!
//! Past incidents may be true ones. So an interface may have some before it is said to be restless, and what
//! its threshold rises by is bounded. It may have fewer where its errors have a heavy tail, as those of an
//! idle interface have: what lies beyond the middle of such a tail is the least known. No score changes,
//! and what is not listed is an incident all the same for those who learn from rows.

use super::tracker::Rules;
use crate::series::{DAY, Step, WEEK};

/// Weeks of rows after which an incident counts for a third.
const WEEKS: f64 = 2.0;
/// Incidents that an interface whose errors have an exponential tail may have a week: such as are true,
/// and so many times what is wanted. Where the tail is heavier they are fewer, by the square of its shape.
const TRUE: f64 = 1.5;
const TIMES: f64 = 6.5;
/// What the threshold rises by for ten times as many, and the most that it rises. Bursts come half as
/// often, or a fifth as often, where they are ten times as rare (seen on generated idle interfaces, and on the numbers of
/// messages in `nab`); other incidents a twentieth as often.
const STEEP: f64 = 5.0;
const MOST: f64 = 2.0;
/// What it is higher by on an interface's first day: of most hours nothing is known yet.
const FIRST_DAY: f64 = 1.0;

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

    /// The score from which a row is listed, on an interface that has been known for so many seconds and whose
    /// errors have a tail of such a shape ([`super::tail`]). Where there is `nothing` any more, an interface being
    /// restless is no reason to be silent of it: bursts say nothing of outages.
    pub fn bar(self, rules: &Rules, known: i64, shape: f64, nothing: bool) -> f64 {
        let allowed = (TRUE + TIMES * rules.alarms_per_week) * shape * shape;
        let times = f64::from(self.0) / allowed;
        let rise = if times > 1.0 && !nothing { (STEEP * libm::log10(times)).min(MOST) } else { 0.0 };
        rules.threshold + rise + if known < DAY { FIRST_DAY } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rises(a_week: u32, weeks: u32, wanted: f64, shape: f64) -> f64 {
        let hour = Step::from_seconds(3600).unwrap();
        let rules = Rules { threshold: 3.0, alarms_per_week: wanted, accepted_after: None };
        let mut restless = Restless::default();
        for row in 0..weeks * 168 {
            restless.pass(hour);
            if row % (168 / a_week) == 0 {
                restless.learn();
            }
        }
        restless.bar(&rules, 30 * DAY, shape, false) - 3.0
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
        assert_eq!(rises(1, 8, 1.0, 0.5), 0.0, "but few incidents are no matter");
    }

    #[test]
    fn it_is_learnt_within_weeks_and_forgotten() {
        assert!(rises(8, 1, 0.25, 1.0) < rises(8, 4, 0.25, 1.0));
        let hour = Step::from_seconds(3600).unwrap();
        let mut restless = Restless(8.0);
        (0..8 * 168).for_each(|_| restless.pass(hour));
        assert!(restless.0 < 0.2, "{restless:?}");
    }

    #[test]
    fn an_outage_is_listed_however_restless_the_interface_is() {
        let rules = Rules { threshold: 3.0, alarms_per_week: 1.0, accepted_after: None };
        let restless = Restless(80.0);
        assert_eq!([false, true].map(|nothing| restless.bar(&rules, 30 * DAY, 1.0, nothing)), [5.0, 3.0]);
    }

    #[test]
    fn the_first_day_of_an_interface_takes_rarer_rows() {
        let rules = Rules { threshold: 3.0, alarms_per_week: 1.0, accepted_after: None };
        assert_eq!([0, DAY - 1, DAY].map(|known| Restless::default().bar(&rules, known, 1.0, false)), [4.0, 4.0, 3.0]);
    }
}
