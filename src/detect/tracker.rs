//! Merges anomalous rows of one interface into incidents, one after the other.

use super::incident::{Direction, Incident, IncidentId, IncidentKind, Rise};
use super::judge::{Judged, Standing};
use super::normal::Acceptance;
use super::routine::{Extent, Routines};
use super::verdict::{Look, SIDES, Verdict};
use crate::series::{DAY, InterfaceName, Move, Pair, Step, Timestamp};

/// Calm slots after which a short incident is over. A long one needs a tenth of its length, up to
/// the time below: what pauses for an hour within a day is still the same thing.
const CALM: i64 = 3;
const CALM_MOST: i64 = 3 * 3600;
const CALM_SHARE: i64 = 10;
/// Share of the threshold that keeps an open incident open.
const HOLD: f64 = 0.5;
/// Share of the way back to usual that an incident has gone when it is over, however little rare its
/// level is by itself: what stays where it went is still the same thing …
const BACK: f64 = 0.5;
/// … as long as it is further off than four rows of five are.
const STILL_OFF: f64 = 0.7;
/// What is off again the same way after no more time than it was off, and half a day (a night) at the most, is the same thing.
const PAUSE_MOST: i64 = DAY / 2;
/// How many times as rare as all before a row is that begins another incident upon a long one.
const FAR_RARER: f64 = 2.0;
/// Slots, and seconds, from which a change is lasting rather than a spike or a drop.
const LASTING_SLOTS: i64 = 6;
const LASTING: i64 = 2 * 3600;
/// Seconds after which a level that is too restless to be taken over is followed all the same: an
/// incident must not hold an interface's normal for ever.
const OLD: i64 = 7 * DAY;
/// Share of its largest distance from usual that a drift has at its start at the most.
const GREW: f64 = 0.65;
/// A value below this share of the usual one is nothing.
const NOTHING: f64 = 0.02;
/// Rows at the start in which a jump shows, where there is one.
const ONSET: u32 = 3;
/// Share of the first deviation that the mean of the last three has where there was no jump; behind a
/// jump it is about a third.
const CREPT: f64 = 0.55;

/// A judged row, as incidents see it.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Its slot.
    pub time: Timestamp,
    /// What was said of it.
    pub judged: Judged,
    /// Maximum and mean.
    pub raw: Pair,
    /// What is usual for this hour, in raw units.
    pub usual: Pair,
    /// Whether it is near nothing where there usually is something.
    pub nothing: bool,
    /// Whether it lies where the level was before a shift that was taken over.
    pub back: bool,
    /// Seconds of history before it.
    pub history: i64,
    /// The score from which it is an anomaly that is listed: at least that from which an incident begins.
    pub bar: f64,
}

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

/// What a row did to the incidents of its interface.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// There is none, and there was none.
    None,
    /// One is open.
    Open,
    /// The last one that was over goes on.
    Resumed,
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
    /// Whether it is what comes at that hour anyway, or such a way back.
    pub routine: bool,
}

/// Merges anomalous rows of one interface into incidents.
#[derive(Debug, Clone, Default)]
pub struct Tracker {
    /// The open incident, or the last one for as long as it may go on. The latter has an end.
    open: Option<Box<Open>>,
    /// Boxed, since it is rarely there.
    dark: Option<Box<Dark>>,
    routines: Routines,
}

/// Rows near nothing that are off, but not rare enough yet to open an incident: where it does open,
/// the outage began with them.
#[derive(Debug, Clone, Copy)]
struct Dark {
    first: Timestamp,
    latest: Timestamp,
    /// Signed rarity of the first one's one-step errors.
    onset: [f32; 2],
}

#[derive(Debug, Clone)]
struct Open {
    incident: Incident,
    /// Of its first and its worst row; once it lasts, of its worst row since then.
    looks: [Look; 2],
    /// The score of the row that it is known by, and what DBSCAN says of that.
    known_by: f64,
    verdict: Verdict,
    lasts: bool,
    /// Whether it is what comes at that hour anyway, or a way back.
    routine: bool,
    /// Whether one of its rows was rare enough to be listed.
    heard: bool,
    up: bool,
    habitual: bool,
    /// Rows since the last one of it.
    calm_rows: u32,
    /// Rows so far, and those of them that are anomalies by themselves.
    rows: u32,
    hot: u32,
    zero: u32,
    /// Rows up to the last one near nothing.
    until_zero: u32,
    flat: u32,
    until_flat: u32,
    /// Rows on the incident's side of the usual.
    same_side: u32,
    /// Rows where the level was before a shift that was taken over.
    back: u32,
    /// How far off its rows are in the mean, in usual deviations and in its direction.
    level: f64,
    /// The rarest one-step error of the first rows, in the incident's direction.
    jump: f64,
    /// Whether the rows before the first one were nearly as far off.
    crept: bool,
    /// The mean relative distance from usual of the first rows, the running one, and the largest of that.
    began: f64,
    near: f64,
    most: f64,
    furthest: Pair,
    acceptance: Option<Acceptance>,
}

