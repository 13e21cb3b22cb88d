//! The order of the layers, and what each of them may not do to the others.

use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::flow::Fallback;
use crate::flow::adaptive_limit::AdaptiveLimitConfig;
use crate::flow::breaker::{BreakerConfig, BreakerMode, BreakerState, Counts, Refusal};
use crate::flow::bulkhead::BulkheadConfig;
use crate::flow::hedge::{HedgeConfig, HedgeDelay};
use crate::flow::rate_limit::{self, Quota, Rate};
use crate::flow::retry::{AttemptFailure, AttemptOutcome, Backoff, GiveUp, RetryBudgetConfig};
use crate::flow::timeout::TimeoutConfig;
use crate::time::Duration;

const TRANSIENT: AttemptOutcome = AttemptOutcome::Failed(AttemptFailure::Transient);
const PERMANENT: AttemptOutcome = AttemptOutcome::Failed(AttemptFailure::Permanent);

const fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn stack(config: PolicyConfig) -> PolicyStack {
    PolicyStack::new(config, 1, at(0)).expect("the settings are sound")
}

fn retries(attempts: u32, wait: Duration) -> Option<RetryPolicy> {
    let policy = RetryPolicy::attempts(attempts).expect("at least one");
    Some(RetryPolicy { backoff: Backoff::constant(wait), ..policy })
}

fn hedged_after(wait: Duration) -> Option<HedgeConfig> {
    Some(HedgeConfig { delay: HedgeDelay::Fixed(wait), ..HedgeConfig::default() })
}

fn outputs(stack: &mut PolicyStack) -> Vec<PolicyOutput> {
    core::iter::from_fn(|| stack.poll_output()).collect()
}

/// The attempt that was started, where that is all that came out.
fn started(stack: &mut PolicyStack) -> AttemptId {
    match outputs(stack)[..] {
        [PolicyOutput::StartAttempt { attempt, .. }] => attempt,
        ref other => panic!("one attempt was to start, not {other:?}"),
    }
}

/// The error that the one call settled with, where that is all that came out.
fn failed(stack: &mut PolicyStack) -> CallFailure {
    match outputs(stack)[..] {
        [PolicyOutput::Settle { outcome: CallOutcome::Failed(failure), .. }] => failure,
        ref other => panic!("one call was to fail, not {other:?}"),
    }
}

fn quota(weight: u32) -> Option<RateLayer> {
    let quota = Quota::new(weight, Duration::from_secs(1)).expect("a quota");
    Some(RateLayer { rate: Rate::Strict(quota), max_wait: Duration::ZERO })
}

#[test]
fn without_layers_a_call_is_one_attempt() {
    let mut stack = stack(PolicyConfig::default());
    let call = stack.handle_call(at(0));
    let attempt = started(&mut stack);
    assert_eq!(stack.next_deadline(), None);
    assert_eq!(stack.handle_result(at(9), attempt, AttemptOutcome::Succeeded), Ok(()));
    assert_eq!(
        outputs(&mut stack),
        [PolicyOutput::Settle { call, outcome: CallOutcome::Succeeded(attempt) }]
    );
    assert_eq!(
        stack.handle_result(at(9), attempt, AttemptOutcome::Succeeded),
        Err(Late),
        "it was told before"
    );

    stack.handle_call(at(10));
    let attempt = started(&mut stack);
    stack.handle_result(at(19), attempt, TRANSIENT).expect("it runs");
    assert_eq!(
        failed(&mut stack),
        CallFailure { error: CallError::AttemptFailed { attempt }, gave_up: None }
    );
}

