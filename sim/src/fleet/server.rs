//! A worker as the simulation knows it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use quillwork_core::ids::TaskType;
use quillwork_core::rng::Rng;
use quillwork_core::time::Duration;

use super::{Fault, Job, WorkerModel};

/// One dispatch of one attempt. Of an attempt that is dispatched again the earlier one is stale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dispatch {
    pub(super) attempt: u32,
    pub(super) serial: u32,
}

/// First in, first out, as many at a time as it can.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) model: WorkerModel,
    pub(super) up: bool,
    /// Whether its fault is there now.
    pub(super) faulty: bool,
    pub(super) queue: VecDeque<Dispatch>,
    pub(super) running: Vec<Dispatch>,
    /// Tasks that it was given.
    pub(super) given: u32,
}

impl Server {
    pub(super) fn new(model: WorkerModel) -> Self {
        Self { model, up: true, faulty: false, queue: VecDeque::new(), running: Vec::new(), given: 0 }
    }

    pub(super) fn is_black_hole(&self) -> bool {
        self.faulty && matches!(self.model.fault, Fault::BlackHole { .. })
    }

    /// Whether a task that it is given now can be expected back with a result.
    pub(super) fn is_sound(&self) -> bool {
        self.up
            && !(self.faulty && matches!(self.model.fault, Fault::BlackHole { .. } | Fault::FailFast { .. }))
    }

    pub(super) fn has_room(&self) -> bool {
        self.running.len() + self.queue.len() < self.model.concurrency as usize
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
        (Duration::from_millis_f64(job.work.as_millis_f64() / self.speed(job.task_type)), true)
    }

    /// Forgets what it holds.
    pub(super) fn clear(&mut self) {
        self.queue.clear();
        self.running.clear();
    }
}
