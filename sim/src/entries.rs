//! What the books say of a task, of a place, and of the worker in it.

use alloc::collections::BTreeSet;
use alloc::vec::Vec;

use quillwork_core::ids::{Generation, TaskId, TaskType, WorkerId};
use quillwork_core::pool::{Load, Offer, TaskSpec};
use quillwork_core::time::{Duration, Instant};

#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) spec: TaskSpec,
    pub(crate) submitted_at: Instant,
    /// How many executions were started.
    pub(crate) attempts: u32,
    /// How many of these a failing worker took with it.
    pub(crate) losses: u32,
    /// How many of these ended with its own error.
    pub(crate) failures: u32,
    /// The last of these would have been the same again.
    pub(crate) failed_for_good: bool,
    /// A worker was lost that had it.
    pub(crate) suspect: bool,
    /// It waits outside a full queue.
    pub(crate) parked: bool,
    pub(crate) state: TaskState,
    /// Workers to keep off while there are others, the one that failed it last at the end.
    pub(crate) failed_on: Vec<WorkerId>,
    /// In which step it was queued last.
    pub(crate) queued_in_step: u64,
    /// It has waited for long enough for the workers that it prefers.
    pub(crate) patience_over: bool,
    /// In whose line it stood after the last step since it was queued; `None` where it was queued in this one.
    pub(crate) line: Option<Option<WorkerId>>,
    /// It has stood in a line for so long that others may take it.
    pub(crate) line_open: bool,
    /// It was given back, and may stand in a line that was open when it was given ahead.
    pub(crate) given_back: bool,
    /// Since when a strategy was asked for it, which has not answered.
    pub(crate) asked_at: Option<Instant>,
    /// Workers that passed it over for a task behind it, though it was the first of all and overdue.
    pub(crate) passed_by: BTreeSet<WorkerId>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum TaskState {
    Waiting {
        since: Instant,
    },
    /// Between two attempts.
    Delayed {
        until: Instant,
    },
    /// Given ahead to a worker; it waited in the queue before.
    Ahead {
        since: Instant,
    },
    Running {
        since: Instant,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) generation: Generation,
    pub(crate) state: PlaceState,
    /// Whether a worker was ever ready in it.
    pub(crate) was_ready: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum PlaceState {
    /// Its worker is gone, and the next is due.
    Empty {
        since: Instant,
    },
    /// It needs none.
    Retired,
    Booting {
        since: Instant,
    },
    Up(Up),
}

/// A worker that has reported ready.
#[derive(Clone, Debug)]
pub(crate) struct Up {
    pub(crate) worker: WorkerId,
    pub(crate) offer: Offer,
    /// In which step it last said so.
    pub(crate) offered_in_step: u64,
    /// What it was given and has not reported on.
    pub(crate) work: Vec<Work>,
    pub(crate) last_seen: Instant,
    pub(crate) probed: Option<Instant>,
}

/// A task at a worker.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    pub(crate) task: TaskId,
    pub(crate) load: Load,
    /// The type that it counts for, where that has a limit.
    pub(crate) counts_as: Option<TaskType>,
    pub(crate) abort_sent: Option<Instant>,
    /// `None` while it waits for room.
    pub(crate) started: Option<Instant>,
    pub(crate) asked_back: bool,
    /// How long it was expected to run when it was given ahead; `None` until the scheduler was asked.
    pub(crate) expected: Option<Duration>,
}

impl Work {
    /// Whether it could be asked back.
    pub(crate) const fn is_stealable(&self) -> bool {
        self.started.is_none() && self.abort_sent.is_none() && !self.asked_back
    }

    /// Since when its worker has had to clean up after it.
    pub(crate) fn stopping_since(&self) -> Option<Instant> {
        Some(self.abort_sent?.max(self.started?))
    }
}

impl Up {
    /// Whether it runs anything or cleans up after it.
    pub(crate) fn is_busy(&self) -> bool {
        self.work.iter().any(|work| work.started.is_some())
    }

    pub(crate) fn load(&self) -> Load {
        let started = self.work.iter().filter(|work| work.started.is_some());
        started.fold(Load::ZERO, |sum, work| sum + work.load)
    }

    /// Whether it would start the task at once.
    pub(crate) fn has_room_for(&self, task: &Task) -> bool {
        self.work.iter().all(|work| work.started.is_some())
            && self.load() + task.complexity() <= self.offer.capacity
    }

    /// Whether it could run the task if it had nothing else to do.
    pub(crate) fn could_run(&self, task: &Task) -> bool {
        self.offer.capabilities.contains(task.spec.required)
            && task.complexity() <= self.offer.capacity
            && !task.spec.anti_affinity.contains(self.worker)
    }

    pub(crate) fn work_on(&mut self, task: TaskId) -> Option<&mut Work> {
        self.work.iter_mut().find(|work| work.task == task)
    }
}

impl Task {
    /// In nanoseconds of waiting, exact.
    pub(crate) fn effective_priority(&self, now: Instant, ageing: Duration) -> u128 {
        let given = u128::from(self.spec.priority.level()) * u128::from(ageing.as_nanos());
        given + u128::from((now - self.submitted_at).as_nanos())
    }

    pub(crate) fn complexity(&self) -> Load {
        self.spec.complexity.max(Load::ONE)
    }

    /// Whether it goes before the other, both with their ids.
    pub(crate) fn goes_before(
        &self,
        id: TaskId,
        other: (TaskId, &Self),
        now: Instant,
        ageing: Duration,
    ) -> bool {
        let (own, others) = (self.effective_priority(now, ageing), other.1.effective_priority(now, ageing));
        own > others || (own == others && id < other.0)
    }

    /// The delay before its next attempt has ended, where it is over.
    pub(crate) fn end_delay(&mut self, now: Instant, step: u64) {
        if matches!(self.state, TaskState::Delayed { until } if until <= now) {
            self.queue(now, step);
        }
    }

    /// It waits for a worker from now on.
    pub(crate) fn queue(&mut self, now: Instant, step: u64) {
        self.state = TaskState::Waiting { since: now };
        self.queued_in_step = step;
        self.line = None;
        self.line_open = false;
        self.given_back = false;
        self.asked_at = None;
    }

    pub(crate) const fn is_waiting(&self) -> bool {
        matches!(self.state, TaskState::Waiting { .. })
    }
}

impl Place {
    pub(crate) const fn up(&self) -> Option<&Up> {
        match &self.state {
            PlaceState::Up(up) => Some(up),
            PlaceState::Empty { .. } | PlaceState::Retired | PlaceState::Booting { .. } => None,
        }
    }

    /// Whether it has no worker.
    pub(crate) const fn is_vacant(&self) -> bool {
        matches!(self.state, PlaceState::Empty { .. } | PlaceState::Retired)
    }
}
