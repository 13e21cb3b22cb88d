//! Containers, as their control groups show them (Documentation/admin-guide/cgroup-v2.rst, cgroup-v1).

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use quillwork_protocol::host::Container;

use super::cgroup::{Version, group_number, hierarchy, inactive_file, memory_files, quota_cores};
use super::file::attribute;
use super::text::{lines, number, value, words};
use crate::sampler::names::{make_unique, printable};
use crate::sampler::rate::{Kept, Lap, Moment, Stopwatch};
use crate::sampler::root::SystemRoot;

/// Reads containers between two readings.
#[derive(Debug)]
pub(super) struct ContainerReader {
    hierarchies: Option<Hierarchies>,
    stopwatch: Stopwatch,
    before: Kept<Counters>,
}

/// Where each controller's groups are.
#[derive(Debug)]
struct Hierarchies {
    version: Version,
    memory: PathBuf,
    cpu: Option<PathBuf>,
    cpuacct: Option<PathBuf>,
    io: Option<PathBuf>,
    tasks: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    cpu_nanos: Option<u64>,
    throttled_nanos: Option<u64>,
    read: Option<u64>,
    written: Option<u64>,
}

impl ContainerReader {
    pub(super) fn new(root: &SystemRoot, period: Duration) -> Self {
        Self { hierarchies: Hierarchies::find(root), stopwatch: Stopwatch::new(period), before: Kept::new() }
    }

    /// All containers now, by name.
    pub(super) fn read(&mut self, now: Moment) -> Vec<Container> {
        let lap = self.stopwatch.lap(now);
        self.before.begin();
        let Some(hierarchies) = &self.hierarchies else { return Vec::new() };
        let mut containers = Vec::new();
        for (group, identity) in find(&hierarchies.memory) {
            let counters = hierarchies.counters(&group);
            let shown =
                printable(std::os::unix::ffi::OsStrExt::as_bytes(Path::new("/").join(&group).as_os_str()));
            let before = self.before.replace(&shown, counters);
            containers.push(hierarchies.container(&group, shown, identity, counters, lap.zip(before)));
        }
        containers.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.group.cmp(&b.group)));
        make_unique(&mut containers, |container| &mut container.name);
        containers
    }
}

impl Hierarchies {
    fn find(root: &SystemRoot) -> Option<Self> {
        let (version, mount) = hierarchy(root, "memory")?;
        let memory = root.path(mount.point);
        let of = |controller| match version {
            Version::V1 => hierarchy(root, controller).map(|(_, mount)| root.path(mount.point)),
            Version::V2 => Some(memory.clone()),
        };
        let (cpu, cpuacct, io, tasks) = (of("cpu"), of("cpuacct"), of("blkio"), of("pids"));
        Some(Self { version, memory, cpu, cpuacct, io, tasks })
    }

    fn counters(&self, group: &Path) -> Counters {
        let file = |of: &Option<PathBuf>, name: &str| attribute(&of.as_ref()?.join(group).join(name));
        let cpu_stat = file(&self.cpu, "cpu.stat").unwrap_or_default();
        match self.version {
            Version::V2 => {
                const MICRO: u64 = 1_000;
                let nanos = |key| value(&cpu_stat, key).and_then(|micros| micros.checked_mul(MICRO));
                let (read, written) = file(&self.io, "io.stat").map_or((None, None), |text| io_v2(&text));
                Counters {
                    cpu_nanos: nanos(b"usage_usec"),
                    throttled_nanos: nanos(b"throttled_usec"),
                    read,
                    written,
                }
            }
            Version::V1 => {
                let io = file(&self.io, "blkio.throttle.io_service_bytes");
                let (read, written) = io.map_or((None, None), |text| io_v1(&text));
                Counters {
                    cpu_nanos: file(&self.cpuacct, "cpuacct.usage").and_then(|text| number(&text)),
                    throttled_nanos: value(&cpu_stat, b"throttled_time"),
                    read,
                    written,
                }
            }
        }
    }

    fn container(
        &self,
        group: &Path,
        shown: String,
        identity: Identity,
        counters: Counters,
        since: Option<(Lap, Counters)>,
    ) -> Container {
        let memory = self.memory.join(group);
        let (limit, usage) = memory_files(self.version);
        let droppable = attribute(&memory.join("memory.stat"))
            .and_then(|stat| inactive_file(&stat, self.version))
            .unwrap_or(0);
        let rate = |of: fn(&Counters) -> Option<u64>| {
            let (lap, before) = since?;
            lap.per_second(of(&before)?, of(&counters)?)
        };
        const NANOS: f64 = 1e9;
        // The first version writes "no limit" as the largest number of whole pages.
        const UNLIMITED: u64 = 1 << 62;
        Container {
            name: identity.name,
            runtime: identity.runtime.to_owned(),
            group: shown,
            cpu_of_core_ratio: rate(|counters| counters.cpu_nanos).map(|nanos| nanos / NANOS),
            cpu_limit_cores: self.cpu.as_ref().and_then(|cpu| quota_cores(&cpu.join(group), self.version)),
            throttled_ratio: rate(|counters| counters.throttled_nanos).map(|nanos| (nanos / NANOS).min(1.0)),
            memory_bytes: group_number(&memory, usage).map(|bytes| bytes.saturating_sub(droppable)),
            memory_limit_bytes: group_number(&memory, limit).filter(|&bytes| bytes < UNLIMITED),
            read_bytes_per_second: rate(|counters| counters.read),
            written_bytes_per_second: rate(|counters| counters.written),
            tasks: self.tasks.as_ref().and_then(|tasks| group_number(&tasks.join(group), "pids.current")),
        }
    }
}

