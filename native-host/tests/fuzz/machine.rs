//! Files of `/proc` and `/sys`, as kernels and drivers that nobody tried write them.

use std::fs;
use std::time::Duration;

use quillwork_host::sampler::{Options, SystemRoot, measure_once};
use serde_json::Value;

use crate::runner::{Outcome, Shape, Target, fuzz};

/// Files of a machine, each after a line with its path.
const MACHINE: &str = "\
=== /proc/stat
cpu  100 2 30 4000 50 6 7 8 0 0
cpu0 50 1 15 2000 25 3 3 4 0 0
cpu1 50 1 15 2000 25 3 4 4 0 0
intr 12345
ctxt 67890
processes 321
procs_running 2
procs_blocked 0
=== /proc/loadavg
0.50 0.25 0.10 2/321 4567
=== /proc/meminfo
MemTotal:       16384000 kB
MemFree:         1024000 kB
MemAvailable:    8192000 kB
Cached:          4096000 kB
SwapTotal:       2048000 kB
SwapFree:        2047000 kB
=== /proc/vmstat
pswpin 1
pswpout 2
oom_kill 0
=== /proc/diskstats
   8       0 sda 100 2 3000 40 500 6 7000 80 0 90 100 0 0 0 0
   8       1 sda1 90 2 2900 30 400 6 6000 70 0 80 90 0 0 0 0
=== /proc/net/dev
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
    lo: 1000 10 0 0 0 0 0 0 1000 10 0 0 0 0 0 0
  eth0: 5000 50 1 2 0 0 0 0 6000 60 0 0 0 0 0 0
=== /proc/net/sockstat
sockets: used 300
TCP: inuse 20 orphan 0 tw 3 alloc 25 mem 4
UDP: inuse 5 mem 2
=== /proc/pressure/cpu
some avg10=1.50 avg60=0.75 avg300=0.25 total=123456
full avg10=0.00 avg60=0.00 avg300=0.00 total=0
=== /proc/self/stat
42 (quillwork (a)) S 1 42 42 0 -1 4194560 100 0 0 0 11 22 0 0 20 0 9 0 1000 100000000 2000 18446744073709551615
=== /proc/self/cgroup
0::/user.slice/app
=== /proc/self/mountinfo
25 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 25 0:26 / /srv\\040a rw - tmpfs tmpfs rw
=== /proc/7/stat
7 (a) b) (c) R 1 7 7 0 -1 0 10 0 0 0 100 200 0 0 20 0 3 0 400 500000 600 0
=== /proc/7/io
rchar: 1
wchar: 2
read_bytes: 4096
write_bytes: 8192
=== /proc/7/cgroup
0::/system.slice/docker-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope
=== /etc/os-release
PRETTY_NAME=\"A System 1.0\"
=== /sys/fs/cgroup/user.slice/app/memory.max
8589934592
=== /sys/fs/cgroup/user.slice/app/memory.current
1073741824
=== /sys/fs/cgroup/user.slice/app/memory.stat
anon 1000
file 2000
inactive_file 500
=== /sys/fs/cgroup/user.slice/app/cpu.max
200000 100000
=== /sys/class/net/eth0/operstate
up
=== /sys/class/net/eth0/speed
1000
=== /sys/class/hwmon/hwmon0/name
coretemp
=== /sys/class/hwmon/hwmon0/temp1_input
45000
=== /sys/class/hwmon/hwmon0/temp1_label
Package id 0
=== /sys/class/hwmon/hwmon0/temp1_crit
100000
=== /sys/class/hwmon/hwmon0/fan1_input
1200
=== /sys/class/power_supply/BAT0/type
Battery
=== /sys/class/power_supply/BAT0/status
Discharging
=== /sys/class/power_supply/BAT0/capacity
87
=== /sys/class/power_supply/BAT0/energy_now
43000000
=== /sys/class/power_supply/BAT0/energy_full
50000000
=== /sys/class/power_supply/BAT0/power_now
12000000
=== /sys/class/powercap/intel-rapl:0/name
package-0
=== /sys/class/powercap/intel-rapl:0/energy_uj
123456789
=== /sys/class/drm/card0/device/class
0x030000
=== /sys/class/drm/card0/device/vendor
0x1002
=== /sys/class/drm/card0/device/gpu_busy_percent
35
=== /sys/class/drm/card0/device/pp_dpm_mclk
0: 96Mhz
1: 1000Mhz *
=== /sys/devices/system/cpu/cpu0/topology/core_id
0
=== /sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq
2400000
=== /proc/cpuinfo
processor\t: 0
model name\t: A Processor @ 2.40GHz
cpu MHz\t\t: 2400.000
";

