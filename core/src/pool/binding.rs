//! When a task is given its worker.
//!
//! Under early binding a strategy of [`crate::balance`] chooses a worker when the task is queued, by what it has learned of
//! loads, outcomes and run times. The task then stands in that worker's *line*: lanes of the queue that the others leave alone.
//! Lines are worth it where the choice knows something that a free worker doesn't, and cost what any guess costs. So a worker
//! that has nothing of its own to start takes the first task of another's line after
//! [`Binding::Early::steal_after`] (work stealing), and what stands in the line of a worker that is gone, leaves, rests or can't
//! run it any more is bound anew.

use alloc::boxed::Box;

use crate::balance::{
    BalanceConfig, BuiltIn, ConfigError, LoadBalancer, Task as Choice, WorkerSpec, WorkerStatus,
};
use crate::ids::{TaskId, TaskType, WorkerId};
use crate::time::{Duration, Instant};

use super::candidates::worker_id;
use super::offer::Needs;
use super::tasks::TaskRef;
use super::{Load, Offer, PoolConfig, Scheduler, WorkerList};

/// When a task is given its worker, and by whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    /// When a worker has room for it: nothing is guessed. The default, and the best for workers that are alike and near.
    #[default]
    Late,
    /// When it is submitted or queued again, by this strategy; drawn from [`PoolConfig::seed`] where it draws.
    Early {
        /// Who chooses.
        strategy: BuiltIn,
        /// How long a task stands in its worker's line before another that has nothing of its own to start may take it. A
        /// task that waits for the workers that it prefers ([`TaskSpec::patience`](super::TaskSpec::patience)) stays in the
        /// line of one of them at least as long. Zero: at once. [`Duration::MAX`]: never.
        steal_after: Duration,
    },
    /// As [`Binding::Early`], by a strategy of the application, which is asked for each task: see
    /// [`Output::AskStrategy`](super::Output::AskStrategy). A task for which the queue has no place to wait in, and one that
    /// nobody who is up could run, is not asked for.
    Asked {
        /// How long a task waits for the answer, above zero. Then, or where the answer can't be followed, the built-in strategy
        /// chooses.
        answer_within: Duration,
        /// Who chooses instead.
        fallback: BuiltIn,
        /// As in [`Binding::Early`]. The wait for the answer counts.
        steal_after: Duration,
    },
}

impl Binding {
    fn strategy(self) -> Option<BuiltIn> {
        match self {
            Self::Late => None,
            Self::Early { strategy, .. } | Self::Asked { fallback: strategy, .. } => Some(strategy),
        }
    }

    pub(super) fn answer_within(self) -> Duration {
        match self {
            Self::Asked { answer_within, .. } => answer_within,
            Self::Late | Self::Early { .. } => Duration::ZERO,
        }
    }

    fn steal_after(self) -> Duration {
        match self {
            Self::Late => Duration::ZERO,
            Self::Early { steal_after, .. } | Self::Asked { steal_after, .. } => steal_after,
        }
    }
}

/// Whose line a task stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) of: WorkerId,
    /// Whether others may take it.
    pub(super) is_open: bool,
}

/// What the balancer has learned of a worker.
#[derive(Clone, Copy, Debug)]
pub(super) struct Figures {
    pub(super) assigned: Load,
    pub(super) success_ratio: f64,
    pub(super) expected_run: Duration,
    pub(super) backlog: Duration,
}

/// Who chooses early. Without the feature `binding` that is nobody, which the compiler knows: it leaves the balancer out.
#[derive(Debug)]
pub(super) struct Chooser(Option<Box<Binder>>);

impl Chooser {
    pub(super) fn new(config: &PoolConfig) -> Self {
        let strategy = if cfg!(feature = "binding") { config.binding.strategy() } else { None };
        Self(strategy.map(|strategy| Box::new(Binder::new(strategy, config.seed))))
    }

    pub(super) fn as_ref(&self) -> Option<&Binder> {
        if cfg!(feature = "binding") { self.0.as_deref() } else { None }
    }

    pub(super) fn as_mut(&mut self) -> Option<&mut Binder> {
        if cfg!(feature = "binding") { self.0.as_deref_mut() } else { None }
    }
}

/// Keeps the balancer informed of what the pool does.
#[derive(Debug)]
pub(super) struct Binder {
    balancer: LoadBalancer,
}

impl Binder {
    fn new(strategy: BuiltIn, seed: u64) -> Self {
        let settings = BalanceConfig { strategy: strategy.name(), ..BalanceConfig::default() };
        let balancer: Result<_, ConfigError> = LoadBalancer::new(settings, seed);
        Self { balancer: balancer.expect("the defaults make sense, and built-in strategies are registered") }
    }

    /// A worker is up, or offers something else.
    pub(super) fn handle_ready(&mut self, now: Instant, worker: WorkerId, offer: &Offer) {
        let lanes = offer.capacity.get();
        self.balancer.handle_joined(
            now,
            WorkerSpec {
                capabilities: offer.capabilities,
                capacity: Load::new(lanes * LINE_PER_UNIT),
                concurrency: lanes,
                region: offer.region,
                ..WorkerSpec::new(worker)
            },
        );
    }

    /// A worker is gone, with what it had.
    pub(super) fn handle_gone(&mut self, now: Instant, worker: WorkerId) {
        self.balancer.handle_left(now, worker);
    }

    /// A worker is to be given nothing more, because it rests or leaves, or is given tasks again.
    pub(super) fn handle_pause(&mut self, now: Instant, worker: WorkerId, pauses: bool) {
        let status = if pauses { WorkerStatus::Draining } else { WorkerStatus::Ready };
        self.balancer.handle_status(now, worker, status);
    }

