//! A fleet that goes on: its history at once, then one slot after the other on a clock.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::error::SimulateError;
use super::files::{self, Summary, Target};
use super::fleet::Fleet;
use super::kind::Kind;
use super::plan::{Plan, Scripted};
use crate::series::{DAY, Timestamp};

/// The longest sleep before the stop flag is looked at again.
const NAP: Duration = Duration::from_millis(40);

/// Time as a live fleet needs it; tests have one that does not wait.
pub trait Clock {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;
    /// Waits that long.
    fn sleep(&self, time: Duration);
}

/// The clock on the wall.
#[derive(Debug, Clone, Copy)]
pub struct WallClock(Instant);

impl WallClock {
    /// A clock that starts now.
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for WallClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A fleet whose history is written and whose next slot can be.
#[derive(Debug)]
pub struct LiveFleet {
    fleet: Fleet,
    target: Target,
    hosts: Vec<String>,
    next: u64,
    summary: Summary,
}

impl LiveFleet {
    /// Writes the plan's history. `progress` hears how many slots of how many are done, counted over
    /// all devices.
    ///
    /// # Errors
    /// When the plan makes no sense or the target cannot be written to.
    pub fn create(plan: &Plan, target: Target, progress: &mut dyn FnMut(u64, u64)) -> Result<Self, SimulateError> {
        let mut fleet = Fleet::new(plan)?;
        let next = plan.slots();
        has_name(fleet.time(next))?;
        // What goes on at the history's end is labelled when it is over.
        let open = fleet.labels_ending(next - 1, true);
        let mut labels = fleet.labels(next);
        labels.retain(|label| !open.contains(label));
        let summary = files::write_with(&mut fleet, &target, &labels, progress)?;
        let hosts = fleet.hosts().map(str::to_owned).collect();
        Ok(Self { fleet, target, hosts, next, summary })
    }

    /// The fleet.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// What was written so far, history included.
    pub fn summary(&self) -> &Summary {
        &self.summary
    }

    /// The begin of the slot that comes next.
    pub fn next_time(&self) -> Timestamp {
        self.fleet.time(self.next)
    }

    /// Appends the next slot: for each device its rows in one write; then the labels of what ended.
    ///
    /// # Errors
    /// When a file cannot be appended to, and at the end of the calendar.
    pub fn step(&mut self) -> Result<(), SimulateError> {
        let slot = self.next;
        has_name(self.next_time())?;
        let mut text = String::new();
        for (device, host) in self.hosts.iter().enumerate() {
            text.clear();
            self.summary.rows += files::device_rows(&mut self.fleet, device, slot, &mut text);
            self.summary.bytes += text.len() as u64;
            files::append_rows(&self.target.file_of(host), &text)?;
        }
        self.next += 1;
        self.label(slot, false)
    }

    /// Writes the labels of what is still going on, with the last slot as its end.
    ///
    /// # Errors
    /// When the labels cannot be appended to.
    pub fn finish(mut self) -> Result<Summary, SimulateError> {
        self.label(self.next - 1, true)?;
        Ok(self.summary)
    }

    /// Appends one slot every `every`, until `stop` is set or `slots` are written; looks at `stop`
    /// several times a hundred milliseconds. Slots that are late, because the machine slept, follow
    /// without a pause.
    ///
    /// # Errors
    /// When a file cannot be appended to.
    pub fn run(
        &mut self,
        every: Duration,
        slots: Option<u64>,
        stop: &AtomicBool,
        clock: &impl Clock,
    ) -> Result<(), SimulateError> {
        let mut due = clock.now();
        let mut left = slots;
        while left != Some(0) {
            due += every;
            loop {
                if stop.load(Ordering::Relaxed) {
                    return Ok(());
                }
                let Some(wait) = due.checked_sub(clock.now()).filter(|wait| !wait.is_zero()) else { break };
                clock.sleep(wait.min(NAP));
            }
            self.step()?;
            left = left.map(|left| left - 1);
        }
        Ok(())
    }

