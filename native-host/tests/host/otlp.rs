//! OpenTelemetry metrics in, as a collector or a program's exporter sends them.

use std::io::Write as _;

use axum::body::Body;
use axum::http::{Request, header};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{ADDRESS, Answer, Host, PATIENCE, SECRET, Setup, token};

fn send(media_type: &str, body: impl Into<Body>) -> Request<Body> {
    Request::builder()
        .method("POST")
        .uri("/v1/metrics")
        .header(header::HOST, ADDRESS)
        .header(header::CONTENT_TYPE, media_type)
        .body(body.into())
        .unwrap()
}

async fn send_json(host: &Host, request: &Value) -> Answer {
    host.ask(send("application/json", request.to_string())).await
}

fn of_shop(metrics: &Value) -> Value {
    json!({"resourceMetrics": [{
        "resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "shop"}},
            {"key": "service.instance.id", "value": {"stringValue": "a1"}}
        ]},
        "scopeMetrics": [{"scope": {"name": "lib"}, "metrics": metrics}]
    }]})
}

fn nanos(unix_millis: u64) -> String {
    (unix_millis * 1_000_000).to_string()
}

/// The newest value of a series.
async fn newest(host: &Host, series: &str) -> f64 {
    let mut path = String::from("/api/v1/series?name=");
    for byte in series.bytes() {
        path.push_str(&format!("%{byte:02x}"));
    }
    let to = host.unix_millis() + 2_000;
    let answer = host.get(&format!("{path}&from={}&to={to}", to - 60_000)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let values = answer.json()["series"][0]["values"].as_array().unwrap().clone();
    values.iter().rev().find_map(Value::as_f64).unwrap()
}

#[tokio::test]
async fn what_a_program_sends_becomes_series_of_its_own() {
    let host = Host::new();
    let at_millis = host.unix_millis();
    let at = nanos(at_millis);
    let histogram = |counts: [u64; 3]| {
        json!({"name": "http.server.request.duration", "unit": "s", "histogram": {
            "aggregationTemporality": 2,
            "dataPoints": [{
                "startTimeUnixNano": "1", "timeUnixNano": at, "count": counts.iter().sum::<u64>().to_string(), "sum": 1.5,
                "bucketCounts": counts.map(|count| count.to_string()), "explicitBounds": [0.1, 0.4]
            }]
        }})
    };
    let request = of_shop(&json!([
        {"name": "queue.depth", "unit": "{item}", "gauge": {"dataPoints": [{"timeUnixNano": at, "asInt": "7"}]}},
        {"name": "orders", "sum": {"aggregationTemporality": 2, "isMonotonic": true, "dataPoints": [
            {"timeUnixNano": at, "asDouble": 41.0}
        ]}},
        histogram([5, 0, 0]),
    ]));
    let answer = send_json(&host, &request).await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({})));
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(send_json(&host, &of_shop(&json!([histogram([5, 100, 0])]))).await.status, 200);

    let source = "source=\"otlp/shop/a1\"";
    assert!((newest(&host, &format!("queue.depth{{{source}}}")).await - 7.0).abs() < 1e-9);
    assert!((newest(&host, &format!("orders{{{source}}}")).await - 41.0).abs() < 1e-9);
    let duration = "http.server.request.duration";
    assert!((newest(&host, &format!("{duration}.count{{{source}}}")).await - 105.0).abs() < 1e-9);
    // What came twice in a second is one sketch: a hundred of the second point, a hundred of the third, which lie higher.
    assert_eq!(send_json(&host, &of_shop(&json!([histogram([5, 100, 100])]))).await.status, 200);
    let quantile = async |function: &str| {
        let (from, to) = (at_millis / 1_000 * 1_000, host.unix_millis() + 2_000);
        let path =
            format!("/api/v1/query?select={duration}&function={function}&step=1000&from={from}&to={to}");
        let answer = host.get(&path).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        let values = answer.json()["lines"][0]["values"].as_array().unwrap().clone();
        values.iter().rev().find_map(Value::as_f64).unwrap()
    };
    let (p40, p95) = (quantile("p40").await, quantile("p95").await);
    assert!((p40 - 200.0).abs() < 4.0, "the middle of 0.1 s and 0.4 s, in milliseconds: {p40}");
    assert!((p95 - 400.0).abs() < 8.0, "what lies above 0.4 s: {p95}");
    assert!((quantile("count").await - 200.0).abs() < 1e-9);

    let catalogue = host.get("/api/v1/series").await.json();
    let kind_of = |name: &str| {
        let series =
            catalogue["series"].as_array().unwrap().iter().find(|series| series["name"] == name).unwrap();
        (series["kind"].clone(), series["unit"].clone())
    };
    assert_eq!(kind_of("orders"), (json!("counter"), json!("count")));
    assert_eq!(kind_of(duration), (json!("sketch"), json!("millis")));
    assert_eq!(kind_of("queue.depth"), (json!("gauge"), json!("count")));
    let sources = host.get("/api/v1/sources").await.json();
    let program = &sources["sources"][1];
    assert_eq!((&program["id"], &program["kind"]), (&json!("otlp/shop/a1"), &json!("program")));
    assert_eq!(program["lastHeardUnixMillis"], host.unix_millis());
}

