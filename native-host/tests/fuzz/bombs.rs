//! Bodies as large as may be, made of the smallest pieces that take the most memory.

use axum::http::{HeaderValue, header};
use serde_json::json;

use crate::harness::{batch, request, sample_at};
use crate::measure::most_held;
use crate::protobuf::field;
use crate::served::Served;

/// Bytes that a body may have.
const LARGEST: usize = 1 << 20;

/// What one request may take while it is read.
const MOST: usize = 48 << 20;

fn filled(begin: &[u8], piece: &[u8], end: &[u8]) -> Vec<u8> {
    let count = (LARGEST - begin.len() - end.len()) / piece.len();
    let pieces = piece.repeat(count);
    let pieces = if piece.ends_with(b",") { &pieces[..pieces.len() - 1] } else { &pieces[..] };
    [begin, pieces, end].concat()
}

/// A document in which a hole is filled.
fn around(document: &serde_json::Value, piece: &str) -> Vec<u8> {
    let text = document.to_string();
    let (begin, end) = text.split_once("\"hole\"").unwrap();
    filled(begin.as_bytes(), piece.as_bytes(), end.as_bytes())
}

#[test]
fn a_body_of_the_smallest_pieces_takes_memory_within_bounds() {
    let mut bodies: Vec<(String, &str, &str, Vec<u8>)> = Vec::new();
    let of =
        |metric: serde_json::Value| json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]});
    let json = "application/json";
    let holes = [
        json!({"resourceMetrics": ["hole"]}),
        json!({"resourceMetrics": [{"scopeMetrics": ["hole"]}]}),
        json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": ["hole"]}]}]}),
        json!({"resourceMetrics": [{"resource": {"attributes": ["hole"]}}]}),
        of(json!({"name": "a", "gauge": {"dataPoints": ["hole"]}})),
        of(json!({"name": "a", "histogram": {"dataPoints": ["hole"]}})),
        of(json!({"name": "a", "exponentialHistogram": {"dataPoints": ["hole"]}})),
        of(json!({"name": "a", "summary": {"dataPoints": ["hole"]}})),
        of(json!({"name": "a", "summary": {"dataPoints": [{"quantileValues": ["hole"]}]}})),
        of(json!({"name": "a", "gauge": {"dataPoints": [{"attributes": ["hole"]}]}})),
    ];
    for hole in &holes {
        bodies.push((format!("{hole} of {{}}"), "/v1/metrics", json, around(hole, "{},")));
    }
    let counts = of(json!({"name": "a", "histogram": {"dataPoints": [{"bucketCounts": ["hole"]}]}}));
    bodies.push(("counts".to_owned(), "/v1/metrics", json, around(&counts, "0,")));

    let sample = serde_json::to_value(sample_at(1_700_000_000_000, 3)).unwrap();
    let whole = serde_json::to_value(batch("p1", 1, vec![])).unwrap();
    let with = |samples: serde_json::Value| {
        let mut whole = whole.clone();
        whole["samples"] = samples;
        whole
    };
    bodies.push((
        "samples".to_owned(),
        "/api/v1/ingest",
        json,
        around(&with(json!(["hole"])), &format!("{sample},")),
    ));
    let mut spread = sample.clone();
    spread["response"]["buckets"] = json!(["hole"]);
    bodies.push(("buckets".to_owned(), "/api/v1/ingest", json, around(&with(json!([spread])), "[0,0],")));

    // resource_metrics, scope_metrics, metrics, the kind, its points: each of two bytes.
    let empty = |tag: u8| vec![tag << 3 | 2, 0];
    let inside = |tags: &[u64], piece: Vec<u8>| {
        let room = LARGEST - 64;
        tags.iter().rev().fold(piece.repeat(room / piece.len()), |content, tag| field(*tag, &content))
    };
    for (what, tags) in [
        ("resources", &[][..]),
        ("scopes", &[1][..]),
        ("metrics", &[1, 2][..]),
        ("numbers", &[1, 2, 2, 5][..]),
        ("histograms", &[1, 2, 2, 9][..]),
        ("exponential histograms", &[1, 2, 2, 10][..]),
        ("summaries", &[1, 2, 2, 11][..]),
        ("attributes", &[1, 2, 2, 5, 1][..]),
        ("quantiles", &[1, 2, 2, 11, 1][..]),
    ] {
        let last = match what {
            "scopes" | "metrics" => 2,
            "histograms" | "attributes" if tags.len() == 5 => 7,
            "quantiles" => 6,
            _ => 1,
        };
        bodies.push((
            format!("{what} in protobuf"),
            "/v1/metrics",
            "application/x-protobuf",
            inside(tags, empty(last)),
        ));
    }

    let mut over = Vec::new();
    for (what, path, media_type, body) in bodies {
        assert!(body.len() <= LARGEST, "{what}: {}", body.len());
        let served = Served::new();
        let mut asking = request("POST", path);
        asking.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_str(media_type).unwrap());
        *asking.body_mut() = body.into();
        let (answered, held) = most_held(|| served.ask(asking));
        println!("{what}: {}, {} KiB", answered.status, held >> 10);
        if held > MOST {
            over.push(format!("{what}: {} MiB", held >> 20));
        }
    }
    assert!(over.is_empty(), "{over:?}");
}
