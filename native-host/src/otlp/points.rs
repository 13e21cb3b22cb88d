//! From a request to readings of series.

use quillwork_store::series::SeriesKey;

use super::message::{
    AnyValue, CUMULATIVE, DELTA, KeyValue, Metric, NO_RECORDED_VALUE, NumberPoint, Request, Resource,
};
use super::spread::Spread;
use crate::sampler::plain;

/// What one program sent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FromProgram {
    /// Its source id: `otlp/`, the service's name and, after another slash, the instance's id if there is one.
    pub(crate) id: String,
    /// The service's name.
    pub(crate) name: String,
    /// In the order sent.
    pub(crate) readings: Vec<Reading>,
}

/// One point.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reading {
    /// Its series, the label `source` included.
    pub(crate) series: SeriesKey,
    /// Unit of the values, which have been converted to it.
    pub(crate) unit: Unit,
    /// On the program's clock.
    pub(crate) at_unix_nanos: u64,
    /// Since when it counts; zero where it isn't told.
    pub(crate) start_unix_nanos: u64,
    /// What it says.
    pub(crate) value: Value,
}

/// What a point says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// A level.
    Level(f64),
    /// A count since the start.
    Total(f64),
    /// What was added to a count.
    Increase(f64),
    /// By how much a level changed.
    Change(f64),
    /// A histogram since the start.
    TotalSpread(Spread),
    /// What was added to a histogram.
    SpreadIncrease(Spread),
    /// A count and a sum since the start, and quantiles.
    Summary {
        /// How many.
        count: u64,
        /// Their sum, where it is told.
        sum: Option<f64>,
        /// Quantiles, 0 to 1, and their values.
        quantiles: Vec<(f64, f64)>,
    },
}

/// A unit of ours, and how finely values of it are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Unit {
    /// Its name.
    pub(crate) name: &'static str,
    /// Values are kept to a multiple of this.
    pub(crate) resolution: f64,
}

/// Everything that could be taken from a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Taken {
    /// By program, in the order sent.
    pub(crate) programs: Vec<FromProgram>,
    /// Points that were not taken.
    pub(crate) rejected: u64,
    /// Why, of the first.
    pub(crate) reason: Option<String>,
}

/// Names that are the host's own: rules select series by name.
const RESERVED: [&str; 3] = ["host.", "page.", "quillwork."];

/// Bytes of a service's name and of an instance's id.
const LONGEST_NAME: usize = 120;

/// The unit of a metric (UCUM, as OpenTelemetry's conventions have it) in ours, and by what its values are to be multiplied.
fn unit(written: &str) -> (Unit, f64) {
    let (name, resolution, scale) = match written {
        "s" => ("millis", 0.001, 1_000.0),
        "ms" => ("millis", 0.001, 1.0),
        "us" => ("millis", 0.001, 0.001),
        "ns" => ("millis", 0.001, 0.000_001),
        "min" => ("millis", 0.001, 60_000.0),
        "h" => ("millis", 0.001, 3_600_000.0),
        "By" => ("bytes", 1.0, 1.0),
        "KiBy" => ("bytes", 1.0, 1_024.0),
        "MiBy" => ("bytes", 1.0, 1_048_576.0),
        "GiBy" => ("bytes", 1.0, 1_073_741_824.0),
        "kBy" => ("bytes", 1.0, 1_000.0),
        "MBy" => ("bytes", 1.0, 1_000_000.0),
        "GBy" => ("bytes", 1.0, 1_000_000_000.0),
        "By/s" => ("bytesPerSecond", 1.0, 1.0),
        "1" => ("ratio", 0.000_01, 1.0),
        "%" => ("ratio", 0.000_01, 0.01),
        "Cel" => ("celsius", 0.01, 1.0),
        "W" => ("watts", 0.001, 1.0),
        "V" => ("volts", 0.001, 1.0),
        "Hz" => ("hertz", 0.001, 1.0),
        "{request}/s" | "{operation}/s" | "{packet}/s" | "1/s" => ("perSecond", 0.001, 1.0),
        _ => ("count", 0.001, 1.0),
    };
    (Unit { name, resolution }, scale)
}

