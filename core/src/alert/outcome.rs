//! What an engine tells.

use alloc::sync::Arc;
use core::fmt;

use super::engine::RuleId;
use super::instance::State;
use super::labels::{Fingerprint, Labels};
use crate::time::Instant;

/// A change of one rule's state on one label set.
#[derive(Clone, Debug, PartialEq)]
pub struct Transition {
    /// The rule's name: the rule itself may be gone.
    pub rule: Arc<str>,
    /// What it is about.
    pub labels: Arc<Labels>,
    /// Of the rule's name and the labels.
    pub fingerprint: Fingerprint,
    /// Where it stood.
    pub from: State,
    /// Where it stands; `None` where what it is about was removed, or the rule, and with it the instance.
    pub to: Option<State>,
    /// When: the sample's time, or when the data became stale.
    pub at: Instant,
    /// The last value seen.
    pub value: Option<f64>,
    /// Since when it has been firing, raised, lowered and without data included: it names the alert over its life.
    pub firing_since: Option<Instant>,
}

/// Where one rule stands on one label set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Status<'a> {
    /// The rule.
    pub rule: RuleId,
    /// What it is about.
    pub labels: &'a Labels,
    /// Of the rule's name and the labels.
    pub fingerprint: Fingerprint,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: Instant,
    /// Since when it has been firing.
    pub firing_since: Option<Instant>,
    /// The last value seen.
    pub value: Option<f64>,
}

/// A sample that could not be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ObserveError {
    /// There are as many pairs of rule and label set as there may be. Remove what is gone.
    TooManyInstances {
        /// How many that is.
        limit: usize,
    },
    /// There are as many series as may be watched. Remove what is gone.
    TooManySeries {
        /// How many that is.
        limit: usize,
    },
}

impl fmt::Display for ObserveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooManyInstances { limit } => {
                write!(f, "the limit of {limit} alert instances is reached: let rules select fewer series")
            }
            Self::TooManySeries { limit } => {
                write!(f, "the limit of {limit} watched series is reached: let rules select fewer series")
            }
        }
    }
}

impl core::error::Error for ObserveError {}
