//! Outwards: from the end of an attempt to the end of its call.

use super::layers::Concurrency;
use super::table::{Attempt, AttemptState, NONE, Place};
use super::types::{AttemptId, CallError, CallFailure, CallId, CallOutcome, PolicyOutput};
use super::{ATTEMPT, HEDGE, PolicyStack, RETRY, TIMERS, TOTAL};
use crate::flow::adaptive_limit::CallEnd;
use crate::flow::breaker::{Outcome, Refusal};
use crate::flow::hedge::{HedgeAttempt, HedgeDecision};
use crate::flow::retry::{AttemptFailure, AttemptOutcome, GiveUp, RetryDecision};
use crate::flow::timeout::Late;
use crate::flow::{Fallback, rate_limit};
use crate::time::{Duration, Instant};

impl PolicyStack {
    pub(super) fn end_attempt(
        &mut self,
        now: Instant,
        id: AttemptId,
        end: AttemptOutcome,
    ) -> Result<(), Late> {
        if !self.attempts.holds(id.slot, id.serial) {
            return Err(Late);
        }
        let since = match self.attempts.at(id.slot).map(|attempt| &attempt.state) {
            Some(AttemptState::Running(since)) => *since,
            Some(AttemptState::Cancelled) => {
                let attempt = self.remove_attempt(id.slot).expect("it was just seen");
                self.layers.concurrency.leave(now, attempt.place, CallEnd::Ignored, Duration::ZERO);
                return Err(Late);
            }
            Some(AttemptState::WaitsForRate(_) | AttemptState::Queued) | None => return Err(Late),
        };
        let Attempt { call, copy, place, .. } = self.remove_attempt(id.slot).expect("it was just seen");
        let counts_as = match end {
            AttemptOutcome::Succeeded => CallEnd::Success,
            AttemptOutcome::Failed(AttemptFailure::Permanent) => CallEnd::Ignored,
            AttemptOutcome::Failed(AttemptFailure::Transient | AttemptFailure::RetryAfter(_)) => {
                CallEnd::Dropped
            }
        };
        self.layers.concurrency.leave(now, place, counts_as, now - since);
        match end {
            AttemptOutcome::Succeeded => self.win(now, call.slot, copy, id),
            AttemptOutcome::Failed(failure) => {
                self.fail_copy(now, call.slot, copy, CallError::AttemptFailed { attempt: id }, failure);
            }
        }
        Ok(())
    }

    /// An attempt's timer: its turn has come, or its time is over.
    pub(super) fn attempt_is_due(&mut self, now: Instant, slot: u32) {
        let Some(attempt) = self.attempts.at(slot) else { return };
        match attempt.state {
            AttemptState::WaitsForRate(_) => self.turn_has_come(now, slot),
            AttemptState::Running(_) => {
                let after =
                    self.config.timeout.execution.expect("only a time-out sets a running attempt's timer");
                let (call, copy) = (attempt.call, attempt.copy);
                self.totals.timed_out += 1;
                self.give_up(now, slot, CallEnd::Dropped);
                self.fail_copy(
                    now,
                    call.slot,
                    copy,
                    CallError::TimedOut { after },
                    AttemptFailure::Transient,
                );
            }
            AttemptState::Queued | AttemptState::Cancelled => {}
        }
    }

    /// An attempt that waited for a place will have none.
    pub(super) fn refuse(&mut self, now: Instant, slot: u32, refusal: CallError) {
        if let Some(attempt) = self.remove_attempt(slot) {
            self.end_round(now, attempt.call.slot, refusal, None);
        }
    }

    pub(super) fn pass_deadline(&mut self, now: Instant, call: u32) {
        if let Some(after) = self.config.timeout.total {
            self.settle_failed(now, call, CallError::DeadlineExceeded { after }, None);
        }
    }

