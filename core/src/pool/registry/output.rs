//! What a registry tells.

use crate::ids::{Generation, TaskId, WorkerId};

use super::super::{Health, HealthReason};

/// One thing to do or to know, in the order in which they come out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RegistryOutput {
    /// Ask the worker for a sign of life.
    Probe {
        /// The worker.
        worker: WorkerId,
        /// Which of its lives.
        generation: Generation,
    },
    /// A worker is better or worse than before.
    HealthChanged {
        /// The worker.
        worker: WorkerId,
        /// How it was.
        from: Health,
        /// How it is.
        to: Health,
        /// What speaks most against it.
        reason: HealthReason,
    },
    /// The worker won't report on this task any more: give it to another, or settle it.
    Orphaned {
        /// The task.
        task: TaskId,
        /// Who had it.
        worker: WorkerId,
        /// Which of its lives.
        generation: Generation,
    },
    /// A life of the worker is over, or the memory of a lost one.
    Left {
        /// The worker.
        worker: WorkerId,
        /// Which of its lives.
        generation: Generation,
        /// Why.
        reason: LeaveReason,
    },
}

/// Why a worker leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LeaveReason {
    /// It was asked for a sign of life and gave none. It is remembered for a while.
    Lost,
    /// It was drained and has nothing any more.
    Drained,
    /// It was removed.
    Removed,
    /// It registered anew.
    Replaced,
    /// It was lost long ago, or room was needed.
    Forgotten,
}
