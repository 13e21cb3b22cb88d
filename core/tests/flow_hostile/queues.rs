//! What holds calls and tasks: bulkheads, executors, batchers, whole stacks.

use std::num::{NonZeroU32, NonZeroU64};

use quillwork_core::flow::adaptive_limit::AdaptiveLimitConfig;
use quillwork_core::flow::batch::{
    BatchClose, BatchConfig, BatchItem, BatchOutput, BatchRun, Batcher, Cut, NewItem, RetryScope,
};
use quillwork_core::flow::bulkhead::{Admission, Bulkhead, BulkheadConfig, BulkheadOutput, BulkheadTicket};
use quillwork_core::flow::executor::{
    CoolDown, Executor, ExecutorConfig, ExecutorOutput, Overflow, Submission,
};
use quillwork_core::flow::policy::{
    AttemptId, CallId, ConcurrencyLayer, PolicyConfig, PolicyOutput, PolicyStack, RateLayer,
};
use quillwork_core::flow::rate_limit::{Quota, Rate};
use quillwork_core::flow::retry::AttemptOutcome;
use quillwork_core::flow::timeout::TimeoutConfig;
use quillwork_core::ids::TaskId;
use quillwork_core::pool::{Priority, TaskOutcome};
use quillwork_core::rng::Rng;
use quillwork_core::time::Instant;

use crate::calls::{hostile_breaker, hostile_budget, hostile_failure, hostile_hedge, hostile_policy};
use crate::{Machine, hostile_duration, hostile_option, hostile_u32, torment};

fn some_of(rng: &mut Rng) -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(if rng.chance(0.8) { rng.next_u32() % 3 } else { hostile_u32(rng) })
}

fn hostile_bulkhead(rng: &mut Rng) -> BulkheadConfig {
    BulkheadConfig {
        max_concurrent: some_of(rng),
        max_queued: hostile_u32(rng),
        max_wait: hostile_option(rng),
    }
}

struct Entered {
    bulkhead: Bulkhead,
    running: Vec<BulkheadTicket>,
    tickets: Vec<BulkheadTicket>,
}

impl Machine for Entered {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        match rng.below(5) {
            0 | 1 => {
                if let Ok(admission) = self.bulkhead.handle_enter(now) {
                    self.tickets.push(admission.ticket());
                    if let Admission::Started(ticket) = admission {
                        self.running.push(ticket);
                    }
                }
            }
            2 if !self.running.is_empty() => {
                let ticket = self.running.swap_remove(rng.index(self.running.len()));
                self.bulkhead.handle_leave(now, ticket);
            }
            3 if !self.tickets.is_empty() => {
                _ = self.bulkhead.handle_abort(now, self.tickets[rng.index(self.tickets.len())]);
            }
            4 => self.bulkhead.set_max_concurrent(now, some_of(rng)),
            _ => {}
        }
        self.drain();
        assert_eq!(self.bulkhead.metrics().running as usize, self.running.len());
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.bulkhead.next_deadline()
    }

    fn handle_deadline(&mut self, now: Instant) {
        self.bulkhead.handle_deadline(now);
        self.drain();
    }
}

impl Entered {
    fn drain(&mut self) {
        while let Some(output) = self.bulkhead.poll_output() {
            if let BulkheadOutput::Start { ticket } = output {
                self.running.push(ticket);
            }
        }
    }
}

#[test]
fn bulkheads() {
    torment(|rng| {
        let bulkhead = Bulkhead::new(hostile_bulkhead(rng)).ok()?;
        Some(Entered { bulkhead, running: Vec::new(), tickets: Vec::new() })
    });
}

struct Executed {
    executor: Executor,
    running: Vec<TaskId>,
    next: u64,
}

