//! The budgets that the runtime stands for, as rules.

use alloc::vec;
use alloc::vec::Vec;

use super::rule::{Direction, Level, Rule, Unit};
use crate::time::Duration;

/// The five budget rules. All are for samples once a second or so.
///
/// | name | metric | warning | clears | critical | clears |
/// |---|---|---|---|---|---|
/// | `host-cpu` | `host.cpu.total` | above 0.70 for 15 s | 0.65 | above 0.90 for 10 s | 0.85 |
/// | `host-memory` | `host.memory.used_ratio` | above 0.80 for 10 s | 0.77 | above 0.95 for 5 s | 0.92 |
/// | `page-response` | `page.response_p95` | above 100 ms for 5 s | 90 | above 500 ms for 5 s | 450 |
/// | `page-errors` | `page.error_ratio` | above 0.001 for 5 s | 0.0008 | above 0.01 for 5 s | 0.008 |
/// | `page-fps` | `page.fps` | below 55 for 5 s | 57 | below 30 for 3 s | 33 |
///
/// * CPU comes in bursts: opening a story may use all of it for some seconds and harm nobody, so it takes longest.
///   Memory moves slowly, and near its end there is little time.
/// * Response and errors are to be sampled over the last minute (a merged sketch, a rolling ratio), which is what smooths them; their
///   durations only leave out a first sample of a new page. Errors count from [`PAGE_ERRORS_MIN_COUNT`] tasks on. With so few
///   one error is already above one per cent: a burst of errors of a quiet page is meant to be seen.
/// * Frames are sampled while the page is visible, and absent while it is not. 57 leaves room for the jitter of
///   a 60 Hz display.
/// * All keep firing for 10 s, and have no data after 10 s without a sample.
#[must_use]
pub fn budget_rules() -> Vec<Rule> {
    let page_errors = rule(
        ("page-errors", "page.error_ratio", Unit::Ratio, Direction::Above),
        level(0.001, 0.000_8, 5),
        level(0.01, 0.008, 5),
    );
    vec![
        rule(
            ("host-cpu", "host.cpu.total", Unit::Ratio, Direction::Above),
            level(0.70, 0.65, 15),
            level(0.90, 0.85, 10),
        ),
        rule(
            ("host-memory", "host.memory.used_ratio", Unit::Ratio, Direction::Above),
            level(0.80, 0.77, 10),
            level(0.95, 0.92, 5),
        ),
        rule(
            ("page-response", "page.response_p95", Unit::Millis, Direction::Above),
            level(100.0, 90.0, 5),
            level(500.0, 450.0, 5),
        ),
        Rule { min_count: PAGE_ERRORS_MIN_COUNT, ..page_errors },
        rule(
            ("page-fps", "page.fps", Unit::PerSecond, Direction::Below),
            level(55.0, 57.0, 5),
            level(30.0, 33.0, 3),
        ),
    ]
}

fn rule(
    (name, metric, unit, direction): (&str, &str, Unit, Direction),
    warning: Level,
    critical: Level,
) -> Rule {
    Rule {
        name: name.into(),
        metric: metric.into(),
        unit,
        direction,
        warning,
        critical,
        keep_firing: Duration::from_secs(10),
        stale_after: Duration::from_secs(10),
        min_count: 0,
    }
}

fn level(threshold: f64, clear: f64, for_secs: u64) -> Level {
    Level { threshold, clear, for_duration: Duration::from_secs(for_secs) }
}

/// Tasks in the window from which on their error ratio says something.
pub const PAGE_ERRORS_MIN_COUNT: u64 = 50;
