//! Which pane gets which part of the screen. The least needed goes first when there is little room.

use ratatui::layout::Rect;

use super::keymap::Context;

/// Columns of a chart's y axis.
pub const AXIS: u16 = 7;
/// Columns from which list and detail stand side by side.
const WIDE: u16 = 116;
/// Columns that the list keeps beside the detail.
const LIST: u16 = 74;

/// What the state of the console asks for.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// The list that has the keys (an overlay does not change what is under it).
    pub focus: Context,
    /// Whether the detail was opened.
    pub detail: bool,
    /// Whether there is a status line.
    pub status: bool,
    /// Whether something is typed: that is seen on any screen of two lines.
    pub typing: bool,
    /// Lines of the list of incidents.
    pub incidents: usize,
}

/// The parts of the screen; an empty one is not drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Panes {
    /// One line at the top.
    pub header: Rect,
    /// Interfaces or devices, with their title.
    pub list: Rect,
    /// The chosen interface's chart, with its title.
    pub detail: Rect,
    /// Incidents, with their title.
    pub incidents: Rect,
    /// Training, or a message.
    pub status: Rect,
    /// Keys, or the filter while it is typed.
    pub footer: Rect,
}

impl Panes {
    /// Divides `area`.
    pub fn new(area: Rect, wish: Wish) -> Self {
        let mut panes = Self::default();
        let mut body = area;
        if area.height >= 5 {
            panes.header = take_top(&mut body, 1);
        }
        let roomy = area.height >= 7;
        if roomy || (wish.typing && area.height >= 2) {
            panes.footer = take_bottom(&mut body, 1);
        }
        if wish.status && area.height >= 4 && (roomy || !wish.typing) {
            panes.status = take_bottom(&mut body, 1);
        }
        if body.height < 9 {
            panes.only_one(body, wish);
            return panes;
        }
        // a title and at least three lines, at most two fifths
        let wanted = u16::try_from(wish.incidents.max(3)).unwrap_or(u16::MAX).saturating_add(1);
        let mut bottom = wanted.min(body.height * 2 / 5).max(4);
        if wish.detail {
            bottom = bottom.min((body.height / 4).max(4));
        } else if wish.focus == Context::Incidents && wanted > bottom {
            bottom = wanted.min(body.height / 2);
        }
        panes.incidents = take_bottom(&mut body, bottom);
        if wish.detail {
            panes.detail = body;
        } else if body.width >= WIDE {
            panes.list = Rect { width: LIST.max(body.width * 9 / 20), ..body };
            let left = panes.list.width + 1;
            panes.detail = Rect { x: body.x + left, width: body.width - left, ..body };
        } else {
            panes.list = body;
        }
        panes
    }

    fn only_one(&mut self, body: Rect, wish: Wish) {
        match wish.focus {
            _ if wish.detail => self.detail = body,
            Context::Incidents => self.incidents = body,
            _ => self.list = body,
        }
    }

    /// Lines of the list itself: without its title and, where there is room for them, the columns' names.
    pub fn list_lines(&self) -> usize {
        usize::from(self.list.height.saturating_sub(list_head(self.list)))
    }

    /// Lines of the list of incidents itself.
    pub fn incident_lines(&self) -> usize {
        usize::from(self.incidents.height.saturating_sub(title(self.incidents)))
    }

    /// How many rows the detail's chart can show: two for each of its columns.
    pub fn points(&self, area: Rect) -> usize {
        let width = if self.detail.is_empty() { area.width } else { self.detail.width };
        usize::from(width.saturating_sub(AXIS).max(24)) * 2
    }
}

/// Lines of a pane's title.
pub fn title(pane: Rect) -> u16 {
    u16::from(pane.height >= 3)
}

/// Lines above a list's first one.
pub fn list_head(pane: Rect) -> u16 {
    title(pane) + u16::from(pane.height >= 6)
}

fn take_top(body: &mut Rect, lines: u16) -> Rect {
    let lines = lines.min(body.height);
    let top = Rect { height: lines, ..*body };
    body.y += lines;
    body.height -= lines;
    top
}

fn take_bottom(body: &mut Rect, lines: u16) -> Rect {
    let lines = lines.min(body.height);
    body.height -= lines;
    Rect { y: body.y + body.height, height: lines, ..*body }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WISH: Wish = Wish { focus: Context::Interfaces, detail: false, status: true, typing: false, incidents: 12 };

    #[test]
    fn panes_cover_the_screen_without_overlap() {
        for width in [1, 20, 40, 80, 115, 116, 200, 300] {
            for height in 1..80 {
                for (detail, typing) in [(false, false), (true, false), (false, true)] {
                    for focus in [Context::Interfaces, Context::Incidents] {
                        let wish = Wish { detail, focus, typing, ..WISH };
                        let p = Panes::new(Rect::new(0, 0, width, height), wish);
                        assert!(!typing || height < 2 || p.footer.height == 1, "{width}x{height} {p:?}");
                        let all = [p.header, p.list, p.detail, p.incidents, p.status, p.footer];
                        let cells: u32 = all.iter().map(|r| r.area()).sum();
                        let gap = if !p.list.is_empty() && !p.detail.is_empty() { u32::from(p.list.height) } else { 0 };
                        assert_eq!(cells + gap, u32::from(width) * u32::from(height), "{width}x{height} {p:?}");
                        for (i, a) in all.iter().enumerate() {
                            assert!(all[i + 1..].iter().all(|b| !a.intersects(*b)), "{width}x{height}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn eighty_by_twenty_four_has_list_and_incidents_and_a_small_one_the_list() {
        let p = Panes::new(Rect::new(0, 0, 80, 24), Wish { status: false, ..WISH });
        assert!(p.list_lines() >= 10 && p.incident_lines() >= 7, "{p:?}");
        let p = Panes::new(Rect::new(0, 0, 20, 6), Wish { status: false, ..WISH });
        assert!(p.list_lines() >= 4 && p.incidents.is_empty(), "{p:?}");
        let p = Panes::new(Rect::new(0, 0, 200, 50), WISH);
        assert!(p.detail.width > 90 && p.list.width >= 80, "{p:?}");
    }
}
