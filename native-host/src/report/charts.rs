//! Curves over the range.

use quillwork_core::telemetry::Sketch;
use quillwork_protocol::report::{ChartInfo, ChartLine};
use quillwork_store::history::ReadError;
use quillwork_store::series::SeriesKey;
use quillwork_store::volume::Volume;

use crate::insights::view::{Band, View};
use crate::insights::{Context, SOURCE};
use crate::printable::printable;

/// Values of a curve.
const MOST_POINTS: u64 = 360;
/// Curves of a chart, those with the highest means; more than that nobody can tell apart.
const MOST_LINES: usize = 6;
/// Pages that are looked at, those that came last, and how many of them at a time: sketches are large.
const MOST_PAGES: usize = 100;
const PAGES_AT_ONCE: usize = 16;

/// A chart: the series that it shows, and what they are called.
struct Chart {
    title: &'static str,
    unit: &'static str,
    limit: Option<f64>,
    series: &'static [(&'static str, &'static str)],
}

const CHARTS: [Chart; 7] = [
    Chart {
        title: "Processor in use",
        unit: "ratio",
        limit: Some(0.70),
        series: &[("host.cpu.total", "processor")],
    },
    Chart {
        title: "Memory in use",
        unit: "ratio",
        limit: Some(0.80),
        series: &[("host.memory.used", "memory")],
    },
    Chart {
        title: "Response time, 95th percentile",
        unit: "millis",
        limit: Some(100.0),
        series: &[("page.response", "")],
    },
    Chart { title: "Frames a second", unit: "perSecond", limit: Some(55.0), series: &[("page.fps", "")] },
    Chart { title: "Disks, busy", unit: "ratio", limit: None, series: &[("host.disk.busy", "")] },
    Chart {
        title: "Disks, space in use",
        unit: "ratio",
        limit: Some(0.90),
        series: &[("host.disk.used", "")],
    },
    Chart {
        title: "Network",
        unit: "bytesPerSecond",
        limit: None,
        series: &[("host.network.received.all", "received"), ("host.network.sent.all", "sent")],
    },
];

pub(super) fn is_of_interest(key: &SeriesKey) -> bool {
    CHARTS.iter().flat_map(|chart| chart.series).any(|(name, _)| *name == key.name())
}

/// All charts of which there is anything.
pub(super) fn charts<V: Volume>(
    view: &mut View<V>,
    context: &Context,
    (from, to): (u64, u64),
) -> Result<Vec<ChartInfo>, ReadError> {
    let first = view.first_within(from, to);
    let span = view.span(first, to, (to - first).div_ceil(MOST_POINTS));
    let mut charts = Vec::new();
    for chart in &CHARTS {
        let is_meant = |key: &SeriesKey| chart.series.iter().any(|(name, _)| *name == key.name());
        let sources = view.newest_sources(MOST_PAGES, is_meant);
        let mut lines: Vec<ChartLine> = Vec::new();
        let is_shown = |key: &SeriesKey| {
            is_meant(key) && key.label(SOURCE).is_none_or(|of| sources.iter().any(|source| source == of))
        };
        let bands = view.bands(span, is_shown)?;
        lines.extend(bands.iter().filter_map(|band| of_band(band, chart, context)));
        for some in sources.chunks(PAGES_AT_ONCE) {
            let of_some = |key: &SeriesKey| {
                is_meant(key) && some.iter().any(|source| key.label(SOURCE) == Some(source))
            };
            for line in view.sketches(span, of_some)? {
                let name = line.key.label(SOURCE).map_or_else(String::new, |source| context.name(source));
                let p95 = |sketch: &Option<Sketch>| sketch.as_ref()?.quantile(0.95);
                let values: Vec<Option<f64>> = line.sketches.iter().map(p95).collect();
                lines.push(ChartLine { name, values, lowest: Vec::new(), highest: Vec::new() });
            }
        }
        lines.retain(|line| line.values.iter().any(Option::is_some));
        if chart.series.len() == 1 {
            lines.sort_by(|a, b| mean(b).total_cmp(&mean(a)).then_with(|| a.name.cmp(&b.name)));
        }
        lines.truncate(MOST_LINES);
        if chart.series.len() == 1 {
            // A page has the same colour in each chart that it is in.
            lines.sort_by(|a, b| a.name.cmp(&b.name));
        }
        if !lines.is_empty() {
            charts.push(ChartInfo {
                title: chart.title.to_owned(),
                unit: chart.unit.to_owned(),
                limit: chart.limit,
                start_unix_millis: span.from,
                step_millis: span.step_millis,
                lines,
            });
        }
    }
    Ok(charts)
}

fn of_band(band: &Band, chart: &Chart, context: &Context) -> Option<ChartLine> {
    let (_, fixed) = chart.series.iter().find(|(name, _)| *name == band.key.name())?;
    let name = match (band.key.label(SOURCE), band.key.labels().first()) {
        (Some(source), _) => context.name(source),
        (None, Some((_, value))) => printable(value),
        (None, None) => (*fixed).to_owned(),
    };
    let of = |place: usize| band.steps.iter().map(|step| step.map(|step| step[place])).collect::<Vec<_>>();
    let (values, mut lowest, mut highest) = (of(0), of(1), of(2));
    let is_flat = |(a, b): (&Option<f64>, &Option<f64>)| match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-12,
        (a, b) => a.is_none() == b.is_none(),
    };
    if lowest.iter().zip(&highest).all(is_flat) {
        (lowest, highest) = (Vec::new(), Vec::new());
    }
    Some(ChartLine { name, values, lowest, highest })
}

fn mean(line: &ChartLine) -> f64 {
    let (sum, count) =
        line.values.iter().flatten().fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    sum / f64::from(count.max(1))
}
