//! What the mouse does, where somebody asked for one: a press chooses, a press on what is chosen opens it, and the
//! wheel scrolls what is under it.

use ratatui::layout::{Position, Rect};

use super::{App, Overlay};
use crate::console::decode::{Mouse, Pointed};
use crate::console::keymap::Context;
use crate::console::layout::{AXIS, list_head, title};

/// Lines for a turn of the wheel.
const TURN: isize = 3;

impl App {
    pub(super) fn point(&mut self, mouse: Mouse) {
        if self.typing.is_some() {
            return;
        }
        let turn = match mouse.what {
            Pointed::Press => None,
            Pointed::WheelUp => Some(-TURN),
            Pointed::WheelDown => Some(TURN),
        };
        if let Some(overlay) = self.overlay {
            if let Some(lines) = turn.filter(|_| overlay != Overlay::Retrain) {
                self.step(lines);
            }
            return;
        }
        let (panes, at) = (self.panes(), Position { x: mouse.column, y: mouse.row });
        if panes.list.contains(at) {
            self.focus = Context::Interfaces;
            let place = line_at(panes.list, list_head(panes.list), self.fleet.scroll.offset, at);
            let (cursor, lines) = (self.fleet.cursor(), self.fleet.rows().len());
            self.go_to(turn, place, cursor, lines);
        } else if panes.incidents.contains(at) {
            self.focus = Context::Incidents;
            let place = line_at(panes.incidents, title(panes.incidents), self.anomalies.scroll.offset, at);
            let (cursor, lines) = (self.anomalies.cursor(), self.anomalies.lines().len());
            self.go_to(turn, place, cursor, lines);
        } else if panes.detail.contains(at) {
            match turn {
                Some(columns) => self.step_time(columns as i64),
                None => self.point_at_time(panes.detail, at),
            }
        }
    }

    /// Scrolls, or goes to a line; opens it where the cursor is there already.
    fn go_to(&mut self, turn: Option<isize>, place: Option<usize>, cursor: Option<usize>, lines: usize) {
        match (turn, place.filter(|place| *place < lines), cursor) {
            (Some(turn), ..) => self.step(turn),
            (None, Some(place), Some(cursor)) if place != cursor => self.step(place as isize - cursor as isize),
            (None, Some(_), Some(_)) => self.open(),
            _ => {}
        }
    }

    /// Puts the time cursor where the chart was pressed.
    fn point_at_time(&mut self, pane: Rect, at: Position) {
        let detail = self.snapshot.detail.as_deref().filter(|d| Some(d.id) == self.fleet.selected());
        let Some((from, to)) = detail.map(|d| d.span) else { return };
        let (Some(column), Some(last)) =
            ((at.x - pane.x).checked_sub(AXIS), pane.width.checked_sub(AXIS + 1).filter(|last| *last > 0))
        else {
            return;
        };
        let seconds = to.since(from) * i64::from(column) / i64::from(last);
        self.viewpoint.put(from.plus(seconds), self.step_of_choice(), self.newest());
    }
}

/// The line of a list under the mouse; none above its first one.
fn line_at(pane: Rect, head: u16, offset: usize, at: Position) -> Option<usize> {
    (at.y - pane.y).checked_sub(head).map(|line| offset + usize::from(line))
}