#[test]
fn what_an_open_breaker_refuses_never_touches_the_limits() {
    let bulkhead = BulkheadConfig::concurrent(1).expect("one is not none");
    let mut stack = stack(PolicyConfig {
        breaker: Some(BreakerConfig::consecutive(1)),
        rate: quota(2),
        concurrency: ConcurrencyLayer::Bulkhead(bulkhead),
        ..PolicyConfig::default()
    });
    stack.handle_call(at(0));
    let attempt = started(&mut stack);
    stack.handle_result(at(1), attempt, TRANSIENT).expect("it runs");
    assert!(matches!(failed(&mut stack).error, CallError::AttemptFailed { .. }));

    for _ in 0..50 {
        stack.handle_call(at(2));
        assert!(matches!(failed(&mut stack).error, CallError::BreakerRefused(_)));
    }
    assert_eq!(stack.metrics(at(2)).bulkhead.expect("there is one").started, 1);
    // Half a second later the breaker is told to let calls through: one of the quota of two is left.
    stack.breaker_mut().expect("there is one").set_mode(at(500), BreakerMode::Disabled);
    stack.handle_call(at(500));
    let attempt = started(&mut stack);
    stack.handle_result(at(500), attempt, AttemptOutcome::Succeeded).expect("it runs");
    outputs(&mut stack);
    stack.handle_call(at(501));
    let CallError::RateLimited(rate_limit::Refusal::NotUntil { earliest }) = failed(&mut stack).error else {
        panic!("the second was the last of the quota")
    };
    assert_eq!(earliest, at(1_000));
}

#[test]
fn a_breaker_s_refusal_is_retried_when_it_may_be_a_trial_and_not_before() {
    let mut stack = stack(PolicyConfig {
        retry: retries(3, Duration::ZERO),
        breaker: Some(BreakerConfig { trials: 1, ..BreakerConfig::consecutive(1) }),
        ..PolicyConfig::default()
    });
    stack.handle_call(at(0));
    let attempt = started(&mut stack);
    stack.handle_result(at(1), attempt, TRANSIENT).expect("it runs");
    // The back-off is zero: the second attempt comes at once, and is refused. The third waits for the breaker.
    stack.handle_deadline(at(1));
    assert_eq!((outputs(&mut stack), stack.next_deadline()), (vec![], Some(at(5_001))));
    stack.handle_deadline(at(5_001));
    let trial = started(&mut stack);

    // Another call meets a half-open breaker whose trial is out: nobody knows until when, so it waits a little.
    stack.handle_call(at(5_002));
    assert_eq!(stack.next_deadline(), Some(at(5_012)));
    stack.handle_result(at(5_003), trial, AttemptOutcome::Succeeded).expect("it runs");
    assert!(matches!(
        outputs(&mut stack)[..],
        [PolicyOutput::Settle { outcome: CallOutcome::Succeeded(_), .. }]
    ));
    stack.handle_deadline(at(5_012));
    started(&mut stack);
}

#[test]
fn a_forced_open_breaker_is_not_waited_for() {
    let mut stack = stack(PolicyConfig {
        retry: retries(9, millis(1)),
        breaker: Some(BreakerConfig::default()),
        fallback: Fallback::LastGood,
        ..PolicyConfig::default()
    });
    stack.breaker_mut().expect("there is one").set_mode(at(0), BreakerMode::ForcedOpen);
    let call = stack.handle_call(at(0));
    let Some(PolicyOutput::Settle { call: settled, outcome: CallOutcome::Fallback { fallback, failure } }) =
        stack.poll_output()
    else {
        panic!("it settles at once")
    };
    assert_eq!((settled, fallback), (call, Fallback::LastGood));
    assert!(
        matches!(failure.error, CallError::BreakerRefused(rejected) if rejected.refusal == Refusal::ForcedOpen)
    );
}

#[test]
fn refusals_of_our_own_are_no_failures_of_the_service() {
    let bulkhead = BulkheadConfig::concurrent(1).expect("one is not none");
    let mut stack = stack(PolicyConfig {
        breaker: Some(BreakerConfig::consecutive(1)),
        concurrency: ConcurrencyLayer::Bulkhead(bulkhead),
        ..PolicyConfig::default()
    });
    stack.handle_call(at(0));
    let attempt = started(&mut stack);
    for _ in 0..10 {
        stack.handle_call(at(1));
        assert!(matches!(failed(&mut stack).error, CallError::BulkheadFull(_)));
    }
    stack.handle_result(at(2), attempt, AttemptOutcome::Succeeded).expect("it runs");
    let breaker = stack.metrics(at(2)).breaker.expect("there is one");
    assert_eq!(
        (breaker.state, breaker.totals.failed, breaker.totals.cancelled),
        (BreakerState::Closed, 0, 10)
    );
}

