//! The end of a pool.

use crate::time::Instant;

use super::candidates::worker_id;
use super::scheduler::Closing;
use super::worker::Phase;
use super::{Capabilities, Output, Scheduler, Settlement, TerminateReason};

impl Scheduler {
    /// Ends a draining pool once nothing is unsettled.
    pub(super) fn finish_drain(&mut self, now: Instant) {
        if self.closing == Closing::Draining && self.tasks.is_empty() {
            self.terminate_all(now);
        }
    }

    /// Settles everything as closed, running tasks first, then the queue in its order, and ends the pool.
    pub(super) fn close_now(&mut self, now: Instant) {
        for index in 0..self.workers.len() {
            if let Phase::Busy { slot, .. } = self.workers[index].phase {
                self.workers[index].finish_work(now);
                self.settle(slot, Settlement::Closed);
            }
        }
        while let Some(slot) = self.queue.pop_for(Capabilities::from_bits(u64::MAX)) {
            self.settle(slot, Settlement::Closed);
        }
        self.terminate_all(now);
    }

    fn terminate_all(&mut self, now: Instant) {
        self.closing = Closing::Closed;
        for index in 0..self.workers.len() {
            let place = &mut self.workers[index];
            if matches!(place.phase, Phase::Dead) {
                continue;
            }
            place.die(now, TerminateReason::Closing, &self.config);
            let (worker, generation) = (worker_id(index), place.generation);
            self.candidates.close(worker);
            self.outputs.push_back(Output::Terminate {
                worker,
                generation,
                reason: TerminateReason::Closing,
            });
        }
        self.deadlines.clear();
        self.outputs.push_back(Output::Closed);
    }
}
