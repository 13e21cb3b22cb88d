//! The scheduler: what can happen to a pool, and what it answers.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use crate::deadline::Deadlines;
use crate::ids::{Generation, TaskId, TaskType, WorkerId};
use crate::rng::Rng;
use crate::telemetry::Sketch;
use crate::time::{Duration, Instant};

use super::binding::Chooser;
use super::candidates::{Candidates, worker_id};
use super::estimate::RunTimes;
use super::gate::Gates;
use super::overflow::Excess;
use super::queue::TaskQueue;
use super::speeds::Speeds;
use super::tasks::{Standing, TaskTable};
use super::worker::{Phase, Worker};
use super::{
    Binding, CloseMode, ConfigError, Input, LoadSnapshot, Offer, Output, PoolConfig, PoolCounters, PoolStats,
    Pressure, Priority, Resources, Settlement, Sizer, Statistics, TaskOutcome, TaskSpec, TerminateReason,
    WorkerStats,
};

/// Decides for a pool of workers: see the [module](super).
///
/// Driven as the [crate](crate) describes. A `now` earlier than the last one counts as the last one.
#[derive(Debug)]
pub struct Scheduler {
    pub(super) config: PoolConfig,
    pub(super) workers: Vec<Worker>,
    pub(super) candidates: Candidates,
    pub(super) tasks: TaskTable,
    pub(super) queue: TaskQueue,
    pub(super) gates: Gates,
    pub(super) excess: Excess,
    /// The queue was full and has not drained since.
    pub(super) saturated: bool,
    /// How many tasks wait for another attempt.
    pub(super) delayed: u32,
    /// For the jitter of retries.
    pub(super) rng: Rng,
    pub(super) deadlines: Deadlines,
    pub(super) outputs: VecDeque<Output>,
    pub(super) counters: PoolCounters,
    pub(super) closing: Closing,
    pub(super) next_sequence: u64,
    /// How many workers keep their room for a task: see [`super::reserve`].
    pub(super) reservations: u32,
    /// How many unsettled tasks were given ahead and have not started.
    pub(super) prefetched: u32,
    pub(super) run_times: RunTimes,
    /// How many workers rest: see [`super::rest`].
    pub(super) resting: u32,
    /// How many workers are to be replaced: see [`super::recycle`].
    pub(super) leaving: u32,
    pub(super) speeds: Speeds,
    /// Workers whose reservation is over, and who have not looked at the queue since.
    pub(super) to_feed: Vec<u32>,
    /// Tasks that have become less choosy in this input, and were not offered to anybody since.
    pub(super) softened: Vec<u32>,
    /// Who chooses workers early, where that is done.
    pub(super) binder: Chooser,
    /// When a worker that left a task to faster ones looks at it again: see [`super::threshold`].
    pub(super) left_until: Option<Instant>,
    pub(super) sizer: Sizer,
    pub(super) pressure: Pressure,
    pub(super) statistics: Statistics,
    /// How many places have no worker and need none.
    pub(super) retired: u32,
    /// When the size is to be looked at again.
    pub(super) size_deadline: Option<Instant>,
    last_now: Instant,
}

/// How far the end of the pool has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    Open,
    Draining,
    Closed,
}

/// What a slot of the table of deadlines stands for.
pub(super) enum Timer {
    /// Boot time-out, lease or back-off of a worker, by its phase.
    Lifecycle(usize),
    /// Of the task in this slot, by where it is: queue TTL, delay before another attempt, time-out, or grace of one that was
    /// asked to abort.
    Task(u32),
    /// Until when the task in this slot waits for the workers that it prefers, stands in a line that nobody robs, or waits for
    /// an answer.
    Patience(u32),
}

