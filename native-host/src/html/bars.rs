//! Bars as SVG.

use std::fmt::Write as _;

use super::{WIDTH, escaped, open_svg};

/// Horizontal bars, one below the other.
pub(crate) struct Bars {
    pub(crate) bars: Vec<Bar>,
    /// A dashed line.
    pub(crate) limit: Option<f64>,
}

pub(crate) struct Bar {
    pub(crate) name: String,
    pub(crate) value: f64,
    /// Drawn as a whisker where it is finite and above zero.
    pub(crate) half_width: f64,
    pub(crate) label: String,
    pub(crate) is_emphasised: bool,
}

impl Bars {
    pub(crate) fn svg(&self) -> String {
        const NAMES: f64 = 190.0;
        const LABELS: f64 = 110.0;
        const ROW: f64 = 26.0;
        let plot = WIDTH - NAMES - LABELS;
        let whisker = |bar: &Bar| if bar.half_width.is_finite() { bar.half_width } else { 0.0 };
        let longest = self.bars.iter().map(|bar| bar.value + whisker(bar)).fold(0.0, f64::max);
        // A limit far beyond the bars would squeeze them.
        let limit = self.limit.filter(|limit| *limit <= 2.0 * longest);
        let most = longest.max(limit.unwrap_or_default()).max(f64::MIN_POSITIVE);
        let x = |value: f64| NAMES + plot * (value / most).clamp(0.0, 1.0);
        let height = ROW * self.bars.len() as f64 + 8.0;
        let mut svg = open_svg(height);
        for (place, bar) in self.bars.iter().enumerate() {
            let top = ROW * place as f64 + 4.0;
            let middle = top + ROW / 2.0;
            let class = if bar.is_emphasised { "bar best" } else { "bar" };
            let _ = write!(
                svg,
                "<text class=\"name\" x=\"{:.1}\" y=\"{middle:.1}\">{}</text>\
                 <rect class=\"{class}\" x=\"{NAMES:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"2\"/>",
                NAMES - 8.0,
                escaped(&bar.name),
                top + 4.0,
                (x(bar.value) - NAMES).max(1.0),
                ROW - 8.0,
            );
            let half = whisker(bar);
            if half > 0.0 {
                let (low, high) = (x(bar.value - half), x(bar.value + half));
                let _ = write!(
                    svg,
                    "<path class=\"whisker\" d=\"M{low:.1} {middle:.1}H{high:.1}M{low:.1} {:.1}v8M{high:.1} {:.1}v8\"/>",
                    middle - 4.0,
                    middle - 4.0
                );
            }
            let _ = write!(
                svg,
                "<text class=\"label\" x=\"{:.1}\" y=\"{middle:.1}\">{}</text>",
                x(bar.value + half) + 8.0,
                escaped(&bar.label)
            );
        }
        if let Some(limit) = limit {
            let _ = write!(svg, "<path class=\"limit\" d=\"M{:.1} 0V{height:.1}\"/>", x(limit));
        }
        svg + "</svg>"
    }
}
