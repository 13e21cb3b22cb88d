//! Quantiles as floats.

use quillwork_core::telemetry::Quantiles;
use quillwork_core::time::Duration;

/// p50, p95, p99 and the longest in milliseconds; NaN where there was nothing.
pub(crate) fn millis(quantiles: Option<Quantiles>) -> [f64; 4] {
    quantiles.map_or([f64::NAN; 4], |of| [of.p50, of.p95, of.p99, of.max].map(Duration::as_millis_f64))
}