impl Scheduler {
    /// A pool that asks at once for all its workers, or for the fewest where its size follows its work.
    ///
    /// # Errors
    ///
    /// Where a setting can't be used.
    pub fn new(config: PoolConfig, now: Instant) -> Result<Self, ConfigError> {
        config.validate()?;
        let lines = if config.binding == Binding::Late { 0 } else { config.workers as usize };
        let mut scheduler = Self {
            config,
            workers: (0..config.workers).map(|_| Worker::new(&config)).collect(),
            candidates: Candidates::new(config.workers),
            tasks: TaskTable::with_capacity(TASKS_AT_FIRST),
            queue: TaskQueue::with_capacity(TASKS_AT_FIRST, lines),
            gates: Gates::with_capacity(config.workers as usize),
            excess: Excess::new(config.overflow, TASKS_AT_FIRST),
            saturated: false,
            delayed: 0,
            rng: Rng::from_seed(config.seed),
            deadlines: Deadlines::with_capacity(config.workers + small(TASKS_AT_FIRST)),
            outputs: VecDeque::with_capacity(4 * config.workers as usize + TASKS_AT_FIRST),
            counters: PoolCounters::default(),
            closing: Closing::Open,
            next_sequence: 0,
            reservations: 0,
            prefetched: 0,
            run_times: RunTimes::new(),
            resting: 0,
            leaving: 0,
            speeds: Speeds::new(config.workers, config.threshold),
            to_feed: Vec::with_capacity(config.workers as usize),
            softened: Vec::new(),
            binder: Chooser::new(&config),
            left_until: None,
            sizer: Sizer::new(config.elastic, config.workers, now),
            pressure: Pressure::new(config.budgets, config.workers),
            statistics: Statistics::new(config.workers, now),
            retired: config.workers,
            size_deadline: None,
            last_now: now,
        };
        for index in 0..config.elastic.least(config.workers) as usize {
            scheduler.retired -= 1;
            scheduler.spawn(now, index);
        }
        Ok(scheduler)
    }

    /// A task was submitted. It is dispatched, queued, or settled as refused.
    ///
    /// # Errors
    ///
    /// Where an unsettled task has this id. Nothing has changed then. Count ids up: a late message about an old task
    /// could otherwise be taken for one about the new.
    pub fn handle_submit(&mut self, now: Instant, task: TaskId, spec: TaskSpec) -> Result<(), DuplicateTask> {
        let now = self.advance(now);
        if self.tasks.contains(task) {
            return Err(DuplicateTask { task });
        }
        self.counters.submitted += 1;
        self.admit(now, task, &spec);
        self.conclude(now);
        Ok(())
    }

    /// The submitter gave the task up. It settles as aborted at once: queued, it is gone for good; running, its worker
    /// is asked to stop, and terminated after [`PoolConfig::abort_grace`] if it isn't done. Does nothing where the task is
    /// settled already.
    pub fn handle_abort(&mut self, now: Instant, task: TaskId) {
        let now = self.advance(now);
        if let Some(slot) = self.tasks.slot_of(task) {
            match self.tasks.task(slot).standing {
                Standing::Held { .. } => self.stop(now, slot, Settlement::Aborted),
                Standing::Queued | Standing::Reserved { .. } | Standing::Delayed => {
                    self.unqueue(slot);
                    self.settle(slot, Settlement::Aborted);
                }
            }
            self.conclude(now);
        }
    }

    /// A worker has started and can take tasks. A worker that is up may say so again to change its offer, for instance
    /// when it lost its GPU; queued tasks that nobody can run any more are then refused.
    pub fn handle_worker_ready(
        &mut self,
        now: Instant,
        worker: WorkerId,
        generation: Generation,
        offer: impl Into<Offer>,
    ) {
        let now = self.advance(now);
        let Some(index) = self.current(worker, generation) else { return };
        let offer = offer.into().within_bounds();
        let place = &mut self.workers[index];
        let changed = place.offer.replace(offer) != Some(offer);
        let was_booting = place.phase == Phase::Booting;
        if was_booting {
            place.become_ready(now);
            self.arm_lease(index);
            self.candidates.open(worker, offer);
        } else {
            place.saw(now);
            self.candidates.set_offer(worker, offer);
        }
        if (changed || was_booting)
            && let Some(binder) = self.binder.as_mut()
        {
            binder.handle_ready(now, worker, &offer);
        }
        if changed {
            self.give_up_reservation(index);
            self.soften_hopeless(now);
            self.take_back_unservable(index);
            self.start_waiting(now, index);
        }
        self.feed(now, index);
        if changed {
            self.refuse_unservable();
        }
        self.conclude(now);
    }

