//! Slow start: a new worker's weight grows to its full size over a window (Envoy).

use alloc::vec::Vec;
use core::fmt;

use crate::ids::WorkerId;
use crate::say::{Say, displayed, say};
use crate::time::{Duration, Instant};

/// How the weight of a worker grows that is new, or back after it was offline or ejected.
///
/// A worker that has just begun has cold caches and code that is not compiled yet. A strategy that sees it idle would
/// send it everything at once. Its weight is multiplied by
///
/// ```text
/// max(min_factor, (age / window) ^ (1 / aggression))
/// ```
///
/// which is Envoy's formula. Workers that begin together grow together, so their shares are even from the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SlowStartConfig {
    /// How long it takes to the full weight. Default 10 s.
    pub window: Duration,
    /// How fast it grows at the beginning: 1 evenly, above 1 faster at first, below 1 slower at first. 0.1 to 10; default 1.
    pub aggression: f64,
    /// The weight to begin with as a part of the full one, 0.01 to 1. Default 0.1: enough to be measured.
    pub min_factor: f64,
}

impl SlowStartConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), SlowStartConfigError> {
        if self.window.is_zero() {
            return Err(SlowStartConfigError::NoWindow);
        }
        if !(0.1..=10.0).contains(&self.aggression) {
            return Err(SlowStartConfigError::Aggression { asked: self.aggression });
        }
        if !(0.01..=1.0).contains(&self.min_factor) {
            return Err(SlowStartConfigError::MinFactor { asked: self.min_factor });
        }
        Ok(())
    }

    /// The part of its full weight that a worker has at this age, 0 to 1.
    #[must_use]
    pub fn factor(&self, age: Duration) -> f64 {
        if age >= self.window {
            return 1.0;
        }
        let grown = libm::pow(age.as_secs_f64() / self.window.as_secs_f64(), 1.0 / self.aggression);
        grown.max(self.min_factor).min(1.0)
    }
}

impl Default for SlowStartConfig {
    fn default() -> Self {
        Self { window: Duration::from_secs(10), aggression: 1.0, min_factor: 0.1 }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum SlowStartConfigError {
    /// No window.
    NoWindow,
    /// An aggression outside 0.1 to 10.
    Aggression {
        /// What was asked for.
        asked: f64,
    },
    /// A weight to begin with outside 0.01 to 1.
    MinFactor {
        /// What was asked for.
        asked: f64,
    },
}

impl Say for SlowStartConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::NoWindow => {
                to.write_str("a slow start takes some time: set a window above zero, or leave slow start out")
            }
            Self::Aggression { asked } => say!(to, "slow start's aggression is 0.1 to 10, not ", asked),
            Self::MinFactor { asked } => {
                say!(to, "slow start begins with 0.01 to 1 of the weight, not ", asked)
            }
        }
    }
}

displayed!(SlowStartConfigError);

impl core::error::Error for SlowStartConfigError {}

/// The workers that are growing. Their weights follow in steps, so that a pick computes no power.
#[derive(Clone, Debug)]
pub(in crate::balance) struct SlowStarts {
    config: SlowStartConfig,
    growing: Vec<Growing>,
    next_step: Instant,
}

/// Workers with the part of their full weight that they have reached.
pub(in crate::balance) type Factors<'a> = dyn Iterator<Item = (WorkerId, f64)> + 'a;

#[derive(Clone, Copy, Debug)]
struct Growing {
    worker: WorkerId,
    since: Instant,
}

impl SlowStarts {
    pub(in crate::balance) fn new(config: SlowStartConfig) -> Self {
        Self { config, growing: Vec::new(), next_step: Instant::NEVER }
    }

    /// A worker begins. Returns the factor that it begins with.
    pub(in crate::balance) fn start(&mut self, now: Instant, worker: WorkerId) -> f64 {
        self.stop(worker);
        self.growing.push(Growing { worker, since: now });
        self.next_step = self.next_step.min(now + self.step());
        self.config.factor(Duration::ZERO)
    }

