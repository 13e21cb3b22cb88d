//! Workers that are replaced though nothing is wrong with them: what they have gathered, memory above all, goes with them.
//!
//! A worker that is to go is given nothing more, ends what it has, and makes room for the next one in its place. No task is lost for
//! it, and none is run again. What it was given ahead and has not started others may take back as ever, and nothing waits for it that another
//! worker could run.

use core::mem;

use crate::ids::{Generation, WorkerId};
use crate::time::Instant;

use super::candidates::worker_id;
use super::scheduler::Closing;
use super::{Output, Scheduler, TerminateReason};

impl Scheduler {
    /// The worker shall be replaced as soon as it has done what it has: after a number of tasks for instance, or because its heap has
    /// grown. Ignored where it is not up; asking twice is the same as asking once.
    pub fn handle_recycle(&mut self, now: Instant, worker: WorkerId, generation: Generation) {
        let now = self.advance(now);
        let Some(index) = self.current(worker, generation) else { return };
        if !self.workers[index].is_up() || self.workers[index].is_leaving {
            return;
        }
        self.workers[index].is_leaving = true;
        self.leaving += 1;
        self.give_up_reservation(index);
        self.weigh_candidate(index);
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_pause(now, worker, true);
        }
        self.soften_hopeless(now);
        self.conclude(now);
    }

    /// Replaces the workers that are to go and have nothing left.
    pub(super) fn replace_leaving(&mut self, now: Instant) {
        if self.leaving == 0 || self.closing == Closing::Closed {
            return;
        }
        for index in 0..self.workers.len() {
            if self.workers[index].is_leaving && self.workers[index].held.is_empty() {
                self.recycle(now, index);
            }
        }
    }

    fn recycle(&mut self, now: Instant, index: usize) {
        let (worker, reason) = (worker_id(index), TerminateReason::Recycled);
        let place = &mut self.workers[index];
        place.die(now, reason, &self.config);
        let generation = place.generation;
        self.stays(index);
        self.counters.workers_recycled += 1;
        self.candidates.close(worker);
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_gone(now, worker);
        }
        self.forget_row(now, index);
        self.speeds.forget(index);
        self.outputs.push_back(Output::Terminate { worker, generation, reason });
        self.spawn(now, index);
        self.soften_hopeless(now);
    }

    /// The worker has gone, in whichever way: the next one in its place is to stay.
    pub(super) fn stays(&mut self, index: usize) {
        self.leaving -= u32::from(mem::take(&mut self.workers[index].is_leaving));
    }
}
