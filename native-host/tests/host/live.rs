//! Subscriptions: the state once, then what changed; over `/ws` and the event stream.

use std::time::Duration;

use axum::body::BodyDataStream;
use axum::http::{Request, header};
use futures_util::{SinkExt, StreamExt};
use quillwork_host::guard::{Rules, Tokens};
use quillwork_host::limits::Limits;
use quillwork_protocol::host::Process;
use quillwork_protocol::topic::Update;
use serde_json::{Map, Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tower::ServiceExt;

use crate::client::{Client, dashboard, page};
use crate::harness::{
    ADDRESS, Host, PATIENCE, SECRET, Setup, batch, machine_at, sample_at, token, unhurried,
};
use crate::sockets::reader;

/// A state as a subscriber keeps it.
#[derive(Debug, Default)]
struct Kept {
    sequence: u64,
    state: Value,
}

impl Kept {
    /// Takes an update; says whether it was the whole state.
    #[track_caller]
    fn take(&mut self, update: Update<Value>) -> bool {
        match update {
            Update::State { sequence, at_unix_millis, state } => {
                assert!(sequence > 0 && at_unix_millis > 0);
                *self = Self { sequence, state };
                true
            }
            Update::Delta { sequence, base, patch, .. } => {
                assert_eq!(base, self.sequence, "a delta starts where the last update ended");
                assert!(sequence > base);
                self.sequence = sequence;
                merge(&mut self.state, patch);
                false
            }
        }
    }

    /// Takes updates until the machine's processor use is this.
    async fn until_cpu(&mut self, client: &mut Client, cpu: f64) {
        while self.cpu() != Some(cpu) {
            self.take(client.update().await);
        }
    }

    /// As it would be if it had been read from text, which is read less exactly than CBOR.
    fn told(&self) -> Value {
        serde_json::from_str(&self.state.to_string()).unwrap()
    }

    fn cpu(&self) -> Option<f64> {
        self.state["host"]["cpu"]["totalRatio"].as_f64()
    }

    fn fields(&self) -> Vec<&str> {
        self.state.as_object().unwrap().keys().map(String::as_str).collect()
    }
}

/// RFC 7396 section 2.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(changes) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let fields = target.as_object_mut().unwrap();
    for (name, change) in changes {
        if change.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), change);
        }
    }
}

fn subscribing(subscription: Value) -> Value {
    let mut hello = dashboard();
    hello["subscribe"] = subscription;
    hello
}

/// What the last tick says, in the form that subscribers keep it in.
async fn expected(host: &Host, address: &str) -> Value {
    fn without_nulls(value: &mut Value) {
        if let Value::Object(fields) = value {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(without_nulls);
        }
    }
    let mut snapshot: Value = serde_json::from_str(&host.get_at(address, "/api/v1/snapshot").await).unwrap();
    let mut machine = snapshot["host"].take();
    let processes = machine.as_object_mut().unwrap().remove("processes").unwrap();
    let by = |list: &Value, key: fn(&Value) -> String| {
        Value::Object(list.as_array().unwrap().iter().map(|one| (key(one), one.clone())).collect())
    };
    let mut state = json!({
        "host": machine,
        "processes": processes,
        "pages": by(&snapshot["pages"], |page| page["source"]["id"].as_str().unwrap().to_owned()),
        "alerts": by(&snapshot["alerts"], |alert| {
            format!("{}/{}", alert["rule"].as_str().unwrap(), alert["subject"].as_str().unwrap())
        }),
    });
    without_nulls(&mut state);
    state
}

