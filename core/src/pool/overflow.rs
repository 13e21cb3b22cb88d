//! One waiting task too many, and what is told about a full queue.
//!
//! A full queue that says nothing makes its submitters find out by themselves. So it tells when it has become full
//! ([`Output::Saturated`]), and when it has fallen to half of its bound ([`Output::Drained`]): each once, in turn.

use crate::flow::executor::Overflow;
use crate::indexed_heap::{Entry, IndexedHeap, Places};
use crate::time::Instant;

use super::scheduler::{Closing, small};
use super::tasks::{Task, Turn};
use super::{Output, Refusal, Scheduler, Settlement};

/// The waiting tasks in the order in which the policy turns to them: to drop them, or to let them in. Empty where it turns
/// to none.
#[derive(Clone, Debug)]
pub(super) struct Excess {
    policy: Overflow,
    heap: IndexedHeap,
    places: Places,
}

impl Excess {
    pub(super) fn new(policy: Overflow, tasks: usize) -> Self {
        let tasks = if policy == Overflow::Reject { 0 } else { tasks };
        let (heap, places) = (IndexedHeap::with_capacity(tasks), Places::with_capacity(tasks));
        Self { policy, heap, places }
    }

    /// Tasks that wait outside of the queue's bound.
    pub(super) fn parked(&self) -> u32 {
        match self.policy {
            Overflow::Wait { .. } => small(self.heap.len()),
            Overflow::Reject | Overflow::DropOldest | Overflow::DropLowestPriority => 0,
        }
    }

    /// A task waits no more. Whether it was parked.
    pub(super) fn remove(&mut self, slot: u32) -> bool {
        let Some(place) = self.places.place(slot) else { return false };
        self.heap.remove_at(&mut self.places, place);
        matches!(self.policy, Overflow::Wait { .. })
    }

    fn on_queued(&mut self, slot: u32, turn: Turn) {
        let Turn { rank, sequence } = turn;
        let key = match self.policy {
            Overflow::Reject | Overflow::Wait { .. } => return,
            Overflow::DropOldest => Entry { key: sequence, sequence, slot },
            Overflow::DropLowestPriority => Entry { key: !rank, sequence: !sequence, slot },
        };
        self.heap.push(&mut self.places, key);
    }

    fn park(&mut self, slot: u32, turn: Turn) {
        self.heap.push(&mut self.places, turn.entry(slot));
    }

    fn first(&self) -> Option<u32> {
        self.heap.peek().map(|entry| entry.slot)
    }
}

impl Scheduler {
    /// Queues a new task that no worker takes now, where the queue and its policy have a place for it.
    pub(super) fn enqueue_new(&mut self, now: Instant, slot: u32) {
        let limit = self.config.max_queued;
        if self.queued_inside() < limit {
            return self.enqueue(now, slot);
        }
        let full = Settlement::Refused(Refusal::QueueFull { limit });
        match self.config.overflow {
            Overflow::Reject => self.settle(slot, full),
            Overflow::DropOldest => match self.excess.first() {
                Some(victim) => self.replace(now, victim, slot),
                None => self.settle(slot, full),
            },
            Overflow::DropLowestPriority => match self.excess.first() {
                Some(victim) if self.goes_before(slot, victim) => self.replace(now, victim, slot),
                Some(_) | None => self.settle(slot, full),
            },
            Overflow::Wait { max_waiting: limit } => {
                // What was queued again above the bound counts, or lost workers could make ever more wait.
                if self.queued() >= self.config.max_queued + limit {
                    return self.settle(slot, Settlement::Refused(Refusal::TooManyWaiting { limit }));
                }
                self.enqueue(now, slot);
                let Task { id: task, turn, .. } = *self.tasks.task(slot);
                self.excess.park(slot, turn);
                self.outputs.push_back(Output::Parked { task });
            }
        }
    }

    /// A task waits from now on, inside.
    pub(super) fn note_waiting(&mut self, slot: u32) {
        self.excess.on_queued(slot, self.tasks.task(slot).turn);
    }

    /// A task that waits outside goes straight to a worker.
    pub(super) fn let_in(&mut self, slot: u32) {
        if self.excess.remove(slot) {
            let task = self.tasks.task(slot).id;
            self.outputs.push_back(Output::Admitted { task });
        }
    }

    /// Fills the queue from outside, the next in turn first, and tells whether it is full.
    pub(super) fn mind_bound(&mut self) {
        if self.closing == Closing::Closed {
            return;
        }
        let limit = self.config.max_queued;
        while self.excess.parked() > 0 && self.queued_inside() < limit {
            let first = self.excess.first().expect("some are parked");
            self.let_in(first);
        }
        let queued = self.queued_inside();
        if !self.saturated && queued >= limit && limit > 0 {
            self.saturated = true;
            self.outputs.push_back(Output::Saturated { queued });
        } else if self.saturated && queued <= limit / 2 {
            self.saturated = false;
            self.outputs.push_back(Output::Drained { queued });
        }
    }

    /// Tasks that wait within the queue's bound, or above it because they were admitted once.
    pub(super) fn queued_inside(&self) -> u32 {
        self.queued() - self.excess.parked()
    }

    fn replace(&mut self, now: Instant, victim: u32, slot: u32) {
        self.unqueue(victim);
        self.settle(victim, Settlement::Dropped);
        self.enqueue(now, slot);
    }

    fn goes_before(&self, slot: u32, other: u32) -> bool {
        let entry = |slot: u32| self.tasks.task(slot).turn.entry(slot);
        entry(slot) < entry(other)
    }
}
