//! The table of tasks that are unsettled, or settled and not let go of by their worker.

use alloc::vec::Vec;

use crate::id_map::IdMap;
use crate::ids::TaskId;
use crate::indexed_heap::Entry;
use crate::time::{Duration, Instant};

use super::offer::Needs;
use super::scheduler::small;
use super::{TaskSpec, WorkerList};

/// One task.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) spec: TaskSpec,
    pub(super) needs: Needs,
    /// Its turn in the queue, kept when it is queued again: it loses no age with its worker.
    pub(super) turn: Turn,
    pub(super) submitted_at: Instant,
    /// When it was queued last.
    pub(super) queued_at: Instant,
    /// How many executions were started.
    pub(super) attempts: u32,
    /// How many of them were lost with a worker that failed.
    pub(super) losses: u32,
    /// How many of them failed with the task's own error.
    pub(super) failures: u32,
    /// The delay after the last of these.
    pub(super) last_delay: Duration,
    /// A worker was lost that had it: see [`super::prefetch`].
    pub(super) suspect: bool,
    /// Where they happened, the last one last, after those that it was to avoid from the start.
    pub(super) failed_on: WorkerList,
    pub(super) standing: Standing,
}

impl Task {
    /// Whether it minds which of the workers that could run it does so.
    pub(super) fn is_particular(&self) -> bool {
        self.spec.is_particular()
            || !self.failed_on.is_empty()
            || self.needs.line.is_some()
            || self.needs.asked
    }
}

/// Where a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// In a lane of the queue.
    Queued,
    /// Queued, and the room of this worker is kept for it: see [`super::reserve`].
    Reserved { worker: u32 },
    /// It failed and waits for its next attempt: see [`super::retry`].
    Delayed,
    /// Given to this worker, which has not reported on it.
    Held { worker: u32 },
}

/// Where a task stands in the queue: see [`super::queue`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) rank: u64,
    pub(super) sequence: u64,
}

impl Turn {
    pub(super) fn entry(self, slot: u32) -> Entry {
        Entry { key: self.rank, sequence: self.sequence, slot }
    }
}

/// Tasks by slot and by id. Slots are reused, so that other tables can be indexed with them.
#[derive(Clone, Debug)]
pub(super) struct TaskTable {
    tasks: Vec<Option<Task>>,
    free: Vec<u32>,
    by_id: IdMap<TaskId, u32>,
    unsettled: u32,
}

impl TaskTable {
    pub(super) fn with_capacity(tasks: usize) -> Self {
        Self {
            tasks: Vec::with_capacity(tasks),
            free: Vec::with_capacity(tasks),
            // Twice as many, or removals could make it grow though it never holds more.
            by_id: IdMap::with_capacity(2 * tasks),
            unsettled: 0,
        }
    }

    /// How many tasks are unsettled.
    pub(super) fn unsettled(&self) -> u32 {
        self.unsettled
    }

    /// The slot of an unsettled task.
    pub(super) fn slot_of(&self, id: TaskId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

    /// Whether an unsettled task has this id.
    pub(super) fn contains(&self, id: TaskId) -> bool {
        self.by_id.contains(&id)
    }

    pub(super) fn insert(&mut self, task: Task) -> u32 {
        let id = task.id;
        let slot = if let Some(slot) = self.free.pop() {
            self.tasks[slot as usize] = Some(task);
            slot
        } else {
            self.tasks.push(Some(task));
            // All of them may be free at once; an end of a task is no time to allocate.
            self.free.reserve(self.tasks.capacity());
            u32::try_from(self.tasks.len() - 1)
                .expect("the queue's bound keeps the table far below 2^32 tasks")
        };
        let previous = self.by_id.insert(id, slot);
        debug_assert!(previous.is_none(), "the caller has refused ids in use");
        self.unsettled += 1;
        slot
    }

    /// Takes the id from the task, which may be used again from now on; its slot is still in use.
    pub(super) fn settle(&mut self, slot: u32) -> TaskId {
        let id = self.task(slot).id;
        let known = self.by_id.remove(&id);
        debug_assert_eq!(known, Some(slot), "a task settles once");
        self.unsettled -= 1;
        id
    }

    /// Frees the slot of a settled task.
    pub(super) fn free(&mut self, slot: u32) {
        let task = self.tasks[slot as usize].take();
        debug_assert!(task.is_some(), "{SLOT_IN_USE}");
        self.free.push(slot);
    }

    /// How many slots there are, in use or not.
    pub(super) fn slots(&self) -> u32 {
        small(self.tasks.len())
    }

    /// What is in a slot, where it is in use.
    pub(super) fn get(&self, slot: u32) -> Option<&Task> {
        self.tasks.get(slot as usize)?.as_ref()
    }

    pub(super) fn task(&self, slot: u32) -> &Task {
        self.tasks[slot as usize].as_ref().expect(SLOT_IN_USE)
    }

    pub(super) fn task_mut(&mut self, slot: u32) -> &mut Task {
        self.tasks[slot as usize].as_mut().expect(SLOT_IN_USE)
    }
}

const SLOT_IN_USE: &str = "queue, workers and deadlines drop a slot before it is freed";
