//! Layers of protection around a call, in one order.
//!
//! A [`PolicyStack`] puts retries, breaker, limits and the rest together and keeps track of every call through them. The order
//! is fixed:
//!
//! ```text
//! fallback > total deadline > retry (budget) > circuit breaker > hedge > rate limit > bulkhead or adaptive limit > time-out > call
//! ```
//!
//! The guide `docs/flow/composition.md` argues it. In short: what is outside decides about everything inside. A call that the
//! breaker refuses takes nothing from the limits; a retry asks the breaker again; every attempt that is really made, hedges
//! included, is counted by the limits; and a time-out counts from the start of its attempt, not from when that began to wait.
//!
//! # What a shell does
//!
//! It calls [`PolicyStack::handle_call`] and then does what the outputs say. Each [`PolicyOutput::StartAttempt`] is
//! answered by exactly one [`PolicyStack::handle_result`], when the attempt has really ended, also if it was cancelled in
//! between. Each call gets exactly one [`PolicyOutput::Settle`].
//!
//! ```
//! use quillwork_core::flow::breaker::BreakerConfig;
//! use quillwork_core::flow::policy::{CallOutcome, PolicyConfig, PolicyOutput, PolicyStack};
//! use quillwork_core::flow::retry::{AttemptFailure, AttemptOutcome, Backoff, RetryPolicy};
//! use quillwork_core::time::{Duration, Instant};
//!
//! let backoff = Backoff::constant(Duration::from_millis(50));
//! let config = PolicyConfig {
//!     retry: Some(RetryPolicy { backoff, ..RetryPolicy::attempts(3)? }),
//!     breaker: Some(BreakerConfig::default()),
//!     ..PolicyConfig::default()
//! };
//! let mut stack = PolicyStack::new(config, 7, Instant::ZERO)?;
//!
//! let call = stack.handle_call(Instant::ZERO);
//! let Some(PolicyOutput::StartAttempt { attempt, .. }) = stack.poll_output() else { unreachable!("nothing stops it") };
//! stack.handle_result(Instant::from_millis(10), attempt, AttemptOutcome::Failed(AttemptFailure::Transient))?;
//!
//! assert_eq!(stack.poll_output(), None);
//! assert_eq!(stack.next_deadline(), Some(Instant::from_millis(60)));
//! stack.handle_deadline(Instant::from_millis(60));
//! let Some(PolicyOutput::StartAttempt { attempt, .. }) = stack.poll_output() else { unreachable!("it is retried") };
//! stack.handle_result(Instant::from_millis(80), attempt, AttemptOutcome::Succeeded)?;
//! assert_eq!(stack.poll_output(), Some(PolicyOutput::Settle { call, outcome: CallOutcome::Succeeded(attempt) }));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod config;
mod ending;
mod layers;
mod starting;
mod table;
mod types;

#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod tests;

use alloc::collections::VecDeque;

use self::layers::{Concurrency, Layers};
use self::table::{Attempt, Call, Table};
use super::adaptive_limit::AdaptiveLimitMetrics;
use super::breaker::{Breaker, BreakerMetrics};
use super::bulkhead::{BulkheadMetrics, BulkheadOutput};
use super::hedge::HedgerMetrics;
use super::retry::{AttemptOutcome, Retry, RetryBudget, RetryBudgetMetrics, RetryPolicy};
use super::timeout::{Late, Timeout};
use crate::deadline::Deadlines;
use crate::id_map::IdMap;
use crate::rng::Rng;
use crate::time::Instant;

pub use self::config::{ConcurrencyLayer, PolicyConfig, PolicyConfigError, RateLayer};
pub use self::types::{AttemptId, CallError, CallFailure, CallId, CallOutcome, PolicyOutput};

/// Takes calls through the layers that it has. See [the module](self).
#[derive(Debug)]
pub struct PolicyStack {
    config: PolicyConfig,
    layers: Layers,
    calls: Table<Call>,
    attempts: Table<Attempt>,
    /// Attempts in the bulkhead's queue, by their ticket.
    queued: IdMap<u64, u32>,
    timers: Deadlines,
    outputs: VecDeque<PolicyOutput>,
    rng: Rng,
    latest: Instant,
    totals: PolicyTotals,
}

