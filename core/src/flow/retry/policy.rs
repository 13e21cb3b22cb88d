//! How often one call may be tried, and for how long.

use core::error::Error;
use core::fmt;
use core::num::NonZeroU32;

use crate::say::{Say, displayed};
use crate::time::Duration;

use super::{Backoff, BackoffError};

/// How one call is retried. The defaults suit calls to a service over a network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryPolicy {
    /// How many attempts a call has, the first included: 1 never retries. Default 3.
    pub max_attempts: NonZeroU32,
    /// How long to wait before each retry.
    pub backoff: Backoff,
    /// How long a call may take in all, from its start. No retry starts then or later; an attempt under way is not cut off
    /// (that is [`Timeout`](crate::flow::timeout::Timeout)'s work). `None`: only attempts count. Default `None`.
    pub deadline: Option<Duration>,
    /// How far a wish of the other side ([`AttemptFailure::RetryAfter`](super::AttemptFailure::RetryAfter)) is followed. It
    /// replaces the back-off, but no call waits longer than this on another's word. Default 60 s.
    pub max_retry_after: Duration,
}

impl RetryPolicy {
    /// Never retries.
    pub const NEVER: Self = Self {
        max_attempts: NonZeroU32::MIN,
        backoff: Backoff::NONE,
        deadline: None,
        max_retry_after: Duration::ZERO,
    };

    /// So many attempts, the first included, with the default back-off.
    ///
    /// # Errors
    ///
    /// Where `max_attempts` is 0: the first attempt is one.
    pub fn attempts(max_attempts: u32) -> Result<Self, RetryPolicyError> {
        let max_attempts = NonZeroU32::new(max_attempts).ok_or(RetryPolicyError::NoAttempts)?;
        Ok(Self { max_attempts, ..Self::default() })
    }

    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), RetryPolicyError> {
        self.backoff.validate().map_err(RetryPolicyError::Backoff)?;
        if self.deadline.is_some_and(Duration::is_zero) {
            return Err(RetryPolicyError::ZeroDeadline);
        }
        Ok(())
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_attempts: DEFAULT_ATTEMPTS,
            backoff: Backoff::default(),
            deadline: None,
            max_retry_after: Duration::from_secs(60),
        }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum RetryPolicyError {
    /// Not even the first attempt.
    NoAttempts,
    /// A total deadline of no time: every call would be over before its first retry.
    ZeroDeadline,
    /// The back-off can't be used.
    Backoff(BackoffError),
}

impl Say for RetryPolicyError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::NoAttempts => {
                to.write_str("a call has at least 1 attempt, the first included; take 1 for no retry")
            }
            Self::ZeroDeadline => to.write_str(
                "a total deadline must be longer than zero; leave it out for none, or take 1 attempt",
            ),
            Self::Backoff(error) => error.say(to),
        }
    }
}

displayed!(RetryPolicyError);

impl Error for RetryPolicyError {}

const DEFAULT_ATTEMPTS: NonZeroU32 = NonZeroU32::new(3).expect("3 is not 0");
