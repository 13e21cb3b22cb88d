//! `[export.otlp]` and `[export.remote_write]`

use std::path::PathBuf;
use std::time::Duration;

use crate::config::{ByteSize, settings};

settings! {
    /// Metrics for an OpenTelemetry collector or what speaks like one: OTLP over HTTP, in protobuf, compressed by gzip. Counters and spreads are
    /// cumulative, spreads as exponential histograms.
    pub struct OtlpExport {
        /// Where to, with the path, for instance `"https://collector.example.org/v1/metrics"`. Not set: nothing is sent.
        url: Option<String> = None, applies OnRestart;
        /// File with headers for each request, `Name: value` on a line (mode 0600): tokens belong here. It is read each time.
        headers_file: Option<PathBuf> = None, applies OnRestart;
        /// Certificates in PEM of authorities that vouch for the receiver besides the system's: a studio's own.
        ca_file: Option<PathBuf> = None, applies OnRestart;
        /// Distance of the values, whole seconds. They are sent three seconds later, with what pages send late.
        interval: Duration = Duration::from_secs(10), from "1s" to "1h", applies OnRestart;
        /// Which series, as for a query: `'host.disk.used{mount=~"/srv/.*"}'`. Those that any of these means; all where the list is empty.
        select: Vec<String> = Vec::new(), applies OnRestart;
        /// What stands before each name. Another Quillwork host takes none of the names that its own series begin with: `host.`, `page.`,
        /// `quillwork.`. Give it another one there, for instance `"edge."`.
        prefix: String = "quillwork.".to_owned(), applies OnRestart;
        /// Bytes that wait while the receiver is away. Then the oldest make room, and are counted.
        queue_bytes: ByteSize = ByteSize(8 << 20), from "64KiB" to "1GiB", applies OnRestart;
        /// Time for one request.
        timeout: Duration = Duration::from_secs(10), from "1s" to "60s", applies OnRestart;
        /// Whether addresses of the local link (169.254.0.0/16, fe80::/10) are sent to, too. Clouds keep credentials there.
        allow_link_local: bool = false, applies OnRestart;
    }
}

settings! {
    /// Metrics for what takes Prometheus' remote write (version 1): protobuf, compressed by snappy. Spreads are written as summaries are:
    /// `quantile`s of the interval, `_sum` and `_count` since the host's start.
    pub struct RemoteWrite {
        /// Where to, with the path, for instance `"https://prometheus.example.org/api/v1/write"`. Not set: nothing is sent.
        url: Option<String> = None, applies OnRestart;
        /// File with headers for each request, `Name: value` on a line (mode 0600): tokens belong here. It is read each time.
        headers_file: Option<PathBuf> = None, applies OnRestart;
        /// Certificates in PEM of authorities that vouch for the receiver besides the system's: a studio's own.
        ca_file: Option<PathBuf> = None, applies OnRestart;
        /// Distance of the values, whole seconds. They are sent three seconds later, with what pages send late.
        interval: Duration = Duration::from_secs(15), from "1s" to "1h", applies OnRestart;
        /// Which series, as for a query: `'host.disk.used{mount=~"/srv/.*"}'`. Those that any of these means; all where the list is empty.
        select: Vec<String> = Vec::new(), applies OnRestart;
        /// What stands before each name, in which dots become underscores. The unit stands behind it, and `_total` behind a counter.
        prefix: String = "quillwork_".to_owned(), applies OnRestart;
        /// Bytes that wait while the receiver is away. Then the oldest make room, and are counted.
        queue_bytes: ByteSize = ByteSize(8 << 20), from "64KiB" to "1GiB", applies OnRestart;
        /// Time for one request.
        timeout: Duration = Duration::from_secs(10), from "1s" to "60s", applies OnRestart;
        /// Whether addresses of the local link (169.254.0.0/16, fe80::/10) are sent to, too. Clouds keep credentials there.
        allow_link_local: bool = false, applies OnRestart;
    }
}
