//! One worker.

use alloc::vec::Vec;

use crate::ids::{Generation, TaskId, WorkerId};
use crate::time::{Duration, Instant};

use super::super::{Health, HealthConfig, HealthTracker, Lease, Load};
use super::{AssignRefusal, Assignment, Membership, Registration, WorkerTotals, WorkerView};

#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) worker: WorkerId,
    pub(super) generation: Generation,
    pub(super) registration: Registration,
    pub(super) draining: bool,
    pub(super) lease: Lease,
    pub(super) health: HealthTracker,
    /// As last told.
    pub(super) reported: Health,
    /// In the order in which they were assigned.
    pub(super) assigned: Vec<Assigned>,
    pub(super) load: Load,
    pub(super) totals: WorkerTotals,
    judged_by: HealthConfig,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Assigned {
    pub(super) task: TaskId,
    pub(super) since: Instant,
    load: Load,
}

impl Entry {
    pub(super) fn new(
        now: Instant,
        worker: WorkerId,
        registration: Registration,
        judged_by: HealthConfig,
    ) -> Self {
        Self {
            worker,
            generation: Generation::FIRST,
            registration,
            draining: false,
            lease: Lease::new(now),
            health: HealthTracker::new(judged_by),
            reported: Health::Healthy,
            assigned: Vec::new(),
            load: Load::ZERO,
            totals: WorkerTotals::default(),
            judged_by,
        }
    }

    /// The next life, of which nothing is known yet.
    pub(super) fn begin_anew(&mut self, now: Instant, registration: Registration) {
        self.generation = self.generation.next();
        self.registration = registration;
        self.draining = false;
        self.lease = Lease::new(now);
        self.health = HealthTracker::new(self.judged_by);
        self.reported = Health::Healthy;
    }

    pub(super) fn membership(&self) -> Membership {
        match self.reported {
            Health::Lost => Membership::Lost,
            Health::Healthy | Health::Degraded | Health::Suspect if self.draining => Membership::Draining,
            Health::Healthy | Health::Degraded | Health::Suspect => Membership::Active,
        }
    }

    pub(super) fn assign(&mut self, now: Instant, assignment: Assignment) -> Result<(), AssignRefusal> {
        match self.membership() {
            Membership::Lost => return Err(AssignRefusal::Lost),
            Membership::Draining => return Err(AssignRefusal::Draining),
            Membership::Active => {}
        }
        let missing = assignment.required.minus(self.registration.capabilities);
        if !missing.is_empty() {
            return Err(AssignRefusal::Incapable { missing });
        }
        // A task without weight could be assigned without end.
        let load = assignment.load.max(Load::ONE);
        let free = self.registration.capacity - self.load;
        if load > free {
            return Err(AssignRefusal::NoRoom { free });
        }
        self.load += load;
        self.totals.assigned += 1;
        self.assigned.push(Assigned { task: assignment.task, since: now, load });
        Ok(())
    }

    pub(super) fn take(&mut self, task: TaskId) -> Option<Assigned> {
        let position = self.assigned.iter().position(|assigned| assigned.task == task)?;
        let assigned = self.assigned.remove(position);
        self.load -= assigned.load;
        Some(assigned)
    }

    pub(super) fn count(&mut self, now: Instant, success: bool, took: Duration, expected: Option<Duration>) {
        let counter = if success { &mut self.totals.completed } else { &mut self.totals.failed };
        *counter += 1;
        self.totals.held += took;
        self.health.record(now, success, took, expected);
    }

    pub(super) fn view(&self, now: Instant) -> WorkerView {
        WorkerView {
            worker: self.worker,
            generation: self.generation,
            registration: self.registration,
            membership: self.membership(),
            health: self.health.health(now),
            assigned: u32::try_from(self.assigned.len()).expect("bounded by the capacity, a u32"),
            load: self.load,
            last_seen: self.lease.last_seen(),
            totals: self.totals,
        }
    }
}