#[tokio::test]
async fn a_subscriber_is_told_the_state_and_then_what_changed() {
    let (host, address) = Host::listen(Setup::default()).await;
    host.tick(0.1).await;
    'encodings: for encoding in ["json", "cbor"] {
        let mut client = Client::connect(&address).await;
        let topics = json!(["host", "pages", "alerts", "processes"]);
        client.hello(subscribing(json!({"topics": topics, "encoding": encoding}))).await;
        let mut kept = Kept::default();
        assert!(kept.take(client.update().await), "first the whole state");

        let id = format!("page-{encoding}");
        let mut sender = Client::connect(&address).await;
        sender.hello(page(&id)).await;
        sender.send_batch(batch(&id, 1, vec![sample_at(host.unix_millis(), 3)])).await;
        sender.acknowledged().await;
        let mut machine = machine_at(host.unix_millis(), Some(0.6));
        machine.processes = vec![Process { name: "a\u{1b}[31m\"\n".into(), ..Process::default() }];
        host.tick_with(machine).await;
        kept.until_cpu(&mut client, 0.6).await;
        assert!(kept.state["pages"][&id]["sample"]["framesPerSecond"].is_number());

        // What is absent again is removed.
        host.tick_with(machine_at(host.unix_millis(), None)).await;
        while kept.cpu().is_some() {
            assert!(!kept.take(client.update().await), "then only what changed");
        }
        // A tick may have come after the one that was waited for.
        for _ in 0..10 {
            if kept.told() == expected(&host, &address).await {
                continue 'encodings;
            }
            kept.take(client.update().await);
        }
        panic!("{:#} is kept, and {:#} is so", kept.told(), expected(&host, &address).await);
    }
}

#[tokio::test]
async fn a_delta_is_smaller_than_the_state() {
    let (host, address) = Host::listen(Setup::default()).await;
    let mut machine = machine_at(host.unix_millis(), Some(0.1));
    machine.processes = vec![Process { name: "x".repeat(10_000), ..Process::default() }; 20];
    host.tick_with(machine.clone()).await;
    let mut client = Client::connect(&address).await;
    client.hello(subscribing(json!({"topics": ["host", "processes", "alerts"]}))).await;
    let whole = client.message().await.len();
    machine.cpu.total_ratio = Some(0.2);
    host.tick_with(machine).await;
    let delta = client.message().await.len();
    assert!(whole > 200_000 && delta < 2_000, "{whole} bytes, then {delta}");
}

#[tokio::test]
async fn only_what_was_asked_for_is_told() {
    let (host, address) = Host::listen(Setup::default()).await;
    host.tick(0.1).await;
    let mut client = Client::connect(&address).await;
    client.hello(subscribing(json!({"topics": ["alerts"]}))).await;
    let mut kept = Kept::default();
    kept.take(client.update().await);
    assert_eq!(kept.fields(), ["alerts"]);
    assert_eq!(kept.state["alerts"]["host-cpu/host"]["rule"], "host-cpu");

    // Another wish replaces the first, and its state comes at once.
    client.send(json!({"type": "subscribe", "topics": ["host", "pages"]}).to_string()).await;
    while !kept.take(client.update().await) {}
    assert_eq!(kept.fields(), ["host", "pages"]);
    assert_eq!(kept.cpu(), Some(0.1));
    assert_eq!(kept.state["host"]["processes"], Value::Null);
}

#[tokio::test]
async fn a_subscriber_hears_the_newest_values_of_series() {
    let (host, address) = Host::listen(Setup::default()).await;
    host.tick(0.1).await;
    let mut client = Client::connect(&address).await;
    let series = json!(["host.cpu.total", "host.cpu.core{core=\"1\"}", "page.fps", "host.no.such"]);
    client.hello(subscribing(json!({"series": series}))).await;
    let mut kept = Kept::default();
    assert!(kept.take(client.update().await));
    assert_eq!(kept.state["series"], json!({"host.cpu.total": 0.1, "host.cpu.core{core=\"1\"}": 0.1}));

    let mut sender = Client::connect(&address).await;
    sender.hello(page("p1")).await;
    sender.send_batch(batch("p1", 1, vec![sample_at(host.unix_millis(), 3)])).await;
    sender.acknowledged().await;
    host.tick(0.2).await;
    while kept.state["series"]["host.cpu.total"] != 0.2 {
        assert!(!kept.take(client.update().await));
    }
    assert_eq!(kept.state["series"]["page.fps{source=\"p1\"}"], 60.0);
    host.tick_with(machine_at(host.unix_millis(), None)).await;
    while kept.state["series"].get("host.cpu.total").is_some() {
        kept.take(client.update().await);
    }
}

