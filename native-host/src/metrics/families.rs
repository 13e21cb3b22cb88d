//! What the metrics are.

use std::sync::atomic::{AtomicU64, Ordering};

use quillwork_protocol::alert::AlertState;
use quillwork_protocol::host::HostSnapshot;
use quillwork_protocol::snapshot::Snapshot;

use super::exposition::{Exposition, Kind, Sample};
use super::negotiation::Format;
use super::page_families::{pages, pools, signals};

/// What the server counts of itself.
#[derive(Debug, Default)]
pub(crate) struct ServerCounters {
    /// Dashboards that are connected.
    pub(crate) dashboards: AtomicU64,
    /// Page connections.
    pub(crate) page_connections: AtomicU64,
    /// Clients that were dropped because they read too slowly.
    pub(crate) dropped_slow_clients: AtomicU64,
    /// Batches that were counted.
    pub(crate) batches: AtomicU64,
    /// Batches that had been counted before.
    pub(crate) duplicate_batches: AtomicU64,
    /// Batches that were refused.
    pub(crate) refused_batches: AtomicU64,
}

/// Everything as text. `snapshot` is the last tick: a scrape measures nothing by itself.
pub(crate) fn render(format: Format, snapshot: &Snapshot, counters: &ServerCounters) -> String {
    let mut to = Exposition::new(format);
    let version = env!("CARGO_PKG_VERSION");
    to.family(
        "quillwork_build_info",
        Kind::Gauge,
        "Always 1; the label tells the version.",
        [Sample::new([("version", version)], 1.0)],
    );
    if let Some(host) = &snapshot.host {
        processor_and_memory(&mut to, host);
        devices(&mut to, host);
        sampler(&mut to, host);
    }
    pages(&mut to, &snapshot.pages);
    pools(&mut to, &snapshot.pages);
    signals(&mut to, &snapshot.pages);
    alerts(&mut to, snapshot);
    server(&mut to, counters);
    to.finish()
}

#[expect(clippy::cast_precision_loss, reason = "both formats carry doubles")]
pub(super) fn float(value: u64) -> f64 {
    value as f64
}

fn processor_and_memory(to: &mut Exposition, host: &HostSnapshot) {
    to.family(
        "quillwork_host_cpu_usage_ratio",
        Kind::Gauge,
        "Busy share of all cores together, 0 to 1.",
        Sample::only(host.cpu.total_ratio),
    );
    let names: Vec<String> = (0..host.cpu.core_ratios.len()).map(|core| core.to_string()).collect();
    to.family(
        "quillwork_host_cpu_core_usage_ratio",
        Kind::Gauge,
        "Busy share of each core, 0 to 1.",
        names.iter().zip(&host.cpu.core_ratios).map(|(core, ratio)| Sample::new([("core", &**core)], *ratio)),
    );
    let load = host.cpu.load_averages;
    to.family(
        "quillwork_host_load_average",
        Kind::Gauge,
        "Load average over the minutes that the label tells.",
        ["1", "5", "15"]
            .into_iter()
            .enumerate()
            .map(|(index, minutes)| Sample::new([("minutes", minutes)], load.map(|load| load[index]))),
    );
    let memory = &host.memory;
    let known = memory.used_ratio.is_some();
    for (name, help, value) in [
        ("quillwork_host_memory_size_bytes", "Memory, or the control group's limit.", memory.total_bytes),
        (
            "quillwork_host_memory_available_bytes",
            "Memory that programs could still take without swapping.",
            memory.available_bytes,
        ),
        ("quillwork_host_swap_size_bytes", "Swap space.", memory.swap_total_bytes),
        ("quillwork_host_swap_used_bytes", "Swap space in use.", memory.swap_used_bytes),
    ] {
        to.family(name, Kind::Gauge, help, Sample::only(known.then(|| float(value))));
    }
}

