//! What the metrics of pages are.

use quillwork_protocol::page::PageSample;
use quillwork_protocol::signals::{CustomMetric, MetricValue, VitalName};
use quillwork_protocol::snapshot::{PageLink, PageSnapshot};

use super::exposition::{Exposition, Kind, Sample};
use super::families::float;

/// A family over pages: `value` is of pages that report and are seen only. A page that is gone has no frame rate, and
/// the newest sample of a hidden one may be a minute old.
fn page_gauge(
    to: &mut Exposition,
    pages: &[PageSnapshot],
    name: &str,
    help: &str,
    value: fn(&PageSnapshot) -> Option<f64>,
) {
    let samples = pages.iter().map(|page| {
        let is_hidden = page.sample.as_ref().is_some_and(|sample| !sample.visible);
        let is_current = page.link == PageLink::Live && !is_hidden;
        let value = if is_current { value(page) } else { None };
        Sample::new([("page", &*page.source.id), ("name", &*page.source.name)], value)
    });
    to.family(name, Kind::Gauge, help, samples);
}

pub(super) fn pages(to: &mut Exposition, pages: &[PageSnapshot]) {
    let up = pages.iter().map(|page| {
        let labels = [("page", &*page.source.id), ("name", &*page.source.name)];
        Sample::new(labels, if page.link == PageLink::Live { 1.0 } else { 0.0 })
    });
    to.family("quillwork_page_up", Kind::Gauge, "Whether the page reports.", up);
    let dropped = pages.iter().map(|page| {
        let labels = [("page", &*page.source.id), ("name", &*page.source.name)];
        Sample::new(labels, float(page.dropped_samples))
    });
    to.family("quillwork_page_dropped_samples", Kind::Counter, "Samples that the page had to drop.", dropped);
    page_gauge(
        to,
        pages,
        "quillwork_page_frames_per_second",
        "Frames a second; absent while the page is hidden.",
        |page| page.sample.as_ref()?.frames_per_second,
    );
    page_gauge(
        to,
        pages,
        "quillwork_page_response_p95_seconds",
        "95th percentile of the tasks' response time over the last minute.",
        |page| page.response_p95_millis.map(|millis| millis / 1_000.0),
    );
    page_gauge(
        to,
        pages,
        "quillwork_page_error_ratio",
        "Share of the tasks of the last minute that ended with an error, 0 to 1.",
        |page| page.error_ratio,
    );
    page_gauge(
        to,
        pages,
        "quillwork_page_heap_used_bytes",
        "JavaScript heap in use, where the browser tells.",
        |page| page.sample.as_ref()?.heap_used_bytes.map(float),
    );
}

pub(super) fn pools(to: &mut Exposition, pages: &[PageSnapshot]) {
    page_gauge(to, pages, "quillwork_page_pool_workers", "Workers that are ready or busy.", |page| {
        page.sample.as_ref().map(|sample| f64::from(sample.pool.workers))
    });
    page_gauge(to, pages, "quillwork_page_pool_queued_tasks", "Tasks that wait.", |page| {
        page.sample.as_ref().map(|sample| f64::from(sample.pool.queued))
    });
    page_gauge(
        to,
        pages,
        "quillwork_page_pool_utilisation_ratio",
        "Share of the workers' time spent on tasks, 0 to 1.",
        |page| page.sample.as_ref()?.pool.utilisation_ratio,
    );
}

/// A number of a sample, where it has it.
type Read = fn(&PageSample) -> Option<f64>;

