//! The life of a fleet: workers join, leave, drain, report and fail; tasks of several kinds come, start and end.

use quillwork_core::balance::{LoadBalancer, Task, WorkerReport, WorkerSpec, WorkerStatus};
use quillwork_core::ids::{RegionId, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{Capabilities, Load, Priority};
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use crate::digests::{Clock, Decisions};

pub(super) struct Life {
    pub(super) rng: Rng,
    clock: Clock,
    next_task: u64,
    in_flight: Vec<TaskId>,
}

impl Life {
    pub(super) const fn new(rng: Rng) -> Self {
        Self { rng, clock: Clock::new(), next_task: 0, in_flight: Vec::new() }
    }

    pub(super) fn tick(&mut self) -> Instant {
        self.clock.tick(&mut self.rng, Duration::from_millis(8))
    }

    pub(super) fn join(&mut self, now: Instant, balancer: &mut LoadBalancer) {
        let spec = WorkerSpec {
            capabilities: Capabilities::from_bits(self.rng.below(8)),
            capacity: Load::new(2 + self.rng.next_u32() % 9),
            concurrency: 1 + self.rng.next_u32() % 3,
            region: self.rng.chance(0.6).then(|| region(&mut self.rng)),
            latency: Duration::from_micros(self.rng.below(40_000)),
            ..WorkerSpec::new(worker(&mut self.rng))
        };
        balancer.handle_joined(now, spec);
    }

    /// Something that may happen to a worker.
    pub(super) fn disturb(&mut self, now: Instant, balancer: &mut LoadBalancer, decisions: &mut Decisions) {
        let of = worker(&mut self.rng);
        match self.rng.below(8) {
            0 => {
                let orphans = balancer.handle_left(now, of).to_vec();
                self.in_flight.retain(|task| !orphans.contains(task));
                decisions.record(&orphans);
            }
            1 => {
                let status = [WorkerStatus::Draining, WorkerStatus::Offline, WorkerStatus::Booting];
                balancer.handle_status(now, of, status[self.rng.index(3)]);
            }
            2..4 => balancer.handle_status(now, of, WorkerStatus::Ready),
            4 => {
                let report = WorkerReport {
                    capacity: self.rng.chance(0.3).then(|| Load::new(1 + self.rng.next_u32() % 12)),
                    latency: self.rng.chance(0.5).then(|| Duration::from_micros(self.rng.below(40_000))),
                    foreign_load: Some(Load::new(self.rng.next_u32() % 3)),
                    ..WorkerReport::default()
                };
                balancer.handle_report(now, of, report);
            }
            5 => balancer.handle_probe(now, of, self.rng.chance(0.5)),
            _ => self.join(now, balancer),
        }
    }

    /// A task is submitted, or one that was given to a worker starts or ends.
    pub(super) fn work(&mut self, now: Instant, balancer: &mut LoadBalancer, decisions: &mut Decisions) {
        if self.in_flight.is_empty() || self.rng.chance(0.4) {
            let preferred = [worker(&mut self.rng), worker(&mut self.rng)];
            let banned = [worker(&mut self.rng)];
            let task = self.task(&preferred, &banned);
            let assigned = balancer.assign(now, &task);
            decisions.record(&assigned);
            self.in_flight.extend(assigned.ok().map(|_| task.id));
            return;
        }
        let task = self.in_flight[self.rng.index(self.in_flight.len())];
        match self.rng.below(10) {
            0..5 => balancer.handle_started(now, task),
            5 => decisions.record(&balancer.handle_cancelled(now, task)),
            _ => {
                // Odd workers fail often: they must look worse everywhere alike.
                let fails = balancer.task(task).is_some_and(|task| task.worker.get() % 4 == 1);
                let success = !self.rng.chance(if fails { 0.6 } else { 0.05 });
                decisions.record(&balancer.handle_finished(now, task, success));
            }
        }
        if balancer.task(task).is_none() {
            self.in_flight.retain(|&other| other != task);
        }
    }

    pub(super) fn task<'a>(&mut self, preferred: &'a [WorkerId], banned: &'a [WorkerId]) -> Task<'a> {
        let rng = &mut self.rng;
        self.next_task += 1;
        Task {
            task_type: TaskType::new(rng.next_u32() % 4),
            required: Capabilities::from_bits(if rng.chance(0.3) { rng.below(8) } else { 0 }),
            complexity: Load::new(1 + rng.next_u32() % 3),
            priority: [Priority::LOWEST, Priority::NORMAL, Priority::HIGHEST][rng.index(3)],
            affinity: if rng.chance(0.3) { preferred } else { &[] },
            anti_affinity: if rng.chance(0.3) { banned } else { &[] },
            region: rng.chance(0.4).then(|| region(rng)),
            size_hint_bytes: rng.chance(0.5).then(|| rng.below(1 << 24)),
            key: rng.below(12),
            ..Task::new(TaskId::new(self.next_task))
        }
    }
}

fn worker(rng: &mut Rng) -> WorkerId {
    WorkerId::new(rng.next_u32() % 12)
}

fn region(rng: &mut Rng) -> RegionId {
    RegionId::new(rng.next_u32() % 3)
}
