//! What a stack says, as records: `[tag, call slot, call serial, attempt slot, attempt serial, error, detail, gave up]`.
//!
//! | tag | means | attempt |
//! |---|---|---|
//! | 1 | start an attempt | yes |
//! | 2 | cancel an attempt | yes |
//! | 3 | the call succeeded | whose result it gets |
//! | 4 | the call failed | the last one that failed, under error 12 |
//! | 5 | as 4, and the stack's fallback stands for it | |
//! | 6 | as 4, and the breaker's fallback stands for it | |
//!
//! | error | means | detail |
//! |---|---|---|
//! | 1 | aborted | |
//! | 2 | total deadline passed | how long it was |
//! | 3 | breaker open | until when |
//! | 4 | breaker's trials are out | |
//! | 5 | breaker forced open | |
//! | 6 | rate limited | the earliest time |
//! | 7 | heavier than the rate limit ever admits | |
//! | 8 | bulkhead and queue full | how many may run |
//! | 9 | waited too long in the bulkhead's queue | |
//! | 10 | adaptive limit reached | the limit |
//! | 11 | the attempt timed out | how long it had |
//! | 12 | the attempt failed | |
//!
//! Gave up: 0 nothing to say, 1 attempts exhausted, 2 deadline, 3 budget, 4 permanent, 5 aborted, 6 had succeeded.

use quillwork_core::flow::breaker::Refusal;
use quillwork_core::flow::policy::{AttemptId, CallError, CallFailure, CallId, CallOutcome, PolicyOutput};
use quillwork_core::flow::rate_limit;
use quillwork_core::flow::retry::GiveUp;

use crate::stack_settings::BREAKER_FALLBACK;
use quillwork_abi::slots::RECORD;

pub(crate) fn record(output: PolicyOutput) -> [f64; RECORD] {
    match output {
        PolicyOutput::StartAttempt { call, attempt } => words(1, call, Some(attempt), None),
        PolicyOutput::CancelAttempt { call, attempt } => words(2, call, Some(attempt), None),
        PolicyOutput::Settle { call, outcome } => match outcome {
            CallOutcome::Succeeded(attempt) => words(3, call, Some(attempt), None),
            CallOutcome::Failed(failure) => failed(4, call, failure),
            CallOutcome::Fallback { fallback, failure } => {
                failed(if fallback == BREAKER_FALLBACK { 6 } else { 5 }, call, failure)
            }
        },
    }
}

fn failed(tag: u32, call: CallId, failure: CallFailure) -> [f64; RECORD] {
    let attempt = if let CallError::AttemptFailed { attempt } = failure.error { Some(attempt) } else { None };
    words(tag, call, attempt, Some(failure))
}

fn words(tag: u32, call: CallId, attempt: Option<AttemptId>, failure: Option<CallFailure>) -> [f64; RECORD] {
    let (call_slot, call_serial) = halves(call.as_bits());
    let (attempt_slot, attempt_serial) = attempt.map_or((0.0, 0.0), |attempt| halves(attempt.as_bits()));
    let (error, detail) = failure.map_or((0, 0.0), |failure| error(failure.error));
    let gave_up = failure.and_then(|failure| failure.gave_up).map_or(0, gave_up);
    [
        f64::from(tag),
        call_slot,
        call_serial,
        attempt_slot,
        attempt_serial,
        f64::from(error),
        detail,
        f64::from(gave_up),
    ]
}

/// An id: its slot, and the serial number that fences the slot's earlier uses off.
#[expect(clippy::cast_possible_truncation, reason = "each half of the number is taken by itself")]
pub(crate) fn halves(bits: u64) -> (f64, f64) {
    (f64::from(bits as u32), f64::from((bits >> 32) as u32))
}

/// The reverse of how ids go out.
pub(crate) fn bits(slot: u32, serial: u32) -> u64 {
    (u64::from(serial) << 32) | u64::from(slot)
}

fn error(error: CallError) -> (u32, f64) {
    match error {
        CallError::Aborted => (1, 0.0),
        CallError::DeadlineExceeded { after } => (2, after.as_millis_f64()),
        CallError::BreakerRefused(rejected) => match rejected.refusal {
            Refusal::Open { until } => (3, until.as_millis_f64()),
            Refusal::TrialsOut => (4, 0.0),
            Refusal::ForcedOpen => (5, 0.0),
        },
        CallError::RateLimited(rate_limit::Refusal::NotUntil { earliest }) => (6, earliest.as_millis_f64()),
        CallError::RateLimited(rate_limit::Refusal::WeightExceedsCapacity(_)) => (7, 0.0),
        CallError::BulkheadFull(full) => (8, f64::from(full.max_concurrent.get())),
        CallError::WaitedTooLong => (9, 0.0),
        CallError::LimitReached(reached) => (10, f64::from(reached.limit)),
        CallError::TimedOut { after } => (11, after.as_millis_f64()),
        CallError::AttemptFailed { .. } => (12, 0.0),
        _ => unreachable!("core and this module are built together, and every error has its number"),
    }
}

pub(crate) fn gave_up(reason: GiveUp) -> u32 {
    match reason {
        GiveUp::AttemptsExhausted { .. } => 1,
        GiveUp::DeadlineExceeded { .. } => 2,
        GiveUp::BudgetExhausted(_) => 3,
        GiveUp::Permanent => 4,
        GiveUp::Aborted => 5,
        GiveUp::Succeeded => 6,
        _ => unreachable!("core and this module are built together, and every reason has its number"),
    }
}
