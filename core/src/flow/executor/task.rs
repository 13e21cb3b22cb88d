//! What goes into an executor and comes out of it.

use core::error::Error;
use core::fmt;

use crate::flow::rate_limit::WeightExceedsCapacity;
use crate::ids::TaskId;
use crate::pool::{Priority, TaskOutcome};
use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// What a submitter says about a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Submission {
    /// How urgent it is. Default normal.
    pub priority: Priority,
    /// What it counts against the rate. Default 1; 0 passes the rate freely.
    pub weight: u32,
    /// The longest that it may wait for its start. Default as long as it takes.
    pub queue_ttl: Option<Duration>,
    /// Whose task it is, for [`fair_spacing`](super::ExecutorConfig::fair_spacing). Default 0.
    pub submitter: u64,
}

impl Default for Submission {
    fn default() -> Self {
        Self { priority: Priority::NORMAL, weight: 1, queue_ttl: None, submitter: 0 }
    }
}

/// What the shell is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExecutorOutput {
    /// Run the task, and say when it is done.
    Start {
        /// Which.
        task: TaskId,
    },
    /// The task got a place in the queue, after it had to wait for one ([`Overflow::Wait`](super::Overflow::Wait)): its
    /// submitter may go on.
    Admitted {
        /// Which.
        task: TaskId,
    },
    /// Stop the running task, whose submitter has given it up. It is settled already, but takes its place until it is
    /// done.
    Cancel {
        /// Which.
        task: TaskId,
    },
    /// The task has ended: tell its submitter. Once for each accepted task.
    Settle {
        /// Which.
        task: TaskId,
        /// How.
        settlement: ExecutorSettlement,
    },
}

/// How a task ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExecutorSettlement {
    /// It ran, with a result.
    Completed,
    /// It ran, with its own error.
    Failed,
    /// It was given up by its submitter, waiting or running.
    Aborted,
    /// It waited longer than [`Submission::queue_ttl`].
    Expired,
    /// It had to make place for another in a full queue.
    Dropped,
    /// The executor was closed before it started.
    Closed,
}

impl From<TaskOutcome> for ExecutorSettlement {
    fn from(outcome: TaskOutcome) -> Self {
        match outcome {
            TaskOutcome::Completed => Self::Completed,
            TaskOutcome::Failed | TaskOutcome::FailedForGood => Self::Failed,
        }
    }
}

/// What became of an accepted task, before any output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Submitted {
    /// It starts, or is in the queue.
    Queued,
    /// It waits for a place in the queue: its submitter is to hold back until
    /// [`ExecutorOutput::Admitted`].
    Waiting,
}

/// Why a task is not accepted. Nothing else is heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ExecutorRefusal {
    /// The queue is full.
    QueueFull {
        /// Its bound.
        limit: u32,
    },
    /// The queue is full, and as many wait outside as may.
    TooManyWaiting {
        /// How many may.
        limit: u32,
    },
    /// It is heavier than the rate ever admits.
    WeightExceedsCapacity(WeightExceedsCapacity),
    /// A task of this id is still here.
    DuplicateId {
        /// The id.
        task: TaskId,
    },
    /// The executor is closed.
    Closed,
}

impl Say for ExecutorRefusal {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::QueueFull { limit } => {
                say!(to, "the queue is full: ", limit, " tasks wait already; try again later")
            }
            Self::TooManyWaiting { limit } => {
                say!(to, "the queue is full, and ", limit, " tasks wait for a place already; try again later")
            }
            Self::WeightExceedsCapacity(error) => error.say(to),
            Self::DuplicateId { task } => say!(to, "task ", task, " hasn't ended: submit under another id"),
            Self::Closed => to.write_str("the executor is closed and takes no more tasks"),
        }
    }
}

displayed!(ExecutorRefusal);

impl Error for ExecutorRefusal {}
