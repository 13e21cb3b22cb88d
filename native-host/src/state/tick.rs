//! One tick, serialised once for everybody.

use axum::extract::ws::Utf8Bytes;
use quillwork_core::time::Instant;
use quillwork_protocol::snapshot::Snapshot;
use quillwork_protocol::socket::ServerMessage;

use crate::clock::Now;

/// A snapshot and the message that carries it.
#[derive(Debug)]
pub struct Tick {
    /// [`Snapshot::sequence`].
    pub sequence: u64,
    /// What it says.
    pub snapshot: Snapshot,
    /// When it was made.
    pub at: Instant,
    /// The same on the wall clock.
    pub at_unix_millis: u64,
    /// [`ServerMessage::Tick`] as JSON; copies of it share the text.
    pub message: Utf8Bytes,
}

impl Tick {
    /// Serialises the snapshot.
    pub(super) fn new(now: Now, snapshot: Snapshot) -> Self {
        let sequence = snapshot.sequence;
        let message = ServerMessage::Tick(snapshot);
        let text = serde_json::to_string(&message).expect("messages have string keys and no failing fields");
        let ServerMessage::Tick(snapshot) = message else { unreachable!("it was made as a tick") };
        Self { sequence, snapshot, at: now.monotonic, at_unix_millis: now.unix_millis, message: text.into() }
    }
}