/// `8:0 rbytes=1 wbytes=2 rios=3 …`, a line for each device.
fn io_v2(text: &[u8]) -> (Option<u64>, Option<u64>) {
    let sum = |key: &[u8]| {
        let values =
            lines(text).filter_map(|line| number(words(line).find_map(|word| word.strip_prefix(key))?));
        Some(values.fold(0, u64::saturating_add))
    };
    (sum(b"rbytes="), sum(b"wbytes="))
}

/// `8:0 Read 1`, a line for each device and kind.
fn io_v1(text: &[u8]) -> (Option<u64>, Option<u64>) {
    let sum = |kind: &[u8]| {
        let values = lines(text).filter_map(|line| {
            let mut words = words(line).skip(1);
            (words.next()? == kind).then(|| number(words.next()?)).flatten()
        });
        Some(values.fold(0, u64::saturating_add))
    };
    (sum(b"Read"), sum(b"Write"))
}

/// Which container a group is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Identity {
    name: String,
    runtime: &'static str,
}

/// The groups of containers below a directory, as paths from it. Groups in a container are its own affair.
fn find(top: &Path) -> Vec<(PathBuf, Identity)> {
    let mut found = Vec::new();
    let mut waiting = vec![(PathBuf::new(), 0)];
    let mut looked_at = 0;
    while let Some((group, depth)) = waiting.pop() {
        looked_at += 1;
        if looked_at > MOST_GROUPS || found.len() == MOST_CONTAINERS {
            break;
        }
        let Ok(entries) = fs::read_dir(top.join(&group)) else { continue };
        for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
            let below = group.join(entry.file_name());
            match identity(&below) {
                Some(identity) => found.push((below, identity)),
                None if depth < MOST_LEVELS => waiting.push((below, depth + 1)),
                None => {}
            }
        }
    }
    found
}

const MOST_GROUPS: usize = 4_096;
const MOST_CONTAINERS: usize = 128;
const MOST_LEVELS: u32 = 8;

/// By the names that runtimes give to groups, with systemd as their manager and without.
fn identity(group: &Path) -> Option<Identity> {
    let name = group.file_name()?.to_str()?;
    let parent = group.parent().and_then(Path::to_str).unwrap_or_default();
    let runtime = |fallback| if parent.contains("kubepods") { "kubernetes" } else { fallback };
    let scope = name.strip_suffix(".scope").unwrap_or(name);
    const BY_ID: [(&str, &str); 4] =
        [("docker-", "docker"), ("libpod-", "podman"), ("cri-containerd-", "containerd"), ("crio-", "cri-o")];
    for (prefix, of) in BY_ID {
        if let Some(id) = scope.strip_prefix(prefix).filter(|id| is_id(id)) {
            return Some(Identity { name: short(id), runtime: runtime(of) });
        }
    }
    if is_id(name) {
        let of = match parent.rsplit('/').next() {
            Some("docker") => "docker",
            Some("libpod_parent") => "podman",
            _ => "container",
        };
        return Some(Identity { name: short(name), runtime: runtime(of) });
    }
    const BY_NAME: [(&str, &str); 2] = [("lxc.payload.", "lxc"), ("machine-", "nspawn")];
    let (prefix, of) = BY_NAME.into_iter().find(|(prefix, _)| scope.starts_with(prefix))?;
    // systemd names slices of machines alike.
    let given = scope.strip_prefix(prefix).filter(|given| !given.is_empty() && !given.ends_with(".slice"))?;
    Some(Identity { name: printable(given.as_bytes()), runtime: of })
}

