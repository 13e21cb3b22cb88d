//! Topics: a client says what it wants to hear of and how often, and hears the whole state once, then what changed.
//!
//! The same over `/ws` (in the hello, or in a `subscribe` at any time after it) and over the event stream
//! `/api/v1/stream`. The state is one JSON object:
//!
//! | field | of topic | what |
//! |---|---|---|
//! | `host` | `host` | [`HostSnapshot`](crate::host::HostSnapshot) without its processes |
//! | `processes` | `processes` | its processes |
//! | `pages` | `pages` | [`PageSnapshot`](crate::snapshot::PageSnapshot)s by source id |
//! | `series` | the selected series | newest value of each, by its text form, of the machine and of pages that are shown |
//! | `alerts` | `alerts` | [`AlertStatus`](crate::alert::AlertStatus)es by rule, a slash and the subject |
//! | `annotations` | `annotations` | the newest [`MOST_ANNOTATIONS`] [`Annotation`](crate::annotation::Annotation)s by id |
//!
//! Absent is not zero here either: what has no value has no field, where other messages say `null`. A change is a JSON
//! merge patch (RFC 7396): fields of objects are replaced one by one, `null` removes a field, arrays are replaced
//! whole. A client that holds the state of `base` and merges the patch has the state of `sequence`.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

/// Shortest distance of updates: that of the host's ticks.
pub const SHORTEST_INTERVAL_MILLIS: u32 = 1_000;
/// Longest distance of updates.
pub const LONGEST_INTERVAL_MILLIS: u32 = 60_000;

/// Selectors of series in one subscription.
pub const MOST_SELECTORS: usize = 64;
/// Series that a subscription is told values of; of more it hears the first.
pub const MOST_SERIES: usize = 1_000;
/// Annotations that a subscription is told; older ones are listed by `/api/v1/annotations`.
pub const MOST_ANNOTATIONS: usize = 100;

/// What a client wants to hear of. At least one topic or one series.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Subscription {
    /// Parts of the state.
    #[serde(default)]
    pub topics: Vec<Topic>,
    /// Series as they are written everywhere, at most [`MOST_SELECTORS`]: `host.cpu.total`, or `host.cpu.core{core="3"}`. One
    /// without labels, or with some of them, selects all that have these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub series: Vec<String>,
    /// Least time between two updates, from [`SHORTEST_INTERVAL_MILLIS`] (if left out), which is each tick, to
    /// [`LONGEST_INTERVAL_MILLIS`].
    #[serde(default)]
    pub interval_millis: Option<u32>,
    /// Form of the updates.
    #[serde(default)]
    pub encoding: Encoding,
}

/// A part of the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Topic {
    /// The machine.
    Host,
    /// The pages.
    Pages,
    /// The alerts.
    Alerts,
    /// The machine's processes.
    Processes,
    /// The newest annotations.
    Annotations,
}

/// Form of updates on a WebSocket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Encoding {
    /// Text frames.
    #[default]
    Json,
    /// Binary frames of the same content in CBOR (RFC 8949).
    Cbor,
}

/// What a subscriber hears; `S` is the form that the state is kept in.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Update<S> {
    /// Everything subscribed to: the first update of a connection that resumes nothing, and after each `subscribe`.
    State {
        /// Tick that it is of.
        sequence: u64,
        /// The host's clock at that tick.
        at_unix_millis: u64,
        /// The state.
        state: S,
    },
    /// What has changed.
    Delta {
        /// Tick that it leads to.
        sequence: u64,
        /// Tick that it starts from: the last one that this client was sent.
        base: u64,
        /// The host's clock at tick `sequence`.
        at_unix_millis: u64,
        /// JSON merge patch.
        patch: S,
    },
}
