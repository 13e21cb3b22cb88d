//! What an adaptive limit is set to, checked once.

use core::error::Error;
use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// Between which numbers a limit moves, and by which rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdaptiveLimitConfig {
    /// Calls that may always run, at least 1. Default 1.
    pub floor: u32,
    /// Calls that never more than run. Default 1,000.
    pub ceiling: u32,
    /// Where it starts. Default 20.
    pub initial: u32,
    /// What a dropped call, or to a gradient a tenth of a window's calls, makes of the limit: above 0 and below 1.
    /// Default 0.9.
    pub drop_factor: f64,
    /// The rule. Default [`LimitAlgorithm::Gradient`].
    pub algorithm: LimitAlgorithm,
}

impl Default for AdaptiveLimitConfig {
    fn default() -> Self {
        Self {
            floor: 1,
            ceiling: 1_000,
            initial: 20,
            drop_factor: 0.9,
            algorithm: LimitAlgorithm::Gradient(GradientConfig::default()),
        }
    }
}

/// How a limit follows what is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LimitAlgorithm {
    /// One more per round trip while all goes well, a factor less for a drop, as TCP does (Chiu and Jain, 1989). Needs a
    /// service that drops calls, or a known latency that is too long.
    Aimd {
        /// A call that takes longer counts as dropped. `None`: only drops do.
        too_slow: Option<Duration>,
    },
    /// Compares latency now with what it is without a queue.
    Gradient(GradientConfig),
}

/// The settings of [`LimitAlgorithm::Gradient`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientConfig {
    /// How much longer than without a queue calls may take before the limit falls: 1 to below 2. Default 1.5, as Netflix's
    /// gradient2. Nearer to 1 keeps latency lower and gives throughput away to noise.
    pub tolerance: f64,
    /// How much of a new limit is taken over at once, above 0 and at most 1. Default 0.2.
    pub smoothing: f64,
    /// Calls are averaged over at least this long. Default 100 ms.
    pub window: Duration,
    /// ... and over at least so many. Default 50: fewer mistake noise for a queue.
    pub min_samples: u32,
    /// In this time half of what is known about latency without a queue is forgotten, where calls take longer than that.
    /// Default 5 minutes.
    pub baseline_half_life: Duration,
    /// How often half of the limit is tried for a window, to measure latency without a queue anew; at once again while
    /// that helps. `None`: never. Default 30 s.
    pub probe_every: Option<Duration>,
}

impl Default for GradientConfig {
    fn default() -> Self {
        Self {
            tolerance: 1.5,
            smoothing: 0.2,
            window: Duration::from_millis(100),
            min_samples: 50,
            baseline_half_life: Duration::from_secs(300),
            probe_every: Some(Duration::from_secs(30)),
        }
    }
}

impl AdaptiveLimitConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), AdaptiveLimitConfigError> {
        use AdaptiveLimitConfigError as Wrong;
        let Self { floor, ceiling, initial, drop_factor, algorithm } = *self;
        if floor == 0 {
            return Err(Wrong::ZeroFloor);
        }
        if !(floor <= initial && initial <= ceiling) {
            return Err(Wrong::OutOfOrder { floor, initial, ceiling });
        }
        if !(drop_factor > 0.0 && drop_factor < 1.0) {
            return Err(Wrong::OutOfRange {
                name: "drop_factor",
                value: drop_factor,
                range: "above 0 and below 1",
            });
        }
        let LimitAlgorithm::Gradient(gradient) = algorithm else { return Ok(()) };
        if !(1.0..2.0).contains(&gradient.tolerance) {
            let value = gradient.tolerance;
            return Err(Wrong::OutOfRange { name: "tolerance", value, range: "at least 1 and below 2" });
        }
        if !(gradient.smoothing > 0.0 && gradient.smoothing <= 1.0) {
            let value = gradient.smoothing;
            return Err(Wrong::OutOfRange { name: "smoothing", value, range: "above 0 and at most 1" });
        }
        if gradient.min_samples == 0 {
            return Err(Wrong::NoSamples);
        }
        if gradient.baseline_half_life.is_zero() || gradient.probe_every == Some(Duration::ZERO) {
            return Err(Wrong::NoTime);
        }
        Ok(())
    }
}

/// Settings that no limit can follow.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum AdaptiveLimitConfigError {
    /// A limit of zero lets no call through that could show that it may rise.
    ZeroFloor,
    /// Not `floor <= initial <= ceiling`.
    OutOfOrder {
        /// The least.
        floor: u32,
        /// The first.
        initial: u32,
        /// The most.
        ceiling: u32,
    },
    /// A number outside of what makes sense.
    OutOfRange {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What makes sense.
        range: &'static str,
    },
    /// An average of no calls.
    NoSamples,
    /// A half-life or a probe interval of no time.
    NoTime,
}

impl Say for AdaptiveLimitConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::ZeroFloor => to.write_str("floor is at least 1: with no call nothing shows that the limit may rise"),
            Self::OutOfOrder { floor, initial, ceiling } => say!(to, "floor (", floor, "), initial (", initial, ") and ceiling (", ceiling, ") must not fall: change the one that is out of order"),
            Self::OutOfRange { name, value, range } => say!(to, name, " is ", value, ", but has to be ", range),
            Self::NoSamples => to.write_str("min_samples is at least 1; 50 keep noise from looking like a queue"),
            Self::NoTime => to.write_str(
                "baseline_half_life and probe_every are longer than zero; probe_every may be None for no probes",
            ),
        }
    }
}

displayed!(AdaptiveLimitConfigError);

impl Error for AdaptiveLimitConfigError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_impossible_setting_is_refused_with_its_reason() {
        let good = AdaptiveLimitConfig::default();
        assert_eq!(good.validate(), Ok(()));
        let wrong = |config: AdaptiveLimitConfig| {
            alloc::string::ToString::to_string(&config.validate().expect_err("it is impossible"))
        };
        assert!(wrong(AdaptiveLimitConfig { floor: 0, ..good }).contains("at least 1"));
        assert!(wrong(AdaptiveLimitConfig { floor: 21, ..good }).contains("floor (21)"));
        assert!(wrong(AdaptiveLimitConfig { ceiling: 19, ..good }).contains("ceiling (19)"));
        for factor in [0.0, 1.0, f64::NAN] {
            assert!(wrong(AdaptiveLimitConfig { drop_factor: factor, ..good }).contains("drop_factor"));
        }
        let gradient =
            |gradient| AdaptiveLimitConfig { algorithm: LimitAlgorithm::Gradient(gradient), ..good };
        let fine = GradientConfig::default();
        assert!(wrong(gradient(GradientConfig { tolerance: 2.0, ..fine })).contains("tolerance"));
        assert!(wrong(gradient(GradientConfig { smoothing: 0.0, ..fine })).contains("smoothing"));
        assert!(wrong(gradient(GradientConfig { min_samples: 0, ..fine })).contains("min_samples"));
        let none = Duration::ZERO;
        assert!(wrong(gradient(GradientConfig { baseline_half_life: none, ..fine })).contains("half_life"));
        assert!(wrong(gradient(GradientConfig { probe_every: Some(none), ..fine })).contains("probe_every"));
    }
}
