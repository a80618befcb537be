use super::*;
use crate::detect::IncidentId;
use crate::detect::judge::{Judged, Settings};
use crate::series::{Clock, Timestamp};

/// A tracker that sees rows of 5 minutes, one after the other.
struct Feed {
    tracker: Tracker,
    name: InterfaceName,
    step: Step,
    rules: Rules,
    slot: i64,
    closed: Vec<Closed>,
}

impl Feed {
    fn new(step: i64) -> Self {
        let step = Step::from_seconds(step).unwrap();
        let name = InterfaceName::new("h", "i");
        let rules = Settings::default().rules(step);
        Self { tracker: Tracker::default(), name, step, rules, slot: 0, closed: Vec::new() }
    }

    fn time(&self, slot: i64) -> Timestamp {
        Timestamp::from_seconds(1_767_571_200 + slot * self.step.seconds())
    }

    /// Sees so many rows of the mean `value` where 100 is usual.
    fn see(&mut self, rows: i64, value: f64, judged: Judged) {
        for _ in 0..rows {
            let row = Seen {
                at: Clock::UTC.at(self.time(self.slot)),
                judged,
                raw: [value; 2],
                usual: [100.0; 2],
                nothing: is_nothing(value, 100.0),
                back: false,
                history: 28 * 86_400,
                bar: self.rules.threshold,
            };
            if let Change::Closed(closed) = self.tracker.see(&self.name, &row, self.step, &self.rules) {
                self.closed.push(*closed);
            }
            self.slot += 1;
        }
    }

    fn usual(&mut self, rows: i64) {
        self.see(rows, 100.0, Judged::of(0.1, 0.1, 0.1, 0.1));
    }

    fn spans(&self) -> Vec<(i64, i64)> {
        let slot = |time: Timestamp| time.since(self.time(0)) / self.step.seconds();
        self.closed.iter().map(|c| (slot(c.incident.start), slot(c.incident.end.unwrap()))).collect()
    }
}

#[test]
fn an_outage_lasts_while_there_is_nothing_however_little_rare_that_is_there() {
    let mut feed = Feed::new(300);
    feed.usual(5);
    feed.see(2, 0.0, Judged::of(-4.0, -2.0, -3.0, 3.5));
    feed.see(8, 0.0, Judged::of(-0.5, -0.9, -1.0, 1.0));
    feed.usual(10);
    assert_eq!(feed.spans(), [(5, 14)]);
    // It is over where nothing is usual.
    feed.see(2, 0.0, Judged::of(-4.0, -2.0, -3.0, 3.5));
    feed.see(8, 0.0, Judged::of(-0.1, -0.3, -0.2, 0.2));
    assert_eq!(feed.spans(), [(5, 14), (25, 26)]);
}

#[test]
fn an_outage_begins_with_its_first_dark_row_whatever_the_step() {
    for step in [300, 3600] {
        let mut feed = Feed::new(step);
        feed.usual(5);
        feed.see(4, 0.0, Judged::of(-0.8, -0.8, -1.0, 0.8));
        feed.see(3, 0.0, Judged::of(-0.5, -2.0, -3.0, 3.0));
        feed.usual(10);
        assert_eq!(feed.spans(), [(5, 11)], "{step} s");
    }
}

#[test]
fn what_goes_dark_and_is_not_rare_is_kept_aside() {
    let mut feed = Feed::new(300);
    let hold = HOLD * feed.rules.threshold;
    feed.usual(5);
    feed.see(1, 0.0, Judged::of(-1.0, -1.0, -1.0, hold + 0.1));
    let id = IncidentId::new(&feed.name, feed.time(5), false);
    let kept = |feed: &Feed| feed.tracker.hushed().map(|i| (i.id, i.latest, i.usual));
    assert_eq!(kept(&feed), Some((id, feed.time(5), true)));
    feed.see(2, 0.0, Judged::of(-0.2, -0.8, -1.0, 0.3));
    assert_eq!(kept(&feed), Some((id, feed.time(7), true)));
    assert!(feed.tracker.open().is_none() && feed.tracker.passed().is_none());
    feed.usual(1);
    let passed = feed.tracker.passed().unwrap();
    assert_eq!((passed.id, passed.kind, passed.end), (id, IncidentKind::DropToZero, Some(feed.time(7))));
    assert!(feed.tracker.hushed().is_none() && feed.tracker.passed().is_none());
    // Not what begins with a row that is too little for that, nor what has been dark for hours.
    feed.see(40, 0.0, Judged::of(-0.2, -0.8, -1.0, hold - 0.1));
    feed.see(1, 0.0, Judged::of(-1.0, -1.0, -1.0, hold + 0.1));
    assert!(feed.tracker.hushed().is_none());
    // What becomes rare is the incident itself.
    feed.usual(1);
    feed.see(1, 0.0, Judged::of(-1.0, -1.0, -1.0, hold + 0.1));
    feed.see(1, 0.0, Judged::of(-1.0, -2.0, -2.0, feed.rules.threshold));
    assert!(feed.tracker.open().is_some() && feed.tracker.hushed().is_none() && feed.tracker.passed().is_none());
}

