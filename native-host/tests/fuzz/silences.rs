//! What people send about alerts.

use axum::http::{HeaderValue, header};
use quillwork_host::clock::unix_millis;

use crate::harness::request;
use crate::runner::{Outcome, Shape, Target, fuzz};
use crate::served::Served;

/// What is taken is listed as it was given. What is refused leaves the list as it was.
fn check(served: &mut Served, input: &[u8]) -> Outcome {
    // Instants are told on the wall clock, which may have gone on otherwise than the host's own.
    let listed = |served: &Served| {
        let mut listed = served.json("/api/v1/silences");
        for silence in listed.as_array_mut().unwrap() {
            silence.as_object_mut().unwrap().retain(|field, _| !field.ends_with("UnixMillis"));
        }
        listed
    };
    let before = listed(served);
    let mut asking = request("POST", "/api/v1/silences");
    asking.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    *asking.body_mut() = input.to_vec().into();
    let answered = served.ask(asking);
    let after = listed(served);
    match answered.status.as_u16() {
        201 => {
            let made: serde_json::Value = serde_json::from_slice(&answered.body).unwrap();
            let listed = after.as_array().unwrap().iter().find(|listed| listed["id"] == made["id"]).unwrap();
            assert_eq!((&listed["author"], &listed["matchers"]), (&made["author"], &made["matchers"]));
            let given: serde_json::Value = serde_json::from_slice(input).unwrap();
            assert_eq!(made["author"], given["author"]);
            Outcome::Taken
        }
        400 | 413 | 415 | 422 | 503 => {
            assert_eq!(after, before);
            Outcome::Refused
        }
        other => panic!("{other}"),
    }
}

#[test]
fn silences() {
    let ends = unix_millis() + 86_400_000;
    let seed = serde_json::json!({
        "matchers": [{"label": "alertname", "kind": "is", "value": "host-cpu"}],
        "endsUnixMillis": ends, "author": "ada", "comment": "a new disk"
    });
    let target = Target {
        name: "silences",
        seeds: vec![seed.to_string().into_bytes()],
        words: &["\"matchers\"", "\"isNot\"", "\"like\"", "\"startsUnixMillis\":", "\"*\""],
        shape: Shape::Json,
        longest: 128 << 10,
        memory: (16 << 20, 128),
    };
    fuzz(&target, Served::new, check);
}
