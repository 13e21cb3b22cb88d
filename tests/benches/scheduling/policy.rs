//! A call that succeeds at once through a stack of retry and circuit breaker, beside `tower-resilience`'s two layers.
//!
//! The peer's breaker reads the clock itself; ours is given times that the bench reads, as a shell does.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Instant as StdInstant;

use quillwork_core::flow::breaker::{BreakerConfig, Window};
use quillwork_core::flow::policy::{CallOutcome, PolicyConfig, PolicyOutput, PolicyStack};
use quillwork_core::flow::retry::{AttemptOutcome, RetryPolicy};
use quillwork_core::time::{Duration, Instant};
use tower::{Layer, Service, service_fn};
use tower_resilience_circuitbreaker::CircuitBreakerLayer;
use tower_resilience_retry::RetryLayer;

use crate::breaker::{answer, finish};
use crate::rounds::compare;

const TURNS: u32 = 100_000;

pub(crate) fn run() {
    let breaker = BreakerConfig { window: Some(Window::Calls(100)), ..BreakerConfig::default() };
    let config = PolicyConfig {
        retry: Some(RetryPolicy::default()),
        breaker: Some(breaker),
        ..PolicyConfig::default()
    };
    let origin = StdInstant::now();
    let now = || {
        let nanos = u64::try_from(origin.elapsed().as_nanos()).expect("a bench doesn't take centuries");
        Instant::ZERO + Duration::from_nanos(nanos)
    };
    let mut ours = PolicyStack::new(config, 1, now()).expect("sound settings");
    let breaker = CircuitBreakerLayer::builder().sliding_window_size(100).build().expect("sound settings");
    let retry = RetryLayer::<(), (), _>::builder().max_attempts(3).build();
    let mut theirs = retry.layer(breaker.layer(service_fn(answer)));
    compare(
        "a call through retry and breaker",
        "tower-resilience 0.14.0",
        TURNS,
        || {
            ours.handle_call(now());
            let Some(PolicyOutput::StartAttempt { attempt, .. }) = ours.poll_output() else { return false };
            let end = black_box(Ok::<(), Infallible>(()))
                .map_or_else(|never| match never {}, |()| AttemptOutcome::Succeeded);
            let told = ours.handle_result(now(), attempt, end).is_ok();
            let settled = ours.poll_output();
            told && matches!(settled, Some(PolicyOutput::Settle { outcome: CallOutcome::Succeeded(_), .. }))
        },
        || finish(theirs.call(())).is_ok(),
    );
}
