//! Alerts: rules on samples, with all that keeps them from crying wolf.
//!
//! An [`Engine`] holds [`Rule`]s. A rule selects series by name and labels; for each label set (a disk, a page) it keeps one
//! instance, evaluated whenever a sample comes, at the sample's time. Its [`Condition`] makes of the samples the value
//! that is compared: the sample itself, a mean, a change, a time until a limit is reached, a quantile, a ratio, a burn rate.
//! Then, in this order:
//!
//! 1. **Compare.** The value is compared with a threshold that depends on the level: a level that is not firing is crossed
//!    beyond its `threshold`, one that is firing stays crossed until the value is back at its `clear` (hysteresis).
//!    Exactly at a threshold is not beyond it. Critical lies beyond warning, so what is critical is a warning too.
//! 2. **For.** A level fires once each sample over its `for_duration` has crossed it. Until then the instance is
//!    [`State::Pending`].
//! 3. **Keep.** A level that fires stops once each sample over `keep_firing` was back. A value that flaps faster than that is one
//!    alert, not many.
//!
//! From warning to critical is one transition, a raise, and back is another: neither resolves anything.
//!
//! **No data is not good news.** Where no sample came for longer than `stale_after`, the instance is [`State::NoData`], which
//! remembers what was firing, and goes on from there when data is back: it resolves only on samples that say so. What was
//! pending starts anew, since nobody saw what happened in the gap. A value that is absent, not finite, or made from fewer
//! than `min_count` events is no sample: it confirms nothing and clears nothing. After a day without data an alert ends, as
//! unknown and not as resolved.
//!
//! Firing and resolving need a sample, so nothing fires because the clock moved on while nobody looked (a suspended machine, a
//! closed lid). Time alone matters for staleness and for the rules that are about it: absence, composites, objectives.
//!
//! State outlives the process: [`Engine::save`] and [`Engine::restore`]. Who is told of alerts is decided by [`notify`].
//!
//! ```
//! use quillwork_core::alert::{Engine, State, default_rules};
//! use quillwork_core::time::Instant;
//!
//! let mut engine = Engine::new(default_rules(), 100)?;
//! let no_labels: &[(&str, &str)] = &[];
//! for second in 0..=60 {
//!     engine.observe(Instant::from_secs(second), "host.cpu.total", no_labels, Some(0.75), u64::MAX)?;
//! }
//! let states: Vec<_> = std::iter::from_fn(|| engine.poll_output()).map(|transition| transition.to).collect();
//! assert_eq!(states, [Some(State::Pending), Some(State::Warning)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod bytes;
mod condition;
mod defaults;
mod engine;
mod instance;
mod labels;
mod ladder;
mod level;
mod meter;
pub mod notify;
mod outcome;
mod rule;
mod save;
mod series;
mod slo;

#[cfg(test)]
mod condition_tests;
#[cfg(test)]
mod save_tests;
#[cfg(test)]
mod scenario_tests;
#[cfg(test)]
mod slo_tests;

pub use condition::{Condition, NEVER_REACHED_MILLIS};
pub use defaults::{PAGE_ERRORS_MIN_COUNT, default_rules};
pub use engine::{DEFAULT_MAX_INSTANCES, Engine, RuleId};
pub use instance::{Severity, State};
pub use labels::{Comparison, Fingerprint, Labels, Matcher, Selector};
pub use outcome::{ObserveError, Status, Transition};
pub use rule::{Culprit, Direction, Level, Rule, RuleError, RuleProblem, Unit};
pub use save::Unreadable;
pub use slo::{Budget, Indicator, Slo};
