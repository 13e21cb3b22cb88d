//! The whole sampler on a tree, and on this machine.

use std::time::{Duration, Instant};

use proptest::collection::vec;
use proptest::prelude::*;

use super::tree::{Tree, seconds};
use super::*;

fn readings(tree: &Tree) -> Readings {
    Readings::new(&Options { root: tree.root(), ..Options::default() }).unwrap()
}

/// No test waits longer for a probe.
const LONG: Duration = Duration::from_secs(30);

fn wait_for<T>(mut poll: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = poll() {
            return found;
        }
        assert!(begun.elapsed() < LONG, "it did not come");
        std::thread::yield_now();
    }
}

#[test]
fn an_empty_tree_tells_nothing_and_why() {
    let mut readings = readings(&Tree::new());
    let host = readings.tick(seconds(0), 3);
    assert_eq!((host.cpu.total_ratio, host.memory.used_ratio, host.pressure), (None, None, None));
    assert!(host.temperatures.is_empty() && host.batteries.is_empty() && host.gpus.is_empty());
    assert_eq!((host.sampler.ticks, host.sampler.missed_ticks), (1, 3));
    let cpu = &host.sampler.collectors[0];
    assert_eq!((cpu.name.as_str(), cpu.succeeded), ("cpu", false));
    assert!(cpu.error.as_ref().unwrap().contains("/proc/stat can't be read"), "{cpu:?}");
}

#[test]
fn a_driver_that_hangs_stalls_its_own_collector_alone() {
    let tree = Tree::new();
    tree.write("/proc/stat", "cpu 1 2 3 4\ncpu0 1 2 3 4\n").write("/proc/meminfo", "MemTotal: 9 kB\n");
    tree.write("/sys/class/hwmon/hwmon0/name", "nct6798\n");
    tree.hang("/sys/class/hwmon/hwmon0/temp1_input");
    let mut readings = readings(&tree);
    wait_for(|| readings.processes.latest(Instant::now()));
    let later = Moment { monotonic: Instant::now() + Duration::from_secs(8), unix_millis: 1 };
    let host = readings.tick(later, 0);
    assert!(host.temperatures.is_empty());
    assert!(readings.sensors.status(later.monotonic).is_stuck);
    assert_eq!(host.memory.total_bytes, 9 << 10, "the others go on");
    // Whoever writes to the pipe lets the driver answer.
    std::fs::write(tree.root().path("/sys/class/hwmon/hwmon0/temp1_input"), "40000\n").unwrap();
    let (sensors, _) = wait_for(|| readings.sensors.latest(Instant::now()));
    assert_eq!(sensors.temperatures[0].celsius, Some(40.0));
}

#[test]
fn this_machine_is_measured() {
    let mut readings = Readings::new(&Options::default()).unwrap();
    wait_for(|| readings.processes.latest(Instant::now()));
    wait_for(|| readings.file_systems.latest(Instant::now()));
    let host = readings.tick(Moment::now(), 0);
    assert!(host.memory.total_bytes > 0 && host.machine.logical_cores > 0);
    assert!(host.process_counts.unwrap().total > 0);
    let own = host.sampler.process.unwrap();
    assert!(own.memory_bytes > 0 && own.open_files.unwrap() > 0 && own.threads.unwrap() > 1);
    for name in ["cpu", "memory", "network", "file systems", "processes"] {
        let collector = host.sampler.collectors.iter().find(|collector| collector.name == name).unwrap();
        assert!(collector.succeeded && collector.duration_millis.is_some(), "{collector:?}");
    }
}

#[test]
fn a_file_system_is_as_busy_as_its_device() {
    let rates = |device, name: &str, read| DeviceRates { device, name: name.to_owned(), read, written: None };
    let all = [rates((8, 1), "sda1", Some(1.0)), rates((8, 2), "sda2", Some(2.0))];
    let of = |name: &str, device| {
        let disk = Disk { name: name.to_owned(), ..Disk::default() };
        with_rates(FileSystem { disk, device }, &all).read_bytes_per_second
    };
    assert_eq!(of("/dev/root", (8, 1)), Some(1.0));
    assert_eq!(of("/dev/sda2", (0, 40)), Some(2.0));
    assert_eq!(of("overlay", (0, 41)), None);
}

