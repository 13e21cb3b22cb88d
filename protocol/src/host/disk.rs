//! File systems and block devices.

use alloc::string::String;

use serde::{Deserialize, Serialize};

/// One file system.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct Disk {
    /// Mount point.
    pub mount: String,
    /// Device or file system name.
    pub name: String,
    /// File system type.
    pub file_system: String,
    /// Size; 0 where it is stuck and was never read.
    pub total_bytes: u64,
    /// Free for unprivileged users.
    pub available_bytes: u64,
    /// Free for everybody: more than `availableBytes` where a part is reserved.
    pub free_bytes: Option<u64>,
    /// Files that there can be; `null` where the file system has no such limit.
    pub inodes_total: Option<u64>,
    /// Files that there can still be.
    pub inodes_free: Option<u64>,
    /// Whether nothing can be written to it.
    pub is_read_only: bool,
    /// It does not answer: the sizes are the last ones known.
    pub is_stuck: bool,
    /// Bytes read a second from its device over the last tick.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written a second to its device over the last tick.
    pub written_bytes_per_second: Option<f64>,
}

impl Disk {
    /// Share in use of what unprivileged users can have, 0 to 1, as `df` tells it: what is reserved for the system is
    /// neither used nor room. `None` where the size is unknown, or the file system does not answer.
    #[must_use]
    pub fn used_ratio(&self) -> Option<f64> {
        let free = self.free_bytes.unwrap_or(self.available_bytes);
        let used = self.total_bytes.saturating_sub(free);
        let all = used.saturating_add(self.available_bytes);
        #[expect(clippy::cast_precision_loss, reason = "a share of two byte counts")]
        (all > 0 && !self.is_stuck).then(|| used as f64 / all as f64)
    }
}

/// One block device: a whole disk, or something stacked on others (LVM, RAID, encryption).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(default, rename_all = "camelCase")]
pub struct BlockDevice {
    /// Kernel name, or the name that the device mapper gave.
    pub name: String,
    /// Its bytes are those of other devices of the list as well, so that it is left out of totals.
    pub is_stacked: bool,
    /// Bytes read since the machine started.
    pub read_bytes_total: u64,
    /// Bytes written since the machine started.
    pub written_bytes_total: u64,
    /// Reads completed since the machine started.
    pub reads_total: u64,
    /// Writes completed since the machine started.
    pub writes_total: u64,
    /// Bytes read a second.
    pub read_bytes_per_second: Option<f64>,
    /// Bytes written a second.
    pub written_bytes_per_second: Option<f64>,
    /// Reads a second.
    pub reads_per_second: Option<f64>,
    /// Writes a second.
    pub writes_per_second: Option<f64>,
    /// Mean time of a read over the last tick, queueing included; `null` where there was none.
    pub read_await_millis: Option<f64>,
    /// Mean time of a write over the last tick, queueing included; `null` where there was none.
    pub write_await_millis: Option<f64>,
    /// Mean number of requests that waited or ran.
    pub queue: Option<f64>,
    /// Share of the last tick in which at least one request ran, 0 to 1. A device that runs many at once can do more at 1.
    pub busy_ratio: Option<f64>,
    /// Requests that wait or run now.
    pub in_flight: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_reserved_is_neither_used_nor_room() {
        let mut disk =
            Disk { total_bytes: 100, free_bytes: Some(80), available_bytes: 60, ..Disk::default() };
        assert_eq!(disk.used_ratio(), Some(0.25));
        disk.free_bytes = None;
        assert_eq!(disk.used_ratio(), Some(0.4));
        disk.is_stuck = true;
        assert_eq!((disk.used_ratio(), Disk::default().used_ratio()), (None, None));
    }
}
