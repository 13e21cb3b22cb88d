//! The rules that ship: the budgets of a rich app in the browser, and of the machine under it.

use alloc::vec;
use alloc::vec::Vec;

use super::condition::Condition;
use super::labels::{Matcher, Selector};
use super::rule::{Culprit, Direction, Level, Rule, Unit};
use super::slo::{Indicator, Slo};
use crate::time::Duration;

/// The rules that ship, composite ones after their members.
///
/// | rule | warning | critical |
/// |---|---|---|
/// | `host-cpu` | above 70 % for 15 s | above 80 % for 10 s |
/// | `host-memory` | above 80 % for 10 s | above 90 % for 5 s |
/// | `host-disk-space` | above 90 % | above 95 % |
/// | `host-disk-full` | full in under a day, by the last hour's trend | in under four hours |
/// | `host-temperature` | above 80 °C for 30 s | above 90 °C for 10 s |
/// | `host-lost` | not measured for 10 s | for a minute |
/// | `host-export-late` | metrics wait for five minutes to be sent on | for an hour |
/// | `host-export-lost` | metrics that were to be sent on were lost in the last ten minutes | |
/// | `host-standby-behind` | a standby is a minute behind this host, or has not asked for one | ten minutes |
/// | `host-standby-fenced` | a host that was primary before this one is silent and does not follow, for a minute | |
/// | `page-lost` | silent for 10 s | for a minute |
/// | `page-memory` | above 60 % of its budget | above 70 % |
/// | `page-memory-maximum` | | above 80 % |
/// | `page-response` | 95th percentile of the last minute above 75 ms | above 100 ms |
/// | `page-errors` | above 2 % of 50 tasks or more in the last minute | above 5 % |
/// | `page-fps` | below 55 for 5 s | below 30 for 3 s |
/// | `page-cache-hits` | below 70 % of 200 look-ups or more in five minutes | below 50 % |
/// | `page-cache-evictions` | above 5 % of the look-ups | above 20 % |
/// | `page-pool-saturated` | workers busy and tasks waiting: `page-pool-busy` and `page-pool-queue` | both of them critical |
/// | `page-garbage-collection` | above 10 a minute, as estimated | above 30 |
/// | `page-clock-skew` | 2 s off this machine's clock | a minute |
/// | `objective-availability` | 99.9 % of the seconds in which somebody looked | burns faster |
/// | `objective-errors` | 99.9 % of the tasks | burns faster |
/// | `objective-response-p50`, `-p95`, `-p99` | within 20, 50, 100 ms | burns faster |
///
/// Alerts go on for 10 s after the value is back, and there is no data after 10 s without a sample, unless said otherwise
/// in the rule.
#[must_use]
pub fn default_rules() -> Vec<Rule> {
    let mut rules = host();
    rules.extend(page());
    rules.extend(pool());
    rules.extend(objectives());
    rules
}

/// Tasks in the window from which on their error ratio says something.
pub const PAGE_ERRORS_MIN_COUNT: u64 = 50;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const HOUR_MILLIS: f64 = 3_600_000.0;

