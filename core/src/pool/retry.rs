//! Tasks that failed and are tried again.
//!
//! Between two attempts a task is *delayed*: it holds no worker and stands in no queue, and only its timer and its
//! submitter can end that. Then it is queued again with the turn that it had from the start, so that it loses no age.

use crate::ids::WorkerId;
use crate::time::Instant;

use super::tasks::Standing;
use super::{Output, Scheduler, Settlement};

impl Scheduler {
    /// An attempt of this task failed at this worker, and it has another: it is delayed.
    pub(super) fn retry(&mut self, now: Instant, slot: u32, worker: WorkerId) {
        let timer = self.task_timer(slot);
        let task = self.tasks.task_mut(slot);
        task.failures += 1;
        let after = self.config.retry_backoff.delay(task.failures, task.last_delay, &mut self.rng);
        task.last_delay = after;
        task.failed_on.push_last(worker);
        task.standing = Standing::Delayed;
        let task = task.id;
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_dropped(now, task);
        }
        self.delayed += 1;
        self.counters.retried += 1;
        self.deadlines.set(timer, now + after);
        self.outputs.push_back(Output::Retry { task, after });
    }

    /// Whether a held task is tried again if it fails now.
    pub(super) fn has_another_attempt(&self, slot: u32) -> bool {
        let task = self.tasks.task(slot);
        task.spec().redeliverable
            && task.failures + 1 < task.spec().max_attempts
            && self.delayed < self.config.max_delayed
    }

    /// The delay of a task is over.
    pub(super) fn on_retry_due(&mut self, now: Instant, slot: u32) {
        self.delayed -= 1;
        self.queue_again(now, slot);
        self.offer_queued(now, slot);
    }

    /// Settles the tasks that wait for another attempt.
    pub(super) fn close_delayed(&mut self) {
        for slot in 0..self.tasks.slots() {
            if self.delayed == 0 {
                break;
            }
            if self.tasks.get(slot).is_some_and(|task| task.standing == Standing::Delayed) {
                self.unqueue(slot);
                self.settle(slot, Settlement::Closed);
            }
        }
    }
}
