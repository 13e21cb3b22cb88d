//! Settings of what a pool may take of the machine.

use core::error::Error;
use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::Duration;

use super::super::{PerMille, Priority};

/// From which readings a pool takes care of the machine, and how far it goes.
///
/// Of what the readings are a share is the shell's matter. In a page: memory is JavaScript heap, WASM memory and pooled
/// buffers by the configured budget; CPU is the host's, or unknown. On a host: memory is 1 minus available by total, inside
/// a control group by its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResourceBudgets {
    /// Memory from which to warn. Default 60 %.
    pub warn_memory: PerMille,
    /// Memory from which prefetch stops and caches shrink. Default 70 %.
    pub shrink_memory: PerMille,
    /// Memory from which the pool no longer grows and sheds its least urgent tasks. Default 80 %.
    pub shed_memory: PerMille,
    /// CPU from which the pool shrinks. Default 70 %.
    pub max_cpu: PerMille,
    /// How far memory must fall below a threshold before it counts as left. Default 5 %.
    pub memory_margin: PerMille,
    /// How far CPU must fall below its threshold before the pool may grow again. Default 10 %. One worker more should cost
    /// less than this, or the pool swings, slower each time.
    pub cpu_margin: PerMille,
    /// How long a reading must stay below before a measure is lifted, and CPU above before the pool shrinks (by a
    /// quarter, each time). Default 3 s.
    pub settle: Duration,
    /// While memory stays above the last threshold, one further level of priority is shed each time this passes. Default
    /// 1 s.
    pub shed_step: Duration,
    /// A reading older than this is unknown, and unknown takes no action. Default 10 s.
    pub stale_after: Duration,
    /// Work of this priority and above is never shed nor held back. Default 8.
    pub urgent: Priority,
}

impl ResourceBudgets {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), ResourceBudgetsError> {
        if self.warn_memory > self.shrink_memory || self.shrink_memory > self.shed_memory {
            return Err(ResourceBudgetsError::Order);
        }
        if self.memory_margin == PerMille::ZERO || self.memory_margin >= self.warn_memory {
            return Err(ResourceBudgetsError::Margin {
                margin: self.memory_margin,
                threshold: self.warn_memory,
            });
        }
        if self.cpu_margin == PerMille::ZERO || self.cpu_margin >= self.max_cpu {
            return Err(ResourceBudgetsError::Margin { margin: self.cpu_margin, threshold: self.max_cpu });
        }
        if self.settle.is_zero() || self.stale_after < self.settle {
            return Err(ResourceBudgetsError::StaleAfter {
                stale_after: self.stale_after,
                settle: self.settle,
            });
        }
        Ok(())
    }
}

impl Default for ResourceBudgets {
    fn default() -> Self {
        Self {
            warn_memory: PerMille::per_cent(60),
            shrink_memory: PerMille::per_cent(70),
            shed_memory: PerMille::per_cent(80),
            max_cpu: PerMille::per_cent(70),
            memory_margin: PerMille::per_cent(5),
            cpu_margin: PerMille::per_cent(10),
            settle: Duration::from_secs(3),
            shed_step: Duration::from_secs(1),
            stale_after: Duration::from_secs(10),
            urgent: URGENT,
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResourceBudgetsError {
    /// The thresholds of memory don't ascend.
    Order,
    /// No distance between taking a measure and lifting it, or no reading that lifts it.
    Margin {
        /// The distance.
        margin: PerMille,
        /// The threshold that it is below.
        threshold: PerMille,
    },
    /// Readings would be unknown before they can settle anything.
    StaleAfter {
        /// [`ResourceBudgets::stale_after`].
        stale_after: Duration,
        /// [`ResourceBudgets::settle`].
        settle: Duration,
    },
}

impl Say for ResourceBudgetsError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Order => to.write_str("set warn_memory, shrink_memory and shed_memory in ascending order"),
            Self::Margin { margin, threshold } => say!(
                to,
                "a margin is above zero and below its threshold of ",
                threshold,
                ", not ",
                margin,
                ": measures would flap or never end"
            ),
            Self::StaleAfter { stale_after, settle } => say!(
                to,
                "readings settle after ",
                settle,
                ", which is above zero and no longer than they count (",
                stale_after,
                ")"
            ),
        }
    }
}

displayed!(ResourceBudgetsError);

impl Error for ResourceBudgetsError {}

const URGENT: Priority = match Priority::new(8) {
    Some(priority) => priority,
    None => unreachable!(),
};
