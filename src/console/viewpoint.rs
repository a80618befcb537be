//! Which time the detail shows: how much of it, up to when, and where the time cursor stands.

use crate::series::{DAY, Step, Timestamp, WEEK};

/// What can be zoomed to, and how that is said; no seconds for all history.
const LEVELS: [(Option<i64>, &str); 8] = [
    (Some(3600), "1 hour"),
    (Some(6 * 3600), "6 hours"),
    (Some(DAY), "1 day"),
    (Some(3 * DAY), "3 days"),
    (Some(WEEK), "1 week"),
    (Some(4 * WEEK), "4 weeks"),
    (Some(13 * WEEK), "13 weeks"),
    (None, "all history"),
];
/// Slots that the usual level shows at the least, and those that any level does.
const USUAL: i64 = 96;
const LEAST: i64 = 24;

/// How much time, up to when, and the cursor in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Viewpoint {
    /// Place in the levels; none for what suits the interface's step.
    level: Option<usize>,
    /// The last moment; none to follow what is newest.
    end: Option<Timestamp>,
    cursor: Option<Timestamp>,
}

impl Viewpoint {
    /// Seconds that are shown of an interface with this step; none for all its history.
    pub fn span(&self, step: Option<Step>) -> Option<i64> {
        LEVELS[self.place(step)].0
    }

    /// The same in words.
    pub fn word(&self, step: Option<Step>) -> &'static str {
        LEVELS[self.place(step)].1
    }

    /// The last moment that is shown; none to follow what is newest.
    pub fn end(&self) -> Option<Timestamp> {
        self.end
    }

    /// Where the time cursor stands.
    pub fn cursor(&self) -> Option<Timestamp> {
        self.cursor
    }

    fn place(&self, step: Option<Step>) -> usize {
        let least = narrowest(step, LEAST);
        self.level.map_or_else(|| narrowest(step, USUAL), |level| level.max(least))
    }

    /// Shows more time, or less, around the cursor where there is one.
    pub fn zoom(&mut self, wider: bool, step: Option<Step>, now: Timestamp) {
        let place = self.place(step);
        let next = if wider { place + 1 } else { place.saturating_sub(1) };
        self.level = Some(next.clamp(narrowest(step, LEAST), LEVELS.len() - 1));
        match (self.cursor, self.span(step)) {
            (Some(cursor), Some(span)) => self.end_at(cursor.plus(span / 2), now),
            _ => self.end = None,
        }
    }

    /// Puts the cursor at a moment, and the moment into what is shown.
    pub fn put(&mut self, at: Timestamp, step: Option<Step>, now: Timestamp) {
        self.cursor = Some(at);
        let Some(span) = self.span(step) else {
            self.end = None;
            return;
        };
        let end = self.end.unwrap_or(now);
        if at > end || at < end.plus(-span) {
            // what came after it is seen, too
            self.end_at(at.plus(span / 4), now);
        }
    }

    /// Moves the cursor; it begins at the newest moment that is shown.
    pub fn step(&mut self, seconds: i64, first: Timestamp, step: Option<Step>, now: Timestamp) {
        let at = self.cursor.or(self.end).unwrap_or(now).plus(seconds);
        self.put(at.clamp(first.min(now), now), step, now);
    }

    /// No cursor, and what is newest. False where that is so already.
    pub fn follow(&mut self) -> bool {
        let was = self.cursor.is_some() || self.end.is_some();
        (self.cursor, self.end) = (None, None);
        was
    }

    fn end_at(&mut self, end: Timestamp, now: Timestamp) {
        self.end = (end < now).then_some(end);
    }
}

/// The narrowest level that has so many slots of this step.
fn narrowest(step: Option<Step>, slots: i64) -> usize {
    let wanted = step.map_or(3600, Step::seconds).saturating_mul(slots);
    LEVELS.iter().position(|(span, _)| span.is_none_or(|span| span >= wanted)).unwrap_or(LEVELS.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(100 * DAY);

    #[test]
    fn what_is_shown_suits_the_step_and_ends_at_all_history() {
        let mut view = Viewpoint::default();
        let words = |view: &Viewpoint| [10, 300, 3600, DAY].map(|s| view.word(Step::from_seconds(s)));
        assert_eq!(words(&view), ["1 hour", "1 day", "1 week", "all history"]);
        let hourly = Step::from_seconds(3600);
        let mut seen = Vec::new();
        for _ in 0..9 {
            view.zoom(true, hourly, NOW);
            seen.push(view.word(hourly));
        }
        assert_eq!((seen[0], seen[8]), ("4 weeks", "all history"));
        (0..9).for_each(|_| view.zoom(false, hourly, NOW));
        assert_eq!(view.word(hourly), "1 day", "fewer slots than a day's say nothing");
    }

    #[test]
    fn the_cursor_takes_the_time_with_it() {
        let step = Step::from_seconds(300);
        let mut view = Viewpoint::default();
        view.step(-300, Timestamp::from_seconds(0), step, NOW);
        assert_eq!((view.cursor(), view.end()), (Some(NOW.plus(-300)), None));
        view.put(NOW.plus(-20 * DAY), step, NOW);
        assert_eq!(view.end(), Some(NOW.plus(-20 * DAY + DAY / 4)));
        view.zoom(true, step, NOW);
        assert_eq!(view.end(), Some(NOW.plus(-20 * DAY + 3 * DAY / 2)), "around the cursor");
        view.step(-1000 * DAY, Timestamp::from_seconds(7), step, NOW);
        assert_eq!(view.cursor(), Some(Timestamp::from_seconds(7)));
        view.step(1000 * DAY, Timestamp::from_seconds(7), step, NOW);
        assert_eq!(view.cursor(), Some(NOW));
        assert!(view.follow() && !view.follow());
    }
}
