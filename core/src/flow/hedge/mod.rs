//! A second attempt while the first still runs.

mod attempts;
mod call;
mod config;
mod hedger;

pub use attempts::{HedgeAttempt, HedgeAttempts, HedgeAttemptsIter};
pub use call::{Hedge, HedgeDecision};
pub use config::{HedgeConfig, HedgeConfigError, HedgeDelay};
pub use hedger::{Hedger, HedgerMetrics};
