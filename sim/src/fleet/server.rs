//! A worker as the simulation knows it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use quillwork_core::ids::TaskType;
use quillwork_core::rng::Rng;
use quillwork_core::time::{Duration, Instant};

use super::{Fault, Job, WorkerModel};

/// One dispatch of one attempt. Of an attempt that is dispatched again the earlier one is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dispatch {
    pub(super) attempt: u32,
    pub(super) serial: u32,
}

/// A task that runs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Running {
    pub(super) dispatch: Dispatch,
    pub(super) ends_at: Instant,
}

/// First in, first out, as many at a time as it can.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) model: WorkerModel,
    pub(super) up: bool,
    /// Whether its fault is there now.
    pub(super) faulty: bool,
    pub(super) queue: VecDeque<Dispatch>,
    pub(super) running: Vec<Running>,
    /// Tasks on their way to it.
    pub(super) coming: usize,
    /// Tasks that it was given.
    pub(super) given: u32,
}

impl Server {
    pub(super) fn new(model: WorkerModel) -> Self {
        Self {
            model,
            up: true,
            faulty: false,
            queue: VecDeque::new(),
            running: Vec::new(),
            coming: 0,
            given: 0,
        }
    }

    pub(super) fn is_black_hole(&self) -> bool {
        self.faulty && matches!(self.model.fault, Fault::BlackHole { .. })
    }

    /// Whether a task that it is given now may come back with a result.
    pub(super) fn is_sound(&self) -> bool {
        let is_useless = match self.model.fault {
            Fault::BlackHole { .. } => true,
            Fault::FailFast { ratio, .. } => ratio >= 1.0,
            Fault::None | Fault::Slow { .. } | Fault::Crash { .. } => false,
        };
        self.up && !(self.faulty && is_useless)
    }

    /// The share of tasks that it fails now, of those that it answers.
    pub(super) fn failing_ratio(&self) -> f64 {
        match self.model.fault {
            Fault::FailFast { ratio, .. } if self.faulty => ratio,
            Fault::FailFast { .. }
            | Fault::None
            | Fault::Slow { .. }
            | Fault::BlackHole { .. }
            | Fault::Crash { .. } => 0.0,
        }
    }

    /// How long a result of the task takes that begins now.
    pub(super) fn takes(&self, job: &Job) -> Duration {
        Duration::from_millis_f64(job.work.as_millis_f64() / self.speed(job.task_type))
    }

    /// How many more tasks it would begin at once, those on their way to it counted.
    pub(super) fn free_lanes(&self) -> usize {
        let held = self.running.len() + self.queue.len() + self.coming;
        (self.model.concurrency as usize).saturating_sub(held)
    }

    /// Work at speed 1 that it does in a unit of time.
    pub(super) fn speed(&self, task_type: TaskType) -> f64 {
        let slowed = match self.model.fault {
            Fault::Slow { factor, .. } if self.faulty => factor,
            Fault::Slow { .. }
            | Fault::None
            | Fault::FailFast { .. }
            | Fault::BlackHole { .. }
            | Fault::Crash { .. } => 1.0,
        };
        self.model.speed * self.model.talent(task_type) / slowed
    }

    /// How long the task takes it that it begins now, and whether the result is good.
    pub(super) fn run(&self, job: &Job, rng: &mut Rng) -> (Duration, bool) {
        if let Fault::FailFast { ratio, after, .. } = self.model.fault
            && self.faulty
            && rng.chance(ratio)
        {
            return (after, false);
        }
        (self.takes(job), true)
    }

    /// Forgets what it holds.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.running.clear();
    }
}
