//! Migration: which tasks that wait on one worker should wait on another instead.

mod config;
mod plan;

#[cfg(test)]
mod tests;

pub use config::{MigrationConfig, MigrationConfigError};
pub use plan::Migration;
pub(super) use plan::Planner;
