//! Flow control.

pub mod breaker;
pub mod stack;
mod stack_records;
mod stack_settings;