impl Machine for Executed {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        match rng.below(30) {
            0 => self.executor.handle_pause(now),
            1..4 => self.executor.handle_resume(now),
            4 => self.executor.set_max_concurrent(now, some_of(rng)),
            5..8 => self.executor.handle_abort(now, TaskId::new(rng.below(self.next + 1))),
            8..16 => {
                if !self.running.is_empty() {
                    let task = self.running.swap_remove(rng.index(self.running.len()));
                    self.executor.handle_done(now, task, TaskOutcome::Completed);
                }
            }
            16 if rng.chance(0.02) => self.executor.handle_close(now),
            _ => {
                let submission = Submission {
                    priority: Priority::new((rng.next_u32() % 11) as u8).expect("0 to 10"),
                    weight: hostile_u32(rng),
                    queue_ttl: hostile_option(rng),
                    submitter: rng.below(3),
                };
                _ = self.executor.handle_submit(now, TaskId::new(self.next), submission);
                self.next += 1;
            }
        }
        self.drain();
        let metrics = self.executor.metrics(now);
        assert_eq!(metrics.active as usize, self.running.len());
        assert!(metrics.operations_per_second.is_finite());
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.executor.next_deadline()
    }

    fn handle_deadline(&mut self, now: Instant) {
        self.executor.handle_deadline(now);
        self.drain();
    }
}

impl Executed {
    fn drain(&mut self) {
        while let Some(output) = self.executor.poll_output() {
            if let ExecutorOutput::Start { task } = output {
                self.running.push(task);
            }
        }
    }
}

#[test]
fn executors() {
    torment(|rng| {
        let quota = Quota::new(1 + rng.next_u32() % 20, hostile_duration(rng)).ok();
        let config = ExecutorConfig {
            max_concurrent: some_of(rng),
            rate: quota.map(|quota| if rng.chance(0.5) { Rate::Steady(quota) } else { Rate::Strict(quota) }),
            cool_down: rng
                .chance(0.4)
                .then(|| CoolDown { burst: 1 + rng.next_u32() % 4, pause: hostile_duration(rng) }),
            max_queued: rng.next_u32() % 6,
            overflow: [
                Overflow::Reject,
                Overflow::DropOldest,
                Overflow::DropLowestPriority,
                Overflow::Wait { max_waiting: 3 },
            ][rng.index(4)],
            ageing: hostile_duration(rng),
            fair_spacing: hostile_duration(rng),
        };
        let executor = Executor::new(config, Instant::ZERO).ok()?;
        Some(Executed { executor, running: Vec::new(), next: 0 })
    });
}

struct Batched {
    batcher: Batcher,
    runs: Vec<BatchRun>,
    items: Vec<BatchItem>,
    rng: Rng,
}

impl Machine for Batched {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        match rng.below(12) {
            0 => self.batcher.handle_flush(now),
            1 if !self.items.is_empty() => {
                _ = self.batcher.handle_abort(now, self.items[rng.index(self.items.len())]);
            }
            2..6 if !self.runs.is_empty() => {
                let run = self.runs.swap_remove(rng.index(self.runs.len()));
                let items = self.batcher.run_items(run).count() + usize::from(rng.chance(0.05));
                let outcome = |rng: &mut Rng| match rng.below(2) {
                    0 => AttemptOutcome::Succeeded,
                    _ => AttemptOutcome::Failed(hostile_failure(rng)),
                };
                let outcomes: Vec<_> = (0..items).map(|_| outcome(rng)).collect();
                _ = self.batcher.handle_results(now, run, &outcomes, &mut self.rng);
            }
            6 if !self.runs.is_empty() => {
                let run = self.runs.swap_remove(rng.index(self.runs.len()));
                _ = self.batcher.handle_failure(now, run, hostile_failure(rng), &mut self.rng);
            }
            7 if rng.chance(0.01) => self.batcher.handle_close(now, BatchClose::Drain),
            _ => {
                let item = NewItem {
                    key: rng.chance(0.5).then(|| rng.below(4)),
                    bytes: if rng.chance(0.2) { u64::MAX } else { rng.below(100) },
                    cut: [Cut::No, Cut::Before, Cut::After][rng.index(3)],
                };
                self.items.extend(self.batcher.handle_item(now, item).map(|placed| placed.item));
            }
        }
        self.drain();
        assert_eq!(self.batcher.metrics(now).processing as usize, self.runs.len());
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.batcher.next_deadline()
    }

    fn handle_deadline(&mut self, now: Instant) {
        self.batcher.handle_deadline(now);
        self.drain();
    }
}