impl Tracker {
    /// The open incident.
    pub fn open(&self) -> Option<&Incident> {
        self.open.as_ref().map(|open| &open.incident).filter(|incident| incident.end.is_none())
    }

    /// The last one that is over, for as long as it may go on.
    pub fn resting(&self) -> Option<&Incident> {
        self.open.as_ref().map(|open| &open.incident).filter(|incident| incident.end.is_some())
    }

    fn now_open(&self) -> Option<&Open> {
        self.open.as_deref().filter(|open| open.incident.end.is_none())
    }

    /// What the row that was seen last is for those who learn from it.
    pub fn standing(&self, step: Step) -> Standing {
        match self.now_open() {
            Some(open) if open.routine || open.is_old() => Standing::Usual,
            Some(open) if open.is_long(step) && open.acceptance.is_none() => Standing::Kept,
            Some(open) if open.is_long(step) => Standing::Lasting,
            Some(_) => Standing::Incident,
            None => Standing::Usual,
        }
    }

    /// Whether the row that was seen last belongs to an incident that has gone on for long.
    pub fn lasts(&self, step: Step) -> bool {
        self.now_open().is_some_and(|open| open.is_long(step))
    }

    /// Takes note of what the row that was seen last looks like, and whether the like came before.
    pub fn recognise(&mut self, row: &Seen, look: &Look, verdict: Verdict, step: Step) {
        if let Some(open) = self.open.as_mut().filter(|open| open.incident.latest == row.time) {
            open.recognise(row, look, verdict, &self.routines, step);
        }
    }

    /// Sees a row. Rows whose score reaches the threshold open an incident; it stays open while the
    /// score or what lasts stays above half of that on the same side of the usual. One that is over goes
    /// on where the same is off again soon.
    pub fn see(&mut self, name: &InterfaceName, row: &Seen, step: Step, rules: &Rules) -> Change {
        let hot = row.judged.score >= rules.threshold;
        let hold = HOLD * rules.threshold;
        if let Some(resting) = self.open.as_mut().filter(|open| open.incident.end.is_some()) {
            if hot && resting.goes_on(row, hold, rules, step) {
                resting.incident.end = None;
                resting.calm_rows = 0;
                resting.add(row, rules, &self.routines, step);
                return Change::Resumed;
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
            self.dark = Dark::follow(self.dark.as_deref(), row, step).map(Box::new);
            return Change::None;
        };
        let [sudden, lasting] = rarest(row, open.up);
        // The way back looks like an error the other way round, since what was expected had followed:
        // it ends an incident. Only what also lies on the other side of the usual is another one.
        let on = row.judged.flat >= hold || lasting >= hold || (hot && sudden >= hold) || open.stays(row, lasting);
        let apart = open.apart(row, step);
        // A long one is not ended by one row that goes the other way.
        let other_way = hot && !on && rarest(row, !open.up)[1] >= rules.threshold;
        let long = open.is_long(step);
        // Nor does it swallow what is far rarer than all of it so far and comes at once.
        let far_rarer = row.judged.score >= FAR_RARER * open.incident.peak.max(rules.threshold);
        let upon_it = hot && long && far_rarer && sudden.max(rarest(row, !open.up)[0]) >= FAR_RARER * rules.threshold;
        let another = upon_it || open.is_left(row, rules.threshold, hot) || (other_way && (apart >= CALM || !long));
        let calm = open.calm(step);
        if apart <= calm && on && !another {
            open.add(row, rules, &self.routines, step);
        } else if apart >= calm || another {
            return self.end(name, row, step, rules, hot && (on || another));
        }
        open.calm_rows = if open.incident.latest == row.time { 0 } else { open.calm_rows.saturating_add(1) };
        let accepted = open.acceptance.as_mut().and_then(|a| a.see(row, on));
        if open.routine && open.returns() && open.is_long(step) {
            return self.close(None, true, step).map_or(Change::None, Change::Closed);
        }
        // An outage of two days is one all the same; after a week it is how things are.
        let normal = match open.incident.kind {
            IncidentKind::LevelShift | IncidentKind::Drift => true,
            IncidentKind::DropToZero => open.is_old(),
            _ => false,
        };
        match accepted.filter(|_| normal) {
            Some(normal) => self.close(Some(normal), false, step).map_or(Change::None, Change::Closed),
            None => Change::Open,
        }
    }

    fn begin(&mut self, name: &InterfaceName, row: &Seen, step: Step, rules: &Rules) {
        let dark = self.dark.take().filter(|dark| row.nothing && dark.reaches(row, step)).map(|dark| *dark);
        self.open = Some(Box::new(Open::new(name, row, dark, step, rules, &self.routines)));
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
        let (incident, looks, routine) = (open.incident.clone(), open.looks, open.routine);
        let closed = Closed { incident, looks, of_hour, normal, returned, routine };
        self.open = (closed.normal.is_none() && !closed.incident.usual).then_some(open);
        Some(Box::new(closed))
    }

    /// Bytes that it takes, but for an open incident.
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.routines.heap() + self.dark.as_ref().map_or(0, |_| size_of::<Dark>())
    }

