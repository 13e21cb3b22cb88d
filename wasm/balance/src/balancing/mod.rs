//! A load balancer that is handed the workers anew with each question.
//!
//! JavaScript keeps workers as plain objects and their loads are its own. What has changed since the last question is told by
//! rows ([`Balancing::sync`]); then the question is asked. Nothing is booked: a choice waits for its outcome in
//! [`OpenChoices`], so that what is learned belongs to it.

mod config;
mod open;
mod queue;
mod reply;
mod rows;

use alloc::vec::Vec;
use core::mem;

use quillwork_core::balance::adaptive::{Adaptive, AdaptiveState, AdaptiveStateError};
use quillwork_core::balance::{
    ConfigError, Ineligible, Load, LoadBalancer, Migration, Overload, Recommendation, Refusal, Rule,
    RuleEffect, RuleWorkers, Task, WorkerReport, WorkerScore, WorkerStatus,
};
use quillwork_core::ids::{TaskId, TaskType, WorkerId};
use quillwork_core::time::{Duration, Instant};

use open::OpenChoices;
use queue::Queue;

pub(crate) use config::SETTINGS;
use config::{config, seed, strategy_name};
pub(crate) use queue::QUEUED;
pub(crate) use reply::{IneligibleCode, RefusalCode, overload_row};
use rows::{Lists, read_task};
pub(crate) use rows::{WORKER, WorkerRow};

/// One balancer.
#[derive(Debug)]
pub(crate) struct Balancing {
    core: LoadBalancer,
    open: OpenChoices,
    queue: Queue,
    next_task: u64,
    lists: Lists,
    workers: Vec<WorkerId>,
    scores: Vec<WorkerScore>,
    recommendations: Vec<Recommendation>,
    migrations: Vec<Migration>,
}

impl Balancing {
    /// Of the settings in the floats: see [`config()`].
    ///
    /// # Errors
    ///
    /// The first setting that makes no sense.
    pub(crate) fn new(settings: &[f64; SETTINGS]) -> Result<Self, ConfigError> {
        Ok(Self {
            core: LoadBalancer::new(config(settings)?, seed(settings))?,
            open: OpenChoices::default(),
            queue: Queue::default(),
            next_task: 0,
            lists: Lists::default(),
            workers: Vec::new(),
            scores: Vec::new(),
            recommendations: Vec::new(),
            migrations: Vec::new(),
        })
    }

    /// Lets another strategy choose; `false` where there is none of this number.
    pub(crate) fn set_strategy(&mut self, number: u32) -> bool {
        strategy_name(number).is_some_and(|name| self.core.set_strategy(name).is_ok())
    }

    /// Follows one worker that has changed.
    pub(crate) fn sync(&mut self, now: Instant, row: &WorkerRow) {
        let worker = row.spec.id;
        if row.has_spec || self.core.fleet().slot_of(worker).is_none() {
            self.core.handle_joined(now, row.spec);
        }
        if row.has_record {
            self.core.handle_record(worker, row.record);
        }
        let fleet = self.core.fleet();
        let slot = fleet.slot_of(worker).expect("it has joined");
        let (status, load) = (fleet.status(slot), fleet.load(slot));
        if status != row.status {
            self.core.handle_status(now, worker, row.status);
        }
        if load != row.load {
            self.report(now, worker, row.load);
        }
    }

    /// A worker won't come back.
    pub(crate) fn forget(&mut self, now: Instant, worker: WorkerId) {
        self.core.handle_left(now, worker);
        self.open.forget(worker);
    }

    /// Chooses. `book` adds the task to the worker's load until the next word on that.
    ///
    /// # Errors
    ///
    /// Why nobody can have it.
    pub(crate) fn select(&mut self, now: Instant, floats: &[f64], book: bool) -> Result<WorkerId, Refusal> {
        let id = TaskId::new(self.next_task);
        self.next_task += 1;
        let mut lists = mem::take(&mut self.lists);
        let task = read_task(floats, id, &mut lists);
        let (task_type, complexity) = (task.task_type, task.complexity);
        let chosen = self.core.select_worker(now, &task);
        self.lists = lists;
        let worker = chosen?;
        self.open.push(worker, task_type, id);
        if book {
            self.book(now, worker, complexity);
        }
        Ok(worker)
    }

    /// Adds to a worker's load until the next word on that.
    pub(crate) fn book(&mut self, now: Instant, worker: WorkerId, complexity: Load) {
        let fleet = self.core.fleet();
        if let Some(slot) = fleet.slot_of(worker) {
            let load = fleet.load(slot) + complexity;
            self.report(now, worker, load);
        }
    }