    /// A sign of life, which renews the worker's lease. Any message will do; a task's progress, for instance. The other
    /// inputs from a worker renew it themselves.
    pub fn handle_worker_alive(&mut self, now: Instant, worker: WorkerId, generation: Generation) {
        let now = self.advance(now);
        if let Some(index) = self.current(worker, generation)
            && self.workers[index].is_up()
        {
            self.workers[index].saw(now);
        }
    }

    /// The worker goes on with a task: a sign of life, which is counted. Ignored, and counted as stale, where it doesn't have
    /// the task.
    pub fn handle_progress(&mut self, now: Instant, worker: WorkerId, generation: Generation, task: TaskId) {
        let now = self.advance(now);
        let Some(index) = self.current(worker, generation) else { return };
        let place = &mut self.workers[index];
        match place.held.position_of(task) {
            Some(position) => {
                self.counters.progress += u64::from(!place.held.at(position).settled);
                place.saw(now);
            }
            None => self.counters.stale_messages += 1,
        }
    }

    /// The worker is gone or of no use: an error event outside any task, an exit, a message that can't be read. It is
    /// replaced, and its tasks are given to other workers where they may be.
    pub fn handle_worker_lost(&mut self, now: Instant, worker: WorkerId, generation: Generation) {
        let now = self.advance(now);
        if let Some(index) = self.current(worker, generation) {
            self.lose(now, index, TerminateReason::Lost);
            self.conclude(now);
        }
    }

    /// The worker is done with a task. If that was asked to abort the worker is free again and the outcome is forgotten.
    pub fn handle_task_done(
        &mut self,
        now: Instant,
        worker: WorkerId,
        generation: Generation,
        task: TaskId,
        outcome: TaskOutcome,
    ) {
        let now = self.advance(now);
        let Some(index) = self.current(worker, generation) else { return };
        let Some(position) = self.workers[index].held.position_of(task) else {
            self.counters.stale_messages += 1;
            return;
        };
        self.workers[index].saw(now);
        self.finish(now, index, position, outcome);
        self.conclude(now);
    }

    /// The pool shall end. [`CloseMode::Now`] may follow on [`CloseMode::Drain`] to cut it short.
    pub fn handle_close(&mut self, now: Instant, mode: CloseMode) {
        let now = self.advance(now);
        match (mode, self.closing) {
            (_, Closing::Closed) => {}
            (CloseMode::Drain, _) => {
                self.closing = Closing::Draining;
                self.handle_resume(now);
                self.finish_drain(now);
            }
            (CloseMode::Now, _) => self.close_now(now),
        }
    }

    /// Time has passed: does everything that is due. To be called at [`Scheduler::next_deadline`] or soon after.
    pub fn handle_deadline(&mut self, now: Instant) {
        let now = self.advance(now);
        while let Some(slot) = self.deadlines.pop_due(now) {
            match self.timer(slot) {
                Timer::Lifecycle(index) => self.on_lifecycle_due(now, index),
                Timer::Task(slot) => self.on_task_due(now, slot),
                Timer::Patience(slot) => self.on_patience_due(now, slot),
            }
        }
        self.pressure.handle_deadline(now);
        self.conclude(now);
    }

