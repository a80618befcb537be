//! What the log comes to: who looks after which incident, what is muted and until when, what is retired.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::entry::{Act, Entry, Subject};
use crate::detect::IncidentId;
use crate::series::{InterfaceName, Timestamp};

/// Somebody who looks after an incident, and since when by the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Who.
    pub who: String,
    /// When.
    pub at: Timestamp,
}

/// A note on an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// By whom, and when.
    pub signed: Signed,
    /// What.
    pub text: String,
}

/// All marks that are in force.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Marks {
    acknowledged: HashMap<IncidentId, Signed>,
    notes: HashMap<IncidentId, Vec<Note>>,
    muted_incidents: HashMap<IncidentId, Timestamp>,
    muted_interfaces: BTreeMap<InterfaceName, Timestamp>,
    retired: BTreeSet<InterfaceName>,
    /// By who pinned them: what one looks at is no other's business.
    pinned: BTreeMap<String, BTreeSet<InterfaceName>>,
}

impl<'a> FromIterator<&'a Entry> for Marks {
    fn from_iter<I: IntoIterator<Item = &'a Entry>>(entries: I) -> Self {
        let mut marks = Self::default();
        entries.into_iter().for_each(|entry| marks.learn(entry));
        marks
    }
}

impl Marks {
    /// Learns the next line of the log.
    pub fn learn(&mut self, entry: &Entry) {
        let signed = || Signed { who: entry.who.clone(), at: entry.at };
        match &entry.act {
            Act::Acknowledge { incident } => {
                // Who came first looks after it.
                self.acknowledged.entry(*incident).or_insert_with(signed);
            }
            Act::Unacknowledge { incident } => drop(self.acknowledged.remove(incident)),
            Act::Note { incident, text } => {
                self.notes.entry(*incident).or_default().push(Note { signed: signed(), text: text.clone() });
            }
            Act::Move { incident, to } => self.carry(*incident, *to),
            Act::Mute { what: Subject::Incident { incident }, until } => {
                self.muted_incidents.insert(*incident, *until);
            }
            Act::Mute { what: Subject::Interface(named), until } => {
                self.muted_interfaces.insert(named.into(), *until);
            }
            Act::Unmute { what: Subject::Incident { incident } } => drop(self.muted_incidents.remove(incident)),
            Act::Unmute { what: Subject::Interface(named) } => drop(self.muted_interfaces.remove(&named.into())),
            Act::Retire { interface } => drop(self.retired.insert(interface.into())),
            Act::Unretire { interface } => drop(self.retired.remove(&interface.into())),
            Act::Pin { interface } => {
                self.pinned.entry(entry.who.clone()).or_default().insert(interface.into());
            }
            Act::Unpin { interface } => {
                if let Some(own) = self.pinned.get_mut(&entry.who) {
                    own.remove(&interface.into());
                }
            }
            Act::Model { .. } => {}
        }
    }

    /// What is said of one incident is said of another one from now on.
    fn carry(&mut self, from: IncidentId, to: IncidentId) {
        if let Some(signed) = self.acknowledged.remove(&from) {
            self.acknowledged.entry(to).or_insert(signed);
        }
        if let Some(notes) = self.notes.remove(&from) {
            let all = self.notes.entry(to).or_default();
            all.extend(notes);
            all.sort_by_key(|note| note.signed.at);
        }
        if let Some(until) = self.muted_incidents.remove(&from) {
            let muted = self.muted_incidents.entry(to).or_insert(until);
            *muted = until.max(*muted);
        }
    }

    /// Whether anything is said of this incident itself.
    pub fn has(&self, incident: IncidentId) -> bool {
        self.acknowledged.contains_key(&incident)
            || self.notes.contains_key(&incident)
            || self.muted_incidents.contains_key(&incident)
    }

    /// Drops the mutes that have ended. Whether there were any.
    pub fn expire(&mut self, clock: Timestamp) -> bool {
        let before = self.muted_incidents.len() + self.muted_interfaces.len();
        self.muted_incidents.retain(|_, until| *until > clock);
        self.muted_interfaces.retain(|_, until| *until > clock);
        before > self.muted_incidents.len() + self.muted_interfaces.len()
    }

    /// When the next mute ends.
    pub fn next_end(&self) -> Option<Timestamp> {
        self.muted_incidents.values().chain(self.muted_interfaces.values()).min().copied()
    }

    /// Who looks after an incident.
    pub fn acknowledged(&self, incident: IncidentId) -> Option<&Signed> {
        self.acknowledged.get(&incident)
    }

    /// The notes on an incident, oldest first.
    pub fn notes(&self, incident: IncidentId) -> &[Note] {
        self.notes.get(&incident).map_or(&[], Vec::as_slice)
    }

    /// Until when an incident of an interface is muted, by itself or with all of the interface.
    pub fn muted(&self, incident: IncidentId, interface: &InterfaceName) -> Option<Timestamp> {
        self.muted_incidents.get(&incident).copied().max(self.muted_interface(interface))
    }

    /// Until when an interface is muted.
    pub fn muted_interface(&self, interface: &InterfaceName) -> Option<Timestamp> {
        self.muted_interfaces.get(interface).copied()
    }

