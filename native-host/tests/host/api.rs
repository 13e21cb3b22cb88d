//! The API: answers, and refusals that say what to do.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, header};
use quillwork_core::time::Duration as Span;
use quillwork_host::clock::Now;
use quillwork_host::limits::Limits;
use quillwork_host::state::State;
use quillwork_protocol::snapshot::Snapshot;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::harness::{ADDRESS, Host, PATIENCE, Setup, post, request, unhurried};

#[tokio::test]
async fn the_snapshot_is_the_last_tick() {
    let host = Host::new();
    assert_eq!(
        host.get("/readyz").await.problem(503, "busy"),
        "nothing has been measured yet; ask again in a second"
    );
    assert_eq!(host.get("/healthz").await.body, "alive\n");

    host.tick(0.25).await;
    assert_eq!(host.get("/readyz").await.body, "ready\n");
    let answer = host.get("/api/v1/snapshot").await;
    assert_eq!(answer.header("content-type"), "application/json");
    let snapshot: Snapshot = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((snapshot.version, snapshot.instance.as_str()), (1, "test-instance"));
    assert!(snapshot.sequence >= 1);
    assert_eq!(snapshot.host.unwrap().cpu.total_ratio, Some(0.25));
}

/// A host whose sampler is late ticks all the same.
#[tokio::test]
async fn a_host_that_has_ticked_and_measured_nothing_is_not_ready() {
    let before = |state: &mut State, now: Now| {
        state.handle_deadline(Now { monotonic: now.monotonic + Span::from_secs(10), ..now });
    };
    let host = Host::with(Setup { before, ..Setup::default() });
    assert_eq!(host.get("/api/v1/snapshot").await.json()["sequence"], 1);
    host.get("/readyz").await.problem(503, "busy");
}

#[tokio::test]
async fn an_unknown_path_names_where_the_api_is_listed() {
    let host = Host::new();
    for path in ["/api/v1", "/api/v1/", "/api/v1/snapshots", "/api/v2/snapshot"] {
        let detail = host.get(path).await.problem(404, "not-found");
        assert!(detail.contains(path) && detail.contains("/api/v1/openapi.json"), "{detail}");
    }
    let detail = host.get("/no-such-file.js").await.problem(404, "not-found");
    assert!(detail.contains("/no-such-file.js"), "{detail}");
}

#[tokio::test]
async fn a_wrong_method_is_told_the_right_ones() {
    let host = Host::new();
    for (method, path, allowed) in [
        ("DELETE", "/api/v1/snapshot", "GET,HEAD"),
        ("POST", "/api/v1/series", "GET,HEAD"),
        ("GET", "/api/v1/ingest", "POST"),
        ("PUT", "/metrics", "GET,HEAD"),
        ("POST", "/healthz", "GET,HEAD"),
        ("POST", "/api/v1/openapi.json", "GET,HEAD"),
        ("POST", "/ws", "GET,HEAD"),
    ] {
        let answer = host.ask(request(method, path)).await;
        answer.problem(405, "method-not-allowed");
        assert_eq!(answer.header("allow"), allowed, "{method} {path}");
    }
}

#[tokio::test]
async fn a_body_that_is_no_batch_is_refused_with_its_place() {
    let host = Host::new();
    for (body, word) in [
        ("", "EOF"),
        ("{", "EOF"),
        ("{\"version\":1,}", "column 14"),
        ("[]", "line 1"),
        ("{\"version\":1}", "`source`"),
        ("\u{0}", "line 1"),
    ] {
        let detail = host.ask(post(body)).await.problem(400, "malformed-body");
        assert!(detail.contains(word), "{body:?}: {detail}");
    }
    let not_text = host.ask(post(vec![0xff_u8, 0xfe])).await;
    not_text.problem(400, "malformed-body");
}

#[tokio::test]
async fn an_oversized_body_is_refused_with_the_limit() {
    let host = Host::new();
    let detail = host.ask(post(vec![b' '; (1 << 20) + 1])).await.problem(413, "body-too-large");
    assert!(detail.contains("1048576"), "{detail}");

    // One that does not tell its length beforehand.
    let (sender, receiver) = mpsc::channel(4);
    let sending = tokio::spawn(async move {
        while sender.send(Ok::<_, std::io::Error>(vec![b' '; 64 << 10])).await.is_ok() {}
    });
    let endless = post(Body::from_stream(ReceiverStream::new(receiver)));
    host.ask(endless).await.problem(413, "body-too-large");
    sending.await.unwrap();
}

