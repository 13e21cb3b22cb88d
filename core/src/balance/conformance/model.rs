//! A naive model of the balancer: lists that are searched from end to end, and loads that are added up anew.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use crate::balance::{Load, Refusal, Task, WorkerSpec, WorkerStatus};
use crate::ids::{TaskId, WorkerId};
use crate::time::Instant;

#[derive(Debug, Default)]
pub(super) struct Model {
    pub(super) workers: BTreeMap<WorkerId, ModelWorker>,
    /// Which worker has it, and what it weighs.
    pub(super) tasks: BTreeMap<TaskId, (WorkerId, u32)>,
    pub(super) panic: bool,
}

#[derive(Debug)]
pub(super) struct ModelWorker {
    pub(super) spec: WorkerSpec,
    pub(super) status: WorkerStatus,
    pub(super) foreign: u32,
    pub(super) ejected_until: Instant,
}

impl Model {
    pub(super) fn load(&self, worker: WorkerId) -> u32 {
        let own: u32 =
            self.tasks.values().filter(|(holder, _)| *holder == worker).map(|(_, load)| load).sum();
        own + self.workers[&worker].foreign
    }

    pub(super) fn is_eligible(&self, now: Instant, task: &Task<'_>, worker: WorkerId) -> bool {
        let known = &self.workers[&worker];
        known.spec.capabilities.contains(task.required)
            && !task.anti_affinity.contains(&worker)
            && matches!(known.status, WorkerStatus::Ready | WorkerStatus::Busy)
            && (self.panic || known.ejected_until <= now)
            && self.load(worker) + task.complexity.get() <= known.spec.capacity.get()
    }

    pub(super) fn eligible(&self, now: Instant, task: &Task<'_>) -> Vec<WorkerId> {
        self.workers.keys().copied().filter(|&worker| self.is_eligible(now, task, worker)).collect()
    }

    /// By striking workers off a list, stage by stage.
    pub(super) fn refusal(&self, now: Instant, task: &Task<'_>) -> Refusal {
        let mut left: Vec<(&WorkerId, &ModelWorker)> = self.workers.iter().collect();
        if left.is_empty() {
            return Refusal::NoWorkers;
        }
        let before = left.clone();
        left.retain(|(_, worker)| worker.spec.capabilities.contains(task.required));
        if left.is_empty() {
            let missing = before.iter().map(|(_, worker)| task.required.minus(worker.spec.capabilities));
            return Refusal::NoCapableWorker {
                missing: missing.min_by_key(|set| (set.len(), set.bits())).unwrap(),
            };
        }
        let before = left.clone();
        left.retain(|(_, worker)| worker.spec.capacity >= task.complexity);
        if left.is_empty() {
            let largest = before.iter().map(|(_, worker)| worker.spec.capacity).max().unwrap();
            return Refusal::LargerThanAnyWorker { largest };
        }
        let before = left.len();
        left.retain(|(id, _)| !task.anti_affinity.contains(id));
        if left.is_empty() {
            return Refusal::AllExcluded { excluded: before };
        }
        let count = |status| left.iter().filter(|(_, worker)| worker.status == status).count();
        let (booting, draining) = (count(WorkerStatus::Booting), count(WorkerStatus::Draining));
        let offline = count(WorkerStatus::Offline);
        left.retain(|(_, worker)| matches!(worker.status, WorkerStatus::Ready | WorkerStatus::Busy));
        if left.is_empty() {
            return Refusal::AllOffline { booting, draining, offline };
        }
        let earliest = left.iter().map(|(_, worker)| worker.ejected_until).min().unwrap();
        left.retain(|(_, worker)| self.panic || worker.ejected_until <= now);
        if left.is_empty() {
            return Refusal::AllEjected { earliest };
        }
        let free = |id, worker: &ModelWorker| worker.spec.capacity - Load::new(self.load(id));
        let most_free = left.iter().map(|(id, worker)| free(**id, worker)).max().unwrap();
        Refusal::NoRoom { needed: task.complexity, most_free }
    }
}