/// Every file that some collector reads.
const FILES: [&str; 46] = [
    "/proc/stat",
    "/proc/loadavg",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/proc/vmstat",
    "/proc/diskstats",
    "/proc/net/dev",
    "/proc/net/sockstat",
    "/proc/net/sockstat6",
    "/proc/pressure/cpu",
    "/proc/pressure/io",
    "/proc/self/stat",
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/proc/7/stat",
    "/proc/7/io",
    "/proc/7/fdinfo/3",
    "/etc/os-release",
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory.current",
    "/sys/fs/cgroup/memory.stat",
    "/sys/fs/cgroup/cpu.max",
    "/sys/class/net/eth0/operstate",
    "/sys/class/net/eth0/speed",
    "/sys/class/hwmon/hwmon0/name",
    "/sys/class/hwmon/hwmon0/temp1_input",
    "/sys/class/hwmon/hwmon0/temp1_label",
    "/sys/class/hwmon/hwmon0/temp1_crit",
    "/sys/class/hwmon/hwmon0/fan1_input",
    "/sys/class/hwmon/hwmon0/power1_input",
    "/sys/class/power_supply/BAT0/type",
    "/sys/class/power_supply/BAT0/status",
    "/sys/class/power_supply/BAT0/capacity",
    "/sys/class/power_supply/BAT0/energy_now",
    "/sys/class/power_supply/BAT0/power_now",
    "/sys/class/powercap/intel-rapl:0/name",
    "/sys/class/powercap/intel-rapl:0/energy_uj",
    "/sys/class/powercap/intel-rapl:0/max_energy_range_uj",
    "/sys/class/drm/card0/device/class",
    "/sys/class/drm/card0/device/vendor",
    "/sys/class/drm/card0/device/gpu_busy_percent",
    "/sys/class/drm/card0/device/pp_dpm_mclk",
    "/sys/block/sda/dm/name",
    "/sys/block/sda/hidden",
    "/sys/devices/system/cpu/cpu0/topology/core_id",
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
];

/// What a file begins with where its reader would else give up at once.
fn beginning(path: &str) -> &'static str {
    match path {
        "/proc/stat" => "cpu 1 2 3 4\nintr 5\n",
        "/proc/meminfo" => "MemTotal: 16 kB\n",
        "/proc/diskstats" => "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n",
        "/proc/net/dev" => "eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n",
        "/proc/7/stat" => "7 (x) S 1 7 7 0 -1 0 0 0 0 0 1 2 0 0 20 0 3 0 4 5 6 ",
        "/proc/7/fdinfo/3" => "drm-pdev: x\ndrm-client-id: 1\n",
        "/sys/class/power_supply/BAT0/type" => "Battery\n",
        "/sys/class/drm/card0/device/class" => "0x03",
        _ => "",
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever stands in any file, nothing panics, and what comes out can be sent: finite, and printable.
    #[test]
    fn any_bytes_in_any_file_are_survived(
        first in vec(vec(any::<u8>(), 0..48), FILES.len()), then in vec("[0-9 :=.\\n-]{0,24}", FILES.len())
    ) {
        let tree = Tree::new();
        tree.link("/proc/7/fd/3", "/dev/dri/card0");
        let root = tree.root();
        let options = Options { root: root.clone(), ..Options::default() };
        let (period, mut buffer) = (Duration::from_secs(1), Vec::new());
        let write = |contents: &[&[u8]]| {
            for (path, content) in FILES.iter().zip(contents) {
                tree.write(path, [beginning(path).as_bytes(), content].concat());
            }
        };
        write(&first.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let (mut cpu, mut pressure) =
            (cpu::CpuReader::new(&root, period), pressure::PressureReader::new(&root, period));
        let (mut memory, mut block) = (memory::MemoryReader::new(&root, period), BlockReader::new(&root, period));
        let (mut network, mut sockets) =
            (network::NetworkReader::new(&root, period), sockets::SocketReader::new(&root));
        let (mut power, mut gpus) = (power::PowerReader::new(&root, period), gpu::GpuReader::new(&root, period));
        let mut processes = processes::ProcessReader::new(&root, period, 10);
        let mut containers = containers::ContainerReader::new(&root, options.process_period);
        let mut itself = itself::SelfReader::new(&root, period);
        for at in 0..2 {
            let now = seconds(at);
            let sensors = hwmon::read(&root);
            let (links, energy) = (network::links(&root), power.read(now));
            let host = HostSnapshot {
                cpu: cpu.read(now, &mut buffer).unwrap_or_default(),
                pressure: pressure.read(now, &mut buffer),
                memory: memory.read(now, &mut buffer).unwrap_or_default(),
                block_devices: block.read(now, &mut buffer).unwrap_or_default().devices,
                networks: network.read(now, &links, &mut buffer).unwrap_or_default(),
                sockets: sockets.read(&mut buffer),
                temperatures: sensors.temperatures,
                fans: sensors.fans,
                powers: sensors.powers,
                batteries: energy.batteries,
                energy_zones: energy.zones,
                gpus: gpus.read(now),
                processes: processes.read(now).unwrap().processes,
                containers: containers.read(now),
                machine: machine::read(&root),
                ..HostSnapshot::default()
            };
            machine::clocks(&root);
            itself.read(now, &mut buffer);
            let json = serde_json::to_string(&host).unwrap();
            prop_assert!(!json.chars().any(char::is_control) && !json.contains("\\u00"), "{}", json);
            // JSON has no infinity: one would be written as null.
            let absent = format!("{host:?}").matches("None").count();
            prop_assert_eq!(json.matches("null").count(), absent, "{}", json);
            write(&then.iter().map(String::as_bytes).collect::<Vec<_>>());
        }
    }
}
