//! Bounds on what clients may cost.

use std::time::Duration;

use crate::config::settings;

settings! {
    /// Bounds on requests, connections and clients. The defaults suit a host that one team looks at.
    pub struct Limits {
        /// Bytes of a request's body, counted after decompression where it is compressed.
        body_bytes: usize = 1 << 20, from "1024" to "1073741824", applies OnRestart;
        /// Bytes of a body that are still read when its request has been answered, so that a client that sends first and
        /// reads later can read the answer; after that the connection is cut.
        linger_bytes: usize = 16 << 20, applies OnRestart;
        /// Time for reading what is left of a body when its request has been answered.
        linger_timeout: Duration = Duration::from_secs(5), from "1ms" to "5m", applies OnRestart;
        /// Time for a request, from its head to the head of the answer.
        request_timeout: Duration = Duration::from_secs(10), from "1ms" to "1h", applies OnRestart;
        /// Time to agree on TLS.
        handshake_timeout: Duration = Duration::from_secs(10), from "1ms" to "5m", applies OnRestart;
        /// Time for the head of a request, and for an idle connection to send its next one.
        head_timeout: Duration = Duration::from_secs(30), from "1ms" to "1h", applies OnRestart;
        /// Bytes of a request's head.
        head_bytes: usize = 64 << 10, from "8192" to "1048576", applies OnRestart;
        /// Connections at a time; further ones wait to be accepted.
        connections: usize = 1_024, from "1" to "1000000", applies OnRestart;
        /// Connections of one client at a time; further ones are closed at once. A client is an address, in IPv6 a network (/64).
        connections_per_client: usize = 512, from "1" to "1000000", applies OnRestart;
        /// Requests of one client a second in the long run. What comes faster is refused with 429 and told when to go on.
        /// Behind a proxy all clients are one: raise it there.
        requests_per_second: u32 = 200, from "1" to "1000000", applies OnRestart;
        /// Requests of one client that may come at once.
        request_burst: u32 = 1_000, from "1" to "1000000", applies OnRestart;
        /// Time without a byte that the client takes of an answer.
        stall_timeout: Duration = Duration::from_secs(30), from "1ms" to "1h", applies OnRestart;
        /// Bytes of a message on a WebSocket.
        message_bytes: usize = 256 << 10, from "1024" to "67108864", applies OnRestart;
        /// WebSockets at a time that have not said hello yet.
        greetings: usize = 128, from "1" to "100000", applies OnRestart;
        /// Time for the first message on a WebSocket.
        hello_timeout: Duration = Duration::from_secs(5), from "1ms" to "5m", applies OnRestart;
        /// Time for each send on a WebSocket; who takes longer is dropped.
        send_timeout: Duration = Duration::from_secs(5), from "1ms" to "5m", applies OnRestart;
        /// Distance of pings; who is silent for two and a send is dropped.
        ping_interval: Duration = Duration::from_secs(15), from "1ms" to "10m", applies OnRestart;
        /// Queries and exports of history at a time; further ones wait.
        readings: usize = 4, from "1" to "64", applies OnRestart;
        /// Time for the answer to a query of history, the wait for a place among those that are answered included. Shorter than
        /// `request_timeout`, which would end it first and without a word on what to ask instead. Exports are bounded by `stall_timeout` instead.
        query_timeout: Duration = Duration::from_secs(8), from "1ms" to "1h", applies OnRestart;
        /// Dashboards at a time.
        dashboards: usize = 64, from "1" to "100000", applies OnRestart;
        /// Distance of the batches of one page in the long run. What comes faster is read later: the page waits, nothing is
        /// refused.
        batch_interval: Duration = Duration::from_millis(50), from "1ms" to "1m", applies OnRestart;
        /// Batches of one page that may come at once, as when it returns.
        batch_burst: u32 = 100, from "1" to "10000", applies OnRestart;
        /// Samples of one page a second in the long run. On a WebSocket what comes faster is read later; a request is refused with 429
        /// and told when to send it again.
        samples_per_second: u32 = 50, from "1" to "1000000", applies OnRestart;
        /// Samples of one page that may come at once, as when it returns.
        sample_burst: u32 = 7_200, from "600" to "1000000", applies OnRestart;
        /// Page connections at a time.
        page_connections: usize = 256, from "1" to "100000", applies OnRestart;
        /// Time for connections to end when the host stops, and for what waits in the exports to be sent.
        shutdown_timeout: Duration = Duration::from_secs(3), from "1ms" to "5m", applies OnRestart;
        /// Time for what is kept to be written when the host stops.
        flush_timeout: Duration = Duration::from_secs(10), from "1ms" to "10m", applies OnRestart;
    }
}
