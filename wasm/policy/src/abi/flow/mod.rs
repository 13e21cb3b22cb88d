//! Flow control.

pub mod batch;
pub mod breaker;
pub mod budget;
pub mod executor;
mod quantiles;
pub(in crate::abi) mod shared_stack;
pub mod stack;
mod stack_records;
mod stack_settings;