    fn label(&mut self, slot: u64, last: bool) -> Result<(), SimulateError> {
        let labels = self.fleet.labels_ending(slot, last);
        self.summary.count(&labels);
        match &self.target.labels {
            Some(path) => files::append_labels(path, &labels),
            None => Ok(()),
        }
    }
}

/// Refuses a slot that cannot be written.
fn has_name(time: Timestamp) -> Result<(), SimulateError> {
    if time > Timestamp::LAST { Err(SimulateError::End) } else { Ok(()) }
}

impl Plan {
    /// The fleet of the demo: 4 devices with 5 interfaces each and three weeks of hourly history up to
    /// the hour of `now`. Soon after, several interfaces of a device spike together; then the other
    /// kinds follow every few slots, and when they are through, chance goes on.
    pub fn demo(seed: u64, now: Timestamp) -> Self {
        const PROGRAMME: [(u64, Kind, u32); 10] = [
            (3, Kind::Spike, 3),
            (6, Kind::DropToZero, 1),
            (10, Kind::Flatline, 1),
            (13, Kind::Silence, 1),
            (17, Kind::Microburst, 1),
            (21, Kind::DropToZero, 3),
            (27, Kind::Spike, 1),
            (31, Kind::LevelShift, 1),
            (36, Kind::Drift, 1),
            (42, Kind::Spike, 2),
        ];
        let plan = Self::default();
        let days = 21;
        Self {
            seed,
            start: ending_at(now, plan.step.seconds(), days),
            days,
            devices: 4,
            interfaces: 5,
            rate: 1.0,
            stories: 0.7,
            quiet_days: days + 2,
            script: PROGRAMME.map(|(after, kind, interfaces)| Scripted { after, kind, interfaces }).to_vec(),
            ..plan
        }
    }
}

/// The start of `days` of slots of `step` seconds whose end is the slot in which `now` lies.
pub fn ending_at(now: Timestamp, step: i64, days: u32) -> Timestamp {
    now.plus(-now.seconds().rem_euclid(step) - i64::from(days) * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    /// A clock that jumps instead of waiting, and sets a flag at some time.
    struct Jumping<'a> {
        now: Cell<Duration>,
        stop: Option<(&'a AtomicBool, Duration)>,
        longest: Cell<Duration>,
    }

    impl<'a> Jumping<'a> {
        fn new(stop: Option<(&'a AtomicBool, Duration)>) -> Self {
            Self { now: Cell::default(), stop, longest: Cell::default() }
        }
    }

    impl Clock for Jumping<'_> {
        fn now(&self) -> Duration {
            self.now.get()
        }

        fn sleep(&self, time: Duration) {
            self.now.set(self.now.get() + time);
            self.longest.set(self.longest.get().max(time));
            if let Some((flag, at)) = self.stop {
                flag.store(self.now.get() >= at, Ordering::Relaxed);
            }
        }
    }

    fn plan(days: u32) -> Plan {
        Plan { days, quiet_days: 4, rate: 1.0, stories: 1.0, ..Plan::default() }
    }

    fn target(dir: &Path) -> Target {
        Target { rows: dir.join("rows"), labels: Some(dir.join("labels.csv")), force: false }
    }

    fn lines(path: &Path) -> Vec<String> {
        fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn history_and_live_slots_are_the_batch_of_the_same_slots() {
        let dir = tempfile::tempdir().unwrap();
        let (batch, live) = (target(&dir.path().join("batch")), target(&dir.path().join("live")));
        let whole = files::write_history(&mut Fleet::new(&plan(12)).unwrap(), &batch, &mut |_, _| ()).unwrap();
        let mut fleet = LiveFleet::create(&plan(9), live.clone(), &mut |_, _| ()).unwrap();
        fleet.run(Duration::from_secs(2), Some(3 * 24), &AtomicBool::new(false), &Jumping::new(None)).unwrap();
        assert_eq!(fleet.next_time(), plan(9).start.plus(12 * DAY));
        let summary = fleet.finish().unwrap();
        assert_eq!(summary, whole);
        for entry in fs::read_dir(&batch.rows).unwrap() {
            let name = entry.unwrap().file_name();
            assert_eq!(lines(&batch.rows.join(&name)), lines(&live.rows.join(&name)));
        }
        // The same labels, each written when it was over.
        let set = |target: &Target| lines(target.labels.as_ref().unwrap()).into_iter().collect::<BTreeSet<_>>();
        assert_eq!(set(&batch), set(&live));
        assert!(set(&live).len() > 10);
    }

    #[test]
    fn slots_come_at_their_time_and_stop_is_seen_soon() {
        let dir = tempfile::tempdir().unwrap();
        let mut fleet = LiveFleet::create(&plan(5), target(dir.path()), &mut |_, _| ()).unwrap();
        let stop = AtomicBool::new(false);
        let clock = Jumping::new(Some((&stop, Duration::from_millis(7100))));
        let first = fleet.next_time();
        fleet.run(Duration::from_secs(2), None, &stop, &clock).unwrap();
        assert_eq!(fleet.next_time().since(first), 3 * 3600);
        assert!(clock.now.get() < Duration::from_millis(7200));
        assert!(clock.longest.get() <= Duration::from_millis(50));
    }

    #[test]
    fn at_the_end_of_the_calendar_it_ends_and_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let ending = |slots: i64| Plan { start: Timestamp::LAST.plus(-24 * 3600 * 3 - 3600 * slots), ..plan(3) };
        let create = |plan: &Plan, name| LiveFleet::create(plan, target(&dir.path().join(name)), &mut |_, _| {});
        let Err(refused) = create(&ending(-1), "none") else { panic!("no slot is left") };
        assert!(refused.to_string().contains("9999-12-30 22:00:00"), "{refused}");
        assert!(!dir.path().join("none").exists());
        let mut live = create(&ending(1), "two").unwrap();
        assert!(live.step().is_ok() && live.step().is_ok());
        assert!(matches!(live.step(), Err(SimulateError::End)));
    }

    #[test]
    fn a_file_that_was_moved_away_starts_again_with_its_header() {
        let dir = tempfile::tempdir().unwrap();
        let to = target(dir.path());
        let mut fleet = LiveFleet::create(&plan(5), to.clone(), &mut |_, _| ()).unwrap();
        let file = to.rows.join("core-1.csv");
        fs::rename(&file, dir.path().join("old.csv")).unwrap();
        fleet.step().unwrap();
        let lines = lines(&file);
        assert!(lines[0].starts_with("timeslot,") && lines.len() > 1, "{lines:?}");
    }

    #[test]
    fn the_demo_follows_its_programme_for_every_seed() {
        for seed in 0..40 {
            let plan = Plan::demo(seed, Timestamp::from_seconds(1_795_395_600));
            let mut fleet = Fleet::new(&plan).unwrap();
            let end = plan.slots();
            assert_eq!(fleet.time(end), Timestamp::from_seconds(1_795_395_600));
            let labels = fleet.labels(end + 45);
            for wanted in &plan.script {
                let start = fleet.time(end + wanted.after);
                let found = labels.iter().filter(|label| label.start == start && label.kind == wanted.kind).count();
                assert!(found >= wanted.interfaces as usize, "seed {seed}: {wanted:?} {found}");
            }
        }
    }
}
