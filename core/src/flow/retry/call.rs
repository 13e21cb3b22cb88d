//! The attempts of one call.

use core::error::Error;
use core::fmt;
use core::num::NonZeroU32;

use crate::rng::Rng;
use crate::time::{Duration, Instant};

use super::{BudgetExhausted, RetryBudget, RetryPolicy, RetryPolicyError};

/// How an attempt failed, as its caller judges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptFailure {
    /// It may well succeed the next time: a lost connection, an overloaded server.
    Transient,
    /// As before, and the other side said how long to stay away (HTTP's `Retry-After`, a breaker that opens again then, a
    /// rate limit's `earliest`). This replaces the back-off, up to [`RetryPolicy::max_retry_after`].
    RetryAfter(Duration),
    /// It would fail again: a bad request, a missing file.
    Permanent,
}

/// How an attempt ended, or one item of a batch in one processing, as its caller judges it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// With a result.
    Succeeded,
    /// With an error. [`AttemptFailure::Permanent`] is the caller's own fault: it is not tried again, and says nothing
    /// about the service to breakers and limits.
    Failed(AttemptFailure),
}

/// What follows from a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryDecision {
    /// Start the next attempt then. [`Retry::next_deadline`] says the same.
    RetryAt(Instant),
    /// The call is over with its last failure.
    GiveUp(GiveUp),
}

/// Why a call is not tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GiveUp {
    /// All attempts were made.
    AttemptsExhausted {
        /// How many.
        attempts: NonZeroU32,
    },
    /// The next attempt would start at the call's total deadline or after it.
    DeadlineExceeded {
        /// The total deadline.
        deadline: Instant,
    },
    /// All calls together have retried too much.
    BudgetExhausted(BudgetExhausted),
    /// The failure was permanent.
    Permanent,
    /// The call was aborted.
    Aborted,
    /// The call has succeeded: what failed was an attempt that nobody waits for any more.
    Succeeded,
}

/// The retries of one call: when the next attempt starts, or why there is none.
///
/// The shell runs the attempts. The first starts at once and is never blocked by a budget. After a failure
/// [`Retry::handle_failure`] gives the decision; when its time has come [`Retry::handle_deadline`] gives the number of
/// the attempt to start. What is told about a call that is over changes nothing.
///
/// The value is small and holds no memory of its own: make one per call.
///
/// ```
/// use quillwork_core::flow::retry::{AttemptFailure, Backoff, GiveUp, Retry, RetryDecision, RetryPolicy};
/// use quillwork_core::rng::Rng;
/// use quillwork_core::time::{Duration, Instant};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = RetryPolicy { backoff: Backoff::constant(Duration::from_millis(50)), ..RetryPolicy::attempts(2)? };
/// let mut rng = Rng::from_seed(7);
/// let mut call = Retry::new(policy, Instant::ZERO)?;
///
/// let failed_at = Instant::from_millis(10);
/// let decision = call.handle_failure(failed_at, AttemptFailure::Transient, None, &mut rng);
/// assert_eq!(decision, RetryDecision::RetryAt(Instant::from_millis(60)));
/// assert_eq!(call.handle_deadline(Instant::from_millis(60)).map(|attempt| attempt.get()), Some(2));
///
/// let decision = call.handle_failure(Instant::from_millis(70), AttemptFailure::Transient, None, &mut rng);
/// assert!(matches!(decision, RetryDecision::GiveUp(GiveUp::AttemptsExhausted { attempts }) if attempts.get() == 2));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Retry {
    policy: RetryPolicy,
    deadline: Instant,
    attempts: NonZeroU32,
    /// The last wait that the back-off gave.
    previous: Duration,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Running,
    Waiting { until: Instant, paid: bool },
    Over(GiveUp),
}