    /// A worker is gone.
    pub(in crate::balance) fn stop(&mut self, worker: WorkerId) {
        self.growing.retain(|growing| growing.worker != worker);
        if self.growing.is_empty() {
            self.next_step = Instant::NEVER;
        }
    }

    /// Tells the factors that have grown by a step, all together.
    pub(in crate::balance) fn handle_deadline(&mut self, now: Instant, tell: impl FnOnce(&mut Factors<'_>)) {
        if now < self.next_step {
            return;
        }
        let config = self.config;
        let factor = |growing: &Growing| config.factor(now - growing.since);
        tell(&mut self.growing.iter().map(|growing| (growing.worker, factor(growing))));
        self.growing.retain(|growing| factor(growing) < 1.0);
        self.next_step = if self.growing.is_empty() { Instant::NEVER } else { now + self.step() };
    }

    pub(in crate::balance) const fn next_deadline(&self) -> Instant {
        self.next_step
    }

    fn step(&self) -> Duration {
        Duration::from_nanos((self.config.window.as_nanos() / STEPS).max(1))
    }
}

/// In so many steps the weight grows.
const STEPS: u64 = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn the_weight_follows_envoys_formula() {
        let even = SlowStartConfig::default();
        let at = |config: &SlowStartConfig, secs| config.factor(Duration::from_secs(secs));
        for (secs, expected) in [(0, 0.1), (1, 0.1), (5, 0.5), (9, 0.9), (10, 1.0), (100, 1.0)] {
            assert!((at(&even, secs) - expected).abs() < 1e-12, "after {secs} s");
        }
        let fast = SlowStartConfig { aggression: 2.0, ..even };
        assert!((at(&fast, 5) - libm::sqrt(0.5)).abs() < 1e-12);
        let slow = SlowStartConfig { aggression: 0.5, ..even };
        assert!((at(&slow, 5) - 0.25).abs() < 1e-12);
    }

    #[test]
    fn settings_outside_their_range_are_refused() {
        let refused = |config: SlowStartConfig| config.validate().unwrap_err().to_string();
        let base = SlowStartConfig::default();
        assert_eq!(base.validate(), Ok(()));
        assert!(refused(SlowStartConfig { window: Duration::ZERO, ..base }).contains("above zero"));
        assert!(refused(SlowStartConfig { aggression: f64::NAN, ..base }).contains("0.1 to 10"));
        assert!(refused(SlowStartConfig { min_factor: 0.0, ..base }).contains("0.01 to 1"));
    }

    #[test]
    fn a_worker_grows_step_by_step_and_then_needs_no_timer() {
        let mut starts = SlowStarts::new(SlowStartConfig::default());
        let worker = WorkerId::new(3);
        assert_eq!(starts.next_deadline(), Instant::NEVER);
        assert!((starts.start(Instant::from_secs(100), worker) - 0.1).abs() < 1e-12);
        let (mut last, mut steps) = (0.1, 0);
        while starts.next_deadline() != Instant::NEVER {
            let now = starts.next_deadline();
            starts.handle_deadline(now, |factors| {
                for (told, factor) in factors {
                    assert_eq!(told, worker);
                    assert!(factor >= last);
                    last = factor;
                }
            });
            steps += 1;
            assert!(steps <= 40, "it ends");
        }
        assert!((last - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_worker_that_left_is_told_nothing_of() {
        let mut starts = SlowStarts::new(SlowStartConfig::default());
        starts.start(Instant::ZERO, WorkerId::new(1));
        starts.start(Instant::ZERO, WorkerId::new(2));
        starts.stop(WorkerId::new(1));
        let told = |factors: &mut Factors<'_>| {
            assert_eq!(factors.map(|(worker, _)| worker).collect::<Vec<_>>(), [WorkerId::new(2)]);
        };
        starts.handle_deadline(Instant::from_secs(1), told);
        starts.stop(WorkerId::new(2));
        assert_eq!(starts.next_deadline(), Instant::NEVER);
    }
}
