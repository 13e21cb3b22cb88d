//! Rate limits, keyed ones included, and throttled execution.

use std::num::NonZeroU32;

use quillwork_core::flow::executor::{
    CoolDown, Executor, ExecutorConfig, ExecutorOutput, Overflow, Submission,
};
use quillwork_core::flow::rate_limit::{Gcra, Keyed, Quota, Rate, RateLimiter, SlidingLog};
use quillwork_core::ids::TaskId;
use quillwork_core::pool::{Priority, TaskOutcome};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

fn quota() -> Quota {
    Quota::new(20, Duration::from_millis(10)).and_then(|quota| quota.with_burst(8)).expect("it is sound")
}

struct Requests<L: RateLimiter> {
    keyed: Keyed<u64, L>,
    rng: Rng,
    now: Instant,
    admitted: u32,
}

impl<L: RateLimiter + Clone> Requests<L> {
    fn new(fresh: L) -> Self {
        let keyed = Keyed::new(fresh, NonZeroU32::new(50).expect("not zero"));
        Self { keyed, rng: Rng::from_seed(3), now: Instant::ZERO, admitted: 0 }
    }

    fn rounds(&mut self, rounds: u32) {
        for _ in 0..rounds {
            self.now += Duration::from_micros(self.rng.below(60));
            // Some keys come often and some once, so that keys come and go and the bound is met.
            let key = if self.rng.chance(0.7) { self.rng.below(20) } else { self.rng.below(1_000_000) };
            let weight = if self.rng.chance(0.5) { 1 } else { 7 };
            if self.rng.chance(0.8) {
                self.admitted += u32::from(self.keyed.check(self.now, key, weight).is_ok());
            } else if let Ok(turn) = self.keyed.reserve(self.now, key, weight, Duration::from_millis(5))
                && self.rng.chance(0.5)
            {
                self.keyed.cancel(self.now, turn);
            }
        }
    }
}

fn steady<L: RateLimiter + Clone>(fresh: L) {
    let mut requests = Requests::new(fresh);
    requests.rounds(200_000);
    requests.admitted = 0;
    assert_eq!(allocations_of(|| requests.rounds(20_000)), 0);
    assert!((2_000..16_000).contains(&requests.admitted), "some of them: {}", requests.admitted);
    let metrics = requests.keyed.metrics();
    assert!(metrics.evicted_idle + metrics.evicted_early > 10_000, "{metrics:?}");
}

#[test]
fn keyed_limits_in_steady_state() {
    steady(Gcra::new(quota()));
    steady(SlidingLog::new(quota()));
}

struct Calls {
    executor: Executor,
    running: Vec<TaskId>,
    rng: Rng,
    now: Instant,
    next_task: u64,
}

impl Calls {
    fn new(overflow: Overflow) -> Self {
        let quota = Quota::new(20, Duration::from_millis(100)).expect("it is sound");
        let config = ExecutorConfig {
            rate: Some(Rate::Strict(quota)),
            cool_down: Some(CoolDown { burst: 50, pause: Duration::from_millis(10) }),
            max_queued: 40,
            overflow,
            fair_spacing: Duration::from_millis(10),
            ..ExecutorConfig::default()
        };
        let executor = Executor::new(config, Instant::ZERO).expect("the settings are sound");
        Self {
            executor,
            running: Vec::with_capacity(8),
            rng: Rng::from_seed(4),
            now: Instant::ZERO,
            next_task: 0,
        }
    }

    fn rounds(&mut self, rounds: u32) {
        for _ in 0..rounds {
            self.now += Duration::from_micros(self.rng.below(5_000));
            let submission = Submission {
                priority: if self.rng.chance(0.3) { Priority::HIGHEST } else { Priority::LOWEST },
                queue_ttl: self.rng.chance(0.3).then_some(Duration::from_millis(150)),
                submitter: self.rng.below(5),
                ..Submission::default()
            };
            let _ = self.executor.handle_submit(self.now, TaskId::new(self.next_task), submission);
            self.next_task += 1;
            if self.rng.chance(0.1) {
                let recent = self.next_task - self.rng.below(100).min(self.next_task);
                self.executor.handle_abort(self.now, TaskId::new(recent));
            }
            if !self.running.is_empty() && self.rng.chance(0.9) {
                let done = self.running.swap_remove(self.rng.index(self.running.len()));
                self.executor.handle_done(self.now, done, TaskOutcome::Completed);
            }
            self.executor.handle_deadline(self.now);
            while let Some(output) = self.executor.poll_output() {
                if let ExecutorOutput::Start { task } = output {
                    self.running.push(task);
                }
            }
        }
    }
}

#[test]
fn throttled_execution_in_steady_state() {
    for overflow in [Overflow::DropLowestPriority, Overflow::Wait { max_waiting: 20 }] {
        let mut calls = Calls::new(overflow);
        // Well over the minute that its metrics look back.
        calls.rounds(50_000);
        assert_eq!(allocations_of(|| calls.rounds(10_000)), 0);

        let totals = calls.executor.metrics(calls.now).totals;
        let overflowed = totals.dropped + totals.refused;
        let seen = [totals.completed, totals.expired, totals.aborted, overflowed];
        assert!(seen.iter().all(|&count| count > 1_000), "the load was to do everything: {totals:?}");
    }
}
