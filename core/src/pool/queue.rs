//! The central queue: priority with ageing, first in first out inside a level, and no head-of-line blocking.
//!
//! Ageing is linear and the same for all, so the order of two waiting tasks never changes: a task of priority `p` that came
//! at time `t` stands where a task of the highest priority would that came at `t + (10 - p) * ageing`. That sum is its
//! *rank*, computed once; the smallest goes first. No re-sorting, and no task waits behind more than those whose rank is
//! smaller, of which only finitely many can still come.
//!
//! Tasks that need the same capabilities share a *lane*, a heap of its own. A worker takes the first of the heads of the
//! lanes that it can serve, so a task that nobody can run now holds up nobody, and keeps its own turn.

use alloc::vec::Vec;

use crate::indexed_heap::{Entry, IndexedHeap, Places};
use crate::time::{Duration, Instant};

use super::{Capabilities, Priority};

/// The rank of a task that comes now.
pub(super) fn rank(now: Instant, priority: Priority, ageing: Duration) -> u64 {
    let levels_below = u64::from(Priority::HIGHEST.level() - priority.level());
    (now + ageing * levels_below).as_nanos()
}

#[derive(Clone, Debug, Default)]
pub(super) struct TaskQueue {
    lanes: Vec<Lane>,
    places: Places,
    len: usize,
}

#[derive(Clone, Debug)]
struct Lane {
    required: Capabilities,
    heap: IndexedHeap,
}

impl TaskQueue {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn push(&mut self, required: Capabilities, entry: Entry) {
        let lane = self.lane_for(required);
        self.lanes[lane].heap.push(&mut self.places, entry);
        self.len += 1;
    }

    /// Takes the task out, wherever it stands.
    pub(super) fn remove(&mut self, required: Capabilities, slot: u32) {
        let lane = self.lanes.iter_mut().find(|lane| lane.required == required);
        let lane = lane.expect("a queued task is in the lane of what it requires");
        let place = self.places.place(slot).expect("a queued task has a place");
        lane.heap.remove_at(&mut self.places, place);
        self.len -= 1;
    }

    /// Takes the next task that a worker with these capabilities can run.
    pub(super) fn pop_for(&mut self, capabilities: Capabilities) -> Option<u32> {
        let mut next: Option<(Entry, usize)> = None;
        for (index, lane) in self.lanes.iter().enumerate() {
            if let Some(&head) = lane.heap.peek()
                && capabilities.contains(lane.required)
                && next.is_none_or(|(best, _)| head < best)
            {
                next = Some((head, index));
            }
        }
        let (_, lane) = next?;
        self.pop_lane(lane)
    }

    /// Takes the next task of the first lane for which this holds: how lanes that can't be served any more are emptied.
    pub(super) fn pop_where(&mut self, mut unservable: impl FnMut(Capabilities) -> bool) -> Option<u32> {
        let lane = self.lanes.iter().position(|lane| !lane.heap.is_empty() && unservable(lane.required))?;
        self.pop_lane(lane)
    }

    fn pop_lane(&mut self, lane: usize) -> Option<u32> {
        let entry = self.lanes[lane].heap.pop(&mut self.places)?;
        self.len -= 1;
        Some(entry.slot)
    }

    fn lane_for(&mut self, required: Capabilities) -> usize {
        if let Some(lane) = self.lanes.iter().position(|lane| lane.required == required) {
            return lane;
        }
        // An empty lane is kept for its memory. Once there are many, the next new set takes one over.
        if self.lanes.len() >= LANES_KEPT
            && let Some(empty) = self.lanes.iter().position(|lane| lane.heap.is_empty())
        {
            self.lanes[empty].required = required;
            return empty;
        }
        self.lanes.push(Lane { required, heap: IndexedHeap::default() });
        self.lanes.len() - 1
    }
}

/// Apps use a handful of different requirements; scanning so many lanes costs nothing.
const LANES_KEPT: usize = 16;
