//! Statistics by value.

use crate::ids::TaskType;
use crate::telemetry::Quantiles;
use crate::time::Duration;

use super::super::PerMille;

/// A pool's last minute; of times the last 45 to 60 s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoadSnapshot {
    /// From submission to the first start.
    pub wait: Option<Quantiles>,
    /// From start to end, of each execution.
    pub run: Option<Quantiles>,
    /// From submission to settlement, of tasks that were answered: not of those that were given up, turned away or closed.
    pub response: Option<Quantiles>,
    /// Executions that ended, by second.
    pub throughput_per_sec: f64,
    /// The share of their time that the workers which were there spent on tasks; `None` where there was none.
    pub utilization: Option<PerMille>,
    /// Tasks that wait now.
    pub queued: u32,
    /// The most that waited at a time.
    pub max_queued: u32,
}

/// A task type's last minute, and its totals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TypeSnapshot {
    /// The type; `None` for all those together that came after [`Statistics::MAX_TYPES`](super::Statistics::MAX_TYPES).
    pub task_type: Option<TaskType>,
    /// From submission to the first start.
    pub wait: Option<Quantiles>,
    /// From start to end, of each execution.
    pub run: Option<Quantiles>,
    /// Executions that ended since the pool was made.
    pub executions: u64,
    /// Those of them that failed.
    pub failures: u64,
}

/// A worker's last minute, and its totals: those of its place, whichever workers filled it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerSnapshot {
    /// From start to end, of each execution.
    pub run: Option<Quantiles>,
    /// Executions that ended since the pool was made.
    pub executions: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// Time spent in executions that ended. Where several run at once, each counts.
    pub busy: Duration,
    /// The share of its time that it spent on tasks; `None` where it was not there.
    pub utilization: Option<PerMille>,
}