    /// Bytes of the open incident, or of the last one while it may go on; 0 where there is none.
    pub fn open_bytes(&self) -> usize {
        let parts = |open: &Open| open.acceptance.as_ref().map_or(0, Acceptance::heap);
        self.open.as_deref().map_or(0, |open| size_of::<Open>() + parts(open))
    }
}

impl Dark {
    /// What is dark behind a row that opens nothing.
    fn follow(before: Option<&Self>, row: &Seen, step: Step) -> Option<Self> {
        let onset = [0, 1].map(|c| row.judged.vector[c] as f32);
        let off = row.nothing && rarest(row, false)[1] >= STILL_OFF;
        let alone = Self { first: row.time, latest: row.time, onset };
        let longer = |dark: &Self| Self { latest: row.time, ..*dark };
        off.then(|| before.filter(|dark| dark.reaches(row, step)).map_or(alone, longer))
    }

    /// Whether it goes on in a row. What has been dark for longer than a short incident takes without
    /// being rare is how this interface is.
    fn reaches(&self, row: &Seen, step: Step) -> bool {
        step.slots_between(self.latest, row.time) <= CALM && row.time.since(self.first) <= LASTING
    }
}

impl Open {
    fn new(
        name: &InterfaceName,
        row: &Seen,
        dark: Option<Dark>,
        step: Step,
        rules: &Rules,
        routines: &Routines,
    ) -> Self {
        let start = dark.map_or(row.time, |dark| dark.first);
        let incident = Incident {
            id: IncidentId::new(name, start, false),
            kind: IncidentKind::Spike,
            direction: None,
            start,
            end: None,
            taken_over: false,
            usual: true,
            latest: row.time,
            peak: f64::NEG_INFINITY,
            peak_at: row.time,
            rise: Rise::default(),
            peak_value: 0.0,
            peak_expected: 0.0,
            verdict: Verdict::Noise,
            onset: dark.map_or([row.judged.vector[0], row.judged.vector[1]], |dark| dark.onset.map(f64::from)),
            history: row.history,
        };
        let mut open = Self {
            incident,
            looks: [[0.0; SIDES]; 2],
            known_by: f64::NEG_INFINITY,
            verdict: Verdict::Noise,
            lasts: false,
            routine: true,
            heard: false,
            up: side(row),
            habitual: row.judged.habitual,
            calm_rows: 0,
            rows: 0,
            hot: 0,
            zero: 0,
            until_zero: 0,
            flat: 0,
            until_flat: 0,
            same_side: 0,
            back: 0,
            level: 0.0,
            jump: 0.0,
            began: 0.0,
            near: 0.0,
            most: 0.0,
            crept: row.judged.mean_deviation.abs() >= CREPT * away(row).abs(),
            furthest: row.raw,
            acceptance: rules.accepted_after.map(|after| Acceptance::new(row.time, after, step)),
        };
        open.add(row, rules, routines, step);
        open
    }

    fn extent(&self) -> Extent {
        let Incident { start, latest, .. } = self.incident;
        Extent { up: self.up, start, habitual: self.habitual, furthest: self.furthest, seconds: latest.since(start) }
    }

    /// Slots that lie between its last row and this one. Slots without rows are not calm ones: up to the
    /// time below nobody knows, and what was there before them and is there behind is one thing.
    fn apart(&self, row: &Seen, step: Step) -> i64 {
        let slots = step.slots_between(self.incident.latest, row.time);
        let seen = i64::from(self.calm_rows) + 1;
        if slots - seen <= step.slots_in(CALM_MOST) as i64 { seen } else { slots }
    }

