//! What to do, with the evidence for it.

use quillwork_protocol::alert::AlertState;
use quillwork_protocol::insights::{CapacityAdvice, LimitKind, LimitSign, TrendState};
use quillwork_protocol::report::{BudgetInfo, BudgetState, Recommendation, Report, Urgency};

use super::words;
use crate::calendar::minute;
use crate::insights::words::{duration, what};
use crate::printable::printable;

/// A disk that is full by then is no concern of today.
const FAR_MILLIS: u64 = 14 * 86_400_000;
const NEAR_MILLIS: u64 = 2 * 86_400_000;
/// An alert that begins this often is either a fault or a wrong threshold.
const OFTEN: u32 = 5;
/// As the default rule on caches has it.
const LOW_HIT_RATIO: f64 = 0.7;

/// The most urgent first; nothing where nothing is to be done.
pub(super) fn recommend(report: &Report) -> Vec<Recommendation> {
    let mut all = Vec::new();
    filling(report, &mut all);
    limiting(report, &mut all);
    workers(report, &mut all);
    budgets(report, &mut all);
    alerts(report, &mut all);
    cache(report, &mut all);
    all.sort_by_key(|recommendation| recommendation.urgency);
    all
}

fn push(all: &mut Vec<Recommendation>, urgency: Urgency, advice: String, evidence: Vec<String>) {
    all.push(Recommendation { urgency, advice, evidence });
}

fn filling(report: &Report, all: &mut Vec<Recommendation>) {
    for trend in report.insights.trends.iter().filter(|trend| trend.state == TrendState::Rising) {
        let Some(full) = &trend.full else { continue };
        let left = full.likely_unix_millis.saturating_sub(report.to_unix_millis);
        if left > FAR_MILLIS {
            continue;
        }
        let urgency = if left <= NEAR_MILLIS { Urgency::Now } else { Urgency::Soon };
        let subject = printable(&trend.subject);
        let by = minute(full.earliest_unix_millis);
        let advice = if subject.is_empty() {
            format!("Find what takes ever more memory before {by}.")
        } else {
            format!("Make room on {subject} before {by}, and find what fills it.")
        };
        push(all, urgency, advice, vec![trend.summary.clone()]);
    }
}

fn limiting(report: &Report, all: &mut Vec<Recommendation>) {
    for of in &report.insights.bottlenecks {
        // What a second look may not confirm is told as a bottleneck, and nothing is advised.
        if of.confidence < 0.3 {
            continue;
        }
        let name = what(of);
        let advice = match (of.sign, of.resource) {
            (LimitSign::Errors, _) => {
                format!("{name} fails: look for a fault of the device, its driver or cable.")
            }
            (_, LimitKind::Memory) => "Give the machine less to hold at once, or more memory.".to_owned(),
            (_, LimitKind::Cpu) => "Give the machine less to do at once, or more cores.".to_owned(),
            (_, LimitKind::Disk) => format!("{name}: read and write less, spread it, or take a faster one."),
            (_, LimitKind::Network) => format!("{name}: send less, or take a faster link."),
            (_, LimitKind::Gpu) => format!("{name}: draw and compute less, or share it less."),
            (_, LimitKind::Queue) => {
                format!("{name}: start more of them where cores are free, or give them less to do.")
            }
            (_, LimitKind::Worker) => format!("{name} is busy beside idle ones: spread its work."),
            (_, LimitKind::TaskType) => format!("{name}: make it faster, split it, or cache its results."),
        };
        let mut evidence = vec![of.summary.clone(), format!("Look first at {}.", of.look_first)];
        let slow =
            report.insights.correlations.iter().filter(|found| found.series.contains(series_of(of.resource)));
        evidence.extend(slow.map(|found| found.summary.clone()));
        push(all, Urgency::Soon, advice, evidence);
    }
}

/// What the series of a resource begin with.
const fn series_of(resource: LimitKind) -> &'static str {
    match resource {
        LimitKind::Memory => "host.memory",
        LimitKind::Cpu => "host.cpu",
        LimitKind::Disk => "host.disk",
        LimitKind::Network => "host.network",
        LimitKind::Gpu => "host.gpu",
        LimitKind::Queue | LimitKind::Worker | LimitKind::TaskType => "page.",
    }
}

