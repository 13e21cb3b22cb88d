//! Whatever keeps coming, everything that waits gets its turn.

use proptest::prelude::*;
use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{Load, Offer, Output, PoolConfig, Priority, TaskOutcome, TaskSpec};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::rig::{Rig, quiet, wide};

/// A pool under more work than it can do, each of whose workers is busy for `service` with each task.
struct Flood {
    rig: Rig,
    rng: Rng,
    service: Duration,
    running: Vec<(Instant, WorkerId, TaskId)>,
    next_task: u64,
}

impl Flood {
    fn new(seed: u64, capacities: &[u32], ageing: Duration, max_passed_over: Duration) -> Self {
        let offers: Vec<Offer> = capacities.iter().map(|&capacity| wide(capacity)).collect();
        let config = PoolConfig { ageing, max_passed_over, max_queued: 1 << 20, ..quiet() };
        Self {
            rig: Rig::ready_with(&offers, config),
            rng: Rng::from_seed(seed),
            service: Duration::from_millis(10),
            running: Vec::new(),
            next_task: 0,
        }
    }

    fn submit(&mut self, priority: Priority, complexity: u32) -> TaskId {
        let spec = TaskSpec { priority, complexity: Load::new(complexity), ..TaskSpec::default() };
        let outputs = self.rig.submit(self.next_task, spec);
        self.next_task += 1;
        self.take(&outputs);
        TaskId::new(self.next_task - 1)
    }

    fn take(&mut self, outputs: &[Output]) {
        for output in outputs {
            if let Output::Dispatch { task, worker, .. } = *output {
                self.running.push((self.rig.now + self.service, worker, task));
            }
        }
    }

    /// A millisecond in which urgent, small tasks come, more than the pool can do.
    fn pass(&mut self, arrivals: u64) {
        for _ in 0..arrivals {
            let level = u8::try_from(8 + self.rng.below(3)).expect("8 to 10");
            self.submit(Priority::new(level).expect("at most 10"), 1);
        }
        self.rig.pass_millis(1);
        while let Some(position) = self.running.iter().position(|(until, ..)| *until <= self.rig.now) {
            let (_, worker, task) = self.running.swap_remove(position);
            let (now, first) = (self.rig.now, Generation::FIRST);
            self.rig.pool.handle_task_done(now, worker, first, task, TaskOutcome::Completed);
            let outputs = self.rig.drain();
            self.take(&outputs);
        }
    }

    fn runs(&self, task: TaskId) -> bool {
        self.running.iter().any(|(.., running)| *running == task)
    }

    fn queued(&self) -> u64 {
        self.rig.pool.stats(self.rig.now).queued.into()
    }
}

/// How long the least urgent task of this size may wait, and how long it did.
fn wait_of_the_last(mut flood: Flood, capacities: &[u32], complexity: u32, arrivals: u64) -> (u64, u64) {
    let (ageing, max_passed_over) = (flood.rig.pool.config().ageing, flood.rig.pool.config().max_passed_over);
    for _ in 0..20 {
        flood.pass(arrivals);
    }
    let ahead = flood.queued();
    let last = flood.submit(Priority::LOWEST, complexity);
    let head_start = (ageing * 10).as_millis();
    // What comes within its handicap goes before it, and nothing later. All of it is done by the slowest pool that these
    // workers make where each runs one task at a time; then its room is kept for it, and comes free within a service.
    let before = ahead + head_start * arrivals;
    let able = capacities.iter().filter(|&&capacity| capacity >= complexity).count() as u64;
    let most = head_start.max(before * 10 / able) + max_passed_over.as_millis() + 40;
    for waited in 0..=most {
        if flood.runs(last) {
            return (waited, most);
        }
        flood.pass(arrivals);
    }
    (u64::MAX, most)
}

#[test]
fn a_large_task_of_the_lowest_priority_runs_under_a_flood_of_small_urgent_ones() {
    let capacities = [8];
    let flood = Flood::new(1, &capacities, Duration::from_millis(20), Duration::from_millis(50));
    let (waited, most) = wait_of_the_last(flood, &capacities, 8, 1);
    assert!(waited <= most, "{waited} of at most {most} ms");
    assert!(waited >= 190, "it had to wait until it was old enough: {waited} ms");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn nothing_starves(
        seed: u64,
        capacities in prop::collection::vec(1_u32..=8, 1..4),
        size in 1_u32..=8,
        ageing in 1_u64..30,
        passed_over in 0_u64..100,
        arrivals in 1_u64..4,
    ) {
        let widest = capacities.iter().copied().max().unwrap_or(1);
        let flood = Flood::new(
            seed,
            &capacities,
            Duration::from_millis(ageing),
            Duration::from_millis(passed_over),
        );
        let (waited, most) = wait_of_the_last(flood, &capacities, size.min(widest), arrivals);
        prop_assert!(waited <= most, "{} of at most {} ms", waited, most);
    }
}
