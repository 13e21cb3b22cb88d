//! Submitting, dispatching, settling, aborting and expiring; giving tasks ahead and taking them back.

use std::collections::VecDeque;

use quillwork_core::balance::BuiltIn;
use quillwork_core::flow::retry::Backoff;
use quillwork_core::ids::{Generation, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{
    Binding, Capabilities, Load, Offer, Output, Overflow, PoolConfig, PoolCounters, Priority, Scheduler,
    TaskOutcome, TaskSpec,
};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::allocations_of;

const WORKERS: u32 = 8;
const GPU: Capabilities = Capabilities::from_bits(1);

struct Traffic {
    pool: Scheduler,
    /// What each worker holds. There is room for all, so that the list itself allocates nothing.
    held: [VecDeque<(TaskId, Generation)>; WORKERS as usize],
    /// What workers were asked to give back.
    asked_back: VecDeque<(TaskId, WorkerId, Generation)>,
    /// For what a strategy was asked.
    asked: VecDeque<TaskId>,
    rng: Rng,
    now: Instant,
    next_task: u64,
    /// How many tasks of each type may be at workers, and how often the pool is paused.
    gates: (u32, f64),
}

impl Traffic {
    fn new(config: PoolConfig, gates: (u32, f64)) -> Self {
        let config = PoolConfig {
            workers: WORKERS,
            max_queued: 40,
            retry_backoff: Backoff::exponential(Duration::from_millis(1), Duration::from_millis(4)),
            max_delayed: 20,
            lease: None,
            ..config
        };
        let mut load = Self {
            pool: Scheduler::new(config, Instant::ZERO).expect("the settings are sound"),
            held: std::array::from_fn(|_| VecDeque::with_capacity(512)),
            asked_back: VecDeque::with_capacity(512),
            asked: VecDeque::with_capacity(512),
            rng: Rng::from_seed(1),
            now: Instant::ZERO,
            next_task: 0,
            gates,
        };
        for worker in 0..WORKERS {
            let offer = Offer {
                capabilities: if worker == 0 { GPU } else { Capabilities::NONE },
                capacity: Load::new(1 + worker % 4),
                ..Offer::PLAIN
            };
            load.pool.handle_worker_ready(load.now, WorkerId::new(worker), Generation::FIRST, offer);
        }
        load
    }

    fn rounds(&mut self, rounds: u32) {
        for _ in 0..rounds {
            self.now += Duration::from_micros(self.rng.below(300));
            let spec = TaskSpec {
                priority: if self.rng.chance(0.3) { Priority::HIGHEST } else { Priority::LOWEST },
                required: if self.rng.chance(0.1) { GPU } else { Capabilities::NONE },
                complexity: Load::new(if self.rng.chance(0.2) { 4 } else { 1 }),
                timeout: self.rng.chance(0.5).then_some(Duration::from_secs(1)),
                max_attempts: if self.rng.chance(0.3) { 3 } else { 1 },
                queue_ttl: self.rng.chance(0.5).then_some(Duration::from_millis(20)),
                task_type: TaskType::new(self.rng.next_u32() % 3),
                type_limit: self.gates.0,
                ..TaskSpec::default()
            };
            self.pool.handle_submit(self.now, TaskId::new(self.next_task), spec).expect("ids count up");
            self.next_task += 1;
            self.drain();
            if self.rng.chance(0.1) {
                let recent = self.next_task - 1 - self.rng.below(100).min(self.next_task - 1);
                self.pool.handle_abort(self.now, TaskId::new(recent));
                self.drain();
            }
            let worker = self.rng.index(self.held.len());
            // One task comes each round and fewer go, so that the queue is full most of the time.
            if self.rng.chance(0.8)
                && let Some((task, generation)) = self.held[worker].pop_front()
            {
                let place = WorkerId::new(u32::try_from(worker).expect("8 workers"));
                self.pool.handle_progress(self.now, place, generation, task);
                let outcome = if self.rng.chance(0.2) { TaskOutcome::Failed } else { TaskOutcome::Completed };
                self.pool.handle_task_done(self.now, place, generation, task, outcome);
                self.drain();
            }
            if self.gates.1 > 0.0 && self.rng.chance(self.gates.1) {
                self.pool.handle_pause(self.now);
                self.drain();
            } else if self.pool.is_paused() && self.rng.chance(0.3) {
                self.pool.handle_resume(self.now);
                self.drain();
            }
            self.pool.handle_deadline(self.now);
            self.drain();
            while let Some(task) = self.asked.pop_front() {
                // Some answers never come.
                if self.rng.chance(0.9) {
                    let able = self.pool.candidates_for(self.now, task);
                    let chosen = able.min_by_key(|worker| (worker.backlog, worker.worker));
                    let worker = chosen.map(|worker| worker.worker);
                    self.pool.handle_strategy_answer(self.now, task, worker);
                    self.drain();
                }
            }
            while let Some((task, worker, generation)) = self.asked_back.pop_front() {
                let held = &mut self.held[worker.index()];
                if let Some(position) = held.iter().position(|held| *held == (task, generation)) {
                    held.remove(position);
                    self.pool.handle_task_returned(self.now, worker, generation, task);
                    self.drain();
                }
            }
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.pool.poll_output() {
            match output {
                Output::Dispatch { task, worker, generation, .. } => {
                    self.held[worker.index()].push_back((task, generation));
                }
                Output::TakeBack { task, worker, generation } => {
                    self.asked_back.push_back((task, worker, generation));
                }
                Output::AskStrategy { task } => self.asked.push_back(task),
                _ => {}
            }
        }
    }
}

fn works_without_allocating(config: PoolConfig) -> PoolCounters {
    works_behind_gates(config, (0, 0.0))
}

fn works_behind_gates(config: PoolConfig, gates: (u32, f64)) -> PoolCounters {
    let mut load = Traffic::new(config, gates);
    // Once through all steps of the statistics' window, and round again.
    for _ in 0..6 {
        load.rounds(2_000);
        load.now += Duration::from_secs(15);
    }
    assert_eq!(allocations_of(|| load.rounds(30_000)), 0, "{config:?}");
    let counters = load.pool.stats(load.now).counters;
    let seen = [counters.completed, counters.expired, counters.aborted, counters.retried, counters.progress];
    assert!(seen.iter().all(|&count| count > 100), "the load was to do everything: {seen:?}");
    counters
}

#[test]
fn a_pool_in_steady_state_whatever_it_does_with_too_many_tasks() {
    let with = |overflow| works_without_allocating(PoolConfig { overflow, ..PoolConfig::default() });
    assert!(with(Overflow::Reject).refused > 1_000);
    assert!(with(Overflow::DropOldest).dropped > 1_000);
    assert!(with(Overflow::DropLowestPriority).dropped > 1_000);
    assert!(with(Overflow::Wait { max_waiting: 40 }).refused > 1_000);
}

#[test]
fn a_pool_that_gives_tasks_ahead_and_takes_them_back() {
    let prefetch = Duration::from_millis(8);
    let counters = works_without_allocating(PoolConfig { prefetch, ..PoolConfig::default() });
    assert!(counters.taken_back > 0, "{counters:?}");
}

#[test]
fn a_pool_whose_slow_workers_leave_tasks_to_faster_ones() {
    works_without_allocating(PoolConfig { threshold: true, ..PoolConfig::default() });
}

#[test]
fn a_pool_with_limits_of_types_that_is_paused_now_and_then() {
    works_behind_gates(PoolConfig::default(), (3, 0.0));
    let prefetch = Duration::from_millis(8);
    let counters = works_behind_gates(PoolConfig { prefetch, ..PoolConfig::default() }, (0, 0.02));
    assert!(counters.taken_back > 0, "{counters:?}");
}

#[test]
fn a_pool_that_binds_early() {
    // The adaptive one keeps decisions whose outcomes never came until it has as many as it may, which is far beyond this load:
    // its own steady state is under test beside the balancer's.
    for strategy in BuiltIn::ALL.into_iter().filter(|strategy| *strategy != BuiltIn::Adaptive) {
        let binding = Binding::Early { strategy, steal_after: Duration::from_millis(1) };
        let counters = works_without_allocating(PoolConfig { binding, ..PoolConfig::default() });
        assert!(counters.stolen > 0, "{strategy:?}: {counters:?}");
    }
}

#[test]
fn a_pool_that_asks_a_strategy_outside() {
    let (answer_within, fallback) = (Duration::from_millis(1), BuiltIn::LeastLoaded);
    let binding = Binding::Asked { answer_within, fallback, steal_after: Duration::from_millis(1) };
    let counters = works_without_allocating(PoolConfig { binding, ..PoolConfig::default() });
    assert!(counters.answers_missing > 100 && counters.stolen > 0, "{counters:?}");
}