fn host() -> Vec<Rule> {
    let value = |series| Condition::Value(Selector::all(series));
    let disk = || Selector::all("host.disk.used");
    vec![
        Rule {
            warning: level(0.70, 0.65, 15),
            critical: level(0.80, 0.75, 10),
            culprit: Culprit::ProcessByCpu,
            look_first: "the process that uses most processor time, and whether it should run now".into(),
            ..Rule::new("host-cpu", value("host.cpu.total"), Unit::Ratio, Direction::Above)
        },
        Rule {
            warning: level(0.80, 0.77, 10),
            critical: level(0.90, 0.87, 5),
            culprit: Culprit::ProcessByMemory,
            look_first: "the process that uses most memory, and whether it still grows".into(),
            ..Rule::new("host-memory", value("host.memory.used"), Unit::Ratio, Direction::Above)
        },
        Rule {
            warning: level(0.90, 0.88, 60),
            critical: level(0.95, 0.93, 60),
            stale_after: MINUTE,
            look_first: "the largest folders of the file system: du -xh --max-depth=2 on its mount point"
                .into(),
            ..Rule::new("host-disk-space", Condition::Value(disk()), Unit::Ratio, Direction::Above)
        },
        Rule {
            warning: level(24.0 * HOUR_MILLIS, 26.0 * HOUR_MILLIS, 300),
            critical: level(4.0 * HOUR_MILLIS, 5.0 * HOUR_MILLIS, 300),
            keep_firing: Duration::from_secs(300),
            stale_after: MINUTE,
            look_first: "what has been written in the last hour on that file system: logs, caches, exports"
                .into(),
            ..Rule::new(
                "host-disk-full",
                Condition::TimeToReach { of: disk(), limit: 1.0, window: HOUR },
                Unit::Millis,
                Direction::Below,
            )
        },
        Rule {
            warning: level(80.0, 77.0, 30),
            critical: level(90.0, 87.0, 10),
            stale_after: MINUTE,
            look_first: "fans, dust and what loads the machine; it slows itself down before it takes harm"
                .into(),
            ..Rule::new("host-temperature", value("host.temperature"), Unit::Celsius, Direction::Above)
        },
        Rule {
            warning: Some(Level::at(10_000.0)),
            critical: Some(Level::at(60_000.0)),
            look_first: "the log of the host: its sampler no longer measures".into(),
            ..Rule::new(
                "host-lost",
                Condition::Absent(Selector::all("host.memory.used")),
                Unit::Millis,
                Direction::Above,
            )
        },
        Rule {
            warning: level(300_000.0, 60_000.0, 0),
            critical: level(HOUR_MILLIS, HOUR_MILLIS / 2.0, 0),
            look_first: "whether the receiver answers: the log of the host says what goes wrong".into(),
            ..Rule::new("host-export-late", value("host.export.delay"), Unit::Millis, Direction::Above)
        },
        Rule {
            warning: Some(Level::at(0.0)),
            look_first: "why the receiver refuses what it is sent, or is away: the log of the host says so"
                .into(),
            ..Rule::new(
                "host-export-lost",
                Condition::Sum { of: Selector::all("host.export.lost"), window: Duration::from_secs(600) },
                Unit::Count,
                Direction::Above,
            )
        },
        Rule {
            warning: level(60_000.0, 10_000.0, 0),
            critical: level(600_000.0, 60_000.0, 0),
            look_first: "whether the standby runs and reaches this host: its /api/v1/replication says why it can't follow"
                .into(),
            ..Rule::new("host-standby-behind", value("host.standby.behind"), Unit::Millis, Direction::Above)
        },
        Rule {
            warning: level(0.5, 0.5, 60),
            stale_after: MINUTE,
            look_first: "the old primary: start it with --standby and this host's address, or set standby.rejoin there".into(),
            ..Rule::new("host-standby-fenced", value("host.standby.fenced"), Unit::Count, Direction::Above)
        },
    ]
}

fn page() -> Vec<Rule> {
    let value = |series| Condition::Value(Selector::all(series));
    let share = |part: &str, total: &str, min_total| Condition::Ratio {
        part: Selector::all(part),
        total: Selector::all(total),
        window: Duration::from_secs(300),
        min_total,
        by: None,
    };
    vec![
        Rule {
            warning: level(0.5, 0.5, 10),
            critical: level(0.5, 0.5, 60),
            keep_firing: Duration::ZERO,
            look_first: "whether the tab crashed or lost its network: it ended without a goodbye".into(),
            ..Rule::new("page-lost", value("page.up"), Unit::Count, Direction::Below)
        },
        Rule {
            warning: level(0.60, 0.57, 10),
            critical: level(0.70, 0.67, 5),
            look_first: "what the page keeps: caches, pooled buffers, detached nodes".into(),
            ..Rule::new("page-memory", value("page.memory.used"), Unit::Ratio, Direction::Above)
        },
        Rule {
            critical: level(0.80, 0.77, 0),
            look_first: "lower the caches' byte budgets or reload the page before the browser ends it".into(),
            ..Rule::new("page-memory-maximum", value("page.memory.used"), Unit::Ratio, Direction::Above)
        },
        Rule {
            warning: level(75.0, 70.0, 5),
            critical: level(100.0, 95.0, 5),
            min_count: 10,
            culprit: Culprit::TaskType,
            look_first: "the slowest type of task, and whether tasks wait longer than they run".into(),
            ..Rule::new("page-response", value("page.response_p95"), Unit::Millis, Direction::Above)
        },
        Rule {
            warning: level(0.02, 0.018, 5),
            critical: level(0.05, 0.045, 5),
            min_count: PAGE_ERRORS_MIN_COUNT,
            culprit: Culprit::TaskType,
            look_first: "the type of task that fails, and its last error".into(),
            ..Rule::new("page-errors", value("page.error_ratio"), Unit::Ratio, Direction::Above)
        },
        Rule {
            warning: level(55.0, 57.0, 5),
            critical: level(30.0, 33.0, 3),
            look_first: "long tasks and long animation frames of the same seconds".into(),
            ..Rule::new("page-fps", value("page.fps"), Unit::PerSecond, Direction::Below)
        },
        Rule {
            warning: level(0.70, 0.73, 30),
            critical: level(0.50, 0.53, 30),
            warm_up: Duration::from_secs(300),
            stale_after: MINUTE,
            look_first: "whether the cache is large enough for what is opened again and again".into(),
            ..Rule::new(
                "page-cache-hits",
                share("page.cache.hits", "page.cache.lookups", 200.0),
                Unit::Ratio,
                Direction::Below,
            )
        },
        Rule {
            warning: level(0.05, 0.04, 30),
            critical: level(0.20, 0.16, 30),
            warm_up: MINUTE,
            stale_after: MINUTE,
            look_first: "the cache's byte budget: what is evicted is soon asked for again".into(),
            ..Rule::new(
                "page-cache-evictions",
                share("page.cache.evictions", "page.cache.lookups", 200.0),
                Unit::Ratio,
                Direction::Above,
            )
        },
        Rule {
            warning: level(10.0, 8.0, 10),
            critical: level(30.0, 25.0, 10),
            look_first: "what allocates in every frame; the number is an estimate".into(),
            ..Rule::new(
                "page-garbage-collection",
                Condition::Sum { of: Selector::all("page.garbage_collections"), window: MINUTE },
                Unit::Count,
                Direction::Above,
            )
        },
        Rule {
            warning: level(2_000.0, 1_500.0, 30),
            critical: level(60_000.0, 55_000.0, 30),
            look_first: "time synchronisation on the machine of the page and on this one: timedatectl".into(),
            ..Rule::new("page-clock-skew", value("page.clock.offset"), Unit::Millis, Direction::Above)
        },
    ]
}

