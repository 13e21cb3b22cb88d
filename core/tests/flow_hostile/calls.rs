//! What guards single calls: retries, time-outs, hedges, breakers.

use std::num::NonZeroU32;

use quillwork_core::flow::breaker::{
    Breaker, BreakerConfig, BreakerMode, BreakerState, OpenTime, Outcome, Permit, Window,
};
use quillwork_core::flow::hedge::{Hedge, HedgeAttempt, HedgeConfig, HedgeDelay, Hedger};
use quillwork_core::flow::retry::{
    AttemptFailure, Backoff, Jitter, Retry, RetryBudget, RetryBudgetConfig, RetryDecision, RetryPolicy,
};
use quillwork_core::flow::timeout::{Execution, Timeout, TimeoutConfig};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::{Machine, hostile_duration, hostile_f64, hostile_option, hostile_u32, torment};

pub(crate) fn hostile_policy(rng: &mut Rng) -> RetryPolicy {
    let jitter = [Jitter::None, Jitter::Full, Jitter::Decorrelated][rng.index(3)];
    let factor = if rng.chance(0.6) { 2.0 } else { hostile_f64(rng) };
    let cap = if rng.chance(0.5) { Duration::MAX } else { hostile_duration(rng) };
    RetryPolicy {
        max_attempts: NonZeroU32::new(hostile_u32(rng)).unwrap_or(NonZeroU32::MAX),
        backoff: Backoff { base: hostile_duration(rng), cap, factor, jitter },
        deadline: hostile_option(rng),
        max_retry_after: hostile_duration(rng),
    }
}

pub(crate) fn hostile_failure(rng: &mut Rng) -> AttemptFailure {
    match rng.below(8) {
        0 => AttemptFailure::Permanent,
        1 => AttemptFailure::RetryAfter(hostile_duration(rng)),
        _ => AttemptFailure::Transient,
    }
}

pub(crate) fn hostile_budget(rng: &mut Rng) -> RetryBudgetConfig {
    RetryBudgetConfig {
        deposit_ratio: if rng.chance(0.7) { 0.2 } else { hostile_f64(rng) },
        reserve_per_second: hostile_u32(rng),
        max_saved: hostile_u32(rng),
    }
}

struct Retried {
    policy: RetryPolicy,
    call: Retry,
    budget: RetryBudget,
    rng: Rng,
}

impl Machine for Retried {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        let budget = rng.chance(0.7).then_some(&mut self.budget);
        match rng.below(10) {
            0 => self.call.handle_success(now, budget),
            1 => self.call.handle_abort(now, budget),
            _ => {
                let decision = self.call.handle_failure(now, hostile_failure(rng), budget, &mut self.rng);
                if let RetryDecision::RetryAt(at) = decision {
                    assert!(at < self.call.deadline());
                }
            }
        }
        if self.call.is_over() {
            self.call = Retry::new(self.policy, now).expect("it was taken before");
        }
        let metrics = self.budget.metrics(now);
        assert!(metrics.available <= metrics.capacity);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.call.next_deadline()
    }

    fn handle_deadline(&mut self, now: Instant) {
        self.call.handle_deadline(now);
    }
}

#[test]
fn retries() {
    torment(|rng| {
        let policy = hostile_policy(rng);
        Some(Retried {
            policy,
            call: Retry::new(policy, Instant::ZERO).ok()?,
            budget: RetryBudget::new(hostile_budget(rng), Instant::ZERO).ok()?,
            rng: Rng::from_seed(rng.next_u64()),
        })
    });
}

struct Timed {
    config: TimeoutConfig,
    call: Timeout,
    last: Option<Execution>,
}

impl Machine for Timed {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        match (rng.below(10), self.last) {
            (0, _) => _ = self.call.handle_end(),
            (1..6, Some(execution)) => _ = self.call.handle_result(now, execution),
            _ => self.last = self.call.handle_start(now).ok(),
        }
        if self.call.is_over() {
            self.call = Timeout::new(self.config, now).expect("it was taken before");
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.call.next_deadline()
    }

    fn handle_deadline(&mut self, now: Instant) {
        self.call.handle_deadline(now).expect("it asked for this time");
    }
}

#[test]
fn time_outs() {
    torment(|rng| {
        let config = TimeoutConfig { execution: hostile_option(rng), total: hostile_option(rng) };
        Some(Timed { config, call: Timeout::new(config, Instant::ZERO).ok()?, last: None })
    });
}

struct Hedged {
    hedger: Hedger,
    call: Hedge,
}