    /// Chooses a worker for a task; `None` where nobody is there or every line is full.
    fn choose(
        &mut self,
        now: Instant,
        task: TaskRef<'_>,
        needs: &Needs,
        too_small: WorkerList,
    ) -> Option<WorkerId> {
        with_choice(task, needs, too_small, |choice| self.balancer.select_worker(now, choice).ok())
    }

    /// What is known of a worker that is up.
    pub(super) fn figures(&self, now: Instant, worker: WorkerId, task_type: TaskType) -> Option<Figures> {
        let fleet = self.balancer.fleet();
        let slot = fleet.slot_of(worker)?;
        Some(Figures {
            assigned: fleet.load(slot),
            success_ratio: fleet.success_ratio(slot, now),
            expected_run: Duration::from_millis_f64(fleet.service_nanos(slot, task_type, now) / 1e6),
            backlog: Duration::from_nanos(fleet.backlog_nanos(slot)),
        })
    }

    /// A task goes to this worker, chosen or not.
    pub(super) fn handle_given(&mut self, now: Instant, task: TaskRef<'_>, worker: WorkerId) {
        if self.balancer.task(task.id).is_none_or(|booked| booked.worker != worker) {
            with_choice(task, task.needs(), WorkerList::NONE, |choice| {
                self.balancer.handle_assigned(now, choice, worker);
            });
        }
    }

    pub(super) fn handle_started(&mut self, now: Instant, task: TaskId) {
        self.balancer.handle_started(now, task);
    }

    pub(super) fn handle_ended(&mut self, now: Instant, task: TaskId, success: bool) {
        self.balancer.handle_finished(now, task, success);
    }

    /// A task is nobody's any more, where it was anybody's.
    pub(super) fn handle_dropped(&mut self, now: Instant, task: TaskId) {
        self.balancer.handle_cancelled(now, task);
    }
}

impl Scheduler {
    /// In whose line a task waits under early binding; `None` where it stands in nobody's, or is unknown or settled. Once it
    /// was given to a worker, it is the line that it was taken from.
    #[must_use]
    pub fn bound_to(&self, task: TaskId) -> Option<WorkerId> {
        let slot = self.tasks.slot_of(task)?;
        self.tasks.task(slot).needs().line.map(|line| line.of)
    }

    /// The line that a task is to stand in from now on, where tasks are bound early.
    pub(super) fn choose_line(&mut self, now: Instant, slot: u32, needs: &Needs) -> Option<Line> {
        let mut too_small = WorkerList::NONE;
        while too_small.len() < WorkerList::MOST {
            let of = self.binder.as_mut()?.choose(now, self.tasks.task(slot), needs, too_small)?;
            let line = Line { of, is_open: self.opens_at(slot, of) <= now };
            if self.is_hopeful(&Needs { line: Some(line), ..*needs }) {
                self.binder.as_mut()?.handle_given(now, self.tasks.task(slot), of);
                return Some(line);
            }
            // A line takes more than its worker carries, so the balancer takes no offence at a task that is too large for it.
            too_small.push_last(of);
        }
        None
    }

    /// When others may take a task from this line.
    pub(super) fn opens_at(&self, slot: u32, of: WorkerId) -> Instant {
        let task = self.tasks.task(slot);
        let spec = task.spec();
        let stolen_from = task.queued_at + self.config.binding.steal_after();
        let is_preferred = self.workers[of.index()].offer.is_some_and(|offer| spec.prefers(of, &offer));
        if is_preferred { stolen_from.max(task.submitted_at + spec.patience) } else { stolen_from }
    }

    /// Whether a task that was given back may go on standing in the line that it stood in, open to all: not where there are now
    /// better workers than those that it settled for.
    pub(super) fn keeps_open_line(&self, slot: u32) -> bool {
        let needs = self.tasks.task(slot).needs();
        needs.line.is_some_and(|line| line.is_open)
            && self.is_hopeful(needs)
            && self.lasting_needs(slot).avoided == needs.avoided
    }

    /// Whether the worker takes the task from another's line.
    pub(super) fn is_theft(&self, slot: u32, index: usize) -> bool {
        self.tasks.task(slot).needs().line.is_some_and(|line| line.of != worker_id(index))
    }
}

/// The task as strategies know it. Workers that it avoids are banned for this choice.
fn with_choice<T>(
    task: TaskRef<'_>,
    needs: &Needs,
    too_small: WorkerList,
    choose: impl FnOnce(&Choice<'_>) -> T,
) -> T {
    let nobody = WorkerId::new(0);
    let mut affinity = [nobody; WorkerList::MOST];
    let mut banned = [nobody; 3 * WorkerList::MOST];
    let affinity = filled(&mut affinity, task.spec().affinity.iter());
    let anti_affinity =
        filled(&mut banned, needs.banned.iter().chain(needs.avoided.iter()).chain(too_small.iter()));
    choose(&Choice {
        task_type: task.spec().task_type,
        required: needs.required,
        complexity: needs.complexity,
        priority: task.spec().priority,
        affinity,
        anti_affinity,
        region: task.spec().region,
        key: task.spec().key.unwrap_or(task.id.get()),
        ..Choice::new(task.id)
    })
}

fn filled(room: &mut [WorkerId], workers: impl Iterator<Item = WorkerId>) -> &[WorkerId] {
    let mut len = 0;
    for (place, worker) in room.iter_mut().zip(workers) {
        *place = worker;
        len += 1;
    }
    &room[..len]
}

/// How many units may wait in a line for each that its worker carries. What is beyond stands in nobody's line.
const LINE_PER_UNIT: u32 = 64;
