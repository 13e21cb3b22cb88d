//! A breaker's state as plain data, to be stored and to go on from in another process.

use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use super::Breaker;
use super::config::{BreakerConfig, BreakerConfigError};
use super::event::{BreakerMode, BreakerState};
use super::window::Counts;
use crate::ids::Generation;
use crate::time::{Duration, Instant};

/// What a breaker knows, without any point in time: instants mean nothing to another process.
///
/// Permits that are out are not part of it. A half-open breaker is exported as one that is open for no more time, so
/// that the next call is a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerSnapshot {
    /// The mode.
    pub mode: BreakerMode,
    /// For how much longer it is open; `None` where it isn't. Counts in automatic mode only.
    pub open_for: Option<Duration>,
    /// Rounds of trials that failed since it first opened.
    pub failed_rounds: u32,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// What the window holds, oldest first: an entry for each call, or for each bucket of time.
    pub window: Vec<Counts>,
    /// Of its permits. The breaker that goes on from here has a later one.
    pub generation: Generation,
}

impl Breaker {
    /// What it knows now.
    #[must_use]
    pub fn snapshot(&self, now: Instant) -> BreakerSnapshot {
        let now = now.max(self.latest);
        let open_for = match self.state(now) {
            BreakerState::Open { until } => Some(until - now),
            BreakerState::HalfOpen => Some(Duration::ZERO),
            BreakerState::Closed
            | BreakerState::ForcedOpen
            | BreakerState::ForcedClosed
            | BreakerState::Disabled
            | BreakerState::MetricsOnly => None,
        };
        BreakerSnapshot {
            mode: self.mode(),
            open_for,
            failed_rounds: self.failed_rounds_at(now),
            consecutive_failures: self.consecutive_failures,
            window: self.results.export(now),
            generation: self.generation,
        }
    }

    /// A breaker that goes on where the snapshot was taken. The window may be of another number of calls than it was: then
    /// the newest that fit are taken over. No event tells of it.
    ///
    /// # Errors
    ///
    /// Where the settings are impossible, or the snapshot's window is not of the settings' kind.
    pub fn restore(
        config: BreakerConfig,
        snapshot: &BreakerSnapshot,
        now: Instant,
    ) -> Result<Self, BreakerRestoreError> {
        let mut breaker = Self::new(config).map_err(BreakerRestoreError::Config)?;
        if !breaker.results.import(now, &snapshot.window) {
            return Err(BreakerRestoreError::OtherWindow { entries: snapshot.window.len() });
        }
        breaker.latest = now;
        breaker.generation = snapshot.generation.next();
        breaker.consecutive_failures = snapshot.consecutive_failures;
        breaker.failed_rounds = snapshot.failed_rounds;
        breaker.state = match (snapshot.mode, snapshot.open_for) {
            (BreakerMode::Automatic, Some(rest)) => BreakerState::Open { until: now + rest },
            (mode, _) => mode.state(),
        };
        Ok(breaker)
    }
}

impl BreakerMode {
    /// The state that a breaker has when this mode begins.
    pub(super) const fn state(self) -> BreakerState {
        match self {
            Self::Automatic => BreakerState::Closed,
            Self::ForcedOpen => BreakerState::ForcedOpen,
            Self::ForcedClosed => BreakerState::ForcedClosed,
            Self::Disabled => BreakerState::Disabled,
            Self::MetricsOnly => BreakerState::MetricsOnly,
        }
    }
}

/// A snapshot that a breaker can't go on from.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum BreakerRestoreError {
    /// The settings are impossible.
    Config(BreakerConfigError),
    /// The snapshot's window is of another kind or has other buckets.
    OtherWindow {
        /// How many entries it has.
        entries: usize,
    },
}

impl fmt::Display for BreakerRestoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::OtherWindow { entries } => write!(
                f,
                "the snapshot's window ({entries} entries) was not made by a breaker with this window: clear it to go on \
                 without, or restore with the settings it was taken under"
            ),
        }
    }
}

impl Error for BreakerRestoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Config(error) => Some(error),
            Self::OtherWindow { .. } => None,
        }
    }
}
