//! Clients that mean harm, on real sockets.

use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, header};
use quillwork_host::limits::Limits;
use quillwork_protocol::host::{HostSnapshot, Process};
use quillwork_protocol::topic::Update;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use crate::client::Client;
use crate::harness::{
    Host, PATIENCE, SECRET, Setup, batch, machine_at, request, sample_at, token, unhurried,
};
use crate::sockets::{reader, stalled_dashboard};

/// A name that would like to be more than a name: markup, a formula, a label's end, a line of a log, a terminal's command.
const HOSTILE: &str = "=cmd|' /C calc'!A0\"} 1\nup 0 <img src=x onerror=alert(1)> \u{1b}[2J\u{202e}";

/// Sends a body that stops after its first byte; what is answered, up to the end.
async fn stops_in_its_body(address: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/ingest HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn a_body_that_does_not_end_is_given_up() {
    let limits = Limits {
        request_timeout: Duration::from_millis(50),
        linger_timeout: Duration::from_millis(50),
        connections: 1,
        ..unhurried()
    };
    let (host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let answer = stops_in_its_body(&address).await;
    assert!(answer.starts_with("HTTP/1.1 408 ") && answer.contains("/problems/request-timeout"), "{answer}");
    // There is one place only: that the next client is served tells that the first has lost it.
    assert!(crate::process::get(&address, "/healthz").await.ends_with("alive\n"));
    drop(host);
}

#[tokio::test]
async fn a_token_in_the_address_of_a_websocket_is_refused_too() {
    let (_host, address) = Host::listen(Setup { token: Some(token()), ..Setup::default() }).await;
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    // The answer to an upgrade that is none ends as others do.
    let answer = crate::process::get_with(&address, &format!("/ws?token={SECRET}"), upgrade).await;
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("token-in-address"), "{answer}");
    assert!(!answer.contains(SECRET), "{answer}");
}

#[tokio::test]
async fn no_origin_is_ever_given_credentials_nor_all_of_them_leave() {
    let origin = "http://studio.example";
    let host = Host::with(Setup { origins: vec![origin], token: Some(token()), ..Setup::default() });
    for (method, path) in
        [(Method::OPTIONS, "/api/v1/snapshot"), (Method::GET, "/api/v1/snapshot"), (Method::GET, "/healthz")]
    {
        for from in [
            origin,
            "http://evil.example",
            "null",
            "http://studio.example.evil.example",
            "https://studio.example",
        ] {
            let mut asking = request(method.as_str(), path);
            asking.headers_mut().insert(header::ORIGIN, from.parse().unwrap());
            asking.headers_mut().insert(header::COOKIE, "session=1".parse().unwrap());
            asking.headers_mut().insert(header::ACCESS_CONTROL_REQUEST_METHOD, "GET".parse().unwrap());
            let answer = host.ask(asking).await;
            assert_eq!(answer.header("access-control-allow-credentials"), "", "{method} {path} from {from}");
            let allowed = answer.header("access-control-allow-origin");
            assert!(allowed.is_empty() || allowed == origin && from == origin, "{allowed} from {from}");
            assert!(answer.status == 403 || from == origin, "{} from {from}", answer.status);
        }
    }
}

/// Whether a line of Prometheus' text is a comment or a sample, its labels' values quoted to their end.
fn is_sample(line: &str) -> bool {
    if line.is_empty() || line.starts_with("# HELP ") || line.starts_with("# TYPE ") || line == "# EOF" {
        return true;
    }
    let name = line.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(0);
    let (name, mut rest) = line.split_at(name);
    if let Some(labels) = rest.strip_prefix('{') {
        let (mut is_quoted, mut is_escaped) = (false, false);
        let end = labels.char_indices().find(|(_, letter)| {
            match letter {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = is_quoted,
                '"' => is_quoted = !is_quoted,
                '}' => return !is_quoted,
                _ => {}
            }
            false
        });
        let Some((end, _)) = end else { return false };
        rest = &labels[end + 1..];
    }
    name.starts_with("quillwork_") && rest.strip_prefix(' ').is_some_and(|value| value.parse::<f64>().is_ok())
}

#[tokio::test]
async fn hostile_names_stay_text_wherever_they_are_shown() {
    let host = Host::new();
    let process = |name: &str| Process {
        pid: 7,
        name: name.to_owned(),
        cpu_of_core_ratio: Some(0.5),
        ..Process::default()
    };
    let machine =
        HostSnapshot { processes: vec![process(HOSTILE)], ..machine_at(1_700_000_000_000, Some(0.5)) };
    host.tick_with(machine).await;
    let program = json!({"resourceMetrics": [{
        "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": HOSTILE}}]},
        "scopeMetrics": [{"metrics": [{"name": "a", "gauge": {"dataPoints": [
            {"asInt": 1, "attributes": [{"key": "formula", "value": {"stringValue": HOSTILE}}]}
        ]}}]}]
    }]});
    let mut sending = request("POST", "/v1/metrics");
    sending.headers_mut().insert(header::CONTENT_TYPE, "application/json".parse().unwrap());
    *sending.body_mut() = Body::from(program.to_string());
    assert_eq!(host.ask(sending).await.status, 200);
    let mut page = batch("p1", 1, vec![sample_at(1_700_000_000_000, 1)]);
    page.source.name = HOSTILE.to_owned();
    host.post(&page).await.problem(422, "invalid-content");
    page.source.name = HOSTILE.replace(|letter: char| letter.is_control(), "");
    assert_eq!(host.post(&page).await.status, 204);

    let metrics = host.get("/metrics").await;
    let wrong: Vec<_> = metrics.body.lines().filter(|line| !is_sample(line)).collect();
    assert!(wrong.is_empty(), "{wrong:?}");

    for (path, media_type) in [
        ("/api/v1/export?select=a", "text/csv"),
        ("/api/v1/export?select=a&format=prometheus", "text/plain"),
        ("/api/v1/snapshot", "application/json"),
        ("/api/v1/processes", "application/json"),
        ("/api/v1/sources", "application/json"),
        ("/api/v1/series", "application/json"),
    ] {
        let answer = host.get(path).await;
        assert_eq!(answer.status, 200, "{path}");
        // A browser takes none of it for a page, whatever is in it.
        assert!(answer.header("content-type").starts_with(media_type), "{path}: {answer:?}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        // No terminal takes it for a command, and no text of series turns the direction of writing.
        let turns = media_type != "application/json" && answer.body.contains('\u{202e}');
        assert!(!answer.body.contains('\u{1b}') && !turns, "{path}: {:?}", answer.body);
        match media_type {
            // A field begins a line or stands behind a comma; none that begins so is taken for a formula.
            "text/csv" => {
                let fields = answer
                    .body
                    .lines()
                    .flat_map(|line| line.split(','))
                    .map(|field| field.trim_start_matches('"'));
                assert!(!fields.clone().any(|field| field.starts_with(['=', '+', '@'])), "{}", answer.body);
            }
            "text/plain" => assert_eq!(
                answer.body.lines().filter(|line| !line.starts_with('#')).count(),
                1,
                "{}",
                answer.body
            ),
            _ => drop(answer.json()),
        }
    }
}

