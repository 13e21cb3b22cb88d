//! A picture of the past: answers of `/api/v1/query` brought onto one time line.
//!
//! The host sends of each stretch the lowest and the highest value, each at its instant, so that no spike is lost. Here
//! every stretch gets two places, and all series share them: one cursor serves all charts, whatever the steps of the answers.

use std::time::Duration;

use quillwork_protocol::alert::{AlertStatus, RuleInfo};
use quillwork_protocol::query::{QueryAnswer, QueryLine};
use quillwork_protocol::series::{SeriesInfo, SeriesKind};
use quillwork_protocol::snapshot::PageSnapshot;

use super::format::{Unit, span};
use super::pages;
use super::query_text::encoded;
use super::series::{CPU, FRAMES, PAGE, SOURCE, page};

/// Values of each line that are asked for: more than a wide chart has columns.
const MOST_POINTS: u32 = 1_400;
/// Lines of one chart; more can't be told apart.
const MOST_LINES: usize = 6;

/// One series in a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Trace {
    /// The series.
    pub series: String,
    /// What a person calls it.
    pub label: String,
    /// Unit of the values.
    pub unit: Unit,
    /// Two values for each stretch; NaN is a gap.
    pub values: Vec<f32>,
    /// Stretches until the next value is due.
    due: usize,
}

/// See the [module](self).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// First instant, in milliseconds since 1970.
    pub from: u64,
    /// Instant after the last one.
    pub to: u64,
    /// Length of a stretch.
    pub step_millis: u64,
    /// Instants of the places, in seconds since 1970.
    pub seconds: Vec<f64>,
    /// The series that were found.
    pub traces: Vec<Trace>,
    /// The series that the host has nothing of, by name.
    pub missing: Vec<String>,
}

/// What is asked of the host for one series.
pub fn question(info: &SeriesInfo, from: u64, to: u64) -> String {
    let function = match info.kind {
        SeriesKind::Gauge => "",
        SeriesKind::Counter => "&function=rate",
        SeriesKind::Sketch => "&function=p95",
    };
    let select = encoded(&info.series);
    format!(
        "api/v1/query?select={select}&from={from}&to={to}&max_points={MOST_POINTS}&shape=spikes{function}"
    )
}

/// Where a series can be had as a file, in the steps that are shown.
pub fn export(series: &str, from: u64, to: u64, step_millis: u64) -> String {
    format!("api/v1/export?select={}&from={from}&to={to}&step={step_millis}&format=csv", encoded(series))
}

/// What a person calls a series: `host.disk.used /`, `page.fps Story studio`; of what is counted or spread, what is shown of it.
pub fn label(info: &SeriesInfo, pages: &[PageSnapshot]) -> String {
    let value = |(label, value): (&String, &String)| {
        let page = pages.iter().find(|page| label == SOURCE && page.source.id == *value);
        page.map_or_else(|| value.clone(), |page| pages::name(&page.source, pages))
    };
    let shown = match info.kind {
        SeriesKind::Gauge => None,
        SeriesKind::Counter => Some("per second".to_owned()),
        SeriesKind::Sketch => Some("p95".to_owned()),
    };
    std::iter::once(info.name.clone())
        .chain(info.labels.iter().map(value))
        .chain(shown)
        .collect::<Vec<_>>()
        .join(" ")
}

/// How the host fares with measuring: seldom what one looks for, so it comes last.
const OF_THE_HOST_ITSELF: &str = "host.collector.";

/// Series of the catalogue that have all the words of `search` somewhere in their name, labels or what people call them.
pub fn found<'a>(
    catalogue: &'a [SeriesInfo],
    search: &str,
    pages: &[PageSnapshot],
) -> Vec<(&'a SeriesInfo, String)> {
    let words: Vec<String> = search.split_whitespace().map(str::to_lowercase).collect();
    let labelled = catalogue.iter().map(|info| (info, label(info, pages)));
    let mut found: Vec<_> = labelled
        .filter(|(info, label)| {
            let text = format!("{} {label}", info.series).to_lowercase();
            words.iter().all(|word| text.contains(word))
        })
        .collect();
    found.sort_by_key(|(info, _)| info.name.starts_with(OF_THE_HOST_ITSELF));
    found
}

