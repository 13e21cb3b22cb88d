//! What sampling costs and misses.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// What sampling itself costs and misses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Sampler {
    /// Ticks taken since the host started.
    pub ticks: u64,
    /// Ticks that were late and skipped.
    pub missed_ticks: u64,
    /// How long the last tick took.
    pub tick_millis: f64,
    /// How each collector fares.
    pub collectors: Vec<Collector>,
    /// The host's own process.
    pub process: Option<HostProcess>,
}

/// How one collector fares.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Collector {
    /// Its name.
    pub name: String,
    /// Whether its last reading succeeded. A stuck one did not.
    pub succeeded: bool,
    /// It has not answered for longer than it may; its values are left out.
    pub is_stuck: bool,
    /// How long its last reading took; `null` before the first.
    pub duration_millis: Option<f64>,
    /// How old its newest values are; `null` before the first.
    pub age_millis: Option<f64>,
    /// Why it did not succeed, and what to do.
    pub error: Option<String>,
}

/// The host's own process.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct HostProcess {
    /// Processor time as a share of one core, over the last tick.
    pub cpu_of_core_ratio: Option<f64>,
    /// Resident memory.
    pub memory_bytes: u64,
    /// Open files.
    pub open_files: Option<u32>,
    /// Threads.
    pub threads: Option<u32>,
}
