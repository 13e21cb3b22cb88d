//! Workers come, fall silent, go, and are replaced.

use core::mem;

use crate::ids::WorkerId;
use crate::time::Instant;

use super::candidates::worker_id;
use super::held::Stage;
use super::offer::Needs;
use super::scheduler::small;
use super::worker::{Phase, Worker};
use super::{LeaseCheck, Output, Refusal, Scheduler, Settlement, TerminateReason};

impl Scheduler {
    /// Asks for the next worker in this place.
    pub(super) fn spawn(&mut self, now: Instant, index: usize) {
        let place = &mut self.workers[index];
        place.boot(self.config.health);
        let generation = place.generation;
        self.deadlines.set(Self::lifecycle_timer(index), now + self.config.boot_timeout);
        self.outputs.push_back(Output::Spawn { worker: worker_id(index), generation });
    }

    /// Boot time-out, lease check, or the end of a back-off.
    pub(super) fn on_lifecycle_due(&mut self, now: Instant, index: usize) {
        match self.workers[index].phase {
            Phase::Booting => self.lose(now, index, TerminateReason::BootTimeout),
            Phase::Up => self.check_lease(now, index),
            Phase::Dead => self.spawn(now, index),
            Phase::Retired => unreachable!("a worker's timer is cancelled when it is retired"),
        }
    }

    /// Starts the lease of a worker that was just heard of.
    pub(super) fn arm_lease(&mut self, index: usize) {
        let timer = Self::lifecycle_timer(index);
        match self.config.lease {
            Some(length) => self.deadlines.set(timer, self.workers[index].lease.next_check(length)),
            None => {
                self.deadlines.cancel(timer);
            }
        }
    }

    /// The timer is not moved by each sign of life but looks, when it fires, how long ago the last was.
    fn check_lease(&mut self, now: Instant, index: usize) {
        let Some(length) = self.config.lease else { return };
        let place = &mut self.workers[index];
        let check_at = match place.lease.check(now, length) {
            LeaseCheck::Current { check_at } => check_at,
            LeaseCheck::Probe { check_at } => {
                place.health.on_probed();
                let generation = place.generation;
                self.outputs.push_back(Output::Probe { worker: worker_id(index), generation });
                check_at
            }
            LeaseCheck::Lapsed => return self.lose(now, index, TerminateReason::Silent),
        };
        self.deadlines.set(Self::lifecycle_timer(index), check_at);
    }

    /// Gives a worker up, plans its replacement, and sees to its tasks.
    pub(super) fn lose(&mut self, now: Instant, index: usize, reason: TerminateReason) {
        let worker = worker_id(index);
        let place = &mut self.workers[index];
        let delay = place.die(now, reason, &self.config);
        let (generation, gave_up) = (place.generation, place.boot_failures >= self.config.max_boot_failures);
        if reason.is_loss() {
            self.counters.workers_lost += 1;
        } else {
            self.counters.workers_overdue += 1;
        }
        self.stays(index);
        self.candidates.close(worker);
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_gone(now, worker);
        }
        self.forget_row(now, index);
        self.speeds.forget(index);
        self.give_up_reservation(index);
        self.outputs.push_back(Output::Terminate { worker, generation, reason });
        if delay.is_zero() {
            self.spawn(now, index);
        } else {
            self.deadlines.set(Self::lifecycle_timer(index), now + delay);
        }
        self.soften_hopeless(now);
        self.recover_held(now, index, reason);
        if gave_up {
            self.refuse_unservable();
        }
    }

    /// Gives the tasks of a lost worker to others where they may be, the next in turn first.
    fn recover_held(&mut self, now: Instant, index: usize, reason: TerminateReason) {
        let mut lost = mem::take(&mut self.workers[index].held);
        lost.sort_by_key(|held| self.tasks.task(held.slot).turn.entry(held.slot));
        for held in lost.iter() {
            let timer = self.task_timer(held.slot);
            self.deadlines.cancel(timer);
            self.release_thief(held.thief);
            self.gates.leave(self.tasks.task(held.slot).needs());
            if held.settled {
                self.tasks.free(held.slot);
                continue;
            }
            let task = self.tasks.task_mut(held.slot);
            task.suspect = true;
            match held.stage {
                Stage::Waiting => self.prefetched -= 1,
                // Where the worker ended because of another task, that is no fault of this one.
                Stage::Started(_) => task.losses += u32::from(reason.is_loss()),
            }
            let task = self.tasks.task(held.slot);
            if task.spec().redeliverable && task.losses <= self.config.max_redeliveries {
                self.counters.redelivered += 1;
                self.queue_again(now, held.slot);
            } else {
                let attempts = task.attempts;
                self.settle(held.slot, Settlement::WorkerLost { attempts });
            }
        }
        // Only now, so that what was queued before doesn't overtake what is queued again.
        while let Some(held) = lost.pop_first() {
            self.offer_queued(now, held.slot);
        }
        // Nothing was given to it meanwhile: it is not up. The list is kept for its memory.
        self.workers[index].held = lost;
    }

    /// Settles the queued tasks that no worker can be expected to run.
    pub(super) fn refuse_unservable(&mut self) {
        loop {
            let (workers, limit) = (&self.workers, self.config.max_boot_failures);
            let Some(slot) = self.queue.pop_where(|needs| !may_be_served(workers, limit, needs)) else {
                break;
            };
            let timer = self.task_timer(slot);
            self.deadlines.cancel(timer);
            let needs = self.tasks.task(slot).needs();
            let refusal = self.unservable(needs).expect("its lane was just found unservable");
            self.settle(slot, Settlement::Refused(refusal));
        }
    }

    /// Why no worker can be expected to run a task with these needs; `None` where one can, now or once it is up.
    pub(super) fn unservable(&self, needs: &Needs) -> Option<Refusal> {
        let limit = self.config.max_boot_failures;
        if may_be_served(&self.workers, limit, needs) {
            return None;
        }
        let mut fewest_missing = needs.required;
        let mut largest = None;
        let mut able = 0;
        for (index, worker) in self.workers.iter().enumerate() {
            // Of a worker that never was ready nobody knows what it lacks.
            if worker.offer.is_none_or(|offer| needs.fits(&offer)) {
                if needs.banned.contains(worker_id(index)) {
                    able += 1;
                    continue;
                }
                let failing = self.workers.iter().filter(|worker| worker.boot_failures >= limit).count();
                return Some(Refusal::WorkersUnavailable { failing: small(failing) });
            }
            let Some(offer) = worker.offer else { continue };
            let missing = needs.required.minus(offer.capabilities);
            if missing.is_empty() {
                largest = largest.max(Some(offer.capacity));
            } else if missing.len() < fewest_missing.len() {
                fewest_missing = missing;
            }
        }
        Some(match largest {
            _ if able > 0 => Refusal::OnlyBannedWorkers { able },
            Some(largest) => Refusal::TooLarge { largest },
            None => Refusal::NoCapableWorker { missing: fewest_missing },
        })
    }
}

#[inline]
fn may_be_served(workers: &[Worker], max_boot_failures: u32, needs: &Needs) -> bool {
    let mut workers = workers.iter().enumerate();
    workers.any(|(index, worker)| may_serve(worker_id(index), worker, max_boot_failures, needs))
}

/// A worker that never was ready may turn out to have anything; one that keeps failing to boot is not counted on.
#[inline]
pub(super) fn may_serve(id: WorkerId, worker: &Worker, max_boot_failures: u32, needs: &Needs) -> bool {
    worker.boot_failures < max_boot_failures
        && !needs.banned.contains(id)
        && worker.offer.is_none_or(|offer| needs.fits(&offer))
}
