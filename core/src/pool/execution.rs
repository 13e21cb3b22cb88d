//! A task at its worker: its start, its end, and how it is stopped.

use crate::time::{Duration, Instant};

use super::candidates::worker_id;
use super::held::{Held, Stage};
use super::tasks::Standing;
use super::{Output, Scheduler, Settlement, TaskOutcome, TerminateReason};

impl Scheduler {
    /// The worker is done with the task at this position: with it, or with cleaning up after it.
    pub(super) fn finish(&mut self, now: Instant, index: usize, position: usize, outcome: TaskOutcome) {
        let held = self.let_go(now, index, position);
        if held.settled {
            self.tasks.free(held.slot);
        } else {
            self.workers[index].completed += 1;
            if let Stage::Started(at) = held.stage {
                let succeeded = outcome == TaskOutcome::Completed;
                if succeeded {
                    self.workers[index].prove();
                }
                let usual = self.measure_execution(now, index, held.slot, now - at, succeeded);
                let tries_again = outcome == TaskOutcome::Failed && self.has_another_attempt(held.slot);
                let failed_trial = tries_again.then_some(now - at);
                self.count_in_row(now, index, outcome, usual, failed_trial);
            }
            match outcome {
                TaskOutcome::Completed => self.settle(held.slot, Settlement::Completed),
                TaskOutcome::Failed if self.has_another_attempt(held.slot) => {
                    self.retry(now, held.slot, worker_id(index));
                }
                TaskOutcome::Failed | TaskOutcome::FailedForGood => {
                    let attempts = self.tasks.task(held.slot).attempts;
                    self.settle(held.slot, Settlement::Failed { attempts });
                }
            }
        }
        self.start_waiting(now, index);
        self.feed(now, index);
    }

    /// Settles a held task and asks its worker to stop it. If it has started it gets time to clean up; else it does so
    /// once it would have started.
    pub(super) fn stop(&mut self, now: Instant, slot: u32, settlement: Settlement) {
        let Standing::Held { worker } = self.tasks.task(slot).standing else {
            unreachable!("only a held task is stopped")
        };
        let index = worker as usize;
        let position = self.workers[index].held.position_of_slot(slot);
        let held = self.change_held(index, position, |held| held.settled = true);
        let (timer, grace_ends) = (self.task_timer(slot), now + self.config.abort_grace);
        match held.stage {
            Stage::Started(at) => {
                self.deadlines.set(timer, grace_ends);
                if settlement == Settlement::TimedOut {
                    self.measure_execution(now, index, slot, now - at, false);
                }
            }
            Stage::Waiting => {
                self.deadlines.cancel(timer);
            }
        }
        let (worker, generation) = (worker_id(index), self.workers[index].generation);
        self.outputs.push_back(Output::AbortRunning { task: held.task, worker, generation });
        self.emit_settlement_of(slot, settlement);
    }

    /// An execution has ended, as far as its submitter is concerned.
    /// Returns how long such an execution takes as a rule.
    #[inline]
    fn measure_execution(
        &mut self,
        now: Instant,
        index: usize,
        slot: u32,
        took: Duration,
        success: bool,
    ) -> Option<Duration> {
        let task_type = self.tasks.task(slot).spec().task_type;
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_ended(now, self.tasks.task(slot).id, success);
        }
        let expected = self.statistics.on_ended(now, task_type, worker_id(index), took, success);
        self.workers[index].health.record(now, success, took, expected);
        if success {
            self.speeds.record(now, task_type, index, took);
            self.measure(slot, took);
        }
        expected
    }

    /// A held task has waited for too long or used up its time, or a stopped one its grace.
    pub(super) fn on_held_due(&mut self, now: Instant, slot: u32, index: usize) {
        let held = &self.workers[index].held;
        let held = held.at(held.position_of_slot(slot));
        match (held.settled, held.stage) {
            (true, _) => self.lose(now, index, TerminateReason::IgnoredAbort),
            (false, Stage::Started(_)) => self.stop(now, slot, Settlement::TimedOut),
            (false, Stage::Waiting) => self.stop(now, slot, Settlement::Expired),
        }
    }

    /// Starts the tasks that the worker was given ahead and has room for now, or all the room that it has: it may carry less
    /// than when it was given them.
    pub(super) fn start_waiting(&mut self, now: Instant, index: usize) {
        while let Some(position) = self.workers[index].held.next_to_start()
            && (position == 0 || self.workers[index].held.at(position).load <= self.workers[index].spare())
        {
            let thief = self.workers[index].held.at(position).thief;
            self.release_thief(thief);
            let held = self.workers[index].start(now, position);
            self.candidates.begin(worker_id(index), held.load);
            if held.settled {
                self.deadlines.set(self.task_timer(held.slot), now + self.config.abort_grace);
            } else {
                self.prefetched -= 1;
                self.on_started(now, held.slot);
            }
        }
        self.weigh_candidate(index);
    }

    /// Takes a task from its worker's books. What becomes of it is the caller's matter.
    #[inline]
    pub(super) fn let_go(&mut self, now: Instant, index: usize, position: usize) -> Held {
        let held = self.workers[index].let_go(now, position);
        self.release_thief(held.thief);
        self.gates.leave(self.tasks.task(held.slot).needs());
        match held.stage {
            Stage::Started(_) => self.candidates.end(worker_id(index), held.load),
            Stage::Waiting => self.prefetched -= u32::from(!held.settled),
        }
        self.deadlines.cancel(self.task_timer(held.slot));
        held
    }

    /// Whether a worker may be picked: not while tasks wait at it, nor while it keeps its room for one.
    #[inline]
    pub(super) fn weigh_candidate(&mut self, index: usize) {
        let place = &self.workers[index];
        let held_back = place.held.waiting() > 0 || place.reserved_for.is_some() || place.is_leaving;
        self.candidates.hold_back(worker_id(index), held_back);
    }

    pub(super) fn change_held(
        &mut self,
        index: usize,
        position: usize,
        change: impl FnOnce(&mut Held),
    ) -> Held {
        let waited = self.workers[index].held.at(position).waits();
        let changed = self.workers[index].held.change(position, change);
        self.prefetched -= u32::from(waited && !changed.waits());
        changed
    }
}
