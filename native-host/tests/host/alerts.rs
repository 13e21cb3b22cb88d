//! Alerts over the API, and over restarts.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use quillwork_core::alert::default_rules;
use quillwork_core::alert::notify::{Heartbeat, Route, Settings};
use quillwork_core::time::Duration as Span;
use quillwork_host::rules::RuleSet;
use quillwork_host::state::{Medium, State};
use quillwork_protocol::alert::AlertState;
use quillwork_protocol::host::Process;
use quillwork_store::history::HistoryOptions;
use serde_json::{Value, json};

use crate::harness::{ADDRESS, Host, batch, machine_at, sample_at};
use crate::world::{START_MILLIS, World, now};

fn send(method: &str, path: &str, body: &Value) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, ADDRESS)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

#[tokio::test]
async fn rules_alerts_and_objectives_are_listed() {
    let host = Host::new();
    host.tick(0.2).await;
    let rules = host.get("/api/v1/rules").await.json();
    let cpu = rules.as_array().unwrap().iter().find(|rule| rule["name"] == "host-cpu").unwrap();
    assert_eq!((&cpu["warning"]["threshold"], &cpu["critical"]["threshold"]), (&json!(0.7), &json!(0.8)));
    let alerts = host.get("/api/v1/alerts").await.json();
    let cpu = alerts.as_array().unwrap().iter().find(|alert| alert["rule"] == "host-cpu").unwrap();
    assert_eq!((&cpu["state"], &cpu["subject"]), (&json!("ok"), &json!("host")));
    assert_eq!(host.get("/api/v1/alerts?firing=true").await.json(), json!([]));
    assert_eq!(host.get("/api/v1/alerts/history").await.json(), json!([]));
    assert_eq!(host.get("/api/v1/alerts/deliveries?limit=5").await.json(), json!([]));
    let at = host.unix_millis();
    host.post(&batch("p1", 1, vec![sample_at(at, 100)])).await;
    host.tick(0.2).await;
    let slos = host.get("/api/v1/slos").await.json();
    let errors = slos.as_array().unwrap().iter().find(|slo| slo["rule"] == "objective-errors").unwrap();
    assert_eq!((&errors["events"], &errors["badEvents"]), (&json!(100), &json!(0)));
    for wrong in ["/api/v1/alerts?firing=maybe", "/api/v1/alerts?x=1", "/api/v1/alerts/history?limit=0"] {
        host.get(wrong).await.problem(400, "bad-query");
    }
}

#[tokio::test]
async fn a_silence_is_made_listed_and_expired() {
    let host = Host::new();
    let later = host.unix_millis() + 60_000;
    let new = json!({
        "matchers": [{ "label": "alertname", "kind": "like", "value": "host-*" }],
        "endsUnixMillis": later, "author": "kim", "comment": "load test"
    });
    let made = host.ask(send("POST", "/api/v1/silences", &new)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.json()["id"].as_u64().unwrap();
    let listed = host.get("/api/v1/silences").await.json();
    assert_eq!((&listed[0]["id"], &listed[0]["active"]), (&json!(id), &json!(true)));
    assert_eq!(host.ask(send("DELETE", &format!("/api/v1/silences/{id}"), &json!({}))).await.status, 204);
    let again = host.ask(send("DELETE", &format!("/api/v1/silences/{id}"), &json!({}))).await;
    again.problem(404, "not-found");
    assert_eq!(host.get("/api/v1/silences").await.json()[0]["active"], json!(false));

    let mut wrong = new.clone();
    wrong["matchers"] = json!([]);
    let detail = host.ask(send("POST", "/api/v1/silences", &wrong)).await.problem(422, "invalid-content");
    assert!(detail.contains("at least one matcher"), "{detail}");
    let mut wrong = new;
    wrong["endsUnixMillis"] = json!(1);
    host.ask(send("POST", "/api/v1/silences", &wrong)).await.problem(422, "invalid-content");
    host.ask(send("POST", "/api/v1/silences", &json!({ "x": 1 }))).await.problem(400, "malformed-body");
}

#[tokio::test]
async fn only_what_fires_can_be_acknowledged() {
    let host = Host::new();
    let by = json!({ "author": "kim" });
    for fingerprint in ["0123456789abcdef", "nonsense", "%2e%2e"] {
        let path = format!("/api/v1/alerts/{fingerprint}/acknowledgement");
        host.ask(send("PUT", &path, &by)).await.problem(404, "not-found");
        host.ask(send("DELETE", &path, &json!({}))).await.problem(404, "not-found");
    }
}

/// A host with its data in a directory, which tells `ops` of everything at once.
fn open(directory: &std::path::Path, millis: u64) -> State {
    let medium = Medium::directory(directory).unwrap();
    let mut state = State::new(now(millis), "run".to_owned(), medium, HistoryOptions::default()).unwrap();
    let route = Route { group_wait: Span::ZERO, ..Route::new("ops") };
    let settings = Settings { routes: vec![route], ..Settings::default() };
    state.begin_alerts(now(millis), RuleSet { rules: default_rules(), settings });
    state
}

fn busy(state: &mut State, millis: u64, process: &str) {
    let cpu_of_core_ratio = Some(3.0);
    let process = Process { pid: 7, name: process.to_owned(), cpu_of_core_ratio, ..Process::default() };
    busy_with(state, millis, vec![process]);
}

fn busy_with(state: &mut State, millis: u64, processes: Vec<Process>) {
    let mut machine = machine_at(START_MILLIS + millis, Some(0.75));
    machine.processes = processes;
    state.handle_host(now(millis), Arc::new(machine));
    while state.poll_output().is_some() {}
}

fn cpu(state: &State) -> quillwork_protocol::alert::AlertStatus {
    let tick = state.tick();
    tick.snapshot.alerts.iter().find(|alert| alert.rule == "host-cpu").unwrap().clone()
}

#[test]
fn alerts_outlive_a_host_that_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = open(directory.path(), 0);
    for second in 1..=30 {
        busy(&mut state, second * 1_000, "rustc");
    }
    let before = cpu(&state);
    assert_eq!(before.state, AlertState::Warning);
    assert_eq!(before.culprit.as_deref(), Some("process rustc (7), 3 cores"));
    let letter = state.poll_letter(now(30_000)).unwrap();
    assert_eq!(letter.receiver, "ops");
    // Nobody says that it arrived, and nobody flushes: the process is gone.
    drop(state);

    let mut state = open(directory.path(), 90_000);
    busy(&mut state, 91_000, "another");
    let after = cpu(&state);
    assert_eq!((after.state, &after.fingerprint), (AlertState::Warning, &before.fingerprint));
    assert_eq!(after.firing_since_unix_millis, before.firing_since_unix_millis, "it is the same alert");
    assert_eq!(after.culprit, before.culprit, "who was to blame when it began");
    let again = state.poll_letter(now(91_000)).unwrap();
    assert_eq!(again.key, letter.key, "what may not have arrived is told again, by the same key");
}

