//! Batches over HTTP: beacons of closing pages.

use std::io::Write;

use axum::http::{HeaderValue, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::{SinkExt, StreamExt};
use quillwork_core::time::Duration as Span;
use quillwork_host::clock::Now;
use quillwork_host::state::State;
use quillwork_protocol::page::PageBatch;
use serde_json::json;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::harness::{Host, PATIENCE, SECRET, Setup, batch, post, sample_at, source, token};

#[tokio::test]
async fn a_beacon_is_text_and_counts_once() {
    let host = Host::new();
    let mut batch = batch("page-1", 1, vec![sample_at(host.unix_millis(), 60)]);
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
async fn a_page_that_sends_too_much_is_told_when_to_go_on_and_others_do_not_pay() {
    let mut setup = Setup::default();
    (setup.limits.samples_per_second, setup.limits.sample_burst) = (1, 600);
    let host = Host::with(setup);
    let now = host.unix_millis();
    let samples =
        |count: u64| (0..count).map(|second| sample_at(now - 1_000 * (count - second), 1)).collect();
    assert_eq!(host.post(&batch("page-1", 1, samples(600))).await.status, 204);
    let refused = host.post(&batch("page-1", 2, samples(500))).await;
    let detail = refused.problem(429, "too-many-requests");
    assert!(detail.contains("limits.samples_per_second"), "{detail}");
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    assert!((400..=500).contains(&seconds), "{seconds}");
    assert_eq!(host.post(&batch("page-2", 1, samples(3))).await.status, 204);
    assert!(host.get("/metrics").await.body.contains("\nquillwork_batches_total 2\n"));
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
    // Heard an hour ahead: who is silent for a while makes room, and this test may take as long as it likes.
    let before = |state: &mut State, now: Now| {
        let ahead = Now { monotonic: now.monotonic + Span::from_secs(3_600), ..now };
        for number in 0..256 {
            state.handle_batch(ahead, batch(&format!("page-{number}"), 1, Vec::new())).unwrap();
        }
    };
    let host = Host::with(Setup { before, ..Setup::default() });
    let refused = host.post(&batch("one-more", 1, Vec::new())).await;
    let detail = refused.problem(503, "busy");
    assert!(detail.contains("256"), "{detail}");
    assert_eq!(host.post(&batch("page-7", 2, Vec::new())).await.status, 204, "those that report go on");

    let mut goodbye = batch("page-8", 2, Vec::new());
    goodbye.closing = true;
    assert_eq!(host.post(&goodbye).await.status, 204);
    assert_eq!(host.post(&batch("one-more", 2, Vec::new())).await.status, 204, "one made room");
}

/// A page connects with the token, hears the welcome and is gone.
async fn let_in(address: &str, id: &str) {
    let (mut socket, _) = connect_async(format!("ws://{address}/ws")).await.unwrap();
    let source = source(id);
    let hello = json!({"type": "hello", "version": 1, "role": "page", "source": source, "token": SECRET});
    socket.send(Message::text(hello.to_string())).await.unwrap();
    let welcome = timeout(PATIENCE, socket.next()).await.unwrap().unwrap().unwrap();
    assert!(welcome.into_text().unwrap().contains("welcome"));
}

#[tokio::test]
async fn a_beacon_without_the_token_counts_only_for_a_page_that_a_socket_let_in() {
    let (host, address) = Host::listen(Setup { token: Some(token()), ..Setup::default() }).await;
    let id = "6f1ed002ab5595859014ebf0951522d9";
    let beacon = |change: fn(&mut PageBatch)| {
        let mut batch = batch(id, 1, vec![sample_at(host.unix_millis(), 60)]);
        batch.closing = true;
        change(&mut batch);
        let body = serde_json::to_string(&batch).unwrap();
        let length = body.len();
        let mut beacon = post(body);
        let headers = beacon.headers_mut();
        headers.insert(header::HOST, address.parse().unwrap());
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain;charset=UTF-8"));
        headers.insert(header::CONTENT_LENGTH, length.into());
        beacon
    };
    let refused = host.ask(beacon(|_| {})).await;
    let detail = refused.problem(401, "unauthorized");
    assert!(detail.contains("/ws") && !detail.contains(SECRET), "{detail}");
    assert_eq!(refused.header("www-authenticate"), "Bearer");

    let_in(&address, id).await;
    assert_eq!(host.ask(beacon(|_| {})).await.status, 204);
    host.ask(beacon(|batch| batch.samples[0].interval_millis = 0.0)).await.problem(422, "invalid-content");

    // Nothing but a beacon of that page.
    host.ask(beacon(|batch| batch.source.id = batch.source.id.replace('6', "7")))
        .await
        .problem(401, "unauthorized");
    let mut wrong = beacon(|_| {});
    wrong.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer wrong"));
    host.ask(wrong).await.problem(401, "unauthorized");
    let mut long = beacon(|_| {});
    long.headers_mut().insert(header::CONTENT_LENGTH, (65_537).into());
    host.ask(long).await.problem(401, "unauthorized");
    let mut unmeasured = beacon(|_| {});
    unmeasured.headers_mut().remove(header::CONTENT_LENGTH);
    host.ask(unmeasured).await.problem(401, "unauthorized");
    let mut right = beacon(|_| {});
    let bearer = format!("Bearer {SECRET}").parse().unwrap();
    right.headers_mut().insert(header::AUTHORIZATION, bearer);
    assert_eq!(host.ask(right).await.status, 204);
}

#[tokio::test]
async fn a_compressed_batch_counts_and_one_that_inflates_beyond_the_bound_does_not() {
    let host = Host::new();
    let gzip = |body: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(body).unwrap();
        let mut request = post(encoder.finish().unwrap());
        request.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        request
    };
    let body = serde_json::to_vec(&batch("page-1", 1, vec![sample_at(host.unix_millis(), 60)])).unwrap();
    assert_eq!(host.ask(gzip(&body)).await.status, 204);
    host.tick(0.1).await;
    assert_eq!(host.get("/api/v1/snapshot").await.json()["pages"][0]["sample"]["pool"]["completed"], 60);

    host.ask(gzip(&vec![b' '; 8 << 20])).await.problem(413, "body-too-large");
    let mut broken = post("{}");
    broken.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    host.ask(broken).await.problem(400, "malformed-body");
}

#[tokio::test]
async fn what_a_newer_page_tells_reaches_snapshot_metrics_and_history() {
    let host = Host::new();
    let mut batch = batch("page-1", 1, vec![sample_at(host.unix_millis(), 1)]);
    let newer = json!({
        "lowFramesPerSecond": 31.5,
        "webVitals": [
            {"name": "LCP", "value": 1_250.0, "rating": "good"},
            {"name": "CLS", "value": 0.25, "rating": "needs-improvement"},
        ],
        "longAnimationFrames": {
            "count": 1, "totalMillis": 80.0, "blockingMillis": 30.0, "maxMillis": 80.0,
            "scripts": [{"source": "https://a.test/app.js", "function": "go", "invoker": "BUTTON.onclick",
                "position": 7, "durationMillis": 60.0, "layoutMillis": 0.0}],
        },
        "errors": {"errors": 2, "rejections": 1, "records": [{"kind": "uncaught", "name": "TypeError", "count": 2,
            "script": "app.js", "line": 3, "column": 9, "message": null, "stack": null}]},
        "metrics": [
            {"name": "cart.items", "unit": "count", "tags": {"shop": "a\"b"}, "kind": "gauge", "value": 3.0},
            {"name": "clicks", "kind": "counter", "value": 5.0},
        ],
        "telemetryCostRatio": 0.002,
    });
    let mut sample = serde_json::to_value(&batch.samples[0]).unwrap();
    sample.as_object_mut().unwrap().extend(newer.as_object().unwrap().clone());
    batch.samples[0] = serde_json::from_value(sample).unwrap();
    assert_eq!(host.post(&batch).await.status, 204);
    host.tick(0.1).await;

    let page = &host.get("/api/v1/snapshot").await.json()["pages"][0];
    assert_eq!(page["errors"], 3);
    assert_eq!(page["sample"]["longAnimationFrames"]["scripts"][0]["invoker"], "BUTTON.onclick");
    let metrics = host.get("/metrics").await.body;
    for line in [
        r#"quillwork_page_errors_total{page="page-1",name="Page page-1"} 3"#,
        r#"quillwork_page_low_frames_per_second{page="page-1",name="Page page-1"} 31.5"#,
        r#"quillwork_page_blocking_seconds{page="page-1",name="Page page-1"} 0.03"#,
        r#"quillwork_page_web_vital_seconds{page="page-1",name="Page page-1",vital="LCP"} 1.25"#,
        r#"quillwork_page_web_vital_score{page="page-1",name="Page page-1",vital="CLS"} 0.25"#,
        r#"quillwork_page_metric{page="page-1",name="Page page-1",metric="cart.items",unit="count",tags="shop=a\"b"} 3"#,
        r#"quillwork_page_metric_per_second{page="page-1",name="Page page-1",metric="clicks",unit="",tags=""} 5"#,
    ] {
        assert!(metrics.contains(line), "{line} is not in {metrics}");
    }
    let catalogue = host.get("/api/v1/series").await.json();
    let has = |name: &str| {
        catalogue["series"]
            .as_array()
            .unwrap()
            .iter()
            .any(|series| series["name"] == name && series["labels"]["source"] == "page-1")
    };
    assert!(has("page.lcp") && has("page.fps_low") && has("page.blocking_millis"));
    assert!(!has("page.gpu_millis"), "nobody measured it");
    assert!(has("page.metric") && has("page.metric_per_second"), "the app's own");

    let mut twice = batch.clone();
    twice.batch_id = "twice".into();
    let again = twice.samples[0].metrics[0].clone();
    twice.samples[0].metrics.push(again);
    let detail = host.post(&twice).await.problem(422, "invalid-content");
    assert!(detail.starts_with("`samples[0].metrics[2]`"), "{detail}");
}