impl Taken {
    /// Takes what can be taken. Empty messages are fine.
    pub(crate) fn of(request: Request) -> Self {
        let mut taken = Self::default();
        for resource_metrics in request.resource_metrics {
            let resource = resource_metrics.resource.unwrap_or_default();
            let metrics = resource_metrics.scope_metrics.into_iter().flat_map(|scope| scope.metrics);
            match program(&resource) {
                Ok(mut program) => {
                    metrics.for_each(|metric| taken.metric(&mut program, &metric));
                    taken.programs.push(program);
                }
                Err(reason) => metrics.for_each(|metric| taken.reject(count(&metric), reason)),
            }
        }
        taken.programs.retain(|program| !program.readings.is_empty());
        taken
    }

    /// Notes points that are not taken.
    pub(crate) fn reject(&mut self, points: u64, reason: impl Into<String>) {
        if points > 0 {
            self.rejected += points;
            self.reason.get_or_insert_with(|| reason.into());
        }
    }

    fn metric(&mut self, program: &mut FromProgram, metric: &Metric) {
        let (unit, scale) = unit(&metric.unit);
        for Point { attributes, start_unix_nanos, at_unix_nanos, flags, value } in points(metric, scale) {
            if flags & NO_RECORDED_VALUE != 0 {
                continue;
            }
            let series = series(&metric.name, &program.id, attributes);
            match value.map_err(str::to_owned).and_then(|value| Ok((series?, value))) {
                Ok((series, value)) => {
                    program.readings.push(Reading { series, unit, at_unix_nanos, start_unix_nanos, value });
                }
                Err(reason) => self.reject(1, reason),
            }
        }
    }
}

/// What the five kinds of points have in common.
struct Point<'a> {
    attributes: &'a [KeyValue],
    start_unix_nanos: u64,
    at_unix_nanos: u64,
    flags: u32,
    value: Result<Value, &'static str>,
}

const NO_TEMPORALITY: &str = "a sum or histogram must say whether it is cumulative or delta";

/// All points of a metric, with values in our unit.
fn points(metric: &Metric, scale: f64) -> Vec<Point<'_>> {
    let mut points = Vec::new();
    if let Some(gauge) = &metric.gauge {
        points.extend(gauge.data_points.iter().map(|point| number(point, scale, Ok(Value::Level))));
    }
    if let Some(sum) = &metric.sum {
        let wrap: Result<fn(f64) -> Value, _> = match (sum.aggregation_temporality, sum.is_monotonic) {
            (CUMULATIVE, true) => Ok(Value::Total),
            (CUMULATIVE, false) => Ok(Value::Level),
            (DELTA, true) => Ok(Value::Increase),
            (DELTA, false) => Ok(Value::Change),
            _ => Err(NO_TEMPORALITY),
        };
        points.extend(sum.data_points.iter().map(|point| number(point, scale, wrap)));
    }
    if let Some(histogram) = &metric.histogram {
        let temporality = histogram.aggregation_temporality;
        points.extend(histogram.data_points.iter().map(|point| Point {
            attributes: &point.attributes,
            start_unix_nanos: point.start_time_unix_nano,
            at_unix_nanos: point.time_unix_nano,
            flags: point.flags,
            value: Spread::explicit(point, scale).and_then(|spread| spread_value(temporality, spread)),
        }));
    }
    if let Some(histogram) = &metric.exponential_histogram {
        let temporality = histogram.aggregation_temporality;
        points.extend(histogram.data_points.iter().map(|point| Point {
            attributes: &point.attributes,
            start_unix_nanos: point.start_time_unix_nano,
            at_unix_nanos: point.time_unix_nano,
            flags: point.flags,
            value: Spread::exponential(point, scale).and_then(|spread| spread_value(temporality, spread)),
        }));
    }
    if let Some(summary) = &metric.summary {
        points.extend(summary.data_points.iter().map(|point| {
            let quantiles = point.quantile_values.iter();
            let known = quantiles
                .filter_map(|one| Some((one.quantile, one.value.filter(|value| value.is_finite())? * scale)));
            Point {
                attributes: &point.attributes,
                start_unix_nanos: 0,
                at_unix_nanos: point.time_unix_nano,
                flags: point.flags,
                value: Ok(Value::Summary {
                    count: point.count,
                    sum: point.sum.filter(|sum| sum.is_finite()).map(|sum| sum * scale),
                    quantiles: known.filter(|(quantile, _)| (0.0..=1.0).contains(quantile)).collect(),
                }),
            }
        }));
    }
    points
}