fn pool() -> Vec<Rule> {
    let value = |series| Condition::Value(Selector::all(series));
    let both = vec!["page-pool-busy".into(), "page-pool-queue".into()];
    vec![
        Rule {
            warning: level(0.90, 0.85, 5),
            critical: level(0.98, 0.95, 5),
            notify: false,
            culprit: Culprit::Worker,
            ..Rule::new("page-pool-busy", value("page.pool_utilisation"), Unit::Ratio, Direction::Above)
        },
        Rule {
            warning: level(2.0, 1.5, 5),
            critical: level(8.0, 6.0, 5),
            notify: false,
            ..Rule::new(
                "page-pool-queue",
                value("page.pool_queued_per_worker"),
                Unit::Count,
                Direction::Above,
            )
        },
        Rule {
            warning: level(0.5, 0.5, 5),
            critical: level(1.5, 1.5, 5),
            culprit: Culprit::TaskType,
            look_first:
                "the type of task that takes most of the workers' time; more workers where cores are free"
                    .into(),
            ..Rule::new(
                "page-pool-saturated",
                Condition::All { of: both, by: vec!["source".into()] },
                Unit::Count,
                Direction::Above,
            )
        },
    ]
}

fn objectives() -> Vec<Rule> {
    let events = |bad, total| Indicator::Events { bad, total };
    let within = |name: &str, bound: &str, objective, hint: &str| Rule {
        culprit: Culprit::TaskType,
        look_first: hint.into(),
        ..Rule::objective(
            name,
            Slo {
                min_events: 100,
                ..Slo::new(
                    objective,
                    events(
                        Selector {
                            name: "page.response.slow".into(),
                            matchers: vec![Matcher::is("bound_millis", bound)],
                        },
                        Selector::all("page.response.counted"),
                    ),
                )
            },
        )
    };
    vec![
        Rule {
            look_first: "which pages were lost, and when".into(),
            ..Rule::objective(
                "objective-availability",
                Slo {
                    min_events: 60,
                    ..Slo::new(
                        0.999,
                        Indicator::Samples {
                            of: Selector::all("page.up"),
                            bound: 0.5,
                            direction: Direction::Below,
                        },
                    )
                },
            )
        },
        Rule {
            culprit: Culprit::TaskType,
            look_first: "the type of task that fails most".into(),
            ..Rule::objective(
                "objective-errors",
                Slo {
                    min_events: 1_000,
                    ..Slo::new(
                        0.999,
                        events(Selector::all("page.tasks.failed"), Selector::all("page.tasks.ended")),
                    )
                },
            )
        },
        within("objective-response-p50", "20", 0.50, "the most frequent type of task"),
        within("objective-response-p95", "50", 0.95, "tasks that wait for a worker"),
        within("objective-response-p99", "100", 0.99, "the slowest type of task"),
    ]
}

fn level(threshold: f64, clear: f64, for_secs: u64) -> Option<Level> {
    Some(Level { threshold, clear, for_duration: Duration::from_secs(for_secs) })
}
