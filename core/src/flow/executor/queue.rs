//! What waits: by priority with ageing, fair between submitters, and what a full queue drops.
//!
//! The order is the pool's: a task of priority `p` stands where one of the highest priority would that came
//! `(10 - p) * ageing` later. That is its rank, computed once; the smallest goes first, and only finitely many can still
//! come before it. Fairness is in the same coin: the next task of a submitter that already waits stands as if it came
//! `fair_spacing` after the one before it.

use alloc::vec::Vec;

use crate::deadline::Deadlines;
use crate::id_map::IdMap;
use crate::ids::TaskId;
use crate::indexed_heap::{Entry, IndexedHeap, Places};
use crate::pool::Priority;
use crate::time::{Duration, Instant};

use super::{Overflow, Submission};

#[derive(Clone, Debug)]
pub(super) struct Queue {
    ageing: Duration,
    fair_spacing: Duration,
    overflow: Overflow,
    slots: Vec<Queued>,
    free: Vec<u32>,
    /// A slot is in one of these two.
    queued: IndexedHeap,
    waiting: IndexedHeap,
    places: Places,
    /// What is queued, in the order in which a full queue drops it.
    victims: IndexedHeap,
    victim_places: Places,
    ttl: Deadlines,
    next_sequence: u64,
    submitters: IdMap<u64, Submitter>,
}

/// A task that has not started.
#[derive(Clone, Copy, Debug)]
pub(super) struct Queued {
    pub(super) task: TaskId,
    pub(super) weight: u32,
    pub(super) submitted: Instant,
    submitter: u64,
    /// Whether it waits for a place in the queue.
    outside: bool,
}

/// One that has tasks here.
#[derive(Clone, Copy, Debug)]
struct Submitter {
    tasks: u32,
    /// When its last task came, as far as its rank goes.
    last: Instant,
}

impl Queue {
    pub(super) fn new(ageing: Duration, fair_spacing: Duration, overflow: Overflow) -> Self {
        Self {
            ageing,
            fair_spacing,
            overflow,
            slots: Vec::new(),
            free: Vec::new(),
            queued: IndexedHeap::default(),
            waiting: IndexedHeap::default(),
            places: Places::default(),
            victims: IndexedHeap::default(),
            victim_places: Places::default(),
            ttl: Deadlines::new(),
            next_sequence: 0,
            submitters: IdMap::new(),
        }
    }

    pub(super) fn queued(&self) -> usize {
        self.queued.len()
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a task to the queue, whatever its bound.
    pub(super) fn push(&mut self, now: Instant, task: TaskId, submission: &Submission) -> u32 {
        let Submission { priority, weight, queue_ttl, submitter } = *submission;
        let came = self.came(now, submitter);
        let levels_below = u64::from(Priority::HIGHEST.level() - priority.level());
        let key = (came + self.ageing * levels_below).as_nanos();
        let queued = Queued { task, weight, submitted: now, submitter, outside: false };
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = queued;
            slot
        } else {
            self.slots.push(queued);
            u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 tasks fit into memory")
        };
        let entry = Entry { key, sequence: self.next_sequence, slot };
        self.next_sequence += 1;
        self.enqueue(entry);
        if let Some(ttl) = queue_ttl {
            self.ttl.set(slot, now + ttl);
        }
        slot
    }

    /// Moves a queued task out of the queue, to wait for a place in it.
    pub(super) fn put_outside(&mut self, slot: u32) {
        let entry = self.dequeue(slot);
        self.slots[slot as usize].outside = true;
        self.waiting.push(&mut self.places, entry);
    }

    /// Moves the first that waits for a place into the queue.
    pub(super) fn admit(&mut self) -> Option<TaskId> {
        let entry = self.waiting.pop(&mut self.places)?;
        self.enqueue(entry);
        let admitted = &mut self.slots[entry.slot as usize];
        admitted.outside = false;
        Some(admitted.task)
    }

    /// The queued task that starts next.
    pub(super) fn head(&self) -> Option<(u32, Queued)> {
        let slot = self.queued.peek()?.slot;
        Some((slot, self.slots[slot as usize]))
    }

    /// The queued task that a full queue drops.
    pub(super) fn victim(&self) -> Option<u32> {
        self.victims.peek().map(|entry| entry.slot)
    }

    /// Any that has not started, to be taken out.
    pub(super) fn any(&self) -> Option<u32> {
        self.queued.peek().or(self.waiting.peek()).map(|entry| entry.slot)
    }

    pub(super) fn expired(&mut self, now: Instant) -> Option<u32> {
        self.ttl.pop_due(now)
    }

    pub(super) fn next_expiry(&self) -> Option<Instant> {
        self.ttl.next()
    }

    /// Takes a task out, wherever it stands.
    pub(super) fn remove(&mut self, slot: u32) -> Queued {
        let queued = self.slots[slot as usize];
        if queued.outside {
            let place = self.places.place(slot).expect("a waiting task has a place");
            self.waiting.remove_at(&mut self.places, place);
        } else {
            self.dequeue(slot);
        }
        self.ttl.cancel(slot);
        self.free.push(slot);
        self.leave(queued.submitter);
        queued
    }

    /// As [`remove`](Self::remove), for a task that was pushed last and is refused: as if it had never come.
    pub(super) fn take_back(&mut self, slot: u32) {
        let Queued { submitter, .. } = self.remove(slot);
        if let Some(waits) = self.submitters.get(&submitter).copied() {
            let last = waits.last - self.fair_spacing;
            self.submitters.insert(submitter, Submitter { last, ..waits });
        }
    }

    fn enqueue(&mut self, entry: Entry) {
        self.queued.push(&mut self.places, entry);
        let Entry { key, sequence, slot } = entry;
        let victim = match self.overflow {
            Overflow::Reject | Overflow::Wait { .. } => return,
            Overflow::DropOldest => Entry { key: sequence, sequence, slot },
            Overflow::DropLowestPriority => Entry { key: !key, sequence: !sequence, slot },
        };
        self.victims.push(&mut self.victim_places, victim);
    }

    fn dequeue(&mut self, slot: u32) -> Entry {
        if let Some(place) = self.victim_places.place(slot) {
            self.victims.remove_at(&mut self.victim_places, place);
        }
        let place = self.places.place(slot).expect("a queued task has a place");
        self.queued.remove_at(&mut self.places, place)
    }

    /// When a task of this submitter comes, as far as its rank goes.
    fn came(&mut self, now: Instant, submitter: u64) -> Instant {
        if self.fair_spacing.is_zero() {
            return now;
        }
        let (tasks, last) = match self.submitters.get(&submitter) {
            Some(waits) => (waits.tasks + 1, now.max(waits.last + self.fair_spacing)),
            None => (1, now),
        };
        self.submitters.insert(submitter, Submitter { tasks, last });
        last
    }

    fn leave(&mut self, submitter: u64) {
        let Some(waits) = self.submitters.get(&submitter).copied() else { return };
        if waits.tasks <= 1 {
            self.submitters.remove(&submitter);
        } else {
            self.submitters.insert(submitter, Submitter { tasks: waits.tasks - 1, ..waits });
        }
    }
}