/// Marks of ticks are so many parts of the machine's load.
const MARKS: f64 = 1_000_000.0;

/// The machine as loaded as this, and large.
fn large_machine(mark: u32) -> HostSnapshot {
    let process = Process { name: "x".repeat(2_000), ..Process::default() };
    HostSnapshot {
        processes: vec![process; 20],
        ..machine_at(1_700_000_000_000, Some(f64::from(mark) / MARKS))
    }
}

/// Reads updates as they come and tells the newest mark; a mark that is left out ends it.
fn hears_every_mark(mut client: Client) -> watch::Receiver<u32> {
    let (tell, heard) = watch::channel(0);
    tokio::spawn(async move {
        // A host that stops says goodbye.
        while let Message::Text(text) = client.message().await {
            let (Update::State { state: told, .. } | Update::Delta { patch: told, .. }) =
                serde_json::from_str::<Update<Value>>(&text)
                    .unwrap_or_else(|error| panic!("{error}: {text}"));
            // An update may tell of something else.
            let Some(cpu) = told["host"]["cpu"]["totalRatio"].as_f64() else { continue };
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "there are few")]
            let (last, mark) = (*tell.borrow(), (cpu * MARKS).round() as u32);
            assert!(mark <= last + 1, "after {last} comes {mark}: one was left out");
            if tell.send(mark).is_err() {
                return;
            }
        }
    });
    heard
}

