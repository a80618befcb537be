//! Threads that stay, for work that comes in small pieces thousands of times.
//!
//! A step of training takes a few milliseconds, and a thread takes a good part of one to be spawned.
//! So some threads wait for what comes next as long as the crew lasts. What is worked on is lent to
//! them by value and comes back. Nobody waits for a thread that the system has not let run: whoever
//! gives the work does as much of it as is left.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use crossbeam_channel::{Receiver, Sender};

/// Threads beside the one that gives the work, at the most.
const MOST: usize = 7;

type Shift = Box<dyn FnOnce() + Send>;

/// Some threads that wait for work. They end with it.
#[derive(Debug)]
pub(super) struct Crew {
    /// Threads beside the one that gives the work.
    others: usize,
    /// To all of them; they are spawned when there is work for the first time.
    shifts: OnceLock<Sender<Shift>>,
}

impl Crew {
    /// Of that many threads, the one that gives the work counted.
    pub(super) fn of(threads: usize) -> Self {
        Self { others: threads.saturating_sub(1).min(MOST), shifts: OnceLock::new() }
    }

    /// Does `work` on each of these, whose places it is told, in any order and by any thread. Gives them back as
    /// they lay.
    ///
    /// # Panics
    /// When `work` does.
    pub(super) fn each<T: Send + 'static>(
        &self,
        of: Vec<T>,
        work: impl Fn(usize, &mut T) + Send + Sync + 'static,
    ) -> Vec<T> {
        let count = of.len();
        let (give, done) = mpsc::channel();
        let toil = {
            let (work, waiting) = (Arc::new(work), Arc::new(Mutex::new(of.into_iter().enumerate())));
            move || {
                loop {
                    // A statement of its own, so that the lock is not held while working.
                    let next = lock(&waiting).next();
                    let Some((place, mut one)) = next else { break };
                    work(place, &mut one);
                    // Nobody takes it where the one who gave the work has panicked.
                    let _ = give.send((place, one));
                }
            }
        };
        let shifts = self.shifts.get_or_init(|| self.gather());
        for _ in 1..count.min(self.others + 1) {
            // Where there can be no thread, this one does it all.
            let _ = shifts.send(Box::new(toil.clone()));
        }
        toil();
        // Its sender goes with it: when nobody works any more, nothing is waited for.
        drop(toil);
        let mut back: Vec<Option<T>> = std::iter::repeat_with(|| None).take(count).collect();
        for (place, one) in done.iter().take(count) {
            back[place] = Some(one);
        }
        let back: Vec<T> = back.into_iter().flatten().collect();
        assert!(back.len() == count, "a thread of the crew panicked");
        back
    }

    fn gather(&self) -> Sender<Shift> {
        let (give, take) = crossbeam_channel::unbounded();
        // Under this thread's name: a panic of theirs is told where one of it is.
        let name = thread::current().name().unwrap_or_default().to_owned();
        for _ in 0..self.others {
            let take: Receiver<Shift> = take.clone();
            let _ = thread::Builder::new().name(name.clone()).spawn(move || take.iter().for_each(|shift| shift()));
        }
        give
    }
}

/// No more is done under the lock than to take the next one, which cannot panic.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_is_done_once_and_comes_back_in_its_place() {
        for threads in [0, 1, 2, 5, 100] {
            let crew = Crew::of(threads);
            for count in [0, 1, 2, 3, 50] {
                let of: Vec<(usize, usize)> = (0..count).map(|i| (i, 0)).collect();
                let back = crew.each(of, |place, (value, times)| {
                    assert_eq!(place, *value);
                    *times += 1;
                });
                assert!(back.iter().enumerate().all(|(i, one)| *one == (i, 1)), "{threads} threads: {back:?}");
            }
        }
    }

    #[test]
    fn a_panic_in_any_thread_reaches_who_gave_the_work_and_the_rest_goes_on() {
        let crew = Crew::of(3);
        for bad in 0..40 {
            let work = move |_: usize, one: &mut usize| assert!(*one != bad, "as it is meant to");
            let given = std::panic::AssertUnwindSafe(|| crew.each((0..40).collect(), work));
            assert!(std::panic::catch_unwind(given).is_err());
        }
        assert_eq!(crew.each(vec![1, 2, 3], |_, one| *one *= 2), [2, 4, 6]);
    }
}
