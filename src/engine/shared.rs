//! A list that is handed over again and again, mostly unchanged.

use std::sync::Arc;

/// Copies that are kept: one that a face draws, one that is the newest, and one to write the next into.
const COPIES: usize = 3;

/// A list of shared items of which immutable copies are handed out. A copy that nobody holds any more
/// is brought up to date and handed out again, so that a copy costs what has changed since.
#[derive(Debug)]
pub(super) struct SharedList<T> {
    items: Vec<Arc<T>>,
    /// The newest last, each with the places that have changed since it was handed out.
    copies: Vec<Copy<T>>,
}

#[derive(Debug)]
struct Copy<T> {
    list: Arc<[Arc<T>]>,
    stale: Vec<usize>,
}

impl<T> Default for SharedList<T> {
    fn default() -> Self {
        Self { items: Vec::new(), copies: Vec::new() }
    }
}

impl<T> SharedList<T> {
    /// Its items.
    pub(super) fn items(&self) -> &[Arc<T>] {
        &self.items
    }

    /// Puts other items in.
    pub(super) fn refill(&mut self, items: Vec<Arc<T>>) {
        self.items = items;
        self.copies.clear();
    }

    /// Puts another item at `place`.
    pub(super) fn set(&mut self, place: usize, item: T) {
        self.items[place] = Arc::new(item);
        self.copies.iter_mut().for_each(|copy| copy.stale.push(place));
        // Beyond that a new copy is as cheap.
        self.copies.retain(|copy| copy.stale.len() < self.items.len());
    }

    /// The list as it is: the last copy, where nothing has changed since.
    pub(super) fn share(&mut self) -> Arc<[Arc<T>]> {
        if let Some(copy) = self.copies.last().filter(|copy| copy.stale.is_empty()) {
            return copy.list.clone();
        }
        let idle = self.copies.iter_mut().position(|copy| Arc::get_mut(&mut copy.list).is_some());
        let mut list = match idle {
            Some(place) => {
                let Copy { mut list, stale } = self.copies.remove(place);
                if let Some(old) = Arc::get_mut(&mut list) {
                    stale.into_iter().for_each(|i| old[i] = self.items[i].clone());
                }
                Some(list)
            }
            None => None,
        };
        let list = list.take().unwrap_or_else(|| self.items.iter().cloned().collect());
        if self.copies.len() == COPIES {
            self.copies.remove(0);
        }
        self.copies.push(Copy { list: list.clone(), stale: Vec::new() });
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_what_the_list_is_and_one_that_is_held_stays_as_it_was() {
        let mut list = SharedList::default();
        list.refill((0..10).map(Arc::new).collect());
        let numbers = |copy: &[Arc<i32>]| copy.iter().map(|i| **i).collect::<Vec<i32>>();
        let mut want: Vec<i32> = (0..10).collect();
        let mut held = Vec::new();
        for turn in 0..50 {
            let (place, new) = (turn * 7 % 10, 100 + turn as i32);
            list.set(place, new);
            want[place] = new;
            let copy = list.share();
            assert_eq!(numbers(&copy), want);
            assert!(Arc::ptr_eq(&copy, &list.share()), "nothing has changed since");
            held.push((copy, want.clone()));
            // Sometimes several are held, sometimes none.
            held.drain(..if turn % 5 == 4 { held.len() } else { held.len().saturating_sub(4) });
            assert!(held.iter().all(|(copy, want)| numbers(copy) == *want), "turn {turn}");
        }
    }

    #[test]
    fn a_copy_that_nobody_holds_is_used_again() {
        let mut list = SharedList::default();
        list.refill((0..10).map(Arc::new).collect());
        let first = Arc::as_ptr(&list.share());
        list.set(3, 33);
        assert!(std::ptr::addr_eq(first, Arc::as_ptr(&list.share())));
    }
}