    /// One recorded input: calls the method of the same name.
    ///
    /// # Errors
    ///
    /// As [`Scheduler::handle_submit`]; the other inputs can't fail.
    pub fn handle_input(&mut self, now: Instant, input: Input) -> Result<(), DuplicateTask> {
        match input {
            Input::Submit { task, spec } => return self.handle_submit(now, task, spec),
            Input::Abort { task } => self.handle_abort(now, task),
            Input::WorkerReady { worker, generation, offer } => {
                self.handle_worker_ready(now, worker, generation, offer);
            }
            Input::WorkerAlive { worker, generation } => self.handle_worker_alive(now, worker, generation),
            Input::WorkerLost { worker, generation } => self.handle_worker_lost(now, worker, generation),
            Input::Recycle { worker, generation } => self.handle_recycle(now, worker, generation),
            Input::TaskDone { worker, generation, task, outcome } => {
                self.handle_task_done(now, worker, generation, task, outcome);
            }
            Input::Progress { worker, generation, task } => {
                self.handle_progress(now, worker, generation, task);
            }
            Input::TaskReturned { worker, generation, task } => {
                self.handle_task_returned(now, worker, generation, task);
            }
            Input::StrategyAnswer { task, worker } => self.handle_strategy_answer(now, task, worker),
            Input::Pause => self.handle_pause(now),
            Input::Resume => self.handle_resume(now),
            Input::Close { mode } => self.handle_close(now, mode),
            Input::Resources { memory, cpu } => self.handle_resources(now, Resources { memory, cpu }),
            Input::Deadline => self.handle_deadline(now),
        }
        Ok(())
    }

