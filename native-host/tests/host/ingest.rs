//! Batches over HTTP: beacons of closing pages.

use axum::http::{HeaderValue, header};
use quillwork_host::clock::unix_millis;

use crate::harness::{Host, batch, post, sample_at};

#[tokio::test]
async fn a_beacon_is_text_and_counts_once() {
    let host = Host::new();
    let mut batch = batch("page-1", 1, vec![sample_at(unix_millis(), 60)]);
    batch.dropped_samples = 7;
    batch.closing = true;
    for _ in 0..3 {
        let mut beacon = post(serde_json::to_string(&batch).unwrap());
        beacon
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
        assert_eq!(host.ask(beacon).await.status, 204);
    }
    host.tick(0.1).await;
    let page = &host.get("/api/v1/snapshot").await.json()["pages"][0];
    assert_eq!(page["link"], "closed");
    assert_eq!(page["droppedSamples"], 7, "counted once");
    assert_eq!(page["sample"]["pool"]["completed"], 60);
    assert_eq!(page["errorRatio"], 0.0);
    let metrics = host.get("/metrics").await.body;
    assert!(metrics.contains("\nquillwork_batches_total 1\n"), "{metrics}");
    assert!(metrics.contains("\nquillwork_batches_duplicate_total 2\n"), "{metrics}");
}

#[tokio::test]
async fn what_can_not_be_right_is_named_and_nothing_of_it_counts() {
    let host = Host::new();
    let mut wrong = batch("page-1", 1, vec![sample_at(1, 0), sample_at(2, 0)]);
    wrong.samples[1].dropped_frame_ratio = Some(1.5);
    let detail = host.post(&wrong).await.problem(422, "invalid-content");
    assert_eq!(detail, "`samples[1].droppedFrameRatio` must be a ratio from 0 to 1, or null");

    let mut other = batch("page-1", 1, Vec::new());
    other.version = 99;
    let detail = host.post(&other).await.problem(400, "malformed-body");
    assert!(detail.contains("version 99"), "{detail}");

    host.tick(0.1).await;
    assert_eq!(host.get("/api/v1/snapshot").await.json()["pages"], serde_json::json!([]));
    assert!(host.get("/metrics").await.body.contains("\nquillwork_batches_refused_total 2\n"));
}

#[tokio::test]
async fn as_many_pages_as_may_report_and_the_next_is_told_so() {
    let host = Host::new();
    for number in 0..256 {
        assert_eq!(host.post(&batch(&format!("page-{number}"), 1, Vec::new())).await.status, 204);
    }
    let detail = host.post(&batch("one-more", 1, Vec::new())).await.problem(503, "busy");
    assert!(detail.contains("256"), "{detail}");
    assert_eq!(host.post(&batch("page-7", 2, Vec::new())).await.status, 204, "those that report go on");

    let mut goodbye = batch("page-8", 2, Vec::new());
    goodbye.closing = true;
    assert_eq!(host.post(&goodbye).await.status, 204);
    assert_eq!(host.post(&batch("one-more", 2, Vec::new())).await.status, 204, "one made room");
}
