//! Merges anomalous rows of one interface into incidents, one after the other.
//!
//! What a row is for incidents stands in `seen.rs`, the one that goes on in `open.rs`, rows that are dark before an
//! outage is noticed in `dark.rs`.

mod dark;
mod open;
mod seen;
#[cfg(test)]
mod tests;

use self::dark::Dark;
use self::open::{CALM, FAR_RARER, Open};
pub use self::seen::{Seen, is_nothing};
use super::incident::{Incident, IncidentKind};
use super::judge::Standing;
use super::normal::Acceptance;
use super::routine::Routines;
use super::verdict::{Look, Recognised, Verdict};
use crate::series::{InterfaceName, Move, Step, Timestamp};

/// Share of the threshold that keeps an open incident open …
const HOLD: f64 = 0.5;
/// … and the least rarity that does: about that of slots of five minutes, one row in eighteen. Where slots are hours
/// there are few of them in a week, and half the threshold would be one row in eight, of which the next three hours
/// often have one: an incident would not end.
const LEAST_HOLD: f64 = 1.25;

/// What decides when an incident begins and when its level is the new normal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// The score from which a row begins an incident.
    pub threshold: f64,
    /// Alarms wanted for each interface and week.
    pub alarms_per_week: f64,
    /// Seconds for which a shifted level must be stable to be the new normal; none for never.
    pub accepted_after: Option<i64>,
}

impl Rules {
    /// The rarity that keeps an open incident open.
    fn hold(&self) -> f64 {
        (HOLD * self.threshold).max(LEAST_HOLD).min(self.threshold)
    }
}

/// What a row did to the incidents of its interface.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// There is none, and there was none.
    None,
    /// One is open.
    Open,
    /// The last one that was over goes on.
    Resumed {
        /// Whether it had been listed.
        listed: bool,
    },
    /// The open one is over.
    Closed(Box<Closed>),
}

/// An incident that is over.
#[derive(Debug, Clone, PartialEq)]
pub struct Closed {
    /// The incident.
    pub incident: Incident,
    /// What its first and its worst row look like; of one that lasted its worst row since it did, twice.
    pub looks: [Look; 2],
    /// Whether the like came at that hour on other days, as regularly as a job does.
    pub of_hour: bool,
    /// How the levels of maximum and mean have moved, where that is taken over as the new normal.
    pub normal: Option<[Move; 2]>,
    /// Whether it was the way back from a level that had been taken over.
    pub returned: bool,
    /// Whether it is one more incident: not what comes at that hour anyway, nor such a way back, nor one that
    /// had been over before, and went on.
    pub counts: bool,
    /// Whether it is too little to be listed, and no routine: it is told where its device has the same.
    pub hushed: bool,
}

/// Merges anomalous rows of one interface into incidents.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    /// The open incident, or the last one for as long as it may go on. The latter has an end.
    open: Option<Box<Open>>,
    /// Boxed, since it is rarely there.
    dark: Option<Box<Dark>>,
    /// What was dark without being rare, and is over, until it is fetched.
    passed: Option<Box<Incident>>,
    routines: Routines,
}

impl Tracker {
    /// The open incident.
    pub fn open(&self) -> Option<&Incident> {
        self.open.as_ref().map(|open| &open.incident).filter(|incident| incident.end.is_none())
    }

    /// The last one that is over, for as long as it may go on; none where it was not listed.
    pub fn resting(&self) -> Option<&Incident> {
        self.open.as_ref().map(|open| &open.incident).filter(|incident| incident.end.is_some() && !incident.usual)
    }

    /// What goes on that is too little to be listed, and no routine.
    pub fn hushed(&self) -> Option<&Incident> {
        let open = self.now_open().filter(|open| open.is_hushed()).map(|open| &open.incident);
        open.or_else(|| self.dark.as_ref()?.hushed.as_deref())
    }

    /// The last one of these that is over, for as long as it may go on.
    pub fn resting_hushed(&self) -> Option<&Incident> {
        let open = self.open.as_deref().filter(|open| open.incident.end.is_some() && open.is_hushed());
        open.map(|open| &open.incident)
    }

    /// What was dark without being rare, and is over with the row that was seen last.
    pub fn passed(&mut self) -> Option<Box<Incident>> {
        self.passed.take()
    }

    /// Takes note of the verdict on the row at this moment, which was seen last and is in no open incident.
    pub fn recognise_dark(&mut self, at: Timestamp, verdict: Verdict) {
        self.dark.iter_mut().for_each(|dark| dark.recognise(at, verdict));
    }

    fn now_open(&self) -> Option<&Open> {
        self.open.as_deref().filter(|open| open.incident.end.is_none())
    }

    /// What the row that was seen last is for those who learn from it.
    pub fn standing(&self, step: Step) -> Standing {
        match self.now_open() {
            Some(open) if open.routine || open.is_old() => Standing::Usual,
            Some(open) if open.is_long(step) => {
                Standing::Lasting { accepted: open.acceptance.is_some(), level: open.has_level() }
            }
            Some(_) => Standing::Incident,
            None => Standing::Usual,
        }
    }

    /// Whether the row that was seen last belongs to an incident that has gone on for long.
    pub fn lasts(&self, step: Step) -> bool {
        self.now_open().is_some_and(|open| open.is_long(step))
    }

    /// Takes note of what the row that was seen last looks like, and what earlier incidents say of it.
    pub fn recognise(&mut self, row: &Seen, look: &Look, known: Recognised, step: Step) {
        if let Some(open) = self.open.as_mut().filter(|open| open.incident.latest == row.at.time()) {
            open.recognise(row, look, known, &self.routines, step);
        }
    }

