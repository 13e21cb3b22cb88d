//! A fleet, its traffic and its bad luck.

use alloc::string::String;
use alloc::vec::Vec;

use quillwork_core::ids::{RegionId, TaskType};
use quillwork_core::pool::{Capabilities, Priority};
use quillwork_core::time::Duration;

use super::{Arrivals, Service};

/// What is simulated, apart from who decides.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetScenario {
    /// For tables.
    pub name: String,
    /// The workers, whose ids are their places in this list.
    pub workers: Vec<WorkerModel>,
    /// When tasks come.
    pub arrivals: Arrivals,
    /// What comes; at least one.
    pub tasks: Vec<TaskModel>,
    /// Work that comes over work that the fleet can do, faults counted: see [`FleetScenario::effective_capacity`].
    pub load: f64,
    /// How many tasks come.
    pub count: u32,
    /// So many tasks come first and are left out of the report: queues and estimates start empty.
    pub warm_up: u32,
    /// What the submitter does about failures.
    pub client: ClientModel,
}

/// One kind of task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskModel {
    /// Its share of the tasks, in any unit.
    pub weight: f64,
    /// Its type.
    pub task_type: TaskType,
    /// Mean service time on a worker of speed 1.
    pub mean: Duration,
    /// How service times vary.
    pub service: Service,
    /// What a worker must have.
    pub required: Capabilities,
    /// How urgent.
    pub priority: Priority,
    /// Where it would like to run.
    pub region: Option<RegionId>,
    /// How many different keys its tasks have, for strategies that keep a key with its worker; 0: each task its own.
    pub keys: u64,
}

impl TaskModel {
    /// Tasks of type 0 that any worker can run.
    #[must_use]
    pub const fn new(mean: Duration, service: Service) -> Self {
        Self {
            weight: 1.0,
            task_type: TaskType::new(0),
            mean,
            service,
            required: Capabilities::NONE,
            priority: Priority::NORMAL,
            region: None,
            keys: 0,
        }
    }
}

/// One worker.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerModel {
    /// How fast, 1 being the worker that service times are stated for.
    pub speed: f64,
    /// How much faster it is with tasks of a type, for each type that it isn't 1 for.
    pub talents: Vec<(TaskType, f64)>,
    /// How many tasks it runs at once, each at full speed.
    pub concurrency: u32,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Where it is.
    pub region: Option<RegionId>,
    /// One way between submitter and worker.
    pub latency: Duration,
    /// From its spawn to ready, where the binding spawns workers.
    pub boot: Duration,
    /// What is wrong with it.
    pub fault: Fault,
}

impl WorkerModel {
    /// A worker that runs one task at a time and never fails.
    #[must_use]
    pub const fn healthy(speed: f64) -> Self {
        Self {
            speed,
            talents: Vec::new(),
            concurrency: 1,
            capabilities: Capabilities::NONE,
            region: None,
            latency: Duration::ZERO,
            boot: Duration::from_millis(20),
            fault: Fault::None,
        }
    }

    /// The same with a fault.
    #[must_use]
    pub fn with(self, fault: Fault) -> Self {
        Self { fault, ..self }
    }

    pub(super) fn talent(&self, task_type: TaskType) -> f64 {
        self.talents.iter().find(|(of, _)| *of == task_type).map_or(1.0, |(_, talent)| *talent)
    }

    /// Work that it completes in a second of running at speed 1, on average.
    fn effective_capacity(&self) -> f64 {
        let share = match self.fault {
            Fault::None => 1.0,
            Fault::Slow { factor, when } => 1.0 - when.share() * (1.0 - 1.0 / factor),
            Fault::FailFast { ratio, when, .. } => 1.0 - when.share() * ratio,
            Fault::BlackHole { when } => 1.0 - when.share(),
            Fault::Crash { mean_uptime, downtime } => {
                mean_uptime.as_secs_f64() / (mean_uptime + downtime).as_secs_f64()
            }
        };
        self.speed * f64::from(self.concurrency) * share
    }
}

/// What is wrong with a worker. A fault that comes and goes is a flapping worker.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// Nothing.
    None,
    /// It takes this many times as long.
    Slow {
        /// Above 1.
        factor: f64,
        /// When.
        when: When,
    },
    /// It answers with an error, sooner than any result would come.
    FailFast {
        /// Share of tasks that fail.
        ratio: f64,
        /// How long after it began.
        after: Duration,
        /// When.
        when: When,
    },
    /// It takes tasks and never answers.
    BlackHole {
        /// When.
        when: When,
    },
    /// It dies with all that it holds, is known to be gone, and comes back.
    Crash {
        /// Mean time from start to crash; exponential.
        mean_uptime: Duration,
        /// Time from crash to ready.
        downtime: Duration,
    },
}

/// When a fault is there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum When {
    /// From the start to the end.
    Always,
    /// On and off, starting at a random point of the period.
    Periodic {
        /// From one onset to the next.
        period: Duration,
        /// Share of the period in which it is there.
        ratio: f64,
    },
}

impl When {
    pub(super) const fn share(self) -> f64 {
        match self {
            Self::Always => 1.0,
            Self::Periodic { ratio, .. } => ratio,
        }
    }
}

/// What the submitter does when no good answer comes. A failed attempt is repeated at once, on none of the workers that
/// the task has failed on while there is another (Envoy's retry predicate of previous hosts does the same), and a task's response time counts from its arrival: so a worker that fails fast costs time like a slow one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ClientModel {
    /// An attempt without an answer is given up after so long, from its assignment to a worker (early binding) or from
    /// its start (late binding, where it waits in the queue before it is assigned).
    pub timeout: Duration,
    /// How often a task is tried before it counts as an error; its response time is then what it took, but at least `timeout`.
    pub attempts: u32,
}

impl FleetScenario {
    /// Seconds of work at speed 1 that the fleet completes in a second, faults counted at their average.
    #[must_use]
    pub fn effective_capacity(&self) -> f64 {
        self.workers.iter().map(WorkerModel::effective_capacity).sum()
    }

    /// Mean time between two tasks at the scenario's load.
    #[must_use]
    pub fn mean_gap(&self) -> Duration {
        Duration::from_secs_f64(self.mean_service().as_secs_f64() / (self.load * self.effective_capacity()))
    }

    /// Over all kinds of tasks.
    #[must_use]
    pub fn mean_service(&self) -> Duration {
        let weights: f64 = self.tasks.iter().map(|task| task.weight).sum();
        let sum: f64 = self.tasks.iter().map(|task| task.weight * task.mean.as_secs_f64()).sum();
        Duration::from_secs_f64(sum / weights)
    }
}
