//! Trying again: when, how often, and not more than the other side can take.
//!
//! | | decides |
//! |---|---|
//! | [`Backoff`] | how long to wait before a retry |
//! | [`RetryPolicy`] | how many attempts, how long in all, how far a server's own wish is followed |
//! | [`Retry`] | for one call: retry at this instant, or give up and why |
//! | [`RetryBudget`] | for all calls together: how many retries the successes have earned |

mod backoff;
mod budget;
mod call;
mod policy;

pub use backoff::{Backoff, BackoffError, Jitter};
pub use budget::{
    BudgetExhausted, RetryBudget, RetryBudgetConfig, RetryBudgetConfigError, RetryBudgetMetrics,
};
pub use call::{AttemptFailure, AttemptOutcome, GiveUp, Retry, RetryDecision};
pub use policy::{RetryPolicy, RetryPolicyError};