/// Of a hundred dashboards ten never read. The others miss no tick, and each has every tick before the next one is made.
#[tokio::test(flavor = "multi_thread")]
async fn stalled_readers_cost_the_others_nothing() {
    const HEALTHY: usize = 90;
    const STALLED: usize = 10;
    let limits = Limits { dashboards: 200, send_timeout: Duration::from_secs(2), ..unhurried() };
    let (host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        stalled.push(stalled_dashboard(&address).await);
    }
    let mut healthy = Vec::new();
    for _ in 0..HEALTHY {
        healthy.push(hears_every_mark(reader(&address).await));
    }
    let mut mark = 0;
    // A client is counted as dropped a moment before its place is free.
    let expected = [
        format!("\nquillwork_slow_clients_dropped_total {STALLED}\n"),
        format!("\nquillwork_dashboards {HEALTHY}\n"),
    ];
    let are_dropped = |metrics: String| expected.iter().all(|line| metrics.contains(line));
    let all_are = async {
        // Some ticks before anybody is dropped, and on until all that stall are.
        while mark < 20 || !are_dropped(host.get_at(&address, "/metrics").await) {
            mark += 1;
            host.tick_with(large_machine(mark)).await;
            for heard in &mut healthy {
                timeout(PATIENCE, heard.wait_for(|newest| *newest == mark))
                    .await
                    .unwrap()
                    .expect("no tick is left out");
            }
        }
    };
    timeout(PATIENCE * 4, all_are).await.expect("who doesn't read is dropped, and nobody else");
    drop(stalled);
}

/// Ten thousand connections of one client, each with half a head: as many as this process may open, but for some.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn ten_thousand_connections_leave_room_for_who_is_there_and_go_away() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    const CROWD: usize = 10_000;
    /// What the rest of the tests may have open meanwhile.
    const OTHERS: usize = 1_000;
    /// Kilobytes of memory for each: its buffer and its task.
    const EACH: usize = 40;

    /// Kilobytes that the host itself may take meanwhile, as it measures; where there are many connections it is nothing beside them.
    const ITS_OWN: usize = 8 << 10;

    let limit = getrlimit(Resource::Nofile);
    // As far as it may be raised without asking anybody.
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).ok();
    let files = getrlimit(Resource::Nofile)
        .current
        .and_then(|files| usize::try_from(files).ok())
        .unwrap_or(CROWD + OTHERS);
    let crowd = CROWD.min(files.saturating_sub(OTHERS));
    if crowd < CROWD {
        eprintln!("this process may open {files} files: {crowd} connections instead of {CROWD}");
    }
    let all = format!("limits.connections={}", crowd + 10);
    let of_one = format!("limits.connections_per_client={}", crowd + 10);
    let (child, address) = crate::process::start(&[
        "--set",
        &all,
        "--set",
        &of_one,
        "--set",
        "limits.head_timeout=60s",
        "--set",
        "limits.request_burst=1000000",
        "--set",
        "limits.requests_per_second=1000000",
    ])
    .await;
    let kilobytes = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id().unwrap())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<usize>().unwrap()
    };
    let mut known = TcpStream::connect(&address).await.unwrap();
    assert!(is_alive(&mut known, &address).await);
    let before = kilobytes();

    let half = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nX-Slow: ");
    let mut held = Vec::with_capacity(crowd);
    for number in 0..crowd {
        let mut stream = timeout(PATIENCE, TcpStream::connect(&address)).await.unwrap().unwrap();
        stream.write_all(half.as_bytes()).await.unwrap();
        held.push(stream);
        if number % 1_000 == 0 {
            assert!(is_alive(&mut known, &address).await, "with {number} others");
        }
    }
    assert!(is_alive(&mut known, &address).await, "with all others");
    assert!(crate::process::get(&address, "/readyz").await.starts_with("HTTP/1.1 200"), "and for who comes");
    let grown = kilobytes().saturating_sub(before);
    assert!(grown < (EACH * crowd).max(ITS_OWN), "{grown} KiB for {crowd} connections");
    println!("{crowd} connections with half a head take {grown} KiB");

    drop(held);
    let are_gone = async {
        while open_files(child.id().unwrap()) > OTHERS {
            assert!(is_alive(&mut known, &address).await);
        }
    };
    timeout(PATIENCE, are_gone).await.unwrap();
}

#[cfg(target_os = "linux")]
fn open_files(process: u32) -> usize {
    std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().count()
}

/// Asks on a connection that stays.
#[cfg(target_os = "linux")]
async fn is_alive(stream: &mut TcpStream, address: &str) -> bool {
    stream.write_all(format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"alive\n") {
        let mut piece = [0; 1_024];
        let length = timeout(PATIENCE, stream.read(&mut piece)).await.unwrap().unwrap();
        if length == 0 {
            return false;
        }
        answer.extend_from_slice(&piece[..length]);
    }
    answer.starts_with(b"HTTP/1.1 200")
}
