//! OpenTelemetry metrics, in both encodings.

use std::collections::BTreeMap;

use axum::http::header;
use quillwork_store::series::SeriesKey;
use serde_json::{Value, json};

use crate::harness::{ADDRESS, request};
use crate::protobuf::{field, fixed, number, varint};
use crate::runner::{Outcome, Shape, Target, fuzz};
use crate::served::Served;

struct Receiving {
    served: Served,
    known: Vec<String>,
    media_type: &'static str,
}

/// Series of one program.
const MOST_SERIES: usize = 1_000;

impl Receiving {
    fn new(media_type: &'static str) -> Self {
        let served = Served::new();
        Self { known: served.known(), served, media_type }
    }

    /// What is taken has names that can be asked for, in bounded number. What can't be read changes nothing.
    fn check(&mut self, input: &[u8]) -> Outcome {
        let mut asking = request("POST", "/v1/metrics");
        asking.headers_mut().insert(header::CONTENT_TYPE, self.media_type.parse().unwrap());
        assert_eq!(asking.headers()[header::HOST], ADDRESS);
        *asking.body_mut() = input.to_vec().into();
        let answered = self.served.ask(asking);
        match answered.status.as_u16() {
            200 => {}
            400 | 413 => {
                assert_eq!(self.served.known(), self.known, "what can't be read changes nothing");
                return Outcome::Refused;
            }
            // A request of several programs may be taken in part.
            429 | 503 => {
                self.known = self.served.known();
                return Outcome::Refused;
            }
            other => panic!("{other}"),
        }
        assert_eq!(answered.media_type, self.media_type);
        if self.media_type == "application/json" {
            let partial: Value = serde_json::from_slice(&answered.body).unwrap();
            assert!(partial.is_object(), "{partial}");
        }
        self.known = self.served.known();
        let mut programs: BTreeMap<&str, usize> = BTreeMap::new();
        let keys: Vec<SeriesKey> =
            self.known.iter().filter_map(|known| known.strip_prefix("series ")).map(key).collect();
        for key in &keys {
            assert!(!key.name().starts_with("host.") && !key.name().starts_with("page."), "{key}");
            *programs.entry(key.label("source").unwrap()).or_default() += 1;
        }
        assert!(programs.values().all(|count| *count <= MOST_SERIES), "{programs:?}");
        Outcome::Taken
    }
}

fn key(text: &str) -> SeriesKey {
    let key: SeriesKey = text.parse().unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(key.to_string(), text);
    key
}

