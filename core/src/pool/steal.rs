//! Taking back what was given ahead and has not started.
//!
//! A task that was given ahead may find its worker held up by the one before it, while another worker has nothing to do.
//! That worker then *steals*: the holder is asked to give tasks back ([`Output::TakeBack`]). It answers with
//! [`Input::TaskReturned`](super::Input::TaskReturned), or has started the task meanwhile and answers in time that it is
//! done. Either is right, and a task that is given back takes its turn in the queue again.
//!
//! A thief robs the worker whose last task would wait for the longest, of the half of what it has waiting, from the tail: what starts
//! last gains most, and is least likely to have started when the question arrives. It asks again only when that is
//! answered. Between inputs this holds: no worker is free while another holds a task that it could run and that was not
//! asked back, unless it waits for an answer itself or leaves the task to the other as the faster one
//! (see [`super::threshold`]).

use crate::ids::{Generation, TaskId, WorkerId};
use crate::time::{Duration, Instant};

use super::candidates::worker_id;
use super::held::{Held, Stage};
use super::{Load, Offer, Output, Scheduler};

impl Scheduler {
    /// The worker gives back a task that it has not started, as it was asked to. The task is queued again, and was not
    /// executed.
    pub fn handle_task_returned(
        &mut self,
        now: Instant,
        worker: WorkerId,
        generation: Generation,
        task: TaskId,
    ) {
        let now = self.advance(now);
        let Some(index) = self.current(worker, generation) else { return };
        let held = &self.workers[index].held;
        let Some(position) = held.position_of(task).filter(|&position| held.at(position).asked_back) else {
            self.counters.stale_messages += 1;
            return;
        };
        self.workers[index].saw(now);
        let held = self.let_go(now, index, position);
        if held.settled {
            self.tasks.free(held.slot);
        } else {
            if let Stage::Started(_) = held.stage {
                self.tasks.task_mut(held.slot).attempts -= 1;
            }
            self.counters.taken_back += 1;
            if self.keeps_open_line(held.slot) {
                self.enqueue(now, held.slot);
            } else {
                self.queue_again(now, held.slot);
            }
        }
        self.start_waiting(now, index);
        // First to whoever asked for it: else the worker that gave it back would get it ahead again.
        self.offer_queued(now, held.slot);
        self.feed(now, index);
        self.conclude(now);
    }

    /// Lets workers that have nothing to do ask for tasks of others.
    pub(super) fn steal(&mut self, now: Instant) {
        // A worker that is held back could not start what it stole.
        if self.prefetched == 0 || self.pressure.worker_limit().is_some() {
            return;
        }
        for thief in 0..self.workers.len() {
            if self.is_free(thief) && self.workers[thief].thefts == 0 {
                self.steal_for(now, thief);
            }
        }
    }

    /// Whoever waited for a task waits no more.
    pub(super) fn release_thief(&mut self, thief: Option<(WorkerId, Generation)>) {
        if let Some((thief, generation)) = thief
            && self.workers[thief.index()].generation == generation
        {
            let thefts = &mut self.workers[thief.index()].thefts;
            *thefts = thefts.saturating_sub(1);
        }
    }

    /// Asks a worker that offers something else from now on for what it can't run any more and has not started.
    pub(super) fn take_back_unservable(&mut self, index: usize) {
        let Some(offer) = self.workers[index].offer else { return };
        for position in 0..self.workers[index].held.len() {
            let held = self.workers[index].held.at(position);
            let needs = self.tasks.task(held.slot).needs();
            if held.is_stealable() && !needs.could_be_met_by(worker_id(index), &offer) {
                self.take_back(index, position, None);
            }
        }
    }

    /// Asks a worker for everything that it has not started.
    pub(super) fn take_back_all(&mut self, index: usize) {
        for position in 0..self.workers[index].held.len() {
            if self.workers[index].held.at(position).is_stealable() {
                self.take_back(index, position, None);
            }
        }
    }

    fn take_back(&mut self, index: usize, position: usize, thief: Option<(WorkerId, Generation)>) {
        let place = &mut self.workers[index];
        let held = place.held.change(position, |held| {
            held.asked_back = true;
            held.thief = thief;
        });
        let (task, generation) = (held.task, place.generation);
        self.outputs.push_back(Output::TakeBack { task, worker: worker_id(index), generation });
    }

    fn steal_for(&mut self, now: Instant, index: usize) {
        let (place, Some(offer)) = (&self.workers[index], self.workers[index].offer) else { return };
        let mut thief = Thief { index, offer, room: place.room(), left_until: self.left_until };
        let owner = (worker_id(index), place.generation);
        let waits: Option<usize> = (0..self.workers.len())
            .filter(|&victim| self.has_prey(now, victim, &mut thief))
            .max_by_key(|&victim| (self.expected_wait(now, victim), victim));
        if let Some(victim) = waits {
            let half = self.workers[victim].held.stealable().div_ceil(2).min(MOST_AT_ONCE);
            for position in (0..self.workers[victim].held.len()).rev() {
                if self.workers[index].thefts == half {
                    break;
                }
                if self.is_prey(now, self.workers[victim].held.at(position), &mut thief) {
                    self.take_back(victim, position, Some(owner));
                    self.workers[index].thefts += 1;
                }
            }
        }
        self.left_until = thief.left_until;
    }

    /// Whether it could start a task now.
    fn is_free(&self, index: usize) -> bool {
        let place = &self.workers[index];
        place.held.waiting() == 0
            && !place.rests()
            && place.reserved_for.is_none()
            && place.room() > Load::ZERO
    }

    fn has_prey(&self, now: Instant, index: usize, thief: &mut Thief) -> bool {
        let held = &self.workers[index].held;
        index != thief.index
            && held.stealable() > 0
            && held.iter().rev().any(|held| self.is_prey(now, held, thief))
    }

    fn is_prey(&self, now: Instant, held: &Held, thief: &mut Thief) -> bool {
        let could_start = held.is_stealable()
            && held.load <= thief.room
            && self.tasks.task(held.slot).needs().met_by(worker_id(thief.index), &thief.offer);
        if !could_start {
            return false;
        }
        let left_until = self.leaves(now, thief.index, held.slot, 1);
        thief.left_until = thief.left_until.into_iter().chain(left_until).min();
        left_until.is_none()
    }

    /// How long a task would wait that this worker is given last. A task that runs for longer than expected is expected to
    /// take as long again as it did.
    fn expected_wait(&self, now: Instant, index: usize) -> Duration {
        let held = &self.workers[index].held;
        let remaining = held.started().map(|held| {
            let (Stage::Started(at), expected) = (held.stage, held.expected.unwrap_or_default()) else {
                return Duration::ZERO;
            };
            let elapsed = now - at;
            if elapsed < expected { expected - elapsed } else { elapsed }
        });
        remaining.min().unwrap_or_default() + held.ahead()
    }
}

/// A worker that has nothing to do, and what it sees.
struct Thief {
    index: usize,
    offer: Offer,
    room: Load,
    /// When it looks again at what it has left to faster workers.
    left_until: Option<Instant>,
}

/// How many tasks are asked for at once.
const MOST_AT_ONCE: u32 = 32;
