//! What a submitter says about a task.

use crate::ids::{RegionId, TaskType, WorkerId};
use crate::time::Duration;

use super::{Capabilities, Load, Offer, WorkerList};

/// How urgent a task is: 0 the least, 10 the most.
///
/// Priority is a head start, not a rank: a waiting task gains one level for each
/// [`PoolConfig::ageing`](super::PoolConfig::ageing) that it waits, so that nothing starves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Priority(u8);

impl Priority {
    /// 0: work that nobody waits for.
    pub const LOWEST: Self = Self(0);
    /// 5: the default.
    pub const NORMAL: Self = Self(5);
    /// 10: somebody looks at the screen and waits.
    pub const HIGHEST: Self = Self(10);

    /// A level of 0 to 10, or `None` above.
    #[must_use]
    pub const fn new(level: u8) -> Option<Self> {
        if level <= Self::HIGHEST.0 { Some(Self(level)) } else { None }
    }

    /// The level, 0 to 10.
    #[must_use]
    pub const fn level(self) -> u8 {
        self.0
    }
}

impl Default for Priority {
    fn default() -> Self {
        Self::NORMAL
    }
}

/// What the scheduler must know about a task. What the task does is the shell's matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TaskSpec {
    /// How urgent it is.
    pub priority: Priority,
    /// What a worker must have to run it.
    pub required: Capabilities,
    /// What kind of work it is: run times are measured for each type. Default type 0.
    pub task_type: TaskType,
    /// How many tasks of its type may be at workers at a time, this one included; 0, the default: as many as there is room for. One
    /// that was aborted counts until its worker has let go of it. Give all tasks of a type the same limit: those without one are not
    /// counted. A task with a limit is given to no worker ahead.
    pub type_limit: u32,
    /// How much of a worker's capacity it takes up while it runs; 0 counts as 1. Default 1.
    pub complexity: Load,
    /// The longest that one execution may take, counted from its start: from its dispatch to a worker, or from the end of
    /// the task before it where it was given ahead.
    pub timeout: Option<Duration>,
    /// The longest that it may wait for its start. Counted anew where it is queued again after its worker was lost or gave
    /// it back.
    pub queue_ttl: Option<Duration>,
    /// Whether it may be given to another worker after the first was lost. `false` where running it twice would do harm,
    /// or where its input was moved into the lost worker.
    pub redeliverable: bool,
    /// How many attempts it has to succeed, the first included; 0 counts as 1. It is tried again only where it failed with its
    /// own error and is redeliverable, after [`PoolConfig::retry_backoff`](super::PoolConfig::retry_backoff). Default 1.
    pub max_attempts: u32,
    /// Workers that should run it, because of a warm cache for instance: of the free ones these go first. Default: none.
    pub affinity: WorkerList,
    /// The region that should run it: of the free workers those in it go first, after those of its affinity. Default `None`.
    pub region: Option<RegionId>,
    /// How long, from its submission, it waits for a worker of its affinity or region while these are busy, before anybody may
    /// take it. It ends early where none of them is up any more that could run it. Default zero: the preference
    /// counts among the workers that are free.
    pub patience: Duration,
    /// Workers that never run it, whoever else is there. Where no other worker could run it, it is refused
    /// ([`Refusal::OnlyBannedWorkers`](super::Refusal::OnlyBannedWorkers)). Default: none.
    pub anti_affinity: WorkerList,
    /// Workers that it keeps off while another one that is up could run it, such as those that an earlier submission of the
    /// same work failed on. Those that it fails on here are added by themselves; of all the last [`WorkerList::MOST`] count.
    /// Default: none.
    pub avoid: WorkerList,
    /// What [`ConsistentHash`](crate::balance::strategies::ConsistentHash) goes by, where tasks are bound early by it: those of
    /// one key go to one worker. Default `None`: its id.
    pub key: Option<u64>,
}

impl TaskSpec {
    /// Whether it minds who runs it, as long as it can.
    pub(super) fn is_particular(&self) -> bool {
        !self.affinity.is_empty()
            || self.region.is_some()
            || !self.anti_affinity.is_empty()
            || !self.avoid.is_empty()
    }

    /// Whether it would rather have this worker than others.
    pub(super) fn prefers(&self, worker: WorkerId, offer: &Offer) -> bool {
        self.affinity.contains(worker) || self.region.is_some() && offer.region == self.region
    }
}

impl Default for TaskSpec {
    /// Normal priority, any worker, no preference, no limits in time, redeliverable, one attempt.
    fn default() -> Self {
        Self {
            priority: Priority::NORMAL,
            required: Capabilities::NONE,
            task_type: TaskType::new(0),
            type_limit: 0,
            complexity: Load::ONE,
            timeout: None,
            queue_ttl: None,
            redeliverable: true,
            max_attempts: 1,
            affinity: WorkerList::NONE,
            region: None,
            patience: Duration::ZERO,
            anti_affinity: WorkerList::NONE,
            avoid: WorkerList::NONE,
            key: None,
        }
    }
}

/// How an execution ended, as the worker told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TaskOutcome {
    /// With a result.
    Completed,
    /// With the task's own error. Also where the shell could not hand the task over, for instance because its input can't
    /// be cloned.
    Failed,
    /// As [`TaskOutcome::Failed`], and another attempt would fail in the same way: it is not tried again, however many attempts it has.
    FailedForGood,
}
