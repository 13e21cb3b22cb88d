//! What goes into a stack and comes out of it.

use core::error::Error;
use core::fmt;

use crate::flow::Fallback;
use crate::flow::adaptive_limit::LimitReached;
use crate::flow::breaker::Rejected;
use crate::flow::bulkhead::BulkheadFull;
use crate::flow::rate_limit;
use crate::flow::retry::GiveUp;
use crate::time::Duration;

macro_rules! ticket {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name {
            pub(super) slot: u32,
            pub(super) serial: u32,
        }

        impl $name {
            /// As one number, for shells that keep numbers.
            #[must_use]
            pub const fn as_bits(self) -> u64 {
                ((self.serial as u64) << 32) | self.slot as u64
            }

            /// From [`as_bits`](Self::as_bits). A number that never came from there names nothing.
            #[must_use]
            #[expect(clippy::cast_possible_truncation, reason = "each half of the number is taken by itself")]
            pub const fn from_bits(bits: u64) -> Self {
                Self { slot: bits as u32, serial: (bits >> 32) as u32 }
            }
        }
    };
}

ticket! {
    /// One call of a stack, from [`PolicyStack::handle_call`](super::PolicyStack::handle_call) to its
    /// [`PolicyOutput::Settle`].
    CallId
}

ticket! {
    /// One attempt at a call, from its [`PolicyOutput::StartAttempt`] to
    /// [`PolicyStack::handle_result`](super::PolicyStack::handle_result). What is told of one that is not under way
    /// changes nothing.
    AttemptId
}

/// What the shell does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyOutput {
    /// Make the call, and tell with [`PolicyStack::handle_result`](super::PolicyStack::handle_result) how it ended, whether
    /// or not it is cancelled before.
    StartAttempt {
        /// Of this call.
        call: CallId,
        /// Under this id.
        attempt: AttemptId,
    },
    /// Nobody waits for its result any more. It is still to be told when it has really ended.
    CancelAttempt {
        /// Of this call.
        call: CallId,
        /// Which.
        attempt: AttemptId,
    },
    /// The call is over: exactly one for each call.
    Settle {
        /// Which.
        call: CallId,
        /// What its caller gets.
        outcome: CallOutcome,
    },
}

/// What the caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    /// The result of this attempt.
    Succeeded(AttemptId),
    /// The error.
    Failed(CallFailure),
    /// Something in place of it.
    Fallback {
        /// What.
        fallback: Fallback,
        /// What it stands for.
        failure: CallFailure,
    },
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallFailure {
    /// What its last attempt came to.
    pub error: CallError,
    /// Why it was not tried again; `None` without retries, or where the error says it.
    pub gave_up: Option<GiveUp>,
}

/// What an attempt, or a whole call, came to. Each layer has its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallError {
    /// The caller aborted it.
    Aborted,
    /// The total deadline passed.
    DeadlineExceeded {
        /// How long the call had.
        after: Duration,
    },
    /// The circuit breaker let no attempt through.
    BreakerRefused(Rejected),
    /// The rate limit would have let it through only later than it may wait.
    RateLimited(rate_limit::Refusal),
    /// The bulkhead and its queue are full.
    BulkheadFull(BulkheadFull),
    /// It waited too long in the bulkhead's queue.
    WaitedTooLong,
    /// The adaptive limit is reached.
    LimitReached(LimitReached),
    /// The attempt took too long.
    TimedOut {
        /// How long it had.
        after: Duration,
    },
    /// The attempt failed; the shell knows how.
    AttemptFailed {
        /// Which: the last one that failed.
        attempt: AttemptId,
    },
}

impl CallError {
    /// Whether a limit of ours refused the attempt: the service was not called.
    #[must_use]
    pub const fn is_refusal(&self) -> bool {
        match self {
            Self::BreakerRefused(_)
            | Self::RateLimited(_)
            | Self::BulkheadFull(_)
            | Self::WaitedTooLong
            | Self::LimitReached(_) => true,
            Self::Aborted
            | Self::DeadlineExceeded { .. }
            | Self::TimedOut { .. }
            | Self::AttemptFailed { .. } => false,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Aborted => f.write_str("the call was aborted"),
            Self::DeadlineExceeded { after } => write!(f, "the call took longer than {after:?} in all"),
            Self::BreakerRefused(rejected) => rejected.fmt(f),
            Self::RateLimited(refusal) => refusal.fmt(f),
            Self::BulkheadFull(full) => full.fmt(f),
            Self::WaitedTooLong => f.write_str("it waited too long for a place"),
            Self::LimitReached(reached) => reached.fmt(f),
            Self::TimedOut { after } => write!(f, "the attempt took longer than {after:?}"),
            Self::AttemptFailed { .. } => f.write_str("the attempt failed"),
        }
    }
}

impl Error for CallError {}
