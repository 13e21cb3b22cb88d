//! Throttled execution: a queue in front of a limit on concurrency, rate and bursts.
//!
//! An [`Executor`] takes tasks and says when each starts. At most [`max_concurrent`](ExecutorConfig::max_concurrent) run at
//! once, they start no faster than the [`rate`](ExecutorConfig::rate), and after a burst there is a
//! [rest](ExecutorConfig::cool_down). What can't start waits in a bounded queue, by priority with ageing.
//!
//! * **Every accepted task settles exactly once**, whatever happens to it.
//! * What leaves the queue without a start (aborted, expired, dropped) has never counted against rate or concurrency:
//!   nothing is reserved for a task before it starts.
//! * Nothing starves: ageing bounds how many can overtake, and a heavy task at the head is not overtaken by lighter ones
//!   for which the rate would have room.
//! * A task that was given up while it ran settles at once, and takes its place until the shell says that it is done.
//!
//! ```
//! use core::num::NonZeroU32;
//! use quillwork_core::flow::executor::{Executor, ExecutorConfig, ExecutorOutput, ExecutorSettlement, Submission};
//! use quillwork_core::flow::rate_limit::{Quota, Rate};
//! use quillwork_core::ids::TaskId;
//! use quillwork_core::pool::TaskOutcome;
//! use quillwork_core::time::Instant;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let at = Instant::from_millis;
//! let config = ExecutorConfig {
//!     max_concurrent: NonZeroU32::new(2).expect("not zero"),
//!     rate: Some(Rate::Steady(Quota::per_second(10)?.with_burst(1)?)),
//!     ..ExecutorConfig::default()
//! };
//! let mut calls = Executor::new(config, at(0))?;
//! for number in 1..=3 {
//!     calls.handle_submit(at(0), TaskId::new(number), Submission::default())?;
//! }
//! assert_eq!(calls.poll_output(), Some(ExecutorOutput::Start { task: TaskId::new(1) }));
//! assert_eq!(calls.poll_output(), None);
//!
//! // The rate admits the second after 100 ms, and the third starts when one of the two is done.
//! assert_eq!(calls.next_deadline(), Some(at(100)));
//! calls.handle_deadline(at(100));
//! assert_eq!(calls.poll_output(), Some(ExecutorOutput::Start { task: TaskId::new(2) }));
//! calls.handle_done(at(250), TaskId::new(1), TaskOutcome::Completed);
//! let settlement = ExecutorSettlement::Completed;
//! assert_eq!(calls.poll_output(), Some(ExecutorOutput::Settle { task: TaskId::new(1), settlement }));
//! assert_eq!(calls.poll_output(), Some(ExecutorOutput::Start { task: TaskId::new(3) }));
//! # Ok(())
//! # }
//! ```

mod config;
mod metrics;
mod pace;
mod queue;
mod task;

use alloc::collections::VecDeque;
use core::num::NonZeroU32;

use crate::id_map::IdMap;
use crate::ids::TaskId;
use crate::pool::TaskOutcome;
use crate::time::Instant;

use metrics::Recorder;
use pace::Pace;
use queue::Queue;

pub use config::{CoolDown, ExecutorConfig, ExecutorConfigError, Overflow};
pub use metrics::{ExecutorMetrics, ExecutorTotals};
pub use task::{ExecutorOutput, ExecutorRefusal, ExecutorSettlement, Submission, Submitted};

/// Starts tasks within limits. See the [module](self).
///
/// All steps are O(log n) in the number of waiting tasks, aborting included.
#[derive(Clone, Debug)]
pub struct Executor {
    config: ExecutorConfig,
    pace: Pace,
    queue: Queue,
    tasks: IdMap<TaskId, Stage>,
    active: u32,
    paused: bool,
    closed: bool,
    /// The latest time seen: a clock that was set back stands until it has caught up.
    now: Instant,
    outputs: VecDeque<ExecutorOutput>,
    recorder: Recorder,
}

/// Where a task is.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// In this slot of the queue, or waiting for a place there.
    Waiting(u32),
    Running {
        started: Instant,
        /// Whether its submitter has been told of its end.
        settled: bool,
    },
}

impl Executor {
    /// An executor without tasks.
    ///
    /// # Errors
    ///
    /// Where a setting can't be used.
    pub fn new(config: ExecutorConfig, now: Instant) -> Result<Self, ExecutorConfigError> {
        config.validate()?;
        Ok(Self {
            config,
            pace: Pace::new(&config),
            queue: Queue::new(config.ageing, config.fair_spacing, config.overflow),
            tasks: IdMap::new(),
            active: 0,
            paused: false,
            closed: false,
            now,
            outputs: VecDeque::new(),
            recorder: Recorder::new(now),
        })
    }

