//! Room for large tasks.
//!
//! A task that needs more room than any worker has free is passed over by smaller ones that come after it: room that lies
//! idle helps nobody (backfilling, as in batch schedulers: Lifka, "The ANL/IBM SP scheduling system", 1995). Small tasks
//! alone could keep it waiting for ever, so that this has an end. A task that has been queued for
//! [`PoolConfig::max_passed_over`](super::PoolConfig::max_passed_over) is not passed over by every worker any more: the
//! first worker that would do it again *reserves* its room for the task. From then on it takes only tasks that go before
//! it in the order of the queue, of which finitely many can come, and so has room for it in the end. If another worker has
//! the room earlier, the task goes there, and the reservation is over.

use crate::indexed_heap::Entry;
use crate::time::Instant;

use super::candidates::worker_id;
use super::offer::Needs;
use super::queue::{Head, Heads};
use super::tasks::Standing;
use super::{Load, Scheduler};

impl Scheduler {
    /// Takes the next task for a worker out of the queue; `None` where none is to be started there now.
    pub(super) fn next_for(&mut self, now: Instant, index: usize) -> Option<u32> {
        let place = &self.workers[index];
        let (offer, room) = (place.offer?, place.room());
        if room == Load::ZERO || place.rests() || place.held.waiting() > 0 || self.queued() == 0 {
            return None;
        }
        let urgent_only = self.is_held_back(index);
        let mut left_until = self.left_until;
        let takes = |needs: &Needs, first: Entry, waiting: u32| {
            if !self.gates.admits(needs) {
                return false;
            }
            let until = self.leaves(now, index, first.slot, waiting);
            left_until = left_until.into_iter().chain(until).min();
            (needs.urgent || !urgent_only) && until.is_none()
        };
        let Heads { fitting, blocked, stolen } = self.queue.heads_for(worker_id(index), &offer, room, takes);
        self.left_until = left_until;
        // A task that is held back keeps no room from one that isn't.
        let counts = |slot: &u32| !urgent_only || self.tasks.task(*slot).needs().urgent;
        let own = place.reserved_for.filter(counts).map(|slot| self.entry(slot));
        // Of the tasks in other lines one is next only where none of its own is.
        let in_time = |head: &Head| own.is_none_or(|own| head.entry < own);
        let fitting = fitting.filter(in_time).or(stolen.filter(in_time)).or(fitting);
        if let Some(blocked) = blocked
            && fitting.is_none_or(|fitting| blocked.entry < fitting.entry)
            && own.is_none_or(|own| blocked.entry < own)
            && self.is_overdue(now, blocked.entry.slot)
        {
            let slot = self.queue.take(blocked);
            self.give_up_reservation(index);
            self.reserve(index, slot);
            return self.next_for(now, index);
        }
        let next = fitting.map(|head| head.entry);
        let reserved = self.reserved_and_fitting(index, urgent_only);
        if let Some(entry) = reserved
            && next.is_none_or(|next| entry < next)
        {
            if own.is_some_and(|own| own < entry) {
                return None;
            }
            let Standing::Reserved { worker } = self.tasks.task(entry.slot).standing else {
                unreachable!("it is some worker's reservation")
            };
            self.cancel_reservation(worker as usize);
            return Some(entry.slot);
        }
        let next = fitting?;
        if own.is_some_and(|own| own < next.entry) {
            return None;
        }
        Some(self.queue.take(next))
    }

    /// Places a task where others wait that free workers may have to keep room for, or have left to faster ones: it takes its
    /// turn in the queue, and workers with room for it look there. If none takes it, it stands nowhere again.
    pub(super) fn place_in_turn(&mut self, now: Instant, slot: u32) -> bool {
        self.enqueue(now, slot);
        self.offer_queued(now, slot);
        let taken = matches!(self.tasks.task(slot).standing, Standing::Held { .. });
        if !taken {
            // Reserved it is where no large task is passed over at all. The worker will do so again, once this one is queued.
            self.unqueue(slot);
        }
        taken
    }

    /// Ends the reservation of a worker, which looks at the queue again at the end of this input. The task stands nowhere.
    pub(super) fn cancel_reservation(&mut self, index: usize) {
        self.workers[index].reserved_for = None;
        self.reservations -= 1;
        self.weigh_candidate(index);
        self.to_feed.push(worker_id(index).get());
    }

    /// Puts the task that a worker keeps its room for back into the queue, because it will not have that room.
    pub(super) fn give_up_reservation(&mut self, index: usize) {
        if let Some(slot) = self.workers[index].reserved_for {
            self.cancel_reservation(index);
            self.tasks.task_mut(slot).standing = Standing::Queued;
            self.queue.push(self.tasks.task(slot).needs(), self.entry(slot));
        }
    }

    /// Lets workers look at the queue whose reservations are over.
    pub(super) fn feed_unreserved(&mut self, now: Instant) {
        while let Some(worker) = self.to_feed.pop() {
            self.feed(now, worker as usize);
        }
    }

    fn reserve(&mut self, index: usize, slot: u32) {
        self.tasks.task_mut(slot).standing = Standing::Reserved { worker: worker_id(index).get() };
        self.workers[index].reserved_for = Some(slot);
        self.reservations += 1;
        self.weigh_candidate(index);
    }

    /// The first of all tasks with a reservation that this worker has room for.
    pub(super) fn reserved_and_fitting(&self, index: usize, urgent_only: bool) -> Option<Entry> {
        if self.reservations == 0 {
            return None;
        }
        let (worker, place) = (worker_id(index), &self.workers[index]);
        let (offer, room) = (place.offer?, place.room());
        let reserved = self.workers.iter().filter_map(|place| place.reserved_for);
        let fitting = reserved.filter(|&slot| {
            let needs = self.tasks.task(slot).needs();
            needs.complexity <= room && needs.met_by(worker, &offer) && (needs.urgent || !urgent_only)
        });
        fitting.map(|slot| self.entry(slot)).min()
    }

    /// Whether a worker with a reservation has room for this task, which goes before the one that it keeps it for.
    pub(super) fn may_go_before_reservation(&self, index: usize, slot: u32) -> bool {
        let (place, needs) = (&self.workers[index], self.tasks.task(slot).needs());
        place.reserved_for.is_some_and(|reserved| self.entry(slot) < self.entry(reserved))
            && needs.complexity <= place.room()
            && place.offer.is_some_and(|offer| needs.met_by(worker_id(index), &offer))
    }

    fn is_overdue(&self, now: Instant, slot: u32) -> bool {
        self.tasks.task(slot).queued_at + self.config.max_passed_over <= now
    }

    fn entry(&self, slot: u32) -> Entry {
        self.tasks.task(slot).turn.entry(slot)
    }
}
