//! Series of the machine.

use quillwork_protocol::host::{HostSnapshot, Pressure};

use super::{BYTES, COUNT, MILLIS, Measure, RATIO, SeriesValue, Values, share};

const HUNDREDTHS: Measure = Measure { unit: "count", resolution: 0.01 };
/// Counts of bytes: what is too little to be seen in a second adds up all the same.
const TOTAL: Measure = Measure { unit: "bytes", resolution: 1.0 };
const MILLIS_TOTAL: Measure = Measure { unit: "millis", resolution: 10.0 };
const RATE: Measure = Measure { unit: "bytesPerSecond", resolution: 1.0 };
const EVENTS: Measure = Measure { unit: "perSecond", resolution: 1.0 };
const CELSIUS: Measure = Measure { unit: "celsius", resolution: 0.1 };
const RPM: Measure = Measure { unit: "rpm", resolution: 1.0 };
const VOLTS: Measure = Measure { unit: "volts", resolution: 0.001 };
const WATTS: Measure = Measure { unit: "watts", resolution: 0.1 };
const HERTZ: Measure = Measure { unit: "hertz", resolution: 1e6 };
const FINE_MILLIS: Measure = Measure { unit: "millis", resolution: 0.01 };

/// Series of the machine. Where a device is absent so is its series. Processes have none: their names are as many as
/// whoever starts them likes.
pub(in crate::state) fn of_host(host: &HostSnapshot) -> Vec<SeriesValue> {
    let mut values = Values::default();
    processor(&mut values, host);
    memory(&mut values, host);
    disks(&mut values, host);
    networks(&mut values, host);
    sensors(&mut values, host);
    gpus(&mut values, host);
    tasks(&mut values, host);
    values.values
}

fn processor(values: &mut Values, host: &HostSnapshot) {
    let cpu = &host.cpu;
    values.push("host.cpu.total", RATIO, cpu.total_ratio);
    for (core, ratio) in cpu.core_ratios.iter().enumerate() {
        values.push_of("host.cpu.core", ("core", &core.to_string()), RATIO, *ratio);
    }
    for (mode, ratio) in cpu.modes.iter().flat_map(|modes| modes.by_name()) {
        values.push_of("host.cpu.mode", ("mode", mode), RATIO, Some(ratio));
    }
    let clocks: Vec<f64> = cpu.core_hertz.iter().copied().flatten().collect();
    if !clocks.is_empty() {
        #[expect(clippy::cast_precision_loss, reason = "a machine has fewer than 2^53 cores")]
        let mean = clocks.iter().sum::<f64>() / clocks.len() as f64;
        values.push("host.cpu.frequency", HERTZ, Some(mean));
    }
    if let Some([one, five, fifteen]) = cpu.load_averages {
        values.push("host.load.1m", HUNDREDTHS, Some(one));
        values.push("host.load.5m", HUNDREDTHS, Some(five));
        values.push("host.load.15m", HUNDREDTHS, Some(fifteen));
    }
    for (name, value) in [
        ("host.cpu.context_switches", cpu.context_switches_per_second),
        ("host.cpu.interrupts", cpu.interrupts_per_second),
        ("host.cpu.forks", cpu.forks_per_second),
    ] {
        values.push_known(name, EVENTS, value);
    }
    for (name, value) in [
        ("host.cpu.context_switches.total", cpu.context_switches_total),
        ("host.cpu.interrupts.total", cpu.interrupts_total),
        ("host.cpu.forks.total", cpu.forks_total),
    ] {
        values.count(name, &[], COUNT, value.map(float));
    }
    for (mode, seconds) in cpu.mode_seconds_total.iter().flat_map(|modes| modes.by_name()) {
        values.count("host.cpu.mode.total", &[("mode", mode)], MILLIS_TOTAL, Some(seconds * 1_000.0));
    }
    values.push_known("host.cpu.runnable", COUNT, cpu.runnable.map(float));
    values.push_known("host.cpu.blocked", COUNT, cpu.blocked.map(float));
    if let Some(pressures) = &host.pressure {
        let by_resource = [("cpu", &pressures.cpu), ("memory", &pressures.memory), ("io", &pressures.io)];
        for (resource, pressure) in by_resource {
            let Some(Pressure { some, full }) = pressure else { continue };
            let full = full.as_ref().filter(|_| resource != "cpu").map(|full| ("full", full));
            for (kind, stall) in [("some", some)].into_iter().chain(full) {
                let labels = [("resource", resource), ("kind", kind)];
                values.push_labelled("host.pressure", &labels, RATIO, stall.ratio);
                let stalled = Some(stall.seconds_total * 1_000.0);
                values.count("host.pressure.total", &labels, MILLIS_TOTAL, stalled);
            }
        }
    }
}