fn number<'a>(point: &'a NumberPoint, scale: f64, wrap: Result<fn(f64) -> Value, &'static str>) -> Point<'a> {
    #[expect(clippy::cast_precision_loss, reason = "history keeps doubles")]
    let value = point.as_double.or(point.as_int.map(|value| value as f64)).filter(|value| value.is_finite());
    Point {
        attributes: &point.attributes,
        start_unix_nanos: point.start_time_unix_nano,
        at_unix_nanos: point.time_unix_nano,
        flags: point.flags,
        value: wrap
            .and_then(|wrap| value.map(|value| wrap(value * scale)).ok_or("a point needs a finite value")),
    }
}

fn spread_value(temporality: i32, spread: Spread) -> Result<Value, &'static str> {
    match temporality {
        CUMULATIVE => Ok(Value::TotalSpread(spread)),
        DELTA => Ok(Value::SpreadIncrease(spread)),
        _ => Err(NO_TEMPORALITY),
    }
}

fn count(metric: &Metric) -> u64 {
    points(metric, 1.0).len() as u64
}

/// Who sends. Other attributes of a resource are left out: they say of the program what the host knows, or repeat.
fn program(resource: &Resource) -> Result<FromProgram, &'static str> {
    let attribute = |key: &str| {
        let attribute = resource.attributes.iter().find(|attribute| attribute.key == key)?;
        text(attribute.value.as_ref()?)
    };
    let name = attribute("service.name").filter(|name| !name.is_empty());
    let name = name.unwrap_or_else(|| "unknown_service".to_owned());
    let instance = attribute("service.instance.id").filter(|id| !id.is_empty());
    if name.len() > LONGEST_NAME || instance.as_ref().is_some_and(|id| id.len() > LONGEST_NAME) {
        return Err("service.name and service.instance.id may have up to 120 bytes");
    }
    let id = instance.map_or_else(|| format!("otlp/{name}"), |instance| format!("otlp/{name}/{instance}"));
    Ok(FromProgram { id, name, readings: Vec::new() })
}

/// The name stays as it is; attributes become labels, whose names take `_` for what they can't hold.
fn series(name: &str, source: &str, attributes: &[KeyValue]) -> Result<SeriesKey, String> {
    if RESERVED.iter().any(|reserved| name.starts_with(reserved)) {
        return Err(format!("names that begin with host., page. or quillwork. are the host's own: {name:?}"));
    }
    let mut labels = vec![("source".to_owned(), source.to_owned())];
    for KeyValue { key, value } in attributes {
        let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '_' };
        let label: String = key.chars().map(plain).collect();
        let label = if label == "source" { "source_".to_owned() } else { label };
        let value = value.as_ref().and_then(text);
        let value = value
            .ok_or_else(|| format!("attribute {key:?} of {name:?} is a list or a map; send a scalar"))?;
        labels.push((label, value));
    }
    SeriesKey::new(name, labels).map_err(|invalid| invalid.to_string())
}

