//! Telemetry: what a runtime measures of itself, in bounded memory and without a clock.
//!
//! * [`Counter`] and [`Gauge`]: the two kinds of number. A gauge that nobody set is absent, which is not zero.
//! * [`Sketch`]: quantiles of many values in a few kilobytes, mergeable over workers, pages and time (DDSketch);
//!   [`Quantiles`] are the usual ones of a duration.
//! * [`Registry`]: names interned once, then recorded by id.
//! * [`Rolling`], [`RollingSketch`], [`RollingRatio`]: the same over the last minute instead of since the start.
//!
//! Quantiles can't be averaged. Whoever wants the 95th percentile of several sources, or of a longer time, merges
//! sketches and asks the result.
//!
//! ```
//! use quillwork_core::telemetry::Registry;
//!
//! let mut registry = Registry::new();
//! let completed = registry.counter("pool.completed")?;
//! let response = registry.sketch("pool.response_millis")?;
//!
//! for millis in [12.0, 15.0, 240.0] {
//!     registry.increment(completed, 1);
//!     registry.record(response, millis)?;
//! }
//!
//! assert_eq!(registry.counter_value(completed).total(), 3);
//! let p50 = registry.sketch_value(response).quantile(0.5).expect("three values were recorded");
//! assert!((p50 - 15.0).abs() <= 0.01 * 15.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod logarithm;
mod metric;
mod quantiles;
mod registry;
mod rolling;
mod sketch;
mod sketch_parts;
mod window;

#[cfg(test)]
mod sketch_tests;

pub use metric::{Counter, Gauge};
pub use quantiles::Quantiles;
pub use registry::{
    CounterId, DEFAULT_MAX_METRICS, GaugeId, MetricKind, MetricValue, Registry, RegistryError, SketchId,
};
pub use rolling::{Reset, Rolling, RollingError};
pub use sketch::{
    AccuracyMismatch, DEFAULT_MAX_BUCKETS, InvalidAccuracy, InvalidSample, MAX_ACCURACY, MIN_ACCURACY,
    MIN_INDEXABLE, RelativeAccuracy, Sketch,
};
pub use sketch_parts::{InvalidParts, SketchParts};
pub use window::{Ratio, RollingRatio, RollingSketch};
