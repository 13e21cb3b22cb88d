//! The policy stack: every layer at once and each concurrency layer in turn, over calls that succeed, fail and hang.

use quillwork_core::flow::Fallback;
use quillwork_core::flow::adaptive_limit::AdaptiveLimitConfig;
use quillwork_core::flow::breaker::{BreakerConfig, OpenTime, Window};
use quillwork_core::flow::bulkhead::BulkheadConfig;
use quillwork_core::flow::hedge::{HedgeConfig, HedgeDelay};
use quillwork_core::flow::policy::{ConcurrencyLayer, PolicyConfig, PolicyOutput, PolicyStack, RateLayer};
use quillwork_core::flow::rate_limit::{Quota, Rate};
use quillwork_core::flow::retry::{AttemptFailure, AttemptOutcome, RetryBudgetConfig, RetryPolicy};
use quillwork_core::flow::timeout::TimeoutConfig;
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    let bulkhead = BulkheadConfig {
        max_queued: 5,
        max_wait: Some(Duration::from_millis(60)),
        ..BulkheadConfig::concurrent(5).expect("at least one")
    };
    let layers = [
        (ConcurrencyLayer::Unlimited, false),
        (ConcurrencyLayer::Bulkhead(bulkhead), true),
        (ConcurrencyLayer::Adaptive(AdaptiveLimitConfig::default()), false),
    ];
    for (concurrency, strict) in layers {
        live(&config(concurrency, strict), &mut rng, &mut decisions);
    }
    decisions.digest()
}

fn config(concurrency: ConcurrencyLayer, strict: bool) -> PolicyConfig {
    let quota = Quota::per_second(120).and_then(|quota| quota.with_burst(10)).expect("a quota");
    PolicyConfig {
        fallback: Fallback::LastGood,
        timeout: TimeoutConfig {
            execution: Some(Duration::from_millis(150)),
            total: Some(Duration::from_millis(900)),
        },
        retry: Some(RetryPolicy::attempts(4).expect("at least one")),
        retry_budget: Some(RetryBudgetConfig::default()),
        breaker: Some(BreakerConfig {
            window: Some(Window::Time { bucket: Duration::from_millis(100), buckets: 10 }),
            min_calls: 20,
            failure_ratio: 0.6,
            open_time: OpenTime::constant(Duration::from_millis(200)),
            ..BreakerConfig::default()
        }),
        hedge: Some(HedgeConfig {
            delay: HedgeDelay::Quantile { q: 0.9, min_samples: 20, at_least: Duration::from_millis(1) },
            max_hedges: 2,
            ..HedgeConfig::default()
        }),
        rate: Some(RateLayer {
            rate: if strict { Rate::Strict(quota) } else { Rate::Steady(quota) },
            max_wait: Duration::from_millis(50),
        }),
        concurrency,
    }
}

fn live(config: &PolicyConfig, rng: &mut Rng, decisions: &mut Decisions) {
    let mut stack =
        PolicyStack::new(*config, rng.next_u64(), Instant::ZERO).expect("the settings make sense");
    let mut clock = Clock::new();
    let mut calls = Vec::new();
    let mut attempts = Vec::new();
    for step in 0..2_500 {
        let now = clock.tick(rng, Duration::from_millis(5));
        match rng.below(40) {
            0 if !calls.is_empty() => stack.handle_abort(now, calls[rng.index(calls.len())]),
            1..12 => calls.push(stack.handle_call(now)),
            12..28 if !attempts.is_empty() => {
                let attempt = attempts.swap_remove(rng.index(attempts.len()));
                decisions.record(&stack.handle_result(now, attempt, end(rng)));
            }
            _ => stack.handle_deadline(now),
        }
        while let Some(output) = stack.poll_output() {
            decisions.record(&output);
            if let PolicyOutput::StartAttempt { attempt, .. } = output {
                attempts.push(attempt);
            }
        }
        decisions.record(&stack.next_deadline());
        if step % 100 == 0 {
            decisions.record(&stack.metrics(now));
        }
    }
}

fn end(rng: &mut Rng) -> AttemptOutcome {
    match rng.below(12) {
        0..3 => AttemptOutcome::Failed(AttemptFailure::Transient),
        3 => AttemptOutcome::Failed(AttemptFailure::Permanent),
        4 => AttemptOutcome::Failed(AttemptFailure::RetryAfter(Duration::from_millis(rng.below(300)))),
        _ => AttemptOutcome::Succeeded,
    }
}
