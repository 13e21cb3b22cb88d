//! The load balancer: early binding of tasks to workers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;
use core::fmt;

use crate::ids::{TaskId, TaskType, WorkerId};
use crate::rng::Rng;
use crate::time::{Duration, Instant};

use super::fleet::Run;
use super::health::Health;
use super::in_flight::{InFlight, InFlightTable};
use super::migration::Planner;
use super::overload::OverloadDetector;
use super::preference::preferred;
use super::rules::{RuleScratch, Rules};
use super::strategies::built_in;
use super::{
    BalanceConfig, ConfigError, Eligible, Finished, Fleet, Ineligible, Refusal, Slot, Strategy, Task,
    WorkerRecord, WorkerReport, WorkerScore, WorkerSpec, WorkerStatus,
};

/// Decides which worker gets a task, at once, from everything that it was told about the workers.
///
/// Where the tasks can wait in a central queue and the workers pull ([`crate::pool`]), that is better: a decision that
/// isn't taken early can't be wrong. A load balancer is for where it must be taken early: remote workers, warm caches,
/// workers with queues of their own.
///
/// The shell tells it which workers there are, which worker it gave a task to and how the task ended. Load is given back
/// exactly once, whatever happens: a task that finishes twice, that nobody knows, or whose worker has left changes nothing.
#[derive(Debug)]
pub struct LoadBalancer {
    pub(super) config: BalanceConfig,
    pub(super) fleet: Fleet,
    pub(super) tasks: InFlightTable,
    pub(super) strategies: Vec<Box<dyn Strategy>>,
    pub(super) current: usize,
    pub(super) rng: Rng,
    pub(super) health: Health,
    pub(super) overload: OverloadDetector,
    pub(super) planner: Planner,
    pub(super) rules: Rules,
    invalid_choices: u64,
    scratch: Scratch,
}

/// Room for sets of workers, kept so that nothing is allocated for each pick.
#[derive(Debug, Default)]
struct Scratch {
    eligible: Vec<u64>,
    ruled: RuleScratch,
    preferred: (Vec<u64>, Vec<u64>),
    orphans: Vec<TaskId>,
}

impl LoadBalancer {
    /// Without workers yet, with all strategies of [`super::strategies`] registered. The seed decides what random
    /// strategies do.
    ///
    /// # Errors
    ///
    /// Settings that make no sense, see [`BalanceConfig`].
    pub fn new(config: BalanceConfig, seed: u64) -> Result<Self, ConfigError> {
        config.validate()?;
        let strategies = built_in(config.score);
        let current = position(&strategies, config.strategy)
            .ok_or(ConfigError::UnknownStrategy { name: config.strategy })?;
        Ok(Self {
            fleet: Fleet::new(&config),
            health: Health::new(&config.health).map_err(ConfigError::Ejection)?,
            overload: OverloadDetector::new(config.overload),
            planner: Planner::new(config.migration),
            rules: Rules::new(config.history_rule),
            config,
            tasks: InFlightTable::new(),
            strategies,
            current,
            rng: Rng::from_seed(seed),
            invalid_choices: 0,
            scratch: Scratch { orphans: Vec::with_capacity(ORPHANS_AT_FIRST), ..Scratch::default() },
        })
    }

    /// A worker joined, ready for tasks; for one that boots, tell its status next. A worker that is known already is from
    /// now on what it says here, and keeps its load, its record and its status: one that was offline and has registered
    /// again is [`WorkerStatus::Ready`] only when that is told.
    pub fn handle_joined(&mut self, now: Instant, spec: WorkerSpec) {
        if let (slot, true) = self.fleet.join(now, spec) {
            self.strategies.iter_mut().for_each(|strategy| strategy.handle_joined(&self.fleet, slot));
            self.health.handle_joined(now, &mut self.fleet, slot);
        }
    }

    /// A worker left and won't come back. Its record is forgotten; the tasks that it had are no longer in flight, and
    /// returned for the shell to place anew, the one assigned first at the front.
    pub fn handle_left(&mut self, now: Instant, worker: WorkerId) -> &[TaskId] {
        self.scratch.orphans.clear();
        self.scratch.orphans.extend(self.tasks.of_worker(worker).map(|task| task.task));
        for &task in &self.scratch.orphans {
            self.tasks.remove(task);
        }
        self.tasks.forget(worker);
        if let Some(slot) = self.fleet.leave(now, worker) {
            self.strategies.iter_mut().for_each(|strategy| strategy.handle_left(&self.fleet, slot, worker));
            self.health.handle_left(now, &mut self.fleet, worker);
        }
        &self.scratch.orphans
    }

