//! Names, units and resolutions of the series, and their values in a sample.

mod host;

use quillwork_protocol::page::PageSample;
use quillwork_protocol::signals::VitalName;
use quillwork_protocol::snapshot::{PageLink, Snapshot};
use quillwork_store::series::{SeriesKey, SeriesKind, SeriesSpec};

pub(super) use self::host::of_host;
use super::custom;
use super::page::LastMinute;

/// One value of a series.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SeriesValue {
    pub(super) key: SeriesKey,
    /// A gauge or a counter.
    pub(super) kind: SeriesKind,
    pub(super) measure: Measure,
    pub(super) value: Option<f64>,
}

/// Unit of a series, and the multiple of it that values are kept to: no finer than it can be measured or seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Measure {
    pub(super) unit: &'static str,
    pub(super) resolution: f64,
}

const RATIO: Measure = Measure { unit: "ratio", resolution: 0.001 };
const SMALL_RATIO: Measure = Measure { unit: "ratio", resolution: 0.000_01 };
const SCORE: Measure = Measure { unit: "count", resolution: 0.001 };
const COUNT: Measure = Measure { unit: "count", resolution: 1.0 };
const BYTES: Measure = Measure { unit: "bytes", resolution: 1_024.0 };
const TASKS: Measure = Measure { unit: "perSecond", resolution: 0.01 };
const FRAMES: Measure = Measure { unit: "perSecond", resolution: 0.1 };
const MILLIS: Measure = Measure { unit: "millis", resolution: 0.1 };

/// Newest values of the machine's series, and of those of pages that report and are visible: what a hidden one said last is no
/// current figure.
pub(crate) fn newest_values(snapshot: &Snapshot) -> Vec<(SeriesKey, f64)> {
    let machine = snapshot.host.iter().flat_map(of_host);
    let pages = snapshot.pages.iter().filter(|page| page.link == PageLink::Live).flat_map(|page| {
        let last_minute = LastMinute {
            response_p95_millis: page.response_p95_millis,
            error_ratio: page.error_ratio,
            tasks: 0,
        };
        let sample = page.sample.iter().filter(|sample| sample.visible);
        sample.flat_map(move |sample| of_page(&page.source.id, sample, last_minute))
    });
    machine.chain(pages).filter_map(|value| Some((value.key, value.value?))).collect()
}

/// Series of a page.
pub(super) fn of_page(id: &str, sample: &PageSample, last_minute: LastMinute) -> Vec<SeriesValue> {
    let mut values = Values::default();
    let source = ("source", id);
    let lookups = u64::from(sample.cache.hits) + u64::from(sample.cache.misses);
    #[expect(clippy::cast_precision_loss, reason = "a heap has fewer than 2^53 bytes")]
    let heap = sample.heap_used_bytes.map(|bytes| bytes as f64);
    values.push_of("page.fps", source, FRAMES, if sample.visible { sample.frames_per_second } else { None });
    values.push_of(
        "page.fps_low",
        source,
        FRAMES,
        if sample.visible { sample.low_frames_per_second } else { None },
    );
    values.push_of("page.response_p95", source, MILLIS, last_minute.response_p95_millis);
    values.push_of("page.error_ratio", source, SMALL_RATIO, last_minute.error_ratio);
    let pool = &sample.pool;
    let failed = u64::from(pool.failed) + u64::from(pool.timed_out) + u64::from(pool.crashed);
    let ended = failed + u64::from(pool.completed) + u64::from(pool.aborted) + u64::from(pool.refused);
    let per_second = |count: u64| per_second(count, sample.interval_millis);
    values.push_of("page.tasks_ended", source, TASKS, per_second(ended));
    values.push_of("page.tasks_failed", source, TASKS, per_second(failed));
    values.push_of("page.pool_workers", source, COUNT, Some(f64::from(sample.pool.workers)));
    values.push_of("page.pool_queued", source, COUNT, Some(f64::from(sample.pool.queued)));
    values.push_of("page.pool_utilisation", source, RATIO, sample.pool.utilisation_ratio);
    values.push_of("page.heap_used", source, BYTES, heap);
    values.push_of("page.cache_hit_ratio", source, RATIO, share(u64::from(sample.cache.hits), lookups));
    values.push_of(
        "page.long_task_millis",
        source,
        MILLIS,
        sample.long_tasks.as_ref().map(|tasks| tasks.total_millis),
    );
    values.push_of(
        "page.blocking_millis",
        source,
        MILLIS,
        sample.long_animation_frames.as_ref().map(|frames| frames.blocking_millis),
    );
    values.push_of("page.gpu_millis", source, MILLIS, sample.gpu_millis);
    for vital in &sample.web_vitals {
        match vital.name {
            VitalName::Cls => values.push_of("page.cls", source, SCORE, Some(vital.value)),
            VitalName::Inp => values.push_of("page.inp", source, MILLIS, Some(vital.value)),
            VitalName::Lcp => values.push_of("page.lcp", source, MILLIS, Some(vital.value)),
            // What explains the others is known once and for all.
            VitalName::Fcp | VitalName::Ttfb => {}
        }
    }
    custom::of_sample(id, sample, &mut values.values);
    values.values
}

