//! What keeps queued tasks from workers that are free: a limit of their type, and a pause of the pool.
//!
//! A task with a [`TaskSpec::type_limit`](super::TaskSpec::type_limit) starts only while fewer tasks of its type than that are at
//! workers: a bulkhead, for what all of them share is scarce (connections, memory, a licence). What waits for it holds up nobody
//! else: its lane of the queue is passed over until one of its type ends. While the pool is paused every lane is.
//!
//! Between inputs, no worker keeps its room for a task that is kept from it here, and no such task was given ahead. Where a worker
//! was told to give such a task back, it may have started it before it heard of it.

use alloc::vec::Vec;
use core::mem;

use crate::ids::TaskType;
use crate::time::Instant;

use super::Scheduler;
use super::offer::Needs;
use super::scheduler::Closing;

/// How many tasks of a type may be at workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gate {
    task_type: TaskType,
    /// At least 1.
    limit: u32,
}

impl Gate {
    pub(super) fn of(task_type: TaskType, limit: u32) -> Option<Self> {
        (limit > 0).then_some(Self { task_type, limit })
    }
}

/// Which tasks may start as far as gates are concerned.
#[derive(Clone, Debug, Default)]
pub(super) struct Gates {
    paused: bool,
    /// Tasks with a limit that are at workers, by type. As short as workers are few.
    at_workers: Vec<(TaskType, u32)>,
    /// One of these has ended, and nobody looked since whether another may start.
    opened: bool,
}

impl Gates {
    pub(super) fn with_capacity(types: usize) -> Self {
        Self { at_workers: Vec::with_capacity(types), ..Self::default() }
    }

    #[inline]
    pub(super) fn admits(&self, needs: &Needs) -> bool {
        self.room(needs) > 0
    }

    /// How many more tasks with these needs may start.
    #[inline]
    pub(super) fn room(&self, needs: &Needs) -> u32 {
        match needs.gate {
            _ if self.paused => 0,
            Some(gate) => gate.limit.saturating_sub(self.at_workers(gate.task_type)),
            None => u32::MAX,
        }
    }

    /// Such a task is given to a worker.
    fn enter(&mut self, gate: Gate) {
        match self.place_of(gate.task_type) {
            Some(place) => self.at_workers[place].1 += 1,
            None => self.at_workers.push((gate.task_type, 1)),
        }
    }

    /// A worker is done with a task with these needs, or gone with it.
    pub(super) fn leave(&mut self, needs: &Needs) {
        let Some(gate) = needs.gate else { return };
        let place = self.place_of(gate.task_type).expect("it has entered");
        self.at_workers[place].1 -= 1;
        if self.at_workers[place].1 == 0 {
            self.at_workers.swap_remove(place);
        }
        self.opened = true;
    }

    fn at_workers(&self, task_type: TaskType) -> u32 {
        self.place_of(task_type).map_or(0, |place| self.at_workers[place].1)
    }

    fn place_of(&self, task_type: TaskType) -> Option<usize> {
        self.at_workers.iter().position(|&(of, _)| of == task_type)
    }
}

impl Scheduler {
    /// Nothing that waits is started from now on. What runs goes on, and what was given ahead is asked back. Time goes on, too:
    /// tasks expire in the queue, time out, and are taken in until it is full. Does nothing where the pool is paused already, or is
    /// to end.
    pub fn handle_pause(&mut self, now: Instant) {
        let now = self.advance(now);
        if self.gates.paused || self.closing != Closing::Open {
            return;
        }
        self.gates.paused = true;
        for index in 0..self.workers.len() {
            self.give_up_reservation(index);
            self.take_back_all(index);
        }
        self.conclude(now);
    }

    /// What waits is started again. Does nothing where the pool is not paused. [`CloseMode::Drain`](super::CloseMode::Drain) resumes
    /// it, too, for else it would never end.
    pub fn handle_resume(&mut self, now: Instant) {
        let now = self.advance(now);
        if mem::take(&mut self.gates.paused) {
            self.offer_heads(now, |_| true);
            self.conclude(now);
        }
    }

    /// Whether the pool is paused.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.gates.paused
    }

    /// A task is given to a worker. Nobody keeps room for those that it leaves no room at the gate.
    pub(super) fn enter_gate(&mut self, slot: u32) {
        let Some(gate) = self.tasks.task(slot).needs().gate else { return };
        self.gates.enter(gate);
        if self.reservations == 0 {
            return;
        }
        for index in 0..self.workers.len() {
            let reserved = self.workers[index].reserved_for;
            if reserved.is_some_and(|slot| !self.gates.admits(self.tasks.task(slot).needs())) {
                self.give_up_reservation(index);
            }
        }
    }

    /// Lets free workers look at the tasks whose gates have opened in this input.
    pub(super) fn offer_opened(&mut self, now: Instant) {
        if mem::take(&mut self.gates.opened) {
            self.offer_heads(now, |needs| needs.gate.is_some());
        }
    }

    /// How many tasks wait that would be kept from a worker that is free.
    pub(super) fn held_back(&self, counts: impl Fn(&Needs) -> bool) -> u32 {
        if !self.gates.paused && self.queue.gated() == 0 {
            return 0;
        }
        self.queue.sum_where(counts, |needs, waiting| waiting.saturating_sub(self.gates.room(needs)))
    }

    /// Offers the first task of each of these lanes that may start, and those behind it, in the order of the queue.
    fn offer_heads(&mut self, now: Instant, concerns: impl Fn(&Needs) -> bool) {
        let mut last = None;
        while let Some(entry) =
            self.queue.first_behind(last, |needs| concerns(needs) && self.gates.admits(needs))
        {
            self.offer_queued(now, entry.slot);
            last = Some(entry);
        }
        // A worker that had no room for one may have kept its room for it before those that have were asked.
        for index in 0..self.workers.len() {
            if let Some(slot) = self.workers[index].reserved_for {
                self.offer_queued(now, slot);
            }
        }
    }
}