impl Machine for Hedged {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        let attempt = HedgeAttempt::new((rng.next_u32() % 40) as u8 % if rng.chance(0.9) { 3 } else { 40 });
        match rng.below(4) {
            0 => _ = self.call.handle_success(now, attempt, &mut self.hedger),
            1 => _ = self.call.handle_failure(attempt, &mut self.hedger),
            2 if rng.chance(0.3) => _ = self.call.handle_abort(&mut self.hedger),
            _ => {}
        }
        if self.call.in_flight().is_empty() {
            assert_eq!(self.hedger.metrics().in_flight, 0);
            self.call = Hedge::new(&mut self.hedger, now);
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.call.next_deadline()
    }

    fn handle_deadline(&mut self, now: Instant) {
        self.call.handle_deadline(now, &mut self.hedger);
    }
}

pub(crate) fn hostile_hedge(rng: &mut Rng) -> HedgeConfig {
    let delay = if rng.chance(0.5) {
        HedgeDelay::Fixed(hostile_duration(rng))
    } else {
        HedgeDelay::Quantile { q: 0.9, min_samples: rng.below(4), at_least: hostile_duration(rng) }
    };
    HedgeConfig { delay, max_hedges: (rng.next_u32() % 9) as u8, budget: hostile_budget(rng) }
}

#[test]
fn hedges() {
    torment(|rng| {
        let mut hedger = Hedger::new(hostile_hedge(rng), Instant::ZERO).ok()?;
        let call = Hedge::new(&mut hedger, Instant::ZERO);
        Some(Hedged { hedger, call })
    });
}

struct Guarded {
    breaker: Breaker,
    permits: Vec<Permit>,
}

impl Machine for Guarded {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        match self.breaker.try_acquire(now) {
            Ok(permit) => self.permits.push(permit),
            Err(rejected) => {
                if let Some(earliest) = rejected.refusal.earliest() {
                    assert!(earliest > now || earliest == Instant::NEVER, "or why was it refused?");
                }
            }
        }
        match (rng.below(12), self.permits.is_empty()) {
            (0, _) => self.breaker.hold_open(now, now + hostile_duration(rng)),
            (1, _) if rng.chance(0.3) => {
                let modes = [BreakerMode::Automatic, BreakerMode::ForcedOpen, BreakerMode::MetricsOnly];
                self.breaker.set_mode(now, modes[rng.index(3)]);
            }
            (2, false) => {
                let permit = self.permits.swap_remove(rng.index(self.permits.len()));
                self.breaker.release(now, permit);
            }
            (3..9, false) => {
                let permit = self.permits.swap_remove(rng.index(self.permits.len()));
                let outcome = [Outcome::Success, Outcome::Failure, Outcome::Ignored][rng.index(3)];
                self.breaker.record(now, permit, outcome, hostile_duration(rng));
            }
            _ => {}
        }
        let metrics = self.breaker.metrics(now);
        assert!(metrics.window.failed <= metrics.window.calls && metrics.window.slow <= metrics.window.calls);
        assert!(metrics.trials_out == 0 || self.breaker.state(Instant::ZERO) != BreakerState::Closed);
        let _event = self.breaker.poll_output();
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.breaker.next_deadline()
    }

    fn handle_deadline(&mut self, now: Instant) {
        self.breaker.handle_deadline(now);
    }
}

pub(crate) fn hostile_breaker(rng: &mut Rng) -> BreakerConfig {
    let window = match rng.below(3) {
        0 => None,
        1 => Some(Window::Calls(1 + rng.next_u32() % 20)),
        _ => Some(Window::Time { bucket: hostile_duration(rng), buckets: 1 + rng.next_u32() % 9 }),
    };
    BreakerConfig {
        consecutive_failures: rng.chance(0.7).then(|| 1 + rng.next_u32() % 9),
        window,
        min_calls: rng.next_u32() % 5,
        failure_ratio: if rng.chance(0.8) { 0.5 } else { hostile_f64(rng) },
        slow_ratio: if rng.chance(0.8) { 0.5 } else { hostile_f64(rng) },
        slow_call: hostile_option(rng),
        trials: 1 + rng.next_u32() % 3,
        trial_deadline: hostile_option(rng),
        open_time: OpenTime {
            base: hostile_duration(rng),
            factor: hostile_u32(rng),
            cap: if rng.chance(0.5) { Duration::MAX } else { hostile_duration(rng) },
        },
        ..BreakerConfig::default()
    }
}

#[test]
fn breakers() {
    torment(|rng| Some(Guarded { breaker: Breaker::new(hostile_breaker(rng)).ok()?, permits: Vec::new() }));
}
