//! What observers are told.

use super::window::Counts;
use crate::time::Instant;

/// The state of a breaker: the three of the pattern, and the four that an operator can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Calls go through and are counted.
    Closed,
    /// Calls are refused.
    Open {
        /// From then on the next call is a trial.
        until: Instant,
    },
    /// A few trial calls go through, the rest is refused.
    HalfOpen,
    /// [`BreakerMode::ForcedOpen`].
    ForcedOpen,
    /// [`BreakerMode::ForcedClosed`].
    ForcedClosed,
    /// [`BreakerMode::Disabled`].
    Disabled,
    /// [`BreakerMode::MetricsOnly`].
    MetricsOnly,
}

/// Who decides: the breaker, or an operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum BreakerMode {
    /// The breaker opens and closes by itself.
    #[default]
    Automatic,
    /// Refuses every call until the mode is changed. For a service that is down for maintenance.
    ForcedOpen,
    /// Lets every call through and counts it, whatever comes. For when a breaker itself is in the way.
    ForcedClosed,
    /// Lets every call through and counts nothing.
    Disabled,
    /// Lets every call through, counts it, and says when the breaker would have opened
    /// ([`BreakerEvent::WouldOpen`]). For trying settings on real traffic.
    MetricsOnly,
}

/// Why a breaker changed its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BreakerCause {
    /// So many failures in a row.
    ConsecutiveFailures {
        /// How many.
        failures: u32,
    },
    /// Too many calls of the window, or of the trials, failed.
    FailureRatio {
        /// Of which calls.
        counts: Counts,
    },
    /// Too many calls of the window, or of the trials, were slow.
    SlowRatio {
        /// Of which calls.
        counts: Counts,
    },
    /// It has been open for its time.
    OpenTimeOver,
    /// The trials were good enough.
    TrialsPassed {
        /// The trials.
        counts: Counts,
    },
    /// Trials did not end in time.
    TrialsOverdue,
    /// [`Breaker::hold_open`](super::Breaker::hold_open) or [`Breaker::set_mode`](super::Breaker::set_mode).
    Asked,
}

/// Something that observers may want to know. Nothing depends on their being polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BreakerEvent {
    /// The state changed.
    Changed {
        /// Since when the new state holds.
        at: Instant,
        /// The state before.
        from: BreakerState,
        /// The state now.
        to: BreakerState,
        /// Why.
        cause: BreakerCause,
    },
    /// In [`BreakerMode::MetricsOnly`]: in automatic mode it would have opened now. Said again only after the calls were
    /// good in between.
    WouldOpen {
        /// When.
        at: Instant,
        /// Why.
        cause: BreakerCause,
    },
}

/// The last few events, oldest first, in place: observers that never poll cost no memory.
#[derive(Clone, Debug, Default)]
pub(super) struct Events {
    ring: [Option<BreakerEvent>; KEPT],
    next_out: usize,
    len: usize,
}

impl Events {
    pub(super) fn push(&mut self, event: BreakerEvent) {
        if self.len == KEPT {
            self.pop();
        }
        self.ring[(self.next_out + self.len) % KEPT] = Some(event);
        self.len += 1;
    }

    pub(super) fn pop(&mut self) -> Option<BreakerEvent> {
        let event = self.ring[self.next_out].take()?;
        self.next_out = (self.next_out + 1) % KEPT;
        self.len -= 1;
        Some(event)
    }
}

/// One input makes at most two; who drains after each input misses none.
const KEPT: usize = 4;
