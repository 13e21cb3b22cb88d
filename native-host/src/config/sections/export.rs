//! `[export.otlp]` and `[export.remote_write]`

use crate::config::settings;

settings! {
    /// Metrics for an OpenTelemetry collector.
    pub struct OtlpExport {}
}

settings! {
    /// Metrics for what takes Prometheus' remote write.
    pub struct RemoteWrite {}
}