/// What pages tell beside their numbers.
pub(super) fn signals(to: &mut Exposition, pages: &[PageSnapshot]) {
    let errors = pages.iter().map(|page| {
        let labels = [("page", &*page.source.id), ("name", &*page.source.name)];
        Sample::new(labels, float(page.errors))
    });
    to.family("quillwork_page_errors", Kind::Counter, "Errors and rejections that nobody caught.", errors);
    let gauges: [(&str, &str, Read); 7] = [
        (
            "quillwork_page_low_frames_per_second",
            "1 % low: the rate of the slowest hundredth of the last 600 frames.",
            |sample| sample.low_frames_per_second,
        ),
        (
            "quillwork_page_blocking_seconds",
            "Time of the newest interval in which long animation frames kept input waiting.",
            |sample| Some(sample.long_animation_frames.as_ref()?.blocking_millis / 1_000.0),
        ),
        ("quillwork_page_user_agent_memory_bytes", "Memory of the page, its workers and frames.", |sample| {
            sample.user_agent_memory_bytes.map(float)
        }),
        ("quillwork_page_wasm_memory_bytes", "WebAssembly memory of the runtime.", |sample| {
            Some(float(sample.wasm_bytes))
        }),
        ("quillwork_page_gpu_seconds", "GPU time of the newest interval.", |sample| {
            Some(sample.gpu_millis? / 1_000.0)
        }),
        (
            "quillwork_page_garbage_collections_estimate",
            "Collections of garbage that were noticed in the newest interval, an estimate.",
            |sample| sample.garbage_collections_estimate.map(f64::from),
        ),
        (
            "quillwork_page_telemetry_cost_ratio",
            "Share of the main thread's time that measuring took, 0 to 1.",
            |sample| sample.telemetry_cost_ratio,
        ),
    ];
    for (name, help, value) in gauges {
        let samples = seen(pages).map(|(page, sample)| {
            Sample::new([("page", &*page.source.id), ("name", &*page.source.name)], value(sample))
        });
        to.family(name, Kind::Gauge, help, samples);
    }
    vitals(to, pages);
    custom(to, pages);
}

fn vitals(to: &mut Exposition, pages: &[PageSnapshot]) {
    let of = |wanted: fn(VitalName) -> Option<&'static str>, scale: f64| {
        seen(pages).flat_map(move |(page, sample)| {
            sample.web_vitals.iter().filter_map(move |vital| {
                let labels = [
                    ("page", &*page.source.id),
                    ("name", &*page.source.name),
                    ("vital", wanted(vital.name)?),
                ];
                Some(Sample::new(labels, vital.value / scale))
            })
        })
    };
    let times = of(
        |name| match name {
            VitalName::Cls => None,
            VitalName::Fcp => Some("FCP"),
            VitalName::Inp => Some("INP"),
            VitalName::Lcp => Some("LCP"),
            VitalName::Ttfb => Some("TTFB"),
        },
        1_000.0,
    );
    to.family("quillwork_page_web_vital_seconds", Kind::Gauge, "Web vitals that are times.", times);
    let shifts = of(|name| (name == VitalName::Cls).then_some("CLS"), 1.0);
    to.family("quillwork_page_web_vital_score", Kind::Gauge, "Web vitals that are scores.", shifts);
}

/// Metrics of the app's own. Names and tags are labels: whatever an app calls them, the families stay these.
fn custom(to: &mut Exposition, pages: &[PageSnapshot]) {
    let metrics: Vec<(&PageSnapshot, f64, &CustomMetric, String)> = seen(pages)
        .flat_map(|(page, sample)| {
            let seconds = sample.interval_millis / 1_000.0;
            sample.metrics.iter().map(move |metric| {
                let tags: Vec<String> =
                    metric.tags.iter().map(|(key, value)| format!("{key}={value}")).collect();
                (page, seconds, metric, tags.join(","))
            })
        })
        .collect();
    let of = |value: fn(&MetricValue, f64) -> Option<f64>| {
        metrics.iter().filter_map(move |(page, seconds, metric, tags)| {
            let labels = [
                ("page", &*page.source.id),
                ("name", &*page.source.name),
                ("metric", &*metric.name),
                ("unit", &*metric.unit),
                ("tags", &**tags),
            ];
            Some(Sample::new(labels, value(&metric.value, *seconds)?))
        })
    };
    let gauges = of(|value, _| if let MetricValue::Gauge { value } = value { Some(*value) } else { None });
    to.family("quillwork_page_metric", Kind::Gauge, "Gauges of the app's own, in the label's unit.", gauges);
    let rates = of(|value, seconds| match value {
        MetricValue::Counter { value } => Some(value / seconds),
        #[expect(clippy::cast_precision_loss, reason = "both formats carry doubles")]
        MetricValue::Histogram { sketch } => Some(sketch.count as f64 / seconds),
        MetricValue::Gauge { .. } => None,
    });
    to.family(
        "quillwork_page_metric_per_second",
        Kind::Gauge,
        "Counters of the app's own in the newest interval, and values that its histograms took, a second.",
        rates,
    );
}

/// Pages that report and are seen, with their newest sample.
fn seen(pages: &[PageSnapshot]) -> impl Iterator<Item = (&PageSnapshot, &PageSample)> {
    pages
        .iter()
        .filter(|page| page.link == PageLink::Live)
        .filter_map(|page| Some((page, page.sample.as_ref()?)))
        .filter(|(_, sample)| sample.visible)
}
