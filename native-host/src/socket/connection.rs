//! One WebSocket, with a time-out on every send.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, close_code};
use quillwork_protocol::socket::{CLOSE_BAD_MESSAGE, CLOSE_TOO_SLOW, CLOSE_UNAUTHORIZED, ServerMessage};
use tokio::time::{Duration, Instant, Interval, MissedTickBehavior, interval_at, timeout};

use crate::api::App;
use crate::guard::Standing;
use crate::limits::Limits;
use crate::live::Frame;
use crate::metrics::ServerCounters;
use crate::stopping::Stopping;

/// A WebSocket that never waits longer than its limits say.
///
/// A client that stops reading would otherwise park a send for ever, and with it the pings and everything else that
/// its task does. It is dropped instead, and nothing is buffered for it.
pub(super) struct Connection {
    socket: WebSocket,
    limits: Arc<Limits>,
    counters: Arc<ServerCounters>,
    stopping: Stopping,
    standing: Option<Standing>,
    pings: Interval,
    last_heard: Instant,
    /// Pings since then.
    unanswered: u32,
}

/// What a client sent.
pub(super) enum Incoming {
    /// A text message.
    Text(Utf8Bytes),
    /// The end, and whether the client said it goes away for good.
    Closed { goodbye: bool },
}

/// Why a connection ended. The client has been told, as far as it listens.
#[derive(Debug)]
pub(super) enum Ended {
    /// The client closed it or is gone.
    ByClient,
    /// The client read too slowly.
    TooSlow,
    /// The host closed it.
    ByHost,
}

/// What a client that is being closed is waited for.
const CLOSING: Duration = Duration::from_secs(1);

/// Bytes of a close frame's reason (RFC 6455 section 5.5).
const LONGEST_REASON: usize = 123;

impl Connection {
    pub(super) fn new(app: &App, socket: WebSocket) -> Self {
        let now = Instant::now();
        let mut pings = interval_at(now + app.limits.ping_interval, app.limits.ping_interval);
        pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            socket,
            limits: Arc::clone(&app.limits),
            counters: Arc::clone(&app.counters),
            stopping: app.stopping.clone(),
            standing: None,
            pings,
            last_heard: now,
            unanswered: 0,
        }
    }

    /// Ends it when the right to it is withdrawn.
    pub(super) fn lasts_while(&mut self, standing: Standing) {
        self.standing = Some(standing);
    }

    /// The next message. Pings the client meanwhile, and ends the connection when the host stops, or when the client
    /// answers neither pings nor anything else. Safe to cancel.
    pub(super) async fn next(&mut self) -> Result<Incoming, Ended> {
        loop {
            tokio::select! {
                received = self.socket.recv() => {
                    (self.last_heard, self.unanswered) = (Instant::now(), 0);
                    match received {
                        Some(Ok(Message::Text(text))) => return Ok(Incoming::Text(text)),
                        Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                        Some(Ok(Message::Close(frame))) => {
                            self.end_conversation().await;
                            return Ok(Incoming::Closed { goodbye: is_goodbye(frame) });
                        }
                        Some(Ok(Message::Binary(_))) => {
                            return Err(self.close(CLOSE_BAD_MESSAGE, "messages are text, not binary").await);
                        }
                        Some(Err(error)) => {
                            let most = self.limits.message_bytes;
                            let reason = format!("unreadable, or larger than {most} bytes: {error}");
                            return Err(self.close(CLOSE_BAD_MESSAGE, &reason).await);
                        }
                        None => return Ok(Incoming::Closed { goodbye: false }),
                    }
                }
                _ = self.pings.tick() => {
                    let bound = self.limits.ping_interval * 2 + self.limits.send_timeout;
                    // A host that was held up itself, as with its machine, hasn't asked meanwhile.
                    if self.unanswered >= 2 && self.last_heard.elapsed() > bound {
                        return Err(self.too_slow("pings were not answered").await);
                    }
                    self.unanswered += 1;
                    self.send_within(Message::Ping(axum::body::Bytes::new())).await?;
                }
                () = withdrawn(self.standing.as_mut()) => {
                    return Err(self.close(CLOSE_UNAUTHORIZED, "the token has been withdrawn").await);
                }
                () = self.stopping.wait() => {
                    return Err(self.close(close_code::AWAY, "the host is stopping; connect again later").await);
                }
            }
        }
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, message: &ServerMessage) -> Result<(), Ended> {
        let text = serde_json::to_string(message).expect("messages have string keys and no failing fields");
        self.send_text(text.into()).await
    }

    /// Sends a message that has been serialised before.
    pub(super) async fn send_text(&mut self, text: Utf8Bytes) -> Result<(), Ended> {
        self.send_within(Message::Text(text)).await
    }

    /// Sends an update of a subscription.
    pub(super) async fn send_frame(&mut self, frame: Frame) -> Result<(), Ended> {
        self.send_within(match frame {
            Frame::Text { text, .. } => Message::Text(text),
            Frame::Binary(bytes) => Message::Binary(bytes),
        })
        .await
    }

    /// Closes it and tells why.
    pub(super) async fn close(&mut self, code: u16, reason: &str) -> Ended {
        self.send_close(code, reason).await;
        Ended::ByHost
    }

    async fn send_within(&mut self, message: Message) -> Result<(), Ended> {
        match timeout(self.limits.send_timeout, self.socket.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Ended::ByClient),
            Err(_) => Err(self.too_slow("messages were not read in time").await),
        }
    }

    async fn too_slow(&mut self, reason: &str) -> Ended {
        self.counters.dropped_slow_clients.fetch_add(1, Ordering::Relaxed);
        tracing::info!("dropping a WebSocket client: {reason}");
        self.send_close(CLOSE_TOO_SLOW, reason).await;
        Ended::TooSlow
    }

    async fn send_close(&mut self, code: u16, reason: &str) {
        let reason = shortened(reason).into();
        let close = Message::Close(Some(CloseFrame { code, reason }));
        if let Ok(Ok(())) = timeout(CLOSING.min(self.limits.send_timeout), self.socket.send(close)).await {
            self.end_conversation().await;
        }
    }

    /// Reads until both have sent their close frames; reading also writes the answer to the client's. A socket that is
    /// dropped with unread input is reset, and the reset can overtake the close frame.
    async fn end_conversation(&mut self) {
        let ended = async { while let Some(Ok(_)) = self.socket.recv().await {} };
        timeout(CLOSING.min(self.limits.send_timeout), ended).await.ok();
    }
}

/// Waits for ever where there is no right to withdraw yet.
async fn withdrawn(standing: Option<&mut Standing>) {
    match standing {
        Some(standing) => standing.withdrawn().await,
        None => std::future::pending().await,
    }
}

/// Browsers send 1001 when a page goes away, and 1000 or nothing when it closes the connection on purpose.
fn is_goodbye(frame: Option<CloseFrame>) -> bool {
    frame.is_none_or(|frame| matches!(frame.code, close_code::NORMAL | close_code::AWAY | close_code::STATUS))
}

fn shortened(reason: &str) -> &str {
    &reason[..reason.floor_char_boundary(LONGEST_REASON)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_fit_a_close_frame() {
        assert_eq!(shortened("short"), "short");
        let long = "ä".repeat(100);
        assert_eq!(shortened(&long).len(), 122);
    }
}
