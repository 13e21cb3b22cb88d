//! The breaker of a stack that has one: what it knows, what it says to observers, and what an operator asks of it.
//!
//! States: 0 closed, 1 open, 2 half-open, 3 forced open, 4 forced closed, 5 disabled, 6 metrics only. Modes: 0 automatic, 3 to 6 as the
//! states.
//!
//! Causes: 1 failures in a row, 2 failure ratio, 3 slow ratio, 4 open time over, 5 trials passed, 6 trials overdue, 7 asked.

use quillwork_core::flow::breaker::{
    Breaker, BreakerCause, BreakerEvent, BreakerMode, BreakerState, Counts, Outcome, Permit,
};
use quillwork_core::flow::policy::PolicyStack;
use quillwork_core::time::Instant;

use crate::state::{self, State};
use quillwork_abi::clock::{deadline_millis, instant};

/// Writes floats: state, until when it is open (infinity where it isn't); of the window calls, failed, slow; failures in a row, failed
/// rounds, trials out; in all succeeded, failed, slow, ignored, cancelled, late, refused, opened.
#[unsafe(no_mangle)]
pub extern "C" fn breaker_metrics(stack: u32, now: f64) {
    state::with(|State { slots, stacks, .. }| {
        let metrics = breaker(&mut stacks.get(stack).stack).metrics(instant(now));
        let (totals, window) = (metrics.totals, metrics.window);
        let counts = [
            window.calls,
            window.failed,
            window.slow,
            u64::from(metrics.consecutive_failures),
            u64::from(metrics.failed_rounds),
            u64::from(metrics.trials_out),
            totals.succeeded,
            totals.failed,
            totals.slow,
            totals.ignored,
            totals.cancelled,
            totals.late,
            totals.refused,
            totals.opened,
        ];
        slots.write(0, [f64::from(state_code(metrics.state)), until(metrics.state)]);
        slots.write(2, counts.map(|count| count as f64));
    });
}

/// The state that a call would meet.
#[unsafe(no_mangle)]
pub extern "C" fn breaker_state(stack: u32, now: f64) -> u32 {
    state::with(|state| state_code(breaker(&mut state.stacks.get(stack).stack).state(instant(now))))
}

/// Input: a call comes that nobody can abort. Returns its permit where the breaker lets all calls through now, so that there is nothing
/// to decide about the call but how it counts; else -1, and it goes through the stack as any other. For stacks of this one layer.
#[unsafe(no_mangle)]
pub extern "C" fn breaker_enter(stack: u32, now: f64) -> f64 {
    state::with(|state| {
        let breaker = breaker(&mut state.stacks.get(stack).stack);
        match breaker.state(instant(now)) {
            BreakerState::Closed
            | BreakerState::ForcedClosed
            | BreakerState::Disabled
            | BreakerState::MetricsOnly => {
                breaker.try_acquire(instant(now)).map_or(-1.0, |permit| f64::from(permit.into_number()))
            }
            BreakerState::Open { .. } | BreakerState::HalfOpen | BreakerState::ForcedOpen => -1.0,
        }
    })
}

/// Input: the call of a permit has ended that came at `since`: 0 well, 1 with an error that may pass, 2 with the caller's own.
#[unsafe(no_mangle)]
pub extern "C" fn breaker_leave(stack: u32, now: f64, permit: u32, end: u32, since: f64) {
    let outcome = match end {
        0 => Outcome::Success,
        1 => Outcome::Failure,
        _ => Outcome::Ignored,
    };
    state::with(|state| {
        let took = instant(now) - instant(since);
        breaker(&mut state.stacks.get(stack).stack).record(
            instant(now),
            Permit::from_number(permit),
            outcome,
            took,
        );
    });
}

/// Sets the mode.
#[unsafe(no_mangle)]
pub extern "C" fn breaker_set_mode(stack: u32, now: f64, mode: u32) {
    let mode = match mode {
        0 => BreakerMode::Automatic,
        3 => BreakerMode::ForcedOpen,
        4 => BreakerMode::ForcedClosed,
        5 => BreakerMode::Disabled,
        _ => BreakerMode::MetricsOnly,
    };
    state::with(|state| breaker(&mut state.stacks.get(stack).stack).set_mode(instant(now), mode));
}

/// Keeps it open at least until then.
#[unsafe(no_mangle)]
pub extern "C" fn breaker_hold_open(stack: u32, now: f64, until: f64) {
    state::with(|state| breaker(&mut state.stacks.get(stack).stack).hold_open(instant(now), instant(until)));
}

/// Makes the transition that is due, for observers, and returns when the next one is.
#[unsafe(no_mangle)]
pub extern "C" fn breaker_deadline(stack: u32, now: f64) -> f64 {
    state::with(|state| {
        let breaker = breaker(&mut state.stacks.get(stack).stack);
        breaker.handle_deadline(instant(now));
        deadline_millis(breaker.next_deadline())
    })
}

/// The next event: 0 none, 1 the state changed, 2 in metrics only it would have opened. Writes floats: from, to, cause, failures in a
/// row, of the calls judged calls, failed, slow. The last four are kept.
#[unsafe(no_mangle)]
pub extern "C" fn breaker_event(stack: u32) -> u32 {
    state::with(|State { slots, stacks, .. }| {
        let Some(event) = breaker(&mut stacks.get(stack).stack).poll_output() else { return 0 };
        let (tag, from, to, cause) = match event {
            BreakerEvent::Changed { from, to, cause, .. } => (1, state_code(from), state_code(to), cause),
            BreakerEvent::WouldOpen { cause, .. } => (2, 0, 0, cause),
        };
        let (code, failures, counts) = cause_code(cause);
        let counts = counts.map_or([0; 3], |counts| [counts.calls, counts.failed, counts.slow]);
        slots.write(0, [from, to, code, failures].map(f64::from));
        slots.write(4, counts.map(|count| count as f64));
        tag
    })
}

fn breaker(stack: &mut PolicyStack) -> &mut Breaker {
    stack.breaker_mut().expect("the caller asks only stacks with a breaker")
}

const fn state_code(state: BreakerState) -> u32 {
    match state {
        BreakerState::Closed => 0,
        BreakerState::Open { .. } => 1,
        BreakerState::HalfOpen => 2,
        BreakerState::ForcedOpen => 3,
        BreakerState::ForcedClosed => 4,
        BreakerState::Disabled => 5,
        BreakerState::MetricsOnly => 6,
    }
}

fn until(state: BreakerState) -> f64 {
    if let BreakerState::Open { until } = state {
        deadline_millis(Some(until).filter(|&until| until != Instant::NEVER))
    } else {
        f64::INFINITY
    }
}

fn cause_code(cause: BreakerCause) -> (u32, u32, Option<Counts>) {
    match cause {
        BreakerCause::ConsecutiveFailures { failures } => (1, failures, None),
        BreakerCause::FailureRatio { counts } => (2, 0, Some(counts)),
        BreakerCause::SlowRatio { counts } => (3, 0, Some(counts)),
        BreakerCause::OpenTimeOver => (4, 0, None),
        BreakerCause::TrialsPassed { counts } => (5, 0, Some(counts)),
        BreakerCause::TrialsOverdue => (6, 0, None),
        BreakerCause::Asked => (7, 0, None),
        _ => unreachable!("core and this module are built together, and every cause has its number"),
    }
}
