//! Lines as SVG, by the number of workers or by percentile.

use std::fmt::Write;

use crate::html::{COLOURS, WIDTH, escaped, open_svg};

/// Lines over a common axis, their values on a logarithmic one.
pub(super) struct Lines<'a> {
    pub(super) lines: Vec<Line<'a>>,
    pub(super) x_title: &'a str,
    pub(super) x_ticks: Vec<(f64, String)>,
    /// A dashed line.
    pub(super) limit: Option<f64>,
}

pub(super) struct Line<'a> {
    pub(super) name: &'a str,
    pub(super) points: Vec<(f64, f64)>,
    pub(super) is_emphasised: bool,
}

impl Lines<'_> {
    pub(super) fn svg(&self) -> String {
        const LEFT: f64 = 56.0;
        const RIGHT: f64 = 190.0;
        const HEIGHT: f64 = 340.0;
        const BOTTOM: f64 = 40.0;
        let points = || self.lines.iter().flat_map(|line| &line.points);
        let (first, last) = range(points().map(|point| point.0));
        let (lowest, highest) = range(points().map(|point| point.1.max(1e-3)).chain(self.limit));
        let (lowest, highest) = (lowest.log10() - 0.05, highest.log10() + 0.05);
        let x = |value: f64| LEFT + (WIDTH - LEFT - RIGHT) * (value - first) / (last - first).max(1e-9);
        let y = |value: f64| {
            8.0 + (HEIGHT - BOTTOM - 8.0) * (highest - value.max(1e-3).log10()) / (highest - lowest).max(1e-9)
        };
        let mut svg = open_svg(HEIGHT);
        for tick in decades(lowest, highest) {
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {0:.1}H{1:.1}\"/><text class=\"name\" x=\"{2:.1}\" y=\"{0:.1}\">{tick}</text>",
                y(tick),
                WIDTH - RIGHT,
                LEFT - 8.0
            );
        }
        for (at, label) in self.x_ticks.iter().filter(|(at, _)| (first..=last).contains(at)) {
            let _ = write!(
                svg,
                "<path class=\"grid\" d=\"M{0:.1} 8V{1:.1}\"/><text class=\"tick\" x=\"{0:.1}\" y=\"{2:.1}\">{label}</text>",
                x(*at),
                HEIGHT - BOTTOM,
                HEIGHT - BOTTOM + 14.0
            );
        }
        let _ = write!(
            svg,
            "<text class=\"tick\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            (LEFT + WIDTH - RIGHT) / 2.0,
            HEIGHT - 6.0,
            escaped(self.x_title)
        );
        if let Some(limit) = self.limit {
            let _ = write!(svg, "<path class=\"limit\" d=\"M{LEFT} {:.1}H{:.1}\"/>", y(limit), WIDTH - RIGHT);
        }
        for (place, line) in self.lines.iter().enumerate() {
            let mut path = String::new();
            for (step, (at, value)) in line.points.iter().enumerate() {
                let _ = write!(path, "{}{:.1} {:.1}", if step == 0 { 'M' } else { 'L' }, x(*at), y(*value));
            }
            let emphasis = if line.is_emphasised { " best" } else { "" };
            let _ = write!(svg, "<path class=\"line c{}{emphasis}\" d=\"{path}\"/>", place % COLOURS);
        }
        // Names at the ends of their lines, moved apart where they would overlap.
        let mut ends: Vec<(f64, usize)> = self
            .lines
            .iter()
            .enumerate()
            .filter_map(|(place, line)| Some((y(line.points.last()?.1), place)))
            .collect();
        ends.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (place, (end, at)) in spread(&ends, LABEL, HEIGHT - 8.0) {
            let line = &self.lines[place];
            let emphasis = if line.is_emphasised { " best" } else { "" };
            let _ = write!(
                svg,
                "<path class=\"lead c{0}\" d=\"M{1:.1} {end:.1}L{2:.1} {at:.1}\"/><text class=\"label t{0}{emphasis}\" x=\"{3:.1}\" y=\"{at:.1}\">{4}</text>",
                place % COLOURS,
                WIDTH - RIGHT + 2.0,
                WIDTH - RIGHT + 14.0,
                WIDTH - RIGHT + 18.0,
                escaped(line.name)
            );
        }
        svg + "</svg>"
    }
}

/// Where each of these labels stands, from top to bottom: at its end of the line where that is free, else as far below as
/// needed; and higher where the last would stand below the bottom.
fn spread(ends: &[(f64, usize)], distance: f64, bottom: f64) -> Vec<(usize, (f64, f64))> {
    let mut free = f64::NEG_INFINITY;
    let mut labels: Vec<(usize, (f64, f64))> = ends
        .iter()
        .map(|&(end, place)| {
            let at = f64::max(end, free);
            free = at + distance;
            (place, (end, at))
        })
        .collect();
    let mut lowest = bottom;
    for (_, (_, at)) in labels.iter_mut().rev() {
        *at = at.min(lowest);
        lowest = *at - distance;
    }
    labels
}

fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
    if low <= high { (low, high) } else { (0.0, 1.0) }
}

/// 1, 2 and 5 of each power of ten between two logarithms.
fn decades(lowest: f64, highest: f64) -> impl Iterator<Item = f64> {
    (-3..=8)
        .flat_map(|power| [1.0, 2.0, 5.0].map(|step| step * 10_f64.powi(power)))
        .filter(move |tick| (lowest..=highest).contains(&tick.log10()))
}

/// From one label to the next.
const LABEL: f64 = 15.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_neither_overlap_nor_leave_the_drawing() {
        let ends: Vec<(f64, usize)> =
            [20.0, 21.0, 200.0, 290.0, 295.0, 296.0, 299.0].into_iter().zip(0..).collect();
        let at: Vec<f64> = spread(&ends, 15.0, 330.0).iter().map(|(_, (_, at))| *at).collect();
        assert_eq!(at, [20.0, 35.0, 200.0, 285.0, 300.0, 315.0, 330.0]);
    }
}