fn workers(report: &Report, all: &mut Vec<Recommendation>) {
    for page in &report.insights.capacity {
        let name = &page.source_name;
        let (urgency, advice) = match (page.advice, page.advised_workers) {
            (CapacityAdvice::More, Some(count)) => {
                (Urgency::Soon, format!("Let {name} start up to {count} workers."))
            }
            (CapacityAdvice::Fewer, Some(count)) => {
                (Urgency::Later, format!("{name} would keep its promise with fewer workers: {count}."))
            }
            (CapacityAdvice::TasksTooSlow, _) => (
                Urgency::Soon,
                format!("Make tasks of {name} shorter: split them, or move them to compute kernels."),
            ),
            (CapacityAdvice::NotByWorkers, _) => (
                Urgency::Soon,
                format!("Let {name} do less: debounce, batch or cache what it asks its workers for."),
            ),
            _ => continue,
        };
        push(all, urgency, advice, vec![page.summary.clone()]);
    }
}

fn budgets(report: &Report, all: &mut Vec<Recommendation>) {
    for budget in report.budgets.iter().filter(|budget| budget.state == BudgetState::Missed) {
        let mut evidence = vec![missed(budget)];
        let advice = match budget.name.as_str() {
            "memory" => "Find what holds most memory, for instance with quillwork top.".to_owned(),
            "cpu" => "Find what uses most processor time, for instance with quillwork top.".to_owned(),
            "response" => {
                if let Some(of) = report.task_types.first() {
                    evidence.push(format!(
                        "{} took {} of the run time, {} on average.",
                        printable(&of.task_type),
                        words::share(of.share_ratio),
                        words::value(of.mean_millis, "millis")
                    ));
                }
                "Look at what makes tasks wait or run long.".to_owned()
            }
            "frames" => {
                let slowest = report.pages.iter().filter_map(|page| Some((page, page.frames_per_second_p5?)));
                if let Some((page, rate)) = slowest.min_by(|a, b| a.1.total_cmp(&b.1)) {
                    evidence.push(format!("The lowest is {}: {rate:.1} a second.", printable(&page.name)));
                }
                "Look at long tasks on the main thread of the slowest page.".to_owned()
            }
            "up" => {
                evidence.extend(report.gaps.first().map(|gap| {
                    let length = duration(gap.to_unix_millis - gap.from_unix_millis);
                    format!("The longest gap is {length}: {}.", words::range(*gap))
                }));
                "Find out why the host did not measure: its log, the service manager's, the machine's."
                    .to_owned()
            }
            "errors" => {
                let worst = report.pages.iter().filter_map(|page| Some((page, page.error_ratio?)));
                if let Some((page, ratio)) = worst.max_by(|a, b| a.1.total_cmp(&b.1)) {
                    evidence.push(format!("Most are of {}: {}.", printable(&page.name), words::share(ratio)));
                }
                "Look at which tasks fail, and why: the page's errors.".to_owned()
            }
            _ => continue,
        };
        push(all, Urgency::Soon, advice, evidence);
    }
}

fn missed(budget: &BudgetInfo) -> String {
    format!(
        "{}: {}, and the budget is {}; outside for {}.",
        budget.what,
        words::known(budget.value, &budget.unit),
        words::bound(budget),
        words::outside(budget)
    )
}

fn alerts(report: &Report, all: &mut Vec<Recommendation>) {
    for alert in &report.alerts.firing {
        let look = alert.look_first.as_deref().unwrap_or("its subject");
        let mut evidence = vec![printable(&alert.summary)];
        evidence
            .extend(alert.culprit.as_ref().map(|culprit| format!("Named with it: {}.", printable(culprit))));
        let urgency = if alert.state == AlertState::Critical { Urgency::Now } else { Urgency::Soon };
        push(all, urgency, format!("Alert {} fires: look at {look}.", printable(&alert.rule)), evidence);
    }
    for rule in report.alerts.rules.iter().filter(|rule| rule.begun >= OFTEN) {
        let evidence =
            format!("It began {} times and fired for {}.", rule.begun, duration(rule.fired_millis));
        let advice =
            format!("Alert {} comes and goes: mend its cause, or its thresholds.", printable(&rule.rule));
        push(all, Urgency::Later, advice, vec![evidence]);
    }
}

fn cache(report: &Report, all: &mut Vec<Recommendation>) {
    let Some(cache) = report.cache.as_ref().filter(|cache| cache.lowest_hit_ratio < LOW_HIT_RATIO) else {
        return;
    };
    let name = printable(&cache.lowest_name);
    let evidence =
        format!("{} of the look-ups of {name} found something.", words::share(cache.lowest_hit_ratio));
    let advice = format!("Give the cache of {name} more room, or keep what is asked for twice.");
    push(all, Urgency::Later, advice, vec![evidence]);
}
