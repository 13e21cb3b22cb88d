//! What clients send on a WebSocket: frames as bytes, and messages in sound frames.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use crate::harness::{Host, PATIENCE, Setup, batch, sample_at};
use crate::runner::{Outcome, Shape, Target, fuzz};

/// A host that listens.
struct Listening {
    runtime: Runtime,
    host: Host,
    address: String,
}

impl Listening {
    fn new() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (host, address) = runtime.block_on(async {
            let (host, address) = Host::listen(Setup::default()).await;
            host.tick(0.5).await;
            (host, address)
        });
        Self { runtime, host, address }
    }

    /// Sends bytes on a new WebSocket and ends the sending; what the host said until it closed.
    async fn told(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let upgrade = format!(
            "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.address
        );
        stream.write_all(upgrade.as_bytes()).await.unwrap();
        // The host may be done with it before all is sent.
        stream.write_all(bytes).await.ok();
        stream.shutdown().await.ok();
        let mut said = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut said)).await.unwrap().ok();
        assert!(said.starts_with(b"HTTP/1.1 101"), "{}", said.escape_ascii());
        said
    }

    /// Whatever was sent, the connection ends, its places are free again, and the host goes on.
    fn check(&mut self, bytes: &[u8]) -> Outcome {
        self.runtime.block_on(async {
            let said = self.told(bytes).await;
            let are_free = async {
                loop {
                    let metrics = self.host.get_at(&self.address, "/metrics").await;
                    let gone = |name: &str| metrics.contains(&format!("\n{name} 0\n"));
                    if gone("quillwork_dashboards") && gone("quillwork_page_connections") {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
            };
            timeout(PATIENCE, are_free).await.unwrap();
            let is_welcome = said.windows(9).any(|window| window == b"\"welcome\"");
            if is_welcome { Outcome::Taken } else { Outcome::Refused }
        })
    }

    /// As [`check`](Self::check), of messages in an array.
    fn check_messages(&mut self, input: &[u8]) -> Outcome {
        let messages = match serde_json::from_slice(input) {
            Ok(Value::Array(messages)) => messages,
            _ => vec![String::from_utf8_lossy(input).into()],
        };
        let text = |message: &Value| message.as_str().map_or_else(|| message.to_string(), str::to_owned);
        let frames: Vec<u8> =
            messages.iter().flat_map(|message| frame(0x81, text(message).as_bytes())).collect();
        self.check(&frames)
    }
}

/// A masked frame (RFC 6455 section 5.2); masking with zeros changes nothing.
fn frame(head: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let length = match (u8::try_from(length), u16::try_from(length)) {
        (Ok(short), _) if short < 126 => vec![0x80 | short],
        (_, Ok(middling)) => [&[0x80 | 126][..], &middling.to_be_bytes()].concat(),
        _ => [&[0x80 | 127][..], &(length as u64).to_be_bytes()].concat(),
    };
    [&[head][..], &length, &[0; 4], content].concat()
}

fn conversations() -> Vec<Vec<Value>> {
    let page =
        json!({"type": "hello", "version": 1, "role": "page", "source": {"id": "p1", "name": "Story"}});
    let mut sent = serde_json::to_value(batch("p1", 1, vec![sample_at(1_700_000_000_000, 3)])).unwrap();
    sent["type"] = "batch".into();
    let subscription = json!({"topics": ["host", "alerts"], "series": ["host.cpu.core{core=\"1\"}"], "intervalMillis": 1000});
    let dashboard = json!({"type": "hello", "version": 1, "role": "dashboard", "resume": {"instance": "a", "sequence": 1}});
    let mut subscribing = json!({"type": "hello", "version": 1, "role": "dashboard", "token": "a token"});
    subscribing["subscribe"] = subscription.clone();
    let mut changing = subscription;
    changing["type"] = "subscribe".into();
    changing["encoding"] = "cbor".into();
    vec![vec![page, sent], vec![dashboard], vec![subscribing, changing]]
}

#[test]
fn ws_messages() {
    let target = Target {
        name: "ws_messages",
        seeds: conversations()
            .into_iter()
            .map(|conversation| Value::Array(conversation).to_string().into_bytes())
            .collect(),
        words: &[
            "\"type\":\"hello\"",
            "\"type\":\"batch\"",
            "\"subscribe\"",
            "\"role\":\"page\"",
            "\"series\"",
            "\"encoding\"",
        ],
        shape: Shape::Json,
        longest: 300 << 10,
        memory: (24 << 20, 128),
    };
    fuzz(&target, Listening::new, Listening::check_messages);
}

#[test]
fn ws_frames() {
    let framed = |conversation: Vec<Value>| {
        let texts = conversation.iter().map(|message| frame(0x81, message.to_string().as_bytes()));
        texts
            .chain([frame(0x89, b"ping"), frame(0x88, &1_000_u16.to_be_bytes())])
            .collect::<Vec<_>>()
            .concat()
    };
    let mut seeds: Vec<_> = conversations().into_iter().map(framed).collect();
    let hello = conversations()[0][0].to_string();
    let (first, rest) = hello.as_bytes().split_at(20);
    seeds.push([frame(0x01, first), frame(0x8a, b""), frame(0x80, rest)].concat());
    let target = Target {
        name: "ws_frames",
        seeds,
        words: &["\x01", "\x7f", "\x00\x7e", "{\"type\":\"hello\""],
        shape: Shape::Bytes,
        longest: 300 << 10,
        memory: (24 << 20, 128),
    };
    fuzz(&target, Listening::new, Listening::check);
}
