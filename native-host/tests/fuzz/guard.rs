//! Who may ask: the Host, Origin and Authorization headers.

use std::net::{IpAddr, SocketAddr};

use axum::body::Body;
use axum::http::{HeaderValue, Request, header};

use crate::harness::{ADDRESS, SECRET, Setup, token};
use crate::runner::{Outcome, Shape, Target, fuzz};
use crate::served::Served;

const ORIGIN: &str = "http://studio.example:8080";

/// Whether a browser or a program that means this host would write it so.
fn is_ours(authority: &str) -> bool {
    let port = ADDRESS.rsplit(':').next().unwrap();
    let plain_loopback = |ip: IpAddr| matches!(ip.to_string().as_str(), "127.0.0.1" | "::1");
    authority.eq_ignore_ascii_case(&format!("localhost:{port}"))
        || authority.eq_ignore_ascii_case("studio.example:8080")
        || authority
            .parse()
            .is_ok_and(|at: SocketAddr| plain_loopback(at.ip()) && at.port().to_string() == port)
}

/// Nobody is told anything but under our name, from our pages, with the token.
fn check(served: &mut Served, input: &[u8]) -> Outcome {
    let mut lines = input.split(|byte| *byte == b'\n');
    let mut asking = Request::builder().uri("/api/v1/sources").body(Body::empty()).unwrap();
    let mut given = [header::HOST, header::ORIGIN, header::AUTHORIZATION].map(|name| {
        let value = lines
            .next()
            .filter(|value| !value.is_empty())
            .and_then(|value| HeaderValue::from_bytes(value).ok());
        if let Some(value) = &value {
            asking.headers_mut().insert(name, value.clone());
        }
        value
    });
    let answered = served.ask(asking);
    match answered.status.as_u16() {
        200 => {
            let text = |value: &mut Option<HeaderValue>| {
                value.take().map(|value| value.to_str().unwrap().to_owned())
            };
            let [host, origin, authorization] = given.each_mut().map(text);
            assert!(host.as_deref().is_some_and(is_ours), "{host:?}");
            let is_known = |origin: &str| {
                origin.eq_ignore_ascii_case(ORIGIN) || origin.strip_prefix("http://").is_some_and(is_ours)
            };
            assert!(origin.as_deref().is_none_or(is_known), "{origin:?}");
            let bearer = authorization.as_deref().and_then(|value| value.split_once(' '));
            let shown = bearer
                .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
                .map(|(_, shown)| shown.trim());
            assert_eq!(shown, Some(SECRET));
            Outcome::Taken
        }
        400 | 401 | 403 => {
            let body = String::from_utf8(answered.body).unwrap();
            let is_quoted = [&given[0], &given[1]]
                .into_iter()
                .flatten()
                .any(|value| value.as_bytes().windows(SECRET.len()).any(|part| part == SECRET.as_bytes()));
            assert!(is_quoted || !body.contains(SECRET), "{body}");
            Outcome::Refused
        }
        other => panic!("{other}"),
    }
}

#[test]
fn headers() {
    let seeds = [
        format!("{ADDRESS}\n\nBearer {SECRET}"),
        format!("localhost:9470\nhttp://localhost:9470\nBearer {SECRET}"),
        format!("[::1]:9470\n{ORIGIN}\nbearer {SECRET}"),
    ];
    let target = Target {
        name: "headers",
        seeds: seeds.iter().map(|seed| seed.as_bytes().to_vec()).collect(),
        words: &[
            "null",
            "http://",
            "https://",
            "evil.example",
            "@",
            ":9470",
            ":09470",
            ".",
            "localhost",
            "127.1",
            "127.0.0.2",
            "0x7f.1",
            "[::ffff:127.0.0.1]",
            "[0:0:0:0:0:0:0:1]",
            "[::1%25lo]",
            "Basic ",
            "Bearer ",
            ",",
            " ",
            "\t",
        ],
        shape: Shape::Bytes,
        longest: 8 << 10,
        memory: (4 << 20, 64),
    };
    let setup = || Setup { token: Some(token()), origins: vec![ORIGIN], ..Setup::default() };
    fuzz(&target, || Served::with(setup), check);
}