#[test]
fn a_spike_of_hours_is_over_when_what_is_left_is_like_one_row_in_ten() {
    let mut feed = Feed::new(3600);
    feed.usual(5);
    feed.see(2, 300.0, Judged::of(6.0, 4.0, 10.0, 6.0));
    // Off by a little, as one hour in ten is: three of them often hold one such.
    feed.see(12, 104.0, Judged::of(0.2, 1.0, 1.0, 0.6));
    feed.usual(5);
    assert_eq!(feed.spans(), [(5, 6)]);
    assert_eq!(feed.closed[0].incident.kind, IncidentKind::Spike);
}

/// A judged row of an outage on a noisy interface: no large error, but what has hardly ever come.
fn dark(outage: f64) -> Judged {
    let mut judged = Judged::of(-1.0, -0.5, -1.0, outage);
    judged.outage = outage;
    judged
}

#[test]
fn an_outage_on_a_noisy_interface_is_one_for_as_long_as_there_is_nothing() {
    let mut feed = Feed::new(300);
    feed.usual(5);
    feed.see(1, 0.0, dark(3.0));
    let open = feed.tracker.open().map(|open| (open.kind, open.usual));
    assert_eq!(open, Some((IncidentKind::DropToZero, false)), "it is told with its first row");
    feed.see(11, 0.0, dark(3.0));
    feed.usual(5);
    assert_eq!(feed.spans(), [(5, 16)]);
}

#[test]
fn an_outage_behind_a_spike_is_one_of_its_own() {
    let mut feed = Feed::new(3600);
    feed.usual(5);
    feed.see(2, 300.0, Judged::of(6.0, 4.0, 10.0, 6.0));
    feed.see(8, 0.0, dark(3.0));
    feed.usual(5);
    assert_eq!(feed.spans(), [(5, 6), (7, 14)]);
    let kinds: Vec<IncidentKind> = feed.closed.iter().map(|closed| closed.incident.kind).collect();
    assert_eq!(kinds, [IncidentKind::Spike, IncidentKind::DropToZero]);
}

/// What an hourly incident is called whose rows have such values where 100 is usual. `before`: how far off the last
/// three rows were in the mean when it was noticed, as a share of the first one.
fn called(values: impl IntoIterator<Item = f64>, before: f64, error: f64) -> IncidentKind {
    let mut feed = Feed::new(3600);
    // Nothing that lasts is cut in two by being taken over.
    feed.rules.accepted_after = None;
    feed.usual(5);
    for value in values {
        let mut judged = Judged::of(error, 4.0, 10.0, 6.0);
        judged.mean_deviation = before * 10.0;
        feed.see(1, value, judged);
    }
    feed.usual(5);
    let [closed] = &feed.closed[..] else { panic!("{:?}", feed.spans()) };
    closed.incident.kind
}

#[test]
fn a_drift_is_known_by_its_way_and_not_by_the_size_of_its_steps() {
    let (drift, shift) = (IncidentKind::Drift, IncidentKind::LevelShift);
    // Of twelve hours up to 2.2 times the usual; there is a large error in each where there is little noise.
    let rise = |from: usize| (from..12).map(|hour| 100.0 + 10.0 * (hour + 1) as f64);
    for error in [0.5, 2.0, 9.0] {
        assert_eq!(called(rise(0), 1.0 / 3.0, error), drift, "errors as rare as {error}");
        assert_eq!(called(rise(5), 0.8, error), drift, "noticed on its way, errors as rare as {error}");
    }
    // Of a level that is there at once, give or take a tenth, however it is noticed.
    let level = |hour: usize| 180.0 + [10.0, -15.0, 0.0, 15.0, -10.0][hour % 5];
    for error in [0.5, 9.0] {
        assert_eq!(called((0..30).map(level), 1.0 / 3.0, error), shift, "errors as rare as {error}");
        assert_eq!(called((0..30).map(level), 0.9, error), shift, "noticed late, errors as rare as {error}");
    }
    // Nor by a few hours of two days that are further off.
    let hours = (0..80).map(|hour| if (50..56).contains(&hour) { 600.0 } else { level(hour) });
    assert_eq!(called(hours, 1.0 / 3.0, 9.0), shift);
    // One that has half of its first hour.
    assert_eq!(called(std::iter::once(140.0).chain((0..30).map(level)), 1.0 / 3.0, 9.0), shift);
}

#[test]
fn an_outage_of_a_week_is_how_things_are_though_what_is_usual_is_nothing_by_and_by() {
    let mut feed = Feed::new(3600);
    feed.usual(5);
    for hour in 0..8 * 24 {
        // The profiles learn it from the seventh day on: it is less and less off.
        let mut judged = Judged::of(-0.5, -3.0, -3.0, 3.5);
        judged.off = [-20.0 * libm::exp(f64::from(hour) / -16.0); 2];
        feed.see(1, 0.0, judged);
    }
    let first = feed.closed.first().expect("it is over for those who watch");
    assert!(first.incident.taken_over && first.incident.kind == IncidentKind::DropToZero, "{first:?}");
    assert_eq!(feed.spans()[0], (5, 5 + 7 * 24));
}
