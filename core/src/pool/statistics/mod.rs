//! What a pool's last minute was like: waiting and running times, use, throughput, depth, by task type and by worker.
//!
//! Quantiles come from sketches (see [`telemetry`](crate::telemetry)), one set for each task type and each worker, which
//! are allocated when the first task of the type or on the worker ends and reused from then on. Recording an execution
//! costs a few sketch updates and allocates nothing.

mod latencies;
mod meters;
mod snapshot;

#[cfg(test)]
mod tests;

use alloc::vec::Vec;

use crate::ids::{TaskType, WorkerId};
use crate::telemetry::{Quantiles, RelativeAccuracy, RollingSketch, Sketch};
use crate::time::{Duration, Instant};

use super::by_type::ByType;

use latencies::{Executions, Mean, last_minute, record};
use meters::{DepthMeter, UseMeter};

pub use snapshot::{LoadSnapshot, TypeSnapshot, WorkerSnapshot};

/// Follows what tasks and workers do, and answers what the last minute was like.
///
/// The scheduler keeps one and tells it what happens; a host that schedules by other means can do the same.
///
/// ```
/// use quillwork_core::ids::{TaskType, WorkerId};
/// use quillwork_core::pool::Statistics;
/// use quillwork_core::time::{Duration, Instant};
///
/// let mut statistics = Statistics::new(1, Instant::ZERO);
/// let (layout, worker) = (TaskType::new(3), WorkerId::new(0));
/// for task in 1..=100 {
///     let now = Instant::from_millis(100 * task);
///     statistics.on_started(now, layout, Duration::from_millis(5));
///     statistics.on_ended(now, layout, worker, Duration::from_millis(task), true);
/// }
/// let now = Instant::from_secs(10);
/// let load = statistics.snapshot(now, 0);
/// assert!((load.throughput_per_sec - 10.0).abs() < 0.01);
/// let run = load.run.expect("a hundred tasks ran");
/// assert!(run.p95.as_millis().abs_diff(95) <= 1 && run.max == Duration::from_millis(100));
/// ```
#[derive(Clone, Debug)]
pub struct Statistics {
    started_at: Instant,
    /// One for each task type, in the order in which they came; beyond [`Statistics::MAX_TYPES`] the rest shares one.
    types: Vec<TypeRecord>,
    by_type: ByType,
    workers: Vec<Executions>,
    response: RollingSketch,
    /// Of tasks that somebody waits for, since they were last taken.
    responses: Sketch,
    /// Whether somebody takes run times by task type: they are not gathered for nobody.
    gathers_runs: bool,
    mean_run: Mean,
    depth: DepthMeter,
    usage: UseMeter,
}

#[derive(Clone, Debug)]
struct TypeRecord {
    /// `None` for all those beyond the bound.
    task_type: Option<TaskType>,
    wait: RollingSketch,
    executions: Executions,
    /// Run times since they were last taken, from the first one on.
    runs: Option<Sketch>,
}

impl Statistics {
    /// So many task types are told apart.
    pub const MAX_TYPES: usize = 32;

    /// Nothing yet, for so many workers.
    #[must_use]
    pub fn new(workers: u32, now: Instant) -> Self {
        Self {
            started_at: now,
            types: Vec::new(),
            by_type: ByType::new(),
            workers: (0..workers).map(|_| Executions::default()).collect(),
            response: last_minute(),
            responses: none_yet(),
            gathers_runs: false,
            mean_run: Mean::default(),
            depth: DepthMeter::new(),
            usage: UseMeter::new(workers, now),
        }
    }

    /// A task was started for the first time, after it waited for so long. Further executions of the same task waited for
    /// their worker's failure and are not counted.
    pub fn on_started(&mut self, now: Instant, task_type: TaskType, waited: Duration) {
        let record_of_type = self.type_mut(task_type);
        record(&mut record_of_type.wait, now, waited);
    }

    /// An execution ended: its worker is done with it. Returns how long such an execution was expected to take: the recent
    /// mean of those of its type that succeeded, on whichever worker.
    pub fn on_ended(
        &mut self,
        now: Instant,
        task_type: TaskType,
        worker: WorkerId,
        ran: Duration,
        success: bool,
    ) -> Option<Duration> {
        let gathers_runs = self.gathers_runs;
        let of_type = self.type_mut(task_type);
        if gathers_runs {
            latencies::count(of_type.runs.get_or_insert_with(none_yet), ran);
        }
        let expected = of_type.executions.mean();
        of_type.executions.record(now, ran, success);
        if let Some(executions) = self.workers.get_mut(worker.index()) {
            executions.record(now, ran, success);
        }
        self.mean_run.add(ran);
        expected
    }

