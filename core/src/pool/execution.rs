//! A task at its worker: its end there, and how it is stopped.

use crate::time::{Duration, Instant};

use super::candidates::worker_id;
use super::held::Stage;
use super::tasks::Standing;
use super::{Output, Scheduler, Settlement, TaskOutcome};

impl Scheduler {
    /// The worker is done with the task at this position: with it, or with cleaning up after it.
    pub(super) fn finish(&mut self, now: Instant, index: usize, position: usize, outcome: TaskOutcome) {
        let held = self.workers[index].let_go(now, position);
        self.candidates.end(worker_id(index), held.load);
        let timer = self.task_timer(held.slot);
        self.deadlines.cancel(timer);
        if held.settled {
            self.tasks.free(held.slot);
        } else {
            self.workers[index].completed += 1;
            let Stage::Started(at) = held.stage;
            self.measure_execution(now, index, held.slot, now - at, outcome == TaskOutcome::Completed);
            match outcome {
                TaskOutcome::Completed => self.settle(held.slot, Settlement::Completed),
                TaskOutcome::Failed => self.retry_or_fail(now, held.slot, worker_id(index)),
            }
        }
        self.feed(now, index);
    }

    /// Settles a held task, asks its worker to stop it, and gives it time to clean up.
    pub(super) fn stop(&mut self, now: Instant, slot: u32, settlement: Settlement) {
        let Standing::Held { worker } = self.tasks.task(slot).standing else {
            unreachable!("only a held task is stopped")
        };
        let index = worker as usize;
        let place = &mut self.workers[index];
        let position = place.position_of_slot(slot);
        let held = &mut place.held[position];
        held.settled = true;
        let Stage::Started(at) = held.stage;
        let (task, generation) = (held.task, place.generation);
        if settlement == Settlement::TimedOut {
            self.measure_execution(now, index, slot, now - at, false);
        }
        let timer = self.task_timer(slot);
        self.deadlines.set(timer, now + self.config.abort_grace);
        let worker = worker_id(index);
        self.outputs.push_back(Output::AbortRunning { task, worker, generation });
        self.emit_settlement_of(slot, settlement);
    }

    /// An execution has ended, as far as its submitter is concerned.
    fn measure_execution(&mut self, now: Instant, index: usize, slot: u32, took: Duration, success: bool) {
        let task_type = self.tasks.task(slot).spec.task_type;
        let expected = self.statistics.on_ended(now, task_type, worker_id(index), took, success);
        self.workers[index].health.record(now, success, took, expected);
    }

    /// A started task has used up its time, or a stopped one its grace.
    pub(super) fn on_held_due(&mut self, now: Instant, slot: u32, index: usize) {
        let place = &self.workers[index];
        let held = place.held[place.position_of_slot(slot)];
        match (held.settled, held.stage) {
            (true, Stage::Started(_)) => self.lose(now, index, super::TerminateReason::IgnoredAbort),
            (false, Stage::Started(_)) => self.stop(now, slot, Settlement::TimedOut),
        }
    }
}
