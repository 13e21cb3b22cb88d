//! A WebSocket client.

use futures_util::{SinkExt, StreamExt};
use quillwork_protocol::page::PageBatch;
use quillwork_protocol::snapshot::Snapshot;
use quillwork_protocol::socket::{ClientMessage, ServerMessage, Welcome};
use quillwork_protocol::topic::Update;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::harness::PATIENCE;

/// A client that fails the test where it would wait for ever.
pub(crate) struct Client(pub(crate) WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Client {
    pub(crate) async fn connect(address: &str) -> Self {
        Self(connect_async(format!("ws://{address}/ws")).await.unwrap().0)
    }

    pub(crate) async fn send(&mut self, text: impl Into<String>) {
        self.0.send(Message::text(text.into())).await.unwrap();
    }

    pub(crate) async fn hello(&mut self, hello: serde_json::Value) -> Welcome {
        self.send(hello.to_string()).await;
        match self.hear().await {
            ServerMessage::Welcome(welcome) => welcome,
            other => panic!("a welcome comes first, not {other:?}"),
        }
    }

    pub(crate) async fn send_batch(&mut self, batch: PageBatch) {
        self.send(serde_json::to_string(&ClientMessage::Batch(batch)).unwrap()).await;
    }

    /// The next message that isn't a ping.
    pub(crate) async fn message(&mut self) -> Message {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("the host says something") {
                Some(Ok(Message::Ping(_))) => {}
                Some(Ok(other)) => return other,
                ended => panic!("a message is expected, not the end: {ended:?}"),
            }
        }
    }

    pub(crate) async fn hear(&mut self) -> ServerMessage {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("unexpected {other:?}"),
        }
    }

    /// The next update of a subscription, in either encoding.
    pub(crate) async fn update(&mut self) -> Update<Value> {
        match self.message().await {
            Message::Text(text) => serde_json::from_str(&text).unwrap(),
            Message::Binary(bytes) => ciborium::from_reader(&bytes[..]).unwrap(),
            other => panic!("unexpected {other:?}"),
        }
    }

    pub(crate) async fn tick(&mut self) -> Snapshot {
        match self.hear().await {
            ServerMessage::Tick(snapshot) => snapshot,
            other => panic!("a tick is expected, not {other:?}"),
        }
    }

    /// The first tick with this processor use. Others may come before: a driver that hears nothing of its sampler for a
    /// while ticks without it.
    pub(crate) async fn tick_of(&mut self, cpu: f64) -> Snapshot {
        let mut last = 0;
        loop {
            let snapshot = self.tick().await;
            assert!(snapshot.sequence > last, "no tick comes twice");
            last = snapshot.sequence;
            if snapshot.host.as_ref().and_then(|host| host.cpu.total_ratio) == Some(cpu) {
                return snapshot;
            }
        }
    }

    pub(crate) async fn acknowledged(&mut self) -> String {
        match self.hear().await {
            ServerMessage::Ack(ack) => ack.batch_id,
            other => panic!("an acknowledgement is expected, not {other:?}"),
        }
    }

    /// Code and reason with which the host closes.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("the host closes") {
                Some(Ok(Message::Close(Some(frame)))) => {
                    return (frame.code.into(), frame.reason.to_string());
                }
                Some(Ok(_)) => {}
                other => panic!("a close frame is expected, not {other:?}"),
            }
        }
    }
}

pub(crate) fn dashboard() -> serde_json::Value {
    json!({"type": "hello", "version": 1, "role": "dashboard"})
}

pub(crate) fn page(id: &str) -> serde_json::Value {
    json!({"type": "hello", "version": 1, "role": "page", "source": {"id": id, "name": "Story"}})
}
