//! A pool of workers of fixed size, and the central queue that feeds it.
//!
//! [`Scheduler`] decides which task runs where and when, when a worker is given up, and how each task ends. The shell
//! does it: it spawns workers, passes messages, keeps payloads and promises by id.
//!
//! **Late binding.** One dispatcher knows every worker exactly, so a task is bound to a worker only when that worker is
//! free: tasks wait in one central queue (see [`TaskSpec`] for priority, ageing and capabilities), free workers are chosen
//! by [`Candidates`]. Where a task should have a certain worker, or a strategy should choose one early, see [`TaskSpec::affinity`] and
//! [`PoolConfig::binding`]. A task is dispatched only to a worker that has reported ready.
//!
//! **Slots.** A worker has a capacity in load units and a task a complexity; a worker runs as many tasks as fit. Small tasks
//! may pass a large one that no worker has room for, but not for longer than [`PoolConfig::max_passed_over`].
//!
//! **Every submitted task settles exactly once**: with a result or its own error (after as many attempts as it has), by
//! abort, time-out or queue TTL, refused with a reason, dropped from a full queue, lost with its workers, or closed with the
//! pool. A settled task's worker may go on for a while: it is
//! asked to stop, given a grace period, then terminated.
//!
//! **Workers fail in all ways.** A worker that crashes, never becomes ready, falls silent or ignores an abort is replaced.
//! Each replacement has a new [`Generation`](crate::ids::Generation), and what an older one still says changes nothing. The tasks of
//! a lost worker go to others, each a bounded number of times. A place that keeps losing workers before
//! they have completed anything is refilled with exponential back-off. Where no worker that could run a task can be started at all, the task is refused and doesn't wait
//! for ever.
//!
//! ```
//! use quillwork_core::ids::{Generation, TaskId, WorkerId};
//! use quillwork_core::pool::{Offer, Output, PoolConfig, Scheduler, Settlement, TaskOutcome, TaskSpec};
//! use quillwork_core::time::Instant;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let now = Instant::from_millis(0);
//! let (worker, generation) = (WorkerId::new(0), Generation::FIRST);
//! let mut pool = Scheduler::new(PoolConfig { workers: 1, ..PoolConfig::default() }, now)?;
//! assert_eq!(pool.poll_output(), Some(Output::Spawn { worker, generation }));
//!
//! // The worker boots; a task that comes meanwhile waits for it.
//! let task = TaskId::new(7);
//! pool.handle_submit(now, task, TaskSpec::default())?;
//! assert_eq!(pool.poll_output(), None);
//!
//! let now = Instant::from_millis(40);
//! pool.handle_worker_ready(now, worker, generation, Offer::PLAIN);
//! assert_eq!(pool.poll_output(), Some(Output::Dispatch { task, worker, generation, attempt: 1 }));
//!
//! let now = Instant::from_millis(55);
//! pool.handle_task_done(now, worker, generation, task, TaskOutcome::Completed);
//! assert_eq!(pool.poll_output(), Some(Output::Settle { task, settlement: Settlement::Completed }));
//! # Ok(())
//! # }
//! ```

mod affinity;
mod asked;
mod binding;
mod burst;
mod by_type;
mod candidates;
mod capability;
mod config;
mod dispatch;
mod elastic;
mod estimate;
mod execution;
mod gate;
mod health;
mod held;
mod hysteresis;
mod input;
mod kinds;
mod lease;
mod load;
mod mean;
mod offer;
mod output;
mod overflow;
mod per_mille;
mod prefetch;
mod queue;
pub mod recording;
mod recovery;
mod recycle;
pub mod registry;
mod reserve;
mod resize;
mod rest;
mod retry;
mod scheduler;
mod shutdown;
mod speeds;
mod statistics;
mod stats;
mod steal;
mod task;
mod tasks;
mod threshold;
mod turns;
mod worker;
mod worker_list;

pub use crate::flow::executor::Overflow;
pub use asked::StrategyCandidate;
pub use binding::Binding;
pub use candidates::Candidates;
pub use capability::Capabilities;
pub use config::{ConfigError, PoolConfig};
pub use elastic::{
    Action, Demand, ElasticConfig, ElasticConfigError, Pressure, Reason, Resize, ResizeReason,
    ResourceBudgets, ResourceBudgetsError, Resources, SizeLimits, Sizer,
};
pub use health::{Health, HealthConfig, HealthConfigError, HealthReason, HealthTracker};
pub use input::{CloseMode, Input};
pub use lease::{Lease, LeaseCheck};
pub use load::Load;
pub use offer::Offer;
pub use output::{Output, Refusal, Settlement, TerminateReason};
pub use per_mille::PerMille;
pub use rest::{RestConfig, RestConfigError};
pub use scheduler::{DuplicateTask, Scheduler};
pub use statistics::{LoadSnapshot, Statistics, TypeSnapshot, WorkerSnapshot};
pub use stats::{PoolCounters, PoolStats, WorkerStats};
pub use task::{Priority, TaskOutcome, TaskSpec};
pub use worker::WorkerState;
pub use worker_list::{WorkerList, WorkerListError};