#[test]
fn the_caller_s_own_fault_is_not_retried_not_covered_and_not_held_against_the_service() {
    for retry in [None, retries(5, millis(1))] {
        let mut stack = stack(PolicyConfig {
            retry,
            fallback: Fallback::DefaultValue,
            breaker: Some(BreakerConfig::consecutive(1)),
            ..PolicyConfig::default()
        });
        stack.handle_call(at(0));
        let attempt = started(&mut stack);
        stack.handle_result(at(1), attempt, PERMANENT).expect("it runs");
        assert_eq!(failed(&mut stack).gave_up, Some(GiveUp::Permanent));
        assert_eq!(stack.metrics(at(1)).breaker.expect("there is one").totals.ignored, 1);
    }
}

#[test]
fn a_time_out_counts_from_the_start_and_not_from_the_queue() {
    let bulkhead =
        BulkheadConfig { max_queued: 5, ..BulkheadConfig::concurrent(1).expect("one is not none") };
    let mut stack = stack(PolicyConfig {
        timeout: TimeoutConfig { execution: Some(millis(100)), total: None },
        concurrency: ConcurrencyLayer::Bulkhead(bulkhead),
        ..PolicyConfig::default()
    });
    stack.handle_call(at(0));
    let first = started(&mut stack);
    stack.handle_call(at(0));
    assert_eq!(outputs(&mut stack), []);
    stack.handle_result(at(90), first, AttemptOutcome::Succeeded).expect("it runs");
    let [PolicyOutput::Settle { .. }, PolicyOutput::StartAttempt { attempt: second, .. }] =
        outputs(&mut stack)[..]
    else {
        panic!("the place goes to who waits")
    };
    assert_eq!(stack.next_deadline(), Some(at(190)));
    stack.handle_deadline(at(190));
    let all = outputs(&mut stack);
    assert!(matches!(all[0], PolicyOutput::CancelAttempt { attempt, .. } if attempt == second), "{all:?}");
    // It still runs, so its place is taken; the next in the queue starts when it has really ended.
    stack.handle_call(at(191));
    assert_eq!(outputs(&mut stack), []);
    assert_eq!(stack.handle_result(at(200), second, AttemptOutcome::Succeeded), Err(Late));
    started(&mut stack);
}

#[test]
fn the_total_deadline_ends_everything_inside() {
    let mut stack = stack(PolicyConfig {
        timeout: TimeoutConfig { execution: None, total: Some(millis(100)) },
        retry: retries(5, millis(80)),
        retry_budget: Some(RetryBudgetConfig {
            reserve_per_second: 0,
            max_saved: 1,
            ..RetryBudgetConfig::default()
        }),
        breaker: Some(BreakerConfig::default()),
        concurrency: ConcurrencyLayer::Adaptive(AdaptiveLimitConfig::default()),
        hedge: hedged_after(millis(30)),
        ..PolicyConfig::default()
    });
    stack.handle_call(at(0));
    let first = started(&mut stack);
    stack.handle_deadline(at(30));
    let second = started(&mut stack);
    stack.handle_deadline(at(100));
    let all = outputs(&mut stack);
    let cancelled: Vec<_> = all
        .iter()
        .filter_map(|output| match output {
            PolicyOutput::CancelAttempt { attempt, .. } => Some(*attempt),
            PolicyOutput::StartAttempt { .. } | PolicyOutput::Settle { .. } => None,
        })
        .collect();
    assert!(cancelled.contains(&first) && cancelled.contains(&second) && cancelled.len() == 2);
    let Some(PolicyOutput::Settle { outcome: CallOutcome::Failed(failure), .. }) = all.last() else {
        panic!("it settles: {all:?}")
    };
    assert_eq!(failure.error, CallError::DeadlineExceeded { after: millis(100) });
    let metrics = stack.metrics(at(100));
    assert_eq!(metrics.adaptive_limit.expect("there is one").in_flight, 0);
    assert_eq!(metrics.hedger.expect("there is one").in_flight, 0);

    // A retry that could only start after the deadline is not waited for, and not paid for.
    stack.handle_call(at(200));
    let attempt = started(&mut stack);
    stack.handle_result(at(225), attempt, TRANSIENT).expect("it runs");
    assert_eq!(failed(&mut stack).gave_up, Some(GiveUp::DeadlineExceeded { deadline: at(300) }));
    assert_eq!(stack.metrics(at(225)).retry_budget.expect("there is one").available, 1);
}

