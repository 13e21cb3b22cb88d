//! Containers.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// One container, as its control group shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Container {
    /// Short name: the first 12 characters of its id, or the name that its runtime gave.
    pub name: String,
    /// What runs it, as far as the group's name tells: `docker`, `podman`, `kubernetes`, `lxc`, `nspawn`.
    pub runtime: String,
    /// Control group.
    pub group: String,
    /// Processor time as a share of one core.
    pub cpu_of_core_ratio: Option<f64>,
    /// Cores that its quota allows; `null` without one.
    pub cpu_limit_cores: Option<f64>,
    /// Share of the time in which its quota held it back, 0 to 1.
    pub throttled_ratio: Option<f64>,
    /// Memory in use, without the contents of files that can be dropped at once.
    pub memory_bytes: Option<u64>,
    /// Memory that it may use; `null` without a limit.
    pub memory_limit_bytes: Option<u64>,
    /// Bytes read a second from disks.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written a second to disks.
    pub written_bytes_per_second: Option<f64>,
    /// Tasks in it.
    pub tasks: Option<u64>,
}
