//! The study of strategies: which of them serves which traffic, and what mixing them costs.

mod scenarios;
mod statistics;

pub use scenarios::{ATTEMPTS, LOADS, MEAN, MEASURED, StudyScenario, TIMEOUT, WARM_UP, scenarios};
pub use statistics::{Estimate, mean};
