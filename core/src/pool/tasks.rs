//! The table of unsettled tasks.

use alloc::vec::Vec;

use crate::id_map::IdMap;
use crate::ids::TaskId;
use crate::indexed_heap::Entry;

use super::TaskSpec;

/// One unsettled task.
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) spec: TaskSpec,
    /// Its turn in the queue, kept when it is queued again: it loses no age with its worker.
    pub(super) turn: Turn,
    /// How often it was dispatched.
    pub(super) attempts: u32,
    /// The index of the worker that runs it; `None` while it is queued.
    pub(super) worker: Option<u32>,
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
}

impl TaskTable {
    pub(super) fn new() -> Self {
        Self { tasks: Vec::new(), free: Vec::new(), by_id: IdMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len() - self.free.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn slot_of(&self, id: TaskId) -> Option<u32> {
        self.by_id.get(&id).copied()
    }

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
            u32::try_from(self.tasks.len() - 1)
                .expect("the queue's bound keeps the table far below 2^32 tasks")
        };
        let previous = self.by_id.insert(id, slot);
        debug_assert!(previous.is_none(), "the caller has refused ids in use");
        slot
    }

    pub(super) fn remove(&mut self, slot: u32) -> Task {
        let task = self.tasks[slot as usize].take().expect(SLOT_IN_USE);
        self.by_id.remove(&task.id);
        self.free.push(slot);
        task
    }

    pub(super) fn task(&self, slot: u32) -> &Task {
        self.tasks[slot as usize].as_ref().expect(SLOT_IN_USE)
    }

    pub(super) fn task_mut(&mut self, slot: u32) -> &mut Task {
        self.tasks[slot as usize].as_mut().expect(SLOT_IN_USE)
    }
}

const SLOT_IN_USE: &str = "queue, workers and deadlines drop a slot when its task settles";
