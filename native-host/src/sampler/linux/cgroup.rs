//! The control group that the host runs in, and those around it: what they allow
//! (Documentation/admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use quillwork_protocol::host::MemoryLimit;

use super::file::{KeptFile, attribute, number};
use super::mounts::{self, Mount};
use super::text::{self, float, lines, words};
use crate::sampler::names::printable;
use crate::sampler::root::SystemRoot;

/// The limits on memory of the host's own group and its parents, up to the root of the hierarchy.
#[derive(Debug)]
pub(super) struct MemoryLimits {
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    group: String,
    version: Version,
    limit: KeptFile,
    usage: KeptFile,
    stat: KeptFile,
}

/// The two interfaces of control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2,
}

/// A directory of the hierarchy with the group's name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: String,
    directory: PathBuf,
}

impl MemoryLimits {
    /// Finds the groups. There are none where the machine has no control groups.
    pub(super) fn find(root: &SystemRoot) -> Self {
        let Some((version, groups)) = own_groups(root, "memory") else { return Self { levels: Vec::new() } };
        let levels = groups.into_iter().map(|group| {
            let file = |name: &str| KeptFile::new(group.directory.join(name));
            let (limit, usage) = memory_files(version);
            Level {
                limit: file(limit),
                usage: file(usage),
                stat: file("memory.stat"),
                version,
                group: group.name,
            }
        });
        Self { levels: levels.collect() }
    }

    /// The group below `machine_total` that is nearest to its limit: the first that will be met.
    pub(super) fn read(&mut self, machine_total: u64, buffer: &mut Vec<u8>) -> Option<MemoryLimit> {
        let limits = self.levels.iter_mut().filter_map(|level| level.read(machine_total, buffer));
        limits.min_by_key(|limit| limit.bytes.saturating_sub(limit.used_bytes))
    }
}

impl Level {
    fn read(&mut self, machine_total: u64, buffer: &mut Vec<u8>) -> Option<MemoryLimit> {
        // "max", and the largest number there is, are no limits.
        let bytes = text::number(self.limit.read(buffer).ok()?.trim_ascii())?;
        if bytes >= machine_total {
            return None;
        }
        let usage = text::number(self.usage.read(buffer).ok()?.trim_ascii())?;
        let droppable = self.stat.read(buffer).ok().and_then(|stat| inactive_file(stat, self.version));
        let used_bytes = usage.saturating_sub(droppable.unwrap_or(0));
        Some(MemoryLimit { group: self.group.clone(), bytes, used_bytes })
    }
}

/// Names of the files that hold a group's limit on memory and its use.
pub(super) fn memory_files(version: Version) -> (&'static str, &'static str) {
    match version {
        Version::V1 => ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        Version::V2 => ("memory.max", "memory.current"),
    }
}

/// Contents of files that nobody used of late: what can be dropped at once counts as available, as in the kernel's
/// `MemAvailable`. In the first version only `total_…` includes the groups below.
pub(super) fn inactive_file(stat: &[u8], version: Version) -> Option<u64> {
    let key: &[u8] = match version {
        Version::V1 => b"total_inactive_file",
        Version::V2 => b"inactive_file",
    };
    text::value(stat, key)
}

/// Cores that the quotas of the host's own group and its parents allow; `None` without a quota.
pub(super) fn cpu_limit_cores(root: &SystemRoot) -> Option<f64> {
    let (version, groups) = own_groups(root, "cpu")?;
    groups.iter().filter_map(|group| quota_cores(&group.directory, version)).reduce(f64::min)
}

/// Cores that a group's quota allows.
pub(super) fn quota_cores(group: &Path, version: Version) -> Option<f64> {
    let (quota, period) = match version {
        Version::V1 => (
            // -1 is no quota, and no whole number either.
            attribute(&group.join("cpu.cfs_quota_us"))?,
            attribute(&group.join("cpu.cfs_period_us"))?,
        ),
        Version::V2 => {
            let text = attribute(&group.join("cpu.max"))?;
            let mut words = words(&text);
            (words.next()?.to_vec(), words.next()?.to_vec())
        }
    };
    text::number(&quota)?;
    Some(float(&quota)? / float(&period).filter(|&period| period > 0.0)?)
}

