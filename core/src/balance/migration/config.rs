//! Settings of migration.

use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// When a task is worth its move. The defaults suit the workers of a page; a fleet of remote workers has a
/// slower transfer and a longer cold start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MigrationConfig {
    /// How fast a task's bytes ([`size_hint_bytes`](crate::balance::Task::size_hint_bytes)) get to another worker, at
    /// least 1. Default 10⁹: a millisecond for a megabyte, what cloning to a Web Worker takes.
    pub bytes_per_second: u64,
    /// What a run takes longer on a worker that has not run its type lately, or is not on its affinity list where it has
    /// one: a cold cache. Default 5 ms.
    pub cold_start: Duration,
    /// A move must gain this many times what it costs, 1 at least. Default 1.5: estimates are estimates.
    pub margin: f64,
    /// And by so much more. Default 20 ms: what nobody notices is not worth a message.
    pub min_gain: Duration,
    /// The largest part of the tasks that wait on a worker which are moved at a time, 0 to 1. Default 0.6, as in poolifier.
    pub max_share: f64,
    /// At most so many moves at a time, 1 at least. Default 32.
    pub limit: u32,
    /// For how long a worker that is offline is assumed to stay so. Default 30 s.
    pub outage: Duration,
}

impl MigrationConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), MigrationConfigError> {
        if self.bytes_per_second == 0 {
            return Err(MigrationConfigError::NoTransfer);
        }
        if !(1.0..=MOST_MARGIN).contains(&self.margin) {
            return Err(MigrationConfigError::Margin { asked: self.margin });
        }
        if !(0.0..=1.0).contains(&self.max_share) {
            return Err(MigrationConfigError::MaxShare { asked: self.max_share });
        }
        if self.limit == 0 {
            return Err(MigrationConfigError::NoMoves);
        }
        Ok(())
    }
}

impl Default for MigrationConfig {
    fn default() -> Self {
        Self {
            bytes_per_second: 1_000_000_000,
            cold_start: Duration::from_millis(5),
            margin: 1.5,
            min_gain: Duration::from_millis(20),
            max_share: 0.6,
            limit: 32,
            outage: Duration::from_secs(30),
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum MigrationConfigError {
    /// Nothing would ever arrive.
    NoTransfer,
    /// A margin under 1, or beyond reason.
    Margin {
        /// What was asked for.
        asked: f64,
    },
    /// A part outside 0 to 1.
    MaxShare {
        /// What was asked for.
        asked: f64,
    },
    /// No move at all.
    NoMoves,
}

impl Say for MigrationConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::NoTransfer => {
                to.write_str("at 0 bytes per second nothing moves: set the measured transfer rate")
            }
            Self::Margin { asked } => {
                say!(to, "a move gains 1 to ", MOST_MARGIN, " times what it costs, not ", asked)
            }
            Self::MaxShare { asked } => {
                say!(to, "the part of a worker's waiting tasks that moves is 0 to 1, not ", asked)
            }
            Self::NoMoves => to.write_str("a limit of 0 suggests no move ever: set 1 or more, or don't ask"),
        }
    }
}

displayed!(MigrationConfigError);

impl core::error::Error for MigrationConfigError {}

const MOST_MARGIN: f64 = 1_000.0;
