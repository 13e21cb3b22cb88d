//! Insights in people's words.

use quillwork_protocol::insights::{
    BottleneckInfo, CapacityAdvice, CapacityInfo, CorrelationInfo, LimitKind, LimitSign, TrendInfo,
    TrendState,
};

use crate::calendar::minute;
use crate::printable::printable;
use crate::units::per_cent;

/// What a sign is counted in.
pub(super) const fn unit(resource: LimitKind, sign: LimitSign) -> &'static str {
    match (sign, resource) {
        (LimitSign::Errors, _) | (LimitSign::Saturation, LimitKind::Network) => "perSecond",
        (LimitSign::Saturation, LimitKind::Disk | LimitKind::Queue | LimitKind::Worker) => "count",
        _ => "ratio",
    }
}

/// The first thing to look at.
pub(super) const fn look_first(resource: LimitKind) -> &'static str {
    match resource {
        LimitKind::Memory => "the processes that hold most memory: /api/v1/processes, or quillwork top",
        LimitKind::Cpu => "the processes that use most processor time: /api/v1/processes, or quillwork top",
        LimitKind::Disk => "the processes that read and write most: /api/v1/processes, or quillwork top",
        LimitKind::Network => "what is sent and received on that interface, and the link's speed and cable",
        LimitKind::Gpu => "the passes that take longest, and what else uses the graphics processor",
        LimitKind::Queue => {
            "whether more workers would do (see capacity), and which type of task takes longest"
        }
        LimitKind::Worker => "what is pinned to that worker: affinity, or one long task",
        LimitKind::TaskType => "whether that type of task can be made faster, split, or cached",
    }
}

/// What limits: "The disk sda".
pub(crate) fn what(info: &BottleneckInfo) -> String {
    let subject = printable(&info.subject);
    let of = |noun: &str| if subject.is_empty() { noun.to_owned() } else { format!("{noun} {subject}") };
    let what = match info.resource {
        LimitKind::Memory => "Memory".to_owned(),
        LimitKind::Cpu => "The processor".to_owned(),
        LimitKind::Disk => of("The disk"),
        LimitKind::Network => of("The network interface"),
        LimitKind::Gpu => of("The graphics processor"),
        LimitKind::Queue => "The workers".to_owned(),
        LimitKind::Worker => of("The worker"),
        LimitKind::TaskType => of("The type of task"),
    };
    match &info.source_name {
        Some(name) => format!("{what} of {name}"),
        None => what,
    }
}

/// One sentence with the evidence.
pub(super) fn limit(info: &BottleneckInfo) -> String {
    let what = what(info);
    let verb = if info.sign == LimitSign::Errors { "failed" } else { "limited" };
    let shown = |value: f64| match info.unit.as_str() {
        "ratio" => per_cent(value),
        "perSecond" => format!("{value:.1} a second"),
        _ => format!("{value:.1}"),
    };
    let (measure, side) = match (info.sign, info.resource) {
        (LimitSign::Errors, _) => ("errors came at", "from"),
        (LimitSign::Utilisation, LimitKind::TaskType) => ("its share of the run time was", "from"),
        (LimitSign::Utilisation, _) => ("its use was", "from"),
        (LimitSign::Saturation, LimitKind::Memory | LimitKind::Cpu) => {
            ("the share of time in which work waited for it was", "above")
        }
        (LimitSign::Saturation, LimitKind::Disk) => ("requests that waited for it were", "above"),
        (LimitSign::Saturation, LimitKind::Network) => ("packets were dropped at", "above"),
        (LimitSign::Saturation, LimitKind::Gpu) => ("its memory's use was", "above"),
        (LimitSign::Saturation, _) => ("waiting tasks for each worker were", "above"),
    };
    let unknown = if info.sign == LimitSign::Utilisation && info.resource != LimitKind::TaskType {
        " Whether anything waited for it is not known."
    } else {
        ""
    };
    format!(
        "{what} {verb} in {} of {} measured: {measure} {} (median; it counts {side} {}).{unknown}",
        duration(info.over_millis),
        duration(info.measured_millis),
        shown(info.median),
        shown(info.threshold),
    )
}

