//! What a face can ask of a training run, and what it sees of one.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::Model;
use crate::model::settings::Scope;
use crate::model::skill::Skill;
use crate::model::train::TrainingProgress;
use crate::series::InterfaceName;
use crate::series::scale::quantile;

/// For whom a model is learnt.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Whose {
    /// All interfaces: everything is learnt anew.
    #[default]
    All,
    /// The interfaces of a device, from their rows alone; what the model knows of others stays as it is.
    Device(Arc<str>),
    /// The same for one interface.
    Interface(InterfaceName),
}

impl Whose {
    /// Whether an interface is one of them.
    pub fn has(&self, name: &InterfaceName) -> bool {
        match self {
            Self::All => true,
            Self::Device(host) => *host == name.host,
            Self::Interface(own) => own == name,
        }
    }
}

/// `all interfaces`, or the name of the device or interface.
impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all interfaces"),
            Self::Device(host) => f.write_str(host),
            Self::Interface(name) => name.fmt(f),
        }
    }
}

/// What a new model is to be learnt from, and for whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Retraining {
    /// For whom, and from whose rows.
    pub whose: Whose,
    /// Where it is for all: for whom the last layer is learnt; none for as it is in the model in force.
    pub scope: Option<Scope>,
    /// Seconds of history up to now that are learnt from and measured on; none for all.
    pub history: Option<i64>,
}

/// The training run.
#[derive(Debug, Clone, Default)]
pub enum TrainingView {
    /// None since the start.
    #[default]
    Idle,
    /// One is running.
    Running(Run),
    /// The last one ended.
    Ended(TrainingOutcome),
}

/// A training run that is under way.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Run {
    /// For whom the model is learnt.
    pub whose: Whose,
    /// How far it is.
    pub progress: TrainingProgress,
    /// How the network does after its last epoch, beside the present model, on some of the interfaces. It
    /// decides nothing.
    pub so_far: Option<Beside>,
}

/// Two models on the same held-out rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Beside {
    /// The new one.
    pub new: HeldOut,
    /// The one in force.
    pub old: HeldOut,
    /// How many interfaces they were measured on.
    pub interfaces: usize,
    /// How many rows.
    pub rows: usize,
}

impl Beside {
    /// Of the skills of the new model and the old one on each interface; none where there is no interface.
    pub fn of(pairs: &[(Skill, Skill)]) -> Option<Self> {
        let [new, old] = [|p: &(Skill, Skill)| p.0, |p: &(Skill, Skill)| p.1].map(|which| {
            let median = |mut all: Vec<f64>| (!all.is_empty()).then(|| quantile(&mut all, 0.5));
            Some(HeldOut {
                error: median(pairs.iter().map(|p| which(p).mix).collect())?,
                skill: median(pairs.iter().filter_map(|p| which(p).over_best_simple()).collect()),
            })
        });
        Some(Self { new: new?, old: old?, interfaces: pairs.len(), rows: pairs.iter().map(|p| p.0.rows).sum() })
    }

    /// Whether the new model may take over: its median error is no larger. One that is no number may not.
    pub fn is_no_worse(&self) -> bool {
        self.new.error <= self.old.error
    }
}

/// How a model did on held-out rows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeldOut {
    /// Median over the interfaces of the mean error, in units of each interface's spread.
    pub error: f64,
    /// Median over the interfaces of the skill against the best simple forecast: 1 − error/error of that;
    /// none where that was never wrong.
    pub skill: Option<f64>,
}

/// For how long a model has learnt the interfaces that it was learnt for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learnt {
    /// How many they are.
    pub interfaces: usize,
    /// Of how many it saw too little to say what is usual on them.
    pub brief: usize,
}

impl Learnt {
    /// What `model`, which was learnt for these, has of them.
    pub fn of(model: &Model, whose: &Whose) -> Self {
        let known = || model.known().iter().filter(|known| whose.has(&known.name));
        Self { interfaces: known().count(), brief: known().filter(|known| !known.settled).count() }
    }

    /// What there is to say where it saw too little of some.
    pub fn remark(&self) -> Option<String> {
        let Self { interfaces, brief } = self;
        let s = if *interfaces == 1 { "" } else { "s" };
        let have = if *brief == 1 { "has" } else { "have" };
        (*brief > 0).then(|| {
            format!(
                "{brief} of {interfaces} interface{s} {have} less than two days or 400 rows: until a training with \
                 more, what is usual there is found out as rows are scored"
            )
        })
    }
}

/// How a training run ended.
#[derive(Debug, Clone, PartialEq)]
pub enum TrainingOutcome {
    /// The new model scores from now on.
    Swapped {
        /// Both models on the same held-out rows.
        beside: Beside,
        /// How much of the interfaces was there to learn.
        learnt: Learnt,
        /// Where it was written, or why it could not be.
        saved: Result<PathBuf, String>,
    },
    /// The old model was better on the same held-out rows and stays.
    KeptOld(Beside),
    /// Somebody cancelled it; the old model stays.
    Cancelled,
    /// It failed; the old model stays.
    Failed(String),
}