#[tokio::test]
async fn a_body_of_another_type_is_refused() {
    let host = Host::new();
    for (name, value) in
        [("content-type", "application/xml"), ("content-type", ""), ("content-encoding", "br")]
    {
        let mut request = post("{}");
        request.headers_mut().insert(name, value.parse().unwrap());
        host.ask(request).await.problem(415, "unsupported-media-type");
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let limits = Limits { request_timeout: Duration::from_secs(10), ..unhurried() };
    let host = Host::with(Setup { limits, ..Setup::default() });
    let (sender, receiver) = mpsc::channel::<Result<Vec<u8>, std::io::Error>>(1);
    let endless = post(Body::from_stream(ReceiverStream::new(receiver)));
    let detail = host.ask(endless).await.problem(408, "request-timeout");
    assert!(detail.contains("10 s"), "{detail}");
    drop(sender);
}

#[tokio::test]
async fn every_answer_protects_the_pages() {
    let host = Host::with(Setup::default());
    for path in ["/", "/healthz", "/api/v1/snapshot", "/api/v1/nothing", "/story/", "/metrics"] {
        let answer = host.get(path).await;
        for (name, value) in [
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-embedder-policy", "require-corp"),
            ("cross-origin-resource-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("script-src 'self' 'wasm-unsafe-eval'"), "{path}: {policy}");
        assert!(!policy.contains("'unsafe-eval'"), "{path}: {policy}");
    }
}

#[tokio::test]
async fn long_answers_are_compressed_for_who_takes_it() {
    let host = Host::new();
    let request = Request::builder()
        .uri("/api/v1/openapi.json")
        .header(header::HOST, ADDRESS)
        .header(header::ACCEPT_ENCODING, "gzip")
        .body(Body::empty())
        .unwrap();
    let response = tower::ServiceExt::oneshot(host.router.clone(), request).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
}

#[tokio::test]
async fn the_description_lists_every_endpoint_and_every_refusal() {
    let host = Host::new();
    let document = host.get("/api/v1/openapi.json").await.json();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let paths = document["paths"].as_object().unwrap();
    let names: Vec<_> = paths.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "/api/v1/alerts",
            "/api/v1/alerts/deliveries",
            "/api/v1/alerts/history",
            "/api/v1/alerts/{fingerprint}/acknowledgement",
            "/api/v1/annotations",
            "/api/v1/annotations/{id}",
            "/api/v1/config",
            "/api/v1/export",
            "/api/v1/ingest",
            "/api/v1/insights",
            "/api/v1/processes",
            "/api/v1/query",
            "/api/v1/replication",
            "/api/v1/replication/claim",
            "/api/v1/replication/files/{name}",
            "/api/v1/replication/promotion",
            "/api/v1/replication/state",
            "/api/v1/reports",
            "/api/v1/reports/schedule",
            "/api/v1/rules",
            "/api/v1/series",
            "/api/v1/silences",
            "/api/v1/silences/{id}",
            "/api/v1/slos",
            "/api/v1/snapshot",
            "/api/v1/sources",
            "/api/v1/stream",
            "/api/v1/version",
            "/healthz",
            "/metrics",
            "/readyz",
            "/v1/metrics",
        ]
    );
    for (path, operations) in paths {
        for (method, operation) in operations.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            assert!(responses.keys().any(|status| status.starts_with('2')), "{method} {path}");
            for (status, response) in responses.iter().filter(|(status, _)| status.starts_with(['4', '5'])) {
                let content = response["content"].as_object().unwrap();
                let schema = &content["application/problem+json"]["schema"]["$ref"];
                assert_eq!(*schema, "#/components/schemas/Problem", "{method} {path} {status}");
                assert_eq!(content.len(), 1, "{method} {path} {status}");
            }
        }
    }
    for schema in ["Snapshot", "PageBatch", "SeriesAnswer", "SeriesCatalogue", "Problem"] {
        assert!(document["components"]["schemas"][schema].is_object(), "{schema}");
    }
}

#[tokio::test]
async fn when_the_driver_has_ended_it_is_noticed_and_said() {
    let host = Host::new();
    let ended = host.driver.clone();
    let ended = tokio::spawn(async move { ended.ended().await });
    host.tick(0.5).await;
    assert!(!ended.is_finished());
    host.driver.stop().await;
    tokio::time::timeout(PATIENCE, ended).await.unwrap().unwrap();
    host.get("/api/v1/series").await.problem(503, "busy");
}

fn checked_in() -> std::path::PathBuf {
    std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json")
}

async fn description() -> String {
    let document = Host::new().get("/api/v1/openapi.json").await.json();
    serde_json::to_string_pretty(&document).unwrap() + "\n"
}

#[tokio::test]
async fn the_description_is_the_one_that_is_checked_in() {
    let same = std::fs::read_to_string(checked_in()).unwrap() == description().await;
    assert!(same, "the API has changed: run `cargo test -p quillwork --test host renew -- --ignored`");
}

#[tokio::test]
#[ignore = "writes the description that is checked in"]
async fn renew_the_description() {
    std::fs::write(checked_in(), description().await).unwrap();
}
