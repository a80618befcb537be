//! An incident that goes on: what belongs to it, what it is called, and when it is over.

use super::Rules;
use super::dark::Dark;
use super::seen::Seen;
use crate::detect::incident::{Direction, Incident, IncidentId, IncidentKind, news};
use crate::detect::normal::Acceptance;
use crate::detect::routine::{EARLY, Extent, Routines};
use crate::detect::verdict::{Look, Recognised, SIDES, Verdict};
use crate::series::{DAY, InterfaceName, Pair, Step};

/// Calm slots after which a short incident is over. A long one needs a tenth of its length, up to
/// the time below: what pauses for an hour within a day is still the same thing.
pub(super) const CALM: i64 = 3;
const CALM_MOST: i64 = 3 * 3600;
const CALM_SHARE: i64 = 10;
/// Share of the way back to usual that an incident has gone when it is over, however little rare its
/// level is by itself: what stays where it went is still the same thing …
const BACK: f64 = 0.5;
/// … as long as it is further off than four rows of five are.
pub(super) const STILL_OFF: f64 = 0.7;
/// What is off again the same way after no more time than it was off, and half a day (a night) at the most, is the same thing.
const PAUSE_MOST: i64 = DAY / 2;
/// How many times as rare as all before a row is that begins another incident upon a long one.
pub(super) const FAR_RARER: f64 = 2.0;
/// Slots, and seconds, from which a change is lasting rather than a spike or a drop.
const LASTING_SLOTS: i64 = 6;
const LASTING: i64 = 2 * 3600;
/// Seconds after which a level that is too restless to be taken over is followed all the same: an
/// incident must not hold an interface's normal for ever.
const OLD: i64 = 7 * DAY;
/// Share of its largest distance from usual that a drift has at its start at the most; and that one has which was
/// noticed on its way, since the rows before were nearly as far off. How large its steps are says nothing: where there
/// is little noise an hour's part of a drift is a large error.
const GREW: f64 = 2.0 / 3.0;
const GREW_ON: f64 = 0.9;
/// How far off it is is the mean of so much of its rows so far, and of six at the least: over two days noise has hours
/// that are further off than the rest.
const FAR_SHARE: f64 = 0.25;
/// Rows that are the start.
const ONSET: u32 = 3;
/// Share of the first deviation that the mean of the last three has where there was no jump; behind a
/// jump it is about a third.
const CREPT: f64 = 0.55;

/// Slots from which a change is lasting.
pub(super) fn lasting(step: Step) -> i64 {
    LASTING_SLOTS.max(step.slots_in(LASTING) as i64)
}

#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) incident: Incident,
    /// What the clock on the wall showed at its first slot.
    wall: i64,
    /// Of its first and its worst row; once it lasts, of its worst row since then.
    pub(super) looks: [Look; 2],
    /// The score of the row that it is known by, and what earlier incidents say of that.
    known_by: f64,
    known: Recognised,
    lasts: bool,
    /// Whether it is what comes at that hour anyway, or a way back.
    pub(super) routine: bool,
    /// Whether it has been over already, and went on.
    pub(super) was_over: bool,
    /// Whether one of its rows was rare enough to be listed.
    heard: bool,
    pub(super) up: bool,
    habitual: bool,
    /// Rows since the last one of it.
    pub(super) calm_rows: u32,
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
    /// Whether the rows before the first one were nearly as far off.
    crept: bool,
    /// The mean relative distance from usual of the first rows, the running one, and the largest of that.
    began: f64,
    near: f64,
    most: f64,
    furthest: Pair,
    pub(super) acceptance: Option<Acceptance>,
}

impl Open {
    pub(super) fn new(
        name: &InterfaceName,
        row: &Seen,
        dark: Option<&Dark>,
        step: Step,
        rules: &Rules,
        routines: &Routines,
    ) -> Self {
        let began = dark.map_or(row.at, |dark| dark.first);
        let start = began.time();
        let incident = Incident {
            usual: true,
            latest: row.at.time(),
            peak: f64::NEG_INFINITY,
            peak_at: row.at.time(),
            onset: dark.map_or([row.judged.vector[0], row.judged.vector[1]], |dark| dark.onset.map(f64::from)),
            history: row.history,
            ..Incident::new(IncidentId::new(name, start, false), IncidentKind::Spike, start)
        };
        let mut open = Self {
            incident,
            wall: began.wall(),
            looks: [[0.0; SIDES]; 2],
            known_by: f64::NEG_INFINITY,
            known: Recognised { verdict: Verdict::Noise, alike: 0 },
            lasts: false,
            routine: true,
            was_over: false,
            heard: false,
            up: row.side(),
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
            began: 0.0,
            near: 0.0,
            most: 0.0,
            crept: row.judged.mean_deviation.abs() >= CREPT * row.away().abs(),
            furthest: row.raw,
            acceptance: rules.accepted_after.map(|after| Acceptance::new(row.at.time(), after, step)),
        };
        open.add(row, rules, routines, step);
        open
    }

