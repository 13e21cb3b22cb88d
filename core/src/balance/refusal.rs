//! Why no worker gets a task.

use core::fmt;

use crate::ids::WorkerId;
use crate::pool::Capabilities;
use crate::time::Instant;

use super::rules::Rules;
use super::{Fleet, Load, Slot, Task, WorkerStatus};

/// Why no worker can get the task now. The first of these that holds, in this order: each speaks of the workers that the
/// ones before it left over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no worker at all.
    NoWorkers,
    /// No worker has everything that the task requires, whatever its status.
    NoCapableWorker {
        /// What the worker that comes closest lacks.
        missing: Capabilities,
    },
    /// The task is larger than every capable worker, empty or not: it must be split, or a larger worker must join.
    LargerThanAnyWorker {
        /// The largest capacity among the capable ones.
        largest: Load,
    },
    /// The task's own list bans all workers that could run it.
    AllExcluded {
        /// How many those are.
        excluded: usize,
    },
    /// The context rules for its type forbid all workers that could run it.
    AllForbidden {
        /// How many those are.
        forbidden: usize,
    },
    /// All workers that could run it are booting, draining or offline.
    AllOffline {
        /// How many of them are booting, and so will be there soon.
        booting: usize,
        /// How many of them are draining.
        draining: usize,
        /// How many of them are offline.
        offline: usize,
    },
    /// All workers that could run it are ejected for having failed too often.
    AllEjected {
        /// When the first of them returns.
        earliest: Instant,
    },
    /// All workers that could run it are full.
    NoRoom {
        /// What the task needs.
        needed: Load,
        /// The most that one of them has left.
        most_free: Load,
    },
}

impl Refusal {
    /// Whether waiting can help: the same task may be accepted later without another worker joining.
    #[must_use]
    pub const fn may_pass(self) -> bool {
        matches!(self, Self::AllOffline { .. } | Self::AllEjected { .. } | Self::NoRoom { .. })
    }

    /// Classifies. Called where nobody is eligible.
    pub(super) fn why(fleet: &Fleet, rules: &Rules, task: &Task<'_>) -> Self {
        let all = || fleet.slots().filter(|&slot| fleet.status(slot) != WorkerStatus::Absent);
        if all().next().is_none() {
            return Self::NoWorkers;
        }
        let missing = |slot: Slot| task.required.minus(fleet.spec(slot).capabilities);
        let capable = || all().filter(move |&slot| missing(slot).is_empty());
        if capable().next().is_none() {
            let closest = all().map(missing).min_by_key(|missing| (missing.len(), *missing));
            return Self::NoCapableWorker { missing: closest.unwrap_or(task.required) };
        }
        let capacity = |slot: Slot| fleet.spec(slot).capacity;
        let large_enough = || capable().filter(move |&slot| capacity(slot) >= task.complexity);
        if large_enough().next().is_none() {
            return Self::LargerThanAnyWorker { largest: capable().map(capacity).max().unwrap_or_default() };
        }
        let wanted = || large_enough().filter(|&slot| !task.anti_affinity.contains(&fleet.worker(slot)));
        if wanted().next().is_none() {
            return Self::AllExcluded { excluded: large_enough().count() };
        }
        let allowed = || wanted().filter(|&slot| rules.allow(fleet, task.task_type, slot));
        if allowed().next().is_none() {
            return Self::AllForbidden { forbidden: wanted().count() };
        }
        let of_status = |status| allowed().filter(|&slot| fleet.status(slot) == status).count();
        let up = || allowed().filter(|&slot| fleet.status(slot).takes_tasks());
        if up().next().is_none() {
            return Self::AllOffline {
                booting: of_status(WorkerStatus::Booting),
                draining: of_status(WorkerStatus::Draining),
                offline: of_status(WorkerStatus::Offline),
            };
        }
        let open = || up().filter(|&slot| fleet.is_open(slot));
        if open().next().is_none() {
            let earliest = up().filter_map(|slot| fleet.ejected_until(slot)).min();
            return Self::AllEjected { earliest: earliest.unwrap_or(Instant::NEVER) };
        }
        let most_free = open().map(|slot| fleet.free(slot)).max().unwrap_or_default();
        Self::NoRoom { needed: task.complexity, most_free }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoWorkers => f.write_str("there is no worker"),
            Self::NoCapableWorker { missing } => {
                write!(f, "no worker has the required capabilities; the closest lacks {missing:?}")
            }
            Self::LargerThanAnyWorker { largest } => {
                write!(f, "the task is larger than every worker; the largest holds {largest} load units")
            }
            Self::AllExcluded { excluded } => {
                write!(f, "the task's anti-affinity bans all {excluded} workers that could run it")
            }
            Self::AllForbidden { forbidden } => {
                write!(f, "the rules for the task's type forbid all {forbidden} workers that could run it")
            }
            Self::AllOffline { booting, draining, offline } => write!(
                f,
                "of the workers that could run it {booting} are booting, {draining} draining and {offline} offline"
            ),
            Self::AllEjected { earliest } => {
                write!(f, "all workers that could run it are ejected, the first of them until {earliest:?}")
            }
            Self::NoRoom { needed, most_free } => {
                write!(
                    f,
                    "no worker has room for {needed} load units; the most that one has left is {most_free}"
                )
            }
        }
    }
}

