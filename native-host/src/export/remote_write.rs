//! Prometheus' remote write, version 1.0: protobuf in snappy's block format.

use quillwork_store::series::SeriesKind;

use super::collect::{Reading, Value};

/// `prometheus.WriteRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct WriteRequest {
    #[prost(message, repeated, tag = "1")]
    pub(super) timeseries: Vec<TimeSeries>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct TimeSeries {
    /// By name.
    #[prost(message, repeated, tag = "1")]
    pub(super) labels: Vec<Label>,
    #[prost(message, repeated, tag = "2")]
    pub(super) samples: Vec<Sample>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, prost::Message)]
pub(super) struct Label {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Sample {
    #[prost(double, tag = "1")]
    pub(super) value: f64,
    /// In milliseconds.
    #[prost(int64, tag = "2")]
    pub(super) timestamp: i64,
}

/// The NaN by which Prometheus knows that a series has ended.
const STALE: u64 = 0x7ff0_0000_0000_0002;

const QUANTILES: [(f64, &str); 4] = [(0.5, "0.5"), (0.9, "0.9"), (0.95, "0.95"), (0.99, "0.99")];

/// The request that carries these.
pub(super) fn request(readings: &[Reading], prefix: &str, host: &str) -> WriteRequest {
    let mut timeseries = Vec::with_capacity(readings.len());
    for reading in readings {
        let base = metric_name(prefix, reading);
        let mut push = |name: &str, more: Option<(&str, &str)>, value: f64| {
            timeseries.push(TimeSeries {
                labels: labels(reading, name, host, more),
                samples: vec![Sample {
                    value,
                    timestamp: i64::try_from(reading.at_unix_millis).unwrap_or(i64::MAX),
                }],
            });
        };
        match &reading.value {
            Value::Level(level) => push(&base, None, *level),
            Value::Total { total, .. } => push(&total_name(&base), None, *total),
            Value::Spread { total, recent, .. } => {
                for (quantile, label) in QUANTILES {
                    if let Some(value) = recent.quantile(quantile) {
                        push(&base, Some(("quantile", label)), value);
                    }
                }
                push(&format!("{base}_sum"), None, total.sum());
                #[expect(clippy::cast_precision_loss, reason = "Prometheus keeps doubles")]
                push(&format!("{base}_count"), None, total.count() as f64);
            }
            Value::Gone(kind) => {
                let stale = f64::from_bits(STALE);
                match kind {
                    SeriesKind::Gauge => push(&base, None, stale),
                    SeriesKind::Counter => push(&total_name(&base), None, stale),
                    SeriesKind::Sketch => {
                        for (_, label) in QUANTILES {
                            push(&base, Some(("quantile", label)), stale);
                        }
                        push(&format!("{base}_sum"), None, stale);
                        push(&format!("{base}_count"), None, stale);
                    }
                }
            }
        }
    }
    WriteRequest { timeseries }
}

/// The name as OpenTelemetry's rules for Prometheus make it: dots are underscores, the unit stands behind.
fn metric_name(prefix: &str, reading: &Reading) -> String {
    let name = reading.key.name();
    // A counter's unit stands before what tells that it is one.
    let is_counter = matches!(reading.value, Value::Total { .. } | Value::Gone(SeriesKind::Counter));
    let name = name.strip_suffix(".total").filter(|_| is_counter).unwrap_or(name);
    let mut name: String = format!("{prefix}{name}").chars().map(plain).collect();
    let suffix = match reading.unit.as_str() {
        "ratio" => "_ratio",
        "millis" => "_milliseconds",
        "bytes" => "_bytes",
        "bytesPerSecond" => "_bytes_per_second",
        "perSecond" => "_per_second",
        "celsius" => "_celsius",
        "watts" => "_watts",
        "volts" => "_volts",
        "hertz" => "_hertz",
        "rpm" => "_rpm",
        _ => "",
    };
    if !name.ends_with(suffix) {
        name.push_str(suffix);
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

fn total_name(base: &str) -> String {
    if base.ends_with("_total") { base.to_owned() } else { format!("{base}_total") }
}

fn plain(letter: char) -> char {
    if letter.is_ascii_alphanumeric() || letter == '_' || letter == ':' { letter } else { '_' }
}

fn labels(reading: &Reading, name: &str, host: &str, more: Option<(&str, &str)>) -> Vec<Label> {
    let ours = [("__name__", name), ("instance", host), ("job", "quillwork")];
    let mut labels: Vec<Label> = ours
        .into_iter()
        .chain(more)
        .map(|(name, value)| Label { name: name.to_owned(), value: value.to_owned() })
        .collect();
    for (label, value) in reading.key.labels() {
        let mut name: String = label.chars().map(plain).map(|c| if c == ':' { '_' } else { c }).collect();
        // Names that begin with two underscores are Prometheus' own, and ours are taken.
        if name.starts_with("__")
            || name.starts_with(|c: char| c.is_ascii_digit())
            || labels.iter().any(|taken| taken.name == name)
        {
            name.insert_str(0, "exported_");
        }
        match labels.iter_mut().find(|taken| taken.name == name) {
            // Two that differ only in what can't be written.
            Some(taken) => {
                taken.value.push(';');
                taken.value.push_str(value);
            }
            None => labels.push(Label { name, value: value.clone() }),
        }
    }
    // An empty label is none.
    labels.retain(|label| !label.value.is_empty());
    labels.sort();
    labels
}

#[cfg(test)]
mod tests {
    use quillwork_core::telemetry::{RelativeAccuracy, Sketch};

    use super::*;

    fn reading(key: &str, unit: &str, value: Value) -> Reading {
        Reading { key: key.parse().unwrap(), unit: unit.to_owned(), at_unix_millis: 5_000, value }
    }

    /// As Prometheus writes them.
    fn shown(readings: &[Reading]) -> Vec<String> {
        let request = request(readings, "quillwork.", "box");
        let line = |series: TimeSeries| {
            assert!(series.labels.is_sorted_by(|a, b| a.name < b.name), "each once, by name");
            let name = series.labels.iter().find(|label| label.name == "__name__").unwrap().value.clone();
            let rest =
                series.labels.iter().filter(|label| !["__name__", "instance", "job"].contains(&&*label.name));
            let rest: Vec<_> = rest.map(|label| format!("{}={:?}", label.name, label.value)).collect();
            let Sample { value, timestamp } = series.samples[0];
            format!("{name}{{{}}} {value} {timestamp}", rest.join(","))
        };
        request.timeseries.into_iter().map(line).collect()
    }

    #[test]
    fn each_kind_has_the_names_that_prometheus_expects() {
        let mut sketch = Sketch::new(RelativeAccuracy::ONE_PER_CENT);
        (1..=100).for_each(|value| sketch.record(f64::from(value)).unwrap());
        let recent = Box::new(sketch.clone());
        let total = Value::Total { total: 7.0, start_unix_millis: 0 };
        let lines = shown(&[
            reading("host.cpu.core{core=\"3\"}", "ratio", Value::Level(0.25)),
            reading("host.network.received", "bytes", total.clone()),
            reading("host.network.sent.total", "bytes", total.clone()),
            reading("orders_total", "count", total),
            reading(
                "page.response",
                "millis",
                Value::Spread { total: Box::new(sketch), recent, start_unix_millis: 0 },
            ),
        ]);
        assert_eq!(lines[0], "quillwork_host_cpu_core_ratio{core=\"3\"} 0.25 5000");
        assert_eq!(lines[1], "quillwork_host_network_received_bytes_total{} 7 5000");
        assert_eq!(lines[2], "quillwork_host_network_sent_bytes_total{} 7 5000");
        assert_eq!(lines[3], "quillwork_orders_total{} 7 5000");
        assert!(lines[4].starts_with("quillwork_page_response_milliseconds{quantile=\"0.5\"} "), "{lines:?}");
        assert_eq!(lines[8], "quillwork_page_response_milliseconds_sum{} 5050 5000");
        assert_eq!(lines[9], "quillwork_page_response_milliseconds_count{} 100 5000");
    }

    #[test]
    fn labels_that_prometheus_would_refuse_are_written_so_that_it_takes_them() {
        let lines = shown(&[reading(
            "a{__x=\"1\",b.c=\"2\",b_c=\"3\",instance=\"4\",e=\"\"}",
            "count",
            Value::Level(1.0),
        )]);
        assert_eq!(
            lines,
            ["quillwork_a{b_c=\"2\",exported___x=\"1\",exported_b_c=\"3\",exported_instance=\"4\"} 1 5000"]
        );
    }

    #[test]
    fn the_end_of_a_series_is_the_very_nan_that_prometheus_looks_for() {
        for (kind, count) in [(SeriesKind::Gauge, 1), (SeriesKind::Counter, 1), (SeriesKind::Sketch, 6)] {
            let request = request(&[reading("a", "count", Value::Gone(kind))], "", "box");
            let bits = request.timeseries.iter().map(|series| series.samples[0].value.to_bits());
            assert_eq!(bits.collect::<Vec<_>>(), vec![0x7ff0_0000_0000_0002; count]);
        }
    }
}