/// The series of the catalogue that an alert watches: those of its rule with its labels. Where the host keeps none of them,
/// those that are shown usually.
pub fn watched(alert: &AlertStatus, rules: &[RuleInfo], catalogue: &[SeriesInfo]) -> Vec<String> {
    let names = rules.iter().find(|rule| rule.name == alert.rule).map_or(&[][..], |rule| &rule.series);
    let is_watched = |info: &&SeriesInfo| {
        names.contains(&info.name)
            && alert.labels.iter().all(|(label, value)| info.labels.get(label) == Some(value))
    };
    catalogue.iter().filter(is_watched).map(|info| info.series.clone()).collect()
}

/// The series of the catalogue that tell how a page fares, with the processor beside them.
pub fn of_page(source: &str, catalogue: &[SeriesInfo]) -> Vec<String> {
    let wanted = PAGE.map(|name| page(source, name)).into_iter().chain([CPU.to_owned()]);
    wanted.filter(|series| catalogue.iter().any(|info| info.series == *series)).collect()
}

/// The unit of a line. A frame rate is one although the host counts it by the second.
fn unit(info: &SeriesInfo, wire: &str) -> Unit {
    if info.name == FRAMES { Unit::FramesPerSecond } else { Unit::of(wire) }
}

impl Picture {
    /// From the answers to questions about `[from, to)`. `None` stands for a series that the host has nothing of.
    pub fn new(
        from: u64,
        to: u64,
        answers: &[(SeriesInfo, Option<QueryAnswer>)],
        pages: &[PageSnapshot],
    ) -> Self {
        let steps = answers.iter().filter_map(|(_, answer)| Some(answer.as_ref()?.step_millis));
        let step_millis = steps.max().unwrap_or(1_000).max(1);
        // The host steps as finely as what it has allows, which may be a small part of the range.
        let step_millis = step_millis * (to.saturating_sub(from) / step_millis / MOST_STRETCHES + 1);
        let (first, last) = (from / step_millis, to.max(from + 1).div_ceil(step_millis));
        let stretches = usize::try_from(last - first).unwrap_or(0);
        #[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 fit into 53 bits")]
        let second = |quarters: u64| quarters as f64 * step_millis as f64 / 4e3;
        let seconds =
            (first..).take(stretches).flat_map(|index| [second(index * 4 + 1), second(index * 4 + 3)]);
        let mut picture = Self { from, to, step_millis, seconds: seconds.collect(), ..Self::default() };
        for (info, answer) in answers {
            let line = answer.as_ref().and_then(|answer| line_of(info, answer));
            let Some(line) = line else {
                picture.missing.push(label(info, pages));
                continue;
            };
            let points = line.points.as_deref().unwrap_or_default();
            let own = u64::from(info.step_millis).max(step_millis);
            let due = usize::try_from(own.div_ceil(step_millis)).unwrap_or(1);
            picture.traces.push(Trace {
                series: info.series.clone(),
                label: label(info, pages),
                unit: unit(info, &line.unit),
                values: placed(points, first, stretches, step_millis, due),
                due,
            });
        }
        picture
    }

    /// The charts: of each unit one, in the order in which the series were chosen, of at most so many lines as can be told apart.
    pub fn charts(&self) -> Vec<Vec<usize>> {
        let mut charts: Vec<Vec<usize>> = Vec::new();
        for (index, trace) in self.traces.iter().enumerate() {
            let fits = |chart: &&mut Vec<usize>| {
                chart.len() < MOST_LINES && self.traces[chart[0]].unit == trace.unit
            };
            match charts.iter_mut().find(fits) {
                Some(chart) => chart.push(index),
                None => charts.push(vec![index]),
            }
        }
        charts
    }

    /// What a point stands for, in words.
    pub fn resolution(&self) -> String {
        let step = if self.step_millis < 1_000 {
            format!("{}\u{a0}ms", self.step_millis)
        } else {
            span(self.step_millis)
        };
        format!("lowest and highest of every {step}")
    }

