//! All interfaces in their order, and which of them the filter lets through.
//!
//! It is kept from one picture to the next. A view that did not change is the same one in both, so that what is
//! looked at again are the few that have changed: among twenty thousand that is the difference between what a
//! person notices and what nobody does.

use std::cmp::Ordering;
use std::sync::Arc;

use super::filter::Filter;
use super::sort::{Sort, interface_key, largest_first};
use crate::engine::InterfaceView;

/// Changes among so many above which all are sorted anew.
const FEW: usize = 8;

/// Interfaces, by their places in the snapshot.
#[derive(Debug, Default)]
pub struct Ranking {
    /// What it was made of.
    seen: Arc<[Arc<InterfaceView>]>,
    sort: Sort,
    filter: Filter,
    /// What each is sorted by, and whether the filter lets it through.
    keys: Vec<f64>,
    fits: Vec<bool>,
    /// Those that fit, in their order.
    order: Vec<u32>,
}

/// What has changed besides values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct News {
    /// There are other interfaces than before, or others of the same names.
    pub names: bool,
    /// One has another step.
    pub steps: bool,
}

impl Ranking {
    /// Those that fit, in their order.
    pub fn order(&self) -> &[u32] {
        &self.order
    }

    /// Whether any of these fits.
    pub fn any_fits(&self, range: std::ops::Range<usize>) -> bool {
        self.fits.get(range).is_some_and(|fits| fits.contains(&true))
    }

    /// Those of these that fit, in their order.
    pub fn among(&self, range: std::ops::Range<usize>) -> Vec<u32> {
        let fitting = range.filter(|place| self.fits.get(*place) == Some(&true));
        let mut places: Vec<u32> = fitting.filter_map(|place| u32::try_from(place).ok()).collect();
        places.sort_unstable_by(|a, b| compare(&self.keys, *a, *b));
        places
    }

    /// Brings it up to date.
    pub fn update(&mut self, all: &Arc<[Arc<InterfaceView>]>, sort: Sort, filter: &Filter) -> News {
        let before = std::mem::replace(&mut self.seen, all.clone());
        let as_many = before.len() == all.len();
        let changed: Vec<u32> = if Arc::ptr_eq(&before, all) {
            Vec::new()
        } else {
            let differs = |place: &u32| {
                let place = *place as usize;
                before.get(place).is_none_or(|old| !Arc::ptr_eq(old, &all[place]))
            };
            (0..u32::try_from(all.len()).unwrap_or(u32::MAX)).filter(differs).collect()
        };
        let pairs = || changed.iter().filter_map(|place| Some((before.get(*place as usize)?, &all[*place as usize])));
        let names = !as_many || pairs().any(|(old, new)| old.id != new.id || old.name != new.name);
        let news = News { names, steps: names || pairs().any(|(old, new)| old.step != new.step) };
        let anew = names || sort != self.sort || *filter != self.filter;
        if anew {
            (self.sort, self.filter) = (sort, filter.clone());
            self.keys = match sort {
                Sort::Interface => by_interface(all),
                _ => all.iter().map(|view| interface_key(sort, view)).collect(),
            };
            self.fits = all.iter().map(|view| filter.fits(view)).collect();
            self.sort_all();
            return news;
        }
        for place in changed.iter().map(|place| *place as usize) {
            if sort != Sort::Interface {
                self.keys[place] = interface_key(sort, &all[place]);
            }
            self.fits[place] = filter.fits(&all[place]);
        }
        if changed.len() > all.len() / FEW {
            self.sort_all();
        } else if !changed.is_empty() {
            self.put_in(&changed);
        }
        news
    }

    fn sort_all(&mut self) {
        let fitting = (0..).zip(&self.fits).filter(|(_, fits)| **fits).map(|(place, _)| place);
        self.order = fitting.collect();
        let keys = &self.keys;
        self.order.sort_unstable_by(|a, b| compare(keys, *a, *b));
    }

