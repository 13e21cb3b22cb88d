//! What the machine did.

use quillwork_protocol::report::{Figure, RangeInfo};
use quillwork_store::history::ReadError;
use quillwork_store::series::SeriesKey;
use quillwork_store::volume::Volume;

use super::spread::Spread;
use crate::insights::view::{Band, Span, View};
use crate::printable::printable;

/// Series of the machine that are told, and what they are. Of several of a name the highest few are.
const FIGURES: [(&str, &str); 15] = [
    ("host.cpu.total", "Processor in use"),
    ("host.load.5m", "Load (5 min)"),
    ("host.memory.used", "Memory in use"),
    ("host.swap.used", "Swap in use"),
    ("host.pressure", "Time in which something waited for"),
    ("host.disk.used", "Space in use"),
    ("host.disk.inodes", "Inodes in use"),
    ("host.disk.busy", "Disk busy"),
    ("host.disk.read.all", "Read from disks"),
    ("host.disk.written.all", "Written to disks"),
    ("host.network.received.all", "Received"),
    ("host.network.sent.all", "Sent"),
    ("host.temperature", "Temperature"),
    ("host.gpu.used", "Graphics processor in use"),
    ("host.self.cpu", "Quillwork itself, of a core"),
];

/// Of one name.
const MOST_OF_A_NAME: usize = 6;
/// Gaps that are told, and from which length on.
const MOST_GAPS: usize = 10;
const LEAST_GAP_MILLIS: u64 = 60_000;

pub(super) struct Machine {
    bands: Vec<Band>,
}

impl Machine {
    pub(super) fn is_of_interest(key: &SeriesKey) -> bool {
        FIGURES.iter().any(|(name, _)| *name == key.name())
    }

    pub(super) fn read<V: Volume>(view: &mut View<V>, span: Span) -> Result<Self, ReadError> {
        let bands = view.bands(span, |key| Self::is_of_interest(key) && key.label("kind") != Some("full"))?;
        Ok(Self { bands })
    }

    fn of(&self, name: &str) -> Option<&Band> {
        self.bands.iter().find(|band| band.key.name() == name)
    }

    /// The means of a series, and its highest value.
    pub(super) fn spread(&self, name: &str) -> Option<(Spread, f64)> {
        let band = self.of(name)?;
        Some((Spread::new(means(band))?, highest(band)?))
    }

    /// The share of the steps in which the machine was measured, from the first on that was: before it there was no host.
    pub(super) fn measured_share(&self) -> Option<f64> {
        let steps = &self.of("host.memory.used")?.steps;
        let first = steps.iter().position(Option::is_some)?;
        let after = &steps[first..];
        #[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 steps")]
        let share = after.iter().flatten().count() as f64 / after.len() as f64;
        Some(share)
    }

    pub(super) fn figures(&self, earlier: Option<&Self>) -> Vec<Figure> {
        let mut figures = Vec::new();
        for (name, what) in FIGURES {
            let mut of_name: Vec<Figure> = self
                .bands
                .iter()
                .filter(|band| band.key.name() == name)
                .filter_map(|band| figure(band, what))
                .collect();
            of_name.sort_by(|a, b| b.mean.total_cmp(&a.mean).then_with(|| a.series.cmp(&b.series)));
            figures.extend(of_name.into_iter().take(MOST_OF_A_NAME));
        }
        for figure in &mut figures {
            let before = earlier
                .and_then(|earlier| earlier.bands.iter().find(|band| band.key.to_string() == figure.series));
            figure.earlier_mean =
                before.and_then(|band| Spread::new(means(band))).map(|spread| spread.mean());
        }
        figures
    }

    /// Stretches in which nothing was measured, the longest first. What lies before the first measurement is none.
    pub(super) fn gaps(&self, span: Span) -> Vec<RangeInfo> {
        let Some(band) = self.of("host.memory.used") else { return Vec::new() };
        let places = band.steps.iter().enumerate().filter(|(_, step)| step.is_some()).map(|(place, _)| place);
        let ends: Vec<usize> = places.chain([band.steps.len()]).collect();
        let mut gaps: Vec<RangeInfo> = ends
            .windows(2)
            .map(|pair| RangeInfo {
                from_unix_millis: span.at(pair[0] + 1),
                to_unix_millis: span.at(pair[1]),
            })
            .filter(|gap| gap.to_unix_millis >= gap.from_unix_millis + LEAST_GAP_MILLIS.max(span.step_millis))
            .collect();
        gaps.sort_by_key(|gap| std::cmp::Reverse(gap.to_unix_millis - gap.from_unix_millis));
        gaps.truncate(MOST_GAPS);
        gaps
    }
}

fn figure(band: &Band, what: &str) -> Option<Figure> {
    let spread = Spread::new(means(band))?;
    let labels: Vec<String> = band
        .key
        .labels()
        .iter()
        .filter(|(label, value)| (label.as_str(), value.as_str()) != ("kind", "some"))
        .map(|(_, value)| printable(value))
        .collect();
    Some(Figure {
        series: band.key.to_string(),
        what: if labels.is_empty() { what.to_owned() } else { format!("{what} {}", labels.join(", ")) },
        unit: band.unit.clone(),
        mean: spread.mean(),
        p95: spread.quantile(0.95),
        highest: highest(band)?,
        earlier_mean: None,
    })
}

fn means(band: &Band) -> impl Iterator<Item = f64> {
    band.steps.iter().flatten().map(|[mean, ..]| *mean)
}

fn highest(band: &Band) -> Option<f64> {
    band.steps.iter().flatten().map(|[.., highest]| *highest).reduce(f64::max)
}