impl Retry {
    /// A call whose first attempt starts `now`.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn new(policy: RetryPolicy, now: Instant) -> Result<Self, RetryPolicyError> {
        policy.validate()?;
        Ok(Self {
            policy,
            deadline: policy.deadline.map_or(Instant::NEVER, |deadline| now + deadline),
            attempts: NonZeroU32::MIN,
            previous: Duration::ZERO,
            state: State::Running,
        })
    }

    /// The attempt under way failed. A retry is paid from `budget` where there is one; a token is taken only when
    /// nothing else stands against the retry.
    pub fn handle_failure(
        &mut self,
        now: Instant,
        failure: AttemptFailure,
        budget: Option<&mut RetryBudget>,
        rng: &mut Rng,
    ) -> RetryDecision {
        match self.state {
            State::Running => {}
            State::Waiting { until, .. } => return RetryDecision::RetryAt(until),
            State::Over(reason) => return RetryDecision::GiveUp(reason),
        }
        self.state = match self.retry_at(now, failure, budget, rng) {
            Ok(state) => state,
            Err(reason) => State::Over(reason),
        };
        match self.state {
            State::Waiting { until, .. } => RetryDecision::RetryAt(until),
            State::Over(reason) => RetryDecision::GiveUp(reason),
            State::Running => unreachable!("a failed attempt doesn't run"),
        }
    }

    /// The attempt under way succeeded: the call is over, and pays into the budget.
    pub fn handle_success(&mut self, now: Instant, budget: Option<&mut RetryBudget>) {
        if self.state != State::Running {
            return;
        }
        self.state = State::Over(GiveUp::Succeeded);
        if let Some(budget) = budget {
            budget.handle_success(now);
        }
    }

    /// The caller wants no result any more. A retry that was waited for is not made, and what it had taken from the budget
    /// goes back.
    pub fn handle_abort(&mut self, now: Instant, budget: Option<&mut RetryBudget>) {
        if let State::Waiting { paid: true, .. } = self.state
            && let Some(budget) = budget
        {
            budget.refund(now);
        }
        if !self.is_over() {
            self.state = State::Over(GiveUp::Aborted);
        }
    }

    /// The number of the attempt to start now, if the wait before it is over: 2 for the first retry.
    pub fn handle_deadline(&mut self, now: Instant) -> Option<NonZeroU32> {
        match self.state {
            State::Waiting { until, .. } if until <= now => {
                self.attempts = self.attempts.saturating_add(1);
                self.state = State::Running;
                Some(self.attempts)
            }
            State::Waiting { .. } | State::Running | State::Over(_) => None,
        }
    }

    /// When to call [`Retry::handle_deadline`]: the start of the next attempt.
    #[must_use]
    pub const fn next_deadline(&self) -> Option<Instant> {
        match self.state {
            State::Waiting { until, .. } => Some(until),
            State::Running | State::Over(_) => None,
        }
    }

    /// How many attempts were started, the one under way included.
    #[must_use]
    pub const fn attempts(&self) -> NonZeroU32 {
        self.attempts
    }

    /// Whether no further attempt will start and none is under way that anyone waits for.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self.state, State::Over(_))
    }

    /// The end of the time that the call has in all; [`Instant::NEVER`] without a limit.
    #[must_use]
    pub const fn deadline(&self) -> Instant {
        self.deadline
    }

    fn retry_at(
        &mut self,
        now: Instant,
        failure: AttemptFailure,
        budget: Option<&mut RetryBudget>,
        rng: &mut Rng,
    ) -> Result<State, GiveUp> {
        if failure == AttemptFailure::Permanent {
            return Err(GiveUp::Permanent);
        }
        if self.attempts >= self.policy.max_attempts {
            return Err(GiveUp::AttemptsExhausted { attempts: self.attempts });
        }
        let delay = match failure {
            AttemptFailure::RetryAfter(asked) => asked.min(self.policy.max_retry_after),
            AttemptFailure::Transient | AttemptFailure::Permanent => {
                self.previous = self.policy.backoff.delay(self.attempts.get(), self.previous, rng);
                self.previous
            }
        };
        let until = now + delay;
        if until >= self.deadline {
            return Err(GiveUp::DeadlineExceeded { deadline: self.deadline });
        }
        let paid = budget.is_some();
        if let Some(budget) = budget {
            budget.try_withdraw(now).map_err(GiveUp::BudgetExhausted)?;
        }
        Ok(State::Waiting { until, paid })
    }
}

impl fmt::Display for GiveUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AttemptsExhausted { attempts } => write!(f, "all {attempts} attempts failed"),
            Self::DeadlineExceeded { .. } => {
                f.write_str("a further attempt would start after the total deadline")
            }
            Self::BudgetExhausted(error) => error.fmt(f),
            Self::Permanent => f.write_str("the failure is permanent"),
            Self::Aborted => f.write_str("the call was aborted"),
            Self::Succeeded => f.write_str("the call has succeeded before"),
        }
    }
}

impl Error for GiveUp {}
