//! Early binding: a task is given to a worker when it comes, by a strategy.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use quillwork_core::balance::{Load, LoadBalancer, Task, WorkerSpec, WorkerStatus};
use quillwork_core::ids::{TaskId, WorkerId};

use super::world::{Binder, World, index};

/// A [`LoadBalancer`] between the traffic and the workers' own queues.
pub(super) struct EarlyBinding<'a> {
    balancer: &'a mut LoadBalancer,
    /// What found no worker with room, in order.
    waiting: VecDeque<u32>,
}

impl<'a> EarlyBinding<'a> {
    pub(super) fn new(balancer: &'a mut LoadBalancer) -> Self {
        Self { balancer, waiting: VecDeque::new() }
    }

    /// Sends the attempt to the worker that the strategy chooses; `false` where it has to wait for one.
    fn place(&mut self, world: &mut World<'_>, attempt: u32) -> bool {
        let job = world.job(attempt);
        let failed_on: Vec<WorkerId> = world.failed_on(attempt).map(WorkerId::new).collect();
        let mut task = Task {
            task_type: job.task_type,
            required: job.required,
            priority: job.priority,
            region: job.region,
            key: job.key,
            anti_affinity: &failed_on,
            ..Task::new(task_of(attempt))
        };
        let mut chosen = self.balancer.select_worker(world.now, &task);
        if chosen.is_err() && !failed_on.is_empty() {
            task.anti_affinity = &[];
            chosen = self.balancer.select_worker(world.now, &task);
        }
        let Ok(worker) = chosen else { return false };
        self.balancer.handle_assigned(world.now, &task, worker);
        world.dispatch(self, attempt, worker.index());
        world.limit(attempt);
        true
    }

    fn feed(&mut self, world: &mut World<'_>) {
        while let Some(&attempt) = self.waiting.front() {
            if !self.place(world, attempt) {
                return;
            }
            self.waiting.pop_front();
        }
    }

    fn conclude(&mut self, world: &mut World<'_>, attempt: u32, succeeded: bool) {
        self.balancer.handle_finished(world.now, task_of(attempt), succeeded);
        if let Some(next) = world.conclude(attempt, succeeded) {
            self.submitted(world, next);
        }
    }
}

impl Binder for EarlyBinding<'_> {
    fn begin(&mut self, world: &mut World<'_>) {
        for (server, model) in world.scenario.workers.iter().enumerate() {
            let spec = WorkerSpec {
                id: WorkerId::new(index(server)),
                capabilities: model.capabilities,
                concurrency: model.concurrency,
                capacity: Load::new(model.concurrency.saturating_mul(QUEUE_PER_SLOT)),
                region: model.region,
                latency: model.latency,
            };
            self.balancer.handle_joined(world.now, spec);
        }
    }

    fn submitted(&mut self, world: &mut World<'_>, attempt: u32) {
        if !self.waiting.is_empty() || !self.place(world, attempt) {
            self.waiting.push_back(attempt);
        }
    }

    fn started(&mut self, world: &mut World<'_>, attempt: u32) {
        self.balancer.handle_started(world.now, task_of(attempt));
    }

    fn answered(&mut self, world: &mut World<'_>, attempt: u32, succeeded: bool) {
        self.conclude(world, attempt, succeeded);
        self.feed(world);
    }

    fn timed_out(&mut self, world: &mut World<'_>, attempt: u32) {
        self.conclude(world, attempt, false);
        self.feed(world);
    }

    fn crashed(&mut self, world: &mut World<'_>, server: usize, held: Vec<u32>) {
        self.balancer.handle_status(world.now, WorkerId::new(index(server)), WorkerStatus::Offline);
        for attempt in held {
            self.conclude(world, attempt, false);
        }
        self.feed(world);
    }

    fn restarted(&mut self, world: &mut World<'_>, server: usize) {
        self.balancer.handle_status(world.now, WorkerId::new(index(server)), WorkerStatus::Ready);
        self.feed(world);
    }
}

fn task_of(attempt: u32) -> TaskId {
    TaskId::new(u64::from(attempt))
}

/// How many tasks a worker may hold for each that it runs at a time.
const QUEUE_PER_SLOT: u32 = 64;
