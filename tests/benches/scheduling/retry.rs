//! A call that succeeds at once under a retry policy, beside `tower-resilience`: what a policy costs that isn't needed.

use std::convert::Infallible;
use std::hint::black_box;

use quillwork_core::flow::retry::{Retry, RetryPolicy};
use quillwork_core::time::Instant;
use tower::{Layer, Service, service_fn};
use tower_resilience_retry::RetryLayer;

use crate::breaker::{answer, finish};
use crate::rounds::compare;

pub(crate) fn run() {
    let policy = RetryPolicy::attempts(3).expect("three attempts");
    let layer = RetryLayer::<(), (), Infallible>::builder().max_attempts(3).build();
    let mut theirs = layer.layer(service_fn(answer));
    compare(
        "a call that needs no retry",
        "tower-resilience 0.14.0",
        200_000,
        || {
            let mut call = Retry::new(black_box(policy), Instant::ZERO).expect("a sound policy");
            let succeeded = black_box(Ok::<(), Infallible>(())).is_ok();
            call.handle_success(Instant::ZERO, None);
            succeeded
        },
        || finish(theirs.call(())).is_ok(),
    );
}
