//! What to do about an overload.

use core::fmt;

use crate::balance::{Load, WorkerStatus};
use crate::ids::WorkerId;
use crate::time::Duration;

/// One thing that would help.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recommendation {
    /// The worker that has too much; `None` where it is the fleet.
    pub from: Option<WorkerId>,
    /// The worker that can take some of it; `None` where none can.
    pub to: Option<WorkerId>,
    /// What to do.
    pub action: OverloadAction,
    /// Why.
    pub why: OverloadReason,
    /// How urgent it is.
    pub urgency: Urgency,
    /// By how much the wait of what would be moved, or of everything where it is the fleet, is expected to shorten.
    pub gain: Duration,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverloadAction {
    /// Move tasks of so much load that have not started. Which ones,
    /// [`suggest_migration`](crate::balance::LoadBalancer::suggest_migration) says.
    Move {
        /// How much, together.
        load: Load,
    },
    /// Add workers like those that there are.
    AddWorkers {
        /// How many.
        count: u32,
    },
    /// Send less work to this worker, or refuse it: nobody else has room.
    HoldBack,
}

/// Why something should be done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum OverloadReason {
    /// The worker is overloaded.
    Overloaded {
        /// Its pressure: 1 is full.
        pressure: f64,
    },
    /// Nothing ended on the worker for far longer than its work should take.
    Stalled {
        /// For how long.
        silent: Duration,
    },
    /// The worker holds tasks and can't be reached.
    Unreachable {
        /// Its status.
        status: WorkerStatus,
    },
    /// The fleet as a whole is overloaded.
    FleetOverloaded {
        /// Its pressure: 1 is full.
        pressure: f64,
    },
}

/// How urgent something is: 1 can wait, 10 can't.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Urgency(u8);

impl Urgency {
    /// It can wait.
    pub const LEAST: Self = Self(1);
    /// It can't.
    pub const MOST: Self = Self(10);

    /// From a number, at least 1 and at most 10.
    #[must_use]
    pub const fn new(level: u8) -> Self {
        Self(if level < 1 {
            1
        } else if level > 10 {
            10
        } else {
            level
        })
    }

    /// As a number.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// 5 at a pressure of 1, growing evenly from 1 where overload ends.
    pub(super) fn of_pressure(pressure: f64, leave: f64) -> Self {
        let room = (1.0 - leave).max(MIN_ROOM);
        let level = libm::ceil(5.0 * (pressure - leave) / room);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1 to 10")]
        let level = level.clamp(1.0, 10.0) as u8;
        Self(level)
    }
}

impl fmt::Display for Urgency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for Recommendation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] ", self.urgency)?;
        match (self.action, self.from, self.to) {
            (OverloadAction::Move { load }, Some(from), Some(to)) => {
                write!(f, "move {load} load units from worker {from} to worker {to}")?;
            }
            (OverloadAction::Move { load }, _, _) => write!(f, "move {load} load units")?,
            (OverloadAction::AddWorkers { count }, _, _) => write!(f, "add {count} workers")?,
            (OverloadAction::HoldBack, Some(from), _) => write!(f, "send less to worker {from}")?,
            (OverloadAction::HoldBack, None, _) => f.write_str("send less")?,
        }
        match self.why {
            OverloadReason::Overloaded { pressure } => write!(f, ": it is at {:.0} %", pressure * 100.0)?,
            OverloadReason::Stalled { silent } => write!(f, ": nothing ended on it for {silent:?}")?,
            OverloadReason::Unreachable { status } => write!(f, ": it is {status:?}")?,
            OverloadReason::FleetOverloaded { pressure } => {
                write!(f, ": the fleet is at {:.0} %", pressure * 100.0)?;
            }
        }
        write!(f, " (gains {:?})", self.gain)
    }
}

/// So that an end of overload at 1 and above divides by no zero.
const MIN_ROOM: f64 = 0.1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urgency_grows_with_the_pressure() {
        let levels =
            [0.1, 0.7, 0.75, 0.9, 1.0, 1.3, 50.0].map(|pressure| Urgency::of_pressure(pressure, 0.7).get());
        assert_eq!(levels, [1, 1, 1, 4, 5, 10, 10]);
        assert_eq!([0, 1, 10, 200].map(|level| Urgency::new(level).get()), [1, 1, 10, 10]);
    }
}
