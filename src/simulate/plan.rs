//! What can be asked of a fleet, and what is nonsense.

use super::error::SimulateError;
use super::kind::Kind;
use crate::series::{DAY, Step, Timestamp};

/// The coarsest step: with a coarser one a spike would be a day's matter.
const MAX_STEP: i64 = 6 * 3600;

/// A fleet to be made. Equal plans give equal rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Everything that is random follows from it.
    pub seed: u64,
    /// The first slot; on the step's grid.
    pub start: Timestamp,
    /// The distance of two slots: divides a day, at most six hours.
    pub step: Step,
    /// Days of history.
    pub days: u32,
    /// Devices.
    pub devices: u32,
    /// Interfaces of each device.
    pub interfaces: u32,
    /// Labelled incidents of single interfaces for each interface and week, 0 to 1.
    pub rate: f64,
    /// Labelled incidents that hit several interfaces of a device, for each device and week, 0 to 1.
    pub stories: f64,
    /// Days at the start without labelled incidents: the part to learn from.
    pub quiet_days: u32,
    /// Incidents in that part, which get no label, for each interface and week, 0 to 1.
    pub unlabelled: f64,
    /// The kinds that occur by chance; stories are made of spikes and drops to zero, where these occur.
    pub kinds: Vec<Kind>,
    /// Share of the interfaces that get a nightly backup from some day after the quiet part on: a
    /// jump at the same hour each night. Its first three nights are labelled, since until then
    /// nobody can know that it is a habit.
    pub new_backups: f64,
    /// Share of the labelled incidents of single interfaces that come again some days later, as long and
    /// about as strong.
    pub repeats: f64,
    /// Incidents that happen whatever chance says, after the history.
    pub script: Vec<Scripted>,
}

/// An incident that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scripted {
    /// Slots from the history's end: 0 is the first live slot.
    pub after: u64,
    /// What happens; not [`Kind::Backup`].
    pub kind: Kind,
    /// To how many interfaces, all of one device; as one story where more than one.
    pub interfaces: u32,
}

impl Default for Plan {
    /// The plan of the sample: 5 devices with 6 interfaces each, hourly, 35 days from Monday 2026-01-05.
    fn default() -> Self {
        Self {
            seed: 4,
            start: Timestamp::from_seconds(1_767_571_200),
            step: Step::from_seconds(3600).expect("3600 is positive"),
            days: 35,
            devices: 5,
            interfaces: 6,
            rate: 0.3,
            stories: Self::stories_for(0.3),
            quiet_days: 14,
            unlabelled: 0.0,
            kinds: Kind::BY_CHANCE.to_vec(),
            new_backups: 0.0,
            repeats: 0.0,
            script: Vec::new(),
        }
    }
}

impl Plan {
    /// The usual rate of stories beside a rate of single incidents.
    pub fn stories_for(rate: f64) -> f64 {
        rate * 2.0 / 3.0
    }

    /// Slots of a day.
    pub fn slots_per_day(&self) -> u64 {
        (DAY / self.step.seconds()).unsigned_abs()
    }

