//! Names, units and resolutions of the series, and their values in a sample.

use quillwork_protocol::host::HostSnapshot;
use quillwork_protocol::page::PageSample;
use quillwork_protocol::signals::VitalName;

use super::page::LastMinute;

/// One value of a series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SeriesValue {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) value: Option<f64>,
}

/// Unit of a series, and the multiple of it that values are kept to: no finer than it can be measured or seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Kind {
    pub(super) unit: &'static str,
    pub(super) resolution: f64,
}

const RATIO: Kind = Kind { unit: "ratio", resolution: 0.001 };
const SMALL_RATIO: Kind = Kind { unit: "ratio", resolution: 0.000_01 };
const SCORE: Kind = Kind { unit: "count", resolution: 0.001 };
const LOAD: Kind = Kind { unit: "count", resolution: 0.01 };
const COUNT: Kind = Kind { unit: "count", resolution: 1.0 };
const RATE: Kind = Kind { unit: "bytesPerSecond", resolution: 1.0 };
const BYTES: Kind = Kind { unit: "bytes", resolution: 1_024.0 };
const CELSIUS: Kind = Kind { unit: "celsius", resolution: 0.1 };
const FRAMES: Kind = Kind { unit: "perSecond", resolution: 0.1 };
const MILLIS: Kind = Kind { unit: "millis", resolution: 0.1 };

/// Series of the machine. Where a device is absent so is its series.
pub(super) fn of_host(host: &HostSnapshot) -> Vec<SeriesValue> {
    let mut values = Values { prefix: "host.".to_owned(), values: Vec::new() };
    values.push("cpu.total", RATIO, host.cpu.total_ratio);
    for (core, ratio) in host.cpu.core_ratios.iter().enumerate() {
        values.push(&format!("cpu.core.{core}"), RATIO, *ratio);
    }
    values.push("memory.used", RATIO, host.memory.used_ratio);
    if host.memory.swap_total_bytes > 0 {
        values.push("swap.used", RATIO, share(host.memory.swap_used_bytes, host.memory.swap_total_bytes));
    }
    if let Some(load) = host.cpu.load_averages {
        for (minutes, load) in ["1m", "5m", "15m"].into_iter().zip(load) {
            values.push(&format!("load.{minutes}"), LOAD, Some(load));
        }
    }
    for network in &host.networks {
        values.push(&format!("network.{}.received", network.name), RATE, network.received_bytes_per_second);
        values.push(&format!("network.{}.sent", network.name), RATE, network.sent_bytes_per_second);
    }
    let networks = host.networks.iter();
    values.push(
        "network.received",
        RATE,
        sum(networks.clone().map(|network| network.received_bytes_per_second)),
    );
    values.push("network.sent", RATE, sum(networks.map(|network| network.sent_bytes_per_second)));
    let disks = host.disks.iter();
    values.push("disk.read", RATE, sum(disks.clone().map(|disk| disk.read_bytes_per_second)));
    values.push("disk.written", RATE, sum(disks.map(|disk| disk.written_bytes_per_second)));
    for disk in &host.disks {
        let used = disk.total_bytes.saturating_sub(disk.available_bytes);
        values.push(&format!("disk.{}.used", disk.mount), RATIO, share(used, disk.total_bytes));
    }
    for sensor in &host.temperatures {
        values.push(&format!("temperature.{}", sensor.label), CELSIUS, sensor.celsius);
    }
    values.values
}

/// Series of a page.
pub(super) fn of_page(id: &str, sample: &PageSample, last_minute: LastMinute) -> Vec<SeriesValue> {
    let mut values = Values { prefix: format!("page.{id}."), values: Vec::new() };
    let lookups = u64::from(sample.cache.hits) + u64::from(sample.cache.misses);
    #[expect(clippy::cast_precision_loss, reason = "a heap has fewer than 2^53 bytes")]
    let heap = sample.heap_used_bytes.map(|bytes| bytes as f64);
    values.push("fps", FRAMES, if sample.visible { sample.frames_per_second } else { None });
    values.push("fps_low", FRAMES, if sample.visible { sample.low_frames_per_second } else { None });
    values.push("response_p95", MILLIS, last_minute.response_p95_millis);
    values.push("error_ratio", SMALL_RATIO, last_minute.error_ratio);
    values.push("pool_queued", COUNT, Some(f64::from(sample.pool.queued)));
    values.push("pool_utilisation", RATIO, sample.pool.utilisation_ratio);
    values.push("heap_used", BYTES, heap);
    values.push("cache_hit_ratio", RATIO, share(u64::from(sample.cache.hits), lookups));
    values.push("long_task_millis", MILLIS, sample.long_tasks.as_ref().map(|tasks| tasks.total_millis));
    values.push(
        "blocking_millis",
        MILLIS,
        sample.long_animation_frames.as_ref().map(|frames| frames.blocking_millis),
    );
    values.push("gpu_millis", MILLIS, sample.gpu_millis);
    for vital in &sample.web_vitals {
        match vital.name {
            VitalName::Cls => values.push("cls", SCORE, Some(vital.value)),
            VitalName::Inp => values.push("inp", MILLIS, Some(vital.value)),
            VitalName::Lcp => values.push("lcp", MILLIS, Some(vital.value)),
            // What explains the others is known once and for all.
            VitalName::Fcp | VitalName::Ttfb => {}
        }
    }
    values.values
}

struct Values {
    prefix: String,
    values: Vec<SeriesValue>,
}

impl Values {
    fn push(&mut self, name: &str, kind: Kind, value: Option<f64>) {
        let name = format!("{}{name}", self.prefix);
        self.values.push(SeriesValue { name, kind, value });
    }
}

/// Sum of what is known; unknown where nothing is.
fn sum(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    values.flatten().reduce(|sum, value| sum + value)
}

/// `part` of `total`, 0 to 1; unknown of nothing.
fn share(part: u64, total: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 53 bits")]
    (total > 0).then(|| part as f64 / total as f64)
}
