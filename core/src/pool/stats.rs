//! Plain numbers about a pool.

use crate::ids::{Generation, TaskId};
use crate::time::{Duration, Instant};

use super::{Health, Load, Offer, Settlement, WorkerState};

/// Counts since the pool was made. They only grow, so that whoever reads them at two times gets an interval by
/// subtraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolCounters {
    /// Tasks submitted. At all times the sum of all settlements, queued, delayed, prefetched and running.
    pub submitted: u64,
    /// Settled as [`Settlement::Completed`].
    pub completed: u64,
    /// Settled as [`Settlement::Failed`].
    pub failed: u64,
    /// Settled as [`Settlement::Aborted`].
    pub aborted: u64,
    /// Settled as [`Settlement::TimedOut`].
    pub timed_out: u64,
    /// Settled as [`Settlement::Expired`].
    pub expired: u64,
    /// Settled as [`Settlement::WorkerLost`].
    pub worker_lost: u64,
    /// Settled as [`Settlement::Dropped`].
    pub dropped: u64,
    /// Settled as [`Settlement::Refused`].
    pub refused: u64,
    /// Settled as [`Settlement::Closed`].
    pub closed: u64,
    /// Tasks queued again because their worker was lost.
    pub redelivered: u64,
    /// Attempts that failed and were followed by a delay for another: each is one [`Output::Retry`](super::Output::Retry).
    pub retried: u64,
    /// Reports of progress on unsettled tasks.
    pub progress: u64,
    /// Tasks queued again because their worker gave them back.
    pub taken_back: u64,
    /// Tasks that a worker took from another's line, under early binding.
    pub stolen: u64,
    /// Tasks that no asked strategy answered for in time: see [`Binding::Asked`](super::Binding::Asked).
    pub answers_missing: u64,
    /// Answers that named a worker that can't have the task.
    pub answers_invalid: u64,
    /// Answers for tasks that waited for none, or not any more.
    pub answers_stale: u64,
    /// Workers lost: crashed, silent, or never ready.
    pub workers_lost: u64,
    /// Workers replaced because the shell asked for it.
    pub workers_recycled: u64,
    /// Workers terminated because a task went on after it was aborted or timed out.
    pub workers_overdue: u64,
    /// Messages of workers that were given up before, or about tasks that they don't have. They changed nothing.
    pub stale_messages: u64,
}

impl PoolCounters {
    pub(super) fn count(&mut self, settlement: Settlement) {
        let counter = match settlement {
            Settlement::Completed => &mut self.completed,
            Settlement::Failed { .. } => &mut self.failed,
            Settlement::Aborted => &mut self.aborted,
            Settlement::TimedOut => &mut self.timed_out,
            Settlement::Expired => &mut self.expired,
            Settlement::WorkerLost { .. } => &mut self.worker_lost,
            Settlement::Dropped => &mut self.dropped,
            Settlement::Refused(_) => &mut self.refused,
            Settlement::Closed => &mut self.closed,
        };
        *counter += 1;
    }

    /// Tasks settled in any way.
    #[must_use]
    pub const fn settled(&self) -> u64 {
        self.completed
            + self.failed
            + self.aborted
            + self.timed_out
            + self.expired
            + self.worker_lost
            + self.dropped
            + self.refused
            + self.closed
    }
}

/// A pool at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStats {
    /// Counts since the pool was made.
    pub counters: PoolCounters,
    /// Tasks that wait for a worker, those outside a full queue included.
    pub queued: u32,
    /// Of these, the tasks that would be kept from a worker that is free, because enough of their type are at workers
    /// ([`TaskSpec::type_limit`](super::TaskSpec::type_limit)) or the pool is paused.
    pub held_back: u32,
    /// Of those that wait, the tasks outside a full queue.
    pub parked: u32,
    /// Tasks that failed and wait for their next attempt.
    pub delayed: u32,
    /// Tasks that run and are not settled.
    pub running: u32,
    /// Tasks that workers were given ahead, and that have neither started nor settled.
    pub prefetched: u32,
    /// Workers that are up, booting or about to be replaced.
    pub workers: u32,
    /// Workers that are ready, busy or draining.
    pub workers_up: u32,
    /// Workers that run at least one task or clean up after one.
    pub workers_busy: u32,
    /// Time in which workers ran at least one task, of all workers together, since the pool was made.
    pub busy_time: Duration,
    /// Time that all workers were up since the pool was made. Utilisation over an interval is the growth of `busy_time`
    /// divided by the growth of this.
    pub available_time: Duration,
}

/// A worker's place at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerStats {
    /// Which of the workers that filled this place.
    pub generation: Generation,
    /// What it is doing.
    pub state: WorkerState,
    /// What it offers, as last reported; `None` before the first report.
    pub offer: Option<Offer>,
    /// The unsettled task that it runs for the longest.
    pub running: Option<TaskId>,
    /// How many tasks it has and has not reported on.
    pub held: u32,
    /// What those that have started add up to.
    pub load: Load,
    /// Tasks completed or failed in this place.
    pub completed: u64,
    /// How well the worker is.
    pub health: Health,
    /// Until when it is given nothing because it failed again and again: see [`RestConfig`](super::RestConfig).
    pub rests_until: Option<Instant>,
    /// How often in a row the place failed to get a ready worker.
    pub boot_failures: u32,
    /// Time in which at least one task ran in this place.
    pub busy_time: Duration,
}
