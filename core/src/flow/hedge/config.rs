//! Settings of hedging.

use core::error::Error;
use core::fmt;

use crate::flow::retry::{RetryBudgetConfig, RetryBudgetConfigError};
use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// When a call is hedged, and how often. The defaults hedge the slowest twentieth once, and at most a tenth of all calls.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HedgeConfig {
    /// How long to wait for an attempt before another is started beside it. Default: the 95th percentile, at least 1 ms.
    pub delay: HedgeDelay,
    /// How many hedges a call may have: 1 to [`HedgeConfig::MAX_HEDGES`]. Default 1.
    pub max_hedges: u8,
    /// What all hedges together may cost: each takes a token, each call that succeeds brings the ratio of one. Default: a
    /// tenth, without reserve, ten saved up.
    pub budget: RetryBudgetConfig,
}

/// How long to wait for an attempt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum HedgeDelay {
    /// Always so long.
    Fixed(Duration),
    /// As long as this share of the first attempts of the last minute took. Recomputed once a second. Until enough of them
    /// were measured no call is hedged.
    Quantile {
        /// The share, above 0 and below 1: 0.95 hedges the slowest twentieth.
        q: f64,
        /// How many first attempts must have been measured: at least 1.
        min_samples: u64,
        /// The delay is at least this, however fast the calls are.
        at_least: Duration,
    },
}

impl HedgeConfig {
    /// The most hedges that a call may have.
    pub const MAX_HEDGES: u8 = 8;

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), HedgeConfigError> {
        if self.max_hedges == 0 || self.max_hedges > Self::MAX_HEDGES {
            return Err(HedgeConfigError::MaxHedges { asked: self.max_hedges });
        }
        match self.delay {
            HedgeDelay::Fixed(delay) if delay.is_zero() => Err(HedgeConfigError::ZeroDelay),
            HedgeDelay::Quantile { q, .. } if !(q > 0.0 && q < 1.0) => {
                Err(HedgeConfigError::Quantile { asked: q })
            }
            HedgeDelay::Quantile { min_samples: 0, .. } => Err(HedgeConfigError::NoSamples),
            HedgeDelay::Quantile { at_least, .. } if at_least.is_zero() => Err(HedgeConfigError::ZeroDelay),
            HedgeDelay::Fixed(_) | HedgeDelay::Quantile { .. } => {
                self.budget.validate().map_err(HedgeConfigError::Budget)
            }
        }
    }
}

impl Default for HedgeConfig {
    fn default() -> Self {
        Self {
            delay: HedgeDelay::Quantile { q: 0.95, min_samples: 20, at_least: Duration::from_millis(1) },
            max_hedges: 1,
            budget: RetryBudgetConfig { deposit_ratio: 0.1, reserve_per_second: 0, max_saved: 10 },
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum HedgeConfigError {
    /// Not 1 to [`HedgeConfig::MAX_HEDGES`] hedges.
    MaxHedges {
        /// What was asked for.
        asked: u8,
    },
    /// Every call would be made twice at once.
    ZeroDelay,
    /// Not a share above 0 and below 1.
    Quantile {
        /// What was asked for.
        asked: f64,
    },
    /// A quantile of nothing.
    NoSamples,
    /// The budget can't be used.
    Budget(RetryBudgetConfigError),
}

impl Say for HedgeConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::MaxHedges { asked } => {
                say!(
                    to,
                    "a hedged call has 1 to ",
                    HedgeConfig::MAX_HEDGES,
                    " hedges; ",
                    asked,
                    " were asked for"
                )
            }
            Self::ZeroDelay => {
                to.write_str("a hedge's delay must be longer than zero, or every call is made twice")
            }
            Self::Quantile { asked } => {
                say!(
                    to,
                    "a hedge waits for a quantile above 0 and below 1, such as 0.95; ",
                    asked,
                    " was asked for"
                )
            }
            Self::NoSamples => to.write_str("a quantile needs at least 1 measured call"),
            Self::Budget(error) => error.say(to),
        }
    }
}

displayed!(HedgeConfigError);

impl Error for HedgeConfigError {}
