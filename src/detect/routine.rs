//! What an interface does at the same hour on several days is usual there, however rare its rows are.
//!
//! A nightly backup is an incident on its first three nights, since until then nobody can know that
//! it is a routine. From the fourth on it is not listed, unless it is much larger or longer than
//! before. On an interface that is new what comes is rather a job that it has always had, and there the second
//! night is usual. What comes now and then at the same hour is no routine: a job comes on the next days, with a
//! weekend between at the most, or weekly.
//! Some numbers for each routine are kept, not the incidents, so that the state stays small.
//!
//! This is about incidents and leaves the score alone. [`super::habit`] does the same for rows before
//! they are scored: what it tempers enough begins no incident, and never comes here.

use crate::series::{DAY, Pair, Step};

/// Days on which a thing must have been seen before it counts as usual.
const DAYS: u16 = 3;
/// Seconds for which an interface is new: until a job that it had before has been seen on so many days, though it was no
/// incident on the first.
pub const EARLY: i64 = (DAYS as i64 + 1) * DAY;
/// Days that may lie between two of them: Friday to Monday.
const WEEKEND: i64 = 3;
/// What is counted as the same hour: seconds to either side, or a step where that is longer.
const SAME_HOUR: i64 = 1800;
/// Days after which a routine that was not seen is forgotten. A weekly one is still known after a month.
const FORGOTTEN: i64 = 35;
/// Routines that are kept: a few jobs a night, each with a rise and a fall, and what chance brings.
const MOST: usize = 12;
/// How much further than before a value may go.
const FURTHER: f64 = 0.5;
/// How much longer than before it may last, and the seconds that are allowed in any case.
const LONGER: f64 = 2.0;
const GRACE: i64 = 3600;

/// How far an incident went and how long it took, so far.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extent {
    /// Whether it goes up.
    pub up: bool,
    /// What the clock on the wall showed at its first slot ([`crate::series::Local::wall`]).
    pub start: i64,
    /// Whether something large comes at that time on most days ([`super::habit`]): such an incident is
    /// rarely one of its own, so that its days without one do not break a routine.
    pub habitual: bool,
    /// The raw values furthest that way: maximum and mean.
    pub furthest: Pair,
    /// Seconds from its first to its last anomalous slot.
    pub seconds: i64,
    /// Whether the interface is so new that its jobs cannot be known yet.
    pub early: bool,
}

/// One thing that came at the same hour. Moments are kept as seconds since the first one of all, by the clock on the
/// wall.
#[derive(Debug, Clone, Copy)]
struct Routine {
    last: i32,
    seconds: i32,
    furthest: [f32; 2],
    days: u16,
    up: bool,
}

impl Routine {
    /// Whether something that starts then comes as regularly as a job does: on the next days, with a
    /// weekend between at the most, or a week later.
    fn is_regular(&self, start: i64, extent: &Extent) -> bool {
        let days = (self.until(start) + DAY / 2).div_euclid(DAY);
        days <= WEEKEND || days == 7 || extent.habitual
    }

    /// Seconds from when it was last seen.
    fn until(&self, start: i64) -> i64 {
        start - i64::from(self.last)
    }

    /// Whether an incident that starts then comes at its hour, goes its way, and neither much further nor much longer.
    fn holds(&self, start: i64, extent: &Extent, step: Step) -> bool {
        let apart = self.until(start);
        let of_day = apart.rem_euclid(DAY);
        let same_hour = of_day.min(DAY - of_day) <= SAME_HOUR.max(step.seconds());
        let further = |c: usize| {
            let (before, now) = (f64::from(self.furthest[c]), extent.furthest[c]);
            // Half as much again upwards; down to two thirds downwards.
            if self.up { now > before + FURTHER * before.abs() } else { now < before - before.abs() / 3.0 }
        };
        let before = i64::from(self.seconds);
        let allowed = ((LONGER * before as f64) as i64).max(before + GRACE.max(step.seconds()));
        self.up == extent.up
            && apart <= FORGOTTEN * DAY
            && same_hour
            && !(0..2).any(further)
            && extent.seconds <= allowed
    }

    /// How far it goes.
    fn size(&self) -> f32 {
        if self.up { self.furthest[1] } else { -self.furthest[1] }
    }
}

/// The routines of one interface.
#[derive(Debug, Clone, Default)]
pub struct Routines {
    known: Vec<Routine>,
    /// The start of the first incident, by that clock.
    first: Option<i64>,
}

