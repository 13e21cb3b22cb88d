//! The whole sampler on a tree, and on this machine.

use std::time::{Duration, Instant};

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