#[test]
fn who_is_to_blame_is_named_as_soon_as_that_can_be_told() {
    let directory = tempfile::tempdir().unwrap();
    let mut state = open(directory.path(), 0);
    for second in 1..=30 {
        busy_with(&mut state, second * 1_000, Vec::new());
    }
    assert_eq!((cpu(&state).state, cpu(&state).culprit), (AlertState::Warning, None));
    busy(&mut state, 31_000, "rustc");
    let named = Some("process rustc (7), 3 cores".to_owned());
    assert_eq!(cpu(&state).culprit, named);
    busy(&mut state, 32_000, "another");
    assert_eq!(cpu(&state).culprit, named, "once");
}

#[test]
fn each_sign_of_life_has_a_key_of_its_own() {
    let mut world = World::new();
    let heartbeat = Heartbeat { receiver: "watchdog".into(), interval: Span::from_secs(5) };
    let settings = Settings { heartbeats: vec![heartbeat], ..Settings::default() };
    world.state.begin_alerts(world.now(), RuleSet { rules: default_rules(), settings });
    let mut keys = std::collections::BTreeSet::new();
    for _ in 0..30 {
        world.pass(1_000);
        world.tick(Some(0.1));
        keys.extend(std::iter::from_fn(|| world.state.poll_letter(world.now())).map(|letter| letter.key));
    }
    assert!((5..=7).contains(&keys.len()), "who drops what was seen would drop the others: {keys:?}");
}

#[test]
fn a_lost_page_keeps_its_alert_and_a_closed_one_ends_it() {
    let mut world = World::new();
    let slow = |world: &World, id: &str, sequence| {
        let mut sample = sample_at(world.unix(), 0);
        sample.frames_per_second = Some(20.0);
        batch(id, sequence, vec![sample])
    };
    for sequence in 1..=10 {
        world.pass(1_000);
        for id in ["lost", "closed"] {
            let sent = slow(&world, id, sequence);
            world.state.handle_batch(world.now(), sent).unwrap();
        }
        world.tick(Some(0.1));
    }
    assert_eq!(world.alert("page-fps", "lost").state, AlertState::Critical);
    let mut goodbye = batch("closed", 1_000, Vec::new());
    goodbye.closing = true;
    world.state.handle_batch(world.now(), goodbye).unwrap();
    for _ in 0..100 {
        world.pass(1_000);
        world.tick(Some(0.1));
    }
    let alert = world.alert("page-fps", "lost");
    assert_eq!(alert.state, AlertState::NoData, "nobody said that it is well again");
    assert!(alert.firing_since_unix_millis.is_some());
    assert_eq!(
        world.alert("page-lost", "lost").state,
        AlertState::NoData,
        "it is shown no more, and still lost"
    );
    assert!(alert.muted_by.is_some_and(|by| by.starts_with("alert ")), "the loss is what is told");
    assert!(world.state.tick().snapshot.alerts.iter().all(|alert| alert.subject != "closed"));
}
