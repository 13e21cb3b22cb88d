//! What the scheduler wants done.

use crate::ids::{Generation, TaskId, WorkerId};
use crate::time::Duration;

use super::{Action, Capabilities, Load, Priority, Reason, ResizeReason};

/// One thing for the shell to do, in the order in which they come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Output {
    /// Start a worker. Its messages carry this generation.
    Spawn {
        /// The place that it fills.
        worker: WorkerId,
        /// What its messages must carry.
        generation: Generation,
    },
    /// End a worker and forget it. It may be gone already.
    Terminate {
        /// The place that it filled.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
        /// Why.
        reason: TerminateReason,
    },
    /// Hand the task to the worker. If that fails, tell so as a further input once all outputs are drained.
    ///
    /// Where [`PoolConfig::prefetch`](super::PoolConfig::prefetch) is on, a worker may be given more than it carries. It
    /// starts tasks in the order in which they come, each as soon as it has room for it.
    Dispatch {
        /// The task.
        task: TaskId,
        /// Where it goes.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
        /// Which of its executions this will be: 1 for the first, 2 for the next after that was lost, and so on.
        attempt: u32,
    },
    /// Ask the worker to give the task back if it has not started it. It answers with
    /// [`Input::TaskReturned`](super::Input::TaskReturned), or in time that it is done. Comes only where
    /// [`PoolConfig::prefetch`](super::PoolConfig::prefetch) is on.
    TakeBack {
        /// The task.
        task: TaskId,
        /// Who has it.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
    },
    /// Ask the application's strategy for a worker, among [`Scheduler::candidates_for`](super::Scheduler::candidates_for), and hand its
    /// answer in as [`Input::StrategyAnswer`](super::Input::StrategyAnswer). The task waits for it, for
    /// [`Binding::Asked::answer_within`](super::Binding::Asked). Comes only under [`Binding::Asked`](super::Binding::Asked),
    /// once each time that the task is queued.
    AskStrategy {
        /// The task.
        task: TaskId,
    },
    /// Ask the worker to stop the task, which is settled already. The worker must still answer that it is done with it.
    AbortRunning {
        /// The task.
        task: TaskId,
        /// Where it runs.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
    },
    /// Ask the worker for a sign of life. Any message from it will do.
    Probe {
        /// The place.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
    },
    /// Tell whoever submitted the task. Comes once for every submitted task.
    Settle {
        /// The task.
        task: TaskId,
        /// How it ended.
        settlement: Settlement,
    },
    /// The task failed and will be tried again. It settles later.
    Retry {
        /// The task.
        task: TaskId,
        /// How long it waits until it is queued again.
        after: Duration,
    },
    /// The queue is full, and the task waits outside: see [`Overflow::Wait`](super::Overflow::Wait). Its submitter should
    /// submit no more until it is admitted.
    Parked {
        /// The task.
        task: TaskId,
    },
    /// A task that waited outside was let in, or goes straight to a worker. Doesn't come where it settles outside.
    Admitted {
        /// The task.
        task: TaskId,
    },
    /// The queue has become full. Comes once until it has drained.
    Saturated {
        /// How many tasks wait in it.
        queued: u32,
    },
    /// The queue was full and has fallen to half of [`PoolConfig::max_queued`](super::PoolConfig::max_queued), rounded down.
    Drained {
        /// How many tasks wait in it.
        queued: u32,
    },
    /// The number of workers changes, by the spawns or terminations that follow.
    Resize {
        /// How many there were.
        from: u32,
        /// How many there will be.
        to: u32,
        /// Why.
        reason: ResizeReason,
    },
    /// The pool takes care of the machine, or need not any more. It does its own part; caches are the shell's matter.
    Pressure {
        /// What is done or undone.
        action: Action,
        /// Why.
        reason: Reason,
    },
    /// The pool is closed: every task is settled and every worker terminated. Nothing more will come out, but refusals of
    /// tasks that are submitted nevertheless.
    Closed,
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Settlement {
    /// With a result.
    Completed,
    /// With the task's own error, and it may not be tried again, or not again.
    Failed {
        /// How often it was dispatched.
        attempts: u32,
    },
    /// Ended by its submitter, queued or running.
    Aborted,
    /// One execution took longer than [`TaskSpec::timeout`](super::TaskSpec::timeout).
    TimedOut,
    /// It waited longer than [`TaskSpec::queue_ttl`](super::TaskSpec::queue_ttl).
    Expired,
    /// Its worker was lost and it may not be given to another, or not again.
    WorkerLost {
        /// How many executions were started.
        attempts: u32,
    },
    /// It had to make room for another in a full queue.
    Dropped,
    /// It is not run, because it can't be.
    Refused(Refusal),
    /// The pool was closed before it ended.
    Closed,
}

impl Settlement {
    /// Whether the submitter got an answer. What it gave up itself, what was turned away or dropped and what the end of the
    /// pool cut off is none.
    #[must_use]
    pub const fn is_response(self) -> bool {
        match self {
            Self::Completed
            | Self::Failed { .. }
            | Self::TimedOut
            | Self::Expired
            | Self::WorkerLost { .. } => true,
            Self::Aborted | Self::Dropped | Self::Refused(_) | Self::Closed => false,
        }
    }
}

/// Why a task can't be run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// As many tasks wait as may. Submit again when some are settled, or raise the limit.
    QueueFull {
        /// [`PoolConfig::max_queued`](super::PoolConfig::max_queued).
        limit: u32,
    },
    /// The queue is full, and as many tasks wait outside as may. Those that were queued again above the queue's bound count
    /// with them.
    TooManyWaiting {
        /// What [`PoolConfig::overflow`](super::PoolConfig::overflow) allows.
        limit: u32,
    },
    /// No worker of the pool has these. Where workers have them, but none has all, it is what the closest worker lacks.
    NoCapableWorker {
        /// What is missing.
        missing: Capabilities,
    },
    /// Workers have what it requires, but its complexity is beyond the capacity of each.
    TooLarge {
        /// The largest capacity among them.
        largest: Load,
    },
    /// Every worker that could run it is on its list of those that must not
    /// ([`TaskSpec::anti_affinity`](super::TaskSpec::anti_affinity)). Ban fewer, or give the pool more workers.
    OnlyBannedWorkers {
        /// How many could run it.
        able: u32,
    },
    /// Every worker that could run it has failed to start [`PoolConfig::max_boot_failures`](super::PoolConfig) times in
    /// a row.
    WorkersUnavailable {
        /// How many workers of the pool are in that state.
        failing: u32,
    },
    /// Memory runs short, and work of lower priority than this is given up.
    Shed {
        /// The lowest priority that is spared.
        below: Priority,
    },
    /// The pool is closing.
    Closing,
}

/// Why a worker is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TerminateReason {
    /// The shell told that it was lost.
    Lost,
    /// It did not become ready in time.
    BootTimeout,
    /// It was silent for longer than its lease.
    Silent,
    /// It went on with a task that it was asked to abort.
    IgnoredAbort,
    /// It is not needed any more.
    Retired,
    /// Another one takes its place because the shell asked for it: see [`Input::Recycle`](super::Input::Recycle).
    Recycled,
    /// The pool closes.
    Closing,
}

impl TerminateReason {
    /// Whether the worker failed, as opposed to being ended on purpose.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        matches!(self, Self::Lost | Self::BootTimeout | Self::Silent)
    }
}
