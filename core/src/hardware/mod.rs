//! From a description of the hardware to a configuration, and what watches over how it is used.
//!
//! * [`generate`]: pool sizes, budgets, batch sizes and the like for a [`HardwareProfile`], each with an [`Explanation`];
//!   [`Generated::with_overrides`] puts the user's own values in, checked as a whole.
//! * [`buffers`]: pooled buffers within a byte budget, trimmed and compacted.
//! * [`profiler`]: where a run's time went.
//!
//! ```
//! use quillwork_core::hardware::{generate, HardwareProfile, Overrides, Setting};
//!
//! let laptop = HardwareProfile {
//!     logical_cores: Some(8),
//!     memory_hint_bytes: Some(8 << 30),
//!     cross_origin_isolated: Some(true),
//!     ..HardwareProfile::default()
//! };
//! let generated = generate(&laptop);
//! assert_eq!(generated.config().max_workers, 7);
//! assert_eq!(generated.config().memory_budget_bytes, 1 << 30);
//! assert_eq!(
//!     generated.explain(Setting::MaxWorkers).reason.to_string(),
//!     "8 logical cores, less one for the user interface (at least 1)"
//! );
//!
//! // All that is wrong with the user's own values comes at once.
//! let wrong = Overrides { min_workers: Some(9), max_workers: Some(4), batch_items: Some(0), ..Overrides::default() };
//! assert_eq!(generated.with_overrides(&wrong).unwrap_err().errors().len(), 2);
//!
//! let own = generated.with_overrides(&Overrides { max_workers: Some(4), ..Overrides::default() })?;
//! assert_eq!(own.config().max_workers, 4);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod apply;
pub mod buffers;
mod config;
mod explain;
mod generate;
mod overrides;
mod profile;
pub mod profiler;

#[cfg(test)]
mod config_tests;

pub use config::{ComputeTarget, HardwareConfig, Wake};
pub use explain::{Explanation, Reason, Setting, Value};
pub use generate::{Generated, generate};
pub use overrides::{InvalidOverrides, OverrideError, Overrides};
pub use profile::{Gpu, HardwareProfile, Implausible, Power};
