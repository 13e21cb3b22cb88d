//! How many workers a pool has, and what it gives up when the machine runs short.
//!
//! Two machines that know nothing of workers or tasks: [`Sizer`] follows the queue, [`Pressure`] follows the readings of
//! memory and CPU that the shell feeds. The scheduler does what they say and tells it, each time with the reason.

mod budgets;
mod config;
mod hold_off;
mod pressure;
mod sizer;

#[cfg(test)]
mod stability_tests;

pub use budgets::{ResourceBudgets, ResourceBudgetsError};
pub use config::{ElasticConfig, ElasticConfigError};
pub use pressure::{Action, Pressure, Reason, Resources};
pub use sizer::{Demand, Resize, ResizeReason, SizeLimits, Sizer};
