//! The study of strategies: which of them serves which traffic, and what mixing them costs.
//!
//! The example `evaluate` runs it whole and writes `docs/evaluation.md`.

mod cell;
mod page;
mod scenarios;
mod statistics;

pub use cell::{
    ADAPTIVE, Cell, Entrant, LATE_EXCESS_AIM, MEAN_REGRET_AIM, Verdict, WORST_REGRET_AIM, p99_millis,
};
pub use page::{page, summary};
pub use scenarios::{ATTEMPTS, LOADS, MEAN, MEASURED, StudyScenario, TIMEOUT, WARM_UP, scenarios};
pub use statistics::{Estimate, mean};