fn is_id(text: &str) -> bool {
    const ID: usize = 64;
    text.len() == ID && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn short(id: &str) -> String {
    const SHORT: usize = 12;
    id.chars().take(SHORT).collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::sampler::linux::tree::{Tree, seconds};

    const PERIOD: Duration = Duration::from_secs(5);

    fn id(digit: char) -> String {
        digit.to_string().repeat(64)
    }

    #[test]
    fn containers_of_the_second_version_tell_use_and_limits() {
        let tree = Tree::new();
        tree.write("/proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
        tree.write("/sys/fs/cgroup/cgroup.controllers", "cpu io memory pids\n");
        let group = format!("/sys/fs/cgroup/system.slice/docker-{}.scope", id('a'));
        let files = [
            ("memory.current", "3000"),
            ("memory.max", "9000"),
            ("memory.stat", "anon 1\ninactive_file 1000"),
            ("cpu.max", "50000 100000"),
            ("cpu.stat", "usage_usec 1000000\nnr_throttled 1\nthrottled_usec 0"),
            ("io.stat", "8:0 rbytes=100 wbytes=0 rios=1\n8:16 rbytes=100 wbytes=50"),
            ("pids.current", "4"),
        ];
        tree.write_all(&group, &files);
        tree.write(&format!("{group}/inner-{}/memory.current", id('b')), "1\n");
        tree.write("/sys/fs/cgroup/system.slice/ssh.service/memory.current", "1\n");
        let mut reader = ContainerReader::new(&tree.root(), PERIOD);
        let first = reader.read(seconds(0));
        assert_eq!((first.len(), first[0].cpu_of_core_ratio), (1, None));
        tree.write(&format!("{group}/cpu.stat"), "usage_usec 3500000\nthrottled_usec 1250000\n");
        tree.write(&format!("{group}/io.stat"), "8:0 rbytes=600 wbytes=50\n8:16 rbytes=100 wbytes=50\n");
        let expected = Container {
            name: "a".repeat(12),
            runtime: "docker".to_owned(),
            group: format!("/system.slice/docker-{}.scope", id('a')),
            cpu_of_core_ratio: Some(0.5),
            cpu_limit_cores: Some(0.5),
            throttled_ratio: Some(0.25),
            memory_bytes: Some(2_000),
            memory_limit_bytes: Some(9_000),
            read_bytes_per_second: Some(100.0),
            written_bytes_per_second: Some(10.0),
            tasks: Some(4),
        };
        assert_eq!(reader.read(seconds(5)), [expected]);
    }

    #[test]
    fn containers_of_the_first_version_are_in_several_hierarchies() {
        let tree = Tree::new();
        let mount = |number: u32, controllers: &str| {
            format!(
                "{number} 30 0:{number} / /sys/fs/cgroup/{controllers} rw - cgroup cgroup rw,{controllers}\n"
            )
        };
        let table = [mount(40, "memory"), mount(41, "cpu,cpuacct"), mount(42, "blkio"), mount(43, "pids")];
        tree.write("/proc/self/mountinfo", table.concat());
        let group = format!("docker/{}", id('c'));
        let memory = [("memory.usage_in_bytes", "500"), ("memory.limit_in_bytes", "9223372036854771712")];
        tree.write_all(&format!("/sys/fs/cgroup/memory/{group}"), &memory);
        let cpu = [("cpuacct.usage", "0"), ("cpu.cfs_quota_us", "-1"), ("cpu.cfs_period_us", "100000")];
        tree.write_all(&format!("/sys/fs/cgroup/cpu,cpuacct/{group}"), &cpu);
        let io = [("blkio.throttle.io_service_bytes", "8:0 Read 10\n8:0 Write 20\nTotal 30")];
        tree.write_all(&format!("/sys/fs/cgroup/blkio/{group}"), &io);
        let mut reader = ContainerReader::new(&tree.root(), PERIOD);
        let first = reader.read(seconds(0));
        assert_eq!(
            (first[0].memory_bytes, first[0].memory_limit_bytes, first[0].cpu_limit_cores),
            (Some(500), None, None)
        );
        tree.write(&format!("/sys/fs/cgroup/cpu,cpuacct/{group}/cpuacct.usage"), "10000000000\n");
        let second = reader.read(seconds(5));
        assert_eq!((second[0].cpu_of_core_ratio, second[0].read_bytes_per_second), (Some(2.0), Some(0.0)));
    }

    #[test]
    fn runtimes_are_known_by_their_groups() {
        let of = |group: &str| identity(Path::new(group)).map(|identity| (identity.name, identity.runtime));
        let short = "d".repeat(12);
        let pod = format!("kubepods.slice/kubepods-pod1.slice/cri-containerd-{}.scope", id('d'));
        assert_eq!(of(&pod), Some((short.clone(), "kubernetes")));
        assert_eq!(of(&format!("machine.slice/libpod-{}.scope", id('d'))), Some((short.clone(), "podman")));
        assert_eq!(of(&format!("docker/{}", id('d'))), Some((short, "docker")));
        assert_eq!(of("lxc.payload.web"), Some(("web".to_owned(), "lxc")));
        assert_eq!(of("machine.slice/machine-build.scope"), Some(("build".to_owned(), "nspawn")));
        for other in ["system.slice", "machine.slice", "user.slice/docker-short.scope", "init.scope"] {
            assert_eq!(of(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..64)) {
            io_v1(&bytes);
            io_v2(&bytes);
            identity(Path::new(&*String::from_utf8_lossy(&bytes)));
        }
    }
}
