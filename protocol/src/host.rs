//! What the host measures of its own machine, once a second.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// The machine at one tick of the sampler.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct HostSnapshot {
    /// When the sample was taken.
    pub at_unix_millis: u64,
    /// Processor use.
    pub cpu: Cpu,
    /// Memory and swap.
    pub memory: Memory,
    /// Mounted file systems that hold data of their own (no bind mounts, no pseudo file systems).
    pub disks: Vec<Disk>,
    /// Network interfaces without the loopback.
    pub networks: Vec<Network>,
    /// Sensors; empty where the machine shows none (containers and most virtual machines).
    pub temperatures: Vec<Temperature>,
    /// Graphics processors; empty where none was found.
    pub gpus: Vec<Gpu>,
    /// The processes that use most processor time, then most memory. Refreshed more slowly than the rest.
    pub processes: Vec<Process>,
    /// Static facts.
    pub machine: Machine,
    /// What sampling itself costs.
    pub sampler: Sampler,
}

/// Processor use over the last tick.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Cpu {
    /// Busy share of all cores together, 0 to 1. `null` until two readings exist.
    pub total_ratio: Option<f64>,
    /// Busy share of each core, 0 to 1.
    pub core_ratios: Vec<Option<f64>>,
    /// Load averages over 1, 5 and 15 minutes; `null` where the system has none (Windows).
    pub load_averages: Option<[f64; 3]>,
}

/// Memory and swap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Memory {
    /// All memory, or the control group's limit where that is smaller.
    pub total_bytes: u64,
    /// What programs could still take without swapping.
    pub available_bytes: u64,
    /// `1 - available / total`, 0 to 1. `null` where the total is unknown.
    pub used_ratio: Option<f64>,
    /// Swap space.
    pub swap_total_bytes: u64,
    /// Swap space in use.
    pub swap_used_bytes: u64,
}

/// One file system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Disk {
    /// Mount point.
    pub mount: String,
    /// Device or file system name.
    pub name: String,
    /// File system type.
    pub file_system: String,
    /// Size.
    pub total_bytes: u64,
    /// Free for unprivileged users.
    pub available_bytes: u64,
    /// Bytes read a second over the last tick.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written a second over the last tick.
    pub written_bytes_per_second: Option<f64>,
}

/// One network interface.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Interface name.
    pub name: String,
    /// Bytes received since the interface came up.
    pub received_bytes_total: u64,
    /// Bytes sent since the interface came up.
    pub sent_bytes_total: u64,
    /// Bytes received a second over the last tick.
    pub received_bytes_per_second: Option<f64>,
    /// Bytes sent a second over the last tick.
    pub sent_bytes_per_second: Option<f64>,
    /// Receive and send errors since the interface came up.
    pub errors_total: u64,
}

/// One temperature sensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Temperature {
    /// The sensor's stable label.
    pub label: String,
    /// Reading; `null` where the sensor gave none this time.
    pub celsius: Option<f64>,
    /// The hardware's own critical threshold.
    pub critical_celsius: Option<f64>,
}

/// One graphics processor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Gpu {
    /// Model or device name.
    pub name: String,
    /// Vendor, where known.
    pub vendor: Option<String>,
    /// Busy share, 0 to 1.
    pub used_ratio: Option<f64>,
    /// Memory of the device.
    pub memory_total_bytes: Option<u64>,
    /// Memory in use.
    pub memory_used_bytes: Option<u64>,
}

/// One process. Command lines are left out: they can hold secrets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Executable name. Chosen by whoever started it: never trust it as markup.
    pub name: String,
    /// Processor time as a share of one core (may exceed 1). `null` on the first reading.
    pub cpu_of_core_ratio: Option<f64>,
    /// Resident memory.
    pub memory_bytes: u64,
}

/// Facts that don't change while the host runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Machine {
    /// Host name.
    pub name: String,
    /// Operating system and version.
    pub system: String,
    /// Kernel version.
    pub kernel: String,
    /// Processor model.
    pub cpu_model: String,
    /// Logical processors.
    pub logical_cores: u32,
}

/// What sampling itself costs and misses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Sampler {
    /// Ticks taken since the host started.
    pub ticks: u64,
    /// Ticks that were late and skipped.
    pub missed_ticks: u64,
    /// How long the last tick took.
    pub tick_millis: f64,
}
