//! Messages of `/ws`. Each is one text frame.
//!
//! The client speaks first, with [`ClientMessage::Hello`]. A page then sends [`ClientMessage::Batch`] and hears
//! [`ServerMessage::Ack`]. A dashboard hears [`ServerMessage::Welcome`], then [`ServerMessage::Tick`] once a second;
//! with `resume` in its hello it first gets the ticks it missed, as far as the host still has them.
//!
//! A dashboard that says in its hello, or later with [`ClientMessage::Subscribe`], what it wants to hear of gets
//! [`Update`](crate::topic::Update)s instead of ticks: the state once, then what changed. With `resume` it gets what has
//! changed since that tick, as far as the host still has it; it must hold the state of the same subscription then.

use alloc::string::String;

use serde::{Deserialize, Serialize};

use crate::page::{PageBatch, PageSource};
use crate::snapshot::Snapshot;
use crate::topic::Subscription;

/// Close code: the hello's version is not spoken here.
pub const CLOSE_UNSUPPORTED_VERSION: u16 = 4400;
/// Close code: token missing or wrong.
pub const CLOSE_UNAUTHORIZED: u16 = 4401;
/// Close code: the client read too slowly; it may connect again.
pub const CLOSE_TOO_SLOW: u16 = 4409;
/// Close code: a message could not be understood; its reason says why.
pub const CLOSE_BAD_MESSAGE: u16 = 4422;

/// From page or dashboard to host.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ClientMessage {
    /// First message of a connection.
    Hello(Hello),
    /// Samples of a page.
    Batch(PageBatch),
    /// What a dashboard wants to hear of from now on.
    Subscribe(Subscription),
}

/// First message of a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Hello {
    /// [`crate::VERSION`].
    pub version: u32,
    /// What the client is.
    pub role: Role,
    /// A page names itself.
    #[serde(default)]
    pub source: Option<PageSource>,
    /// A dashboard that had a connection before says where it stopped.
    #[serde(default)]
    pub resume: Option<Resume>,
    /// Bearer token, where the host asks for one. (Browsers can't set headers on a WebSocket.)
    #[serde(default)]
    pub token: Option<String>,
    /// What a dashboard wants to hear of; without it, it hears ticks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribe: Option<Subscription>,
}

/// What a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Sends batches.
    Page,
    /// Hears ticks.
    Dashboard,
}

/// Where a dashboard stopped hearing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resume {
    /// [`Snapshot::instance`] that it heard last.
    pub instance: String,
    /// [`Snapshot::sequence`] that it heard last.
    pub sequence: u64,
}

/// From host to page or dashboard.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every message is a tick; none is kept beside small ones"
)]
pub enum ServerMessage {
    /// Answer to a hello.
    Welcome(Welcome),
    /// A batch has been counted and may be forgotten.
    Ack(Ack),
    /// A tick of the host.
    Tick(Snapshot),
}

/// Answer to a hello.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// [`crate::VERSION`].
    pub version: u32,
    /// [`Snapshot::instance`].
    pub instance: String,
    /// The host's wall clock.
    pub server_unix_millis: u64,
    /// Whether all missed ticks follow, or what has changed since for who subscribes. Otherwise a dashboard back-fills
    /// from `/api/v1/series`.
    pub resumed: bool,
}

/// A batch has been counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ack {
    /// [`PageBatch::batch_id`].
    pub batch_id: String,
}
