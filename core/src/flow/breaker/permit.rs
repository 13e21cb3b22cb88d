//! What a call takes from a breaker and gives back.

use core::error::Error;
use core::fmt;

use crate::flow::Fallback;
use crate::ids::Generation;
use crate::time::Instant;

/// The right to make one call. Give it back exactly once: with [`Breaker::record`](super::Breaker::record) or
/// [`Breaker::release`](super::Breaker::release).
#[derive(Debug, PartialEq, Eq)]
#[must_use = "a trial's permit that is never given back holds its place until the trial deadline"]
pub struct Permit {
    pub(super) generation: Generation,
}

impl Permit {
    /// As a number, for shells that keep permits on the other side of a boundary.
    #[must_use]
    pub const fn into_number(self) -> u32 {
        self.generation.get()
    }

    /// From the number that [`into_number`](Self::into_number) gave. Give each back only once.
    pub const fn from_number(number: u32) -> Self {
        Self { generation: Generation::new(number) }
    }
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// As it should.
    Success,
    /// Against the service.
    Failure,
    /// In a way that says nothing about the service (the caller's fault, say). Counts as no call at all, however long it
    /// took; a trial's place is free again.
    Ignored,
}

/// A call that may not be made, and what to do instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rejected {
    /// Why, and until when.
    pub refusal: Refusal,
    /// [`BreakerConfig::fallback`](super::BreakerConfig::fallback): what the caller gets.
    pub fallback: Fallback,
}

/// Why a call may not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is open.
    Open {
        /// When the next call may be a trial.
        until: Instant,
    },
    /// It is half-open and all trials are out or have ended; nobody knows when they decide.
    TrialsOut,
    /// An operator has forced it open.
    ForcedOpen,
}

impl Refusal {
    /// When it makes sense to ask again, where that is known.
    #[must_use]
    pub const fn earliest(self) -> Option<Instant> {
        match self {
            Self::Open { until } => Some(until),
            Self::TrialsOut | Self::ForcedOpen => None,
        }
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.refusal {
            Refusal::Open { until } => write!(f, "the circuit breaker is open until {until:?}"),
            Refusal::TrialsOut => {
                f.write_str("the circuit breaker is half-open and its trials are under way")
            }
            Refusal::ForcedOpen => f.write_str("the circuit breaker was forced open"),
        }
    }
}

impl Error for Rejected {}
