//! Memory and swap.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// Memory and swap.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
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
    /// The machine's memory, whatever the limit.
    pub machine_total_bytes: Option<u64>,
    /// What the machine has available, whatever the limit.
    pub machine_available_bytes: Option<u64>,
    /// The control group's limit that is met first; `null` where none is below the machine's memory.
    pub limit: Option<MemoryLimit>,
    /// Used for nothing. Little of it is no sign of need: see `availableBytes`.
    pub free_bytes: Option<u64>,
    /// Contents of files, which can mostly be dropped.
    pub cached_bytes: Option<u64>,
    /// Buffers of block devices.
    pub buffers_bytes: Option<u64>,
    /// Shared memory and temporary file systems, counted in `cachedBytes` too.
    pub shared_bytes: Option<u64>,
    /// Waits to be written to disk.
    pub dirty_bytes: Option<u64>,
    /// Is being written to disk.
    pub writeback_bytes: Option<u64>,
    /// The kernel's own objects that can be dropped.
    pub slab_reclaimable_bytes: Option<u64>,
    /// The kernel's own objects that can't.
    pub slab_unreclaimable_bytes: Option<u64>,
    /// Promised to programs.
    pub committed_bytes: Option<u64>,
    /// Memory set apart for huge pages.
    pub huge_total_bytes: Option<u64>,
    /// Huge pages not in use.
    pub huge_free_bytes: Option<u64>,
    /// Swapped in since the machine started.
    pub swapped_in_bytes_total: Option<u64>,
    /// Swapped out since the machine started.
    pub swapped_out_bytes_total: Option<u64>,
    /// Swapped in a second.
    pub swapped_in_bytes_per_second: Option<f64>,
    /// Swapped out a second.
    pub swapped_out_bytes_per_second: Option<f64>,
    /// Faults a second that had to read from a disk.
    pub major_faults_per_second: Option<f64>,
    /// Processes that the kernel killed for want of memory since the machine started.
    pub oom_kills_total: Option<u64>,
}

/// A control group's limit.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct MemoryLimit {
    /// The group that has it: the host's own or a parent, as in `/proc/self/cgroup`.
    pub group: String,
    /// The limit.
    pub bytes: u64,
    /// What the group uses, without the contents of files that can be dropped at once.
    pub used_bytes: u64,
}
