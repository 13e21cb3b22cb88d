//! At most one call in a time.

use crate::time::{Duration, Instant};

use super::{DebounceConfig, Debouncer, Edge};

/// How to throttle. The defaults are lodash's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ThrottleConfig {
    /// The least time between invocations. Default zero.
    pub wait: Duration,
    /// Whether a call after a pause invokes at once. Default yes.
    pub leading: bool,
    /// Whether the last of several calls in a wait invokes at its end. Default yes.
    pub trailing: bool,
}

impl Default for ThrottleConfig {
    fn default() -> Self {
        Self { wait: Duration::ZERO, leading: true, trailing: true }
    }
}

/// A throttle with the rules of lodash's `throttle`: a [`Debouncer`] whose longest wait is its wait.
///
/// ```
/// use quillwork_core::flow::{Edge, Throttle, ThrottleConfig};
/// use quillwork_core::time::{Duration, Instant};
///
/// let mut scroll = Throttle::new(ThrottleConfig { wait: Duration::from_millis(100), ..ThrottleConfig::default() });
/// assert_eq!(scroll.handle_call(Instant::from_millis(0)), Some(Edge::Leading));
/// assert_eq!(scroll.handle_call(Instant::from_millis(40)), None);
/// assert_eq!(scroll.handle_deadline(Instant::from_millis(100)), Some(Edge::Trailing));
/// ```
#[derive(Clone, Debug)]
pub struct Throttle(Debouncer);

impl Throttle {
    /// A throttle that has seen no call.
    #[must_use]
    pub fn new(config: ThrottleConfig) -> Self {
        let ThrottleConfig { wait, leading, trailing } = config;
        Self(Debouncer::new(DebounceConfig { wait, leading, trailing, max_wait: Some(wait) }))
    }

    /// The throttled function was called.
    pub fn handle_call(&mut self, now: Instant) -> Option<Edge> {
        self.0.handle_call(now)
    }

    /// The timer fired.
    pub fn handle_deadline(&mut self, now: Instant) -> Option<Edge> {
        self.0.handle_deadline(now)
    }

    /// Invokes at once what waits for the trailing edge.
    pub fn handle_flush(&mut self, now: Instant) -> Option<Edge> {
        self.0.handle_flush(now)
    }

    /// Forgets what waits, and the last invocation.
    pub fn handle_cancel(&mut self) {
        self.0.handle_cancel();
    }

    /// Whether the wait after an invocation goes on.
    #[must_use]
    pub const fn is_pending(&self) -> bool {
        self.0.is_pending()
    }

    /// When to call [`Throttle::handle_deadline`].
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.0.next_deadline()
    }
}
