//! Flow control of calls: fewer, later, together.
//!
//! | | decides | for |
//! |---|---|---|
//! | [`Debouncer`] | when a burst of calls has ended | search as you type, saving after the last change |
//! | [`Throttle`] | at most one call in a time | scrolling, resizing, progress |
//! | [`rate_limit::Gcra`], [`rate_limit::SlidingLog`] | when so much is possible | an API's quota, bytes a second |
//! | [`executor::Executor`] | when each of many tasks starts | calls of a slow or limited backend, none of which may be lost |
//! | [`batch::Batcher`] | which items go together | many small loads or writes as one |
//! | [`retry::Retry`], [`retry::RetryBudget`] | whether and when a failed call is tried again | calls that may succeed the next time |
//! | [`timeout::Timeout`] | when a call has taken too long | calls that may hang |
//! | [`bulkhead::Bulkhead`] | how many calls run and wait | one slow backend beside others |
//! | [`hedge::Hedge`] | when a slow call is made a second time | reads from replicas with a long tail |
//! | [`adaptive_limit::AdaptiveLimit`] | how many calls a service takes at a time | services whose capacity nobody knows, or that changes |
//! | [`breaker::Breaker`] | which calls a failing service is spared | remote services, workers that fail |
//! | [`policy::PolicyStack`] | all of it for one call, in one order | calls that need several of these |
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

pub mod adaptive_limit;
pub mod batch;
pub mod breaker;
pub mod bulkhead;
mod debounce;
pub mod executor;
mod fallback;
pub mod hedge;
pub mod policy;
pub mod rate_limit;
pub mod retry;
mod throttle;
pub mod timeout;

pub use debounce::{DebounceConfig, Debouncer, Edge};
pub use fallback::Fallback;
pub use throttle::{Throttle, ThrottleConfig};
