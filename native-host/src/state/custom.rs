//! Metrics of a page's own as series.
//!
//! | metric | series |
//! |---|---|
//! | gauge | `page.metric`: its value |
//! | counter | `page.metric_per_second`: by how much it grew, a second |
//! | histogram | `page.metric_per_second`: how many values it took, a second; `page.metric_p95`: their 95th percentile |
//!
//! What the app calls it is the label `metric`, its tags are labels that begin with `tag.`. A page has at most [`MOST`] such
//! series: one that makes up tags without end can't take the place of others.

use quillwork_protocol::page::PageSample;
use quillwork_protocol::signals::{CustomMetric, MetricValue};
use quillwork_store::series::{InvalidKey, SeriesKey, SeriesKind};

use super::series::{Measure, SeriesValue};
use super::validate_signals;

/// Series of a page's own metrics: as many metrics as a page may have, each a histogram.
pub(super) const MOST: usize = 200;

/// Whether this is a series of a page's own metric.
pub(super) fn is_custom(key: &SeriesKey) -> bool {
    [VALUE, PER_SECOND, P95].contains(&key.name())
}

/// The metrics of a sample.
pub(super) fn of_sample(id: &str, sample: &PageSample, to: &mut Vec<SeriesValue>) {
    let seconds = sample.interval_millis / 1_000.0;
    for metric in &sample.metrics {
        let measure = measure(&metric.unit);
        let mut push = |name: &str, measure: Measure, value: f64| match key(name, id, metric) {
            Ok(key) => {
                let value = Some(value).filter(|value| value.is_finite());
                to.push(SeriesValue { key, kind: SeriesKind::Gauge, measure, value });
            }
            Err(error) => tracing::debug!("a metric of a page is not kept: {error}"),
        };
        match &metric.value {
            MetricValue::Gauge { value } => push(VALUE, measure, *value),
            MetricValue::Counter { value } => push(PER_SECOND, RATE, value / seconds),
            MetricValue::Histogram { sketch } => {
                #[expect(clippy::cast_precision_loss, reason = "fewer values than 2^53 in an interval")]
                push(PER_SECOND, RATE, sketch.count as f64 / seconds);
                if let Some(p95) =
                    validate_signals::sketch(sketch).ok().and_then(|sketch| sketch.quantile(0.95))
                {
                    push(P95, measure, p95);
                }
            }
        }
    }
}

fn key(name: &str, id: &str, metric: &CustomMetric) -> Result<SeriesKey, InvalidKey> {
    let own = [("source".to_owned(), id), ("metric".to_owned(), &*metric.name)];
    let tags = metric.tags.iter().map(|(tag, value)| (format!("tag.{}", tag.replace('-', "_")), &**value));
    SeriesKey::new(name, own.into_iter().chain(tags))
}

/// A series has a unit that everybody knows, and a resolution to match. What else an app counts in is a count.
fn measure(unit: &str) -> Measure {
    match unit {
        "ms" => Measure { unit: "millis", resolution: 0.01 },
        "bytes" => Measure { unit: "bytes", resolution: 1.0 },
        _ => Measure { unit: "count", resolution: 0.001 },
    }
}

const RATE: Measure = Measure { unit: "perSecond", resolution: 0.01 };
const VALUE: &str = "page.metric";
const PER_SECOND: &str = "page.metric_per_second";
const P95: &str = "page.metric_p95";

#[cfg(test)]
mod tests {
    use quillwork_protocol::signals::MetricSketch;

    use super::*;

    fn of(metrics: Vec<CustomMetric>) -> Vec<(String, f64, &'static str)> {
        let sample = PageSample { interval_millis: 2_000.0, metrics, ..PageSample::default() };
        let mut values = Vec::new();
        of_sample("page-1", &sample, &mut values);
        let shown =
            values.into_iter().filter_map(|of| Some((of.key.to_string(), of.value?, of.measure.unit)));
        shown.collect()
    }

    fn metric(name: &str, unit: &str, value: MetricValue) -> CustomMetric {
        CustomMetric { name: name.into(), unit: unit.into(), tags: [].into(), value }
    }

    #[test]
    fn gauges_are_values_and_counters_rates() {
        let mut cart = metric("cart.items", "", MetricValue::Gauge { value: 3.0 });
        cart.tags = [("shop-id".into(), "a\"b".into())].into();
        let clicks = metric("clicks", "clicks", MetricValue::Counter { value: 5.0 });
        assert_eq!(
            of(vec![cart, clicks]),
            [
                (
                    r#"page.metric{metric="cart.items",source="page-1",tag.shop_id="a\"b"}"#.into(),
                    3.0,
                    "count"
                ),
                (r#"page.metric_per_second{metric="clicks",source="page-1"}"#.into(), 2.5, "perSecond"),
            ]
        );
    }

    #[test]
    fn a_histogram_is_how_many_and_how_high() {
        let sketch = MetricSketch {
            count: 4,
            sum: 0.0,
            min: 0.0,
            max: 0.0,
            relative_accuracy: 0.01,
            zeros: 4,
            ..MetricSketch::default()
        };
        let values = of(vec![metric("load", "ms", MetricValue::Histogram { sketch })]);
        let shown: Vec<_> = values.iter().map(|(_, value, unit)| (*value, *unit)).collect();
        assert_eq!(shown, [(2.0, "perSecond"), (0.0, "millis")]);
    }
}
