//! What a breaker has to show.

use super::event::BreakerState;
use super::window::Counts;

/// What a breaker has to show at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerMetrics {
    /// The state that a call would meet.
    pub state: BreakerState,
    /// What the window holds. While it isn't closed, what it held when it opened.
    pub window: Counts,
    /// Failures in a row.
    pub consecutive_failures: u32,
    /// Rounds of trials that failed since it first opened.
    pub failed_rounds: u32,
    /// Trials that have not ended.
    pub trials_out: u32,
    /// Trials of this round that have.
    pub trials: Counts,
    /// Since the breaker was made.
    pub totals: BreakerTotals,
}

/// What happened since a breaker was made. What comes in [`BreakerMode::Disabled`](super::BreakerMode::Disabled) is not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BreakerTotals {
    /// Calls and trials that succeeded.
    pub succeeded: u64,
    /// Calls and trials that failed.
    pub failed: u64,
    /// Those of both that were slow.
    pub slow: u64,
    /// Calls whose outcome was ignored.
    pub ignored: u64,
    /// Permits that were given back without a call.
    pub cancelled: u64,
    /// Calls that ended after the state had changed.
    pub late: u64,
    /// Calls that were refused.
    pub refused: u64,
    /// How often it opened.
    pub opened: u64,
}

impl BreakerTotals {
    pub(super) fn count(&mut self, failed: bool, slow: bool) {
        self.succeeded += u64::from(!failed);
        self.failed += u64::from(failed);
        self.slow += u64::from(slow);
    }
}