#[test]
fn otlp_json() {
    let point = json!({
        "attributes": [{"key": "route", "value": {"stringValue": "/a"}}, {"key": "n", "value": {"intValue": "7"}}],
        "startTimeUnixNano": "1700000000000000000", "timeUnixNano": "1700000060000000000", "asDouble": 1.5
    });
    let spread = json!({
        "startTimeUnixNano": "1", "timeUnixNano": "1700000060000000000", "count": "9", "sum": 1.5, "min": 0.1, "max": 0.4,
        "bucketCounts": ["2", "3", "4"], "explicitBounds": [0.1, 0.4]
    });
    let exponential = json!({
        "timeUnixNano": "1700000060000000000", "count": "5", "sum": 9.0, "scale": 3, "zeroCount": "1",
        "positive": {"offset": -4, "bucketCounts": ["1", "2"]}, "negative": {"offset": 2, "bucketCounts": ["1"]}
    });
    let summary = json!({
        "timeUnixNano": "1700000060000000000", "count": "5", "sum": 9.0,
        "quantileValues": [{"quantile": 0.5, "value": 1.0}, {"quantile": 0.99, "value": 4.0}]
    });
    let of = |metrics: Value| {
        let attributes = json!([
            {"key": "service.name", "value": {"stringValue": "shop"}},
            {"key": "service.instance.id", "value": {"stringValue": "a1"}}
        ]);
        let scope = json!({"scope": {"name": "lib"}, "metrics": metrics});
        json!({"resourceMetrics": [{"resource": {"attributes": attributes}, "scopeMetrics": [scope]}]})
    };
    let seeds = [
        of(json!([{"name": "queue.depth", "unit": "{item}", "gauge": {"dataPoints": [point]}}])),
        of(json!([
            {"name": "orders", "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [point]}},
            {"name": "up.down", "unit": "By", "sum": {"aggregationTemporality": 1, "dataPoints": [point]}}
        ])),
        of(json!([
            {"name": "http.duration", "unit": "s", "histogram": {"aggregationTemporality": 2, "dataPoints": [spread]}},
            {"name": "exp", "unit": "ms", "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [exponential]}},
            {"name": "old", "summary": {"dataPoints": [summary]}}
        ])),
    ];
    let target = Target {
        name: "otlp_json",
        seeds: seeds.iter().map(|seed| seed.to_string().into_bytes()).collect(),
        words: &[
            "\"dataPoints\"",
            "\"asInt\"",
            "\"NaN\"",
            "\"bucketCounts\"",
            "\"explicitBounds\"",
            "host.",
            "service.name",
        ],
        shape: Shape::Json,
        longest: 256 << 10,
        memory: (16 << 20, 128),
    };
    fuzz(&target, || Receiving::new("application/json"), Receiving::check);
}

#[test]
fn otlp_protobuf() {
    const AT: u64 = 1_700_000_060_000_000_000;
    let text =
        |key: &str, value: &str| [field(1, key.as_bytes()), field(2, &field(1, value.as_bytes()))].concat();
    let doubles = |values: &[f64]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
    let attribute = |tag| field(tag, &text("route", "/a"));
    let point = [attribute(7), fixed(2, 1), fixed(3, AT), fixed(4, 1.5_f64.to_bits())].concat();
    let counts: Vec<u8> = [2_u64, 3, 4].iter().flat_map(|count| count.to_le_bytes()).collect();
    let bounds = doubles(&[0.1, 0.4]);
    let spread = [
        attribute(9),
        fixed(2, 1),
        fixed(3, AT),
        fixed(4, 9),
        fixed(5, 1.5_f64.to_bits()),
        field(6, &counts),
        field(7, &bounds),
    ];
    let buckets = [number(1, 7), field(2, &[varint(1), varint(2)].concat())].concat();
    let exponential = [
        fixed(3, AT),
        fixed(4, 5),
        fixed(5, 9_f64.to_bits()),
        number(6, 6),
        fixed(7, 2),
        field(8, &buckets),
        field(9, &buckets),
    ];
    let quantile = [fixed(1, 0.5_f64.to_bits()), fixed(2, 1_f64.to_bits())].concat();
    let summary = [fixed(3, AT), fixed(4, 5), fixed(5, 9_f64.to_bits()), field(6, &quantile)].concat();
    let metric = |name: &str, unit: &str, kind: u64, points: Vec<u8>| {
        field(2, &[field(1, name.as_bytes()), field(3, unit.as_bytes()), field(kind, &points)].concat())
    };
    let resource = field(
        1,
        &[field(1, &text("service.name", "shop")), field(1, &text("service.instance.id", "a1"))].concat(),
    );
    let of = |metrics: Vec<u8>| field(1, &[resource.clone(), field(2, &metrics)].concat());
    let seeds = vec![
        of(metric("queue.depth", "{item}", 5, field(1, &point))),
        of(metric("orders", "1", 7, [field(1, &point), number(2, 2), number(3, 1)].concat())),
        of(metric("http.duration", "s", 9, [field(1, &spread.concat()), number(2, 2)].concat())),
        of(metric("exp", "ms", 10, [field(1, &exponential.concat()), number(2, 1)].concat())),
        of(metric("old", "By", 11, field(1, &summary))),
    ];
    let target = Target {
        name: "otlp_protobuf",
        seeds,
        words: &["host.cpu.total", "service.name", "\x0a\x00", "\x12\x7f"],
        shape: Shape::Protobuf,
        longest: 256 << 10,
        memory: (16 << 20, 256),
    };
    fuzz(&target, || Receiving::new("application/x-protobuf"), Receiving::check);
}
