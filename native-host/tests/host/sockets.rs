//! `/ws` over real sockets.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use quillwork_host::limits::Limits;
use quillwork_protocol::host::Process;
use quillwork_protocol::snapshot::PageLink;
use quillwork_protocol::topic::Update;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::client::{Client, dashboard, page};
use crate::harness::{Host, PATIENCE, SECRET, Setup, batch, machine_at, sample_at, token, unhurried};

#[tokio::test]
async fn a_dashboard_hears_each_tick_and_what_pages_send() {
    let (host, address) = Host::listen(Setup::default()).await;
    host.tick(0.25).await;
    let mut dashboard_client = Client::connect(&address).await;
    let welcome = dashboard_client.hello(dashboard()).await;
    assert_eq!((welcome.version, welcome.instance.as_str(), welcome.resumed), (1, "test-instance", false));
    dashboard_client.tick_of(0.25).await;

    let mut page_client = Client::connect(&address).await;
    page_client.hello(page("p1")).await;
    page_client.send_batch(batch("p1", 1, vec![sample_at(host.unix_millis(), 3)])).await;
    assert_eq!(page_client.acknowledged().await, "p1-1");
    host.tick(0.5).await;
    let snapshot = dashboard_client.tick_of(0.5).await;
    assert_eq!((snapshot.pages[0].source.id.as_str(), snapshot.pages[0].link), ("p1", PageLink::Live));

    page_client.send_batch(batch("p1", 1, vec![sample_at(host.unix_millis(), 3)])).await;
    assert_eq!(page_client.acknowledged().await, "p1-1", "a batch that had counted is acknowledged again");

    page_client.0.close(None).await.unwrap();
    assert!(matches!(page_client.0.next().await, Some(Ok(Message::Close(_)))), "the host closes in turn");
    assert!(page_client.0.next().await.is_none());
    timeout(PATIENCE, async {
        loop {
            host.tick(0.5).await;
            if dashboard_client.tick().await.pages[0].link == PageLink::Closed {
                break;
            }
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_dashboard_that_comes_back_gets_what_it_missed() {
    let (host, address) = Host::listen(Setup::default()).await;
    for cpu in [0.1, 0.2, 0.3, 0.4] {
        host.tick(cpu).await;
    }
    let mut client = Client::connect(&address).await;
    let mut hello = dashboard();
    hello["resume"] = json!({"instance": "test-instance", "sequence": 2});
    assert!(client.hello(hello).await.resumed);
    assert_eq!((client.tick().await.sequence, client.tick().await.sequence), (3, 4));
    host.tick(0.5).await;
    assert!(client.tick_of(0.5).await.sequence >= 5, "and then goes on");

    let mut other_run = Client::connect(&address).await;
    let mut hello = dashboard();
    hello["resume"] = json!({"instance": "another", "sequence": 2});
    assert!(!other_run.hello(hello).await.resumed);
    assert!(other_run.tick().await.sequence >= 5);
}

#[tokio::test]
async fn what_is_no_message_is_told_so() {
    let (_host, address) = Host::listen(Setup::default()).await;
    for (message, code, word) in [
        ("hello", 4422, "line 1"),
        ("{\"type\":\"subscribe\"}", 4422, "subscribe"),
        ("{\"type\":\"hello\",\"version\":2,\"role\":\"page\"}", 4400, "version 2"),
        ("{\"type\":\"hello\",\"version\":1,\"role\":\"page\"}", 4422, "source"),
        (
            "{\"type\":\"hello\",\"version\":1,\"role\":\"page\",\"source\":{\"id\":\"a b\",\"name\":\"\"}}",
            4422,
            "source.id",
        ),
    ] {
        let mut client = Client::connect(&address).await;
        client.send(message).await;
        let (given, reason) = client.closed().await;
        assert_eq!(given, code, "{message}: {reason}");
        assert!(reason.contains(word), "{message}: {reason}");
    }

    let mut early = Client::connect(&address).await;
    early.send_batch(batch("p1", 1, Vec::new())).await;
    assert_eq!(early.closed().await.0, 4422);

    let mut binary = Client::connect(&address).await;
    binary.0.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(binary.closed().await.0, 4422);
}

#[tokio::test]
async fn a_page_that_sends_nonsense_is_told_which_field() {
    let (_host, address) = Host::listen(Setup::default()).await;
    let mut client = Client::connect(&address).await;
    client.hello(page("p1")).await;
    let mut wrong = batch("p1", 1, vec![sample_at(1, 0)]);
    wrong.samples[0].interval_millis = 0.0;
    client.send_batch(wrong).await;
    let (code, reason) = client.closed().await;
    assert_eq!(code, 4422);
    assert!(reason.contains("samples[0].intervalMillis"), "{reason}");

    let mut impostor = Client::connect(&address).await;
    impostor.hello(page("p2")).await;
    impostor.send_batch(batch("p1", 1, Vec::new())).await;
    assert_eq!(impostor.closed().await.0, 4422);

    let mut talkative = Client::connect(&address).await;
    talkative.hello(dashboard()).await;
    talkative.send(dashboard().to_string()).await;
    assert_eq!(talkative.closed().await.0, 4422);
}

#[tokio::test]
async fn a_message_that_is_too_large_ends_the_connection() {
    let (_host, address) = Host::listen(Setup::default()).await;
    let mut client = Client::connect(&address).await;
    client.hello(page("p1")).await;
    client.0.feed(Message::text(" ".repeat((256 << 10) + 1))).await.unwrap();
    // The host may be done with it before all is sent.
    client.0.flush().await.ok();
    let ended = async {
        loop {
            match client.0.next().await {
                Some(Ok(Message::Close(Some(frame)))) => {
                    assert_eq!(u16::from(frame.code), 4422);
                    break;
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => break,
            }
        }
    };
    timeout(PATIENCE, ended).await.unwrap();
}

#[tokio::test]
async fn who_says_nothing_is_let_go() {
    let limits = Limits { hello_timeout: Duration::from_millis(50), ..unhurried() };
    let (_host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let mut client = Client::connect(&address).await;
    let (code, reason) = client.closed().await;
    assert_eq!(code, 4422);
    assert!(reason.contains("hello"), "{reason}");
}

#[tokio::test]
async fn sockets_that_say_nothing_leave_room_for_others() {
    let limits = Limits { greetings: 1, ..unhurried() };
    let (_host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let mut silent = Client::connect(&address).await;
    match connect_async(format!("ws://{address}/ws")).await {
        Err(Error::Http(response)) => assert_eq!(response.status(), 503),
        other => panic!("a refusal is expected, not {other:?}"),
    }
    silent.hello(dashboard()).await;
    // Who has said hello takes none of these places.
    Client::connect(&address).await.hello(page("p1")).await;
}

#[tokio::test]
async fn a_page_that_floods_is_slowed_down_and_loses_nothing() {
    let limits = Limits { batch_interval: Duration::from_millis(5), batch_burst: 2, ..unhurried() };
    let (host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let mut client = Client::connect(&address).await;
    client.hello(page("p1")).await;
    let begin = tokio::time::Instant::now();
    for sequence in 1..=20 {
        client.send_batch(batch("p1", sequence, Vec::new())).await;
    }
    for sequence in 1..=20 {
        assert_eq!(client.acknowledged().await, format!("p1-{sequence}"));
    }
    assert!(begin.elapsed() >= Duration::from_millis(5 * 17));
    let metrics = host.get_at(&address, "/metrics").await;
    assert!(metrics.contains("\nquillwork_batches_total 20\n"), "{metrics}");
}

#[tokio::test]
async fn a_message_in_pieces_is_one_message() {
    let (_host, address) = Host::listen(Setup::default()).await;
    let mut stream = upgraded(&address).await;
    let hello = page("p1").to_string();
    let (first, rest) = hello.as_bytes().split_at(10);
    // A ping may come between (RFC 6455 section 5.4).
    for (head, content) in [(0x01, first), (0x89, b"ping"), (0x80, rest)] {
        stream.write_all(&masked(head, content)).await.unwrap();
    }
    let mut answer = Vec::new();
    while !answer.windows(7).any(|window| window == b"welcome") {
        answer.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
}

#[tokio::test]
async fn pieces_that_are_too_much_together_end_the_connection() {
    let limits = Limits { message_bytes: 1_000, ..unhurried() };
    let (_host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let mut stream = upgraded(&address).await;
    for head in [0x01].into_iter().chain(std::iter::repeat_n(0x00, 20)) {
        stream.write_all(&masked(head, &[b' '; 100])).await.ok();
    }
    let mut answer = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap().ok();
    assert!(answer.windows(2).any(|window| window == 4_422_u16.to_be_bytes()), "{answer:?}");
}

#[tokio::test]
async fn a_foreign_page_can_not_open_a_socket() {
    let (_host, address) =
        Host::listen(Setup { origins: vec!["http://studio.example"], ..Setup::default() }).await;
    let upgrade = async |origin: &str, host: &str| {
        let mut request = format!("ws://{address}/ws").into_client_request().unwrap();
        request.headers_mut().insert("origin", origin.parse().unwrap());
        if !host.is_empty() {
            request.headers_mut().insert("host", host.parse().unwrap());
        }
        match connect_async(request).await {
            Ok((_, response)) => (response.status().as_u16(), String::new()),
            Err(Error::Http(response)) => {
                let body = response.body().clone().unwrap_or_default();
                (response.status().as_u16(), String::from_utf8(body).unwrap())
            }
            Err(other) => panic!("{other}"),
        }
    };
    assert_eq!(upgrade("http://studio.example", "").await.0, 101);
    assert_eq!(upgrade(&format!("http://{address}"), "").await.0, 101);
    let (status, body) = upgrade("http://evil.example", "").await;
    assert_eq!(status, 403);
    assert!(body.contains("foreign-origin"), "{body}");
    let (status, body) = upgrade("http://studio.example", "evil.example").await;
    assert_eq!(status, 403);
    assert!(body.contains("foreign-host"), "{body}");
}

#[tokio::test]
async fn a_hello_without_the_token_is_refused() {
    let (_host, address) = Host::listen(Setup { token: Some(token()), ..Setup::default() }).await;
    for given in [None, Some("wrong")] {
        let mut client = Client::connect(&address).await;
        let mut hello = dashboard();
        hello["token"] = given.into();
        client.send(hello.to_string()).await;
        let (code, reason) = client.closed().await;
        assert_eq!(code, 4401, "{reason}");
        assert!(reason.contains("--token-file") && !reason.contains(SECRET), "{reason}");
    }
    let mut client = Client::connect(&address).await;
    let mut hello = dashboard();
    hello["token"] = SECRET.into();
    client.hello(hello).await;
}

#[tokio::test]
async fn as_many_dashboards_as_may_and_the_next_is_told_so() {
    let limits = Limits { dashboards: 1, page_connections: 1, ..unhurried() };
    let (_host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    for hello in [dashboard(), page("p1")] {
        let mut first = Client::connect(&address).await;
        first.hello(hello.clone()).await;
        let mut second = Client::connect(&address).await;
        second.send(hello.to_string()).await;
        let (code, reason) = second.closed().await;
        assert_eq!(code, 1013, "{reason}");
        assert!(reason.contains("at most 1"), "{reason}");
    }
}

/// A masked frame (RFC 6455 section 5.2); masking with zeros changes nothing.
fn masked(head: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 126, "longer ones have a longer head");
    [&[head, 0x80 | length, 0, 0, 0, 0], content].concat()
}

/// A connection that speaks WebSocket, and nothing said on it yet.
async fn upgraded(address: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let upgrade = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(timeout(PATIENCE, stream.read_u8()).await.unwrap().unwrap());
    }
    assert!(head.starts_with(b"HTTP/1.1 101"));
    stream
}

/// Opens a dashboard's connection by hand and then never reads again.
pub(crate) async fn stalled_dashboard(address: &str) -> TcpStream {
    let mut stream = upgraded(address).await;
    stream.write_all(&masked(0x81, dashboard().to_string().as_bytes())).await.unwrap();
    stream
}

/// Subscribes to so little that nothing of it ever waits for room: a machine that is held up for longer than a send may take drops
/// nobody who reads.
pub(crate) async fn reader(address: &str) -> Client {
    let mut client = Client::connect(address).await;
    let mut hello = dashboard();
    hello["subscribe"] = json!({"topics": ["host"]});
    client.hello(hello).await;
    client
}

/// Reads updates as they come and tells the number of the last one.
fn keep_reading(mut client: Client) -> watch::Receiver<u64> {
    let (tell, heard) = watch::channel(0);
    tokio::spawn(async move {
        loop {
            let (Update::State { sequence, .. } | Update::Delta { sequence, .. }) = client.update().await;
            if tell.send(sequence).is_err() {
                return;
            }
        }
    });
    heard
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_reading_is_dropped_and_another_goes_on() {
    let limits = Limits { send_timeout: Duration::from_secs(2), ..unhurried() };
    let (host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let mut stalled = stalled_dashboard(&address).await;
    let mut heard = keep_reading(reader(&address).await);

    // Large ticks fill the buffers between both soon.
    let process = Process { name: "x".repeat(10_000), ..Process::default() };
    let until_dropped = async {
        while !host.get_at(&address, "/metrics").await.contains("\nquillwork_slow_clients_dropped_total 1\n")
        {
            let mut machine = machine_at(host.unix_millis(), Some(0.5));
            machine.processes = vec![process.clone(); 20];
            host.tick_with(machine).await;
            let newest = host.driver.ticks().borrow().sequence;
            heard.wait_for(|sequence| *sequence >= newest).await.unwrap();
        }
    };
    timeout(PATIENCE, until_dropped).await.expect("who doesn't read is dropped, and nobody else");

    // What had been sent can still be read; then the connection ends.
    let mut rest = Vec::new();
    timeout(PATIENCE, stalled.read_to_end(&mut rest)).await.unwrap().ok();
    let one_is_left = async {
        while !host.get_at(&address, "/metrics").await.contains("\nquillwork_dashboards 1\n") {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, one_is_left).await.unwrap();
    host.tick(0.75).await;
    let newest = host.driver.ticks().borrow().sequence;
    timeout(PATIENCE, heard.wait_for(|sequence| *sequence >= newest)).await.unwrap().unwrap();
}

#[tokio::test]
async fn when_the_host_stops_its_sockets_are_told() {
    let (host, address) = Host::listen(Setup::default()).await;
    let mut dashboard_client = Client::connect(&address).await;
    dashboard_client.hello(dashboard()).await;
    let mut page_client = Client::connect(&address).await;
    page_client.hello(page("p1")).await;
    host.stop.stop();
    assert_eq!(dashboard_client.closed().await.0, 1001);
    assert_eq!(page_client.closed().await.0, 1001);
    // The answer to the close frame lets the host go on.
    drop((dashboard_client, page_client));
    timeout(PATIENCE, host.app.sockets_closed()).await.unwrap();
}

#[tokio::test]
async fn a_host_that_was_held_up_itself_asks_before_it_drops_anybody() {
    let limits = Limits {
        ping_interval: Duration::from_secs(15),
        send_timeout: Duration::from_secs(5),
        ..unhurried()
    };
    let (host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let mut client = Client::connect(&address).await;
    client.hello(dashboard()).await;
    // As when a machine is suspended: all is as it was, but later.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(40)).await;
    tokio::time::resume();
    let asked = timeout(PATIENCE, client.0.next()).await.expect("the host asks");
    assert!(matches!(asked, Some(Ok(Message::Ping(_)))), "{asked:?}");
    host.tick(0.5).await;
    client.tick_of(0.5).await;
}

#[tokio::test]
async fn a_client_that_answers_no_pings_is_dropped() {
    let limits = Limits {
        ping_interval: Duration::from_millis(20),
        send_timeout: Duration::from_millis(20),
        ..unhurried()
    };
    let (host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let _stalled = stalled_dashboard(&address).await;
    let dropped = async {
        while !host.get_at(&address, "/metrics").await.contains("\nquillwork_slow_clients_dropped_total 1\n")
        {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, dropped).await.unwrap();
}