impl PolicyStack {
    /// A stack without calls. All that is random in it, the jitter of retries, follows from `seed`.
    ///
    /// # Errors
    ///
    /// The first layer whose settings are impossible.
    pub fn new(mut config: PolicyConfig, seed: u64, now: Instant) -> Result<Self, PolicyConfigError> {
        Timeout::new(config.timeout, now).map_err(PolicyConfigError::Timeout)?;
        if let Some(retry) = &mut config.retry {
            // No retry is waited for that could only start after the call's own deadline.
            *retry = RetryPolicy { deadline: earlier(retry.deadline, config.timeout.total), ..*retry };
            Retry::new(*retry, now).map_err(PolicyConfigError::Retry)?;
        }
        Ok(Self {
            layers: Layers::new(&config, now)?,
            config,
            calls: Table::default(),
            attempts: Table::default(),
            queued: IdMap::new(),
            timers: Deadlines::new(),
            outputs: VecDeque::new(),
            rng: Rng::from_seed(seed),
            latest: now,
            totals: PolicyTotals::default(),
        })
    }

    /// A call comes. Outputs say what to do about it, at once or later.
    pub fn handle_call(&mut self, now: Instant) -> CallId {
        let now = self.advance(now);
        self.totals.calls += 1;
        let call = self.begin_call(now);
        self.drain_bulkhead(now);
        call
    }

    /// An attempt has really ended: well, badly, or by its cancellation (then `end` doesn't matter).
    ///
    /// # Errors
    ///
    /// Where nobody waits for its result any more: it was cancelled, has timed out, or was told before. The result is to
    /// be dropped.
    pub fn handle_result(
        &mut self,
        now: Instant,
        attempt: AttemptId,
        end: AttemptOutcome,
    ) -> Result<(), Late> {
        let now = self.advance(now);
        let result = self.end_attempt(now, attempt, end);
        self.drain_bulkhead(now);
        result
    }

    /// The caller wants no result any more. The call settles as [`CallError::Aborted`], unless it has settled before.
    pub fn handle_abort(&mut self, now: Instant, call: CallId) {
        let now = self.advance(now);
        if self.calls.holds(call.slot, call.serial) {
            self.settle_failed(now, call.slot, CallError::Aborted, None);
            self.drain_bulkhead(now);
        }
    }

    /// Time has passed.
    pub fn handle_deadline(&mut self, now: Instant) {
        let now = self.advance(now);
        if let Concurrency::Bulkhead(bulkhead) = &mut self.layers.concurrency {
            bulkhead.handle_deadline(now);
        }
        self.drain_bulkhead(now);
        while let Some(timer) = self.timers.pop_due(now) {
            let slot = timer / TIMERS;
            match timer % TIMERS {
                TOTAL => self.pass_deadline(now, slot),
                RETRY => self.retry(now, slot),
                HEDGE => self.hedge(now, slot),
                _ => self.attempt_is_due(now, slot),
            }
            self.drain_bulkhead(now);
        }
    }

