//! What happened, as data: the scheduler's `handle_*` methods one by one, so that a run can be recorded and replayed.

use crate::ids::{Generation, TaskId, WorkerId};

use super::{Offer, PerMille, TaskOutcome, TaskSpec};

/// One input of [`Scheduler::handle_input`](super::Scheduler::handle_input).
///
/// A log of `(Instant, Input)` together with the pool's configuration and its start is a whole run: handed in again, it
/// leads to the same outputs on every machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Input {
    /// [`Scheduler::handle_submit`](super::Scheduler::handle_submit).
    Submit {
        /// The task, whose id no unsettled task has.
        task: TaskId,
        /// What the scheduler must know about it.
        spec: TaskSpec,
    },
    /// [`Scheduler::handle_abort`](super::Scheduler::handle_abort).
    Abort {
        /// The task.
        task: TaskId,
    },
    /// [`Scheduler::handle_worker_ready`](super::Scheduler::handle_worker_ready).
    WorkerReady {
        /// The place.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
        /// What it can do, and how much at a time.
        offer: Offer,
    },
    /// [`Scheduler::handle_worker_alive`](super::Scheduler::handle_worker_alive).
    WorkerAlive {
        /// The place.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
    },
    /// [`Scheduler::handle_worker_lost`](super::Scheduler::handle_worker_lost).
    WorkerLost {
        /// The place.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
    },
    /// [`Scheduler::handle_recycle`](super::Scheduler::handle_recycle).
    Recycle {
        /// The place.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
    },
    /// [`Scheduler::handle_task_done`](super::Scheduler::handle_task_done).
    TaskDone {
        /// The place.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
        /// The task that it was given.
        task: TaskId,
        /// How it ended.
        outcome: TaskOutcome,
    },
    /// [`Scheduler::handle_task_returned`](super::Scheduler::handle_task_returned).
    TaskReturned {
        /// The place.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
        /// The task that it was asked to give back.
        task: TaskId,
    },
    /// [`Scheduler::handle_progress`](super::Scheduler::handle_progress).
    Progress {
        /// The place.
        worker: WorkerId,
        /// Which of its workers.
        generation: Generation,
        /// The task that it was given.
        task: TaskId,
    },
    /// [`Scheduler::handle_strategy_answer`](super::Scheduler::handle_strategy_answer).
    StrategyAnswer {
        /// The task that the strategy was asked for.
        task: TaskId,
        /// Whom it chose; `None` where the built-in strategy is to choose.
        worker: Option<WorkerId>,
    },
    /// [`Scheduler::handle_resources`](super::Scheduler::handle_resources).
    Resources {
        /// Memory in use; `None` where it is not known.
        memory: Option<PerMille>,
        /// CPU in use; `None` where it is not known.
        cpu: Option<PerMille>,
    },
    /// [`Scheduler::handle_pause`](super::Scheduler::handle_pause).
    Pause,
    /// [`Scheduler::handle_resume`](super::Scheduler::handle_resume).
    Resume,
    /// [`Scheduler::handle_close`](super::Scheduler::handle_close).
    Close {
        /// How.
        mode: CloseMode,
    },
    /// [`Scheduler::handle_deadline`](super::Scheduler::handle_deadline).
    Deadline,
}

/// How to close a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseMode {
    /// Take no more tasks, finish those that there are.
    Drain,
    /// Settle everything as closed and terminate the workers.
    Now,
}
