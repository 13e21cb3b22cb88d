//! How good a worker is for a task, as four terms that can be read one by one.

use crate::ids::WorkerId;
use crate::time::Instant;

use super::{ConfigError, Fleet, Slot, Task};

/// How much each term of a [`WorkerScore`] counts. Each in 0..=1; together 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScoreWeights {
    /// Of [`WorkerScore::capacity`]. Default 0.4.
    pub capacity: f64,
    /// Of [`WorkerScore::performance`]. Default 0.3.
    pub performance: f64,
    /// Of [`WorkerScore::affinity`]. Default 0.2.
    pub affinity: f64,
    /// Of [`WorkerScore::reliability`]. Default 0.1.
    pub reliability: f64,
}

impl ScoreWeights {
    /// 0.4 capacity, 0.3 performance, 0.2 affinity, 0.1 reliability.
    pub const DEFAULT: Self = Self { capacity: 0.4, performance: 0.3, affinity: 0.2, reliability: 0.1 };

    /// Whether each is in 0..=1 and their sum is 1 (to a millionth).
    ///
    /// # Errors
    ///
    /// The first that isn't, or the sum.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let weights = [
            ("score.capacity", self.capacity),
            ("score.performance", self.performance),
            ("score.affinity", self.affinity),
            ("score.reliability", self.reliability),
        ];
        if let Some(&(setting, _)) = weights.iter().find(|(_, weight)| !(0.0..=1.0).contains(weight)) {
            return Err(ConfigError::OutOfRange { setting, least: 0.0, most: 1.0 });
        }
        let sum: f64 = weights.iter().map(|(_, weight)| weight).sum();
        if (sum - 1.0).abs() > 1e-6 { Err(ConfigError::WeightsDontAddUp { sum }) } else { Ok(()) }
    }
}

impl Default for ScoreWeights {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// How good a worker is for a task. Every number is in 0..=1, the higher the better.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WorkerScore {
    /// Which worker.
    pub worker: WorkerId,
    /// Whether it may get the task now; the others are scored all the same.
    pub eligible: bool,
    /// The free share of its capacity: `1 - load / capacity`.
    pub capacity: f64,
    /// Its recent success ratio: `(successes + 2) / (runs + 2)`, where a run that is n half-lives old and was followed by k
    /// others on the worker counts 2⁻ⁿ (63/64)ᵏ.
    pub performance: f64,
    /// History, `(successes + 2 * performance) / (runs + 2)` over its runs of this task type. Where the task has an
    /// affinity list, `0.5 * (1 if listed, else 0) + 0.5 * history`.
    pub affinity: f64,
    /// Speed and reliability: `0.5 * speed + 0.5 * uptime`, where speed is `1 / (1 + slowness)` and uptime the share of the
    /// recent past in which it could be reached.
    pub reliability: f64,
    /// The four terms, weighted.
    pub total: f64,
}

impl WorkerScore {
    pub(super) fn of(
        now: Instant,
        task: &Task<'_>,
        (fleet, slot): (&Fleet, Slot),
        eligible: bool,
        weights: &ScoreWeights,
    ) -> Self {
        let worker = fleet.worker(slot);
        let capacity = (1.0 - fleet.load_share(slot)).max(0.0);
        let performance = fleet.success_ratio(slot, now);
        let history = fleet.history(slot, task.task_type, now);
        let listed = if task.affinity.contains(&worker) { 1.0 } else { 0.0 };
        let affinity = if task.affinity.is_empty() { history } else { 0.5 * listed + 0.5 * history };
        let reliability = 0.5 * fleet.speed(slot, now) + 0.5 * fleet.uptime(slot, now);
        let total = weights.capacity * capacity
            + weights.performance * performance
            + weights.affinity * affinity
            + weights.reliability * reliability;
        Self { worker, eligible, capacity, performance, affinity, reliability, total: total.clamp(0.0, 1.0) }
    }
}