fn devices(to: &mut Exposition, host: &HostSnapshot) {
    let mut disks = |name, help, value: fn(&quillwork_protocol::host::Disk) -> Option<f64>| {
        let samples = host.disks.iter().map(|disk| {
            let labels =
                [("mountpoint", &*disk.mount), ("device", &*disk.name), ("fstype", &*disk.file_system)];
            Sample::new(labels, value(disk))
        });
        to.family(name, Kind::Gauge, help, samples);
    };
    disks("quillwork_host_filesystem_size_bytes", "Size.", |disk| Some(float(disk.total_bytes)));
    disks("quillwork_host_filesystem_available_bytes", "Free for unprivileged users.", |disk| {
        Some(float(disk.available_bytes))
    });
    disks("quillwork_host_disk_read_bytes_per_second", "Read from the device.", |disk| {
        disk.read_bytes_per_second
    });
    disks("quillwork_host_disk_written_bytes_per_second", "Written to the device.", |disk| {
        disk.written_bytes_per_second
    });

    let mut networks = |name, help, value: fn(&quillwork_protocol::host::Network) -> u64| {
        let samples = host
            .networks
            .iter()
            .map(|network| Sample::new([("interface", &*network.name)], float(value(network))));
        to.family(name, Kind::Counter, help, samples);
    };
    networks("quillwork_host_network_received_bytes", "Received.", |network| network.received_bytes_total);
    networks("quillwork_host_network_sent_bytes", "Sent.", |network| network.sent_bytes_total);
    networks("quillwork_host_network_errors", "Receive and send errors.", |network| network.errors_total);

    to.family(
        "quillwork_host_temperature_celsius",
        Kind::Gauge,
        "Reading of a sensor.",
        host.temperatures.iter().map(|sensor| Sample::new([("sensor", &*sensor.label)], sensor.celsius)),
    );
    let numbers: Vec<String> = (0..host.gpus.len()).map(|gpu| gpu.to_string()).collect();
    let mut gpus = |name, help, value: fn(&quillwork_protocol::host::Gpu) -> Option<f64>| {
        let samples = numbers
            .iter()
            .zip(&host.gpus)
            .map(|(number, gpu)| Sample::new([("gpu", &**number), ("name", &*gpu.name)], value(gpu)));
        to.family(name, Kind::Gauge, help, samples);
    };
    gpus("quillwork_host_gpu_usage_ratio", "Busy share, 0 to 1.", |gpu| gpu.used_ratio);
    gpus("quillwork_host_gpu_memory_size_bytes", "Memory of the device.", |gpu| {
        gpu.memory_total_bytes.map(float)
    });
    gpus("quillwork_host_gpu_memory_used_bytes", "Memory of the device in use.", |gpu| {
        gpu.memory_used_bytes.map(float)
    });
}

fn sampler(to: &mut Exposition, host: &HostSnapshot) {
    to.family(
        "quillwork_host_sample_timestamp_seconds",
        Kind::Gauge,
        "When the machine was measured; scrapes do not measure.",
        Sample::only(float(host.at_unix_millis) / 1_000.0),
    );
    to.family(
        "quillwork_sampler_tick_seconds",
        Kind::Gauge,
        "How long the last tick of the sampler took.",
        Sample::only(host.sampler.tick_millis / 1_000.0),
    );
    to.family(
        "quillwork_sampler_ticks",
        Kind::Counter,
        "Ticks taken.",
        Sample::only(float(host.sampler.ticks)),
    );
    to.family(
        "quillwork_sampler_missed_ticks",
        Kind::Counter,
        "Ticks that were late and skipped.",
        Sample::only(float(host.sampler.missed_ticks)),
    );
}

fn alerts(to: &mut Exposition, snapshot: &Snapshot) {
    let samples = snapshot.alerts.iter().map(|alert| {
        let level = match alert.state {
            AlertState::Ok | AlertState::Pending => Some(0.0),
            AlertState::Warning => Some(1.0),
            AlertState::Critical => Some(2.0),
            AlertState::NoData => None,
        };
        Sample::new([("rule", &*alert.rule), ("subject", &*alert.subject)], level)
    });
    to.family(
        "quillwork_alert_level",
        Kind::Gauge,
        "0 nothing is firing, 1 warning, 2 critical; absent without data.",
        samples,
    );
}

fn server(to: &mut Exposition, counters: &ServerCounters) {
    let read = |counter: &AtomicU64| Sample::only(float(counter.load(Ordering::Relaxed)));
    to.family("quillwork_dashboards", Kind::Gauge, "Dashboards connected.", read(&counters.dashboards));
    to.family(
        "quillwork_page_connections",
        Kind::Gauge,
        "Pages connected.",
        read(&counters.page_connections),
    );
    for (name, help, counter) in [
        ("quillwork_slow_clients_dropped", "Clients that read too slowly.", &counters.dropped_slow_clients),
        ("quillwork_batches", "Batches of pages that were counted.", &counters.batches),
        ("quillwork_batches_duplicate", "Batches that had been counted before.", &counters.duplicate_batches),
        ("quillwork_batches_refused", "Batches that were refused.", &counters.refused_batches),
    ] {
        to.family(name, Kind::Counter, help, read(counter));
    }
}