fn memory(values: &mut Values, host: &HostSnapshot) {
    let memory = &host.memory;
    values.push("host.memory.used", RATIO, memory.used_ratio);
    if memory.total_bytes > 0 {
        values.push("host.memory.available", BYTES, Some(float(memory.available_bytes)));
    }
    for (name, bytes) in [
        ("host.memory.cached", memory.cached_bytes),
        ("host.memory.dirty", memory.dirty_bytes),
        ("host.memory.committed", memory.committed_bytes),
    ] {
        values.push_known(name, BYTES, bytes.map(float));
    }
    values.push_known("host.memory.major_faults", EVENTS, memory.major_faults_per_second);
    values.count("host.memory.oom_kills.total", &[], COUNT, memory.oom_kills_total.map(float));
    if memory.swap_total_bytes > 0 {
        values.count("host.swap.in.total", &[], TOTAL, memory.swapped_in_bytes_total.map(float));
        values.count("host.swap.out.total", &[], TOTAL, memory.swapped_out_bytes_total.map(float));
        values.push("host.swap.used", RATIO, share(memory.swap_used_bytes, memory.swap_total_bytes));
        values.push("host.swap.in", RATE, memory.swapped_in_bytes_per_second);
        values.push("host.swap.out", RATE, memory.swapped_out_bytes_per_second);
    }
}

fn disks(values: &mut Values, host: &HostSnapshot) {
    // What all interfaces or disks come to has a name of its own: a sum over one name would count it twice.
    values.push("host.disk.read.all", RATE, host.read_bytes_per_second());
    values.push("host.disk.written.all", RATE, host.written_bytes_per_second());
    for disk in &host.disks {
        let mount = ("mount", disk.mount.as_str());
        values.push_of("host.disk.used", mount, RATIO, disk.used_ratio());
        if let (Some(total), Some(free)) = (disk.inodes_total, disk.inodes_free) {
            let used = share(total.saturating_sub(free), total).filter(|_| !disk.is_stuck);
            values.push_of("host.disk.inodes", mount, RATIO, used);
        }
    }
    for device in &host.block_devices {
        let label = ("device", device.name.as_str());
        values.push_of("host.disk.read", label, RATE, device.read_bytes_per_second);
        values.push_of("host.disk.written", label, RATE, device.written_bytes_per_second);
        values.push_of("host.disk.reads", label, EVENTS, device.reads_per_second);
        values.push_of("host.disk.writes", label, EVENTS, device.writes_per_second);
        values.push_of("host.disk.read_await", label, MILLIS, device.read_await_millis);
        values.push_of("host.disk.write_await", label, MILLIS, device.write_await_millis);
        values.push_of("host.disk.queue", label, HUNDREDTHS, device.queue);
        values.push_of("host.disk.busy", label, RATIO, device.busy_ratio);
        for (name, measure, total) in [
            ("host.disk.read.total", TOTAL, device.read_bytes_total),
            ("host.disk.written.total", TOTAL, device.written_bytes_total),
            ("host.disk.reads.total", COUNT, device.reads_total),
            ("host.disk.writes.total", COUNT, device.writes_total),
        ] {
            values.count(name, &[label], measure, Some(float(total)));
        }
    }
}

