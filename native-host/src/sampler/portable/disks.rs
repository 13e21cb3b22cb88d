//! File systems that hold data of their own, and what is read from and written to their devices.

use std::collections::BTreeMap;
use std::time::Duration;

use quillwork_protocol::host::Disk;
use sysinfo::{DiskRefreshKind, Disks};

use crate::sampler::fault::Fault;
use crate::sampler::names::{make_unique, printable};
use crate::sampler::rate::{Kept, Moment, Stopwatch};

/// Reads file systems. A dead network mount blocks in the kernel, so this runs in a probe.
#[derive(Debug)]
pub(super) struct DiskReader {
    disks: Option<Disks>,
    stopwatch: Stopwatch,
    before: Kept<(u64, u64)>,
}

impl DiskReader {
    /// Nothing has been read yet.
    pub(super) fn new(period: Duration) -> Self {
        Self { disks: Disks::new().ok(), stopwatch: Stopwatch::new(period), before: Kept::new() }
    }

    /// All file systems now.
    pub(super) fn read(&mut self, now: Moment) -> Result<Vec<Disk>, Fault> {
        let disks =
            self.disks.as_mut().ok_or_else(|| Fault("this system does not tell of disks".to_owned()))?;
        disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage().with_io_usage());
        let lap = self.stopwatch.lap(now);
        self.before.begin();
        let mut result = Vec::new();
        for mount in deduplicated(disks.iter().map(Mount::of)) {
            let counters = mount.counters;
            let before = counters.and_then(|counters| self.before.replace(&mount.disk.mount, counters));
            let rates = lap.zip(before).zip(counters).map(|((lap, before), now)| {
                (lap.per_second(before.0, now.0), lap.per_second(before.1, now.1))
            });
            let (read, written) = rates.unwrap_or_default();
            result.push(Disk {
                read_bytes_per_second: read,
                written_bytes_per_second: written,
                ..mount.disk
            });
        }
        result.sort_by(|a, b| a.mount.cmp(&b.mount));
        make_unique(&mut result, |disk| &mut disk.mount);
        Ok(result)
    }
}

/// One line of the mount table.
#[derive(Clone, Debug)]
struct Mount {
    disk: Disk,
    /// Two mounts with the same identity show the same data.
    identity: String,
    /// Bytes read and written, where the name is that of a device; for the rest sysinfo answers zero, which nobody
    /// measured.
    counters: Option<(u64, u64)>,
}

impl Mount {
    fn of(disk: &sysinfo::Disk) -> Self {
        let name = printable(disk.name().as_encoded_bytes());
        let usage = disk.usage();
        let is_device = name.starts_with("/dev/");
        Self {
            // Sub-volumes have numbers of their own on one device, so its name decides where there is one.
            identity: if is_device { name.clone() } else { format!("{name} {:?}", disk.id()) },
            counters: is_device.then_some((usage.total_read_bytes, usage.total_written_bytes)),
            disk: Disk {
                mount: printable(disk.mount_point().as_os_str().as_encoded_bytes()),
                name,
                file_system: disk.file_system().to_string_lossy().into_owned(),
                total_bytes: disk.total_space(),
                available_bytes: disk.available_space().min(disk.total_space()),
                ..Disk::default()
            },
        }
    }

    fn holds_data(&self) -> bool {
        // sysinfo leaves out most pseudo file systems and network mounts; these are left.
        const PSEUDO: [&str; 7] =
            ["tmpfs", "ramfs", "tracefs", "debugfs", "securityfs", "efivarfs", "fuse.portal"];
        self.disk.total_bytes > 0
            && !PSEUDO.contains(&self.disk.file_system.as_str())
            // A container's root is an overlay; every other overlay repeats some container's root.
            && (self.disk.file_system != "overlay" || self.disk.mount == "/")
    }
}

/// Bind mounts of one device are one file system, shown at its shortest mount point.
fn deduplicated(mounts: impl Iterator<Item = Mount>) -> Vec<Mount> {
    let mut by_identity = BTreeMap::<String, Mount>::new();
    for mount in mounts.filter(Mount::holds_data) {
        let shorter = by_identity
            .get(&mount.identity)
            .is_none_or(|other| mount.disk.mount.len() < other.disk.mount.len());
        if shorter {
            by_identity.insert(mount.identity.clone(), mount);
        }
    }
    by_identity.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(name: &str, mount: &str, file_system: &str, total_bytes: u64) -> Mount {
        let disk = Disk {
            mount: mount.into(),
            name: name.into(),
            file_system: file_system.into(),
            total_bytes,
            ..Disk::default()
        };
        Mount { disk, identity: name.into(), counters: None }
    }

    #[test]
    fn only_data_is_shown_and_only_once() {
        let table = [
            mount("/dev/sda1", "/etc/hosts", "ext4", 100),
            mount("/dev/sda1", "/", "ext4", 100),
            mount("/dev/sda1", "/var/lib/docker", "ext4", 100),
            mount("/dev/sdb1", "/data", "xfs", 200),
            mount("overlay", "/var/lib/docker/overlay2/x/merged", "overlay", 100),
            mount("tmpfs", "/dev/shm", "tmpfs", 50),
            mount("binfmt", "/somewhere", "binfmt_misc", 0),
        ];
        let shown: Vec<_> = deduplicated(table.into_iter()).into_iter().map(|m| m.disk.mount).collect();
        assert_eq!(shown, ["/", "/data"]);
    }

    #[test]
    fn the_overlay_of_a_container_is_its_disk() {
        let table = [mount("overlay", "/", "overlay", 100)];
        assert_eq!(deduplicated(table.into_iter()).len(), 1);
    }
}
