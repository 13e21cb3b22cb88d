//! Settings of a registry, and what a worker says of itself.

use core::error::Error;
use core::fmt;

use crate::ids::RegionId;
use crate::say::{Say, displayed, say};
use crate::time::Duration;

use super::super::{Capabilities, HealthConfig, HealthConfigError, Load};

/// Settings of a [`Registry`](super::Registry).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryConfig {
    /// How long a worker may be silent: asked after half of it, lost after the other half. Let workers send a heartbeat
    /// every third of it. Default 30 s.
    pub lease: Duration,
    /// How workers are judged.
    pub health: HealthConfig,
    /// How many workers may be known, lost ones included: 1 to 65,536. Default 1,024.
    pub max_workers: u32,
    /// How long a lost worker is remembered, with its totals. Default 10 min.
    pub forget_lost_after: Duration,
}

impl RegistryConfig {
    /// The most workers.
    pub const MAX_WORKERS: u32 = 1 << 16;

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), RegistryConfigError> {
        if self.lease < Duration::from_millis(2) {
            return Err(RegistryConfigError::Lease { asked: self.lease });
        }
        if self.max_workers == 0 || self.max_workers > Self::MAX_WORKERS {
            return Err(RegistryConfigError::MaxWorkers { asked: self.max_workers });
        }
        self.health.validate().map_err(RegistryConfigError::Health)
    }
}

impl Default for RegistryConfig {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            health: HealthConfig::default(),
            max_workers: 1_024,
            forget_lost_after: Duration::from_secs(600),
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistryConfigError {
    /// A lease under 2 ms.
    Lease {
        /// What was asked for.
        asked: Duration,
    },
    /// Not 1 to [`RegistryConfig::MAX_WORKERS`] workers.
    MaxWorkers {
        /// What was asked for.
        asked: u32,
    },
    /// A setting of the judgement of health.
    Health(HealthConfigError),
}

impl Say for RegistryConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Lease { asked } => {
                say!(to, "a lease is at least 2 ms, not ", asked, ": workers must get to renew it")
            }
            Self::MaxWorkers { asked } => {
                say!(to, "a registry knows 1 to ", RegistryConfig::MAX_WORKERS, " workers, not ", asked)
            }
            Self::Health(error) => error.say(to),
        }
    }
}

displayed!(RegistryConfigError);

impl Error for RegistryConfigError {}

/// What a worker says of itself when it registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Registration {
    /// What it can do. Default: nothing special.
    pub capabilities: Capabilities,
    /// How much it holds at a time, what waits there included; 0 counts as 1. Default 1.
    pub capacity: Load,
    /// Where it is. Default `None`, which is anywhere.
    pub region: Option<RegionId>,
}

impl Registration {
    pub(super) fn within_bounds(self) -> Self {
        Self { capacity: self.capacity.max(Load::ONE), ..self }
    }
}

impl Default for Registration {
    fn default() -> Self {
        Self { capabilities: Capabilities::NONE, capacity: Load::ONE, region: None }
    }
}