    /// Sees a row. Rows whose score reaches the threshold open an incident; it stays open while the
    /// score or what lasts stays above half of that on the same side of the usual. One that is over goes
    /// on where the same is off again soon.
    pub fn see(&mut self, name: &InterfaceName, row: &Seen, step: Step, rules: &Rules) -> Change {
        let hot = row.judged.score >= rules.threshold;
        let hold = rules.hold();
        if let Some(resting) = self.open.as_mut().filter(|open| open.incident.end.is_some()) {
            if hot && resting.goes_on(row, hold, rules, step) {
                let listed = !resting.incident.usual;
                resting.incident.end = None;
                resting.calm_rows = 0;
                resting.add(row, rules, &self.routines, step);
                return Change::Resumed { listed };
            }
            if !resting.may_go_on(row, step) {
                self.open = None;
            }
        }
        let Some(open) = self.open.as_mut().filter(|open| open.incident.end.is_none()) else {
            if hot {
                self.begin(name, row, step, rules);
                return Change::Open;
            }
            self.follow_dark(name, row, step, rules);
            return Change::None;
        };
        let [sudden, lasting] = row.rarest(open.up);
        // The way back looks like an error the other way round, since what was expected had followed:
        // it ends an incident. Only what also lies on the other side of the usual is another one.
        let dark = row.judged.outage >= hold && !open.up;
        let off = lasting >= hold || (hot && sudden >= hold) || open.stays(row, lasting);
        let on = row.judged.flat >= hold || dark || off;
        let apart = open.apart(row, step);
        // A long one is not ended by one row that goes the other way.
        let other_way = hot && !on && row.rarest(!open.up)[1] >= rules.threshold;
        let long = open.is_long(step);
        // Nor does it swallow what is far rarer than all of it so far and comes at once.
        let far_rarer = row.judged.score >= FAR_RARER * open.incident.peak.max(rules.threshold);
        let upon_it = hot && long && far_rarer && sudden.max(row.rarest(!open.up)[0]) >= FAR_RARER * rules.threshold;
        let left = open.is_left(row, rules.threshold, hot) || open.goes_dark(row, rules.threshold);
        let another = upon_it || left || (other_way && (apart >= CALM || !long));
        let calm = open.calm(step);
        if apart <= calm && on && !another {
            open.add(row, rules, &self.routines, step);
        } else if apart >= calm || another {
            return self.end(name, row, step, rules, hot && (on || another));
        }
        open.calm_rows = if open.incident.latest == row.at.time() { 0 } else { open.calm_rows.saturating_add(1) };
        let accepted = open.acceptance.as_mut().and_then(|a| a.see(row, on));
        if open.routine && open.returns() && open.is_long(step) {
            return self.close(None, true, step).map_or(Change::None, Change::Closed);
        }
        // An outage of two days is one all the same; after a week it is how things are, and need not look stable.
        let normal = match open.incident.kind {
            IncidentKind::LevelShift | IncidentKind::Drift => accepted,
            IncidentKind::DropToZero if open.is_old() => Some(accepted.unwrap_or_else(Acceptance::nothing)),
            _ => None,
        };
        match normal {
            Some(normal) => self.close(Some(normal), false, step).map_or(Change::None, Change::Closed),
            None => Change::Open,
        }
    }

    fn begin(&mut self, name: &InterfaceName, row: &Seen, step: Step, rules: &Rules) {
        let goes_on = self.dark.take_if(|dark| row.nothing && dark.reaches(row, step));
        let over = self.dark.take();
        self.pass(over);
        self.open = Some(Box::new(Open::new(name, row, goes_on.as_deref(), step, rules, &self.routines)));
    }

    /// What is dark behind a row that opens nothing.
    fn follow_dark(&mut self, name: &InterfaceName, row: &Seen, step: Step, rules: &Rules) {
        let is_dark = Dark::is_dark(row);
        if let Some(dark) = self.dark.as_mut().filter(|dark| is_dark && dark.reaches(row, step)) {
            return dark.add(row);
        }
        let over = self.dark.take();
        self.dark = is_dark.then(|| Box::new(Dark::begin(name, row, rules, over.is_none())));
        self.pass(over);
    }

    fn pass(&mut self, over: Option<Box<Dark>>) {
        self.passed = over.and_then(|dark| dark.hushed).map(|mut incident| {
            incident.end = Some(incident.latest);
            incident
        });
    }

    fn end(&mut self, name: &InterfaceName, row: &Seen, step: Step, rules: &Rules, again: bool) -> Change {
        let closed = self.close(None, false, step);
        if again {
            self.begin(name, row, step, rules);
        }
        closed.map_or(Change::None, Change::Closed)
    }

    fn close(&mut self, normal: Option<[Move; 2]>, returned: bool, step: Step) -> Option<Box<Closed>> {
        let mut open = self.open.take()?;
        let of_hour = self.routines.learn(&open.extent(), step);
        (open.incident.end, open.incident.taken_over) = (Some(open.incident.latest), normal.is_some());
        let (counts, hushed) = (!open.routine && !open.was_over, open.is_hushed());
        open.was_over = true;
        let incident = open.incident.clone();
        let closed = Closed { incident, looks: open.looks, of_hour, normal, returned, counts, hushed };
        self.open = (closed.normal.is_none() && !open.routine).then_some(open);
        Some(Box::new(closed))
    }

    /// Bytes that it takes, but for an open incident.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.routines.heap() + self.dark.as_deref().map_or(0, Dark::bytes)
    }

    /// Bytes of the open incident, or of the last one while it may go on; 0 where there is none.
    pub fn open_bytes(&self) -> usize {
        let parts = |open: &Open| open.acceptance.as_ref().map_or(0, Acceptance::heap);
        self.open.as_deref().map_or(0, |open| size_of::<Open>() + parts(open))
    }
}
