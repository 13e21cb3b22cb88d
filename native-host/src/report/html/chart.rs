//! Curves over time as SVG.

use std::fmt::Write as _;

use quillwork_protocol::report::{ChartInfo, ChartLine, Report};

use super::super::spread::Spread;
use super::super::words;
use super::text;
use crate::calendar::{day_and_minute, minute};
use crate::html::{COLOURS, WIDTH, escaped, open_svg};

const HEIGHT: f64 = 220.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 34.0;
const DAY_MILLIS: u64 = 86_400_000;

/// The chart with its caption, a legend of figures that says the same without it, and what its script reads.
pub(super) fn figure(chart: &ChartInfo, number: usize, report: &Report) -> String {
    let axes = Axes::new(chart);
    let limit = chart.limit.map_or_else(String::new, |limit| {
        format!("; the dashed line is the budget, {}", words::value(limit, &chart.unit))
    });
    let caption = format!("{}{limit}", chart.title);
    let mut html = format!(
        "<figure id=\"chart-{number}\"><figcaption>{0}</figcaption><div class=\"chart\" tabindex=\"0\" role=\"group\" \
         aria-roledescription=\"chart\" aria-label=\"{0}\" data-start=\"{1}\" data-step=\"{2}\" data-unit=\"{3}\" data-left=\"{LEFT}\" \
         data-width=\"{4:.1}\">",
        text(&caption),
        chart.start_unix_millis,
        chart.step_millis,
        escaped(&chart.unit),
        WIDTH - LEFT - RIGHT,
    );
    html.push_str(&open_svg(HEIGHT));
    grid(&mut html, chart, &axes);
    marks(&mut html, report, &axes);
    for (place, line) in chart.lines.iter().enumerate() {
        curve(&mut html, line, place % COLOURS, &axes);
    }
    if let Some(limit) = chart.limit.filter(|limit| *limit <= axes.highest) {
        let _ =
            write!(html, "<path class=\"limit\" d=\"M{LEFT} {0:.1}H{1:.1}\"/>", axes.y(limit), WIDTH - RIGHT);
    }
    let _ = write!(
        html,
        "<path class=\"cursor\" d=\"M0 {TOP}V{:.1}\"/></svg></div><p class=\"reading\" role=\"status\"></p>",
        HEIGHT - BOTTOM
    );
    legend(&mut html, chart);
    html.push_str("</figure>");
    html
}

/// Where an instant and a value lie in the drawing.
struct Axes {
    start: u64,
    end: u64,
    lowest: f64,
    highest: f64,
    ticks: Vec<f64>,
}

impl Axes {
    fn new(chart: &ChartInfo) -> Self {
        let longest = chart.lines.iter().map(|line| line.values.len()).max().unwrap_or(0).max(1);
        let all = || chart.lines.iter().flat_map(|line| line.values.iter().chain(&line.highest).flatten());
        let most = all().copied().fold(0.0, f64::max);
        // A budget far above everything would press the curves to the ground.
        let most =
            chart.limit.filter(|limit| *limit <= 2.5 * most).map_or(most, |limit| most.max(limit * 1.05));
        let most = if chart.unit == "ratio" { most.min(1.0) } else { most };
        let ticks = ticks(most, chart.unit.starts_with("bytes"));
        Self {
            start: chart.start_unix_millis,
            end: chart.start_unix_millis + chart.step_millis * longest as u64,
            lowest: 0.0,
            highest: ticks.last().copied().unwrap_or(1.0),
            ticks,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a drawing has few digits")]
    fn x(&self, at: u64) -> f64 {
        let share = at.saturating_sub(self.start) as f64 / (self.end - self.start) as f64;
        LEFT + (WIDTH - LEFT - RIGHT) * share.min(1.0)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value - self.lowest) / (self.highest - self.lowest);
        TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share.clamp(0.0, 1.0))
    }
}

