//! Which layers a stack has.

use core::error::Error;
use core::fmt;

use crate::flow::Fallback;
use crate::flow::adaptive_limit::{AdaptiveLimitConfig, AdaptiveLimitConfigError};
use crate::flow::breaker::{BreakerConfig, BreakerConfigError};
use crate::flow::bulkhead::{BulkheadConfig, BulkheadConfigError};
use crate::flow::hedge::{HedgeConfig, HedgeConfigError};
use crate::flow::rate_limit::Rate;
use crate::flow::retry::{RetryBudgetConfig, RetryBudgetConfigError, RetryPolicy, RetryPolicyError};
use crate::flow::timeout::{TimeoutConfig, TimeoutConfigError};
use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// The layers of a stack, outermost first, which is the order in which a call meets them. Every one may be absent; the
/// default has none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PolicyConfig {
    /// What a caller gets in place of an error. Not for [`AttemptFailure::Permanent`](crate::flow::retry::AttemptFailure), which
    /// is the caller's own fault, nor for a call that was cancelled.
    pub fallback: Fallback,
    /// `total` is the deadline of the whole call, outside of everything but the fallback. `execution` is the innermost
    /// layer, around each attempt: from its start, not from when it began to wait for one.
    pub timeout: TimeoutConfig,
    /// How failed attempts are tried again. `None`: they aren't.
    pub retry: Option<RetryPolicy>,
    /// What retries of all calls together may cost. Counts only where there is a `retry`.
    pub retry_budget: Option<RetryBudgetConfig>,
    /// Whether attempts are made at all.
    pub breaker: Option<BreakerConfig>,
    /// A second attempt beside a slow one.
    pub hedge: Option<HedgeConfig>,
    /// How many attempts in a time.
    pub rate: Option<RateLayer>,
    /// How many attempts at a time.
    pub concurrency: ConcurrencyLayer,
}

/// How many attempts are made in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLayer {
    /// How many, weight 1 each.
    pub rate: Rate,
    /// How long an attempt may wait for its turn; zero refuses what can't start at once. Hedges never wait.
    pub max_wait: Duration,
}

/// How many attempts run at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ConcurrencyLayer {
    /// As many as come.
    #[default]
    Unlimited,
    /// A fixed number, and a queue.
    Bulkhead(BulkheadConfig),
    /// What measured latency allows, without a queue.
    Adaptive(AdaptiveLimitConfig),
}

/// A layer whose settings are impossible.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum PolicyConfigError {
    /// The time-outs.
    Timeout(TimeoutConfigError),
    /// The retries.
    Retry(RetryPolicyError),
    /// The retry budget.
    RetryBudget(RetryBudgetConfigError),
    /// The breaker.
    Breaker(BreakerConfigError),
    /// The hedges.
    Hedge(HedgeConfigError),
    /// The bulkhead.
    Bulkhead(BulkheadConfigError),
    /// The adaptive limit.
    Adaptive(AdaptiveLimitConfigError),
}

impl PolicyConfigError {
    fn layer(&self) -> (&'static str, &dyn Say) {
        match self {
            Self::Timeout(error) => ("timeout", error),
            Self::Retry(error) => ("retry", error),
            Self::RetryBudget(error) => ("retry_budget", error),
            Self::Breaker(error) => ("breaker", error),
            Self::Hedge(error) => ("hedge", error),
            Self::Bulkhead(error) => ("bulkhead", error),
            Self::Adaptive(error) => ("adaptive limit", error),
        }
    }
}

impl Say for PolicyConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        let (layer, error) = self.layer();
        say!(to, layer, ": ", error)
    }
}

displayed!(PolicyConfigError);

impl Error for PolicyConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(match self {
            Self::Timeout(error) => error,
            Self::Retry(error) => error,
            Self::RetryBudget(error) => error,
            Self::Breaker(error) => error,
            Self::Hedge(error) => error,
            Self::Bulkhead(error) => error,
            Self::Adaptive(error) => error,
        })
    }
}
