//! Settings of overload detection.

use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// When a worker, or the fleet, counts as overloaded.
///
/// *Pressure* is the larger of two numbers: the share of the capacity that is in use, and how long the queue takes to
/// drain as a multiple of [`OverloadConfig::wait`]. 1 is full by either.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OverloadConfig {
    /// A worker is overloaded from this pressure on. Default 0.9.
    pub enter: f64,
    /// And no longer below this one, less than `enter`. Default 0.7.
    pub leave: f64,
    /// The fleet is overloaded from this pressure on. Default 0.85: before its workers are, for help takes time to come.
    pub fleet_enter: f64,
    /// And no longer below this one. Default 0.65.
    pub fleet_leave: f64,
    /// A queue that takes so long to drain is a pressure of 1. Default 1 s.
    pub wait: Duration,
    /// For how long the pressure must be past a level before anything changes: a burst of a moment is no overload.
    /// Default 500 ms.
    pub dwell: Duration,
    /// A worker on which nothing ended for so long, and for four times as long as all its work should take, is stalled.
    /// Default 10 s.
    pub stall: Duration,
}

impl OverloadConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), OverloadConfigError> {
        for (enter, leave) in [(self.enter, self.leave), (self.fleet_enter, self.fleet_leave)] {
            // Written so that it is false where one of them is not a number.
            let is_sound = leave > 0.0 && leave < enter && enter <= MOST_PRESSURE;
            if !is_sound {
                return Err(OverloadConfigError::Levels { enter, leave });
            }
        }
        if self.wait.is_zero() {
            return Err(OverloadConfigError::NoWait);
        }
        if self.stall.is_zero() {
            return Err(OverloadConfigError::NoStall);
        }
        Ok(())
    }
}

impl Default for OverloadConfig {
    fn default() -> Self {
        Self {
            enter: 0.9,
            leave: 0.7,
            fleet_enter: 0.85,
            fleet_leave: 0.65,
            wait: Duration::from_secs(1),
            dwell: Duration::from_millis(500),
            stall: Duration::from_secs(10),
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum OverloadConfigError {
    /// Levels that are not `0 < leave < enter <= 100`.
    Levels {
        /// Where overload begins.
        enter: f64,
        /// Where it ends.
        leave: f64,
    },
    /// No time to wait.
    NoWait,
    /// No time to stall.
    NoStall,
}

impl Say for OverloadConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Levels { enter, leave } => say!(
                to,
                "overload begins at ",
                enter,
                " and ends at ",
                leave,
                ": the end must be above 0 and below the beginning, which is at most ",
                MOST_PRESSURE
            ),
            Self::NoWait => {
                to.write_str("with a wait of zero any queue is an overload: set the wait that is too long")
            }
            Self::NoStall => {
                to.write_str("with a stall of zero every worker is stalled: set the silence that is too long")
            }
        }
    }
}

displayed!(OverloadConfigError);

impl core::error::Error for OverloadConfigError {}

const MOST_PRESSURE: f64 = 100.0;
