//! Facts that don't change while the host runs, and the clocks of the processors.

use std::collections::BTreeSet;

use quillwork_protocol::host::Machine;

use super::cgroup::cpu_limit_cores;
use super::file::{KeptFile, attribute, label, names, number};
use super::text::{float, lines, number as parse_number, value};
use crate::sampler::names::printable;
use crate::sampler::rate::float as as_float;
use crate::sampler::root::SystemRoot;

/// Reads them once. What the system doesn't tell is empty.
pub(super) fn read(root: &SystemRoot) -> Machine {
    let text = |path: &str| label(&root.path(path)).unwrap_or_default();
    let mut buffer = Vec::new();
    let cpuinfo = KeptFile::new(root.path("/proc/cpuinfo")).read(&mut buffer).unwrap_or_default().to_vec();
    let stat = KeptFile::new(root.path("/proc/stat")).read(&mut buffer).unwrap_or_default().to_vec();
    let cores = lines(&stat).filter(|line| line.strip_prefix(b"cpu").is_some_and(starts_with_digit)).count();
    Machine {
        name: text("/proc/sys/kernel/hostname"),
        system: system(root).unwrap_or_default(),
        kernel: text("/proc/sys/kernel/osrelease"),
        cpu_model: ["model name", "cpu model", "Model", "Hardware", "cpu"]
            .iter()
            .find_map(|key| field(&cpuinfo, key.as_bytes()))
            .unwrap_or_default(),
        logical_cores: u32::try_from(cores).unwrap_or(u32::MAX),
        physical_cores: physical_cores(root),
        cpu_limit_cores: cpu_limit_cores(root),
        booted_at_unix_millis: value(&stat, b"btime").and_then(|seconds| seconds.checked_mul(1_000)),
    }
}

fn starts_with_digit(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_digit)
}

/// `PRETTY_NAME="Debian GNU/Linux 13 (trixie)"` (os-release(5)).
fn system(root: &SystemRoot) -> Option<String> {
    let text =
        ["/etc/os-release", "/usr/lib/os-release"].iter().find_map(|path| attribute(&root.path(path)))?;
    let value = lines(&text).find_map(|line| line.strip_prefix(b"PRETTY_NAME="))?;
    let value = value.trim_ascii();
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    Some(printable(unquoted.unwrap_or(value)))
}

/// `model name : Intel(R) …`, of the first processor.
fn field(text: &[u8], key: &[u8]) -> Option<String> {
    let value = lines(text).find_map(|line| {
        let colon = line.iter().position(|&byte| byte == b':')?;
        (line[..colon].trim_ascii() == key).then(|| line[colon + 1..].trim_ascii())
    })?;
    (!value.is_empty()).then(|| printable(value))
}

/// Cores without counting their threads twice: pairs of package and core.
fn physical_cores(root: &SystemRoot) -> Option<u32> {
    let cores: BTreeSet<_> = cpus(root)
        .into_iter()
        .filter_map(|cpu| {
            let topology = root.path("/sys/devices/system/cpu").join(cpu).join("topology");
            Some((attribute(&topology.join("physical_package_id"))?, number(&topology.join("core_id"))?))
        })
        .collect();
    u32::try_from(cores.len()).ok().filter(|&cores| cores > 0)
}

/// `cpu0`, `cpu1`, …, in the order of their numbers.
fn cpus(root: &SystemRoot) -> Vec<String> {
    let number = |name: &str| name.strip_prefix("cpu").and_then(|number| parse_number(number.as_bytes()));
    let mut cpus = names(&root.path("/sys/devices/system/cpu"));
    cpus.retain(|name| number(name).is_some());
    cpus.sort_by_key(|name| number(name));
    cpus
}

/// The clock of each processor now. To ask for it may wake a processor, so this runs in a probe.
pub(super) fn clocks(root: &SystemRoot) -> Vec<Option<f64>> {
    const KILO: f64 = 1e3;
    const MEGA: f64 = 1e6;
    let directory = root.path("/sys/devices/system/cpu");
    let hertz = |cpu: String| {
        number(&directory.join(cpu).join("cpufreq/scaling_cur_freq")).map(|kilo| as_float(kilo) * KILO)
    };
    let clocks: Vec<_> = cpus(root).into_iter().map(hertz).collect();
    if clocks.iter().any(Option::is_some) {
        return clocks;
    }
    // Virtual machines have no scaling, but may tell a clock here.
    let mut buffer = Vec::new();
    let mut cpuinfo = KeptFile::new(root.path("/proc/cpuinfo"));
    let text = cpuinfo.read(&mut buffer).unwrap_or_default();
    let clock = |line: &[u8]| {
        let value = line.strip_prefix(b"cpu MHz")?.trim_ascii().strip_prefix(b":")?;
        Some(float(value.trim_ascii()).map(|mega| mega * MEGA))
    };
    lines(text).filter_map(clock).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampler::linux::tree::Tree;

    #[test]
    fn two_threads_of_one_core_are_one_core() {
        let tree = Tree::new();
        tree.write("/proc/stat", "cpu 1 2 3 4\ncpu0 1 2 3 4\ncpu1 1 2 3 4\nbtime 1700000000\n");
        tree.write("/proc/cpuinfo", "processor\t: 0\nmodel name\t: A \x1bfast one\ncpu MHz\t\t: 2400.5\n");
        tree.write("/etc/os-release", "ID=x\nPRETTY_NAME=\"Some Linux 1\"\n");
        tree.write("/proc/sys/kernel/hostname", "studio\n");
        for (cpu, core) in [("cpu0", "0"), ("cpu1", "0"), ("cpu10", "1")] {
            let files = [("physical_package_id", "0"), ("core_id", core)];
            tree.write_all(&format!("/sys/devices/system/cpu/{cpu}/topology"), &files);
        }
        let machine = read(&tree.root());
        assert_eq!((machine.logical_cores, machine.physical_cores), (2, Some(2)));
        assert_eq!(
            (machine.cpu_model.as_str(), machine.system.as_str()),
            ("A \u{fffd}fast one", "Some Linux 1")
        );
        assert_eq!(
            (machine.name.as_str(), machine.booted_at_unix_millis),
            ("studio", Some(1_700_000_000_000))
        );
        assert_eq!(clocks(&tree.root()), [Some(2_400.5e6)]);
        tree.write("/sys/devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "800000\n");
        assert_eq!(clocks(&tree.root()), [None, Some(8e8), None]);
    }

    #[test]
    fn a_bare_tree_tells_nothing() {
        assert_eq!(read(&Tree::new().root()), Machine::default());
        assert_eq!(clocks(&Tree::new().root()), []);
    }
}