    /// Whether an interface is gone for good.
    pub fn retired(&self, interface: &InterfaceName) -> bool {
        self.retired.contains(interface)
    }

    /// The interfaces that somebody has pinned, in the order of names.
    pub fn pinned(&self, who: &str) -> impl Iterator<Item = &InterfaceName> {
        self.pinned.get(who).into_iter().flatten()
    }

    /// Whether somebody has attended to an incident in any of these ways: it calls nobody.
    pub fn attended(&self, incident: IncidentId, interface: &InterfaceName) -> bool {
        self.acknowledged.contains_key(&incident)
            || self.muted(incident, interface).is_some()
            || self.retired(interface)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn marks(acts: &[(&str, Act)]) -> Marks {
        let mut marks = Marks::default();
        for (i, (who, act)) in acts.iter().enumerate() {
            marks.learn(&Entry { at: at(i as i64), who: (*who).to_owned(), act: act.clone() });
        }
        marks
    }

    #[test]
    fn who_came_first_looks_after_it_until_that_is_taken_back() {
        let incident = IncidentId(7);
        let (take, give) = (Act::Acknowledge { incident }, Act::Unacknowledge { incident });
        let both = marks(&[("ann", take.clone()), ("bob", take.clone())]);
        assert_eq!(both.acknowledged(incident), Some(&Signed { who: "ann".into(), at: at(0) }));
        assert_eq!(marks(&[("ann", take.clone()), ("bob", give.clone())]).acknowledged(incident), None);
        let again = marks(&[("ann", take.clone()), ("bob", give), ("bob", take)]);
        assert_eq!(again.acknowledged(incident).map(|s| s.who.as_str()), Some("bob"));
    }

    #[test]
    fn what_was_said_goes_on_under_the_new_name_however_often_that_is_written_down() {
        let [a, b] = [7, 8].map(IncidentId);
        let note = |incident, text: &str| ("ann", Act::Note { incident, text: text.into() });
        let go = ("bob", Act::Move { incident: a, to: b });
        let what = Subject::Incident { incident: a };
        let said =
            [note(a, "cut"), ("ann", Act::Acknowledge { incident: a }), ("ann", Act::Mute { what, until: at(99) })];
        let moved = marks(&[&said[..], &[go.clone(), note(b, "mended"), go.clone()]].concat());
        assert!(!moved.has(a) && moved.has(b) && !Marks::default().has(a));
        assert_eq!(moved.acknowledged(b), Some(&Signed { who: "ann".into(), at: at(1) }));
        assert_eq!(moved.notes(b).iter().map(|n| n.text.as_str()).collect::<Vec<_>>(), ["cut", "mended"]);
        assert_eq!(moved.muted(b, &InterfaceName::new("a", "b")), Some(at(99)));
        // What is taken back then stays so, though another console writes it down late.
        let back = marks(&[&said[1..2], &[go.clone(), ("bob", Act::Unacknowledge { incident: b }), go]].concat());
        assert!(!back.has(a) && !back.has(b));
    }

    #[test]
    fn a_mute_ends_by_the_clock_and_the_longer_one_counts() {
        let (incident, name) = (IncidentId(7), InterfaceName::new("a", "b"));
        let mut marks = marks(&[
            ("ann", Act::Mute { what: Subject::Incident { incident }, until: at(100) }),
            ("ann", Act::Mute { what: Subject::Interface((&name).into()), until: at(200) }),
        ]);
        assert_eq!((marks.muted(incident, &name), marks.next_end()), (Some(at(200)), Some(at(100))));
        assert_eq!(marks.muted(IncidentId(8), &InterfaceName::new("a", "c")), None);
        assert!(!marks.expire(at(99)) && marks.expire(at(100)));
        assert_eq!((marks.muted_interface(&name), marks.next_end()), (Some(at(200)), Some(at(200))));
        assert!(marks.attended(incident, &name));
        assert!(marks.expire(at(1000)) && !marks.attended(incident, &name));
    }

    #[test]
    fn everybody_has_pins_of_their_own() {
        let [a, b] = ["a", "b"].map(|ifname| InterfaceName::new("core", ifname));
        let pin = |name: &InterfaceName| Act::Pin { interface: name.into() };
        let marks = marks(&[
            ("ann", pin(&b)),
            ("ann", pin(&a)),
            ("bob", pin(&b)),
            ("bob", Act::Unpin { interface: (&b).into() }),
            ("bob", Act::Unpin { interface: (&a).into() }),
        ]);
        assert_eq!(marks.pinned("ann").collect::<Vec<_>>(), [&a, &b]);
        assert_eq!(marks.pinned("bob").chain(marks.pinned("eve")).count(), 0);
    }

    #[test]
    fn a_retired_interface_calls_nobody_until_it_is_back() {
        let name = InterfaceName::new("a", "b");
        let retire = Act::Retire { interface: (&name).into() };
        let marks_then = marks(&[("ann", retire.clone())]);
        assert!(marks_then.retired(&name) && marks_then.attended(IncidentId(1), &name));
        let back = marks(&[("ann", retire), ("ann", Act::Unretire { interface: (&name).into() })]);
        assert!(!back.retired(&name));
    }
}
