//! From the queue to the workers.
//!
//! Between inputs this holds: **no queued task could be run by a free worker.** So an arriving task is compared with the
//! free workers only, a freed worker with the queue only, and nothing else is ever searched.

use crate::ids::TaskId;
use crate::time::Instant;

use super::candidates::worker_id;
use super::queue::rank;
use super::scheduler::{Closing, small};
use super::tasks::{Task, Turn};
use super::worker::Phase;
use super::{Output, Refusal, Scheduler, Settlement, TaskSpec};

impl Scheduler {
    /// A new task: dispatched, queued or refused.
    pub(super) fn admit(&mut self, now: Instant, id: TaskId, spec: TaskSpec) {
        if self.closing != Closing::Open {
            return self.emit_settlement(id, Settlement::Refused(Refusal::Closing));
        }
        let free_worker = self.candidates.pick(spec.required);
        if free_worker.is_none() {
            if let Some(refusal) = self.unservable(spec.required) {
                return self.emit_settlement(id, Settlement::Refused(refusal));
            }
            let limit = self.config.max_queued;
            if small(self.queue.len()) >= limit {
                return self.emit_settlement(id, Settlement::Refused(Refusal::QueueFull { limit }));
            }
        }
        let turn = Turn { rank: rank(now, spec.priority, self.config.ageing), sequence: self.next_sequence };
        self.next_sequence += 1;
        let slot = self.tasks.insert(Task { id, spec, turn, attempts: 0, worker: None });
        match free_worker {
            Some(worker) => self.dispatch(now, slot, worker.index()),
            None => self.enqueue(now, slot),
        }
    }

    /// A task whose worker was lost goes to another: at once, or back to its turn in the queue.
    pub(super) fn redeliver(&mut self, now: Instant, slot: u32) {
        self.counters.redelivered += 1;
        let required = self.tasks.task(slot).spec.required;
        match self.candidates.pick(required) {
            Some(worker) => self.dispatch(now, slot, worker.index()),
            None => self.enqueue(now, slot),
        }
    }

    /// Gives a worker that may have become free the next task that it can run.
    pub(super) fn feed(&mut self, now: Instant, index: usize) {
        while matches!(self.workers[index].phase, Phase::Ready) {
            let capabilities =
                self.workers[index].capabilities.expect("a ready worker has told what it can do");
            let Some(slot) = self.queue.pop_for(capabilities) else { return };
            let timer = self.queue_ttl_timer(slot);
            if self.deadlines.cancel(timer).is_some_and(|expires_at| expires_at <= now) {
                self.settle(slot, Settlement::Expired);
            } else {
                self.dispatch(now, slot, index);
            }
        }
    }

    /// A worker is done with its task, or done cleaning up after it.
    pub(super) fn release(&mut self, now: Instant, index: usize) {
        self.deadlines.cancel(Self::work_timer(index));
        self.workers[index].finish_work(now);
        self.candidates.end(worker_id(index));
        self.feed(now, index);
    }

    /// Asks the worker to stop its task, which the caller settles, and gives it time to clean up.
    pub(super) fn stop_running(&mut self, now: Instant, index: usize) {
        let grace_ends = now + self.config.abort_grace;
        let place = &mut self.workers[index];
        let Phase::Busy { task, started_at, .. } = place.phase else {
            unreachable!("a task that is assigned to a worker keeps it busy")
        };
        place.phase = Phase::Draining { task, started_at };
        let generation = place.generation;
        self.deadlines.set(Self::work_timer(index), grace_ends);
        self.outputs.push_back(Output::AbortRunning { task, worker: worker_id(index), generation });
    }

    fn dispatch(&mut self, now: Instant, slot: u32, index: usize) {
        let worker = worker_id(index);
        let entry = self.tasks.task_mut(slot);
        entry.worker = Some(worker.get());
        entry.attempts += 1;
        let (task, attempt, timeout) = (entry.id, entry.attempts, entry.spec.timeout);
        if let Some(timeout) = timeout {
            self.deadlines.set(Self::work_timer(index), now + timeout);
        }
        let place = &mut self.workers[index];
        place.phase = Phase::Busy { task, slot, started_at: now };
        let generation = place.generation;
        self.candidates.begin(worker);
        self.outputs.push_back(Output::Dispatch { task, worker, generation, attempt });
    }

    fn enqueue(&mut self, now: Instant, slot: u32) {
        let task = self.tasks.task_mut(slot);
        task.worker = None;
        let (spec, entry) = (task.spec, task.turn.entry(slot));
        self.queue.push(spec.required, entry);
        if let Some(ttl) = spec.queue_ttl {
            let timer = self.queue_ttl_timer(slot);
            self.deadlines.set(timer, now + ttl);
        }
    }
}