impl core::error::Error for Refusal {}

/// Why one worker can't get the task now: the first of these that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ineligible {
    /// No worker of this id is in the fleet.
    Unknown {
        /// The id.
        worker: WorkerId,
    },
    /// It lacks something that the task requires.
    Lacks {
        /// What it lacks.
        missing: Capabilities,
    },
    /// The task bans it.
    Excluded,
    /// A context rule for the task's type forbids it.
    Forbidden,
    /// Its status takes no tasks.
    NotUp {
        /// Its status.
        status: WorkerStatus,
    },
    /// It is ejected.
    Ejected {
        /// Until then.
        until: Instant,
    },
    /// The task doesn't fit into what is left of its capacity.
    NoRoom {
        /// What the task needs.
        needed: Load,
        /// What is left.
        free: Load,
    },
}

impl Ineligible {
    /// Checks one worker.
    pub(super) fn check(
        fleet: &Fleet,
        rules: &Rules,
        task: &Task<'_>,
        worker: WorkerId,
    ) -> Result<Slot, Self> {
        let slot = fleet.slot_of(worker).filter(|&slot| fleet.status(slot) != WorkerStatus::Absent);
        let slot = slot.ok_or(Self::Unknown { worker })?;
        let missing = task.required.minus(fleet.spec(slot).capabilities);
        if !missing.is_empty() {
            return Err(Self::Lacks { missing });
        }
        if task.anti_affinity.contains(&worker) {
            return Err(Self::Excluded);
        }
        if !rules.allow(fleet, task.task_type, slot) {
            return Err(Self::Forbidden);
        }
        let status = fleet.status(slot);
        if !status.takes_tasks() {
            return Err(Self::NotUp { status });
        }
        if !fleet.is_open(slot) {
            return Err(Self::Ejected { until: fleet.ejected_until(slot).unwrap_or(Instant::NEVER) });
        }
        if !fleet.fits(slot, task.complexity) {
            return Err(Self::NoRoom { needed: task.complexity, free: fleet.free(slot) });
        }
        Ok(slot)
    }
}

impl fmt::Display for Ineligible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { worker } => write!(f, "there is no worker {worker}"),
            Self::Lacks { missing } => write!(f, "the worker lacks the capabilities {missing:?}"),
            Self::Excluded => f.write_str("the task's anti-affinity bans the worker"),
            Self::Forbidden => f.write_str("a rule for the task's type forbids the worker"),
            Self::NotUp { status } => write!(f, "the worker is {status:?} and takes no tasks"),
            Self::Ejected { until } => write!(f, "the worker is ejected until {until:?}"),
            Self::NoRoom { needed, free } => {
                write!(f, "the task needs {needed} load units and the worker has {free} left")
            }
        }
    }
}

impl core::error::Error for Ineligible {}
