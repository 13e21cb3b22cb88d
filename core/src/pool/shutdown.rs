//! The end of a pool.

use crate::time::Instant;

use super::candidates::worker_id;
use super::scheduler::Closing;
use super::worker::Phase;
use super::{Output, Scheduler, Settlement, TerminateReason};

impl Scheduler {
    /// Ends a draining pool once nothing is unsettled.
    pub(super) fn finish_drain(&mut self, now: Instant) {
        if self.closing == Closing::Draining && self.tasks.unsettled() == 0 {
            self.terminate_all(now);
        }
    }

    /// Settles everything as closed, running tasks first, then the queue in its order, then what waits
    /// for another attempt, and ends the pool.
    pub(super) fn close_now(&mut self, now: Instant) {
        for index in 0..self.workers.len() {
            for position in 0..self.workers[index].held.len() {
                if !self.workers[index].held.at(position).settled {
                    let slot = self.change_held(index, position, |held| held.settled = true).slot;
                    self.emit_settlement_of(slot, Settlement::Closed);
                }
            }
            self.give_up_reservation(index);
        }
        while let Some(slot) = self.queue.pop() {
            self.settle(slot, Settlement::Closed);
        }
        self.close_delayed();
        self.terminate_all(now);
    }

    fn terminate_all(&mut self, now: Instant) {
        self.closing = Closing::Closed;
        for index in 0..self.workers.len() {
            let place = &mut self.workers[index];
            if matches!(place.phase, Phase::Dead | Phase::Retired) {
                continue;
            }
            place.die(now, TerminateReason::Closing, &self.config);
            while let Some(held) = place.held.pop_first() {
                self.tasks.free(held.slot);
            }
            let (worker, generation) = (worker_id(index), place.generation);
            self.candidates.close(worker);
            self.forget_row(now, index);
            self.outputs.push_back(Output::Terminate {
                worker,
                generation,
                reason: TerminateReason::Closing,
            });
        }
        self.to_feed.clear();
        self.softened.clear();
        self.deadlines.clear();
        self.size_deadline = None;
        self.outputs.push_back(Output::Closed);
    }
}