impl Routines {
    /// Whether an incident of this extent is what comes here at that hour anyway.
    pub fn is_usual(&self, extent: &Extent, step: Step) -> bool {
        let start = self.place(extent.start);
        let now = |routine: &Routine| routine.is_regular(start, extent) && routine.holds(start, extent, step);
        let enough = |routine: &Routine| routine.days >= DAYS || (extent.early && routine.until(start) > DAY / 2);
        self.known.iter().any(|routine| enough(routine) && now(routine))
    }

    /// Whether something of this extent came at that hour before, even once, as long before as a job does: within five
    /// weeks something comes at nearly every hour by chance.
    pub fn was_seen(&self, extent: &Extent, step: Step) -> bool {
        let start = self.place(extent.start);
        self.known.iter().any(|routine| routine.is_regular(start, extent) && routine.holds(start, extent, step))
    }

    /// Learns an incident that has ended. Says whether the like came at that hour on other days, as
    /// regularly as a job does.
    pub fn learn(&mut self, extent: &Extent, step: Step) -> bool {
        let start = extent.start - *self.first.get_or_insert(extent.start);
        // Lifetimes after the first one nothing is the same any more.
        let last = i32::try_from(start).unwrap_or(i32::MAX);
        let seconds = i32::try_from(extent.seconds).unwrap_or(i32::MAX);
        // The one seen on most days that it does not go beyond, and of these the closest: what is much
        // larger is a thing of its own, which has to come on three days, too.
        let known = self.known.iter_mut().filter(|routine| routine.holds(start, extent, step));
        if let Some(routine) = known.min_by(|a, b| b.days.cmp(&a.days).then(a.size().total_cmp(&b.size()))) {
            if routine.until(start) > DAY / 2 {
                // What comes now and then at the same hour is chance, and makes no routine.
                routine.days = if routine.is_regular(start, extent) { routine.days.saturating_add(1) } else { 1 };
                routine.last = last;
            }
            for (known, new) in routine.furthest.iter_mut().zip(extent.furthest) {
                *known = if routine.up { known.max(new as f32) } else { known.min(new as f32) };
            }
            routine.seconds = routine.seconds.max(seconds);
            return routine.days > 1;
        }
        self.known.retain(|routine| routine.until(start) <= FORGOTTEN * DAY);
        if self.known.len() == MOST {
            // The one that is least of a routine makes room, of these the oldest.
            let least = (0..MOST).min_by_key(|i| (self.known[*i].days.min(DAYS), self.known[*i].last));
            least.map(|i| self.known.remove(i));
        }
        let furthest = extent.furthest.map(|v| v as f32);
        // Most interfaces have few: room is made for four more at a time.
        if self.known.len() == self.known.capacity() {
            self.known.reserve_exact(4);
        }
        self.known.push(Routine { last, seconds, furthest, days: 1, up: extent.up });
        false
    }

    /// Where a moment lies, from the first one.
    fn place(&self, start: i64) -> i64 {
        self.first.map_or(0, |first| start - first)
    }