    /// What to do next. To be called until `None` after each input and once after [`Scheduler::new`].
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to call [`Scheduler::handle_deadline`] if nothing happens before. May be in the past.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let others = [self.size_deadline, self.pressure.next_deadline(), self.next_waking(), self.left_until];
        self.deadlines.next().into_iter().chain(others.into_iter().flatten()).min()
    }

    /// The settings that it was made with.
    #[must_use]
    pub const fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// Whether [`Output::Closed`] has come out or is about to.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closing == Closing::Closed
    }

    /// The last minute as a whole: waiting, running and responding, throughput, use, depth. (To be exact about the use up to
    /// now it takes a sample, which changes no decision.)
    pub fn load(&mut self, now: Instant) -> LoadSnapshot {
        let now = now.max(self.last_now);
        self.sample_use(now);
        self.statistics.snapshot(now, self.queued())
    }

    /// The last minute and the totals by task type and by worker, and what was responded.
    #[must_use]
    pub const fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The times to respond since this was last called: see [`Statistics::take_responses`].
    pub fn take_responses(&mut self) -> Sketch {
        self.statistics.take_responses()
    }

    /// The run times of one task type since this was last called: see [`Statistics::take_runs`].
    pub fn take_runs(&mut self, place: usize) -> Option<(Option<TaskType>, Option<Sketch>)> {
        self.statistics.take_runs(place)
    }

    /// Counts, depths and times.
    #[must_use]
    pub fn stats(&self, now: Instant) -> PoolStats {
        let now = now.max(self.last_now);
        let sum = |of: fn(&Worker, Instant) -> Duration| {
            self.workers.iter().map(|worker| of(worker, now)).fold(Duration::ZERO, |sum, time| sum + time)
        };
        let count = |matches: fn(&Worker) -> bool| {
            small(self.workers.iter().filter(|worker| matches(worker)).count())
        };
        PoolStats {
            counters: self.counters,
            queued: self.queued(),
            held_back: self.held_back(|_| true),
            parked: self.excess.parked(),
            delayed: self.delayed,
            running: self.tasks.unsettled() - self.queued() - self.delayed - self.prefetched,
            prefetched: self.prefetched,
            workers: self.alive(),
            workers_up: count(Worker::is_up),
            workers_busy: count(Worker::is_busy),
            busy_time: sum(Worker::busy_time),
            available_time: sum(Worker::available_time),
        }
    }

    /// What a worker's place is doing; `None` where the pool has no such place.
    #[must_use]
    pub fn worker_stats(&self, now: Instant, worker: WorkerId) -> Option<WorkerStats> {
        let place = self.workers.get(worker.index())?;
        Some(WorkerStats {
            generation: place.generation,
            state: place.state(),
            offer: place.offer,
            running: place.running(),
            held: small(place.held.len()),
            load: place.held.load(),
            completed: place.completed,
            health: place.health.health(now.max(self.last_now)),
            rests_until: place.row.rests_until,
            boot_failures: place.boot_failures,
            busy_time: place.busy_time(now.max(self.last_now)),
        })
    }

    pub(super) fn advance(&mut self, now: Instant) -> Instant {
        self.last_now = self.last_now.max(now);
        self.last_now
    }

    /// The place of a worker that is not given up; its message is counted as stale otherwise.
    pub(super) fn current(&mut self, worker: WorkerId, generation: Generation) -> Option<usize> {
        let index = worker.index();
        let current = self.workers.get(index).is_some_and(|place| {
            place.generation == generation && !matches!(place.phase, Phase::Dead | Phase::Retired)
        });
        if !current {
            self.counters.stale_messages += 1;
        }
        current.then_some(index)
    }

    /// Ends a task that is neither queued nor held.
    pub(super) fn settle(&mut self, slot: u32, settlement: Settlement) {
        self.excess.remove(slot);
        self.emit_settlement_of(slot, settlement);
        self.tasks.free(slot);
    }

    /// Settles a task that keeps its slot, because its worker has not let go of it.
    pub(super) fn emit_settlement_of(&mut self, slot: u32, settlement: Settlement) {
        self.end_patience(slot);
        if settlement.is_response() {
            let (now, task) = (self.last_now, self.tasks.task(slot));
            let awaited = task.spec().priority >= Priority::NORMAL;
            self.statistics.on_response(now, now - task.submitted_at, awaited);
        }
        let task = self.tasks.settle(slot);
        if let Some(binder) = self.binder.as_mut() {
            binder.handle_dropped(self.last_now, task);
        }
        self.emit_settlement(task, settlement);
    }

    pub(super) fn emit_settlement(&mut self, task: TaskId, settlement: Settlement) {
        self.counters.count(settlement);
        self.outputs.push_back(Output::Settle { task, settlement });
    }

    /// What may be left to do at the end of an input.
    pub(super) fn conclude(&mut self, now: Instant) {
        let pressed = self.tell_pressure();
        self.replace_leaving(now);
        self.wake(now);
        self.offer_softened(now);
        self.offer_left(now);
        self.follow_demand(now, pressed);
        self.steal(now);
        self.mind_bound();
        self.observe(now);
        self.finish_drain(now);
    }

    pub(super) fn observe(&mut self, now: Instant) {
        self.statistics.on_queue_depth(now, self.queued());
        if self.statistics.wants_use(now) {
            self.sample_use(now);
        }
    }

    fn sample_use(&mut self, now: Instant) {
        let workers = self.workers.iter().map(|worker| (worker.busy_time(now), worker.available_time(now)));
        self.statistics.on_use(now, workers);
    }

    fn on_task_due(&mut self, now: Instant, slot: u32) {
        match self.tasks.task(slot).standing {
            Standing::Held { worker } => self.on_held_due(now, slot, worker as usize),
            Standing::Delayed => self.on_retry_due(now, slot),
            Standing::Queued | Standing::Reserved { .. } => {
                self.unqueue(slot);
                self.settle(slot, Settlement::Expired);
            }
        }
    }

    // Deadlines are numbered: one for each worker, then two for each slot of the table of tasks.

    pub(super) fn lifecycle_timer(index: usize) -> u32 {
        worker_id(index).get()
    }

    pub(super) fn task_timer(&self, slot: u32) -> u32 {
        self.config.workers + 2 * slot
    }

    pub(super) fn patience_timer(&self, slot: u32) -> u32 {
        self.task_timer(slot) + 1
    }

    fn timer(&self, timer: u32) -> Timer {
        match timer.checked_sub(self.config.workers) {
            Some(of_tasks) if of_tasks % 2 == 0 => Timer::Task(of_tasks / 2),
            Some(of_tasks) => Timer::Patience(of_tasks / 2),
            None => Timer::Lifecycle(timer as usize),
        }
    }
}

/// An unsettled task has the id already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DuplicateTask {
    /// The id.
    pub task: TaskId,
}

impl fmt::Display for DuplicateTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "task {} was submitted before and is not settled: give each task an id of its own",
            self.task
        )
    }
}

impl Error for DuplicateTask {}

pub(super) fn small(count: usize) -> u32 {
    u32::try_from(count).expect("workers and queue are bounded far below 2^32")
}

/// Room from the start for the tasks that an ordinary pool holds at a time: some 50 KiB. Tables that need more grow to what
/// they have seen, and keep it.
const TASKS_AT_FIRST: usize = 128;