    /// Calm slots after which it is over.
    fn calm(&self, step: Step) -> i64 {
        let length = step.slots_between(self.incident.start, self.incident.latest);
        let most = (step.slots_in(CALM_MOST) as i64).max(CALM);
        (length / CALM_SHARE).clamp(CALM, most)
    }

    /// Whether it may go on, though it is over: for as long as it lasted, and half a day at the most.
    fn may_go_on(&self, row: &Seen, step: Step) -> bool {
        let Incident { start, latest, .. } = self.incident;
        let lasted = latest.since(start).clamp(CALM * step.seconds(), PAUSE_MOST.max(CALM * step.seconds()));
        row.time.since(latest) <= lasted + step.seconds()
    }

    /// Whether it goes on with an anomaly after it was over: where the same is off, the same way, about as far,
    /// and not far rarer than before.
    fn goes_on(&self, row: &Seen, hold: f64, rules: &Rules, step: Step) -> bool {
        let alike = match self.incident.kind {
            IncidentKind::DropToZero => row.nothing,
            IncidentKind::Flatline => row.judged.flat >= hold,
            _ => {
                let sign = if self.up { 1.0 } else { -1.0 };
                let far = BACK * self.level..=self.level / BACK;
                rarest(row, self.up)[1] >= hold && far.contains(&(sign * away(row)))
            }
        };
        let far_rarer = row.judged.score >= FAR_RARER * self.incident.peak.max(rules.threshold);
        alike && !far_rarer && self.may_go_on(row, step)
    }

    /// Whether it is the way back from a level that was taken over: most of its rows lie where the level was before.
    fn returns(&self) -> bool {
        self.back * 3 >= self.rows * 2
    }

    /// Whether it has gone on for long enough to be more than a spike or a drop.
    fn is_long(&self, step: Step) -> bool {
        let slots = step.slots_between(self.incident.start, self.incident.latest) + 1;
        slots >= LASTING_SLOTS.max(step.slots_in(LASTING) as i64)
    }

    /// Whether a row, whose deviation is so rare, has gone less than half of the way back. That the like came at
    /// this time on most days makes it less rare, and the incident no shorter. An outage or a stuck value has no
    /// way back: it is over with the first row that is something else.
    fn stays(&self, row: &Seen, lasting: f64) -> bool {
        if matches!(self.incident.kind, IncidentKind::DropToZero | IncidentKind::Flatline) {
            return false;
        }
        let sign = if self.up { 1.0 } else { -1.0 };
        let off = lasting >= STILL_OFF || row.judged.habitual;
        off && sign * away(row) >= (1.0 - BACK) * self.level
    }

    /// Whether a row leaves an outage or a stuck value for something else that is off by far and came at
    /// once: it is another incident. The way back to usual is none.
    fn is_left(&self, row: &Seen, rare: f64, hot: bool) -> bool {
        let part = match self.incident.kind {
            IncidentKind::DropToZero => row.nothing,
            IncidentKind::Flatline => row.judged.flat > 0.0,
            _ => true,
        };
        let off = |up: bool| rarest(row, up).iter().all(|rarity| *rarity >= rare);
        hot && !part && (off(true) || off(false))
    }

    /// Whether it has gone on for so long that what came before is no measure any more. Where no level
    /// is ever to be taken over, it never has.
    fn is_old(&self) -> bool {
        self.acceptance.is_some() && self.incident.latest.since(self.incident.start) >= OLD
    }

