//! Policies around a call: retry, breaker, hedge, rate limit, bulkhead or adaptive limit, time-outs. Breakers, bulkheads and the
//! rest on their own are stacks of one layer.

use core::fmt;

use quillwork_core::flow::policy::{AttemptId, CallId, PolicyMetrics, PolicyStack};
use quillwork_core::flow::rate_limit::QuotaError;
use quillwork_core::flow::retry::{AttemptFailure, AttemptOutcome};
use quillwork_core::say::Say;
use quillwork_core::time::Duration;

use crate::shared_stack::SharedStack;
use crate::stack_records::{bits, halves, record};
use crate::stack_settings::policy;
use crate::state::{self, State};
use quillwork_abi::clock::{deadline_millis, instant};
use quillwork_abi::settings::Settings;
use quillwork_abi::slots::{BESIDE, Slots};
use quillwork_abi::text::{self, made};

/// A new stack of the layers in the floats, or 0 with a text. Its jitter follows from `seed`, a whole number below 2^53. With the handle
/// of a `budget`, or 0, which then takes the place of its own.
#[unsafe(no_mangle)]
pub extern "C" fn stack_new(now: f64, seed: f64, budget: u32) -> u32 {
    state::with(|State { slots, stacks, .. }| match policy(&mut Settings::new(slots.floats())) {
        Ok(config) => made(PolicyStack::new(config, seed.to_bits(), instant(now)), |stack| {
            stacks.insert(SharedStack { stack, budget })
        }),
        Err(refusal) => {
            text::set(&Rate(refusal));
            0
        }
    })
}

/// Frees it.
#[unsafe(no_mangle)]
pub extern "C" fn stack_free(stack: u32) {
    state::with(|state| state.stacks.remove(stack));
}

/// Input: a call comes. Slot and serial number of its id stand beside the records.
#[unsafe(no_mangle)]
pub extern "C" fn stack_call(stack: u32, now: f64) -> u32 {
    state::with(|state| {
        state.with_stack(stack, |stack, slots| {
            let (slot, serial) = halves(stack.handle_call(instant(now)).as_bits());
            slots.write(BESIDE, [slot, serial]);
            drain(stack, slots)
        })
    })
}

/// Input: an attempt has really ended: 0 well, 1 with an error that may pass, 2 with one that comes again, 3 as 1 and the other side
/// asked to be left alone for `retry_after` milliseconds. Of one that nobody waits for, it doesn't matter how.
#[unsafe(no_mangle)]
pub extern "C" fn stack_result(
    stack: u32,
    now: f64,
    slot: u32,
    serial: u32,
    end: u32,
    retry_after: f64,
) -> u32 {
    input(stack, |stack| {
        // Late results are dropped: the caller has its answer.
        let _late = stack.handle_result(
            instant(now),
            AttemptId::from_bits(bits(slot, serial)),
            outcome(end, retry_after),
        );
    })
}

/// Input: the caller wants no result any more.
#[unsafe(no_mangle)]
pub extern "C" fn stack_abort(stack: u32, now: f64, slot: u32, serial: u32) -> u32 {
    input(stack, |stack| stack.handle_abort(instant(now), CallId::from_bits(bits(slot, serial))))
}

/// Input: time has passed.
#[unsafe(no_mangle)]
pub extern "C" fn stack_deadline(stack: u32, now: f64) -> u32 {
    input(stack, |stack| stack.handle_deadline(instant(now)))
}

/// Records that did not fit before.
#[unsafe(no_mangle)]
pub extern "C" fn stack_drain(stack: u32) -> u32 {
    input(stack, |_| {})
}

/// Writes floats: calls open, attempts open; calls, attempts, refused, retries, timed out, succeeded, failed, fell back; of the retry
/// budget (NaN without one) available, capacity, withdrawals, refusals; of the hedges hedges, refused, won; of the bulkhead running,
/// queued, started, refused, aborted, waited too long; of the adaptive limit limit, in flight, probing, baseline, recent, admitted,
/// refused, dropped.
#[unsafe(no_mangle)]
pub extern "C" fn stack_metrics(stack: u32, now: f64) {
    state::with(|state| {
        state.with_stack(stack, |stack, slots| {
            let metrics = stack.metrics(instant(now));
            slots.write(0, of_stack(&metrics).into_iter().chain(of_layers(&metrics)));
        })
    });
}

/// The layer of the stack that reads settings by itself.
struct Rate(QuotaError);

impl Say for Rate {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        to.write_str("rate: ")?;
        self.0.say(to)
    }
}

/// How something ended.
pub(crate) fn outcome(end: u32, retry_after: f64) -> AttemptOutcome {
    match end {
        0 => AttemptOutcome::Succeeded,
        1 => AttemptOutcome::Failed(AttemptFailure::Transient),
        2 => AttemptOutcome::Failed(AttemptFailure::Permanent),
        _ => AttemptOutcome::Failed(AttemptFailure::RetryAfter(Duration::from_millis_f64(retry_after))),
    }
}

fn input(stack: u32, act: impl FnOnce(&mut PolicyStack)) -> u32 {
    state::with(|state| {
        state.with_stack(stack, |stack, slots| {
            act(stack);
            drain(stack, slots)
        })
    })
}

fn drain(stack: &mut PolicyStack, slots: &mut Slots) -> u32 {
    let deadline = deadline_millis(stack.next_deadline());
    slots.write_records(deadline, || stack.poll_output().map(record))
}

fn of_stack(metrics: &PolicyMetrics) -> [f64; 10] {
    let totals = metrics.totals;
    let counts = [
        metrics.calls_open as u64,
        metrics.attempts_open as u64,
        totals.calls,
        totals.attempts,
        totals.refused,
        totals.retries,
        totals.timed_out,
        totals.succeeded,
        totals.failed,
        totals.fell_back,
    ];
    counts.map(|count| count as f64)
}

fn of_layers(metrics: &PolicyMetrics) -> impl Iterator<Item = f64> {
    let budget = metrics.retry_budget.map_or([f64::NAN; 4], |budget| {
        let (available, capacity) = (u64::from(budget.available), u64::from(budget.capacity));
        [available, capacity, budget.withdrawals, budget.refusals].map(|count| count as f64)
    });
    let hedges = metrics.hedger.map_or([f64::NAN; 3], |hedger| {
        [hedger.hedges, hedger.refused, hedger.won_by_hedge].map(|count| count as f64)
    });
    let bulkhead = metrics.bulkhead.map_or([f64::NAN; 6], |bulkhead| {
        let (running, queued) = (u64::from(bulkhead.running), u64::from(bulkhead.queued));
        [running, queued, bulkhead.started, bulkhead.refused, bulkhead.aborted, bulkhead.waited_too_long]
            .map(|count| count as f64)
    });
    let adaptive = metrics.adaptive_limit.map_or([f64::NAN; 8], |limit| {
        let millis = |time: Option<Duration>| time.map_or(f64::NAN, Duration::as_millis_f64);
        [
            f64::from(limit.limit),
            f64::from(limit.in_flight),
            f64::from(u8::from(limit.probing)),
            millis(limit.baseline),
            millis(limit.recent),
            limit.totals.admitted as f64,
            limit.totals.refused as f64,
            limit.totals.dropped as f64,
        ]
    });
    budget.into_iter().chain(hedges).chain(bulkhead).chain(adaptive)
}