/// From zero to the first round number that nothing exceeds.
fn ticks(most: f64, is_binary: bool) -> Vec<f64> {
    let most = if most > 0.0 && most.is_finite() { most } else { 1.0 };
    let base = if is_binary { 1_024_f64.powf((most.log2() / 10.0).floor().max(0.0)) } else { 1.0 };
    let rough = most / base / 4.0;
    let power = 10_f64.powf(rough.log10().floor());
    let step =
        [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|of| of * power).find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(10.0 * power) * base;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "four steps or five")]
    let count = (most / step * 0.999).ceil().max(1.0) as u32;
    (0..=count).map(|place| f64::from(place) * step).collect()
}

fn grid(svg: &mut String, chart: &ChartInfo, axes: &Axes) {
    for tick in &axes.ticks {
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {0:.1}H{1:.1}\"/><text class=\"name\" x=\"{2:.1}\" y=\"{0:.1}\">{3}</text>",
            axes.y(*tick),
            WIDTH - RIGHT,
            LEFT - 8.0,
            words::axis(*tick, &chart.unit),
        );
    }
    let span = axes.end - axes.start;
    let step = TIMES.into_iter().find(|step| span / step <= 7).unwrap_or(30 * DAY_MILLIS);
    let mut at = axes.start.div_ceil(step) * step;
    while at <= axes.end {
        let (day, minute) = day_and_minute(at);
        let label =
            if step >= DAY_MILLIS || at.is_multiple_of(DAY_MILLIS) { day[5..].to_owned() } else { minute };
        let x = axes.x(at);
        let _ = write!(
            svg,
            "<path class=\"grid\" d=\"M{x:.1} {TOP}V{0:.1}\"/><text class=\"tick\" x=\"{1:.1}\" y=\"{2:.1}\">{label}</text>",
            HEIGHT - BOTTOM,
            x.clamp(LEFT + 8.0, WIDTH - 20.0),
            HEIGHT - BOTTOM + 16.0,
        );
        at += step;
    }
}

const TIMES: [u64; 12] = [
    60_000,
    120_000,
    300_000,
    600_000,
    1_800_000,
    3_600_000,
    7_200_000,
    14_400_000,
    43_200_000,
    DAY_MILLIS,
    2 * DAY_MILLIS,
    7 * DAY_MILLIS,
];

/// Annotations, and when alerts began.
fn marks(svg: &mut String, report: &Report, axes: &Axes) {
    let within = |at: u64| (axes.start..axes.end).contains(&at);
    for one in report.annotations.iter().filter(|one| within(one.at)) {
        let x = axes.x(one.at);
        let _ = write!(
            svg,
            "<path class=\"note\" d=\"M{x:.1} {TOP}V{:.1}\"><title>{}: {}</title></path>",
            HEIGHT - BOTTOM,
            minute(one.at),
            text(&one.text)
        );
    }
    let began =
        report.alerts.events.iter().filter(|event| event.severity.is_some() && within(event.at_unix_millis));
    let mut last = f64::INFINITY;
    for event in began {
        let x = axes.x(event.at_unix_millis);
        // The newest come first; what would stand on another is left to that.
        if last - x < 3.0 {
            continue;
        }
        last = x;
        let _ = write!(
            svg,
            "<path class=\"alert\" d=\"M{:.1} {:.1}l4 -7l4 7z\"><title>{}: {} {}</title></path>",
            x - 4.0,
            HEIGHT - BOTTOM,
            minute(event.at_unix_millis),
            text(&event.rule),
            words::happened(event)
        );
    }
}

