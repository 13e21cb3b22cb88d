//! Inwards: from a call to an attempt that runs.

use super::layers::Entered;
use super::table::{Attempt, AttemptState, Call, NONE, Place};
use super::types::{AttemptId, CallError, CallId, PolicyOutput};
use super::{ATTEMPT, HEDGE, PolicyStack, TIMERS, TOTAL};
use crate::flow::breaker::BreakerState;
use crate::flow::hedge::{Hedge, HedgeAttempt};
use crate::flow::retry::Retry;
use crate::time::Instant;

impl PolicyStack {
    pub(super) fn begin_call(&mut self, now: Instant) -> CallId {
        let retry =
            self.config.retry.map(|policy| Retry::new(policy, now).expect("it was checked with the stack"));
        let call = CallId::new(self.calls.insert(Call {
            retry,
            permit: None,
            hedge: None,
            round_started: None,
            first_attempt: NONE,
        }));
        if let Some(total) = self.config.timeout.total {
            self.timers.set(call.slot * TIMERS + TOTAL, now + total);
        }
        self.begin_round(now, call.slot);
        call
    }

    /// The wait before a retry is over.
    pub(super) fn retry(&mut self, now: Instant, call: u32) {
        let Some(retry) = self.calls.at(call).and_then(|call| call.retry.as_mut()) else { return };
        if retry.handle_deadline(now).is_some() {
            self.totals.retries += 1;
            self.begin_round(now, call);
        }
    }

    /// One round: an attempt that the breaker lets through, and its hedges.
    fn begin_round(&mut self, now: Instant, call: u32) {
        if let Some(breaker) = &mut self.layers.breaker {
            match breaker.try_acquire(now) {
                Ok(permit) => self.call(call).permit = Some(permit),
                Err(rejected) => return self.end_round(now, call, CallError::BreakerRefused(rejected), None),
            }
        }
        if let Err(refusal) = self.begin_attempt(now, call, HedgeAttempt::FIRST) {
            self.end_round(now, call, refusal, None);
        }
    }

    /// An attempt goes to the rate limit. Only the first of a round may wait, there and in a queue: a hedge that waits
    /// helps nobody.
    fn begin_attempt(&mut self, now: Instant, call: u32, copy: HedgeAttempt) -> Result<(), CallError> {
        let Some(rate) = &mut self.layers.rate else { return self.enter(now, call, copy) };
        let turn = rate.reserve(now, !copy.is_hedge()).map_err(CallError::RateLimited)?;
        let starts_at = turn.starts_at();
        if starts_at <= now {
            return self.enter(now, call, copy);
        }
        let slot = self.add_attempt(call, copy, AttemptState::WaitsForRate(turn), Place::None);
        self.timers.set(slot * TIMERS + ATTEMPT, starts_at);
        Ok(())
    }

    /// ... from there to the concurrency layer.
    fn enter(&mut self, now: Instant, call: u32, copy: HedgeAttempt) -> Result<(), CallError> {
        match self.layers.concurrency.enter(now, !copy.is_hedge())? {
            Entered::Runs(place) => {
                let slot = self.add_attempt(call, copy, AttemptState::Queued, place);
                self.run(now, slot);
            }
            Entered::Queued(place) => {
                let ticket = if let Place::Bulkhead(ticket) = place { Some(ticket) } else { None };
                let slot = self.add_attempt(call, copy, AttemptState::Queued, place);
                if let Some(ticket) = ticket {
                    self.queued.insert(ticket.as_bits(), slot);
                }
            }
        }
        Ok(())
    }

    /// Its turn at the rate limit has come.
    pub(super) fn turn_has_come(&mut self, now: Instant, slot: u32) {
        let Some(Attempt { call, copy, .. }) = self.remove_attempt(slot) else { return };
        if let Err(refusal) = self.enter(now, call.slot, copy) {
            self.end_round(now, call.slot, refusal, None);
        }
    }

    /// It has all that it needs: start it.
    pub(super) fn run(&mut self, now: Instant, slot: u32) {
        let id = AttemptId::new(self.attempts.id(slot));
        let attempt = self.attempts.at(slot).expect("an attempt that is to run is in its table");
        attempt.state = AttemptState::Running(now);
        let (call, copy) = (attempt.call, attempt.copy);
        if let Some(limit) = self.config.timeout.execution {
            self.timers.set(slot * TIMERS + ATTEMPT, now + limit);
        }
        if !copy.is_hedge() {
            self.call(call.slot).round_started = Some(now);
            self.begin_hedging(now, call.slot);
        }
        self.totals.attempts += 1;
        self.outputs.push_back(PolicyOutput::StartAttempt { call, attempt: id });
    }

    /// Trials of a half-open breaker are not hedged: it asked for so many calls and no more.
    fn begin_hedging(&mut self, now: Instant, call: u32) {
        let trial =
            self.layers.breaker.as_ref().is_some_and(|breaker| breaker.state(now) == BreakerState::HalfOpen);
        if let Some(hedger) = self.layers.hedger.as_mut().filter(|_| !trial) {
            let hedge = Hedge::new(hedger, now);
            self.timers.set(call * TIMERS + HEDGE, hedge.next_deadline().unwrap_or(Instant::NEVER));
            self.call(call).hedge = Some(hedge);
        }
    }

    /// The attempts of this round take long.
    pub(super) fn hedge(&mut self, now: Instant, call: u32) {
        let Some(hedger) = &mut self.layers.hedger else { return };
        let Some(hedge) = self.calls.at(call).and_then(|call| call.hedge.as_mut()) else { return };
        let copy = hedge.handle_deadline(now, hedger);
        self.timers.set(call * TIMERS + HEDGE, hedge.next_deadline().unwrap_or(Instant::NEVER));
        let Some(copy) = copy else { return };
        if self.begin_attempt(now, call, copy).is_err()
            && let Some(hedge) = self.calls.at(call).and_then(|call| call.hedge.as_mut())
            && let Some(hedger) = &mut self.layers.hedger
        {
            // No room for a second one: the first goes on alone.
            let _goes_on = hedge.handle_failure(copy, hedger);
        }
    }

    fn add_attempt(&mut self, call: u32, copy: HedgeAttempt, state: AttemptState, place: Place) -> u32 {
        let id = CallId::new(self.calls.id(call));
        let next = self.call(call).first_attempt;
        let (slot, _) = self.attempts.insert(Attempt { call: id, copy, next, state, place });
        self.call(call).first_attempt = slot;
        slot
    }

    /// Takes an attempt off its call's list and out of the table.
    pub(super) fn remove_attempt(&mut self, slot: u32) -> Option<Attempt> {
        self.unlink(slot);
        self.timers.cancel(slot * TIMERS + ATTEMPT);
        self.attempts.take(slot)
    }

    /// Takes an attempt off its call's list: the call knows it no more.
    pub(super) fn unlink(&mut self, slot: u32) {
        let Some(attempt) = self.attempts.at(slot) else { return };
        let (call, next) = (attempt.call, attempt.next);
        attempt.next = NONE;
        if !self.calls.holds(call.slot, call.serial) {
            return;
        }
        let mut at = self.call(call.slot).first_attempt;
        if at == slot {
            self.call(call.slot).first_attempt = next;
            return;
        }
        while let Some(before) = self.attempts.at(at) {
            at = before.next;
            if at == slot {
                before.next = next;
                return;
            }
        }
    }

    pub(super) fn call(&mut self, slot: u32) -> &mut Call {
        self.calls.at(slot).expect("a call that has not settled is in its table")
    }
}
