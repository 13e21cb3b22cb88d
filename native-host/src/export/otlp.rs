//! OpenTelemetry's protocol: what is read is told as gauges, cumulative sums and cumulative exponential histograms.

use quillwork_core::telemetry::Sketch;
use quillwork_store::series::SeriesKind;

use super::collect::{Reading, Value};
use crate::otlp::message::{
    AnyValue, Buckets, CUMULATIVE, ExponentialHistogram, ExponentialPoint, KeyValue, Metric,
    NO_RECORDED_VALUE, NumberPoint, Request, Resource, ResourceMetrics, ScopeMetrics, Sum,
};

/// Buckets of a histogram at most, as OpenTelemetry's own programs have it.
const MOST_BUCKETS: i64 = 160;
/// The finest scale: buckets grow by 1.1 per cent.
const FINEST: i32 = 6;

/// The request that carries these, which are sorted by series. `instance` names this run of the host.
pub(super) fn request(readings: &[Reading], prefix: &str, host: &str, instance: &str) -> Request {
    let mut metrics: Vec<Metric> = Vec::new();
    for reading in readings {
        let name = format!("{prefix}{}", reading.key.name());
        let metric =
            match metrics.last_mut().filter(|last| last.name == name && has_kind(last, &reading.value)) {
                Some(last) => last,
                None => {
                    metrics.push(Metric { name, unit: unit(&reading.unit).to_owned(), ..Metric::default() });
                    metrics.last_mut().expect("it was just pushed")
                }
            };
        add(metric, reading);
    }
    let attribute = |key: &str, value: &str| KeyValue { key: key.to_owned(), value: Some(text(value)) };
    let attributes = vec![
        attribute("service.name", "quillwork"),
        attribute("service.version", env!("CARGO_PKG_VERSION")),
        attribute("service.instance.id", instance),
        attribute("host.name", host),
    ];
    Request {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(Resource { attributes }),
            scope_metrics: vec![ScopeMetrics { metrics }],
        }],
    }
}

fn has_kind(metric: &Metric, value: &Value) -> bool {
    match value {
        Value::Level(_) | Value::Gone(SeriesKind::Gauge) => metric.gauge.is_some(),
        Value::Total { .. } | Value::Gone(SeriesKind::Counter) => metric.sum.is_some(),
        Value::Spread { .. } | Value::Gone(SeriesKind::Sketch) => metric.exponential_histogram.is_some(),
    }
}

fn add(metric: &mut Metric, reading: &Reading) {
    let labels = reading.key.labels().iter();
    let attributes =
        labels.map(|(key, value)| KeyValue { key: key.clone(), value: Some(text(value)) }).collect();
    let time_unix_nano = nanos(reading.at_unix_millis);
    let number = |attributes, as_double, start_time_unix_nano, flags| NumberPoint {
        attributes,
        start_time_unix_nano,
        time_unix_nano,
        as_double,
        as_int: None,
        flags,
    };
    let (flags, start) = match &reading.value {
        Value::Gone(_) => (NO_RECORDED_VALUE, 0),
        Value::Level(_) => (0, 0),
        Value::Total { start_unix_millis, .. } | Value::Spread { start_unix_millis, .. } => {
            (0, nanos(*start_unix_millis))
        }
    };
    match &reading.value {
        Value::Level(level) => metric.gauge().push(number(attributes, Some(*level), start, flags)),
        Value::Gone(SeriesKind::Gauge) => metric.gauge().push(number(attributes, None, start, flags)),
        Value::Total { total, .. } => metric.sum().push(number(attributes, Some(*total), start, flags)),
        Value::Gone(SeriesKind::Counter) => metric.sum().push(number(attributes, None, start, flags)),
        Value::Gone(SeriesKind::Sketch) => metric.histogram().push(ExponentialPoint {
            attributes,
            time_unix_nano,
            flags,
            ..ExponentialPoint::default()
        }),
        Value::Spread { total, .. } => {
            let (scale, zero_count, positive) = buckets(total);
            metric.histogram().push(ExponentialPoint {
                attributes,
                start_time_unix_nano: start,
                time_unix_nano,
                count: total.count(),
                sum: Some(total.sum()),
                scale,
                zero_count,
                positive: Some(positive),
                negative: None,
                flags,
            });
        }
    }
}

impl Metric {
    fn gauge(&mut self) -> &mut Vec<NumberPoint> {
        &mut self.gauge.get_or_insert_default().data_points
    }

    fn sum(&mut self) -> &mut Vec<NumberPoint> {
        let sum = || Sum { data_points: Vec::new(), aggregation_temporality: CUMULATIVE, is_monotonic: true };
        &mut self.sum.get_or_insert_with(sum).data_points
    }

    fn histogram(&mut self) -> &mut Vec<ExponentialPoint> {
        let histogram =
            || ExponentialHistogram { data_points: Vec::new(), aggregation_temporality: CUMULATIVE };
        &mut self.exponential_histogram.get_or_insert_with(histogram).data_points
    }
}