impl Batched {
    fn drain(&mut self) {
        while let Some(output) = self.batcher.poll_output() {
            if let BatchOutput::Process { run, .. } = output {
                self.runs.push(run);
            }
        }
    }
}

#[test]
fn batchers() {
    torment(|rng| {
        let config = BatchConfig {
            max_items: some_of(rng),
            max_bytes: rng.chance(0.5).then(|| NonZeroU64::MIN.saturating_add(rng.below(300))),
            max_delay: hostile_option(rng),
            max_concurrent: some_of(rng),
            max_pending: 1 + rng.next_u32() % 20,
            retry: hostile_policy(rng),
            retry_scope: if rng.chance(0.5) { RetryScope::FailedItems } else { RetryScope::WholeBatch },
        };
        Some(Batched {
            batcher: Batcher::new(config).ok()?,
            runs: Vec::new(),
            items: Vec::new(),
            rng: Rng::from_seed(rng.next_u64()),
        })
    });
}

struct Stacked {
    stack: PolicyStack,
    running: Vec<AttemptId>,
    calls: Vec<CallId>,
    open: usize,
}

impl Machine for Stacked {
    fn step(&mut self, now: Instant, rng: &mut Rng) {
        match rng.below(8) {
            0..3 => {
                self.calls.push(self.stack.handle_call(now));
                self.open += 1;
            }
            3 if !self.calls.is_empty() => {
                self.stack.handle_abort(now, self.calls[rng.index(self.calls.len())]);
            }
            4.. if !self.running.is_empty() => {
                let attempt = self.running.swap_remove(rng.index(self.running.len()));
                let outcome = match rng.below(2) {
                    0 => AttemptOutcome::Succeeded,
                    _ => AttemptOutcome::Failed(hostile_failure(rng)),
                };
                _ = self.stack.handle_result(now, attempt, outcome);
            }
            _ => {}
        }
        self.drain();
        assert_eq!(self.stack.metrics(now).calls_open, self.open);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.stack.next_deadline()
    }

    fn handle_deadline(&mut self, now: Instant) {
        self.stack.handle_deadline(now);
        self.drain();
    }
}

impl Stacked {
    fn drain(&mut self) {
        while let Some(output) = self.stack.poll_output() {
            match output {
                PolicyOutput::StartAttempt { attempt, .. } => self.running.push(attempt),
                PolicyOutput::Settle { .. } => self.open -= 1,
                PolicyOutput::CancelAttempt { .. } => {}
            }
        }
    }
}

#[test]
fn policy_stacks() {
    torment(|rng| {
        let rate = Quota::new(1 + rng.next_u32() % 5, hostile_duration(rng)).ok().map(|quota| RateLayer {
            rate: if rng.chance(0.5) { Rate::Strict(quota) } else { Rate::Steady(quota) },
            max_wait: hostile_duration(rng),
        });
        // Settings of each layer that are sound by themselves.
        let retry = hostile_policy(rng);
        let budget = hostile_budget(rng);
        let hedge = hostile_hedge(rng);
        let breaker = hostile_breaker(rng);
        let bulkhead = hostile_bulkhead(rng);
        let timeout = TimeoutConfig { execution: hostile_option(rng), total: hostile_option(rng) };
        let config = PolicyConfig {
            timeout: if timeout.validate().is_ok() { timeout } else { TimeoutConfig::default() },
            retry: Some(retry).filter(|retry| retry.validate().is_ok()),
            retry_budget: Some(budget).filter(|budget| budget.validate().is_ok()),
            breaker: Some(breaker).filter(|breaker| breaker.validate().is_ok()),
            hedge: Some(hedge).filter(|hedge| hedge.validate().is_ok()),
            rate,
            concurrency: match rng.below(3) {
                0 => ConcurrencyLayer::Unlimited,
                1 if bulkhead.validate().is_ok() => ConcurrencyLayer::Bulkhead(bulkhead),
                _ => ConcurrencyLayer::Adaptive(AdaptiveLimitConfig::default()),
            },
            ..PolicyConfig::default()
        };
        let stack = PolicyStack::new(config, rng.next_u64(), Instant::ZERO).ok()?;
        Some(Stacked { stack, running: Vec::new(), calls: Vec::new(), open: 0 })
    });
}
