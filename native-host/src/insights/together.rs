//! What the machine did while a page was slow.

use quillwork_core::insights::{CorrelationConfig, correlations};
use quillwork_protocol::insights::CorrelationInfo;
use quillwork_store::history::ReadError;
use quillwork_store::series::SeriesKey;
use quillwork_store::volume::Volume;

use super::view::{Line, Span, View};
use super::{Context, SOURCE, words};

/// The last of the range: what it costs grows with the square of it.
const BACK_MILLIS: u64 = 30 * 60_000;
/// Pages whose slow seconds are counted, those that came last; pages of those that are compared, with the most of them; series of
/// the machine that they are compared with.
const MOST_LOOKED_AT: usize = 64;
const MOST_PAGES: usize = 4;
const MOST_SERIES: usize = 24;
/// A second is slow whose responses or frames are out of budget.
const SLOW_MILLIS: f64 = 100.0;
const SLOW_FRAMES: f64 = 55.0;

/// Each more makes chance more likely, and the test stricter: only what can slow a page down.
const NAMES: [&str; 11] = [
    "host.cpu.total",
    "host.pressure",
    "host.memory.used",
    "host.swap.in",
    "host.disk.busy",
    "host.disk.queue",
    "host.network.received.all",
    "host.network.sent.all",
    "host.network.drops",
    "host.gpu.used",
    "host.temperature",
];

const OF_PAGES: [&str; 2] = ["page.fps", "page.response"];

pub(super) fn is_of_interest(key: &SeriesKey) -> bool {
    of_machine(key) || OF_PAGES.contains(&key.name())
}

fn of_machine(key: &SeriesKey) -> bool {
    // What everything waited for is a part of what something did.
    NAMES.contains(&key.name()) && key.label("kind") != Some("full")
}

/// What was found, and why nothing could be, page by page.
pub(super) struct Together {
    pub(super) found: Vec<CorrelationInfo>,
    pub(super) missing: Vec<String>,
}

pub(super) fn together<V: Volume>(
    view: &mut View<V>,
    context: &Context,
    (from, to): (u64, u64),
) -> Result<Together, ReadError> {
    let from = view.first_within(from.max(to.saturating_sub(BACK_MILLIS)), to);
    let span = view.span(from, to, 1_000);
    if span.step_millis > 1_000 {
        let missing = vec!["of that time seconds are no longer kept".to_owned()];
        return Ok(Together { found: Vec::new(), missing });
    }
    let lines = view.lines(span, of_machine)?;
    let mut pages: Vec<(String, Vec<Option<bool>>)> = Vec::new();
    for source in view.newest_sources(MOST_LOOKED_AT, |key| OF_PAGES.contains(&key.name())) {
        let seconds = slow_seconds(view, span, &source)?;
        if seconds.iter().any(Option::is_some) {
            pages.push((source, seconds));
        }
    }
    let slow = |seconds: &[Option<bool>]| seconds.iter().filter(|slow| **slow == Some(true)).count();
    pages.sort_by_key(|(_, seconds)| std::cmp::Reverse(slow(seconds)));
    pages.truncate(MOST_PAGES);
    let machine: Vec<&Line> = lines
        .iter()
        .filter(|line| of_machine(&line.key) && line.values.iter().any(Option::is_some))
        .take(MOST_SERIES)
        .collect();
    let values: Vec<&[Option<f64>]> = machine.iter().map(|line| line.values.as_slice()).collect();
    let config = CorrelationConfig::default();
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (source, seconds) in &pages {
        let name = context.name(source);
        let known = seconds.iter().flatten().count();
        if known < config.min_seconds {
            let needed = config.min_seconds;
            missing.push(format!("{name} was seen for {known} s, and it takes {needed}"));
            continue;
        }
        let correlated = correlations(seconds, &values, &config).expect("all lines are of one span");
        found.extend(correlated.iter().map(|one| {
            let series = machine[one.series].key.to_string();
            let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            let mut info = CorrelationInfo {
                source: source.clone(),
                source_name: name.clone(),
                series,
                summary: String::new(),
                lag_seconds: number(one.lag_seconds),
                strength: one.strength,
                seconds: number(one.seconds),
                slow_seconds: number(one.slow_seconds),
                chance: one.chance,
            };
            info.summary = words::correlation(&info);
            info
        }));
    }
    if pages.is_empty() {
        missing.push("no page reported".to_owned());
    }
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    Ok(Together { found, missing })
}

/// Whether a page was slow, second by second; `None` where nobody knows.
fn slow_seconds<V: Volume>(
    view: &mut View<V>,
    span: Span,
    source: &str,
) -> Result<Vec<Option<bool>>, ReadError> {
    let of_page = |key: &SeriesKey| OF_PAGES.contains(&key.name()) && key.label(SOURCE) == Some(source);
    let mut slow: Vec<Option<bool>> = vec![None; span.len()];
    let mut note = |place: usize, is_slow: Option<bool>| {
        slow[place] = match (slow[place], is_slow) {
            (None, other) | (other, None) => other,
            (Some(a), Some(b)) => Some(a || b),
        };
    };
    for line in view.lines(span, of_page)? {
        for (place, frames) in line.values.iter().enumerate() {
            note(place, frames.map(|frames| frames < SLOW_FRAMES));
        }
    }
    for line in view.sketches(span, of_page)? {
        for (place, sketch) in line.sketches.iter().enumerate() {
            let p95 = sketch.as_ref().and_then(|sketch| sketch.quantile(0.95));
            note(place, p95.map(|p95| p95 > SLOW_MILLIS));
        }
    }
    Ok(slow)
}
