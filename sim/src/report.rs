//! What came of a run.

use alloc::vec::Vec;

use quillwork_core::ids::{Generation, TaskId, WorkerId};
use quillwork_core::pool::{Action, PoolCounters};
use quillwork_core::time::{Duration, Instant};

use crate::Recording;

/// A finished run.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Of all outputs in their order and step: equal digests, equal decisions.
    pub digest: u64,
    /// Inputs handed in.
    pub steps: u64,
    /// When the pool was closed, from the start of the run.
    pub ended_after: Duration,
    /// The pool's counters at the end.
    pub counters: PoolCounters,
    /// The longest that a task waited for its first dispatch.
    pub longest_wait: Duration,
    /// Promises that the scheduler broke, the first hundred. Empty, or core has a bug.
    pub violations: Vec<Violation>,
    /// What decided the run.
    pub recording: Recording,
}

/// A broken promise, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation {
    /// After which input, counted from 1; 0 for the start.
    pub step: u64,
    /// When.
    pub at: Instant,
    /// Which.
    pub broken: Broken,
}

/// What the scheduler promises, turned round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Broken {
    /// A task settled that was settled or never submitted.
    SettledTwice(TaskId),
    /// The pool closed and this task never settled.
    NeverSettled(TaskId),
    /// A task was dispatched that is settled, running already, or unknown.
    DispatchedWrongly(TaskId),
    /// A task was dispatched more often than its redeliveries allow, or its attempts were counted wrong.
    DispatchedTooOften(TaskId),
    /// A task went to a worker that has not reported ready, is gone, or is of another generation.
    DispatchedToUnready(WorkerId),
    /// A task went to a worker that has not enough room left for it.
    BeyondCapacity(WorkerId),
    /// A task went to a worker that lacks what it requires.
    CapabilityIgnored(TaskId),
    /// A task went to a worker that it bans.
    BanIgnored(TaskId),
    /// A task went to a worker that it had failed on, though another one was there all the time that could run it.
    WentWhereItFailed(TaskId),
    /// A task went to a worker that it doesn't prefer, before its patience was over and while one that it prefers was there.
    PatienceIgnored(TaskId),
    /// A task was taken from the line of a worker that is well, before its time was over.
    StolenTooEarly(TaskId),
    /// A strategy was asked for a task that doesn't wait, or twice.
    AskedWrongly(TaskId),
    /// A task went to a worker before the strategy that was asked for it had answered or used up its time.
    AnswerNotAwaited(TaskId),
    /// A task was tried again that may not be, or too late, or was given up though it may be tried again.
    RetriedWrongly(TaskId),
    /// A task was dropped though the policy spares it.
    DroppedWrongly(TaskId),
    /// A task was sent to wait outside a queue with room, or let in before its turn.
    AdmittedWrongly(TaskId),
    /// A task waits outside a queue with room, or more do than may.
    LeftOutside,
    /// The queue was said to be full or drained when it was not, or twice, or not at all.
    SignalledWrongly,
    /// A task went before one that the same worker could run and whose effective priority is higher.
    Overtaken(TaskId),
    /// A task waits though a free worker could run it, or more workers keep room for overdue tasks than there are any.
    LeftWaiting(TaskId),
    /// The first of all tasks is overdue, and every worker that could run it has passed it over since, because of its size.
    Starved(TaskId),
    /// A task waits though all workers are up and none of them could ever run it.
    WaitsInVain(TaskId),
    /// A worker rests for too long, or though no other one could stand in for it.
    RestsWrongly(WorkerId),
    /// A draining pool has settled everything and is not closed.
    NotClosed,
    /// A new task waits beyond the queue's bound.
    QueueTooLong,
    /// A task was refused for a full queue that has room.
    RefusedWithRoom(TaskId),
    /// All that was due was done, and this task's time-out or queue TTL was over and nothing happened.
    LimitMissed(TaskId),
    /// All that was due was done, and this worker should have been given up: its boot time-out, lease or grace is over.
    GivenUpTooLate(WorkerId),
    /// A worker was given more ahead than the horizon, or a task that nobody knows.
    PrefetchedTooMuch(WorkerId),
    /// A worker was asked to give back a task that it doesn't have waiting, or was asked for already.
    TakenBackWrongly(TaskId),
    /// A task waits at a worker, another is free and could run it, and nothing was asked back.
    NotTakenBack(TaskId),
    /// A worker was asked to abort a task that it doesn't run.
    AbortMisdirected(TaskId),
    /// A worker was spawned into a place that is taken, with a generation that isn't new.
    SpawnedTwice(WorkerId, Generation),
    /// A worker was terminated that is not there.
    TerminatedTwice(WorkerId, Generation),
    /// Something other than a refusal came out after the pool was closed, or workers were left behind.
    AliveAfterClose,
    /// The pool announced another size than it may have or had.
    ResizedWrongly {
        /// From how many workers.
        from: u32,
        /// To how many.
        to: u32,
    },
    /// The pool has another number of workers than it announced or counts, or too few for no reason.
    SizeWrong {
        /// So many.
        alive: u32,
    },
    /// A worker was retired that is not idle, or unannounced.
    RetiredWrongly(WorkerId),
    /// A retired place was filled unannounced.
    SpawnedUnannounced(WorkerId),
    /// A measure was taken twice or lifted without having been taken, or goes too far.
    ActedWrongly(Action),
    /// A task was shed that is urgent enough.
    ShedWrongly(TaskId),
    /// A task was started on an idle worker though it is held back.
    LimitIgnored(WorkerId),
    /// A task was started though the pool is paused, or enough of its type were at workers.
    GateIgnored(TaskId),
    /// The scheduler's counts don't add up to what was seen.
    CountsDisagree,
    /// Handling the deadline left something due.
    DeadlineNotHandled,
    /// The run did not end.
    TooManySteps,
}
