//! The table of tasks that are unsettled, or settled and not let go of by their worker.

use alloc::vec::Vec;
use core::ops::Deref;

use crate::id_map::IdMap;
use crate::ids::TaskId;
use crate::indexed_heap::Entry;
use crate::time::{Duration, Instant};

use super::kinds::Kinds;
use super::offer::Needs;
use super::scheduler::small;
use super::{TaskSpec, WorkerList};

/// One task: what is its own. What it was submitted with and who may run it is told by a [`TaskRef`].
#[derive(Clone, Debug)]
pub(super) struct Task {
    pub(super) id: TaskId,
    /// What it has in common with others.
    kind: u32,
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
    /// A new task, which is about to be inserted and not queued yet.
    pub(super) fn new(id: TaskId, turn: Turn, now: Instant, avoided: WorkerList) -> Self {
        Self {
            id,
            kind: 0,
            turn,
            submitted_at: now,
            queued_at: now,
            attempts: 0,
            losses: 0,
            failures: 0,
            last_delay: Duration::ZERO,
            suspect: false,
            failed_on: avoided,
            standing: Standing::Queued,
        }
    }
}

/// A task with what it has in common with others.
#[derive(Clone, Copy, Debug)]
pub(super) struct TaskRef<'a> {
    task: &'a Task,
    kinds: &'a Kinds,
}

impl<'a> TaskRef<'a> {
    /// What its submitter said.
    #[inline]
    pub(super) fn spec(self) -> &'a TaskSpec {
        self.kinds.spec(self.task.kind)
    }

    /// Who may run it now.
    #[inline]
    pub(super) fn needs(self) -> &'a Needs {
        self.kinds.needs(self.task.kind)
    }

    /// Whether it minds which of the workers that could run it does so.
    pub(super) fn is_particular(self) -> bool {
        let needs = self.needs();
        self.spec().is_particular() || !self.task.failed_on.is_empty() || needs.line.is_some() || needs.asked
    }
}

impl Deref for TaskRef<'_> {
    type Target = Task;

    fn deref(&self) -> &Task {
        self.task
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
    kinds: Kinds,
    unsettled: u32,
}

impl TaskTable {
    pub(super) fn with_capacity(tasks: usize) -> Self {
        Self {
            tasks: Vec::with_capacity(tasks),
            free: Vec::with_capacity(tasks),
            // Twice as many, or removals could make it grow though it never holds more.
            by_id: IdMap::with_capacity(2 * tasks),
            kinds: Kinds::with_capacity(tasks),
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

    pub(super) fn insert(&mut self, mut task: Task, spec: &TaskSpec, needs: &Needs) -> u32 {
        task.kind = self.kinds.enter(spec, needs);
        self.insert_of_kind(task)
    }

    /// As [`TaskTable::insert`], of the spec and the needs of the task in this slot.
    pub(super) fn insert_alike(&mut self, mut task: Task, other: u32) -> u32 {
        task.kind = self.task(other).kind;
        self.kinds.enter_again(task.kind);
        self.insert_of_kind(task)
    }

    #[inline]
    fn insert_of_kind(&mut self, task: Task) -> u32 {
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
        self.kinds.leave(self.task(slot).kind);
        self.tasks[slot as usize] = None;
        self.free.push(slot);
    }

    /// How many slots there are, in use or not.
    pub(super) fn slots(&self) -> u32 {
        small(self.tasks.len())
    }

    /// What is in a slot, where it is in use.
    pub(super) fn get(&self, slot: u32) -> Option<TaskRef<'_>> {
        let task = self.tasks.get(slot as usize)?.as_ref()?;
        Some(TaskRef { task, kinds: &self.kinds })
    }

    #[inline]
    pub(super) fn task(&self, slot: u32) -> TaskRef<'_> {
        TaskRef { task: self.tasks[slot as usize].as_ref().expect(SLOT_IN_USE), kinds: &self.kinds }
    }

    #[inline]
    pub(super) fn task_mut(&mut self, slot: u32) -> &mut Task {
        self.tasks[slot as usize].as_mut().expect(SLOT_IN_USE)
    }

    /// Others may run the task from now on.
    pub(super) fn set_needs(&mut self, slot: u32, needs: Needs) {
        let before = self.task(slot).kind;
        let spec = *self.kinds.spec(before);
        let kind = self.kinds.enter(&spec, &needs);
        self.task_mut(slot).kind = kind;
        self.kinds.leave(before);
    }
}

const SLOT_IN_USE: &str = "queue, workers and deadlines drop a slot before it is freed";
