//! What keeps a fleet healthy: new workers start slowly, failing ones are ejected, and somebody is always left.

mod balancer;
mod ejection;
mod machine;
mod panic;
mod slow_start;

#[cfg(test)]
mod tests;

pub use ejection::{
    EjectionChange, EjectionConfig, EjectionConfigError, EjectionReason, Ejector, ReturnReason,
    SuccessRateOutliers,
};
pub(super) use machine::Health;
pub use machine::HealthConfig;
pub use panic::{InvalidPanicThreshold, PanicThreshold};
pub use slow_start::{SlowStartConfig, SlowStartConfigError};
