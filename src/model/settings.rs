//! What a training run can be told that stays with the model: a retraining takes the same.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::series::WindowLength;

/// For whom the network's last layer is learnt. The rest of it is shared in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// One for all.
    #[default]
    Global,
    /// One for each device.
    Device,
    /// One for each interface.
    Interface,
}

/// On whose rows the scale of an interface is fitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scaling {
    /// One scale for all interfaces, fitted on the rows of all.
    Global,
    /// Each interface's own.
    #[default]
    Interface,
}

/// What stays with a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ModelSettings {
    /// For whom the last layer is learnt.
    pub scope: Scope,
    /// Slots that the LSTM sees.
    pub window: WindowLength,
    /// Whose scale is used.
    pub scaling: Scaling,
}

impl Scope {
    /// All, from the widest to the narrowest.
    pub const ALL: [Self; 3] = [Self::Global, Self::Device, Self::Interface];

    /// As it is written in a flag.
    pub fn label(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Device => "device",
            Self::Interface => "interface",
        }
    }
}

impl Scaling {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Global, Self::Interface];

    /// As it is written in a flag.
    pub fn label(self) -> &'static str {
        match self {
            Self::Global => "global",
            Self::Interface => "interface",
        }
    }
}

/// A word that is no setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is none of {known}")]
pub struct UnknownWord {
    word: String,
    known: String,
}

fn find<T: Copy>(word: &str, all: &[T], label: fn(T) -> &'static str) -> Result<T, UnknownWord> {
    all.iter().copied().find(|known| label(*known) == word).ok_or_else(|| {
        let known: Vec<&str> = all.iter().map(|known| label(*known)).collect();
        UnknownWord { word: word.to_owned(), known: known.join(", ") }
    })
}

impl FromStr for Scope {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        find(word, &Self::ALL, Self::label)
    }
}

impl FromStr for Scaling {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        find(word, &Self::ALL, Self::label)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl fmt::Display for Scaling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_both_ways_and_others_are_named() {
        for scope in Scope::ALL {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        for scaling in Scaling::ALL {
            assert_eq!(scaling.to_string().parse(), Ok(scaling));
        }
        assert_eq!("each".parse::<Scope>().unwrap_err().to_string(), "\"each\" is none of global, device, interface");
    }
}
