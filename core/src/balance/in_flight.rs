//! Which tasks are on which workers: the books by which load is given back exactly once.

use alloc::vec::Vec;

use crate::id_map::IdMap;
use crate::ids::{RegionId, TaskId, TaskType, WorkerId};
use crate::pool::{Capabilities, Priority};
use crate::time::Instant;

use super::{FewWorkers, Load, Task};

/// A task on a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InFlight {
    /// Which task.
    pub task: TaskId,
    /// On which worker.
    pub worker: WorkerId,
    /// What kind of task.
    pub task_type: TaskType,
    /// What it requires.
    pub required: Capabilities,
    /// What it weighs.
    pub complexity: Load,
    /// How urgent it is.
    pub priority: Priority,
    /// Workers that should run it.
    pub affinity: FewWorkers,
    /// Workers that must not run it.
    pub anti_affinity: FewWorkers,
    /// Where it should run.
    pub region: Option<RegionId>,
    /// How many bytes moving it costs.
    pub size_hint_bytes: Option<u64>,
    /// When it was given to the worker.
    pub assigned_at: Instant,
    /// When it started there, if the shell told.
    pub started_at: Option<Instant>,
    /// What it was expected to take when it was assigned, typically, in nanoseconds.
    pub expected_nanos: u64,
}

impl InFlight {
    pub(super) fn new(now: Instant, task: &Task<'_>, worker: WorkerId, expected_nanos: u64) -> Self {
        Self {
            task: task.id,
            worker,
            task_type: task.task_type,
            required: task.required,
            complexity: task.complexity,
            priority: task.priority,
            affinity: FewWorkers::new(task.affinity),
            anti_affinity: FewWorkers::new(task.anti_affinity),
            region: task.region,
            size_hint_bytes: task.size_hint_bytes,
            assigned_at: now,
            started_at: None,
            expected_nanos,
        }
    }
}

/// The table. Each worker's tasks are a list in the order of their assignment.
#[derive(Clone, Debug)]
pub(super) struct InFlightTable {
    places: IdMap<TaskId, u32>,
    entries: Vec<Entry>,
    lists: IdMap<WorkerId, List>,
    free: u32,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    task: InFlight,
    before: u32,
    /// In the list of free entries too.
    after: u32,
}

#[derive(Clone, Copy, Debug)]
struct List {
    first: u32,
    last: u32,
}

impl InFlightTable {
    pub(super) fn new() -> Self {
        Self {
            // Twice as many, or removals could make it grow though it never holds more.
            places: IdMap::with_capacity(2 * TASKS_AT_FIRST),
            entries: Vec::with_capacity(TASKS_AT_FIRST),
            lists: IdMap::new(),
            free: NONE,
            len: 0,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn find(&self, task: TaskId) -> Option<&InFlight> {
        self.places.get(&task).map(|&place| &self.entries[place as usize].task)
    }

    pub(super) fn start(&mut self, task: TaskId, now: Instant) {
        if let Some(&place) = self.places.get(&task) {
            self.entries[place as usize].task.started_at.get_or_insert(now);
        }
    }

    /// Adds a task that isn't in the table.
    pub(super) fn insert(&mut self, task: InFlight) {
        debug_assert!(self.find(task.task).is_none(), "a task is on one worker at a time");
        let list = self.lists.get(&task.worker).copied().unwrap_or(List { first: NONE, last: NONE });
        let entry = Entry { task, before: list.last, after: NONE };
        let place = self.take_place(entry);
        if list.last == NONE {
            self.lists.insert(task.worker, List { first: place, last: place });
        } else {
            self.entries[list.last as usize].after = place;
            self.lists.insert(task.worker, List { last: place, ..list });
        }
        self.places.insert(task.task, place);
        self.len += 1;
    }

    pub(super) fn remove(&mut self, task: TaskId) -> Option<InFlight> {
        let place = self.places.remove(&task)?;
        let Entry { task, before, after } = self.entries[place as usize];
        let mut list = *self.lists.get(&task.worker).expect("a worker with a task has a list");
        match self.entries.get_mut(before as usize) {
            Some(entry) => entry.after = after,
            None => list.first = after,
        }
        match self.entries.get_mut(after as usize) {
            Some(entry) => entry.before = before,
            None => list.last = before,
        }
        self.lists.insert(task.worker, list);
        self.entries[place as usize].after = self.free;
        self.free = place;
        self.len -= 1;
        Some(task)
    }

    /// Forgets the worker's list; its tasks must have been removed.
    pub(super) fn forget(&mut self, worker: WorkerId) {
        self.lists.remove(&worker);
    }

    /// The worker's tasks, the one assigned first at the front.
    pub(super) fn of_worker(&self, worker: WorkerId) -> impl Iterator<Item = &InFlight> {
        let first = self.lists.get(&worker).map_or(NONE, |list| list.first);
        let entry = |place: u32| self.entries.get(place as usize);
        core::iter::successors(entry(first), move |current| entry(current.after)).map(|entry| &entry.task)
    }

    fn take_place(&mut self, entry: Entry) -> u32 {
        match self.entries.get_mut(self.free as usize) {
            Some(free) => {
                let place = self.free;
                self.free = free.after;
                *free = entry;
                place
            }
            None => {
                self.entries.push(entry);
                u32::try_from(self.entries.len() - 1).expect("fewer tasks are in flight than a u32 counts")
            }
        }
    }
}

/// No entry: further than a table can reach.
const NONE: u32 = u32::MAX;

/// What is in flight as a rule. More is allocated once.
const TASKS_AT_FIRST: usize = 128;