    /// Slots of the history.
    pub fn slots(&self) -> u64 {
        u64::from(self.days) * self.slots_per_day()
    }

    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`SimulateError::Plan`] with what is wrong and what would be right.
    pub fn check(&self) -> Result<(), SimulateError> {
        let step = self.step.seconds();
        let last = self.start.seconds().saturating_add(i64::from(self.days) * DAY - step);
        let refuse = |message: String| Err(SimulateError::Plan(message));
        if DAY % step != 0 || step > MAX_STEP {
            return refuse(format!("a step of {} does not do: it must divide a day and be at most 6 h", self.step));
        }
        if self.start.seconds().rem_euclid(step) != 0 {
            return refuse(format!("the start {} is not on the grid of {}: round it", self.start, self.step));
        }
        if self.days == 0 {
            return refuse("0 days have no rows: ask for at least 1".to_owned());
        }
        if self.start.seconds() < 0 || last > Timestamp::LAST.seconds() {
            return refuse(format!(
                "rows would lie before 1970 or after {}: choose another start or fewer days",
                Timestamp::LAST
            ));
        }
        for (what, count) in [("devices", self.devices), ("interfaces", self.interfaces)] {
            if count == 0 || count > 10_000 {
                return refuse(format!("{count} {what} do not do: from 1 to 10000"));
            }
        }
        for (what, share) in [
            ("incidents for each interface and week", self.rate),
            ("stories for each device and week", self.stories),
            ("unlabelled incidents for each interface and week", self.unlabelled),
            ("as the share of interfaces with a new backup", self.new_backups),
            ("as the share of incidents that come again", self.repeats),
        ] {
            if !(0.0..=1.0).contains(&share) {
                return refuse(format!("{share} {what} does not do: from 0 to 1"));
            }
        }
        if self.kinds.contains(&Kind::Backup) || self.script.iter().any(|s| s.kind == Kind::Backup) {
            return refuse(
                "a backup does not happen by chance: ask for a share of interfaces with a new one".to_owned(),
            );
        }
        if self.kinds.is_empty() && (self.rate > 0.0 || self.unlabelled > 0.0) {
            return refuse("incidents are asked for, but no kind of them: name at least one kind".to_owned());
        }
        if let Some(s) = self.script.iter().find(|s| s.interfaces == 0 || s.interfaces > self.interfaces) {
            return refuse(format!(
                "an incident on {} interfaces of a device that has {}",
                s.interfaces, self.interfaces
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_plan_is_sound_and_starts_on_a_monday() {
        let plan = Plan::default();
        plan.check().unwrap();
        assert_eq!(plan.start.second_of_utc_week(), 0);
        assert_eq!(plan.start.to_string(), "2026-01-05 00:00:00");
        assert_eq!(plan.slots(), 35 * 24);
    }

    #[test]
    fn the_last_slot_is_one_that_can_be_written() {
        let until = |seconds: i64, step: i64| {
            let (start, step) = (Timestamp::from_seconds(seconds), Step::from_seconds(step).unwrap());
            Plan { start, step, days: 2, ..Plan::default() }.check().map_err(|e| e.to_string())
        };
        // 9999-12-28 23:00, whose 48th hour begins at 22:00 on the last day.
        let last = Timestamp::LAST.seconds() - 47 * 3600;
        assert_eq!(until(last, 3600), Ok(()));
        let message = until(last + 3600, 3600).unwrap_err();
        assert!(message.contains("after 9999-12-30 22:00:00"), "{message}");
        assert!(until(last, 300).is_err() && until(i64::MAX / 3600 * 3600, 3600).is_err());
    }

    #[test]
    fn nonsense_is_refused_and_named() {
        let base = Plan::default;
        let step = |s| Step::from_seconds(s).unwrap();
        for (plan, word) in [
            (Plan { days: 0, ..base() }, "0 days"),
            (Plan { step: step(7000), ..base() }, "divide a day"),
            (Plan { step: step(DAY), ..base() }, "at most 6 h"),
            (Plan { start: base().start.plus(60), ..base() }, "grid"),
            (Plan { start: Timestamp::from_seconds(-3600), ..base() }, "1970"),
            (Plan { devices: 0, ..base() }, "0 devices"),
            (Plan { interfaces: 10_001, ..base() }, "10001 interfaces"),
            (Plan { rate: 1.5, ..base() }, "1.5 incidents"),
            (Plan { stories: f64::NAN, ..base() }, "stories"),
            (Plan { new_backups: -0.1, ..base() }, "backup"),
            (Plan { repeats: 1.1, ..base() }, "come again"),
            (Plan { kinds: vec![], ..base() }, "no kind"),
            (Plan { kinds: vec![Kind::Backup], ..base() }, "by chance"),
            (Plan { script: vec![Scripted { after: 0, kind: Kind::Spike, interfaces: 7 }], ..base() }, "7 interfaces"),
        ] {
            let message = plan.check().unwrap_err().to_string();
            assert!(message.contains(word), "{message}");
        }
    }
}