    /// Bytes that it takes besides its own fields.
    pub fn heap(&self) -> usize {
        self.known.capacity() * size_of::<Routine>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(day: i64, second: i64, value: f64, up: bool) -> Extent {
        let start = 1_767_571_200 + day * DAY + second;
        Extent { up, start, habitual: false, furthest: [1.3 * value, value], seconds: 1800, early: false }
    }

    fn step() -> Step {
        Step::from_seconds(300).unwrap()
    }

    #[test]
    fn the_fourth_night_is_usual_and_a_much_larger_or_longer_one_is_not() {
        let mut routines = Routines::default();
        for night in 0..3 {
            let backup = extent(night, 7200 + 240 * night, 1000.0, true);
            assert!(!routines.is_usual(&backup, step()), "night {night}");
            assert_eq!(routines.was_seen(&backup, step()), night > 0);
            routines.learn(&backup, step());
        }
        assert!(routines.is_usual(&extent(3, 7200, 1300.0, true), step()));
        assert!(!routines.is_usual(&extent(3, 7200, 1700.0, true), step()), "much larger");
        assert!(!routines.is_usual(&extent(3, 7200, 1000.0, false), step()), "the other way");
        assert!(!routines.is_usual(&extent(3, 10_800, 1000.0, true), step()), "another hour");
        let long = Extent { seconds: 3 * 3600, ..extent(3, 7200, 1000.0, true) };
        assert!(!routines.is_usual(&long, step()), "much longer");
        assert!(routines.is_usual(&extent(5, 7200, 1000.0, true), step()), "a weekend later");
        assert!(!routines.is_usual(&extent(8, 7200, 1000.0, true), step()), "it had stayed away");
        let habitual = Extent { habitual: true, ..extent(8, 7200, 1000.0, true) };
        assert!(routines.is_usual(&habitual, step()), "it had come, and was no incident");
    }

    #[test]
    fn on_a_new_interface_the_second_night_is_usual() {
        let mut routines = Routines::default();
        let early = |day: i64, second: i64, value: f64| Extent { early: true, ..extent(day, second, value, true) };
        assert!(!routines.is_usual(&early(0, 7200, 1000.0), step()));
        routines.learn(&early(0, 7200, 1000.0), step());
        assert!(!routines.is_usual(&early(0, 8400, 1000.0), step()), "twice in one night is no job");
        assert!(routines.is_usual(&early(1, 7200, 1100.0), step()));
        assert!(!routines.is_usual(&early(1, 7200, 1700.0), step()), "much larger");
        assert!(!routines.is_usual(&extent(1, 7200, 1100.0, true), step()), "an interface that is known");
    }

    #[test]
    fn a_weekly_job_is_a_routine_and_what_comes_now_and_then_is_none() {
        let (mut weekly, mut chance) = (Routines::default(), Routines::default());
        for time in 0..3 {
            weekly.learn(&extent(7 * time, 7200, 1000.0, true), step());
            chance.learn(&extent(5 * time, 7200, 1000.0, true), step());
        }
        assert!(weekly.is_usual(&extent(21, 7200, 1000.0, true), step()));
        assert!(!chance.is_usual(&extent(15, 7200, 1000.0, true), step()));
        assert!(!chance.was_seen(&extent(15, 7200, 1000.0, true), step()), "chance brings that");
        assert!(weekly.was_seen(&extent(21, 7200, 1000.0, true), step()));
    }

    #[test]
    fn three_times_in_one_night_is_no_routine_and_midnight_is_no_border() {
        let mut routines = Routines::default();
        for i in 0..3 {
            routines.learn(&extent(0, 600 * i, 1000.0, true), step());
        }
        assert!(!routines.is_usual(&extent(1, 0, 1000.0, true), step()));
        let mut routines = Routines::default();
        for (day, second) in [(0, 120), (0, DAY - 60), (2, 30)] {
            routines.learn(&extent(day, second, 1000.0, true), step());
        }
        assert!(routines.is_usual(&extent(2, DAY - 90, 1000.0, true), step()));
    }

    #[test]
    fn a_large_one_does_not_widen_the_routine_and_chance_does_not_push_it_out() {
        let mut routines = Routines::default();
        for night in 0..4 {
            assert_eq!(routines.learn(&extent(night, 7200, 1000.0, true), step()), night > 0, "night {night}");
        }
        routines.learn(&extent(4, 7200, 9000.0, true), step());
        for i in 0..40 {
            routines.learn(&extent(4, 10_800 + 3000 * (i % 20), 50.0 + i as f64, false), step());
        }
        assert!(routines.known.len() <= MOST);
        assert!(routines.is_usual(&extent(5, 7200, 1000.0, true), step()));
        assert!(!routines.is_usual(&extent(5, 7200, 9000.0, true), step()));
    }

    #[test]
    fn what_falls_in_two_parts_on_one_night_is_still_one_routine() {
        let mut routines = Routines::default();
        routines.learn(&extent(0, 7200, 1000.0, true), step());
        routines.learn(&extent(0, 8400, 800.0, true), step());
        for (night, value) in [(1, 1050.0), (2, 980.0)] {
            routines.learn(&extent(night, 7200, value, true), step());
        }
        assert!(routines.is_usual(&extent(3, 7200, 1000.0, true), step()));
    }

    #[test]
    fn a_drop_to_nothing_is_further_down_than_a_usual_drop() {
        let mut routines = Routines::default();
        for night in 0..3 {
            routines.learn(&extent(night, 0, 100.0, false), step());
        }
        assert!(routines.is_usual(&extent(3, 0, 80.0, false), step()));
        assert!(!routines.is_usual(&extent(3, 0, 0.0, false), step()));
    }
}
