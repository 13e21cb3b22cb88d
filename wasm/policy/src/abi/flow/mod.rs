//! Flow control.

pub mod breaker;
pub mod budget;
pub(in crate::abi) mod shared_stack;
pub mod stack;
mod stack_records;
mod stack_settings;
