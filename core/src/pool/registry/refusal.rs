//! What is assigned, and why something is refused.

use core::error::Error;
use core::fmt;

use crate::ids::{Generation, TaskId, WorkerId};

use super::super::{Capabilities, Load};

/// A task for a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Assignment {
    /// The task, whose id no assigned task has.
    pub task: TaskId,
    /// What the worker must have.
    pub required: Capabilities,
    /// What it takes of the worker's capacity until it is completed.
    pub load: Load,
}

impl Assignment {
    /// A task without needs, of one unit of load.
    #[must_use]
    pub const fn of(task: TaskId) -> Self {
        Self { task, required: Capabilities::NONE, load: Load::ONE }
    }
}

/// Why a worker can't be given a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssignRefusal {
    /// Nobody has registered by this id.
    NotRegistered,
    /// It is lost.
    Lost,
    /// It is about to leave.
    Draining,
    /// It lacks these.
    Incapable {
        /// What is missing.
        missing: Capabilities,
    },
    /// It has less room.
    NoRoom {
        /// How much it has.
        free: Load,
    },
    /// Somebody has the task.
    AlreadyAssigned {
        /// Who.
        worker: WorkerId,
    },
}

impl fmt::Display for AssignRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRegistered => f.write_str("no worker is registered by this id"),
            Self::Lost => f.write_str("the worker is lost: it has to register anew"),
            Self::Draining => f.write_str("the worker is draining and takes nothing more"),
            Self::Incapable { missing } => write!(f, "the worker lacks the capabilities {missing:?}"),
            Self::NoRoom { free } => write!(f, "the worker has room for {free} units of load only"),
            Self::AlreadyAssigned { worker } => write!(f, "the task is assigned to worker {worker} already"),
        }
    }
}

impl Error for AssignRefusal {}

/// A message of a life of a worker that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stale {
    /// The life that goes on; `None` where the worker is lost or was never there. It may register anew.
    pub current: Option<Generation>,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.current {
            Some(current) => write!(f, "the worker has registered anew since then, as generation {current}"),
            None => f.write_str("the worker is not registered: it was lost, has left, or never came"),
        }
    }
}

impl Error for Stale {}

/// A report on a task that the worker doesn't have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAssigned {
    /// From a life that is over.
    Stale(Stale),
    /// It was completed before, or never assigned to this worker.
    UnknownTask {
        /// The task.
        task: TaskId,
    },
}

impl fmt::Display for NotAssigned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale(stale) => fmt::Display::fmt(stale, f),
            Self::UnknownTask { task } => write!(f, "the worker doesn't have task {task}"),
        }
    }
}

impl Error for NotAssigned {}

/// As many workers are registered as may be, and none of them is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryFull {
    /// [`RegistryConfig::max_workers`](super::RegistryConfig::max_workers).
    pub limit: u32,
}

impl fmt::Display for RegistryFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} workers are registered, as many as may be: remove one or raise max_workers", self.limit)
    }
}

impl Error for RegistryFull {}