    pub(super) fn extent(&self) -> Extent {
        let Incident { start, latest, history, .. } = self.incident;
        Extent {
            up: self.up,
            start: self.wall,
            habitual: self.habitual,
            furthest: self.furthest,
            seconds: latest.since(start),
            early: history < EARLY,
        }
    }

    /// Slots that lie between its last row and this one. Slots without rows are not calm ones: up to the
    /// time below nobody knows, and what was there before them and is there behind is one thing.
    pub(super) fn apart(&self, row: &Seen, step: Step) -> i64 {
        let slots = step.slots_between(self.incident.latest, row.at.time());
        let seen = i64::from(self.calm_rows) + 1;
        if slots - seen <= step.slots_in(CALM_MOST) as i64 { seen } else { slots }
    }

    /// Calm slots after which it is over.
    pub(super) fn calm(&self, step: Step) -> i64 {
        let length = step.slots_between(self.incident.start, self.incident.latest);
        let most = (step.slots_in(CALM_MOST) as i64).max(CALM);
        (length / CALM_SHARE).clamp(CALM, most)
    }

    /// Whether it may go on, though it is over: for as long as it lasted, and half a day at the most.
    pub(super) fn may_go_on(&self, row: &Seen, step: Step) -> bool {
        let Incident { start, latest, .. } = self.incident;
        let lasted = latest.since(start).clamp(CALM * step.seconds(), PAUSE_MOST.max(CALM * step.seconds()));
        row.at.time().since(latest) <= lasted + step.seconds()
    }

    /// Whether it goes on with an anomaly after it was over: where the same is off, the same way, about as far,
    /// and not far rarer than before.
    pub(super) fn goes_on(&self, row: &Seen, hold: f64, rules: &Rules, step: Step) -> bool {
        let alike = match self.incident.kind {
            IncidentKind::DropToZero => row.nothing,
            IncidentKind::Flatline => row.judged.flat >= hold,
            _ => {
                let sign = if self.up { 1.0 } else { -1.0 };
                let far = BACK * self.level..=self.level / BACK;
                row.rarest(self.up)[1] >= hold && far.contains(&(sign * row.away()))
            }
        };
        let far_rarer = row.judged.score >= FAR_RARER * self.incident.peak.max(rules.threshold);
        alike && !far_rarer && self.may_go_on(row, step)
    }

    /// Whether it is the way back from a level that was taken over: most of its rows lie where the level was before.
    pub(super) fn returns(&self) -> bool {
        self.back * 3 >= self.rows * 2
    }

    /// Whether it is too little to be listed, and no routine.
    pub(super) fn is_hushed(&self) -> bool {
        self.incident.usual && !self.routine
    }

    /// Whether it has gone on for long enough to be more than a spike or a drop.
    pub(super) fn is_long(&self, step: Step) -> bool {
        let slots = step.slots_between(self.incident.start, self.incident.latest) + 1;
        slots >= lasting(step)
    }

    /// Whether it lies on a level: it is not stuck, and not near nothing.
    pub(super) fn has_level(&self) -> bool {
        !matches!(self.incident.kind, IncidentKind::DropToZero | IncidentKind::Flatline)
    }

    /// Whether a row, whose deviation is so rare, has gone less than half of the way back. That the like came at
    /// this time on most days makes it less rare, and the incident no shorter. An outage or a stuck value has no
    /// way back: it is over with the first row that is something else.
    pub(super) fn stays(&self, row: &Seen, lasting: f64) -> bool {
        let off = lasting >= STILL_OFF || row.judged.habitual;
        let sign = if self.up { 1.0 } else { -1.0 };
        off && match self.incident.kind {
            IncidentKind::DropToZero => row.nothing,
            IncidentKind::Flatline => false,
            _ => sign * row.away() >= (1.0 - BACK) * self.level,
        }
    }

    /// Whether a row leaves an outage or a stuck value for something else that is off by far and came at
    /// once: it is another incident. The way back to usual is none.
    pub(super) fn is_left(&self, row: &Seen, rare: f64, hot: bool) -> bool {
        let part = match self.incident.kind {
            IncidentKind::DropToZero => row.nothing,
            IncidentKind::Flatline => row.judged.flat > 0.0,
            _ => true,
        };
        let off = |up: bool| row.rarest(up).iter().all(|rarity| *rarity >= rare);
        hot && !part && (off(true) || off(false))
    }