#[test]
fn a_retry_that_was_waited_for_is_refunded_when_its_call_is_cancelled() {
    let mut stack = stack(PolicyConfig {
        retry: retries(3, millis(50)),
        retry_budget: Some(RetryBudgetConfig {
            reserve_per_second: 0,
            max_saved: 1,
            ..RetryBudgetConfig::default()
        }),
        ..PolicyConfig::default()
    });
    let call = stack.handle_call(at(0));
    let attempt = started(&mut stack);
    stack.handle_result(at(1), attempt, TRANSIENT).expect("it runs");
    assert_eq!(stack.metrics(at(1)).retry_budget.expect("there is one").available, 0);
    stack.handle_abort(at(2), call);
    assert_eq!(failed(&mut stack).error, CallError::Aborted);
    assert_eq!(
        (stack.metrics(at(2)).retry_budget.expect("there is one").available, stack.next_deadline()),
        (1, None)
    );
    stack.handle_abort(at(3), call);
    assert_eq!(outputs(&mut stack), [], "it has settled");
}

#[test]
fn an_empty_budget_stops_retries_and_never_first_attempts() {
    let mut stack = stack(PolicyConfig {
        retry: retries(3, millis(1)),
        retry_budget: Some(RetryBudgetConfig { deposit_ratio: 0.0, reserve_per_second: 0, max_saved: 1 }),
        ..PolicyConfig::default()
    });
    for round in 0..20 {
        stack.handle_call(at(round * 10));
        let attempt = started(&mut stack);
        stack.handle_result(at(round * 10), attempt, TRANSIENT).expect("it runs");
        if round == 0 {
            stack.handle_deadline(at(1));
            let second = started(&mut stack);
            stack.handle_result(at(1), second, TRANSIENT).expect("it runs");
        }
        assert!(matches!(failed(&mut stack).gave_up, Some(GiveUp::BudgetExhausted(_))));
    }
}

#[test]
fn the_first_success_wins_and_the_loser_is_cancelled() {
    let bulkhead = BulkheadConfig::concurrent(2).expect("two is not none");
    let mut stack = stack(PolicyConfig {
        hedge: hedged_after(millis(50)),
        breaker: Some(BreakerConfig::default()),
        concurrency: ConcurrencyLayer::Bulkhead(bulkhead),
        ..PolicyConfig::default()
    });
    let call = stack.handle_call(at(0));
    let first = started(&mut stack);
    stack.handle_deadline(at(50));
    let second = started(&mut stack);
    stack.handle_result(at(60), second, AttemptOutcome::Succeeded).expect("it runs");
    assert_eq!(
        outputs(&mut stack),
        [
            PolicyOutput::CancelAttempt { call, attempt: first },
            PolicyOutput::Settle { call, outcome: CallOutcome::Succeeded(second) },
        ]
    );
    let metrics = stack.metrics(at(60));
    // Both used the service, so both have a place; the breaker sees one call.
    assert_eq!((metrics.bulkhead.map(|bulkhead| (bulkhead.started, bulkhead.running))), Some((2, 1)));
    assert_eq!(metrics.breaker.map(|breaker| breaker.window), Some(Counts { calls: 1, failed: 0, slow: 0 }));
    assert_eq!(stack.handle_result(at(70), first, AttemptOutcome::Succeeded), Err(Late));
    assert_eq!(stack.metrics(at(70)).bulkhead.map(|bulkhead| bulkhead.running), Some(0));
}

