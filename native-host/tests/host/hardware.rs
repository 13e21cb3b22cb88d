//! What the commands tell of the hardware, and that it is what the system's own tools say.

use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

fn quillwork(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_quillwork")).args(arguments).env_remove("NO_COLOR").output().unwrap()
}

fn stdout(arguments: &[&str]) -> String {
    let output = quillwork(arguments);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn detected(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&[&["detect", "--json"], arguments].concat())).unwrap()
}

#[test]
fn detect_gives_each_setting_with_its_reason() {
    let text = stdout(&["detect"]);
    for word in
        ["Hardware", "processor", "Configuration", "max_workers", "memory_budget_bytes", "logical core"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    let json = detected(&[]);
    let cores = json["profile"]["logicalCores"].as_u64().unwrap();
    assert!((1..=json["machine"]["logicalCores"].as_u64().unwrap()).contains(&cores));
    let settings = json["configuration"].as_array().unwrap();
    assert!(settings.iter().all(|setting| !setting["reason"].as_str().unwrap().is_empty()));
    let workers = settings.iter().find(|setting| setting["setting"] == "max_workers").unwrap();
    assert!(workers["value"].as_u64().unwrap() >= 1);
}

#[test]
fn a_wrong_root_is_said() {
    for command in ["detect", "top"] {
        let output = quillwork(&[command, "--root", "/no/such"]);
        assert_eq!((output.status.code(), output.stdout.len()), (Some(1), 0));
        assert!(String::from_utf8(output.stderr).unwrap().contains("--root /no/such is no directory"));
    }
}

/// A machine that is not here: a laptop on its battery, in a control group.
#[cfg(target_os = "linux")]
#[test]
fn detect_reads_another_root() {
    let root = tempfile::tempdir().unwrap();
    for (path, content) in [
        ("proc/stat", "cpu 1 2 3 4\ncpu0 1 2 3 4\ncpu1 1 2 3 4\ncpu2 1 2 3 4\ncpu3 1 2 3 4\n"),
        ("proc/meminfo", "MemTotal: 16777216 kB\nMemAvailable: 8388608 kB\n"),
        ("proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"),
        ("proc/self/cgroup", "0::/studio\n"),
        ("sys/fs/cgroup/cgroup.controllers", "cpu memory\n"),
        ("sys/fs/cgroup/studio/memory.max", "2147483648\n"),
        ("sys/fs/cgroup/studio/memory.current", "1073741824\n"),
        ("sys/fs/cgroup/studio/cpu.max", "250000 100000\n"),
        ("sys/class/power_supply/BAT0/type", "Battery\n"),
        ("sys/class/power_supply/BAT0/status", "Discharging\n"),
        ("sys/class/power_supply/BAT0/capacity", "15\n"),
    ] {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    let json = detected(&["--root", root.path().to_str().unwrap()]);
    let profile = &json["profile"];
    assert_eq!((profile["logicalCores"].as_u64(), profile["memoryBytes"].as_u64()), (Some(2), Some(2 << 30)));
    assert_eq!(
        (&profile["power"]["source"], profile["power"]["levelRatio"].as_f64()),
        (&"battery".into(), Some(0.15))
    );
    assert_eq!(json["hardware"]["memory"]["limit"]["group"], "/studio");
}

#[test]
fn top_prints_once_without_a_terminal() {
    let text = stdout(&["top", "--sort", "memory"]);
    assert!(text.contains("MEM▼") && text.lines().any(|line| line.starts_with("CPU ")), "{text}");
    assert!(text.contains(" %") && !text.contains('\u{1b}'), "rates are there, and no escapes: {text}");
    assert!(stdout(&["top", "--once", "--groups"]).contains("COUNT"));
}

/// What the host says beside what the system's own tools say in the same moment.
#[cfg(target_os = "linux")]
mod same_as_the_tools {
    use std::io::Read as _;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::fs::FileExt as _;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use quillwork_host::sampler::{Options, Sampler, measure_once};
    use quillwork_protocol::host::HostSnapshot;

    use super::*;
    use crate::harness::PATIENCE;

    fn tool(command: &str, arguments: &[&str]) -> Option<String> {
        let output = Command::new(command).args(arguments).env("LC_ALL", "C").output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Skips a test where the tool isn't there, or is one that doesn't say what the test asks for, as busybox' aren't.
    fn is_understood<T>(command: &str, said: Option<T>) -> bool {
        if said.is_none() {
            eprintln!("skipped: there is no `{command}` here that tells it");
        }
        said.is_some()
    }

    fn measure() -> HostSnapshot {
        measure_once(&Options::default(), Duration::from_secs(20)).unwrap()
    }

    /// Whether ours lies between two readings of the tool's, give or take `slack`: the machine goes on meanwhile.
    fn between(what: &str, ours: u64, tools: [u64; 2], slack: u64) -> Result<(), String> {
        let (low, high) = (tools[0].min(tools[1]), tools[0].max(tools[1]));
        let is_between = (low.saturating_sub(slack)..=high + slack).contains(&ours);
        if is_between { Ok(()) } else { Err(format!("{what}: {ours} beside {tools:?}")) }
    }

    #[track_caller]
    fn assert_between(what: &str, ours: u64, tools: [u64; 2], slack: u64) {
        between(what, ours, tools, slack).unwrap();
    }

    /// Compares until both say the same: others take and free what is measured between two readings, but not all the time.
    fn until_same(compare: impl Fn() -> Result<(), String>) {
        let begun = Instant::now();
        while let Err(difference) = compare() {
            assert!(begun.elapsed() < PATIENCE, "{difference}");
        }
    }

    #[test]
    fn memory_is_what_free_says() {
        let free = || {
            let text = tool("free", &["-b"])?;
            let line = text.lines().find(|line| line.starts_with("Mem:"))?;
            let columns: Vec<u64> =
                line.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
            Some((*columns.first()?, *columns.get(5)?))
        };
        if !is_understood("free", free()) {
            return;
        }
        until_same(|| {
            let before = free().unwrap();
            let memory = measure().memory;
            let after = free().unwrap();
            // A virtual machine is given memory, and it is taken away, while it runs.
            between("total", memory.machine_total_bytes.unwrap(), [before.0, after.0], 0)?;
            let slack = before.0 / 50;
            between("available", memory.machine_available_bytes.unwrap(), [before.1, after.1], slack)
        });
    }

    #[test]
    fn file_systems_are_what_df_says() {
        let df = |mount: &str| tool("df", &["--output=size,avail,itotal,pcent", "-B1", mount]);
        if !is_understood("df", df("/").filter(|text| text.lines().nth(1).is_some())) {
            return;
        }
        until_same(|| {
            for disk in &measure().disks {
                let text = df(&disk.mount).unwrap();
                let line = text.lines().nth(1).ok_or_else(|| format!("df knows no {}", disk.mount))?;
                let line = line.replace('%', "");
                let df: Vec<u64> = line.split_whitespace().map(|word| word.parse().unwrap_or(0)).collect();
                between("total", disk.total_bytes, [df[0], df[0]], 0)?;
                between("inodes", disk.inodes_total.unwrap_or(0), [df[2], df[2]], 0)?;
                between("available", disk.available_bytes, [df[1], df[1]], df[0] / 50)?;
                // df rounds up.
                let used = disk.used_ratio().unwrap() * 100.0;
                if (used - df[3] as f64).abs() > 2.5 {
                    return Err(format!("{used} beside {} %", df[3]));
                }
            }
            Ok(())
        });
    }

    #[test]
    fn interfaces_are_what_ip_says() {
        let ip = || -> Option<Value> {
            let links: Value = serde_json::from_str(&tool("ip", &["-j", "-s", "link"])?).ok()?;
            links[0]["stats64"].is_object().then_some(links)
        };
        let before = ip();
        if !is_understood("ip", before.as_ref()) {
            return;
        }
        let (host, before, after) = (measure(), before.unwrap(), ip().unwrap());
        for before in before.as_array().unwrap() {
            // Those of containers come and go.
            let after = after.as_array().unwrap().iter().find(|link| link["ifname"] == before["ifname"]);
            let (Some(name), Some(after)) = (before["ifname"].as_str(), after) else { continue };
            let Some(network) = host.networks.iter().find(|network| network.name == name) else {
                let is_left_out = ["veth", "cali", "lxc", "vnet", "fwln", "ifb"];
                let is_left_out = name == "lo" || is_left_out.iter().any(|prefix| name.starts_with(prefix));
                assert!(is_left_out, "{name} is missing: {:?}", host.networks);
                continue;
            };
            let both = |direction: &str, name: &str| {
                [before, after].map(|link| link["stats64"][direction][name].as_u64().unwrap())
            };
            assert_between("received", network.received_bytes_total, both("rx", "bytes"), 0);
            assert_between("sent", network.sent_bytes_total, both("tx", "bytes"), 0);
            assert_between("packets", network.received_packets_total.unwrap(), both("rx", "packets"), 0);
        }
    }

    /// Work made by this test: its own processor time shows in the processes, its writes in their input and output, its
    /// connections in the sockets, and the modes come to the whole.
    #[test]
    fn load_shows_where_it_is_made() {
        let stop = Arc::new(AtomicBool::new(false));
        let burner = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                let mut sum = 0_u64;
                while !stop.load(Ordering::Relaxed) {
                    sum = std::hint::black_box(sum.wrapping_add(1));
                }
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connections: Vec<(TcpStream, TcpStream)> = (0..40)
            .map(|_| {
                let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                (client, listener.accept().unwrap().0)
            })
            .collect();
        let options = Options { top: 1_000, process_period: Duration::from_secs(1), ..Options::default() };
        let (_sampler, mut ticks) = Sampler::spawn(&options).unwrap();
        let directory = tempfile::tempdir_in(Path::new(env!("CARGO_TARGET_TMPDIR"))).unwrap();
        let file = fs::File::create(directory.path().join("load")).unwrap();
        let write = || {
            file.write_all_at(&[7; 1 << 20], 0).unwrap();
            file.sync_data().unwrap();
        };
        let own = std::process::id();
        let mut found = (false, !is_counted(write));
        if found.1 {
            eprintln!("skipped: the kernel counts nothing that is written to {}", directory.path().display());
        }
        if !is_timed() {
            eprintln!("skipped: the kernel counts no processor time");
            found.0 = true;
        }
        let begun = Instant::now();
        while found != (true, true) {
            assert!(begun.elapsed() < PATIENCE * 2, "cpu and io found: {found:?}");
            write();
            if !ticks.has_changed().unwrap() {
                continue;
            }
            let host = ticks.borrow_and_update().clone().unwrap();
            let Some(process) = host.processes.iter().find(|process| process.pid == own) else { continue };
            // The machine may be busy with other things: the burner gets its part of a core.
            let of_cores = |ratio: f64| ratio * host.cpu.core_ratios.len() as f64;
            found.0 |= process.cpu_of_core_ratio.is_some_and(|ratio| ratio > 0.05)
                && host.cpu.total_ratio.is_some_and(|ratio| of_cores(ratio) > 0.05);
            found.1 |= process.written_bytes_per_second.is_some_and(|rate| rate > 100_000.0);
            if let Some(modes) = host.cpu.modes {
                let sum: f64 = modes.by_name().iter().map(|(_, share)| share).sum();
                assert!((sum - 1.0).abs() < 1e-9, "{modes:?}");
            }
            assert!(host.sockets.as_ref().is_none_or(|sockets| sockets.tcp_in_use >= 80));
        }
        stop.store(true, Ordering::Relaxed);
        burner.join().unwrap();
        drop(connections);
    }

    /// Whether the kernel counts processor time of the machine. One that is played by a program, such as gVisor's, doesn't.
    fn is_timed() -> bool {
        let text = fs::read_to_string("/proc/stat").unwrap();
        text.lines().next().is_some_and(|all| all.split_whitespace().skip(1).any(|time| time != "0"))
    }

    /// Whether the kernel counts what this writes for the process. It doesn't for files in memory.
    fn is_counted(write: impl Fn()) -> bool {
        let written = || -> Option<u64> {
            let text = fs::read_to_string("/proc/self/io").ok()?;
            text.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse().ok())
        };
        let before = written();
        write();
        before.is_some() && written() > before
    }

    #[test]
    fn counters_are_those_of_proc() {
        let read = || {
            let mut text = String::new();
            fs::File::open("/proc/stat").unwrap().read_to_string(&mut text).unwrap();
            let value = |key: &str, column: usize| -> u64 {
                let line = text.lines().find(|line| line.starts_with(key)).unwrap();
                line.split_whitespace().nth(column).unwrap().parse().unwrap()
            };
            const SYSTEM: usize = 3;
            [value("ctxt ", 1), value("processes ", 1), value("cpu ", SYSTEM)]
        };
        let before = read();
        let cpu = measure().cpu;
        let after = read();
        assert_between("switches", cpu.context_switches_total.unwrap(), [before[0], after[0]], 0);
        assert_between("forks", cpu.forks_total.unwrap(), [before[1], after[1]], 0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "hundredths of seconds")]
        let system = (cpu.mode_seconds_total.unwrap().system * 100.0).round() as u64;
        assert_between("system", system, [before[2], after[2]], 1);
    }
}
