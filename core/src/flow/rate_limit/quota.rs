//! How much in what time.

use core::error::Error;
use core::fmt;

use crate::say::{Say, displayed};
use crate::time::Duration;

/// So much weight in each period, and how much of it at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Quota {
    weight: u32,
    period: Duration,
    burst: u32,
}

impl Quota {
    /// `weight` in each `period`; all of it may come at once.
    ///
    /// # Errors
    ///
    /// Where the weight or the period is zero, or there is more than one unit of weight a nanosecond.
    pub const fn new(weight: u32, period: Duration) -> Result<Self, QuotaError> {
        if weight == 0 {
            return Err(QuotaError::ZeroWeight);
        }
        if period.is_zero() {
            return Err(QuotaError::ZeroPeriod);
        }
        if weight as u64 > period.as_nanos() {
            return Err(QuotaError::TooFast);
        }
        Ok(Self { weight, period, burst: weight })
    }

    /// `weight` in each second.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub const fn per_second(weight: u32) -> Result<Self, QuotaError> {
        Self::new(weight, Duration::from_secs(1))
    }

    /// The same rate with another burst: how much may come at once after a pause. 1 spaces units evenly.
    ///
    /// # Errors
    ///
    /// Where the burst is zero, or so large that it takes centuries to come back.
    pub const fn with_burst(mut self, burst: u32) -> Result<Self, QuotaError> {
        if burst == 0 {
            return Err(QuotaError::ZeroBurst);
        }
        if self.emission_interval().as_nanos().checked_mul(burst as u64).is_none() {
            return Err(QuotaError::BurstTooLong);
        }
        self.burst = burst;
        Ok(self)
    }

    /// How much in each period.
    #[must_use]
    pub const fn weight(&self) -> u32 {
        self.weight
    }

    /// The time in which so much is admitted.
    #[must_use]
    pub const fn period(&self) -> Duration {
        self.period
    }

    /// How much at once.
    #[must_use]
    pub const fn burst(&self) -> u32 {
        self.burst
    }

    /// Time for one unit of weight, rounded up to the nanosecond, so that the rate is never exceeded. At a million units
    /// a second the rounding costs at most 0.1 % of the rate.
    #[must_use]
    pub const fn emission_interval(&self) -> Duration {
        Duration::from_nanos(self.period.as_nanos().div_ceil(self.weight as u64))
    }
}

/// A quota that can't be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum QuotaError {
    /// Nothing in each period.
    ZeroWeight,
    /// In no time.
    ZeroPeriod,
    /// More than one unit a nanosecond.
    TooFast,
    /// Nothing at once.
    ZeroBurst,
    /// A burst that takes more than 584 years at this rate.
    BurstTooLong,
}

impl Say for QuotaError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        to.write_str(match self {
            Self::ZeroWeight => "a quota of 0 would admit nothing: give at least 1 for each period",
            Self::ZeroPeriod => "a quota needs a period longer than zero",
            Self::TooFast => {
                "a quota is at most 1 unit a nanosecond: lengthen the period or count in larger units"
            }
            Self::ZeroBurst => "a burst of 0 would admit nothing: give at least 1",
            Self::BurstTooLong => "this burst takes more than 584 years at this rate: lower the burst",
        })
    }
}

displayed!(QuotaError);

impl Error for QuotaError {}