/// Where the hierarchy with a controller is mounted, and which version it is.
pub(super) fn hierarchy(root: &SystemRoot, controller: &str) -> Option<(Version, Mount)> {
    let table = attribute_of_any_length(&root.path("/proc/self/mountinfo"))?;
    let mounts = mounts::parse(&table);
    let has =
        |options: &[u8]| options.split(|&byte| byte == b',').any(|option| option == controller.as_bytes());
    let first = mounts.iter().find(|mount| mount.file_system == b"cgroup" && has(&mount.options));
    if let Some(mount) = first {
        return Some((Version::V1, mount.clone()));
    }
    let mount = mounts.into_iter().find(|mount| mount.file_system == b"cgroup2")?;
    // A hierarchy beside those of the first version may hold no controller at all.
    let controllers = attribute(&root.path(&mount.point).join("cgroup.controllers"))?;
    words(&controllers).any(|word| word == controller.as_bytes()).then_some((Version::V2, mount))
}

/// The host's own group and its parents, itself first.
fn own_groups(root: &SystemRoot, controller: &str) -> Option<(Version, Vec<Group>)> {
    let (version, mount) = hierarchy(root, controller)?;
    let path = own_path(&attribute_of_any_length(&root.path("/proc/self/cgroup"))?, version, controller)?;
    let top = root.path(&mount.point);
    // In a container the group's own directory may be what is mounted.
    let below = path.strip_prefix(mount.of.as_slice()).unwrap_or_default();
    let below = Path::new(OsStr::from_bytes(below.strip_prefix(b"/").unwrap_or(below)));
    // A path out of the mounted part leads to directories that aren't groups of ours.
    let below = if below.components().all(|part| matches!(part, Component::Normal(_))) {
        below
    } else {
        Path::new("")
    };
    let groups = below.ancestors().take(MOST_LEVELS).map(|part| Group {
        name: printable(Path::new("/").join(part).as_os_str().as_bytes()),
        directory: top.join(part),
    });
    Some((version, groups.collect()))
}

/// Deeper than any container in a container.
const MOST_LEVELS: usize = 32;

/// `4:memory:/user.slice`, or `0::/user.slice` in the second version.
fn own_path(text: &[u8], version: Version, controller: &str) -> Option<Vec<u8>> {
    lines(text).find_map(|line| {
        let mut parts = line.splitn(3, |&byte| byte == b':');
        let (number, controllers, path) = (parts.next()?, parts.next()?, parts.next()?);
        let is_it = match version {
            Version::V1 => controllers.split(|&byte| byte == b',').any(|name| name == controller.as_bytes()),
            Version::V2 => number == b"0" && controllers.is_empty(),
        };
        is_it.then(|| path.to_vec())
    })
}

/// Tables of mounts are longer than attributes.
fn attribute_of_any_length(path: &Path) -> Option<Vec<u8>> {
    let mut buffer = Vec::new();
    KeptFile::new(path.to_owned()).read(&mut buffer).ok().map(<[u8]>::to_vec)
}