#[tokio::test]
async fn a_subscriber_that_comes_back_is_told_what_changed_meanwhile() {
    let (host, address) = Host::listen(Setup::default()).await;
    host.tick(0.1).await;
    let mut client = Client::connect(&address).await;
    let hello = subscribing(json!({"topics": ["host"]}));
    let welcome = client.hello(hello.clone()).await;
    assert!(!welcome.resumed);
    let mut kept = Kept::default();
    kept.take(client.update().await);
    client.0.close(None).await.unwrap();

    host.tick(0.2).await;
    host.tick(0.3).await;
    let mut again = Client::connect(&address).await;
    let mut resuming = hello.clone();
    resuming["resume"] = json!({"instance": welcome.instance, "sequence": kept.sequence});
    assert!(again.hello(resuming.clone()).await.resumed);
    assert!(!kept.take(again.update().await), "a delta from what it has");
    kept.until_cpu(&mut again, 0.3).await;

    let mut other_run = Client::connect(&address).await;
    resuming["resume"]["instance"] = json!("another");
    assert!(!other_run.hello(resuming).await.resumed);
    assert!(kept.take(other_run.update().await));
}

#[tokio::test]
async fn updates_keep_their_distance() {
    let (host, address) = Host::listen(Setup::default()).await;
    host.tick(0.1).await;
    let mut slow = Client::connect(&address).await;
    slow.hello(subscribing(json!({"topics": ["host"], "intervalMillis": 60_000}))).await;
    let mut fast = Client::connect(&address).await;
    fast.hello(subscribing(json!({"topics": ["host"]}))).await;
    let (mut kept_slow, mut kept_fast) = (Kept::default(), Kept::default());
    kept_slow.take(slow.update().await);
    kept_fast.take(fast.update().await);
    for cpu in [0.2, 0.3] {
        host.tick(cpu).await;
        kept_fast.until_cpu(&mut fast, cpu).await;
    }
    // The slow one has been sent nothing: what comes next is the answer to a new wish.
    slow.send(json!({"type": "subscribe", "topics": ["pages"]}).to_string()).await;
    assert!(kept_slow.take(slow.update().await));
    assert_eq!(kept_slow.fields(), ["pages"]);
}

#[tokio::test]
async fn a_wish_that_can_not_be_met_is_told_so() {
    let (_host, address) = Host::listen(Setup::default()).await;
    for (subscription, word) in [
        (json!({}), "needs a topic"),
        (json!({"series": ["a{"]}), "no series"),
        (json!({"topics": ["hosts"]}), "hosts"),
        (json!({"topics": ["host"], "intervalMillis": 5}), "from 1000 to 60000"),
        (json!({"topics": ["host"], "interval": 5}), "interval"),
        (json!({"topics": ["host"], "encoding": "xml"}), "xml"),
    ] {
        let mut first = Client::connect(&address).await;
        first.send(subscribing(subscription.clone()).to_string()).await;
        let mut later = Client::connect(&address).await;
        later.hello(dashboard()).await;
        let mut subscribe = subscription.clone();
        subscribe["type"] = json!("subscribe");
        later.send(subscribe.to_string()).await;
        for client in [&mut first, &mut later] {
            let (code, reason) = client.closed().await;
            assert_eq!(code, 4422, "{subscription}: {reason}");
            assert!(reason.contains(word), "{subscription}: {reason}");
        }
    }
}

/// An event of the stream.
#[derive(Debug, Default)]
struct Event {
    name: String,
    id: String,
    data: Value,
}

/// The events of a stream, which comments are left out of.
struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    async fn open(host: &Host, path: &str, last: &str) -> Self {
        let request = Request::builder()
            .uri(path)
            .header(header::HOST, ADDRESS)
            .header("last-event-id", last)
            .body(axum::body::Body::empty())
            .unwrap();
        let response = host.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.text = rest;
                if event.starts_with(':') {
                    continue;
                }
                let mut parsed = Event::default();
                for line in event.lines() {
                    match line.split_once(": ").unwrap() {
                        ("event", name) => parsed.name = name.to_owned(),
                        ("id", id) => parsed.id = id.to_owned(),
                        ("data", data) => parsed.data = serde_json::from_str(data).unwrap(),
                        other => panic!("unexpected {other:?}"),
                    }
                }
                return Some(parsed);
            }
            let bytes = timeout(PATIENCE, self.body.next()).await.unwrap()?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }
}