/// One sentence about a disk or memory.
pub(super) fn trend(name: &str, info: &TrendInfo) -> String {
    let mount = printable(&info.subject);
    let what = match name {
        "host.memory.used" => "Memory".to_owned(),
        "host.swap.used" => "Swap".to_owned(),
        "host.disk.inodes" => format!("Inodes of {mount}"),
        _ => format!("Disk {mount}"),
    };
    let used = info.level_ratio.map_or_else(String::new, |level| format!(", {} used", per_cent(level)));
    let by_hour = |ratio: Option<f64>| format!("{:.2}", ratio.unwrap_or(0.0).abs() * 100.0);
    let rate = |verb: &str| {
        let (mut least, mut most) =
            (by_hour(info.lowest_per_hour_ratio), by_hour(info.highest_per_hour_ratio));
        if info.state == TrendState::Falling {
            std::mem::swap(&mut least, &mut most);
        }
        format!("{what}{used}, {verb} by {} points an hour ({least} to {most})", by_hour(info.per_hour_ratio))
    };
    match info.state {
        TrendState::Rising => {
            let Some(full) = &info.full else {
                return format!("{}; when it is full can't be told from what was seen.", rate("grows"));
            };
            format!(
                "{}: full about {}, not before {}, if it goes on like this.",
                rate("grows"),
                minute(full.likely_unix_millis),
                minute(full.earliest_unix_millis)
            )
        }
        TrendState::Falling => format!("{}.", rate("shrinks")),
        TrendState::None => format!("{what}{used}, without a trend."),
        TrendState::Ended => format!("{what}{used}; it grew or shrank, and has stopped."),
        TrendState::TooFew => {
            format!("{what}{used}; a trend takes an hour at least, half of which was measured.")
        }
    }
}

/// One sentence about what goes together.
pub(super) fn correlation(info: &CorrelationInfo) -> String {
    let lag = match info.lag_seconds {
        0 => String::new(),
        1 => ", a second earlier".to_owned(),
        seconds => format!(", {seconds} s earlier"),
    };
    format!(
        "In {} of 100 comparisons a slow second of {} had the higher {}{lag} ({} slow of {} s). That one causes the other is not said.",
        (info.strength * 100.0).round(),
        info.source_name,
        printable(&info.series),
        info.slow_seconds,
        info.seconds
    )
}

/// One sentence about workers.
pub(super) fn capacity(info: &CapacityInfo) -> String {
    let load = format!(
        "{:.1} tasks a second of {} on average in its busiest minute",
        info.arrivals_per_second,
        millis(info.mean_run_millis)
    );
    let target = millis(info.target_millis);
    let workers = |count: u32| if count == 1 { "1 worker".to_owned() } else { format!("{count} workers") };
    let advised = info.advised_workers.map_or_else(String::new, workers);
    let name = &info.source_name;
    let p95 = info.p95_at_most_millis.map_or_else(String::new, |most| format!(" at most {}", millis(most)));
    let has = info.workers.map_or_else(String::new, |has| format!("; it has {has}"));
    match info.advice {
        CapacityAdvice::TasksTooSlow => format!(
            "{name} can't keep 95 of 100 tasks within {target} with any number of workers: run times alone are longer ({load})."
        ),
        CapacityAdvice::NotByWorkers => {
            format!("{name} takes more than 64 workers for 95 of 100 tasks within {target} ({load}).")
        }
        _ => format!("{name} keeps 95 of 100 tasks within {target} with {advised} (p95{p95}){has} ({load})."),
    }
}

/// A stretch of time.
pub(crate) fn duration(millis: u64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", (seconds + 30) / 60),
        7_200..172_800 => format!("{} h", tenths(seconds, 3_600)),
        _ => format!("{} days", tenths(seconds, 86_400)),
    }
}

fn tenths(seconds: u64, unit: u64) -> String {
    let tenths = (seconds * 10 + unit / 2) / unit;
    if tenths.is_multiple_of(10) {
        format!("{}", tenths / 10)
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

/// Milliseconds with the digits that count.
pub(crate) fn millis(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.1} ms"),
        value if value < 10_000.0 => format!("{value:.0} ms"),
        value => format!("{:.1} s", value / 1_000.0),
    }
}