    /// Whether it has gone on for so long that what came before is no measure any more. Where no level
    /// is ever to be taken over, it never has.
    pub(super) fn is_old(&self) -> bool {
        self.acceptance.is_some() && self.incident.latest.since(self.incident.start) >= OLD
    }

    /// Whether a row goes to nothing where the incident went up, or where a value was stuck: that is an outage of its own.
    pub(super) fn goes_dark(&self, row: &Seen, rare: f64) -> bool {
        row.judged.outage >= rare && (self.up || self.incident.kind == IncidentKind::Flatline)
    }

    pub(super) fn add(&mut self, row: &Seen, rules: &Rules, routines: &Routines, step: Step) {
        let hot = row.judged.score >= rules.threshold;
        self.rows += 1;
        self.hot += u32::from(hot);
        self.incident.latest = row.at.time();
        if row.nothing && (hot || self.zero > 0) {
            (self.zero, self.until_zero) = (self.zero + 1, self.rows);
        }
        if row.judged.flat >= row.judged.score && row.judged.flat > 0.0 {
            (self.flat, self.until_flat) = (self.flat + 1, self.rows);
        }
        self.same_side += u32::from(row.side() == self.up);
        self.back += u32::from(row.back);
        let off = if self.up { row.away() } else { -row.away() };
        self.level += (off - self.level) / f64::from(self.rows);
        let distance = row.relative();
        let rows = f64::from(self.rows);
        self.near += (distance - self.near) / rows.min((FAR_SHARE * rows).max(f64::from(2 * ONSET)));
        if self.rows <= ONSET {
            self.began = self.near.abs();
        }
        self.most = self.most.max(self.near.abs());
        for (furthest, raw) in self.furthest.iter_mut().zip(row.raw) {
            *furthest = if self.up { furthest.max(raw) } else { furthest.min(raw) };
        }
        if row.judged.score > self.incident.peak {
            // The channel that is further from usual is the one to tell of.
            let c = if row.judged.error[0].abs() > 2.0 * row.judged.error[1].abs() { 0 } else { 1 };
            self.incident.peak = row.judged.score;
            self.incident.peak_at = row.at.time();
            self.incident.peak_value = row.raw[c];
            self.incident.peak_expected = row.usual[c];
        }
        (self.incident.kind, self.incident.direction) = self.kind(step);
        // Once it is more than usual, it stays so.
        self.routine = self.routine && (self.returns() || routines.is_usual(&self.extent(), step));
        self.heard |= row.judged.score >= row.bar;
        self.incident.usual = self.routine || !self.heard;
    }

    /// An incident is known by its worst row. Once it lasts, by its worst row since then: a shift begins
    /// like a spike, and a spike that came before says nothing of it.
    pub(super) fn recognise(&mut self, row: &Seen, look: &Look, known: Recognised, routines: &Routines, step: Step) {
        let score = row.judged.score;
        let lasts = self.is_long(step);
        if (lasts && !self.lasts) || self.rows == 1 {
            (self.looks, self.known_by) = ([*look; 2], f64::NEG_INFINITY);
        }
        self.lasts |= lasts;
        if score > self.known_by {
            (self.known_by, self.known) = (score, known);
            self.looks = [if self.lasts { *look } else { self.looks[0] }, *look];
        }
        let seen = routines.was_seen(&self.extent(), step);
        self.incident.verdict = if seen { Verdict::Recurring } else { self.known.verdict };
        if !seen {
            // By its worst row so far: the tail of what came before is no news, whatever it looks like.
            let news = news(score, usize::from(self.known.alike));
            self.incident.rise.learn(row.at.time().since(self.incident.start), news);
        }
    }

    /// What it is and which way. An outage is judged up to its last row near nothing.
    fn kind(&self, step: Step) -> (IncidentKind, Option<Direction>) {
        let most = |count: u32, until: u32| count * 2 > until && count * 2 >= self.hot;
        let way = if self.up { Direction::Up } else { Direction::Down };
        if most(self.zero, self.until_zero) {
            (IncidentKind::DropToZero, Some(Direction::Down))
        } else if most(self.flat, self.until_flat) {
            // A value that stays where it is has no direction.
            (IncidentKind::Flatline, None)
        } else if self.is_long(step) && self.same_side * 5 >= self.rows * 4 {
            // A shift is at its level from its first rows on, a drift gets there.
            let drifts = self.began < if self.crept { GREW_ON } else { GREW } * self.most;
            (if drifts { IncidentKind::Drift } else { IncidentKind::LevelShift }, Some(way))
        } else {
            (if self.up { IncidentKind::Spike } else { IncidentKind::Drop }, Some(way))
        }
    }
}
