//! What the balancer must know about a task.

use crate::ids::{RegionId, TaskId, TaskType, WorkerId};
use crate::pool::{Capabilities, Priority};

use super::Load;

/// A task that needs a worker. Borrowed by each call that decides something about it; what the task does is the shell's
/// matter.
///
/// ```
/// use quillwork_core::balance::{Load, Task};
/// use quillwork_core::ids::{TaskId, WorkerId};
///
/// let warm = [WorkerId::new(2)];
/// let task = Task { complexity: Load::new(4), affinity: &warm, ..Task::new(TaskId::new(7)) };
/// assert_eq!(task.key, 7);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task<'a> {
    /// Which task it is. Unique among the tasks in flight.
    pub id: TaskId,
    /// What kind of work it is: durations and histories are kept for each kind.
    pub task_type: TaskType,
    /// What a worker must have to run it.
    pub required: Capabilities,
    /// What it weighs on the worker that gets it.
    pub complexity: Load,
    /// How urgent it is, 10 the most. Strategies of this module place every task alike; queues look at it.
    pub priority: Priority,
    /// Workers that should run it where they can, because of a warm cache for instance: a preference.
    pub affinity: &'a [WorkerId],
    /// Workers that must not run it: a ban.
    pub anti_affinity: &'a [WorkerId],
    /// Where it should run, if that matters: a preference.
    pub region: Option<RegionId>,
    /// How many bytes go to the worker with it, if known: what moving it costs.
    pub size_hint_bytes: Option<u64>,
    /// What consistent hashing goes by: tasks of the same key go to the same worker.
    pub key: u64,
}

impl Task<'_> {
    /// A task of normal priority and one unit that any worker may run, with its id as its key.
    #[must_use]
    pub const fn new(id: TaskId) -> Self {
        Self {
            id,
            task_type: TaskType::new(0),
            required: Capabilities::NONE,
            complexity: Load::ONE,
            priority: Priority::NORMAL,
            affinity: &[],
            anti_affinity: &[],
            region: None,
            size_hint_bytes: None,
            key: id.get(),
        }
    }
}
