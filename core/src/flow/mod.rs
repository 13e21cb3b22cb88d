//! Flow control of calls: fewer, later, together.
//!
//! | | decides | for |
//! |---|---|---|
//! | [`Debouncer`] | when a burst of calls has ended | search as you type, saving after the last change |
//! | [`Throttle`] | at most one call in a time | scrolling, resizing, progress |
//! | [`Batcher`] | which items go together | many small loads or writes as one |
//! | [`Retry`], [`RetryBudget`] | whether and when a failed call is tried again | calls that may succeed the next time |
//!
//! They decide *when*; the shell keeps arguments and results, and calls the function.
//!
//! ```
//! use quillwork_core::flow::{DebounceConfig, Debouncer, Edge};
//! use quillwork_core::time::{Duration, Instant};
//!
//! let wait = Duration::from_millis(100);
//! let mut save = Debouncer::new(DebounceConfig { wait, ..DebounceConfig::default() });
//! assert_eq!(save.handle_call(Instant::from_millis(0)), None);
//! assert_eq!(save.handle_call(Instant::from_millis(60)), None);
//!
//! // The timer of the first call fires, and is set again for the rest of the second's wait.
//! assert_eq!(save.next_deadline(), Some(Instant::from_millis(100)));
//! assert_eq!(save.handle_deadline(Instant::from_millis(100)), None);
//! assert_eq!(save.next_deadline(), Some(Instant::from_millis(160)));
//! assert_eq!(save.handle_deadline(Instant::from_millis(160)), Some(Edge::Trailing));
//! ```

mod batch;
mod debounce;
mod retry;
mod throttle;

pub use batch::{BatchConfig, BatchConfigError, BatchId, Batcher, BatcherClosed, Cause, Placed, ReadyBatch};
pub use debounce::{DebounceConfig, Debouncer, Edge};
pub use retry::{
    AttemptFailure, Backoff, BackoffError, BudgetExhausted, GiveUp, Jitter, Retry, RetryBudget,
    RetryBudgetConfig, RetryBudgetError, RetryBudgetMetrics, RetryDecision, RetryPolicy, RetryPolicyError,
};
pub use throttle::{Throttle, ThrottleConfig};
