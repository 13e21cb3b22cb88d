//! Addresses: paths, parameters and selectors of everything that is asked by GET.

use axum::body::Body;
use axum::http::{Request, header};
use quillwork_host::clock::unix_millis;

use crate::harness::{ADDRESS, batch, sample_at};
use crate::runner::{Outcome, Shape, Target, fuzz};
use crate::served::Served;

const SEEDS: [&str; 14] = [
    "/api/v1/query?select=host.cpu.core&function=p99.9&group=core&join=max&top=3&shape=spikes",
    "/api/v1/query?select={source=~\"p.*\",metric!=\"a\"}&from=0&step=1000&max_points=11000",
    "/api/v1/query?select=page.fps&function=p50&group=",
    "/api/v1/export?select=host.cpu.total&format=csv",
    "/api/v1/export?select={__name__=~\".*\"}&format=prometheus&from=1&to=99999999999999",
    "/api/v1/series?name=host.cpu.core{core=\"1\"}&name=page.fps{source=\"p1\"}&max_points=10",
    "/api/v1/series",
    "/api/v1/stream?topic=host&topic=alerts&series=host.cpu.core{core=\"0\"}&interval=2000",
    "/api/v1/processes?sort=memory&limit=3",
    "/api/v1/alerts?firing=true",
    "/api/v1/alerts/history?limit=10",
    "/api/v1/sources?limit=1",
    "/api/v1/slos",
    "/metrics",
];

/// A host that has something to tell.
fn telling() -> Served {
    let served = Served::new();
    served.run(async {
        for cpu in [0.25, 0.5, 0.75] {
            served.host.tick(cpu).await;
        }
        let now = unix_millis();
        let batch = batch("p1", 1, vec![sample_at(now - 2_000, 3), sample_at(now - 1_000, 5)]);
        assert_eq!(served.host.post(&batch).await.status, 204);
    });
    served
}

/// As a browser writes it into a request: what can't stand there is escaped.
fn address(input: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/?&=%.,_-+~!*'():;@".contains(&byte);
    let written = |byte: &u8| {
        if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }
    };
    input.iter().map(written).collect()
}

/// Every question has an answer of bounded length, or is refused for what it says.
fn check(served: &mut Served, input: &[u8]) -> Outcome {
    if !input.starts_with(b"/") {
        return Outcome::Refused;
    }
    let asking = Request::builder().uri(address(input)).header(header::HOST, ADDRESS).body(Body::empty());
    // What can't be an address never reaches the host.
    let Ok(asking) = asking else { return Outcome::Refused };
    let is_asked = asking.uri().path().starts_with("/api/v1/");
    let answered = served.ask(asking);
    assert!(answered.body.len() < 16 << 20, "{} bytes", answered.body.len());
    match answered.status.as_u16() {
        200..=299 => Outcome::Taken,
        300..=399 => Outcome::Refused,
        400 | 404 | 405 | 406 | 503 => {
            assert!(
                !is_asked || answered.media_type == "application/problem+json",
                "{}",
                answered.media_type
            );
            Outcome::Refused
        }
        other => panic!("{other}: {}", String::from_utf8_lossy(&answered.body)),
    }
}

#[test]
fn queries() {
    let target = Target {
        name: "queries",
        seeds: SEEDS.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        words: &[
            "select=",
            "&from=",
            "&to=",
            "&step=",
            "&max_points=",
            "&function=",
            "p99",
            "&group=",
            "&join=count",
            "&top=",
            "&shape=spikes",
            "&format=json",
            "=~",
            "!~",
            "(a|b)*",
            "[^x]{9,99}",
            "\\",
            "host.cpu.core",
            "../",
            "/api/v1/",
            "&limit=",
            "&cursor=",
        ],
        shape: Shape::Bytes,
        longest: 16 << 10,
        memory: (48 << 20, 1_024),
    };
    fuzz(&target, telling, check);
}
