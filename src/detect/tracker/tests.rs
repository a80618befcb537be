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