    /// A submitter got its answer, so long after it submitted the task. `awaited` where somebody waits for it, as opposed
    /// to bulk work.
    pub fn on_response(&mut self, now: Instant, elapsed: Duration, awaited: bool) {
        record(&mut self.response, now, elapsed);
        if awaited {
            latencies::count(&mut self.responses, elapsed);
        }
    }

    /// So many tasks wait from now on.
    pub fn on_queue_depth(&mut self, now: Instant, queued: u32) {
        self.depth.set(now, queued);
    }

    /// Whether the time that workers spent is to be told now: once in each step of the window.
    #[must_use]
    pub fn wants_use(&self, now: Instant) -> bool {
        self.usage.wants(now)
    }

    /// The time that each worker spent on tasks and the time for which it was there, since the pool was made, in the order
    /// of the workers. To be told when [`Statistics::wants_use`] and before a snapshot.
    pub fn on_use(&mut self, now: Instant, workers: impl Iterator<Item = (Duration, Duration)>) {
        self.usage.sample(now, workers);
    }

    /// How long tasks run at present: a mean in which each further execution weighs a sixteenth. For estimates, not for
    /// budgets: those are quantiles. `None` before the first execution has ended.
    #[must_use]
    pub const fn mean_run(&self) -> Option<Duration> {
        self.mean_run.get()
    }

    /// The last minute as a whole, while so many tasks wait.
    #[must_use]
    pub fn snapshot(&self, now: Instant, queued: u32) -> LoadSnapshot {
        let mut wait = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
        let mut run = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
        for of_type in &self.types {
            merge(&mut wait, &of_type.wait.merged(now));
            merge(&mut run, &of_type.executions.merged(now));
        }
        // What came since the pool was made, where that is less than the window.
        let covered = (now - self.started_at).min(latencies::covered(now));
        let ended = run.count() as f64;
        LoadSnapshot {
            wait: Quantiles::of(&wait),
            run: Quantiles::of(&run),
            response: Quantiles::of(&self.response.merged(now)),
            throughput_per_sec: if covered.is_zero() { 0.0 } else { ended / covered.as_secs_f64() },
            utilization: self.usage.of_all(now),
            queued,
            max_queued: self.depth.max(now).max(queued),
        }
    }

    /// Each task type, in the order in which they came.
    pub fn task_types(&self, now: Instant) -> impl Iterator<Item = TypeSnapshot> {
        self.types.iter().map(move |of_type| TypeSnapshot {
            task_type: of_type.task_type,
            wait: Quantiles::of(&of_type.wait.merged(now)),
            run: Quantiles::of(&of_type.executions.merged(now)),
            executions: of_type.executions.count(),
            failures: of_type.executions.failures(),
        })
    }

    /// Each worker, by number.
    pub fn workers(&self, now: Instant) -> impl Iterator<Item = WorkerSnapshot> {
        self.workers.iter().enumerate().map(move |(index, executions)| WorkerSnapshot {
            run: Quantiles::of(&executions.merged(now)),
            executions: executions.count(),
            failures: executions.failures(),
            busy: executions.spent(),
            utilization: self.usage.of(now, index),
        })
    }

    /// The times to respond since this was last called, of tasks that somebody waited for: what a page reports against its
    /// budget.
    pub fn take_responses(&mut self) -> Sketch {
        core::mem::replace(&mut self.responses, none_yet())
    }

    /// The run times since this was last called of the task type at a place in the order of [`Statistics::task_types`], which is `None` for
    /// all those beyond [`Statistics::MAX_TYPES`]; no sketch where none ran. `None` past the last place. They are gathered from the first call on,
    /// so that who doesn't ask pays nothing.
    pub fn take_runs(&mut self, place: usize) -> Option<(Option<TaskType>, Option<Sketch>)> {
        self.gathers_runs = true;
        let of_type = self.types.get_mut(place)?;
        Some((of_type.task_type, of_type.runs.take()))
    }

    fn type_mut(&mut self, task_type: TaskType) -> &mut TypeRecord {
        let slot = match self.by_type.find(task_type) {
            Some(slot) => slot,
            None if self.types.len() > Self::MAX_TYPES => Self::MAX_TYPES,
            None => self.add_type(task_type),
        };
        &mut self.types[slot]
    }

    fn add_type(&mut self, task_type: TaskType) -> usize {
        let slot = self.types.len();
        let told_apart = slot < Self::MAX_TYPES;
        if told_apart {
            self.by_type.insert(task_type, slot);
        }
        self.types.push(TypeRecord {
            task_type: told_apart.then_some(task_type),
            wait: last_minute(),
            executions: Executions::default(),
            runs: None,
        });
        slot
    }
}

fn none_yet() -> Sketch {
    Sketch::with_capacity(RelativeAccuracy::ONE_PER_CENT, latencies::BUCKETS)
}

fn merge(all: &mut Sketch, more: &Sketch) {
    all.merge(more).expect("all sketches here have the same accuracy");
}