    fn win(&mut self, now: Instant, call: u32, copy: HedgeAttempt, id: AttemptId) {
        let state = self.calls.at(call).expect("a running attempt's call has not settled");
        if let (Some(hedge), Some(hedger)) = (&mut state.hedge, &mut self.layers.hedger) {
            // Its losers are what is left on the call's list, and cancelled with it.
            let _won = hedge.handle_success(now, copy, hedger);
        }
        if let Some(retry) = &mut state.retry {
            retry.handle_success(now, self.layers.budget.as_mut());
        }
        self.tell_breaker(now, call, Some(Outcome::Success));
        self.totals.succeeded += 1;
        self.settle(now, call, CallOutcome::Succeeded(id));
    }

    fn fail_copy(
        &mut self,
        now: Instant,
        call: u32,
        copy: HedgeAttempt,
        error: CallError,
        failure: AttemptFailure,
    ) {
        let state = self.calls.at(call).expect("a running attempt's call has not settled");
        if let (Some(hedge), Some(hedger)) = (&mut state.hedge, &mut self.layers.hedger)
            && hedge.handle_failure(copy, hedger) == HedgeDecision::Wait
        {
            return;
        }
        self.end_round(now, call, error, Some(failure));
    }

    /// No attempt of this round is left. `failure` is how the last one failed, `None` where a limit of ours refused it.
    pub(super) fn end_round(
        &mut self,
        now: Instant,
        call: u32,
        error: CallError,
        failure: Option<AttemptFailure>,
    ) {
        self.timers.cancel(call * TIMERS + HEDGE);
        self.totals.refused += u64::from(failure.is_none());
        // What we refused ourselves says nothing about the service.
        let outcome = failure.map(|failure| match failure {
            AttemptFailure::Permanent => Outcome::Ignored,
            AttemptFailure::Transient | AttemptFailure::RetryAfter(_) => Outcome::Failure,
        });
        self.tell_breaker(now, call, outcome);
        let state = self.call(call);
        state.hedge = None;
        state.round_started = None;

        let failure = failure.unwrap_or_else(|| self.after_refusal(now, call, &error));
        let Some(retry) = self.calls.at(call).and_then(|call| call.retry.as_mut()) else {
            let permanent = failure == AttemptFailure::Permanent && !error.is_refusal();
            return self.settle_failed(now, call, error, permanent.then_some(GiveUp::Permanent));
        };
        match retry.handle_failure(now, failure, self.layers.budget.as_mut(), &mut self.rng) {
            RetryDecision::RetryAt(at) if error.is_refusal() => {
                self.timers.set(call * TIMERS + RETRY, at.max(now + LEAST_WAIT));
            }
            RetryDecision::RetryAt(at) => self.timers.set(call * TIMERS + RETRY, at),
            RetryDecision::GiveUp(reason) => self.settle_failed(now, call, error, Some(reason)),
        }
    }

    /// How long to stay away after a refusal: until the limit said, or for a back-off, but never not at all.
    fn after_refusal(&mut self, now: Instant, call: u32, refusal: &CallError) -> AttemptFailure {
        let earliest = match refusal {
            CallError::BreakerRefused(rejected) => match rejected.refusal {
                Refusal::ForcedOpen => return AttemptFailure::Permanent,
                refusal @ (Refusal::Open { .. } | Refusal::TrialsOut) => refusal.earliest(),
            },
            CallError::RateLimited(rate_limit::Refusal::WeightExceedsCapacity(_)) => {
                return AttemptFailure::Permanent;
            }
            CallError::RateLimited(rate_limit::Refusal::NotUntil { earliest }) => Some(*earliest),
            _ => None,
        };
        let wait = match (earliest, self.config.retry) {
            (Some(earliest), _) => earliest - now,
            (None, Some(policy)) => {
                let attempts = self.call(call).retry.as_ref().map_or(1, |retry| retry.attempts().get());
                policy.backoff.delay(attempts, policy.backoff.base, &mut self.rng)
            }
            (None, None) => Duration::ZERO,
        };
        AttemptFailure::RetryAfter(wait)
    }

    fn tell_breaker(&mut self, now: Instant, call: u32, outcome: Option<Outcome>) {
        let Some(state) = self.calls.at(call) else { return };
        let (Some(permit), Some(breaker)) = (state.permit.take(), &mut self.layers.breaker) else { return };
        match outcome {
            Some(outcome) => {
                let took = state.round_started.map_or(Duration::ZERO, |since| now - since);
                breaker.record(now, permit, outcome, took);
            }
            None => breaker.release(now, permit),
        }
    }

