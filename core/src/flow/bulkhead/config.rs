//! Settings of a bulkhead.

use core::error::Error;
use core::fmt;
use core::num::NonZeroU32;

use crate::say::{Say, displayed};
use crate::time::Duration;

/// How many calls run and wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkheadConfig {
    /// How many calls run at a time. Default 10.
    pub max_concurrent: NonZeroU32,
    /// How many calls wait for a place: zero refuses what can't run at once. Default 0: a queue only hides that there is
    /// too much work, unless it comes in bursts.
    pub max_queued: u32,
    /// How long a call may wait for a place. `None`: as long as it takes. Default `None`.
    pub max_wait: Option<Duration>,
}

impl BulkheadConfig {
    /// So many at a time, and none that wait.
    ///
    /// # Errors
    ///
    /// Where it is 0: nothing would ever run.
    pub fn concurrent(max_concurrent: u32) -> Result<Self, BulkheadConfigError> {
        let max_concurrent = NonZeroU32::new(max_concurrent).ok_or(BulkheadConfigError::NoneConcurrent)?;
        Ok(Self { max_concurrent, ..Self::default() })
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), BulkheadConfigError> {
        if self.max_wait.is_some_and(Duration::is_zero) {
            return Err(BulkheadConfigError::ZeroWait);
        }
        Ok(())
    }
}

impl Default for BulkheadConfig {
    fn default() -> Self {
        Self { max_concurrent: DEFAULT_CONCURRENT, max_queued: 0, max_wait: None }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BulkheadConfigError {
    /// No call may run.
    NoneConcurrent,
    /// Calls would wait for no time.
    ZeroWait,
}

impl Say for BulkheadConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        to.write_str(match self {
            Self::NoneConcurrent => "a bulkhead lets at least 1 call run at a time",
            Self::ZeroWait => {
                "the longest wait must be longer than zero; take max_queued 0 for no waiting, or leave it out for any wait"
            }
        })
    }
}

displayed!(BulkheadConfigError);

impl Error for BulkheadConfigError {}

const DEFAULT_CONCURRENT: NonZeroU32 = NonZeroU32::new(10).expect("10 is not 0");