    /// A worker's status changed. Unknown workers are ignored.
    pub fn handle_status(&mut self, now: Instant, worker: WorkerId, status: WorkerStatus) {
        if let Some(slot) = self.fleet.slot_of(worker) {
            let before = self.fleet.status(slot);
            self.fleet.set_status(now, slot, status);
            self.health.handle_status(now, &mut self.fleet, slot, before);
        }
    }

    /// A worker told about itself. Unknown workers are ignored.
    pub fn handle_report(&mut self, now: Instant, worker: WorkerId, report: WorkerReport) {
        if let Some(slot) = self.fleet.slot_of(worker) {
            self.fleet.report(now, slot, &report);
        }
    }

    /// Chooses a worker for the task. Nothing is assigned by that: tell [`LoadBalancer::handle_assigned`] when the task is
    /// on its way, or use [`LoadBalancer::assign`], which does both.
    ///
    /// # Errors
    ///
    /// Why nobody can have it.
    pub fn select_worker(&mut self, now: Instant, task: &Task<'_>) -> Result<WorkerId, Refusal> {
        self.select_slot(now, task).map(|slot| self.fleet.worker(slot))
    }

    /// Chooses a worker for the task and books it there.
    ///
    /// # Errors
    ///
    /// Why nobody can have it.
    pub fn assign(&mut self, now: Instant, task: &Task<'_>) -> Result<WorkerId, Refusal> {
        let slot = self.select_slot(now, task)?;
        self.book(now, task, slot);
        Ok(self.fleet.worker(slot))
    }

    /// The task was given to this worker, chosen here or elsewhere. A task that is in flight already has moved: its load
    /// is given back where it was. An unknown worker is ignored, and `false` returned.
    pub fn handle_assigned(&mut self, now: Instant, task: &Task<'_>, worker: WorkerId) -> bool {
        let Some(slot) = self.fleet.slot_of(worker) else { return false };
        self.fleet.touch(slot);
        self.book(now, task, slot);
        true
    }

    /// The task started to run on its worker. Told or not, loads are right; told, run times are measured without the time
    /// that the task waited on the worker.
    pub fn handle_started(&mut self, now: Instant, task: TaskId) {
        self.tasks.start(task, now);
    }

    /// The task ended, with success or without: its load is given back, and what it took is learned from. Returns what it
    /// was, or `None` where no such task is in flight.
    pub fn handle_finished(&mut self, now: Instant, task: TaskId, success: bool) -> Option<InFlight> {
        let (entry, slot) = self.unbook(task)?;
        // Without its start: a worker with one lane began with it when it was through with the one before.
        let idle_since = entry.assigned_at.max(self.fleet.progress(slot));
        let started = entry.started_at.unwrap_or(idle_since);
        let run = Run { success, duration: now - started, latency: now - entry.assigned_at };
        self.fleet.note_progress(now, slot);
        self.learn(now, slot, entry.task_type, run, Some(task));
        Some(entry)
    }

    /// The task was taken back, aborted or lost: its load is given back and nothing is learned. Returns what it was, or
    /// `None` where no such task is in flight.
    pub fn handle_cancelled(&mut self, now: Instant, task: TaskId) -> Option<InFlight> {
        let (entry, slot) = self.unbook(task)?;
        if entry.started_at.is_some() {
            self.fleet.note_progress(now, slot);
        }
        Some(entry)
    }

    /// Learns from a run: for what was measured elsewhere. [`LoadBalancer::handle_finished`] calls it by itself. Unknown
    /// workers are ignored.
    pub fn update_context(
        &mut self,
        now: Instant,
        worker: WorkerId,
        task_type: TaskType,
        success: bool,
        duration: Duration,
    ) {
        if let Some(slot) = self.fleet.slot_of(worker) {
            self.learn(now, slot, task_type, Run { success, duration, latency: duration }, None);
        }
    }

    /// Learns how a task ended for which a worker was chosen here, and which isn't in the books: for a shell that keeps the
    /// loads itself and tells them with [`LoadBalancer::handle_report`]. Strategies that learn from their choices are
    /// told of the task. Unknown workers are ignored.
    pub fn handle_outcome(
        &mut self,
        now: Instant,
        (task, task_type): (TaskId, TaskType),
        worker: WorkerId,
        success: bool,
        duration: Duration,
    ) {
        if let Some(slot) = self.fleet.slot_of(worker) {
            self.learn(now, slot, task_type, Run { success, duration, latency: duration }, Some(task));
        }
    }

    /// A worker told what it has shown elsewhere. Unknown workers are ignored.
    pub fn handle_record(&mut self, worker: WorkerId, record: WorkerRecord) {
        if let Some(slot) = self.fleet.slot_of(worker) {
            self.fleet.set_record(slot, record);
        }
    }

