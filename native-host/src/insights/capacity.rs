//! How many workers keep the promise of a page.

use quillwork_core::insights::{Advice, Arrivals, CapacityError, ServiceTimes, advise};
use quillwork_core::telemetry::Sketch;
use quillwork_protocol::insights::{CapacityAdvice, CapacityInfo};
use quillwork_store::history::ReadError;
use quillwork_store::series::SeriesKey;
use quillwork_store::volume::Volume;

use super::view::{SketchLine, Span, View, find};
use super::{Context, SOURCE, words};

/// 95 of 100 tasks within this: the budget of a response.
const TARGET_MILLIS: f64 = 100.0;
/// More workers than a page would ever start.
const MOST_WORKERS: u32 = 64;
/// Tasks from which on run times say something.
const FEWEST_TASKS: u64 = 200;
/// Pages that are looked at, those that came last.
const MOST_PAGES: usize = 16;
/// The last of the range, in steps of a second.
const BACK_MILLIS: u64 = 3_600_000;
const MINUTE_MILLIS: u64 = 60_000;

const NAMES: [&str; 4] = ["page.response", "page.task.duration", "page.pool_queued", "page.pool_workers"];

pub(super) fn is_of_interest(key: &SeriesKey) -> bool {
    NAMES.contains(&key.name())
}

pub(super) struct Capacity {
    pub(super) found: Vec<CapacityInfo>,
    pub(super) missing: Vec<String>,
}

pub(super) fn capacity<V: Volume>(
    view: &mut View<V>,
    context: &Context,
    (from, to): (u64, u64),
) -> Result<Capacity, ReadError> {
    let from = view.first_within(from.max(to.saturating_sub(BACK_MILLIS)), to);
    let span = view.span(from, to, 1_000);
    let pages = view.newest_sources(MOST_PAGES, is_of_interest);
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let mut is_any = false;
    for page in &pages {
        let of_page = |key: &SeriesKey| is_of_interest(key) && key.label(SOURCE) == Some(page);
        let lines = view.lines(span, of_page)?;
        let sketches = view.sketches(span, of_page)?;
        if sketches.iter().flat_map(|line| &line.sketches).all(Option::is_none) {
            continue;
        }
        is_any = true;
        let of_name = |name: &str| -> Vec<&SketchLine> {
            sketches.iter().filter(|line| line.key.name() == name).collect()
        };
        let (queued, workers) =
            (find(&lines, "page.pool_queued", None), find(&lines, "page.pool_workers", None));
        // Where nothing waits a response takes as long as its task runs.
        let durations = of_name("page.task.duration");
        let nothing_waits = |place: usize| queued.get(place).copied().flatten().is_some_and(|of| of <= 0.0);
        let (all, times) = if durations.is_empty() {
            let responses = of_name("page.response");
            (count(&responses, span), merged(&responses, nothing_waits))
        } else {
            (count(&durations, span), merged(&durations, |_| true))
        };
        let name = context.name(page);
        let tasks = times.as_ref().map_or(0, Sketch::count);
        let Some(times) = times.filter(|_| tasks >= FEWEST_TASKS) else {
            missing.push(format!(
                "{name} reported {tasks} tasks that did not have to wait, and it takes {FEWEST_TASKS}"
            ));
            continue;
        };
        let has = workers.iter().rev().copied().flatten().next();
        let measured = merged(&of_name("page.response"), |_| true).and_then(|all| all.quantile(0.95));
        match advice(page, name.clone(), busiest_minute(&all, span), &times, has) {
            Ok(info) if !explains(&info, measured) => missing.push(format!(
                "{name} answered 95 of 100 tasks within {}, which its run times and its load do not explain",
                words::millis(measured.unwrap_or_default())
            )),
            Ok(info) => found.push(info),
            Err(error) => missing.push(format!("{name}: {error}")),
        }
    }
    if !is_any {
        missing.push("no page reported a task".to_owned());
    }
    Ok(Capacity { found, missing })
}

/// Whether what was measured fits what the workers that there are would do.
fn explains(info: &CapacityInfo, measured_p95: Option<f64>) -> bool {
    let suffices = matches!(info.advice, CapacityAdvice::Enough | CapacityAdvice::Fewer);
    !suffices || measured_p95.is_none_or(|p95| p95 <= info.target_millis)
}

fn advice(
    page: &str,
    name: String,
    arrivals_per_second: f64,
    times: &Sketch,
    has: Option<f64>,
) -> Result<CapacityInfo, CapacityError> {
    let service = ServiceTimes::from_sketch(times)?;
    let advice = advise(Arrivals::independent(arrivals_per_second)?, &service, TARGET_MILLIS, MOST_WORKERS)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of workers")]
    let workers = has.map(|has| has as u32);
    let with = match advice {
        Advice::Holds(with) => Some(with),
        Advice::TasksTooSlow { .. } | Advice::TooFewWorkers { .. } => None,
    };
    let mut info = CapacityInfo {
        source: page.to_owned(),
        source_name: name,
        advice: match (advice, workers) {
            (Advice::TasksTooSlow { .. }, _) => CapacityAdvice::TasksTooSlow,
            (Advice::TooFewWorkers { .. }, _) => CapacityAdvice::NotByWorkers,
            (Advice::Holds(with), Some(has)) if with.workers > has => CapacityAdvice::More,
            (Advice::Holds(with), Some(has)) if with.workers < has => CapacityAdvice::Fewer,
            (Advice::Holds(_), _) => CapacityAdvice::Enough,
        },
        summary: String::new(),
        workers,
        target_millis: TARGET_MILLIS,
        arrivals_per_second,
        mean_run_millis: service.mean_millis(),
        run_scv: service.scv(),
        advised_workers: with.map(|with| with.workers),
        p95_millis: with.map(|with| with.p95_millis),
        p95_at_most_millis: with.map(|with| with.p95_at_most_millis),
        utilisation_ratio: with.map(|with| with.utilisation),
    };
    info.summary = words::capacity(&info);
    Ok(info)
}

/// Tasks of each step.
fn count(lines: &[&SketchLine], span: Span) -> Vec<u64> {
    let of_step =
        |place: usize| lines.iter().filter_map(|line| line.sketches[place].as_ref()).map(Sketch::count).sum();
    (0..span.len()).map(of_step).collect()
}

/// The sketches of all steps for which this holds as one.
fn merged(lines: &[&SketchLine], counts: impl Fn(usize) -> bool) -> Option<Sketch> {
    let steps = lines.iter().flat_map(|line| line.sketches.iter().enumerate());
    let mut all: Option<Sketch> = None;
    for sketch in steps.filter(|(place, _)| counts(*place)).filter_map(|(_, sketch)| sketch.as_ref()) {
        match &mut all {
            // One of another accuracy can't be added; pages have one.
            Some(all) => drop(all.merge(sketch)),
            None => all = Some(sketch.clone()),
        }
    }
    all
}

/// Tasks a second in the minute that had most of them.
fn busiest_minute(tasks: &[u64], span: Span) -> f64 {
    let steps = usize::try_from(MINUTE_MILLIS / span.step_millis).unwrap_or(1).clamp(1, tasks.len().max(1));
    let most: u64 = tasks.windows(steps).map(|minute| minute.iter().sum()).max().unwrap_or(0);
    #[expect(clippy::cast_precision_loss, reason = "tasks of a minute")]
    let per_second = most as f64 * 1_000.0 / (span.step_millis * steps as u64) as f64;
    per_second
}
