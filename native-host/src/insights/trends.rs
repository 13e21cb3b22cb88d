//! Whether disks and memory fill, and when they are full.

use quillwork_core::insights::{Chance, Forecast, NoTrend, Point, Trend, trend};
use quillwork_core::time::{Duration, Instant};
use quillwork_protocol::insights::{FullInfo, TrendInfo, TrendState};
use quillwork_store::history::ReadError;
use quillwork_store::series::SeriesKey;
use quillwork_store::volume::Volume;

use super::view::{Line, Span, View};
use super::words;

/// How far back from the end of the range.
const BACK_MILLIS: u64 = 86_400_000;
/// Trends are of hours: what a first hour holds says how a machine starts.
const LEAST_MILLIS: u64 = 3_600_000;
const STEP_MILLIS: u64 = 60_000;
/// Disks that are looked at.
const MOST_SERIES: usize = 64;

const NAMES: [&str; 4] = ["host.memory.used", "host.swap.used", "host.disk.used", "host.disk.inodes"];

pub(super) fn is_of_interest(key: &SeriesKey) -> bool {
    NAMES.contains(&key.name())
}

pub(super) fn trends<V: Volume>(view: &mut View<V>, to: u64) -> Result<Vec<TrendInfo>, ReadError> {
    let from = view.first_within(to.saturating_sub(BACK_MILLIS), to);
    let span = view.span(from, to, STEP_MILLIS);
    let lines = view.lines(span, is_of_interest)?;
    let measured = lines.iter().filter(|line| line.values.iter().any(Option::is_some));
    Ok(measured.take(MOST_SERIES).map(|line| of_line(line, span)).collect())
}

fn of_line(line: &Line, span: Span) -> TrendInfo {
    let known: Vec<(u64, f64)> =
        (0..).zip(&line.values).filter_map(|(place, value)| Some((span.at(place), (*value)?))).collect();
    let points: Vec<Point> =
        known.iter().map(|&(at, value)| Point { at: Instant::from_millis(at), value }).collect();
    let last = known.last().map(|(at, value)| (at + span.step_millis, *value));
    let covers = known.first().zip(last).map_or(0, |(first, last)| last.0 - first.0);
    let found = if covers < LEAST_MILLIS {
        Err(NoTrend::TooFew { parts: 0, needed: 1 })
    } else {
        trend(&points, Chance::default())
    };
    let mut info = TrendInfo {
        series: line.key.to_string(),
        subject: line.key.label("mount").unwrap_or_default().to_owned(),
        state: match found {
            Ok(found) if found.slope_per_second > 0.0 => TrendState::Rising,
            Ok(_) => TrendState::Falling,
            Err(NoTrend::TooFew { .. }) => TrendState::TooFew,
            Err(NoTrend::Chance) => TrendState::None,
            Err(NoTrend::Ended) => TrendState::Ended,
        },
        summary: String::new(),
        level_ratio: last.map(|(_, value)| value),
        per_hour_ratio: None,
        lowest_per_hour_ratio: None,
        highest_per_hour_ratio: None,
        span_millis: None,
        full: None,
    };
    if let (Ok(found), Some((end, _))) = (found, last) {
        info.level_ratio = Some(found.level);
        info.per_hour_ratio = Some(found.slope_per_second * 3_600.0);
        info.lowest_per_hour_ratio = Some(found.lowest_per_second * 3_600.0);
        info.highest_per_hour_ratio = Some(found.highest_per_second * 3_600.0);
        info.span_millis = Some(found.span.as_millis());
        info.full = full(&found, end);
    }
    info.summary = words::trend(line.key.name(), &info);
    info
}

fn full(found: &Trend, end: u64) -> Option<FullInfo> {
    if found.slope_per_second <= 0.0 {
        return None;
    }
    let at = |after: Duration| end + after.as_millis();
    match found.reaches(1.0) {
        Forecast::Reached => Some(FullInfo {
            earliest_unix_millis: end,
            likely_unix_millis: end,
            latest_unix_millis: Some(end),
        }),
        Forecast::In { earliest, likely, latest } => Some(FullInfo {
            earliest_unix_millis: at(earliest),
            likely_unix_millis: at(likely),
            latest_unix_millis: latest.map(at),
        }),
        Forecast::NotInSight => None,
    }
}
