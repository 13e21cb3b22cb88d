//! Families of the machine's devices.

use quillwork_protocol::host::{Battery, BlockDevice, Disk, Gpu, HostSnapshot, Network};

use super::exposition::{Exposition, Kind, Sample};
use super::families::float;

/// Name, kind, help and value of a family whose samples are of devices.
pub(super) type Row<T> = (&'static str, Kind, &'static str, fn(&T) -> Option<f64>);

/// Writes families whose samples are of the same devices.
pub(super) fn of_each<T>(
    to: &mut Exposition,
    items: &[T],
    labels: impl Fn(&T) -> Vec<(&'static str, String)>,
    rows: &[Row<T>],
) {
    let labels: Vec<_> = items.iter().map(labels).collect();
    for (name, kind, help, value) in rows {
        let samples = items.iter().zip(&labels).map(|(item, labels)| {
            let labels: Vec<_> = labels.iter().map(|(name, value)| (*name, value.as_str())).collect();
            Sample::new(labels, value(item))
        });
        to.family(name, *kind, help, samples);
    }
}

/// Everything that there may be several of.
pub(super) fn devices(to: &mut Exposition, host: &HostSnapshot) {
    file_systems(to, &host.disks);
    block_devices(to, &host.block_devices);
    networks(to, &host.networks);
    sockets(to, host);
    sensors(to, host);
    batteries(to, &host.batteries);
    gpus(to, &host.gpus);
}

fn file_systems(to: &mut Exposition, disks: &[Disk]) {
    let labels = |disk: &Disk| {
        vec![
            ("mountpoint", disk.mount.clone()),
            ("device", disk.name.clone()),
            ("fstype", disk.file_system.clone()),
        ]
    };
    let rows: [Row<Disk>; 9] = [
        ("quillwork_host_filesystem_size_bytes", Kind::Gauge, "Size.", |disk| Some(float(disk.total_bytes))),
        ("quillwork_host_filesystem_available_bytes", Kind::Gauge, "Free for unprivileged users.", |disk| {
            Some(float(disk.available_bytes))
        }),
        ("quillwork_host_filesystem_free_bytes", Kind::Gauge, "Free for everybody.", |disk| {
            disk.free_bytes.map(float)
        }),
        ("quillwork_host_filesystem_files", Kind::Gauge, "Files that there can be.", |disk| {
            disk.inodes_total.map(float)
        }),
        ("quillwork_host_filesystem_files_free", Kind::Gauge, "Files that there can still be.", |disk| {
            disk.inodes_free.map(float)
        }),
        (
            "quillwork_host_filesystem_readonly",
            Kind::Gauge,
            "Whether nothing can be written to it.",
            |disk| Some(f64::from(u8::from(disk.is_read_only))),
        ),
        ("quillwork_host_filesystem_stuck", Kind::Gauge, "Whether it does not answer.", |disk| {
            Some(f64::from(u8::from(disk.is_stuck)))
        }),
        ("quillwork_host_disk_read_bytes_per_second", Kind::Gauge, "Read from the device.", |disk| {
            disk.read_bytes_per_second
        }),
        ("quillwork_host_disk_written_bytes_per_second", Kind::Gauge, "Written to the device.", |disk| {
            disk.written_bytes_per_second
        }),
    ];
    of_each(to, disks, labels, &rows);
}

fn block_devices(to: &mut Exposition, devices: &[BlockDevice]) {
    let rows: [Row<BlockDevice>; 9] = [
        ("quillwork_host_disk_read_bytes", Kind::Counter, "Read.", |device| {
            Some(float(device.read_bytes_total))
        }),
        ("quillwork_host_disk_written_bytes", Kind::Counter, "Written.", |device| {
            Some(float(device.written_bytes_total))
        }),
        ("quillwork_host_disk_reads", Kind::Counter, "Reads completed.", |device| {
            Some(float(device.reads_total))
        }),
        ("quillwork_host_disk_writes", Kind::Counter, "Writes completed.", |device| {
            Some(float(device.writes_total))
        }),
        ("quillwork_host_disk_read_await_seconds", Kind::Gauge, "Mean time of a read.", |device| {
            device.read_await_millis.map(|millis| millis / 1_000.0)
        }),
        ("quillwork_host_disk_write_await_seconds", Kind::Gauge, "Mean time of a write.", |device| {
            device.write_await_millis.map(|millis| millis / 1_000.0)
        }),
        ("quillwork_host_disk_queue", Kind::Gauge, "Mean number of requests.", |device| device.queue),
        ("quillwork_host_disk_busy_ratio", Kind::Gauge, "Share of the time with a request.", |device| {
            device.busy_ratio
        }),
        ("quillwork_host_disk_in_flight", Kind::Gauge, "Requests now.", |device| {
            Some(float(device.in_flight))
        }),
    ];
    of_each(to, devices, |device| vec![("device", device.name.clone())], &rows);
}

fn networks(to: &mut Exposition, networks: &[Network]) {
    let rows: [Row<Network>; 8] = [
        ("quillwork_host_network_received_bytes", Kind::Counter, "Received.", |network| {
            Some(float(network.received_bytes_total))
        }),
        ("quillwork_host_network_sent_bytes", Kind::Counter, "Sent.", |network| {
            Some(float(network.sent_bytes_total))
        }),
        ("quillwork_host_network_received_packets", Kind::Counter, "Packets received.", |network| {
            network.received_packets_total.map(float)
        }),
        ("quillwork_host_network_sent_packets", Kind::Counter, "Packets sent.", |network| {
            network.sent_packets_total.map(float)
        }),
        ("quillwork_host_network_errors", Kind::Counter, "Receive and send errors.", |network| {
            Some(float(network.errors_total))
        }),
        ("quillwork_host_network_drops", Kind::Counter, "Packets dropped.", |network| {
            network.drops_total.map(float)
        }),
        ("quillwork_host_network_up", Kind::Gauge, "Whether it can carry traffic.", |network| {
            network.is_up.map(|is_up| f64::from(u8::from(is_up)))
        }),
        ("quillwork_host_network_speed_bits_per_second", Kind::Gauge, "Speed of the link.", |network| {
            network.speed_bits_per_second.map(float)
        }),
    ];
    of_each(to, networks, |network| vec![("interface", network.name.clone())], &rows);
}

fn sockets(to: &mut Exposition, host: &HostSnapshot) {
    let counts = host.sockets.iter().flat_map(|sockets| {
        [
            ("tcp", sockets.tcp_in_use),
            ("tcp_orphan", sockets.tcp_orphans),
            ("tcp_time_wait", sockets.tcp_time_wait),
            ("udp", sockets.udp_in_use),
            ("all", sockets.used),
        ]
    });
    to.family(
        "quillwork_host_sockets",
        Kind::Gauge,
        "Sockets of the kind that the label tells.",
        counts.map(|(kind, count)| Sample::new([("kind", kind)], float(count))),
    );
}

fn sensors(to: &mut Exposition, host: &HostSnapshot) {
    let labels =
        |label: &str, device: &str| vec![("sensor", label.to_owned()), ("device", device.to_owned())];
    of_each(
        to,
        &host.temperatures,
        |sensor| labels(&sensor.label, &sensor.device),
        &[("quillwork_host_temperature_celsius", Kind::Gauge, "Reading of a sensor.", |sensor| {
            sensor.celsius
        })],
    );
    of_each(
        to,
        &host.fans,
        |sensor| labels(&sensor.label, &sensor.device),
        &[("quillwork_host_fan_rpm", Kind::Gauge, "Turns of a fan a minute.", |sensor| sensor.rpm)],
    );
    of_each(
        to,
        &host.voltages,
        |sensor| labels(&sensor.label, &sensor.device),
        &[("quillwork_host_voltage_volts", Kind::Gauge, "Reading of a sensor.", |sensor| sensor.volts)],
    );
    of_each(
        to,
        &host.powers,
        |sensor| labels(&sensor.label, &sensor.device),
        &[("quillwork_host_power_watts", Kind::Gauge, "Reading of a sensor.", |sensor| sensor.watts)],
    );
    of_each(
        to,
        &host.energy_zones,
        |zone| vec![("zone", zone.name.clone())],
        &[("quillwork_host_energy_watts", Kind::Gauge, "Power of a part of the machine.", |zone| zone.watts)],
    );
}

fn batteries(to: &mut Exposition, batteries: &[Battery]) {
    let rows: [Row<Battery>; 4] = [
        ("quillwork_host_battery_level_ratio", Kind::Gauge, "Charge, 0 to 1.", |battery| battery.level_ratio),
        (
            "quillwork_host_battery_health_ratio",
            Kind::Gauge,
            "What it holds of what it held new.",
            |battery| battery.health_ratio,
        ),
        ("quillwork_host_battery_watts", Kind::Gauge, "What flows out of it or into it.", |battery| {
            battery.watts
        }),
        ("quillwork_host_battery_charging", Kind::Gauge, "Whether it is charging or full.", |battery| {
            battery.is_charging.map(|charging| f64::from(u8::from(charging)))
        }),
    ];
    of_each(to, batteries, |battery| vec![("battery", battery.name.clone())], &rows);
}

fn gpus(to: &mut Exposition, gpus: &[Gpu]) {
    let rows: [Row<Gpu>; 8] = [
        ("quillwork_host_gpu_usage_ratio", Kind::Gauge, "Busy share, 0 to 1.", |gpu| gpu.used_ratio),
        ("quillwork_host_gpu_memory_size_bytes", Kind::Gauge, "Memory of the device.", |gpu| {
            gpu.memory_total_bytes.map(float)
        }),
        ("quillwork_host_gpu_memory_used_bytes", Kind::Gauge, "Memory of the device in use.", |gpu| {
            gpu.memory_used_bytes.map(float)
        }),
        ("quillwork_host_gpu_temperature_celsius", Kind::Gauge, "Temperature of the chip.", |gpu| {
            gpu.celsius
        }),
        ("quillwork_host_gpu_power_watts", Kind::Gauge, "Power.", |gpu| gpu.watts),
        ("quillwork_host_gpu_power_limit_watts", Kind::Gauge, "Power that it may take.", |gpu| {
            gpu.limit_watts
        }),
        ("quillwork_host_gpu_core_hertz", Kind::Gauge, "Clock of the shaders.", |gpu| gpu.core_hertz),
        ("quillwork_host_gpu_memory_hertz", Kind::Gauge, "Clock of the memory.", |gpu| gpu.memory_hertz),
    ];
    of_each(to, gpus, |gpu| vec![("gpu", gpu.device.clone()), ("name", gpu.name.clone())], &rows);
}