#[tokio::test]
async fn what_can_not_be_kept_is_said_and_the_rest_is_kept() {
    let host = Host::new();
    let request = of_shop(&json!([
        {"name": "host.cpu.total", "gauge": {"dataPoints": [{"asInt": 1}, {"asInt": 2}]}},
        {"name": "fine", "gauge": {"dataPoints": [{"asInt": 3}]}},
    ]));
    let answer = send_json(&host, &request).await;
    assert_eq!(answer.status, 200);
    let partial = &answer.json()["partialSuccess"];
    assert_eq!(partial["rejectedDataPoints"], "2");
    assert!(partial["errorMessage"].as_str().unwrap().contains("host.cpu.total"), "{partial}");
    assert!((newest(&host, "fine{source=\"otlp/shop/a1\"}").await - 3.0).abs() < 1e-9);
    assert_eq!(send_json(&host, &json!({})).await.json(), json!({}), "an empty request is a good one");
}

#[tokio::test]
async fn protobuf_is_answered_in_protobuf_and_may_be_compressed() {
    let host = Host::new();
    // resource_metrics { scope_metrics { metrics { name: "a" gauge { data_points { as_int: 5 } } } } }
    let point = [&[0x31][..], &5_i64.to_le_bytes()].concat();
    let field =
        |tag: u8, content: &[u8]| [&[tag << 3 | 2, u8::try_from(content.len()).unwrap()], content].concat();
    let metric = [field(1, b"a"), field(5, &field(1, &point))].concat();
    let request = field(1, &field(2, &field(2, &metric)));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&request).unwrap();
    let mut asking = send("application/x-protobuf", encoder.finish().unwrap());
    asking.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
    let answer = host.ask(asking).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (200, ""));
    assert_eq!(answer.header("content-type"), "application/x-protobuf");
    assert!((newest(&host, "a{source=\"otlp/unknown_service\"}").await - 5.0).abs() < 1e-9);

    let broken = host.ask(send("application/x-protobuf", vec![0xff; 40])).await;
    assert_eq!((broken.status.as_u16(), broken.header("content-type")), (400, "application/x-protobuf"));
    assert!(
        broken.body.starts_with("\u{8}\u{3}\u{12}"),
        "a google.rpc.Status with code 3: {:?}",
        broken.body
    );
    assert!(broken.body.contains("ExportMetricsServiceRequest"));
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let host = Host::with(Setup { token: Some(token()), ..Setup::default() });
    send_json(&host, &json!({})).await.problem(401, "unauthorized");
    let bearing = |mut request: Request<Body>| {
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {SECRET}").parse().unwrap());
        request
    };
    host.ask(bearing(send("text/plain", "{}"))).await.problem(415, "unsupported-media-type");
    host.ask(bearing(send("application/json", "[1]"))).await.problem(400, "malformed-body");
    host.ask(bearing(send("application/json", vec![b' '; (1 << 20) + 1])))
        .await
        .problem(413, "body-too-large");
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 64 << 20]).unwrap();
    let mut asking = bearing(send("application/json", bomb.finish().unwrap()));
    asking.headers_mut().insert(header::CONTENT_ENCODING, "gzip".parse().unwrap());
    host.ask(asking).await.problem(413, "body-too-large");
}

#[tokio::test]
async fn a_program_that_floods_is_told_to_wait() {
    let host = Host::new();
    let points = vec![json!({"asInt": 1}); 9_000];
    let flood = of_shop(&json!([{"name": "a", "gauge": {"dataPoints": points}}]));
    let until_refused = async {
        loop {
            let answer = send_json(&host, &flood).await;
            if answer.status != 200 {
                return answer;
            }
        }
    };
    let refused = timeout(PATIENCE, until_refused).await.expect("a flood is refused");
    refused.problem(429, "too-many-requests");
    assert!(refused.header("retry-after").parse::<u64>().unwrap() > 0);
    let other = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": [
        {"name": "a", "gauge": {"dataPoints": [{"asInt": 1}]}}
    ]}]}]});
    assert_eq!(send_json(&host, &other).await.status, 200, "others go on");
}