    /// The workers that may have the task.
    ///
    /// # Errors
    ///
    /// Why nobody can have it.
    pub(crate) fn candidates(&mut self, now: Instant, floats: &[f64]) -> Result<&[WorkerId], Refusal> {
        let mut lists = mem::take(&mut self.lists);
        let task = read_task(floats, TaskId::new(self.next_task), &mut lists);
        let found = self.core.candidates(now, &task, &mut self.workers);
        self.lists = lists;
        found.map(|()| self.workers.as_slice())
    }

    /// For each worker that is there whether it may have the task, in the order of their ids.
    pub(crate) fn explain(&mut self, now: Instant, floats: &[f64]) -> Vec<(WorkerId, Option<Ineligible>)> {
        let mut lists = mem::take(&mut self.lists);
        let task = read_task(floats, TaskId::new(self.next_task), &mut lists);
        let fleet = self.core.fleet();
        self.workers.clear();
        let present = fleet.slots().filter(|&slot| fleet.status(slot) != WorkerStatus::Absent);
        self.workers.extend(present.map(|slot| fleet.worker(slot)));
        let why = |&worker: &WorkerId| (worker, self.core.check(now, &task, worker).err());
        let explained = self.workers.iter().map(why).collect();
        self.lists = lists;
        explained
    }

    /// How good each worker that is there is for the task.
    pub(crate) fn scores(&mut self, now: Instant, floats: &[f64]) -> &[WorkerScore] {
        let mut lists = mem::take(&mut self.lists);
        let task = read_task(floats, TaskId::new(self.next_task), &mut lists);
        self.core.score_workers(now, &task, &mut self.scores);
        self.lists = lists;
        &self.scores
    }

    /// A task of this type ended on this worker. It is taken for the oldest choice of the two that waits for its outcome.
    pub(crate) fn outcome(
        &mut self,
        now: Instant,
        (worker, task_type): (WorkerId, TaskType),
        success: bool,
        duration: Duration,
    ) {
        match self.open.take(worker, task_type) {
            Some(task) => self.core.handle_outcome(now, (task, task_type), worker, success, duration),
            None => self.core.update_context(now, worker, task_type, success, duration),
        }
    }

    /// A rule about a type of task and a worker.
    pub(crate) fn add_rule(&mut self, task_type: TaskType, worker: WorkerId, effect: RuleEffect) {
        let workers = RuleWorkers::Worker(worker);
        self.core.add_rule(Rule { task_type: Some(task_type), workers, effect });
    }

    /// The weights that adaptive uses for tasks of this type.
    pub(crate) fn weights(&self, task_type: TaskType) -> impl Iterator<Item = f64> {
        let adaptive = self.core.strategy::<Adaptive>(ADAPTIVE).expect(BUILT_IN);
        adaptive.weights(task_type).map(|(_, weight)| weight)
    }

    /// What adaptive has learned, as bytes.
    #[must_use]
    pub(crate) fn save(&self) -> Vec<u8> {
        self.core.strategy::<Adaptive>(ADAPTIVE).expect(BUILT_IN).save().to_bytes()
    }

    /// Goes on from what was saved.
    ///
    /// # Errors
    ///
    /// Where the bytes aren't such.
    pub(crate) fn restore(&mut self, bytes: &[u8]) -> Result<(), AdaptiveStateError> {
        let state = AdaptiveState::from_bytes(bytes)?;
        self.core.strategy_mut::<Adaptive>(ADAPTIVE).expect(BUILT_IN).restore(&state)
    }

    /// Who is overloaded, and what would help.
    pub(crate) fn overload(&mut self, now: Instant) -> (Overload, &[Recommendation]) {
        let overload = self.core.detect_overload(now, &mut self.recommendations);
        (overload, &self.recommendations)
    }

    /// What should wait elsewhere, of `tasks` in the floats. A task's id is its number among them.
    pub(crate) fn migrations(&mut self, now: Instant, mut floats: &[f64], tasks: u32) -> &[Migration] {
        let mut lists: Vec<(Lists, &[f64], WorkerId)> = Vec::new();
        for _ in 0..tasks {
            let (worker, task) = rows::split_held(&mut floats);
            lists.push((Lists::default(), task, worker));
        }
        let held: Vec<(Task<'_>, WorkerId)> = lists
            .iter_mut()
            .zip(0..)
            .map(|((lists, task, worker), number)| (read_task(task, TaskId::new(number), lists), *worker))
            .collect();
        self.core.suggest_migration_of(now, &held, &mut self.migrations);
        &self.migrations
    }

    /// Puts the queue in the floats into the order in which it should go, as the numbers of its tasks.
    pub(crate) fn reorder(&mut self, rows: &[[f64; QUEUED]]) -> &[u64] {
        self.queue.reorder(&self.core, rows)
    }

    fn report(&mut self, now: Instant, worker: WorkerId, load: Load) {
        let report = WorkerReport { foreign_load: Some(load), ..WorkerReport::default() };
        self.core.handle_report(now, worker, report);
    }
}

const ADAPTIVE: &str = "adaptive";
const BUILT_IN: &str = "adaptive is built in";