    /// How good each worker is for the task, in the order of their ids, into `out`. Includes those that can't have it.
    pub fn score_workers(&mut self, now: Instant, task: &Task<'_>, out: &mut Vec<WorkerScore>) {
        self.refresh(now);
        out.clear();
        let Self { fleet, config, rules, .. } = self;
        let present = |&slot: &Slot| fleet.status(slot) != WorkerStatus::Absent;
        out.extend(fleet.slots().filter(present).map(|slot| {
            let eligible = Ineligible::check(fleet, rules, task, fleet.worker(slot)).is_ok();
            WorkerScore::of(now, task, (fleet, slot), eligible, &config.score)
        }));
    }

    /// The workers that may get the task, in the order of their ids, into `out`: for whoever wants to choose outside. The
    /// answer is checked with [`LoadBalancer::check`] and told with [`LoadBalancer::handle_assigned`].
    ///
    /// # Errors
    ///
    /// Why nobody can have it.
    pub fn candidates(
        &mut self,
        now: Instant,
        task: &Task<'_>,
        out: &mut Vec<WorkerId>,
    ) -> Result<(), Refusal> {
        out.clear();
        self.refresh(now);
        let eligible = Eligible::filter(&self.fleet, task, &mut self.scratch.eligible);
        let allowed = eligible.iter().filter(|&slot| self.rules.allow(&self.fleet, task.task_type, slot));
        out.extend(allowed.map(|slot| self.fleet.worker(slot)));
        if out.is_empty() { Err(Refusal::why(&self.fleet, &self.rules, task)) } else { Ok(()) }
    }

    /// Whether this worker may get the task now.
    ///
    /// # Errors
    ///
    /// Why not.
    pub fn check(&mut self, now: Instant, task: &Task<'_>, worker: WorkerId) -> Result<(), Ineligible> {
        self.refresh(now);
        Ineligible::check(&self.fleet, &self.rules, task, worker).map(|_| ())
    }

    /// Keeps a worker out of the choice until then, or lets it back in at once. Unknown workers are ignored.
    pub fn set_ejected_until(&mut self, now: Instant, worker: WorkerId, until: Option<Instant>) {
        if let Some(slot) = self.fleet.slot_of(worker) {
            self.fleet.set_ejected_until(now, slot, until);
        }
    }

    /// Whether ejected workers are chosen all the same: where too few others are left, they are the lesser evil.
    pub fn set_ignores_ejections(&mut self, now: Instant, ignores: bool) {
        self.fleet.set_ignores_ejections(now, ignores);
    }

    /// With which part of its capacity a worker counts in weighted choices, in 0..=1 (not a number is 1): less than 1 while
    /// it warms up. Unknown workers are ignored.
    pub fn set_weight_factor(&mut self, worker: WorkerId, factor: f64) {
        if let Some(slot) = self.fleet.slot_of(worker) {
            self.fleet.set_weight_factor(slot, if factor.is_nan() { 1.0 } else { factor });
        }
    }

    /// Adds a strategy. It is told of all workers that there are.
    ///
    /// # Errors
    ///
    /// Where its name is taken.
    pub fn register_strategy(&mut self, mut strategy: Box<dyn Strategy>) -> Result<(), StrategyError> {
        let name = strategy.name();
        if position(&self.strategies, name).is_some() {
            return Err(StrategyError::NameTaken { name });
        }
        self.fleet.slots().for_each(|slot| strategy.handle_joined(&self.fleet, slot));
        self.strategies.push(strategy);
        Ok(())
    }

    /// Lets another strategy choose from now on.
    ///
    /// # Errors
    ///
    /// Where none has this name; the current one stays.
    pub fn set_strategy(&mut self, name: &str) -> Result<(), StrategyError> {
        self.current = position(&self.strategies, name).ok_or(StrategyError::Unknown)?;
        Ok(())
    }