fn curve(svg: &mut String, line: &ChartLine, colour: usize, axes: &Axes) {
    let at = |place: usize| {
        let steps = line.values.len().max(1) as u64;
        let step = (axes.end - axes.start) / steps;
        axes.x(axes.start + step * place as u64 + step / 2)
    };
    if !line.highest.is_empty() {
        for run in runs(&line.values) {
            let up = run.clone().filter_map(|place| Some((at(place), axes.y(line.highest[place]?))));
            let down = run.rev().filter_map(|place| Some((at(place), axes.y(line.lowest[place]?))));
            let _ = write!(svg, "<path class=\"band t{colour}\" d=\"{}Z\"/>", path(up.chain(down)));
        }
    }
    let mut all = String::new();
    for run in runs(&line.values) {
        let points: Vec<(f64, f64)> =
            run.filter_map(|place| Some((at(place), axes.y(line.values[place]?)))).collect();
        all.push_str(&path(points.iter().copied()));
        if points.len() == 1 {
            all.push_str("h.1");
        }
    }
    let values: Vec<String> =
        line.values.iter().map(|value| value.map_or_else(String::new, digits)).collect();
    let highest: Vec<String> =
        line.highest.iter().map(|value| value.map_or_else(String::new, digits)).collect();
    let _ = write!(
        svg,
        "<path class=\"line c{colour}\" d=\"{all}\" data-name=\"{}\" data-values=\"{}\" data-highest=\"{}\"/>",
        text(&line.name),
        values.join(","),
        highest.join(",")
    );
}

/// Stretches without a gap.
fn runs(values: &[Option<f64>]) -> Vec<std::ops::Range<usize>> {
    let mut runs: Vec<std::ops::Range<usize>> = Vec::new();
    for place in values.iter().enumerate().filter(|(_, value)| value.is_some()).map(|(place, _)| place) {
        match runs.last_mut() {
            Some(run) if run.end == place => run.end += 1,
            _ => runs.push(place..place + 1),
        }
    }
    runs
}

fn path(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (place, (x, y)) in points.enumerate() {
        let _ = write!(path, "{}{x:.1} {y:.1}", if place == 0 { 'M' } else { 'L' });
    }
    path
}

/// Four digits that count, without an exponent.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 1_000.0 => 0,
        size if size >= 10.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// What each curve came to: the chart for who can't see it, and its key for who can.
fn legend(html: &mut String, chart: &ChartInfo) {
    html.push_str("<div class=\"keys\"><table><thead><tr><th scope=\"col\" class=\"text\">Curve</th><th scope=\"col\">Mean</th>\
                   <th scope=\"col\">Lowest</th><th scope=\"col\">Highest</th><th scope=\"col\">Last</th></tr></thead><tbody>");
    for (place, line) in chart.lines.iter().enumerate() {
        let Some(spread) = Spread::new(line.values.iter().flatten().copied()) else { continue };
        let most = line.highest.iter().flatten().copied().fold(spread.highest(), f64::max);
        let least = line.lowest.iter().flatten().copied().fold(spread.lowest(), f64::min);
        let last = line.values.iter().rev().flatten().next().copied();
        let figures = [Some(spread.mean()), Some(least), Some(most), last];
        let cells: String =
            figures.into_iter().map(|of| format!("<td>{}</td>", words::known(of, &chart.unit))).collect();
        let _ = write!(
            html,
            "<tr><th scope=\"row\"><svg class=\"key\" viewBox=\"0 0 18 6\" aria-hidden=\"true\"><path class=\"line best c{}\" d=\"M0 3H18\"/></svg>{}</th>{cells}</tr>",
            place % COLOURS,
            text(&line.name),
        );
    }
    html.push_str("</tbody></table></div>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_a_round_number_above_everything() {
        assert_eq!(ticks(0.93, false).last(), Some(&1.0));
        assert_eq!(ticks(87.0, false), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(ticks(0.0, false), [0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(ticks(3.0 * 1_048_576.0, true).last(), Some(&(3.0 * 1_048_576.0)));
        for most in [1e-9, 0.004, 1.0, 59.9, 1e12] {
            let ticks = ticks(most, false);
            assert!(
                (3..=7).contains(&ticks.len()) && ticks[ticks.len() - 1] >= most * 0.998,
                "{most}: {ticks:?}"
            );
        }
    }

    #[test]
    fn a_gap_is_a_gap() {
        let values = [Some(1.0), None, None, Some(2.0), Some(3.0), None];
        assert_eq!(runs(&values), [0..1, 3..5]);
    }
}
