//! Settings of the judgement of a worker's health.

use core::error::Error;
use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::Duration;

use super::super::PerMille;

/// When a worker counts as degraded or suspect, and when it is trusted again.
///
/// The defaults suit tasks of milliseconds to seconds whose own errors are rare. Where tasks fail by nature (a linter that
/// reports by throwing), raise the error ratios or don't count those outcomes as failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthConfig {
    /// Fewer outcomes than this prove nothing: 1 to 64. Default 8.
    pub min_outcomes: u32,
    /// Share of failures among the last 64 outcomes from which a worker is degraded. Default 20 %.
    pub degraded_errors: PerMille,
    /// Share of failures from which it is suspect. Default 50 %.
    pub suspect_errors: PerMille,
    /// How many times as long as expected its tasks take, in the (exponentially weighted) mean, from which a worker is
    /// degraded. Default 3.
    pub degraded_slowdown: PerMille,
    /// From which it is suspect. Default 10.
    pub suspect_slowdown: PerMille,
    /// The share of a threshold below which a worker must fall again before it counts as better: below 100 %. Default
    /// 50 %: degraded at 20 % of failures, healthy again under 10 %.
    pub recovery: PerMille,
    /// How long it must stay below before it counts as better. Default 5 s.
    pub dwell: Duration,
    /// Outcomes older than this prove nothing: a worker that was given nothing for so long is tried anew. Default 1 min.
    pub evidence_ttl: Duration,
}

impl HealthConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), HealthConfigError> {
        if self.min_outcomes == 0 || self.min_outcomes > MAX_OUTCOMES {
            return Err(HealthConfigError::MinOutcomes { asked: self.min_outcomes });
        }
        if self.degraded_errors == PerMille::ZERO || self.degraded_slowdown <= PerMille::ONE {
            return Err(HealthConfigError::AlwaysDegraded);
        }
        if self.suspect_errors < self.degraded_errors || self.suspect_slowdown < self.degraded_slowdown {
            return Err(HealthConfigError::Order);
        }
        if self.recovery >= PerMille::ONE {
            return Err(HealthConfigError::Recovery { asked: self.recovery });
        }
        if self.evidence_ttl < self.dwell {
            return Err(HealthConfigError::EvidenceTtl { ttl: self.evidence_ttl, dwell: self.dwell });
        }
        Ok(())
    }
}

impl Default for HealthConfig {
    fn default() -> Self {
        Self {
            min_outcomes: 8,
            degraded_errors: PerMille::per_cent(20),
            suspect_errors: PerMille::per_cent(50),
            degraded_slowdown: PerMille::per_cent(300),
            suspect_slowdown: PerMille::per_cent(1_000),
            recovery: PerMille::per_cent(50),
            dwell: Duration::from_secs(5),
            evidence_ttl: Duration::from_secs(60),
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HealthConfigError {
    /// Not 1 to 64 outcomes.
    MinOutcomes {
        /// What was asked for.
        asked: u32,
    },
    /// No failure, or the expected time, would count as degraded.
    AlwaysDegraded,
    /// A worker would be suspect before it is degraded.
    Order,
    /// No distance between getting worse and getting better.
    Recovery {
        /// What was asked for.
        asked: PerMille,
    },
    /// Evidence would be forgotten before it can make a worker better.
    EvidenceTtl {
        /// [`HealthConfig::evidence_ttl`].
        ttl: Duration,
        /// [`HealthConfig::dwell`].
        dwell: Duration,
    },
}

impl Say for HealthConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::MinOutcomes { asked } => {
                say!(to, "health is judged from 1 to ", MAX_OUTCOMES, " outcomes, not from ", asked)
            }
            Self::AlwaysDegraded => to.write_str(
                "a worker would always be degraded: set its error ratio above zero and its slowdown above 100 %",
            ),
            Self::Order => {
                to.write_str("set the suspect thresholds at or above the degraded ones, of errors and of slowdown")
            }
            Self::Recovery { asked } => say!(to, "a worker recovers at a share below 100 % of its thresholds, not at ", asked, ": without a distance it would flap"),
            Self::EvidenceTtl { ttl, dwell } => {
                say!(to, "evidence must count for at least the dwell of ", dwell, ", not for ", ttl)
            }
        }
    }
}

displayed!(HealthConfigError);

impl Error for HealthConfigError {}

/// Outcomes that are remembered: the bits of a word.
pub(super) const MAX_OUTCOMES: u32 = 64;
