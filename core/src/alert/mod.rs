//! Alerts: thresholds on samples, with all that keeps them from crying wolf.
//!
//! An [`Engine`] holds [`Rule`]s. For each rule and subject (the host, one page) it keeps one instance, evaluated
//! whenever a sample comes, at the sample's time. In this order:
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
//! than `min_count` events is no sample: it confirms nothing and clears nothing.
//!
//! Firing and resolving need a sample, so nothing fires because the clock moved on while nobody looked (a suspended machine, a
//! closed lid); [`Engine::next_deadline`] is for staleness alone.
//!
//! ```
//! use quillwork_core::alert::{Engine, State, SubjectId, budget_rules};
//! use quillwork_core::time::Instant;
//!
//! let mut engine = Engine::new(budget_rules(), 100)?;
//! let cpu = engine.metric("host.cpu.total").expect("a budget rule watches it");
//! let host = SubjectId::new(0);
//!
//! for second in 0..=60 {
//!     engine.observe(Instant::from_secs(second), host, cpu, Some(0.8))?;
//! }
//! let states: Vec<_> = std::iter::from_fn(|| engine.poll_output()).map(|transition| transition.to).collect();
//! assert_eq!(states, [Some(State::Pending), Some(State::Warning)]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod budget;
mod engine;
mod instance;
mod level;
mod rule;

#[cfg(test)]
mod scenario_tests;

pub use budget::{PAGE_ERRORS_MIN_COUNT, budget_rules};
pub use engine::{
    DEFAULT_MAX_INSTANCES, Engine, MetricId, ObserveError, RuleId, Status, SubjectId, Transition,
};
pub use instance::{Severity, State};
pub use rule::{Direction, Level, Rule, RuleError, RuleProblem, Unit};
