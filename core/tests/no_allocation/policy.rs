//! A policy stack with every layer, under calls that succeed, fail, hang and are cancelled.

use quillwork_core::flow::adaptive_limit::AdaptiveLimitConfig;
use quillwork_core::flow::breaker::{BreakerConfig, BreakerMode};
use quillwork_core::flow::bulkhead::BulkheadConfig;
use quillwork_core::flow::hedge::{HedgeConfig, HedgeDelay};
use quillwork_core::flow::policy::{
    AttemptId, CallId, ConcurrencyLayer, PolicyConfig, PolicyOutput, PolicyStack, RateLayer,
};
use quillwork_core::flow::rate_limit::{Quota, Rate};
use quillwork_core::flow::retry::{AttemptFailure, AttemptOutcome, RetryBudgetConfig, RetryPolicy};
use quillwork_core::flow::timeout::TimeoutConfig;
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

struct Shell {
    stack: PolicyStack,
    rng: Rng,
    now: Instant,
    running: Vec<AttemptId>,
    last_call: Option<CallId>,
    /// Nothing ends: the tables grow to what they may ever hold.
    hangs: bool,
}

impl Shell {
    fn rounds(&mut self, rounds: u32) {
        for _ in 0..rounds {
            // Whole half milliseconds: few latencies, whose buckets in the hedger's sketch the first rounds fill.
            self.now += Duration::from_micros(500 * self.rng.below(9));
            self.last_call = Some(self.stack.handle_call(self.now));
            self.drain();
            while !self.hangs && !self.running.is_empty() && self.rng.chance(0.6) {
                let attempt = self.running.swap_remove(self.rng.index(self.running.len()));
                let end = match self.rng.below(10) {
                    0 => AttemptOutcome::Failed(AttemptFailure::Transient),
                    1 => AttemptOutcome::Failed(AttemptFailure::Permanent),
                    _ => AttemptOutcome::Succeeded,
                };
                // Some nobody waits for any more.
                let _late = self.stack.handle_result(self.now, attempt, end);
                self.drain();
            }
            if let Some(call) = self.last_call.take().filter(|_| self.rng.chance(0.1)) {
                self.stack.handle_abort(self.now, call);
                self.drain();
            }
            self.stack.handle_deadline(self.now);
            self.drain();
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.stack.poll_output() {
            if let PolicyOutput::StartAttempt { attempt, .. } = output {
                self.running.push(attempt);
            }
        }
    }
}

#[test]
fn a_stack_with_every_layer_in_steady_state() {
    let bulkhead = BulkheadConfig {
        max_queued: 20,
        max_wait: Some(Duration::from_millis(30)),
        ..BulkheadConfig::concurrent(10).expect("ten are not none")
    };
    let adaptive = AdaptiveLimitConfig { ceiling: 20, ..AdaptiveLimitConfig::default() };
    for concurrency in [ConcurrencyLayer::Bulkhead(bulkhead), ConcurrencyLayer::Adaptive(adaptive)] {
        let delay = HedgeDelay::Fixed(Duration::from_millis(3));
        let config = PolicyConfig {
            timeout: TimeoutConfig {
                total: Some(Duration::from_millis(200)),
                execution: Some(Duration::from_millis(6)),
            },
            retry: Some(RetryPolicy::default()),
            retry_budget: Some(RetryBudgetConfig::default()),
            breaker: Some(BreakerConfig::default()),
            hedge: Some(HedgeConfig { delay, ..HedgeConfig::default() }),
            rate: Some(RateLayer {
                rate: Rate::Steady(Quota::per_second(1_000).expect("a quota")),
                max_wait: Duration::from_millis(5),
            }),
            concurrency,
            ..PolicyConfig::default()
        };
        let mut shell = Shell {
            stack: PolicyStack::new(config, 1, Instant::ZERO).expect("the settings are sound"),
            rng: Rng::from_seed(1),
            now: Instant::ZERO,
            running: Vec::with_capacity(10_000),
            last_call: None,
            hangs: true,
        };
        let breaker = |shell: &mut Shell, mode| {
            shell.stack.breaker_mut().expect("there is one").set_mode(shell.now, mode);
        };
        breaker(&mut shell, BreakerMode::Disabled);
        shell.rounds(500);
        shell.hangs = false;
        breaker(&mut shell, BreakerMode::Automatic);
        // Long enough for each slot of the hedger's minute to have come round a few times.
        shell.rounds(200_000);
        assert_eq!(allocations_of(|| shell.rounds(50_000)), 0);
        let totals = shell.stack.metrics(shell.now).totals;
        let seen = [totals.retries, totals.refused, totals.timed_out, totals.succeeded, totals.failed];
        assert!(seen.iter().all(|&count| count > 300), "the load was to do everything: {totals:?}");
    }
}
