//! Bounds on what clients may cost.

use std::time::Duration;

/// Bounds on requests, connections and clients. The defaults suit a host that one team looks at.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Bytes of a body that are still read when its request has been answered, so that a client that sends first and
    /// reads later can read the answer; after that the connection is cut.
    pub linger_bytes: usize,
    /// Time for that.
    pub linger: Duration,
    /// Time for a request, from its head to the head of the answer.
    pub request: Duration,
    /// Time for the head of a request, and for an idle connection to send its next one.
    pub head: Duration,
    /// Connections at a time; further ones wait to be accepted.
    pub connections: usize,
    /// Bytes of a message on a WebSocket.
    pub message_bytes: usize,
    /// Time without a byte that the client takes of an answer.
    pub stall: Duration,
    /// Bytes of a request's head.
    pub head_bytes: usize,
    /// WebSockets at a time that have not said hello yet.
    pub greetings: usize,
    /// Time for the first message on a WebSocket.
    pub hello: Duration,
    /// Time for each send on a WebSocket; who takes longer is dropped.
    pub send: Duration,
    /// Distance of pings; who is silent for two and a send is dropped.
    pub ping: Duration,
    /// Dashboards at a time.
    pub dashboards: usize,
    /// Distance of the batches of one page in the long run. What comes faster is read later: the page waits, nothing is
    /// refused.
    pub batch_period: Duration,
    /// Batches of one page that may come at once, as when it returns.
    pub batch_burst: u32,
    /// Page connections at a time.
    pub page_connections: usize,
    /// Time for connections to end when the host stops.
    pub shutdown: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            linger_bytes: 16 << 20,
            linger: Duration::from_secs(5),
            request: Duration::from_secs(10),
            head: Duration::from_secs(30),
            connections: 1_024,
            stall: Duration::from_secs(30),
            head_bytes: 64 << 10,
            greetings: 128,
            message_bytes: 256 << 10,
            hello: Duration::from_secs(5),
            send: Duration::from_secs(5),
            ping: Duration::from_secs(15),
            dashboards: 64,
            batch_period: Duration::from_millis(50),
            batch_burst: 100,
            page_connections: 256,
            shutdown: Duration::from_secs(3),
        }
    }
}
