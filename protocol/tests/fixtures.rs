//! The files that both sides of the wire check: what the page's TypeScript writes is read here, and nothing of it is
//! lost or invented on the way through.

use quillwork_protocol::VERSION;
use quillwork_protocol::page::PageBatch;
use quillwork_protocol::signals::MetricValue;
use quillwork_protocol::socket::{ClientMessage, Role};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[test]
fn a_page_says_hello() {
    let ClientMessage::Hello(hello) = read(include_str!("../fixtures/hello-page.json")) else {
        panic!("not a hello")
    };
    assert_eq!((hello.version, hello.role), (VERSION, Role::Page));
    assert!(hello.source.is_some_and(|source| !source.id.is_empty()), "a page names itself");
}

#[test]
fn a_visible_page_sends_what_it_measured() {
    let ClientMessage::Batch(batch) = read(include_str!("../fixtures/batch.json")) else {
        panic!("not a batch")
    };
    assert_eq!(batch.version, VERSION);
    assert!(batch.samples.iter().any(|sample| sample.visible && sample.frames_per_second.is_some()));
    let latency = batch.samples.iter().find_map(|sample| sample.response.as_ref()).expect("a response time");
    let in_buckets: u64 = latency.buckets.iter().map(|&(_, count)| count).sum();
    assert_eq!(in_buckets + latency.zeros, latency.count);
}

#[test]
fn what_a_page_tells_beside_its_numbers_arrives_whole() {
    let ClientMessage::Batch(batch) = read(include_str!("../fixtures/batch.json")) else {
        panic!("not a batch")
    };
    let [sample] = &batch.samples[..] else { panic!("one sample") };
    assert_eq!((sample.web_vitals.len(), sample.metrics.len(), sample.spans.len()), (3, 3, 2));
    assert!(matches!(sample.metrics[2].value, MetricValue::Histogram { .. }));
    assert_eq!(sample.spans[1].parent.as_ref(), Some(&sample.spans[0].id));
    assert_eq!(sample.errors.as_ref().map(|errors| errors.records.len()), Some(2));
    let types: Vec<_> = sample.task_types.iter().map(|of| (&*of.task_type, of.runs.count)).collect();
    assert_eq!(types, [("layout", 2), ("(others)", 1)]);
}

#[test]
fn a_page_of_an_older_version_is_understood() {
    let ClientMessage::Batch(batch) = read(include_str!("../fixtures/batch-of-an-older-page.json")) else {
        panic!("not a batch")
    };
    assert_eq!(batch.samples[0].long_animation_frames, None);
    assert_eq!(batch.samples[0].web_vitals, []);
}

#[test]
fn a_hidden_page_sends_no_frame_rate_rather_than_zero() {
    let batch: PageBatch = read(include_str!("../fixtures/batch-hidden.json"));
    assert!(batch.closing, "the page says goodbye by a beacon");
    assert!(!batch.samples.is_empty());
    for sample in &batch.samples {
        assert!(!sample.visible);
        assert_eq!(sample.frames_per_second, None);
    }
}

/// Reads a message and checks that writing it again gives the same document.
fn read<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let message: T = serde_json::from_str(text).expect("the fixture is what it should be");
    let written = serde_json::to_value(&message).expect("a message can be written");
    let original: Value = serde_json::from_str(text).expect("the fixture is JSON");
    assert_same("$", &original, &written);
    message
}

/// Compares documents; numbers by value, since JavaScript writes `60` for what Rust writes as `60.0`.
fn assert_same(path: &str, original: &Value, written: &Value) {
    match (original, written) {
        (Value::Object(left), Value::Object(right)) => {
            for (name, value) in left {
                let other = right
                    .get(name)
                    .unwrap_or_else(|| panic!("{path}.{name} was dropped: unknown to the protocol"));
                assert_same(&format!("{path}.{name}"), value, other);
            }
            for (name, value) in right {
                assert!(left.contains_key(name) || value.is_null(), "{path}.{name} was invented: {value}");
            }
        }
        (Value::Array(left), Value::Array(right)) => {
            assert_eq!(left.len(), right.len(), "length of {path}");
            for (index, (value, other)) in left.iter().zip(right).enumerate() {
                assert_same(&format!("{path}[{index}]"), value, other);
            }
        }
        (Value::Number(left), Value::Number(right)) => assert_eq!(left.as_f64(), right.as_f64(), "{path}"),
        _ => assert_eq!(original, written, "{path}"),
    }
}
