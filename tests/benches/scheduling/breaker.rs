//! One successful call through a closed circuit breaker, beside crates `failsafe` and `tower-resilience`.
//!
//! The call itself does nothing. `failsafe` opens after failures in a row and reads no clock as long as calls succeed, so
//! ours is given the time of the round; `tower-resilience` judges the last 100 calls and reads the clock around each, and
//! so does the bench for ours.

use std::convert::Infallible;
use std::future::Ready;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant as StdInstant;

use failsafe::{CircuitBreaker as _, Config, backoff, failure_policy};
use quillwork_core::flow::breaker::{Breaker, BreakerConfig, Outcome, Window};
use quillwork_core::time::{Duration, Instant};
use tower::{Layer, Service, service_fn};
use tower_resilience_circuitbreaker::CircuitBreakerLayer;

use crate::rounds::compare;

const TURNS: u32 = 100_000;

pub(crate) fn run() {
    let mut ours = Ours::new(BreakerConfig::consecutive(5));
    let backoff = backoff::constant(std::time::Duration::from_secs(30));
    let policy = failure_policy::consecutive_failures(5, backoff);
    let theirs = Config::new().failure_policy(policy).build();
    compare(
        "a call through a closed breaker, failures in a row",
        "failsafe 1.3.0",
        TURNS,
        || ours.call_at(Instant::ZERO, Instant::ZERO),
        || theirs.call(|| black_box(Ok::<(), ()>(()))).is_ok(),
    );

    let mut ours = Ours::new(BreakerConfig { window: Some(Window::Calls(100)), ..BreakerConfig::default() });
    let layer = CircuitBreakerLayer::builder().sliding_window_size(100).build().expect("sound settings");
    let mut theirs = layer.layer(service_fn(answer));
    compare(
        "a call through a closed breaker, ratio of 100 calls",
        "tower-resilience 0.14.0",
        TURNS,
        || ours.call(),
        || finish(theirs.call(())).is_ok(),
    );
}

struct Ours {
    breaker: Breaker,
    origin: StdInstant,
}

impl Ours {
    fn new(config: BreakerConfig) -> Self {
        Self { breaker: Breaker::new(config).expect("sound settings"), origin: StdInstant::now() }
    }

    fn call(&mut self) -> bool {
        let started = self.now();
        let Ok(permit) = self.breaker.try_acquire(started) else { return false };
        let succeeded = black_box(Ok::<(), ()>(())).is_ok();
        let ended = self.now();
        self.breaker.record(ended, permit, Outcome::Success, ended - started);
        succeeded
    }

    fn call_at(&mut self, started: Instant, ended: Instant) -> bool {
        let Ok(permit) = self.breaker.try_acquire(black_box(started)) else { return false };
        let succeeded = black_box(Ok::<(), ()>(())).is_ok();
        self.breaker.record(black_box(ended), permit, Outcome::Success, Duration::ZERO);
        succeeded
    }

    fn now(&self) -> Instant {
        let nanos = u64::try_from(self.origin.elapsed().as_nanos()).expect("a bench doesn't take centuries");
        Instant::ZERO + Duration::from_nanos(nanos)
    }
}

pub(crate) fn answer((): ()) -> Ready<Result<(), Infallible>> {
    std::future::ready(black_box(Ok(())))
}

/// Runs a future to its end that never waits for anything.
pub(crate) fn finish<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}