    /// Takes these out and puts them back where they belong by now.
    fn put_in(&mut self, changed: &[u32]) {
        let mut moves = vec![false; self.keys.len()];
        changed.iter().for_each(|place| moves[*place as usize] = true);
        let mut fresh: Vec<u32> = changed.iter().copied().filter(|place| self.fits[*place as usize]).collect();
        let keys = &self.keys;
        fresh.sort_unstable_by(|a, b| compare(keys, *a, *b));
        let mut merged = Vec::with_capacity(self.order.len() + fresh.len());
        let mut fresh = fresh.into_iter().peekable();
        for place in self.order.iter().copied().filter(|place| !moves[*place as usize]) {
            while let Some(first) = fresh.next_if(|next| compare(keys, *next, place) == Ordering::Less) {
                merged.push(first);
            }
            merged.push(place);
        }
        merged.extend(fresh);
        self.order = merged;
    }
}

fn compare(keys: &[f64], a: u32, b: u32) -> Ordering {
    largest_first(&(keys[a as usize], a), &(keys[b as usize], b))
}

/// Keys that put all in the order of their interfaces' names.
fn by_interface(all: &[Arc<InterfaceView>]) -> Vec<f64> {
    let mut places: Vec<usize> = (0..all.len()).collect();
    places.sort_by(|a, b| all[*a].name.ifname.cmp(&all[*b].name.ifname));
    let mut keys = vec![0.0; all.len()];
    let mut rank = 0.0;
    for (n, place) in places.iter().enumerate() {
        if n > 0 && all[places[n - 1]].name.ifname != all[*place].name.ifname {
            rank -= 1.0;
        }
        keys[*place] = rank;
    }
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;
    use crate::random::Random;

    #[test]
    fn what_is_kept_up_to_date_is_what_would_be_made_anew() {
        let mut random = Random::new(7);
        let mut all: Vec<Arc<InterfaceView>> =
            fixture::snapshot().interfaces.iter().cycle().take(300).cloned().collect();
        for (n, view) in all.iter_mut().enumerate() {
            Arc::make_mut(view).id = crate::series::InterfaceId::from_index(n);
        }
        let filters = ["", "edge", "state:nominal", "if:xe host:core"].map(Filter::new);
        let sorts = [Sort::Score, Sort::Load, Sort::Name, Sort::Interface, Sort::State, Sort::Use, Sort::Error];
        let mut kept = Ranking::default();
        for turn in 0..200 {
            let many = if turn % 5 == 0 { 100 } else { turn % 4 };
            for _ in 0..many {
                let view = &mut all[(random.between(0.0, 300.0) as usize).min(299)];
                let mut next = view.as_ref().clone();
                next.score = random.between(0.0, 9.0) as f32;
                next.last = random.chance(0.9).then(|| [random.between(0.0, 3.0).round(); 2]);
                next.state = fixture::snapshot().interfaces[turn % 12].state;
                *view = Arc::new(next);
            }
            let (sort, filter) = (sorts[turn / 10 % 7], &filters[turn / 7 % 4]);
            let shared: Arc<[_]> = all.clone().into();
            kept.update(&shared, sort, filter);
            let mut fresh = Ranking::default();
            fresh.update(&shared, sort, filter);
            assert_eq!(kept.order(), fresh.order(), "turn {turn}: {sort:?} {filter:?}");
            assert_eq!(kept.among(40..90), fresh.among(40..90));
            let fit = all[40..90].iter().any(|view| filter.fits(view));
            assert_eq!(kept.any_fits(40..90), fit);
        }
    }

    #[test]
    fn what_is_new_besides_values_is_told() {
        let first = fixture::snapshot().interfaces;
        let mut ranking = Ranking::default();
        let mut update = |all: &Arc<[Arc<InterfaceView>]>| ranking.update(all, Sort::Score, &Filter::default());
        assert_eq!(update(&first), News { names: true, steps: true });
        assert_eq!(update(&first), News::default());
        let changed = |change: fn(&mut InterfaceView)| -> Arc<[Arc<InterfaceView>]> {
            let mut all = first.to_vec();
            change(Arc::make_mut(&mut all[3]));
            all.into()
        };
        assert_eq!(update(&changed(|view| view.score = 1.0)), News::default());
        assert_eq!(update(&changed(|view| view.step = None)), News { names: false, steps: true });
        assert!(update(&changed(|view| view.name = crate::series::InterfaceName::new("a", "b"))).names);
        assert!(update(&first[..5].into()).names);
    }
}