fn networks(values: &mut Values, host: &HostSnapshot) {
    values.push("host.network.received.all", RATE, host.received_bytes_per_second());
    values.push("host.network.sent.all", RATE, host.sent_bytes_per_second());
    for network in &host.networks {
        let interface = ("interface", network.name.as_str());
        values.push_of("host.network.received", interface, RATE, network.received_bytes_per_second);
        values.push_of("host.network.sent", interface, RATE, network.sent_bytes_per_second);
        for (name, value) in [
            ("host.network.received_packets", network.received_packets_per_second),
            ("host.network.sent_packets", network.sent_packets_per_second),
            ("host.network.errors", network.errors_per_second),
            ("host.network.drops", network.drops_per_second),
        ] {
            values.push_of(name, interface, EVENTS, value);
        }
        for (name, measure, total) in [
            ("host.network.received.total", TOTAL, Some(network.received_bytes_total)),
            ("host.network.sent.total", TOTAL, Some(network.sent_bytes_total)),
            ("host.network.received_packets.total", COUNT, network.received_packets_total),
            ("host.network.sent_packets.total", COUNT, network.sent_packets_total),
            ("host.network.errors.total", COUNT, Some(network.errors_total)),
            ("host.network.drops.total", COUNT, network.drops_total),
        ] {
            values.count(name, &[interface], measure, total.map(float));
        }
    }
    if let Some(sockets) = &host.sockets {
        values.push("host.sockets.tcp", COUNT, Some(float(sockets.tcp_in_use)));
        values.push("host.sockets.time_wait", COUNT, Some(float(sockets.tcp_time_wait)));
        values.push("host.sockets.udp", COUNT, Some(float(sockets.udp_in_use)));
    }
}

fn sensors(values: &mut Values, host: &HostSnapshot) {
    let mut sensor = |name, label: &str, device: &str, measure, value| {
        values.push_labelled(name, &[("sensor", label), ("device", device)], measure, value);
    };
    for found in &host.temperatures {
        sensor("host.temperature", &found.label, &found.device, CELSIUS, found.celsius);
    }
    for found in &host.fans {
        sensor("host.fan", &found.label, &found.device, RPM, found.rpm);
    }
    for found in &host.voltages {
        sensor("host.voltage", &found.label, &found.device, VOLTS, found.volts);
    }
    for found in &host.powers {
        sensor("host.power", &found.label, &found.device, WATTS, found.watts);
    }
    for zone in &host.energy_zones {
        values.push_of("host.energy", ("zone", &zone.name), WATTS, zone.watts);
    }
    for battery in &host.batteries {
        let label = ("battery", battery.name.as_str());
        values.push_of("host.battery.level", label, RATIO, battery.level_ratio);
        values.push_of("host.battery.power", label, WATTS, battery.watts);
    }
}

fn gpus(values: &mut Values, host: &HostSnapshot) {
    for gpu in &host.gpus {
        let label = ("gpu", gpu.device.as_str());
        values.push_of("host.gpu.used", label, RATIO, gpu.used_ratio);
        if let (Some(used), Some(total)) = (gpu.memory_used_bytes, gpu.memory_total_bytes) {
            values.push_of("host.gpu.memory", label, RATIO, share(used, total));
        }
        for (name, measure, value) in [
            ("host.gpu.temperature", CELSIUS, gpu.celsius),
            ("host.gpu.power", WATTS, gpu.watts),
            ("host.gpu.frequency", HERTZ, gpu.core_hertz),
        ] {
            if value.is_some() {
                values.push_of(name, label, measure, value);
            }
        }
    }
}

fn tasks(values: &mut Values, host: &HostSnapshot) {
    if let Some(counts) = &host.process_counts {
        values.push("host.processes.total", COUNT, Some(f64::from(counts.total)));
        values.push("host.processes.uninterruptible", COUNT, Some(f64::from(counts.uninterruptible)));
        values.push("host.processes.zombies", COUNT, Some(f64::from(counts.zombies)));
        values.push("host.processes.threads", COUNT, Some(f64::from(counts.threads)));
    }
    for container in &host.containers {
        let label = ("container", container.name.as_str());
        values.push_of("host.container.cpu", label, RATIO, container.cpu_of_core_ratio);
        values.push_of("host.container.throttled", label, RATIO, container.throttled_ratio);
        values.push_of("host.container.memory", label, BYTES, container.memory_bytes.map(float));
    }
    if let Some(own) = &host.sampler.process {
        values.push("host.self.cpu", RATIO, own.cpu_of_core_ratio);
        values.push("host.self.memory", BYTES, Some(float(own.memory_bytes)));
        values.push_known("host.self.open_files", COUNT, own.open_files.map(f64::from));
    }
    values.push("host.sampler.tick", FINE_MILLIS, Some(host.sampler.tick_millis));
    for collector in &host.sampler.collectors {
        let label = ("collector", collector.name.as_str());
        values.push_of("host.collector.duration", label, FINE_MILLIS, collector.duration_millis);
        let works = collector.duration_millis.map(|_| f64::from(u8::from(collector.succeeded)));
        values.push_of("host.collector.success", label, COUNT, works);
    }
}

