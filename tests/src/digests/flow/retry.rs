//! Retries: back-off with every jitter and factors that no binary fraction is, and calls that share a budget.

use quillwork_core::flow::retry::{
    AttemptFailure, Backoff, Jitter, Retry, RetryBudget, RetryBudgetConfig, RetryPolicy,
};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::digests::{Clock, Decisions};

pub(in crate::digests) fn digest(seed: u64) -> u64 {
    let mut rng = Rng::from_seed(seed);
    let mut decisions = Decisions::new();
    for jitter in [Jitter::None, Jitter::Full, Jitter::Decorrelated] {
        for _ in 0..30 {
            back_off(jitter, &mut rng, &mut decisions);
        }
        call(jitter, &mut rng, &mut decisions);
    }
    decisions.digest()
}

fn back_off(jitter: Jitter, rng: &mut Rng, decisions: &mut Decisions) {
    let base = Duration::from_nanos(1 + rng.below(1_000_000_000));
    let backoff =
        Backoff { base, cap: base * (1 + rng.below(5_000)), factor: 1.0 + 3.0 * rng.unit_f64(), jitter };
    let mut previous = Duration::ZERO;
    for failures in 0..40 {
        previous = backoff.delay(failures, previous, rng);
        decisions.record(&(previous, backoff.ceiling(failures)));
    }
}

fn call(jitter: Jitter, rng: &mut Rng, decisions: &mut Decisions) {
    let mut clock = Clock::new();
    let config = RetryBudgetConfig { deposit_ratio: 0.137, reserve_per_second: 4, max_saved: 6 };
    let mut budget = RetryBudget::new(config, Instant::ZERO).expect("the settings make sense");
    let backoff = Backoff {
        jitter,
        factor: 1.7,
        ..Backoff::exponential(Duration::from_millis(20), Duration::from_secs(2))
    };
    let policy = RetryPolicy {
        backoff,
        deadline: Some(Duration::from_secs(3)),
        ..RetryPolicy::attempts(5).expect("at least one")
    };
    for _ in 0..250 {
        let now = clock.tick(rng, Duration::from_millis(300));
        let mut call = Retry::new(policy, now).expect("the settings make sense");
        while !call.is_over() {
            let now = clock.tick(rng, Duration::from_millis(100));
            match rng.below(12) {
                0 => call.handle_abort(now, Some(&mut budget)),
                1..4 => call.handle_success(now, Some(&mut budget)),
                4 => {
                    let after = AttemptFailure::RetryAfter(Duration::from_millis(rng.below(2_000)));
                    decisions.record(&call.handle_failure(now, after, Some(&mut budget), rng));
                }
                _ => {
                    let failure = AttemptFailure::Transient;
                    decisions.record(&call.handle_failure(now, failure, Some(&mut budget), rng));
                }
            }
            if let Some(deadline) = call.next_deadline() {
                decisions.record(&(deadline, call.handle_deadline(deadline)));
            }
        }
        decisions.record(&budget.metrics(now));
    }
}