    /// The name of the strategy that chooses.
    #[must_use]
    pub fn current_strategy(&self) -> &'static str {
        self.strategies[self.current].name()
    }

    /// The names of all strategies, in the order of their registration.
    pub fn strategy_names(&self) -> impl Iterator<Item = &'static str> {
        self.strategies.iter().map(|strategy| strategy.name())
    }

    /// The strategy of this name as what it is, to read what only it knows: the weights of
    /// [`Adaptive`](super::adaptive::Adaptive), for instance. `None` where there is none of the name, or of another type.
    #[must_use]
    pub fn strategy<T: Strategy>(&self, name: &str) -> Option<&T> {
        let strategy: &dyn Any = &*self.strategies[position(&self.strategies, name)?];
        strategy.downcast_ref()
    }

    /// The same to change it.
    pub fn strategy_mut<T: Strategy>(&mut self, name: &str) -> Option<&mut T> {
        let place = position(&self.strategies, name)?;
        let strategy: &mut dyn Any = &mut *self.strategies[place];
        strategy.downcast_mut()
    }

    /// The workers, with their loads and measurements.
    #[must_use]
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// A task in flight.
    #[must_use]
    pub fn task(&self, task: TaskId) -> Option<&InFlight> {
        self.tasks.find(task)
    }

    /// The tasks on this worker, the one assigned first at the front.
    pub fn tasks_on(&self, worker: WorkerId) -> impl Iterator<Item = &InFlight> {
        self.tasks.of_worker(worker)
    }

    /// How many tasks are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.tasks.len()
    }

    /// How often a strategy chose a worker that wasn't eligible and the least loaded got the task instead.
    #[must_use]
    pub fn invalid_choices(&self) -> u64 {
        self.invalid_choices
    }

    fn select_slot(&mut self, now: Instant, task: &Task<'_>) -> Result<Slot, Refusal> {
        self.refresh(now);
        self.fleet.advance(now, task.task_type);
        let mut eligible = Eligible::filter(&self.fleet, task, &mut self.scratch.eligible);
        if eligible.is_empty() {
            return Err(Refusal::why(&self.fleet, &self.rules, task));
        }
        if !self.rules.is_empty() {
            let ruled = self.rules.narrow(now, task, eligible, &mut self.scratch.ruled);
            eligible = ruled.ok_or_else(|| Refusal::why(&self.fleet, &self.rules, task))?;
        }
        if !task.affinity.is_empty() || task.region.is_some() {
            eligible = preferred(task, eligible, self.config.sticky_slack, &mut self.scratch.preferred);
        }
        let mut slot = self.strategies[self.current].choose(now, task, &eligible, &mut self.rng);
        if !eligible.contains(slot) {
            self.invalid_choices += 1;
            slot = eligible.least_loaded();
        }
        self.fleet.touch(slot);
        Ok(slot)
    }

    fn book(&mut self, now: Instant, task: &Task<'_>, slot: Slot) {
        self.unbook(task.id);
        let expected = self.fleet.typical_nanos(task.task_type);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a mean of u64s; `as` saturates"
        )]
        let expected = expected as u64;
        self.tasks.insert(InFlight::new(now, task, self.fleet.worker(slot), expected));
        self.fleet.add(now, slot, task.complexity, expected);
        self.strategies
            .iter_mut()
            .for_each(|strategy| strategy.handle_assigned(now, task, &self.fleet, slot));
    }

    /// Takes the task out of the books: the only place where load is given back.
    fn unbook(&mut self, task: TaskId) -> Option<(InFlight, Slot)> {
        let entry = self.tasks.remove(task)?;
        let slot =
            self.fleet.slot_of(entry.worker).expect("the tasks of a worker that leaves are removed with it");
        self.fleet.subtract(slot, entry.complexity, entry.expected_nanos);
        Some((entry, slot))
    }

    fn learn(&mut self, now: Instant, slot: Slot, task_type: TaskType, run: Run, task: Option<TaskId>) {
        self.fleet.observe(now, slot, task_type, run);
        let finished = Finished {
            task,
            task_type,
            worker: self.fleet.worker(slot),
            slot,
            success: run.success,
            duration: run.duration,
            latency: run.latency,
        };
        self.strategies.iter_mut().for_each(|strategy| strategy.handle_finished(now, &finished, &self.fleet));
        self.health.handle_finished(now, &mut self.fleet, finished.worker, run.success);
    }

    /// Brings up to date what changes by itself with time.
    pub(super) fn refresh(&mut self, now: Instant) {
        self.health.handle_deadline(now, &mut self.fleet);
        self.fleet.refresh(now);
    }
}

fn position(strategies: &[Box<dyn Strategy>], name: &str) -> Option<usize> {
    strategies.iter().position(|strategy| strategy.name() == name)
}

/// Why a strategy was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StrategyError {
    /// No strategy has this name.
    Unknown,
    /// Another has this name already.
    NameTaken {
        /// The name.
        name: &'static str,
    },
}

impl fmt::Display for StrategyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => {
                f.write_str("no strategy has this name: see `strategy_names()`, or register it first")
            }
            Self::NameTaken { name } => {
                write!(f, "a strategy named `{name}` is registered already: name it otherwise")
            }
        }
    }
}

impl core::error::Error for StrategyError {}

/// What a worker has as a rule when it leaves. More is allocated once.
const ORPHANS_AT_FIRST: usize = 64;