    /// A task is to be run.
    ///
    /// # Errors
    ///
    /// Where it is not accepted; then nothing else is heard of it. What is accepted settles once.
    pub fn handle_submit(
        &mut self,
        now: Instant,
        task: TaskId,
        submission: Submission,
    ) -> Result<Submitted, ExecutorRefusal> {
        let now = self.enter(now);
        let submitted = self.submit(now, task, &submission);
        match submitted {
            Ok(_) => self.recorder.totals.accepted += 1,
            Err(_) => self.recorder.totals.refused += 1,
        }
        submitted
    }

    /// The submitter gives the task up. Unknown tasks, settled ones among them, are ignored.
    pub fn handle_abort(&mut self, now: Instant, task: TaskId) {
        let now = self.enter(now);
        match self.tasks.get(&task).copied() {
            Some(Stage::Waiting(slot)) => self.end_waiting(slot, ExecutorSettlement::Aborted),
            Some(Stage::Running { started, settled: false }) => {
                self.tasks.insert(task, Stage::Running { started, settled: true });
                self.outputs.push_back(ExecutorOutput::Cancel { task });
                self.settle(task, ExecutorSettlement::Aborted);
            }
            Some(Stage::Running { settled: true, .. }) | None => {}
        }
        self.start_ready(now);
    }

    /// A started task is done, cancelled ones included. Tasks that do not run are ignored.
    pub fn handle_done(&mut self, now: Instant, task: TaskId, outcome: TaskOutcome) {
        let now = self.enter(now);
        if let Some(Stage::Running { started, settled }) = self.tasks.get(&task).copied() {
            self.tasks.remove(&task);
            self.active -= 1;
            self.recorder.done(now, started);
            if !settled {
                self.settle(task, outcome.into());
            }
        }
        self.start_ready(now);
    }

    /// Time has come for something.
    pub fn handle_deadline(&mut self, now: Instant) {
        let now = self.enter(now);
        self.start_ready(now);
    }

    /// Changes how many tasks run at once, for instance to what an
    /// [`AdaptiveLimit`](crate::flow::adaptive_limit::AdaptiveLimit) has found. Where more run, they run to their end.
    pub fn set_max_concurrent(&mut self, now: Instant, max_concurrent: NonZeroU32) {
        let now = self.enter(now);
        self.config.max_concurrent = max_concurrent;
        self.start_ready(now);
    }

    /// Starts nothing until [`handle_resume`](Self::handle_resume). What runs goes on, what waits may expire.
    pub fn handle_pause(&mut self, now: Instant) {
        let now = self.enter(now);
        self.paused = true;
        self.start_ready(now);
    }

    /// Starts again.
    pub fn handle_resume(&mut self, now: Instant) {
        let now = self.enter(now);
        self.paused = false;
        self.start_ready(now);
    }

