//! Settings of the balancer.

use core::fmt;

use crate::say::{Say, displayed, say};
use crate::time::Duration;

use super::health::{EjectionConfigError, HealthConfig, SlowStartConfigError};
use super::migration::{MigrationConfig, MigrationConfigError};
use super::overload::{OverloadConfig, OverloadConfigError};
use super::reorder::{ReorderConfig, ReorderConfigError};
use super::rules::{HistoryRule, InvalidHistoryRule};
use super::score::ScoreWeights;

/// Settings of a [`LoadBalancer`](super::LoadBalancer). The defaults suit tasks of milliseconds to seconds on 2 to 64
/// workers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BalanceConfig {
    /// The name of the strategy to begin with.
    pub strategy: &'static str,
    /// After how long a finished run counts half in success ratios, service times and histories. Shorter follows changes
    /// sooner and is noisier. Of many runs in that time only the last 64 or so count. Default 10 s.
    pub evidence_half_life: Duration,
    /// After how long a latency peak counts half. Default 7 s (Finagle's decay time of 10 s as a half-life).
    pub latency_half_life: Duration,
    /// After how long an outage counts half in a worker's uptime. Default 10 min.
    pub uptime_half_life: Duration,
    /// A failed run counts as having taken at least so many times what a success typically takes. This is what keeps a
    /// worker that fails at once from looking fast. At least 1; default 5.
    pub failure_penalty: f64,
    /// What a task is believed to take while none of its type has finished. Default 100 ms.
    pub assumed_duration: Duration,
    /// How many task types have a history of their own; past that, the one unused for longest is forgotten. Default 256.
    pub max_task_types: u32,
    /// The weights of [`LoadBalancer::score_workers`](super::LoadBalancer::score_workers) and of the strategy `best-score`.
    pub score: ScoreWeights,
    /// How much more of its capacity than the fleet's mean a worker of the task's affinity list may have in use and still
    /// be preferred, in 0..=1. Default 0.5.
    pub sticky_slack: f64,
    /// Slow start, ejection and the panic threshold.
    pub health: HealthConfig,
    /// When workers and the fleet count as overloaded.
    pub overload: OverloadConfig,
    /// When a waiting task is worth its move to another worker.
    pub migration: MigrationConfig,
    /// How [`LoadBalancer::reorder_queue`](super::LoadBalancer::reorder_queue) orders.
    pub reorder: ReorderConfig,
    /// When workers are avoided for a type of task that they did badly with; `None` for never. Default `None`.
    pub history_rule: Option<HistoryRule>,
}

impl BalanceConfig {
    /// Whether the settings make sense together.
    ///
    /// # Errors
    ///
    /// The first that does not.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let half_lives = [
            ("evidence_half_life", self.evidence_half_life),
            ("latency_half_life", self.latency_half_life),
            ("uptime_half_life", self.uptime_half_life),
            ("assumed_duration", self.assumed_duration),
        ];
        if let Some(&(setting, _)) = half_lives.iter().find(|(_, duration)| duration.is_zero()) {
            return Err(ConfigError::Zero { setting });
        }
        if self.max_task_types == 0 {
            return Err(ConfigError::Zero { setting: "max_task_types" });
        }
        if !(1.0..=MOST_PENALTY).contains(&self.failure_penalty) {
            return Err(ConfigError::OutOfRange {
                setting: "failure_penalty",
                least: 1.0,
                most: MOST_PENALTY,
            });
        }
        if !(0.0..=1.0).contains(&self.sticky_slack) {
            return Err(ConfigError::OutOfRange { setting: "sticky_slack", least: 0.0, most: 1.0 });
        }
        self.health.validate()?;
        self.overload.validate().map_err(ConfigError::Overload)?;
        self.migration.validate().map_err(ConfigError::Migration)?;
        self.reorder.validate().map_err(ConfigError::Reorder)?;
        if let Some(history) = &self.history_rule {
            history.validate().map_err(ConfigError::HistoryRule)?;
        }
        self.score.validate()
    }
}

impl Default for BalanceConfig {
    fn default() -> Self {
        Self {
            strategy: "least-loaded",
            evidence_half_life: Duration::from_secs(10),
            latency_half_life: Duration::from_secs(7),
            uptime_half_life: Duration::from_secs(600),
            failure_penalty: 5.0,
            assumed_duration: Duration::from_millis(100),
            max_task_types: 256,
            score: ScoreWeights::DEFAULT,
            sticky_slack: 0.5,
            health: HealthConfig::default(),
            overload: OverloadConfig::default(),
            migration: MigrationConfig::default(),
            reorder: ReorderConfig::default(),
            history_rule: None,
        }
    }
}

/// Why settings were refused.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum ConfigError {
    /// A setting is zero that must not be.
    Zero {
        /// Which.
        setting: &'static str,
    },
    /// A setting is out of its range, or not a number.
    OutOfRange {
        /// Which.
        setting: &'static str,
        /// The least that is allowed.
        least: f64,
        /// The most that is allowed.
        most: f64,
    },
    /// The weights of the score don't add up to 1.
    WeightsDontAddUp {
        /// What they add up to.
        sum: f64,
    },
    /// The slow start's settings make no sense.
    SlowStart(SlowStartConfigError),
    /// The ejection's settings make no sense.
    Ejection(EjectionConfigError),
    /// The levels of overload make no sense.
    Overload(OverloadConfigError),
    /// The settings of migration make no sense.
    Migration(MigrationConfigError),
    /// The settings of reordering make no sense.
    Reorder(ReorderConfigError),
    /// The history rule makes no sense.
    HistoryRule(InvalidHistoryRule),
    /// No strategy has the name.
    UnknownStrategy {
        /// The name.
        name: &'static str,
    },
}

impl Say for ConfigError {
    fn say(&self, to: &mut dyn fmt::Write) -> fmt::Result {
        match self {
            Self::Zero { setting } => say!(to, "`", setting, "` must be more than zero"),
            Self::OutOfRange { setting, least, most } => {
                say!(to, "`", setting, "` must be between ", least, " and ", most)
            }
            Self::WeightsDontAddUp { sum } => {
                say!(to, "the weights of the score must add up to 1, not to ", sum)
            }
            Self::SlowStart(error) => error.say(to),
            Self::Ejection(error) => error.say(to),
            Self::Overload(error) => error.say(to),
            Self::Migration(error) => error.say(to),
            Self::Reorder(error) => error.say(to),
            Self::HistoryRule(error) => error.say(to),
            Self::UnknownStrategy { name } => {
                say!(
                    to,
                    "no strategy is named `",
                    name,
                    "`: register it first, or begin with one of `strategy_names()`"
                )
            }
        }
    }
}

displayed!(ConfigError);

impl core::error::Error for ConfigError {}

const MOST_PENALTY: f64 = 1e6;
