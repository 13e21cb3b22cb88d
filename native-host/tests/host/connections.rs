//! Connections, byte by byte.

use std::time::Duration;

use quillwork_host::assets::Site;
use quillwork_host::limits::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
#[cfg(target_os = "linux")]
use tokio::net::TcpSocket;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::{Host, PATIENCE, Setup, unhurried};

/// Sends everything, and only then reads up to the end.
async fn send_then_read(address: &str, parts: &[&[u8]]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let conversation = async {
        for part in parts {
            stream.write_all(part).await.unwrap();
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    };
    timeout(PATIENCE, conversation).await.unwrap()
}

fn post_head(address: &str, path: &str, more: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{more}\r\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_all_of_an_oversized_body_can_still_read_why_it_is_refused() {
    let (_host, address) = Host::listen(Setup::default()).await;
    let body = vec![b' '; 8 << 20];
    let announced = post_head(
        &address,
        "/api/v1/ingest",
        &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()),
    );
    let answer = send_then_read(&address, &[announced.as_bytes(), &body]).await;
    assert!(answer.starts_with("HTTP/1.1 413 ") && answer.contains("/problems/body-too-large"), "{answer}");

    let chunked = post_head(
        &address,
        "/api/v1/ingest",
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n",
    );
    let length = format!("{:x}\r\n", body.len());
    let parts = [chunked.as_bytes(), length.as_bytes(), &body, b"\r\n0\r\n\r\n"];
    let answer = send_then_read(&address, &parts).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    for (path, status) in [("/api/v1/nothing", "404"), ("/metrics", "405"), ("/ws", "405"), ("/", "404")] {
        let head = post_head(&address, path, &format!("Content-Length: {}\r\n", body.len()));
        let answer = send_then_read(&address, &[head.as_bytes(), &body]).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}

#[tokio::test]
async fn who_asks_before_sending_is_told_not_to() {
    let (_host, address) = Host::listen(Setup::default()).await;
    let head = post_head(
        &address,
        "/api/v1/ingest",
        "Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 8000000\r\n",
    );
    let answer = send_then_read(&address, &[head.as_bytes()]).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

/// A file larger than all buffers between both.
const LARGE: usize = 16 << 20;

#[tokio::test]
async fn who_does_not_read_its_answer_is_let_go() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("index.html"), "").unwrap();
    std::fs::write(directory.path().join("large.bin"), vec![0_u8; LARGE]).unwrap();
    let site = Site::dashboard(Some(directory.path().to_owned())).unwrap();
    let limits = Limits { stall_timeout: Duration::from_millis(50), connections: 1, ..unhurried() };
    let sites = (site, Site::story(None).unwrap());
    let (_host, address) = Host::listen(Setup { limits, sites, ..Setup::default() }).await;

    let mut stalled = TcpStream::connect(&address).await.unwrap();
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stalled.write_all(get("/large.bin").as_bytes()).await.unwrap();
    // There is one place only: that the next client is served tells that the first has lost it.
    let answer = send_then_read(&address, &[get("/healthz").as_bytes()]).await;
    assert!(answer.ends_with("alive\n"), "{answer}");
    drop(stalled);
}

#[tokio::test]
async fn a_head_that_does_not_end_is_given_up() {
    let limits = Limits { head_timeout: Duration::from_millis(50), connections: 1, ..unhurried() };
    let (_host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let begun = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nX-Slow: ");
    let answer = send_then_read(&address, &[begun.as_bytes()]).await;
    assert!(!answer.contains("alive"), "{answer}");
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let limits = Limits { head_bytes: 8 << 10, ..unhurried() };
    let (_host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let long = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nX-Long: {}", "x".repeat(16 << 10));
    let answer = send_then_read(&address, &[long.as_bytes()]).await;
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[tokio::test]
async fn a_body_without_end_is_not_read_without_end() {
    let limits = Limits { linger_bytes: 1 << 20, ..unhurried() };
    let (_host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let head =
        post_head(&address, "/api/v1/ingest", "Content-Type: text/plain\r\nContent-Length: 999999999999\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let block = vec![b' '; 64 << 10];
    let cut_off = async { while stream.write_all(&block).await.is_ok() {} };
    timeout(PATIENCE, cut_off).await.unwrap();
}

#[tokio::test]
async fn a_body_that_comes_no_further_holds_the_connection_for_a_while_only() {
    let limits = Limits { linger_timeout: Duration::from_millis(50), ..unhurried() };
    let (_host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let head = post_head(&address, "/api/v1/nothing", "Content-Length: 5000000\r\n");
    let answer = send_then_read(&address, &[head.as_bytes(), b"   "]).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}

// Other systems have one loopback address only.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_that_asks_too_often_is_told_when_to_go_on_and_others_are_served() {
    let limits = Limits { requests_per_second: 1, request_burst: 2, ..unhurried() };
    let (_host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let get = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let ask = async || send_then_read(&address, &[get.as_bytes()]).await;
    let first = ask().await;
    assert!(first.contains("ratelimit: \"client\";r=1\r\n"), "{first}");
    let second = ask().await;
    assert!(second.contains("ratelimit-policy: \"client\";q=2;w=2\r\n"), "{second}");
    // The third, unless a second passed meanwhile.
    let until_refused = async {
        loop {
            let answer = ask().await;
            if !answer.starts_with("HTTP/1.1 200 ") {
                return answer;
            }
        }
    };
    let refused = timeout(PATIENCE, until_refused).await.expect("what comes too often is refused");
    assert!(
        refused.starts_with("HTTP/1.1 429 ") && refused.contains("/problems/too-many-requests"),
        "{refused}"
    );
    assert!(refused.contains("retry-after: 1\r\n") && refused.contains("r=0;t=1"), "{refused}");

    let other = from("127.0.0.2", &address, get.as_bytes()).await;
    assert!(other.starts_with("HTTP/1.1 200 "), "{other}");
}

// Other systems have one loopback address only.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_client_can_not_take_all_connections() {
    let limits = Limits { connections_per_client: 3, ..unhurried() };
    let (_host, address) = Host::listen(Setup { limits, ..Setup::default() }).await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(&address).await.unwrap());
    }
    let get = format!("GET /healthz HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    let mut further = TcpStream::connect(&address).await.unwrap();
    let mut nothing = Vec::new();
    // It is closed or reset, without a byte.
    timeout(PATIENCE, further.read_to_end(&mut nothing)).await.unwrap().ok();
    assert!(nothing.is_empty());
    let other = from("127.0.0.2", &address, get.as_bytes()).await;
    assert!(other.starts_with("HTTP/1.1 200 "), "{other}");
    drop(held);
}

/// Asks from another address of this machine, as another client would.
#[cfg(target_os = "linux")]
async fn from(own: &str, address: &str, request: &[u8]) -> String {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(format!("{own}:0").parse().unwrap()).unwrap();
    let mut stream = socket.connect(address.parse().unwrap()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    answer
}