    /// The last place at which each of these lines has a value that goes on: the newest second may not be measured yet, or have
    /// been measured between the questions for two lines. The last of all where none has one; `None` where there are no places.
    pub fn newest(&self, lines: &[usize]) -> Option<usize> {
        let traces = lines.iter().filter_map(|line| self.traces.get(*line));
        let lasts: Vec<(usize, usize)> = traces
            .filter_map(|trace| Some((trace.values.iter().rposition(|value| !value.is_nan())?, trace.due)))
            .collect();
        let newest = lasts.iter().map(|(last, _)| *last).max();
        let goes_on = |(last, due): &&(usize, usize)| Some(*last + (due + 1) * 2) >= newest;
        lasts.iter().filter(goes_on).map(|(last, _)| *last).min().or(self.seconds.len().checked_sub(1))
    }

    /// Where the instant of a place of an earlier picture is in this one; `None` where this one doesn't reach there.
    pub fn carried(&self, earlier: &Self, place: usize) -> Option<usize> {
        let second = *earlier.seconds.get(place)?;
        let half = Duration::from_millis(self.step_millis).as_secs_f64() / 2.0;
        self.place(second).filter(|place| (self.seconds[*place] - second).abs() <= half)
    }

    /// The place nearest to an instant.
    pub fn place(&self, second: f64) -> Option<usize> {
        let after = self.seconds.partition_point(|at| *at < second);
        let before = after.checked_sub(1)?;
        let is_nearer = self.seconds.get(after).is_some_and(|at| at - second < second - self.seconds[before]);
        Some(if is_nearer { after } else { before })
    }
}

/// The line of exactly this series: a selector means those with further labels as well.
fn line_of<'a>(info: &SeriesInfo, answer: &'a QueryAnswer) -> Option<&'a QueryLine> {
    answer.lines.iter().find(|line| line.name == info.name && line.labels == info.labels)
}

/// Brings points into stretches of which each has two places. A series that is measured less often than a stretch is long keeps its
/// value until the next is due: only what is missing then is a gap.
fn placed(points: &[(u64, f64)], first: u64, stretches: usize, step: u64, due: usize) -> Vec<f32> {
    let mut values = vec![f32::NAN; stretches * 2];
    let mut previous: Option<(usize, f32)> = None;
    for stretch in points.chunk_by(|a, b| a.0 / step == b.0 / step) {
        let place = (stretch[0].0 / step).checked_sub(first).and_then(|place| usize::try_from(place).ok());
        let Some(place) = place.filter(|place| *place < stretches) else { continue };
        let [one, other] = extremes(stretch);
        if let Some((before, value)) = previous
            && place - before > 1
            // A second that falls between two readings is no gap.
            && place - before <= due.max(1) + 1
            && (due > 1 || step <= SHORT_MILLIS)
        {
            values[before * 2 + 2..place * 2].fill(value);
        }
        values[place * 2] = one;
        values[place * 2 + 1] = other;
        previous = Some((place, other));
    }
    values
}

/// The lowest and the highest, in the order in which they came.
fn extremes(points: &[(u64, f64)]) -> [f32; 2] {
    let by_value = |a: &&(u64, f64), b: &&(u64, f64)| a.1.total_cmp(&b.1);
    let (low, high) = (points.iter().min_by(by_value), points.iter().max_by(by_value));
    let (Some(low), Some(high)) = (low, high) else { return [f32::NAN; 2] };
    #[expect(clippy::cast_possible_truncation, reason = "a chart resolves far less than an f32 does")]
    let [one, other] =
        if low.0 <= high.0 { [low.1 as f32, high.1 as f32] } else { [high.1 as f32, low.1 as f32] };
    [one, other]
}

/// Stretches in which a reading may fall just outside.
const SHORT_MILLIS: u64 = 2_000;
/// Stretches of a picture: as many as a wide chart has columns.
const MOST_STRETCHES: u64 = 2_000;

#[cfg(test)]
#[path = "past_tests.rs"]
mod tests;