/// The sketch's buckets in the finest scale in which they are few enough. Each counts where its middle lies, so that a value is
/// off by the sketch's accuracy and half a bucket at most.
fn buckets(sketch: &Sketch) -> (i32, u64, Buckets) {
    let parts = sketch.to_parts();
    let growth = (1.0 + parts.relative_accuracy) / (1.0 - parts.relative_accuracy);
    let exponent = |bucket: i32| f64::from(bucket) * growth.log2() + (2.0 / (1.0 + growth)).log2();
    // Bucket `i` of a scale holds what lies above 2^(i/2^scale), up to 2^((i+1)/2^scale).
    #[expect(clippy::cast_possible_truncation, reason = "a double's exponent times 64 fits")]
    let index = |bucket: i32, scale: i32| (exponent(bucket) * f64::from(scale).exp2()).ceil() as i64 - 1;
    let (Some((first, _)), Some((last, _))) = (parts.buckets.first(), parts.buckets.last()) else {
        return (FINEST, parts.zeros, Buckets::default());
    };
    let mut scale = FINEST;
    while index(*last, scale) - index(*first, scale) >= MOST_BUCKETS {
        scale -= 1;
    }
    let offset = index(*first, scale);
    let length = usize::try_from(index(*last, scale) - offset + 1).unwrap_or(0);
    let mut bucket_counts = vec![0; length];
    for (bucket, count) in &parts.buckets {
        if let Some(slot) =
            usize::try_from(index(*bucket, scale) - offset).ok().and_then(|at| bucket_counts.get_mut(at))
        {
            *slot += count;
        }
    }
    (scale, parts.zeros, Buckets { offset: i32::try_from(offset).unwrap_or(0), bucket_counts })
}

fn text(value: &str) -> AnyValue {
    AnyValue { string_value: Some(value.to_owned()), ..AnyValue::default() }
}

fn nanos(unix_millis: u64) -> u64 {
    unix_millis.saturating_mul(1_000_000)
}

/// Ours in UCUM, as OpenTelemetry's conventions have it.
fn unit(ours: &str) -> &'static str {
    match ours {
        "ratio" => "1",
        "millis" => "ms",
        "bytes" => "By",
        "bytesPerSecond" => "By/s",
        "perSecond" => "1/s",
        "celsius" => "Cel",
        "watts" => "W",
        "volts" => "V",
        "hertz" => "Hz",
        "rpm" => "{revolution}/min",
        _ => "{count}",
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use quillwork_core::telemetry::RelativeAccuracy;

    use super::*;
    use crate::otlp::points::Taken;

    fn reading(key: &str, unit: &str, value: Value) -> Reading {
        Reading { key: key.parse().unwrap(), unit: unit.to_owned(), at_unix_millis: 5_000, value }
    }

    fn sketch(values: impl IntoIterator<Item = f64>) -> Sketch {
        let mut sketch = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
        values.into_iter().for_each(|value| sketch.record(value).unwrap());
        sketch
    }

    #[test]
    fn what_is_told_is_what_this_host_would_take() {
        let spread = sketch((1..=1_000).map(f64::from));
        let readings = [
            reading("cpu{core=\"1\"}", "ratio", Value::Level(0.25)),
            reading("cpu{core=\"2\"}", "ratio", Value::Gone(SeriesKind::Gauge)),
            reading("received", "bytes", Value::Total { total: 7.0, start_unix_millis: 3_000 }),
            reading(
                "response",
                "millis",
                Value::Spread {
                    total: Box::new(spread.clone()),
                    recent: Box::new(spread),
                    start_unix_millis: 1_000,
                },
            ),
        ];
        let request = request(&readings, "edge.", "box", "run-1");
        let request = Request::decode(&request.encode_to_vec()[..]).unwrap();
        let metrics = &request.resource_metrics[0].scope_metrics[0].metrics;
        assert_eq!(
            metrics.iter().map(|metric| metric.name.as_str()).collect::<Vec<_>>(),
            ["edge.cpu", "edge.received", "edge.response"]
        );
        let taken = Taken::of(request);
        assert_eq!((taken.rejected, taken.programs.len()), (0, 1), "{taken:?}");
        let program = &taken.programs[0];
        assert_eq!(program.id, "otlp/quillwork/run-1");
        let shown: Vec<_> = program
            .readings
            .iter()
            .map(|reading| {
                (reading.series.name(), reading.unit.name, reading.start_unix_nanos, reading.at_unix_nanos)
            })
            .collect();
        assert_eq!(
            shown,
            [
                ("edge.cpu", "ratio", 0, 5_000_000_000),
                ("edge.received", "bytes", 3_000_000_000, 5_000_000_000),
                ("edge.response", "millis", 1_000_000_000, 5_000_000_000),
            ]
        );
    }

    #[test]
    fn buckets_are_few_and_their_quantiles_close() {
        for (sketch, coarsest) in [
            (sketch((1..=1_000).map(f64::from)), 3),
            (sketch([0.0, 0.0, 0.001, 5.0]), 3),
            (sketch([1e-9, 1e9]), 1),
            (sketch([42.0]), FINEST),
        ] {
            let (scale, zeros, buckets) = buckets(&sketch);
            assert!(scale >= coarsest && buckets.bucket_counts.len() <= 160, "{scale}");
            assert_eq!(zeros + buckets.bucket_counts.iter().sum::<u64>(), sketch.count(), "nobody is lost");
            let growth = f64::from(-scale).exp2().exp2();
            let mut below = zeros;
            for (at, count) in (0..).zip(&buckets.bucket_counts).filter(|(_, count)| **count > 0) {
                below += count;
                let upper = growth.powi(buckets.offset + at + 1);
                #[expect(clippy::cast_precision_loss, reason = "few values")]
                let exact = sketch.quantile((below - 1) as f64 / (sketch.count().max(2) - 1) as f64).unwrap();
                assert!(
                    exact <= upper * 1.011 && exact >= upper / growth / growth / 1.011,
                    "{exact} in a bucket up to {upper}"
                );
            }
        }
        assert_eq!(buckets(&sketch([])), (FINEST, 0, Buckets::default()));
    }
}
