//! Insights: what a person would conclude from the series, said only where the series bear it out.
//!
//! * [`bottlenecks`]: what limits now, by utilisation, saturation and errors, with evidence.
//! * [`trend`] and [`Trend::reaches`]: whether a series rises or falls, and when a disk or memory will be exhausted.
//! * [`correlations`]: which series of the host were higher while a page was slow.
//! * [`estimate`] and [`advise`]: how many workers keep a promise on the 95th percentile.
//!
//! All are plain functions of what is handed in: no clock, no state, no randomness, the same answer each time. Silence is the
//! usual answer. Each states how often mere noise passes ([`Chance`]) or how far off it may be ([`ESTIMATE_TOO_LOW`]), and tests
//! hold it to that over hundreds of seeded series.
//!
//! ```
//! use quillwork_core::insights::{Observed, Resource, bottlenecks};
//!
//! let busy = [Some(0.97); 60];
//! let waits = [Some(0.6); 60];
//! let cpu = Observed { resource: Resource::Cpu, subject: "", utilisation: &busy, saturation: &waits, errors: &[] };
//! let found = bottlenecks(&[cpu]);
//! assert_eq!((found[0].resource, found[0].seconds_over), (Resource::Cpu, 60));
//!
//! // As busy, but nothing waits for it: that limits nothing.
//! let calm = [Some(0.0); 60];
//! assert!(bottlenecks(&[Observed { saturation: &calm, ..cpu }]).is_empty());
//! ```

mod bottleneck;
mod capacity;
mod chance;
mod correlation;
mod distribution;
mod trend;

#[cfg(test)]
mod bottleneck_tests;
#[cfg(test)]
mod capacity_tests;
#[cfg(test)]
mod correlation_tests;
#[cfg(test)]
mod trend_tests;

pub use bottleneck::{Bottleneck, Observed, Resource, Sign, bottlenecks};
pub use capacity::{
    Advice, Arrivals, CapacityError, ESTIMATE_TOO_HIGH, ESTIMATE_TOO_LOW, Estimate, MAX_SCV, MAX_UTILISATION,
    ServiceTimes, advise, estimate,
};
pub use chance::{Chance, InvalidChance};
pub use correlation::{Correlation, CorrelationConfig, LengthMismatch, correlations};
pub use trend::{FURTHEST, Forecast, NoTrend, Point, Trend, trend};