#[tokio::test]
async fn the_event_stream_tells_the_same_and_resumes() {
    let host = Host::new();
    host.tick(0.1).await;
    let path = "/api/v1/stream?topic=host&topic=alerts";
    let mut events = Events::open(&host, path, "").await;
    let first = events.next().await.unwrap();
    assert_eq!(first.name, "state");
    let mut kept = Kept::default();
    kept.take(serde_json::from_value(first.data).unwrap());
    assert_eq!(first.id, format!("test-instance:{}", kept.sequence));
    drop(events);

    host.tick(0.2).await;
    let mut events = Events::open(&host, path, &first.id).await;
    while kept.cpu() != Some(0.2) {
        let event = events.next().await.unwrap();
        assert_eq!(event.name, "delta");
        kept.take(serde_json::from_value(event.data).unwrap());
    }
    let mut foreign = Events::open(&host, path, "another:3").await;
    assert_eq!(foreign.next().await.unwrap().name, "state");

    host.stop.stop();
    while events.next().await.is_some() {}
}

#[tokio::test]
async fn a_stream_ends_when_a_token_is_needed_that_it_does_not_show() {
    let host = Host::new();
    host.tick(0.1).await;
    let mut events = Events::open(&host, "/api/v1/stream?topic=host", "").await;
    assert_eq!(events.next().await.unwrap().name, "state");
    host.guard.replace(Rules { tokens: Tokens::single(token()), ..Rules::default() });
    while events.next().await.is_some() {}
}

#[tokio::test]
async fn a_stream_that_can_not_be_is_refused() {
    let host = Host::with(Setup {
        limits: Limits { dashboards: 1, ..unhurried() },
        token: Some(token()),
        ..Setup::default()
    });
    host.get("/api/v1/stream?topic=host").await.problem(401, "unauthorized");
    let asking = |path: &str| {
        let bearer = format!("Bearer {SECRET}");
        let request = Request::builder().uri(path).header(header::HOST, ADDRESS);
        request.header(header::AUTHORIZATION, bearer).body(axum::body::Body::empty()).unwrap()
    };
    host.ask(asking("/api/v1/stream")).await.problem(400, "bad-query");
    let open = host.router.clone().oneshot(asking("/api/v1/stream?topic=host")).await.unwrap();
    assert_eq!(open.status(), 200);
    host.ask(asking("/api/v1/stream?topic=host")).await.problem(503, "busy");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_nobody_reads_is_dropped_and_others_go_on() {
    let limits = Limits { send_timeout: Duration::from_secs(1), ..unhurried() };
    let (host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let mut stalled = TcpStream::connect(&address).await.unwrap();
    let ask = format!(
        "GET /api/v1/stream?topic=processes HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    );
    stalled.write_all(ask.as_bytes()).await.unwrap();
    let mut reading = reader(&address).await;
    let mut kept = Kept::default();
    let until_dropped = async {
        let mut n = 0_u32;
        while !host.get_at(&address, "/metrics").await.contains("\nquillwork_slow_clients_dropped_total 1\n")
        {
            n += 1;
            let cpu = if n.is_multiple_of(2) { 0.25 } else { 0.5 };
            let mut machine = machine_at(host.unix_millis(), Some(cpu));
            machine.processes = vec![Process { name: format!("{n:010000}"), ..Process::default() }; 20];
            host.tick_with(machine).await;
            kept.until_cpu(&mut reading, cpu).await;
        }
    };
    timeout(PATIENCE * 2, until_dropped).await.expect("who doesn't read is dropped, and nobody else");
    let mut rest = Vec::new();
    timeout(PATIENCE * 2, stalled.read_to_end(&mut rest)).await.unwrap().ok();
    reading.0.send(Message::Ping(axum::body::Bytes::new())).await.unwrap();
    assert!(matches!(timeout(PATIENCE, reading.0.next()).await, Ok(Some(Ok(_)))));
}
