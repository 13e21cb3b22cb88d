//! Overload: noticed with hysteresis, of single workers and of the whole fleet, and what to do about it.

mod config;
mod detector;
mod hysteresis;
mod recommendation;

#[cfg(test)]
mod tests;

pub use config::{OverloadConfig, OverloadConfigError};
pub use detector::Overload;
pub(super) use detector::OverloadDetector;
pub use recommendation::{OverloadAction, OverloadReason, Recommendation, Urgency};