    fn add(&mut self, row: &Seen, rules: &Rules, routines: &Routines, step: Step) {
        let hot = row.judged.score >= rules.threshold;
        self.rows += 1;
        self.hot += u32::from(hot);
        self.incident.latest = row.time;
        if row.nothing && (hot || self.zero > 0) {
            (self.zero, self.until_zero) = (self.zero + 1, self.rows);
        }
        if row.judged.flat >= row.judged.score && row.judged.flat > 0.0 {
            (self.flat, self.until_flat) = (self.flat + 1, self.rows);
        }
        self.same_side += u32::from(side(row) == self.up);
        self.back += u32::from(row.back);
        let off = if self.up { away(row) } else { -away(row) };
        self.level += (off - self.level) / f64::from(self.rows);
        let distance = relative(row);
        self.near += (distance - self.near) / f64::from(self.rows.min(2 * ONSET));
        if self.rows <= ONSET {
            self.began = self.near.abs();
        }
        self.most = self.most.max(self.near.abs());
        if self.rows <= ONSET {
            self.jump = self.jump.max(rarest(row, self.up)[0]);
        }
        for (furthest, raw) in self.furthest.iter_mut().zip(row.raw) {
            *furthest = if self.up { furthest.max(raw) } else { furthest.min(raw) };
        }
        if row.judged.score > self.incident.peak {
            // The channel that is further from usual is the one to tell of.
            let c = if row.judged.error[0].abs() > 2.0 * row.judged.error[1].abs() { 0 } else { 1 };
            self.incident.peak = row.judged.score;
            self.incident.peak_at = row.time;
            self.incident.peak_value = row.raw[c];
            self.incident.peak_expected = row.usual[c];
        }
        (self.incident.kind, self.incident.direction) = self.kind(rules, step);
        // Once it is more than usual, it stays so.
        self.routine = self.routine && (self.returns() || routines.is_usual(&self.extent(), step));
        self.heard |= row.judged.score >= row.bar;
        self.incident.usual = self.routine || !self.heard;
    }

    /// An incident is known by its worst row. Once it lasts, by its worst row since then: a shift begins
    /// like a spike, and a spike that came before says nothing of it.
    fn recognise(&mut self, row: &Seen, look: &Look, verdict: Verdict, routines: &Routines, step: Step) {
        let score = row.judged.score;
        let lasts = self.is_long(step);
        if (lasts && !self.lasts) || self.rows == 1 {
            (self.looks, self.known_by) = ([*look; 2], f64::NEG_INFINITY);
        }
        self.lasts |= lasts;
        if score > self.known_by {
            (self.known_by, self.verdict) = (score, verdict);
            self.looks = [if self.lasts { *look } else { self.looks[0] }, *look];
        }
        let seen = routines.was_seen(&self.extent(), step);
        self.incident.verdict = if seen { Verdict::Recurring } else { self.verdict };
        if self.incident.verdict != Verdict::Recurring {
            // By its worst row so far: the tail of what came before is no news, whatever it looks like.
            self.incident.rise.learn(row.time.since(self.incident.start), score);
        }
    }

    /// What it is and which way. An outage is judged up to its last row near nothing.
    fn kind(&self, rules: &Rules, step: Step) -> (IncidentKind, Option<Direction>) {
        let most = |count: u32, until: u32| count * 2 > until && count * 2 >= self.hot;
        let way = if self.up { Direction::Up } else { Direction::Down };
        if most(self.zero, self.until_zero) {
            (IncidentKind::DropToZero, Some(Direction::Down))
        } else if most(self.flat, self.until_flat) {
            // A value that stays where it is has no direction.
            (IncidentKind::Flatline, None)
        } else if self.is_long(step) && self.same_side * 5 >= self.rows * 4 {
            // A shift begins with a jump, a drift without one.
            let grew = self.began < GREW * self.most;
            let small = self.jump < 2.0 * rules.threshold;
            let signs = [self.crept, grew, small].into_iter().filter(|sign| *sign).count();
            let drifts = self.jump < rules.threshold || signs >= 2;
            (if drifts { IncidentKind::Drift } else { IncidentKind::LevelShift }, Some(way))
        } else {
            (if self.up { IncidentKind::Spike } else { IncidentKind::Drop }, Some(way))
        }
    }
}

/// Whether a value is near nothing where there usually is something.
pub fn is_nothing(value: f64, usual: f64) -> bool {
    value.abs() <= NOTHING * usual.abs() && usual != 0.0
}

/// The rarest one-step error and the rarest deviation in a direction; 0 where there is none.
fn rarest(row: &Seen, up: bool) -> [f64; 2] {
    let sign = if up { 1.0 } else { -1.0 };
    let [a, b, c, d] = row.judged.vector.map(|v| (sign * v).max(0.0));
    [a.max(b), c.max(d)]
}

/// How far the mean is from its usual value, as a share of the larger of the two: signed.
fn relative(row: &Seen) -> f64 {
    let (raw, usual) = (row.raw[1], row.usual[1]);
    let larger = raw.abs().max(usual.abs());
    if larger > 0.0 { (raw - usual) / larger } else { 0.0 }
}

/// Whether a row lies above the usual level, by the channel that is further from it.
fn side(row: &Seen) -> bool {
    away(row) >= 0.0
}

/// How far a row is from the usual level, on the channel that is further: signed, in usual deviations.
fn away(row: &Seen) -> f64 {
    let [max, mean] = row.judged.deviation;
    if max.abs() > mean.abs() { max } else { mean }
}
