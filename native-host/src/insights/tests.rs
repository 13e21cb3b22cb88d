//! Insights on planted causes, and on none.

use quillwork_core::telemetry::{RelativeAccuracy, Sketch};
use quillwork_protocol::insights::{CapacityAdvice, Insights, LimitKind, LimitSign, TrendState};
use quillwork_store::history::{History, HistoryOptions};
use quillwork_store::series::{SeriesKey, SeriesKind, SeriesSpec};
use quillwork_store::volume::Memory;

use super::{Context, insights, is_of_interest};

const START: u64 = 1_800_000_000_000;

/// A series, and its value in a second, where it has one.
type Sparse<'a> = (&'a str, &'a dyn Fn(u64) -> Option<f64>);

/// A history that is filled as fast as a test likes.
struct Planted {
    history: History<Memory>,
    seconds: u64,
}

/// A value that isn't always the same, and no trend: 0 to 1.
fn wobble(second: u64) -> f64 {
    let mixed = second.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678;
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    f64::from(u32::try_from(mixed >> 40).unwrap()) / f64::from(1 << 24)
}

impl Planted {
    /// So many values of each series, one each `step` seconds.
    fn new(count: u64, step: u64, series: &[(&str, &dyn Fn(u64) -> f64)]) -> Self {
        let always: Vec<_> =
            series.iter().map(|(name, value)| (*name, move |at: u64| Some(value(at)))).collect();
        let always: Vec<Sparse<'_>> =
            always.iter().map(|(name, value)| (*name, value as &dyn Fn(u64) -> Option<f64>)).collect();
        Self::with_gaps(count, step, &always)
    }