    pub(super) fn settle_failed(
        &mut self,
        now: Instant,
        call: u32,
        error: CallError,
        gave_up: Option<GiveUp>,
    ) {
        let failure = CallFailure { error, gave_up };
        let own_fault =
            matches!(error, CallError::Aborted) || gave_up == Some(GiveUp::Permanent) && !error.is_refusal();
        let fallback = match (self.config.fallback, error) {
            _ if own_fault => Fallback::Fail,
            (Fallback::Fail, CallError::BreakerRefused(rejected)) => rejected.fallback,
            (fallback, _) => fallback,
        };
        let outcome = match fallback {
            Fallback::Fail => {
                self.totals.failed += 1;
                CallOutcome::Failed(failure)
            }
            Fallback::DefaultValue | Fallback::LastGood | Fallback::Call(_) => {
                self.totals.fell_back += 1;
                CallOutcome::Fallback { fallback, failure }
            }
        };
        self.settle(now, call, outcome);
    }

    /// The one end of every call: all that it still holds goes back.
    fn settle(&mut self, now: Instant, call: u32, outcome: CallOutcome) {
        let id = CallId::new(self.calls.id(call));
        for timer in [TOTAL, RETRY, HEDGE] {
            self.timers.cancel(call * TIMERS + timer);
        }
        self.tell_breaker(now, call, None);
        loop {
            let slot = self.call(call).first_attempt;
            if slot == NONE {
                break;
            }
            self.cancel_attempt(now, slot);
        }
        let mut state = self.calls.take(call).expect("a call settles once");
        if let (Some(hedge), Some(hedger)) = (&mut state.hedge, &mut self.layers.hedger) {
            let _cancelled = hedge.handle_abort(hedger);
        }
        if let Some(retry) = &mut state.retry {
            retry.handle_abort(now, self.layers.budget.as_mut());
        }
        self.outputs.push_back(PolicyOutput::Settle { call: id, outcome });
    }

    fn cancel_attempt(&mut self, now: Instant, slot: u32) {
        match self.attempts.at(slot).map(|attempt| &attempt.state) {
            Some(AttemptState::Running(_)) => self.give_up(now, slot, CallEnd::Ignored),
            Some(AttemptState::WaitsForRate(_) | AttemptState::Queued) => {
                let Some(attempt) = self.remove_attempt(slot) else { return };
                if let (AttemptState::WaitsForRate(turn), Some(rate)) = (attempt.state, &mut self.layers.rate)
                {
                    rate.cancel(now, turn);
                }
                if let (Place::Bulkhead(ticket), Concurrency::Bulkhead(bulkhead)) =
                    (attempt.place, &mut self.layers.concurrency)
                {
                    self.queued.remove(&ticket.as_bits());
                    let _dequeued = bulkhead.handle_abort(now, ticket);
                }
            }
            Some(AttemptState::Cancelled) | None => self.unlink(slot),
        }
    }

    /// Its call waits no more for an attempt that runs.
    fn give_up(&mut self, now: Instant, slot: u32, end: CallEnd) {
        self.unlink(slot);
        self.timers.cancel(slot * TIMERS + ATTEMPT);
        let id = AttemptId::new(self.attempts.id(slot));
        let Some(attempt) = self.attempts.at(slot) else { return };
        let ran = match attempt.state {
            AttemptState::Running(since) => now - since,
            AttemptState::WaitsForRate(_) | AttemptState::Queued | AttemptState::Cancelled => Duration::ZERO,
        };
        attempt.state = AttemptState::Cancelled;
        let place = core::mem::take(&mut attempt.place);
        attempt.place = self.layers.concurrency.give_up(now, place, end, ran);
        self.outputs.push_back(PolicyOutput::CancelAttempt { call: attempt.call, attempt: id });
    }
}

/// A refusal of ours is never followed by a retry at the same instant, whatever the back-off: nothing has changed by
/// then, and a loop of refusals would spin.
const LEAST_WAIT: Duration = Duration::from_millis(10);
