//! Settings of a buffer pool.

use core::fmt;

use crate::time::Duration;

use super::class::MAX_BYTES;

/// Settings of a [`BufferPool`](super::BufferPool).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferPoolConfig {
    /// What all slabs together may take: 1 KiB to 1 TiB. [`HardwareConfig::buffer_budget_bytes`] is made for it.
    ///
    /// [`HardwareConfig::buffer_budget_bytes`]: crate::hardware::HardwareConfig::buffer_budget_bytes
    pub budget_bytes: u64,
    /// What a slab is meant to take, at least 1 KiB. It holds as many slots of its class as fit into it, 1 to 64: small
    /// classes have smaller slabs, a buffer larger than this has one of its own. Large slabs are fewer allocations, small
    /// ones are emptied sooner. Default 256 KiB.
    pub slab_bytes: u64,
    /// How long an empty slab is kept for reuse while memory is no concern. Default 30 s.
    pub idle: Duration,
    /// How many bytes are moved at once when high pressure compacts by itself. Default 4 MiB: a copy of about a
    /// millisecond. Zero leaves compaction to the shell.
    pub pressure_compaction_bytes: u64,
}

impl BufferPoolConfig {
    /// The defaults with this budget.
    #[must_use]
    pub const fn with_budget(budget_bytes: u64) -> Self {
        Self {
            budget_bytes,
            slab_bytes: 256 << 10,
            idle: Duration::from_secs(30),
            pressure_compaction_bytes: 4 << 20,
        }
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), BufferPoolConfigError> {
        if !(1_024..=MAX_BYTES).contains(&self.budget_bytes) {
            return Err(BufferPoolConfigError::Budget { asked_bytes: self.budget_bytes });
        }
        if self.slab_bytes < 1_024 {
            return Err(BufferPoolConfigError::Slab { asked_bytes: self.slab_bytes });
        }
        Ok(())
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BufferPoolConfigError {
    /// A budget outside 1 KiB to 1 TiB.
    Budget {
        /// What was asked for.
        asked_bytes: u64,
    },
    /// A slab under 1 KiB.
    Slab {
        /// What was asked for.
        asked_bytes: u64,
    },
}

impl fmt::Display for BufferPoolConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Budget { asked_bytes } => {
                write!(f, "a buffer pool's budget is 1 KiB to 1 TiB, not {asked_bytes} bytes")
            }
            Self::Slab { asked_bytes } => {
                write!(f, "a slab takes at least 1 KiB, the smallest buffer, not {asked_bytes} bytes")
            }
        }
    }
}

impl core::error::Error for BufferPoolConfigError {}