    /// Accepts nothing more, and ends all that waits, in its order. What runs is waited for.
    pub fn handle_close(&mut self, now: Instant) {
        self.enter(now);
        self.closed = true;
        while let Some(slot) = self.queue.any() {
            self.end_waiting(slot, ExecutorSettlement::Closed);
        }
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<ExecutorOutput> {
        self.outputs.pop_front()
    }

    /// When to call [`handle_deadline`](Self::handle_deadline) if nothing happens before.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        match (self.queue.next_expiry(), self.next_start()) {
            (Some(expiry), Some(start)) => Some(expiry.min(start)),
            (expiry, start) => expiry.or(start),
        }
    }

    /// Whether nothing runs and nothing waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.active == 0 && self.queue.any().is_none()
    }

    /// What it does and has done. The quantiles cost a pass over their sketches: ask once a second, not once a task.
    #[must_use]
    pub fn metrics(&self, now: Instant) -> ExecutorMetrics {
        let now = now.max(self.now);
        ExecutorMetrics {
            active: self.active,
            queued: count(self.queue.queued()),
            waiting: count(self.queue.waiting()),
            operations_per_second: self.recorder.operations_per_second(now),
            cooling_until: self.pace.cooling_until(now),
            next_start: self.next_start(),
            wait: self.recorder.wait(now),
            run: self.recorder.run(now),
            totals: self.recorder.totals,
        }
    }

    /// The time that counts. What has waited too long by then ends before anything else happens.
    fn enter(&mut self, now: Instant) -> Instant {
        self.now = self.now.max(now);
        while let Some(slot) = self.queue.expired(self.now) {
            self.end_waiting(slot, ExecutorSettlement::Expired);
        }
        self.now
    }

    fn submit(
        &mut self,
        now: Instant,
        task: TaskId,
        submission: &Submission,
    ) -> Result<Submitted, ExecutorRefusal> {
        // What expired just now may have made place for what waits.
        self.start_ready(now);
        if self.closed {
            return Err(ExecutorRefusal::Closed);
        }
        if self.tasks.contains(&task) {
            return Err(ExecutorRefusal::DuplicateId { task });
        }
        self.pace.fits(submission.weight).map_err(ExecutorRefusal::WeightExceedsCapacity)?;
        let slot = self.queue.push(now, task, submission);
        self.tasks.insert(task, Stage::Waiting(slot));
        self.start_ready(now);
        if count(self.queue.queued()) <= self.config.max_queued {
            return Ok(Submitted::Queued);
        }
        let queue_full = ExecutorRefusal::QueueFull { limit: self.config.max_queued };
        match self.config.overflow {
            Overflow::Reject => Err(self.take_back(task, slot, queue_full)),
            Overflow::DropOldest | Overflow::DropLowestPriority => match self.queue.victim() {
                Some(victim) if victim != slot => {
                    self.end_waiting(victim, ExecutorSettlement::Dropped);
                    // It may have held up a lighter one.
                    self.start_ready(now);
                    Ok(Submitted::Queued)
                }
                Some(_) | None => Err(self.take_back(task, slot, queue_full)),
            },
            Overflow::Wait { max_waiting: limit } => {
                if count(self.queue.waiting()) >= limit {
                    return Err(self.take_back(task, slot, ExecutorRefusal::TooManyWaiting { limit }));
                }
                self.queue.put_outside(slot);
                Ok(Submitted::Waiting)
            }
        }
    }

    fn take_back(&mut self, task: TaskId, slot: u32, refused: ExecutorRefusal) -> ExecutorRefusal {
        self.queue.take_back(slot);
        self.tasks.remove(&task);
        refused
    }

    /// Starts what may start now, and fills the queue from outside.
    fn start_ready(&mut self, now: Instant) {
        loop {
            while self.next_start().is_some_and(|start| start <= now) {
                self.start_head(now);
            }
            if count(self.queue.queued()) >= self.config.max_queued {
                return;
            }
            let Some(task) = self.queue.admit() else { return };
            self.outputs.push_back(ExecutorOutput::Admitted { task });
        }
    }

    fn start_head(&mut self, now: Instant) {
        let Some((slot, head)) = self.queue.head() else { return };
        self.queue.remove(slot);
        self.pace.start(now, head.weight);
        self.active += 1;
        self.tasks.insert(head.task, Stage::Running { started: now, settled: false });
        self.recorder.started(now, head.submitted);
        self.outputs.push_back(ExecutorOutput::Start { task: head.task });
    }

    /// When the head of the queue starts, where only time holds it back.
    fn next_start(&self) -> Option<Instant> {
        if self.paused || self.active >= self.config.max_concurrent.get() {
            return None;
        }
        let (_, head) = self.queue.head()?;
        Some(self.pace.earliest(self.now, head.weight)).filter(|&start| start != Instant::NEVER)
    }

    fn end_waiting(&mut self, slot: u32, settlement: ExecutorSettlement) {
        let task = self.queue.remove(slot).task;
        self.tasks.remove(&task);
        self.settle(task, settlement);
    }

    fn settle(&mut self, task: TaskId, settlement: ExecutorSettlement) {
        let totals = &mut self.recorder.totals;
        let counter = match settlement {
            ExecutorSettlement::Completed => &mut totals.completed,
            ExecutorSettlement::Failed => &mut totals.failed,
            ExecutorSettlement::Aborted => &mut totals.aborted,
            ExecutorSettlement::Expired => &mut totals.expired,
            ExecutorSettlement::Dropped => &mut totals.dropped,
            ExecutorSettlement::Closed => &mut totals.closed,
        };
        *counter += 1;
        self.outputs.push_back(ExecutorOutput::Settle { task, settlement });
    }
}

fn count(tasks: usize) -> u32 {
    u32::try_from(tasks).expect("fewer than 2^32 tasks fit into memory")
}
