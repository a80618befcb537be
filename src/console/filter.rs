//! What the list of interfaces is narrowed down to.
//!
//! A description comes from the inventory, where there is one.

use crate::engine::{InterfaceState, InterfaceView};

/// Words that must all fit: `text` in host, interface or description, `host:text`, `if:text`,
/// `desc:text`, `state:word`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Term {
    Any(String),
    Host(String),
    Interface(String),
    Description(String),
    State(String),
}

/// Every state that an interface can be in, as [`Filter::doubt`] lists them.
const STATES: [InterfaceState; 7] = [
    InterfaceState::Anomalous,
    InterfaceState::Acknowledged,
    InterfaceState::Silent,
    InterfaceState::Warming,
    InterfaceState::TakenOver,
    InterfaceState::Flat,
    InterfaceState::Nominal,
];

impl Filter {
    /// A filter as typed. Case does not matter.
    pub fn new(text: &str) -> Self {
        let terms = text
            .split_whitespace()
            .map(str::to_lowercase)
            .map(|word| match word.split_once(':') {
                Some(("host", rest)) => Term::Host(rest.to_owned()),
                Some(("if", rest)) => Term::Interface(rest.to_owned()),
                Some(("desc", rest)) => Term::Description(rest.to_owned()),
                Some(("state", rest)) => Term::State(rest.to_owned()),
                _ => Term::Any(word),
            })
            .collect();
        Self { text: text.to_owned(), terms }
    }

    /// As it was typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether everything fits.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Why nothing can fit, or probably does not, where a word asks for what there is not; and what to write.
    /// `described` says whether any interface has a description.
    pub fn doubt(&self, described: bool) -> Option<String> {
        let of = |term: &Term| match term {
            Term::State(word) if STATES.iter().all(|state| !state.word().starts_with(word.as_str())) => {
                // what is typed ends at a blank
                let words = STATES.map(|state| state.word().split(' ').next().unwrap_or_default());
                let [others @ .., last] = &words;
                Some(format!("there is no state {word}: write {} or {last}", others.join(", ")))
            }
            Term::Description(_) if !described => {
                Some("no interface has a description: --inventory names a file with them".to_owned())
            }
            Term::Any(word) if word.contains(':') => Some(format!(
                "{word} is looked for as it stands: before a colon only host, if, desc and state are known"
            )),
            _ => None,
        };
        self.terms.iter().find_map(of)
    }

    /// Whether an interface fits.
    pub fn fits(&self, interface: &InterfaceView) -> bool {
        if self.terms.is_empty() {
            return true;
        }
        let host = interface.name.host.to_lowercase();
        let ifname = interface.name.ifname.to_lowercase();
        let described =
            |text: &String| interface.description.as_ref().is_some_and(|d| d.to_lowercase().contains(text.as_str()));
        self.terms.iter().all(|term| match term {
            Term::Any(text) => host.contains(text) || ifname.contains(text) || described(text),
            Term::Description(text) => described(text),
            Term::Host(text) => host.contains(text),
            Term::Interface(text) => ifname.contains(text),
            Term::State(word) => interface.state.word().starts_with(word.as_str()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::console::fixture;

    fn found(text: &str) -> Vec<String> {
        let filter = Filter::new(text);
        fixture::snapshot().interfaces.iter().filter(|i| filter.fits(i)).map(|i| i.name.to_string()).collect()
    }

    #[test]
    fn all_words_must_fit() {
        assert_eq!(found("").len(), fixture::snapshot().interfaces.len());
        assert!(found("core").iter().all(|n| n.starts_with("core-")));
        assert_eq!(found("CORE-2 xe-0/1/3"), ["core-2 xe-0/1/3"]);
        assert_eq!(found("if:core"), Vec::<String>::new());
        assert!(!found("host:edge if:ge").is_empty());
        assert_eq!(found("state:silent"), ["edge-9 ge-0/0/7"]);
        assert_eq!(found("state:nonsense"), Vec::<String>::new());
        assert_eq!(found("state:taken over"), Vec::<String>::new(), "no interface is called over");
        assert_eq!(found("desc:uplink"), Vec::<String>::new(), "nothing is described here");
        let mut described = fixture::snapshot().interfaces[0].as_ref().clone();
        described.description = Some("Uplink to ams-7".into());
        assert!(["uplink", "desc:AMS", "agg desc:up"].iter().all(|text| Filter::new(text).fits(&described)));
    }

    #[test]
    fn a_word_that_asks_for_what_there_is_not_is_told_with_those_that_there_are() {
        let doubt = |text: &str| Filter::new(text).doubt(false).unwrap_or_default();
        assert_eq!(
            doubt("edge state:Opne"),
            "there is no state opne: write anomalous, acknowledged, silent, warming, taken, flat or nominal"
        );
        assert!(doubt("stat:silent").contains("only host, if, desc and state are known"));
        assert!(doubt("desc:up").contains("--inventory") && Filter::new("desc:up").doubt(true).is_none());
        for text in ["", "edge", "host:x if:y", "state:", "state:s", "state:taken"] {
            assert_eq!(doubt(text), "", "{text}");
        }
    }
}
