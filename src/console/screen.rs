//! What the terminal shows, and what it takes to make it show something else.
//!
//! This stands in the place of ratatui's own `Terminal`, which sends a few bytes for every frame even
//! where nothing has changed. Over a slow line, and for a console that is open all day, that matters.

use ratatui::backend::Backend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::app::App;
use super::draw;

/// A backend and what it shows.
#[derive(Debug)]
pub struct Screen<B: Backend> {
    backend: B,
    shown: Buffer,
    next: Buffer,
    /// Whether nothing is known of what the terminal shows.
    unknown: bool,
}

impl<B: Backend> Screen<B> {
    /// Over a backend of which nothing is known.
    pub fn new(backend: B) -> Self {
        Self { backend, shown: Buffer::empty(Rect::ZERO), next: Buffer::empty(Rect::ZERO), unknown: true }
    }

    /// The terminal may show anything by now: the next frame is drawn whole.
    pub fn forget(&mut self) {
        self.unknown = true;
    }

    /// The backend.
    pub fn backend(&self) -> &B {
        &self.backend
    }

    /// The backend, to change it.
    pub fn backend_mut(&mut self) -> &mut B {
        &mut self.backend
    }

    /// The newest frame.
    pub fn frame(&self) -> &Buffer {
        &self.shown
    }

    /// Makes the terminal show `app`. Gives how many cells were sent.
    pub fn draw(&mut self, app: &App) -> Result<usize, B::Error> {
        let area = app.area();
        if self.next.area != area {
            self.next.resize(area);
        }
        draw::draw(app, &mut self.next);
        if self.unknown || self.shown.area != area {
            self.shown = Buffer::empty(area);
            self.backend.clear()?;
            self.unknown = false;
        }
        let changes = self.shown.diff(&self.next);
        let sent = changes.len();
        if sent > 0 {
            self.backend.draw(changes.into_iter())?;
            self.backend.flush()?;
        }
        std::mem::swap(&mut self.shown, &mut self.next);
        Ok(sent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::tests::app;
    use ratatui::backend::TestBackend;

    #[test]
    fn only_what_changed_is_sent_and_nothing_where_nothing_changed() {
        let mut app = app(80, 24);
        let mut screen = Screen::new(TestBackend::new(80, 24));
        assert!(screen.draw(&app).unwrap() > 400);
        assert_eq!(screen.draw(&app).unwrap(), 0);
        app.message = Some("x".to_owned());
        let sent = screen.draw(&app).unwrap();
        assert!(sent > 0 && sent < 600, "{sent}");
        screen.forget();
        assert!(screen.draw(&app).unwrap() > 400);
        screen.backend().assert_buffer(screen.frame());
    }
}
