//! Load balancing: which worker gets a task that must be given away at once.
//!
//! A [`LoadBalancer`] filters the workers that may have a task ([`Eligible`]), narrows them by what the task prefers
//! (its affinity list, its region), and lets a [`Strategy`] choose among the rest. A task that nobody may have is refused,
//! and the [`Refusal`] says why. What the workers hold and how they do is kept in the [`Fleet`].
//!
//! ```
//! use quillwork_core::balance::{BalanceConfig, LoadBalancer, Refusal, Task, WorkerSpec};
//! use quillwork_core::ids::{TaskId, WorkerId};
//! use quillwork_core::pool::Capabilities;
//! use quillwork_core::time::Instant;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut balancer = LoadBalancer::new(BalanceConfig::default(), 42)?;
//! let at = Instant::from_millis;
//! balancer.handle_joined(at(0), WorkerSpec::new(WorkerId::new(0)));
//! balancer.handle_joined(at(0), WorkerSpec::new(WorkerId::new(1)));
//!
//! let first = balancer.assign(at(1), &Task::new(TaskId::new(1)))?;
//! let second = balancer.assign(at(1), &Task::new(TaskId::new(2)))?;
//! assert_ne!(first, second, "the least loaded gets the next");
//! balancer.handle_finished(at(9), TaskId::new(1), true);
//! assert_eq!(balancer.in_flight(), 1);
//!
//! let gpu = Capabilities::from_bits(1);
//! let refusal = balancer.assign(at(9), &Task { required: gpu, ..Task::new(TaskId::new(3)) });
//! assert_eq!(refusal, Err(Refusal::NoCapableWorker { missing: gpu }));
//! # Ok(())
//! # }
//! ```

pub mod adaptive;
mod balancer;
mod bits;
mod config;
#[cfg(test)]
pub(crate) mod conformance;
mod eligible;
mod few_workers;
mod fleet;
mod health;
mod in_flight;
mod migration;
mod overload;
mod preference;
mod refusal;
mod reorder;
mod rules;
mod score;
pub mod strategies;
mod strategy;
mod task;
mod worker;

pub use crate::pool::Load;
pub use balancer::{LoadBalancer, StrategyError};
pub use config::{BalanceConfig, ConfigError};
pub use eligible::Eligible;
pub use few_workers::FewWorkers;
pub use fleet::{Fleet, Slot};
pub use health::{
    EjectionChange, EjectionConfig, EjectionConfigError, EjectionReason, Ejector, HealthConfig,
    InvalidPanicThreshold, PanicThreshold, ReturnReason, SlowStartConfig, SlowStartConfigError,
    SuccessRateOutliers,
};
pub use in_flight::InFlight;
pub use migration::{Migration, MigrationConfig, MigrationConfigError};
pub use overload::{
    Overload, OverloadAction, OverloadConfig, OverloadConfigError, OverloadReason, Recommendation, Urgency,
};
pub use refusal::{Ineligible, Refusal};
pub use reorder::{Queued, ReorderConfig, ReorderConfigError, sort_by_submission, take_next};
pub use rules::{HistoryRule, InvalidHistoryRule, Rule, RuleEffect, RuleWorkers};
pub use score::{ScoreWeights, WorkerScore};
pub use strategies::BuiltIn;
pub use strategy::{Finished, Strategy};
pub use task::Task;
pub use worker::{WorkerRecord, WorkerReport, WorkerSpec, WorkerStatus};
