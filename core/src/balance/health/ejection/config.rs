//! Settings of outlier ejection.

use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::Duration;

/// When workers are ejected, and for how long. The defaults are Envoy's where they suit a fleet of 2 to 64.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EjectionConfig {
    /// So many failures in a row eject at once; `None` for never. Default 5.
    pub consecutive_failures: Option<u32>,
    /// A success rate far below the others' ejects at the end of an interval; `None` for never.
    pub success_rate: Option<SuccessRateOutliers>,
    /// Over how long success rates are compared, and after how long without an ejection the next one gets shorter again.
    /// Default 10 s.
    pub interval: Duration,
    /// How long the first ejection lasts, and by how much each further one is longer. Default 30 s.
    pub base: Duration,
    /// The longest ejection. Default 5 min.
    pub longest: Duration,
    /// The largest part of the available workers that is ejected at a time, 0 to 1; one may be in any case, all never. Default
    /// a third. (Envoy's tenth is for large fleets.)
    pub max_ejected_ratio: f64,
}

/// When a success rate is far below the others'.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SuccessRateOutliers {
    /// So many workers must have enough runs, 3 at least. Default 3.
    pub min_workers: u32,
    /// So many runs a worker must have had in the interval to be compared, 1 at least. Default 20.
    pub min_runs: u32,
    /// So many standard deviations of the others' rates below their mean, 0 at least. Default 1.9.
    pub deviations: f64,
    /// And by so much below their mean at least, 0 to 1, because rates that are all the same have no deviation. Default 0.2.
    pub min_gap: f64,
}

impl EjectionConfig {
    /// Checks every setting.
    ///
    /// # Errors
    ///
    /// The first setting that can't be used.
    pub fn validate(&self) -> Result<(), EjectionConfigError> {
        if self.consecutive_failures == Some(0) {
            return Err(EjectionConfigError::NoFailure);
        }
        for (setting, duration) in [("interval", self.interval), ("base", self.base)] {
            if duration.is_zero() {
                return Err(EjectionConfigError::NoTime { setting });
            }
        }
        if self.longest < self.base {
            return Err(EjectionConfigError::Longest { base: self.base, longest: self.longest });
        }
        if !(0.0..=1.0).contains(&self.max_ejected_ratio) {
            return Err(EjectionConfigError::OutOfRange { setting: "max_ejected_ratio", most: 1.0 });
        }
        let Some(rates) = self.success_rate else { return Ok(()) };
        if rates.min_workers < 3 || rates.min_runs == 0 {
            return Err(EjectionConfigError::TooFew);
        }
        if !(0.0..=100.0).contains(&rates.deviations) {
            return Err(EjectionConfigError::OutOfRange { setting: "deviations", most: 100.0 });
        }
        if !(0.0..=1.0).contains(&rates.min_gap) {
            return Err(EjectionConfigError::OutOfRange { setting: "min_gap", most: 1.0 });
        }
        Ok(())
    }
}

impl Default for EjectionConfig {
    fn default() -> Self {
        Self {
            consecutive_failures: Some(5),
            success_rate: Some(SuccessRateOutliers::default()),
            interval: Duration::from_secs(10),
            base: Duration::from_secs(30),
            longest: Duration::from_secs(300),
            max_ejected_ratio: 1.0 / 3.0,
        }
    }
}

impl Default for SuccessRateOutliers {
    fn default() -> Self {
        Self { min_workers: 3, min_runs: 20, deviations: 1.9, min_gap: 0.2 }
    }
}

/// A setting that can't be used.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum EjectionConfigError {
    /// Ejection after no failure.
    NoFailure,
    /// A time of zero.
    NoTime {
        /// Which one.
        setting: &'static str,
    },
    /// The longest ejection is shorter than the first.
    Longest {
        /// [`EjectionConfig::base`].
        base: Duration,
        /// [`EjectionConfig::longest`].
        longest: Duration,
    },
    /// A number below 0, above its limit, or none.
    OutOfRange {
        /// Which one.
        setting: &'static str,
        /// The most that is allowed.
        most: f64,
    },
    /// Success rates of fewer than three workers, or of no runs.
    TooFew,
}

impl Say for EjectionConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::NoFailure => to.write_str("ejection after 0 failures would eject everyone: set 1 or more, or leave it out"),
            Self::NoTime { setting } => say!(to, "`", setting, "` of an ejection must be more than zero"),
            Self::Longest { base, longest } => {
                say!(to, "the longest ejection (", longest, ") is shorter than the first (", base, ")")
            }
            Self::OutOfRange { setting, most } => say!(to, "`", setting, "` of an ejection is 0 to ", most),
            Self::TooFew => {
                to.write_str("success rates are compared between 3 workers at least, with 1 run at least: of two nobody knows which is wrong")
            }
        }
    }
}

displayed!(EjectionConfigError);

impl core::error::Error for EjectionConfigError {}
