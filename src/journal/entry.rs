//! One line of the log: who said what, and when.

use serde::{Deserialize, Serialize};

use crate::detect::IncidentId;
use crate::series::{InterfaceName, Timestamp};

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When it was said, by the clock.
    #[serde(with = "moment")]
    pub at: Timestamp,
    /// By whom.
    pub who: String,
    /// What.
    #[serde(flatten)]
    pub act: Act,
}

/// What somebody can say of incidents and interfaces, and what noctop itself writes down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "lowercase")]
pub enum Act {
    /// Somebody looks after an incident.
    Acknowledge {
        /// Which one.
        #[serde(with = "id")]
        incident: IncidentId,
    },
    /// Nobody does any more.
    Unacknowledge {
        /// Which one.
        #[serde(with = "id")]
        incident: IncidentId,
    },
    /// Something to be known about an incident.
    Note {
        /// Which one.
        #[serde(with = "id")]
        incident: IncidentId,
        /// What is to be known.
        text: String,
    },
    /// A late row has let an incident begin elsewhere: what was said of it goes on under its new name.
    Move {
        /// Its name so far.
        #[serde(with = "id")]
        incident: IncidentId,
        /// The one that it has now.
        #[serde(with = "id")]
        to: IncidentId,
    },
    /// It calls nobody until then, by the clock.
    Mute {
        /// What.
        #[serde(flatten)]
        what: Subject,
        /// Until when.
        #[serde(with = "moment")]
        until: Timestamp,
    },
    /// It may call again.
    Unmute {
        /// What.
        #[serde(flatten)]
        what: Subject,
    },
    /// The interface is gone for good: nothing of it is an alarm.
    Retire {
        /// Which one.
        #[serde(flatten)]
        interface: Named,
    },
    /// It is back.
    Unretire {
        /// Which one.
        #[serde(flatten)]
        interface: Named,
    },
    /// It stays on top of this operator's list.
    Pin {
        /// Which one.
        #[serde(flatten)]
        interface: Named,
    },
    /// It does not any more.
    Unpin {
        /// Which one.
        #[serde(flatten)]
        interface: Named,
    },
    /// Another model scores the rows behind this slot.
    Model {
        /// The directory's newest slot then; none where there was no row.
        #[serde(with = "maybe_moment")]
        slot: Option<Timestamp>,
        /// What the model is called.
        name: String,
        /// The file beside the log that it is kept in; none where it is not kept.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        file: Option<String>,
    },
}

impl Act {
    /// Whether it is nobody else's business.
    pub fn is_personal(&self) -> bool {
        matches!(self, Self::Pin { .. } | Self::Unpin { .. })
    }
}

/// What can be muted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Subject {
    /// One incident.
    Incident {
        /// Which one.
        #[serde(with = "id")]
        incident: IncidentId,
    },
    /// All incidents of an interface.
    Interface(Named),
}

/// An interface by name, as rows have it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Named {
    /// The device.
    pub hostname: String,
    /// The interface on it.
    pub ifname: String,
}

impl From<&InterfaceName> for Named {
    fn from(name: &InterfaceName) -> Self {
        Self { hostname: name.host.to_string(), ifname: name.ifname.to_string() }
    }
}

impl From<&Named> for InterfaceName {
    fn from(named: &Named) -> Self {
        Self::new(&named.hostname, &named.ifname)
    }
}

/// `2026-11-23 14:05:00`, UTC.
mod moment {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::series::Timestamp;

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        read(&String::deserialize(from)?).ok_or_else(|| D::Error::custom("not a time such as 2026-11-23 14:05:00"))
    }

    pub(super) fn read(text: &str) -> Option<Timestamp> {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        let time = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
        Some(Timestamp::from_seconds(time.as_second()))
    }
}

mod maybe_moment {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use super::moment;
    use crate::series::Timestamp;

    pub(super) fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => to.collect_str(time),
            None => to.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else { return Ok(None) };
        moment::read(&text).map(Some).ok_or_else(|| D::Error::custom("not a time such as 2026-11-23 14:05:00"))
    }
}

/// An incident's name, in its eight letters.
mod id {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    use crate::detect::IncidentId;

    pub(super) fn serialize<S: Serializer>(id: &IncidentId, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(id)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<IncidentId, D::Error> {
        String::deserialize(from)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_act_is_one_line_and_comes_back_as_it_was() {
        let (incident, until) = (IncidentId(0x12_3456_789a), Timestamp::from_seconds(1_795_392_000));
        let interface = Named { hostname: "core \"1\"\n".into(), ifname: "xe-0/0/1".into() };
        let subjects = [Subject::Incident { incident }, Subject::Interface(interface.clone())];
        let acts = [
            Act::Acknowledge { incident },
            Act::Unacknowledge { incident },
            Act::Note { incident, text: "two\nlines".into() },
            Act::Move { incident, to: IncidentId(5) },
            Act::Mute { what: subjects[0].clone(), until },
            Act::Mute { what: subjects[1].clone(), until },
            Act::Unmute { what: subjects[0].clone() },
            Act::Unmute { what: subjects[1].clone() },
            Act::Retire { interface: interface.clone() },
            Act::Unretire { interface: interface.clone() },
            Act::Pin { interface: interface.clone() },
            Act::Unpin { interface },
            Act::Model { slot: Some(until), name: "trained".into(), file: Some("model-1.safetensors".into()) },
            Act::Model { slot: None, name: "trained".into(), file: None },
        ];
        for act in acts {
            let entry = Entry { at: until.plus(5), who: "ann".into(), act };
            let line = serde_json::to_string(&entry).unwrap();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(serde_json::from_str::<Entry>(&line).unwrap(), entry, "{line}");
        }
    }

    #[test]
    fn a_line_can_be_read_by_people() {
        let entry = Entry {
            at: Timestamp::from_seconds(1_795_392_000),
            who: "ann".into(),
            act: Act::Acknowledge { incident: IncidentId(1) },
        };
        let line = serde_json::to_string(&entry).unwrap();
        assert_eq!(line, r#"{"at":"2026-11-23 00:00:00","who":"ann","act":"acknowledge","incident":"00000001"}"#);
    }
}