/// Whatever the files say: what is told of them is finite, printable and of bounded length.
fn check(input: &[u8]) -> Outcome {
    let root = tempfile::tempdir().unwrap();
    let text = String::from_utf8_lossy(MACHINE.as_bytes());
    let known: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("=== ")).collect();
    let mut rest = input;
    let mut current: Option<(&str, Vec<u8>)> = None;
    let write = |file: Option<(&str, Vec<u8>)>| {
        let Some((path, content)) = file else { return };
        let path = root.path().join(&path[1..]);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    while !rest.is_empty() {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        let path = line.strip_prefix(b"=== ").map(<[u8]>::trim_ascii_end);
        match known.iter().find(|known| path == Some(known.as_bytes())) {
            Some(path) => write(current.replace((*path, Vec::new()))),
            None => current.iter_mut().for_each(|(_, content)| content.extend_from_slice(line)),
        }
    }
    write(current);
    let options = Options { root: SystemRoot::new(root.path()), ..Options::default() };
    let host = measure_once(&options, Duration::from_secs(30)).unwrap();
    let json = serde_json::to_string(&host).unwrap();
    let told: Value = serde_json::from_str(&json).unwrap();
    assert!(is_printable(&told), "{json}");
    // JSON has no infinity: one would be written as null, as only what is absent is.
    let absent = format!("{host:?}").matches("None").count();
    assert_eq!(nulls(&told), absent, "{json}");
    assert!(json.len() < 1 << 20, "{} bytes", json.len());
    let ratios = [host.cpu.total_ratio, host.memory.used_ratio];
    assert!(ratios.iter().flatten().all(|ratio| (0.0..=1.0).contains(ratio)), "{ratios:?}");
    if host.memory.total_bytes > 0 { Outcome::Taken } else { Outcome::Refused }
}

/// No string in it holds a control character. What looks like an escaped one in JSON may be a backslash that a file holds.
fn is_printable(value: &Value) -> bool {
    let is_plain = |text: &str| !text.chars().any(char::is_control);
    match value {
        Value::String(text) => is_plain(text),
        Value::Array(values) => values.iter().all(is_printable),
        Value::Object(fields) => fields.iter().all(|(name, value)| is_plain(name) && is_printable(value)),
        _ => true,
    }
}

fn nulls(value: &Value) -> usize {
    match value {
        Value::Null => 1,
        Value::Array(values) => values.iter().map(nulls).sum(),
        Value::Object(fields) => fields.values().map(nulls).sum(),
        _ => 0,
    }
}

#[test]
fn machine_files() {
    let target = Target {
        name: "machine_files",
        seeds: vec![MACHINE.as_bytes().to_vec()],
        words: &[
            "=== /proc/stat\n",
            "=== /proc/meminfo\n",
            "=== /proc/7/stat\n",
            "kB",
            "max",
            "\\040",
            "avg10=",
            "cpu9999 1 2 3 4\n",
            "(",
            ")",
        ],
        shape: Shape::Bytes,
        longest: 256 << 10,
        memory: (16 << 20, 64),
    };
    fuzz(&target, || (), |(), input| check(input));
}
