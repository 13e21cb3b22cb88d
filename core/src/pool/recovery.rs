//! Workers come, fall silent, go, and are replaced.

use crate::time::{Duration, Instant};

use super::candidates::worker_id;
use super::scheduler::small;
use super::worker::{Phase, Worker};
use super::{Capabilities, Output, Refusal, Scheduler, Settlement, TerminateReason};

impl Scheduler {
    /// Asks for the next worker in this place.
    pub(super) fn spawn(&mut self, now: Instant, index: usize) {
        let place = &mut self.workers[index];
        place.boot();
        let generation = place.generation;
        self.deadlines.set(Self::lifecycle_timer(index), now + self.config.boot_timeout);
        self.outputs.push_back(Output::Spawn { worker: worker_id(index), generation });
    }

    /// Boot time-out, lease check, or the end of a back-off.
    pub(super) fn on_lifecycle_due(&mut self, now: Instant, index: usize) {
        match self.workers[index].phase {
            Phase::Booting => self.lose(now, index, TerminateReason::BootTimeout),
            Phase::Ready | Phase::Busy { .. } | Phase::Draining { .. } => self.check_lease(now, index),
            Phase::Dead => self.spawn(now, index),
        }
    }

    /// A running task has used up its time, or a stopped one its grace.
    pub(super) fn on_work_due(&mut self, now: Instant, index: usize) {
        match self.workers[index].phase {
            Phase::Busy { slot, .. } => {
                self.stop_running(now, index);
                self.settle(slot, Settlement::TimedOut);
            }
            Phase::Draining { .. } => self.lose(now, index, TerminateReason::IgnoredAbort),
            Phase::Booting | Phase::Ready | Phase::Dead => {
                unreachable!("the work timer is cancelled when a worker's work ends")
            }
        }
    }

    /// Starts the lease of a worker that was just heard of.
    pub(super) fn arm_lease(&mut self, now: Instant, index: usize) {
        match self.config.lease {
            Some(lease) => self.deadlines.set(Self::lifecycle_timer(index), now + probe_after(lease)),
            None => {
                self.deadlines.cancel(Self::lifecycle_timer(index));
            }
        }
    }

    /// The timer is not moved by each sign of life but looks, when it fires, how long ago the last was.
    fn check_lease(&mut self, now: Instant, index: usize) {
        let Some(lease) = self.config.lease else { return };
        let place = &mut self.workers[index];
        let timer = Self::lifecycle_timer(index);
        let probe_at = place.liveness.last_seen + probe_after(lease);
        if place.liveness.probed {
            self.lose(now, index, TerminateReason::Silent);
        } else if now < probe_at {
            self.deadlines.set(timer, probe_at);
        } else {
            place.liveness.probed = true;
            let generation = place.generation;
            self.deadlines.set(timer, now + (lease - probe_after(lease)));
            self.outputs.push_back(Output::Probe { worker: worker_id(index), generation });
        }
    }

    /// Gives a worker up, plans its replacement, and sees to its task.
    pub(super) fn lose(&mut self, now: Instant, index: usize, reason: TerminateReason) {
        let worker = worker_id(index);
        let place = &mut self.workers[index];
        let work = place.phase;
        let delay = place.die(now, reason, &self.config);
        let (generation, gave_up) = (place.generation, place.boot_failures >= self.config.max_boot_failures);
        if reason.is_loss() {
            self.counters.workers_lost += 1;
        } else {
            self.counters.workers_overdue += 1;
        }
        self.candidates.close(worker);
        self.deadlines.cancel(Self::work_timer(index));
        self.outputs.push_back(Output::Terminate { worker, generation, reason });
        if delay.is_zero() {
            self.spawn(now, index);
        } else {
            self.deadlines.set(Self::lifecycle_timer(index), now + delay);
        }
        if let Phase::Busy { slot, .. } = work {
            let task = self.tasks.task(slot);
            if task.spec.redeliverable && task.attempts <= self.config.max_redeliveries {
                self.redeliver(now, slot);
            } else {
                let attempts = task.attempts;
                self.settle(slot, Settlement::WorkerLost { attempts });
            }
        }
        if gave_up {
            self.refuse_unservable();
        }
    }

    /// Settles the queued tasks that no worker can be expected to run.
    pub(super) fn refuse_unservable(&mut self) {
        loop {
            let (workers, config) = (&self.workers, &self.config);
            let unservable = |required| {
                !workers.iter().any(|worker| may_serve(worker, config.max_boot_failures, required))
            };
            let Some(slot) = self.queue.pop_where(unservable) else { break };
            let timer = self.queue_ttl_timer(slot);
            self.deadlines.cancel(timer);
            let required = self.tasks.task(slot).spec.required;
            let refusal = self.unservable(required).expect("its lane was just found unservable");
            self.settle(slot, Settlement::Refused(refusal));
        }
    }

    /// Why no worker can be expected to run a task that needs this; `None` where one can, now or once it is up.
    pub(super) fn unservable(&self, required: Capabilities) -> Option<Refusal> {
        let limit = self.config.max_boot_failures;
        if self.workers.iter().any(|worker| may_serve(worker, limit, required)) {
            return None;
        }
        let mut fewest_missing = required;
        for worker in &self.workers {
            // Of a worker that never was ready nobody knows what it lacks.
            let missing = worker.capabilities.map_or(Capabilities::NONE, |has| required.minus(has));
            if missing.is_empty() {
                let failing = self.workers.iter().filter(|worker| worker.boot_failures >= limit).count();
                return Some(Refusal::WorkersUnavailable { failing: small(failing) });
            }
            if missing.len() < fewest_missing.len() {
                fewest_missing = missing;
            }
        }
        Some(Refusal::NoCapableWorker { missing: fewest_missing })
    }
}

/// A worker that never was ready may turn out to have anything; one that keeps failing to boot is not counted on.
fn may_serve(worker: &Worker, max_boot_failures: u32, required: Capabilities) -> bool {
    worker.boot_failures < max_boot_failures && worker.capabilities.is_none_or(|has| has.contains(required))
}

fn probe_after(lease: Duration) -> Duration {
    Duration::from_nanos(lease.as_nanos() / 2)
}