/// The number in a group's file.
pub(super) fn group_number(group: &Path, file: &str) -> Option<u64> {
    number(&group.join(file))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sampler::linux::tree::Tree;

    const MACHINE: u64 = 16 << 30;
    const GIB: u64 = 1 << 30;

    fn v2(own: &str) -> Tree {
        let tree = Tree::new();
        tree.write("/proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        tree.write("/proc/self/cgroup", format!("0::{own}\n"));
        tree.write("/sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
        tree
    }

    fn level(tree: &Tree, group: &str, max: &str, current: u64, inactive: u64) {
        tree.write(&format!("/sys/fs/cgroup{group}/memory.max"), format!("{max}\n"));
        tree.write(&format!("/sys/fs/cgroup{group}/memory.current"), format!("{current}\n"));
        tree.write(
            &format!("/sys/fs/cgroup{group}/memory.stat"),
            format!("anon 1\ninactive_file {inactive}\n"),
        );
    }

    #[test]
    fn a_parent_s_limit_counts_where_it_is_met_first() {
        let tree = v2("/a.slice/b.service");
        level(&tree, "/a.slice/b.service", &(4 * GIB).to_string(), GIB, 0);
        level(&tree, "/a.slice", &(6 * GIB).to_string(), 5 * GIB, GIB / 2);
        let mut limits = MemoryLimits::find(&tree.root());
        let limit = limits.read(MACHINE, &mut Vec::new()).unwrap();
        assert_eq!((limit.group.as_str(), limit.bytes), ("/a.slice", 6 * GIB));
        assert_eq!(limit.used_bytes, 5 * GIB - GIB / 2, "what can be dropped is not in use");
        level(&tree, "/a.slice", "max", 5 * GIB, 0);
        assert_eq!(limits.read(MACHINE, &mut Vec::new()).unwrap().group, "/a.slice/b.service");
    }

    #[test]
    fn no_limit_is_none() {
        let tree = v2("/");
        level(&tree, "", "max", GIB, 0);
        assert_eq!(MemoryLimits::find(&tree.root()).read(MACHINE, &mut Vec::new()), None);
        assert_eq!(MemoryLimits::find(&Tree::new().root()).read(MACHINE, &mut Vec::new()), None);
        level(&tree, "", &(64 * GIB).to_string(), GIB, 0);
        assert_eq!(
            MemoryLimits::find(&tree.root()).read(MACHINE, &mut Vec::new()),
            None,
            "above the machine's"
        );
    }

    #[test]
    fn the_first_version_is_read_in_a_container() {
        let tree = Tree::new();
        tree.write(
            "/proc/self/mountinfo",
            "40 30 0:30 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n\
             41 30 0:31 /docker/abc /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n\
             42 30 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        );
        tree.write("/proc/self/cgroup", "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n0::/\n");
        tree.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", (2 * GIB).to_string());
        tree.write("/sys/fs/cgroup/memory/memory.usage_in_bytes", GIB.to_string());
        tree.write("/sys/fs/cgroup/memory/memory.stat", "inactive_file 1\ntotal_inactive_file 1024\n");
        tree.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "150000\n");
        tree.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
        let limit = MemoryLimits::find(&tree.root()).read(MACHINE, &mut Vec::new()).unwrap();
        assert_eq!((limit.bytes, limit.used_bytes), (2 * GIB, GIB - 1024));
        assert_eq!(cpu_limit_cores(&tree.root()), Some(1.5));
        tree.write("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
        assert_eq!(cpu_limit_cores(&tree.root()), None);
        tree.write("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
        assert_eq!(MemoryLimits::find(&tree.root()).read(MACHINE, &mut Vec::new()), None);
    }

    #[test]
    fn the_tightest_quota_counts() {
        let tree = v2("/a/b");
        tree.write("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
        tree.write("/sys/fs/cgroup/a/cpu.max", "250000 100000\n");
        assert_eq!(cpu_limit_cores(&tree.root()), Some(2.5));
        tree.write("/sys/fs/cgroup/a/cpu.max", "250000 0\n");
        assert_eq!(cpu_limit_cores(&tree.root()), None);
    }

    #[test]
    fn a_path_that_leads_out_is_not_followed() {
        let tree = v2("/../../other");
        level(&tree, "", &GIB.to_string(), 1, 0);
        let limit = MemoryLimits::find(&tree.root()).read(MACHINE, &mut Vec::new()).unwrap();
        assert_eq!(limit.group, "/");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..64)) {
            own_path(&bytes, Version::V1, "memory");
            own_path(&bytes, Version::V2, "memory");
            inactive_file(&bytes, Version::V2);
        }
    }
}
