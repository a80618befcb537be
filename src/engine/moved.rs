//! Incidents that a late or corrected row lets begin elsewhere, and that have another name for it.

use crate::detect::{Incident, IncidentId, IncidentKind};
use crate::series::Timestamp;

/// Of one interface: the incidents that are there no more while its rows are scored anew.
#[derive(Debug, Default)]
pub(super) struct Missing(Vec<Incident>);

impl Missing {
    /// Takes note of what an interface had and has, and gives old names with the new ones. `settled` says whether all
    /// of its rows are scored: until then what is missing may still come.
    pub(super) fn follow(
        &mut self,
        old: &[Incident],
        fresh: &[Incident],
        settled: bool,
    ) -> Vec<(IncidentId, IncidentId)> {
        let is_in = |id: IncidentId, all: &[Incident]| all.iter().any(|i| i.id == id);
        let differs = first_difference(old, fresh);
        let (old, fresh) = (&old[differs..], &fresh[differs..]);
        self.0.retain(|gone| !is_in(gone.id, fresh));
        self.0.extend(old.iter().filter(|i| !is_in(i.id, fresh)).cloned());
        let mut new: Vec<&Incident> = fresh.iter().filter(|i| !is_in(i.id, old)).collect();
        let mut moved = Vec::new();
        // The last one goes on in the last one: that is what is open, if any is.
        for place in (0..self.0.len()).rev() {
            if let Some(at) = new.iter().rposition(|new| goes_on(&self.0[place], new)) {
                moved.push((self.0.remove(place).id, new.remove(at).id));
            }
        }
        if settled {
            self.0.clear();
        }
        moved
    }
}

/// Where two lists begin to have other incidents.
fn first_difference(a: &[Incident], b: &[Incident]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a.id == b.id).count()
}

/// Whether one that is gone may be one that is new: they share a moment, and go the same way.
fn goes_on(gone: &Incident, new: &Incident) -> bool {
    let silent = |i: &Incident| i.kind == IncidentKind::Silence;
    let end = |i: &Incident| i.end.unwrap_or(Timestamp::from_seconds(i64::MAX));
    let overlap = gone.start <= end(new) && new.start <= end(gone);
    overlap && gone.direction == new.direction && silent(gone) == silent(new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::Direction;

    /// From one hour to another, or open.
    fn incident(start: i64, end: Option<i64>, direction: Direction) -> Incident {
        let hour = |hour: i64| Timestamp::from_seconds(hour * 3600);
        let new = Incident::new(IncidentId(start as u64), IncidentKind::Spike, hour(start));
        Incident { end: end.map(hour), direction: Some(direction), ..new }
    }

    use Direction::{Down, Up};

    fn pairs(old: &[Incident], fresh: &[Incident]) -> Vec<(u64, u64)> {
        let moved = Missing::default().follow(old, fresh, true);
        moved.into_iter().map(|(a, b)| (a.0, b.0)).collect()
    }

    #[test]
    fn one_that_begins_elsewhere_goes_on_where_it_overlaps_and_goes_the_same_way() {
        let before = incident(1, Some(3), Down);
        let with = |more: Incident| [before.clone(), more];
        let open = with(incident(10, None, Up));
        assert_eq!(pairs(&open, &with(incident(9, None, Up))), [(10, 9)]);
        assert_eq!(pairs(&open, &with(incident(12, Some(14), Up))), [(10, 12)]);
        assert_eq!(pairs(&open, &with(incident(9, None, Down))), []);
        assert_eq!(pairs(&open, &with(incident(6, Some(9), Up))), []);
        assert_eq!(pairs(&open, &open), []);
        assert_eq!(pairs(&open, &with(incident(10, Some(12), Up))), [], "it has its name still");
        assert_eq!(pairs(&open, std::slice::from_ref(&before)), [], "it is taken back");
    }

    #[test]
    fn of_several_the_last_one_goes_on_in_the_last_one() {
        let (two, one) = ([incident(1, Some(3), Up), incident(5, None, Up)], [incident(2, None, Up)]);
        assert_eq!(pairs(&two, &one), [(5, 2)]);
        assert_eq!(pairs(&one, &two), [(2, 5)]);
    }

    #[test]
    fn while_rows_are_scored_anew_what_is_missing_is_waited_for() {
        let (old, fresh) = ([incident(5, None, Up)], [incident(4, None, Up)]);
        let mut missing = Missing::default();
        assert_eq!(missing.follow(&old, &[], false), []);
        assert_eq!(missing.follow(&[], &fresh, false), [(IncidentId(5), IncidentId(4))]);
        assert_eq!(missing.follow(&old, &[], false), []);
        assert_eq!(missing.follow(&[], &old, true), [], "it is there again");
        assert_eq!(missing.follow(&old, &[], true), []);
        assert_eq!(missing.follow(&[], &fresh, true), [], "what comes later is another one");
    }
}