#[test]
fn a_failure_waits_for_the_hedge_and_a_hedge_waits_for_nothing() {
    let bulkhead =
        BulkheadConfig { max_queued: 9, ..BulkheadConfig::concurrent(1).expect("one is not none") };
    let mut full = stack(PolicyConfig {
        hedge: hedged_after(millis(50)),
        concurrency: ConcurrencyLayer::Bulkhead(bulkhead),
        ..PolicyConfig::default()
    });
    full.handle_call(at(0));
    let first = started(&mut full);
    full.handle_deadline(at(50));
    assert_eq!(outputs(&mut full), [], "there is no place for a hedge, and it doesn't queue");
    full.handle_result(at(60), first, AttemptOutcome::Succeeded).expect("it runs alone");
    assert!(matches!(
        outputs(&mut full)[..],
        [PolicyOutput::Settle { outcome: CallOutcome::Succeeded(_), .. }]
    ));

    let mut free = stack(PolicyConfig { hedge: hedged_after(millis(50)), ..PolicyConfig::default() });
    free.handle_call(at(0));
    let first = started(&mut free);
    free.handle_deadline(at(50));
    let second = started(&mut free);
    free.handle_result(at(55), first, TRANSIENT).expect("it runs");
    assert_eq!(outputs(&mut free), []);
    free.handle_result(at(60), second, TRANSIENT).expect("it runs");
    assert_eq!(failed(&mut free).error, CallError::AttemptFailed { attempt: second });
}

#[test]
fn trials_of_a_half_open_breaker_are_not_hedged_and_go_back_when_cancelled() {
    let mut stack = stack(PolicyConfig {
        hedge: hedged_after(millis(50)),
        breaker: Some(BreakerConfig { trials: 1, ..BreakerConfig::consecutive(1) }),
        ..PolicyConfig::default()
    });
    stack.handle_call(at(0));
    let attempt = started(&mut stack);
    stack.handle_result(at(1), attempt, TRANSIENT).expect("it runs");
    failed(&mut stack);
    for round in 0..5 {
        let call = stack.handle_call(at(6_000 + round));
        started(&mut stack);
        assert_eq!(stack.next_deadline(), None, "no hedge");
        stack.handle_abort(at(6_000 + round), call);
        assert_eq!(outputs(&mut stack).len(), 2, "cancel and settle");
    }
}

#[test]
fn an_attempt_waits_for_its_turn_and_gives_it_back_when_cancelled() {
    let quota = Quota::new(1, Duration::from_secs(1)).expect("a quota");
    let mut stack = stack(PolicyConfig {
        rate: Some(RateLayer { rate: Rate::Steady(quota), max_wait: Duration::from_secs(2) }),
        ..PolicyConfig::default()
    });
    stack.handle_call(at(0));
    started(&mut stack);
    let second = stack.handle_call(at(0));
    assert_eq!(stack.next_deadline(), Some(at(1_000)));
    stack.handle_abort(at(10), second);
    failed(&mut stack);
    // The turn of the second goes to the third.
    stack.handle_call(at(20));
    assert_eq!(stack.next_deadline(), Some(at(1_000)));
    stack.handle_deadline(at(1_000));
    started(&mut stack);
}

#[test]
fn a_call_may_be_cancelled_when_it_has_waited_too_long_and_nobody_has_noticed() {
    let bulkhead = BulkheadConfig {
        max_queued: 5,
        max_wait: Some(millis(10)),
        ..BulkheadConfig::concurrent(1).expect("one is not none")
    };
    let mut stack =
        stack(PolicyConfig { concurrency: ConcurrencyLayer::Bulkhead(bulkhead), ..PolicyConfig::default() });
    stack.handle_call(at(0));
    started(&mut stack);
    let waiting = stack.handle_call(at(1));
    stack.handle_abort(at(500), waiting);
    assert_eq!(failed(&mut stack).error, CallError::Aborted);
    assert_eq!(
        stack.metrics(at(500)).bulkhead.map(|bulkhead| (bulkhead.running, bulkhead.queued)),
        Some((1, 0))
    );
}

#[test]
fn a_layer_with_impossible_settings_is_named() {
    let breaker = Some(BreakerConfig { trials: 0, ..BreakerConfig::default() });
    let error = PolicyStack::new(PolicyConfig { breaker, ..PolicyConfig::default() }, 1, at(0))
        .expect_err("no trials");
    assert!(alloc::string::ToString::to_string(&error).starts_with("breaker: trials is at least 1"));
    let timeout = TimeoutConfig { execution: Some(Duration::ZERO), total: None };
    let error =
        PolicyStack::new(PolicyConfig { timeout, ..PolicyConfig::default() }, 1, at(0)).expect_err("no time");
    assert!(matches!(error, PolicyConfigError::Timeout(_)));
}
