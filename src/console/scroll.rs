//! Where a list's cursor and its first visible line are.

/// A cursor in a list of which only a part is visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Scroll {
    /// The chosen line.
    pub cursor: usize,
    /// The first visible line.
    pub offset: usize,
}

impl Scroll {
    /// Moves by `lines` and keeps the cursor visible.
    pub fn step(&mut self, lines: isize, len: usize, height: usize) {
        self.cursor = self.cursor.saturating_add_signed(lines).min(len.saturating_sub(1));
        self.show(len, height);
    }

    /// Scrolls as little as is needed to see the cursor.
    pub fn show(&mut self, len: usize, height: usize) {
        let height = height.max(1);
        self.cursor = self.cursor.min(len.saturating_sub(1));
        self.offset = self.offset.min(len.saturating_sub(height)).min(self.cursor);
        self.offset = self.offset.max((self.cursor + 1).saturating_sub(height));
    }

    /// The screen has room for so many more lines: they are those above, so that what a small screen pushed out of
    /// sight comes back.
    pub fn grow(&mut self, lines: usize) {
        self.offset = self.offset.saturating_sub(lines);
    }

    /// The list has changed and what was chosen stands at `place` now. Where the list was at its top
    /// it stays there, so that what is new is seen; else the chosen line stays where it is on the
    /// screen, so that nothing moves under the reader's eyes.
    pub fn follow(&mut self, place: usize, len: usize, height: usize) {
        if self.offset > 0 {
            let line = self.cursor - self.offset.min(self.cursor);
            self.offset = place.saturating_sub(line);
        }
        self.cursor = place;
        self.show(len, height);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stays_in_the_list_and_in_sight() {
        let mut s = Scroll::default();
        s.step(5, 100, 4);
        assert_eq!(s, Scroll { cursor: 5, offset: 2 });
        s.step(-1, 100, 4);
        assert_eq!(s, Scroll { cursor: 4, offset: 2 });
        s.step(isize::MAX, 100, 4);
        assert_eq!(s, Scroll { cursor: 99, offset: 96 });
        s.step(isize::MIN, 100, 4);
        assert_eq!(s, Scroll::default());
        s.step(3, 0, 0);
        assert_eq!(s, Scroll::default());
    }

    #[test]
    fn a_list_at_its_top_stays_there_and_another_keeps_its_line() {
        let mut top = Scroll { cursor: 1, offset: 0 };
        top.follow(2, 50, 10);
        assert_eq!(top, Scroll { cursor: 2, offset: 0 });
        let mut down = Scroll { cursor: 25, offset: 20 };
        down.follow(31, 50, 10);
        assert_eq!(down, Scroll { cursor: 31, offset: 26 });
        down.follow(2, 50, 10);
        assert_eq!(down, Scroll { cursor: 2, offset: 0 });
    }

    #[test]
    fn what_a_small_screen_pushed_out_of_sight_comes_back() {
        let mut s = Scroll { cursor: 3, offset: 0 };
        s.show(30, 2);
        assert_eq!(s.offset, 2);
        s.grow(10);
        s.show(30, 12);
        assert_eq!(s, Scroll { cursor: 3, offset: 0 });
    }

    #[test]
    fn a_list_that_shrank_shows_its_end() {
        let mut s = Scroll { cursor: 90, offset: 85 };
        s.show(10, 20);
        assert_eq!(s, Scroll { cursor: 9, offset: 0 });
    }
}