/// A scalar as text.
fn text(value: &AnyValue) -> Option<String> {
    let number = || value.int_value.map(|value| value.to_string());
    let float = || value.double_value.map(|value| value.to_string());
    let truth = || value.bool_value.map(|value| value.to_string());
    let written = || value.string_value.as_ref().map(|text| text.chars().map(plain).collect());
    written().or_else(number).or_else(float).or_else(truth)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use serde_json::json;

    use super::*;

    fn taken(metrics: &serde_json::Value) -> Taken {
        let request = json!({"resourceMetrics": [{
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
            "scopeMetrics": [{"metrics": metrics}]
        }]});
        let request: Request = serde_json::from_value(request).unwrap();
        // What JSON says is what protobuf says; in bytes, since NaN is not equal to itself.
        let bytes = request.encode_to_vec();
        assert_eq!(Request::decode(&bytes[..]).unwrap().encode_to_vec(), bytes);
        Taken::of(request)
    }

    #[test]
    fn each_kind_of_point_is_taken_in_our_units() {
        let attributes = json!([
            {"key": "http.route", "value": {"stringValue": "/a \"b\""}},
            {"key": "retry-no", "value": {"intValue": "3"}}
        ]);
        let taken = taken(&json!([
            {"name": "queue.wait", "unit": "s", "gauge": {"dataPoints": [
                {"attributes": attributes, "timeUnixNano": "1700000000000000000", "asDouble": 0.25}
            ]}},
            {"name": "orders", "unit": "{order}", "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [
                {"startTimeUnixNano": "5", "timeUnixNano": 7, "asInt": "42"}
            ]}},
            {"name": "orders.delta", "sum": {"aggregationTemporality": 1, "isMonotonic": true, "dataPoints": [{"asInt": 4}]}},
            {"name": "depth", "sum": {"aggregationTemporality": 2, "dataPoints": [{"asInt": -4}]}},
            {"name": "depth.delta", "sum": {"aggregationTemporality": 1, "dataPoints": [{"asInt": -4}]}},
            {"name": "absent", "gauge": {"dataPoints": [{"flags": 1}]}},
            {"name": "summary", "unit": "ms", "summary": {"dataPoints": [
                {"count": "2", "sum": 3.0, "quantileValues": [{"quantile": 0.5, "value": 1.5}, {"quantile": 7, "value": 1}]}
            ]}}
        ]));
        assert_eq!((taken.rejected, taken.programs.len()), (0, 1));
        let program = &taken.programs[0];
        assert_eq!((program.id.as_str(), program.name.as_str()), ("otlp/shop", "shop"));
        let readings = &program.readings;
        assert_eq!(
            readings[0].series.to_string(),
            r#"queue.wait{http.route="/a \"b\"",retry_no="3",source="otlp/shop"}"#
        );
        assert_eq!((readings[0].unit.name, &readings[0].value), ("millis", &Value::Level(250.0)));
        assert_eq!(readings[0].at_unix_nanos, 1_700_000_000_000_000_000);
        assert_eq!((readings[1].start_unix_nanos, readings[1].at_unix_nanos), (5, 7));
        let values: Vec<&Value> = readings[1..].iter().map(|reading| &reading.value).collect();
        assert_eq!(values[0], &Value::Total(42.0));
        assert_eq!(values[1], &Value::Increase(4.0));
        assert_eq!(values[2], &Value::Level(-4.0));
        assert_eq!(values[3], &Value::Change(-4.0));
        assert_eq!(values[4], &Value::Summary { count: 2, sum: Some(3.0), quantiles: vec![(0.5, 1.5)] });
        assert_eq!(values.len(), 5, "a point without a value is no fault");
    }

    #[test]
    fn what_can_not_be_taken_is_counted_and_said() {
        for (metric, word) in [
            (json!({"name": "host.cpu.total", "gauge": {"dataPoints": [{"asDouble": 1}]}}), "host's own"),
            (json!({"name": "a b", "gauge": {"dataPoints": [{"asDouble": 1}]}}), "no name"),
            (json!({"name": "a", "gauge": {"dataPoints": [{"asDouble": "NaN"}]}}), "finite"),
            (json!({"name": "a", "gauge": {"dataPoints": [{}]}}), "finite"),
            (json!({"name": "a", "sum": {"dataPoints": [{"asInt": 1}]}}), "cumulative"),
            (json!({"name": "a", "histogram": {"dataPoints": [{}]}}), "cumulative"),
            (
                json!({"name": "a", "gauge": {"dataPoints": [{"asInt": 1, "attributes": [
                    {"key": "k", "value": {"arrayValue": {"values": []}}}
                ]}]}}),
                "scalar",
            ),
        ] {
            let taken = taken(&json!([metric]));
            assert_eq!((taken.rejected, taken.programs.len()), (1, 0), "{metric}");
            assert!(taken.reason.unwrap().contains(word), "{metric}");
        }
    }

    #[test]
    fn nobody_speaks_for_another_source() {
        let taken = taken(&json!([{"name": "a", "gauge": {"dataPoints": [
            {"asInt": 1, "attributes": [{"key": "source", "value": {"stringValue": "page-1"}}]}
        ]}}]));
        let series = &taken.programs[0].readings[0].series;
        assert_eq!(series.label("source"), Some("otlp/shop"));
    }

    #[test]
    fn no_bytes_are_too_strange() {
        let mut rng = quillwork_core::rng::Rng::from_seed(11);
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..rng.below(60)).map(|_| (rng.next_u64() >> 56) as u8).collect();
            if let Ok(request) = Request::decode(&bytes[..]) {
                Taken::of(request);
            }
        }
    }
}
