//! Processes.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// One process. Command lines are left out: they can hold secrets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Process {
    /// Process id.
    pub pid: u32,
    /// Executable name. Chosen by whoever started it: never trust it as markup.
    pub name: String,
    /// Processor time as a share of one core (may exceed 1). `null` on the first reading.
    pub cpu_of_core_ratio: Option<f64>,
    /// Processor time as a share of the whole machine, 0 to 1.
    pub cpu_of_machine_ratio: Option<f64>,
    /// Resident memory.
    pub memory_bytes: u64,
    /// Bytes read a second from disks. `null` on the first reading, and without the right to know.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written a second to disks.
    pub written_bytes_per_second: Option<f64>,
    /// Threads.
    pub threads: Option<u32>,
    /// Open files. `null` without the right to know.
    pub open_files: Option<u32>,
}

/// All processes of one name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct ProcessGroup {
    /// Executable name.
    pub name: String,
    /// How many there are.
    pub processes: u32,
    /// Processor time of all of them as a share of one core.
    pub cpu_of_core_ratio: Option<f64>,
    /// Resident memory of all of them. What they share is counted for each.
    pub memory_bytes: u64,
    /// Bytes read a second from disks.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written a second to disks.
    pub written_bytes_per_second: Option<f64>,
    /// Threads.
    pub threads: Option<u32>,
}

/// How many processes there are.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct ProcessCounts {
    /// All.
    pub total: u32,
    /// Those that run or could.
    pub running: u32,
    /// Those that wait where no signal reaches them, mostly for a disk.
    pub uninterruptible: u32,
    /// Those that ended and that nobody has asked about.
    pub zombies: u32,
    /// Threads of all.
    pub threads: u32,
}

/// Answer to a query for processes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct ProcessList {
    /// The tick that this is of; `null` before the first.
    pub at_unix_millis: Option<u64>,
    /// How many there are.
    pub counts: Option<ProcessCounts>,
    /// The processes, in the order asked for.
    pub processes: Vec<Process>,
    /// The same by name, in the order asked for.
    pub groups: Vec<ProcessGroup>,
}