    /// When to call [`handle_deadline`](Self::handle_deadline).
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let queue = match &self.layers.concurrency {
            Concurrency::Bulkhead(bulkhead) => bulkhead.next_deadline(),
            Concurrency::Unlimited | Concurrency::Adaptive(_) => None,
        };
        match (self.timers.next(), queue) {
            (Some(timer), Some(queue)) => Some(timer.min(queue)),
            (timer, queue) => timer.or(queue),
        }
    }

    /// The next thing to do. To be called until `None` after each input.
    pub fn poll_output(&mut self) -> Option<PolicyOutput> {
        self.outputs.pop_front()
    }

    /// The breaker, if there is one: for operators' modes and for observers' events.
    pub const fn breaker_mut(&mut self) -> Option<&mut Breaker> {
        self.layers.breaker.as_mut()
    }

    /// The retry budget, if there is one: for a shell whose stacks share one, which swaps it in for each input.
    pub const fn retry_budget_mut(&mut self) -> Option<&mut RetryBudget> {
        self.layers.budget.as_mut()
    }

    /// What there is to show, of the stack and of each layer that it has.
    #[must_use]
    pub fn metrics(&self, now: Instant) -> PolicyMetrics {
        let (bulkhead, adaptive_limit) = match &self.layers.concurrency {
            Concurrency::Unlimited => (None, None),
            Concurrency::Bulkhead(bulkhead) => (Some(bulkhead.metrics()), None),
            Concurrency::Adaptive(limit) => (None, Some(limit.metrics())),
        };
        PolicyMetrics {
            calls_open: self.calls.len(),
            attempts_open: self.attempts.len(),
            totals: self.totals,
            retry_budget: self.layers.budget.as_ref().map(|budget| budget.metrics(now)),
            breaker: self.layers.breaker.as_ref().map(|breaker| breaker.metrics(now)),
            hedger: self.layers.hedger.as_ref().map(super::hedge::Hedger::metrics),
            bulkhead,
            adaptive_limit,
        }
    }

    fn advance(&mut self, now: Instant) -> Instant {
        self.latest = self.latest.max(now);
        self.latest
    }

    /// Whom the bulkhead lets start or gives up, after anything that may have changed it.
    fn drain_bulkhead(&mut self, now: Instant) {
        while let Concurrency::Bulkhead(bulkhead) = &mut self.layers.concurrency
            && let Some(output) = bulkhead.poll_output()
        {
            let (BulkheadOutput::Start { ticket } | BulkheadOutput::WaitedTooLong { ticket }) = output;
            let Some(slot) = self.queued.remove(&ticket.as_bits()) else {
                // It was cancelled at a time when it had waited too long already: nobody waits for this answer.
                bulkhead.handle_leave(now, ticket);
                continue;
            };
            match output {
                BulkheadOutput::Start { .. } => self.run(now, slot),
                BulkheadOutput::WaitedTooLong { .. } => {
                    self.refuse(now, slot, CallError::WaitedTooLong);
                }
            }
        }
    }
}

fn earlier(
    one: Option<crate::time::Duration>,
    other: Option<crate::time::Duration>,
) -> Option<crate::time::Duration> {
    one.into_iter().chain(other).min()
}

/// What a stack has to show at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PolicyMetrics {
    /// Calls that have not settled.
    pub calls_open: usize,
    /// Attempts that wait, run, or were cancelled and have not ended.
    pub attempts_open: usize,
    /// What it has counted.
    pub totals: PolicyTotals,
    /// The retry budget, if there is one.
    pub retry_budget: Option<RetryBudgetMetrics>,
    /// The breaker, if there is one.
    pub breaker: Option<BreakerMetrics>,
    /// The hedges, if there are any.
    pub hedger: Option<HedgerMetrics>,
    /// The bulkhead, if there is one.
    pub bulkhead: Option<BulkheadMetrics>,
    /// The adaptive limit, if there is one.
    pub adaptive_limit: Option<AdaptiveLimitMetrics>,
}

/// What a stack has counted. At all times `calls = succeeded + failed + fell_back + open ones`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyTotals {
    /// Calls that came.
    pub calls: u64,
    /// Attempts that were started, hedges included.
    pub attempts: u64,
    /// Rounds of attempts that were refused by a limit of ours.
    pub refused: u64,
    /// Rounds of attempts after the first.
    pub retries: u64,
    /// Attempts that timed out.
    pub timed_out: u64,
    /// Calls that settled with a result.
    pub succeeded: u64,
    /// Calls that settled with an error, cancelled ones included.
    pub failed: u64,
    /// Calls that settled with a fallback.
    pub fell_back: u64,
}

/// Timers of a slot: three of the call in it, one of the attempt in it.
const TIMERS: u32 = 4;
const TOTAL: u32 = 0;
const RETRY: u32 = 1;
const HEDGE: u32 = 2;
const ATTEMPT: u32 = 3;
