//! A client of `/ws` that hears ticks, as the dashboard does.

use anyhow::{Context, Result, bail};
use futures_util::{SinkExt, StreamExt};
use quillwork_protocol::VERSION;
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

/// A connection that was welcomed.
pub(crate) struct Dashboard(WebSocketStream<TcpStream>);

/// A tick that was heard.
pub(crate) struct Heard {
    pub(crate) sequence: u64,
    /// When it was taken, by the host's clock, which is ours.
    pub(crate) at_unix_millis: u64,
}

impl Dashboard {
    pub(crate) async fn connect(address: &str) -> Result<Self> {
        Self::connect_with(address, None).await
    }

    /// As [`connect`](Self::connect), with so many bytes for what waits to be read.
    pub(crate) async fn connect_with(address: &str, receive_buffer: Option<u32>) -> Result<Self> {
        let socket = TcpSocket::new_v4()?;
        if let Some(bytes) = receive_buffer {
            socket.set_recv_buffer_size(bytes)?;
        }
        let stream = socket.connect(address.parse()?).await?;
        let (mut socket, _) = client_async(format!("ws://{address}/ws"), stream).await?;
        let hello = json!({ "type": "hello", "version": VERSION, "role": "dashboard" });
        socket.send(Message::text(hello.to_string())).await?;
        let mut dashboard = Self(socket);
        let welcome: Value = serde_json::from_str(&dashboard.text().await?)?;
        if welcome["type"] != "welcome" {
            bail!("the host does not welcome a dashboard: {welcome}");
        }
        Ok(dashboard)
    }

    /// The next tick.
    pub(crate) async fn tick(&mut self) -> Result<Heard> {
        let text = self.text().await?;
        // Of 11 KB two numbers are wanted, by 2,000 clients on the core beside the host's.
        let number = |name: &str| {
            let (_, rest) = text.split_once(name)?;
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            rest[..end].parse().ok()
        };
        let heard = number("\"sequence\":").zip(number("\"atUnixMillis\":"));
        let (sequence, at_unix_millis) = heard.with_context(|| format!("no tick: {text:.100}"))?;
        Ok(Heard { sequence, at_unix_millis })
    }

    async fn text(&mut self) -> Result<String> {
        loop {
            match self.0.next().await.context("the host has closed the connection")?? {
                Message::Text(text) => return Ok(text.as_str().to_owned()),
                Message::Ping(_) | Message::Pong(_) => {}
                other => bail!("the host says {other:?}"),
            }
        }
    }
}