/// Series of a destination that metrics are sent on to.
pub(super) fn of_export(
    destination: &str,
    queued: u64,
    delay_millis: u64,
    lost: u64,
) -> impl Iterator<Item = SeriesValue> {
    #[expect(clippy::cast_precision_loss, reason = "what waits is bounded")]
    let float = |number: u64| Some(number as f64);
    let mut values = Values::default();
    let to = ("to", destination);
    values.push_of("host.export.queued", to, COUNT, float(queued));
    values.push_of("host.export.delay", to, MILLIS, float(delay_millis));
    values.push_of("host.export.lost", to, COUNT, float(lost));
    values.values.into_iter()
}

/// How far behind a standby of this host is.
pub(super) fn of_follower(follower: &str, behind_millis: u64) -> Vec<SeriesValue> {
    #[expect(clippy::cast_precision_loss, reason = "a day has few milliseconds")]
    let behind = Some(behind_millis as f64);
    let mut values = Values::default();
    values.push_of("host.standby.behind", ("follower", follower), MILLIS, behind);
    values.values
}

/// Whether another host of the history was primary and does not follow this one.
pub(super) fn of_former(host: &str, is_fenced: bool) -> Vec<SeriesValue> {
    let mut values = Values::default();
    values.push_of("host.standby.fenced", ("host", host), COUNT, Some(f64::from(u8::from(is_fenced))));
    values.values
}

/// The spread of a page's response times.
pub(super) fn response_of_page(id: &str) -> SeriesSpec {
    let key = SeriesKey::new("page.response", [("source", id)]);
    spread(key.expect("source ids are short and of letters and digits"))
}

/// The spread of the run times of a page's tasks of one type.
pub(super) fn runs_of_page(id: &str, task_type: &str) -> SeriesSpec {
    let key = SeriesKey::new(RUNS, [("source", id), ("task_type", task_type)]);
    spread(key.expect("source ids and names of task types were checked to be short"))
}

/// Whether this is a series of one of a page's task types.
pub(super) fn is_runs(key: &SeriesKey) -> bool {
    key.name() == RUNS
}

const RUNS: &str = "page.task.duration";

fn spread(key: SeriesKey) -> SeriesSpec {
    let kind = SeriesKind::Sketch;
    SeriesSpec { key, kind, unit: MILLIS.unit.to_owned(), resolution: MILLIS.resolution }
}

#[derive(Default)]
struct Values {
    values: Vec<SeriesValue>,
}

impl Values {
    fn push(&mut self, name: &str, measure: Measure, value: Option<f64>) {
        self.push_labelled(name, &[], measure, value);
    }

    fn push_of(&mut self, name: &str, label: (&str, &str), measure: Measure, value: Option<f64>) {
        self.push_labelled(name, &[label], measure, value);
    }

    fn push_labelled(&mut self, name: &str, labels: &[(&str, &str)], measure: Measure, value: Option<f64>) {
        self.add(name, labels, SeriesKind::Gauge, measure, value);
    }

    /// A count that only grows until it begins anew, where the system tells it.
    fn count(&mut self, name: &str, labels: &[(&str, &str)], measure: Measure, value: Option<f64>) {
        if value.is_some() {
            self.add(name, labels, SeriesKind::Counter, measure, value);
        }
    }

    /// A value of which some systems never tell: where it is unknown there is no series.
    fn push_known(&mut self, name: &str, measure: Measure, value: Option<f64>) {
        if value.is_some() {
            self.push(name, measure, value);
        }
    }

    /// The names are ours. A label's value comes from outside, and one that is too long for a series has none.
    fn add(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        kind: SeriesKind,
        measure: Measure,
        value: Option<f64>,
    ) {
        match SeriesKey::new(name, labels.iter().copied()) {
            Ok(key) => self.values.push(SeriesValue { key, kind, measure, value }),
            Err(error) => tracing::debug!("a value is not kept: {error}"),
        }
    }
}

/// A count of an interval by the second.
fn per_second(count: u64, interval_millis: f64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "tasks of one interval")]
    (interval_millis > 0.0).then(|| count as f64 * 1_000.0 / interval_millis)
}

/// `part` of `total`, 0 to 1; unknown of nothing.
fn share(part: u64, total: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a ratio needs no more than 53 bits")]
    (total > 0).then(|| part as f64 / total as f64)
}