    /// A second apart, where there are any.
    fn sparse(count: u64, series: &[Sparse<'_>]) -> Self {
        Self::with_gaps(count, 1, series)
    }

    fn with_gaps(count: u64, step: u64, series: &[Sparse<'_>]) -> Self {
        let mut history = History::open(Memory::new(), HistoryOptions::default(), START).unwrap();
        let ids: Vec<_> = series
            .iter()
            .map(|(series, _)| {
                let key: SeriesKey = series.parse().unwrap();
                let spec =
                    SeriesSpec { key, kind: SeriesKind::Gauge, unit: "ratio".into(), resolution: 0.001 };
                history.add_series(spec).unwrap()
            })
            .collect();
        for at in (0..count).map(|at| at * step) {
            let values: Vec<_> =
                ids.iter().zip(series).filter_map(|(id, (_, value))| Some((*id, value(at)?))).collect();
            let unix_millis = START + at * 1_000;
            history.append(unix_millis, unix_millis, &values);
            if at % 60 == 0 {
                history.commit().unwrap();
            }
        }
        Self { history, seconds: count * step }
    }

    /// So many tasks a second of these run times.
    fn tasks(&mut self, series: &str, of_second: impl Fn(u64) -> Vec<f64>) {
        let spec = SeriesSpec {
            key: series.parse().unwrap(),
            kind: SeriesKind::Sketch,
            unit: "millis".into(),
            resolution: 0.1,
        };
        let id = self.history.add_series(spec).unwrap();
        for second in 0..self.seconds {
            let mut sketch = Sketch::new(RelativeAccuracy::new(0.01).unwrap());
            of_second(second).into_iter().for_each(|millis| sketch.record(millis).unwrap());
            let at = START + second * 1_000;
            self.history.append_sketch(START + self.seconds * 1_000, at, id, &sketch);
        }
    }

    fn insights(&self) -> Insights {
        let ids: Vec<_> = self.history.catalogue().filter(|(_, spec)| is_of_interest(&spec.key)).collect();
        let reader = self.history.reader(ids.into_iter().map(|(id, _)| id));
        let names = [("p1".to_owned(), "Story\u{202e}".to_owned())].into();
        let context = Context { names, link_bits_per_second: [("eth0".to_owned(), 1e9)].into() };
        insights(reader, &context, (START, START + self.seconds * 1_000)).unwrap()
    }
}

#[test]
fn a_disk_for_which_requests_wait_is_named_with_the_evidence() {
    let planted = Planted::new(
        600,
        1,
        &[
            ("host.cpu.total", &|at| 0.2 + 0.1 * wobble(at)),
            ("host.memory.used", &|_| 0.4),
            (r#"host.disk.busy{device="sda"}"#, &|_| 0.98),
            (r#"host.disk.queue{device="sda"}"#, &|_| 7.0),
            (r#"host.disk.busy{device="sdb"}"#, &|_| 0.1),
            (r#"host.disk.queue{device="sdb"}"#, &|_| 0.1),
        ],
    );
    let found = planted.insights().bottlenecks;
    assert_eq!(found.len(), 1, "{found:?}");
    let disk = &found[0];
    assert_eq!(
        (disk.resource, disk.subject.as_str(), disk.sign),
        (LimitKind::Disk, "sda", LimitSign::Saturation)
    );
    assert_eq!((disk.over_millis, disk.measured_millis, disk.windows), (600_000, 600_000, 1));
    assert!((disk.median - 6.0).abs() < 1e-9, "the request that is served doesn't wait");
    assert!(disk.confidence > 0.8, "{disk:?}");
    assert!(
        disk.summary.starts_with("The disk sda limited in 10 min of 10 min measured"),
        "{}",
        disk.summary
    );
}

#[test]
fn an_ordinary_hour_says_nothing() {
    let planted = Planted::new(
        3_600,
        1,
        &[
            ("host.cpu.total", &|at| 0.3 + 0.2 * wobble(at)),
            ("host.memory.used", &|at| 0.4 + 0.01 * wobble(at + 9)),
            (r#"host.pressure{resource="cpu",kind="some"}"#, &|at| 0.1 * wobble(at + 5)),
            (r#"host.disk.used{mount="/"}"#, &|_| 0.5),
            (r#"page.fps{source="p1"}"#, &|at| if wobble(at + 77) < 0.1 { 20.0 } else { 60.0 }),
        ],
    );
    let found = planted.insights();
    assert!(found.bottlenecks.is_empty() && found.correlations.is_empty(), "{found:?}");
    assert!(found.trends.iter().all(|trend| trend.state == TrendState::None), "{:?}", found.trends);
    assert_eq!(found.missing.len(), 1, "only a page's tasks are not there: {:?}", found.missing);
}

#[test]
fn what_limits_in_two_stretches_is_told_once_with_the_time_of_both() {
    let is_busy = |at: u64| (900..1_800).contains(&at) || (5_400..6_300).contains(&at);
    let planted = Planted::new(
        7_200,
        1,
        &[
            ("host.cpu.total", &|at| if is_busy(at) { 0.99 } else { 0.1 }),
            (r#"host.pressure{resource="cpu",kind="some"}"#, &|at| if is_busy(at) { 0.6 } else { 0.0 }),
        ],
    );
    let found = planted.insights().bottlenecks;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].resource, found[0].windows, found[0].over_millis), (LimitKind::Cpu, 2, 1_800_000));
    assert_eq!(found[0].first_unix_millis, START + 900_000);
    assert_eq!(found[0].last_unix_millis, START + 6_300_000);
}

#[test]
fn a_disk_that_fills_is_full_at_a_time() {
    // 1 point in an hour from 70 %, for twelve hours: full 18 hours later.
    let planted = Planted::new(
        720,
        60,
        &[
            (r#"host.disk.used{mount="/srv\n"}"#, &|at| 0.70 + at as f64 / 3_600.0 * 0.01),
            ("host.memory.used", &|at| 0.5 + 0.02 * wobble(at)),
        ],
    );
    let found = planted.insights().trends;
    assert_eq!(found.len(), 2);
    let disk = found.iter().find(|trend| trend.subject == "/srv\n").unwrap();
    assert_eq!(disk.state, TrendState::Rising);
    assert!((disk.per_hour_ratio.unwrap() - 0.01).abs() < 0.000_5, "{disk:?}");
    let full = disk.full.as_ref().unwrap();
    let hours = (full.likely_unix_millis - START) / 3_600_000;
    assert!((29..=31).contains(&hours), "{hours}");
    assert!(full.earliest_unix_millis <= full.likely_unix_millis);
    assert!(disk.summary.contains("/srv?"), "a mount can't break the sentence: {}", disk.summary);
    let memory = found.iter().find(|trend| trend.series == "host.memory.used").unwrap();
    assert_eq!((memory.state, memory.full.clone()), (TrendState::None, None));
}

#[test]
fn half_an_hour_is_no_trend() {
    let planted = Planted::new(1_800, 1, &[("host.memory.used", &|at| 0.2 + at as f64 / 3_600.0)]);
    let found = planted.insights().trends;
    assert_eq!((found.len(), found[0].state), (1, TrendState::TooFew));
}

#[test]
fn what_the_machine_did_before_slow_seconds_is_found_with_its_lag() {
    let planted = Planted::new(
        1_200,
        1,
        &[
            ("host.cpu.total", &|at| 0.2 + 0.5 * wobble(at)),
            (r#"host.disk.busy{device="sda"}"#, &|at| if at % 60 < 6 { 0.9 } else { 0.1 }),
            (r#"page.fps{source="p1"}"#, &|at| if (2..8).contains(&(at % 60)) { 12.0 } else { 60.0 }),
        ],
    );
    let found = planted.insights().correlations;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].series.as_str(), found[0].lag_seconds), (r#"host.disk.busy{device="sda"}"#, 2));
    assert_eq!((found[0].source.as_str(), found[0].source_name.as_str()), ("p1", "Story?"));
    assert!(found[0].chance < 0.01 && found[0].summary.contains("not said"), "{found:?}");
}

#[test]
fn a_page_that_was_seen_shortly_is_said_to_be_missing() {
    let planted = Planted::new(60, 1, &[(r#"page.fps{source="p1"}"#, &|_| 60.0)]);
    let found = planted.insights();
    let reason =
        |about| found.missing.iter().find(|missing| missing.about == about).map(|of| of.reason.as_str());
    assert_eq!(reason("correlations"), Some("Story? was seen for 60 s, and it takes 300"));
    assert_eq!(reason("capacity"), Some("no page reported a task"));
    assert!(reason("trends").is_some() && reason("bottlenecks").is_some());
}

#[test]
fn workers_are_advised_from_the_busiest_minute() {
    let mut planted = Planted::new(
        600,
        1,
        &[(r#"page.pool_workers{source="p1"}"#, &|_| 2.0), (r#"page.pool_queued{source="p1"}"#, &|_| 0.0)],
    );
    // 10 tasks a second, and 40 in one minute, of 40 ms on average and as different as exponential times are.
    let run = |of: u64| -40.0 * (1.0 - wobble(of)).ln();
    planted.tasks(r#"page.task.duration{source="p1",task_type="render"}"#, |second| {
        let count = if (300..360).contains(&second) { 40 } else { 10 };
        (0..count).map(|task| run(second * 100 + task)).collect()
    });
    let found = planted.insights().capacity;
    assert_eq!(found.len(), 1, "{found:?}");
    let page = &found[0];
    assert!((page.arrivals_per_second - 40.0).abs() < 0.01, "{page:?}");
    assert!((page.mean_run_millis - 40.0).abs() < 3.0, "{page:?}");
    // The p95 of the run times alone is 120 ms.
    assert_eq!((page.advice, page.workers), (CapacityAdvice::TasksTooSlow, Some(2)));

    let mut planted = Planted::new(
        600,
        1,
        &[
            (r#"page.pool_workers{source="p1"}"#, &|_| 1.0),
            (r#"page.pool_queued{source="p1"}"#, &|at| f64::from(u8::from(at % 2 == 0))),
        ],
    );
    // Nobody tells run times: they are the responses of seconds in which nothing waits.
    planted.tasks(r#"page.response{source="p1"}"#, |second| {
        vec![if second % 2 == 0 { 500.0 } else { 20.0 }; 60]
    });
    let found = planted.insights().capacity;
    assert_eq!((found[0].advice, found[0].advised_workers), (CapacityAdvice::More, Some(2)), "{found:?}");
    assert!((found[0].mean_run_millis - 20.0).abs() < 0.5);
}

#[test]
fn workers_are_not_advised_where_the_load_does_not_explain_the_responses() {
    let mut planted = Planted::new(
        600,
        1,
        &[
            (r#"page.pool_workers{source="p1"}"#, &|_| 8.0),
            (r#"page.pool_queued{source="p1"}"#, &|at| f64::from(u8::from(at % 5 == 0))),
        ],
    );
    // A fifth of the time something else than the load slows the page down.
    planted.tasks(r#"page.response{source="p1"}"#, |second| {
        vec![if second % 5 == 0 { 400.0 } else { 10.0 }; 20]
    });
    let found = planted.insights();
    assert!(found.capacity.is_empty(), "{:?}", found.capacity);
    assert!(found.missing.iter().any(|of| of.about == "capacity" && of.reason.contains("do not explain")));
}

#[test]
fn a_host_that_has_just_started_is_judged_by_what_it_measured() {
    // The page was there ten minutes before.
    let planted = Planted::sparse(
        900,
        &[
            ("host.cpu.total", &|at| (at >= 600).then_some(0.98)),
            (r#"host.pressure{resource="cpu",kind="some"}"#, &|at| (at >= 600).then_some(0.7)),
            (r#"page.fps{source="p1"}"#, &|_| Some(60.0)),
        ],
    );
    let found = planted.insights().bottlenecks;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].resource, found[0].measured_millis), (LimitKind::Cpu, 300_000));

    // A host that missed most of the time in between says nothing of it.
    let planted =
        Planted::sparse(900, &[("host.cpu.total", &|at| (!(100..=890).contains(&at)).then_some(0.98))]);
    assert!(planted.insights().bottlenecks.is_empty());
}

#[test]
fn the_type_of_task_that_takes_most_is_named_where_the_queue_limits() {
    let mut planted = Planted::new(
        300,
        1,
        &[
            (r#"page.pool_workers{source="p1"}"#, &|_| 2.0),
            (r#"page.pool_queued{source="p1"}"#, &|_| 9.0),
            (r#"page.pool_utilisation{source="p1"}"#, &|_| 1.0),
        ],
    );
    planted.tasks(r#"page.task.duration{source="p1",task_type="layout"}"#, |_| vec![180.0; 10]);
    planted.tasks(r#"page.task.duration{source="p1",task_type="save"}"#, |_| vec![20.0; 10]);
    let found = planted.insights().bottlenecks;
    let named: Vec<_> =
        found.iter().map(|of| (of.resource, of.subject.as_str(), of.source.as_deref())).collect();
    assert_eq!(named, [(LimitKind::Queue, "", Some("p1")), (LimitKind::TaskType, "layout", Some("p1"))]);
    assert!(found[0].summary.starts_with("The workers of Story? limited"), "{}", found[0].summary);
}