#[expect(clippy::cast_precision_loss, reason = "kept to fewer digits than 53 bits have")]
fn float(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use quillwork_protocol::host::{BlockDevice, Disk, Gpu, Network, Pressures, Stall, Temperature};
    use quillwork_store::series::SeriesKind;

    use super::*;

    fn value(host: &HostSnapshot, series: &str) -> Option<Option<f64>> {
        of_host(host).into_iter().find(|found| found.key.to_string() == series).map(|found| found.value)
    }

    #[test]
    fn what_varies_is_a_label() {
        let mut host = HostSnapshot::default();
        host.cpu.core_ratios = vec![Some(0.25)];
        host.block_devices =
            vec![BlockDevice { name: "sda".into(), busy_ratio: Some(0.5), ..BlockDevice::default() }];
        host.disks =
            vec![Disk { mount: "/a\n".into(), total_bytes: 4, available_bytes: 1, ..Disk::default() }];
        host.temperatures = vec![Temperature {
            label: "nvme Composite".into(),
            device: "nvme0".into(),
            celsius: Some(41.0),
            ..Temperature::default()
        }];
        host.gpus = vec![Gpu { device: "0000:03:00.0".into(), watts: Some(99.0), ..Gpu::default() }];
        let stall = Stall { ratio: Some(0.1), ..Stall::default() };
        let io = Pressure { some: stall.clone(), full: Some(stall) };
        host.pressure = Some(Pressures { cpu: Some(io.clone()), io: Some(io), ..Pressures::default() });
        for (series, expected) in [
            ("host.cpu.core{core=\"0\"}", Some(0.25)),
            ("host.disk.busy{device=\"sda\"}", Some(0.5)),
            ("host.disk.used{mount=\"/a\\n\"}", Some(0.75)),
            ("host.temperature{device=\"nvme0\",sensor=\"nvme Composite\"}", Some(41.0)),
            ("host.gpu.power{gpu=\"0000:03:00.0\"}", Some(99.0)),
            ("host.gpu.used{gpu=\"0000:03:00.0\"}", None),
            ("host.pressure{kind=\"full\",resource=\"io\"}", Some(0.1)),
        ] {
            assert_eq!(value(&host, series), Some(expected), "{series}");
        }
        for absent in [
            "host.swap.used",
            "host.gpu.temperature{gpu=\"0000:03:00.0\"}",
            "host.pressure{kind=\"full\",resource=\"cpu\"}",
        ] {
            assert_eq!(value(&host, absent), None, "{absent}");
        }
    }

    #[test]
    fn what_only_grows_is_a_counter_beside_its_rate() {
        let network = Network {
            name: "eth0".into(),
            received_bytes_total: 5_000,
            received_bytes_per_second: Some(10.0),
            ..Network::default()
        };
        let host = HostSnapshot { networks: vec![network], ..HostSnapshot::default() };
        let kinds: Vec<_> = of_host(&host)
            .into_iter()
            .filter(|found| found.key.name().starts_with("host.network.received"))
            .map(|found| (found.key.to_string(), found.kind, found.value))
            .collect();
        let of_eth0 = |name: &str| format!("{name}{{interface=\"eth0\"}}");
        for expected in [
            (of_eth0("host.network.received"), SeriesKind::Gauge, Some(10.0)),
            (of_eth0("host.network.received.total"), SeriesKind::Counter, Some(5_000.0)),
        ] {
            assert!(kinds.contains(&expected), "{expected:?} in {kinds:?}");
        }
        let packets = of_eth0("host.network.received_packets.total");
        assert!(kinds.iter().all(|(key, ..)| *key != packets), "what the system doesn't tell has no series");
    }

    #[test]
    fn a_stuck_mount_has_no_value_now() {
        let disk = Disk {
            mount: "/x".into(),
            total_bytes: 4,
            available_bytes: 1,
            is_stuck: true,
            ..Disk::default()
        };
        let host = HostSnapshot { disks: vec![disk], ..HostSnapshot::default() };
        assert_eq!(value(&host, "host.disk.used{mount=\"/x\"}"), Some(None));
    }
}
